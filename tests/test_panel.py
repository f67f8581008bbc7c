"""Studies of many events: every number is that of one event at a time, by the per-event road through statsmodels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy import eventtable, group_tables
from eventstudy.errors import ConfigError, DataError
from eventstudy.events import Announcement
from eventstudy.eventtable import events_from_table, symbols_of
from eventstudy.inference import bootstrap, correlation, parametric, placebo, registry
from eventstudy.inference.ranks import ranks_within
from eventstudy.inference.registry import TEST_NAMES
from eventstudy.panel import build, described, differences, result
from eventstudy.panel.build import run_inputs
from eventstudy.panel.frames import plain_panel
from eventstudy.panel.market import CODE, market_of, market_of_closes
from eventstudy.panel.result import PanelResult
from eventstudy.panel.sums import joined_ranks
from eventstudy.plan import FirmSettings, MaskedSpell, Plan, StudyInputs
from eventstudy.result import StudyResult
from eventstudy.shapes import index_series, plain_series, price_series
from eventstudy.study import compute
from eventstudy.trading import list_shares

FEW = 3  # so that groups of more firms take the road of many
TOLERANCE = 1e-10


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take every study for one of many events, and every group of more than a few firms for a large one."""
    monkeypatch.setattr(build, "FEWEST_EVENTS", 1)
    for module in (correlation, parametric, placebo, registry, bootstrap, result, differences, group_tables):
        monkeypatch.setattr(module, "MOST_FIRMS_TOGETHER", FEW)
    monkeypatch.setattr(described, "READ_AT_ONCE", FEW)
    return None


def made_prices(seed: int, shares: int = 14, sessions: int = 430, idle: float = 0.02) -> tuple[pd.DataFrame, pd.Series]:
    """Closes with suspensions, stale runs, late listings and early ends, and a benchmark with holes."""
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2015-01-05", periods=sessions)
    market = rng.standard_t(5, sessions) * 0.008
    common = rng.standard_normal(sessions) * 0.01
    returns = rng.normal(0.5, 0.5, shares) * market[:, None] + common[:, None] + rng.standard_t(5, (sessions, shares)) * 0.02
    prices = pd.DataFrame(50 * np.exp(np.cumsum(returns, axis=0)), dates, [f"S{place:03d}" for place in range(shares)]).round(2)
    prices = prices.mask(rng.random(prices.shape) < idle)
    benchmark = pd.Series(100 * np.exp(np.cumsum(market)), index=dates)
    if idle:
        for name in prices.columns[:4]:
            start = rng.integers(180, sessions - 30)
            prices.loc[dates[start : start + rng.integers(3, 12)], name] = np.nan
        for name in prices.columns[4:7]:  # carried quotes
            start = rng.integers(50, sessions - 30)
            prices.loc[dates[start : start + rng.integers(2, 5)], name] = prices[name].ffill().iloc[start]
        prices.iloc[:180, 8], prices.iloc[60:220, 9], prices.iloc[350:, 10] = np.nan, np.nan, np.nan
        benchmark.iloc[[200, 201, 251, 330]] = np.nan
    return prices, benchmark


def made_events(prices: pd.DataFrame, seed: int, count: int = 60, first: int = 140, last: int = 425) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = [prices.index[place].date().isoformat() for place in rng.integers(first, last, count)]
    days[:3] = ["2015-12-26", "2030-01-02", "2016-02-02"]  # a Saturday, a day past any calendar, and one that may be masked
    symbols = rng.choice([*prices.columns, "ABSENT"], count)
    symbols[:4] = ["S001", "S001", "S001", "ABSENT"]
    groups = rng.choice(["", "a", "b"], count)
    return pd.DataFrame({"event_id": [f"e{n}" for n in range(count)], "symbol": symbols, "session": days, "group": groups})


WINDOWS = es.Windows(estimation=(-120, -21), event=(-10, 10), car=[(0, 3), (0, 0), (-10, 10), (-1, 1)], min_observations=70)


