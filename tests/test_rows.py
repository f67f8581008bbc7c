"""Rows ``ret, mkt, span`` under the four treatments, by hand; and why a CAR is undefined."""

from __future__ import annotations

import datetime as dt
from math import log

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import eventstudy as es
from eventstudy.abnormal import untiled
from eventstudy.calendar import SessionCalendar
from eventstudy.errors import DataError
from eventstudy.returns import Rows, trade_rows
from eventstudy.trading import Listing

NAN = float("nan")
LEVEL = [100.0, 102, NAN, NAN, 96, 97, 98]
INDEX = [1000.0, 1010, 1020, 1005, 1015, 1025, 1020]
WINDOWS = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)


def listing(level: list[float], index: list[float]) -> Listing:
    grid = pd.bdate_range("2019-03-04", periods=len(level))
    status = np.where(np.isfinite(level), "traded", "suspended").astype(object)
    none = np.full(len(level), "", dtype=object)
    return Listing("X", SessionCalendar("test", grid), status, np.array(level), np.array(index), none, len(level) - 1)


def as_tuples(rows: Rows) -> list[tuple[int, int]]:
    return list(zip(rows.end.tolist(), rows.span.tolist(), strict=True))


def test_trade_to_trade_log() -> None:
    rows = trade_rows(listing(LEVEL, INDEX), "trade-to-trade", "log")
    assert as_tuples(rows) == [(1, 1), (4, 3), (5, 1), (6, 1)]
    assert_allclose(rows.ret, [log(102 / 100), log(96 / 102), log(97 / 96), log(98 / 97)])
    assert_allclose(rows.mkt, [log(1010 / 1000), log(1015 / 1010), log(1025 / 1015), log(1020 / 1025)])


def test_trade_to_trade_simple_divides_by_the_start_price_and_compounds_the_benchmark() -> None:
    rows = trade_rows(listing(LEVEL, INDEX), "trade-to-trade", "simple")
    assert_allclose(rows.ret, [0.02, 96 / 102 - 1, 97 / 96 - 1, 98 / 97 - 1])
    daily = np.array(INDEX[1:]) / np.array(INDEX[:-1])
    assert_allclose(rows.mkt, [0.01, daily[1:4].prod() - 1, daily[4] - 1, daily[5] - 1])


@pytest.mark.parametrize("kind", ["log", "simple"])
def test_drop_loses_the_return_of_the_gap_and_nothing_else(kind: str) -> None:
    rows, full = trade_rows(listing(LEVEL, INDEX), "drop", kind), trade_rows(listing(LEVEL, INDEX), "trade-to-trade", kind)
    assert as_tuples(rows) == [(1, 1), (5, 1), (6, 1)]
    assert_allclose(rows.ret, full.ret[[0, 2, 3]])


@pytest.mark.parametrize(("kind", "gap"), [("log", log(96 / 102)), ("simple", 96 / 102 - 1)])
def test_lumped_carries_the_price_forward(kind: str, gap: float) -> None:
    rows = trade_rows(listing(LEVEL, INDEX), "lumped", kind)
    assert as_tuples(rows) == [(k, 1) for k in range(1, 7)]
    assert_allclose(rows.ret[1:4], [0, 0, gap], atol=1e-15)
    one_day = {"log": log(1015 / 1005), "simple": 1015 / 1005 - 1}[kind]
    assert_allclose(rows.mkt[3], one_day)  # one session of benchmark, on its own row


@pytest.mark.parametrize(("kind", "part"), [("log", log(96 / 102) / 3), ("simple", (96 / 102) ** (1 / 3) - 1)])
def test_uniform_spreads_the_return_of_the_gap_over_its_sessions(kind: str, part: float) -> None:
    rows = trade_rows(listing(LEVEL, INDEX), "uniform", kind)
    assert as_tuples(rows) == [(k, 1) for k in range(1, 7)]
    assert_allclose(rows.ret[1:4], part)


