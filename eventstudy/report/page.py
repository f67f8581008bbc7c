"""Assembles the page: figures and tables in reading order, handed to the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eventstudy.changes import Comparison
from eventstudy.panel.result import PanelResult
from eventstudy.report import (
    daily,
    diagnosis,
    effects,
    figures,
    known_before,
    limits,
    many,
    material,
    money,
    sealed,
    testing,
    trust,
)
from eventstudy.report.averages import average_path
from eventstudy.report.by_event import event_parts
from eventstudy.report.changed import changed_words, told_changes
from eventstudy.report.characteristics import regression_sentences, regression_tables
from eventstudy.report.dating import MOST_TOLD, mappings
from eventstudy.report.finding import expectation, study_finding
from eventstudy.report.language import LANGUAGES, _, ngettext, spoken, written_in
from eventstudy.report.numbers import confidence, decimal, percent, running, window
from eventstudy.report.policy import policy, style_sheet
from eventstudy.report.robustness import robustness
from eventstudy.report.sections import SECTIONS
from eventstudy.report.subjects import FirmName, Reading, Subject
from eventstudy.report.tabular import Table, source_notes
from eventstudy.report.tests_in_words import NULLS, null_name
from eventstudy.report.wording import own_words, sentence, why
from eventstudy.result import StudyResult

PANELS = 12  # more firms than this get no panel of their own
CARS_LISTED = 40  # more firms than this: the headline window only


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


@cache
def environment() -> Environment:
    """Return the template environment: everything that is not markup of ours is escaped."""
    found = Environment(
        loader=PackageLoader("eventstudy.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found.install_gettext_callables(_, ngettext, newstyle=True)  # type: ignore[attr-defined]
    found.filters |= {"running": running, "sentence": sentence}
    found.globals["other_language"] = lambda: "en" if spoken() == "zh" else "zh"  # firms have names in two languages
    return found


def language_parts() -> dict[str, Any]:
    """Return what every page has of its language: style sheet and policy, the name of it, the space between sentences."""
    language = spoken()
    about = LANGUAGES[language]
    return {
        "css": style_sheet(language), "policy": policy(language), "html_language": about.html, "between": about.space,
    }  # fmt: skip


def render_page(
    result: StudyResult, versions: Mapping[str, str] | None, comparison: Comparison | None = None, language: str | None = None
) -> str:
    """Return the page of a study result, in the language that its config asks for unless one is given."""
    with written_in(language or language_of(result)):
        if isinstance(result, PanelResult):
            shown = many.context(result, versions) | language_parts()
            return environment().get_template("many.html.j2").render(shown)
        reading = Reading(result)
        changes = told_changes(reading, comparison) if comparison and comparison.changes else None
        shown = context(reading, versions) | {"changes": changes}
        sections = [section for section in SECTIONS if shown[section.shows]]
        return environment().get_template("report.html.j2").render(shown, sections=sections)


def language_of(result: StudyResult) -> str:
    """Return the language that a study asks for; English for one without a config."""
    return result.spec.report.language if result.spec else "en"


def context(reading: Reading, versions: Mapping[str, str] | None) -> dict[str, Any]:
    """Return everything the template shows."""
    plan = reading.plan
    estimated = any(subject.firm.fit is not None for subject in reading.subjects)
    return language_parts() | {
        "title": reading.title,
        "note": reading.note,
        "finding": study_finding(reading),
        "confidence": confidence(plan.alpha),
        "headline": window(plan.headline_window),
        "scale": reading.scale.kind,
        "unit": reading.scale.unit,
        "expectation": expectation(reading),
        "path_figure": paths_figure(reading) if estimated else None,
        "mappings": _told_mappings(reading),
        "events": material.events(reading),
        "market_sentences": material.market_sentences(reading),
        "market": material.market(reading),
        "model": plan.model,
        "price_figure": price_figure(reading, reading.treated, "prices") if estimated else None,
        "others_figure": others_figure(reading) if estimated else None,
        "tables": _result_tables(reading),
        "event_parts": event_parts(reading),
        "details": _details(reading),
        "robustness": robustness(reading),
        "trust": trust.trust(reading) if estimated else None,
        "tests": testing.tests_in_words(reading),
        "nulls": [(null_name(code), _(words)) for code, words in NULLS.items()],
        "regressions": regression_tables(reading),
        "regression_sentences": regression_sentences(reading),
        "others": [(role, subjects) for role in ("variant", "placebo") if (subjects := reading.with_role(role))],
        "models": material.models(reading),
        "model_sentences": material.model_sentences(reading),
        "limits": limits.limits(reading),
        "known_before": known_before.known_before(reading) if estimated else None,
        "leak_figure": leak_figure(reading) if estimated else None,
        "diagnosis": _diagnosis(reading) if estimated else None,
        "data": material.data(reading),
        "hashes": material.hashes(reading),
        "index_note": material.index_note(reading),
        "data_notes": material.data_notes(reading),
        "exclusions": material.exclusions(reading),
        "confounders": material.confounders(reading),
        "versions": material.provenance(versions),
        "config": material.config_text(reading),
        "seals": sealed.seals(reading),
        "money": money.money_sentences(reading),
    }


def _diagnosis(reading: Reading) -> dict[str, Any]:
    return {
        "summary": diagnosis.summary(reading),
        "meaning": diagnosis.what_it_means(reading),
        "residuals": diagnosis.residuals(reading),
        "windows": diagnosis.windows(reading),
        "placebo": diagnosis.placebo_sensitivity(reading),
        "squares": diagnosis.squares(reading),
    }


def _told_mappings(reading: Reading) -> list[Any]:
    found = mappings(reading.subjects)
    return found if len(found) <= MOST_TOLD else []


def _drawable(subjects: Sequence[Subject]) -> list[Subject]:
    return [subject for subject in subjects if subject.firm.fit is not None][:PANELS]


def paths_figure(reading: Reading) -> Figure:
    """Return the figure that leads: each firm's path, or the average path where there are many firms."""
    return _average_figure(reading) if reading.many else path_figure(reading, reading.treated, "paths")


