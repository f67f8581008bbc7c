"""The sealed design: what was decided before prices were read, kept beside the config, and every change since."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from eventstudy.config import StudySpec
from eventstudy.errors import ConfigError, OutputError
from eventstudy.events import Announcement, EventFirm
from eventstudy.headline import headline_of
from eventstudy.inputs import firm_settings, study_events, study_plan
from eventstudy.study import LARGEST_SUSPENDED_SHARE, FirmStudy

Timing = Literal["before", "within", "some", "after"]

# What a reader sees and where prices come from is no part of the design; what stands here is sealed in a form of its own.
APART = ("study", "event", "firm", "data", "mask", "confounder", "report")
COSMETIC = {"market": ("benchmark_name", "currency")}
NOTHING = "nothing"
FIRST_ZONE = dt.timezone(dt.timedelta(hours=14))  # a day begins nowhere earlier

TIMINGS: dict[Timing, str] = {
    "before": "Sealed before the first session of the event window.",
    "within": "Sealed before the event, but after the first session of the event window.",
    "some": "Sealed after some of the events: for these not a pre-registration.",
    "after": "Sealed after the event: not a pre-registration.",
}


@dataclass(frozen=True)
class Seal:
    """One sealed design.

    Parameters
    ----------
    sealed_at : datetime
        Aware; by the clock of the machine that made the seal.
    design : dict
        What was sealed, readable; `sha256` (hex) is taken over it.
    """

    sealed_at: dt.datetime
    sha256: str
    design: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A key of the design that differs from the sealed one; None where one of the two has no such key."""

    key: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.key}: added, {self.new}"
        return f"{self.key}: removed, was {self.old}" if self.new is None else f"{self.key}: {self.old} -> {self.new}"


@dataclass(frozen=True)
class Standing:
    """How a study stands to one of its seals; `replaced` tells that a later seal took its place."""

    seal: Seal
    changes: tuple[Change, ...]
    timing: Timing
    replaced: bool = False

    @property
    def opening(self) -> str:
        """When the design was sealed, and whether it changed."""
        mark = f"{self.seal.sealed_at.isoformat()} (SHA-256 {self.seal.sha256[:16]}…)"
        count = "1 change" if len(self.changes) == 1 else f"{len(self.changes)} changes"
        since = f"{count} since:" if self.changes else "unchanged since."
        return f"{'An earlier seal, replaced later: design' if self.replaced else 'Design'} sealed on {mark}, {since}"

    def sentences(self) -> tuple[str, ...]:
        """Return when the design was sealed, every change since, and whether that was before the event."""
        return self.opening, *(str(change) for change in self.changes), TIMINGS[self.timing]


def sealed_design(spec: StudySpec) -> dict[str, Any]:
    """Return the design of a study as it is sealed: everything that decides a number but the prices themselves."""
    events = study_events(spec)
    plan = study_plan(spec)
    headline = headline_of(plan, events)
    sections = spec.model_dump(mode="json", by_alias=True, exclude=set(APART))
    for name, keys in COSMETIC.items():
        sections[name] = {key: value for key, value in sections[name].items() if key not in keys}
    sections["inference"] |= {"headline": list(headline.tests), "headline_window": list(plan.headline_window)}
    masks: dict[str, list[str]] = {}
    for mask in plan.masks:
        masks.setdefault(f"{mask.first} to {mask.last}", []).extend(sorted(mask.symbols) or ["all firms"])
    design = {
        "events": {f"{event.event_id}, {event.symbol}": _event(event) for event in events},
        "firms": {
            symbol: {key: value for key, value in asdict(settings).items() if key not in ("name", "name_zh", "currency")}
            for symbol, settings in firm_settings(spec, events).items()
        },
        "masks": masks,
        "confounders": {
            f"{news.symbol}, {_when(news.announcement)}": {"date_only": news.date_only} for news in plan.confounders
        },
        "exclusions": {
            "min_observations": plan.windows.min_observations,
            "largest share of suspended sessions": LARGEST_SUSPENDED_SHARE,
        },
        **sections,
    }
    found: dict[str, Any] = json.loads(json.dumps(design, default=str))
    return found


def _event(event: EventFirm) -> dict[str, str]:
    when = _when(event.announcement)
    return {"announced": when, "role": event.role, "group": event.group, "date_only": event.date_only}


def _when(announcement: Announcement) -> str:
    return f"session {announcement.session}" if announcement.session is not None else str(announcement)


