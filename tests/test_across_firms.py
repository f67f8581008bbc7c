"""Tests across firms, each derived anew: with loops, by regression with dummies, or by fitting again."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from firms import DAY0, ESTIMATION, GAPS, MODELS, fitted, joined, section
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.multivariate.manova import MANOVA
from statsmodels.stats.multitest import multipletests

from eventstudy.abnormal import abnormal_returns, session_weights
from eventstudy.inference import joint, multiple, parametric, ranks, skewness
from eventstudy.inference.correlation import ResidualCorrelation, nearest_correlation, residual_correlation
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.deletion import delete_block
from eventstudy.inference.placebo import placebo_draws, placebo_max_draws
from eventstudy.models.benchmarks import Factors
from eventstudy.returns import trade_rows

CAR = np.array([-0.08, 0.03, -0.05, 0.01, -0.11])
SCAR = np.array([-2.1, 0.4, -1.3, 0.2, -2.9])
DF = np.array([214, 214, 118, 60, 33])


def correlation(mean: float, n: int = 5) -> ResidualCorrelation:
    return ResidualCorrelation(np.eye(n) * (1 - mean) + mean, mean, True)


def test_cross_sectional_t_is_the_one_sample_t() -> None:
    found, want = parametric.cross_sectional_t(CAR), stats.ttest_1samp(CAR, 0)
    assert_allclose([found.statistic, found.p_value, found.df], [want.statistic, want.pvalue, 4])
    assert (found.null, found.n) == ("mean", 5)


def test_patell() -> None:
    variance = 0.0
    for df in DF:
        variance += df / (df - 2)
    found, z = parametric.patell(SCAR, DF), sum(SCAR) / sqrt(variance)
    assert_allclose([found.statistic, found.p_value], [z, 2 * stats.norm.cdf(-abs(z))])
    assert (found.null, np.isnan(found.df)) == ("sharp", True)


def test_adjusted_patell_has_no_further_factor() -> None:
    z = parametric.patell(SCAR, DF).statistic / sqrt(1 + 4 * 0.3)
    assert_allclose(parametric.kp_patell(SCAR, DF, correlation(0.3)).statistic, z)


def test_bmp_has_students_distribution_with_one_less_than_the_firms() -> None:
    found, want = parametric.bmp(SCAR), stats.ttest_1samp(SCAR, 0)
    assert_allclose([found.statistic, found.p_value, found.df], [want.statistic, want.pvalue, 4])


@pytest.mark.parametrize("r", [0.3, -0.1, 0.0])
def test_adjusted_bmp(r: float) -> None:
    found = parametric.kp_bmp(SCAR, correlation(r))
    t = stats.ttest_1samp(SCAR, 0).statistic * sqrt((1 - r) / (1 + 4 * r))
    assert_allclose([found.statistic, found.p_value], [t, 2 * stats.t(4).cdf(-abs(t))])


def test_equal_cars_have_no_spread() -> None:
    """The mean of three times 0.1 is not 0.1 in binary numbers, so their standard deviation is not 0."""
    same = np.full(3, 0.1)
    assert same.std(ddof=1) > 0
    assert parametric.cross_sectional_t(same).reason == parametric.bmp(same).reason == "no_spread"
    assert parametric.kp_bmp(same, correlation(0.5, 3)).reason == "no_spread"
    assert ranks.grank(np.random.default_rng(1).normal(size=(50, 3)), same).reason == "no_spread"
    assert skewness.skewness_hall(same).reason == skewness.skewness_johnson(same).reason == "no_spread"


def test_negative_variance_of_the_mean_is_told() -> None:
    found = parametric.kp_bmp(SCAR, correlation(-0.3))
    assert (np.isnan(found.statistic), found.reason) == (True, "negative_variance")
    assert parametric.kp_patell(SCAR, DF, correlation(-0.3)).reason == "negative_variance"


def test_one_firm() -> None:
    alone = correlation(0.0, 1)
    assert parametric.cross_sectional_t(CAR[:1]).reason == parametric.bmp(SCAR[:1]).reason == "too_few_firms"
    assert parametric.kp_bmp(SCAR[:1], alone).reason == "too_few_firms"
    assert_allclose(parametric.kp_patell(SCAR[:1], DF[:1], alone).statistic, parametric.patell(SCAR[:1], DF[:1]).statistic)
    cross = section(1, (0, 3))
    found = parametric.portfolio_t(cross.car, cross.sigma, cross.df, cross.correlation, cross.shared)
    only = cross.firms[0].cumulative
    assert_allclose([found.statistic, found.p_value, found.df], [only.t, only.p_value, only.df])


def test_too_few_degrees_of_freedom_for_patell() -> None:
    assert parametric.patell(SCAR, np.array([214, 214, 118, 60, 2])).reason == "too_few_df"


def test_mean_residual_correlation_is_paired_by_session_and_pairwise() -> None:
    rng = np.random.default_rng(5)
    e = rng.normal(size=(80, 3)) + rng.normal(size=(80, 1))
    e[:30, 0], e[60:, 1] = np.nan, np.nan
    pairs = []
    for i, j in ((0, 1), (0, 2), (1, 2)):
        both = [k for k in range(80) if not np.isnan(e[k, i]) and not np.isnan(e[k, j])]
        pairs.append(np.corrcoef(e[both, i], e[both, j])[0, 1])
    found = residual_correlation(e, np.ones((3, 3), dtype=bool))
    assert_allclose(found.mean, np.mean(pairs))
    assert found.enough


def test_fewer_than_thirty_common_sessions_leave_correlated_tests_undefined() -> None:
    e = np.random.default_rng(5).normal(size=(59, 2))
    e[:30, 0], e[30:, 1] = np.nan, np.nan
    found = residual_correlation(e, np.ones((2, 2), dtype=bool))
    assert not found.enough
    two = SCAR[:2]
    results = [parametric.kp_patell(two, DF[:2], found), parametric.kp_bmp(two, found)]
    results.append(parametric.portfolio_t(CAR[:2], np.ones(2), DF[:2], found, np.eye(2)))
    assert {item.reason for item in results} == {"too_few_common_sessions"}


def test_exactly_thirty_common_sessions_are_enough() -> None:
    e = np.random.default_rng(5).normal(size=(30, 2))
    assert residual_correlation(e, np.ones((2, 2), dtype=bool)).enough


def test_pairs_whose_windows_share_no_session_count_zero() -> None:
    e = np.random.default_rng(5).normal(size=(60, 1)) + np.zeros((60, 2))
    found = residual_correlation(e, np.eye(2, dtype=bool))
    assert found.mean == 0.0


def test_a_matrix_that_is_no_correlation_is_clipped_and_told() -> None:
    bad = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    mended, clipped = nearest_correlation(bad)
    assert clipped
    assert np.linalg.eigvalsh(mended)[0] > -1e-12
    assert_allclose(np.diag(mended), 1)
    found = parametric.portfolio_t(CAR[:3], np.ones(3), DF[:3], ResidualCorrelation(bad, 0.3, True), np.ones((3, 3)))
    assert found.reason == "correlation_clipped"


def portfolio_by_dummies(cross: CrossSection, count: int) -> object:
    """t of the equal-weighted portfolio's dummies, by OLS."""
    made = [trade_rows(part.listing) for part in cross.firms]
    first = DAY0 + cross.window[0]
    both = [joined(rows, first, first + count - 1)[0] for rows in made]
    mean = np.mean([rows.ret for rows in both], axis=0)
    x = np.column_stack([np.ones(len(mean)), both[0].mkt, np.eye(len(mean))[:, -count:]])
    return sm.OLS(mean, x).fit().t_test(np.r_[0, 0, np.ones(count)])


