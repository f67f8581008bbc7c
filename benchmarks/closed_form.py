"""The floor: the market model of many events at once in bare numpy, nothing checked and nothing explained.

Same numbers as the package's (rules A5 to A8): trade-to-trade rows, weighted least squares, full prediction covariance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.panels import CAR, ESTIMATION, EVENT, Panel

CHUNK = 2_000  # events at a time, so that a chunk's arrays stay small


@dataclass(frozen=True)
class Estimates:
    """Results of a chunk of events; arrays of shape (events,), (events, sessions) or (events, windows)."""

    first: int
    nobs: np.ndarray
    alpha: np.ndarray
    beta: np.ndarray
    sigma: np.ndarray
    ar: np.ndarray
    se_ar: np.ndarray
    car: np.ndarray
    se_car: np.ndarray


@dataclass(frozen=True)
class Trades:
    """Trade-to-trade rows of all symbols, one place a session; arrays of shape (symbols, sessions), span 0 without a trade."""

    span: np.ndarray
    ret: np.ndarray
    mkt: np.ndarray


@dataclass(frozen=True)
class Places:
    """Where the events lie in the arrays, each of shape (events,)."""

    symbol: np.ndarray
    day0: np.ndarray


def places(panel: Panel) -> Places:
    """Find the column and session of every event."""
    day0 = panel.prices.index.get_indexer(panel.events["session"].to_numpy(dtype="datetime64[ns]"))
    return Places(panel.prices.columns.get_indexer(panel.events["symbol"]), day0)


def trades(closes: np.ndarray, levels: np.ndarray) -> Trades:
    """Return the rows of closes (sessions, symbols) and benchmark levels (sessions,)."""
    log_close, log_level = np.log(np.ascontiguousarray(closes.T)), np.log(levels)
    traded = np.isfinite(log_close)
    sessions = np.arange(log_close.shape[1])
    last = np.maximum.accumulate(np.where(traded, sessions, 0), axis=1)
    before = np.zeros_like(last)
    before[:, 1:] = last[:, :-1]
    span = np.where(traded, sessions - before, 0).astype(np.int16)
    ret = np.where(traded, log_close - np.take_along_axis(log_close, before, axis=1), 0.0)
    return Trades(span, ret, np.where(traded, log_level - log_level[before], 0.0))


def estimates(rows: Trades, where: Places) -> Iterator[Estimates]:
    """Yield the estimates of all events, chunk by chunk."""
    for first in range(0, len(where.day0), CHUNK):
        symbol, day0 = where.symbol[first : first + CHUNK, None], where.day0[first : first + CHUNK, None]
        n, r, m = _window(rows, symbol, day0, ESTIMATION)
        weight = np.divide(1.0, n, out=np.zeros_like(r), where=n > 0)
        nobs, sum_n, sum_m, sum_r = (n > 0).sum(axis=1), n.sum(axis=1), m.sum(axis=1), r.sum(axis=1)
        weighted = m * weight
        sum_mm, sum_mr = np.einsum("ij,ij->i", weighted, m), np.einsum("ij,ij->i", weighted, r)
        det = sum_n * sum_mm - sum_m**2
        alpha, beta = (sum_mm * sum_r - sum_m * sum_mr) / det, (sum_n * sum_mr - sum_m * sum_r) / det
        error = r - alpha[:, None] * n - beta[:, None] * m
        sigma = np.sqrt(np.einsum("ij,ij,ij->i", error, error, weight) / (nobs - 2))
        inverse = sum_mm / det, -sum_m / det, sum_n / det
        n, r, m = _window(rows, symbol, day0, EVENT)
        ar = np.where(n > 0, r - alpha[:, None] * n - beta[:, None] * m, np.nan)
        se_ar = np.where(n > 0, sigma[:, None] * np.sqrt(n + _form(inverse, n, m)), np.nan)
        cars = [_car(rows, symbol, day0, window, alpha, beta, sigma, inverse) for window in CAR]
        car, se_car = (np.stack(parts, axis=1) for parts in zip(*cars, strict=True))
        yield Estimates(first, nobs, alpha, beta, sigma, ar, se_ar, car, se_car)


def _window(
    rows: Trades, symbol: np.ndarray, day0: np.ndarray, window: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gather span, return and market of the rows that lie wholly inside a window; 0 elsewhere."""
    offset = np.arange(window[1] - window[0] + 1)
    at = (symbol, day0 + window[0] + offset)
    span = rows.span[at]
    inside = span <= offset + 1
    return span * inside, rows.ret[at] * inside, rows.mkt[at] * inside


def _form(inverse: tuple[np.ndarray, ...], n: np.ndarray, m: np.ndarray) -> np.ndarray:
    a, b, c = (part[:, None] for part in inverse)
    return a * n * n + 2 * b * n * m + c * m * m


def _car(
    rows: Trades, symbol: np.ndarray, day0: np.ndarray, window: tuple[int, int],
    alpha: np.ndarray, beta: np.ndarray, sigma: np.ndarray, inverse: tuple[np.ndarray, ...],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    n, r, m = (part.sum(axis=1) for part in _window(rows, symbol, day0, window))
    tiled = n == window[1] - window[0] + 1
    factor = n + _form(inverse, n[:, None], m[:, None])[:, 0]
    return np.where(tiled, r - alpha * n - beta * m, np.nan), np.where(tiled, sigma * np.sqrt(factor), np.nan)
