"""Mangled price files: each is read right, or refused with one sentence, or read with a warning that names the one figure
that may be wrong: the last of a file whose last line has no line end. Never a traceback.

What no reader can see is left out: a digit changed into another, a close and a volume that changed places, a
symbol turned into another symbol.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventstudy.errors import EventStudyError
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.files import FileSource
from eventstudy.sources.symbols import SPELLINGS, spelt

SYMBOLS = ("002415.SZ", "600000.SS", "000001.SZ", "AAPL")
EVER = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")
HEADER = ["date", "symbol", "close", "volume", "name"]
DATE, SYMBOL, CLOSE, VOLUME, NAME = range(5)

NO_NUMBERS = [
    "abc", "1,5", "NaN", "--", "0", "-3", "1e400", "inf", "-inf", "0x1F", "1_000", "１２", "3 2", "#N/A", "12.3.4", "∞",
    "9" * 400, "1e20", "None", "True", "0.0", "-0", "12,345.60", "32.10 CNY", "½", "1e-400",
]  # fmt: skip
NO_DATES = [
    "2019-13-01", "2019-02-30", "yesterday", "", "10/08/2019", "2019-10", "43746", "1.10.2019", "2019-10-08T16:00:00Z", "2019",
    "0019-10-08", "20191301", "2019-10-08-09", "1.5", "２０１９-10-08", "2019–10–08", "NaT", "20191008000000", "-2019-10-08",
]  # fmt: skip


@dataclass(frozen=True)
class Table:
    """The truth: rows of date, symbol, close, volume and name, in the order of the file."""

    rows: tuple[tuple[str, ...], ...]

    def grid(self) -> list[list[str]]:
        """Header and rows, to be mangled."""
        return [list(HEADER), *map(list, self.rows)]

    def series(self, symbol: str) -> dict[str, tuple[float, float]]:
        """Close and volume by date."""
        return {row[DATE]: (float(row[CLOSE]), float(row[VOLUME])) for row in self.rows if row[SYMBOL] == symbol}


@dataclass(frozen=True)
class Mangled:
    """A file, and what may become of it.

    Parameters
    ----------
    content : bytes
    outcome : {"same", "refused", "either"}
    lost : bool
        Whether rows may be missing.
    volumes : bool
        Whether the volumes are in the file.
    suffix : str
    """

    content: bytes
    outcome: str
    lost: bool = False
    volumes: bool = True
    suffix: str = "csv"


@st.composite
def tables(draw: st.DrawFn) -> Table:
    symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=3, unique=True))
    days = pd.bdate_range("2019-09-02", periods=draw(st.integers(2, 12))).strftime("%Y-%m-%d")
    cents = st.integers(100, 99_999)
    names = st.sampled_from(["海康威视", "Ping An", ""])
    rows = [
        (day, symbol, f"{draw(cents) / 100:.2f}", str(draw(st.integers(0, 10**8))), draw(names))
        for symbol in symbols
        for day in days
    ]
    return Table(tuple(rows))


def text_of(grid: list[list[str]], separator: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    lines = io.StringIO()
    csv.writer(lines, delimiter=separator, lineterminator=end, quoting=quoting).writerows(grid)  # type: ignore[arg-type]
    return lines.getvalue()


def some_row(draw: st.DrawFn, table: Table) -> int:
    """Choose a row of the grid below the header."""
    return draw(st.integers(1, len(table.rows)))


def cut(draw: st.DrawFn, table: Table) -> Mangled:
    last = draw(st.sampled_from(range(5)))  # what ends the line is what a cut can shorten
    grid = [[*row[:last], *row[last + 1 :], row[last]] for row in table.grid()]
    content = text_of(grid).encode(draw(st.sampled_from(["utf-8", "utf-16", "gb18030"])))
    return Mangled(content[: draw(st.integers(0, len(content) - 1))], "either", lost=True)


def columns_moved(draw: st.DrawFn, table: Table) -> Mangled:
    order = draw(st.permutations(range(5)))
    return Mangled(text_of([[row[place] for place in order] for row in table.grid()]).encode(), "same")


def columns_swapped_below_header(draw: st.DrawFn, table: Table) -> Mangled:
    one, other = draw(st.sampled_from([(DATE, SYMBOL), (DATE, CLOSE), (SYMBOL, CLOSE), (SYMBOL, VOLUME), (CLOSE, NAME)]))
    grid = table.grid()
    for row in grid[1:]:
        row[one], row[other] = row[other], row[one]
    blank = (one, other) == (CLOSE, NAME)  # a blank name is a session without a close
    return Mangled(text_of(grid).encode(), "either" if blank else "refused", lost=blank)


def cell(draw: st.DrawFn, table: Table) -> Mangled:
    grid, (column, values) = table.grid(), draw(st.sampled_from([(CLOSE, NO_NUMBERS), (DATE, NO_DATES)]))
    grid[some_row(draw, table)][column] = draw(st.sampled_from(values))
    return Mangled(text_of(grid).encode(), "refused")


def volume_cell(draw: st.DrawFn, table: Table) -> Mangled:
    grid = table.grid()
    grid[some_row(draw, table)][VOLUME] = draw(st.sampled_from(["n/a", "-1", "inf", "1e16", "1,234,567", "12 lots", "\u00ad5"]))
    return Mangled(text_of(grid).encode(), "refused")


def spaces(draw: st.DrawFn, table: Table) -> Mangled:
    space = draw(st.sampled_from([" ", "\t", "\u00a0", "  "]))
    return Mangled(text_of([[f"{space}{cell}{space}" for cell in row] for row in table.grid()]).encode(), "same")


def encoded(draw: st.DrawFn, table: Table) -> Mangled:
    name = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"]))
    return Mangled(text_of(table.grid()).encode(name), "same")


def encoded_by_halves(draw: st.DrawFn, table: Table) -> Mangled:
    content = text_of(table.grid())
    half = draw(st.integers(1, len(content) - 1))
    first, second = draw(st.sampled_from([("utf-8", "utf-16"), ("utf-16", "utf-8"), ("utf-8", "utf-32")]))
    return Mangled(content[:half].encode(first) + content[half:].encode(second), "either", lost=True, volumes=False)


def marks(draw: st.DrawFn, table: Table) -> Mangled:
    number = draw(st.integers(1, 3))
    return Mangled(b"\xef\xbb\xbf" * number + text_of(table.grid()).encode(), "same" if number < 3 else "refused")


def separated(draw: st.DrawFn, table: Table) -> Mangled:
    return Mangled(text_of(table.grid(), draw(st.sampled_from(";\t|"))).encode(), "same")


def separator_lost(draw: st.DrawFn, table: Table) -> Mangled:
    lines = text_of(table.grid()).splitlines(keepends=True)
    place = some_row(draw, table)
    lines[place] = lines[place].replace(",", draw(st.sampled_from([";", "\t", "", " ", ",,"])), draw(st.integers(1, 3)))
    return Mangled("".join(lines).encode(), "refused")


def decimal_comma(draw: st.DrawFn, table: Table) -> Mangled:
    return Mangled(text_of([[cell.replace(".", ",") for cell in row] for row in table.grid()], ";").encode(), "refused")


def trailing_separators(draw: st.DrawFn, table: Table) -> Mangled:
    number = draw(st.integers(1, 3))
    return Mangled(text_of([[*row, *[""] * number] for row in table.grid()]).encode(), "same")


def nul(draw: st.DrawFn, table: Table) -> Mangled:
    content = text_of(table.grid()).encode()
    place = draw(st.integers(0, len(content)))
    return Mangled(content[:place] + b"\x00" * draw(st.integers(1, 4)) + content[place:], "refused")


def repeated(draw: st.DrawFn, table: Table) -> Mangled:
    grid = table.grid()
    copies = draw(st.lists(st.integers(1, len(table.rows)), min_size=1, max_size=5))
    return Mangled(text_of(grid + [grid[place] for place in copies]).encode(), "same")


def repeated_otherwise(draw: st.DrawFn, table: Table) -> Mangled:
    grid = table.grid()
    other = list(grid[some_row(draw, table)])
    column = draw(st.sampled_from([CLOSE, VOLUME]))
    other[column] = other[column] + "1" if "." in other[column] else str(int(other[column]) + 1)
    return Mangled(text_of([*grid, other]).encode(), "refused")


def shuffled(draw: st.DrawFn, table: Table) -> Mangled:
    header, *rows = table.grid()
    return Mangled(text_of([header, *draw(st.permutations(rows))]).encode(), "same")


def line_ends(draw: st.DrawFn, table: Table) -> Mangled:
    ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r\n", "\n,,,,\n", "\n \n"])
    return Mangled("".join(text_of([row], end=draw(ends)) for row in table.grid()).encode(), "same")


def no_last_line_end(draw: st.DrawFn, table: Table) -> Mangled:
    return Mangled(text_of(table.grid()).rstrip("\n").encode(), "same")


def quoted(draw: st.DrawFn, table: Table) -> Mangled:
    return Mangled(text_of(table.grid(), quoting=csv.QUOTE_ALL).encode(), "same")


def stray_quote(draw: st.DrawFn, table: Table) -> Mangled:
    lines = text_of(table.grid()).splitlines(keepends=True)
    place = draw(st.integers(0, len(table.rows)))
    lines[place] = '"' + lines[place]
    return Mangled("".join(lines).encode(), "refused")


def column_dropped(draw: st.DrawFn, table: Table) -> Mangled:
    column = draw(st.sampled_from([DATE, SYMBOL, CLOSE, VOLUME]))
    content = text_of([[cell for place, cell in enumerate(row) if place != column] for row in table.grid()]).encode()
    return Mangled(content, "same" if column == VOLUME else "refused", volumes=False)


def header_damaged(draw: st.DrawFn, table: Table) -> Mangled:
    grid, column = table.grid(), draw(st.sampled_from([DATE, SYMBOL, CLOSE]))
    grid[0][column] = draw(st.sampled_from(["", "x", grid[0][column][1:], "\ufffd", "close.1", "日期"]))
    return Mangled(text_of(grid).encode(), "refused")


def header_dropped(draw: st.DrawFn, table: Table) -> Mangled:
    bare = draw(st.booleans())  # a bare code in place of a name looks like a symbol, and the codes below it like prices
    rows = [[row[DATE], spelt(row[SYMBOL], "bare") if bare else row[SYMBOL], *row[2:]] for row in table.rows]
    return Mangled(text_of(rows).encode(), "refused")


def header_shouted(draw: st.DrawFn, table: Table) -> Mangled:
    grid = table.grid()
    grid[0] = [name.upper() if draw(st.booleans()) else name.title() for name in grid[0]]
    return Mangled(text_of(grid).encode(), "same")


def header_again(draw: st.DrawFn, table: Table) -> Mangled:
    grid = table.grid()
    grid.insert(some_row(draw, table), list(HEADER))
    return Mangled(text_of(grid).encode(), "same")


def column_twice(draw: st.DrawFn, table: Table) -> Mangled:
    column = draw(st.sampled_from([DATE, SYMBOL, CLOSE, VOLUME]))
    return Mangled(text_of([[*row, row[column]] for row in table.grid()]).encode(), "refused")


def rubbish(draw: st.DrawFn, table: Table) -> Mangled:
    begins = [b"", b"PK\x03\x04", b"<!DOCTYPE html>\n<html>", b"PAR1", b"\xff\xfe", b"%PDF-1.7\n", b"\x1f\x8b", b"{"]
    content = draw(st.sampled_from(begins)) + draw(st.binary(max_size=400))
    return Mangled(content, "refused", suffix=draw(st.sampled_from(["csv", "parquet", "csv.gz"])))


def rubbish_inside(draw: st.DrawFn, table: Table) -> Mangled:
    content = text_of(table.grid()).encode(draw(st.sampled_from(["utf-8", "gb18030"])))
    place = draw(st.integers(0, len(content)))
    high = bytes(draw(st.lists(st.integers(0x80, 0xFF), min_size=1, max_size=12)))
    return Mangled(content[:place] + high + content[place:], "either", lost=True, volumes=False)


def compact_dates(draw: st.DrawFn, table: Table) -> Mangled:
    separator = draw(st.sampled_from(["", "/", "."]))
    rows = [[row[0].replace("-", separator), *row[1:]] for row in table.grid()[1:]]
    return Mangled(text_of([list(HEADER), *rows]).encode(), "same")


def spelt_otherwise(draw: st.DrawFn, table: Table) -> Mangled:
    spelling = draw(st.sampled_from(SPELLINGS))
    rows = [[row[0], spelt(row[1], spelling), *row[2:]] for row in table.rows]  # type: ignore[arg-type]
    return Mangled(text_of([list(HEADER), *rows]).encode(), "same")


def wide(draw: st.DrawFn, table: Table) -> Mangled:
    frame = pd.DataFrame(table.rows, columns=HEADER).pivot(index="date", columns="symbol", values="close")
    return Mangled(frame.to_csv().encode(), "same", volumes=False)


def parquet(draw: st.DrawFn, table: Table) -> Mangled:
    frame = pd.DataFrame(table.rows, columns=HEADER)
    if draw(st.booleans()):
        numbers = {"close": frame["close"].astype(float), "volume": frame["volume"].astype(int)}
        frame = frame.assign(date=pd.to_datetime(frame["date"]), **numbers)
    stream = io.BytesIO()
    frame.to_parquet(stream)
    return Mangled(stream.getvalue(), "same", suffix=draw(st.sampled_from(["parquet", "pq", "csv"])))


def parquet_damaged(draw: st.DrawFn, table: Table) -> Mangled:
    whole = parquet(draw, table).content
    kind = draw(st.sampled_from(["cut", "head", "tail"]))
    damaged = {"cut": whole[: draw(st.integers(0, len(whole) - 1))], "head": b"XXXX" + whole[4:], "tail": whole[:-4] + b"XXXX"}
    # The mark at the head is a formality: with the one at the tail in place the file is whole.
    return Mangled(damaged[kind], "either" if kind == "head" else "refused", suffix="parquet")


def text_called_parquet(draw: st.DrawFn, table: Table) -> Mangled:
    return Mangled(text_of(table.grid()).encode(), "refused", suffix="parquet")


MANGLES: list[Callable[[st.DrawFn, Table], Mangled]] = [
    cut, columns_moved, columns_swapped_below_header, cell, cell, volume_cell, spaces, encoded, encoded_by_halves, marks,
    separated, separator_lost, decimal_comma, trailing_separators, nul, repeated, repeated_otherwise, shuffled, line_ends,
    no_last_line_end, quoted, stray_quote, column_dropped, header_damaged, header_dropped, header_shouted, header_again,
    column_twice, rubbish, rubbish_inside, compact_dates, spelt_otherwise, wide, parquet, parquet_damaged, text_called_parquet,
]  # fmt: skip


@st.composite
def mangled_files(draw: st.DrawFn) -> tuple[str, Table, Mangled]:
    table, mangle = draw(tables()), draw(st.sampled_from(MANGLES))
    return mangle.__name__, table, mangle(draw, table)


def warning(series: PriceSeries) -> str:
    """The sentence about the figure at the end of a file without a last line end; empty where there is none."""
    return next((text for code, text in series.doubts if code == "unended_line"), "")


def judge(name: str, table: Table, file: Mangled, folder: Path) -> None:
    """Read every symbol of the file and compare with the truth."""
    path = folder / f"prices.{file.suffix}"
    path.write_bytes(file.content)
    source = FileSource(path)
    refused = 0
    symbols = list(dict.fromkeys(row[SYMBOL] for row in table.rows))
    for symbol in symbols:
        sentence = ""
        try:
            series = source.fetch(symbol, *EVER, "share")
        except EventStudyError as problem:
            sentence = str(problem)
        if sentence:
            assert sentence.isprintable(), sentence
            assert len(sentence) < 600, sentence
            refused += 1
            continue
        truth, warned = table.series(symbol), warning(series)
        frame = series.frame[series.frame["close"].notna()]
        for day, close, volume in frame[["close", "volume"]].itertuples():
            date = f"{day:%Y-%m-%d}"
            if f" date {date}" in warned or (f" {date} " in warned and " symbol " in warned):
                continue  # the whole row is in doubt: its date or its symbol ends the file
            assert close == truth[date][0] or f" {date} {symbol} close " in warned, name
            right = volume == truth[date][1] or (not file.volumes and np.isnan(volume))
            assert right or f" {date} {symbol} volume " in warned, name
        if not file.lost:
            assert len(frame) == len(truth), name
    assert file.outcome != "same" or file.lost or not refused, name
    assert file.outcome != "refused" or refused, name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mangled")


COMMON = settings(deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])


@settings(COMMON, max_examples=200)
@given(mangled_files())
def test_mangled_files_are_read_right_or_refused(folder: Path, case: tuple[str, Table, Mangled]) -> None:
    judge(*case, folder)


@pytest.mark.validation
@settings(COMMON, max_examples=10_000)
@given(mangled_files())
def test_ten_thousand_mangled_files(folder: Path, case: tuple[str, Table, Mangled]) -> None:
    judge(*case, folder)


@pytest.mark.parametrize("mangle", dict.fromkeys(MANGLES), ids=lambda mangle: mangle.__name__)
def test_every_way_of_mangling(mangle: Callable[[st.DrawFn, Table], Mangled], folder: Path) -> None:
    """Two hundred draws need not reach each way: here each has its turn."""

    @settings(COMMON, max_examples=5)
    @given(st.data(), tables())
    def turn(data: st.DataObject, table: Table) -> None:
        judge(mangle.__name__, table, mangle(data.draw, table), folder)  # type: ignore[arg-type]

    turn()


def test_judge_sees_a_cut_figure_that_is_not_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table((("2019-10-08", "AAPL", "32.10", "5", ""), ("2019-10-09", "AAPL", "33.10", "5", "")))
    grid = [[row[DATE], row[SYMBOL], row[VOLUME], row[CLOSE]] for row in table.grid()]
    file = Mangled(text_of(grid)[:-2].encode(), "either")
    judge("cut", table, file, folder)
    monkeypatch.setattr("test_mangled_files.warning", lambda series: "")
    judge("cut", table, file, folder)  # 33.1 is 33.10
    with pytest.raises(AssertionError):
        judge("cut", table, replace(file, content=file.content[:-1]), folder)  # 33. is not


def test_judge_sees_a_wrong_number(folder: Path) -> None:
    table = Table((("2019-10-08", "AAPL", "32.10", "5", ""), ("2019-10-09", "AAPL", "33.10", "5", "")))
    file = Mangled(text_of(table.grid()).replace("33.10", "33.01").encode(), "either")
    with pytest.raises(AssertionError):
        judge("digit", table, file, folder)
    judge("nothing", table, replace(file, content=text_of(table.grid()).encode()), folder)
