"""The figure of power: how often the headline tests find an effect, against its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from eventstudy.report.figures import label_across, label_up, plain_axes, under
from eventstudy.report.language import _
from eventstudy.report.numbers import decimal
from eventstudy.report.svg import INKS, Words, blank_figure, inline_svg

SIZE = (760.0, 300.0)  # SVG units
LEFT, RIGHT, TOP, BOTTOM = 50.0, 16.0, 30.0, 42.0
STYLES = (("firm", 2.2, "-"), ("other", 1.8, (0, (6, 2))))


@dataclass(frozen=True)
class Line:
    """One test: its name, and the share of dates on which it finds an effect of each size."""

    name: str
    shares: tuple[float, ...]


def power_figure(
    effects: Sequence[float], ticks: Sequence[str], lines: Sequence[Line], formula: Sequence[float], alpha: float, label: str
) -> Markup:
    """Draw power against effect, with the level and the formula's power as thin lines.

    Parameters
    ----------
    effects : sequence of float
        Sizes of the effect, ascending from 0; `ticks` has their words.
    formula : sequence of float
        Power of the portfolio t by its formula at the same effects; empty where it has none.
    label : str
        What the figure shows, for those who cannot see it.
    """
    figure, words = blank_figure(*SIZE), Words()
    axes = plain_axes(figure, left=LEFT, top=TOP, right=RIGHT, bottom=BOTTOM)
    _frame(axes, effects, ticks, words)
    axes.axhline(alpha, color=INKS["mark"], linewidth=1, linestyle=(0, (1, 2)))
    if len(formula):
        axes.plot(effects, formula, color=INKS["muted"], linewidth=1, gid="formula")
    for line, (ink, width, dashes) in zip(lines, STYLES, strict=False):
        axes.plot(effects, line.shares, color=INKS[ink], linewidth=width, linestyle=dashes)
        axes.plot(effects, line.shares, "o", color=INKS[ink], markersize=3.5, gid=f"power-{ink}")
        for effect, tick, share in zip(effects, ticks, line.shares, strict=True):
            told = _("{test}: {share}% at {effect}", test=line.name, share=decimal(100 * share, 1), effect=tick)
            words.tell(axes, effect, share, told)
    for place, (line, (ink, _width, _dashes)) in enumerate(zip(lines, STYLES, strict=False)):
        away = (0 if place else -LEFT + 12, 10)
        words.write(line.name, ink, (place, 1), axes.transAxes, away, anchor="end" if place else "start", bold=True)
    return inline_svg(figure, "power-curve", words, label)


def _frame(axes: Axes, effects: Sequence[float], ticks: Sequence[str], words: Words) -> None:
    axes.set_ylim(0, 1.03)
    axes.set_xlim(effects[0], effects[-1] * 1.01)
    label_up(axes, words, np.linspace(0, 1, 6), [f"{20 * step}%" for step in range(6)])
    label_across(axes, words, effects, ticks)
    under(axes, words, _("effect in session 0 of every firm, read as a fall"), 32)
