"""The [data] table of a config: the sources and their keys."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictStr, field_validator, model_validator


class Section(BaseModel):
    """A table of the config."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


class FileColumns(Section):
    """Columns of the user's file: our name = theirs."""

    date: StrictStr | None = None
    symbol: StrictStr | None = None
    close: StrictStr | None = None
    adj_close: StrictStr | None = None
    volume: StrictStr | None = None
    dividend: StrictStr | None = None
    split: StrictStr | None = None
    open: StrictStr | None = None
    high: StrictStr | None = None
    low: StrictStr | None = None
    status: StrictStr | None = Field(None, description="cells traded, suspended or blank")
    pre_close: StrictStr | None = Field(None, description="the exchange's reference price, adjusted on ex-dates")
    adj_factor: StrictStr | None = Field(None, description="adjusted close over close")


class Files(Section):
    """The user's own price files."""

    prices: StrictStr = Field(description="CSV or Parquet")
    benchmark: StrictStr | None = Field(None, description="date and close of the benchmark; default: among `prices`")
    format: Literal["csmar", "wind", "tushare", "baostock"] | None = Field(
        None, description="whose export it is: its column names, units and codes; default: our own column names"
    )
    columns: FileColumns | None = Field(None, description="columns of other names: ours = the file's")
    benchmark_columns: FileColumns | None = Field(None, description="the same for the benchmark file; default: `columns`")
    shape: Literal["long", "wide"] | None = Field(
        None, description="of `prices`: a row a session and symbol, or a column a symbol; default: told from the header"
    )
    absent: Literal["suspended", "missing"] | None = Field(
        None, description="what an absent row means; default: as the format has it, suspended without one"
    )
    encoding: StrictStr | None = Field(None, description="default: byte-order mark, else UTF-8, else GB18030")
    decimal: Literal[".", ","] = Field(".", description="mark before the decimals")
    date_format: StrictStr | None = Field(None, description="such as %d.%m.%Y; default: year, month, day")
    volume_unit: Literal["shares", "lots"] | None = Field(None, description="lots are 100 shares; default: as the format has it")

    @field_validator("date_format")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                dt.datetime.strptime(dt.date(2019, 10, 8).strftime(value), value)
            except ValueError as problem:
                raise ValueError(f"date_format = {value!r} is not one: write it as %d.%m.%Y") from problem
            if "%y" not in value.lower():
                raise ValueError(f"date_format = {value!r} has no year: write it as %d.%m.%Y")
        return value


class Sql(Section):
    """A database; its address stands in the environment."""

    model_config = ConfigDict(hide_input_in_errors=True)

    url_env: Annotated[StrictStr, Field(description="name of the environment variable that holds the SQLAlchemy URL")]
    query: StrictStr = Field(description="one SELECT with :symbol, :start and :end that yields date, close, ...")
    benchmark_query: StrictStr | None = Field(None, description="the same for the benchmark; default: `query`")
    spelling: Literal["yahoo", "wind", "baostock", "bare"] = Field(
        "yahoo", description="how the database writes symbols: 600000.SS, 600000.SH, sh.600000, 600000"
    )
    absent: Literal["suspended", "missing"] = Field("missing", description="what an absent row means")

    @model_validator(mode="before")
    @classmethod
    def _no_address(cls, content: Any) -> Any:
        if isinstance(content, dict):
            name = content.get("url_env")
            if "url" in content or (isinstance(name, str) and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name)):
                raise ValueError(
                    "a database URL holds a password and has no place in a config: put it into an environment variable and "
                    'give that variable\'s name, url_env = "EVENTSTUDY_DATABASE_URL"'
                )
        return content


class Baostock(Section):
    """The baostock service."""

    timeout: Annotated[StrictFloat, Field(gt=0)] = Field(30.0, description="longest wait for the server's next words, in seconds")


SourceName = Literal["snapshot", "yahoo", "files", "sql", "baostock"]


class Yahoo(Section):
    """How patiently Yahoo is asked."""

    attempts: Annotated[int, Field(ge=1)] = Field(4, description="how often one request is tried")
    timeout: Annotated[float, Field(gt=0)] = Field(15.0, description="seconds one request may take")
    total: Annotated[float, Field(gt=0)] = Field(600.0, description="seconds all requests may take together")
    pause: Annotated[float, Field(ge=0)] = Field(0.5, description="seconds between two requests")
    wait: Annotated[float, Field(ge=0)] = Field(1.0, description="seconds before the second try; later waits grow")


class Data(Section):
    """Where prices come from."""

    source: SourceName | Annotated[tuple[SourceName, ...], Field(min_length=1)] = Field(
        default="snapshot", description="a source, or a list of them: the first that has a symbol serves it"
    )
    files: Files | None = None
    sql: Sql | None = None
    baostock: Baostock | None = None
    yahoo: Yahoo | None = None
    store: StrictStr | None = Field(default=None, description="folder that keeps prices; default: the platform's data folder")
    settle: Annotated[float, Field(ge=0)] = Field(default=60.0, description="minutes from the close until a price is settled")

    @field_validator("source", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        names = list(value) if isinstance(value, (list, tuple)) else [value]
        known = get_args(SourceName)
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                hint = f"perhaps you meant {near[0]!r}" if near else f"the sources are {', '.join(known)}"
                raise ValueError(f"source {name!r} is unknown: {hint}")
        if not names or len(set(names)) < len(names):
            raise ValueError("source lists a source twice, or none: give each once")
        return value

    @model_validator(mode="after")
    def _described(self) -> Data:
        if "files" in self.sources and self.files is None:
            raise ValueError('source = "files" needs a [data.files] table with prices = "prices.csv"')
        if "sql" in self.sources and self.sql is None:
            raise ValueError('source = "sql" needs a [data.sql] table with url_env = "EVENTSTUDY_DATABASE_URL" and a query')
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources, in the order to ask them in."""
        return (self.source,) if isinstance(self.source, str) else self.source

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """The keys of each source that has any, by name."""
        tables = {name: getattr(self, name, None) for name in self.sources}
        return {name: table.model_dump() for name, table in tables.items() if table is not None}
