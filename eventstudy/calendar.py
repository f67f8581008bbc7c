"""Exchange sessions: which calendar a listing follows, and which session can first react to an instant."""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import ConfigError

BENCHMARK_CALENDAR = "benchmark"
USUAL_YEAR = 1990  # from which a calendar is made at least: no longer takes no more time
LONG_CLOSURE = 3  # days: longer than a weekend (rule D9)

# Yahoo's suffix of a listing -> the exchange_calendars name; Shenzhen shares Shanghai's sessions.
SUFFIX_CALENDARS = {
    "SS": "XSHG", "SZ": "XSHG", "SH": "XSHG", "HK": "XHKG", "T": "XTKS", "L": "XLON", "DE": "XFRA", "F": "XFRA",
    "PA": "XPAR", "AS": "XAMS", "BR": "XBRU", "LS": "XLIS", "IR": "XDUB", "MI": "XMIL", "MC": "XMAD", "SW": "XSWX",
    "VI": "XWBO", "ST": "XSTO", "CO": "XCSE", "HE": "XHEL", "OL": "XOSL", "WA": "XWAR", "PR": "XPRA", "BD": "XBUD",
    "AT": "ASEX", "IS": "XIST", "KS": "XKRX", "KQ": "XKRX", "TW": "XTAI", "TWO": "XTAI", "SI": "XSES", "KL": "XKLS",
    "BK": "XBKK", "JK": "XIDX", "BO": "XBOM", "AX": "XASX", "NZ": "XNZE", "TO": "XTSE", "SA": "BVMF", "MX": "XMEX",
    "SN": "XSGO", "BA": "XBUE", "JO": "XJSE", "TA": "XTAE", "SR": "XSAU",
}  # fmt: skip

# Currency that an exchange's prices are in. London, Johannesburg and Tel Aviv are left out: they quote in hundredths, too.
CALENDAR_CURRENCIES = {
    "XSHG": "CNY", "XHKG": "HKD", "XTKS": "JPY", "XFRA": "EUR", "XPAR": "EUR", "XAMS": "EUR", "XBRU": "EUR", "XLIS": "EUR",
    "XDUB": "EUR", "XMIL": "EUR", "XMAD": "EUR", "XSWX": "CHF", "XWBO": "EUR", "XSTO": "SEK", "XCSE": "DKK", "XHEL": "EUR",
    "XOSL": "NOK", "XWAR": "PLN", "XPRA": "CZK", "XBUD": "HUF", "ASEX": "EUR", "XIST": "TRY", "XKRX": "KRW", "XTAI": "TWD",
    "XSES": "SGD", "XKLS": "MYR", "XBKK": "THB", "XIDX": "IDR", "XBOM": "INR", "XASX": "AUD", "XNZE": "NZD", "XTSE": "CAD",
    "BVMF": "BRL", "XMEX": "MXN", "XSGO": "CLP", "XBUE": "ARS", "XSAU": "SAR", "XNYS": "USD", "XNAS": "USD",
}  # fmt: skip


# Codes people know from elsewhere, and the calendar they mean.
OTHER_CODES = {"XSHE": "XSHG", "SZSE": "XSHG", "SSE": "XSHG", "HKEX": "XHKG", "TSE": "XTKS", "LSE": "XLON"}


def suffix(symbol: str) -> str:
    """Return the exchange suffix of a ticker, such as ``SZ`` for ``002415.SZ``; empty where there is none."""
    return symbol.rpartition(".")[2].upper() if "." in symbol else ""


def calendar_name(symbol: str, own: str | None, market: str | None) -> str:
    """Name the calendar of a listing: its own key, else its suffix, else the market's.

    A market calendar of ``benchmark`` goes before the suffix: nothing but the benchmark's dates is known then.
    """
    if own:
        return own
    if market == BENCHMARK_CALENDAR:
        return market
    name = SUFFIX_CALENDARS.get(suffix(symbol)) or market
    if not name:
        raise ConfigError(
            f"no calendar for {symbol}: its suffix names no known exchange, so give calendar under [market] or its [[firm]]"
        )
    return name


def listing_currency(symbol: str, calendar: str) -> str:
    """Return the currency of a listing's prices by its suffix, else by its calendar; empty where neither tells.

    A symbol without a suffix on the benchmark's dates is taken for a US one, as Yahoo spells them.
    """
    name = SUFFIX_CALENDARS.get(suffix(symbol)) or OTHER_CODES.get(calendar, calendar)
    bare = name == BENCHMARK_CALENDAR and not suffix(symbol)
    return "USD" if bare else CALENDAR_CURRENCIES.get(name, "")


