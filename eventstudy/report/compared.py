"""The page that compares two runs: which inputs differ, which numbers moved, and by what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from eventstudy.changes import Change, Comparison, State
from eventstudy.report.changed import kind_words, moved_by, moved_number, moved_words
from eventstudy.report.language import _, ngettext, spoken, written_in
from eventstudy.report.numbers import percent, whole, window
from eventstudy.report.subjects import FirmName
from eventstudy.report.tabular import Block, Column, Row, Table
from eventstudy.report.templating import environment, language_parts
from eventstudy.report.tests_in_words import words_of_test
from eventstudy.report.wording import own_words
from eventstudy.study import ALL, UNCONFOUNDED

UNFOLDED = 40  # more tests that moved are folded away
Key = tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """The numbers of one line of a table that moved: `key` is (firm's event, symbol, window) or (group, window, test)."""

    key: Key
    by_field: dict[str, Change]

    def cells(self, fields: Iterable[str], name: Callable[[str], str]) -> tuple[str, ...]:
        """Return old and new of every field, then what moved them; empty where a number stayed."""
        found = [self.by_field.get(field) for field in fields]
        pairs = [
            (moved_number(one.field, one.old), moved_number(one.field, one.new)) if one else ("", "") for one in found
        ]
        by = dict.fromkeys(moved_by(own_words(one.explained_by), name) for one in found if one and one.explained_by)
        return (*(text for pair in pairs for text in pair), "; ".join(by))


def render_comparison(comparison: Comparison, newer: State | None = None) -> str:
    """Return the page of a comparison of two runs, in the language of the newer one, to be written as UTF-8."""
    spec = newer.spec if newer else None
    with written_in(spec.report.language if spec else "en"):
        name = partial(firm_name, newer)
        inputs = [change for change in comparison.changes if change.kind != "result"]
        results = comparison.of("result")
        cars, tests = (_moved(results, table) for table in ("cars", "tests"))
        return environment().get_template("comparison.html.j2").render(
            language_parts(), older=own_words(comparison.older), newer=own_words(comparison.newer),
            problem=own_words(comparison.problem).rstrip("."), answer=_answer(len(inputs), len(results)),
            furthest=_furthest(cars, name), inputs=_inputs(inputs, name), effects=_effects(cars, name),
            tests=_tests(tests, name), folded=len(tests) > UNFOLDED,
        )  # fmt: skip


def firm_name(run: State | None, symbol: str) -> FirmName:
    """Return the names that a run has for a symbol."""
    inputs = run.inputs if run else None
    settings, series = (inputs.firms.get(symbol), inputs.series.get(symbol)) if inputs else (None, None)
    name = (settings.name if settings else "") or (series.name if series else "")
    chinese = (settings.name_zh if settings else "") or (series.name_zh if series else "")
    first = (chinese if spoken() == "zh" else "") or name or symbol
    return FirmName(own_words(first), "", own_words(symbol))


def _answer(inputs: int, numbers: int) -> str:
    changed = ngettext("{count} input changed", "{count} inputs changed", inputs, count=whole(inputs))
    return _("{inputs}; {numbers}.", inputs=changed if inputs else _("No input changed"), numbers=moved_words(numbers))


def _moved(changes: Sequence[Change], table: str) -> list[Moved]:
    """Bring the numbers of one line of a table together, in the table's order."""
    found: dict[Key, dict[str, Change]] = {}
    for change in changes:
        of, _colon, key = change.subject.partition(": ")
        if of == table:
            found.setdefault(tuple(key.rsplit(", ", 3)), {})[change.field] = change
    return [Moved(key, by_field) for key, by_field in found.items()]


def _furthest(cars: Sequence[Moved], name: Callable[[str], FirmName]) -> str:
    """Tell the effect that moved most, of those that both runs have."""
    both = [(one, change) for one in cars if (change := one.by_field.get("car")) and change.old and change.new]
    if not both:
        return ""
    one, change = max(both, key=lambda pair: abs(float(pair[1].new) - float(pair[1].old)))
    _event, symbol, first, last = one.key
    return _(
        "The CAR that moved most is that of {firm} over {window}: from {old} to {new}.",
        firm=name(symbol).name, window=window((int(first), int(last))), old=percent(float(change.old)),
        new=percent(float(change.new)),
    )  # fmt: skip


def _inputs(changes: Sequence[Change], name: Callable[[str], FirmName]) -> Table:
    columns = (
        Column(_("Input"), False), Column(_("Of"), False), Column(_("Date"), False), Column(_("Field"), False),
        Column(_("Before"), False), Column(_("Now"), False),
    )  # fmt: skip
    rows = tuple(
        Row(
            kind_words(change.kind),
            (
                name(change.subject).name, own_words(change.date), own_words(change.field),
                own_words(change.old) or _("none"), own_words(change.new) or _("none"),
            ),
        )
        for change in changes
    )  # fmt: skip
    return Table("inputs-table", _("Inputs that differ"), columns, (Block(rows),))


def _columns(first: str, quantities: int) -> tuple[Column, ...]:
    pair = (Column(_("Before")), Column(_("Now")))
    return Column(first, False), *(pair * quantities), Column(_("Moved by"), False)


def _effects(cars: Sequence[Moved], name: Callable[[str], FirmName]) -> Table:
    blocks: dict[Key, list[Row]] = {}
    for one in cars:
        cells = one.cells(("car", "se_car", "p_value"), lambda symbol: name(symbol).name)
        blocks.setdefault(one.key[:2], []).append(Row(window((int(one.key[2]), int(one.key[3]))), cells))
    several = len({symbol for _event, symbol in blocks}) < len(blocks)
    found = []
    for (event, symbol), rows in blocks.items():
        head = name(symbol)
        if several:
            full = _("{firm} ({event})", firm=head.name, event=own_words(event))
            head = FirmName(full, "", "" if head.symbol == head.name else head.symbol)
        found.append(Block(tuple(rows), head))
    notes = (
        _("CAR: cumulative abnormal return as estimated; s.e.: its standard error; p: two-sided, null as in the reports."),
        _("A window counts sessions from the event session, both ends included. Empty: did not move."),
        _("Moved by: the number as computed with this input alone changed."),
    )
    spans = (("CAR", 2), (_("s.e."), 2), ("p", 2))
    caption = _("Effects that moved, and the input that moved them")
    return Table("moved", caption, _columns(_("Window"), 3), tuple(found), notes, spans)


def _tests(tests: Sequence[Moved], name: Callable[[str], FirmName]) -> Table:
    blocks: dict[str, list[Row]] = {}
    for one in tests:
        group, first, last, test = one.key
        group_words = {ALL: _("All treated firms"), UNCONFOUNDED: _("Treated firms without other news in the window")}
        words = group_words.get(group) or own_words(group)
        heading = _("{group}, {window}", group=words, window=window((int(first), int(last))))
        cells = one.cells(("statistic", "p_value"), lambda symbol: name(symbol).name)
        blocks.setdefault(heading, []).append(Row(words_of_test(test).name, cells))
    found = tuple(Block(tuple(rows), heading) for heading, rows in blocks.items())
    notes = (_("Statistic and p-value of the test named, two-sided; its null as in the reports. Empty: did not move."),)
    spans = ((_("Statistic"), 2), ("p", 2))
    return Table("moved-tests", _("Tests that moved, and the input that moved them"), _columns(_("Test"), 2), found, notes, spans)
