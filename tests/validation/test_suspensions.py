"""Treatments of suspensions: the specification's table E3 (`make validation`)."""

from __future__ import annotations

import pytest

from validation.comparison import misses
from validation.suspensions import e3_compared, e3_table

pytestmark = pytest.mark.validation


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_e3_rows_land_on_the_specification(share: float) -> None:
    _, cells = e3_compared(share)
    assert len(cells) == (e3_table()["share"] == share).sum()
    assert not {cell: wrong for cell, found in cells.items() if (wrong := misses(found))}
