"""The user's files: vendors' columns and units, encodings, shapes, and what is refused with which sentence."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eventstudy.calendar import exchange_sessions
from eventstudy.configfile import data_keys
from eventstudy.errors import ConfigError, DataError, EventStudyError, UnknownSymbolError
from eventstudy.prices import Fetched
from eventstudy.sources import open_source
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.files import FileSource
from eventstudy.sources.frames import price_frame
from eventstudy.sources.reading import raw_table
from eventstudy.sources.symbols import market_symbol, spelt
from eventstudy.trading import list_shares, trading_status

pytestmark = [
    pytest.mark.filterwarnings("ignore:Series.values returning:pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore:DatetimeIndex.weekday:pandas.errors.Pandas4Warning"),
]

START, END = pd.Timestamp("2019-05-06"), pd.Timestamp("2019-11-15")
EVER = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")
SUSPENDED = ["2019-10-08", "2019-10-09"]


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    """Hikvision in 2019: ex-dividend (0.60 CNY) on 24 May, suspended on 8 and 9 October."""
    snapshot = open_source("snapshot", Path(), {})
    return snapshot.fetch("002415.SZ", START, END, "share").frame.loc[START:END]


@pytest.fixture(scope="module")
def index() -> pd.DataFrame:
    return open_source("snapshot", Path(), {}).fetch("000300.SS", START, END, "index").frame.loc[START:END]


def files(folder: Path, **keys: Any) -> FileSource:
    """Open the source as the config does, so that keys are checked on the way."""
    data = data_keys({"source": "files", "files": keys})
    found = open_source("files", folder, data.settings["files"])
    assert isinstance(found, FileSource)
    return found


def fetched(folder: Path, symbol: str = "002415.SZ", kind: Any = "share", **keys: Any) -> PriceSeries:
    return files(folder, **keys).fetch(symbol, *EVER, kind)


def written(path: Path, table: pd.DataFrame, encoding: str = "utf-8", **options: Any) -> Path:
    path.write_bytes(table.to_csv(index=False, **options).encode(encoding))
    return path


def long(truth: pd.DataFrame) -> pd.DataFrame:
    dates = [f"{date:%Y-%m-%d}" for date in truth.index]
    return pd.DataFrame({"date": dates, "symbol": "002415.SZ", "close": truth["close"].array, "volume": truth["volume"].array})


def reference_prices(truth: pd.DataFrame) -> pd.Series:
    before = truth["close"].shift(1).fillna(truth["close"])
    return (before - truth["dividend"]).round(2)


def vendor_table(vendor: str, truth: pd.DataFrame) -> pd.DataFrame:
    """Write the same sessions as a vendor would."""
    traded = truth.index.strftime("%Y-%m-%d").isin(SUSPENDED) ^ True
    compact, plain = truth.index.strftime("%Y%m%d"), truth.index.strftime("%Y-%m-%d")
    if vendor == "csmar":
        rows = pd.DataFrame({"Stkcd": 2415, "Trddt": plain, "Clsprc": truth["close"].array, "Dnshrtrd": truth["volume"].array,
                             "Dnvaltrd": 1e9, "Adjprcwd": truth["close"].array * 3, "Trdsta": 2})  # fmt: skip
        return rows[traded]
    if vendor == "wind":
        return pd.DataFrame({"S_INFO_WINDCODE": "002415.SZ", "TRADE_DT": compact, "S_DQ_PRECLOSE": reference_prices(truth).array,
                             "S_DQ_OPEN": np.where(traded, truth["close"], 0), "S_DQ_CLOSE": truth["close"].array,
                             "S_DQ_VOLUME": truth["volume"].array / 100, "S_DQ_AMOUNT": 5e5,
                             "S_DQ_TRADESTATUS": np.where(traded, "交易", "停牌")})  # fmt: skip
    if vendor == "tushare":
        rows = pd.DataFrame({"ts_code": "002415.SZ", "trade_date": compact, "close": truth["close"].array,
                             "pre_close": reference_prices(truth).array, "vol": truth["volume"].array / 100,
                             "amount": 5e5})  # fmt: skip
        return rows[traded][::-1]  # newest first
    return pd.DataFrame({"date": plain, "code": "sz.002415", "close": truth["close"].array,
                         "preclose": reference_prices(truth).array, "volume": truth["volume"].array, "adjustflag": 3,
                         "turn": np.where(traded, "1.5", ""), "tradestatus": traded.astype(int)})  # fmt: skip


ENCODINGS = {"csmar": "utf-16", "wind": "gb18030", "tushare": "utf-8-sig", "baostock": "utf-8"}


@pytest.mark.parametrize("vendor", sorted(ENCODINGS))
def test_vendor_export_gives_closes_shares_and_suspensions(vendor: str, truth: pd.DataFrame, tmp_path: Path) -> None:
    written(tmp_path / "p.csv", vendor_table(vendor, truth), ENCODINGS[vendor])
    series = fetched(tmp_path, prices="p.csv", format=vendor)
    traded = truth.index[~truth.index.strftime("%Y-%m-%d").isin(SUSPENDED)]
    assert series.frame["close"].reindex(traded).tolist() == truth.loc[traded, "close"].tolist()
    assert series.frame["volume"].reindex(traded).tolist() == truth.loc[traded, "volume"].tolist()
    calendar = exchange_sessions("XSHG", START.date())
    status, _ = trading_status(series, calendar)
    found = {f"{day:%Y-%m-%d}" for day, word in zip(calendar.sessions, status, strict=True) if word == "suspended" and day <= END}
    assert found == set(SUSPENDED)
    assert series.absent == ("suspended" if vendor in ("csmar", "tushare") else "missing")
    assert any("not UTF-8" in note for note in series.notes) == (vendor in ("csmar", "wind"))


@pytest.mark.parametrize("vendor", ["wind", "tushare", "baostock"])
def test_reference_price_carries_the_dividend_into_returns(vendor: str, truth: pd.DataFrame, tmp_path: Path) -> None:
    written(tmp_path / "p.csv", vendor_table(vendor, truth))
    series = fetched(tmp_path, prices="p.csv", format=vendor)
    calendar = exchange_sessions("XSHG", START.date())
    level = list_shares(series, pd.Series(1.0, index=truth.index), calendar).level
    ex = calendar.sessions.get_loc(pd.Timestamp("2019-05-24"))
    close = truth["close"]
    growth = level[ex] / level[ex - 1]
    assert growth == pytest.approx(close["2019-05-24"] / (close["2019-05-23"] - 0.60), abs=1e-12)
    # Cash counted as reinvested at the reference price is off by yield times return (rule A2).
    assert growth == pytest.approx((close["2019-05-24"] + 0.60) / close["2019-05-23"], abs=0.002)
    assert series.frame["split"].ne(1).sum() == 1
    assert any("2019-05-24" in note for note in series.notes)


def test_csmar_adjusted_close_is_kept_and_st_status_is_no_suspension(truth: pd.DataFrame, tmp_path: Path) -> None:
    written(tmp_path / "p.csv", vendor_table("csmar", truth))
    frame = fetched(tmp_path, prices="p.csv", format="csmar").frame
    assert (frame["adj_close"] / frame["close"]).round(9).eq(3).all()
    assert frame["status"].isna().all()  # Trdsta 2 is a share under special treatment


def test_csmar_rows_of_titles_are_left_out(truth: pd.DataFrame, tmp_path: Path) -> None:
    table = vendor_table("csmar", truth).astype(object)
    names = ["证券代码", "交易日期", "日收盘价", "个股交易股数", "日个股交易金额", "可比价格", "交易状态"]
    titles = pd.DataFrame([names, ["没有单位"] * 7], columns=table.columns)
    written(tmp_path / "p.csv", pd.concat([titles, table]))
    assert len(fetched(tmp_path, prices="p.csv", format="csmar").frame) == len(table)


def test_csmar_title_rows_elsewhere_are_refused(truth: pd.DataFrame, tmp_path: Path) -> None:
    table = vendor_table("csmar", truth).astype(object)
    table.iloc[4] = ["2415", "交易日期", "1", "1", "1", "1", "1"]
    written(tmp_path / "p.csv", table)
    with pytest.raises(DataError, match=r"'交易日期' \(line 6\) is not a date"):
        fetched(tmp_path, prices="p.csv", format="csmar")


@pytest.mark.parametrize(
    ("vendor", "code", "names"),
    [
        ("csmar", "000300", ("Indexcd", "Trddt", "Clsindex")),
        ("csmar", "300", ("Indexcd", "Idxtrd01", "Idxtrd05")),
        ("wind", "000300.SH", ("S_INFO_WINDCODE", "TRADE_DT", "S_DQ_CLOSE")),
        ("tushare", "000300.SH", ("ts_code", "trade_date", "close")),
        ("baostock", "sh.000300", ("code", "date", "close")),
    ],
)
def test_index_file_of_a_vendor(
    vendor: str, code: str, names: tuple[str, str, str], truth: pd.DataFrame, index: pd.DataFrame, tmp_path: Path
) -> None:
    written(tmp_path / "p.csv", vendor_table(vendor, truth))
    rows = pd.DataFrame({names[0]: code, names[1]: index.index.strftime("%Y%m%d"), names[2]: index["close"].array})
    other = rows.assign(**{names[0]: "399001" if vendor == "csmar" else "399001.SZ", names[2]: 1.0})
    written(tmp_path / "i.csv", pd.concat([other, rows]))
    series = fetched(tmp_path, "000300.SS", "index", prices="p.csv", benchmark="i.csv", format=vendor)
    assert series.frame["close"].tolist() == index["close"].tolist()
    with pytest.raises(UnknownSymbolError, match=r"i\.csv: no rows of 000905\.SS"):
        fetched(tmp_path, "000905.SS", "index", prices="p.csv", benchmark="i.csv", format=vendor)


def test_wind_words_that_are_not_known_say_nothing_and_are_noted(truth: pd.DataFrame, tmp_path: Path) -> None:
    table = vendor_table("wind", truth)
    table.loc[3, "S_DQ_TRADESTATUS"] = "待核查"
    written(tmp_path / "p.csv", table)
    series = fetched(tmp_path, prices="p.csv", format="wind")
    assert pd.isna(series.frame["status"].iloc[3])
    assert any("待核查" in note for note in series.notes)


@pytest.mark.parametrize("flag", ["1", "2"])
def test_baostock_adjusted_closes_are_not_taken_for_those_traded(flag: str, truth: pd.DataFrame, tmp_path: Path) -> None:
    written(tmp_path / "p.csv", vendor_table("baostock", truth).assign(adjustflag=flag))
    series = fetched(tmp_path, prices="p.csv", format="baostock")
    assert series.frame["close"].isna().all()
    assert series.frame["adj_close"].tolist() == truth["close"].tolist()
    assert any("adjusted, not as traded" in note for note in series.notes)


def test_baostock_rows_of_mixed_adjustment_are_refused(truth: pd.DataFrame, tmp_path: Path) -> None:
    table = vendor_table("baostock", truth)
    table.loc[5, "adjustflag"] = 2
    written(tmp_path / "p.csv", table)
    with pytest.raises(DataError, match="adjustflag is '2' and '3'"):
        fetched(tmp_path, prices="p.csv", format="baostock")


def test_adjustment_factor_merged_into_a_tushare_export(truth: pd.DataFrame, tmp_path: Path) -> None:
    written(tmp_path / "p.csv", vendor_table("tushare", truth).assign(adj_factor=2.5))
    frame = fetched(tmp_path, prices="p.csv", format="tushare").frame
    assert frame["adj_close"].tolist() == (frame["close"] * 2.5).tolist()


def test_reference_price_over_a_hole_is_no_corporate_action(truth: pd.DataFrame, tmp_path: Path) -> None:
    table = vendor_table("baostock", truth)
    table = table[table["date"] != "2019-10-15"]  # the vendor lost a session; its price moved in it
    written(tmp_path / "p.csv", table)
    series = fetched(tmp_path, prices="p.csv", format="baostock")
    assert series.frame.at["2019-10-16", "split"] == 1
    assert any("2019-10-16" in note and "close to close" in note for note in series.notes)


def test_own_columns_long_with_status(truth: pd.DataFrame, tmp_path: Path) -> None:
    table = long(truth).assign(status=["suspended" if day in SUSPENDED else "traded" for day in long(truth)["date"]])
    written(tmp_path / "p.csv", table)
    frame = fetched(tmp_path, prices="p.csv").frame
    assert frame.index[frame["status"] == "suspended"].strftime("%Y-%m-%d").tolist() == SUSPENDED
    written(tmp_path / "p.csv", table.assign(status="closed"))
    with pytest.raises(DataError, match=r"status 'closed' \(line 2\) is neither traded nor suspended"):
        fetched(tmp_path, prices="p.csv")


def test_filtered_parquet_as_pandas_saves_it(truth: pd.DataFrame, tmp_path: Path) -> None:
    """Its unnamed index holds the row numbers that are left."""
    table = truth[["close"]].rename_axis("date").reset_index().assign(symbol="002415.SZ")
    more = pd.concat([table.assign(symbol="000063.SZ"), table], ignore_index=True)
    more[more["symbol"] == "002415.SZ"].to_parquet(tmp_path / "p.parquet")
    assert fetched(tmp_path, prices="p.parquet").frame["close"].equals(truth["close"].rename_axis("date"))
    wide = table.rename(columns={"date": "Date", "close": "002415.SZ"})[["Date", "002415.SZ"]]
    wide[wide["Date"] >= "2019-01-01"].to_parquet(tmp_path / "p.parquet")
    assert fetched(tmp_path, prices="p.parquet").frame["close"].equals(truth["close"].rename_axis("date")["2019":])
    table.set_index(pd.Index(table["date"], name="date")).to_parquet(tmp_path / "p.parquet")  # the dates twice
    assert fetched(tmp_path, prices="p.parquet").frame["close"].equals(truth["close"].rename_axis("date"))
    table.set_index(["date", "symbol"]).rename_axis([None, "symbol"]).to_parquet(tmp_path / "p.parquet")
    assert fetched(tmp_path, prices="p.parquet").frame["close"].equals(truth["close"].rename_axis("date"))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("code", ["002415.SZ", "002415", "sz.002415", "SZ002415"])
def test_wide_files_with_any_spelling_of_the_symbol(
    suffix: str, code: str, truth: pd.DataFrame, index: pd.DataFrame, tmp_path: Path
) -> None:
    wide = pd.DataFrame({code: truth["close"], "600000.SH": 11.5}, index=truth.index)
    level = pd.DataFrame({"CSI 300": index["close"]})
    if suffix == "csv":
        wide.to_csv(tmp_path / "p.csv")
        level.to_csv(tmp_path / "i.csv")
    else:
        wide.to_parquet(tmp_path / "p.parquet")
        level.to_parquet(tmp_path / "i.parquet")
    source = files(tmp_path, prices=f"p.{suffix}", benchmark=f"i.{suffix}")
    assert source.fetch("002415.SZ", *EVER, "share").frame["close"].tolist() == truth["close"].tolist()
    assert set(source.fetch("600000.SS", *EVER, "share").frame["close"]) == {11.5}
    assert source.fetch("000300.SS", *EVER, "index").frame["close"].tolist() == index["close"].tolist()


def test_wide_blank_is_no_value_and_a_symbol_twice_is_refused(truth: pd.DataFrame, tmp_path: Path) -> None:
    wide = pd.DataFrame({"002415.SZ": truth["close"].where(truth["volume"] > 0)}, index=truth.index)
    wide.to_csv(tmp_path / "p.csv")
    assert fetched(tmp_path, prices="p.csv").frame["close"].isna().sum() == 2
    wide.assign(**{"sz.002415": 1.0}).to_csv(tmp_path / "p.csv")
    with pytest.raises(DataError, match=r"columns 002415\.SZ and sz\.002415 are the same symbol"):
        fetched(tmp_path, prices="p.csv")


@pytest.mark.parametrize("dates", ["stamp", "text", "number", "date", "zoned", "index"])
def test_parquet_dates_of_every_type(dates: str, truth: pd.DataFrame, tmp_path: Path) -> None:
    table = long(truth)
    stamps = pd.Series(truth.index)
    table["date"] = {
        "stamp": stamps, "text": table["date"], "number": stamps.dt.strftime("%Y%m%d").astype(int), "date": stamps.dt.date,
        "zoned": stamps.dt.tz_localize("Asia/Shanghai"), "index": table["date"],
    }[dates]  # fmt: skip
    (table.set_index("date") if dates == "index" else table).to_parquet(tmp_path / "p.parquet")
    assert fetched(tmp_path, prices="p.parquet").frame["close"].equals(truth["close"].rename_axis("date"))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_wide_table_that_begins_without_a_date(suffix: str, tmp_path: Path) -> None:
    closes = pd.DataFrame({"AAA": [np.nan, 10.5, 10.25], "BBB": [7.0, 7.5, 7.25]})
    dated = closes.assign(date=pd.to_datetime([None, "2019-10-08", "2019-10-09"])).set_index("date")
    undated = r"no dates in the first column .* the columns are AAA, BBB"
    for table, told in ((closes, undated), (dated, "is not a date: write dates")):
        if suffix == "csv":
            table.reset_index(drop=table is closes).to_csv(tmp_path / "p.csv", index=False)
        else:
            table.to_parquet(tmp_path / "p.parquet")
        with pytest.raises(DataError, match=told):
            fetched(tmp_path, "BBB", prices=f"p.{suffix}")


def test_instants_of_another_zone_are_refused(truth: pd.DataFrame, tmp_path: Path) -> None:
    table = long(truth)
    table["date"] = pd.Series(truth.index).dt.tz_localize("Asia/Shanghai").dt.tz_convert("UTC")  # a day early
    table.to_parquet(tmp_path / "p.parquet")
    with pytest.raises(DataError, match="time zone"):
        fetched(tmp_path, prices="p.parquet")
    written(tmp_path / "p.csv", table)
    with pytest.raises(DataError, match="without a time zone"):
        fetched(tmp_path, prices="p.csv")


def test_level_table_of_ones_own_beside_a_vendors_prices(truth: pd.DataFrame, index: pd.DataFrame, tmp_path: Path) -> None:
    written(tmp_path / "p.csv", vendor_table("wind", truth))
    pd.DataFrame({"000300.SH": index["close"], "399001.SZ": 1.0}, index=index.index).to_csv(tmp_path / "i.csv")
    series = fetched(tmp_path, "000300.SS", "index", prices="p.csv", benchmark="i.csv", format="wind")
    assert series.frame["close"].tolist() == index["close"].tolist()


def test_misspelt_column_is_pointed_out(truth: pd.DataFrame, tmp_path: Path) -> None:
    written(tmp_path / "p.csv", long(truth).rename(columns={"volume": "volumn"}).assign(comment=""))
    assert fetched(tmp_path, prices="p.csv").notes == ("column 'volumn' was not read: if it is volume, rename or map it",)


def test_column_map_decimal_commas_dates_and_lots(truth: pd.DataFrame, index: pd.DataFrame, tmp_path: Path) -> None:
    table = pd.DataFrame({"Datum": truth.index.strftime("%d.%m.%Y"), "Wertpapier": "002415.SZ",
                          "Schlusskurs": truth["close"].array,
                          "Umsatz (Lots)": truth["volume"].array / 100})  # fmt: skip
    written(tmp_path / "p.csv", table, "cp1252", sep=";", decimal=",")
    level = pd.DataFrame({"Datum": index.index.strftime("%d.%m.%Y"), "Schlusskurs": index["close"].array})
    written(tmp_path / "i.csv", level, sep=";", decimal=",")
    keys: dict[str, Any] = {
        "columns": {"date": "Datum", "symbol": "Wertpapier", "close": "Schlusskurs", "volume": "Umsatz (Lots)"},
        "decimal": ",", "date_format": "%d.%m.%Y", "volume_unit": "lots", "prices": "p.csv", "benchmark": "i.csv",
    }  # fmt: skip
    source = files(tmp_path, **keys)
    series = source.fetch("002415.SZ", *EVER, "share")
    assert series.frame["close"].tolist() == truth["close"].tolist()
    assert series.frame["volume"].tolist() == truth["volume"].tolist()
    assert source.fetch("000300.SS", *EVER, "index").frame["close"].tolist() == index["close"].tolist()
    keys["columns"] = keys["columns"] | {"close": "Schluskurs"}
    with pytest.raises(ConfigError, match=r"close = 'Schluskurs': .*perhaps you meant 'Schlusskurs'"):
        fetched(tmp_path, **keys)


def test_points_that_group_thousands_are_not_decimal(truth: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("date;symbol;close\n2019-10-08;X;1.234\n2019-10-09;X;31,5\n")
    with pytest.raises(DataError, match="is not a number"):
        fetched(tmp_path, "X", prices="p.csv", decimal=",")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gbk", "gb18030", "big5"])
def test_encodings(encoding: str, truth: pd.DataFrame, tmp_path: Path) -> None:
    table = long(truth).assign(名字="科大訊飛" if encoding == "big5" else "科大讯飞")
    text = table.to_csv(index=False)
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    (tmp_path / "p.csv").write_bytes(mark + text.encode(encoding))
    named = {"encoding": "big5"} if encoding == "big5" else {}
    series = fetched(tmp_path, prices="p.csv", **named)
    assert series.frame["close"].tolist() == truth["close"].tolist()
    said = [note for note in series.notes if "not UTF-8" in note]
    assert bool(said) == (not encoding.startswith("utf-8"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(separator: str, end: str, truth: pd.DataFrame, tmp_path: Path) -> None:
    written(tmp_path / "p.csv", long(truth), sep=separator, lineterminator=end)
    assert fetched(tmp_path, prices="p.csv").frame["close"].tolist() == truth["close"].tolist()


def test_packed_file(truth: pd.DataFrame, tmp_path: Path) -> None:
    long(truth).to_csv(tmp_path / "p.csv.gz", index=False)
    assert fetched(tmp_path, prices="p.csv.gz").frame["close"].tolist() == truth["close"].tolist()
    (tmp_path / "p.csv.gz").write_bytes((tmp_path / "p.csv.gz").read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        fetched(tmp_path, prices="p.csv.gz")


UNENDED = "the file's last line has no line end: if it was cut, its last figure is wrong:"


def test_last_line_without_an_end_is_read_and_doubted(truth: pd.DataFrame, tmp_path: Path) -> None:
    text = long(truth).to_csv(index=False)
    (tmp_path / "whole.csv").write_text(text)
    (tmp_path / "unended.csv").write_text(text.rstrip("\n"))
    whole, unended = (fetched(tmp_path, prices=name) for name in ("whole.csv", "unended.csv"))
    assert unended.content_hash == whole.content_hash
    date, volume = text.split()[-1].split(",")[0], text.split()[-1].split(",")[-1]
    assert whole.doubts == ()
    assert unended.doubts == (("unended_line", f"{UNENDED} {date} 002415.SZ volume {volume}"),)


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("date,symbol,close\n20191008,X,1\n20191009,X,32.1", {"X": "2019-10-09 X close 32.1", "Y": None}),
        ("date,close,symbol\n2019-10-08,1,X\n2019-10-09,1,Y", {"X": "symbol Y", "Y": "2019-10-09 Y symbol Y"}),
        ("date,symbol,close,volume\n2019-10-08,X,1,", {"X": "2019-10-08 X volume blank"}),
        ("date,symbol,close,name\n2019-10-08,X,1,Firm", {"X": None}),  # no figure that is read can have been cut
        ("date,symbol,close\n2019-10-08,X,1\r", {"X": None}),
        ("date,X,Y\n2019-10-08,1,2\n2019-10-09,1,2", {"X": None, "Y": "2019-10-09 Y close 2"}),
    ],
)  # fmt: skip
def test_figure_in_doubt_is_named(text: str, doubts: dict[str, str | None], tmp_path: Path) -> None:
    if "Y" in doubts and ",Y" not in text:
        text = text.replace("close\n", "close\n20191008,Y,1\n")
    (tmp_path / "p.csv").write_text(text, newline="")
    source = files(tmp_path, prices="p.csv")
    for symbol, told in doubts.items():
        found = source.fetch(symbol, *EVER, "share").doubts
        assert found == (() if told is None else (("unended_line", f"{UNENDED} {told}"),))


def test_benchmark_file_without_a_last_line_end_is_doubted(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("date,symbol,close\n2019-10-08,X,1\n")
    for content in ("date,close\n2019-10-08,3837.68", "Date,CSI 300\n2019-10-08,3837.68"):
        (tmp_path / "b.csv").write_text(content)
        series = files(tmp_path, prices="p.csv", benchmark="b.csv").fetch("000300.SS", *EVER, "index")
        assert series.doubts == (("unended_line", f"{UNENDED} 2019-10-08 000300.SS close 3837.68"),)


def test_each_file_is_read_once(truth: pd.DataFrame, tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", long(truth))
    source = files(tmp_path, prices="p.csv")
    first = source.fetch("002415.SZ", *EVER, "share")
    path.unlink()
    assert source.fetch("002415.SZ", *EVER, "share").content_hash == first.content_hash


REFUSED: list[tuple[str, str | bytes, dict[str, Any], type[EventStudyError], str]] = [
    ("ragged", "date,symbol,close\n2019-10-08,X,1\n2019-10-09,X,1,5\n", {}, DataError, r"p\.csv, line 3: 4 fields .* has 3"),
    ("short line", "date,symbol,close\n2019-10-08\n2019-10-09,X,1\n", {}, DataError, r"line 2: 1 fields where"),
    ("cut", "date,symbol,close\n2019-10-08,X,1\n2019-10-", {}, DataError, r"line 3: 1 fields .* may be cut short"),
    ("quote", 'date,symbol,close\n2019-10-08,"X,1\n', {}, DataError, r"line 2: a quotation mark is missing"),
    ("no symbol", "date,code,close\n2019-10-08,X,1\n", {}, DataError, r"no column 'symbol'.*date, code, close"),
    ("no close", "date,symbol,price\n2019-10-08,X,1\n", {}, DataError, r"no column 'close'"),
    ("not csmar", "date,symbol,close\n2019-10-08,X,1\n", {"format": "csmar"}, DataError, r"no column 'Trddt' \(date\)"),
    ("twice", "date,symbol,close,close\n2019-10-08,X,1,1\n", {}, DataError, r"two columns are called 'close'"),
    ("blank symbol", "date,symbol,close\n2019-10-08,,1\n", {}, DataError, r"line 2: the symbol is blank"),
    ("date", "date,symbol,close\n08.10.2019,X,1\n", {}, DataError, r"'08\.10\.2019' \(line 2\) is not a date: write"),
    ("month", "date,symbol,close\n2019-10,X,1\n", {}, DataError, r"'2019-10' \(line 2\) is not a date"),
    ("no day", "date,symbol,close\n20191032,X,1\n", {}, DataError, r"'20191032' \(line 2\) is not a date"),
    ("text", "date,symbol,close\n2019-10-08,X,n/a\n", {}, DataError, r"close 'n/a' on 2019-10-08 \(line 2\) is not a number"),
    ("comma", 'date,symbol,close\n2019-10-08,X,"1,5"\n', {}, DataError, r"close '1,5' on 2019-10-08 \(line 2\) is not a number"),
    ("zero", "date,symbol,close\n2019-10-08,X,0\n", {}, DataError, r"close 0 on 2019-10-08 \(line 2\) is not a price"),
    ("huge", "date,symbol,close\n2019-10-08,X,1e300\n", {}, DataError, r"close 1e\+300 .* is not a price"),
    ("infinite", "date,symbol,close\n2019-10-08,X,1e999\n", {}, DataError, r"close inf .* is not a price"),
    ("volume", "date,symbol,close,volume\n2019-10-08,X,1,-5\n", {}, DataError, r"volume -5 .* is not a number of shares"),
    ("clash", "date,symbol,close\n2019-10-08,X,1\n2019-10-08,X,2\n", {}, DataError, r"two rows of 2019-10-08 disagree"),
    ("no header", "2019-10-08,000001,1,5\n2019-10-09,000001,2,5\n", {}, DataError, "the first line is no header"),
    ("empty", "", {}, DataError, "the file is empty"),
    ("header only", "date,symbol,close\n", {}, DataError, r"p\.csv: the file has a header, but no rows: export it again"),
    ("wrong columns", "a,b,c\nX,2019-10-08,1\n", {}, DataError, r"no column 'date', 'symbol', 'close', and no .* are a, b, c;"),
    ("nul", "date,symbol,close\n2019-10-08,X,1\x00\n", {}, DataError, "NUL bytes"),
    ("workbook", b"PK\x03\x04rest", {}, DataError, "Excel workbook"),
    ("binary", b"\xff\x00\xfe\x81\x00", {}, DataError, "neither UTF-8, UTF-16 nor GB18030"),
    ("broken mark", b"\xff\xfea\x00b", {}, DataError, "not UTF-16 text throughout"),
    ("other code", "date,symbol,close\n2019-10-08,X,1\n", {"encoding": "utf-9"}, ConfigError, "'utf-9' is no encoding"),
    ("no text", "date,symbol,close\n2019-10-08,X,1\n", {"encoding": "base64"}, ConfigError, "is no encoding"),
    ("other text", "é".encode("latin-1") + b",symbol,close\n", {"encoding": "ascii"}, DataError, "not ASCII text throughout"),
    ("unknown", "date,symbol,close\n2019-10-08,Y,1\n", {}, UnknownSymbolError, r"no rows of X: check the spelling, .* Y"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "keys", "error", "sentence"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused_with_one_sentence(
    text: str | bytes, keys: dict[str, Any], error: type[EventStudyError], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(error, match=sentence) as caught:
        fetched(tmp_path, "X", prices="p.csv", **keys)
    assert "\n" not in str(caught.value)


def test_many_symbols_that_fail_alike_are_named_a_few() -> None:
    failed = {f"S{number:02d}": DataError(f"p.csv, S{number:02d}: no date") for number in range(40)}
    failed |= {"X": DataError("the disk is full"), "Y": DataError("the disk is full")}
    with pytest.raises(DataError) as told:
        Fetched({}, {}, (), failed).complete()
    assert str(told.value) == (
        "p.csv, S00: no date (and so for S01, S02, S03, S04, S05 and 34 more); the disk is full"
    )


@pytest.mark.parametrize("mark", [",", ";", "|", "\t", "^"])
@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "SEP={};"])
def test_line_that_names_the_separator_to_excel(mark: str, line: str, tmp_path: Path) -> None:
    text = f"{line.format(mark)}\r\ndate,symbol,close\r\n2019-10-08,X,1.5\r\n2019-10-09,X,half\r\n".replace(",", mark)
    (tmp_path / "p.csv").write_bytes(text.encode("utf-8-sig"))
    with pytest.raises(DataError, match=r"close 'half' on 2019-10-09 \(line 4\) is not a number"):
        fetched(tmp_path, "X", prices="p.csv")
    (tmp_path / "p.csv").write_text(text.replace("half", "2.5"), encoding="utf-8")
    assert fetched(tmp_path, "X", prices="p.csv").frame["close"].tolist() == [1.5, 2.5]


def test_parquet_that_is_none_and_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_text("date,symbol,close\n")
    with pytest.raises(DataError, match="not Parquet"):
        fetched(tmp_path, prices="p.parquet")
    with pytest.raises(DataError, match=r"none\.csv: the file cannot be read \(No such file"):
        fetched(tmp_path, prices="none.csv")
    pd.DataFrame({"date": ["2019-10-08"], "symbol": "X", "close": [True]}).to_parquet(tmp_path / "p.parquet")
    with pytest.raises(DataError, match="column close holds bool, not numbers"):
        fetched(tmp_path, "X", prices="p.parquet")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"format": "csmr"}, "format = 'csmr'"),
        ({"columns": {"clse": "x"}}, "unknown key 'clse' in .*perhaps you meant 'close'"),
        ({"date_format": "%Q"}, "date_format = '%Q' is not one"),
        ({"date_format": "%d.%m."}, "has no year"),
        ({"decimal": ";"}, "decimal"),
    ],
)
def test_config_keys_are_checked(keys: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=sentence):
        files(tmp_path, prices="p.csv", **keys)


def test_symbols() -> None:
    rules = {
        "600000.SH": "600000.SS", "sh600000": "600000.SS", "900901": "900901.SS", "000001": "000001.SZ", "200011": "200011.SZ",
        "300188": "300188.SZ", "430047": "430047.BJ", "920001": "920001.BJ", "0700.HK": "0700.HK", "AAPL": "AAPL", "2415": "2415",
        '="002415"': "002415.SZ", "'002415": "002415.SZ", "005930.KS": "005930.KS", "000001.XSHE": "000001.SZ",
        "510300": "510300",
    }  # fmt: skip
    assert {text: market_symbol(text) for text in rules} == rules
    assert market_symbol("1.0", padded=True) == "000001.SZ"
    assert spelt("AAPL", "baostock") == "AAPL"


def test_events_file_keeps_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("event_id,symbol,session\nban,002415.SZ,2019-10-08")
    assert raw_table(tmp_path / "events.csv").frame["symbol"].tolist() == ["002415.SZ"]


def flagged(status: list[str | None], close: list[float | None], volume: float | None, kind: Any = "share") -> list[str]:
    days = ["2019-10-10", "2019-10-11", "2019-10-14", "2019-10-15"]
    raw = pd.DataFrame({"date": days, "close": close, "volume": volume, "status": status})
    frame, _ = price_frame(raw, "test")
    found, notes = trading_status(PriceSeries("X", frame, "test", kind), exchange_sessions("XSHG", pd.Timestamp(days[0]).date()))
    assert not notes
    return list(found[:4])


def test_flag_goes_before_what_volume_suggests() -> None:
    same: list[float | None] = [1.0, 1.0, 1.0, 2.0]
    assert flagged(["traded"] * 4, same, 0) == ["traded"] * 4
    assert flagged(["traded"] * 4, same, None) == ["traded"] * 4
    assert flagged(["traded", "suspended", "suspended", "traded"], same, 5e6) == ["traded", "suspended", "suspended", "traded"]
    told = flagged(["suspended", "traded", "traded", "traded"], [None, 1.0, None, 2.0], 5.0)
    assert told == ["suspended", "traded", "missing", "traded"]


def test_flags_change_the_hash_only_where_there_are_any(truth: pd.DataFrame) -> None:
    plain = PriceSeries("X", truth.drop(columns="status"), "test")
    blank = PriceSeries("X", truth.assign(status=pd.Series(np.nan, index=truth.index, dtype="str")), "test")
    told = PriceSeries("X", truth.assign(status="traded"), "test")
    assert plain.content_hash == blank.content_hash != told.content_hash


def test_the_hash_is_over_dates_closes_volumes_actions_and_flags() -> None:
    dates = pd.DatetimeIndex(["2019-10-08", "2019-10-09"], name="date")
    frame = pd.DataFrame({"close": [10.1, np.nan], "volume": [200, 0], "dividend": [0.0, 0.5], "split": 1.0}, index=dates)
    words = "share\nmissing\n2019-10-09,suspended\n2"  # the last: how many rows
    numbers = [10.1, float("nan"), 200.0, 0.0, 0.0, 0.5, 1.0, 1.0]  # closes, volumes, dividends, splits
    content = words.encode() + struct.pack("<2q", 18177, 18178) + struct.pack("<8d", *numbers)  # days since 1970-01-01
    told = PriceSeries("X", frame.assign(adj_close=np.nan, status=[None, "suspended"]), "test")
    assert told.content_hash == hashlib.sha256(content).hexdigest()
    unlike = np.frombuffer(struct.pack("<2Q", 0xFFF8000000000001, 0x8000000000000000))  # another NaN, and a zero below zero
    again = frame.assign(close=[10.1, unlike[0]], dividend=[unlike[1], 0.5], adj_close=np.nan, status=[None, "suspended"])
    assert PriceSeries("X", again, "test").content_hash == told.content_hash
