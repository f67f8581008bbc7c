"""The page that lists runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eventstudy.report.changed import changed_words
from eventstudy.report.templating import environment, language_parts
from eventstudy.report.wording import own_words


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
