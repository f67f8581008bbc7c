"""Parametric tests across firms, each on plain arrays (rules C3 to C8)."""

from __future__ import annotations

import numpy as np

from eventstudy.inference.correlation import MOST_FIRMS_TOGETHER, ResidualCorrelation
from eventstudy.inference.result import TestResult, normal, spread_of, student, undefined


def _mean_over_sd(values: np.ndarray) -> float:
    """Return the one-sample t statistic; NaN for fewer than two values or equal ones."""
    spread = spread_of(values)
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
    return student("cross_sectional_t", "mean", len(car), statistic, len(car) - 1)


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
    return normal("patell", "sharp", len(scar), z)


def kp_patell(scar: np.ndarray, df: np.ndarray, correlation: ResidualCorrelation) -> TestResult:
    """Patell's Z divided by sqrt(1 + (N-1) r-bar): robust to cross-correlation (rule C4, KP 2010 eq. 13)."""
    plain, n = patell(scar, df), len(scar)
    reason = plain.reason or _correlation_reason(correlation, n)
    if reason:
        return undefined("kp_patell", "sharp", n, reason)
    z = plain.statistic / np.sqrt(1 + (n - 1) * correlation.mean)
    return normal("kp_patell", "sharp", n, z)


def bmp(scar: np.ndarray) -> TestResult:
    """Boehmer, Musumeci and Poulsen's t of standardised CARs, t(N-1), firms independent (rule C5)."""
    statistic = _mean_over_sd(scar)
    if np.isnan(statistic):
        return undefined("bmp", "mean", len(scar), "too_few_firms" if len(scar) < 2 else "no_spread")
    return student("bmp", "mean", len(scar), statistic, len(scar) - 1)


def kp_bmp(scar: np.ndarray, correlation: ResidualCorrelation) -> TestResult:
    """BMP times sqrt((1 - r-bar) / (1 + (N-1) r-bar)), t(N-1) (rule C6, KP 2010 eq. 10)."""
    plain, n = bmp(scar), len(scar)
    reason = plain.reason or _correlation_reason(correlation, n)
    if reason:
        return undefined("kp_bmp", "mean", n, reason)
    r = correlation.mean
    return student("kp_bmp", "mean", n, plain.statistic * np.sqrt((1 - r) / (1 + (n - 1) * r)), n - 1)


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
    se = caar_se(sigma, correlation.nearest[0], shared)
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
    clipped = "correlation_clipped" if correlation.nearest[1] else ""
    reason = "correlation_as_estimated" if n > MOST_FIRMS_TOGETHER else clipped
    return student("portfolio_t", "sharp", n, statistic, int(df.min()), reason)


def difference_t(car: np.ndarray, first: np.ndarray, df: np.ndarray, covariance: np.ndarray) -> TestResult:
    """t of the difference between the mean CARs of two groups, with the covariance of all firms, t(min df) (rule C7).

    Parameters
    ----------
    car : array (N,)
        CARs of both groups.
    first : array (N,) of bool
        Which firms belong to the first group; the second one's mean is taken off.
    df : array (N,)
    covariance : array (N, N)
        Covariance of the CARs.
    """
    n = len(car)
    weights = np.where(first, 1 / max(first.sum(), 1), -1 / max((~first).sum(), 1))
    variance = float(weights @ covariance @ weights)
    if not variance > 0:
        return undefined("difference_t", "sharp", n, "negative_variance")
    return student("difference_t", "sharp", n, float(weights @ car) / np.sqrt(variance), int(df.min()))


def common_means(errors: np.ndarray) -> np.ndarray:
    """Return the means over the firms of errors (sessions, N), of the sessions where none is NaN."""
    means: np.ndarray = errors[~np.isnan(errors).any(axis=1)].mean(axis=1)
    return means


def crude_dependence(car: np.ndarray, means: np.ndarray, sessions: int) -> TestResult:
    """t of the mean CAR from the spread of the mean residual over estimation sessions, t(T-1) (rule C8).

    It leaves the error of prediction out, so that it rejects slightly too often.

    Parameters
    ----------
    car : array (N,)
    means : array (T,)
        Mean single-session estimation residuals over the firms, of the sessions with residuals of all.
    sessions : int
        Sessions in the window.
    """
    n = len(car)
    if len(means) < 2:
        return undefined("crude_dependence", "sharp", n, "too_few_common_sessions")
    spread = float(means.std(ddof=1))
    if not spread > 0:
        return undefined("crude_dependence", "sharp", n, "no_spread")
    return student("crude_dependence", "sharp", n, car.mean() / (np.sqrt(sessions) * spread), len(means) - 1)
