"""What changed since the last run, in words and as a table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from eventstudy.changes import Change, Comparison
from eventstudy.draws import difference_name
from eventstudy.report.language import N_, _, ngettext
from eventstudy.report.numbers import Scale, decimal, joined, listed, percent, whole, window
from eventstudy.report.subjects import FirmName, Reading
from eventstudy.report.tabular import Block, Column, Row, Table
from eventstudy.report.tests_in_words import words_of_test
from eventstudy.report.wording import own_words

MOST_TOLD = 40
KINDS = {
    "code": N_("program"), "config": N_("config"), "events": N_("events"), "characteristics": N_("characteristics"),
    "factors": N_("factors"), "revision": N_("revised figures"), "new_sessions": N_("new sessions"),
    "resumed": N_("suspensions ended"), "series": N_("sources"),
}  # fmt: skip
INPUTS = (
    N_("code"), N_("config"), N_("events"), N_("characteristics"), N_("factors"), N_("series"), N_("new sessions"),
)  # fmt: skip
TOGETHER_WITH = ", together with what else changed"
FIELDS = {"car": N_("effect"), "p_value": "p", "statistic": N_("statistic")}


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
        inputs = [*inputs[:MOST_TOLD], _("And {count} more: see changes.csv.", count=len(inputs) - MOST_TOLD)]
    return ToldChanges(comparison.older, tuple(inputs), _moved(reading, comparison.of("result")), comparison.problem.rstrip("."))


def kind_words(kind: str) -> str:
    """Return what kind of input changed."""
    return _(KINDS[kind]) if kind in KINDS else own_words(kind)


def changed_words(about: Mapping[str, Any] | None) -> str:
    """Return what a manifest says of changes since the last run, in a few words."""
    if about is None:
        return _("first run")
    counts = dict(about.get("counts", {}))
    moved = int(counts.pop("result", 0))
    if not counts and not moved:
        return _("nothing")
    inputs = [_("{kind} ({count})", kind=kind_words(kind), count=whole(number)) for kind, number in counts.items()]
    return joined([listed(inputs) if inputs else _("no input"), moved_words(moved)])


def moved_words(count: int) -> str:
    """Return how many numbers moved."""
    if not count:
        return _("no number moved")
    return ngettext("{count} number moved", "{count} numbers moved", count, count=whole(count))


def _sentence(reading: Reading, change: Change) -> str:
    firm, field = reading.firm_name(change.subject).name, change.field
    old, new = _figure(change.old), _figure(change.new)
    if change.kind == "events":
        return _event_sentence(change)
    if field == "last":
        return _("{firm}: new sessions up to {new} (before: {old}).", firm=firm, new=change.new, old=change.old)
    was, now = (value or _("not known") for value in (change.old, change.new))
    before, after = (value or _("absent") for value in (change.old, change.new))
    source, earlier = (value or _("no source") for value in (change.new, change.old))
    revised = _("{subject}: {field} of {date} revised from {old} to {new}.")
    told = {
        "code": _("{subject} {old} became {new}.", subject=change.subject, old=was, new=now),
        "config": _("Config, {subject}: {old} became {new}.", subject=change.subject, old=before, new=after),
        "characteristics": _(
            "{firm}: characteristic {field} changed from {old} to {new}.",
            firm=firm, field=field, old=old, new=new,
        ),
        "factors": revised.format(subject=change.subject, field=field, date=change.date, old=old, new=new),
        "revision": revised.format(subject=firm, field=field, date=change.date, old=old, new=new),
        "new_sessions": _("{firm}: sessions from {new} on (before: from {old}).", firm=firm, new=change.new, old=change.old),
        "resumed": _("{firm}: the suspension ended, traded again on {date}.", firm=firm, date=change.date),
        "series": _("{firm}: prices from {source} (before: {earlier}).", firm=firm, source=source, earlier=earlier),
    }
    return told[change.kind]


def _event_sentence(change: Change) -> str:
    if change.field != "announced":
        old, new = (value or _("none") for value in (change.old, change.new))
        return _("Event {event}: {field} {old} became {new}.", event=change.subject, field=change.field, old=old, new=new)
    if not change.old:
        return _("Event {event}: added, announced {new}.", event=change.subject, new=change.new)
    return _("Event {event}: announced {old}, now {new}.", event=change.subject, old=change.old, new=change.new or _("removed"))


def _figure(text: str) -> str:
    """Return a figure of the inputs as read, without the tail that a double's exact text may have."""
    try:
        return f"{float(text):,.10g}" if text else _("none")
    except ValueError:
        return text


