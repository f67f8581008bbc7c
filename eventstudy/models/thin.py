"""Betas of shares that trade at other moments than the index: Scholes and Williams, Dimson (rule B10).

They mend closing prices of the same session that stem from different moments. They do not mend suspensions: the estimation
uses returns over single sessions only, a CAR that needs a longer return is undefined (``multi_session_row``), and the
treatments that fill suspended sessions are refused.

What of the tests holds with them: the parameters are no least squares of the return on one market return, so that the
closed form of the prediction variance is not exact; the market model's on the same rows stands for it, an approximation that
is told. Placebo dates are right, the model is estimated again without each block. The portfolio t, placebo_max and the joint F
need least squares and are undefined (``not_least_squares``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eventstudy.errors import DataError
from eventstudy.models.base import Fit, Model, finished_fit
from eventstudy.returns import Rows


def shifted(by: int) -> str:
    """Return the name, among the factors of the rows, of the benchmark's return `by` sessions later (earlier if negative)."""
    return f"market{by:+d}"


@dataclass(frozen=True)
class ThinTrading(Model):
    """r = alpha + beta m + e on single sessions, with beta from leads and lags of the market.

    Parameters
    ----------
    lags, leads : int
        Market returns of how many sessions before and after the share's enter the estimation. Leads end with the
        estimation window.
    """

    lags: int = 1
    leads: int = 1
    names = ("alpha", "beta")
    single_sessions = True

    def response(self, rows: Rows) -> np.ndarray:
        """Return the share's returns."""
        return rows.ret

    def regressors(self, rows: Rows) -> np.ndarray:
        """Return spans and the benchmark's returns of the same session."""
        return np.column_stack([rows.span.astype(float), rows.mkt])

    def slopes(self, rows: Rows, market: dict[int, np.ndarray]) -> tuple[float, dict[str, float]]:
        """Return beta and the figures it is made of, from `rows` and the market's returns by shift."""
        raise NotImplementedError

    def fit(self, rows: Rows) -> Fit:
        """Estimate on the rows over one session whose leads and lags lie in the sessions that `rows` cover.

        Raises
        ------
        DataError
            If there are too few such rows, or the market does not move enough to tell its shifts apart.
        """
        first, last = int((rows.end - rows.span + 1).min()), int(rows.end.max())
        usable = (rows.span == 1) & (rows.end - self.lags >= first) & (rows.end + self.leads <= last)
        for by in self.shifts:
            usable &= np.isfinite(rows.factors[shifted(by)])
        return self.estimated(rows.take(usable))

    def estimated(self, rows: Rows) -> Fit:
        """Estimate on `rows`, all of them usable.

        Raises
        ------
        DataError
            As `fit`.
        """
        count = len(self.shifts) + 1
        if len(rows) < count + 2:
            few = f"{len(rows)} single-session observations cannot estimate slopes on {count} sessions of the market"
            raise DataError(f"{few}: take a longer window or earlier prices")
        market = {by: rows.factors[shifted(by)] for by in self.shifts} | {0: rows.mkt}
        if np.linalg.matrix_rank(np.column_stack([np.ones(len(rows)), *market.values()])) <= count:
            raise DataError("the regressors are collinear in the estimation window: does the benchmark move?")
        beta, details = self.slopes(rows, market)
        params = np.array([rows.ret.mean() - beta * rows.mkt.mean(), beta])
        x = self.regressors(rows)
        errors = rows.ret - x @ params
        fit = finished_fit(self, rows, params, np.linalg.inv(x.T @ x), float(errors @ errors) / (len(rows) - 2))
        return replace(fit, linear=False, refit=self.estimated, details=details)

    @property
    def shifts(self) -> tuple[int, ...]:
        """The shifts of the market that are needed beside 0."""
        return tuple(by for by in range(-self.lags, self.leads + 1) if by)


@dataclass(frozen=True)
class ScholesWilliams(ThinTrading):
    """Beta = (b-1 + b0 + b+1) / (1 + 2 rho): slopes of three separate regressions, rho the market's first autocorrelation."""

    name = "scholes_williams"

    def slopes(self, rows: Rows, market: dict[int, np.ndarray]) -> tuple[float, dict[str, float]]:
        """Return Scholes and Williams' beta."""
        import statsmodels.api as sm

        found = {by: float(sm.OLS(rows.ret, sm.add_constant(moved)).fit().params[1]) for by, moved in sorted(market.items())}
        rho = float(np.corrcoef(market[0], market[-1])[0, 1])
        if abs(1 + 2 * rho) < 1e-6:
            raise DataError("the benchmark's autocorrelation of -0.5 leaves Scholes and Williams' beta undefined")
        return sum(found.values()) / (1 + 2 * rho), _named(found) | {"market_autocorrelation": rho}


@dataclass(frozen=True)
class Dimson(ThinTrading):
    """Beta = sum of the slopes of one regression on the market's leads and lags.

    Parameters
    ----------
    fowler_rorke : bool
        Whether the slopes are weighted as Fowler and Rorke have it: by the autocorrelations of the market, taken as 0
        beyond the longest shift. Needs as many leads as lags.
    """

    fowler_rorke: bool = False
    name = "dimson"

    def slopes(self, rows: Rows, market: dict[int, np.ndarray]) -> tuple[float, dict[str, float]]:
        """Return Dimson's beta."""
        import statsmodels.api as sm

        order = sorted(market)
        results = sm.OLS(rows.ret, sm.add_constant(np.column_stack([market[by] for by in order]))).fit()
        found = dict(zip(order, map(float, results.params[1:]), strict=True))
        weights = self.weights(market) if self.fowler_rorke else dict.fromkeys(order, 1.0)
        return sum(weights[by] * slope for by, slope in found.items()), _named(found)

    def weights(self, market: dict[int, np.ndarray]) -> dict[int, float]:
        """Return Fowler and Rorke's weights: with one lead and lag (1 + rho) / (1 + 2 rho) for both, 1 for the session itself.

        Weight k is the sum over j from -p to p of rho(|j - k|), over the same sum for k = 0: so the slopes of one regression
        become the sum of separate slopes that Scholes and Williams take.
        """
        reach = self.lags
        rho = [1.0] + [float(np.corrcoef(market[0], market[-by])[0, 1]) for by in range(1, reach + 1)] + [0.0] * reach
        sums = {k: sum(rho[abs(j - k)] for j in range(-reach, reach + 1)) for k in range(-reach, reach + 1)}
        return {k: total / sums[0] for k, total in sums.items()}


def _named(slopes: dict[int, float]) -> dict[str, float]:
    return {f"slope{by:+d}" if by else "slope_0": slope for by, slope in sorted(slopes.items())}
