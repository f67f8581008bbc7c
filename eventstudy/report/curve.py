"""The specification curve: effects in order with their intervals, the choices behind each below."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from eventstudy.report.figures import effect_ticks, effect_told
from eventstudy.report.language import _
from eventstudy.report.numbers import window
from eventstudy.report.specifications import Curve, Dimension
from eventstudy.report.svg import BACK, FAINT, FRONT, MIDDLE, TEXT, Axes, Drawing
from eventstudy.windows import Window

WIDTH, LEFT, RIGHT = 760.0, 172.0, 10.0  # SVG units
TOP, UPPER, BETWEEN, BOTTOM = 26.0, 210.0, 14.0, 10.0
ROW, HEADING = 14.0, 18.0
LONGEST_LABEL = 26
HALF = 0.36  # of the dash that stands for an effect, in places


def curve_figure(curve: Curve, choices: Sequence[Dimension], headline: Window, label: str) -> Markup:
    """Draw the distinct results from the lowest to the highest, and a mark in the row of every choice that gives them.

    Parameters
    ----------
    choices : sequence of Dimension
        One label a specification each.
    label : str
        What the figure shows, for those who cannot see it.
    """
    lower = sum(HEADING + ROW * len(choice.values) for choice in choices)
    height = TOP + UPPER + BETWEEN + lower + BOTTOM
    drawing = Drawing("specification-curve", WIDTH, height)
    across = (0, len(curve.outcomes) + 1)
    upper = drawing.axes(
        across, _bounds(curve), left=LEFT, top=TOP, right=RIGHT, bottom=height - TOP - UPPER, base=False
    )  # fmt: skip
    _draw_effects(upper, curve)
    matrix = drawing.axes(
        across, (-lower, 0), left=LEFT, top=TOP + UPPER + BETWEEN, right=RIGHT, bottom=BOTTOM, base=False
    )  # fmt: skip
    _draw_choices(matrix, curve, choices)
    if curve.rank is not None:
        for axes in (upper, matrix):
            axes.post(curve.rank, "mark", 1, layer=BACK)
        middle = curve.rank / (len(curve.outcomes) + 1)
        side = "start" if middle < 0.2 else "end" if middle > 0.8 else "middle"
        ((x, y),) = upper.place([curve.rank], [upper.up[1]])
        upper.write(_("headline {window}", window=window(headline)), x, y - 8, "mark", anchor=side, bold=True)
    for place, outcome in enumerate(curve.outcomes, 1):
        made = [_values(choice, outcome.specifications) for choice in choices]
        upper.tell(place, outcome.value, "; ".join([effect_told(outcome.value, outcome.low, outcome.high), *made]))
    return drawing.svg(label)


def _values(choice: Dimension, specifications: Sequence[int]) -> str:
    """Return the values of a choice that give one result."""
    return " / ".join(dict.fromkeys(choice.labels[number - 1] for number in specifications))


def _bounds(curve: Curve) -> tuple[float, float]:
    lows, highs = (np.array([getattr(outcome, end) for outcome in curve.outcomes]) for end in ("low", "high"))
    known = np.concatenate([curve.values, lows[np.isfinite(lows)], highs[np.isfinite(highs)], [-0.01, 0.01]])
    margin = 0.05 * (known.max() - known.min())
    return float(known.min() - margin), float(known.max() + margin)


def _draw_effects(axes: Axes, curve: Curve) -> None:
    effect_ticks(axes)
    axes.rule(0, "muted", 0.9)
    wide = min(5.0, 0.6 * (WIDTH - LEFT - RIGHT) / (len(curve.outcomes) + 1))
    for ink in ("other", "firm"):
        drawn = [(place, it) for place, it in enumerate(curve.outcomes, 1) if it.excludes_zero == (ink == "firm")]
        bars = [(float(place), it.low, float(place), it.high) for place, it in drawn if np.isfinite(it.low)]
        axes.strokes(bars, ink, wide / 2, f"intervals-{ink}", opacity=0.45)
        axes.strokes([(place - HALF, it.value, place + HALF, it.value) for place, it in drawn], ink, 2.4, f"effects-{ink}")
    if curve.rank is not None:
        axes.points([curve.rank], [curve.values[curve.rank - 1]], "mark", 6.5, "headline", layer=FRONT)


def _draw_choices(axes: Axes, curve: Curve, choices: Sequence[Dimension]) -> None:
    """Draw one row a value; a result that several values give has a mark in each of their rows."""
    down = 0.0
    marks: list[tuple[float, float, float, float]] = []
    for choice in choices:
        _label(axes, choice.name, down + HEADING - 6, heading=True)
        down += HEADING
        for value in choice.values:
            middle = down + ROW / 2
            _label(axes, value, middle)
            axes.rule(-middle, "rule", 0.6, layer=FAINT)
            marks += [
                (place, -middle - 4, place, -middle + 4)
                for place, outcome in enumerate(curve.outcomes, 1)
                if any(choice.labels[number - 1] == value for number in outcome.specifications)
            ]
            down += ROW
    wide = min(5.0, 0.7 * (WIDTH - LEFT - RIGHT) / (len(curve.outcomes) + 1))
    axes.strokes(marks, "ink", wide, "choices")


def _label(axes: Axes, text: str, down: float, *, heading: bool = False) -> None:
    shown, size = text if _wide(text) <= LONGEST_LABEL else _cut(text), TEXT if heading else TEXT - 0.5
    middle = axes.top + down + MIDDLE * size
    axes.write(shown, axes.left - 8, middle, "ink" if heading else "muted", anchor="end", size=size)


def _wide(text: str) -> int:
    """Return the width of a text in Latin letters; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _cut(text: str) -> str:
    while _wide(text) >= LONGEST_LABEL:
        text = text[:-1]
    return f"{text}…"
