"""What is to be doubted about a price series, before any number is computed from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy.calendar import SessionCalendar
from eventstudy.further import further_listing
from eventstudy.sources.base import PriceSeries
from eventstudy.study import Computation, FirmStudy
from eventstudy.told import N_, Several, Told
from eventstudy.trading import (
    MISSING,
    SUSPENDED,
    TRADED,
    UNKNOWN,
    Listing,
    adjusted_gaps,
    benchmark_listing,
    total_return_level,
    trading_status,
)

Severity = Literal["info", "warning", "error"]

JUMP_WITHOUT_LIMIT = 0.30  # a one-session return beyond this wants an explanation where no price limit is known
SPLIT_RATIOS = np.array([1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50, 100])
ADJUSTED_TOLERANCE = 0.002  # vendors' back-adjustment takes dividends off the day before: see rule A2
VENDOR_TOLERANCE = 2e-4
VOLUME_TOLERANCE = 0.01


@dataclass(frozen=True)
class Doubt:
    """One thing found about one series or event; an ``error`` makes the study unusable as it is."""

    severity: Severity
    subject: str
    code: str
    text: str
    count: int = 1


def spells(days: pd.DatetimeIndex, sessions: pd.DatetimeIndex, most: int = 6) -> str:
    """Write dates as spells of consecutive sessions, such as ``2019-10-08 to 2019-10-09``."""
    places = sessions.searchsorted(days)
    runs = [run for run in np.split(np.arange(len(days)), np.flatnonzero(np.diff(places) > 1) + 1) if len(run)]
    shown = Several(_spell(f"{days[run[0]]:%Y-%m-%d}", f"{days[run[-1]]:%Y-%m-%d}") for run in runs[:most])
    return Told("{days} and {count} more spells", days=shown, count=len(runs) - most) if len(runs) > most else shown


def _spell(first: str, last: str) -> str:
    return first if first == last else Told("{first} to {last}", first=first, last=last)


def series_doubts(series: PriceSeries, listing: Listing, limit: float | None = None) -> list[Doubt]:
    """Return what the rows of a series give reason to doubt.

    Parameters
    ----------
    series : PriceSeries
    listing : Listing
        The same instrument on its session grid.
    limit : float, optional
        Its daily price limit as a fraction.
    """
    frame, sessions = series.frame, listing.calendar.sessions
    inside = (sessions >= frame.index[0]) & (sessions <= frame.index[-1])
    found: list[Doubt] = []

    def report(severity: Severity, code: str, days: pd.DatetimeIndex, message: str, **values: object) -> None:
        if len(days):
            text = Told(message, count=len(days), days=spells(days, sessions), **values)
            found.append(Doubt(severity, series.symbol, code, text, len(days)))

    report("info", "suspended", sessions[inside & (listing.status == SUSPENDED)], "{count} sessions suspended: {days}")
    missing, unknown = (sessions[inside & (listing.status == status)] for status in (MISSING, UNKNOWN))
    report("warning", "missing", missing, N_("{count} sessions of the exchange have no row here: {days}"))
    report("warning", "unknown_status", unknown, N_("{count} single unchanged closes without volume: {days}"))
    priced = frame[["close", "adj_close"]].notna().to_numpy().any(axis=1)
    closed = pd.DatetimeIndex(frame.index[(sessions.get_indexer(frame.index) < 0) & priced])
    report("warning", "closed_day", closed, N_("{count} rows lie on days the exchange was closed: {days}"))
    for side in ("up", "down"):
        held = sessions[inside & (listing.limit == side)]
        report("info", f"limit_{side}", held, "{count} closes at the {side} limit: {days}", side=side)
    report("info", "one_price_day", _one_price_days(frame), "{count} sessions traded at one price: {days}")
    found += _benchmark_holes(listing, inside, series)
    traded = sessions[np.isfinite(listing.level)]
    if series.kind == "share" and len(traded) > 1:
        jumps, share = _jumps(listing, limit), f"{JUMP_WITHOUT_LIMIT:.0%}"
        if limit:
            report("warning", "jump", jumps, N_("{count} one-session returns beyond the price limit: {days}"))
        else:
            report("warning", "jump", jumps, N_("{count} one-session returns beyond {share}: {days}"), share=share)
        splits = _unadjusted_splits(frame, listing, limit)
        report("warning", "unadjusted_split", splits, N_("{count} closes move like a split that is not recorded: {days}"))
        steps = _disagreeing(series, traded)
        if len(steps) and _acting(frame).any():
            text = N_("{count} adjusted closes disagree with closes and actions: {days}")
            report("warning", "adjusted_disagrees", steps, text)
        else:
            text = "{count} ex-dates by the adjusted closes, whose dividends and splits the source does not record: {days}"
            report("info", "actions_unknown", steps, text)
    found += _stale_tail(series, listing)
    return [*found, *(Doubt("warning", series.symbol, code, text) for code, text in series.doubts)]


def listing_of(study: Computation, symbol: str) -> Listing | None:
    """Return a symbol on its session grid: share, benchmark, or what a model sets beside it; None where nothing uses it."""
    if symbol in study.listings:
        return study.listings[symbol]
    for listing in study.listings.values():
        if study.inputs.firms[listing.symbol].benchmark == symbol:
            return benchmark_listing(listing, symbol)
    for listing in study.listings.values():
        if any(other.firms[listing.symbol].benchmark == symbol for other in study.inputs.specifications):
            level = study.inputs.series[symbol].frame["close"].reindex(listing.calendar.sessions).to_numpy(dtype=float)
            return benchmark_listing(replace(listing, benchmark=level), symbol)
    return further_listing(symbol, next(iter(study.listings.values())), study.inputs)


def symbol_doubts(study: Computation, symbol: str) -> list[Doubt]:
    """Return all doubts about a series of a study, share or benchmark; what its listing tells of already is not repeated."""
    listing, settings = listing_of(study, symbol), study.inputs.firms.get(symbol)
    if listing is None:
        return []
    told = [Doubt("warning", symbol, code, note) for code, note in listing.notes]
    noted = {doubt.code for doubt in told}
    found = series_doubts(study.inputs.series[symbol], listing, settings.price_limit if settings else None)
    return told + [doubt for doubt in found if doubt.code not in noted]


def _benchmark_holes(listing: Listing, inside: np.ndarray, series: PriceSeries) -> list[Doubt]:
    days = listing.calendar.sessions[inside & ~np.isfinite(listing.benchmark)]
    if not len(days) or series.kind == "index":
        return []
    shown = spells(days, listing.calendar.sessions)
    text = Told("its benchmark has no value on {count} sessions: {days}", count=len(days), days=shown)
    return [Doubt("warning", series.symbol, "benchmark_missing", text, len(days))]


def _one_price_days(frame: pd.DataFrame) -> pd.DatetimeIndex:
    high, low, volume = (frame[name].to_numpy(dtype=float) for name in ("high", "low", "volume"))
    return pd.DatetimeIndex(frame.index[(high == low) & (volume > 0)])


def _one_session_returns(listing: Listing) -> tuple[np.ndarray, np.ndarray]:
    """Return total returns between neighbouring sessions, and the positions they end at."""
    places = np.flatnonzero(np.isfinite(listing.level[1:]) & np.isfinite(listing.level[:-1])) + 1
    return listing.level[places] / listing.level[places - 1] - 1, places


def _jumps(listing: Listing, limit: float | None) -> pd.DatetimeIndex:
    returns, places = _one_session_returns(listing)
    beyond = np.abs(returns) > (limit * 1.05 + 0.005 if limit else JUMP_WITHOUT_LIMIT)  # limits round to a tick
    return pd.DatetimeIndex(listing.calendar.sessions[places[beyond]])


def _unadjusted_splits(frame: pd.DataFrame, listing: Listing, limit: float | None) -> pd.DatetimeIndex:
    returns, places = _one_session_returns(listing)
    large = np.abs(returns) > 3 * (limit or 0.1)
    ratio = np.maximum(1 + returns[large], 1 / (1 + returns[large]))
    like_split = (np.abs(ratio[:, None] / SPLIT_RATIOS - 1) < 0.03).any(axis=1)
    days = listing.calendar.sessions[places[large][like_split]]
    recorded = frame.index[frame["split"].to_numpy(dtype=float) != 1]
    return pd.DatetimeIndex(days[~days.isin(recorded)])


def _disagreeing(series: PriceSeries, traded: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return traded[(adjusted_gaps(series, traded).abs() > ADJUSTED_TOLERANCE).to_numpy()]


def _stale_tail(series: PriceSeries, listing: Listing) -> list[Doubt]:
    last, sessions = series.frame.index[-1], listing.calendar.sessions[: listing.end + 1]
    later = sessions[sessions > last]
    if not len(later):
        return []
    day = f"{last:%Y-%m-%d}"
    text = Told("the rows end on {day}, {count} sessions before the benchmark's", day=day, count=len(later))
    return [Doubt("warning", series.symbol, "stale_tail", text, len(later))]


def event_doubts(firm: FirmStudy) -> list[Doubt]:
    """Return what is to be known of one event's session, sample and windows."""
    subject = f"{firm.key[0]}, {firm.key[1]}"
    if firm.session is None:
        return [Doubt("info", subject, "calendar_end", "the event session lies past the end of the exchange calendar")]
    status = firm.listing.status[firm.day0] if firm.day0 <= firm.listing.end else "ahead"
    found = [Doubt("info", subject, "event_session", f"event session {firm.session:%Y-%m-%d}, status {status}")]
    if status == UNKNOWN:
        text = f"on the event session {firm.session:%Y-%m-%d} the share may have been suspended: give volumes"
        found.append(Doubt("error", subject, "event_session_unknown", text))
    if status == MISSING:
        text = f"the source has no price of the event session {firm.session:%Y-%m-%d}: fetch with --refresh, or use another"
        found.append(Doubt("error", subject, "event_session_missing", text))
    if firm.fit is not None:
        text = f"{firm.fit.nobs} estimation observations over {firm.fit.n_sessions} sessions"
        found.append(Doubt("info", subject, "sample", text))
    if firm.short_history:
        found.append(Doubt("warning", subject, "short_history", "short_history: the prices start inside the estimation window"))
    for window, cumulative in firm.cumulative.items():
        if cumulative.reason:
            found.append(Doubt("warning", subject, cumulative.reason, f"CAR{list(window)} is undefined: {cumulative.reason}"))
    return found


