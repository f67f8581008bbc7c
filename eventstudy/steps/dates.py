"""Sessions of an exchange, and the session in which a share can first react to an announcement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy.calendar import SessionCalendar, check_calendar, exchange_sessions, published
from eventstudy.errors import ConfigError, DataError
from eventstudy.events import Announcement, check_timezone, parse_instant
from eventstudy.sources.frames import date_in
from eventstudy.trading import Spell

Day = str | int | dt.date | pd.Timestamp | np.datetime64
CLOCK = ":"


def sessions(name: str, start: Day, end: Day) -> pd.DatetimeIndex:
    """Return the sessions of an exchange, in order.

    Parameters
    ----------
    name : str
        The exchange_calendars name, such as ``XSHG`` (Shanghai and Shenzhen), ``XHKG`` or ``XNYS``.
    start, end : date, or text such as ``2019-10-08``
        Both inclusive.

    Returns
    -------
    DatetimeIndex, named ``session``
        Naive dates, increasing; empty where the exchange was closed throughout.

    Raises
    ------
    ConfigError
        If no exchange is called so, a date cannot be read, or `end` lies before `start`.
    DataError
        If the published calendar does not reach from `start` to `end`: it is never cut short in silence.

    Notes
    -----
    Sessions, not calendar days, are the unit of every window and span (rule 0.3).

    Examples
    --------
    >>> import eventstudy as es
    >>> list(es.sessions("XSHG", "2019-09-30", "2019-10-09").strftime("%d %b"))  # the National Day holiday lies in between
    ['30 Sep', '08 Oct', '09 Oct']
    """
    first, last = as_day(start, "start"), as_day(end, "end")
    if last < first:
        raise ConfigError(f"end = {last:%Y-%m-%d} lies before start = {first:%Y-%m-%d}: exchange the two")
    probe = published(check_calendar(name))
    if (begin := probe.bound_min()) is not None and first < begin:
        raise DataError(f"the calendar of {name} begins on {begin:%Y-%m-%d}: give a start from then on")
    found = exchange_sessions(name, first.date()).sessions
    if last > found[-1] and (probe.bound_max() is None or last > probe.bound_max()):
        raise DataError(f"the published calendar of {name} ends on {found[-1]:%Y-%m-%d}: give an end up to then")
    chosen = found[(found >= first) & (found <= last)]
    return pd.DatetimeIndex(chosen, name="session").as_unit("s")


def event_session(
    announced: Day, *, calendar: str, timezone: str | None = None, date_only: Literal["refuse", "first", "last"] = "refuse"
) -> pd.Timestamp:
    """Return the event session of an announcement: the first session whose close comes after it (rule 0.1).

    Parameters
    ----------
    announced : date, datetime, Timestamp or text
        An instant (ISO 8601 text such as ``2019-10-07T16:30:00-04:00``, or a datetime), or a date of unknown minute. A naive
        datetime at midnight counts as a date, text with a time of day never does.
    calendar : str
        The exchange_calendars name of the share's own exchange.
    timezone : str, optional
        IANA zone that a date, or an instant without an offset, is read in. A date alone needs one: the same date is another
        day elsewhere.
    date_only : {"refuse", "first", "last"}
        What to do where the minutes of a date map to two sessions.

    Returns
    -------
    Timestamp
        The session's date, naive. It is the same for a share that is suspended then (rule 0.2).

    Raises
    ------
    ConfigError
        If the announcement, the zone or the exchange cannot be read, a date has no zone, or it maps to two sessions and
        `date_only` is ``refuse``.
    DataError
        If the announcement lies outside the published calendar.

    Examples
    --------
    >>> import eventstudy as es
    >>> es.event_session("2019-10-07", timezone="America/New_York", calendar="XSHG")  # China was closed from 1 to 7 October
    Timestamp('2019-10-08 00:00:00')
    >>> es.event_session("2019-10-08T15:30:00+08:00", calendar="XSHG").day  # half an hour after the close
    9
    """
    when = _announcement(announced, timezone)
    if date_only not in ("refuse", "first", "last"):
        raise ConfigError(f"date_only = {date_only!r} is none of refuse, first, last")
    earliest, latest = when.bounds()
    found = exchange_sessions(check_calendar(calendar), dt.date(earliest.year - 1, 1, 1))
    assert found.closes is not None
    if pd.Timestamp(latest) < found.closes[0]:
        raise DataError(f"{when} lies before the calendar of {calendar}, which begins on {found.sessions[0]:%Y-%m-%d}")
    first, last = found.first_close_after(earliest), found.first_close_after(latest)
    if last >= len(found.sessions):
        raise DataError(f"{when} lies past the calendar of {calendar}, published up to {found.sessions[-1]:%Y-%m-%d}")
    if first != last and date_only == "refuse":
        days = [f"{found.sessions[place]:%Y-%m-%d}" for place in (first, last)]
        raise ConfigError(
            f"{when} maps to two sessions of {calendar}: {days[0]} if it came before that close, {days[1]} if after; give the "
            "instant, or date_only = 'first' or 'last'"
        )
    return pd.Timestamp(found.sessions[last if date_only == "last" else first]).as_unit("s")


def _announcement(announced: Day, timezone: str | None) -> Announcement:
    """Read an instant, or a date of unknown minute."""
    if isinstance(announced, np.datetime64):
        announced = pd.Timestamp(announced)
    if pd.isna(announced):
        raise ConfigError("announced is empty: give an instant, or a date and its timezone")
    moment = isinstance(announced, dt.datetime) and (
        announced.tzinfo is not None or announced.time() != dt.time(0) or getattr(announced, "nanosecond", 0) != 0
    )
    if moment or (isinstance(announced, str) and CLOCK in announced):
        naive = announced.to_pydatetime(warn=False) if isinstance(announced, pd.Timestamp) else announced
        return Announcement(instant=parse_instant(naive, timezone), timezone=timezone or "")  # type: ignore[arg-type]
    day = as_day(announced, "announced")
    if timezone is None:
        raise ConfigError(
            f"{day:%Y-%m-%d} is a date alone, which is another day elsewhere: give its timezone, such as America/New_York"
        )
    return Announcement(on=day.date(), timezone=check_timezone(timezone))


def as_day(value: object, what: str) -> pd.Timestamp:
    """Return a date of any kind as a naive Timestamp.

    Raises
    ------
    ConfigError
        If it is none, or an instant of another zone than midnight.
    """
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, dt.datetime):  # a Timestamp is one
        found = None if pd.isna(value) or value.time() != dt.time(0) else value.date()
    else:
        found = value if isinstance(value, dt.date) else date_in(str(value).strip())
    if found is None:
        raise ConfigError(f"{what} = {value!r} is not a date: write it as 2019-10-08")
    return pd.Timestamp(found).as_unit("s")


def date_pairs(spells: Iterable[Iterable[Day]], what: str) -> list[Spell]:
    """Return spells of dates, both ends inclusive.

    Raises
    ------
    ConfigError
        If they are no pairs of dates, or one runs backwards.
    """
    found = []
    for spell in spells if isinstance(spells, Iterable) else [""]:
        ends = [as_day(end, what) for end in spell] if isinstance(spell, Iterable) and not isinstance(spell, str) else []
        if len(ends) != 2:
            raise ConfigError(f"{what} is no sequence of pairs of dates, such as [('2019-10-08', '2019-10-09')]")
        if ends[0] > ends[1]:
            raise ConfigError(f"{what}: {ends[0]:%Y-%m-%d} to {ends[1]:%Y-%m-%d} runs backwards: write the earlier date first")
        found.append((ends[0].date(), ends[1].date()))
    return found


def grid(found: pd.DatetimeIndex) -> SessionCalendar:
    """Return sessions as a calendar without closing times."""
    return SessionCalendar("sessions", found)
