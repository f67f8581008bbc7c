"""Models with further regressors: against statsmodels used directly, closed forms over spans, and brute force."""

from __future__ import annotations

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from firms import DAY0, ESTIMATION, GAPS, listing
from numpy.testing import assert_allclose

from eventstudy.abnormal import abnormal_returns, cumulate, session_weights
from eventstudy.factors import Factor, factor_from_levels, factor_from_returns
from eventstudy.further import peer_factor
from eventstudy.inference.deletion import delete_block
from eventstudy.models import Capm, Factors, Industry, Model, PeerPortfolio, TwoIndex
from eventstudy.returns import Rows, trade_rows
from eventstudy.trading import Listing

SESSIONS = 150


def daily(seed: int, scale: float = 0.008) -> np.ndarray:
    """Simple returns a session."""
    return np.random.default_rng(seed).normal(0.0002, scale, SESSIONS)


RETURNS = {"smb": daily(11), "hml": daily(12), "rf": np.abs(daily(13, 0.0001)), "peers": daily(14, 0.015)}
RETURNS |= {"global": daily(15, 0.01), "industry": 0.6 * np.diff(listing(1).benchmark, prepend=1.0) + daily(16)}
MODELS: list[Model] = [
    Capm("rf"), Factors(("smb", "hml")), Factors(("smb", "hml"), "rf"), PeerPortfolio(), TwoIndex(), Industry(),
]  # fmt: skip
NAMES = [f"{model.name}{place}" for place, model in enumerate(MODELS)]


def with_factors(away: tuple[int, ...] = (), missing: dict[str, list[int]] | None = None) -> Listing:
    """A listing whose return loads on the factors, so that no coefficient is 0."""
    made = listing(1, away)
    loads = 0.4 * RETURNS["smb"] - 0.3 * RETURNS["hml"] + 0.5 * RETURNS["peers"] + 0.2 * RETURNS["global"]
    factors: dict[str, Factor] = {}
    for name, returns in RETURNS.items():
        holes = returns.copy()
        holes[(missing or {}).get(name, [])] = np.nan
        factors[name] = factor_from_returns(holes)
    return replace(made, level=made.level * np.cumprod(1 + loads), factors=factors)


def span_sum(name: str, rows: Rows, kind: str = "log") -> np.ndarray:
    """Cumulate a factor over the sessions of each row, one by one."""
    found = []
    for end, span in zip(rows.end, rows.span, strict=True):
        sessions = RETURNS[name][end - span + 1 : end + 1]
        found.append(sum(log(1 + f) for f in sessions) if kind == "log" else np.prod([1 + f for f in sessions]) - 1)
    return np.array(found)


def design(model: Model, rows: Rows, kind: str = "log") -> tuple[np.ndarray, np.ndarray]:
    """Response and regressors written out model by model, without the model's help."""
    n = rows.span.astype(float)
    if isinstance(model, Capm):
        rf = span_sum("rf", rows, kind)
        return rows.ret - rf, np.column_stack([n, rows.mkt - rf])
    if isinstance(model, Factors):
        y = rows.ret - span_sum("rf", rows, kind) if model.risk_free else rows.ret
        return y, np.column_stack([n, span_sum("smb", rows, kind), span_sum("hml", rows, kind)])
    if isinstance(model, PeerPortfolio):
        return rows.ret, np.column_stack([n, span_sum("peers", rows, kind)])
    other = span_sum("global" if isinstance(model, TwoIndex) else "industry", rows, kind)
    return rows.ret, np.column_stack([n, rows.mkt, other])


@pytest.mark.parametrize("kind", ["log", "simple"])
@pytest.mark.parametrize("away", [(), GAPS], ids=["complete", "suspensions"])
@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_fit_ar_and_car_are_those_of_statsmodels_over_spans(model: Model, away: tuple[int, ...], kind: str) -> None:
    made = with_factors(away)
    rows = trade_rows(made, returns=kind)  # type: ignore[arg-type]
    sample, event = rows.inside(*ESTIMATION), rows.inside(DAY0, DAY0 + 5)
    fit = model.fit(sample)
    y, x = design(model, sample, kind)
    want = sm.WLS(y, x, weights=1 / sample.span).fit()
    y_event, x_event = design(model, event, kind)
    a = np.linalg.inv((x / sample.span[:, None]).T @ x)
    assert_allclose([fit.sigma, fit.df_resid], [sqrt(want.scale), want.df_resid])
    if model.name != "industry":  # its coefficients are of another, equivalent regression: see below
        assert_allclose(fit.params, want.params, rtol=1e-8)
        assert_allclose(fit.unscaled_cov, a, rtol=1e-7)
    found = abnormal_returns(fit, event)
    assert_allclose(found.ar, y_event - x_event @ want.params, rtol=1e-8)
    assert_allclose(found.se, sqrt(want.scale) * np.sqrt(event.span + np.einsum("ij,jk,ik->i", x_event, a, x_event)))
    car, total = cumulate(fit, made, rows, DAY0, (0, 5)), x_event.sum(axis=0)
    assert_allclose(car.car, (y_event - x_event @ want.params).sum())
    assert_allclose(car.se, sqrt(want.scale * (6 + total @ a @ total)))


