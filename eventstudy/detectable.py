"""What a design can find, before anyone looks at the event: the smallest detectable effects (rule D12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from eventstudy.diagnostics import minimum_detectable_effect
from eventstudy.group_tables import portfolio_se
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.models import Fit
from eventstudy.study import ALL, Computation, FirmStudy
from eventstudy.tables import Row, as_table, bounds
from eventstudy.windows import Window, length

NUMBERS = (1, 5, 10, 30)  # of firms, beside the study's own
BY_COVARIANCE, BY_SPREAD = "portfolio_t", "kp_bmp"  # tests that take the noise from the estimation, and from the firms themselves


def detectable_table(study: Computation) -> pd.DataFrame:
    """Effect that would be found with probability 0.8: a firm, a group, and so many firms like the treated ones."""
    rows: list[Row] = []
    for window in study.inputs.plan.windows.car:
        rows += _of_this_study(study, window)
    for window in study.inputs.plan.windows.car:
        rows += like_these(study, window)
    return as_table("detectable", rows)


def _of_this_study(study: Computation, window: Window) -> Iterator[Row]:
    alpha = study.inputs.plan.alpha
    for firm in study.firms:
        found = firm.cumulative[window]
        if not found.reason:
            yield _row(f"{firm.key[0]}, {firm.key[1]}", window, 1, found.se, found.df, alpha)
    for group in study.groups:
        cross = study.cross_section(group, window)
        if cross.firms and cross.least_squares and cross.correlation.enough:
            yield _row(group, window, len(cross.firms), portfolio_se(cross), int(cross.df.min()), alpha)


def like_these(study: Computation, window: Window) -> Iterator[Row]:
    """Yield the smallest effects that so many firms like the treated ones would show, by two kinds of test.

    The standard error of their mean CAR is s sqrt(C) sqrt((1 + (N-1) r) / N), with s the firms' mean standard deviation
    a session, r their mean residual correlation and C = L2 + L2^2 x'Ax, x the regressors' mean a session of the estimation
    window (no return of the event enters); for the study's own firms, where they all have a CAR, that of the portfolio t. A
    test with the estimation's variance has the fewest degrees of freedom of any firm, one with the firms' own spread N - 1.
    """
    members = fitted(study.groups[ALL])
    if not members:
        return
    plan = study.inputs.plan
    own = study.cross_section(ALL, window)
    sigma, df = float(np.mean([fit.sigma for _, fit in members])), min(fit.df_resid for _, fit in members)
    factor = float(np.mean([_usual_factor(fit, length(window)) for _, fit in members]))
    correlation = mean_correlation(members, plan.headline_window)
    for n in sorted({*NUMBERS, len(members)}):
        inside = 1.0 if n == 1 else 1 + (n - 1) * correlation
        se = sigma * np.sqrt(factor * inside / n) if inside > 0 else np.nan
        reason = "" if se > 0 else "negative_variance" if inside <= 0 else "too_few_common_sessions"
        if n == len(own.firms) == len(members) > 1 and own.least_squares and own.correlation.enough:
            se, reason = portfolio_se(own), ""
        scope = f"{n} firm{'s' if n > 1 else ''} like these"
        yield _row(scope, window, n, se, df, plan.alpha, BY_COVARIANCE, reason)
        yield _row(scope, window, n, se, n - 1, plan.alpha, BY_SPREAD, reason or ("too_few_firms" if n < 2 else ""))


def fitted(firms: Sequence[FirmStudy]) -> list[tuple[FirmStudy, Fit]]:
    """Return the firms whose model is estimated, with its fit."""
    return [(firm, firm.fit) for firm in firms if firm.fit is not None]


def mean_correlation(members: Sequence[tuple[FirmStudy, Fit]], window: Window) -> float:
    """Return the mean residual correlation of fitted firms, whether or not they have a CAR; NaN where it is unknown."""
    cars = [
        FirmCar(firm.listing, fit, firm.day0, firm.cumulative[window], firm.masked)
        for firm, fit in members
        if firm.day0 + window[1] < len(firm.listing.calendar.sessions)
    ]
    if not cars:
        return np.nan
    found = CrossSection(window, tuple(cars)).correlation
    return found.mean if found.enough else np.nan


def _usual_factor(fit: Fit, sessions: int) -> float:
    """Return C of a window in which the regressors are as they are on average in the estimation window."""
    x = sessions * fit.model.regressors(fit.rows).sum(axis=0) / fit.n_sessions
    return float(sessions + x @ fit.unscaled_cov @ x)


def _row(
    scope: str, window: Window, n: int, se: float, df: int, alpha: float, test: str = BY_COVARIANCE, reason: str = ""
) -> Row:
    effect = np.nan if reason else minimum_detectable_effect(se, df, alpha)
    return {"scope": scope} | bounds(window) | {"n": n, "se": se, "df": df, "effect": effect, "test": test, "reason": reason}
