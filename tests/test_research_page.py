"""The page on research code: its blocks run in order, give the study's numbers, and name everything that is public."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import eventstudy as es

PAGE = (Path(__file__).parents[1] / "docs" / "research.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the blocks define, run one after the other."""
    found: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("research"))
        for block in BLOCKS:
            exec(block, found)
    return found


def test_numbers_of_the_page_are_those_of_the_study(names: dict[str, Any], entity) -> None:
    want = entity.car((0, 3)).set_index("symbol").loc[names["shares"]]
    assert names["table"]["car"].tolist() == want["car"].tolist()
    keys = ["group", "window_start", "window_end"]
    mean = entity.caar.set_index(keys)["caar"].loc[("all", 0, 3)]
    t = entity.tests.set_index([*keys, "test"])["statistic"].loc[("all", 0, 3, "portfolio_t")]
    assert names["caar"] == pytest.approx(mean, rel=1e-12)
    assert names["caar"] / names["se"] == pytest.approx(t, rel=1e-12)


def test_placebo_p_of_the_worst_firm_counts_the_draws(names: dict[str, Any]) -> None:
    worst = min(car.car for car in names["cars"].values())
    lower = sum(row.min() <= worst for row in names["draws"].to_numpy())
    assert names["worst"] == (1 + lower) / (1 + len(names["draws"]))


def test_every_public_name_is_on_the_page() -> None:
    table = PAGE.partition("## Every name")[2]
    assert set(re.findall(r"`es\.(\w+)`", table)) == set(es.__all__)


def test_tests_on_arrays_that_the_page_calls_are_public() -> None:
    assert set(re.findall(r"es\.inference\.(\w+)", PAGE)) <= set(es.inference.__all__)
