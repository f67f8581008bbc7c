"""The section on robustness: the study under other choices, in sentences, one figure and two tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from eventstudy.report.averages import unlike_reactions
from eventstudy.report.curve import curve_figure
from eventstudy.report.numbers import confidence, decimal, in_words, interval, listed, ordinal, p_value, percent, whole, window
from eventstudy.report.specifications import Curve, Dimension, curve, dimensions
from eventstudy.report.subjects import Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished
from eventstudy.report.wording import LEFT_IN, REASONS
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
    drawn = tuple(Dimension(choice.name, choice.plural, _values_left(mean, choice), choice.labels) for choice in shown)
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
    counts = listed(f"{in_words(len(choice.values))} {choice.plural}" for choice in choices)
    combined = f", every combination of {counts}" if choices else ""
    return [
        f"The study was computed under {len(mean.rows)} specifications{combined}. The headline specification, the study’s own "
        f"over {window(reading.plan.headline_window)}, is one of them."
    ]


def counted(mean: Curve, choices: Sequence[Dimension]) -> list[str]:
    """Tell which specifications do not count, and why."""
    told = []
    missing = mean.rows["effect"].isna()
    if missing.any():
        codes = dict.fromkeys(mean.rows.loc[missing, "reason"])
        told.append(f"{mean.undefined} of them have no effect: {listed(REASONS.get(code, code) for code in codes)}.")
    if mean.apart:
        apart = (mean.rows["effect"].notna() & (mean.rows["reason"] == OTHER_FIRMS)).to_numpy()
        whose = next((f" (those with {choice.name.lower()}: {value})" for choice, value in _sole_values(choices, apart)), "")
        told.append(
            f"In {mean.apart}{whose} the mean is over other firms than the headline’s, since not every firm has a CAR there: "
            "they answer another question and are left out of what follows."
        )
    left, distinct = int(mean.comparable.sum()), len(mean.outcomes)
    if left > distinct:
        told.append(
            f"Of the {left} comparable ones, {left - distinct} give the same numbers as another, because a choice plays no part "
            f"there; each result is counted once, which leaves {distinct}."
        )
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
    excluding = mean.excluding_zero
    told = [
        f"Over the {count} distinct results the average effect runs from {percent(values[0], 1)} to {percent(values[-1], 1)}, "
        f"with a median of {percent(float(np.median(values)), 1)}. {_signs(mean)}. The {confidence(alpha)} interval lies on one "
        f"side of zero in {_share(excluding, count)}."
    ]
    if mean.rank is not None:
        place = "the only one" if count == 1 else f"the {ordinal(mean.rank)} lowest"
        told[0] += f" The headline, {percent(values[mean.rank - 1], 1)}, is {place}."
    return told


def _signs(mean: Curve) -> str:
    count, falls = len(mean.outcomes), mean.falls
    if falls == count:
        return f"All {count} are falls"
    return f"Falls are {_share(falls, count)}" if falls else f"Not one of the {count} is a fall"


def _share(part: int, whole_count: int) -> str:
    return f"{part} of {whole_count} ({decimal(100 * part / whole_count, 0)}%)"


def _by_firm(reading: Reading, curves: dict[tuple[str, str], Curve]) -> list[str]:
    """Tell each firm's range first: an average of unlike reactions does not lead (rule D13)."""
    parts = [
        f"{subject.name} from {percent(own.values[0], 1)} to {percent(own.values[-1], 1)} "
        f"(a fall in {'all' if own.falls == len(own.outcomes) else own.falls or 'none'} of {len(own.outcomes)})"
        for subject in reading.treated
        if (own := curves.get(subject.firm.key)) is not None and own.outcomes
    ]
    if len(parts) < 2 or reading.many:
        return []
    unlike = unlike_reactions(reading, reading.plan.headline_window) is not None
    why = " Their reactions differ, so the average below is one of unlike effects." if unlike else ""
    return [f"Firm by firm, the effect runs as follows: {listed(parts)}.{why}"]


def moved(mean: Curve, choices: Sequence[Dimension]) -> list[str]:
    """Tell which choice moves the median most, and which come after it."""
    ranges = []
    for place, choice in enumerate(choices):
        medians = [
            (spread.median, value)
            for value in choice.values
            if (spread := mean.spread(np.array([label == value for label in choice.labels]))) is not None
        ]
        ranges.append((min(medians)[0] - max(medians)[0], place, choice.name, min(medians), max(medians)))
    if not ranges:
        return []
    (_, _, name, low, high), *others = sorted(ranges)
    told = (
        f"What moves the result most is the choice of {_inside(name)}: over all comparable specifications with it, the median "
        f"effect is {percent(low[0], 1)} for {low[1]} and {percent(high[0], 1)} for {high[1]}."
    )
    rest = [
        f"{_inside(name)}, {percent(low[0], 1)} ({low[1]}) to {percent(high[0], 1)} ({high[1]})" for *_, name, low, high in others
    ]
    return [told + (f" Then come {'; '.join(rest)}." if rest else "")]


def _inside(name: str) -> str:
    """Return a name as it stands inside a sentence."""
    return name if name.startswith("CAR") else name.lower()


