"""What differs between two runs: inputs, config, code, and every number that moved."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.config import StudySpec
from eventstudy.events import EventFirm
from eventstudy.inputs import asked_spans
from eventstudy.plan import StudyInputs
from eventstudy.prepared import Prepared
from eventstudy.prices import EVERYTHING
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.wide import WideSeries, content_hashes
from eventstudy.trading import SUSPENDED

CELLS = ["close", "volume", "dividend", "split"]  # what makes up the content of a series; adjusted closes are derived from it
ROUNDING = 1e-9  # relative; a close revised inside a window leaves its CAR but for the last digits
KEYS = {
    "cars": ["event_id", "symbol", "window_start", "window_end"],
    "tests": ["group", "window_start", "window_end", "test"],
}
NUMBERS = {"cars": ["car", "se_car", "p_value"], "tests": ["statistic", "p_value"]}
CODE, CONFIG, EVENTS, SERIES, FACTORS = "code", "config", "events", "series", "factors"
COLUMNS = ["kind", "subject", "date", "field", "old", "new", "explained_by"]


@dataclass(frozen=True)
class Change:
    """One thing that differs between two runs.

    Parameters
    ----------
    kind : {"code", "config", "events", "characteristics", "factors", "revision", "new_sessions", "resumed", "series", "result"}
    subject : str
        Symbol, library, config key, event, or the table and key of a number.
    date : str
        ISO date of a revised figure, of the first new session or of a resumption; else empty.
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

    `spec` and `inputs` are None where those of a recorded run are no longer to be had; `problem` says why. `versions` are
    those of the program and of what it computes with.
    """

    name: str
    spec: StudySpec | None
    versions: Mapping[str, str]
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


def input_changes(older: State, newer: State) -> list[Change]:
    """Return what went into one run and not, or otherwise, into the other; without prices where they are not to be had."""
    found = [*code_changes(older, newer), *config_changes(older, newer)]
    if older.inputs is not None and newer.inputs is not None:
        found += event_changes(older.inputs, newer.inputs)
        found += _characteristics(older.inputs, newer.inputs)
        found += factor_changes(older, newer)
        found += _series(older.inputs, newer.inputs)
        found += _resumptions(older.inputs, newer.inputs)
    return found


def result_changes(older: State, newer: State) -> list[Change]:
    """Return every CAR and test that moved, not yet explained."""
    return [*_moved("cars", older.cars, newer.cars), *_moved("tests", older.tests, newer.tests)]


def code_changes(older: State, newer: State) -> Iterator[Change]:
    """Yield what was computed by another version: the program, or what it computes with."""
    for name in dict.fromkeys([*older.versions, *newer.versions]):
        before, after = older.versions.get(name, ""), newer.versions.get(name, "")
        if before != after:
            yield Change(CODE, name, field="version", old=before, new=after)


def config_changes(older: State, newer: State) -> Iterator[Change]:
    """Yield the keys of the config that differ; its events are told of as events where they are known."""
    if older.spec is None or newer.spec is None:
        return
    apart = {"runs"} if older.inputs is None or newer.inputs is None else {"runs", "event"}
    before, after = (
        dict(_leaves(spec.model_dump(mode="json", by_alias=True, exclude=apart))) for spec in (older.spec, newer.spec)
    )
    for key in dict.fromkeys([*before, *after]):
        if before.get(key, "") != after.get(key, ""):
            yield Change(CONFIG, key, old=before.get(key, ""), new=after.get(key, ""))


def _leaves(content: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from _leaves(value, f"{key}.{name}" if key else str(name))
    elif isinstance(content, Sequence) and not isinstance(content, str) and content and isinstance(content[0], Mapping):
        names = [str(value.get("symbol") or value.get("id") or "") for value in content]
        for place, (name, value) in enumerate(zip(names, content, strict=True)):
            yield from _leaves(value, f"{key}[{name if name and names.count(name) == 1 else place}]")
    else:
        yield key, "" if content is None else content if isinstance(content, str) else json.dumps(content)


def event_changes(older: StudyInputs, newer: StudyInputs) -> Iterator[Change]:
    """Yield the events that came, went, or are told of otherwise."""
    before, after = ({(event.event_id, event.symbol): _told(event) for event in inputs.events} for inputs in (older, newer))
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        for name in (now or was or {}) if was and now else ["announced"]:
            old, new = (told[name] if told else "" for told in (was, now))
            if old != new:
                yield Change(EVENTS, ", ".join(key), field=name, old=old, new=new)


def _told(event: EventFirm) -> dict[str, str]:
    when = str(event.announcement.session or event.announcement)
    return {
        "announced": when, "date_only": event.date_only, "group": event.group, "role": event.role, "label": event.label,
    }  # fmt: skip


def _characteristics(older: StudyInputs, newer: StudyInputs) -> Iterator[Change]:
    before, after = (
        {(row.key, name): _cell(value) for row in inputs.plan.regression.rows for name, value in row.values}
        if inputs.plan.regression
        else {}
        for inputs in (older, newer)
    )
    for key in dict.fromkeys([*before, *after]):
        if before.get(key, "") != after.get(key, ""):
            (event_id, symbol), name = key
            subject = f"{event_id}, {symbol}" if event_id else symbol
            yield Change("characteristics", subject, field=name, old=before.get(key, ""), new=after.get(key, ""))


def factor_changes(older: State, newer: State) -> Iterator[Change]:
    """Yield the figures of the user's factor file that differ, and the sessions it has more."""
    if older.inputs is None or newer.inputs is None or newer.spec is None or factor_keys(older) != factor_keys(newer):
        return  # of another file or other columns the config tells
    if older.inputs.factors is None or newer.inputs.factors is None:
        return
    name, before, after = str(newer.spec.model.factors), older.inputs.factors.frame, newer.inputs.factors.frame
    later = after.index[after.index > before.index[-1]]
    if len(later):
        yield Change(FACTORS, name, f"{later[0]:%Y-%m-%d}", "last", f"{before.index[-1]:%Y-%m-%d}", f"{later[-1]:%Y-%m-%d}")
    for day, column, old, new in _differences(before, after.loc[: before.index[-1]], [*after.columns]):
        yield Change(FACTORS, name, day, column, old, new)


