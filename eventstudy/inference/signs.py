"""Tests by the signs and signed ranks of CARs, exact for few firms (rules C11 and C12)."""

from __future__ import annotations

import numpy as np
from scipy import special

from eventstudy.inference.result import TestResult, cannot_reject, undefined

FEWEST_FIRMS_NORMAL_SIGNS = 30
MOST_FIRMS_ENUMERATED = 15
SAME = 1 + 1e-9  # probabilities that differ by rounding alone count as equal


def generalized_sign(car: np.ndarray, positive: np.ndarray) -> TestResult:
    """Cowan's generalised sign test; firms independent (rule C11).

    The statistic is Z = (w - N p) / sqrt(N p (1-p)) with w the number of positive CARs. Below 30 firms the
    p-values are exact, from the distribution of a sum of signs with unequal probabilities.

    Parameters
    ----------
    car : array (N,)
    positive : array (N,)
        Share of positive estimation residuals of each firm.
    """
    n, count, p = len(car), int((car > 0).sum()), float(positive.mean())
    if not 0 < p < 1:
        return undefined("generalized_sign", "sharp", n, "no_spread")
    z = float((count - n * p) / np.sqrt(n * p * (1 - p)))
    if n >= FEWEST_FIRMS_NORMAL_SIGNS:
        left, right = float(special.ndtr(z)), float(special.ndtr(-z))
        return TestResult("generalized_sign", "sharp", n, z, 2 * min(left, right), p_left=left, p_right=right)
    chance = np.ones(1)
    for share in positive:
        chance = np.convolve(chance, [1 - share, share])
    two_sided = [float(chance[chance <= value * SAME].sum()) for value in chance]
    floor = min(two_sided)
    return TestResult(
        "generalized_sign", "sharp", n, z, min(two_sided[count], 1.0), reason=cannot_reject(floor),
        p_left=float(chance[: count + 1].sum()), p_right=float(chance[count:].sum()), floor=floor,
    )  # fmt: skip


def wilcoxon(car: np.ndarray) -> TestResult:
    """Wilcoxon's signed-rank test; firms independent (rule C12).

    The statistic is the sum of the ranks of |CAR| over the positive CARs. Up to 15 firms the p-values come
    from all 2^N signs, else from the normal distribution with the permutations' mean and variance.

    Parameters
    ----------
    car : array (N,)
        CARs that are exactly 0 are left out, ties get average ranks.
    """
    moved = car[car != 0]
    n = len(car)
    if not len(moved):
        return undefined("wilcoxon", "sharp", n, "no_spread")
    from scipy import stats

    ranks = np.asarray(stats.rankdata(np.abs(moved)))
    total, mean = float(ranks[moved > 0].sum()), float(ranks.sum() / 2)
    if len(moved) > MOST_FIRMS_ENUMERATED:
        z = (total - mean) / np.sqrt((ranks**2).sum() / 4)
        left, right = float(special.ndtr(z)), float(special.ndtr(-z))
        return TestResult("wilcoxon", "sharp", n, total, 2 * min(left, right), p_left=left, p_right=right)
    sums = np.zeros(1)
    for rank in ranks:
        sums = np.concatenate([sums, sums + rank])
    floor = 2 / len(sums)
    return TestResult(
        "wilcoxon", "sharp", n, total, float((np.abs(sums - mean) >= abs(total - mean)).mean()), reason=cannot_reject(floor),
        p_left=float((sums <= total).mean()), p_right=float((sums >= total).mean()), floor=floor,
    )  # fmt: skip
