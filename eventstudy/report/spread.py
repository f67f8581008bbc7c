"""The figures of a study of many events: how the single effects spread, and the mean return of every session."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from eventstudy.panel.result import PanelResult
from eventstudy.report.figures import (
    PANEL,
    above,
    effect_labels,
    effect_ticks,
    label_across,
    label_up,
    plain_axes,
    round_steps,
    under,
)
from eventstudy.report.language import _, ngettext
from eventstudy.report.numbers import Scale, decimal, percent, whole, window
from eventstudy.report.pictures import Figure, Panel
from eventstudy.report.subjects import FirmName
from eventstudy.report.svg import INKS, Words, blank_figure, inline_svg
from eventstudy.study import ALL

BARS = 40
SHOWN = 0.99  # share of the CARs between the ends of the drawn axis
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


def spread_figure(result: PanelResult, scale: Scale) -> Figure:
    """Return the figure that leads: the single effects over the headline window, and the mean return of each session."""
    panels = (
        Panel(FirmName(_("Effects of the single events")), _effects(result, scale)),
        Panel(FirmName(_("Mean abnormal return of each session")), _sessions(result)),
    )
    caption = (
        _(
            "First: how many events had an effect of which size over {window}; the line marks their mean. The bars at the ends "
            "hold the events beyond them, one in two hundred on either side.",
            window=window(result.plan.headline_window),
        ),
        _(
            "Second: the mean over the events with a return over that session alone; session 0 is the event session. A return "
            "over several sessions counts in the effects, not here, so these bars do not add up to the mean effect."
        ),
    )
    return Figure("spread", panels, caption)


def _effects(result: PanelResult, scale: Scale) -> Markup:
    bounds = result.plan.headline_window
    place = result.plan.windows.car.index(bounds)
    car = result.study.estimates.car[result.study.counted(ALL, place), place]
    values = np.expm1(car) if scale.kind == "log" else car
    figure, words = blank_figure(*PANEL), Words()
    axes = plain_axes(figure)
    low, high = np.quantile(values, [(1 - SHOWN) / 2, (1 + SHOWN) / 2]) if len(values) else (-0.1, 0.1)
    if high <= low:
        low, high = low - 0.01, high + 0.01
    counts, edges = np.histogram(np.clip(values, low, high), BARS, (low, high))
    wide = edges[1] - edges[0]
    axes.bar(edges[:-1], counts, 0.94 * wide, align="edge", color=INKS["firm"], alpha=0.55)
    for left, count in zip(edges, counts, strict=False):
        if count:
            told = ngettext(
                "{count} event from {low} to {high}", "{count} events from {low} to {high}", int(count),
                count=whole(count), low=percent(left, 1), high=percent(left + wide, 1),
            )  # fmt: skip
            words.tell(axes, left + 0.47 * wide, float(count), told)
    ticks = round_steps(low, high, 6, (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5))
    label_across(axes, words, ticks, effect_labels(ticks))
    heights = round_steps(0, axes.get_ylim()[1], 5, COUNTS)
    label_up(axes, words, heights, [whole(height) for height in heights])
    # the mean CAR, read as a change in value: the figure that the sentence and the tables give
    mean = scale.effect(float(car.mean())) if len(car) else 0.0
    axes.axvline(mean, color=INKS["mark"], linewidth=1.4)
    above(axes, words, _("number of events"), "muted")
    above(axes, words, _("mean {effect}", effect=percent(mean, 1)), "mark", right=True)
    under(axes, words, _("effect over {window}", window=window(bounds)))
    label = _(
        "Effects of {number} events over {window}: mean {mean}.",
        number=whole(len(values)), window=window(bounds), mean=percent(mean),
    )  # fmt: skip
    return inline_svg(figure, "spread-effects", words, label)


def _sessions(result: PanelResult) -> Markup:
    mine = result.aar[result.aar["group"] == ALL]
    figure, words = blank_figure(*PANEL), Words()
    axes = plain_axes(figure, left=54)
    taus, means = mine["tau"].to_numpy(), mine["aar"].to_numpy()
    axes.bar(taus, np.nan_to_num(means), width=0.7, color=INKS["firm"])
    axes.axhline(0, color=INKS["muted"], linewidth=0.9)
    for tau, mean in zip(taus, means, strict=True):
        words.tell(axes, float(tau), float(mean), _("session {session}: {mean}", session=decimal(tau, 0), mean=percent(mean, 3)))
    most = max(float(np.nanmax(np.abs(means), initial=0.0)) * 1.1, 0.0005)
    axes.set_ylim(-most, most)
    _fine_ticks(axes, words, most)
    ticks = round_steps(float(taus[0]), float(taus[-1]), 7, (1, 2, 5, 10, 20, 50, 100))
    label_across(axes, words, ticks, [decimal(tick, 0) for tick in ticks])
    under(axes, words, _("sessions after the event session (0)"))
    largest = int(taus[int(np.nanargmax(np.abs(means)))]) if np.isfinite(means).any() else 0
    label = _("Mean abnormal return by session, largest in size on session {session}.", session=decimal(largest, 0))
    return inline_svg(figure, "spread-sessions", words, label)


def _fine_ticks(axes: Axes, words: Words, most: float) -> None:
    """Put ticks on an axis of mean returns, which may be small fractions of a per cent."""
    if most >= 0.01:
        effect_ticks(axes, words)
        return
    heights = round_steps(-most, most, 6, (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005))
    label_up(axes, words, heights, [percent(height, 2) if abs(height) > 1e-9 else "0" for height in heights])
