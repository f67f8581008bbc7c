"""The finding in plain words: firms first, what the intervals rule out, then the average (rule D13)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from eventstudy.inference.registry import kind_of
from eventstudy.report.averages import (
    UNLIKE,
    Average,
    average_effect,
    row_of_placebo,
    row_of_test,
    sd_ratios,
    unlike_reactions,
)
from eventstudy.report.dating import city, local_date
from eventstudy.report.numbers import (
    at_tau,
    confidence,
    day,
    days,
    decimal,
    in_words,
    interval,
    listed,
    p_equation,
    p_value,
    percent,
    size,
    window,
)
from eventstudy.report.subjects import Effect, FirmName, Reading, Subject
from eventstudy.report.tests_in_words import short_name
from eventstudy.report.wording import EXPECTATION, REASONS, own_words, sentence
from eventstudy.study import ALL, UNCONFOUNDED
from eventstudy.windows import Window


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
        shown,
        power(reading, headline),
        average_sentences(reading, headline),
        chance(reading, headline),
    )


def names(reading: Reading, subjects: tuple[Subject, ...]) -> str:
    """Return the firms by name, or their number where there are many."""
    if reading.many:
        return f"{in_words(len({subject.firm.key[1] for subject in subjects}))} firms"
    return listed(subject.name for subject in subjects)


def question(reading: Reading) -> str:
    """Return the question of the study."""
    events = [subject.firm.dated.event for subject in reading.treated]
    labels = list(dict.fromkeys(event.label or event.event_id for event in events))
    if len(labels) > 2:
        return f"What did {len(labels)} events do to the share prices of {names(reading, reading.treated)}?"
    moments = list(dict.fromkeys(event.announcement for event in events))
    when = ""
    if len(moments) == 1 and (date := local_date(moments[0])) is not None:
        when = f", announced on {day(date)}{f' in {city(moments[0].timezone)}' if moments[0].timezone else ''},"
    quoted = listed(f"“{own_words(label)}”" for label in labels)
    return f"What did {quoted}{when} do to the share prices of {names(reading, reading.treated)}?"


def when_words(reading: Reading, bounds: Window) -> str:
    """Return when a window was, with its dates where all treated firms share them."""
    dates = {
        (subject.date(bounds[0]), subject.date(bounds[1]))
        for subject in reading.treated
        if subject.firm.session is not None and subject.firm.day0 + bounds[1] < len(subject.firm.listing.calendar.sessions)
    }
    if len(dates) != 1:
        return f"Over the sessions {window(bounds)} around each event session"
    first, last = dates.pop()
    return (
        f"On {days(first, last)} (session {window(bounds)})"
        if first == last
        else f"From {days(first, last)} (sessions {window(bounds)})"
    )


def expectation(reading: Reading) -> str:
    """Return what effects are measured against."""
    names_ = reading.benchmarks
    benchmark = f"the benchmark {names_[0]}" if len(names_) == 1 else "their benchmarks"
    return EXPECTATION.get(reading.plan.model, "relative to what the model led one to expect").format(benchmark=benchmark)


def answer(reading: Reading, headline: Window) -> str:
    """Return the answer in one sentence."""
    found = [(subject, effect) for subject in reading.treated if (effect := subject.effect(headline)) is not None]
    if not found:
        return _nothing_yet(reading, headline)
    when, against = when_words(reading, headline), expectation(reading)
    if reading.many:
        return f"{when}, {against}, {_many_words(reading, headline, [effect for _, effect in found])}."
    level = f"{confidence(reading.plan.alpha)} interval "
    clear = [
        listed(_clear_clauses(chosen, verb, headline, level))
        for direction, verb in (("fall", "lost"), ("rise", "gained"))
        if (chosen := sorted((item for item in found if item[1].direction == direction), key=lambda item: -abs(item[1].value)))
    ]
    open_ = _open_clauses([(subject, effect) for subject, effect in found if effect.direction == "open"], headline)
    if clear:
        return f"{when}, {' and '.join(clear)} {against}{''.join(f'; {clause}' for clause in open_)}."
    return f"{when}, {against}, {'; '.join(open_)} (intervals at the {confidence(reading.plan.alpha)} level)."


def _clear_clauses(found: list[tuple[Subject, Effect]], verb: str, headline: Window, level: str) -> list[str]:
    """Tell effects of one direction; the verb and the level of the interval stand only once."""
    clauses = []
    for place, (subject, effect) in enumerate(found):
        bound = _bound_words(effect)
        low, high = sorted((abs(effect.low), abs(effect.high)))
        does, what = (f" {verb}", level) if place == 0 else ("", "")
        news = ", other news of its own in that time included" if subject.firm.confounded_by(headline) else ""
        clauses.append(f"{subject.name}{does} {bound}{size(effect.value)} ({what}{size(low)} to {size(high)}{news})")
    return clauses


def _bound_words(effect: Effect) -> str:
    """Return the words of a bound where a price limit held the price back: further in its own direction, or against it."""
    if not effect.censored:
        return ""
    return "at least " if (effect.censored == "down") == (effect.value < 0) else "at most "


def _open_clauses(found: list[tuple[Subject, Effect]], headline: Window) -> list[str]:
    """Tell effects whose interval holds falls and rises."""
    if len(found) == 1:
        subject, effect = found[0]
        news = ", and it had other news of its own in that time" if subject.firm.confounded_by(headline) else ""
        return [
            f"{subject.name} came out at {bounded(effect, percent(effect.value, 1))}, with an interval from a fall of "
            f"{size(effect.low)} to a "
            f"rise of {size(effect.high)} that leaves the direction open{news}"
        ]
    told = [
        f"{subject.name} ({bounded(effect, percent(effect.value, 1))}: {interval(effect.low, effect.high, 1)}"
        f"{', with other news of its own in that time' if subject.firm.confounded_by(headline) else ''})"
        for subject, effect in found
    ]
    return [f"the intervals of {listed(told)} leave the direction open"] if told else []


def _many_words(reading: Reading, headline: Window, effects: list[Effect]) -> str:
    values = sorted(effect.value for effect in effects)
    negative = sum(value < 0 for value in values)
    ends = f"from {percent(values[0], 1)} to {percent(values[-1], 1)}"
    spread = f"{negative} of {len(values)} {reading.many_words} fell, and single effects range {ends}"
    mean = average_effect(reading, ALL, headline)
    assert mean is not None  # there are firms with a CAR
    average = f"the average is {_average_words(mean, reading.plan.alpha)}, the median {percent(mean.median, 1)}"
    if unlike_reactions(reading, headline) is not None:
        return f"effects differ between the firms: {spread}; {average}"
    return f"{average}; {spread}"


def _nothing_yet(reading: Reading, headline: Window) -> str:
    codes = dict.fromkeys(subject.cumulative(headline).reason for subject in reading.treated)
    why = "; ".join(REASONS.get(code, code) for code in codes) or "every firm was excluded"
    ahead = set(codes) <= {"provisional", "calendar_end"}
    start = "Nothing can be said yet" if ahead else "Nothing can be estimated"
    return f"{start} over the headline window {window(headline)}: {why}."


def firm_finding(reading: Reading, subject: Subject, headline: Window) -> FirmFinding:
    """Return what the page says of one firm."""
    effect = subject.effect(headline)
    remarks = list(confounder_remarks(subject, headline))
    if effect is None:
        code = subject.cumulative(headline).reason
        return FirmFinding(subject.label, "", "", f"undefined: {REASONS.get(code, code)}", tuple(remarks))
    if effect.censored:
        remarks.insert(0, censoring(effect))
    return FirmFinding(
        subject.label, bounded(effect, percent(effect.value, 1)), interval(effect.low, effect.high, 1),
        ruled_out(effect), tuple(remarks),
    )  # fmt: skip


def bounded(effect: Effect, text: str) -> str:
    """Return an effect's text with the sign of a bound where a price limit held the price back."""
    return {"down": f"≤ {text}", "up": f"≥ {text}"}.get(effect.censored, text)


