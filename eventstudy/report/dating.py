"""How each announcement was mapped to its event session, in words (rules 0.1 to 0.3)."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.calendar import SessionCalendar
from eventstudy.events import Announcement, EventFirm
from eventstudy.report.language import N_, _, ngettext
from eventstudy.report.numbers import at_tau, clock, day, days, in_words, listed, running, several_days
from eventstudy.report.subjects import Subject
from eventstudy.report.wording import own_words

MOST_NAMED = 12  # more firms than this are counted, not named
MOST_TOLD = 6  # more announcements than this are left to the table of events
CITIES = (  # those that other languages write otherwise
    N_("New York"), N_("Chicago"), N_("Los Angeles"), N_("London"), N_("Paris"), N_("Berlin"), N_("Brussels"), N_("Zurich"),
    N_("Shanghai"), N_("Hong Kong"), N_("Taipei"), N_("Tokyo"), N_("Seoul"), N_("Singapore"), N_("Sydney"),
)  # fmt: skip


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
    heading = _("{label}: {firms}", label=label, firms=_firms(firms))
    if first.firm.session is None:
        return Mapping(heading, (announced(event.announcement), _("The exchange’s published calendar does not reach it yet.")))
    same = [
        _("The same session holds for the firms under “{other}”: {firms}.", other=other, firms=_firms(names))
        for other, names in others
    ]
    return Mapping(heading, (*_mapped(first), *same), tuple(_trading(members)))


def _firms(names: list[str]) -> str:
    return listed(names) if len(names) <= MOST_NAMED else _("{count} firms", count=len(names))


def city(timezone: str) -> str:
    """Return the city of an IANA zone, such as ``New York``."""
    name = timezone.rpartition("/")[2].replace("_", " ")
    return _(name) if name in CITIES else name


def announced(when: Announcement, exchange: str = "") -> str:
    """Return when something was announced, in its own zone and, for an instant, in the zone of the exchange."""
    if when.instant is not None:
        local = when.instant.astimezone(zoneinfo.ZoneInfo(when.timezone)) if when.timezone else when.instant
        about = {"day": day(local.date()), "time": clock(local), "zone": _zone_words(when, local)}
        if not exchange:
            return _("Dated {day} at {time} {zone}.", **about)
        there = when.instant.astimezone(zoneinfo.ZoneInfo(exchange))
        return _(
            "Dated {day} at {time} {zone}, which was {local_time} on {local_day} in {city}.",
            **about, local_time=clock(there), local_day=day(there.date()), city=city(exchange),
        )  # fmt: skip
    if when.on is not None:
        return _("Dated {day} in {city}, minute not known.", day=day(when.on), city=city(when.timezone))
    return _("No announcement time was given: the event session itself was.")


def _zone_words(when: Announcement, local: dt.datetime) -> str:
    offset = f"{local:%z}"
    shift = f"UTC{offset[:3].replace('-', chr(0x2212))}:{offset[3:5]}" if offset.strip("+0") else "UTC"
    if when.timezone and when.timezone != "UTC":
        return _("in {city} ({shift})", city=city(when.timezone), shift=shift)
    return _("({shift})", shift=shift)


def _mapped(subject: Subject) -> list[str]:
    firm = subject.firm
    calendar, place, when = firm.listing.calendar, firm.day0, firm.dated.event.announcement
    session = calendar.sessions[place].date()
    if when.session is not None:
        given = _("The event session, {tau}, is {day}, as the study says.", tau=at_tau(0), day=day(session))
        return [announced(when), given]
    told = [announced(when, calendar.timezone)]
    earliest = when.bounds()[0]
    choice = straddle(firm.dated.event, calendar)
    about = {"day": day(session), "exchange": _exchange(calendar, place)}
    shut = _closure(calendar, place)
    if choice:
        told.append(choice)
    elif when.on is not None:
        if shut:
            words = _(
                "Every minute of that day comes before the close of {day} {exchange}, the first session {closure}.",
                **about, closure=shut,
            )  # fmt: skip
        else:
            words = _(
                "Every minute of that day comes before the close of {day} {exchange}, the first session that can have reacted.",
                **about,
            )
        told.append(words)
    else:
        told.append(_("The first session to close after it is that of {day} {exchange}.", **about))
        if shut:
            told.append(_("It is the first {closure}.", closure=shut))
    if not choice and place > 0 and calendar.closes is not None:
        before = calendar.closes[place - 1]
        if pd.Timestamp(earliest) >= before:
            told.append(_("The session before, {day}, had closed by then.", day=day(calendar.sessions[place - 1].date())))
    about = {"tau": at_tau(0), "day": day(session)}
    shift = _shift(when, session)
    told.append(
        _("So the event session, {tau}, is {day}, {shift}.", **about, shift=shift) if shift
        else _("So the event session, {tau}, is {day}.", **about)
    )  # fmt: skip
    return told


def straddle(event: EventFirm, calendar: SessionCalendar) -> str:
    """Tell that the minutes of a date map to two sessions, and which one was taken; empty where they map to one."""
    if event.announcement.session is not None:
        return ""
    places = [calendar.first_close_after(bound) for bound in event.announcement.bounds()]
    if places[0] == places[1]:
        return ""
    sessions = calendar.sessions
    first, last = (day(sessions[place].date()) if place < len(sessions) else _("a session not yet published") for place in places)
    choice = {
        "first": _("the first is taken"), "last": _("the last is taken"), "both": _("both are computed, side by side"),
    }  # fmt: skip
    return _(
        "The minutes of that day map to two sessions, {first} if it came before that close and {last} if after; by the study’s "
        "choice {choice}.",
        first=first, last=last, choice=choice.get(event.date_only, _("one is taken")),
    )  # fmt: skip


def _exchange(calendar: SessionCalendar, place: int) -> str:
    if calendar.closes is None or not calendar.timezone:
        return _("on the exchange ({calendar})", calendar=own_words(calendar.name))
    close = calendar.closes[place].tz_convert(calendar.timezone)
    return _(
        "in {city} ({time}, calendar {calendar})",
        city=city(calendar.timezone), time=clock(close), calendar=own_words(calendar.name),
    )  # fmt: skip


def _closure(calendar: SessionCalendar, place: int) -> str:
    """Tell the closure before a session, weekend or longer; empty where the day before was a session."""
    shut = calendar.closure_before(place)
    if shut < 1:
        return ""
    session = calendar.sessions[place].date()
    first, last = session - dt.timedelta(days=shut), session - dt.timedelta(days=1)
    if shut == 1:
        return _("after the exchange was closed on {day}", day=day(first))
    return _("after the exchange was closed from {days}", days=days(first, last, week=shut <= 3))


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
        return _("the calendar day of the news")
    count = in_words(abs(shift))
    if shift > 0:
        return ngettext(
            "{count} calendar day after the date of the news",
            "{count} calendar days after the date of the news", shift, count=count,
        )  # fmt: skip
    return ngettext(
        "{count} calendar day before the date of the news",
        "{count} calendar days before the date of the news", -shift, count=count,
    )  # fmt: skip


def _trading(members: list[Subject]) -> list[str]:
    """Tell which firms traded in the event session, and when the others resumed; firms alike share a sentence."""
    stories: dict[Story, list[str]] = {}
    for subject in members:
        stories.setdefault(_story(subject), []).append(subject.name)
    return [_told(story, names) for story, names in stories.items()]


@dataclass(frozen=True)
class Story:
    """What became of a share from the event session on.

    Parameters
    ----------
    first : str
        When it first traded after the announcement, in words; empty where it traded in that session or not again.
    missing : int
        Sessions without a price in the source.
    suspended : int
        Sessions suspended, `dates` in words; `span` is the number that the return to the first trade covers.
    """

    traded: bool = False
    first: str = ""
    missing: int = 0
    suspended: int = 0
    dates: str = ""
    span: int = 0


def _story(subject: Subject) -> Story:
    tau = subject.first_traded_tau()
    if tau == 0:
        return Story(traded=True)
    if tau is None:
        return Story()
    shut = subject.suspended_taus(0, tau - 1)
    first = _("the first trade after the announcement was on {day}, {tau}", day=day(subject.date(tau)), tau=at_tau(tau))
    if len(shut) < tau:
        return Story(first=first, missing=tau - len(shut))
    dates = several_days([subject.date(place) for place in shut])
    span = _span(subject, tau) if subject.firm.abnormal is not None else 0
    return Story(first=first, suspended=len(shut), dates=dates, span=span)


def _told(story: Story, names: list[str]) -> str:
    """Tell a story of one firm or several."""
    firms, count = _firms(names), len(names)
    if story.traded:
        return _("{firms} traded in that session.", firms=firms)
    if not story.first:
        return ngettext(
            "{firms} has no trade from the event session to the end of the prices.",
            "{firms} have no trade from the event session to the end of the prices.", count, firms=firms,
        )  # fmt: skip
    if story.missing:
        return ngettext(
            "{firms} has no price in the source for {sessions} from the event session on; {first}.",
            "{firms} have no price in the source for {sessions} from the event session on; {first}.",
            count, firms=firms, sessions=_sessions(story.missing), first=story.first,
        )  # fmt: skip
    spell = ngettext(
        "{firms} was suspended for {sessions} from the event session on ({dates}); {first}",
        "{firms} were suspended for {sessions} from the event session on ({dates}); {first}",
        count, firms=firms, sessions=_sessions(story.suspended), dates=story.dates, first=story.first,
    )  # fmt: skip
    if not story.span:
        return _("{spell}.", spell=spell)
    return _(
        "{spell}, and the return to it covers {sessions} and is set against as many of the benchmark.",
        spell=spell, sessions=_sessions(story.span),
    )  # fmt: skip


def _span(subject: Subject, tau: int) -> int:
    traded = np.flatnonzero(np.isfinite(subject.firm.listing.level[: subject.firm.day0 + tau]))
    return int(subject.firm.day0 + tau - traded[-1]) if len(traded) else tau + 1


def _sessions(count: int) -> str:
    return ngettext("{count} session", "{count} sessions", count, count=in_words(count))


def trading_in_words(subject: Subject, first: int, last: int) -> str:
    """Tell on which of the sessions from `first` to `last` a share was suspended or closed at its limit; empty where on none."""
    suspended = [subject.date(tau) for tau in subject.suspended_taus(first, last)]
    limits = [subject.limit(tau) for tau in range(first, last + 1)]
    told = []
    if suspended:
        told.append(
            ngettext(
                "Suspended on one session, {days}.", "Suspended on {count} sessions, {days}.",
                len(suspended), count=in_words(len(suspended)), days=several_days(suspended),
            )
        )  # fmt: skip
    if any(limits):
        down, up = (in_words(limits.count(way)) for way in ("down", "up"))
        told.append(_("Closes at the price limit: {down} down, {up} up.", down=down, up=up))
    return running(told)
