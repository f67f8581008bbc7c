"""Further regressors by session: what a portfolio or index was worth, and over which sessions that is not known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Factor:
    """One further regressor on a session grid; every array has one entry a session.

    Parameters
    ----------
    level : array of float
        Value of one unit held from the first session on; NaN where an index has no value, so that a row runs on to the
        next session that has one.
    unknown : array of int
        Number of sessions so far whose own return is not known; a row that covers one of these is left out.
    needed : bool
        Whether rows need it at all; where not, rows without it have NaN.
    """

    level: np.ndarray
    unknown: np.ndarray
    needed: bool = True

    def covers(self, start: np.ndarray | int, end: np.ndarray | int) -> np.ndarray:
        """Tell whether the return from the session `start` to the session `end` is known."""
        known: np.ndarray = np.isfinite(self.level[start]) & np.isfinite(self.level[end])
        known &= self.unknown[start] == self.unknown[end]
        return known if self.needed else np.ones_like(known)


def factor_from_returns(returns: np.ndarray) -> Factor:
    """Compound single-session returns (simple, decimal; NaN where not known) to a factor."""
    missing = ~np.isfinite(returns)
    return Factor(np.cumprod(1 + np.where(missing, 0.0, returns)), np.cumsum(missing))


def factor_from_levels(level: np.ndarray) -> Factor:
    """Take an index as it is; where it has no value, rows span the hole, as with the benchmark."""
    return Factor(level, np.zeros(len(level), dtype=int))
