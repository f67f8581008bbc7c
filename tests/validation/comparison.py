"""A number of the specification beside the package's, and how far apart the two may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cell:
    """One number of a table: what the package gives, what is specified, and the tolerance."""

    found: float
    specified: float
    allowed: float

    @property
    def outside(self) -> bool:
        """Whether the two are further apart than allowed."""
        return not abs(self.found - self.specified) <= self.allowed + 1e-9


Cells = dict[str, Cell]


def misses(cells: Cells) -> list[str]:
    """Say which numbers are further from the specification than allowed."""
    return [
        f"{name}: {cell.found:.4g} for {cell.specified:.4g}, allowed {cell.allowed:.2g}"
        for name, cell in cells.items()
        if cell.outside
    ]


def error_of_rate(percent: float, count: int) -> float:
    """Monte-Carlo standard error of a percentage, in points; never less than that of 1 draw in `count`."""
    share = min(max(percent / 100, 1 / count), 1 - 1 / count)
    return float(100 * np.sqrt(share * (1 - share) / count))
