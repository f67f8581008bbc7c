"""The scenarios of table E2 as designs, the table itself, and the package's numbers beside it."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.simulate import PanelDesign, draw_market
from validation.batches import COLUMNS, rejection_rates
from validation.comparison import Cell, Cells, error_of_rate, misses
from validation.parallel import run_jobs

HERE = Path(__file__).parent
KEYS = ["firms", "length", "scenario", "effect"]
E2_DRAWS = 10_000
PATHS = 5  # market paths that the draws of a row are spread over: the specification's own is not known
MORE_PATHS = 20  # for a row that misses: with 40,000 draws only the luck of the specification's own draws is left
MARKET_PATH = 0.3  # points allowed for a market path other than the specification's

SCENARIOS: dict[str, dict[str, object]] = {
    "A": {},
    "B": {"shocks": "t4"},
    "C": {"event_variance": 4.0},
    "D": {"rho": 0.3},
    "E": {"rho": 0.3, "event_variance": 4.0},
    "F": {"rho": 0.3, "event_variance": 4.0, "diluted": True},
}


def e2_table() -> pd.DataFrame:
    """Return the specification's table E2, one row a cell."""
    return pd.read_csv(HERE / "e2.csv", comment="#")


def e2_block(firms: int, length: int) -> list[pd.Series]:
    """Return the rows of one number of firms and window."""
    table = e2_table()
    return [row for _, row in table[(table["firms"] == firms) & (table["length"] == length)].iterrows()]


def e2_design(firms: int, length: int, scenario: str, effect: float) -> PanelDesign:
    """Return the design of a row; an effect is spread evenly over the window."""
    effects = tuple((tau, effect / length) for tau in range(length)) if effect else ()
    return PanelDesign(firms=firms, window=(0, length - 1), effects=effects, **SCENARIOS[scenario])  # type: ignore[arg-type]


def e2_rates(firms: int, length: int, scenario: str, effect: float, count: int, part: int) -> dict[str, float]:
    """Simulate a part of one row on a market path of its own; the rows of a scenario share the paths."""
    design = e2_design(firms, length, scenario, effect)
    market = draw_market(design, np.random.default_rng([2, ord(scenario), firms, length, part]))
    seed = zlib.crc32(f"{firms},{length},{scenario},{effect}".encode())
    return rejection_rates(design, market, count, np.random.default_rng([seed, part]))


def e2_cells(rates: dict[str, float], row: pd.Series, count: int) -> Cells:
    """Set rates beside those of the specification: 3 standard errors and 0.3 points may lie between.

    With fewer draws than the specification's, the standard error is that of the fewer draws.
    """
    draws = min(count, E2_DRAWS)
    return {name: Cell(rates[name], row[name], 3 * error_of_rate(row[name], draws) + MARKET_PATH) for name in COLUMNS}


def e2_compared(rows: list[pd.Series], paths: int = PATHS, keep: Path | None = None) -> list[tuple[int, Cells]]:
    """Simulate rows; return the draws and the cells of each.

    Parameters
    ----------
    paths : int
        Market paths, of 2,000 draws each. A row that misses with all `PATHS` of them is simulated again on
        `MORE_PATHS` others, whose draws alone then count.
    """
    found = _simulated(rows, range(paths), keep)
    again = [place for place, (_, cells) in enumerate(found) if misses(cells)] if paths == PATHS else []
    fresh = _simulated([rows[place] for place in again], range(PATHS, PATHS + MORE_PATHS), keep)
    for place, other in zip(again, fresh, strict=True):
        found[place] = other
    return found


def _simulated(rows: list[pd.Series], parts: range, keep: Path | None) -> list[tuple[int, Cells]]:
    each = E2_DRAWS // PATHS
    jobs = [(*row[KEYS], each, part) for part in parts for row in rows]
    found = run_jobs(e2_rates, jobs, keep)
    together = []
    for place, row in enumerate(rows):
        own = found[place :: len(rows)]
        rates = {name: sum(part[name] for part in own) / len(own) for name in COLUMNS}
        count = each * len(own)
        together.append((count, e2_cells(rates, row, count)))
    return together
