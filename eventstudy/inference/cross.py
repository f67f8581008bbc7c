"""The firms that have a CAR in one window, with what the tests across firms need of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from eventstudy.abnormal import CumulativeReturn, session_weights
from eventstudy.inference.correlation import ResidualCorrelation, residual_correlation
from eventstudy.models.base import Fit
from eventstudy.trading import Listing
from eventstudy.windows import Window


@dataclass(frozen=True)
class FirmCar:
    """One firm with its fit and its (defined) CAR in the window; `day0` is a position in its calendar."""

    listing: Listing
    fit: Fit
    day0: int
    cumulative: CumulativeReturn

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the firm's calendar."""
        return self.listing.calendar.sessions


@dataclass(frozen=True)
class CrossSection:
    """All firms of a group with a CAR in one window; every array has one entry a firm."""

    window: Window
    firms: tuple[FirmCar, ...]

    @cached_property
    def car(self) -> np.ndarray:
        """Cumulative abnormal returns."""
        return np.array([firm.cumulative.car for firm in self.firms])

    @cached_property
    def scar(self) -> np.ndarray:
        """Standardised CARs, car / se_car."""
        return np.array([firm.cumulative.t for firm in self.firms])

    @cached_property
    def sigma(self) -> np.ndarray:
        """Residual standard deviations per session."""
        return np.array([firm.fit.sigma for firm in self.firms])

    @cached_property
    def df(self) -> np.ndarray:
        """Residual degrees of freedom."""
        return np.array([firm.fit.df_resid for firm in self.firms])

    @cached_property
    def staggered(self) -> bool:
        """Whether the firms' event sessions or calendars differ, so that tau pairs different dates."""
        days = {firm.sessions[firm.day0] for firm in self.firms}
        return len(days) > 1 or len({id(firm.listing.calendar) for firm in self.firms}) > 1

    @cached_property
    def overlap(self) -> np.ndarray:
        """Whether the event windows of two firms share a session, N by N."""
        lo = np.array([firm.sessions[firm.day0 + self.window[0]].to_datetime64() for firm in self.firms])
        hi = np.array([firm.sessions[firm.day0 + self.window[1]].to_datetime64() for firm in self.firms])
        return (lo[:, None] <= hi[None, :]) & (lo[None, :] <= hi[:, None])

    @cached_property
    def residuals(self) -> np.ndarray:
        """Single-session estimation residuals by common session, NaN where a firm has none."""
        columns = []
        for firm in self.firms:
            single = firm.fit.rows.span == 1
            column = np.full(len(firm.sessions), np.nan)
            column[firm.fit.rows.end[single]] = firm.fit.errors[single]
            columns.append(column)
        return on_common_sessions(self.firms, columns, np.nan)

    @cached_property
    def correlation(self) -> ResidualCorrelation:
        """Residual correlation, 0 for pairs whose windows do not overlap (rule C6)."""
        return residual_correlation(self.residuals, self.overlap)

    @cached_property
    def shared(self) -> np.ndarray:
        """Sums over sessions of the products of two firms' session weights, N by N (rule C7)."""
        columns = [session_weights(firm.fit, firm.cumulative, firm.day0, len(firm.sessions)) for firm in self.firms]
        weights = on_common_sessions(self.firms, columns, 0.0)
        shared: np.ndarray = weights.T @ weights
        return shared

    @cached_property
    def least_squares(self) -> bool:
        """Whether every firm's CAR is a weighted sum of the sessions' errors, as the full covariance needs (rule A8)."""
        return all(firm.fit.linear for firm in self.firms)

    @cached_property
    def same_rows(self) -> bool:
        """Whether all firms have the same estimation rows, regressors and summed regressors (rule C17)."""
        first = self.firms[0]
        if any(firm.fit.refit is not None for firm in self.firms):  # no common variance factor
            return False
        return all(
            firm.listing.calendar is first.listing.calendar
            and np.array_equal(firm.fit.rows.end, first.fit.rows.end)
            and np.array_equal(firm.fit.model.regressors(firm.fit.rows), first.fit.model.regressors(first.fit.rows))
            and np.allclose(firm.cumulative.regressors, first.cumulative.regressors, rtol=1e-12, atol=1e-15)
            for firm in self.firms
        )


def on_common_sessions(firms: Sequence[FirmCar], columns: list[np.ndarray], fill: float) -> np.ndarray:
    """Put one column a firm, each on its own calendar, on the sessions of all of them."""
    if all(firm.listing.calendar is firms[0].listing.calendar for firm in firms):
        return np.column_stack(columns)
    series = [pd.Series(column, index=firm.sessions) for firm, column in zip(firms, columns, strict=True)]
    return pd.concat(series, axis=1).sort_index().fillna(fill).to_numpy()
