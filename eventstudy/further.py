"""The further regressors of a study's model, brought to the sessions of each share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.calendar import SessionCalendar, exchange_sessions
from eventstudy.errors import ConfigError, DataError
from eventstudy.events import DatedEvent
from eventstudy.factors import Factor, factor_from_levels, factor_from_returns
from eventstudy.models.benchmarks import GLOBAL, INDUSTRY, PEERS
from eventstudy.models.options import THIN, table_columns, thin_model
from eventstudy.models.thin import shifted
from eventstudy.plan import StudyInputs
from eventstudy.trading import Listing, list_shares

SMALLEST_PEER_SHARE = 0.5
FactorsByCalendar = dict[int, Mapping[str, Factor]]
FIRST_ELSEWHERE = pd.Timedelta(days=20)


def study_factors(listing: Listing, inputs: StudyInputs, made: FactorsByCalendar) -> Mapping[str, Factor]:
    """Return the regressors that the study's model needs beside the benchmark, on the sessions of a listing.

    Parameters
    ----------
    made : dict
        Regressors by calendar, which all shares of one have in common; filled here.

    Raises
    ------
    DataError
        If a series that the model needs is not to be had.
    """
    plan = inputs.plan
    if plan.model in THIN:
        shifts = thin_model(plan.model, plan.model_options).shifts
        return {shifted(by): shifted_factor(listing.benchmark, by) for by in shifts}
    key = id(listing.calendar)
    if key not in made:
        made[key] = _calendar_factors(listing, inputs)
    return made[key]


def _calendar_factors(listing: Listing, inputs: StudyInputs) -> Mapping[str, Factor]:
    plan, options = inputs.plan, inputs.plan.model_options
    if plan.model == "peers":
        return {PEERS: peer_factor(peer_listings(listing, inputs))}
    if plan.model == "industry":
        level = _index_level(options.industry_benchmark, inputs, listing.calendar)
        return {INDUSTRY: factor_from_levels(level)}
    if plan.model == "two_index":
        return {GLOBAL: _global_factor(listing, inputs)}
    columns = table_columns(plan.model, options)
    if not columns:
        return {}
    if inputs.factors is None:
        raise DataError(f"model {plan.model!r} needs a table of factors, and there is none")
    dates, sessions = inputs.factors.frame.index, listing.calendar.sessions
    if not dates.isin(sessions).any():
        where, name = inputs.factors.where, listing.calendar.name
        raise DataError(f"{where}: none of its dates is a session of {name}: give the factors by session")
    returns = inputs.factors.frame.reindex(sessions)
    return {name: factor_from_returns(returns[name].to_numpy(dtype=float)) for name in columns}


def shifted_factor(benchmark: np.ndarray, by: int) -> Factor:
    """Return the benchmark as it was, or will be, some sessions away; not known past the ends, where no row needs it."""
    moved = np.full(len(benchmark), np.nan)
    kept = slice(max(-by, 0), len(benchmark) - max(by, 0))
    moved[kept] = benchmark[max(by, 0) : len(benchmark) - max(-by, 0)]
    return replace(factor_from_levels(moved), needed=False)


def _index_level(symbol: str, inputs: StudyInputs, calendar: SessionCalendar) -> np.ndarray:
    if symbol not in inputs.series:
        raise DataError(f"index {symbol} of the model is not to be had: {inputs.unknown.get(symbol, 'no prices')}")
    level: np.ndarray = inputs.series[symbol].frame["close"].reindex(calendar.sessions).to_numpy(dtype=float)
    return level


def factor_gaps(listing: Listing, inputs: StudyInputs) -> str:
    """Return the sentence about sessions without a factor between the table's first and last date; empty where there are none."""
    columns = table_columns(inputs.plan.model, inputs.plan.model_options)
    if inputs.factors is None or not columns:
        return ""
    frame = inputs.factors.frame[list(columns)]
    sessions = listing.calendar.sessions
    inside = sessions[(sessions >= frame.index[0]) & (sessions <= frame.index[-1])]
    absent = int(frame.reindex(inside).isna().any(axis=1).sum())
    stray = int((~frame.index.isin(sessions)).sum())
    told = [f"{absent} sessions have no value of every factor, and returns that cover them are left out"] if absent else []
    told += [f"{stray} dates of the table are no sessions and are not used"] if stray else []
    return "; ".join(told)


def _global_factor(listing: Listing, inputs: StudyInputs) -> Factor:
    elsewhere = _elsewhere(listing.calendar, inputs)
    level = _index_level(inputs.plan.model_options.global_benchmark, inputs, elsewhere)
    return factor_from_levels(level_at_open(level, elsewhere, listing.calendar))


def _elsewhere(calendar: SessionCalendar, inputs: StudyInputs) -> SessionCalendar:
    """Return the sessions of the global index, from some before the first of `calendar`."""
    return exchange_sessions(inputs.plan.model_options.global_calendar, (calendar.sessions[0] - FIRST_ELSEWHERE).date())


