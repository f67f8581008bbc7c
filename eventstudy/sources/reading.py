"""Table files as they come: CSV of any usual encoding and separator, or Parquet; damage is refused, not guessed at."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.errors import ConfigError, DataError
from eventstudy.sources.frames import is_date, shown

EXCEL = re.compile(r'"?sep=([^\r\n])"?[,;\t|]*(?=[\r\n])', re.IGNORECASE)  # the line by which Excel is told the separator
# Longest mark first: UTF-32's little-endian one begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SEPARATORS = ",\t;|"
OTHER_FORMATS = ((b"PK\x03\x04", "an Excel workbook or a zip archive"), (b"\xd0\xcf\x11\xe0", "an old Excel workbook"))
PARQUET = b"PAR1"


@dataclass(frozen=True)
class RawTable:
    """A table as a file holds it.

    Parameters
    ----------
    frame : DataFrame
        Text (CSV) or whatever types Parquet gave; of a CSV, the index ``line`` holds the lines of the file.
    notes : tuple of str
        What the reader of a report must know, such as an encoding.
    unended : bool
        Whether the last line of a text has no line end, and so may be cut short.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    unended: bool = False


def raw_table(path: Path, encoding: str | None = None, trim: Callable[[str], str] | None = None) -> RawTable:
    """Read a CSV (all of it as text) or Parquet file; a name that ends in ``.gz`` is unpacked.

    Parameters
    ----------
    trim : callable, optional
        Cuts the text of a CSV down to its table.

    Raises
    ------
    ConfigError
        If there is no encoding of that name.
    DataError
        If the file is absent, unreadable, damaged, or no table.
    """
    try:
        if _begins_with(path, PARQUET):
            return RawTable(_parquet(path, path))
        content = path.read_bytes()
        if path.suffix.lower() == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise DataError(f"{path}: the file cannot be read ({reason}): check the path") from problem
    for mark, what in OTHER_FORMATS:
        if content.startswith(mark):
            raise DataError(f"{path}: this is {what}: save the table as CSV (UTF-8) or Parquet")
    if content.startswith(PARQUET) or path.suffix.lower() in (".parquet", ".pq"):
        return RawTable(_parquet(path, io.BytesIO(content)))
    text, notes = _decoded(path, content, encoding)
    text = trim(text) if trim else text
    return RawTable(_csv(path, text), notes, not text.endswith(("\n", "\r")))


def _begins_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def _parquet(path: Path, source: Path | io.BytesIO) -> pd.DataFrame:
    try:
        table = _table_of(source)
    except Exception as problem:  # a damaged file raises whatever its damage leads to
        raise DataError(f"{path}: the file is not Parquet that can be read: write it again") from problem
    table = _with_index(table)
    table.columns = _checked_names(path, [str(name) for name in table.columns])
    return table


def _table_of(source: Path | io.BytesIO) -> pd.DataFrame:
    """Read a Parquet file; one of very many columns piece by piece, for Arrow holds all at once several times over."""
    import pyarrow
    from pyarrow import parquet

    from eventstudy.closestable import COLUMNS_AT_ONCE, columns_in

    with parquet.ParquetFile(source) as file:
        schema = file.schema_arrow
        numbers = [item.name for item in schema if pyarrow.types.is_float64(item.type)]
        index = [name for name in (schema.pandas_metadata or {}).get("index_columns", ()) if isinstance(name, str)]
        few = len(numbers) <= COLUMNS_AT_ONCE or not file.metadata.num_rows
        if few or set(index) & set(numbers) or len(set(schema.names)) < len(schema.names):
            return pd.read_parquet(source)
        values = np.empty((len(numbers), file.metadata.num_rows))
        start = 0
        for part, columns in columns_in(file, numbers):
            values[start : start + len(part)] = columns
            start += len(part)
        others = [item.name for item in schema if not pyarrow.types.is_float64(item.type)]
        rest = file.read(columns=others, use_pandas_metadata=True).to_pandas().rename(columns=str)
    table = pd.DataFrame(values.T, index=rest.index if len(rest) else None, columns=numbers, copy=False)
    order = [name for name in schema.names if name not in others or name in rest]
    for name in rest.columns:
        table.insert(order.index(name), name, rest[name])
    return table


