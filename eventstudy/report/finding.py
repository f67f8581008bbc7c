"""The finding in plain words: firms first, what the intervals rule out, then the average (rule D13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eventstudy.report.averages import (
    average_effect,
    unlike_reactions,
)
from eventstudy.report.dating import city, local_date
from eventstudy.report.language import _, ngettext, pgettext
from eventstudy.report.numbers import (
    at_tau,
    bounded,
    confidence,
    day,
    days,
    in_words,
    interval,
    joined,
    listed,
    percent,
    several_days,
    size,
    window,
    window_in_words,
)
from eventstudy.report.subjects import Effect, FirmName, Reading, Subject
from eventstudy.report.surety import average_sentences, average_words, chance, in_brief, power
from eventstudy.report.wording import EXPECTATION, own_words, why
from eventstudy.study import ALL
from eventstudy.windows import Window, length

UNNAMED = "benchmark"  # what a study of frames calls a benchmark that has no name


@dataclass(frozen=True)
class FirmFinding:
    """What the page says of one firm in the headline window."""

    label: FirmName
    effect: str
    interval: str
    ruled_out: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """The first screen in words: question, answer, firms, average, and how sure one can be."""

    question: str
    answer: str
    suspended: str
    sure: str
    firms: tuple[FirmFinding, ...]
    power: tuple[str, ...]
    average: tuple[str, ...]
    chance: tuple[str, ...]


def study_finding(reading: Reading) -> Finding:
    """Return the finding of a study over its headline window."""
    headline = reading.plan.headline_window
    shown = () if reading.many else tuple(firm_finding(reading, subject, headline) for subject in reading.treated)
    return Finding(
        question(reading),
        answer(reading, headline),
        suspended(reading, headline),
        in_brief(reading, headline),
        shown,
        power(reading, headline),
        average_sentences(reading, headline),
        chance(reading, headline),
    )


def names(reading: Reading, subjects: tuple[Subject, ...]) -> str:
    """Return the firms by name, or their number where there are many."""
    if reading.many:
        return _("{count} firms", count=in_words(len({subject.firm.key[1] for subject in subjects})))
    return listed(subject.name for subject in subjects)


def question(reading: Reading) -> str:
    """Return the question of the study."""
    events = [subject.firm.dated.event for subject in reading.treated]
    labels = list(dict.fromkeys(event.label or event.event_id for event in events))
    shares = len({subject.firm.key[1] for subject in reading.treated})
    if len(labels) > 2:
        return ngettext(
            "What did {count} events do to the share price of {firms}?",
            "What did {count} events do to the share prices of {firms}?",
            shares, count=len(labels), firms=names(reading, reading.treated),
        )  # fmt: skip
    moments = list(dict.fromkeys(event.announcement for event in events))
    quoted = listed(_("“{label}”", label=own_words(label)) for label in labels)
    firms = names(reading, reading.treated)
    date = local_date(moments[0]) if len(moments) == 1 else None
    if date is None:
        return ngettext(
            "What did {events} do to the share price of {firms}?", "What did {events} do to the share prices of {firms}?",
            shares, events=quoted, firms=firms,
        )  # fmt: skip
    if not moments[0].timezone:
        return ngettext(
            "What did {events}, announced on {day}, do to the share price of {firms}?",
            "What did {events}, announced on {day}, do to the share prices of {firms}?",
            shares, events=quoted, day=day(date), firms=firms,
        )  # fmt: skip
    return ngettext(
        "What did {events}, announced on {day} in {city}, do to the share price of {firms}?",
        "What did {events}, announced on {day} in {city}, do to the share prices of {firms}?",
        shares, events=quoted, day=day(date), city=city(moments[0].timezone), firms=firms,
    )  # fmt: skip


def when_words(reading: Reading, bounds: Window) -> str:
    """Return when a window was, with its dates where all treated firms share them."""
    dates = {
        (subject.date(bounds[0]), subject.date(bounds[1]))
        for subject in reading.treated
        if subject.firm.session is not None and subject.firm.day0 + bounds[1] < len(subject.firm.listing.calendar.sessions)
    }
    sessions = {"sessions": window_in_words(bounds), "window": window(bounds)}
    if len(dates) != 1:
        events = sorted({subject.date(0) for subject in reading.treated if subject.firm.session is not None})
        if not events:
            return _("At each event, over {sessions} ({window})", **sessions)
        return _("At each event ({days}), over {sessions} ({window})", days=several_days(events), **sessions)
    first, last = dates.pop()
    if first == last:
        return _("On {days}, {sessions} ({window})", days=days(first, last), **sessions)
    return _("From {days}, {sessions} ({window})", days=days(first, last), **sessions)


def expectation(reading: Reading) -> str:
    """Return what effects are measured against."""
    return expectation_words(reading.plan.model, reading.benchmarks)


def expectation_words(model: str, benchmarks: Sequence[str]) -> str:
    """Return what the effects of a model are measured against."""
    if len(benchmarks) != 1:
        benchmark = _("their benchmarks")
    elif benchmarks[0] == UNNAMED:
        benchmark = _("the benchmark")
    else:
        benchmark = _("the benchmark {name}", name=benchmarks[0])
    words = EXPECTATION.get(model)
    return _(words, benchmark=benchmark) if words else _("relative to what the model led one to expect")


def answer(reading: Reading, headline: Window) -> str:
    """Return the answer in one sentence."""
    found = [(subject, effect) for subject in reading.treated if (effect := subject.effect(headline)) is not None]
    if not found:
        return _nothing_yet(reading, headline)
    when, against = when_words(reading, headline), expectation(reading)
    if reading.many:
        spread = _many_words(reading, headline, [effect for _subject, effect in found])
        return _("{when}, {against}, {spread}.", when=when, against=against, spread=spread)
    level = confidence(reading.plan.alpha)
    clear = [
        listed(_clear_clauses(chosen, headline, level), whole_clauses=True)
        for direction in ("fall", "rise")
        if (chosen := sorted((item for item in found if item[1].direction == direction), key=lambda item: -abs(item[1].value)))
    ]
    open_ = _open_clauses([(subject, effect) for subject, effect in found if effect.direction == "open"], headline)
    if not clear:
        return _(
            "{when}, {against}, {clauses} (intervals at the {level} level).",
            when=when, against=against, clauses=joined(open_), level=level,
        )  # fmt: skip
    moved = clear[0] if len(clear) == 1 else _("{falls} and {rises}", falls=clear[0], rises=clear[1])
    if open_:
        return _("{when}, {moved} {against}; {open}.", when=when, moved=moved, against=against, open=joined(open_))
    return _("{when}, {moved} {against}.", when=when, moved=moved, against=against)


def suspended(reading: Reading, headline: Window) -> str:
    """Tell on how many sessions of the headline window which firms could not trade; empty where all traded throughout."""
    found: dict[int, list[Subject]] = {}
    for subject in reading.treated:
        count = len(subject.suspended_taus(*headline)) if subject.effect(headline) is not None else 0
        if count:
            found.setdefault(count, []).append(subject)
    if not found:
        return ""
    if reading.many:
        number = sum(len(subjects) for subjects in found.values())
        return _("{cases} could not trade on some of these sessions.", cases=reading.counted_words(number))
    parts = [
        _("{firms} on {count}", firms=listed(subject.name for subject in subjects), count=in_words(count))
        for count, subjects in found.items()
    ]
    return _(
        "Suspended: {firms} of these {sessions} sessions, without a price; the effect shows when trading resumes.",
        firms=listed(parts), sessions=in_words(length(headline)),
    )  # fmt: skip


def _clear_clauses(found: list[tuple[Subject, Effect]], headline: Window, level: str) -> list[str]:
    """Tell effects of one direction; the verb and the level of the interval stand only once."""
    told = []
    for place, (subject, effect) in enumerate(found):
        low, high = sorted((abs(effect.low), abs(effect.high)))
        about = {
            "firm": subject.name,
            "change": _bound(effect, size(effect.value)),
            "interval": _("{low} to {high}", low=size(low), high=size(high)),
        }
        if subject.firm.confounded_by(headline):
            about["interval"] = _("{interval}, other news of its own in that time included", interval=about["interval"])
        if place > 0:
            fall = pgettext("a fall", "{firm} {change} ({interval})", **about)
            told.append(fall if effect.value < 0 else pgettext("a rise", "{firm} {change} ({interval})", **about))
        elif effect.value < 0:
            told.append(_("{firm} lost {change} ({level} interval {interval})", **about, level=level))
        else:
            told.append(_("{firm} gained {change} ({level} interval {interval})", **about, level=level))
    return told


def _bound(effect: Effect, text: str) -> str:
    """Return a change as a bound where a price limit held the price back: further in its own direction, or against it."""
    if not effect.censored:
        return text
    further = (effect.censored == "down") == (effect.value < 0)
    return _("at least {change}", change=text) if further else _("at most {change}", change=text)


def _open_clauses(found: list[tuple[Subject, Effect]], headline: Window) -> list[str]:
    """Tell effects whose interval holds falls and rises."""
    if len(found) == 1:
        subject, effect = found[0]
        words = _(
            "{firm} came out at {effect}, with an interval from a fall of {fall} to a rise of {rise} that leaves the direction "
            "open",
            firm=subject.name, effect=bounded(percent(effect.value, 1), effect.censored),
            fall=size(effect.low), rise=size(effect.high),
        )  # fmt: skip
        news = subject.firm.confounded_by(headline)
        return [_("{words}, and it had other news of its own in that time", words=words) if news else words]
    told = [_open_words(subject, effect, headline) for subject, effect in found]
    return [_("the intervals of {firms} leave the direction open", firms=listed(told))] if told else []


def _open_words(subject: Subject, effect: Effect, headline: Window) -> str:
    about = {
        "firm": subject.name,
        "effect": bounded(percent(effect.value, 1), effect.censored),
        "interval": interval(effect.low, effect.high, 1),
    }
    if subject.firm.confounded_by(headline):
        return _("{firm} ({effect}: {interval}, with other news of its own in that time)", **about)
    return _("{firm} ({effect}: {interval})", **about)


def _many_words(reading: Reading, headline: Window, effects: list[Effect]) -> str:
    values = sorted(effect.value for effect in effects)
    negative = sum(value < 0 for value in values)
    spread = _(
        "{falls} of {cases} fell, and single effects range from {lowest} to {highest}",
        falls=negative, cases=reading.counted_words(len(values)), lowest=percent(values[0], 1), highest=percent(values[-1], 1),
    )  # fmt: skip
    mean = average_effect(reading, ALL, headline)
    assert mean is not None  # there are firms with a CAR
    average = _(
        "the average is {average}, the median {median}",
        average=average_words(mean, reading.plan.alpha), median=percent(mean.median, 1),
    )  # fmt: skip
    if unlike_reactions(reading, headline) is not None:
        return _("effects differ between the firms: {spread}; {average}", spread=spread, average=average)
    return _("{average}; {spread}", average=average, spread=spread)


def _nothing_yet(reading: Reading, headline: Window) -> str:
    codes = dict.fromkeys(subject.cumulative(headline).reason for subject in reading.treated)
    reasons = joined(why(code) for code in codes) or _("every firm was excluded")
    if set(codes) <= {"provisional", "calendar_end"}:
        return _(
            "Nothing can be said yet over the headline window {window}: {reasons}.", window=window(headline), reasons=reasons
        )
    return _("Nothing can be estimated over the headline window {window}: {reasons}.", window=window(headline), reasons=reasons)


def firm_finding(reading: Reading, subject: Subject, headline: Window) -> FirmFinding:
    """Return what the page says of one firm."""
    effect = subject.effect(headline)
    remarks = list(confounder_remarks(subject, headline))
    if effect is None:
        code = subject.cumulative(headline).reason
        return FirmFinding(subject.label, "", "", _("undefined: {reason}", reason=why(code)), tuple(remarks))
    if effect.censored:
        remarks.insert(0, censoring(effect))
    return FirmFinding(
        subject.label, bounded(percent(effect.value, 1), effect.censored), interval(effect.low, effect.high, 1),
        ruled_out(effect), tuple(remarks),
    )  # fmt: skip


def censoring(effect: Effect) -> str:
    """Tell what a close at the price limit at the end of a window means (rule D4)."""
    if effect.censored == "down":
        return _("the window ends on a limit-down close: the price was still held back, so the effect is only an upper bound")
    return _("the window ends on a limit-up close: the price was still held back, so the effect is only a lower bound")


def ruled_out(effect: Effect) -> str:
    """Return the effects that the interval leaves out."""
    if effect.direction == "fall":
        return _(
            "falls beyond {far}, falls smaller than {near}, and any rise", far=size(effect.low), near=size(effect.high)
        )
    if effect.direction == "rise":
        return _(
            "rises beyond {far}, rises smaller than {near}, and any fall", far=size(effect.high), near=size(effect.low)
        )
    return _("falls beyond {fall} and rises beyond {rise}", fall=size(effect.low), rise=size(effect.high))


def confounder_remarks(subject: Subject, bounds: Window) -> tuple[str, ...]:
    """Tell the other news of a firm inside a window, and what the sessions before it say (rule D14)."""
    inside = [(tau, label) for tau, label in subject.firm.confounders if bounds[0] <= tau <= bounds[1]]
    if not inside:
        return ()
    told = listed(_("“{label}” ({tau})", label=own_words(label), tau=at_tau(tau)) for tau, label in inside)
    remarks = [_("other news inside the window: {news}, so the effect is not that of the event alone", news=told)]
    clean = subject.clean_window()
    if clean is not None and clean[1] < clean[0]:
        remarks.append(_("no session after the event is free of it"))
    elif clean is not None and clean[1] < bounds[1]:
        found = subject.sum_over(clean)
        if found is not None and not found.reason:
            effect = subject.scale.effect
            span = interval(effect(found.ci_low), effect(found.ci_high), 1)
            remarks.append(
                _(
                    "up to that news, over {window}: {effect} (interval {interval})",
                    window=window(clean), effect=percent(effect(found.car), 1), interval=span,
                )
            )  # fmt: skip
    return tuple(remarks)
