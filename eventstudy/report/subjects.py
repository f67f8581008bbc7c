"""A computed study as the page reads it: firms with their names, notes, effects and paths."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.abnormal import CumulativeReturn, cumulate
from eventstudy.headline import Headline, headline_of
from eventstudy.plan import Plan, StudyInputs
from eventstudy.report.language import _, spoken
from eventstudy.report.numbers import Scale, day, in_words, joined
from eventstudy.report.wording import own_words, said
from eventstudy.result import StudyResult
from eventstudy.study import ALL, UNCONFOUNDED, Computation, FirmStudy
from eventstudy.trading import SUSPENDED
from eventstudy.windows import Window

ByTest = dict[tuple[str, Window, str], dict[Any, Any]]  # rows by group, window and name of the test
MANY = 6  # more treated firms than this are summarised, not listed


@dataclass(frozen=True)
class FirmName:
    """A firm as tables name it: in the language of the page, beside it in the other one where it has a name there.

    `notes` are the letters of the data notes that belong to it.
    """

    name: str
    other: str = ""
    symbol: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Effect:
    """A cumulative abnormal return read as a change in value, with its confidence interval.

    `censored` is ``down`` or ``up`` where the window ends on a close at the price limit, so that the price
    was still held back (rule D4); empty elsewhere.
    """

    value: float
    low: float
    high: float
    censored: str = ""

    @property
    def direction(self) -> str:
        """``fall`` or ``rise`` where the whole interval lies on one side of zero, else ``open``."""
        return "fall" if self.high < 0 else "rise" if self.low > 0 else "open"


@dataclass(frozen=True)
class CarPath:
    """Effect over [start, tau] at every tau where that CAR is defined.

    The first point is the close before `start`, where nothing has happened yet. Sessions without a value
    are absent, so that a line between neighbours of `taus` more than one apart bridges a gap.
    """

    start: int
    taus: tuple[int, ...]
    effects: tuple[Effect, ...]

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """Pairs of neighbouring points with sessions without a value between them."""
        return tuple((a, b) for a, b in zip(self.taus, self.taus[1:], strict=False) if b - a > 1)


@dataclass(frozen=True)
class Subject:
    """One firm of one event, as the page shows it."""

    firm: FirmStudy
    label: FirmName
    benchmark: str
    scale: Scale
    alpha: float

    @property
    def name(self) -> str:
        """Name for sentences."""
        return self.label.name

    def cumulative(self, window: Window) -> CumulativeReturn:
        """Return the CAR of one of the study's windows, defined or not."""
        return self.firm.cumulative[window]

    def effect(self, window: Window) -> Effect | None:
        """Return the CAR of a window as a change in value; None where it is undefined."""
        return self._effect(self.cumulative(window))

    def sum_over(self, window: Window) -> CumulativeReturn | None:
        """Return the CAR over any window; None where nothing is estimated yet."""
        firm = self.firm
        if firm.fit is None:
            return None
        return cumulate(firm.fit, firm.listing, firm.rows, firm.day0, window, self.alpha)

    def _effect(self, found: CumulativeReturn | None) -> Effect | None:
        if found is None or found.reason:
            return None
        value, low, high = (self.scale.effect(end) for end in (found.car, found.ci_low, found.ci_high))
        return Effect(value, low, high, self.limit(found.window[1]))

    def limit(self, tau: int) -> str:
        """Return ``up`` or ``down`` where the close at `tau` stood at the price limit."""
        return str(self.firm.listing.limit[self.firm.day0 + tau])

    def path(self, start: int, stop: int) -> CarPath:
        """Return the effects over [start, tau] for tau up to `stop`."""
        taus, effects = [start - 1], [Effect(0.0, 0.0, 0.0)]
        for tau in range(start, stop + 1):
            effect = self._effect(self.sum_over((start, tau)))
            if effect is not None:
                taus.append(tau)
                effects.append(effect)
        return CarPath(start, tuple(taus), tuple(effects)) if len(taus) > 1 else CarPath(start, (), ())

    def clean_window(self) -> Window | None:
        """Return the window from the event session to the one before the first other news; None without any (rule D14)."""
        after = [tau for tau, _label in self.firm.confounders if tau >= 0]
        return (0, after[0] - 1) if after else None

    def suspended_taus(self, lo: int, hi: int) -> list[int]:
        """Return the suspended sessions from `lo` to `hi`, as far as the data reach."""
        listing, day0 = self.firm.listing, self.firm.day0
        places = range(max(day0 + lo, 0), min(day0 + hi, listing.end) + 1)
        return [place - day0 for place in places if listing.status[place] == SUSPENDED]

    def first_traded_tau(self) -> int | None:
        """Return the first session from the event session on that the share traded in."""
        traded = np.flatnonzero(np.isfinite(self.firm.listing.level[self.firm.day0 :]))
        return int(traded[0]) if len(traded) else None

    def date(self, tau: int) -> dt.date:
        """Return the date of an event-time session."""
        return self.firm.listing.calendar.sessions[self.firm.day0 + tau].date()


