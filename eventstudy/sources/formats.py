"""What vendors call their columns, in which units they count, and what they say of suspended sessions.

Taken from the vendors' published field lists and from code that reads their exports; no live export could be
looked at, so what a vendor ships today may differ. What differs is refused with the columns found, or mapped by
``[data.files.columns]``. Vendor by vendor:

csmar
    ``TRD_Dalyr`` (shares), ``TRD_Index`` or ``IDX_Idxtrd`` (indices). Clsprc is as traded, Adjprcwd adjusted with cash
    dividends reinvested, Dnshrtrd counts shares. No row on suspended sessions. Trdsta codes ST status, not
    suspension, and is not read. Stkcd may have lost its leading zeros. Up to two rows of titles and units
    below the header are left out. Not known: whether every export has those rows, and the codes of CSI
    indices in ``IDX_Idxtrd``.
wind
    ``AShareEODPrices`` and ``AIndexEODPrices``. S_DQ_VOLUME counts lots of 100 shares, S_DQ_AMOUNT is thousand CNY
    (not read). S_DQ_TRADESTATUS says which sessions were suspended (停牌); words that are not listed
    here say nothing, with a note. Not known: the whole list of those words, what stands in open, high
    and low of a suspended session (zeros are taken as blank), and the terminal's own Excel exports, whose
    Chinese headers and volumes in shares need a column map and ``volume_unit``.
tushare
    ``daily`` and ``index_daily``. vol counts lots, amount is thousand CNY (not read). No row on suspended sessions.
    pre_close is adjusted on ex-dates. adj_factor, from its own table, may be merged in. Not told from
    the file: closes already adjusted by ``pro_bar(adj=...)``; export them unadjusted.
baostock
    ``query_history_k_data_plus`` saved as CSV. volume counts shares, preclose is adjusted on ex-dates, tradestatus is
    1 (traded) or 0 (suspended), adjustflag 3 as traded, 1 and 2 adjusted: then the closes are the adjusted ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from eventstudy.calendar import SUFFIX_CALENDARS, exchange_sessions, suffix
from eventstudy.errors import DataError
from eventstudy.sources.base import Absent, Kind
from eventstudy.sources.frames import price_frame, shown

LOT = 100
EXTRA = ("pre_close", "adj_factor")
TICK = 0.005  # closes and reference prices are whole cents


@dataclass(frozen=True)
class Format:
    """One vendor's way to write daily prices.

    Parameters
    ----------
    columns : mapping
        Our name of a column to the names it may have in a file of shares.
    index : mapping
        The same for a file of indices, where names differ.
    absent : {"suspended", "missing"}
        What it means when a session has no row.
    unit : int
        Shares that one unit of volume stands for.
    words : mapping
        What the file says of a session to what it means: ``traded`` or ``suspended``.
    padded : bool
        Whether codes are Chinese, so that a shorter number has lost its leading zeros.
    titles : int
        Rows below the header that may hold titles and units.
    """

    columns: Mapping[str, tuple[str, ...]]
    index: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: Absent = "missing"
    unit: int = 1
    words: Mapping[str, str] = field(default_factory=dict)
    padded: bool = True
    titles: int = 0

    def names(self, index: bool) -> dict[str, tuple[str, ...]]:
        """Return our names of columns with those a file of indices, or of shares, may give them."""
        return dict(self.columns) | (dict(self.index) if index else {})


@dataclass(frozen=True)
class Rules:
    """What holds for one series: share or index, what an absent row means, shares a unit of volume, and its symbol."""

    kind: Kind
    absent: Absent
    unit: int
    symbol: str


_OWN = ("date", "symbol", "close", "adj_close", "volume", "dividend", "split", "open", "high", "low", "status")

PLAIN = Format(
    {name: (name,) for name in _OWN} | {"adj_close": ("adj_close", "adj close")}, absent="suspended", padded=False,
)  # fmt: skip

FORMATS: dict[str, Format] = {
    "csmar": Format(
        {
            "date": ("Trddt",), "symbol": ("Stkcd",), "close": ("Clsprc",), "adj_close": ("Adjprcwd",), "volume": ("Dnshrtrd",),
            "open": ("Opnprc",), "high": ("Hiprc",), "low": ("Loprc",),
        },
        index={
            "date": ("Trddt", "Idxtrd01"), "symbol": ("Indexcd",), "close": ("Clsindex", "Idxtrd05"),
            "open": ("Opnindex", "Idxtrd02"), "high": ("Hiindex", "Idxtrd03"), "low": ("Loindex", "Idxtrd04"),
        },
        absent="suspended",
        titles=2,
    ),
    "wind": Format(
        {
            "date": ("TRADE_DT",), "symbol": ("S_INFO_WINDCODE",), "close": ("S_DQ_CLOSE",), "adj_close": ("S_DQ_ADJCLOSE",),
            "volume": ("S_DQ_VOLUME",), "open": ("S_DQ_OPEN",), "high": ("S_DQ_HIGH",), "low": ("S_DQ_LOW",),
            "status": ("S_DQ_TRADESTATUS",), "pre_close": ("S_DQ_PRECLOSE",), "adj_factor": ("S_DQ_ADJFACTOR",),
        },
        unit=LOT,
        words=dict.fromkeys(("交易", "XD", "XR", "DR", "N"), "traded") | dict.fromkeys(("停牌", "停牌一天"), "suspended"),
    ),
    "tushare": Format(
        {
            "date": ("trade_date",), "symbol": ("ts_code",), "close": ("close",), "volume": ("vol",), "open": ("open",),
            "high": ("high",), "low": ("low",), "pre_close": ("pre_close",), "adj_factor": ("adj_factor",),
        },
        absent="suspended",
        unit=LOT,
    ),
    "baostock": Format(
        {
            "date": ("date",), "symbol": ("code",), "close": ("close",), "volume": ("volume",), "open": ("open",),
            "high": ("high",), "low": ("low",), "status": ("tradestatus",), "pre_close": ("preclose",),
            "adjusted": ("adjustflag",),
        },
        words={"1": "traded", "0": "suspended"},
    ),
}  # fmt: skip


def vendor_rows(raw: pd.DataFrame, form: Format, where: str) -> tuple[pd.DataFrame, list[str]]:
    """Bring a vendor's words into ours: the status of sessions, closes that are adjusted, zeros that are blanks.

    Raises
    ------
    DataError
        If the rows mix several kinds of adjustment.
    """
    raw, notes = raw.copy(), []
    if "status" in raw and form.words:
        said = raw["status"].astype("object").where(raw["status"].notna(), "").astype(str).str.strip().str.removesuffix(".0")
        raw["status"] = said.map(form.words).astype("object").where(said.isin(list(form.words)), None)
        unknown = sorted(set(said[~said.isin([*form.words, ""])]))
        if unknown:
            notes.append(f"trading status {', '.join(map(shown, unknown[:4]))} is not known and was passed over")
        idle = raw["status"] == "suspended"
        for name in {"open", "high", "low"} & set(raw):
            raw.loc[idle & (pd.to_numeric(raw[name], errors="coerce") == 0), name] = None
    if "adjusted" in raw:
        kinds = set(raw["adjusted"].astype(str).str.strip().str.removesuffix(".0"))
        if len(kinds) > 1 or not kinds <= {"1", "2", "3"}:
            mixed = " and ".join(map(shown, sorted(kinds)))
            raise DataError(f"{where}: adjustflag is {mixed}: export the rows again with adjustflag 3 alone")
        if kinds != {"3"}:
            raw = raw.assign(adj_close=raw["close"], close=None)
            raw = raw.drop(columns=["open", "high", "low", "pre_close"], errors="ignore")
            notes.append("the closes are adjusted, not as traded: price-limit days cannot be told")
    return raw.drop(columns="adjusted", errors="ignore"), notes


def vendor_frame(raw: pd.DataFrame, form: Format, where: str, rules: Rules) -> tuple[pd.DataFrame, list[str]]:
    """Check a vendor's rows and bring them into the columns and units of a `PriceSeries`."""
    raw, notes = vendor_rows(raw, form, where)
    frame, found = price_frame(raw, where, EXTRA)
    if rules.unit != 1:
        frame["volume"] = np.rint(frame["volume"] * rules.unit)
    if frame["adj_close"].isna().all() and frame["adj_factor"].notna().any():
        frame["adj_close"] = frame["close"] * frame["adj_factor"]
    if rules.kind == "share":
        found += actions_from_reference(frame, rules.absent, rules.symbol)
    return frame.drop(columns=list(EXTRA)), notes + found


