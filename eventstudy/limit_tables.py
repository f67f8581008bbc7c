"""Price limits: up to which session a firm's price was held back, and CARs that take limit closes otherwise (rule D4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.abnormal import CumulativeReturn, cumulate
from eventstudy.censoring import censored_fit
from eventstudy.errors import DataError
from eventstudy.models import Fit
from eventstudy.returns import Rows, trade_rows
from eventstudy.study import Computation, FirmStudy
from eventstudy.tables import Row, as_table, bounds, day, keys_of, whole_numbers
from eventstudy.trading import Listing


def unlock_table(study: Computation) -> pd.DataFrame:
    """One row a firm with a known price limit: its first close off the limit, and the window that waits for all firms.

    The suggested window ends one session after the last firm of the event closed off the limit.
    """
    known = [firm for firm in study.firms if firm.session is not None and limits_known(study, firm)]
    unlocks = {firm.key: _unlock(firm) for firm in known}
    rows = []
    for firm in known:
        first, unlock = unlocks[firm.key]
        waited = [unlocks[other.key][1] for other in known if other.key[0] == firm.key[0]]
        sessions = firm.listing.calendar.sessions
        rows.append(
            keys_of(firm)
            | {
                "first_limit_session": "" if first is None else day(sessions[first]),
                "unlock_session": "" if unlock is None else day(sessions[unlock]),
                "unlock_tau": None if unlock is None else unlock - firm.day0,
                "suggested_start": None if None in waited else 0,
                "suggested_end": None if None in waited else max(place for place in waited if place is not None) - firm.day0 + 1,
            }
        )
    return whole_numbers(as_table("unlock", rows), ["unlock_tau", "suggested_start", "suggested_end"])


def limits_known(study: Computation, firm: FirmStudy) -> bool:
    """Tell whether closes at the price limit can be told: a limit is named, and unadjusted closes are recorded."""
    return bool(firm.settings.price_limit) and bool(study.inputs.series[firm.key[1]].frame["close"].notna().any())


def _unlock(firm: FirmStudy) -> tuple[int | None, int | None]:
    """Return the first limit close of the run that the event begins with, and the first trade off the limit."""
    listing, first = firm.listing, None
    for place in range(firm.day0, listing.end + 1):
        if not np.isfinite(listing.level[place]):
            continue
        if listing.limit[place] == "":
            return first, place
        first = place if first is None else first
    return first, None


def limit_days_table(study: Computation) -> pd.DataFrame:
    """One row a treatment of limit days, firm and window, for firms with limit closes.

    ``as_traded`` takes each limit close for a price; ``spanned`` makes one return of a run of them and the
    first close after it; ``censored`` takes those of the estimation as bounds, where there are three or more.
    """
    plan, rows = study.inputs.plan, []
    for firm in study.firms:
        if firm.fit is None or not _near_limits(study, firm):
            continue
        for treatment, fit, listing, own in _treatments(study, firm, firm.fit):
            for window in plan.windows.car:
                found = cumulate(fit, listing, own, firm.day0, window, plan.alpha)
                rows.append(keys_of(firm) | {"treatment": treatment} | bounds(window) | _numbers(firm, found))
    return whole_numbers(as_table("limit_days", rows), ["df"])


def _near_limits(study: Computation, firm: FirmStudy) -> bool:
    lo, hi = study.inputs.plan.windows.estimation[0], study.inputs.plan.windows.event[1]
    return bool((firm.listing.limit[max(firm.day0 + lo, 0) : firm.day0 + hi + 1] != "").any())


def _treatments(study: Computation, firm: FirmStudy, fit: Fit) -> Iterator[tuple[str, Fit, Listing, Rows]]:
    plan = study.inputs.plan
    first, last = (firm.day0 + end for end in plan.windows.estimation)
    for treatment in ("as_traded", "spanned"):
        if treatment == "spanned" and plan.suspensions != "trade-to-trade":
            continue
        listing = replace(firm.listing, spans_limits=treatment == "spanned")
        rows = trade_rows(listing, plan.suspensions, plan.returns)
        sample = rows.inside(first, min(last, listing.end)).without(firm.masked)
        if len(sample) < plan.windows.min_observations:
            continue
        try:
            again = fit.model.fit(sample)
            yield treatment, again, listing, rows
            if treatment == "as_traded":
                yield "censored", censored_fit(again, listing.limit[again.rows.end]), listing, rows
        except DataError:
            continue


def _numbers(firm: FirmStudy, found: CumulativeReturn) -> Row:
    undefined = bool(found.reason)
    return {
        "car": found.car,
        "se_car": found.se,
        "t": found.t,
        "df": None if undefined else found.df,
        "p_value": found.p_value,
        "censored": "" if undefined else firm.listing.limit[firm.day0 + found.window[1]],
        "reason": found.reason,
    }
