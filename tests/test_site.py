"""The documentation site: it builds without a warning, its links and anchors lead somewhere, its pages ask no network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import axe_playwright_python
import pytest

ROOT = Path(__file__).parents[1]
OUTSIDE = re.compile(r"^(?:[a-z]+:)?//|^[a-z]+:", re.IGNORECASE)
IN_CSS = re.compile(r"@import\s+[\"']?([^\"';]+)|url\(\s*[\"']?([^\"')]+)", re.IGNORECASE)


class Page(HTMLParser):
    """What a page links to, what it loads, and the anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.unnamed_images: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.ids |= {found[key] for key in ("id", "name") if key in found and tag != "meta"}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "link" and "href" in found:
            self.loads.append(found["href"])
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed") and "src" in found:
            self.loads.append(found["src"])
        if tag == "img" and not found.get("alt"):
            self.unnamed_images.append(found.get("src", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning, such as a link to nowhere, ends the build."""
    pytest.importorskip("sphinx")
    pytest.importorskip("myst_nb")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(out / "trees"), "docs", str(out / "html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_markdown_page_is_on_the_site(site: Path) -> None:
    assert [page.stem for page in (ROOT / "docs").glob("*.md") if not (site / f"{page.stem}.html").is_file()] == []


def test_links_and_anchors_lead_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            if OUTSIDE.match(link):
                continue
            file, anchor = urldefrag(link)
            target = (path.parent / unquote(file)).resolve() if file else path
            if not target.is_file() or (anchor and target in pages and unquote(anchor) not in pages[target].ids):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert len(pages) > 15
    assert broken == []


def test_pages_load_nothing_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    elsewhere = [f"{path.name}: {load}" for path, page in pages.items() for load in page.loads if OUTSIDE.match(load)]
    for sheet in site.rglob("*.css"):
        targets = ["".join(found) for found in IN_CSS.findall(sheet.read_text(encoding="utf-8"))]
        elsewhere += [f"{sheet.name}: {target}" for target in targets if OUTSIDE.match(target) and not target.startswith("data:")]
    assert elsewhere == []


def test_images_say_what_they_show(pages: dict[Path, Page]) -> None:
    assert [f"{path.name}: {image}" for path, page in pages.items() for image in page.unnamed_images] == []


def test_formulas_are_set_without_a_script(site: Path, pages: dict[Path, Page]) -> None:
    methods = site / "methods.html"
    assert methods.read_text(encoding="utf-8").count("<math") > 40
    assert [load for load in pages[methods].loads if "mathjax" in load.lower()] == []


def test_the_notebook_is_kept_without_outputs_and_shown_with_them(site: Path) -> None:
    notebook = json.loads((ROOT / "docs" / "notebooks" / "research.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in cells if cell["outputs"] or cell["execution_count"]] == []
    assert (site / "notebooks" / "research.html").read_text(encoding="utf-8").count("cell_output") >= len(cells) - 1


# without preload: axe would fetch the style sheets once more
VIOLATIONS = """axe.run({preload: false, selectors: false, resultTypes: ['violations']}).then(found => found.violations
    .map(v => `${v.id}: ${v.help}: ${v.nodes[0].html.slice(0, 200)}`))"""
FEWER_ROWS = "for (const body of document.querySelectorAll('tbody')) for (const row of [...body.rows].slice(4)) row.remove()"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("index", "light"), ("quick-start", "dark"), ("configuration", "light"), ("methods", "dark"), ("validation", "light"),
        ("notebooks/research", "light"), ("notebooks/research", "dark"), ("search", "light"),
    ],
)  # fmt: skip
def test_pages_of_the_site_have_no_barrier_on_a_phone(browser: Any, site: Path, name: str, scheme: str) -> None:
    axe = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    page = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    page.goto((site / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.evaluate(FEWER_ROWS)
    page.evaluate(axe)
    assert page.evaluate(VIOLATIONS) == []
    assert said == []
    page.close()


@pytest.mark.browser
def test_the_site_is_searched_from_the_disk(browser: Any, site: Path) -> None:
    page = browser.new_page(offline=True)
    page.goto(f"{(site / 'search.html').as_uri()}?q=censored")
    page.locator("#search-results li a").first.wait_for()
    targets = page.locator("#search-results li a").evaluate_all("links => links.map(link => link.href)")
    assert all(target.startswith(site.as_uri()) for target in targets)
    page.locator("#search-results li a").first.click()
    page.wait_for_load_state()
    assert "censored" in page.locator("body").inner_text().lower()
    page.close()


def heading_anchors(text: str) -> set[str]:
    """Anchors that repository hosts give to headings."""
    titles = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md", "CHANGELOG.md"])
def test_links_between_files_of_the_repository(name: str) -> None:
    text = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if OUTSIDE.match(link):
            continue
        file, anchor = urldefrag(link)
        target = ROOT / (file or name)
        assert target.exists(), f"{name}: {link}"
        if anchor:
            assert anchor in heading_anchors(target.read_text(encoding="utf-8")), f"{name}: {link}"
