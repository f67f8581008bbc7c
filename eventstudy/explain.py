"""Attributes the difference between another tool's CARs and ours to named conventions.

Each convention is switched on alone, then in pairs. One that gives their number to the last digit they print
explains it; among several, the one that does so for most firms, since a tool treats its firms alike.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from eventstudy.conventions import CONVENTIONS, Convention
from eventstudy.errors import ConfigError
from eventstudy.setting import Fits, Outcome, Setting, evaluate, evaluate_mean, own_setting
from eventstudy.study import ALL, UNCONFOUNDED, Computation, FirmStudy
from eventstudy.theirs import TheirCar

LIKELY_CHANCE = 0.05  # more matches than this are to be expected of any number at its precision

Names = tuple[str, ...]


@dataclass(frozen=True)
class Attempt:
    """Our number under some conventions; `reproduces` tells whether it is theirs to the digits they give."""

    conventions: tuple[Convention, ...]
    outcome: Outcome
    reproduces: bool
    distance: float

    @property
    def names(self) -> Names:
        """Names of the conventions."""
        return tuple(convention.name for convention in self.conventions)


@dataclass(frozen=True)
class Attribution:
    """What explains one number of theirs.

    Parameters
    ----------
    verdict : str
        ``agrees``, ``convention``, ``pair``, ``perhaps`` (a match that chance may have made), ``unexplained``,
        ``unknown_firm`` or ``no_ours``.
    best : Attempt or None
        What explains it, or what comes closest.
    rivals : tuple of Attempt
        Others of as few conventions that reproduce the number.
    attempts : tuple of Attempt
        Everything tried.
    reason : str
        Why there is no CAR of ours.
    """

    theirs: TheirCar
    firm: FirmStudy | None
    verdict: str
    ours: Outcome
    best: Attempt | None = None
    rivals: tuple[Attempt, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    reason: str = ""


def explain(study: Computation, theirs: Sequence[TheirCar]) -> list[Attribution]:
    """Return what explains each of their CARs.

    Raises
    ------
    ConfigError
        If a label fits several events of the study and the table does not say which.
    """
    tried = [_tried(study, item) for item in theirs]
    found: list[Attribution] = []
    for depth in (0, 1, 2):
        for place, item in enumerate(tried):
            if isinstance(item, _Open) and not any(attempt.reproduces for attempt in item.attempts):
                tried[place] = item.deeper(depth)
    counts = Counter(
        attempt.names for item in tried if isinstance(item, _Open) for attempt in item.attempts if attempt.reproduces
    )
    for item in tried:
        found.append(item.attribution(counts) if isinstance(item, _Open) else item)
    return found


@dataclass(frozen=True)
class _Open:
    """A number still to be explained, with what was tried so far."""

    theirs: TheirCar
    firm: FirmStudy | None
    settings: tuple[Setting, ...]
    attempts: tuple[Attempt, ...] = ()

    def deeper(self, depth: int) -> _Open:
        """Try every set of so many conventions."""
        wanted = [convention for convention in CONVENTIONS if self._matters(convention)]
        switched = {convention: _switch(self.settings, convention) for convention in wanted} if depth else {}
        fits = Fits()
        made = []
        for chosen in combinations(wanted, depth):
            if len({convention.about for convention in chosen}) == depth:
                changed: tuple[Setting, ...] | None = switched[chosen[0]] if depth else self.settings
                for convention in chosen[1:]:
                    changed = _switch(changed, convention) if changed is not None else None
                if changed is not None:
                    outcome = evaluate(changed[0], fits) if self.firm is not None else evaluate_mean(changed, fits)
                    made.append(Attempt(chosen, outcome, *self._compared(outcome)))
        return _Open(self.theirs, self.firm, self.settings, (*self.attempts, *made))

    def _matters(self, convention: Convention) -> bool:
        told = {name for name, _ in self.theirs.further}
        if convention.moves == "average":
            return self.firm is None
        shows = {"p_value"} if convention.about == "reference" else {"se", "t", "p_value"}
        return convention.moves == "car" or bool(told & shows)

    def _compared(self, outcome: Outcome) -> tuple[bool, float]:
        """Return whether an outcome is theirs, and how far it is from it, in units of their numbers' size."""
        pairs = [(self.theirs.car, outcome.car)] + [(figure, getattr(outcome, name)) for name, figure in self.theirs.further]
        if any(np.isnan(value) for _, value in pairs):
            return False, np.inf
        gaps = [abs(value - figure.value) / max(abs(figure.value), figure.half, 1e-12) for figure, value in pairs]
        return all(figure.agrees(value) for figure, value in pairs), round(float(sum(gaps)), 9)

    def attribution(self, counts: Counter[Names]) -> Attribution:
        """Choose what explains the number."""
        ours = self.attempts[0].outcome
        matches = [attempt for attempt in self.attempts if attempt.reproduces]
        if not matches:
            closest = min(self.attempts[1:], key=lambda attempt: attempt.distance, default=None)
            return Attribution(self.theirs, self.firm, "unexplained", ours, closest, (), self.attempts)
        best = max(matches, key=lambda attempt: (counts[attempt.names], _shared(counts, attempt), -attempt.distance))
        if not best.conventions:
            return Attribution(self.theirs, self.firm, "agrees", ours, best, (), self.attempts)
        verdict = "convention" if len(best.conventions) == 1 else "pair"
        if counts[best.names] < 2 and self._by_chance(len(best.conventions)) > LIKELY_CHANCE:
            verdict = "perhaps"
        rivals = tuple(attempt for attempt in matches if attempt is not best)
        return Attribution(self.theirs, self.firm, verdict, ours, best, rivals, self.attempts)

    def _by_chance(self, depth: int) -> float:
        """Return how many of the attempts any number in their range would match at this precision."""
        values = np.array([[a.outcome.car, a.outcome.se] for a in self.attempts if len(a.conventions) <= depth])
        figures = {"car": self.theirs.car} | dict(self.theirs.further)
        share = 1.0
        kept = values[np.isfinite(values).all(axis=1)] if "se" in figures else values[np.isfinite(values[:, 0])]
        for column, name in enumerate(("car", "se")):
            if name in figures and len(kept):
                low, high = np.quantile(kept[:, column], [0.05, 0.95])
                share *= min(1.0, 2 * figures[name].half / max(high - low, 1e-12))
        return share * len(np.unique(kept.round(12), axis=0))


