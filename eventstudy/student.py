"""Student's t: its tails and its quantiles, as scipy.stats has them, without its overhead and its import."""

from __future__ import annotations

import numpy as np
from scipy import special


def both_tails(t: np.ndarray | float, df: np.ndarray | float) -> np.ndarray:
    """Return the probability of a value at least as far from zero as `t`; infinite `df` stands for the normal distribution."""
    return np.asarray(2 * special.stdtr(df, -np.abs(t)))


def critical_value(alpha: float, df: np.ndarray | float) -> np.ndarray:
    """Return the value that is exceeded, up or down, with probability `alpha`."""
    return np.asarray(-special.stdtrit(df, alpha / 2))
