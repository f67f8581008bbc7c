"""The benchmarks measure like with like: the panels are what they say, and every variant computes the same numbers."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from benchmarks import closed_form, one_by_one, textbook
from benchmarks.figures import figures
from benchmarks.page import write_page
from benchmarks.panels import CAR, ESTIMATION, EVENT, Panel, make_panel, read_panel, symbol_count, write_panel
from benchmarks.warm import study


@pytest.fixture(scope="module")
def panel() -> Panel:
    return make_panel(30)


@pytest.fixture(scope="module")
def floor(panel: Panel) -> closed_form.Estimates:
    rows = closed_form.trades(panel.prices.to_numpy(), panel.benchmark.to_numpy())
    (found,) = closed_form.estimates(rows, closed_form.places(panel))
    return found


@pytest.mark.parametrize("n_events", [30, 1_000])
def test_two_percent_of_the_sessions_are_suspended(n_events: int) -> None:
    panel = make_panel(n_events)
    assert panel.suspended_share == pytest.approx(0.02, abs=0.002)
    assert panel.benchmark.notna().all()


def test_every_event_has_its_whole_windows(panel: Panel) -> None:
    day0 = panel.prices.index.get_indexer(pd.to_datetime(panel.events["session"]))
    assert day0.min() + ESTIMATION[0] >= 1  # a price before the first session
    assert day0.max() + EVENT[1] < len(panel.prices)
    assert ESTIMATION[1] - ESTIMATION[0] + 1 == 250
    assert EVENT[1] - EVENT[0] + 1 == 21
    assert panel.prices.iloc[0].notna().all()


def test_events_are_scattered_and_never_repeated() -> None:
    events = make_panel(1_000).events
    assert len(events) == events["event_id"].nunique() == 1_000
    assert not events.duplicated(["symbol", "session"]).any()
    assert events["session"].nunique() > 500
    assert [symbol_count(size) for size in (30, 1_000, 10_000, 100_000, 1_000_000)] == [30, 100, 1_000, 5_000, 5_000]


def test_the_same_seed_makes_the_same_panel(panel: Panel, tmp_path: Path) -> None:
    write_panel(panel, tmp_path)
    again = read_panel(tmp_path)
    pd.testing.assert_frame_equal(again.prices, make_panel(30).prices, check_freq=False)
    pd.testing.assert_frame_equal(again.events, panel.events, check_dtype=False)
    np.testing.assert_allclose(again.benchmark, panel.benchmark, rtol=1e-15)


def test_the_panel_has_what_makes_event_studies_hard(floor: closed_form.Estimates) -> None:
    assert (floor.nobs < 250).any()  # suspended in the estimation window
    assert np.isnan(floor.ar).any()  # suspended in the event window
    assert np.isfinite(floor.car[:, 0]).sum() > 20


def test_floor_and_statsmodels_loop_agree(panel: Panel, floor: closed_form.Estimates) -> None:
    found = one_by_one.estimates(panel.prices.to_numpy(), panel.benchmark.to_numpy(), closed_form.places(panel))
    np.testing.assert_array_equal(found.nobs, floor.nobs)
    for name in ("alpha", "beta", "sigma", "ar", "se_ar", "car", "se_car"):
        np.testing.assert_allclose(getattr(found, name), getattr(floor, name), rtol=1e-9, atol=1e-12, err_msg=name)


def test_floor_and_the_textbook_loop_agree_where_nothing_was_suspended(panel: Panel, floor: closed_form.Estimates) -> None:
    complete = (floor.nobs == 250) & np.isfinite(floor.ar).all(axis=1)
    returns, cars = textbook.tables(panel)
    ar, car = returns["ar"].to_numpy().reshape(floor.ar.shape), cars["car"].to_numpy().reshape(floor.car.shape)
    assert 0 < complete.sum() < len(complete)
    for own, its in ((ar, floor.ar), (car, floor.car)):
        np.testing.assert_allclose(own[complete], its[complete], rtol=1e-9, atol=1e-12)
        assert not np.allclose(own[~complete], its[~complete], equal_nan=True)


def test_floor_and_this_package_agree(panel: Panel, floor: closed_form.Estimates) -> None:
    result = study(panel, ())
    assert list(result.models["event_id"]) == list(panel.events["event_id"])
    for name in ("nobs", "alpha", "beta", "sigma"):
        np.testing.assert_allclose(result.models[name], getattr(floor, name), rtol=1e-9, atol=1e-12, err_msg=name)
    for table, names in ((result.abnormal_returns, ("ar", "se_ar")), (result.cars, ("car", "se_car"))):
        for name in names:
            expected = getattr(floor, name)
            found = table[name].to_numpy(dtype=float).reshape(expected.shape)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=name)


def test_the_measuring_process_imports_nothing_heavy(root: Path) -> None:
    for name in ("run", "processes", "page", "figures"):
        tree = ast.parse((root / "benchmarks" / f"{name}.py").read_text(encoding="utf-8"))
        nodes = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
        modules = {alias.name if isinstance(node, ast.Import) else str(node.module) for node in nodes for alias in node.names}
        outside = {module.split(".")[0] for module in modules} - sys.stdlib_module_names - {"benchmarks"}
        assert outside == set()


def process(wall: float, problem: str = "") -> dict[str, object]:
    return {"wall": [wall], "cpu": [wall], "peak": [700_000_000], "before_input": 200_000_000, "problem": problem}


def measured() -> dict[str, object]:
    seconds = {"floor": [0.2], "loop": [4.0], "textbook": [30.0], "call": [0.5, 0.4, 0.9], "ours_all": [4.0], "ours": [0.9]}
    cpu = {"textbook": [30.0], "call": [1.0]}
    calls = {"seconds": seconds, "cpu": cpu, "apart": {"ours": 1e-15}}
    walls = {"floor": process(2.0), "ours_all": process(6.0), "lemaire": process(7.0), "ffjr": process(0, "it broke")}
    panel = {"size": 250_000_000, "symbols": 1_000, "suspended_share": 0.02}
    versions = {"numpy": "2"}
    return {
        "machine": {
            "cpu": "one", "cores": 2, "memory": 24e9, "system": "Linux", "python": "3.11", "date": "2020-01-01",
            "versions": versions,
        },
        "others": {"easy_es": {"pins": [], "problem": "no wheel"}},
        "sizes": {
            "10000": {"load": 0.1, "panel": panel, "warm": calls, "whole": walls},
            "100000": {"load": 0.2, "panel": panel, "warm": {}, "whole": {"ours_all": process(60.0)}},
        },
        "start": {"import": [0.2], "help": [0.7]},
        "studies": {
            "100000": {"wall": 12.0, "cpu": 11.0, "peak": 750_000_000, "before_input": 150_000_000, "problem": ""},
            "1000000": {"wall": 0.0, "cpu": 0.0, "peak": 0, "before_input": 0, "problem": "it broke, too"},
        },
    }  # fmt: skip


def test_verdicts_follow_from_the_figures() -> None:
    verdicts = figures(measured())
    assert [(one.measured, one.reached) for one in verdicts if one.aim.startswith("10,000")] == [
        ("60.00 times (CPU time: 30.00)", True),
        ("8.00 times", False),
        ("33.33 times", False),
        ("4.44 times", False),
        ("7.50 times", False),
        ("1.00 times", False),
        ("2.50 times", True),
        ("4.50 times", False),
        ("`eventstudy` (Lemaire) 1.2 times ours, `ffjr-eventstudies` not run or failed, `easy-es` not run or failed", True),
        ("3.00 times (CPU time: 3.00)", False),
    ]
    by_measured = {figure.measured: figure.reached for figure in verdicts}
    assert by_measured["2.00 times"] is True  # (700 - 200) MB over 250 MB
    assert by_measured["2.40 times"] is True  # (750 - 150) MB over 250 MB
    assert by_measured["0.20 s"] is True
    assert by_measured["0.70 s"] is False
    assert by_measured[""] is None


def test_the_page_tells_failures_and_unmeasured_figures(tmp_path: Path) -> None:
    write_page(measured(), tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| 10,000 | `ffjr-eventstudies` |  |  |  | failed: it broke |" in text
    assert "| 100,000 | 12.0 s | 11.0 s | 750 | 2.40 |" in text
    assert "| 1,000,000 |  |  |  | failed: it broke, too |" in text
    assert "`easy-es` could not be installed (no wheel)." in text
    assert "not measured |" in text
    assert "**not reached**" in text
    assert "costs 400 µs in the loop on arrays, 3 ms in the textbook loop" in text
    assert "would take 32 times as long as this package does without tests and tables, and 4 times" in text
    assert "| 10,000 | 200 ms (1) | 500 ms (2.5) | 900 ms (4.5) | 4.00 s (20) | 4.00 s (20) | 30.0 s (150) | 1e-15 |" in text


def test_the_windows_of_the_page_are_those_measured() -> None:
    assert es.Windows(ESTIMATION, EVENT, CAR).car == ((-10, 10), (-1, 1))
