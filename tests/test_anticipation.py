"""What was known before: leaks, their total with the announcement, masks, sessions before the event."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

import eventstudy as es
from eventstudy.errors import ConfigError
from eventstudy.report import figures, pictures
from eventstudy.report.subjects import Reading

WINDOWS = {"estimation": [-60, -11], "event": [-35, 10], "car": [[0, 3]], "min_observations": 40}
LEAK = {"id": "rumour", "label": "a rumour", "firms": ["AAA", "BBB"], "window": [0, 1], "estimation": [-60, -11]}


@pytest.fixture(scope="module")
def leak_alone(leak: es.StudyResult) -> es.StudyResult:
    return leak


def rows(result: es.StudyResult, part: str, **wanted: object) -> pd.DataFrame:
    table = result.anticipation
    for column, value in (wanted | {"part": part}).items():
        table = table[table[column] == value]
    return table.reset_index(drop=True)


def test_leak_is_what_a_study_of_the_leak_alone_finds(entity: es.StudyResult, leak_alone: es.StudyResult) -> None:
    alone = leak_alone.cars.query("window_start == 0 and window_end == 1").set_index("symbol")
    found = rows(entity, "leak").set_index("symbol")
    assert set(found.index) == {"002415.SZ", "002236.SZ", "002230.SZ", "300188.SZ"}
    for column in ("car", "se_car", "t", "df", "p_value"):
        assert_allclose(found[column].astype(float), alone.loc[found.index, column].astype(float), rtol=1e-12)
    assert found["first_session"].to_dict() == {
        "002415.SZ": "2019-05-22", "002236.SZ": "2019-05-22", "002230.SZ": "2019-05-23", "300188.SZ": "2019-05-23"
    }  # fmt: skip


def test_leak_returns_are_the_published_ones(root: Path) -> None:
    # facts: Hikvision -5.54% on 22 May and -5.79% on 23 May 2019, Dahua -5.91% and -4.55%
    for symbol, moves in {"002415.SZ": [-5.54, -5.79], "002236.SZ": [-5.91, -4.55]}.items():
        close = pd.read_csv(root / "eventstudy" / "snapshot" / f"{symbol}.csv", index_col="date")["close"]
        assert_allclose(100 * close.pct_change()[["2019-05-22", "2019-05-23"]], moves, atol=0.006)


def test_total_by_a_regression_with_dummies_where_rows_are_shared(panel, study_on_disk) -> None:
    # One model over the shared estimation rows: leak and announcement as dummies, their sum tested jointly.
    made = panel(sessions=200)
    lo, hi = 20, 119
    path = study_on_disk(
        made, made.events(150, ["AAA"]),
        windows={"estimation": [lo - 150, hi - 150], "event": [-10, 10], "car": [[0, 3]], "min_observations": 60},
        leak=[{**LEAK, "firms": ["AAA"], "session": made.day(130), "estimation": [lo - 130, hi - 130]}],
    )  # fmt: skip
    found = rows(es.run_study(path), "total").iloc[0]
    r, m = np.diff(np.log(made.prices["AAA"])), np.diff(np.log(made.benchmark))
    ends = np.arange(1, 200)
    days = [130, 131, 150, 151, 152, 153]
    used = ((ends >= lo) & (ends <= hi)) | np.isin(ends, days)
    dummies = np.array([[float(end == one) for one in days] for end in ends])
    fit = sm.OLS(r[used], np.column_stack([np.ones(len(r)), m, dummies])[used]).fit()
    test = fit.t_test(np.r_[0, 0, np.ones(6)])
    assert_allclose([found["car"], found["se_car"], found["t"]], [test.effect[0], test.sd[0, 0], test.tvalue[0, 0]], rtol=1e-9)
    assert found["df"] == test.df_denom
    assert_allclose(found["p_value"], test.pvalue)


def test_total_by_brute_force_where_estimation_windows_overlap_in_part(panel, study_on_disk) -> None:
    made = panel(sessions=200)
    path = study_on_disk(
        made, made.events(150, ["AAA"]), windows={**WINDOWS, "estimation": [-100, -36]},
        leak=[{**LEAK, "firms": ["AAA"], "session": made.day(100), "estimation": [-80, -11]}],
    )  # fmt: skip
    result = es.run_study(path)
    r, m, ends = np.diff(np.log(made.prices["AAA"])), np.diff(np.log(made.benchmark)), np.arange(1, 200)

    def car(errors: np.ndarray, first: int, last: int, window: list[int]) -> float:
        """What a CAR is, less its mean, when only the errors move: linear, so its weights are read off by unit errors."""
        inside = (ends >= first) & (ends <= last)
        x = np.column_stack([np.ones(len(m)), m])
        theta = np.linalg.lstsq(x[inside], errors[inside])[0]
        return float((errors - x @ theta)[np.isin(ends, window)].sum())

    units = np.eye(len(r))
    spans = ((20, 89, [100, 101]), (50, 114, [150, 151, 152, 153]))
    weights = [np.array([car(unit, *span) for unit in units]) for span in spans]
    parts = [(ends >= first) & (ends <= last) for first, last, _ in spans]
    sigmas = [np.sqrt(sm.OLS(r[part], sm.add_constant(m[part])).fit().scale) for part in parts]
    added = sigmas[0] * weights[0] + sigmas[1] * weights[1]
    found = rows(result, "total").iloc[0]
    assert_allclose(found["car"], sum(car(r, *span) for span in spans))
    assert_allclose(found["se_car"], np.sqrt(added @ added))
    apart = np.sqrt(sum((s * w) @ (s * w) for s, w in zip(sigmas, weights, strict=True)))
    assert abs(found["se_car"] / apart - 1) > 0.01  # the leak lies in the announcement's estimation: covariance matters


def test_mean_total_of_one_firm_twice_is_its_own(panel, study_on_disk) -> None:
    made = panel(sessions=200)
    same = made.long()
    same = pd.concat([same[same["symbol"] == "AAA"], same[same["symbol"] == "AAA"].assign(symbol="BBB")])
    path = study_on_disk(
        made, made.events(150, ["AAA", "BBB"]), prices=same, windows={**WINDOWS, "estimation": [-100, -36]},
        leak=[{**LEAK, "session": made.day(100)}],
    )  # fmt: skip
    result = es.run_study(path)
    single, mean = rows(result, "total").iloc[0], result.anticipation_tests.query("part == 'total'").iloc[0]
    assert_allclose([mean["statistic"], mean["p_value"]], [single["t"], single["p_value"]], rtol=1e-9)
    assert mean["n"] == 2


def test_effects_without_masks_are_those_of_the_study_without_them(entity: es.StudyResult) -> None:
    bare = es.run_study(entity.spec.replace(mask=[], leak=[])).cars.set_index(["symbol", "window_start", "window_end"])
    found = rows(entity, "announcement", estimation="without masks").set_index(["symbol", "window_start", "window_end"])
    kept = rows(entity, "announcement", estimation="as configured").set_index(["symbol", "window_start", "window_end"])
    assert_allclose(found["car"], bare.loc[found.index, "car"], rtol=1e-12)
    cars = entity.cars.set_index(["symbol", "window_start", "window_end"])
    assert_allclose(kept["car"], cars.loc[kept.index, "car"], rtol=1e-12)
    assert (found["nobs"] - kept["nobs"]).dropna().unique().tolist() == [4]  # 21 to 24 May 2019


def test_the_time_line_is_the_share_over_its_benchmark_from_the_recorded_closes(entity: es.StudyResult, root: Path) -> None:
    facts = {
        symbol: pd.read_csv(root / "eventstudy" / "snapshot" / f"{symbol}.csv", index_col="date")
        for symbol in ("002236.SZ", "000300.SS")
    }
    share = facts["002236.SZ"]["close"].mask(facts["002236.SZ"]["volume"] == 0)  # nothing was paid between May and October
    want = 100 * (share / share["2019-05-21"]) / (facts["000300.SS"]["close"] / facts["000300.SS"].loc["2019-05-21", "close"])
    reading = Reading(entity)
    pair = next(pair for pair in entity.known_before.pairs if pair.firm.key[1] == "002236.SZ")
    places, ratio = figures.against_benchmark(pair, 10)
    dates = pair.firm.listing.calendar.sessions[places].strftime("%Y-%m-%d")
    assert (dates[0], dates[10], dates[-1]) == ("2019-05-08", "2019-05-22", "2019-10-22")
    assert_allclose(ratio, want[dates].to_numpy())
    assert list(dates[np.isnan(ratio)]) == ["2019-10-08", "2019-10-09"]
    label = figures.leak_label(next(one for one in reading.subjects if one.firm.key == pair.firm.key), pair, 10)
    for date, when in (("2019-05-23", "after the leak"), ("2019-09-30", "before the announcement"), ("2019-10-22", "at the end")):
        assert f"{want[date]:.1f} {when}" in label
    assert "leak on Wednesday 22 May 2019, announcement on Tuesday 8 October 2019" in label
    assert "2 suspended sessions are shaded. 4 sessions left out of the estimation are marked." in label


def test_every_leak_has_its_time_line_on_the_page_with_masked_days_marked(entity: es.StudyResult) -> None:
    figure = pictures.leak_figure(Reading(entity))
    assert figure is not None
    assert [panel.label.name for panel in figure.panels] == ["Hikvision", "Dahua", "Iflytek", "Meiya Pico"]
    for panel in figure.panels:
        marks = re.search(r'<g id="[^"]*masked">.*?</g>\s*</g>', panel.svg, re.DOTALL)
        assert marks is not None
        assert marks[0].count("<use ") == 4


def test_leak_moves_no_other_number(entity: es.StudyResult) -> None:
    without = es.run_study(entity.spec.replace(leak=[]))
    for name in ("cars", "tests", "models", "caar"):
        pd.testing.assert_frame_equal(getattr(without, name), getattr(entity, name))


def test_windows_before_the_event(panel, study_on_disk) -> None:
    made = panel(sessions=200)
    path = study_on_disk(made, made.events(150), windows={**WINDOWS, "estimation": [-100, -36]})
    result = es.run_study(path)
    found = rows(result, "pre_event", symbol="AAA")
    assert list(zip(found["window_start"], found["window_end"], strict=True)) == [(-30, -11), (-10, -1)]
    direct = es.run_study(es.load_study(path).replace(car=[[-30, -11], [-10, -1], [-10, 3]], headline_window=[-10, -1]))
    wanted = direct.cars[direct.cars["symbol"] == "AAA"].reset_index(drop=True)
    both = pd.concat([found, rows(result, "through_event", symbol="AAA")], ignore_index=True)
    assert_allclose(both["car"], wanted["car"], rtol=1e-12)
    assert_allclose(both["p_value"], wanted["p_value"], rtol=1e-12)
    tests = result.anticipation_tests.query("window_end == -1").set_index("test")["statistic"]
    assert_allclose(tests["portfolio_t"], direct.tests.query("window_end == -1").set_index("test")["statistic"]["portfolio_t"])


def test_event_window_that_starts_late_has_no_row_before(base: Path) -> None:
    result = es.run_study(base)  # event = [-5, 10]
    assert set(result.anticipation["part"]) == {"announcement", "scaled"}
    assert result.anticipation_tests.empty


def test_scaled_effects_are_shown_as_not_identified(entity: es.StudyResult) -> None:
    found = rows(entity, "scaled", symbol="002415.SZ")
    car = entity.car((0, 3)).set_index("symbol").loc["002415.SZ", "car"]
    assert_allclose(found["car"], [car, car / 0.75, car / 0.5], rtol=1e-12)
    assert found["p_value"].isna().all()
    assert set(found["reason"]) == {"not_identified"}


def test_leak_too_early_for_an_estimation_says_so_and_moves_nothing(panel, study_on_disk) -> None:
    made = panel(sessions=200)
    path = study_on_disk(
        made, made.events(150, ["AAA", "BBB"]), windows={**WINDOWS, "estimation": [-100, -36]},
        leak=[
            {**LEAK, "firms": ["AAA"], "session": made.day(30)},
            {**LEAK, "id": "late", "firms": ["BBB"], "session": made.day(160)},
        ],
    )  # fmt: skip
    result = es.run_study(path)
    found = rows(result, "leak").set_index("news")
    assert found["reason"].to_dict() == {"rumour": "too_few_observations", "late": "no_event_after"}
    assert found["car"].isna().all()
    assert (result.cars["status"] == "ok").all()


def test_leak_that_reaches_into_the_announcement_has_no_total(panel, study_on_disk) -> None:
    made = panel(sessions=200)
    path = study_on_disk(
        made, made.events(150, ["AAA"]), windows={**WINDOWS, "estimation": [-100, -36]},
        leak=[{**LEAK, "firms": ["AAA"], "session": made.day(149)}],
    )  # fmt: skip
    assert rows(es.run_study(path), "total")["reason"].tolist() == ["windows_overlap"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"firms": ["ZZZ"]}, r"\[\[leak\]\] names ZZZ, which no event has"),
        ({"estimation": [-60, 0]}, r"study.toml:\d+.*\[\[leak\]\] the event window \[0, 1\] starts before the estimation window"),
    ],
)
def test_leak_that_cannot_be_meant_is_refused(panel, study_on_disk, change: dict[str, object], words: str) -> None:
    made = panel(sessions=200)
    path = study_on_disk(made, made.events(150, ["AAA"]), leak=[{**LEAK, "firms": ["AAA"], "session": made.day(100)} | change])
    with pytest.raises(ConfigError, match=words):
        es.run_study(path)