def made_inputs(
    plan: Plan, seed: int, *, limit: float | None = None, volume: bool = False, idle: float = 0.02, spread: int = 285
) -> StudyInputs:
    prices, benchmark = made_prices(seed, idle=idle)
    events = made_events(prices, seed, last=140 + spread)
    rng = np.random.default_rng(seed)
    volumes = pd.DataFrame(rng.integers(0, 3, prices.shape) * 100.0, prices.index, prices.columns) if volume else None
    rows = events_from_table(events, "events")
    series = price_series(prices, list(dict.fromkeys(row.symbol for row in rows)), volumes)
    series["index"] = index_series(benchmark, "index")
    firms = {row.symbol: FirmSettings("index", price_limit=limit) for row in rows}
    return StudyInputs(plan, rows, firms, series, {}, dt.datetime(2016, 7, 20, tzinfo=dt.UTC))


def same(one: pd.DataFrame, other: pd.DataFrame, name: str) -> None:
    """Compare tables cell by cell: text exactly, numbers up to rounding."""
    pd.testing.assert_frame_equal(
        one.reset_index(drop=True), other.reset_index(drop=True), rtol=TOLERANCE, atol=1e-13, check_dtype=False, obj=name
    )


def same_tables(inputs: StudyInputs) -> tuple[StudyResult, PanelResult]:
    one_by_one, panel = StudyResult(compute(inputs)), run_inputs(inputs)
    assert isinstance(panel, PanelResult)
    same(one_by_one.tidy(), panel.tidy(), "tidy")
    for name in ("events", "models", "abnormal_returns", "cars", "aar", "caar", "exclusions", "bhar", "data", "correlation"):
        same(getattr(one_by_one, name), getattr(panel, name), name)
    assert one_by_one.reasons == panel.reasons
    left = [[(item.event_id, item.stage, item.reason) for item in found.left_out] for found in (one_by_one, panel)]
    assert left[0] == left[1]
    return one_by_one, panel


@pytest.mark.usefixtures("small_bounds")
def test_tables_about_series_do_not_depend_on_how_many_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = made_inputs(Plan(WINDOWS, (0, 3), "market", "log", "trade-to-trade", ("bmp",), calendar="benchmark"), 3)
    few = run_inputs(inputs)
    monkeypatch.setattr(described, "READ_AT_ONCE", 1_000)
    many = run_inputs(inputs)
    assert {"benchmark_missing", "unknown_symbol"} <= set(many.notes["code"])
    for name in ("data", "notes"):
        pd.testing.assert_frame_equal(getattr(few, name), getattr(many, name))
    assert list(many.data["symbol"])[-1] == "index"


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("model", ["market", "mean", "market_adjusted"])
@pytest.mark.parametrize("suspensions", ["trade-to-trade", "drop", "lumped", "uniform"])
def test_tables_are_those_of_one_event_at_a_time(model: str, suspensions: str) -> None:
    seed = sum(map(ord, model + suspensions))
    kind, calendar = ("log", "benchmark") if seed % 2 else ("simple", "XNYS")
    masks = (
        MaskedSpell(dt.date(2015, 6, 1), dt.date(2015, 6, 12), "all"),
        MaskedSpell(dt.date(2016, 2, 1), dt.date(2016, 2, 4), "some", ("S001", "S002")),
    )
    plan = Plan(WINDOWS, (0, 3), model, kind, suspensions, ("bmp", "kp_bmp"), calendar=calendar, masks=masks)  # type: ignore[arg-type]
    _, panel = same_tables(made_inputs(plan, seed))
    reasons = set(panel.exclusions["reason"])
    assert {"unknown_symbol", "not_a_session", "masked_event"} <= reasons
    assert set(panel.cars["reason"]) > {"", "not_resumed"} or suspensions in ("lumped", "uniform")


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("limit_days", ["as_traded", "spanned"])
def test_price_limits_and_volumes_count_as_for_one_event(limit_days: str) -> None:
    plan = Plan(WINDOWS, (0, 3), tests=("bmp",), calendar="XSHG", limit_days=limit_days)  # type: ignore[arg-type]
    inputs = made_inputs(plan, 5, limit=0.02, volume=True)
    prices = inputs.series["S001"].frame["close"]
    frame = inputs.series["S001"].frame.copy()
    for place in range(100, 400, 7):  # closes at the limit of the close before
        frame.iloc[place, frame.columns.get_loc("close")] = round(prices.iloc[place - 1] * 1.02 + 1e-9, 2)
    inputs = replace(inputs, series={**inputs.series, "S001": replace(inputs.series["S001"], frame=frame)})
    _, panel = same_tables(inputs)
    assert (panel.abnormal_returns["limit"] != "").any()
    held = panel.tables()["cars"].query("censored != ''")
    told = panel.tests[panel.tests["reason"].str.contains("censored")]
    assert set(told["window_end"]) == set(held["window_end"])
    assert (limit_days == "as_traded") == bool(len(told))


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize(
    ("idle", "spread", "shares_a_date"),
    [(0.02, 285, "differ"), (0.0, 285, "differ"), (0.0, 1, "one"), (0.001, 30, "near")],
)
def test_tests_across_events_are_those_of_matrices(idle: float, spread: int, shares_a_date: str) -> None:
    plan = Plan(WINDOWS, (0, 3), tests=TEST_NAMES, calendar="benchmark", seed=3)
    inputs = made_inputs(plan, 17 + spread, idle=idle, spread=spread)
    one_by_one, panel = StudyResult(compute(inputs)), run_inputs(inputs)
    assert isinstance(panel, PanelResult)
    assert {group for group, _ in panel.across.sections} == {"all", "a", "b"}
    mine, its = one_by_one.tests_in_full, panel.tests_in_full
    same(mine, its, shares_a_date)
    drawn = mine.loc[mine["test"].isin(["placebo_caar", "placebo_scar"]), "statistic"].notna()
    assert drawn.any()
    same(one_by_one.tidy(), panel.tidy(), "tidy")
    kept = one_by_one.placebo["test"].isin(["placebo_caar", "placebo_scar", "scar_squares"])
    same(one_by_one.placebo[kept], panel.placebo, "placebo")


