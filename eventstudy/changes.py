"""What changed between two runs: inputs, config, code, and every number that moved, with the input that moved it.

A number is explained by computing the older run again with one input exchanged for the newer run's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.config import StudySpec
from eventstudy.errors import EventStudyError
from eventstudy.plan import StudyInputs
from eventstudy.result import StudyResult
from eventstudy.sources.base import PriceSeries
from eventstudy.study import Computation, compute
from eventstudy.trading import SUSPENDED

CELLS = ("close", "volume", "dividend", "split")  # what makes up the content of a series; adjusted closes are derived from it
KEYS = {
    "cars": ["event_id", "symbol", "window_start", "window_end"],
    "tests": ["group", "window_start", "window_end", "test"],
}
NUMBERS = {"cars": ["car", "se_car", "p_value"], "tests": ["statistic", "p_value"]}
MOST_EXCHANGED = 12  # each exchanged input is a whole computation
NEW_SESSIONS, CODE, CONFIG, EVENTS = "new sessions", "code", "config", "events"
COLUMNS = ["kind", "subject", "date", "field", "old", "new", "explained_by"]


@dataclass(frozen=True)
class Change:
    """One thing that differs between two runs.

    Parameters
    ----------
    kind : {"code", "config", "events", "revision", "new_sessions", "resumed", "series", "result"}
    subject : str
        Symbol, config key, event, or the table and key of a number.
    date : str
        ISO date of a revised figure or of a resumption; else empty.
    field : str
        Column or quantity.
    old, new : str
        As text, a double by its shortest exact one; empty where there was, or is, nothing.
    explained_by : str
        Of a result: the inputs that move it, as found by exchanging one at a time.
    """

    kind: str
    subject: str
    date: str = ""
    field: str = ""
    old: str = ""
    new: str = ""
    explained_by: str = ""


@dataclass(frozen=True)
class State:
    """One side of a comparison: what was computed from what, and the numbers that came out.

    `inputs` is None where the inputs of a recorded run are no longer to be had; `problem` says why.
    """

    name: str
    spec: StudySpec
    version: str
    cars: pd.DataFrame
    tests: pd.DataFrame
    inputs: StudyInputs | None
    problem: str = ""


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs; `problem` says why results are not explained, where they are not."""

    older: str
    newer: str
    changes: tuple[Change, ...]
    problem: str = ""

    def table(self) -> pd.DataFrame:
        """Return one row a change."""
        rows = [[getattr(change, column) for column in COLUMNS] for change in self.changes]
        return pd.DataFrame(rows, columns=COLUMNS, dtype=str)

    def summary(self) -> dict[str, Any]:
        """Return what stands in a manifest: since which run, and how many changes of each kind."""
        counts = {kind: len(self.of(kind)) for kind in dict.fromkeys(change.kind for change in self.changes)}
        return {"since": self.older, "counts": counts, "problem": self.problem}

    def of(self, *kinds: str) -> tuple[Change, ...]:
        """Return the changes of some kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)


def compare(older: State, newer: State) -> Comparison:
    """Compare two runs of a study: what went in, and every CAR and test that moved."""
    inputs = [*_code(older, newer), *_config(older.spec, newer.spec)]
    moved = [*_moved("cars", older.cars, newer.cars), *_moved("tests", older.tests, newer.tests)]
    if older.inputs is None or newer.inputs is None:
        problem = older.problem or newer.problem
        return Comparison(older.name, newer.name, (*inputs, *moved), problem)
    inputs += [*_events(older.inputs, newer.inputs), *_series(older.inputs, newer.inputs)]
    inputs += _resumptions(compute(older.inputs), compute(newer.inputs))
    return Comparison(older.name, newer.name, (*inputs, *_explained(moved, older, newer)))


def _code(older: State, newer: State) -> Iterator[Change]:
    if older.version != newer.version:
        yield Change(CODE, "eventstudy", field="version", old=older.version, new=newer.version)


def _config(older: StudySpec, newer: StudySpec) -> Iterator[Change]:
    before, after = (dict(_leaves(spec.model_dump(mode="json", by_alias=True, exclude={"runs"}))) for spec in (older, newer))
    for key in dict.fromkeys([*before, *after]):
        if before.get(key, "") != after.get(key, ""):
            yield Change(CONFIG, key, old=before.get(key, ""), new=after.get(key, ""))


def _leaves(content: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from _leaves(value, f"{key}.{name}" if key else str(name))
    elif isinstance(content, Sequence) and not isinstance(content, str) and content and isinstance(content[0], Mapping):
        for place, value in enumerate(content):
            yield from _leaves(value, f"{key}[{place}]")
    else:
        yield key, "" if content is None else content if isinstance(content, str) else json.dumps(content)


def _events(older: StudyInputs, newer: StudyInputs) -> Iterator[Change]:
    before, after = (
        {f"{event.event_id}, {event.symbol}": str(event.announcement.session or event.announcement) for event in inputs.events}
        for inputs in (older, newer)
    )
    for key in dict.fromkeys([*before, *after]):
        if before.get(key, "") != after.get(key, ""):
            yield Change(EVENTS, key, field="announced", old=before.get(key, ""), new=after.get(key, ""))


def _series(older: StudyInputs, newer: StudyInputs) -> Iterator[Change]:
    for symbol in dict.fromkeys([*older.series, *newer.series]):
        before, after = older.series.get(symbol), newer.series.get(symbol)
        if before is None or after is None:
            old, new = ("" if series is None else series.source for series in (before, after))
            yield Change("series", symbol, field="source", old=old, new=new)
            continue
        if before.source != after.source:
            yield Change("series", symbol, field="source", old=before.source, new=after.source)
        yield from _revisions(before, after)
        later = after.frame.index[after.frame.index > before.frame.index[-1]]
        if len(later):
            last = f"{before.frame.index[-1]:%Y-%m-%d}"
            yield Change("new_sessions", symbol, f"{later[0]:%Y-%m-%d}", "last", last, f"{later[-1]:%Y-%m-%d}")


def _revisions(before: PriceSeries, after: PriceSeries) -> Iterator[Change]:
    """Yield the figures that differ on the dates before the older series ends."""
    first, last = max(before.frame.index[0], after.frame.index[0]), before.frame.index[-1]
    old, new = before.frame.loc[first:last], after.frame.loc[first:last]
    dates = old.index.union(new.index)
    for column in CELLS:
        was, now = old[column].reindex(dates), new[column].reindex(dates)
        for day in dates[~((was == now) | (was.isna() & now.isna()))]:
            yield Change("revision", before.symbol, f"{day:%Y-%m-%d}", column, _cell(was[day]), _cell(now[day]))


def _cell(value: Any) -> str:
    return "" if value == "" or pd.isna(value) else repr(float(value))


def _resumptions(older: Computation, newer: Computation) -> Iterator[Change]:
    """Yield the shares that were suspended when the older run's prices ended, and have traded since."""
    for symbol, before in older.listings.items():
        after = newer.listings.get(symbol)
        if after is None or before.end < 0 or before.status[before.end] != SUSPENDED:
            continue
        ended = before.calendar.sessions[before.end]
        traded = after.calendar.sessions[np.isfinite(after.level) & (after.calendar.sessions > ended)]
        if len(traded):
            yield Change("resumed", symbol, f"{traded[0]:%Y-%m-%d}", "status", SUSPENDED, "traded")


