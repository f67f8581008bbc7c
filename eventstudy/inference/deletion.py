"""A fit without a block of sessions, in closed form: one block as a fit of its own, or every block of a length at once (C15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from eventstudy.abnormal import CumulativeReturn
from eventstudy.errors import DataError
from eventstudy.models.base import Fit
from eventstudy.returns import Rows
from eventstudy.windows import Window

ALONE = 1e-9  # of 1, what the rows outside a block add to a parameter that only the block tells


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


@dataclass(frozen=True, eq=False)
class BlockReturns:
    """CARs over sessions of several deleted blocks, NaN where no rows tile them; arrays have one entry a block.

    Parameters
    ----------
    car, se, factor : array (B,)
    regressors : array (B, K)
        Summed over the sessions.
    """

    car: np.ndarray
    se: np.ndarray
    factor: np.ndarray
    regressors: np.ndarray


@dataclass(frozen=True, eq=False)
class Deletions:
    """A least-squares fit without each of several blocks of sessions, one at a time; arrays have one entry a block.

    Parameters
    ----------
    fit : Fit
        On all rows.
    lo : array (B,) of int
        First session of each block, increasing.
    first, count : array (B,) of int
        Position of the first deleted row, and how many there are.
    df_resid : array (B,) of int
    sigma : array (B,)
    unscaled_cov : array (B, K, K)
    shift : array (B, K)
        What the parameters lose.
    predicted : array (B, size)
        Prediction errors of the deleted rows, in return units.
    """

    fit: Fit
    lo: np.ndarray
    first: np.ndarray
    count: np.ndarray
    df_resid: np.ndarray
    sigma: np.ndarray
    unscaled_cov: np.ndarray
    shift: np.ndarray
    predicted: np.ndarray

    def take(self, chosen: np.ndarray) -> Deletions:
        """Return the blocks that `chosen` (mask or positions) selects."""
        names = ("lo", "first", "count", "df_resid", "sigma", "unscaled_cov", "shift", "predicted")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    @property
    def size(self) -> int:
        """Sessions a block has."""
        return int(self.predicted.shape[1])

    @property
    def rows_left(self) -> np.ndarray:
        """Number of rows that each fit rests on, (B,)."""
        return np.asarray(self.fit.nobs - self.count)

    @cached_property
    def errors(self) -> np.ndarray:
        """Scaled errors of all rows with the parameters of each fit, (B, nobs)."""
        return np.asarray(self.fit.errors + self.shift @ self.fit.scaled_regressors.T)

    @cached_property
    def deleted(self) -> np.ndarray:
        """Which rows belong to each block, (B, nobs)."""
        place = np.arange(self.fit.nobs)
        return np.asarray((place >= self.first[:, None]) & (place < (self.first + self.count)[:, None]))

    def cumulative(self, length: int) -> BlockReturns:
        """Return the placebo CARs over the first `length` sessions of each block."""
        blocks, k = self.shift.shape
        car, factor, regressors = np.full(blocks, np.nan), np.full(blocks, np.nan), np.full((blocks, k), np.nan)
        x = self.fit.model.regressors(self.fit.rows)
        for rows, alike in alike_blocks(_rows_that_tile(self.fit.rows, self.lo, length)[1]):
            car[alike] = self.predicted[alike, :rows].sum(axis=1)
            summed = regressors[alike] = x[self.first[alike, None] + np.arange(rows)].sum(axis=1)
            factor[alike] = length + (summed[:, None, :] @ self.unscaled_cov[alike] @ summed[:, :, None])[:, 0, 0]
        return BlockReturns(car, self.sigma * np.sqrt(factor), factor, regressors)

    def session_weights(self, returns: BlockReturns, length: int, first: int, sessions: int) -> np.ndarray:
        """Return the weights w of `abnormal.session_weights` for the first `length` sessions of each block, (B, sessions).

        The sessions begin with `first` and hold the whole estimation.
        """
        rows = self.fit.rows
        theirs = (self.unscaled_cov @ returns.regressors[:, :, None])[:, :, 0]
        pull = theirs @ self.fit.model.regressors(rows).T / rows.span
        row = np.repeat(np.arange(len(rows)), rows.span)  # that covers each session of the estimation
        offset = np.arange(len(row)) - np.repeat(np.cumsum(rows.span) - rows.span, rows.span)
        w = np.zeros((len(self.lo), sessions))
        w[:, (rows.end - rows.span + 1)[row] + offset - first] = -np.where(self.deleted, 0.0, pull)[:, row]
        w[np.arange(len(w))[:, None], self.lo[:, None] - first + np.arange(length)] = 1.0
        return w


def delete_blocks(fit: Fit, size: int) -> Deletions:
    """Delete every block of `size` sessions that the fit's rows tile, each by itself, as `delete_block` does.

    A fit that has no closed form has none.
    """
    if size not in fit.deletions:
        fit.deletions[size] = _delete_all(fit, size)
    return fit.deletions[size]  # type: ignore[no-any-return]


def _delete_all(fit: Fit, size: int) -> Deletions:
    rows, k = fit.rows, len(fit.params)
    lo = np.arange(rows.end[0] - rows.span[0] + 1, rows.end[-1] - size + 2 if fit.closed_form else 0)
    first, count = _rows_that_tile(rows, lo, size)
    made = Deletions(
        fit, lo, first, count, fit.df_resid - count, np.full(len(lo), np.nan), np.full((len(lo), k, k), np.nan),
        np.full((len(lo), k), np.nan), np.full((len(lo), size), np.nan),
    )  # fmt: skip
    z, a, scale = fit.scaled_regressors, fit.unscaled_cov, fit.df_resid * fit.sigma**2
    for deleted, alike in alike_blocks(np.where(made.df_resid < 1, 0, count)):
        places = first[alike, None] + np.arange(deleted)
        hole = np.eye(deleted) - z[places] @ a @ z[places].transpose(0, 2, 1)
        told = np.linalg.matrix_rank(hole, tol=ALONE, hermitian=True) == deleted  # else the block alone tells a parameter
        hole, places, chosen = hole[told], places[told], alike[told]
        z_w, e_w = z[places], fit.errors[places]
        q = np.linalg.solve(hole, e_w[:, :, None])
        pull = a @ z_w.transpose(0, 2, 1)
        made.shift[chosen] = (pull @ q)[:, :, 0]
        made.unscaled_cov[chosen] = a + pull @ np.linalg.solve(hole, z_w @ a)
        made.sigma[chosen] = np.sqrt((scale - (e_w[:, None, :] @ q)[:, 0, 0]) / made.df_resid[chosen])
        made.predicted[chosen, :deleted] = q[:, :, 0] * np.sqrt(rows.span[places])
    return made.take(np.isfinite(made.sigma))


def _rows_that_tile(rows: Rows, lo: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, for windows of `length` sessions from `lo` on, position of the first row inside and number; 0 where they gap."""
    first = np.searchsorted(rows.end - rows.span + 1, lo)
    past = np.searchsorted(rows.end, lo + length - 1, side="right")
    covered = np.concatenate([[0], np.cumsum(rows.span)])
    return first, np.where(covered[past] - covered[first] == length, past - first, 0)


def alike_blocks(count: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each number of rows there is, and the places of the blocks that have so many."""
    for rows in np.unique(count[count > 0]):
        yield int(rows), np.flatnonzero(count == rows)
