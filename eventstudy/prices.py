"""The series a study needs: which dates of which symbols, from which source, through the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.calendar import (
    BENCHMARK_CALENDAR,
    SUFFIX_CALENDARS,
    SessionCalendar,
    calendar_name,
    exchange_sessions,
    suffix,
)
from eventstudy.dataconfig import Data
from eventstudy.errors import ConfigError, EventStudyError, UnknownSymbolError
from eventstudy.events import EventFirm, date_event
from eventstudy.sources import FallbackSource, open_source
from eventstudy.sources.base import Kind, PriceSeries, Source
from eventstudy.sources.reading import told_once
from eventstudy.sources.stored import Outcome, StoredSource
from eventstudy.sources.wide import WholeSource, slim, widened
from eventstudy.store import Store
from eventstudy.windows import Windows

if TYPE_CHECKING:
    from eventstudy.plan import FirmSettings

Watch = Callable[[Sequence[str]], Iterable[str]]
Span = tuple[pd.Timestamp, pd.Timestamp]

FIRST_SESSION = dt.date(1991, 1, 1)
DEFAULT_CALENDAR = "XNYS"  # of symbols without a suffix, as Yahoo spells US listings
OTHER_SESSIONS = pd.Timedelta(days=15)  # longer than any exchange is closed
EVERYTHING = pd.Timestamp("1990-01-01"), pd.Timestamp("2100-01-01")


@dataclass(frozen=True)
class Fetching:
    """How prices are fetched.

    Parameters
    ----------
    now : datetime
        The present; sessions that have not closed by then are not used.
    settle : timedelta
        How long after the close a price counts as settled.
    offline : bool
        Never ask a source on the network.
    refresh : bool
        Fetch again what is stored.
    watch : callable
        Wraps the symbols while they are fetched, for a progress bar.
    """

    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    settle: dt.timedelta = dt.timedelta(minutes=60)
    offline: bool = False
    refresh: bool = False
    watch: Watch = list


@dataclass(frozen=True)
class Fetched:
    """Series by symbol, why others are not to be had, what was done about each, and what failed."""

    series: Mapping[str, PriceSeries]
    unknown: dict[str, str]
    outcomes: tuple[Outcome, ...]
    failed: dict[str, EventStudyError] = field(default_factory=dict)

    def complete(self) -> Fetched:
        """Return this if nothing failed.

        Raises
        ------
        EventStudyError
            The worst of what failed, by exit code; its text tells of all of it and of figures revised meanwhile.
        """
        if not self.failed:
            return self
        said = {symbol: str(problem) for symbol, problem in self.failed.items()}
        told = told_once((text.replace(name, ""), name if name in text else "", text) for name, text in said.items())
        told += [f"{item.symbol} is revised, {item.detail}" for item in self.outcomes if item.deed == "revised"]
        worst = max(self.failed.values(), key=lambda problem: problem.exit_code)
        raise (worst if told == [str(worst)] else type(worst)("; ".join(told))) from worst.__cause__


def needed_dates(
    events: Sequence[EventFirm],
    firms: Mapping[str, FirmSettings],
    windows: Windows,
    market_calendar: str | None,
    further: Sequence[str] = (),
) -> dict[str, Span]:
    """Return the first and last date needed of every symbol, benchmarks included.

    From the session before the estimation window to the end of the event window, over all its events. The symbols
    `further`, which a model sets beside the benchmark, are needed for all events, and from some days before: an index of
    another exchange may have had no session on the first date.
    """
    spans: dict[str, Span] = {}
    for event in events:
        settings = firms[event.symbol]
        name = calendar_name(event.symbol, settings.calendar, market_calendar)
        first, last = _event_dates(event, name, windows)
        for symbol in (event.symbol, settings.benchmark):
            low, high = spans.get(symbol, (first, last))
            spans[symbol] = min(low, first), max(high, last)
        for symbol in further:
            low, high = spans.get(symbol, (first, last))
            spans[symbol] = min(low, first - OTHER_SESSIONS), max(high, last)
    return spans


@lru_cache(maxsize=1024)  # every specification of a study asks for the same events
def _event_dates(event: EventFirm, calendar: str, windows: Windows) -> Span:
    when = event.announcement
    day = when.session or when.bounds()[0].date()
    before = dt.timedelta(days=int(-windows.estimation[0] * 1.6) + 60)  # calendar days enough for that many sessions
    if calendar == BENCHMARK_CALENDAR:
        return pd.Timestamp(day - before), pd.Timestamp(day) + pd.Timedelta(days=int(windows.event[1] * 1.6) + 30)
    sessions = exchange_sessions(calendar, day - before)
    places = [dated.place for dated in date_event(event, sessions) if dated.place is not None]
    if not places:
        return pd.Timestamp(day - before), pd.Timestamp(day)
    first = max(min(places) + windows.estimation[0] - 1, 0)
    last = min(max(places) + windows.event[1], len(sessions.sessions) - 1)
    return sessions.sessions[first], sessions.sessions[last]


def price_source(
    data: Data,
    folder: Path,
    fetching: Fetching,
    market_calendar: str | None = None,
    calendars: Mapping[str, str] | None = None,
) -> Source:
    """Return the source a config names, or several in their order; remote ones stand behind the store.

    Parameters
    ----------
    folder : Path
        Where relative paths of the config start.
    market_calendar : str, optional
        Calendar of symbols whose suffix names no exchange.
    calendars : mapping of str to str, optional
        Calendars of single symbols, which go before their suffix.
    """
    store = Store(store_folder(data, folder))
    market = market_calendar if market_calendar != BENCHMARK_CALENDAR else None

    def calendar(symbol: str) -> SessionCalendar:
        own = (calendars or {}).get(symbol) or SUFFIX_CALENDARS.get(suffix(symbol))
        return exchange_sessions(own or market or DEFAULT_CALENDAR, FIRST_SESSION)

    def kept(source: Source) -> Source:
        if not source.remote:
            return source
        return StoredSource(source, store, calendar, fetching.now, fetching.settle, fetching.offline, fetching.refresh)

    opened = [kept(open_source(name, folder, data.settings.get(name, {}))) for name in data.sources]
    return opened[0] if len(opened) == 1 else FallbackSource(opened)


def fetch_series(
    source: Source, shares: Sequence[str], benchmarks: Sequence[str], spans: Mapping[str, Span], watch: Watch, many: bool = False
) -> Fetched:
    """Fetch every symbol; one that the source does not know, or that fails, is told of and stops no other.

    Where there are `many` events, shares of which nothing is known but closes are held together.
    """
    kinds: dict[str, Kind] = dict.fromkeys(benchmarks, "index") | dict.fromkeys(shares, "share")  # type: ignore[assignment]
    wide = source.wide(shares) if many and isinstance(source, WholeSource) else None
    taken = set(wide.shares) if wide else set()
    series: dict[str, PriceSeries] = {}
    unknown: dict[str, str] = {}
    failed: dict[str, EventStudyError] = {}
    for symbol in watch([symbol for symbol in dict.fromkeys([*shares, *benchmarks]) if symbol not in taken]):
        first, last = spans.get(symbol, EVERYTHING)
        try:
            found = source.fetch(symbol, first, last, kinds[symbol])
            series[symbol] = slim(found) if many else found
        except UnknownSymbolError as problem:
            unknown[symbol] = str(problem)
        except ConfigError:  # holds for every symbol
            raise
        except EventStudyError as problem:
            failed[symbol] = problem
    outcomes = tuple(getattr(source, "outcomes", ()))
    if wide:
        return Fetched(replace(wide, others=series), unknown, outcomes, failed)
    return Fetched(widened(series, shares) if many else series, unknown, outcomes, failed)


def store_folder(data: Data, folder: Path) -> Path:
    """Return the folder that keeps prices: the config's, else the platform's data folder for this program."""
    import platformdirs

    if data.store:
        return (folder / data.store).resolve()
    return Path(platformdirs.user_data_dir("eventstudy")) / "prices"
