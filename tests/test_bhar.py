"""Buy-and-hold abnormal returns: whole windows in simple returns, or a reason."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import eventstudy as es

PLACE = 130
WINDOWS = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3), (-5, -1), (2, 6)], min_observations=60)


def held(made, prices=None, **options):
    given = {"windows": WINDOWS, "tests": ["portfolio_t"], "headline_window": (0, 3)} | options
    result = es.event_study(made.events(PLACE, ["AAA"]), made.prices if prices is None else prices, made.benchmark, **given)
    return result.bhar.set_index(["window_start", "window_end"])


@pytest.mark.parametrize("returns", ["log", "simple"])
def test_bhar_compounds_simple_returns_whatever_the_returns_of_the_study(panel, returns: str) -> None:
    made = panel(("AAA",))
    found = held(made, returns=returns)
    for lo, hi in WINDOWS.car:
        daily = [series.pct_change().iloc[PLACE + lo : PLACE + hi + 1] for series in (made.prices["AAA"], made.benchmark)]
        share, market = (float(np.prod(1 + part)) - 1 for part in daily)
        row = found.loc[(lo, hi)]
        assert_allclose([row["bhar"], row["firm_return"], row["benchmark_return"]], [share - market, share, market])
        assert row["reason"] == ""


@pytest.mark.parametrize("suspensions", ["trade-to-trade", "drop", "lumped"])
def test_a_suspension_inside_is_held_through_and_one_at_an_edge_is_told(panel, suspensions: str) -> None:
    made = panel(("AAA",))
    prices = made.prices.copy()
    prices.iloc[PLACE : PLACE + 2] = np.nan
    found = held(made, prices, suspensions=suspensions)
    whole = held(made)
    assert_allclose(found.loc[(0, 3), "bhar"], whole.loc[(0, 3), "bhar"])
    assert found.loc[(2, 6), "reason"] == "straddles_start"
    assert np.isnan(found.loc[(2, 6), "bhar"])
    prices.iloc[PLACE + 2 : PLACE + 5] = np.nan
    assert held(made, prices, suspensions=suspensions).loc[(0, 3), "reason"] == "not_resumed"


def test_a_window_past_the_data_has_none(panel) -> None:
    made = panel(("AAA",), sessions=133)
    assert held(made)["reason"].tolist() == ["calendar_end", "", "calendar_end"]
