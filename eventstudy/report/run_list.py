"""The page that lists runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eventstudy.report.changed import changed_words
from eventstudy.report.numbers import interval, percent, window
from eventstudy.report.templating import environment, language_parts
from eventstudy.report.wording import own_words


def headline_words(run: Mapping[str, Any]) -> str:
    """Return the headline effects of a run with their intervals; what its manifest says in words where it names none."""
    effects, about = run.get("effects"), run.get("headline")
    if not effects or not about:
        return str(run.get("told", ""))
    told = [f"{one['firm']} {percent(one['effect'], 1)} ({interval(one['ci_low'], one['ci_high'], 1)})" for one in effects]
    return f"{'; '.join(told)}; {window(tuple(about['window']))}"


def render_runs(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return the page that lists runs."""
    rows = [
        {
            "study": own_words(str(run.get("study", ""))),
            "title": own_words(str(run.get("title", ""))),
            "state": own_words(str(run.get("state", ""))),
            "created": str(run.get("created", ""))[:16].replace("T", " "),
            "headline": own_words(headline_words(run)),
            "changed": changed_words(run.get("changes")),
            "events": run.get("events", ""),
            "excluded": run.get("excluded", ""),
            "href": str(run.get("href", "")),
            "run_id": own_words(str(run.get("run_id", ""))),
        }
        for run in runs
    ]
    return environment().get_template("index.html.j2").render(language_parts(), runs=rows)
