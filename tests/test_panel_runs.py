"""Studies of many events from a config: run folders, Parquet, the page, dask."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from test_panel import made_events, made_prices

import eventstudy as es
from eventstudy.cli import main
from eventstudy.errors import ConfigError
from eventstudy.panel.result import WRITTEN, PanelResult
from eventstudy.report import render_report

CONFIG = """\
[study]
name = "many"
title = "Many made-up events"
events = "events.csv"

[market]
calendar = "benchmark"
benchmark = "INDEX"

[data]
source = "files"

[data.files]
prices = "prices.parquet"
benchmark = "index.csv"

[windows]
estimation = [-120, -21]
event = [-10, 10]
car = [[0, 3], [-10, 10]]
min_observations = 70

[model]
name = "market"
returns = "log"

[inference]
headline_window = [0, 3]
tests = ["portfolio_t", "kp_bmp", "cross_sectional_t", "grank", "placebo_caar"]
"""
EVENTS = 520


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config of some five hundred events with its files."""
    place = tmp_path_factory.mktemp("many")
    prices, benchmark = made_prices(31, shares=25)
    rows = prices.stack().rename("close").reset_index()
    rows.columns = ["date", "symbol", "close"]
    rows.to_parquet(place / "prices.parquet")
    benchmark.rename("close").rename_axis("date").to_csv(place / "index.csv")
    made_events(prices, 31, count=EVENTS).drop(columns="group").to_csv(place / "events.csv", index=False)
    (place / "study.toml").write_text(CONFIG, encoding="utf-8")
    return place


def run(folder: Path, out: Path, *options: str, config: str = "study.toml") -> Any:
    return CliRunner().invoke(main, ["run", str(folder / config), "--out", str(out), *options])


def test_a_run_folder_holds_the_tables_and_a_page_of_the_mean(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path)
    assert done.exit_code == 0, done.output
    latest = tmp_path / "many" / "latest"
    assert {path.stem for path in (latest / "tables").iterdir()} == {*WRITTEN, "changes"}
    cars = pd.read_csv(latest / "tables" / "cars.csv", keep_default_na=False)
    excluded = pd.read_csv(latest / "tables" / "exclusions.csv")
    assert len(cars) == 2 * (EVENTS - len(excluded))
    page = (latest / "report.html").read_text(encoding="utf-8")
    defined = cars[(cars["window_end"] == 3) & (cars["status"] == "ok")]
    counted = defined.merge(pd.read_csv(latest / "tables" / "events.csv"), on=["event_id", "symbol"])
    once = counted.drop_duplicates(["symbol", "event_session"])
    mean = np.expm1(once["car"].astype(float).mean())
    shown = f"{'−' if mean < 0 else '+'}{abs(100 * mean):.2f}%"
    assert f"the {len(once)} events with a CAR moved the share price by {shown} on average" in page
    assert "\nmany: unchanged, " in run(folder, tmp_path).output


def test_parquet_tables_hold_what_the_csv_files_hold(folder: Path, tmp_path: Path) -> None:
    (folder / "parquet.toml").write_text(CONFIG + '\n[output]\nformat = "parquet"\n', encoding="utf-8")
    for out, config in (("csv", "study.toml"), ("parquet", "parquet.toml")):
        assert run(folder, tmp_path / out, config=config).exit_code == 0
    for name in (*WRITTEN, "changes"):
        text = pd.read_csv(tmp_path / "csv" / "many" / "latest" / "tables" / f"{name}.csv", dtype=str, keep_default_na=False)
        table = pd.read_parquet(tmp_path / "parquet" / "many" / "latest" / "tables" / f"{name}.parquet")
        assert list(table.columns) == list(text.columns)
        for column in table:
            cells = table[column].map(lambda value: "" if pd.isna(value) else str(value))
            assert cells.tolist() == text[column].tolist(), (name, column)
    latest = (tmp_path / "parquet" / "many" / "latest").readlink().name
    repeated = run(folder, tmp_path / "parquet", "--as-of", latest, config="parquet.toml")
    assert repeated.exit_code == 0, repeated.output
    assert "repeated" in repeated.output


