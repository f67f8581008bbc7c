"""The tables of what was known before: CARs firm by firm, and the tests across firms (rules D11 and 0.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from eventstudy.anticipation import (
    PROBABILITIES,
    Leaked,
    LeakStudies,
    leak_studies,
    leaked_firms,
    mean_total,
    study_before,
    study_unmasked,
    total_effect,
)
from eventstudy.draws import draw_placebos
from eventstudy.group_tables import tests_table
from eventstudy.study import ALL, Computation, FirmStudy
from eventstudy.tables import Row, as_table, bounds, day, whole_numbers
from eventstudy.windows import Window

MASKED, UNMASKED, OWN, BOTH = "as configured", "without masks", "own", "both"


@dataclass(frozen=True)
class Anticipation:
    """A study with its runs on earlier windows, on its leaks, and without its masks; each is made when first asked for."""

    study: Computation

    @cached_property
    def before(self) -> Computation | None:
        """The study on the windows before the event."""
        return study_before(self.study)

    @cached_property
    def unmasked(self) -> Computation | None:
        """The study without its masks."""
        return study_unmasked(self.study)

    @cached_property
    def leaks(self) -> LeakStudies:
        """The leaks as studies of their own."""
        return leak_studies(self.study)

    @cached_property
    def pairs(self) -> list[Leaked]:
        """Every leak with the event it came before."""
        return leaked_firms(self.study, self.leaks)


def anticipation_table(found: Anticipation) -> pd.DataFrame:
    """One row a firm, part and window.

    ``pre_event`` and ``through_event``: sessions before the event, and from there through the headline window.
    ``announcement``: the windows of the study, as configured and without its masks. ``leak``: earlier news over
    its own window. ``total``: leak and headline window together. ``scaled``: the headline CAR over 1 - pi.
    """
    study = found.study
    rows: list[Row] = []
    for firm in study.firms:
        if firm.fit is not None:
            rows += _own_rows(found, firm)
    rows += _leak_rows(found)
    table = as_table("anticipation", rows)
    return whole_numbers(table, ["nobs", "df"])


def _own_rows(found: Anticipation, firm: FirmStudy) -> Iterator[Row]:
    plan = found.study.inputs.plan
    if (earlier := _same(found.before, firm)) is not None:
        for window in earlier.cumulative:
            yield _row(firm, earlier, "pre_event" if window[1] < 0 else "through_event", "", MASKED, window)
    for window in plan.windows.car:
        yield _row(firm, firm, "announcement", "", MASKED, window)
        if (bare := _same(found.unmasked, firm)) is not None:
            yield _row(firm, bare, "announcement", "", UNMASKED, window)
    for probability in PROBABILITIES:
        row = _row(firm, firm, "scaled", f"pi = {probability}", MASKED, plan.headline_window)
        if not row["reason"]:
            row |= {name: row[name] / (1 - probability) for name in ("car", "se_car")} | {"p_value": np.nan}
            row["reason"] = "not_identified"
        yield row


def _same(study: Computation | None, firm: FirmStudy) -> FirmStudy | None:
    """Return a firm of an event as another run has it; None where that run excludes it."""
    return next((other for other in study.firms if other.key == firm.key and other.fit), None) if study else None


def _leak_rows(found: Anticipation) -> Iterator[Row]:
    headline = found.study.inputs.plan.headline_window
    for pair in found.pairs:
        yield _row(pair.firm, pair.leak, "leak", pair.leak.key[0], OWN, pair.leak_window)
        total = total_effect(pair, headline)
        yield _row(pair.firm, pair.firm, "total", pair.leak.key[0], BOTH, headline) | {
            "first_session": _session(pair.leak, pair.leak_window[0]),
            "nobs": None,
            "car": total.car,
            "se_car": total.se,
            "t": total.t,
            "df": None if total.reason else total.df,
            "p_value": total.p_value,
            "reason": total.reason,
        }
    paired = {(pair.leak.key[0], pair.leak.key[1]) for pair in found.pairs}
    missing = [(item.event_id, item.symbol, item.reason) for item in found.leaks.failed]
    missing += [
        (*firm.key, "no_event_after") for study in found.leaks.studies for firm in study.firms if firm.key not in paired
    ]
    for news, symbol, reason in missing:
        yield {"event_id": "", "symbol": symbol, "part": "leak", "news": news, "estimation": OWN, "reason": reason}


def _row(firm: FirmStudy, computed: FirmStudy, part: str, news: str, estimation: str, window: Window) -> Row:
    result = computed.cumulative[window]
    return (
        {"event_id": firm.key[0], "symbol": firm.key[1], "part": part, "news": news, "estimation": estimation}
        | bounds(window)
        | {
            "first_session": _session(computed, window[0]),
            "last_session": _session(computed, window[1]),
            "nobs": computed.fit.nobs if computed.fit else None,
            "car": result.car,
            "se_car": result.se,
            "t": result.t,
            "df": None if result.reason else result.df,
            "p_value": result.p_value,
            "reason": result.reason,
            "short_history": computed.short_history,
        }
    )


def _session(firm: FirmStudy, tau: int) -> str:
    sessions, place = firm.listing.calendar.sessions, firm.day0 + tau
    return day(sessions[place]) if 0 <= place < len(sessions) else ""


def anticipation_tests(found: Anticipation) -> pd.DataFrame:
    """The tests of the study over the windows before the event, over the leaks, and the portfolio t of their total."""
    parts = []
    for part, study in [("", found.before), *(("leak", study) for study in found.leaks.studies)]:
        if study is not None:
            table = tests_table(study, draw_placebos(study)).drop(columns="role", errors="ignore")
            earlier = np.where(table["window_end"] < 0, "pre_event", "through_event")
            parts.append(table.assign(part=part or earlier))
    headline = found.study.inputs.plan.headline_window
    total = mean_total(found.study, found.pairs, headline)
    if total is not None:
        row: Row = {"part": "total", "group": ALL} | bounds(headline) | {"test": "portfolio_t", "null": "sharp"}
        row |= {"statistic": total.t, "df": total.df, "p_value": total.p_value, "n": total.n, "reason": ""}
        parts.append(as_table("anticipation_tests", [row]))
    if not parts:
        return as_table("anticipation_tests", [])
    joined = pd.concat(parts, ignore_index=True)
    first = as_table("anticipation_tests", []).columns
    return whole_numbers(joined[[*first, *(name for name in joined if name not in first)]], ["df"])