def _by_test(table: pd.DataFrame) -> ByTest:
    rows = table.to_dict("records")
    return {(row["group"], (row["window_start"], row["window_end"]), row["test"]): row for row in rows}


class Reading:
    """A study result, read for the page: its firms by role, with names that stay apart from each other."""

    def __init__(self, result: StudyResult) -> None:
        self.result = result
        self.study: Computation = result.computation
        self.plan: Plan = self.study.inputs.plan
        self.scale = Scale(self.plan.returns)

    @cached_property
    def headline(self) -> Headline:
        """The tests that the study stands on."""
        return headline_of(self.plan, self.study.inputs.events)

    @cached_property
    def tests(self) -> ByTest:
        """Rows of the table `tests`."""
        return _by_test(self.result.tests)

    @cached_property
    def placebo(self) -> ByTest:
        """Rows of the table `placebo`."""
        return _by_test(self.result.placebo)

    @cached_property
    def adjusted(self) -> dict[tuple[tuple[str, str], Window], float]:
        """Holm p-value of each CAR, by the firm's key and the window."""
        rows = self.result.cars.to_dict("records")
        return {((row["event_id"], row["symbol"]), (row["window_start"], row["window_end"])): row["p_holm"] for row in rows}

    @cached_property
    def title(self) -> str:
        """Title of the study, or what comes nearest to one."""
        spec = self.result.spec
        labels = dict.fromkeys(event.label or event.event_id for event in self.study.inputs.events)
        given = (spec.study.title or spec.study.name) if spec else joined(labels) if len(labels) <= 2 else _("Event study")
        return own_words(given)

    @cached_property
    def note(self) -> str:
        """What the author of the study wants read beside the finding."""
        return own_words(self.result.spec.study.note) if self.result.spec else ""

    @cached_property
    def source_notes(self) -> dict[str, tuple[str, str]]:
        """Letter to (symbol, sentence) of what the source says of each series."""
        notes = [(symbol, note) for symbol, series in self.study.inputs.series.items() for note in series.notes]
        return {letter(place): (symbol, said(note)) for place, (symbol, note) in enumerate(notes)}

    def firm_name(self, symbol: str, event: str = "") -> FirmName:
        """Return the names of a firm; `event` is added where the name alone would be ambiguous."""
        own = names_of(self.study.inputs, symbol)
        shown = _("{firm} ({event})", firm=own.name, event=own_words(event)) if event else own.name
        letters = tuple(letter for letter, (owner, _note) in self.source_notes.items() if owner == symbol)
        return replace(own, name=shown, notes=letters)

    def benchmark_name(self, symbol: str) -> str:
        """Return a benchmark's name."""
        series = self.study.inputs.series.get(symbol)
        chinese = series.name_zh if series and spoken() == "zh" else ""
        return own_words(chinese or (series.name if series else "") or symbol)

    @cached_property
    def benchmarks(self) -> tuple[str, ...]:
        """Names of the benchmarks of the treated firms."""
        return tuple(dict.fromkeys(subject.benchmark for subject in self.treated))

    @cached_property
    def subjects(self) -> tuple[Subject, ...]:
        """Every firm that was not excluded."""
        names = [self.firm_name(firm.key[1]).name for firm in self.study.firms]
        days = [day(firm.session.date(), week=False) if firm.session is not None else "" for firm in self.study.firms]
        twice, dated = Counter(names), Counter(zip(names, days, strict=True))
        apart = [
            "" if twice[name] == 1 else date if date and dated[name, date] == 1 else firm.key[0]
            for name, date, firm in zip(names, days, self.study.firms, strict=True)
        ]
        return tuple(
            Subject(
                firm,
                self.firm_name(firm.key[1], event),
                self.benchmark_name(firm.settings.benchmark),
                self.scale,
                self.plan.alpha,
            )
            for firm, event in zip(self.study.firms, apart, strict=True)
        )

    @cached_property
    def _by_key(self) -> Mapping[tuple[str, str], Subject]:
        return {subject.firm.key: subject for subject in self.subjects}

    @cached_property
    def treated(self) -> tuple[Subject, ...]:
        """Firms that the event named; each symbol and session once."""
        return tuple(self._by_key[firm.key] for firm in self.study.groups[ALL])

    def with_role(self, role: str) -> tuple[Subject, ...]:
        """Return the firms of a role, such as ``variant`` or ``placebo``."""
        return tuple(subject for subject in self.subjects if subject.firm.dated.event.role == role)

    def members(self, group: str) -> tuple[Subject, ...]:
        """Return the firms of a group."""
        return tuple(self._by_key[firm.key] for firm in self.study.groups[group])

    def counted(self, group: str, window: Window) -> tuple[Subject, ...]:
        """Return the firms of a group that have a CAR in a window, without the confounded where the group leaves them out."""
        members = self.members(group)
        if group == UNCONFOUNDED:
            members = tuple(subject for subject in members if not subject.firm.confounded_by(window))
        return tuple(subject for subject in members if subject.effect(window) is not None)

    @cached_property
    def many(self) -> bool:
        """Whether there are too many treated firms to list each in a sentence."""
        return len(self.treated) > MANY

    def counted_words(self, count: int) -> str:
        """Return so many of the treated firms in words: a firm at two events is two cases."""
        return _("{count} cases (a firm at one event)", count=count) if self.recurring else _("{count} firms", count=count)

    def family_words(self, count: int) -> str:
        """Return the treated firms that a p-value is adjusted for, to stand inside brackets."""
        number = in_words(count)
        return _("{count} cases, each a firm at one event", count=number) if self.recurring else _("{count} firms", count=number)

    @cached_property
    def recurring(self) -> bool:
        """Whether a treated firm is there at more than one event."""
        return len({subject.firm.key[1] for subject in self.treated}) < len(self.treated)

    def group_name(self, group: str) -> str:
        """Return a group in words."""
        return words_of_group(group, {firm.dated.event.role for firm in self.study.groups.get(group, ())})


