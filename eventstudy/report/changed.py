"""What changed since the last run, in words and as a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventstudy.changes import Change, Comparison
from eventstudy.report.numbers import decimal, percent, window
from eventstudy.report.subjects import FirmName, Reading
from eventstudy.report.tabular import Block, Column, Row, Table
from eventstudy.report.tests_in_words import words_of_test

MOST_TOLD = 40
KINDS = {
    "code": "program", "config": "config", "events": "events", "characteristics": "characteristics", "factors": "factors",
    "revision": "revised figures", "new_sessions": "series with new sessions", "resumed": "suspensions ended",
    "series": "sources",
}  # fmt: skip
FIELDS = {"se_car": "standard error", "p_value": "p", "statistic": "statistic"}


@dataclass(frozen=True)
class ToldChanges:
    """Sentences on the inputs, and the numbers that moved."""

    since: str
    inputs: tuple[str, ...]
    moved: Table
    problem: str


def told_changes(reading: Reading, comparison: Comparison) -> ToldChanges:
    """Return what the page says of the changes since the last run."""
    inputs = [_sentence(reading, change) for change in comparison.changes if change.kind != "result"]
    if len(inputs) > MOST_TOLD:
        inputs = [*inputs[:MOST_TOLD], f"And {len(inputs) - MOST_TOLD} more: see changes.csv."]
    return ToldChanges(comparison.older, tuple(inputs), _moved(reading, comparison.of("result")), comparison.problem.rstrip("."))


def changed_words(about: Mapping[str, Any] | None) -> str:
    """Return what a manifest says of changes since the last run, in a few words."""
    if about is None:
        return "first run"
    counts = dict(about.get("counts", {}))
    moved = int(counts.pop("result", 0))
    inputs = ", ".join(f"{number} {KINDS.get(kind, kind)}" for kind, number in counts.items())
    return f"{inputs or 'no input'}; {moved} numbers moved" if counts or moved else "nothing"


def _sentence(reading: Reading, change: Change) -> str:
    firm, field = reading.firm_name(change.subject).name, change.field
    old, new = _figure(change.old), _figure(change.new)
    if change.kind == "events":
        return _event_sentence(change)
    if field == "last":
        return f"{firm}: new sessions up to {change.new} (before: {change.old})."
    told = {
        "code": f"{change.subject} {change.old or 'not known'} became {change.new or 'not known'}.",
        "config": f"Config, {change.subject}: {change.old or 'absent'} became {change.new or 'absent'}.",
        "characteristics": f"{firm}: characteristic {field} changed from {old} to {new}.",
        "factors": f"{change.subject}: {field} of {change.date} revised from {old} to {new}.",
        "revision": f"{firm}: {field} of {change.date} revised from {old} to {new}.",
        "new_sessions": f"{firm}: sessions from {change.new} on (before: from {change.old}).",
        "resumed": f"{firm}: the suspension ended, traded again on {change.date}.",
        "series": f"{firm}: prices from {change.new or 'no source'} (before: {change.old or 'no source'}).",
    }
    return told[change.kind]


def _event_sentence(change: Change) -> str:
    if change.field != "announced":
        return f"Event {change.subject}: {change.field} {change.old or 'none'} became {change.new or 'none'}."
    if not change.old:
        return f"Event {change.subject}: added, announced {change.new}."
    return f"Event {change.subject}: announced {change.old}, now {change.new or 'removed'}."


def _figure(text: str) -> str:
    """Return a figure of the inputs as read, without the tail that a double's exact text may have."""
    try:
        return f"{float(text):,.10g}" if text else "none"
    except ValueError:
        return text


def _moved(reading: Reading, changes: tuple[Change, ...]) -> Table:
    columns = (
        Column("Number", False), Column("Window", False), Column("Quantity", False), Column("Before"), Column("Now"),
        Column("Moved by", False),
    )  # fmt: skip
    rows = tuple(_row(reading, change) for change in changes[:MOST_TOLD])
    notes = (f"{len(changes) - MOST_TOLD} further numbers moved: see changes.csv.",) if len(changes) > MOST_TOLD else ()
    return Table("changes-table", "Numbers that moved", columns, (Block(rows),), notes)


def _row(reading: Reading, change: Change) -> Row:
    table, _, key = change.subject.partition(": ")
    head: str | FirmName
    if table == "cars":
        _, symbol, lo, hi = key.rsplit(", ", 3)
        head = reading.firm_name(symbol)
    else:
        group, lo, hi, test = key.rsplit(", ", 3)
        head = f"{words_of_test(test).name}, {reading.group_name(group)}"
    numbers = _number(change, change.old), _number(change, change.new)
    fields = FIELDS | {"car": "effect (log)" if reading.plan.returns == "log" else "effect"}
    moved_by = re.sub(r"(?<= of )[^;,]+", lambda found: reading.firm_name(found[0]).name, change.explained_by)
    return Row(head, (window((int(lo), int(hi))), fields.get(change.field, change.field), *numbers, moved_by))


def _number(change: Change, text: str) -> str:
    if not text:
        return "none"
    return percent(float(text), 2) if change.field in ("car", "se_car") else decimal(float(text), 3)
