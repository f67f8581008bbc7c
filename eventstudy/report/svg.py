"""A figure as SVG that lives in the page: marks in the units of their data, words as words, colours from its style sheet.

An ink is the name of a colour of the style sheet, so that light, dark and print have their own. Plots for a user's own
documents are matplotlib's, in `plots`; the page does without it, because drawing took half the time of a small study.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from markupsafe import Markup

TEXT = 11.5
MIDDLE, DIGITS = 0.26, 0.38  # share of its size that a text's baseline lies below its middle: of small letters, of digits
FAINT, BACK, AREA, LINE, FRONT = range(5)  # what lies over what
Values = Sequence[float] | np.ndarray


def _number(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:g}"


def _tag(name: str, attributes: Mapping[str, object], inside: str | None = None) -> str:
    given = ((key.replace("_", "-"), escape(str(value))) for key, value in attributes.items() if value not in ("", None))
    told = "".join(f' {key}="{value}"' for key, value in given)
    return f"<{name}{told}/>" if inside is None else f"<{name}{told}>{inside}</{name}>"


@dataclass
class Axes:
    """A part of a figure in which marks lie by the units of their data.

    Attributes
    ----------
    figure : str
        Name of the figure; ids start with it.
    left, top, right, bottom : float
        Edges in SVG units.
    across, up : (float, float)
        Values at the left and right edge, and at the bottom and top; to be set before anything is drawn.
    """

    figure: str
    left: float
    top: float
    right: float
    bottom: float
    across: tuple[float, float] = (0.0, 1.0)
    up: tuple[float, float] = (0.0, 1.0)
    marks: list[tuple[int, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    told: list[tuple[float, float, str]] = field(default_factory=list)

    def place(self, x: Values, y: Values) -> list[tuple[float, float]]:
        """Return points of the data in SVG units; NaN stays NaN."""
        (first, last), (low, high) = self.across, self.up
        wide, tall = (self.right - self.left) / (last - first), (self.bottom - self.top) / (high - low)
        places = self.left + (np.asarray(x, dtype=float) - first) * wide, self.bottom - (np.asarray(y, dtype=float) - low) * tall
        return list(zip(places[0].tolist(), places[1].tolist(), strict=True))

    def line(
        self, x: Values, y: Values, ink: str, width: float, *, dashes: Sequence[float] = (), name: str = "", cap: str = "square",
        opacity: float | None = None, layer: int = LINE,
    ) -> None:
        """Draw a line through points; where one is NaN it is broken.

        Parameters
        ----------
        dashes : sequence of float
            Lengths of dash and gap, in widths of the line.
        """  # fmt: skip
        parts: list[str] = []
        for run in _runs(self.place(x, y)):
            parts += ["M" + "L".join(f"{_number(a)} {_number(b)}" for a, b in run)] if len(run) > 1 else []
        if parts:
            self._stroke("".join(parts), ink, width, dashes, name, "" if dashes else cap, opacity, layer)

    def rule(self, height: float, ink: str, width: float, *, dashes: Sequence[float] = (), layer: int = LINE) -> None:
        """Draw a line across the whole width at a value."""
        self.line(self.across, (height, height), ink, width, dashes=dashes, layer=layer)

    def post(self, x: float, ink: str, width: float, *, dashes: Sequence[float] = (), name: str = "", layer: int = LINE) -> None:
        """Draw a line over the whole height at a value."""
        self.line((x, x), self.up, ink, width, dashes=dashes, name=name, layer=layer)

    def strokes(
        self, ends: Sequence[tuple[float, float, float, float]], ink: str, width: float, name: str = "", *, cap: str = "",
        opacity: float | None = None,
    ) -> None:
        """Draw straight strokes from (x, y) to (x, y) as one path: an element each would make the page heavy."""  # fmt: skip
        if not ends:
            return
        table = np.array(ends, dtype=float)
        pairs = zip(self.place(table[:, 0], table[:, 1]), self.place(table[:, 2], table[:, 3]), strict=True)
        path = "".join(f"M{_number(a)} {_number(b)}L{_number(c)} {_number(d)}" for (a, b), (c, d) in pairs)
        self._stroke(path, ink, width, (), name, cap, opacity, LINE)

    def area(self, x: Values, lows: Values, highs: Values, ink: str, opacity: float) -> None:
        """Fill between two lines; where one of them is NaN there is a gap."""
        below, above = self.place(x, lows), self.place(x, highs)
        known = [i for i, ((_, low), (_, high)) in enumerate(zip(below, above, strict=True)) if np.isfinite(low + high)]
        for run in np.split(np.array(known, dtype=int), np.flatnonzero(np.diff(known) > 1) + 1):
            if len(run) > 1:
                self._fill([below[i] for i in run] + [above[i] for i in run[::-1]], ink, opacity, AREA)

    def box(
        self, x: tuple[float, float], y: tuple[float, float], ink: str, *, opacity: float | None = None, layer: int = AREA
    ) -> None:
        """Fill a rectangle between two values across and two up."""  # fmt: skip
        self._fill(self.place([*x, *x[::-1]], [y[0], y[0], y[1], y[1]]), ink, opacity, layer)

    def points(self, x: Values, y: Values, ink: str, size: float, name: str, *, shape: str = "circle", layer: int = LINE) -> None:
        """Draw a mark at every point that is finite.

        Parameters
        ----------
        size : float
            Width of the mark without its edge, which is half a unit on either side.
        shape : str
            circle, up, down, square or diamond.
        """
        drawn = []
        for a, b in self.place(x, y):
            if np.isfinite(b):
                if shape == "circle":
                    drawn.append(_tag("circle", {"cx": _number(a), "cy": _number(b), "r": _number(size / 2 + 0.5)}))
                else:
                    corners = ((a + size * right, b + size * down) for right, down in _SHAPES[shape])
                    drawn.append(_tag("path", {"d": _closed(corners), "stroke": f"var(--{ink})"}))
        if drawn:
            marks = _tag("g", {"id": f"{self.figure}-{name}", "fill": f"var(--{ink})"}, "".join(drawn))
            self.marks.append((layer, marks))

    def ticks(self, places: Values, labels: Iterable[str]) -> None:
        """Write labels below values across."""
        for (x, _y), label in zip(self.place(places, [self.up[0]] * len(places)), labels, strict=True):
            self.write(label, x, self.bottom + 13.74, "muted", anchor="middle")

    def levels(self, places: Values, labels: Iterable[str]) -> None:
        """Rule a line at values up, and write labels to the left of them."""
        for value, (_x, y), label in zip(places, self.place([self.across[0]] * len(places), places), labels, strict=True):
            self.rule(value, "rule", 0.6, layer=BACK)
            self.write(label, self.left - 5, y + DIGITS * TEXT, "muted", anchor="end")

    def foot(self, text: str) -> None:
        """Write below the labels across."""
        self.write(text, (self.left + self.right) / 2, self.bottom + 29, "muted", anchor="middle")

    def above(self, text: str, ink: str, *, right: bool = False) -> None:
        """Write above, where no line can cross the words."""
        x, anchor = (self.right, "end") if right else (self.left - 38, "start")
        self.write(text, x, self.top - 8, ink, anchor=anchor, bold=True)

    def write(
        self, text: str, x: float, y: float, ink: str, *, anchor: str = "start", size: float = TEXT, bold: bool = False
    ) -> None:
        """Write a text whose baseline starts, has its middle or ends at a place in SVG units."""
        attributes = {
            "x": _number(x), "y": _number(y), "font_size": f"{size:g}px", "font_weight": "700" if bold else "",
            "text_anchor": anchor, "fill": f"var(--{ink})",
        }  # fmt: skip
        self.texts.append(_tag("text", attributes, escape(text)))

    def tell(self, x: float, y: float, text: str) -> None:
        """Keep what is to be said of a point to a reader who points at it."""
        if np.isfinite(y):
            ((across, down),) = self.place([x], [y])
            self.told.append((round(across, 1), round(down, 1), text))

    def _stroke(
        self, path: str, ink: str, width: float, dashes: Sequence[float], name: str, cap: str, opacity: float | None, layer: int
    ) -> None:
        attributes = {
            "d": path, "fill": "none", "stroke": f"var(--{ink})", "stroke_width": f"{width:g}", "stroke_linecap": cap,
            "stroke_dasharray": ",".join(_number(length * width) for length in dashes), "opacity": opacity,
        }  # fmt: skip
        drawn = _tag("path", attributes)
        self.marks.append((layer, _tag("g", {"id": f"{self.figure}-{name}"}, drawn) if name else drawn))

    def _fill(self, corners: Iterable[tuple[float, float]], ink: str, opacity: float | None, layer: int) -> None:
        self.marks.append((layer, _tag("path", {"d": _closed(corners), "fill": f"var(--{ink})", "opacity": opacity})))

    def drawn(self, clip: str, *, base: bool) -> str:
        """Return the marks, cut off at the edges, the base line and the words over them."""
        frame = {"x": self.left, "y": self.top, "width": self.right - self.left, "height": self.bottom - self.top}
        cut = _tag("clipPath", {"id": clip}, _tag("rect", {key: _number(value) for key, value in frame.items()}))
        ordered = (mark for _layer, mark in sorted(self.marks, key=lambda mark: mark[0]))
        marks = _tag("g", {"clip_path": f"url(#{clip})"}, "".join(ordered))
        ground = {"d": f"M{_number(self.left)} {_number(self.bottom)}H{_number(self.right)}", "stroke": "var(--rule)"}
        return "".join([cut, marks, _tag("path", ground | {"stroke_width": "0.8"}) if base else "", *self.texts])


_SHAPES = {
    "up": ((0, -0.5), (-0.5, 0.5), (0.5, 0.5)),
    "down": ((0, 0.5), (0.5, -0.5), (-0.5, -0.5)),
    "square": ((-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)),
    "diamond": ((0, 0.707), (0.707, 0), (0, -0.707), (-0.707, 0)),
}


def _closed(corners: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_number(a)} {_number(b)}" for a, b in corners) + "Z"


def _runs(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Return the stretches of points without NaN."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if np.isfinite(point[0]) and np.isfinite(point[1]):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


@dataclass
class Drawing:
    """A figure of so many SVG units; its name is unique in the page, and ids start with it."""

    name: str
    width: float
    height: float
    _parts: list[tuple[Axes, bool]] = field(default_factory=list)

    def axes(
        self, across: tuple[float, float], up: tuple[float, float], *, left: float = 46, top: float = 26, right: float = 12,
        bottom: float = 38, base: bool = True,
    ) -> Axes:
        """Return axes with margins around them, and a line at their foot with `base`."""  # fmt: skip
        ends = ((float(across[0]), float(across[1])), (float(up[0]), float(up[1])))
        self._parts.append((Axes(self.name, left, top, self.width - right, self.height - bottom, *ends), base))
        return self._parts[-1][0]

    def svg(self, label: str) -> Markup:
        """Return the figure; `label` is what it shows, for those who cannot see it."""
        told = [point for axes, _ in self._parts for point in axes.told]
        attributes = {
            "viewBox": f"0 0 {_number(self.width)} {_number(self.height)}", "role": "img", "aria_label": label, "class": "plot",
            "data_points": json.dumps(told, ensure_ascii=False, separators=(",", ":")) if told else "",
        }  # fmt: skip
        drawn = (axes.drawn(f"{self.name}-area-{place}", base=base) for place, (axes, base) in enumerate(self._parts))
        return Markup(_tag("svg", attributes, "\n".join(drawn)))
