"""Firms drawn for the tests of the estimators: the market model with a common shock, and gaps where asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.abnormal import cumulate
from eventstudy.calendar import SessionCalendar
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.models import ConstantMean, Fit, MarketAdjusted, MarketModel, Model
from eventstudy.returns import Rows, trade_rows
from eventstudy.trading import Listing

CALENDAR = SessionCalendar("test", pd.bdate_range("2018-01-01", periods=150))
DAY0 = 131
ESTIMATION = (1, 120)
MODELS: list[Model] = [ConstantMean(), MarketAdjusted(), MarketModel()]


def market(seed: int = 3, sessions: int = 150) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0.0003, 0.012, sessions))


def listing(seed: int, away: tuple[int, ...] = (), index: np.ndarray | None = None) -> Listing:
    index = market() if index is None else index
    rng = np.random.default_rng(seed)
    moves = 0.0005 + 1.2 * np.diff(index, prepend=0.0) + rng.normal(0, 0.02, len(index))
    moves += np.random.default_rng(99).normal(0, 0.01, len(index))  # shared by all firms
    level = np.exp(np.cumsum(moves)) * 20
    level[list(away)] = np.nan
    status = np.where(np.isfinite(level), "traded", "suspended").astype(object)
    return Listing(f"S{seed}", CALENDAR, status, level, np.exp(index), np.full(len(level), "", dtype=object), len(level) - 1)


GAPS = (20, 21, 22, 55, 80, 81, 131, 132)


def fitted(seed: int = 1, away: tuple[int, ...] = (), model: Model | None = None) -> tuple[Listing, Rows, Fit]:
    made = listing(seed, away)
    rows = trade_rows(made)
    return made, rows, (model or MarketModel()).fit(rows.inside(*ESTIMATION))


def firm(seed: int, window: tuple[int, int], away: tuple[int, ...] = (), day0: int = DAY0) -> FirmCar:
    made, rows, fit = fitted(seed, away)
    return FirmCar(made, fit, day0, cumulate(fit, made, rows, day0, window))


def section(count: int, window: tuple[int, int], away: dict[int, tuple[int, ...]] | None = None) -> CrossSection:
    return CrossSection(window, tuple(firm(seed, window, (away or {}).get(seed, ())) for seed in range(1, count + 1)))


def joined(rows: Rows, first: int, last: int) -> tuple[Rows, int]:
    places = np.flatnonzero(((rows.end >= first) & (rows.end <= last)) | (rows.end <= ESTIMATION[1]))
    return rows.take(places), int((rows.end[places] >= first).sum())
