"""Parametric tests across firms, each on plain arrays (rules C3 to C7 and C17)."""

from __future__ import annotations

import numpy as np
from scipy import stats

from eventstudy.inference.correlation import ResidualCorrelation, nearest_correlation
from eventstudy.inference.result import TestResult, undefined


def _t_test(name: str, statistic: float, df: float, n: int, null: str, reason: str = "") -> TestResult:
    return TestResult(name, null, n, statistic, float(2 * stats.t.sf(abs(statistic), df)), df, reason)  # type: ignore[arg-type]


def _mean_over_sd(values: np.ndarray) -> float:
    """Return the one-sample t statistic; NaN for fewer than two values or equal ones."""
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    return float(values.mean() / (spread / np.sqrt(len(values)))) if spread > 0 else np.nan


def cross_sectional_t(car: np.ndarray) -> TestResult:
    """t of the mean CAR from the spread of CARs across firms, t(N-1) (rule C3).

    Parameters
    ----------
    car : array (N,)
        Cumulative abnormal returns.
    """
    statistic = _mean_over_sd(car)
    if np.isnan(statistic):
        return undefined("cross_sectional_t", "mean", len(car), "too_few_firms" if len(car) < 2 else "no_spread")
    return _t_test("cross_sectional_t", statistic, len(car) - 1, len(car), "mean")


def patell(scar: np.ndarray, df: np.ndarray) -> TestResult:
    """Patell's Z of standardised CARs, N(0,1), firms independent (rule C4).

    Parameters
    ----------
    scar : array (N,)
        car / se_car with the full prediction variance.
    df : array (N,)
        Residual degrees of freedom of each firm.
    """
    if not len(scar):
        return undefined("patell", "sharp", 0, "no_firms")
    if (df <= 2).any():
        return undefined("patell", "sharp", len(scar), "too_few_df")
    z = float(scar.sum() / np.sqrt((df / (df - 2)).sum()))
    return TestResult("patell", "sharp", len(scar), z, float(2 * stats.norm.sf(abs(z))))


def kp_patell(scar: np.ndarray, df: np.ndarray, correlation: ResidualCorrelation) -> TestResult:
    """Patell's Z divided by sqrt(1 + (N-1) r-bar): robust to cross-correlation (rule C4, KP 2010 eq. 13)."""
    plain, n = patell(scar, df), len(scar)
    reason = plain.reason or _correlation_reason(correlation, n)
    if reason:
        return undefined("kp_patell", "sharp", n, reason)
    z = plain.statistic / np.sqrt(1 + (n - 1) * correlation.mean)
    return TestResult("kp_patell", "sharp", n, float(z), float(2 * stats.norm.sf(abs(z))))


def bmp(scar: np.ndarray) -> TestResult:
    """Boehmer, Musumeci and Poulsen's t of standardised CARs, t(N-1), firms independent (rule C5)."""
    statistic = _mean_over_sd(scar)
    if np.isnan(statistic):
        return undefined("bmp", "mean", len(scar), "too_few_firms" if len(scar) < 2 else "no_spread")
    return _t_test("bmp", statistic, len(scar) - 1, len(scar), "mean")


def kp_bmp(scar: np.ndarray, correlation: ResidualCorrelation) -> TestResult:
    """BMP times sqrt((1 - r-bar) / (1 + (N-1) r-bar)), t(N-1) (rule C6, KP 2010 eq. 10)."""
    plain, n = bmp(scar), len(scar)
    reason = plain.reason or _correlation_reason(correlation, n)
    if reason:
        return undefined("kp_bmp", "mean", n, reason)
    r = correlation.mean
    return _t_test("kp_bmp", float(plain.statistic * np.sqrt((1 - r) / (1 + (n - 1) * r))), n - 1, n, "mean")


def _correlation_reason(correlation: ResidualCorrelation, n: int) -> str:
    if not correlation.enough:
        return "too_few_common_sessions"
    return "" if 1 + (n - 1) * correlation.mean > 0 else "negative_variance"


def caar_se(sigma: np.ndarray, matrix: np.ndarray, shared: np.ndarray) -> float:
    """Standard error of the mean CAR with the full covariance across firms (rule C7).

    Parameters
    ----------
    sigma : array (N,)
        Residual standard deviations per session.
    matrix : array (N, N)
        Residual correlations.
    shared : array (N, N)
        Sums over sessions of the products of two firms' session weights.
    """
    return float(np.sqrt(np.sum(matrix * np.outer(sigma, sigma) * shared)) / len(sigma))


def portfolio_statistic(car: np.ndarray, sigma: np.ndarray, correlation: ResidualCorrelation, shared: np.ndarray) -> float:
    """Mean CAR over its standard error (rule C7); NaN where the correlation or the variance is not to be had."""
    if not correlation.enough:
        return np.nan
    se = caar_se(sigma, nearest_correlation(correlation.matrix)[0], shared)
    return float(car.mean() / se) if se > 0 else np.nan


def portfolio_t(
    car: np.ndarray, sigma: np.ndarray, df: np.ndarray, correlation: ResidualCorrelation, shared: np.ndarray
) -> TestResult:
    """t of the mean CAR with the full covariance of the firms' errors, t(min df) (rule C7).

    On complete data with a common date it equals the event-dummy t of the equal-weighted portfolio.
    """
    n = len(car)
    if not n:
        return undefined("portfolio_t", "sharp", 0, "no_firms")
    if not correlation.enough:
        return undefined("portfolio_t", "sharp", n, "too_few_common_sessions")
    statistic = portfolio_statistic(car, sigma, correlation, shared)
    if np.isnan(statistic):
        return undefined("portfolio_t", "sharp", n, "negative_variance")
    clipped = nearest_correlation(correlation.matrix)[1]
    return _t_test("portfolio_t", statistic, int(df.min()), n, "sharp", "correlation_clipped" if clipped else "")


def equal_effects(car: np.ndarray, errors: np.ndarray, df: int, factor: float) -> TestResult:
    """F test that all firms reacted alike, F(N-1, df-N+2) (rule C17, contrasts of neighbours).

    Parameters
    ----------
    car : array (N,)
    errors : array (rows, N)
        Scaled estimation residuals of the same rows for all firms.
    df : int
        Residual degrees of freedom, the same for all firms.
    factor : float
        The common variance factor C.
    """
    n = len(car)
    if n < 2:
        return undefined("equal_effects", "sharp", n, "too_few_firms")
    if df - n + 2 < 1:
        return undefined("equal_effects", "sharp", n, "too_few_df")
    gap = np.diff(car)
    contrast = np.diff(np.eye(n), axis=0)
    covariance = contrast @ (errors.T @ errors / df) @ contrast.T
    if np.linalg.matrix_rank(covariance) < n - 1:
        return undefined("equal_effects", "sharp", n, "singular_covariance")
    t_squared = float(gap @ np.linalg.solve(covariance, gap)) / factor
    f = t_squared * (df - n + 2) / (df * (n - 1))
    return TestResult("equal_effects", "sharp", n, f, float(stats.f.sf(f, n - 1, df - n + 2)), df - n + 2)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment of p-values (rule C18)."""
    order = np.argsort(p_values)
    steps = (len(p_values) - np.arange(len(p_values))) * p_values[order]
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
