"""Scholes and Williams, Dimson, Fowler and Rorke: against statsmodels used directly, and shares that trade late."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from firms import DAY0, ESTIMATION, GAPS, listing
from numpy.testing import assert_allclose
from scipy import stats

import eventstudy as es
from eventstudy.abnormal import abnormal_returns, cumulate
from eventstudy.errors import ConfigError, DataError
from eventstudy.further import shifted_factor
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.placebo import placebo_draws
from eventstudy.inference.registry import run_test
from eventstudy.models.thin import Dimson, ScholesWilliams, ThinTrading, shifted
from eventstudy.returns import Rows, trade_rows
from eventstudy.trading import Listing

MODELS = [ScholesWilliams(), Dimson(), Dimson(2, 1), Dimson(0, 2), Dimson(1, 1, True), Dimson(2, 2, True)]
NAMES = ["sw", "dimson", "dimson21", "dimson02", "fr1", "fr2"]


def prepared(model: ThinTrading, away: tuple[int, ...] = ()) -> Listing:
    made = listing(1, away)
    return replace(made, factors={shifted(by): shifted_factor(made.benchmark, by) for by in model.shifts})


def sample(made: Listing, model: ThinTrading) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Returns of the share on the usable sessions, and the market's by shift, from the levels."""
    r, m = np.diff(np.log(made.level), prepend=np.nan), np.diff(np.log(made.benchmark), prepend=np.nan)
    places = np.array([s for s in range(1 + model.lags, 121 - model.leads) if np.isfinite(r[s])])
    return r[places], {by: m[places + by] for by in range(-model.lags, model.leads + 1)}


def beta_by_hand(model: ThinTrading, r: np.ndarray, m: dict[int, np.ndarray]) -> float:
    if isinstance(model, ScholesWilliams):
        slopes = [np.cov(r, m[by])[0, 1] / m[by].var(ddof=1) for by in (-1, 0, 1)]
        return float(sum(slopes) / (1 + 2 * np.corrcoef(m[0], m[-1])[0, 1]))
    order = sorted(m)
    b = dict(zip(order, sm.OLS(r, sm.add_constant(np.column_stack([m[by] for by in order]))).fit().params[1:], strict=True))
    if not isinstance(model, Dimson) or not model.fowler_rorke:
        return float(sum(b.values()))
    one = np.corrcoef(m[0], m[-1])[0, 1]
    if model.lags == 1:
        return float(b[0] + (b[-1] + b[1]) * (1 + one) / (1 + 2 * one))
    two = np.corrcoef(m[0], m[-2])[0, 1]
    whole = 1 + 2 * one + 2 * two
    return float(b[0] + (b[-1] + b[1]) * (1 + 2 * one + two) / whole + (b[-2] + b[2]) * (1 + one + two) / whole)


@pytest.mark.parametrize("away", [(), GAPS[:6]], ids=["complete", "suspensions"])
@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_betas_ars_and_cars_by_hand(model: ThinTrading, away: tuple[int, ...]) -> None:
    made = prepared(model, away)
    rows = trade_rows(made)
    fit = model.fit(rows.inside(*ESTIMATION))
    r, m = sample(made, model)
    beta = beta_by_hand(model, r, m)
    alpha = r.mean() - beta * m[0].mean()
    assert_allclose(fit.params, [alpha, beta], rtol=1e-9)
    s2 = ((r - alpha - beta * m[0]) ** 2).sum() / (len(r) - 2)
    assert_allclose([fit.sigma**2, fit.nobs, fit.df_resid], [s2, len(r), len(r) - 2])
    event = rows.inside(DAY0, DAY0 + 3)
    assert_allclose(abnormal_returns(fit, event).ar, event.ret - alpha - beta * event.mkt)
    car = cumulate(fit, made, rows, DAY0, (0, 3))
    x = np.column_stack([np.ones(len(r)), m[0]])
    total = np.r_[4.0, event.mkt.sum()]
    assert_allclose(car.car, event.ret.sum() - total @ fit.params)
    assert_allclose(car.se, np.sqrt(s2 * (4 + total @ np.linalg.inv(x.T @ x) @ total)))


def test_a_return_over_a_suspension_has_no_ar_and_its_window_no_car() -> None:
    model = Dimson()
    made = prepared(model, (131, 132))
    rows = trade_rows(made)
    fit = model.fit(rows.inside(*ESTIMATION))
    assert cumulate(fit, made, rows, DAY0, (0, 4)).reason == "multi_session_row"
    assert cumulate(fit, made, rows, DAY0, (3, 6)).reason == ""
    assert abnormal_returns(fit, rows.inside(DAY0, DAY0 + 4)).rows.end.tolist() == [134, 135]


def test_the_last_sessions_need_no_lead() -> None:
    made = prepared(Dimson())
    assert trade_rows(made).end[-1] == 149
    assert np.isnan(trade_rows(made).factors["market+1"][-1])


