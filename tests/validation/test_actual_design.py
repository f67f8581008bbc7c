"""The design of the first study: the specification's table E3b (`make validation`)."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from validation.actual_design import TESTS, e3b_draws, e3b_table
from validation.batches import error_of_rate
from validation.parallel import run_jobs

pytestmark = pytest.mark.validation

SIZE_DRAWS, POWER_DRAWS, CHUNK = 1_500, 500, 250
COLUMNS = ("portfolio_t", "placebo_caar", "kp_bmp", "patell")
LAST_DIGIT = 5e-5


def _misses(found: pd.DataFrame, expected: pd.Series) -> list[str]:
    """Compare one row; both sides have the same number of draws, so the error of a difference is sqrt 2 times one's."""
    count = len(found)
    error = 3 * np.sqrt(2) * found["caar"].std(ddof=1) / np.sqrt(count) + LAST_DIGIT
    missed = [] if abs(found["caar"].mean() - expected["caar_mean"]) <= error else [f"caar: {found['caar'].mean():.4f}"]
    for name in COLUMNS:
        rate = 100 * (found[name] <= 0.05).mean()
        if abs(rate - expected[name]) > 3 * np.sqrt(2) * error_of_rate(expected[name], count) + 0.3:
            missed.append(f"{name}: {rate:.1f} for {expected[name]:.1f}")
    return missed


@pytest.mark.parametrize("limits", [False, True], ids=["free", "limited"])
def test_e3b_rows_land_on_the_specification(limits: bool, capsys: pytest.CaptureFixture[str]) -> None:
    table = e3b_table()
    table = table[table["limits"] == ("yes" if limits else "no")]
    counts = {effect: POWER_DRAWS if effect else SIZE_DRAWS for effect in table["effect"]}
    jobs = [(limits, effect, CHUNK, part) for effect, count in counts.items() for part in range(count // CHUNK)]
    drawn = pd.concat(
        [frame.assign(effect=job[1]) for job, frame in zip(jobs, run_jobs(e3b_draws, jobs), strict=True)], ignore_index=True
    )
    assert (drawn["n"] == 3).all()
    assert set(TESTS) < set(COLUMNS)
    lines = [
        f"\n**E3b, price limits: {'10%' if limits else 'none'}: package (specification)**",
        f"{SIZE_DRAWS} draws, {POWER_DRAWS} in the rows with an effect.",
        "",
        "| effect | window | CAAR mean | " + " | ".join(COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 3) + "|",
    ]
    missed = {}
    for _, row in table.iterrows():
        found = drawn[(drawn["effect"] == row["effect"]) & (drawn["window_end"] == row["window_end"])]
        cells = [f"{100 * (found[name] <= 0.05).mean():.1f} ({row[name]:.1f})" for name in COLUMNS]
        mean = f"{found['caar'].mean():.4f} ({row['caar_mean']:.4f})"
        lines.append(f"| {row['effect']:.0%} | [0, {row['window_end']}] | {mean} | " + " | ".join(cells) + " |")
        if wrong := _misses(found, row):
            missed[row["effect"], row["window_end"]] = wrong
    with capsys.disabled():
        sys.stdout.write("\n".join(lines) + "\n")
    assert not missed
