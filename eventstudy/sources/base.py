"""What every price source hands over, and the protocol it follows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import pandas as pd

Absent = Literal["suspended", "missing"]
Kind = Literal["share", "index"]

COLUMNS = ["close", "adj_close", "volume", "dividend", "split", "open", "high", "low", "status"]
FLAGS = ("traded", "suspended")


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
        on its ex-date, 1 on other days), ``open``, ``high``, ``low`` (as traded; NaN where unknown) and
        ``status`` (text: what the source itself says of the session, ``traded`` or ``suspended``; NaN where
        it says nothing). A frame without the column ``status`` says nothing of any session.
    source : str
        Name of the source.
    kind : {"share", "index"}
        The volume rule for suspensions holds for shares only.
    absent : {"suspended", "missing"}
        What it means in this source when a session has no row.
    notes : tuple of str
        What the reader of a report must know about this series.
    name, name_zh : str
        What the instrument is called in English and in Chinese; empty where the source does not say.
    doubts : tuple of (str, str)
        Code and sentence of what the source saw that may make a figure wrong.
    vintage : str
        Name of the stored series these rows were taken from; empty where none was.
    fetched_at : str
        When the source was last asked for the stored series (ISO 8601, UTC); empty where nothing was
        fetched or the time was lost.
    """

    symbol: str
    frame: pd.DataFrame
    source: str
    kind: Kind = "share"
    absent: Absent = "missing"
    name: str = ""
    notes: tuple[str, ...] = field(default=())
    doubts: tuple[tuple[str, str], ...] = field(default=())
    vintage: str = ""
    fetched_at: str = ""
    name_zh: str = ""

    @property
    def flags(self) -> pd.Series:
        """What the source says of single sessions, by date: ``traded`` or ``suspended``; empty where it says nothing."""
        flags: pd.Series = self.frame["status"] if "status" in self.frame else pd.Series(index=self.frame.index[:0], dtype="str")
        return flags[flags.notna()]

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over kind, dates, closes, volumes, actions and flags of suspension (hex).

        The vendor's adjusted closes count only where there are no closes as traded: a new dividend
        rescales all of them without changing a single fact. Flags count where there are any.
        """
        columns = ["adj_close" if self.frame["close"].isna().all() else "close", "volume", "dividend", "split"]
        head = [self.kind, self.absent, *(f"{date:%Y-%m-%d},{flag}" for date, flag in self.flags.items())]
        return hash_columns(head, self.frame.index.to_numpy(), [self.frame[name].to_numpy(dtype=float) for name in columns])


def hash_columns(head: Sequence[str], dates: np.ndarray, columns: Sequence[np.ndarray]) -> str:
    """Return the SHA-256 (hex) of some words, dates and numbers: the same on every machine, whatever stands behind a NaN."""
    digest = hashlib.sha256("\n".join([*head, str(len(dates))]).encode())
    digest.update(dates.astype("datetime64[D]").astype("<i8").tobytes())
    for values in columns:
        plain = np.where(np.isnan(values), np.nan, values + 0.0)  # one kind of NaN, and no zero below zero
        digest.update(plain.astype("<f8").tobytes())
    return digest.hexdigest()


class Source(Protocol):
    """A provider of daily prices; adding one is a module with this shape and a line in the registry."""

    @property
    def name(self) -> str:
        """Name of the source in a config."""
        ...

    @property
    def remote(self) -> bool:
        """Whether it asks somebody over a network, so that its answers are kept in the store."""
        ...

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the series of `symbol` between `start` and `end`, both inclusive.

        A remote source whose rows depend on more than symbol and kind, such as a query of the user's, says
        by a method ``origin(kind) -> str`` what else decides on them: the store keeps them apart by it.

        Raises
        ------
        UnknownSymbolError
            If the source does not know `symbol`.
        DataError
            If what the source holds cannot be used.
        """
        ...


Settings = Mapping[str, object]
