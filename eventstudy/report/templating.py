"""How the pages are written: the templates, and what every page has of its language."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from eventstudy.report.language import LANGUAGES, _, ngettext, spoken
from eventstudy.report.numbers import running
from eventstudy.report.policy import policy, script, style_sheet
from eventstudy.report.wording import sentence


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
    """Return what every page has of its language: what it brings along, its name, the space between sentences."""
    language = spoken()
    return {
        "css": style_sheet(language),
        "policy": policy(language),
        "script": script(),
        "tool_words": {  # what the script adds to tables
            "csv": _("Copy as CSV"),
            "latex": _("Copy as LaTeX"),
            "copied": _("Copied."),
            "refused": _("The browser did not allow it."),
            "firm": _("Firm"),
            "group": _("Heading"),
        },
        "html_language": LANGUAGES[language].html,
        "between": LANGUAGES[language].space,
    }
