"""Every step alone on plain DataFrames: the road walked by hand is the study, and each step is right by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from pandas.testing import assert_frame_equal, assert_series_equal
from scipy import stats

import eventstudy as es
from eventstudy.errors import ConfigError, DataError

FIRMS = ("002230.SZ", "002415.SZ", "002236.SZ")
HIKVISION = "002415.SZ"
CARS = ["car", "se_car", "t", "df", "p_value", "ci_low", "ci_high", "status", "reason"]
MASK = ("2019-05-21", "2019-05-24")


def test_every_step_has_examples_and_says_what_it_returns_and_refuses() -> None:
    names = [name for name in es.__all__ if getattr(getattr(es, name), "__module__", "").startswith("eventstudy.steps")]
    assert len(names) > 15
    for name in names:
        text = getattr(es, name).__doc__
        assert "Examples\n" in text, name
        if name[0].islower():
            assert all(f"{part}\n" in text for part in ("Parameters", "Returns", "Raises")), name


# --- the road of the Entity List study, walked by hand ----------------------------------------------------------------------


class Road:
    """Sessions, status, rows, fits, abnormal returns and CARs of the three firms, step by step."""

    def __init__(self, plan: Any) -> None:
        prices = es.fetch_prices(FIRMS, start="2018-09-01", end="2019-11-15", source="snapshot")
        index = es.fetch_prices(["000300.SS"], start="2017-03-01", end="2019-11-15", source="snapshot", kind="index")
        days = es.sessions("XSHG", "2018-09-01", "2019-11-15")
        self.day0 = es.event_session("2019-10-07", timezone="America/New_York", calendar="XSHG")
        self.status = {firm: es.trading_status(prices, days, symbol=firm) for firm in FIRMS}
        self.rows = {
            firm: es.trade_rows(prices, index, status=self.status[firm], symbol=firm, event=self.day0, masks=[MASK])
            for firm in FIRMS
        }
        self.fits = {firm: es.MarketModel().fit(es.rows_inside(rows, plan.estimation)) for firm, rows in self.rows.items()}
        self.cars = {
            window: {
                firm: es.cumulative_abnormal_return(self.fits[firm], self.rows[firm], window, status=self.status[firm])
                for firm in FIRMS
            }
            for window in plan.car
        }
        self.held = {
            firm: es.buy_and_hold_return(prices, index, (0, 3), event=self.day0, status=self.status[firm], symbol=firm)
            for firm in FIRMS
        }


@pytest.fixture(scope="module")
def road(entity) -> Road:
    return Road(entity.computation.inputs.plan.windows)


def of_the_firms(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["symbol"].isin(FIRMS)].reset_index(drop=True)


def test_event_session_is_the_first_after_the_holiday(road: Road) -> None:
    assert road.day0 == pd.Timestamp("2019-10-08")


def test_two_sessions_of_hikvision_are_suspended(road: Road) -> None:
    status = road.status[HIKVISION]
    assert status.index[status == "suspended"].strftime("%m-%d").tolist() == ["10-08", "10-09"]
    row = road.rows[HIKVISION].query("tau == 2").iloc[0]
    assert (row["span"], row["ret"]) == (3, pytest.approx(np.log(30.90 / 32.30), rel=1e-12))


def test_fits_are_those_of_the_study(road: Road, entity) -> None:
    models = entity.models.set_index("symbol")
    for firm, fit in road.fits.items():
        got = [fit.nobs, fit.n_sessions, fit.df_resid, fit.sigma, fit.r_squared, *fit.params]
        assert got == models.loc[firm, ["nobs", "n_sessions", "df_resid", "sigma", "r_squared", "alpha", "beta"]].tolist()


def test_abnormal_returns_are_those_of_the_study(road: Road, entity) -> None:
    for firm, fit in road.fits.items():
        got = es.abnormal_returns(fit, es.rows_inside(road.rows[firm], (-10, 10)))
        want = entity.abnormal_returns.query("symbol == @firm and status == 'traded'")
        for name in ("tau", "span", "ret", "expected", "ar", "se_ar", "t", "p_value"):
            assert got[name].tolist() == want[name].tolist(), name


def test_cars_are_those_of_the_study(road: Road, entity) -> None:
    for window, cars in road.cars.items():
        want = entity.car(window).set_index("symbol").loc[list(FIRMS), CARS]
        got = pd.DataFrame({firm: car.to_series() for firm, car in cars.items()}).T[CARS]
        assert got[["status", "reason"]].to_numpy().tolist() == want[["status", "reason"]].to_numpy().tolist()
        np.testing.assert_array_equal(got[CARS[:-2]].astype(float), want[CARS[:-2]].astype(float), err_msg=str(window))


@pytest.mark.parametrize("window", [(0, 2), (0, 3), (-10, 10), (0, 0)])
def test_tests_across_firms_are_those_of_the_study(road: Road, entity, window: tuple[int, int]) -> None:
    names = [name for name in entity.tests["test"].unique() if name != "placebo_max"]
    names = [name for name in names if not name.endswith("difference") and name != "difference_t"]
    if window != (0, 3):
        names = [name for name in names if not name.startswith("bootstrap")]
    got = es.run_tests(road.cars[window], names, seed=20191007).set_index("name")
    keys = ["group", "window_start", "window_end"]
    want = entity.tests_in_full.set_index([*keys, "test"]).sort_index().loc[("all", *window)]
    columns = ["null", "n", "reason"]
    assert_frame_equal(got[columns], want.loc[names, columns], check_names=False)
    for name in ("statistic", "p_value", "p_left", "p_right", "floor", "df"):
        np.testing.assert_allclose(got[name].astype(float), want.loc[names, name].astype(float), rtol=1e-12, err_msg=name)


def test_tests_on_arrays_are_those_of_the_study(road: Road, entity) -> None:
    cars, fits = road.cars[0, 3], road.fits
    car, scar = ([getattr(one, name) for one in cars.values()] for name in ("car", "t"))
    residuals = pd.DataFrame({firm: fit.session_residuals for firm, fit in fits.items()})
    scaled = residuals / pd.Series({firm: fit.sigma for firm, fit in fits.items()})
    correlation, covariance = es.inference.residual_correlation(residuals), es.car_covariance(cars)
    positive = [(fit.residuals > 0).mean() for fit in fits.values()]
    df, factor = 214, (cars[HIKVISION].se_car / fits[HIKVISION].sigma) ** 2
    draws = es.placebo_cars(cars)
    found = [
        es.inference.cross_sectional_t(car), es.inference.patell(scar, df), es.inference.kp_patell(scar, df, correlation),
        es.inference.bmp(scar), es.inference.kp_bmp(scar, correlation), es.inference.portfolio_t(car, covariance, df),
        es.inference.crude_dependence(car, residuals, 4), es.inference.hotelling(car, residuals, df, factor),
        es.inference.equal_effects(car, residuals, df, factor), es.inference.wald_joint(car, covariance),
        es.inference.skewness_hall(car), es.inference.skewness_johnson(car), es.inference.generalized_sign(car, positive),
        es.inference.wilcoxon(car), es.inference.grank(scaled, scar), es.inference.grank_unscaled(scaled, scar),
    ]  # fmt: skip
    want = entity.tests.query("group == 'all' and window_start == 0 and window_end == 3").set_index("test")
    for test in found:
        assert [test.statistic, test.p_value] == pytest.approx(want.loc[test.name, ["statistic", "p_value"]].tolist(), rel=1e-9)
        assert (test.n, test.reason) == (3, want.loc[test.name, "reason"])
    placebo = es.inference.placebo_p_value(np.mean(car), draws.mean(axis=1))
    assert placebo == pytest.approx(want.loc["placebo_caar", "p_value"], rel=1e-12)


def test_adjusted_p_values_are_those_of_the_study(road: Road, entity) -> None:
    cars = entity.car((0, 3)).set_index("symbol").loc[list(FIRMS)]
    raw = pd.Series({firm: car.p_value for firm, car in road.cars[0, 3].items()})
    ordered = sorted(raw)
    assert es.inference.holm(raw)[raw.idxmin()] == pytest.approx(3 * ordered[0])
    assert es.inference.holm(raw).max() == pytest.approx(max(3 * ordered[0], 2 * ordered[1], ordered[2]))
    assert cars["p_value"].tolist() == raw.tolist()


def test_buy_and_hold_returns_are_those_of_the_study(road: Road, entity) -> None:
    want = entity.bhar.query("window_start == 0 and window_end == 3").set_index("symbol")
    for firm, held in road.held.items():
        assert [held.abnormal, held.firm, held.benchmark] == want.loc[firm, ["bhar", "firm_return", "benchmark_return"]].tolist()


def test_covariance_is_that_of_the_weights_of_each_session(road: Road) -> None:
    """By hand: CAR less its expectation is a sum over sessions of errors, so covariances are sums of products of weights."""
    cars = road.cars[0, 3]
    weights, residuals = {}, {}
    for firm, fit in road.fits.items():
        past, event = es.rows_inside(road.rows[firm], (-250, -31)), es.rows_inside(road.rows[firm], (0, 3))
        x = np.column_stack([past["span"], past["mkt"]])  # all spans are 1 in these estimation windows
        pull = np.linalg.solve(x.T @ x, [4, event["mkt"].sum()])
        weights[firm] = pd.concat([pd.Series(-x @ pull, index=past["end"]), pd.Series(1.0, index=range(263, 267))])
        residuals[firm] = fit.session_residuals
    correlation = pd.DataFrame(residuals).corr()
    got = es.car_covariance(cars)
    for a in FIRMS:
        for b in FIRMS:
            shared = (weights[a] * weights[b].to_numpy()).sum()
            want = correlation.loc[a, b] * road.fits[a].sigma * road.fits[b].sigma * shared
            assert got.loc[a, b] == pytest.approx(want, rel=1e-9)


# --- sessions and events ----------------------------------------------------------------------------------------------------


def test_sessions_leave_out_weekends_and_holidays() -> None:
    assert es.sessions("XSHG", "2019-09-27", dt.date(2019, 10, 8)).strftime("%d").tolist() == ["27", "30", "08"]
    assert len(es.sessions("XNYS", "2019-07-04", "2019-07-04")) == 0


@pytest.mark.parametrize(
    ("announced", "options", "want"),
    [
        ("2019-10-07", {"timezone": "America/New_York"}, "2019-10-08"),
        (dt.date(2019, 10, 7), {"timezone": "America/New_York"}, "2019-10-08"),
        (pd.Timestamp("2019-10-07"), {"timezone": "America/New_York"}, "2019-10-08"),
        (np.datetime64("2019-10-07"), {"timezone": "America/New_York"}, "2019-10-08"),
        ("2019-10-08T14:59:59+08:00", {}, "2019-10-08"),
        ("2019-10-08T15:00:00+08:00", {}, "2019-10-09"),  # at the close nobody can trade on it any more
        ("2019-10-08T15:00:00", {"timezone": "Asia/Shanghai"}, "2019-10-09"),
        (pd.Timestamp("2019-10-08 02:00", tz="America/New_York"), {}, "2019-10-08"),  # 14:00 in Shanghai
        (dt.datetime(2019, 10, 8, 8, tzinfo=dt.UTC), {}, "2019-10-09"),
        (pd.Timestamp("2019-10-08", tz="UTC"), {}, "2019-10-08"),  # an instant, not a date
        ("2019-10-08", {"timezone": "Asia/Shanghai", "date_only": "first"}, "2019-10-08"),
        ("2019-10-08", {"timezone": "Asia/Shanghai", "date_only": "last"}, "2019-10-09"),
        ("2019-10-12", {"timezone": "Asia/Shanghai"}, "2019-10-14"),  # a Saturday
    ],
)
def test_event_session(announced: Any, options: dict[str, Any], want: str) -> None:
    assert es.event_session(announced, calendar="XSHG", **options) == pd.Timestamp(want)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: es.sessions("XSHE", "2019-01-01", "2019-02-01"), "did you mean 'XSHG'"),
        (lambda: es.sessions("XSHG", "2019-02-01", "2019-01-01"), "lies before start"),
        (lambda: es.sessions("XSHG", "01/02/2019", "2019-02-01"), "start = '01/02/2019' is not a date"),
        (lambda: es.sessions("XSHG", "1980-01-01", "2019-01-01"), "begins on 1990"),
        (lambda: es.sessions("XSHG", "2019-01-01", "2190-01-01"), "published calendar of XSHG ends on"),
        (lambda: es.event_session("2019-10-07", calendar="XSHG"), "is a date alone.*give its timezone"),
        (lambda: es.event_session("2019-10-08", calendar="XSHG", timezone="Asia/Shanghai"), "two sessions of XSHG: 2019-10-08"),
        (lambda: es.event_session("2019-10-08T10:00:00", calendar="XSHG"), "neither an offset nor a timezone"),
        (lambda: es.event_session("2019-10-07", calendar="XSHG", timezone="EST"), "is not an IANA zone"),
        (lambda: es.event_session(None, calendar="XSHG"), "announced is empty"),
        (lambda: es.event_session(pd.NaT, calendar="XSHG"), "announced is empty"),
        (lambda: es.event_session("1989-06-01", calendar="XSHG", timezone="UTC"), "lies before the calendar"),
        (lambda: es.event_session("2150-06-01", calendar="XSHG", timezone="UTC"), "lies past the calendar"),
    ],
)
def test_sessions_and_events_that_cannot_be(call: Callable[[], Any], told: str) -> None:
    with pytest.raises((ConfigError, DataError), match=told):
        call()


# --- prices to rows ---------------------------------------------------------------------------------------------------------

DAYS = pd.to_datetime(["2019-09-27", "2019-09-30", "2019-10-08", "2019-10-09", "2019-10-10", "2019-10-11"])
CLOSES = [10.0, 11.0, 11.0, 11.0, 12.1, 12.705]
VOLUME = [5.0, 5.0, 0.0, 0.0, 5.0, 5.0]
STATUS = ["traded", "traded", "suspended", "suspended", "traded", "traded"]
INDEX = pd.Series([100.0, 110.0, 120.0, 130.0, 121.0, 130.0], index=DAYS)
SHARE = pd.DataFrame({"close": CLOSES, "volume": VOLUME}, index=DAYS)
TWO = pd.DataFrame({"A": CLOSES, "B": CLOSES}, index=DAYS)
TALLY = {"tau": [-1, 2, 3], "span": [1, 3, 1], "ret": [0.1, 0.1, 0.05], "mkt": [0.1, 0.1, 130 / 121 - 1]}

SHAPES: dict[str, Callable[[], Any]] = {
    "plain": lambda: SHARE,
    "unsorted": lambda: SHARE.sample(frac=1, random_state=1),
    "time zone": lambda: SHARE.tz_localize("Asia/Shanghai"),
    "text dates": lambda: SHARE.set_axis(DAYS.strftime("%Y-%m-%d")),
    "dates in a column": lambda: SHARE.rename_axis("date").reset_index(),
    "duplicate rows": lambda: pd.concat([SHARE, SHARE.iloc[[2]]]),
    "yfinance": lambda: SHARE.rename(columns=str.title).assign(Open=1.0),
    "yfinance, two levels": lambda: pd.concat({"A": SHARE.rename(columns=str.title)}, axis=1),
    "long": lambda: SHARE.rename_axis("date").reset_index().assign(symbol="A"),
    "blank closes": lambda: SHARE["close"].mask(SHARE["volume"] == 0),
    "absent rows": lambda: SHARE[SHARE["volume"] > 0],
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_status_and_rows_whatever_the_shape(name: str) -> None:
    prices = SHAPES[name]()
    assert es.trading_status(prices, DAYS).tolist() == STATUS
    rows = es.trade_rows(prices, INDEX, event="2019-10-08", returns="simple")
    for column, want in TALLY.items():
        assert rows[column].tolist() == pytest.approx(want, rel=1e-12), column
    assert rows.index.tolist() == [DAYS[1], DAYS[4], DAYS[5]]


KINDS = [list(DAYS), DAYS.to_numpy(), pd.Series(DAYS), DAYS.strftime("%Y%m%d"), DAYS.tz_localize("UTC")]


@pytest.mark.parametrize("sessions", KINDS)
def test_sessions_may_be_dates_of_any_kind(sessions: Any) -> None:
    assert_series_equal(es.trading_status(SHARE, sessions), es.trading_status(SHARE, DAYS), check_freq=False)


def test_volume_of_one_share_needs_no_name() -> None:
    volume = pd.Series(VOLUME, index=DAYS)
    for given in (volume, volume.to_frame("x"), pd.DataFrame({"A": volume, "B": 1.0})):
        assert es.trading_status(TWO, DAYS, symbol="A", volume=given).tolist() == STATUS


def test_exchange_by_name_has_the_sessions_between_the_dates() -> None:
    assert_series_equal(es.trading_status(SHARE, "XSHG"), es.trading_status(SHARE, DAYS), check_freq=False)
    by_name = es.trade_rows(SHARE, INDEX, sessions="XSHG", event="2019-10-08")
    assert_frame_equal(by_name, es.trade_rows(SHARE, INDEX, event="2019-10-08"), check_freq=False)


def test_status_of_the_user_goes_before_what_prices_suggest() -> None:
    status = es.trading_status(SHARE, DAYS).mask(DAYS == "2019-10-11", "suspended")
    assert es.trade_rows(SHARE, INDEX, status=status)["span"].tolist() == [1, 3]
    assert es.trading_status(SHARE, DAYS, suspended=[("2019-10-11", "2019-10-11")]).iloc[-1] == "suspended"


def test_absent_rows_are_missing_where_the_source_says_so() -> None:
    there = SHARE[SHARE["volume"] > 0]
    assert es.trading_status(there, DAYS, absent="missing").tolist()[2:4] == ["missing"] * 2
    assert es.trading_status(there.rename(columns=str.title), DAYS).tolist()[2:4] == ["missing"] * 2  # as yfinance has it
    assert es.trading_status(there.iloc[2:], DAYS).tolist()[:4] == ["not_listed"] * 4


def test_sessions_that_begin_after_the_prices_do_not_unlist_the_share() -> None:
    assert es.trading_status(SHARE[SHARE["volume"] > 0], DAYS[2:]).tolist() == ["suspended"] * 2 + ["traded"] * 2


def test_hole_in_the_benchmark_widens_the_span() -> None:
    rows = es.trade_rows(SHARE["close"] + [0, 0, 0.1, 0.2, 0, 0], INDEX.mask(INDEX.index == DAYS[2]), event="2019-10-08")
    assert rows["span"].tolist() == [1, 2, 1, 1]
    assert rows.loc[DAYS[3], "mkt"] == pytest.approx(np.log(130 / 110))


@pytest.mark.parametrize(
    ("treatment", "ret"),
    [
        ("lumped", [0.1, 0.0, 0.0, 0.1, 0.05]), ("uniform", [0.1] + [1.1 ** (1 / 3) - 1] * 3 + [0.05]), ("drop", [0.1, 0.05]),
    ],
)  # fmt: skip
def test_treatments_of_suspensions(treatment: Any, ret: list[float]) -> None:
    rows = es.trade_rows(SHARE, INDEX, event="2019-10-08", returns="simple", suspensions=treatment)
    assert rows["ret"].tolist() == pytest.approx(ret, abs=1e-12)
    assert set(rows["span"]) == {1}


def test_filled_rows_of_a_gap_that_closes_after_the_window_stay_outside() -> None:
    rows = es.trade_rows(SHARE, INDEX, event="2019-10-08", suspensions="lumped")
    assert es.rows_inside(rows, (-1, 1))["tau"].tolist() == [-1]
    assert es.rows_inside(rows, (-1, 2))["tau"].tolist() == [-1, 0, 1, 2]


def test_masked_rows_are_marked_and_left_out() -> None:
    rows = es.trade_rows(SHARE, INDEX, event="2019-10-11", masks=[("2019-10-08", "2019-10-08")])
    assert rows["masked"].tolist() == [False, True, False]  # the row over the suspension covers the masked session
    assert es.rows_inside(rows, (-10, 0))["span"].tolist() == [1, 1]


def test_factors_are_cumulated_over_the_sessions_of_a_row() -> None:
    factors = pd.DataFrame({"smb": [0.0, 0.01, 0.01, 0.02, -0.01, 0.0]}, index=DAYS)
    rows = es.trade_rows(SHARE, INDEX, returns="simple", factors=factors, indices={"world": INDEX * 2}, shifts=1)
    assert rows["smb"].tolist() == pytest.approx([0.01, 1.01 * 1.02 * 0.99 - 1, 0.0])
    assert rows["world"].tolist() == pytest.approx(rows["mkt"].tolist())
    assert rows["market-1"].iloc[2] == pytest.approx(121 / 130 - 1)


def test_dividends_and_splits_are_part_of_the_return() -> None:
    prices = pd.DataFrame({"close": [10.0, 9.5, 5.0], "dividend": [0, 0.5, 0], "split": [1, 1, 2.0]}, index=DAYS[:3])
    assert es.trade_rows(prices, INDEX[:3], returns="simple")["ret"].tolist() == pytest.approx([0.0, 10 / 9.5 - 1])




@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: es.trading_status(TWO, DAYS), r"prices has 2 shares \(A, B\): give the symbol"),
        (lambda: es.trading_status(TWO, DAYS, symbol="C"), "prices has no C: it has A, B"),
        (lambda: es.trading_status(SHARE * 0, DAYS), "close 0 on 2019-09-27 is not a price"),
        (lambda: es.trading_status(pd.concat([SHARE, 2 * SHARE]), DAYS), "two rows of 2019-09-27 disagree"),
        (lambda: es.trading_status(SHARE.set_axis(DAYS.strftime("%d.%m.%Y")), DAYS), "is not a date"),
        (lambda: es.trading_status(SHARE, DAYS[::-1]), "sessions are not in order"),
        (lambda: es.trading_status(SHARE, 5), "sessions is a int"),  # type: ignore[arg-type]
        (lambda: es.trading_status(SHARE, DAYS[:0]), "sessions is empty"),
        (lambda: es.trading_status(SHARE["close"] * np.nan, DAYS), "there is no close in it"),
        (lambda: es.trading_status(SHARE, DAYS, suspended=[("2019-10-09", "2019-10-08")]), "runs backwards"),
        (lambda: es.trading_status(SHARE, DAYS, suspended=("2019-10-08", "2019-10-09")), "pairs of dates"),  # type: ignore[arg-type]
        (lambda: es.trade_rows(SHARE, INDEX, masks=[("2019-10-09", "2019-10-08")]), "2019-10-09 to 2019-10-08 runs backwards"),
        (lambda: es.trade_rows(SHARE, INDEX, shifts=-1), "shifts = -1"),
        (lambda: es.trade_rows(SHARE, INDEX, indices={"mkt": INDEX}), "a factor cannot be called 'mkt'"),
        (lambda: es.trade_rows(TWO, INDEX, symbol="A", volume=TWO.set_axis(["X", "Y"], axis=1)), "volume has the columns X, Y"),
        (lambda: es.trading_status(SHARE, DAYS, absent="gone"), "absent = 'gone'"),  # type: ignore[arg-type]
        (lambda: es.trade_rows(SHARE, INDEX, event="2019-10-07"), "event = 2019-10-07 is no session"),
        (lambda: es.trade_rows(SHARE, INDEX, returns="percent"), "returns = 'percent'"),  # type: ignore[arg-type]
        (lambda: es.trade_rows(SHARE, INDEX, suspensions="ignore"), "suspensions = 'ignore'"),  # type: ignore[arg-type]
        (lambda: es.trade_rows(SHARE, INDEX * 0), "benchmark: close 0"),
        (lambda: es.trade_rows(SHARE, INDEX.set_axis(DAYS + pd.Timedelta(days=2000)), sessions=DAYS), "none of its dates"),
        (lambda: es.trade_rows(SHARE, INDEX, status=pd.Series("open", index=DAYS)), "status is 'open' on 2019-09-27"),
        (
            lambda: es.trade_rows(SHARE.iloc[1:], INDEX, status=pd.Series("traded", index=DAYS)),
            "status says traded on 2019-09-27, and prices has no close",
        ),
    ],
)
def test_prices_that_cannot_be_used(call: Callable[[], Any], told: str) -> None:
    with pytest.raises((ConfigError, DataError), match=told):
        call()


# --- models on plain rows ---------------------------------------------------------------------------------------------------


def drawn(count: int = 60, seed: int = 1, spans: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    span = rng.choice([1, 1, 1, 2, 4], count) if spans else np.ones(count, dtype=int)
    mkt, rf, smb = (np.sqrt(span) * rng.normal(0, size, count) for size in (0.01, 0.0001, 0.005))
    ret = 0.0005 * span + 1.2 * mkt + 0.5 * smb + np.sqrt(span) * rng.normal(0, 0.02, count)
    return pd.DataFrame({"ret": ret, "mkt": mkt, "span": span, "rf": rf, "smb": smb})


WEIGHTED: dict[str, tuple[Any, Callable[[pd.DataFrame], tuple[pd.Series, list[Any]]]]] = {
    "mean": (es.ConstantMean(), lambda rows: (rows["ret"], [rows["span"]])),
    "market": (es.MarketModel(), lambda rows: (rows["ret"], [rows["span"], rows["mkt"]])),
    "capm": (es.Capm("rf"), lambda rows: (rows["ret"] - rows["rf"], [rows["span"], rows["mkt"] - rows["rf"]])),
    "factors": (es.FactorModel(["mkt", "smb"]), lambda rows: (rows["ret"], [rows["span"], rows["mkt"], rows["smb"]])),
    "factors over the risk-free": (
        es.FactorModel(["smb"], risk_free="rf"), lambda rows: (rows["ret"] - rows["rf"], [rows["span"], rows["smb"]]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WEIGHTED)
def test_fit_is_weighted_least_squares_with_the_span_as_intercept(name: str) -> None:
    model, parts = WEIGHTED[name]
    rows = drawn()
    y, x = parts(rows)
    want = sm.WLS(y.to_numpy(), np.column_stack(x), weights=1 / rows["span"].to_numpy()).fit()
    fit = model.fit(rows)
    assert fit.params.tolist() == pytest.approx(want.params.tolist(), rel=1e-10)
    assert fit.std_errors.tolist() == pytest.approx(want.bse.tolist(), rel=1e-10)
    assert fit.sigma**2 == pytest.approx(want.scale, rel=1e-10)
    assert fit.results.params.tolist() == pytest.approx(want.params.tolist(), rel=1e-10)
    assert fit.results.model.exog_names == fit.params.index.tolist()
    assert (fit.nobs, fit.n_sessions, fit.df_resid) == (60, rows["span"].sum(), 60 - len(x))


def test_market_adjusted_estimates_nothing() -> None:
    rows = drawn()
    fit = es.MarketAdjusted().fit(rows)
    assert fit.results is None
    assert fit.sigma**2 == pytest.approx(((rows["ret"] - rows["mkt"]) ** 2 / rows["span"]).mean(), rel=1e-12)
    assert (fit.df_resid, fit.params.empty) == (60, True)


def test_prediction_is_that_of_a_dummy_regression() -> None:
    """A dummy for one row has the row's abnormal return as its coefficient, and its standard error of prediction."""
    rows = drawn()
    held = rows.iloc[[59]]
    got = es.abnormal_returns(es.MarketModel().fit(rows.iloc[:59]), held).iloc[0]
    x = np.column_stack([rows["span"], rows["mkt"], np.arange(60) == 59])
    want = sm.WLS(rows["ret"].to_numpy(), x, weights=1 / rows["span"].to_numpy()).fit()
    assert [got["ar"], got["se_ar"], got["t"]] == pytest.approx([want.params[2], want.bse[2], want.tvalues[2]], rel=1e-9)


