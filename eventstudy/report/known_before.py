"""What was known before, in words: leaks beside the announcement, sessions before it, and masked days (rules D11, 0.4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from eventstudy.anticipation_tables import MASKED, UNMASKED
from eventstudy.report.averages import p_or_censored
from eventstudy.report.dating import announced, straddle
from eventstudy.report.language import _, ngettext
from eventstudy.report.numbers import (
    bounded,
    confidence,
    day,
    days,
    decimal,
    in_words,
    interval,
    joined,
    listed,
    p_equation,
    percent,
    running,
    window,
)
from eventstudy.report.subjects import FirmName, Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, dated, finished, one_firm_a_line, own_null, records
from eventstudy.report.wording import own_words, sentence, why
from eventstudy.student import critical_value

Cell = str | Undefined


@dataclass(frozen=True)
class KnownBefore:
    """What the page says of anticipation; `leaks` is None without any."""

    leaks: tuple[str, ...]
    together: Table
    masks: tuple[str, ...]
    with_and_without: Table
    before: Table
    before_sentences: tuple[str, ...]
    scaled: Table


def known_before(reading: Reading) -> KnownBefore:
    """Return everything the page says of what was known before the event."""
    return KnownBefore(
        tuple(_leak_sentences(reading)),
        together(reading),
        tuple(_mask_sentences(reading)),
        with_and_without(reading),
        before(reading),
        tuple(_before_sentences(reading)),
        scaled(reading),
    )


def _rows(reading: Reading, part: str, estimation: str = "") -> list[dict[str, Any]]:
    table = reading.result.anticipation
    chosen = (table["part"] == part) & ((table["estimation"] == estimation) | (estimation == ""))
    return records(table[chosen])


def _leak_sentences(reading: Reading) -> list[str]:
    """Tell each leak: what, when, and what the firms did then."""
    told = []
    leaks = reading.plan.leaks
    rows = {(row["news"], row["symbol"]): row for row in _rows(reading, "leak")}
    for key in dict.fromkeys((leak.event.event_id, leak.event.label, leak.event.announcement) for leak in leaks):
        news, label, when = key
        mine = [row for (name, _place), row in rows.items() if name == news]
        found = [row for row in mine if not row["reason"]]
        effects = [_effect_words(reading, row) for row in found]
        missing = [(reading.firm_name(row["symbol"]).name, row["reason"]) for row in mine if row["reason"]]
        lost = [_("{firm} ({reason})", firm=name, reason=why(reason)) for name, reason in missing]
        listings = reading.study.listings
        choices = (straddle(leak.event, listings[leak.event.symbol].calendar) for leak in leaks if leak.event.event_id == news)
        parts = [sentence(own_words(label)), announced(when), next(choices, "")]
        if effects:
            first_day, last_day = (dt.date.fromisoformat(found[0][name]) for name in ("first_session", "last_session"))
            span = days(first_day, last_day)
            told_effects = listed(effects, whole_clauses=True)
            parts.append(_("Over {days}, beyond the benchmark: {effects}.", days=span, effects=told_effects))
        if lost:
            parts.append(_("Not measured: {firms}.", firms=listed(lost)))
        short = [reading.firm_name(row["symbol"]).name for row in found if row["short_history"]]
        if short:
            parts.append(
                _(
                    "The prices of {firms} begin inside the estimation window of the leak, which starts there and is shorter "
                    "than asked for ({counts} returns).",
                    firms=listed(short), counts=listed(dict.fromkeys(str(int(row["nobs"])) for row in found)),
                )
            )  # fmt: skip
        told.append(running(parts))
    return told


def _effect_words(reading: Reading, row: dict[str, Any]) -> str:
    low, high = _interval(reading, row)
    return _(
        "{firm} {effect} ({level} interval {interval})",
        firm=reading.firm_name(row["symbol"]).name, effect=percent(reading.scale.effect(row["car"]), 1),
        level=confidence(reading.plan.alpha), interval=interval(low, high, 1),
    )  # fmt: skip


def _interval(reading: Reading, row: dict[str, Any]) -> tuple[float, float]:
    reach = float(critical_value(reading.plan.alpha, row["df"])) * row["se_car"]
    return reading.scale.effect(row["car"] - reach), reading.scale.effect(row["car"] + reach)


def _numbers(reading: Reading, row: dict[str, Any] | None, bound: str = "") -> tuple[Cell, ...]:
    """Return effect, interval and p of a row, or its reason in their place."""
    if row is None:
        return ("", "", "")
    if row["reason"]:
        return (Undefined(why(row["reason"]), row["reason"], 3),)
    effect = bounded(percent(reading.scale.effect(row["car"])), bound)
    return (effect, interval(*_interval(reading, row)), p_or_censored(row["p_value"], [bound]))


def _columns(reading: Reading, count: int) -> tuple[Column, ...]:
    one = (Column(_("Effect")), Column(_("{level} interval", level=confidence(reading.plan.alpha))), Column("p"))
    return one * count


def together(reading: Reading) -> Table:
    """Return leak, announcement and their total, one firm and leak a row."""
    headline = reading.plan.headline_window
    by_key = {subject.firm.key: subject for subject in reading.subjects}
    announcements = {(row["event_id"], row["symbol"]): row for row in _headline(reading, MASKED)}
    totals = {(row["event_id"], row["symbol"], row["news"]): row for row in _rows(reading, "total")}
    blocks = []
    for row in _rows(reading, "leak"):
        subject = by_key.get((row["event_id"], row["symbol"]))
        if subject is None:
            continue
        bound = subject.limit(headline[1]) if subject.effect(headline) else ""
        first = dated(dt.date.fromisoformat(row["first_session"]))
        own = window((int(row["window_start"]), int(row["window_end"])))
        start = dated(subject.date(headline[0]))
        lines = (
            Row(_("Leak"), (*_numbers(reading, row), own, first)),
            Row(_("Announcement"), (*_numbers(reading, announcements[subject.firm.key], bound), window(headline), start)),
            Row(_("Both together"), (*_numbers(reading, totals[(*subject.firm.key, row["news"])], bound), "", ""), True),
        )
        blocks.append(Block(lines, subject.label))
    columns = (Column(_("News"), False), *_columns(reading, 1), Column(_("Window"), False), Column(_("First session")))
    notes = [
        _(
            "Leak: its own window, against a model estimated before the leak. Announcement: the headline window. Both "
            "together: the sum of the two as log returns, read as a change in value, with the covariance that shared "
            "estimation sessions give the two. p: t test, two-sided. Null: neither moved the share (sharp null)."
        )
        if reading.scale.kind == "log"
        else _("Both together: the sum of the two. p: t test, two-sided. Null: neither moved the share (sharp null)."),
        _("What moved a share between the two dates is in neither."),
        one_firm_a_line(),
    ]
    tests = reading.result.anticipation_tests
    mean = tests[(tests["part"] == "total") & (tests["test"] == "portfolio_t")]
    if len(mean):
        test = mean.iloc[0]
        notes.append(
            _(
                "Mean of the totals of the {count} treated firms with both: portfolio t = {statistic}, {p}, with the full "
                "covariance across firms and dates. Firms that reacted unlike each other make a mean that describes none of "
                "them.",
                count=int(test["n"]), statistic=decimal(test["statistic"]), p=p_equation(test["p_value"]),
            )
        )
    return finished(reading, Table("leak-and-announcement", _("Leak and announcement"), columns, tuple(blocks), tuple(notes)))


def _headline(reading: Reading, estimation: str) -> list[dict[str, Any]]:
    lo, hi = reading.plan.headline_window
    return [row for row in _rows(reading, "announcement", estimation) if (row["window_start"], row["window_end"]) == (lo, hi)]


def _mask_sentences(reading: Reading) -> list[str]:
    told = []
    paired = [row for row in _rows(reading, "leak") if row["event_id"] and row["first_session"]]
    leaks = [dt.date.fromisoformat(row["first_session"]) for row in paired]
    for mask in reading.plan.masks:
        inside = {date for date in leaks if mask.first <= date <= mask.last}
        left = _(
            "Left out of the estimation: {days} ({reason}).", days=days(mask.first, mask.last), reason=own_words(mask.reason)
        )
        moved = ngettext(
            "A leak told above falls in these days: left in, what it may have done to the shares would pass for usual noise and "
            "shift the model. Its own window is measured above, against a model estimated before it.",
            "Leaks told above fall in these days: left in, what they may have done to the shares would pass for usual noise and "
            "shift the model. Their own windows are measured above, against models estimated before them.",
            len(inside),
        )
        told.append(running((left, moved if inside else "")))
    open_ = _unmasked_leaks(reading)
    if open_:
        told.append(
            _(
                "Not left out of the estimation, although they lie inside it: the sessions of the leak from {days} on. Its "
                "returns count as usual noise there; a [[mask]] over them leaves them out.",
                days=listed(open_),
            )
        )
    return told


def _unmasked_leaks(reading: Reading) -> list[str]:
    """Return the dates of leaks that lie inside an announcement's estimation window without a mask (rule D7)."""
    found: dict[str, None] = {}
    for pair in reading.result.known_before.pairs:
        firm, place = pair.firm, pair.leak.day0
        lo, hi = (firm.day0 + end for end in reading.plan.windows.estimation)
        if lo <= place <= hi and not firm.masked[place]:
            found[day(firm.listing.calendar.sessions[place].date())] = None
    return list(found)


