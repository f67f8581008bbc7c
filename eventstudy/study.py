"""Runs the events of a study: from price series to fits, CARs and the cross-sections the tests need."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from eventstudy.abnormal import AbnormalReturns, CumulativeReturn, abnormal_returns, cumulate
from eventstudy.calendar import (
    SessionCalendar,
    positions_between,
)
from eventstudy.errors import ConfigError, DataError
from eventstudy.events import DatedEvent, EventFirm, date_event
from eventstudy.further import without_news
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.models import Fit, fit_rows
from eventstudy.plan import FirmSettings, MaskedSpell, Plan, StudyInputs
from eventstudy.prepared import Prepared
from eventstudy.returns import Rows, trade_rows
from eventstudy.sources.reading import told_once
from eventstudy.told import Told
from eventstudy.trading import MISSING, NOT_LISTED, SUSPENDED, Listing
from eventstudy.windows import Window

LARGEST_SUSPENDED_SHARE = 0.40
MASK_TOUCHES = Told("a mask touches the event window: shorten the mask or the window")
ALL = "all"
UNCONFOUNDED = "unconfounded"
FIRST, LAST = "first", "last"


@dataclass(frozen=True)
class Exclusion:
    """An event firm that was left out, the stage it failed at, and why (a code and a sentence)."""

    event_id: str
    symbol: str
    stage: str
    reason: str
    detail: str


@dataclass(frozen=True)
class FirmStudy:
    """One firm of one event; `fit` and `abnormal` are None where the estimation window still lies ahead.

    `variants` holds CARs that stand beside the study's own: ``without_news`` (two indices, the global one without what it
    earned after the announcement) and ``mad_scale`` (robust estimators, errors by their median absolute deviation).
    """

    dated: DatedEvent
    settings: FirmSettings
    listing: Listing
    rows: Rows
    fit: Fit | None
    abnormal: AbnormalReturns | None
    cumulative: dict[Window, CumulativeReturn]
    masked: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    confounders: tuple[tuple[int, str], ...] = ()
    short_history: bool = False
    suspended_share: float = 0.0
    variants: Mapping[str, dict[Window, CumulativeReturn]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """(event_id, symbol)."""
        return self.dated.event_id, self.dated.event.symbol

    @property
    def reading(self) -> str:
        """``first`` or ``last`` where a date of unknown minute is read both ways, else empty."""
        return self.dated.event_id.removeprefix(self.dated.event.event_id).removeprefix("-")

    @property
    def symbol_session(self) -> tuple[str, pd.Timestamp | None]:
        """What is counted once in a group."""
        return self.dated.event.symbol, self.session

    @property
    def day0(self) -> int:
        """Position of the event session in the firm's calendar."""
        if self.dated.place is None:
            raise DataError(f"event {self.dated.event_id} of {self.dated.event.symbol} has no session yet")
        return self.dated.place

    @property
    def session(self) -> pd.Timestamp | None:
        """The event session, None where the calendar does not reach it."""
        return None if self.dated.place is None else self.listing.calendar.sessions[self.dated.place]

    def confounded_by(self, window: Window) -> str:
        """Labels of the other news of this firm inside a window, joined by ``; ``."""
        return "; ".join(label for tau, label in self.confounders if window[0] <= tau <= window[1])

    def censored(self, window: Window) -> str:
        """``up`` or ``down`` where a defined CAR ends on a close at the price limit, so that it is only a bound (rule D4)."""
        return "" if self.cumulative[window].reason else str(self.listing.limit[self.day0 + window[1]])

    def complete_on(self, window: Window) -> pd.Timestamp | None:
        """Session after which time will have completed a window; None where it is complete or the date not known yet."""
        if self.cumulative[window].reason != "provisional" or self.dated.place is None:
            return None
        place, sessions = self.dated.place + window[1], self.listing.calendar.sessions
        return sessions[place] if place < len(sessions) else None

    def car(self, window: Window) -> FirmCar | None:
        """The firm's part in a cross-section; None where its CAR is undefined."""
        cumulative = self.cumulative[window]
        if cumulative.reason or self.fit is None:
            return None
        return FirmCar(self.listing, self.fit, self.day0, cumulative, self.masked, self.settings.industry)


