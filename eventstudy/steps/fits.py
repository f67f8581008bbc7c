"""A model fitted to one share's rows, as research code holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from eventstudy.models.base import Fit

if TYPE_CHECKING:
    from eventstudy.steps.models import RowModel


@dataclass(frozen=True, eq=False)
class ModelFit:
    """A model fitted to one share's rows, by least squares with weights 1/span unless said otherwise (rule A5).

    `es.abnormal_returns` and `es.cumulative_abnormal_return` take it from here.

    Parameters
    ----------
    model : RowModel
        What was fitted, and how.
    inner : Fit
        The arrays behind it.
    labels : Index
        Label of each row that was used.

    Examples
    --------
    >>> import eventstudy as es
    >>> rows = pd.DataFrame({"ret": [0.02, -0.01, 0.03, 0.0], "mkt": [0.01, -0.01, 0.02, 0.0], "span": 1})
    >>> fit = es.MarketModel().fit(rows)
    >>> fit.residuals.round(6).tolist()  # ret less 0.003 less 1.4 times mkt
    [0.003, 0.001, -0.001, -0.003]
    >>> round(fit.sigma**2, 8)  # 0.00002 over two degrees of freedom
    1e-05
    """

    model: RowModel
    inner: Fit = field(repr=False)
    labels: pd.Index = field(repr=False)

    @property
    def results(self) -> Any:
        """The statsmodels result (or that of `arch`); None where the model estimates nothing."""
        return self.inner.results

    @cached_property
    def params(self) -> pd.Series:
        """Parameters by name; ``alpha`` is per session, as a decimal."""
        return pd.Series(self.inner.params, index=list(self.inner.model.names), name="estimate")

    @cached_property
    def cov_params(self) -> pd.DataFrame:
        """Covariance of the parameters, K by K."""
        names = list(self.inner.model.names)
        return pd.DataFrame(self.inner.sigma**2 * self.inner.unscaled_cov, index=names, columns=names)

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors of the parameters by name."""
        return pd.Series(np.sqrt(np.diag(self.cov_params)), index=self.cov_params.index, name="std_error")

    @property
    def sigma(self) -> float:
        """Residual standard deviation of one session, as a decimal."""
        return self.inner.sigma

    @property
    def nobs(self) -> int:
        """Rows."""
        return self.inner.nobs

    @property
    def n_sessions(self) -> int:
        """Sessions these rows cover: the sum of their spans."""
        return self.inner.n_sessions

    @property
    def df_resid(self) -> int:
        """Rows less parameters."""
        return self.inner.df_resid

    @property
    def r_squared(self) -> float:
        """1 less the sum of squares over that of the constant-mean model on the same rows; NaN where it nests no constant."""
        return self.inner.r_squared

    @property
    def residuals(self) -> pd.Series:
        """Residuals over the square root of the span, so that all have the variance sigma squared; one a row."""
        return pd.Series(self.inner.errors, index=self.labels, name="residual")

    @property
    def session_residuals(self) -> pd.Series:
        """Residuals of the rows over a single session, which correlations and ranks across firms are made of (rule C6)."""
        single: pd.Series = self.residuals[self.inner.rows.span == 1]
        return single

    def __repr__(self) -> str:
        head = f"{self.model!r} on {self.nobs} rows over {self.n_sessions} sessions"
        lines = [f"{name:<10} {self.params[name]: .6f}  (s.e. {self.std_errors[name]:.6f})" for name in self.params.index]
        fitted = f", R-squared {self.r_squared:.3f}" if np.isfinite(self.r_squared) else ""
        return "\n".join([head, *lines, f"sigma {self.sigma:.6f} a session, {self.df_resid} degrees of freedom{fitted}"])
