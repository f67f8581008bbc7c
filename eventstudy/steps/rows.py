"""From prices to trading status, and from there to the rows every estimator sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.abnormal import HeldReturn, buy_and_hold
from eventstudy.calendar import SessionCalendar, positions_between
from eventstudy.errors import ConfigError, DataError, check_choice
from eventstudy.factors import Factor, factor_from_levels, factor_from_returns
from eventstudy.further import shifted_factor
from eventstudy.models.thin import shifted
from eventstudy.returns import TREATMENTS, ReturnKind, Treatment
from eventstudy.returns import trade_rows as internal_rows
from eventstudy.shapes import index_dates, index_series, share_series
from eventstudy.sources.base import Absent, PriceSeries
from eventstudy.sources.factortable import FactorUnits, factor_table
from eventstudy.steps.dates import Day, as_day, date_pairs, grid
from eventstudy.steps.dates import sessions as exchange_days
from eventstudy.trading import MISSING, NOT_LISTED, SUSPENDED, TRADED, UNKNOWN, Listing, total_return_level
from eventstudy.trading import trading_status as internal_status
from eventstudy.windows import Window, as_window

Prices = pd.DataFrame | pd.Series
Sessions = pd.DatetimeIndex | str
OWN_COLUMNS = ("tau", "end", "span", "closes", "ret", "mkt", "masked", "session")
WORDS = (TRADED, SUSPENDED, MISSING, NOT_LISTED, UNKNOWN)


def trading_status(
    prices: Prices,
    sessions: Sessions,
    *,
    symbol: str | None = None,
    volume: pd.Series | pd.DataFrame | None = None,
    suspended: Sequence[tuple[Day, Day]] = (),
    absent: Absent | None = None,
) -> pd.Series:
    """Tell for every session whether a share traded (rule A3).

    A session is suspended where it is declared or flagged so, where its volume is 0 and the close has not moved, or where it
    has no row and `absent` says so. Without volume two or more unchanged closes in a row count as suspended.

    Parameters
    ----------
    prices : DataFrame or Series
        One share: closes by date, a table (``close``, and ``adj_close``, ``volume``, ``status`` where known), yfinance's frame
        as it comes, or a long or wide frame of several shares with `symbol`. Price units, volume in shares. In any order;
        identical duplicate rows count once.
    sessions : DatetimeIndex or str
        The exchange's sessions, as `es.sessions` returns them, or its name: then from the first to the last date of `prices`.
        They ought to end where the prices end.
    symbol : str, optional
        The share, where `prices` has several.
    volume : Series or DataFrame, optional
        Shares traded, where `prices` has none.
    suspended : sequence of (date, date)
        Suspensions known from elsewhere, both ends inclusive.
    absent : {"suspended", "missing"}, optional
        What an absent row means; default ``missing`` for yfinance's frames, which have rows for suspended sessions, else
        ``suspended``.

    Returns
    -------
    Series of str, by session
        ``traded``, ``suspended``, ``missing`` (it traded, the source has no row), ``not_listed`` (before the first row) or
        ``unknown`` (a single unchanged close without volume: counted as traded). ``attrs["notes"]`` holds sentences on what was
        inferred.

    Raises
    ------
    ConfigError
        If the exchange is unknown or an argument cannot be read.
    DataError
        If the prices are unusable (zero, negative or infinite, dates that disagree) or of several shares.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.fetch_prices(["002415.SZ"], start="2019-09-27", end="2019-10-11", source="snapshot")
    >>> es.trading_status(prices, "XSHG").tail(5).tolist()  # Hikvision from 30 September to 11 October
    ['traded', 'suspended', 'suspended', 'traded', 'traded']
    """
    series = _series(prices, symbol, volume, absent)
    found = _session_index(sessions, series.frame.index, series.frame.index)
    return _status(series, grid(found), suspended)


def trade_rows(
    prices: Prices,
    benchmark: Prices,
    *,
    sessions: Sessions | None = None,
    event: Day | None = None,
    status: pd.Series | None = None,
    symbol: str | None = None,
    volume: pd.Series | pd.DataFrame | None = None,
    suspended: Sequence[tuple[Day, Day]] = (),
    absent: Absent | None = None,
    suspensions: Treatment = "trade-to-trade",
    returns: ReturnKind = "log",
    masks: Sequence[tuple[Day, Day]] = (),
    factors: pd.DataFrame | pd.Series | None = None,
    factor_units: FactorUnits | None = None,
    indices: Mapping[str, pd.Series] | None = None,
    shifts: int = 0,
) -> pd.DataFrame:
    """Return the rows every estimator sees: the return of a share and of its benchmark over the same sessions (rules A4 to A6).

    Parameters
    ----------
    prices, symbol, volume, suspended, absent
        As for `trading_status`. Total returns: adjusted closes are used where every traded session has one, else closes with
        the columns ``dividend`` and ``split`` (rule A2).
    benchmark : Series or DataFrame
        Its level by date; NaN or an absent date is no value that session, and rows span it.
    sessions : DatetimeIndex or str, optional
        The exchange's sessions, or its name. Default: the dates of `benchmark`.
    event : date, optional
        The event session; counts ``tau`` from there. It may be one on which the share is suspended.
    status : Series, optional
        Trading status by session, as `trading_status` returns it; goes before `sessions`, `volume`, `suspended` and `absent`.
    suspensions : {"trade-to-trade", "lumped", "uniform", "drop"}
        How suspended sessions are treated (rule A4).
    returns : {"log", "simple"}
        Kind of returns, of both share and benchmark, as decimals.
    masks : sequence of (date, date)
        Spells of dates to be left out of the estimation, both ends inclusive.
    factors : DataFrame, optional
        Further factor returns by session (simple), each cumulated over the sessions of a row.
    factor_units : {"percent", "decimal"}, optional
        Default: told from the values where they leave no doubt.
    indices : mapping of str to Series, optional
        Levels by date of further indices.
    shifts : int
        Adds the benchmark's returns of so many sessions before and after, as `ScholesWilliams` (1) and `Dimson` need them:
        ``market-1``, ``market+1``.

    Returns
    -------
    DataFrame, one row a return, by the session it ends in
        ``tau`` (with `event`), ``end`` (number of the session, from 0), ``span`` (sessions the return covers), ``closes``
        (``lumped`` and ``uniform`` only: the session that closes the gap), ``ret``, ``mkt`` (decimals), the factors, and
        ``masked`` (with `masks`). A suspended session has no row under ``trade-to-trade`` and ``drop``.

    Raises
    ------
    ConfigError
        If an argument cannot be read, or `event` is no session.
    DataError
        If prices, benchmark or factors are unusable.

    Examples
    --------
    >>> import eventstudy as es
    >>> dates = pd.to_datetime(["2019-10-07", "2019-10-08", "2019-10-09", "2019-10-10"])
    >>> share = pd.Series([100.0, None, None, 110.0], index=dates)  # no trade on the 8th and 9th
    >>> index = pd.Series([10.0, 10.5, 10.4, 10.2], index=dates)
    >>> rows = es.trade_rows(share, index, event="2019-10-08", returns="simple")
    >>> rows[["tau", "span", "ret", "mkt"]].round(3).to_dict("records")
    [{'tau': 2, 'span': 3, 'ret': 0.1, 'mkt': 0.02}]
    """
    check_choice("suspensions", suspensions, TREATMENTS)
    check_choice("returns", returns, ("log", "simple"))
    listing = _listing(prices, benchmark, sessions, status, symbol, volume, suspended, absent)
    listing = replace(listing, factors=_factors(listing, factors, factor_units, indices, shifts))
    found, calendar = internal_rows(listing, suspensions, returns), listing.calendar
    columns = {} if event is None else {"tau": found.end - _place(calendar, event)}
    columns |= {"end": found.end, "span": found.span}
    columns |= {"closes": found.closes} if suspensions in ("lumped", "uniform") else {}
    columns |= {"ret": found.ret, "mkt": found.mkt, **found.factors}
    if masks:
        touched = np.concatenate([[0], np.cumsum(_spells(calendar, masks))])
        columns["masked"] = touched[found.end + 1] > touched[found.end - found.span + 1]
    return pd.DataFrame(columns, index=pd.DatetimeIndex(calendar.sessions[found.end], name="session"))


def buy_and_hold_return(
    prices: Prices,
    benchmark: Prices,
    window: Window,
    *,
    event: Day,
    sessions: Sessions | None = None,
    status: pd.Series | None = None,
    symbol: str | None = None,
    volume: pd.Series | pd.DataFrame | None = None,
    suspended: Sequence[tuple[Day, Day]] = (),
    absent: Absent | None = None,
) -> HeldReturn:
    """Return what a share and its benchmark earned, bought at the close before a window and held to its end (rule A1).

    Parameters
    ----------
    window : (int, int)
        In sessions relative to the event session, inclusive.
    prices, benchmark, event, sessions, status, symbol, volume, suspended, absent
        As for `trade_rows`.

    Returns
    -------
    HeldReturn
        ``firm`` and ``benchmark``: simple returns as decimals; ``abnormal``: their difference, the BHAR. NaN with a ``reason``
        where the window is not covered, for example ``not_resumed``.

    Raises
    ------
    ConfigError, DataError
        As `trade_rows`.

    Examples
    --------
    >>> import eventstudy as es
    >>> dates = pd.to_datetime(["2019-10-07", "2019-10-08", "2019-10-09"])
    >>> share, index = pd.Series([100.0, 105.0, 110.0], index=dates), pd.Series([10.0, 10.1, 10.2], index=dates)
    >>> round(es.buy_and_hold_return(share, index, (0, 1), event="2019-10-08").abnormal, 3)
    0.08
    """
    listing = _listing(prices, benchmark, sessions, status, symbol, volume, suspended, absent)
    return buy_and_hold(listing, _place(listing.calendar, event), as_window(window, "window"))


def _listing(
    prices: Prices,
    benchmark: Prices,
    sessions: Sessions | None,
    status: pd.Series | None,
    symbol: str | None,
    volume: pd.Series | pd.DataFrame | None,
    suspended: Sequence[tuple[Day, Day]],
    absent: Absent | None,
) -> Listing:
    """Put a share and its benchmark on the session grid."""
    series = _series(prices, symbol, volume, absent)
    level = index_series(benchmark, "benchmark").frame["close"]
    if status is None:
        calendar = grid(_session_index(level.index if sessions is None else sessions, level.index, series.frame.index))
        status = _status(series, calendar, suspended)
    else:
        calendar, status = _given(status)
    if not series.frame.index.isin(calendar.sessions).any():
        ends = [f"{day:%Y-%m-%d}" for day in (calendar.sessions[0], calendar.sessions[-1])]
        raise DataError(f"prices: none of its dates is a session between {ends[0]} and {ends[1]}: give prices of that time")
    if not level.index.isin(calendar.sessions).any():
        raise DataError("benchmark: none of its dates is a session: give its level by session")
    words = status.to_numpy(dtype=object)
    places = np.flatnonzero((words == TRADED) | (words == UNKNOWN))
    days = calendar.sessions[places]
    closes = series.frame[["close", "adj_close"]].reindex(days)
    if (lacking := closes.isna().all(axis=1).to_numpy()).any():
        raise DataError(f"status says traded on {days[lacking][0]:%Y-%m-%d}, and prices has no close there: say missing")
    value = np.full(len(words), np.nan)
    if len(places):
        value[places] = total_return_level(series, days).to_numpy()
    end = int(calendar.sessions.searchsorted(level.index[-1], side="right")) - 1
    unlimited = np.full(len(words), "", dtype=object)
    reference = level.reindex(calendar.sessions).to_numpy(dtype=float)
    return Listing(series.symbol, calendar, words, value, reference, unlimited, end)


def _series(
    prices: Prices, symbol: str | None, volume: pd.Series | pd.DataFrame | None, absent: Absent | None
) -> PriceSeries:
    if absent is not None:
        check_choice("absent", absent, ("suspended", "missing"))
    series = share_series(prices, symbol, volume)
    return series if absent is None else replace(series, absent=absent)


def _status(series: PriceSeries, calendar: SessionCalendar, suspended: Sequence[tuple[Day, Day]]) -> pd.Series:
    spells = date_pairs(suspended, "suspended")
    first, last = calendar.sessions[[0, -1]]
    frame = series.frame.loc[first:last]
    words, notes = internal_status(replace(series, frame=frame), calendar, spells)
    if len(series.frame) and series.frame.index[0] < first:  # it was listed before the first session asked for
        words[words == NOT_LISTED] = series.absent
    index = pd.DatetimeIndex(calendar.sessions, name="session")
    found = pd.Series(words, index=index, name="status", dtype="str")
    found.attrs["notes"] = [*series.notes, *(text for _, text in notes)]
    return found


def _given(status: pd.Series) -> tuple[SessionCalendar, pd.Series]:
    """Check a trading status that the user hands over."""
    if not isinstance(status, pd.Series):
        raise ConfigError(f"status is a {type(status).__name__}: give the Series that trading_status returns")
    found = status.set_axis(_session_index(index_dates(status.index, "status")))
    if (wrong := ~found.isin(WORDS)).any():
        day, word = found.index[wrong][0], found[wrong].iloc[0]
        raise ConfigError(f"status is {word!r} on {day:%Y-%m-%d}: it is one of {', '.join(WORDS)}")
    return grid(pd.DatetimeIndex(found.index)), found


def _session_index(
    sessions: Sessions | pd.Index, reach: pd.Index | None = None, prices: pd.Index | None = None
) -> pd.DatetimeIndex:
    """Return sessions as dates; of an exchange by name those from the first price to the last date of `reach`."""
    if isinstance(sessions, str):
        assert reach is not None
        assert prices is not None
        return exchange_days(sessions, min(reach[0], prices[0]), reach[-1])
    if not isinstance(sessions, pd.Index | pd.Series | np.ndarray | list | tuple):
        raise ConfigError(f"sessions is a {type(sessions).__name__}: give what es.sessions returns, or the name of an exchange")
    found = index_dates(pd.Index(sessions), "sessions")
    if not len(found):
        raise ConfigError("sessions is empty: give the sessions from the first price to the last")
    if not (found.is_monotonic_increasing and found.is_unique):
        raise ConfigError("sessions are not in order, or one is there twice: give what es.sessions returns")
    return found


def _place(calendar: SessionCalendar, event: Day) -> int:
    day = as_day(event, "event")
    place = calendar.position(day)
    if place is None:
        raise ConfigError(
            f"event = {day:%Y-%m-%d} is no session between {calendar.sessions[0]:%Y-%m-%d} and "
            f"{calendar.sessions[-1]:%Y-%m-%d}: es.event_session tells the event session of an announcement"
        )
    return place


def _spells(calendar: SessionCalendar, masks: Sequence[tuple[Day, Day]]) -> np.ndarray:
    touched = np.zeros(len(calendar.sessions), dtype=bool)
    for first, last in date_pairs(masks, "masks"):
        touched[positions_between(calendar, first, last)] = True
    return touched


def _factors(
    listing: Listing,
    factors: pd.DataFrame | pd.Series | None,
    units: FactorUnits | None,
    indices: Mapping[str, pd.Series] | None,
    shifts: int,
) -> dict[str, Factor]:
    if shifts < 0:
        raise ConfigError(f"shifts = {shifts}: give a number of sessions from 0 on")
    days = listing.calendar.sessions
    found = {shifted(by): shifted_factor(listing.benchmark, by) for by in range(-shifts, shifts + 1) if by}
    for name, levels in (indices or {}).items():
        found[name] = factor_from_levels(index_series(levels, name).frame["close"].reindex(days).to_numpy(dtype=float))
    if factors is not None:
        factors = factors.to_frame() if isinstance(factors, pd.Series) else factors
        raw = factors if "date" in factors.columns else factors.reset_index(names="date")
        names = [str(name) for name in raw.columns if name != "date"]
        table = factor_table(raw.reset_index(drop=True), "factors", names, "", units).frame.reindex(days)
        found |= {name: factor_from_returns(table[name].to_numpy(dtype=float)) for name in names}
    if taken := sorted(set(found) & set(OWN_COLUMNS)):
        raise ConfigError(f"a factor cannot be called {taken[0]!r}, which is a column of the rows: rename it")
    return found