@dataclass(frozen=True)
class Computation:
    """A study after its events were run: what the tables, the tests and the report are made from.

    `prepared` holds the listings and rows of its series, for studies of other windows, masks or models on the same series.
    """

    inputs: StudyInputs
    firms: tuple[FirmStudy, ...]
    exclusions: tuple[Exclusion, ...]
    listings: Mapping[str, Listing]
    prepared: Prepared = field(default_factory=Prepared, repr=False, compare=False)

    @cached_property
    def groups(self) -> dict[str, tuple[FirmStudy, ...]]:
        """Firms by group: ``all`` first (each symbol and session once), then the named groups."""
        readings = _each_once([firm for firm in self.firms if firm.dated.event.role == "treated"])
        # of a date read both ways `all` holds the first reading: windows of two sessions contain both candidates
        treated = [firm for firm in readings if firm.reading != LAST]
        groups: dict[str, list[FirmStudy]] = {ALL: treated}
        for firm in self.firms:
            name = group_name(firm.dated.event, firm.settings)
            if name:
                start = list(treated) if firm.dated.event.role == "variant" else []
                groups.setdefault(name, start).append(firm)
        for tag in (FIRST, LAST):  # the two readings of a date of unknown minute, side by side
            if any(firm.reading for firm in readings):
                groups[tag] = [firm for firm in readings if firm.reading in ("", tag)]
        if any(firm.confounders for firm in treated):
            groups[UNCONFOUNDED] = treated
        return {name: tuple(_each_once(members)) for name, members in groups.items()}

    def cross_section(self, group: str, window: Window) -> CrossSection:
        """Return the firms of a group with a CAR in a window; ``unconfounded`` leaves out the confounded."""
        if (group, window) not in self._sections:
            counted = self.counted(group, window)
            same = self._by_firms.setdefault(
                (window, tuple(map(id, counted))),
                CrossSection(window, tuple(part for firm in counted if (part := firm.car(window)) is not None)),
            )
            self._sections[group, window] = same  # what was computed for other groups of the same firms holds
        return self._sections[group, window]

    def counted(self, group: str, window: Window) -> tuple[FirmStudy, ...]:
        """Return the firms of a group that have a CAR in a window; ``unconfounded`` leaves out the confounded."""
        members = self.groups[group]
        if group == UNCONFOUNDED:
            members = tuple(firm for firm in members if not firm.confounded_by(window))
        return tuple(firm for firm in members if firm.car(window) is not None)

    @cached_property
    def _sections(self) -> dict[tuple[str, Window], CrossSection]:
        return {}

    @cached_property
    def _by_firms(self) -> dict[tuple[Window, tuple[int, ...]], CrossSection]:
        return {}


def _each_once(firms: list[FirmStudy]) -> list[FirmStudy]:
    found: dict[tuple[str, pd.Timestamp | None], FirmStudy] = {}
    for firm in firms:
        found.setdefault(firm.symbol_session, firm)
    return list(found.values())


def compute(inputs: StudyInputs, prepared: Prepared | None = None) -> Computation:
    """Run every event of a study; one that cannot be run is excluded with a reason and moves no other.

    Parameters
    ----------
    prepared : Prepared, optional
        What other runs over the same series made.

    Raises
    ------
    ConfigError
        If an (event_id, symbol) pair repeats, or a date of unknown minute maps to two sessions.
    DataError
        If a benchmark is not to be had, or every event is excluded.
    """
    check_keys(inputs.events)
    check_groups(inputs)
    study = run_events(inputs, prepared or Prepared())
    if not study.firms:
        raise nothing_left(study.exclusions)
    return study


def nothing_left(exclusions: Sequence[Exclusion]) -> DataError:
    """Return the error of a study of which every event is excluded."""
    found = [(one.event_id, one.symbol, one.detail) for one in exclusions]
    told = told_once((why.replace(firm, ""), f"{event} of {firm}", f"{event}, {firm}: {why}") for event, firm, why in found)
    told[5:] = [f"and {len(told) - 5} reasons more"] if len(told) > 5 else []
    return DataError(f"every event is excluded, so there is nothing to report: {'; '.join(told)}")


