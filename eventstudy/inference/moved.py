"""A cross-section moved to many blocks of the estimation window at once, each deleted from every firm's fit (rule C15).

It is for firms with one event session and one calendar, fitted by least squares: what their joint statistics need is then
the arithmetic of `CrossSection` on arrays with one more axis, the blocks.
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

NUMBERS_AT_ONCE = 2_000_000


def moves_at_once(cross: CrossSection) -> bool:
    """Whether the firms share date and calendar, and their blocks are deleted in closed form."""
    return not cross.staggered and all(firm.fit.linear and firm.fit.closed_form for firm in cross.firms)


@dataclass(frozen=True, eq=False)
class Remainder:
    """Firms without each of B blocks, one block at a time; `deletions` holds the same blocks of every firm."""

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
        at_once = max(1, NUMBERS_AT_ONCE // (len(self.firms) * len(self.firms[0].sessions)))
        for start in range(0, len(self), at_once):
            yield self.take(np.arange(start, min(start + at_once, len(self))))

    @cached_property
    def correlation(self) -> np.ndarray:
        """Residual correlations (B, N, N) as rule C7 needs them; NaN where they rest on too few sessions."""
        residuals = np.full((len(self), len(self.firms[0].sessions), len(self.firms)), np.nan)
        for place, deletions in enumerate(self.deletions):
            single = np.flatnonzero(deletions.fit.rows.span == 1)
            left = np.where(deletions.deleted, np.nan, deletions.errors)
            residuals[:, deletions.fit.rows.end[single], place] = left[:, single]
        return nearest_correlations(residual_correlations(residuals))

    @cached_property
    def unlike(self) -> np.ndarray:
        """Sessions in which a row ends that not all firms have alike, before anything is deleted; increasing."""
        ends = np.unique(np.concatenate([firm.fit.rows.end for firm in self.firms]))
        tables = []
        for fit in (firm.fit for firm in self.firms):
            table = np.full((len(ends), 1 + len(fit.params)), np.inf)  # no regressor is infinite
            table[np.searchsorted(ends, fit.rows.end)] = np.column_stack([np.ones(fit.nobs), fit.model.regressors(fit.rows)])
            tables.append(table)
        return np.asarray(ends[~np.all([table == tables[0] for table in tables], axis=(0, 2))])


@dataclass(frozen=True, eq=False)
class MovedSections:
    """The cross-section at B blocks; the window takes `length` sessions of the block, from its first session on."""

    left: Remainder
    length: int

    @cached_property
    def returns(self) -> list[BlockReturns]:
        """CARs over the window, one entry a firm."""
        return [deletions.cumulative(self.length) for deletions in self.left.deletions]

    @cached_property
    def car(self) -> np.ndarray:
        """CARs (B, N); NaN where a firm's rows do not tile the window."""
        return np.stack([returns.car for returns in self.returns], axis=1)

    @cached_property
    def same_rows(self) -> np.ndarray:
        """Whether all firms are left with the same rows and regressors, and have the same in the block (B,) (rule C17)."""
        first = self.returns[0].regressors
        close = [np.isclose(own.regressors, first, rtol=1e-12, atol=1e-15).all(axis=1) for own in self.returns]
        same: np.ndarray = np.all(close, axis=0)
        unlike, lo = self.left.unlike, self.left.deletions[0].lo
        if len(unlike):
            same &= (lo <= unlike[0]) & (unlike[-1] < lo + self.left.deletions[0].size)
        return same

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the CARs with the full covariance of the firms' errors (B, N, N) (rule C7)."""
        sigma = np.stack([deletions.sigma for deletions in self.left.deletions], axis=1)
        weights = np.zeros((len(self.left), len(self.left.firms[0].sessions), len(self.left.firms)))
        for place, (own, deletions) in enumerate(zip(self.returns, self.left.deletions, strict=True)):
            weights[:, :, place] = deletions.session_weights(own, self.length, weights.shape[1])
        shared = weights.transpose(0, 2, 1) @ weights
        return np.asarray(self.left.correlation * (sigma[:, :, None] * sigma[:, None, :]) * shared)

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
        covariance = np.full((*self.car.shape, len(self.left.firms)), np.nan)
        others = np.flatnonzero(~self.same_rows)
        if len(others):
            covariance[others] = MovedSections(self.left.take(others), self.length).covariance
        first = self.left.deletions[0]
        for rows, alike in alike_blocks(np.where(self.same_rows, first.rows_left, 0)):
            kept = [own.errors[alike][~own.deleted[alike]].reshape(len(alike), rows) for own in self.left.deletions]
            errors = np.stack(kept, axis=2)
            scale = errors.transpose(0, 2, 1) @ errors / first.df_resid[alike, None, None]
            covariance[alike] = scale * self.returns[0].factor[alike, None, None]
        return t_squared_of_each(self.car, covariance)