@pytest.mark.usefixtures("small_bounds")
def test_a_small_group_among_many_events_has_every_test() -> None:
    plan = Plan(WINDOWS, (0, 3), tests=TEST_NAMES, calendar="benchmark", seed=3)
    inputs = made_inputs(plan, 3, idle=0.001)
    ours = [event for event in inputs.events if event.group != "b"]
    few = [replace(event, group="few") for event in inputs.events if event.group == "b" and event.symbol != "ABSENT"][-3:]
    inputs = replace(inputs, events=(*ours, *few))
    one_by_one, panel = StudyResult(compute(inputs)), run_inputs(inputs)
    assert isinstance(panel, PanelResult)
    assert {group for group, _ in panel.across.sections} == {"all", "a"}
    mine, its = (found.tests_in_full.query("group == 'few'") for found in (one_by_one, panel))
    same(mine, its, "few")
    assert its.query("test == 'wald_joint'")["statistic"].notna().all()


@pytest.mark.usefixtures("small_bounds")
def test_two_small_groups_among_many_events_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (differences, group_tables):
        monkeypatch.setattr(module, "MOST_FIRMS_TOGETHER", 4)
    plan = Plan(WINDOWS, (0, 3), tests=TEST_NAMES, calendar="benchmark", seed=3)
    inputs = made_inputs(plan, 18, idle=0.0, spread=1)
    there = {event.symbol: event for event in inputs.events[4:] if event.symbol not in ("ABSENT", "S008", "S009", "S010")}
    named = {id(event): group for event, group in zip([*there.values()][:4], "aabb", strict=True)}
    inputs = replace(inputs, events=tuple(replace(event, group=named.get(id(event), "")) for event in inputs.events))
    one_by_one, panel = StudyResult(compute(inputs)), run_inputs(inputs)
    assert isinstance(panel, PanelResult)
    mine, its = (found.tests_in_full.query("group == 'a - b'") for found in (one_by_one, panel))
    assert mine["p_value"].notna().any(), mine["reason"].tolist()
    same(mine, its, "tests")
    mine, its = (found.placebo.query("group == 'a - b'").reset_index(drop=True) for found in (one_by_one, panel))
    assert (mine["test"] == "placebo_difference").any()
    same(mine, its, "placebo")


