"""What researchers write first: a loop over events with `statsmodels.OLS(...).fit()` in it."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm

from benchmarks.closed_form import Estimates, Places
from benchmarks.panels import CAR, ESTIMATION, EVENT


def estimates(closes: np.ndarray, levels: np.ndarray, where: Places) -> Estimates:
    """Return the estimates of all events, fitted one at a time, from closes (sessions, symbols) and levels (sessions,)."""
    log_close, log_level = np.log(closes), np.log(levels)
    n_events, sessions = len(where.day0), EVENT[1] - EVENT[0] + 1
    nobs = np.zeros(n_events, dtype=int)
    alpha, beta, sigma = np.empty((3, n_events))
    ar, se_ar = np.full((2, n_events, sessions), np.nan)
    car, se_car = np.full((2, n_events, len(CAR)), np.nan)
    for event, (symbol, day0) in enumerate(zip(where.symbol, where.day0, strict=True)):
        share = log_close[:, symbol]
        _, n, r, m = _rows(share, log_level, day0, ESTIMATION)
        root = np.sqrt(n)
        x = np.column_stack([n, m])
        fit = sm.OLS(r / root, x / root[:, None]).fit()
        spread, inverse = np.sqrt(fit.scale), fit.normalized_cov_params
        nobs[event], sigma[event], (alpha[event], beta[event]) = len(r), spread, fit.params
        end, n, r, m = _rows(share, log_level, day0, EVENT)
        x = np.column_stack([n, m])
        ar[event, end] = r - x @ fit.params
        se_ar[event, end] = spread * np.sqrt(n + np.einsum("ij,jk,ik->i", x, inverse, x))
        for place, window in enumerate(CAR):
            _, n, r, m = _rows(share, log_level, day0, window)
            if n.sum() == window[1] - window[0] + 1:
                total = np.array([n.sum(), m.sum()])
                car[event, place] = r.sum() - total @ fit.params
                se_car[event, place] = spread * np.sqrt(n.sum() + total @ inverse @ total)
    return Estimates(0, nobs, alpha, beta, sigma, ar, se_ar, car, se_car)


def _rows(
    share: np.ndarray, level: np.ndarray, day0: int, window: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return place in the window, span, return and market of the trade-to-trade rows inside it."""
    base = day0 + window[0] - 1
    traded = np.flatnonzero(np.isfinite(share[base : day0 + window[1] + 1]))
    start, end = traded[:-1], traded[1:]
    change = [series[base + end] - series[base + start] for series in (share, level)]
    return end - 1, end - start, change[0], change[1]
