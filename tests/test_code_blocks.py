"""Every fenced block of README and docs: Python runs, configs are read, commands are taken by the program and run where cheap."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from code_blocks import PAGES, ROOT, Block, blocks

from eventstudy.cli import main
from eventstudy.configfile import spec_from_dict

ENTITY = tomllib.loads((ROOT / "configs" / "entity-list-2019.toml").read_text(encoding="utf-8"))
SHELL, RUN = ("console", "sh"), ("console", "sh", "python")
PLAIN = {"text", "csv", "{toctree}"}
# Run in full by other tests, and too long to be run again for every page that shows them.
ELSEWHERE = {"run configs/entity-list-2019.toml"}
CHEAP = {"init", "schema", "schedule", "list", "check", "seal", "--version"}
# Seconds each: run where their output is shown, and once of all the pages that show the same without it.
ONCE = {"power", "explain"}
RAN: set[str] = set()
QUICK = ROOT / "docs" / "quick-start.md"  # the study it makes is run, too


def of(page: Path, *languages: str) -> list[Block]:
    return [block for block in blocks(*languages) if block.page == page]


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    known = {*RUN, "toml", *PLAIN}
    unknown = [block.id for block in blocks() if block.language not in known and not block.language.startswith("{include}")]
    assert unknown == []


def test_a_block_is_marked_as_not_run_only_with_a_reason_and_seldom() -> None:
    marked = [block for block in blocks() if block.why]
    assert all(len(block.why.split()) > 2 for block in marked)
    assert len(marked) <= 3


TOML = list(blocks("toml"))


@pytest.mark.parametrize("block", TOML, ids=[block.id for block in TOML])
def test_a_config_or_its_tables_are_valid(block: Block) -> None:
    content = tomllib.loads(block.text)
    first = next(iter(of(block.page, "toml")))
    base = ENTITY if "study" not in tomllib.loads(first.text) else tomllib.loads(first.text)
    whole = content if "study" in content else base | content
    if "leak" in whole and not {"event", "leak"} <= set(content):
        whole = {key: table for key, table in whole.items() if key in content or key not in ("leak", "robustness")}
    spec_from_dict(whole)


def words(command: str) -> list[str]:
    """A command's words: without comment, leading variables, substitution, redirection and what follows a pipe."""
    inner = re.fullmatch(r'eval "\$\((.*)\)"', command)
    found = shlex.split(inner[1] if inner else command, comments=True)
    while found and re.match(r"^[A-Z_]+=", found[0]):
        del found[0]
    ends = [place for place, word in enumerate(found) if word in (">", ">>", "|", "&&")]
    return found[: ends[0]] if ends else found


def check_eventstudy(arguments: list[str]) -> None:
    """The verb is there, takes these arguments and options, and the files of this repository that are named exist."""
    if not arguments or arguments[0] == "--version":
        return
    parent = click.Context(main, info_name="eventstudy")
    name, command, rest = main.resolve_command(parent, list(arguments))
    assert command is not None
    command.make_context(name, rest, parent=parent)
    for word in arguments[1:]:
        if word.startswith(("configs/", "docs/")):
            assert list(ROOT.glob(word)), f"{word} is not there"


def check_command(parts: list[str]) -> None:
    if parts[0] == "eventstudy":
        check_eventstudy(parts[1:])
    elif parts[0] == "make":
        targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        assert {word for word in parts[1:] if "=" not in word} <= targets
    elif parts[:2] == ["pip", "install"]:
        known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for word in parts[2:]:
            name, _, extras = word.rstrip("]").partition("[")
            assert name in (".", known["name"])
            assert set(extras.split(",")) - {""} <= set(known["optional-dependencies"])
    elif parts[:2] == ["git", "clone"]:
        assert len(parts) > 2
    else:
        assert parts[0] in ("export", "echo"), f"nothing checks this command: {parts}"


def test_the_check_of_commands_can_fail() -> None:
    for wrong in ("eventstudy rum x.toml", "eventstudy run x.toml --ot y", "eventstudy run", "eventstudy schedule x --at",
                  "eventstudy init n --source yaho"):  # fmt: skip
        with pytest.raises(click.UsageError):
            check_command(wrong.split())
    for wrong in ("eventstudy run configs/no.toml", "make nothing", "pip install .[nothing]", "rm x"):
        with pytest.raises(AssertionError):
            check_command(wrong.split())


def pattern(shown: list[str]) -> str:
    """What the output must match: the lines shown, with anything for `...`, whether within a line or as lines left out."""
    parts = [".*" if line.strip() == "..." else re.escape(line).replace(re.escape("..."), "[^\n]*") + "\n" for line in shown]
    return "(?s)" + "".join(parts)


def test_the_output_shown_is_compared() -> None:
    assert re.search(pattern(["a", "...", "b: ... c"]), "a\nx\ny\nb: 17 c\n")
    assert not re.search(pattern(["a", "b"]), "a\nx\nb\n")
    assert not re.search(pattern(["a: ..."]), "b: 1\n")


def runs_here(page: Path, parts: list[str]) -> bool:
    """Whether a command is run: its files are there, it needs no network, and no other test runs the same at length."""
    if parts[0] != "eventstudy" or len(parts) < 2 or " ".join(parts[1:]) in ELSEWHERE:
        return False
    if parts[1] == "compare" or (page == QUICK and parts[1] == "run"):
        return True
    configs = [word for word in parts[2:] if word.endswith(".toml")]
    there = all(Path(word).is_file() and 'source = "yahoo"' not in Path(word).read_text(encoding="utf-8") for word in configs)
    return parts[1] in {*CHEAP, *ONCE} and there and "*" not in " ".join(parts)


def of_two_runs(parts: list[str], study: Path) -> list[str]:
    """A comparison as it is shown, of two runs that there are in the place of the two that it names."""
    older, newer = sorted(str(folder) for folder in study.iterdir() if folder.is_dir() and not folder.is_symlink())
    return [*parts[:2], older, newer, *parts[4:]]


@pytest.mark.parametrize("page", [page for page in PAGES if of(page, *RUN)], ids=lambda page: page.name)
def test_blocks_of_a_page_run_in_order(
    page: Path, cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "COLUMNS", "100")
    names: dict[str, Any] = {"__name__": "page"}
    for block in of(page, *RUN):
        if block.language == "python":
            if not block.why:
                exec(compile(block.text, block.id, "exec"), names)
            continue
        for command, shown in block.commands:
            parts = words(command)
            check_command(parts)
            told = " ".join(parts)
            if told in RAN and parts[1] in ONCE and not shown:
                continue
            if not block.why and runs_here(page, parts):
                RAN.add(told)
                if parts[1] == "compare":
                    parts = of_two_runs(parts, request.getfixturevalue("entity_runs")[0] / "entity-list-2019")
                done = cli(*parts[1:])
                assert done.exit_code == 0, (block.id, command, done.stderr)
                assert re.search(pattern(shown), done.stdout), (block.id, command, done.stdout)


def test_every_verb_but_fetch_is_run_on_some_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """`fetch` asks a remote source."""
    monkeypatch.chdir(ROOT)
    shown = [(block.page, words(command)) for block in blocks(*SHELL) if not block.why for command, _ in block.commands]
    assert set(main.commands) - {parts[1] for page, parts in shown if runs_here(page, parts)} == {"fetch"}
