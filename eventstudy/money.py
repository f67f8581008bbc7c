"""Effects in money: a CAR times the market value before the window, firm by firm and in total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.calendar import calendar_name, listing_currency
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.placebo import PlaceboDraws, placebo_blocks
from eventstudy.returns import ReturnKind
from eventstudy.student import critical_value
from eventstudy.study import Computation, FirmStudy
from eventstudy.tables import Row, as_table, bounds, day, keys_of, whole_numbers
from eventstudy.trading import TRADED, UNKNOWN
from eventstudy.windows import Window, length

FIRM = "firm"


@dataclass(frozen=True)
class MarketValue:
    """Shares times the last close as traded before a window; NaN and a reason where that is not known."""

    value: float
    currency: str
    close: float = np.nan
    session: pd.Timestamp | None = None
    reason: str = ""


def market_value(study: Computation, firm: FirmStudy, window: Window) -> MarketValue:
    """Return what all shares of a firm were worth at the last traded close before the window's first session."""
    settings, inputs = firm.settings, study.inputs
    symbol = firm.dated.event.symbol
    calendar = calendar_name(symbol, settings.calendar, inputs.plan.calendar)
    currency = settings.currency or listing_currency(symbol, calendar)
    if firm.session is None or settings.shares is None:
        return MarketValue(np.nan, currency, reason="calendar_end" if settings.shares is not None else "no_shares")
    close = inputs.series[symbol].frame["close"]
    if close.isna().all():
        return MarketValue(np.nan, currency, reason="adjusted_only")
    sessions = firm.listing.calendar.sessions[: max(firm.day0 + window[0], 0)]
    traded = np.isin(firm.listing.status[: len(sessions)], [TRADED, UNKNOWN])
    before = close.reindex(sessions[traded]).dropna()
    if before.empty:
        return MarketValue(np.nan, currency, reason="no_close_before")
    last = float(before.iloc[-1])
    if not currency:
        return MarketValue(np.nan, "", last, before.index[-1], "no_currency")
    return MarketValue(settings.shares * last, currency, last, before.index[-1])


def change_in_value(car: np.ndarray, returns: ReturnKind) -> np.ndarray:
    """Return the change in value that CARs stand for: exp(CAR) - 1 of log returns, the CAR itself of simple ones (rule A1)."""
    return np.expm1(car) if returns == "log" else car


@dataclass(frozen=True)
class Total:
    """Sum over firms of their effects in money, with its interval; NaN where the covariance is not to be had."""

    effect: float
    low: float
    high: float


def total_effect(cross: CrossSection, values: np.ndarray, returns: ReturnKind, alpha: float) -> Total:
    """Return the sum of V_i (exp(CAR_i) - 1), of simple returns of V_i CAR_i, with its interval.

    Parameters
    ----------
    values : array (N,)
        Market values V before the window.
    alpha : float
        One less the confidence level.

    Notes
    -----
    The variance is by the delta method from the full covariance S of the CARs across firms, as in rule C7 but with
    value weights. Of simple returns the sum is linear: V'SV, an interval even to both sides. Of log returns the sum is read
    as one log return c = ln(1 + sum / sum of V), whose derivatives are the weights u_i = V_i exp(CAR_i) / sum of
    V_j exp(CAR_j): its variance is u'Su, and the interval is that of c turned back into money. So one firm alone has its own
    interval, and no loss exceeds the value that was there. Reference: t with the fewest degrees of freedom of any firm.
    """
    whole = float(values.sum())
    effect = float(values @ change_in_value(cross.car, returns))
    if not cross.correlation.enough or not cross.least_squares:
        return Total(effect, np.nan, np.nan)
    covariance = cross.covariance
    grown = values * np.exp(cross.car) if returns == "log" else values
    weights = grown / grown.sum()
    reach = float(critical_value(alpha, int(cross.df.min())) * np.sqrt(weights @ covariance @ weights))
    if returns == "simple":
        return Total(effect, effect - whole * reach, effect + whole * reach)
    centre = np.log1p(effect / whole)
    return Total(effect, float(whole * np.expm1(centre - reach)), float(whole * np.expm1(centre + reach)))


