"""What a test says: a number with its null, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

Null = Literal["mean", "sharp"]

USUAL_LEVEL = 0.05


@dataclass(frozen=True)
class TestResult:
    """Outcome of one test.

    Parameters
    ----------
    name : str
    null : {"mean", "sharp"}
        ``mean``: the expected abnormal return is 0, its variance may have changed. ``sharp``: the event
        changed nothing at all.
    n : int
        Number of firms.
    statistic, p_value : float
        NaN where the test does not apply; the p-value is two-sided.
    df : float
        Degrees of freedom of the reference distribution; NaN where it has none.
    reason : str
        Code of why the test does not apply, or of an assumption the reader must know.
    p_left, p_right : float
        One-sided p-values against a smaller and a larger statistic; NaN where the test has no direction.
    floor : float
        Smallest two-sided p-value that so many firms or draws can give; NaN where there is no such bound.
    """

    __test__ = False  # pytest would take the class for a test case

    name: str
    null: Null
    n: int
    statistic: float = np.nan
    p_value: float = np.nan
    df: float = np.nan
    reason: str = ""
    p_left: float = np.nan
    p_right: float = np.nan
    floor: float = np.nan

    def __repr__(self) -> str:
        about = f"N = {self.n}, {self.null} null" + (f"; {self.reason}" if self.reason else "")
        if np.isnan(self.statistic):
            return f"{self.name}: undefined, {about}"
        freedom = "" if np.isnan(self.df) else f", df {self.df:g}"
        return f"{self.name}: statistic {self.statistic:.4g}{freedom}, p = {self.p_value:.4g}, {about}"


def spread_of(values: np.ndarray) -> float:
    """Return the standard deviation of values across firms, exactly 0 for fewer than two or equal ones, whatever the rounding."""
    return float(values.std(ddof=1)) if len(values) and np.ptp(values) > 0 else 0.0


def cannot_reject(floor: float) -> str:
    """Return the reason of a test whose smallest p-value lies above the 5% level, else nothing."""
    return "cannot_reject" if floor > USUAL_LEVEL else ""


def undefined(name: str, null: Null, n: int, reason: str) -> TestResult:
    """Return the result of a test that does not apply."""
    return TestResult(name, null, n, reason=reason)


def student(name: str, null: Null, n: int, statistic: float, df: float, reason: str = "") -> TestResult:
    """Return a statistic referred to Student's t, two-sided and one-sided."""
    left, right = (float(special.stdtr(df, side * statistic)) for side in (1, -1))
    return TestResult(name, null, n, float(statistic), 2 * min(left, right), df, reason, left, right)


def normal(name: str, null: Null, n: int, statistic: float, reason: str = "") -> TestResult:
    """Return a statistic referred to the standard normal distribution, two-sided and one-sided."""
    left, right = (float(special.ndtr(side * statistic)) for side in (1, -1))
    return TestResult(name, null, n, float(statistic), 2 * min(left, right), np.nan, reason, left, right)
