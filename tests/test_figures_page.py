"""The figures of the estimation and of placebo dates: what is drawn is what the tables hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

import eventstudy.report
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


# Machado, Oliveira and Fernandes (2009): what linear RGB becomes without one kind of cone
WITHOUT_CONE = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(colour: str, seen_by: list[list[float]]) -> np.ndarray:
    """CIE L*a*b* of a colour of the style sheet as somebody sees it."""
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    white = np.array([0.9505, 1.0, 1.089])
    share = np.array(TO_XYZ) @ np.clip(np.array(seen_by) @ linear, 0, 1) / white
    f = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("cone", sorted(WITHOUT_CONE))
def test_inks_of_the_figures_are_told_apart_by_the_colour_blind(cone: str) -> None:
    sheet = (Path(eventstudy.report.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{([^}]*--firm[^}]*)\}", sheet)
    palettes = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block)) for block in blocks]
    assert len(palettes) == 3  # light, dark, paper
    for palette in palettes:
        seen = {ink: lab(palette[ink], WITHOUT_CONE[cone]) for ink in ("firm", "other", "mark")}
        for one, two in (("firm", "other"), ("firm", "mark")):  # what two lines of one panel are drawn in
            assert np.linalg.norm(seen[one] - seen[two]) > 25, (palette, one, two)


def test_no_placebo_figure_without_placebo_dates(entity) -> None:
    import eventstudy as es

    assert pictures.placebo_dates(Reading(es.run_study(entity.spec.replace(tests=["portfolio_t"])))) is None
