"""Bootstrap of the portfolio t by whole sessions: the firms' errors of one session are drawn together (rule C16).

The pool is the estimation sessions in which every firm has a single-session residual, inflated by
sqrt(L1 / (L1 - K)). A draw gives every session of the estimation and of the event window one session of the
pool; a row over n sessions gets the sum of the n errors drawn for them, so
that suspensions stay where they were. Every firm is then fitted again, and the portfolio t (rule C7) computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from eventstudy.abnormal import session_weights
from eventstudy.inference.correlation import FEWEST_COMMON_SESSIONS, MOST_FIRMS_TOGETHER, correlation_of_sums
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.joint import t_squared
from eventstudy.inference.parametric import portfolio_statistic
from eventstudy.inference.result import TestResult, undefined
from eventstudy.windows import length

DRAWS = 9_999
# Daily errors of a market model are next to uncorrelated from session to session, and longer blocks leave fewer different
# ones to draw from. With 5, the usual alternative, sessions that follow each other would be drawn together.
BLOCK_LENGTH = 1
NUMBERS_AT_ONCE = 80_000  # of larger parts the memory is given back and asked for anew, which takes longer than the arithmetic
BOOTSTRAP = ("bootstrap_residual", "bootstrap_wild", "bootstrap_hotelling")


@dataclass(frozen=True)
class Grid:
    """The sessions that a draw fills: the estimation window's, then the event window's; firms share the calendar.

    Parameters
    ----------
    first, estimation : int
        First session of the estimation, and how many there are.
    """

    cross: CrossSection
    first: int
    estimation: int

    @property
    def size(self) -> int:
        """Sessions of a draw."""
        return self.estimation + length(self.cross.window)

    @cached_property
    def pool(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the pool's sessions on the grid, and its inflated errors (sessions, N)."""
        errors = self.cross.residuals[self.first : self.first + self.estimation]
        places = np.flatnonzero(~np.isnan(errors).any(axis=1))
        inflation = np.sqrt([firm.fit.nobs / firm.fit.df_resid for firm in self.cross.firms])
        return places, errors[places] * inflation

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """Session weights on the grid, one array a firm: their product with the errors is its CAR (rule A8)."""
        found = []
        for firm in self.cross.firms:
            whole = session_weights(firm.fit, firm.cumulative, firm.day0, len(firm.sessions))
            lo, hi = (firm.day0 + end for end in self.cross.window)
            found.append(np.concatenate([whole[self.first : self.first + self.estimation], whole[lo : hi + 1]]))
        return found

    @cached_property
    def sums(self) -> list[np.ndarray]:
        """What sums a draw to a firm's rows over several sessions, each over the root of its span, one array a firm."""
        session, found = np.arange(self.size)[:, None], []
        for firm in self.cross.firms:
            rows = firm.fit.rows.take(firm.fit.rows.span > 1)
            last = rows.end - self.first
            found.append(((session > last - rows.span) & (session <= last)) / np.sqrt(rows.span))
        return found

    @cached_property
    def is_one_regression(self) -> bool:
        """Whether the portfolio t is that of the equal-weighted portfolio: the same single-session rows, with an intercept."""
        fit = self.cross.firms[0].fit
        if not self.cross.same_rows or (fit.rows.span > 1).any():
            return False
        z, constant = fit.scaled_regressors, np.ones(fit.nobs)
        return bool(np.allclose(z @ (fit.unscaled_cov @ (z.T @ constant)), constant, rtol=0, atol=1e-8))


def grid_of(cross: CrossSection) -> Grid:
    """Return the grid of firms with one event date."""
    first = min(int((firm.fit.rows.end - firm.fit.rows.span + 1).min()) for firm in cross.firms)
    last = max(int(firm.fit.rows.end.max()) for firm in cross.firms)
    return Grid(cross, first, last - first + 1)


