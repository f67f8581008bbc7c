"""Correlation of events whose windows share a session, in blocks of neighbouring dates: no N by N matrix (rules C6 and C7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from eventstudy.inference.correlation import FEWEST_COMMON_SESSIONS, ResidualCorrelation, correlation_of_sums
from eventstudy.panel.batch import Batch
from eventstudy.panel.study import PanelStudy
from eventstudy.panel.sums import Section
from eventstudy.windows import Window

EVENTS_A_BLOCK = 256
SESSIONS_A_BLOCK = 64


@dataclass(eq=False)
class Pairs:
    """Sums over the pairs of one section, filled block by block.

    Parameters
    ----------
    weights : array (N,)
        Of the events in the sum whose variance is asked for: 1/N each for their mean.
    correlation : float
        Sum of the residual correlations of pairs whose windows share a session.
    variance : float
        Variance of the weighted sum of CARs, with all covariances as estimated.
    enough : bool
        Whether each such pair has residuals in enough common sessions.
    """

    section: Section
    weights: np.ndarray
    correlation: float = 0.0
    variance: float = 0.0
    enough: bool = True
    where: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.where = np.full(len(self.section.study.events), -1)
        self.where[self.section.members] = np.arange(len(self.section.members))

    @property
    def mean(self) -> ResidualCorrelation:
        """The mean correlation, without a matrix."""
        count = len(self.section.members)
        mean = self.correlation / (count * (count - 1) / 2) if count > 1 else 0.0
        return ResidualCorrelation(np.empty((0, 0)), mean, self.enough)


@dataclass(frozen=True, eq=False)
class Block:
    """Some events of neighbouring dates; matrices have one row an event and one column a session of all calendars.

    Parameters
    ----------
    numbers : array (n,) of int
    first : int
        Session of the first column.
    residuals : array (n, sessions)
        Single-session residuals, 0 where there is none.
    there : array (n, sessions) of bool
        Whether there is one.
    weights : dict
        By window, session weights w (n, sessions) with CAR - E(CAR) = sum of w times the session's error (rule A8).
    lo, hi : dict
        By window, the sessions it begins and ends with (n,).
    """

    numbers: np.ndarray
    first: int
    residuals: np.ndarray
    there: np.ndarray
    weights: dict[Window, np.ndarray]
    lo: dict[Window, np.ndarray]
    hi: dict[Window, np.ndarray]

    @property
    def last(self) -> int:
        """Session of the last column."""
        return int(self.first + self.residuals.shape[1] - 1)

    @cached_property
    def begins(self) -> np.ndarray:
        """First session of any window of each event (n,)."""
        return np.asarray(np.min(list(self.lo.values()), axis=0))

    @cached_property
    def ends(self) -> np.ndarray:
        """Last session of any window of each event (n,)."""
        return np.asarray(np.max(list(self.hi.values()), axis=0))

    def take(self, chosen: np.ndarray) -> Block:
        """Return the events that `chosen` selects."""
        weights, lo, hi = ({window: of[chosen] for window, of in by.items()} for by in (self.weights, self.lo, self.hi))
        return Block(self.numbers[chosen], self.first, self.residuals[chosen], self.there[chosen], weights, lo, hi)


def pairs_of(study: PanelStudy, asked: Sequence[tuple[Section, np.ndarray]], with_variance: bool) -> list[Pairs]:
    """Add up correlations, and if asked for the variance of weighted sums of CARs, over all pairs of each section.

    Parameters
    ----------
    asked : sequence of (Section, array (N,))
        Sections with the weights of their events.
    """
    found = [Pairs(section, weights) for section, weights in asked]
    windows = list(dict.fromkeys(section.window for section, _ in asked))
    everyone = np.unique(np.concatenate([section.members for section, _ in asked]))
    near: list[Block] = []
    for block in _blocks(study, everyone, windows, with_variance):
        near = [other for other in near if other.ends.max() >= block.begins.min()]
        _add_pairs(found, block, block, with_variance)
        for other in near:  # of two blocks only the events between them can share a session
            parts = block.take(block.begins <= other.ends.max()), other.take(other.ends >= block.begins.min())
            _add_pairs(found, *parts, with_variance)
        near.append(block)
    return found


def _blocks(study: PanelStudy, events: np.ndarray, windows: Sequence[Window], with_variance: bool) -> Iterator[Block]:
    sessions = np.unique(np.concatenate([market.calendar.sessions.to_numpy() for market in study.panel.markets]))
    places = [np.searchsorted(sessions, market.calendar.sessions.to_numpy()) for market in study.panel.markets]
    day0 = np.zeros(len(study.events), dtype=int)
    for number, place in enumerate(places):
        here = events[study.panel.market[events] == number]
        day0[here] = place[study.panel.day0[here]]
    ordered = events[np.argsort(day0[events], kind="stable")]
    start = 0
    while start < len(ordered):
        near = np.searchsorted(day0[ordered], day0[ordered[start]] + SESSIONS_A_BLOCK)
        stop = min(start + EVENTS_A_BLOCK, int(near))
        yield _block(study, ordered[start:stop], places, windows, with_variance)
        start = stop


def _block(
    study: PanelStudy, events: np.ndarray, places: list[np.ndarray], windows: Sequence[Window], with_variance: bool
) -> Block:
    parts = [(numbers, batch, places[study.panel.market[numbers[0]]]) for numbers, batch in study.batches(events)]
    numbers = np.concatenate([part for part, _, _ in parts])
    lows = [np.maximum(batch.bounds[0], 0) for _, batch, _ in parts]
    highs = [batch.day0 + max(window[1] for window in windows) for _, batch, _ in parts]
    first = min(int(at[low].min()) for (_, _, at), low in zip(parts, lows, strict=True))
    last = max(int(at[np.minimum(high, len(at) - 1)].max()) for (_, _, at), high in zip(parts, highs, strict=True))
    shape = len(numbers), last - first + 2  # a last column for what lies outside a calendar, cut off at the end
    residuals, there = np.zeros(shape), np.zeros(shape, dtype=bool)
    size = parts[0][1].params.shape[1] if with_variance else 0
    pull = np.zeros((size, *shape))
    row = 0
    for part, batch, at in parts:
        where = row + np.arange(len(part))[:, None], _columns(batch.sample.end, at - first, shape[1] - 1)
        single = batch.used & (batch.span == 1)
        residuals[where], there[where] = np.where(single, batch.errors, 0.0), single
        if with_variance:
            _spread_over_sessions(pull, where, batch, row, at - first)
        row += len(part)
    edges = {
        window: [np.concatenate([at[np.minimum(batch.day0 + end, len(at) - 1)] for _, batch, at in parts]) for end in window]
        for window in windows
    }
    weights = {window: _session_weights(parts, window, first, pull) for window in windows} if with_variance else {}
    lo, hi = ({window: ends[side] for window, ends in edges.items()} for side in (0, 1))
    return Block(numbers, first, residuals[:, :-1], there[:, :-1], weights, lo, hi)


def _columns(place: np.ndarray, at: np.ndarray, outside: int) -> np.ndarray:
    """Return the columns `at` positions in a calendar, `outside` where it has no such session."""
    known = (place >= 0) & (place < len(at))
    return np.where(known, at[np.clip(place, 0, len(at) - 1)], outside)


def _spread_over_sessions(
    pull: np.ndarray, where: tuple[np.ndarray, np.ndarray], batch: Batch, row: int, at: np.ndarray
) -> None:
    """Write the regressors a session of each estimation row to all sessions that the row covers; `where` the rows end."""
    regressors = batch.regressors(batch.sample)
    single = batch.used & (batch.span == 1)
    for place, of in enumerate(pull):
        of[where] = np.where(single, regressors[..., place], 0.0)
    event, column = np.nonzero(batch.used & (batch.span > 1))
    span = batch.span[event, column]
    x = regressors[event, column] / span[:, None]
    start = batch.sample.start[event, column] + 1
    offset = np.arange(span.sum()) - np.repeat(np.cumsum(span) - span, span)
    pull[:, row + np.repeat(event, span), at[np.repeat(start, span) + offset]] = np.repeat(x, span, axis=0).T


def _session_weights(
    parts: list[tuple[np.ndarray, Batch, np.ndarray]], window: Window, first: int, pull: np.ndarray
) -> np.ndarray:
    """Return w = 1 on the sessions of the window, less what the estimation rows pull by way of the parameters (n, sessions)."""
    weights, row = np.zeros(pull.shape[1:]), 0
    for part, batch, at in parts:
        rows, counted = batch.rows_inside(window)
        x = (batch.regressors(rows) * counted[..., None]).sum(axis=1)
        part_of = slice(row, row + len(part))
        for of, moved in zip(pull, (batch.inverse @ x[..., None])[..., 0].T, strict=True):
            weights[part_of] -= of[part_of] * moved[:, None]
        place = batch.day0[:, None] + np.arange(window[0], window[1] + 1)
        event, column = np.nonzero((place >= 0) & (place < len(at)))
        weights[row + event, at[place[event, column]] - first] += 1.0
        row += len(part)
    return weights[:, :-1]


def _add_pairs(found: list[Pairs], one: Block, other: Block, with_variance: bool) -> None:
    correlation, common = _correlations(one, other)
    own = one is other
    study, shared = found[0].section.study, dict[Window, np.ndarray]()
    for pairs in found:
        window = pairs.section.window
        overlap = (one.lo[window][:, None] <= other.hi[window]) & (other.lo[window] <= one.hi[window][:, None])
        mine, its = pairs.where[one.numbers], pairs.where[other.numbers]
        counted = overlap & (mine >= 0)[:, None] & (its >= 0)
        counted &= np.triu(np.ones_like(counted), 1) if own else True
        r = correlation[counted]
        if len(r):
            pairs.correlation += float(r.sum())
            pairs.enough &= bool((common[counted] >= FEWEST_COMMON_SESSIONS).all() and np.isfinite(r).all())
        if with_variance:
            if window not in shared:
                shared[window] = _shared(one, other, window)
            sigma = study.estimates.sigma
            scale = [
                np.where(place >= 0, pairs.weights[place] * sigma[block.numbers], 0.0)
                for place, block in ((mine, one), (its, other))
            ]
            terms = np.where(counted, correlation, 0.0) * shared[window] * np.outer(*scale)
            pairs.variance += 2 * float(terms.sum())
            if own:
                pairs.variance += float((np.diag(shared[window]) * scale[0] ** 2).sum())


def _correlations(one: Block, other: Block) -> tuple[np.ndarray, np.ndarray]:
    """Return Pearson correlations over the sessions that both events of a pair have a residual of, and their number."""
    first, last = max(one.first, other.first), min(one.last, other.last)
    a, b = (slice(first - block.first, last - block.first + 1) for block in (one, other))
    x, m = one.residuals[:, a], one.there[:, a].astype(float)
    y, k = other.residuals[:, b].T, other.there[:, b].T.astype(float)
    xx, yy = x**2, y**2
    common = m @ k
    of_x, of_xx = x @ k, xx @ k
    of_y, of_yy = (of_x.T, of_xx.T) if one is other else (m @ y, m @ yy)
    return correlation_of_sums(common, x @ y, (of_x, of_y), (of_xx, of_yy)), common


def _shared(one: Block, other: Block, window: Window) -> np.ndarray:
    first, last = max(one.first, other.first), min(one.last, other.last)
    a, b = (slice(first - block.first, last - block.first + 1) for block in (one, other))
    products: np.ndarray = one.weights[window][:, a] @ other.weights[window][:, b].T
    return products
