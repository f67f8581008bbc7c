"""Daily abnormal returns, their averages over firms, and the returns over several sessions."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from eventstudy.report.averages import p_or_censored
from eventstudy.report.language import N_, _
from eventstudy.report.numbers import bounded, decimal, tau, whole
from eventstudy.report.subjects import Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, explained, finished, one_firm_a_line, own_null, source_notes
from eventstudy.report.wording import status_words
from eventstudy.study import UNCONFOUNDED

LIMITS = {"up": N_("limit-up close"), "down": N_("limit-down close")}


def _session_column() -> Column:
    return Column(_("Session"), True, _("session relative to the event session"))


def abnormal_returns(reading: Reading, subject: Subject, anchor: str) -> Table:
    """Return one firm's daily abnormal returns over the event window; nothing is printed for a session without one."""
    unit = reading.scale.unit
    columns = (
        _session_column(), Column(_("Date"), False), Column(_("Status"), False),
        Column(_("Span"), True, _("sessions that the return covers")), Column(_("Return, {unit}", unit=unit)),
        Column(_("Benchmark, {unit}", unit=unit)),
        Column(_("Expected, {unit}", unit=unit)), Column(_("AR, {unit}", unit=unit), True, _("abnormal return")),
        Column(_("s.e.")), Column("t"), Column("p"),
        Column(_("Limit"), False),
    )  # fmt: skip
    table = reading.result.abnormal_returns
    own = table[(table["event_id"] == subject.firm.key[0]) & (table["symbol"] == subject.firm.key[1])]
    rows = tuple(_daily_row(row) for _place, row in own.iterrows())
    caption = _("Abnormal returns of {firm} in the event window", firm=subject.name)
    notes = (_("A span above 1 is the return from the last trade before a suspension; its session bears the whole of it."),)
    shown = (*(notes if (own["span"] > 1).any() else ()), *_censored_note(own), own_null(), one_firm_a_line())
    return finished(reading, Table(anchor, caption, columns, (Block(rows),), (*shown, *source_notes([subject.label]))))


def _daily_row(row: pd.Series) -> Row:
    values = [decimal(100 * row[name], sign=True) for name in ("ret", "mkt", "expected")]
    return Row(
        tau(row["tau"]),
        (
            row["session"], status_words(str(row["status"])), whole(row["span"]), *values, *_tested(row), _limit(row),
        ),
        row["tau"] == 0,
    )  # fmt: skip


def _tested(row: pd.Series) -> tuple[str, ...]:
    """Return abnormal return, standard error, t and p; a close at the price limit makes the first a bound (rule D4)."""
    ar = decimal(100 * row["ar"], sign=True)
    p = p_or_censored(row["p_value"], [row["limit"]]) if ar else ""
    return bounded(ar, row["limit"]) if ar else "", decimal(100 * row["se_ar"]), decimal(row["t"]), p


def _censored_note(table: pd.DataFrame) -> tuple[str, ...]:
    """Say what a censored return is, where there is one."""
    if not (table["limit"] != "").any():
        return ()
    return (
        _(
            "Censored: the session closed at the price limit, so the price was still held back. The abnormal return is a bound "
            "(≤ or ≥), and p is not printed as if exact."
        ),
    )


def _limit(row: pd.Series) -> str:
    words = LIMITS.get(row["limit"], "")
    return _(words)


def average_abnormal_returns(reading: Reading) -> Table:
    """Return the average of the single-session abnormal returns by group, with their number (rule A9)."""
    groups = [group for group in reading.study.groups if group != UNCONFOUNDED]
    pair = (Column("N", True, _("firms with a return over this one session")), Column(_("AAR, {unit}", unit=reading.scale.unit)))
    columns = (_session_column(), *(column for _group in groups for column in pair))
    table = {(row["group"], int(row["tau"])): row for _place, row in reading.result.aar.iterrows()}
    lo, hi = reading.plan.windows.event
    rows = []
    for place in range(lo, hi + 1):
        cells: list[str] = []
        for group in groups:
            row = table[group, place]
            cells += [whole(row["n"]), decimal(100 * row["aar"], sign=True)] if row["n"] else ["0", ""]
        if any(table[group, place]["n"] for group in groups):
            rows.append(Row(tau(place), tuple(cells), place == 0))
    notes = (
        _(
            "Returns over one session only: N is the number of firms with one. Returns over several sessions stand in a "
            "table of their own and enter the CAAR. These averages do not add up to the CAAR where N changes. Sessions on "
            "which no firm has such a return are left out."
        ),
    )
    spans = tuple((reading.group_name(group), 2) for group in groups)
    return explained(Table("aar", _("Average abnormal returns by session"), columns, (Block(tuple(rows)),), notes, spans))


def resumption_returns(reading: Reading, subjects: Sequence[Subject]) -> Table:
    """Return the abnormal returns over several sessions, which no daily average can hold."""
    unit = reading.scale.unit
    columns = (
        Column(_("Firm"), False), Column(_("Resumed"), False), _session_column(),
        Column(_("Span"), True, _("sessions that the return covers")),
        Column(_("AR, {unit}", unit=unit)), Column(_("s.e.")), Column("t"), Column("p"), Column(_("Limit"), False),
    )  # fmt: skip
    table = reading.result.abnormal_returns
    rows, shown = [], []
    for subject in subjects:
        own = table[(table["event_id"] == subject.firm.key[0]) & (table["symbol"] == subject.firm.key[1]) & (table["span"] > 1)]
        shown.append(own)
        for _place, row in own.iterrows():
            cells = (
                row["session"], tau(row["tau"]), whole(row["span"]), *_tested(row), _limit(row),
            )  # fmt: skip
            rows.append(Row(subject.label, cells))
    caption = _("Abnormal returns over several sessions (resumption ARs)")
    notes = (*(_censored_note(pd.concat(shown)) if shown else ()), own_null(), one_firm_a_line())
    return finished(reading, Table("resumption-returns", caption, columns, (Block(tuple(rows)),), notes))
