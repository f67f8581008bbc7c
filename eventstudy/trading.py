"""Trading status: which sessions a share traded in, and what it was worth there.

Three words are kept apart: suspended (the exchange was open, the share did not trade), missing (it
traded, the source has no row) and not listed. None of them is ever a zero return.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

from eventstudy.calendar import SessionCalendar, positions_between
from eventstudy.factors import Factor
from eventstudy.sources.base import PriceSeries
from eventstudy.told import Several, Told

TRADED, SUSPENDED, MISSING, NOT_LISTED, UNKNOWN = "traded", "suspended", "missing", "not_listed", "unknown"
TICK = Decimal("0.01")

Spell = tuple[dt.date, dt.date]


@dataclass(frozen=True)
class Listing:
    """One share on the session grid of its exchange; every array has one entry a session.

    Parameters
    ----------
    symbol : str
    calendar : SessionCalendar
    status : array of str
        ``traded``, ``suspended``, ``missing``, ``not_listed`` or ``unknown`` (traded, but in doubt).
    level : array of float
        Total-return value of one share held from the first row on (price units); NaN where it did not trade.
    benchmark : array of float
        Benchmark level; NaN where it has no value.
    limit : array of str
        ``up`` or ``down`` where the close stood at the price limit, else empty.
    end : int
        Position of the last session the benchmark's dates reach; later ones have not happened as far as the data go.
    notes : tuple of (str, str)
        Code and sentence of what the reader must know.
    factors : mapping of str to Factor
        Further regressors of the expected-return model, by name.
    spans_limits : bool
        Whether a run of closes at the price limit counts as one observation with the first close after it.
    """

    symbol: str
    calendar: SessionCalendar
    status: np.ndarray
    level: np.ndarray
    benchmark: np.ndarray
    limit: np.ndarray
    end: int
    notes: tuple[tuple[str, str], ...] = ()
    factors: Mapping[str, Factor] = field(default_factory=dict)
    spans_limits: bool = False

    @property
    def held_back(self) -> np.ndarray:
        """Tell for every session whether its close is passed over because it stood at the price limit (rule D4)."""
        passed: np.ndarray = (self.limit != "") & self.spans_limits
        return passed


def trading_status(
    series: PriceSeries, calendar: SessionCalendar, declared: Sequence[Spell] = ()
) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Decide for every session of `calendar` whether the instrument traded (rule A3).

    A session of a share is suspended where it is declared or flagged so, where volume is 0 and the close has
    not moved, or where the source leaves suspended sessions out; without volume, two or more unchanged closes
    in a row count as suspended and a single one as ``unknown``. A session that the source flags as traded is
    traded whatever its volume, ``missing`` if it has no close. Volume says nothing about an index.

    Returns
    -------
    status : array of str, one a session
    notes : list of (str, str)
        Code and sentence of each inference the reader should know.
    """
    frame, sessions = series.frame, calendar.sessions
    price = frame["close"].to_numpy(dtype=float)
    price = np.where(np.isnan(price), frame["adj_close"].to_numpy(dtype=float), price)
    place, flags = sessions.get_indexer(frame.index), series.flags
    flags = flags[flags.index.isin(sessions)]
    flagged, words = sessions.get_indexer(flags.index), flags.to_numpy(dtype=object)
    closed = frame.index[~np.isnan(price) & (place < 0)]
    there = np.flatnonzero(~np.isnan(price) & (place >= 0))
    status = np.full(len(sessions), series.absent, dtype=object)
    notes: list[tuple[str, str]] = []
    if len(closed):
        text = Told("{count} rows on days the exchange was closed are left out: {days}", count=len(closed), days=_dates(closed))
        notes.append(("closed_day", text))
    status[: min([*place[there[:1]], *flagged[:1]], default=0)] = NOT_LISTED
    if len(there):
        rows = np.full(len(there), TRADED, dtype=object)
        if series.kind == "share":
            volume = frame["volume"].to_numpy(dtype=float)[there]
            volume[np.isin(place[there], flagged)] = 1.0  # nothing to infer from there
            rows = _share_rows(price[there], volume, frame.index[there], notes)
        status[place[there]] = rows
    status[np.setdiff1d(flagged[words == TRADED], place[there])] = MISSING
    status[flagged[words == SUSPENDED]] = SUSPENDED
    for first, last in declared:
        places = positions_between(calendar, first, last)
        traded = int(np.isin(status[places], [TRADED]).sum())
        if traded:
            text = Told(
                "declared suspended from {first} to {last}, but {count} of these sessions look traded",
                first=first, last=last, count=traded,
            )  # fmt: skip
            notes.append(("declared_over_trades", text))
        status[places] = SUSPENDED
    return status, notes


