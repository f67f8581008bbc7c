"""From price series to listings and rows: made once, for as many runs over the same series as use them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from eventstudy.calendar import (
    BENCHMARK_CALENDAR,
    SessionCalendar,
    benchmark_sessions,
    calendar_name,
    exchange_sessions,
)
from eventstudy.errors import DataError
from eventstudy.further import FactorsByCalendar, study_factors
from eventstudy.plan import StudyInputs
from eventstudy.returns import ReturnKind, Rows, Treatment, trade_rows
from eventstudy.trading import Listing, list_shares


@dataclass(frozen=True)
class Prepared:
    """Calendars, listings and rows, kept for as many runs over the same series as use them."""

    calendars: dict[tuple[str, str], SessionCalendar] = field(default_factory=dict)
    listings: dict[tuple[str, str], Listing] = field(default_factory=dict)  # without what a model sets beside the benchmark
    completed: dict[tuple[str, str, str], Listing] = field(default_factory=dict)
    factors: dict[str, FactorsByCalendar] = field(default_factory=dict)  # by model
    rows: dict[tuple[str, str, str, Treatment, ReturnKind], Rows] = field(default_factory=dict)

    def listing(self, symbol: str, inputs: StudyInputs) -> Listing:
        """Return a share on its session grid, with its benchmark and what the model sets beside it."""
        bare = symbol, inputs.firms[symbol].benchmark
        key = *bare, inputs.plan.model
        if key not in self.completed:
            if bare not in self.listings:
                self.listings[bare] = _list(symbol, inputs, self.calendars)
            made = self.factors.setdefault(inputs.plan.model, {})
            self.completed[key] = replace(self.listings[bare], factors=study_factors(self.listings[bare], inputs, made))
        return self.completed[key]

    def rows_of(self, listing: Listing, inputs: StudyInputs) -> Rows:
        """Return the rows of a listing as the plan asks for."""
        plan = inputs.plan
        model = plan.model if listing.factors else ""
        key = listing.symbol, inputs.firms[listing.symbol].benchmark, model, plan.suspensions, plan.returns
        if key not in self.rows:
            self.rows[key] = trade_rows(listing, plan.suspensions, plan.returns)
        return self.rows[key]


def study_calendar(
    symbol: str, inputs: StudyInputs, calendars: dict[tuple[str, str], SessionCalendar]
) -> SessionCalendar:
    """Return the calendar of a symbol in a study; firms with the same sessions share one object.

    It starts with the first price of any series, so that it is long enough for every event.
    """
    settings = inputs.firms[symbol]
    name = calendar_name(symbol, settings.calendar, inputs.plan.calendar)
    key = (name, settings.benchmark if name == BENCHMARK_CALENDAR else "")
    if key not in calendars:
        if name == BENCHMARK_CALENDAR:
            calendars[key] = benchmark_sessions(inputs.series[settings.benchmark].frame["close"])
        else:
            first = min(series.frame.index[0] for series in inputs.series.values() if len(series.frame))
            calendars[key] = exchange_sessions(name, first.date())
    return calendars[key]


def _list(symbol: str, inputs: StudyInputs, calendars: dict[tuple[str, str], SessionCalendar]) -> Listing:
    settings = inputs.firms[symbol]
    if settings.benchmark not in inputs.series:
        detail = inputs.unknown.get(settings.benchmark, "no prices")
        raise DataError(f"benchmark {settings.benchmark} is not to be had: {detail}")
    listing = list_shares(
        inputs.series[symbol],
        inputs.series[settings.benchmark].frame["close"],
        study_calendar(symbol, inputs, calendars),
        settings.suspended,
        settings.price_limit,
    )
    return replace(listing, spans_limits=inputs.plan.limit_days == "spanned")
