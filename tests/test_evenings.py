"""Thirty evenings of a scheduled study on a loopback Yahoo: each says exactly what happened that day, and nothing is lost."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import multiprocessing
import os
import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import tomli_w
from yahoo import YahooProxy, YahooServer, from_snapshot, isolated_yfinance

from eventstudy.calendar import exchange_sessions
from eventstudy.errors import EventStudyError
from eventstudy.rerun import Done, Options, attempt
from eventstudy.store import Store

IFLYTEK, HIKVISION, INDEX = "002230.SZ", "002415.SZ", "399001.SZ"
SYMBOLS = [IFLYTEK, HIKVISION, INDEX]
STUDY = "evenings"
SESSIONS = exchange_sessions("XSHG", dt.date(2018, 1, 1)).sessions
FIRST = "2019-09-25"
EVENINGS = SESSIONS[SESSIONS >= FIRST][:30]  # to 12 November 2019
LAST_NEEDED = "2019-11-05"  # tau 20: nothing is new after it
DOWN = [pd.Timestamp(day) for day in ("2019-10-15", "2019-10-16")]
REVISED, REVISED_DATE, REVISED_CLOSE = pd.Timestamp("2019-10-24"), "2019-10-14", 31.20  # Iflytek's close of that day was another
KILLED, OVERLAPPED = pd.Timestamp("2019-10-18"), pd.Timestamp("2019-10-25")
RESUMED = pd.Timestamp("2019-10-10")
EX_DIVIDEND = pd.Timestamp("2019-10-21")  # Iflytek, 0.10 a share: every adjusted close before it is rescaled


def moment(evening: pd.Timestamp) -> dt.datetime:
    """Half past six in Shanghai."""
    return evening.tz_localize("Asia/Shanghai").to_pydatetime() + dt.timedelta(hours=18, minutes=30)


class World:
    """What Yahoo shows in the evening of a day, and the study that is run then."""

    def __init__(self, folder: Path, yahoo: YahooServer, original: Path) -> None:
        self.folder, self.yahoo, self.out = folder, yahoo, folder / "reports"
        self.truth = {symbol: share.frame for symbol, share in yahoo.instruments.items()}
        self.content = tomllib.loads(original.read_text(encoding="utf-8"))
        self.content["study"]["name"] = STUDY
        self.content |= {"event": [{**self.content["event"][0], "firms": SYMBOLS[:2]}], "confounder": [], "mask": []}
        windows = {"estimation": [-100, -31], "min_observations": 50}  # short: runs are many
        self.content["windows"] |= windows | {"event": [0, 20], "car": [[0, 2], [0, 20]]}
        self.content["inference"] = {"tests": ["portfolio_t"], "headline_window": [0, 2]}
        self.content.pop("robustness", None)
        self.config = self.written("study", self.folder / "store")

    def written(self, name: str, store: Path) -> Path:
        content = self.content | {"data": {
            "source": "yahoo", "store": str(store), "yahoo": {"pause": 0.0, "wait": 0.01, "attempts": 2, "timeout": 5.0},
        }}  # fmt: skip
        path = self.folder / f"{name}.toml"
        path.write_text(tomli_w.dumps(content), encoding="utf-8")
        return path

    def show(self, evening: pd.Timestamp) -> None:
        """Let Yahoo know nothing of later days."""
        for symbol, frame in self.truth.items():
            self.yahoo.instruments[symbol].frame = frame.loc[:evening]

    def options(self, evening: pd.Timestamp, **keys: object) -> Options:
        return Options(out=self.out, now=moment(evening), wait=120, **keys)  # type: ignore[arg-type]

    def run(self, evening: pd.Timestamp) -> Done:
        done = attempt(self.config, self.options(evening))
        assert not isinstance(done, EventStudyError), done
        return done

    def apart(self, evening: pd.Timestamp) -> multiprocessing.process.BaseProcess:
        """Start the run of an evening in a process of its own."""
        process = multiprocessing.get_context("spawn").Process(target=attempt, args=(self.config, self.options(evening)))
        process.start()
        return process

    def folders(self) -> list[Path]:
        return sorted(path for path in (self.out / STUDY).iterdir() if path.is_dir() and not path.is_symlink())


@pytest.fixture
def world(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    yahoo = YahooServer(from_snapshot(SYMBOLS))
    with isolated_yfinance(tmp_path, hide_exceptions=True), yahoo, YahooProxy(yahoo, tmp_path) as proxy:
        made = World(tmp_path, yahoo, root / "configs" / "entity-list-2019-yahoo.toml")
        for name in os.environ.keys() - proxy.environment().keys():
            monkeypatch.delenv(name)
        for name, value in (proxy.environment() | {"XDG_DATA_HOME": str(tmp_path / "data")}).items():
            monkeypatch.setenv(name, value)
        yield made


def verify(world: World, store: Path) -> None:
    """Every stored series reads back whole, and every run folder is what its manifest says."""
    for symbol in SYMBOLS:
        assert Store(store).read("yahoo", symbol, "index" if symbol == INDEX else "share") is not None
        assert not list((store / "yahoo" / symbol).glob("*.damaged"))
        assert not list((store / "yahoo" / symbol).glob(".draft-*"))
    for folder in world.folders():
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert files == {"manifest.json", *manifest["files"]}
        for name, digest in manifest["files"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def kinds(done: Done) -> dict[str, list[tuple[str, str, str]]]:
    """(subject, date, field) of what was told of the inputs, by kind."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for change in done.changes.changes if done.changes else ():
        if change.kind != "result":
            found.setdefault(change.kind, []).append((change.subject, change.date, change.field))
    return found


