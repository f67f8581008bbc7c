"""Events from a table: row by row, or many of them in columns where each is plainly dated by its session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pandas as pd

from eventstudy.errors import ConfigError
from eventstudy.events import Announcement, DateOnly, EventFirm, check_timezone, parse_instant

EVENT_COLUMNS = ("event_id", "symbol", "announced_at", "announced_on", "session", "timezone", "date_only", "group", "label")
DATED_OTHERWISE = ("announced_at", "announced_on", "timezone", "date_only")
MANY_EVENTS = 500  # from which they are kept in columns


@dataclass(frozen=True, eq=False)
class EventTable(Sequence[EventFirm]):
    """Many events of treated firms, each dated by its session; an entry is made when it is asked for.

    Parameters
    ----------
    event_id, symbol, group, label : array of str
        One entry an event; no event_id and no symbol is blank.
    session : array of datetime64
        Whole days.
    date_only : str
        As for all of them.
    where : str
        Name of the table, for messages.
    """

    event_id: np.ndarray
    symbol: np.ndarray
    group: np.ndarray
    label: np.ndarray
    session: np.ndarray
    date_only: DateOnly
    where: str

    def __len__(self) -> int:
        return len(self.event_id)

    @overload
    def __getitem__(self, number: int) -> EventFirm: ...

    @overload
    def __getitem__(self, number: slice) -> tuple[EventFirm, ...]: ...

    def __getitem__(self, number: int | slice) -> EventFirm | tuple[EventFirm, ...]:
        if isinstance(number, slice):
            return tuple(self[place] for place in range(*number.indices(len(self))))
        place = range(len(self))[number]
        when = Announcement(session=pd.Timestamp(self.session[place]).date())
        told = {"label": self.label[place], "group": self.group[place]}
        where = f"{self.where}, row {place + 1}: "
        return EventFirm(self.event_id[place], self.symbol[place], when, **told, date_only=self.date_only, where=where)


def symbols_of(events: Sequence[EventFirm]) -> list[str]:
    """Return the symbols of some events, each once, in the order in which they come up."""
    if isinstance(events, EventTable):
        return list(pd.unique(events.symbol))
    return list(dict.fromkeys(event.symbol for event in events))


def events_from_table(table: pd.DataFrame, where: str, date_only: DateOnly = "refuse") -> Sequence[EventFirm]:
    """Read events from a table, one row a firm and event.

    Parameters
    ----------
    table : DataFrame
        Columns event_id, symbol, one of announced_at, announced_on and session filled a row, and
        optionally timezone, date_only, group and label, what happened in the words of the report.
    where : str
        Its name, for messages.

    Raises
    ------
    ConfigError
        If a row cannot be read; the message names the row.
    """
    for name in table.columns:
        if name not in EVENT_COLUMNS:
            raise ConfigError(f"{where}: unknown column {name!r}: an events table has {', '.join(EVENT_COLUMNS)}")
    for name in ("event_id", "symbol"):
        if name not in table:
            raise ConfigError(f"{where}: no column {name!r}: an events table has {', '.join(EVENT_COLUMNS)}")
    if table.empty:
        raise ConfigError(f"{where}: no events: add a row")
    found = _in_columns(table, where, date_only) if len(table) >= MANY_EVENTS else None
    return found or tuple(
        _event_row({str(key): value for key, value in row.items()}, f"{where}, row {number}: ", date_only)
        for number, row in enumerate(table.to_dict("records"), 1)
    )


def _in_columns(table: pd.DataFrame, where: str, date_only: DateOnly) -> EventTable | None:
    """Return the events of a table whose every row is plainly dated by its session; None where a row wants a closer look."""
    texts = {name: _texts(table[name]) for name in table.columns if name != "session"}
    if "session" not in table or any(words is None for words in texts.values()):
        return None
    read = {name: words for name, words in texts.items() if words is not None}
    if any((read[name] != "").any() for name in DATED_OTHERWISE if name in read):
        return None
    if any((read[name] == "").any() for name in ("event_id", "symbol")):
        return None
    codes, unique = pd.factorize(table["session"])
    if (codes < 0).any():
        return None
    try:
        days = [_date(str(value).strip()) for value in unique]
    except ConfigError:  # to be told of with its row
        return None
    blank = np.full(len(table), "", dtype=object)
    session = np.array(days, dtype="datetime64[D]")[codes]
    return EventTable(
        read["event_id"], read["symbol"], read.get("group", blank), read.get("label", blank), session, date_only, where
    )


def _texts(column: pd.Series) -> np.ndarray | None:
    """Return a column of texts or whole numbers as it is read cell by cell; None of a column of anything else."""
    if pd.api.types.infer_dtype(column, skipna=True) not in ("string", "integer", "empty") and not column.isna().all():
        return None
    codes, unique = pd.factorize(column)
    words = np.array([*(str(value).strip() for value in unique), ""], dtype=object)
    return np.asarray(words[codes])  # the code of a blank is -1


def _event_row(row: dict[str, object], where: str, default: DateOnly) -> EventFirm:
    cells = {key: "" if pd.isna(value) else str(value).strip() for key, value in row.items()}  # type: ignore[call-overload]
    if isinstance(symbol := row["symbol"], float) and symbol.is_integer():  # numbers in a column that has blanks
        cells["symbol"] = str(int(symbol))
    given = [name for name in ("announced_at", "announced_on", "session") if cells.get(name)]
    if not cells["event_id"] or not cells["symbol"]:
        raise ConfigError(f"{where}event_id and symbol must both be filled")
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise ConfigError(f"{where}fill exactly one of announced_at, announced_on and session (found {found})")
    zone, choice = cells.get("timezone", ""), cells.get("date_only") or default
    if choice not in ("refuse", "first", "last", "both"):
        raise ConfigError(f"{where}date_only = {choice!r} is none of refuse, first, last, both")
    try:
        if given == ["announced_at"]:
            when = Announcement(instant=parse_instant(cells["announced_at"], zone or None), timezone=zone)
        elif given == ["announced_on"]:
            when = Announcement(on=_date(cells["announced_on"]), timezone=check_timezone(zone))
        else:
            when = Announcement(session=_date(cells["session"]))
    except ConfigError as problem:
        raise ConfigError(f"{where}{problem}") from problem
    told = {"label": cells.get("label", ""), "group": cells.get("group", "")}
    return EventFirm(cells["event_id"], cells["symbol"], when, **told, date_only=choice, where=where)  # type: ignore[arg-type]


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text.partition(" 00:00:00")[0])  # as a Timestamp is written, zone or not
    except ValueError as problem:
        raise ConfigError(f"{text!r} is not a date: write it as 2019-10-08") from problem
