"""DataFrames as research code has them: long, wide, as yfinance returns them, with and without volume."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import eventstudy as es
from eventstudy.errors import ConfigError, DataError

WINDOWS = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[(0, 3), (0, 0)], min_observations=60)
CARS = ["car", "se_car", "t", "p_value", "ci_low", "ci_high"]


@pytest.fixture(scope="module")
def made(panel):
    return panel()


@pytest.fixture(scope="module")
def plain(made) -> es.StudyResult:
    """The study on a wide frame, which every other shape is compared with."""
    return study(made, made.prices)


def study(made, prices: pd.DataFrame, benchmark: object = None, **options: object) -> es.StudyResult:
    given = {"events": made.events(130), "windows": WINDOWS, "tests": ["portfolio_t"]} | options
    return es.event_study(prices=prices, benchmark=made.benchmark if benchmark is None else benchmark, **given)


def same(result: es.StudyResult, want: es.StudyResult, symbols: tuple[str, ...] = ("AAA", "BBB", "CCC"), **how: object) -> None:
    for name in ("models", "abnormal_returns", "cars"):
        got, wanted = (getattr(one, name).drop(columns="p_holm", errors="ignore") for one in (result, want))
        wanted = wanted[wanted["symbol"].isin(symbols)].reset_index(drop=True)
        assert_frame_equal(got, wanted, **({"check_exact": True} | how))


# --- event_study: shapes ----------------------------------------------------------------------------------------------------


def test_long_frame(made, plain) -> None:
    same(study(made, made.long()), plain)


def test_long_frame_with_the_dates_in_the_index(made, plain) -> None:
    same(study(made, made.long().set_index("date")), plain)


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize("field_first", [True, False], ids=["field-ticker", "ticker-field"])
def test_yfinance_frame_as_it_comes(made, zone: str | None, field_first: bool) -> None:
    volume = pd.DataFrame(1000, index=made.prices.index, columns=made.prices.columns)
    parts = {"Close": made.prices, "High": made.prices, "Volume": volume, "Dividends": 0 * made.prices}
    frame = pd.concat(parts, axis=1, names=["Price", "Ticker"])
    frame = frame if field_first else frame.swaplevel(axis=1).sort_index(axis=1)
    same(study(made, frame.tz_localize(zone)), study(made, made.prices, volume=volume))


def test_yfinance_volume_tells_suspended_sessions(made) -> None:
    prices = made.prices.copy()
    prices.iloc[131, 0] = prices.iloc[130, 0]
    volume = pd.DataFrame(1000.0, index=prices.index, columns=prices.columns)
    volume.iloc[131, 0] = 0
    frame = pd.concat({"Close": prices, "Volume": volume}, axis=1)
    rows = study(made, frame).abnormal_returns.query("symbol == 'AAA'").set_index("tau")
    assert (rows.loc[1, "status"], rows.loc[2, "span"]) == ("suspended", 2)


def test_yfinance_adjusted_close_is_the_total_return(made, plain) -> None:
    frame = pd.concat({"Close": made.prices * 3, "Adj Close": made.prices}, axis=1)
    same(study(made, frame), plain, check_exact=False, rtol=1e-11)


def test_yfinance_absent_row_is_a_missing_price(made) -> None:
    frame = pd.concat({"Close": made.prices}, axis=1).drop(made.prices.index[131])
    rows = study(made, frame).abnormal_returns.set_index("tau")
    assert set(rows.loc[1, "status"]) == {"missing"}


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai"])
def test_history_of_a_single_ticker(made, plain, zone: str | None) -> None:
    frame = pd.DataFrame({"Open": 1.0, "Close": made.prices["AAA"], "Volume": 1000, "Dividends": 0.0}).tz_localize(zone)
    same(study(made, frame, events=made.events(130, ["AAA"])), plain, ("AAA",))


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "UTC"])
def test_wide_frame_with_a_time_zone(made, plain, zone: str) -> None:
    same(study(made, made.prices.tz_localize(zone)), plain)


@pytest.mark.parametrize(
    "shape",
    [
        lambda index: index.to_frame("Close"),
        lambda index: index.tz_localize("Asia/Shanghai"),
        lambda index: index.to_frame().tz_localize("America/New_York"),
        lambda index: index.set_axis([f"{day:%Y-%m-%d}" for day in index.index]),
        lambda index: index.sample(frac=1, random_state=1),
    ],
    ids=["one column", "time zone", "both", "text dates", "unsorted"],
)
def test_shapes_of_the_benchmark(made, plain, shape) -> None:
    same(study(made, made.prices, shape(made.benchmark)), plain)


def test_benchmark_of_several_columns_is_refused(made) -> None:
    with pytest.raises(DataError, match="2 columns"):
        study(made, made.prices, pd.DataFrame({"a": made.benchmark, "b": made.benchmark}))


def idle(made, place: int = 131) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Prices with one unchanged close, and volumes that say it was a suspension."""
    prices = made.prices.copy()
    prices.iloc[place, 0] = prices.iloc[place - 1, 0]
    volume = pd.DataFrame(1000.0, index=prices.index, columns=prices.columns)
    volume.iloc[place, 0] = 0
    return prices, volume


def long_of(prices: pd.DataFrame) -> pd.DataFrame:
    return prices.rename_axis("date").reset_index().melt("date", var_name="symbol", value_name="close")


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai"])
@pytest.mark.parametrize("shape", ["wide", "long"])
@pytest.mark.parametrize("of_volume", [None, "Asia/Shanghai"])
def test_volume_frame_is_used_whatever_the_time_zones(made, shape: str, zone: str | None, of_volume: str | None) -> None:
    prices, volume = idle(made)
    prices = prices.tz_localize(zone)
    result = study(made, prices if shape == "wide" else long_of(prices), volume=volume.tz_localize(of_volume))
    rows = result.abnormal_returns.query("symbol == 'AAA'").set_index("tau")
    assert (rows.loc[1, "status"], rows.loc[2, "span"]) == ("suspended", 2)


