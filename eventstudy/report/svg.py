"""From a matplotlib figure to an SVG that lives in the page: text as text, colours from the page's style sheet."""

from __future__ import annotations

import io
import json
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
_SETTINGS = threading.Lock()  # matplotlib's settings are the process's: two threads may write pages
_PLACEHOLDER = re.compile(r"^text(\d+)$")
_COUNTED = re.compile(r"_\d+$")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


@dataclass
class Words:
    """Texts of one figure. matplotlib lays out placeholders; the words themselves are put in afterwards.

    So neither markup, formulas nor letters that its fonts lack ever reach matplotlib, and the browser sets
    Chinese names in its own fonts.
    """

    texts: list[str] = field(default_factory=list)
    values: list[tuple[Axes, float, float, str]] = field(default_factory=list)

    def place(self, text: str) -> str:
        """Return the placeholder that stands for `text`."""
        self.texts.append(text)
        return f"text{len(self.texts) - 1}"

    def tell(self, axes: Axes, x: float, y: float, text: str) -> None:
        """Keep what is to be said of a point, given in the units of its axes, to a reader who points at it."""
        if np.isfinite(y):
            self.values.append((axes, x, y, text))

    def told(self, height: float) -> str:
        """Return the points in SVG units with their texts, as JSON; empty without any."""
        places = [(axes.transData.transform((x, y)), text) for axes, x, y, text in self.values]
        found = [[round(float(x), 1), round(height - float(y), 1), text] for (x, y), text in places]
        return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else ""


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
    with _SETTINGS, matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
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
        _adopt(element, name, words.texts)
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {"role": "img", "aria-label": label, "class": "plot"}
    if points := words.told(figure.get_size_inches()[1] * 72):
        root.set("data-points", points)
    return Markup(ET.tostring(root, encoding="unicode"))  # ElementTree escapes texts and attributes


def _strip_namespaces(root: ET.Element) -> None:
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}


def _adopt(element: ET.Element, name: str, texts: list[str]) -> None:
    attributes: Mapping[str, str] = element.attrib
    if _COUNTED.search(attributes.get("id", "")):
        del element.attrib["id"]  # matplotlib's running numbers; nothing refers to them
    elif "id" in attributes:
        element.set("id", f"{name}-{attributes['id']}")
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    if attributes.get("href", "").startswith("#"):
        element.set("href", f"#{name}-{attributes['href'][1:]}")
    for key, value in list(attributes.items()):
        if "url(#" in value:
            element.set(key, _REFERENCE.sub(rf"url(#{name}-\1)", value))
    if "style" in attributes:
        element.attrib |= _presentation(element.attrib.pop("style"), element.tag == "text")
    if element.tag == "text" and element.text:
        found = _PLACEHOLDER.match(element.text)
        if found:
            element.text = texts[int(found[1])]


def _presentation(style: str, is_text: bool) -> dict[str, str]:
    """Return a style as attributes: the page's policy lets no style attribute through."""
    for ink, colour in INKS.items():
        style = style.replace(colour, f"var(--{ink})")
    pairs = (part.partition(":") for part in style.split(";") if part.strip())
    found = {key.strip(): value.strip() for key, _, value in pairs}
    if is_text:  # the page's font, at the figure's size
        found.pop("font-family", None)
    return found
