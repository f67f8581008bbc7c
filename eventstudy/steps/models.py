"""Models of expected returns on a DataFrame of rows, each fitted alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from eventstudy.errors import ConfigError
from eventstudy.models import benchmarks, garch, linear, thin
from eventstudy.models.base import Fit, Model
from eventstudy.models.robust import COVARIANCES, ESTIMATORS, Covariance, Estimator, estimate
from eventstudy.steps.fits import ModelFit
from eventstudy.steps.plain import PlainRows, plain_rows


class RowModel(ABC):
    """A model of expected returns that is fitted to a DataFrame of rows."""

    needs: tuple[str, ...] = ("mkt",)
    may_lack: tuple[str, ...] = ()  # columns that only rows which use them must have

    def __post_init__(self) -> None:
        estimator, cov = getattr(self, "estimator", "ols"), getattr(self, "cov", "classical")
        for name, value, choices in (("estimator", estimator, ESTIMATORS), ("cov", cov, COVARIANCES)):
            if value not in choices:
                raise ConfigError(f"{name} = {value!r} is none of {', '.join(choices)}")
        if estimator != "ols" and cov == "hac":
            raise ConfigError(f"cov = 'hac' is for estimator = 'ols', here it is {estimator!r}: leave one of the two out")

    @property
    @abstractmethod
    def inner(self) -> Model:
        """The model on arrays."""

    def fit(self, rows: pd.DataFrame) -> ModelFit:
        """Fit the model to estimation rows.

        Parameters
        ----------
        rows : DataFrame, one row a return
            ``ret``, ``mkt`` where the model needs it (decimals, both of one kind), ``span`` where not all returns cover one
            session, and the model's own columns. In any order, if ``end``, ``tau``, ``session`` or an index of dates tells it.
            Rows marked ``masked`` are left out. `es.rows_inside` cuts them out of all rows.

        Returns
        -------
        ModelFit

        Raises
        ------
        ConfigError
            If a package that the model needs is not installed.
        DataError
            If the rows cannot be read, are too few, their regressors are collinear, or the share never deviates from the model.

        Examples
        --------
        >>> import eventstudy as es
        >>> rows = pd.DataFrame({"ret": [0.02, -0.01, 0.03, 0.0], "mkt": [0.01, -0.01, 0.02, 0.0], "span": 1})
        >>> fit = es.MarketModel().fit(rows)
        >>> fit.params.round(6).to_dict(), fit.df_resid  # by hand: beta = 0.0007 / 0.0005, alpha = 0.01 - 1.4 * 0.005
        ({'alpha': 0.003, 'beta': 1.4}, 2)
        >>> fit.results.model.exog_names  # the statsmodels result
        ['alpha', 'beta']
        """
        found = self.checked(rows)
        used = found.rows.take(~found.masked)
        estimator: Estimator = getattr(self, "estimator", "ols")
        cov: Covariance = getattr(self, "cov", "classical")
        fit = estimate(self.inner, used, estimator, cov)
        _name_parameters(fit)
        return ModelFit(self, fit, found.labels[np.searchsorted(found.rows.end, fit.rows.end)])

    def checked(self, rows: pd.DataFrame) -> PlainRows:
        """Return rows with the columns that the model reads, in order."""
        return plain_rows(rows, self.needs, self.may_lack)


def _name_parameters(fit: Fit) -> None:
    """Let the statsmodels result call the parameters by their names in its own summary."""
    names = getattr(getattr(fit.results, "model", None), "exog_names", None)
    if isinstance(names, list) and len(names) == len(fit.model.names):
        names[:] = fit.model.names


@dataclass(frozen=True)
class ConstantMean(RowModel):
    """r = alpha n + e: the mean of the estimation rows, per session (rule B1).

    Parameters
    ----------
    estimator : {"ols", "huber", "lad"}
        Least squares, Huber's estimator or least absolute deviations (rule B12).
    cov : {"classical", "hac"}
        Covariance of least-squares parameters.

    Examples
    --------
    >>> import eventstudy as es
    >>> rows = pd.DataFrame({"ret": [0.01, 0.03, 0.08], "span": [1, 1, 2]})
    >>> es.ConstantMean().fit(rows).params.round(6).to_dict()  # 0.12 over four sessions
    {'alpha': 0.03}
    """

    estimator: Estimator = "ols"
    cov: Covariance = "classical"
    needs: ClassVar[tuple[str, ...]] = ()  # type: ignore[misc]

    @property
    def inner(self) -> Model:
        """The model on arrays."""
        return linear.ConstantMean()


@dataclass(frozen=True)
class MarketAdjusted(RowModel):
    """r = m + e: the benchmark's own return is expected, nothing is estimated but sigma (rule B2).

    Examples
    --------
    >>> import eventstudy as es
    >>> rows = pd.DataFrame({"ret": [0.01, 0.03], "mkt": [0.0, 0.01], "span": 1})
    >>> round(es.MarketAdjusted().fit(rows).sigma**2, 6)  # (0.01**2 + 0.02**2) / 2: the residuals are not demeaned
    0.00025
    """

    @property
    def inner(self) -> Model:
        """The model on arrays."""
        return linear.MarketAdjusted()


@dataclass(frozen=True)
class MarketModel(RowModel):
    """r = alpha n + beta m + e, the usual model (rules A5 and B3).

    Parameters
    ----------
    estimator : {"ols", "huber", "lad"}
        Least squares with weights 1/n, Huber's estimator or least absolute deviations (rule B12).
    cov : {"classical", "hac"}
        Covariance of least-squares parameters; ``hac`` is Newey and West's.

    Examples
    --------
    >>> import eventstudy as es
    >>> rows = pd.DataFrame({"ret": [0.02, -0.01, 0.03, 0.0], "mkt": [0.01, -0.01, 0.02, 0.0], "span": 1})
    >>> es.MarketModel().fit(rows).params.round(6).to_dict()
    {'alpha': 0.003, 'beta': 1.4}
    """

    estimator: Estimator = "ols"
    cov: Covariance = "classical"

    @property
    def inner(self) -> Model:
        """The model on arrays."""
        return linear.MarketModel()


@dataclass(frozen=True)
class Capm(RowModel):
    """r - rf = alpha n + beta (m - rf) + e (rule B4).

    Parameters
    ----------
    risk_free : str
        Column with the risk-free return over the sessions of each row.
    estimator, cov
        As for `MarketModel`.

    Examples
    --------
    >>> import eventstudy as es
    >>> excess = pd.DataFrame({"ret": [0.02, -0.01, 0.03, 0.0], "mkt": [0.01, -0.01, 0.02, 0.0], "rf": 0.0})
    >>> es.Capm("rf").fit(excess + 0.001).params.round(6).to_dict()  # all three earn 0.001 more: nothing in excess
    {'alpha': 0.003, 'beta': 1.4}
    """

    risk_free: str = "rf"
    estimator: Estimator = "ols"
    cov: Covariance = "classical"

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Columns read beside the return."""
        return ("mkt", self.risk_free)

    @property
    def inner(self) -> Model:
        """The model on arrays."""
        return benchmarks.Capm(self.risk_free)


