"""Two exchanges: which sessions of the other one are known at an open, by the dates of a real closure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import tomli_w
from numpy.testing import assert_allclose

import eventstudy as es
from eventstudy.calendar import SessionCalendar, exchange_sessions
from eventstudy.errors import ConfigError
from eventstudy.further import level_at_open

CHINA = exchange_sessions("XSHG", dt.date(2019, 1, 1))
US = exchange_sessions("XNYS", dt.date(2018, 12, 1))
LEVEL = 1000 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, len(US.sessions))))


def us(day: str) -> float:
    return float(LEVEL[US.sessions.get_loc(day)])


def at(day: str) -> float:
    return float(level_at_open(LEVEL, US, CHINA)[CHINA.sessions.get_loc(day)])


@pytest.mark.parametrize(
    ("session", "known"),
    [
        ("2019-09-27", "2019-09-26"),  # a Friday: Thursday's close, four in the morning in China
        ("2019-09-30", "2019-09-27"),  # a Monday: Friday's
        ("2019-10-08", "2019-10-07"),  # after the closure of 1 to 7 October, in which New York traded
        ("2019-09-02", "2019-08-30"),
        ("2019-09-03", "2019-08-30"),  # Labor Day in between: nothing new
        ("2019-12-26", "2019-12-24"),
    ],
)
def test_what_is_known_at_an_open(session: str, known: str) -> None:
    assert at(session) == us(known)


def test_a_session_without_a_level_elsewhere_is_not_known() -> None:
    holed = LEVEL.copy()
    holed[US.sessions.get_loc("2019-10-07")] = np.nan
    level = level_at_open(holed, US, CHINA)
    assert np.isnan(level[CHINA.sessions.get_loc("2019-10-08")])
    assert np.isfinite(level[CHINA.sessions.get_loc("2019-10-09")])


def test_an_exchange_that_closes_during_the_session_is_refused() -> None:
    with pytest.raises(ConfigError, match="XTKS closes while XSHG is open, as on 2019-01-"):
        level_at_open(np.ones(5000), exchange_sessions("XTKS", dt.date(2018, 12, 1)), CHINA)


def test_sessions_without_hours_are_refused() -> None:
    with pytest.raises(ConfigError, match="name an exchange calendar under"):
        level_at_open(LEVEL, US, SessionCalendar("benchmark", CHINA.sessions))


DAYS = CHINA.sessions[:220]  # to the end of November 2019
DAY0 = DAYS.get_loc("2019-10-08")


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    index = rng.normal(0, 0.01, len(DAYS))
    world = np.diff(np.log(level_at_open(LEVEL, US, CHINA)[: len(DAYS)]), prepend=0.0)
    world[0] = 0.0
    share = 0.0003 + 0.9 * index + 0.5 * world + rng.normal(0, 0.015, len(DAYS))
    return pd.DataFrame({"AAA": 20 * np.exp(np.cumsum(share)), "INDEX": 3000 * np.exp(np.cumsum(index))}, index=DAYS)


@pytest.fixture(scope="module")
def run(prices: pd.DataFrame) -> Callable[..., es.StudyResult]:
    def of(away: slice | None = None, **when: str):
        closes = prices[["AAA"]].copy()
        if away:
            closes.iloc[away] = np.nan
        return es.event_study(
            pd.DataFrame([{"event_id": "e", "symbol": "AAA"} | when]), closes, prices["INDEX"], calendar="XSHG",
            model="two_index", global_benchmark=pd.Series(LEVEL, index=US.sessions), global_calendar="XNYS",
            tests=["portfolio_t", "placebo_caar"],
            windows=es.Windows(estimation=(-120, -11), event=(-5, 10), car=[(0, 2), (-3, -1)]),
        )  # fmt: skip

    return of


def by_hand(prices: pd.DataFrame, world: np.ndarray) -> tuple[float, float, np.ndarray]:
    y = np.diff(np.log(prices["AAA"].to_numpy()), prepend=np.nan)
    m = np.diff(np.log(prices["INDEX"].to_numpy()), prepend=np.nan)
    x = np.column_stack([np.ones(len(y)), m, np.diff(np.log(level_at_open(LEVEL, US, CHINA)[: len(DAYS)]), prepend=np.nan)])
    fit = sm.OLS(y[DAY0 - 120 : DAY0 - 10], x[DAY0 - 120 : DAY0 - 10]).fit()
    total = np.r_[3.0, m[DAY0 : DAY0 + 3].sum(), world.sum()]
    factor = 3 + total @ fit.normalized_cov_params @ total
    return float(y[DAY0 : DAY0 + 3].sum() - total @ fit.params), float(np.sqrt(fit.scale * factor)), fit.params


def world_of(*pairs: tuple[str, str]) -> np.ndarray:
    return np.array([np.log(us(end) / us(start)) for start, end in pairs])


AFTER = (("2019-10-07", "2019-10-08"), ("2019-10-08", "2019-10-09"))


def test_the_closure_is_one_row_with_six_sessions_of_new_york(prices, run) -> None:
    result = run(announced_on="2019-10-07", timezone="America/New_York")
    car, se, params = by_hand(prices, world_of(("2019-09-27", "2019-10-07"), *AFTER))
    row = result.cars.iloc[0]
    assert_allclose([row["car"], row["se_car"]], [car, se])
    assert_allclose(result.models.loc[0, ["alpha", "beta", "coef_global"]].astype(float), params)
    assert result.tests["reason"].tolist() == ["", ""] * 2


@pytest.mark.parametrize(
    ("when", "last_quiet"),
    [
        ({"announced_on": "2019-10-07", "timezone": "America/New_York"}, "2019-10-04"),
        ({"announced_at": "2019-10-07T16:30:00-04:00"}, None),  # after the last close before the open in China
        ({"announced_at": "2019-10-07T15:30:00-04:00"}, "2019-10-04"),
        ({"announced_at": "2019-10-03T12:00:00-04:00"}, "2019-10-02"),
        ({"session": "2019-10-08"}, "2019-10-04"),
    ],
)
def test_the_run_without_what_the_global_index_heard(prices, run, when: dict[str, str], last_quiet: str | None) -> None:
    result = run(**when)
    if last_quiet is None:
        assert result.variants.empty
        assert "news_in_global_index" not in set(result.notes["code"])
        return
    car, se, _ = by_hand(prices, world_of(("2019-09-27", last_quiet), *AFTER))
    variant, before = result.variants.iloc[0], result.variants.iloc[1]
    assert variant["variant"] == "without_news"
    assert_allclose([variant["car"], variant["se_car"]], [car, se])
    assert_allclose(before["car"], result.cars.loc[1, "car"])  # a window before the event is as it was
    assert "news_in_global_index" in set(result.notes["code"])


def test_a_suspension_spans_sessions_of_both_exchanges(prices, run) -> None:
    result = run(slice(DAY0, DAY0 + 2), announced_on="2019-10-07", timezone="America/New_York")
    car, se, _ = by_hand(prices, world_of(("2019-09-27", "2019-10-07"), *AFTER))
    assert_allclose(result.cars.loc[0, ["car", "se_car"]].astype(float), [car, se])
    quiet, _, _ = by_hand(prices, world_of(("2019-09-27", "2019-10-04"), *AFTER))
    assert_allclose(result.variants.loc[0, "car"], quiet)


def test_dates_alone_cannot_set_two_exchanges_side_by_side(prices) -> None:
    with pytest.raises(ConfigError, match="name an exchange calendar"):
        es.event_study(
            pd.DataFrame([{"event_id": "e", "symbol": "AAA", "session": "2019-10-08"}]), prices[["AAA"]], prices["INDEX"],
            model="two_index", global_benchmark=pd.Series(LEVEL, index=US.sessions), global_calendar="XNYS",
            windows=es.Windows(estimation=(-120, -11), event=(-5, 10), car=[(0, 2)]),
        )  # fmt: skip


def test_from_a_config_with_both_indices_in_one_file(prices, run, tmp_path: Path) -> None:
    shares = prices["AAA"].rename("close").rename_axis("date").reset_index().assign(symbol="AAA.SZ")
    shares.to_csv(tmp_path / "prices.csv", index=False)
    both = pd.concat([prices["INDEX"], pd.Series(LEVEL, index=US.sessions, name="WORLD")], axis=1, sort=True)
    both.rename_axis("date").to_csv(tmp_path / "benchmark.csv", date_format="%Y-%m-%d")
    content = {
        "study": {"name": "two"},
        "event": [{"id": "e", "announced_on": "2019-10-07", "timezone": "America/New_York", "firms": ["AAA.SZ"]}],
        "market": {"benchmark": "INDEX"},
        "data": {"source": "files", "files": {"prices": "prices.csv", "benchmark": "benchmark.csv"}},
        "windows": {"estimation": [-120, -11], "event": [-5, 10], "car": [[0, 2]]},
        "model": {"name": "two_index", "returns": "log", "global_benchmark": "WORLD", "global_calendar": "XNYS"},
        "inference": {"tests": ["portfolio_t"]},
    }
    (tmp_path / "study.toml").write_text(tomli_w.dumps(content), encoding="utf-8")
    result = es.run_study(tmp_path / "study.toml")
    want = run(announced_on="2019-10-07", timezone="America/New_York")
    assert_allclose(result.cars["car"], want.cars["car"][:1])
    assert_allclose(result.variants["car"], want.variants["car"][:1])
    assert set(result.data["symbol"]) == {"AAA.SZ", "INDEX", "WORLD"}
    page = (result.write(tmp_path / "out") / "report.html").read_text(encoding="utf-8")
    assert "sessions came after the announcement" in page