def source_doubts(series: PriceSeries, other: PriceSeries, calendar: SessionCalendar) -> list[Doubt]:
    """Return where two sources disagree about one instrument: rows, closes, suspensions, volumes, dividends and splits.

    Where one of them records adjusted closes only, total returns are compared in place of closes.
    """
    first = max(series.frame.index[0], other.frame.index[0])
    last = min(series.frame.index[-1], other.frame.index[-1])
    sessions, theirs = calendar.sessions, f"{other.source}'s"
    here, there = series.frame.loc[first:last], other.frame.loc[first:last]
    inside = (sessions >= first) & (sessions <= last)
    mine, its = (trading_status(one, calendar)[0][inside] for one in (series, other))
    days, both = sessions[inside], here.index.intersection(there.index)
    traded = days[(mine == TRADED) & (its == TRADED)]
    apart = _returns_apart(series, other, traded)
    bare = [one.source for one in (series, other) if one.frame["close"].isna().all()]
    if bare:
        different, what = apart.index[apart > ADJUSTED_TOLERANCE], "total returns"
    else:
        close, its_close = here["close"][both], there["close"][both]
        different = both[((close / its_close - 1).abs() > VENDOR_TOLERANCE) | (close.isna() != its_close.isna())]
        what = "closes"
    extra = here.index.difference(there.index).difference(days[its == SUSPENDED])
    lacking = there.index.difference(here.index).difference(days[mine == SUSPENDED])
    volume, its_volume = here["volume"].reindex(traded), there["volume"].reindex(traded)
    other_volume = (volume - its_volume).abs() > VOLUME_TOLERANCE * np.maximum(volume, its_volume)
    cases = [
        ("source_disagrees", different, f"{what} differ from {theirs}"),
        ("source_extra", extra, f"rows that {other.source} lacks"),
        ("source_lacks", lacking, f"rows only {other.source} has"),
        ("source_suspended", days[(mine == SUSPENDED) & (its == TRADED)], f"sessions suspended, but traded by {theirs} rows"),
        ("source_traded", days[(mine == TRADED) & (its == SUSPENDED)], f"sessions traded, but suspended by {theirs} rows"),
        ("source_volumes", traded[other_volume & (series.kind == "share")], f"volumes differ from {theirs} by more than 1%"),
        ("source_actions", _actions_apart(here, there, apart), f"dividends or splits differ from {theirs}"),
    ]
    found = [
        Doubt("warning", series.symbol, code, f"{len(dates)} {text}: {spells(pd.DatetimeIndex(dates), sessions)}", len(dates))
        for code, dates, text in cases
        if len(dates)
    ]
    for name in bare:
        text = f"{name} records adjusted closes only: returns are compared"
        found.append(Doubt("info", series.symbol, "source_adjusted", text))
    silent = [one.source for one, rows in ((series, here), (other, there)) if not _acting(rows).any()]
    if len(silent) == 1:
        found.append(Doubt("info", series.symbol, "source_no_actions", f"{silent[0]} records no dividend or split in these rows"))
    return found


