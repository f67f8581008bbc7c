"""The page on one's own data: every config on it is taken from the page and tried, those on files and databases are run."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.configfile import spec_from_dict
from eventstudy.sources import SOURCES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "bring-your-own-data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
FIRMS = ("002230.SZ", "002415.SZ")
SUSPENDED = ("2019-10-08", "2019-10-09")  # Hikvision

Content = dict[str, Any]


def study_of(block: str) -> Content:
    """The first config of the page with the tables of a block in their place."""
    return tomllib.loads(BLOCKS[0]) | tomllib.loads(block)


def of_files(content: Content) -> bool:
    return content["data"]["source"] == "files"


def recorded(symbol: str) -> pd.DataFrame:
    """Facts of the package's data files, read by pandas alone."""
    return pd.read_csv(ROOT / "eventstudy" / "snapshot" / f"{symbol}.csv", dtype={"date": str}).assign(symbol=symbol)


@pytest.fixture(scope="module")
def shares() -> pd.DataFrame:
    table = pd.concat([recorded(symbol) for symbol in FIRMS], ignore_index=True)
    return table.assign(idle=table["volume"] == 0, code=table["symbol"].str[:6])


@pytest.fixture(scope="module")
def index() -> pd.DataFrame:
    return recorded("000300.SS")


def test_a_suspension_is_in_the_facts(shares: pd.DataFrame) -> None:
    idle = shares[shares["idle"]]
    assert set(zip(idle["symbol"], idle["date"], strict=True)) == {("002415.SZ", day) for day in SUSPENDED}


def without_suspended(table: pd.DataFrame) -> pd.DataFrame:
    return table[~table["idle"]]


def compact(dates: pd.Series) -> pd.Series:
    return dates.str.replace("-", "")