def censoring(effect: Effect) -> str:
    """Tell what a close at the price limit at the end of a window means (rule D4)."""
    side, what = ("limit-down", "upper") if effect.censored == "down" else ("limit-up", "lower")
    return f"the window ends on a {side} close: the price was still held back, so the effect is only an {what} bound"


def ruled_out(effect: Effect) -> str:
    """Return the effects that the interval leaves out."""
    if effect.direction == "fall":
        return f"falls beyond {size(effect.low)}, falls smaller than {size(effect.high)}, and any rise"
    if effect.direction == "rise":
        return f"rises beyond {size(effect.high)}, rises smaller than {size(effect.low)}, and any fall"
    return f"falls beyond {size(effect.low)} and rises beyond {size(effect.high)}"


def confounder_remarks(subject: Subject, bounds: Window) -> tuple[str, ...]:
    """Tell the other news of a firm inside a window, and what the sessions before it say (rule D14)."""
    inside = [(tau, label) for tau, label in subject.firm.confounders if bounds[0] <= tau <= bounds[1]]
    if not inside:
        return ()
    told = listed(f"“{own_words(label)}” ({at_tau(tau)})" for tau, label in inside)
    remarks = [f"other news inside the window: {told}, so the effect is not that of the event alone"]
    clean = subject.clean_window()
    if clean is not None and clean[1] < clean[0]:
        remarks.append("no session after the event is free of it")
    elif clean is not None and clean[1] < bounds[1]:
        found = subject.sum_over(clean)
        if found is not None and not found.reason:
            effect = subject.scale.effect
            span = interval(effect(found.ci_low), effect(found.ci_high), 1)
            remarks.append(f"up to that news, over {window(clean)}: {percent(effect(found.car), 1)} (interval {span})")
    return tuple(remarks)


