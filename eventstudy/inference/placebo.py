"""Placebo dates: the same statistic at every block of estimation sessions (rules C15 and C18b).

A block is deleted, every firm is fitted again without it, and the block is predicted; the firms stay
together, so cross-correlation and fat tails are kept. The deletion is exact and in closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from eventstudy.inference.correlation import MOST_FIRMS_TOGETHER
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.deletion import delete_block, delete_blocks
from eventstudy.inference.joint import t_squared
from eventstudy.inference.moved import MovedSections, Remainder, moves_at_once
from eventstudy.inference.parametric import portfolio_statistic
from eventstudy.models.base import Fit
from eventstudy.windows import length


@dataclass(frozen=True)
class PlaceboDraws:
    """One statistic at the event and at every placebo block.

    Parameters
    ----------
    observed : float
    draws : array (B,)
    starts : array (B,) of int
        First session of each block, relative to the event session.
    length : int
        Sessions a block has.
    reason : str
        Code of why there are no draws, where that is known.
    """

    observed: float
    draws: np.ndarray
    starts: np.ndarray
    length: int
    reason: str = ""

    @property
    def floor(self) -> float:
        """Smallest p-value that this many blocks can give."""
        return 1 / (1 + len(self.draws))

    def p_value(self, side: str = "both") -> float:
        """Return (1 + draws at least as extreme) / (1 + B); `side` is ``both``, ``left`` or ``right``."""
        return rank_p(self.observed, self.draws, side)

    def not_rejected(self, alpha: float) -> tuple[float, float]:
        """Return the effects that the two-sided test does not reject at `alpha`, an interval; NaN where it can reject none.

        If the event added a constant to the statistic and did nothing else, the observed value less that constant is one
        more draw. So an effect stays if (1 + draws at least as far from zero as observed - effect) / (1 + B) > alpha: if
        observed - effect is no farther from zero than the k-th farthest draw, k the largest whole number in alpha (1 + B).
        """
        k = int(np.floor(alpha * (1 + len(self.draws)) + 1e-9))
        if k < 1 or not np.isfinite(self.observed):
            return np.nan, np.nan
        reach = float(np.sort(np.abs(self.draws))[-k])
        return self.observed - reach, self.observed + reach

    def apart(self) -> PlaceboDraws:
        """Return the draws of blocks that do not overlap, counted back from the last one."""
        kept, limit = [], np.inf
        for place in np.argsort(self.starts)[::-1]:
            if self.starts[place] + self.length - 1 < limit:
                kept.append(place)
                limit = self.starts[place]
        return replace(self, draws=self.draws[kept], starts=self.starts[kept])


def rank_p(observed: float, draws: np.ndarray, side: str) -> float:
    """Return (1 + draws at least as extreme as the observed value) / (1 + B)."""
    extreme = {"both": np.abs(draws) >= abs(observed), "left": draws <= observed, "right": draws >= observed}[side]
    return float((1 + extreme.sum()) / (1 + len(draws)))


def placebo_starts(firms: Sequence[tuple[Fit, int]], size: int) -> range:
    """Return every offset from the event session at which a block fits into the estimation rows of some firm (fit, day0)."""
    first = min(int((fit.rows.end - fit.rows.span + 1).min()) - day0 for fit, day0 in firms)
    last = max(int(fit.rows.end.max()) - day0 for fit, day0 in firms)
    return range(first, last - size + 2)


@dataclass(frozen=True)
class PlaceboBlocks:
    """All firms of a cross-section at every block that they all tile, each fitted again without it.

    Parameters
    ----------
    cross : CrossSection
        The firms at the event.
    starts : array (B,) of int
        First session of each block, relative to the event session.
    car, scar : array (B, N)
        CARs, and CARs over their standard errors.
    t_squared : array (B,)
        The joint statistic of `joint_t_squared`.
    """

    cross: CrossSection
    starts: np.ndarray
    car: np.ndarray
    scar: np.ndarray
    t_squared: np.ndarray

    def mean_car(self) -> PlaceboDraws:
        """Return the mean CAR at the event and at every block."""
        return self._draws(float(self.cross.car.mean()), self.car.mean(axis=1))

    def mean_scar(self) -> PlaceboDraws:
        """Return the mean standardised CAR at the event and at every block."""
        return self._draws(float(self.cross.scar.mean()), self.scar.mean(axis=1))

    def joint(self) -> PlaceboDraws:
        """Return T-squared of all CARs at the event and at every block (rule C15 on C17)."""
        if len(self.cross.firms) > MOST_FIRMS_TOGETHER:
            return PlaceboDraws(np.nan, np.empty(0), np.empty(0, dtype=int), length(self.cross.window), "too_many_firms")
        observed = joint_t_squared(self.cross) if self.cross.least_squares else np.nan
        if np.isnan(observed):
            known = self.cross.same_rows or self.cross.correlation.enough
            reason = "singular_covariance" if known else "too_few_common_sessions"
            reason = reason if self.cross.least_squares else "not_least_squares"
            return PlaceboDraws(np.nan, np.empty(0), np.empty(0, dtype=int), length(self.cross.window), reason)
        known = np.isfinite(self.t_squared)  # of a block whose deletion leaves too few common sessions it is not
        return replace(self._draws(observed, self.t_squared[known]), starts=self.starts[known])

    def less(self, other: PlaceboBlocks) -> PlaceboDraws:
        """Return the mean CAR less that of another group, at the event and at the blocks that both groups tile."""
        starts, mine, its = np.intersect1d(self.starts, other.starts, return_indices=True)
        observed = float(self.cross.car.mean() - other.cross.car.mean())
        draws = self.car[mine].mean(axis=1) - other.car[its].mean(axis=1)
        return replace(self._draws(observed, draws), starts=starts)

    def _draws(self, observed: float, draws: np.ndarray) -> PlaceboDraws:
        # GARCH errors have no fit without a block: nothing was drawn, for this reason
        reason = "no_refit" if any(firm.fit.session_variance is not None for firm in self.cross.firms) else ""
        return PlaceboDraws(observed, draws, self.starts, length(self.cross.window), reason)


def joint_t_squared(cross: CrossSection) -> float:
    """Return T-squared of all CARs: exact where the firms share their rows, else with rule C7's covariance."""
    if cross.same_rows:
        return t_squared(cross.car, cross.exact_covariance)
    return t_squared(cross.car, cross.covariance) if cross.correlation.enough else np.nan


