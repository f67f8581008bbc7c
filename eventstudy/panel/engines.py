"""Where batches of events are estimated: in this process, or on the workers of a dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from eventstudy.errors import ConfigError, DataError
from eventstudy.panel.study import Estimates, Panel, estimate, join
from eventstudy.plan import EngineName

ENGINES: tuple[EngineName, ...] = ("local", "dask")
CHUNK = 5_000  # events a task: a second or less of work, some megabytes of results
PATIENCE = 15  # seconds for a scheduler to answer
TRIES = 3  # times a task is handed out again after the worker that had it was lost

Watch = Callable[[Sequence[str]], Iterable[str]]


def unwatched(items: Sequence[str]) -> Iterable[str]:
    """Show no progress."""
    return items


@dataclass(frozen=True)
class Engine:
    """How events are spread.

    Parameters
    ----------
    name : {"local", "dask"}
    scheduler : str
        Address of a running dask scheduler, such as ``tcp://10.0.0.5:8786``; empty: workers are started on this machine.
    watch : callable
        Wraps the chunks of events as they are done, for a progress bar.
    """

    name: EngineName = "local"
    scheduler: str = ""
    watch: Watch = unwatched


def estimate_all(panel: Panel, engine: Engine) -> Estimates:
    """Estimate all events of a panel, in chunks that are the same whatever the engine.

    Raises
    ------
    ConfigError
        If dask is asked for and not installed, no scheduler answers at the address, or workers lack a package.
    DataError
        If workers are lost again and again, there are none, or the scheduler is lost.
    """
    chunks = [np.arange(start, min(start + CHUNK, len(panel.day0))) for start in range(0, len(panel.day0), CHUNK)]
    found: list[Estimates | None] = [None] * len(chunks)
    made = _on_dask(panel, chunks, engine) if engine.name == "dask" else enumerate(estimate(panel, chunk) for chunk in chunks)
    for (place, part), _ in zip(made, engine.watch([f"chunk {number}" for number in range(1, len(chunks) + 1)]), strict=True):
        found[place] = part
    return join([part for part in found if part is not None])


def _on_dask(panel: Panel, chunks: list[np.ndarray], engine: Engine) -> Iterator[tuple[int, Estimates]]:
    """Yield chunks as they are done; those of a lost worker are handed out again, if need be with the prices."""
    distributed = _distributed()
    with _client(distributed, engine.scheduler) as client, _told():
        left, lost = set(range(len(chunks))), 0
        while left:
            shared = client.scatter(panel, broadcast=True, hash=False)
            tasks = {client.submit(estimate, shared, chunks[place], pure=False, retries=TRIES): place for place in sorted(left)}
            try:
                for task, part in distributed.as_completed(tasks, with_results=True):
                    if isinstance(part, BaseException):  # a lost task comes as its error
                        raise part
                    left.discard(tasks[task])
                    yield tasks[task], part
            except (distributed.CancelledError, distributed.KilledWorker, distributed.scheduler.KilledWorker) as problem:
                lost += 1
                if lost > TRIES:
                    told = f"dask workers were lost {lost} times: see their logs for why, often too little memory"
                    raise DataError(told) from problem


@contextmanager
def _told() -> Iterator[None]:
    """Say in a sentence what ails a cluster."""
    try:
        yield
    except TimeoutError as problem:
        told = f"the dask scheduler has no workers ({problem}): start some with `dask worker` and its address"
        raise DataError(told) from problem
    except OSError as problem:
        told = f"the dask scheduler was lost ({problem}): see its log for why, and run the study again"
        raise DataError(told) from problem
    except Exception as problem:
        if "No module named" not in str(problem):
            raise
        told = f"dask workers lack a package ({problem}): install on them what is installed here"
        raise ConfigError(told) from problem


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as problem:
        raise ConfigError('engine "dask" needs a further package: pip install "eventstudy-toolkit[dask]"') from problem
    return distributed


def _client(distributed: Any, scheduler: str) -> Any:
    try:
        if scheduler:
            return distributed.Client(scheduler, timeout=PATIENCE)
        return distributed.Client(processes=True, dashboard_address=None)
    except RuntimeError as problem:
        told = 'dask could not start workers here: in a script, call the study under `if __name__ == "__main__":`'
        raise ConfigError(told) from problem
    except (OSError, ValueError) as problem:
        told = f"no dask scheduler answers at {scheduler!r}: start one with `dask scheduler`, or leave the address out"
        raise ConfigError(told) from problem
