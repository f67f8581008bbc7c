"""What there is to say of the series of a panel: the tables `data` and `notes`.

Of closes that give nothing to doubt all is known from the panel's arrays; any other share is read and doubted by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy import tables
from eventstudy.doubt import JUMP_WITHOUT_LIMIT
from eventstudy.panel.market import CODE, SHARES_AT_ONCE, Market
from eventstudy.panel.study import NOWHERE, PanelStudy
from eventstudy.plan import StudyInputs
from eventstudy.prepared import Prepared
from eventstudy.sources.wide import WideSeries
from eventstudy.study import Computation
from eventstudy.trading import MISSING, SUSPENDED, UNKNOWN

READ_AT_ONCE = 200  # shares whose series are held at once


def told(series: WideSeries, market: Market) -> pd.DataFrame:
    """Return the rows of the table `data` of the shares of a market that give nothing to doubt.

    There are none where the market was put together share by share. Nor are there where the prices end before the benchmark's
    dates, or the benchmark has no value on one of theirs: that is a doubt about every share.
    """
    if market.inferred is None:
        return pd.DataFrame()
    first, last, sessions = series.closes.index[0], series.closes.index[-1], market.calendar.sessions
    inside = np.asarray((sessions >= first) & (sessions <= last))
    holes = inside & ~np.isfinite(market.benchmark)
    if holes.any() or (sessions[: market.end + 1] > last).any():
        return pd.DataFrame()
    sure = ~market.inferred & _unmoved(series, market)
    status = market.status[:, inside][sure]
    symbols = [symbol for symbol, plain in zip(market.symbols, sure, strict=True) if plain]
    return pd.DataFrame(
        {
            "symbol": symbols,
            "source": series.source,
            "content_hash": [series.hash_of(symbol) for symbol in symbols],
            "first": tables.day(first),
            "last": tables.day(last),
            "sessions": int(inside.sum()),
            "traded": (status <= CODE[UNKNOWN]).sum(axis=1),
            "suspended": (status == CODE[SUSPENDED]).sum(axis=1),
            "missing": (status == CODE[MISSING]).sum(axis=1),
            "limit_days": pd.NA,
            "doubts": "",
        }
    )


def _unmoved(series: WideSeries, market: Market) -> np.ndarray:
    """Tell which shares have no close outside the sessions, and no jump between sessions.

    A close that moves like a split is a jump, too: the smallest split is larger than `JUMP_WITHOUT_LIMIT`.
    """
    outside = series.closes.index.isin(market.calendar.sessions)
    sure = np.ones(len(market.symbols), dtype=bool)
    if not outside.all():
        sure &= series.closes.loc[~outside, list(market.symbols)].isna().all().to_numpy()
    for start in range(0, len(sure), SHARES_AT_ONCE):
        part = slice(start, start + SHARES_AT_ONCE)
        level, traded = market.level[part], market.traded(part)
        both = traded[:, 1:] & traded[:, :-1]
        change = np.divide(level[:, 1:], level[:, :-1], out=np.ones(both.shape), where=both) - 1
        sure[part] &= ~(np.abs(change) > JUMP_WITHOUT_LIMIT - 1e-9).any(axis=1)
    return sure


def described(study: PanelStudy, inputs: StudyInputs) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables `data` and `notes` as far as they tell of series: shares in the order of the events, then benchmarks."""
    symbols = study.events.symbol[study.panel.market != NOWHERE]  # of a symbol without prices there is nothing to say
    shares = symbols[np.sort(np.unique(symbols, return_index=True)[1])]
    known = [told(inputs.series, market) for market in study.panel.markets] if isinstance(inputs.series, WideSeries) else []
    sure = {symbol for part in known if len(part) for symbol in part["symbol"]}
    doubtful = [symbol for symbol in shares if symbol not in sure] or list(shares[:1])  # benchmarks come with a share
    parts = [(tables.data_table(read), tables.notes_table(read)) for read in _read(doubtful, study, inputs)]
    data, notes = (pd.concat(found, ignore_index=True) for found in zip(*parts, strict=True))
    place = {symbol: number for number, symbol in enumerate(shares)}
    data = pd.concat([*(part for part in known if len(part)), data], ignore_index=True).drop_duplicates("symbol", keep="last")
    data = data.sort_values("symbol", key=lambda names: names.map(place).fillna(len(place)), kind="stable", ignore_index=True)
    notes = notes.drop_duplicates(keep="last").sort_values("code", key=lambda code: code != "source", kind="stable")
    return data.astype({"limit_days": "Int64"}), notes


def _read(shares: Sequence[str], study: PanelStudy, inputs: StudyInputs) -> Iterator[Computation]:
    """Yield the series and listings of some shares at a time, so that few of them are held at once; no events, no firms."""
    everybody = set(study.events.symbol)
    for start in range(0, len(shares), READ_AT_ONCE):
        chosen = shares[start : start + READ_AT_ONCE]
        apart = everybody - set(chosen)
        part = replace(inputs, events=(), series={name: inputs.series[name] for name in inputs.series if name not in apart})
        prepared = Prepared()
        listings = {name: prepared.listing(name, part) for name in chosen if name in part.series}
        yield Computation(part, (), (), listings)
