"""The Entity List study on Yahoo's prices, as a user runs it: the whole program, through a proxy on loopback."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import tomli_w
from click.testing import Result
from filelock import FileLock
from yahoo import YahooProxy, YahooServer, from_snapshot, isolated_yfinance

import eventstudy as es

Cli = Callable[..., Result]
Rows = list[dict[str, str]]

FIRMS = ["002230.SZ", "002415.SZ", "002236.SZ", "300188.SZ", "000977.SZ", "002410.SZ", "600570.SS", "000725.SZ"]
SYMBOLS = [*FIRMS, "399001.SZ"]
SMALL = [*FIRMS[:3], "399001.SZ"]
HIKVISION, DAHUA = "002415.SZ", "002236.SZ"
FIRST, LAST = "2018-09-18", "2019-10-22"  # 251 sessions before 8 October 2019, 10 after it


class World:
    """A server, the way to it, and configs that ask it without pauses: the whole study, and a small one that runs fast."""

    def __init__(self, folder: Path, yahoo: YahooServer, proxy: YahooProxy, original: Path) -> None:
        self.folder, self.yahoo = folder, yahoo
        self.environment = proxy.environment() | {"XDG_DATA_HOME": str(folder / "data")}
        self.content = tomllib.loads(original.read_text(encoding="utf-8"))
        self.content["data"]["yahoo"] = {"pause": 0.0, "wait": 0.01, "attempts": 2, "timeout": 5.0}
        self.whole = self.config("whole")
        self.content |= {"event": self.content["event"][:1], "confounder": [], "mask": []}
        self.content["windows"]["car"], self.content["inference"]["headline_window"] = [[0, 2]], [0, 2]
        self.content["inference"]["tests"] = ["cross_sectional_t"]
        self.small = self.config("small")

    def config(self, name: str, **changes: dict[str, object]) -> Path:
        content = self.content | {table: self.content[table] | keys for table, keys in changes.items()}
        path = self.folder / f"{name}.toml"
        path.write_text(tomli_w.dumps(content), encoding="utf-8")
        return path


@pytest.fixture
def world(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yahoo in the environment of this process: nothing of the program knows of a test."""
    yahoo = YahooServer(from_snapshot(SYMBOLS))
    with isolated_yfinance(tmp_path, hide_exceptions=True), yahoo, YahooProxy(yahoo, tmp_path) as proxy:
        made = World(tmp_path, yahoo, proxy, root / "configs" / "entity-list-2019-yahoo.toml")
        for name in os.environ.keys() - made.environment.keys():
            monkeypatch.delenv(name)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made
        assert proxy.refused == []


@dataclass(frozen=True)
class Story:
    """What the installed program said, call after call, and the run it left."""

    calls: dict[str, list[object]]
    run: Path


@pytest.fixture(scope="session")
def story(shared: Callable[[str], Path], root: Path) -> Story:
    """Fetch, fetch again, run. The first worker that asks does it for all of them."""
    folder = shared("yahoo-story")
    out, told = folder / "out", folder / "calls.json"
    with FileLock(folder / "lock"):
        if not told.exists():
            calls = tell(folder, out, root)
            told.write_text(json.dumps(calls), encoding="utf-8")
    return Story(json.loads(told.read_text(encoding="utf-8")), out / "entity-list-2019-yahoo" / "latest")


def tell(folder: Path, out: Path, root: Path) -> dict[str, list[object]]:
    """Exit code, stdout, stderr and the number of charts asked for, of each call of the program as it is installed."""
    content = tomllib.loads((root / "configs" / "entity-list-2019-yahoo.toml").read_text(encoding="utf-8"))
    content["data"]["yahoo"] = {"pause": 0.0}
    content["inference"]["tests"] = ["portfolio_t"]  # what all of them say of it is no matter of the source
    config = folder / "entity-list-2019-yahoo.toml"
    config.write_text(tomli_w.dumps(content), encoding="utf-8")
    calls: dict[str, list[object]] = {}
    with YahooServer(from_snapshot(SYMBOLS)) as yahoo, YahooProxy(yahoo, folder) as proxy:
        environment = proxy.environment() | {"XDG_DATA_HOME": str(folder / "data"), "PYTHONPATH": str(root)}

        def call(name: str, *arguments: object) -> None:
            before = len(yahoo.charts())
            command = [sys.executable, "-m", "eventstudy", *map(str, arguments), str(config)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, cwd=folder)
            calls[name] = [done.returncode, done.stdout, done.stderr, len(yahoo.charts()) - before]

        call("fetch", "fetch")
        call("fetch again", "fetch")
        call("run", "run", "--out", out)
        assert proxy.refused == []
    return calls


