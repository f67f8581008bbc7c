"""The user's own files: prices and benchmark as CSV or Parquet, long or wide, in our columns or a vendor's.

Long has a row a session and symbol, wide a column of closes a symbol with the dates in the first column. Columns
are ours (date, symbol, close [, adj_close] [, volume] ...), a vendor's (`formats`), or mapped one by one. Text
is read as UTF-8, by its byte-order mark (UTF-16), or else as GB18030; anything but UTF-8 is noted. Symbols are
brought into Yahoo's spelling (`symbols`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from eventstudy.errors import ConfigError, DataError, UnknownSymbolError
from eventstudy.sources.base import Absent, Kind, PriceSeries
from eventstudy.sources.formats import FORMATS, LOT, PLAIN, Format, Rules, vendor_frame
from eventstudy.sources.frames import date_in, is_date, shown
from eventstudy.sources.reading import RawTable, listed, raw_table
from eventstudy.sources.symbols import market_symbol
from eventstudy.sources.wide import WideRows, WideSeries, wide_series

Shape = Literal["long", "wide"]
SWAPPED = str.maketrans(".,", ",.")


@dataclass(frozen=True)
class Layout:
    """How one file is to be read.

    Parameters
    ----------
    form : Format
        Column names, units and words.
    columns : mapping
        Our name of a column to its name in the file, given by the user; goes before the format's.
    also : mapping
        The same, for columns that the file may lack.
    shape : {"long", "wide"}, optional
        Default: told from the header.
    encoding : str, optional
        Default: told from the content.
    decimal : {".", ","}
    date_format : str, optional
        As of `strptime`; default: year, month, day.
    volume_unit : {"shares", "lots"}, optional
        Default: the format's.
    index : bool
        Whether this is a file of indices.
    """

    form: Format = PLAIN
    columns: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)
    shape: Shape | None = None
    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    date_format: str | None = None
    volume_unit: Literal["shares", "lots"] | None = None
    index: bool = False

    @property
    def unit(self) -> int:
        """Shares that one unit of volume stands for."""
        return {None: self.form.unit, "shares": 1, "lots": LOT}[self.volume_unit]


@dataclass(frozen=True)
class Loaded:
    """A file taken apart: rows by symbol (the empty symbol where the file names none), notes, and the last figure in doubt."""

    rows: Mapping[str, pd.DataFrame]
    notes: tuple[str, ...]
    last: LastFigure | None = None


@dataclass(frozen=True)
class LastFigure:
    """Where a text without a last line end ends: the figure there may have been cut short.

    Parameters
    ----------
    symbol : str
        Whose row it is; empty where the symbol may itself be cut, or the file names none.
    line : int
        Of the file, an index label of the symbol's rows.
    column : str
    value : str
        As it stands in the file.
    """

    symbol: str
    line: int
    column: str
    value: str

    def doubt(self, symbol: str, rows: pd.DataFrame) -> tuple[tuple[str, str], ...]:
        """Return what is to be told of the series `symbol`."""
        date = ""
        if self.line in rows.index:
            text = str(rows["date"][self.line]).strip()
            date = f" {date_in(text) or text} {symbol}"
        value = self.value or "blank"
        sentence = f"the file's last line has no line end: if it was cut, its last figure is wrong:{date} {self.column} {value}"
        return (("unended_line", sentence),)


class FileSource:
    """Prices from the user's files; each file is read once, when it is first needed.

    Parameters
    ----------
    prices : Path
        Prices of shares; of indices, too, where there is no benchmark file.
    benchmark : Path, optional
        Levels of one index or several.
    absent : {"suspended", "missing"}, optional
        What it means when a session has no row; default: the format's, ``suspended`` without one.
    layout, benchmark_layout : Layout
        How the files are to be read.
    """

    name = "files"
    remote = False

    def __init__(
        self,
        prices: Path,
        benchmark: Path | None = None,
        absent: Absent | None = None,
        layout: Layout | None = None,
        benchmark_layout: Layout | None = None,
    ) -> None:
        self.prices, self.benchmark = prices, benchmark
        self.layout, self.benchmark_layout = layout or Layout(), benchmark_layout or Layout(index=True)
        self.absent: Absent = absent or self.layout.form.absent
        self._unnamed = ""  # the symbol that a benchmark file without symbols stands for

    @classmethod
    def from_settings(cls, folder: Path, settings: Mapping[str, Any]) -> FileSource:
        """Return the source that a [data.files] table describes."""
        form = FORMATS[settings["format"]] if settings.get("format") else PLAIN
        shared: dict[str, Any] = {name: settings.get(name) for name in ("encoding", "date_format", "volume_unit")}
        shared["decimal"] = settings.get("decimal") or "."
        columns = {name: theirs for name, theirs in (settings.get("columns") or {}).items() if theirs is not None}
        own = {name: theirs for name, theirs in (settings.get("benchmark_columns") or {}).items() if theirs is not None}
        benchmark = folder / settings["benchmark"] if settings.get("benchmark") else None
        return cls(
            folder / settings["prices"], benchmark, settings.get("absent"),
            Layout(form, columns, shape=settings.get("shape"), **shared),
            Layout(form, own, {} if own else columns, index=True, **shared),
        )  # fmt: skip

    @cached_property
    def _price_rows(self) -> Loaded:
        return load(self.prices, self.layout)

    @cached_property
    def _benchmark_rows(self) -> Loaded:
        assert self.benchmark is not None
        return load(self.benchmark, self.benchmark_layout)

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return all rows of `symbol`; an index comes from the benchmark file where there is one.

        Raises
        ------
        UnknownSymbolError
            If the file has no rows of it.
        ConfigError
            If a column that the config names is not in the file.
        DataError
            If the file or its rows cannot be used.
        """
        if kind == "index" and self.benchmark is not None:
            path, layout, loaded = self.benchmark, self.benchmark_layout, self._benchmark_rows
        else:
            path, layout, loaded = self.prices, self.layout, self._price_rows
        wanted = market_symbol(symbol)
        keys = [wanted, wanted.partition(".")[0], ""] if layout.index else [wanted]
        key = next((key for key in keys if key in loaded.rows), None)
        raw = None if key is None else loaded.rows[key]
        if raw is not None and raw is loaded.rows.get(""):
            if self._unnamed not in ("", symbol):
                raise DataError(f"{path}: the file names no symbol, so it cannot stand for both {self._unnamed} and {symbol}")
            self._unnamed = symbol
        if raw is None or raw.empty:
            raise UnknownSymbolError(
                f"{path.name}: no rows of {symbol}: check the spelling, the file holds {listed(loaded.rows, 5)}"
            )
        frame, notes = vendor_frame(raw, layout.form, f"{path}, {symbol}", Rules(kind, self.absent, layout.unit, wanted))
        last = loaded.last
        mine = last is not None and (last.symbol not in loaded.rows or last.symbol == key or loaded.rows[last.symbol] is raw)
        doubts = last.doubt(symbol, raw) if last and mine else ()
        return PriceSeries(symbol, frame, self.name, kind, self.absent, notes=(*loaded.notes, *notes), doubts=doubts)

    def wide(self, symbols: Sequence[str]) -> WideSeries | None:
        """Return the series of those of some symbols that are priced in a wide table, the same as `fetch` makes one by one.

        None if the file is no such table, or its rows want a look one by one.

        Raises
        ------
        ConfigError, DataError
            If the file cannot be used.
        """
        rows = self._price_rows.rows
        if not isinstance(rows, WideRows) or self._price_rows.notes or self.absent != "suspended":
            return None
        asked = {market_symbol(symbol): symbol for symbol in symbols}
        if len(asked) < len(symbols):
            return None
        closes = rows.closes([asked.get(name, name) for name in rows])
        found = None if closes is None else wide_series(closes, symbols, self.name)
        return found if found and len(found) == len(asked.keys() & set(rows)) else None  # a column of blanks is a share, too


