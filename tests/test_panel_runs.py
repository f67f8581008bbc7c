"""Studies of many events from a config: run folders, Parquet, the page, dask."""

from __future__ import annotations

import os
import re
import signal
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from click.testing import CliRunner
from test_panel import made_events, made_prices
from test_report import NASTY, checked

import eventstudy as es
from eventstudy.cli import main
from eventstudy.errors import ConfigError, DataError
from eventstudy.panel.result import WRITTEN, PanelResult
from eventstudy.report import render_report
from eventstudy.report.numbers import window_in_words

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


def signed(value: float) -> str:
    """Return a percentage as sentences have it: one digit, two where one would round to zero, no sign where two do."""
    size = f"{abs(100 * value):.{2 if abs(100 * value) < 0.05 else 1}f}%"
    return size if float(size.rstrip("%")) == 0 else f"{'−' if value < 0 else '+'}{size}"


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
    cars_once = once["car"].astype(float)
    mean, median = np.expm1([cars_once.mean(), cars_once.median()])
    tests = pd.read_csv(latest / "tables" / "tests.csv", keep_default_na=False)
    row = tests[(tests["window_end"] == 3) & (tests["test"] == "portfolio_t") & (tests["group"] == "all")].iloc[0]
    reach = scipy.stats.t.ppf(0.975, int(row["df"])) * cars_once.mean() / float(row["statistic"])
    low, high = sorted(np.expm1([cars_once.mean() - reach, cars_once.mean() + reach]))
    falls = int((cars_once < 0).sum())
    told = (
        f"Over the event session and the three sessions after it ([0, 3]), relative to what the benchmark INDEX led one to "
        f"expect, the effect is {signed(mean)} (95% interval {signed(low)} to {signed(high)}) on average and {signed(median)} in "
        f"the median; the price fell in {falls} of {len(once)} cases ({100 * falls / len(once):.1f}%)."
    )
    assert told in page.replace("\u00a0", " ")
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
    assert "Over the event session ([0, 0]), relative to what" in page.replace("\u00a0", " ")
    mean = re.search(r"the effect is −([\d.]+)% \(95% interval −([\d.]+)% to −([\d.]+)%\) on average", page)
    assert mean is not None
    value, low, high = (float(text) for text in mean.groups())
    assert high < value < low
    assert high < 100 * (1 - np.exp(-0.03)) < low
    told = page.replace("\u00a0", " ")
    assert "an average at least this far from zero would come with probability &lt;0.001 by adjusted BMP" in told
    assert "Headline tests of the average: adjusted BMP, p &lt; 0.001" in told


def test_intervals_of_the_page_are_those_of_tidy() -> None:
    prices, benchmark = made_prices(35, shares=30)
    events = made_events(prices, 35, count=600)
    events["group"] = ["few" if number % 9 == 0 else "many" for number in range(len(events))]
    windows = es.Windows(estimation=(-120, -21), event=(-10, 10), car=[(0, 0), (0, 3)], min_observations=70)
    chosen = ["portfolio_t", "cross_sectional_t"]
    result = es.event_study(events, prices, benchmark, windows=windows, tests=chosen, headline_window=(0, 3), returns="simple")
    assert isinstance(result, PanelResult)
    rows = result.tidy().query("scope == 'group'")
    assert len(rows) == 6
    page = render_report(result).replace("\u2212", "-")
    shown = re.findall(r'<td class="n">(\S+)</td>\s*<td class="n">(\S+)% to (\S+)%</td>', page)
    expected = rows[["estimate", "ci_low", "ci_high"]].to_numpy() * 100
    assert len(shown) == 6
    assert [[float(text.rstrip("%")) for text in found] for found in shown] == pytest.approx(expected, abs=0.0051)


def test_supplied_text_changes_nothing_but_text_on_the_page_of_many_events() -> None:
    prices, benchmark = made_prices(35, shares=30)
    events = made_events(prices, 35, count=600).drop(columns="group")
    named = {symbol: f"{symbol}{nasty}" for symbol, nasty in zip(prices.columns, cycle(NASTY.values()), strict=False)}
    events["symbol"] = events["symbol"].map(lambda symbol: re.sub(r"\s", "", named.get(symbol, symbol)))
    events["event_id"] += NASTY["script"]
    events["group"] = [NASTY["quotes"] if number % 2 else NASTY["hebrew"] for number in range(len(events))]
    windows = es.Windows(estimation=(-120, -21), event=(-10, 10), car=[(0, 3)], min_observations=70)
    renamed = prices.rename(columns=lambda symbol: re.sub(r"\s", "", named[symbol]))
    result = es.event_study(events, renamed, benchmark, windows=windows, tests=["portfolio_t"])
    page = checked(render_report(result))
    assert NASTY["quotes"] in page.text
    assert not page.tags["b"]


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ((0, 0), "the event session"),
        ((0, 1), "the event session and the session after it"),
        ((0, 12), "the event session and the 12 sessions after it"),
        ((-1, -1), "the session before the event session"),
        ((-10, -1), "the ten sessions before the event session"),
        ((-1, 0), "the session before the event session and that session itself"),
        ((-2, 0), "the two sessions before the event session and that session itself"),
        ((-30, -11), "the sessions from 11 to 30 before the event session"),
        ((2, 20), "the sessions from 2 to 20 after the event session"),
        ((-10, 3), "the sessions from 10 before to 3 after the event session"),
    ],
)
def test_windows_in_words(bounds: tuple[int, int], words: str) -> None:
    assert window_in_words(bounds) == words


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


@pytest.mark.filterwarnings("ignore")
def test_what_ails_a_cluster_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import distributed

    from eventstudy.panel import engines

    monkeypatch.setattr(engines, "PATIENCE", 1)
    with distributed.LocalCluster(
        n_workers=0, processes=True, dashboard_address=None, host="127.0.0.1", silence_logs=50
    ) as empty, pytest.raises(DataError, match=r"^the dask scheduler has no workers \(.*\): start some with `dask worker`"):
        asked(engine="dask", scheduler=empty.scheduler_address)
    ends = {OSError("gone"): (DataError, "was lost"), ImportError("No module named 'x'"): (ConfigError, "lack a package")}
    for problem, (kind, words) in ends.items():
        with pytest.raises(kind, match=words), engines._told():
            raise problem
    with pytest.raises(ZeroDivisionError), engines._told():
        raise ZeroDivisionError  # a fault of this package's own is left as it is


def test_a_large_study_that_dask_cannot_spread_is_refused() -> None:
    with pytest.raises(ConfigError, match='engine "dask" cannot spread this study'):
        asked(engine="dask", estimator="huber")
