"""Closes at the price limit: bounds, the day the price was free again, runs as one return, censored regression."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
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
from eventstudy.report import render_report
from eventstudy.report.averages import bound_of, p_or_censored
from eventstudy.report.finding import study_finding
from eventstudy.report.subjects import Reading
from eventstudy.returns import trade_rows

VERSIONS = {"eventstudy": "0.0", "Python": "3"}
P = r"(^|\W)p($|\W)"


class Rows(HTMLParser):
    """Rows of the tables of a page: the table's id, the heading of the block, and what stands under each column's title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, dict[str, str]]] = []
        self._table, self._block, self._titles = "", "", []
        self._cells: list[str] | None = None
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "table":
            self._table, self._block, self._titles = named.get("id") or "", "", []
        elif tag == "tr":
            self._cells = []
        elif tag in ("th", "td") and self._cells is not None:
            self._cells += ["\0"] * (int(named.get("colspan") or 1) - 1) + [""]
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._open = False
        elif tag == "tr" and self._cells is not None:
            cells = [" ".join(cell.split()) for cell in self._cells]
            if not self._titles or self._cells[0] == "":
                self._titles = cells
            elif len(cells) == 1 or set(cells[:-1]) == {"\0"}:
                self._block = cells[-1]
            else:
                self.found.append((self._table, self._block, dict(zip(self._titles, cells, strict=False))))
            self._cells = None

    def handle_data(self, data: str) -> None:
        if self._open and self._cells:
            self._cells[-1] += data


def exact(page: str, held: set[int]) -> tuple[list[str], int]:
    """Return the rows that print an exact p over what ends on a close at the limit, and how many rows that are."""
    wrong, count = [], 0
    for table, block, cells in Rows(page.replace("\u00a0", " ")).found:
        told = " ".join(cells.values())
        window = re.search(r"\[−?\d+, (\d+)\]", " ".join([block, *list(cells.values())[:1]]))
        ends_held = (window and int(window[1]) in held) or re.search(r"limit-(down|up) close", told)
        if table == "market" or not ends_held:
            continue
        count += 1
        printed = [text for title, text in cells.items() if re.search(P, title) and re.search(r"\d", text)]
        if (printed and not re.search(r"undefined", told)) or re.search(r"p [=<] ?0?\.?\d", told):
            wrong.append(f"{table}: {told}")
    return wrong, count


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


def held_sessions(zte: es.StudyResult) -> set[int]:
    table = zte.abnormal_returns
    held = set(table[table["ret"].abs() > 0.095]["tau"])  # |log(0.9)| and log(1.1) but for the rounding to a cent
    assert held == {*range(39, 47), 52, 59}
    return held


def test_no_table_of_the_page_prints_an_exact_p_over_a_censored_window(zte: es.StudyResult) -> None:
    page = render_report(zte, VERSIONS)
    wrong, count = exact(page, held_sessions(zte))
    assert wrong == []
    assert count > 40
    assert exact(page.replace("<td class=\"n\">censored</td>", "<td class=\"n\">0.006</td>"), {39, 46})[0]


def test_tests_over_a_censored_window_carry_the_reason_and_keep_their_numbers(zte: es.StudyResult) -> None:
    table = zte.tests_in_full
    defined = table[table["p_value"].notna()]
    told = defined["reason"].str.split("; ").map(lambda codes: "censored" in codes)
    assert told[defined["window_end"].isin([39, 46])].all()
    assert not told[(defined["window_end"] == 60) & (defined["test"] != "placebo_max")].any()
    assert told[defined["test"] == "placebo_max"].all()  # the largest |t| is over all windows from the event session on
    portfolio = defined[(defined["test"] == "portfolio_t") & (defined["window_end"] == 46)].iloc[0]
    car = zte.cars[zte.cars["window_end"] == 46].iloc[0]
    assert portfolio["p_value"] == pytest.approx(car["p_value"])
    assert not table[table["p_value"].isna()]["reason"].str.contains("censored").any()


def test_a_censored_headline_is_nowhere_told_with_an_exact_p(zte: es.StudyResult) -> None:
    assert zte.spec is not None
    result = es.run_study(zte.spec.replace(headline_window=[0, 46], tests=["portfolio_t", "placebo_caar"]))
    told = study_finding(Reading(result))
    assert "≤" in told.answer or "at least" in told.answer
    assert told.sure == ""
    assert "placebo dates, p censored" in told.chance[0].replace("\u00a0", " ")
    page = render_report(result, VERSIONS)
    assert exact(page, held_sessions(zte))[0] == []
    assert re.search(r"observed .*?, p.censored", page)


def test_a_mean_is_a_bound_where_the_limits_of_its_firms_agree() -> None:
    assert [bound_of(limits) for limits in (["", "down"], ["down", "down"], ["up", ""], ["up", "down"], ["", ""], [])] == [
        "down", "down", "up", "", "", "",
    ]
    assert p_or_censored(0.04, ["down", "up"]) == "censored"
    assert p_or_censored(0.04, ["down", ""]) == p_or_censored(0.04, []) == "0.040"  # the reason stands beside it
