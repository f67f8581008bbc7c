"""The table of the cross-sectional regression: CARs on firm characteristics, by group and window."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.characteristics import described_firms
from eventstudy.inference.regression import regress
from eventstudy.study import Computation
from eventstudy.tables import Row, as_table, bounds, whole_numbers


def cross_section_table(study: Computation) -> pd.DataFrame:
    """One row a group, window and term; no rows where the study names no characteristics."""
    rows: list[Row] = []
    plan = study.inputs.plan
    for group in study.groups if plan.regression else ():
        for window in plan.windows.car:
            rows += _terms(study, group, window)
    return whole_numbers(as_table("cross_section", rows), ["df"])


def _terms(study: Computation, group: str, window: tuple[int, int]) -> list[Row]:
    plan = study.inputs.plan
    assert plan.regression is not None
    firms = described_firms(study, group, window)
    columns = plan.regression.columns
    se = np.array([firm.cumulative[window].se for firm, _ in firms])
    found = regress(
        np.array([firm.cumulative[window].car for firm, _ in firms]),
        np.array([values for _, values in firms]).reshape(len(firms), len(columns)),
        columns,
        errors=plan.regression.errors,
        weights=1 / se**2 if plan.regression.weights == "precision" else None,
        clusters=np.array([str(firm.session) for firm, _ in firms]),
        alpha=plan.alpha,
    )
    numbers = (found.coefficient, found.se, found.t, found.p_value, found.ci_low, found.ci_high)
    return [
        {"group": group}
        | bounds(window)
        | {
            "term": term,
            "coefficient": coefficient,
            "se": error,
            "t": t,
            "df": None if np.isnan(found.df) else int(found.df),
            "p_value": p,
            "ci_low": low,
            "ci_high": high,
            "n": found.n,
            "r_squared": found.r_squared,
            "reason": found.reason,
        }
        for term, coefficient, error, t, p, low, high in zip(found.terms, *numbers, strict=True)
    ]
