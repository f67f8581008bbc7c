"""What the loopback Yahoo knows of an instrument: the truth, and how Yahoo shows it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Literal

import numpy as np
import pandas as pd

APRIL_GAP = ("2019-04-29", "2019-04-30")  # missing from every Yahoo file seen that covers them
DEFAULTS = {"volume": 0.0, "dividend": 0.0, "split": 1.0}


@dataclass
class Instrument:
    """Daily truth of one instrument; change it between requests to let Yahoo rewrite history.

    Parameters
    ----------
    symbol : str
        Ticker in Yahoo's spelling.
    frame : DataFrame
        Indexed by naive date, increasing: ``close`` as traded, ``volume``, ``dividend`` (cash a share
        before that day's split, on the ex-date), ``split`` (new shares for one). Optional ``open``,
        ``high``, ``low`` as traded; without them bars are made up, flat where a share's volume is 0.
        A NaN close with volume 0 is a suspended day; with another volume it is a row of nulls.
    missing : tuple of str
        Dates that get no row although they are in `frame`; their dividends and splits stay.
    opens, closes : str
        Trading hours in exchange time; rows are stamped with the opening.
    single_precision : bool
        Prices pass through 32 bits as Yahoo's do: 32.30 comes as 32.29999923706055.
    """

    symbol: str
    frame: pd.DataFrame
    timezone: str = "Asia/Shanghai"
    currency: str = "CNY"
    kind: Literal["share", "index"] = "share"
    name: str = ""
    missing: tuple[str, ...] = ()
    opens: str = "09:30"
    closes: str = "15:00"
    single_precision: bool = True

    def revise(self, date: str, **values: float) -> None:
        """Change recorded figures of one date: ``revise("2019-04-04", close=35.77)``."""
        frame = self._facts()
        for column, value in values.items():
            frame.loc[pd.Timestamp(date), column] = value
        self.frame = frame

    def add_session(self, date: str, close: float, volume: float) -> None:
        """Append or insert a session."""
        frame = self._facts()
        row = pd.DataFrame({"close": [close], "volume": [volume]}, index=pd.DatetimeIndex([date]))
        self.frame = pd.concat([frame, row]).fillna({"dividend": 0.0, "split": 1.0}).sort_index()

    def pay(self, date: str, cash: float) -> None:
        """Go ex a dividend of `cash` a share on `date`."""
        self.revise(date, dividend=cash)

    def split(self, date: str, ratio: float) -> None:
        """Give `ratio` new shares for one on `date`; the closes as traded are left to the test."""
        self.revise(date, split=ratio)

    def moment(self, date: pd.Timestamp, clock: str) -> int:
        """Seconds since 1970 of a clock time on an exchange day."""
        return int(pd.Timestamp(f"{date:%Y-%m-%d} {clock}", tz=self.timezone).timestamp())

    def bars(self) -> pd.DataFrame:
        """Rows as Yahoo shows them, by date: open, high, low, close, adjclose, volume; NaN for null."""
        facts = self._facts()
        later = _product_after(facts["split"])
        close = facts["close"] / later
        suspended = (facts["volume"] == 0) & (self.kind == "share")
        close = close.where(~suspended, close.ffill())
        before = close.ffill().shift()
        paid = (facts["dividend"] / (later * facts["split"])).where(before.notna(), 0.0)
        bars = pd.DataFrame({"open": before.where(before.notna() & close.notna(), close)})
        bars["high"] = np.maximum(bars["open"], close) * 1.001
        bars["low"] = np.minimum(bars["open"], close) * 0.999
        for column in ("open", "high", "low"):
            given = facts[column] / later if column in facts else pd.Series(np.nan, facts.index)
            bars[column] = given.where(given.notna(), close.where(suspended, bars[column]))
        bars["close"] = close
        bars["adjclose"] = close * _product_after(1 - paid / before.fillna(1.0))
        if self.single_precision:
            bars = bars.astype(np.float32).astype(float)
        bars["volume"] = (facts["volume"] * later).round()
        return bars[~bars.index.isin(pd.DatetimeIndex(self.missing))]

    def dividends(self) -> dict[pd.Timestamp, float]:
        """Cash a share by ex-date, in shares as they are after the last split: Yahoo adjusts it."""
        facts = self._facts()
        cash = facts["dividend"] / (_product_after(facts["split"]) * facts["split"])
        return {date: round(float(value), 6) for date, value in cash[cash != 0].items() if isinstance(date, pd.Timestamp)}

    def splits(self) -> dict[pd.Timestamp, float]:
        """New shares for one by ex-date."""
        ratios = self._facts()["split"]
        return {date: float(value) for date, value in ratios[ratios != 1].items() if isinstance(date, pd.Timestamp)}

    def _facts(self) -> pd.DataFrame:
        facts = self.frame.copy()
        for column, value in DEFAULTS.items():
            if column not in facts:
                facts[column] = value
        return facts.astype(float).fillna({"dividend": 0.0, "split": 1.0})


def _product_after(factors: pd.Series) -> pd.Series:
    """For each date, the product of the factors on later dates."""
    return factors[::-1].cumprod()[::-1].shift(-1, fill_value=1.0)


def from_snapshot(symbols: Iterable[str], drop: Iterable[str] = APRIL_GAP) -> dict[str, Instrument]:
    """The package's recorded figures as instruments, without the rows that Yahoo lacks.

    Read from the data files themselves, not through the code that is under test. Indices come with
    volume 0 on every day, as Yahoo shows on some: it must never be taken for a suspension.
    """
    folder = resources.files("eventstudy") / "snapshot"
    contents = tomllib.loads((folder / "contents.toml").read_text(encoding="utf-8"))["instrument"]
    instruments = {}
    for symbol in symbols:
        about = contents[symbol]
        with (folder / f"{symbol}.csv").open(encoding="utf-8") as file:
            frame = pd.read_csv(file, index_col="date", parse_dates=True)
        frame = frame.rename(columns={"adj_close": "close"})  # the one share recorded adjusted stands as if traded so
        frame["volume"] = frame["volume"].astype(float) if "volume" in frame else 0.0
        frame["dividend"], frame["split"] = 0.0, 1.0
        for action in about.get("action", []):
            frame.loc[pd.Timestamp(action["ex"]), ["dividend", "split"]] = [action.get("cash", 0.0), action.get("split", 1.0)]
        instruments[symbol] = Instrument(symbol, frame, kind=about["kind"], name=about["name"], missing=tuple(drop))
    return instruments
