"""A date of unknown minute that is read both ways: the effects of both readings, beside the answer (rule 0.1)."""

from __future__ import annotations

from collections.abc import Iterable

from eventstudy.report.averages import average_effect
from eventstudy.report.language import _
from eventstudy.report.numbers import bounded, day, interval, listed, percent
from eventstudy.report.subjects import Reading, Subject
from eventstudy.report.wording import own_words, why
from eventstudy.study import FIRST, LAST
from eventstudy.windows import Window


def two_readings(reading: Reading, headline: Window) -> list[str]:
    """Return a sentence for each treated event whose date fits two sessions, one in all where there are many firms."""
    found: dict[str, dict[str, list[Subject]]] = {}
    for subject in reading.with_role("treated"):
        if subject.firm.reading:
            by_tag = found.setdefault(subject.firm.dated.event.event_id, {FIRST: [], LAST: []})
            by_tag[subject.firm.reading].append(subject)
    both = [by_tag for by_tag in found.values() if by_tag[FIRST] and by_tag[LAST]]
    if reading.many and both:
        return _on_average(reading, headline, sum(len(by_tag[FIRST]) for by_tag in both))
    return [_one_event(reading, headline, by_tag[FIRST], by_tag[LAST]) for by_tag in both]


def _one_event(reading: Reading, headline: Window, first: list[Subject], last: list[Subject]) -> str:
    event = first[0].firm.dated.event
    return _(
        "The date of “{label}” fits two sessions, and the minute is not known. Read as {first_day}, as above: {first}; read as "
        "{last_day}: {last}.",
        label=own_words(event.label or event.event_id),
        first_day=_days(first), first=_effects(reading, headline, first),
        last_day=_days(last), last=_effects(reading, headline, last),
    )  # fmt: skip


def _days(subjects: Iterable[Subject]) -> str:
    sessions = dict.fromkeys(subject.firm.session for subject in subjects)
    unknown = _("a session not yet published")
    return listed(day(session.date(), week=False) if session is not None else unknown for session in sessions)


def _effects(reading: Reading, headline: Window, subjects: Iterable[Subject]) -> str:
    told = []
    for subject in subjects:
        effect, firm = subject.effect(headline), reading.firm_name(subject.firm.key[1]).name
        if effect is None:
            told.append(_("{firm} ({reason})", firm=firm, reason=why(subject.cumulative(headline).reason)))
        else:
            words = bounded(percent(effect.value, 1), effect.censored)
            told.append(_("{firm} {effect} ({interval})", firm=firm, effect=words, interval=interval(effect.low, effect.high, 1)))
    return listed(told)


def _on_average(reading: Reading, headline: Window, count: int) -> list[str]:
    first, last = (average_effect(reading, tag, headline) for tag in (FIRST, LAST))
    if first is None or last is None:
        return []
    return [
        _(
            "For {cases} the date fits two sessions, and the minute is not known. Read as the first, as above, the average is "
            "{first} ({first_interval}); read as the last, {last} ({last_interval}).",
            cases=reading.counted_words(count),
            first=bounded(percent(first.value, 1), first.limit), first_interval=interval(first.low, first.high, 1),
            last=bounded(percent(last.value, 1), last.limit), last_interval=interval(last.low, last.high, 1),
        )
    ]  # fmt: skip
