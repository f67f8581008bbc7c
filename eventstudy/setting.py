"""How one CAR is computed, with everything about it open to change, through the study's own rows, models and sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from eventstudy.abnormal import abnormal_returns, cumulate
from eventstudy.errors import ConfigError, DataError
from eventstudy.models import Fit, build_model
from eventstudy.models.base import Model
from eventstudy.plan import Plan
from eventstudy.returns import ReturnKind, Rows, Treatment, trade_rows
from eventstudy.student import both_tails
from eventstudy.study import FirmStudy
from eventstudy.trading import Listing
from eventstudy.windows import Window, length

RowMaker = Callable[[Listing, ReturnKind], Rows]


@dataclass(frozen=True, eq=False)
class Setting:
    """Everything that one CAR, its standard error and its p-value follow from.

    Parameters
    ----------
    announced : Timestamp, optional
        The announcement's date on the calendar of those who made it.
    rows : callable
        Makes the observations of the listing.
    tiled : bool
        Whether the CAR needs rows that cover the whole window, or sums what there is.
    variance : {"full", "daily", "plain", "rows"}
        Full prediction covariance; the sum of the sessions' prediction variances; no prediction error; full, but
        a row counts as one session however many it spans.
    divisor, reference : {"df", "n - 1", "n", "event", "normal"}
        What sigma² is divided by, and the degrees of freedom of t: n - K, n - 1, n, sessions of the event window
        less K, or none at all.
    averaged : {"cars", "aars"}
        How a group's CAR is averaged: the mean of the firms' CARs, or the sum of the sessions' means.
    unit : float
        1 for fractions, 100 for per cent.
    """

    listing: Listing
    masked: np.ndarray
    day0: int
    announced: pd.Timestamp | None
    estimation: Window
    event: Window
    window: Window
    model: Model
    returns: ReturnKind
    treatment: str
    rows: RowMaker
    tiled: bool = True
    variance: str = "full"
    divisor: str = "df"
    reference: str = "df"
    averaged: str = "cars"
    unit: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """A CAR with what is said of it; NaN where undefined, then with the reason."""

    car: float = np.nan
    se: float = np.nan
    t: float = np.nan
    p_value: float = np.nan
    reason: str = ""
    by_tau: tuple[tuple[int, float], ...] = ()


def own_setting(firm: FirmStudy, plan: Plan, window: Window) -> Setting:
    """Return how this study computes a CAR of a firm.

    Raises
    ------
    ConfigError
        If the study's model is not estimated by least squares: other tools' conventions are told from that.
    """
    options = plan.model_options
    if (options.estimator, options.cov) != ("ols", "classical") or plan.model == "garch":
        raise ConfigError("explain starts from least squares: leave out estimator and cov, and choose another model than garch")
    model = firm.fit.model if firm.fit is not None else build_model(plan.model, options)
    when = firm.dated.event.announcement
    date = when.on or (when.instant and when.instant.date()) or when.session
    return Setting(
        firm.listing, firm.masked, firm.day0, None if date is None else pd.Timestamp(date), plan.windows.estimation,
        plan.windows.event, window, model, plan.returns, plan.suspensions,
        partial(study_rows, plan.suspensions),
    )  # fmt: skip


def study_rows(treatment: Treatment, listing: Listing, returns: ReturnKind) -> Rows:
    """Make the rows of a study under one treatment of suspensions."""
    return trade_rows(listing, treatment, returns)


class Fits:
    """Fits made so far: settings that differ only in the window or in what is said of the error share theirs."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], tuple[Setting, Rows, Fit | None]] = {}

    def of(self, setting: Setting) -> tuple[Rows, Fit | None]:
        """Return the rows of a setting and its fit, None where the model cannot be estimated."""
        key = (
            id(setting.listing), id(setting.masked), setting.day0, setting.estimation, id(setting.model), setting.returns,
            setting.treatment,
        )  # fmt: skip
        if key not in self._found:  # the setting is kept beside the fit, so that no other object takes its ids
            self._found[key] = (setting, *_fitted(setting))
        return self._found[key][1:]


def _fitted(setting: Setting) -> tuple[Rows, Fit | None]:
    rows = setting.rows(setting.listing, setting.returns)
    first, last = (setting.day0 + end for end in setting.estimation)
    try:
        return rows, setting.model.fit(rows.inside(first, min(last, setting.listing.end)).without(setting.masked))
    except DataError:
        return rows, None


def evaluate(setting: Setting, fits: Fits | None = None) -> Outcome:
    """Compute the CAR of one firm under a setting."""
    listing, day0 = setting.listing, setting.day0
    rows, fit = (fits or Fits()).of(setting)
    if fit is None:
        return Outcome(reason="no_fit")
    lo, hi = (day0 + end for end in setting.window)
    inside = rows.inside(lo, hi)
    if setting.tiled:
        found = cumulate(fit, listing, rows, day0, setting.window)
        if found.reason:
            return Outcome(reason=found.reason)
        car, se = found.car, found.se
    elif len(inside):
        car, se = _sum_of_rows(fit, inside, int(inside.span.sum()))
    else:
        return Outcome(reason="no_rows")
    abnormal = abnormal_returns(fit, inside)
    if setting.variance == "daily":
        se = float(np.sqrt((abnormal.se**2).sum()))
    elif setting.variance == "plain":
        se = fit.sigma * float(np.sqrt(inside.span.sum()))
    elif setting.variance == "rows":
        se = _sum_of_rows(fit, inside, len(inside))[1]
    se *= float(np.sqrt(fit.df_resid / _count(setting, fit, setting.divisor)))
    t, df = car / se, _count(setting, fit, setting.reference)
    single = inside.span == 1
    by_tau = tuple(zip((inside.end[single] - day0).tolist(), (abnormal.ar[single] * setting.unit).tolist(), strict=True))
    return Outcome(car * setting.unit, se * setting.unit, t, float(both_tails(t, df)), "", by_tau)


def _sum_of_rows(fit: Fit, inside: Rows, sessions: int) -> tuple[float, float]:
    """Sum the abnormal returns there are; the variance counts so many sessions of risk."""
    x = fit.model.regressors(inside).sum(axis=0)
    car = float(abnormal_returns(fit, inside).ar.sum())
    return car, float(fit.sigma * np.sqrt(sessions + x @ fit.unscaled_cov @ x))


def _count(setting: Setting, fit: Fit, name: str) -> float:
    size = fit.nobs - fit.df_resid
    counts = {"n - 1": fit.nobs - 1, "n": fit.nobs, "event": length(setting.event) - size, "normal": np.inf}
    return float(max(counts.get(name, fit.df_resid), 1))


def evaluate_mean(settings: Sequence[Setting], fits: Fits | None = None) -> Outcome:
    """Compute the average CAR of several firms; only the CAR is defined."""
    outcomes = [evaluate(setting, fits) for setting in settings]
    if settings[0].averaged == "aars":
        by_tau: dict[int, list[float]] = {}
        for found in outcomes:
            for tau, ar in found.by_tau:
                by_tau.setdefault(tau, []).append(ar)
        return Outcome(float(sum(np.mean(values) for values in by_tau.values()))) if by_tau else Outcome(reason="no_firms")
    cars = [found.car for found in outcomes if not found.reason]
    return Outcome(float(np.mean(cars))) if cars else Outcome(reason="no_firms")
