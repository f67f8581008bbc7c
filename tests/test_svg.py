"""The figures of the page as SVG: where marks lie, what gaps do, what comes from a user's file stays text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from eventstudy.report.svg import BACK, FRONT, Axes, Drawing


@pytest.fixture
def drawing() -> Drawing:
    return Drawing("name", 200, 100)


@pytest.fixture
def axes(drawing: Drawing) -> Axes:
    """From 0 to 10 over 100 units to the right, from -1 to 1 over 50 units up."""
    return drawing.axes((0, 10), (-1, 1), left=60, top=20, right=40, bottom=30)


def drawn(drawing: Drawing) -> ET.Element:
    return ET.fromstring(drawing.svg("what it shows"))


def paths(drawing: Drawing) -> list[str]:
    marks = drawn(drawing).find("g[@clip-path]")
    assert marks is not None
    return [path.attrib["d"] for path in marks.iter("path")]


def test_values_lie_between_the_edges_in_proportion(drawing: Drawing, axes: Axes) -> None:
    axes.line([0, 5, 10], [-1, 0, 1], "firm", 2)
    assert paths(drawing) == ["M60 70L110 45L160 20"]


def test_line_is_broken_where_a_value_is_missing_and_a_lone_value_draws_none(drawing: Drawing, axes: Axes) -> None:
    axes.line([0, 1, 2, 3, 4, 5], [0, 0, np.nan, 0, np.nan, 1], "firm", 2)
    assert paths(drawing) == ["M60 45L70 45"]


def test_area_has_a_gap_where_either_end_is_missing(drawing: Drawing, axes: Axes) -> None:
    axes.area([0, 1, 2, 3, 4], [-1, -1, np.nan, -1, -1], [1, 1, 1, 0, 0], "firm", 0.2)
    assert paths(drawing) == ["M60 70L70 70L70 20L60 20Z", "M90 70L100 70L100 45L90 45Z"]


def test_points_are_drawn_where_there_is_a_value(drawing: Drawing, axes: Axes) -> None:
    axes.points([1, 2, 3], [0, np.nan, 1], "firm", 3, "closes")
    group = drawn(drawing).find(".//g[@id='name-closes']")
    assert group is not None
    assert [(mark.attrib["cx"], mark.attrib["cy"], mark.attrib["r"]) for mark in group] == [("70", "45", "2"), ("90", "20", "2")]


def test_strokes_and_boxes(drawing: Drawing, axes: Axes) -> None:
    axes.strokes([(1, 0, 1, 1), (2, 0, 2, -1)], "firm", 1)
    axes.box((3, 5), (0, 0.5), "shade")
    assert paths(drawing) == ["M90 45L110 45L110 32.5L90 32.5Z", "M70 45L70 20M80 45L80 70"]


def test_layers_go_before_the_order_of_drawing(drawing: Drawing, axes: Axes) -> None:
    axes.post(1, "mark", 1, layer=FRONT)
    axes.post(2, "mark", 1)
    axes.post(3, "mark", 1, layer=BACK)
    assert paths(drawing) == ["M90 70L90 20", "M80 70L80 20", "M70 70L70 20"]


def test_dashes_are_lengths_in_widths_of_the_line(drawing: Drawing, axes: Axes) -> None:
    axes.rule(0, "mark", 1.5, dashes=(4, 3))
    assert 'stroke-dasharray="6,4.5"' in drawing.svg("")


def test_marks_are_cut_off_at_the_edges_and_words_are_not(drawing: Drawing, axes: Axes) -> None:
    axes.line([0, 20], [0, 5], "firm", 2)
    axes.ticks([0, 10], ["first", "last"])
    axes.levels([-1, 1], ["low", "high"])
    root = drawn(drawing)
    clip, marks = root.find("clipPath"), root.find("g")
    assert clip is not None
    assert marks is not None
    assert marks.attrib["clip-path"] == f"url(#{clip.attrib['id']})"
    assert clip[0].attrib == {"x": "60", "y": "20", "width": "100", "height": "50"}
    assert [(text.text, text.attrib["x"], text.attrib["text-anchor"]) for text in root.findall("text")] == [
        ("first", "60", "middle"), ("last", "160", "middle"), ("low", "55", "end"), ("high", "55", "end"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\"'&</text>", "$x^2$", "海康威视"])
def test_words_stay_words(drawing: Drawing, axes: Axes, text: str) -> None:
    axes.write(text, 0, 0, "ink")
    axes.tell(0, 0, text)
    root = ET.fromstring(drawing.svg(text))
    assert [element.text for element in root.iter("text")] == [text]
    assert root.attrib["aria-label"] == text
    assert json.loads(root.attrib["data-points"]) == [[60, 45, text]]
    assert root.find(".//script") is None


def test_nothing_is_told_of_a_missing_value(drawing: Drawing, axes: Axes) -> None:
    axes.tell(0, np.nan, "nothing")
    assert "data-points" not in drawn(drawing).attrib


def test_two_figures_of_a_page_share_no_id() -> None:
    told = []
    for name in ("first", "second"):
        drawing = Drawing(name, 100, 100)
        for _part in range(2):
            drawing.axes((0, 1), (0, 1)).points([0], [0], "firm", 3, f"points-{_part}")
        told += re.findall(r'id="([^"]*)"', drawing.svg(""))
    assert len(told) == len(set(told)) == 8


def test_a_page_needs_no_matplotlib() -> None:
    code = "import sys, eventstudy.report.page, eventstudy.report.many; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
