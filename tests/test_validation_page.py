"""The page on proofs: made by its script, so its specified numbers, its differences and the tests it names must be right."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from mistakes import MISTAKES
from validation.actual_design import e3b_table
from validation.batches import COLUMNS
from validation.scenarios import e2_table
from validation.suspensions import e3_table

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "validation.md").read_text(encoding="utf-8")
CELL = re.compile(r"(\*\*)?(−?[\d.]+) \((−?[\d.]+); ([+−]?[\d.]+) of ±([\d.]+)\)")


def value(text: str) -> float:
    return float(text.replace("−", "-"))


def section(heading: str) -> str:
    return next(part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE) if part.startswith(f"{heading}\n"))


def specified(text: str) -> list[list[float]]:
    """The specified numbers of every line of a section's tables."""
    lines = [[value(cell[2]) for cell in CELL.findall(line)] for line in text.splitlines()]
    return [line for line in lines if line]


def test_every_cell_is_within_its_tolerance_or_marked() -> None:
    cells = CELL.findall(PAGE)[1:]  # the first one shows how to read a cell
    assert len(cells) > 32 * 14 + 36 * 6 + 18 * 5
    for bold, found, expected, gap, allowed in cells:
        digits = len(found.partition(".")[2])
        last = 1.01 * 10.0**-digits
        assert value(gap) == pytest.approx(value(found) - value(expected), abs=last)
        assert bool(bold) == (abs(value(gap)) > value(allowed)) or abs(abs(value(gap)) - value(allowed)) <= last
    summary = re.findall(r"^\| [^|]+ \| (\d+) \| [^|]+ \| (\d+) \|$", PAGE, flags=re.MULTILINE)
    assert len(summary) == 11
    assert sum(int(compared) for compared, _ in summary) == len(cells)
    assert sum(int(outside) for _, outside in summary) == sum(bool(cell[0]) for cell in cells)


def test_specified_sizes_and_powers_are_the_tables() -> None:
    blocks = re.split(r"^### ", section("Size and power of the tests across firms"), flags=re.MULTILINE)[1:]
    table = e2_table()
    for (_, rows), block in zip(table.groupby(["firms", "length"], sort=False), blocks, strict=True):
        assert specified(block) == rows[list(COLUMNS)].T.to_numpy().tolist()


def test_specified_numbers_of_suspensions_are_the_tables() -> None:
    columns = ["beta_mean", "beta_sd", "sigma_mean", "car_mean", "car_sd", "rejected"]
    assert specified(section("Treatments of suspensions")) == e3_table()[columns].to_numpy().tolist()
    names = ["caar_mean", "portfolio_t", "placebo_caar", "kp_bmp", "patell"]
    assert specified(section("Three firms, two of them suspended")) == e3b_table()[names].to_numpy().tolist()


def named_tests() -> list[str]:
    inside = re.findall(r"`(test_\w+)`", section("What must not change a result"))
    return [f"test_invariants.py::{name}" for name in inside] + re.findall(r"`(test_\w+\.py::test_\w+)`", PAGE)


def test_many_tests_are_named() -> None:
    assert len(named_tests()) > 40


@pytest.mark.parametrize("place", named_tests())
def test_every_named_test_exists(place: str) -> None:
    file, _, name = place.partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_number_of_mistakes() -> None:
    assert f"lists {len(MISTAKES)} one-line mistakes" in PAGE


def test_page_is_linked_and_its_links_lead_somewhere() -> None:
    assert "(docs/validation.md)" in (TESTS.parent / "README.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (TESTS.parent / "docs" / link).exists(), link