def test_program_ends_well(story: Story) -> None:
    assert {name: (done[0], done[2]) for name, done in story.calls.items()} == dict.fromkeys(story.calls, (0, ""))
    assert [done[3] for done in story.calls.values()] == [2 * len(SYMBOLS), 0, 0]  # the prices, and what was split since


def test_fetch_says_what_it_did(story: Story) -> None:
    said = [str(story.calls[name][1]).splitlines() for name in ("fetch", "fetch again")]
    assert said[0] == [f"{symbol} (yahoo): downloaded, {FIRST} to {LAST}" for symbol in SYMBOLS]
    assert said[1] == [f"{symbol} (yahoo): served, stored up to {LAST}" for symbol in SYMBOLS]


def test_manifest_tells_when_each_series_was_fetched_and_its_vintage(story: Story) -> None:
    manifest = json.loads((story.run / "manifest.json").read_text(encoding="utf-8"))
    store = next((story.run.parents[2] / "data").rglob("yahoo"))
    assert sorted(manifest["series"]) == sorted(SYMBOLS)
    for symbol, told in manifest["series"].items():
        current = "current-index.json" if symbol == SYMBOLS[-1] else "current.json"
        pointer = json.loads((store / symbol / current).read_text(encoding="utf-8"))
        assert (told["fetched_at"], told["vintage"]) == (pointer["fetched_at"], pointer["content_hash"])
        assert (store / symbol / f"{told['vintage']}.parquet").is_file()
        assert dt.datetime.fromisoformat(told["fetched_at"]).utcoffset() == dt.timedelta(0)
    times = {told["fetched_at"] for told in manifest["series"].values()}
    for path in (*story.run.glob("tables/*"), story.run / "report.html"):
        assert not any(time in path.read_text(encoding="utf-8") for time in times), path.name


@pytest.fixture(scope="module")
def own(root: Path) -> es.StudyResult:
    """The same study on the snapshot's prices, with the same benchmark: another one alone moves the CARs by more than 0.002."""
    spec = es.load_study(root / "configs" / "entity-list-2019-yahoo.toml")
    return es.run_study(spec.model_dump(mode="json", by_alias=True, exclude_none=True) | {"data": {"source": "snapshot"}})


def test_cars_are_the_snapshots(story: Story, own: es.StudyResult, read_csv: Callable[[Path], Rows]) -> None:
    rows = read_csv(story.run / "tables" / "cars.csv")
    assert {settings.benchmark for settings in own.computation.inputs.firms.values()} == {"399001.SZ"}
    mine = own.cars[(own.cars["window_start"] == 0) & (own.cars["window_end"] == 2)].set_index("symbol")["car"].dropna()
    assert sorted(mine.index) == sorted(FIRMS)
    cars = {row["symbol"]: float(row["car"]) for row in rows if (row["window_start"], row["window_end"]) == ("0", "2")}
    assert cars == pytest.approx(mine.to_dict(), abs=0.002)
    assert cars[HIKVISION] != mine[HIKVISION]  # two sessions of the sample are not there


