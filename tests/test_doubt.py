"""What is to be doubted about prices: each check by a small planted example, and no alarm where there is nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w
from click.testing import Result

from eventstudy.calendar import exchange_sessions
from eventstudy.doubt import Doubt, series_doubts, source_doubts, spells
from eventstudy.run import run_study
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.frames import price_frame
from eventstudy.tables import data_table
from eventstudy.trading import list_shares

Cli = Callable[..., Result]
Rows = list[dict[str, str]]

SYMBOL = "002415.SZ"
CALENDAR = exchange_sessions("XSHG", pd.Timestamp("2019-01-01").date())
DAYS = CALENDAR.sessions[:40]  # 2 January to 5 March 2019; the exchange was closed 4 to 8 February
BENCHMARK = pd.Series(3000 + 10 * np.sin(np.arange(40)), DAYS)


def rows(closes: dict[int, float] | None = None, **cells: dict[int, float]) -> pd.DataFrame:
    """Forty quiet sessions that move up and down by a per cent, but for what is given by position."""
    table = pd.DataFrame({"date": DAYS, "close": np.where(np.arange(40) % 2, 20.2, 20.0), "volume": 100.0})
    for column, values in {"close": closes or {}, **cells}.items():
        if column not in table:
            table[column] = {"dividend": 0.0, "split": 1.0}.get(column, np.nan)
        for place, value in values.items():
            table.loc[place, column] = value
    return table


def series_of(table: pd.DataFrame, source: str = "vendor", **how: Any) -> PriceSeries:
    return PriceSeries(SYMBOL, price_frame(table, SYMBOL)[0], source, **how)


def doubts(
    table: pd.DataFrame, limit: float | None = 0.10, benchmark: pd.Series = BENCHMARK, **how: Any
) -> dict[str, Doubt]:
    """By code, of a share whose absent rows are missing ones unless `how` says otherwise."""
    series = series_of(table, **how)
    found = series_doubts(series, list_shares(series, benchmark, CALENDAR, limit=limit), limit)
    assert len({doubt.code for doubt in found}) == len(found)
    return {doubt.code: doubt for doubt in found}


def said(found: dict[str, Doubt]) -> dict[str, tuple[str, int, str]]:
    return {code: (doubt.severity, doubt.count, doubt.text) for code, doubt in found.items()}


def shifted(from_place: int, factor: float) -> dict[int, float]:
    """Closes multiplied by a factor from one session on."""
    return {place: (20.2 if place % 2 else 20.0) * factor for place in range(from_place, 40)}


def test_quiet_series_raises_no_doubt() -> None:
    assert doubts(rows()) == {}
    assert doubts(rows(), limit=None) == {}
    assert doubts(rows().drop(columns="volume")) == {}


def test_missing_sessions() -> None:
    found = said(doubts(rows().drop([10, 11, 30])))
    text = "3 sessions of the exchange have no row here: 2019-01-16 to 2019-01-17, 2019-02-20"
    assert found == {"missing": ("warning", 3, text)}


def test_absent_rows_of_a_source_that_leaves_suspensions_out() -> None:
    found = said(doubts(rows().drop([10, 11]), absent="suspended"))
    assert found == {"suspended": ("info", 2, "2 sessions suspended: 2019-01-16 to 2019-01-17")}


def test_rows_on_closed_days() -> None:
    closed = pd.DataFrame({"date": pd.to_datetime(["2019-02-05", "2019-03-02"]), "close": 20.1, "volume": 9.0})
    found = said(doubts(pd.concat([rows(), closed]).sort_values("date")))
    assert found == {"closed_day": ("warning", 2, "2 rows lie on days the exchange was closed: 2019-02-05, 2019-03-02")}


def test_flat_rows_without_volume_are_suspended() -> None:
    found = said(doubts(rows({10: 20.2, 11: 20.2, 12: 20.2}, volume={10: 0, 11: 0, 12: 0})))
    assert found == {"suspended": ("info", 3, "3 sessions suspended: 2019-01-16 to 2019-01-18")}


def test_moving_row_without_volume_is_not() -> None:
    assert doubts(rows(volume={10: 0})) == {}


def test_index_without_volume_is_never_suspended() -> None:
    assert doubts(rows({11: 20.0}, volume=dict.fromkeys(range(40), 0.0)), kind="index", limit=None) == {}


def test_single_unchanged_close_without_volume() -> None:
    found = said(doubts(rows({11: 20.0, 12: 20.1}).drop(columns="volume")))
    assert found == {"unknown_status": ("warning", 1, "1 single unchanged closes without volume: 2019-01-17")}


def test_limit_closes() -> None:
    up = dict.fromkeys(range(11, 40), 20.2) | {11: 22.0, 12: 19.8}  # 20.00 up 10% is 22.00, down 10% is 19.80
    found = said(doubts(rows(up)))
    assert found == {
        "limit_up": ("info", 1, "1 closes at the up limit: 2019-01-17"),
        "limit_down": ("info", 1, "1 closes at the down limit: 2019-01-18"),
    }
    assert set(doubts(rows(up), limit=None)) == set()


def test_one_price_day_with_volume_is_not_a_suspension() -> None:
    """A locked limit: ZTE in June 2018."""
    closes = {11: 18.0} | {place: 18.0 + 0.1 * (place % 2) for place in range(12, 40)}
    found = said(doubts(rows(closes, open={11: 18.0}, high={11: 18.0}, low={11: 18.0})))
    assert found == {
        "limit_down": ("info", 1, "1 closes at the down limit: 2019-01-17"),
        "one_price_day": ("info", 1, "1 sessions traded at one price: 2019-01-17"),
    }


def test_unchanged_one_price_day_with_volume_is_traded() -> None:
    found = said(doubts(rows({11: 20.0}, open={11: 20.0}, high={11: 20.0}, low={11: 20.0})))
    assert found == {"one_price_day": ("info", 1, "1 sessions traded at one price: 2019-01-17")}


def test_suspended_flat_row_is_no_one_price_day() -> None:
    found = doubts(rows({11: 20.0}, volume={11: 0}, open={11: 20.0}, high={11: 20.0}, low={11: 20.0}))
    assert set(found) == {"suspended"}


@pytest.mark.parametrize(
    ("factor", "limit", "text"),
    [
        (1.15, 0.10, "1 one-session returns beyond the price limit: 2019-01-16"),
        (0.85, 0.10, "1 one-session returns beyond the price limit: 2019-01-16"),
        (1.15, 0.20, ""),
        (1.15, None, ""),
        (1.38, None, "1 one-session returns beyond 30%: 2019-01-16"),
        (0.65, None, "1 one-session returns beyond 30%: 2019-01-16"),
    ],
)
def test_jump(factor: float, limit: float | None, text: str) -> None:
    found = said(doubts(rows(shifted(10, factor)), limit))
    assert found == ({"jump": ("warning", 1, text)} if text else {})


def test_jump_that_an_action_explains() -> None:
    assert doubts(rows(shifted(10, 0.7), split={10: 1 / 0.7})) == {}
    assert doubts(rows(shifted(10, 0.7), dividend={10: 6.0})) == {}


def test_move_over_a_gap_is_no_jump() -> None:
    assert set(doubts(rows(shifted(10, 1.15)).drop([9, 10]))) == {"missing"}


@pytest.mark.parametrize("ratio", [2.0, 10.0, 1.5, 0.5, 0.1])
def test_unadjusted_split(ratio: float) -> None:
    found = said(doubts(rows(shifted(10, 1 / ratio))))
    assert found.pop("jump")[:2] == ("warning", 1)
    assert found == {"unadjusted_split": ("warning", 1, "1 closes move like a split that is not recorded: 2019-01-16")}
    assert doubts(rows(shifted(10, 1 / ratio), split={10: ratio})) == {}


def test_split_recorded_but_closes_already_adjusted() -> None:
    found = doubts(rows(split={10: 2.0}))
    assert set(found) == {"jump"}  # a return of 100% that nothing but the record makes


def test_stale_tail() -> None:
    found = said(doubts(rows().iloc[:35]))
    assert found == {"stale_tail": ("warning", 5, "the rows end on 2019-02-26, 5 sessions before the benchmark's")}


def test_benchmark_holes() -> None:
    blank = BENCHMARK.copy()
    blank.iloc[20] = np.nan
    text = "its benchmark has no value on 2 sessions: 2019-01-09, 2019-01-30"
    assert said(doubts(rows(), benchmark=blank.drop(DAYS[5]))) == {"benchmark_missing": ("warning", 2, text)}


def test_adjusted_and_raw_disagree() -> None:
    adjusted = dict(enumerate(rows()["close"] * 0.5))
    assert doubts(rows(adj_close=adjusted)) == {}
    adjusted |= {place: value * 1.03 for place, value in adjusted.items() if place >= 20}
    found = said(doubts(rows(adj_close=adjusted, dividend={10: 0.002})))
    text = "1 adjusted closes disagree with closes and actions: 2019-01-30"
    assert found == {"adjusted_disagrees": ("warning", 1, text)}


def test_adjusted_closes_of_a_source_without_actions() -> None:
    """As CSMAR exports them: a dividend of 0.6 on 20 shows in the adjusted closes alone, and moves the reference price."""
    adjusted = {place: value * (1 if place < 20 else 20.2 / 19.6) for place, value in enumerate(rows()["close"])}
    found = said(doubts(rows(adj_close=adjusted)))
    text = "1 ex-dates by the adjusted closes, whose dividends and splits the source does not record: 2019-01-30"
    assert found == {"actions_unknown": ("info", 1, text)}
    limit = {20: 22.22}  # ten per cent above the close before, but not above the reference of 19.60
    adjusted[20] = 22.22 * 20.2 / 19.6
    assert "limit_up" not in doubts(rows(limit, adj_close=adjusted))
    assert "limit_up" in doubts(rows(limit))
    assert "limit_up" in doubts(rows(limit, adj_close=dict(enumerate(rows(limit)["close"] * 3))))


def test_adjusted_closes_that_take_a_dividend_off_agree() -> None:
    table = rows(dividend={20: 0.6})
    before = 1 - 0.6 / table["close"].iloc[19]
    adjusted = table["close"] * np.where(np.arange(40) < 20, before, 1.0)
    assert doubts(table.assign(adj_close=adjusted)) == {}


def test_two_sources_disagree() -> None:
    mine, other = rows({7: 20.9}).drop([30]), rows().drop([12, 13])
    found = source_doubts(series_of(mine, "yahoo"), series_of(other, "snapshot"), CALENDAR)
    assert [(doubt.severity, doubt.code, doubt.count, doubt.text) for doubt in found] == [
        ("warning", "source_disagrees", 1, "1 closes differ from snapshot's: 2019-01-11"),
        ("warning", "source_extra", 2, "2 rows that snapshot lacks: 2019-01-18 to 2019-01-21"),
        ("warning", "source_lacks", 1, "1 rows only snapshot has: 2019-02-20"),
    ]
    near = rows({place: close * (1 + 1e-5) for place, close in enumerate(rows()["close"])})
    assert source_doubts(series_of(near), series_of(rows()), CALENDAR) == []
    assert source_doubts(series_of(rows().iloc[5:30]), series_of(rows()), CALENDAR) == []


def against(mine: pd.DataFrame, other: pd.DataFrame, **how: Any) -> dict[str, tuple[str, int, str]]:
    found = source_doubts(series_of(mine, "yahoo"), series_of(other, "snapshot", **how), CALENDAR)
    return said({doubt.code: doubt for doubt in found})


def test_source_with_adjusted_closes_only_is_compared_by_returns() -> None:
    paid = rows(dividend={20: 0.6})
    factor = np.where(np.arange(40) < 20, 1 - 0.6 / paid["close"].iloc[19], 1.0)
    bare = rows().assign(adj_close=rows()["close"] * factor * 5, close=np.nan)
    info = {
        "source_adjusted": ("info", 1, "snapshot records adjusted closes only: returns are compared"),
        "source_no_actions": ("info", 1, "snapshot records no dividend or split in these rows"),
    }
    assert against(paid, bare) == info
    bare.loc[30:, "adj_close"] *= 1.02
    told = {"source_disagrees": ("warning", 1, "1 total returns differ from snapshot's: 2019-02-20")}
    assert against(paid, bare) == info | told


def test_sources_are_compared_by_suspensions_volumes_and_actions() -> None:
    flat = {12: 20.2, 13: 20.2, 14: 20.2}
    mine = rows(flat, volume={12: 0.0, 13: 0.0}, dividend={20: 0.6, 25: 0.1}, split={33: 1.0})
    other = rows(flat, volume={13: 0.0, 14: 0.0, 30: 102.0, 31: 100.5}, dividend={20: 0.6, 25: 0.3})
    assert against(mine, other) == {
        "source_suspended": ("warning", 1, "1 sessions suspended, but traded by snapshot's rows: 2019-01-18"),
        "source_traded": ("warning", 1, "1 sessions traded, but suspended by snapshot's rows: 2019-01-22"),
        "source_volumes": ("warning", 1, "1 volumes differ from snapshot's by more than 1%: 2019-02-20"),
        "source_actions": ("warning", 1, "1 dividends or splits differ from snapshot's: 2019-02-13"),
    }
    without = other.drop([13, 14])  # a source that leaves suspended sessions out says the same
    assert set(against(mine, without, absent="suspended")) == set(against(mine, other))
    as_split = rows(flat, volume={12: 0.0, 13: 0.0}, split={20: 20.2 / 19.6})  # a reference price in place of the cash
    cash = rows(flat | {19: 20.2, 20: 19.6}, volume={12: 0.0, 13: 0.0}, dividend={20: 0.6})
    as_split.loc[20, "close"] = 19.6
    assert against(cash, as_split) == {}


def test_spells() -> None:
    assert spells(DAYS[[0]], DAYS) == "2019-01-02"
    assert spells(DAYS[[21, 22, 23]], DAYS) == "2019-01-31 to 2019-02-11"  # over the holidays: neighbours
    assert spells(DAYS[::3], DAYS).endswith("and 8 more spells")
    assert spells(DAYS[:0], DAYS) == ""


# --- what is really there in the snapshot: read off its files with a pencil, so to speak

LIMITS = {
    "002230.SZ": (["2018-10-22"], ["2018-10-11", "2018-10-16", "2019-05-06"]),
    "002415.SZ": (["2018-11-02"], ["2018-10-08"]),
    "002236.SZ": (["2018-11-02", "2019-02-01", "2019-03-11"], ["2018-09-12", "2019-05-06"]),
    "300188.SZ": ([], []),
    "000977.SZ": (
        ["2019-03-04", "2019-03-06", "2019-04-24", "2019-08-19", "2019-09-20"],
        ["2018-10-11", "2018-10-15", "2019-04-29", "2019-05-06", "2019-07-18"],
    ),
    "002410.SZ": ([], ["2019-10-29"]),
    "600570.SS": (["2019-02-22", "2019-02-25", "2019-10-28"], ["2019-05-06"]),
    "000725.SZ": (["2019-02-12", "2019-02-13", "2019-02-25", "2019-07-01"], []),
    "000300.SS": ([], []),
    "399001.SZ": ([], []),
}
SUSPENDED = {"002415.SZ": 2, "002236.SZ": 2, "300188.SZ": 4}


def test_no_false_alarm_on_the_snapshot(entity: Any) -> None:
    inputs = entity.computation.inputs
    assert set(inputs.series) == set(LIMITS)
    for symbol, series in inputs.series.items():
        if series.kind == "index":
            continue
        found = {doubt.code: doubt for doubt in series_doubts(series, entity.computation.listings[symbol], 0.10)}
        ups, downs = LIMITS[symbol]
        assert [found.pop(code).count if code in found else 0 for code in ("limit_up", "limit_down")] == [len(ups), len(downs)]
        assert (found.pop("suspended").count if symbol in SUSPENDED else 0) == SUSPENDED.get(symbol, 0)
        assert found == {}, symbol
        limit = pd.Series(entity.computation.listings[symbol].limit, entity.computation.listings[symbol].calendar.sessions)
        assert [f"{day:%Y-%m-%d}" for day in limit.index[limit == "up"]] == ups
        assert [f"{day:%Y-%m-%d}" for day in limit.index[limit == "down"]] == downs
    assert set(data_table(entity.computation)["doubts"]) == {""}


def test_zte_ends_before_its_benchmark(root: Path) -> None:
    data = data_table(run_study(root / "configs" / "zte-denial-2018.toml").computation).set_index("symbol")["doubts"]
    sessions = exchange_sessions("XSHG", pd.Timestamp("2018-01-01").date()).sessions
    benchmark = pd.read_csv(root / "eventstudy" / "snapshot" / "000300.SS.csv")["date"].iloc[-1]
    later = len(sessions[(sessions > "2018-08-31") & (sessions <= benchmark)])
    assert data["000063.SZ"] == f"stale_tail {later}"
    assert data["000300.SS"] == ""


# --- where they show

@pytest.fixture
def doubtful(tmp_path: Path, root: Path) -> Callable[..., Path]:
    """The study on user files made from the snapshot, with one firm's rows changed."""
    content = tomllib.loads((root / "configs" / "entity-list-2019.toml").read_text(encoding="utf-8"))
    content |= {"event": content["event"][:1], "confounder": [], "mask": [], "leak": []}
    del content["robustness"]  # its benchmarks are in no file here
    content["windows"]["car"], content["inference"] = [[0, 3]], {"tests": ["cross_sectional_t"]}
    files = {"prices": "prices.csv", "benchmark": "benchmark.csv", "absent": "missing"}
    content["data"] = {"source": "files", "files": files}

    def write(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
        folder = root / "eventstudy" / "snapshot"
        firms = {symbol: pd.read_csv(folder / f"{symbol}.csv").assign(symbol=symbol) for symbol in content["event"][0]["firms"]}
        firms[SYMBOL] = change(firms[SYMBOL])
        pd.concat(firms.values()).to_csv(tmp_path / "prices.csv", index=False)
        (tmp_path / "benchmark.csv").write_bytes((folder / "000300.SS.csv").read_bytes())
        path = tmp_path / "doubtful.toml"
        path.write_text(tomli_w.dumps(content), encoding="utf-8")
        return path

    return write


def tables(out: Path) -> Path:
    return out / "entity-list-2019" / "latest" / "tables"


def test_doubts_show_in_check_data_notes_and_report(
    doubtful: Callable[..., Path], cli: Cli, out: Path, read_csv: Callable[[Path], Rows]
) -> None:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table[~table["date"].isin(["2019-03-05", "2019-03-06"])]
        table.loc[table["date"] == "2019-06-12", "close"] *= 1.5
        extra = pd.DataFrame({"date": ["2019-05-01"], "close": [31.0], "volume": [5.0], "symbol": [SYMBOL]})
        return pd.concat([table, extra])

    config = doubtful(change)
    done = cli("check", config)
    assert done.exit_code == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(f"  warning {SYMBOL}: ")]
    text = "\n".join(lines)
    for part in (
        "2 sessions of the exchange have no row here: 2019-03-05 to 2019-03-06",
        "2 one-session returns beyond the price limit: 2019-06-12 to 2019-06-13",
        "2019-05-01",
    ):
        assert text.count(part) == 1, text
    assert cli("run", config, "--out", out).exit_code == 0
    data = {row["symbol"]: row["doubts"] for row in read_csv(tables(out) / "data.csv")}
    assert set(data[SYMBOL].split("; ")) >= {"missing 2", "closed_day 1", "jump 2"}
    assert [symbol for symbol, told in data.items() if told] == [SYMBOL]
    notes = {row["code"] for row in read_csv(tables(out) / "notes.csv") if row["symbol"] == SYMBOL}
    assert notes >= {"missing", "closed_day", "jump"}
    report = (tables(out).parent / "report.html").read_text(encoding="utf-8")
    assert "2019-03-05" in report, "the report says nothing of the missing sessions"
    assert "2019-06-12" in report, "the report says nothing of the jump"


