"""Table E3b: three correlated firms, two of them suspended on the event session, with and without price limits."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy.inference.placebo import placebo_draws
from eventstudy.inference.registry import placebo_result, run_test
from eventstudy.simulate import PanelDesign, draw_panel
from eventstudy.windows import Window

HERE = Path(__file__).parent
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


def e3b_draws(limits: bool, effect: float, count: int, part: int) -> pd.DataFrame:
    """Simulate a row: one line a draw and window, with the CAAR and each test's p-value, all through the package."""
    design = e3b_design(limits, effect)
    rng = np.random.default_rng([zlib.crc32(f"{limits},{effect}".encode()), part])
    lines = []
    for _ in range(count):
        panel = draw_panel(design, rng)
        for window in WINDOWS:
            cross = panel.cross_section(window)
            caar, _ = placebo_draws(cross)
            lines.append(
                {"window_start": window[0], "window_end": window[1], "n": len(cross.firms), "caar": cross.car.mean()}
                | {name: run_test(name, cross).p_value for name in TESTS}
                | {"placebo_caar": placebo_result("placebo_caar", caar, len(cross.firms), cross.staggered).p_value}
            )
    return pd.DataFrame(lines)
