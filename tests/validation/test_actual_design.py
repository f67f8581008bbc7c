"""The design of the first study: the specification's table E3b (`make validation`)."""

from __future__ import annotations

import pytest

from validation.actual_design import COLUMNS, TESTS, e3b_compared
from validation.comparison import misses

pytestmark = pytest.mark.validation


@pytest.mark.parametrize("limits", [False, True], ids=["free", "limited"])
def test_e3b_rows_land_on_the_specification(limits: bool) -> None:
    compared = e3b_compared(limits)
    assert len(compared) == 9
    assert set(TESTS) < set(COLUMNS)
    assert not {(row["effect"], row["window_end"]): wrong for row, _, cells in compared if (wrong := misses(cells))}
