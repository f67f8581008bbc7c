"""A linear regression across firms, with errors that allow for unequal variances or for clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eventstudy.student import both_tails, critical_value

Errors = Literal["HC3", "HC1", "cluster"]
Weights = Literal["none", "precision"]

CONSTANT = "constant"
FEW = 10  # fewer firms a regressor, or fewer degrees of freedom, than this are pointed out


@dataclass(frozen=True)
class Coefficients:
    """Outcome of a regression; every array has one entry a term, the constant first.

    Parameters
    ----------
    terms : tuple of str
    coefficient, se, t, p_value, ci_low, ci_high : array
        NaN where undefined; `p_value` is two-sided, from t(df).
    df : float
        n - k, or clusters - 1; NaN where there is no standard error.
    n : int
        Number of firms.
    r_squared : float
    reason : str
        Code of why something is undefined, or of a warning (``small_sample``).
    """

    terms: tuple[str, ...]
    coefficient: np.ndarray
    se: np.ndarray
    t: np.ndarray
    p_value: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    df: float
    n: int
    r_squared: float
    reason: str = ""


def regress(
    y: np.ndarray,
    x: np.ndarray,
    names: Sequence[str],
    *,
    errors: Errors = "HC3",
    weights: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
    alpha: float = 0.05,
) -> Coefficients:
    """Regress `y` on a constant and the columns of `x` by (weighted) least squares.

    Parameters
    ----------
    y : array (n,)
    x : array (n, k - 1)
        Without the constant.
    names : sequence of str
        Of the columns.
    errors : {"HC3", "HC1", "cluster"}
    weights : array (n,), optional
        Of the squared residuals.
    clusters : array (n,), optional
        Labels, for ``cluster``.
    alpha : float
        One less the level of the intervals.

    Returns
    -------
    Coefficients
        Undefined with ``too_few_firms`` where n - k < 1, with ``collinear_terms`` where the columns are not
        independent. Coefficients without errors with ``full_leverage`` where one firm alone fixes a term
        (HC3 and HC1 divide by nothing then), with ``one_cluster`` where there are fewer than two.
    """
    design = np.column_stack([np.ones(len(y)), x])
    n, k = design.shape
    terms = (CONSTANT, *names)
    if n - k < 1:
        return _undefined(terms, n, "too_few_firms")
    scaled = design / _lengths(design)
    root = np.ones(n) if weights is None else np.sqrt(weights)
    if np.linalg.matrix_rank(scaled) < k:
        return _undefined(terms, n, "collinear_terms")
    import statsmodels.api as sm

    model = sm.OLS(y, design) if weights is None else sm.WLS(y, design, weights=weights)
    plain = model.fit()
    labels = np.unique(clusters, return_inverse=True)[1] if clusters is not None else np.arange(n)
    leverage = (np.linalg.qr(scaled * root[:, None])[0] ** 2).sum(axis=1)
    gap = "one_cluster" if errors == "cluster" and labels.max() < 1 else "full_leverage" if leverage.max() > 1 - 1e-9 else ""
    if gap:
        nothing = np.full(k, np.nan)
        estimate = np.asarray(plain.params)
        return Coefficients(terms, estimate, *(nothing,) * 5, np.nan, n, float(plain.rsquared), gap)
    settings = {"groups": labels} if errors == "cluster" else None
    robust = model.fit(cov_type=errors, cov_kwds=settings, use_t=True)
    df = float(labels.max() if errors == "cluster" else n - k)
    coefficient, se = np.asarray(robust.params), np.asarray(robust.bse)
    t, reach = coefficient / se, critical_value(alpha, df) * se
    small = n < FEW * (k - 1) or df < FEW
    return Coefficients(
        terms, coefficient, se, t, both_tails(t, df), coefficient - reach, coefficient + reach, df, n,
        float(plain.rsquared), "small_sample" if small else "",
    )  # fmt: skip


def _lengths(design: np.ndarray) -> np.ndarray:
    """Return the columns' lengths, so that units of measurement do not decide what counts as collinear."""
    lengths: np.ndarray = np.linalg.norm(design, axis=0)
    return np.where(lengths > 0, lengths, 1.0)


def _undefined(terms: tuple[str, ...], n: int, reason: str) -> Coefficients:
    nothing = np.full(len(terms), np.nan)
    return Coefficients(terms, *(nothing,) * 6, np.nan, n, np.nan, reason)
