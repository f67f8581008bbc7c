"""Assembles the page: figures and tables in reading order, handed to the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eventstudy.changes import Comparison
from eventstudy.panel.result import PanelResult
from eventstudy.report import (
    daily,
    diagnosis,
    effects,
    known_before,
    limits,
    many,
    material,
    money,
    pictures,
    sealed,
    testing,
    trust,
)
from eventstudy.report.by_event import event_parts
from eventstudy.report.changed import told_changes
from eventstudy.report.characteristics import regression_sentences, regression_tables
from eventstudy.report.dating import MOST_TOLD, mappings
from eventstudy.report.finding import expectation, study_finding
from eventstudy.report.language import _, written_in
from eventstudy.report.numbers import confidence, window
from eventstudy.report.robustness import robustness
from eventstudy.report.sections import SECTIONS
from eventstudy.report.subjects import Reading
from eventstudy.report.tabular import Table
from eventstudy.report.templating import environment, language_parts
from eventstudy.report.tests_in_words import NULLS, null_name
from eventstudy.report.two_readings import two_readings
from eventstudy.result import StudyResult

CARS_LISTED = 40  # more firms than this: the headline window only


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
        "two_readings": two_readings(reading, plan.headline_window),
        "confidence": confidence(plan.alpha),
        "headline": window(plan.headline_window),
        "scale": reading.scale.kind,
        "unit": reading.scale.unit,
        "expectation": expectation(reading),
        "path_figure": pictures.paths_figure(reading) if estimated else None,
        "mappings": _told_mappings(reading),
        "events": material.events(reading),
        "market_sentences": material.market_sentences(reading),
        "market": material.market(reading),
        "model": plan.model,
        "price_figure": pictures.price_figure(reading, reading.treated, "prices") if estimated else None,
        "others_figure": pictures.others_figure(reading) if estimated else None,
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
        "estimation_figure": pictures.estimation_figure(reading) if estimated else None,
        "placebo_figure": pictures.placebo_dates(reading) if estimated else None,
        "leak_figure": pictures.leak_figure(reading) if estimated else None,
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


def _result_tables(reading: Reading) -> dict[str, Table]:
    own, apart = effects.groups_apart(reading)
    averaged = own if len(reading.treated) > 1 else []  # a mean of one firm would repeat it
    headline = reading.plan.headline_window
    windows = reading.plan.windows.car if len(reading.treated) <= CARS_LISTED else (headline,)
    found = {
        "detectable": effects.detectable(reading),
        "by_number": trust.by_number(reading),
        "cars": effects.cars(reading, reading.treated, "cars", _("Effects of the treated firms by window"), windows),
        "caar": effects.averages(reading, averaged, "caar", _("Average effects of the treated firms by window")),
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
    if len(reading.subjects) <= pictures.PANELS:
        found += [
            (_("Daily abnormal returns of {firm}", firm=subject.name), daily.abnormal_returns(reading, subject, f"ar-{place}"))
            for place, subject in enumerate(reading.subjects)
            if subject.firm.abnormal is not None
        ]
    return found
