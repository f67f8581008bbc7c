"""One variant as a process of its own: import, read a panel's files, compute, write tables.

``python -m benchmarks.whole VARIANT INPUT OUTPUT`` prints, as JSON, what it held in memory before it read anything.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

TABLES = ("events", "models", "abnormal_returns", "cars", "aar", "caar", "tests", "exclusions", "data")
LARGEST_CSV = 100_000  # events; beyond it tables are written as Parquet


def floor(source: Path, target: Path) -> None:
    """Closed form in numpy, tables by pandas."""
    from benchmarks.closed_form import estimates, places, trades
    from benchmarks.floor_tables import Writer
    from benchmarks.panels import read_panel

    report_memory()
    panel = read_panel(source)
    rows = trades(panel.prices.to_numpy(), panel.benchmark.to_numpy())
    with Writer(panel.events, target, as_csv=len(panel.events) <= LARGEST_CSV) as writer:
        for part in estimates(rows, places(panel)):
            writer.write(part)


def loop(source: Path, target: Path) -> None:
    """statsmodels one event at a time, on arrays."""
    from benchmarks.closed_form import places
    from benchmarks.floor_tables import Writer
    from benchmarks.one_by_one import estimates
    from benchmarks.panels import read_panel

    report_memory()
    panel = read_panel(source)
    with Writer(panel.events, target, as_csv=True) as writer:
        writer.write(estimates(panel.prices.to_numpy(), panel.benchmark.to_numpy(), places(panel)))


def textbook(source: Path, target: Path) -> None:
    """statsmodels one event at a time, on Series, as tutorials have it."""
    from benchmarks.panels import read_panel
    from benchmarks.textbook import tables

    report_memory()
    for name, table in zip(("abnormal_returns", "cars"), tables(read_panel(source)), strict=True):
        table.to_csv(target / f"{name}.csv", index=False)


def ours(source: Path, target: Path, tests: str | tuple[str, ...] = ()) -> None:
    """This package, without tests across firms."""
    from benchmarks.panels import read_panel
    from benchmarks.warm import study
    from eventstudy import event_study  # noqa: F401 - heavy imports are deferred until it is first named
    from eventstudy.tablefiles import Format, write_parts

    report_memory()
    panel = read_panel(source)
    result = study(panel, tests)
    kind: Format = "csv" if len(panel.events) <= LARGEST_CSV else "parquet"
    for name, parts in result.table_parts():
        if name in TABLES:
            write_parts(parts, target / f"{name}.{kind}", kind)


def ours_all(source: Path, target: Path) -> None:
    """This package, with all tests."""
    import scipy.stats  # noqa: F401 - what the tests import when they are first asked for

    ours(source, target, "all")


VARIANTS: dict[str, Callable[[Path, Path], None]] = {
    "floor": floor, "loop": loop, "textbook": textbook, "ours": ours, "ours_all": ours_all,
}  # fmt: skip


def report_memory() -> None:
    """Print what the process holds now, in bytes; called once everything is imported."""
    import resource

    json.dump({"before_input": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}, sys.stdout)


if __name__ == "__main__":
    name, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    target.mkdir(parents=True, exist_ok=True)
    VARIANTS[name](source, target)
