"""A wide table of closes as a Parquet file, named by its content; read piece by piece, for it may be large."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

DATES = " date"  # no symbol is called so
COLUMNS_AT_ONCE = 200


def table_hash(closes: pd.DataFrame) -> str:
    """Return the SHA-256 (hex) over the dates, symbols and closes of a table, whatever stands behind a NaN."""
    return _hash(closes.index.to_numpy(), _pieces_of(closes))


def hash_in(path: Path) -> str:
    """Return the same of the table in a file; nothing of a file that is not there or damaged."""
    try:
        with pq.ParquetFile(path) as file:
            return _hash(_dates_in(file), _pieces_in(file))
    except (OSError, pa.ArrowException, ValueError, KeyError):
        return ""


def read_closes(path: Path) -> pd.DataFrame:
    """Read a table by date and symbol; a damaged file raises whatever its damage leads to."""
    with pq.ParquetFile(path) as file:
        dates, names = _dates_in(file), [name for name in file.schema_arrow.names if name != DATES]
        values = np.empty((len(names), len(dates)))
        start = 0
        for part, closes in _pieces_in(file):
            values[start : start + len(part)] = closes
            start += len(part)
    return pd.DataFrame(values.T, pd.DatetimeIndex(dates, name="date").as_unit("s"), names, copy=False)


def write_closes(closes: pd.DataFrame, path: Path) -> None:
    """Write a table by date and symbol, down to the disk."""
    columns = {DATES: closes.index.to_numpy().astype("datetime64[s]")}
    columns |= {symbol: closes.iloc[:, place].to_numpy(dtype=float) for place, symbol in enumerate(closes.columns)}
    with path.open("wb") as file:
        pq.write_table(pa.table(columns), file, use_dictionary=False, compression="zstd")
        file.flush()
        os.fsync(file.fileno())


def columns_in(file: pq.ParquetFile, names: list[str]) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield names and numbers (columns, rows) of some columns of a file at a time: Arrow holds what it reads several times."""
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        part = file.read(columns=names[start : start + COLUMNS_AT_ONCE], use_threads=False)
        yield part.column_names, np.stack([column.to_numpy() for column in part.columns])


def _hash(dates: np.ndarray, pieces: Iterable[tuple[list[str], np.ndarray]]) -> str:
    digest = hashlib.sha256(dates.astype("datetime64[D]").astype("<i8").tobytes())
    for names, values in pieces:
        digest.update("\n".join(names).encode())
        digest.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
    return digest.hexdigest()


def _pieces_of(closes: pd.DataFrame) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield symbols and closes (s, T) of some columns at a time."""
    for start in range(0, closes.shape[1], COLUMNS_AT_ONCE):
        part = closes.iloc[:, start : start + COLUMNS_AT_ONCE]
        yield list(part.columns), part.to_numpy(dtype=float).T


def _pieces_in(file: pq.ParquetFile) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield the same of a file."""
    return columns_in(file, [name for name in file.schema_arrow.names if name != DATES])


def _dates_in(file: pq.ParquetFile) -> np.ndarray:
    return np.asarray(file.read(columns=[DATES]).column(0).to_numpy())
