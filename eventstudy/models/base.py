"""What a fitted model is, and the one way all linear models are fitted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from eventstudy.errors import DataError
from eventstudy.returns import Rows


class Model(ABC):
    """An expected-return model, linear in its parameters."""

    name: str
    single_sessions = False  # whether it holds for returns over one session only

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the columns of `regressors`."""

    @abstractmethod
    def response(self, rows: Rows) -> np.ndarray:
        """Return y, one a row: the return, less what the model takes off without estimating it."""

    @abstractmethod
    def regressors(self, rows: Rows) -> np.ndarray:
        """Return x, rows by parameters, over exactly the sessions each row covers."""

    def prepared(self, rows: Rows) -> Model:
        """Return the model with whatever its regressors take from the estimation rows."""
        return self

    def fit(self, rows: Rows) -> Fit:
        """Estimate the model on `rows`; see `fit_model` for what can go wrong."""
        return fit_model(self.prepared(rows), rows)


@dataclass(frozen=True, eq=False)
class Fit:
    """A model estimated on one firm's rows (rule A5).

    Parameters
    ----------
    model : Model
    params : array (K,)
        theta; the intercept is per session.
    unscaled_cov : array (K, K)
        A, so that Var(theta) = sigma^2 A.
    sigma : float
        Residual standard deviation per session.
    nobs, df_resid, n_sessions : int
        Rows, rows less parameters, sessions these rows cover.
    r_squared : float
        Against the constant-mean model on the same rows; NaN where the model nests no constant.
    rows : Rows
        The estimation rows.
    errors : array (nobs,)
        Residuals divided by the square root of the span, so that all have variance sigma^2.
    results : object
        The statsmodels result; None where the model estimates no parameter.
    linear : bool
        Whether the parameters are those of least squares, so that a CAR is a weighted sum of the sessions' errors.
    refit : callable, optional
        Estimates the model anew on other rows; None where deletions have the closed form of least squares with its
        classical covariance.
    session_variance : callable, optional
        Variance of the error of one session (position) over sigma^2, where sessions differ in it; such a fit cannot be
        estimated again without a block, and t is referred to the normal distribution.
    details : mapping of str to float
        Further figures of the estimation, by column of the table of models.
    """

    model: Model
    params: np.ndarray
    unscaled_cov: np.ndarray
    sigma: float
    nobs: int
    df_resid: int
    n_sessions: int
    r_squared: float
    rows: Rows
    errors: np.ndarray
    results: Any = None
    linear: bool = True
    refit: Callable[[Rows], Fit] | None = None
    session_variance: Callable[[int], float] | None = None
    details: Mapping[str, float] = field(default_factory=dict)

    def noise(self, rows: Rows) -> np.ndarray:
        """Return the variance of each row's error over sigma^2: its span, or its sessions' variances added up."""
        one = self.session_variance
        if one is None:
            return rows.span.astype(float)
        pairs = zip(rows.end, rows.span, strict=True)
        return np.array([sum(one(session) for session in range(int(end - span) + 1, int(end) + 1)) for end, span in pairs])

    @property
    def reference_df(self) -> float:
        """Degrees of freedom of the distribution that t is referred to; infinite for the normal one."""
        return float(self.df_resid) if self.session_variance is None else np.inf

    @cached_property
    def scaled_regressors(self) -> np.ndarray:
        """Z: the regressors over the square root of the span, rows by parameters."""
        return np.asarray(self.model.regressors(self.rows) / np.sqrt(self.rows.span)[:, None])

    @cached_property
    def least_squares(self) -> np.ndarray:
        """(Z'Z)^-1, from which least squares makes its parameters; `unscaled_cov` but for another covariance, as HAC."""
        return self.unscaled_cov if self.refit is None else np.linalg.inv(self.scaled_regressors.T @ self.scaled_regressors)

    @property
    def closed_form(self) -> bool:
        """Whether rows can be deleted without estimating again."""
        return self.refit is None and self.session_variance is None

    @cached_property
    def deletions(self) -> dict[tuple[int, int] | int, Any]:
        """Fits without one block of sessions or every block of a length, kept because several groups ask for the same ones."""
        return {}

    def coefficient(self, name: str) -> float:
        """Return a parameter by name, NaN where the model does not estimate it."""
        return float(self.params[self.model.names.index(name)]) if name in self.model.names else np.nan


def fit_model(model: Model, rows: Rows) -> Fit:
    """Fit `model` by weighted least squares with weights 1/span.

    Raises
    ------
    DataError
        If there are no degrees of freedom, the regressors are collinear, or the share never deviates from
        the model, so that there is no variance to judge by.
    """
    y, x = check_rows(model, rows)
    if not x.shape[1]:
        errors = y / np.sqrt(rows.span)
        return finished_fit(model, rows, np.empty(0), np.empty((0, 0)), float(errors @ errors) / len(rows))
    from statsmodels.regression.linear_model import WLS

    results = WLS(y, x, weights=1 / rows.span).fit()
    return finished_fit(model, rows, results.params, results.normalized_cov_params, float(results.scale), results)


def check_rows(model: Model, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Return response and regressors of rows that `model` can be estimated on.

    Raises
    ------
    DataError
        If there are no degrees of freedom, or the regressors are collinear.
    """
    y, x = model.response(rows), model.regressors(rows)
    count, size = x.shape
    if count - size < 1:
        raise DataError(f"{count} observations cannot estimate {size} parameters: take a longer window or earlier prices")
    if size and np.linalg.matrix_rank(x / np.sqrt(rows.span)[:, None]) < size:
        raise DataError(
            "the regressors are collinear in the estimation window: does the benchmark move, and no regressor repeat another?"
        )
    return y, x


def finished_fit(
    model: Model, rows: Rows, params: np.ndarray, unscaled: np.ndarray, scale: float, results: Any = None
) -> Fit:
    """Return the fit that estimates make up.

    Parameters
    ----------
    unscaled : array (K, K)
        Covariance of `params` over `scale`, the error variance a session.

    Raises
    ------
    DataError
        If the share never deviates from the model, so that there is no variance to judge by.
    """
    y, x = model.response(rows), model.regressors(rows)
    if not scale > (1e-12 * float(np.abs(y).max())) ** 2:
        raise DataError("the share never deviates from the model in the estimation window: nothing to judge by")
    errors = (y - x @ params) / np.sqrt(rows.span)
    return Fit(
        model, params, unscaled, float(np.sqrt(scale)), len(rows), len(rows) - len(params), int(rows.span.sum()),
        _r_squared(model, rows, errors), rows, errors, results,
    )  # fmt: skip


def _r_squared(model: Model, rows: Rows, errors: np.ndarray) -> float:
    if len(model.names) < 2:
        return np.nan
    y, root = model.response(rows) / np.sqrt(rows.span), np.sqrt(rows.span)
    constant = y - root * (root @ y) / (root @ root)
    return float(1 - errors @ errors / (constant @ constant))