def load(path: Path, layout: Layout) -> Loaded:
    """Read a file and take it apart by symbol.

    Raises
    ------
    ConfigError
        If a column that the config names is not in the file.
    DataError
        If the file cannot be read or lacks a column.
    """
    found = raw_table(path, layout.encoding)
    if found.frame.empty:
        raise DataError(f"{path}: the file has a header, but no rows: export it again")
    names = [str(name) for name in found.frame.columns]
    columns = _find_columns(path, names, layout)
    wide = _shape(names, columns, layout) == "wide"
    rows = _wide(path, found.frame, layout) if wide else _long(path, found.frame, columns, layout)
    last = _last_figure(found, rows, {} if wide else columns, layout)
    return Loaded(rows, (*found.notes, *_overlooked(names, columns, layout)), last)


def _find_columns(path: Path, names: list[str], layout: Layout) -> dict[str, str]:
    """Match our names of columns to the file's: the user's map, then the format, exactly or but for case."""
    candidates = layout.form.names(layout.index)
    lower: dict[str, str] = {}
    for name in reversed(names):
        lower[name.lower()] = name
    columns = {}
    for ours, theirs in candidates.items():
        match = next((name for name in theirs if name in names), None)
        match = match or next((lower[name.lower()] for name in theirs if name.lower() in lower), None)
        if match is not None:
            columns[ours] = match
    columns |= {ours: theirs for ours, theirs in layout.also.items() if theirs in names}
    for ours, wanted in layout.columns.items():
        if wanted not in names:
            near = difflib.get_close_matches(wanted, names, n=1)
            table = "data.files.benchmark_columns" if layout.index else "data.files.columns"
            hint = f"perhaps you meant {near[0]!r}" if near else f"the columns are {listed(names)}"
            raise ConfigError(f"[{table}] {ours} = {shown(wanted)}: {path} has no such column: {hint}")
        columns[ours] = wanted
    return columns


