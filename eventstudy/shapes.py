"""DataFrames of prices as research code has them, in any of their shapes, as price series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from eventstudy.errors import DataError
from eventstudy.sources.base import Absent, PriceSeries
from eventstudy.sources.frames import price_frame, row_dates
from eventstudy.sources.wide import WideRows, WideSeries, wide_series

# What columns are called in vendors' frames, in lower case.
COLUMN_NAMES = {
    "date": "date", "session": "date", "symbol": "symbol", "ticker": "symbol", "close": "close", "adj close": "adj_close",
    "adj_close": "adj_close", "volume": "volume",
}  # fmt: skip
CLOSES = ("close", "adj_close")
YAHOO_FIELDS = {"Close": "close", "Adj Close": "adj_close", "Volume": "volume"}
YAHOO_COLUMNS = ("date", *YAHOO_FIELDS.values())
SHOWN = 5


def index_dates(index: pd.Index, where: str) -> pd.DatetimeIndex:
    """Return the dates of an index: dates of any kind, or text with the year first.

    Raises
    ------
    DataError
        If one of them is no date, or an instant other than midnight in a time zone, which may lie on another date here.
    """
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    return row_dates(pd.DataFrame({"date": pd.Series(index)}), where)


def index_series(levels: pd.Series | pd.DataFrame, name: str) -> PriceSeries:
    """Return the levels of an index: a Series by date, a DataFrame of one column, or one with a column of closes.

    Raises
    ------
    DataError
        If there is no telling which column holds the level, or the levels are unusable.
    """
    levels = _framed(levels, name)
    if isinstance(levels.columns, pd.MultiIndex):
        found = list(_from_yfinance(levels, name).values())
    elif "symbol" in (table := _named(levels)).columns:
        found = list(_from_long(table, name).values())
    elif "close" in table.columns:
        found = [_dated(table, name)]
    else:
        dated = table.columns.drop("date", errors="ignore")
        found = [_dated(table.rename(columns={dated[0]: "close"}), name)] if len(dated) == 1 else []
    if len(found) != 1 or "close" not in found[0]:
        raise DataError(f"{name} has {levels.shape[1]} columns ({_listed(levels.columns)}): give a Series of levels by date")
    frame, notes = price_frame(found[0][["date", "close"]], name)
    if frame["close"].notna().sum() < 2:
        raise DataError(f"{name} has fewer than two values: give its level by date")
    return PriceSeries(name, frame, "frame", "index", "missing", notes=tuple(notes))


def price_series(
    prices: pd.DataFrame | pd.Series, symbols: Sequence[str], volume: pd.Series | pd.DataFrame | None = None
) -> dict[str, PriceSeries]:
    """Return the series of `symbols` found in a frame.

    Parameters
    ----------
    prices : DataFrame or Series
        Long, wide, as yfinance returns it, or of one share alone.
    volume : DataFrame, optional
        Wide, in shares; a Series or one column where `prices` is of one share.

    Raises
    ------
    DataError
        If the frame has none of these shapes, or its rows are unusable.
    """
    shares, absent = _by_symbol(prices, symbols)
    found = {symbol: shares[symbol] for symbol in symbols if symbol in shares}
    if volume is not None:
        found = _with_volume(found, volume, list(shares))
    series = {}
    for symbol, rows in found.items():
        frame, notes = price_frame(rows, f"prices, {symbol}")
        if frame[list(CLOSES)].notna().any(axis=None):
            series[symbol] = PriceSeries(symbol, frame, "frame", "share", absent, notes=tuple(notes))
    return series


def plain_series(
    prices: pd.DataFrame | pd.Series, symbols: Sequence[str], volume: pd.Series | pd.DataFrame | None = None
) -> WideSeries | None:
    """Return the same as `price_series` of a wide frame that needs no second look; None of any other, right or wrong."""
    frames = []
    for frame in [prices] if volume is None else [prices, volume]:
        if not isinstance(frame, pd.DataFrame) or isinstance(frame.columns, pd.MultiIndex):
            return None
        if {"date", "symbol", *CLOSES} & {COLUMN_NAMES.get(name.lower()) for name in frame.columns if isinstance(name, str)}:
            return None
        frames.append(frame.set_axis(frame.columns.map(str), axis=1))
    return wide_series(frames[0], symbols, "frame", *frames[1:])


def share_series(prices: pd.DataFrame | pd.Series, symbol: str | None, volume: pd.Series | pd.DataFrame | None) -> PriceSeries:
    """Return the one share of a frame, or the one called `symbol` where the frame has several.

    Raises
    ------
    DataError
        If the frame has several shares and no symbol is given, or none of that name.
    """
    found, absent = _by_symbol(prices, [] if symbol is None else [symbol])
    if symbol is None and len(found) != 1:
        raise DataError(f"prices has {len(found)} shares ({_listed(list(found))}): give the symbol of one")
    name = next(iter(found)) if symbol is None else symbol
    if name not in found:
        raise DataError(f"prices has no {name}: it has {_listed(list(found))}")
    if volume is not None:
        found = _with_volume({name: found[name]}, volume, [name])
    frame, notes = price_frame(found[name], f"prices, {name}")
    if not frame[list(CLOSES)].notna().any(axis=None):
        raise DataError(f"prices, {name}: there is no close in it")
    return PriceSeries(name, frame, "frame", "share", absent, notes=tuple(notes))


def _by_symbol(prices: Any, symbols: Sequence[str]) -> tuple[Mapping[str, pd.DataFrame], Absent]:
    """Return raw rows by symbol, and what an absent row means."""
    frame = _framed(prices, "prices")
    if isinstance(frame.columns, pd.MultiIndex):
        return _from_yfinance(frame, "prices"), "missing"  # Yahoo has rows for suspended sessions
    table = _named(frame)
    if "symbol" in table.columns:
        return _from_long(table, "prices"), "suspended"
    if not set(CLOSES) & set(table.columns):
        places = {str(name): place for place, name in enumerate(table.columns) if name != "date"}
        return WideRows(_dated(table, "prices")["date"], table, places), "suspended"
    if "Close" in frame.columns:  # Yahoo's: its adjusted close carries dividends and splits already
        table = table[[name for name in YAHOO_COLUMNS if name in table.columns]]
    return _alone(table, symbols), "missing" if "Close" in frame.columns else "suspended"


def _framed(table: Any, where: str) -> pd.DataFrame:
    """Return a Series or DataFrame as a DataFrame whose index is one of dates, further levels of it as columns."""
    if isinstance(table, pd.Series):
        table = table.to_frame("close" if table.name is None or table.index.nlevels > 1 else table.name)
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"{where} is a {type(table).__name__}: give a pandas DataFrame or Series by date")
    if table.columns.has_duplicates:
        twice = table.columns[table.columns.duplicated()][0]
        raise DataError(f"{where} has two columns {twice!r}: keep one of them")
    return table.reset_index() if table.index.nlevels > 1 else table


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Call the columns that every vendor has by one name, whatever their case."""
    names = {name: COLUMN_NAMES[name.lower()] for name in table.columns if isinstance(name, str) and name.lower() in COLUMN_NAMES}
    return table.rename(columns=names) if len(set(names.values())) == len(names) else table