def test_doubts_about_the_benchmark_show_in_check_data_notes_and_report(
    doubtful: Callable[..., Path], cli: Cli, out: Path, read_csv: Callable[[Path], Rows]
) -> None:
    config = doubtful(lambda table: table)
    path = config.parent / "benchmark.csv"
    levels = pd.read_csv(path)
    levels = levels[~levels["date"].isin(["2019-03-05", "2019-03-06"])]
    closed = pd.DataFrame({"date": ["2019-05-01"], "close": [3900.0]})
    path.write_text(pd.concat([levels, closed]).sort_values("date").to_csv(index=False).rstrip("\n"))
    last = f"2019-11-15 000300.SS close {levels['close'].iloc[-1]:g}"
    told = {
        "missing": "2 sessions of the exchange have no row here: 2019-03-05 to 2019-03-06",
        "closed_day": "1 rows lie on days the exchange was closed: 2019-05-01",
        "unended_line": f"the file's last line has no line end: if it was cut, its last figure is wrong: {last}",
    }
    lines = cli("check", config).stdout.splitlines()
    assert [line for line in lines if line.startswith("  warning 000300.SS: ")] == [
        f"  warning 000300.SS: {sentence}" for sentence in told.values()
    ]
    assert cli("run", config, "--out", out).exit_code == 0
    data = {row["symbol"]: row["doubts"] for row in read_csv(tables(out) / "data.csv")}
    assert data["000300.SS"] == "missing 2; closed_day 1; unended_line 1"
    notes = {row["code"]: row["note"] for row in read_csv(tables(out) / "notes.csv") if row["symbol"] == "000300.SS"}
    assert notes == told
    report = (tables(out).parent / "report.html").read_text(encoding="utf-8")
    for sentence in told.values():
        assert sentence.removeprefix("the file's last line ") in report


