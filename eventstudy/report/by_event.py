"""A study of several announcements, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from eventstudy.report.effects import cars
from eventstudy.report.language import _, pgettext
from eventstudy.report.numbers import short_day
from eventstudy.report.subjects import Reading, Subject
from eventstudy.report.tabular import Table
from eventstudy.report.wording import own_words

MOST = 60  # events with a part of their own


@dataclass(frozen=True)
class EventPart:
    """One announcement: its heading, when it was, and the effects on its firms."""

    anchor: str
    heading: str
    dated: str
    table: Table


def event_parts(reading: Reading) -> list[EventPart]:
    """Return one part an event, the latest first; nothing for a study of one event."""
    found: dict[str, list[Subject]] = {}
    for subject in reading.treated:
        found.setdefault(subject.firm.key[0], []).append(subject)
    if len(found) < 2:
        return []
    return [
        _part(reading, place, event_id, found[event_id]) for place, event_id in enumerate(list(found)[::-1][:MOST])
    ]


def _part(reading: Reading, place: int, event_id: str, subjects: list[Subject]) -> EventPart:
    label = next((subject.firm.dated.event.label for subject in subjects if subject.firm.dated.event.label), "")
    heading = _("{event}: {label}", event=own_words(event_id), label=own_words(label)) if label else own_words(event_id)
    sessions = {subject.firm.session for subject in subjects if subject.firm.session is not None}
    dates = [short_day(session.date()) for session in sorted(sessions)]
    dated = pgettext("in a list", ", ").join(dates) or _("past the end of the exchange’s calendar")
    caption = _("Effects of {heading} by window", heading=heading)
    table = cars(reading, subjects, f"cars-event-{place}", caption, reading.plan.windows.car)
    return EventPart(f"event-{place}", heading, _("Event session: {dated}.", dated=dated), table)
