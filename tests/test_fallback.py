"""Lists of sources: who serves which symbol, what is said of the others, and what stops the search."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import eventstudy as es
from eventstudy.configfile import data_keys, spec_from_dict
from eventstudy.errors import ConfigError, DataError, EventStudyError, SourceUnreachableError, UnknownSymbolError
from eventstudy.inputs import study_inputs
from eventstudy.result import StudyResult
from eventstudy.sources import FallbackSource, open_source
from eventstudy.sources.base import Kind, PriceSeries
from eventstudy.sources.frames import price_frame
from eventstudy.study import compute

pytestmark = [
    pytest.mark.filterwarnings("ignore:Series.values returning:pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore:DatetimeIndex.weekday:pandas.errors.Pandas4Warning"),
]

EVER = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")


class Scripted:
    """A source that serves some symbols and fails for the others as told."""

    def __init__(self, name: str, problem: EventStudyError, serves: tuple[str, ...] = ()) -> None:
        self.name, self.problem, self.serves = name, problem, serves
        self.asked: list[str] = []

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        self.asked.append(symbol)
        if symbol not in self.serves:
            raise self.problem
        frame, _ = price_frame(pd.DataFrame({"date": ["2019-10-08"], "close": [1.0]}), self.name)
        return PriceSeries(symbol, frame, self.name, kind, notes=("its own note",))


@pytest.mark.parametrize("problem", [UnknownSymbolError("not there"), SourceUnreachableError("down"), DataError("all null")])
def test_next_source_serves_and_it_is_said(problem: EventStudyError) -> None:
    first, second = Scripted("yahoo", problem, ("A",)), Scripted("snapshot", UnknownSymbolError("-"), ("A", "B"))
    source = FallbackSource([first, second])
    served = [source.fetch(symbol, *EVER, "share") for symbol in ("A", "B")]
    assert [series.source for series in served] == ["yahoo", "snapshot"]
    assert served[0].notes == ("its own note",)
    assert served[1].notes == (f"served by snapshot; yahoo: {problem}", "its own note")
    assert second.asked == ["B"]


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        ((UnknownSymbolError("u1"), UnknownSymbolError("u2")), UnknownSymbolError),
        ((SourceUnreachableError("s1"), UnknownSymbolError("u2")), SourceUnreachableError),
        ((UnknownSymbolError("u1"), SourceUnreachableError("s2")), SourceUnreachableError),
        ((DataError("d1"), SourceUnreachableError("s2")), DataError),
    ],
)
def test_none_serves(problems: tuple[EventStudyError, EventStudyError], expected: type[EventStudyError]) -> None:
    source = FallbackSource([Scripted("one", problems[0]), Scripted("two", problems[1])])
    with pytest.raises(expected) as caught:
        source.fetch("A", *EVER, "share")
    assert type(caught.value) is expected
    assert str(caught.value) == f"no source serves A: one: {problems[0]}; two: {problems[1]}"


def test_trouble_with_the_config_stops_the_search() -> None:
    second = Scripted("two", UnknownSymbolError("-"), ("A",))
    with pytest.raises(ConfigError, match="no driver"):
        FallbackSource([Scripted("one", ConfigError("no driver")), second]).fetch("A", *EVER, "share")
    assert not second.asked


def test_one_name_needs_no_list() -> None:
    assert open_source("snapshot", Path(), {}).name == "snapshot"
    assert data_keys({"source": "snapshot"}).sources == ("snapshot",)
    assert data_keys({"source": ["yahoo", "snapshot"]}).sources == ("yahoo", "snapshot")
    with pytest.raises(ConfigError, match="none of snapshot, files"):
        open_source("nowhere", Path(), {})


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("yaho", "source 'yaho' is unknown: perhaps you meant 'yahoo'"),
        (["snapshot", "wind"], "source 'wind' is unknown: the sources are"),
        (["snapshot", "snapshot"], "lists a source twice"),
        ([], "lists a source twice, or none"),
        (7, "source 7 is unknown"),
        ("files", r"needs a \[data.files\] table"),
        (["snapshot", "sql"], r"needs a \[data.sql\] table"),
    ],
)
def test_source_key_is_checked_with_one_line(source: Any, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        data_keys({"source": source})
    assert "\n" not in str(caught.value)


def study(folder: Path) -> dict[str, Any]:
    """Two firms: the user's file has one of them and no benchmark, the snapshot has all."""
    prices = es.fetch_prices("002230.SZ", "2018-09-01", "2019-12-31", source="snapshot")
    prices.to_csv(folder / "prices.csv", index=False)
    return {
        "study": {"name": "mixed"},
        "event": [{"id": "ban", "session": dt.date(2019, 10, 8), "firms": ["002230.SZ", "002415.SZ"]}],
        "market": {"benchmark": "000300.SS"},
        "data": {"source": ["files", "snapshot"], "files": {"prices": str(folder / "prices.csv"), "absent": "missing"}},
        "windows": {"estimation": [-200, -31], "event": [-5, 5], "car": [[0, 3]]},
        "model": {"returns": "log"},
        "inference": {"tests": ["bmp"]},
    }


def test_study_falls_back_symbol_by_symbol(tmp_path: Path) -> None:
    content = study(tmp_path)
    mixed = StudyResult(compute(study_inputs(spec_from_dict(content))))
    assert dict(zip(mixed.data["symbol"], mixed.data["source"], strict=True)) == {
        "002230.SZ": "files", "002415.SZ": "snapshot", "000300.SS": "snapshot",
    }  # fmt: skip
    notes = mixed.notes[mixed.notes["note"].str.startswith("served by snapshot; files: ")]
    assert notes["symbol"].tolist() == ["002415.SZ", "000300.SS"]
    whole = StudyResult(compute(study_inputs(spec_from_dict({**content, "data": {"source": "snapshot"}}))))
    assert mixed.cars["car"].tolist() == pytest.approx(whole.cars["car"].tolist(), abs=1e-12)


def test_fetch_prices_takes_a_list_with_settings_by_source(tmp_path: Path) -> None:
    study(tmp_path)
    prices = es.fetch_prices(
        ["002230.SZ", "002415.SZ"], "2019-10-08", "2019-10-10", source=["files", "snapshot"],
        files={"prices": str(tmp_path / "prices.csv")},
    )  # fmt: skip
    assert prices.groupby("symbol").size().to_dict() == {"002230.SZ": 3, "002415.SZ": 3}
    with pytest.raises(ConfigError, match="unknown key 'prizes'"):
        es.fetch_prices("002230.SZ", "2019-10-08", "2019-10-10", source="files", prizes="prices.csv")
