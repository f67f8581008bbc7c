"""The tables of a config that say who, when and what: events, firms, masks and other news."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from eventstudy.calendar import BENCHMARK_CALENDAR, check_calendar
from eventstudy.dataconfig import Section
from eventstudy.errors import ConfigError
from eventstudy.events import DateOnly, Role, check_timezone


def _only_a_date(value: Any) -> Any:
    """Let a date or its text pass: a number of seconds, or a time of day, was meant as something else."""
    if isinstance(value, dt.datetime) or not isinstance(value, (dt.date, str)):
        raise ValueError(f"{value} is not a date: write it as 2019-10-07")
    return value


DateString = Annotated[dt.date, BeforeValidator(_only_a_date), Field(description="ISO 8601 date")]


def _zone(name: str) -> str:
    try:
        return check_timezone(name)
    except ConfigError as problem:
        raise ValueError(str(problem)) from problem


def _calendar(name: str) -> str:
    try:
        return name if name == BENCHMARK_CALENDAR else check_calendar(name)
    except ConfigError as problem:
        raise ValueError(str(problem)) from problem


Zone = Annotated[StrictStr, AfterValidator(_zone)]
Pair = tuple[StrictInt, StrictInt]
Calendar = Annotated[StrictStr, AfterValidator(_calendar)]
Symbol = Annotated[StrictStr, Field(min_length=1, pattern=r"^\S+$")]
Fraction = Annotated[StrictFloat, Field(gt=0, lt=1)]


class When(Section):
    """When something was announced: exactly one of the three dates."""

    announced_on: DateString | None = Field(None, description="date in `timezone`, minute unknown: see date_only")
    announced_at: dt.datetime | StrictStr | None = Field(None, description="the instant, ISO 8601")
    session: DateString | None = Field(None, description="the event session itself")
    timezone: Zone | None = Field(None, description="IANA name; required unless an offset or a session is given")

    @field_validator("announced_at", mode="before")
    @classmethod
    def _has_a_time(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, (dt.date, str)):
            raise ValueError(f"announced_at = {value!r} is not an instant: write it as 2019-10-07T16:30:00-04:00")
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            raise ValueError(f"announced_at = {value} has no time of day: use announced_on for a date alone")
        return value

    @model_validator(mode="after")
    def _exactly_one_date(self) -> When:
        given = [name for name in ("announced_on", "announced_at", "session") if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none of them"
            raise ValueError(f"give exactly one of announced_at, announced_on and session (found {found})")
        if self.announced_on is not None and self.timezone is None:
            raise ValueError("announced_on needs timezone, such as America/New_York, to say whose date it is")
        return self


class Event(When):
    """One announcement and the firms it named."""

    id: Annotated[StrictStr, Field(min_length=1, description="names it in every table")]
    label: StrictStr = Field(default="", description="what happened, in the words of the report")
    firms: Annotated[tuple[Symbol, ...], Field(min_length=1, description="symbols, such as 002415.SZ")]
    group: StrictStr = Field(default="", description="rows of its own beside the group `all`")
    role: Role = Field(
        "treated",
        description="treated firms make up the group `all`; a variant joins them in its own group only; "
        "a placebo firm was not named and is shown apart",
    )
    date_only: DateOnly | None = Field(
        default=None, description="of a date whose minutes map to two sessions; default: that of [study]"
    )


class Spell(Section):
    """Some days, both ends inclusive."""

    first: DateString = Field(alias="from")
    last: DateString = Field(alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Spell:
        if self.first > self.last:
            raise ValueError(f"from = {self.first} lies after to = {self.last}: swap them")
        return self


class FirmDetails(Section):
    """Details of one firm; each overrides [market]."""

    symbol: Symbol = Field(description="whose details these are")
    name: StrictStr = Field(default="", description="name in the report; default: as the source has it, else the symbol")
    name_zh: StrictStr = Field("", description="name in Chinese, shown beside the other")
    benchmark: Symbol | None = Field(default=None, description="instead of that of [market]")
    calendar: Calendar | None = Field(default=None, description="exchange_calendars name; default: by the suffix")
    price_limit: Fraction | None = Field(default=None, description="instead of that of [market]")
    group: StrictStr = Field(default="", description="rows of its own beside the group `all`")
    industry: StrictStr = Field("", description="industry, for the test that counts correlation within industries only")
    shares: Annotated[StrictFloat, Field(gt=0)] | None = Field(None, description="shares outstanding, for effects in money")
    suspended: tuple[Spell, ...] = Field((), description="declared suspensions, added to the detected ones")


class Mask(Spell):
    """Sessions left out of the estimation."""

    reason: StrictStr = Field(description="printed in the report")
    symbols: tuple[Symbol, ...] = Field((), description="default: all firms")


class Confounder(When):
    """Other news of a firm, mapped to a session like an event."""

    symbol: Symbol = Field(description="the firm")
    label: StrictStr = Field(description="what the news was, in the words of the report")
    date_only: DateOnly | None = Field(default=None, description="as for an event")


class Leak(When):
    """Earlier news of an event, measured over a window of its own against an estimation window before it."""

    id: Annotated[StrictStr, Field(min_length=1, description="names it in every table")]
    label: StrictStr = Field(description="what the news was, in the words of the report")
    firms: Annotated[tuple[Symbol, ...], Field(min_length=1, description="firms of the study that the news was about")]
    window: Pair = Field((0, 1), description="sessions relative to the session of the leak")
    estimation: Pair | None = Field(None, description="relative to the session of the leak; default: that of [windows]")
    date_only: DateOnly | None = Field(default=None, description="as for an event")
