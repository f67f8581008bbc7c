"""Runs a list of jobs on at most two processes; what each has found can be kept, so that an interrupted run goes on."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

PROCESSES = 2

Job = tuple[Any, ...]


def run_jobs(function: Callable[..., Any], jobs: Sequence[Job], keep: Path | None = None) -> list[Any]:
    """Return ``function(*job)`` of every job, in order; numbers do not depend on the number of processes.

    Parameters
    ----------
    keep : path, optional
        Folder of what earlier runs found: a job that is there is not run again, the others are added.
    """
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    run = partial(_kept, function, keep)
    with ProcessPoolExecutor(min(PROCESSES, os.cpu_count() or 1), multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(run, jobs))


def _kept(function: Callable[..., Any], keep: Path | None, job: Job) -> Any:
    if keep is None:
        return function(*job)
    path = keep / (re.sub(r"[^\w.-]+", "_", "-".join(map(str, (function.__name__, *job)))) + ".pickle")
    if path.exists():
        return pickle.loads(path.read_bytes())
    found = function(*job)
    keep.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(pickle.dumps(found))
    fresh.replace(path)
    return found
