"""The firms that have a CAR in one window, with what the tests across firms need of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from eventstudy.abnormal import CumulativeReturn, session_weights
from eventstudy.inference.correlation import ResidualCorrelation, residual_correlation
from eventstudy.inference.joint import exact_covariance
from eventstudy.inference.parametric import common_means
from eventstudy.models.base import Fit
from eventstudy.trading import Listing
from eventstudy.windows import Window


@dataclass(frozen=True)
class FirmCar:
    """One firm with its fit and its (defined) CAR in the window; `day0` is a position in its calendar.

    `masked` holds a boolean a session, True where the session was left out of the estimation; empty: none was.
    """

    listing: Listing
    fit: Fit
    day0: int
    cumulative: CumulativeReturn
    masked: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    industry: str = ""

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Sessions of the firm's calendar."""
        return self.listing.calendar.sessions


@dataclass(frozen=True)
class CrossSection:
    """All firms of a group with a CAR in one window; every array has one entry a firm."""

    window: Window
    firms: Sequence[FirmCar]

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

    @property
    def limits(self) -> tuple[str, ...]:
        """``up`` or ``down`` of each firm whose window ends on a close at the price limit: its CAR is a bound (rule D4)."""
        return tuple(str(firm.listing.limit[firm.day0 + self.window[1]]) for firm in self.firms)

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
    def residuals_by_tau(self) -> np.ndarray:
        """Single-session estimation residuals by session relative to the event, NaN where a firm has none."""
        single = [firm.fit.rows.span == 1 for firm in self.firms]
        return self._by_tau([firm.fit.errors[chosen] for firm, chosen in zip(self.firms, single, strict=True)], single)

    @cached_property
    def mean_residuals(self) -> np.ndarray:
        """Means of these residuals over the firms, of the sessions where all have one (sessions,) (rule C8)."""
        return common_means(self.residuals_by_tau)

    @cached_property
    def scaled_errors(self) -> np.ndarray:
        """Estimation errors over their standard deviation, all spans, where each row ends, by tau (sessions, N) (rule C10)."""
        every = [np.ones(firm.fit.nobs, dtype=bool) for firm in self.firms]
        return self._by_tau([firm.fit.errors / firm.fit.sigma for firm in self.firms], every)

    @cached_property
    def scaled_returns(self) -> np.ndarray:
        """Abnormal returns of the window over their standard deviation, all spans, where each row ends (L2, N) (rule C10)."""
        lo, hi = self.window
        event = np.full((hi - lo + 1, len(self.firms)), np.nan)
        for place, firm in enumerate(self.firms):
            rows, fit = firm.cumulative.rows, firm.fit
            if rows is not None:
                ar = fit.model.response(rows) - fit.model.regressors(rows) @ fit.params
                event[rows.end - firm.day0 - lo, place] = ar / (fit.sigma * np.sqrt(rows.span))
        return event

    def _by_tau(self, values: list[np.ndarray], chosen: list[np.ndarray]) -> np.ndarray:
        """Put values of chosen estimation rows where these end, relative to each firm's event session."""
        taus = [firm.fit.rows.end[taken] - firm.day0 for firm, taken in zip(self.firms, chosen, strict=True)]
        known = np.concatenate(taus)
        if not len(known):
            return np.full((0, len(self.firms)), np.nan)
        first = int(known.min())
        matrix = np.full((int(known.max()) - first + 1, len(self.firms)), np.nan)
        for place, (tau, value) in enumerate(zip(taus, values, strict=True)):
            matrix[tau - first, place] = value
        kept: np.ndarray = matrix[~self._masked(first, len(matrix))]
        return kept

    def _masked(self, first: int, count: int) -> np.ndarray:
        """Tell which of `count` sessions from tau `first` on are masked for every firm."""
        everywhere = np.ones(count, dtype=bool)
        for firm in self.firms:
            places = firm.day0 + first + np.arange(count)
            known = (places >= 0) & (places < len(firm.sessions))  # where a calendar has no session it says nothing
            everywhere[known] &= firm.masked[places[known]] if len(firm.masked) else False
        return everywhere

    @cached_property
    def positive_share(self) -> np.ndarray:
        """Share of positive estimation residuals of each firm."""
        return np.array([(firm.fit.errors > 0).mean() for firm in self.firms])

    @cached_property
    def correlation(self) -> ResidualCorrelation:
        """Residual correlation, 0 for pairs whose windows do not overlap (rule C6)."""
        return residual_correlation(self.residuals, self.overlap)

    @cached_property
    def same_industry(self) -> np.ndarray:
        """Whether two firms belong to the same industry, N by N."""
        names = np.array([firm.industry for firm in self.firms])
        same: np.ndarray = names[:, None] == names[None, :]
        return same

    @cached_property
    def correlation_in_blocks(self) -> ResidualCorrelation:
        """Residual correlation within blocks of one industry and overlapping windows, 0 for all other pairs."""
        return residual_correlation(self.residuals, self.overlap & self.same_industry)

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the CARs with the full covariance of the firms' errors, N by N (rule C7)."""
        covariance: np.ndarray = self.correlation.nearest[0] * np.outer(self.sigma, self.sigma) * self.shared
        return covariance

    @cached_property
    def exact_covariance(self) -> np.ndarray:
        """Covariance of the CARs of firms that share their rows, N by N (rule C17)."""
        errors = np.column_stack([firm.fit.errors for firm in self.firms])
        return exact_covariance(errors, int(self.df[0]), self.firms[0].cumulative.variance_factor)

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
    return pd.concat(series, axis=1, sort=True).fillna(fill).to_numpy()