def test_another_run_is_compared_with_the_one_before(folder: Path, tmp_path: Path) -> None:
    assert run(folder, tmp_path).exit_code == 0
    events = pd.read_csv(folder / "events.csv", keep_default_na=False)
    (folder / "fewer.csv").write_text(events.iloc[:-1].to_csv(index=False), encoding="utf-8")
    (folder / "fewer.toml").write_text(CONFIG.replace("events.csv", "fewer.csv"), encoding="utf-8")
    done = run(folder, tmp_path, config="fewer.toml")
    assert done.exit_code == 0, done.output
    changes = pd.read_csv(tmp_path / "many" / "latest" / "tables" / "changes.csv", dtype=str, keep_default_na=False)
    assert (changes["subject"].str.contains(events["event_id"].iloc[-1])).any()


def test_the_page_tells_an_effect_that_is_there() -> None:
    prices, benchmark = made_prices(33, shares=30, idle=0.0)
    events = made_events(prices, 33, count=600).drop(columns="group")
    known = events[events["symbol"] != "ABSENT"].iloc[3:]
    moved = prices.copy()
    for symbol, session in zip(known["symbol"], known["session"], strict=True):
        moved.loc[session:, symbol] *= np.exp(-0.03)
    windows = es.Windows(estimation=(-120, -21), event=(-10, 10), car=[(0, 0)], min_observations=70)
    found = es.event_study(events, moved, benchmark, windows=windows, tests=["portfolio_t", "kp_bmp", "grank"])
    assert isinstance(found, PanelResult)
    page = render_report(found)
    mean = re.search(r"moved the share price by −([\d.]+)% on average \(95% interval −([\d.]+)% to −([\d.]+)%\)", page)
    assert mean is not None
    value, low, high = (float(text) for text in mean.groups())
    assert high < value < low
    assert high < 100 * (1 - np.exp(-0.03)) < low
    assert "adjusted BMP: p &lt; 0.001" in page.replace("\u00a0", " ")


def tables_of(found: es.StudyResult) -> dict[str, bytes]:
    names = ("events", "models", "cars", "abnormal_returns", "tests")
    return {name: getattr(found, name).to_csv(index=False).encode() for name in names}


def asked(**further: Any) -> es.StudyResult:
    prices, benchmark = made_prices(41, shares=30)
    windows = es.Windows(estimation=(-120, -21), event=(-10, 10), car=[(0, 3)], min_observations=70)
    events = made_events(prices, 41, count=600)
    return es.event_study(events, prices, benchmark, windows=windows, tests=["kp_bmp", "grank"], **further)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A scheduler with two workers in processes of their own, on loopback."""
    import distributed

    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1", silence_logs=50
    ) as made:
        yield made


@pytest.mark.filterwarnings("ignore")
def test_dask_gives_the_same_bytes_and_survives_a_lost_worker(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from eventstudy.panel import engines

    local = tables_of(asked())
    assert tables_of(asked(engine="dask", scheduler=cluster.scheduler_address)) == local
    monkeypatch.setattr(engines, "CHUNK", 5)  # many tasks, so that a worker dies among them
    first = next(iter(cluster.workers.values()))
    seen: list[tuple[int, int]] = []

    def kill_once(done: int, of: int) -> None:
        seen.append((done, of))
        if done == 10:
            os.kill(first.pid, signal.SIGKILL)

    assert tables_of(asked(engine="dask", scheduler=cluster.scheduler_address, progress=kill_once)) == local
    assert seen[-1] == (120, 120)


def test_an_address_without_a_scheduler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from eventstudy.panel import engines

    monkeypatch.setattr(engines, "PATIENCE", 1)
    with pytest.raises(ConfigError, match=r"no dask scheduler answers at 'tcp://127.0.0.1:1'"):
        asked(engine="dask", scheduler="tcp://127.0.0.1:1")


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="engine = 'spark' is none of local, dask"):
        asked(engine="spark")
