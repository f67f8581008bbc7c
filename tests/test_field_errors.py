"""What other tools get wrong, one line of the design notes after another."""

from __future__ import annotations

from collections.abc import Callable
from math import log, sqrt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal

import eventstudy as es
from eventstudy.errors import ConfigError

WINDOWS = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3), (-5, -1)], min_observations=60)
GOOD = ["AAA", "BBB", "CCC"]
DAY0 = 130
FIRM_TABLES = ("models", "abnormal_returns", "cars")

Frames = tuple[pd.DataFrame, pd.DataFrame]
Spoil = Callable[[pd.DataFrame, pd.DataFrame], Frames]


@pytest.fixture(scope="module")
def made(panel):
    return panel((*GOOD, "BAD"), sessions=170)


def study(made, prices: pd.DataFrame, events: pd.DataFrame, **options: object) -> es.StudyResult:
    options = {"windows": WINDOWS, "tests": ["cross_sectional_t", "kp_bmp", "portfolio_t", "placebo_caar"]} | options
    volume = pd.DataFrame(1_000.0, index=made.prices.index, columns=made.prices.columns)
    return es.event_study(events, prices, made.benchmark, **({"volume": volume} | options))


@pytest.fixture(scope="module")
def without(made) -> es.StudyResult:
    """The study of the three good firms alone."""
    return study(made, made.prices, made.events(DAY0, GOOD))


def of(table: pd.DataFrame, symbols: list[str]) -> pd.DataFrame:
    return table[table["symbol"].isin(symbols)].reset_index(drop=True)


def assert_good_firms_unmoved(result: es.StudyResult, without: es.StudyResult, tables: tuple[str, ...] = FIRM_TABLES) -> None:
    for name in tables:
        assert_frame_equal(of(getattr(result, name), GOOD), getattr(without, name), check_exact=True, obj=name)


def assert_averages_unmoved(result: es.StudyResult, without: es.StudyResult) -> None:
    assert_frame_equal(result.caar, without.caar, check_exact=True)
    assert_frame_equal(result.tests, without.tests, check_exact=True)


def blank(*places: int) -> Spoil:
    def spoil(prices: pd.DataFrame, events: pd.DataFrame) -> Frames:
        changed = prices.copy()
        changed.iloc[list(places), 3] = np.nan
        return changed, events

    return spoil


def moved(session: str | int) -> Spoil:
    def spoil(prices: pd.DataFrame, events: pd.DataFrame) -> Frames:
        changed = events.copy()
        changed.loc[changed["symbol"] == "BAD", "session"] = (
            session if isinstance(session, str) else f"{prices.index[session]:%Y-%m-%d}"
        )
        return prices, changed

    return spoil


def absent(prices: pd.DataFrame, events: pd.DataFrame) -> Frames:
    return prices.drop(columns="BAD"), events


def constant(prices: pd.DataFrame, events: pd.DataFrame) -> Frames:
    return prices.assign(BAD=10.0), events


EXCLUDED = {
    "event on a Saturday": (moved("2018-06-30"), "not_a_session"),
    "event before the prices": (moved(3), "too_few_observations"),
    "event before the calendar": (moved("2001-01-05"), "not_a_session"),
    "short history": (blank(*range(80)), "too_few_observations"),
    "listed in the event window": (blank(*range(DAY0)), "too_few_observations"),
    "many prices missing in the estimation window": (blank(*(k for k in range(30, 120) if k % 3)), "too_few_observations"),
    "unknown symbol": (absent, "unknown_symbol"),
    "no price at all": (blank(*range(170)), "unknown_symbol"),
    "a price that never moves": (constant, "no_fit"),
}
NO_CAR = {
    "suspended on the day and past the window": (blank(*range(DAY0, DAY0 + 6)), {(0, 3): "not_resumed"}),
    "suspended from before the day": (blank(DAY0 - 1, DAY0), {(0, 3): "straddles_start", (-5, -1): "not_resumed"}),
    "delisted in the window": (blank(*range(DAY0 + 2, 170)), {(0, 3): "not_resumed"}),
    "price missing at the window's end": (blank(DAY0 + 3), {(0, 3): "not_resumed"}),
    "window past the end of the data": (moved(168), {(0, 3): "calendar_end"}),
}


def spoilt(made, spoil: Spoil, **options: object) -> es.StudyResult:
    prices, events = spoil(made.prices, made.events(DAY0))
    return study(made, prices, events, **options)


