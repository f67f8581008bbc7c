"""What was known before, in words: leaks beside the announcement, sessions before it, and masked days (rules D11, 0.4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from eventstudy.anticipation_tables import MASKED, UNMASKED
from eventstudy.report.dating import announced
from eventstudy.report.numbers import (
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
    window,
)
from eventstudy.report.subjects import FirmName, Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished, records
from eventstudy.report.wording import REASONS, own_words, sentence
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
        mine = [row for (name, _), row in rows.items() if name == news]
        found = [row for row in mine if not row["reason"]]
        clauses = [f"{reading.firm_name(row['symbol']).name} {_effect_words(reading, row)}" for row in found]
        missing = [(reading.firm_name(row["symbol"]).name, row["reason"]) for row in mine if row["reason"]]
        lost = [f"{name} ({REASONS.get(reason, reason)})" for name, reason in missing]
        first = sentence(f"{own_words(label)}. {announced(when)}")
        if clauses:
            first_day, last_day = (dt.date.fromisoformat(found[0][name]) for name in ("first_session", "last_session"))
            first += f" Over {days(first_day, last_day)}, beyond the benchmark: {listed(clauses)}."
        if lost:
            first += f" Not measured: {listed(lost)}."
        short = [reading.firm_name(row["symbol"]).name for row in found if row["short_history"]]
        if short:
            first += (
                f" The prices of {listed(short)} begin inside the estimation window of the leak, which starts there and is "
                f"shorter than asked for ({listed(dict.fromkeys(str(int(row['nobs'])) for row in found))} returns)."
            )
        told.append(first)
    return told


def _effect_words(reading: Reading, row: dict[str, Any]) -> str:
    low, high = _interval(reading, row)
    return f"{percent(reading.scale.effect(row['car']), 1)} ({confidence(reading.plan.alpha)} interval {interval(low, high, 1)})"


def _interval(reading: Reading, row: dict[str, Any]) -> tuple[float, float]:
    reach = float(critical_value(reading.plan.alpha, row["df"])) * row["se_car"]
    return reading.scale.effect(row["car"] - reach), reading.scale.effect(row["car"] + reach)


def _numbers(reading: Reading, row: dict[str, Any] | None, bound: str = "") -> tuple[Cell, ...]:
    """Return effect, interval and p of a row, or its reason in their place."""
    if row is None:
        return ("", "", "")
    if row["reason"]:
        return (Undefined(REASONS.get(row["reason"], row["reason"]), row["reason"], 3),)
    sign = {"down": "≤ ", "up": "≥ "}.get(bound, "")
    effect = sign + percent(reading.scale.effect(row["car"]))
    return (effect, interval(*_interval(reading, row)), "censored" if bound else p_value(row["p_value"]))


def _columns(reading: Reading, count: int) -> tuple[Column, ...]:
    one = (Column("Effect"), Column(f"{confidence(reading.plan.alpha)} interval"), Column("p"))
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
        first = day(dt.date.fromisoformat(row["first_session"]), week=False)
        own = window((int(row["window_start"]), int(row["window_end"])))
        start = day(subject.date(headline[0]), week=False)
        lines = (
            Row("Leak", (own, first, *_numbers(reading, row))),
            Row("Announcement", (window(headline), start, *_numbers(reading, announcements[subject.firm.key], bound))),
            Row("Both together", ("", "", *_numbers(reading, totals[(*subject.firm.key, row["news"])], bound)), True),
        )
        blocks.append(Block(lines, subject.label))
    columns = (Column("News", False), Column("Window", False), Column("First session"), *_columns(reading, 1))
    notes = [
        "Leak: its own window, against a model estimated before the leak. Announcement: the headline window. Both together: "
        "the sum "
        "of the two as log returns, read as a change in value, with the covariance that shared estimation sessions give the two. "
        "Null of p: neither moved the share (sharp null)."
        if reading.scale.kind == "log"
        else "Both together: the sum of the two. Null of p: neither moved the share (sharp null).",
        "What moved a share between the two dates is in neither.",
    ]
    tests = reading.result.anticipation_tests
    mean = tests[(tests["part"] == "total") & (tests["test"] == "portfolio_t")]
    if len(mean):
        test = mean.iloc[0]
        notes.append(
            f"Mean of the totals of the {int(test['n'])} treated firms with both: portfolio t = {decimal(test['statistic'])}, "
            f"{p_equation(test['p_value'])}, with the full covariance across firms and dates. Firms that reacted unlike each "
            "other make "
            "a mean that describes none of them."
        )
    return finished(reading, Table("leak-and-announcement", "Leak and announcement", columns, tuple(blocks), tuple(notes)))


def _headline(reading: Reading, estimation: str) -> list[dict[str, Any]]:
    lo, hi = reading.plan.headline_window
    return [row for row in _rows(reading, "announcement", estimation) if (row["window_start"], row["window_end"]) == (lo, hi)]


def _mask_sentences(reading: Reading) -> list[str]:
    told = []
    paired = [row for row in _rows(reading, "leak") if row["event_id"] and row["first_session"]]
    leaks = [dt.date.fromisoformat(row["first_session"]) for row in paired]
    for mask in reading.plan.masks:
        inside = [date for date in leaks if mask.first <= date <= mask.last]
        why = (
            " That is where the leak above moved the shares: left in, its returns would pass for usual noise and shift the "
            "model. They "
            "are not lost; they are the window of the leak itself."
            if inside
            else ""
        )
        told.append(f"Left out of the estimation: {days(mask.first, mask.last)} ({own_words(mask.reason)}).{why}")
    open_ = _unmasked_leaks(reading)
    if open_:
        told.append(
            f"Not left out of the estimation, although they lie inside it: the sessions of the leak from {listed(open_)} on. Its "
            "returns count as usual noise there; a [[mask]] over them leaves them out."
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
    columns = (Column("Firm", False), *_columns(reading, 2))
    spans = (("With the masks, as in this study", 3), ("Without them", 3))
    caption = f"Headline effects {window(reading.plan.headline_window)} with and without the masked days"
    return finished(reading, Table("masks", caption, columns, (Block(tuple(rows)),), (), spans))


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
    columns = (Column("Firm", False), *_columns(reading, len(windows)))
    notes = (
        "Null of p: nothing but usual noise in these sessions (sharp null). The window that ends after the event is the whole "
        "effect "
        "if news spread in the last ten sessions before it.",
    )
    return finished(reading, Table("before", "Before the event", columns, (Block(tuple(rows)),), notes, spans))


def _before_sentences(reading: Reading) -> list[str]:
    """Tell the average of the windows before the event with one parametric and one resampling p-value."""
    tests = reading.result.anticipation_tests
    told = []
    here = tests[(tests["part"] == "pre_event") & (tests["group"] == "all")]
    for bounds in dict.fromkeys((row["window_start"], row["window_end"]) for row in records(here)):
        rows = {row["test"]: row for row in records(here) if (row["window_start"], row["window_end"]) == bounds}
        named = (("portfolio_t", "portfolio t"), ("placebo_caar", "placebo dates"))
        there = [(words, rows[test]["p_value"]) for test, words in named if test in rows and rows[test]["p_value"] > 0]
        found = [f"{words}, {p_equation(value)}" for words, value in there]
        if found:
            told.append(
                f"{_whose(next(iter(rows.values()))['n'])} over {window(bounds)}: {'; '.join(found)}. A "
                "large "
                "p-value does not show that nothing was known: what had leaked earlier is in the price before these sessions."
            )
    return told


def _whose(count: int) -> str:
    return "The treated firm" if count == 1 else f"Average of the {in_words(count)} treated firms"


def scaled(reading: Reading) -> Table:
    """Return what the whole effect would be if the market had held the event to be likely before (rule D11)."""
    rows: dict[FirmName, list[str]] = {}
    treated = {subject.firm.key for subject in reading.treated}
    for row in _rows(reading, "scaled"):
        if row["reason"] == "not_identified" and (row["event_id"], row["symbol"]) in treated:
            rows.setdefault(_subject(reading, row).label, []).append(percent(reading.scale.effect(row["car"])))
    heads = (Column("π = 0", True, "a complete surprise"), Column("π = 0.25"), Column("π = 0.5", True, "as likely as not"))
    notes = (
        "Not identified: no price tells π. If the market had held the event to be likely with probability π before these "
        "sessions, "
        "only 1 − π of its effect was left to show, and the whole would be the measured effect divided by 1 − π. The columns "
        "show what "
        "an assumption about π would mean; they are no estimates and have no p-value.",
    )
    caption = f"The whole effect under assumptions about what was expected, {window(reading.plan.headline_window)}"
    made = tuple(Row(label, tuple(cells)) for label, cells in rows.items())
    shown = made if not reading.many else ()
    return finished(reading, Table("scaled", caption, (Column("Firm", False), *heads), (Block(shown),), notes))
