"""Abnormal returns and their sums over windows, each with the full variance of prediction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.abnormal import CumulativeReturn, add_up, undefined_return
from eventstudy.abnormal import abnormal_returns as internal_abnormal
from eventstudy.errors import ConfigError
from eventstudy.returns import Rows
from eventstudy.steps.fits import ModelFit
from eventstudy.steps.plain import PlainRows
from eventstudy.trading import MISSING, NOT_LISTED, SUSPENDED
from eventstudy.windows import Window, as_window, length

AT_END = {SUSPENDED: "not_resumed", MISSING: "price_missing", NOT_LISTED: "not_listed"}
BEFORE_START = {SUSPENDED: "straddles_start", MISSING: "price_missing", NOT_LISTED: "not_listed"}


def abnormal_returns(fit: ModelFit, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what each row earned beyond the fitted model (rule A7).

    Parameters
    ----------
    fit : ModelFit
        As `es.MarketModel().fit` returns it.
    rows : DataFrame, one row a return
        With the columns that the fit's rows had. Usually those of the event window.

    Returns
    -------
    DataFrame, by the labels of `rows`, in order of session
        ``tau`` (if `rows` has it), ``span``, ``ret``, ``expected``, ``ar``, ``se_ar`` (decimals over the sessions of the row),
        ``t``, ``p_value`` (two-sided). The variance is sigma squared times (span + x'Ax); t follows t(df_resid) if the errors are
        iid normal. Sessions without a trade have no row, and models for single sessions leave longer rows out.

    Raises
    ------
    DataError
        If the rows cannot be read or lack a column of the model.

    Examples
    --------
    >>> import eventstudy as es
    >>> rows = pd.DataFrame({"ret": [0.02, -0.01, 0.03, 0.0], "mkt": [0.01, -0.01, 0.02, 0.0], "span": 1})
    >>> fit = es.MarketModel().fit(rows)
    >>> day = pd.DataFrame({"tau": [0], "ret": [0.05], "mkt": [0.01], "span": [1]})
    >>> es.abnormal_returns(fit, day)[["expected", "ar"]].round(6).to_dict("records")  # 0.003 + 1.4 times 0.01 is expected
    [{'expected': 0.017, 'ar': 0.033}]
    """
    found = _rows_for(fit, rows)
    made = internal_abnormal(fit.inner, found.rows)
    kept = np.searchsorted(found.rows.end, made.rows.end)  # a model may leave rows out
    columns: dict[str, Any] = {} if found.day0 is None else {"tau": made.rows.end - found.day0}
    columns |= {"span": made.rows.span, "ret": made.rows.ret, "expected": made.expected, "ar": made.ar, "se_ar": made.se}
    return pd.DataFrame(columns | {"t": made.t, "p_value": made.p_value}, index=found.labels[kept])


@dataclass(frozen=True, eq=False)
class CumulativeAbnormalReturn:
    """Cumulative abnormal return of one share over one window (rule A8).

    Parameters
    ----------
    window : (int, int)
        Inclusive, in sessions relative to the event session.
    car, se_car : float
        As decimals; NaN where undefined.
    t, p_value : float
        ``car / se_car`` and its two-sided p-value from t(`df`): also called SCAR.
    df : int
        Residual degrees of freedom of the fit.
    ci_low, ci_high : float
        Interval at one less `alpha`.
    alpha : float
    reason : str
        Code of why it is undefined, empty where it is not: ``not_resumed``, ``straddles_start``, ``price_missing``,
        ``not_listed``, ``benchmark_missing``, ``gap_dropped``, ``multi_session_row``, ``masked_event``, ``data_end``, or
        ``not_covered`` where no trading status tells more.

    Examples
    --------
    >>> import eventstudy as es
    >>> past = pd.DataFrame({"ret": [0.02, -0.01, 0.03, 0.0], "mkt": [0.01, -0.01, 0.02, 0.0], "span": 1})
    >>> day = pd.DataFrame({"tau": [0], "ret": [0.05], "mkt": [0.01], "span": [1]})
    >>> car = es.cumulative_abnormal_return(es.MarketModel().fit(past), day, (0, 0))
    >>> round(car.car, 6), car.status, car.df
    (0.033, 'ok', 2)
    >>> car.to_series()[["window_start", "window_end", "reason"]].to_dict()
    {'window_start': 0, 'window_end': 0, 'reason': ''}
    """

    window: Window
    car: float
    se_car: float
    t: float
    df: int
    p_value: float
    ci_low: float
    ci_high: float
    alpha: float
    reason: str = ""
    fit: ModelFit = field(repr=False, kw_only=True)
    inner: CumulativeReturn = field(repr=False, kw_only=True)
    found: PlainRows = field(repr=False, kw_only=True)

    @property
    def status(self) -> str:
        """``ok`` or ``undefined``."""
        return "undefined" if self.reason else "ok"

    def to_series(self) -> pd.Series:
        """Return the numbers as the table of CARs names them; several make a DataFrame."""
        names = ("car", "se_car", "t", "df", "p_value", "ci_low", "ci_high", "status", "reason")
        found = {"window_start": self.window[0], "window_end": self.window[1]} | {name: getattr(self, name) for name in names}
        return pd.Series(found | ({"df": np.nan} if self.reason else {}), dtype=object)

    def __repr__(self) -> str:
        name = f"CAR[{self.window[0]}, {self.window[1]}]"
        if self.reason:
            return f"{name} undefined: {self.reason}"
        level = f"{100 * (1 - self.alpha):g}%"
        return (
            f"{name} = {self.car:.4%}, s.e. {self.se_car:.4%}, {level} interval {self.ci_low:.4%} to {self.ci_high:.4%}, "
            f"t({self.df}) = {self.t:.3f}, p = {self.p_value:.4f}"
        )