@pytest.mark.parametrize(("spoil", "reason"), EXCLUDED.values(), ids=EXCLUDED)
def test_a_bad_event_is_excluded_with_its_reason_and_moves_no_other(made, without, spoil: Spoil, reason: str) -> None:
    result = spoilt(made, spoil)
    assert_good_firms_unmoved(result, without)
    assert_averages_unmoved(result, without)
    assert_frame_equal(result.aar, without.aar, check_exact=True)
    assert result.exclusions[["event_id", "symbol", "reason"]].to_numpy().tolist() == [["e-BAD", "BAD", reason]]
    assert of(result.events, ["BAD"])[["status", "reason"]].to_numpy().tolist() == [["excluded", reason]]
    assert len(result.events) == 4


@pytest.mark.parametrize(("spoil", "reasons"), NO_CAR.values(), ids=NO_CAR)
def test_a_window_without_cover_is_undefined_and_moves_no_other_firm(made, without, spoil: Spoil, reasons) -> None:
    result = spoilt(made, spoil)
    assert_good_firms_unmoved(result, without, ("models", "abnormal_returns"))
    cars = of(result.cars, ["BAD"])
    found = {(row.window_start, row.window_end): row.reason for row in cars.itertuples() if row.status == "undefined"}
    assert found == reasons
    assert cars.loc[cars["status"] == "undefined", ["car", "se_car", "t", "p_value", "ci_low", "ci_high"]].isna().all(axis=None)
    first = result.caar.query("window_start == 0"), without.caar.query("window_start == 0")
    assert_frame_equal(*first, check_exact=True)
    tests = result.tests.query("window_start == 0"), without.tests.query("window_start == 0")
    assert_frame_equal(*tests, check_exact=True)
    assert result.exclusions.empty


def test_prices_missing_inside_the_estimation_window_move_no_other_firm(made, without) -> None:
    result = spoilt(made, blank(40, 41, 90))
    assert_good_firms_unmoved(result, without, ("models", "abnormal_returns"))
    model = of(result.models, ["BAD"]).iloc[0]
    assert (model["nobs"], model["n_sessions"]) == (87, 90)
    assert result.caar.query("window_start == 0")["n"].tolist() == [4]


def test_one_missing_price_leaves_every_average_defined(made) -> None:
    result = spoilt(made, blank(DAY0 + 3))
    assert result.caar["caar"].notna().all()
    assert result.tests["statistic"].notna().all()
    assert result.aar["aar"].notna().all()


@pytest.mark.parametrize("treatment", ["trade-to-trade", "lumped", "uniform", "drop"])
def test_a_partly_missing_window_is_never_summed_as_zero(made, treatment: str) -> None:
    result = spoilt(made, blank(DAY0 + 2, DAY0 + 3), suspensions=treatment)
    assert result.car((0, 3)).set_index("symbol").loc["BAD", ["car", "se_car"]].isna().all()


def test_unsorted_rows_give_the_same_numbers(made, without) -> None:
    shuffled = made.prices.sample(frac=1, random_state=4)
    assert_good_firms_unmoved(study(made, shuffled, made.events(DAY0, GOOD)), without)


def test_unsorted_benchmark_gives_the_same_numbers(made, without) -> None:
    shuffled = made.benchmark.sample(frac=1, random_state=4)
    result = es.event_study(made.events(DAY0, GOOD), made.prices, shuffled, windows=WINDOWS, tests=["bmp"])
    assert_frame_equal(result.cars, without.cars, check_exact=True)


def test_identical_duplicate_rows_count_once_and_are_told(made, without) -> None:
    result = study(made, pd.concat([made.prices, made.prices.iloc[[60, DAY0]]]), made.events(DAY0, GOOD))
    assert_good_firms_unmoved(result, without)
    assert result.notes["note"].str.contains("2 identical duplicate rows were dropped").sum() == 3


def test_a_duplicated_event_counts_once_in_every_average(made, without) -> None:
    twice = pd.concat([made.events(DAY0, GOOD), made.events(DAY0, ["BBB"], prefix="again")])
    result = study(made, made.prices, twice)
    assert_averages_unmoved(result, without)
    assert_frame_equal(result.aar, without.aar, check_exact=True)
    assert_good_firms_unmoved(study(made, made.prices, made.events(DAY0, GOOD)), without)


