"""Abnormal returns, and their sums over windows with the full prediction covariance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eventstudy.models.base import Fit
from eventstudy.returns import Rows, trade_rows
from eventstudy.student import both_tails, critical_value
from eventstudy.trading import MISSING, NOT_LISTED, SUSPENDED, Listing
from eventstudy.windows import Window


@dataclass(frozen=True)
class AbnormalReturns:
    """Abnormal returns of one firm (rule A7); every array has one entry a row.

    `se` is s sqrt(C) with C = span + x'Ax, `t` follows t(df_resid) if the errors are iid normal.
    """

    rows: Rows
    expected: np.ndarray
    ar: np.ndarray
    se: np.ndarray
    t: np.ndarray
    p_value: np.ndarray


def abnormal_returns(fit: Fit, rows: Rows) -> AbnormalReturns:
    """Return what `rows` earned beyond the fitted model, with the standard error of prediction.

    Rows over several sessions are left out where the model holds for single sessions only.
    """
    rows = rows.take(rows.span == 1) if fit.model.single_sessions else rows
    x = fit.model.regressors(rows)
    ar = fit.model.response(rows) - x @ fit.params
    se = fit.sigma * np.sqrt(fit.noise(rows) + np.einsum("ij,jk,ik->i", x, fit.unscaled_cov, x))
    t = ar / se
    return AbnormalReturns(rows, rows.ret - ar, ar, se, t, both_tails(t, fit.reference_df))


@dataclass(frozen=True)
class CumulativeReturn:
    """Cumulative abnormal return of one firm over one window (rule A8).

    Undefined where the rows do not cover every session of the window exactly once: then `reason` holds the
    code and every number is NaN.

    Parameters
    ----------
    variance_factor : float
        C = L2 + x'Ax with x the summed regressors, so that se_car = sigma sqrt(C).
    regressors : array (K,)
        The summed regressors.
    """

    window: Window
    car: float
    se: float
    t: float
    df: int
    p_value: float
    ci_low: float
    ci_high: float
    variance_factor: float
    regressors: np.ndarray
    rows: Rows | None
    reason: str = ""


def cumulate(fit: Fit, listing: Listing, rows: Rows, day0: int, window: Window, alpha: float = 0.05) -> CumulativeReturn:
    """Sum the abnormal returns of the window, if its rows tile it.

    Parameters
    ----------
    rows : Rows
        All rows of the listing.
    day0 : int
        Position of the event session.
    """
    lo, hi = day0 + window[0], day0 + window[1]
    inside = rows.inside(lo, hi)
    reason = untiled(listing, inside, lo, hi)
    if not reason and fit.model.single_sessions and (inside.span > 1).any():
        reason = "multi_session_row"
    return undefined_return(fit, window, reason) if reason else add_up(fit, inside, window, alpha)


def undefined_return(fit: Fit, window: Window, reason: str) -> CumulativeReturn:
    """Return a CAR without a value, and why."""
    nan = np.nan
    return CumulativeReturn(window, nan, nan, nan, fit.df_resid, nan, nan, nan, nan, np.empty(0), None, reason)


def add_up(fit: Fit, inside: Rows, window: Window, alpha: float) -> CumulativeReturn:
    """Sum the abnormal returns of rows that tile a window."""
    x = fit.model.regressors(inside).sum(axis=0)
    car = float((fit.model.response(inside) - fit.model.regressors(inside) @ fit.params).sum())
    factor = float(fit.noise(inside).sum() + x @ fit.unscaled_cov @ x)
    se = fit.sigma * np.sqrt(factor)
    reach = float(critical_value(alpha, fit.reference_df)) * se
    p = both_tails(car / se, fit.reference_df)
    return CumulativeReturn(
        window, car, float(se), float(car / se), fit.df_resid, float(p), float(car - reach), float(car + reach), factor, x, inside
    )


def untiled(listing: Listing, inside: Rows, lo: int, hi: int) -> str:
    """Return why rows do not cover the sessions `lo` to `hi` exactly once; empty where they do."""
    if hi >= len(listing.calendar.sessions):
        return "calendar_end"
    if hi > listing.end:
        return "data_end"
    if int(inside.span.sum()) == hi - lo + 1:
        return ""
    edges = {
        hi: {SUSPENDED: "not_resumed", MISSING: "price_missing", NOT_LISTED: "not_listed"},
        lo - 1: {SUSPENDED: "straddles_start", MISSING: "price_missing", NOT_LISTED: "not_listed"},
    }
    if lo < 1:
        return "not_listed"
    for place, reasons in edges.items():
        if listing.status[place] in reasons:
            return reasons[listing.status[place]]
    if not np.isfinite(listing.benchmark[[lo - 1, hi]]).all():
        return "benchmark_missing"
    if not all(factor.covers(lo - 1, hi) for factor in listing.factors.values()):
        return "factor_missing"
    if listing.held_back[[lo - 1, hi]].any():
        return "limit_spell"
    return "gap_dropped" if np.isfinite(listing.benchmark[lo - 1 : hi + 1]).all() else "benchmark_missing"


@dataclass(frozen=True)
class HeldReturn:
    """Simple return of a share and of its benchmark, bought before a window and held to its end (rule A1).

    Undefined where the window is not covered: then `reason` holds the code and the numbers are NaN.
    """

    firm: float
    benchmark: float
    reason: str = ""

    @property
    def abnormal(self) -> float:
        """BHAR: the share's return less the benchmark's."""
        return self.firm - self.benchmark

    def __repr__(self) -> str:
        if self.reason:
            return f"buy-and-hold return undefined: {self.reason}"
        return f"buy-and-hold return: firm {self.firm:.4%}, benchmark {self.benchmark:.4%}, abnormal {self.abnormal:.4%}"


def buy_and_hold(listing: Listing, day0: int, window: Window) -> HeldReturn:
    """Return what share and benchmark earned over a whole window, whatever the returns of the study and its model are."""
    plain = replace(listing, factors={})
    lo, hi = day0 + window[0], day0 + window[1]
    reason = untiled(plain, trade_rows(plain).inside(lo, hi), lo, hi)
    if reason:
        return HeldReturn(np.nan, np.nan, reason)
    share, market = (float(level[hi] / level[lo - 1]) - 1 for level in (listing.level, listing.benchmark))
    return HeldReturn(share, market)


def session_weights(fit: Fit, cumulative: CumulativeReturn, day0: int, sessions: int) -> np.ndarray:
    """Return w, one a session, with CAR - E(CAR) = sum of w times the session's error (rule A8).

    The sum of its squares is the variance factor C; the products of two firms' weights carry their
    covariance. A fit by another estimator than least squares has no such weights: they are NaN.
    """
    if not fit.linear:
        return np.full(sessions, np.nan)
    w = np.zeros(sessions)
    lo, hi = (day0 + end for end in cumulative.window)
    w[lo : hi + 1] = 1.0
    rows = fit.rows
    if len(fit.params):
        pull = (fit.model.regressors(rows) @ fit.least_squares @ cumulative.regressors) / rows.span
        cover = np.repeat(pull, rows.span)
        starts = np.repeat(rows.end - rows.span + 1, rows.span)
        offset = np.arange(len(cover)) - np.repeat(np.cumsum(rows.span) - rows.span, rows.span)
        w[starts + offset] -= cover
    return w
