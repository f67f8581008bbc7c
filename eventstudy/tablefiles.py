"""Tables as files: CSV or Parquet, long ones written part by part."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from eventstudy.errors import OutputError

Format = Literal["csv", "parquet"]
LONG = 5_000  # rows from which Arrow is worth its import
ROWS_AT_ONCE = 20_000  # rows whose text is held at once
ROWS_IN_GROUP = 50_000  # rows that Arrow holds at once


def table_text(table: pd.DataFrame) -> str:
    """Write a table as CSV: doubles by their shortest exact text, undefined as empty."""
    return str(table.to_csv(index=False, lineterminator="\n"))


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table into a file of the user's choice.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    try:
        path.write_text(table_text(table), encoding="utf-8", newline="\n")
    except OSError as problem:
        raise OutputError(f"{path}: the table cannot be written ({problem.strerror or problem}): name another file") from problem


def write_parts(parts: Iterable[pd.DataFrame], path: Path, kind: Format) -> None:
    """Write the parts of a table into one file, holding one part at a time."""
    if kind == "parquet":
        _write_parquet(iter(parts), path)
        return
    with path.open("wb") as file:
        header = True
        for part in parts:
            for start in range(0, max(len(part), 1), ROWS_AT_ONCE):
                rows = part.iloc[start : start + ROWS_AT_ONCE]
                file.write(_long_text(rows, header) if len(rows) >= LONG else _text(rows, header))
                header = False


def _text(table: pd.DataFrame, header: bool) -> bytes:
    return str(table.to_csv(index=False, header=header, lineterminator="\n")).encode()


def _long_text(table: pd.DataFrame, header: bool) -> bytes:
    """Return the same bytes as `_text`, by Arrow, which takes a tenth of the time."""
    import pyarrow
    from pyarrow import csv

    sink = pyarrow.BufferOutputStream()
    options = csv.WriteOptions(include_header=False, quoting_style="none")
    try:
        columns = [_words(table[name]) for name in table.columns]
        csv.write_csv(pyarrow.table(columns, names=list(table.columns)), sink, options)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):  # a text has to be quoted, or a column is of another kind
        return _text(table, header)
    head = _text(table.iloc[:0], header=True) if header else b""
    text: bytes = sink.getvalue().to_pybytes()
    return head + text


def _words(column: pd.Series) -> Any:
    """Return a column as Arrow takes it, doubles as the text that Python has for them."""
    import pyarrow
    from pyarrow import compute

    if column.dtype.kind == "b":
        return pyarrow.array(column.map({True: "True", False: "False"}))
    if column.dtype.kind in "iu" or column.dtype in ("str", "Int64"):
        return pyarrow.array(column, from_pandas=True)
    if column.dtype == object:
        return pyarrow.array(column, pyarrow.string(), from_pandas=True)
    if column.dtype != float:
        raise pyarrow.ArrowTypeError(f"a column of {column.dtype}")
    values = column.to_numpy(dtype=float)
    found = pyarrow.array(values, from_pandas=True).cast(pyarrow.string())
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        otherwise = (size < 1e-3) | (size >= 1e9) | (values == np.round(values))  # Arrow drops points and zeros there
    if not otherwise.any():
        return found
    replaced = pyarrow.array([repr(value) for value in values[otherwise].tolist()], pyarrow.string())
    return compute.replace_with_mask(found, pyarrow.array(otherwise), replaced)


def _write_parquet(parts: Iterator[pd.DataFrame], path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    first = next(parts)
    schema = _schema(first)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in itertools.chain([first], parts):
            for start in range(0, max(len(part), 1), ROWS_IN_GROUP):
                rows = part.iloc[start : start + ROWS_IN_GROUP]
                writer.write_table(pyarrow.Table.from_pandas(rows, schema=schema, preserve_index=False))


def _schema(table: pd.DataFrame) -> Any:
    """Return the Parquet schema of a table; a column of nothing but blanks is one of text."""
    import pyarrow

    found = pyarrow.Schema.from_pandas(table, preserve_index=False)
    for place, item in enumerate(found):
        if pyarrow.types.is_null(item.type):
            found = found.set(place, item.with_type(pyarrow.string()))
    return found
