"""Many shares on the sessions of one exchange, against one benchmark: the panel's form of `trading.Listing`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from eventstudy.calendar import SessionCalendar, positions_between
from eventstudy.plan import MaskedSpell
from eventstudy.trading import MISSING, NOT_LISTED, SUSPENDED, TRADED, UNKNOWN, Listing

STATUSES = (TRADED, UNKNOWN, SUSPENDED, MISSING, NOT_LISTED)
CODE = {name: code for code, name in enumerate(STATUSES)}
LIMITS = ("", "up", "down")
SHARES_AT_ONCE = 64  # bounds what is held beside the prices while statuses are decided


@dataclass(frozen=True, eq=False)
class Market:
    """Shares of one exchange; every matrix has one row a share and one column a session.

    Parameters
    ----------
    symbols : tuple of str
    calendar : SessionCalendar
    level : array (S, T) of float
        Total-return value of one share; what it holds where a share did not trade means nothing.
    status : array (S, T) of int8
        Place in ``STATUSES``.
    benchmark : array (T,) of float
        Benchmark level; NaN where it has no value.
    end : int
        Position of the last session the benchmark's dates reach.
    limit : array (S, T) of int8, optional
        Place in ``LIMITS``; absent where no share has a price limit.
    spans_limits : bool
        Whether closes at the price limit are passed over (rule D4).
    inferred : array (S,) of bool, optional
        Whether some status of a share was not plain from closes and volumes; absent where shares were listed one by one.
    """

    symbols: tuple[str, ...]
    calendar: SessionCalendar
    level: np.ndarray
    status: np.ndarray
    benchmark: np.ndarray
    end: int
    limit: np.ndarray | None = None
    spans_limits: bool = False
    inferred: np.ndarray | None = None

    @property
    def sessions(self) -> int:
        """Number of sessions."""
        return len(self.benchmark)

    def traded(self, shares: slice) -> np.ndarray:
        """Tell in which sessions some shares traded, doubtful ones included (s, T)."""
        return np.asarray(self.status[shares] <= CODE[UNKNOWN])

    @cached_property
    def held_back(self) -> np.ndarray | None:
        """Whether a close is passed over because it stood at the price limit (S, T); None where none is."""
        return self.limit != 0 if self.limit is not None and self.spans_limits else None

    @cached_property
    def before(self) -> np.ndarray:
        """Position of the last session before each one whose close can begin a row; -1 where there is none (S, T)."""
        return self._last(self.usable)

    @cached_property
    def opens(self) -> np.ndarray:
        """Position of the last trade before each session; -1 where there is none (S, T)."""
        return self._last(self.traded)

    def usable(self, shares: slice) -> np.ndarray:
        """Tell in which sessions a row from trade to trade can begin or end, for some shares (s, T)."""
        usable = self.traded(shares) & np.isfinite(self.benchmark)
        return np.asarray(usable if self.held_back is None else usable & ~self.held_back[shares])

    def usable_over(self, share: np.ndarray, first: np.ndarray, count: int) -> np.ndarray:
        """Tell the same of `count` sessions from `first` (n,) on of each `share` (n,): (n, count)."""
        usable = over_sessions(self.status, first, count, share) <= CODE[UNKNOWN]
        usable &= over_sessions(np.isfinite(self.benchmark), first, count)
        return np.asarray(usable if self.held_back is None else usable & ~over_sessions(self.held_back, first, count, share))

    @cached_property
    def closes(self) -> np.ndarray:
        """Position of the first trade in or after each session; `sessions` where there is none (S, T)."""
        places = np.where(self.traded(slice(None)), np.arange(self.sessions, dtype=np.int32), np.int32(self.sessions))
        return np.asarray(np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1])

    def _last(self, there: Callable[[slice], np.ndarray]) -> np.ndarray:
        small = np.int16 if self.sessions < np.iinfo(np.int16).max else np.int32
        found = np.full(self.status.shape, -1, dtype=small)
        sessions = np.arange(self.sessions, dtype=small)
        for start in range(0, len(found), SHARES_AT_ONCE):
            part = slice(start, start + SHARES_AT_ONCE)
            places = np.where(there(part), sessions, small(-1))
            found[part, 1:] = np.maximum.accumulate(places, axis=1)[:, :-1]
        return found

    def masked_before(self, masks: Sequence[MaskedSpell]) -> tuple[np.ndarray, np.ndarray]:
        """Count masked sessions.

        Returns
        -------
        kind : array (S,) of int
            Row of `counts` that holds for a share.
        counts : array (kinds, T + 1)
            How many sessions before each position are masked.
        """
        named = sorted({symbol for mask in masks for symbol in mask.symbols} & set(self.symbols))
        masked = np.zeros((1 + len(named), self.sessions), dtype=bool)
        for mask in masks:
            places = positions_between(self.calendar, mask.first, mask.last)
            for row, symbol in enumerate(["", *named]):
                masked[row, places] |= not mask.symbols or symbol in mask.symbols
        row_of = {symbol: row for row, symbol in enumerate(named, 1)}
        kind = np.array([row_of.get(symbol, 0) for symbol in self.symbols], dtype=int)
        counts = np.zeros((len(masked), self.sessions + 1), dtype=np.int32)
        counts[:, 1:] = np.cumsum(masked, axis=1)
        return kind, counts


def over_sessions(values: np.ndarray, first: np.ndarray, count: int, share: np.ndarray | None = None) -> np.ndarray:
    """Return values by session, of `count` sessions from `first` on; outside the calendar those of its ends.

    Parameters
    ----------
    values : array (T,) or (S, T)
    first : array (n,) of int
    share : array (n,) of int, optional
        Rows of `values`, where it has some.

    Returns
    -------
    array (n, count)
    """
    row, most = () if share is None else (share,), values.shape[-1] - count
    if len(first) and first.min() >= 0 and first.max() <= most:  # neighbours are copied as one piece, several times as fast
        return np.asarray(sliding_window_view(values, count, axis=-1)[*row, first])
    place = np.clip(first[:, None] + np.arange(count), 0, values.shape[-1] - 1)
    return np.asarray(values[*(of[:, None] for of in row), place])


def market_of(listings: Iterable[Listing]) -> Market:
    """Put listings with one calendar and one benchmark together; each is let go once its arrays are taken."""
    symbols, levels, statuses, limits = [], [], [], []
    for listing in listings:
        symbols.append(listing.symbol)
        levels.append(listing.level)
        statuses.append(_codes(listing.status, STATUSES))
        limits.append(_codes(listing.limit, LIMITS))
    limit = np.stack(limits)
    return Market(
        tuple(symbols), listing.calendar, np.stack(levels), np.stack(statuses), listing.benchmark, listing.end,
        limit if limit.any() else None, listing.spans_limits,
    )  # fmt: skip


def _codes(words: np.ndarray, known: tuple[str, ...]) -> np.ndarray:
    return np.asarray(pd.Series(words).map({word: code for code, word in enumerate(known)}).to_numpy(dtype=np.int8))


def market_of_closes(
    symbols: Sequence[str],
    calendar: SessionCalendar,
    closes: np.ndarray,
    benchmark: np.ndarray,
    end: int,
    volume: np.ndarray | None,
) -> Market:
    """Decide statuses of shares of which nothing but closes and perhaps volumes is known (rule A3).

    Parameters
    ----------
    closes : array (S, T)
        As traded; NaN where the source has none, which means suspended.
    volume : array (S, T), optional
        In shares; NaN where not known.
    """
    status, inferred = np.empty(closes.shape, dtype=np.int8), np.empty(len(closes), dtype=bool)
    for start in range(0, len(closes), SHARES_AT_ONCE):
        part = slice(start, start + SHARES_AT_ONCE)
        status[part], inferred[part] = _statuses(closes[part], None if volume is None else volume[part])
    return Market(tuple(symbols), calendar, closes, status, benchmark, end, inferred=inferred)


def _statuses(closes: np.ndarray, volume: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return statuses (s, T), and for which shares a close was unchanged without volume, or moved without trade (s,).

    The rule is that of `trading.trading_status`.
    """
    there = np.isfinite(closes)
    share, _ = places = np.nonzero(there)
    close = closes[places]
    same_share = share[1:] == share[:-1]
    unchanged = np.concatenate([[False], same_share & (close[1:] == close[:-1])])
    known = np.isfinite(volume[places]) if volume is not None else np.zeros(len(close), dtype=bool)
    quiet = unchanged & ~known
    neighbours = np.concatenate([[False], quiet, [False]])
    found = np.full(len(close), CODE[TRADED], dtype=np.int8)
    found[quiet] = CODE[UNKNOWN]
    found[quiet & (neighbours[:-2] | neighbours[2:])] = CODE[SUSPENDED]
    odd = quiet
    if volume is not None:
        idle = known & (volume[places] == 0)
        first = np.concatenate([[True], ~same_share])
        found[idle & (unchanged | first)] = CODE[SUSPENDED]
        odd = quiet | (idle & ~unchanged & ~first)
    status = np.full(closes.shape, CODE[SUSPENDED], dtype=np.int8)
    status[places] = found
    before = ~np.logical_or.accumulate(there, axis=1)
    status[before] = CODE[NOT_LISTED]
    return status, np.bincount(share[odd], minlength=len(closes)) > 0