@pytest.mark.parametrize("count", [1, 4])
def test_portfolio_t_is_the_dummy_t_of_the_equal_weighted_portfolio(count: int) -> None:
    cross = section(3, (0, count - 1))
    found = parametric.portfolio_t(cross.car, cross.sigma, cross.df, cross.correlation, cross.shared)
    want = portfolio_by_dummies(cross, count)
    assert_allclose([found.statistic, found.p_value, found.df], [want.tvalue[0, 0], want.pvalue, 118])  # type: ignore[attr-defined]


def test_portfolio_variance_with_different_suspensions_by_loops() -> None:
    away = {1: (20, 21, 22, 131), 2: (22, 23, 60), 3: ()}
    cross = section(3, (0, 3), away)
    w = [session_weights(part.fit, part.cumulative, DAY0, 150) for part in cross.firms]
    r = residual_correlation(cross.residuals, np.ones((3, 3), dtype=bool)).matrix
    total = 0.0
    for i in range(3):
        for j in range(3):
            shared = sum(a * b for a, b in zip(w[i], w[j], strict=True))
            total += r[i, j] * cross.firms[i].fit.sigma * cross.firms[j].fit.sigma * shared
    found = parametric.portfolio_t(cross.car, cross.sigma, cross.df, cross.correlation, cross.shared)
    assert_allclose(found.statistic, cross.car.mean() / sqrt(total / 9))
    assert found.df == min(part.fit.df_resid for part in cross.firms)