def test_a_duplicated_event_has_all_the_numbers_of_its_twin(made) -> None:
    twice = pd.concat([made.events(DAY0, GOOD), made.events(DAY0, ["BBB"], prefix="again")])
    cars = study(made, made.prices, twice).cars.set_index("event_id")
    again, first = (cars.loc[[key]].reset_index(drop=True) for key in ("again-BBB", "e-BBB"))
    assert_frame_equal(again, first, check_exact=True)


def test_the_order_of_events_moves_no_firm(made, without) -> None:
    result = study(made, made.prices, made.events(DAY0, GOOD[::-1]))
    for name in FIRM_TABLES:
        table = getattr(result, name).sort_values("symbol", kind="stable").reset_index(drop=True)
        assert_frame_equal(table, getattr(without, name), check_exact=True, obj=name)


def test_two_runs_are_equal(made, without) -> None:
    again = study(made, made.prices, made.events(DAY0, GOOD))
    for name, table in again.tables().items():
        assert_frame_equal(table, without.tables()[name], check_exact=True, obj=name)


@pytest.mark.parametrize("tau", [0, 3])
def test_a_valid_zero_return_at_the_windows_edge_is_a_return(made, tau: int) -> None:
    prices = made.prices.copy()
    prices.iloc[DAY0 + tau, 0] = prices.iloc[DAY0 + tau - 1, 0]
    result = study(made, prices, made.events(DAY0, GOOD))
    row = result.abnormal_returns.query("symbol == 'AAA' and tau == @tau").iloc[0]
    assert (row["status"], row["span"], row["ret"]) == ("traded", 1, 0.0)
    assert row["ar"] == -row["expected"]
    assert result.car((0, 3))["status"].tolist() == ["ok"] * 3


def test_valid_zero_returns_in_the_estimation_window_stay(made) -> None:
    prices = made.prices.copy()
    for place in range(40, 110, 7):
        prices.iloc[place, 0] = prices.iloc[place - 1, 0]
    model = study(made, prices, made.events(DAY0, GOOD)).models.iloc[0]
    r, m = np.diff(np.log(prices["AAA"].to_numpy()))[29:119], np.diff(np.log(made.benchmark.to_numpy()))[29:119]
    assert (r == 0).sum() == 10
    assert (model["nobs"], model["beta"]) == (90, pytest.approx(sm.OLS(r, sm.add_constant(m)).fit().params[1], rel=1e-10))


def test_degrees_of_freedom_and_sigma(made, without) -> None:
    r = np.diff(np.log(made.prices["BBB"].to_numpy()))[29:119]
    m = np.diff(np.log(made.benchmark.to_numpy()))[29:119]
    ols = sm.OLS(r, sm.add_constant(m)).fit()
    row = without.models.set_index("symbol").loc["BBB"]
    assert row["df_resid"] == 88
    assert_allclose([row["sigma"], row["alpha"], row["beta"]], [sqrt((ols.resid**2).sum() / 88), *ols.params])
    assert set(without.cars["df"]) == {88}


def test_standard_error_of_the_car_has_the_full_covariance(made, without) -> None:
    m = np.diff(np.log(made.benchmark.to_numpy()))
    x, xe = sm.add_constant(m[29:119]), sm.add_constant(m[129:133])
    v = np.eye(4) + xe @ np.linalg.inv(x.T @ x) @ xe.T  # MacKinlay, CLM ch. 4.4
    sigma = without.models.set_index("symbol")["sigma"]
    found = without.car((0, 3)).set_index("symbol")["se_car"]
    assert_allclose(found, sigma * sqrt(v.sum()))
    assert (found > sigma * sqrt(np.trace(v)) * 1.001).all()


@pytest.mark.parametrize("window", [(0, 3), (-5, -1)])
def test_the_first_abnormal_return_is_in_the_car(without, window: tuple[int, int]) -> None:
    lo, hi = window
    sums = without.abnormal_returns.query("@lo <= tau <= @hi").groupby("symbol")["ar"].agg(["sum", "size"])
    assert set(sums["size"]) == {hi - lo + 1}
    assert_allclose(without.car(window)["car"], sums["sum"])


def test_simple_returns_divide_by_the_start_price(made) -> None:
    result = study(made, made.prices, made.events(DAY0, GOOD), returns="simple")
    row = result.abnormal_returns.query("symbol == 'CCC' and tau == 0").iloc[0]
    before, after = made.prices["CCC"].iloc[[DAY0 - 1, DAY0]]
    assert row["ret"] == pytest.approx((after - before) / before, rel=1e-12)
    assert row["mkt"] == pytest.approx(made.benchmark.iloc[DAY0] / made.benchmark.iloc[DAY0 - 1] - 1, rel=1e-12)


