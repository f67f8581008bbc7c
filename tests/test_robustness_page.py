"""The section on robustness: its numbers are those of the table, recomputed here by hand."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.report.numbers import ordinal
from eventstudy.report.robustness import robustness
from eventstudy.report.specifications import curve, dimensions
from eventstudy.report.subjects import Reading
from eventstudy.report.templating import environment
from eventstudy.result import StudyResult

CONFIG = Path(__file__).parents[1] / "configs" / "entity-list-2019.toml"


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return es.run_study(es.load_study(CONFIG).replace(tests=["equal_effects"]))


@pytest.fixture(scope="module")
def section(result: StudyResult) -> str:
    template = environment().get_template("sections/robustness.html.j2")
    return template.render(robustness=robustness(Reading(result)))


@pytest.fixture(scope="module")
def by_hand(result: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Comparable means from the file, one row a distinct result, in per cent, with intervals; lowest first."""
    path = tmp_path_factory.mktemp("grid") / "robustness.csv"
    result.robustness.to_csv(path, index=False)
    rows = pd.read_csv(path, keep_default_na=False, dtype=str)
    rows = rows[(rows["scope"] == "all") & (rows["n"] == "3")]
    effect, se, df = (rows[name].astype(float) for name in ("effect", "se", "df"))
    reach = stats.t.ppf(0.975, df) * se
    ends = {"value": effect, "low": effect - reach, "high": effect + reach}
    rows = rows.assign(**{name: 100 * (np.exp(end) - 1) for name, end in ends.items()})
    rows = rows.assign(key=effect.round(11).astype(str) + se.round(11).astype(str))
    return rows.drop_duplicates("key").sort_values("value").reset_index(drop=True)


def signed(text: str) -> float:
    return float(text.replace("−", "-").rstrip("%"))


def alt_of(section: str) -> str:
    return re.findall(r'aria-label="(Specification curve[^"]*)"', section)[0]


def test_the_figures_label_states_the_numbers_of_the_table(section: str, by_hand: pd.DataFrame, result: StudyResult) -> None:
    found = re.fullmatch(
        r"Specification curve of the average effect: (\d+) distinct results of (\d+) specifications, from (\S+) to (\S+)\. "
        r"All (\d+) are falls\. The 95% interval excludes zero in (\d+) of (\d+) \(\d+%\)\. "
        r"The headline, (\S+), is the (\d+)(?:st|nd|rd|th) lowest\.",
        alt_of(section),
    )
    assert found
    distinct, total, low, high, falls, excluding, among, headline, rank = found.groups()
    apart = (by_hand["low"] > 0) | (by_hand["high"] < 0)
    own = by_hand.index[by_hand["headline"] == "True"].item()
    assert (int(distinct), int(total)) == (len(by_hand), result.robustness["specification"].nunique())
    assert (by_hand["value"] < 0).sum() == int(falls) == len(by_hand)
    assert (int(excluding), int(among)) == (apart.sum(), len(by_hand))
    assert int(rank) == own + 1
    for text, want in ((low, by_hand["value"].iloc[0]), (high, by_hand["value"].iloc[-1]), (headline, by_hand["value"][own])):
        assert signed(text) == pytest.approx(want, abs=0.0501)


def test_choice_that_moves_the_median_most_is_named_with_its_medians(section: str, result: StudyResult) -> None:
    means = result.robustness[(result.robustness["scope"] == "all") & (result.robustness["n"] == 3)]
    medians = {
        name: (100 * np.expm1(means["effect"].astype(float))).groupby([means[column] for column in columns]).median()
        for name, columns in {
            "CAR window": ["window_start", "window_end"], "expected return": ["model"], "benchmark": ["benchmark"],
            "estimation window": ["estimation_start", "estimation_end"], "masked sessions": ["mask"],
        }.items()
    }  # fmt: skip
    order = sorted(medians, key=lambda name: medians[name].min() - medians[name].max())
    assert order[0] == "CAR window"
    told = r"moves the result most is the choice of (.*?): .*?effect is (\S+) for (.*?) and (\S+) for (.*?)\. "
    found = re.search(told, section)
    assert found
    want = medians[order[0]]
    assert found[1] == order[0]
    assert found[3].replace("\u00a0", " ") == f"[0, {want.idxmin()[1]}]"
    assert found[5].replace("\u00a0", " ") == f"[0, {want.idxmax()[1]}]"
    assert signed(found[2]) == pytest.approx(want.min(), abs=0.0501)
    assert signed(found[4]) == pytest.approx(want.max(), abs=0.0501)
    places = [section.index(f"{name}, ") for name in order[1:]]
    assert places == sorted(places)


