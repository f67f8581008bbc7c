"""The quick way into a panel: wide closes and events dated by session, taken as they lie in memory."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from eventstudy.calendar import BENCHMARK_CALENDAR, SessionCalendar, benchmark_sessions, calendar_name, exchange_sessions
from eventstudy.panel.described import PlainPrices
from eventstudy.panel.market import Market, market_of_closes
from eventstudy.panel.study import NOWHERE, Panel, PanelEvents
from eventstudy.plan import Plan
from eventstudy.shapes import CLOSES, COLUMN_NAMES
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.frames import LARGEST
from eventstudy.study import ALL, FIRST, LAST, UNCONFOUNDED, no_session

TEXTS = ("event_id", "symbol", "group")
DATED_OTHERWISE = ("announced_at", "announced_on", "timezone", "date_only")


def plain_panel(
    plan: Plan,
    events: pd.DataFrame,
    prices: pd.DataFrame,
    benchmark: PriceSeries,
    volume: pd.DataFrame | None,
    now: dt.datetime,
) -> tuple[Panel, PanelEvents, PlainPrices] | None:
    """Return the panel of frames that need no second look; None where they do, for whatever reason.

    Wide closes above zero on increasing dates, and events with a session each are taken as they are. Anything else, right or
    wrong, is left to the road that reads one share and one event at a time and says what is wrong.
    """
    rows = _plain_events(events)
    if rows is None or not _is_plain(prices) or not (volume is None or _is_plain(volume, zero=True)):
        return None
    named = prices.columns.map(str)
    if volume is not None and not volume.columns.map(str).isin(named).any():
        return None
    known = named.isin(pd.unique(rows["symbol"])) & prices.notna().any().to_numpy()
    there = named[known]  # in the order they lie in: where all are asked for, nothing is copied
    by_calendar: dict[str, list[str]] = {}
    for symbol in there:
        by_calendar.setdefault(calendar_name(symbol, None, plan.calendar), []).append(symbol)
    first = min(prices.index[0], benchmark.frame.index[0])
    markets = tuple(
        _market(found, named.get_indexer(pd.Index(found)), _calendar(name, benchmark, first), prices, benchmark, volume)
        for name, found in by_calendar.items()
    )
    plain = PlainPrices(prices.set_axis(named, axis=1), None if volume is None else volume.rename(columns=str))
    return *_placed(plan, rows, markets, now), plain


def _plain_events(events: pd.DataFrame) -> dict[str, np.ndarray] | None:
    others = [name for name in events.columns if name not in (*TEXTS, "session")]
    if {"event_id", "symbol", "session"} - set(events.columns) or any(
        name not in DATED_OTHERWISE or events[name].notna().any() for name in others
    ):
        return None
    texts = {name: _texts(events[name]) for name in TEXTS if name in events}
    texts.setdefault("group", np.full(len(events), "", dtype=object))
    session = events["session"]
    if session.dtype.kind != "M":
        if not _is_text(session):
            return None
        session = pd.to_datetime(session, format="%Y-%m-%d", errors="coerce")
    if session.dt.tz is not None or session.isna().any():
        return None
    if (session != session.dt.normalize()).any() or (texts["event_id"] == "").any() or (texts["symbol"] == "").any():
        return None
    keys = pd.DataFrame({"event_id": texts["event_id"], "symbol": texts["symbol"]})
    reserved = np.isin(texts["group"], [ALL, UNCONFOUNDED, FIRST, LAST]).any()
    return None if keys.duplicated().any() or reserved else texts | {"session": session.to_numpy()}


def _is_text(column: pd.Series) -> bool:
    return column.dtype.kind in "OUT" and bool(column.map(lambda value: isinstance(value, str) and len(value) == 10).all())


def _texts(column: pd.Series) -> np.ndarray:
    codes, unique = pd.factorize(column)
    words = np.array([*(str(value).strip() for value in unique), ""], dtype=object)
    return np.asarray(words[codes])  # the code of a blank is -1


def _is_plain(frame: pd.DataFrame, zero: bool = False) -> bool:
    """Tell whether a frame is wide, of positive numbers (or `zero`), on increasing dates without a time."""
    if not isinstance(frame, pd.DataFrame) or isinstance(frame.columns, pd.MultiIndex) or not len(frame):
        return False
    names = {COLUMN_NAMES.get(name.lower()) for name in frame.columns if isinstance(name, str)}
    index = frame.index
    if names & {"date", "symbol", *CLOSES} or not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        return False
    if not index.is_monotonic_increasing or index.has_duplicates or not index.equals(index.normalize()):
        return False
    if any(not isinstance(dtype, np.dtype) or dtype.kind not in "fi" for dtype in frame.dtypes):
        return False
    if frame.columns.map(str).has_duplicates:
        return False
    values = frame.to_numpy(dtype=float)
    lowest, highest = np.fmin.reduce(values, axis=None, initial=np.inf), np.fmax.reduce(values, axis=None, initial=0.0)
    return bool((lowest >= 0 if zero else lowest > 0) and highest <= LARGEST)


def _calendar(name: str, benchmark: PriceSeries, first: pd.Timestamp) -> SessionCalendar:
    if name == BENCHMARK_CALENDAR:
        return benchmark_sessions(benchmark.frame["close"])
    return exchange_sessions(name, first.date())


def _market(
    symbols: list[str],
    columns: np.ndarray,
    calendar: SessionCalendar,
    prices: pd.DataFrame,
    benchmark: PriceSeries,
    volume: pd.DataFrame | None,
) -> Market:
    sessions, level = calendar.sessions, benchmark.frame["close"]
    end = int(sessions.searchsorted(level.index[-1], side="right")) - 1
    volumes = None
    if volume is not None:
        named = volume.set_axis(volume.columns.map(str), axis=1).reindex(columns=symbols)
        volumes = _on_sessions(named, np.arange(len(symbols)), sessions)
    closes = _on_sessions(prices, columns, sessions)
    return market_of_closes(symbols, calendar, closes, level.reindex(sessions).to_numpy(dtype=float), end, volumes)


def _on_sessions(frame: pd.DataFrame, columns: np.ndarray, sessions: pd.DatetimeIndex) -> np.ndarray:
    """Return columns of a frame by session (S, T), without a copy where the frame lies so already."""
    values = frame.to_numpy(dtype=float).T
    if not np.array_equal(columns, np.arange(len(values))):
        values = values[columns]
    if len(frame.index) == len(sessions) and (frame.index == sessions).all():
        return np.ascontiguousarray(values)
    found = np.full((len(values), len(sessions)), np.nan)
    place = sessions.get_indexer(frame.index)
    found[:, place[place >= 0]] = values[:, place >= 0]
    return found


def _placed(plan: Plan, rows: dict[str, np.ndarray], markets: tuple[Market, ...], now: dt.datetime) -> tuple[Panel, PanelEvents]:
    count = len(rows["symbol"])
    market, share, day0 = (np.full(count, NOWHERE) for _ in range(3))
    reason, detail = np.full(count, "unknown_symbol", dtype=object), {}
    for number, one in enumerate(markets):
        row = pd.Index(one.symbols).get_indexer(pd.Index(rows["symbol"]))
        here = np.flatnonzero(row >= 0)
        market[here], share[here] = number, row[here]
        sessions = one.calendar.sessions
        dates = pd.DatetimeIndex(rows["session"][here])
        day0[here] = sessions.get_indexer(dates)
        reason[here] = np.where(day0[here] >= 0, "", np.where(dates > sessions[-1], "calendar_end", "not_a_session"))
        for event in here[day0[here] < 0]:
            detail[int(event)] = no_session(pd.Timestamp(rows["session"][event]).date(), one.calendar)
    for event in np.flatnonzero(reason == "unknown_symbol"):
        detail[int(event)] = "no column or rows in prices"
    blank = np.full(count, "", dtype=object)
    found = PanelEvents(rows["event_id"], rows["symbol"], blank, rows["group"], blank, reason, detail)
    return Panel(plan, markets, now, market, share, day0), found
