"""The figure of the estimation: a share's returns against the benchmark's, the fitted line, and the event days off it."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from eventstudy.models.base import Fit
from eventstudy.report.figures import PANEL, round_steps
from eventstudy.report.language import _, ngettext
from eventstudy.report.numbers import day, decimal, joined, percent, window
from eventstudy.report.subjects import Subject
from eventstudy.report.svg import MIDDLE, TEXT, Axes, Drawing
from eventstudy.returns import Rows
from eventstudy.windows import Window

LINES = {"market": (0.0, 0.0), "mean": (0.0, 0.0), "market_adjusted": (0.0, 1.0)}  # intercept and slope where not estimated
STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
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
    drawing = Drawing(name, *PANEL)
    fitted, event = subject.firm.fit.rows, event_rows(subject, headline)
    across, up = (np.concatenate([getattr(rows, kind) / rows.span for rows in (fitted, event)]) for kind in ("mkt", "ret"))
    axes = _frame(drawing, across, up, subject)
    dots = [(x, y, x, y) for x, y in zip(fitted.mkt / fitted.span, fitted.ret / fitted.span, strict=True)]
    axes.strokes(dots, "firm", 3.2, "estimation", cap="round", opacity=0.45)  # dots are strokes without length
    axes.rule(0, "muted", 0.9)
    axes.post(0, "rule", 0.9)
    ends = np.array(axes.across)
    axes.line(ends, line[0] + line[1] * ends, "ink", 1.2, name="line")
    for place, (mkt, ret, span) in enumerate(zip(event.mkt / event.span, event.ret / event.span, event.span, strict=True)):
        tau = int(event.end[place]) - subject.firm.day0
        axes.line([mkt, mkt], [line[0] + line[1] * mkt, ret], "mark", 1, cap="")
        axes.points([mkt], [ret], "mark", 5, f"event-{tau}", shape="diamond")
        if len(event) <= LABELLED:
            ((x, y),) = axes.place([mkt], [ret])
            axes.write(decimal(tau, 0), x + 7, y + MIDDLE * (TEXT - 1), "mark", size=TEXT - 1)
        axes.tell(mkt, ret, _told(subject, tau, int(span), ret, line[0] + line[1] * mkt))
    return drawing.svg(scatter_label(subject, line, headline))


def _told(subject: Subject, tau: int, span: int, ret: float, expected: float) -> str:
    about = {
        "day": day(subject.date(tau), week=False), "session": decimal(tau, 0), "ret": percent(ret), "expected": percent(expected),
    }  # fmt: skip
    if span == 1:
        return _("{day} (session {session}): {ret}, expected {expected}", **about)
    return _(
        "{day} (session {session}): {ret} a session over {span} sessions, expected {expected}", span=span, **about
    )


def _frame(drawing: Drawing, across: np.ndarray, up: np.ndarray, subject: Subject) -> Axes:
    axes = drawing.axes(_ends(across), _ends(up))
    for ends, label in ((axes.across, axes.ticks), (axes.up, axes.levels)):
        steps = round_steps(*ends, 6, STEPS)
        digits = 1 if len(steps) > 1 and steps[1] - steps[0] < 0.01 else 0
        label(steps, [percent(step, digits) if abs(step) > 1e-9 else "0" for step in steps])
    axes.foot(_("return of {benchmark}, a session", benchmark=subject.benchmark))
    axes.above(_("share, a session"), "firm")
    return axes


def _ends(values: np.ndarray) -> tuple[float, float]:
    margin = 0.06 * (values.max() - values.min()) + 1e-4
    return float(values.min() - margin), float(values.max() + margin)


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
