"""What strangers read first: citation, licence, and the files that say how to take part."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt
from playwright.sync_api import Browser

import eventstudy


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def test_the_citation_is_complete_and_of_this_version(root: Path, project: dict[str, object]) -> None:
    """The keys that version 1.2.0 of the format requires, and those a reader needs."""
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "type", "abstract", "keywords"} <= set(cited)
    assert all("name" in author or "family-names" in author for author in cited["authors"])
    assert cited["version"] == project["version"] == eventstudy.__version__
    assert cited["license"] == project["license"] == "BSD-3-Clause"


def test_the_licence_is_the_one_named(root: Path) -> None:
    text = (root / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("BSD 3-Clause License")
    assert "Neither the name of the copyright holder" in " ".join(text.split())


def test_how_to_contribute_names_every_command(root: Path) -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+)$", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(targets.split()) > 9
    assert [target for target in targets.split() if f"`make {target}`" not in text] == []


def test_how_to_contribute_says_how_a_sentence_becomes_chinese(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (part,) = re.findall(r"^- \*\*A sentence of the report\*\*.*?(?=^\S)", text, re.MULTILINE | re.DOTALL)
    assert "`make catalogue`" in part
    (file,) = re.findall(r"`(eventstudy/\S+\.po)`", part)
    assert (root / file).is_file()


# What a repository's front page makes of a README: its text size, spacing and width
FRONT_PAGE = """* { box-sizing: border-box; }
body { margin: 0; width: 838px; font: 16px/1.5 "Noto Sans", "Liberation Sans", Arial, sans-serif; overflow-wrap: break-word; }
h1, h2 { margin: 24px 0 16px; padding-bottom: .3em; border-bottom: 1px solid; line-height: 1.25; } h1 { font-size: 2em; }
p, ul, table, pre { margin: 0 0 16px; } ul { padding-left: 2em; } li + li { margin-top: .25em; } img { max-width: 100%; }
pre { padding: 16px; font-size: 85%; line-height: 1.45; overflow: auto; } code { font-family: "Liberation Mono", monospace; }
:not(pre) > code { padding: .2em .4em; font-size: 85%; } th, td { padding: 6px 13px; border: 1px solid; line-height: 1.5; }
table { display: block; width: max-content; max-width: 100%; border-collapse: collapse; }"""


@pytest.mark.browser
def test_the_readme_fits_two_screens_and_none_of_its_code_is_cut(root: Path, browser: Browser, tmp_path: Path) -> None:
    text = MarkdownIt("commonmark").enable("table").render((root / "README.md").read_text(encoding="utf-8"))
    file = tmp_path / "readme.html"
    file.write_text(f'<base href="{root.as_uri()}/"><meta charset="utf-8"><style>{FRONT_PAGE}</style>{text}', encoding="utf-8")
    page = browser.new_page(viewport={"width": 838, "height": 900})
    page.goto(file.as_uri())
    assert page.evaluate("document.querySelector('img').naturalWidth") > 0
    assert page.evaluate("document.body.scrollHeight") <= 1_750
    cut = "[...document.querySelectorAll('pre')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
    assert page.evaluate(cut) == []
    page.close()


@pytest.mark.parametrize("word", ["Content-Security-Policy", "pickle", "--offline", "on_change", "read-only", "How to report"])
def test_security_says_what_is_in_scope(root: Path, word: str) -> None:
    assert word in (root / "SECURITY.md").read_text(encoding="utf-8")


def test_pages_speak_of_the_project_alone(root: Path) -> None:
    """No path of a machine stands in what people read."""
    pages = [root / "README.md", *root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "docs").rglob("*.ipynb")]
    assert [str(page) for page in pages if any(word in page.read_text(encoding="utf-8") for word in ("/tmp/", "/work/"))] == []
