"""Price limits in words: which firms were held back, which window waits for them, other readings of limit closes (rule D4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.limit_tables import limits_known
from eventstudy.report.language import N_, _
from eventstudy.report.numbers import at_tau, bounded, day, listed, percent, size, whole, window
from eventstudy.report.subjects import Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, finished, one_firm_a_line, records
from eventstudy.report.wording import REASONS, sentence, why
from eventstudy.windows import Window

TREATMENTS = {
    "as_traded": Column(N_("As traded"), True, N_("each limit close taken for a price")),
    "spanned": Column(N_("As one return"), True, N_("a run of limit closes and the first close after it as one return")),
    "censored": Column(N_("As bounds"), True, N_("limit closes of the estimation as bounds; needs three or more")),
}


@dataclass(frozen=True)
class Limits:
    """What the page says of price limits."""

    sentences: tuple[str, ...]
    table: Table


def limits(reading: Reading) -> Limits | None:
    """Return what there is to say of price limits; None where the study names none, or no session has come."""
    dated = [subject for subject in reading.subjects if subject.firm.session is not None]
    known = [subject for subject in dated if limits_known(reading.study, subject.firm)]
    if not known:
        return None
    return Limits((*_held(reading, known), *_suggested(reading, known), *_chosen(reading)), treatments(reading))


def _unlocks(reading: Reading) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["event_id"], row["symbol"]): row for row in records(reading.result.unlock)}


def _held(reading: Reading, known: list[Subject]) -> list[str]:
    """Tell which firms began after the event with closes at the limit."""
    table, told = _unlocks(reading), []
    for subject in known:
        row = table[subject.firm.key]
        if not row["first_limit_session"]:
            continue
        first = subject.firm.listing.calendar.position(pd.Timestamp(row["first_limit_session"]).date())
        last = subject.firm.listing.end if pd.isna(row["unlock_tau"]) else subject.firm.day0 + int(row["unlock_tau"]) - 1
        assert first is not None  # a session of the table
        run = int((subject.firm.listing.limit[first : last + 1] != "").sum())
        share = size(subject.firm.settings.price_limit or np.nan, 0)
        if pd.isna(row["unlock_tau"]):
            until = _("and had not closed off it by the end of the prices")
        else:
            off = int(row["unlock_tau"])
            until = _("the first close off it was on {day}, {tau}", day=day(subject.date(off)), tau=at_tau(off))
        told.append(
            _(
                "From {day} on, {firm} closed {count} times in a row at the price limit of {limit} a session; {until}. A window "
                "that ends before then shows only a bound, at most or at least that much, and its p-value is not exact.",
                day=day(subject.date(first - subject.firm.day0)), firm=subject.name, count=run, limit=share, until=until,
            )
        )  # fmt: skip
    return told


def _suggested(reading: Reading, known: list[Subject]) -> list[str]:
    """Tell the window that waits until every firm of the event closed off the limit, and how the headline window compares."""
    table, headline, told = _unlocks(reading), reading.plan.headline_window, []
    by_window: dict[Window, list[str]] = {}
    for subject in known:
        row = table[subject.firm.key]
        if subject.firm.dated.event.role == "treated" and not pd.isna(row["suggested_end"]):
            by_window.setdefault((int(row["suggested_start"]), int(row["suggested_end"])), []).append(subject.name)
    for suggested, names in by_window.items():
        suits = window(suggested)
        if len(by_window) > 1 and len(names) <= 6:
            suits = _("{window} for {firms}", window=suits, firms=listed(names))
        if suggested == headline:
            compare = _("it is the headline window")
        elif headline[1] > suggested[1]:
            compare = _("the headline window {window} ends later", window=window(headline))
        else:
            compare = _("the headline window {window} ends earlier", window=window(headline))
        told.append(
            _(
                "The shortest window that waits until every firm has traded with a close off its limit, plus one session, is "
                "{window}; {compare}.",
                window=suits, compare=compare,
            )
        )  # fmt: skip
    missing = [subject.name for subject in reading.subjects if subject not in known and subject.firm.session is not None]
    if len(missing) <= 6:
        adjusted = [subject.name for subject in reading.subjects if "adjusted_only" in dict(subject.firm.listing.notes)]
        without = [name for name in missing if name not in adjusted]
        noted = [name for name in missing if name in adjusted]
        if without:
            told.append(_("Limit closes of {names} cannot be told: no limit is named.", names=listed(without)))
        if noted:
            told.append(_("Limit closes of {names} cannot be told: see the notes on the data.", names=listed(noted)))
    return told


def _chosen(reading: Reading) -> list[str]:
    if reading.plan.limit_days == "spanned":
        return [
            _(
                "In this study a run of closes at the price limit and the first close after it count as one return over so "
                "many sessions: closes that were held back are not taken for prices."
            )
        ]
    return []


def treatments(reading: Reading) -> Table:
    """Return the effects of firms with limit closes under each treatment of these closes."""
    table, scale, headline = reading.result.limit_days, reading.scale, reading.plan.headline_window
    rows = {
        (row["event_id"], row["symbol"], row["treatment"], row["window_start"], row["window_end"]): row
        for row in records(table)
    }
    shown = [name for name in TREATMENTS if (table["treatment"] == name).any()]
    columns = (Column(_("Window"), False),
    Column(_("Limit closes"), True, _("in the window")), *(_reading(name) for name in shown))
    blocks = []
    for subject in reading.subjects:
        if subject.firm.fit is None or (*subject.firm.key, "as_traded", *headline) not in rows:
            continue
        marks, day0 = subject.firm.listing.limit, subject.firm.day0
        lines = []
        for bounds in reading.plan.windows.car:
            hits = int((marks[max(day0 + bounds[0], 0) : day0 + bounds[1] + 1] != "").sum())
            if not hits and bounds != headline:
                continue
            cells = tuple(_treated(scale.effect, rows.get((*subject.firm.key, name, *bounds))) for name in shown)
            lines.append(Row(window(bounds), (whole(hits), *cells), bounds == headline))
        blocks.append(Block(tuple(lines), subject.label))
    printed = {cell for block in blocks for row in block.rows for cell in row.cells}
    codes = [code for code in REASONS if _("undefined ({code})", code=code) in printed]
    notes = (
        _(
            "The headline window, and every window with a limit close in it; firms without a limit close in the estimation or "
            "the event window have no line. As one return: a run of limit closes and the first close after it, over so many "
            "sessions, in the estimation, too. As bounds: the model is estimated by maximum likelihood with the limit closes of "
            "the estimation as bounds (Tobit), where there are three or more. ≤ and ≥: the window ends on a limit close. "
            "Standard errors and p-values: limit_days.csv."
        ),
        one_firm_a_line(),
        *(sentence(_("Undefined ({code}): {reason}", code=code, reason=why(code))) for code in codes),
    )
    caption = _("Effects under other readings of limit closes")
    return finished(reading, Table("limit-days", caption, columns, tuple(blocks), notes))


def _reading(name: str) -> Column:
    words = TREATMENTS[name]
    return Column(_(words.title), words.numeric, _(words.hint))


def _treated(effect: Callable[[float], float], row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if row["reason"]:
        return _("undefined ({code})", code=row["reason"])
    return bounded(percent(effect(row["car"])), row["censored"])