def factor_keys(state: State) -> tuple[object, ...]:
    """Return what the config of a run says of its factor file."""
    if state.spec is None:
        return ()
    keys = state.spec.model
    return keys.factors, keys.factor_columns, keys.risk_free_column, keys.factor_units


def _differences(before: pd.DataFrame, after: pd.DataFrame, columns: list[str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield date, column, old and new figure wherever two tables differ."""
    dates = before.index.union(after.index)
    for column in columns:
        was, now = (
            table[column].reindex(dates) if column in table else pd.Series(np.nan, dates) for table in (before, after)
        )
        for day in dates[~((was == now) | (was.isna() & now.isna()))]:
            yield f"{day:%Y-%m-%d}", column, _cell(was[day]), _cell(now[day])


@dataclass(frozen=True)
class Pair:
    """One series in two runs.

    `first` and `last` bound the dates that both runs asked for: a source cuts a series to what the events need, so what
    lies outside was asked for by one of them alone, and is neither new nor lost.
    """

    before: PriceSeries
    after: PriceSeries
    first: pd.Timestamp
    last: pd.Timestamp

    @property
    def symbol(self) -> str:
        """Of the series."""
        return self.before.symbol

    def revisions(self) -> Iterator[Change]:
        """Yield the figures that differ on dates that the older series covers."""
        start, end = max(self.first, self.before.frame.index[0]), min(self.last, self.before.frame.index[-1])
        old, new = self.before.frame.loc[start:end], self.after.frame.loc[start:end]
        for day, column, was, now in _differences(old, new, CELLS):
            yield Change("revision", self.symbol, day, column, was, now)

    def revised(self) -> PriceSeries:
        """Return the older series with the newer figures on its own dates."""
        start, end = max(self.first, self.before.frame.index[0]), min(self.last, self.before.frame.index[-1])
        return self._around(self.before.frame, self.after.frame.loc[start:end])

    @property
    def later(self) -> pd.DatetimeIndex:
        """Sessions that the newer series has after the end of the older one."""
        dates = self.after.frame.index
        return pd.DatetimeIndex(dates[(dates > self.before.frame.index[-1]) & (dates <= self.last)])

    @property
    def earlier(self) -> pd.DatetimeIndex:
        """Sessions that the newer series has before the beginning of the older one."""
        dates = self.after.frame.index
        return pd.DatetimeIndex(dates[(dates < self.before.frame.index[0]) & (dates >= self.first)])

    def extended(self) -> PriceSeries:
        """Return the older series with the sessions that the newer one has before and after it."""
        return self._around(self.after.frame.loc[self.earlier.union(self.later)], self.before.frame)

    def widened(self) -> PriceSeries:
        """Return the older series with the sessions that the newer run alone asked for."""
        asked = self.after.frame
        return self._around(asked[(asked.index < self.first) | (asked.index > self.last)], self.before.frame)

    def _around(self, outer: pd.DataFrame, inner: pd.DataFrame) -> PriceSeries:
        """Return the older series with the rows `inner`, and those of `outer` before and after them."""
        if not len(inner):
            return replace(self.before, frame=outer)
        parts = [outer[outer.index < inner.index[0]], inner, outer[outer.index > inner.index[-1]]]
        return replace(self.before, frame=pd.concat([part for part in parts if len(part)]))


def pairs(older: StudyInputs, newer: StudyInputs) -> list[Pair]:
    """Return every series that both runs have, but for those of the same content."""
    whole = isinstance(older.series, WideSeries) and isinstance(newer.series, WideSeries)  # no table is cut to some dates
    before, after = ({}, {}) if whole else (asked_spans(older), asked_spans(newer))
    hashes = [content_hashes(inputs.series) for inputs in (older, newer)]
    found = []
    for symbol in (symbol for symbol, known in hashes[0].items() if hashes[1].get(symbol, known) != known):
        old, new = older.series[symbol], newer.series[symbol]
        (old_first, old_last), (new_first, new_last) = (spans.get(symbol, EVERYTHING) for spans in (before, after))
        # of a series that goes beyond what was asked for, nothing was cut
        first = max(old_first, new_first) if old_first != new_first and old.frame.index[0] >= old_first else EVERYTHING[0]
        last = min(old_last, new_last) if old_last != new_last and old.frame.index[-1] <= old_last else EVERYTHING[1]
        found.append(Pair(old, new, first, last))
    return found


def _series(older: StudyInputs, newer: StudyInputs) -> Iterator[Change]:
    for symbol in dict.fromkeys([*older.series, *newer.series]):
        old, new = (_source_in(inputs.series, symbol) for inputs in (older, newer))
        told = symbol in older.unknown or symbol in newer.unknown or (old and new)
        if old != new and told:  # else one of the runs did not ask for it
            yield Change(SERIES, symbol, field="source", old=old, new=new)
    for pair in pairs(older, newer):
        yield from pair.revisions()
        starts, ends = (f"{pair.before.frame.index[place]:%Y-%m-%d}" for place in (0, -1))
        if len(pair.earlier):
            first = f"{pair.earlier[0]:%Y-%m-%d}"
            yield Change("new_sessions", pair.symbol, first, "first", starts, first)
        if len(pair.later):
            yield Change("new_sessions", pair.symbol, f"{pair.later[0]:%Y-%m-%d}", "last", ends, f"{pair.later[-1]:%Y-%m-%d}")


def _source_in(series: Mapping[str, PriceSeries], symbol: str) -> str:
    if symbol not in series:
        return ""
    return series.source if isinstance(series, WideSeries) and symbol not in series.others else series[symbol].source


def _cell(value: Any) -> str:
    return "" if value == "" or pd.isna(value) else repr(float(value))


def _resumptions(older: StudyInputs, newer: StudyInputs) -> Iterator[Change]:
    """Yield the shares that were suspended when the older run's prices ended, and have traded since."""
    prepared = Prepared(), Prepared()
    asked = [{event.symbol for event in inputs.events} & set(inputs.series) for inputs in (older, newer)]
    for symbol in dict.fromkeys(event.symbol for event in older.events):
        if not all(symbol in symbols for symbols in asked) or _same_series(symbol, older, newer):
            continue
        before, after = (made.listing(symbol, inputs) for made, inputs in zip(prepared, (older, newer), strict=True))
        if before.end < 0 or before.status[before.end] != SUSPENDED:
            continue
        ended = before.calendar.sessions[before.end]
        traded = after.calendar.sessions[np.isfinite(after.level) & (after.calendar.sessions > ended)]
        if len(traded):
            yield Change("resumed", symbol, f"{traded[0]:%Y-%m-%d}", "status", SUSPENDED, "traded")


def _same_series(symbol: str, older: StudyInputs, newer: StudyInputs) -> bool:
    """Whether a share and its benchmark have the same prices in both runs, so that neither can have traded since."""
    names = {symbol, *(inputs.firms[symbol].benchmark for inputs in (older, newer))}
    if isinstance(older.series, WideSeries) and isinstance(newer.series, WideSeries):
        hashes = [[one.hash_of(name) if name in one else "" for name in names] for one in (older.series, newer.series)]
        return hashes[0] == hashes[1]
    found = [[inputs.series.get(name) for inputs in (older, newer)] for name in names]
    return all(was and now and was.frame.equals(now.frame) and was.absent == now.absent for was, now in found)


def _moved(table: str, older: pd.DataFrame, newer: pd.DataFrame) -> Iterator[Change]:
    before, after = (by_key(table, rows) for rows in _apart(table, older, newer))
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key, {}), after.get(key, {})
        for column in NUMBERS[table]:
            if differ(was.get(column, ""), now.get(column, "")):
                yield Change("result", f"{table}: {key}", field=column, old=was.get(column, ""), new=now.get(column, ""))


def _apart(table: str, older: pd.DataFrame, newer: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of two tables without those whose numbers are surely the same in both: of many, few have moved."""
    keys = [pd.MultiIndex.from_frame(rows[KEYS[table]].astype(str)) for rows in (older, newer)]
    if not all(key.is_unique for key in keys):
        return older, newer
    place = keys[1].get_indexer(keys[0])
    mine, theirs = np.flatnonzero(place >= 0), place[place >= 0]
    same = np.ones(len(mine), dtype=bool)
    for column in NUMBERS[table]:
        was, now = (rows[column].replace("", np.nan).to_numpy(dtype=float) for rows in (older, newer))
        same &= np.isclose(was[mine], now[theirs], rtol=ROUNDING / 2, atol=0.0, equal_nan=True)  # of the rest, `differ` decides
    return older.drop(index=older.index[mine[same]]), newer.drop(index=newer.index[theirs[same]])


def differ(old: str, new: str) -> bool:
    """Tell whether a number moved: by more than the rounding of its sum, or from or to nothing."""
    if not old or not new:
        return old != new
    return not math.isclose(float(old), float(new), rel_tol=ROUNDING, abs_tol=1e-12)


def by_key(table: str, rows: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return the compared numbers of a table as text, by their key."""
    found = {}
    for row in rows.to_dict("records"):
        key = ", ".join(str(row[name]) for name in KEYS[table])
        found[key] = {column: _cell(row[column]) for column in NUMBERS[table]}
    return found
