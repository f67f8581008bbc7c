"""The table of diagnostics: one fact a row, with a code where it points at something."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from eventstudy.fit_checks import Diagnostic, fit_diagnostics
from eventstudy.study import Computation, FirmStudy
from eventstudy.tables import as_table, keys_of
from eventstudy.trading import SUSPENDED

ENOUGH_LIMIT_DAYS = 3  # rule D4: from so many on a censored regression can be estimated


def diagnostics_table(study: Computation) -> pd.DataFrame:
    """One row a fit and diagnostic: statistic, p-value where it is a test, and the code of what it points at."""
    rows = []
    for firm in study.firms:
        if firm.fit is None:
            continue
        found = fit_diagnostics(firm.fit, firm.rows, firm.listing.calendar, firm.day0, study.inputs.plan.headline_window)
        for item in [*found, *_trading(study, firm), *_news(study, firm)]:
            rows.append(
                keys_of(firm)
                | {"diagnostic": item.name, "statistic": item.statistic, "p_value": item.p_value, "flag": item.flag}
            )
    return as_table("diagnostics", rows)


def _estimation(study: Computation, firm: FirmStudy) -> np.ndarray:
    """Return the sessions of the estimation window that the data cover and no mask hides."""
    lo, hi = (firm.day0 + end for end in study.inputs.plan.windows.estimation)
    places = np.arange(max(lo, 0), min(hi, firm.listing.end) + 1)
    return np.extract(~firm.masked[places], places)


def _trading(study: Computation, firm: FirmStudy) -> Iterator[Diagnostic]:
    """Yield suspended and zero-volume sessions and limit closes of the estimation window (rules D4 and D6)."""
    places = _estimation(study, firm)
    suspended = firm.listing.status[places] == SUSPENDED
    yield Diagnostic("suspended_share", float(suspended.mean()))
    volume = study.inputs.series[firm.key[1]].frame["volume"].reindex(firm.listing.calendar.sessions[places])
    known = volume.notna().to_numpy()
    yield Diagnostic("zero_volume_share", float((volume[known] == 0).mean()) if known.any() else np.nan)
    limits = int((firm.listing.limit[places] != "").sum()) if firm.settings.price_limit else np.nan
    yield Diagnostic("limit_closes", float(limits), flag="limit_closes" if limits >= ENOUGH_LIMIT_DAYS else "")


def _news(study: Computation, firm: FirmStudy) -> Iterator[Diagnostic]:
    """Yield the firm's other news in or right beside the headline window (rule D7)."""
    lo, hi = study.inputs.plan.headline_window
    near = [tau for tau, _ in firm.confounders if lo - 1 <= tau <= hi + 1]
    yield Diagnostic("other_news", float(len(near)), flag="other_news" if near else "")
