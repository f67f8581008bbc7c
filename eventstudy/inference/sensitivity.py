"""Placebo dates that resemble the event more, and the size of squared standardised CARs (rules C15, D9 and D10)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eventstudy.calendar import follows_closure
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.placebo import PlaceboBlocks, PlaceboDraws

AFTER_CLOSURE, FAR_MARKET, SQUARES = "placebo_caar_after_closure", "placebo_caar_far_market", "scar_squares"
FAR_SHARE = 0.25  # of the blocks, those on which the benchmark moved most
FEWEST_BLOCKS = 19  # fewer cannot give a p-value of 5%


def like_the_event(cross: CrossSection, drawn: PlaceboDraws) -> dict[str, PlaceboDraws]:
    """Return a placebo distribution over those dates only that resemble an event in a way of their own.

    ``placebo_caar_after_closure``: blocks whose event session is the first after a closure of three days or
    more. ``placebo_caar_far_market``: the quarter of the blocks over which the benchmark moved most. Empty for
    firms with differing event dates, whose blocks share no calendar date.
    """
    if cross.staggered or not len(drawn.starts):
        return {}
    first = cross.firms[0]
    closed = follows_closure(first.listing.calendar)[first.day0 + drawn.starts - cross.window[0]]
    moves = np.mean([_moves(firm.listing.benchmark, firm.day0 + drawn.starts, drawn.length) for firm in cross.firms], axis=0)
    known = np.isfinite(moves)
    far = moves >= np.quantile(moves[known], 1 - FAR_SHARE) if known.any() else known
    chosen = {AFTER_CLOSURE: closed, FAR_MARKET: far}
    return {name: replace(drawn, draws=drawn.draws[kept], starts=drawn.starts[kept]) for name, kept in chosen.items()}


def _moves(benchmark: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """Return how far the benchmark moved over each block, up or down; NaN where it has no value at an end."""
    moves: np.ndarray = np.abs(np.log(benchmark[starts + size - 1] / benchmark[starts - 1]))
    return moves


def scar_squares(blocks: PlaceboBlocks) -> PlaceboDraws:
    """Return the mean squared standardised CAR at the event and at every placebo block (rule D10).

    Near 1 where the event changed nothing; a mean effect raises it as much as a larger variance does.
    """
    squares = (blocks.scar**2).mean(axis=1)
    return replace(blocks.mean_scar(), observed=float(np.mean(blocks.cross.scar**2)), draws=squares)
