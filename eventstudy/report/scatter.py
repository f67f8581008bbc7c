"""The figure of the estimation: a share's returns against the benchmark's, the fitted line, and the event days off it."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from eventstudy.models.base import Fit
from eventstudy.report.figures import PANEL, above, label_across, label_up, plain_axes, round_steps, under
from eventstudy.report.language import _, ngettext
from eventstudy.report.numbers import day, decimal, joined, percent, window
from eventstudy.report.subjects import Subject
from eventstudy.report.svg import INKS, LONGEST_NAME, MIDDLE, TEXT, Words, blank_figure, inline_svg, shortened
from eventstudy.returns import Rows
from eventstudy.windows import Window

LINES = {"market": (0.0, 0.0), "mean": (0.0, 0.0), "market_adjusted": (0.0, 1.0)}  # intercept and slope where not estimated
STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
LABEL_AT, HALF_DIAMOND = 10.0, 3.5  # SVG units
LABELLED = 6  # more event days than this are not numbered


def fitted_line(model: str, fit: Fit) -> tuple[float, float] | None:
    """Return intercept and slope of expected on benchmark return, per session; None where a model has more than a line."""
    if model not in LINES:
        return None
    found = (fit.coefficient(name) for name in ("alpha", "beta"))
    intercept, slope = (plain if np.isnan(value) else value for value, plain in zip(found, LINES[model], strict=True))
    return float(intercept), float(slope)


def event_rows(subject: Subject, bounds: Window) -> Rows:
    """Return the rows that end in a window around the event."""
    rows, day0 = subject.firm.rows, subject.firm.day0
    return rows.take((rows.end >= day0 + bounds[0]) & (rows.end <= day0 + bounds[1]))


def scatter_panel(subject: Subject, line: tuple[float, float], headline: Window, name: str) -> Markup:
    """Draw a share's estimation returns against the benchmark's, both per session, with the line and the event days.

    Parameters
    ----------
    line : (float, float)
        Intercept and slope of the expected return, per session.
    name : str
        Unique in the page.
    """
    assert subject.firm.fit is not None
    figure, words = blank_figure(*PANEL), Words()
    axes = plain_axes(figure)
    fitted, event = subject.firm.fit.rows, event_rows(subject, headline)
    across, up = (np.concatenate([getattr(rows, name) / rows.span for rows in (fitted, event)]) for name in ("mkt", "ret"))
    _frame(axes, across, up, words, subject)
    _dots(axes, fitted.mkt / fitted.span, fitted.ret / fitted.span)
    ends = np.array(axes.get_xlim())
    axes.plot(ends, line[0] + line[1] * ends, color=INKS["ink"], linewidth=1.2, gid="line")
    taken = _obstacles(axes, event.mkt / event.span, event.ret / event.span, line)
    for place, (mkt, ret, span) in enumerate(zip(event.mkt / event.span, event.ret / event.span, event.span, strict=True)):
        tau = int(event.end[place]) - subject.firm.day0
        axes.vlines(mkt, line[0] + line[1] * mkt, ret, color=INKS["mark"], linewidth=1)
        axes.plot([mkt], [ret], "D", color=INKS["mark"], markersize=5, gid=f"event-{tau}")
        if len(event) <= LABELLED:
            (right, lift), size = _free_place(axes, mkt, ret, taken), TEXT - 1
            away = (right, lift - MIDDLE * size)
            words.write(decimal(tau, 0), "mark", (mkt, ret), axes.transData, away, anchor="middle", size=size)
        words.tell(axes, mkt, ret, _told(subject, tau, int(span), ret, line[0] + line[1] * mkt))
    return inline_svg(figure, name, words, scatter_label(subject, line, headline))


def _obstacles(axes: Axes, across: np.ndarray, up: np.ndarray, line: tuple[float, float]) -> list[np.ndarray]:
    """Return points, in SVG units, that a number should not cover: diamonds, their stems, the fitted line and the zero lines."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    share = np.linspace(0, 1, 150)
    x, y = left + share * (right - left), low + share * (high - low)
    stems = [
        np.column_stack([np.full(20, mkt), np.linspace(line[0] + line[1] * mkt, ret, 20)])
        for mkt, ret in zip(across, up, strict=True)
    ]
    lines = [np.column_stack(pair) for pair in ((x, line[0] + line[1] * x), (x, 0 * x), (0 * y, y))]
    return [axes.transData.transform(np.concatenate([*stems, *lines])), *axes.transData.transform(np.column_stack([across, up]))]