@pytest.mark.parametrize("treatment", ["trade-to-trade", "lumped", "uniform"])
def test_log_returns_of_every_treatment_sum_to_the_same(treatment: str) -> None:
    rows = trade_rows(listing(LEVEL, INDEX), treatment, "log")
    assert_allclose([rows.ret.sum(), rows.mkt.sum(), rows.span.sum()], [log(98 / 100), log(1020 / 1000), 6])


@pytest.mark.parametrize("treatment", ["trade-to-trade", "drop", "lumped", "uniform"])
def test_nothing_is_made_of_a_gap_that_never_closes(treatment: str) -> None:
    rows = trade_rows(listing([100.0, 102, 103, NAN, NAN, NAN, NAN], INDEX), treatment, "log")
    assert as_tuples(rows) == [(1, 1), (2, 1)]


@pytest.mark.parametrize("treatment", ["lumped", "uniform"])
def test_filled_rows_of_a_gap_not_closed_by_the_windows_end_are_no_part_of_it(treatment: str) -> None:
    rows = trade_rows(listing(LEVEL, INDEX), treatment, "log")
    assert rows.inside(1, 3).end.tolist() == [1]
    assert rows.inside(1, 4).end.tolist() == [1, 2, 3, 4]


def test_a_row_belongs_to_a_window_only_with_its_whole_interval() -> None:
    rows = trade_rows(listing(LEVEL, INDEX), "trade-to-trade", "log")
    assert rows.inside(2, 5).end.tolist() == [4, 5]
    assert rows.inside(3, 5).end.tolist() == [5]  # the gap begins at 2
    assert rows.inside(1, 3).end.tolist() == [1]


@pytest.mark.parametrize("place", [2, 3, 4])
def test_a_mask_takes_out_every_row_it_touches_and_nothing_bridges_it(place: int) -> None:
    masked = np.zeros(7, dtype=bool)
    masked[place] = True
    assert trade_rows(listing(LEVEL, INDEX)).without(masked).end.tolist() == [1, 5, 6]


def test_a_mask_on_the_last_trade_before_a_gap_leaves_the_gap() -> None:
    masked = np.zeros(7, dtype=bool)
    masked[1] = True
    assert trade_rows(listing(LEVEL, INDEX)).without(masked).end.tolist() == [4, 5, 6]


HOLES = [1000.0, 1010, NAN, NAN, 1015, 1025, 1020]
FULL = [100.0, 102, 103, 101, 96, 97, 98]


def test_a_benchmark_hole_widens_the_span_of_trade_to_trade() -> None:
    rows = trade_rows(listing(FULL, HOLES), "trade-to-trade", "log")
    assert as_tuples(rows) == [(1, 1), (4, 3), (5, 1), (6, 1)]
    assert_allclose([rows.ret[1], rows.mkt[1]], [log(96 / 102), log(1015 / 1010)])


@pytest.mark.parametrize("treatment", ["drop", "lumped", "uniform"])
def test_other_treatments_need_the_benchmark_at_both_ends(treatment: str) -> None:
    assert trade_rows(listing(FULL, HOLES), treatment, "log").end.tolist() == [1, 5, 6]


def test_hole_and_suspension_next_to_each_other_make_one_span() -> None:
    made = listing([100.0, NAN, 103, 101, 96, 97, 98], [1000.0, 1010, NAN, 1005, 1015, 1025, 1020])
    rows = trade_rows(made, "trade-to-trade", "log")
    assert as_tuples(rows)[0] == (3, 3)
    assert_allclose([rows.ret[0], rows.mkt[0]], [log(101 / 100), log(1005 / 1000)])


def test_a_share_with_fewer_than_two_trades_has_no_rows() -> None:
    for treatment in ("trade-to-trade", "drop", "lumped", "uniform"):
        assert len(trade_rows(listing([NAN, 100.0, NAN, NAN, NAN, NAN, NAN], INDEX), treatment, "log")) == 0


def run(panel, prices: pd.DataFrame, benchmark: pd.Series | None = None, place: int = 130, **options: object) -> es.StudyResult:
    options = {"windows": WINDOWS, "tests": ["cross_sectional_t"]} | options
    events = panel.events(place, ["AAA", "BBB"])
    return es.event_study(events, prices, panel.benchmark if benchmark is None else benchmark, **options)


