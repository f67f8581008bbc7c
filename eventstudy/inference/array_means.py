"""Tests of mean abnormal returns on plain arrays: parametric, and adjusted for skewness (rules C3 to C8 and C14)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from eventstudy.errors import DataError
from eventstudy.inference import correlation as correlations
from eventstudy.inference import parametric, skewness
from eventstudy.inference.checked import matrix, square, vector
from eventstudy.inference.correlation import ResidualCorrelation
from eventstudy.inference.result import TestResult, student, undefined


def residual_correlation(residuals: ArrayLike, overlap: ArrayLike | None = None) -> ResidualCorrelation:
    """Correlate the firms' estimation residuals, paired by session (rule C6).

    Parameters
    ----------
    residuals : array or DataFrame (sessions, N)
        Single-session residuals by calendar session, NaN where a firm has none: columns of ``session_residuals``.
    overlap : array (N, N) of bool, optional
        Whether the event windows of two firms share a session; default all do. Other pairs count as uncorrelated.

    Returns
    -------
    ResidualCorrelation
        ``matrix``, ``mean`` (r-bar, over the pairs) and ``enough``: whether all pairs have 30 sessions in common.

    Raises
    ------
    DataError
        If the residuals are no table of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import eventstudy as es
    >>> shock = np.tile([0.01, -0.01], 20)
    >>> es.inference.residual_correlation(np.column_stack([shock, 2 * shock, -shock])).mean  # 1, -1 and -1
    -0.3333333333333333
    """
    found = matrix(residuals, "residuals", may_lack=True)
    count = found.shape[1]
    shared = np.ones((count, count), dtype=bool) if overlap is None else np.asarray(overlap, dtype=bool)
    if shared.shape != (count, count):
        raise DataError(f"overlap is no matrix of {count} by {count}")
    return correlations.residual_correlation(found, shared)


def cross_sectional_t(car: ArrayLike) -> TestResult:
    """t of the mean CAR from the spread of CARs across firms, t(N-1); mean null, firms independent (rule C3).

    Parameters
    ----------
    car : array (N,)
        Cumulative abnormal returns, decimals.

    Returns
    -------
    TestResult
        Undefined (``too_few_firms``, ``no_spread``) where N < 2 or all are equal.

    Raises
    ------
    DataError
        If a value is undefined.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.cross_sectional_t([0.01, 0.02, 0.03])  # 0.02 over 0.01 / sqrt(3)
    cross_sectional_t: statistic 3.464, df 2, p = 0.07418, N = 3, mean null
    """
    return parametric.cross_sectional_t(vector(car, "car"))


def patell(scar: ArrayLike, df: ArrayLike) -> TestResult:
    """Patell's Z of standardised CARs, N(0,1); sharp null, firms independent (rule C4).

    Parameters
    ----------
    scar : array (N,)
        CAR over its standard error with the full variance of prediction.
    df : int or array (N,)
        Residual degrees of freedom of each firm, above 2.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a value is undefined or the lengths differ.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.patell([1.0, 2.0], 102)  # 3 over the root of 2 times 102/100
    patell: statistic 2.1, p = 0.03569, N = 2, sharp null
    """
    found = vector(scar, "scar")
    return parametric.patell(found, vector(df, "df", len(found)))


def kp_patell(scar: ArrayLike, df: ArrayLike, correlation: float | ResidualCorrelation) -> TestResult:
    """Patell's Z over sqrt(1 + (N-1) r-bar), robust to cross-correlation; sharp null (rule C4; Kolari and Pynnönen 2010, eq. 13).

    Parameters
    ----------
    scar, df
        As for `patell`.
    correlation : float or ResidualCorrelation
        r-bar, the mean residual correlation, or what `residual_correlation` returns.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a value is undefined or the lengths differ.

    Examples
    --------
    >>> import eventstudy as es
    >>> round(es.inference.kp_patell([1.0, 2.0], 102, 0.5).statistic * 1.5**0.5, 4)  # Patell's again
    2.1004
    """
    found = vector(scar, "scar")
    return parametric.kp_patell(found, vector(df, "df", len(found)), _correlation(correlation))


def bmp(scar: ArrayLike) -> TestResult:
    """Boehmer, Musumeci and Poulsen's t of standardised CARs, t(N-1); mean null, firms independent (rule C5).

    Parameters
    ----------
    scar : array (N,)
        As for `patell`.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a value is undefined.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.bmp([1.0, 2.0, 3.0]).df
    2
    """
    return parametric.bmp(vector(scar, "scar"))


def kp_bmp(scar: ArrayLike, correlation: float | ResidualCorrelation) -> TestResult:
    """BMP times sqrt((1 - r-bar) / (1 + (N-1) r-bar)), t(N-1); mean null (rule C6; Kolari and Pynnönen 2010, eq. 10).

    Parameters
    ----------
    scar : array (N,)
        As for `patell`.
    correlation : float or ResidualCorrelation
        As for `kp_patell`.

    Returns
    -------
    TestResult
        Undefined (``negative_variance``) where 1 + (N-1) r-bar is not positive.

    Raises
    ------
    DataError
        If a value is undefined.

    Examples
    --------
    >>> import eventstudy as es
    >>> round(es.inference.kp_bmp([1.0, 2.0, 3.0], 0.25).statistic, 4)  # sqrt(12) times sqrt(0.75 / 1.5)
    2.4495
    """
    return parametric.kp_bmp(vector(scar, "scar"), _correlation(correlation))


def portfolio_t(car: ArrayLike, covariance: ArrayLike, df: ArrayLike) -> TestResult:
    """t of the mean CAR with the full covariance of the firms' CARs, t(min df); sharp null (rule C7).

    Parameters
    ----------
    car : array (N,)
    covariance : array (N, N)
        Of the CARs, as `es.car_covariance` returns it.
    df : int or array (N,)
        Residual degrees of freedom of each firm.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a value is undefined, the lengths differ or the matrix is not symmetric.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.portfolio_t([0.02, 0.04], [[0.0004, 0.0002], [0.0002, 0.0004]], 60)  # 0.03 over the root of 0.0012 / 4
    portfolio_t: statistic 1.732, df 60, p = 0.0884, N = 2, sharp null
    """
    found = vector(car, "car")
    spread, freedom = square(covariance, "covariance", len(found)), vector(df, "df", len(found))
    if not len(found):
        return undefined("portfolio_t", "sharp", 0, "no_firms")
    variance = float(np.sum(spread))
    if not variance > 0:
        return undefined("portfolio_t", "sharp", len(found), "negative_variance")
    statistic = found.mean() / (np.sqrt(variance) / len(found))
    return student("portfolio_t", "sharp", len(found), statistic, int(freedom.min()))


def difference_t(car: ArrayLike, first: ArrayLike, covariance: ArrayLike, df: ArrayLike) -> TestResult:
    """t of the difference between two groups' mean CARs, with the covariance of all firms, t(min df) (rule C7).

    Parameters
    ----------
    car : array (N,)
        Of both groups.
    first : array (N,) of bool
        Which firms belong to the first group; the mean of the others is taken off.
    covariance, df
        As for `portfolio_t`.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a value is undefined, the lengths differ, or a group has no firm.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.difference_t([0.05, 0.02], [True, False], [[0.0004, 0.0], [0.0, 0.0005]], 60)  # 0.03 / 0.03
    difference_t: statistic 1, df 60, p = 0.3213, N = 2, sharp null
    """
    found = vector(car, "car")
    chosen = np.asarray(first, dtype=bool)
    if chosen.shape != found.shape or chosen.all() or not chosen.any():
        raise DataError("first says of every firm whether it belongs to the first group, and each group has a firm")
    freedom = vector(df, "df", len(found))
    return parametric.difference_t(found, chosen, freedom, square(covariance, "covariance", len(found)))


def crude_dependence(car: ArrayLike, residuals: ArrayLike, sessions: int) -> TestResult:
    """t of the mean CAR from the spread of the mean residual over sessions, t(T-1); sharp null (rule C8; Brown and Warner).

    It leaves the error of prediction out, so that it rejects slightly too often.

    Parameters
    ----------
    car : array (N,)
    residuals : array or DataFrame (sessions, N)
        Single-session estimation residuals; NaN where a firm has none. Only sessions with residuals of all firms count.
    sessions : int
        Sessions in the window.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a CAR is undefined, the lengths differ, or `sessions` is below 1.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.crude_dependence([0.06], [[0.01], [-0.01], [0.02], [-0.02]], 4).df
    3
    """
    found = vector(car, "car")
    if sessions < 1:
        raise DataError(f"sessions = {sessions}: a window has one session or more")
    errors = matrix(residuals, "residuals", len(found), may_lack=True)
    return parametric.crude_dependence(found, parametric.common_means(errors), sessions)


def skewness_johnson(car: ArrayLike) -> TestResult:
    """Johnson's skewness-adjusted t of the mean CAR, N(0,1); mean null (rule C14).

    Parameters
    ----------
    car : array (N,)
        At least 3; below 20 the p-value means little, and is flagged.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a value is undefined.

    Examples
    --------
    >>> import eventstudy as es
    >>> round(es.inference.skewness_johnson([0.01, 0.02, 0.03]).statistic, 4)  # no skewness: the plain t
    3.4641
    """
    return skewness.skewness_johnson(vector(car, "car"))


def skewness_hall(car: ArrayLike) -> TestResult:
    """Hall's transformation of the t of the mean CAR, N(0,1): monotone in the mean; mean null (rule C14).

    Parameters
    ----------
    car : array (N,)
        As for `skewness_johnson`.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a value is undefined.

    Examples
    --------
    >>> import eventstudy as es
    >>> round(es.inference.skewness_hall([0.01, 0.02, 0.03]).statistic, 4)
    3.4641
    """
    return skewness.skewness_hall(vector(car, "car"))


def _correlation(given: float | ResidualCorrelation) -> ResidualCorrelation:
    if isinstance(given, ResidualCorrelation):
        return given
    if np.ndim(given):
        raise DataError("correlation has several values: give the mean correlation between firms, one number")
    mean = float(given)
    if not abs(mean) <= 1:
        raise DataError(f"correlation = {mean:g}: a mean correlation lies between -1 and 1")
    return ResidualCorrelation(np.empty((0, 0)), mean, True)
