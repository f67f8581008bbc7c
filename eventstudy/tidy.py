"""Every estimate of a study in one long table: CARs of firms, then their means by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.group_tables import caar_table, portfolio_se
from eventstudy.inference.registry import run_test
from eventstudy.inference.result import TestResult
from eventstudy.plan import Plan
from eventstudy.student import critical_value
from eventstudy.study import Computation
from eventstudy.tables import cars_table, events_table

COLUMNS = [
    "scope", "group", "event_id", "symbol", "name", "event_session", "window_start", "window_end", "headline", "n", "estimate",
    "std_error", "statistic", "df", "p_value", "p_holm", "ci_low", "ci_high", "test", "status", "reason", "confounded_by",
    "censored",
]  # fmt: skip
MEAN_TEST, SPREAD_TEST = "portfolio_t", "cross_sectional_t"
PLACE = ["window_start", "window_end"]


def tidy_table(study: Computation, means: pd.DataFrame) -> pd.DataFrame:
    """Return CARs and their means in one long table."""
    return tidied(events_table(study), cars_table(study), means, study.inputs.plan)


def tidied(events: pd.DataFrame, cars: pd.DataFrame, groups: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Put firms, from the tables of events and CARs, and groups into one table."""
    table = pd.concat([_of_firms(events, cars), groups])
    table["headline"] = (table["window_start"] == plan.headline_window[0]) & (table["window_end"] == plan.headline_window[1])
    text = ["name", "event_session", "confounded_by", "censored", "event_id", "symbol", "reason"]
    numbers = dict.fromkeys(("estimate", "std_error", "statistic", "df", "p_value", "p_holm", "ci_low", "ci_high"), float)
    return table.fillna(dict.fromkeys(text, "")).astype(numbers | {"n": int})[COLUMNS].reset_index(drop=True)


def _of_firms(events: pd.DataFrame, cars: pd.DataFrame) -> pd.DataFrame:
    keys = ["event_id", "symbol"]
    named = cars.merge(events[[*keys, "name", "group", "event_session"]], on=keys, how="left", validate="many_to_one")
    renamed = named.rename(columns={"car": "estimate", "se_car": "std_error", "t": "statistic"})
    return renamed.assign(scope="firm", n=renamed["estimate"].notna().astype(int), test="t")


def means_table(study: Computation) -> pd.DataFrame:
    """Return the means of the groups; each has the error of its portfolio t, where the study runs that."""
    plan = study.inputs.plan
    rows = []
    for row in caar_table(study).to_dict("records"):
        cross = study.cross_section(row["group"], (row["window_start"], row["window_end"]))
        found = run_test(MEAN_TEST, cross) if MEAN_TEST in plan.tests else TestResult("", "sharp", row["n"])
        se = portfolio_se(cross) if np.isfinite(found.statistic) else np.nan
        if np.isnan(found.statistic) and found.name and SPREAD_TEST in plan.tests:
            found = run_test(SPREAD_TEST, cross)
            se = abs(row["caar"] / found.statistic)
        rows.append(mean_row({str(key): value for key, value in row.items()}, found, se, plan.alpha))
    return pd.DataFrame(rows)


def mean_row(row: Mapping[str, Any], found: TestResult, se: float, alpha: float) -> dict[str, Any]:
    """Return the row of a group's mean.

    Parameters
    ----------
    row : mapping
        Of the table `caar`.
    found : TestResult
        The test of the mean; without a name where the study does not run it.
    se : float
        Standard error of the mean.
    """
    reach = float(critical_value(alpha, found.df)) * se
    return {key: row[key] for key in ("group", *PLACE, "n")} | {
        "scope": "group",
        "estimate": row["caar"],
        "std_error": se,
        "statistic": found.statistic,
        "df": found.df,
        "p_value": found.p_value,
        "ci_low": row["caar"] - reach,
        "ci_high": row["caar"] + reach,
        "test": found.name,
        "status": "ok" if row["n"] else "undefined",
        "reason": found.reason if row["n"] else "no_firms",
    }
