"""Wide tables, a column of closes a share: their rows and, where these need no second look, their series, made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from eventstudy.sources.base import COLUMNS, PriceSeries, hash_columns
from eventstudy.sources.frames import LARGEST, NUMBERS


@dataclass(frozen=True, eq=False)
class WideRows(Mapping[str, pd.DataFrame]):
    """Raw rows by symbol, ``date`` and ``close``.

    Parameters
    ----------
    dates : Series
        One a row of the table.
    table : DataFrame
    place : mapping of str to int
        Where a symbol's column stands.
    settled : callable, optional
        Brings the rows of a symbol into shape.
    """

    dates: pd.Series
    table: pd.DataFrame
    place: Mapping[str, int]
    settled: Callable[[pd.DataFrame], pd.DataFrame] | None = None

    def __getitem__(self, symbol: str) -> pd.DataFrame:
        close = self.table.iloc[:, self.place[symbol]].to_numpy()
        rows = pd.DataFrame({"date": self.dates, "close": close}, index=self.dates.index)
        return rows if self.settled is None else self.settled(rows)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self.place

    def __iter__(self) -> Iterator[str]:
        return iter(self.place)

    def __len__(self) -> int:
        return len(self.place)

    def closes(self, names: list[str]) -> pd.DataFrame | None:
        """Return the table by date, columns called by `names`; None if the dates are text or some column is no symbol's."""
        columns = list(self.place.values())
        if self.dates.dtype.kind != "M" or columns != list(range(columns[0], self.table.shape[1])):
            return None
        found = self.table.iloc[:, columns[0] :].set_axis(names, axis=1)
        return found.set_axis(pd.DatetimeIndex(self.dates), axis=0)


@dataclass(frozen=True, eq=False)
class WideSeries(Mapping[str, PriceSeries]):
    """Shares of a wide table by symbol, then series from elsewhere; in every share a close that is absent means suspended.

    Parameters
    ----------
    closes : DataFrame
        Positive closes by date (naive, increasing) and symbol; columns of other shares may be among them.
    shares : tuple of str
        Those asked for that have a close.
    source : str
    volume : DataFrame, optional
        In shares, by date and symbol.
    others : mapping of str to PriceSeries
        Further series, such as the benchmarks.
    """

    closes: pd.DataFrame
    shares: tuple[str, ...]
    source: str
    volume: pd.DataFrame | None = None
    others: Mapping[str, PriceSeries] = field(default_factory=dict)
    _hashes: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, symbol: str) -> PriceSeries:
        if symbol not in self._asked:
            return self.others[symbol]
        frame = _frame(self._dates, {"close": self.closes[symbol].to_numpy(dtype=float), "volume": self._volume(symbol)})
        return PriceSeries(symbol, frame, self.source, "share", "suspended")

    def __iter__(self) -> Iterator[str]:
        yield from self.shares
        yield from (symbol for symbol in self.others if symbol not in self._asked)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._asked or symbol in self.others

    def hash_of(self, symbol: str) -> str:
        """Return the content hash of a series, which need not be made for it."""
        if symbol not in self._asked:
            return self.others[symbol].content_hash
        if symbol not in self._hashes:
            size = len(self.closes)
            numbers = [self.closes[symbol].to_numpy(dtype=float), self._volume(symbol), np.zeros(size), np.ones(size)]
            self._hashes[symbol] = hash_columns(["share", "suspended"], self.closes.index.to_numpy(), numbers)
        return self._hashes[symbol]

    def _volume(self, symbol: str) -> np.ndarray:
        if self.volume is None or symbol not in self.volume.columns:
            return np.broadcast_to(np.nan, len(self.closes))
        return self.volume[symbol].reindex(self.closes.index).to_numpy(dtype=float)

    @cached_property
    def _asked(self) -> frozenset[str]:
        return frozenset(self.shares)

    @cached_property
    def _dates(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self.closes.index, name="date").as_unit("s")


@runtime_checkable
class WholeSource(Protocol):
    """A source that has all its rows at hand, whatever the dates, and may have many shares in one table."""

    def wide(self, symbols: Sequence[str]) -> WideSeries | None:
        """Return the series of those of some symbols that it has; None where they have to be fetched one by one."""
        ...


def content_hashes(series: Mapping[str, PriceSeries]) -> dict[str, str]:
    """Return the content hash of every series by symbol."""
    if isinstance(series, WideSeries):
        return {symbol: series.hash_of(symbol) for symbol in series}
    return {symbol: one.content_hash for symbol, one in series.items()}