def _average_words(mean: Average, alpha: float) -> str:
    if math.isnan(mean.low):
        return percent(mean.value, 1)
    return f"{percent(mean.value, 1)} ({confidence(alpha)} interval {interval(mean.low, mean.high, 1)})"


def average_sentences(reading: Reading, headline: Window) -> tuple[str, ...]:
    """Return what can be said of the average, with the caution that unlike reactions call for."""
    mean = average_effect(reading, ALL, headline)
    if mean is None or mean.n < 2:
        return ()
    unlike = unlike_reactions(reading, headline)
    told = []
    words = _average_words(mean, reading.plan.alpha)
    if unlike is not None:
        told.append(
            f"Effects over this window differ between the firms: equal effects are rejected (F = "
            f"{decimal(unlike['statistic'])}, {p_equation(unlike['p_value'])}). Their average, {words}, is an average of "
            "unlike reactions and describes none of them."
        )
        told += _other_news_words(reading, headline)
    elif not reading.many:
        told.append(f"On average over {in_words(mean.n)} firms: {words}.")
    if unlike is None:
        told += _equality_words(reading, headline)
    clean = average_effect(reading, UNCONFOUNDED, headline) if UNCONFOUNDED in reading.study.groups else None
    if clean is not None and clean.n < mean.n:
        firms = "the one firm" if clean.n == 1 else f"the {in_words(clean.n)} firms"
        left = _average_words(clean, reading.plan.alpha)
        told.append(f"Without firms that had other news in the window, the average of {firms} left is {left}.")
    return tuple(told)


def _other_news_words(reading: Reading, headline: Window) -> list[str]:
    """Tell whether other news of some firms may be why effects differ (rule D14)."""
    if UNCONFOUNDED not in reading.study.groups:
        return []
    rest = row_of_test(reading, UNCONFOUNDED, headline, "equal_effects")
    if rest is None or pd.isna(rest["p_value"]):
        return []
    firms = in_words(int(rest["n"]))
    if rest["p_value"] < UNLIKE:
        return [f"They differ, too, between the {firms} firms without other news in the window ({p_equation(rest['p_value'])})."]
    return [
        f"Other news of some firms may be the reason: between the {firms} firms without it equal effects are not rejected "
        f"({p_equation(rest['p_value'])}), which does not show that they are equal."
    ]


def _equality_words(reading: Reading, headline: Window) -> list[str]:
    row = row_of_test(reading, ALL, headline, "equal_effects")
    if row is None:
        return []
    if pd.isna(row["p_value"]):
        return [f"Whether the firms reacted alike is not tested: {REASONS.get(row['reason'], row['reason'])}."]
    return [f"Equal effects are not rejected ({p_equation(row['p_value'])}), which does not show that they are equal."]


