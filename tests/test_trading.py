"""Trading status, price limits and total-return levels, by hand and against known facts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from eventstudy.calendar import SessionCalendar
from eventstudy.sources import open_source
from eventstudy.sources.base import PriceSeries
from eventstudy.trading import list_shares, price_limits, total_return_level, trading_status

GRID = pd.bdate_range("2019-03-04", periods=8)
CALENDAR = SessionCalendar("test", GRID)
NAN = float("nan")

Values = list[float]


def series(
    close: Values | None,
    volume: Values | None = None,
    *,
    adjusted: Values | None = None,
    days: list[int] | None = None,
    kind: str = "share",
    absent: str = "missing",
    actions: dict[int, tuple[float, float]] | None = None,
) -> PriceSeries:
    """A series on the sessions `days` of the grid; `actions` maps a row to (cash, split)."""
    count = len(close or adjusted or [])
    frame = pd.DataFrame(
        {
            "close": close or [NAN] * count,
            "adj_close": adjusted or [NAN] * count,
            "volume": volume or [NAN] * count,
            "dividend": 0.0,
            "split": 1.0,
        },
        index=GRID[days if days is not None else range(count)],
    )
    for row, (cash, split) in (actions or {}).items():
        frame.loc[frame.index[row], ["dividend", "split"]] = cash, split
    return PriceSeries("X", frame, "test", kind, absent)  # type: ignore[arg-type]


def status(made: PriceSeries, declared: tuple[tuple[dt.date, dt.date], ...] = ()) -> list[str]:
    letters = {"traded": "T", "suspended": "S", "missing": "M", "not_listed": "N", "unknown": "U"}
    return [letters[word] for word in trading_status(made, CALENDAR, declared)[0]]


def codes(made: PriceSeries, declared: tuple[tuple[dt.date, dt.date], ...] = ()) -> list[str]:
    return [code for code, _ in trading_status(made, CALENDAR, declared)[1]]


def snapshot(symbol: str, kind: str = "share") -> PriceSeries:
    return open_source("snapshot", Path(), {}).fetch(symbol, pd.Timestamp("1990"), pd.Timestamp("2100"), kind)  # type: ignore[arg-type]


def limit_days(symbol: str, side: str) -> list[str]:
    made = snapshot(symbol)
    traded = made.frame.index[made.frame["volume"] > 0]
    marks = price_limits(made, traded, 0.10)
    return [f"{day:%Y-%m-%d}" for day in traded[marks == side]]


def test_zero_volume_and_an_unchanged_close_is_a_suspension() -> None:
    assert status(series([10, 11, 11, 11, 12, 12, 13, 14], [5, 5, 0, 0, 5, 5, 5, 5])) == list("TTSSTTTT")


def test_zero_volume_and_a_moved_close_is_traded_and_flagged() -> None:
    made = series([10, 11, 12, 13, 14, 15, 16, 17], [5, 5, 0, 5, 5, 5, 5, 5])
    assert status(made) == list("TTTTTTTT")
    assert codes(made) == ["zero_volume_moved"]


def test_unchanged_close_with_volume_is_a_trade() -> None:
    # ZTE in June 2018: a flat bar with volume is a price-limit day
    made = series([10, 9, 9, 9, 9, 9, 9, 9], [5, 5, 3, 2, 1, 5, 5, 5])
    assert status(made) == list("TTTTTTTT")
    assert codes(made) == []


def test_volume_says_nothing_about_an_index() -> None:
    assert status(series([10, 11, 11, 11, 12, 12, 13, 14], [0] * 8, kind="index")) == list("TTTTTTTT")


def test_first_row_without_volume_is_a_carried_quote() -> None:
    assert status(series([10, 10, 10, 11, 12, 13, 14, 15], [0, 0, 5, 5, 5, 5, 5, 5])) == list("SSTTTTTT")


def test_first_row_with_volume_is_traded() -> None:
    assert status(series([10, 10, 11, 12, 13, 14, 15, 16], [5, 0, 5, 5, 5, 5, 5, 5]))[:3] == list("TST")


def test_without_volume_a_run_of_unchanged_closes_is_an_inferred_suspension() -> None:
    made = series([10, 11, 11, 11, 12, 13, 14, 15])
    assert status(made) == list("TTSSTTTT")
    assert codes(made) == ["inferred_suspension"]


def test_without_volume_a_single_unchanged_close_is_unknown() -> None:
    made = series([10, 11, 11, 12, 13, 13, 14, 15])
    assert status(made) == list("TTUTTUTT")
    assert codes(made) == ["unknown_status"]


def test_volume_known_on_some_rows_decides_those_rows_only() -> None:
    made = series([10, 10, 10, 11, 11, 12, 12, 13], [5, 0, NAN, 5, NAN, NAN, 4, 5])
    assert status(made) == list("TSUTUTTT")


def test_sessions_before_the_first_row_are_not_listed() -> None:
    assert status(series([10, 11, 12], [5, 5, 5], days=[3, 4, 5]))[:4] == list("NNNT")


@pytest.mark.parametrize(("absent", "letter"), [("suspended", "S"), ("missing", "M")])
def test_absent_rows_are_what_the_source_says_they_are(absent: str, letter: str) -> None:
    found = status(series([10, 11, 12], [5, 5, 5], days=[0, 2, 5], absent=absent))
    assert found == ["T", letter, "T", letter, letter, "T", letter, letter]


@pytest.mark.parametrize(("absent", "letter"), [("suspended", "S"), ("missing", "M")])
def test_blank_closes_are_absent_rows(absent: str, letter: str) -> None:
    assert status(series([10, NAN, 12, 13, 14, 15, 16, 17], [5] * 8, absent=absent))[:3] == ["T", letter, "T"]


def test_declared_suspension_is_added_to_the_detected_ones() -> None:
    made = series([10, 11, 11, 12, 13, 14, 15, 16], [5, 5, 0, 5, 5, 5, 5, 5])
    spell = (GRID[5].date(), GRID[6].date())
    assert status(made, (spell,)) == list("TTSTTSST")


def test_declared_suspension_over_trades_is_told() -> None:
    made = series([10, 11, 12, 13, 14, 15, 16, 17], [5] * 8)
    assert codes(made, ((GRID[5].date(), GRID[6].date()),)) == ["declared_over_trades"]


def test_declared_suspension_settles_an_unknown_session() -> None:
    assert status(series([10, 11, 11, 12, 13, 14, 15, 16]), ((GRID[2].date(), GRID[2].date()),))[2] == "S"


def test_adjusted_closes_alone_follow_the_volume_rule_too() -> None:
    assert status(series(None, [5, 5, 0, 5], adjusted=[10.0, 11, 11, 12]))[:4] == list("TTST")


def test_a_row_on_a_closed_day_is_told_and_moves_nothing() -> None:
    made = series([10, 11, 12, 13, 14, 15, 16, 17], [5] * 8)
    saturday = made.frame.iloc[[3]].set_axis(pd.DatetimeIndex(["2019-03-09"]))
    odd = PriceSeries("X", pd.concat([made.frame, saturday]).sort_index(), "test")
    assert status(odd) == status(made)
    assert codes(odd) != []


@pytest.mark.parametrize(
    ("symbol", "suspended"),
    [
        ("002415.SZ", {"2019-10-08", "2019-10-09"}),
        ("002236.SZ", {"2019-10-08", "2019-10-09"}),
        ("300188.SZ", {"2019-03-27", "2019-03-28", "2019-03-29", "2019-04-01"}),
        ("002230.SZ", set()),
        ("600570.SS", set()),
    ],
)
def test_suspended_sessions_of_the_snapshot(symbol: str, suspended: set[str]) -> None:
    made = snapshot(symbol)
    found = trading_status(made, SessionCalendar("index", snapshot("399001.SZ", "index").frame.index))[0]
    assert {f"{day:%Y-%m-%d}" for day in made.frame.index[found == "suspended"]} == suspended


def test_zte_was_suspended_on_48_sessions() -> None:
    made = snapshot("000063.SZ")
    found = pd.Series(trading_status(made, SessionCalendar("own", made.frame.index))[0], index=made.frame.index)
    away = found[found == "suspended"].index
    spells = (("2017-03-08", "2017-03-15"), ("2017-04-20", "2017-04-24"), ("2018-04-17", "2018-06-12"))
    counts = [len(away[(away >= first) & (away <= last)]) for first, last in spells]
    assert (counts, len(away)) == ([6, 3, 39], 48)


def test_zte_closed_at_the_lower_limit_on_eight_sessions_in_a_row() -> None:
    eight = ["2018-06-13", "2018-06-14", "2018-06-15", "2018-06-19", "2018-06-20", "2018-06-21", "2018-06-22", "2018-06-25"]
    assert [day for day in limit_days("000063.SZ", "down") if day >= "2018-04-17"] == eight


def test_iflytek_closed_at_the_lower_limit_in_mid_october_2018() -> None:
    assert "2018-10-16" in limit_days("002230.SZ", "down")


def test_hundsun_did_not_close_at_a_limit_on_its_ex_date() -> None:
    # 83.15 to some 63 is no fall by 24%: the reference price of the day was 63.72
    made = snapshot("600570.SS")
    before, after = made.frame.loc["2019-05-14", "close"], made.frame.loc["2019-05-15", "close"]
    assert before == 83.15
    assert 63.72 * 0.9 < after < 63.72 * 1.1
    assert "2019-05-15" not in limit_days("600570.SS", "down") + limit_days("600570.SS", "up")


@pytest.mark.parametrize(("close", "mark"), [(70.09, "up"), (70.08, ""), (57.35, "down"), (57.36, "")])
def test_limits_on_an_ex_date_start_from_the_reference_price(close: float, mark: str) -> None:
    # (83.15 - 0.32) / 1.3 = 63.715, half up 63.72; x 1.1 = 70.092, x 0.9 = 57.348
    made = series([83.15, close], [5, 5], actions={1: (0.32, 1.3)})
    assert price_limits(made, GRID[:2], 0.10).iloc[1] == mark


@pytest.mark.parametrize(
    ("before", "limit", "close", "mark"),
    [
        (32.30, 0.10, 35.53, "up"),
        (32.30, 0.10, 29.07, "down"),
        (32.30, 0.10, 29.08, ""),
        (2.25, 0.10, 2.48, "up"),  # 2.475 half up; binary rounding gives 2.47
        (2.25, 0.10, 2.03, "down"),  # 2.025 half up
        (1.15, 0.10, 1.27, "up"),  # 1.265 half up; binary rounding gives 1.26
        (10.05, 0.10, 11.06, "up"),  # 11.055
        (10.05, 0.10, 9.05, "down"),  # 9.045
        (8.10, 0.05, 8.51, "up"),  # 8.505 half up, a share under special treatment
        (10.00, 0.20, 12.00, "up"),
        (10.00, 0.10, 10.99, ""),
        (0.02, 0.10, 0.02, ""),  # 10% is less than a cent: an unchanged close is at no limit
    ],
)
def test_limits_are_rounded_half_up_to_a_cent_in_decimal(before: float, limit: float, close: float, mark: str) -> None:
    assert price_limits(series([before, close], [5, 5]), GRID[:2], limit).iloc[1] == mark


def test_first_traded_session_has_no_limit_to_stand_at() -> None:
    assert price_limits(series([10, 11], [5, 5]), GRID[:2], 0.10).iloc[0] == ""


def test_limit_after_a_suspension_starts_from_the_last_close() -> None:
    made = list_shares(series([10, 10, 10, 9], [5, 0, 0, 5]), pd.Series(1.0, index=GRID), CALENDAR, limit=0.10)
    assert list(made.limit[:4]) == ["", "", "", "down"]


def test_limit_after_a_missing_price_is_not_known() -> None:
    # the exchange's reference is the close of the day before, which the source does not have
    made = list_shares(series([10, 9], [5, 5], days=[0, 3], absent="missing"), pd.Series(1.0, index=GRID), CALENDAR, limit=0.10)
    assert made.limit[3] == ""


def test_adjusted_closes_have_no_limit_days() -> None:
    assert set(price_limits(series(None, [5, 5], adjusted=[10.0, 11]), GRID[:2], 0.10)) == {""}


def test_total_return_level_follows_the_closes_without_actions() -> None:
    assert_allclose(total_return_level(series([10, 11, 9], [5, 5, 5]), GRID[:3]).pct_change().iloc[1:], [0.1, 9 / 11 - 1])


def test_total_return_adds_a_dividend_on_its_ex_date() -> None:
    level = total_return_level(series([10, 9.9, 9.9], [5, 5, 5], actions={1: (0.5, 1)}), GRID[:3])
    assert_allclose(level.pct_change().iloc[1:], [(9.9 + 0.5) / 10 - 1, 0])


def test_total_return_multiplies_bonus_shares_and_pays_cash_on_the_old_ones() -> None:
    level = total_return_level(series([10, 7.5], [5, 5], actions={1: (0.32, 1.3)}), GRID[:2])
    assert_allclose(level.iloc[1] / level.iloc[0], (7.5 * 1.3 + 0.32) / 10)


def test_hundsuns_bonus_and_cash() -> None:
    made = snapshot("600570.SS")
    level = total_return_level(made, pd.DatetimeIndex(made.frame.index))
    after = made.frame.loc["2019-05-15", "close"]
    assert_allclose(level["2019-05-15"] / level["2019-05-14"], (after * 1.3 + 0.32) / 83.15, rtol=1e-13)


@pytest.mark.parametrize(
    ("symbol", "ex", "cash"),
    [("002415.SZ", "2019-05-24", 0.60), ("002236.SZ", "2019-04-19", 0.10), ("002230.SZ", "2019-10-21", 0.10),
     ("000977.SZ", "2019-04-30", 0.06), ("002410.SZ", "2019-05-14", 0.20), ("000725.SZ", "2019-05-31", 0.03)],
)  # fmt: skip
def test_dividends_of_the_snapshot(symbol: str, ex: str, cash: float) -> None:
    made = snapshot(symbol)
    close, level = made.frame["close"], total_return_level(made, pd.DatetimeIndex(made.frame.index))
    place = close.index.get_loc(pd.Timestamp(ex))
    assert_allclose(level.iloc[place] / level.iloc[place - 1], (close.iloc[place] + cash) / close.iloc[place - 1], rtol=1e-13)
    assert (made.frame["dividend"] != 0).sum() == 1


@pytest.mark.parametrize("row", [1, 2, 3])
def test_dividend_on_a_suspended_session_falls_due_at_the_resumption(row: int) -> None:
    made = list_shares(series([10, 10, 10, 9.8], [5, 0, 0, 5], actions={row: (0.4, 1)}), pd.Series(1.0, index=GRID), CALENDAR)
    assert_allclose(made.level[3] / made.level[0], (9.8 + 0.4) / 10)


def test_bonus_on_a_missing_session_falls_due_on_the_next_traded_one() -> None:
    made = series([10, NAN, 5.1], [5, NAN, 5], actions={1: (0, 2)})
    assert_allclose(list_shares(made, pd.Series(1.0, index=GRID), CALENDAR).level[2] / 10, 1.02)


def test_two_actions_between_two_trades_compound() -> None:
    # 0.5 a share, then 2 for 1, then 0.1 on each of the two: (4.8 x 2 + 0.5 + 0.1 x 2) / 10
    made = series([10, 10, 10, 4.8], [5, 0, 0, 5], actions={1: (0.5, 1), 2: (0, 2), 3: (0.1, 1)})
    assert_allclose(list_shares(made, pd.Series(1.0, index=GRID), CALENDAR).level[3] / 10, (4.8 * 2 + 0.5 + 0.2) / 10)


def test_dividend_before_the_first_trade_or_after_the_last_one_moves_nothing() -> None:
    made = series([10, 10, 11, 12, 12], [0, 5, 5, 5, 0], actions={0: (1, 1), 4: (1, 1)})
    assert_allclose(list_shares(made, pd.Series(1.0, index=GRID), CALENDAR).level[1:4], [10, 11, 12])


def test_vendors_adjusted_close_goes_first_and_no_action_is_applied_twice() -> None:
    made = series([10, 9.5, 9.5], [5, 5, 5], adjusted=[9.5, 9.5, 9.5], actions={1: (0.5, 1)})
    assert_allclose(total_return_level(made, GRID[:3]), 9.5)


def test_levels_and_benchmark_are_undefined_where_there_is_no_trade_and_no_value() -> None:
    benchmark = pd.Series([100.0, NAN, 102, 103], index=GRID[[0, 1, 2, 4]])
    made = list_shares(series([10, 10, 11], [5, 0, 5], days=[0, 1, 3]), benchmark, CALENDAR)
    assert np.isfinite(made.level).tolist() == [True, False, False, True, False, False, False, False]
    assert np.isfinite(made.benchmark).tolist() == [True, False, True, False, True, False, False, False]
    assert made.end == 4