def bootstrap_test(name: str, cross: CrossSection, seed: int) -> TestResult:
    """Return the outcome of a bootstrap: the portfolio t among its draws, or with ``bootstrap_hotelling`` the joint T².

    The joint T² (rule C17) is made of the draws of ``bootstrap_residual``; its p-value holds whatever the errors' tails.
    The wild bootstrap leaves the sessions of the pool in their places and turns their signs at random, the
    same for all firms of a session; other sessions, those of the event window included, get a session of the
    pool at random, its sign turned likewise. It needs symmetric errors.

    Parameters
    ----------
    seed : int
        Of the study; all groups and windows start from it anew, so that none moves another's numbers.
    """
    n = len(cross.firms)
    if not n:
        return undefined(name, "sharp", 0, "no_firms")
    if n > MOST_FIRMS_TOGETHER:
        return undefined(name, "sharp", n, "too_many_firms")
    if not cross.least_squares or any(firm.fit.refit is not None for firm in cross.firms):
        return undefined(name, "sharp", n, "not_least_squares")
    if cross.staggered:
        return undefined(name, "sharp", n, "dates_differ")
    grid = grid_of(cross)
    if not cross.correlation.enough or len(grid.pool[0]) < FEWEST_COMMON_SESSIONS:
        return undefined(name, "sharp", n, "too_few_common_sessions")
    if name == "bootstrap_hotelling":
        return _joint_test(grid, seed)
    observed = portfolio_statistic(cross.car, cross.sigma, cross.correlation, cross.shared)
    if np.isnan(observed):
        return undefined(name, "sharp", n, "negative_variance")
    draws = np.concatenate([statistics(grid, *drawn) for drawn in drawn_sessions(name, grid, seed)])
    return TestResult(
        name, "sharp", n, observed, _share(np.abs(draws) >= abs(observed)),
        p_left=_share(draws <= observed), p_right=_share(draws >= observed), floor=1 / (1 + DRAWS),
    )  # fmt: skip


def _share(extreme: np.ndarray) -> float:
    return float((1 + extreme.sum()) / (1 + DRAWS))


def _joint_test(grid: Grid, seed: int) -> TestResult:
    """Return the joint T² of all CARs among those of the residual bootstrap's draws."""
    name, cross = "bootstrap_hotelling", grid.cross
    n, fit = len(cross.firms), cross.firms[0].fit
    if not cross.same_rows:
        return undefined(name, "sharp", n, "different_rows")
    if fit.df_resid < n:
        return undefined(name, "sharp", n, "too_few_df")
    observed = t_squared(cross.car, cross.exact_covariance)
    if np.isnan(observed):
        return undefined(name, "sharp", n, "singular_covariance")
    draws = np.concatenate([joint_statistics(grid, chosen) for chosen, _ in drawn_sessions("bootstrap_residual", grid, seed)])
    return TestResult(name, "sharp", n, observed, _share(draws >= observed), floor=1 / (1 + DRAWS))


def joint_statistics(grid: Grid, chosen: np.ndarray) -> np.ndarray:
    """Return T² = g'S⁻¹g / C of each draw (rule C17), for firms that share their rows.

    Parameters
    ----------
    chosen : array (draws, sessions) of int
        Row of the pool that each session gets.
    """
    firm, n, count = grid.cross.firms[0], len(grid.cross.firms), len(chosen)
    car, products = np.empty((count, n)), np.empty((count, n, n))
    rows, scores = [], []
    for place, own in enumerate(grid.pool[1].T):
        drawn = own.take(chosen)
        car[:, place] = drawn @ grid.weights[place]
        rows.append(_rows(grid, 0, drawn))
        scores.append(rows[-1] @ firm.fit.scaled_regressors)
        for other in range(place + 1):
            fitted = np.einsum("bk,kl,bl->b", scores[place], firm.fit.unscaled_cov, scores[other])
            product = np.einsum("br,br->b", rows[place], rows[other]) - fitted
            products[:, place, other] = products[:, other, place] = product
    covariance = products / firm.fit.df_resid * firm.cumulative.variance_factor
    found: np.ndarray = np.einsum("bn,bn->b", car, np.linalg.solve(covariance, car[..., None])[..., 0])
    return found


