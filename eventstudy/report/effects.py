"""Tables of effects: CARs by firm and window, averages by group, clean windows, detectable effects."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from eventstudy.report.averages import average_effect, p_or_censored
from eventstudy.report.language import _
from eventstudy.report.numbers import at_tau, bounded, confidence, day, decimal, interval, joined, percent, whole, window
from eventstudy.report.subjects import Effect, FirmName, Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished, one_firm_a_line, own_null
from eventstudy.report.wording import own_words, sentence, why
from eventstudy.study import ALL, UNCONFOUNDED
from eventstudy.windows import Window, length

CAR_CELLS = 9  # numbers of a CAR row, before the remarks


def cars(reading: Reading, subjects: Sequence[Subject], anchor: str, caption: str, windows: Sequence[Window]) -> Table:
    """Return the CARs of some firms, one block a firm and one row a window."""
    level, unit = confidence(reading.plan.alpha), reading.scale.unit
    columns = (
        Column(_("Window"), False, _("sessions relative to the event session, both ends included")),
        Column(_("Sessions"), True, _("sessions in the window")),
        Column(_("Effect"), True, _("CAR read as a change in value")),
        Column(_("{level} interval", level=level)),
        Column(_("CAR, {unit}", unit=unit), True, _("cumulative abnormal return as estimated")),
        Column(_("s.e."), True, _("standard error of the CAR, {unit}", unit=unit)),
        Column("t"),
        Column(_("df"), True, _("degrees of freedom of t")),
        Column("p"),
        Column(_("Holm p"), True, _("adjusted for the firms with a CAR in the window")),
        Column(_("Remarks"), False),
    )
    blocks = [Block(tuple(_car_row(reading, subject, bounds) for bounds in windows), subject.label) for subject in subjects]
    effects = [effect for subject in subjects for bounds in windows if (effect := subject.effect(bounds)) is not None]
    notes = [
        _(
            "CAR: cumulative abnormal return, the sum of what the share returned beyond what the model led one to expect; s.e.: "
            "its standard error, in {unit}; t: CAR over s.e.; df: degrees of freedom of t.",
            unit=unit,
        ),
        _(
            "p: t test, two-sided. Null: the CAR is zero and the event changed nothing, errors normal (sharp null). Holm p: "
            "the same p, adjusted for all firms with a CAR in the window, not for the number of windows."
        ),
        one_firm_a_line(),
    ]
    if any(effect.censored for effect in effects):
        notes.append(
            _(
                "Censored: the window ends on a close at the price limit, so the price was still held back. The effect is a "
                "bound (≤ or ≥), the interval that of the bound, and p is not printed as if exact."
            )
        )
    return finished(reading, Table(anchor, caption, columns, tuple(blocks), tuple(notes)))


def _car_row(reading: Reading, subject: Subject, bounds: Window) -> Row:
    found, effect = subject.cumulative(bounds), subject.effect(bounds)
    strong = bounds == reading.plan.headline_window
    news = subject.firm.confounded_by(bounds)
    remark = _("other news: {news}", news=own_words(news)) if news else ""
    if effect is None:
        words, complete = why(found.reason), subject.firm.complete_on(bounds)
        if complete is not None:
            words = joined((words, _("complete after the session of {day}", day=day(complete))))
        gap = Undefined(words, found.reason, CAR_CELLS - 1)
        return Row(window(bounds), (whole(length(bounds)), gap, remark), strong)
    remark = joined(part for part in (held_back(effect), remark) if part)
    adjusted = float(reading.adjusted[subject.firm.key, bounds])
    return Row(
        window(bounds),
        (
            whole(length(bounds)), bounded(percent(effect.value), effect.censored), interval(effect.low, effect.high),
            decimal(100 * found.car, sign=True), decimal(100 * found.se), decimal(found.t), whole(found.df),
            *(p_or_censored(value, [effect.censored]) for value in (found.p_value, adjusted)), remark,
        ),
        strong,
    )  # fmt: skip


def held_back(effect: Effect) -> str:
    """Return that a window ends on a close at the price limit; empty where it does not."""
    words = {"down": _("limit-down close at the end"), "up": _("limit-up close at the end")}
    return words.get(effect.censored, "")


def averages(reading: Reading, groups: Sequence[str], anchor: str, caption: str) -> Table:
    """Return the average effect by group and window, with and without the confounded firms."""
    columns = (
        Column(_("Window"), False),
        Column("N", True, _("firms with a CAR in the window")),
        Column(_("CAAR"), True, _("mean CAR, read as a change in value")),
        Column(_(
            "{level} interval",
            level=confidence(reading.plan.alpha),
        ), True, _("of the portfolio t, with the full covariance across firms")),
        Column(_("Median")),
        Column(_("Negative"), True, _("firms with a negative CAR")),
        Column(_("Remarks"), False),
    )
    blocks = []
    for group in groups:
        rows = []
        for bounds in reading.plan.windows.car:
            mean = average_effect(reading, group, bounds)
            strong = bounds == reading.plan.headline_window
            if mean is None:
                rows.append(Row(window(bounds), ("0", Undefined(why("no_firms"), "no_firms", 4), ""), strong))
                continue
            cells = (
                whole(mean.n), bounded(percent(mean.value), mean.limit), interval(mean.low, mean.high),
                bounded(percent(mean.median), mean.limit),
                _("{part} of {whole}", part=mean.negative, whole=mean.n), _held_back(reading, group, bounds),
            )  # fmt: skip
            rows.append(Row(window(bounds), cells, strong))
        blocks.append(Block(tuple(rows), reading.group_name(group)))
    notes = (
        _(
            "CAAR is the mean of the complete CARs of the window, not a sum of daily averages. A window has only the firms "
            "whose CAR is defined there, so N, and which firms are counted, can change from row to row."
        ),
    )
    return finished(reading, Table(anchor, caption, columns, tuple(blocks), notes))


def _held_back(reading: Reading, group: str, bounds: Window) -> str:
    """Count the firms whose window ends on a close at the price limit (rule D4)."""
    held = sum(limit != "" for limit in reading.study.cross_section(group, bounds).limits)
    return _("{count} censored by a limit close", count=held) if held else ""


def groups_apart(reading: Reading) -> tuple[list[str], list[str]]:
    """Return the groups of treated firms, and those of variants and placebo firms."""
    own: list[str] = []
    apart: list[str] = []
    for group, members in reading.study.groups.items():
        treated = all(firm.dated.event.role == "treated" for firm in members)
        (own if group in (ALL, UNCONFOUNDED) or treated else apart).append(group)
    return own, apart


def clean_windows(reading: Reading) -> Table:
    """Return each firm's effect up to the session before its first other news after the event (rule D14)."""
    columns = (
        Column(_("Firm"), False), Column(_("First other news"), False), Column(_("Session")), Column(_("Clean window")),
        Column(_("Effect")), Column(_("{level} interval", level=confidence(reading.plan.alpha))), Column("p"),
    )  # fmt: skip
    rows = []
    for subject in reading.subjects:
        clean = subject.clean_window()
        if clean is None:
            continue
        tau, label = next(item for item in subject.firm.confounders if item[0] >= 0)
        head = (own_words(label), at_tau(tau))
        stop = min(clean[1], reading.plan.windows.event[1])
        found = subject.sum_over((0, stop)) if stop >= 0 else None
        if found is None:
            rows.append(Row(subject.label, (*head, Undefined(_("no session after the event is free of it"), "confounded", 4))))
        elif found.reason:
            gap = Undefined(why(found.reason), found.reason, 3)
            rows.append(Row(subject.label, (*head, window((0, stop)), gap)))
        else:
            effect = reading.scale.effect
            span = interval(effect(found.ci_low), effect(found.ci_high))
            held = subject.limit(stop)
            p = p_or_censored(found.p_value, [held])
            cells = (window((0, stop)), bounded(percent(effect(found.car)), held), span, p)
            rows.append(Row(subject.label, (*head, *cells)))
    notes = (_(
        "The clean window runs from the event session to the session before the first other news; within the event window."
    ), own_null(), one_firm_a_line())
    caption = _("Each firm up to its first other news after the event")
    return finished(reading, Table("clean-windows", caption, columns, (Block(tuple(rows)),), notes))


