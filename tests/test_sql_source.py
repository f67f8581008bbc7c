"""Prices from databases: a real PostgreSQL started here, SQLite and DuckDB files; read-only, bound, silent on passwords."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from eventstudy.configfile import data_keys
from eventstudy.errors import ConfigError, DataError, EventStudyError, SourceUnreachableError, UnknownSymbolError
from eventstudy.sources import open_source
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.sql import SqlSource, checked_query

URL_ENV = "EVENTSTUDY_TEST_DATABASE"
QUERY = "SELECT date, symbol, close, volume FROM prices WHERE symbol = :symbol AND date BETWEEN :start AND :end"
START, END = pd.Timestamp("2019-09-02"), pd.Timestamp("2019-11-15")
EVER = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")
SECRET = "s3cr/t pass%word"
ENCODED = "s3cr%2Ft%20pass%25word"

ROWS = "CREATE TABLE prices (date {date}, symbol {text}, close {number}, volume {count})"


@pytest.fixture(scope="session")
def truth() -> pd.DataFrame:
    return open_source("snapshot", Path(), {}).fetch("002415.SZ", START, END, "share").frame


@pytest.fixture(scope="session")
def records(truth: pd.DataFrame) -> list[tuple[str, str, float, int]]:
    own = [(f"{day:%Y-%m-%d}", "002415.SZ", close, int(volume)) for day, close, volume in truth[["close", "volume"]].itertuples()]
    return [*own, ("2019-10-08", "600000.SH", 11.5, 100), ("2019-10-08", "O'Hara; DROP", 2.5, 7)]


def run_as_owner(command: list[str], folder: Path) -> None:
    """Run a program of PostgreSQL, which refuses to run as root, as the user that Debian's package made for it."""
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, **user)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr + "".join(
        path.read_text(errors="replace") for path in folder.glob("*.log")
    )


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres(records: list[tuple[str, str, float, int]]) -> Iterator[str]:
    """The URL, with password, of a PostgreSQL that lives as long as the tests."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = programs[-1].parent if programs else Path(shutil.which("initdb") or "").parent
    if not (found / "initdb").is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("no PostgreSQL here: apt-get install postgresql")
        pytest.skip("NOT TESTED AGAINST POSTGRESQL: no initdb here; apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must be short
    try:
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        (folder / "word").write_text(SECRET)
        (folder / "word").chmod(0o644)
        settings = ["-A", "scram-sha-256", "-U", "owner", "--pwfile", str(folder / "word"), "-E", "UTF8", "--no-sync"]
        run_as_owner([str(found / "initdb"), "-D", str(folder / "data"), *settings], folder)
        port = free_port()
        options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -p {port} -c fsync=off"
        control = [str(found / "pg_ctl"), "-D", str(folder / "data"), "-w", "-l", str(folder / "server.log")]
        run_as_owner([*control, "-o", options, "start"], folder)
        try:
            address = f"postgresql://owner:{ENCODED}@127.0.0.1:{port}/postgres"
            fill_postgres(address, records)
            yield address
        finally:
            run_as_owner([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill_postgres(address: str, records: list[tuple[str, str, float, int]]) -> None:
    import psycopg

    with psycopg.connect(address) as connection:
        connection.execute(ROWS.format(date="date", text="text", number="numeric(12, 4)", count="bigint"))
        connection.cursor().executemany("INSERT INTO prices VALUES (%s, %s, %s, %s)", records)
        connection.execute(
            "CREATE FUNCTION spoil() RETURNS integer LANGUAGE sql AS 'DELETE FROM prices; SELECT 1'",
        )


@pytest.fixture(scope="session")
def sqlite(records: list[tuple[str, str, float, int]], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sqlite") / "prices.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(ROWS.format(date="text", text="text", number="real", count="integer"))
        connection.executemany("INSERT INTO prices VALUES (?, ?, ?, ?)", records)
        connection.commit()
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def duck(records: list[tuple[str, str, float, int]], tmp_path_factory: pytest.TempPathFactory) -> str:
    import duckdb

    path = tmp_path_factory.mktemp("duckdb") / "prices.duckdb"
    with contextlib.closing(duckdb.connect(str(path))) as connection:
        connection.execute(ROWS.format(date="date", text="text", number="double", count="bigint"))
        connection.executemany("INSERT INTO prices VALUES (?, ?, ?, ?)", records)
    return f"duckdb:///{path}"


@pytest.fixture(params=["postgres", "sqlite", "duck"])
def address(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    url: str = request.getfixturevalue(request.param)
    monkeypatch.setenv(URL_ENV, url)
    return url


def source(**keys: Any) -> SqlSource:
    """Open the source as the config does, so that keys are checked on the way."""
    data = data_keys({"source": "sql", "sql": {"url_env": URL_ENV, "query": QUERY} | keys})
    found = open_source("sql", Path(), data.settings["sql"])
    assert isinstance(found, SqlSource)
    return found


def fetched(symbol: str = "002415.SZ", **keys: Any) -> PriceSeries:
    return source(**keys).fetch(symbol, START, END, "share")


def test_rows_between_the_dates(address: str, truth: pd.DataFrame) -> None:
    series = fetched()
    inside = truth.loc[START:END]
    assert series.frame["close"].tolist() == inside["close"].tolist()
    assert series.frame["volume"].tolist() == inside["volume"].tolist()
    assert list(series.frame.index) == list(inside.index)
    assert (series.source, series.absent, series.notes) == ("sql", "missing", ())


def test_whole_history_when_asked_for_ever(address: str, truth: pd.DataFrame) -> None:
    assert len(source().fetch("002415.SZ", *EVER, "share").frame) == len(truth)


def test_symbols_are_bound_and_never_pasted(address: str) -> None:
    assert fetched("O'Hara; DROP").frame["close"].tolist() == [2.5]
    with pytest.raises(UnknownSymbolError):
        fetched("x' OR '1'='1")
    assert fetched("O'Hara; DROP").frame["close"].tolist() == [2.5]


def test_spelling_of_the_database(address: str) -> None:
    assert fetched("600000.SS", spelling="wind").frame["close"].tolist() == [11.5]
    with pytest.raises(UnknownSymbolError, match=r"no rows of 600000\.SS \(asked for as sh\.600000\)"):
        fetched("600000.SS", spelling="baostock")


def test_origin_is_what_decides_on_the_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Database, query of that kind, spelling, meaning of an absent row; never the password."""
    monkeypatch.setenv(URL_ENV, "postgresql://reader:s3cret@host/prices")
    own = QUERY.replace("close", "close / 2 AS close", 1)
    plain = source().origin("share")
    assert "s3cret" not in plain
    assert source().origin("index") == plain
    assert source(benchmark_query=own).origin("share") == plain
    others = [source(benchmark_query=own).origin("index"), source(query=own).origin("share")]
    others += [source(spelling="wind").origin("share"), source(absent="suspended").origin("share")]
    for address in ("postgresql://reader:s3cret@host/copy", "postgresql://reader@other/prices", "sqlite:///prices.db"):
        monkeypatch.setenv(URL_ENV, address)
        others.append(source().origin("share"))
    monkeypatch.chdir(tmp_path)
    others.append(source().origin("share"))  # the same relative path in another folder
    assert len({plain, *others}) == 8  # the first two are the same query of two kinds
    monkeypatch.setenv(URL_ENV, "postgresql://reader:changed@host/prices")
    assert source().origin("share") == plain


