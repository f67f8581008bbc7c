"""The scenarios of table E2 as designs, and the table itself."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.simulate import PanelDesign, draw_market
from validation.batches import COLUMNS, error_of_rate, rejection_rates

HERE = Path(__file__).parent
E2_DRAWS = 10_000
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


def outside(rates: dict[str, float], row: pd.Series) -> list[str]:
    """Name the columns that miss the specification's rate by more than 3 standard errors and 0.3 points."""
    return [
        f"{name}: {rates[name]:.1f} for {row[name]:.1f}"
        for name in COLUMNS
        if abs(rates[name] - row[name]) > 3 * error_of_rate(row[name], E2_DRAWS) + MARKET_PATH
    ]