def detectable(reading: Reading) -> Table:
    """Return the smallest fall that the design finds with probability 0.8 (rule D12)."""
    table, windows = reading.result.detectable, reading.plan.windows.car
    by_scope = {
        (scope, (int(lo), int(hi))): value
        for scope, lo, hi, value in zip(table["scope"], table["window_start"], table["window_end"], table["effect"], strict=True)
    }
    columns = (Column(_("Firm or group"), False), *(Column(window(bounds)) for bounds in windows))

    def row(head: str | FirmName, scope: str) -> Row:
        values = [by_scope.get((scope, bounds), float("nan")) for bounds in windows]
        return Row(head, tuple(percent(reading.scale.effect(-value)) if not pd.isna(value) else "" for value in values))

    firms = () if reading.many else tuple(row(subject.label, ", ".join(subject.firm.key)) for subject in reading.subjects)
    own, apart = groups_apart(reading)
    groups = tuple(row(reading.group_name(group), group) for group in own + apart)
    notes = [
        _(
            "Two-sided test at the {level} level; averages by the standard error of the portfolio t. Empty: undefined in "
            "that window.",
            level=f"{100 * reading.plan.alpha:g}%",
        ),
        _("N = 1 in the lines of firms; in those of averages it is the number of firms with a CAR in the window."),
    ]
    if reading.scale.kind == "log":
        notes.append(
            _("The smallest rise is a little larger in per cent than the fall: 1 / (1 + x) − 1, with x as printed, below zero.")
        )
    caption = _("Smallest fall found with probability 0.8, by window")
    blocks = tuple(block for block in (Block(firms, _("Firms")), Block(groups, _("Averages"))) if block.rows)
    shown = tuple(sentence(note) for note in notes)
    return finished(reading, Table("detectable-effects", caption, columns, blocks, shown))
