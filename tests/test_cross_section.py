"""CARs on firm characteristics: against statsmodels, by hand, and what cannot be estimated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import stats

import eventstudy as es
from eventstudy.errors import DataError
from eventstudy.inference.regression import regress

FIRMS = tuple(f"F{place:02d}" for place in range(16))
DRAWS = np.random.default_rng(3).normal(size=(16, 2))


def characteristics(**changes: object) -> pd.DataFrame:
    return pd.DataFrame({"symbol": FIRMS, "size": DRAWS[:, 0], "supply": DRAWS[:, 1], **changes})


@pytest.fixture
def study(study_on_disk, panel):
    """Write a study of sixteen firms at two event sessions, with the file of characteristics."""

    def write(table: pd.DataFrame, **keys: object) -> Path:
        made = panel(FIRMS)
        events = pd.concat([made.events(125, list(FIRMS[:9])), made.events(140, list(FIRMS[9:]))])
        section = {"characteristics": "firms.csv"} | keys
        windows = {"car": [[0, 3], [0, 0]]}
        path = study_on_disk(made, events, windows=windows, inference={"headline_window": [0, 3]}, cross_section=section)
        table.to_csv(path.parent / "firms.csv", index=False)
        return path

    return write


def terms(result, window=(0, 3), group: str = "all") -> pd.DataFrame:
    found = result.cross_section
    chosen = (found["group"] == group) & (found["window_start"] == window[0]) & (found["window_end"] == window[1])
    return found[chosen].set_index("term")


@pytest.mark.parametrize("errors", ["HC3", "HC1"])
@pytest.mark.parametrize("weights", ["none", "precision"])
def test_coefficients_and_errors_are_those_of_the_textbook_formula(study, errors: str, weights: str) -> None:
    result = es.run_study(study(characteristics(), errors=errors, weights=weights))
    for window in ((0, 3), (0, 0)):
        cars = result.car(window)
        x = np.column_stack([np.ones(16), DRAWS])
        w = np.diag(1 / cars["se_car"].to_numpy() ** 2 if weights == "precision" else np.ones(16))
        bread = np.linalg.inv(x.T @ w @ x)
        beta = bread @ x.T @ w @ cars["car"].to_numpy()
        residual = cars["car"].to_numpy() - x @ beta
        leverage = np.diag(x @ bread @ x.T @ w)
        factor = 1 / (1 - leverage) ** 2 if errors == "HC3" else np.full(16, 16 / 13)
        meat = x.T @ w @ np.diag(factor * residual**2) @ w @ x
        se = np.sqrt(np.diag(bread @ meat @ bread))
        found = terms(result, window)
        assert list(found.index) == ["constant", "size", "supply"]
        assert_allclose(found["coefficient"], beta, rtol=1e-9)
        assert_allclose(found["se"], se, rtol=1e-9)
        assert_allclose(found["p_value"], 2 * stats.t.sf(np.abs(beta / se), 13), rtol=1e-9)
        assert_allclose(found["ci_low"], beta - stats.t.ppf(0.975, 13) * se, rtol=1e-9)
        assert_allclose(found["ci_high"], beta + stats.t.ppf(0.975, 13) * se, rtol=1e-9)
        assert set(found["df"]) == {13}
        assert set(found["n"]) == {16}
        assert set(found["reason"]) == {"small_sample"}


def test_ols_agrees_with_statsmodels(study) -> None:
    result = es.run_study(study(characteristics()))
    direct = sm.OLS(result.car((0, 3))["car"].to_numpy(), sm.add_constant(DRAWS)).fit(cov_type="HC3", use_t=True)
    found = terms(result)
    expected = np.column_stack([direct.params, direct.bse, direct.tvalues, direct.pvalues])
    assert_allclose(found[["coefficient", "se", "t", "p_value"]], expected, rtol=1e-10)
    assert_allclose(found[["ci_low", "ci_high"]], direct.conf_int(0.05), rtol=1e-10)
    assert_allclose(found["r_squared"], direct.rsquared, rtol=1e-10)


def test_clusters_are_the_event_sessions(study) -> None:
    result = es.run_study(study(characteristics(), columns=["size"], errors="cluster"))
    x, y = np.column_stack([np.ones(16), DRAWS[:, 0]]), result.car((0, 3))["car"].to_numpy()
    bread = np.linalg.inv(x.T @ x)
    residual = y - x @ bread @ x.T @ y
    scores = [x[part].T @ residual[part] for part in (slice(0, 9), slice(9, 16))]
    meat = sum(np.outer(score, score) for score in scores) * 2 / 1 * 15 / 14
    found = terms(result)
    assert_allclose(found["se"], np.sqrt(np.diag(bread @ meat @ bread)), rtol=1e-9)
    assert set(found["df"]) == {1}


def test_a_firm_without_a_value_is_left_out_and_noted(study) -> None:
    size = DRAWS[:, 0].astype(object)
    size[4] = ""
    result = es.run_study(study(characteristics(size=size).drop(index=[7])))
    kept = np.delete(np.arange(16), [4, 7])
    direct = sm.OLS(result.car((0, 3))["car"].to_numpy()[kept], sm.add_constant(DRAWS[kept])).fit()
    assert_allclose(terms(result)["coefficient"], direct.params, rtol=1e-9)
    notes = result.notes[result.notes["code"] == "no_characteristic"].set_index("symbol")["note"]
    assert set(notes.index) == {"F04", "F07"}
    assert "no value of size" in notes["F04"]
    assert "not in the characteristics file" in notes["F07"]


def test_a_row_of_an_event_goes_before_that_of_the_firm(study) -> None:
    table = characteristics(event_id="")
    own = table.iloc[[0]].assign(event_id="e-F00", size=9.0)
    result = es.run_study(study(pd.concat([table, own])))
    x = sm.add_constant(np.where(np.arange(32).reshape(16, 2) == 0, 9.0, DRAWS))
    assert_allclose(terms(result)["coefficient"], sm.OLS(result.car((0, 3))["car"].to_numpy(), x).fit().params, rtol=1e-9)


def test_text_columns_are_no_characteristics_unless_they_are_named(study) -> None:
    table = characteristics(sector=["a", "b"] * 8)
    assert list(terms(es.run_study(study(table))).index) == ["constant", "size", "supply"]
    with pytest.raises(DataError, match=r"line 2: sector of 'F00' is 'a', no number"):
        es.run_study(study(table, columns=["sector"]))


@pytest.mark.parametrize(
    ("changes", "keys", "words"),
    [
        ({"supply": 1.0}, {}, "supply is 1 for all 16 firms"),
        ({"twice": 2 * DRAWS[:, 0] - 3}, {}, "twice is a linear combination of the columns before it"),
        ({}, {"columns": ["sise"]}, "no column 'sise'"),
    ],
)
def test_columns_that_explain_nothing_are_refused(study, refused, changes: dict, keys: dict, words: str) -> None:
    refused(study(characteristics(**changes), **keys), 2, words)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.concat([characteristics(), characteristics().iloc[[0]]]), "two rows for F00"),
        (characteristics().rename(columns={"symbol": "firm"}), "no column 'symbol'"),
        (characteristics(size=np.inf), "no number"),
        (characteristics().iloc[:0], "no rows"),
        (characteristics()[["symbol"]], "no numeric column"),
    ],
)
def test_unusable_files_are_refused(study, refused, table: pd.DataFrame, words: str) -> None:
    refused(study(table), 3, words)


def test_too_few_firms_have_no_regression() -> None:
    found = regress(np.array([1.0, 2.0, 4.0]), np.array([[1.0, 2], [2, 5], [4, 1]]), ["a", "b"])
    assert (found.reason, np.isnan(found.coefficient).all(), np.isnan(found.r_squared)) == ("too_few_firms", True, True)


def test_three_firms_and_one_column_by_hand() -> None:
    # x = 0, 1, 2 and y = 0, 1, 5: slope 5/2, intercept 2 - 5/2 = -1/2, residuals 1/2, -1, 1/2, leverages 5/6, 1/3, 5/6
    found = regress(np.array([0.0, 1, 5]), np.array([[0.0], [1], [2]]), ["x"])
    assert_allclose(found.coefficient, [-0.5, 2.5])
    # scaled residuals 3, -1.5, 3; slope weights (x - 1)/2 = -1/2, 0, 1/2: variance 9/4 + 9/4
    assert_allclose(found.se[1], np.sqrt(4.5))
    # total 14, residual 1.5
    assert_allclose(found.r_squared, 1 - 1.5 / 14)
    assert (found.df, found.reason) == (1, "small_sample")


def test_a_firm_that_fixes_a_term_alone_leaves_no_errors() -> None:
    found = regress(np.array([1.0, 2, 4, 4.5]), np.array([[0.0], [0], [0], [1]]), ["only"])
    assert_allclose(found.coefficient, [7 / 3, 4.5 - 7 / 3])
    assert found.reason == "full_leverage"
    assert np.isnan(found.se).all()


def test_one_cluster_and_collinear_columns_have_reasons() -> None:
    y, x = np.arange(6.0) ** 2, np.arange(6.0)[:, None]
    assert regress(y, x, ["x"], errors="cluster", clusters=np.array(["d"] * 6)).reason == "one_cluster"
    assert regress(y, np.hstack([x, 1e9 * x]), ["x", "z"]).reason == "collinear_terms"


def test_a_large_sample_bears_no_warning() -> None:
    rng = np.random.default_rng(1)
    assert regress(rng.normal(size=40), rng.normal(size=(40, 2)), ["a", "b"]).reason == ""


def test_units_of_a_column_move_its_coefficient_only() -> None:
    rng = np.random.default_rng(2)
    y, x = rng.normal(size=30), rng.normal(size=(30, 2))
    plain, large = regress(y, x, ["a", "b"]), regress(y, x * [1e10, 1], ["a", "b"])
    assert_allclose(large.t, plain.t, rtol=1e-6)
    assert_allclose(large.coefficient[1] * 1e10, plain.coefficient[1], rtol=1e-6)


def test_the_page_has_the_section_only_where_it_is_asked_for(study, base, cli, out) -> None:
    def page(config: Path) -> str:
        assert cli("run", config, "--out", out).exit_code == 0
        return (out / "panel" / "latest" / "report.html").read_text(encoding="utf-8")

    assert "What goes with the firms" not in page(base)
    text = page(study(characteristics()))
    assert "What goes with the firms" in text
    assert "Robust standard errors do not repair that" in text
    assert "The sample is small" in text
    assert (out / "panel" / "latest" / "tables" / "cross_section.csv").read_text(encoding="utf-8").count("\n") == 1 + 2 * 3


def test_changed_characteristics_are_another_run(study, cli, out) -> None:
    assert "unchanged" not in cli("run", study(characteristics()), "--out", out).stdout
    assert "unchanged" in cli("run", study(characteristics()), "--out", out).stdout
    assert "unchanged" not in cli("run", study(characteristics(size=DRAWS[:, 0] + np.arange(16))), "--out", out).stdout
