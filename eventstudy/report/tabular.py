"""Tables as data for the template: columns, blocks of rows, notes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from eventstudy.report.language import _
from eventstudy.report.numbers import day, joined, listed
from eventstudy.report.subjects import FirmName, Reading


@dataclass(frozen=True)
class Column:
    """A column; `hint` says in full what a short title means."""

    title: str
    numeric: bool = True
    hint: str = ""


class Valued(str):
    """A cell whose text does not sort by itself, such as an amount in one of several units: `value` is what it sorts by."""

    value: str

    def __new__(cls, text: str, value: float) -> Valued:
        """Make a cell; `value` to the digit, without an exponent."""
        made = super().__new__(cls, text)
        made.value = f"{value:.0f}"
        return made


class Lettered(str):
    """A note that says where the letters at the names lead to: it is no part of what is copied, which has no letters."""

    lettered = True


def dated(date: dt.date) -> Valued:
    """Return a cell with a date in words."""
    return Valued(day(date, week=False), date.toordinal())


@dataclass(frozen=True)
class Undefined:
    """Stands for the numbers of a row that has none: the reason in words, and its code."""

    words: str
    code: str
    columns: int


@dataclass(frozen=True)
class Row:
    """A row; `head` names it, `strong` lifts it out (the headline window)."""

    head: str | FirmName
    cells: tuple[str | Undefined, ...]
    strong: bool = False


@dataclass(frozen=True)
class Block:
    """Rows under a common heading."""

    rows: tuple[Row, ...]
    heading: str | FirmName = ""


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Parameters
    ----------
    anchor : str
        Its id in the page.
    columns : tuple of Column
        The first one is that of the row heads.
    notes : tuple of str
        Printed under it.
    spans : tuple of (str, int)
        Headings over the columns after the first, each over so many of them.
    """

    anchor: str
    caption: str
    columns: tuple[Column, ...]
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()
    spans: tuple[tuple[str, int], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is no row to show."""
        return not any(block.rows for block in self.blocks)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a result table as one dict a row."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def one_firm_a_line() -> str:
    """Return N of a table with a line for each firm."""
    return _("Each line is one firm: N = 1.")


def own_null() -> str:
    """Return the test and the null of a firm's own CAR or abnormal return."""
    return _("p: t test, two-sided. Null: the effect is zero and the event changed nothing, errors normal (sharp null).")


def source_notes(labels: Sequence[str | FirmName]) -> tuple[str, ...]:
    """Return where the letters at the firms of a table or figure are explained; each note is told once, with the data."""
    letters = dict.fromkeys(letter for label in labels if isinstance(label, FirmName) for letter in label.notes)
    return (Lettered(_("{letters}: see the notes on the data.", letters=listed(letters))),) if letters else ()


def explained(table: Table) -> Table:
    """Return a table with the hints of its headings among its notes, for paper and touch; what a note says is not repeated."""
    given = [_("{heading}: {words}", heading=column.title, words="") for column in table.columns if column.hint]
    hints = [column.hint for column in table.columns if column.hint]
    told = dict.fromkeys(
        f"{heading}{hint}"
        for heading, hint in zip(given, hints, strict=True)
        if not any(heading.rstrip() in note for note in table.notes)
    )
    if not told:
        return table
    return replace(table, notes=(*table.notes, _("{headings}.", headings=joined(told))))


def finished(reading: Reading, table: Table) -> Table:
    """Return a table as printed: without a last column that is empty, with the notes on the sources of its firms."""
    labels = [label for block in table.blocks for label in (block.heading, *(row.head for row in block.rows))]
    shown = explained(table)
    shown = replace(shown, notes=shown.notes + source_notes(labels))
    if table.empty or any(row.cells[-1] != "" for block in table.blocks for row in block.rows):
        return shown
    blocks = tuple(replace(block, rows=tuple(replace(row, cells=row.cells[:-1]) for row in block.rows)) for block in table.blocks)
    return replace(shown, columns=table.columns[:-1], blocks=blocks)