def placebo_blocks(cross: CrossSection) -> PlaceboBlocks:
    """Delete every block as long as the window, fit every firm again without it, and predict the block (rule C15)."""
    size = length(cross.window)
    joint = len(cross.firms) <= MOST_FIRMS_TOGETHER and cross.least_squares and not np.isnan(joint_t_squared(cross))
    if not all(firm.fit.closed_form for firm in cross.firms) or (joint and not moves_at_once(cross)):
        return _one_by_one(cross, joint)
    starts, left = _remainder(cross.firms, size)
    returns = [deletions.cumulative(size) for deletions in left.deletions]
    return PlaceboBlocks(
        cross,
        starts,
        np.stack([own.car for own in returns], axis=1),
        np.stack([own.car / own.se for own in returns], axis=1),
        _in_parts(left, lambda part: MovedSections(cross, part).joint_t_squared()) if joint else np.full(len(starts), np.nan),
    )


def _remainder(firms: Sequence[FirmCar], size: int) -> tuple[np.ndarray, Remainder]:
    """Return where the blocks that every firm tiles start, relative to the event, and what they leave of the firms."""
    every = [delete_blocks(firm.fit, size) for firm in firms]
    starts = [deletions.lo - firm.day0 for firm, deletions in zip(firms, every, strict=True)]
    common = reduce(np.intersect1d, starts)
    return common, Remainder(firms, [own.take(np.searchsorted(its, common)) for own, its in zip(every, starts, strict=True)])


def _in_parts(left: Remainder, statistic: Callable[[Remainder], np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0), *(statistic(part) for part in left.parts())])


