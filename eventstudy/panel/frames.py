"""The quick way into a panel: wide closes and events dated by session, taken as they lie in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.calendar import BENCHMARK_CALENDAR, SessionCalendar, benchmark_sessions, calendar_name, exchange_sessions
from eventstudy.eventtable import EventTable
from eventstudy.panel.market import Market, market_of_closes
from eventstudy.panel.study import NOWHERE, Panel, PanelEvents
from eventstudy.plan import FirmSettings, StudyInputs
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.wide import WideSeries
from eventstudy.study import ALL, FIRST, LAST, UNCONFOUNDED, no_session


def plain_panel(inputs: StudyInputs) -> tuple[Panel, PanelEvents] | None:
    """Return the panel of inputs that need no second look; None where they do, for whatever reason.

    A wide table of closes, and events in columns of firms of which nothing is said that decides on their rows, are taken as
    they are. Anything else, right or wrong, is left to the road that takes one share and one event at a time and says what is
    wrong.
    """
    events, series, plan = inputs.events, inputs.series, inputs.plan
    if not isinstance(events, EventTable) or not isinstance(series, WideSeries):
        return None
    codes, symbols = pd.factorize(events.symbol)
    settings = [inputs.firms[symbol] for symbol in symbols]
    benchmark = series.others.get(settings[0].benchmark)
    if benchmark is None or not all(_is_plain(one, settings[0].benchmark) for one in settings):
        return None
    group = np.where(events.group != "", events.group, _texts([one.group for one in settings])[codes])
    keys = pd.DataFrame({"event_id": events.event_id, "symbol": events.symbol})
    if keys.duplicated().any() or np.isin(group, [ALL, UNCONFOUNDED, FIRST, LAST]).any():
        return None
    columns = series.closes.columns
    by_calendar: dict[str, list[str]] = {}
    for symbol in columns[columns.isin(series.shares)]:  # in the order they lie in: where all are asked for, nothing is copied
        by_calendar.setdefault(calendar_name(symbol, None, plan.calendar), []).append(symbol)
    first = min(series.closes.index[0], benchmark.frame.index[0])
    markets = tuple(_market(found, _calendar(name, benchmark, first), series, benchmark) for name, found in by_calendar.items())
    name, blank = _texts([one.name for one in settings])[codes], np.full(len(events), "", dtype=object)
    market, share, day0, reason, detail = _placed(events, markets, inputs)
    found = PanelEvents(events.event_id, events.symbol, name, group, blank, reason, detail)
    return Panel(plan, markets, inputs.now, market, share, day0), found


def _is_plain(settings: FirmSettings, benchmark: str) -> bool:
    own = settings.calendar or settings.price_limit or settings.suspended
    return not own and settings.benchmark == benchmark


def _texts(values: list[str]) -> np.ndarray:
    return np.array([*values, ""], dtype=object)[:-1]  # of no texts, too


def _calendar(name: str, benchmark: PriceSeries, first: pd.Timestamp) -> SessionCalendar:
    if name == BENCHMARK_CALENDAR:
        return benchmark_sessions(benchmark.frame["close"])
    return exchange_sessions(name, first.date())


def _market(symbols: list[str], calendar: SessionCalendar, series: WideSeries, benchmark: PriceSeries) -> Market:
    sessions, level = calendar.sessions, benchmark.frame["close"]
    end = int(sessions.searchsorted(level.index[-1], side="right")) - 1
    volumes = None
    if series.volume is not None:
        volumes = _on_sessions(series.volume.reindex(columns=symbols), np.arange(len(symbols)), sessions)
    closes = _on_sessions(series.closes, series.closes.columns.get_indexer(pd.Index(symbols)), sessions)
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


def _placed(
    events: EventTable, markets: tuple[Market, ...], inputs: StudyInputs
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[int, str]]:
    """Return market, row there and position of every event, and why one has none, as a code and as a sentence."""
    count = len(events)
    market, share, day0 = (np.full(count, NOWHERE) for _ in range(3))
    reason, detail = np.full(count, "unknown_symbol", dtype=object), {}
    for number, one in enumerate(markets):
        row = pd.Index(one.symbols).get_indexer(pd.Index(events.symbol))
        here = np.flatnonzero(row >= 0)
        market[here], share[here] = number, row[here]
        sessions = one.calendar.sessions
        dates = pd.DatetimeIndex(events.session[here])
        day0[here] = sessions.get_indexer(dates)
        reason[here] = np.where(day0[here] >= 0, "", np.where(dates > sessions[-1], "calendar_end", "not_a_session"))
        for event in here[day0[here] < 0]:
            detail[int(event)] = no_session(pd.Timestamp(events.session[event]).date(), one.calendar)
    for event in np.flatnonzero(reason == "unknown_symbol"):
        detail[int(event)] = inputs.unknown.get(events.symbol[event], "no prices")
    return market, share, day0, reason, detail
