"""How each announcement was mapped to its event session, in words (rules 0.1 to 0.3)."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.calendar import SessionCalendar
from eventstudy.events import Announcement
from eventstudy.report.numbers import at_tau, clock, day, days, in_words, listed, several_days
from eventstudy.report.subjects import Subject
from eventstudy.report.wording import own_words

MOST_NAMED = 12  # more firms than this are counted, not named
MOST_TOLD = 6  # more announcements than this are left to the table of events


@dataclass(frozen=True)
class Mapping:
    """One announcement in words: a heading, how it was mapped, and which firms could trade."""

    heading: str
    sentences: tuple[str, ...]
    trading: tuple[str, ...] = ()


def mappings(subjects: Iterable[Subject]) -> list[Mapping]:
    """Return each distinct announcement of the firms with its mapping told in words."""
    told: dict[tuple[object, ...], list[Subject]] = {}
    for subject in subjects:
        firm = subject.firm
        told.setdefault((firm.dated.event.announcement, firm.session, id(firm.listing.calendar)), []).append(subject)
    return [_mapping(members) for members in told.values()]


def _mapping(members: list[Subject]) -> Mapping:
    first = members[0]
    event = first.firm.dated.event
    by_label: dict[str, list[str]] = {}
    for subject in members:
        own = subject.firm.dated.event
        by_label.setdefault(own_words(own.label or own.event_id), []).append(subject.name)
    (label, firms), *others = by_label.items()
    heading = f"{label}: {_firms(firms)}"
    if first.firm.session is None:
        return Mapping(heading, (announced(event.announcement), "The exchange’s published calendar does not reach it yet."))
    same = [f"The same session holds for the firms under “{other}”: {_firms(names)}." for other, names in others]
    return Mapping(heading, (*_mapped(first), *same), tuple(_trading(members)))


def _firms(names: list[str]) -> str:
    return listed(names) if len(names) <= MOST_NAMED else f"{len(names)} firms"


def city(timezone: str) -> str:
    """Return the city of an IANA zone, such as ``New York``."""
    return timezone.rpartition("/")[2].replace("_", " ")


def announced(when: Announcement, exchange: str = "") -> str:
    """Return when something was announced, in its own zone and, for an instant, in the zone of the exchange."""
    if when.instant is not None:
        there = _local_words(when.instant, exchange) if exchange else ""
        local = when.instant.astimezone(zoneinfo.ZoneInfo(when.timezone)) if when.timezone else when.instant
        return f"Announced on {day(local.date())} at {clock(local)} {_zone_words(when, local)}{there}."
    if when.on is not None:
        return f"Announced on {day(when.on)} in {city(when.timezone)}, minute not known."
    return "No announcement time was given: the event session itself was."


def _local_words(instant: dt.datetime, timezone: str) -> str:
    local = instant.astimezone(zoneinfo.ZoneInfo(timezone))
    return f", which was {clock(local)} on {day(local.date())} in {city(timezone)}"


def _zone_words(when: Announcement, local: dt.datetime) -> str:
    offset = f"{local:%z}"
    shift = f"UTC{offset[:3].replace('-', chr(0x2212))}:{offset[3:5]}" if offset.strip("+0") else "UTC"
    return f"in {city(when.timezone)} ({shift})" if when.timezone and when.timezone != "UTC" else f"({shift})"


def _mapped(subject: Subject) -> list[str]:
    firm = subject.firm
    calendar, place, when = firm.listing.calendar, firm.day0, firm.dated.event.announcement
    session = calendar.sessions[place].date()
    if when.session is not None:
        return [announced(when), f"The event session, {at_tau(0)}, is {day(session)}, as the study says."]
    told = [announced(when, calendar.timezone)]
    earliest, latest = when.bounds()
    one = calendar.first_close_after(earliest) == calendar.first_close_after(latest)
    closing = f"the close of {day(session)} {_exchange(calendar, place)}"
    shut = _closure(calendar, place)
    if not one:
        told.append(_straddle(subject, calendar))
    elif when.on is not None:
        told.append(f"Every minute of that day comes before {closing}, the first session {shut or 'that can have reacted'}.")
    else:
        told.append(f"The first session to close after it is that of {day(session)} {_exchange(calendar, place)}.")
        if shut:
            told.append(f"It is the first {shut}.")
    if one and place > 0 and calendar.closes is not None:
        before = calendar.closes[place - 1]
        if pd.Timestamp(earliest) >= before:
            told.append(f"The session before, {day(calendar.sessions[place - 1].date())}, had closed by then.")
    told.append(f"So the event session, {at_tau(0)}, is {day(session)}{_shift(when, session)}.")
    return told


def _straddle(subject: Subject, calendar: SessionCalendar) -> str:
    """Tell that the minutes of a date map to two sessions, and which one was taken."""
    event = subject.firm.dated.event
    places = [calendar.first_close_after(bound) for bound in event.announcement.bounds()]
    sessions = calendar.sessions
    first, last = (day(sessions[place].date()) if place < len(sessions) else "a session not yet published" for place in places)
    choice = {"first": "the first is taken", "last": "the last is taken", "both": "both are computed, side by side"}
    return (
        f"The minutes of that day map to two sessions, {first} if it came before that close and {last} if after; "
        f"by the study's choice {choice.get(event.date_only, 'one is taken')}."
    )


def _exchange(calendar: SessionCalendar, place: int) -> str:
    if calendar.closes is None or not calendar.timezone:
        return f"on the exchange ({own_words(calendar.name)})"
    close = calendar.closes[place].tz_convert(calendar.timezone)
    return f"in {city(calendar.timezone)} ({clock(close)}, calendar {own_words(calendar.name)})"


def _closure(calendar: SessionCalendar, place: int) -> str:
    """Tell the closure before a session, weekend or longer; empty where the day before was a session."""
    shut = calendar.closure_before(place)
    if shut < 1:
        return ""
    session = calendar.sessions[place].date()
    first, last = session - dt.timedelta(days=shut), session - dt.timedelta(days=1)
    if shut == 1:
        return f"after the exchange was closed on {day(first)}"
    return f"after the exchange was closed from {days(first, last, week=shut <= 3)}"


def local_date(when: Announcement) -> dt.date | None:
    """Return the date of an announcement where it was made; None where only a session is given."""
    if when.instant is None:
        return when.on
    return (when.instant.astimezone(zoneinfo.ZoneInfo(when.timezone)) if when.timezone else when.instant).date()


def _shift(when: Announcement, session: dt.date) -> str:
    """Tell how far the session lies from the date of the announcement where it was made."""
    date = local_date(when)
    if date is None:
        return ""
    shift = (session - date).days
    if shift == 0:
        return ", the calendar day of the announcement"
    days_ = f"{in_words(abs(shift))} calendar day{'s' if abs(shift) > 1 else ''}"
    return f", {days_} {'after' if shift > 0 else 'before'} the date of the announcement"


def _trading(members: list[Subject]) -> list[str]:
    """Tell which firms traded in the event session, and when the others resumed; firms alike share a sentence."""
    by_story: dict[tuple[str, ...], list[str]] = {}
    for subject in members:
        by_story.setdefault(_story(subject), []).append(subject.name)
    told = []
    for (one, several, rest), names in by_story.items():
        told.append(f"{_firms(names)} {one if len(names) == 1 else several}{rest}.")
    return told


def _story(subject: Subject) -> tuple[str, str, str]:
    """Return what became of a share, as a verb for one firm, one for several, and the rest of the sentence."""
    tau = subject.first_traded_tau()
    if tau == 0:
        return "traded", "traded", " in that session"
    if tau is None:
        return "has", "have", " no trade from the event session to the end of the prices"
    shut = subject.suspended_taus(0, tau - 1)
    first = f"the first trade after the announcement was on {day(subject.date(tau))}, {at_tau(tau)}"
    if len(shut) < tau:
        return "has", "have", f" no price in the source for {_sessions(tau - len(shut))} from the event session on; {first}"
    dates = several_days([subject.date(place) for place in shut])
    spell = f" suspended for {_sessions(len(shut))} from the event session on ({dates})"
    span = f"the return to it covers {_sessions(_span(subject, tau))} and is set against as many of the benchmark"
    return "was", "were", f"{spell}; {first}, and {span}" if subject.firm.abnormal is not None else f"{spell}; {first}"


def _span(subject: Subject, tau: int) -> int:
    traded = np.flatnonzero(np.isfinite(subject.firm.listing.level[: subject.firm.day0 + tau]))
    return int(subject.firm.day0 + tau - traded[-1]) if len(traded) else tau + 1


def _sessions(count: int) -> str:
    return f"{in_words(count)} session{'s' if count != 1 else ''}"
