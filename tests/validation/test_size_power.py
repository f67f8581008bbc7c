"""Size and power of every test: the specification's table E2 (`make validation`)."""

from __future__ import annotations

import pytest

from validation.batches import COLUMNS
from validation.comparison import misses
from validation.scenarios import KEYS, e2_block, e2_compared, e2_table


def test_every_column_of_the_table_is_simulated() -> None:
    assert [*KEYS, *COLUMNS] == list(e2_table().columns)


@pytest.mark.validation
@pytest.mark.parametrize(("firms", "length"), [(3, 1), (3, 4), (10, 1), (30, 1)])
def test_e2_block_lands_on_the_specification(firms: int, length: int) -> None:
    rows = e2_block(firms, length)
    assert len(rows) == 8
    compared = zip(rows, e2_compared(rows), strict=True)
    assert not {(row["scenario"], row["effect"]): wrong for row, (_, cells) in compared if (wrong := misses(cells))}
