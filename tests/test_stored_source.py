"""A source behind the store: what is asked, what is kept, what is told when figures change or nobody answers."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from yahoo import LoopbackSession, YahooServer, from_snapshot, isolated_yfinance

from eventstudy.calendar import exchange_sessions
from eventstudy.errors import DataError, EventStudyError, NoPricesError, SourceUnreachableError, UnknownSymbolError
from eventstudy.sources.base import Kind, PriceSeries
from eventstudy.sources.frames import price_frame
from eventstudy.sources.stored import StoredSource
from eventstudy.sources.yahoo import YahooSource
from eventstudy.store import Store

SYMBOL, HIKVISION, HUNDSUN = "000001.SZ", "002415.SZ", "600570.SS"
SHANGHAI = exchange_sessions("XSHG", dt.date(1991, 1, 1))
SESSIONS = SHANGHAI.sessions[SHANGHAI.sessions.slice_indexer("2018-09-03", "2020-06-30")]


class Vendor:
    """Knows prices of every session; all can be changed, and every question is noted."""

    name, remote = "vendor", True

    def __init__(self) -> None:
        self.facts = pd.DataFrame({"close": [10 + place / 100 for place in range(len(SESSIONS))], "volume": 100.0}, SESSIONS)
        self.facts["dividend"], self.facts["split"] = 0.0, 1.0
        self.asked: list[tuple[str, str]] = []
        self.problem: EventStudyError | None = None

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        self.asked.append((f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}"))
        if self.problem:
            raise self.problem
        rows = self.facts.loc[start:end].rename_axis("date").reset_index()
        if rows.empty:
            raise NoPricesError(f"vendor has no price of {symbol}")
        return PriceSeries(symbol, price_frame(rows, symbol)[0], self.name, kind)

    def revise(self, day: str, **values: float) -> None:
        self.facts.loc[pd.Timestamp(day), list(values)] = list(values.values())


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def shanghai(text: str) -> dt.datetime:
    return pd.Timestamp(text, tz="Asia/Shanghai").to_pydatetime()


class Desk:
    """Fetches through the store, as one run would: a source of its own each time."""

    def __init__(self, inner: object, store: Store) -> None:
        self.inner, self.store = inner, store
        self.source: StoredSource | None = None

    def __call__(
        self,
        end: str,
        start: str = "2019-01-02",
        now: str = "2021-01-04 12:00",
        symbol: str = SYMBOL,
        kind: Kind = "share",
        settle: int = 60,
        **how: bool,
    ) -> PriceSeries:
        wait = dt.timedelta(minutes=settle)
        self.source = StoredSource(self.inner, self.store, lambda symbol: SHANGHAI, shanghai(now), wait, **how)  # type: ignore[arg-type]
        return self.source.fetch(symbol, pd.Timestamp(start), pd.Timestamp(end), kind)

    @property
    def told(self) -> list[str]:
        return [f"{outcome.deed}, {outcome.detail}" for outcome in self.source.outcomes] if self.source else []


@pytest.fixture
def desk(vendor: Vendor, store: Store) -> Desk:
    return Desk(vendor, store)


def last(series: PriceSeries) -> str:
    return f"{series.frame.index[-1]:%Y-%m-%d}"


def test_downloaded_then_served_then_extended(vendor: Vendor, desk: Desk) -> None:
    first = desk("2019-10-22")
    assert desk.told == ["downloaded, 2019-01-02 to 2019-10-22"]
    again = desk("2019-09-30", "2019-03-01")
    assert desk.told == ["served, stored up to 2019-10-22"]
    assert (f"{again.frame.index[0]:%Y-%m-%d}", last(again)) == ("2019-03-01", "2019-09-30")
    longer = desk("2019-10-31")
    assert desk.told == ["extended, from 2019-10-22 to 2019-10-31"]
    overlap = SESSIONS[SESSIONS.get_loc("2019-10-22") - 29]
    assert vendor.asked == [("2019-01-02", "2019-10-22"), (f"{overlap:%Y-%m-%d}", "2019-10-31")]
    for series in (first, again, longer):
        truth = vendor.facts["close"].loc[series.frame.index]
        assert series.frame["close"].tolist() == truth.tolist()
    assert longer.frame.index.tolist() == SESSIONS[SESSIONS.slice_indexer("2019-01-02", "2019-10-31")].tolist()
    assert first.vintage != longer.vintage


def test_series_carries_when_it_was_fetched(desk: Desk) -> None:
    when = {"first": "2021-01-04T04:00:00+00:00", "later": "2021-01-05T04:00:00+00:00"}  # noon in Shanghai
    assert desk("2019-10-22").fetched_at == when["first"]
    assert desk("2019-09-30", now="2021-01-05 12:00").fetched_at == when["first"]  # served
    assert desk("2019-10-31", now="2021-01-05 12:00").fetched_at == when["later"]


def test_lost_pointer_loses_the_time_of_fetching(desk: Desk, store: Store) -> None:
    first = desk("2019-10-22")
    (store.place("vendor", SYMBOL) / "current.json").unlink()
    again = desk("2019-10-22", offline=True)
    assert (again.fetched_at, again.vintage) == ("", first.vintage)
    assert desk("2019-10-22").fetched_at == "2021-01-04T04:00:00+00:00"


def test_earlier_start_downloads_all(vendor: Vendor, desk: Desk) -> None:
    desk("2019-10-22")
    desk("2019-06-28", "2018-12-03")
    assert vendor.asked[1:] == [("2018-12-03", "2019-10-22")]


def test_refresh_asks_for_all_that_is_stored(vendor: Vendor, desk: Desk) -> None:
    desk("2019-10-22")
    desk("2019-06-28", "2019-03-01", refresh=True)
    assert vendor.asked[1:] == [("2019-01-02", "2019-10-22")]


def test_revision_in_the_overlap_is_found_and_told(vendor: Vendor, desk: Desk, store: Store) -> None:
    before = desk("2019-10-22")
    vendor.revise("2019-10-10", close=9.5)
    vendor.revise("2019-02-01", close=8.5)  # before the overlap: the whole range is fetched on any mismatch
    after = desk("2019-10-31")
    assert [(str(item.date), item.column, item.new) for item in desk.source.outcomes[0].revisions] == [  # type: ignore[union-attr]
        ("2019-02-01", "close", 8.5), ("2019-10-10", "close", 9.5),
    ]  # fmt: skip
    old = before.frame["close"]
    said = [f"{SYMBOL} {day} close: {old[day]:g} to {value:g}" for day, value in (("2019-02-01", 8.5), ("2019-10-10", 9.5))]
    assert desk.told == ["revised, " + "; ".join(said)]
    assert vendor.asked[2] == ("2019-01-02", "2019-10-31")
    assert after.frame["close"]["2019-02-01"] == 8.5
    kept = store.vintage("vendor", SYMBOL, before.vintage)
    assert kept.frame["close"].tolist() == old.tolist()


@pytest.mark.parametrize(("day", "seen"), [(29, True), (30, False)])
def test_overlap_is_thirty_sessions(vendor: Vendor, desk: Desk, day: int, seen: bool) -> None:
    desk("2019-10-22")
    vendor.revise(f"{SESSIONS[SESSIONS.get_loc('2019-10-22') - day]:%Y-%m-%d}", close=9.5)
    desk("2019-10-31")
    assert desk.told[0].startswith("revised" if seen else "extended")


def test_split_since_is_a_rescale(vendor: Vendor, desk: Desk) -> None:
    desk("2019-10-22")
    vendor.revise("2019-10-28", split=2.0)
    whole = desk("2019-10-31")
    assert desk.told == ["downloaded, 2019-01-02 to 2019-10-31"]
    assert desk.source is not None
    assert desk.source.outcomes[0].revisions == ()
    assert vendor.asked[-1] == ("2019-01-02", "2019-10-31")
    assert whole.frame["close"].tolist() == vendor.facts["close"].loc["2019-01-02":"2019-10-31"].tolist()


# --- the present

@pytest.mark.parametrize(
    ("now", "settle", "expected"),
    [
        ("2019-10-15 14:00", 60, "2019-10-14"),
        ("2019-10-15 15:59", 60, "2019-10-14"),
        ("2019-10-15 16:00", 60, "2019-10-15"),
        ("2019-10-15 15:00", 0, "2019-10-15"),
        ("2019-10-15 14:59", 0, "2019-10-14"),
        ("2019-10-15 23:59", 600, "2019-10-14"),
        ("2019-10-16 01:00", 600, "2019-10-15"),
        ("2019-10-20 12:00", 60, "2019-10-18"),  # a Sunday
        ("2019-10-08 09:00", 60, "2019-09-30"),  # after the holidays
    ],
)
def test_session_that_has_not_settled_is_neither_asked_for_nor_used(
    vendor: Vendor, desk: Desk, store: Store, now: str, settle: int, expected: str
) -> None:
    series = desk("2019-10-22", now=now, settle=settle)
    assert last(series) == expected
    assert vendor.asked == [("2019-01-02", expected)]
    kept = store.read("vendor", SYMBOL)
    assert kept is not None
    assert last(kept.series) == expected


def test_next_day_sees_what_has_closed_since(vendor: Vendor, desk: Desk) -> None:
    assert last(desk("2019-10-22", now="2019-10-15 14:00")) == "2019-10-14"
    vendor.revise("2019-10-15", close=12.34)
    evening = desk("2019-10-22", now="2019-10-15 17:00")
    assert desk.told == ["extended, from 2019-10-14 to 2019-10-15"]
    assert evening.frame["close"].iloc[-1] == 12.34


def test_clock_of_another_zone_is_the_same_instant(vendor: Vendor, store: Store) -> None:
    source = StoredSource(vendor, store, lambda symbol: SHANGHAI, dt.datetime(2019, 10, 15, 8, tzinfo=dt.UTC))
    assert last(source.fetch(SYMBOL, pd.Timestamp("2019-01-02"), pd.Timestamp("2019-10-22"), "share")) == "2019-10-15"


def test_nothing_has_closed_yet(desk: Desk, vendor: Vendor) -> None:
    with pytest.raises(DataError, match="no session has closed yet between 2019-10-15 and 2019-10-22"):
        desk("2019-10-22", "2019-10-15", now="2019-10-15 14:00")
    assert vendor.asked == []


def test_row_that_came_late_is_fetched(vendor: Vendor, desk: Desk) -> None:
    whole = vendor.facts
    vendor.facts = whole.drop(pd.Timestamp("2019-10-22"))
    assert last(desk("2019-10-22", now="2019-10-22 16:30")) == "2019-10-21"
    vendor.facts = whole
    assert last(desk("2019-10-22", now="2019-10-23 09:00")) == "2019-10-22"
    assert desk.told == ["extended, from 2019-10-21 to 2019-10-22"]


def test_close_that_came_late_is_fetched(vendor: Vendor, desk: Desk, store: Store) -> None:
    whole = vendor.facts
    vendor.facts = whole.copy()
    vendor.revise("2019-10-22", close=np.nan, volume=0.0)  # a row without a price, as Yahoo has them before it publishes
    assert last(desk("2019-10-22", now="2019-10-22 16:30")) == "2019-10-21"
    vendor.facts = whole
    assert desk("2019-10-22", now="2019-10-23 09:00").frame["close"].iloc[-1] == whole["close"]["2019-10-22"]
    assert desk.told == ["extended, from 2019-10-21 to 2019-10-22"]


def test_row_that_never_came_is_not_asked_for_for_ever(vendor: Vendor, desk: Desk) -> None:
    vendor.facts = vendor.facts.drop(pd.Timestamp("2019-10-22"))
    for _ in range(2):
        assert last(desk("2019-10-22", now="2019-12-02 16:30")) == "2019-10-21"
    assert desk.told == ["served, stored up to 2019-10-22"]
    assert len(vendor.asked) == 1


# --- nobody answers

def test_offline_serves_what_is_stored(vendor: Vendor, desk: Desk) -> None:
    desk("2019-10-22")
    assert last(desk("2019-10-22", offline=True)) == "2019-10-22"
    assert desk.told == ["served, stored up to 2019-10-22"]
    assert last(desk("2019-10-22", offline=True, refresh=True)) == "2019-10-22"
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("down", [False, True])
def test_only_the_end_is_missing(vendor: Vendor, desk: Desk, down: bool) -> None:
    desk("2019-10-22")
    vendor.problem = SourceUnreachableError("no answer: check the network")
    series = desk("2019-10-31", offline=not down)
    assert last(series) == "2019-10-22"
    reason = "no answer" if down else "the store lacks 000001.SZ for 2019-01-02 to 2019-10-31: run without --offline"
    assert desk.told[0].startswith(f"stale, stored up to 2019-10-22 only: {reason}")


@pytest.mark.parametrize(
    ("start", "end"), [("2018-12-03", "2019-10-22"), ("2018-10-08", "2018-10-31"), ("2019-11-01", "2019-11-29")],
    ids=["begins before", "lies before", "lies behind"],
)  # fmt: skip
@pytest.mark.parametrize("down", [False, True])
def test_store_that_cannot_serve(vendor: Vendor, desk: Desk, start: str, end: str, down: bool) -> None:
    desk("2019-10-22")
    vendor.problem = SourceUnreachableError("no answer: check the network")
    with pytest.raises(SourceUnreachableError) as caught:
        desk(end, start, offline=not down)
    assert caught.value.exit_code == 5


def test_empty_store_offline(vendor: Vendor, desk: Desk) -> None:
    with pytest.raises(SourceUnreachableError, match=r"lacks 000001\.SZ for 2019-01-02 to 2019-10-22: run without --offline"):
        desk("2019-10-22", offline=True)
    assert vendor.asked == []


@pytest.mark.parametrize("problem", [UnknownSymbolError("delisted"), DataError("all null")])
def test_source_that_forgot_the_symbol_loses_nothing(vendor: Vendor, desk: Desk, problem: EventStudyError) -> None:
    desk("2019-10-22")
    vendor.problem = problem
    assert last(desk("2019-10-31")) == "2019-10-22"
    assert desk.told == [f"stale, stored up to 2019-10-22 only: {problem}"]
    assert last(desk("2019-10-22", refresh=True)) == "2019-10-22"
    assert desk.told == [f"kept, stored up to 2019-10-22 and not fetched again: {problem}"]  # nothing is lacking
    vendor.problem = None
    assert last(desk("2019-10-31")) == "2019-10-31"


def test_range_in_which_the_stored_series_has_no_row(vendor: Vendor, desk: Desk) -> None:
    vendor.facts = vendor.facts.loc["2019-08-01":]  # listed then
    desk("2019-10-22")
    with pytest.raises(NoPricesError, match=r"vendor has no price of 000001\.SZ from 2019-02-01 to 2019-03-29"):
        desk("2019-03-29", "2019-02-01")


def test_share_and_index_of_one_symbol_do_not_mix(vendor: Vendor, desk: Desk) -> None:
    assert [desk("2019-10-22", kind=kind).kind for kind in ("share", "index", "index")] == ["share", "index", "index"]
    assert len(vendor.asked) == 2


def test_series_of_the_other_kind_is_not_lost(vendor: Vendor, desk: Desk) -> None:
    desk("2019-10-22", kind="index")
    desk("2019-06-28", "2019-06-03", kind="share")
    whole = desk("2019-10-22", kind="index", offline=True)
    assert (whole.kind, f"{whole.frame.index[0]:%Y-%m-%d}", last(whole)) == ("index", "2019-01-02", "2019-10-22")
    assert len(vendor.asked) == 2


def test_series_of_another_origin_is_not_served(vendor: Vendor, desk: Desk, store: Store) -> None:
    """The same symbol of the same source, out of another database or by another query."""
    told = {"share": "one", "index": "one"}
    vendor.origin = lambda kind: told[kind]  # type: ignore[attr-defined]
    first = desk("2019-10-22")
    vendor.facts["close"] *= 2
    told["share"] = "two"
    second = desk("2019-10-22")
    assert (second.frame["close"] / first.frame["close"] == 2).all()
    assert desk.told == ["downloaded, 2019-01-02 to 2019-10-22"]
    told["share"] = "one"
    assert desk("2019-10-22").frame.equals(first.frame)
    assert desk.told == ["served, stored up to 2019-10-22"]
    for path in store.place("vendor", SYMBOL).glob("current*.json"):
        path.unlink()
    with pytest.raises(SourceUnreachableError):  # nobody knows which of the two is whose
        desk("2019-10-22", offline=True)


def test_damage_is_fetched_again(vendor: Vendor, desk: Desk, store: Store) -> None:
    truth = desk("2019-10-22").frame["close"].tolist()
    for path in store.place("vendor", SYMBOL).glob("*.parquet"):
        path.write_bytes(path.read_bytes()[:500])
    assert desk("2019-10-22").frame["close"].tolist() == truth
    assert desk.told == ["downloaded, 2019-01-02 to 2019-10-22"]
    assert desk("2019-10-22", offline=True).frame["close"].tolist() == truth


def test_older_vintage_in_place_of_a_damaged_one_is_brought_up_to_date(vendor: Vendor, desk: Desk, store: Store) -> None:
    desk("2019-10-22")
    newest = desk("2019-10-31")
    (store.place("vendor", SYMBOL) / f"{newest.vintage}.parquet").write_bytes(b"PAR1")
    older = desk("2019-10-31", offline=True)
    assert last(older) == "2019-10-22"
    text = "the newest stored series is damaged or lost, an older one up to 2019-10-22 is used"
    assert older.doubts == (("older_vintage", text),)
    assert desk.told[0].startswith(f"stale, {text}: ")
    again = desk("2019-10-31")
    assert again.frame.equals(newest.frame)
    assert again.doubts == ()


def test_older_vintage_with_other_figures_is_not_taken_in_silence(vendor: Vendor, desk: Desk, store: Store) -> None:
    desk("2019-10-22")
    vendor.revise("2019-10-10", close=9.5)
    revised = desk("2019-10-22", refresh=True)
    for damage in (b"PAR1", b""):
        (store.place("vendor", SYMBOL) / f"{revised.vintage}.parquet").write_bytes(damage)
        assert [code for code, _ in desk("2019-10-22", offline=True).doubts] == ["older_vintage"]
        assert desk.told[0].startswith("stale, the newest stored series is damaged or lost")
        assert desk("2019-10-22").frame["close"]["2019-10-10"] == 9.5
        assert desk.told[0].startswith("revised, ")


# --- two at once

PROGRAM = """
import sys, time
sys.path.insert(0, {tests!r})
from test_stored_source import *

