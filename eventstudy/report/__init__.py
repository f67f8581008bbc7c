"""The page of a study: one self-contained HTML file, readable without a network and without scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eventstudy.changes import Comparison
from eventstudy.report.compared import render_comparison
from eventstudy.report.finding import study_finding
from eventstudy.report.numbers import running
from eventstudy.report.page import render_page
from eventstudy.report.run_list import render_runs
from eventstudy.report.subjects import Reading
from eventstudy.report.two_readings import two_readings
from eventstudy.result import StudyResult

__all__ = ["finding", "render_comparison", "render_index", "render_report"]


def render_report(
    result: StudyResult,
    versions: Mapping[str, str] | None = None,
    comparison: Comparison | None = None,
    language: str | None = None,
) -> str:
    """Return the whole page of a study, to be written as UTF-8.

    Parameters
    ----------
    result : StudyResult
    versions : mapping of str to str, optional
        Names and versions to print as provenance; default those running. Nothing else in the page depends
        on anything but the result.
    comparison : Comparison, optional
        What changed since the last run; without a change the page says nothing of earlier runs.
    language : {"en", "zh"}, optional
        Of the page; default what the study's config asks for, English for a study without one.
    """
    return render_page(result, versions, comparison, language)


def render_index(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return the page that lists runs.

    Parameters
    ----------
    runs : sequence of mappings
        Manifests with a relative ``href`` each, in the order to be shown. The page is Chinese where the page of every run is.
    """
    return render_runs(runs)


def finding(result: StudyResult) -> list[str]:
    """Return the finding in plain words, as the page gives it: question, answer, readings of a date, power, average, chance."""
    reading = Reading(result)
    found, both = study_finding(reading), two_readings(reading, reading.plan.headline_window)
    return [found.question, running((found.answer, found.suspended)), *both, *found.power, *found.average, *found.chance]