def _moved(reading: Reading, changes: tuple[Change, ...]) -> Table:
    columns = (
        Column(_("Number"), False), Column(_("Window"), False), Column(_("Quantity"), False), Column(_("Before")),
        Column(_("Now")),
        Column(_("Moved by"), False),
    )  # fmt: skip
    rows = tuple(_row(reading, change) for change in changes[:MOST_TOLD])
    more = len(changes) - MOST_TOLD
    notes = (_("{count} further numbers moved: see changes.csv.", count=more),) if more > 0 else ()
    notes = (*notes, _("N = 1 in the lines of firms; that of tests stands with them in the results, as do their nulls."))
    return Table("changes-table", _("Numbers that moved"), columns, (Block(rows),), notes)


def _row(reading: Reading, change: Change) -> Row:
    table, _colon, key = change.subject.partition(": ")
    head: str | FirmName
    if table == "cars":
        _event, symbol, lo, hi = key.rsplit(", ", 3)
        head = reading.firm_name(symbol)
    else:
        group, lo, hi, test = key.rsplit(", ", 3)
        group = group_in_words(group, tuple(reading.study.groups), reading.group_name)
        head = _("{test}, {group}", test=words_of_test(test).name, group=group)
    numbers = moved_number(change.field, change.old, reading.scale), moved_number(change.field, change.new, reading.scale)
    field = _("standard error, {unit}", unit=reading.scale.unit) if change.field == "se_car" else _(FIELDS[change.field])
    by = moved_by(change.explained_by, lambda symbol: reading.firm_name(symbol).name)
    return Row(head, (window((int(lo), int(hi))), field, *numbers, by))


def group_in_words(group: str, known: Collection[str], name: Callable[[str], str]) -> str:
    """Return a group of the tests in words, or the two whose difference was tested; `name` tells what one is called."""
    for first, second in product(known, known):
        if group == difference_name(first, second):
            return _("{first} less {second}", first=name(first), second=name(second))
    return name(group)


def moved_by(text: str, name: Callable[[str], str]) -> str:
    """Name the inputs that moved a number; `name` tells what a symbol is called."""
    first, joint, _rest = text.partition(TOGETHER_WITH)
    if joint:
        return _("{input}, together with what else changed", input=_input(first, name))
    _start, several, names = text.partition("together: ")
    if several:
        return _("together: {inputs}", inputs=joined(_input(part, name) for part in names.split("; ")))
    count, several, _rest = text.partition(" inputs together")
    return _("{count} inputs together", count=count) if several else _input(text, name)


def _input(text: str, name: Callable[[str], str]) -> str:
    kind, of, symbol = text.partition(" of ")
    if of and kind == "prices":
        return _("prices of {firm}", firm=name(symbol))
    if of and kind == "revision":
        return _("revision of {firm}", firm=name(symbol))
    return _(text) if text in INPUTS else text


def moved_number(field: str, text: str, scale: Scale) -> str:
    """Return a number of the tables `cars` and `tests` as a comparison prints it: a CAR as the change in value it stands for."""
    if not text:
        return _("none")
    if field == "car":
        return percent(scale.effect(float(text)))
    return decimal(100 * float(text)) if field == "se_car" else decimal(float(text), 3)