def test_equal_effects_is_the_multivariate_f_of_an_event_dummy() -> None:
    cross = section(3, (0, 0))
    both = [joined(trade_rows(part.listing), DAY0, DAY0)[0] for part in cross.firms]
    y = np.column_stack([rows.ret for rows in both])
    x = np.column_stack([np.ones(len(y)), both[0].mkt, np.eye(len(y))[:, -1]])
    alike = np.array([[1.0, 0], [-1, 1], [0, -1]])  # differences of neighbours
    table = MANOVA(y, x).mv_test([("dummy", np.array([[0.0, 0, 1]]), alike)]).results["dummy"]["stat"]
    errors = np.column_stack([part.fit.errors for part in cross.firms])
    covariance = joint.exact_covariance(errors, 118, cross.firms[0].cumulative.variance_factor)
    found = joint.equal_effects(cross.car, covariance, 118)
    assert_allclose([found.statistic, found.p_value], table.loc["Wilks' lambda", ["F Value", "Pr > F"]].astype(float))
    assert found.df == 117


def test_equal_effects_of_two_firms_is_the_squared_t_of_their_difference() -> None:
    cross = section(2, (0, 3))
    errors = np.column_stack([part.fit.errors for part in cross.firms])
    gap = errors[:, 0] - errors[:, 1]
    t = (cross.car[0] - cross.car[1]) / sqrt((gap @ gap) / 118 * cross.firms[0].cumulative.variance_factor)
    found = joint.equal_effects(cross.car, cross.exact_covariance, 118)
    assert_allclose([found.statistic, found.p_value], [t**2, 2 * stats.t(118).cdf(-abs(t))])


@pytest.mark.parametrize("p", [[0.04, 0.01, 0.03], [0.5, 0.9, 0.2, 0.02], [0.7], [0.03, 0.03]])
def test_holm(p: list[float]) -> None:
    assert_allclose(multiple.holm(np.array(p)), multipletests(p, method="holm")[1])