class Slow(Vendor):
    def fetch(self, *arguments):
        print("asked", flush=True)
        time.sleep(1.0)
        return super().fetch(*arguments)

desk = Desk(Slow(), Store(Path({folder!r})))
print("ready", flush=True)
sys.stdin.readline()
print(last(desk("2019-10-22")), desk.told[0], flush=True)
"""


def test_two_processes_at_once(tmp_path: Path, root: Path, vendor: Vendor, store: Store) -> None:
    program = PROGRAM.format(tests=str(root / "tests"), folder=str(store.folder))
    environment = os.environ | {"PYTHONPATH": str(root)}
    command, pipes = [sys.executable, "-c", program], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    both = [subprocess.Popen(command, text=True, env=environment, cwd=tmp_path, **pipes) for _ in range(2)]
    try:
        assert [process.stdout.readline() for process in both if process.stdout] == ["ready\n"] * 2
        for process in both:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        said = sorted((process.communicate(timeout=30)[0] for process in both), key=len)
    finally:
        for process in both:
            process.kill()
            process.wait()
    assert said == ["2019-10-22 served, stored up to 2019-10-22\n", "asked\n2019-10-22 downloaded, 2019-01-02 to 2019-10-22\n"]
    kept = store.read("vendor", SYMBOL)
    assert kept is not None
    assert kept.series.frame["close"].tolist() == vendor.facts["close"].loc["2019-01-02":"2019-10-22"].tolist()


# --- Yahoo, which rescales its history

@pytest.fixture
def yahoo(tmp_path: Path) -> Iterator[YahooServer]:
    with isolated_yfinance(tmp_path), YahooServer(from_snapshot([HIKVISION, HUNDSUN])) as server:
        yield server


@pytest.fixture
def yahoo_desk(yahoo: YahooServer, store: Store) -> Desk:
    return Desk(YahooSource(session=LoopbackSession(yahoo.url), pause=0, wait=0.01, attempts=1), store)


@pytest.mark.parametrize("ratio", [2.0, 1.3, 10.0, 0.1])
@pytest.mark.parametrize("day", ["2019-10-28", "2019-12-16"], ids=["in the update", "after it"])
def test_vendor_split_is_no_revision(yahoo: YahooServer, yahoo_desk: Desk, ratio: float, day: str) -> None:
    before = yahoo_desk("2019-10-22", symbol=HIKVISION).frame
    yahoo.instruments[HIKVISION].split(day, ratio)
    after = yahoo_desk("2019-10-31", symbol=HIKVISION).frame
    assert yahoo_desk.told[0].partition(",")[0] == ("downloaded" if day < "2019-11" else "extended")
    assert after["close"].loc[before.index].tolist() == pytest.approx(before["close"].tolist(), rel=2e-7)
    assert after["volume"].loc[before.index].tolist() == pytest.approx(before["volume"].tolist(), rel=1e-5)


def test_split_already_known_stays_as_it_was(yahoo: YahooServer, yahoo_desk: Desk) -> None:
    truth = yahoo.instruments[HUNDSUN].frame["close"]
    for end in ("2019-05-10", "2019-05-31"):
        frame = yahoo_desk(end, symbol=HUNDSUN).frame
        assert frame["close"].tolist() == pytest.approx(truth[frame.index].tolist(), rel=2e-7)
    assert yahoo_desk.told == ["downloaded, 2019-01-02 to 2019-05-31"]


def test_new_dividend_is_no_revision(yahoo: YahooServer, yahoo_desk: Desk) -> None:
    before = yahoo_desk("2019-10-22", symbol=HIKVISION)
    yahoo.instruments[HIKVISION].pay("2019-10-28", 0.5)
    after = yahoo_desk("2019-10-31", symbol=HIKVISION)
    assert yahoo_desk.told == ["extended, from 2019-10-22 to 2019-10-31"]
    assert after.frame["close"].loc[before.frame.index].equals(before.frame["close"])
    assert after.frame["dividend"]["2019-10-28"] == pytest.approx(0.5, abs=1e-6)


def test_half_formed_bar_is_never_kept(yahoo: YahooServer, yahoo_desk: Desk) -> None:
    yahoo.fault(HIKVISION, "half_bar_today", at="2019-10-15 14:00")
    first = yahoo_desk("2019-10-22", symbol=HIKVISION, now="2019-10-15 14:00")
    assert last(first) == "2019-10-14"
    yahoo.clear_faults()
    second = yahoo_desk("2019-10-22", symbol=HIKVISION, now="2019-10-15 16:00")
    assert yahoo_desk.told == ["extended, from 2019-10-14 to 2019-10-15"]
    truth = yahoo.instruments[HIKVISION].frame["close"]
    assert second.frame["close"].tolist() == truth[second.frame.index].tolist()
