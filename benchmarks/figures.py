"""The figures aimed at, each with what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

Found = dict[str, Any]
PEERS = {"lemaire": "`eventstudy` (Lemaire)", "ffjr": "`ffjr-eventstudies`", "easy_es": "`easy-es`"}


@dataclass(frozen=True)
class Figure:
    """One aim: `reached` is None where it was not measured."""

    aim: str
    measured: str
    reached: bool | None


def warm(found: Found, size: int, name: str, key: str = "seconds") -> float | None:
    """Return the median seconds, or CPU seconds (`key` ``cpu``), of a variant's call in a warm process."""
    seconds = found["sizes"].get(str(size), {}).get("warm", {}).get(key, {}).get(name)
    return median(seconds) if seconds else None


def whole(found: Found, size: int, name: str, key: str = "wall") -> float | None:
    """Return the median of a variant's processes: seconds or bytes; none where it failed or was not run."""
    one = found["sizes"].get(str(size), {}).get("whole", {}).get(name)
    return median(one[key]) if one and one[key] and not one["problem"] else None


def working_memory(found: Found, size: int, name: str) -> float | None:
    """Return what a process held at its peak beyond its imports, over the size of the input in memory."""
    peak = whole(found, size, name, "peak")
    here = found["sizes"].get(str(size), {})
    return None if peak is None else (peak - here["whole"][name]["before_input"]) / here["panel"]["size"]


def study(found: Found, size: int) -> Found:
    """Return what was measured of a study that the command line ran; empty where it failed or was not run."""
    measured: Found = found.get("studies", {}).get(str(size), {})
    return {} if measured.get("problem") else measured


def study_memory(found: Found, size: int, beyond_imports: bool = True) -> float | None:
    """Return what the command line held at its peak, over the size of the study's input in memory."""
    measured, here = study(found, size), found["sizes"].get(str(size), {})
    if not measured or not here:
        return None
    return (measured["peak"] - beyond_imports * measured["before_input"]) / here["panel"]["size"]  # type: ignore[no-any-return]


def figures(found: Found) -> list[Figure]:
    """Judge every aim."""
    start = {name: median(walls) for name, walls in found["start"].items() if walls}
    peak, run = whole(found, 1_000_000, "ours", "peak"), study(found, 1_000_000).get("peak")
    plain, whole_road = "10,000 events, without tests across firms", "10,000 events, all tests, tables read"
    return [
        _faster(found, f"{plain}, no table read: 50 times faster than the textbook loop", "textbook", "call", 50),
        _faster(found, f"{plain}, no table read: 50 times faster than the loop on arrays", "loop", "call", 50),
        _faster(found, f"{plain}, tables read: 50 times faster than the textbook loop", "textbook", "ours", 50),
        _faster(found, f"{plain}, tables read: 50 times faster than the loop on arrays", "loop", "ours", 50),
        _faster(found, f"{whole_road}: 10 times faster than the textbook loop", "textbook", "ours_all", 10),
        _faster(found, f"{whole_road}: 10 times faster than the loop on arrays", "loop", "ours_all", 10),
        _within(found, f"{plain}, no table read: within 4 times of the floor's arithmetic", "call", 4),
        _within(found, f"{plain}, tables read: within 4 times of the floor's arithmetic", "ours", 4),
        _ahead(found),
        _whole_process(found),
        _flat(found, "call", "of the call"),
        _flat(found, "ours", "with its tables read"),
        _below("100,000 events, all tests: peak memory beyond the imports under 3 times the input's size",
               working_memory(found, 100_000, "ours_all"), 3, "times"),
        _below("100,000 events, `eventstudy run` on files: peak memory beyond the imports under 3 times the input's size",
               study_memory(found, 100_000), 3, "times"),
        _below("100,000 events, `eventstudy run` on files: peak memory, imports and all, under 3 times the input's size",
               study_memory(found, 100_000, beyond_imports=False), 3, "times"),
        _below("1,000,000 events from Python, Parquet in and out, no tests across firms: peak memory under 2 GB",
               peak and peak / 1e9, 2, "GB"),
        _below("1,000,000 events, `eventstudy run`, Parquet in and out: peak memory under 2 GB", run and run / 1e9, 2, "GB"),
        _below("`import eventstudy` under 1 s", start.get("import"), 1, "s"),
        _below("`from eventstudy import event_study, run_study` under 1 s", start.get("import_all"), 1, "s"),
        _below("`eventstudy --help` under 0.5 s", start.get("help"), 0.5, "s"),
        _below("the whole Entity List study, warm, under 6 s", start.get("entity_list"), 6, "s"),
    ]  # fmt: skip


def _faster(found: Found, aim: str, theirs: str, ours: str, times: float) -> Figure:
    wall, cpu = (_ratio(warm(found, 10_000, theirs, key), warm(found, 10_000, ours, key)) for key in ("seconds", "cpu"))
    return Figure(aim, _both(wall, cpu), None if wall is None else wall >= times)


def _within(found: Found, aim: str, ours: str, times: float) -> Figure:
    wall, cpu = (_ratio(warm(found, 10_000, ours, key), warm(found, 10_000, "floor", key)) for key in ("seconds", "cpu"))
    return Figure(aim, _both(wall, cpu), None if wall is None else wall <= times)


def _whole_process(found: Found) -> Figure:
    aim = "10,000 events, whole process with all tests and tables: under 2.5 times the floor's"
    wall, cpu = (_ratio(*(whole(found, 10_000, name, key) for name in ("ours_all", "floor"))) for key in ("wall", "cpu"))
    return Figure(aim, _both(wall, cpu), None if wall is None else wall < 2.5)


def _ratio(above: float | None, below: float | None) -> float | None:
    return None if above is None or below is None else above / below


def _both(wall: float | None, cpu: float | None) -> str:
    return "" if wall is None else f"{wall:.2f} times" + ("" if cpu is None else f" (CPU time: {cpu:.2f})")


def _below(aim: str, value: float | None, limit: float, unit: str) -> Figure:
    return Figure(aim, "", None) if value is None else Figure(aim, f"{value:.2f} {unit}", value < limit)


def _ahead(found: Found) -> Figure:
    aim = "10,000 events, whole process with all tests and tables: ahead of every other package that was run"
    ours = whole(found, 10_000, "ours_all")
    others = {name: seconds for name in PEERS if (seconds := whole(found, 10_000, name)) is not None}
    if ours is None or not others:
        return Figure(aim, "", None)
    told = [f"{PEERS[name]} {seconds / ours:.1f} times ours" for name, seconds in others.items()]
    text = ", ".join([*told, *(f"{shown} not run or failed" for name, shown in PEERS.items() if name not in others)])
    return Figure(aim, text, all(seconds > ours for seconds in others.values()))


def _flat(found: Found, name: str, what: str) -> Figure:
    aim = f"cost per event {what} flat from 1,000 events up, without tests across firms: never a tenth above that at 1,000"
    costs = {int(size): warm(found, int(size), name) for size in found["sizes"] if int(size) >= 1_000}
    known = {size: seconds / size * 1e6 for size, seconds in costs.items() if seconds is not None}
    if len(known) < 2 or 1_000 not in known:
        return Figure(aim, "", None)
    text = ", ".join(f"{cost:.0f} µs at {size:,}" for size, cost in known.items())
    return Figure(aim, text, max(known.values()) <= 1.1 * known[1_000])