def test_missing_sessions_are_never_called_suspended(story: Story, read_csv: Callable[[Path], Rows], root: Path) -> None:
    rows = {row["symbol"]: row for row in read_csv(story.run / "tables" / "data.csv")}
    assert sorted(rows) == sorted(SYMBOLS)
    for symbol, row in rows.items():
        recorded = pd.read_csv(root / "eventstudy" / "snapshot" / f"{symbol}.csv", index_col="date", parse_dates=True)
        recorded = recorded.loc[FIRST:LAST]
        idle = int((recorded["volume"] == 0).sum()) if "volume" in recorded else 0
        assert (row["source"], row["first"], row["last"]) == ("yahoo", FIRST, LAST)
        assert (row["sessions"], row["missing"], row["suspended"]) == (str(len(recorded)), "2", str(idle)), symbol
        assert row["traded"] == str(len(recorded) - 2 - idle)
        assert row["doubts"].split("; ")[0] == "missing 2"
    assert all(int(rows[symbol]["suspended"]) >= 2 for symbol in (HIKVISION, DAHUA))  # on 8 and 9 October


def test_check_names_the_missing_sessions(world: World, cli: Cli) -> None:
    done = cli("check", world.whole, "--against", "snapshot")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    for symbol in SYMBOLS:
        assert f"  warning {symbol}: 2 sessions of the exchange have no row here: 2019-04-29 to 2019-04-30" in lines
        assert f"  warning {symbol}: 2 rows only snapshot has: 2019-04-29 to 2019-04-30" in lines
    suspended = [line for line in lines if " suspended" in line and "event session" not in line]
    assert not any("2019-04" in line.partition("2019-04-0")[0] for line in suspended)
    differing = [line for line in lines if "closes differ" in line]
    assert differing == []
    assert "  info    300188.SZ: snapshot records adjusted closes only: returns are compared" in lines
    assert not [line for line in lines if "total returns differ" in line or "suspended, but" in line or "volumes differ" in line]
    world.yahoo.instruments[HIKVISION].revise("2019-04-04", close=35.93)
    assert cli("fetch", world.whole, "--refresh").exit_code == 0
    lines = cli("check", world.whole, "--against", "snapshot").stdout.splitlines()
    assert f"  warning {HIKVISION}: 1 closes differ from snapshot's: 2019-04-04" in lines


def test_fetch_tells_extensions_and_revisions(world: World, cli: Cli) -> None:
    assert cli("fetch", world.small).exit_code == 0
    longer = world.config("longer", windows={"event": [-10, 12]})
    done = cli("fetch", longer)
    assert done.stdout.splitlines() == [f"{symbol} (yahoo): extended, from {LAST} to 2019-10-24" for symbol in SMALL]
    world.yahoo.instruments[HIKVISION].revise("2019-10-11", close=30.0)
    longest = world.config("longest", windows={"event": [-10, 13]})
    said = {line.split()[0]: line.partition(": ")[2] for line in cli("fetch", longest).stdout.splitlines()}
    recorded = from_snapshot([HIKVISION])[HIKVISION].frame["close"]["2019-10-11"]
    assert said.pop(HIKVISION) == f"revised, {HIKVISION} 2019-10-11 close: {recorded:g} to 30"
    assert set(said.values()) == {"extended, from 2019-10-24 to 2019-10-25"}


def test_revision_found_by_a_run_is_told(world: World, cli: Cli, out: Path) -> None:
    cli("fetch", world.small)
    world.yahoo.instruments[HIKVISION].revise("2019-04-04", close=35.93)
    done = cli("run", world.small, "--out", out, "--refresh")
    assert done.exit_code == 0
    told = f"eventstudy: {world.small}: {HIKVISION} is revised, {HIKVISION} 2019-04-04 close: 35.77 to 35.93"
    assert done.stderr.splitlines() == [told]


