"""A cross-section moved to many blocks of the estimation window at once, each deleted from every firm's fit (rule C15).

It is for firms with one calendar, fitted by least squares: what their joint statistics need is then the arithmetic of
`CrossSection` on arrays with one more axis, the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eventstudy.inference.correlation import nearest_correlations, residual_correlations
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.deletion import BlockReturns, Deletions, alike_blocks
from eventstudy.inference.joint import t_squared_of_each
from eventstudy.windows import length

NUMBERS_AT_ONCE = 2_000_000


def moves_at_once(cross: CrossSection) -> bool:
    """Whether the firms share a calendar, and their blocks are deleted in closed form."""
    one_calendar = len({id(firm.listing.calendar) for firm in cross.firms}) == 1
    return one_calendar and all(firm.fit.linear and firm.fit.closed_form for firm in cross.firms)


@dataclass(frozen=True, eq=False)
class Remainder:
    """Firms without each of B blocks, one block at a time; `deletions` holds the blocks of every firm, alike by tau."""

    firms: Sequence[FirmCar]
    deletions: Sequence[Deletions]

    def __len__(self) -> int:
        return len(self.deletions[0].lo)

    def take(self, chosen: np.ndarray) -> Remainder:
        """Return some of the blocks."""
        return Remainder(self.firms, [deletions.take(chosen) for deletions in self.deletions])

    def of(self, firms: Sequence[FirmCar]) -> Remainder:
        """Return the same blocks of some of the firms."""
        fits = [id(firm.fit) for firm in self.firms]
        return Remainder(firms, [self.deletions[fits.index(id(firm.fit))] for firm in firms])

    def parts(self) -> Iterator[Remainder]:
        """Yield the blocks in parts whose arrays by session fit into memory."""
        at_once = max(1, NUMBERS_AT_ONCE // (len(self.firms) * self.sessions))
        for start in range(0, len(self), at_once):
            yield self.take(np.arange(start, min(start + at_once, len(self))))

    @cached_property
    def first(self) -> int:
        """First session of any firm's estimation: a block lies within, so that arrays by session begin here."""
        return min(int(firm.fit.rows.end[0] - firm.fit.rows.span[0]) + 1 for firm in self.firms)

    @cached_property
    def sessions(self) -> int:
        """Number of sessions from there to the last of any firm's estimation."""
        return max(int(firm.fit.rows.end[-1]) for firm in self.firms) - self.first + 1

    @cached_property
    def correlation(self) -> np.ndarray:
        """Residual correlations of all pairs (B, N, N); NaN where they rest on too few sessions."""
        residuals = np.full((len(self), self.sessions, len(self.firms)), np.nan)
        for place, deletions in enumerate(self.deletions):
            single = np.flatnonzero(deletions.fit.rows.span == 1)
            left = np.where(deletions.deleted, np.nan, deletions.errors)
            residuals[:, deletions.fit.rows.end[single] - self.first, place] = left[:, single]
        return residual_correlations(residuals)

    @cached_property
    def same_rows(self) -> np.ndarray:
        """Whether all firms are left with rows that end in the same sessions and have the same regressors (B,)."""
        ends = np.unique(np.concatenate([firm.fit.rows.end for firm in self.firms]))
        left, x = [], []
        for deletions in self.deletions:
            fit, places = deletions.fit, np.searchsorted(ends, deletions.fit.rows.end)
            left.append(np.zeros((len(self), len(ends)), dtype=bool))
            x.append(np.full((len(ends), len(fit.params)), np.nan))
            left[-1][:, places], x[-1][places] = ~deletions.deleted, fit.model.regressors(fit.rows)
        same_ends = [(own == left[0]).all(axis=1) for own in left]
        unlike = [(own != x[0]).any(axis=1) for own in x]
        return np.asarray(np.all(same_ends, axis=0) & ~np.any([(left[0] & its).any(axis=1) for its in unlike], axis=0))


@dataclass(frozen=True, eq=False)
class MovedSections:
    """A cross-section at B blocks, its window moved to the first sessions of each."""

    cross: CrossSection
    left: Remainder

    @cached_property
    def returns(self) -> list[BlockReturns]:
        """CARs over the window, one entry a firm."""
        return [deletions.cumulative(length(self.cross.window)) for deletions in self.left.deletions]

    @cached_property
    def car(self) -> np.ndarray:
        """CARs (B, N); NaN where a firm's rows do not tile the window."""
        return np.stack([returns.car for returns in self.returns], axis=1)

    @cached_property
    def same_rows(self) -> np.ndarray:
        """Whether all firms are left with the same rows, and have the same regressors in the block (B,) (rule C17)."""
        first = self.returns[0].regressors
        close = [np.isclose(own.regressors, first, rtol=1e-12, atol=1e-15).all(axis=1) for own in self.returns]
        return np.asarray(self.left.same_rows & np.all(close, axis=0))

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the CARs with the full covariance of the firms' errors (B, N, N) (rule C7)."""
        sigma = np.stack([deletions.sigma for deletions in self.left.deletions], axis=1)
        first, sessions = self.left.first, self.left.sessions
        weights = np.zeros((len(self.left), sessions, len(self.cross.firms)))
        for place, (own, deletions) in enumerate(zip(self.returns, self.left.deletions, strict=True)):
            weights[:, :, place] = deletions.session_weights(own, length(self.cross.window), first, sessions)
        shared = weights.transpose(0, 2, 1) @ weights
        correlation = nearest_correlations(np.where(self.cross.overlap, self.left.correlation, 0.0))  # as in rule C6
        return np.asarray(correlation * (sigma[:, :, None] * sigma[:, None, :]) * shared)

    def portfolio_statistics(self) -> np.ndarray:
        """Mean CARs over their standard errors (B,); NaN where one of them is not to be had (rule C7)."""
        blocks, n = self.car.shape
        variance = self.covariance.reshape(blocks, n * n).sum(axis=1)
        known = variance > 0
        found = np.full(blocks, np.nan)
        found[known] = self.car[known].mean(axis=1) / (np.sqrt(variance[known]) / n)
        return found

    def joint_t_squared(self) -> np.ndarray:
        """T-squared of all CARs (B,): exact where the firms are left with the same rows, else with rule C7's covariance."""
        covariance = np.full((*self.car.shape, len(self.cross.firms)), np.nan)
        others = np.flatnonzero(~self.same_rows)
        if len(others):
            covariance[others] = MovedSections(self.cross, self.left.take(others)).covariance
        first = self.left.deletions[0]
        for rows, alike in alike_blocks(np.where(self.same_rows, first.rows_left, 0)):
            kept = [own.errors[alike][~own.deleted[alike]].reshape(len(alike), rows) for own in self.left.deletions]
            errors = np.stack(kept, axis=2)
            scale = errors.transpose(0, 2, 1) @ errors / first.df_resid[alike, None, None]
            covariance[alike] = scale * self.returns[0].factor[alike, None, None]
        return t_squared_of_each(self.car, covariance)