def actions_from_reference(frame: pd.DataFrame, absent: Absent, symbol: str) -> list[str]:
    """Take corporate actions from the exchange's reference prices (``pre_close``), in place, where none are given.

    A reference price below the last close means that shares went ex-dividend or were split. It is written as
    a split that turns the one into the other: returns and price limits are those of the exchange's reference
    price. Where sessions are absent in between, the step may as well be their returns: then it counts
    only if absent sessions were suspended and the price stepped down.

    Returns
    -------
    list of str
        Notes: the dates taken as ex-dates, and those left alone.
    """
    close = frame["close"].dropna()
    if (frame["dividend"] != 0).any() or (frame["split"] != 1).any() or len(close) < 2:
        return []
    reference, last = frame["pre_close"].reindex(close.index), close.shift(1)
    steps = close.index[(reference - last).abs() > TICK]
    if not len(steps):
        return []
    next_session = _follows(close.index, symbol)
    certain, down = next_session[steps], (reference < last)[steps]
    resumed = ~certain & down & (absent == "suspended")
    taken, left = steps[certain | resumed], steps[~certain & ~resumed]
    frame["split"] = (last / reference)[taken].reindex(frame.index, fill_value=1.0)
    notes = []
    if len(taken):
        notes.append(f"corporate actions are taken from the reference prices of {days_of(taken)}")
    if resumed.any():
        notes.append(
            f"of these, {days_of(steps[resumed])} follow absent sessions, which count as suspended: "
            "if rows are missing instead, the returns there are wrong"
        )
    if len(left):
        notes.append(
            f"the reference price of {days_of(left)} is not the close before, and sessions between are absent: "
            "returns there are from close to close, which is wrong if it was an ex-date"
        )
    return notes


def _follows(dates: pd.Index, symbol: str) -> pd.Series:
    """Tell of each date whether the one before it is the exchange's session before it."""
    calendar = SUFFIX_CALENDARS.get(suffix(symbol))
    if calendar is None:
        return pd.Series(False, index=dates)
    places = pd.Series(exchange_sessions(calendar, dt.date(1990, 12, 3)).sessions.get_indexer(dates), index=dates)
    return (places.diff() == 1) & (places >= 0) & (places.shift(1) >= 0)


def days_of(dates: pd.Index, most: int = 6) -> str:
    """List dates for a note, not at length."""
    text = ", ".join(f"{date:%Y-%m-%d}" for date in dates[:most])
    return text + (f" and {len(dates) - most} more" if len(dates) > most else "")
