"""One firm: estimators against closed forms, statsmodels, scipy and brute force."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from firms import DAY0, ESTIMATION, GAPS, MODELS, firm, fitted, joined, listing
from numpy.testing import assert_allclose
from scipy import stats

import eventstudy as es
from eventstudy.abnormal import abnormal_returns, cumulate, session_weights
from eventstudy.diagnostics import minimum_detectable_effect, pre_event_sd_ratio
from eventstudy.errors import DataError
from eventstudy.models import ConstantMean, MarketAdjusted, MarketModel
from eventstudy.returns import Rows, trade_rows
from eventstudy.trading import Listing


def test_variance_of_one_ar_is_mackinlays() -> None:
    # MacKinlay (1997), eq. 8: sigma^2 [1 + 1/L1 + (m - mean)^2 / sum (m - mean)^2]
    _, rows, fit = fitted()
    event = rows.inside(DAY0, DAY0)
    m, r = fit.rows.mkt, fit.rows.ret
    beta = np.cov(r, m, ddof=1)[0, 1] / m.var(ddof=1)
    errors = r - r.mean() - beta * (m - m.mean())
    s2 = (errors @ errors) / (len(m) - 2)
    want = s2 * (1 + 1 / len(m) + (event.mkt[0] - m.mean()) ** 2 / ((m - m.mean()) ** 2).sum())
    assert_allclose(abnormal_returns(fit, event).se[0] ** 2, want)


def test_abnormal_returns_equal_statsmodels_prediction() -> None:
    _, rows, fit = fitted()
    event = rows.inside(DAY0, DAY0 + 5)
    ols = sm.OLS(fit.rows.ret, sm.add_constant(fit.rows.mkt)).fit()
    prediction = ols.get_prediction(sm.add_constant(event.mkt))
    found = abnormal_returns(fit, event)
    assert_allclose(found.expected, prediction.predicted_mean)
    assert_allclose(found.se, prediction.se_obs)
    assert_allclose(found.ar, event.ret - prediction.predicted_mean)


def dummy_regression(rows: Rows, count: int) -> object:
    """OLS over estimation and event rows with one dummy for each of the last `count` rows."""
    dummies = np.eye(len(rows))[:, -count:]
    return sm.WLS(rows.ret, np.column_stack([rows.span, rows.mkt, dummies]), weights=1 / rows.span).fit()


@pytest.mark.parametrize("away", [(), GAPS], ids=["complete", "suspensions"])
def test_car_equals_the_sum_of_event_dummies(away: tuple[int, ...]) -> None:
    made, rows, fit = fitted(away=away)
    car = cumulate(fit, made, rows, DAY0, (0, 5))
    both, count = joined(rows, DAY0, DAY0 + 5)
    result = dummy_regression(both, count)
    test = result.t_test(np.r_[0, 0, np.ones(count)])  # type: ignore[attr-defined]
    assert_allclose([car.car, car.se, car.t, car.p_value], [test.effect[0], test.sd[0, 0], test.tvalue[0, 0], test.pvalue])
    assert car.df == test.df_denom


@pytest.mark.parametrize("away", [(), GAPS], ids=["complete", "suspensions"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_weighted_least_squares_by_brute_force(model, away: tuple[int, ...]) -> None:
    made, rows, fit = fitted(away=away, model=model)
    sample = rows.inside(*ESTIMATION)
    n = sample.span.astype(float)
    x = {"mean": n[:, None], "market": np.column_stack([n, sample.mkt]), "market_adjusted": np.empty((len(n), 0))}[model.name]
    y = sample.ret - sample.mkt if model.name == "market_adjusted" else sample.ret
    z, v = x / np.sqrt(n)[:, None], y / np.sqrt(n)
    a = np.linalg.inv(z.T @ z)
    theta = a @ (z.T @ v)
    s2 = ((v - z @ theta) ** 2).sum() / (len(n) - x.shape[1])
    assert_allclose(fit.params, theta)
    assert_allclose([fit.sigma, fit.nobs, fit.df_resid, fit.n_sessions], [sqrt(s2), len(n), len(n) - x.shape[1], n.sum()])
    car = cumulate(fit, made, rows, DAY0, (0, 5))
    inside = rows.inside(DAY0, DAY0 + 5)
    total = {"mean": [6.0], "market": [6.0, inside.mkt.sum()], "market_adjusted": []}[model.name]
    earned = inside.ret.sum() - (inside.mkt.sum() if model.name == "market_adjusted" else 0)
    assert_allclose(car.car, earned - np.array(total) @ theta)
    assert_allclose(car.se, sqrt(s2 * (6 + np.array(total) @ a @ np.array(total))))


def test_resumption_row_carries_the_variance_of_its_sessions() -> None:
    _, rows, fit = fitted(away=GAPS)
    event = rows.inside(DAY0, DAY0 + 2)
    assert event.span.tolist() == [3]
    x = np.array([3.0, event.mkt[0]])
    assert_allclose(abnormal_returns(fit, event).se[0], fit.sigma * sqrt(3 + x @ fit.unscaled_cov @ x))


def test_a_suspension_inside_the_window_changes_neither_the_car_nor_its_error() -> None:
    whole, gap = fitted(), fitted(away=(131, 132))
    one, two = (cumulate(fit, made, rows, DAY0, (0, 4)) for made, rows, fit in (whole, gap))
    assert_allclose([two.car, two.se, two.df], [one.car, one.se, one.df], rtol=1e-12)


def test_summing_daily_variances_is_not_what_is_done() -> None:
    made, rows, fit = fitted()
    car = cumulate(fit, made, rows, DAY0, (0, 10))
    daily = abnormal_returns(fit, rows.inside(DAY0, DAY0 + 10)).se
    assert car.se > sqrt((daily**2).sum()) * 1.001


def test_p_value_and_interval_are_students() -> None:
    made, rows, fit = fitted()
    car = cumulate(fit, made, rows, DAY0, (0, 2), alpha=0.10)
    low, high = stats.t(118, loc=car.car, scale=car.se).interval(0.90)
    assert_allclose([car.ci_low, car.ci_high, car.p_value], [low, high, 2 * stats.t(118).cdf(-abs(car.car / car.se))])


def test_r_squared_is_against_the_constant_mean_model_on_the_same_rows() -> None:
    _, _, fit = fitted(away=GAPS)
    constant = ConstantMean().fit(fit.rows)
    assert_allclose(fit.r_squared, 1 - (fit.sigma**2 * fit.df_resid) / (constant.sigma**2 * constant.df_resid))
    assert_allclose(fitted()[2].r_squared, sm.OLS(fitted()[2].rows.ret, sm.add_constant(fitted()[2].rows.mkt)).fit().rsquared)


@pytest.mark.parametrize("model", [ConstantMean(), MarketAdjusted()], ids=lambda model: model.name)
def test_r_squared_is_undefined_where_nothing_is_explained(model) -> None:
    assert np.isnan(fitted(model=model)[2].r_squared)


def test_a_benchmark_that_never_moves_is_no_regressor() -> None:
    rows = trade_rows(listing(1, index=np.zeros(150)))
    with pytest.raises(DataError, match="collinear"):
        MarketModel().fit(rows)


def test_a_share_that_never_deviates_has_no_variance() -> None:
    rows = trade_rows(listing(1)).inside(1, 60)
    with pytest.raises(DataError, match="never deviates"):
        MarketAdjusted().fit(Rows(rows.end, rows.span, rows.closes, rows.mkt, rows.mkt))


def test_session_weights_reproduce_the_car_and_its_variance_factor() -> None:
    part = firm(1, (0, 5), GAPS)
    w = session_weights(part.fit, part.cumulative, DAY0, 150)
    assert_allclose((w**2).sum(), part.cumulative.variance_factor)
    # CAR is linear in the returns: a shock at any estimation session moves it by w
    made, _, _ = fitted(away=GAPS)
    shocked = made.level.copy()
    shocked[40:] *= np.exp(0.01)  # session 40 earns 1% more, all later levels are 1% higher
    moved = trade_rows(Listing("S", made.calendar, made.status, shocked, made.benchmark, made.limit, made.end))
    refit = MarketModel().fit(moved.inside(*ESTIMATION))
    change = cumulate(refit, made, moved, DAY0, (0, 5)).car - part.cumulative.car
    assert_allclose(change, 0.01 * w[40], rtol=1e-8)


@pytest.mark.parametrize(("df", "delta"), [(118, 2.82), (2, 5.65)])
def test_minimum_detectable_effect_is_the_known_multiple_of_the_error(df: int, delta: float) -> None:
    assert_allclose(minimum_detectable_effect(0.01, df), delta * 0.01, atol=0.00006)


def test_minimum_detectable_effect_is_found_with_the_stated_power() -> None:
    delta = minimum_detectable_effect(1.0, 10)
    rng = np.random.default_rng(1)
    t = (rng.normal(size=200_000) + delta) / np.sqrt(rng.chisquare(10, 200_000) / 10)
    assert abs((np.abs(t) > stats.t(10).isf(0.025)).mean() - 0.80) < 0.004


def test_ratio_of_the_errors_before_the_event() -> None:
    _, rows, fit = fitted(seed=2)
    before = [k for k in range(len(rows)) if DAY0 - 30 <= rows.end[k] <= DAY0 - 1]
    errors = rows.ret[before] - fit.params[0] - fit.params[1] * rows.mkt[before]
    assert_allclose(pre_event_sd_ratio(fit, rows, DAY0), errors.std(ddof=1) / fit.sigma)


def test_the_markets_own_reaction_is_its_return_less_its_mean(panel) -> None:
    made = panel()
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    found = es.event_study(made.events(130), made.prices, made.benchmark, windows=windows).market.iloc[0]
    daily = np.diff(np.log(made.benchmark.to_numpy()))  # daily[k - 1] is the return of session k
    sample = daily[29:119]
    car, se = daily[129:133].sum() - 4 * sample.mean(), sample.std(ddof=1) * sqrt(4 + 16 / 90)
    assert_allclose([found["car"], found["se_car"], found["t"], found["df"]], [car, se, car / se, 89])