@dataclass(frozen=True)
class FactorModel(RowModel):
    """r [- rf] = alpha n + sum of b_j f_j + e, each factor over the sessions of the row (rule B5).

    Also a portfolio of peers (rule B6), a second index (B7) or an industry (B8) beside the benchmark: name their columns.

    Parameters
    ----------
    columns : sequence of str
        Columns of the factors, such as ``("mkt", "smb", "hml")``.
    risk_free : str
        Column with the risk-free return; empty where the response is the plain return.
    estimator, cov
        As for `MarketModel`.

    Examples
    --------
    >>> import eventstudy as es
    >>> rows = pd.DataFrame({"ret": [0.02, -0.01, 0.03, 0.0], "mkt": [0.01, -0.01, 0.02, 0.0], "span": 1})
    >>> es.FactorModel(["mkt"]).fit(rows).params.round(6).to_dict()
    {'alpha': 0.003, 'mkt': 1.4}
    """

    columns: Sequence[str]
    risk_free: str = ""
    estimator: Estimator = "ols"
    cov: Covariance = "classical"

    def __post_init__(self) -> None:
        columns = (self.columns,) if isinstance(self.columns, str) else tuple(self.columns)
        if not columns or set(columns) & {"ret", "span", "alpha"}:
            raise ConfigError(f"columns = {list(columns)}: name one factor or more, none of them ret, span or alpha")
        object.__setattr__(self, "columns", columns)

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        """Columns read beside the return."""
        return (*self.columns, *([self.risk_free] if self.risk_free else []))

    @property
    def inner(self) -> Model:
        """The model on arrays."""
        return benchmarks.Factors(tuple(self.columns), self.risk_free)

    def checked(self, rows: pd.DataFrame) -> PlainRows:
        """Return rows with the columns that the model reads, in order."""
        found = plain_rows(rows, self.needs, self.may_lack)
        if "mkt" not in self.needs:
            return found
        factors = {**found.rows.factors, "mkt": found.rows.mkt}  # arrays keep it apart from the factors
        return replace(found, rows=replace(found.rows, factors=factors))


