"""Sizes, power and ratios that have a formula or were published: the specification's section E1."""

from __future__ import annotations

import numpy as np
import pytest

from eventstudy.diagnostics import minimum_detectable_effect
from eventstudy.simulate import PanelDesign, draw_market
from validation.analytic import (
    CLUSTERED_SIZES,
    MACKINLAY_POWER,
    MACKINLAY_RATIOS,
    MANY,
    clustered_sizes,
    power,
    published_ratio,
    simulated_power,
    simulated_sizes,
)
from validation.batches import COLUMNS, draws
from validation.comparison import error_of_rate, misses


@pytest.mark.parametrize(("case", "expected"), MACKINLAY_POWER.items())
def test_power_function_gives_the_published_values(case: tuple[float, float, int], expected: float) -> None:
    sigma, effect, firms = case
    assert power(effect * np.sqrt(firms) / sigma) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("case", "ratio"), MACKINLAY_RATIOS.items())
def test_mean_over_its_error_gives_the_published_ratios(case: tuple[float, float], ratio: float) -> None:
    assert published_ratio(*case) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize(("case", "expected"), CLUSTERED_SIZES.items())
def test_formula_gives_the_specified_sizes(case: tuple[int, float], expected: tuple[float, float]) -> None:
    assert clustered_sizes(*case) == pytest.approx(expected, abs=0.0005)


@pytest.mark.parametrize("effect", [0.5, 0.8, 0.95])
def test_minimum_detectable_effect_inverts_the_power_function(effect: float) -> None:
    assert power(minimum_detectable_effect(1.0, MANY, power=effect)) == pytest.approx(effect, abs=1e-4)


@pytest.mark.validation
@pytest.mark.parametrize("case", MACKINLAY_POWER)
def test_patell_attains_the_power_function(case: tuple[float, float, int]) -> None:
    assert not misses({"Patell": simulated_power(*case)})


@pytest.mark.validation
def test_power_function_holds_for_estimated_panels() -> None:
    design = PanelDesign(firms=20, estimation=500, effects=((0, 0.01),))
    rng = np.random.default_rng(500)
    market = draw_market(design, rng)
    found = np.mean([COLUMNS["Patell"](draw) <= 0.05 for draw in draws(design, market, 4_000, rng)])
    assert 100 * abs(found - power(np.sqrt(20) / 2)) <= 4 * error_of_rate(60.8, 4_000) + 0.5


@pytest.mark.validation
@pytest.mark.parametrize("case", CLUSTERED_SIZES)
def test_sizes_under_equal_correlation(case: tuple[int, float]) -> None:
    """Patell and BMP over-reject as the formula says; their KP versions with the true correlation do not."""
    assert not misses(simulated_sizes(*case))