def with_and_without(reading: Reading) -> Table:
    """Return the headline effects with and without the masks."""
    bare = {(row["event_id"], row["symbol"]): row for row in _headline(reading, UNMASKED)}
    rows = []
    for row in _headline(reading, MASKED):
        subject, other = _subject(reading, row), bare.get((row["event_id"], row["symbol"]))
        if other is not None:
            bound = subject.limit(reading.plan.headline_window[1]) if subject.effect(reading.plan.headline_window) else ""
            rows.append(Row(subject.label, _numbers(reading, row, bound) + _numbers(reading, other, bound)))
    columns = (Column(_("Firm"), False), *_columns(reading, 2))
    spans = ((_("With the masks, as in this study"), 3), (_("Without them"), 3))
    caption = _("Headline effects {window} with and without the masked days", window=window(reading.plan.headline_window))
    return finished(reading, Table("masks", caption, columns, (Block(tuple(rows)),), (own_null(), one_firm_a_line()), spans))


def _subject(reading: Reading, row: dict[str, Any]) -> Subject:
    return next(subject for subject in reading.subjects if subject.firm.key == (row["event_id"], row["symbol"]))


def before(reading: Reading) -> Table:
    """Return the effects of the sessions before the event, and from there through the headline window."""
    parts = _rows(reading, "pre_event") + _rows(reading, "through_event")
    windows = list(dict.fromkeys((int(row["window_start"]), int(row["window_end"])) for row in parts))
    rows = []
    for subject in reading.subjects:
        own = {
            (int(row["window_start"]), int(row["window_end"])): row
            for row in parts
            if (row["event_id"], row["symbol"]) == subject.firm.key
        }
        if own:
            cells: tuple[Cell, ...] = ()
            for bounds in windows:
                cells += _numbers(reading, own.get(bounds), subject.limit(bounds[1]) if bounds[1] >= 0 else "")
            rows.append(Row(subject.label, cells))
    spans = tuple((window(bounds), 3) for bounds in windows)
    columns = (Column(_("Firm"), False), *_columns(reading, len(windows)))
    notes = (
        _(
            "p: t test, two-sided. Null: nothing but usual noise in these sessions (sharp null). The window that ends after the "
            "event is the whole effect if news spread in the last ten sessions before it."
        ),
        one_firm_a_line(),
    )
    return finished(reading, Table("before", _("Before the event"), columns, (Block(tuple(rows)),), notes, spans))