def reason(result: es.StudyResult, symbol: str = "AAA") -> str:
    row = result.cars[result.cars["symbol"] == symbol].iloc[0]
    assert (row["status"] == "ok") == (row["reason"] == "") == np.isfinite(row["car"])
    return str(row["reason"])


def without(prices: pd.DataFrame, *places: int) -> pd.DataFrame:
    changed = prices.copy()
    changed.iloc[list(places), 0] = np.nan
    return changed


def test_suspension_inside_the_window_leaves_the_car_defined(panel) -> None:
    result = run(panel(), without(panel().prices, 130, 131))
    assert reason(result) == ""
    rows = result.abnormal_returns.query("symbol == 'AAA'").set_index("tau")
    assert rows.loc[[0, 1], "status"].tolist() == ["suspended", "suspended"]
    assert rows.loc[[0, 1], ["span", "ret", "mkt", "expected", "ar", "se_ar", "t", "p_value"]].isna().all(axis=None)
    assert rows.loc[2, "span"] == 3


def test_car_is_undefined_where_the_firm_has_not_resumed(panel) -> None:
    assert reason(run(panel(), without(panel().prices, 133, 134))) == "not_resumed"


def test_car_is_undefined_where_the_suspension_began_before_the_window(panel) -> None:
    assert reason(run(panel(), without(panel().prices, 128, 129, 130))) == "straddles_start"


@pytest.mark.parametrize("treatment", ["trade-to-trade", "lumped", "uniform", "drop"])
def test_a_firm_that_never_trades_again_has_no_car_under_any_treatment(panel, treatment: str) -> None:
    result = run(panel(), without(panel().prices, *range(131, 160)), suspensions=treatment)
    assert reason(result) == "not_resumed"
    assert reason(result, "BBB") == ""


def test_dropped_gap_inside_the_window_leaves_no_car(panel) -> None:
    assert reason(run(panel(), without(panel().prices, 131), suspensions="drop")) == "gap_dropped"


@pytest.mark.parametrize("place", [129, 133])
def test_benchmark_hole_at_an_edge_of_the_window(panel, place: int) -> None:
    holed = panel().benchmark.copy()
    holed.iloc[place] = np.nan
    assert reason(run(panel(), panel().prices, holed)) == "benchmark_missing"


def test_benchmark_hole_inside_the_window_widens_a_span(panel) -> None:
    holed = panel().benchmark.copy()
    holed.iloc[131] = np.nan
    result = run(panel(), panel().prices, holed)
    assert reason(result) == ""
    assert result.abnormal_returns.query("symbol == 'AAA' and tau == 2")["span"].tolist() == [2]


def test_window_past_the_benchmarks_last_session(panel) -> None:
    assert reason(run(panel(), panel().prices, place=158)) in ("data_end", "calendar_end")


def exchange_panel(panel, last: str) -> tuple[object, pd.DataFrame, pd.Series]:
    made = panel(sessions=500)  # to 2019-11-29
    return made, made.prices.loc[:last], made.benchmark.loc[:last]


@pytest.mark.parametrize(
    ("now", "code"), [("2019-10-10T18:00:00+08:00", "provisional"), ("2020-06-01T00:00:00+08:00", "data_end")]
)
def test_window_that_time_will_complete_is_provisional(panel, now: str, code: str) -> None:
    made, prices, benchmark = exchange_panel(panel, "2019-10-09")
    place = made.prices.index.get_loc(pd.Timestamp("2019-10-08"))
    result = run(made, prices, benchmark, place, calendar="XSHG", now=dt.datetime.fromisoformat(now))
    assert reason(result) == code
    assert result.exclusions.empty


