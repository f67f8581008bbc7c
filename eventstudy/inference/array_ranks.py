"""Ranks, signs, placebo draws and several hypotheses at once, on plain arrays (rules C9 to C13, C15 and C18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from eventstudy.errors import DataError
from eventstudy.inference import multiple, ranks, signs
from eventstudy.inference.checked import matrix, vector
from eventstudy.inference.placebo import rank_p
from eventstudy.inference.result import TestResult


def corrado(estimation: ArrayLike, event: ArrayLike) -> TestResult:
    """Corrado's rank test, N(0,1), on rows without a hole; sharp null (rule C9).

    Parameters
    ----------
    estimation : array or DataFrame (L1, N)
        Estimation residuals over their standard deviation.
    event : array (L2, N), or (N,) for one session
        Abnormal returns of the window over sigma times the square root of their span.

    Returns
    -------
    TestResult
        Undefined (``incomplete_rows``) where a value is NaN; see `corrado_zivney`.

    Raises
    ------
    DataError
        If the numbers of firms differ.

    Examples
    --------
    >>> import eventstudy as es
    >>> round(es.inference.corrado([[1.0], [2.0], [3.0], [4.0]], [9.0]).statistic, 4)  # rank 5 of 5: 2 over the root of 2
    1.4142
    """
    return ranks.corrado(*_rows(estimation, event))


def corrado_zivney(estimation: ArrayLike, event: ArrayLike) -> TestResult:
    """Corrado and Zivney's rank test, N(0,1), which allows for missing rows; sharp null (rule C10).

    Parameters
    ----------
    estimation, event
        As for `corrado`; NaN where a firm has no row that ends there.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If the numbers of firms differ.

    Examples
    --------
    >>> import eventstudy as es
    >>> round(es.inference.corrado_zivney([[1.0], [2.0], [3.0], [4.0]], [9.0]).statistic, 4)
    1.4142
    """
    return ranks.corrado_zivney(*_rows(estimation, event))


def grank(residuals: ArrayLike, scar: ArrayLike) -> TestResult:
    """Kolari and Pynnönen's generalised rank t of rescaled SCARs, t(T-2); mean null (rule C13).

    Parameters
    ----------
    residuals : array or DataFrame (sessions, N)
        Single-session estimation residuals over their standard deviation; NaN where a firm has none.
    scar : array (N,)
        Standardised CARs. With fewer than ten firms it rejects too often, which is flagged.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a SCAR is undefined or the numbers of firms differ.

    Examples
    --------
    >>> import numpy as np
    >>> import eventstudy as es
    >>> residuals = np.random.default_rng(1).normal(size=(60, 12))
    >>> es.inference.grank(residuals, np.linspace(2, 3, 12)).df  # 60 sessions and the event, less two
    59
    """
    found = vector(scar, "scar")
    return ranks.grank(matrix(residuals, "residuals", len(found), may_lack=True), found)


def grank_unscaled(residuals: ArrayLike, scar: ArrayLike) -> TestResult:
    """The generalised rank t of SCARs as they are, t(T-2), for any number of firms; sharp null (rule C13).

    Parameters
    ----------
    residuals, scar
        As for `grank`.

    Returns
    -------
    TestResult

    Raises
    ------
    DataError
        If a SCAR is undefined or the numbers of firms differ.

    Examples
    --------
    >>> import eventstudy as es
    >>> round(es.inference.grank_unscaled([[1.0], [2.0], [3.0], [4.0]], [9.0]).statistic, 4)  # Z = sqrt(2), T = 5
    1.7321
    """
    found = vector(scar, "scar")
    return ranks.grank_unscaled(matrix(residuals, "residuals", len(found), may_lack=True), found)


def generalized_sign(car: ArrayLike, positive: ArrayLike = 0.5) -> TestResult:
    """Cowan's generalised sign test, exact below 30 firms; sharp null, firms independent (rule C11).

    Parameters
    ----------
    car : array (N,)
    positive : float or array (N,)
        Share of positive estimation residuals of each firm.

    Returns
    -------
    TestResult
        ``floor`` is the smallest p-value that so many firms can give.

    Raises
    ------
    DataError
        If a value is undefined, the lengths differ, or a share lies outside 0 to 1.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.generalized_sign([0.01, 0.02, 0.03]).p_value  # all three of one sign: 2 of 8 outcomes
    0.25
    """
    found = vector(car, "car")
    shares = vector(positive, "positive", len(found))
    if len(found) and (shares.min() < 0 or shares.max() > 1):
        raise DataError("positive is a share: give values between 0 and 1")
    return signs.generalized_sign(found, shares)


def wilcoxon(car: ArrayLike) -> TestResult:
    """Wilcoxon's signed-rank test, exact up to 15 firms; sharp null, firms independent (rule C12).

    Parameters
    ----------
    car : array (N,)
        CARs that are exactly 0 are left out, ties get average ranks.

    Returns
    -------
    TestResult
        The statistic is the sum of the ranks of the positive CARs.

    Raises
    ------
    DataError
        If a value is undefined.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.wilcoxon([0.01, 0.02, -0.03]).statistic
    3.0
    """
    return signs.wilcoxon(vector(car, "car"))


def placebo_p_value(observed: float, draws: ArrayLike, side: Literal["both", "left", "right"] = "both") -> float:
    """Return the share of placebo draws at least as extreme as the event, (1 + #) / (1 + B); sharp null (rule C15).

    Parameters
    ----------
    observed : float
        A statistic at the event, such as the mean CAR.
    draws : array (B,)
        The same statistic at placebo dates, such as the row means of `es.placebo_cars`.
    side : {"both", "left", "right"}
        ``left``: against a smaller statistic.

    Returns
    -------
    float
        At least 1 / (1 + B): with few draws no p-value is small.

    Raises
    ------
    DataError
        If a value is undefined, there is no draw, or `side` is none of the three.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.placebo_p_value(-0.05, [0.01, -0.02, 0.06], "both")  # one of three as far from zero
    0.5
    >>> es.inference.placebo_p_value(-0.05, [0.01, -0.02, 0.06], "left")
    0.25
    """
    found = vector(draws, "draws")
    if not len(found):
        raise DataError("draws is empty: without a placebo date there is no p-value")
    if side not in ("both", "left", "right"):
        raise DataError(f"side = {side!r} is none of both, left, right")
    return rank_p(float(vector([observed], "observed")[0]), found, side)


def holm(p_values: ArrayLike) -> np.ndarray | pd.Series:
    """Adjust p-values for several hypotheses by Holm's step-down (rule C18).

    Parameters
    ----------
    p_values : array or Series (N,)
        NaN (undefined) stays NaN and counts for nothing.

    Returns
    -------
    array or Series (N,)
        As given.

    Raises
    ------
    DataError
        If a value lies outside 0 to 1.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    return _adjusted(multiple.holm, p_values)


def benjamini_hochberg(p_values: ArrayLike) -> np.ndarray | pd.Series:
    """Adjust p-values by Benjamini and Hochberg's step-up, which controls the share of false discoveries (rule C18).

    Parameters
    ----------
    p_values : array or Series (N,)
        As for `holm`.

    Returns
    -------
    array or Series (N,)

    Raises
    ------
    DataError
        If a value lies outside 0 to 1.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.benjamini_hochberg([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.04, 0.04]
    """
    return _adjusted(multiple.benjamini_hochberg, p_values)


def romano_wolf(observed: ArrayLike, draws: ArrayLike) -> np.ndarray | pd.Series:
    """Adjust for several hypotheses by Romano and Wolf's step-down over joint draws, which respect their dependence (rule C18).

    Parameters
    ----------
    observed : array or Series (N,)
        A statistic of each firm; its absolute value counts.
    draws : array or DataFrame (B, N)
        The same statistics at each placebo date.

    Returns
    -------
    array or Series (N,)
        Adjusted p-values, two-sided.

    Raises
    ------
    DataError
        If a value is undefined or the numbers of firms differ.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.inference.romano_wolf([3.0, 1.0], [[1.0, 2.0], [0.5, 0.5], [2.5, 0.1]]).tolist()  # (1 + 0) / 4, (1 + 1) / 4
    [0.25, 0.5]
    """
    found = np.abs(vector(observed, "observed"))
    adjusted = multiple.romano_wolf(found, np.abs(matrix(draws, "draws", len(found))))
    return pd.Series(adjusted, index=observed.index) if isinstance(observed, pd.Series) else adjusted


def _rows(estimation: ArrayLike, event: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    past = matrix(estimation, "estimation", may_lack=True)
    return past, matrix(np.atleast_2d(np.asarray(event)), "event", past.shape[1], may_lack=True)


def _adjusted(adjust: Callable[[np.ndarray], np.ndarray], p_values: ArrayLike) -> np.ndarray | pd.Series:
    found = matrix(np.asarray(p_values)[:, None], "p_values", may_lack=True)[:, 0]
    known = np.isfinite(found)
    if len(wrong := found[(found < 0) | (found > 1)]):
        raise DataError(f"p_values hold {wrong[0]:g}: give numbers between 0 and 1, and NaN where there is none")
    result = np.full(len(found), np.nan)
    result[known] = adjust(found[known])
    return pd.Series(result, index=p_values.index) if isinstance(p_values, pd.Series) else result
