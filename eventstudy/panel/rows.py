"""Rows of many events at once: the panel's form of `returns.trade_rows`, one matrix column a session (rules A4 and A5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eventstudy.panel.market import Market, over_sessions
from eventstudy.returns import ReturnKind, Treatment


@dataclass(frozen=True, eq=False)
class WindowRows:
    """Rows that end in a stretch of sessions; every matrix has one row an event and one column a session.

    Parameters
    ----------
    there : array (n, m) of bool
        Whether a row ends in the session; the other matrices mean something there only.
    end, start, closes : array (n, m) of int
        Sessions (positions) the row ends in and starts after, and in which the gap it belongs to is closed.
    ret, mkt : array (n, m) of float
        Return of share and benchmark over the sessions the row covers.
    """

    there: np.ndarray
    end: np.ndarray
    start: np.ndarray
    closes: np.ndarray
    ret: np.ndarray
    mkt: np.ndarray

    @cached_property
    def span(self) -> np.ndarray:
        """Number of sessions a row covers; 1 where there is none."""
        return np.where(self.there, self.end - self.start, 1)

    def inside(self, lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
        """Tell which rows lie, gap included, in the sessions `lo` to `hi` of each event (rule A6)."""
        found: np.ndarray = self.there & (self.start + 1 >= lo[:, None]) & (self.closes <= hi[:, None])
        return found

    def columns(self, first: int, last: int) -> WindowRows:
        """Return the columns `first` to `last`, both inclusive."""
        part = slice(first, last + 1)
        return WindowRows(
            self.there[:, part], self.end[:, part], self.start[:, part], self.closes[:, part], self.ret[:, part],
            self.mkt[:, part],
        )  # fmt: skip


def window_rows(
    market: Market, share: np.ndarray, first: np.ndarray, count: int, suspensions: Treatment, returns: ReturnKind
) -> WindowRows:
    """Return the rows that end in `count` sessions from `first` on.

    Parameters
    ----------
    share : array (n,) of int
        Rows of the market's matrices.
    first : array (n,) of int
        May lie outside the calendar; there no row ends.
    """
    end = first[:, None] + np.arange(count)
    known = (end > 0) & (end < market.sessions)
    own = share[:, None] * market.sessions  # where a share's levels begin
    if suspensions in ("trade-to-trade", "drop"):
        start = over_sessions(market.before, first, count, share).astype(int)
        there = known & market.usable_over(share, first, count) & (start >= 0)
        if suspensions == "drop":
            there &= end - start == 1
        closes = end
        ret = _change(market.level.ravel().take(own + start), over_sessions(market.level, first, count, share), there, returns)
    else:
        opens, closes = (over_sessions(edges, first, count, share).astype(int) for edges in (market.opens, market.closes))
        start = end - 1
        valued = np.isfinite(market.benchmark)
        valued[1:] &= valued[:-1]
        there = known & (opens >= 0) & (closes < market.sessions) & over_sessions(valued, first, count)
        opens, last = np.where(there, opens, 0), np.where(there, closes, 0)
        gap = _change(market.level.ravel()[own + opens], market.level.ravel()[own + last], there, returns)
        if suspensions == "lumped":
            ret = np.where(end == last, gap, 0.0)
        else:
            sessions = np.maximum(last - opens, 1)
            ret = gap / sessions if returns == "log" else (1 + gap) ** (1 / sessions) - 1
    return WindowRows(there, end, start, closes, ret, _benchmark_change(market, first, start, end, there, returns))


def _benchmark_change(
    market: Market, first: np.ndarray, start: np.ndarray, end: np.ndarray, there: np.ndarray, kind: ReturnKind
) -> np.ndarray:
    """Return what the benchmark earned over the sessions of each row: nearly all cover one, whose change is looked up."""
    level = market.benchmark
    single = np.concatenate([[0.0], _change(level[:-1], level[1:], np.isfinite(level[:-1]), kind)])
    found = np.where(there, over_sessions(single, first, end.shape[1]), 0.0)
    longer = np.nonzero(there & (end - start > 1))
    found[longer] = _change(level[start[longer]], level[end[longer]], np.ones(len(longer[0]), dtype=bool), kind)
    return found


def _change(before: np.ndarray, after: np.ndarray, there: np.ndarray, kind: ReturnKind) -> np.ndarray:
    ratio = np.divide(after, before, out=np.ones(there.shape), where=there)
    change: np.ndarray = np.log(ratio) if kind == "log" else ratio - 1
    return change
