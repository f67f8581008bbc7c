"""The sections of the page, in reading order."""

from __future__ import annotations

from dataclasses import dataclass

from eventstudy.report.language import N_


@dataclass(frozen=True)
class Section:
    """A section of the page, in ``templates/sections/<anchor>.html.j2``.

    `shows` names what it shows among the values handed to the template: a study without it has no such section. `under` names
    the section that the list of contents puts it under.
    """

    anchor: str
    title: str
    shows: str = "finding"
    under: str = ""


SECTIONS = (
    Section("finding", N_("Finding")),
    Section("changes", N_("What changed since the last run"), "changes"),
    Section("dating", N_("What happened, and when the market could react")),
    Section("data", N_("Data")),
    Section("method", N_("Method")),
    Section("reach", N_("What a share price can and cannot say"), under="method"),
    Section("results", N_("Results")),
    Section("price-section", N_("Prices against the benchmark"), "price_figure", under="results"),
    Section("market-reaction", N_("The market’s own reaction"), under="results"),
    Section("event-by-event", N_("Event by event"), "event_parts", under="results"),
    Section("money", N_("In money"), "money", under="results"),
    Section("price-limits", N_("Price limits"), "limits", under="results"),
    Section("known-before", N_("What was known before"), "known_before", under="results"),
    Section("cross-section", N_("What goes with the firms’ effects"), "regressions", under="results"),
    Section("robustness", N_("Robustness"), "robustness"),
    Section("diagnostics", N_("Diagnostics"), "diagnosis"),
    Section("provenance", N_("Provenance")),
)
