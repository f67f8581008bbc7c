"""Another tool's table of CARs: whose numbers, over which window, and to how many digits they are given."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.errors import ConfigError, DataError
from eventstudy.sources.frames import shown
from eventstudy.sources.reading import listed, raw_table
from eventstudy.windows import Window

# Names as other tools' tables have them, letters and digits only. Sources: see docs/explain-their-number.md.
NAMES = {
    "firm": ("symbol", "firmsymbol", "firm", "securityid", "securityticker", "security", "ticker", "stock", "stkcd", "permno",
             "gvkey", "isin", "company", "code", "id", "name", "group"),
    "event_id": ("eventid",),
    "car": ("car", "cumulativeabnormalreturn", "cumabnormalreturn", "cars", "caar", "estimate"),
    "se": ("secar", "carse", "stdecar", "stdecaar", "stderr", "stderror", "standarderror", "se"),
    "variance": ("variancecar", "varcar", "variancecaar"),
    "t": ("cart", "tcar", "tstat", "tstatistic", "tvalue", "statistic", "t"),
    "p_value": ("pvalue", "carp", "pcar", "pval", "p"),
    "tau": ("tau", "relativeindex", "eventtime", "relativeday", "dif"),
    "first": ("windowstart",),
    "last": ("windowend",),
    "window": ("carwindow", "window", "eventwindow", "term"),
}  # fmt: skip
GROUP_LABELS = {"all", "caar", "mean", "average", "portfolio"}
RANGE = re.compile(r"([+-]?\d+)\D*?[,;:_ ]\s*([+-]?\d+)")


@dataclass(frozen=True)
class Figure:
    """A number as printed: `half` is half a unit of its last digit."""

    value: float
    half: float

    def agrees(self, value: float) -> bool:
        """Whether `value` rounds to this number, up to the noise of double arithmetic."""
        return bool(abs(value - self.value) <= self.half * (1 + 1e-6) + 1e-9 * abs(self.value) + 1e-13)


@dataclass(frozen=True)
class TheirCar:
    """One CAR of another tool; an empty `label` stands for the average of the firms."""

    label: str
    window: Window
    car: Figure
    event_id: str = ""
    further: tuple[tuple[str, Figure], ...] = field(default=())


def read_theirs(
    path: Path, window: Window, firm_column: str | None = None, car_column: str | None = None, only: str = ""
) -> list[TheirCar]:
    """Read another tool's CARs over one window.

    Parameters
    ----------
    window : (int, int)
        Where the table holds several windows, or one cumulated number a session, this one is taken.
    firm_column, car_column : str, optional
        Default: the first known name.
    only : str
        The firm, where the table has no column of firms.

    Raises
    ------
    ConfigError
        If a column cannot be found, or the table has no such window.
    DataError
        If the file cannot be read, or a CAR is no number.
    """
    table = raw_table(path).frame
    columns = _columns(path, table, firm_column, car_column)
    if "firm" not in columns and not only and not _plain(columns["car"]).startswith("caar"):
        raise ConfigError(f"{path}: no column of firms: name it by --firm-column; it has {listed(table.columns)}")
    rows = _of_window(path, table, columns, window)
    found = []
    for line, row in rows.iterrows():
        label = str(row[columns["firm"]]).strip() if "firm" in columns else only
        where = f"{path}, line {line}: " if table.index.name == "line" else f"{path}: "
        car = _figure(row[columns["car"]], where, columns["car"])
        if car is None:
            continue
        further = tuple(
            (name, number) for name in ("se", "t", "p_value")
            if name in columns and (number := _figure(row[columns[name]], where, columns[name])) is not None
        )  # fmt: skip
        if "variance" in columns and "se" not in columns:
            number = _figure(row[columns["variance"]], where, columns["variance"])
            if number is not None and number.value > 0:
                root = float(np.sqrt(number.value))
                further = (("se", Figure(root, number.half / (2 * root))), *further)
        event_id = str(row[columns["event_id"]]).strip() if "event_id" in columns else ""
        found.append(TheirCar("" if label.lower() in GROUP_LABELS else label, window, car, event_id, further))
    if not found:
        raise DataError(f"{path}: no CAR in column {shown(columns['car'])}: fill it, or name another by --car-column")
    return found


def _plain(name: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _columns(path: Path, table: pd.DataFrame, firm: str | None, car: str | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for option, role, name in (("--firm-column", "firm", firm), ("--car-column", "car", car)):
        if name is not None and name not in table:
            raise ConfigError(f"{path}: no column {shown(name)} for {option}: it has {listed(table.columns)}")
        if name is not None:
            found[role] = name
    by_plain = {_plain(name): str(name) for name in reversed(list(table.columns))}
    for role, names in NAMES.items():
        match = next((by_plain[name] for name in names if name in by_plain and by_plain[name] not in found.values()), None)
        if role not in found and match is not None:
            found[role] = match
    if "car" not in found:
        wide = [str(name) for name in table if _plain(name).startswith("car") and _range(name)]
        if not wide:
            raise ConfigError(f"{path}: no column of CARs: name it by --car-column; it has {listed(table.columns)}")
        found |= {"car": wide[0], "wide": "|".join(wide)}
    unnamed = [str(name) for name in table if not str(name).strip()]
    if "tau" not in found and unnamed and _plain("ar") in by_plain | {_plain("aar"): ""}:
        found["tau"] = unnamed[0]  # the index of a table written by pandas
    return found


def _range(text: object) -> Window | None:
    match = RANGE.search(str(text))
    return (int(match[1]), int(match[2])) if match else None


def _of_window(path: Path, table: pd.DataFrame, columns: dict[str, str], window: Window) -> pd.DataFrame:
    """Return the rows that hold the CARs of a window."""
    absent = ConfigError(f"{path}: no CAR over {list(window)}: choose a window that it holds by --window")
    if "wide" in columns:
        names = [name for name in columns.pop("wide").split("|") if _range(name) == window]
        if not names:
            raise absent
        columns["car"] = names[0]
        for name in ("se", "t", "p_value", "variance"):
            columns.pop(name, None)
        return table
    if "first" in columns and "last" in columns:
        ends = table[[columns["first"], columns["last"]]].apply(pd.to_numeric, errors="coerce").to_numpy()
        chosen: pd.DataFrame = table.loc[(ends == np.array(window)).all(axis=1)]
    elif "tau" in columns:
        return _of_path(table, columns, pd.to_numeric(table[columns["tau"]], errors="coerce"), window, absent)
    elif "window" in columns and any(_range(cell) for cell in table[columns["window"]]):
        windows = [_range(cell) for cell in table[columns["window"]]]
        chosen = table.loc[[found == window for found in windows]]
        starts = {found[0] for found in windows if found}
        if chosen.empty and len(starts) == 1 and (min(starts), window[0] - 1) in windows:  # all from one session on: a path
            ends = pd.Series([found[1] if found else np.nan for found in windows], index=table.index)
            return _of_path(table, columns, ends, window, absent)
    else:
        return table
    if chosen.empty:
        raise absent
    return chosen


def _of_path(
    table: pd.DataFrame, columns: dict[str, str], tau: pd.Series, window: Window, absent: ConfigError
) -> pd.DataFrame:
    """Take one number a firm from CARs cumulated session by session: the difference of two of them.

    Errors and tests stand only where the cumulation starts with the window.
    """
    keys = [table[columns[name]].astype(str) for name in ("event_id", "firm") if name in columns]
    groups = table.groupby(keys, sort=False) if keys else [("", table)]
    rows = []
    for _, part in groups:
        at = {int(value): line for value, line in zip(tau[part.index], part.index, strict=True) if np.isfinite(value)}
        if window[1] not in at or (window[0] not in at and window[0] - 1 not in at):
            continue
        row = part.loc[at[window[1]]].copy()
        if window[0] - 1 in at:
            before = part.loc[at[window[0] - 1], columns["car"]]
            row[columns["car"]] = _difference(row[columns["car"]], before)
            for name in ("se", "t", "p_value", "variance"):
                if name in columns:
                    row[columns[name]] = ""
        rows.append(row)
    if not rows:
        raise absent
    found = pd.DataFrame(rows, columns=table.columns)
    found.index.name = table.index.name
    return found


def _difference(later: object, earlier: object) -> str:
    try:
        return str(Decimal(_cleaned(later)) - Decimal(_cleaned(earlier)))
    except InvalidOperation:
        return ""


def _cleaned(cell: object) -> str:
    return str(cell).replace("\u2212", "-").replace("*", "").strip()


def _figure(cell: object, where: str, column: str) -> Figure | None:
    """Read a number with its precision; None where the cell is blank."""
    text = _cleaned(cell)
    if text.lower() in ("", ".", "na", "nan", "none", "null"):
        return None
    share = text.endswith("%")
    try:
        number = Decimal(text.rstrip("% "))
    except InvalidOperation:
        raise DataError(f"{where}{column} is {shown(cell)}, no number: correct or blank it") from None
    if not number.is_finite():
        raise DataError(f"{where}{column} is {shown(cell)}, no number: correct or blank it")
    scale = 0.01 if share else 1.0
    return Figure(float(number) * scale, 0.5 * 10.0 ** int(number.as_tuple().exponent) * scale)