def _free_place(axes: Axes, mkt: float, ret: float, taken: list[np.ndarray]) -> tuple[float, float]:
    """Return where the number of a diamond stands clearest of all else, from the diamond; from then on it is taken, too."""
    own = axes.transData.transform((mkt, ret))
    angles = np.arange(0, 2 * np.pi, np.pi / 8)
    offsets = LABEL_AT * np.column_stack([np.cos(angles), np.sin(angles)])

    def clear(offset: np.ndarray) -> float:
        gaps = [np.hypot(*(np.atleast_2d(points) - own - offset).T).min() for points in taken]
        return float(min(gaps[0], *(gap - HALF_DIAMOND for gap in gaps[1:])))

    best = max(offsets, key=lambda offset: round(clear(offset), 3))
    taken.append(own + best)
    return float(best[0]), float(best[1])


def _told(subject: Subject, tau: int, span: int, ret: float, expected: float) -> str:
    about = {
        "day": day(subject.date(tau), week=False), "session": decimal(tau, 0), "ret": percent(ret), "expected": percent(expected),
    }  # fmt: skip
    if span == 1:
        return _("{day} (session {session}): {ret}, expected {expected}", **about)
    return _(
        "{day} (session {session}): {ret} a session over {span} sessions, expected {expected}", span=span, **about
    )


def _dots(axes: Axes, across: np.ndarray, up: np.ndarray) -> None:
    """Draw all estimation rows as one path of strokes without length: an element each would make the page heavy."""
    points = [point for x, y in zip(across, up, strict=True) for point in ((x, y), (x, y))]
    path = Path(points, [Path.MOVETO, Path.LINETO] * len(across))
    path.should_simplify = False
    axes.add_artist(
        PathPatch(path, fill=False, edgecolor=INKS["firm"], linewidth=3.2, alpha=0.45, capstyle="round", gid="estimation")
    )


def _frame(axes: Axes, across: np.ndarray, up: np.ndarray, words: Words, subject: Subject) -> None:
    for values, limit in ((across, axes.set_xlim), (up, axes.set_ylim)):
        margin = 0.06 * (values.max() - values.min()) + 1e-4
        limit(values.min() - margin, values.max() + margin)
    for ends, write in ((axes.get_xlim(), label_across), (axes.get_ylim(), label_up)):
        steps = round_steps(*ends, 6, STEPS)
        digits = 1 if len(steps) > 1 and steps[1] - steps[0] < 0.01 else 0
        write(axes, words, steps, [percent(step, digits) if abs(step) > 1e-9 else "0" for step in steps])
    axes.axhline(0, color=INKS["muted"], linewidth=0.9)
    axes.axvline(0, color=INKS["rule"], linewidth=0.9)
    under(axes, words, _("return of {benchmark}, a session", benchmark=shortened(subject.benchmark, LONGEST_NAME)))
    above(axes, words, _("share, a session"), "firm")


def scatter_label(subject: Subject, line: tuple[float, float], headline: Window) -> str:
    """Return what the panel shows, in sentences with its numbers."""
    assert subject.firm.fit is not None
    event, count = event_rows(subject, headline), len(subject.firm.fit.rows)
    off = event.ret - line[0] * event.span - line[1] * event.mkt
    told = joined(
        _("{off} at session {session}", off=percent(value, 1), session=decimal(int(end) - subject.firm.day0, 0))
        for value, end in zip(off, event.end, strict=True)
    )
    first = ngettext(
        "{count} estimation return of {firm} against {benchmark} and the line fitted to it, slope {slope}.",
        "{count} estimation returns of {firm} against {benchmark} and the line fitted to them, slope {slope}.",
        count, count=count, firm=subject.name, benchmark=subject.benchmark, slope=decimal(line[1]),
    )  # fmt: skip
    if not told:
        return first
    return f"{first} " + _("Off the line in {window}: {values}.", window=window(headline), values=told)