def curve_label(mean: Curve, alpha: float) -> str:
    """Return what the figure shows, in a sentence or two."""
    count, values = len(mean.outcomes), mean.values
    place = "The headline has no value" if mean.rank is None else (
        f"The headline, {percent(values[mean.rank - 1], 1)}, is the {ordinal(mean.rank)} lowest"
    )  # fmt: skip
    return (
        f"Specification curve of the average effect: {count} distinct results of {len(mean.rows)} specifications, from "
        f"{percent(values[0], 1)} to {percent(values[-1], 1)}. {_signs(mean)}. The {confidence(alpha)} interval excludes zero in "
        f"{_share(mean.excluding_zero, count)}. {place}."
    )


def _caption(reading: Reading) -> tuple[str, ...]:
    level = confidence(reading.plan.alpha)
    return (
        f"Average effect of the treated firms under every specification, lowest first, with its {level} interval (portfolio t); "
        "blue where the interval lies on one side of zero, ochre elsewhere; the red line marks the headline. Below, the choices "
        "behind each result; a result that several specifications give has a mark for each of their choices.",
    )


def _firms(reading: Reading, curves: dict[tuple[str, str], Curve]) -> Table:
    """Return one row a treated firm: its headline and its distinct results."""
    level = confidence(reading.plan.alpha)
    columns = (
        Column("Firm", False), Column("Headline"), Column(f"{level} interval"),
        Column("With effect", True, "specifications in which the firm has a CAR"), Column("Distinct", True, "distinct results"),
        Column("Lowest"), Column("Median"), Column("Highest"), Column("Falls", True, "distinct results below zero"),
        Column("One side", True, f"distinct results whose {level} interval lies on one side of zero"), Column("Remarks", False),
    )  # fmt: skip
    rows = []
    for subject in _listed_firms(reading):
        own = curves[subject.firm.key]
        if not own.outcomes:
            codes = dict.fromkeys(own.rows["reason"])
            gap = Undefined(listed(REASONS.get(code, code) for code in codes), next(iter(codes)), 9)
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
    caption = "Each treated firm over all specifications"
    notes = ("Effects read as changes in value. Interval of a single firm by t; not adjusted for the number of firms.",)
    return finished(reading, Table("robustness-firms", caption, columns, (Block(tuple(rows)),), notes))


def choices_table(reading: Reading, mean: Curve, choices: Sequence[Dimension]) -> Table:
    """Return the headline, and for every value of every choice the headline so changed and all specifications with it."""
    level = confidence(reading.plan.alpha)
    columns = (
        Column("Choice", False), Column("N", True, "firms with a CAR"),
        Column("CAAR", True, "mean CAR, read as a change in value"), Column(f"{level} interval"),
        Column("t", True, "portfolio t"), Column("df"), Column("p"),
        Column("Number", True, "comparable specifications with this choice, repeated results included"), Column("Lowest"),
        Column("Median"), Column("Highest"), Column("Remarks", False),
    )  # fmt: skip
    blocks = [Block((_choice_row(reading, mean, 0, None, "Headline"),))]
    for choice in choices:
        rows = []
        for value in choice.values:
            marked = np.array([label == value for label in choice.labels])
            rows.append(_choice_row(reading, mean, _single_change(choices, choice, value), marked, value))
        blocks.append(Block(tuple(rows), choice.name))
    notes = (
        "Left: the headline with this one choice changed, all else as in the study; null of t and p: the event changed nothing "
        "(sharp null), errors normal. Right: all comparable specifications with this choice. Lifted out: the study’s own choice. "
        "All specifications, with each firm’s, stand in tables/robustness.csv.",
    )
    spans = (("Headline with this one change", PART), ("All specifications with this choice", SHARED))
    caption = "The headline with one choice changed at a time, and what each choice moves"
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
        return Row(head, (whole(row["n"]), Undefined(REASONS.get(code, code), code, PART - 1), *shared, ""), strong)
    cells = (
        whole(row["n"]), percent(row["value"]), interval(row["low"], row["high"]),
        decimal(row["t"]), whole(row["df"]), p_value(row["p_value"]),
    )  # fmt: skip
    return Row(head, (*cells, *shared, _remark(reading, mean.rows, place)), strong)


def _remark(reading: Reading, rows: pd.DataFrame, place: int) -> str:
    """Return what the row differs in from the headline beyond its numbers: other firms, what the model leaves in, the window."""
    row, own = rows.iloc[place], rows.iloc[0]
    code, model = str(row["reason"]), str(row["model"])
    parts = [REASONS.get(code, code)] if code else []
    if model != own["model"] and model in LEFT_IN:
        parts.append(LEFT_IN[model])
    bounds = int(row["window_start"]), int(row["window_end"])
    if place == 0 or bounds != reading.plan.headline_window:
        parts += _doubts_of_window(reading, bounds)
    return "; ".join(parts)


def _doubts_of_window(reading: Reading, bounds: Window) -> list[str]:
    """Tell closes held at the price limit (rule D4) and other news (rule D14)."""
    members = [subject for subject in reading.treated if subject.firm.fit is not None]
    ended = [subject for subject in members if subject.firm.day0 + bounds[1] <= subject.firm.listing.end]
    held = sum(subject.limit(bounds[1]) != "" for subject in ended)
    news = [subject.name for subject in members if subject.firm.confounded_by(bounds)]
    told = [f"{held} censored by a limit close"] if held else []
    if news:
        told.append(f"other news of {listed(news) if len(news) <= MOST_FIRMS else f'{len(news)} firms'}")
    return told