def test_index_by_its_own_query(address: str) -> None:
    own = "SELECT date, 2 * close AS close FROM prices WHERE symbol = :symbol"
    assert source(benchmark_query=own).fetch("600000.SH", START, END, "index").frame["close"].tolist() == [23.0]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT date, nothing FROM prices WHERE symbol = :symbol", "the database refuses it .*nothing"),
        ("SELECT date FROM nowhere WHERE symbol = :symbol", "the database refuses it .*nowhere"),
        ("SELECT date, volume FROM prices WHERE symbol = :symbol", "yields date, volume: it must yield date and close"),
        ("SELECT date, close, close FROM prices WHERE symbol = :symbol", "two columns called 'close'"),
        ("SELECT date, close FROM prices", "has no parameter :symbol"),
        ("SELECT date, close FROM prices WHERE symbol = :symbol AND close > :limit", "names the parameter :limit"),
        ("SELECT date, symbol, close FROM prices WHERE :symbol <> ''", "yields rows of .* when asked for 002415"),
    ],
)
def test_query_that_cannot_serve(address: str, query: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        fetched(query=query)
    assert "\n" not in str(caught.value)


def test_rows_that_cannot_be_used(address: str) -> None:
    with pytest.raises(DataError, match="close -1 on 2019-10-08 is not a price"):
        fetched("600000.SH", query="SELECT date, -1 AS close FROM prices WHERE symbol = :symbol")


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM prices WHERE symbol = :symbol",
        "SELECT 1; DELETE FROM prices WHERE symbol = :symbol",
        "WITH gone AS (DELETE FROM prices WHERE symbol = :symbol RETURNING *) SELECT * FROM gone",
        "SELECT date, close INTO other FROM prices WHERE symbol = :symbol",
        "/* SELECT */ UPDATE prices SET close = 1 WHERE symbol = :symbol",
        "PRAGMA query_only = OFF",
        "COPY prices TO 'out.csv'",
        "",
    ],
)
def test_only_reading_is_taken(query: str) -> None:
    with pytest.raises(ConfigError, match=r"\[data\.sql\] query"):
        checked_query(query, "query")


