"""Writes docs/figures/entity-list-2019.svg from the committed sample report: `make docs-pages`, after `make sample`."""

from __future__ import annotations

import html
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "reports" / "sample" / "report.html"
FIGURE = ROOT / "docs" / "figures" / "entity-list-2019.svg"
WIDTH, HEIGHT, HEAD = 360, 250, 34


def figure(report: str) -> str:
    """Return the firms' effect paths of a report's page, side by side, as one SVG with its own light and dark colours."""
    paths = re.search(r'<figure id="paths">(.*?)</figure>', report, re.DOTALL)
    light, dark = re.findall(r":root \{(.*?)\}", report, re.DOTALL)[:2]
    if not paths:
        raise SystemExit(f"{REPORT}: has no figure with the id paths")
    names = re.findall(r'<span class="firm">(.*?)<span', paths[1])
    panels = re.findall(r"<svg [^>]*aria-label=\"([^\"]*)\"[^>]*>(.*?)</svg>", paths[1], re.DOTALL)
    about = " ".join(label.removeprefix("Effect path of ") for label, _ in panels)
    about = f"Cumulative abnormal returns from the first session after the announcement. {about}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(panels)} {HEIGHT + HEAD}" role="img">',
        f"<title>{about}</title>",
        f"<style>:root {{{light}}} @media (prefers-color-scheme: dark) {{ :root {{{dark}}} }}",
        "text { font-family: var(--font); } .name { font-size: 16px; font-weight: 600; fill: var(--ink); }</style>",
        f'<rect width="{WIDTH * len(panels)}" height="{HEIGHT + HEAD}" style="fill: var(--paper)"/>',
    ]
    for place, (name, (_, drawing)) in enumerate(zip(names, panels, strict=True)):
        shown = html.escape(html.unescape(name.strip()))
        parts.append(f'<text class="name" x="{WIDTH * place + 46}" y="24">{shown}</text>')
        box = f'x="{WIDTH * place}" y="{HEAD}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        parts.append(f"<svg {box}>{drawing}</svg>")
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(figure(REPORT.read_text(encoding="utf-8")), encoding="utf-8")
