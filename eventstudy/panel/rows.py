"""Rows of many events at once: the panel's form of `returns.trade_rows`, one matrix column a session (rules A4 and A5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eventstudy.panel.market import Market
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
    place = share[:, None] * market.sessions + np.clip(end, 0, market.sessions - 1)
    if suspensions in ("trade-to-trade", "drop"):
        start = market.before.ravel()[place]
        there = known & market.usable_at(share, np.clip(end, 0, market.sessions - 1)) & (start >= 0)
        if suspensions == "drop":
            there &= end - start == 1
        closes = end
    else:
        opens, closes = market.opens.ravel()[place], market.closes.ravel()[place]
        start = end - 1
        valued = np.isfinite(market.benchmark)
        valued[1:] &= valued[:-1]
        there = known & (opens >= 0) & (closes < market.sessions) & valued[np.clip(end, 0, market.sessions - 1)]
    place, start = np.where(there, place, 0), np.where(there, start, 0)
    at, level = place - share[:, None] * market.sessions, market.level.ravel()
    at = np.where(there, at, 0)
    own = share[:, None] * market.sessions
    if suspensions in ("trade-to-trade", "drop"):
        ret = _change(level[own + start], level[place], there, returns)
    else:
        opens, last = np.where(there, opens, 0), np.where(there, closes, 0)
        gap = _change(level[own + opens], level[own + last], there, returns)
        if suspensions == "lumped":
            ret = np.where(at == last, gap, 0.0)
        else:
            sessions = np.maximum(last - opens, 1)
            ret = gap / sessions if returns == "log" else (1 + gap) ** (1 / sessions) - 1
    mkt = _change(market.benchmark[start], market.benchmark[at], there, returns)
    return WindowRows(there, end, start, closes, ret, mkt)


def _change(before: np.ndarray, after: np.ndarray, there: np.ndarray, kind: ReturnKind) -> np.ndarray:
    ratio = np.divide(after, before, out=np.ones(there.shape), where=there)
    change: np.ndarray = np.log(ratio) if kind == "log" else ratio - 1
    return change
