"""Every test by name, from a cross-section of firms to its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from eventstudy.inference import joint, parametric, ranks, signs, skewness
from eventstudy.inference.bootstrap import BOOTSTRAP
from eventstudy.inference.calendar_time import calendar_time
from eventstudy.inference.correlation import MOST_FIRMS_TOGETHER
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.placebo import PlaceboDraws
from eventstudy.inference.result import Null, TestResult, undefined
from eventstudy.windows import length


def _joint(name: str, test: Callable[[np.ndarray, np.ndarray, int], TestResult], cross: CrossSection) -> TestResult:
    n = len(cross.firms)
    if n > MOST_FIRMS_TOGETHER:
        return undefined(name, "sharp", n, "too_many_firms")
    if name == "equal_effects" and n < 2:
        return undefined(name, "sharp", n, "too_few_firms")
    if any(firm.fit.refit is not None for firm in cross.firms):
        return undefined(name, "sharp", n, "not_least_squares")
    if not cross.same_rows:
        return undefined(name, "sharp", n, "different_rows")
    return test(cross.car, cross.exact_covariance, int(cross.df[0]))


def _wald(cross: CrossSection) -> TestResult:
    if len(cross.firms) > MOST_FIRMS_TOGETHER:
        return undefined("wald_joint", "sharp", len(cross.firms), "too_many_firms")
    if not cross.correlation.enough:
        return undefined("wald_joint", "sharp", len(cross.firms), "too_few_common_sessions")
    return joint.wald_joint(cross.car, cross.covariance)


def _kp_bmp_blocks(cross: CrossSection) -> TestResult:
    """KP's adjustment with correlation counted within industries on overlapping dates only (rule C6)."""
    industries = {firm.industry for firm in cross.firms}
    if "" in industries or len(industries) < 2:
        return undefined("kp_bmp_blocks", "mean", len(cross.firms), "no_industries")
    return replace(parametric.kp_bmp(cross.scar, cross.correlation_in_blocks), name="kp_bmp_blocks")


def by_tau(result: TestResult, staggered: bool) -> TestResult:
    """Say of a test that pairs firms by tau that it takes them for independent where dates differ (rule C6)."""
    told = {"": "assumes_independence", "few_firms_rescaled": "few_firms_rescaled_independent"}
    return replace(result, reason=told.get(result.reason, result.reason)) if staggered else result


Test = Callable[[CrossSection], TestResult]

PARAMETRIC: dict[str, tuple[Null, Test]] = {
    "portfolio_t": (
        "sharp",
        lambda cross: parametric.portfolio_t(cross.car, cross.sigma, cross.df, cross.correlation, cross.shared),
    ),
    "kp_bmp": ("mean", lambda cross: parametric.kp_bmp(cross.scar, cross.correlation)),
    "kp_bmp_blocks": ("mean", _kp_bmp_blocks),
    "calendar_time": ("mean", calendar_time),
    "kp_patell": ("sharp", lambda cross: parametric.kp_patell(cross.scar, cross.df, cross.correlation)),
    "crude_dependence": (
        "sharp",
        lambda cross: by_tau(parametric.crude_dependence(cross.car, cross.mean_residuals, length(cross.window)), cross.staggered),
    ),
    "hotelling": ("sharp", lambda cross: _joint("hotelling", joint.hotelling, cross)),
    "wald_joint": ("sharp", _wald),
    "equal_effects": ("sharp", lambda cross: _joint("equal_effects", joint.equal_effects, cross)),
    "cross_sectional_t": ("mean", lambda cross: parametric.cross_sectional_t(cross.car)),
    "bmp": ("mean", lambda cross: parametric.bmp(cross.scar)),
    "patell": ("sharp", lambda cross: parametric.patell(cross.scar, cross.df)),
    "skewness_hall": ("mean", lambda cross: skewness.skewness_hall(cross.car)),
    "skewness_johnson": ("mean", lambda cross: skewness.skewness_johnson(cross.car)),
}

RANKS: dict[str, tuple[Null, Test]] = {
    "corrado_zivney": (
        "sharp",
        lambda cross: by_tau(ranks.corrado_zivney(cross.scaled_errors, cross.scaled_returns), cross.staggered),
    ),
    "corrado": ("sharp", lambda cross: by_tau(ranks.corrado(cross.scaled_errors, cross.scaled_returns), cross.staggered)),
    "grank_unscaled": (
        "sharp",
        lambda cross: by_tau(ranks.grank_unscaled(cross.residuals_by_tau / cross.sigma, cross.scar), cross.staggered),
    ),
    "grank": ("mean", lambda cross: by_tau(ranks.grank(cross.residuals_by_tau / cross.sigma, cross.scar), cross.staggered)),
    "generalized_sign": ("sharp", lambda cross: signs.generalized_sign(cross.car, cross.positive_share)),
    "wilcoxon": ("sharp", lambda cross: signs.wilcoxon(cross.car)),
}

# Tests whose formula is that of least squares; with another estimator they are undefined.
LEAST_SQUARES = {"portfolio_t", "equal_effects", "hotelling", "wald_joint"}

CLOSED_FORM = PARAMETRIC | RANKS

OF_PAIRS = {"kp_bmp", "kp_patell", "portfolio_t"}  # rest on the correlations of all pairs of firms

PLACEBO = ("placebo_caar", "placebo_scar", "placebo_hotelling", "placebo_max")

UNDIRECTED = ("placebo_hotelling", "placebo_max")

DIFFERENCE = ("difference_t", "placebo_difference")

TEST_NAMES = (*CLOSED_FORM, *PLACEBO, *BOOTSTRAP, *DIFFERENCE)

Kind = Literal["parametric", "rank", "resampling"]


def kind_of(name: str) -> Kind:
    """Return what the p-value of a test rests on: a distribution of the errors, ranks and signs, or draws."""
    if name.startswith(("placebo_", "bootstrap_")):
        return "resampling"
    return "rank" if name in RANKS else "parametric"


def run_test(name: str, cross: CrossSection) -> TestResult:
    """Return the outcome of a test that needs no draws; where no firm has a CAR, the reason ``no_firms``."""
    null, test = CLOSED_FORM[name]
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
    left, right = (np.nan, np.nan) if name in UNDIRECTED else (draws.p_value("left"), draws.p_value("right"))
    return TestResult(
        name, "sharp", n, draws.observed, draws.p_value(), reason=reason, p_left=left, p_right=right, floor=draws.floor
    )


def difference_result(first: CrossSection, second: CrossSection) -> TestResult:
    """Return the t of the difference between two groups' mean CARs in one window."""
    n = len(first.firms) + len(second.firms)
    if not first.firms or not second.firms:
        return undefined("difference_t", "sharp", n, "no_firms")
    both = CrossSection(first.window, (*first.firms, *second.firms))
    if not both.least_squares:
        return undefined("difference_t", "sharp", n, "not_least_squares")
    if not both.correlation.enough:
        return undefined("difference_t", "sharp", n, "too_few_common_sessions")
    return parametric.difference_t(both.car, np.arange(n) < len(first.firms), both.df, both.covariance)