@dataclass(frozen=True)
class ScholesWilliams(RowModel):
    """r = alpha + beta m + e with Scholes and Williams' beta, for shares that trade at other moments than the index (rule B10).

    Rows need the columns ``market-1`` and ``market+1``: `es.trade_rows` makes them with ``shifts=1``. Only rows over a single
    session are used, and standard errors are those of the market model, an approximation.

    Examples
    --------
    >>> import eventstudy as es
    >>> rng = np.random.default_rng(1)
    >>> index = pd.Series(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 300))), index=pd.bdate_range("2018-01-01", periods=300))
    >>> late = index.shift(1).dropna()  # a share that follows the index a session late
    >>> rows = es.trade_rows(late, index, shifts=1)
    >>> rows["ret"] += rng.normal(0, 0.001, len(rows))
    >>> bool(abs(es.MarketModel().fit(rows).params["beta"]) < 0.2), bool(es.ScholesWilliams().fit(rows).params["beta"] > 0.8)
    (True, True)
    """

    may_lack: ClassVar[tuple[str, ...]] = ("market-1", "market+1")  # type: ignore[misc]

    @property
    def inner(self) -> Model:
        """The model on arrays."""
        return thin.ScholesWilliams()


@dataclass(frozen=True)
class Dimson(RowModel):
    """r = alpha + beta m + e with Dimson's beta, the sum of the slopes on leads and lags of the benchmark (rule B10).

    Rows need the columns ``market-1``, ``market+1`` and so on: `es.trade_rows` makes them with `shifts`.

    Parameters
    ----------
    lags, leads : int
        Sessions before and after.
    fowler_rorke : bool
        Whether the slopes get Fowler and Rorke's weights; needs as many leads as lags.

    Examples
    --------
    >>> import eventstudy as es
    >>> rng = np.random.default_rng(1)
    >>> index = pd.Series(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 300))), index=pd.bdate_range("2018-01-01", periods=300))
    >>> rows = es.trade_rows(index.shift(1).dropna(), index, shifts=1)  # a share that follows the index a session late
    >>> rows["ret"] += rng.normal(0, 0.001, len(rows))
    >>> round(float(es.Dimson(lags=1, leads=0).fit(rows).params["beta"]), 1)
    1.0
    """

    lags: int = 1
    leads: int = 1
    fowler_rorke: bool = False

    def __post_init__(self) -> None:
        if min(self.lags, self.leads) < 0 or self.lags + self.leads == 0:
            raise ConfigError(f"lags = {self.lags}, leads = {self.leads}: give one of the two at least")
        if self.fowler_rorke and self.lags != self.leads:
            raise ConfigError("fowler_rorke needs as many leads as lags")

    @property
    def may_lack(self) -> tuple[str, ...]:  # type: ignore[override]
        """Columns with the benchmark's returns of other sessions."""
        return tuple(thin.shifted(by) for by in range(-self.lags, self.leads + 1) if by)

    @property
    def inner(self) -> Model:
        """The model on arrays."""
        return thin.Dimson(self.lags, self.leads, self.fowler_rorke)


@dataclass(frozen=True)
class Garch(RowModel):
    """r = alpha + beta m + e with GARCH(1,1) errors, through the package `arch` (rule B11).

    The rows must be single sessions without a hole. Where the variance is not identified it falls back to the market model.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.Garch().fit(rows).inner.model.name  # doctest: +SKIP
    'garch'
    """

    @property
    def inner(self) -> Model:
        """The model on arrays."""
        return garch.Garch()
