"""A panel study: events by the hundred thousand, run in batches; one bad event never moves another's numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
import pandas as pd

from eventstudy.panel.batch import AHEAD, COEFFICIENTS, OUTCOMES, REASON, Batch, Fits
from eventstudy.panel.market import CODE, Market
from eventstudy.plan import Plan
from eventstudy.student import both_tails
from eventstudy.study import ALL, MASK_TOUCHES, Exclusion, mostly_suspended, too_few
from eventstudy.trading import UNKNOWN

AT_ONCE = 500  # events a batch: their matrices stay within some ten megabytes
NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Panel:
    """What every batch is made from: prices and where events lie in them; all a worker needs.

    Parameters
    ----------
    market, share, day0 : array (N,) of int
        Number of each event's market, its row there, and the position of the event session; -1 where there is none.
    """

    plan: Plan
    markets: tuple[Market, ...]
    now: dt.datetime
    market: np.ndarray
    share: np.ndarray
    day0: np.ndarray

    def batches(self, events: np.ndarray, known: Estimates | None = None) -> Iterator[tuple[np.ndarray, Batch]]:
        """Yield batches of dated events, with their numbers, and with what is `known` of all events."""
        for number, market in enumerate(self.markets):
            here = events[(self.market[events] == number) & (self.day0[events] != NOWHERE)]
            for start in range(0, len(here), AT_ONCE):
                part = here[start : start + AT_ONCE]
                share, day0 = self.share[part], self.day0[part]
                fits = Fits(*(getattr(known, item.name)[part] for item in fields(Fits))) if known else None
                yield part, Batch(market, self.plan, share, day0, self._masked[number], self._settled[number], fits)

    @cached_property
    def _masked(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [market.masked_before(self.plan.masks) for market in self.markets]

    @cached_property
    def _settled(self) -> list[int]:
        now = pd.Timestamp(self.now)
        closes = [market.calendar.closes for market in self.markets]
        return [0 if times is None else int(times.searchsorted(now, side="right")) for times in closes]


@dataclass(frozen=True, eq=False)
class Estimates:
    """What is kept of every event; the first axis are the events, W the CAR windows, K the parameters.

    Parameters
    ----------
    outcome : array (N,) of int8
        Place in ``OUTCOMES``; 0 where there is a fit.
    nobs, n_sessions, df : array (N,) of int
    sigma, r_squared, suspended_share, positive_share : array (N,)
    params : array (N, K)
    inverse : array (N, K, K)
        A, so that Var(params) = sigma^2 A.
    short_history : array (N,) of bool
    diagnosed : array (N, 4)
        Columns of `Batch.diagnosed`.
    reason : array (N, W) of int8
        Place in ``REASONS``; 0 where the CAR is defined.
    car, se : array (N, W)
    limit : array (N, W) of int8
        Place in ``LIMITS`` of the close that the window ends on.
    """

    outcome: np.ndarray
    nobs: np.ndarray
    n_sessions: np.ndarray
    df: np.ndarray
    sigma: np.ndarray
    r_squared: np.ndarray
    suspended_share: np.ndarray
    positive_share: np.ndarray
    params: np.ndarray
    inverse: np.ndarray
    short_history: np.ndarray
    diagnosed: np.ndarray
    reason: np.ndarray
    car: np.ndarray
    se: np.ndarray
    limit: np.ndarray

    @cached_property
    def scar(self) -> np.ndarray:
        """CARs over their standard errors (N, W)."""
        return np.asarray(self.car / self.se)

    @cached_property
    def p_value(self) -> np.ndarray:
        """Two-sided p-values of the CARs (N, W)."""
        return both_tails(self.scar, self.df[:, None])


DIAGNOSED = ("max_span", "estimation_error_share", "market_leverage", "pre_event_sd_ratio")


def estimate(panel: Panel, events: np.ndarray) -> Estimates:
    """Return the estimates of some events, in their order; of an event that has no session yet there are none."""
    size = len(COEFFICIENTS[panel.plan.model])
    shape: dict[str, tuple[int, ...]] = {"params": (size,), "inverse": (size, size), "diagnosed": (len(DIAGNOSED),)}
    windows = (len(panel.plan.windows.car),)
    shape |= dict.fromkeys(("reason", "car", "se", "limit"), windows)
    kinds = {"outcome": np.int8, "reason": np.int8, "limit": np.int8, "short_history": bool}
    kinds |= dict.fromkeys(("nobs", "n_sessions", "df"), np.int32)
    found = {}
    for item in fields(Estimates):
        kind = kinds.get(item.name, float)
        found[item.name] = np.full((len(events), *shape.get(item.name, ())), np.nan if kind is float else 0, dtype=kind)
    where = np.full(len(panel.day0), NOWHERE)
    where[events] = np.arange(len(events))
    for numbers, batch in panel.batches(events):
        for name, values in _of_batch(batch).items():
            found[name][where[numbers]] = values
    return Estimates(**found)


def _of_batch(batch: Batch) -> dict[str, np.ndarray]:
    fitted = batch.fitted
    ahead = batch.outcome == OUTCOMES.index(AHEAD)
    kept = {
        "outcome": batch.outcome,
        "nobs": batch.nobs,
        "n_sessions": (batch.span * batch.used).sum(axis=1),
        "df": batch.df,
        "sigma": batch.sigma,
        "r_squared": batch.r_squared,
        "suspended_share": batch.suspended_share,
        "positive_share": ((batch.errors > 0) & batch.used).sum(axis=1) / np.maximum(batch.nobs, 1),
        "params": batch.params,
        "inverse": batch.inverse,
        "short_history": batch.short_history,
        "diagnosed": np.column_stack(list(batch.diagnosed().values())),
    }
    windows = [batch.cumulate(window) for window in batch.plan.windows.car]
    kept["reason"] = np.column_stack([np.where(ahead, REASON["provisional"], one.reason) for one in windows])
    kept["car"] = np.column_stack([np.where(fitted, one.car, np.nan) for one in windows])
    kept["se"] = np.column_stack([np.where(fitted, one.se, np.nan) for one in windows])
    if batch.market.limit is not None:
        last = np.column_stack([batch.day0 + window[1] for window in batch.plan.windows.car])
        inside = last < batch.market.sessions
        limit = batch.market.limit[batch.share[:, None], np.clip(last, 0, batch.market.sessions - 1)]
        kept["limit"] = np.where(inside & (kept["reason"] == 0), limit, 0)
    return kept


def join(parts: Sequence[Estimates]) -> Estimates:
    """Put the estimates of consecutive events together."""
    return Estimates(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Estimates)))


@dataclass(frozen=True, eq=False)
class PanelEvents:
    """The events as they were written, in their order; every array has one entry an event.

    Parameters
    ----------
    event_id, symbol, name, group, announced : array of str
    reason : array of str
        Why an event has no place in the prices: ``unknown_symbol``, ``not_a_session``, ``before_calendar`` or
        ``calendar_end``; else empty.
    detail : mapping of int to str
        The same as a sentence, by number of the event.
    """

    event_id: np.ndarray
    symbol: np.ndarray
    name: np.ndarray
    group: np.ndarray
    announced: np.ndarray
    reason: np.ndarray
    detail: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.event_id)


@dataclass(frozen=True, eq=False)
class PanelStudy:
    """A panel after its events were run: what tables and tests are made from."""

    panel: Panel
    events: PanelEvents
    estimates: Estimates

    @property
    def plan(self) -> Plan:
        """What was asked for."""
        return self.panel.plan

    def batches(self, events: np.ndarray) -> Iterator[tuple[np.ndarray, Batch]]:
        """Yield batches of dated events, with their numbers and fits."""
        return self.panel.batches(events, self.estimates)

    @cached_property
    def excluded(self) -> np.ndarray:
        """Whether an event was left out (N,); one whose session lies ahead was not."""
        elsewhere = (self.events.reason != "") & (self.events.reason != "calendar_end")
        judged = (self.estimates.outcome != 0) & (self.estimates.outcome != OUTCOMES.index(AHEAD))
        return np.asarray(elsewhere | (judged & (self.panel.day0 != NOWHERE)))

    @cached_property
    def firms(self) -> np.ndarray:
        """Numbers of the events that were not left out."""
        return np.flatnonzero(~self.excluded)

    @cached_property
    def fitted(self) -> np.ndarray:
        """Numbers of the events with a fit."""
        return np.asarray(self.firms[(self.panel.day0[self.firms] != NOWHERE) & (self.estimates.outcome[self.firms] == 0)])

    @cached_property
    def reason(self) -> np.ndarray:
        """Place in ``REASONS`` of every CAR (N, W), those included whose event has no session yet."""
        ahead = self.events.reason == "calendar_end"
        return np.where(ahead[:, None], REASON["calendar_end"], self.estimates.reason)

    @cached_property
    def groups(self) -> dict[str, np.ndarray]:
        """Numbers of the events of each group, each symbol and session once: ``all`` first."""
        found = {ALL: self.firms}
        names = self.events.group[self.firms]
        for name in pd.unique(names):
            if name:
                found[str(name)] = self.firms[names == name]
        return {name: members[self._first_of_a_kind(members)] for name, members in found.items()}

    def _first_of_a_kind(self, members: np.ndarray) -> np.ndarray:
        symbols, sessions = pd.factorize(self.events.symbol[members])[0], self.session[members].astype("int64")
        return np.asarray(~pd.DataFrame({"symbol": symbols, "session": sessions}).duplicated().to_numpy())

    @cached_property
    def session(self) -> np.ndarray:
        """Event sessions (N,) as dates; NaT where there is none."""
        return self.dates(self.panel.day0)

    def dates(self, place: np.ndarray) -> np.ndarray:
        """Return dates of positions in each event's calendar (N,); NaT where it has no such session."""
        found = np.full(len(place), np.datetime64("NaT", "s"))
        for number, market in enumerate(self.panel.markets):
            here = (self.panel.market == number) & (place >= 0) & (place < market.sessions)
            found[here] = market.calendar.sessions.to_numpy().astype("datetime64[s]")[place[here]]
        return found

    def counted(self, group: str, window: int) -> np.ndarray:
        """Return the numbers of a group's events with a CAR in a window (by its place among the CAR windows)."""
        members = self.groups[group]
        return np.asarray(members[(self.reason[members, window] == 0) & (self.estimates.outcome[members] == 0)])

    def first_traded(self) -> np.ndarray:
        """Return the first session with a trade from the event session on (N,); NaT where there is none."""
        place = self.panel.day0.copy()
        for number, market in enumerate(self.panel.markets):
            left = np.flatnonzero((self.panel.market == number) & (place >= 0))
            while len(left):
                place[left[place[left] >= market.sessions]] = NOWHERE
                left = left[place[left] >= 0]
                left = left[market.status[self.panel.share[left], place[left]] > CODE[UNKNOWN]]
                place[left] += 1
        return self.dates(place)

    @cached_property
    def exclusions(self) -> tuple[Exclusion, ...]:
        """The events that were left out, with why."""
        event_id, symbol = self.events.event_id, self.events.symbol
        left = np.flatnonzero(self.excluded).tolist()
        return tuple(Exclusion(str(event_id[one]), str(symbol[one]), *self._exclusion(one)) for one in left)

    def _exclusion(self, number: int) -> tuple[str, str, str]:
        reason = str(self.events.reason[number])
        if reason:
            return "prices" if reason == "unknown_symbol" else "event", reason, self.events.detail.get(number, reason)
        found = self.estimates
        code = OUTCOMES[found.outcome[number]]
        return {
            "masked_event": ("event", code, MASK_TOUCHES),
            "too_few_observations": ("estimation", code, too_few(int(found.nobs[number]), self.plan)),
            "mostly_suspended": ("estimation", code, mostly_suspended(found.suspended_share[number])),
            "no_fit": ("estimation", code, "the share never deviates from the model, or the regressors are collinear"),
        }[code]  # fmt: skip
