"""The figures of the page: CAR paths and prices against the benchmark, one panel a firm."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from eventstudy.anticipation import Leaked
from eventstudy.report.dating import trading_in_words
from eventstudy.report.language import _, pgettext
from eventstudy.report.numbers import day, decimal, interval, percent, running, short_day, window
from eventstudy.report.subjects import CarPath, Effect, Subject
from eventstudy.report.svg import BELOW, INKS, LONGEST_NAME, MIDDLE, TEXT, Words, blank_figure, inline_svg, shortened
from eventstudy.windows import Window

PANEL = (360.0, 250.0)  # SVG units; the page scales a panel to its column
WIDE = (760.0, 330.0)
LABEL_PAD, FOOT = 5.0, 29.0  # below or beside the axes: of their labels, of the words under them
SESSIONS_BEFORE, SESSIONS_AFTER = 10, 5  # shown on either side of the event window in the price panels
BAND = 0.17
MANY_POINTS = 40
LABELLED = 0.14  # share of the axis that a suspension must take up to carry the word


def plain_axes(
    figure: Figure, left: float = 46, *, top: float = 26, right: float = 12, bottom: float = 38, base: bool = True
) -> Axes:
    """Return axes with room around them, in SVG units, and with `base` a line at their foot.

    They have no ticks: a tick is five artists to matplotlib, which took most of the time of a figure, and here it is a text.
    """  # fmt: skip
    width, height = figure.get_size_inches() * 72
    axes = figure.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (top + bottom) / height))
    axes.set_axis_off()
    axes.set_title("", y=1)  # else matplotlib looks at the ticks to find its place
    if base:
        axes.add_artist(
            Line2D((0, 1), (0, 0), transform=axes.transAxes, color=INKS["rule"], linewidth=0.8, zorder=2.5, clip_on=False)
        )
    return axes


def label_across(axes: Axes, words: Words, places: Sequence[float] | np.ndarray, labels: Sequence[str]) -> None:
    """Write labels below values across."""
    units, away = axes.get_xaxis_transform(), (0, -LABEL_PAD - BELOW * TEXT)
    within = (axes.bbox.x0 - LABEL_PAD, axes.figure.bbox.x1)  # neither below the labels at the side, nor cut
    for place, label in zip(places, labels, strict=True):
        words.write(label, "muted", (place, 0), units, away, anchor="middle", within=within)


def label_up(axes: Axes, words: Words, places: Sequence[float] | np.ndarray, labels: Sequence[str]) -> None:
    """Rule a line at values up, and write labels to the left of them."""
    units, away = axes.get_yaxis_transform(), (-LABEL_PAD, -MIDDLE * TEXT)
    rules = [((0.0, place), (1.0, place)) for place in places]
    axes.add_artist(LineCollection(rules, transform=units, colors=INKS["rule"], linewidths=0.6, zorder=0.5))
    for place, label in zip(places, labels, strict=True):
        words.write(label, "muted", (0, place), units, away, anchor="end")


def round_steps(low: float, high: float, most: int, sizes: Sequence[float]) -> np.ndarray:
    """Return round tick positions from `low` to `high`, zero among them where it lies between."""
    width = next((size for size in sizes if (high - low) / size <= most), sizes[-1])
    return np.arange(np.ceil(low / width), np.floor(high / width) + 1) * width


def effect_bounds(paths: Sequence[CarPath]) -> tuple[float, float]:
    """Return the ends of the vertical axis that panels share."""
    lows = [effect.low for path in paths for effect in path.effects if np.isfinite(effect.low)]
    highs = [effect.high for path in paths for effect in path.effects if np.isfinite(effect.high)]
    low, high = min([*lows, -0.02]), max([*highs, 0.02])
    margin = 0.06 * (high - low)
    return low - margin, high + margin


def _effect_axes(figure: Figure, words: Words, bounds: tuple[float, float], first: int, last: int) -> Axes:
    axes = plain_axes(figure)
    room = max(0.5, 0.015 * (last - first))  # the points at the ends are drawn whole
    axes.set_xlim(first - room, last + room)
    axes.set_ylim(*bounds)
    effect_ticks(axes, words)
    taus = round_steps(first, last, 7, (1, 2, 5, 10, 20, 50, 100, 200))
    label_across(axes, words, taus, [decimal(tau, 0) for tau in taus])
    axes.axhline(0, color=INKS["muted"], linewidth=0.9)
    under(axes, words, _("sessions after the event session (0)"))
    return axes


def under(axes: Axes, words: Words, text: str, foot: float = FOOT) -> None:
    """Say what the horizontal axis measures."""
    words.write(text, "muted", (0.5, 0), axes.transAxes, (0, -foot), anchor="middle")


def effect_ticks(axes: Axes, words: Words) -> None:
    """Put ticks at round percentages on a vertical axis of effects, zero among them."""
    heights = round_steps(*axes.get_ylim(), 6, (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100))
    label_up(axes, words, heights, effect_labels(heights))


def effect_labels(ticks: np.ndarray) -> list[str]:
    """Return the labels of ticks at round percentages."""
    digits = 1 if len(ticks) > 1 and ticks[1] - ticks[0] < 0.01 else 0
    return [percent(tick, digits) if abs(tick) > 1e-9 else "0" for tick in ticks]


def _shade(axes: Axes, taus: Sequence[int], words: Words, label: str) -> None:
    """Shade suspended sessions, one band a spell; the widest carries the label where it fits."""
    spells = [spell for spell in np.split(np.array(taus), np.flatnonzero(np.diff(taus) > 1) + 1) if len(spell)] if taus else []
    for spell in spells:
        axes.axvspan(spell[0] - 0.5, spell[-1] + 0.5, color=INKS["shade"], linewidth=0, zorder=0)
    lo, hi = axes.get_xlim()
    if spells and len(widest := max(spells, key=len)) >= LABELLED * (hi - lo):
        middle = (widest[0] + widest[-1]) / 2
        words.write(label, "muted", (middle, 0.02), axes.get_xaxis_transform(), (0, 2.5), anchor="middle", size=TEXT - 1.2)


def _draw_path(axes: Axes, path: CarPath) -> None:
    """Draw a path with its band; gaps are bridged by a dashed line, without points and without a band."""
    taus = np.array(path.taus)
    values, lows, highs = (np.array([getattr(effect, end) for effect in path.effects]) for end in ("value", "low", "high"))
    breaks = np.flatnonzero(np.diff(taus) > 1) + 1
    for run in np.split(np.arange(len(taus)), breaks):
        axes.fill_between(taus[run], lows[run], highs[run], color=INKS["firm"], alpha=BAND, linewidth=0)
        axes.plot(taus[run], values[run], color=INKS["firm"], linewidth=2, solid_capstyle="round")
        if len(run) == 1 and run[0] > 0:  # a lone value between gaps: its interval as a bar
            axes.vlines(taus[run], lows[run], highs[run], color=INKS["firm"], linewidth=4, alpha=BAND)
    for place in breaks:
        ends = slice(place - 1, place + 1)
        axes.plot(taus[ends], values[ends], color=INKS["firm"], linewidth=1.4, linestyle=(0, (4, 3)), gid="bridge")
    axes.plot(taus[1:], values[1:], "o", color=INKS["firm"], markersize=3 if len(taus) < MANY_POINTS else 2, gid="points")
    _mark_limits(axes, taus, values, [effect.censored for effect in path.effects])


def _mark_limits(axes: Axes, taus: np.ndarray, values: np.ndarray, limits: Sequence[str]) -> None:
    """Mark closes at the price limit by a triangle in its direction."""
    for way, shape in (("up", "^"), ("down", "v")):
        hit = np.array([limit == way for limit in limits])
        axes.plot(taus[hit], values[hit], shape, color=INKS["mark"], markersize=6, gid=f"limit-{way}")


def _mark_headline(axes: Axes, path: CarPath, headline: Window, words: Words) -> None:
    if headline[1] not in path.taus:
        above(axes, words, _("{window}: undefined", window=window(headline)), "muted")
        return
    effect = path.effects[path.taus.index(headline[1])]
    axes.axvline(headline[1], color=INKS["mark"], linewidth=1, zorder=1)
    axes.plot([headline[1]], [effect.value], "o", color=INKS["mark"], markersize=6.5, zorder=5)
    told = percent(effect.value, 1)
    if effect.censored:
        told = _("at most {change}", change=told) if effect.censored == "down" else _("at least {change}", change=told)
    above(axes, words, _("{window}: {effect}", window=window(headline), effect=told), "mark")


def above(axes: Axes, words: Words, text: str, ink: str, *, right: bool = False) -> None:
    """Write above the panel, where no line can cross the words."""
    if right:
        words.write(text, ink, (1, 1), axes.transAxes, (0, 8), anchor="end", bold=True)
    else:
        words.write(text, ink, (0, 1), axes.transAxes, (-38, 8), bold=True)


def _tell_path(axes: Axes, path: CarPath, words: Words, when: Callable[[int], str]) -> None:
    for tau, effect in zip(path.taus[1:], path.effects[1:], strict=True):
        words.tell(axes, tau, effect.value, f"{when(tau)}: {effect_told(effect.value, effect.low, effect.high)}")


def effect_told(value: float, low: float, high: float) -> str:
    """Return an effect with its interval where it has one, for a reader who points at it."""
    if not np.isfinite(low):
        return percent(value, 1)
    return _("{effect}, interval {interval}", effect=percent(value, 1), interval=interval(low, high, 1))


def _dated(subject: Subject, tau: int) -> str:
    return _("{day} (session {session})", day=day(subject.date(int(tau)), week=False), session=decimal(tau, 0))


def path_label(subject: Subject, path: CarPath, headline: Window) -> str:
    """Return what a path panel shows, in a sentence."""
    if headline[1] not in path.taus:
        return _("Effect path of {firm}: the headline window {window} has no value.", firm=subject.name, window=window(headline))
    effect: Effect = path.effects[path.taus.index(headline[1])]
    shut = len(subject.suspended_taus(path.start, path.taus[-1]))
    told = _(
        "Effect path of {firm}: {effect} over sessions {window}, interval {low} to {high}.",
        firm=subject.name, effect=percent(effect.value, 1), window=window(headline),
        low=percent(effect.low, 1), high=percent(effect.high, 1),
    )  # fmt: skip
    return running((told, _("{count} suspended sessions are shaded and bridged.", count=shut) if shut else ""))


def path_panel(subject: Subject, path: CarPath, headline: Window, last: int, bounds: tuple[float, float], name: str) -> Markup:
    """Draw one firm's effect over [start, tau] with its confidence band.

    Parameters
    ----------
    last : int
        End of the event window.
    bounds : (float, float)
        Ends of the vertical axis, shared by the panels of one figure.
    name : str
        Unique in the page.
    """
    figure, words = blank_figure(*PANEL), Words()
    axes = _effect_axes(figure, words, bounds, path.start - 1, last)
    _shade(axes, subject.suspended_taus(path.start, last), words, _("suspended"))
    if path.taus:
        _draw_path(axes, path)
    _mark_headline(axes, path, headline, words)
    _tell_path(axes, path, words, lambda tau: _dated(subject, tau))
    news = [tau for tau, _label in subject.firm.confounders if path.start <= tau <= last]
    for tau in news:
        axes.axvline(tau, color=INKS["other"], linewidth=1.2, linestyle=(0, (1, 2)))
    if news:
        above(axes, words, _("dotted: other news"), "other", right=True)
    return inline_svg(figure, name, words, path_label(subject, path, headline))


def average_panel(path: CarPath, single: Sequence[CarPath], headline: Window, last: int, name: str, label: str) -> Markup:
    """Draw the mean effect of a fixed set of firms with its band, over thin lines of the single firms."""
    figure, words = blank_figure(*WIDE), Words()
    values = [replace(effect, low=effect.value, high=effect.value) for one in single for effect in one.effects]
    bounds = effect_bounds([path, CarPath(path.start, (), tuple(values))])
    axes = _effect_axes(figure, words, bounds, path.start - 1, last)
    for one in single:
        axes.plot(one.taus, [effect.value for effect in one.effects], color=INKS["muted"], linewidth=0.7, alpha=0.45)
    if path.taus:
        _draw_path(axes, path)
    _mark_headline(axes, path, headline, words)
    _tell_path(axes, path, words, lambda tau: _("Session {session}", session=decimal(tau, 0)))
    return inline_svg(figure, name, words, label)


def _shown(subject: Subject, event: Window) -> np.ndarray:
    """Return the positions of the sessions that a price panel shows."""
    day0 = subject.firm.day0
    return np.arange(
        max(day0 + event[0] - SESSIONS_BEFORE, 0), min(day0 + event[1] + SESSIONS_AFTER, subject.firm.listing.end) + 1
    )


def has_prices(subject: Subject, event: Window) -> bool:
    """Tell whether a price panel has anything to show: of an event that lies ahead it may not yet."""
    return bool(np.isfinite(subject.firm.listing.level[_shown(subject, event)]).any())


def limit_closes(subject: Subject, event: Window) -> bool:
    """Tell whether a price panel marks a close at the price limit."""
    return bool((subject.firm.listing.limit[_shown(subject, event)] != "").any())


def price_panel(subject: Subject, event: Window, name: str) -> Markup:
    """Draw a share's total-return value and its benchmark, both 100 at the last close before the event both have."""
    figure, words = blank_figure(*PANEL), Words()
    axes = plain_axes(figure)
    listing, day0 = subject.firm.listing, subject.firm.day0
    places = _shown(subject, event)
    both = np.flatnonzero(np.isfinite(listing.level[:day0]) & np.isfinite(listing.benchmark[:day0]))
    base = both[-1]
    taus = places - day0
    share, market = (100 * values[places] / values[base] for values in (listing.level, listing.benchmark))
    axes.set_xlim(taus[0] - 0.5, taus[-1] + 0.5)
    _shade(axes, subject.suspended_taus(int(taus[0]), int(taus[-1])), words, _("suspended"))
    axes.axvline(0, color=INKS["mark"], linewidth=1)
    axes.plot(taus, market, color=INKS["other"], linewidth=1.3)
    axes.plot(taus, share, color=INKS["firm"], linewidth=1.9)
    axes.plot(taus, share, "o", color=INKS["firm"], markersize=1.9, gid="closes")
    for tau, own, its in zip(taus, share, market, strict=True):
        other = f", {subject.benchmark} {decimal(its, 1)}" if np.isfinite(its) else ""
        words.tell(axes, tau, own, f"{_dated(subject, tau)}: {decimal(own, 1)}{other}")
    _mark_limits(axes, taus, share, list(listing.limit[places]))
    foot = _("close; the line marks the event session, {day}", day=short_day(subject.date(0)))
    _price_ticks(axes, words, subject, np.concatenate([share, market]), foot)
    above(axes, words, _("share"), "firm")
    above(axes, words, shortened(subject.benchmark, LONGEST_NAME), "other", right=True)
    label = _(
        "{firm} and {benchmark}, both 100 before the event; at the end {share} and {market}.",
        firm=subject.name, benchmark=subject.benchmark, share=_ends(share), market=_ends(market),
    )  # fmt: skip
    told = trading_in_words(subject, int(taus[0]), int(taus[-1]))
    return inline_svg(figure, name, words, running((label, told)))