def wide_series(
    closes: pd.DataFrame, symbols: Sequence[str], source: str, volume: pd.DataFrame | None = None
) -> WideSeries | None:
    """Return the series of those of some symbols that a wide table has; None if it wants a look share by share, right or wrong.

    Parameters
    ----------
    closes, volume : DataFrame
        By date; the columns are called by text.
    """
    if not _is_plain(closes) or not (volume is None or _is_plain(volume, zero=True)):
        return None
    if volume is not None and not volume.columns.isin(closes.columns).any():
        return None
    priced = set(closes.columns[closes.notna().any().to_numpy()])
    return WideSeries(closes, tuple(symbol for symbol in symbols if symbol in priced), source, volume)


def slim(series: PriceSeries) -> PriceSeries:
    """Return a series that holds every column of one value throughout as that value."""
    frame = series.frame
    if not len(frame) or list(frame.columns) != COLUMNS or frame["status"].notna().any():
        return series
    told = [name for name in COLUMNS[:-1] if not _is_silent(frame[name].to_numpy(dtype=float), name)]
    return replace(series, frame=_frame(pd.DatetimeIndex(frame.index), {name: frame[name].to_numpy(copy=True) for name in told}))


def widened(series: Mapping[str, PriceSeries], shares: Sequence[str]) -> Mapping[str, PriceSeries]:
    """Return the same series as those of a wide table, where the shares say no more than one could; else as they are."""
    found = {symbol: series[symbol] for symbol in shares if symbol in series}
    first = next(iter(found.values()), None)
    if first is None or not all(_says_no_more(one, first) for one in found.values()):
        return series
    values = np.stack([one.frame["close"].to_numpy(dtype=float) for one in found.values()])
    closes = pd.DataFrame(values.T, index=first.frame.index, columns=list(found), copy=False)
    wide = wide_series(closes, list(found), first.source)
    if wide is None or len(wide) < len(found):  # a share without any close is one, too
        return series
    return replace(wide, others={symbol: one for symbol, one in series.items() if symbol not in found})


def _says_no_more(series: PriceSeries, first: PriceSeries) -> bool:
    """Tell whether a series of a source on this machine has the dates and source of another, closes, and nothing else."""
    words = series.notes or series.doubts or series.name or series.name_zh or series.fetched_at
    if words or series.kind != "share" or series.absent != "suspended" or series.source != first.source:
        return False
    frame = series.frame
    if list(frame.columns) != COLUMNS or frame["status"].notna().any() or not frame.index.equals(first.frame.index):
        return False
    return all(_is_silent(frame[name].to_numpy(dtype=float), name) for name in COLUMNS[1:-1])


def _is_silent(values: np.ndarray, name: str) -> bool:
    silent = NUMBERS.get(name, np.nan)
    return bool(np.isnan(values).all() if np.isnan(silent) else (values == silent).all())


def _frame(dates: pd.DatetimeIndex, told: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return the frame of a `PriceSeries` of which nothing but some columns is known; the others hold one number in memory."""
    columns = {name: told.get(name, np.broadcast_to(NUMBERS.get(name, np.nan), len(dates))) for name in COLUMNS[:-1]}
    return pd.DataFrame(columns | {COLUMNS[-1]: _unsaid(len(dates))}, index=dates, copy=False)


@lru_cache(maxsize=4)
def _unsaid(size: int) -> Any:
    return pd.array([np.nan] * size, dtype="str")


def _is_plain(frame: pd.DataFrame, zero: bool = False) -> bool:
    """Tell whether a frame holds positive numbers (or `zero`) on increasing dates without a time, a column a share."""
    index = frame.index
    if not len(frame) or not isinstance(index, pd.DatetimeIndex) or index.tz is not None or frame.columns.has_duplicates:
        return False
    if not index.is_monotonic_increasing or index.has_duplicates or not index.equals(index.normalize()):
        return False
    if any(not isinstance(dtype, np.dtype) or dtype.kind not in "fi" for dtype in frame.dtypes):
        return False
    values = frame.to_numpy(dtype=float)
    lowest, highest = np.fmin.reduce(values, axis=None, initial=np.inf), np.fmax.reduce(values, axis=None, initial=0.0)
    return bool((lowest >= 0 if zero else lowest > 0) and highest <= LARGEST)
