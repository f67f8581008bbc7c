"""Invariants of the estimators and tests (methods specification, section E4), on random small panels.

No expected value comes from the function under test: two runs on panels that must agree are compared, or a
run with a regression written on plain arrays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from validation.worlds import (
    CLOSE,
    World,
    assert_same,
    assert_same_study,
    dummy_regression,
    firm_numbers,
    outcomes,
    plain_study,
    residuals_by_session,
    study,
    surrounded,
    window_dummy,
    worlds,
)

from eventstudy.abnormal import abnormal_returns, cumulate, session_weights
from eventstudy.inference.deletion import Deletion, delete_block
from eventstudy.inference.placebo import placebo_draws
from eventstudy.inference.registry import CLOSED_FORM, run_test
from eventstudy.models import MODELS, Fit, MarketModel
from eventstudy.returns import trade_rows

FEW = settings(max_examples=16, deadline=None, derandomize=True)
ROW_RANKS = ("corrado", "corrado_zivney")
TILING = ("trade-to-trade", "lumped", "uniform")

# (1) -------------------------------------------------------------------------------------------------------


@FEW
@given(worlds(firms=(2, 5)), st.randoms(use_true_random=False))
def test_order_of_firms_changes_nothing(world: World, random: Any) -> None:
    order = list(range(world.design.firms))
    random.shuffle(order)
    one = world.section()
    two = world.change(returns=world.returns[:, order], traded=world.traded[:, order]).section()
    assert_same({name: values[order] for name, values in firm_numbers(one).items()}, firm_numbers(two))
    assert_same(outcomes(one), outcomes(two))


# (2) to (4) ------------------------------------------------------------------------------------------------


@FEW
@given(worlds(), st.floats(0.05, 20))
def test_scaling_all_returns_scales_abnormal_returns_and_leaves_every_test(world: World, factor: float) -> None:
    one = world.section()
    two = world.change(market=world.market * factor, returns=world.returns * factor).section()
    grown = dict.fromkeys(("alpha", "sigma", "car", "se"), factor)
    assert_same(firm_numbers(one), firm_numbers(two), scale=grown)
    assert_same(outcomes(one), outcomes(two))


@FEW
@given(worlds())
def test_turning_all_signs_turns_the_statistics_and_leaves_two_sided_p(world: World) -> None:
    one, two = world.section(), world.change(market=-world.market, returns=-world.returns).section()
    turned = dict.fromkeys(("alpha", "car", "t"), -1.0)
    assert_same(firm_numbers(one), firm_numbers(two), scale=turned)
    for name in CLOSED_FORM:
        left, right = run_test(name, one), run_test(name, two)
        assert_allclose(
            [right.p_value, right.p_right, right.p_left], [left.p_value, left.p_left, left.p_right], **CLOSE, err_msg=name
        )
        if name == "wilcoxon":  # a sum of ranks: those of the positive CARs before, those of the negative ones after
            n = len(one.firms)
            assert left.statistic + right.statistic == n * (n + 1) / 2
        else:
            assert_allclose(abs(right.statistic), abs(left.statistic), **CLOSE, err_msg=name)
    for left, right in zip(placebo_draws(one), placebo_draws(two), strict=True):
        assert left.p_value() == right.p_value()
        assert left.p_value("left") == right.p_value("right")


@FEW
@given(worlds(), st.floats(0.05, 20))
def test_scaling_one_firm_leaves_its_t(world: World, factor: float) -> None:
    scaled = world.returns.copy()
    scaled[:, 0] *= factor
    one, two = firm_numbers(world.section()), firm_numbers(world.change(returns=scaled).section())
    first = {name: values[:1] for name, values in one.items()}
    assert_same(
        first,
        {name: values[:1] for name, values in two.items()},
        scale=dict.fromkeys(("alpha", "beta", "sigma", "car", "se"), factor),
    )
    assert_same({name: values[1:] for name, values in one.items()}, {name: values[1:] for name, values in two.items()})


@FEW
@given(worlds(), st.floats(-0.01, 0.01), st.sampled_from(TILING))
def test_a_constant_a_session_moves_alpha_only(world: World, constant: float, treatment: str) -> None:
    if treatment == "lumped":  # carries prices forward, so that a constant is no longer one a session
        world = world.change(traded=np.ones_like(world.traded))
    drift = np.full_like(world.returns, constant)
    drift[0] = 0.0
    one, two = (item.section(suspensions=treatment) for item in (world, world.change(returns=world.returns + drift)))
    assert_allclose(firm_numbers(two)["alpha"], firm_numbers(one)["alpha"] + constant, **CLOSE)
    assert_same(firm_numbers(one), firm_numbers(two), "alpha")
    assert_same(outcomes(one), outcomes(two))


@FEW
@given(worlds(), st.floats(-2, 2))
def test_a_multiple_of_the_market_moves_beta_only(world: World, slope: float) -> None:
    one = world.section()
    two = world.change(returns=world.returns + slope * world.market[:, None]).section()
    assert_allclose(firm_numbers(two)["beta"], firm_numbers(one)["beta"] + slope, **CLOSE)
    assert_same(firm_numbers(one), firm_numbers(two), "beta")
    assert_same(outcomes(one), outcomes(two))


# (5) and (6) -----------------------------------------------------------------------------------------------


@FEW
@given(worlds(last=(1, 5)), st.data())
def test_a_suspension_inside_the_window_changes_no_car_and_no_variance(world: World, data: st.DataObject) -> None:
    start, firms = world.design.event_start, world.design.firms
    free = world.traded.copy()
    free[start:] = True
    idle = free.copy()
    for firm in range(firms):
        for tau in data.draw(st.sets(st.integers(0, world.design.window[1] - 1), min_size=1)):
            idle[start + tau, firm] = False
    one, two = world.change(traded=free).section(), world.change(traded=idle).section()
    assert len(two.firms) == firms
    assert_same(firm_numbers(one), firm_numbers(two))
    assert_same(outcomes(one), outcomes(two), *ROW_RANKS)  # these rank the rows, of which there are fewer now
    assert run_test("corrado", two).reason == "incomplete_rows"


@FEW
@given(worlds(last=(1, 5)))
def test_treatments_that_tile_give_one_car_where_theta_is_one(world: World) -> None:
    for place, listing in enumerate(world.panel.listings):
        fit = MarketModel().fit(world.panel.estimation_rows(place))
        found = [
            cumulate(fit, listing, trade_rows(listing, treatment), world.design.day0, world.design.window)  # type: ignore[arg-type]
            for treatment in TILING
        ]
        for other in found[1:]:
            assert_allclose(other.car, found[0].car, **CLOSE)
            assert_allclose(other.variance_factor, found[0].variance_factor, **CLOSE)
            assert_allclose(other.t, found[0].t, **CLOSE)


@FEW
@given(worlds(last=(1, 5)))
def test_treatments_are_one_where_nothing_is_suspended(world: World) -> None:
    whole = world.change(traded=np.ones_like(world.traded))
    first = whole.section()
    for treatment in ("lumped", "uniform", "drop"):
        other = whole.section(suspensions=treatment)
        assert_same(firm_numbers(first), firm_numbers(other))
        assert_same(outcomes(first), outcomes(other))


@FEW
@given(worlds(firms=(1, 3)), st.floats(-0.5, 0.5))
def test_drop_does_not_see_what_happens_in_a_suspension(world: World, jump: float) -> None:
    start = world.design.event_start
    traded = world.traded.copy()
    traded[start:] = True
    traded[start - 20 : start - 17] = False
    moved = world.returns.copy()
    moved[start - 19] += jump
    one = world.change(traded=traded).section(suspensions="drop")
    two = world.change(traded=traded, returns=moved).section(suspensions="drop")
    assert_same(firm_numbers(one), firm_numbers(two))


# (7) to (10) -----------------------------------------------------------------------------------------------


@FEW
@given(worlds(firms=(1, 1)))
def test_joint_f_of_one_firm_is_its_squared_t(world: World) -> None:
    cross = world.section()
    single, found = cross.firms[0].cumulative, run_test("hotelling", cross)
    assert_allclose([found.statistic, found.p_value, found.df], [single.t**2, single.p_value, single.df], **CLOSE)


@FEW
@given(worlds(gaps=False))
def test_corrado_and_zivney_is_corrado_on_complete_data(world: World) -> None:
    cross = world.section()
    left, right = run_test("corrado", cross), run_test("corrado_zivney", cross)
    assert left.reason == ""
    assert_allclose([left.statistic, left.p_value], [right.statistic, right.p_value], **CLOSE)


@FEW
@given(worlds(firms=(2, 6)), st.floats(0.01, 1.0))
def test_generalised_rank_t_is_bounded_by_the_number_of_rows(world: World, effect: float) -> None:
    """|Z| <= sqrt(T-1) whatever the effect, so that t = Z sqrt((T-2)/(T-1-Z^2)) is a t of T-2 degrees of freedom."""
    moved = world.returns.copy()
    moved[world.design.event_start :] += effect
    for name in ("grank", "grank_unscaled"):
        found = run_test(name, world.change(returns=moved).section())
        rows = found.df + 2
        z = found.statistic / np.sqrt((rows - 2 + found.statistic**2) / (rows - 1))
        assert abs(z) < np.sqrt(rows - 1)
        assert np.isfinite(found.statistic)


@FEW
@given(worlds(firms=(2, 2), gaps=False))
def test_equality_of_two_firms_is_the_squared_t_of_their_difference(world: World) -> None:
    """The joint F with one contrast; the F with one firm is compared where the package has it."""
    _, t, df = window_dummy(world, world.returns[:, 1] - world.returns[:, 0])
    found = run_test("equal_effects", world.section())
    assert_allclose(found.statistic, t**2, **CLOSE)
    assert found.df == df


@FEW
@given(worlds(firms=(1, 1)))
def test_with_one_firm_the_tests_are_its_own(world: World) -> None:
    cross = world.section()
    single = cross.firms[0].cumulative
    portfolio, patell, adjusted = (run_test(name, cross) for name in ("portfolio_t", "patell", "kp_patell"))
    assert_allclose([portfolio.statistic, portfolio.p_value, portfolio.df], [single.t, single.p_value, single.df], **CLOSE)
    assert_allclose(patell.statistic, single.t * np.sqrt((single.df - 2) / single.df), **CLOSE)
    assert adjusted.statistic == patell.statistic
    assert run_test("kp_bmp", cross).reason == run_test("bmp", cross).reason == "too_few_firms"


@FEW
@given(worlds(gaps=False))
def test_full_covariance_t_is_the_portfolio_t_on_complete_data(world: World) -> None:
    car, t, df = window_dummy(world, world.returns.mean(axis=1))
    cross = world.section()
    found = run_test("portfolio_t", cross)
    assert_allclose([cross.car.mean(), found.statistic, found.df], [car, t, df], **CLOSE)


@FEW
@given(worlds(firms=(2, 2)))
def test_with_two_firms_the_tests_across_firms_have_a_short_form(world: World) -> None:
    """t = (a + b) / |a - b| with the Cauchy distribution, and r-bar from the sessions both firms share."""
    cross = world.section()
    one, two = (residuals_by_session(world, firm) for firm in range(2))
    common = sorted(one.keys() & two.keys())
    r = np.corrcoef([one[session] for session in common], [two[session] for session in common])[0, 1]

    def cauchy(t: float) -> list[float]:
        return [t, 1 - 2 / np.pi * np.arctan(abs(t))]

    across, plain = cross.car.sum() / abs(np.diff(cross.car)[0]), cross.scar.sum() / abs(np.diff(cross.scar)[0])
    expected = {"cross_sectional_t": across, "bmp": plain, "kp_bmp": plain * np.sqrt((1 - r) / (1 + r))}
    for name, t in expected.items():
        found = run_test(name, cross)
        assert_allclose([found.statistic, found.p_value], cauchy(t), **CLOSE, err_msg=name)
    patell, adjusted = (run_test(name, cross).statistic for name in ("patell", "kp_patell"))
    assert_allclose(adjusted, patell / np.sqrt(1 + r), **CLOSE)


# (11) and (12) ---------------------------------------------------------------------------------------------


@FEW
@given(worlds(), st.sampled_from(sorted(MODELS)), st.data())
def test_session_weights_are_the_derivative_of_the_car_and_square_to_its_variance(
    world: World, model: str, data: st.DataObject
) -> None:
    cross = world.section(model=model)
    for place, firm in enumerate(cross.firms):
        weights = session_weights(firm.fit, firm.cumulative, firm.day0, world.design.sessions)
        assert_allclose(weights @ weights, firm.cumulative.variance_factor, **CLOSE)
        session = data.draw(st.integers(1, world.design.sessions - 1))
        moved = world.returns.copy()
        moved[session, place] += 0.01
        change = world.change(returns=moved).section(model=model).car[place] - firm.cumulative.car
        assert_allclose(change, 0.01 * weights[session], **CLOSE)
    assert_allclose(np.diag(cross.shared), [firm.cumulative.variance_factor for firm in cross.firms], **CLOSE)


@FEW
@given(worlds())
def test_dummy_regression_gives_the_abnormal_returns_and_the_car(world: World) -> None:
    design = world.design
    for listing in world.panel.listings:
        rows = trade_rows(listing)
        sample, event = rows.inside(1, design.estimation), rows.inside(design.event_start, design.sessions - 1)
        fit = MarketModel().fit(sample)
        found = abnormal_returns(fit, event)
        window = cumulate(fit, listing, rows, design.day0, design.window)

        def regression(ret: float, mkt: float, span: float, sample: Any = sample) -> tuple[float, float, int]:
            y, length = np.append(sample.ret, ret), np.append(sample.span, span)
            return dummy_regression(y, np.column_stack([length, np.append(sample.mkt, mkt)]), length)

        for row in range(len(event)):
            ar, t, df = regression(event.ret[row], event.mkt[row], event.span[row])
            assert_allclose([found.ar[row], found.t[row]], [ar, t], **CLOSE)
            assert df == fit.df_resid
        car, t, df = regression(event.ret.sum(), event.mkt.sum(), event.span.sum())
        assert_allclose([window.car, window.t, window.df], [car, t, df], **CLOSE)
        assert_allclose(found.ar.sum(), window.car, **CLOSE)


def assert_same_fit(deleted: Deletion | None, fit: Fit) -> None:
    """Compare a fit with a block deleted in closed form with the fit to the remaining rows."""
    assert deleted is not None
    for name in ("params", "unscaled_cov", "sigma", "nobs", "df_resid", "n_sessions", "errors"):
        assert_allclose(getattr(deleted.fit, name), getattr(fit, name), **CLOSE, err_msg=name)


@FEW
@given(worlds(firms=(1, 3)), st.integers(1, 4))
def test_placebo_blocks_are_what_fits_without_them_predict(world: World, size: int) -> None:
    """Deletion in closed form against fitting again; blocks are checked where all firms tile them."""
    cross = world.section()
    caar, scar = placebo_draws(cross)
    length = world.design.window[1] + 1
    beyond = sum(abs(draw) >= abs(cross.car.mean()) for draw in caar.draws)
    assert caar.p_value() == (1 + beyond) / (1 + len(caar.draws)) >= caar.floor
    for place in range(0, len(caar.starts), max(1, len(caar.starts) // size)):
        lo = world.design.day0 + caar.starts[place]
        cars, scars = [], []
        for firm in cross.firms:
            rows = firm.fit.rows
            block = (rows.end - rows.span + 1 >= lo) & (rows.end < lo + length)
            fit = MarketModel().fit(rows.take(~block))
            x = fit.model.regressors(rows.take(block)).sum(axis=0)
            car = float(rows.ret[block].sum() - x @ fit.params)
            assert_same_fit(delete_block(firm.fit, lo, lo + length - 1), fit)
            cars.append(car)
            scars.append(car / (fit.sigma * np.sqrt(length + x @ fit.unscaled_cov @ x)))
        assert_allclose([caar.draws[place], scar.draws[place]], [np.mean(cars), np.mean(scars)], **CLOSE)


# (13) ------------------------------------------------------------------------------------------------------


@FEW
@given(worlds(firms=(1, 1)), st.integers(2, 5))
def test_copies_of_one_firm_are_one_firm(world: World, copies: int) -> None:
    many = replace(
        world,
        design=replace(world.design, firms=copies, suspended=world.design.suspended * copies),
        returns=np.repeat(world.returns, copies, axis=1),
        traded=np.repeat(world.traded, copies, axis=1),
    )
    alone, cross = world.section(), many.section()
    assert_allclose(cross.correlation.mean, 1.0, **CLOSE)
    single, found = alone.firms[0].cumulative, run_test("portfolio_t", cross)
    assert_allclose([found.statistic, found.p_value, found.df], [single.t, single.p_value, single.df], **CLOSE)
    assert_allclose(run_test("kp_patell", cross).statistic, run_test("patell", alone).statistic, **CLOSE)
    assert_allclose(run_test("patell", cross).statistic, np.sqrt(copies) * run_test("patell", alone).statistic, **CLOSE)
    for left, right in zip(placebo_draws(alone), placebo_draws(cross), strict=True):
        assert left.p_value() == right.p_value()


# (14) and (15): through the door that users take -----------------------------------------------------------


@settings(FEW, max_examples=8)
@given(worlds(firms=(2, 3)), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_sessions_outside_both_windows_change_nothing(world: World, front: int, middle: int, after: int, seed: int) -> None:
    design = world.design
    longer = surrounded(world, front, middle, after, np.random.default_rng(seed))
    one = plain_study(world, pd.bdate_range("2019-01-07", periods=design.sessions))
    two = study(
        longer.panel, pd.bdate_range("2018-11-05", periods=longer.design.sessions), design.day0 + front + middle,
        (-design.estimation - middle, -1 - middle), design.window[1],
    )  # fmt: skip
    assert_same_study(one, two)


@settings(FEW, max_examples=8)
@given(worlds(firms=(2, 3)), st.data())
def test_a_closure_of_the_exchange_changes_nothing(world: World, data: st.DataObject) -> None:
    """Dates with holidays: the same sessions, further apart; once right before the event."""
    count = world.design.sessions
    days = pd.date_range("2019-01-07", periods=count, freq="D")
    closures = data.draw(st.lists(st.tuples(st.integers(1, count - 1), st.integers(1, 10)), min_size=1, max_size=4))
    shift = np.zeros(count, dtype=int)
    for place, length in [*closures, (world.design.day0, 7)]:
        shift[place:] += length
    assert_same_study(plain_study(world, days), plain_study(world, days + pd.to_timedelta(shift, unit="D")))


@settings(FEW, max_examples=8)
@given(worlds(firms=(2, 3)), st.integers(2, 9), st.integers(1, 9), st.floats(-0.3, 0.3))
def test_returns_outside_both_windows_change_nothing(world: World, front: int, middle: int, jump: float) -> None:
    """A row that reaches over an edge of the estimation window stays out of it (rule A6)."""
    design, dates = world.design, pd.bdate_range("2019-01-07", periods=world.design.sessions)
    first, last = 1 + front, design.estimation - middle
    traded = world.traded.copy()
    traded[[first - 1, first, last, last + 1], 0] = False  # both edges lie inside a suspension of the first firm
    traded[[first - 2, design.estimation], :] = True
    moved = world.returns.copy()
    moved[1:first] += jump
    moved[last + 1 : design.event_start] -= jump
    estimation = (first - design.day0, last - design.day0)
    one, two = (
        study(world.change(traded=traded, returns=returns).panel, dates, design.day0, estimation, design.window[1])
        for returns in (world.returns, moved)
    )
    assert_same_study(one, two)
