"""What a fitted model is, and the one way all linear models are fitted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from eventstudy.errors import DataError
from eventstudy.returns import Rows


class Model(ABC):
    """An expected-return model, linear in its parameters."""

    name: str
    names: tuple[str, ...]

    @abstractmethod
    def response(self, rows: Rows) -> np.ndarray:
        """Return y, one a row: the return, less what the model takes off without estimating it."""

    @abstractmethod
    def regressors(self, rows: Rows) -> np.ndarray:
        """Return x, rows by parameters, over exactly the sessions each row covers."""

    def fit(self, rows: Rows) -> Fit:
        """Estimate the model on `rows`; see `fit_model` for what can go wrong."""
        return fit_model(self, rows)


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

    @cached_property
    def scaled_regressors(self) -> np.ndarray:
        """Z: the regressors over the square root of the span, rows by parameters."""
        return np.asarray(self.model.regressors(self.rows) / np.sqrt(self.rows.span)[:, None])

    @cached_property
    def deletions(self) -> dict[tuple[int, int], Any]:
        """Fits without one block of sessions, kept because several groups ask for the same ones."""
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
    y, x = model.response(rows), model.regressors(rows)
    count, size = x.shape
    if count - size < 1:
        raise DataError(f"{count} observations cannot estimate {size} parameters")
    root = np.sqrt(rows.span)
    if size:
        import statsmodels.api as sm

        if np.linalg.matrix_rank(x / root[:, None]) < size:
            raise DataError("the regressors are collinear in the estimation window: does the benchmark move?")
        results = sm.WLS(y, x, weights=1 / rows.span).fit()
        params, unscaled, scale = results.params, results.normalized_cov_params, float(results.scale)
        errors = (y - x @ params) / root
    else:
        results, params, unscaled = None, np.empty(0), np.empty((0, 0))
        errors = y / root
        scale = float(errors @ errors) / count
    if not scale > (1e-12 * float(np.abs(y).max())) ** 2:
        raise DataError("the share never deviates from the model in the estimation window: nothing to judge by")
    return Fit(
        model, params, unscaled, float(np.sqrt(scale)), count, count - size, int(rows.span.sum()),
        _r_squared(model, rows, errors), rows, errors, results,
    )  # fmt: skip


def _r_squared(model: Model, rows: Rows, errors: np.ndarray) -> float:
    if len(model.names) < 2:
        return np.nan
    y, root = model.response(rows) / np.sqrt(rows.span), np.sqrt(rows.span)
    constant = y - root * (root @ y) / (root @ root)
    return float(1 - errors @ errors / (constant @ constant))