def _switch(settings: tuple[Setting, ...], convention: Convention) -> tuple[Setting, ...] | None:
    """Switch a convention on for each setting that it changes; None where it changes none."""
    moved = [convention.change(setting) for setting in settings]
    if all(setting is None for setting in moved):
        return None
    return tuple(new if new is not None else old for new, old in zip(moved, settings, strict=True))


def _shared(counts: Counter[Names], attempt: Attempt) -> int:
    """Return for how many firms, over all sets, the conventions of an attempt are among those that reproduce a number."""
    return sum(count for names, count in counts.items() if set(names) & set(attempt.names))


def _tried(study: Computation, item: TheirCar) -> _Open | Attribution:
    plan = study.inputs.plan
    group = item.label or ALL
    average = group in study.groups
    firms = list(study.groups[group]) if average else _firms_called(study, item)
    if group == UNCONFOUNDED:
        firms = [firm for firm in firms if not firm.confounded_by(item.window)]
    if not firms:
        left_out = [gone for gone in study.exclusions if _same(gone.symbol, item.label)]
        reason = f"excluded: {left_out[0].detail}" if left_out else ""
        return Attribution(item, None, "no_ours" if left_out else "unknown_firm", Outcome(), reason=reason)
    known = [firm for firm in firms if firm.fit is not None]
    if not known:
        return Attribution(item, firms[0], "no_ours", Outcome(), reason="the estimation window still lies ahead")
    settings = tuple(own_setting(firm, plan, item.window) for firm in known)
    return _Open(item, None if average else known[0], settings)


def _firms_called(study: Computation, item: TheirCar) -> list[FirmStudy]:
    found = [firm for firm in study.firms if _same(firm.key[1], item.label) or _same(firm.settings.name, item.label)]
    if item.event_id:
        found = [firm for firm in found if firm.key[0] == item.event_id] or (found if len(found) == 1 else [])
    if len(found) > 1:
        events = ", ".join(firm.key[0] for firm in found)
        raise ConfigError(f"{item.label} has several events ({events}): add a column event_id to their table")
    return found


def _same(ours: str, label: str) -> bool:
    """Whether a label means a firm: by symbol or name, whatever the case, the suffix and leading zeros."""
    if not ours:
        return False
    spellings = {ours.lower(), ours.lower().partition(".")[0], ours.lower().partition(".")[0].lstrip("0")}
    return re.sub(r"\.0$", "", label.strip().lower()) in spellings


def matrix(found: Sequence[Attribution]) -> pd.DataFrame:
    """Return everything tried, one row a number of theirs and set of conventions."""
    columns = [
        "label", "event_id", "symbol", "window_start", "window_end", "conventions", "car", "se_car", "t", "p_value", "their_car",
        "difference", "reproduces", "reason",
    ]  # fmt: skip
    rows = []
    for item in found:
        for attempt in item.attempts:
            got = attempt.outcome
            rows.append(
                {
                    "label": item.theirs.label or ALL,
                    "event_id": item.firm.key[0] if item.firm else "",
                    "symbol": item.firm.key[1] if item.firm else ALL,
                    "window_start": item.theirs.window[0],
                    "window_end": item.theirs.window[1],
                    "conventions": " + ".join(attempt.names) or "ours",
                    "car": got.car,
                    "se_car": got.se,
                    "t": got.t,
                    "p_value": got.p_value,
                    "their_car": item.theirs.car.value,
                    "difference": item.theirs.car.value - got.car,
                    "reproduces": attempt.reproduces,
                    "reason": got.reason,
                }
            )
    return pd.DataFrame(rows, columns=columns)
