"""Measure everything and write docs/performance.md: ``python -m benchmarks.run [--turns N] [SIZE...]``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.page import write_page
from benchmarks.processes import BUILD, PEERS, Measured, install, module, peer, run

SIZES = (30, 1_000, 10_000, 100_000, 1_000_000)
OWN = ("floor", "ours", "ours_all", "loop", "textbook")
CALLS = ("floor", "call", "ours", "ours_all", "loop", "textbook")
OTHERS = ("lemaire", "ffjr", "easy_es")
# Largest size of what costs the same per event at every size, and of the tests over all pairs of events that share a session:
# on a given stretch of dates their number grows with the square of the events.
LARGEST = {"ours_all": 100_000, "loop": 10_000, "textbook": 10_000, "lemaire": 10_000, "ffjr": 10_000, "easy_es": 1_000}
STUDIES = (100_000, 1_000_000)  # events of the studies that the command line runs
WHOLE_TABLES = 100_000  # events up to which whole tables are read into memory; beyond it they are written in parts
FEWEST_STARTS = 7  # turns: a process that only starts is soon measured, and varies most
ONCE, ENOUGH = 15.0, 60.0  # seconds: what takes longer is measured once, or not at ten times the size
FIGURES = BUILD / "measured.json"
Found = dict[str, Any]


def main(sizes: list[int], turns: int) -> None:
    """Measure the sizes and write the page; sizes measured before stay in it."""
    found: Found = json.loads(FIGURES.read_text()) if FIGURES.exists() else {"others": {}, "sizes": {}, "start": {}}
    found["machine"] = machine()
    say("start of a process")
    found["start"] = measure_start(max(turns, FEWEST_STARTS))
    for name in OTHERS:
        say(f"environment of {name}")
        found["others"][name] = {"pins": (PEERS / f"{name}.txt").read_text().split(), "problem": install(name)}
    for size in sizes:
        for here in measure_size(size, found, turns):
            known = found["sizes"] | {str(size): here}
            found["sizes"] = {count: known[count] for count in sorted(known, key=int)}
            FIGURES.write_text(json.dumps(found, indent=1))
    for size in STUDIES:
        if size in sizes:
            found.setdefault("studies", {})[str(size)] = measure_study(BUILD / "inputs" / str(size))
    FIGURES.write_text(json.dumps(found, indent=1))
    write_page(found)


def say(text: str) -> None:
    """Tell what is being done."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def machine() -> Found:
    """Describe what the figures were measured on."""
    cpu = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    packages = ("numpy", "pandas", "scipy", "statsmodels", "pyarrow", "eventstudy-toolkit")
    return {
        "cpu": cpu[0] if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
        "versions": {name: version(name) for name in packages},
    }


def measure_size(size: int, found: Found, turns: int) -> Iterator[Found]:
    """Measure all variants at one size, in turns; yield what is known after each."""
    load = os.getloadavg()[0]
    source = BUILD / "inputs" / str(size)
    say(f"{size} events: inputs")
    made = module("benchmarks.inputs", str(size), source, *(["peers"] if size <= LARGEST["lemaire"] else []))
    if made.problem:
        raise SystemExit(f"no inputs for {size} events: {made.problem}")
    names = [name for name in (*OWN, *OTHERS) if wanted(name, size, found)]
    warm = [name for name in CALLS if name in names or name == "call"]
    if size > WHOLE_TABLES:
        warm = ["floor", "call"]
    repeats = turns if size <= 100_000 else 1
    say(f"{size} events: {', '.join(warm)} in one process")
    done = module("benchmarks.warm", source, str(repeats), *warm, limit=3_600)
    here: Found = {"load": load, "panel": json.loads(made.printed), "warm": json.loads(done.printed or "{}"), "whole": {}}
    here["warm_problem"] = done.problem
    for turn in range(repeats):
        for name in names:
            earlier = here["whole"].setdefault(name, {"wall": [], "cpu": [], "peak": [], "before_input": 0, "problem": ""})
            if earlier["problem"] or (turn and max(earlier["cpu"]) > ONCE):
                continue
            say(f"{size} events: {name} as a process, turn {turn + 1}")
            note(earlier, measure_whole(name, source))
            yield here


def wanted(name: str, size: int, found: Found) -> bool:
    """Whether a variant is measured at a size: it can be, and did not take too long or fail at a smaller one."""
    if size > LARGEST.get(name, size) or found["others"].get(name, {}).get("problem"):
        return False
    smaller = [here["whole"].get(name) for count, here in found["sizes"].items() if int(count) < size]
    return all(one and not one["problem"] and median(one["cpu"]) <= ENOUGH for one in smaller)


def measure_whole(name: str, source: Path) -> Measured:
    """Run a variant as a process that writes its tables into an empty folder."""
    target = BUILD / "tables" / name
    shutil.rmtree(target, ignore_errors=True)
    return peer(name, source, target) if name in OTHERS else module("benchmarks.whole", name, source, target)


def note(earlier: Found, measured: Measured) -> None:
    """Add a process to the others of its kind."""
    earlier["problem"] = measured.problem
    for key in ("wall", "cpu", "peak"):
        earlier[key].append(getattr(measured, key))
    if measured.printed.startswith("{"):
        earlier |= json.loads(measured.printed)


def measure_start(turns: int) -> Found:
    """Measure what every call waits for, and the Entity List study, warm."""
    study = ("-m", "eventstudy", "run", "configs/entity-list-2019.toml", "--force", "--out", str(BUILD / "reports"))
    commands = {
        "python": ("-c", "pass"),
        "import": ("-c", "import eventstudy"),
        "import_all": ("-c", "from eventstudy import event_study, run_study"),
        "help": ("-m", "eventstudy", "--help"),
        "entity_list": study,
    }
    walls: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(turns + 1):  # the first turn warms the disk's cache and is left out
        for name, arguments in commands.items():
            measured = run(sys.executable, *arguments)
            if measured.problem:
                raise SystemExit(f"{name}: {measured.problem}")
            if turn:
                walls[name].append(measured.wall)
    return walls


def measure_study(source: Path) -> Found:
    """Measure `eventstudy run` on a config with the events in CSV, the prices in Parquet and tables in Parquet: the first run."""
    say(f"eventstudy run on {source.name} events")
    reports = BUILD / "reports-of-many"
    for folder in (reports, source / "store"):
        shutil.rmtree(folder, ignore_errors=True)
    measured = run(sys.executable, "-m", "eventstudy", "run", source / "study.toml", "--out", reports, limit=3_600)
    imports = run(sys.executable, "-c", "import eventstudy.cli, eventstudy.rerun, eventstudy.report.page, pyarrow.parquet")
    return {
        "wall": measured.wall, "cpu": measured.cpu, "peak": measured.peak, "before_input": imports.peak,
        "problem": measured.problem or imports.problem,
    }  # fmt: skip


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Measure how long event studies take, and write docs/performance.md.")
    asked.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="SIZE", help="numbers of events")
    asked.add_argument("--turns", type=int, default=3, help="how often each variant is run")
    given = asked.parse_args()
    main(list(given.sizes), given.turns)
