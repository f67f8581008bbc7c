"""The study config: every key, its type and its default; unknown keys are errors."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from eventstudy.dataconfig import Data, Section
from eventstudy.errors import ConfigError
from eventstudy.eventconfig import Calendar, Confounder, Event, FirmDetails, Fraction, Leak, Mask, Pair, Symbol
from eventstudy.events import DateOnly
from eventstudy.headline import checked_headline
from eventstudy.inference.registry import TEST_NAMES
from eventstudy.inference.regression import Errors, Weights
from eventstudy.models.options import MOST_SHIFTS, ModelOptions, missing_option, refused_treatment
from eventstudy.models.robust import Covariance, Estimator
from eventstudy.plan import EngineName
from eventstudy.returns import LimitDays, ReturnKind, Treatment
from eventstudy.robustnessconfig import Robustness
from eventstudy.sources.factortable import FactorUnits
from eventstudy.tablefiles import Format
from eventstudy.windows import Windows


def _known_tests(value: Any) -> Any:
    """Check test names by hand: a union of types would complain of each branch."""
    if value == "all" or not isinstance(value, (list, tuple)):
        names: list[Any] = [] if value == "all" else [value]
    else:
        names = list(value)
        if not names:
            raise ValueError('tests is empty: write tests = "all", or name some')
    for name in names:
        if name not in TEST_NAMES:
            near = difflib.get_close_matches(str(name), TEST_NAMES, n=1)
            hint = f"perhaps you meant {near[0]!r}" if near else f"there are all, {', '.join(TEST_NAMES)}"
            raise ValueError(f"tests: unknown test {name!r}: {hint}")
    return value if value == "all" else tuple(names)


Language = Literal["en", "zh"]
Shifts = Annotated[StrictInt, Field(ge=0, le=MOST_SHIFTS)]


class Market(Section):
    """Calendar and benchmark of the study."""

    calendar: Calendar | None = Field(None, description="exchange_calendars name, or `benchmark`")
    benchmark: Symbol = Field(description="symbol of the index that the firms are measured against")
    benchmark_name: StrictStr = Field("", description="name of the benchmark in the report")
    currency: StrictStr = Field("", description="currency of the firms' prices, such as CNY; default: by each suffix")
    price_limit: Fraction | None = Field(
        default=None, description="daily price limit as a fraction, such as 0.10: closes there are marked"
    )


class WindowKeys(Section):
    """Windows, inclusive, in sessions relative to the event session."""

    estimation: Pair = Field(description="sessions the model is estimated on")
    event: Pair = Field(description="sessions shown and cumulated over; starts after the estimation ends")
    car: tuple[Pair, ...] = Field(description="windows to cumulate over, each inside `event`")
    min_observations: StrictInt = Field(default=100, description="fewest estimation rows an event needs; at least 30")

    @model_validator(mode="after")
    def _consistent(self) -> WindowKeys:
        try:
            self.windows()
        except ConfigError as problem:
            raise ValueError(str(problem)) from problem
        return self

    def windows(self) -> Windows:
        """Return the windows as the engine takes them."""
        return Windows(self.estimation, self.event, self.car, self.min_observations)


class ModelKeys(Section):
    """Expected-return model and the rows it is fitted on."""

    name: Literal[
        "mean", "market_adjusted", "market", "capm", "factors", "peers", "two_index", "industry", "scholes_williams", "dimson",
        "garch",
    ] = Field(default="market", description="model of the expected return: docs/models.md")
    returns: ReturnKind = Field(description="log is recommended: it makes every suspension exact; simple for comparison")
    suspensions: Treatment = Field(
        default="trade-to-trade", description="trade-to-trade is right; the others are there to compare with"
    )
    factors: StrictStr | None = Field(None, description="table of factor returns by date, CSV or Parquet")
    factor_columns: tuple[StrictStr, ...] = Field((), description="its columns that `factors` regresses on")
    risk_free_column: StrictStr = Field("", description="its column with the risk-free return of a session")
    factor_units: FactorUnits | None = Field(None, description="default: told from the values where they leave no doubt")
    peers: tuple[Symbol, ...] = Field((), description="symbols of the peer portfolio, named before the result; none has an event")
    global_benchmark: Symbol | None = Field(None, description="second index; its exchange closes before the local one opens")
    global_calendar: StrictStr | None = Field(None, description="exchange_calendars name of the sessions it has")
    industry_benchmark: Symbol | None = Field(None, description="index of the industry, best without the firm itself")
    lags: Shifts = Field(1, description="sessions before whose benchmark returns `dimson` adds")
    leads: Shifts = Field(1, description="sessions after; they end with the estimation window")
    fowler_rorke: StrictBool = Field(False, description="whether `dimson` weights its slopes as Fowler and Rorke have it")
    estimator: Estimator = Field("ols", description="least squares, Huber's estimator, or least absolute deviations")
    limit_days: LimitDays = Field("as_traded", description="spanned: a run of limit closes and the close after it are one return")
    cov: Covariance = Field("classical", description="of the parameters; hac for autocorrelated and heteroskedastic errors")

    @model_validator(mode="after")
    def _complete(self) -> ModelKeys:
        lacking = missing_option(self.name, self.options, self.factors is not None)
        lacking = lacking or refused_treatment(self.name, self.suspensions)
        if lacking:
            raise ValueError(lacking)
        if self.limit_days == "spanned" and self.suspensions != "trade-to-trade":
            raise ValueError('limit_days = "spanned" makes returns over several sessions: use suspensions = "trade-to-trade"')
        if len(set(self.peers)) < len(self.peers):
            raise ValueError("peers names a symbol twice: keep one of them")
        return self

    @property
    def options(self) -> ModelOptions:
        """What models take beside their name."""
        return ModelOptions(
            self.factor_columns, self.risk_free_column, self.peers, self.global_benchmark or "", self.global_calendar or "",
            self.industry_benchmark or "", self.lags, self.leads, self.fowler_rorke, self.estimator, self.cov,
        )  # fmt: skip


class Inference(Section):
    """Tests, the headline window and the level."""

    tests: Annotated[Literal["all"] | tuple[StrictStr, ...], BeforeValidator(_known_tests)] = Field(
        default="all", description="names of tests, or all"
    )
    headline: Annotated[
        tuple[StrictStr, ...] | None,
        Field(
            description="one parametric test and one by resampling or ranks, named before the result; default: portfolio_t and "
            "placebo_caar below ten firms, kp_bmp and grank from ten on"
        ),
    ] = None
    headline_window: Pair | None = Field(
        default=None, description="named before the result; required where there are several CAR windows"
    )
    alpha: Fraction = Field(default=0.05, description="level of tests and intervals")
    seed: StrictInt = Field(default=0, description="of the bootstrap draws")

    @property
    def test_names(self) -> tuple[str, ...]:
        """The tests that the study runs."""
        return TEST_NAMES if self.tests == "all" else self.tests


class CrossSectionKeys(Section):
    """Regression of the CARs on firm characteristics, over every CAR window."""

    characteristics: StrictStr = Field(description="CSV or Parquet: symbol, optionally event_id, then columns of numbers")
    columns: tuple[StrictStr, ...] = Field((), description="the characteristics to use; default: all numeric columns")
    errors: Errors = Field("HC3", description="HC3 and HC1 allow for unequal variances, cluster for a common event session")
    weights: Weights = Field("none", description="precision: each firm weighs 1 / se_car²")


class ReportKeys(Section):
    """How the page is written; no part of the study itself."""

    language: Language = Field(
        default="en", description="of the page, and of a comparison with an older run: en (English) or zh (simplified Chinese)"
    )


class Runs(Section):
    """What becomes of run folders; no part of the study itself."""

    keep: Annotated[StrictInt, Field(ge=1)] | None = Field(default=None, description="newest runs to keep; default: all")
    pin: tuple[StrictStr, ...] = Field(default=(), description="ids of runs that were published and are never removed")
    on_change: tuple[StrictStr, ...] = Field(
        default=(), description="command and arguments to call after a run that changed something, without a shell"
    )


class Output(Section):
    """How tables are written; no part of the study itself."""

    format: Format = Field(default="csv", description="of the tables: csv, or parquet for studies of many events")


class Compute(Section):
    """Where the events of a large study are estimated; no part of the study itself: the numbers are the same."""

    engine: EngineName = Field(default="local", description="local, or dask to spread 500 events or more over workers")
    scheduler: StrictStr = Field(default="", description="address of a dask scheduler; default: workers started on this machine")

    @model_validator(mode="after")
    def _has_workers(self) -> Compute:
        if self.scheduler and self.engine == "local":
            raise ValueError('scheduler is for engine = "dask": set that, or leave scheduler out')
        return self


class StudyKeys(Section):
    """Name and title of the study."""

    name: Annotated[StrictStr, Field(pattern=r"^[a-z0-9-]+$", description="a-z, 0-9 and hyphens: its folder under reports/")]
    title: StrictStr = Field(default="", description="heading of the report")
    note: StrictStr = Field("", description="what the reader must know of the design, printed with the finding")
    events: StrictStr | None = Field(None, description="events file, instead of [[event]]")
    date_only: DateOnly = Field(
        default="refuse", description="of a date whose minutes map to two sessions: refuse, first, last, or both side by side"
    )


class StudySpec(Section):
    """A whole study, as read from a config file or given as a dict.

    Frozen; `replace` returns a changed copy, checked again.
    """

    study: StudyKeys
    event: tuple[Event, ...] = ()
    firm: tuple[FirmDetails, ...] = ()
    market: Market
    data: Data = Data()
    windows: WindowKeys
    mask: tuple[Mask, ...] = ()
    confounder: tuple[Confounder, ...] = ()
    leak: tuple[Leak, ...] = ()
    model: ModelKeys
    inference: Inference = Inference()
    cross_section: CrossSectionKeys | None = None
    robustness: Robustness | None = Field(None, description="further choices the study is computed under, all combined")
    report: ReportKeys = ReportKeys()
    runs: Runs = Runs()
    output: Output = Output()
    compute: Compute = Compute()

    _folder: Path = PrivateAttr(default_factory=Path.cwd)
    _text: str | None = PrivateAttr(default=None)
    _copies: dict[str, Path] = PrivateAttr(default_factory=dict)
    _where: str = PrivateAttr(default="config")

    @model_validator(mode="after")
    def _whole(self) -> StudySpec:
        if bool(self.event) == bool(self.study.events):
            raise ValueError("give either [[event]] tables or events = \"events.csv\" under [study], one of the two")
        symbols = [firm.symbol for firm in self.firm]
        for symbol in symbols:
            if symbols.count(symbol) > 1:
                raise ValueError(f"two [[firm]] tables describe {symbol}: keep one of them")
        window = self.inference.headline_window
        if window is None and len(self.windows.car) > 1:
            raise ValueError("name the headline_window under [inference] before looking at results: one of [windows] car")
        if window is not None and window not in self.windows.car:
            raise ValueError(f"headline_window {list(window)} is none of [windows] car: add it there")
        if self.inference.headline is not None:
            checked_headline(self.inference.headline, self.inference.test_names)
        return self

    @model_validator(mode="after")
    def _limits_are_known(self) -> StudySpec:
        if self.model.limit_days == "spanned" and not (self.market.price_limit or any(firm.price_limit for firm in self.firm)):
            raise ValueError(
                'limit_days = "spanned" joins closes at the price limit, and none is given: add price_limit under [market] or to '
                "a [[firm]]"
            )
        return self

    @model_validator(mode="after")
    def _robustness_fits(self) -> StudySpec:
        if self.robustness is not None:
            self.robustness.check(self.model, self.windows.windows())
        return self

    @property
    def headline_window(self) -> tuple[int, int]:
        """The window named before the result."""
        return self.inference.headline_window or self.windows.car[0]

    @property
    def folder(self) -> Path:
        """Folder that relative paths of the config start from."""
        return self._folder

    @property
    def file(self) -> Path | None:
        """The config file; None for a study that was never one."""
        return None if self._text is None else self._folder / Path(self._where).name

    @property
    def input_files(self) -> tuple[str, ...]:
        """Files that the config names beside those of the prices, as written there."""
        characteristics = self.cross_section.characteristics if self.cross_section else None
        return tuple(name for name in (self.study.events, self.model.factors, characteristics) if name)

    def path(self, name: str) -> Path:
        """Where a file that the config names lies: relative to the config, or a run's own copy of it."""
        return self._copies.get(name, self._folder / name)

    def with_copies(self, copies: dict[str, Path]) -> StudySpec:
        """Return the same study reading its input files from copies, by the name the config gives them."""
        spec = self.model_copy()
        spec._copies = copies
        return spec

    def replace(self, **changes: Any) -> StudySpec:
        """Return a copy with some keys changed.

        Parameters
        ----------
        **changes
            A section by name with a dict of its keys (``model={"name": "mean"}``), a whole array of tables
            (``event=[...]``), or a key that only one section has (``headline_window=(0, 5)``).

        Raises
        ------
        ConfigError
            If a name is no key or several sections have it, or the result is not a valid study.
        """
        from eventstudy.configfile import spec_from_dict

        content = self.model_dump(by_alias=True, exclude_unset=True)
        sections = {name: field.annotation for name, field in type(self).model_fields.items() if _is_section(field.annotation)}
        for key, value in changes.items():
            if key in sections and isinstance(value, dict):
                content[key] = {**content.get(key, {}), **value}
                continue
            if key in type(self).model_fields:
                content[key] = value
                continue
            owners = [name for name, section in sections.items() if key in section.model_fields]  # type: ignore[union-attr]
            if len(owners) != 1:
                raise ConfigError(
                    f"replace({key}=...) names {'several sections, ' + ', '.join(owners) if owners else 'no key of the config'}: "
                    "give the section with a dict, such as model={'name': 'mean'}"
                )
            content[owners[0]] = {**content.get(owners[0], {}), key: value}
        changed = spec_from_dict(content, self._folder)
        changed._copies = self._copies
        return changed


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)