def test_every_result_has_a_mark_in_the_row_of_each_choice_that_gives_it(section: str, result: StudyResult) -> None:
    reading = Reading(result)
    mean = curve(reading)
    (svg,) = re.findall(r"<svg.*?</svg>", section, flags=re.DOTALL)
    groups = {element.get("id"): element for element in ET.fromstring(svg).iter("g") if element.get("id")}
    strokes = {name: len(re.findall("M", groups[f"specification-curve-{name}"].find("path").get("d"))) for name in (
        "choices", "effects-firm", "effects-other", "intervals-firm", "intervals-other",
    )}  # fmt: skip
    assert strokes["effects-firm"] == strokes["intervals-firm"] == mean.excluding_zero
    assert strokes["effects-other"] == len(mean.outcomes) - mean.excluding_zero
    shown = mean.rows[mean.comparable].assign(key=lambda rows: rows["same_as"].fillna(rows["specification"]))
    columns = ["model", "benchmark", "estimation_start", "mask", "window_end"]
    assert strokes["choices"] == sum(len(shown[["key", column]].drop_duplicates()) for column in columns)


def test_the_firms_come_before_the_average(section: str) -> None:
    assert section.index("Firm by firm") < section.index("the average effect runs from")
    assert section.index("robustness-firms") < section.index("<svg") < section.index("robustness-choices")


def test_what_is_left_out_is_told_with_its_reason(section: str, result: StudyResult) -> None:
    rows = result.robustness[result.robustness["scope"] == "all"]
    apart = (rows["n"] < 3).sum()
    assert f"In {apart} (those with suspensions: drop) the mean is over other firms" in section
    repeated = len(rows) - apart - len(curve(Reading(result)).outcomes)
    assert f"Of the {len(rows) - apart} comparable ones, {repeated} give" in section


def test_a_window_nobody_resumed_in_has_rows_with_a_reason_and_no_figure() -> None:
    spec = es.load_study(CONFIG).replace(robustness={"models": ["mean"]}, headline_window=(0, 0))
    lead = [event.model_dump(by_alias=True, exclude_unset=True) for event in spec.event if event.role == "treated"]
    lead[0]["firms"] = ["002415.SZ", "002236.SZ"]  # both suspended on the event session
    found = robustness(Reading(es.run_study(spec.replace(event=lead, confounder=[], leak=[]))))
    assert found is not None
    assert found.figure is None
    assert "2 of them have no effect: no firm has a CAR in this window." in found.sentences


def test_choices_that_leave_one_comparable_result_have_a_table_and_no_figure() -> None:
    spec = es.load_study(CONFIG).replace(robustness={"benchmarks": ["UNKNOWN"]}, tests=["portfolio_t"], leak=[])
    found = robustness(Reading(es.run_study(spec)))
    assert found is not None
    assert found.figure is None


def test_three_hundred_specifications_stay_small_and_the_bytes_the_same(tmp_path: Path) -> None:
    grid = {
        "models": ["mean", "market_adjusted"], "returns": ["simple"], "benchmarks": ["399001.SZ"], "masks": [False],
        "estimation": [[-150, -31], [-200, -31]], "windows": [[0, 2], [0, 5], [0, 10]],
    }  # fmt: skip
    spec = es.load_study(CONFIG).replace(robustness=grid, tests=["equal_effects"])
    first, again = (robustness(Reading(es.run_study(spec))) for _ in range(2))
    assert first is not None
    assert first == again
    assert "288 specifications" in first.sentences[0]
    assert len(str(first.figure)) < 130_000


def test_two_benchmarks_of_one_name_are_told_apart(result: StudyResult) -> None:
    reading = Reading(result)
    reading.benchmark_name = lambda symbol: "Index"  # type: ignore[method-assign]
    (choice,) = (one for one in dimensions(reading, curve(reading).rows) if one.name == "Benchmark")
    assert choice.values == ("000300.SS", "399001.SZ")


def test_places_in_an_order() -> None:
    found = [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111, 113)]
    assert found == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "103rd", "111th", "113th"]