def test_the_industry_is_orthogonal_to_the_market_and_beta_is_the_market_models() -> None:
    sample = trade_rows(with_factors(GAPS)).inside(*ESTIMATION)
    fit = Industry().fit(sample)
    n = np.sqrt(sample.span)
    _, x = design(Industry(), sample)
    own = sm.WLS(x[:, 2], x[:, :2], weights=1 / sample.span).fit()
    assert_allclose(fit.model.regressors(sample)[:, 2], own.resid, atol=1e-15)
    assert_allclose((fit.scaled_regressors[:, 2] @ (sample.mkt / n)), 0, atol=1e-14)
    market = sm.WLS(sample.ret, x[:, :2], weights=1 / sample.span).fit()
    assert_allclose(fit.params[:2], market.params)
    both = sm.WLS(sample.ret, x, weights=1 / sample.span).fit()
    assert_allclose(fit.params[2], both.params[2])
    assert fit.model.names == ("alpha", "beta", "industry")


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_weights_by_session_carry_the_car_and_its_variance(model: Model) -> None:
    made = with_factors(GAPS)
    rows = trade_rows(made)
    fit = model.fit(rows.inside(*ESTIMATION))
    car = cumulate(fit, made, rows, DAY0, (0, 5))
    w = session_weights(fit, car, DAY0, SESSIONS)
    assert_allclose((w**2).sum(), car.variance_factor)
    shock = np.random.default_rng(5).normal(0, 0.01, SESSIONS)
    moved = replace(made, level=made.level * np.exp(np.cumsum(shock)))
    again = trade_rows(moved)
    other = cumulate(model.fit(again.inside(*ESTIMATION)), moved, again, DAY0, (0, 5))
    assert_allclose(other.car - car.car, w[1:] @ shock[1:], rtol=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_a_deleted_block_is_the_fit_without_it(model: Model) -> None:
    rows = trade_rows(with_factors(GAPS)).inside(*ESTIMATION)
    fit = model.fit(rows)
    deletion = delete_block(fit, 54, 58)
    assert deletion is not None
    out = (rows.end >= 54) & (rows.end <= 58)
    assert rows.span[out].max() == 2
    y, x = design(model, rows)
    want = sm.WLS(y[~out], x[~out], weights=1 / rows.span[~out]).fit()
    assert_allclose(deletion.errors, (y - x @ want.params)[out], rtol=1e-8)
    assert_allclose(deletion.fit.sigma, sqrt(want.scale))
    block, total = deletion.cumulative(54, 58, (0, 4)), x[out].sum(axis=0)
    assert block is not None
    a = np.linalg.inv((x[~out] / rows.span[~out][:, None]).T @ x[~out])
    assert_allclose(block.se, sqrt(want.scale * (5 + total @ a @ total)))


def test_a_session_without_a_factor_leaves_out_the_rows_that_cover_it() -> None:
    made = with_factors(GAPS, {"smb": [21, 60]})
    rows = trade_rows(made)
    whole = trade_rows(with_factors(GAPS))
    gone = set(whole.end.tolist()) - set(rows.end.tolist())
    assert gone == {23, 60}  # the resumption on 23 covers 20 to 23
    kept = np.isin(whole.end, rows.end)
    assert_allclose(rows.factors["hml"], whole.factors["hml"][kept])
    assert rows.span.tolist() == whole.span[kept].tolist()


@pytest.mark.parametrize("hole", [DAY0, DAY0 + 3, DAY0 + 5])
def test_a_car_over_a_session_without_a_factor_is_undefined(hole: int) -> None:
    made = with_factors((), {"hml": [hole]})
    rows = trade_rows(made)
    fit = Factors(("smb", "hml")).fit(rows.inside(*ESTIMATION))
    assert cumulate(fit, made, rows, DAY0, (0, 5)).reason == "factor_missing"
    assert cumulate(fit, made, rows, DAY0, (6, 8)).reason == ""
    assert cumulate(fit, made, rows, DAY0, (-5, -1)).reason == ""


def test_a_hole_in_an_index_widens_the_span_as_with_the_benchmark() -> None:
    made = listing(1)
    level = np.cumprod(1 + RETURNS["global"])
    level[[60, DAY0 + 5]] = np.nan
    made = replace(made, factors={"global": factor_from_levels(level)})
    rows = trade_rows(made)
    wide = rows.take(rows.end == 61)
    assert wide.span.tolist() == [2]
    assert_allclose(wide.factors["global"], np.log(level[61] / level[59]))
    fit = TwoIndex().fit(rows.inside(*ESTIMATION))
    assert cumulate(fit, made, rows, DAY0, (0, 5)).reason == "factor_missing"
    assert cumulate(fit, made, rows, DAY0, (0, 6)).reason == ""


def test_the_peer_portfolio_is_the_mean_of_those_that_traded_both_ends() -> None:
    nan = np.nan
    levels = np.array([[10, 20, 30, 40], [11, 20, nan, 42], [11, 22, nan, nan], [12, nan, 33, nan], [13, nan, 33, 50]])
    base = listing(1)
    peers = [replace(base, symbol=str(place), level=column) for place, column in enumerate(levels.T)]
    found = peer_factor(peers)
    means = [(0.1 + 0 + 0.05) / 3, (0 + 0.1) / 2]  # session 3: one of four; session 4: 13/12 and 33/33
    assert_allclose(found.level[1:3] / found.level[:2] - 1, means)
    assert_allclose(found.level[4] / found.level[3] - 1, (13 / 12 - 1 + 0) / 2)
    assert found.covers(np.array([0, 1, 2, 3, 1]), np.array([1, 2, 3, 4, 3])).tolist() == [True, True, False, True, False]
