"""Who, when, what: announcements, and the event session each of them maps to."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import arrow

from eventstudy.calendar import SessionCalendar
from eventstudy.errors import ConfigError

DateOnly = Literal["refuse", "first", "last", "both"]
Role = Literal["treated", "variant", "placebo"]

LAST_MOMENT = dt.time(23, 59, 59, 999999)


@dataclass(frozen=True)
class Announcement:
    """When something was announced: an instant, a date of unknown minute, or the session itself.

    Exactly one of `instant` (aware), `on` (a date in `timezone`) and `session` is given.
    """

    instant: dt.datetime | None = None
    on: dt.date | None = None
    session: dt.date | None = None
    timezone: str = ""

    def bounds(self) -> tuple[dt.datetime, dt.datetime]:
        """Return the earliest and the latest instant the announcement can have been made."""
        if self.instant is not None:
            return self.instant, self.instant
        if self.on is None:
            raise ConfigError("an announcement dated by its session has no instant")
        return (
            arrow.Arrow.fromdatetime(dt.datetime.combine(self.on, dt.time(0)), tzinfo=self.timezone).datetime,
            arrow.Arrow.fromdatetime(dt.datetime.combine(self.on, LAST_MOMENT), tzinfo=self.timezone).datetime,
        )

    def __str__(self) -> str:
        if self.instant is not None:
            return self.instant.isoformat()
        if self.on is not None:
            return f"{self.on.isoformat()} {self.timezone}"
        return ""


def check_timezone(name: str) -> str:
    """Return `name` if it is an IANA zone of the Area/City kind, or UTC.

    Abbreviations such as ``EST`` are refused: they mean one fixed offset the year round.
    """
    if name == "UTC" or ("/" in name and name in _zones()):
        return name
    raise ConfigError(f"timezone {name!r} is not an IANA zone: write one such as America/New_York, Asia/Shanghai or UTC")


@cache  # the names are read from disk
def _zones() -> set[str]:
    return zoneinfo.available_timezones()


def parse_instant(value: str | dt.datetime, timezone: str | None) -> dt.datetime:
    """Return the aware instant that `value` names.

    Parameters
    ----------
    value : str or datetime
        ISO 8601 date and time, with an offset or without.
    timezone : str or None
        IANA zone a value without an offset is read in; with an offset, the two must agree.

    Raises
    ------
    ConfigError
        If `value` is no ISO 8601 date-time, has neither offset nor zone, contradicts the zone, or names a
        local time that a clock change skips or repeats.
    """
    text = value.isoformat() if isinstance(value, dt.datetime) else str(value).strip()
    try:
        naive_or_aware = dt.datetime.fromisoformat(text)
        parsed = arrow.get(text)
    except (ValueError, arrow.ParserError) as problem:
        raise ConfigError(
            f"announced_at = {text!r} is not an ISO 8601 date and time: write it as 2019-10-07T16:30:00-04:00"
        ) from problem
    if len(text) <= len("2019-10-07"):
        raise ConfigError(f"announced_at = {text!r} has no time of day: use announced_on for a date alone")
    if naive_or_aware.tzinfo is not None:
        offset = parsed.utcoffset()
        if timezone and parsed.to(check_timezone(timezone)).utcoffset() != offset:
            raise ConfigError(
                f"announced_at = {text!r} carries another offset than {timezone} has at that moment: drop one of the two"
            )
        return parsed.datetime
    if not timezone:
        raise ConfigError(
            f"announced_at = {text!r} has neither an offset nor a timezone: add timezone, or an offset such as -04:00"
        )
    local = arrow.Arrow.fromdatetime(naive_or_aware, tzinfo=check_timezone(timezone))
    if local.imaginary:  # before ambiguous, which a skipped time counts as, too
        raise ConfigError(
            f"announced_at = {text!r} does not exist in {timezone}, where the clock goes forward: correct the time"
        )
    if local.ambiguous:
        raise ConfigError(
            f"announced_at = {text!r} occurs twice in {timezone}, where the clock goes back: write the offset you mean"
        )
    return local.datetime


@dataclass(frozen=True)
class EventFirm:
    """One firm of one event, as the user wrote it; (`event_id`, `symbol`) is the key.

    `where` says, for messages, where it was written.

    `role` is ``treated`` (counts in the group ``all``), ``variant`` (joins the treated firms in its own
    group only) or ``placebo`` (a firm the event did not name).
    """

    event_id: str
    symbol: str
    announcement: Announcement
    label: str = ""
    group: str = ""
    role: Role = "treated"
    date_only: DateOnly = "refuse"
    where: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class DatedEvent:
    """An event firm with its event session.

    `place` is the position of the session in the calendar; None where there is none, and `reason` says why.
    """

    event: EventFirm
    event_id: str
    place: int | None
    reason: str = ""


def date_event(event: EventFirm, calendar: SessionCalendar) -> list[DatedEvent]:
    """Map an announcement to the first session whose close comes after it.

    One event comes back, or two where a date of unknown minute maps to two sessions and `date_only` is
    ``both``; these get the ids ``<id>-first`` and ``<id>-last``.

    Raises
    ------
    ConfigError
        If the minutes of a date map to two sessions and `date_only` is ``refuse``.
    """
    try:
        return _dated(event, calendar)
    except ConfigError as problem:
        raise ConfigError(f"{event.where}{problem}") from problem


def _dated(event: EventFirm, calendar: SessionCalendar) -> list[DatedEvent]:
    when = event.announcement
    if when.session is not None:
        place = calendar.position(when.session)
        absent = "calendar_end" if when.session > calendar.sessions[-1].date() else "not_a_session"
        return [DatedEvent(event, event.event_id, place, absent if place is None else "")]
    earliest, latest = when.bounds()
    first, last = calendar.first_close_after(earliest), calendar.first_close_after(latest)
    if calendar.closes is not None and latest < calendar.closes[0]:
        return [DatedEvent(event, event.event_id, None, "before_calendar")]
    if first != last and event.date_only == "refuse":
        raise ConfigError(_straddle_message(event, calendar, first, last))
    choices = {"first": [(first, "")], "last": [(last, "")], "both": [(first, "-first"), (last, "-last")]}
    pairs = [(first, "")] if first == last else choices[event.date_only]
    return [
        DatedEvent(event, event.event_id + tag, place, "")
        if place < len(calendar.sessions)
        else DatedEvent(event, event.event_id + tag, None, "calendar_end")
        for place, tag in pairs
    ]


def _straddle_message(event: EventFirm, calendar: SessionCalendar, first: int, last: int) -> str:
    days = [calendar.sessions[place].date().isoformat() if place < len(calendar.sessions) else "none" for place in (first, last)]
    return (
        f"announced_on = {event.announcement.on} in {event.announcement.timezone} maps to two sessions "
        f"of {event.symbol}: {days[0]} if it came before that close, {days[1]} if after; give announced_at, "
        f'or paste date_only = "first", date_only = "last" or date_only = "both" under {event.event_id!r}'
    )
