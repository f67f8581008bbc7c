"""The wheel: it builds, holds what the program needs, and a study runs from it alone. Long, so by `make validation`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.validation


def done(command: list[str], folder: Path, **variables: str) -> str:
    """Run a command in a folder; return what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | variables
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "eventstudy", source / "eventstudy", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(made)]
    done([*pip, str(source)], source)
    (found,) = made.glob("eventstudy_toolkit-*.whl")
    return found


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "eventstudy").rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name} - names == set()
    assert {"eventstudy/py.typed", "eventstudy/snapshot/contents.toml", "eventstudy/report/templates/report.html.j2"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"eventstudy"}


def test_a_study_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    done(install, tmp_path)
    place = done([sys.executable, "-c", "import eventstudy; print(eventstudy.__file__)"], tmp_path, PYTHONPATH=str(site))
    assert Path(place.strip()).is_relative_to(site)
    command = site / "bin" / "eventstudy"
    done([sys.executable, str(command), "init", "my-study"], tmp_path, PYTHONPATH=str(site))
    told = done([sys.executable, str(command), "run", "my-study.toml"], tmp_path, PYTHONPATH=str(site))
    assert told.startswith("my-study: ")
    assert (tmp_path / "reports" / "my-study" / "latest" / "report.html").stat().st_size > 100_000
