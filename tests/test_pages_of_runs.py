"""The list of runs and the page that compares two of them."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from test_report import Page, checked

import eventstudy as es
from eventstudy.changes import Change, Comparison
from eventstudy.manifest import event_sessions, headline_mean
from eventstudy.report import render_comparison, render_index

COMPARISON = Comparison(
    "20261125T103000Z-1f2e3d4c",
    "20261126T103000Z-5a6b7c8d",
    (
        Change("revision", "002415.SZ", "2019-10-10", "close", "31.2", "31.4"),
        Change("config", "study.title", "", "", "<script>alert(1)</script>", "b"),
        Change("result", "cars: e<b>, 002415.SZ, 0, 3", "", "car", "-0.0862", "-0.08", "prices of 002415.SZ"),
        Change("result", "tests: all, 0, 3, portfolio_t", "", "p_value", "0.063", "", "prices of 002415.SZ"),
    ),
)


def test_comparison_page_tells_inputs_and_numbers() -> None:
    page = checked(render_comparison(COMPARISON))
    assert "2 inputs changed; 2 numbers moved." in page.text
    assert "002415.SZ [0, 3] \u22128.62% \u22128.00% prices of 002415.SZ" in page.text
    assert "The CAR that moved most is that of 002415.SZ over [0, 3]: from \u22128.62% to \u22128.00%." in page.text
    assert "All treated firms, [0, 3] Portfolio t 0.063 none prices of 002415.SZ" in page.text
    assert "revised figures 002415.SZ 2019-10-10 close 31.2 31.4" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert not page.tags["b"]


def test_numbers_of_one_effect_stand_in_one_line_and_events_of_one_firm_apart() -> None:
    moved = [("car", "0.01", "0.02"), ("se_car", "0.03", "0.031"), ("p_value", "0.7", "0.5")]
    changes = [
        Change("result", f"cars: {event}, A, 0, {last}", "", field, old, new, "config")
        for event in ("first, one", "second")
        for last in (0, 3)
        for field, old, new in moved
    ]
    page = checked(render_comparison(Comparison("a", "b", tuple(changes))))
    assert "0 inputs" not in page.text
    assert page.text.count("+1.00% +2.00% 3.00% 3.10% 0.700 0.500 config") == 4
    assert "A (first, one) A" not in page.text  # a symbol that is the name stands once
    assert "A (first, one)" in page.text
    assert "A (second)" in page.text


def test_many_tests_that_moved_are_folded_away() -> None:
    changes = [Change("result", f"tests: all, 0, {last}, patell", "", "p_value", "0.2", "0.3") for last in range(41)]
    assert not checked(render_comparison(Comparison("a", "b", tuple(changes[:40])))).tags["details"]
    assert checked(render_comparison(Comparison("a", "b", tuple(changes)))).tags["details"] == 1


def test_comparison_of_equal_runs_says_so() -> None:
    page = checked(render_comparison(Comparison("a", "b", ())))
    assert "No input changed; no number moved." in page.text
    assert not page.tags["table"]


def test_compare_writes_the_page_it_is_asked_for(cli, entity_runs, tmp_path: Path) -> None:
    runs = sorted((entity_runs[0] / "entity-list-2019").glob("2*"))
    assert len(runs) == 2
    file = tmp_path / "compared.html"
    done = cli("compare", *runs, "--html", file)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, str(file))
    assert runs[0].name in Page(file.read_text(encoding="utf-8")).text
    done = cli("compare", *runs, "--html", tmp_path / "absent" / "compared.html")
    assert done.exit_code == 2
    assert "the page cannot be written" in done.stderr


def test_compare_writes_its_page_before_it_prints(cli, entity_runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_reads(*_texts: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("click.echo", nobody_reads)
    run, file = next((entity_runs[0] / "entity-list-2019").glob("2*")), tmp_path / "compared.html"
    cli("compare", run, run, "--html", file)
    assert run.name in Page(file.read_text(encoding="utf-8")).text


def test_index_gives_headline_effects_with_their_intervals(entity_runs, read_csv) -> None:
    folder = entity_runs[0] / "entity-list-2019" / "latest" / "tables"
    cars = read_csv(folder / "cars.csv")
    text = Page((entity_runs[0] / "index.html").read_text(encoding="utf-8")).text
    for symbol, name in (("002415.SZ", "Hikvision"), ("002236.SZ", "Dahua")):
        row = next(row for row in cars if (row["symbol"], row["window_start"], row["window_end"]) == (symbol, "0", "3"))
        effect, low, high = (f"\u2212{abs(100 * math.expm1(float(row[key]))):.1f}%" for key in ("car", "ci_low", "ci_high"))
        assert f"{name} {effect} ({low} to {high})" in text


def test_index_gives_event_sessions_and_leads_to_the_pages(entity_runs) -> None:
    page = Page((entity_runs[0] / "index.html").read_text(encoding="utf-8"))
    runs = sorted((entity_runs[0] / "entity-list-2019").glob("2*"))
    assert page.text.count("2019-10-08") == len(runs)
    assert set(page.values("href")) == {f"entity-list-2019/{run.name}/report.html" for run in runs}


def test_index_gives_the_sessions_of_a_date_read_both_ways(panel, study_on_disk) -> None:
    made = panel(("A.SZ", "B.SZ"), sessions=500)  # 2018-01-01 to 2019-11-29
    rows = [
        {"event_id": "old", "symbol": "A.SZ", "announced_on": "2019-05-21", "timezone": "America/New_York"},
        {"event_id": "new", "symbol": "B.SZ", "announced_on": "2019-10-07", "timezone": "America/New_York"},
    ]
    config = study_on_disk(
        made, pd.DataFrame(rows), study={"date_only": "both"}, market={"calendar": "XSHG", "benchmark": "INDEX"}
    )
    # New York's 21 May begins before the close of that day in Shanghai and ends after it; its 7 October lies in a closure
    result = es.run_study(config)
    assert set(result.events["event_id"]) == {"old-first", "old-last", "new"}
    assert event_sessions(result) == ["2019-05-21", "2019-10-08"]


MEAN = {"n": 8, "effect": -0.0347, "ci_low": -0.0671, "ci_high": -0.0021}


def test_index_gives_the_average_of_many_firms() -> None:
    run = {
        "study": "s", "run_id": "r", "href": "s/r/report.html", "told": "8 CARs", "effects": [], "mean": MEAN,
        "headline": {"window": [0, 2]}, "sessions": ["2019-05-22", "2019-10-08"], "changes": None,
    }  # fmt: skip
    text = Page(render_index([run])).text.replace("\u00a0", " ")
    assert "\u22123.5% on average (\u22126.7% to \u22120.2%), N = 8 [0, 2]" in text
    assert "2019-05-22 to 2019-10-08" in text
    assert "8 CARs" not in text
    without = run | {"mean": MEAN | {"ci_low": None, "ci_high": None}}
    assert "\u22123.5% on average, N = 8" in Page(render_index([without])).text.replace("\u00a0", " ")


def test_manifest_of_many_firms_has_the_mean_that_tidy_has(panel) -> None:
    names = tuple(f"F{place}" for place in range(8))
    made = panel(names)
    windows = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3)], min_observations=60)
    result = es.event_study(made.events(130), made.prices, made.benchmark, windows=windows, returns="log", tests=["portfolio_t"])
    row = result.tidy().query("scope == 'group'").iloc[0]
    columns = {"effect": "estimate", "ci_low": "ci_low", "ci_high": "ci_high"}
    expected = {name: math.expm1(row[column]) for name, column in columns.items()}
    assert headline_mean(result) == pytest.approx({"n": 8} | expected, rel=1e-12)
    assert event_sessions(result) == [made.day(130)] * 2
    few = panel(("A", "B"))
    result = es.event_study(few.events(130), few.prices, few.benchmark, windows=windows, returns="log", tests=["portfolio_t"])
    assert headline_mean(result) is None


@pytest.mark.parametrize("about", [{}, {"effects": [], "headline": {"window": [0, 3]}}])
def test_index_of_older_runs_says_what_their_manifests_say(about: dict[str, object]) -> None:
    run = {"study": "s", "run_id": "r", "href": "s/r/report.html", "told": "A +1.0% over [0, 3]"} | about
    assert "A +1.0% over [0, 3]" in Page(render_index([run])).text
