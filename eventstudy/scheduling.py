"""What makes the system's own scheduler run a study: systemd units, a crontab line, a GitHub Actions workflow."""

from __future__ import annotations

import datetime as dt
import shlex
import sys
import zoneinfo
from importlib import resources
from pathlib import Path

import jinja2

from eventstudy.calendar import BENCHMARK_CALENDAR, calendar_name, exchange_sessions
from eventstudy.config import StudySpec
from eventstudy.errors import ConfigError
from eventstudy.events import check_timezone

MONDAY = dt.date(2026, 1, 5)  # of a week in winter: GitHub's schedules know UTC only
WAIT, TIMEOUT = 600, 3600
FORMS = {"systemd": "systemd.j2", "cron": "cron.j2", "github": "github.yml.j2"}


def schedule_text(form: str, spec: StudySpec, config: Path, clock: str, timezone: str | None, out: Path) -> str:
    """Return the units, crontab line or workflow that runs `config` from Monday to Friday.

    Parameters
    ----------
    form : {"systemd", "cron", "github"}
    clock : str
        Time of day, ``HH:MM``, in `timezone`.
    timezone : str, optional
        IANA zone; default: that of the study's exchange.

    Raises
    ------
    ConfigError
        If the time or the zone cannot be used, or the study names no exchange to take the zone from.
    """
    try:
        time = dt.time.fromisoformat(clock)
    except ValueError as problem:
        raise ConfigError(f"--at {clock!r} is no time of day: write it as 18:30") from problem
    zone = check_timezone(timezone) if timezone else exchange_zone(spec)
    words = [sys.executable, "-m", "eventstudy", "run", str(config.resolve()), "--out", str(out.resolve())]
    options = ["--quiet", "--log-format", "json", "--wait", str(WAIT), "--timeout", str(TIMEOUT)]
    moment = dt.datetime.combine(MONDAY, time, zoneinfo.ZoneInfo(zone)).astimezone(dt.UTC)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
    template = (resources.files("eventstudy") / "templates" / "schedule" / FORMS[form]).read_text(encoding="utf-8")
    return environment.from_string(template).render(
        study=spec.study.name,
        command=shlex.join([*words, *options]).replace("%", r"\%"),
        unit_command=" ".join(_unit_word(word) for word in [*words, *options]),
        folder=str(Path.cwd()).replace("%", "%%"),
        cron_folder=shlex.quote(str(Path.cwd())).replace("%", r"\%"),
        hour=time.hour,
        minute=time.minute,
        clock=f"{time:%H:%M}",
        zone=zone,
        utc=moment,
        utc_days=_days(moment),
        out=out.as_posix(),
        run=shlex.join(["eventstudy", "run", config.as_posix(), "--out", out.as_posix(), *options]),
        longest=TIMEOUT + WAIT + 300,
    )


def exchange_zone(spec: StudySpec) -> str:
    """Return the zone of the exchange that a study's benchmark or first firm trades on.

    Raises
    ------
    ConfigError
        If no exchange is named.
    """
    symbols = [symbol for event in spec.event for symbol in event.firms] or [spec.market.benchmark]
    name = calendar_name(symbols[0], None, spec.market.calendar)
    if name == BENCHMARK_CALENDAR:
        raise ConfigError("the study names no exchange to take a time zone from: give --timezone, such as Asia/Shanghai")
    return exchange_sessions(name, MONDAY).timezone


def _unit_word(word: str) -> str:
    """Quote one word of a systemd command line: percent signs and dollars mean something there."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(mark in word for mark in " \t'\";") else escaped


def _days(moment: dt.datetime) -> str:
    """Return Monday to Friday in cron's numbers, shifted where the evening there is another day in UTC."""
    shift = (moment.date() - MONDAY).days
    return ",".join(str((day + shift) % 7) for day in range(1, 6))
