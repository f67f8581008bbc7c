"""Sizes and power that have a formula: the specification's section E1 (`make validation`)."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy import stats

from eventstudy.diagnostics import minimum_detectable_effect
from eventstudy.inference import parametric
from eventstudy.inference.correlation import ResidualCorrelation
from eventstudy.simulate import PanelDesign, draw_market
from validation.batches import COLUMNS, draws, error_of_rate

pytestmark = pytest.mark.validation

DRAWS = 10_000
MANY = 10**6  # degrees of freedom: the variance is as good as known

# (sigma, abnormal return, firms) -> P(reject), two decimals; specification, section E1
MACKINLAY_POWER = {
    (0.02, 0.01, 10): 0.35, (0.02, 0.01, 20): 0.61, (0.02, 0.01, 50): 0.94, (0.02, 0.005, 50): 0.42, (0.02, 0.005, 100): 0.71,
    (0.04, 0.01, 20): 0.20, (0.04, 0.01, 50): 0.42, (0.04, 0.01, 100): 0.71, (0.02, 0.02, 3): 0.41,
}  # fmt: skip

# (firms, rho) -> sizes of Patell and BMP; specification, section E1
CLUSTERED_SIZES = {
    (3, 0.3): (0.121, 0.104), (10, 0.1): (0.155, 0.154), (30, 0.02): (0.119, 0.118), (50, 0.05): (0.291, 0.297),
    (100, 0.1): (0.553, 0.570),
}  # fmt: skip
NAMES = ("Patell", "BMP", "KP-Patell", "KP-BMP")


def mackinlay(theta: float) -> float:
    """Power of a two-sided 5% test whose statistic is N(theta, 1)."""
    return float(stats.norm.cdf(-1.96 - theta) + 1 - stats.norm.cdf(1.96 - theta))


@pytest.mark.parametrize(("case", "expected"), MACKINLAY_POWER.items())
def test_power_function_gives_the_published_values_and_patell_attains_it(
    case: tuple[float, float, int], expected: float, capsys: pytest.CaptureFixture[str]
) -> None:
    sigma, effect, firms = case
    formula = mackinlay(effect * np.sqrt(firms) / sigma)
    assert formula == pytest.approx(expected, abs=0.005)
    scar = effect / sigma + np.random.default_rng([1, firms]).standard_normal((DRAWS, firms))
    rejected = np.mean([parametric.patell(row, np.full(firms, MANY)).p_value <= 0.05 for row in scar])
    with capsys.disabled():
        sys.stdout.write(f"\nMacKinlay, sigma {sigma:.0%}, AR {effect:.1%}, N={firms}: {formula:.3f}, Patell {rejected:.3f}")
    assert 100 * abs(rejected - formula) <= 4 * error_of_rate(100 * formula, DRAWS)


def test_power_function_holds_for_estimated_panels(capsys: pytest.CaptureFixture[str]) -> None:
    design = PanelDesign(firms=20, estimation=500, effects=((0, 0.01),))
    rng = np.random.default_rng(500)
    market = draw_market(design, rng)
    found = np.mean([COLUMNS["Patell"](draw) <= 0.05 for draw in draws(design, market, 4_000, rng)])
    with capsys.disabled():
        sys.stdout.write(f"\nMacKinlay, estimated: sigma 2%, AR 1%, N=20, L1=500: 0.609, Patell {found:.3f}")
    assert 100 * abs(found - mackinlay(np.sqrt(20) / 2)) <= 4 * error_of_rate(60.8, 4_000) + 0.5


@pytest.mark.parametrize("effect", [0.5, 0.8, 0.95])
def test_minimum_detectable_effect_inverts_the_power_function(effect: float) -> None:
    assert mackinlay(minimum_detectable_effect(1.0, MANY, power=effect)) == pytest.approx(effect, abs=1e-4)


@pytest.mark.parametrize(("case", "expected"), CLUSTERED_SIZES.items())
def test_sizes_under_equal_correlation(
    case: tuple[int, float], expected: tuple[float, float], capsys: pytest.CaptureFixture[str]
) -> None:
    """Patell and BMP over-reject as the formula says; their KP versions with the true correlation do not."""
    firms, rho = case
    rng = np.random.default_rng([firms, round(100 * rho)])
    scar = np.sqrt(rho) * rng.standard_normal((DRAWS, 1)) + np.sqrt(1 - rho) * rng.standard_normal((DRAWS, firms))
    correlation = ResidualCorrelation(np.full((firms, firms), rho) + (1 - rho) * np.eye(firms), rho, True)
    df = np.full(firms, MANY)
    p_values = np.array(
        [
            [
                parametric.patell(row, df).p_value, parametric.bmp(row).p_value,
                parametric.kp_patell(row, df, correlation).p_value, parametric.kp_bmp(row, correlation).p_value,
            ]
            for row in scar
        ]
    )  # fmt: skip
    rates = 100 * (p_values <= 0.05).mean(axis=0)
    target = np.array([100 * expected[0], 100 * expected[1], 5.0, 5.0])
    with capsys.disabled():
        cells = [f"{name} {rate:.1f} ({aim:.1f})" for name, rate, aim in zip(NAMES, rates, target, strict=True)]
        sys.stdout.write(f"\nEqual correlation, N={firms}, rho={rho}: {', '.join(cells)}")
    errors = np.array([error_of_rate(rate, DRAWS) for rate in target])
    assert (np.abs(rates - target) <= 4 * errors + 0.05).all()
