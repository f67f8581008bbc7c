"""A batch of events of one market, estimated together in closed form: the panel's form of fits, ARs and CARs (rules A5 to A8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eventstudy.diagnostics import SESSIONS_BEFORE
from eventstudy.panel.market import CODE, Market, over_sessions
from eventstudy.panel.rows import WindowRows, window_rows
from eventstudy.plan import Plan
from eventstudy.study import LARGEST_SUSPENDED_SHARE
from eventstudy.trading import MISSING, NOT_LISTED, SUSPENDED
from eventstudy.windows import Window, length

# Regressors of each model, from spans and benchmark returns; the response is the share's return less `taken_off`.
REGRESSORS: dict[str, Callable[[np.ndarray, np.ndarray], list[np.ndarray]]] = {
    "mean": lambda span, mkt: [span],
    "market_adjusted": lambda span, mkt: [],
    "market": lambda span, mkt: [span, mkt],
}
COEFFICIENTS = {"mean": ("alpha",), "market_adjusted": (), "market": ("alpha", "beta")}
COLLINEAR = 1e-14  # of 1, what a regressor adds to the others, squared

AHEAD = "provisional"
MASKED, TOO_FEW, MOSTLY_SUSPENDED, NO_FIT = "masked_event", "too_few_observations", "mostly_suspended", "no_fit"
OUTCOMES = ("", AHEAD, MASKED, TOO_FEW, MOSTLY_SUSPENDED, NO_FIT)
REASONS = (
    "", "calendar_end", "data_end", "provisional", "not_listed", "not_resumed", "price_missing", "straddles_start",
    "benchmark_missing", "limit_spell", "gap_dropped",
)  # fmt: skip
REASON = {name: code for code, name in enumerate(REASONS)}


@dataclass(frozen=True, eq=False)
class Fits:
    """Fits of events of which everything else can be made again: parameters, A with Var(params) = sigma^2 A, and sigma, df."""

    params: np.ndarray
    inverse: np.ndarray
    sigma: np.ndarray
    df: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """Events of one market; arrays have one entry or row an event.

    Parameters
    ----------
    market : Market
    plan : Plan
    share, day0 : array (n,) of int
        Row of the market's matrices, and position of the event session.
    masked : (array (S,), array (kinds, T + 1))
        As `Market.masked_before` returns it.
    settled : int
        First session that has not closed at the study's present.
    known : Fits, optional
        Of events that were estimated before.
    """

    market: Market
    plan: Plan
    share: np.ndarray
    day0: np.ndarray
    masked: tuple[np.ndarray, np.ndarray]
    settled: int
    known: Fits | None = None

    def rows(self, window: Window) -> WindowRows:
        """Return the rows that end in a window, whatever they begin before."""
        lo, hi = self.plan.windows.event
        if lo <= window[0] and window[1] <= hi:
            return self.event_rows.columns(window[0] - lo, window[1] - lo)
        return self._rows(window)

    def rows_inside(self, window: Window) -> tuple[WindowRows, np.ndarray]:
        """Return the rows that end in a window, and which of them lie inside it."""
        rows = self.rows(window)
        return rows, rows.inside(self.day0 + window[0], self.day0 + window[1])

    @cached_property
    def event_rows(self) -> WindowRows:
        """Rows that end in the event window."""
        return self._rows(self.plan.windows.event)

    def _rows(self, window: Window) -> WindowRows:
        plan = self.plan
        return window_rows(self.market, self.share, self.day0 + window[0], length(window), plan.suspensions, plan.returns)

    @cached_property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last session of the estimation window, as far as the data reach."""
        lo, hi = self.plan.windows.estimation
        return self.day0 + lo, np.minimum(self.day0 + hi, self.market.end)

    def masked_sessions(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Count the masked sessions from `first` to `last`, both inclusive; events along the first axis."""
        kind, counts = self.masked
        row = kind[self.share].reshape(-1, *[1] * (first.ndim - 1))
        lo, hi = (np.clip(ends, 0, self.market.sessions) for ends in (first, last + 1))
        found: np.ndarray = counts[row, hi] - counts[row, np.minimum(lo, hi)]
        return found

    @cached_property
    def sample(self) -> WindowRows:
        """Rows that end in the estimation window; `used` tells which of them are estimated on."""
        return self.rows(self.plan.windows.estimation)

    @cached_property
    def used(self) -> np.ndarray:
        """Estimation rows: inside the window, none of their sessions masked (n, m)."""
        lo, hi = self.bounds
        used = self.sample.inside(lo, hi)
        if self.plan.masks:
            used &= self.masked_sessions(self.sample.start + 1, self.sample.end) == 0
        return used

    @cached_property
    def span(self) -> np.ndarray:
        """Spans of the estimation rows; 1 elsewhere."""
        return np.where(self.used, self.sample.end - self.sample.start, 1)

    @cached_property
    def root(self) -> np.ndarray:
        """Roots of the spans."""
        return np.asarray(np.sqrt(self.span))

    @cached_property
    def nobs(self) -> np.ndarray:
        """Number of estimation rows."""
        return np.asarray(self.used.sum(axis=1))

    def regressors(self, rows: WindowRows) -> np.ndarray:
        """Return x of rows (n, m, K)."""
        columns = REGRESSORS[self.plan.model](rows.span.astype(float), rows.mkt)
        return np.stack(columns, axis=-1) if columns else np.empty((*rows.ret.shape, 0))

    def response(self, rows: WindowRows) -> np.ndarray:
        """Return y of rows (n, m)."""
        return rows.ret - rows.mkt if self.plan.model == "market_adjusted" else rows.ret

    @cached_property
    def scaled(self) -> tuple[np.ndarray, np.ndarray]:
        """Response (n, m) and regressors (n, m, K) of the estimation rows over the root of their span; 0 where there is none."""
        weight = self.used / self.root
        return self.response(self.sample) * weight, self.regressors(self.sample) * weight[..., None]

    @cached_property
    def solved(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Parameters (n, K), (Z'Z)^-1 (n, K, K) and whether Z has full rank.

        Columns are brought to length one before the normal equations are solved, and the solution is refined once, so that
        it is as good as that of an orthogonal decomposition.
        """
        y, z = self.scaled
        size = z.shape[-1]
        if not size:
            return np.empty((len(y), 0)), np.empty((len(y), 0, 0)), np.ones(len(y), dtype=bool)
        cross = np.swapaxes(z, 1, 2) @ z
        norm = np.sqrt(np.einsum("nkk->nk", cross))
        norm[norm == 0] = 1.0
        equal = cross / (norm[:, :, None] * norm[:, None, :])
        sound = np.linalg.det(equal) > COLLINEAR
        equal[~sound] = np.eye(size)
        inverse = np.linalg.inv(equal) / (norm[:, :, None] * norm[:, None, :])
        params = (inverse @ (np.swapaxes(z, 1, 2) @ y[..., None]))[..., 0]
        errors = y - (z @ params[..., None])[..., 0]
        return params + (inverse @ (np.swapaxes(z, 1, 2) @ errors[..., None]))[..., 0], inverse, sound

    @property
    def params(self) -> np.ndarray:
        """Estimated parameters (n, K)."""
        return self.known.params if self.known else self.solved[0]

    @property
    def inverse(self) -> np.ndarray:
        """A, so that Var(params) = sigma^2 A (n, K, K)."""
        return self.known.inverse if self.known else self.solved[1]

    @cached_property
    def errors(self) -> np.ndarray:
        """Estimation residuals over the root of the span (n, m); 0 where there is no row."""
        y, z = self.scaled
        return np.asarray(y - (z @ self.params[..., None])[..., 0])

    @cached_property
    def ssr(self) -> np.ndarray:
        """Sum of the squared errors."""
        return _squares(self.errors)

    @cached_property
    def df(self) -> np.ndarray:
        """Residual degrees of freedom."""
        return self.known.df if self.known else np.asarray(self.nobs - self.params.shape[1])

    @cached_property
    def sigma(self) -> np.ndarray:
        """Residual standard deviation a session; NaN where there are no degrees of freedom."""
        if self.known:
            return self.known.sigma
        variance = np.divide(self.ssr, self.df, out=np.full(len(self.df), np.nan), where=self.df > 0)
        return np.asarray(np.sqrt(variance))

    @cached_property
    def r_squared(self) -> np.ndarray:
        """Against the constant mean on the same rows; NaN for models that nest none."""
        if self.params.shape[1] < 2:
            return np.full(len(self.nobs), np.nan)
        y, z = self.scaled[0], self.used * self.root
        constant = y - z * (np.einsum("nm,nm->n", z, y) / np.maximum(_squares(z), 1))[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1 - self.ssr / _squares(constant))

    @cached_property
    def listed(self) -> np.ndarray:
        """Sessions of the estimation window that count against the share of suspended ones (n, m)."""
        lo, hi = self.bounds
        end = lo[:, None] + np.arange(self.sample.end.shape[1])
        there = (end >= 0) & (end <= hi[:, None])
        there &= self.estimation_status != CODE[NOT_LISTED]
        return np.asarray(there & (self.masked_sessions(end, end) == 0)) if self.plan.masks else there

    def status(self, place: np.ndarray) -> np.ndarray:
        """Return status codes at positions, events along the first axis; outside the calendar those of its ends."""
        row = self.share.reshape(-1, *[1] * (place.ndim - 1))
        return np.asarray(self.market.status[row, np.clip(place, 0, self.market.sessions - 1)])

    @cached_property
    def estimation_status(self) -> np.ndarray:
        """Status codes of the estimation window's sessions (n, m); outside the calendar those of its ends."""
        return over_sessions(self.market.status, self.bounds[0], self.sample.end.shape[1], self.share)

    @cached_property
    def suspended_share(self) -> np.ndarray:
        """Share of listed estimation sessions without a trade; 0 where none is listed."""
        status = self.estimation_status
        idle = ((status == CODE[SUSPENDED]) | (status == CODE[MISSING])) & self.listed
        return np.asarray(idle.sum(axis=1) / np.maximum(self.listed.sum(axis=1), 1))

    @cached_property
    def short_history(self) -> np.ndarray:
        """Whether the prices start inside the estimation window."""
        lo, hi = self.bounds
        at_start = self.status(np.minimum(np.maximum(lo, 0), np.maximum(hi, 0)))
        return np.asarray((lo < 0) | ((hi >= lo) & (at_start == CODE[NOT_LISTED])))

    @cached_property
    def outcome(self) -> np.ndarray:
        """Place in ``OUTCOMES`` of why an event has no fit, by the order in which one event at a time is judged."""
        plan, market = self.plan, self.market
        lo, hi = plan.windows.event
        last = self.day0 + plan.windows.estimation[1]
        scale, most = self.sigma, np.abs(np.where(self.used, self.response(self.sample), 0.0)).max(axis=1)
        with np.errstate(invalid="ignore"):
            still = ~(scale**2 > (1e-12 * most) ** 2)
        masked = self.masked_sessions(self.day0 + lo, self.day0 + hi) > 0
        checks = [
            (masked, MASKED),
            ((last > market.end) & self.ahead(last), AHEAD),
            (self.nobs < plan.windows.min_observations, TOO_FEW),
            (self.suspended_share > LARGEST_SUSPENDED_SHARE, MOSTLY_SUSPENDED),
            ((self.df < 1) | ~self.solved[2] | still, NO_FIT),
        ]
        return np.select([found for found, _ in checks], [OUTCOMES.index(name) for _, name in checks], 0)

    def ahead(self, place: np.ndarray) -> np.ndarray:
        """Tell which positions have not closed yet at the study's present, those past the calendar's end included."""
        told = self.market.calendar.closes is not None
        return np.asarray(np.logical_and(place >= self.settled, told))

    @property
    def fitted(self) -> np.ndarray:
        """Whether an event has a fit."""
        return np.asarray(self.outcome == 0)

    def predicted(self, rows: WindowRows, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return abnormal returns of rows and their standard errors (rule A7); meaningless where not `inside`."""
        x = self.regressors(rows) * inside[..., None]
        ar = (self.response(rows) - (x @ self.params[..., None])[..., 0]) * inside
        pull = np.einsum("nmk,nkl,nml->nm", x, self.inverse, x)
        return ar, self.sigma[:, None] * np.sqrt(rows.span + pull)

    def cumulate(self, window: Window) -> Cumulated:
        """Sum the abnormal returns of a window whose rows tile it (rule A8)."""
        rows, inside = self.rows_inside(window)
        reason = self.untiled((rows.span * inside).sum(axis=1), self.day0 + window[0], self.day0 + window[1])
        x = (self.regressors(rows) * inside[..., None]).sum(axis=1)
        car = (self.response(rows) * inside).sum(axis=1) - np.einsum("nk,nk->n", x, self.params)
        factor = length(window) + np.einsum("nk,nkl,nl->n", x, self.inverse, x)
        undefined = (reason > 0) | ~self.fitted
        car, factor = np.where(undefined, np.nan, car), np.where(undefined, np.nan, factor)
        return Cumulated(np.where(self.fitted, reason, 0), car, self.sigma * np.sqrt(factor))

    def untiled(self, covered: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
        """Return why rows that cover so many sessions do not tile `lo` to `hi`: place in ``REASONS`` (see `abnormal.untiled`)."""
        market = self.market
        valued = np.isfinite(market.benchmark)
        holes = np.concatenate([[0], np.cumsum(~valued)])
        before, after = (np.clip(place, 0, market.sessions - 1) for place in (lo - 1, hi))
        at_end, at_start = self.status(hi), self.status(lo - 1)
        held = market.held_back
        limited = np.zeros(len(lo), dtype=bool) if held is None else held[self.share, before] | held[self.share, after]
        checks = [
            (hi >= market.sessions, "calendar_end"),
            ((hi > market.end) & self.ahead(hi), "provisional"),
            (hi > market.end, "data_end"),
            (covered == hi - lo + 1, ""),
            (lo < 1, "not_listed"),
            (at_end == CODE[SUSPENDED], "not_resumed"),
            (at_end == CODE[MISSING], "price_missing"),
            (at_end == CODE[NOT_LISTED], "not_listed"),
            (at_start == CODE[SUSPENDED], "straddles_start"),
            (at_start == CODE[MISSING], "price_missing"),
            (at_start == CODE[NOT_LISTED], "not_listed"),
            (~(valued[before] & valued[after]), "benchmark_missing"),
            (limited, "limit_spell"),
            (holes[after + 1] - holes[before] > 0, "benchmark_missing"),
        ]
        return np.select([found for found, _ in checks], [REASON[name] for _, name in checks], REASON["gap_dropped"])

    def diagnosed(self) -> dict[str, np.ndarray]:
        """Return what a reader needs to judge each fit (see `diagnostics.model_diagnostics`)."""
        window = self.plan.headline_window
        rows, inside = self.rows_inside(window)
        x = (self.regressors(rows) * inside[..., None]).sum(axis=1)
        added, covered = np.einsum("nk,nkl,nl->n", x, self.inverse, x), (rows.span * inside).sum(axis=1)
        per_session = self.sample.mkt / self.span
        mean = (per_session * self.used).sum(axis=1) / np.maximum(self.nobs, 1)
        apart = np.where(self.used, per_session - mean[:, None], 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(_squares(apart) / (self.nobs - 1))
            distance = np.where(inside, np.abs(rows.mkt / rows.span - mean[:, None]) / spread[:, None], -np.inf).max(axis=1)
        some = inside.any(axis=1)
        return {
            "max_span": self.span.max(axis=1, initial=1),
            "estimation_error_share": np.where(some, added / np.maximum(covered + added, 1), np.nan),
            "market_leverage": np.where(some, distance, np.nan),
            "pre_event_sd_ratio": self._sd_ratio_before(),
        }

    def _sd_ratio_before(self) -> np.ndarray:
        rows, inside = self.rows_inside((-SESSIONS_BEFORE, -1))
        errors = self.predicted(rows, inside)[0] / np.sqrt(rows.span)
        count = inside.sum(axis=1)
        mean = errors.sum(axis=1) / np.maximum(count, 1)
        squares = _squares(np.where(inside, errors - mean[:, None], 0.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count > 1, np.sqrt(squares / (count - 1)) / self.sigma, np.nan)


@dataclass(frozen=True, eq=False)
class Cumulated:
    """CARs of one window, one entry an event: place in ``REASONS`` (0: defined), CAR and standard error, NaN where undefined."""

    reason: np.ndarray
    car: np.ndarray
    se: np.ndarray


def _squares(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("nm,nm->n", values, values))
