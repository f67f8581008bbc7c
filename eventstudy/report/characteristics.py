"""The regression of CARs on firm characteristics, as tables and in sentences."""

from __future__ import annotations

import pandas as pd

from eventstudy.characteristics import undescribed_firms
from eventstudy.inference.regression import FEW
from eventstudy.report.effects import groups_apart
from eventstudy.report.language import N_, _, pgettext
from eventstudy.report.numbers import confidence, decimal, p_value, whole, window
from eventstudy.report.subjects import Reading
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished
from eventstudy.report.wording import own_words, said, why

NUMBERS = 6  # coefficient to p
TOO_FEW = N_("no more firms than terms, so nothing is left to judge by")


def regression_tables(reading: Reading) -> list[Table]:
    """Return one table a group of treated firms, one block a window; none where no characteristics are given."""
    found = reading.result.cross_section
    own, _apart = groups_apart(reading)
    return [_table(reading, group, found[found["group"] == group]) for group in own if (found["group"] == group).any()]


def _table(reading: Reading, group: str, found: pd.DataFrame) -> Table:
    columns = (
        Column(_("Term"), False),
        Column(_("Coefficient"), True, _("change of the CAR, as estimated, with one unit of the characteristic")),
        Column(_("s.e.")),
        Column("t"),
        Column(_("df"), True, _("degrees of freedom of t")),
        Column(_("{level} interval", level=confidence(reading.plan.alpha))),
        Column("p", True, _("two-sided")),
        Column("N", True, _("firms in the regression")),
        Column("R²"),
        Column(_("Remarks"), False),
    )
    blocks = []
    for bounds in reading.plan.windows.car:
        rows = found[(found["window_start"] == bounds[0]) & (found["window_end"] == bounds[1])]
        strong = bounds == reading.plan.headline_window
        blocks.append(Block(tuple(_row(row, strong) for _place, row in rows.iterrows()), window(bounds)))
    notes = (
        _(
            "p: t test, two-sided. Null: the coefficient is zero, the CARs being what they are estimated to be. N is the number "
            "of firms with a CAR in the window and a value of every characteristic."
        ),
    )
    caption = _("CARs on firm characteristics: {group}", group=reading.group_name(group))
    anchor = f"cross-section-{list(reading.study.groups).index(group)}"
    return finished(reading, Table(anchor, caption, columns, tuple(blocks), notes))


def _row(row: pd.Series, strong: bool) -> Row:
    term, reason = own_words(str(row["term"])), str(row["reason"])
    tail = (whole(row["n"]), decimal(row["r_squared"]))
    if pd.isna(row["coefficient"]):
        words = _(TOO_FEW) if reason == "too_few_firms" else why(reason)
        return Row(term, (Undefined(words, reason, NUMBERS), *tail, ""), strong)
    span = "" if pd.isna(row["ci_low"]) else _("{low} to {high}", low=_plain(row["ci_low"]), high=_plain(row["ci_high"]))
    numbers = (
        _plain(row["coefficient"]), _plain(row["se"]), decimal(row["t"]), whole(row["df"]), span, p_value(row["p_value"]),
    )  # fmt: skip
    return Row(term, (*numbers, *tail, why(reason)), strong)


def _plain(value: float) -> str:
    """Return a coefficient, whose unit is the user's, to about four digits."""
    size = abs(value)
    return decimal(value, 4 if size >= 0.1 else 6 if size >= 0.001 else 8)


def regression_sentences(reading: Reading) -> list[str]:
    """Return what the regression is and what it cannot say; nothing where no characteristics are given."""
    regression = reading.plan.regression
    if regression is None:
        return []
    names = pgettext("in a list", ", ").join(own_words(name) for name in regression.columns)
    if regression.weights == "precision":
        design = _(
            "Each firm’s CAR is regressed on a constant and on {names}, by least squares, each firm weighing one over the "
            "squared standard error of its CAR.",
            names=names,
        )
    else:
        design = _("Each firm’s CAR is regressed on a constant and on {names}, by least squares.", names=names)
    found = [
        design,
        {
            "HC3": _("The standard errors (HC3) allow firms to differ in the variance of their errors."),
            "HC1": _(
                "The standard errors (HC1) allow firms to differ in the variance of their errors; in small samples they tend "
                "to be too small."
            ),
            "cluster": _(
                "The standard errors allow the errors of firms with one event session to be correlated; firms of different "
                "sessions count as independent, and degrees of freedom are the number of sessions less one."
            ),
        }[regression.errors],
    ]
    sessions = {subject.firm.session for subject in reading.treated}
    if len(sessions) < len(reading.treated) and regression.errors != "cluster":
        shared = _("All firms share an event session") if len(sessions) == 1 else _("Some firms share an event session")
        found.append(
            _(
                "{shared}, so whatever else moved such firms in those days is in several errors at once. Robust standard errors "
                "do not repair that: they take firms as independent, and are likely to be too small.",
                shared=shared,
            )
        )
    if "small_sample" in set(reading.result.cross_section["reason"]):
        found.append(
            _(
                "The sample is small: under {few} firms a characteristic, or under {few} degrees of freedom. Such estimates hang "
                "on single firms.",
                few=FEW,
            )
        )
    found.append(_("A coefficient says which firms fared worse, not why: the characteristics were not assigned by chance."))
    found += [
        _("{firm}: {note}.", firm=subject.name, note=said(note))
        for firm, note in undescribed_firms(reading.study)
        for subject in reading.treated
        if subject.firm.key == firm.key
    ]
    return found
