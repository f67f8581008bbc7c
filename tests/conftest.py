"""Shared fixtures: the command line called in-process, synthetic panels, studies on disk, and the real study, run once."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tomli_w
from click.testing import CliRunner, Result
from filelock import FileLock

ROOT = Path(__file__).parents[1]

Cli = Callable[..., Result]


def pytest_configure(config: pytest.Config) -> None:
    """Let exchange_calendars use what pandas 3.1 is going to change; every other warning stays an error."""
    for start in ("Series.values returning an ndarray", "DatetimeIndex.weekday is deprecated"):
        config.addinivalue_line("filterwarnings", f"ignore:{start}:pandas.errors.Pandas4Warning")


LONG = ("test_kills", "test_evenings", "test_mistakes", "test_site")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long tests, so that no worker is left with one of them when the others are done."""
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture(scope="session", autouse=True)
def _own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep prices away from the user's own data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium from the system; without one these tests are skipped, but never where everything must run."""
    from playwright.sync_api import sync_playwright

    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None:
        assert not os.environ.get("CI"), "no Chromium: apt-get install chromium"
        pytest.skip("the pages are not looked at: no Chromium on this machine (apt-get install chromium)")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str], Path]:
    """Make a folder by its name that all workers see: what is made in it under a lock is made once."""
    own = tmp_path_factory.getbasetemp()
    base = own if worker_id == "master" else own.parent

    def folder(name: str) -> Path:
        made = base / name
        made.mkdir(exist_ok=True)
        return made

    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def cli() -> Cli:
    """Call a verb in-process: ``cli("run", path)``."""
    from eventstudy.cli import main

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return call


@pytest.fixture(scope="session")
def read_csv() -> Callable[[Path], list[dict[str, str]]]:
    """Read a table as text, so that nothing is rounded or guessed."""

    def read(path: Path) -> list[dict[str, str]]:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return read


@dataclass(frozen=True)
class Panel:
    """Prices of a few firms that follow the benchmark, on weekdays; `day(k)` is the date of session k."""

    prices: pd.DataFrame
    benchmark: pd.Series

    def day(self, place: int) -> str:
        return f"{self.prices.index[place]:%Y-%m-%d}"

    def long(self) -> pd.DataFrame:
        """One row a date and symbol, absent where there is no price."""
        table = self.prices.rename_axis("date").reset_index().melt("date", var_name="symbol", value_name="close")
        return table.dropna().assign(date=lambda rows: rows["date"].dt.strftime("%Y-%m-%d")).reset_index(drop=True)

    def events(self, place: int, symbols: list[str] | None = None, prefix: str = "e") -> pd.DataFrame:
        names = symbols or list(self.prices.columns)
        rows = [{"event_id": f"{prefix}-{name}", "symbol": name, "session": self.day(place)} for name in names]
        return pd.DataFrame(rows)


def make_panel(symbols: tuple[str, ...] = ("AAA", "BBB", "CCC"), sessions: int = 160, seed: int = 7) -> Panel:
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2018-01-01", periods=sessions)
    market = rng.normal(0.0003, 0.012, sessions)
    common = rng.normal(0, 0.01, sessions)
    prices = {}
    for place, name in enumerate(symbols):
        returns = 0.0005 + (0.8 + 0.3 * place) * market + common + rng.normal(0, 0.017, sessions)
        prices[name] = 20 * (place + 1) * np.exp(np.cumsum(returns))
    return Panel(pd.DataFrame(prices, index=days), pd.Series(3000 * np.exp(np.cumsum(market)), index=days))


@pytest.fixture(scope="session")
def panel() -> Callable[..., Panel]:
    """Make a panel; the same arguments give the same one."""
    return make_panel


