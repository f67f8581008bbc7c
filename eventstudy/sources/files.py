"""The user's own files: one long table of prices, one of the benchmark."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from eventstudy.errors import DataError, UnknownSymbolError
from eventstudy.sources.base import Absent, Kind, PriceSeries
from eventstudy.sources.frames import price_frame


class FileSource:
    """Prices from CSV or Parquet files with the columns date, symbol, close [, adj_close] [, volume]."""

    name = "files"
    remote = False

    def __init__(self, prices: Path, benchmark: Path | None, absent: Absent = "suspended") -> None:
        self.prices, self.benchmark, self.absent = prices, benchmark, absent
        self._benchmark_symbol = ""

    @classmethod
    def from_settings(cls, folder: Path, settings: Mapping[str, Any]) -> FileSource:
        """Return the source that a [data.files] table describes."""
        benchmark = folder / settings["benchmark"] if settings.get("benchmark") else None
        return cls(folder / settings["prices"], benchmark, settings.get("absent", "suspended"))

    @cached_property
    def _rows(self) -> dict[str, pd.DataFrame]:
        table = read_table(self.prices, ["date", "symbol"])
        if not {"close", "adj_close"} & set(table.columns):
            raise DataError(f"{self.prices}: no column 'close': the columns needed are date, symbol and close")
        return {str(symbol).strip(): rows for symbol, rows in table.groupby("symbol", sort=False)}

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the rows of `symbol`; an index comes from the benchmark file where there is one."""
        if kind == "index" and self.benchmark is not None:
            path, raw = self.benchmark, read_table(self.benchmark, ["date", "close"])
            if "symbol" in raw:
                raw = raw[raw["symbol"].astype(str).str.strip() == symbol]
            elif self._benchmark_symbol not in ("", symbol):
                raise DataError(
                    f"{path}: the file has no column 'symbol', so it cannot stand for both {self._benchmark_symbol} and {symbol}"
                )
            self._benchmark_symbol = symbol
        else:
            path, raw = self.prices, self._rows.get(symbol, pd.DataFrame({"date": []}))
        if raw.empty:
            raise UnknownSymbolError(f"{path.name}: no rows of {symbol}: check the spelling of the symbol")
        frame, notes = price_frame(raw, f"{path}, {symbol}")
        return PriceSeries(symbol, frame, self.name, kind, self.absent, notes=tuple(notes))


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False, index_col=False)
    except pd.errors.ParserWarning:  # every row has a cell more than the header: harmless where it is blank
        table = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False, header=None, skiprows=1)
        header = pd.read_csv(path, dtype=str, encoding="utf-8-sig", nrows=0).columns
        if (table.iloc[:, len(header) :] != "").any(axis=None):
            raise ValueError(f"its rows have {table.shape[1]} cells, its header {len(header)}") from None
        return table.iloc[:, : len(header)].set_axis(header, axis=1)


def read_table(path: Path, needed: list[str]) -> pd.DataFrame:
    """Read a CSV (as text) or Parquet file and check that its columns are there.

    Raises
    ------
    DataError
        If the file is absent, unreadable, or lacks a column.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            table = pd.read_parquet(path)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)
                table = _read_csv(path)
    except OSError as problem:
        raise DataError(f"{path}: the file cannot be read ({problem.strerror or problem}): check the path") from problem
    except (ValueError, pd.errors.ParserError) as problem:
        said = " ".join(str(problem).split())
        raise DataError(f"{path}: the file is not a table that can be read ({said}): check its separators") from problem
    table.columns = [str(name).strip() for name in table.columns]
    for name in needed:
        if name not in table:
            raise DataError(f"{path}: no column {name!r}: it has {', '.join(table.columns)}")
    return table