def run_events(inputs: StudyInputs, prepared: Prepared) -> Computation:
    """Run events that were checked, excluding those that cannot be run, be it all of them.

    Parameters
    ----------
    prepared : Prepared
        What earlier runs over the same series made, and where this one leaves what it makes.

    Raises
    ------
    ConfigError
        If a date of unknown minute maps to two sessions.
    DataError
        If a benchmark is not to be had.
    """
    keys = {(event.event_id, event.symbol) for event in inputs.events}
    listings: dict[str, Listing] = {}
    firms: list[FirmStudy] = []
    exclusions: list[Exclusion] = []
    for event in inputs.events:
        if event.symbol not in inputs.series:
            detail = inputs.unknown.get(event.symbol, Told("no prices"))
            exclusions.append(Exclusion(event.event_id, event.symbol, "prices", "unknown_symbol", detail))
            continue
        listing = listings[event.symbol] = prepared.listing(event.symbol, inputs)
        for dated in date_event(event, listing.calendar):
            if dated.event_id != event.event_id and (dated.event_id, event.symbol) in keys:
                raise ConfigError(f"{event.where}date_only = 'both' makes an event {dated.event_id!r}, which exists: rename one")
            outcome = _run_event(dated, listing, prepared.rows_of(listing, inputs), inputs)
            (exclusions if isinstance(outcome, Exclusion) else firms).append(outcome)  # type: ignore[arg-type]
    return Computation(inputs, tuple(firms), tuple(exclusions), listings, prepared)


def group_name(event: EventFirm, settings: FirmSettings) -> str:
    """Return the group an event firm is shown in beside ``all``: its event's, else its own, else a non-treated event's id."""
    return event.group or settings.group or (event.event_id if event.role != "treated" else "")


def check_keys(events: Sequence[EventFirm]) -> None:
    """Refuse a repeated (event_id, symbol) pair: every tool that counts it twice gets its averages wrong."""
    seen: set[tuple[str, str]] = set()
    for event in events:
        if (event.event_id, event.symbol) in seen:
            raise ConfigError(f"{event.where}event {event.event_id!r} lists {event.symbol} twice: keep one of them")
        seen.add((event.event_id, event.symbol))


def check_groups(inputs: StudyInputs) -> None:
    """Refuse group names that every study writes, and groups that mix roles."""
    roles: dict[str, str] = {}
    for event in inputs.events:
        name = group_name(event, inputs.firms[event.symbol])
        if name in (ALL, UNCONFOUNDED, FIRST, LAST):
            raise ConfigError(f"{event.where}group {name!r} is written for every study: choose another name")
        if name and roles.setdefault(name, event.role) != event.role:
            raise ConfigError(f"{event.where}group {name!r} mixes {roles[name]} and {event.role} firms: give each its own")


def _run_event(dated: DatedEvent, listing: Listing, rows: Rows, inputs: StudyInputs) -> FirmStudy | Exclusion:
    plan, symbol = inputs.plan, dated.event.symbol

    def excluded(stage: str, reason: str, detail: str) -> Exclusion:
        return Exclusion(dated.event_id, symbol, stage, reason, detail)

    settings = inputs.firms[symbol]
    if dated.place is None:
        if dated.reason == "calendar_end":
            return FirmStudy(dated, settings, listing, rows, None, None, _ahead(plan, "calendar_end"))
        day = dated.event.announcement.session or dated.event.announcement
        return excluded("event", dated.reason, no_session(day, listing.calendar))
    day0 = dated.place
    masked = _masked_sessions(listing.calendar, plan.masks, symbol)
    lo, hi = day0 + plan.windows.event[0], day0 + plan.windows.event[1]
    if masked[max(lo, 0) : max(hi + 1, 0)].any():
        return excluded("event", "masked_event", MASK_TOUCHES)
    first, last = day0 + plan.windows.estimation[0], day0 + plan.windows.estimation[1]
    if last > listing.end and _still_ahead(listing, last, inputs.now):
        return FirmStudy(dated, settings, listing, rows, None, None, _ahead(plan, "provisional"))
    last = min(last, listing.end)
    sample = rows.inside(first, last).without(masked)
    listed = _listed(listing, first, last, masked)
    share = float(np.isin(listing.status[listed], [SUSPENDED, MISSING]).mean()) if len(listed) else 0.0
    if len(sample) < plan.windows.min_observations:
        return excluded("estimation", "too_few_observations", too_few(len(sample), plan))
    if share > LARGEST_SUSPENDED_SHARE:
        return excluded("estimation", "mostly_suspended", mostly_suspended(share))
    try:
        fit = fit_rows(plan.model, plan.model_options, sample)
    except DataError as problem:
        return excluded("estimation", "no_fit", str(problem))
    if fit.nobs < plan.windows.min_observations:  # a model may not use all rows
        return excluded("estimation", "too_few_observations", too_few(fit.nobs, plan))
    cumulative = {window: cumulate(fit, listing, rows, day0, window, plan.alpha) for window in plan.windows.car}
    return FirmStudy(
        dated, settings, listing, rows, fit,
        abnormal_returns(fit, rows.inside(lo, hi)),
        {window: _awaited(result, listing, day0, inputs.now) for window, result in cumulative.items()},
        masked,
        _confounders(symbol, listing.calendar, day0, plan),
        first < 0 or bool((listing.status[max(first, 0) : last + 1] == NOT_LISTED).any()),
        share,
        _variants(dated, listing, rows, fit, inputs),
    )  # fmt: skip


