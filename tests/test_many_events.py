"""Studies of many events from files: read in columns what is read row by row, held together what is made share by share."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy import eventtable
from eventstudy.errors import ConfigError, DataError
from eventstudy.eventtable import EventTable, events_from_table, symbols_of
from eventstudy.rerun import Options, run_config
from eventstudy.runs import all_runs
from eventstudy.sources.files import FileSource
from eventstudy.sources.reading import _table_of
from eventstudy.sources.wide import WideSeries, slim, widened
from eventstudy.store import Store, _fingerprint
from eventstudy.tables import COLUMNS

FIRST, LAST = pd.Timestamp("2015-01-05"), pd.Timestamp("2016-12-30")

CONFIG = """
[study]
name = "many"
events = "events.csv"

[market]
calendar = "benchmark"
benchmark = "market"

[data]
source = "files"
store = "store"

[data.files]
prices = "prices.parquet"
benchmark = "benchmark.csv"
shape = "wide"

[windows]
estimation = [-120, -21]
event = [-3, 3]
car = [[0, 2]]
min_observations = 70

[model]
name = "market"
returns = "log"

[inference]
tests = ["cross_sectional_t"]

[output]
format = "parquet"
"""


def made_table(count: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    days = pd.bdate_range("2015-09-01", "2016-09-01").strftime("%Y-%m-%d")
    table = pd.DataFrame({"event_id": [f" e{number} " for number in range(count)]})
    table["symbol"] = rng.choice(["AA", "BB ", "CC"], count)
    table["session"] = rng.choice(days, count)
    table["group"], table["label"] = rng.choice(np.array(["a", "", None], dtype=object), count), "what happened"
    return table.assign(timezone="", announced_at=None)


def columns_of(table: pd.DataFrame) -> EventTable:
    found = events_from_table(table, "events.csv", "last")
    assert isinstance(found, EventTable)
    return found


TABLES = {
    "text": lambda table: table,
    "dates": lambda table: table.assign(session=pd.to_datetime(table["session"])),
    "instants at midnight": lambda table: table.assign(session=pd.to_datetime(table["session"]).dt.tz_localize("Asia/Shanghai")),
    "without dashes": lambda table: table.assign(session=table["session"].str.replace("-", "")),
    "objects": lambda table: table.astype("object"),
    "whole numbers": lambda table: table.assign(event_id=np.arange(len(table)), symbol=600_000),
}


@pytest.mark.parametrize("kind", TABLES)
def test_events_in_columns_are_those_read_row_by_row(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = TABLES[kind](made_table())
    found = columns_of(table)
    monkeypatch.setattr(eventtable, "MANY_EVENTS", 10**9)
    expected = events_from_table(table, "events.csv", "last")
    assert isinstance(expected, tuple)
    assert list(found) == list(expected)
    assert [event.where for event in found[3:9:2]] == [event.where for event in expected[3:9:2]]
    assert found[-1] == expected[-1]
    assert symbols_of(found) == symbols_of(expected)
    with pytest.raises(IndexError):
        _ = found[600]


BAD_CELLS = [
    ("event_id", "", "row 8: event_id and symbol must both be filled"),
    ("symbol", None, "row 8: event_id and symbol must both be filled"),
    ("session", "2015-13-01", "row 8: '2015-13-01' is not a date"),
    ("session", "", "row 8: fill exactly one of announced_at, announced_on and session (found none)"),
    ("announced_at", "2016-01-04T10:00:00Z", "row 8: fill exactly one of announced_at, announced_on and session"),
]


@pytest.mark.parametrize(("column", "value", "message"), BAD_CELLS)
def test_a_bad_cell_among_many_is_told_with_its_row(column: str, value: object, message: str) -> None:
    table = made_table().astype("object")
    table.loc[7, column] = value
    with pytest.raises(ConfigError) as told:
        events_from_table(table, "events.csv")
    assert message in str(told.value)


def test_events_dated_otherwise_or_of_fractional_names_are_read_row_by_row() -> None:
    table = made_table()
    one_by_one = [
        table.rename(columns={"session": "announced_on"}).assign(timezone="Asia/Shanghai"),
        table.assign(date_only=["both", *[""] * 599]),
        table.assign(symbol=600_000.0),
    ]
    assert [type(events_from_table(one, "events.csv")) for one in one_by_one] == [tuple, tuple, tuple]
    assert symbols_of(events_from_table(one_by_one[2], "events.csv")) == ["600000"]


def made_files(folder: Path, events: int = 2_100, shares: int = 12) -> Path:
    """Write a study of more events than are ever run one by one."""
    rng = np.random.default_rng(3)
    dates = pd.bdate_range(FIRST, LAST, name="date")
    market = rng.normal(0, 0.01, len(dates))
    closes = 20 * np.exp(np.cumsum(market[:, None] + rng.normal(0, 0.02, (len(dates), shares)), axis=0))
    prices = pd.DataFrame(closes, dates, [f"S{number:02d}" for number in range(shares)]).mask(rng.random(closes.shape) < 0.02)
    prices.iloc[100:104, 0], prices.iloc[200, 1] = prices.iloc[99, 0], prices.iloc[199, 1]  # carried closes are doubted
    prices.to_parquet(folder / "prices.parquet")
    pd.DataFrame({"date": dates, "market": 100 * np.exp(np.cumsum(market))}).to_csv(folder / "benchmark.csv", index=False)
    places = rng.choice(shares * 300, events, replace=False)
    table = pd.DataFrame({"event_id": [f"e{number:04d}" for number in range(events)], "symbol": prices.columns[places // 300]})
    table["session"] = dates[150 + places % 300].strftime("%Y-%m-%d")
    table.loc[5, "symbol"], table.loc[6, "session"] = "NONE", "2016-01-02"
    table.to_csv(folder / "events.csv", index=False)
    config = folder / "study.toml"
    config.write_text(CONFIG, encoding="utf-8")
    return config


def test_a_study_of_thousands_of_events_is_written_listed_and_repeated_to_the_byte(tmp_path: Path) -> None:
    options = Options(tmp_path / "reports", now=dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    done = run_config(made_files(tmp_path), options)
    assert (done.state, done.excluded) == ("written", 2)
    (manifest,) = all_runs(options.out)
    assert (manifest["events"], manifest["excluded"], len(manifest["series"])) == (2_100, 2, 13)
    cars = pd.read_parquet(manifest["folder"] / "tables" / "cars.parquet")
    values = np.expm1(cars["car"].dropna())
    assert done.headline == f"{len(values)} CARs over [0, 2], {min(values):+.1%} to {max(values):+.1%}, on average " + (
        f"{np.expm1(cars['car'].mean()):+.1%}"
    )
    assert manifest["told"] == done.headline
    sessions = pd.read_parquet(manifest["folder"] / "tables" / "events.parquet")["event_session"]
    assert manifest["sessions"] == [min(sessions[sessions != ""]), max(sessions)]
    assert run_config(tmp_path / "study.toml", options).state == "unchanged"
    again = Options(options.out, as_of=manifest["run_id"], now=options.now)
    assert run_config(manifest["folder"] / "config.toml", again).state == "repeated"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_many_events_that_all_lie_ahead_are_written_down(kind: str, tmp_path: Path) -> None:
    config = made_files(tmp_path, events=600)
    config.write_text(CONFIG.replace('format = "parquet"', f'format = "{kind}"'), encoding="utf-8")
    table = pd.read_csv(tmp_path / "events.csv").drop(index=[5, 6])
    table["session"] = (LAST + pd.offsets.BDay(1) * 5).strftime("%Y-%m-%d")
    table.to_csv(tmp_path / "events.csv", index=False)
    options = Options(tmp_path / "reports", now=dt.datetime(2017, 1, 2, tzinfo=dt.UTC))
    assert run_config(config, options).state == "written"
    (manifest,) = all_runs(options.out)
    found = manifest["folder"] / "tables" / f"abnormal_returns.{kind}"
    rows = pd.read_csv(found) if kind == "csv" else pd.read_parquet(found)
    assert (list(rows.columns), len(rows)) == (COLUMNS["abnormal_returns"], 0)


def test_shares_held_together_are_those_fetched_one_by_one(tmp_path: Path) -> None:
    made_files(tmp_path, events=10)
    source = FileSource(tmp_path / "prices.parquet", tmp_path / "benchmark.csv")
    symbols = [f"S{number:02d}" for number in (3, 0, 7, 99)]
    found = source.wide(symbols)
    assert found is not None
    assert list(found) == ["S03", "S00", "S07"]
    fetched = {symbol: source.fetch(symbol, FIRST, LAST, "share") for symbol in found}
    again = widened({symbol: slim(series) for symbol, series in fetched.items()}, symbols)
    assert isinstance(again, WideSeries)
    for symbol, expected in fetched.items():
        for series in (found[symbol], again[symbol], slim(expected)):
            pd.testing.assert_frame_equal(series.frame, expected.frame)
            assert (series.source, series.kind, series.absent) == (expected.source, expected.kind, expected.absent)
            assert (series.content_hash, _fingerprint(series)) == (expected.content_hash, _fingerprint(expected))
        assert found.hash_of(symbol) == again.hash_of(symbol) == expected.content_hash


@pytest.mark.parametrize("change", ["volume", "notes", "dates", "blank"])
def test_series_that_say_more_than_closes_are_left_as_they_are(change: str, tmp_path: Path) -> None:
    made_files(tmp_path, events=10)
    source = FileSource(tmp_path / "prices.parquet")
    series = {symbol: source.fetch(symbol, FIRST, LAST, "share") for symbol in ("S00", "S01")}
    one = series["S01"]
    frames = {
        "volume": one.frame.assign(volume=100.0), "dates": one.frame.iloc[1:], "blank": one.frame.assign(close=np.nan),
    }  # fmt: skip
    series["S01"] = replace(one, notes=("read as GB18030 text",)) if change == "notes" else replace(one, frame=frames[change])
    assert widened(series, list(series)) is series


def wide_table(columns: int = 450, rows: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    dates = pd.bdate_range("2020-01-01", periods=rows, name="date")
    names = [f"S{number}" for number in range(columns)]
    return pd.DataFrame(rng.uniform(1, 9, (rows, columns)), dates, names).mask(rng.random((rows, columns)) < 0.1)


SHAPES = {
    "by date": lambda table: table,
    "dates in a column": lambda table: table.reset_index(),
    "numbered": lambda table: table.reset_index(drop=True),
    "other columns": lambda table: table.assign(text=["a", None] * 15, count=range(30))[["text", *table, "count"]],
    "whole numbers as names": lambda table: table.set_axis(range(600_000, 600_450), axis=1).astype({600_003: "float32"}),
    "two levels": lambda table: table.assign(a="x", b=range(30)).set_index(["a", "b"]),
    "by a number": lambda table: table.set_index("S0"),
    "no rows": lambda table: table.iloc[:0],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_parquet_of_many_columns_is_read_in_pieces_as_it_is_at_once(shape: str, tmp_path: Path) -> None:
    SHAPES[shape](wide_table()).to_parquet(tmp_path / "wide.parquet")
    expected = pd.read_parquet(tmp_path / "wide.parquet").rename(columns=str)
    pd.testing.assert_frame_equal(_table_of(tmp_path / "wide.parquet"), expected)


def test_a_wide_table_is_kept_once_and_read_back_as_it_was(tmp_path: Path) -> None:
    store, closes = Store(tmp_path), wide_table()
    name = store.keep_table("files", closes)
    (path,) = tmp_path.rglob("*.parquet")
    written = path.stat().st_mtime_ns
    assert store.keep_table("files", closes.copy()) == name
    assert path.stat().st_mtime_ns == written
    pd.testing.assert_frame_equal(store.table("files", name), closes, check_index_type=False, check_freq=False)
    moved = closes.copy()
    moved.iloc[3, 4] += 1e-12
    assert len({name, store.keep_table("files", moved), store.keep_table("files", closes.rename(columns={"S1": "S01"}))}) == 3


@pytest.mark.parametrize("damage", [b"", b"PAR1 and no more"])
def test_a_damaged_table_is_refused_and_kept_anew(damage: bytes, tmp_path: Path) -> None:
    store, closes = Store(tmp_path), wide_table(columns=20)
    name = store.keep_table("files", closes)
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(damage)
    with pytest.raises(DataError, match="cannot be read"):
        store.table("files", name)
    other = wide_table(columns=21)
    store.keep_table("files", other)
    path.write_bytes(path.with_name(f"{store.keep_table('files', other)}.parquet").read_bytes())
    with pytest.raises(DataError, match="changed after they were written"):
        store.table("files", name)
    assert store.keep_table("files", closes) == name
    assert store.table("files", name).shape == closes.shape


def test_a_run_whose_table_is_gone_says_so(tmp_path: Path) -> None:
    options = Options(tmp_path / "reports", now=dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    run_config(made_files(tmp_path, events=600), options)
    (manifest,) = all_runs(options.out)
    (table,) = (tmp_path / "store" / "files").glob("*tables/*.parquet")
    assert manifest["table"] == table.stem
    assert {entry["vintage"] for symbol, entry in manifest["series"].items() if symbol != "market"} == {table.stem}
    table.unlink()
    with pytest.raises(DataError, match="the run cannot be repeated"):
        run_config(manifest["folder"] / "config.toml", replace(options, as_of=manifest["run_id"]))


def test_a_run_after_one_event_less_tells_what_moved(tmp_path: Path) -> None:
    options = Options(tmp_path / "reports", now=dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    config = made_files(tmp_path, events=600)
    run_config(config, options)
    table = pd.read_csv(tmp_path / "events.csv", dtype=str)
    table.drop(index=40).to_csv(tmp_path / "events.csv", index=False)
    done = run_config(config, replace(options, now=options.now and options.now + dt.timedelta(days=1)))
    assert done.changes is not None
    key = f"{table['event_id'][40]}, {table['symbol'][40]}"
    assert [(change.kind, change.subject, change.new) for change in done.changes.of("events")] == [("events", key, "")]
    moved = {(change.subject, change.field) for change in done.changes.of("result")}
    assert moved == {
        *((f"cars: {key}, 0, 2", field) for field in ("car", "se_car", "p_value")),
        *(("tests: all, 0, 2, cross_sectional_t", field) for field in ("statistic", "p_value")),
    }
    assert {change.explained_by for change in done.changes.of("result")} == {"events"}
