"""Joint tests of all firms' CARs: exact F where the firms share their rows (rule C17)."""

from __future__ import annotations

import numpy as np
from scipy import special

from eventstudy.inference.result import TestResult, undefined


def _f_test(name: str, n: int, t_squared: float, count: int, df: int) -> TestResult:
    """Refer T-squared of `count` contrasts with `df` residual degrees of freedom to F(count, df - count + 1)."""
    freedom = df - count + 1
    f = t_squared * freedom / (df * count)
    return TestResult(name, "sharp", n, f, float(special.fdtrc(count, freedom, f)), freedom)


def t_squared(values: np.ndarray, covariance: np.ndarray) -> float:
    """Return v'S^-1 v; NaN where S is singular."""
    if np.linalg.matrix_rank(covariance, hermitian=True) < len(values):
        return np.nan
    return float(values @ np.linalg.solve(covariance, values))


def t_squared_of_each(values: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Apply `t_squared` to each of several values (B, N) and covariances (B, N, N); NaN where a number is not known."""
    found = np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(covariance).all(axis=(1, 2)) & np.isfinite(values).all(axis=1))
    known = known[np.linalg.matrix_rank(covariance[known], hermitian=True) == values.shape[1]]
    chosen = values[known]
    found[known] = (chosen[:, None, :] @ np.linalg.solve(covariance[known], chosen[:, :, None]))[:, 0, 0]
    return found


def exact_covariance(errors: np.ndarray, df: int, factor: float) -> np.ndarray:
    """Return the covariance of the CARs of firms that share their rows, N by N (rule C17).

    Parameters
    ----------
    errors : array (rows, N)
        Scaled estimation residuals of the same rows for all firms.
    df : int
        Residual degrees of freedom, the same for all firms.
    factor : float
        The common variance factor C.
    """
    covariance: np.ndarray = errors.T @ errors / df * factor
    return covariance


def hotelling(car: np.ndarray, covariance: np.ndarray, df: int) -> TestResult:
    """F test that every CAR is 0, F(N, df-N+1): exact for normal errors; one firm gives its squared t (rule C17).

    Parameters
    ----------
    car : array (N,)
    covariance : array (N, N)
        Their `exact_covariance`.
    df : int
        Residual degrees of freedom, the same for all firms.
    """
    n = len(car)
    if df - n + 1 < 1:
        return undefined("hotelling", "sharp", n, "too_few_df")
    found = t_squared(car, covariance)
    return undefined("hotelling", "sharp", n, "singular_covariance") if np.isnan(found) else _f_test("hotelling", n, found, n, df)


def equal_effects(car: np.ndarray, covariance: np.ndarray, df: int) -> TestResult:
    """F test that all firms reacted alike, F(N-1, df-N+2) (rule C17, contrasts of neighbours).

    Parameters are those of `hotelling`.
    """
    n = len(car)
    if n < 2:
        return undefined("equal_effects", "sharp", n, "too_few_firms")
    if df - n + 2 < 1:
        return undefined("equal_effects", "sharp", n, "too_few_df")
    contrast = np.diff(np.eye(n), axis=0)
    found = t_squared(np.diff(car), contrast @ covariance @ contrast.T)
    if np.isnan(found):
        return undefined("equal_effects", "sharp", n, "singular_covariance")
    return _f_test("equal_effects", n, found, n - 1, df)


def wald_joint(car: np.ndarray, covariance: np.ndarray) -> TestResult:
    """Wald test that every CAR is 0, chi-squared(N), for firms with rows of their own: approximate (rule C17).

    Parameters
    ----------
    car : array (N,)
    covariance : array (N, N)
        Their covariance (rule C7).
    """
    n = len(car)
    found = t_squared(car, covariance)
    if np.isnan(found):
        return undefined("wald_joint", "sharp", n, "singular_covariance")
    return TestResult("wald_joint", "sharp", n, found, float(special.chdtrc(n, found)), n, "approximate")
