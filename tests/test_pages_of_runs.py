"""The list of runs and the page that compares two of them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from test_report import Page, checked

from eventstudy.changes import Change, Comparison
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
    assert "e<b>, 002415.SZ [0, 3] CAR \u22128.62% \u22128.00% prices of 002415.SZ" in page.text
    assert "all, portfolio_t" in page.text
    assert "0.063 none" in page.text
    assert not page.tags["b"]


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


def test_index_gives_headline_effects_with_their_intervals(entity_runs, read_csv) -> None:
    folder = entity_runs[0] / "entity-list-2019" / "latest" / "tables"
    cars = read_csv(folder / "cars.csv")
    text = Page((entity_runs[0] / "index.html").read_text(encoding="utf-8")).text
    for symbol, name in (("002415.SZ", "Hikvision"), ("002236.SZ", "Dahua")):
        row = next(row for row in cars if (row["symbol"], row["window_start"], row["window_end"]) == (symbol, "0", "3"))
        effect, low, high = (f"\u2212{abs(100 * math.expm1(float(row[key]))):.1f}%" for key in ("car", "ci_low", "ci_high"))
        assert f"{name} {effect} ({low} to {high})" in text


@pytest.mark.parametrize("about", [{}, {"effects": [], "headline": {"window": [0, 3]}}])
def test_index_of_older_runs_says_what_their_manifests_say(about: dict[str, object]) -> None:
    run = {"study": "s", "run_id": "r", "href": "s/r/report.html", "told": "A +1.0% over [0, 3]"} | about
    assert "A +1.0% over [0, 3]" in Page(render_index([run])).text
