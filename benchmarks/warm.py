"""The arithmetic alone: every variant called in one process that has imported everything, in turns.

``python -m benchmarks.warm INPUT REPEATS VARIANT...`` prints seconds by variant, and how far the variants' CARs lie apart.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.panels import CAR, ESTIMATION, EVENT, Panel, read_panel

if TYPE_CHECKING:
    from eventstudy.result import StudyResult

LONG = 15.0  # seconds: what takes longer is called once
Cars = Callable[[], np.ndarray]  # looks up the CARs (events, windows) that were computed
READ = ("models", "abnormal_returns", "cars", "aar", "caar")


def study(panel: Panel, tests: str | tuple[str, ...]) -> StudyResult:
    """Call this package on a panel."""
    import eventstudy as es

    windows = es.Windows(estimation=ESTIMATION, event=EVENT, car=CAR)
    return es.event_study(panel.events, panel.prices, panel.benchmark, windows=windows, tests=tests)


def call(panel: Panel) -> Cars:
    """This package, without tests across firms: the call alone, no table read."""
    return _cars(study(panel, ()))


def ours(panel: Panel) -> Cars:
    """This package, without tests across firms; tables read."""
    return _cars(study(panel, ()), *READ)


def ours_all(panel: Panel) -> Cars:
    """This package, with all tests; tables read."""
    return _cars(study(panel, "all"), *READ, "tests")


def _cars(result: StudyResult, *names: str) -> Cars:
    for name in names:
        getattr(result, name)
    return lambda: result.cars["car"].to_numpy().reshape(-1, len(CAR))


def floor(panel: Panel) -> Cars:
    """Closed form in numpy."""
    from benchmarks.closed_form import estimates, places, trades

    rows = trades(panel.prices.to_numpy(), panel.benchmark.to_numpy())
    parts = [part.car for part in estimates(rows, places(panel))]
    return lambda: np.concatenate(parts)


def loop(panel: Panel) -> Cars:
    """statsmodels one event at a time, on arrays."""
    from benchmarks.closed_form import places
    from benchmarks.one_by_one import estimates

    found = estimates(panel.prices.to_numpy(), panel.benchmark.to_numpy(), places(panel))
    return lambda: found.car


def textbook(panel: Panel) -> Cars:
    """statsmodels one event at a time, on Series, as tutorials have it."""
    from benchmarks.textbook import tables

    found = tables(panel)[1]
    return lambda: found["car"].to_numpy().reshape(-1, len(CAR))


VARIANTS: dict[str, Callable[[Panel], Cars]] = {
    "floor": floor, "call": call, "ours": ours, "ours_all": ours_all, "loop": loop, "textbook": textbook,
}  # fmt: skip


def measure(panel: Panel, repeats: int, names: list[str]) -> dict[str, Any]:
    """Time the variants in turns; the first call of each, on a small panel, is not counted."""
    from benchmarks.panels import make_panel

    small = make_panel(30)
    for name in names:
        VARIANTS[name](small)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    cars: dict[str, np.ndarray] = {}
    for _ in range(repeats):
        for name in names:
            if seconds[name] and max(cpu[name]) > LONG:
                continue
            gc.collect()
            wall, busy = time.perf_counter(), time.process_time()
            found = VARIANTS[name](panel)
            seconds[name].append(time.perf_counter() - wall)
            cpu[name].append(time.process_time() - busy)
            cars[name] = found()
            del found
    apart = {name: _apart(cars["floor"], found) for name, found in cars.items() if name != "textbook"}
    return {"seconds": seconds, "cpu": cpu, "apart": apart}


def _apart(expected: np.ndarray, found: np.ndarray) -> float:
    """Return the largest difference of two variants' CARs, in their own root mean square; infinite where gaps differ."""
    if not np.array_equal(np.isnan(expected), np.isnan(found)):
        return float("inf")
    return float(np.nanmax(np.abs(found - expected)) / np.sqrt(np.nanmean(expected**2)))


if __name__ == "__main__":
    json.dump(measure(read_panel(Path(sys.argv[1])), int(sys.argv[2]), sys.argv[3:]), sys.stdout)