def placebo_total(cross: CrossSection, values: np.ndarray, returns: ReturnKind) -> PlaceboDraws:
    """Return the total in money at the event and at every placebo block, with the market values before the event.

    What an event took off the total is taken to be a constant: then the observed total less that constant is what the
    same days would have brought without it, one more draw (rule C15).
    """
    blocks = placebo_blocks(cross)
    observed = float(values @ change_in_value(cross.car, returns))
    return PlaceboDraws(observed, change_in_value(blocks.car, returns) @ values, blocks.starts, length(cross.window))


def money_table(study: Computation) -> pd.DataFrame:
    """One row a firm with shares and window, then one row a group and window: the total over its firms with shares."""
    plan = study.inputs.plan
    rows = [
        _firm_row(study, firm, window) for firm in study.firms if firm.settings.shares is not None for window in plan.windows.car
    ]
    for group, members in study.groups.items():
        if any(firm.settings.shares is not None for firm in members):
            rows += [_total_row(study, group, window) for window in plan.windows.car]
    return whole_numbers(as_table("money", rows), ["blocks"])


def _firm_row(study: Computation, firm: FirmStudy, window: Window) -> Row:
    found, worth = firm.cumulative[window], market_value(study, firm, window)
    ends = np.array([found.car, found.ci_low, found.ci_high])
    effect, low, high = worth.value * change_in_value(ends, study.inputs.plan.returns)
    reason, total = found.reason or worth.reason, Total(effect, low, high)
    row = _row(keys_of(firm), window, worth.value, total, worth.currency, reason) | {
        "scope": FIRM,
        "n": int(not reason),
        "n_with_car": int(not found.reason),
        "close_before": worth.close,
        "close_session": day(worth.session),
    }
    return row if reason else row | _ruled_out(study, _cross_section([firm], window), np.array([worth.value]))


def _ruled_out(study: Computation, cross: CrossSection, values: np.ndarray) -> Row:
    drawn = placebo_total(cross, values, study.inputs.plan.returns)
    low, high = drawn.not_rejected(study.inputs.plan.alpha)
    return {
        "placebo_low": low,
        "placebo_high": high,
        "loss_rejected_beyond": max(-low, 0.0),
        "blocks": len(drawn.draws),
    }


def _total_row(study: Computation, group: str, window: Window) -> Row:
    plan = study.inputs.plan
    counted = study.counted(group, window)
    worths = [(firm, market_value(study, firm, window)) for firm in counted]
    valued = [(firm, worth) for firm, worth in worths if not worth.reason]
    currencies = {worth.currency for _, worth in valued}
    sizes = {"scope": group, "n": len(valued), "n_with_car": len(counted)}
    nothing = Total(np.nan, np.nan, np.nan)
    no_key = {"event_id": "", "symbol": ""}
    if len(currencies) != 1:
        reason = "mixed_currencies" if currencies else "no_market_value" if counted else "no_firms"
        return _row(no_key, window, np.nan, nothing, "", reason) | sizes
    values = np.array([worth.value for _, worth in valued])
    cross = _cross_section([firm for firm, _ in valued], window)
    total = total_effect(cross, values, plan.returns, plan.alpha)
    reason = "too_few_common_sessions" if np.isnan(total.low) else "partial_total" if len(valued) < len(counted) else ""
    row = _row(no_key, window, float(values.sum()), total, currencies.pop(), reason)
    return row | sizes | _ruled_out(study, cross, values)


def _row(keys: Row, window: Window, value: float, total: Total, currency: str, reason: str) -> Row:
    numbers = {"market_value_before": value, "effect": total.effect, "ci_low": total.low, "ci_high": total.high}
    return keys | bounds(window) | numbers | {"currency": currency, "reason": reason}


def _cross_section(firms: Sequence[FirmStudy], window: Window) -> CrossSection:
    return CrossSection(window, tuple(part for firm in firms if (part := firm.car(window)) is not None))
