"""What a study's data and events look like before anything is computed of the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eventstudy.anticipation import leak_studies
from eventstudy.config import StudySpec
from eventstudy.configfile import data_keys
from eventstudy.doubt import Doubt, event_doubts, listing_of, source_doubts, symbol_doubts
from eventstudy.prices import Fetching, fetch_series, price_source
from eventstudy.seal import Standing
from eventstudy.study import Computation


def check_study(study: Computation) -> list[Doubt]:
    """Return what was found about events, windows and prices; no effect is looked at."""
    found = [
        Doubt("warning", f"{item.event_id}, {item.symbol}", item.reason, f"excluded, {item.reason}: {item.detail}")
        for item in study.exclusions
    ]
    for firm in study.firms:
        found += event_doubts(firm)
    found += _leaks(study)
    for symbol, series in study.inputs.series.items():
        listing = listing_of(study, symbol)
        if listing is None:
            continue
        frame = series.frame
        extent = f"{len(frame)} rows from {series.source}, {frame.index[0]:%Y-%m-%d} to {frame.index[-1]:%Y-%m-%d}"
        found.append(Doubt("info", symbol, "rows", f"{extent}, calendar {listing.calendar.name}"))
        found += symbol_doubts(study, symbol)
        found += [Doubt("info", symbol, "source", note) for note in series.notes]
    return found


def _leaks(study: Computation) -> list[Doubt]:
    """Return what was found about the leaks: their sessions, samples and windows."""
    leaks = leak_studies(study)
    found = [
        Doubt("warning", f"leak {item.event_id}, {item.symbol}", item.reason, f"left out, {item.reason}: {item.detail}")
        for item in leaks.failed
    ]
    for firm in (firm for computed in leaks.studies for firm in computed.firms):
        found += [replace(doubt, subject=f"leak {doubt.subject}") for doubt in event_doubts(firm)]
    return found


def check_seals(found: Sequence[Standing]) -> list[Doubt]:
    """Return how the study stands to its sealed design: a change, or a seal made after the event, is a warning."""
    return [
        Doubt("info" if not one.changes and one.timing == "before" else "warning", "design", "seal", text)
        for one in found
        for text in one.sentences()
    ]


def check_against(study: Computation, spec: StudySpec, other: str, fetching: Fetching) -> list[Doubt]:
    """Return where another source's rows, prices, suspensions, volumes or actions differ from the study's.

    Raises
    ------
    ConfigError
        If there is no such source, or it lacks its keys.
    """
    settings = spec.data.model_dump(exclude_unset=True) | {"source": other}
    source = price_source(data_keys(settings), spec.folder, fetching, spec.market.calendar)
    shares = [symbol for symbol in study.inputs.series if symbol in study.inputs.firms]
    spans = {symbol: (series.frame.index[0], series.frame.index[-1]) for symbol, series in study.inputs.series.items()}
    benchmarks = [symbol for symbol in study.inputs.series if symbol not in study.inputs.firms]
    fetched = fetch_series(source, shares, benchmarks, spans, fetching.watch).complete()
    found = []
    for symbol, told in fetched.unknown.items():
        found.append(Doubt("warning", symbol, "source_lacks", f"{other} has no series: {told}"))
    for symbol, theirs in fetched.series.items():
        listing = listing_of(study, symbol)
        if listing is not None:
            found += source_doubts(study.inputs.series[symbol], theirs, listing.calendar)
    return found