def _one_by_one(cross: CrossSection, joint: bool) -> PlaceboBlocks:
    """Move the cross-section to one block after the other, as firms on different calendars and other estimators need."""
    size, starts = length(cross.window), []
    found: list[tuple[np.ndarray, np.ndarray, float]] = []
    for start in placebo_starts([(firm.fit, firm.day0) for firm in cross.firms], size):
        if (moved := _moved(cross, start, size)) is not None:
            starts.append(start)
            found.append((moved.car, moved.scar, joint_t_squared(moved) if joint else np.nan))
    shape = (len(starts), len(cross.firms))
    car, scar, t_squareds = (np.array([row[column] for row in found], dtype=float) for column in range(3))
    return PlaceboBlocks(cross, np.array(starts, dtype=int), car.reshape(shape), scar.reshape(shape), t_squareds)


def _moved(cross: CrossSection, start: int, size: int) -> CrossSection | None:
    """Move a cross-section to the first sessions of a block of `size`; None where a firm does not tile it."""
    firms = []
    for firm in cross.firms:
        lo = firm.day0 + start
        deletion = delete_block(firm.fit, lo, lo + size - 1)
        block = deletion.cumulative(lo, lo + length(cross.window) - 1, cross.window) if deletion else None
        if deletion is None or block is None:
            return None
        firms.append(FirmCar(firm.listing, deletion.fit, lo - cross.window[0], block))
    return CrossSection(cross.window, tuple(firms))


def placebo_draws(cross: CrossSection) -> tuple[PlaceboDraws, PlaceboDraws]:
    """Return the mean CAR and the mean standardised CAR at the event and at every placebo block."""
    blocks = placebo_blocks(cross)
    return blocks.mean_car(), blocks.mean_scar()


def placebo_max_draws(sections: Sequence[CrossSection]) -> PlaceboDraws:
    """Return the largest absolute portfolio t over several windows, at the event and at every block.

    Parameters
    ----------
    sections : sequence of CrossSection
        Windows [0, b], each with the firms that have a CAR there. Blocks are as long as the longest.
    """
    size = max(length(section.window) for section in sections)
    if max(len(section.firms) for section in sections) > MOST_FIRMS_TOGETHER:
        return PlaceboDraws(np.nan, np.empty(0), np.empty(0, dtype=int), size, "too_many_firms")
    if not all(section.least_squares for section in sections):
        return PlaceboDraws(np.nan, np.empty(0), np.empty(0, dtype=int), size, "not_least_squares")
    firms = list({(id(firm.listing), firm.day0): firm for section in sections for firm in section.firms}.values())
    if moves_at_once(CrossSection(sections[0].window, tuple(firms))):
        starts, left = _remainder(firms, size)
        draws = _in_parts(left, lambda part: _largest_at_once(part, sections))
    else:
        starts = np.array(placebo_starts([(firm.fit, firm.day0) for firm in firms], size))
        draws = np.array([_largest_t([_moved(section, start, size) for section in sections]) for start in starts])
    known = np.isfinite(draws)
    return PlaceboDraws(_largest_t(sections), draws[known], starts[known], size)


def _largest_at_once(left: Remainder, sections: Sequence[CrossSection]) -> np.ndarray:
    """Return max |portfolio t| at every block; NaN where any window has none, so that all draws are over the same windows."""
    by_firms: dict[tuple[int, ...], Remainder] = {}  # windows with the same firms share what is left of them
    found = []
    for section in sections:
        key = tuple(id(firm.fit) for firm in section.firms)
        own = by_firms.setdefault(key, left.of(section.firms))
        found.append(np.abs(MovedSections(section, own).portfolio_statistics()))
    return np.asarray(np.max(found, axis=0))


def _largest_t(sections: Sequence[CrossSection | None]) -> float:
    """Return max |portfolio t| of sections; NaN where any has none."""
    found = [
        abs(portfolio_statistic(section.car, section.sigma, section.correlation, section.shared)) if section else np.nan
        for section in sections
    ]
    return float(np.max(found))
