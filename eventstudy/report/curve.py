"""The specification curve: effects in order with their intervals, the choices behind each below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from eventstudy.report.figures import effect_ticks, effect_told, plain_axes
from eventstudy.report.language import _
from eventstudy.report.numbers import joined, window
from eventstudy.report.specifications import Curve, Dimension
from eventstudy.report.svg import INKS, LONGEST_NAME, MIDDLE, TEXT, Anchor, Words, blank_figure, inline_svg, shortened
from eventstudy.windows import Window

WIDTH, LEFT, RIGHT = 760.0, 172.0, 10.0  # SVG units
TOP, UPPER, BETWEEN, BOTTOM = 26.0, 210.0, 14.0, 10.0
ROW, HEADING = 14.0, 18.0
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
    figure, words = blank_figure(WIDTH, height), Words()
    upper = _part(figure, TOP, UPPER, height, len(curve.outcomes))
    _draw_effects(upper, curve, words)
    matrix = _part(figure, TOP + UPPER + BETWEEN, lower, height, len(curve.outcomes))
    _draw_choices(matrix, curve, choices, lower, words)
    if curve.rank is not None:
        for axes in (upper, matrix):
            axes.axvline(curve.rank, color=INKS["mark"], linewidth=1, zorder=1)
        middle = curve.rank / (len(curve.outcomes) + 1)
        told, units = _("headline {window}", window=window(headline)), upper.get_xaxis_transform()
        anchor: Anchor = "start" if middle < 0.2 else "end" if middle > 0.8 else "middle"
        words.write(told, "mark", (curve.rank, 1), units, (0, 8), anchor=anchor, bold=True)
    for place, outcome in enumerate(curve.outcomes, 1):
        made = [_values(choice, outcome.specifications) for choice in choices]
        words.tell(upper, place, outcome.value, joined([effect_told(outcome.value, outcome.low, outcome.high), *made]))
    return inline_svg(figure, "specification-curve", words, label)


def _values(choice: Dimension, specifications: Sequence[int]) -> str:
    """Return the values of a choice that give one result."""
    return " / ".join(dict.fromkeys(choice.labels[number - 1] for number in specifications))


def _part(figure: Figure, top: float, tall: float, height: float, count: int) -> Axes:
    axes = plain_axes(figure, left=LEFT, top=top, right=RIGHT, bottom=height - top - tall, base=False)
    axes.set_xlim(0, count + 1)
    return axes


def _draw_effects(axes: Axes, curve: Curve, words: Words) -> None:
    lows, highs = (np.array([getattr(outcome, end) for outcome in curve.outcomes]) for end in ("low", "high"))
    values = curve.values
    known = np.concatenate([values, lows[np.isfinite(lows)], highs[np.isfinite(highs)], [-0.01, 0.01]])
    margin = 0.05 * (known.max() - known.min())
    axes.set_ylim(known.min() - margin, known.max() + margin)
    effect_ticks(axes, words)
    axes.axhline(0, color=INKS["muted"], linewidth=0.9)
    wide = min(5.0, 0.6 * (WIDTH - LEFT - RIGHT) / (len(curve.outcomes) + 1))
    for ink in ("other", "firm"):
        drawn = [(place, it) for place, it in enumerate(curve.outcomes, 1) if it.excludes_zero == (ink == "firm")]
        bars = [(float(place), it.low, float(place), it.high) for place, it in drawn if np.isfinite(it.low)]
        _strokes(axes, bars, ink, wide / 2, f"intervals-{ink}", 0.45)
        _strokes(axes, [(place - HALF, it.value, place + HALF, it.value) for place, it in drawn], ink, 2.4, f"effects-{ink}")
    if curve.rank is not None:
        axes.plot([curve.rank], [values[curve.rank - 1]], "o", color=INKS["mark"], markersize=6.5, zorder=5)


def _draw_choices(axes: Axes, curve: Curve, choices: Sequence[Dimension], tall: float, words: Words) -> None:
    """Draw one row a value; a result that several values give has a mark in each of their rows."""
    axes.set_ylim(-tall, 0)
    down = 0.0
    marks: list[tuple[float, float, float, float]] = []
    for choice in choices:
        _label(axes, words, choice.name, down + HEADING - 6, bold=True)
        down += HEADING
        for value in choice.values:
            middle = down + ROW / 2
            _label(axes, words, value, middle)
            axes.axhline(-middle, color=INKS["rule"], linewidth=0.6, zorder=0)
            marks += [
                (place, -middle - 4, place, -middle + 4)
                for place, outcome in enumerate(curve.outcomes, 1)
                if any(choice.labels[number - 1] == value for number in outcome.specifications)
            ]
            down += ROW
    wide = min(5.0, 0.7 * (WIDTH - LEFT - RIGHT) / (len(curve.outcomes) + 1))
    _strokes(axes, marks, "ink", wide, "choices")


def _label(axes: Axes, words: Words, text: str, down: float, *, bold: bool = False) -> None:
    size = TEXT if bold else TEXT - 0.5
    units, away = axes.get_yaxis_transform(), (-8, -MIDDLE * size)
    shown = shortened(text, LONGEST_NAME)
    words.write(shown, "ink" if bold else "muted", (0, -down), units, away, anchor="end", size=size)


def _strokes(
    axes: Axes, ends: Sequence[tuple[float, float, float, float]], ink: str, wide: float, name: str, alpha: float = 1.0
) -> None:
    """Draw straight strokes as one path: hundreds of elements would make the page heavy."""
    if not ends:
        return
    points = [point for x, low, to, high in ends for point in ((x, low), (to, high))]
    path = Path(points, [Path.MOVETO, Path.LINETO] * len(ends))
    path.should_simplify = False
    patch = PathPatch(path, fill=False, edgecolor=INKS[ink], linewidth=wide, alpha=alpha, capstyle="butt", gid=name, zorder=3)
    axes.add_artist(patch)
