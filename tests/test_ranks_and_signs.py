"""Rank, sign, signed-rank, skewness and joint tests, each derived anew: loops, scipy, statsmodels, enumeration."""

from __future__ import annotations

from itertools import product
from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from firms import CALENDAR, DAY0, firm, fitted, joined, section
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.multivariate.manova import MANOVA

from eventstudy.abnormal import abnormal_returns
from eventstudy.inference import joint, multiple, parametric, ranks, signs, skewness
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.registry import CLOSED_FORM, run_test
from eventstudy.returns import trade_rows

CAR = np.array([-0.08, 0.03, -0.05, 0.01, -0.11])
JOINT = ("hotelling", "wald_joint", "equal_effects")
AWAY = {1: (20, 21, 22, 132), 2: (22, 23, 60)}


def rank_in(column: list[float], value: float) -> float:
    """Average rank, by counting."""
    known = [other for other in column if not np.isnan(other)]
    return sum(other < value for other in known) + (sum(other == value for other in known) + 1) / 2


def rows_by_hand(cross: CrossSection) -> list[dict[int, float]]:
    """Scaled errors of each firm by the session in which a row ends: estimation rows, then those of the window."""
    found = []
    for part in cross.firms:
        rows, fit = trade_rows(part.listing), part.fit
        event = rows.inside(part.day0 + cross.window[0], part.day0 + cross.window[1])
        own = {}
        for some in (fit.rows, event):
            for k in range(len(some)):
                expected = fit.params[0] * some.span[k] + fit.params[1] * some.mkt[k]
                own[int(some.end[k]) - part.day0] = (some.ret[k] - expected) / (fit.sigma * sqrt(some.span[k]))
        found.append(own)
    return found


def corrado_zivney_by_hand(cross: CrossSection) -> float:
    rows = rows_by_hand(cross)
    taus = sorted(set().union(*rows))
    deviations = {}
    for tau in taus:
        terms = [rank_in(list(own.values()), own[tau]) / (len(own) + 1) - 0.5 for own in rows if tau in own]
        deviations[tau] = sum(terms) / sqrt(len(terms))
    inside = [value for tau, value in deviations.items() if cross.window[0] <= tau <= cross.window[1]]
    return sum(inside) / sqrt(len(inside)) / sqrt(sum(value**2 for value in deviations.values()) / len(taus))


@pytest.mark.parametrize("window", [(0, 0), (0, 3), (-2, 5)])
def test_corrado_by_loops(window: tuple[int, int]) -> None:
    cross = section(4, window)
    rows = rows_by_hand(cross)
    count = len(rows[0])
    mean = {tau: sum(rank_in(list(own.values()), own[tau]) - (count + 1) / 2 for own in rows) / 4 for tau in rows[0]}
    inside = [value for tau, value in mean.items() if window[0] <= tau <= window[1]]
    z = sum(inside) / sqrt(len(inside)) / sqrt(sum(value**2 for value in mean.values()) / count)
    found = run_test("corrado", cross)
    assert_allclose([found.statistic, found.p_value, found.p_left], [z, 2 * stats.norm.sf(abs(z)), stats.norm.cdf(z)])
    assert count == 120 + len(inside)


@pytest.mark.parametrize("away", [{}, AWAY], ids=["complete", "suspensions"])
def test_corrado_and_zivney_by_loops(away: dict[int, tuple[int, ...]]) -> None:
    cross = section(4, (0, 3), away)
    assert_allclose(run_test("corrado_zivney", cross).statistic, corrado_zivney_by_hand(cross))


def test_corrado_needs_every_row() -> None:
    found = run_test("corrado", section(4, (0, 3), AWAY))
    assert (np.isnan(found.statistic), found.reason) == (True, "incomplete_rows")


def test_a_session_masked_for_all_is_no_hole_and_one_masked_for_some_is() -> None:
    masked = np.zeros(len(CALENDAR.sessions), dtype=bool)
    masked[40:44] = True
    parts = []
    for part in section(3, (0, 3)).firms:
        fit = part.fit.model.fit(part.fit.rows.without(masked))
        parts.append(type(part)(part.listing, fit, DAY0, part.cumulative, masked))
    assert run_test("corrado", CrossSection((0, 3), tuple(parts))).reason == ""
    some = (section(3, (0, 3)).firms[0], *parts[1:])
    assert run_test("corrado", CrossSection((0, 3), some)).reason == "incomplete_rows"


def grank_by_dummy(cross: CrossSection, event: np.ndarray) -> tuple[float, float, int]:
    """Regress the mean ranks on a constant and a dummy for the event row: complete data only (S9)."""
    errors = np.vstack([np.column_stack([part.fit.errors / part.fit.sigma for part in cross.firms]), event])
    mean = (stats.rankdata(errors, axis=0) / (len(errors) + 1) - 0.5).mean(axis=1)
    dummy = np.zeros(len(mean))
    dummy[-1] = 1
    ols = sm.OLS(mean, sm.add_constant(dummy)).fit()
    return float(ols.tvalues[1]), float(ols.pvalues[1]), int(ols.df_resid)


def test_generalised_rank_t_is_the_t_of_an_event_dummy() -> None:
    cross = section(4, (0, 3))
    spread = sqrt(sum((value - cross.scar.mean()) ** 2 for value in cross.scar) / 3)
    for name, event in {"grank": cross.scar / spread, "grank_unscaled": cross.scar}.items():
        found = run_test(name, cross)
        assert_allclose([found.statistic, found.p_value, found.df], grank_by_dummy(cross, event), err_msg=name)


def test_generalised_rank_t_with_suspensions_by_loops() -> None:
    cross = section(4, (0, 3), AWAY)
    columns = []
    for part, scar in zip(cross.firms, cross.scar, strict=True):
        single = part.fit.rows.span == 1
        own = dict(zip(part.fit.rows.end[single].tolist(), part.fit.errors[single] / part.fit.sigma, strict=True))
        columns.append(own | {999: scar})
    ends = sorted(set().union(*columns))
    total, square = 0.0, {}
    for end in ends:
        u = [rank_in(list(own.values()), own[end]) / (len(own) + 1) - 0.5 for own in columns if end in own]
        square[end] = len(u) / 4 * (sum(u) / len(u)) ** 2
        total = sum(u) / len(u)
    z = total / sqrt(sum(square.values()) / len(ends))
    found = run_test("grank_unscaled", cross)
    assert_allclose(found.statistic, z * sqrt((len(ends) - 2) / (len(ends) - 1 - z**2)))
    assert found.df == len(ends) - 2


def test_rescaled_ranks_are_flagged_below_ten_firms() -> None:
    errors = np.random.default_rng(1).normal(size=(60, 10))
    scar = np.linspace(-2, 1, 10)
    assert ranks.grank(errors, scar).reason == ""
    assert ranks.grank(errors[:, :9], scar[:9]).reason == "few_firms_rescaled"
    assert ranks.grank(errors[:, :1], scar[:1]).reason == "too_few_firms"
    assert ranks.grank_unscaled(errors[:, :9], scar[:9]).reason == ""


@pytest.mark.parametrize("car", [CAR, -CAR, CAR + 0.2, CAR[:3]], ids=str)
def test_sign_test_with_equal_shares_is_binomial(car: np.ndarray) -> None:
    n = len(car)
    for share in (0.5, 0.42):
        found, want = signs.generalized_sign(car, np.full(n, share)), stats.binomtest(int((car > 0).sum()), n, share)
        left = stats.binomtest(int((car > 0).sum()), n, share, alternative="less")
        assert_allclose([found.p_value, found.p_left], [want.pvalue, left.pvalue])
        assert_allclose(found.statistic, ((car > 0).sum() - n * share) / sqrt(n * share * (1 - share)))


def test_sign_test_with_unequal_shares_by_enumeration() -> None:
    shares = np.array([0.4, 0.45, 0.52, 0.61])
    chance = np.zeros(5)
    for outcome in product([0, 1], repeat=4):
        chance[sum(outcome)] += np.prod([p if won else 1 - p for won, p in zip(outcome, shares, strict=True)])
    for count in range(5):
        car = np.where(np.arange(4) < count, 0.01, -0.01)
        found = signs.generalized_sign(car, shares)
        assert_allclose(found.p_value, chance[chance <= chance[count] * (1 + 1e-9)].sum())
        assert_allclose([found.p_left, found.p_right], [chance[: count + 1].sum(), chance[count:].sum()])
    assert_allclose(found.floor, chance.min())


def test_sign_test_of_thirty_firms_is_normal_and_that_of_twenty_nine_exact() -> None:
    car = np.where(np.arange(30) < 9, 0.01, -0.01)
    many, fewer = signs.generalized_sign(car, np.full(30, 0.48)), signs.generalized_sign(car[:29], np.full(29, 0.48))
    z = (9 - 30 * 0.48) / sqrt(30 * 0.48 * 0.52)
    assert_allclose([many.statistic, many.p_value], [z, 2 * stats.norm.cdf(z)])
    assert_allclose(fewer.p_value, stats.binomtest(9, 29, 0.48).pvalue)
    assert np.isnan(many.floor)


def test_a_car_of_zero_is_not_positive() -> None:
    assert signs.generalized_sign(np.array([0.0, 0.1]), np.full(2, 0.5)).statistic == 0.0


@pytest.mark.parametrize("n", [1, 2, 3, 8, 15])
def test_wilcoxon_is_scipys_exact_one(n: int) -> None:
    car = np.random.default_rng(n).normal(-0.02, 0.05, n)
    found = signs.wilcoxon(car)
    for side, p in {"two-sided": found.p_value, "less": found.p_left, "greater": found.p_right}.items():
        assert_allclose(p, stats.wilcoxon(car, alternative=side, method="exact").pvalue, err_msg=side)
    assert found.statistic == stats.wilcoxon(car, alternative="greater").statistic
    assert_allclose(found.floor, 2 / 2**n)


@pytest.mark.parametrize("n", [16, 40])
def test_wilcoxon_of_many_firms_is_scipys_normal_one(n: int) -> None:
    car = np.round(np.random.default_rng(n).normal(-0.02, 0.05, n), 2)  # with ties
    car = car[car != 0]
    want = stats.wilcoxon(car, method="approx", correction=False)
    if len(car) > 15:
        assert_allclose(signs.wilcoxon(car).p_value, want.pvalue)


def test_wilcoxon_with_ties_by_enumeration() -> None:
    car = np.array([-0.02, 0.02, -0.01, 0.03, -0.03])
    ranked = [2.5, 2.5, 1, 4.5, 4.5]
    sums = [sum(rank for rank, up in zip(ranked, outcome, strict=True) if up) for outcome in product([0, 1], repeat=5)]
    found = signs.wilcoxon(car)
    assert found.statistic == 7.0
    assert_allclose(found.p_value, np.mean([abs(value - 7.5) >= 0.5 for value in sums]))


def test_three_firms_cannot_reject_by_signs_and_it_is_said() -> None:
    down = np.array([-0.1, -0.2, -0.3])
    found = signs.wilcoxon(down)
    assert (found.p_value, found.floor, found.reason) == (0.25, 0.25, "cannot_reject")
    found = signs.generalized_sign(down, np.full(3, 0.5))
    assert (found.p_value, found.floor, found.reason) == (0.25, 0.25, "cannot_reject")
    assert signs.wilcoxon(np.full(6, -0.1) * np.arange(1, 7)).reason == ""


def test_crude_dependence_is_the_t_of_the_mean_residual() -> None:
    cross = section(3, (0, 3), AWAY)
    by_session = [dict(zip(part.fit.rows.end[part.fit.rows.span == 1], part.fit.errors[part.fit.rows.span == 1], strict=True))
                  for part in cross.firms]  # fmt: skip
    common = sorted(set(by_session[0]) & set(by_session[1]) & set(by_session[2]))
    means = [sum(own[end] for own in by_session) / 3 for end in common]
    t = cross.car.mean() / (2 * np.std(means, ddof=1))
    found = run_test("crude_dependence", cross)
    assert_allclose([found.statistic, found.df], [t, len(common) - 1])
    assert_allclose(found.p_value, 2 * stats.t.cdf(-abs(t), len(common) - 1))


@pytest.mark.parametrize("car", [CAR, CAR**2, np.array([0.01, -0.2, 0.05])], ids=str)
def test_skewness_adjusted_t(car: np.ndarray) -> None:
    n = len(car)
    s = stats.ttest_1samp(car, 0).statistic / sqrt(n)
    g = stats.skew(car) * ((n - 1) / n) ** 1.5  # third moment over the cubed ddof-1 deviation
    johnson = sqrt(n) * (s + g * s**2 / 3 + g / (6 * n))
    found = skewness.skewness_johnson(car)
    assert_allclose([found.statistic, found.p_value], [johnson, 2 * stats.norm.sf(abs(johnson))])
    hall = johnson + sqrt(n) * g**2 * s**3 / 27
    found = skewness.skewness_hall(car)
    assert_allclose([found.statistic, found.p_value, found.p_right], [hall, 2 * stats.norm.sf(abs(hall)), stats.norm.sf(hall)])
    assert found.null == "mean"


def test_skewness_needs_three_firms_and_is_flagged_below_twenty() -> None:
    assert skewness.skewness_hall(CAR[:2]).reason == "fewer_than_three_firms"
    assert skewness.skewness_johnson(CAR).reason == "few_firms_skewness"
    assert skewness.skewness_johnson(np.random.default_rng(2).normal(size=20)).reason == ""


def test_joint_f_is_the_multivariate_f_of_an_event_dummy() -> None:
    cross = section(3, (0, 0))
    both = [joined(trade_rows(part.listing), DAY0, DAY0)[0] for part in cross.firms]
    y = np.column_stack([rows.ret for rows in both])
    x = np.column_stack([np.ones(len(y)), both[0].mkt, np.eye(len(y))[:, -1]])
    table = MANOVA(y, x).mv_test([("dummy", np.array([[0.0, 0, 1]]))]).results["dummy"]["stat"]
    found = run_test("hotelling", cross)
    assert_allclose([found.statistic, found.p_value], table.loc["Wilks' lambda", ["F Value", "Pr > F"]].astype(float))
    assert found.df == 116


def test_joint_f_needs_the_same_rows_and_more_rows_than_firms() -> None:
    assert run_test("hotelling", section(3, (0, 3), AWAY)).reason == "different_rows"
    errors = np.random.default_rng(1).normal(size=(5, 4))
    assert joint.hotelling(CAR[:4], joint.exact_covariance(errors, 3, 1.0), 3).reason == "too_few_df"
    alike = joint.exact_covariance(np.repeat(errors[:, :1], 4, axis=1), 30, 1.0)
    assert joint.hotelling(CAR[:4], alike, 30).reason == "singular_covariance"


@pytest.mark.parametrize("p", [[0.04, 0.01, 0.03], [0.5, 0.9, 0.2, 0.02], [0.7], [0.03, 0.03]])
def test_benjamini_and_hochberg(p: list[float]) -> None:
    assert_allclose(multiple.benjamini_hochberg(np.array(p)), stats.false_discovery_control(p, method="bh"))


def test_tests_on_differing_dates_align_by_tau_and_say_what_they_assume() -> None:
    """One firm's event lies four sessions later: its rows pair with the others' by tau, and the correlation does not."""
    late = firm(2, (0, 3), day0=DAY0 + 4)
    cross = CrossSection((0, 3), (firm(1, (0, 3)), late, firm(3, (0, 3))))
    assert cross.staggered
    for name in ("corrado", "corrado_zivney", "grank_unscaled", "crude_dependence"):
        assert run_test(name, cross).reason in ("assumes_independence", "incomplete_rows"), name
    assert run_test("grank", cross).reason == "few_firms_rescaled_independent"
    assert_allclose(run_test("corrado_zivney", cross).statistic, corrado_zivney_by_hand(cross))
    errors = [dict(zip(part.fit.rows.end - part.day0, part.fit.errors, strict=True)) for part in cross.firms]
    common = sorted(set(errors[0]) & set(errors[1]) & set(errors[2]))
    assert len(common) == 116
    spread = np.std([sum(own[tau] for own in errors) / 3 for tau in common], ddof=1)
    assert_allclose(run_test("crude_dependence", cross).statistic, cross.car.mean() / (2 * spread))
    assert run_test("hotelling", cross).reason == "different_rows"


def test_pairs_on_dates_apart_count_as_uncorrelated() -> None:
    near, far = firm(1, (0, 3)), firm(2, (0, 3), day0=DAY0 + 4)
    assert CrossSection((0, 3), (near, far)).correlation.mean == 0.0
    assert CrossSection((0, 3), (near, firm(2, (0, 3), day0=DAY0 + 3))).correlation.mean > 0


@pytest.mark.parametrize("name", [name for name in CLOSED_FORM if name not in JOINT])
def test_two_sided_p_is_twice_the_smaller_one_where_the_distribution_is_continuous(name: str) -> None:
    found = run_test(name, section(16, (0, 3)))
    if name == "generalized_sign":
        assert found.p_left + found.p_right > 1  # the observed count belongs to both sides
    elif np.isfinite(found.p_value):
        assert_allclose(found.p_value, 2 * min(found.p_left, found.p_right))
        assert_allclose(found.p_left + found.p_right, 1)


def test_joint_tests_have_no_direction() -> None:
    for name in JOINT:
        found = run_test(name, section(3, (0, 3)))
        assert np.isfinite(found.p_value)
        assert np.isnan([found.p_left, found.p_right]).all()


def test_scaled_returns_of_the_window_are_abnormal_returns() -> None:
    listing, rows, fit = fitted(1, (132,))
    event = rows.inside(DAY0, DAY0 + 3)
    found = abnormal_returns(fit, event).ar / (fit.sigma * np.sqrt(event.span))
    matrix = CrossSection((0, 3), (firm(1, (0, 3), (132,)),)).scaled_returns[:, 0]
    assert_allclose(matrix[[0, 2, 3]], found)
    assert np.isnan(matrix[1])
    assert listing.calendar is CALENDAR


def test_crude_dependence_without_common_sessions() -> None:
    errors = np.array([[0.1, np.nan], [np.nan, 0.2], [0.1, np.nan]])
    assert parametric.crude_dependence(CAR[:2], parametric.common_means(errors), 4).reason == "too_few_common_sessions"


@pytest.mark.parametrize("sessions", [2, 3, 7, 60, 213])
def test_one_firm_cannot_be_ranked_below_its_floor(sessions: int) -> None:
    errors = np.random.default_rng(sessions).normal(size=(sessions, 1))
    ends = np.sort(errors[:, 0])
    places = np.concatenate([[ends[0] - 1], (ends[1:] + ends[:-1]) / 2, [ends[-1] + 1]])  # every rank that the event can have
    found = [ranks.grank_unscaled(errors, np.array([place])) for place in places]
    assert {round(one.floor, 12) for one in found} == {round(min(one.p_value for one in found), 12)}
    # Z^2 = 3 (T-1) / (T+1) at either end, so that t = sqrt(3) whatever T
    assert_allclose(found[0].floor, 2 * stats.t.sf(np.sqrt(3), sessions - 1), rtol=1e-12)
    assert {one.reason for one in found} == {"cannot_reject"}


def test_floor_of_one_firm_allows_for_ties_and_a_missing_session() -> None:
    errors = np.array([[-1.0], [-1.0], [np.nan], [0.5], [0.5], [0.5], [2.0]])
    places = [-9.0, -1.0, -0.2, 0.5, 1.0, 2.0, 9.0]
    found = [ranks.grank_unscaled(errors, np.array([place])) for place in places]
    assert_allclose([one.floor for one in found], min(one.p_value for one in (found[0], found[-1])), rtol=1e-12)
    assert np.isnan(ranks.grank_unscaled(np.hstack([errors, errors[::-1]]), np.array([9.0, 9.0])).floor)
