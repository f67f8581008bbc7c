"""The LaTeX of every table: what a page copies, and what a result prints, taken apart and set by TeX."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

import eventstudy as es

pytestmark = pytest.mark.browser

COPIED = """async () => {
    const found = [];
    for (const tools of document.querySelectorAll('.tools')) {
        tools.querySelectorAll('button')[1].click();
        await new Promise(done => setTimeout(done, 0));
        found.push(window.copied.pop());
    }
    return found;
}"""
CLIPBOARD = """Object.defineProperty(navigator, 'clipboard', {
    value: {writeText: async text => { (window.copied ??= []).push(text); }}
})"""
# what TeX says of a table that does not fit its page, or of a letter that its font does not have
FAULTS = re.compile(r"^!.*|^Overfull .*|.*Float too large.*|^Missing character.*", re.MULTILINE)
SPACED = 1.0  # pt: less cannot be seen


@pytest.fixture(scope="module")
def copied(opened):
    """Return what the tables of a page copy as LaTeX."""

    @cache
    def of(name: str) -> list[str]:
        with opened(name) as page:
            page.evaluate(CLIPBOARD)
            page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
            found = list(page.evaluate(COPIED))
            assert len(found) == page.locator("table").count()  # one that lost its tools is missed
            return found

    return of


@pytest.fixture(scope="module")
def printed(entity: es.StudyResult) -> list[str]:
    """Return what results print as LaTeX: many windows, and one."""
    return [entity.to_latex(label="tab:all"), entity.to_latex([(0, 3)])]


def columns(kinds: str) -> int:
    return len(re.sub(r">\{[^}]*\}|\{[^}]*\}", "", kinds))


def group(text: str) -> str:
    """Return the text up to the brace that closes the group it begins in."""
    depth = 1
    for place, letter in enumerate(text):
        if text[place - 1 : place] != "\\":
            depth += {"{": 1, "}": -1}.get(letter, 0)
        if not depth:
            return text[:place]
    raise AssertionError(text[:80])


def cells(line: str) -> int:
    spans = [int(span) for span in re.findall(r"\\multicolumn\{(\d+)\}", line)]
    return len(re.split(r"(?<!\\)&", line)) + sum(spans) - len(spans)


def check_structure(text: str) -> None:
    """Check environments, braces, the cells of every row, and that no letter is left that TeX takes for its own."""
    first, _, body = text.partition("\n")
    assert first.startswith(r"% needs \usepackage{booktabs}")
    for name, sign in (("array", r"\arraybackslash"), ("longtable", r"{longtable}"), ("pdflscape", r"{landscape}")):
        assert (rf"\usepackage{{{name}}}" in first) == (sign in body), name
    opened_ = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", body):
        if what == "begin":
            opened_.append(name)
        else:
            assert opened_.pop() == name
    assert opened_ == []
    bare = re.sub(r"\\[{}]", "", body)
    assert bare.count("{") == bare.count("}")
    rows = 0
    for found in re.finditer(r"\\begin\{(tabular|longtable)\}\{", body):
        kinds = group(body[found.end() :])
        inside = body[found.end() + len(kinds) + 1 :].partition(rf"\end{{{found[1]}}}")[0]
        for line in inside.splitlines():
            if line.endswith((r"\\", r"\\*")) and not line.startswith(r"\caption"):
                assert cells(line) == columns(kinds), line
                assert not line.startswith(("[", "*"))  # it would be an argument of the line break before
                rows += 1
            else:
                assert line == "" or line.startswith("\\"), line
    assert rows > 1
    ours = r"\\usepackage\{\w+\}|>\{[^}]*\}|\$[^$]*\$|\\[&%$#_{}\\]| & "
    assert not re.search(r"[%&#$^~|<>\"_]", re.sub(ours, " ", body).replace("~", " ")), body


@pytest.mark.parametrize("name", ["entity", "chinese", "zte", "hostile", "index", "comparison"])
def test_every_table_of_a_page_is_copied_as_sound_latex(copied, name: str) -> None:
    tables = copied(name)
    assert len(tables) > (10 if name in ("entity", "chinese", "zte") else 0)
    for text in tables:
        check_structure(text)
        assert "see the notes on the data" not in text  # the letters that lead there are not copied


def test_results_print_sound_latex(printed) -> None:
    for text in printed:
        check_structure(text)


def typeset(folder: Path, texts: Sequence[str]) -> list[str]:
    """Set tables with the packages that they name, and return what TeX finds wrong."""
    chinese = any("xelatex" in text.partition("\n")[0] for text in texts)
    engine = "xelatex" if chinese else "pdflatex"
    if shutil.which(engine) is None:
        pytest.skip(f"no table was set: no {engine} (apt-get install texlive-latex-extra texlive-xetex texlive-lang-chinese)")
    needed = dict.fromkeys(package for text in texts for package in re.findall(r"\\usepackage\{\w+\}", text.partition("\n")[0]))
    body = "\n\\clearpage\n".join(texts)
    source = "\n".join([r"\documentclass{article}", *needed, r"\begin{document}", body, r"\end{document}", ""])
    (folder / "tables.tex").write_text(source, encoding="utf-8")
    widths = folder / "tables.aux"
    for _ in range(3):  # long tables find their widths in three
        before = widths.read_bytes() if widths.is_file() else b""
        done = subprocess.run([engine, "-interaction=nonstopmode", "tables.tex"], cwd=folder, capture_output=True, check=False)
        if widths.is_file() and widths.read_bytes() == before:
            break
    said = done.stdout.decode(errors="replace") + (folder / "tables.log").read_text(encoding="utf-8", errors="replace")
    wide = re.compile(r"Overfull \\hbox \(([\d.]+)pt")
    found = [line for line in FAULTS.findall(said) if not ((fits := wide.match(line)) and float(fits[1]) < SPACED)]
    return found if (folder / "tables.pdf").is_file() else [*found, "no PDF"]


@pytest.mark.parametrize("name", ["entity", "zte", "chinese", "comparison"])
def test_tex_sets_every_table_of_a_page_on_its_page(copied, tmp_path: Path, name: str) -> None:
    assert typeset(tmp_path, copied(name)) == []


def test_tex_sets_what_results_print(printed, tmp_path: Path) -> None:
    assert typeset(tmp_path, printed) == []
