"""The section on robustness: the study under other choices, in sentences, one figure and two tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from markupsafe import Markup

from eventstudy.report.averages import p_or_censored, unlike_reactions
from eventstudy.report.curve import curve_figure
from eventstudy.report.language import _, pgettext
from eventstudy.report.numbers import (
    confidence,
    decimal,
    interval,
    joined,
    listed,
    ordinal,
    percent,
    running,
    whole,
    window,
)
from eventstudy.report.specifications import Curve, Dimension, curve, dimensions
from eventstudy.report.subjects import Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished, one_firm_a_line
from eventstudy.report.wording import LEFT_IN, why
from eventstudy.robustness import OTHER_FIRMS
from eventstudy.windows import Window

PART, SHARED = 6, 4  # columns of one specification, and of all with one choice
MOST_FIRMS = 12


@dataclass(frozen=True)
class Robustness:
    """What the section shows; no figure where no specification has an effect or none differs."""

    sentences: tuple[str, ...]
    figure: Markup | None
    caption: tuple[str, ...]
    firms: Table
    choices: Table


def robustness(reading: Reading) -> Robustness | None:
    """Return the section on the study under other choices; None where the config asks for none."""
    if reading.result.robustness.empty:
        return None
    mean = curve(reading)
    choices = dimensions(reading, mean.rows)
    shown = tuple(choice for choice in choices if len(_values_left(mean, choice)) > 1)
    drawn = tuple(replace(choice, values=_values_left(mean, choice)) for choice in shown)
    own = {subject.firm.key: curve(reading, subject.firm.key[1], subject.firm.key[0]) for subject in _listed_firms(reading)}
    told = [*design(mean, choices, reading), *counted(mean, choices)]
    headline = reading.plan.headline_window
    figure = None
    if mean.outcomes:
        told += [*_by_firm(reading, own), *found(mean, reading.plan.alpha), *moved(mean, drawn)]
        if drawn:
            figure = curve_figure(mean, drawn, headline, curve_label(mean, reading.plan.alpha))
    return Robustness(tuple(told), figure, _caption(reading), _firms(reading, own), choices_table(reading, mean, choices))


def _listed_firms(reading: Reading) -> tuple[Subject, ...]:
    return reading.treated if len(reading.treated) <= MOST_FIRMS else ()


def _values_left(mean: Curve, choice: Dimension) -> tuple[str, ...]:
    """Return the values of a choice with which some specification is comparable."""
    left = {label for label, there in zip(choice.labels, mean.comparable, strict=True) if there}
    return tuple(value for value in choice.values if value in left)


def design(mean: Curve, choices: Sequence[Dimension], reading: Reading) -> list[str]:
    """Tell which specifications were computed."""
    if choices:
        first = _(
            "The study was computed under {count} specifications, every combination of {choices}.",
            count=len(mean.rows), choices=listed(choice.several for choice in choices),
        )  # fmt: skip
    else:
        first = _("The study was computed under {count} specifications.", count=len(mean.rows))
    own = _(
        "The headline specification, the study’s own over {window}, is one of them.", window=window(reading.plan.headline_window)
    )
    return [running((first, own))]


def counted(mean: Curve, choices: Sequence[Dimension]) -> list[str]:
    """Tell which specifications do not count, and why."""
    told = []
    missing = mean.rows["effect"].isna()
    if missing.any():
        codes = dict.fromkeys(mean.rows.loc[missing, "reason"])
        reasons = listed(why(code) for code in codes)
        told.append(_("{count} of them have no effect: {reasons}.", count=mean.undefined, reasons=reasons))
    if mean.apart:
        apart = (mean.rows["effect"].notna() & (mean.rows["reason"] == OTHER_FIRMS)).to_numpy()
        count = str(mean.apart)
        for choice, value in _sole_values(choices, apart)[:1]:
            count = _("{count} (those with {choice}: {value})", count=mean.apart, choice=choice.inside, value=value)
        told.append(
            _(
                "In {count} the mean is over other firms than the headline’s, since not every firm has a CAR there: they answer "
                "another question and are left out of what follows.",
                count=count,
            )
        )
    left, distinct = int(mean.comparable.sum()), len(mean.outcomes)
    if left > distinct:
        told.append(
            _(
                "Of the {count} comparable ones, {same} give the same numbers as another, because a choice plays no part there; "
                "each result is counted once, which leaves {distinct}.",
                count=left, same=left - distinct, distinct=distinct,
            )
        )  # fmt: skip
    return told


def _sole_values(choices: Sequence[Dimension], marked: np.ndarray) -> list[tuple[Dimension, str]]:
    """Return the choices and values that exactly the marked specifications have."""
    return [
        (choice, value)
        for choice in choices
        for value in choice.values
        if (np.array([label == value for label in choice.labels]) == marked).all()
    ]


def found(mean: Curve, alpha: float) -> list[str]:
    """Tell range, sign, intervals and the headline's place."""
    count, values = len(mean.outcomes), mean.values
    told = [
        _(
            "Over the {count} distinct results the average effect runs from {lowest} to {highest}, with a median of {median}.",
            count=count, lowest=percent(values[0], 1), highest=percent(values[-1], 1),
            median=percent(float(np.median(values)), 1),
        ),
        _signs(mean),
        _(
            "The {level} interval lies on one side of zero in {share}.",
            level=confidence(alpha), share=_share(mean.excluding_zero, count),
        ),
    ]  # fmt: skip
    if mean.rank is not None:
        effect = percent(values[mean.rank - 1], 1)
        told.append(
            _("The headline, {effect}, is the only one.", effect=effect) if count == 1
            else _("The headline, {effect}, is the {place} lowest.", effect=effect, place=ordinal(mean.rank))
        )  # fmt: skip
    return [running(told)]


