"""Table E3b: three correlated firms, two of them suspended on the event session, with and without price limits."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.inference.cross import CrossSection
from eventstudy.inference.deletion import delete_block
from eventstudy.inference.placebo import PlaceboDraws
from eventstudy.inference.registry import placebo_result, run_test
from eventstudy.simulate import PanelDesign, draw_panel
from eventstudy.windows import Window, length
from validation.comparison import Cell, Cells, error_of_rate
from validation.parallel import run_jobs

HERE = Path(__file__).parent
SIZE_DRAWS, POWER_DRAWS, CHUNK = 1_500, 500, 125
PARTS = SIZE_DRAWS // CHUNK
COLUMNS = ("portfolio_t", "placebo_caar", "kp_bmp", "patell")
LAST_DIGIT = 5e-5
TESTS = ("portfolio_t", "kp_bmp", "patell")
WINDOWS: tuple[Window, ...] = ((0, 2), (0, 3), (0, 5))
LIMIT = 0.10


def e3b_table() -> pd.DataFrame:
    """Return the specification's table E3b, one row a limit, effect and window."""
    return pd.read_csv(HERE / "e3b.csv", comment="#")


def e3b_design(limits: bool, effect: float) -> PanelDesign:
    """Return the design of a row."""
    return PanelDesign(
        firms=3, window=(0, 5), sigma=0.025, rho=0.4, shocks="t4", effects=((0, effect),) if effect else (),
        suspended=((), (0, 1), (0, 1)), price_limit=LIMIT if limits else None,
    )  # fmt: skip


def placebo_of_the_mean(cross: CrossSection) -> PlaceboDraws:
    """Return the placebo CAARs of firms with the same estimation rows: those of one firm with their mean errors.

    The package's deletion is linear in the errors, so that these are the draws of `placebo_draws`, a good deal faster.
    """
    first, size = cross.firms[0], length(cross.window)
    fit = replace(first.fit, errors=np.mean([firm.fit.errors for firm in cross.firms], axis=0))
    starts = np.arange(fit.rows.end[0], fit.rows.end[-1] - size + 2)
    blocks = [(int(start), int(start) + size - 1) for start in starts]
    draws = [delete_block(fit, *block).cumulative(*block, cross.window).car for block in blocks]  # type: ignore[union-attr]
    return PlaceboDraws(float(cross.car.mean()), np.array(draws), starts - first.day0, size)


def e3b_draws(limits: bool, effect: float, count: int, part: int) -> pd.DataFrame:
    """Simulate a row: one line a draw and window, with the CAAR and each test's p-value, all through the package."""
    design = e3b_design(limits, effect)
    rng = np.random.default_rng([zlib.crc32(f"{limits},{effect}".encode()), part])
    lines = []
    for _ in range(count):
        panel = draw_panel(design, rng)
        for window in WINDOWS:
            cross = panel.cross_section(window)
            caar = placebo_of_the_mean(cross)
            lines.append(
                {"window_start": window[0], "window_end": window[1], "n": len(cross.firms), "caar": cross.car.mean()}
                | {name: run_test(name, cross).p_value for name in TESTS}
                | {"placebo_caar": placebo_result("placebo_caar", caar, len(cross.firms), cross.staggered).p_value}
            )
    return pd.DataFrame(lines)


def e3b_compared(limits: bool, parts: int = PARTS, keep: Path | None = None) -> list[tuple[pd.Series, int, Cells]]:
    """Simulate the rows with or without price limits; return each row of the table with its draws and cells.

    Parameters
    ----------
    parts : int
        Parts of `CHUNK` draws a row, at most as many as make the specification's number of draws.
    """
    table = e3b_table()
    table = table[table["limits"] == ("yes" if limits else "no")]
    counts = {effect: POWER_DRAWS if effect else SIZE_DRAWS for effect in table["effect"]}
    jobs = [
        (limits, float(effect), CHUNK, part)
        for effect, count in counts.items()
        for part in range(min(parts, count // CHUNK))
    ]
    drawn = pd.concat(
        [frame.assign(effect=job[1]) for job, frame in zip(jobs, run_jobs(e3b_draws, jobs, keep), strict=True)],
        ignore_index=True,
    )
    compared = []
    for _, row in table.iterrows():
        found = drawn[(drawn["effect"] == row["effect"]) & (drawn["window_end"] == row["window_end"])]
        assert (found["n"] == 3).all()
        compared.append((row, len(found), _cells(found, row)))
    return compared


def _cells(found: pd.DataFrame, row: pd.Series) -> Cells:
    """Allow 3 standard errors of the difference between two simulations of so many draws, and 0.3 points for a rate."""
    count, luck = len(found), np.sqrt(2)
    error = found["caar"].std(ddof=1) / np.sqrt(count)
    cells = {"caar": Cell(float(found["caar"].mean()), row["caar_mean"], float(3 * luck * error + LAST_DIGIT))}
    for name in COLUMNS:
        rate = float(100 * (found[name] <= 0.05).mean())
        cells[name] = Cell(rate, row[name], float(3 * luck * error_of_rate(row[name], count) + 0.3))
    return cells
