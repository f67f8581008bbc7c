"""From prices and trading status to the rows every estimator sees: ``ret, mkt, span`` and factors by session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from eventstudy.trading import Listing

Treatment = Literal["trade-to-trade", "lumped", "uniform", "drop"]
ReturnKind = Literal["log", "simple"]
LimitDays = Literal["as_traded", "spanned"]
TREATMENTS: tuple[Treatment, ...] = ("trade-to-trade", "lumped", "uniform", "drop")


@dataclass(frozen=True)
class Rows:
    """Observations of one share; every array has one entry a row, ordered by `end`.

    Parameters
    ----------
    end : array of int
        Session (position in the calendar) in which the return ends.
    span : array of int
        Number of sessions the return covers: ``(end - span, end]``.
    closes : array of int
        Session in which the gap the row belongs to is closed; equals `end` for a row outside any gap.
    ret, mkt : array of float
        Return of the share and of the benchmark over exactly those sessions.
    factors : mapping of str to array of float
        Further regressors by name, over the same sessions.
    """

    end: np.ndarray
    span: np.ndarray
    closes: np.ndarray
    ret: np.ndarray
    mkt: np.ndarray
    factors: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.end)

    def take(self, chosen: np.ndarray) -> Rows:
        """Return the rows that `chosen` (mask or positions) selects."""
        factors = {name: values[chosen] for name, values in self.factors.items()}
        return Rows(self.end[chosen], self.span[chosen], self.closes[chosen], self.ret[chosen], self.mkt[chosen], factors)

    def inside(self, lo: int, hi: int) -> Rows:
        """Return the rows whose whole interval, gap included, lies in the sessions `lo` to `hi` (rule A6)."""
        return self.take((self.end - self.span + 1 >= lo) & (self.closes <= hi))

    def without(self, masked: np.ndarray) -> Rows:
        """Return the rows that touch none of the `masked` sessions (a boolean a session)."""
        before = np.concatenate([[0], np.cumsum(masked)])
        return self.take(before[self.end + 1] == before[self.end - self.span + 1])


def _change(before: np.ndarray, after: np.ndarray, kind: ReturnKind) -> np.ndarray:
    ratio = np.divide(after, before)
    change: np.ndarray = np.log(ratio) if kind == "log" else ratio - 1
    return change


def trade_rows(listing: Listing, suspensions: Treatment = "trade-to-trade", returns: ReturnKind = "log") -> Rows:
    """Return the observations of a listing under one treatment of suspensions (rules A4 and A5).

    Parameters
    ----------
    suspensions : str
        ``trade-to-trade``: one row from trade to trade, the benchmark over the same sessions.
        ``lumped``: the price is carried forward, so the whole return falls on the resumption.
        ``uniform``: the return of a gap is spread evenly over its sessions.
        ``drop``: single-session returns only; the return over a suspension is lost.
    returns : {"log", "simple"}

    Notes
    -----
    A listing that spans its limit days has, under ``trade-to-trade``, one row from the close before a run of
    closes at the price limit to the first close after it (rule D4).
    """
    if suspensions in ("trade-to-trade", "drop"):
        rows = _paired_rows(listing, returns)
        return rows.take(rows.span == 1) if suspensions == "drop" else rows
    return _filled_rows(listing, suspensions, returns)


def _paired_rows(listing: Listing, kind: ReturnKind) -> Rows:
    valued = np.isfinite(listing.level) & np.isfinite(listing.benchmark)
    for factor in listing.factors.values():
        valued &= np.isfinite(factor.level) | (not factor.needed)
    usable = np.flatnonzero(valued & ~listing.held_back)
    start, end = usable[:-1], usable[1:]
    rows = Rows(
        end, end - start, end,
        _change(listing.level[start], listing.level[end], kind),
        _change(listing.benchmark[start], listing.benchmark[end], kind),
    )  # fmt: skip
    return _with_factors(rows, listing, kind)


def _with_factors(rows: Rows, listing: Listing, kind: ReturnKind) -> Rows:
    """Add the further regressors over the sessions of each row; a row that covers an unknown return is left out."""
    start, known = rows.end - rows.span, np.ones(len(rows), dtype=bool)
    changes = {}
    for name, factor in listing.factors.items():
        changes[name] = _change(factor.level[start], factor.level[rows.end], kind)
        known &= factor.covers(start, rows.end)
    return replace(rows, factors=changes).take(known) if changes else rows


def _filled_rows(listing: Listing, suspensions: Treatment, kind: ReturnKind) -> Rows:
    traded = np.flatnonzero(np.isfinite(listing.level))
    if len(traded) < 2:
        return _paired_rows(listing, kind)
    end = np.arange(traded[0] + 1, traded[-1] + 1)
    after = np.searchsorted(traded, end)  # the trade that closes the gap each session lies in
    closes, opens = traded[after], traded[after - 1]
    gap = _change(listing.level[opens], listing.level[closes], kind)
    if suspensions == "lumped":
        ret = np.where(end == closes, gap, 0.0)
    else:
        ret = gap / (closes - opens) if kind == "log" else (1 + gap) ** (1 / (closes - opens)) - 1
    mkt = _change(listing.benchmark[end - 1], listing.benchmark[end], kind)
    rows = Rows(end, np.ones(len(end), dtype=int), closes, ret, mkt)
    return _with_factors(rows.take(np.isfinite(mkt)), listing, kind)
