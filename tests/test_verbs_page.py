"""The page on the verbs is today's help; every verb and option stands on it, and the examples of every verb are commands."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import click
import pytest

from eventstudy.cli import main


@pytest.fixture(scope="module")
def maker(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_verbs", root / "docs" / "make_verbs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def section(page: str, verb: str) -> str:
    return next(part for part in re.split(r"^## ", page, flags=re.MULTILINE) if part.startswith(f"{verb}\n"))


def test_page_is_made_from_todays_help(maker: ModuleType, root: Path) -> None:
    text = (root / "docs" / "verbs.md").read_text(encoding="utf-8")
    assert text == maker.page(), "the command line changed: `make docs-pages`"


@pytest.mark.parametrize("verb", sorted(main.commands))
def test_every_verb_and_option_stands_on_the_page(root: Path, verb: str) -> None:
    shown = section((root / "docs" / "verbs.md").read_text(encoding="utf-8"), verb)
    names = [name for option in main.commands[verb].params if isinstance(option, click.Option) for name in option.opts]
    assert [name for name in names if f"`{name}`" not in shown] == []


@pytest.mark.parametrize("verb", sorted(main.commands))
def test_examples_of_the_help_are_commands_of_this_verb(maker: ModuleType, verb: str) -> None:
    _, examples = maker.told(main.commands[verb])
    assert examples
    for example in examples:
        program, name, *words = shlex.split(example.split(" > ")[0])
        assert (program, name) == ("eventstudy", verb)
        main.commands[verb].make_context(verb, words)  # a usage error is raised here


def test_every_exit_code_stands_on_the_page(root: Path) -> None:
    shown = section((root / "docs" / "verbs.md").read_text(encoding="utf-8"), "Exit codes")
    assert re.findall(r"^\| (\d+) \|", shown, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "6", "7", "10"]