def csmar(shares: pd.DataFrame, index: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = without_suspended(shares)
    numbers = {"Stkcd": rows["code"].astype(int), "Trddt": rows["date"], "Clsprc": rows["close"], "Dnshrtrd": rows["volume"]}
    levels = {"Indexcd": "000300", "Trddt": index["date"], "Clsindex": index["close"]}
    return pd.DataFrame(numbers | {"Trdsta": 1}), pd.DataFrame(levels)


def wind(shares: pd.DataFrame, index: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    numbers = {"S_INFO_WINDCODE": shares["symbol"], "TRADE_DT": compact(shares["date"]), "S_DQ_CLOSE": shares["close"]}
    status = shares["idle"].map({True: "停牌", False: "交易"})
    prices = pd.DataFrame(numbers | {"S_DQ_VOLUME": shares["volume"] / 100, "S_DQ_TRADESTATUS": status})
    levels = {"S_INFO_WINDCODE": "000300.SH", "TRADE_DT": compact(index["date"]), "S_DQ_CLOSE": index["close"]}
    return prices, pd.DataFrame(levels)


def tushare(shares: pd.DataFrame, index: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = without_suspended(shares)
    prices = {"ts_code": rows["symbol"], "trade_date": compact(rows["date"]), "close": rows["close"], "vol": rows["volume"] / 100}
    return pd.DataFrame(prices), pd.DataFrame(
        {"ts_code": "000300.SH", "trade_date": compact(index["date"]), "close": index["close"]}
    )


def baostock(shares: pd.DataFrame, index: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    prices = pd.DataFrame({"date": shares["date"], "code": "sz." + shares["code"], "close": shares["close"]})
    prices = prices.assign(volume=shares["volume"], adjustflag=3, tradestatus=(~shares["idle"]).astype(int))
    return prices, pd.DataFrame({"date": index["date"], "code": "sh.000300", "close": index["close"]})


def mapped(shares: pd.DataFrame, index: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    def german(table: pd.DataFrame) -> pd.DataFrame:
        dates = pd.to_datetime(table["date"]).dt.strftime("%d.%m.%Y")
        return pd.DataFrame({"Datum": dates, "Schluss": table["close"].map("{:.2f}".format).str.replace(".", ",")})

    rows = without_suspended(shares)
    return german(rows).assign(**{"Kürzel": rows["code"], "Stück": rows["volume"] // 100}), german(index)


def plain(shares: pd.DataFrame, index: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return without_suspended(shares)[["date", "symbol", "close", "volume"]], index[["date", "close"]]


def wide(shares: pd.DataFrame, index: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    closes = shares.assign(close=shares["close"].mask(shares["idle"])).pivot(index="date", columns="symbol", values="close")
    return closes.reset_index(), index[["date", "close"]]


WRITERS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]] = {
    "csmar": csmar, "wind": wind, "tushare": tushare, "baostock": baostock, "kurse.csv": mapped, "closes.csv": wide,
    "prices.csv": plain,
}  # fmt: skip


def write_files(content: Content, folder: Path, shares: pd.DataFrame, index: pd.DataFrame) -> None:
    keys = content["data"]["files"]
    writer = WRITERS[keys.get("format") or keys["prices"]]
    for name, table in zip(("prices", "benchmark"), writer(shares, index), strict=True):
        separator = ";" if keys.get("decimal") == "," else ","
        table.to_csv(folder / keys[name], index=False, encoding=keys.get("encoding", "utf-8"), sep=separator)


def cars(result: es.StudyResult) -> dict[str, float]:
    return dict(result.car((0, 2)).set_index("symbol")["car"])


@pytest.fixture(scope="module")
def expected(shares: pd.DataFrame, index: pd.DataFrame) -> dict[str, float]:
    """The effects by hand: a line fitted to 50 sessions without suspensions and dividends, then three sessions beyond it."""
    market = np.log(index.set_index("date")["close"])
    day0 = market.index.get_loc("2019-10-08")
    past = market.index[day0 - 61 : day0 - 10]  # the session before -60, then -60 to -11
    before, after = market.index[day0 - 1], market.index[day0 + 2]
    found = {}
    for symbol, rows in shares.groupby("symbol"):
        close = np.log(rows.set_index("date")["close"])
        beta, alpha = np.polyfit(market[past].diff().dropna(), close[past].diff().dropna(), 1)
        found[str(symbol)] = close[after] - close[before] - 3 * alpha - beta * (market[after] - market[before])
    return found


def test_page_has_a_config_of_every_kind() -> None:
    contents = [study_of(block) for block in BLOCKS]
    assert {name for content in contents for name in spec_from_dict(content).data.sources} == set(SOURCES)
    formats = {content["data"]["files"].get("format") for content in contents if of_files(content)}
    assert formats == {None, "csmar", "wind", "tushare", "baostock"}


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_config_of_the_page_is_valid(block: str) -> None:
    spec_from_dict(study_of(block))


FILE_BLOCKS = [block for block in BLOCKS if of_files(study_of(block))]


@pytest.mark.parametrize("block", FILE_BLOCKS, ids=range(len(FILE_BLOCKS)))
def test_config_on_files_runs_and_gives_the_same_effects(
    block: str, tmp_path: Path, shares: pd.DataFrame, index: pd.DataFrame, expected: dict[str, float]
) -> None:
    content = study_of(block)
    write_files(content, tmp_path, shares, index)
    result = es.run_study(spec_from_dict(content, tmp_path))
    assert cars(result) == pytest.approx(expected, rel=1e-9)
    days = result.abnormal_returns.query("symbol == '002415.SZ' and tau in [0, 1, 2]")
    assert days["status"].tolist() == ["suspended", "suspended", "traded"]


def test_config_on_a_database_runs(
    tmp_path: Path, shares: pd.DataFrame, index: pd.DataFrame, expected: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sqlalchemy")
    block = next(block for block in BLOCKS if 'source = "sql"' in block)
    content = study_of(block)
    content["data"]["store"] = "store"
    rows = without_suspended(shares)
    prices = pd.DataFrame({"code": rows["symbol"], "trade_date": rows["date"], "close": rows["close"], "volume": rows["volume"]})
    with sqlite3.connect(tmp_path / "prices.db") as connection:
        prices.assign(dividend=0.0).to_sql("daily_prices", connection, index=False)
        levels = pd.DataFrame({"code": "000300.SH", "trade_date": index["date"], "level": index["close"]})
        levels.to_sql("index_levels", connection, index=False)
    connection.close()
    monkeypatch.setenv("EVENTSTUDY_DATABASE_URL", f"sqlite:///{tmp_path / 'prices.db'}")
    assert cars(es.run_study(spec_from_dict(content, tmp_path))) == pytest.approx(expected, rel=1e-9)


def test_tables_on_the_page_are_read_as_they_stand(tmp_path: Path) -> None:
    """The little files shown on the page, word for word."""
    from eventstudy.sources.files import FileSource

    long, wide = re.findall(r"^```csv\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    ever = pd.Timestamp("1990-01-01"), pd.Timestamp("2030-01-01")
    for text, closes in ((long, [32.30, 30.90]), (wide, [32.30])):
        (tmp_path / "shown.csv").write_text(text, encoding="utf-8")
        frame = FileSource(tmp_path / "shown.csv").fetch("002415.SZ", *ever, "share").frame
        assert frame["close"].dropna().tolist() == closes
        facts = recorded("002415.SZ").set_index("date")["close"]
        assert all(facts[f"{day:%Y-%m-%d}"] == close for day, close in frame["close"].dropna().items())


def test_readme_links_to_the_page(root: Path) -> None:
    assert "(docs/bring-your-own-data.md)" in (root / "README.md").read_text(encoding="utf-8")
