"""The calendar-time portfolio, made by hand from prices and regressed with statsmodels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import statsmodels.api as sm
from firms import CALENDAR, DAY0, firm, section
from numpy.testing import assert_allclose
from scipy import stats

import eventstudy as es
from eventstudy.calendar import SessionCalendar
from eventstudy.inference.calendar_time import portfolio_by_session
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.registry import run_test

WINDOW = (0, 5)
DAYS = {1: DAY0, 2: DAY0 + 2, 3: DAY0 + 3, 4: DAY0 - 8, 5: DAY0 + 3}


def staggered(window: tuple[int, int] = WINDOW, away: dict[int, tuple[int, ...]] | None = None) -> CrossSection:
    return CrossSection(window, tuple(firm(seed, window, (away or {}).get(seed, ()), day0) for seed, day0 in DAYS.items()))


def by_hand(cross: CrossSection) -> tuple[list[float], list[float], list[int]]:
    """Mean return, return of the benchmark and number of firms, session by session, from the prices alone."""
    y, x, firms = [], [], []
    for session in range(1, len(CALENDAR.sessions)):
        moves = []
        for part in cross.firms:
            inside = part.day0 + cross.window[0] <= session <= part.day0 + cross.window[1]
            now, before = part.listing.level[session], part.listing.level[session - 1]
            if inside and np.isfinite(now) and np.isfinite(before):
                moves.append(np.log(now / before))
        if moves:
            index = cross.firms[0].listing.benchmark
            y.append(sum(moves) / len(moves))
            x.append(np.log(index[session] / index[session - 1]))
            firms.append(len(moves))
    return y, x, firms


def assert_is_the_intercepts_t(cross: CrossSection, sessions: int, reason: str) -> None:
    y, x, firms = by_hand(cross)
    wls = sm.WLS(y, sm.add_constant(np.array(x)), weights=firms).fit()
    found = run_test("calendar_time", cross)
    assert_allclose([found.statistic, found.p_value, found.df], [wls.tvalues[0], wls.pvalues[0], sessions - 2])
    assert_allclose(found.p_left, stats.t.cdf(wls.tvalues[0], sessions - 2))
    assert_allclose(found.p_right, 1 - found.p_left)
    assert (len(y), found.n, found.null, found.reason) == (sessions, 5, "mean", reason)


def test_intercept_of_the_portfolio_weighted_by_firms() -> None:
    cross = staggered()
    # the fourth firm alone for six sessions, a gap of two without any, then nine with one to four firms
    assert by_hand(cross)[2] == [1] * 6 + [1, 1, 2, 4, 4, 4, 3, 3, 2]
    assert_is_the_intercepts_t(cross, 15, "")


def test_equal_numbers_of_firms_give_plain_least_squares() -> None:
    window = (0, 9)
    cross = CrossSection(window, (firm(1, window, day0=123), firm(2, window, day0=136)))
    y, x, _ = by_hand(cross)
    slope = np.cov(x, y)[0, 1] / np.var(x, ddof=1)
    intercept = np.mean(y) - slope * np.mean(x)
    squares = sum((b - intercept - slope * a) ** 2 for a, b in zip(x, y, strict=True))
    se = np.sqrt(squares / 18 * (1 / 20 + np.mean(x) ** 2 / (19 * np.var(x, ddof=1))))
    assert_allclose(run_test("calendar_time", cross).statistic, intercept / se)


def test_a_suspended_firm_is_out_on_every_session_that_its_return_spans() -> None:
    away = {2: (DAY0 + 3, DAY0 + 4), 4: (DAY0 - 6,)}
    cross = staggered(away=away)
    assert len(cross.firms) == 5
    # the fourth firm's gap takes two sessions on which it was alone, the second firm's three on which it was not
    assert by_hand(cross)[2] == [1] * 4 + [1, 1, 2, 3, 3, 3, 3, 3, 2]
    assert_is_the_intercepts_t(cross, 13, "spans_left_out")


def test_an_effect_on_the_days_of_the_portfolio_is_found_and_the_benchmark_is_taken_off() -> None:
    cross = staggered()
    moved = []
    for part in cross.firms:
        rows = part.cumulative.rows
        assert rows is not None
        moved.append(replace(part, cumulative=replace(part.cumulative, rows=replace(rows, ret=rows.ret - 0.05 + 3 * rows.mkt))))
    before, after = run_test("calendar_time", cross), run_test("calendar_time", CrossSection(WINDOW, tuple(moved)))
    y, x, firms = by_hand(cross)
    bse = sm.WLS(y, sm.add_constant(np.array(x)), weights=firms).fit().bse[0]
    assert_allclose(after.statistic, before.statistic - 0.05 / bse)


def test_where_it_does_not_apply_it_says_so() -> None:
    assert run_test("calendar_time", section(4, WINDOW)).reason == "one_date"
    assert run_test("calendar_time", CrossSection(WINDOW, ())).reason == "no_firms"
    window = (0, 4)
    nine = CrossSection(window, (firm(1, window), firm(2, window, day0=DAY0 + 4)))
    assert run_test("calendar_time", nine).reason == "too_few_sessions"
    ten = CrossSection(window, (firm(1, window), firm(2, window, day0=DAY0 + 5)))
    assert (run_test("calendar_time", ten).reason, run_test("calendar_time", ten).df) == ("", 8)


def test_firms_of_two_calendars_meet_on_dates() -> None:
    one = firm(1, WINDOW, day0=120)
    other = firm(2, WINDOW, day0=123)
    shifted = SessionCalendar("other", CALENDAR.sessions + pd.offsets.BDay(2))
    moved = replace(other, listing=replace(other.listing, calendar=shifted))
    portfolio, _ = portfolio_by_session(CrossSection(WINDOW, (one, moved)))
    held = {day: int(firms) for day, firms in portfolio["firms"].items()}
    first, second = set(CALENDAR.sessions[120:126]), set(shifted.sessions[123:129])
    assert held == {day: (day in first) + (day in second) for day in first | second}
    assert max(held.values()) == 2


def test_a_study_of_several_dates_has_it_and_one_of_a_single_date_says_why_not(panel) -> None:
    made = panel()
    windows = es.Windows(estimation=(-90, -11), event=(-5, 10), car=[(0, 10)], min_observations=60)
    options = {"windows": windows, "tests": ["calendar_time", "portfolio_t"]}
    alone = es.event_study(made.events(130), made.prices, made.benchmark, **options)
    assert list(alone.tests.query("test == 'calendar_time' and group == 'all'")["reason"]) == ["one_date"]
    events = made.events(130)
    events["session"] = [made.prices.index[place] for place in (120, 126, 130)[: len(events)]]
    tests = es.event_study(events, made.prices, made.benchmark, **options).tests
    found = tests.query("test == 'calendar_time' and group == 'all'")
    y, x, firms = [], [], []
    prices, index = np.log(made.prices.to_numpy()), np.log(made.benchmark.to_numpy())
    for session in range(120, 141):
        inside = [k for k, day in enumerate((120, 126, 130)) if day <= session <= day + 10]
        y.append(np.mean(prices[session, inside] - prices[session - 1, inside]))
        x.append(index[session] - index[session - 1])
        firms.append(len(inside))
    wls = sm.WLS(y, sm.add_constant(np.array(x)), weights=firms).fit()
    assert_allclose(found["statistic"].to_numpy(), [wls.tvalues[0]])
    assert list(found["df"]) == [19]