def test_event_whose_windows_all_lie_ahead_is_not_excluded(panel) -> None:
    made, prices, benchmark = exchange_panel(panel, "2019-10-09")
    place = made.prices.index.get_loc(pd.Timestamp("2019-11-28"))
    now = dt.datetime.fromisoformat("2019-10-09T20:00:00+08:00")
    result = run(made, prices, benchmark, place, calendar="XSHG", now=now)
    assert reason(result) == "provisional"
    assert result.events["status"].tolist() == ["ok", "ok"]


def test_event_past_the_exchanges_published_calendar_is_not_excluded(panel) -> None:
    events = pd.DataFrame({"event_id": "e", "symbol": ["AAA", "BBB"], "announced_at": "2099-01-05T10:00:00+08:00"})
    result = es.event_study(events, panel().prices, panel().benchmark, windows=WINDOWS, calendar="XSHG")
    assert reason(result) == "calendar_end"
    assert result.events["status"].tolist() == ["ok", "ok"]


def test_window_that_begins_before_the_listing() -> None:
    made = listing([NAN, NAN, NAN, 100.0, 101, 102, 103], INDEX)
    made.status[:3] = "not_listed"
    rows = trade_rows(made)
    assert untiled(made, rows.inside(3, 5), 3, 5) == "not_listed"
    assert untiled(made, rows.inside(4, 5), 4, 5) == ""


def test_window_that_begins_before_the_calendar() -> None:
    made = listing(FULL, INDEX)
    assert untiled(made, trade_rows(made).inside(0, 3), 0, 3) == "not_listed"


def test_missing_price_at_an_edge_is_no_suspension(panel, study_on_disk) -> None:
    made = panel()
    prices = made.long().query("not (symbol == 'AAA' and date == @day)", local_dict={"day": made.day(133)})
    path = study_on_disk(made, made.events(130), prices, data={
        "source": "files", "files": {"prices": "prices.csv", "benchmark": "benchmark.csv", "absent": "missing"},
    })  # fmt: skip
    result = es.run_study(path)
    assert reason(result) == "price_missing"
    assert result.abnormal_returns.query("symbol == 'AAA' and tau == 3")["status"].tolist() == ["missing"]


@pytest.mark.parametrize("treatment", ["trade-to-trade", "lumped", "uniform"])
def test_short_history_is_used_from_its_first_row_and_flagged(panel, treatment: str) -> None:
    made = panel()
    late = without(made.prices, *range(50))  # estimation is 30 to 119: 20 sessions before the listing, one more without a return
    model = run(made, late, suspensions=treatment).models.set_index("symbol").loc["AAA"]
    assert (model["nobs"], model["n_sessions"], bool(model["short_history"]), model["suspended_share"]) == (69, 69, True, 0.0)


def test_share_listed_inside_the_event_window_is_excluded(panel) -> None:
    result = run(panel(), without(panel().prices, *range(129)))
    assert result.exclusions[["symbol", "reason"]].to_numpy().tolist() == [["AAA", "too_few_observations"]]


def test_mostly_suspended_in_the_estimation_window_is_excluded(panel) -> None:
    away = [place for place in range(30, 120) if place % 30 < 14]  # 42 of 90 sessions
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=30)
    result = run(panel(), without(panel().prices, *away), windows=windows)
    assert result.exclusions[["symbol", "stage", "reason"]].to_numpy().tolist() == [["AAA", "estimation", "mostly_suspended"]]


def test_sessions_before_the_listing_do_not_count_against_the_share_of_suspensions(panel) -> None:
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=30)
    result = run(panel(), without(panel().prices, *range(80)), windows=windows)  # 50 of 90 sessions before the listing
    assert result.exclusions.empty


def test_masked_sessions_leave_the_estimation(panel) -> None:
    made = panel()
    model = run(made, made.prices, masks=[(made.day(60), made.day(64))]).models.set_index("symbol").loc["AAA"]
    assert (model["nobs"], model["n_sessions"]) == (85, 85)


def test_a_mask_on_the_event_window_excludes_the_event(panel) -> None:
    made = panel()
    with pytest.raises(DataError, match="a mask touches the event window"):
        run(made, made.prices, masks=[(made.day(125), made.day(125))])
