"""Tables as files: CSV or Parquet, long ones written part by part."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from eventstudy.errors import OutputError

Format = Literal["csv", "parquet"]


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
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, part in enumerate(parts):
            part.to_csv(file, index=False, header=not number, lineterminator="\n")


def _write_parquet(parts: Iterator[pd.DataFrame], path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    first = next(parts)
    schema = _schema(first)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in itertools.chain([first], parts):
            writer.write_table(pyarrow.Table.from_pandas(part, schema=schema, preserve_index=False))


def _schema(table: pd.DataFrame) -> Any:
    """Return the Parquet schema of a table; a column of nothing but blanks is one of text."""
    import pyarrow

    found = pyarrow.Schema.from_pandas(table, preserve_index=False)
    for place, item in enumerate(found):
        if pyarrow.types.is_null(item.type):
            found = found.set(place, item.with_type(pyarrow.string()))
    return found
