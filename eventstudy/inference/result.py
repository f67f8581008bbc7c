"""What a test says: a number with its null, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Null = Literal["mean", "sharp"]


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
    """

    __test__ = False  # pytest would take the class for a test case

    name: str
    null: Null
    n: int
    statistic: float = np.nan
    p_value: float = np.nan
    df: float = np.nan
    reason: str = ""


def undefined(name: str, null: Null, n: int, reason: str) -> TestResult:
    """Return the result of a test that does not apply."""
    return TestResult(name, null, n, reason=reason)
