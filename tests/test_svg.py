"""Texts of figures: where they stand, and how long they may be."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from matplotlib.axes import Axes

from eventstudy.report.figures import label_across, plain_axes
from eventstudy.report.svg import TEXT, Words, blank_figure, inline_svg, letters, shortened


def drawn(write: Callable[[Axes, Words], None]) -> dict[str, dict[str, str]]:
    """Return the attributes of the texts of a figure of 200 by 100 units, whose axes run from 0 to 1 both ways."""
    figure, words = blank_figure(200, 100), Words()
    axes = plain_axes(figure, left=40, right=10, top=20, bottom=20)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    write(axes, words)
    found = re.findall(r"<text ([^>]*)>([^<]*)</text>", inline_svg(figure, "made", words, "made"))
    return {text: dict(re.findall(r'([\w-]+)="([^"]*)"', attributes)) for attributes, text in found}


def test_a_text_stands_where_it_was_written() -> None:
    def write(axes: Axes, words: Words) -> None:
        words.write("plain", "muted", (0.5, 0.25), axes.transData)
        words.write("moved", "mark", (1, 1), axes.transAxes, (-5, 8), anchor="end", size=9, bold=True)

    found = drawn(write)
    assert found["plain"] == {"x": "115", "y": "65", "font-size": f"{TEXT}px", "fill": "var(--muted)"}
    assert found["moved"] == {
        "x": "185", "y": "12", "font-size": "9px", "fill": "var(--mark)", "text-anchor": "end", "font-weight": "700",
    }  # fmt: skip


def test_markup_in_a_text_stays_text() -> None:
    assert "&lt;b&gt; &amp; $x$" in drawn(lambda axes, words: words.write("<b> & $x$", "ink", (0, 0), axes.transAxes))


def test_labels_at_the_ends_are_neither_cut_nor_below_those_at_the_side() -> None:
    found = drawn(lambda axes, words: label_across(axes, words, [0, 0.5, 1], ["5月10日", "half", "+100.0%"]))
    assert float(found["half"]["x"]) == 115
    for text, at in (("5月10日", 40), ("+100.0%", 190)):
        half = letters(text) * TEXT * 0.35
        x = float(found[text]["x"])
        assert round(x - half, 3) >= 35
        assert round(x + half, 3) <= 200
        assert x != at


@pytest.mark.parametrize(
    ("text", "most", "want"),
    [("CSI 300", 7, "CSI 300"), ("CSI 300", 6, "CSI 3…"), ("沪深300", 7, "沪深300"), ("沪深300", 6, "沪深3…")],
)
def test_long_names_are_shortened(text: str, most: int, want: str) -> None:
    assert shortened(text, most) == want
    assert letters(shortened(text, most)) <= most