def without_news(listing: Listing, dated: DatedEvent, inputs: StudyInputs) -> Listing | None:
    """Return the listing with a global index that had not heard of the event when the event session opened (rule B9).

    Left out are the other exchange's sessions that closed after the announcement (after the earliest moment it can have
    come; where the event is dated by its session alone, the last one) and before the event session's open: what they
    earned. None where there are no such sessions.
    """
    calendar, place = listing.calendar, dated.place
    if not place or calendar.opens is None or place >= len(calendar.opens):
        return None
    elsewhere = _elsewhere(calendar, inputs)
    assert elsewhere.closes is not None
    before, last = (int(elsewhere.closes.searchsorted(calendar.opens[at], side="right")) - 1 for at in (place - 1, place))
    first = max(before + 1, last)
    if dated.event.announcement.session is None:
        earliest = pd.Timestamp(dated.event.announcement.bounds()[0])
        first = max(before + 1, int(elsewhere.closes.searchsorted(earliest, side="right")))
    if first > last or first < 1:
        return None
    level = _index_level(inputs.plan.model_options.global_benchmark, inputs, elsewhere)
    quiet = listing.factors[GLOBAL].level.copy()
    quiet[place:] *= level[first - 1] / level[last]
    return replace(listing, factors={GLOBAL: factor_from_levels(quiet)})


def level_at_open(level: np.ndarray, elsewhere: SessionCalendar, calendar: SessionCalendar) -> np.ndarray:
    """Return what an index of another exchange was worth at its last close before each session opens (rule B9).

    From one session to the next it then earns what the other exchange's sessions in between earned: several, compounded,
    after a closure here, and nothing where there was none.

    Parameters
    ----------
    level : array
        Level by session of `elsewhere`.

    Raises
    ------
    ConfigError
        If the other exchange closes while the local one is open: no row could be told what was known before it.
    """
    if calendar.opens is None or calendar.closes is None:
        raise ConfigError(
            "model 'two_index' sets sessions of two exchanges by their hours: name an exchange calendar under [market], "
            "where 'benchmark' has dates only"
        )
    assert elsewhere.closes is not None
    known = elsewhere.closes.searchsorted(calendar.opens, side="right") - 1
    inside = elsewhere.closes.searchsorted(calendar.closes, side="right") - 1 != known
    if inside.any():
        day = f"{calendar.sessions[inside][0]:%Y-%m-%d}"
        raise ConfigError(
            f"global_calendar {elsewhere.name} closes while {calendar.name} is open, as on {day}: "
            "the model needs an exchange that closes before the local one opens"
        )
    return np.where(known >= 0, level[np.maximum(known, 0)], np.nan)


def peer_listings(listing: Listing, inputs: StudyInputs) -> list[Listing]:
    """Return the peers on the sessions of a listing.

    Raises
    ------
    DataError
        If there are no prices of a peer: the portfolio was named before the result and is not changed in silence.
    """
    return [_peer(symbol, listing, inputs) for symbol in inputs.plan.model_options.peers]


def _peer(symbol: str, listing: Listing, inputs: StudyInputs) -> Listing:
    if symbol not in inputs.series:
        raise DataError(f"peer {symbol} is not to be had: {inputs.unknown.get(symbol, 'no prices')}")
    settings = inputs.firms[symbol]
    benchmark = inputs.series[settings.benchmark].frame["close"]
    return list_shares(inputs.series[symbol], benchmark, listing.calendar, settings.suspended, settings.price_limit)


def further_listing(symbol: str, listing: Listing, inputs: StudyInputs) -> Listing | None:
    """Return a peer or a further index as a listing, for what is told of the data; None where `symbol` is neither."""
    options = inputs.plan.model_options
    if symbol in options.peers:
        return _peer(symbol, listing, inputs)
    if symbol not in (options.industry_benchmark, options.global_benchmark) or symbol not in inputs.series:
        return None
    calendar = listing.calendar
    if symbol == options.global_benchmark:
        calendar = _elsewhere(calendar, inputs)
    return list_shares(inputs.series[symbol], inputs.series[symbol].frame["close"], calendar)


def peer_factor(peers: Sequence[Listing]) -> Factor:
    """Return the equal-weighted portfolio of the peers, rebalanced every session (rule B6).

    A session's return is the mean simple return of the peers that traded on it and on the session before. Where fewer
    than half did, it is not known, and rows that cover the session are left out. The return of a peer over its own
    suspension enters nowhere: there is no telling on which session it was earned.
    """
    level = np.column_stack([peer.level for peer in peers])
    single = np.full(level.shape, np.nan)
    single[1:] = level[1:] / level[:-1] - 1
    trading = np.isfinite(single).sum(axis=1)
    enough = trading >= max(SMALLEST_PEER_SHARE * len(peers), 1)
    mean = np.full(len(level), np.nan)
    mean[enough] = np.nansum(single[enough], axis=1) / trading[enough]
    return factor_from_returns(mean)
