"""What a study computes, of whom, and from which series: the inputs of every computation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from eventstudy.events import Announcement, DateOnly, EventFirm
from eventstudy.inference.regression import Errors, Weights
from eventstudy.models import ModelOptions
from eventstudy.returns import LimitDays, ReturnKind, Treatment
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.factortable import FactorTable
from eventstudy.sources.stored import Outcome
from eventstudy.trading import Spell
from eventstudy.windows import Window, Windows

EngineName = Literal["local", "dask"]


@dataclass(frozen=True)
class FirmSettings:
    """What a study says of one firm."""

    benchmark: str
    name: str = ""
    name_zh: str = ""
    calendar: str | None = None
    price_limit: float | None = None
    group: str = ""
    industry: str = ""
    shares: float | None = None
    currency: str = ""  # of its prices; empty: by its suffix
    suspended: tuple[Spell, ...] = ()


@dataclass(frozen=True)
class MaskedSpell:
    """Sessions left out of the estimation, for some symbols or (empty) for all."""

    first: dt.date
    last: dt.date
    reason: str
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True)
class OtherNews:
    """Other news of a firm."""

    symbol: str
    announcement: Announcement
    label: str
    date_only: DateOnly = "refuse"
    where: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class Characteristic:
    """Named values of one firm; NaN where it has none. An empty `event_id` stands for any event of the firm."""

    event_id: str
    symbol: str
    values: tuple[tuple[str, float], ...]

    @property
    def key(self) -> tuple[str, str]:
        """(event_id, symbol)."""
        return self.event_id, self.symbol


@dataclass(frozen=True)
class Regression:
    """The cross-sectional regression: on which columns, with which errors and weights."""

    rows: tuple[Characteristic, ...]
    errors: Errors = "HC3"
    weights: Weights = "none"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the characteristics."""
        return tuple(name for name, _ in self.rows[0].values)


@dataclass(frozen=True)
class Leak:
    """Earlier news of a firm's event, as an event of its own with windows of its own."""

    event: EventFirm
    windows: Windows


@dataclass(frozen=True)
class Plan:
    """What is computed, whatever the data."""

    windows: Windows
    headline_window: Window
    model: str = "market"
    returns: ReturnKind = "log"
    suspensions: Treatment = "trade-to-trade"
    tests: tuple[str, ...] = ()
    alpha: float = 0.05
    seed: int = 0
    calendar: str | None = None
    masks: tuple[MaskedSpell, ...] = ()
    confounders: tuple[OtherNews, ...] = ()
    regression: Regression | None = None
    headline: tuple[str, ...] = ()  # tests named before the fact; empty: by the default rule
    model_options: ModelOptions = field(default_factory=ModelOptions)
    limit_days: LimitDays = "as_traded"
    leaks: tuple[Leak, ...] = ()


@dataclass(frozen=True)
class Specification:
    """The study under other choices, read over each window of `plan`; a study's first is the study itself.

    Parameters
    ----------
    benchmark : str
        Of all treated firms; several, joined by ``; ``, where each keeps its own.
    masked : bool
        Whether the study's masks hold.
    """

    plan: Plan
    firms: Mapping[str, FirmSettings]
    benchmark: str
    masked: bool


@dataclass(frozen=True)
class StudyInputs:
    """Everything a study is computed from: `series` holds shares and indices by symbol, `unknown` says of a symbol
    why there is none, `now` is the moment up to which prices are settled, `outcomes` tells what was fetched, `factors` is
    the user's table of factor returns, `specifications` are the study under other choices.
    """

    plan: Plan
    events: Sequence[EventFirm]
    firms: Mapping[str, FirmSettings]
    series: Mapping[str, PriceSeries]
    unknown: Mapping[str, str] = field(default_factory=dict)
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    outcomes: tuple[Outcome, ...] = ()
    factors: FactorTable | None = None
    specifications: tuple[Specification, ...] = ()
