"""The list of runs and the page that compares two of them."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import tomli_w
from test_report import SESSIONS, Page, checked, panel

import eventstudy as es
from eventstudy.changes import Change, Comparison, input_changes, result_changes
from eventstudy.manifest import event_sessions, headline_mean
from eventstudy.record import state_of_result
from eventstudy.report import render_comparison, render_index
from eventstudy.result import StudyResult
from eventstudy.run import run_study

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
    assert "CAR: cumulative abnormal return as estimated" in page.text  # nothing is known of the runs but their numbers
    assert "002415.SZ [0, 3] \u22128.62% \u22128.00% prices of 002415.SZ" in page.text
    assert "most is that on 002415.SZ over [0, 3]: from \u22128.62% to \u22128.00%." in page.text
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
    assert page.text.count("+1.00% +2.00% 3.00 3.10 0.700 0.500 config") == 4
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


FIRMS = [{"symbol": "AAA", "name": "Alpha", "name_zh": "甲"}, {"symbol": "PEER", "name": "Peer"}]


def two_runs(panel, study_on_disk, cli, reports: Path, language: str) -> list[Path]:
    """Runs of one study over [0, 3] and, with a later start of the estimation, over [0, 5]."""
    made = panel(("AAA", "BBB", "PEER"))
    named = {"session": made.day(130), "id": "e", "firms": ["AAA", "BBB"]}
    others = {"session": made.day(130), "id": "others", "firms": ["PEER"], "role": "placebo", "group": "other firms"}
    runs: list[Path] = []
    for last, start in ((3, -100), (5, -99)):
        config = study_on_disk(
            made, made.events(130), study={"title": "Two <i>firms</i>"}, firm=FIRMS, report={"language": language},
            windows={"car": [[0, 3], [0, 5]], "estimation": [start, -11]},
            inference={"headline_window": [0, last], "tests": ["portfolio_t", "difference_t"]},
        )  # fmt: skip
        written = tomllib.loads(config.read_text(encoding="utf-8")) | {"event": [named, others]}
        del written["study"]["events"]
        config.write_text(tomli_w.dumps(written), encoding="utf-8")
        assert cli("run", config, "--out", reports).exit_code == 0
        runs.append((reports / "panel" / "latest").resolve())
    return runs


def effect_of(rows: list[dict[str, str]], symbol: str, last: int) -> str:
    row = next(row for row in rows if (row["symbol"], row["window_start"], row["window_end"]) == (symbol, "0", str(last)))
    value = 100 * math.expm1(float(row["car"]))
    return f"{'+' if value > 0 else chr(0x2212)}{abs(value):.2f}%"


def test_comparison_leads_with_the_headline_of_the_treated_firms(panel, study_on_disk, cli, tmp_path: Path, read_csv) -> None:
    reports, file = tmp_path / "reports", tmp_path / "compared.html"
    runs = two_runs(panel, study_on_disk, cli, reports, "en")
    cars = [read_csv(run / "tables" / "cars.csv") for run in runs]
    alpha, beta = ([effect_of(cars[0], name, 3), effect_of(cars[1], name, 5)] for name in ("AAA", "BBB"))
    assert cli("compare", *runs, "--html", file).exit_code == 0
    page = Page(file.read_text(encoding="utf-8"))
    text = page.text.replace("\u00a0", " ")
    lead = "The headline window is [0, 5] now and was [0, 3] before:"
    assert f"{lead} Alpha {alpha[1]} (before: {alpha[0]}); BBB {beta[1]} (before: {beta[0]})." in text
    assert "Two <i>firms</i>" in text
    assert not page.tags["i"]
    # the effect of one window as the two reports have it, treated firms and the others apart
    for symbol, name in (("AAA", "Alpha 甲 AAA"), ("PEER", "Peer PEER")):
        assert f"{name} [0, 3] {effect_of(cars[0], symbol, 3)} {effect_of(cars[1], symbol, 3)}" in text
    assert text.index("Effects of the treated firms that moved") < text.index("Alpha 甲 AAA [0, 3]")
    assert text.index("Alpha 甲 AAA [0, 3]") < text.index("Effects of variants and placebo firms that moved")
    assert text.index("Effects of variants and placebo firms that moved") < text.index("Peer PEER [0, 3]")
    furthest = text.split("moved most is that on ")[1].split(" over ")[0]
    assert furthest in ("Alpha", "BBB")
    # groups and their differences in words, with N
    assert "All treated firms less Placebo firms: other firms, [0, 3]" in text
    tests = read_csv(runs[1] / "tables" / "tests.csv")
    n = next(row["n"] for row in tests if (row["group"], row["window_end"], row["test"]) == ("all", "3", "portfolio_t"))
    assert n == "2"
    line = text.split("All treated firms, [0, 3] Portfolio t ")[1].split(" Portfolio t ")[0]
    assert line.split()[4] == n
    # links that hold where the page lies
    links = [link for link in page.values("href") if not link.startswith("#")]
    assert links == [f"reports/panel/{run.name}/report.html" for run in runs] + [
        f"reports/panel/{runs[1].name}/tables/changes.csv"
    ]
    assert all((tmp_path / link).is_file() for link in links)


def test_comparison_links_to_no_changes_of_another_pair(panel, study_on_disk, cli, tmp_path: Path) -> None:
    runs = two_runs(panel, study_on_disk, cli, tmp_path / "reports", "zh")
    assert cli("compare", *runs[::-1], "--html", tmp_path / "compared.html").exit_code == 0
    html = (tmp_path / "compared.html").read_text(encoding="utf-8")
    assert "changes.csv" not in html
    text = Page(html).text.replace("\u00a0", " ")
    assert "主窗口现为 [0, 3]，此前为 [0, 5]：甲 " in text
    assert "All treated firms" not in text
    assert "all - " not in text


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


def test_events_are_named_by_their_labels_and_by_their_ids_where_two_are_alike(tmp_path: Path) -> None:
    def study(labels: list[str], session: int) -> StudyResult:
        config = panel(tmp_path, ["AAA"], [-0.05])
        config["event"] = [
            {"id": f"e{place}", "label": label, "session": SESSIONS[session + 30 * place].date(), "firms": ["AAA"]}
            for place, label in enumerate(labels)
        ]
        return run_study(config)

    for labels, heads in (
        (["First ban", "Second ban"], ["AAA (First ban)", "AAA (Second ban)"]),
        (["A ban", "A ban"], ["AAA (A ban (e0))", "AAA (A ban (e1))"]),
        (["A ban", ""], ["AAA (A ban)", "AAA (e1)"]),
    ):
        older, newer = (state_of_result(study(labels, session)) for session in (120, 121))
        changes = (*input_changes(older, newer), *result_changes(older, newer))
        page = checked(render_comparison(Comparison("a", "b", changes), newer, older))
        for head in heads:
            assert head in page.text
            assert f"events {head} announced" in page.text
