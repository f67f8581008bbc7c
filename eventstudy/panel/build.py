"""From the inputs of a study to a panel: which studies a panel can run, and where its events lie in the prices."""

from __future__ import annotations

import numpy as np

from eventstudy.calendar import SessionCalendar
from eventstudy.config import StudySpec
from eventstudy.errors import ConfigError
from eventstudy.events import date_event
from eventstudy.eventtable import MANY_EVENTS, EventTable
from eventstudy.models import ModelOptions
from eventstudy.panel.batch import REGRESSORS
from eventstudy.panel.engines import Engine, estimate_all
from eventstudy.panel.frames import plain_panel
from eventstudy.panel.market import Market, market_of
from eventstudy.panel.result import PanelResult
from eventstudy.panel.study import NOWHERE, Panel, PanelEvents, PanelStudy
from eventstudy.plan import Plan, StudyInputs
from eventstudy.prepared import Prepared, study_calendar
from eventstudy.result import StudyResult
from eventstudy.seal import Seal
from eventstudy.study import check_groups, check_keys, compute, no_session, nothing_left

HERE = Engine()
FEWEST_EVENTS = MANY_EVENTS  # below, one event at a time is quick enough and gives every table


def is_for_panel(plan: Plan, events: int) -> bool:
    """Tell whether a plan asks for nothing but what a panel has, of so many events that it is worth it."""
    plain = plan.model in REGRESSORS and plan.model_options == ModelOptions()
    return events >= FEWEST_EVENTS and plain and not (plan.confounders or plan.leaks or plan.regression)


def inputs_for_panel(inputs: StudyInputs) -> bool:
    """Tell whether a study's inputs can be run as a panel: many events, all of treated firms, each read one way."""
    if inputs.specifications or not is_for_panel(inputs.plan, len(inputs.events)):
        return False
    if isinstance(inputs.events, EventTable):
        plain = inputs.events.date_only != "both"
    else:
        plain = all(event.role == "treated" and event.date_only != "both" for event in inputs.events)
    return plain and not any(firm.industry or firm.shares for firm in inputs.firms.values())


def panel_of(inputs: StudyInputs) -> tuple[Panel, PanelEvents]:
    """Put the listings of a study into markets, and its events on them.

    Raises
    ------
    ConfigError
        If an (event_id, symbol) pair repeats, or a date of unknown minute maps to two sessions.
    DataError
        If a benchmark is not to be had.
    """
    check_groups(inputs)
    check_keys(inputs.events)
    markets, where = _markets(inputs)
    count = len(inputs.events)
    market, share, day0 = (np.full(count, NOWHERE) for _ in range(3))
    reason, detail = np.full(count, "", dtype=object), {}
    for number, event in enumerate(inputs.events):
        if event.symbol not in where:
            reason[number], detail[number] = "unknown_symbol", inputs.unknown.get(event.symbol, "no prices")
            continue
        market[number], share[number] = where[event.symbol]
        calendar = markets[market[number]].calendar
        (dated,) = date_event(event, calendar)
        if dated.place is None:
            day = event.announcement.session or event.announcement
            reason[number] = dated.reason
            detail[number] = no_session(day, calendar)
        else:
            day0[number] = dated.place
    settings = [inputs.firms[event.symbol] for event in inputs.events]
    events = PanelEvents(
        _texts([event.event_id for event in inputs.events]),
        _texts([event.symbol for event in inputs.events]),
        _texts([of.name for of in settings]),
        _texts([event.group or of.group for event, of in zip(inputs.events, settings, strict=True)]),
        _texts([str(event.announcement) for event in inputs.events]),
        reason,
        detail,
    )
    return Panel(inputs.plan, markets, inputs.now, market, share, day0), events


def _markets(inputs: StudyInputs) -> tuple[tuple[Market, ...], dict[str, tuple[int, int]]]:
    """Return the markets of a study, and number and row of each share; one listing is held at a time."""
    calendars: dict[tuple[str, str], SessionCalendar] = {}
    alike: dict[tuple[int, str], list[str]] = {}
    for symbol in dict.fromkeys(event.symbol for event in inputs.events):
        if symbol in inputs.series:
            calendar = study_calendar(symbol, inputs, calendars)
            alike.setdefault((id(calendar), inputs.firms[symbol].benchmark), []).append(symbol)
    where = {symbol: (number, row) for number, found in enumerate(alike.values()) for row, symbol in enumerate(found)}
    markets = (market_of(Prepared(calendars).listing(symbol, inputs) for symbol in found) for found in alike.values())
    return tuple(markets), where


def _texts(values: list[str]) -> np.ndarray:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def run_panel(panel: Panel, events: PanelEvents, engine: Engine) -> PanelStudy:
    """Estimate all events of a panel.

    Raises
    ------
    DataError
        If every event is excluded.
    """
    study = PanelStudy(panel, events, estimate_all(panel, engine))
    if study.excluded.all():
        raise nothing_left(study.exclusions)
    return study


def run_inputs(
    inputs: StudyInputs, spec: StudySpec | None = None, seals: tuple[Seal, ...] = (), engine: Engine = HERE
) -> StudyResult:
    """Run a study as a panel where it is for one, else one event at a time.

    Raises
    ------
    ConfigError
        If dask is asked for a study of many events that has to run one event at a time.
    """
    if not inputs_for_panel(inputs):
        if engine.name == "dask" and len(inputs.events) >= FEWEST_EVENTS:
            raise ConfigError(
                'engine "dask" cannot spread this study: with its model, roles or further tables it runs one event at a time '
                "(docs/panels.md names them): leave engine out, or what asks for them"
            )
        return StudyResult(compute(inputs), spec, seals)

    study = run_panel(*(plain_panel(inputs) or panel_of(inputs)), engine)
    return PanelResult(study, inputs, spec, seals)
