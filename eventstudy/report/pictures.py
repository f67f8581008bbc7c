"""The figures of the page with their captions: which firms are drawn, and what stands under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eventstudy.report import figures, scatter
from eventstudy.report.averages import average_path
from eventstudy.report.language import _
from eventstudy.report.numbers import confidence, decimal, percent, window
from eventstudy.report.placebo_figure import placebo_caption, placebo_figure
from eventstudy.report.subjects import FirmName, Reading, Subject
from eventstudy.report.tabular import source_notes
from eventstudy.report.wording import why

PANELS = 12  # more firms than this get no panel of their own


@dataclass(frozen=True)
class Panel:
    """One firm's picture, with its name above it."""

    label: FirmName
    svg: Markup
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """Pictures under one caption."""

    anchor: str
    panels: tuple[Panel, ...]
    caption: tuple[str, ...]
    wide: bool = False


def _drawable(subjects: Sequence[Subject]) -> list[Subject]:
    return [subject for subject in subjects if subject.firm.fit is not None][:PANELS]


def paths_figure(reading: Reading) -> Figure | None:
    """Return the figure that leads: each firm's path, or the average path where there are many firms."""
    return _average_figure(reading) if reading.many else path_figure(reading, reading.treated, "paths")


def path_figure(reading: Reading, subjects: Sequence[Subject], anchor: str) -> Figure | None:
    """Return the paths of some firms, one panel a firm on common axes; None where none of them has a value."""
    headline, last = reading.plan.headline_window, reading.plan.windows.event[1]
    drawn = _drawable(subjects)
    paths = [subject.path(headline[0], last) for subject in drawn]
    if not any(path.taus for path in paths):
        return None
    bounds = figures.effect_bounds(paths)
    panels = tuple(
        Panel(
            subject.label,
            figures.path_panel(subject, path, headline, last, bounds, f"{anchor}-{place}"),
            "" if path.taus else _("No path: {reason}", reason=reading_reason(subject, (headline[0], last))),
        )
        for place, (subject, path) in enumerate(zip(drawn, paths, strict=True))
    )
    start = decimal(headline[0], 0)
    caption = [
        _(
            "Effect from session {start} to each session of the event window, with its {level} confidence band; the marked point "
            "is the headline window {window}. Every path starts at zero at the close before session {start}, so that each point "
            "is the whole effect up to there.",
            start=start, level=confidence(reading.plan.alpha), window=window(headline),
        ),
        _(
            "Session 0 is the event session, and {window} are the sessions from {first} to {last}, both included.",
            window=window(headline), first=start, last=decimal(headline[1], 0),
        ),
    ]  # fmt: skip
    if any(subject.suspended_taus(headline[0], last) for subject in drawn):
        caption.append(
            _(
                "Shaded: suspended, no price. A dashed line bridges the gap from the last trade to the first after it; along "
                "it there are no values, and in particular no zeros."
            )
        )
    if any(headline[0] <= tau <= last for subject in drawn for tau, _label in subject.firm.confounders):
        caption.append(
            _("Dotted line: first session after other news of that firm; from there on the path is not that of the event alone.")
        )
    if any(effect.censored for path in paths for effect in path.effects):
        caption.append(_("Triangles mark closes at the daily price limit: there the price was still held back."))
    caption += source_notes([subject.label for subject in drawn])
    return Figure(anchor, panels, tuple(caption))


def reading_reason(subject: Subject, bounds: tuple[int, int]) -> str:
    """Return why a firm has no value over a window, in words."""
    found = subject.sum_over(bounds)
    code = found.reason if found is not None else "provisional"
    return _("{reason}.", reason=why(code))


def _average_figure(reading: Reading) -> Figure:
    headline, last = reading.plan.headline_window, reading.plan.windows.event[1]
    members = tuple(subject for subject in reading.treated if subject.effect(headline) is not None)
    path = average_path(reading, members, headline[0], last)
    single = [subject.path(headline[0], last) for subject in members]
    where = path.effects[path.taus.index(headline[1])] if headline[1] in path.taus else None
    count = reading.counted_words(len(members))
    if where:
        label = _(
            "Average effect over {cases}: {effect} over {window}.",
            cases=count, effect=percent(where.value, 1), window=window(headline),
        )  # fmt: skip
    else:
        label = _("Average effect over {cases}.", cases=count)
    svg = figures.average_panel(path, single, headline, last, "paths-average", label)
    caption = (
        _(
            "Average effect of the {cases} with a CAR over {window} (thick, with its {level} band) and of each single one "
            "(thin). The set is the same at every point; sessions on which one of them has no value are bridged by a dashed "
            "line.",
            cases=count, window=window(headline), level=confidence(reading.plan.alpha),
        ),
    )
    return Figure("paths", (Panel(FirmName(count), svg),), caption, wide=True)


