"""One way from raw columns to a price frame: every source's rows are checked here."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.sources.base import COLUMNS, FLAGS

NUMBERS = {"close": np.nan, "adj_close": np.nan, "volume": np.nan, "dividend": 0.0, "split": 1.0}
NUMBERS |= dict.fromkeys(("open", "high", "low"), np.nan)
KINDS = {"volume": "a number of shares", "dividend": "an amount of cash", "split": "a number of new shares"}
LARGEST = 1e15  # beyond any price or volume: a slipped decimal point or two numbers run together

# Year first, or a date is not accepted: 10/08/2019 is August to some and October to others.
DATE = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|([0-9]{2})([0-9]{2})(?:\.0)?)"
    r"(?:[T ]([0-9]{2}:[0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)? ?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?|[+-]?inf")
YEARS = range(1900, 2201)


def price_frame(raw: pd.DataFrame, where: str, extra: Sequence[str] = ()) -> tuple[pd.DataFrame, list[str]]:
    """Check raw daily rows and bring them into the columns of a `PriceSeries`.

    Parameters
    ----------
    raw : DataFrame
        A ``date`` column and any of ``close, adj_close, volume, dividend, split, open, high, low, status``; text or
        numbers, in any order of rows. A blank close is no trade, an absent column is not known. An index
        named ``line`` holds the lines of a file, for messages.
    where : str
        File and symbol, for messages.
    extra : sequence of str
        Further columns of prices to check and keep.

    Returns
    -------
    frame : DataFrame
        Indexed by date, increasing and unique.
    notes : list of str
        What was put right in silence otherwise.

    Raises
    ------
    DataError
        If a date or number cannot be read, a price is zero, negative or infinite, a volume is negative,
        a status is no known word, or two rows of one date disagree.
    """
    notes: list[str] = []
    dates = row_dates(raw, where)
    numbers = {name: _numbers(raw, name, where, dates) for name in [*NUMBERS, *extra]}
    columns = numbers | {"status": pd.array(_flags(raw, where), dtype="str")}
    for name, values in numbers.items():
        wrong = _impossible(values, name)
        if wrong.any():
            day, number = dates[wrong][0], values[wrong][0]
            raise DataError(
                f"{where}: {name} {number:g} on {day:%Y-%m-%d}{_line(raw, wrong)} is not {KINDS.get(name, 'a price')}: "
                + ("correct it" if name in KINDS else "correct it, or leave it blank where there was no trade")
            )
    frame = pd.DataFrame({name: columns[name] for name in [*COLUMNS, *extra]}, index=dates, copy=False)
    repeats = dates.duplicated(keep="first")
    if repeats.any():
        same = frame.reset_index().drop_duplicates()
        if len(same) != int((~repeats).sum()):
            clash = same["date"][same["date"].duplicated()].iloc[0]
            raise DataError(f"{where}: two rows of {clash:%Y-%m-%d} disagree: keep the right one")
        notes.append(f"{int(repeats.sum())} identical duplicate rows were dropped")
        frame = frame[~repeats]
    if not frame.index.is_monotonic_increasing:
        notes.append("the rows were not in order of date and were sorted")
        frame = frame.sort_index()
    return frame, notes


def _impossible(values: np.ndarray, name: str) -> np.ndarray:
    wrong: np.ndarray = np.abs(values) > LARGEST
    if name != "dividend":  # taken back, a dividend is negative
        wrong |= (values < 0) if name == "volume" else (values <= 0)
    return wrong


def date_in(text: str) -> dt.date | None:
    """Return the date that a text is, as the sources write them; None where it is none."""
    found = DATE.fullmatch(text)
    if not found:
        return None
    year, _, month, day, month_compact, day_compact, clock, zone = found.groups()
    if zone and clock != "00:00":
        return None  # an instant of another zone may lie on another date here
    try:
        date = dt.date(int(year), int(month or month_compact), int(day or day_compact))
    except ValueError:
        return None
    return date if date.year in YEARS else None


def is_date(text: str) -> bool:
    """Tell whether a text is a date as the sources write them."""
    return date_in(text.strip()) is not None


def shown(value: object, most: int = 40) -> str:
    """Quote a value for a message, on one line and not at length."""
    text = repr(value if isinstance(value, str) else str(value))
    return text if len(text) <= most else f"{text[: most - 4]}...{text[0]}"


def _line(raw: pd.DataFrame, wrong: np.ndarray) -> str:
    return f" (line {raw.index[wrong][0]})" if raw.index.name == "line" else ""


def row_dates(raw: pd.DataFrame, where: str) -> pd.DatetimeIndex:
    """Return the column ``date`` of raw rows as dates.

    Raises
    ------
    DataError
        If one of them cannot be read as a date.
    """
    column = raw["date"]
    if column.dtype.kind == "M":
        if column.dt.tz is not None and (column.dropna() != column.dropna().dt.normalize()).any():
            raise DataError(
                f"{where}: the dates carry a time zone and are not midnight there: give plain dates, or convert them to the "
                "exchange's zone"
            )
        dates = column.dt.tz_localize(None).dt.normalize()
    else:
        if column.dtype.kind == "f" and (column.dropna() % 1 == 0).all():
            column = column.astype("Int64")  # 20191008 in a column that has blanks
        text = column.astype("object").where(column.notna(), "").astype(str).str.strip()
        days = {value: date_in(value) for value in text.unique()}
        dates = pd.to_datetime(pd.Series([days[value] for value in text], index=raw.index, dtype="object"))
    wrong = dates.isna().to_numpy()
    if wrong.any():
        text_of = shown(column[wrong].iloc[0])
        raise DataError(f"{where}: {text_of}{_line(raw, wrong)} is not a date: write dates as 2019-10-08, without a time zone")
    return pd.DatetimeIndex(dates, name="date").as_unit("s")


def _numbers(raw: pd.DataFrame, name: str, where: str, dates: pd.DatetimeIndex) -> np.ndarray:
    if name not in raw:
        return np.broadcast_to(NUMBERS.get(name, np.nan), len(raw))  # one number in memory, however many rows
    column = raw[name]
    if column.dtype.kind in "bM":
        raise DataError(f"{where}: column {name} holds {column.dtype}, not numbers: give numbers")
    if column.dtype.kind in "OUT" or str(column.dtype).startswith("str"):
        text = column.astype("object").where(column.notna(), "").astype(str).str.strip()
        wrong = ((text != "") & ~text.map(lambda value: bool(NUMBER.fullmatch(value)))).to_numpy()
        if wrong.any():
            raise DataError(
                f"{where}: {name} {shown(text[wrong].iloc[0])} on {dates[wrong][0]:%Y-%m-%d}{_line(raw, wrong)} is not a number: "
                "correct it, or leave it blank where there is no value"
            )
        column = text.map(lambda value: float(value) if value else np.nan).astype(float)
    values = column.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isnan(values), NUMBERS.get(name, np.nan), values)


def _flags(raw: pd.DataFrame, where: str) -> list[str | float]:
    if "status" not in raw:
        return [np.nan] * len(raw)
    text = raw["status"].astype("object").where(raw["status"].notna(), "").astype(str).str.strip()
    wrong = (~text.isin([*FLAGS, ""])).to_numpy()
    if wrong.any():
        raise DataError(
            f"{where}: status {shown(text[wrong].iloc[0])}{_line(raw, wrong)} is neither traded nor suspended: correct it, "
            "or rename the column if it means something else"
        )
    return [value or np.nan for value in text]