def test_gap_on_the_event_session_ends_check_with_3_and_run_goes_on(
    doubtful: Callable[..., Path], cli: Cli, out: Path, read_csv: Callable[[Path], Rows]
) -> None:
    config = doubtful(lambda table: table[table["date"] != "2019-10-08"])
    sentence = (
        f"entity-list-2019, {SYMBOL}: the source has no price of the event session 2019-10-08: "
        "fetch with --refresh, or use another"
    )
    done = cli("check", config)
    assert done.exit_code == 3
    assert f"  error   {sentence}" in done.stdout.splitlines()
    assert done.stderr.splitlines() == [f"eventstudy: {config}: {sentence}"]
    done = cli("run", config, "--out", out)
    assert done.exit_code == 0
    assert f"eventstudy: {config}: {sentence}" in done.stderr.splitlines()
    notes = [row["code"] for row in read_csv(tables(out) / "notes.csv") if row["symbol"] == SYMBOL]
    assert "event_session_missing" in notes
    row = next(row for row in read_csv(tables(out) / "abnormal_returns.csv") if (row["symbol"], row["tau"]) == (SYMBOL, "0"))
    assert row["status"] == "missing"


def test_gap_elsewhere_in_the_window_is_spanned_and_ends_nothing(
    doubtful: Callable[..., Path], cli: Cli, out: Path, read_csv: Callable[[Path], Rows]
) -> None:
    config = doubtful(lambda table: table[table["date"] != "2019-10-15"])
    assert cli("check", config).exit_code == 0
    done = cli("run", config, "--out", out)
    assert (done.exit_code, done.stderr) == (0, "")
    found = {row["session"]: row for row in read_csv(tables(out) / "abnormal_returns.csv") if row["symbol"] == SYMBOL}
    days = [found[day] for day in ("2019-10-15", "2019-10-16")]
    assert [(row["status"], row["span"]) for row in days] == [("missing", ""), ("traded", "2")]
