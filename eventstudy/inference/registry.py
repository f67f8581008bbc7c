"""Every test by name, from a cross-section of firms to its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from eventstudy.inference import parametric
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.placebo import PlaceboDraws
from eventstudy.inference.result import Null, TestResult, undefined


def _equal_effects(cross: CrossSection) -> TestResult:
    n = len(cross.firms)
    if n < 2:
        return undefined("equal_effects", "sharp", n, "too_few_firms")
    if any(firm.fit.refit is not None for firm in cross.firms):
        return undefined("equal_effects", "sharp", n, "not_least_squares")
    if not cross.same_rows:
        return undefined("equal_effects", "sharp", n, "different_rows")
    errors = np.column_stack([firm.fit.errors for firm in cross.firms])
    first = cross.firms[0]
    return parametric.equal_effects(cross.car, errors, first.fit.df_resid, first.cumulative.variance_factor)


PARAMETRIC: dict[str, tuple[Null, Callable[[CrossSection], TestResult]]] = {
    "cross_sectional_t": ("mean", lambda cross: parametric.cross_sectional_t(cross.car)),
    "patell": ("sharp", lambda cross: parametric.patell(cross.scar, cross.df)),
    "kp_patell": ("sharp", lambda cross: parametric.kp_patell(cross.scar, cross.df, cross.correlation)),
    "bmp": ("mean", lambda cross: parametric.bmp(cross.scar)),
    "kp_bmp": ("mean", lambda cross: parametric.kp_bmp(cross.scar, cross.correlation)),
    "portfolio_t": (
        "sharp",
        lambda cross: parametric.portfolio_t(cross.car, cross.sigma, cross.df, cross.correlation, cross.shared),
    ),
    "equal_effects": ("sharp", _equal_effects),
}

# Tests whose formula is that of least squares; with another estimator they are undefined.
LEAST_SQUARES = {"portfolio_t", "equal_effects"}

PLACEBO = ("placebo_caar", "placebo_scar", "placebo_max")

TEST_NAMES = (*PARAMETRIC, *PLACEBO)

Kind = Literal["parametric", "rank", "resampling"]

RANKS = frozenset({"corrado", "corrado_zivney", "generalized_sign", "wilcoxon", "grank", "grank_unscaled"})


def kind_of(name: str) -> Kind:
    """Return what the p-value of a test rests on: a distribution of the errors, ranks and signs, or draws."""
    if name.startswith(("placebo_", "bootstrap_")):
        return "resampling"
    return "rank" if name in RANKS else "parametric"


def run_test(name: str, cross: CrossSection) -> TestResult:
    """Return the outcome of a parametric test; where no firm has a CAR, the reason ``no_firms``."""
    null, test = PARAMETRIC[name]
    if name in LEAST_SQUARES and not cross.least_squares:
        return undefined(name, null, len(cross.firms), "not_least_squares")
    return test(cross) if cross.firms else undefined(name, null, 0, "no_firms")


def placebo_result(name: str, draws: PlaceboDraws | None, n: int, staggered: bool) -> TestResult:
    """Return a placebo test's outcome from its draws; None stands for no firm with a CAR."""
    if draws is None:
        return undefined(name, "sharp", n, "no_firms")
    if not len(draws.draws) or not np.isfinite(draws.observed):
        return undefined(name, "sharp", n, draws.reason or "no_placebo_blocks")
    reason = "assumes_independence" if staggered else ""
    return TestResult(name, "sharp", n, draws.observed, draws.p_value(), reason=reason)