def path_figure(reading: Reading, subjects: Sequence[Subject], anchor: str) -> Figure:
    """Return the paths of some firms, one panel a firm on common axes."""
    headline, last = reading.plan.headline_window, reading.plan.windows.event[1]
    drawn = _drawable(subjects)
    paths = [subject.path(headline[0], last) for subject in drawn]
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
        )
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
    caption += source_notes(reading, [subject.label for subject in drawn])
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
    caption += source_notes(reading, [subject.label for subject in drawn])
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


def others_figure(reading: Reading) -> Figure | None:
    """Return the paths of the firms that are shown apart; None without any."""
    others = reading.with_role("variant") + reading.with_role("placebo")
    return path_figure(reading, others, "other-paths") if others and len(others) <= PANELS else None


def _result_tables(reading: Reading) -> dict[str, Table]:
    own, apart = effects.groups_apart(reading)
    headline = reading.plan.headline_window
    windows = reading.plan.windows.car if len(reading.treated) <= CARS_LISTED else (headline,)
    found = {
        "detectable": effects.detectable(reading),
        "by_number": trust.by_number(reading),
        "cars": effects.cars(reading, reading.treated, "cars", _("Effects of the treated firms by window"), windows),
        "caar": effects.averages(reading, own, "caar", _("Average effects of the treated firms by window")),
        "clean": effects.clean_windows(reading),
        "tests": testing.tests(
            reading, testing.with_differences(reading, own), [headline], "tests",
            _("Tests of the treated firms over the headline window {window}", window=window(headline)),
        ),
        "money": money.money_amounts(reading),
        "resumption": daily.resumption_returns(reading, reading.subjects),
    }
    captions = {"variant": _("Effects of the variant firms by window"), "placebo": _("Effects of the placebo firms by window")}
    for role, caption in captions.items():
        found[f"cars_{role}"] = effects.cars(reading, reading.with_role(role), f"cars-{role}", caption, windows)
    if apart:
        found["caar_apart"] = effects.averages(reading, apart, "caar-apart", _("Average effects of the groups shown apart"))
        caption = _("The same tests for the groups shown apart, over {window}", window=window(headline))
        groups = testing.with_differences(reading, apart)
        found["tests_apart"] = testing.tests(reading, groups, [headline], "tests-apart", caption)
    return found


def _details(reading: Reading) -> list[tuple[str, Table]]:
    """Return what most readers skip: (summary, table), folded away."""
    own, _apart = effects.groups_apart(reading)
    others = [bounds for bounds in reading.plan.windows.car if bounds != reading.plan.headline_window]
    found = []
    if others:
        caption = _("Tests of the treated firms over the other windows")
        found.append((_("Tests over the other windows"), testing.tests(reading, own, others, "tests-other", caption)))
    found.append((_("Average abnormal returns by session"), daily.average_abnormal_returns(reading)))
    if len(reading.subjects) <= PANELS:
        found += [
            (_("Daily abnormal returns of {firm}", firm=subject.name), daily.abnormal_returns(reading, subject, f"ar-{place}"))
            for place, subject in enumerate(reading.subjects)
            if subject.firm.abnormal is not None
        ]
    return found


def render_runs(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return the page that lists runs."""
    rows = [
        {
            "study": own_words(str(run.get("study", ""))),
            "title": own_words(str(run.get("title", ""))),
            "state": own_words(str(run.get("state", ""))),
            "headline": own_words(str(run.get("told", ""))),
            "changed": changed_words(run.get("changes")),
            "events": run.get("events", ""),
            "excluded": run.get("excluded", ""),
            "href": str(run.get("href", "")),
            "run_id": own_words(str(run.get("run_id", ""))),
        }
        for run in runs
    ]
    return environment().get_template("index.html.j2").render(language_parts(), runs=rows)