@pytest.mark.parametrize("away", [(), GAPS], ids=["complete", "suspensions"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_deletion_in_closed_form_equals_fitting_again(model, away: tuple[int, ...]) -> None:
    _, _, fit = fitted(away=away, model=model)
    compared = 0
    for lo in range(10, 110, 7):
        deleted = delete_block(fit, lo, lo + 3)
        out = (fit.rows.end - fit.rows.span + 1 >= lo) & (fit.rows.end <= lo + 3)
        if fit.rows.span[out].sum() != 4:
            assert deleted is None
            continue
        again = model.fit(fit.rows.take(~out))
        errors = abnormal_returns(again, fit.rows.take(out))
        assert_allclose(deleted.fit.params, again.params, rtol=1e-9)
        assert_allclose([deleted.fit.sigma, deleted.fit.df_resid], [again.sigma, again.df_resid])
        assert_allclose(deleted.errors, errors.ar, rtol=1e-8, atol=1e-14)
        assert_allclose(deleted.fit.errors, again.errors, rtol=1e-8, atol=1e-14)
        compared += 1
    assert compared > 5


def test_a_block_that_alone_tells_a_parameter_cannot_be_deleted() -> None:
    """A factor that is 0 outside two sessions: without them its coefficient is not to be had."""
    _, rows, _ = fitted()
    factors = {"short": np.where(np.isin(rows.end, (50, 51)), 0.01, 0.0), "mkt": rows.mkt}
    sample = replace(rows, factors=factors).inside(*ESTIMATION)
    fit = Factors(("mkt", "short")).fit(sample)
    assert delete_block(fit, 49, 52) is None
    again = Factors(("mkt", "short")).fit(sample.take(sample.end != 50))
    assert_allclose(delete_block(fit, 50, 50).fit.params, again.params, rtol=1e-8)


def brute_blocks(cross: CrossSection, size: int) -> list[tuple[float, float]]:
    """(mean CAR, mean SCAR) of every block, each firm fitted again without it by least squares."""
    found = []
    for lo in range(ESTIMATION[0], ESTIMATION[1] - size + 2):
        cars, scars = [], []
        for part in cross.firms:
            rows = part.fit.rows
            out = [k for k in range(len(rows)) if rows.end[k] - rows.span[k] + 1 >= lo and rows.end[k] <= lo + size - 1]
            kept = [k for k in range(len(rows)) if k not in out]
            if rows.span[out].sum() != size:
                break
            root = np.sqrt(rows.span[kept])
            z = np.column_stack([rows.span[kept], rows.mkt[kept]]) / root[:, None]
            theta, ssr, *_ = np.linalg.lstsq(z, rows.ret[kept] / root, rcond=None)
            x = np.array([size, rows.mkt[out].sum()])
            cars.append(rows.ret[out].sum() - x @ theta)
            scars.append(cars[-1] / sqrt(ssr[0] / (len(kept) - 2) * (size + x @ np.linalg.inv(z.T @ z) @ x)))
        if len(cars) == len(cross.firms):
            found.append((float(np.mean(cars)), float(np.mean(scars))))
    return found


@pytest.mark.parametrize("away", [{}, {1: (20, 21, 22, 131), 2: (22, 23, 60)}], ids=["complete", "suspensions"])
def test_placebo_blocks_by_brute_force(away: dict[int, tuple[int, ...]]) -> None:
    cross = section(3, (0, 3), away)
    car, scar = placebo_draws(cross)
    want = np.array(brute_blocks(cross, 4))
    assert_allclose(car.draws, want[:, 0], rtol=1e-9)
    assert_allclose(scar.draws, want[:, 1], rtol=1e-9)
    beyond = sum(abs(value) >= abs(cross.car.mean()) for value in want[:, 0])
    assert car.p_value() == (1 + beyond) / (1 + len(want))
    assert car.p_value("left") == (1 + sum(value <= cross.car.mean() for value in want[:, 0])) / (1 + len(want))
    assert car.floor == 1 / (1 + len(want))


def test_complete_data_have_as_many_blocks_as_starts() -> None:
    draws = placebo_draws(section(2, (0, 3)))[0]
    assert len(draws.draws) == 120 - 4 + 1
    assert (draws.starts[0], draws.starts[-1]) == (ESTIMATION[0] - DAY0, ESTIMATION[1] - 3 - DAY0)


def test_blocks_apart_do_not_overlap() -> None:
    apart = placebo_draws(section(2, (0, 3)))[0].apart()
    assert (np.diff(np.sort(apart.starts)) >= 4).all()
    assert len(apart.draws) == 30


def test_placebo_max_by_dummies() -> None:
    windows = [(0, 0), (0, 2)]
    sections = [section(2, window) for window in windows]
    rows = [trade_rows(part.listing).inside(*ESTIMATION) for part in sections[0].firms]
    mean = np.mean([one.ret for one in rows], axis=0)
    draws = []
    for lo in range(len(mean) - 2):
        x = np.column_stack([np.ones(len(mean)), rows[0].mkt, np.eye(len(mean))[:, lo : lo + 3]])
        ols = sm.OLS(mean, x).fit()
        draws.append(max(abs(ols.t_test(c).tvalue[0, 0]) for c in ([0, 0, 1, 0, 0], [0, 0, 1, 1, 1])))
    observed = max(abs(portfolio_by_dummies(cross, cross.window[1] + 1).tvalue[0, 0]) for cross in sections)  # type: ignore[attr-defined]
    found = placebo_max_draws(sections)
    assert_allclose(found.observed, observed)
    assert_allclose(found.draws, draws, rtol=1e-8)
    assert found.p_value() == (1 + sum(draw >= observed for draw in draws)) / (1 + len(draws))