def too_few(count: int, plan: Plan) -> str:
    """Say how many estimation observations an event has, and how many it needs."""
    return Told(
        "{count} observations in the estimation window, min_observations is {least}",
        count=count, least=plan.windows.min_observations,
    )  # fmt: skip


def mostly_suspended(share: float) -> str:
    """Say which share of the estimation sessions has no trade."""
    return Told("{share} of the estimation sessions have no trade, more than 40%", share=f"{share:.0%}")


def no_session(day: object, calendar: SessionCalendar) -> str:
    """Say that an event's day is no session of its exchange."""
    return Told("{day} is no session of {calendar}", day=day, calendar=calendar.name)


def _variants(
    dated: DatedEvent, listing: Listing, rows: Rows, fit: Fit, inputs: StudyInputs
) -> dict[str, dict[Window, CumulativeReturn]]:
    plan, found = inputs.plan, {}
    if plan.model == "two_index" and (quiet := without_news(listing, dated, inputs)) is not None:
        found["without_news"] = fit, quiet, trade_rows(quiet, plan.suspensions, plan.returns)
    spread = fit.details.get("sigma_mad", 0.0)
    if spread > 0:
        found["mad_scale"] = replace(fit, sigma=spread, unscaled_cov=fit.unscaled_cov * (fit.sigma / spread) ** 2), listing, rows
    day0 = dated.place or 0
    return {
        name: {
            window: _awaited(cumulate(a_fit, of, its_rows, day0, window, plan.alpha), of, day0, inputs.now)
            for window in plan.windows.car
        }
        for name, (a_fit, of, its_rows) in found.items()
    }


def _ahead(plan: Plan, reason: str) -> dict[Window, CumulativeReturn]:
    nan = np.nan
    return {
        window: CumulativeReturn(window, nan, nan, nan, 0, nan, nan, nan, nan, np.empty(0), None, reason)
        for window in plan.windows.car
    }


def _awaited(result: CumulativeReturn, listing: Listing, day0: int, now: dt.datetime) -> CumulativeReturn:
    """Call the end of the data provisional where time will complete the window."""
    if result.reason == "data_end" and _still_ahead(listing, day0 + result.window[1], now):
        return replace(result, reason="provisional")
    return result


def _still_ahead(listing: Listing, place: int, now: dt.datetime) -> bool:
    closes = listing.calendar.closes
    if closes is None:
        return False
    return place >= len(closes) or bool(closes[place] > pd.Timestamp(now))


def _listed(listing: Listing, first: int, last: int, masked: np.ndarray) -> np.ndarray:
    places = np.arange(max(first, 0), max(last + 1, 0))
    return np.extract((listing.status[places] != NOT_LISTED) & ~masked[places], places)


def _masked_sessions(calendar: SessionCalendar, masks: tuple[MaskedSpell, ...], symbol: str) -> np.ndarray:
    masked = np.zeros(len(calendar.sessions), dtype=bool)
    for mask in masks:
        if not mask.symbols or symbol in mask.symbols:
            masked[positions_between(calendar, mask.first, mask.last)] = True
    return masked


def _confounders(symbol: str, calendar: SessionCalendar, day0: int, plan: Plan) -> tuple[tuple[int, str], ...]:
    found = []
    for news in plan.confounders:
        if news.symbol == symbol:
            event = EventFirm(news.label, symbol, news.announcement, date_only=news.date_only, where=news.where)
            found += [(dated.place - day0, news.label) for dated in date_event(event, calendar) if dated.place is not None]
    return tuple(sorted(found))
