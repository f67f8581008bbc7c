"""Deliberate mistakes: each formula is made wrong in a copy of the package, and its tests must notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mistakes import IN_EVERY_RUN, MISTAKES, Mistake

import eventstudy

PACKAGE, TESTS = Path(eventstudy.__file__).parent, Path(__file__).parent


def outcome(mistake: Mistake, folder: Path) -> int:
    """Return pytest's exit status of the tests of a mistake, run on a copy of the package that has it."""
    shutil.copytree(PACKAGE, folder / "eventstudy", ignore=shutil.ignore_patterns("snapshot"))
    path = folder / "eventstudy" / mistake.file
    path.write_text(path.read_text(encoding="utf-8").replace(mistake.right, mistake.wrong), encoding="utf-8")
    paths = os.pathsep.join([str(folder), str(TESTS)])
    alone = ["-p", "no:cacheprovider", "-o", f"pythonpath={TESTS}"]  # not the checkout, which has the package without the mistake
    command = [sys.executable, "-m", "pytest", "-q", "-x", *alone, str(TESTS / mistake.caught_by)]
    code = f"import eventstudy, sys; sys.exit({str(folder)!r} not in eventstudy.__file__)"
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    assert subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=False).returncode == 0
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda item: f"{item.file}: {item.wrong[:40]}")
def test_every_mistake_still_fits_the_code(mistake: Mistake) -> None:
    assert (PACKAGE / mistake.file).read_text(encoding="utf-8").count(mistake.right) == 1


@pytest.mark.parametrize("place", IN_EVERY_RUN)
def test_a_mistake_is_caught(place: int, tmp_path: Path) -> None:
    assert outcome(MISTAKES[place], tmp_path) == 1


@pytest.mark.validation
@pytest.mark.parametrize("place", [place for place in range(len(MISTAKES)) if place not in IN_EVERY_RUN])
def test_every_mistake_is_caught(place: int, tmp_path: Path) -> None:
    assert outcome(MISTAKES[place], tmp_path) == 1
