"""Models with further regressors: CAPM (B4), factors (B5), peers (B6), two indices (B7) and industry (B8)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eventstudy.models.base import Model
from eventstudy.returns import Rows

PEERS, GLOBAL, INDUSTRY = "peers", "global", "industry"  # names of these regressors among the factors of the rows


@dataclass(frozen=True)
class Capm(Model):
    """r - rf = alpha n + beta (m - rf) + e.

    Parameters
    ----------
    risk_free : str
        Name of the risk-free return among the factors of the rows.
    """

    risk_free: str
    name = "capm"
    names = ("alpha", "beta")

    def response(self, rows: Rows) -> np.ndarray:
        """Return the share's returns in excess of the risk-free one over the same sessions."""
        excess: np.ndarray = rows.ret - rows.factors[self.risk_free]
        return excess

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return spans and the benchmark's excess returns."""
        return np.column_stack([rows.span.astype(float), rows.mkt - rows.factors[self.risk_free]])


@dataclass(frozen=True)
class Factors(Model):
    """r - rf = alpha n + sum of b_j f_j + e, each factor cumulated over the sessions of the row.

    Parameters
    ----------
    columns : tuple of str
        Names of the factors.
    risk_free : str
        Name of the risk-free return; empty where the response is the plain return.
    """

    columns: tuple[str, ...]
    risk_free: str = ""
    name = "factors"

    @property
    def names(self) -> tuple[str, ...]:
        """The intercept, then the factors."""
        return ("alpha", *self.columns)

    def response(self, rows: Rows) -> np.ndarray:
        """Return the share's returns, in excess of the risk-free one if there is one."""
        return rows.ret - rows.factors[self.risk_free] if self.risk_free else rows.ret

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return spans and factors."""
        return np.column_stack([rows.span.astype(float), *(rows.factors[name] for name in self.columns)])


class PeerPortfolio(Model):
    """r = alpha n + b p + e, with p the return of the peer portfolio."""

    name = "peers"
    names = ("alpha", PEERS)

    def response(self, rows: Rows) -> np.ndarray:
        """Return the share's returns."""
        return rows.ret

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return spans and the peers' returns."""
        return np.column_stack([rows.span.astype(float), rows.factors[PEERS]])


class TwoIndex(Model):
    """r = alpha n + beta m + g w + e, with w the global index over its sessions known before each local open."""

    name = "two_index"
    names = ("alpha", "beta", GLOBAL)

    def response(self, rows: Rows) -> np.ndarray:
        """Return the share's returns."""
        return rows.ret

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return spans, local and global index returns."""
        return np.column_stack([rows.span.astype(float), rows.mkt, rows.factors[GLOBAL]])


@dataclass(frozen=True)
class Industry(Model):
    """r = alpha n + beta m + c i + e, with i what the industry index earned beyond its own market model.

    Abnormal returns and their variance are those of the regression on both indices as they are; only `beta` changes its
    meaning: it is the whole sensitivity to the market, the part that runs through the industry included.

    Parameters
    ----------
    intercept, slope : float
        The industry's own market model on the estimation rows; `fit` sets them.
    """

    intercept: float = 0.0
    slope: float = 0.0
    name = "industry"
    names = ("alpha", "beta", INDUSTRY)

    def response(self, rows: Rows) -> np.ndarray:
        """Return the share's returns."""
        return rows.ret

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return spans, benchmark returns and orthogonalised industry returns."""
        own = rows.factors[INDUSTRY] - self.intercept * rows.span - self.slope * rows.mkt
        return np.column_stack([rows.span.astype(float), rows.mkt, own])

    def prepared(self, rows: Rows) -> Model:
        """Return the model with the industry made orthogonal to the market on `rows`."""
        root = np.sqrt(rows.span)
        z = np.column_stack([root, rows.mkt / root])
        (intercept, slope), *_ = np.linalg.lstsq(z, rows.factors[INDUSTRY] / root)
        return replace(self, intercept=float(intercept), slope=float(slope))