def _overlooked(names: list[str], columns: Mapping[str, str], layout: Layout) -> tuple[str, ...]:
    """Note a column that was probably meant to be read, such as ``volumn``: without volumes a study is another one."""
    notes: list[str] = []
    if layout.form is not PLAIN:  # a vendor's other columns are alike by nature
        return ()
    for ours, theirs in layout.form.names(layout.index).items():
        unread = [] if ours in columns else [name for name in names if name and name not in columns.values()]
        if near := difflib.get_close_matches(theirs[0], unread, n=1, cutoff=0.75):
            notes.append(f"column {shown(near[0])} was not read: if it is {theirs[0]}, rename or map it")
    return tuple(notes)


def _shape(names: list[str], columns: Mapping[str, str], layout: Layout) -> Shape:
    if layout.shape:
        return layout.shape
    if layout.columns or {"close", "adj_close"} & set(columns):
        return "long"
    of_vendor = layout.form is not PLAIN
    if layout.index:  # levels may stand beside a vendor's table of prices in a table of one's own
        return "long" if of_vendor and {"date", "symbol"} & set(columns) else "wide"
    return "long" if of_vendor or "symbol" in columns else "wide"


def _long(path: Path, table: pd.DataFrame, columns: Mapping[str, str], layout: Layout) -> dict[str, pd.DataFrame]:
    for what, names in _sought(layout).items():
        if what not in columns and not (what == "close" and "adj_close" in columns):
            called = " or ".join(map(repr, names))
            raise DataError(
                f"{path}: no column {called}{'' if called == repr(what) else f' ({what})'}: the columns are "
                f"{listed(table.columns)}; rename one, or map it by [data.files.columns]"
            )
    rows = pd.DataFrame({ours: table[theirs] for ours, theirs in columns.items()}, index=table.index)
    rows = _settled(rows, layout)
    if "symbol" not in rows:
        return {"": rows}
    text = rows["symbol"].astype("object").where(rows["symbol"].notna(), "").astype(str)
    known = {name: market_symbol(name, padded=layout.form.padded, index=layout.index) for name in text.unique()}
    if blank := [name for name in known if not name.strip()]:
        line = rows.index[text.isin(blank)][0]
        raise DataError(f"{path}, {table.index.name or 'row'} {line}: the symbol is blank: fill it in, or remove the row")
    return {str(name): part.drop(columns="symbol") for name, part in rows.groupby(text.map(known), sort=False)}