def _share_rows(close: np.ndarray, volume: np.ndarray, dates: pd.Index, notes: list[tuple[str, str]]) -> np.ndarray:
    unchanged = np.r_[False, close[1:] == close[:-1]]
    known = np.isfinite(volume)
    rows = np.full(len(close), TRADED, dtype=object)
    idle = known & (volume == 0)
    rows[idle & unchanged] = SUSPENDED
    if idle[0]:  # nothing before it to compare with: a close without volume is a carried quote
        rows[0] = SUSPENDED
    moved = idle & ~unchanged
    moved[0] = False
    if moved.any():
        text = Told(
            "{count} sessions have volume 0 and a close that moved, counted as traded: {days}",
            count=int(moved.sum()), days=_dates(dates[moved]),
        )  # fmt: skip
        notes.append(("zero_volume_moved", text))
    quiet = ~known & unchanged
    run = np.zeros(len(close), dtype=int)  # length of the run of quiet sessions each one belongs to
    edges = np.flatnonzero(np.diff(np.r_[False, quiet, False].astype(int)))
    for begin, stop in zip(edges[::2], edges[1::2], strict=True):
        run[begin:stop] = stop - begin
    rows[run >= 2] = SUSPENDED
    rows[run == 1] = UNKNOWN
    if (run >= 2).any():
        days = dates[run >= 2]
        text = Told(
            "no volume: {count} sessions in runs of unchanged closes count as suspended: {days}",
            count=len(days), days=_dates(days),
        )  # fmt: skip
        notes.append(("inferred_suspension", text))
    if (run == 1).any():
        days = dates[run == 1]
        text = Told(
            "no volume: {count} single unchanged closes count as traded, in doubt: {days}", count=len(days), days=_dates(days)
        )
        notes.append(("unknown_status", text))
    return rows


def _dates(dates: pd.Index, most: int = 4) -> str:
    shown = Several(f"{date:%Y-%m-%d}" for date in dates[:most])
    return Told("{days} and {count} more", days=shown, count=len(dates) - most) if len(dates) > most else shown


def total_return_level(series: PriceSeries, traded: pd.DatetimeIndex) -> pd.Series:
    """Value of one share held from its first traded date on, by traded date (rule A2).

    From close and corporate actions, (close x shares + cash) / previous value, with the actions of the
    sessions in between falling due on the next traded one; a vendor's adjusted close goes first where given.
    """
    adjusted = _on(series.frame["adj_close"], traded)
    return pd.Series(_own_level(series, traded) if np.isnan(adjusted).any() else adjusted, index=traded)


def _own_level(series: PriceSeries, traded: pd.DatetimeIndex) -> np.ndarray:
    """Return the total-return value by close and corporate actions alone: without an action it is the close."""
    frame = series.frame
    close, held = _on(frame["close"], traded), np.ones(len(traded))  # shares held for each one of the traded date before
    dividend, split = frame["dividend"].to_numpy(dtype=float), frame["split"].to_numpy(dtype=float)
    acting = np.flatnonzero((dividend != 0) | (split != 1))
    due = traded.searchsorted(frame.index[acting])  # the traded date that each action falls due on
    for place in np.unique(due[(due > 0) & (due < len(traded))]):
        cash = 0.0
        for row in acting[due == place]:  # cash is paid on the shares held before that day's split
            cash += held[place] * float(dividend[row])
            held[place] *= float(split[row])
        held[place] += cash / close[place]
    return np.asarray(close * np.cumprod(held))


def _on(values: pd.Series, dates: pd.DatetimeIndex) -> np.ndarray:
    """Return the values of some dates, NaN where there is no row."""
    place = values.index.get_indexer(dates)
    return np.where(place < 0, np.nan, values.to_numpy(dtype=float)[place])


def adjusted_gaps(series: PriceSeries, traded: pd.DatetimeIndex) -> pd.Series:
    """Gross return by a vendor's adjusted closes less the one by closes and actions, by traded date.

    NaN where a close or an adjusted close is not known, there or on the traded date before.
    """
    adjusted = _on(series.frame["adj_close"], traded)
    gaps = np.full(len(traded), np.nan)
    if not np.isnan(adjusted).all():
        own = _own_level(series, traded)
        gaps[1:] = adjusted[1:] / adjusted[:-1] - own[1:] / own[:-1]
    return pd.Series(gaps, index=traded)