@dataclass(frozen=True)
class SessionCalendar:
    """The sessions of one exchange, in order.

    Parameters
    ----------
    name : str
        The exchange_calendars name, or ``benchmark``.
    sessions : DatetimeIndex
        Naive dates, increasing.
    closes : DatetimeIndex, optional
        Closing instants in UTC, one a session; absent where the sessions are a benchmark's dates.
    timezone : str
        IANA name of the exchange's zone, empty where unknown.
    opens : DatetimeIndex, optional
        Opening instants in UTC, one a session.
    """

    name: str
    sessions: pd.DatetimeIndex
    closes: pd.DatetimeIndex | None = None
    timezone: str = ""
    opens: pd.DatetimeIndex | None = None

    def position(self, date: dt.date) -> int | None:
        """Position of the session on `date`, None where that day is no session."""
        stamp = pd.Timestamp(date)
        place = int(self.sessions.searchsorted(stamp))
        return place if place < len(self.sessions) and self.sessions[place] == stamp else None

    def first_close_after(self, instant: dt.datetime) -> int:
        """Position of the first session whose close lies strictly after `instant` (rule 0.1).

        Past the last close it is ``len(sessions)``.
        """
        if self.closes is None:
            raise ConfigError(
                "sessions taken from the benchmark's dates have no closing times: date the event by session, "
                "or name an exchange calendar under [market]"
            )
        return int(self.closes.searchsorted(pd.Timestamp(instant).tz_convert("UTC"), side="right"))

    def closure_before(self, place: int) -> int:
        """Number of calendar days between a session and the one before, less one."""
        return int((self.sessions[place] - self.sessions[place - 1]).days) - 1 if place > 0 else 0


def check_calendar(name: str) -> str:
    """Return `name` if exchange_calendars knows it.

    Raises
    ------
    ConfigError
        If it does not; the message names the nearest one.
    """
    import exchange_calendars

    if not isinstance(name, str):
        raise ConfigError(f"calendar is a {type(name).__name__}: give a name of exchange_calendars, such as XSHG, XHKG or XNYS")
    known = exchange_calendars.get_calendar_names(include_aliases=True)
    if name in known:
        return name
    import difflib

    near = [OTHER_CODES[name.upper()]] if name.upper() in OTHER_CODES else difflib.get_close_matches(name.upper(), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "give a name of exchange_calendars, such as XSHG, XHKG or XNYS"
    raise ConfigError(f"calendar {name!r} is unknown: {hint}")


def published(name: str, **bounds: pd.Timestamp) -> Any:
    """Return the calendar of exchange_calendars, without what it says to its own authors about the next pandas."""
    import exchange_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return exchange_calendars.get_calendar(name, **bounds)


@lru_cache(maxsize=32)
def exchange_sessions(name: str, start: dt.date) -> SessionCalendar:
    """Return the sessions of the exchange `name` from `start` to the end of its published calendar.

    Raises
    ------
    ConfigError
        If exchange_calendars knows no such name; the message names the nearest one.
    """
    whole = _from(name, min(start.year, USUAL_YEAR))
    # asked for years past the end of what is published, its last year tells that
    begin = min(pd.Timestamp(start), whole.sessions[-1] - pd.Timedelta(days=365))
    shown = slice(int(whole.sessions.searchsorted(begin)), None)
    assert whole.closes is not None
    assert whole.opens is not None
    return replace(whole, sessions=whole.sessions[shown], closes=whole.closes[shown], opens=whole.opens[shown])


@lru_cache(maxsize=8)
def _from(name: str, year: int) -> SessionCalendar:
    """Return the published calendar from a year on: made once, since every event asks for other dates of it."""
    probe = published(check_calendar(name))
    first, last, begin = probe.bound_min(), probe.bound_max(), pd.Timestamp(year, 1, 1)
    made = published(name, start=begin if first is None else max(begin, first), **({} if last is None else {"end": last}))
    closes, opens = (pd.DatetimeIndex(times.to_numpy(), tz="UTC") for times in (made.closes, made.opens))
    return SessionCalendar(name, made.sessions, closes, str(made.tz), opens)


def benchmark_sessions(benchmark: pd.Series) -> SessionCalendar:
    """Take the dates of a benchmark series, valued or blank, as the sessions."""
    return SessionCalendar(BENCHMARK_CALENDAR, pd.DatetimeIndex(benchmark.index))


def positions_between(calendar: SessionCalendar, first: dt.date, last: dt.date) -> np.ndarray:
    """Positions of the sessions from `first` to `last`, both inclusive."""
    lo = calendar.sessions.searchsorted(pd.Timestamp(first))
    hi = calendar.sessions.searchsorted(pd.Timestamp(last), side="right")
    return np.arange(lo, hi)


def follows_closure(calendar: SessionCalendar) -> np.ndarray:
    """Tell for every session whether it is the first after a closure of three days or more: longer than a weekend."""
    apart = np.diff(calendar.sessions.to_numpy()) / np.timedelta64(1, "D") - 1
    return np.concatenate([[False], apart >= LONG_CLOSURE])
