"""What every price source hands over, and the protocol it follows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pandas as pd

Absent = Literal["suspended", "missing"]
Kind = Literal["share", "index"]

COLUMNS = ["close", "adj_close", "volume", "dividend", "split", "open", "high", "low"]


@dataclass(frozen=True)
class PriceSeries:
    """Daily prices of one instrument as one source recorded them.

    Parameters
    ----------
    symbol : str
        Ticker in Yahoo's spelling, such as ``002415.SZ``.
    frame : DataFrame
        Indexed by date (naive, unique, increasing), with the columns ``close`` (as traded, price
        units), ``adj_close`` (adjusted by the vendor; NaN where it gives none), ``volume`` (shares; NaN
        where unknown), ``dividend`` (cash a share on its ex-date), ``split`` (new shares per old one
        on its ex-date, 1 on other days) and ``open``, ``high``, ``low`` (as traded; NaN where unknown).
    source : str
        Name of the source.
    kind : {"share", "index"}
        The volume rule for suspensions holds for shares only.
    absent : {"suspended", "missing"}
        What it means in this source when a session has no row.
    notes : tuple of str
        What the reader of a report must know about this series.
    vintage : str
        Name of the stored series these rows were taken from; empty where none was.
    """

    symbol: str
    frame: pd.DataFrame
    source: str
    kind: Kind = "share"
    absent: Absent = "missing"
    name: str = ""
    notes: tuple[str, ...] = field(default=())
    vintage: str = ""

    @property
    def content_hash(self) -> str:
        """SHA-256 over dates, closes, volumes and actions (hex).

        The vendor's adjusted closes count only where there are no closes as traded: a new dividend
        rescales all of them without changing a single fact.
        """
        columns = ["adj_close" if self.frame["close"].isna().all() else "close", "volume", "dividend", "split"]
        lines = [f"{self.kind},{self.absent}"]
        for date, *values in self.frame[columns].itertuples():
            lines.append(f"{date:%Y-%m-%d}," + ",".join(repr(float(value)) for value in values))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class Source(Protocol):
    """A provider of daily prices; adding one is a module with this shape and a line in the registry."""

    name: str
    remote: bool  # asks somebody over a network, so its answers are kept in the store

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the series of `symbol` between `start` and `end`, both inclusive.

        Raises
        ------
        UnknownSymbolError
            If the source does not know `symbol`.
        DataError
            If what the source holds cannot be used.
        """
        ...


Settings = Mapping[str, object]