def _wide(path: Path, table: pd.DataFrame, layout: Layout) -> Mapping[str, pd.DataFrame]:
    if table.shape[1] < 2:
        raise DataError(f"{path}: one column only: a table of closes has dates in the first column and a column a symbol")
    if is_date(str(table.columns[0])):
        raise DataError(f"{path}: the first line is no header, it begins with a date: put the names of the columns there")
    spelt: dict[str, int] = {}
    for place, name in enumerate(map(str, table.columns[1:]), 1):
        if not name:
            continue  # a separator at the end of every line
        symbol = market_symbol(name, padded=layout.form.padded, index=layout.index)
        if symbol in spelt:
            other = table.columns[spelt[symbol]]
            raise DataError(f"{path}: columns {other} and {name} are the same symbol: remove one")
        spelt[symbol] = place
    rows = WideRows(table.iloc[:, 0], table, spelt, lambda part: _settled(part, layout))
    first = next(iter(rows.values()), None)
    if layout.shape is None and (first is None or not any(is_date(str(value)) for value in first["date"])):
        wanted = listed(repr(name) for names in _sought(layout).values() for name in names[:1])
        raise DataError(
            f"{path}: no column {wanted}, and no dates in the first column as a table with a column a symbol has them: the "
            f"columns are {listed(table.columns)}; rename them, or map them by [data.files.columns]"
        )
    return {"": first, next(iter(rows)): first} if layout.index and first is not None and len(rows) == 1 else rows


def _sought(layout: Layout) -> dict[str, tuple[str, ...]]:
    """The columns a table with a row a session must have."""
    named = layout.form.names(layout.index)
    return {what: named.get(what, (what,)) for what in (("date", "close") if layout.index else ("date", "symbol", "close"))}


def _settled(rows: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Leave out rows of titles, and bring dates and decimal commas into our way of writing."""
    head = rows["date"].iloc[: layout.form.titles].astype(str)
    rows = rows.drop(index=head.index[head.str.fullmatch(r"[^0-9]*[^0-9\s][^0-9]*")])
    if layout.date_format:
        dates = pd.to_datetime(rows["date"].astype(str).str.strip(), format=layout.date_format, errors="coerce")
        rows = rows.assign(date=rows["date"].astype("object").where(dates.isna(), dates.dt.strftime("%Y-%m-%d")))
    if layout.decimal == ",":
        texts = [name for name in rows if name not in ("date", "symbol", "status") and rows[name].dtype.kind in "OUT"]
        rows = rows.assign(**{str(name): rows[name].astype(str).str.translate(SWAPPED) for name in texts})
    return rows


def _last_figure(
    found: RawTable, rows: Mapping[str, pd.DataFrame], columns: Mapping[str, str], layout: Layout
) -> LastFigure | None:
    """Return the figure a text without a last line end ends with, None where nothing that is read can have been cut."""
    if not found.unended or found.frame.empty:
        return None
    name, line = str(found.frame.columns[-1]), int(found.frame.index[-1])
    value = str(found.frame.iloc[-1, -1]).strip()
    if not columns:  # a column of closes a symbol
        symbol = market_symbol(name, padded=layout.form.padded, index=layout.index) if name else ""
        return LastFigure(symbol, line, "close", value) if name else None
    column = next((ours for ours, theirs in columns.items() if theirs == name), None)
    owner = next((symbol for symbol, part in rows.items() if line in part.index), None)
    if column is None or owner is None:
        return None
    return LastFigure("" if column == "symbol" else owner, line, column, value)