@pytest.mark.usefixtures("small_bounds")
def test_of_two_groups_one_may_have_no_car_at_all() -> None:
    plan = Plan(WINDOWS, (0, 3), tests=TEST_NAMES, calendar="benchmark", seed=3)
    inputs = made_inputs(plan, 18, idle=0.0, spread=1)
    lonely = next(event for event in inputs.events[4:] if event.symbol not in ("ABSENT", "S008", "S009", "S010"))
    ahead = replace(lonely, event_id="ahead", announcement=Announcement(session=dt.date(2030, 1, 2)), group="a")
    inputs = replace(inputs, events=(*(replace(one, group="b" if one is lonely else "") for one in inputs.events), ahead))
    one_by_one, panel = StudyResult(compute(inputs)), run_inputs(inputs)
    assert isinstance(panel, PanelResult)
    mine, its = (found.tests_in_full.query("group == 'b - a'") for found in (one_by_one, panel))
    assert set(mine["reason"]) == {"no_firms"}
    same(mine, its, "tests")


def test_frames_taken_as_they_lie_give_what_shares_read_one_by_one_give() -> None:
    prices, benchmark = made_prices(11, shares=40)
    events = made_events(prices, 11, count=600)
    asked = {"windows": WINDOWS, "tests": ["bmp", "kp_bmp", "grank"], "now": dt.datetime(2017, 1, 1, tzinfo=dt.UTC)}
    for calendar in ("benchmark", "XNYS"):
        quick = es.event_study(events, prices, benchmark, calendar=calendar, **asked)
        slow = es.event_study(events, prices.iloc[::-1], benchmark, calendar=calendar, **asked)  # unsorted: read one by one
        for name in ("events", "models", "abnormal_returns", "cars", "tests", "exclusions", "aar", "caar"):
            same(getattr(quick, name), getattr(slow, name), name)


def test_only_frames_that_need_no_second_look_are_taken_as_they_lie() -> None:
    prices, benchmark = made_prices(12)
    events = made_events(prices, 12, count=600)
    plan, index = Plan(WINDOWS, (0, 3), calendar="benchmark"), {"index": index_series(benchmark, "index")}

    def taken(events: pd.DataFrame = events, prices: pd.DataFrame = prices, volume: pd.DataFrame | None = None) -> bool:
        rows = events_from_table(events, "events")
        wide = plain_series(prices, symbols_of(rows), volume)
        firms = dict.fromkeys(symbols_of(rows), FirmSettings("index"))
        return plain_panel(StudyInputs(plan, rows, firms, replace(wide, others=index) if wide else index)) is not None

    assert taken()
    assert taken(events=events.assign(session=pd.to_datetime(events["session"]), announced_at=None))
    assert taken(volume=prices.notna() * 100.0)
    assert not taken(prices=prices.iloc[::-1])
    assert not taken(prices=prices.tz_localize("UTC"))
    assert not taken(prices=prices.astype(str))
    assert not taken(prices=prices.replace(prices.iloc[5, 0], 0.0))
    assert not taken(prices=pd.concat([prices, prices.iloc[-1:]]))
    assert taken(events=events.assign(session=pd.to_datetime(events["session"]).dt.tz_localize("UTC")))
    assert taken(events=events.assign(session=events["session"].str.replace("-", "")))
    assert not taken(events=pd.concat([events, events.iloc[:1]]))
    assert not taken(events=events.rename(columns={"session": "announced_on"}).assign(timezone="America/New_York"))
    assert not taken(events=events.assign(group="all"))
    assert not taken(volume=-(prices.notna() * 100.0))


def test_statuses_of_whole_frames_are_those_of_single_shares() -> None:
    rng = np.random.default_rng(2)
    dates = pd.bdate_range("2019-01-01", periods=200)
    names, holes = [f"S{n}" for n in range(30)], rng.random((2, 200, 30)) < 0.3
    closes = pd.DataFrame(rng.integers(1, 4, (200, 30)) * 1.0, dates, names).mask(holes[0])
    volume = pd.DataFrame(rng.integers(0, 3, (200, 30)) * 10.0, dates, names).mask(holes[1])
    benchmark = pd.Series(rng.uniform(90, 110, 200), index=dates)
    from eventstudy.calendar import benchmark_sessions

    calendar = benchmark_sessions(benchmark)
    for known in (None, volume):
        series = price_series(closes, list(closes.columns), known)
        single = market_of([list_shares(series[name], benchmark, calendar) for name in closes.columns])
        values = None if known is None else known.to_numpy().T
        whole = market_of_closes(tuple(closes.columns), calendar, closes.to_numpy().T, benchmark.to_numpy(), 199, values)
        assert (single.status == whole.status).all()
        assert set(np.unique(whole.status)) == {CODE[name] for name in ("traded", "unknown", "suspended", "not_listed")}