def against_benchmark(pair: Leaked, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sessions from before a leak to the end of the event window, and the share's value over its benchmark's.

    Parameters
    ----------
    last : int
        End of the event window, relative to the event session.

    Returns
    -------
    places : array of int
        Positions in the calendar.
    ratio : array of float
        100 at the last close before the leak that both have; NaN where the share did not trade.
    """
    listing, leak = pair.firm.listing, pair.leak.day0 + pair.leak_window[0]
    both = np.flatnonzero(np.isfinite(listing.level[:leak]) & np.isfinite(listing.benchmark[:leak]))
    places = np.arange(max(leak - SESSIONS_BEFORE, 0), min(pair.firm.day0 + last, listing.end) + 1)
    if not len(both):
        return places, np.full(len(places), np.nan)
    ratio = listing.level / listing.benchmark
    return places, 100 * ratio[places] / ratio[both[-1]]


def leak_panel(subject: Subject, pair: Leaked, last: int, name: str) -> Markup:
    """Draw a share's value over its benchmark's from before a leak to the end of the event window, both dates marked."""
    figure, words = blank_figure(*WIDE), Words()
    axes = plain_axes(figure)
    firm, (places, ratio) = pair.firm, against_benchmark(pair, last)
    taus, leak = places - firm.day0, pair.leak.day0 - firm.day0
    axes.set_xlim(taus[0] - 0.5, taus[-1] + 0.5)
    _shade(axes, subject.suspended_taus(int(taus[0]), int(taus[-1])), words, _("suspended"))
    axes.axhline(100, color=INKS["muted"], linewidth=0.9)
    for tau in (leak, 0):
        axes.axvline(tau, color=INKS["mark"], linewidth=1)
    traded = np.isfinite(ratio)
    axes.plot(taus[traded], ratio[traded], color=INKS["firm"], linewidth=1.2, linestyle=(0, (4, 3)))  # seen in gaps only
    axes.plot(taus, ratio, color=INKS["firm"], linewidth=1.9)
    axes.plot(taus, ratio, "o", color=INKS["firm"], markersize=2.2, gid="closes")
    for tau, value in zip(taus, ratio, strict=True):
        words.tell(axes, tau, value, f"{_dated(subject, tau)}: {decimal(value, 1)}")
    masked = taus[firm.masked[places]] if len(firm.masked) else taus[:0]
    foot = axes.get_xaxis_transform()
    axes.plot(masked, [0.03] * len(masked), "s", transform=foot, color=INKS["other"], markersize=3.5, gid="masked")
    _price_ticks(axes, words, subject, np.append(ratio, 100.0), _("close over the benchmark’s, before the leak = 100"))
    dates = _("leak {leak}, announcement {day}", leak=short_day(subject.date(leak)), day=short_day(subject.date(0)))
    above(axes, words, dates, "mark")
    return inline_svg(figure, name, words, leak_label(subject, pair, last))


def leak_label(subject: Subject, pair: Leaked, last: int) -> str:
    """Return what a leak's panel shows, in sentences with its numbers."""
    firm, (places, ratio) = pair.firm, against_benchmark(pair, last)
    told = []
    stops = (
        (_("{value} after the leak"), pair.leak.day0 + pair.leak_window[1]),
        (_("{value} before the announcement"), firm.day0 - 1),
        (_("{value} at the end"), places[-1]),
    )
    for words, place in stops:
        known = ratio[(places <= place) & np.isfinite(ratio)]
        told.append(words.format(value=decimal(float(known[-1]), 1) if len(known) else _("no value")))
    shut = len(subject.suspended_taus(int(places[0]) - firm.day0, int(places[-1]) - firm.day0))
    out = int(firm.masked[places].sum()) if len(firm.masked) else 0
    first = _(
        "{firm} against {benchmark}, 100 before the leak: {values}; leak on {leak}, announcement on {day}.",
        firm=subject.name, benchmark=subject.benchmark, values=pgettext("in a list", ", ").join(told),
        leak=day(subject.date(pair.leak.day0 - firm.day0)), day=day(subject.date(0)),
    )  # fmt: skip
    shaded = _("{count} suspended sessions are shaded.", count=shut) if shut else ""
    return running((first, shaded, _("{count} sessions left out of the estimation are marked.", count=out) if out else ""))


def _ends(values: np.ndarray) -> str:
    finite = values[np.isfinite(values)]
    return decimal(float(finite[-1]), 0) if len(finite) else _("without a value")


def _price_ticks(axes: Axes, words: Words, subject: Subject, values: np.ndarray, foot: str) -> None:
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    margin = 0.07 * (high - low)
    axes.set_ylim(low - margin, high + margin)
    heights = round_steps(low - margin, high + margin, 6, (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500))
    label_up(axes, words, heights, [decimal(height, 0 if heights[1:2] - heights[:1] >= 1 else 1) for height in heights])
    first, last = axes.get_xlim()
    taus = [int(tau) for tau in round_steps(first + 0.5, last - 0.5, 5, (1, 2, 5, 10, 20, 50, 100, 200))]
    dates: list[dt.date] = [subject.date(tau) for tau in taus]
    label_across(axes, words, taus, [short_day(date) for date in dates])
    under(axes, words, foot)