def _signs(mean: Curve) -> str:
    count, falls = len(mean.outcomes), mean.falls
    if falls == count:
        return _("All {count} are falls.", count=count)
    if falls:
        return _("Falls are {share}.", share=_share(falls, count))
    return _("Not one of the {count} is a fall.", count=count)


def _share(part: int, whole_count: int) -> str:
    share = f"{decimal(100 * part / whole_count, 0)}%"
    return _("{part} of {whole} ({share})", part=part, whole=whole_count, share=share)


def _by_firm(reading: Reading, curves: dict[tuple[str, str], Curve]) -> list[str]:
    """Tell each firm's range first: an average of unlike reactions does not lead (rule D13)."""
    parts = [
        _(
            "{firm} from {lowest} to {highest} (a fall in {falls} of {count})",
            firm=subject.name, lowest=percent(own.values[0], 1), highest=percent(own.values[-1], 1),
            falls=_falls(own), count=len(own.outcomes),
        )
        for subject in reading.treated
        if (own := curves.get(subject.firm.key)) is not None and own.outcomes
    ]  # fmt: skip
    if len(parts) < 2 or reading.many:
        return []
    unlike = unlike_reactions(reading, reading.plan.headline_window) is not None
    told = _("Firm by firm, the effect runs as follows: {firms}.", firms=listed(parts, whole_clauses=True))
    caution = _("Their reactions differ, so the average below is one of unlike effects.") if unlike else ""
    return [running((told, caution))]


def _falls(own: Curve) -> str:
    if own.falls == len(own.outcomes):
        return pgettext("of the results", "all")
    return str(own.falls) if own.falls else pgettext("of the results", "none")


def moved(mean: Curve, choices: Sequence[Dimension]) -> list[str]:
    """Tell which choice moves the median most, and which come after it."""
    ranges = []
    for place, choice in enumerate(choices):
        medians = [
            (spread.median, value)
            for value in choice.values
            if (spread := mean.spread(np.array([label == value for label in choice.labels]))) is not None
        ]
        ranges.append((min(medians)[0] - max(medians)[0], place, choice.inside, min(medians), max(medians)))
    if not ranges:
        return []
    (_fall, _place, name, low, high), *others = sorted(ranges)
    told = _(
        "What moves the result most is the choice of {choice}: over all comparable specifications with it, the median effect is "
        "{low} for {low_value} and {high} for {high_value}.",
        choice=name, low=percent(low[0], 1), low_value=low[1], high=percent(high[0], 1), high_value=high[1],
    )  # fmt: skip
    rest = joined(
        _moved_by(name, low, high)
        for *_place, name, low, high in others
    )  # fmt: skip
    return [running((told, _("Then come {choices}.", choices=rest) if rest else ""))]


