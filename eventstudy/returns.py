"""From prices and trading status to the rows every estimator sees: ``ret, mkt, span`` by session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from eventstudy.trading import Listing

Treatment = Literal["trade-to-trade", "lumped", "uniform", "drop"]
ReturnKind = Literal["log", "simple"]
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
    """

    end: np.ndarray
    span: np.ndarray
    closes: np.ndarray
    ret: np.ndarray
    mkt: np.ndarray

    def __len__(self) -> int:
        return len(self.end)

    def take(self, chosen: np.ndarray) -> Rows:
        """Return the rows that `chosen` (mask or positions) selects."""
        return Rows(self.end[chosen], self.span[chosen], self.closes[chosen], self.ret[chosen], self.mkt[chosen])

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
    """
    if suspensions in ("trade-to-trade", "drop"):
        rows = _paired_rows(listing, returns)
        return rows.take(rows.span == 1) if suspensions == "drop" else rows
    return _filled_rows(listing, suspensions, returns)


def _paired_rows(listing: Listing, kind: ReturnKind) -> Rows:
    usable = np.flatnonzero(np.isfinite(listing.level) & np.isfinite(listing.benchmark))
    start, end = usable[:-1], usable[1:]
    return Rows(
        end, end - start, end,
        _change(listing.level[start], listing.level[end], kind),
        _change(listing.benchmark[start], listing.benchmark[end], kind),
    )  # fmt: skip


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
    return rows.take(np.isfinite(mkt))
