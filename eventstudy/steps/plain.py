"""Rows as a DataFrame, checked and put in order: ``ret, mkt, span`` by session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.returns import Rows
from eventstudy.windows import Window, as_window


@dataclass(frozen=True)
class PlainRows:
    """Rows in order of session; every array has one entry a row.

    Parameters
    ----------
    rows : Rows
    labels : Index
        The DataFrame's own labels.
    day0 : int or None
        Position of the event session; None where the rows do not tell.
    masked : array of bool
        Whether a row touches a masked session.
    order : array of int
        Places of the rows in the DataFrame.
    """

    rows: Rows
    labels: pd.Index
    day0: int | None
    masked: np.ndarray
    order: np.ndarray

    def event_day(self) -> int:
        """Return the position of the event session.

        Raises
        ------
        DataError
            If the rows have no column ``tau``.
        """
        if self.day0 is None:
            raise DataError("rows has no column tau: give trade_rows the event, or count the sessions from it")
        return self.day0


def plain_rows(frame: pd.DataFrame, columns: Sequence[str] = (), may_lack: Sequence[str] = ()) -> PlainRows:
    """Check a DataFrame of rows.

    Parameters
    ----------
    frame : DataFrame
        ``ret``, and where not all are 1 ``span``; `columns`; optionally ``end`` (position of the session a row ends in),
        ``tau``, ``closes`` and ``masked``. Without ``end`` and ``tau`` the rows follow each other without a hole, in order of
        the dates of the index or of the column ``session``, else as they stand.
    columns : sequence of str
        Further columns that must be there: ``mkt`` and factors.
    may_lack : sequence of str
        Further columns in which NaN is allowed.

    Raises
    ------
    DataError
        If a column is absent or no number, a span is no whole number from 1 on, rows overlap or repeat a session, or ``end``
        and ``tau`` contradict each other.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"rows is a {type(frame).__name__}: give a DataFrame with the columns ret, mkt and span")
    span = _whole(frame, "span") if "span" in frame else np.ones(len(frame), dtype=int)
    if (span < 1).any():
        raise DataError(f"rows: span is {span[span < 1][0]}: a return covers one session or more")
    end = _ends(frame, span)
    order = np.argsort(end, kind="stable")
    values = {name: _numbers(frame, name, name in may_lack)[order] for name in dict.fromkeys(("ret", *columns, *may_lack))}
    end, span, labels = end[order], span[order], frame.index[order]
    overlap = np.flatnonzero(end[:-1] > (end - span)[1:])
    if len(overlap):
        pair = labels[overlap[0]], labels[overlap[0] + 1]
        raise DataError(f"rows: the rows {_shown(pair[0])} and {_shown(pair[1])} cover the same session: keep one of them")
    tau = _whole(frame, "tau")[order] if "tau" in frame else None
    if tau is not None and len(tau) and (end - tau != end[0] - tau[0]).any():
        raise DataError("rows: the columns end and tau do not count the same sessions: leave one of them out")
    closes = _whole(frame, "closes")[order] if "closes" in frame else end
    mkt = values.pop("mkt", np.full(len(frame), np.nan))
    rows = Rows(end, span, closes, values.pop("ret"), mkt, values)
    masked = frame["masked"].to_numpy(dtype=bool)[order] if "masked" in frame else np.zeros(len(frame), dtype=bool)
    return PlainRows(rows, labels, int(end[0] - tau[0]) if tau is not None and len(tau) else None, masked, order)


def rows_inside(rows: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Return the rows whose whole interval lies in a window of event time (rule A6).

    Parameters
    ----------
    rows : DataFrame
        With ``tau`` and ``span``, as `trade_rows` makes them.
    window : (int, int)
        First and last session relative to the event session, both inclusive.

    Returns
    -------
    DataFrame
        The same columns, in order of session. A row that straddles an edge of the window is left out, and so is one that
        touches a masked session.

    Raises
    ------
    ConfigError
        If `window` is no pair of whole numbers in ascending order.
    DataError
        If the rows cannot be read, or have no column ``tau``.

    Examples
    --------
    >>> import eventstudy as es
    >>> rows = pd.DataFrame({"tau": [-1, 2, 3], "span": [1, 3, 1], "ret": [0.01, -0.06, 0.0], "mkt": [0.0, 0.02, 0.01]})
    >>> es.rows_inside(rows, (0, 2))["ret"].tolist()  # the return at tau 2 covers the sessions 0, 1 and 2
    [-0.06]
    >>> es.rows_inside(rows, (1, 3))["ret"].tolist()  # it straddles the start of this window
    [0.0]
    """
    lo, hi = as_window(window, "window")
    found = plain_rows(rows)
    day0 = found.event_day() if len(rows) else 0
    kept = (found.rows.end - found.rows.span + 1 >= day0 + lo) & (found.rows.closes <= day0 + hi) & ~found.masked
    chosen: pd.DataFrame = rows.iloc[found.order[kept]]
    return chosen


def _ends(frame: pd.DataFrame, span: np.ndarray) -> np.ndarray:
    """Return the session each row ends in, by number."""
    for name in ("end", "tau"):
        if name in frame:
            return _whole(frame, name)
    dates = frame["session"] if "session" in frame else frame.index if isinstance(frame.index, pd.DatetimeIndex) else None
    if dates is None:
        return np.cumsum(span) - 1
    order = np.argsort(pd.DatetimeIndex(pd.to_datetime(dates)).to_numpy(), kind="stable")
    if (twice := pd.Index(dates).duplicated()).any():
        raise DataError(f"rows: two rows end on {_shown(pd.Index(dates)[twice][0])}: keep one of them")
    ends = np.empty(len(frame), dtype=int)
    ends[order] = np.cumsum(span[order]) - 1
    return ends


def _whole(frame: pd.DataFrame, name: str) -> np.ndarray:
    values = _numbers(frame, name, False)
    if (values % 1 != 0).any():
        raise DataError(f"rows: {name} is {values[values % 1 != 0][0]:g}: it counts sessions, in whole numbers")
    return values.astype(int)


def _numbers(frame: pd.DataFrame, name: str, may_lack: bool) -> np.ndarray:
    if name not in frame:
        raise DataError(f"rows has no column {name}: it has {', '.join(map(str, frame.columns)) or 'none'}")
    try:
        values: np.ndarray = frame[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise DataError(f"rows: column {name} holds {frame[name].dtype}, not numbers: give numbers") from None
    wrong = np.isinf(values) if may_lack else ~np.isfinite(values)
    if wrong.any():
        raise DataError(
            f"rows: {name} is {values[wrong][0]} in row {_shown(frame.index[wrong][0])}: a session without a return has no row, "
            "and the next row spans it"
        )
    return values


def _shown(label: Any) -> str:
    return f"{label:%Y-%m-%d}" if isinstance(label, pd.Timestamp) else str(label)
