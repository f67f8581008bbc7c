"""Each test on plain arrays: the numbers of scipy and of hand computation, and a sentence for what cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_series_equal
from scipy import stats

import eventstudy as es
from eventstudy.errors import DataError

inference = es.inference
CAR = [-0.03, 0.01, -0.05, -0.02, 0.004]
COVARIANCE = 0.0001 * np.eye(5) + 0.00005
RESIDUALS = np.random.default_rng(5).normal(0, 0.02, (80, 5))


def test_every_public_name_is_there_and_documented() -> None:
    for name in inference.__all__:
        text = getattr(inference, name).__doc__
        parts = ("Parameters", "Returns", "Raises", "Examples") if name[0].islower() else ("Parameters",)
        assert all(f"{part}\n" in text for part in parts), name
        assert name in dir(inference)
    with pytest.raises(AttributeError, match="no attribute 'student_t'"):
        _ = inference.student_t


@pytest.mark.parametrize("given", [CAR, tuple(CAR), np.array(CAR), pd.Series(CAR, index=list("abcde")), pd.array(CAR, "Float64")])
def test_cross_sectional_t_is_the_one_sample_t(given: Any) -> None:
    want = stats.ttest_1samp(CAR, 0)
    found = inference.cross_sectional_t(given)
    assert (found.statistic, found.p_value) == (pytest.approx(want.statistic), pytest.approx(want.pvalue))
    assert (found.n, found.df, found.null) == (5, 4, "mean")
    assert found.p_left == pytest.approx(stats.ttest_1samp(CAR, 0, alternative="less").pvalue)


def test_bmp_and_its_adjustment_by_hand() -> None:
    plain, adjusted = inference.bmp(CAR), inference.kp_bmp(CAR, 0.2)
    assert plain.statistic == pytest.approx(stats.ttest_1samp(CAR, 0).statistic)
    assert adjusted.statistic == pytest.approx(plain.statistic * np.sqrt(0.8 / 1.8))
    assert adjusted.p_value == pytest.approx(2 * stats.t.sf(abs(adjusted.statistic), 4))
    assert inference.kp_bmp(CAR, -0.3).reason == "negative_variance"


def test_patell_and_its_adjustment_by_hand() -> None:
    scar, df = [1.0, -2.0, 0.5], [30, 50, 118]
    z = -0.5 / np.sqrt(30 / 28 + 50 / 48 + 118 / 116)
    assert inference.patell(scar, df).statistic == pytest.approx(z)
    assert inference.patell(scar, df).p_value == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert inference.kp_patell(scar, df, 0.3).statistic == pytest.approx(z / np.sqrt(1.6))
    assert inference.patell(scar, 2).reason == "too_few_df"


def test_correlation_may_be_a_number_or_come_from_residuals() -> None:
    found = inference.residual_correlation(RESIDUALS)
    pairs = np.corrcoef(RESIDUALS.T)[np.triu_indices(5, 1)]
    assert found.mean == pytest.approx(pairs.mean())
    assert inference.kp_bmp(CAR, found) == inference.kp_bmp(CAR, float(found.mean))
    apart = inference.residual_correlation(RESIDUALS, overlap=np.eye(5, dtype=bool))
    assert apart.mean == 0
    assert not inference.residual_correlation(RESIDUALS[:20]).enough


def test_portfolio_t_by_hand() -> None:
    found = inference.portfolio_t(CAR, pd.DataFrame(COVARIANCE), [100, 60, 80, 90, 70])
    t = np.mean(CAR) / np.sqrt(COVARIANCE.mean())
    assert (found.statistic, found.df) == (pytest.approx(t), 60)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(t), 60))
    assert inference.portfolio_t([], np.empty((0, 0)), []).reason == "no_firms"
    assert inference.portfolio_t([0.1, 0.2], [[1, -2], [-2, 1]], 60).reason == "negative_variance"


def test_difference_of_two_groups_by_hand() -> None:
    first = [True, True, False, False, False]
    weights = np.array([1 / 2, 1 / 2, -1 / 3, -1 / 3, -1 / 3])
    want = weights @ CAR / np.sqrt(weights @ COVARIANCE @ weights)
    assert inference.difference_t(CAR, first, COVARIANCE, 60).statistic == pytest.approx(want)


def test_crude_dependence_by_hand() -> None:
    holes = RESIDUALS.copy()
    holes[:10, 2] = np.nan
    spread = RESIDUALS[10:].mean(axis=1).std(ddof=1)
    found = inference.crude_dependence(CAR, holes, 4)
    assert (found.statistic, found.df) == (pytest.approx(np.mean(CAR) / (2 * spread)), 69)


def test_joint_tests_by_hand() -> None:
    covariance = RESIDUALS.T @ RESIDUALS / 78 * 4.2
    squared = CAR @ np.linalg.inv(covariance) @ CAR
    found = inference.hotelling(CAR, RESIDUALS, 78, 4.2)
    assert found.statistic == pytest.approx(squared * 74 / (78 * 5))
    assert found.p_value == pytest.approx(stats.f.sf(found.statistic, 5, 74))
    wald = inference.wald_joint(CAR, covariance)
    assert (wald.statistic, wald.p_value) == (pytest.approx(squared), pytest.approx(stats.chi2.sf(squared, 5)))
    alike = inference.equal_effects(CAR, RESIDUALS, 78, 4.2)
    contrast = np.eye(5)[:4] - np.eye(5)[1:]
    squared = (contrast @ CAR) @ np.linalg.inv(contrast @ covariance @ contrast.T) @ (contrast @ CAR)
    assert alike.statistic == pytest.approx(squared * 75 / (78 * 4))


def test_skewness_by_hand() -> None:
    x = np.array(CAR)
    s, g = x.mean() / x.std(ddof=1), ((x - x.mean()) ** 3).mean() / x.std(ddof=1) ** 3
    johnson = np.sqrt(5) * (s + g * s**2 / 3 + g / 30)
    assert inference.skewness_johnson(CAR).statistic == pytest.approx(johnson)
    assert inference.skewness_hall(CAR).statistic == pytest.approx(johnson + np.sqrt(5) * g**2 * s**3 / 27)


def test_wilcoxon_is_that_of_scipy() -> None:
    assert inference.wilcoxon(CAR).p_value == pytest.approx(stats.wilcoxon(CAR, method="exact").pvalue)


def test_sign_test_is_the_binomial_one_where_all_shares_are_half() -> None:
    assert inference.generalized_sign(CAR).p_value == pytest.approx(stats.binomtest(2, 5, 0.5).pvalue)


def test_rank_tests_on_complete_rows_agree_and_allow_for_a_single_session() -> None:
    event = np.linspace(-2, 2, 5)
    plain, general = inference.corrado(RESIDUALS, event), inference.corrado_zivney(RESIDUALS, event[None, :])
    assert plain.statistic == pytest.approx(general.statistic)
    ranks = stats.rankdata(np.vstack([RESIDUALS, event]), axis=0)
    deviations = (ranks - 41).mean(axis=1)
    assert plain.statistic == pytest.approx(deviations[-1] / np.sqrt((deviations**2).mean()))
    assert inference.corrado(RESIDUALS, [np.nan] * 5).reason == "incomplete_rows"


def test_generalised_rank_t_is_the_event_dummys_t() -> None:
    scar = np.array([-2.0, 0.3, -1.5, -1.0, 0.1])
    rows = np.vstack([RESIDUALS / RESIDUALS.std(), scar])
    u = (stats.rankdata(rows, axis=0) / 82 - 0.5).mean(axis=1)
    want = stats.linregress(np.arange(81) == 80, u)
    found = inference.grank_unscaled(RESIDUALS / RESIDUALS.std(), scar)
    assert (found.statistic, found.df) == (pytest.approx(want.slope / want.stderr), 79)
    assert inference.grank(RESIDUALS, scar).reason == "few_firms_rescaled"


def test_placebo_p_counts_the_event_itself() -> None:
    draws = np.arange(1, 100) / 100
    assert inference.placebo_p_value(0.95, draws) == pytest.approx(6 / 100)
    assert inference.placebo_p_value(2.0, pd.Series(draws)) == pytest.approx(1 / 100)
    assert inference.placebo_p_value(0.05, draws, "left") == pytest.approx(6 / 100)


def test_adjusted_p_values_of_scipy_and_by_hand() -> None:
    raw = pd.Series([0.01, np.nan, 0.04, 0.03], index=list("abcd"))
    assert_series_equal(inference.holm(raw), pd.Series([0.03, np.nan, 0.06, 0.06], index=list("abcd")))
    known = raw.dropna()
    want = pd.Series(stats.false_discovery_control(known), index=known.index)
    assert_series_equal(inference.benjamini_hochberg(raw).dropna(), want)
    assert inference.holm([0.5, 0.9]).tolist() == [1.0, 1.0]


def test_romano_wolf_by_hand() -> None:
    draws = pd.DataFrame([[0.5, -1.0], [-3.0, 0.2], [1.0, 2.5], [0.1, 0.1]])
    found = inference.romano_wolf(pd.Series([-2.0, 1.5], index=["a", "b"]), draws)
    # largest of both per draw: 1, 3, 2.5, 0.1; two of them reach 2. Of b alone: 1, 0.2, 2.5, 0.1; one reaches 1.5
    assert_series_equal(found, pd.Series([3 / 5, 3 / 5], index=["a", "b"]))


def test_results_read_as_a_line() -> None:
    told = repr(inference.cross_sectional_t([0.01, 0.02, 0.03]))
    assert told.startswith("cross_sectional_t: statistic 3.464, df 2, p = 0.0741")
    assert repr(inference.bmp([1.0])) == "bmp: undefined, N = 1, mean null; too_few_firms"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: inference.cross_sectional_t([0.1, np.nan]), "car: 1 of 2 values are undefined: leave these firms out"),
        (lambda: inference.cross_sectional_t(["much", 1]), "car holds something else than numbers"),
        (lambda: inference.cross_sectional_t([[0.1, 0.2]]), "car has 2 dimensions"),
        (lambda: inference.patell([1, 2, 3], [100, 100]), "df has 2 values for 3 firms"),
        (lambda: inference.kp_bmp([1, 2], 1.5), "correlation = 1.5"),
        (lambda: inference.kp_bmp([1, 2], np.nan), "correlation = nan: a mean correlation lies between"),
        (lambda: inference.portfolio_t([0.1, 0.2], [[1, 2], [3, 4]], 60), "covariance is no symmetric matrix"),
        (lambda: inference.portfolio_t([0.1, 0.2], [[1.0]], 60), "covariance has 1 columns for 2 firms"),
        (lambda: inference.difference_t([0.1, 0.2], [True, True], np.eye(2), 60), "each group has a firm"),
        (lambda: inference.crude_dependence([0.1], [[0.1]], 0), "sessions = 0"),
        (lambda: inference.hotelling([0.1], [[np.nan]], 60, 1.0), "residuals holds undefined values"),
        (lambda: inference.grank([[0.1, 0.2]], [1.0]), "residuals has 2 columns for 1 firms"),
        (lambda: inference.generalized_sign([0.1, 0.2], [0.5, 1.5]), "positive is a share"),
        (lambda: inference.placebo_p_value(0.1, []), "draws is empty"),
        (lambda: inference.placebo_p_value(0.1, [0.2], "up"), "side = 'up'"),
        (lambda: inference.holm([0.5, 1.5]), "between 0 and 1"),
        (lambda: inference.residual_correlation([0.1, 0.2]), "residuals has 1 dimensions"),
        (lambda: inference.residual_correlation(RESIDUALS, np.eye(3)), "overlap is no matrix of 5 by 5"),
    ],
)
def test_what_cannot_be_used_is_told(call: Callable[[], Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        call()
