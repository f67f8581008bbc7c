"""t statistics of the mean CAR, adjusted for skewness (rule C14)."""

from __future__ import annotations

import numpy as np

from eventstudy.inference.result import TestResult, normal, spread_of, undefined

FEWEST_FIRMS = 20


def _skewness_test(name: str, car: np.ndarray, cubic: bool) -> TestResult:
    n = len(car)
    if n < 3:
        return undefined(name, "mean", n, "fewer_than_three_firms")
    spread = spread_of(car)
    if not spread > 0:
        return undefined(name, "mean", n, "no_spread")
    mean = float(car.mean()) / spread
    skewness = float(((car - car.mean()) ** 3).mean()) / spread**3
    adjusted = mean + skewness * mean**2 / 3 + skewness / (6 * n)
    if cubic:
        adjusted += skewness**2 * mean**3 / 27
    return normal(name, "mean", n, float(np.sqrt(n) * adjusted), "few_firms_skewness" if n < FEWEST_FIRMS else "")


def skewness_johnson(car: np.ndarray) -> TestResult:
    """Johnson's skewness-adjusted t, N(0,1) (rule C14; Lyon, Barber and Tsai 1999).

    Parameters
    ----------
    car : array (N,)
        At least 3; below 20 the p-value means little, and is flagged.
    """
    return _skewness_test("skewness_johnson", car, cubic=False)


def skewness_hall(car: np.ndarray) -> TestResult:
    """Hall's transformation, which adds a cubic term so that it is monotone, N(0,1) (rule C14)."""
    return _skewness_test("skewness_hall", car, cubic=True)
