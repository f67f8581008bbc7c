"""Constant mean (B1), market-adjusted (B2) and market model (B3)."""

from __future__ import annotations

import numpy as np

from eventstudy.models.base import Model
from eventstudy.returns import Rows


class ConstantMean(Model):
    """r = alpha n + e."""

    name = "mean"
    names = ("alpha",)

    def response(self, rows: Rows) -> np.ndarray:
        """Return the share's returns."""
        return rows.ret

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return the spans: alpha accrues per session."""
        return rows.span[:, None].astype(float)


class MarketAdjusted(Model):
    """r = m + e; nothing is estimated, and the residuals are not demeaned."""

    name = "market_adjusted"
    names = ()

    def response(self, rows: Rows) -> np.ndarray:
        """Return the share's returns less the benchmark's."""
        excess: np.ndarray = rows.ret - rows.mkt
        return excess

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return no columns."""
        return np.empty((len(rows), 0))


class MarketModel(Model):
    """r = alpha n + beta m + e, the default."""

    name = "market"
    names = ("alpha", "beta")

    def response(self, rows: Rows) -> np.ndarray:
        """Return the share's returns."""
        return rows.ret

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return spans and benchmark returns."""
        return np.column_stack([rows.span.astype(float), rows.mkt])
