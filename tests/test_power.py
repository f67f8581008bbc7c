"""Size and power before the result: against refits by hand, MacKinlay's formula, and prices that must not be read."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import stats

import eventstudy as es
from eventstudy.diagnostics import power_of_t
from eventstudy.power import AS_STATED, CANNOT, TOO_OFTEN, TOO_SELDOM, Trials, merged_rows, verdict
from eventstudy.returns import Rows

FIRMS = ["AAA", "BBB", "CCC"]
DAY0, WINDOW = 130, (0, 3)
FIRST, LAST = 30, 119  # of the estimation, by place in the panel
WINDOWS = es.Windows(estimation=(-100, -11), event=(-5, 10), car=[WINDOW, (0, 0)], min_observations=60)
CLOSED = ["portfolio_t", "patell", "cross_sectional_t", "kp_bmp", "generalized_sign", "wilcoxon", "corrado_zivney",
          "equal_effects"]  # fmt: skip
TESTS = [*CLOSED, "placebo_caar", "placebo_scar", "placebo_hotelling", "placebo_max", "bootstrap_residual"]


def suspended(prices: pd.DataFrame) -> pd.DataFrame:
    """BBB does not trade in sessions 0 and 1, nor in one session of the estimation window."""
    holed = prices.copy()
    holed.iloc[[70, DAY0, DAY0 + 1], 1] = np.nan
    return holed


def study(made, prices: pd.DataFrame, benchmark: pd.Series | None = None, **options: object) -> es.StudyResult:
    given = {"windows": WINDOWS, "tests": TESTS, "headline_window": WINDOW} | options
    return es.event_study(made.events(DAY0), prices, made.benchmark if benchmark is None else benchmark, **given)


@pytest.fixture(scope="module")
def holed(panel) -> es.StudyResult:
    made = panel()
    return study(made, suspended(made.prices))


class ByHand:
    """The study at one placebo date, made with statsmodels from the prices alone; every firm trades in every session but one."""

    def __init__(self, made, start: int) -> None:
        prices, market = np.log(suspended(made.prices).to_numpy()), np.log(made.benchmark.to_numpy())
        block = np.arange(start, start + 4)
        self.car, self.se, self.df, residuals = [], [], [], []
        for column in prices.T:
            traded = np.flatnonzero(np.isfinite(column))
            ends, begins = traded[1:], traded[:-1]
            y, m, n = column[ends] - column[begins], market[ends] - market[begins], ends - begins
            inside = (begins + 1 >= FIRST) & (ends <= LAST) & ~((ends >= block[0]) & (begins < block[-1]))
            fit = sm.WLS(y[inside], np.column_stack([n, m])[inside], weights=1 / n[inside]).fit()
            x = np.array([4.0, market[block[-1]] - market[block[0] - 1]])
            self.car.append(column[block[-1]] - column[block[0] - 1] - x @ fit.params)
            self.se.append(np.sqrt(fit.scale * (4 + x @ fit.normalized_cov_params @ x)))
            self.df.append(fit.df_resid)
            single = inside & (n == 1)
            residuals.append(pd.Series((y - np.column_stack([n, m]) @ fit.params)[single], index=ends[single]))
        self.correlation = pd.concat(residuals, axis=1).corr().to_numpy()

    def p_values(self, effect: float = 0.0) -> dict[str, float]:
        car = np.array(self.car) + effect
        scar, df = car / np.array(self.se), np.array(self.df)
        z = scar.sum() / np.sqrt((df / (df - 2)).sum())
        r = self.correlation[np.triu_indices(3, 1)].mean()
        bmp = stats.ttest_1samp(scar, 0).statistic * np.sqrt((1 - r) / (1 + 2 * r))
        return {
            "patell": 2 * stats.norm.sf(abs(z)),
            "cross_sectional_t": stats.ttest_1samp(car, 0).pvalue,
            "kp_bmp": 2 * stats.t.sf(abs(bmp), 2),
        }


def block_starts() -> list[int]:
    """Where a block of four can start: BBB has no return that ends in session 70, and needs one in the third and fourth."""
    inside = [start for start in range(FIRST, LAST - 2) if start not in (71, 70 - 3)]  # an edge of the block cuts its row of two
    return [start for start in inside if start + 2 != 70]  # the row of two does not break where the suspension ends


@pytest.mark.parametrize("effect", [0.0, -0.05])
def test_every_date_is_the_study_refitted_without_it(panel, holed, effect: float) -> None:
    trials = holed.trials["all"]
    places = [int(start) + DAY0 for start in trials.starts]
    assert places == block_starts()
    dates = places[::7]
    wanted = [ByHand(panel(), start).p_values(effect) for start in dates]
    for name in ("patell", "cross_sectional_t", "kp_bmp"):
        found = trials.trial(name, effect).p_value[::7]
        assert_allclose(found, [one[name] for one in wanted], rtol=1e-9, err_msg=name)


def test_portfolio_t_is_that_of_the_equal_weighted_portfolio(panel) -> None:
    """On rows without a hole the suspension in the window alone changes nothing in a sum of logs."""
    made = panel()
    prices = made.prices.copy()
    prices.iloc[[DAY0, DAY0 + 1], 1] = np.nan
    trials = study(made, prices, tests=["portfolio_t"]).trials["all"]
    returns = np.log(made.prices).diff().mean(axis=1).to_numpy()
    market = np.log(made.benchmark).diff().to_numpy()
    for place in (0, 20, 86):
        start = FIRST + place
        sample = [session for session in range(FIRST, LAST + 1) if not start <= session < start + 4]
        x = sm.add_constant(np.append(market[sample], market[start : start + 4].sum()))
        x[-1, 0] = 4
        dummy = np.append(np.zeros(len(sample)), 1.0)
        y = np.append(returns[sample], returns[start : start + 4].sum())
        weights = np.append(np.ones(len(sample)), 0.25)
        fit = sm.WLS(y, np.column_stack([x, dummy]), weights=weights).fit()
        assert_allclose(trials.trial("portfolio_t").p_value[place], fit.pvalues[-1], rtol=1e-9)
    assert len(trials.starts) == 87
    assert trials.apart == 22  # 90 sessions hold 22 blocks of four


def test_merged_rows_are_compounded_and_must_break_where_the_pattern_does() -> None:
    rows = Rows(
        np.array([10, 12, 13, 14]), np.array([1, 2, 1, 1]), np.array([10, 12, 13, 14]), np.array([0.1, -0.2, 0.05, 0.01]),
        np.array([0.02, 0.03, -0.01, 0.04]), {"size": np.array([0.5, 0.1, 0.2, 0.3])},
    )  # fmt: skip
    log = merged_rows(rows, np.array([12, 14]), "log")
    assert log.span.tolist() == [3, 2]
    assert_allclose(log.ret, [-0.1, 0.06])
    assert_allclose(log.factors["size"], [0.6, 0.5])
    simple = merged_rows(rows, np.array([12, 14]), "simple")
    assert_allclose(simple.ret, [1.1 * 0.8 - 1, 1.05 * 1.01 - 1])
    assert_allclose(simple.mkt, [1.02 * 1.03 - 1, 0.99 * 1.04 - 1])
    assert merged_rows(rows, np.array([11, 14]), "log") is None
    assert merged_rows(rows, np.array([12, 15]), "log") is None


def test_no_return_of_the_event_window_is_read(panel, holed) -> None:
    made = panel()
    prices, benchmark = suspended(made.prices), made.benchmark.copy()
    rng = np.random.default_rng(3)
    prices.iloc[DAY0 - 5 :] *= np.exp(rng.normal(0, 0.1, (len(prices) - DAY0 + 5, 3)))
    benchmark.iloc[DAY0 - 5 :] *= np.exp(rng.normal(0, 0.1, len(prices) - DAY0 + 5))
    other = study(made, prices, benchmark)
    for name in ("power", "power_curve"):
        assert getattr(other, name).to_csv() == getattr(holed, name).to_csv()
    assert other.cars["car"].to_numpy() != pytest.approx(holed.cars["car"].to_numpy(), nan_ok=True)
    like = [result.detectable[result.detectable["scope"] == "5 firms like these"].to_csv() for result in (other, holed)]
    assert like[0] == like[1]


def test_suspension_of_the_event_is_what_the_table_rests_on(panel, holed) -> None:
    """Without the suspension, rank tests see four returns of BBB a block and not two."""
    made = panel()
    prices = suspended(made.prices)
    prices.iloc[[DAY0, DAY0 + 1], 1] = made.prices.iloc[[DAY0, DAY0 + 1], 1]
    plain = study(made, prices).trials["all"]
    assert {tuple(cross.firms[1].cumulative.rows.span) for cross in holed.trials["all"].sections} == {(3, 1)}
    assert all(len(cross.firms[1].cumulative.rows) == 4 for cross in plain.sections)
    _, here, there = np.intersect1d(plain.starts, holed.trials["all"].starts, return_indices=True)
    assert len(here) == 82
    both = ((plain, here), (holed.trials["all"], there))
    pairs = {name: [trials.trial(name).p_value[dates] for trials, dates in both] for name in ("corrado_zivney", "patell")}
    assert (pairs["corrado_zivney"][0] != pairs["corrado_zivney"][1]).mean() > 0.9
    assert_allclose(*pairs["patell"], rtol=1e-9)  # a sum of logs is the same however it is broken up


def test_window_that_lies_ahead_can_be_designed_for(panel) -> None:
    made = panel(sessions=500)
    now = dt.datetime.fromisoformat("2019-10-07T20:00:00+08:00")
    events = made.events(made.prices.index.get_loc(pd.Timestamp("2019-10-08")))
    result = es.event_study(
        events, made.prices.loc[:"2019-09-30"], made.benchmark.loc[:"2019-09-30"], windows=WINDOWS, calendar="XSHG", now=now,
        tests=CLOSED, headline_window=WINDOW,
    )  # fmt: skip
    assert set(result.cars["reason"]) == {"provisional"}
    power = result.power.set_index("test")
    assert power.loc["portfolio_t", "dates"] > 60
    assert 0.5 < power.loc["portfolio_t", "power"] <= 1
    assert result.detectable["effect"].notna().any()


def row_of(result: es.StudyResult, name: str) -> pd.Series:
    return result.power.set_index("test").loc[name]


def test_table_says_what_it_rests_on(holed) -> None:
    assert list(holed.power.columns[:11]) == [
        "group", "window_start", "window_end", "test", "dates", "dates_apart", "size", "power", "effect", "verdict", "reason",
    ]  # fmt: skip
    assert holed.power["test"].tolist() == TESTS
    found = row_of(holed, "portfolio_t")
    assert found["dates"] == len(block_starts())
    p_values = holed.trials["all"].trial("portfolio_t").p_value
    assert found["size"] == (p_values < 0.05).mean()
    sides = [(holed.trials["all"].trial("portfolio_t", side * found["effect"]).p_value < 0.05).mean() for side in (1, -1)]
    assert_allclose(found["power"], np.mean(sides))
    for name in ("generalized_sign", "wilcoxon"):
        assert (row_of(holed, name)["verdict"], row_of(holed, name)["size"]) == (CANNOT, 0.0)
    for name, reason in (("placebo_max", "several_windows"), ("bootstrap_residual", "thousands_of_fits")):
        assert (row_of(holed, name)["reason"], row_of(holed, name)["verdict"]) == (reason, "")
        assert np.isnan(row_of(holed, name)["size"])
    assert np.isnan(row_of(holed, "equal_effects")["power"])


def test_effect_is_the_one_that_the_portfolio_t_finds_with_probability_80_percent(holed) -> None:
    sections = holed.trials["all"].sections
    se = np.mean([cross.car.mean() / stats.t.isf(p / 2, cross.df.min()) * np.sign(cross.car.mean())
                  for cross, p in zip(sections, holed.trials["all"].trial("portfolio_t").p_value, strict=True)])  # fmt: skip
    df = min(cross.df.min() for cross in sections)
    delta = row_of(holed, "portfolio_t")["effect"] / se
    critical = stats.t.isf(0.025, df)
    assert stats.nct.sf(critical, df, delta) + stats.nct.cdf(-critical, df, delta) == pytest.approx(0.8, abs=1e-6)


def test_placebo_test_ranks_each_date_among_the_others(holed) -> None:
    trials = holed.trials["all"]
    draws = [cross.car.mean() for cross in trials.sections]
    for effect in (0.0, 0.02):
        wanted = [
            (1 + sum(abs(other) >= abs(draw + effect) for k, other in enumerate(draws) if k != place)) / len(draws)
            for place, draw in enumerate(draws)
        ]
        assert_allclose(trials.trial("placebo_caar", effect).p_value, wanted)
    ranks = np.arange(1, len(draws) + 1) / len(draws)
    assert_allclose(np.sort(trials.trial("placebo_caar").p_value), ranks)


@pytest.mark.parametrize(
    ("size", "floor", "apart", "words"),
    [
        (0.05, np.nan, 53, AS_STATED), (0.1098, np.nan, 53, AS_STATED), (0.1100, np.nan, 53, TOO_OFTEN),
        (0.0, np.nan, 53, AS_STATED), (0.0, np.nan, 77, TOO_SELDOM), (0.0, 0.25, 53, CANNOT), (0.2, 0.25, 53, CANNOT),
        (np.nan, np.nan, 53, ""), (0.05, 0.05, 53, AS_STATED),
    ],
)  # fmt: skip
def test_verdict_allows_for_two_binomial_errors_of_dates_apart(size: float, floor: float, apart: int, words: str) -> None:
    assert verdict(size, floor, apart, 0.05) == words  # 0.05 + 2 sqrt(0.05 * 0.95 / 53) = 0.10987


def test_dates_apart_share_no_session() -> None:
    assert Trials((0, 3), 1, np.array([-50, -49, -46, -45, -42, -30]), ()).apart == 4  # -30, -42, -46, -50
    assert Trials((0, 0), 1, np.arange(-20, -10), ()).apart == 10
    assert Trials((0, 3), 1, np.array([], dtype=int), ()).apart == 0


# (sigma, abnormal return, firms) -> P(reject), two decimals; specification, section E1
@pytest.mark.parametrize(
    ("sigma", "effect", "firms", "power"),
    [
        (0.02, 0.01, 10, 0.35), (0.02, 0.01, 20, 0.61), (0.02, 0.01, 50, 0.94), (0.02, 0.005, 50, 0.42), (0.02, 0.005, 100, 0.71),
        (0.04, 0.01, 20, 0.20), (0.04, 0.01, 50, 0.42), (0.04, 0.01, 100, 0.71), (0.02, 0.02, 3, 0.41),
    ],
)  # fmt: skip
def test_power_function_gives_the_published_values(sigma: float, effect: float, firms: int, power: float) -> None:
    theta = effect * np.sqrt(firms) / sigma
    found = power_of_t(theta, np.inf)
    assert found == pytest.approx(power, abs=0.005)
    assert found == pytest.approx(stats.norm.cdf(-1.96 - theta) + 1 - stats.norm.cdf(1.96 - theta), abs=3e-5)  # 1.96 is rounded
    assert power_of_t(theta, 10**5) == pytest.approx(found, abs=1e-4)
    assert power_of_t(0.0, np.inf, 0.1) == pytest.approx(0.1)


def test_detectable_effects_by_number_of_firms(panel) -> None:
    """Three firms with the noise of the estimation window, or with their own spread: the formula of rule D12 by scipy."""
    made = panel()
    result = study(made, made.prices, tests=["portfolio_t"])
    sigma = result.models["sigma"].mean()
    market = np.log(made.benchmark).diff().to_numpy()[FIRST : LAST + 1]
    x = np.column_stack([np.ones(90), market])
    mean = 4 * x.mean(axis=0)
    factor = 4 + mean @ np.linalg.inv(x.T @ x) @ mean
    logs = np.log(made.prices).diff().to_numpy()[FIRST : LAST + 1]
    r = np.corrcoef(logs - x @ np.linalg.lstsq(x, logs, rcond=None)[0], rowvar=False)[np.triu_indices(3, 1)].mean()
    table = result.detectable.set_index(["scope", "test", "window_end"])
    for n, scope in ((1, "1 firm like these"), (5, "5 firms like these"), (30, "30 firms like these")):
        se = sigma * np.sqrt(factor) * np.sqrt((1 + (n - 1) * r) / n)
        assert_allclose(table.loc[(scope, "portfolio_t", 3), "se"], se, rtol=1e-9)
        for test, df in (("portfolio_t", 88), ("kp_bmp", n - 1)):
            found = table.loc[(scope, test, 3)]
            assert found["df"] == df
            if df:
                critical, delta = stats.t.isf(0.025, df), found["effect"] / se
                power = stats.nct.sf(critical, df, delta) + np.nan_to_num(stats.nct.cdf(-critical, df, delta))
                assert power == pytest.approx(0.8, abs=1e-6)
            else:
                assert (found["reason"], np.isnan(found["effect"])) == ("too_few_firms", True)
    own = table.loc[("3 firms like these", "portfolio_t", 3)]
    assert own["effect"] == table.loc[("all", "portfolio_t", 3), "effect"]
    assert table.loc[("3 firms like these", "kp_bmp", 3), "effect"] / own["se"] == pytest.approx(5.65, abs=0.006)


def test_example_of_three_correlated_firms() -> None:
    """Rule D12: sigma 2.5%, correlation 0.4, four sessions: a standard error of 3.9%, an effect of 10.9%."""
    from eventstudy.diagnostics import minimum_detectable_effect

    se = 0.025 * np.sqrt(4) * np.sqrt((1 + 2 * 0.4) / 3)
    assert minimum_detectable_effect(se, 118) == pytest.approx(0.109, abs=0.0005)
    assert minimum_detectable_effect(se, 2) == pytest.approx(0.219, abs=0.0005)


def test_entity_list_says_which_tests_to_trust(entity) -> None:
    power = entity.power.set_index("test")
    words = power["verdict"].to_dict()
    assert words["portfolio_t"] == words["kp_patell"] == words["kp_bmp"] == words["placebo_caar"] == AS_STATED
    assert words["patell"] == words["bmp"] == words["cross_sectional_t"] == words["grank"] == TOO_OFTEN
    assert words["wilcoxon"] == words["generalized_sign"] == CANNOT
    assert 0.03 < power.loc["portfolio_t", "size"] < 0.07
    assert 0.7 < power.loc["portfolio_t", "power"] < 0.9
    assert power.loc["kp_bmp", "power"] < 0.6  # three firms
    assert set(power["group"]) == {"all"}
    spans = {tuple(firm.cumulative.rows.span) for cross in entity.trials["all"].sections for firm in cross.firms[1:]}
    assert spans == {(3, 1)}


def test_power_curve_starts_at_the_size_and_rises(entity) -> None:
    curve = entity.power_curve
    assert curve["test"].unique().tolist() == ["portfolio_t", "placebo_caar"]
    for name, rows in curve.groupby("test"):
        assert rows["power"].iloc[0] == entity.power.set_index("test").loc[name, "size"]
        assert (np.diff(rows["power"]) >= 0).all()
        assert rows["power"].iloc[-1] > 0.98


def page_of(result: es.StudyResult) -> str:
    from eventstudy.report import render_report

    return render_report(result, {"eventstudy": "0.0"})


def plain_text(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def row_texts(html: str, anchor: str) -> dict[str, list[str]]:
    """Return the cells of a table of the page by the head of their row."""
    table = html[html.index(f'<table id="{anchor}">') :].partition("</table>")[0]
    found = {}
    for row in table.split("<tr")[1:]:
        cells = [plain_text(cell.partition(">")[2]).strip() for cell in re.split(r"<t[hd]\b", row)[1:]]
        found[cells[0]] = cells[1:]
    return found


def test_page_says_which_tests_to_trust_before_it_shows_them(entity, entity_page) -> None:
    html = entity_page
    parts = [html.index(text) for text in ("Which tests may be trusted here</h3>", 'id="trust"', "<h3>Tests across firms</h3>")]
    assert parts == sorted(parts)
    rows = row_texts(html, "trust")
    power = entity.power.set_index("test")
    for name, code in (("Portfolio t", "portfolio_t"), ("Patell’s Z", "patell"), ("Wilcoxon’s signed-rank test", "wilcoxon")):
        n, dates, size, power_told, words, *_ = rows[name]
        verdict = str(power.loc[code, "verdict"]).replace("as stated", "not told from 5%")
        assert (n, dates, words) == ("3", str(power.loc[code, "dates"]), verdict)
        assert float(size.rstrip("%")) == pytest.approx(100 * power.loc[code, "size"], abs=0.05)
        assert float(power_told.rstrip("%")) == pytest.approx(100 * power.loc[code, "power"], abs=0.05)
    assert rows["Bootstrap of residuals"][2].startswith("undefined: thousands of fits")
    told = plain_text(html)
    assert "Of the 210 dates 53 do not overlap" in told
    assert "a size of up to 11.0% cannot be told from 5%" in told  # 0.05 + 2 sqrt(0.05 * 0.95 / 53)
    assert "So few firms cannot make these reject at all: Generalised sign test (Cowan); Wilcoxon’s signed-rank test." in told


def test_figure_of_power_tells_its_numbers_to_those_who_cannot_see_it(entity, entity_page) -> None:
    label = unescape(re.search(r'aria-label="(Share of placebo dates[^"]*)"', entity_page)[1])
    for _, row in entity.power_curve.iterrows():
        assert f"{100 * row['power']:.1f}% at " in label
    assert "% at 0," in label
    assert f"at {100 * (1 - np.exp(-entity.power['effect'].iloc[0])):.1f}%" in label
    formula = entity.power_curve[entity.power_curve["test"] == "portfolio_t"].set_index("effect")["formula"]
    assert formula.iloc[0] == pytest.approx(0.05)
    assert formula.iloc[4] == pytest.approx(0.80)


def test_page_shows_what_more_firms_would_find(entity, entity_page) -> None:
    html = entity_page
    table = entity.detectable.set_index(["scope", "test", "window_end", "window_start"])["effect"]
    cells = row_texts(html, "detectable-by-number")["[0, 3]"]  # the last of the two blocks: by the firms' own spread
    wanted = [table[scope, "kp_bmp", 3, 0] for scope in ("3 firms like these", "5 firms like these", "30 firms like these")]
    assert [cells[0], *(cells[place] for place in (1, 2, 4))] == ["none", *(f"−{100 * (1 - np.exp(-v)):.1f}%" for v in wanted)]


def test_page_of_a_study_whose_tests_cannot_be_tried(panel) -> None:
    made = panel()
    result = study(made, made.prices, model="market", tests=["difference_t"], headline=None)
    assert result.power.empty
    assert "Which tests may be trusted" not in page_of(result)


CONFIG = {"windows": {"estimation": [-100, -11], "event": [-5, 10], "car": [[0, 3], [0, 0]]},
          "inference": {"tests": CLOSED, "headline_window": [0, 3]}}  # fmt: skip


def test_verb_prints_both_tables_and_writes_nothing(cli, study_on_disk, panel, left_behind) -> None:
    made = panel()
    path = study_on_disk(made, made.events(DAY0), **CONFIG)
    before = left_behind(path.parent)
    done = cli("power", path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert left_behind(path.parent) == before
    lines = done.stdout.splitlines()
    heads = [line.split() for line in lines]
    assert heads.count(["window", "N=1", "N=3", "N=5", "N=10", "N=30"]) == 2
    assert ["test", "size", "power", "verdict"] in heads
    told = {line[0]: line for line in heads if line}
    assert told["wilcoxon"][-2:] == ["cannot", "reject"]
    assert told["portfolio_t"][1].endswith("%")
    assert "do not overlap" in done.stdout


def test_verb_shows_nothing_of_the_event(cli, study_on_disk, panel) -> None:
    made = panel()
    quiet = cli("power", study_on_disk(made, made.events(DAY0), **CONFIG)).stdout
    loud = made.prices.copy()
    loud.iloc[DAY0:] *= 0.7
    moved = made.long().assign(close=loud.rename_axis("date").reset_index().melt("date")["value"])
    assert cli("power", study_on_disk(made, made.events(DAY0), moved, **CONFIG)).stdout == quiet


def test_verb_ends_with_the_documented_codes(cli, study_on_disk, panel, tmp_path: Path) -> None:
    made = panel()
    assert cli("power", tmp_path / "none.toml").exit_code == 2
    path = study_on_disk(made, made.events(DAY0), **CONFIG)
    (path.parent / "prices.csv").unlink()
    done = cli("power", path)
    assert done.exit_code in (2, 3)
    assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)


def test_events_on_differing_dates_and_a_short_history(panel) -> None:
    """The block is the same number of sessions before each firm's own event; one firm's rows begin later than the others'."""
    made = panel()
    events = pd.concat([made.events(DAY0), made.events(90, ["AAA"], "early")])
    names = ["patell", "grank_unscaled", "corrado_zivney"]
    result = es.event_study(events, made.prices, made.benchmark, windows=WINDOWS, tests=names, headline_window=WINDOW)
    assert result.tests["p_value"].notna().all()
    trials = result.trials["all"]
    assert [firm.day0 for firm in trials.sections[0].firms] == [place + int(trials.starts[0]) for place in (130, 130, 130, 90)]
    assert trials.starts[0] == -89  # the first session with a return is the second of the panel
    assert result.power["dates"].tolist() == [len(trials.starts)] * 3


def test_verb_names_excluded_events(cli, study_on_disk, panel) -> None:
    made = panel()
    events = pd.concat([made.events(DAY0), made.events(60, ["AAA"], "early")])
    done = cli("power", study_on_disk(made, events, **CONFIG))
    assert done.exit_code == 0, done.stderr
    assert "early-AAA" in done.stderr
    assert "too_few_observations" in done.stderr