def study_config(**changes: Any) -> dict[str, Any]:
    """A study of user files on the benchmark's dates; sections given here are merged into it."""
    config: dict[str, Any] = {
        "study": {"name": "panel", "title": "panel", "events": "events.csv"},
        "market": {"calendar": "benchmark", "benchmark": "INDEX"},
        "data": {"source": "files", "files": {"prices": "prices.csv", "benchmark": "benchmark.csv"}},
        "windows": {"estimation": [-100, -11], "event": [-5, 10], "car": [[0, 3]], "min_observations": 60},
        "model": {"name": "market", "returns": "log", "suspensions": "trade-to-trade"},
        "inference": {"tests": ["cross_sectional_t", "portfolio_t"], "alpha": 0.05},
    }
    for key, value in changes.items():
        config[key] = {**config[key], **value} if isinstance(value, dict) and key in config else value
    return config


@pytest.fixture(scope="session")
def config_of() -> Callable[..., dict[str, Any]]:
    """Make a config as a dict."""
    return study_config


def write_study(folder: Path, panel: Panel, events: pd.DataFrame, prices: pd.DataFrame | None = None, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (panel.long() if prices is None else prices).to_csv(folder / "prices.csv", index=False)
    panel.benchmark.rename_axis("date").rename("close").to_csv(folder / "benchmark.csv", date_format="%Y-%m-%d")
    events.to_csv(folder / "events.csv", index=False)
    path = folder / "study.toml"
    path.write_text(tomli_w.dumps(study_config(**changes)), encoding="utf-8")
    return path


@pytest.fixture
def study_on_disk(tmp_path: Path) -> Callable[..., Path]:
    """Write prices, benchmark, events and config into a fresh folder; return the config's path."""
    return partial(write_study, tmp_path / "study")


@pytest.fixture
def undrawn() -> Iterator[pytest.MonkeyPatch]:
    """Leave out of this process's pages, until undone, the drawings that nobody looks at: they take half the time of a run."""
    from eventstudy.report import pictures

    with pytest.MonkeyPatch.context() as patch:
        for name in ("paths_figure", "price_figure", "others_figure", "estimation_figure", "placebo_dates", "leak_figure"):
            patch.setattr(pictures, name, lambda *_: None)
        yield patch


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory, cli: Cli) -> Path:
    """A folder with a study of three firms in `study`, run once into `reports`."""
    folder, made = tmp_path_factory.mktemp("first"), make_panel(sessions=150)
    done = cli("run", write_study(folder / "study", made, made.events(120)), "--out", folder / "reports")
    assert done.exit_code == 0, done.stderr
    return folder