@pytest.mark.parametrize("model", [ScholesWilliams(), Dimson()], ids=["sw", "dimson"])
def test_placebo_blocks_are_predicted_by_a_fit_without_them(model: ThinTrading) -> None:
    made = prepared(model)
    rows = trade_rows(made)
    fit = model.fit(rows.inside(*ESTIMATION))
    draws, _ = placebo_draws(CrossSection((0, 2), (FirmCar(made, fit, DAY0, cumulate(fit, made, rows, DAY0, (0, 2))),)))
    assert len(draws.draws) == 118 - 2
    r, m = sample(made, model)
    for place in (0, 40, 115):
        out = np.isin(np.arange(118), np.arange(place, place + 3))
        beta = beta_by_hand(model, r[~out], {by: moved[~out] for by, moved in m.items()})
        alpha = r[~out].mean() - beta * m[0][~out].mean()
        assert_allclose(draws.draws[place], (r - alpha - beta * m[0])[out].sum())


def test_tests_of_least_squares_are_undefined() -> None:
    made, model = prepared(Dimson()), Dimson()
    rows = trade_rows(made)
    fit = model.fit(rows.inside(*ESTIMATION))
    cross = CrossSection((0, 2), (FirmCar(made, fit, DAY0, cumulate(fit, made, rows, DAY0, (0, 2))),))
    assert run_test("portfolio_t", cross).reason == "not_least_squares"


def test_size_of_the_approximate_t_is_near_nominal() -> None:
    rng, rejected, draws = np.random.default_rng(12), 0, 300
    model, ends = Dimson(), np.arange(1, 103)
    for _ in range(draws):
        market = rng.normal(0, 0.012, 104)
        moved = {shifted(-1): market[:102], shifted(1): market[2:]}
        ret = 1.2 * market[1:103] + 0.02 * rng.standard_normal(102)
        rows = Rows(ends, np.ones(102, dtype=int), ends, ret, market[1:103], moved)
        found = abnormal_returns(model.fit(rows.take(rows.end < 102)), rows.take(rows.end == 102))
        rejected += found.p_value[0] < 0.05
    assert stats.binomtest(rejected, draws, 0.05).pvalue > 0.001


@pytest.mark.parametrize("model", ["scholes_williams", "dimson"])
def test_the_beta_of_a_share_that_trades_late_is_recovered(model: str) -> None:
    rng = np.random.default_rng(6)
    days = pd.bdate_range("2010-01-04", periods=2600)
    true = rng.normal(0, 0.01, 2601)
    late = 0.6  # of the market's day comes into the share's price on the next one
    index = pd.Series(np.exp(np.cumsum(true[1:])) * 100, index=days)
    share = 1.5 * ((1 - late) * true[1:] + late * true[:-1]) + rng.normal(0, 0.01, 2600)
    prices = pd.DataFrame({"AAA": np.exp(np.cumsum(share)) * 10}, index=days)
    events = pd.DataFrame([{"event_id": "e", "symbol": "AAA", "session": f"{days[2550]:%Y-%m-%d}"}])
    windows = es.Windows(estimation=(-2500, -31), event=(-5, 5), car=[(0, 2)])
    found = {
        name: es.event_study(events, prices, index, windows=windows, model=name, tests=["patell"]).models.loc[0, "beta"]
        for name in ("market", model)
    }
    assert found["market"] == pytest.approx(0.6, abs=0.07)
    assert found[model] == pytest.approx(1.5, abs=0.12)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model": "dimson", "suspensions": "lumped"}, "makes up others"),
        ({"model": "scholes_williams", "suspensions": "uniform"}, "makes up others"),
        ({"model": "dimson", "estimator": "huber"}, "an estimator of its own"),
        ({"model": "dimson", "lags": 2, "fowler_rorke": True}, "as many leads as lags"),
        ({"model": "dimson", "leads": 9}, "leads = 9"),
    ],
)
def test_what_does_not_go_together_is_refused(panel, options: dict, told: str) -> None:
    made, windows = panel(), es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    with pytest.raises(ConfigError, match=told):
        es.event_study(made.events(130), made.prices, made.benchmark, windows=windows, **options)


def test_too_few_observations_are_told_with_what_to_do() -> None:
    made = listing(1)
    made = replace(made, factors={shifted(by): shifted_factor(made.benchmark, by) for by in (-1, 1)})
    told = "single-session observations cannot estimate slopes on 3 sessions of the market: take a longer window"
    with pytest.raises(DataError, match=told):
        Dimson().fit(trade_rows(made).inside(ESTIMATION[1] - 3, ESTIMATION[1]))


def test_a_market_that_stands_still_has_no_slopes() -> None:
    made = listing(1, index=np.zeros(150))
    made = replace(made, factors={shifted(by): shifted_factor(made.benchmark, by) for by in (-1, 1)})
    with pytest.raises(DataError, match="collinear"):
        Dimson().fit(trade_rows(made).inside(*ESTIMATION))


def test_from_a_config_to_the_tables(panel, study_on_disk) -> None:
    made = panel()
    result = es.run_study(study_on_disk(made, made.events(130), model={"name": "dimson", "lags": 2, "leads": 1}))
    assert {"slope-2", "slope-1", "slope_0", "slope+1"} <= set(result.models.columns)
    assert result.models["nobs"].tolist() == [87] * 3
    assert (result.cars["status"] == "ok").all()
    assert "approximate_se" in set(result.notes["code"])