def _moved_by(name: str, low: tuple[float, str], high: tuple[float, str]) -> str:
    ends = percent(low[0], 1), percent(high[0], 1)
    if ends[0] == ends[1]:
        return _("{choice}, without a difference at one decimal", choice=name)
    return _(
        "{choice}, {low} ({low_value}) to {high} ({high_value})",
        choice=name, low=ends[0], low_value=low[1], high=ends[1], high_value=high[1],
    )  # fmt: skip


def curve_label(mean: Curve, alpha: float) -> str:
    """Return what the figure shows, in a sentence or two."""
    count, values = len(mean.outcomes), mean.values
    if mean.rank is None:
        place = _("The headline has no value.")
    else:
        effect = percent(values[mean.rank - 1], 1)
        place = _("The headline, {effect}, is the {place} lowest.", effect=effect, place=ordinal(mean.rank))
    return running(
        (
            _(
                "Specification curve of the average effect: {count} distinct results of {all} specifications, from {lowest} to "
                "{highest}.",
                count=count, all=len(mean.rows), lowest=percent(values[0], 1), highest=percent(values[-1], 1),
            ),
            _signs(mean),
            _(
                "The {level} interval excludes zero in {share}.",
                level=confidence(alpha), share=_share(mean.excluding_zero, count),
            ),
            place,
        )
    )  # fmt: skip


def _caption(reading: Reading) -> tuple[str, ...]:
    level = confidence(reading.plan.alpha)
    return (
        _(
            "Average effect of the treated firms under every specification, lowest first, with its {level} interval "
            "(portfolio t); blue where the interval lies on one side of zero, ochre elsewhere; the red line marks the "
            "headline. Below, the choices behind each result; a result that several specifications give has a mark for each "
            "of their choices.",
            level=level,
        ),
    )


def _firms(reading: Reading, curves: dict[tuple[str, str], Curve]) -> Table:
    """Return one row a treated firm: its headline and its distinct results."""
    level = confidence(reading.plan.alpha)
    columns = (
        Column(_("Firm"), False), Column(_("Headline")), Column(_("{level} interval", level=level)),
        Column(_("With effect"), True, _("specifications in which the firm has a CAR")),
        Column(_("Distinct"), True, _("distinct results")),
        Column(_("Lowest")), Column(_("Median")), Column(_("Highest")),
        Column(_("Falls"), True, _("distinct results below zero")),
        Column(_("One side"), True, _(
            "distinct results whose {level} interval lies on one side of zero",
            level=level,
        )), Column(_("Remarks"), False),
    )  # fmt: skip
    rows = []
    for subject in _listed_firms(reading):
        own = curves[subject.firm.key]
        if not own.outcomes:
            codes = dict.fromkeys(own.rows["reason"])
            gap = Undefined(listed(why(code) for code in codes), next(iter(codes)), 9)
            rows.append(Row(subject.label, (gap, "")))
            continue
        head = own.rows.iloc[0]
        cells = (
            percent(head["value"]), interval(head["low"], head["high"]),
            whole(int(own.comparable.sum())), whole(len(own.outcomes)),
            *(percent(float(value)) for value in (own.values[0], np.median(own.values), own.values[-1])),
            whole(own.falls), whole(own.excluding_zero), "",
        )  # fmt: skip
        rows.append(Row(subject.label, cells))
    caption = _("Each treated firm over all specifications")
    notes = (
        _("Effects read as changes in value. Interval of a single firm by t; not adjusted for the number of firms."),
        one_firm_a_line(),
    )
    return finished(reading, Table("robustness-firms", caption, columns, (Block(tuple(rows)),), notes))