@pytest.fixture
def ran(first_run: Path, tmp_path: Path) -> Path:
    """The config of a study that was run once into the folder's `reports`; a copy of the test's own."""
    shutil.copytree(first_run, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path / "study" / "study.toml"


@pytest.fixture(scope="session")
def entity():
    """The Entity List study, computed once."""
    import eventstudy as es

    return es.run_study(ROOT / "configs" / "entity-list-2019.toml")


@pytest.fixture(scope="session")
def entity_page(entity, shared: Callable[[str], Path]) -> str:
    """The page of the Entity List study, written once for all workers."""
    from eventstudy.report import render_report

    file = shared("entity-page") / "report.html"
    with FileLock(file.with_suffix(".lock")):
        if not file.exists():
            file.write_text(render_report(entity, {"eventstudy": "0.0", "Python": "3"}), encoding="utf-8")
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def zte():
    """The study of ZTE's denial order of 2018, computed once."""
    import eventstudy as es

    return es.run_study(ROOT / "configs" / "zte-denial-2018.toml")


@pytest.fixture(scope="session")
def leak():
    """The study of the press reports of May 2019, computed once."""
    import eventstudy as es

    return es.run_study(ROOT / "configs" / "entity-list-leak-2019.toml")


@dataclass(frozen=True)
class Outcome:
    """What one call of the command line said."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def entity_runs(cli: Cli, shared: Callable[[str], Path]) -> tuple[Path, list[Outcome]]:
    """The reports folder of the Entity List study, run, forced again, and run without need; the three outcomes.

    The first worker that asks makes it for all of them.
    """
    folder = shared("entity")
    out, told = folder / "reports", folder / "outcomes.json"
    with FileLock(folder / "lock"):
        if not told.exists():
            config = ROOT / "configs" / "entity-list-2019.toml"
            calls = [cli("run", config, "--out", out, *more) for more in ([], ["--force"], [])]
            told.write_text(json.dumps([[call.exit_code, call.stdout, call.stderr] for call in calls]), encoding="utf-8")
    return out, [Outcome(*parts) for parts in json.loads(told.read_text(encoding="utf-8"))]


@pytest.fixture(scope="session")
def page_of(entity_runs: tuple[Path, list[Outcome]], shared: Callable[[str], Path]) -> Callable[[str], Path]:
    """Return the file of a page of `pages` by its name, made once for all workers."""
    from pages import MADE

    folder, reports = shared("pages"), entity_runs[0]

    def made(name: str) -> Path:
        if name == "entity":
            return reports / "entity-list-2019" / "latest" / "report.html"
        if name == "index":
            return reports / "index.html"
        file = folder / f"{name}.html"
        (folder / name).mkdir(exist_ok=True)
        with FileLock(folder / f"{name}.lock"):
            if not file.exists():
                file.write_text(MADE[name](folder / name), encoding="utf-8")
        return file

    return made


@pytest.fixture(scope="session")
def opened(browser: Any, page_of: Callable[[str], Path]) -> Callable[..., AbstractContextManager[Any]]:
    """Open a page by its name, or a file; check that it asks for nothing, and that neither it nor the browser complains.

    One window shows them all, in half the time that a new one takes; only what has options of its own gets its own.
    """
    from pages import DESK

    context, shows = browser.new_context(offline=True), count(1)

    def window() -> Any:
        if next(shows) % 20 == 0:
            context.pages[0].close()  # with the memory of all it has shown
        return context.pages[0] if context.pages else context.new_page()

    @contextmanager
    def shown(name: str | Path, screen: dict[str, int] = DESK, **options: Any) -> Iterator[Any]:
        file = page_of(name) if isinstance(name, str) else name
        page = browser.new_context(offline=True, **options).new_page() if options else window()
        said: list[str] = []
        heard = {
            "console": lambda message: said.append(message.text),
            "pageerror": lambda error: said.append(str(error)),
            "request": lambda request: said.append(request.url) if request.url.split("#")[0] != file.as_uri() else None,
        }
        for event, hear in heard.items():
            page.on(event, hear)
        page.set_viewport_size(screen)
        page.goto(file.as_uri())
        try:
            yield page
        finally:
            for event, hear in heard.items():
                page.remove_listener(event, hear)
            if options:
                page.context.close()
            else:
                page.emulate_media(media="null", color_scheme="light")
                page.goto("about:blank")
        assert said == []

    return shown


@pytest.fixture
def base(study_on_disk: Callable[..., Path]) -> Path:
    """The config of a study of user files that runs."""
    made = make_panel()
    return study_on_disk(made, made.events(130))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A reports folder that is not there yet."""
    return tmp_path / "reports"


def files_under(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir() and path.name != ".lock")


@pytest.fixture
def left_behind() -> Callable[[Path], list[str]]:
    """List everything under a folder but locks and empty folders."""
    return files_under


@pytest.fixture
def refused(cli: Cli, out: Path) -> Callable[..., str]:
    """Run a config; check exit code, one sentence and that nothing was written; return the sentence."""

    def run(config: Path, code: int, *parts: str, where: str = "") -> str:
        done = cli("run", config, "--out", out)
        assert done.exit_code == code, (done.exit_code, done.stderr)
        lines = done.stderr.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("eventstudy: ")
        assert "Traceback" not in lines[0]
        assert "internal error" not in lines[0]
        assert done.stdout == ""
        for part in (where or config.name, *parts):
            assert part in lines[0]
        assert not out.exists() or files_under(out) == []
        return lines[0]

    return run


@pytest.fixture
def run_through(cli: Cli) -> Callable[..., list[str]]:
    """Run a config that finishes; check the exit code and return what was said on stderr."""

    def run(config: Path, out: Path, code: int = 0, *options: str) -> list[str]:
        done = cli("run", config, "--out", out, *options)
        assert done.exit_code == code, (done.exit_code, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stderr.splitlines()

    return run