def test_volume_frame_is_used_for_symbols_that_are_numbers(made) -> None:
    prices, volume = (frame.set_axis([600570, 2, 3], axis=1) for frame in idle(made))
    events = made.events(130).assign(symbol=["600570", "2", "3"])
    rows = study(made, prices, events=events, volume=volume).abnormal_returns.query("symbol == '600570'").set_index("tau")
    assert rows.loc[1, "status"] == "suspended"


def test_repeated_dates_of_the_volume_frame_are_no_internal_error(made) -> None:
    prices, volume = idle(made)
    rows = study(made, prices, volume=pd.concat([volume, volume.iloc[[60]]])).abnormal_returns
    assert rows.query("symbol == 'AAA' and tau == 1")["status"].tolist() == ["suspended"]


@pytest.mark.parametrize(("places", "statuses"), [([131], ["unknown"]), ([131, 132], ["suspended", "suspended"])])
def test_without_volume_unchanged_closes_decide(made, places: list[int], statuses: list[str]) -> None:
    prices = made.prices.copy()
    prices.iloc[places, 0] = prices.iloc[130, 0]
    result = study(made, prices)
    rows = result.abnormal_returns.query("symbol == 'AAA'").set_index("tau")
    assert rows.loc[[place - 130 for place in places], "status"].tolist() == statuses
    assert rows["ar"].isna().sum() == (len(places) if len(places) > 1 else 0)
    assert result.notes["symbol"].tolist() == ["AAA"]


# --- event_study: arguments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "session",
    [pd.Timestamp("2018-07-02"), dt.date(2018, 7, 2), pd.Timestamp("2018-07-02", tz="Asia/Shanghai")],
    ids=["timestamp", "date", "with a time zone"],
)
def test_session_may_be_a_date_of_any_kind(made, plain, session) -> None:
    events = made.events(130).assign(session=[session] * 3)
    same(study(made, made.prices, events=events), plain)


@pytest.mark.parametrize(
    "columns",
    [
        {"announced_at": "2018-07-02T10:00:00+08:00"},
        {"announced_at": pd.Timestamp("2018-07-02 10:00", tz="Asia/Shanghai")},
        {"announced_at": "2018-07-02T10:00:00", "timezone": "Asia/Shanghai"},
        {"announced_on": "2018-06-30", "timezone": "Asia/Shanghai"},
        {"announced_on": pd.Timestamp("2018-06-30"), "timezone": "Asia/Shanghai"},
    ],
)
def test_events_dated_by_announcement(made, columns: dict[str, object]) -> None:
    events = pd.DataFrame({"event_id": "e", "symbol": ["AAA"]} | columns)
    assert study(made, made.prices, events=events, calendar="XSHG").events["event_session"].tolist() == ["2018-07-02"]


@pytest.mark.parametrize("column", ["event_id", "symbol", "session"])
def test_events_frame_without_a_column_is_refused(made, column: str) -> None:
    with pytest.raises(ConfigError, match=column):
        study(made, made.prices, events=made.events(130).drop(columns=column))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"model": "garch3"}, "model = 'garch3' is none of mean"),
        ({"returns": "arithmetic"}, "returns"),
        ({"suspensions": "ignore"}, "suspensions"),
        ({"tests": ["grank2"]}, "tests"),
        ({"headline_window": (0, 9)}, "headline_window"),
        ({"calendar": "NOWHERE"}, "NOWHERE"),
        ({"masks": [("2018-13-01", "2018-13-02")]}, "2018-13-01"),
        ({"alpha": 5}, "alpha"),
    ],
)
def test_arguments_that_cannot_be_are_refused(made, options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        study(made, made.prices, **options)


def test_windows_may_come_from_numpy() -> None:
    windows = es.Windows(tuple(np.array([-100, -11])), (-5, 10), car=[tuple(np.array([0, 3]))])
    assert (windows.estimation, windows.car) == ((-100, -11), ((0, 3),))


def test_estimation_that_reaches_past_the_data_is_no_internal_error(made) -> None:
    windows = es.Windows(estimation=(-100, 5), event=(6, 10), car=[(6, 7)], min_observations=60)
    result = es.event_study(made.events(157), made.prices, made.benchmark, windows=windows)
    assert set(result.cars["status"]) == {"undefined"}


def test_mask_elsewhere_is_not_said_to_touch_an_event_before_the_prices(made) -> None:
    windows = es.Windows(estimation=(-100, -21), event=(-20, -10), car=[(-20, -10)], min_observations=60)
    events = pd.concat([made.events(3, ["AAA"]), made.events(150, ["BBB"])])
    result = es.event_study(events, made.prices, made.benchmark, windows=windows, masks=[(made.day(60), made.day(60))])
    assert result.exclusions[["symbol", "reason"]].to_numpy().tolist() == [["AAA", "too_few_observations"]]


def test_tests_may_be_one_name(made) -> None:
    assert set(study(made, made.prices, tests="bmp").tests["test"]) == {"bmp"}


def test_groups_are_written_beside_all(made) -> None:
    events = made.events(130).assign(group=["x", "x", "y"])
    n = study(made, made.prices, events=events).caar.query("window_end == 3").set_index("group")["n"]
    assert n.to_dict() == {"all": 3, "x": 2, "y": 1}


def test_events_frame_is_left_as_it_was(made) -> None:
    events, prices = made.events(130), made.prices.copy()
    study(made, prices, events=events)
    assert_frame_equal(events, made.events(130))
    assert_frame_equal(prices, made.prices)
