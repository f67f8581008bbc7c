"""Killed at random instants, `fetch` and `run` leave a store that is whole and run folders that are whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
import tomli_w
from yahoo import YahooProxy, YahooServer, from_snapshot

from eventstudy.store import Store

SYMBOLS = ["002415.SZ", "399001.SZ"]
FIRST, LAST = "2019-06-06", "2019-10-22"
STUDY = "killed"
TABLES = {"events", "models", "abnormal_returns", "cars", "aar", "caar", "tests", "exclusions", "data"}

# Starts a process for each line on stdin, which runs the program. It has run the study once before, on the snapshot, so that
# what is imported or read in the first run of a process (2 s) is not waited for 400 times.
STABLE = """
import datetime, json, os, sys
import curl_cffi, yfinance
from eventstudy.cli import main
from eventstudy.calendar import exchange_sessions
exchange_sessions("XSHG", datetime.date(1991, 1, 1))
main(["run", sys.argv[2], "--out", sys.argv[3]], standalone_mode=False)
for line in sys.stdin:
    child = os.fork()
    if not child:
        log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1), os.dup2(log, 2)
        try:
            main(json.loads(line), prog_name="eventstudy")
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(end.code or 0)
        os._exit(99)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Stable:
    """Runs the program again and again, and kills it."""

    def __init__(self, folder: Path, environment: dict[str, str], warm: Path) -> None:
        self.log = folder / "log"
        command = [sys.executable, "-c", STABLE, str(self.log), str(warm), str(folder / "warm")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, env=environment, cwd=folder, **pipes)
        self.child = 0
        assert self.process.stdout
        assert self.process.stdout.readline().startswith(STUDY)

    def start(self, *arguments: object) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
        self.process.stdin.flush()
        self.child = int(self.process.stdout.readline())

    def kill(self) -> int:
        with suppress(ProcessLookupError):  # it was done before
            os.kill(self.child, signal.SIGKILL)
        return self.end()

    def end(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


class World:
    """A server that revises its prices, a store, a reports folder, and what may be found in them."""

    def __init__(self, folder: Path, yahoo: YahooServer, environment: dict[str, str], original: Path) -> None:
        self.yahoo, self.out = yahoo, folder / "out"
        self.store = Store(folder / "store")
        content = tomllib.loads(original.read_text(encoding="utf-8"))
        content["study"]["name"] = STUDY
        content |= {"event": [{**content["event"][0], "firms": SYMBOLS[:1]}], "confounder": [], "mask": []}
        content["windows"] |= {"estimation": [-80, -31], "min_observations": 30, "car": [[0, 2]]}  # short: runs are many
        content["inference"] = {"tests": ["cross_sectional_t"]}
        warm = folder / "warm.toml"
        warm.write_text(tomli_w.dumps(content | {"data": {"source": "snapshot"}}), encoding="utf-8")
        content["data"] |= {"store": str(self.store.folder), "yahoo": {"pause": 0.0, "wait": 0.01, "attempts": 2}}
        self.config = folder / "study.toml"
        self.config.write_text(tomli_w.dumps(content), encoding="utf-8")
        self.program = Stable(folder, environment, warm)
        self.served: dict[str, list[list[float]]] = {symbol: [self.now(symbol)] for symbol in SYMBOLS}
        self.whole: set[Path] = set()

    def now(self, symbol: str) -> list[float]:
        share = self.yahoo.instruments[symbol]
        rows = share.frame["close"].loc[FIRST:LAST]
        return rows[~rows.index.isin(pd.DatetimeIndex(share.missing))].tolist()

    def revise(self, number: int) -> None:
        """Change a close of every series: what is fetched next is to be written."""
        for symbol in SYMBOLS:
            self.yahoo.instruments[symbol].revise("2019-07-03", close=30 + number / 100)
            self.served[symbol] = [self.served[symbol][-1], self.now(symbol)]

    def arguments(self, verb: str) -> list[object]:
        return [verb, self.config, "--refresh", *(["--out", self.out, "--force"] if verb == "run" else [])]

    def check_store(self, must: bool) -> None:
        """Every series is one that was served, or (before any was fetched) absent."""
        for symbol in SYMBOLS:
            found = self.store.read("yahoo", symbol, "index" if symbol == SYMBOLS[-1] else "share")
            if must or found is not None:
                assert found is not None, f"{symbol} was lost"
                assert found.series.frame["close"].tolist() in self.served[symbol]
                assert (str(found.start), str(found.end)) == (FIRST, LAST)
        assert list(self.store.folder.rglob("*.damaged*")) == []

    def check_runs(self, again: bool = False) -> int:
        """Every run folder has all it should have; return how many there are.

        One that was found whole must still be there; it is read again only if asked, as at the end.
        """
        runs = [path for path in (self.out / STUDY).glob("[!.]*") if path.is_dir() and not path.is_symlink()]
        assert self.whole <= set(runs)
        for run in runs if again else set(runs) - self.whole:
            manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
            files = {path.relative_to(run).as_posix(): path for path in run.rglob("*") if path.is_file()}
            del files["manifest.json"]
            assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()} == manifest["files"]
            assert set(files) >= {"report.html", "config.toml", *(f"tables/{name}.csv" for name in TABLES)}
            assert manifest["run_id"] == run.name
            self.whole.add(run)
        latest = self.out / STUDY / "latest"
        assert not latest.is_symlink() or latest.resolve() in [run.resolve() for run in runs]
        return len(runs)

    def leftovers(self) -> list[str]:
        """Drafts of any kind, in the store or among the runs."""
        found = [path for folder in (self.store.folder, self.out) for path in folder.rglob(".*") if path.name != ".lock"]
        return sorted(path.relative_to(self.out.parent).as_posix() for path in found)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with YahooServer(from_snapshot(SYMBOLS)) as yahoo, YahooProxy(yahoo, folder) as proxy:
        quiet = {"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        made = World(folder, yahoo, proxy.environment() | quiet, root / "configs" / "entity-list-2019-yahoo.toml")
        yield made
        made.program.close()


def wait_for(marker: object, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not marker() and time.monotonic() < until:  # type: ignore[operator]
        time.sleep(0.002)


def kills(world: World, count: int) -> None:
    """Kill `count` times; after each, look at what is there and let the program end well."""
    dice = random.Random(20191007)
    killed = tried = 0
    took = {"fetch": 0.2, "run": 1.0, "writing": 0.3}

    def begin(verb: str, until: str) -> float:
        asked = len(world.yahoo.charts())
        world.program.start(*world.arguments(verb))
        if until == "writing":  # the later part: the run folder is being made
            wait_for(lambda: list((world.out / STUDY).glob(".draft-*")))
        else:
            wait_for(lambda: len(world.yahoo.charts()) > asked)
        return time.monotonic()

    while killed < count:
        tried += 1
        assert tried < 2 * count, "most came too late"
        verb, until = (("fetch", "fetch"), ("run", "run"), ("run", "writing"))[tried % 3]
        world.revise(tried)
        had_runs = world.check_runs()
        begin(verb, until)
        time.sleep(dice.uniform(0, took[until]))
        killed += world.program.kill() == -signal.SIGKILL
        world.check_store(must=tried > 1)
        assert world.check_runs() in (had_runs, had_runs + 1)
        began = begin(verb, until)
        assert world.program.end() == 0, world.program.log.read_text()
        took[until] = (took[until] + time.monotonic() - began) / 2
        for symbol in SYMBOLS:
            world.served[symbol] = [world.now(symbol)]
        world.check_store(must=True)
        if verb == "run":
            assert world.check_runs() > had_runs
            assert world.leftovers() == []
    world.check_runs(again=True)


def test_twenty_kills(world: World) -> None:
    kills(world, 20)


def test_whatever_a_killed_run_left_goes_with_the_next(world: World) -> None:
    """The instants between two system calls, which twenty kills may not hit."""
    study, series = world.out / STUDY, world.store.place("yahoo", SYMBOLS[0])
    for folder in (study / ".draft-dead" / "tables", series):
        folder.mkdir(parents=True, exist_ok=True)
    (study / ".latest-99999").symlink_to("nowhere")
    for path in (study / ".draft-dead" / "report.html", study / ".index-99999.html", series / ".draft-99999"):
        path.write_text("half of a")
    had_runs = world.check_runs()
    world.revise(999)
    world.program.start(*world.arguments("run"))
    assert world.program.end() == 0, world.program.log.read_text()
    assert world.check_runs() == had_runs + 1
    world.check_store(must=True)
    assert world.leftovers() == []


@pytest.mark.validation
def test_two_hundred_kills(world: World) -> None:
    kills(world, 200)
