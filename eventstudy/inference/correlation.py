"""Correlation of the firms' residuals, paired by calendar session (rule C6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

FEWEST_COMMON_SESSIONS = 30


@dataclass(frozen=True)
class ResidualCorrelation:
    """Correlation matrix of residuals and its mean off-diagonal element.

    Parameters
    ----------
    matrix : array (N, N)
        Pairs whose event windows share no session count 0.
    mean : float
        r-bar, the mean of the N(N-1)/2 correlations; 0 for one firm.
    enough : bool
        Whether every pair that matters has at least 30 sessions in common.
    """

    matrix: np.ndarray
    mean: float
    enough: bool


def residual_correlation(residuals: np.ndarray, overlap: np.ndarray) -> ResidualCorrelation:
    """Correlate residuals pairwise over the sessions two firms share.

    Parameters
    ----------
    residuals : array (sessions, N)
        Single-session estimation residuals by session; NaN where a firm has none.
    overlap : array (N, N) of bool
        Whether the event windows of two firms share a session.
    """
    n = residuals.shape[1]
    known = residuals[~np.isnan(residuals).all(axis=1)]
    if len(known) >= FEWEST_COMMON_SESSIONS and not np.isnan(known).any():
        matrix = np.atleast_2d(np.corrcoef(known, rowvar=False))
    else:
        matrix = pd.DataFrame(known).corr(min_periods=FEWEST_COMMON_SESSIONS).to_numpy(copy=True)
    matrix[~overlap] = 0.0
    np.fill_diagonal(matrix, 1.0)
    pairs = matrix[np.triu_indices(n, 1)]
    return ResidualCorrelation(matrix, float(pairs.mean()) if len(pairs) else 0.0, not np.isnan(pairs).any())


def nearest_correlation(matrix: np.ndarray) -> tuple[np.ndarray, bool]:
    """Clip negative eigenvalues at 0 and rescale the diagonal to 1; the flag tells whether that was needed."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= -1e-12:
        return matrix, False
    clipped = vectors @ np.diag(np.clip(values, 0, None)) @ vectors.T
    scale = np.sqrt(np.diag(clipped))
    return clipped / np.outer(scale, scale), True
