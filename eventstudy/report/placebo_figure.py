"""The figure of placebo dates: the mean effect at every one of them, and the observed one among them."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from eventstudy.inference.placebo import PlaceboDraws
from eventstudy.report.averages import p_equation_or_censored
from eventstudy.report.figures import above, effect_labels, label_across, label_up, plain_axes, round_steps, under
from eventstudy.report.language import _, ngettext
from eventstudy.report.numbers import percent, window
from eventstudy.report.subjects import Reading
from eventstudy.report.svg import INKS, Words, blank_figure, inline_svg
from eventstudy.study import ALL

SIZE = (760.0, 250.0)  # SVG units
BARS = 24


def placebo_draws_of(reading: Reading) -> PlaceboDraws | None:
    """Return the mean CAR of the treated firms at the event and at placebo dates; None where the study draws none."""
    drawn = reading.result.draws.by_test.get((ALL, reading.plan.headline_window), {}).get("placebo_caar")
    return drawn if drawn is not None and len(drawn.draws) and np.isfinite(drawn.observed) else None


def as_extreme(drawn: PlaceboDraws) -> int:
    """Return the number of dates at least as far from zero as the event."""
    return int((np.abs(drawn.draws) >= abs(drawn.observed)).sum())


def placebo_figure(reading: Reading) -> Markup | None:
    """Draw how often each size of effect came about at placebo dates; those at least as extreme as the event stand out."""
    drawn = placebo_draws_of(reading)
    if drawn is None:
        return None
    effects = np.array([reading.scale.effect(value) for value in drawn.draws])
    observed = reading.scale.effect(drawn.observed)
    figure, words = blank_figure(*SIZE), Words()
    axes = plain_axes(figure)
    reach = max(np.abs(effects).max(), abs(observed)) * 1.05
    edges = np.linspace(-reach, reach, BARS + 1)
    far = np.abs(drawn.draws) >= abs(drawn.observed)
    near_counts, far_counts = (np.histogram(effects[chosen], edges)[0] for chosen in (~far, far))
    wide = edges[1] - edges[0]
    axes.bar(edges[:-1], near_counts, 0.9 * wide, align="edge", color=INKS["firm"], alpha=0.55)
    axes.bar(edges[:-1], far_counts, 0.9 * wide, near_counts, align="edge", color=INKS["other"])
    axes.axvline(observed, color=INKS["mark"], linewidth=1.8, gid="observed")
    axes.set_xlim(-reach, reach)
    ticks = round_steps(-reach, reach, 9, (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1))
    label_across(axes, words, ticks, effect_labels(ticks))
    tallest = int((near_counts + far_counts).max())
    heights = round_steps(0, tallest, 5, (1, 2, 5, 10, 20, 50, 100, 200, 500))
    label_up(axes, words, heights, [f"{height:.0f}" for height in heights])
    for left, count in zip(edges, near_counts + far_counts, strict=False):
        if count:
            told = ngettext(
                "{count} date from {low} to {high}", "{count} dates from {low} to {high}", int(count),
                count=int(count), low=percent(left, 1), high=percent(left + wide, 1),
            )  # fmt: skip
            words.tell(axes, left + 0.45 * wide, float(count), told)
    under(axes, words, _("effect over {window}", window=window(reading.plan.headline_window)))
    above(axes, words, _("placebo dates, by mean effect"), "firm")
    above(axes, words, _("observed {effect}, {p}", effect=percent(observed, 1), p=_p(reading, drawn)), "mark", right=True)
    return inline_svg(figure, "placebo-dates", words, placebo_label(reading, drawn))


def _p(reading: Reading, drawn: PlaceboDraws) -> str:
    limits = reading.study.cross_section(ALL, reading.plan.headline_window).limits
    return p_equation_or_censored(drawn.p_value(), limits)


def placebo_label(reading: Reading, drawn: PlaceboDraws) -> str:
    """Return what the figure shows, in a sentence."""
    effect, count = reading.scale.effect, as_extreme(drawn)
    return ngettext(
        "Mean effect over {window} at {dates} placebo dates, from {low} to {high}. The observed {effect} is marked; {count} "
        "date is at least as far from zero ({p}).",
        "Mean effect over {window} at {dates} placebo dates, from {low} to {high}. The observed {effect} is marked; {count} "
        "dates are at least as far from zero ({p}).",
        count, window=window(reading.plan.headline_window), dates=len(drawn.draws), low=percent(effect(drawn.draws.min()), 1),
        high=percent(effect(drawn.draws.max()), 1), effect=percent(effect(drawn.observed), 1), count=count,
        p=_p(reading, drawn),
    )  # fmt: skip


def placebo_caption(reading: Reading) -> tuple[str, ...]:
    """Return what stands under the figure: what was drawn, and the null that p goes with."""
    drawn = placebo_draws_of(reading)
    if drawn is None:
        return ()
    firms = len(reading.study.cross_section(ALL, reading.plan.headline_window).firms)
    return (
        _(
            "The same mean effect of the treated firms (N = {firms}), estimated the same way at every block of {sessions} "
            "sessions of the estimation window. Ochre: at least as far from zero as the observed one. Null of p: the event "
            "changed nothing, so that its days are one more such block.",
            firms=firms, sessions=drawn.length,
        ),
    )  # fmt: skip
