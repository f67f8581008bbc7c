"""The page that lists runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from eventstudy.report.changed import changed_words
from eventstudy.report.language import N_, _, spoken, written_in
from eventstudy.report.numbers import interval, percent, whole, window
from eventstudy.report.templating import environment, language_parts
from eventstudy.report.wording import own_words

STATES = {"complete": N_("complete"), "provisional": N_("provisional")}


def headline_lines(run: Mapping[str, Any]) -> list[str]:
    """Return the headline effects of a run with their intervals; what its manifest says in words where it names none."""
    mean = run.get("mean")
    if mean:
        told = _with_interval(mean, _("{effect} on average", effect=percent(mean["effect"], 1)))
        return [_("{effect}, N = {number}", effect=told, number=whole(mean["n"]))]
    lines = []
    for one in run.get("effects") or []:
        name = (one.get("firm_zh") if spoken() == "zh" else "") or one["firm"]
        lines.append(_with_interval(one, f"{own_words(name)} {percent(one['effect'], 1)}"))
    return lines if lines and run.get("headline") else [own_words(str(run.get("told", "")))]


def _with_interval(found: Mapping[str, Any], told: str) -> str:
    low, high = (math.nan if found[end] is None else found[end] for end in ("ci_low", "ci_high"))
    between = interval(low, high, 1)
    return _("{effect} ({interval})", effect=told, interval=between) if between else told


def language_of_runs(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return Chinese where the page of every run is Chinese, else English."""
    return "zh" if runs and all(run.get("language") == "zh" for run in runs) else "en"


def render_runs(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return the page that lists runs."""
    with written_in(language_of_runs(runs)):
        return environment().get_template("index.html.j2").render(language_parts(), runs=[_row(run) for run in runs])


def _row(run: Mapping[str, Any]) -> dict[str, Any]:
    about, state = run.get("headline"), str(run.get("state", ""))
    sessions = dict.fromkeys(str(session) for session in run.get("sessions") or [])
    return {
        "study": own_words(str(run.get("study", ""))),
        "title": own_words(str(run.get("title", ""))),
        "state": _(STATES[state]) if state in STATES else own_words(state),
        "created": str(run.get("created", ""))[:16].replace("T", " "),
        "sessions": list(sessions),
        "headline": headline_lines(run),
        "window": window(tuple(about["window"])) if about else "",
        "changed": changed_words(run.get("changes")),
        "events": whole(run.get("events")),
        "excluded": whole(run.get("excluded")),
        "href": str(run.get("href", "")),
        "run_id": own_words(str(run.get("run_id", ""))),
    }
