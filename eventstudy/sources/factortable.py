"""Tables of factor returns by session: the user's own, or as Kenneth French's data library publishes them."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy.errors import ConfigError, DataError
from eventstudy.sources.frames import row_dates, shown
from eventstudy.sources.reading import listed, raw_table

FactorUnits = Literal["percent", "decimal"]

NOT_KNOWN = (-99.99, -999.0)  # how the data library writes a missing value
# Daily factors have standard deviations of some 0.2 to 2 per cent: what lies between these two limits fits neither unit.
MOST_DECIMAL, LEAST_PERCENT = 0.06, 0.15
RESERVED = ("alpha", "beta")
DATED_LINE = re.compile(r"\s*[0-9]{8}\s*,")


@dataclass(frozen=True)
class FactorTable:
    """Factor returns by session.

    Parameters
    ----------
    frame : DataFrame
        Indexed by date (naive, increasing, unique); a column a factor, decimal simple returns a session, NaN where not known.
    where : str
        Its file, for messages.
    notes : tuple of str
        What the reader of a report must know.
    """

    frame: pd.DataFrame
    where: str
    notes: tuple[str, ...] = ()

    @property
    def content_hash(self) -> str:
        """SHA-256 over dates and values (hex)."""
        lines = [",".join(map(str, self.frame.columns))]
        for date, *values in self.frame.itertuples():
            lines.append(f"{date:%Y-%m-%d}," + ",".join(repr(float(value)) for value in values))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_factors(path: Path, columns: Sequence[str], risk_free: str, units: FactorUnits | None) -> FactorTable:
    """Read a factor file, CSV or Parquet; text above and below the daily table, as the data library has it, is left out.

    Raises
    ------
    ConfigError, DataError
        As `factor_table`; also if the file cannot be read.
    """
    return factor_table(raw_table(path, trim=_daily_lines).frame, str(path), columns, risk_free, units)


def _daily_lines(text: str) -> str:
    """Cut a text down to its first daily table: the line above the first dated line, and the dated lines after it."""
    lines = text.splitlines()
    dated = [bool(DATED_LINE.match(line)) for line in lines]
    if not any(dated):
        return text
    first = dated.index(True)
    end = next((place for place in range(first, len(lines)) if not dated[place] and lines[place].strip()), len(lines))
    head = next((line for line in reversed(lines[:first]) if line.strip()), "")
    if not head:
        return text
    head = "date" + head.strip() if head.strip().startswith(",") else head
    return "\n".join([head, *lines[first:end]]) + "\n"


def factor_table(
    raw: pd.DataFrame, where: str, columns: Sequence[str], risk_free: str = "", units: FactorUnits | None = None
) -> FactorTable:
    """Check a table of factor returns and bring it to decimals.

    Parameters
    ----------
    raw : DataFrame
        A column ``date`` (or the first one) and a column a factor, text or numbers.
    columns : sequence of str
        The factors wanted.
    risk_free : str
        Column of the risk-free return a session; empty for none.
    units : {"percent", "decimal"}, optional
        Default: told from the spread of the factors, where it leaves no doubt.

    Raises
    ------
    ConfigError
        If a column is not there, or the unit cannot be told or contradicts the values.
    DataError
        If a date or number cannot be used, or dates repeat.
    """
    wanted = list(dict.fromkeys([*columns, *([risk_free] if risk_free else [])]))
    names = [str(name) for name in raw.columns]
    _check_columns(wanted, names, where)
    date = next((name for name in names if name.lower() == "date"), names[0])
    dates = row_dates(raw.rename(columns={date: "date"}), where)
    values = pd.DataFrame({name: _numbers(raw[name], f"{where}, {name}") for name in wanted}).set_axis(dates).sort_index()
    if values.index.has_duplicates:
        raise DataError(f"{where}: two rows are dated {values.index[values.index.duplicated()][0]:%Y-%m-%d}: keep one of them")
    values = values.mask(values.isin(NOT_KNOWN))
    told = _units(values, columns, units, where)
    frame = values / 100 if told == "percent" else values
    ruin = (frame <= -1).any(axis=1)
    if ruin.any():
        raise DataError(f"{where}, {frame.index[ruin][0]:%Y-%m-%d}: a return of -100% or less: correct it, or the factor_units")
    notes = () if units else (f"the factors of {Path(where).name} are read as {'per cent' if told == 'percent' else 'decimals'}",)
    return FactorTable(frame, where, notes)


def _check_columns(wanted: Sequence[str], names: list[str], where: str) -> None:
    for name in wanted:
        if name.lower() in RESERVED:
            raise ConfigError(f"{where}: a factor cannot be called {name!r}, which is a parameter of its own: rename the column")
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"perhaps you meant {near[0]!r}" if near else f"the columns are {listed(names)}"
            raise ConfigError(f"{where}: no column {shown(name)}: {hint}")


def _numbers(column: pd.Series, where: str) -> np.ndarray:
    text = column.astype("object").where(column.notna(), "").astype(str).str.strip()
    numbers = pd.to_numeric(text.mask(text == "", "nan"), errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(numbers) & ~text.str.lower().isin(["", "nan"]).to_numpy()
    if wrong.any():
        raise DataError(f"{where}: {shown(text[wrong].iloc[0])} is not a finite number: correct it, or leave the cell blank")
    return numbers


def _units(values: pd.DataFrame, columns: Sequence[str], given: FactorUnits | None, where: str) -> FactorUnits:
    spread = float(np.nanmax(values[list(columns)].std())) if len(columns) and len(values) > 2 else np.nan
    looks: FactorUnits | None = None
    if spread <= MOST_DECIMAL:
        looks = "decimal"
    elif spread >= LEAST_PERCENT:
        looks = "percent"
    if given is None and looks is None:
        raise ConfigError(f'{where}: the values do not tell their unit: give factor_units = "percent" or "decimal"')
    if given is not None and looks is not None and given != looks:
        raise ConfigError(
            f"{where}: factor_units = {given!r}, but the factors' standard deviation of {spread:.3g} a session is that of "
            f"{'decimals' if looks == 'decimal' else 'per cent'}: correct the one or the other"
        )
    return given or looks  # type: ignore[return-value]
