"""The figure of power: how often the headline tests find an effect, against its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from eventstudy.report.language import _
from eventstudy.report.numbers import decimal
from eventstudy.report.svg import Drawing

SIZE = (760.0, 300.0)  # SVG units
LEFT, RIGHT, TOP, BOTTOM = 50.0, 16.0, 30.0, 42.0
STYLES: tuple[tuple[str, float, tuple[float, ...]], ...] = (("firm", 2.2, ()), ("other", 1.8, (6, 2)))


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
    drawing = Drawing("power-curve", *SIZE)
    axes = drawing.axes((effects[0], effects[-1] * 1.01), (0, 1.03), left=LEFT, top=TOP, right=RIGHT, bottom=BOTTOM)
    axes.levels(np.linspace(0, 1, 6), [f"{20 * step}%" for step in range(6)])
    axes.ticks(effects, ticks)
    axes.foot(_("effect in session 0 of every firm, read as a fall"))
    axes.rule(alpha, "mark", 1, dashes=(1, 2))
    if len(formula):
        axes.line(effects, formula, "muted", 1, name="formula")
    for line, (ink, width, dashes) in zip(lines, STYLES, strict=False):
        axes.line(effects, line.shares, ink, width, dashes=dashes)
        axes.points(effects, line.shares, ink, 3.5, f"power-{ink}")
        for effect, tick, share in zip(effects, ticks, line.shares, strict=True):
            told = _("{test}: {share}% at {effect}", test=line.name, share=decimal(100 * share, 1), effect=tick)
            axes.tell(effect, share, told)
    for place, (line, (ink, _width, _dashes)) in enumerate(zip(lines, STYLES, strict=False)):
        axes.above(line.name, ink, right=bool(place))
    return drawing.svg(label)
