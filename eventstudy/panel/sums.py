"""What tests across thousands of events need of the single ones, added up batch by batch: no matrix of all events is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from eventstudy.inference.deletion import ALONE
from eventstudy.inference.ranks import ranks_within
from eventstudy.inference.result import spread_of
from eventstudy.panel.batch import Batch
from eventstudy.panel.study import PanelStudy
from eventstudy.windows import Window, length

Chosen = np.ndarray | slice

@dataclass(frozen=True, eq=False)
class Section:
    """The events of a group with a CAR in one window: the panel's form of `inference.cross.CrossSection`.

    Parameters
    ----------
    place : int
        Of the window among the CAR windows.
    members : array (N,) of int
        Numbers of the events.
    """

    study: PanelStudy
    place: int
    members: np.ndarray

    @property
    def window(self) -> Window:
        """The CAR window."""
        return self.study.plan.windows.car[self.place]

    @property
    def car(self) -> np.ndarray:
        """Cumulative abnormal returns (N,)."""
        return np.asarray(self.study.estimates.car[self.members, self.place])

    @property
    def scar(self) -> np.ndarray:
        """Standardised CARs (N,)."""
        return np.asarray(self.study.estimates.scar[self.members, self.place])

    @property
    def sigma(self) -> np.ndarray:
        """Residual standard deviations a session (N,)."""
        return np.asarray(self.study.estimates.sigma[self.members])

    @property
    def df(self) -> np.ndarray:
        """Residual degrees of freedom (N,)."""
        return np.asarray(self.study.estimates.df[self.members])

    @property
    def positive_share(self) -> np.ndarray:
        """Shares of positive estimation residuals (N,)."""
        return np.asarray(self.study.estimates.positive_share[self.members])

    @property
    def dates(self) -> int:
        """Number of different event sessions."""
        return len(np.unique(self.study.session[self.members]))

    @property
    def staggered(self) -> bool:
        """Whether event sessions or calendars differ, so that tau pairs different dates."""
        calendars = {id(self.study.panel.markets[number].calendar) for number in np.unique(self.study.panel.market[self.members])}
        return self.dates > 1 or len(calendars) > 1


@dataclass(eq=False)
class Sums:
    """Sums over the events of one section, filled batch by batch.

    Parameters
    ----------
    open, single, every : array (m,)
        By session of the estimation window: events for which it is not masked, with a single-session residual, with any.
    errors : array (m,)
        Sums of the single-session residuals.
    uniform, there : array (m + L2,)
        Centred ranks of errors of all spans within each event, window included, and their number (rule C10).
    generalised : array (2, m + 1)
        Centred ranks of single-session residuals and of the SCAR, as it is and over its spread (rule C13).
    tiled : array (starts,) of bool
        Blocks of the estimation window that all events tile.
    """

    section: Section
    sessions: int
    open: np.ndarray = field(init=False)
    single: np.ndarray = field(init=False)
    every: np.ndarray = field(init=False)
    errors: np.ndarray = field(init=False)
    uniform: np.ndarray = field(init=False)
    there: np.ndarray = field(init=False)
    generalised: np.ndarray = field(init=False)
    tiled: np.ndarray = field(init=False)
    spread: float = field(init=False)
    chosen: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        size = length(self.section.window)
        self.open, self.single, self.every, self.errors = np.zeros((4, self.sessions))
        self.uniform, self.there = np.zeros((2, self.sessions + size))
        self.generalised = np.zeros((2, self.sessions + 1))
        self.tiled = np.ones(max(self.sessions - size + 1, 0), dtype=bool)
        self.spread = spread_of(self.section.scar)
        self.chosen = np.zeros(len(self.section.study.events), dtype=bool)
        self.chosen[self.section.members] = True


def sums_of(study: PanelStudy, sections: Sequence[Section]) -> list[Sums]:
    """Add up what the tests by sessions, ranks and placebo blocks need, in one pass over the events."""
    found = [Sums(section, length(study.plan.windows.estimation)) for section in sections]
    everyone = np.unique(np.concatenate([section.members for section in sections]))
    for numbers, batch in study.batches(everyone):
        shared = _Shared(batch)
        for sums in found:
            mine = sums.chosen[numbers]
            if mine.any():  # a slice of all copies nothing
                chosen = slice(None) if mine.all() else mine
                _add(sums, shared, chosen, study.estimates.scar[numbers, sums.section.place])
    return found


class _Shared:
    """What all sections take from a batch, made once."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        scaled = batch.errors / batch.sigma[:, None]
        lo = batch.day0 + batch.plan.windows.estimation[0]
        end = lo[:, None] + np.arange(scaled.shape[1])
        self.open = (end >= 0) & (end < batch.market.sessions)
        if batch.plan.masks:
            self.open &= batch.masked_sessions(end, end) == 0
        self.scaled = np.where(batch.used, scaled, np.nan)
        self.single = batch.used & (batch.span == 1)
        self.residuals = np.where(self.single, scaled, np.inf)
        order = np.argsort(self.scaled, axis=1)
        self.all_ranks = ranks_within(self.scaled, batch.used, order)
        self.residual_ranks = ranks_within(self.scaled, self.single, order)
        self.of_window: dict[Window, tuple[np.ndarray, np.ndarray]] = {}

    def ranks(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Centred ranks of an event's errors, estimation and window together, and where there are any."""
        if window not in self.of_window:
            batch = self.batch
            rows, inside = batch.rows_inside(window)
            event = np.where(inside, batch.predicted(rows, inside)[0] / (batch.sigma[:, None] * np.sqrt(rows.span)), np.nan)
            there = np.concatenate([batch.used, inside], axis=1)
            uniform = joined_ranks(self.scaled, self.all_ranks, event) / (there.sum(axis=1) + 1)[:, None] - 0.5
            self.of_window[window] = np.where(there, uniform, 0.0), there
        return self.of_window[window]


def _add(sums: Sums, shared: _Shared, mine: Chosen, scar: np.ndarray) -> None:
    batch, window = shared.batch, sums.section.window
    sums.open += shared.open[mine].sum(axis=0)
    sums.single += shared.single[mine].sum(axis=0)
    sums.every += batch.used[mine].sum(axis=0)
    sums.errors += np.where(shared.single[mine], batch.errors[mine], 0.0).sum(axis=0)
    uniform, there = shared.ranks(window)
    sums.uniform += uniform[mine].sum(axis=0)
    sums.there += there[mine].sum(axis=0)
    for row, values in enumerate((scar, scar / sums.spread if sums.spread > 0 else scar)):
        sums.generalised[row] += _generalised(shared, mine, values[mine])
    if sums.tiled.any():
        sums.tiled &= tiled_blocks(batch, length(window))[mine].all(axis=0)


def _generalised(shared: _Shared, mine: Chosen, scar: np.ndarray) -> np.ndarray:
    """Return sums of centred ranks by session, the SCAR put among each event's residuals, and its own last."""
    residuals, single = shared.residuals[mine], shared.single[mine]
    count = single.sum(axis=1)
    above, level = (single & (residuals > scar[:, None])), (single & (residuals == scar[:, None]))
    ranks = np.where(single, shared.residual_ranks[mine], 0.0) + above + 0.5 * level
    own = 1 + count - above.sum(axis=1) - 0.5 * level.sum(axis=1)
    uniform = np.where(single, ranks / (count + 2)[:, None] - 0.5, 0.0)
    return np.append(uniform.sum(axis=0), (own / (count + 2) - 0.5).sum())


def joined_ranks(values: np.ndarray, ranks: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return the ranks, ties averaged, of a few `more` values put among those of each row; NaN where there is no value.

    A value's rank is one more than the number of smaller ones, and half the number of equal ones.
    """
    above, level = np.zeros((2, *values.shape), dtype=np.int16)
    own = np.empty(more.shape)
    count = np.isfinite(values).sum(axis=1)
    for place, value in enumerate(more.T[..., None]):
        larger, equal = values > value, values == value
        above += larger
        if equal.any():  # hardly ever
            level += equal
        beside = (more < value).sum(axis=1) + 0.5 * ((more == value).sum(axis=1) - 1)
        own[:, place] = 1 + count - larger.sum(axis=1) - 0.5 * equal.sum(axis=1) + beside
    own[np.isnan(more)] = np.nan
    return np.concatenate([ranks + above + 0.5 * level, own], axis=1)


def tiled_blocks(batch: Batch, size: int) -> np.ndarray:
    """Tell which blocks of `size` sessions of the estimation window each event's rows tile (n, starts)."""
    count = batch.used.shape[1]
    event, column = np.nonzero(batch.used)
    first = batch.sample.start[event, column] + 1 - batch.day0[event] - batch.plan.windows.estimation[0]
    begins = np.zeros((len(batch.used), count + 1), dtype=np.int16)
    begins[event, first] = 1
    ends = np.zeros_like(begins)
    ends[:, 1:] = batch.used
    covered = np.cumsum(np.cumsum(begins - ends, axis=1)[:, :count] > 0, axis=1, dtype=np.int32)
    before = np.concatenate([np.zeros((len(covered), 1), dtype=np.int32), covered], axis=1)
    whole = before[:, size:] - before[:, :-size] == size
    found: np.ndarray = whole & (begins[:, : count - size + 1] == 1) & batch.used[:, size - 1 :]
    return found


@dataclass(frozen=True, eq=False)
class Blocks:
    """Sums over the events of one section at each placebo block that they all tile (rule C15).

    Parameters
    ----------
    starts : array (B,) of int
        First session of each block, relative to the event session.
    car, scar, squares : array (B,)
        Sums of CARs, of standardised CARs and of their squares.
    """

    starts: np.ndarray
    car: np.ndarray
    scar: np.ndarray
    squares: np.ndarray


def blocks_of(study: PanelStudy, sums: Sums) -> Blocks:
    """Delete every block that all events tile, fit each again without it, and predict the block."""
    lo = study.plan.windows.estimation[0]
    starts, size = np.flatnonzero(sums.tiled), length(sums.section.window)
    totals, sound = np.zeros((3, len(starts))), np.ones(len(starts), dtype=bool)
    if len(starts):
        for _, batch in study.batches(sums.section.members):
            car, scar, kept = predicted_blocks(batch, starts, size)
            totals += np.stack([car.sum(axis=0), scar.sum(axis=0), (scar**2).sum(axis=0)])
            sound &= kept.all(axis=0)
    return Blocks(starts[sound] + lo, *(total[sound] for total in totals))


def predicted_blocks(batch: Batch, starts: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return CARs and standardised CARs of blocks, each fitted without the block (n, B), and where such a fit exists.

    With Z the regressors over the root of the span and e the scaled errors, the fit without the rows w has the parameters
    theta - A_w Z_w'e_w, A_w = (Z'Z - Z_w'Z_w)^-1, and SSR less e_w'e_w + (Z_w'e_w)'A_w Z_w'e_w (rule C15, S7).
    """
    root, (_, z) = np.sqrt(batch.span), batch.scaled

    def over_blocks(values: np.ndarray) -> np.ndarray:
        running = np.concatenate([np.zeros_like(values[:, :1]), np.cumsum(values, axis=1)], axis=1)
        return np.asarray(running[:, starts + size] - running[:, starts])

    count = over_blocks(batch.used.astype(float))
    score, own = over_blocks(z * batch.errors[..., None]), over_blocks(batch.errors**2)
    x, sum_of_errors = over_blocks(z * root[..., None]), over_blocks(batch.errors * root)
    df = batch.df[:, None] - count
    size_of = z.shape[-1]
    if size_of:
        cross = over_blocks(z[..., :, None] * z[..., None, :])
        left = np.eye(size_of) - batch.inverse[:, None] @ cross
        kept = (np.linalg.det(left) > ALONE) & (df >= 1)
        left[~kept] = np.eye(size_of)
        inverse = np.linalg.solve(left, np.broadcast_to(batch.inverse[:, None], left.shape))
    else:
        kept, inverse = df >= 1, np.zeros((*df.shape, 0, 0))
    shift = (inverse @ score[..., None])[..., 0]
    car = sum_of_errors + (x * shift).sum(axis=-1)
    ssr = (batch.df * batch.sigma**2)[:, None] - own - (score * shift).sum(axis=-1)
    factor = size + (x * (inverse @ x[..., None])[..., 0]).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return car, car / np.sqrt(ssr / df * factor), kept