def _moved(table: str, older: pd.DataFrame, newer: pd.DataFrame) -> Iterator[Change]:
    before, after = (_by_key(table, rows) for rows in (older, newer))
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key, {}), after.get(key, {})
        for column in NUMBERS[table]:
            if was.get(column, "") != now.get(column, ""):
                yield Change("result", f"{table}: {key}", field=column, old=was.get(column, ""), new=now.get(column, ""))


def _by_key(table: str, rows: pd.DataFrame) -> dict[str, dict[str, str]]:
    found = {}
    for row in rows.to_dict("records"):
        key = ", ".join(str(row[name]) for name in KEYS[table])
        found[key] = {column: _cell(row[column]) for column in NUMBERS[table]}
    return found


def exchanges(older: State, newer: State) -> dict[str, StudyInputs]:
    """Return the older run's inputs with one input at a time exchanged for the newer run's, by its name."""
    old, new = older.inputs, newer.inputs
    if old is None or new is None:
        return {}
    found: dict[str, StudyInputs] = {}
    if any(_config(older.spec, newer.spec)) or any(_events(old, new)):
        name = CONFIG if any(_config(older.spec, newer.spec)) else EVENTS
        series = {symbol: old.series.get(symbol, series) for symbol, series in new.series.items()}
        found[name] = replace(new, series=series, now=old.now)
    both = [symbol for symbol in old.series if symbol in new.series]
    for symbol in both:
        if any(_revisions(old.series[symbol], new.series[symbol])):
            revised = replace(new.series[symbol], frame=new.series[symbol].frame.loc[: old.series[symbol].frame.index[-1]])
            found[f"revision of {symbol}"] = replace(old, series={**old.series, symbol: revised})
    extended = {symbol: _extended(old.series[symbol], new.series[symbol]) for symbol in both}
    if old.now != new.now or any(len(series.frame) > len(old.series[symbol].frame) for symbol, series in extended.items()):
        found[NEW_SESSIONS] = replace(old, series={**old.series, **extended}, now=new.now)
    return found


def _extended(old: PriceSeries, new: PriceSeries) -> PriceSeries:
    later = new.frame[new.frame.index > old.frame.index[-1]]
    return replace(old, frame=pd.concat([old.frame, later])) if len(later) else old


def _explained(moved: list[Change], older: State, newer: State) -> list[Change]:
    """Name for every number that moved the inputs that move it."""
    if not moved:
        return []
    ways = exchanges(older, newer)
    if older.version != newer.version and older.inputs is not None:
        ways = {CODE: older.inputs, **ways}
    if len(ways) > MOST_EXCHANGED:
        return [replace(change, explained_by=f"{len(ways)} inputs together") for change in moved]
    if len(ways) == 1:
        return [replace(change, explained_by=next(iter(ways))) for change in moved]
    outcomes = {name: _numbers(inputs, newer.spec if name in (CONFIG, EVENTS) else older.spec) for name, inputs in ways.items()}
    return [replace(change, explained_by=_explanation(change, outcomes)) for change in moved]


def _numbers(inputs: StudyInputs, spec: StudySpec) -> dict[tuple[str, str], str]:
    """Return the numbers of a computation by subject and field; none where it cannot be run."""
    try:
        result = StudyResult(compute(inputs), spec)
        tables = {"cars": result.cars, "tests": result.tests}
    except EventStudyError:
        return {}
    return {
        (f"{table}: {key}", column): value
        for table, rows in tables.items()
        for key, cells in _by_key(table, rows).items()
        for column, value in cells.items()
    }


def _explanation(change: Change, outcomes: Mapping[str, Mapping[tuple[str, str], str]]) -> str:
    key = change.subject, change.field
    movers = [name for name, numbers in outcomes.items() if numbers.get(key, "") != change.old]
    alone = [name for name in movers if outcomes[name].get(key, "") == change.new]
    if len(movers) == 1:
        return movers[0]
    if alone:
        return alone[0]
    return "together: " + "; ".join(movers or outcomes)
