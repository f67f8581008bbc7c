"""The two results a study stands on: one parametric and one by resampling or ranks, named before the fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eventstudy.events import EventFirm
from eventstudy.inference.registry import kind_of
from eventstudy.plan import Plan

MANY_FIRMS = 10  # from here on tests that live on the spread across firms have power and size


@dataclass(frozen=True)
class Headline:
    """The headline tests of a study, and by which rule they are these.

    Parameters
    ----------
    tests : tuple of str
        The parametric one first; fewer than two where the study does not run what the rule would name.
    rule : str
        Where they come from, in words.
    named : bool
        Whether the config names them.
    """

    tests: tuple[str, ...]
    rule: str
    named: bool

    def role(self, test: str, in_headline_window: bool = True) -> str:
        """Return ``headline`` or ``secondary``."""
        return "headline" if in_headline_window and test in self.tests else "secondary"


def checked_headline(names: Sequence[str], tests: Sequence[str]) -> tuple[str, str]:
    """Return two headline tests, the parametric one first.

    Parameters
    ----------
    names : sequence of str
        As a config names them.
    tests : sequence of str
        The tests that the study runs.

    Raises
    ------
    ValueError
        If they are not two tests of the study, one of them parametric.
    """
    for name in names:
        if name not in tests:
            choice = ", ".join(tests)
            raise ValueError(f"headline names {name!r}, which is not among tests: add it there, or choose from {choice}")
    kinds = [kind_of(name) for name in names]
    if len(names) != 2 or kinds.count("parametric") != 1:
        told = ", ".join(f"{name} ({kind})" for name, kind in zip(names, kinds, strict=True)) or "none"
        raise ValueError(
            f"headline takes one parametric test and one by resampling or ranks (found {told}): "
            'such as headline = ["portfolio_t", "placebo_caar"]'
        )
    first, second = sorted(names, key=lambda name: kind_of(name) != "parametric")
    return first, second


def headline_of(plan: Plan, events: Sequence[EventFirm]) -> Headline:
    """Return the headline tests of a study: as named, else by the number of treated firms and their dates.

    Below ten firms the portfolio t (rule C7) and placebo dates (rule C15). From ten on KP-BMP and GRANK (rules C6
    and C13), which bear a change in variance; below ten the one has no power and the other no size. Nothing of the
    data enters, so that the answer is the same before and after they are seen.
    """
    if plan.headline:
        return Headline(plan.headline, "named in the config", True)
    treated = {(event.symbol, event.announcement) for event in events if event.role == "treated"}
    common = len({announcement for _, announcement in treated}) < 2
    return default_headline(plan, len(treated), common)


def default_headline(plan: Plan, firms: int, common: bool) -> Headline:
    """Return the headline tests by the number of treated firms and whether they share one date."""
    if firms >= MANY_FIRMS:
        return Headline(_first_of(plan, ("kp_bmp",), ("grank", "placebo_caar")), "default from ten firms on", False)
    dates = "one common date" if common else "differing dates"
    return Headline(
        _first_of(plan, ("portfolio_t",), ("placebo_caar",)), f"default for fewer than ten firms on {dates}", False
    )


def _first_of(plan: Plan, *preferred: tuple[str, ...]) -> tuple[str, ...]:
    """Return of each preference the first test that the study runs."""
    found = (next((name for name in names if name in plan.tests), "") for names in preferred)
    return tuple(name for name in found if name)
