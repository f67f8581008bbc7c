"""Sizes, power and ratios that have a formula or were published: the specification's section E1."""

from __future__ import annotations

import numpy as np
from scipy import stats

from eventstudy.inference import parametric
from eventstudy.inference.correlation import ResidualCorrelation
from validation.comparison import Cell, Cells, error_of_rate

DRAWS = 10_000
MANY = 10**6  # degrees of freedom: the variance is as good as known

# (sigma, abnormal return, firms) -> P(reject), two decimals
MACKINLAY_POWER = {
    (0.02, 0.01, 10): 0.35, (0.02, 0.01, 20): 0.61, (0.02, 0.01, 50): 0.94, (0.02, 0.005, 50): 0.42, (0.02, 0.005, 100): 0.71,
    (0.04, 0.01, 20): 0.20, (0.04, 0.01, 50): 0.42, (0.04, 0.01, 100): 0.71, (0.02, 0.02, 3): 0.41,
}  # fmt: skip

# mean abnormal return of day 0 and its standard error in per cent -> their ratio, of good, bad and no news
MACKINLAY_RATIOS = {(0.965, 0.104): 9.28, (-0.679, 0.098): -6.93, (-0.091, 0.098): -0.93}

# (firms, rho) -> sizes of Patell and BMP
CLUSTERED_SIZES = {
    (3, 0.3): (0.121, 0.104), (10, 0.1): (0.155, 0.154), (30, 0.02): (0.119, 0.118), (50, 0.05): (0.291, 0.297),
    (100, 0.1): (0.553, 0.570),
}  # fmt: skip
NAMES = ("Patell", "BMP t(N-1)", "KP-Patell", "KP-BMP t(N-1)")


def power(theta: float) -> float:
    """Power of a two-sided 5% test whose statistic is N(theta, 1)."""
    return float(stats.norm.cdf(-1.96 - theta) + 1 - stats.norm.cdf(1.96 - theta))


def clustered_sizes(firms: int, rho: float) -> tuple[float, float]:
    """Sizes of Patell and BMP at 5% where normal errors are equally correlated and the tests take them for independent."""
    spread, t = 1 + (firms - 1) * rho, stats.t(firms - 1)
    return float(2 * stats.norm.cdf(-1.96 / np.sqrt(spread))), float(2 * t.cdf(t.ppf(0.025) * np.sqrt((1 - rho) / spread)))


def simulated_power(sigma: float, effect: float, firms: int) -> Cell:
    """Patell's power with known variances beside the formula's, in per cent; 4 standard errors may lie between."""
    scar = effect / sigma + np.random.default_rng([1, firms]).standard_normal((DRAWS, firms))
    found = 100 * np.mean([parametric.patell(row, np.full(firms, MANY)).p_value <= 0.05 for row in scar])
    formula = 100 * power(effect * np.sqrt(firms) / sigma)
    return Cell(float(found), formula, 4 * error_of_rate(formula, DRAWS))


def simulated_sizes(firms: int, rho: float) -> Cells:
    """Sizes under equal correlation beside the formula's, in per cent; the KP tests know the true correlation: 5%."""
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
    targets = [*(100 * size for size in CLUSTERED_SIZES[firms, rho]), 5.0, 5.0]
    return {
        name: Cell(float(rate), target, 4 * error_of_rate(target, DRAWS) + 0.05)
        for name, rate, target in zip(NAMES, rates, targets, strict=True)
    }


def published_ratio(mean: float, se: float) -> float:
    """Return the package's statistic of 30 independent firms with this mean and this standard error of the mean."""
    n = 30
    car = mean + np.linspace(-1, 1, n)
    alone = ResidualCorrelation(np.eye(n), 0.0, True)
    return parametric.portfolio_t(car, np.full(n, se * np.sqrt(n)), np.full(n, MANY), alone, np.eye(n)).statistic
