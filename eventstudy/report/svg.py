"""From a matplotlib figure to an SVG that lives in the page: texts of the page's own, colours from its style sheet."""

from __future__ import annotations

import io
import json
import re
import threading
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Transform

# Each ink is a colour nobody else uses; in the page it becomes a CSS variable, so that light, dark and
# print have their own.
INKS = {
    "ink": "#010203",
    "muted": "#040506",
    "rule": "#070809",
    "firm": "#0a0b0c",
    "other": "#0d0e0f",
    "shade": "#101112",
    "mark": "#131415",
}
Anchor = Literal["start", "middle", "end"]
TEXT = 11.5  # SVG units
MIDDLE, BELOW = 0.37, 0.76  # from a letter's middle, and from its top, to the baseline: shares of the size
LETTER = 0.7  # its width, in wide fonts
LONGEST_NAME = 26  # Latin letters
_SETTINGS = threading.Lock()  # matplotlib's settings are the process's: two threads may write pages
_COUNTED = re.compile(r"_\d+$")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


@dataclass(frozen=True)
class Written:
    """A text at a place in the units of a transform, moved to the right and up from it; `look` are its SVG attributes.

    What has its middle there keeps `within` two bounds, in SVG units.
    """

    text: str
    place: tuple[float, float]
    units: Transform
    away: tuple[float, float]
    look: dict[str, str]
    within: tuple[float, float]

    def element(self, height: float) -> ET.Element:
        """Return the text as an element of an SVG of that height."""
        x, y = self.units.transform(self.place) + self.away
        half = letters(self.text) * LETTER * TEXT / 2
        x = min(max(x, self.within[0] + half), self.within[1] - half)
        element = ET.Element("text", {"x": f"{x:.6g}", "y": f"{height - y:.6g}"} | self.look)
        element.text = self.text
        return element


@dataclass
class Words:
    """Texts of one figure. matplotlib knows nothing of them: they become elements of the drawing beside what it drew.

    So neither markup, formulas nor letters that its fonts lack ever reach matplotlib, the browser sets Chinese names in
    its own fonts, and no text is measured in a font that the reader does not see.
    """

    written: list[Written] = field(default_factory=list)
    values: list[tuple[Axes, float, float, str]] = field(default_factory=list)

    def write(
        self, text: str, ink: str, place: tuple[float, float], units: Transform, away: tuple[float, float] = (0.0, 0.0), *,
        anchor: Anchor = "start", size: float = TEXT, bold: bool = False, within: tuple[float, float] = (-np.inf, np.inf),
    ) -> None:
        """Write a text at a place, given in `units`, moved `away` from it to the right and up, in SVG units.

        There its baseline begins, has its middle or ends, as `anchor` says; one with its middle there keeps `within` bounds.
        """  # fmt: skip
        look = {"font-size": f"{size:g}px", "fill": f"var(--{ink})"}
        look |= {"text-anchor": anchor} if anchor != "start" else {}
        look |= {"font-weight": "700"} if bold else {}
        self.written.append(Written(text, place, units, away, look, within))

    def tell(self, axes: Axes, x: float, y: float, text: str) -> None:
        """Keep what is to be said of a point, given in the units of its axes, to a reader who points at it."""
        if np.isfinite(y):
            self.values.append((axes, x, y, text))

    def told(self, height: float) -> str:
        """Return the points in SVG units with their texts, as JSON; empty without any."""
        places = [(axes.transData.transform((x, y)), text) for axes, x, y, text in self.values]
        found = [[round(float(x), 1), round(height - float(y), 1), text] for (x, y), text in places]
        return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else ""


def letters(text: str) -> int:
    """Return the width of a text in Latin letters; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many Latin letters, its end replaced by dots where it is longer."""
    if letters(text) <= most:
        return text
    while letters(text) >= most:
        text = text[:-1]
    return f"{text}…"


def blank_figure(width: float, height: float) -> Figure:
    """Return an empty transparent figure of so many SVG units."""
    figure = Figure(figsize=(width / 72, height / 72), dpi=72)
    figure.patch.set_alpha(0)
    return figure


def inline_svg(figure: Figure, name: str, words: Words, label: str) -> Markup:
    """Return a figure as inline SVG.

    Parameters
    ----------
    name : str
        Unique in the page; ids start with it, so that no two figures share one.
    label : str
        What the figure shows, for those who cannot see it.
    """
    drawn = io.BytesIO()
    with _SETTINGS, matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    # matplotlib's own output, never a file from outside
    root = ET.fromstring(drawn.getvalue())
    _strip_namespaces(root)
    for child in [child for child in root if child.tag == "metadata"]:
        root.remove(child)
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag == "style"]:
            parent.remove(child)  # it would hold for the whole page
        for child in [child for child in parent if child.tag == "path" and not child.get("d")]:
            parent.remove(child)  # a line of nothing but gaps
    for element in root.iter():
        _adopt(element, name)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"role": "img", "aria-label": label, "class": "plot"}
    height = figure.get_size_inches()[1] * 72
    root.extend(one.element(height) for one in words.written)
    if points := words.told(height):
        root.set("data-points", points)
    return Markup(ET.tostring(root, encoding="unicode"))  # ElementTree escapes texts and attributes


def _strip_namespaces(root: ET.Element) -> None:
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}


def _adopt(element: ET.Element, name: str) -> None:
    attributes: Mapping[str, str] = element.attrib
    if _COUNTED.search(attributes.get("id", "")):
        del element.attrib["id"]  # matplotlib's running numbers; nothing refers to them
    elif "id" in attributes:
        element.set("id", f"{name}-{attributes['id']}")
    if attributes.get("href", "").startswith("#"):
        element.set("href", f"#{name}-{attributes['href'][1:]}")
    for key, value in list(attributes.items()):
        if "url(#" in value:
            element.set(key, _REFERENCE.sub(rf"url(#{name}-\1)", value))
    if "style" in attributes:
        element.attrib |= _presentation(element.attrib.pop("style"))


def _presentation(style: str) -> dict[str, str]:
    """Return a style as attributes: the page's policy lets no style attribute through."""
    for ink, colour in INKS.items():
        style = style.replace(colour, f"var(--{ink})")
    pairs = (part.partition(":") for part in style.split(";") if part.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}
