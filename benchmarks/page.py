"""docs/performance.md, from what `benchmarks.run` measured: ``python -m benchmarks.page`` writes it anew."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from benchmarks.figures import PEERS, Found, figures, study_memory, warm, whole, working_memory
from benchmarks.processes import BUILD, ROOT

PAGE = ROOT / "docs" / "performance.md"
NAMES = {
    "floor": "numpy floor",
    "loop": "statsmodels loop, arrays",
    "textbook": "statsmodels loop, textbook",
    "call": "this package, no tests across firms, no table read",
    "ours": "this package, no tests across firms",
    "ours_all": "this package, all tests",
} | PEERS
CALLS = ("floor", "call", "ours", "ours_all", "loop", "textbook")
LOOP = 1.6e-3  # seconds an event, of the loop that the aims are set against
STARTS = {
    "python": "`python -c pass`, for comparison",
    "import": "`import eventstudy`",
    "import_all": "`from eventstudy import event_study, run_study`",
    "help": "`eventstudy --help`",
    "entity_list": "`eventstudy run configs/entity-list-2019.toml`, page and tables included",
}


def write_page(found: Found, target: Path = PAGE) -> None:
    """Write the page."""
    sections = (introduction, aims, calls, processes, memory, large, starts)
    parts = [*(section(found) for section in sections), method()]
    target.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Lay out a table; all columns but the first are numbers."""
    heads = list(head)
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *map(list, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def introduction(found: Found) -> str:
    """Say what the page is and what it was measured on."""
    machine = found["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    loads = [here["load"] for here in found["sizes"].values()]
    alone = "nothing else was running"
    shared = "other work was running, so that CPU times and ratios say more than seconds of the clock"
    other = alone if max(loads) <= 1.25 else shared  # what measures is a load of 1
    return f"""# Performance

`make benchmarks` measures all of this and writes this page; no measured figure was typed. Ratios are what to read: numerator and
denominator were measured in turns in one run.

Measured on {machine["date"]}: {machine["cpu"]}, {machine["cores"]} cores, {machine["memory"] / 1e9:.0f} GB of memory,
{machine["system"]}, one thread a process; Python {machine["python"]}; {versions}.
Load of the machine before each size, from the smallest to the largest: {", ".join(f"{load:.1f}" for load in loads)} ({other})."""


def aims(found: Found) -> str:
    """Judge the figures aimed at."""
    words = {True: "reached", False: "**not reached**", None: "not measured"}
    rows = [(figure.aim, figure.measured, words[figure.reached]) for figure in figures(found)]
    return "## Figures aimed at\n\n" + table(("aim", "measured", "verdict"), rows) + between_the_loops(found)


def between_the_loops(found: Found) -> str:
    """Say what the two loops cost, and how a loop between them compares."""
    ours = [warm(found, 10_000, name) for name in ("call", "ours_all")]
    loops = [warm(found, 10_000, name) for name in ("loop", "textbook")]
    if None in ours or None in loops or not loops[0] < LOOP * 10_000 < loops[1]:  # type: ignore[operator]
        return ""
    plain, tested = (LOOP * 10_000 / seconds for seconds in ours if seconds)
    lean, textbook = (clock(seconds / 10_000) for seconds in loops if seconds)
    return (
        f"\n\nAn event costs {lean} in the loop on arrays, {textbook} in the textbook loop. The aims speak of a "
        f"loop between them, at {clock(LOOP)} an event; it was not run. At that cost it would take {plain:.0f} times as long as "
        "this package does without tests and tables, and "
        f"{tested:.0f} times as long as it does with all of both."
    )


def calls(found: Found) -> str:
    """Lay out the calls in a warm process."""
    rows = []
    for size in found["sizes"]:
        floor = warm(found, int(size), "floor")
        cells = []
        for name in CALLS:
            seconds = warm(found, int(size), name)
            cells.append("" if seconds is None or floor is None else f"{clock(seconds)} ({seconds / floor:.3g})")
        apart = found["sizes"][size]["warm"].get("apart", {})
        rows.append([f"{int(size):,}", *cells, f"{max(apart.values()):.0e}" if apart else ""])
    largest = max(int(size) for size in found["sizes"])
    costs = [
        f"{warm(found, size, 'ours') / size * 1e6:.0f} µs at {size:,}"  # type: ignore[operator]
        for size in map(int, found["sizes"])
        if warm(found, size, "ours") is not None
    ]
    loops = [(size, warm(found, size, "loop")) for size in map(int, found["sizes"]) if warm(found, size, "loop") is not None]
    beyond = ""
    if loops and loops[-1][0] < largest:
        size, seconds = loops[-1]
        per = seconds / size  # type: ignore[operator]
        beyond = (
            f" The loops were not measured beyond {size:,} events. A loop's cost per event stays the same, so that "
            f"{largest:,} events would take the one on arrays about {clock(per * largest)}: an extrapolation."
        )
    text = """## The call alone

Seconds of one call in a process that has imported everything, prices and events in memory; in brackets as a multiple of the
floor. The floor is the closed form in bare numpy: nothing checked, numbers left in arrays. Ours is `es.event_study`: the call
alone, which estimates everything, and with the tables `models`, `abnormal_returns`, `cars`, `aar` and `caar` read, and `tests`
where there are any. The last column is the largest difference of a CAR from the floor's, over the CARs' root mean square; the
textbook loop, whose numbers differ where trading was suspended, does not count there.

"""
    return (
        text
        + table(("events", *(NAMES[name] for name in CALLS), "apart"), rows)
        + f"\n\nCost per event of ours, without tests across firms: {', '.join(costs)}.{beyond}"
    )


def processes(found: Found) -> str:
    """Lay out whole processes."""
    rows = []
    for size, here in found["sizes"].items():
        floor = whole(found, int(size), "floor")
        for name, one in here["whole"].items():
            if one["problem"]:
                rows.append([f"{int(size):,}", NAMES[name], "", "", "", f"failed: {one['problem']}"])
                continue
            wall, cpu, peak = (median(one[key]) for key in ("wall", "cpu", "peak"))
            times = f"{wall / floor:.2f}" if floor else ""
            rows.append([f"{int(size):,}", NAMES[name], clock(wall), times, clock(cpu), f"{peak / 1e6:,.0f}"])
    left_out = [
        f"{NAMES[name]} could not be installed ({one['problem']})." for name, one in found["others"].items() if one["problem"]
    ]
    text = """## Whole processes

Import, reading of prices (wide Parquet; CSV or long Parquet where a package takes nothing else), computation, and every table
that a run writes, as CSV (as Parquet above 100,000 events). Medians over the turns; what takes more than 15 s of CPU was run
once. The second column of figures is a multiple of the floor's wall time. A variant that failed at a size, or took more than a
minute of CPU, is not tried at the next. All tests are not tried beyond 100,000 events: tests that take correlation between firms
into account go over all pairs of events whose windows share a session, and on a given stretch of dates the number of pairs
grows with the square of the events. Tables of a million events are written in parts, never held whole.

"""
    return (
        text
        + table(("events", "variant", "wall", "times the floor", "CPU", "peak memory, MB"), rows)
        + "".join(f"\n\n{text}" for text in left_out)
    )


def memory(found: Found) -> str:
    """Lay out memory against the input's size."""
    rows = []
    for size, here in found["sizes"].items():
        for name in ("floor", "ours", "ours_all"):
            times = working_memory(found, int(size), name)
            if times is not None:
                peak, before = whole(found, int(size), name, "peak"), here["whole"][name]["before_input"]
                cells = [f"{value / 1e6:,.0f}" for value in (here["panel"]["size"], before, peak)]  # type: ignore[operator]
                rows.append([f"{int(size):,}", NAMES[name], *cells, f"{times:.2f}"])
    head = ("events", "variant", "input, MB", "after imports, MB", "peak, MB", "(peak - imports) / input")
    return (
        "## Memory\n\nPeak resident memory of the processes above. The input's size is that of its three frames in memory; small "
        "inputs are dwarfed by what any table takes.\n\n" + table(head, rows)
    )


def large(found: Found) -> str:
    """Tell of large studies from the command line."""
    rows = []
    for size, one in found.get("studies", {}).items():
        if one["problem"]:
            rows.append([f"{int(size):,}", "", "", "", f"failed: {one['problem']}"])
            continue
        times = study_memory(found, int(size))
        memory = [f"{one['peak'] / 1e6:,.0f}", "" if times is None else f"{times:.2f}"]
        rows.append([f"{int(size):,}", clock(one["wall"]), clock(one["cpu"]), *memory])
    text = """## Many events from the command line

`eventstudy run` on a config with the events in a CSV file, wide prices of 5,000 shares in Parquet, the cross-sectional t test and
`[output] format = "parquet"`: the first run, which keeps the prices for it to be repeated on, and writes every table, the page
and the manifest.

"""
    head = ("events", "wall", "CPU", "peak memory, MB", "(peak - imports) / input")
    return text + table(head, rows) if rows else ""


def starts(found: Found) -> str:
    """Lay out what every call waits for."""
    rows = [[STARTS[name], clock(median(walls))] for name, walls in found["start"].items() if walls]
    text = "## Start\n\nWall time of a process, median of the turns after one that is not counted.\n\n"
    return text + table(("process", "wall"), rows)


def clock(seconds: float) -> str:
    """Write a time with three digits."""
    if seconds >= 600:
        return f"{seconds / 60:,.0f} min"
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def method() -> str:
    """Say what was measured."""
    return """## What was measured

**Panels.** Made by `benchmarks/panels.py` from a fixed seed: 2,600 sessions (business days); a tenth as many symbols as events,
at least 30 and at most 5,000; normal returns from a market model; trading suspended in spells of one to three sessions, 2% of
all sessions, no price there. Events are scattered over symbols and dates without repeats; each has the whole estimation window
[-260, -11] (250 sessions) and event window [-10, 10] (21 sessions). CARs over [-10, 10] and [-1, 1], market model, log returns,
trade to trade.

**Floor** (`closed_form.py`). All events of a chunk at once in numpy: rows from prices, weighted sums, alpha, beta, sigma, AR and
CAR with the full prediction covariance. No checks, no reasons, no p-values. As a process it writes three tables.

**Loops.** `one_by_one.py` fits `statsmodels.OLS` to one event after the other on numpy arrays, as lean as such a loop can be;
it handles suspensions as this package does and gives the same numbers. `textbook.py` is the loop as tutorials have it: returns
made once, then `add_constant`, `OLS(...).fit()` and `predict` on Series. It does less: sessions without a return are dropped, and
with them the return of a resumption; it has no prediction variance and no p-values. Where nothing was suspended its abnormal
returns are ours (a test holds all of them together).

**Other packages.** Each in an environment and process of its own, versions as pinned in `benchmarks/peers/*.txt`, with the event
loop, tables and file format that its own documentation shows. None of them takes a session without a price: `eventstudy` turns
every aggregate into NaN, `ffjr-eventstudies` puts zero returns in and loses the return of the resumption, `easy-es` drops the
session and books the return of the whole gap against one session of the market. All three are given prices with the last close
carried through suspensions, so their numbers differ from ours there. They write abnormal returns, CARs and mean CARs with t
statistics; none has the full prediction covariance, rank or placebo tests. `easy-es` counts its estimation window in calendar
days and is given as many as hold 250 sessions; 0.1.2 is its last version for Python 3.11. It was not run beyond 1,000 events.

**Peak memory** is the largest resident set that the system reports for a process (`ru_maxrss`). What is held after the imports
includes, for all tests, `scipy.stats`, which the tests import when they are first asked for. Numerical libraries run with one
thread."""


if __name__ == "__main__":
    write_page(json.loads((BUILD / "measured.json").read_text()))
