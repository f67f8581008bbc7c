"""The study under other choices: each row is that of a study of its own, in a fixed order, with its reason."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import eventstudy as es
from eventstudy.configfile import spec_from_dict
from eventstudy.errors import ConfigError
from eventstudy.report.wording import REASONS
from eventstudy.tablefiles import write_table

GRID = {
    "models": ["mean"],
    "returns": ["simple"],
    "suspensions": ["lumped", "drop"],
    "benchmarks": ["399001.SZ", "NONE.SZ"],
    "estimation": [[-120, -31]],
    "masks": [False],
    "windows": [[0, 0]],
}
NUMBERS = ["effect", "se", "t", "df", "p_value"]


@pytest.fixture(scope="module")
def spec(root: Path) -> Any:
    whole = es.load_study(root / "configs" / "entity-list-2019.toml")
    lead = [event.model_dump(by_alias=True, exclude_unset=True) for event in whole.event if event.role == "treated"]
    return whole.replace(robustness=GRID, event=lead, confounder=[], leak=[])


@pytest.fixture(scope="module")
def table(spec: Any) -> pd.DataFrame:
    return es.run_study(spec).robustness


def own_run(spec: Any, row: pd.Series) -> es.StudyResult:
    """The study with its config changed to the choices of a row."""
    window = (int(row["window_start"]), int(row["window_end"]))
    changes: dict[str, Any] = {} if row["mask"] else {"mask": []}
    return es.run_study(
        spec.replace(
            robustness=None,
            model={"name": row["model"], "returns": row["returns"], "suspensions": row["suspensions"]},
            market={"benchmark": row["benchmark"]},
            windows={"estimation": (int(row["estimation_start"]), int(row["estimation_end"])), "car": [window]},
            inference={"headline_window": window, "tests": ["portfolio_t"]},
            **changes,
        )
    )


def test_every_combination_is_there_in_order_and_the_study_itself_first(table) -> None:
    means = table[table["scope"] == "all"]
    found = [
        (row["model"], row["returns"], row["suspensions"], row["benchmark"], row["estimation_start"], row["mask"],
         row["window_start"], row["window_end"])
        for _, row in means.iterrows()
    ]  # fmt: skip
    want = product(
        ["market", "mean"], ["log", "simple"], ["trade-to-trade", "lumped", "drop"],
        ["000300.SS", "399001.SZ", "NONE.SZ"], [-250, -120], [True, False], [0], [3, 0],
    )  # fmt: skip
    assert found == list(want)
    assert means["specification"].tolist() == list(range(1, len(means) + 1))


def test_the_headline_is_marked_once_a_scope(table) -> None:
    marked = table[table["headline"]]
    assert marked["scope"].tolist() == ["all", "002230.SZ", "002415.SZ", "002236.SZ"]
    assert (marked["specification"] == 1).all()


@pytest.mark.parametrize("place", [0, 11, 29, 46, 55, 60])
def test_a_row_is_what_a_study_of_its_own_finds(spec, table, place: int) -> None:
    means = table[(table["scope"] == "all") & (table["benchmark"] != "NONE.SZ") & (table["estimation_start"] == -250)]
    row = means.iloc[place % len(means)]
    own = own_run(spec, row)
    firms = table[(table["specification"] == row["specification"]) & (table["scope"] != "all")].set_index("scope")
    cars = own.cars.set_index("symbol")
    assert list(firms.index) == list(cars.index)
    for ours, theirs in zip(NUMBERS, ["car", "se_car", "t", "df", "p_value"], strict=True):
        got, want = (frame[name].astype(float) for frame, name in ((firms, ours), (cars, theirs)))
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)
    assert firms["reason"].tolist() == cars["reason"].tolist()
    (mean,), (test,) = own.caar.query("group == 'all'").to_dict("records"), own.tests.query("group == 'all'").to_dict("records")
    want = [mean["caar"], test["statistic"], test["df"], test["p_value"]]
    np.testing.assert_allclose([row[name] for name in ("effect", "t", "df", "p_value")], want, rtol=1e-12, atol=1e-15)
    assert row["n"] == mean["n"]


def test_standard_error_and_p_value_of_the_mean_belong_to_its_t(table) -> None:
    means = table[(table["scope"] == "all") & table["t"].notna()]
    np.testing.assert_allclose(means["effect"] / means["se"], means["t"], rtol=1e-12)
    np.testing.assert_allclose(2 * stats.t.sf(means["t"].abs(), means["df"].astype(float)), means["p_value"], rtol=1e-12)


def test_the_headline_is_the_study(spec, table) -> None:
    own = es.run_study(spec.replace(robustness=None)).caar.query("group == 'all' and window_end == 3")
    assert table.loc[0, "effect"] == pytest.approx(own["caar"].iloc[0], rel=1e-12)


def test_dropped_resumptions_have_no_effect_and_the_mean_left_is_of_other_firms(table) -> None:
    dropped = table[(table["suspensions"] == "drop") & (table["window_end"] == 3) & (table["benchmark"] != "NONE.SZ")]
    few = dropped["estimation_start"] == -120
    for symbol in ("002415.SZ", "002236.SZ"):
        own = dropped[(dropped["scope"] == symbol) & ~few]
        assert set(own["reason"]) == {"gap_dropped"}
        assert own[["effect", "se", "t", "df", "p_value"]].isna().all(axis=None)
    means = dropped[(dropped["scope"] == "all") & ~few]
    assert set(means["reason"]) == {"other_firms"}
    assert set(means["n"]) == {1}


def test_too_short_an_estimation_window_is_told_and_moves_nothing_else(table) -> None:
    short = table[(table["estimation_start"] == -120) & (table["benchmark"] != "NONE.SZ")]  # 90 sessions, 100 asked for
    assert set(short.loc[short["scope"] == "all", "reason"]) == {"no_firms"}
    assert set(short.loc[short["scope"] != "all", "reason"]) == {"too_few_observations"}
    assert short["effect"].isna().all()


def test_a_benchmark_without_prices_leaves_rows_with_a_reason(table) -> None:
    rows = table[table["benchmark"] == "NONE.SZ"]
    assert len(rows) == len(table) / 3
    assert set(rows["reason"]) == {"unknown_benchmark"}
    assert rows["effect"].isna().all()


def test_every_undefined_row_has_a_reason_in_words(table) -> None:
    assert (table.loc[table["effect"].isna(), "reason"] != "").all()
    assert set(table["reason"]) - {""} <= set(REASONS)


def test_what_repeats_an_earlier_result_is_named(table) -> None:
    means = table[(table["scope"] == "all")].set_index("specification")
    # nobody was suspended in the estimation, and log returns over a gap add up: lumped changes nothing there
    lumped = means[(means["suspensions"] == "lumped") & (means["returns"] == "log") & means["effect"].notna()]
    assert lumped["same_as"].notna().sum() == len(lumped)
    for number, row in means[means["same_as"].notna()].iterrows():
        first = means.loc[row["same_as"]]
        assert row["same_as"] < number
        assert pd.isna(first["same_as"])
        assert first["effect"] == pytest.approx(row["effect"], rel=1e-11)


def test_the_table_is_the_same_on_a_rerun(spec, table, tmp_path: Path) -> None:
    write_table(table, tmp_path / "a.csv")
    write_table(es.run_study(spec).robustness, tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_study_itself_is_not_moved_by_its_robustness(spec) -> None:
    with_grid, without = es.run_study(spec), es.run_study(spec.replace(robustness=None))
    pd.testing.assert_frame_equal(with_grid.cars, without.cars, rtol=1e-12)
    assert without.robustness.empty


def test_a_benchmark_of_the_variants_alone_stands_with_the_data(spec) -> None:
    data = es.run_study(spec).data.set_index("symbol")
    assert (data.loc["399001.SZ", "source"], data.loc["399001.SZ", "missing"]) == ("snapshot", 0)


def test_a_study_without_the_table_has_no_rows_and_no_section(panel, study_on_disk) -> None:
    from eventstudy.report import render_report

    made = panel()
    result = es.run_study(study_on_disk(made, made.events(130)))
    assert result.robustness.empty
    assert 'id="robustness"' not in render_report(result)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"models": ["markt"]}, r"\[robustness\] models: 'markt' is no model of this study: give one of .*meant 'market'$"),
        ({"models": ["zzz"]}, r"'zzz' is no model of this study: give one of 'mean', .*, 'garch'$"),
        ({"windows": [[0, 30]]}, r"\[robustness\] windows: the CAR window \[0, 30\] lies outside the event window"),
        ({"estimation": [[-250, -3]]}, r"\[robustness\] estimation: the event window \[-10, 10\] starts before"),
        ({"windows": [[0, 2], [0, 2]]}, r"windows: \[0, 2\] is listed twice"),
        ({"suspensions": ["dropped"]}, "suspensions"),
        ({"window": [[0, 2]]}, "unknown key 'window' in .robustness.: perhaps you meant 'windows'"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_the_key(root: Path, keys: dict[str, Any], told: str) -> None:
    content = es.load_study(root / "configs" / "entity-list-2019.toml").model_dump(by_alias=True, exclude_unset=True)
    with pytest.raises(ConfigError, match=told):
        spec_from_dict(content | {"robustness": keys})


def test_the_message_names_the_line(base: Path) -> None:
    base.write_text(base.read_text() + '\n[robustness]\nmodels = ["markt"]\n')
    line = len(base.read_text().splitlines())
    with pytest.raises(ConfigError, match=re.escape(f"{base}:{line - 1}: [robustness]")):
        es.load_study(base)


def test_a_firms_own_benchmark_is_kept_and_the_markets_for_all_is_another_choice(root: Path) -> None:
    whole = es.load_study(root / "configs" / "entity-list-2019.toml")
    firms = [firm.model_dump(by_alias=True, exclude_unset=True) for firm in whole.firm]
    firms[0]["benchmark"] = "399001.SZ"  # Iflytek
    own = es.run_study(whole.replace(firm=firms, robustness={"benchmarks": ["000300.SS"]})).robustness
    iflytek = own[own["scope"] == "002230.SZ"]
    assert iflytek["benchmark"].tolist() == ["399001.SZ", "000300.SS"]
    assert own.loc[own["scope"] == "all", "benchmark"].tolist() == ["399001.SZ; 000300.SS", "000300.SS"]
    assert iflytek["same_as"].isna().all()
    assert own.loc[own["scope"] == "002415.SZ", "same_as"].tolist()[1:] == [1]