def test_reading_that_looks_like_writing_is_taken() -> None:
    for query in (
        "-- DELETE\nSELECT date, 'drop; table' AS note, \"update\", updated_at FROM prices WHERE symbol = :symbol;",
        "with t as (select * from prices) select * from t where symbol = :symbol",
        "SELECT replace(symbol, 'SH', 'SS') AS symbol FROM prices",
    ):
        assert checked_query(query, "query") == query


def test_function_that_writes_is_stopped_by_the_transaction(
    postgres: str, truth: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_ENV, postgres)
    with pytest.raises(ConfigError, match=r"refuses it .*read-only transaction"):
        fetched(query="SELECT spoil() AS close, :symbol AS date")
    assert len(fetched().frame) == len(truth.loc[START:END])


@pytest.mark.parametrize("kind", ["sqlite", "duck"])
def test_connection_to_a_file_cannot_write(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of words is not what protects the file: with it out of the way the file is as safe."""
    monkeypatch.setenv(URL_ENV, request.getfixturevalue(kind))
    chosen = source()
    chosen.query = "DELETE FROM prices WHERE symbol = :symbol"
    with pytest.raises(EventStudyError, match=r"(?i)read.?only"):
        chosen.fetch("002415.SZ", START, END, "share")
    assert len(fetched().frame) > 40


def test_refused_connection_wrong_password_and_no_password_in_any_message(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = postgres.replace(postgres.rsplit(":", 1)[1], f"{free_port()}/postgres")
    wrong = postgres.replace(ENCODED, "wr0ngw0rd")
    nowhere = postgres.replace("/postgres", "/nowhere")
    for url, reason in ((closed, "refused"), (wrong, "authentication failed"), (nowhere, "does not exist")):
        monkeypatch.setenv(URL_ENV, url)
        with pytest.raises(SourceUnreachableError, match=reason) as caught:
            fetched()
        text = str(caught.value)
        assert caught.value.__cause__ is None
        assert not any(word in text for word in (SECRET, ENCODED, "wr0ngw0rd"))
        assert "\n" not in text


def test_password_that_the_driver_repeats_is_blotted_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_ENV, f"postgresql://owner:{ENCODED}@127.0.0.1:1/postgres")
    chosen = source()
    chosen._engine()
    assert chosen._reason(ValueError(f"bad {SECRET} and {ENCODED}")) == "bad *** and ***"


@pytest.mark.parametrize(
    ("url", "error", "sentence"),
    [
        ("", ConfigError, "the environment variable .* is not set"),
        ("s3cret-but-no-url", ConfigError, "holds no database URL"),
        ("nosuchdb://u:s3cret@h/d", ConfigError, "needs SQLAlchemy and the database's driver"),
        ("sqlite:////nowhere/s3cret.db", DataError, "the sqlite file .* is not there"),
        ("duckdb:////nowhere/s3cret.db", DataError, "the duckdb file .* is not there"),
    ],
)
def test_address_that_cannot_be_used(url: str, error: type[Exception], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_ENV, url)
    with pytest.raises(error, match=sentence) as caught:
        fetched()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_file_that_is_no_database(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.db").write_bytes(b"neither nor" * 500)
    monkeypatch.setenv(URL_ENV, f"{kind}:///{tmp_path / 'x.db'}")
    with pytest.raises((DataError, SourceUnreachableError), match="not"):
        fetched()


@pytest.mark.parametrize(
    "keys",
    [
        {"url": "postgresql://u:s3cret@h/d"},
        {"url_env": "postgresql://u:s3cret@h/d"},
        {"url_env": "DB", "url": "sqlite:///s3cret"},
    ],
)
def test_address_in_the_config_is_refused_without_repeating_it(keys: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="has no place in a config") as caught:
        data_keys({"source": "sql", "sql": {"query": QUERY, **keys}})
    assert "s3cret" not in str(caught.value)


def test_without_sqlalchemy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sqlalchemy", None)
    monkeypatch.setenv(URL_ENV, "sqlite:///x.db")
    with pytest.raises(ConfigError, match=r"pip install 'eventstudy-toolkit\[sql\]'"):
        fetched()
