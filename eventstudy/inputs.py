"""From a config to the inputs of a study: events, firm settings, and the series a source serves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from eventstudy.characteristics import read_characteristics
from eventstudy.config import StudySpec
from eventstudy.configfile import line_prefix
from eventstudy.errors import ConfigError
from eventstudy.eventconfig import Confounder, When
from eventstudy.eventconfig import Leak as LeakKeys
from eventstudy.events import Announcement, EventFirm, parse_instant
from eventstudy.eventtable import EventTable, events_from_table, symbols_of
from eventstudy.headline import checked_headline
from eventstudy.plan import FirmSettings, Leak, MaskedSpell, OtherNews, Plan, Regression, Specification, StudyInputs
from eventstudy.prices import Fetched, Fetching, Span, fetch_series, needed_dates, price_source
from eventstudy.sources import Source
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.factortable import FactorTable, read_factors
from eventstudy.sources.reading import raw_table
from eventstudy.sources.wide import WholeSource, WideSeries
from eventstudy.windows import Windows


def study_inputs(spec: StudySpec, fetching: Fetching | None = None, source: Source | None = None) -> StudyInputs:
    """Read the events and fetch the prices of a study.

    Parameters
    ----------
    fetching : Fetching, optional
        How prices are fetched, and what the present is.
    source : Source, optional
        Default: the one the config names, behind the store where it is a remote one.

    Raises
    ------
    ConfigError, DataError, SourceUnreachableError
    """
    fetching = replace(fetching or Fetching(), settle=dt.timedelta(minutes=spec.data.settle))
    plan, events, firms, specifications = _asked(spec)
    fetched = _fetched(spec, fetching, source, plan, events, firms, specifications).complete()
    settled = fetching.now - fetching.settle
    series, factors = _named(fetched.series, spec), _factors(spec)
    return StudyInputs(plan, events, firms, series, fetched.unknown, settled, fetched.outcomes, factors, specifications)


def _named(series: Mapping[str, PriceSeries], spec: StudySpec) -> Mapping[str, PriceSeries]:
    """Call the benchmark as the config does."""
    name = spec.market.benchmark
    if not spec.market.benchmark_name or name not in series:
        return series
    named = {name: replace(series[name], name=spec.market.benchmark_name, name_zh="")}
    if isinstance(series, WideSeries) and name in series.others:
        return replace(series, others={**series.others, **named})
    return {**series, **named}


def _factors(spec: StudySpec) -> FactorTable | None:
    keys = spec.model
    if keys.factors is None:
        return None
    return read_factors(spec.path(keys.factors), keys.factor_columns, keys.risk_free_column, keys.factor_units)


def check_peers(peers: Sequence[str], events: Sequence[EventFirm], where: str = "") -> None:
    """Refuse a peer that has an event in the study: it would carry the effect it is to be compared with.

    Raises
    ------
    ConfigError
        If there is one.
    """
    for event in events if peers else ():
        if event.symbol in peers:
            raise ConfigError(
                f"{where}{event.symbol} is one of the peers and has the event {event.event_id!r}: name peers without an event "
                "in the study"
            )


def fetch_study(spec: StudySpec, fetching: Fetching) -> Fetched:
    """Fetch the prices of a study, going on past symbols that fail.

    Raises
    ------
    ConfigError, DataError
        If the config or its events cannot be used.
    """
    settled = replace(fetching, settle=dt.timedelta(minutes=spec.data.settle))
    return _fetched(spec, settled, None, *_asked(spec))


def _asked(spec: StudySpec) -> tuple[Plan, Sequence[EventFirm], dict[str, FirmSettings], tuple[Specification, ...]]:
    events = study_events(spec)
    plan = replace(study_plan(spec), regression=_regression(spec, events))
    _check_symbols(spec, set(symbols_of(events)))
    check_peers(plan.model_options.peers, events, f"{spec._where}: ")
    return plan, events, firm_settings(spec, events), study_specifications(spec, events)


def _fetched(
    spec: StudySpec,
    fetching: Fetching,
    source: Source | None,
    plan: Plan,
    events: Sequence[EventFirm],
    firms: dict[str, FirmSettings],
    specifications: tuple[Specification, ...],
) -> Fetched:
    options = plan.model_options
    calendars = {options.global_benchmark: options.global_calendar} if options.global_calendar else {}
    source = source or price_source(spec.data, spec.folder, fetching, spec.market.calendar, calendars)
    everyones = [firms, *(other.firms for other in specifications)]
    benchmarks = list(
        dict.fromkeys([*(settings.benchmark for asked in everyones for settings in asked.values()), *_indices(plan)])
    )
    many = isinstance(events, EventTable)
    # of a source that asks nobody for dates they need not be found for every single one of many events
    spans = {} if many and isinstance(source, WholeSource) else _spans(plan, events, firms, specifications)
    return fetch_series(source, list(firms), benchmarks, spans, fetching.watch, many)


def asked_spans(inputs: StudyInputs) -> dict[str, Span]:
    """Return the first and last date that a study asks its source for, by symbol."""
    return _spans(inputs.plan, inputs.events, inputs.firms, inputs.specifications)


def _indices(plan: Plan) -> list[str]:
    options = plan.model_options
    return [name for name in (options.industry_benchmark, options.global_benchmark) if name]


def _spans(
    plan: Plan, events: Sequence[EventFirm], firms: Mapping[str, FirmSettings], specifications: Sequence[Specification]
) -> dict[str, Span]:
    further = [*plan.model_options.peers, *_indices(plan)]
    spans = needed_dates(events, firms, plan.windows, plan.calendar, further)
    asked_too = [needed_dates(events, other.firms, other.plan.windows, plan.calendar, further) for other in specifications]
    asked_too += [needed_dates([leak.event], firms, leak.windows, plan.calendar) for leak in plan.leaks]
    for needed in asked_too:
        for symbol, (first, last) in needed.items():
            low, high = spans.get(symbol, (first, last))
            spans[symbol] = min(low, first), max(high, last)
    return spans


def _check_symbols(spec: StudySpec, known: set[str]) -> None:
    """Refuse other news and masks of a firm that no event has: a slip of the pen would pass unseen."""
    named = [("confounder", number, item.symbol) for number, item in enumerate(spec.confounder)]
    named += [("mask", number, symbol) for number, mask in enumerate(spec.mask) for symbol in mask.symbols]
    named += [("leak", number, symbol) for number, leak in enumerate(spec.leak) for symbol in leak.firms]
    for table, number, symbol in named:
        if symbol not in known:
            where = line_prefix(spec, (table, number))
            raise ConfigError(f"{where}[[{table}]] names {symbol}, which no event has: correct the symbol")


def study_plan(spec: StudySpec) -> Plan:
    """Return what a config asks to be computed."""
    tests, named = spec.inference.test_names, spec.inference.headline
    return Plan(
        windows=spec.windows.windows(),
        headline_window=spec.headline_window,
        model=spec.model.name,
        model_options=spec.model.options,
        returns=spec.model.returns,
        suspensions=spec.model.suspensions,
        tests=tests,
        headline=checked_headline(named, tests) if named is not None else (),
        limit_days=spec.model.limit_days,
        alpha=spec.inference.alpha,
        seed=spec.inference.seed,
        calendar=spec.market.calendar,
        masks=tuple(MaskedSpell(mask.first, mask.last, mask.reason, mask.symbols) for mask in spec.mask),
        confounders=tuple(_other_news(spec, number, item) for number, item in enumerate(spec.confounder)),
        leaks=tuple(leak for number, item in enumerate(spec.leak) for leak in _leaks(spec, number, item)),
    )


def _regression(spec: StudySpec, events: Sequence[EventFirm]) -> Regression | None:
    keys = spec.cross_section
    if keys is None:
        return None
    return Regression(read_characteristics(spec.path(keys.characteristics), keys.columns, events), keys.errors, keys.weights)


def study_specifications(spec: StudySpec, events: Sequence[EventFirm]) -> tuple[Specification, ...]:
    """Return every combination of the choices under [robustness], each the study with these keys changed.

    The study's own value comes first in every choice, so the first combination is the study itself.
    """
    grid, own = spec.robustness, spec.model
    if grid is None:
        return ()
    car = _own_first(spec.headline_window, grid.windows)
    settings = firm_settings(spec, events)
    kept = "; ".join(dict.fromkeys(settings[event.symbol].benchmark for event in events if event.role == "treated"))
    found = []
    for model, returns, suspensions, benchmark, estimation, masked in product(
        _own_first(own.name, grid.models), _own_first(own.returns, grid.returns), _own_first(own.suspensions, grid.suspensions),
        _own_first(kept, grid.benchmarks), _own_first(spec.windows.estimation, grid.estimation), _own_first(True, grid.masks),
    ):  # fmt: skip
        changes: dict[str, Any] = {} if masked else {"mask": []}
        if benchmark != kept:
            bare = [firm.model_dump(by_alias=True, exclude_unset=True, exclude={"benchmark"}) for firm in spec.firm]
            changes |= {"market": {"benchmark": benchmark}, "firm": bare}
        changed = spec.replace(
            robustness=None,
            model={"name": model, "returns": returns, "suspensions": suspensions},
            windows={"estimation": estimation, "car": car},
            inference={"headline_window": car[0]},
            **changes,
        )
        found.append(Specification(study_plan(changed), firm_settings(changed, events), benchmark, masked))
    return tuple(found)


def _own_first(own: Any, others: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys([own, *others]))


def _leaks(spec: StudySpec, number: int, item: LeakKeys) -> list[Leak]:
    """Return a leak firm by firm; its event window is the window it is measured over."""
    where = line_prefix(spec, ("leak", number))
    when, choice = _announcement(item, where), item.date_only or spec.study.date_only
    try:
        windows = Windows(item.estimation or spec.windows.estimation, item.window, (item.window,), spec.windows.min_observations)
    except ConfigError as problem:
        raise ConfigError(f"{where}[[leak]] {problem}") from problem
    return [
        Leak(EventFirm(item.id, symbol, when, item.label, date_only=choice, where=where), windows) for symbol in item.firms
    ]


def _other_news(spec: StudySpec, number: int, item: Confounder) -> OtherNews:
    where = line_prefix(spec, ("confounder", number))
    announcement = _announcement(item, where)
    return OtherNews(item.symbol, announcement, item.label, item.date_only or spec.study.date_only, where)


def _announcement(when: When, where: str) -> Announcement:
    if when.announced_at is not None:
        try:
            return Announcement(instant=parse_instant(when.announced_at, when.timezone), timezone=when.timezone or "")
        except ConfigError as problem:
            raise ConfigError(f"{where}{problem}") from problem
    return Announcement(on=when.announced_on, session=when.session, timezone=when.timezone or "")


def study_events(spec: StudySpec) -> Sequence[EventFirm]:
    """Return one entry a firm and event, from the config's tables or its events file."""
    if spec.study.events:
        table = raw_table(spec.path(spec.study.events)).frame.reset_index(drop=True)
        return events_from_table(table, spec.study.events, spec.study.date_only)
    found = []
    for number, event in enumerate(spec.event):
        where = line_prefix(spec, ("event", number))
        when = _announcement(event, where)
        choice = event.date_only or spec.study.date_only
        for symbol in event.firms:
            found.append(EventFirm(event.id, symbol, when, event.label, event.group, event.role, choice, where))
    return tuple(found)


def firm_settings(spec: StudySpec, events: Sequence[EventFirm]) -> dict[str, FirmSettings]:
    """Return what a config says of each firm of its events and each peer, with what holds for all where it says nothing."""
    details = {firm.symbol: firm for firm in spec.firm}
    settings = {}
    for symbol in dict.fromkeys([*symbols_of(events), *spec.model.peers]):
        firm = details.get(symbol)
        settings[symbol] = FirmSettings(
            benchmark=(firm and firm.benchmark) or spec.market.benchmark,
            name=firm.name if firm else "",
            name_zh=firm.name_zh if firm else "",
            calendar=firm.calendar if firm else None,
            price_limit=(firm and firm.price_limit) or spec.market.price_limit,
            group=firm.group if firm else "",
            industry=firm.industry if firm else "",
            shares=firm.shares if firm else None,
            currency=spec.market.currency,
            suspended=tuple((spell.first, spell.last) for spell in firm.suspended) if firm else (),
        )
    return settings


