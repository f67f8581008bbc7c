"""Many draws of one design at once: the fits in one matrix product, the tests through the package.

With a market path that is fixed for a scenario and no suspensions, all firms of all draws have the same
regressors, so that fitting is a product with one matrix. Only that arithmetic is done here, and
`test_simulation.py` compares it with the package's own fits; every test is the package's function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import special

from eventstudy.inference import joint, parametric, ranks, signs
from eventstudy.inference.correlation import ResidualCorrelation, residual_correlation
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.deletion import delete_block
from eventstudy.inference.placebo import PlaceboDraws
from eventstudy.inference.result import TestResult
from eventstudy.simulate import PanelDesign, draw_returns, panel_from_returns
from eventstudy.windows import length

ALPHA = 0.05
DRAWS_AT_ONCE = 500


@dataclass(frozen=True)
class Geometry:
    """What all draws on one market path have in common, taken from one cross-section that the package made.

    Parameters
    ----------
    cross : CrossSection
    event : array (L2, 2)
        Regressors of the event window.
    """

    cross: CrossSection
    event: np.ndarray

    @cached_property
    def x(self) -> np.ndarray:
        """Regressors of the estimation window (L1, 2)."""
        fit = self.cross.firms[0].fit
        return fit.model.regressors(fit.rows)

    @cached_property
    def deletion(self) -> tuple[np.ndarray, np.ndarray]:
        """What turns residuals into the CARs of the deleted blocks (B, L1), and the blocks' first sessions.

        The package's deletion is linear in the residuals of the block: here it is given each single one alone.
        """
        first = self.cross.firms[0]
        lo, size = first.fit.rows.end[0], length(self.cross.window)
        matrix = np.zeros((first.fit.nobs - size + 1, first.fit.nobs))
        for start, row in enumerate(matrix):
            for place in range(start, start + size):
                alone = replace(first.fit, errors=np.eye(first.fit.nobs)[place], sigma=1.0)
                block = (lo + start, lo + start + size - 1)
                row[place] = delete_block(alone, *block).cumulative(*block, self.cross.window).car  # type: ignore[union-attr]
        return matrix, lo + np.arange(len(matrix)) - first.day0


def one_geometry(design: PanelDesign, market: np.ndarray, rng: np.random.Generator) -> Geometry:
    """Take the geometry of a market path from one panel that goes through the package."""
    traded = np.ones((design.sessions, design.firms), dtype=bool)
    panel = panel_from_returns(design, market, draw_returns(design, market, rng), traded)
    event = np.column_stack([np.ones(len(market)), market])[design.event_start :]
    return Geometry(panel.cross_section(design.window), event)


@dataclass(frozen=True)
class Draw:
    """One draw, estimated: what a test may need of it.

    Parameters
    ----------
    errors : array (L1, N)
        Estimation residuals.
    ar : array (L2, N)
        Abnormal returns of the event window.
    sigma, car, scar : array (N,)
    df : array (N,) of int
    """

    design: PanelDesign
    geometry: Geometry
    errors: np.ndarray
    ar: np.ndarray
    sigma: np.ndarray
    car: np.ndarray
    scar: np.ndarray
    df: np.ndarray

    @cached_property
    def correlation(self) -> ResidualCorrelation:
        """Residual correlation of the firms."""
        n = len(self.car)
        return residual_correlation(self.errors, np.ones((n, n), dtype=bool))

    @cached_property
    def bmp(self) -> float:
        """BMP's statistic, which two columns share."""
        return parametric.bmp(self.scar).statistic

    @cached_property
    def standardised(self) -> tuple[np.ndarray, np.ndarray]:
        """Residuals and abnormal returns over each firm's sigma."""
        return self.errors / self.sigma, self.ar / self.sigma

    @cached_property
    def sign(self) -> TestResult:
        """The generalised sign test: its z is the specification's column, its p-value is exact for few firms."""
        return signs.generalized_sign(self.car, (self.errors > 0).mean(axis=0))

    @cached_property
    def placebo(self) -> PlaceboDraws:
        """Placebo CAARs: with common regressors, those of the average firm."""
        matrix, starts = self.geometry.deletion
        return PlaceboDraws(float(self.car.mean()), matrix @ self.errors.mean(axis=1), starts, len(self.ar))


