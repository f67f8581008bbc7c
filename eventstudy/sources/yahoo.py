"""Yahoo through yfinance: every fault of an answer becomes an error of its own, closes become those traded.

Yahoo's closes are adjusted for all splits up to today; here they are multiplied back by the splits that
came after each date, so that a price limit can be told and a new split changes nothing stored.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.calendar import SUFFIX_CALENDARS, exchange_sessions, suffix
from eventstudy.errors import DataError, NoPricesError, SourceUnreachableError
from eventstudy.sources.base import Kind, PriceSeries
from eventstudy.sources.frames import price_frame
from eventstudy.sources.yahoofaults import faults_told

CSI_300_ON_YAHOO = dt.date(2021, 3, 11)
FIRST_SESSION = dt.date(1991, 1, 1)
DIGITS = 7  # Yahoo sends single precision: 32.299999 stands for 32.30
COLUMNS = {
    "Open": "open", "High": "high", "Low": "low", "Close": "close", "Adj Close": "adj_close", "Volume": "volume",
    "Dividends": "dividend", "Stock Splits": "split",
}  # fmt: skip


class YahooSource:
    """Daily prices from Yahoo, one symbol at a time.

    Parameters
    ----------
    session : object, optional
        A curl_cffi session; default: yfinance's own, which honours the environment's proxy and certificates.
    attempts : int
        How often one request is tried where another try can help.
    timeout : float
        Seconds one request may take.
    total : float
        Seconds all requests of this source may take together.
    pause : float
        Seconds between two symbols.
    wait : float
        Seconds before the second try; later waits grow, with jitter.
    """

    name = "yahoo"
    remote = True

    def __init__(
        self,
        session: Any = None,
        attempts: int = 4,
        timeout: float = 15,
        total: float = 600,
        pause: float = 0.5,
        wait: float = 1,
    ) -> None:
        self.session, self.attempts, self.timeout = session, attempts, timeout
        self.total, self.pause, self.wait = total, pause, wait
        self._deadline: float | None = None
        self._last_request = 0.0

    @classmethod
    def from_settings(cls, folder: Path, settings: Mapping[str, Any]) -> YahooSource:
        """Return the source that a [data.yahoo] table describes."""
        return cls(**settings)

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the series of `symbol` between two dates, both inclusive, closes as traded.

        Raises
        ------
        UnknownSymbolError
            If Yahoo does not know the symbol; `NoPricesError` if it has no price in the range.
        RateLimitedError, MalformedAnswerError, SourceUnreachableError
            If Yahoo does not give a usable answer within the tries and the time there are.
        DataError
            If the answer cannot be used, such as one in a wrong time zone.
        """
        if symbol == "000300.SS" and end.date() < CSI_300_ON_YAHOO:
            raise NoPricesError(
                f"Yahoo has no CSI 300 (000300.SS) before {CSI_300_ON_YAHOO}: take 399001.SZ (Shenzhen Component) or "
                '000001.SS (Shanghai Composite) for benchmark, or source = "snapshot" for 2017 to 2019'
            )
        answer, zone = self._ask(symbol, start, end + pd.Timedelta(days=1))
        _check_zone(symbol, zone)
        answer = answer[(answer.index >= start) & (answer.index <= end)].copy()
        if answer["Close"].isna().all():
            span = f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
            raise NoPricesError(f"Yahoo answers for {symbol}, but has no price from {span}: check symbol and dates")
        later = self._later_splits(symbol, answer, end)
        moved = self._book_splits(symbol, answer)
        raw, notes = _as_traded(symbol, answer, later)
        frame, more = price_frame(raw, f"Yahoo, {symbol}")
        return PriceSeries(symbol, frame, self.name, kind, "missing", notes=tuple(moved + notes + more))

    def _later_splits(self, symbol: str, known: pd.DataFrame, end: pd.Timestamp) -> float:
        """Return the product of the splits after `end`, which Yahoo's closes are adjusted for already.

        Asked for from the last price on, so that an answer without rows is a fault; by day, for Yahoo
        leaves out some of the events where rows are longer.
        """
        today = (pd.Timestamp.now("UTC").tz_localize(None) + pd.Timedelta(hours=14)).normalize()  # in the east it is already
        if end >= today:
            return 1.0
        last = known.index[known["Close"].notna()][-1]
        answer, _ = self._ask(symbol, last, today + pd.Timedelta(days=1))
        return _all_splits(answer) / _all_splits(known[known.index >= last])

    def _book_splits(self, symbol: str, answer: pd.DataFrame) -> list[str]:
        """Move a split to the next row, in place, where Yahoo dates it on a session in between that it has no row of.

        yfinance books such a split at the row before, whose close would then be taken for one of after the split.
        Closes and volumes do not tell, for Yahoo adjusts them for the split either way; Yahoo asked for
        that one day alone does.
        """
        notes = []
        splits = answer["Stock Splits"].to_numpy(dtype=float, copy=True)
        for place in map(int, np.flatnonzero(splits[:-1] > 0)):
            before, after = (f"{day:%Y-%m-%d}" for day in answer.index[place : place + 2])
            if not _session_between(symbol, *answer.index[place : place + 2]):
                continue
            alone, _ = self._ask(symbol, answer.index[place], answer.index[place] + pd.Timedelta(days=1))
            if _all_splits(alone) != 1:
                continue
            ratio = f"{splits[place]:g}"
            notes.append(f"a split of {ratio} falls after {before} on a session Yahoo has no row of: booked on {after}")
            splits[place : place + 2] = 0.0, splits[place] * (splits[place + 1] or 1.0)
        answer["Stock Splits"] = splits
        return notes

    def _ask(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp) -> tuple[pd.DataFrame, str]:
        """Ask until an answer comes, another try cannot help, or tries or time are used up."""
        import tenacity

        now = time.monotonic()
        self._deadline = self._deadline or now + self.total
        time.sleep(max(0.0, self._last_request + self.pause - now))
        left = max(0.0, self._deadline - time.monotonic())
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.attempts) | tenacity.stop_before_delay(left),
            wait=tenacity.wait_exponential(multiplier=self.wait, max=60) + tenacity.wait_random(0, self.wait),
            retry=tenacity.retry_if_exception_type(SourceUnreachableError),
            reraise=True,
        )
        try:
            return retrying(self._ask_once, symbol, start, end)
        finally:
            self._last_request = time.monotonic()

    def _ask_once(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp) -> tuple[pd.DataFrame, str]:
        import yfinance as yf
        from yfinance.data import YfData

        zone = _exchange_zone(symbol)  # else yfinance takes the probe's, right or wrong
        left = (self._deadline or np.inf) - time.monotonic()
        if left <= 0:
            raise SourceUnreachableError(f"Yahoo took longer than {self.total:g} s for all symbols: try again, or raise total")
        YfData.cache_get.cache_clear()  # it keeps bad answers, too
        session = self.session or YfData()._session
        with faults_told(symbol, session):
            ticker = yf.Ticker(symbol, session=session)
            frame = ticker.history(
                start=start.tz_localize(zone) if zone else f"{start:%Y-%m-%d}",
                end=end.tz_localize(zone) if zone else f"{end:%Y-%m-%d}",
                auto_adjust=False, actions=True, keepna=True, timeout=min(self.timeout, left),
            )  # fmt: skip
            said = str((ticker.history_metadata or {}).get("exchangeTimezoneName", ""))
        if frame.empty or "Close" not in frame:
            raise NoPricesError(f"Yahoo has no price of {symbol} from {start:%Y-%m-%d} on: check the symbol and the dates")
        frame.index = pd.DatetimeIndex(frame.index).tz_localize(None).normalize()
        return frame, said