def design_hash(design: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a design, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(design, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def seal_path(spec: StudySpec) -> Path | None:
    """Return where the seal of a config lies: beside it; None for a study that was never a file."""
    return None if spec.file is None else spec.file.with_name(f"{spec.file.name}.seal")


def write_seal(spec: StudySpec, now: dt.datetime, *, force: bool = False) -> tuple[Path, Seal]:
    """Seal the design of a config as it stands; no price is read.

    Parameters
    ----------
    now : datetime
        Aware; the moment the seal bears.
    force : bool
        Put this seal in the place of an existing one, which is kept inside the file.

    Raises
    ------
    ConfigError
        If there is a seal and `force` is not given, or the one there is damaged.
    OutputError
        If the file cannot be written.
    """
    path = seal_path(spec)
    if path is None:
        raise ConfigError("only the design of a config file can be sealed: write the study into one")
    earlier = read_seals(path)
    if earlier and not force:
        told = f"sealed on {earlier[-1].sealed_at.isoformat()}"
        raise ConfigError(f"{path}: the design is {told} already: --force seals it anew and keeps the old seal in the history")
    design = sealed_design(spec)
    seal = Seal(now.replace(microsecond=0), design_hash(design), design)
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        draft.write_text(seal_text((*earlier, seal)), encoding="utf-8", newline="\n")
        draft.replace(path)
    except OSError as problem:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        why = problem.strerror or problem
        raise OutputError(f"{path}: the seal cannot be written ({why}): make the folder writable") from problem
    return path, seal


def seal_text(seals: tuple[Seal, ...]) -> str:
    """Return what the file of seals holds; the last one is in force."""
    *earlier, seal = seals
    content = _as_json(seal) | {"history": [_as_json(old) for old in earlier]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _as_json(seal: Seal) -> dict[str, Any]:
    return {"sealed_at": seal.sealed_at.isoformat(), "sha256": seal.sha256, "design": seal.design}


def read_seals(path: Path) -> tuple[Seal, ...]:
    """Return the seals in a file, the one in force last; none where there is no file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no seal, or what it holds does not have the hash it states.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(_seal(part) for part in (*content["history"], content))
    except FileNotFoundError:
        return ()
    except OSError as problem:
        raise ConfigError(f"{path}: the seal cannot be read ({problem.strerror}): check its permissions") from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise _damaged(path, "it is not what `eventstudy seal` writes") from problem
    for seal in found:
        if design_hash(seal.design) != seal.sha256:
            raise _damaged(path, f"the design sealed on {seal.sealed_at.isoformat()} does not have the hash it states")
    return found


def _seal(part: Mapping[str, Any]) -> Seal:
    moment, design = dt.datetime.fromisoformat(part["sealed_at"]), part["design"]
    if moment.tzinfo is None or not isinstance(design, dict):
        raise ValueError
    return Seal(moment, str(part["sha256"]), design)


def _damaged(path: Path, why: str) -> ConfigError:
    return ConfigError(f"{path}: the seal is damaged, {why}: restore the file, or remove it and seal the design anew")


def seals_of(spec: StudySpec) -> tuple[Seal, ...]:
    """Return the seals beside a config, the one in force last.

    Raises
    ------
    ConfigError
        If they are damaged.
    """
    path = seal_path(spec)
    return () if path is None else read_seals(path)


def standings(spec: StudySpec, seals: tuple[Seal, ...], firms: tuple[FirmStudy, ...]) -> tuple[Standing, ...]:
    """Return how a computed study stands to its seals, the one in force first."""
    design, chosen = sealed_design(spec), spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    events, first = study_events(spec), window_start(firms, spec.windows.event[0])
    return tuple(
        Standing(
            seal,
            tuple(_unless_new_default(design_changes(seal.design, design), chosen)),
            timing(seal.sealed_at, events, first),
            replaced=place > 0,
        )
        for place, seal in enumerate(reversed(seals))
    )


def design_changes(old: Mapping[str, Any], new: Mapping[str, Any], where: tuple[str, ...] = ()) -> Iterator[Change]:
    """Yield every key that differs between two designs."""
    for key in dict.fromkeys([*old, *new]):
        place = (*where, key)
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from design_changes(before, after, place)
        elif key not in old or key not in new or before != after:
            yield Change(
                ", ".join(place), _shown(before) if key in old else None, _shown(after) if key in new else None
            )


def _shown(value: Any) -> str:
    """Return a value of a design in words."""
    if isinstance(value, dict):
        return "; ".join(f"{key} {_shown(item)}" for key, item in value.items() if item not in (None, "", [], {})) or NOTHING
    if isinstance(value, str):
        return value or NOTHING
    return NOTHING if value is None or value == [] else json.dumps(value, ensure_ascii=False)


def _unless_new_default(changes: Iterator[Change], chosen: Mapping[str, Any]) -> Iterator[Change]:
    """Leave out keys that did not exist when the design was sealed and that the config leaves at their default."""
    for change in changes:
        section, *keys = change.key.split(", ")
        left = section in StudySpec.model_fields and (section not in chosen or bool(keys and keys[0] not in chosen[section]))
        if change.old is not None or not (left or change.new == NOTHING):
            yield change


def timing(sealed_at: dt.datetime, events: Sequence[EventFirm], first: dt.datetime | None = None) -> Timing:
    """Tell whether a moment lies before the event window, within it but before the event, or after some or all events.

    Parameters
    ----------
    events : tuple of EventFirm
    first : datetime, optional
        Start of the first session of any event window, as far as it is known.
    """
    past = [sealed_at >= _earliest(announcement) for announcement in {event.announcement for event in events}]
    if any(past):
        return "after" if all(past) else "some"
    return "within" if first is not None and sealed_at >= first else "before"


def _earliest(announcement: Announcement) -> dt.datetime:
    """Return the first moment the announcement can have been made; of a bare session, the first in which it is that day."""
    if announcement.session is not None:
        return dt.datetime.combine(announcement.session, dt.time(0), FIRST_ZONE)
    return announcement.bounds()[0]


def window_start(firms: tuple[FirmStudy, ...], offset: int) -> dt.datetime | None:
    """Return when the day of the first session of any firm's event window begins; None where none is known yet.

    Parameters
    ----------
    offset : int
        First session of the event window, relative to the event session.
    """
    starts = []
    for firm in firms:
        if firm.session is not None:
            calendar = firm.listing.calendar
            zone = zoneinfo.ZoneInfo(calendar.timezone) if calendar.timezone else FIRST_ZONE
            starts.append(dt.datetime.combine(calendar.sessions[max(firm.day0 + offset, 0)].date(), dt.time(0), zone))
    return min(starts, default=None)
