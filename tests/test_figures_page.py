"""The figures of the estimation and of placebo dates: what is drawn is what the tables hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
import statsmodels.api as sm

from eventstudy.report import pictures, scatter
from eventstudy.report.numbers import percent
from eventstudy.report.subjects import Reading
from eventstudy.study import ALL


@pytest.fixture(scope="module")
def reading(entity) -> Reading:
    return Reading(entity)


def points(svg: str) -> Iterator[str]:
    found = re.search(r'data-points="([^"]*)"', svg)
    assert found is not None
    yield from (text for _x, _y, text in json.loads(found[1].replace("&quot;", '"')))


def test_line_is_the_weighted_regression_of_the_estimation_rows(reading: Reading) -> None:
    for subject in reading.treated:
        fit = subject.firm.fit
        assert fit is not None
        rows = fit.rows
        expected = sm.WLS(rows.ret, np.column_stack([rows.span, rows.mkt]), weights=1 / rows.span).fit().params
        assert scatter.fitted_line("market", fit) == pytest.approx(tuple(expected), rel=1e-9)
        assert scatter.fitted_line("capm", fit) is None


def test_event_days_are_as_far_from_the_line_as_their_abnormal_returns(reading: Reading, entity) -> None:
    figure = pictures.estimation_figure(reading)
    assert figure is not None
    table = entity.abnormal_returns
    for subject, panel in zip(reading.treated, figure.panels, strict=True):
        own = table[(table["symbol"] == subject.firm.key[1]) & table["tau"].between(0, 3)].dropna(subset="ar")
        label = re.search(r'aria-label="([^"]*)"', panel.svg)
        assert label is not None
        for tau, ar in zip(own["tau"], own["ar"], strict=True):
            assert f"{percent(ar, 1)} at session {tau}" in label[1]
        assert len(list(points(panel.svg))) == len(own) == panel.svg.count("-event-")
    resumed = next(text for text in points(figure.panels[1].svg) if "(session 2)" in text)
    assert "a session over 3 sessions" in resumed


def test_placebo_bars_hold_every_date_and_the_rank_of_the_event(reading: Reading, entity) -> None:
    figure = pictures.placebo_dates(reading)
    assert figure is not None
    svg = figure.panels[0].svg
    tests = entity.tests
    row = tests[(tests["group"] == ALL) & (tests["window_end"] == 3) & (tests["window_start"] == 0)].set_index("test")
    p = float(row.loc["placebo_caar", "p_value"])
    draws = entity.draws.by_test[ALL, (0, 3)]["placebo_caar"].draws
    assert sum(int(text.split()[0]) for text in points(svg)) == len(draws)
    at_least = re.search(r"(\d+) dates are at least as far from zero", svg)
    assert at_least is not None
    assert (1 + int(at_least[1])) / (1 + len(draws)) == pytest.approx(p)


def test_no_placebo_figure_without_placebo_dates(entity) -> None:
    import eventstudy as es

    assert pictures.placebo_dates(Reading(es.run_study(entity.spec.replace(tests=["portfolio_t"])))) is None
