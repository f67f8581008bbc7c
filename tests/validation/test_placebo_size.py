"""Sizes at placebo dates against those that have a formula, on one panel of 2,000 sessions (`make validation`)."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy import stats

from eventstudy.power import Shape, Trials, trials_of
from eventstudy.simulate import PanelDesign, draw_panel

pytestmark = pytest.mark.validation

SESSIONS, RHO, WINDOW = 2_000, 0.4, (0, 3)


@pytest.fixture(scope="module")
def trials() -> Trials:
    """Three firms of equal correlation, two of them suspended in the first two sessions of the event."""
    design = PanelDesign(firms=3, estimation=SESSIONS, rho=RHO, window=WINDOW, suspended=((), (0, 1), (0, 1)))
    cross = draw_panel(design, np.random.default_rng(2_000)).cross_section(WINDOW)
    shapes = [Shape(firm.listing, firm.fit, firm.day0, firm.cumulative.rows.end - firm.day0) for firm in cross.firms]
    return trials_of(shapes, WINDOW)


def told(name: str, found: float, wanted: float, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{name} at placebo dates: {found:.3f}, by formula {wanted:.3f}")


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("portfolio_t", 0.05), ("kp_patell", 0.05), ("kp_bmp", 0.05),
        ("patell", 2 * stats.norm.cdf(-1.96 / np.sqrt(1 + 2 * RHO))),
        ("bmp", 2 * stats.t.cdf(-stats.t.isf(0.025, 2) * np.sqrt((1 - RHO) / (1 + 2 * RHO)), 2)), ("wilcoxon", 0.0),
    ],
)  # fmt: skip
def test_size_is_that_of_the_formula(trials: Trials, name: str, size: float, capsys: pytest.CaptureFixture[str]) -> None:
    found = trials.trial(name).rejects(0.05)
    told(name, found, size, capsys)
    assert trials.apart == SESSIONS // 4
    assert abs(found - size) <= 3 * np.sqrt(max(size, 0.001) * (1 - size) / trials.apart)


def test_power_is_that_of_the_formula(trials: Trials, capsys: pytest.CaptureFixture[str]) -> None:
    effect = trials.detectable(0.05)
    se = 0.02 * np.sqrt(4 * (1 + 2 * RHO) / 3)
    assert effect == pytest.approx(2.80 * se, rel=0.05)  # the deviation that was drawn, and 1,998 degrees of freedom
    found = trials.power("portfolio_t", effect, 0.05)
    told("power of portfolio_t", found, 0.8, capsys)
    assert abs(found - 0.8) <= 3 * np.sqrt(0.8 * 0.2 / trials.apart)