def test_revision_is_told_though_another_symbol_fails(world: World, cli: Cli, out: Path) -> None:
    assert cli("fetch", world.small).exit_code == 0
    share = world.yahoo.instruments[HIKVISION]
    was = share.frame["close"]["2019-04-04"]
    world.yahoo.fault("002230.SZ", "500", only="prices")  # asked for before Hikvision
    world.yahoo.fault(DAHUA, "500", only="prices")
    world.yahoo.fault("399001.SZ", "bad_request", only="prices", reason="Invalid Crumb")
    longer = world.config("longer", windows={"estimation": [-251, -31]})
    for close, verb in ((35.93, ["fetch"]), (36.5, ["run", "--refresh", "--out", out])):
        share.revise("2019-04-04", close=close)
        done = cli(*verb, longer)
        assert done.exit_code == 5
        revised = f"{HIKVISION} 2019-04-04 close: {was:g} to {close:g}"
        if verb == ["fetch"]:
            assert done.stdout.splitlines() == [f"{HIKVISION} (yahoo): revised, {revised}"]
        assert done.stderr.splitlines() == [
            f"eventstudy: {longer}: Yahoo has a server error (500), asked for 002230.SZ: try again later (and so for {DAHUA}); "
            "Yahoo refuses to answer for 399001.SZ (400: Invalid Crumb): try again later, or upgrade yfinance; "
            f"{HIKVISION} is revised, {revised}"
        ]
        was = close
    assert not out.exists()


def test_refresh_that_fails_lacks_nothing(world: World, cli: Cli, out: Path) -> None:
    cli("fetch", world.small)
    world.yahoo.fault(None, "500")
    done = cli("run", "--refresh", "--out", out, world.small)
    assert done.exit_code == 0
    assert [line.split(": ", 2)[2] for line in done.stderr.splitlines()] == [
        f"{symbol} is kept, stored up to {LAST} and not fetched again: Yahoo has a server error (500), asked for {symbol}: "
        "try again later"
        for symbol in SMALL
    ]


def test_older_vintage_is_told_by_run_and_report(world: World, cli: Cli, out: Path) -> None:
    cli("fetch", world.small)
    world.yahoo.instruments[HIKVISION].revise("2019-04-04", close=35.93)
    assert cli("fetch", "--refresh", world.small).exit_code == 0
    place = next((world.folder / "data").rglob(f"yahoo/{HIKVISION}"))
    newest = json.loads((place / "current.json").read_text(encoding="utf-8"))["content_hash"]
    (place / f"{newest}.parquet").write_bytes(b"PAR1")
    done = cli("run", "--offline", "--out", out, world.small)
    text = f"the newest stored series is damaged or lost, an older one up to {LAST} is used"
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        f"eventstudy: {world.small}: {HIKVISION} is stale, {text}: run without --offline to fetch it again"
    ]
    run = out / "entity-list-2019-yahoo" / "latest"
    assert text[1:] in (run / "report.html").read_text(encoding="utf-8")
    assert text in (run / "tables" / "notes.csv").read_text(encoding="utf-8")
    done = cli("run", "--force", "--out", out, world.small)
    assert "is revised" in done.stderr
    assert text[1:] not in (run / "report.html").read_text(encoding="utf-8")


def test_second_run_without_the_network_is_the_same(world: World, cli: Cli, out: Path) -> None:
    for options in ([], ["--force"], ["--force", "--offline"]):
        done = cli("run", world.small, "--out", out, *options)
        assert (done.exit_code, done.stderr) == (0, "")
        world.yahoo.refuse()
    runs = sorted(path for path in (out / "entity-list-2019-yahoo").iterdir() if path.is_dir() and not path.is_symlink())
    first, *others = [{path.name: path.read_bytes() for path in (*run.glob("tables/*"), run / "report.html")} for run in runs]
    assert len(first) >= 10
    assert len(others) == 2
    for other in others:
        assert [name for name in first.keys() | other.keys() if first.get(name) != other.get(name)] == []


def test_server_down_and_only_the_end_missing(world: World, cli: Cli, out: Path) -> None:
    cli("fetch", world.small)
    world.yahoo.refuse()
    longer = world.config("longer", windows={"event": [-10, 12]})
    for options in ([], ["--offline"]):
        done = cli("run", longer, "--out", out, "--force", *options)
        assert done.exit_code == 0, done.stderr
        stale = [line for line in done.stderr.splitlines() if f"is stale, stored up to {LAST} only: " in line]
        assert [line.split()[2] for line in stale] == SMALL
        assert "Hikvision -6." in done.stdout
    assert cli("check", longer, "--offline").exit_code == 0