def choices_table(reading: Reading, mean: Curve, choices: Sequence[Dimension]) -> Table:
    """Return the headline, and for every value of every choice the headline so changed and all specifications with it."""
    level = confidence(reading.plan.alpha)
    columns = (
        Column(_("Choice"), False), Column("N", True, _("firms with a CAR")),
        Column(_("CAAR"), True, _("mean CAR, read as a change in value")), Column(_("{level} interval", level=level)),
        Column("t", True, _("portfolio t")), Column(_("df")), Column("p"),
        Column(pgettext("how many", "Number"), True, _("comparable specifications with this choice, repeated results included")),
        Column(_("Lowest")),
        Column(_("Median")), Column(_("Highest")), Column(_("Remarks"), False),
    )  # fmt: skip
    blocks = [Block((_choice_row(reading, mean, 0, None, _("Headline")),))]
    for choice in choices:
        rows = []
        for value in choice.values:
            marked = np.array([label == value for label in choice.labels])
            rows.append(_choice_row(reading, mean, _single_change(choices, choice, value), marked, value))
        blocks.append(Block(tuple(rows), choice.name))
    notes = (
        _(
            "Left: the headline with this one choice changed, all else as in the study. t and p: portfolio t, two-sided; null: "
            "the event changed nothing (sharp null), errors normal. Right: all comparable specifications with this choice. "
            "Lifted out: the study’s own choice. What is remarked on the headline holds for every line over its window. All "
            "specifications, with each firm’s, stand in tables/robustness.csv."
        ),
    )
    spans = ((_("Headline with this one change"), PART), (_("All specifications with this choice"), SHARED))
    caption = _("The headline with one choice changed at a time, and what each choice moves")
    return finished(reading, Table("robustness-choices", caption, columns, tuple(blocks), notes, spans))


def _single_change(choices: Sequence[Dimension], changed: Dimension, value: str) -> int:
    """Return the place of the specification that differs from the first in one choice only."""
    return next(
        place
        for place, label in enumerate(changed.labels)
        if label == value and all(other is changed or other.labels[place] == other.labels[0] for other in choices)
    )


def _choice_row(reading: Reading, mean: Curve, place: int, marked: np.ndarray | None, head: str) -> Row:
    row, strong = mean.rows.iloc[place], place == 0
    shared: tuple[str, ...] = ("",) * SHARED
    if marked is not None:
        spread = mean.spread(marked)
        shared = ("0", "", "", "") if spread is None else (
            whole(spread.count), percent(spread.low), percent(spread.median), percent(spread.high)
        )  # fmt: skip
    code = str(row["reason"])
    if np.isnan(row["value"]):
        return Row(head, (whole(row["n"]), Undefined(why(code), code, PART - 1), *shared, ""), strong)
    bounds = int(row["window_start"]), int(row["window_end"])
    cells = (
        whole(row["n"]), percent(row["value"]), interval(row["low"], row["high"]),
        decimal(row["t"]), whole(row["df"]), p_or_censored(row["p_value"], _limits(reading, bounds)),
    )  # fmt: skip
    return Row(head, (*cells, *shared, _remark(reading, mean.rows, place)), strong)


def _remark(reading: Reading, rows: pd.DataFrame, place: int) -> str:
    """Return what the row differs in from the headline beyond its numbers: other firms, what the model leaves in, the window."""
    row, own = rows.iloc[place], rows.iloc[0]
    code, model = str(row["reason"]), str(row["model"])
    parts = [why(code)] if code else []
    if model != own["model"] and model in LEFT_IN:
        parts.append(_(LEFT_IN[model]))
    bounds = int(row["window_start"]), int(row["window_end"])
    if place == 0 or bounds != reading.plan.headline_window:
        parts += _doubts_of_window(reading, bounds)
    return joined(parts)


def _limits(reading: Reading, bounds: Window) -> list[str]:
    """Return each treated firm's limit close at the end of a window."""
    members = [subject for subject in reading.treated if subject.firm.fit is not None]
    ended = [subject for subject in members if subject.firm.day0 + bounds[1] <= subject.firm.listing.end]
    return [subject.limit(bounds[1]) for subject in ended]


def _doubts_of_window(reading: Reading, bounds: Window) -> list[str]:
    """Tell closes held at the price limit (rule D4) and other news (rule D14)."""
    members = [subject for subject in reading.treated if subject.firm.fit is not None]
    held = sum(limit != "" for limit in _limits(reading, bounds))
    news = [subject.name for subject in members if subject.firm.confounded_by(bounds)]
    told = [_("{count} censored by a limit close", count=held)] if held else []
    if news:
        firms = listed(news) if len(news) <= MOST_FIRMS else _("{count} firms", count=len(news))
        told.append(_("other news of {firms}", firms=firms))
    return told
