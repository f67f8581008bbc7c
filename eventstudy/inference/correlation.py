"""Correlation of the firms' residuals, paired by calendar session (rule C6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

FEWEST_COMMON_SESSIONS = 30
MOST_FIRMS_TOGETHER = 100  # above, no matrix of all firms is decomposed: joint tests are left out, correlations stay as estimated


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

    @cached_property
    def nearest(self) -> tuple[np.ndarray, bool]:
        """The nearest matrix without negative eigenvalues, and whether it is another one."""
        return nearest_correlation(self.matrix)


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
        matrix = _pairwise(known)
    matrix[~overlap] = 0.0
    np.fill_diagonal(matrix, 1.0)
    pairs = matrix[np.triu_indices(n, 1)]
    return ResidualCorrelation(matrix, float(pairs.mean()) if len(pairs) else 0.0, not np.isnan(pairs).any())


def _pairwise(residuals: np.ndarray) -> np.ndarray:
    return pd.DataFrame(residuals).corr(min_periods=FEWEST_COMMON_SESSIONS).to_numpy(copy=True)


def residual_correlations(residuals: np.ndarray) -> np.ndarray:
    """Correlate several sets of residuals, each as `residual_correlation` does if all windows overlap.

    Parameters
    ----------
    residuals : array (B, sessions, N)

    Returns
    -------
    array (B, N, N)
        NaN for pairs with too few common sessions.
    """
    blocks, _, n = residuals.shape
    found, known = np.empty((blocks, n, n)), ~np.isnan(residuals)
    there = known.any(axis=2)
    count = there.sum(axis=1)
    whole = (count >= FEWEST_COMMON_SESSIONS) & (there == known.all(axis=2)).all(axis=1)
    if not whole.all():
        found[~whole] = _over_common_sessions(residuals[~whole], known[~whole])
    for sessions in np.unique(count[whole]):
        alike = np.flatnonzero(whole & (count == sessions))
        own = residuals[alike][there[alike]].reshape(len(alike), sessions, n)
        own -= own.mean(axis=1)[:, None, :]
        products = own.transpose(0, 2, 1) @ own * (1 / (sessions - 1))
        spread = np.sqrt(np.einsum("bii->bi", products))
        found[alike] = np.clip(products / spread[:, :, None] / spread[:, None, :], -1, 1)
    found[:, np.arange(n), np.arange(n)] = 1.0
    return found


def _over_common_sessions(residuals: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Correlate pairwise what is `known` (B, sessions, N), as `_pairwise` does; residuals average next to nothing."""
    x, there = np.where(known, residuals, 0.0), known.astype(float)
    turned = x.transpose(0, 2, 1)
    common, sums, squares = there.transpose(0, 2, 1) @ there, turned @ there, (x**2).transpose(0, 2, 1) @ there
    both = (sums, sums.transpose(0, 2, 1)), (squares, squares.transpose(0, 2, 1))
    found = np.clip(correlation_of_sums(common, turned @ x, *both), -1, 1)
    return np.where(common >= FEWEST_COMMON_SESSIONS, found, np.nan)


def correlation_of_sums(
    common: np.ndarray, products: np.ndarray, sums: tuple[np.ndarray, np.ndarray], squares: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return Pearson correlations of pairs from sums over the sessions that both of a pair share.

    Parameters
    ----------
    common : array
        Number of these sessions.
    products : array
        Sums of the products.
    sums, squares : pair of arrays
        Sums of the values and of their squares, of the first and of the second of a pair.
    """
    (of_x, of_y), (of_xx, of_yy) = sums, squares
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (of_xx - of_x**2 / common) * (of_yy - of_y**2 / common)
        return np.asarray((products - of_x * of_y / common) / np.sqrt(spread))


def nearest_correlation(matrix: np.ndarray) -> tuple[np.ndarray, bool]:
    """Clip negative eigenvalues at 0 and rescale the diagonal to 1; the flag tells whether that was needed.

    A matrix of more than 100 firms is returned as it is.
    """
    if len(matrix) > MOST_FIRMS_TOGETHER:
        return matrix, False
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= -1e-12:
        return matrix, False
    clipped = vectors @ np.diag(np.clip(values, 0, None)) @ vectors.T
    scale = np.sqrt(np.diag(clipped))
    return clipped / np.outer(scale, scale), True


def nearest_correlations(matrices: np.ndarray) -> np.ndarray:
    """Apply `nearest_correlation` to each matrix (B, N, N); one with unknown correlations becomes NaN."""
    known = ~np.isnan(matrices).any(axis=(1, 2))
    found = np.where(known[:, None, None], matrices, np.nan)
    lowest = np.linalg.eigh(matrices[known])[0][:, 0]
    for place in np.flatnonzero(known)[lowest < -1e-12]:
        found[place] = nearest_correlation(matrices[place])[0]
    return found
