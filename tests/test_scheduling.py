"""What `schedule` prints is accepted by the system's own tools, or parsed and looked at where they are not there."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml


def parts(text: str) -> dict[str, str]:
    """The units by name, as a user saves them."""
    pieces = re.split(r"^# --- (\S+)\n", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


@pytest.fixture
def units(cli, root: Path) -> dict[str, str]:
    done = cli("schedule", root / "configs" / "watchlist" / "watchlist.toml", "--systemd")
    assert (done.exit_code, done.stderr) == (0, "")
    return parts(done.stdout)


def test_units_run_the_study_on_trading_evenings_in_the_zone_of_the_exchange(units, root: Path) -> None:
    assert set(units) == {"eventstudy-watchlist.service", "eventstudy-watchlist.timer"}
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(units["eventstudy-watchlist.timer"])
    assert parser["Timer"]["OnCalendar"] == "Mon..Fri 18:30 Asia/Shanghai"
    parser.clear()
    parser.read_string(units["eventstudy-watchlist.service"])
    command = parser["Service"]["ExecStart"].split()
    assert command[1:5] == ["-m", "eventstudy", "run", str(root / "configs" / "watchlist" / "watchlist.toml")]
    assert Path(command[0]).is_absolute()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed here: units are only parsed")
def test_systemd_accepts_the_units(units, tmp_path: Path) -> None:
    for name, text in units.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    paths = [str(tmp_path / name) for name in units]
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    timer = re.search(r"OnCalendar=(.*)", units["eventstudy-watchlist.timer"])
    assert timer
    done = subprocess.run(["systemd-analyze", "calendar", timer[1]], capture_output=True, text=True, check=False)
    assert done.returncode == 0


def test_cron_line_has_time_zone_and_five_fields(cli, root: Path) -> None:
    done = cli("schedule", root / "configs" / "watchlist" / "watchlist.toml", "--cron", "--at", "17:05")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert lines[0] == "CRON_TZ=Asia/Shanghai"
    assert lines[1].split()[:5] == ["5", "17", "*", "*", "1-5"]


@pytest.mark.parametrize(
    ("clock", "zone", "cron"),
    [
        ("18:30", "Asia/Shanghai", "30 10 * * 1,2,3,4,5"),
        ("20:00", "America/New_York", "0 1 * * 2,3,4,5,6"),  # the next day in UTC
        ("06:00", "Asia/Tokyo", "0 21 * * 0,1,2,3,4"),  # the day before
    ],
)
def test_github_workflow_is_yaml_in_utc(cli, root: Path, clock: str, zone: str, cron: str) -> None:
    config = root / "configs" / "watchlist" / "watchlist.toml"
    done = cli("schedule", config, "--github", "--at", clock, "--timezone", zone)
    workflow = yaml.safe_load(done.stdout)
    assert workflow[True]["schedule"] == [{"cron": cron}]  # YAML reads the key `on` as true
    commands = [step.get("run", "") for step in workflow["jobs"]["run"]["steps"]]
    assert any(command.startswith("eventstudy run ") for command in commands)


@pytest.mark.parametrize("options", [["--at", "25:00"], ["--at", "noon"], ["--timezone", "EST"]])
def test_a_time_that_is_none_is_refused(cli, root: Path, options: list[str]) -> None:
    done = cli("schedule", root / "configs" / "watchlist" / "watchlist.toml", *options)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)


def test_a_study_without_an_exchange_needs_a_zone(cli, study_on_disk, panel) -> None:
    made = panel()
    config = study_on_disk(made, made.events(120))
    done = cli("schedule", config)
    assert (done.exit_code, "--timezone" in done.stderr) == (2, True)
    assert cli("schedule", config, "--timezone", "Europe/Paris").exit_code == 0


def test_paths_with_blanks_and_percent_signs_stay_one_word(cli, root: Path, tmp_path: Path) -> None:
    config = tmp_path / "my 100% study.toml"
    config.write_text((root / "configs" / "entity-list-2019.toml").read_text(encoding="utf-8"), encoding="utf-8")
    text = cli("schedule", config).stdout
    assert f'"{tmp_path}/my 100%% study.toml"' in text
    assert r"my 100\% study.toml'" in cli("schedule", config, "--cron").stdout
    run = yaml.safe_load(cli("schedule", config, "--github").stdout)["jobs"]["run"]["steps"][-2]["run"]
    assert f"'{config}'" in run


def test_github_keeps_the_runs_that_the_next_one_is_compared_with(cli, root: Path) -> None:
    done = cli("schedule", root / "configs" / "watchlist" / "watchlist.toml", "--github", "--out", "my-reports")
    steps = yaml.safe_load(done.stdout)["jobs"]["run"]["steps"]
    (kept,) = [step["with"]["path"] for step in steps if step.get("uses", "").startswith("actions/cache")]
    assert kept.splitlines() == ["~/.local/share/eventstudy", "my-reports"]