def estimate(design: PanelDesign, geometry: Geometry, returns: np.ndarray) -> Iterator[Draw]:
    """Fit all firms of all draws at once.

    Parameters
    ----------
    returns : array (draws, sessions, N)
    """
    sample = returns[:, 1 : design.event_start]
    first = geometry.cross.firms[0]
    theta = first.fit.unscaled_cov @ np.einsum("lk,dln->dkn", geometry.x, sample)
    errors = sample - geometry.x @ theta
    df = first.fit.df_resid
    sigma = np.sqrt((errors**2).sum(axis=1) / df)
    ar = returns[:, design.event_start :] - geometry.event @ theta
    car = ar.sum(axis=1)
    scar = car / (sigma * np.sqrt(first.cumulative.variance_factor))
    freedom = np.full(design.firms, df)
    for place in range(len(returns)):
        yield Draw(design, geometry, errors[place], ar[place], sigma[place], car[place], scar[place], freedom)


def draws(design: PanelDesign, market: np.ndarray, count: int, rng: np.random.Generator) -> Iterator[Draw]:
    """Draw `count` panels on one market path and estimate them."""
    geometry = one_geometry(design, market, rng)
    for first in range(0, count, DRAWS_AT_ONCE):
        batch = [draw_returns(design, market, rng) for _ in range(min(DRAWS_AT_ONCE, count - first))]
        yield from estimate(design, geometry, np.stack(batch))


def normal_p(z: float) -> float:
    """Two-sided p-value of a statistic referred to N(0,1), where the package refers it to something better."""
    return float(2 * special.ndtr(-abs(z)))


def exact_covariance(draw: Draw) -> np.ndarray:
    """Return the covariance of a draw's CARs, whose firms share their rows."""
    return joint.exact_covariance(draw.errors, int(draw.df[0]), draw.geometry.cross.firms[0].cumulative.variance_factor)


# The heading of a column in the specification's tables -> the p-value of one draw.
COLUMNS: dict[str, Callable[[Draw], float]] = {
    "cross-sectional t": lambda draw: parametric.cross_sectional_t(draw.car).p_value,
    "Patell": lambda draw: parametric.patell(draw.scar, draw.df).p_value,
    "BMP t(N-1)": lambda draw: parametric.bmp(draw.scar).p_value,
    "BMP vs N(0,1)": lambda draw: normal_p(draw.bmp),  # shown to be wrong; the package has t(N-1) only
    "KP-Patell": lambda draw: parametric.kp_patell(draw.scar, draw.df, draw.correlation).p_value,
    "KP-BMP t(N-1)": lambda draw: parametric.kp_bmp(draw.scar, draw.correlation).p_value,
    "CDA (BW)": lambda draw: parametric.crude_dependence(
        draw.car, parametric.common_means(draw.errors), len(draw.ar)
    ).p_value,
    "portfolio / full-cov t(nu)": lambda draw: parametric.portfolio_t(
        draw.car, draw.sigma, draw.df, draw.correlation, draw.geometry.cross.shared
    ).p_value,
    "Hotelling F": lambda draw: joint.hotelling(draw.car, exact_covariance(draw), int(draw.df[0])).p_value,
    "GRANK (rescaled)": lambda draw: ranks.grank(draw.standardised[0], draw.scar).p_value,
    "GRANK (no rescale)": lambda draw: ranks.grank_unscaled(draw.standardised[0], draw.scar).p_value,
    "Corrado(-Zivney)": lambda draw: ranks.corrado_zivney(*draw.standardised).p_value,
    "gen. sign z": lambda draw: normal_p(draw.sign.statistic),  # the package's own p-value is exact below 30 firms
    "placebo CAAR": lambda draw: draw.placebo.p_value(),
}


def rejection_rates(
    design: PanelDesign, market: np.ndarray, count: int, rng: np.random.Generator, alpha: float = ALPHA
) -> dict[str, float]:
    """Return the percentage of draws in which each test rejects at `alpha`; an undefined test does not reject."""
    rejected = dict.fromkeys(COLUMNS, 0)
    for draw in draws(design, market, count, rng):
        for name, p_value in COLUMNS.items():
            rejected[name] += p_value(draw) <= alpha
    return {name: 100 * number / count for name, number in rejected.items()}
