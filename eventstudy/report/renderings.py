"""A published table as HTML for notebooks, as Markdown, LaTeX and an Excel workbook."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import pandas as pd

from eventstudy.errors import ConfigError, OutputError
from eventstudy.report.numbers import FIXED, MINUS
from eventstudy.report.published import Line, Panel, Published
from eventstudy.report.subjects import letter
from eventstudy.report.templating import environment

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", MINUS: "$-$", FIXED: "~",
    "≤": r"$\leq$", "≥": r"$\geq$", "α": r"$\alpha$", "β": r"$\beta$", "τ": r"$\tau$", "×": r"$\times$", "²": r"$^2$", "″": "''",
    "–": "--", "—": "---", "’": "'", "‘": "`", "“": "``", "”": "''", "…": r"\ldots{}",
    "|": "$|$", '"': "''",
}  # fmt: skip
LONGEST_TEST, LONGEST_FIRM = 16, 7  # em, of names beside their numbers: longer ones are broken
MADE = dt.datetime(2000, 1, 1)  # a workbook carries a date of its making: one and the same, so that equal tables are equal files
LARGEST_SHEET = 1_048_576 - 1


def html(table: Published) -> str:
    """Return the table as HTML that is readable on light and dark paper; everything in it is escaped."""
    return environment().get_template("notebook.html.j2").render(table=table, marks=marks(table, False))


def marks(table: Published, undefined: bool) -> dict[str, str]:
    """Return the letter that stands for each note, which is told under the table; where `undefined`, for reasons, too."""
    lines = [line for panel in table.panels for line in panel.lines]
    told = [line.cells[-1] for line in lines if line.cells[-1] and (undefined or not line.undefined)]
    return {note: letter(place) for place, note in enumerate(dict.fromkeys(told))}


def markdown(table: Published) -> str:
    """Return the table as Markdown pipes, with headings for its parts and a list of notes."""
    parts = [f"**{_piped(table.caption)}**"]
    for panel in table.panels:
        parts += [f"*{_piped(panel.title)}*", _pipes(panel)]
    parts.append("\n".join(f"- {_piped(note)}" for note in table.notes))
    return "\n\n".join(parts) + "\n"


def _pipes(panel: Panel) -> str:
    last = len(panel.columns) - 1
    rule = [":--" if place < panel.text or place == last else "--:" for place in range(last + 1)]
    rows = [[_piped(cell) for cell in line.cells] for line in panel.lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [[_piped(name) for name in panel.columns], rule, *rows])


def _piped(text: str) -> str:
    """Escape what Markdown would read as markup."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text.replace("\n", " "))


def latex(table: Published, label: str) -> str:
    """Return the table as LaTeX that goes on over pages, as wide as a line of the class article; it begins with its packages."""
    if set(label) & set("\\{}%#~^$&_ \n") - {"_"}:
        raise ConfigError(f"label = {label!r}: a LaTeX label is made of letters, digits and : . - _ /")
    titled = rf"\caption{{{_tex(table.caption)}}}" + (rf"\label{{{label}}}" if label else "") + r"\\"
    letters, lines = marks(table, True), [r"\begingroup\footnotesize\setlength{\tabcolsep}{.35em}"]
    for place, panel in enumerate(table.panels):
        named = _named_above(panel)
        columns = panel.columns[1:] if named else panel.columns
        first = "" if named else rf">{{\raggedright\arraybackslash}}p{{{LONGEST_TEST if panel.text > 1 else LONGEST_FIRM}em}}"
        kinds = first + "l" * (panel.text - 1) + "r" * (len(panel.columns) - 1 - panel.text) + "l"
        head = [r"\toprule", _tex_row([*map(_tex, columns[:-1]), ""]), r"\midrule"]
        lines += [rf"\begin{{longtable}}{{{kinds}}}", *([titled] if place == 0 else [])]
        lines += [rf"\multicolumn{{{len(columns)}}}{{l}}{{\textbf{{{_tex(panel.title)}}}}} \\*", *head, r"\endfirsthead", *head]
        lines += [r"\endhead", r"\bottomrule", r"\endfoot", *_tex_lines(panel, letters, named), r"\end{longtable}"]
        lines += [r"\addtocounter{table}{-1}"] if place else []  # one number for all of it
    notes = [*table.notes, *(f"{letter}: {note}." for note, letter in letters.items())]
    lines += [r"\noindent\textit{Notes.} " + " ".join(map(_tex, notes)) + r"\par", r"\endgroup"]
    body = "\n".join(lines) + "\n"
    foreign = " and xelatex with a font that has all its letters" if re.search(r"[^\0-\u024f]", body) else ""
    return rf"% needs \usepackage{{booktabs}} \usepackage{{longtable}} \usepackage{{array}}{foreign}" + "\n" + body


