"""Diagnostics of a fit and of a design (rules D6, D8, D12 and D15)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from eventstudy.abnormal import abnormal_returns
from eventstudy.models import Fit
from eventstudy.returns import Rows
from eventstudy.student import critical_value
from eventstudy.windows import Window

TARGET_POWER = 0.80
SESSIONS_BEFORE = 30


def minimum_detectable_effect(se: float, df: int, alpha: float = 0.05, power: float = TARGET_POWER) -> float:
    """Return the effect that a two-sided t test finds with the given probability (rule D12).

    Parameters
    ----------
    se : float
        Standard error of the estimate.
    df : int
        Degrees of freedom of its t statistic.
    """
    return float(se) * _detectable_errors(df, alpha, power)


@lru_cache(maxsize=256)  # many rows of a table have the same degrees of freedom
def _detectable_errors(df: int, alpha: float, power: float) -> float:
    """Return the detectable effect of an estimate whose standard error is 1."""
    from scipy import optimize

    most = 3 * float(critical_value(alpha, df))
    return float(optimize.brentq(lambda delta: power_of_t(delta, df, alpha) - power, 0.0, most))


def power_of_t(delta: float, df: float, alpha: float = 0.05) -> float:
    """Return how often a two-sided t test rejects where the effect is `delta` standard errors (rule D12).

    Parameters
    ----------
    df : float
        Degrees of freedom; infinite for the normal distribution, MacKinlay's power function (section E1).
    """
    from scipy import stats

    critical = float(critical_value(alpha, df))
    if np.isinf(df):
        return float(stats.norm.cdf(-critical - delta) + stats.norm.sf(critical - delta))
    other_tail = np.nan_to_num(stats.nct.cdf(-critical, df, delta))  # too small for scipy to tell: 0
    return float(stats.nct.sf(critical, df, delta) + other_tail)


def model_diagnostics(fit: Fit, rows: Rows, day0: int, headline: Window) -> dict[str, Any]:
    """Return what a reader needs to judge a fit.

    Returns
    -------
    dict
        ``max_span``: longest estimation row, in sessions. ``estimation_error_share``: share of x'Ax in the
        variance of the headline CAR. ``market_leverage``: largest distance of the benchmark's return in the
        headline window from its estimation mean, in standard deviations a session.
        ``pre_event_sd_ratio``: see `pre_event_sd_ratio`.
    """
    event = rows.inside(day0 + headline[0], day0 + headline[1])
    x = fit.model.regressors(event).sum(axis=0)
    added = float(x @ fit.unscaled_cov @ x)
    per_session = fit.rows.mkt / fit.rows.span
    distance = np.abs(event.mkt / event.span - per_session.mean()) / per_session.std(ddof=1) if len(event) else np.array([])
    return {
        "max_span": int(fit.rows.span.max()),
        "estimation_error_share": added / (float(event.span.sum()) + added) if len(event) else np.nan,
        "market_leverage": float(distance.max()) if len(distance) else np.nan,
        "pre_event_sd_ratio": pre_event_sd_ratio(fit, rows, day0),
    }


def pre_event_sd_ratio(fit: Fit, rows: Rows, day0: int) -> float:
    """Return the sd of the errors in the 30 sessions before the event over the estimation's (rule D15).

    A ratio far from 1 says that the days just before the event were unlike the estimation window, which the
    placebo tests compare the event with.
    """
    before = rows.inside(day0 - SESSIONS_BEFORE, day0 - 1)
    if len(before) < 2:
        return np.nan
    found = abnormal_returns(fit, before)
    errors = found.ar / np.sqrt(found.rows.span)
    return float(errors.std(ddof=1) / fit.sigma) if len(errors) > 1 else np.nan
