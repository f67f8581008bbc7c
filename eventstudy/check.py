"""What a study's data and events look like before anything is computed of the event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from eventstudy.study import Computation, FirmStudy
from eventstudy.trading import MISSING, SUSPENDED, UNKNOWN, Listing

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing found; an ``error`` stands for data that make the study unusable as it is."""

    severity: Severity
    subject: str
    text: str


def check_study(study: Computation) -> list[Finding]:
    """Return what was found about events, windows and prices; no effect is looked at."""
    found = [
        Finding("warning", f"{item.event_id}, {item.symbol}", f"excluded, {item.reason}: {item.detail}")
        for item in study.exclusions
    ]
    for firm in study.firms:
        found += _event_findings(firm)
    for symbol, listing in study.listings.items():
        found += _series_findings(symbol, listing, study)
    return found


def _event_findings(firm: FirmStudy) -> list[Finding]:
    subject = f"{firm.key[0]}, {firm.key[1]}"
    if firm.session is None:
        return [Finding("info", subject, "the event session lies past the end of the exchange calendar")]
    listing, found = firm.listing, []
    status = listing.status[firm.day0]
    found.append(Finding("info", subject, f"event session {firm.session:%Y-%m-%d}, status {status}"))
    if status in (UNKNOWN, MISSING):
        meaning = "may have been suspended: give volumes" if status == UNKNOWN else "has no price in this source: use another"
        found.append(Finding("error", subject, f"on the event session the share {meaning}"))
    if firm.fit is not None:
        found.append(Finding("info", subject, f"{firm.fit.nobs} estimation observations over {firm.fit.n_sessions} sessions"))
    if firm.short_history:
        found.append(Finding("warning", subject, "short_history: the prices start inside the estimation window"))
    for window, cumulative in firm.cumulative.items():
        if cumulative.reason:
            found.append(Finding("warning", subject, f"CAR{list(window)} is undefined: {cumulative.reason}"))
    return found


def _series_findings(symbol: str, listing: Listing, study: Computation) -> list[Finding]:
    frame = study.inputs.series[symbol].frame
    inside = (listing.calendar.sessions >= frame.index[0]) & (listing.calendar.sessions <= frame.index[-1])
    extent = f"{len(frame)} rows, {frame.index[0]:%Y-%m-%d} to {frame.index[-1]:%Y-%m-%d}"
    found = [Finding("info", symbol, f"{extent}, calendar {listing.calendar.name}")]
    for status in (SUSPENDED, MISSING):
        days = listing.calendar.sessions[inside & (listing.status == status)]
        if len(days):
            found.append(Finding("warning", symbol, f"{len(days)} sessions {status}: {spells(days, listing)}"))
    for side in ("up", "down"):
        days = listing.calendar.sessions[inside & (listing.limit == side)]
        if len(days):
            found.append(Finding("info", symbol, f"{len(days)} closes at the {side} limit: {spells(days, listing)}"))
    holes = listing.calendar.sessions[inside & ~np.isfinite(listing.benchmark)]
    if len(holes):
        found.append(Finding("warning", symbol, f"its benchmark has no value on {len(holes)} sessions: {spells(holes, listing)}"))
    found += [Finding("warning", symbol, note) for _, note in listing.notes]
    return found + [Finding("info", symbol, note) for note in study.inputs.series[symbol].notes]


def spells(days: pd.DatetimeIndex, listing: Listing, most: int = 6) -> str:
    """Write dates as spells of consecutive sessions, such as ``2019-10-08 to 2019-10-09``."""
    places = listing.calendar.sessions.get_indexer(days)
    breaks = np.flatnonzero(np.diff(places) > 1)
    runs = [run for run in np.split(np.arange(len(days)), breaks + 1) if len(run)]
    texts = [
        f"{days[run[0]]:%Y-%m-%d}" + (f" to {days[run[-1]]:%Y-%m-%d}" if len(run) > 1 else "") for run in runs[:most]
    ]
    return ", ".join(texts) + (f" and {len(runs) - most} more spells" if len(runs) > most else "")
