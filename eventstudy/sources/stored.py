"""A remote source behind the store: serves what is there, fetches what is missing, tells what changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd

from eventstudy.calendar import SessionCalendar
from eventstudy.errors import DataError, NoPricesError, SourceUnreachableError
from eventstudy.sources.base import Kind, PriceSeries, Source
from eventstudy.store import RECOVERED, Action, Revision, Store, Stored, decide, joined, revisions

LATE = dt.timedelta(days=7)
Deed = Literal["served", "downloaded", "extended", "revised", "stale", "kept"]
TOLD: tuple[Deed, ...] = ("revised", "stale", "kept")  # what the reader of numbers must know at once


@dataclass(frozen=True)
class Outcome:
    """What was done about one series, with the figures the source had changed."""

    symbol: str
    source: str
    deed: Deed
    detail: str = ""
    revisions: tuple[Revision, ...] = ()


@dataclass
class StoredSource:
    """A source whose answers are kept.

    Parameters
    ----------
    inner : Source
        Asked for what the store lacks.
    calendar : callable
        The calendar of a symbol; rows of sessions that have not closed, plus `settle`, are never asked for.
    settle : timedelta
        How long after the close a price counts as settled.
    offline : bool
        Never ask `inner`.
    refresh : bool
        Ask `inner` again for what is stored.
    """

    inner: Source
    store: Store
    calendar: Callable[[str], SessionCalendar]
    now: dt.datetime
    settle: dt.timedelta = dt.timedelta(minutes=60)
    offline: bool = False
    refresh: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    remote: bool = False

    @property
    def name(self) -> str:
        """Name of the source behind the store."""
        return self.inner.name

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the rows of `symbol` between two dates, from the store where it has them.

        Raises
        ------
        SourceUnreachableError
            If the source is not to be reached, or `offline`, and the store cannot serve.
        DataError
            If the source's answer cannot be used and the store cannot serve.
        """
        calendar = self.calendar(symbol)
        last = min(end, last_settled(calendar, self.now, self.settle))
        if last < start:
            raise DataError(f"{symbol}: no session has closed yet between {start:%Y-%m-%d} and {end:%Y-%m-%d}")
        want = start.date(), last.date()
        with self.store.locked(self.name, symbol):
            have = self.store.read(self.name, symbol, kind, self._origin(kind))
            again = not self.offline and (self.refresh or (have is not None and have.fetched_at == RECOVERED))
            action = decide((have.start, have.end) if have else None, want, calendar.sessions, again)
            stored = self._act(symbol, kind, have, action, want)
        rows = stored.series.frame.loc[pd.Timestamp(want[0]) : pd.Timestamp(want[1])]
        if rows["close"].isna().all() and rows["adj_close"].isna().all():
            span = f"{want[0]} to {want[1]}"
            raise NoPricesError(f"{self.name} has no price of {symbol} from {span}: check the symbol and the dates")
        vintage = stored.series.vintage or stored.series.content_hash
        when = "" if stored.fetched_at == RECOVERED else stored.fetched_at
        return replace(stored.series, frame=rows, vintage=vintage, fetched_at=when)

    def _act(self, symbol: str, kind: Kind, have: Stored | None, action: Action, want: tuple[dt.date, dt.date]) -> Stored:
        if have is not None and action.verb == "serve":
            if have.fetched_at == RECOVERED:
                return self._older(symbol, have, "run without --offline to fetch it again")
            self._note(symbol, "served", f"stored up to {have.end}")
            return have
        try:
            if self.offline:
                raise SourceUnreachableError(f"the store lacks {symbol} for {want[0]} to {want[1]}: run without --offline")
            return self._fetch(symbol, kind, have, action)
        except DataError as problem:
            return self._stale(symbol, have, want, problem)
        except SourceUnreachableError as problem:
            return self._stale(symbol, have, want, problem)

    def _stale(self, symbol: str, have: Stored | None, want: tuple[dt.date, dt.date], problem: Exception) -> Stored:
        """Serve what is stored although the source fails, if at most its end is missing."""
        if have is None or not have.start <= want[0] <= have.end:
            raise problem
        if have.fetched_at == RECOVERED:
            return self._older(symbol, have, str(problem))
        if want[1] <= have.end:
            self._note(symbol, "kept", f"stored up to {have.end} and not fetched again: {problem}")
        else:
            self._note(symbol, "stale", f"stored up to {have.end} only: {problem}")
        return have

    def _older(self, symbol: str, have: Stored, remedy: str) -> Stored:
        """Serve an older vintage in place of a damaged one, and say so wherever the series is spoken of."""
        text = f"the newest stored series is damaged or lost, an older one up to {have.end} is used"
        self._note(symbol, "stale", f"{text}: {remedy}")
        return replace(have, series=replace(have.series, doubts=(*have.series.doubts, ("older_vintage", text))))

    def _fetch(self, symbol: str, kind: Kind, have: Stored | None, action: Action) -> Stored:
        new = self._ask(symbol, kind, action)
        if have is not None and action.verb == "update":
            changed = revisions(have.series, new)
            split = bool((new.frame["split"][new.frame.index > pd.Timestamp(have.end)] != 1).any())
            if not changed and not split:
                self._note(symbol, "extended", f"from {have.end} to {action.end}")
                return self._keep(joined(have.series, new), have.start, action.end)
            action = Action("download", min(have.start, action.start), action.end)
            new = self._ask(symbol, kind, action)
        changed = revisions(have.series, new) if have is not None else []
        if changed:
            shown = "; ".join(str(item) for item in changed[:5]) + (f"; and {len(changed) - 5} more" if len(changed) > 5 else "")
            self._note(symbol, "revised", shown, tuple(changed))
        else:
            self._note(symbol, "downloaded", f"{action.start} to {action.end}")
        return self._keep(new, action.start, action.end)

    def _ask(self, symbol: str, kind: Kind, action: Action) -> PriceSeries:
        return self.inner.fetch(symbol, pd.Timestamp(action.start), pd.Timestamp(action.end), kind)

    def _keep(self, series: PriceSeries, start: dt.date, end: dt.date) -> Stored:
        if self.now.date() - end < LATE:  # the last rows, or their closes, may still be on their way
            said = series.frame[["close", "adj_close", "status"]].notna().any(axis=1)
            last = series.frame.index[said][-1] if said.any() else series.frame.index[-1]
            series, end = replace(series, frame=series.frame.loc[:last]), min(end, last.date())
        stored = Stored(series, start, end, self.now.astimezone(dt.UTC).isoformat(timespec="seconds"))
        self.store.write(stored, self._origin(series.kind))
        return stored

    def _origin(self, kind: Kind) -> str:
        told = getattr(self.inner, "origin", None)
        return str(told(kind)) if told else ""

    def _note(self, symbol: str, deed: Deed, detail: str, changed: tuple[Revision, ...] = ()) -> None:
        self.outcomes.append(Outcome(symbol, self.name, deed, detail, changed))


def last_settled(calendar: SessionCalendar, now: dt.datetime, settle: dt.timedelta) -> pd.Timestamp:
    """Return the last session that closed at least `settle` ago."""
    if calendar.closes is None:
        return pd.Timestamp(now.date()) - pd.Timedelta(days=1)
    place = int(calendar.closes.searchsorted(pd.Timestamp(now) - settle, side="right")) - 1
    return calendar.sessions[max(place, 0)]
