"""Rank tests across firms, on matrices of standardised abnormal returns by tau (rules C9, C10 and C13)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eventstudy.inference.result import Null, TestResult, cannot_reject, normal, spread_of, student, undefined

FEWEST_FIRMS_RESCALED = 10


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank within each firm, ties averaged; NaN stays NaN."""
    rows = values.T
    return ranks_within(rows, ~np.isnan(rows), rows.argsort(axis=1)).T


def ranks_within(values: np.ndarray, chosen: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Rank the chosen values within each row from 1 on, ties averaged; NaN elsewhere.

    Parameters
    ----------
    order : array
        What sorts each row of `values`, which hold NaN or are chosen by all who share it.
    """
    # without ties the place is the rank: scipy takes several times as long, and placebo dates ask thousands of times
    places = order + values.shape[1] * np.arange(len(values))[:, None]
    ranks, ordered = np.empty(values.shape), values.take(places)
    ranks.put(places, np.cumsum(chosen.take(places), axis=1, dtype=float))
    tied = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
    ranks[~chosen] = np.nan
    if len(tied):
        from scipy import stats  # of prices in continuous time there are none

        ranks[tied] = stats.rankdata(np.where(chosen[tied], values[tied], np.nan), axis=1, nan_policy="omit")
    return ranks


def corrado(estimation: np.ndarray, event: np.ndarray) -> TestResult:
    """Corrado's rank test, N(0,1), on rows without a hole (rule C9).

    Parameters
    ----------
    estimation : array (L1, N)
        Standardised residuals; NaN where a firm has no row that ends there.
    event : array (L2, N)
        Standardised abnormal returns of the window.
    """
    n, both = event.shape[1], np.vstack([estimation, event])
    if np.isnan(both).any():
        return undefined("corrado", "sharp", n, "incomplete_rows")
    deviations = (_ranks(both) - (len(both) + 1) / 2).mean(axis=1)
    return rank_z("corrado", n, deviations, len(event))


def corrado_zivney(estimation: np.ndarray, event: np.ndarray) -> TestResult:
    """Corrado and Zivney's rank test, N(0,1), which allows for missing rows (rule C10).

    Parameters are those of `corrado`. Sessions without any firm do not count. Equals `corrado` where no row
    is missing.
    """
    n, both = event.shape[1], np.vstack([estimation, event])
    there = ~np.isnan(both)
    uniform = _ranks(both) / (there.sum(axis=0) + 1) - 0.5
    firms = there.sum(axis=1)
    counted = firms > 0
    deviations = np.nansum(uniform, axis=1)[counted] / np.sqrt(firms[counted])
    return rank_z("corrado_zivney", n, deviations, int(counted[len(estimation) :].sum()))


def rank_z(name: str, n: int, deviations: np.ndarray, event: int) -> TestResult:
    """Return the sum of the event rows' mean ranks over their standard error from all rows, event rows included."""
    spread = float(np.sqrt((deviations**2).mean()))
    if not event or not spread > 0:
        return undefined(name, "sharp", n, "no_spread")
    return normal(name, "sharp", n, float(deviations[-event:].sum() / (np.sqrt(event) * spread)))


def grank(residuals: np.ndarray, scar: np.ndarray) -> TestResult:
    """Kolari and Pynnonen's generalised rank t of rescaled SCARs, t(T-2) (rule C13).

    Dividing the SCARs by their own spread lets the variance change, but needs some ten firms.

    Parameters
    ----------
    residuals : array (sessions, N)
        Standardised single-session estimation residuals; NaN where a firm has none.
    scar : array (N,)
        Standardised CARs.
    """
    n = len(scar)
    spread = spread_of(scar)
    if not spread > 0:
        return undefined("grank", "mean", n, "too_few_firms" if n < 2 else "no_spread")
    return _grank("grank", "mean", residuals, scar / spread, "few_firms_rescaled" if n < FEWEST_FIRMS_RESCALED else "")


def grank_unscaled(residuals: np.ndarray, scar: np.ndarray) -> TestResult:
    """The generalised rank t of SCARs as they are, t(T-2): sharp null, any number of firms (rule C13).

    With one firm |t| stays below sqrt(3), so that its p-value has a `floor` of 0.08 or more.
    """
    return _grank("grank_unscaled", "sharp", residuals, scar, "")


def _grank(name: str, null: Null, residuals: np.ndarray, event: np.ndarray, reason: str) -> TestResult:
    found = _by_ranks(name, null, residuals, event, reason)
    if len(event) > 1 or np.isnan(found.p_value):
        return found
    # one firm's event can do no more than rank above or below all residuals: |t| = sqrt(3), but for ties among these
    floor = min(_by_ranks(name, null, residuals, np.array([end]), "").p_value for end in (-np.inf, np.inf))
    return replace(found, floor=floor, reason=cannot_reject(floor))


def _by_ranks(name: str, null: Null, residuals: np.ndarray, event: np.ndarray, reason: str) -> TestResult:
    rows = np.vstack([residuals[~np.isnan(residuals).all(axis=1)], event])
    there = ~np.isnan(rows)
    uniform = _ranks(rows) / (there.sum(axis=0) + 1) - 0.5
    firms = there.sum(axis=1)
    return grank_of_means(name, null, len(event), firms, np.nansum(uniform, axis=1) / firms, reason)


def grank_of_means(
    name: str, null: Null, n: int, firms: np.ndarray, means: np.ndarray, reason: str = ""
) -> TestResult:
    """Return the generalised rank t from the mean centred rank and the number of firms of each row, the event's last."""
    count = len(means)
    spread = float(np.sqrt((firms / n * means**2).mean()))
    if not spread > 0 or count < 3:
        return undefined(name, null, n, "no_spread")
    z = float(means[-1] / spread)
    left = count - 1 - z**2
    if not left > 0:
        return undefined(name, null, n, "no_spread")
    return student(name, null, n, z * np.sqrt((count - 2) / left), count - 2, reason)