def _returns_apart(series: PriceSeries, other: PriceSeries, traded: pd.DatetimeIndex) -> pd.Series:
    """Return by how much total returns between common traded dates differ."""
    if len(traded) < 2:
        return pd.Series(0.0, index=traded)
    mine, its = total_return_level(series, traded), total_return_level(other, traded)
    return (mine / mine.shift(1) - its / its.shift(1)).abs().fillna(0.0)


def _acting(rows: pd.DataFrame) -> pd.Series:
    return (rows["dividend"] != 0) | (rows["split"] != 1)


def _actions_apart(here: pd.DataFrame, there: pd.DataFrame, apart: pd.Series) -> pd.DatetimeIndex:
    """Return the dates of different actions that matter: a dividend and a split may stand for the same."""
    if not (_acting(here).any() and _acting(there).any()):
        return pd.DatetimeIndex([])
    dates = pd.DatetimeIndex(here.index.union(there.index))
    cash, its_cash = (rows["dividend"].reindex(dates).fillna(0.0) for rows in (here, there))
    split, its_split = (rows["split"].reindex(dates).fillna(1.0) for rows in (here, there))
    unlike = ((cash - its_cash).abs() > 0.005 * np.maximum(cash, its_cash)) | ((split / its_split - 1).abs() > VENDOR_TOLERANCE)
    return pd.DatetimeIndex(dates[unlike & (apart.reindex(dates).fillna(np.inf) > VENDOR_TOLERANCE)])
