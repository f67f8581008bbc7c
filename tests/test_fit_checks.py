"""Diagnostics of a fit against formulas written out, brute force and planted faults."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from firms import DAY0, GAPS, fitted
from numpy.testing import assert_allclose
from scipy import stats

import eventstudy as es
from eventstudy.calendar import SessionCalendar, follows_closure
from eventstudy.fit_checks import (
    Diagnostic,
    after_closures,
    fit_diagnostics,
    serial_correlation,
    shape,
    stability,
)
from eventstudy.models import MarketAdjusted


def by_name(found) -> dict[str, Diagnostic]:
    return {item.name: item for item in found}


def test_ljung_box_and_durbin_watson_by_their_formulas() -> None:
    errors = fitted()[2].errors
    n, centred = len(errors), errors - errors.mean()
    r = np.array([centred[lag:] @ centred[:-lag] for lag in range(1, 11)]) / (centred @ centred)
    found = by_name(serial_correlation(errors))
    for lags in (5, 10):
        q = n * (n + 2) * sum(r[lag - 1] ** 2 / (n - lag) for lag in range(1, lags + 1))
        assert_allclose(found[f"ljung_box_{lags}"].statistic, q)
        assert_allclose(found[f"ljung_box_{lags}"].p_value, stats.chi2.sf(q, lags))
    assert_allclose(found["durbin_watson"].statistic, np.sum(np.diff(errors) ** 2) / np.sum(errors**2))


def test_arch_test_is_the_explained_share_of_the_squares() -> None:
    squares = fitted()[2].errors ** 2
    y = squares[5:]
    lags = np.column_stack([np.ones(len(y)), *(squares[5 - lag : -lag] for lag in range(1, 6))])
    rest = y - lags @ np.linalg.lstsq(lags, y)[0]
    lm = len(y) * (1 - rest @ rest / np.sum((y - y.mean()) ** 2))
    found = by_name(serial_correlation(fitted()[2].errors))["arch_lm_5"]
    assert_allclose([found.statistic, found.p_value], [lm, stats.chi2.sf(lm, 5)])


def test_jarque_bera_by_its_formula() -> None:
    errors = fitted()[2].errors
    s, k = stats.skew(errors), stats.kurtosis(errors)
    jb = len(errors) / 6 * (s**2 + k**2 / 4)
    found = by_name(shape(errors))
    assert_allclose([found[name].statistic for name in ("jarque_bera", "skewness", "excess_kurtosis")], [jb, s, k])
    assert_allclose(found["jarque_bera"].p_value, stats.chi2.sf(jb, 2))


@pytest.mark.parametrize("away", [(), GAPS], ids=["complete", "suspensions"])
def test_chow_is_the_f_test_of_a_second_model_for_the_second_half(away: tuple[int, ...]) -> None:
    fit = fitted(away=away)[2]
    rows, late = fit.rows, np.arange(fit.nobs) >= fit.nobs // 2
    x = np.column_stack([rows.span, rows.mkt])
    both = sm.WLS(rows.ret, np.column_stack([x, x * late[:, None]]), weights=1 / rows.span).fit()
    test = both.f_test(np.eye(4)[2:])
    found = by_name(stability(fit))
    assert_allclose([found["chow"].statistic, found["chow"].p_value], [test.fvalue, test.pvalue])
    halves = [both.params[1], both.params[1] + both.params[3]]
    assert_allclose([found["beta_first_half"].statistic, found["beta_second_half"].statistic], halves)


def test_cusum_is_the_largest_sum_of_residuals() -> None:
    fit = fitted()[2]
    largest = np.abs(np.cumsum(fit.errors)).max() / (np.sqrt(fit.nobs) * fit.sigma)
    found = by_name(stability(fit))["cusum"]
    assert_allclose([found.statistic, found.p_value], [largest, stats.kstwobign.sf(largest)])


def test_a_model_that_estimates_nothing_has_nothing_that_moves() -> None:
    assert list(stability(fitted(model=MarketAdjusted())[2])) == []


def planted(kind: str) -> np.ndarray:
    noise = np.random.default_rng(5).normal(size=250)
    if kind == "serial_correlation":
        for place in range(1, 250):
            noise[place] += 0.5 * noise[place - 1]
    elif kind == "changing_variance":
        noise *= np.where(np.arange(250) // 25 % 2, 3.0, 0.5)
    elif kind == "not_normal":
        noise[::50] = 6
    return noise


@pytest.mark.parametrize("kind", ["serial_correlation", "changing_variance", "not_normal"])
def test_planted_faults_are_flagged_and_quiet_errors_are_not(kind: str) -> None:
    def flags(errors: np.ndarray) -> set[str]:
        return {item.flag for item in [*serial_correlation(errors), *shape(errors)] if item.flag}

    assert kind in flags(planted(kind))
    assert flags(planted("quiet")) == set()


def test_closures_longer_than_a_weekend_are_told() -> None:
    days = pd.DatetimeIndex(["2019-09-27", "2019-09-30", "2019-10-08", "2019-10-09", "2019-10-12", "2019-10-16"])
    # closed before them: -, a weekend (2), National Day (7), none, 2, 3
    assert follows_closure(SessionCalendar("test", days)).tolist() == [False, False, True, False, False, True]


def test_closure_variance_by_brute_force() -> None:
    _, _, fit = fitted()
    days = pd.bdate_range("2018-01-01", periods=150)
    dates = days + pd.to_timedelta(np.cumsum(np.isin(np.arange(150), [30, 60, 90])), "D")  # three closures of one more day
    late = [place for place in range(1, 150) if (dates[place] - dates[place - 1]).days >= 4]
    assert late
    inside = [float(error) ** 2 for end, error in zip(fit.rows.end, fit.errors, strict=True) if end in late]
    others = [float(error) ** 2 for end, error in zip(fit.rows.end, fit.errors, strict=True) if end not in late]
    found = by_name(after_closures(fit, SessionCalendar("test", dates)))
    assert found["sessions_after_closures"].statistic == len(inside) > 0
    assert_allclose(found["closure_variance_ratio"].statistic, np.mean(inside) / np.mean(others))


def test_gaps_are_counted() -> None:
    made, rows, fit = fitted(away=GAPS)
    found = by_name(fit_diagnostics(fit, rows, made.calendar, DAY0, (0, 3)))
    # 20-22, 55, 80-81 lie in the estimation: three rows over gaps, the longest over three suspended sessions
    assert [found[name].statistic for name in ("longest_gap", "rows_over_gaps")] == [3, 3]
    assert_allclose(found["mean_span"].statistic, found["n_sessions"].statistic / found["nobs"].statistic)
    assert np.isnan(found["closure_variance_ratio"].statistic)  # weekdays only: no closure longer than a weekend
    assert found["closure_variance_ratio"].flag == ""


def test_entity_list_diagnostics(entity: es.StudyResult) -> None:
    table = entity.diagnostics.set_index(["symbol", "diagnostic"])
    fits = {firm.key[1]: firm.fit for firm in entity.computation.firms}
    for symbol, fit in fits.items():
        assert_allclose(table.loc[(symbol, "excess_kurtosis"), "statistic"], stats.kurtosis(fit.errors))
        assert table.loc[(symbol, "jarque_bera"), "flag"] == "not_normal"
    # Meiya Pico: suspended on 27, 28, 29 March and 1 April 2019
    assert table.loc[("300188.SZ", "longest_gap"), "statistic"] == 4
    assert_allclose(table.loc[("300188.SZ", "suspended_share"), "statistic"], 4 / 216)
    assert table.loc[("300188.SZ", "zero_volume_share"), "statistic"] == table.loc[("300188.SZ", "suspended_share"), "statistic"]
    # the profit pre-announcement of Iflytek: first session 10 October, inside [0, 3]
    assert table.loc[("002230.SZ", "other_news"), "flag"] == "other_news"
    # Mid-Autumn, National Day, New Year, Spring Festival, Qingming, May Day, Dragon Boat
    assert table.loc[("002415.SZ", "sessions_after_closures"), "statistic"] == 7
    assert not table.index.duplicated().any()
