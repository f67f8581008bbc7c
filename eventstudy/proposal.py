"""A new config: commented, and with firms and a date given, one that runs as it is."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import jinja2

from eventstudy.calendar import SUFFIX_CALENDARS, exchange_sessions, suffix
from eventstudy.errors import ConfigError
from eventstudy.events import Announcement, EventFirm, check_timezone, date_event, parse_instant
from eventstudy.sources.snapshot import SnapshotSource

# Index of each market in Yahoo's spelling; the CSI 300 is in the snapshot, on Yahoo only from 2021 on.
BENCHMARKS = {
    "SZ": "399001.SZ", "SS": "000001.SS", "HK": "^HSI", "T": "^N225", "L": "^FTSE", "DE": "^GDAXI", "PA": "^FCHI",
    "AS": "^AEX", "SW": "^SSMI", "KS": "^KS11", "KQ": "^KQ11", "TW": "^TWII", "SI": "^STI", "BO": "^BSESN", "AX": "^AXJO",
    "TO": "^GSPTSE", "SA": "^BVSP", "MX": "^MXX", "ST": "^OMX", "": "^GSPC",
}  # fmt: skip
CHINEXT_REFORM = dt.date(2020, 8, 24)


@dataclass(frozen=True)
class Proposal:
    """What `init` was asked for."""

    name: str
    firms: Sequence[str]
    on: dt.date | None = None
    at: str | None = None
    timezone: str | None = None
    source: str = "snapshot"
    benchmark: str | None = None


EXAMPLE_FIRMS = ("002230.SZ", "002415.SZ", "002236.SZ")
EXAMPLE_DATE = dt.date(2019, 10, 7)


def config_text(proposal: Proposal) -> str:
    """Return the TOML of a commented config.

    Calendar, benchmark and price limit are proposed from the suffixes; a date whose minutes map to two
    sessions gets ``date_only = "both"``, so that the config runs and shows both.

    Raises
    ------
    ConfigError
        If the zone is missing or unknown, the firms are on several exchanges and no calendar fits all, or the snapshot is to
        serve a symbol that it does not hold.
    """
    if not proposal.firms:
        raise ConfigError("--firms names no symbol: give one or more, separated by commas")
    endings = {suffix(symbol) for symbol in proposal.firms}
    calendars = {SUFFIX_CALENDARS.get(ending, "XNYS") for ending in endings}
    if proposal.at is None and not proposal.timezone:
        raise ConfigError("--on needs --timezone, such as America/New_York, to say whose date it is")
    if proposal.timezone:
        check_timezone(proposal.timezone)
    if proposal.at is not None:
        parse_instant(proposal.at, proposal.timezone)
    if proposal.source == "snapshot":
        known = SnapshotSource().contents
        lacking = [symbol for symbol in (*proposal.firms, proposal.benchmark) if symbol and symbol not in known]
        if lacking:
            raise ConfigError(f"the snapshot has no {lacking[0]}: it holds {', '.join(known)}; give --source yahoo for others")
    calendar = sorted(calendars)[0]
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
    environment.filters["toml"] = lambda value: json.dumps(value, ensure_ascii=False)
    template = (resources.files("eventstudy") / "templates" / "config.toml.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        name=proposal.name,
        firms=list(proposal.firms),
        on=proposal.on,
        at=proposal.at,
        timezone=proposal.timezone,
        both=proposal.on is not None and _straddles(proposal, calendar),
        calendar=calendar,
        mixed=len(calendars) > 1,
        benchmark=proposal.benchmark or _benchmark(proposal, endings),
        limits={symbol: _limit(symbol, proposal) for symbol in proposal.firms},
        source=proposal.source,
    )


def _straddles(proposal: Proposal, calendar: str) -> bool:
    if proposal.on is None:
        return False
    sessions = exchange_sessions(calendar, proposal.on - dt.timedelta(days=30))
    when = Announcement(on=proposal.on, timezone=proposal.timezone or "UTC")
    return len(date_event(EventFirm("probe", proposal.firms[0], when, date_only="both"), sessions)) > 1


def _benchmark(proposal: Proposal, endings: set[str]) -> str:
    if proposal.source == "snapshot":
        return "000300.SS"
    return BENCHMARKS.get(sorted(endings)[0], "^GSPC")


def _limit(symbol: str, proposal: Proposal) -> float | None:
    """Daily price limit of a Chinese share: STAR 20%, ChiNext 20% since its reform, else 10%."""
    if SUFFIX_CALENDARS.get(suffix(symbol)) != "XSHG":
        return None
    day = proposal.on or dt.date.fromisoformat((proposal.at or "")[:10])
    if symbol.startswith("688") or (symbol.startswith("300") and day >= CHINEXT_REFORM):
        return 0.20
    return 0.10
