"""Joint tests of all firms' CARs on plain arrays (rule C17)."""

from __future__ import annotations

from numpy.typing import ArrayLike

from eventstudy.inference import joint
from eventstudy.inference.checked import matrix, square, vector
from eventstudy.inference.result import TestResult


def hotelling(car: ArrayLike, residuals: ArrayLike, df: int, factor: float) -> TestResult:
    """Exact F test that every CAR is 0, F(N, df-N+1), for firms that share their rows; joint null (rule C17).

    Parameters
    ----------
    car : array (N,)
    residuals : array (rows, N)
        Estimation residuals over the square root of the span, of the same rows for all firms.
    df : int
        Residual degrees of freedom, the same for all.
    factor : float
        C = L2 + x'Ax of the window: squared standard error over sigma squared, the same for all.

    Returns
    -------
    TestResult
        ``df`` is that of the denominator.

    Raises
    ------
    DataError
        If a value is undefined or the lengths differ.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.hotelling([0.02], [[0.01], [-0.01], [0.01], [-0.01]], 4, 1.0).statistic  # one firm: its squared t
    4.0
    """
    found = vector(car, "car")
    return joint.hotelling(found, joint.exact_covariance(matrix(residuals, "residuals", len(found)), df, factor), df)


def equal_effects(car: ArrayLike, residuals: ArrayLike, df: int, factor: float) -> TestResult:
    """Exact F test that all firms reacted alike, F(N-1, df-N+2) (rule C17).

    Parameters
    ----------
    car, residuals, df, factor
        As for `hotelling`.

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
    >>> residuals = [[0.01, 0.01], [-0.01, 0.01], [0.01, -0.01], [-0.01, -0.01]]
    >>> es.inference.equal_effects([0.02, 0.04], residuals, 4, 1.0).statistic  # 0.02 squared over 2 times 0.0001
    2.0
    """
    found = vector(car, "car")
    return joint.equal_effects(found, joint.exact_covariance(matrix(residuals, "residuals", len(found)), df, factor), df)


def wald_joint(car: ArrayLike, covariance: ArrayLike) -> TestResult:
    """Wald test that every CAR is 0, chi-squared(N), for firms with rows of their own: approximate; joint null (rule C17).

    Parameters
    ----------
    car, covariance
        As for `portfolio_t`.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a value is undefined or the matrix is not symmetric.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.wald_joint([0.02, 0.04], [[0.0004, 0.0], [0.0, 0.0004]]).statistic
    5.0
    """
    found = vector(car, "car")
    return joint.wald_joint(found, square(covariance, "covariance", len(found)))