def test_ranks_within_rows_average_ties_and_pass_over_holes() -> None:
    values = np.array([[3.0, 1.0, np.nan, 1.0, 2.0], [5.0, 4.0, 3.0, 2.0, 1.0], [np.nan] * 5])
    expected = np.array([[4.0, 1.5, np.nan, 1.5, 3.0], [5.0, 4.0, 3.0, 2.0, 1.0], [np.nan] * 5])
    np.testing.assert_array_equal(ranks_within(values, ~np.isnan(values), np.argsort(values, axis=1)), expected)


@pytest.mark.parametrize("digits", [12, 1])
def test_ranks_of_joined_values_are_those_of_all_of_them(digits: int) -> None:
    rng = np.random.default_rng(digits)
    shapes = (50, 30), (50, 4)
    values, more = (np.where(rng.random(shape) < 0.2, np.nan, rng.normal(size=shape).round(digits)) for shape in shapes)
    used, order = ~np.isnan(values), np.argsort(values, axis=1)
    chosen = used & (rng.random(values.shape) < 0.8)
    alone = ranks_within(values, used, order)

    def ranked(rows: np.ndarray) -> np.ndarray:
        return np.asarray(stats.rankdata(rows, axis=1, nan_policy="omit"))

    np.testing.assert_array_equal(ranks_within(values, chosen, order), ranked(np.where(chosen, values, np.nan)))
    np.testing.assert_array_equal(joined_ranks(values, alone, more), ranked(np.concatenate([values, more], axis=1)))