def expected(evening: pd.Timestamp, before: pd.Timestamp) -> dict[str, list[tuple[str, str, str]]]:
    """What was planted between the last run that wrote something and this evening."""
    later = SESSIONS[(before < SESSIONS) & (min(evening, pd.Timestamp(LAST_NEEDED)) >= SESSIONS)]
    planted = {}
    if len(later):
        planted["new_sessions"] = [(symbol, f"{later[0]:%Y-%m-%d}", "last") for symbol in SYMBOLS]
    if before < RESUMED <= evening:
        planted["resumed"] = [(HIKVISION, f"{RESUMED:%Y-%m-%d}", "status")]
    if before < REVISED <= evening:
        planted["revision"] = [(IFLYTEK, REVISED_DATE, "close")]
    return planted


def overlapping(world: World, evening: pd.Timestamp) -> Done:
    """Run the same evening twice at once: one writes, the other waits and then finds nothing to do."""
    other = world.apart(evening)
    done = world.run(evening)
    other.join(120)
    assert other.exitcode == 0
    return done


def killed(world: World, evening: pd.Timestamp) -> None:
    """Kill a run while it writes its folder."""
    process = world.apart(evening)
    deadline = time.monotonic() + 120
    while not list((world.out / STUDY).glob(".draft-*")) and process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.002)
    process.kill()
    process.join()
    assert process.exitcode == -9


def test_thirty_evenings(world: World, undrawn: pytest.MonkeyPatch) -> None:
    before, written = EVENINGS[0], 0
    for evening in EVENINGS:
        world.show(evening)
        if f"{evening:%Y-%m-%d}" == LAST_NEEDED:
            undrawn.undo()  # the page of this evening is compared
        if evening == REVISED:
            frame = world.truth[IFLYTEK]
            assert frame.loc[REVISED_DATE, "close"] != REVISED_CLOSE
            frame.loc[REVISED_DATE, "close"] = REVISED_CLOSE
            world.show(evening)
        if evening in DOWN:
            world.yahoo.refuse()
        if evening == KILLED:
            killed(world, evening)
        done = overlapping(world, evening) if evening == OVERLAPPED else world.run(evening)
        if evening in DOWN:
            world.yahoo.start()
            assert (done.state, [message for message in done.messages if "stale" in message] != []) == ("unchanged", True)
            continue
        if evening == EVENINGS[0]:
            assert (done.state, done.changes) == ("written", None)
            written += 1
            continue
        planted = expected(evening, before)
        if evening == OVERLAPPED and done.state == "unchanged":  # the other one was first
            about = json.loads((world.folders()[-1] / "manifest.json").read_text(encoding="utf-8"))["changes"]
            assert {kind: count for kind, count in about["counts"].items() if kind != "result"} == {
                kind: len(told) for kind, told in planted.items()
            }
        else:
            assert (f"{evening:%Y-%m-%d}", kinds(done)) == (f"{evening:%Y-%m-%d}", planted)
            assert done.state == ("written" if planted else "unchanged")
        if planted:
            before, written = evening, written + 1
    assert len(world.folders()) == written
    verify(world, world.folder / "store")
    fresh = attempt(world.written("fresh", world.folder / "fresh"), Options(out=world.folder / "again", now=moment(EVENINGS[-1])))
    assert not isinstance(fresh, EventStudyError)
    again, last = Path(fresh.report).parent, world.folders()[-1]
    tables = sorted(path.name for path in (last / "tables").iterdir() if path.name != "changes.csv")
    assert tables
    assert [name for name in tables if (last / "tables" / name).read_bytes() != (again / "tables" / name).read_bytes()] == []
    pages = [(folder / "report.html").read_text(encoding="utf-8") for folder in (last, again)]
    assert without_changes(pages[0], "store") == without_changes(pages[1], "fresh")


def without_changes(page: str, store: str) -> str:
    """The page without what it says of changes; the two studies differ in the folder of their store alone."""
    page = re.sub(r'<section id="changes">.*?</section>', "", page, flags=re.DOTALL)
    page = page.replace('<li><a href="#changes">What changed since the last run</a></li>', "")
    return re.sub(r"\s+", " ", page.replace(f"/{store}", "/store"))
