"""Random small panels for the invariants, what the package says of them, and regressions on plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import eventstudy as es
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.placebo import placebo_draws, placebo_max_draws
from eventstudy.inference.registry import CLOSED_FORM, placebo_result, run_test
from eventstudy.simulate import Panel, PanelDesign, draw_market, draw_returns, draw_trading, panel_from_returns

CLOSE = {"rtol": 1e-7, "atol": 1e-11}

Numbers = dict[str, Any]


@dataclass(frozen=True)
class World:
    """Returns and trading before they become prices, so that a test can change them."""

    design: PanelDesign
    market: np.ndarray
    returns: np.ndarray
    traded: np.ndarray

    @property
    def panel(self) -> Panel:
        """The listings."""
        return panel_from_returns(self.design, self.market, self.returns, self.traded)

    def section(self, **options: Any) -> CrossSection:
        """The cross-section of the event window."""
        return self.panel.cross_section(self.design.window, **options)

    def change(self, **arrays: np.ndarray) -> World:
        """Return the world with other arrays."""
        return replace(self, **arrays)  # type: ignore[arg-type]


@st.composite
def worlds(draw: st.DrawFn, firms: tuple[int, int] = (1, 4), gaps: bool = True, last: tuple[int, int] = (0, 4)) -> World:
    """Draw a panel; with `gaps`, some firms are suspended inside the event window and now and then before it."""
    hi = draw(st.integers(*last))
    count = draw(st.integers(*firms))
    inner = st.lists(st.integers(0, hi - 1), unique=True).map(tuple) if hi and gaps else st.just(())
    design = PanelDesign(
        firms=count,
        estimation=draw(st.integers(60, 90)),
        window=(0, hi),
        alpha=draw(st.floats(-0.002, 0.002)),
        beta=draw(st.floats(-1, 2)),
        rho=draw(st.sampled_from([0.0, 0.4, 0.8])),
        shocks=draw(st.sampled_from(["normal", "t4"])),
        effects=((0, draw(st.floats(-0.1, 0.1))),),
        suspended=tuple(draw(inner) for _ in range(count)),
        suspended_share=draw(st.sampled_from([0.0, 0.12])) if gaps else 0.0,
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    market = draw_market(design, rng)
    return World(design, market, draw_returns(design, market, rng), draw_trading(design, rng))


def firm_numbers(cross: CrossSection) -> Numbers:
    """Everything a table says of the firms, one array a quantity."""
    fits = [firm.fit for firm in cross.firms]
    return {
        "alpha": np.array([fit.coefficient("alpha") for fit in fits]),
        "beta": np.array([fit.coefficient("beta") for fit in fits]),
        "sigma": cross.sigma,
        "car": cross.car,
        "se": np.array([firm.cumulative.se for firm in cross.firms]),
        "factor": np.array([firm.cumulative.variance_factor for firm in cross.firms]),
        "t": cross.scar,
        "p": np.array([firm.cumulative.p_value for firm in cross.firms]),
    }


def outcomes(cross: CrossSection) -> Numbers:
    """Everything the tests say: parametric ones and the placebo dates; (statistic, p, df) or a reason each."""
    found: Numbers = {}
    for name in CLOSED_FORM:
        result = run_test(name, cross)
        found[name] = np.array([result.statistic, result.p_value, result.df])
    caar, scar = placebo_draws(cross)
    most = placebo_max_draws([cross])
    for name, drawn in {"placebo_caar": caar, "placebo_scar": scar, "placebo_max": most}.items():
        result = placebo_result(name, drawn, len(cross.firms), cross.staggered)
        found[name] = np.array([result.p_value, len(drawn.draws)])
    return found


def assert_same(left: Numbers, right: Numbers, *but: str, scale: dict[str, float] | None = None) -> None:
    """Compare all quantities except `but`; those in `scale` grow by that factor from left to right."""
    for name in left:
        if name not in but:
            assert_allclose(right[name], left[name] * (scale or {}).get(name, 1.0), **CLOSE, err_msg=name)


def dummy_regression(y: np.ndarray, x: np.ndarray, span: np.ndarray) -> tuple[float, float, int]:
    """Regress with weights 1/span and a dummy for the last row; return its coefficient, its t and the df."""
    root = np.sqrt(span)
    dummy = np.zeros(len(y))
    dummy[-1] = 1.0
    design = np.column_stack([x, dummy]) / root[:, None]
    coefficient, *_ = np.linalg.lstsq(design, y / root, rcond=None)
    errors = y / root - design @ coefficient
    df = len(y) - design.shape[1]
    covariance = np.linalg.inv(design.T @ design) * (errors @ errors) / df
    return float(coefficient[-1]), float(coefficient[-1] / np.sqrt(covariance[-1, -1])), df


def window_dummy(world: World, daily: np.ndarray) -> tuple[float, float, int]:
    """Test the sum of daily returns over the event window with one aggregated row and a dummy for it."""
    start, size = world.design.event_start, world.design.sessions - world.design.event_start
    y = np.append(daily[1:start], daily[start:].sum())
    span = np.append(np.ones(start - 1), size)
    return dummy_regression(y, np.column_stack([span, np.append(world.market[1:start], world.market[start:].sum())]), span)


def residuals_by_session(world: World, firm: int) -> dict[int, float]:
    """Fit one firm on plain arrays, from trade to trade; return the residuals of the single-session rows."""
    traded = np.flatnonzero(world.traded[: world.design.event_start, firm])
    start, end = traded[:-1], traded[1:]
    span = (end - start).astype(float)
    value, level = np.cumsum(world.returns[:, firm]), np.cumsum(world.market)
    y, x = value[end] - value[start], np.column_stack([span, level[end] - level[start]])
    root = np.sqrt(span)
    coefficient, *_ = np.linalg.lstsq(x / root[:, None], y / root, rcond=None)
    errors = y - x @ coefficient
    return {int(session): float(error) for session, error, n in zip(end, errors, span, strict=True) if n == 1}


def study(panel: Panel, dates: pd.DatetimeIndex, day0: int, estimation: tuple[int, int], hi: int) -> es.StudyResult:
    """Run a panel as plain DataFrames: windows [0, 0] and [0, hi], the event at position `day0`."""
    prices = pd.DataFrame({listing.symbol: listing.level for listing in panel.listings}, index=dates)
    benchmark = pd.Series(panel.listings[0].benchmark, index=dates)
    events = pd.DataFrame({"event_id": "e", "symbol": list(prices), "session": f"{dates[day0]:%Y-%m-%d}"})
    car = [(0, hi), *([(0, 0)] if hi else [])]
    windows = es.Windows(estimation=estimation, event=(0, hi), car=car, min_observations=30)
    return es.event_study(events, prices, benchmark, windows=windows)


def plain_study(world: World, dates: pd.DatetimeIndex) -> es.StudyResult:
    """Run a world on `dates`, its estimation window right before the event window."""
    return study(world.panel, dates, world.design.day0, (-world.design.estimation, -1), world.design.window[1])


def assert_same_study(one: es.StudyResult, two: es.StudyResult) -> None:
    """Compare the tables that hold no dates."""
    assert (one.cars.query("window_start == 0")["status"] == "ok").any()
    for left, right in [(one.cars, two.cars), (one.tests, two.tests), (one.caar, two.caar), (one.aar, two.aar)]:
        pd.testing.assert_frame_equal(left, right, rtol=1e-8, atol=1e-12)


def surrounded(world: World, front: int, middle: int, after: int, rng: np.random.Generator) -> World:
    """Add sessions before the estimation window, between the windows, and after the event window."""
    start, firms = world.design.event_start, world.design.firms

    def padded(inner: np.ndarray, extra: np.ndarray) -> np.ndarray:
        parts = (extra[:front], inner[:start], extra[front : front + middle], inner[start:], extra[front + middle :])
        return np.concatenate(parts)

    count = front + middle + after
    traded = rng.random((count, firms)) < 0.7
    traded[0] = True
    traded[front + middle - 1] = True  # a suspension into the event window would leave no CAR
    traded[-1] = True  # data that end would make the window provisional
    hi = world.design.window[1]
    return World(
        replace(world.design, estimation=world.design.estimation + front + middle, window=(0, hi + after)),
        padded(world.market, rng.normal(0, 0.02, count)),
        padded(world.returns, rng.normal(0, 0.05, (count, firms))),
        padded(world.traded, traded),
    )
