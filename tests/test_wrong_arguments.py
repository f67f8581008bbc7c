"""What research code gets wrong first, told in one sentence that says what to give."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import ConfigError, DataError, EventStudyError, OutputError

WINDOWS = es.Windows(estimation=(-140, -11), event=(-5, 5), car=[(0, 2)])


@pytest.fixture(scope="module")
def study() -> dict[str, Any]:
    """A share with a known return path, its benchmark, an event, and what `event_study` makes of it."""
    dates = pd.bdate_range("2019-01-01", periods=180)
    rng = np.random.default_rng(3)
    index = pd.Series(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 180))), dates)
    prices = pd.DataFrame({"AAA": 50 * np.exp(np.cumsum(rng.normal(0, 0.02, 180)))}, dates)
    events = pd.DataFrame({"event_id": ["e"], "symbol": ["AAA"], "session": [f"{dates[160]:%Y-%m-%d}"]})
    result = es.event_study(events, prices, index, windows=WINDOWS, tests=())
    return {"prices": prices, "index": index, "events": events, "result": result}


def run(study: dict[str, Any], **keys: Any) -> es.StudyResult:
    return es.event_study(study["events"], study["prices"], study["index"], windows=WINDOWS, **keys)


CASES: dict[str, tuple[Callable[[dict[str, Any]], Any], type[EventStudyError], str]] = {
    "no exchange": (lambda _: es.sessions(None, "2019-01-01", "2019-02-01"), ConfigError, "such as XSHG"),  # type: ignore[arg-type]
    "suspensions": (
        lambda one: es.trading_status(one["prices"], one["index"].index, suspended=None),  # type: ignore[arg-type]
        ConfigError,
        "suspended is no sequence of pairs of dates",
    ),
    "flat masks": (lambda one: run(one, masks=("2019-02-01", "2019-03-01")), ConfigError, "masks is no sequence of pairs"),
    "a share called benchmark": (
        lambda one: run({**one, "events": one["events"].assign(symbol="benchmark")}),
        ConfigError,
        "a share cannot be called 'benchmark', which names an index here",
    ),
    "no tests": (lambda one: run(one, tests=None), ConfigError, "give 'all', names of tests, or () for none"),
    "no masks": (lambda one: run(one, masks=None), ConfigError, "masks is no sequence of pairs"),
    "window of the headline": (lambda one: run(one, headline_window=3), ConfigError, "headline_window = 3 is not a window"),
    "headline": (lambda one: run(one, headline=5), ConfigError, "headline = 5: give the names of two tests"),
    "present": (lambda one: run(one, now="2020-01-01"), ConfigError, "now is a str: give a datetime with a time zone"),
    "limit": (lambda one: run(one, price_limit=-1), ConfigError, "price_limit = -1 is no daily limit"),
    "seed": (lambda one: run(one, seed="x"), ConfigError, "seed = 'x' is no whole number"),
    "progress": (lambda one: run(one, progress=5), ConfigError, "progress is a int: give a function"),
    "level": (lambda one: run(one, alpha="five"), ConfigError, "alpha = five is no level"),
    "scheduler": (lambda one: run(one, scheduler="tcp://10.0.0.5:8786"), ConfigError, 'set engine = "dask"'),
    "estimator": (lambda _: es.MarketModel(estimator="l1"), ConfigError, "estimator = 'l1' is none of ols, huber, lad"),  # type: ignore[arg-type]
    "covariance": (lambda _: es.MarketModel("lad", "hac"), ConfigError, "cov = 'hac' is for estimator = 'ols'"),
    "one CAR": (lambda _: es.run_tests(3), ConfigError, "cars is a int: give a list"),  # type: ignore[arg-type]
    "window": (lambda one: one["result"].car(3), ConfigError, "window = 3 is not a window"),
    "windows": (lambda one: one["result"].to_markdown((0, 2)), ConfigError, "window = 0 is not a window"),
    "axes": (lambda one: one["result"].plot_car("AAA", ax="left"), ConfigError, "ax is a str: give matplotlib axes"),
    "workbook": (lambda one: one["result"].to_excel(3), ConfigError, "path is a int: give the name of a workbook, or a file"),
    "text": (lambda one: one["result"].to_excel(io.StringIO()), ConfigError, "or a file that is open for bytes"),
    "p-value": (lambda _: es.inference.holm([0.01, 1.3, float("nan")]), DataError, "p_values hold 1.3: give numbers between 0"),
    "folder": (
        lambda one: one["result"].write(f"{__file__}/runs"),
        OutputError,
        "the run cannot be written (Not a directory): free some space, or write to another folder (--out, from",
    ),
    "matrix": (lambda _: es.inference.kp_bmp([1.0, 2.0], np.eye(2)), DataError, "give the mean correlation between firms"),  # type: ignore[arg-type]
    "undefined": (lambda _: es.inference.kp_bmp([1.0, 2.0], float("nan")), DataError, "lies between -1 and 1"),
    "other years": (
        lambda one: es.trade_rows(one["prices"], one["index"].set_axis(pd.bdate_range("2001-01-01", periods=180))),
        DataError,
        "prices: none of its dates is a session between 2001-01-01 and 2001-09-07",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_argument_is_told_in_one_sentence(case: str, study: dict[str, Any]) -> None:
    call, kind, text = CASES[case]
    with pytest.raises(kind) as told:
        call(study)
    assert text in str(told.value)
    assert "\n" not in str(told.value)


def test_no_tests_at_all_are_no_mistake(study: dict[str, Any]) -> None:
    tables = study["result"].tables()
    assert tables["tests"].empty
    assert tables["anticipation_tests"].empty
    assert len(tables["cars"]) == 1


def test_masks_come_in_many_shapes(study: dict[str, Any]) -> None:
    ends = pd.DataFrame({"from": pd.to_datetime(["2019-02-01"]), "to": pd.to_datetime(["2019-03-01"])})
    pairs = ([("2019-02-01", "2019-03-01")], ends.to_numpy(), [pd.DatetimeIndex(ends.iloc[0])], [ends.iloc[0]])
    expected, *found = (run(study, masks=masks, tests=(), alpha=np.float32(0.05)).models for masks in pairs)
    assert expected["nobs"].iloc[0] == 109  # of 130 sessions 21 are masked
    for models in found:
        pd.testing.assert_frame_equal(expected, models)
