"""Placebo dates that resemble the event, and squared standardised CARs, by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from firms import section
from numpy.testing import assert_allclose

import eventstudy as es
from eventstudy.inference.placebo import placebo_blocks, placebo_draws
from eventstudy.inference.sensitivity import AFTER_CLOSURE, FAR_MARKET, like_the_event, scar_squares


def test_squares_by_deleting_and_fitting_again() -> None:
    cross = section(3, (0, 1))
    drawn = scar_squares(placebo_blocks(cross))
    for place in (0, 17, len(drawn.draws) - 1):
        values = []
        for firm in cross.firms:
            lo = firm.day0 + drawn.starts[place]
            rows = firm.fit.rows
            block = (rows.end >= lo) & (rows.end <= lo + 1)
            x = np.column_stack([rows.span, rows.mkt])
            ols = sm.OLS(rows.ret[~block], x[~block]).fit()
            summed = x[block].sum(axis=0)
            variance = ols.scale * (2 + summed @ ols.normalized_cov_params @ summed)
            values.append((rows.ret[block].sum() - summed @ ols.params) ** 2 / variance)
        assert_allclose(drawn.draws[place], np.mean(values))
    assert_allclose(drawn.observed, np.mean([firm.cumulative.t**2 for firm in cross.firms]))


def test_a_larger_variance_at_the_event_stands_out() -> None:
    cross = section(3, (0, 1))
    loud = replace(cross.firms[0], cumulative=replace(cross.firms[0].cumulative, t=6.0))
    made = replace(cross, firms=(loud, *cross.firms[1:]))
    drawn = scar_squares(placebo_blocks(made))
    assert_allclose(drawn.observed, (36 + sum(firm.cumulative.t**2 for firm in cross.firms[1:])) / 3)
    assert drawn.p_value("right") == drawn.floor


@pytest.mark.parametrize("window", [(0, 0), (0, 3), (-10, -1)])
def test_restricted_dates_by_the_calendar(entity: es.StudyResult, window: tuple[int, int]) -> None:
    cross = entity.computation.cross_section("all", window)
    drawn = placebo_draws(cross)[0]
    found = like_the_event(cross, drawn)
    sessions, day0 = cross.firms[0].sessions, cross.firms[0].day0
    after = [
        start for start in drawn.starts if (sessions[day0 + start - window[0]] - sessions[day0 + start - window[0] - 1]).days > 3
    ]
    assert found[AFTER_CLOSURE].starts.tolist() == after
    size = window[1] - window[0] + 1
    level = pd.Series(cross.firms[0].listing.benchmark)
    moves = np.abs(np.log(level / level.shift(size)))[day0 + drawn.starts + size - 1].to_numpy()
    assert sorted(found[FAR_MARKET].starts) == sorted(drawn.starts[np.argsort(moves)[-len(found[FAR_MARKET].starts) :]])
    assert abs(len(found[FAR_MARKET].starts) / len(drawn.starts) - 0.25) < 0.01


def test_few_blocks_are_told(entity: es.StudyResult) -> None:
    table = entity.placebo.set_index(["group", "window_start", "window_end", "test"])
    assert not table.index.duplicated().any()
    few = table.loc[("all", 0, 3, AFTER_CLOSURE)]
    assert few["blocks"] < 10
    assert few["reason"] == "few_blocks"
    assert few["p_value"] >= 1 / (1 + few["blocks"])
    whole, far = table.loc[("all", 0, 3, "placebo_caar")], table.loc[("all", 0, 3, FAR_MARKET)]
    assert (whole["reason"], far["reason"]) == ("", "")
    assert whole["statistic"] == far["statistic"] == few["statistic"]
    assert set(entity.tests["test"]) & {AFTER_CLOSURE, FAR_MARKET, "scar_squares"} == set()


def test_differing_event_dates_share_no_calendar_date() -> None:
    cross = section(2, (0, 1))
    apart = replace(cross, firms=(cross.firms[0], replace(cross.firms[1], day0=cross.firms[1].day0 + 1)))
    assert apart.staggered
    assert like_the_event(apart, placebo_draws(cross)[0]) == {}
