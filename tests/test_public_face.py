"""What strangers read first: citation, licence, and the files that say how to take part."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

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


@pytest.mark.parametrize("target", ["report", "test", "validation", "docs", "docs-pages", "sample", "lock"])
def test_how_to_contribute_names_every_command(root: Path, target: str) -> None:
    assert f"`make {target}`" in (root / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", ["Content-Security-Policy", "pickle", "--offline", "on_change", "read-only", "How to report"])
def test_security_says_what_is_in_scope(root: Path, word: str) -> None:
    assert word in (root / "SECURITY.md").read_text(encoding="utf-8")


def test_pages_speak_of_the_project_alone(root: Path) -> None:
    """No path of a machine stands in what people read."""
    pages = [root / "README.md", *root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "docs").rglob("*.ipynb")]
    assert [str(page) for page in pages if any(word in page.read_text(encoding="utf-8") for word in ("/tmp/", "/work/"))] == []
