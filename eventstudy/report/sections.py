"""The sections of the page, in reading order."""

from __future__ import annotations

from dataclasses import dataclass

from eventstudy.report.language import N_


@dataclass(frozen=True)
class Section:
    """A section of the page, in ``templates/sections/<anchor>.html.j2``.

    `shows` names what it shows among the values handed to the template: a study without it has no such section.
    """

    anchor: str
    title: str
    shows: str = "finding"


SECTIONS = (
    Section("finding", N_("Finding")),
    Section("changes", N_("What changed since the last run"), "changes"),
    Section("dating", N_("What happened, and when the market could react")),
    Section("reach", N_("What a share price can and cannot say")),
    Section("market-reaction", N_("The market’s own reaction")),
    Section("price-section", N_("Prices against the benchmark"), "price_figure"),
    Section("results", N_("Results")),
    Section("robustness", N_("Robustness"), "robustness"),
    Section("cross-section", N_("What goes with the firms’ effects"), "regressions"),
    Section("money", N_("In money"), "money"),
    Section("event-by-event", N_("Event by event"), "event_parts"),
    Section("price-limits", N_("Price limits"), "limits"),
    Section("known-before", N_("What was known before"), "known_before"),
    Section("diagnostics", N_("Diagnostics"), "diagnosis"),
    Section("method", N_("Method")),
    Section("data", N_("Data")),
    Section("provenance", N_("Provenance")),
)
