"""Huber, least absolute deviations and HAC: against statsmodels used directly, a kernel written out, and refits."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from firms import DAY0, ESTIMATION, GAPS, listing
from numpy.testing import assert_allclose
from scipy import optimize, stats

import eventstudy as es
from eventstudy.abnormal import abnormal_returns, cumulate, session_weights
from eventstudy.errors import ConfigError
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.placebo import placebo_draws
from eventstudy.inference.registry import run_test
from eventstudy.models import MarketModel, robust
from eventstudy.models.robust import estimate
from eventstudy.returns import Rows, trade_rows


def heavy(away: tuple[int, ...] = (), seed: int = 1):
    """A listing with three outliers in the estimation window, and its rows."""
    made = listing(seed, away)
    shocks = np.zeros(150)
    shocks[[15, 60, 100]] = [0.2, -0.15, 0.18]
    made = type(made)(
        made.symbol, made.calendar, made.status, made.level * np.exp(np.cumsum(shocks)), made.benchmark, made.limit, made.end
    )
    return made, trade_rows(made)


def scaled(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    root = np.sqrt(rows.span)
    return rows.ret / root, np.column_stack([root, rows.mkt / root])


@pytest.mark.parametrize("away", [(), GAPS], ids=["complete", "suspensions"])
def test_huber_is_statsmodels_rlm_on_rows_over_the_root_of_their_span(away: tuple[int, ...]) -> None:
    made, rows = heavy(away)
    sample = rows.inside(*ESTIMATION)
    fit = estimate(MarketModel(), sample, "huber")
    v, z = scaled(sample)
    want = sm.RLM(v, z).fit(maxiter=500)
    assert_allclose(fit.params, want.params, rtol=1e-6)
    errors = v - z @ want.params
    s2 = errors @ errors / (len(v) - 2)
    assert_allclose([fit.sigma, fit.details["sigma_mad"]], [sqrt(s2), sm.robust.mad(errors, center=0)], rtol=1e-6)
    total = np.array([6.0, rows.inside(DAY0, DAY0 + 5).mkt.sum()])
    car = cumulate(fit, made, rows, DAY0, (0, 5))
    assert_allclose(car.se, sqrt(6 * s2 + total @ want.bcov_scaled @ total), rtol=1e-6)
    assert_allclose(car.car, rows.inside(DAY0, DAY0 + 5).ret.sum() - total @ want.params, rtol=1e-6)


@pytest.mark.parametrize("away", [(), GAPS], ids=["complete", "suspensions"])
def test_lad_minimises_the_absolute_errors(away: tuple[int, ...]) -> None:
    _, rows = heavy(away)
    sample = rows.inside(*ESTIMATION)
    fit = estimate(MarketModel(), sample, "lad")
    v, z = scaled(sample)
    n = len(v)
    exact = optimize.linprog(
        np.r_[np.zeros(2), np.ones(2 * n)], A_eq=np.column_stack([z, np.eye(n), -np.eye(n)]), b_eq=v,
        bounds=[(None, None)] * 2 + [(0, None)] * (2 * n),
    )  # fmt: skip
    assert_allclose(np.abs(v - z @ fit.params).sum(), exact.fun, rtol=1e-6)
    want = sm.QuantReg(100 * v, z).fit(q=0.5)
    assert_allclose(fit.unscaled_cov * fit.sigma**2, want.cov_params() / 1e4, rtol=1e-6)


def test_lad_where_reweighting_goes_in_circles(monkeypatch) -> None:
    v, z = scaled(heavy(GAPS)[1].inside(*ESTIMATION))
    usual = robust._lad(v, z)[0]
    assert_allclose(robust._least_absolute(v, z), usual, rtol=1e-4)
    fit = sm.QuantReg.fit
    monkeypatch.setattr(sm.QuantReg, "fit", lambda self, q: fit(self, q=q, max_iter=3))
    assert_allclose(robust._lad(v, z)[0], usual, rtol=1e-4)


def test_outliers_move_robust_betas_less() -> None:
    dirty, clean = heavy()[1].inside(*ESTIMATION), trade_rows(listing(1)).inside(*ESTIMATION)
    moved = {}
    for name in ("ols", "huber", "lad"):
        betas = [estimate(MarketModel(), rows, name).params[1] for rows in (dirty, clean)]  # type: ignore[arg-type]
        moved[name] = abs(betas[0] - betas[1])
    assert moved["huber"] < moved["ols"] / 2
    assert moved["lad"] < moved["ols"] / 2


def test_hac_is_newey_and_wests_and_changes_only_the_parameters_part() -> None:
    made, rows = heavy(GAPS)
    sample, event = rows.inside(*ESTIMATION), rows.inside(DAY0, DAY0 + 5)
    plain, fit = MarketModel().fit(sample), estimate(MarketModel(), sample, "ols", "hac")
    assert_allclose(fit.params, plain.params)
    v, z = scaled(sample)
    scores = z * (v - z @ plain.params)[:, None]
    meat, lags = scores.T @ scores, 4
    assert lags == int(4 * (len(v) / 100) ** (2 / 9))
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (lags + 1)) * (cross + cross.T)
    bread = np.linalg.inv(z.T @ z)
    covariance = bread @ meat @ bread * len(v) / (len(v) - 2)
    x = np.column_stack([event.span, event.mkt])
    want = plain.sigma**2 * event.span + np.einsum("ij,jk,ik->i", x, covariance, x)
    assert_allclose(abnormal_returns(fit, event).se ** 2, want)
    # the weights by session stay those of least squares
    cars = [cumulate(each, made, rows, DAY0, (0, 5)) for each in (plain, fit)]
    weights = [session_weights(each, car, DAY0, 150) for each, car in zip((plain, fit), cars, strict=True)]
    assert_allclose(weights[1], weights[0])
    assert_allclose((weights[1] ** 2).sum(), cars[0].variance_factor)


def section(estimator: str, cov: str = "classical", firms: int = 2) -> CrossSection:
    found = []
    for seed in range(1, firms + 1):
        made, rows = heavy((), seed)
        fit = estimate(MarketModel(), rows.inside(61, 120), estimator, cov)  # type: ignore[arg-type]
        found.append(FirmCar(made, fit, DAY0, cumulate(fit, made, rows, DAY0, (0, 2))))
    return CrossSection((0, 2), tuple(found))


@pytest.mark.parametrize(("estimator", "cov"), [("huber", "classical"), ("lad", "classical"), ("ols", "hac")])
def test_placebo_blocks_are_predicted_by_a_fit_without_them(estimator: str, cov: str) -> None:
    cross = section(estimator, cov, 1)
    caar, scaar = placebo_draws(cross)
    assert len(caar.draws) == 58
    rows = cross.firms[0].fit.rows
    for place in (0, 30):
        lo = DAY0 + caar.starts[place]
        out = (rows.end >= lo) & (rows.end <= lo + 2)
        again = estimate(MarketModel(), rows.take(~out), estimator, cov)  # type: ignore[arg-type]
        x = np.array([3.0, rows.mkt[out].sum()])
        car = rows.ret[out].sum() - x @ again.params
        assert_allclose(caar.draws[place], car)
        assert_allclose(scaar.draws[place], car / (again.sigma * sqrt(3 + x @ again.unscaled_cov @ x)))


@pytest.mark.parametrize("estimator", ["huber", "lad"])
def test_tests_made_of_least_squares_weights_are_undefined(estimator: str) -> None:
    cross = section(estimator)
    assert {run_test(name, cross).reason for name in ("portfolio_t", "equal_effects")} == {"not_least_squares"}
    assert run_test("kp_bmp", cross).reason == ""
    assert np.isnan(cross.shared).all()


def test_with_hac_the_portfolio_t_is_the_classical_one() -> None:
    plain, hac = run_test("portfolio_t", section("ols")), run_test("portfolio_t", section("ols", "hac"))
    assert_allclose([hac.statistic, hac.p_value], [plain.statistic, plain.p_value])
    assert run_test("equal_effects", section("ols", "hac")).reason == "not_least_squares"


@pytest.mark.parametrize("estimator", ["huber", "lad"])
def test_size_of_a_robust_t_is_near_nominal(estimator: str) -> None:
    rng, rejected, draws = np.random.default_rng(8), 0, 120
    market = rng.normal(0, 0.012, 101)
    for _ in range(draws):
        ret = 0.0005 + 1.2 * market + 0.02 * rng.standard_normal(101)
        rows = Rows(np.arange(101), np.ones(101, dtype=int), np.arange(101), ret, market)
        fit = estimate(MarketModel(), rows.take(rows.end < 100), estimator)  # type: ignore[arg-type]
        rejected += abnormal_returns(fit, rows.take(rows.end == 100)).p_value[0] < 0.05
    assert stats.binomtest(rejected, draws, 0.05).pvalue > 0.001


@pytest.mark.parametrize(("estimator", "cov"), [("huber", "classical"), ("lad", "classical"), ("ols", "hac")])
def test_from_a_config_to_the_tables(panel, study_on_disk, estimator: str, cov: str) -> None:
    made = panel()
    model = {"name": "market", "estimator": estimator, "cov": cov}
    result = es.run_study(study_on_disk(made, made.events(130), model=model))
    frames = es.event_study(
        made.events(130), made.prices, made.benchmark, estimator=estimator, cov=cov, tests=["portfolio_t"],
        windows=es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60),
    )  # fmt: skip
    assert_allclose(result.cars["car"], frames.cars["car"])
    assert ("sigma_mad" in result.models) == (estimator != "ols")
    assert set(result.tests.query("test == 'portfolio_t'")["reason"]) == {"" if estimator == "ols" else "not_least_squares"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model": "market_adjusted", "estimator": "lad"}, "estimates nothing"),
        ({"estimator": "huber", "cov": "hac"}, "cov = \"hac\" is for estimator"),
        ({"estimator": "lasso"}, "estimator = 'lasso' is none of ols, huber, lad"),
    ],
)
def test_what_does_not_go_together_is_refused(panel, options: dict, told: str) -> None:
    made, windows = panel(), es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)])
    with pytest.raises(ConfigError, match=told):
        es.event_study(made.events(130), made.prices, made.benchmark, windows=windows, **options)
