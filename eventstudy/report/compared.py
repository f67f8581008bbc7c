"""The page that compares two runs: what became of the headline, which inputs differ, which numbers moved, and by what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from eventstudy.changes import EVENTS, Change, Comparison, State, differ
from eventstudy.report.changed import group_in_words, kind_words, moved_by, moved_number, moved_words
from eventstudy.report.language import _, ngettext, written_in
from eventstudy.report.numbers import Scale, joined, running, whole, window
from eventstudy.report.side import FirmKey, Side
from eventstudy.report.subjects import MANY, FirmName
from eventstudy.report.tabular import Block, Column, Row, Table
from eventstudy.report.templating import environment, language_parts
from eventstudy.report.tests_in_words import words_of_test
from eventstudy.report.wording import own_words

UNFOLDED = 40  # more tests that moved are folded away
AS_ESTIMATED = Scale("simple")  # of runs whose config is not to be had
Key = tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """The numbers of one line of a table that moved: `key` is (firm's event, symbol, window) or (group, window, test)."""

    key: Key
    by_field: dict[str, Change]

    def cells(self, fields: Iterable[str], pair: Pair) -> tuple[str, ...]:
        """Return old and new of every field, empty where a number stayed."""
        found = [self.by_field.get(field) for field in fields]
        return tuple(text for one in found for text in (pair.numbers(one) if one else ("", "")))

    def by(self, pair: Pair) -> str:
        """Return the inputs that moved the line."""
        causes = dict.fromkeys(one.explained_by for one in self.by_field.values() if one.explained_by)
        return joined(dict.fromkeys(moved_by(own_words(cause), lambda symbol: pair.firm_name(symbol).name) for cause in causes))


@dataclass(frozen=True)
class Pair:
    """The two runs."""

    older: Side
    newer: Side

    @property
    def converted(self) -> bool:
        """Whether CARs are read as changes in value."""
        return self.older.scale is not None and self.newer.scale is not None

    def numbers(self, change: Change) -> tuple[str, str]:
        """Return a number of the older and of the newer run, each in the unit of its report."""
        scales = (self.older.scale, self.newer.scale) if self.converted else (AS_ESTIMATED, AS_ESTIMATED)
        old, new = (
            moved_number(change.field, text, scale or AS_ESTIMATED)
            for text, scale in zip((change.old, change.new), scales, strict=True)
        )
        return old, new

    def firm_name(self, symbol: str) -> FirmName:
        """Return the names of a firm, those of the newer run before those of the older one."""
        return (self.newer if self.newer.knows(symbol) or not self.older.knows(symbol) else self.older).firm_name(symbol)

    def event_words(self, event: str, among: Iterable[str]) -> str:
        """Return an event by its label, with its id only where others `among` which it stands have the same label."""
        labels = {**self.older.labels, **self.newer.labels}
        label = labels.get(event, "")
        if not label:
            return own_words(event)
        alike = any(labels.get(other) == label for other in among if other != event)
        return _("{label} ({event})", label=label, event=own_words(event)) if alike else label

    def treated(self, key: FirmKey) -> bool:
        """Whether the event named the firm, as far as is known."""
        return (self.newer if key in self.newer.roles else self.older).treated(key)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Groups, and differences of groups, that either run tested."""
        return tuple(dict.fromkeys(key[0] for side in (self.newer, self.older) for key in side.counts))

    def group_words(self, group: str) -> str:
        """Return a group of the tests in words."""

        def known(name: str) -> str:
            found = self.newer.words_of_group(name)
            return found if any(key[0] == name for key in self.newer.counts) else self.older.words_of_group(name)

        return group_in_words(group, self.groups, known)

    def count(self, key: Key) -> str:
        """Return N of a test, with that of the older run where it was another."""
        before, now = (side.counts.get(key, "") for side in (self.older, self.newer))
        return now or before if before in ("", now) or not now else _("{new} (before: {old})", new=now, old=before)


def render_comparison(
    comparison: Comparison, newer: State | None = None, older: State | None = None, links: Mapping[str, str] | None = None
) -> str:
    """Return the page of a comparison of two runs, in the language of the newer one, to be written as UTF-8.

    Parameters
    ----------
    comparison : Comparison
    newer, older : State, optional
        The two runs: without them the page has no names, no headline, and CARs as estimated.
    links : mapping of str to str, optional
        Addresses of the reports ``older`` and ``newer``, and of ``changes``, the table of these very changes.
    """
    with written_in(newer.spec.report.language if newer and newer.spec else "en"):
        pair = Pair(Side(older), Side(newer))
        inputs = [change for change in comparison.changes if change.kind != "result"]
        results = comparison.of("result")
        cars, tests = (_moved(results, table) for table in ("cars", "tests"))
        treated = [one for one in cars if pair.treated(_firm(one))]
        others = [one for one in cars if not pair.treated(_firm(one))]
        return environment().get_template("comparison.html.j2").render(
            language_parts(), older=own_words(comparison.older), newer=own_words(comparison.newer),
            title=pair.newer.title, other=pair.older.title if pair.older.title != pair.newer.title else "",
            links={"older": "", "newer": "", "changes": ""} | dict(links or {}),
            problem=own_words(comparison.problem).rstrip("."), answer=_answer(pair, len(inputs), results, treated),
            inputs=_inputs(inputs, pair), tests=_tests(tests, pair), folded=len(tests) > UNFOLDED,
            effects=[
                _effects(treated, pair, "moved", _("Effects of the treated firms that moved, and the input that moved them")),
                _effects(
                    others, pair, "moved-others",
                    _("Effects of variants and placebo firms that moved, and the input that moved them"),
                ),
            ],
        )  # fmt: skip


def _firm(moved: Moved) -> FirmKey:
    return moved.key[0], moved.key[1]


def _answer(pair: Pair, inputs: int, results: Sequence[Change], treated: Sequence[Moved]) -> str:
    """Tell what became of the headline, then how much differs, then the effect that moved most."""
    changed = ngettext("{count} input changed", "{count} inputs changed", inputs, count=whole(inputs))
    counts = _("{inputs}; {numbers}.", inputs=changed if inputs else _("No input changed"), numbers=moved_words(len(results)))
    return running((_headline(pair), counts, _furthest(pair, treated)))


def _headline(pair: Pair) -> str:
    before, now = pair.older.headline, pair.newer.headline
    keys = list(dict.fromkeys([*now, *before]))
    if pair.older.window is None or pair.newer.window is None or not keys:
        return ""
    moved = [key for key in keys if differ(before.get(key, ""), now.get(key, ""))]
    if len(keys) > MANY:
        told = _("{count} of {all} treated firms’ effects moved", count=whole(len(moved)), all=whole(len(keys)))
    else:
        told = joined(_headline_effect(pair, key, key in moved, keys) for key in keys)
    first, last = window(pair.older.window), window(pair.newer.window)
    if first != last:
        return _("The headline window is {new} now and was {old} before: {effects}.", new=last, old=first, effects=told)
    return _("Over the headline window {window}: {effects}.", window=last, effects=told)


def _headline_effect(pair: Pair, key: FirmKey, moved: bool, keys: Sequence[FirmKey]) -> str:
    name = pair.firm_name(key[1]).name
    if [symbol for _event, symbol in keys].count(key[1]) > 1:
        words = pair.event_words(key[0], [event for event, symbol in keys if symbol == key[1]])
        name = _("{firm} ({event})", firm=name, event=words)
    values = pair.older.headline.get(key, ""), pair.newer.headline.get(key, "")
    old, new = pair.numbers(Change("result", "", field="car", old=values[0], new=values[1]))
    if moved:
        return _("{firm} {new} (before: {old})", firm=name, new=new, old=old)
    return _("{firm} {new} (as before)", firm=name, new=new)


def _moved(changes: Sequence[Change], table: str) -> list[Moved]:
    """Bring the numbers of one line of a table together, in the table's order."""
    found: dict[Key, dict[str, Change]] = {}
    for change in changes:
        of, _colon, key = change.subject.partition(": ")
        if of == table:
            found.setdefault(tuple(key.rsplit(", ", 3)), {})[change.field] = change
    return [Moved(key, by_field) for key, by_field in found.items()]


def _furthest(pair: Pair, treated: Sequence[Moved]) -> str:
    """Tell the effect of a treated firm that moved most, of those that both runs have."""
    both = [(one, change) for one in treated if (change := one.by_field.get("car")) and change.old and change.new]
    if not both:
        return ""
    one, change = max(both, key=lambda found: abs(float(found[1].new) - float(found[1].old)))
    _event, symbol, first, last = one.key
    old, new = pair.numbers(change)
    return _(
        "The effect on a treated firm that moved most is that on {firm} over {window}: from {old} to {new}.",
        firm=pair.firm_name(symbol).name, window=window((int(first), int(last))), old=old, new=new,
    )  # fmt: skip


def _inputs(changes: Sequence[Change], pair: Pair) -> Table:
    columns = (
        Column(_("Input"), False), Column(_("Of"), False), Column(_("Date"), False), Column(_("Field"), False),
        Column(_("Before"), False), Column(_("Now"), False),
    )  # fmt: skip
    rows = tuple(
        Row(
            kind_words(change.kind),
            (
                _of(change, changes, pair), own_words(change.date), own_words(change.field),
                own_words(change.old) or _("none"), own_words(change.new) or _("none"),
            ),
        )
        for change in changes
    )  # fmt: skip
    notes = (_("N = {count}: each line is one value.", count=whole(len(rows))),)
    return Table("inputs-table", _("Inputs that differ"), columns, (Block(rows),), notes)


def _of(change: Change, changes: Sequence[Change], pair: Pair) -> str:
    """Return what an input is of: a firm by its name; one at an event by the event's label, too."""
    if change.kind != EVENTS:
        return pair.firm_name(change.subject).name
    event, _comma, symbol = change.subject.rpartition(", ")
    keys = [one.subject.rpartition(", ") for one in changes if one.kind == EVENTS]
    others = [other for other, _comma, firm in keys if firm == symbol]
    return _("{firm} ({event})", firm=pair.firm_name(symbol).name, event=pair.event_words(event, others))


def _effects(cars: Sequence[Moved], pair: Pair, anchor: str, caption: str) -> Table:
    blocks: dict[FirmKey, list[Row]] = {}
    for one in cars:
        bounds = (int(one.key[2]), int(one.key[3]))
        cells = (*one.cells(("car", "se_car", "p_value"), pair), one.by(pair))
        row = Row(window(bounds), cells, bounds == pair.newer.window)
        blocks.setdefault(_firm(one), []).append(row)
    several = len({symbol for _event, symbol in blocks}) < len(blocks)
    found = []
    for (event, symbol), rows in blocks.items():
        head = pair.firm_name(symbol)
        if several:
            words = pair.event_words(event, [other for other, firm in blocks if firm == symbol])
            full = _("{firm} ({event})", firm=head.name, event=words)
            head = FirmName(full, head.other, "" if head.symbol == head.name else head.symbol)
        found.append(Block(tuple(rows), head))
    unit = pair.newer.scale.unit if pair.newer.scale else "%"
    read = _("Effect: the CAR (cumulative abnormal return) read as a change in value, as in the reports.")
    notes = (
        read if pair.converted else _("CAR: cumulative abnormal return as estimated: the config of a run cannot be read."),
        _(
            "s.e.: standard error of the CAR, in {unit}; p: t test, two-sided. Null: the CAR is zero and the event changed "
            "nothing, errors normal (sharp null). Each line is one firm: N = 1.",
            unit=unit,
        ),
        _("A window counts sessions from the event session, both ends included. Empty: did not move."),
        _("Moved by: the number as computed with this input alone changed."),
    )
    spans = ((_("Effect") if pair.converted else "CAR", 2), (_("s.e."), 2), ("p", 2))
    both = (Column(_("Before")), Column(_("Now")))
    columns = (Column(_("Window"), False), *both, *both, *both, Column(_("Moved by"), False))
    return Table(anchor, caption, columns, tuple(found), notes, spans)


def _tests(tests: Sequence[Moved], pair: Pair) -> Table:
    blocks: dict[str, list[Row]] = {}
    for one in tests:
        group, first, last, test = one.key
        heading = _("{group}, {window}", group=pair.group_words(group), window=window((int(first), int(last))))
        cells = (*one.cells(("statistic", "p_value"), pair), pair.count(one.key), one.by(pair))
        blocks.setdefault(heading, []).append(Row(words_of_test(test).name, cells))
    found = tuple(Block(tuple(rows), heading) for heading, rows in blocks.items())
    notes = (
        _("Statistic and p-value of the test named, two-sided; its null as in the reports. Empty: did not move."),
        _("N: firms with a CAR in the window."),
    )
    both = (Column(_("Before")), Column(_("Now")))
    columns = (Column(_("Test"), False), *both, *both, Column("N"), Column(_("Moved by"), False))
    caption = _("Tests that moved, and the input that moved them")
    return Table("moved-tests", caption, columns, found, notes, ((_("Statistic"), 2), ("p", 2)))