def _named_above(panel: Panel) -> bool:
    """Whether names stand above their lines: those of firms that have a line for each window, for which they leave room."""
    return any(name.cells[0] == line.cells[0] for name, line in pairwise(panel.lines))


def _tex_lines(panel: Panel, letters: Mapping[str, str], named: bool) -> list[str]:
    found: list[str] = []
    above = ""
    for place, line in enumerate(panel.lines):
        if line.mean and place and not panel.lines[place - 1].mean:
            found.append(r"\midrule")
        cells = [_tex(cell) for cell in line.cells[:-1]]
        if line.undefined:
            span = len(cells) - panel.counted
            cells = [*cells[: panel.counted], rf"\multicolumn{{{span}}}{{c}}{{\textit{{undefined}}}}"]
        cells.append(letters.get(line.cells[-1], ""))
        if named and cells[0] != above:
            found.append(rf"\multicolumn{{{len(panel.columns) - 1}}}{{l}}{{\textit{{{cells[0]}}}}} \\*")
            above = cells[0]
        found.append(_tex_row(cells[1:] if named else cells))
    return found


def _tex_row(cells: Sequence[str]) -> str:
    row = " & ".join(cells)
    return ("{}" if row.startswith(("[", "*")) else "") + row + r" \\"  # after \\ these would be read as its argument


def _tex(text: str) -> str:
    return "".join(LATEX.get(letter, letter) for letter in text.replace("\n", " "))


def excel(path: Path | IO[bytes], table: Published, estimates: pd.DataFrame, tests: pd.DataFrame) -> None:
    """Write a workbook, as a file or into one: the table as printed, and sheets with the numbers to sixteen digits.

    Raises
    ------
    ConfigError
        If the package xlsxwriter is not installed, or there are more rows than a sheet takes.
    OutputError
        If the file cannot be written.
    """
    try:
        import xlsxwriter
    except ImportError as problem:
        raise ConfigError(
            "to_excel needs the package xlsxwriter: pip install 'eventstudy-toolkit[excel]', or write CSV files with result.write"
        ) from problem
    if len(estimates) > LARGEST_SHEET:
        raise ConfigError(f"{len(estimates):,} rows are more than a sheet of Excel takes: write CSV files with result.write")
    if isinstance(path, Path) and not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}: make it first")
    # text that begins with = is text, whoever named the share
    target = str(path) if isinstance(path, Path) else path
    book = xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False})
    book.set_properties({"title": table.caption, "created": MADE})
    bold, italic = book.add_format({"bold": True}), book.add_format({"italic": True})
    _printed(book.add_worksheet("Table"), table, bold, italic)
    percent, number = book.add_format({"num_format": "0.00%"}), book.add_format({"num_format": "0.0000"})
    formats = dict.fromkeys(("estimate", "std_error", "ci_low", "ci_high"), percent)
    formats |= dict.fromkeys(("statistic", "p_value", "p_holm", "p_left", "p_right", "floor"), number)
    for name, frame in (("Estimates", estimates), ("Tests", tests)):
        _numbers(book.add_worksheet(name), frame, bold, formats)
    try:
        book.close()
    except (OSError, xlsxwriter.exceptions.FileCreateError) as problem:
        raise OutputError(f"{path} cannot be written ({problem}): close it elsewhere, or choose another name") from problem


def _printed(sheet: Any, table: Published, bold: Any, italic: Any) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 12, 13)
    sheet.write_string(0, 0, table.caption, bold)
    row = 2
    for panel in table.panels:
        sheet.write_string(row, 0, panel.title, italic)
        _text_row(sheet, row + 1, panel.columns, bold)
        for place, line in enumerate(panel.lines):
            _text_row(sheet, row + 2 + place, _plain(line), bold if line.mean else None)
        row += 3 + len(panel.lines)
    for place, note in enumerate(table.notes):
        sheet.write_string(row + place, 0, note)


def _plain(line: Line) -> tuple[str, ...]:
    return tuple(cell.replace(FIXED, " ") for cell in line.cells)


def _text_row(sheet: Any, row: int, cells: tuple[str, ...], style: Any) -> None:
    for column, cell in enumerate(cells):
        sheet.write_string(row, column, cell, style)


def _numbers(sheet: Any, frame: pd.DataFrame, bold: Any, formats: dict[str, Any]) -> None:
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(frame.columns):
        sheet.write_string(0, column, str(name), bold)
        sheet.set_column(column, column, 14)
        for row, value in enumerate(frame[name].tolist(), 1):
            if pd.isna(value):
                continue  # undefined is empty; the reason stands in its column
            if isinstance(value, bool):
                sheet.write_boolean(row, column, value)
            elif isinstance(value, int | float):
                sheet.write_number(row, column, value, formats.get(str(name)))
            else:
                sheet.write_string(row, column, str(value))