def power(reading: Reading, headline: Window) -> tuple[str, ...]:
    """Tell how small an effect this design can find, before any p-value (rule D12)."""
    table = reading.result.detectable
    here = table[(table["window_start"] == headline[0]) & (table["window_end"] == headline[1])].set_index("scope")["effect"]
    effect = reading.scale.effect
    level = f"{100 * reading.plan.alpha:g}% level"
    clauses = []
    for subject in () if reading.many else reading.treated:
        scope = f"{subject.firm.key[0]}, {subject.firm.key[1]}"
        if scope in here:
            clauses.append(f"a fall of {size(effect(-here[scope]))} or a rise of {size(effect(here[scope]))} for {subject.name}")
    if ALL in here and (len(reading.treated) > 1):
        clauses.append(f"a fall of {size(effect(-here[ALL]))} or a rise of {size(effect(here[ALL]))} for the average")
    if not clauses:
        return ()
    return (
        f"What this design can find: judged by the shares’ usual noise alone, a test at the {level} detects, with probability "
        f"0.8, {'; '.join(clauses)}. Smaller effects would often go unnoticed.",
    )


def chance(reading: Reading, headline: Window) -> tuple[str, ...]:
    """Give the p-values, with what each of them stands on."""
    told = [] if reading.many else _firms_chance(reading, headline)
    told += _average_chance(reading, headline)
    return tuple(told)


def _firms_chance(reading: Reading, headline: Window) -> list[str]:
    table = reading.result.car(headline)
    rows = {(row["event_id"], row["symbol"]): row for _, row in table.iterrows()}
    parts, family = [], 0
    for subject in reading.treated:
        effect, row = subject.effect(headline), rows[subject.firm.key]
        family += effect is not None
        if effect is not None and not effect.censored:
            parts.append((subject.name, row["p_value"], row["p_holm"]))
    if not parts:
        return []
    if family == 1:
        return [f"If the event days were like the estimation days but for the effect, {p_equation(parts[0][1])}."]
    told = "; ".join(f"{name} {p_value(own)} and {p_value(adjusted)}" for name, own, adjusted in parts)
    return [
        f"p-value of each firm on its own, and after Holm’s adjustment for {in_words(family)} firms: {told}. They hold if the "
        "event days were like the estimation days but for the effect."
    ]


def _average_chance(reading: Reading, headline: Window) -> list[str]:
    """Give the headline tests; of a single firm its t stands in a sentence of its own."""
    several = len(reading.treated) > 1
    tests = [test for test in reading.headline.tests if several or kind_of(test) != "parametric"]
    parts = [_test_words(reading, headline, test) for test in tests]
    if not parts or not reading.study.cross_section(ALL, headline).firms:
        return []
    start = f"Headline {'tests' if len(parts) > 1 else 'test'} of {'the average' if several else 'this firm'}"
    return [sentence(f"{start}: {'; '.join(parts)}")]


def _test_words(reading: Reading, headline: Window, test: str) -> str:
    row, name = row_of_test(reading, ALL, headline, test), short_name(test)
    assert row is not None  # a headline test is one that the study runs
    if pd.isna(row["p_value"]):
        return f"{name}, undefined ({REASONS.get(row['reason'], row['reason'])})"
    drawn = row_of_placebo(reading, ALL, headline, test)
    blocks = f" among {drawn['blocks']} blocks, smallest attainable {decimal(drawn['floor'], 3)}" if drawn is not None else ""
    alike = sd_words(reading, reading.treated) if drawn is not None else ""
    caution = f"; {REASONS.get(row['reason'], row['reason'])}" if row["reason"] else ""
    return f"{name}, {p_equation(row['p_value'])}{blocks}{alike}{caution}"


def sd_words(reading: Reading, subjects: tuple[Subject, ...]) -> str:
    """Tell how the sessions just before the event compare with the estimation window (rule D15)."""
    ratios = sd_ratios(subjects, reading.result.models)
    if ratios is None:
        return ""
    low, high = (decimal(ratio) for ratio in ratios)
    span = low if low == high else f"{low} to {high}"
    return f" (the 30 sessions before the event varied {span} times as much as the estimation window)"