def cumulative_abnormal_return(
    fit: ModelFit, rows: pd.DataFrame, window: Window, *, status: pd.Series | None = None, alpha: float = 0.05
) -> CumulativeAbnormalReturn:
    """Add up the abnormal returns of a window, with the full covariance of their errors (rule A8).

    The variance is sigma squared times (L2 + x'Ax), L2 the sessions of the window and x the summed regressors: not the sum of the
    daily variances, which leaves out what the days share through the estimated parameters.

    Parameters
    ----------
    fit : ModelFit
    rows : DataFrame
        All rows of the share, with ``tau``, as `trade_rows` makes them.
    window : (int, int)
        First and last session relative to the event session, both inclusive.
    status : Series, optional
        Trading status by session as `trading_status` returns it; names the reason where the CAR is undefined.
    alpha : float
        One less the level of the interval.

    Returns
    -------
    CumulativeAbnormalReturn
        Undefined, with a reason, unless the rows cover every session of the window exactly once: never a shorter window.

    Raises
    ------
    ConfigError
        If `window` or `alpha` cannot be.
    DataError
        If the rows cannot be read, or have no column ``tau``.

    Examples
    --------
    >>> import eventstudy as es
    >>> past = pd.DataFrame({"ret": [0.02, -0.01, 0.03, 0.0], "mkt": [0.01, -0.01, 0.02, 0.0], "span": 1})
    >>> fit = es.MarketModel().fit(past)
    >>> rows = pd.DataFrame({"tau": [0, 3], "ret": [0.05, -0.02], "mkt": [0.01, 0.0], "span": [1, 3]})  # away at 1 and 2
    >>> round(es.cumulative_abnormal_return(fit, rows, (0, 3)).car, 6)  # 0.03 less 4 times 0.003 less 1.4 times 0.01
    0.004
    >>> es.cumulative_abnormal_return(fit, rows, (0, 1))
    CAR[0, 1] undefined: not_covered
    """
    lo, hi = as_window(window, "window")
    if not 0 < alpha < 1:
        raise ConfigError(f"alpha = {alpha} is no level: give a number between 0 and 1, such as 0.05")
    found = _rows_for(fit, rows)
    day0 = found.event_day()
    first, last = day0 + lo, day0 + hi
    touching = (found.rows.end >= first) & (found.rows.end - found.rows.span + 1 <= last)
    inside = found.rows.inside(first, last)
    reason = _reason(found, inside, (lo, hi), status)
    if (found.masked & touching).any():
        reason = "masked_event"
    elif not reason and fit.inner.model.single_sessions and (inside.span > 1).any():
        reason = "multi_session_row"
    made = undefined_return(fit.inner, (lo, hi), reason) if reason else add_up(fit.inner, inside, (lo, hi), alpha)
    return CumulativeAbnormalReturn(
        (lo, hi), made.car, made.se, made.t, made.df, made.p_value, made.ci_low, made.ci_high, alpha, reason,
        fit=fit, inner=made, found=found,
    )  # fmt: skip


def _rows_for(fit: ModelFit, rows: pd.DataFrame) -> PlainRows:
    if not isinstance(fit, ModelFit):
        raise ConfigError(f"fit is a {type(fit).__name__}: give what the fit of a model returns, as es.MarketModel().fit(rows)")
    return fit.model.checked(rows)


def _reason(found: PlainRows, inside: Rows, window: Window, status: pd.Series | None) -> str:
    """Return why rows do not cover a window exactly once; empty where they do."""
    if int(inside.span.sum()) == length(window):
        return ""
    if status is None or not isinstance(found.labels, pd.DatetimeIndex) or not len(found.labels):
        return "not_covered"
    day0 = found.event_day()
    known = status.index.get_indexer(pd.Index([found.labels[-1]]))[0]
    if known < 0:
        return "not_covered"
    place = int(known) - int(found.rows.end[-1]) + day0  # of the event session in `status`
    first, last = place + window[0], place + window[1]
    if last >= len(status):
        return "data_end"
    if first < 1:
        return "not_listed"
    for at, words in ((last, AT_END), (first - 1, BEFORE_START)):
        if status.iloc[at] in words:
            return words[status.iloc[at]]
    single = bool((found.rows.span == 1).all()) and np.array_equal(found.rows.closes, found.rows.end)
    gap = status.iloc[first : last + 1].isin([SUSPENDED, MISSING]).any()
    return "gap_dropped" if single and gap else "benchmark_missing"


