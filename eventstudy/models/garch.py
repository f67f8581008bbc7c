"""Market model with GARCH(1,1) errors (rule B11), through the package `arch`.

Its recursion runs from session to session, so the estimation rows must be single sessions without a gap: a suspension, a hole in
the prices or a mask inside the estimation window is refused, and the firm is left out with the reason. Where the
persistence a + b comes to 0.999 or more, a to 0, or the likelihood has no maximum to be found, the variance is not identified:
the firm falls back to the market model, which its row in the table of models and a note tell.

What of the tests holds with it: AR and CAR over the square root of the forecast variance, referred to the normal distribution, an
approximation. The portfolio t, placebo_max and the joint F need errors of one variance and are undefined
(``not_least_squares``). Placebo dates are undefined (``no_refit``): with a block cut out the recursion has a gap.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from eventstudy.errors import ConfigError, DataError
from eventstudy.models.base import Fit, finished_fit
from eventstudy.models.linear import MarketModel
from eventstudy.returns import Rows

IN_PERCENT = 100.0  # the optimiser's tolerances suit returns in per cent
MOST_PERSISTENT, LEAST_REACTION = 0.999, 1e-6


class Garch(MarketModel):
    """r = alpha + beta m + e with GARCH(1,1) errors."""

    name = "garch"

    def fit(self, rows: Rows) -> Fit:
        """Estimate by quasi-maximum likelihood; fall back to the market model where the variance is not identified.

        Raises
        ------
        ConfigError
            If the package `arch` is not installed.
        DataError
            If the rows are not single sessions without a gap, or the market model cannot be estimated on them.
        """
        plain = MarketModel().fit(rows)
        if (rows.span != 1).any() or (np.diff(rows.end) != 1).any():
            raise DataError(
                "GARCH runs from session to session, and suspensions, holes or masks leave gaps in the estimation window: use "
                "the market model, or a window without them"
            )
        try:
            from arch import arch_model
        except ImportError as problem:
            raise ConfigError(
                "model 'garch' needs the package arch, which is not installed: pip install 'eventstudy-toolkit[garch]'"
            ) from problem
        returns, market = IN_PERCENT * rows.ret, IN_PERCENT * rows.mkt
        model = arch_model(returns, x=market[:, None], mean="LS", vol="GARCH", p=1, q=1, rescale=False)
        results = model.fit(disp="off", show_warning=False)
        alpha, beta, omega, a, b = (float(value) for value in results.params)
        if results.convergence_flag or a + b >= MOST_PERSISTENT or a <= LEAST_REACTION:
            return plain
        omega, params = omega / IN_PERCENT**2, np.array([alpha / IN_PERCENT, beta])
        units = np.array([IN_PERCENT, 1.0])
        covariance = np.asarray(results.param_cov)[:2, :2] / np.outer(units, units)
        errors = rows.ret - self.regressors(rows) @ params
        scale = float(errors @ errors) / (len(rows) - 2)
        known = (np.asarray(results.conditional_volatility) / IN_PERCENT) ** 2
        path = np.r_[known, omega + a * errors[-1] ** 2 + b * known[-1]]
        fit = finished_fit(self, rows, params, covariance / scale, scale, results)
        level, first = omega / (1 - a - b), int(rows.end[0])
        forecast = partial(session_variance, path=path / scale, first=first, level=level / scale, a_b=a + b)
        details = {"garch_omega": omega, "garch_a": a, "garch_b": b}
        return replace(fit, linear=False, session_variance=forecast, details=details)


def session_variance(session: int, path: np.ndarray, first: int, level: float, a_b: float) -> float:
    """Return the variance of one session's error (rule B11): h(T+j) = h + (a+b)^(j-1) (h(T+1) - h).

    Parameters
    ----------
    path : array
        Variances of the sessions from `first` to the one after the estimation, T+1; earlier ones count as the first.
    level : float
        h, to which forecasts return.
    a_b : float
        a + b.
    """
    place = max(session - first, 0)
    if place < len(path):
        return float(path[place])
    return float(level + a_b ** (place - len(path) + 1) * (path[-1] - level))
