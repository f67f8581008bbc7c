"""Effects in money: values by hand, the total's interval, and the loss that placebo dates rule out by brute force."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd
import pytest
from firms import section
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import eventstudy as es
from eventstudy.calendar import listing_currency
from eventstudy.configfile import spec_from_dict
from eventstudy.inference.placebo import PlaceboDraws, placebo_blocks, placebo_draws
from eventstudy.money import placebo_total, total_effect
from eventstudy.report import render_report
from eventstudy.report.money import _interval, _interval_words
from eventstudy.report.numbers import FIXED, money

VALUES = np.array([3e9, 1e9, 6e9])


def draws(observed: float, values: list[float]) -> PlaceboDraws:
    return PlaceboDraws(observed, np.array(values), np.arange(len(values)), 1)


def p_of(effect: float, observed: float, values: np.ndarray) -> float:
    """The placebo p-value of one effect, counted."""
    far = abs(observed - effect)
    return (1 + sum(abs(value) >= far for value in values)) / (1 + len(values))


def test_inversion_by_hand() -> None:
    # 19 draws: at 10% (k = 2) the second farthest from zero, 18, is the reach; at 5% (k = 1) the farthest, 19
    drawn = draws(-30.0, [float(value) for value in range(1, 20)])
    assert drawn.not_rejected(0.10) == (-48.0, -12.0)
    assert drawn.not_rejected(0.05) == (-49.0, -11.0)
    assert np.isnan(drawn.not_rejected(0.04)).all()  # the smallest attainable p is 0.05: nothing can be rejected
    assert np.isnan(draws(0.0, []).not_rejected(0.05)).all()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=60),
    st.integers(-2000, 2000),
    st.sampled_from([0.01, 0.05, 0.1, 0.2, 0.5]),
)
def test_inversion_by_brute_force(values: list[int], observed: int, alpha: float) -> None:
    """Every whole effect inside the interval has p > alpha, every one outside has p <= alpha."""
    drawn = draws(float(observed), [float(value) for value in values])
    low, high = drawn.not_rejected(alpha)
    candidates = np.arange(observed - 1100, observed + 1101, 7)
    for effect in [*candidates, *(observed + value for value in values), *(observed - value - 1 for value in values)]:
        kept = p_of(float(effect), float(observed), drawn.draws) > alpha + 1e-12
        assert kept == (np.isnan(low) or low <= effect <= high), effect


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=25, max_size=60), st.floats(-5, 5), st.floats(-3, 3), st.floats(0.1, 50))
def test_inversion_moves_and_scales_with_the_money(values: list[float], observed: float, shift: float, scale: float) -> None:
    low, high = draws(observed, values).not_rejected(0.05)
    moved = draws(scale * (observed + shift), [scale * value for value in values]).not_rejected(0.05)
    assert np.allclose(moved, (scale * (low + shift), scale * (high + shift)), rtol=1e-9, atol=1e-9)


def test_zero_effect_is_kept_exactly_when_the_placebo_test_keeps_it() -> None:
    rng = np.random.default_rng(5)
    for observed in rng.normal(0, 2, 40):
        drawn = draws(float(observed), list(rng.normal(0, 1, 79)))
        low, high = drawn.not_rejected(0.05)
        assert (drawn.p_value() > 0.05) == (low <= 0 <= high)


def test_total_is_the_sum_and_its_interval_comes_from_the_delta_method() -> None:
    cross = section(3, (0, 3))
    total = total_effect(cross, VALUES, "log", 0.05)
    by_hand = sum(value * (np.exp(car) - 1) for value, car in zip(VALUES, cross.car, strict=True))
    assert total.effect == pytest.approx(by_hand, rel=1e-12)

    def log_total(car: np.ndarray) -> float:
        return float(np.log(sum(value * np.exp(one) for value, one in zip(VALUES, car, strict=True)) / VALUES.sum()))

    step = 1e-6
    slope = [(log_total(cross.car + step * unit) - log_total(cross.car - step * unit)) / (2 * step) for unit in np.eye(3)]
    variance = 0.0
    for i in range(3):
        for j in range(3):
            r = 1.0 if i == j else np.corrcoef(cross.firms[i].fit.errors, cross.firms[j].fit.errors)[0, 1]
            factor = cross.firms[i].cumulative.variance_factor  # the same rows and regressors for all
            variance += slope[i] * slope[j] * r * cross.sigma[i] * cross.sigma[j] * factor
    reach = stats.t.ppf(0.975, min(cross.df)) * np.sqrt(variance)
    ends = [VALUES.sum() * (np.exp(log_total(cross.car) + sign * reach) - 1) for sign in (-1, 1)]
    assert (total.low, total.high) == pytest.approx(ends, rel=1e-6)


def test_simple_returns_give_a_linear_total() -> None:
    cross = section(2, (0, 1))
    values = np.array([2.0, 5.0])
    total = total_effect(cross, values, "simple", 0.10)
    assert total.effect == pytest.approx(2 * cross.car[0] + 5 * cross.car[1], rel=1e-12)
    assert (total.low + total.high) / 2 == pytest.approx(total.effect, rel=1e-9)
    r = np.corrcoef(cross.firms[0].fit.errors, cross.firms[1].fit.errors)[0, 1]
    (a, b), factor = cross.sigma, cross.firms[0].cumulative.variance_factor
    variance = factor * (4 * a**2 + 25 * b**2 + 2 * 10 * r * a * b)
    assert total.high - total.effect == pytest.approx(stats.t.ppf(0.95, min(cross.df)) * np.sqrt(variance), rel=1e-9)


def test_one_firm_has_its_own_interval() -> None:
    cross = section(1, (0, 3))
    found = cross.firms[0].cumulative
    total = total_effect(cross, np.array([7e9]), "log", 0.05)
    wanted = [7e9 * (np.exp(end) - 1) for end in (found.car, found.ci_low, found.ci_high)]
    assert [total.effect, total.low, total.high] == pytest.approx(wanted, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(1e6, 1e12), min_size=3, max_size=3), st.floats(0.001, 1000))
def test_total_scales_with_values_and_loses_no_more_than_there_was(values: list[float], scale: float) -> None:
    cross, worth = section(3, (0, 3)), np.array(values)
    one, other = (total_effect(cross, factor * worth, "log", 0.05) for factor in (1.0, scale))
    wanted = [scale * end for end in (one.effect, one.low, one.high)]
    assert [other.effect, other.low, other.high] == pytest.approx(wanted, rel=1e-9)
    assert -worth.sum() < one.low < one.effect < one.high


def test_placebo_total_weighs_each_block_by_value() -> None:
    cross = section(3, (0, 3))
    blocks, drawn = placebo_blocks(cross), placebo_total(cross, VALUES, "log")
    assert len(drawn.draws) == len(blocks.starts) > 50
    by_hand = sum(value * (np.exp(car) - 1) for value, car in zip(VALUES, blocks.car[17], strict=True))
    assert drawn.draws[17] == pytest.approx(by_hand, rel=1e-12)
    equal = placebo_total(cross, np.full(3, 1 / 3), "simple")
    assert np.allclose(equal.draws, placebo_draws(cross)[0].draws, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("symbol", "calendar", "currency"),
    [
        ("002415.SZ", "XSHG", "CNY"), ("600570.SS", "XSHG", "CNY"), ("0700.HK", "XHKG", "HKD"), ("AAPL", "XNYS", "USD"),
        ("AAA", "benchmark", "USD"), ("002415", "XSHG", "CNY"), ("002415", "XSHE", "CNY"), ("BMW.DE", "XFRA", "EUR"),
        ("7203.T", "benchmark", "JPY"), ("VOD.L", "XLON", ""), ("X.QQ", "benchmark", ""), ("AAA", "XLON", ""),
    ],
)  # fmt: skip
def test_currency_of_a_listing(symbol: str, calendar: str, currency: str) -> None:
    assert listing_currency(symbol, calendar) == currency


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (24.92e9, "24.9 bn CNY"), (301.8438e9, "302 bn CNY"), (3.1751e9, "3.18 bn CNY"), (99.96e9, "100 bn CNY"),
        (9.996e6, "10.0 m CNY"), (1e6, "1.00 m CNY"), (250_000.0, "250,000 CNY"), (float("nan"), ""),
    ],
)  # fmt: skip
def test_amounts_in_words(value: float, words: str) -> None:
    assert money(value, "CNY").replace(FIXED, " ") == words


HIKVISION = 9_345_010_696.0


@pytest.fixture(scope="module")
def listed(root):
    """The Entity List study with Hikvision's shares, and Meiya Pico's, whose prices are adjusted only."""
    import tomllib

    content = tomllib.loads((root / "configs" / "entity-list-2019.toml").read_text(encoding="utf-8"))
    for firm in content["firm"]:
        firm |= {"002415.SZ": {"shares": HIKVISION}, "300188.SZ": {"shares": 1e9}}.get(firm["symbol"], {})
    content["inference"] |= {"tests": ["portfolio_t"]}
    content["windows"] |= {"car": [[0, 0], [0, 3]]}
    return es.run_study(spec_from_dict(content))


def rows_of(result, scope: str, window: tuple[int, int] = (0, 3)):
    table = result.money
    return table[(table["scope"] == scope) & (table["window_start"] == window[0]) & (table["window_end"] == window[1])]


def test_hikvision_by_hand(listed) -> None:
    """9,345,010,696 shares at 32.30 CNY, the close of 30 September 2019: the last before 8 October."""
    row = rows_of(listed, "firm").set_index("symbol").loc["002415.SZ"]
    car = listed.cars.set_index(["symbol", "window_start", "window_end"]).loc[("002415.SZ", 0, 3)]
    value = 9_345_010_696 * 32.30
    assert row["market_value_before"] == pytest.approx(value, rel=1e-12)
    assert (row["close_session"], row["currency"], row["reason"]) == ("2019-09-30", "CNY", "")
    for name, end in (("effect", "car"), ("ci_low", "ci_low"), ("ci_high", "ci_high")):
        assert row[name] == pytest.approx(value * (np.exp(car[end]) - 1), rel=1e-12)
    assert -26e9 < row["effect"] < -24e9  # some -8.3% of 302 bn


def test_undefined_in_money_has_a_reason(listed) -> None:
    firms = rows_of(listed, "firm").set_index("symbol")
    assert firms.loc["300188.SZ", "reason"] == "adjusted_only"
    assert firms.loc["300188.SZ", ["market_value_before", "effect", "ci_low", "ci_high"]].isna().all()
    suspended = rows_of(listed, "firm", (0, 0)).set_index("symbol").loc["002415.SZ"]
    assert suspended["reason"] == "not_resumed"
    assert np.isnan(suspended["effect"])
    assert suspended["market_value_before"] > 0
    assert set(rows_of(listed, "firm")["symbol"]) == {"002415.SZ", "300188.SZ"}  # no shares, no row


def test_total_is_over_the_firms_with_shares_and_says_so(listed) -> None:
    (row,) = rows_of(listed, "all").to_dict("records")
    own = rows_of(listed, "firm").set_index("symbol").loc["002415.SZ"]
    assert (row["n"], row["n_with_car"], row["reason"]) == (1, 3, "partial_total")
    assert [row["effect"], row["ci_low"], row["ci_high"]] == pytest.approx(list(own[["effect", "ci_low", "ci_high"]]), rel=1e-9)
    cross = listed.computation.cross_section("all", (0, 3))
    (firm,) = [part for part in cross.firms if part.listing.symbol == "002415.SZ"]
    found = placebo_blocks(type(cross)((0, 3), (firm,)))
    moved = np.exp(found.car[:, 0]) - 1
    gone = row["effect"] / row["market_value_before"]
    grid = np.arange(0.0, 0.5, 0.0005)  # losses as a share of the value: the smallest beyond which all are rejected
    kept = [loss for loss in grid if p_of(-loss, gone, moved) > 0.05]
    assert row["loss_rejected_beyond"] / row["market_value_before"] == pytest.approx(max(kept), abs=0.0006)
    assert row["placebo_low"] == -row["loss_rejected_beyond"]
    assert own["loss_rejected_beyond"] == pytest.approx(row["loss_rejected_beyond"], rel=1e-9)  # the firm's own
    assert row["blocks"] == len(moved)


def test_report_tells_money_with_interval_n_and_unit(listed) -> None:
    page = render_report(listed)
    start = page.index('<section id="money">')
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page[start : page.index("</section>", start)])))
    assert "−45.1 bn CNY to −3.18 bn CNY" in text  # in the table, where signs tell the direction
    assert "Hikvision was worth 302 bn CNY at its last close before the window (32.30 CNY on 30 September 2019)" in text
    assert re.search(r"stands for a loss of 24\.9 bn CNY \(95% interval 3\.18 bn CNY to 45\.1 bn CNY\)", text)
    assert "A market value is known of one of three treated firms with a CAR" in text
    assert re.search(r"a loss of Hikvision beyond 50\.\d bn CNY is rejected at 5% \(210 blocks", text)
    assert "only adjusted prices are recorded" in text
    losses = re.findall(r"a loss of [\d.]+ (?:bn|m) CNY(.{15})", text)
    assert losses
    assert all(after.startswith(" (95% interval ") for after in losses)


def study(panel, study_on_disk, shares: dict[str, float], **changes):
    made = panel()
    firms = [{"symbol": name, "shares": count} for name, count in shares.items()]
    return made, es.run_study(study_on_disk(made, made.events(130), firm=firms, **changes))


def test_no_shares_no_section(panel, study_on_disk) -> None:
    _, result = study(panel, study_on_disk, {})
    assert result.money.empty
    assert 'id="money"' not in render_report(result)


def test_total_of_all_firms(panel, study_on_disk) -> None:
    made, result = study(panel, study_on_disk, {"AAA": 1e6, "BBB": 2e6, "CCC": 3e6})
    (row,) = rows_of(result, "all").to_dict("records")
    closes = made.prices.iloc[129]
    worth = 1e6 * closes["AAA"] + 2e6 * closes["BBB"] + 3e6 * closes["CCC"]
    assert row["market_value_before"] == pytest.approx(worth, rel=1e-9)
    assert row["effect"] == pytest.approx(rows_of(result, "firm")["effect"].sum(), rel=1e-12)
    assert (row["reason"], row["n"], row["currency"]) == ("", 3, "USD")
    assert row["ci_low"] < row["effect"] < row["ci_high"]
    assert "In total over three treated firms: a " in render_report(result)


@pytest.mark.parametrize(("market", "reason"), [({}, "no_currency"), ({"currency": "GBP"}, "")])
def test_a_currency_that_no_suffix_tells_is_asked_for(panel, study_on_disk, market: dict[str, str], reason: str) -> None:
    made = panel(("AAA.L", "BBB.L"))
    changes = {"market": market, "firm": [{"symbol": "AAA.L", "shares": 1e6}]}
    result = es.run_study(study_on_disk(made, made.events(130), **changes))
    (row,) = rows_of(result, "firm").to_dict("records")
    assert (row["reason"], row["currency"]) == (reason, market.get("currency", ""))
    assert np.isnan(row["effect"]) == bool(reason)


def test_currencies_are_not_added_up(panel, study_on_disk) -> None:
    made = panel(("AAA.HK", "BBB"))
    firms = [{"symbol": "AAA.HK", "shares": 1e6}, {"symbol": "BBB", "shares": 1e6}]
    result = es.run_study(study_on_disk(made, made.events(130), firm=firms))
    (row,) = rows_of(result, "all").to_dict("records")
    assert row["reason"] == "mixed_currencies"
    assert np.isnan(row["effect"])
    assert "different currencies" in render_report(result)


@pytest.mark.parametrize(
    ("low", "high", "cell", "words"),
    [
        (-37.12e9, -174.2e6, "−37.1 bn CNY to −0.174 bn CNY", "0.174 bn CNY to 37.1 bn CNY"),
        (-2.5e9, 5e6, "−2.50 bn CNY to +0.005 bn CNY", "from a loss of 2.50 bn CNY to a gain of 0.005 bn CNY"),
        (-5e6, 2.5e9, "−0.005 bn CNY to +2.50 bn CNY", "from a loss of 0.005 bn CNY to a gain of 2.50 bn CNY"),
        (-2.5e9, 1e5, "−2.50 bn CNY to +100,000 CNY", "from a loss of 2.50 bn CNY to a gain of 100,000 CNY"),
        (1.2e6, 3.4e6, "+1.20 m CNY to +3.40 m CNY", "1.20 m CNY to 3.40 m CNY"),
    ],
)
def test_both_ends_of_an_interval_have_one_unit_and_sentences_no_signs(low: float, high: float, cell: str, words: str) -> None:
    row = pd.Series({"ci_low": low, "ci_high": high, "currency": "CNY"})
    assert _interval(row).replace(FIXED, " ") == cell
    assert _interval_words(row).replace(FIXED, " ") == words