def _cents(price: Decimal) -> Decimal:
    return price.quantize(TICK, rounding=ROUND_HALF_UP)


def price_limits(series: PriceSeries, traded: pd.DatetimeIndex, limit: float) -> pd.Series:
    """Mark the traded dates whose close stood at the price limit (rule D4): ``up``, ``down`` or empty.

    The limit is the reference price times one plus or minus `limit`, rounded half up to 0.01 in decimal
    arithmetic; on an ex-date the reference is (previous close - dividend) / (1 + bonus shares). Where a
    vendor's adjusted closes tell of an ex-date that no action on record explains, the reference is not known.
    """
    frame = series.frame
    marks, raw = np.full(len(traded), "", dtype=object), _on(frame["close"], traded)
    if np.isnan(raw).all():
        return pd.Series(marks, index=traded)
    rounding = 2 * float(TICK) / np.fmin(raw, _on(frame["adj_close"], traded))
    unknown = adjusted_gaps(series, traded).abs().to_numpy() > rounding
    share = Decimal(str(limit))
    close = [_cents(Decimal(repr(float(value)))) for value in raw]
    dividend, split = frame["dividend"].to_numpy(dtype=float), frame["split"].to_numpy(dtype=float)
    actions: dict[int, list[tuple[float, float]]] = {}  # cash and split by the place they fall due at
    acting = np.flatnonzero((dividend != 0) | (split != 1))
    for due, row in zip(traded.searchsorted(frame.index[acting]), acting, strict=True):
        actions.setdefault(int(due), []).append((float(dividend[row]), float(split[row])))
    for place in range(1, len(close)):
        reference = close[place - 1]
        for cash, shares in actions.get(place, ()):
            reference = _cents((reference - Decimal(repr(cash))) / Decimal(repr(shares)))
        if unknown[place] or close[place] == reference:  # of a price so low that a limit rounds to it
            continue
        if close[place] == _cents(reference * (1 + share)):
            marks[place] = "up"
        elif close[place] == _cents(reference * (1 - share)):
            marks[place] = "down"
    return pd.Series(marks, index=traded)


def benchmark_listing(listing: Listing, symbol: str) -> Listing:
    """Return the benchmark of a listing as a listing of its own."""
    status = np.where(np.isfinite(listing.benchmark), TRADED, MISSING).astype(object)
    unlimited = np.full(len(status), "", dtype=object)
    return Listing(symbol, listing.calendar, status, listing.benchmark, listing.benchmark, unlimited, listing.end)


def list_shares(
    series: PriceSeries,
    benchmark: pd.Series,
    calendar: SessionCalendar,
    declared: Sequence[Spell] = (),
    limit: float | None = None,
) -> Listing:
    """Put a price series and its benchmark on the session grid.

    Parameters
    ----------
    benchmark : Series
        Benchmark level by date; NaN or an absent date is no value that session.
    declared : sequence of (date, date)
        Suspensions known from elsewhere, inclusive.
    limit : float, optional
        Daily price limit as a fraction, such as 0.10.
    """
    status, notes = trading_status(series, calendar, declared)
    sessions = calendar.sessions
    places = np.flatnonzero((status == TRADED) | (status == UNKNOWN))
    level = np.full(len(sessions), np.nan)
    marks = np.full(len(sessions), "", dtype=object)
    if len(places):
        level[places] = total_return_level(series, sessions[places]).to_numpy()
        if limit is not None:
            marks[places] = price_limits(series, sessions[places], limit).to_numpy()
            gaps = np.cumsum(status == MISSING)  # the close before is not known after a missing one
            marks[places[1:][np.diff(gaps[places]) > 0]] = ""
    if series.frame["close"].isna().all() and series.frame["adj_close"].notna().any():
        text = Told(
            "only adjusted prices are recorded: returns are right, levels are not those traded, limit days cannot be told"
        )
        notes.append(("adjusted_only", text))
    end = int(sessions.searchsorted(benchmark.index[-1], side="right")) - 1
    return Listing(
        series.symbol, calendar, status, level, benchmark.reindex(sessions).to_numpy(dtype=float), marks, end, tuple(notes)
    )
