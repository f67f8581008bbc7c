"""Tables as files: long ones are written by another road, with the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventstudy.tablefiles import LONG, write_parts


def long_table(text: str) -> pd.DataFrame:
    """Doubles of every size with gaps, whole numbers with gaps, truth values and words, one of them `text`."""
    rng = np.random.default_rng(5)
    bits = rng.integers(0, 2**64, LONG, dtype=np.uint64).view(float)
    edges = [0.0, -0.0, 1.0, -3.0, 1e-3, 9.999e-4, 1e-4, 1e-5, 1e9, 1e15, 1e16, 123456789012345.6, 5e-324]
    edges += [np.inf, -np.inf, np.nan]
    words = np.array(["", "limit-up", "阿里", "Ü", text], dtype=object)
    return pd.DataFrame(
        {
            "symbol": pd.array(words[rng.integers(0, 4, LONG)], dtype="str"),
            "word": words[np.r_[4, rng.integers(0, 4, LONG - 1)]],
            "any": bits,
            "edge": np.resize(edges, LONG),
            "small": rng.normal(size=LONG) * 10.0 ** rng.integers(-8, 3, LONG),
            "half": np.where(rng.random(LONG) < 0.1, np.nan, rng.integers(-5, 5, LONG) / 2),
            "count": np.arange(LONG) - 7,
            "span": pd.array(np.where(rng.random(LONG) < 0.5, None, rng.integers(1, 9, LONG)), dtype="Int64"),
            "short": rng.random(LONG) < 0.5,
        }
    )


@pytest.mark.parametrize("text", ["plain", "a, b", 'say "x"', "two\nlines"])
def test_long_tables_have_the_bytes_of_pandas(text: str, tmp_path: Path) -> None:
    table = long_table(text)
    write_parts([table, table.iloc[:10]], tmp_path / "long.csv", "csv")
    expected = table.to_csv(index=False, lineterminator="\n")
    expected += table.iloc[:10].to_csv(index=False, header=False, lineterminator="\n")
    assert (tmp_path / "long.csv").read_bytes().decode() == expected


COLUMNS = {
    "truth values beside others": pd.Series([True, "x"], dtype=object),
    "numbers as objects": pd.Series([1e-7, None], dtype=object),
    "numbers and words": pd.Series([0.5, "x"], dtype=object),
    "short doubles": pd.Series([0.1, 1e-7], dtype="float32"),
    "dates": pd.Series(pd.to_datetime(["2019-10-08", None])),
    "gaps between truth values": pd.Series([True, None], dtype="boolean"),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_columns_of_other_kinds_have_them_too(column: str, tmp_path: Path) -> None:
    table = pd.DataFrame({"value": pd.concat([COLUMNS[column]] * LONG, ignore_index=True), "n": 1})
    write_parts([table], tmp_path / "long.csv", "csv")
    assert (tmp_path / "long.csv").read_bytes().decode() == table.to_csv(index=False, lineterminator="\n")
