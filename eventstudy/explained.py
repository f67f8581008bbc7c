"""Which input moved which number: the older of two runs is computed again with one input exchanged for the newer run's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from eventstudy.changes import (
    CODE,
    CONFIG,
    EVENTS,
    FACTORS,
    Change,
    Comparison,
    State,
    by_key,
    code_changes,
    config_changes,
    differ,
    event_changes,
    factor_changes,
    factor_keys,
    input_changes,
    pairs,
    result_changes,
)
from eventstudy.config import StudySpec
from eventstudy.errors import EventStudyError
from eventstudy.panel.build import run_inputs
from eventstudy.plan import StudyInputs

MOST_EXCHANGED = 12  # each exchanged input is a whole computation
NEW_SESSIONS = "new sessions"

Numbers = Mapping[tuple[str, str], str]


def compare(older: State, newer: State) -> Comparison:
    """Compare two runs of a study: what went in, and every CAR and test that moved, with the input that moved it."""
    inputs, moved = input_changes(older, newer), result_changes(older, newer)
    if older.inputs is None or newer.inputs is None:
        return Comparison(older.name, newer.name, (*inputs, *moved), older.problem or newer.problem)
    return Comparison(older.name, newer.name, (*inputs, *_explained(moved, older, newer)))


def exchanges(older: State, newer: State) -> dict[str, StudyInputs]:
    """Return the older run's inputs with one input at a time exchanged for the newer run's, by its name."""
    old, new = older.inputs, newer.inputs
    if old is None or new is None:
        return {}
    found: dict[str, StudyInputs] = {}
    both = pairs(old, new)
    # what the older run did not ask for is no input of its own, but part of the config or event that asks for it
    asked = {symbol: series for symbol, series in new.series.items() if symbol not in old.unknown}
    wide = {**asked, **old.series, **{pair.symbol: pair.widened() for pair in both}}
    if any(config_changes(older, newer)):
        found[CONFIG] = replace(
            old, plan=new.plan, firms={**old.firms, **new.firms}, specifications=new.specifications, series=wide,
            factors=old.factors if factor_keys(older) == factor_keys(newer) else new.factors,
        )  # fmt: skip
    if any(event_changes(old, new)):
        unknown = {**new.unknown, **old.unknown}
        found[EVENTS] = replace(old, events=new.events, firms={**new.firms, **old.firms}, series=wide, unknown=unknown)
    if any(factor_changes(older, newer)):
        found[FACTORS] = replace(old, factors=new.factors)
    for symbol in dict.fromkeys([*old.unknown, *new.unknown]):
        if (symbol in old.series) != (symbol in new.series):
            series = {name: had for name, had in old.series.items() if name != symbol}
            if symbol in new.series:
                series[symbol] = new.series[symbol]
            found[f"prices of {symbol}"] = replace(old, series=series, unknown=new.unknown)
    for pair in both:
        if any(pair.revisions()):
            found[f"revision of {pair.symbol}"] = replace(old, series={**old.series, pair.symbol: pair.revised()})
    if any(len(pair.earlier) or len(pair.later) for pair in both):  # the moment alone moves no number
        extended = {pair.symbol: pair.extended() for pair in both}
        found[NEW_SESSIONS] = replace(old, series={**old.series, **extended}, now=new.now)
    return found


def _explained(moved: list[Change], older: State, newer: State) -> list[Change]:
    """Name for every number that moved the inputs that move it."""
    if not moved or older.inputs is None:
        return moved
    ways = exchanges(older, newer)
    if any(code_changes(older, newer)):
        ways = {CODE: older.inputs, **ways}
    if len(ways) > MOST_EXCHANGED:
        return [replace(change, explained_by=f"{len(ways)} inputs together") for change in moved]
    if len(ways) == 1:
        return [replace(change, explained_by=next(iter(ways))) for change in moved]
    outcomes = {name: _numbers(inputs, older.spec) for name, inputs in ways.items()}
    return [replace(change, explained_by=_explanation(change, outcomes)) for change in moved]


def _numbers(inputs: StudyInputs, spec: StudySpec | None) -> Numbers:
    """Return the numbers of a computation by subject and field; none where it cannot be run."""
    try:
        result = run_inputs(inputs, spec)
        tables = {"cars": result.cars, "tests": result.tests}
    except EventStudyError:
        return {}
    return {
        (f"{table}: {key}", column): value
        for table, rows in tables.items()
        for key, cells in by_key(table, rows).items()
        for column, value in cells.items()
    }


def _explanation(change: Change, outcomes: Mapping[str, Numbers]) -> str:
    """Name the inputs that move a number; every exchange is computed by the newer program, so that one goes first."""
    key = change.subject, change.field
    today = outcomes[CODE].get(key, "") if CODE in outcomes else change.old
    movers = [name for name, numbers in outcomes.items() if differ(numbers.get(key, ""), change.old if name == CODE else today)]
    settled = not differ(today, change.old)
    alone = [name for name in movers if not differ(outcomes[name].get(key, ""), change.new) and (name == CODE or settled)]
    if alone:
        return alone[0]
    if len(movers) == 1:
        return f"{movers[0]}, together with what else changed"
    return "together: " + "; ".join(movers or outcomes)
