"""Several hypotheses at once: adjusted p-values (rule C18)."""

from __future__ import annotations

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment of p-values (rule C18)."""
    order = np.argsort(p_values)
    steps = (len(p_values) - np.arange(len(p_values))) * p_values[order]
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Benjamini and Hochberg's step-up adjustment, which controls the share of false discoveries (rule C18)."""
    count = len(p_values)
    order = np.argsort(p_values)[::-1]
    steps = count / np.arange(count, 0, -1) * p_values[order]
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.minimum.accumulate(steps), 1.0)
    return adjusted


def romano_wolf(observed: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Romano and Wolf's step-down p-values from joint draws, which respect the dependence of the hypotheses (rule C18).

    Parameters
    ----------
    observed : array (N,)
        Absolute statistics.
    draws : array (B, N)
        The same statistics in B draws under the null, all hypotheses of a draw together.
    """
    order = np.argsort(observed)[::-1]
    left = np.maximum.accumulate(draws[:, order[::-1]], axis=1)[:, ::-1]  # largest over this hypothesis and those after it
    steps = (1 + (left >= observed[order]).sum(axis=0)) / (1 + len(draws))
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted
