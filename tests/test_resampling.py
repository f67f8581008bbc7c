"""Bootstrap, Romano and Wolf's step-down, the joint placebo test, differences of groups: against loops and refits."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from firms import DAY0, ESTIMATION, firm, joined, section
from numpy.testing import assert_allclose
from scipy import stats

from eventstudy.inference import bootstrap, multiple, parametric
from eventstudy.inference.bootstrap import bootstrap_test, drawn_sessions, grid_of, joint_statistics, statistics
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.placebo import placebo_blocks
from eventstudy.inference.registry import difference_result, placebo_result, run_test
from eventstudy.returns import trade_rows

AWAY = {1: (20, 21, 22, 131), 2: (22, 23, 60)}


def t_by_refitting(cross: CrossSection, errors: np.ndarray, first: int) -> float:
    """Portfolio t of one draw: every row made anew from the errors of its sessions, fitted by least squares, loops for C7.

    `errors` is (sessions, N), the estimation sessions from `first` on, then those of the event window.
    """
    lo, hi = DAY0 + cross.window[0], DAY0 + cross.window[1]
    estimation = len(errors) - (hi - lo + 1)
    cars, sigmas, singles = [], [], []
    for place, part in enumerate(cross.firms):
        rows = part.fit.rows
        own = errors[:, place]
        ret = [sum(own[rows.end[k] - first - j] for j in range(rows.span[k])) for k in range(len(rows))]
        root = np.sqrt(rows.span)
        z = np.column_stack([rows.span, rows.mkt]) / root[:, None]
        theta, ssr, *_ = np.linalg.lstsq(z, np.array(ret) / root, rcond=None)
        event = trade_rows(part.listing).inside(lo, hi)
        cars.append(own[estimation:].sum() - theta @ [hi - lo + 1, event.mkt.sum()])
        sigmas.append(sqrt(ssr[0] / (len(rows) - 2)))
        left = np.array(ret) - np.column_stack([rows.span, rows.mkt]) @ theta
        singles.append({int(rows.end[k]): left[k] for k in range(len(rows)) if rows.span[k] == 1})
    variance = 0.0
    for i, one in enumerate(singles):
        for j, two in enumerate(singles):
            common = sorted(set(one) & set(two))
            r = np.corrcoef([one[k] for k in common], [two[k] for k in common])[0, 1]
            variance += r * sigmas[i] * sigmas[j] * cross.shared[i, j]
    return float(sum(cars) / sqrt(variance))


@pytest.mark.parametrize("name", ["bootstrap_residual", "bootstrap_wild"])
@pytest.mark.parametrize("away", [{}, AWAY], ids=["complete", "suspensions"])
def test_a_draw_is_the_portfolio_t_after_fitting_every_firm_again(name: str, away: dict[int, tuple[int, ...]]) -> None:
    cross = section(3, (0, 3), away)
    grid = grid_of(cross)
    chosen, signs = next(drawn_sessions(name, grid, 7))
    found = statistics(grid, chosen, signs)
    places, errors = grid.pool
    assert len(places) == 120 - len({end for part in away.values() for end in (*part, *(k + 1 for k in part)) if end <= 120})
    assert len(found) > 100
    for draw in range(5):
        made = errors[chosen[draw]] * (1.0 if signs is None else signs[draw][:, None])
        assert_allclose(found[draw], t_by_refitting(cross, made, ESTIMATION[0]), rtol=1e-9)


def test_pool_holds_inflated_residuals_of_sessions_all_firms_traded() -> None:
    cross = section(2, (0, 3), {1: (20, 21)})
    places, errors = grid_of(cross).pool
    assert not {20, 21, 22} & set(places + ESTIMATION[0])
    for place, part in enumerate(cross.firms):
        by_end = dict(zip(part.fit.rows.end.tolist(), part.fit.errors, strict=True))
        count = part.fit.nobs
        want = [by_end[int(end)] * sqrt(count / (count - 2)) for end in places + ESTIMATION[0]]
        assert_allclose(errors[:, place], want)


def test_wild_draws_leave_the_pool_in_place_and_turn_signs() -> None:
    grid = grid_of(section(2, (0, 3), {1: (20, 21)}))
    chosen, signs = (np.concatenate(drawn) for drawn in zip(*drawn_sessions("bootstrap_wild", grid, 7), strict=True))
    assert len(chosen) == 9_999
    places = grid.pool[0]
    assert (chosen[:, places] == np.arange(len(places))).all()
    for other in np.setdiff1d(np.arange(grid.size), places):
        assert len(np.unique(chosen[:, other])) == len(places)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert abs(signs.mean()) < 0.004  # four standard deviations of the mean of 9,999 times 124 signs


@pytest.mark.parametrize("name", ["bootstrap_residual", "bootstrap_wild"])
def test_bootstrap_is_close_to_the_exact_t_for_normal_errors(name: str) -> None:
    cross = section(3, (0, 3))
    found, exact = bootstrap_test(name, cross, 5), run_test("portfolio_t", cross)
    assert found.statistic == exact.statistic
    for left, right in ((found.p_value, exact.p_value), (found.p_left, exact.p_left), (found.p_right, exact.p_right)):
        assert abs(left - right) < 0.03
    assert found.floor == 1e-4
    assert_allclose(found.p_left + found.p_right, 1 + 1e-4)  # every draw lies on one side, the observed one on both
    assert found.p_value * 10_000 == pytest.approx(round(found.p_value * 10_000), abs=1e-6)


def shared_gap() -> CrossSection:
    """Three firms out together: the same rows for all, one of them over three sessions."""
    return section(3, (0, 3), dict.fromkeys((1, 2, 3), (40, 41)))


@pytest.mark.parametrize("cross", [section(3, (0, 3)), section(1, (0, 0)), shared_gap()], ids=["complete", "one firm", "span"])
def test_a_joint_draw_is_hotellings_t_squared_after_fitting_every_firm_again(cross: CrossSection) -> None:
    grid = grid_of(cross)
    chosen = next(drawn_sessions("bootstrap_residual", grid, 7))[0][:4]
    rows, (lo, hi) = cross.firms[0].fit.rows, (DAY0 + end for end in cross.window)
    event = trade_rows(cross.firms[0].listing).inside(lo, hi)
    z, x = np.column_stack([rows.span, rows.mkt]) / np.sqrt(rows.span)[:, None], np.array([hi - lo + 1, event.mkt.sum()])
    for draw, found in zip(chosen, joint_statistics(grid, chosen), strict=True):
        errors = grid.pool[1][draw]
        sums = [errors[rows.end[k] - ESTIMATION[0] - np.arange(rows.span[k])].sum(axis=0) for k in range(len(rows))]
        y = np.array(sums) / np.sqrt(rows.span)[:, None]
        theta = np.linalg.lstsq(z, y, rcond=None)[0]
        left, car = y - z @ theta, errors[grid.estimation :].sum(axis=0) - x @ theta
        spread = left.T @ left / (len(rows) - 2) * (hi - lo + 1 + x @ np.linalg.inv(z.T @ z) @ x)
        assert_allclose(found, car @ np.linalg.inv(spread) @ car, rtol=1e-9)


def test_joint_bootstrap_of_one_firm_is_its_two_sided_one_and_of_several_close_to_the_exact_f() -> None:
    alone = section(1, (0, 3))
    joint, single = bootstrap_test("bootstrap_hotelling", alone, 5), bootstrap_test("bootstrap_residual", alone, 5)
    assert_allclose([joint.statistic, joint.p_value], [single.statistic**2, single.p_value])
    cross = section(3, (0, 3))
    found, exact = bootstrap_test("bootstrap_hotelling", cross, 5), run_test("hotelling", cross)
    assert_allclose(found.statistic, exact.statistic * 118 * 3 / 116)
    assert abs(found.p_value - exact.p_value) < 0.03
    assert np.isnan([found.p_left, found.p_right]).all()
    assert found.floor == 1e-4


def test_joint_bootstrap_says_where_it_does_not_apply() -> None:
    name = "bootstrap_hotelling"
    assert bootstrap_test(name, section(3, (0, 3), AWAY), 1).reason == "different_rows"
    one = firm(1, (0, 3))
    assert bootstrap_test(name, CrossSection((0, 3), (one, one)), 1).reason == "singular_covariance"
    assert bootstrap_test(name, CrossSection((0, 3), (one,) * 119), 1).reason == "too_many_firms"


def test_longer_blocks_are_runs_of_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """124 sessions in blocks of five: 24 whole ones, and four sessions of the last."""
    grid = grid_of(section(2, (0, 3)))
    assert bootstrap.BLOCK_LENGTH == 1
    monkeypatch.setattr(bootstrap, "BLOCK_LENGTH", 5)
    chosen, _ = next(drawn_sessions("bootstrap_residual", grid, 7))
    assert chosen.shape[1] == 124
    steps = np.diff(chosen, axis=1) % 120
    inside = np.arange(1, 124) % 5 != 0
    assert (steps[:, inside] == 1).all()
    assert (steps[:, ~inside] != 1).mean() > 0.9


def test_bootstrap_depends_on_the_seed_alone() -> None:
    cross = section(3, (0, 3), AWAY)
    one, two, other = (bootstrap_test("bootstrap_residual", cross, seed).p_value for seed in (5, 5, -5))
    assert one == two != other


def test_bootstrap_says_where_it_does_not_apply() -> None:
    name = "bootstrap_residual"
    assert bootstrap_test(name, CrossSection((0, 3), ()), 1).reason == "no_firms"
    late = CrossSection((0, 3), (firm(1, (0, 3)), firm(2, (0, 3), day0=DAY0 + 4)))
    assert bootstrap_test(name, late, 1).reason == "dates_differ"
    apart = section(2, (0, 3), {1: tuple(range(2, 49)), 2: tuple(range(50, 96))})
    assert bootstrap_test(name, apart, 1).reason == "too_few_common_sessions"


@pytest.mark.parametrize("wild", [1.0, 3.0])
def test_romano_and_wolf_by_loops(wild: float) -> None:
    """With a wild hypothesis of the largest statistic, the p-value of the next one must not fall below its."""
    rng = np.random.default_rng(4)
    draws = np.abs(rng.normal(size=(50, 1)) + rng.normal(size=(50, 4))) * [1, wild, 1, 1]
    observed = np.array([1.0, 2.9, 0.2, 2.1])
    want, left, last = np.empty(4), [0, 1, 2, 3], 0.0
    while left:
        top = max(left, key=lambda k: observed[k])
        last = max(last, (1 + sum(max(draw[k] for k in left) >= observed[top] for draw in draws)) / 51)
        want[top] = last
        left.remove(top)
    assert_allclose(multiple.romano_wolf(observed, draws), want)


def test_romano_and_wolf_of_one_firm_is_its_placebo_p() -> None:
    blocks = placebo_blocks(section(1, (0, 3)))
    adjusted = multiple.romano_wolf(np.abs(blocks.cross.scar), np.abs(blocks.scar))
    assert_allclose(adjusted, [blocks.mean_scar().p_value()])


def test_romano_and_wolf_of_copies_pays_nothing_and_holm_does() -> None:
    """Three copies of one firm are one hypothesis."""
    one = firm(1, (0, 3))
    blocks = placebo_blocks(CrossSection((0, 3), (one, one, one)))
    alone = placebo_blocks(CrossSection((0, 3), (one,)))
    adjusted = multiple.romano_wolf(np.abs(blocks.cross.scar), np.abs(blocks.scar))
    assert_allclose(adjusted, np.full(3, alone.mean_scar().p_value()))


def test_joint_placebo_by_fitting_again() -> None:
    cross = section(3, (0, 3))
    rows = [trade_rows(part.listing).inside(*ESTIMATION) for part in cross.firms]
    x = np.column_stack([np.ones(120), rows[0].mkt])
    y = np.column_stack([one.ret for one in rows])
    draws = []
    for lo in range(117):
        block = np.arange(lo, lo + 4)
        kept = np.delete(np.arange(120), block)
        theta, *_ = np.linalg.lstsq(x[kept], y[kept], rcond=None)
        left, total = y[kept] - x[kept] @ theta, x[block].sum(axis=0)
        gap = y[block].sum(axis=0) - total @ theta
        factor = 4 + total @ np.linalg.inv(x[kept].T @ x[kept]) @ total
        draws.append(gap @ np.linalg.inv(left.T @ left / 114) @ gap / factor)
    found = placebo_blocks(cross).joint()
    assert_allclose(found.draws, draws, rtol=1e-8)
    f = run_test("hotelling", cross)
    assert_allclose(found.observed, f.statistic * 118 * 3 / 116)  # F = T^2 (v-N+1) / (vN)
    result = placebo_result("placebo_hotelling", found, 3, False)
    assert result.p_value == (1 + sum(draw >= found.observed for draw in draws)) / 118
    assert np.isnan([result.p_left, result.p_right]).all()


@pytest.mark.parametrize("away", [{}, AWAY], ids=["complete", "suspensions"])
def test_wald_test_and_joint_placebo_with_rows_of_their_own(away: dict[int, tuple[int, ...]]) -> None:
    cross = section(3, (0, 3), away)
    r = cross.correlation.matrix
    v = np.array([[r[i, j] * cross.sigma[i] * cross.sigma[j] * cross.shared[i, j] for j in range(3)] for i in range(3)])
    wald = cross.car @ np.linalg.inv(v) @ cross.car
    found = run_test("wald_joint", cross)
    assert_allclose([found.statistic, found.p_value, found.df], [wald, stats.chi2.sf(wald, 3), 3])
    assert found.reason == "approximate"
    blocks = placebo_blocks(cross)
    assert_allclose(blocks.joint().observed, wald, rtol=1e-9)


def joint_of_block(cross: CrossSection, start: int) -> float | None:
    """T-squared of the sessions `start` to `start` + 3, every firm fitted by least squares without them, loops for C7."""
    cars, sigmas, singles, weights = [], [], [], []
    for part in cross.firms:
        rows = part.fit.rows
        out = (rows.end - rows.span + 1 >= start) & (rows.end <= start + 3)
        if rows.span[out].sum() != 4:
            return None
        span, x = rows.span[~out], np.column_stack([rows.span, rows.mkt])
        z = x[~out] / np.sqrt(span)[:, None]
        theta, ssr, *_ = np.linalg.lstsq(z, rows.ret[~out] / np.sqrt(span), rcond=None)
        cars.append(rows.ret[out].sum() - x[out].sum(axis=0) @ theta)
        sigmas.append(sqrt(ssr[0] / (len(span) - 2)))
        left = rows.ret[~out] - x[~out] @ theta
        singles.append({int(end): e for end, e, n in zip(rows.end[~out], left, span, strict=True) if n == 1})
        w = dict.fromkeys(range(start, start + 4), 1.0)
        pull = x[~out] @ np.linalg.inv(z.T @ z) @ x[out].sum(axis=0) / span
        for end, n, one in zip(rows.end[~out], span, pull, strict=True):
            w |= {int(end) - j: -one for j in range(n)}
        weights.append(w)
    v = np.empty((len(cars), len(cars)))
    for i, j in np.ndindex(*v.shape):
        common = sorted(set(singles[i]) & set(singles[j]))
        r = np.corrcoef([singles[i][k] for k in common], [singles[j][k] for k in common])[0, 1]
        v[i, j] = r * sigmas[i] * sigmas[j] * sum(w * weights[j].get(k, 0.0) for k, w in weights[i].items())
    return float(np.array(cars) @ np.linalg.inv(v) @ cars)


def test_joint_placebo_of_firms_with_rows_of_their_own_by_fitting_again() -> None:
    cross = section(3, (0, 3), AWAY)
    found = [joint_of_block(cross, start) for start in range(1, 118)]
    assert found.count(None) > 5
    assert_allclose(placebo_blocks(cross).joint().draws, [one for one in found if one is not None], rtol=1e-8)


def test_joint_tests_of_copies_are_undefined() -> None:
    one = firm(1, (0, 3))
    cross = CrossSection((0, 3), (one, one))
    assert run_test("hotelling", cross).reason == run_test("wald_joint", cross).reason == "singular_covariance"
    assert placebo_result("placebo_hotelling", placebo_blocks(cross).joint(), 2, False).reason == "singular_covariance"


def halves(window: tuple[int, int], away: dict[int, tuple[int, ...]] | None = None) -> tuple[CrossSection, CrossSection]:
    firms = section(5, window, away).firms
    return CrossSection(window, firms[:2]), CrossSection(window, firms[2:])


@pytest.mark.parametrize("count", [1, 4])
def test_difference_of_groups_is_the_dummy_t_of_the_difference_of_portfolios(count: int) -> None:
    first, second = halves((0, count - 1))
    portfolios = []
    for cross in (first, second):
        both = [joined(trade_rows(part.listing), DAY0, DAY0 + count - 1)[0] for part in cross.firms]
        portfolios.append(np.mean([rows.ret for rows in both], axis=0))
    x = np.column_stack([np.ones(len(both[0].ret)), both[0].mkt, np.eye(len(both[0].ret))[:, -count:]])
    want = sm.OLS(portfolios[0] - portfolios[1], x).fit().t_test(np.r_[0, 0, np.ones(count)])
    found = difference_result(first, second)
    assert_allclose([found.statistic, found.p_value, found.df], [want.tvalue[0, 0], want.pvalue, 118])
    assert found.n == 5


def test_difference_with_suspensions_by_loops() -> None:
    first, second = halves((0, 3), AWAY)
    both = CrossSection((0, 3), first.firms + second.firms)
    weights, variance = [1 / 2, 1 / 2, -1 / 3, -1 / 3, -1 / 3], 0.0
    for i in range(5):
        for j in range(5):
            r = both.correlation.matrix[i, j]
            variance += weights[i] * weights[j] * r * both.sigma[i] * both.sigma[j] * both.shared[i, j]
    t = (first.car.mean() - second.car.mean()) / sqrt(variance)
    assert_allclose(difference_result(first, second).statistic, t)


def test_difference_of_a_group_without_a_car() -> None:
    first, _ = halves((0, 3))
    assert difference_result(first, CrossSection((0, 3), ())).reason == "no_firms"
    assert parametric.difference_t(np.ones(2), np.array([True, False]), np.array([9, 9]), np.ones((2, 2))).reason


def test_placebo_difference_is_over_the_blocks_both_groups_tile() -> None:
    first, second = (placebo_blocks(cross) for cross in halves((0, 3), AWAY))
    found = first.less(second)
    assert set(found.starts) == set(first.starts) & set(second.starts)
    assert len(found.starts) < len(second.starts)
    for start, draw in zip(found.starts, found.draws, strict=True):
        one, two = first.car[first.starts == start], second.car[second.starts == start]
        assert_allclose(draw, one.mean() - two.mean())
    assert_allclose(found.observed, first.cross.car.mean() - second.cross.car.mean())


def of_industry(part: FirmCar, industry: str) -> FirmCar:
    return FirmCar(part.listing, part.fit, part.day0, part.cumulative, part.masked, industry)


def test_correlation_by_blocks_counts_pairs_of_one_industry_only() -> None:
    names = ("chips", "chips", "cameras", "cameras")
    cross = CrossSection((0, 3), tuple(map(of_industry, section(4, (0, 3)).firms, names)))
    r = np.corrcoef(np.column_stack([part.fit.errors for part in cross.firms]), rowvar=False)
    mean = (r[0, 1] + r[2, 3]) / 6
    found, plain = run_test("kp_bmp_blocks", cross), run_test("bmp", cross)
    assert_allclose(found.statistic, plain.statistic * sqrt((1 - mean) / (1 + 3 * mean)))
    assert (found.name, found.df) == ("kp_bmp_blocks", 3)


@pytest.mark.parametrize("names", [("chips", "chips"), ("chips", ""), ("", "")])
def test_correlation_by_blocks_needs_two_industries_and_all_firms(names: tuple[str, str]) -> None:
    cross = CrossSection((0, 3), tuple(map(of_industry, section(2, (0, 3)).firms, names)))
    assert run_test("kp_bmp_blocks", cross).reason == "no_industries"