@pytest.mark.usefixtures("small_bounds")
def test_no_number_depends_on_how_events_are_cut_into_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    from eventstudy.panel import engines, pairs, study, tables

    plan = Plan(WINDOWS, (0, 3), tests=TEST_NAMES[:14], calendar="benchmark")
    inputs = made_inputs(plan, 8)
    whole = run_inputs(inputs)
    for module, name, value in (
        (study, "AT_ONCE", 7), (engines, "CHUNK", 9), (pairs, "EVENTS_A_BLOCK", 5), (pairs, "SESSIONS_A_BLOCK", 11),
        (tables, "ROWS_AT_ONCE", 13),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    cut = run_inputs(inputs)
    for name in ("models", "cars", "abnormal_returns", "aar", "tests"):
        same(getattr(whole, name), getattr(cut, name), name)


@pytest.mark.usefixtures("small_bounds")
def test_a_study_whose_events_are_all_excluded_says_why() -> None:
    inputs = made_inputs(Plan(WINDOWS, (0, 3), calendar="benchmark"), 4)
    with pytest.raises(DataError, match=r"every event is excluded.*e0, S001: 2015-12-26 is no session"):
        run_inputs(replace(inputs, events=(inputs.events[0], inputs.events[3])))


def test_tables_made_event_by_event_are_refused_for_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    prices, benchmark = made_prices(21, shares=40)
    found = es.event_study(made_events(prices, 21, count=520), prices, benchmark, windows=WINDOWS, tests=["bmp"])
    monkeypatch.setattr(result, "MOST_ONE_BY_ONE", 500)
    with pytest.raises(ConfigError, match="made event by event, for up to 500 events, and the study has 520"):
        _ = found.detectable
    one = found.events["symbol"].iloc[0]
    axes = found.plot_car(one)
    own = found.cars[(found.cars["symbol"] == one) & (found.cars["window_end"] == WINDOWS.car[0][1])]
    assert len(axes.lines) >= len(own)
    assert found.plot_prices(event_id=found.models["event_id"].iloc[0]).lines
    with pytest.raises(ConfigError, match="no event is NONE"):
        found.plot_car("NONE")




def panel_and_slow(
    monkeypatch: pytest.MonkeyPatch, events: pd.DataFrame, prices: pd.DataFrame, benchmark: pd.Series, **asked: object
) -> None:
    """Compare what is taken as it lies, whatever the number of events, with what is read share by share, one event at a time."""
    asked = {"windows": WINDOWS, "tests": ["bmp", "portfolio_t", "grank"], "now": dt.datetime(2017, 1, 1, tzinfo=dt.UTC)} | asked
    with monkeypatch.context() as patched:
        patched.setattr(eventtable, "MANY_EVENTS", 1)
        patched.setattr(build, "FEWEST_EVENTS", 1)
        quick = es.event_study(events, prices, benchmark, **asked)  # type: ignore[arg-type]
        assert isinstance(quick, PanelResult)
        patched.setattr(build, "FEWEST_EVENTS", 10**9)
        slow = es.event_study(events, prices, benchmark, **asked)  # type: ignore[arg-type]
    assert not isinstance(slow, PanelResult)
    for name in ("events", "models", "abnormal_returns", "cars", "tests", "correlation", "exclusions", "data_in_full"):
        same(getattr(slow, name), getattr(quick, name), name)
    of_series = [one.notes[~one.notes["code"].isin(["event_session_unknown", "event_session_missing"])] for one in (slow, quick)]
    same(*(notes.sort_values(list(notes), ignore_index=True) for notes in of_series), "notes")


def test_integer_names_and_numbers_are_read_as_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    prices, benchmark = made_prices(51, shares=20)
    numbers = {name: 600000 + place for place, name in enumerate(prices.columns)}
    events = made_events(prices, 51).replace({"symbol": {name: str(number) for name, number in numbers.items()}})
    volume = (prices.notna() * np.random.default_rng(5).integers(0, 3, prices.shape) * 100).rename(columns=numbers)
    whole = (prices.bfill().ffill() * 100).round().astype("int64").rename(columns=numbers)
    panel_and_slow(monkeypatch, events, prices.rename(columns=numbers), benchmark, volume=volume)
    panel_and_slow(monkeypatch, events, whole, benchmark, volume=volume)
    panel_and_slow(monkeypatch, events, whole.astype("Float64"), benchmark)


def test_several_exchanges_make_several_markets(monkeypatch: pytest.MonkeyPatch) -> None:
    prices, benchmark = made_prices(52, shares=18)
    names = {name: f"{place:06d}.{('SZ', 'HK', 'T')[place % 3]}" for place, name in enumerate(prices.columns)}
    events = made_events(prices, 52).replace({"symbol": names})
    panel_and_slow(monkeypatch, events, prices.rename(columns=names), benchmark, calendar="XSHG")


def test_a_group_with_few_cars_in_a_window_is_held_together(monkeypatch: pytest.MonkeyPatch) -> None:
    prices, benchmark = made_prices(53, shares=30, idle=0.05)
    events = made_events(prices, 53, count=520)
    events["group"] = np.where(np.arange(520) < 130, "some", "rest")
    windows = es.Windows(estimation=(-120, -21), event=(-10, 10), car=[(0, 3), (-10, 10)], min_observations=60)
    panel_and_slow(monkeypatch, events, prices, benchmark, windows=windows)


def test_what_the_caller_does_to_the_prices_later_moves_no_table() -> None:
    prices, benchmark = made_prices(54, shares=20)
    events = made_events(prices, 54, count=540)
    asked = {"windows": WINDOWS, "tests": ["bmp", "portfolio_t"], "now": dt.datetime(2017, 1, 1, tzinfo=dt.UTC)}
    expected = es.event_study(events, prices.copy(), benchmark, **asked)
    tables = {name: getattr(expected, name) for name in ("abnormal_returns", "aar", "tests", "bhar")}
    found = es.event_study(events, prices, benchmark, **asked)
    prices.iloc[150:, :5] *= 1.5
    for name, table in tables.items():
        same(table, getattr(found, name), name)


@pytest.mark.parametrize(("value", "told"), [(-np.inf, "is not a price"), (0.0, "is not a price"), (-3.0, "is not a price")])
def test_an_impossible_price_is_refused_among_many(value: float, told: str) -> None:
    prices, benchmark = made_prices(55, shares=20)
    prices.iloc[100, 3] = value
    with pytest.raises(DataError, match=told):
        es.event_study(made_events(prices, 55, count=540), prices, benchmark, windows=WINDOWS)


def test_a_moment_without_a_zone_and_a_study_without_a_benchmark_are_refused() -> None:
    prices, benchmark = made_prices(56, shares=20)
    events = made_events(prices, 56, count=540)
    with pytest.raises(ConfigError, match="has no time zone"):
        es.event_study(events, prices, benchmark, windows=WINDOWS, now=dt.datetime(2017, 1, 1))
    with pytest.raises(DataError, match="benchmark is missing"):
        es.event_study(events, prices, None, windows=WINDOWS)  # type: ignore[arg-type]


@pytest.mark.parametrize("calendar", ["benchmark", "XNYS"])
@pytest.mark.parametrize("volumes", [False, True])
def test_series_are_described_at_once_as_they_are_one_by_one(
    calendar: str, volumes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = es.sessions("XNYS", "2015-01-05", "2016-09-30")
    rng = np.random.default_rng(8)
    moves = rng.normal(0, 0.01, (len(sessions), 30))
    moves[100, 0], moves[200, 1], moves[300, 2] = 0.4, -0.7, np.log(0.5)  # a jump, a fall, a split
    prices = pd.DataFrame(50 * np.exp(np.cumsum(moves, axis=0)), sessions, [f"S{place:03d}" for place in range(30)])
    prices.iloc[50:53, 3] = prices.iloc[49, 3]  # a run of carried closes, a single one, suspensions, a late start
    prices.iloc[50, 4] = prices.iloc[49, 4]
    prices.iloc[60:70, 5], prices.iloc[:40, 6] = np.nan, np.nan
    prices.loc[pd.Timestamp("2015-07-03")] = np.nan  # Independence Day
    prices.loc[pd.Timestamp("2015-07-03"), "S007"] = 50.0
    prices = prices.sort_index()
    benchmark = pd.Series(100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(sessions)))), sessions)
    volume = pd.DataFrame(1e6, prices.index, prices.columns[:20]) if volumes else None
    if volume is not None:
        volume.iloc[80, 8], volume.iloc[50:53, 3], volume.iloc[90, 9] = 0.0, 0.0, np.nan  # traded at volume 0, carried, unknown
    said: list[pd.DataFrame] = []
    told = described.told
    monkeypatch.setattr(described, "told", lambda series, market: said.append(told(series, market)) or said[-1])
    events = made_events(prices[prices.columns], 8, count=120)
    panel_and_slow(monkeypatch, events, prices, benchmark, calendar=calendar, volume=volume)
    assert set(prices.columns) > set(said[0]["symbol"]) >= {"S005", "S006", "S010", "S029"}
    assert not {"S000", "S001", "S002", "S007"} & set(said[0]["symbol"])


