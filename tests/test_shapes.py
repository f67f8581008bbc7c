"""Odd DataFrames: every shape of prices, benchmark and events either gives the same study or a sentence about what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eventstudy as es
from eventstudy.errors import ConfigError, DataError

WINDOWS = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3), (0, 0)], min_observations=60)
FAILED = (ConfigError, DataError)
SHUFFLED = np.random.default_rng(0).permutation(160)
Change = Callable[[Any], Any]


@pytest.fixture(scope="module")
def made(panel):
    return panel()


@pytest.fixture(scope="module")
def want(made) -> list[float]:
    return study(made)


def study(made, prices: Any = None, benchmark: Any = None, events: Any = None, **options: Any) -> list[float]:
    result = es.event_study(
        made.events(130) if events is None else events,
        made.prices if prices is None else prices,
        made.benchmark if benchmark is None else benchmark,
        windows=WINDOWS, tests=["portfolio_t"], **options,
    )  # fmt: skip
    return result.cars["car"].tolist()


def test_effect_of_the_plain_frames_is_that_of_a_line_fitted_by_hand(made, want: list[float]) -> None:
    share, market = np.log(made.prices["AAA"]), np.log(made.benchmark)
    beta, alpha = np.polyfit(market.diff()[30:120], share.diff()[30:120], 1)
    held = (share.iloc[133] - share.iloc[129]) - beta * (market.iloc[133] - market.iloc[129]) - 4 * alpha
    assert want[0] == pytest.approx(held, rel=1e-9)


WIDE: dict[str, Change] = {
    "unsorted": lambda frame: frame.iloc[SHUFFLED],
    "with a time zone": lambda frame: frame.tz_localize("Asia/Shanghai"),
    "at closing time": lambda frame: frame.set_axis(frame.index + pd.Timedelta(hours=15)),
    "text": lambda frame: frame.set_axis(frame.index.strftime("%Y-%m-%d")),
    "compact text": lambda frame: frame.set_axis(frame.index.strftime("%Y%m%d")),
    "whole numbers": lambda frame: frame.set_axis(frame.index.strftime("%Y%m%d").astype(int)),
    "periods": lambda frame: frame.to_period("D"),
    "python dates": lambda frame: frame.set_axis(frame.index.date),
    "identical duplicates": lambda frame: pd.concat([frame, frame.iloc[[60]]]),
    "objects": lambda frame: frame.astype(object),
    "nullable numbers": lambda frame: frame.astype("Float64"),
}


@pytest.mark.parametrize("name", WIDE)
def test_wide_frame(made, want: list[float], name: str) -> None:
    assert study(made, WIDE[name](made.prices)) == want


@pytest.mark.parametrize("name", WIDE)
def test_benchmark_by_date(made, want: list[float], name: str) -> None:
    assert study(made, benchmark=WIDE[name](made.benchmark)) == want


OTHER_SHAPES: dict[str, Change] = {
    "wide with a column of dates": lambda made: made.prices.rename_axis("Date").reset_index(),
    "long, unsorted": lambda made: made.long().sample(frac=1, random_state=1),
    "long, indexed by symbol and date": lambda made: made.long().set_index(["symbol", "date"]),
    "long series": lambda made: made.long().set_index(["date", "symbol"])["close"],
    "long with other names": lambda made: made.long().set_axis(["Date", "Ticker", "Close"], axis=1),
    "long with categories": lambda made: made.long().astype({"date": "category", "symbol": "category"}),
    "yfinance, field first": lambda made: pd.concat({"Close": made.prices, "Open": made.prices}, axis=1),
    "yfinance, ticker first": lambda made: pd.concat({"Close": made.prices, "Open": made.prices}, axis=1)
    .swaplevel(axis=1).sort_index(axis=1).tz_localize("UTC").iloc[SHUFFLED],
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_SHAPES)
def test_other_shapes_of_prices(made, want: list[float], name: str) -> None:
    assert study(made, OTHER_SHAPES[name](made)) == want


BENCHMARKS: dict[str, Change] = {
    "one column": lambda level: level.to_frame("CSI 300"),
    "dates in a column": lambda level: level.rename("level").rename_axis("date").reset_index(),
    "as prices are fetched": lambda level: pd.DataFrame(
        {"date": level.index, "symbol": "I", "close": level.to_numpy(), "adj_close": np.nan, "volume": np.nan, "split": 1.0}
    ),
    "yfinance, flat": lambda level: pd.DataFrame({"Close": level, "High": level * 2, "Volume": 0}),
    "yfinance, two levels": lambda level: pd.concat(
        {"Close": level.to_frame("^X"), "High": 2 * level.to_frame("^X"), "Volume": 0 * level.to_frame("^X")}, axis=1
    ),
    "text": lambda level: level.map(repr),
}  # fmt: skip


@pytest.mark.parametrize("name", BENCHMARKS)
def test_other_shapes_of_the_benchmark(made, want: list[float], name: str) -> None:
    assert study(made, benchmark=BENCHMARKS[name](made.benchmark)) == want


def test_hole_in_the_benchmark_widens_the_span_and_undoes_a_window_that_ends_there(made, want: list[float]) -> None:
    inside, edge = made.benchmark.copy(), made.benchmark.copy()
    inside.iloc[131] = edge.iloc[133] = np.nan
    assert study(made, benchmark=inside) == pytest.approx(want, rel=1e-9)  # logs over two sessions are those of one and one
    cars = study(made, benchmark=edge)
    assert np.isnan(cars[::2]).all()
    assert cars[1::2] == want[1::2]


ONE_SHARE: dict[str, Change] = {
    "series": lambda share: share,
    "series without a name": lambda share: share.rename(None),
    "close and volume": lambda share: pd.DataFrame({"close": share, "volume": 1000}),
    "yfinance": lambda share: pd.DataFrame({"Close": share, "Open": 2 * share, "Volume": 1000}),
    "yfinance with dates in a column": lambda share: pd.DataFrame({"Date": share.index, "Close": share.to_numpy()}),
}


@pytest.mark.parametrize("name", ONE_SHARE)
def test_one_share_alone(made, want: list[float], name: str) -> None:
    assert study(made, ONE_SHARE[name](made.prices["AAA"]), events=made.events(130, ["AAA"])) == want[:2]


def test_one_share_is_not_taken_for_several_or_for_another(made) -> None:
    with pytest.raises(DataError, match="prices is of one share, and 3 are asked for"):
        study(made, pd.DataFrame({"Close": made.prices["AAA"]}))
    with pytest.raises(DataError, match="no column or rows in prices"):
        study(made, made.prices["AAA"], events=made.events(130, ["BBB"]))


@pytest.mark.parametrize("symbols", [[600570, 2, 3], [600570.0, 2.0, 3.0], ["600570", "2", "3"]])
def test_symbols_that_are_numbers(made, want: list[float], symbols: list[object]) -> None:
    prices = made.prices.set_axis([600570, 2, 3], axis=1)
    assert study(made, prices, events=made.events(130).assign(symbol=symbols)) == want


EVENTS: dict[str, Change] = {
    "odd index": lambda events: events.set_axis([7, 7, 9]),
    "keys in the index": lambda events: events.set_index(["event_id", "symbol"]),
    "categories": lambda events: events.astype("category"),
    "strings": lambda events: events.astype("string"),
    "timestamps": lambda events: events.assign(session=pd.to_datetime(events["session"])),
    "timestamps of a zone": lambda events: events.assign(session=pd.Timestamp("2018-07-02", tz="Asia/Shanghai")),
    "dates": lambda events: events.assign(session=[dt.date(2018, 7, 2)] * 3),
    "periods": lambda events: events.assign(session=pd.PeriodIndex(events["session"], freq="D")),
    "whole numbers": lambda events: events.assign(session=20180702),
    "event ids that are numbers": lambda events: events.assign(event_id=[1, 2, 3]),
    "blank groups": lambda events: events.assign(group=["a", np.nan, None]),
}


@pytest.mark.parametrize("name", EVENTS)
def test_events_frame(made, want: list[float], name: str) -> None:
    events = EVENTS[name](made.events(130))
    before = events.copy()
    assert study(made, events=events) == want
    pd.testing.assert_frame_equal(events, before)


def test_single_event(made, want: list[float]) -> None:
    assert study(made, events=made.events(130).iloc[[1]]) == want[2:4]


REFUSED: dict[str, tuple[dict[str, Change], str]] = {
    "dates of another zone": (
        {"prices": lambda made: made.prices.tz_localize("Asia/Shanghai").tz_convert("UTC")},
        "prices: the dates carry a time zone and are not midnight there",
    ),
    "dates of another zone, benchmark": (
        {"benchmark": lambda made: made.benchmark.tz_localize("Asia/Shanghai").tz_convert("UTC")},
        "benchmark: the dates carry a time zone",
    ),
    "day and month in doubt": (
        {"prices": lambda made: made.prices.set_axis(made.prices.index.strftime("%m/%d/%Y"))}, "'01/01/2018' is not a date",
    ),
    "no dates": ({"prices": lambda made: made.prices.reset_index(drop=True)}, "prices: '0' is not a date"),
    "no dates, benchmark": ({"benchmark": lambda made: made.benchmark.reset_index(drop=True)}, "benchmark: '0' is not a date"),
    "two columns of one name": (
        {"prices": lambda made: made.prices[["AAA", "AAA", "BBB"]]}, "prices has two columns 'AAA': keep one",
    ),
    "dates that disagree": (
        {"prices": lambda made: pd.concat([made.prices, 1.1 * made.prices.iloc[[60]]])}, "two rows of 2018-03-26 disagree",
    ),
    "zero price": ({"prices": lambda made: made.prices.mask(made.prices == made.prices.iloc[50, 0], 0)}, "close 0 on 2018-03-12"),
    "an array": ({"prices": lambda made: made.prices.to_numpy()}, "prices is a ndarray: give a pandas DataFrame"),
    "a list": ({"benchmark": lambda made: made.benchmark.tolist()}, "benchmark is a list: give a pandas DataFrame"),
    "several benchmarks": ({"benchmark": lambda made: made.prices}, r"benchmark has 3 columns \(AAA, BBB, CCC\): give a Series"),
    "volumes of other shares": (
        {"volume": lambda made: made.prices.set_axis(["X", "Y", "Z"], axis=1)}, "volume has the columns X, Y, Z, and prices",
    ),
    "a mask that runs backwards": ({"masks": lambda made: [(made.day(9), made.day(8))]}, "masks: 2018-01-12 to 2018-01-11 runs"),
    "no events": ({"events": lambda made: made.events(130).iloc[:0]}, "events: no events: add a row"),
    "records": ({"events": lambda made: made.events(130).to_dict("records")}, "events is a list: give a DataFrame"),
    "a session with a time": (
        {"events": lambda made: made.events(130).assign(session=pd.Timestamp("2018-07-02 15:00"))},
        "events, row 1: '2018-07-02 15:00:00' is not a date",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_sentence(made, name: str) -> None:
    changes, told = REFUSED[name]
    with pytest.raises(FAILED, match=told):
        study(made, **{argument: change(made) for argument, change in changes.items()})


def test_masks_may_be_dates_of_any_kind(made) -> None:
    first, last = pd.Timestamp(made.day(50)), dt.date.fromisoformat(made.day(52))
    assert study(made, masks=[(first, last)]) == study(made, masks=[(made.day(50), made.day(52))])


def test_volume_of_one_share_may_be_a_series(made) -> None:
    prices = made.prices["AAA"].copy()
    prices.iloc[131] = prices.iloc[130]
    volume = pd.Series(1000.0, index=prices.index)
    events = made.events(130, ["AAA"])
    none = volume.mask(volume.index == prices.index[131], 0)
    busy, idle = (study(made, prices, events=events, volume=given) for given in (volume, none))
    assert busy[0] == pytest.approx(idle[0], rel=1e-9)
    assert busy != idle  # one row over two sessions, or two rows: the same to the last digit but one


def test_windows_must_be_windows(made) -> None:
    with pytest.raises(ConfigError, match=r"windows is a dict: give es\.Windows"):
        es.event_study(made.events(130), made.prices, made.benchmark, windows={"estimation": (-100, -11)})  # type: ignore[arg-type]