def _with_index(table: pd.DataFrame) -> pd.DataFrame:
    """Put dates and symbols that stand in the index before the columns; leave out row numbers and what is there already."""
    there = {str(name).strip().lower() for name in table.columns}
    whole = table.reset_index(drop=True)
    levels: list[pd.Series] = []
    for place, name in enumerate(table.index.names):
        values = pd.Series(table.index.get_level_values(place), name="date" if name is None else str(name))
        numbers = name is None and not (len(values) and (values.dtype.kind == "M" or is_date(str(values.iloc[0]))))
        if not numbers and str(values.name).strip().lower() not in there:
            levels.append(values)
    return pd.concat([*levels, whole], axis=1) if levels else whole


def _decoded(path: Path, content: bytes, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    marked = next((name for mark, name in MARKS if content.startswith(mark)), None)
    if encoding is not None and not _is_encoding(encoding):
        raise ConfigError(f"encoding = {shown(encoding)} is no encoding: give one such as utf-8, utf-16 or gb18030, or none")
    if not content.strip():
        raise DataError(f"{path}: the file is empty: export it again")
    tried = [encoding or marked] if encoding or marked else ["utf-8", "gb18030"]
    for name in tried:
        try:
            text = content.decode(str(name))
        except (UnicodeError, LookupError):
            continue
        if "\x00" in text:
            raise DataError(f"{path}: the file holds NUL bytes, so it is damaged or UTF-16 without its mark: save it as UTF-8")
        said = str(name).upper().removesuffix("-SIG")
        return text.removeprefix("\ufeff"), () if said == "UTF-8" else (f"read as {said} text: the file is not UTF-8",)
    if encoding or marked:
        raise DataError(f"{path}: the file is not {str(tried[0]).upper()} text throughout: it is damaged, export it again")
    raise DataError(f"{path}: the file is neither UTF-8, UTF-16 nor GB18030 text: save it as UTF-8, or name its encoding")


def _is_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except (LookupError, ValueError):
        return False


def _csv(path: Path, text: str) -> pd.DataFrame:
    excel = EXCEL.match(text)
    text = text[excel.end() :] if excel else text  # its line stays, but blank
    lines = io.StringIO(text, newline=None)  # any mixture of line ends
    head = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    mark = excel[1] if excel else max(SEPARATORS, key=lambda mark: _names_in(head.split(mark)))
    reader = csv.reader(lines, delimiter=mark, strict=True)
    header: list[str] = []
    rows, numbers = [], []
    try:
        for row in reader:
            if not (row and row[0].strip()) and not any(cell.strip() for cell in row):
                continue  # a line of blanks, as spreadsheets leave them behind
            if not header:
                header = _checked_names(path, row)
                continue
            while len(row) > len(header) and not row[-1].strip():  # a separator at the end of the line
                row.pop()
            if len(row) != len(header):
                last = "" if text.endswith(("\n", "\r")) or lines.read(1) else "; as the last line it may be cut short"
                raise DataError(
                    f"{path}, line {reader.line_num}: {len(row)} fields where the header has {len(header)}{last}: "
                    "correct the line, or export the file again"
                )
            rows.append(row)
            numbers.append(reader.line_num)
    except csv.Error as problem:
        raise DataError(
            f"{path}, line {reader.line_num}: a quotation mark is missing or a field is too long ({problem}): correct it"
        ) from problem
    return pd.DataFrame(rows, columns=header, index=pd.Index(numbers, name="line", dtype="int64"), dtype="object")


def _names_in(fields: list[str]) -> int:
    return sum(any(letter.isalnum() for letter in field) for field in fields)


def _checked_names(path: Path, names: list[str]) -> list[str]:
    names = [name.strip() for name in names]
    for name, count in Counter(names).items():
        if name and count > 1:
            raise DataError(f"{path}: two columns are called {shown(name)}: rename or remove one")
    return names


def listed(names: Iterable[str], most: int = 10) -> str:
    """List names for a message, on one line and not at length."""
    found = list(names)
    text = ", ".join(name if name.isprintable() and len(name) <= 40 else shown(name) for name in found[:most])
    return (text or "none") + (f" and {len(found) - most} more" if len(found) > most else "")


def told_once(cases: Iterable[tuple[str, str, str]]) -> list[str]:
    """Tell once of cases alike: the sentence of the first of them, and the names of a few others.

    Parameters
    ----------
    cases : iterable of (str, str, str)
        What cases alike have in common, a case's name (blank where its sentence is true of all of them), its sentence.
    """
    alike: dict[str, list[tuple[str, str]]] = {}
    for shared, name, sentence in cases:
        alike.setdefault(shared, []).append((name, sentence))
    likewise = [[name for name, _ in others if name] for _, *others in alike.values()]
    told = [sentence for (_, sentence), *_ in alike.values()]
    return [f"{one} (and so for {listed(names, 5)})" if names else one for one, names in zip(told, likewise, strict=True)]