def drawn_sessions(name: str, grid: Grid, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yield, for some draws at a time, the pool's session that each session of the grid gets, and its sign."""
    rng = np.random.default_rng((abs(seed), int(seed < 0), BOOTSTRAP.index(name)))
    places = grid.pool[0]
    others = np.setdiff1d(np.arange(grid.size), places)
    at_once = max(1, NUMBERS_AT_ONCE // (grid.size * len(grid.cross.firms)))
    for start in range(0, DRAWS, at_once):
        count = min(at_once, DRAWS - start)
        if name == "bootstrap_residual":
            yield _drawn(rng, len(places), count, grid.size), None
            continue
        chosen = np.empty((count, grid.size), dtype=np.intp)
        chosen[:, places] = np.arange(len(places))
        chosen[:, others] = _drawn(rng, len(places), count, len(others))
        yield chosen, rng.integers(2, size=chosen.shape, dtype=bool) * 2.0 - 1.0


def _drawn(rng: np.random.Generator, pool: int, draws: int, sessions: int) -> np.ndarray:
    """Return sessions of the pool (draws, sessions), in blocks that begin anywhere; its last is followed by its first."""
    short = np.promote_types(np.uint16, np.min_scalar_type(pool))  # of short numbers two are drawn at once
    firsts = rng.integers(pool, size=(draws, -(-sessions // BLOCK_LENGTH)), dtype=short).astype(np.intp)
    if BLOCK_LENGTH == 1:
        return firsts
    return np.asarray((firsts[:, :, None] + np.arange(BLOCK_LENGTH)) % pool).reshape(draws, -1)[:, :sessions]


def statistics(grid: Grid, chosen: np.ndarray, signs: np.ndarray | None) -> np.ndarray:
    """Return the portfolio t of each draw.

    Parameters
    ----------
    chosen : array (draws, sessions) of int
        Row of the pool that each session gets.
    signs : array (draws, sessions) or None
        Factors of the errors.
    """
    errors = grid.pool[1]
    if grid.is_one_regression:
        return _one_regression(grid, _signed(errors.mean(axis=1).take(chosen), signs))
    return _all_firms(grid, [_signed(own.take(chosen), signs) for own in errors.T])


def _signed(drawn: np.ndarray, signs: np.ndarray | None) -> np.ndarray:
    return drawn if signs is None else drawn * signs


def _one_regression(grid: Grid, drawn: np.ndarray) -> np.ndarray:
    firm = grid.cross.firms[0]
    car = drawn @ grid.weights[0]
    squares = _sum_of_squares(firm, _rows(grid, 0, drawn))
    statistic: np.ndarray = car / np.sqrt(squares / firm.fit.df_resid * firm.cumulative.variance_factor)
    return statistic


def _rows(grid: Grid, place: int, drawn: np.ndarray) -> np.ndarray:
    """Return the scaled errors of a firm's rows (draws, rows): the sum over the span over its root."""
    rows = grid.cross.firms[place].fit.rows
    last, longer = rows.end - grid.first, np.flatnonzero(rows.span > 1)
    if not len(longer):
        return np.asarray(drawn[:, _columns(last)])
    scaled: np.ndarray = drawn.take(last, axis=1)
    scaled[:, longer] = drawn @ grid.sums[place]
    return scaled


def _columns(places: np.ndarray) -> np.ndarray | slice:
    """Return what selects the columns `places`, which increase: a slice, which copies nothing, where they have no gap."""
    return slice(places[0], places[-1] + 1) if places[-1] - places[0] + 1 == len(places) else places


def _sum_of_squares(firm: FirmCar, errors: np.ndarray) -> np.ndarray:
    fit = firm.fit
    score = errors @ fit.scaled_regressors
    squares: np.ndarray = np.einsum("br,br->b", errors, errors) - np.einsum("bk,kl,bl->b", score, fit.unscaled_cov, score)
    return squares


def _all_firms(grid: Grid, drawn: list[np.ndarray]) -> np.ndarray:
    """Return the portfolio t from the errors of each firm (draws, sessions)."""
    cross = grid.cross
    count, n = len(drawn[0]), len(drawn)
    car, sigma = np.empty((count, n)), np.empty((count, n))
    residuals, there = np.zeros((n, count, grid.estimation)), np.zeros((grid.estimation, n))
    for place, (firm, own) in enumerate(zip(cross.firms, drawn, strict=True)):
        fit = firm.fit
        car[:, place] = own @ grid.weights[place]
        rows = _rows(grid, place, own)
        errors = rows - (rows @ fit.scaled_regressors) @ fit.unscaled_cov @ fit.scaled_regressors.T
        sigma[:, place] = np.sqrt(np.einsum("br,br->b", errors, errors) / fit.df_resid)
        single = np.flatnonzero(fit.rows.span == 1)
        ends = _columns(fit.rows.end[single] - grid.first)
        residuals[place][:, ends] = errors[:, _columns(single)]
        there[ends, place] = 1.0
    variance = np.einsum("bij,bi,bj,ij->b", _correlations(residuals, there), sigma, sigma, cross.shared)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = car.sum(axis=1) / np.sqrt(variance)
    return np.where(variance > 0, t, np.inf)  # no t to be had counts as extreme: never in favour of rejecting


def _correlations(residuals: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Return Pearson correlations of each draw (draws, N, N), pairwise over the sessions two firms share.

    `residuals` is (N, draws, sessions) with 0 where a firm has no row, `there` (sessions, N) says where it has.
    """
    n, count, _ = residuals.shape
    i, j = np.tril_indices(n, -1)
    products = np.array([np.einsum("bs,bs->b", residuals[one], residuals[other]) for one, other in zip(i, j, strict=True)])
    # of one firm (first axis) over the sessions shared with another
    sums, squares = residuals @ there, residuals**2 @ there
    both = [(of[i, :, j], of[j, :, i]) for of in (sums, squares)]
    correlation = np.ones((count, n, n))
    found = correlation_of_sums((there.T @ there)[i, j, None], products.reshape(-1, count), *both)
    correlation[:, i, j] = correlation[:, j, i] = found.T
    return correlation
