"""Firm characteristics from a user's file, and the firms of a study that have them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import ConfigError, DataError
from eventstudy.events import EventFirm
from eventstudy.plan import Characteristic
from eventstudy.sources.frames import shown
from eventstudy.sources.reading import listed, raw_table
from eventstudy.study import UNCONFOUNDED, Computation, FirmStudy
from eventstudy.told import Several, Told
from eventstudy.windows import Window

KEYS = ("event_id", "symbol")
BLANK = {"", "na", "n/a", "nan", "null", "none", "."}


def read_characteristics(path: Path, columns: Sequence[str], events: Sequence[EventFirm]) -> tuple[Characteristic, ...]:
    """Read the rows of `events` from a table with one row a firm (and event).

    Parameters
    ----------
    path : Path
        CSV or Parquet with ``symbol``, optionally ``event_id`` (blank: any event of that firm), then columns.
    columns : sequence of str
        The characteristics; empty for all numeric columns.

    Raises
    ------
    ConfigError
        If a column is not there, or over the treated firms is constant or a combination of others.
    DataError
        If the file cannot be read, a firm has two rows, or a value is no number.
    """
    table = raw_table(path).frame
    if "symbol" not in table:
        raise DataError(f"{path}: no column 'symbol': it has {listed(table.columns)}")
    found = [str(name) for name in table.columns if name not in KEYS]
    for name in columns:
        if name not in found:
            raise ConfigError(f"{path}: no column {shown(name)} for [cross_section] columns: it has {listed(found)}")
    names = list(columns) or [name for name in found if all(_number(cell) is not None for cell in table[name])]
    if not names:
        raise DataError(f"{path}: no numeric column beside {' and '.join(KEYS)}: add one, or name columns of numbers")
    rows = []
    for line, record in zip(table.index, table.to_dict("records"), strict=True):
        where = f"{path}, line {line}: " if table.index.name == "line" else f"{path}, row {line + 1}: "
        rows.append(_row(record, names, where))
    if not rows:
        raise DataError(f"{path}: no rows below the header: add one a firm")
    twice = pd.Series([row.key for row in rows], dtype=object)
    if twice.duplicated().any():
        event_id, symbol = twice[twice.duplicated()].iloc[0]
        raise DataError(f"{path}: two rows for {symbol}{f' at event {event_id}' if event_id else ''}: keep one of them")
    _check_columns(path, rows, events)
    return tuple(rows)


def _number(cell: object) -> float | None:
    """Return a cell as a number, NaN where it is blank, None where it is text."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)) or str(cell).strip().lower() in BLANK:
        return math.nan
    try:
        return float(str(cell).strip())
    except ValueError:
        return None


def _row(record: dict[Any, Any], names: list[str], where: str) -> Characteristic:
    symbol = str(record["symbol"]).strip()
    event_id = "" if record.get("event_id") is None else str(record["event_id"]).strip()
    values = []
    for name in names:
        value = _number(record[name])
        if value is None or math.isinf(value):
            raise DataError(f"{where}{name} of {shown(symbol)} is {shown(record[name])}, no number: correct or blank it")
        values.append((name, value))
    return Characteristic(event_id, symbol, tuple(values))


def _check_columns(path: Path, rows: Sequence[Characteristic], events: Sequence[EventFirm]) -> None:
    """Refuse columns that can explain nothing: the same for all treated firms, or made of others."""
    matched = {(event.event_id, event.symbol): row for event in events if event.role == "treated"
               if (row := row_of(rows, event.event_id, event.symbol)) is not None}  # fmt: skip
    values = np.array([[value for _, value in row.values] for row in matched.values()])
    complete = values[np.isfinite(values).all(axis=1)] if len(values) else values
    if len(complete) < 2:
        return
    names = [name for name, _ in rows[0].values]
    kept = [np.ones(len(complete))]
    for name, column in zip(names, complete.T, strict=True):
        if (column == column[0]).all():
            raise ConfigError(f"{path}: {name} is {column[0]:g} for all {len(complete)} firms: leave it out of columns")
        centred = (column - column.mean()) / np.linalg.norm(column - column.mean())
        if len(complete) > len(kept) and np.linalg.matrix_rank(np.column_stack([*kept, centred])) <= len(kept):
            raise ConfigError(f"{path}: {name} is a linear combination of the columns before it: leave one of them out")
        kept.append(centred)


def row_of(rows: Sequence[Characteristic], event_id: str, symbol: str) -> Characteristic | None:
    """Return the row of a firm at an event, else that of the firm at any event."""
    by_key = {row.key: row for row in rows}
    return by_key.get((event_id, symbol)) or by_key.get(("", symbol))


def described_firms(study: Computation, group: str, window: Window) -> list[tuple[FirmStudy, tuple[float, ...]]]:
    """Return the firms of a group with a CAR in the window and a value of every characteristic, with the values."""
    found = []
    for firm in study.groups[group]:
        left_out = group == UNCONFOUNDED and firm.confounded_by(window)
        row = _values(study, firm)
        if not left_out and not firm.cumulative[window].reason and row is not None and all(map(math.isfinite, row)):
            found.append((firm, row))
    return found


def _values(study: Computation, firm: FirmStudy) -> tuple[float, ...] | None:
    regression = study.inputs.plan.regression
    row = row_of(regression.rows, firm.dated.event.event_id, firm.key[1]) if regression else None
    return None if row is None else tuple(value for _, value in row.values)


def undescribed_firms(study: Computation) -> Iterator[tuple[FirmStudy, Told]]:
    """Yield the firms that the regression leaves out for want of a characteristic, and why."""
    regression = study.inputs.plan.regression
    if regression is None:
        return
    for firm in study.firms:
        row = _values(study, firm)
        if row is None:
            yield firm, Told("not in the characteristics file, left out of the cross-sectional regression")
            continue
        missing = [name for name, value in zip(regression.columns, row, strict=True) if math.isnan(value)]
        if missing:
            yield firm, Told("no value of {names}, left out of the cross-sectional regression", names=Several(missing))