def test_car_is_that_of_a_dummy_over_the_window() -> None:
    rows = drawn(spans=False).assign(tau=np.arange(-56, 4))
    fit = es.MarketModel().fit(es.rows_inside(rows, (-56, -1)))
    got = es.cumulative_abnormal_return(fit, rows, (0, 3))
    x = np.column_stack([np.ones(60), rows["mkt"], np.eye(60)[:, 56:]])
    want = sm.OLS(rows["ret"].to_numpy(), x).fit()
    test = want.t_test([0, 0, 1, 1, 1, 1])
    assert got.car == pytest.approx(float(np.squeeze(test.effect)), rel=1e-9)
    assert got.se_car == pytest.approx(float(np.squeeze(test.sd)), rel=1e-9)
    assert got.p_value == pytest.approx(2 * stats.t.sf(abs(got.t), 54), rel=1e-12)
    assert [got.ci_low, got.ci_high] == pytest.approx(np.squeeze(test.conf_int(0.05)).tolist(), rel=1e-9)
    daily = es.abnormal_returns(fit, es.rows_inside(rows, (0, 3)))
    assert daily["ar"].sum() == pytest.approx(got.car, rel=1e-12)
    assert got.se_car > np.sqrt((daily["se_ar"] ** 2).sum())  # the days share the estimated parameters


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.sample(frac=1, random_state=2),
        lambda rows: rows.set_axis(pd.bdate_range("2018-01-01", periods=60)).drop(columns="tau").sample(frac=1, random_state=2),
        lambda rows: rows.assign(session=pd.bdate_range("2018-01-01", periods=60)).drop(columns="tau").iloc[::-1],
        lambda rows: rows.set_axis(pd.bdate_range("2018-01-01", periods=60, tz="Asia/Tokyo")),
        lambda rows: rows.astype({"ret": object, "mkt": "Float64", "span": float}),
        lambda rows: rows.drop(columns="span"),
        lambda rows: pd.concat([rows, rows.iloc[[5]].assign(ret=9.0, tau=99)]).assign(masked=[False] * 60 + [True]),
    ],
    ids=["shuffled", "index of dates", "column of sessions", "zone", "dtypes", "no span", "masked row"],
)
def test_order_and_dtypes_of_rows_do_not_matter(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    rows = drawn(spans=False).assign(tau=np.arange(60))
    want, got = es.MarketModel().fit(rows), es.MarketModel().fit(change(rows))
    assert got.params.tolist() == want.params.tolist()
    assert sorted(got.residuals) == sorted(want.residuals)


def test_rows_come_back_as_they_were_given() -> None:
    rows = drawn().assign(tau=lambda table: table["span"].cumsum())
    before = rows.copy()
    fit = es.MarketModel().fit(rows)
    es.cumulative_abnormal_return(fit, rows, (1, 3))
    assert_frame_equal(rows, before)
    assert fit.residuals.index.tolist() == rows.index.tolist()


def test_residuals_are_paired_with_the_labels_of_their_rows() -> None:
    rows = drawn().set_axis([f"row {place}" for place in range(60)])
    fit = es.MarketModel().fit(rows)
    row = rows.loc["row 7"]
    by_hand = row["ret"] - fit.params["alpha"] * row["span"] - fit.params["beta"] * row["mkt"]
    assert fit.residuals["row 7"] == pytest.approx(by_hand / np.sqrt(row["span"]), rel=1e-12)
    assert len(fit.session_residuals) == (rows["span"] == 1).sum()


ROBUST = [es.MarketModel(estimator="huber"), es.MarketModel(estimator="lad"), es.MarketModel(cov="hac")]


@pytest.mark.parametrize("model", ROBUST, ids=["huber", "lad", "hac"])
def test_other_estimators_on_plain_rows(model: Any) -> None:
    rows = drawn(200, spans=False)
    z, y = np.column_stack([np.ones(200), rows["mkt"]]), rows["ret"].to_numpy()
    if model.cov == "hac":
        want = sm.OLS(y, z).fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": True})
        assert model.fit(rows).std_errors.tolist() == pytest.approx(want.bse.tolist(), rel=1e-9)
    elif model.estimator == "huber":
        assert model.fit(rows).params.tolist() == pytest.approx(sm.RLM(y, z).fit(maxiter=500).params.tolist(), rel=1e-6)
    else:
        assert model.fit(rows).params.tolist() == pytest.approx(sm.QuantReg(100 * y, z).fit(0.5).params / 100, rel=1e-6)


def test_thin_trading_betas_from_shifted_returns(panel) -> None:
    made = panel()
    rows = es.trade_rows(made.prices["AAA"], made.benchmark, shifts=1)
    used = rows.iloc[1:-1]
    z = sm.add_constant(used[["market-1", "mkt", "market+1"]].to_numpy())
    want = sm.OLS(used["ret"].to_numpy(), z).fit().params[1:].sum()
    assert es.Dimson().fit(rows).params["beta"] == pytest.approx(want, rel=1e-10)
    slopes = [stats.linregress(used[name], used["ret"]).slope for name in ("market-1", "mkt", "market+1")]
    rho = np.corrcoef(used["mkt"], used["market-1"])[0, 1]
    assert es.ScholesWilliams().fit(rows).params["beta"] == pytest.approx(sum(slopes) / (1 + 2 * rho), rel=1e-10)


def test_garch_on_plain_rows(panel) -> None:
    pytest.importorskip("arch")
    made = panel()
    rows = es.trade_rows(made.prices["AAA"], made.benchmark)
    assert es.Garch().fit(rows).nobs == 159
    with pytest.raises(DataError, match="GARCH runs from session to session"):
        es.Garch().fit(rows.drop(rows.index[50]))


GOOD = pd.DataFrame({"ret": [0.02, -0.01, 0.03, 0.0], "mkt": [0.01, -0.01, 0.02, 0.0], "span": 1})


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (GOOD.drop(columns="mkt"), "rows has no column mkt: it has ret, span"),
        (GOOD.assign(ret=[0.1, np.nan, 0.2, 0.3]), "ret is nan in row 1"),
        (GOOD.assign(mkt=[0.1, np.inf, 0.2, 0.3]), "mkt is inf in row 1"),
        (GOOD.assign(ret="much"), "column ret holds"),
        (GOOD.assign(span=[1, 0, 1, 1]), "span is 0"),
        (GOOD.assign(span=[1, 1.5, 1, 1]), "span is 1.5: it counts sessions"),
        (GOOD.assign(tau=[1, 2, 3, 3]), "rows 2 and 3 cover the same session"),
        (GOOD.assign(tau=[1, 2, 3, 5], span=[1, 1, 1, 3]), "rows 2 and 3 cover the same session"),
        (GOOD.assign(tau=[1, 2, 3, 4], end=[1, 2, 3, 5]), "end and tau do not count the same"),
        (GOOD.set_axis(pd.DatetimeIndex(["2019-01-02"] * 4)), "two rows end on 2019-01-02"),
        (GOOD.iloc[:2], "2 observations cannot estimate 2 parameters: take a longer window or earlier prices"),
        (GOOD.iloc[:0], "0 observations cannot estimate 2 parameters"),
        (GOOD.assign(mkt=0.01), "collinear"),
        (GOOD.assign(ret=2 * GOOD["mkt"]), "never deviates"),
        (GOOD.to_numpy(), "rows is a ndarray"),
    ],
)
def test_rows_that_cannot_be_fitted(rows: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        es.MarketModel().fit(rows)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: es.MarketModel(estimator="ridge").fit(GOOD), "estimator = 'ridge'"),  # type: ignore[arg-type]
        (lambda: es.MarketModel(estimator="lad", cov="hac").fit(GOOD), "is for estimator = 'ols'"),
        (lambda: es.FactorModel([]), "name one factor or more"),
        (lambda: es.Dimson(lags=0, leads=0), "one of the two at least"),
        (lambda: es.Dimson(lags=2, leads=1, fowler_rorke=True), "as many leads as lags"),
    ],
)
def test_models_that_cannot_be(make: Callable[[], Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make()


# --- CARs that are undefined ------------------------------------------------------------------------------------------------


def reasons(prices: Any, index: pd.Series, windows: list[tuple[int, int]], **options: Any) -> tuple[list[str], list[str]]:
    """Reasons with and without the trading status, on the sessions of DAYS."""
    status = es.trading_status(prices, DAYS)
    rows = es.trade_rows(prices, index, status=status, event="2019-10-08", **options)
    fit = es.ConstantMean().fit(GOOD)
    cars = [es.cumulative_abnormal_return(fit, rows, window, status=status) for window in windows]
    bare = [es.cumulative_abnormal_return(fit, rows, window) for window in windows]
    assert all(np.isnan([car.car, car.se_car, car.p_value]).all() == bool(car.reason) for car in cars)
    return [car.reason for car in cars], [car.reason for car in bare]


def test_reason_of_a_window_that_is_not_covered() -> None:
    told, bare = reasons(SHARE, INDEX, [(0, 1), (1, 3), (0, 2), (-1, 3), (2, 5)])
    assert told == ["not_resumed", "straddles_start", "", "", "data_end"]
    assert bare == ["not_covered", "not_covered", "", "", "not_covered"]


def test_reason_of_a_hole_in_the_benchmark_or_of_dropped_rows() -> None:
    prices = SHARE["close"] + [0, 0, 0.1, 0.2, 0, 0]
    assert reasons(prices, INDEX.mask(INDEX.index == DAYS[2]), [(-1, 0), (0, 1)])[0] == ["benchmark_missing", ""]
    assert reasons(SHARE, INDEX, [(0, 2)], suspensions="drop")[0] == ["gap_dropped"]
    assert reasons(SHARE, INDEX, [(0, 2)], masks=[("2019-10-10", "2019-10-10")])[0] == ["masked_event"]


def test_representations_are_readable(road: Road) -> None:
    assert repr(road.cars[0, 0][HIKVISION]) == "CAR[0, 0] undefined: not_resumed"
    assert repr(road.cars[0, 2][HIKVISION]).startswith("CAR[0, 2] = -6.58")
    assert "95% interval" in repr(road.cars[0, 2][HIKVISION])
    assert repr(road.fits[HIKVISION]).splitlines()[1].split()[0] == "alpha"
    assert "216 rows over 216 sessions" in repr(road.fits[HIKVISION])
    assert repr(road.held[HIKVISION]).startswith("buy-and-hold return: firm -5.")


# --- several firms ----------------------------------------------------------------------------------------------------------


def car_of(seed: int, days: pd.DatetimeIndex | None = None, **columns: Any) -> es.CumulativeAbnormalReturn:
    rows = drawn(61, seed, spans=False).assign(tau=np.arange(-60, 1), **columns)
    rows = rows if days is None else rows.set_axis(days)
    return es.cumulative_abnormal_return(es.MarketModel().fit(es.rows_inside(rows, (-60, -1))), rows, (0, 0))


def test_undefined_cars_are_left_out_of_the_tests() -> None:
    rows = drawn(61, 9, spans=False).assign(tau=np.arange(-60, 1))
    fit = es.MarketModel().fit(rows.iloc[:60])
    cars = {"A": car_of(1), "B": car_of(2), "C": es.cumulative_abnormal_return(fit, rows.iloc[:60], (0, 0))}
    table = es.run_tests(cars, ["cross_sectional_t", "patell"])
    assert table["n"].tolist() == [2, 2]
    assert es.car_covariance(cars).index.tolist() == ["A", "B"]
    assert table["statistic"].iloc[0] == pytest.approx(stats.ttest_1samp([cars["A"].car, cars["B"].car], 0).statistic)


def test_without_a_car_every_test_says_so() -> None:
    rows = drawn(61, 9, spans=False).assign(tau=np.arange(-60, 1))
    gone = es.cumulative_abnormal_return(es.MarketModel().fit(rows.iloc[:60]), rows.iloc[:60], (0, 0))
    assert set(es.run_tests([gone])["reason"]) == {"no_firms"}
    with pytest.raises(DataError, match="no CAR is defined"):
        es.car_covariance([gone])
    with pytest.raises(DataError, match="no CAR is defined"):
        es.placebo_cars([gone])


def test_firms_with_other_sessions_are_refused_and_events_on_other_days_are_not_correlated() -> None:
    days = pd.bdate_range("2018-01-01", periods=200)
    with pytest.raises(DataError, match="count their sessions from different days"):
        es.run_tests([car_of(1, days[:61]), car_of(2, days[100:161])])
    later = car_of(2, days[61:122], end=np.arange(61, 122))
    covariance = es.car_covariance([car_of(1, days[:61], end=np.arange(61)), later])
    assert covariance.loc[0, 1] == 0.0


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda car: es.run_tests([car], "grank2"), "tests = 'grank2' is none of"),
        (lambda car: es.run_tests([0.01, 0.02]), "es.inference"),
        (lambda car: es.run_tests([car, es.cumulative_abnormal_return(car.fit, GOOD.assign(tau=range(4)), (1, 2))]), "2 windows"),
        (lambda car: es.cumulative_abnormal_return(car.fit, GOOD, (0, 0)), "rows has no column tau"),
        (lambda car: es.cumulative_abnormal_return(car.fit, GOOD.assign(tau=range(4)), (3, 0)), "runs backwards"),
        (lambda car: es.cumulative_abnormal_return(car.fit, GOOD.assign(tau=range(4)), (0, 3), alpha=5), "alpha = 5"),
        (lambda car: es.rows_inside(GOOD, (0, 1)), "rows has no column tau"),
        (lambda car: es.abnormal_returns(car.fit.results, GOOD), "give what the fit of a model returns"),
    ],
)
def test_calls_that_cannot_be(call: Callable[[Any], Any], told: str) -> None:
    with pytest.raises((ConfigError, DataError), match=told):
        call(car_of(1))
