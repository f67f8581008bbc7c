"""What the estimation residuals of one fit say against its assumptions (rules D1 to D3, D5, D6, D8, D9 and D15)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from eventstudy.calendar import SessionCalendar, follows_closure
from eventstudy.diagnostics import model_diagnostics
from eventstudy.models import Fit
from eventstudy.returns import Rows
from eventstudy.windows import Window

SMALL_P = 0.01  # rules D2 and D3; held against every p-value here, since each fit is asked several questions
WEAK_ESTIMATION, FAR_MARKET = 0.05, 3.0  # rule D8
UNSTABLE_SD = (0.5, 2.0)  # rule D15
CLOSURE_VARIANCE = 2.0  # rule D9
LAGS = (5, 10)


@dataclass(frozen=True)
class Diagnostic:
    """One fact about a fit; NaN where it is not defined.

    `flag` is the code of what it points at, empty where it points at nothing.
    """

    name: str
    statistic: float
    p_value: float = np.nan
    flag: str = ""


def fit_diagnostics(fit: Fit, rows: Rows, calendar: SessionCalendar, day0: int, headline: Window) -> list[Diagnostic]:
    """Return every diagnostic of a fit, in the order of the rules.

    Parameters
    ----------
    rows : Rows
        All rows of the share.
    day0 : int
        Position of the event session.
    """
    return [
        *serial_correlation(fit.errors),
        *shape(fit.errors),
        *stability(fit),
        *_spans(fit),
        *_sufficiency(fit, rows, day0, headline),
        *after_closures(fit, calendar),
    ]


def _tested(name: str, statistic: float, p_value: float, flag: str) -> Diagnostic:
    return Diagnostic(name, float(statistic), float(p_value), flag if p_value < SMALL_P else "")


def serial_correlation(errors: np.ndarray) -> Iterator[Diagnostic]:
    """Yield Ljung-Box at 5 and 10 lags, Durbin-Watson and the ARCH test at 5 lags (rules D1 and D2).

    Parameters
    ----------
    errors : array (nobs,)
        Scaled residuals, one a row; rows on either side of a gap count as neighbours.
    """
    from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch
    from statsmodels.stats.stattools import durbin_watson

    box = acorr_ljungbox(errors, lags=list(LAGS))
    for lag in LAGS:
        yield _tested(f"ljung_box_{lag}", box.loc[lag, "lb_stat"], box.loc[lag, "lb_pvalue"], "serial_correlation")
    yield Diagnostic("durbin_watson", float(durbin_watson(errors)))
    statistic, p_value, _, _ = het_arch(errors, nlags=5, result_object=False)
    yield _tested("arch_lm_5", statistic, p_value, "changing_variance")


def shape(errors: np.ndarray) -> Iterator[Diagnostic]:
    """Yield Jarque-Bera with skewness and excess kurtosis (rule D3)."""
    from statsmodels.stats.stattools import jarque_bera

    statistic, p_value, skewness, kurtosis = jarque_bera(errors)
    yield _tested("jarque_bera", statistic, p_value, "not_normal")
    yield Diagnostic("skewness", float(skewness))
    yield Diagnostic("excess_kurtosis", float(kurtosis) - 3)


def stability(fit: Fit) -> Iterator[Diagnostic]:
    """Yield Chow's F at the middle row, beta on either half, and the CUSUM of the residuals (rule D5).

    A model that estimates nothing has nothing that could move.
    """
    size = len(fit.params)
    if not size:
        return
    from statsmodels.stats.diagnostic import breaks_cusumolsresid

    y = fit.model.response(fit.rows) / np.sqrt(fit.rows.span)
    z, middle = fit.scaled_regressors, fit.nobs // 2
    halves = [(z[:middle], y[:middle]), (z[middle:], y[middle:])]
    thetas = [np.linalg.lstsq(part, values)[0] for part, values in halves]
    split = sum(float(np.sum((values - part @ theta) ** 2)) for (part, values), theta in zip(halves, thetas, strict=True))
    whole = float(np.sum((y - z @ np.linalg.lstsq(z, y)[0]) ** 2))
    df = fit.nobs - 2 * size
    if df > 0:
        f = (whole - split) / size / (split / df)
        yield _tested("chow", f, float(special.fdtrc(size, df, max(f, 0.0))), "unstable_model")
    if "beta" in fit.model.names:
        place = fit.model.names.index("beta")
        yield Diagnostic("beta_first_half", float(thetas[0][place]))
        yield Diagnostic("beta_second_half", float(thetas[1][place]))
    largest, p_value, _ = breaks_cusumolsresid(fit.errors, ddof=size)
    yield _tested("cusum", largest, p_value, "unstable_model")


def _spans(fit: Fit) -> Iterator[Diagnostic]:
    """Yield how thinly the share traded in the estimation (rule D6)."""
    span = fit.rows.span
    yield Diagnostic("longest_gap", float(span.max() - 1))
    yield Diagnostic("rows_over_gaps", float(np.sum(span > 1)))
    yield Diagnostic("mean_span", float(span.mean()))


def _sufficiency(fit: Fit, rows: Rows, day0: int, headline: Window) -> Iterator[Diagnostic]:
    """Yield whether the estimation suffices, and how the days before the event compare with it (rules D8 and D15)."""
    found = model_diagnostics(fit, rows, day0, headline)
    share, distance, ratio = (found[name] for name in ("estimation_error_share", "market_leverage", "pre_event_sd_ratio"))
    yield Diagnostic("nobs", float(fit.nobs))
    yield Diagnostic("n_sessions", float(fit.n_sessions))
    yield Diagnostic("estimation_error_share", share, flag="weak_estimation" if share > WEAK_ESTIMATION else "")
    yield Diagnostic("market_leverage", distance, flag="far_market" if distance > FAR_MARKET else "")
    outside = ratio < UNSTABLE_SD[0] or ratio > UNSTABLE_SD[1]
    yield Diagnostic("pre_event_sd_ratio", ratio, flag="unlike_before" if outside else "")


def after_closures(fit: Fit, calendar: SessionCalendar) -> Iterator[Diagnostic]:
    """Yield the mean squared residual on sessions after closures of three days or more over that of the others (rule D9)."""
    after = follows_closure(calendar)[fit.rows.end] & (fit.rows.span == 1)
    squares = fit.errors**2
    ratio = float(squares[after].mean() / squares[~after].mean()) if 0 < after.sum() < len(after) else np.nan
    yield Diagnostic("sessions_after_closures", float(after.sum()))
    yield Diagnostic("closure_variance_ratio", ratio, flag="closure_variance" if ratio > CLOSURE_VARIANCE else "")