def test_a_return_over_a_suspension_is_set_against_the_same_sessions_of_the_benchmark(made) -> None:
    row = spoilt(made, blank(DAY0, DAY0 + 1)).abnormal_returns.query("symbol == 'BAD' and tau == 2").iloc[0]
    assert row["span"] == 3
    assert row["mkt"] == pytest.approx(log(made.benchmark.iloc[DAY0 + 2] / made.benchmark.iloc[DAY0 - 1]), rel=1e-12)


def on_exchange_sessions(panel, name: str, last: str):
    from eventstudy.calendar import exchange_sessions

    made = panel(sessions=420)
    sessions = exchange_sessions(name, pd.Timestamp("2018-02-01").date()).sessions
    sessions = sessions[sessions <= pd.Timestamp(last)][-420:]
    return made.prices.iloc[: len(sessions)].set_axis(sessions), made.benchmark.iloc[: len(sessions)].set_axis(sessions)


def test_a_firm_whose_return_spans_a_holiday_stays(panel) -> None:
    prices, index = on_exchange_sessions(panel, "XSHG", "2019-10-31")
    events = pd.DataFrame({"event_id": "e", "symbol": GOOD, "session": "2019-10-08"})
    result = es.event_study(events, prices, index, windows=WINDOWS, calendar="XSHG", tests=["bmp"])
    rows = result.abnormal_returns.query("tau == 0")
    assert rows["span"].tolist() == [1, 1, 1]
    assert rows["ret"].tolist() == [log(prices.loc["2019-10-08", name] / prices.loc["2019-09-30", name]) for name in GOOD]
    assert result.caar.query("window_start == 0")["n"].tolist() == [3]


def test_windows_count_sessions_and_not_days(panel) -> None:
    prices, index = on_exchange_sessions(panel, "XSHG", "2019-10-31")
    events = pd.DataFrame({"event_id": "e", "symbol": GOOD, "session": "2019-10-08"})
    result = es.event_study(events, prices, index, windows=WINDOWS, calendar="XSHG", tests=["bmp"])
    assert set(result.models["nobs"]) == {90}
    assert result.abnormal_returns.query("symbol == 'AAA'")["tau"].tolist() == list(range(-5, 11))
    taken = result.abnormal_returns.query("symbol == 'AAA'")["session"].tolist()
    assert taken == [f"{day:%Y-%m-%d}" for day in prices.index if pd.Timestamp("2019-09-24") <= day <= pd.Timestamp("2019-10-22")]


def test_residuals_of_firms_with_different_event_dates_are_paired_by_session(made) -> None:
    rng = np.random.default_rng(2)
    twin = made.prices.assign(BBB=made.prices["AAA"] * np.exp(rng.normal(0, 1e-3, 170)))  # one firm, listed twice
    events = pd.concat([made.events(DAY0, ["AAA"]), made.events(DAY0 + 2, ["BBB"])])
    result = study(made, twin, events)
    assert result.computation.cross_section("all", (0, 3)).correlation.mean > 0.98


def test_rank_based_placebo_depends_on_the_window_and_not_on_its_first_day(without) -> None:
    found = without.tests.query("test == 'placebo_caar'").set_index("window_start")["statistic"]
    assert_allclose(found, without.caar.set_index("window_start")["caar"])
    assert found[0] != found[-5]


def test_one_share_under_two_symbols_stops_no_other_number(made, without) -> None:
    twins = made.prices.assign(BAD=made.prices["AAA"])
    result = study(made, twins, made.events(DAY0), tests="all")
    assert_good_firms_unmoved(result, without, ("models", "abnormal_returns"))
    row = result.tests.query("test == 'equal_effects' and window_start == 0").iloc[0]
    assert np.isnan(row["statistic"])
    assert row["reason"]


def test_both_sessions_of_a_date_never_take_the_name_of_another_event(panel) -> None:
    made = panel()
    both = {"announced_on": "2018-06-28", "timezone": "Asia/Shanghai", "date_only": "both"}
    other = {"event_id": "e-first", "symbol": "AAA", "session": "2018-06-22"}
    events = pd.DataFrame([{"event_id": "e", "symbol": "AAA"} | both, other])
    with pytest.raises(ConfigError, match="e-first"):  # the first half of `e` would be called the same
        es.event_study(events, made.prices, made.benchmark, windows=WINDOWS, calendar="XSHG")
