"""Which tests may be trusted here: size and power at placebo dates, and what so many firms could find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from eventstudy.detectable import BY_COVARIANCE, BY_SPREAD
from eventstudy.report.numbers import FIXED, decimal, percent, size, window
from eventstudy.report.subjects import Reading
from eventstudy.report.wording import REASONS
from eventstudy.result import StudyResult
from eventstudy.windows import Window

KINDS = {
    BY_COVARIANCE: "noise from the estimation window: portfolio t",
    BY_SPREAD: "noise from the firms’ own spread: adjusted BMP",
}


def numbers_of_firms(table: pd.DataFrame) -> list[int]:
    """Return the numbers of firms that detectable effects are given for."""
    return sorted({int(n) for n in _like_these(table)["n"]})


def _like_these(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["scope"].str.endswith(" like these")] if len(table) else table


def _by_number(reading: Reading, test: str, bounds: Window) -> list[str]:
    """Return the smallest fall by number of firms, `none` where no such test exists."""
    table = _like_these(reading.result.detectable)
    chosen = (table["test"] == test) & (table["window_start"] == bounds[0]) & (table["window_end"] == bounds[1])
    effects = table[chosen].set_index("n")["effect"]
    return [
        "none" if pd.isna(effects[n]) else percent(reading.scale.effect(-effects[n]), 1)
        for n in numbers_of_firms(reading.result.detectable)
    ]


def power_lines(result: StudyResult) -> Iterator[str]:
    """Yield what the command line says of a design: plain text, one table by number of firms, one by test."""
    reading = Reading(result)
    plan = reading.plan
    level = f"{100 * plan.alpha:g}%"
    yield f"{reading.title}: what this design can find, before the event is looked at"
    numbers = numbers_of_firms(result.detectable)
    if numbers:
        yield ""
        yield f"Smallest fall found with probability 0.8, two-sided at {level}, by number of firms like the treated ones"
        heads = ["window", *(f"N={n}" for n in numbers)]
        for test, words in KINDS.items():
            yield f"  {words}"
            rows = [[window(bounds), *_by_number(reading, test, bounds)] for bounds in plan.windows.car]
            yield from _columns([heads, *rows])
    for group in result.trials:
        yield ""
        yield f"{reading.group_name(group)}, {window(plan.headline_window)}: {_scene(reading, group)}"
        yield from _columns([["test", "size", "power", "verdict"], *_test_lines(reading, group)], words=(0, 3))
        yield from (f"  {note}" for note in precision(reading, group))


def _scene(reading: Reading, group: str) -> str:
    table = reading.result.power
    found = table[table["group"] == group]
    if found.empty or not found["dates"].max():
        return "no placebo date at which the tests could be tried"
    dates, n = int(found["dates"].max()), int(found["n"].max())
    effect = size(reading.scale.effect(-float(found["effect"].iloc[0])))
    return f"how often the tests reject at {dates} placebo dates ({n} firms), and when a change of {effect} is added"


def _test_lines(reading: Reading, group: str) -> Iterator[list[str]]:
    table = reading.result.power
    for _, row in table[table["group"] == group].iterrows():
        remark = REASONS.get(row["reason"], row["reason"])
        said = "; ".join(part for part in (row["verdict"], remark) if part)
        yield [row["test"], *(_share(row[name]) for name in ("size", "power")), said]


def _share(value: float) -> str:
    return "" if np.isnan(value) else f"{decimal(100 * value, 1)}%"


def precision(reading: Reading, group: str) -> list[str]:
    """Tell how well the dates of a group can tell a wrong size from a right one."""
    table, alpha = reading.result.power, reading.plan.alpha
    found = table[(table["group"] == group) & (table["dates"] > 0)]
    if found.empty:
        return []
    apart = int(found["dates_apart"].max())
    margin = 2 * np.sqrt(alpha * (1 - alpha) / apart)
    low = f"between {_share(alpha - margin)} and" if alpha > margin else "of up to"
    told = (
        f"Of the {int(found['dates'].max())} dates {apart} do not overlap. Two binomial standard errors of so many are "
        f"{_share(margin)}: a size {low} {_share(alpha + margin)} cannot be told from {100 * alpha:g}%."
    )
    return [told]


def _columns(rows: Sequence[Sequence[str]], words: tuple[int, ...] = (0,)) -> Iterator[str]:
    """Yield rows as aligned columns, `words` to the left and numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(widths[place]) if place in words else cell.rjust(widths[place]) for place, cell in enumerate(row)
        ]
        yield ("    " + "  ".join(cells)).replace(FIXED, " ").rstrip()
