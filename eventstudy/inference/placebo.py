"""Placebo dates: the same statistic at every block of estimation sessions (rules C15 and C18b).

A block is deleted, every firm is fitted again without it, and the block is predicted; the firms stay
together, so cross-correlation and fat tails are kept. The deletion is exact and in closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eventstudy.abnormal import CumulativeReturn
from eventstudy.errors import DataError
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.joint import t_squared
from eventstudy.inference.parametric import portfolio_statistic
from eventstudy.models.base import Fit
from eventstudy.returns import Rows
from eventstudy.windows import Window, length

ALONE = 1e-9  # of 1, what the rows outside a block add to a parameter that only the block tells


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
        return _rank_p(self.observed, self.draws, side)

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


def _rank_p(observed: float, draws: np.ndarray, side: str) -> float:
    extreme = {"both": np.abs(draws) >= abs(observed), "left": draws <= observed, "right": draws >= observed}[side]
    return float((1 + extreme.sum()) / (1 + len(draws)))


@dataclass(frozen=True)
class Deletion:
    """A firm's fit without the rows of one block, and the errors it makes in predicting them.

    Parameters
    ----------
    fit : Fit
        As estimated on the remaining rows.
    rows : Rows
        The deleted rows.
    errors : array, one a deleted row
        Prediction errors, in return units.
    """

    fit: Fit
    rows: Rows
    errors: np.ndarray

    def cumulative(self, lo: int, hi: int, window: Window) -> CumulativeReturn | None:
        """Return the placebo CAR over the sessions `lo` to `hi`; None where the deleted rows do not tile them."""
        inside = (self.rows.end - self.rows.span + 1 >= lo) & (self.rows.end <= hi)
        if int(self.rows.span[inside].sum()) != hi - lo + 1:
            return None
        x = self.fit.model.regressors(self.rows.take(inside)).sum(axis=0)
        car = float(self.errors[inside].sum())
        factor = float(hi - lo + 1 + x @ self.fit.unscaled_cov @ x)
        se = float(self.fit.sigma * np.sqrt(factor))
        nan = np.nan
        return CumulativeReturn(window, car, se, car / se, self.fit.df_resid, nan, nan, nan, factor, x, None)


def delete_block(fit: Fit, lo: int, hi: int) -> Deletion | None:
    """Fit again without the sessions `lo` to `hi`; None where no rows tile them."""
    if (lo, hi) not in fit.deletions:
        fit.deletions[lo, hi] = _delete(fit, lo, hi)
    return fit.deletions[lo, hi]  # type: ignore[no-any-return]


def _delete(fit: Fit, lo: int, hi: int) -> Deletion | None:
    """Delete in closed form (rule C15, S7).

    With Z the regressors over the square root of the span and e the scaled residuals, the deleted rows w
    have the prediction errors q = (I - H)^-1 e_w, H = Z_w A Z_w'.
    """
    rows = fit.rows
    inside = (rows.end - rows.span + 1 >= lo) & (rows.end <= hi)
    if int(rows.span[inside].sum()) != hi - lo + 1:
        return None
    df = fit.df_resid - int(inside.sum())
    if df < 1:
        return None
    if fit.session_variance is not None:  # its recursion cannot pass over a block that is cut out
        return None
    if fit.refit is not None:
        return _refitted(fit.refit, rows, inside)
    z = fit.scaled_regressors
    a, z_w, e_w = fit.unscaled_cov, z[inside], fit.errors[inside]
    hole = np.eye(len(e_w)) - z_w @ a @ z_w.T
    if np.linalg.matrix_rank(hole, tol=ALONE, hermitian=True) < len(e_w):  # the block alone tells a parameter
        return None
    q = np.linalg.solve(hole, e_w)
    shift = a @ z_w.T @ q
    scale = (fit.df_resid * fit.sigma**2 - e_w @ q) / df
    without = replace(
        fit,
        params=fit.params - shift,
        unscaled_cov=a + a @ z_w.T @ np.linalg.solve(hole, z_w @ a),
        sigma=float(np.sqrt(scale)),
        nobs=fit.nobs - len(e_w),
        df_resid=df,
        n_sessions=fit.n_sessions - (hi - lo + 1),
        r_squared=np.nan,
        rows=rows.take(~inside),
        errors=(fit.errors + z @ shift)[~inside],
        results=None,
    )
    return Deletion(without, rows.take(inside), q * np.sqrt(rows.span[inside]))


def _refitted(refit: Callable[[Rows], Fit], rows: Rows, inside: np.ndarray) -> Deletion | None:
    """Estimate again without the block, where there is no closed form."""
    try:
        without, block = refit(rows.take(~inside)), rows.take(inside)
    except DataError:
        return None
    errors = without.model.response(block) - without.model.regressors(block) @ without.params
    return Deletion(without, block, errors)


def placebo_starts(firms: Sequence[tuple[Fit, int]], size: int) -> range:
    """Return every offset from the event session at which a block fits into the estimation rows of some firm (fit, day0)."""
    first = min(int((fit.rows.end - fit.rows.span + 1).min()) - day0 for fit, day0 in firms)
    last = max(int(fit.rows.end.max()) - day0 for fit, day0 in firms)
    return range(first, last - size + 2)


def _block_starts(firms: Sequence[FirmCar], size: int) -> range:
    return placebo_starts([(firm.fit, firm.day0) for firm in firms], size)


def _delete_from_all(firms: Sequence[FirmCar], start: int, size: int) -> list[Deletion] | None:
    found = []
    for firm in firms:
        deletion = delete_block(firm.fit, firm.day0 + start, firm.day0 + start + size - 1)
        if deletion is None:
            return None
        found.append(deletion)
    return found


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
        fit = cross.firms[0].fit
        errors = np.column_stack([firm.fit.errors for firm in cross.firms])
        return t_squared(cross.car, errors.T @ errors / fit.df_resid * cross.firms[0].cumulative.variance_factor)
    return t_squared(cross.car, cross.covariance) if cross.correlation.enough else np.nan


def placebo_blocks(cross: CrossSection) -> PlaceboBlocks:
    """Delete every block as long as the window, fit every firm again without it, and predict the block (rule C15)."""
    size, n = length(cross.window), len(cross.firms)
    joint = cross.least_squares and not np.isnan(joint_t_squared(cross))
    starts, cars, scars, joints = [], [], [], []
    for start in _block_starts(cross.firms, size):
        deletions = _delete_from_all(cross.firms, start, size)
        if deletions is None:
            continue
        firms = []
        for firm, deletion in zip(cross.firms, deletions, strict=True):
            lo = firm.day0 + start
            block = deletion.cumulative(lo, lo + size - 1, cross.window)
            assert block is not None  # what was deleted tiles the block
            firms.append(FirmCar(firm.listing, deletion.fit, lo - cross.window[0], block))
        moved = CrossSection(cross.window, tuple(firms))
        starts.append(start)
        cars.append(moved.car)
        scars.append(moved.scar)
        joints.append(joint_t_squared(moved) if joint else np.nan)
    shape = (len(starts), n)
    return PlaceboBlocks(
        cross, np.array(starts, dtype=int), np.reshape(cars, shape), np.reshape(scars, shape), np.array(joints, dtype=float)
    )


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
    if not all(section.least_squares for section in sections):
        return PlaceboDraws(np.nan, np.empty(0), np.empty(0, dtype=int), size, "not_least_squares")
    firms = list({(id(firm.listing), firm.day0): firm for section in sections for firm in section.firms}.values())
    starts, draws = [], []
    for start in _block_starts(firms, size):
        deletions = _delete_from_all(firms, start, size)
        if deletions is None:
            continue
        by_firm = {(id(firm.listing), firm.day0): deletion for firm, deletion in zip(firms, deletions, strict=True)}
        largest = _largest_t([_moved(section, by_firm, start) for section in sections])
        if np.isfinite(largest):
            starts.append(start)
            draws.append(largest)
    return PlaceboDraws(_largest_t(sections), np.array(draws), np.array(starts, dtype=int), size)


def _moved(section: CrossSection, deletions: dict[tuple[int, int], Deletion], start: int) -> CrossSection | None:
    """Return the cross-section with its window moved to a deleted block; None where a firm does not tile it."""
    firms = []
    for firm in section.firms:
        deletion, day0 = deletions[id(firm.listing), firm.day0], firm.day0 + start
        cumulative = deletion.cumulative(day0 + section.window[0], day0 + section.window[1], section.window)
        if cumulative is None:
            return None
        firms.append(FirmCar(firm.listing, deletion.fit, day0, cumulative))
    return CrossSection(section.window, tuple(firms))


def _largest_t(sections: Sequence[CrossSection | None]) -> float:
    """Return max |portfolio t|; NaN where any window has none, so that all draws are over the same windows."""
    found = []
    for section in sections:
        if section is None:
            return np.nan
        found.append(abs(portfolio_statistic(section.car, section.sigma, section.correlation, section.shared)))
    return float(np.max(found))