def price_figure(reading: Reading, subjects: Sequence[Subject], anchor: str) -> Figure | None:
    """Return prices against the benchmark, one panel a firm; None where there are too many firms."""
    event = reading.plan.windows.event
    drawn = [subject for subject in _drawable(subjects) if figures.has_prices(subject, event)]
    if len(subjects) > PANELS or not drawn:
        return None
    panels = tuple(
        Panel(subject.label, figures.price_panel(subject, event, f"{anchor}-{place}")) for place, subject in enumerate(drawn)
    )
    caption = [
        _(
            "Value of a share with its dividends, and the benchmark, both 100 at the last close before the event session "
            "that both have. The vertical line marks the event session."
        )
    ]
    if any(subject.suspended_taus(event[0], event[1]) for subject in drawn):
        caption.append(_("Shaded: suspended, no price."))
    if any(figures.limit_closes(subject, event) for subject in drawn):
        caption.append(_("Triangles mark closes at the daily price limit, up or down."))
    caption += source_notes([subject.label for subject in drawn])
    return Figure(anchor, panels, tuple(caption))


def leak_figure(reading: Reading) -> Figure | None:
    """Return the time line from each leak to the end of the event window; None without leaks, or with too many."""
    by_key = {subject.firm.key: subject for subject in reading.subjects if subject.firm.fit is not None}
    pairs = [pair for pair in reading.result.known_before.pairs if pair.firm.key in by_key]
    if not pairs or len(pairs) > PANELS:
        return None
    last = reading.plan.windows.event[1]
    drawn = [(by_key[pair.firm.key], pair) for pair in pairs]
    panels = tuple(
        Panel(subject.label, figures.leak_panel(subject, pair, last, f"leak-line-{place}"))
        for place, (subject, pair) in enumerate(drawn)
    )
    caption = [
        _(
            "Value of the share with its dividends over the value of its benchmark, 100 at the last close before the leak. "
            "The vertical lines mark the leak and the event session. Shaded: suspended, no price."
        )
    ]
    if any(pair.firm.masked.any() for pair in pairs):
        caption.append(_("Squares at the foot: sessions left out of the estimation."))
    caption.append(_("The benchmark is taken off one for one, without a model: for the effects see the table."))
    return Figure("leak-lines", panels, tuple(caption), wide=True)


def estimation_figure(reading: Reading) -> Figure | None:
    """Return the fitted line of every treated firm; None where the model is no line, or there are too many firms."""
    drawn = _drawable(reading.treated)
    lines = [scatter.fitted_line(reading.plan.model, subject.firm.fit) for subject in drawn if subject.firm.fit is not None]
    if len(reading.treated) > PANELS or not drawn or None in lines:
        return None
    headline = reading.plan.headline_window
    panels = tuple(
        Panel(subject.label, scatter.scatter_panel(subject, line, headline, f"estimation-{place}"))
        for place, (subject, line) in enumerate(zip(drawn, lines, strict=True))
        if line is not None
    )
    caption = _(
        "Each dot is a return of the estimation window, the share’s against the benchmark’s; the line is what the model expects. "
        "Diamonds: the days of the headline window {window}, numbered from the event session; their distance from the line is "
        "the abnormal return. A return over several sessions is shown per session, so that there the distance is the abnormal "
        "return over their number.",
        window=window(headline),
    )  # fmt: skip
    return Figure("estimation", panels, (caption, *source_notes([subject.label for subject in drawn])))


def placebo_dates(reading: Reading) -> Figure | None:
    """Return the figure of placebo dates; None where the study draws none."""
    svg = placebo_figure(reading)
    return Figure("placebo-figure", (Panel(FirmName(""), svg),), placebo_caption(reading), wide=True) if svg else None


def others_figure(reading: Reading) -> Figure | None:
    """Return the paths of the firms that are shown apart; None without any."""
    others = reading.with_role("variant") + reading.with_role("placebo")
    return path_figure(reading, others, "other-paths") if others and len(others) <= PANELS else None
