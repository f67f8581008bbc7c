"""Size and power of every test: the specification's table E2 (`make validation`)."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from validation.batches import COLUMNS
from validation.parallel import run_jobs
from validation.scenarios import E2_DRAWS, e2_rates, e2_table, outside

pytestmark = pytest.mark.validation

KEYS = ["firms", "length", "scenario", "effect"]
PATHS = 5  # market paths that the draws of a row are spread over: the specification's own is not known
MORE_PATHS = 20  # for a row that misses: with 40,000 draws only the luck of the specification's own draws is left

Rates = dict[str, float]


def simulate_rows(rows: list[pd.Series], parts: range) -> list[Rates]:
    """Return the mean over the parts of each row's rates."""
    count = E2_DRAWS // PATHS
    jobs = [(*row[KEYS], count, part) for row in rows for part in parts]
    found = run_jobs(e2_rates, jobs)
    by_row = [found[first : first + len(parts)] for first in range(0, len(found), len(parts))]
    return [{name: sum(part[name] for part in group) / len(group) for name in COLUMNS} for group in by_row]


@pytest.mark.parametrize(("firms", "length"), [(3, 1), (3, 4), (10, 1), (30, 1)])
def test_e2_block_lands_on_the_specification(firms: int, length: int, capsys: pytest.CaptureFixture[str]) -> None:
    table = e2_table()
    rows = [row for _, row in table[(table["firms"] == firms) & (table["length"] == length)].iterrows()]
    rates = simulate_rows(rows, range(PATHS))
    again = [place for place, row in enumerate(rows) if outside(rates[place], row)]
    if again:
        fresh = simulate_rows([rows[place] for place in again], range(PATHS, PATHS + MORE_PATHS))
        for place, found in zip(again, fresh, strict=True):
            rates[place] = found
    with capsys.disabled():
        sys.stdout.write(e2_markdown(rows, rates, again))
    assert not {
        (row["scenario"], row["effect"]): wrong for row, found in zip(rows, rates, strict=True) if (wrong := outside(found, row))
    }


def e2_markdown(rows: list[pd.Series], rates: list[Rates], again: list[int]) -> str:
    """Write one block as a Markdown table, each cell as ``package (specification)``."""
    first = rows[0]
    left_out = [name for name in first.index if name not in COLUMNS and name not in KEYS]
    lines = [
        f"\n**E2, N={first['firms']}, L2={first['length']}, L1=120: % rejected at 5%, package (specification)**",
        f"{E2_DRAWS} draws a row, {E2_DRAWS * MORE_PATHS // PATHS} where marked *. Not compared: {', '.join(left_out) or '-'}.",
        "",
        "| scenario | effect | " + " | ".join(COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 2) + "|",
    ]
    for place, (row, found) in enumerate(zip(rows, rates, strict=True)):
        cells = [f"{found[name]:.1f} ({row[name]:.1f})" for name in COLUMNS]
        lines.append(f"| {row['scenario']}{'*' * (place in again)} | {row['effect']:.0%} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
