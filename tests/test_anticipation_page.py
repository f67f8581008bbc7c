"""The page on what was known before: its config block runs on recorded prices, and what it says of it holds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import eventstudy as es
from eventstudy.anticipation import PRE_EVENT, PROBABILITIES
from eventstudy.report.wording import REASONS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "anticipation.md").read_text(encoding="utf-8")
BLOCK = tomllib.loads(re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[0])
STUDY = {
    "study": {"name": "page"},
    "event": [{"id": "e", "session": "2019-10-08", "firms": ["002415.SZ"]}],
    "market": {"benchmark": "000300.SS"},
    "windows": {"estimation": [-200, -31], "event": [-30, 5], "car": [[0, 3]]},
    "model": {"name": "market", "returns": "log"},
    "inference": {"tests": ["portfolio_t"]},
}


@pytest.fixture(scope="module")
def result() -> es.StudyResult:
    return es.run_study(STUDY | BLOCK)


def test_the_block_measures_leak_announcement_and_their_total(result: es.StudyResult) -> None:
    rows = {part: group.iloc[0] for part, group in result.anticipation.groupby("part")}
    leak, both = rows["leak"], rows["total"]
    here = result.car((0, 3)).iloc[0]
    assert (leak["first_session"], leak["last_session"]) == ("2019-05-22", "2019-05-23")
    assert -0.13 < leak["car"] < -0.07  # it fell by 5.5% and 5.8%, the market by 0.5% and 1.8%
    assert both["car"] == pytest.approx(leak["car"] + here["car"])
    assert result.models["n_sessions"].iloc[0] == 170 - 4


def test_what_the_page_names_is_there(result: es.StudyResult) -> None:
    for window in PRE_EVENT:
        assert f"[−{-window[0]}, −{-window[1]}]" in PAGE
    assert "π = {:g}, {:g} and {:g}".format(*PROBABILITIES) in PAGE
    for code in ("masked_event", "windows_overlap", "not_identified"):
        assert f"`{code}`" in PAGE
        assert code in REASONS
    assert {"leak", "announcement", "total", "pre_event", "scaled"} <= set(result.anticipation["part"])
