"""The made panels that every variant is given: random prices with suspended sessions, events on scattered dates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

SESSIONS = 2_600
ESTIMATION = (-260, -11)
EVENT = (-10, 10)
CAR = ((-10, 10), (-1, 1))
SEED = 20191008
SPELL_STARTS = 0.01  # a spell lasts two sessions on average, so that 2% of all sessions are suspended
LONGEST_SPELL = 3
COLUMNS_AT_ONCE = 100


@dataclass(frozen=True)
class Panel:
    """Inputs of one study.

    Parameters
    ----------
    prices : DataFrame (sessions, symbols)
        Closes by date, NaN where trading is suspended.
    benchmark : Series (sessions,)
        Level by date, never missing.
    events : DataFrame
        ``event_id``, ``symbol``, ``session``; no symbol has two events in one session.
    """

    prices: pd.DataFrame
    benchmark: pd.Series
    events: pd.DataFrame

    @property
    def suspended_share(self) -> float:
        """Share of the sessions of all symbols without a trade."""
        return float(np.isnan(self.prices.to_numpy()).mean())

    @property
    def size(self) -> int:
        """Bytes that the three take in memory."""
        frames = (self.prices, self.benchmark, self.events)
        return int(sum(np.sum(frame.memory_usage(deep=True)) for frame in frames))


def symbol_count(n_events: int) -> int:
    """Return how many symbols carry the events: some ten events each, at least 30 and at most 5,000 symbols."""
    return min(5_000, max(30, n_events // 10))


def make_panel(n_events: int, seed: int = SEED) -> Panel:
    """Make a panel: returns from a market model with normal errors, no effect of the events.

    Every event has a price before its whole estimation window and sessions up to the end of its event window.
    """
    rng = np.random.default_rng([seed, n_events])
    n_symbols = symbol_count(n_events)
    dates = pd.bdate_range("2010-01-04", periods=SESSIONS, name="date")
    symbols = pd.Index([f"S{number:04d}" for number in range(n_symbols)])
    market = rng.normal(0.0003, 0.01, SESSIONS)
    returns = rng.normal(0.0, 0.02, (n_symbols, SESSIONS))
    returns += rng.uniform(0.5, 1.5, (n_symbols, 1)) * market
    closes = np.exp(np.cumsum(returns, axis=1) + np.log(20.0)).T
    closes[_suspended(rng, closes.shape)] = np.nan
    cells = (SESSIONS - EVENT[1] + ESTIMATION[0] - 1, n_symbols)
    place, column = np.divmod(rng.choice(cells[0] * cells[1], n_events, replace=False), n_symbols)
    events = pd.DataFrame(
        {
            "event_id": [f"e{number:07d}" for number in range(n_events)],
            "symbol": symbols[column],
            "session": dates[place - ESTIMATION[0] + 1].strftime("%Y-%m-%d"),
        }
    )
    benchmark = pd.Series(np.exp(np.cumsum(market) + np.log(1_000.0)), index=dates, name="close")
    return Panel(pd.DataFrame(closes, index=dates, columns=symbols), benchmark, events)


def _suspended(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    starts = rng.random(shape) < SPELL_STARTS
    length = rng.integers(1, LONGEST_SPELL + 1, shape)
    starts[0] = False  # every series begins with a trade
    suspended = starts.copy()
    for later in range(1, LONGEST_SPELL):
        suspended[later:] |= (starts & (length > later))[:-later]
    return suspended


def write_panel(panel: Panel, folder: Path) -> None:
    """Write a panel's three files: prices as wide Parquet, benchmark and events as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    panel.prices.to_parquet(folder / "prices.parquet")
    panel.benchmark.to_csv(folder / "benchmark.csv")
    panel.events.to_csv(folder / "events.csv", index=False)


def read_panel(folder: Path) -> Panel:
    """Read what `write_panel` wrote, the prices some columns at a time: pandas would hold them several times over."""
    benchmark = pd.read_csv(folder / "benchmark.csv", index_col="date", parse_dates=True)["close"]
    file = pq.ParquetFile(folder / "prices.parquet")
    symbols = [name for name in file.schema_arrow.names if name != "date"]
    closes = np.empty((len(symbols), file.metadata.num_rows))
    for first in range(0, len(symbols), COLUMNS_AT_ONCE):
        part = file.read(columns=symbols[first : first + COLUMNS_AT_ONCE], use_threads=False)
        for place, column in enumerate(part.columns, first):
            closes[place] = column.to_numpy()
    prices = pd.DataFrame(closes.T, index=benchmark.index, columns=pd.Index(symbols), copy=False)
    return Panel(prices, benchmark, pd.read_csv(folder / "events.csv"))
