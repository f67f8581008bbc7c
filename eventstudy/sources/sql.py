"""A database through SQLAlchemy: one query with bound parameters, read-only, its address from the environment.

The query yields the long columns (date, close [, adj_close] [, volume] [, dividend] [, split] [, open, high, low]
[, status] [, symbol]) of one symbol: ``:symbol``, ``:start`` and ``:end`` are bound by the driver, never pasted
into the text. Only one SELECT or WITH statement is taken, and where the database can it runs in a read-only
transaction (PostgreSQL, MySQL, MariaDB) or on a read-only connection (SQLite, DuckDB); it is always rolled back.
Tested against PostgreSQL, SQLite and DuckDB; other databases are not.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pandas as pd

from eventstudy.errors import ConfigError, DataError, SourceUnreachableError, UnknownSymbolError
from eventstudy.sources.base import Absent, Kind, PriceSeries
from eventstudy.sources.frames import price_frame
from eventstudy.sources.reading import listed
from eventstudy.sources.symbols import Spelling, market_symbol, spelt

if TYPE_CHECKING:
    import sqlalchemy

CONNECT_SECONDS = 10
QUERY_SECONDS = 120
PARAMETERS = ("symbol", "start", "end")
FILE_DATABASES = ("sqlite", "duckdb")
NEEDED = "source = \"sql\" needs SQLAlchemy and the database's driver: pip install 'eventstudy-toolkit[{extra}]'"
EXTRAS = {"postgresql": "postgres", "duckdb": "duckdb"}

# What stands in quotes or comments is no statement; a dollar-quoted text of PostgreSQL is one, too.
INERT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1", re.DOTALL)
WRITES = re.compile(
    r"\b(insert|update|delete|merge|replace\s+into|into|create|alter|drop|truncate|grant|revoke|call|execute|exec|copy|attach|"
    r"pragma|set|install|load|vacuum)\b",
    re.IGNORECASE,
)


class SqlSource:
    """Prices from a database table of the user's.

    Parameters
    ----------
    url_env : str
        Name of the environment variable that holds the SQLAlchemy URL.
    query : str
        One SELECT with ``:symbol`` and, if wanted, ``:start`` and ``:end``.
    benchmark_query : str, optional
        The same for indices; default: `query`.
    spelling : {"yahoo", "wind", "baostock", "bare"}
        How the database writes symbols: 600000.SS, 600000.SH, sh.600000 or 600000.
    absent : {"suspended", "missing"}
        What it means when a session has no row.
    """

    name = "sql"
    remote = True

    def __init__(
        self,
        url_env: str,
        query: str,
        benchmark_query: str | None = None,
        spelling: Spelling = "yahoo",
        absent: Absent = "missing",
    ) -> None:
        self.url_env, self.spelling, self.absent = url_env, spelling, absent
        self.query = checked_query(query, "query")
        self.benchmark_query = checked_query(benchmark_query, "benchmark_query") if benchmark_query else self.query
        self._made: sqlalchemy.Engine | None = None

    @classmethod
    def from_settings(cls, folder: Path, settings: Mapping[str, Any]) -> SqlSource:
        """Return the source that a [data.sql] table describes."""
        given = {name: value for name, value in settings.items() if value is not None and name != "url"}
        return cls(**given)

    def origin(self, kind: Kind) -> str:
        """Return what decides on the rows besides symbol and dates: database, query, spelling, absent rows."""
        url = self._url().difference_update_query(["password"])
        if url.get_backend_name() in FILE_DATABASES and url.database:
            url = url.set(database=str(Path(url.database).resolve()))
        query = self.query if kind == "share" else self.benchmark_query
        return "\n".join((url.render_as_string(hide_password=True), query, self.spelling, self.absent))

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the rows that the query yields for `symbol` between `start` and `end`.

        Raises
        ------
        UnknownSymbolError
            If there are none.
        ConfigError
            If the address or the query cannot be used as it stands.
        SourceUnreachableError
            If the database does not answer.
        DataError
            If the rows cannot be used.
        """
        sa = _sqlalchemy()
        key, query = ("query", self.query) if kind == "share" else ("benchmark_query", self.benchmark_query)
        statement = sa.text(query)
        values = {
            "symbol": spelt(symbol, self.spelling), "start": f"{start:%Y-%m-%d}", "end": f"{end:%Y-%m-%d}",
        }  # fmt: skip
        unknown = [name for name in statement.compile().params if name not in values]
        if unknown or "symbol" not in statement.compile().params:
            fault = f"names the parameter :{unknown[0]}" if unknown else "has no parameter :symbol"
            raise ConfigError(f"[data.sql] {key} {fault}: it takes :symbol, and :start and :end if wanted; write \\: for a colon")
        with self._connection() as connection:
            try:
                rows = connection.execute(statement, {name: values[name] for name in statement.compile().params})
                columns = [str(name) for name in rows.keys()]  # noqa: SIM118 - a result is not a dict
                table = pd.DataFrame([tuple(row) for row in rows], columns=columns, dtype="object")
            except sa.exc.SQLAlchemyError as problem:
                raise self._query_error(problem, key) from None
        return self._series(table, symbol, kind, key)

    def _series(self, table: pd.DataFrame, symbol: str, kind: Kind, key: str) -> PriceSeries:
        names = list(table.columns)
        if "date" not in names or not {"close", "adj_close"} & set(names):
            raise ConfigError(
                f"[data.sql] {key} yields {listed(names)}: it must yield date and close (or adj_close): name them by AS"
            )
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ConfigError(f"[data.sql] {key} yields two columns called {repeated[0]!r}: leave one out")
        if table.empty:
            raise UnknownSymbolError(f"the database has no rows of {symbol} (asked for as {spelt(symbol, self.spelling)})")
        if "symbol" in names:
            others = {text for text in table["symbol"].astype(str) if market_symbol(text) != market_symbol(symbol)}
            others -= {spelt(symbol, self.spelling)}
            if others:
                found = listed(sorted(others), 3)
                raise ConfigError(f"[data.sql] {key} yields rows of {found} when asked for {symbol}: add WHERE symbol = :symbol")
        frame, notes = price_frame(table, f"database, {symbol}")
        return PriceSeries(symbol, frame, self.name, kind, self.absent, notes=tuple(notes))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlalchemy.Connection]:
        sa, engine = _sqlalchemy(), self._engine()
        try:
            connection = engine.connect()
        except (sa.exc.SQLAlchemyError, OSError) as problem:
            fault = f"the database that {self.url_env} names does not answer ({self._reason(problem)})"
            raise SourceUnreachableError(f"{fault}: check that it runs, and its address") from None
        try:
            with connection:
                self._make_read_only(connection)
                yield connection
                connection.rollback()
        finally:
            engine.dispose()  # no file or server is held between symbols

    def _make_read_only(self, connection: sqlalchemy.Connection) -> None:
        """Begin what cannot write; the word list alone would not stop a function that writes."""
        sa, kind = _sqlalchemy(), connection.dialect.name
        try:
            if kind == "postgresql":
                connection.execute(sa.text("SET TRANSACTION READ ONLY"))
                connection.execute(sa.text(f"SET LOCAL statement_timeout = {QUERY_SECONDS * 1000}"))
            elif kind in ("mysql", "mariadb"):
                connection.execute(sa.text("SET SESSION TRANSACTION READ ONLY"))
                connection.rollback()
            elif kind == "sqlite":
                connection.execute(sa.text("PRAGMA query_only = ON"))
        except sa.exc.SQLAlchemyError as problem:
            raise SourceUnreachableError(f"the database cannot be read ({self._reason(problem)}): check it") from None

    def _engine(self) -> sqlalchemy.Engine:
        if self._made is None:
            self._made = self._new_engine()
        return self._made

    def _url(self) -> sqlalchemy.URL:
        sa = _sqlalchemy()
        address = os.environ.get(self.url_env, "").strip()
        if not address:
            raise ConfigError(f"[data.sql] url_env: the environment variable {self.url_env} is not set: put the URL there")
        try:
            url: sqlalchemy.URL = sa.make_url(address)
        except (sa.exc.ArgumentError, ValueError):
            raise ConfigError(
                f"{self.url_env} holds no database URL: write it as postgresql://user:password@host/database or sqlite:///file"
            ) from None
        return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url

    def _new_engine(self) -> sqlalchemy.Engine:
        sa, url = _sqlalchemy(), self._url()
        kind = url.get_backend_name()
        arguments: dict[str, Any] = {}
        if kind in FILE_DATABASES:
            if not url.database or not Path(url.database).is_file():
                raise DataError(f"the {kind} file that {self.url_env} names is not there: check the path")
            arguments = {"read_only": True} if kind == "duckdb" else {}
        elif kind == "postgresql":
            arguments = {"connect_timeout": CONNECT_SECONDS}
        try:
            engine: sqlalchemy.Engine = sa.create_engine(url, connect_args=arguments)
            return engine
        except (ImportError, sa.exc.NoSuchModuleError):
            raise ConfigError(NEEDED.format(extra=EXTRAS.get(kind, "sql"))) from None
        except sa.exc.ArgumentError:
            raise ConfigError(f"{self.url_env} holds a database URL that its driver does not take: check its parts") from None

    def _query_error(self, problem: Exception, key: str) -> ConfigError | DataError | SourceUnreachableError:
        origin = getattr(problem, "orig", None)
        if type(origin).__name__ == "DatabaseError":  # SQLite's for a file that is damaged or none of its own
            return DataError(f"the file that {self.url_env} names cannot be read ({self._reason(problem)}): check it")
        state = str(getattr(origin, "sqlstate", None) or "")
        if state == "57014":
            return SourceUnreachableError(f"the database took longer than {QUERY_SECONDS} s: index its table by symbol and date")
        if getattr(problem, "connection_invalidated", False) or state.startswith(("08", "57")):
            return SourceUnreachableError(f"the database broke off ({self._reason(problem)}): try again")
        return ConfigError(f"[data.sql] {key}: the database refuses it ({self._reason(problem)}): correct the query")

    def _reason(self, problem: Exception) -> str:
        """Return the first line of what the driver said, without the password."""
        origin = getattr(problem, "orig", None) or problem
        text = next((line.strip() for line in str(origin).splitlines() if line.strip()), type(origin).__name__)
        password = self._made.url.password if self._made is not None else None
        for secret in (str(password), quote_plus(str(password)), quote(str(password), safe="")) if password else ():
            text = text.replace(secret, "***")
        return text


def _sqlalchemy() -> Any:
    try:
        import sqlalchemy
    except ImportError as problem:
        raise ConfigError(NEEDED.format(extra="sql")) from problem
    return sqlalchemy


def checked_query(query: str, key: str) -> str:
    """Return `query` if it is a single SELECT or WITH statement that names nothing that writes.

    Raises
    ------
    ConfigError
        If it is anything else.
    """
    bare = INERT.sub(" ", query).strip().rstrip(";").strip()
    if ";" in bare:
        raise ConfigError(f"[data.sql] {key} holds several statements: give a single SELECT")
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE):
        raise ConfigError(f"[data.sql] {key} is not a SELECT: the database is only read")
    if found := WRITES.search(bare):
        word = found[0].upper()
        raise ConfigError(f"[data.sql] {key} holds {word}, which writes: the database is only read; quote a column's name")
    return query
