"""Treatments of suspensions: the specification's table E3 (`make validation`)."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from validation.batches import error_of_rate
from validation.parallel import run_jobs
from validation.suspensions import METHODS, e3_draws, e3_table, mean_errors, summary

pytestmark = pytest.mark.validation

DRAWS, CHUNK = 4_000, 1_000
EFFECTS = (0.0, -0.08)
LAST_DIGIT = {"beta_mean": 5e-4, "beta_sd": 5e-4, "sigma_mean": 5e-5, "car_mean": 5e-5, "car_sd": 5e-5}


Cell = tuple[float, str]
Numbers = dict[str, float]


def simulate(share: float, parts: range) -> dict[Cell, tuple[Numbers, Numbers]]:
    """Return the summary and the Monte-Carlo errors of every effect and method."""
    jobs = [(share, EFFECTS, METHODS, CHUNK, [3, round(100 * share), part]) for part in parts]
    draws = np.concatenate(run_jobs(e3_draws, jobs), axis=2)
    return {
        (effect, method): (summary(draws[row, column]), mean_errors(draws[row, column]))
        for row, effect in enumerate(EFFECTS)
        for column, method in enumerate(METHODS)
    }


def misses(found: Numbers, errors: Numbers, expected: pd.Series, luck: float) -> list[str]:
    """Name what lies more than 3 standard errors (and 0.3 points for a rate) from the specification.

    `luck` is the standard error of a difference over that of the package's mean.
    """
    allowed = {name: 3 * luck * error + LAST_DIGIT[name] for name, error in errors.items()}
    allowed["rejected"] = 3 * error_of_rate(expected["rejected"], DRAWS) + 0.3
    wrong = [name for name in found if abs(found[name] - expected[name]) > allowed[name]]
    return [f"{name}: {found[name]:.4f} for {expected[name]}" for name in wrong]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_e3_rows_land_on_the_specification(share: float, capsys: pytest.CaptureFixture[str]) -> None:
    table = e3_table().set_index(["share", "effect", "method"]).sort_index().loc[share]
    parts = DRAWS // CHUNK
    cells, luck = simulate(share, range(parts)), np.sqrt(2)
    again = any(misses(*cells[cell], table.loc[cell], luck) for cell in cells)
    if again:  # what is left with 4 times the draws is the luck of the specification's own draws
        cells, luck = simulate(share, range(parts, 5 * parts)), np.sqrt(1 + 4)
    with capsys.disabled():
        sys.stdout.write(e3_markdown(share, DRAWS * (4 if again else 1), cells, table))
    assert not {cell: wrong for cell in cells if (wrong := misses(*cells[cell], table.loc[cell], luck))}


def e3_markdown(share: float, count: int, cells: dict[Cell, tuple[Numbers, Numbers]], table: pd.DataFrame) -> str:
    """Write one block as a Markdown table, each cell as ``package (specification)``."""
    lines = [
        f"\n**E3, {share:.0%} of the estimation suspended, {count} draws: package (specification)**",
        "",
        "| effect | method | beta mean | beta sd | sigma mean | CAR mean | CAR sd | % rejected |",
        "|---" * 8 + "|",
    ]
    digits = {"beta_mean": 3, "beta_sd": 3, "rejected": 1}
    for (effect, method), (found, _) in cells.items():
        expected = table.loc[(effect, method)]
        numbers = [f"{found[name]:.{digits.get(name, 4)}f} ({expected[name]:.{digits.get(name, 4)}f})" for name in found]
        lines.append(f"| {effect:.0%} | {method} | " + " | ".join(numbers) + " |")
    return "\n".join(lines) + "\n"