def test_store_that_cannot_serve_is_exit_5(world: World, cli: Cli, out: Path) -> None:
    for options in (["--offline"], []):
        if not options:
            world.yahoo.refuse()
        for verb in (["run", "--out", out], ["fetch"], ["check"]):
            done = cli(*verb, world.small, *options)
            assert (done.exit_code, len(done.stderr.splitlines())) == (5, 1), done.stderr
            assert ("run without --offline" if options else "check the network") in done.stderr
    assert not out.exists()
    world.yahoo.start()
    assert cli("fetch", world.config("later", windows={"estimation": [-249, -31]})).exit_code == 0
    assert cli("run", world.small, "--out", out, "--offline").exit_code == 5  # the first session is not stored


def test_gap_on_the_event_session(world: World, cli: Cli, out: Path, read_csv: Callable[[Path], Rows]) -> None:
    share = world.yahoo.instruments[DAHUA]
    share.missing = (*share.missing, "2019-10-08")
    done = cli("check", world.small)
    assert done.exit_code == 3
    sentence = (
        f"entity-list-2019, {DAHUA}: the source has no price of the event session 2019-10-08: "
        "fetch with --refresh, or use another"
    )
    assert f"  error   {sentence}" in done.stdout.splitlines()
    assert done.stderr.splitlines() == [f"eventstudy: {world.small}: {sentence}"]
    done = cli("run", world.small, "--out", out)
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [f"eventstudy: {world.small}: {sentence}"]
    tables = out / "entity-list-2019-yahoo" / "latest" / "tables"
    days = [row for row in read_csv(tables / "abnormal_returns.csv") if row["symbol"] == DAHUA and row["tau"] in ("0", "1", "2")]
    assert [(row["status"], row["span"]) for row in days] == [("missing", ""), ("suspended", ""), ("traded", "3")]
    assert "event_session_missing" in {row["code"] for row in read_csv(tables / "notes.csv") if row["symbol"] == DAHUA}


def test_falls_back_symbol_by_symbol(world: World, cli: Cli, out: Path, read_csv: Callable[[Path], Rows]) -> None:
    del world.yahoo.instruments[DAHUA]
    both = world.config("both", data={"source": ["yahoo", "snapshot"]}, market={"benchmark": "000300.SS"})
    done = cli("run", both, "--out", out)
    assert done.exit_code == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "is served by snapshot; yahoo: " in line]
    assert [line.split()[2] for line in said] == [DAHUA, "000300.SS"]
    assert "399001.SZ" in said[1]
    run = out / "entity-list-2019-yahoo" / "latest"
    sources = {row["symbol"]: row["source"] for row in read_csv(run / "tables" / "data.csv")}
    assert sources == dict.fromkeys(FIRMS[:3], "yahoo") | {DAHUA: "snapshot", "000300.SS": "snapshot"}
    assert "erved by snapshot" in (run / "report.html").read_text(encoding="utf-8")


# --- environment

PROGRAM = """
import pandas as pd
from eventstudy.sources.yahoo import YahooSource
source = YahooSource(pause=0, wait=0.01, attempts=1)
print(source.fetch("002415.SZ", pd.Timestamp("2019-10-01"), pd.Timestamp("2019-10-31"), "share").frame["close"].iloc[-1])
"""


def test_proxy_and_authority_of_the_environment_are_honoured(world: World, root: Path) -> None:
    def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        environment = environment | {"PYTHONPATH": str(root)}
        return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60)

    done = run(world.environment)
    recorded = world.yahoo.instruments[HIKVISION].frame["close"]["2019-10-31"]
    assert float(done.stdout) == recorded, done.stderr
    asked = len(world.yahoo.charts(HIKVISION))
    assert asked == 2
    distrusting = run({name: value for name, value in world.environment.items() if name != "CURL_CA_BUNDLE"})
    assert "SourceUnreachableError" in distrusting.stderr
    assert len(world.yahoo.charts(HIKVISION)) == asked
