"""Shell completion: the line of the page works, verbs, options, choices and files are completed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eventstudy.cli import main

PROGRAM = "import sys; from eventstudy.cli import main; main(prog_name='eventstudy')"


def ask(tmp_path: Path, **variables: str) -> str:
    """What the installed command prints for a shell; the command is put on the path as an installation does."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=os.environ | variables, cwd=tmp_path
    )
    return done.stdout


def complete(tmp_path: Path, line: str) -> list[str]:
    place = str(len(line.split(" ")) - 1)
    variables = {"_EVENTSTUDY_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": place}
    return ask(tmp_path, **variables).splitlines()


def test_verbs_are_completed(tmp_path: Path) -> None:
    assert complete(tmp_path, "eventstudy ru") == ["plain,run"]
    assert complete(tmp_path, "eventstudy ") == [f"plain,{verb}" for verb in sorted(main.commands)]


def test_configs_are_completed_as_files(tmp_path: Path) -> None:
    assert complete(tmp_path, "eventstudy run conf") == ["file,conf"]
    assert complete(tmp_path, "eventstudy check one.toml tw") == ["file,tw"]


def test_options_and_their_choices_are_completed(tmp_path: Path) -> None:
    assert complete(tmp_path, "eventstudy run --off") == ["plain,--offline"]
    assert complete(tmp_path, "eventstudy init x --source y") == ["plain,yahoo"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(tmp_path: Path, root: Path, shell: str) -> None:
    assert "_EVENTSTUDY_COMPLETE" in ask(tmp_path, _EVENTSTUDY_COMPLETE=f"{shell}_source")
    assert f"_EVENTSTUDY_COMPLETE={shell}_source eventstudy" in (root / "docs" / "completion.md").read_text(encoding="utf-8")


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_line_of_the_page_works_in_bash(tmp_path: Path) -> None:
    command = tmp_path / "eventstudy"
    command.write_text(f'#!{sys.executable}\n{PROGRAM}\n', encoding="utf-8")
    command.chmod(0o755)
    script = """
        eval "$(_EVENTSTUDY_COMPLETE=bash_source eventstudy)"
        COMP_WORDS=(eventstudy sche) COMP_CWORD=1
        $(complete -p eventstudy | sed 's/.*-F \\([^ ]*\\).*/\\1/') eventstudy sche eventstudy
        echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True,
        env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.stdout.split() == ["schedule", "schema"]