def names_of(inputs: StudyInputs, symbol: str) -> FirmName:
    """Return the names that the inputs of a study have for a symbol."""
    settings, series = inputs.firms.get(symbol), inputs.series.get(symbol)
    name = (settings.name if settings else "") or (series.name if series else "") or symbol
    other = settings.name_zh if settings else ""
    if spoken() == "zh":
        chinese = other or (series.name_zh if series else "")
        name, other = (chinese, name) if chinese else (name, "")
    return FirmName(own_words(name), own_words(other), own_words(symbol))


def words_of_group(group: str, roles: Collection[str]) -> str:
    """Return a group in words; `roles` are those of its members."""
    if group == ALL:
        return _("All treated firms")
    if group == UNCONFOUNDED:
        return _("Treated firms without other news in the window")
    if "variant" in roles:
        return _("Variant: {words}", words=own_words(group))
    if set(roles) == {"placebo"}:
        return _("Placebo firms: {words}", words=own_words(group))
    return _("Group: {words}", words=own_words(group))


def letter(place: int) -> str:
    """Return a, b, ..., z, aa, ab, ...: how notes are told apart."""
    letters = ""
    place += 1
    while place:
        place, digit = divmod(place - 1, 26)
        letters = chr(ord("a") + digit) + letters
    return letters
