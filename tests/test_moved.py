"""All placebo blocks at once against one cross-section after the other, each with fits of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from firms import DAY0, firm, section
from numpy.testing import assert_allclose

from eventstudy.inference import moved, placebo
from eventstudy.inference.correlation import residual_correlations
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.deletion import delete_block
from eventstudy.inference.parametric import portfolio_statistic
from eventstudy.windows import Window, length

PATTERNS: dict[str, dict[int, tuple[int, ...]]] = {
    "complete": {},
    "one firm away": {2: (40, 41)},
    "firms away at different times": {1: (20, 21, 22, 131), 2: (22, 23, 60)},
    "away together": {1: (50,), 2: (50,), 3: (50,)},
}


def at_block(cross: CrossSection, start: int, size: int) -> CrossSection | None:
    """The cross-section with fits of its own without a block, its window the first sessions of the block."""
    firms = []
    for part in cross.firms:
        lo = part.day0 + start
        deletion = delete_block(part.fit, lo, lo + size - 1)
        found = deletion.cumulative(lo, lo + length(cross.window) - 1, cross.window) if deletion else None
        if found is None:
            return None
        firms.append(FirmCar(part.listing, deletion.fit, lo - cross.window[0], found))
    return CrossSection(cross.window, tuple(firms))


def every_block(cross: CrossSection, size: int) -> dict[int, CrossSection]:
    found = {start: at_block(cross, start, size) for start in range(-DAY0, 0)}
    return {start: made for start, made in found.items() if made is not None}


@pytest.mark.parametrize("window", [(0, 0), (0, 3), (-2, 8)])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_blocks_at_once_are_those_of_sections_one_by_one(pattern: str, window: Window) -> None:
    cross = section(3, window, PATTERNS[pattern])
    cross = CrossSection(window, tuple(part for part in cross.firms if not part.cumulative.reason))
    want = every_block(cross, length(window))
    found = placebo.placebo_blocks(cross)
    assert moved.moves_at_once(cross)
    assert found.starts.tolist() == list(want)
    assert_allclose(found.car, [made.car for made in want.values()], rtol=1e-12, atol=1e-15)
    assert_allclose(found.scar, [made.scar for made in want.values()], rtol=1e-12)
    joint = [placebo.joint_t_squared(made) for made in want.values()]
    assert_allclose(found.t_squared, joint, rtol=1e-11)
    assert np.isfinite(joint).all()


def test_a_block_that_holds_all_that_firms_do_not_share_leaves_them_the_same_rows() -> None:
    cross = section(2, (0, 3), PATTERNS["one firm away"])
    same = {start for start, made in every_block(cross, 4).items() if made.same_rows}
    assert {start + DAY0 for start in same} == {39, 40}  # the row that ends in 42 covers 40 to 42
    left = placebo._remainder(cross.firms, 4)
    sections = moved.MovedSections(cross, left[1])
    assert set(left[0][sections.same_rows]) == same


@pytest.mark.parametrize("pattern", PATTERNS)
def test_largest_t_at_once(pattern: str) -> None:
    windows = [(0, 0), (0, 2), (0, 5)]
    sections = [section(3, window, PATTERNS[pattern]) for window in windows]
    sections = [
        CrossSection(cross.window, tuple(part for part in cross.firms if not part.cumulative.reason)) for cross in sections
    ]
    found = placebo.placebo_max_draws(sections)
    want = {}
    for start in range(-DAY0, 0):
        made = [at_block(cross, start, 6) for cross in sections]
        if all(made):
            want[start] = max(abs(portfolio_statistic(one.car, one.sigma, one.correlation, one.shared)) for one in made)
    assert found.starts.tolist() == list(want)
    assert_allclose(found.draws, list(want.values()), rtol=1e-11)


@pytest.mark.parametrize("later", [(0, 2, 2), (0, 1, 9)])
def test_firms_with_dates_of_their_own(later: tuple[int, ...]) -> None:
    firms = [firm(seed, (0, 3), day0=DAY0 + by, away=(30 * seed,)) for seed, by in zip((1, 2, 3), later, strict=True)]
    cross = CrossSection((0, 3), tuple(firms))
    assert cross.staggered
    assert moved.moves_at_once(cross)
    assert cross.overlap.all() == (later[2] < 4)
    want = every_block(cross, 4)
    found = placebo.placebo_blocks(cross)
    assert found.starts.tolist() == list(want)
    assert_allclose(found.t_squared, [placebo.joint_t_squared(made) for made in want.values()], rtol=1e-11)
    largest = [abs(portfolio_statistic(made.car, made.sigma, made.correlation, made.shared)) for made in want.values()]
    assert_allclose(placebo.placebo_max_draws([cross]).draws, largest, rtol=1e-11)


def test_parts_of_the_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cross = section(3, (0, 3), PATTERNS["firms away at different times"])
    whole = placebo.placebo_blocks(cross)
    monkeypatch.setattr(moved, "NUMBERS_AT_ONCE", 3 * 150 * 10)
    assert_allclose(placebo.placebo_blocks(cross).t_squared, whole.t_squared, rtol=1e-13)


def test_correlations_of_many_blocks_are_those_of_pandas_over_common_sessions() -> None:
    rng = np.random.default_rng(8)
    residuals = rng.standard_normal((12, 60, 4)) * 0.02
    residuals[rng.random(residuals.shape) < 0.3] = np.nan
    residuals[3, :, 1] = residuals[4, 20:, 2] = np.nan  # a firm without any residual, and one with too few
    found = residual_correlations(residuals)
    for block, ours in zip(residuals, found, strict=True):
        theirs = pd.DataFrame(block).corr(min_periods=30).to_numpy(copy=True)
        np.fill_diagonal(theirs, 1.0)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert np.isnan(found[3, 1, 0])
    assert np.isnan(found[4, 2, 3])
