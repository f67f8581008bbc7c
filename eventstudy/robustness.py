"""The study under other choices: every specification computed as the study itself is, one table of them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.errors import DataError
from eventstudy.group_tables import portfolio_se
from eventstudy.inference.registry import run_test
from eventstudy.plan import Specification, StudyInputs
from eventstudy.prepared import Prepared
from eventstudy.study import ALL, Computation, FirmStudy, run_events
from eventstudy.tables import Row, as_table, bounds, whole_numbers
from eventstudy.windows import Window

SAME = 1e-12  # two results closer than this are one result
NO_BENCHMARK, NO_SERIES, OTHER_FIRMS = "unknown_benchmark", "unknown_series", "other_firms"
Firms = frozenset[tuple[str, str]]


def robustness_table(study: Computation) -> pd.DataFrame:
    """One row a specification for the mean of the treated firms, and one for each of them.

    The study itself is the first specification, marked as the headline. A mean over other firms than its own is
    given, with the reason ``other_firms``: it is no other view of the same question. `same_as` names the first
    specification of the scope with the same numbers, since a choice that changes nothing is no further evidence.
    """
    inputs = study.inputs
    treated = replace(inputs, events=tuple(event for event in inputs.events if event.role == "treated"))
    rows: list[Row] = []
    firms: list[Firms] = []
    for asked in inputs.specifications:
        found = _run(treated, asked, study.prepared)
        for window in asked.plan.windows.car:
            choices = {"specification": len(firms) + 1, "headline": not firms} | _choices(asked, window)
            rows += [choices | row for row in _scopes(treated, asked, found, window)]
            firms.append(_counted(found, window))
    reference = (firms[0] or max(firms, key=len)) if firms else frozenset()
    for row in rows:
        counted = firms[row["specification"] - 1]
        if row["scope"] == ALL and counted and counted != reference:
            row["reason"] = OTHER_FIRMS
    table = as_table("robustness", rows)
    return whole_numbers(table.assign(same_as=_same_as(table)), ["n", "nobs", "df", "same_as"])


def _run(inputs: StudyInputs, asked: Specification, prepared: Prepared) -> Computation | str:
    """Run the treated events; the reason where a series that all of them need is not to be had."""
    if any(asked.firms[event.symbol].benchmark not in inputs.series for event in inputs.events):
        return NO_BENCHMARK
    try:
        return run_events(replace(inputs, plan=asked.plan, firms=asked.firms), prepared)
    except DataError:
        return NO_SERIES


def _choices(asked: Specification, window: Window) -> Row:
    plan = asked.plan
    return {
        "model": plan.model,
        "returns": plan.returns,
        "suspensions": plan.suspensions,
        "benchmark": asked.benchmark,
        "estimation_start": plan.windows.estimation[0],
        "estimation_end": plan.windows.estimation[1],
        "mask": asked.masked,
    } | bounds(window)


def _counted(found: Computation | str, window: Window) -> Firms:
    """Return the firms whose CARs make up the mean."""
    members = () if isinstance(found, str) else found.groups[ALL]
    return frozenset(firm.key for firm in members if firm.car(window) is not None)


def _scopes(inputs: StudyInputs, asked: Specification, found: Computation | str, window: Window) -> Iterator[Row]:
    if isinstance(found, str):
        yield {"event_id": "", "scope": ALL, "n": 0, "reason": found}
        for event in inputs.events:
            yield _undefined(event.event_id, event.symbol, asked, found)
        return
    yield _mean(found, window)
    for firm in found.groups[ALL]:
        yield _firm(firm, asked, window)
    for item in found.exclusions:
        yield _undefined(item.event_id, item.symbol, asked, item.reason)


def _mean(found: Computation, window: Window) -> Row:
    cross = found.cross_section(ALL, window)
    test = run_test("portfolio_t", cross)
    row: Row = {"event_id": "", "scope": ALL, "n": len(cross.firms), "reason": test.reason}
    if not cross.firms:
        return row
    row |= {"nobs": min(firm.fit.nobs for firm in cross.firms), "effect": float(cross.car.mean())}
    if not np.isnan(test.statistic):
        row |= {"se": portfolio_se(cross), "t": test.statistic, "df": test.df, "p_value": test.p_value}
    return row


def _firm(firm: FirmStudy, asked: Specification, window: Window) -> Row:
    found = firm.cumulative[window]
    if found.reason or firm.fit is None:
        return _undefined(*firm.key, asked, found.reason)
    numbers = {"effect": found.car, "se": found.se, "t": found.t, "df": found.df, "p_value": found.p_value, "reason": ""}
    named = {"event_id": firm.key[0], "scope": firm.key[1], "benchmark": firm.settings.benchmark}
    return named | {"n": 1, "nobs": firm.fit.nobs} | numbers


def _undefined(event_id: str, symbol: str, asked: Specification, reason: str) -> Row:
    benchmark = asked.firms[symbol].benchmark
    return {"event_id": event_id, "scope": symbol, "benchmark": benchmark, "n": 0, "reason": reason}


def _same_as(table: pd.DataFrame) -> np.ndarray:
    """Return for each row the first specification of its scope with the same numbers; NaN for that one itself."""
    numbers = table[["n", "effect", "se", "df"]].to_numpy(dtype=float)
    found = np.full(len(table), np.nan)
    for places in table.groupby(["event_id", "scope"], sort=False).indices.values():
        firsts: list[int] = []
        for place in places:
            if np.isnan(numbers[place, 1]):
                continue
            close = np.isclose(numbers[firsts], numbers[place], rtol=SAME, atol=SAME, equal_nan=True).all(axis=1)
            if close.any():
                found[place] = table["specification"].iloc[firsts[int(np.argmax(close))]]
            else:
                firsts.append(int(place))
    return found