def _dated(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the rows with a column of dates, taken from the index where there is none."""
    dates = index_dates(pd.Index(table["date"]) if "date" in table.columns else table.index, where)
    return table.drop(columns="date", errors="ignore").reset_index(drop=True).assign(date=dates)


def _alone(table: pd.DataFrame, symbols: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the rows of the one share a frame is of."""
    if len(symbols) > 1:
        raise DataError(
            f"prices is of one share, and {len(symbols)} are asked for ({_listed(symbols)}): give a column a share, or a column "
            "symbol"
        )
    return {symbols[0] if symbols else "": _dated(table, "prices")}


def _from_long(table: pd.DataFrame, where: str) -> dict[str, pd.DataFrame]:
    if not set(CLOSES) & set(table.columns):
        raise DataError(f"{where} has neither a column close nor adj_close: rename the one with closing prices")
    rows = _dated(table, where)
    return {str(symbol): part.reset_index(drop=True) for symbol, part in rows.groupby("symbol", sort=False)}


def _from_yfinance(table: pd.DataFrame, where: str) -> dict[str, pd.DataFrame]:
    for level in (0, 1):
        if "Close" in table.columns.get_level_values(level):
            by_field = table if level == 0 else table.swaplevel(axis=1)
            dates = index_dates(table.index, where)
            return {str(ticker): _one_ticker(by_field, ticker, dates) for ticker in by_field["Close"].columns}
    raise DataError(f"{where} has two levels of columns but no 'Close' in either: give yfinance's frame as it comes")


def _one_ticker(by_field: pd.DataFrame, ticker: Any, dates: pd.DatetimeIndex) -> pd.DataFrame:
    """Take Yahoo's columns; its adjusted close carries dividends and splits, so actions are not applied again."""
    columns = {name: by_field[field, ticker].to_numpy() for field, name in YAHOO_FIELDS.items() if (field, ticker) in by_field}
    return pd.DataFrame({"date": dates, **columns})


def _with_volume(
    found: dict[str, pd.DataFrame], volume: pd.Series | pd.DataFrame, shares: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Add volumes to some of the `shares` of a frame; one column alone belongs to one share alone, whatever its name.

    Raises
    ------
    DataError
        If the volumes are of other shares: they would be passed over in silence.
    """
    by_date = _framed(volume, "volume")
    by_date = by_date.rename(columns=str)
    if by_date.shape[1] == len(shares) == 1:
        by_date = by_date.set_axis(list(shares), axis=1)
    told = set(by_date.columns)
    if not told & set(shares):
        raise DataError(
            f"volume has the columns {_listed(by_date.columns)}, and prices the shares {_listed(shares)}: name its "
            "columns by them"
        )
    by_date = by_date.set_axis(index_dates(by_date.index, "volume"))
    by_date = by_date[~by_date.index.duplicated()]
    return {
        symbol: rows.assign(volume=by_date[symbol].reindex(index_dates(pd.Index(rows["date"]), "prices")).to_numpy())
        if symbol in told
        else rows
        for symbol, rows in found.items()
    }


def _listed(names: Sequence[Any] | pd.Index) -> str:
    shown = ", ".join(str(name) for name in names[:SHOWN])
    return (shown or "none") + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