def _all_splits(answer: pd.DataFrame) -> float:
    splits = answer["Stock Splits"].to_numpy(dtype=float)
    return float(np.prod(splits[splits > 0]))


def _exchange_zone(symbol: str) -> str | None:
    """Return the zone that the suffix stands for, None where it names no known exchange."""
    name = SUFFIX_CALENDARS.get(suffix(symbol))
    return exchange_sessions(name, dt.date(2020, 1, 1)).timezone if name else None


def _check_zone(symbol: str, zone: str) -> None:
    """Refuse an answer in another zone than the exchange's: every date in it would be shifted."""
    expected = _exchange_zone(symbol)
    if expected is None:
        return
    noon = pd.Timestamp("2020-01-15 12:00")
    try:
        same = noon.tz_localize(zone).utcoffset() == noon.tz_localize(expected).utcoffset()
    except (KeyError, ValueError):
        same = False
    if not same:
        raise DataError(f"Yahoo gave {symbol} in time zone {zone or 'none'} instead of {expected}: its dates cannot be trusted")


def _as_traded(symbol: str, answer: pd.DataFrame, later: float) -> tuple[pd.DataFrame, list[str]]:
    """Undo the split adjustment; book a dividend where the adjusted closes say it belongs."""
    notes: list[str] = []
    raw = answer.reindex(columns=list(COLUMNS)).rename(columns=COLUMNS)
    raw["dividend"] = raw["dividend"].fillna(0.0)
    raw["split"] = raw["split"].where(raw["split"] > 0, 1.0)
    if raw["adj_close"].eq(raw["close"]).all() and (raw["dividend"] > 0).any():
        notes.append("the answer has no adjusted closes: dividends are taken as dated")
    else:
        notes += _book_dividends(symbol, raw)
    after = raw["split"].iloc[::-1].cumprod().shift(1, fill_value=1.0).iloc[::-1] * later
    raw["dividend"] = _rounded(raw["dividend"] * after * _shares_paid(raw))
    for name in ("open", "high", "low", "close"):
        raw[name] = _rounded(raw[name] * after)
    raw["volume"] = (raw["volume"] / after).round()
    raw["adj_close"] = np.nan  # returns come from closes and actions; Yahoo rescales this column with every dividend
    blank = raw["close"].isna() & (raw["dividend"] > 0)
    if blank.any():
        days = ", ".join(f"{day:%Y-%m-%d}" for day in raw.index[blank])
        notes.append(f"a dividend is dated on a session without a price: {days}")
    return raw.rename_axis("date").reset_index(), notes