def _before_sentences(reading: Reading) -> list[str]:
    """Tell the average of the windows before the event with one parametric and one resampling p-value."""
    tests = reading.result.anticipation_tests
    told = []
    here = tests[(tests["part"] == "pre_event") & (tests["group"] == "all")]
    for bounds in dict.fromkeys((row["window_start"], row["window_end"]) for row in records(here)):
        rows = {row["test"]: row for row in records(here) if (row["window_start"], row["window_end"]) == bounds}
        named = (("portfolio_t", _("portfolio t")), ("placebo_caar", _("placebo dates")))
        there = [(words, rows[test]["p_value"]) for test, words in named if test in rows and rows[test]["p_value"] > 0]
        found = joined(_("{test}, {p}", test=words, p=p_equation(value)) for words, value in there)
        if found:
            n = next(iter(rows.values()))["n"]
            first = ngettext(
                "The treated firm over {window}: {tests}.", "Average of the {count} treated firms over {window}: {tests}.",
                n, count=in_words(n), window=window(bounds), tests=found,
            )  # fmt: skip
            caution = _(
                "A large p-value does not show that nothing was known: what had leaked earlier is in the price before these "
                "sessions."
            )
            told.append(running((first, caution)))
    return told


def scaled(reading: Reading) -> Table:
    """Return what the whole effect would be if the market had held the event to be likely before (rule D11)."""
    rows: dict[FirmName, list[str]] = {}
    treated = {subject.firm.key for subject in reading.treated}
    for row in _rows(reading, "scaled"):
        if row["reason"] == "not_identified" and (row["event_id"], row["symbol"]) in treated:
            rows.setdefault(_subject(reading, row).label, []).append(percent(reading.scale.effect(row["car"])))
    heads = (Column("π = 0", True, _("a complete surprise")), Column("π = 0.25"), Column("π = 0.5", True, _("as likely as not")))
    notes = (
        _(
            "Not identified: no price tells π. If the market had held the event to be likely with probability π before these "
            "sessions, only 1 − π of its effect was left to show, and the whole would be the measured effect divided by 1 − "
            "π. The columns show what an assumption about π would mean; they are no estimates and have no p-value."
        ),
        one_firm_a_line(),
    )
    caption = _(
        "The whole effect under assumptions about what was expected, {window}",
        window=window(reading.plan.headline_window),
    )
    made = tuple(Row(label, tuple(cells)) for label, cells in rows.items())
    shown = made if not reading.many else ()
    return finished(reading, Table("scaled", caption, (Column(_("Firm"), False), *heads), (Block(shown),), notes))