def test_correlations_of_many_are_computed_where_a_test_rests_on_them() -> None:
    prices, benchmark = made_prices(33, shares=40)
    events = made_events(prices, 33, count=520)
    without, with_them = (
        es.event_study(events, prices, benchmark, windows=WINDOWS, tests=tests).correlation for tests in ([], ["kp_bmp"])
    )
    assert without.empty
    assert "all" in set(with_them["group"])
    assert (with_them["n"] > 100).all()


@pytest.mark.parametrize("strangers", [1, 250])
def test_symbols_without_prices_leave_the_tables_about_series_as_they_are(strangers: int) -> None:
    dates = pd.bdate_range("2015-01-05", periods=430)
    rng = np.random.default_rng(4)
    prices = pd.DataFrame(50 * np.exp(np.cumsum(rng.normal(0, 0.01, (430, 20)), axis=0)), dates, [f"S{n:03d}" for n in range(20)])
    benchmark = pd.Series(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 430))), dates)
    events = made_events(prices, 4, count=700).drop_duplicates(["symbol", "session"])
    events["symbol"] = [f"ZZ{n:03d}" if n < strangers else symbol for n, symbol in enumerate(events["symbol"])]
    events = events.drop(columns="group", errors="ignore")
    found = es.event_study(events, prices, benchmark, windows=WINDOWS, tests=[])
    told = run_inputs(found.inputs)
    for one in (found, told):
        assert set(one.data["symbol"]) == {*prices.columns, "benchmark"}
        assert (one.notes["code"] == "unknown_symbol").sum() == (~events["symbol"].isin(prices.columns)).sum() >= strangers
