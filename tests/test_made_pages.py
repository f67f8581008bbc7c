"""The pages of docs/ that are made by a program are today's, and the worked example says what the tables and the facts say."""

from __future__ import annotations

import importlib.util
import math
import re
from pathlib import Path
from types import ModuleType

import pytest

from eventstudy.changes import COLUMNS
from eventstudy.inference.registry import TEST_NAMES
from eventstudy.report.wording import REASONS

DOCS = Path(__file__).parents[1] / "docs"


def maker(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("%", ""))


@pytest.fixture(scope="module")
def example() -> str:
    return text_of("entity-list-2019.md")


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under the line that starts with a heading."""
    _, _, below = page.partition(heading)
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert lines
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in lines[0].splitlines()[2:]]


def test_reasons_are_todays() -> None:
    assert text_of("reasons.md") == maker("make_reasons").page(), "a reason changed: `make docs-pages`"
    assert len(REASONS) > 50


def test_the_worked_example_is_todays(entity, example: str) -> None:
    assert example == maker("make_entity_list").page(entity), "a number of the study changed: `make docs-pages`"


def test_the_figure_is_that_of_the_sample_report(root: Path) -> None:
    report = (root / "reports" / "sample" / "report.html").read_text(encoding="utf-8")
    assert text_of("figures/entity-list-2019.svg") == maker("make_figure").figure(report), "`make sample docs-pages`"


def test_the_example_moves_as_the_shares_did(example: str) -> None:
    """Published closes, by hand: per cent of the last close before, on 8 to 11 October 2019."""
    told = {row[0]: row[1:] for row in rows_of(example, "**What did a suspended share do?**")}
    assert told["Iflytek"] == ["−2.7%", "+1.7%", "+7.7%", "−0.3%"]
    assert told["Hikvision"] == ["suspended", "suspended", "−4.3% over 3 sessions", "−0.7%"]
    assert told["Dahua"] == ["suspended", "suspended", "−5.8% over 3 sessions", "−2.2%"]
    assert "gives a mean move of **−0.9%**" in example  # −2.67 and two zeros


def test_the_examples_effects_are_those_of_the_tables(entity, example: str) -> None:
    cars = entity.car((0, 3)).query("event_id == 'entity-list-2019'").set_index("symbol")
    for (name, car, interval, p, holm), symbol in zip(
        rows_of(example, "## The answer"), ("002230.SZ", "002415.SZ", "002236.SZ"), strict=True
    ):
        row = cars.loc[symbol]
        assert name in ("Iflytek", "Hikvision", "Dahua")
        assert number(car) == pytest.approx(100 * math.expm1(row["car"]), abs=0.0501)
        low, high = (number(part) for part in interval.split(" to "))
        assert low == pytest.approx(100 * math.expm1(row["ci_low"]), abs=0.0501)
        assert high == pytest.approx(100 * math.expm1(row["ci_high"]), abs=0.0501)
        assert (float(p), float(holm)) == (pytest.approx(row["p_value"], abs=5.01e-4), pytest.approx(row["p_holm"], abs=5.01e-4))


def test_the_examples_sentences_hold(entity) -> None:
    """What the page says in words."""
    cars = entity.car((0, 3)).query("event_id == 'entity-list-2019'").set_index("symbol")
    assert cars.loc["002236.SZ", "p_holm"] < 0.05 < cars.loc["002415.SZ", "p_holm"] < 0.06
    tests = entity.tests.query("window_start == 0 and window_end == 3").set_index(["group", "test"])["p_value"]
    assert tests["all", "equal_effects"] < 0.05 < tests["all", "portfolio_t"]
    assert tests["unconfounded", "placebo_caar"] < 0.05
    assert tests["all - firms not listed", "difference_t"] > 0.1
    leaks = entity.anticipation.query("part == 'leak'").set_index("symbol")["car"]
    assert leaks["002415.SZ"] == pytest.approx(cars.loc["002415.SZ", "car"], abs=0.005)
    assert leaks["002236.SZ"] > cars.loc["002236.SZ", "car"] + 0.03
    curve = entity.robustness.query("scope == 'all' and reason == ''")
    assert (curve["effect"] < 0).all()
    assert entity.market.query("window_start == 0 and window_end == 3")["car"].item() > 0


@pytest.mark.parametrize("name", [*TEST_NAMES, "p_holm", "unlock.csv", "bhar"])
def test_every_test_stands_on_the_page_of_methods(name: str) -> None:
    assert f"`{name}`" in text_of("methods.md")


def test_reasons_named_in_the_methods_exist() -> None:
    named = set(re.findall(r"\(`([a-z]+_[a-z_]+)`\)", text_of("methods.md")))
    assert named <= set(REASONS)
    assert len(named) >= 3


def test_the_alt_text_of_the_readmes_figure_is_the_finding(entity, root: Path) -> None:
    (alt,) = re.findall(r"!\[([^\]]*)\]\(docs/figures/entity-list-2019\.svg\)", (root / "README.md").read_text(encoding="utf-8"))
    found = [number(text) for text in re.findall(r"[+−]\d+\.\d%", alt)]
    cars = entity.car((0, 3)).query("event_id == 'entity-list-2019'")
    expected = [100 * math.expm1(value) for row in cars[["car", "ci_low", "ci_high"]].to_numpy() for value in row]
    assert found == pytest.approx(expected, abs=0.0501)


def test_every_column_of_every_table_is_explained(entity) -> None:
    """In the section of its table, or among the columns of many tables; and nothing is explained that is not there."""
    parts = re.split(r"^## (.+)\n", text_of("tables.md"), flags=re.MULTILINE)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    first_cells = {name: "".join(re.findall(r"^\|([^|]+)\|", text, re.MULTILINE)) for name, text in sections.items()}
    told = {name: set(re.findall(r"`([a-z_]+)`", cells)) for name, cells in first_cells.items()}
    common = told.pop("Columns in many tables")
    columns = {name: set(table.columns) for name, table in entity.tables().items()} | {"changes": set(COLUMNS)}
    assert set(told) == set(columns)
    assert {name: found - told[name] - common for name, found in columns.items() if found - told[name] - common} == {}
    assert {name: told[name] - found for name, found in columns.items() if told[name] - found} == {}
