"""Size and power by simulation, short: the full tables are in `tests/validation`."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from validation.actual_design import e3b_design, placebo_of_the_mean
from validation.batches import COLUMNS, estimate, one_geometry, rejection_rates
from validation.comparison import error_of_rate, misses
from validation.scenarios import e2_block, e2_cells, e2_design, e2_rates, e2_table
from validation.suspensions import E3_DRAWS, e3_draws, e3_table, naive_rows, summary

from eventstudy.diagnostics import minimum_detectable_effect
from eventstudy.errors import ConfigError
from eventstudy.inference.placebo import placebo_draws
from eventstudy.inference.registry import run_test
from eventstudy.returns import trade_rows
from eventstudy.simulate import (
    PanelDesign,
    draw_market,
    draw_panel,
    draw_returns,
    draw_trading,
    limited_closes,
    panel_from_returns,
)

DRAWS = 1_000

# ---- the panels are what they say -------------------------------------------------------------------------


def test_same_seed_same_panel() -> None:
    design = PanelDesign(rho=0.4, shocks="t4", suspended_share=0.2, effects=((0, -0.05),), suspended=((0,),), window=(0, 2))
    one, two = (draw_panel(design, np.random.default_rng(7)) for _ in range(2))
    for left, right in zip(one.listings, two.listings, strict=True):
        assert np.array_equal(left.level, right.level, equal_nan=True)
        assert np.array_equal(left.benchmark, right.benchmark)
    other = draw_panel(design, np.random.default_rng(8))
    assert not np.array_equal(one.listings[0].level, other.listings[0].level, equal_nan=True)


@pytest.mark.parametrize("shocks", ["normal", "t4"])
def test_shocks_have_the_moments_asked_for(shocks: str) -> None:
    """20,000 sessions: the correlation has a standard error of .005 (normal); t(4) has none worth the name."""
    design = PanelDesign(firms=2, estimation=20_000, alpha=0.0, beta=0.0, sigma=1.0, rho=0.4, shocks=shocks)  # type: ignore[arg-type]
    drawn = draw_returns(design, np.zeros(design.sessions), np.random.default_rng(1))[1:]
    assert_allclose(drawn.std(axis=0), 1.0, atol=0.04)
    assert_allclose(np.corrcoef(drawn.T)[0, 1], 0.4, atol=0.03)
    tail = (np.abs(drawn) > 4).mean()
    assert tail > 0.002 if shocks == "t4" else tail < 0.0005


@pytest.mark.parametrize(("diluted", "correlation"), [(False, 0.3), (True, 0.075)])
def test_event_variance_keeps_or_dilutes_the_correlation(diluted: bool, correlation: float) -> None:
    design = PanelDesign(
        firms=2, estimation=50, window=(0, 9_999), alpha=0, beta=0, sigma=1.0, rho=0.3, event_variance=4.0, diluted=diluted
    )
    event = draw_returns(design, np.zeros(design.sessions), np.random.default_rng(2))[design.event_start :]
    assert_allclose(event.var(axis=0), 4.0, rtol=0.06)
    assert_allclose(np.corrcoef(event.T)[0, 1], correlation, atol=0.04)


def test_effects_are_added_at_their_sessions_only() -> None:
    plain = PanelDesign(window=(-1, 2))
    moved = replace(plain, effects=((0, -0.05), (2, 0.01)))
    market = np.zeros(plain.sessions)
    gap = draw_returns(moved, market, np.random.default_rng(3)) - draw_returns(plain, market, np.random.default_rng(3))
    expected = np.zeros_like(gap)
    expected[-3], expected[-1] = -0.05, 0.01
    assert_allclose(gap, expected, atol=1e-15)
    assert plain.day0 == plain.sessions - 3


@pytest.mark.parametrize(("share", "realised"), [(0.1, 3 / (27 + 1 + 3)), (0.3, 3 / (7 + 1 + 3))])
def test_random_suspensions_last_three_sessions_and_trades_follow(share: float, realised: float) -> None:
    """A run with trade lasts 1 session for certain and then the mean of geometric(share / 3 / (1 - share))."""
    design = PanelDesign(firms=1, estimation=100_000, suspended_share=share)
    idle = ~draw_trading(design, np.random.default_rng(4))[:, 0]
    assert idle.mean() == pytest.approx(realised, rel=0.04)
    assert idle.sum() / (np.diff(idle.astype(int)) == 1).sum() == pytest.approx(3.0, abs=0.1)
    assert not idle[[0, -3, -2, -1]].any()
    ends = np.flatnonzero(np.diff(idle.astype(int)) == -1) + 1
    assert not idle[ends + 1].any()


def test_suspended_sessions_have_no_price_and_the_resumption_carries_the_whole_return() -> None:
    design = PanelDesign(firms=2, window=(0, 3), suspended=((), (0, 1)), effects=((0, -0.08),))
    rng = np.random.default_rng(5)
    market = draw_market(design, rng)
    returns = draw_returns(design, market, rng)
    panel = panel_from_returns(design, market, returns, draw_trading(design, rng))
    listing = panel.listings[1]
    assert np.isnan(listing.level[design.day0 : design.day0 + 2]).all()
    assert list(listing.status[design.day0 - 1 :]) == ["traded", "suspended", "suspended", "traded", "traded"]
    rows = trade_rows(listing).inside(design.day0, design.day0 + 3)
    assert rows.span.tolist() == [3, 1]
    assert_allclose(rows.ret, [returns[-4:-1, 1].sum(), returns[-1, 1]], atol=1e-13)
    assert_allclose(rows.mkt, [market[-4:-1].sum(), market[-1]], atol=1e-13)
    assert_allclose(naive_rows(listing).mkt[-2:], market[-2:], atol=1e-13)


def test_price_limit_holds_back_and_then_lets_through() -> None:
    value = np.log(np.array([[10.0, 10.0], [8.5, 12.0], [8.5, 12.0], [8.6, 12.0]]))
    traded = np.array([[True, True], [True, False], [True, True], [True, True]])
    closes = np.exp(limited_closes(value, traded, 0.10))
    assert_allclose(closes, [[10, 10], [9, 10], [8.5, 11], [8.6, 12]], rtol=1e-12)


def test_limit_sessions_are_marked() -> None:
    design = PanelDesign(firms=1, window=(0, 3), sigma=1e-6, beta=0, alpha=0, effects=((0, -0.15),), price_limit=0.10)
    listing = draw_panel(design, np.random.default_rng(6)).listings[0]
    assert listing.limit[design.day0] == "down"
    assert (listing.limit != "").sum() == 1
    assert listing.level[design.day0] / listing.level[design.day0 - 1] == pytest.approx(0.90)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rho": 1.0}, "rho"), ({"rho": -0.1}, "rho"), ({"diluted": True, "event_variance": 0.5}, "event_variance"),
        ({"suspended_share": 0.9}, "suspended_share"), ({"firms": 1, "suspended": ((), ())}, "suspended names"),
        ({"effects": ((3, 0.1),)}, "event window"), ({"suspended": ((-1,),)}, "event window"),
    ],
)  # fmt: skip
def test_designs_that_cannot_be_drawn_are_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PanelDesign(**wrong)  # type: ignore[arg-type]


def test_cross_section_leaves_out_a_firm_that_has_not_resumed() -> None:
    design = PanelDesign(firms=3, window=(0, 2), suspended=((), (0, 1, 2), (0,)))
    cross = draw_panel(design, np.random.default_rng(9)).cross_section((0, 2))
    assert [firm.listing.symbol for firm in cross.firms] == ["SIM1", "SIM3"]


# ---- table E3: what suspensions do to each treatment ------------------------------------------------------


TREATED = ("trade-to-trade", "lumped", "uniform", "drop", "naive")


@cache
def e3_rows(share: float) -> dict[str, dict[str, float]]:
    draws = e3_draws(share, (0.0,), TREATED, DRAWS, [33, round(100 * share)])[0]
    return {method: summary(draws[place]) for place, method in enumerate(TREATED)}


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_trade_to_trade_keeps_its_size_where_naive_does_not(share: float) -> None:
    found = e3_rows(share)
    table = e3_table().query("share == @share and effect == 0").set_index("method")
    print({method: f"{row['rejected']:.1f} ({table.loc[method, 'rejected']})" for method, row in found.items()})  # noqa: T201
    assert abs(found["trade-to-trade"]["rejected"] - 5.0) <= 2.2
    assert found["naive"]["rejected"] > 9.0
    for method in TREATED:
        expected = table.loc[method, "rejected"]
        error = np.hypot(error_of_rate(expected, DRAWS), error_of_rate(expected, E3_DRAWS))
        assert abs(found[method]["rejected"] - expected) <= 3 * error + 0.3, method


@pytest.mark.parametrize(("share", "beta"), [(0.1, 1.087), (0.3, 0.881)])
def test_carrying_prices_forward_biases_beta_and_trade_to_trade_does_not(share: float, beta: float) -> None:
    """Three standard errors of a mean of 1,000 betas are about .018."""
    found = e3_rows(share)
    assert found["lumped"]["beta_mean"] == pytest.approx(beta, abs=0.025)
    assert found["uniform"]["beta_mean"] == pytest.approx(beta, abs=0.025)
    assert found["trade-to-trade"]["beta_mean"] == pytest.approx(1.2, abs=0.02)
    assert found["trade-to-trade"]["sigma_mean"] == pytest.approx(0.02, abs=0.0002)


# ---- table E2: size and power of the tests ----------------------------------------------------------------

CELLS = [(3, 1, "A", 0.0), (3, 1, "D", 0.0), (3, 4, "F", 0.0), (3, 4, "A", 0.04), (10, 1, "E", 0.0), (30, 1, "D", 0.0)]


@pytest.mark.parametrize(("firms", "length", "scenario", "effect"), CELLS)
def test_rejection_rates_land_on_table_e2(firms: int, length: int, scenario: str, effect: float) -> None:
    table = e2_table().set_index(["firms", "length", "scenario", "effect"]).sort_index()
    expected = table.loc[(firms, length, scenario, effect)]
    rates = e2_rates(firms, length, scenario, effect, DRAWS, part=1_000)
    assert not misses(e2_cells(rates, expected, DRAWS))


def test_a_test_that_rejected_twice_too_often_would_be_noticed() -> None:
    """The same comparison, with p-values as small as those of a test at 10%."""
    design, row = e2_design(10, 1, "A", 0.0), e2_block(10, 1)[0]
    assert (row["scenario"], row["effect"]) == ("A", 0.0)
    rng = np.random.default_rng(10)
    cells = e2_cells(rejection_rates(design, draw_market(design, rng), DRAWS, rng, alpha=0.10), row, DRAWS)
    assert {name for name, cell in cells.items() if not cell.outside} == set()


@pytest.mark.parametrize(("firms", "length", "scenario", "effect"), [(3, 4, "D", 0.04), (10, 1, "B", 0.0)])
def test_fits_of_many_draws_at_once_are_the_fits_of_the_package(firms: int, length: int, scenario: str, effect: float) -> None:
    design = e2_design(firms, length, scenario, effect)
    rng = np.random.default_rng(11)
    market = draw_market(design, rng)
    geometry = one_geometry(design, market, rng)
    returns = np.stack([draw_returns(design, market, rng) for _ in range(3)])
    traded = np.ones(returns.shape[1:], dtype=bool)
    names = {
        "cross_sectional_t": "cross-sectional t", "patell": "Patell", "bmp": "BMP t(N-1)", "kp_patell": "KP-Patell",
        "kp_bmp": "KP-BMP t(N-1)", "portfolio_t": "portfolio / full-cov t(nu)", "crude_dependence": "CDA (BW)",
        "hotelling": "Hotelling F", "grank": "GRANK (rescaled)", "grank_unscaled": "GRANK (no rescale)",
        "corrado_zivney": "Corrado(-Zivney)", "corrado": "Corrado(-Zivney)",
    }  # fmt: skip
    for drawn, draw in zip(returns, estimate(design, geometry, returns), strict=True):
        cross = panel_from_returns(design, market, drawn, traded).cross_section(design.window)
        close = {"rtol": 1e-10, "atol": 1e-13}
        assert_allclose(draw.car, cross.car, **close)
        assert_allclose(draw.scar, cross.scar, **close)
        assert_allclose(draw.sigma, cross.sigma, **close)
        assert_allclose(draw.errors, np.column_stack([firm.fit.errors for firm in cross.firms]), **close)
        assert_allclose(draw.df, cross.df)
        assert_allclose(draw.correlation.matrix, cross.correlation.matrix, rtol=1e-9, atol=1e-12)
        assert_allclose(geometry.cross.shared, cross.shared, **close)
        for name, column in names.items():
            assert_allclose(COLUMNS[column](draw), run_test(name, cross).p_value, rtol=1e-8)
        assert draw.sign.statistic == pytest.approx(run_test("generalized_sign", cross).statistic, rel=1e-9)
        placebo = placebo_draws(cross)[0]
        assert_allclose(draw.placebo.draws, placebo.draws, rtol=1e-9, atol=1e-13)
        assert draw.placebo.p_value() == placebo.p_value()


def test_undefined_and_suspended_designs_are_what_table_e3b_needs() -> None:
    panel = draw_panel(e3b_design(True, -0.15), np.random.default_rng(12))
    assert [len(panel.cross_section((0, end)).firms) for end in (0, 1, 2, 5)] == [1, 1, 3, 3]


@pytest.mark.parametrize("window", [(0, 2), (0, 5)])
def test_placebo_of_the_mean_firm_is_the_placebo_of_the_firms(window: tuple[int, int]) -> None:
    cross = draw_panel(e3b_design(True, 0.0), np.random.default_rng(13)).cross_section(window)
    found, expected = placebo_of_the_mean(cross), placebo_draws(cross)[0]
    assert len(cross.firms) == 3
    assert found.observed == expected.observed
    assert_allclose(found.draws, expected.draws, rtol=1e-9, atol=1e-13)
    assert found.p_value() == expected.p_value()


@pytest.mark.parametrize(("df", "effect"), [(118, 2.82), (2, 5.65)])
def test_minimum_detectable_effect_is_the_one_of_rule_d12(df: int, effect: float) -> None:
    assert minimum_detectable_effect(1.0, df) == pytest.approx(effect, abs=0.006)
