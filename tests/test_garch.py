"""GARCH(1,1): against the package arch used directly, the recursion by hand, and what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from arch import arch_model
from numpy.testing import assert_allclose
from scipy import stats

import eventstudy as es
from eventstudy.abnormal import abnormal_returns, cumulate
from eventstudy.errors import ConfigError, DataError
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.placebo import placebo_draws
from eventstudy.inference.registry import placebo_result, run_test
from eventstudy.models import MarketModel
from eventstudy.models.garch import Garch, session_variance
from eventstudy.returns import Rows, trade_rows
from eventstudy.simulate import simulated_sessions
from eventstudy.trading import Listing

LAST = 300  # of the estimation; day 0 is five sessions on
DAY0, SESSIONS = LAST + 5, 320


def drawn(seed: int = 3, away: tuple[int, ...] = ()) -> tuple[Listing, Rows]:
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0003, 0.012, SESSIONS)
    h, errors = 4e-4, []
    for shock in rng.standard_normal(SESSIONS):
        errors.append(np.sqrt(h) * shock)
        h = 4e-5 + 0.15 * errors[-1] ** 2 + 0.75 * h
    level = 20 * np.exp(np.cumsum(0.0005 + 1.2 * market + np.array(errors)))
    level[list(away)] = np.nan
    status = np.where(np.isfinite(level), "traded", "suspended").astype(object)
    marks = np.full(SESSIONS, "", dtype=object)
    made = Listing("S", simulated_sessions(SESSIONS), status, level, np.exp(np.cumsum(market)), marks, SESSIONS - 1)
    return made, trade_rows(made)


def by_arch(rows: Rows):
    sample = rows.inside(1, LAST)
    model = arch_model(100 * sample.ret, x=100 * sample.mkt[:, None], mean="LS", vol="GARCH", p=1, q=1, rescale=False)
    return sample, model.fit(disp="off", show_warning=False)


@pytest.mark.parametrize("away", [(), (DAY0, DAY0 + 1)], ids=["complete", "suspended"])
def test_parameters_forecasts_ars_and_cars(away: tuple[int, ...]) -> None:
    made, rows = drawn(away=away)
    sample, want = by_arch(rows)
    fit = Garch().fit(sample)
    alpha, beta, omega, a, b = want.params
    assert_allclose(fit.params, [alpha / 100, beta], rtol=1e-9)
    assert_allclose(list(fit.details.values()), [omega / 1e4, a, b], rtol=1e-9)
    ahead = want.forecast(horizon=12, x={"x0": np.zeros((1, 12))}, reindex=False).variance.to_numpy()[0] / 1e4
    event = rows.inside(DAY0, DAY0 + 3)
    h = {LAST + 1 + place: value for place, value in enumerate(ahead)}
    noise = np.array([sum(h[s] for s in range(end - span + 1, end + 1)) for end, span in zip(event.end, event.span, strict=True)])
    cov = want.param_cov.to_numpy()[:2, :2] / np.array([[1e4, 100], [100, 1]])
    x = np.column_stack([event.span, event.mkt])
    found = abnormal_returns(fit, event)
    assert_allclose(found.ar, event.ret - x @ fit.params)
    assert_allclose(found.se**2, noise + np.einsum("ij,jk,ik->i", x, cov, x), rtol=1e-9)
    car, total = cumulate(fit, made, rows, DAY0, (0, 3)), x.sum(axis=0)
    assert_allclose(car.se**2, sum(h[s] for s in range(DAY0, DAY0 + 4)) + total @ cov @ total, rtol=1e-9)
    assert_allclose(car.p_value, 2 * stats.norm.sf(abs(car.car / car.se)))
    assert_allclose(car.ci_high - car.car, stats.norm.isf(0.025) * car.se)


def test_the_variance_returns_to_its_level() -> None:
    path, a, b, omega = np.array([2.0, 3.0, 5.0]), 0.1, 0.7, 0.4
    h, found = 5.0, []
    for _ in range(4):
        found.append(h)
        h = omega + (a + b) * h
    assert_allclose([session_variance(s, path, 10, omega / 0.2, a + b) for s in (12, 13, 14, 15)], found)
    assert [session_variance(s, path, 10, 2.0, 0.8) for s in (9, 10, 11)] == [2.0, 2.0, 3.0]


@pytest.mark.parametrize("away", [(100,), (40, 41, 42)])
def test_a_suspension_in_the_estimation_is_refused(away: tuple[int, ...]) -> None:
    _, rows = drawn(away=away)
    with pytest.raises(DataError, match="leave gaps in the estimation window"):
        Garch().fit(rows.inside(1, LAST))


def test_a_mask_in_the_estimation_is_refused() -> None:
    _, rows = drawn()
    masked = np.zeros(SESSIONS, dtype=bool)
    masked[50] = True
    with pytest.raises(DataError, match="masks leave gaps"):
        Garch().fit(rows.inside(1, LAST).without(masked))


def test_a_variance_that_is_not_identified_falls_back_to_the_market_model() -> None:
    rng = np.random.default_rng(4)
    ends = np.arange(1, 121)
    found = []
    for _ in range(12):  # errors of one variance: a comes to 0 in some draws
        market = rng.normal(0, 0.012, 120)
        rows = Rows(ends, np.ones(120, dtype=int), ends, 1.2 * market + rng.normal(0, 0.02, 120), market)
        fit = Garch().fit(rows)
        found.append(fit.model.name)
        if fit.model.name == "market":
            assert_allclose(fit.params, MarketModel().fit(rows).params)
            assert fit.session_variance is None
    assert set(found) == {"market", "garch"}


def test_what_needs_one_variance_or_a_refit_is_undefined() -> None:
    made, rows = drawn()
    fit = Garch().fit(rows.inside(1, LAST))
    cross = CrossSection((0, 2), (FirmCar(made, fit, DAY0, cumulate(fit, made, rows, DAY0, (0, 2))),))
    assert run_test("portfolio_t", cross).reason == "not_least_squares"
    assert placebo_result("placebo_caar", placebo_draws(cross)[0], 1, False).reason == "no_refit"
    assert run_test("patell", cross).reason == ""


def frames(returns_of: int = 3, **options):
    made, _ = drawn(returns_of)
    days = made.calendar.sessions
    events = pd.DataFrame([{"event_id": "e", "symbol": "S", "session": f"{days[DAY0]:%Y-%m-%d}"}])
    given = {"windows": es.Windows(estimation=(-300, -5), event=(-4, 10), car=[(0, 2)]), "model": "garch"} | options
    return es.event_study(events, pd.DataFrame({"S": made.level}, index=days), pd.Series(made.benchmark, index=days), **given)


def test_from_frames_to_the_tables() -> None:
    result = frames()
    assert result.models.loc[0, "model"] == "garch"
    assert {"garch_omega", "garch_a", "garch_b"} <= set(result.models.columns)
    assert result.cars["df"].isna().all()
    assert (result.cars["status"] == "ok").all()
    assert result.notes.empty


def test_it_takes_no_filled_returns_and_no_other_estimator() -> None:
    with pytest.raises(ConfigError, match="makes up others"):
        frames(suspensions="lumped")
    with pytest.raises(ConfigError, match="an estimator of its own"):
        frames(estimator="huber")


def test_without_the_package_the_command_that_installs_it_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(ConfigError, match=r"pip install 'eventstudy-toolkit\[garch\]'"):
        frames()


def test_a_fallback_is_noted(monkeypatch) -> None:
    monkeypatch.setattr("eventstudy.models.garch.MOST_PERSISTENT", 0.0)
    result = frames()
    assert result.models.loc[0, "model"] == "market"
    assert result.notes["code"].tolist() == ["garch_not_identified"]


def test_errors_over_their_forecast_are_standard_normal() -> None:
    found = []
    for seed in range(100, 140):
        _, rows = drawn(seed)
        fit = Garch().fit(rows.inside(1, LAST))
        found.append(abnormal_returns(fit, rows.inside(LAST + 1, LAST + 1)).t[0])
    squares = float(np.square(found).sum())
    assert 0.0005 < stats.chi2.cdf(squares, len(found)) < 0.9995