def _book_dividends(symbol: str, raw: pd.DataFrame) -> list[str]:
    """Move a dividend to the next row where the adjusted closes drop only there, and a session lies in between.

    yfinance books a dividend dated on a missing row at the row before it, a session too early.
    """
    notes = []
    factor, close = (raw["adj_close"] / raw["close"]).to_numpy(), raw["close"].to_numpy()
    for place in np.flatnonzero((raw["dividend"] > 0).to_numpy()):
        if not 0 < place < len(raw) - 1 or not _session_between(symbol, *raw.index[place : place + 2]):
            continue
        cash = raw["dividend"].iloc[place]
        here, next_ = factor[place] / factor[place - 1] - 1, factor[place + 1] / factor[place] - 1
        if abs(here) < 0.1 * cash / close[place - 1] and next_ > 0.5 * cash / close[place]:
            days = [f"{day:%Y-%m-%d}" for day in raw.index[place : place + 2]]
            raw.iloc[place, raw.columns.get_loc("dividend")] = 0.0  # type: ignore[index]
            raw.iloc[place + 1, raw.columns.get_loc("dividend")] += cash  # type: ignore[index]
            notes.append(f"a dividend of {cash:g} falls after {days[0]} on a session Yahoo has no row of: booked on {days[1]}")
    return notes


def _session_between(symbol: str, before: pd.Timestamp, after: pd.Timestamp) -> bool:
    """Tell whether the exchange had a session between two dates; where none is known, whether a weekday lies there."""
    name = SUFFIX_CALENDARS.get(suffix(symbol))
    if name is None:
        return bool(np.busday_count(before.date(), after.date()) > 1)
    sessions = exchange_sessions(name, FIRST_SESSION).sessions
    return bool(sessions.searchsorted(after) - sessions.searchsorted(before, side="right") > 0)


def _shares_paid(raw: pd.DataFrame) -> np.ndarray:
    """New shares that one dividend was stated for: on the day of a split, the split where it was stated for new ones.

    The adjusted closes tell: they drop by the dividend of a new share over the close before.
    """
    shares = np.ones(len(raw))
    factor = (raw["adj_close"] / raw["close"]).to_numpy()
    for place in np.flatnonzero(((raw["dividend"] > 0) & (raw["split"] != 1)).to_numpy()):
        split, stated = raw["split"].iloc[place], raw["dividend"].iloc[place]
        new_share = raw["close"].iloc[place - 1] * (1 - factor[place - 1] / factor[place]) if place else np.nan
        if not abs(stated / split - new_share) < abs(stated - new_share):
            shares[place] = split
    return shares


def _rounded(values: pd.Series) -> pd.Series:
    """Round to the digits that single precision carries."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = DIGITS - 1 - np.floor(np.log10(values.abs().where(values != 0, 1.0)))
    scale = 10.0**places
    rounded: pd.Series = (values * scale).round() / scale
    return rounded
