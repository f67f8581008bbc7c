"""The page on models: every config block on it is taken from the page and tried on recorded prices."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.config import ModelKeys
from eventstudy.configfile import spec_from_dict

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
BLOCKS = [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)]


def study_of(block: dict[str, Any]) -> dict[str, Any]:
    """Iflytek, which was never suspended, in October 2019."""
    return block | {
        "study": {"name": "page"},
        "event": [{"id": "e", "session": "2019-10-08", "firms": ["002230.SZ"]}],
        "market": {"benchmark": "000300.SS"} | block.get("market", {}),
        "windows": {"estimation": [-200, -31], "event": [-5, 10], "car": [[0, 0]]},
        "inference": {"tests": ["patell", "portfolio_t"]},
    }


def test_the_page_has_a_block_or_a_line_for_every_model() -> None:
    names = set(get_args(ModelKeys.model_fields["name"].annotation))
    assert {name for name in names if f"`{name}`" not in PAGE} == set()
    assert names - {block["model"]["name"] for block in BLOCKS} == {"mean", "market_adjusted", "scholes_williams"}


def test_every_key_of_a_model_is_on_the_page() -> None:
    keys = set(ModelKeys.model_fields)
    assert {key for block in BLOCKS for key in block["model"]} | {"factor_units"} == keys


@pytest.mark.parametrize("block", BLOCKS, ids=[block["model"]["name"] for block in BLOCKS])
def test_every_block_runs(block: dict[str, Any], tmp_path: Path) -> None:
    days = pd.read_csv(ROOT / "eventstudy" / "snapshot" / "000300.SS.csv")["date"]
    rng = np.random.default_rng(1)
    factors = pd.DataFrame(rng.normal(0, 0.8, (len(days), 3)), columns=["mkt_rf", "smb", "hml"]).assign(rf=0.006)
    factors.assign(date=days).to_csv(tmp_path / "factors.csv", index=False)
    spec = spec_from_dict(study_of(block), tmp_path)
    if block["model"]["name"] == "two_index":  # the recorded prices hold no index of another exchange
        return
    result = es.run_study(spec)
    row = result.cars.iloc[0]
    assert row["status"] == "ok"
    assert -0.06 < row["car"] < 0.01  # it fell by 2.7% while the market rose by 0.6%
    assert 0.01 < row["se_car"] < 0.05
