"""One way from raw columns to a price frame: every source's rows are checked here."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.sources.base import COLUMNS

NUMBERS = {"close": np.nan, "adj_close": np.nan, "volume": np.nan, "dividend": 0.0, "split": 1.0}
NUMBERS |= dict.fromkeys(("open", "high", "low"), np.nan)


def price_frame(raw: pd.DataFrame, where: str) -> tuple[pd.DataFrame, list[str]]:
    """Check raw daily rows and bring them into the columns of a `PriceSeries`.

    Parameters
    ----------
    raw : DataFrame
        A ``date`` column and any of ``close, adj_close, volume, dividend, split, open, high, low``; text or numbers, in
        any order of rows. A blank close is no trade, an absent column is not known.
    where : str
        File and symbol, for messages.

    Returns
    -------
    frame : DataFrame
        Indexed by date, increasing and unique.
    notes : list of str
        What was put right in silence otherwise.

    Raises
    ------
    DataError
        If a date or number cannot be read, a price is zero, negative or infinite, a volume is negative, or
        two rows of one date disagree.
    """
    notes: list[str] = []
    frame = pd.DataFrame({name: _numbers(raw, name, where) for name in NUMBERS})
    frame.index = _dates(raw["date"], where)
    for name in ("close", "adj_close", "split", "open", "high", "low"):
        wrong = frame[name].notna() & ~((frame[name] > 0) & np.isfinite(frame[name]))
        if wrong.any():
            raise DataError(
                f"{where}: {name} {frame.loc[wrong, name].iloc[0]:g} on {frame.index[wrong][0]:%Y-%m-%d} is not a price: "
                "correct it, or leave it blank where there was no trade"
            )
    wrong = (frame["volume"] < 0) | ~np.isfinite(frame["dividend"]) | np.isinf(frame["volume"])
    if wrong.any():
        raise DataError(f"{where}: volume or dividend on {frame.index[wrong][0]:%Y-%m-%d} is negative or infinite: correct it")
    repeats = frame.index.duplicated(keep="first")
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
    return frame[COLUMNS], notes


def _dates(column: pd.Series, where: str) -> pd.DatetimeIndex:
    if column.dtype.kind != "M":  # the written day counts, whatever time and offset come after it
        days = column.astype(str).str.strip().str.extract(r"^(\d{4}-?\d{2}-?\d{2})(?:[T ].*)?$", expand=False)
        dates = pd.to_datetime(days, errors="coerce", format="ISO8601")
    else:
        dates = column
    if dates.isna().any():
        shown = column[dates.isna()].iloc[0]
        raise DataError(f"{where}: {shown!r} is not a date: write dates as 2019-10-08")
    return pd.DatetimeIndex(dates.dt.tz_localize(None).dt.normalize(), name="date").as_unit("s")


def _numbers(raw: pd.DataFrame, name: str, where: str) -> np.ndarray:
    if name not in raw:
        return np.full(len(raw), NUMBERS[name])
    column = raw[name]
    if column.dtype.kind in "OUT" or str(column.dtype).startswith("str"):
        text = column.astype("object").where(column.notna(), "").astype(str).str.strip()
        numbers = pd.to_numeric(text.where(text != "", None), errors="coerce")
        wrong = numbers.isna() & (text != "")
        if wrong.any():
            raise DataError(
                f"{where}: {name} {text[wrong].iloc[0]!r} on {raw.loc[wrong, 'date'].iloc[0]} is not a number: correct it"
            )
        column = numbers
    values = column.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isnan(values), NUMBERS[name], values)
