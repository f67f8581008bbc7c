"""Processes measured from outside: wall time, CPU time and peak memory of each, and the environments of other packages.

Imports the standard library only: a child's peak memory is counted from what its parent holds when it starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "benchmarks"
PEERS = ROOT / "benchmarks" / "peers"
LIMIT = 900.0  # seconds a process may take
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Measured:
    """One process: seconds, bytes, what it printed, and why it failed (empty where it did not)."""

    wall: float
    cpu: float
    peak: int
    printed: str
    problem: str


def run(*command: str | Path, limit: float = LIMIT) -> Measured:
    """Run a command in the checkout and measure it."""
    log = BUILD / "log.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT)}
    with log.open("wb") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        timer = Timer(limit, process.kill)
        timer.start()
        printed = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    problem = ""
    if wall >= limit:
        problem = f"not done after {limit:.0f} s"
    elif process.returncode:
        problem = next(iter(reversed(log.read_text(errors="replace").strip().splitlines())), f"exit code {process.returncode}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, printed, problem)


def module(name: str, *arguments: str | Path, limit: float = LIMIT) -> Measured:
    """Run a module of this folder."""
    return run(sys.executable, "-m", name, *arguments, limit=limit)


def peer(name: str, source: Path, target: Path) -> Measured:
    """Run another package's script in its own environment, which sees nothing of this checkout."""
    target.mkdir(parents=True, exist_ok=True)
    return run(_python(name), "-I", PEERS / f"{name}.py", source, target)


def install(name: str) -> str:
    """Make the environment of another package, if it is not there yet; return why it cannot be made."""
    wanted = PEERS / f"{name}.txt"
    done = BUILD / "environments" / name / "installed.txt"
    if done.exists() and done.read_text() == wanted.read_text():
        return ""
    folder = done.parent
    made = run(sys.executable, "-m", "venv", "--clear", folder)
    if not made.problem:
        made = run(_python(name), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted)
    if not made.problem:
        done.write_text(wanted.read_text())
    return made.problem


def _python(name: str) -> Path:
    return BUILD / "environments" / name / "bin" / "python"
