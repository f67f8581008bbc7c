"""The calendar-time portfolio: firms of many event dates, held together by session instead of by event (Fama 1998)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eventstudy.inference.cross import CrossSection
from eventstudy.inference.result import TestResult, student, undefined

FEWEST_SESSIONS = 10  # with fewer the variance, known from these sessions alone, says next to nothing


def portfolio_by_session(cross: CrossSection) -> tuple[pd.DataFrame, bool]:
    """Hold in every session of the calendar, in equal parts, the firms that are in their event window then.

    A return over several sessions has no single session: the firm is out of the portfolio on all of them. To
    spread it would invent returns, to book it at the resumption would set it against one session of the benchmark.

    Returns
    -------
    portfolio : DataFrame by session
        ``ret``, ``mkt``: means over the firms held, of the share and of each one's benchmark, in the study's kind of
        returns; ``firms``: how many are held. Sessions without a firm have no row.
    left_out : bool
        Whether a return over several sessions was left out.
    """
    held, left_out = [], False
    for firm in cross.firms:
        rows = firm.cumulative.rows
        if rows is not None:
            single = rows.take(rows.span == 1)
            held.append(pd.DataFrame({"ret": single.ret, "mkt": single.mkt}, index=firm.sessions[single.end]))
            left_out |= len(single) < len(rows)
    if not held:
        return pd.DataFrame({"ret": [], "mkt": [], "firms": []}, dtype=float), left_out
    by_session = pd.concat(held).groupby(level=0)
    return by_session.mean().assign(firms=by_session.size()), left_out


def calendar_time(cross: CrossSection) -> TestResult:
    """t of the intercept of the portfolio's return on the benchmark over the sessions it holds a firm, t(T - 2).

    Weighted least squares, each of the T sessions by its number of firms (Mitchell and Stafford 2000); the intercept is
    the mean abnormal return of a session. Variance and beta come from the event sessions, not from the estimation
    window, so that a change in variance does no harm, and correlation across firms is in the portfolio's own spread.
    """
    n = len(cross.firms)
    if len({firm.sessions[firm.day0] for firm in cross.firms}) < 2:
        return undefined("calendar_time", "mean", n, "one_date")
    return of_portfolio(n, *portfolio_by_session(cross))


def of_portfolio(n: int, portfolio: pd.DataFrame, left_out: bool) -> TestResult:
    """Return the outcome of the test for a portfolio as `portfolio_by_session` makes it, of `n` firms."""
    count = len(portfolio)
    if count < FEWEST_SESSIONS:
        return undefined("calendar_time", "mean", n, "too_few_sessions")
    root = np.sqrt(portfolio["firms"].to_numpy(dtype=float))
    z = np.column_stack([root, root * portfolio["mkt"].to_numpy()])
    if np.linalg.matrix_rank(z) < 2:
        return undefined("calendar_time", "mean", n, "no_fit")
    y = root * portfolio["ret"].to_numpy()
    unscaled = np.linalg.inv(z.T @ z)
    params = unscaled @ (z.T @ y)
    errors = y - z @ params
    variance = float(errors @ errors) / (count - 2) * unscaled[0, 0]
    if not variance > (1e-12 * float(np.abs(y).max())) ** 2:
        return undefined("calendar_time", "mean", n, "no_fit")
    return student("calendar_time", "mean", n, params[0] / np.sqrt(variance), count - 2, "spans_left_out" if left_out else "")
