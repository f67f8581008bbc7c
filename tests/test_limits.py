"""Closes at the price limit: bounds, the day the price was free again, runs as one return, censored regression."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from firms import DAY0, ESTIMATION, fitted
from numpy.testing import assert_allclose
from scipy import optimize, stats

import eventstudy as es
from eventstudy.abnormal import cumulate
from eventstudy.censoring import censored_fit
from eventstudy.errors import ConfigError, DataError
from eventstudy.models import ConstantMean, MarketAdjusted, MarketModel
from eventstudy.returns import trade_rows


@pytest.fixture(scope="module")
def recorded(root: Path) -> pd.Series:
    frame = pd.read_csv(root / "eventstudy" / "snapshot" / "000063.SZ.csv", parse_dates=["date"]).set_index("date")
    return frame["close"]


def test_zte_was_held_back_for_eight_sessions(zte: es.StudyResult, recorded: pd.Series) -> None:
    traded = recorded["2018-06-13":]
    moves = traded / recorded.shift(1)[traded.index] - 1
    free = traded.index[np.flatnonzero(moves.to_numpy() > -0.0985)[0]]  # a limit is 10% but for the rounding to a cent
    row = zte.unlock.iloc[0]
    assert (row["first_limit_session"], row["unlock_session"]) == ("2018-06-13", f"{free:%Y-%m-%d}")
    assert (row["unlock_tau"], row["suggested_start"], row["suggested_end"]) == (47, 0, 48)


def test_headline_window_of_the_entity_list_is_the_suggested_one(entity: es.StudyResult) -> None:
    table = entity.unlock.set_index("symbol")
    firms = ["002230.SZ", "002415.SZ", "002236.SZ"]
    assert table.loc[firms, "unlock_tau"].tolist() == [0, 2, 2]  # the two others were suspended on two sessions
    assert (table.loc[firms, "first_limit_session"] == "").all()
    assert set(zip(table.loc[firms, "suggested_start"], table.loc[firms, "suggested_end"], strict=True)) == {(0, 3)}
    assert "300188.SZ" not in table.index  # adjusted prices only: limits cannot be told


def test_cars_that_end_on_a_limit_close_are_marked(zte: es.StudyResult) -> None:
    table = zte.tables()["cars"].set_index("window_end")
    assert table["censored"].to_dict() == {38: "", 39: "down", 46: "down", 60: ""}
    assert np.isfinite(table.loc[46, "p_value"])
    assert "censored" not in zte.cars


def test_run_of_limit_closes_is_one_return(zte: es.StudyResult, recorded: pd.Series) -> None:
    table = zte.limit_days.set_index(["treatment", "window_end"])
    assert table.loc["as_traded"]["car"].to_numpy() == pytest.approx(zte.cars["car"].to_numpy(), nan_ok=True, rel=1e-12)
    assert table.loc["spanned"]["reason"].to_dict() == {38: "not_resumed", 39: "limit_spell", 46: "limit_spell", 60: ""}
    spanned = es.run_study(es.load_study(zte.spec.folder / "zte-denial-2018.toml").replace(limit_days="spanned"))
    assert spanned.cars["car"].to_numpy() == pytest.approx(table.loc["spanned"]["car"].to_numpy(), nan_ok=True, rel=1e-12)
    daily = spanned.abnormal_returns.dropna(subset=["ar"]).set_index("tau")
    # suspended for 39 sessions, eight limit closes, and the first close off the limit
    assert daily.loc[47, "span"] == 39 + 8 + 1
    assert_allclose(daily.loc[47, "ret"], np.log(recorded["2018-06-26"] / recorded["2018-04-16"]))
    assert not set(range(47)) & set(daily.index)
    assert spanned.events["first_traded_session"].tolist() == ["2018-06-13"]  # it did trade


def test_spanned_limit_days_leave_other_rows_alone() -> None:
    made, rows, _ = fitted()
    marks = made.limit.copy()
    marks[[40, 41, 90]] = ["down", "down", "up"]
    held = trade_rows(replace(made, limit=marks, spans_limits=True))
    assert dict(zip(held.end[held.span > 1], held.span[held.span > 1], strict=True)) == {42: 3, 91: 2}
    kept = ~np.isin(rows.end, [40, 41, 42, 90, 91])
    assert_allclose(held.ret[held.span == 1], rows.ret[kept])
    assert_allclose(held.mkt[held.end == 42], rows.mkt[np.isin(rows.end, [40, 41, 42])].sum())
    assert np.array_equal(trade_rows(replace(made, limit=marks)).end, rows.end)


def test_window_that_cuts_a_run_has_a_reason() -> None:
    made, _, _ = fitted()
    marks = made.limit.copy()
    marks[DAY0 + 2] = "down"
    held = replace(made, limit=marks, spans_limits=True)
    rows = trade_rows(held)
    fit = MarketModel().fit(rows.inside(*ESTIMATION))
    reasons = {window: cumulate(fit, held, rows, DAY0, window).reason for window in [(0, 2), (0, 3), (3, 5), (0, 5), (-3, 1)]}
    assert reasons == {(0, 2): "limit_spell", (0, 3): "", (3, 5): "limit_spell", (0, 5): "", (-3, 1): ""}


def test_spanned_needs_rows_from_trade_to_trade(entity: es.StudyResult) -> None:
    with pytest.raises(ConfigError, match=r"limit_days.*trade-to-trade"):
        entity.spec.replace(model={"name": "market", "returns": "log", "limit_days": "spanned", "suspensions": "lumped"})


def test_spanned_needs_a_price_limit(entity: es.StudyResult, zte: es.StudyResult) -> None:
    for spec in (entity.spec, zte.spec):
        with pytest.raises(ConfigError, match=r"limit_days = \"spanned\".*add price_limit under \[market\]"):
            spec.replace(limit_days="spanned", price_limit=None)
    own = [firm.model_dump(exclude_unset=True) | {"price_limit": 0.1} for firm in zte.spec.firm]
    assert zte.spec.replace(limit_days="spanned", price_limit=None, firm=own).model.limit_days == "spanned"


def limited(seed: int = 11, sessions: int = 400) -> tuple[object, np.ndarray, np.ndarray]:
    """A firm whose returns are cut at two percent; (fit on what is seen, marks, what the returns wanted to be)."""
    rng = np.random.default_rng(seed)
    m = rng.normal(0.0003, 0.012, sessions)
    wanted = 0.0005 + 1.2 * m + rng.normal(0, 0.012, sessions)
    seen = np.clip(wanted, -0.02, 0.02)
    marks = np.where(wanted > 0.02, "up", np.where(wanted < -0.02, "down", "")).astype(object)
    _, rows, _ = fitted()
    sample = replace(
        rows, end=np.arange(1, sessions + 1), closes=np.arange(1, sessions + 1), span=np.ones(sessions, int), ret=seen, mkt=m
    )
    return MarketModel().fit(sample), marks, wanted


def test_censored_regression_maximises_the_likelihood_written_out() -> None:
    fit, marks, _ = limited()
    found = censored_fit(fit, marks)
    y, x = fit.rows.ret, np.column_stack([np.ones(fit.nobs), fit.rows.mkt])

    def minus(theta: np.ndarray) -> float:
        sigma = abs(theta[2])
        e = (y - x @ theta[:2]) / sigma
        parts = [stats.norm.logpdf(e[marks == ""]) - np.log(sigma), stats.norm.logcdf(e[marks == "down"])]
        return -sum(part.sum() for part in [*parts, stats.norm.logcdf(-e[marks == "up"])])

    start = np.array([0.001, 1.0, 0.011])
    want = optimize.minimize(minus, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-10, "maxiter": 5000})
    assert_allclose([*found.params, found.sigma], want.x, rtol=2e-5)
    # information of theta by second differences of the likelihood
    h = np.array([1e-5, 1e-3])
    second = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            steps = [np.r_[np.eye(2)[i] * h[i] * a + np.eye(2)[j] * h[j] * b, 0] for a, b in [(1, 1), (1, -1), (-1, 1), (-1, -1)]]
            values = [minus(want.x + step) for step in steps]
            second[i, j] = (values[0] - values[1] - values[2] + values[3]) / (4 * h[i] * h[j])
    assert_allclose(found.sigma**2 * found.unscaled_cov, np.linalg.inv(second), rtol=1e-3)


def test_censored_regression_undoes_what_the_limit_took() -> None:
    fit, marks, wanted = limited()
    truth = MarketModel().fit(replace(fit.rows, ret=wanted))
    found = censored_fit(fit, marks)
    assert (marks != "").mean() > 0.2
    assert abs(found.params[1] - truth.params[1]) < 0.1 < truth.params[1] - fit.params[1]
    assert abs(found.sigma / truth.sigma - 1) < 0.1 < 1 - fit.sigma / truth.sigma


def test_censored_regression_needs_three_hits() -> None:
    fit, marks, _ = limited()
    few = np.full(len(marks), "", dtype=object)
    few[:2] = "up"
    with pytest.raises(DataError, match="fewer than 3"):
        censored_fit(fit, few)


@pytest.mark.parametrize("model", [ConstantMean(), MarketAdjusted()])
def test_censored_regression_of_other_models(model) -> None:
    fit, marks, wanted = limited()
    found = censored_fit(model.fit(fit.rows), marks)
    truth = model.fit(replace(fit.rows, ret=wanted))
    assert found.params.shape == truth.params.shape
    assert abs(found.sigma / truth.sigma - 1) < 0.12


def test_censored_row_stands_where_there_are_three_limit_closes(entity: es.StudyResult) -> None:
    table, hits = entity.limit_days, entity.diagnostics[entity.diagnostics["diagnostic"] == "limit_closes"]
    enough = set(hits.loc[hits["statistic"] >= 3, "symbol"])
    assert set(table.loc[table["treatment"] == "censored", "symbol"]) == enough
    assert enough
