"""The verbs beside `run`: `schema` and `init`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_schema_describes_every_section(cli) -> None:
    done = cli("schema")
    assert done.exit_code == 0
    found = json.loads(done.stdout)["properties"]
    assert set(found) == {
        "study", "event", "firm", "market", "data", "windows", "mask", "confounder", "model", "inference", "cross_section",
        "leak", "robustness", "runs", "output", "compute", "report",
    }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--firms", "002415.SZ,002236.SZ", "--on", "2019-10-07", "--timezone", "America/New_York"],
        ["--firms", "002415.SZ", "--at", "2019-10-08T10:00:00+08:00"],
        ["--firms", "002415.SZ", "--on", "2019-10-08", "--timezone", "Asia/Shanghai"],  # maps to two sessions
    ],
)
def test_init_writes_a_config_that_checks_as_it_is(cli, options: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("init", "my-study", *options).exit_code == 0
    done = cli("check", "my-study.toml")
    assert (done.exit_code, done.stderr) == (0, "")


def test_init_overwrites_nothing(cli, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text("mine", encoding="utf-8")
    done = cli("init", "mine")
    assert (done.exit_code, (tmp_path / "mine.toml").read_text(encoding="utf-8")) == (2, "mine")


@pytest.mark.parametrize(
    "options",
    [
        ["--firms", "002415.SZ"],
        ["--on", "2019-10-07"],
        ["--firms", "002415.SZ", "--on", "2019-10-07"],
        ["--firms", "002415.SZ", "--on", "2019-10-07", "--timezone", "EST"],
        ["--firms", "002415.SZ", "--at", "2019-10-08T10:00:00"],
        ["--firms", "002415.SZ", "--on", "2019-10-07", "--at", "2019-10-07T10:00:00Z"],
        ["--firms", "", "--on", "2019-10-07", "--timezone", "UTC"],
        ["--firms", "002415.SZ", "--on", "2019-10-07", "--timezone", "UTC", "--source", "abacus"],
    ],
)
def test_init_refuses_half_an_event(cli, options: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("init", "my-study", *options)
    assert done.exit_code == 2
    assert done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_stops_reading_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "eventstudy", "schema"], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.stderr, done.returncode) == ("", 1)


@pytest.mark.parametrize("more", [["--firms", "002415.SZ,AAPL"], ["--firms", "002415.SZ", "--benchmark", "AAPL"]])
def test_init_refuses_what_the_snapshot_does_not_hold(cli, more: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("init", "my-study", *more, "--on", "2019-10-07", "--timezone", "America/New_York")
    assert done.exit_code == 2
    assert "the snapshot has no AAPL: it holds 002230.SZ" in done.stderr
    assert "give --source yahoo" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_check_tells_of_leaks(cli, root: Path) -> None:
    told = cli("check", root / "configs" / "entity-list-2019.toml").stdout
    assert "info    leak reports-of-21-may, 002415.SZ: event session 2019-05-22, status traded" in told
    assert "leak reports-of-22-may, 002230.SZ: 140 estimation observations over 140 sessions" in told


def test_check_tells_of_a_leak_that_cannot_be_measured(cli, root: Path, tmp_path: Path) -> None:
    text = (root / "configs" / "entity-list-2019.toml").read_text(encoding="utf-8")
    early = text.replace("announced_on = 2019-05-21", "announced_on = 2018-09-20", 1)
    assert early != text
    (tmp_path / "early.toml").write_text(early, encoding="utf-8")
    told = cli("check", tmp_path / "early.toml").stdout
    assert "warning leak reports-of-21-may, 002415.SZ: left out, too_few_observations" in told


@pytest.mark.parametrize("name", ["My Study", "../elsewhere", "a/b", ""])
def test_init_refuses_a_name_that_no_study_may_have(cli, name: str, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert cli("init", name).exit_code == 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
