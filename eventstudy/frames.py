"""Research code's door: event studies on plain DataFrames, and prices as a DataFrame."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import pandas as pd

from eventstudy.configfile import data_keys
from eventstudy.errors import ConfigError, DataError, check_choice
from eventstudy.eventtable import EVENT_COLUMNS, EventTable, events_from_table, symbols_of
from eventstudy.headline import checked_headline
from eventstudy.inputs import check_peers
from eventstudy.models import MODEL_NAMES
from eventstudy.models.options import ModelOptions, missing_option, refused_treatment
from eventstudy.models.robust import COVARIANCES, ESTIMATORS, Covariance, Estimator
from eventstudy.panel.build import run_inputs
from eventstudy.panel.engines import ENGINES, Engine, Watch, unwatched
from eventstudy.plan import EngineName, FirmSettings, MaskedSpell, Plan, StudyInputs
from eventstudy.prices import Fetching, price_source
from eventstudy.result import StudyResult
from eventstudy.returns import TREATMENTS, ReturnKind, Treatment
from eventstudy.shapes import index_series, plain_series, price_series
from eventstudy.sources.base import Kind, PriceSeries
from eventstudy.sources.factortable import FactorTable, FactorUnits, factor_table
from eventstudy.steps.dates import Day, date_pairs
from eventstudy.windows import Windows, as_window

BENCHMARK, INDUSTRY, GLOBAL = "benchmark", "industry_benchmark", "global_benchmark"


def event_study(
    events: pd.DataFrame,
    prices: pd.DataFrame,
    benchmark: pd.Series | pd.DataFrame,
    *,
    windows: Windows,
    model: str = "market",
    returns: ReturnKind = "log",
    suspensions: Treatment = "trade-to-trade",
    calendar: str = "benchmark",
    volume: pd.DataFrame | None = None,
    price_limit: float | None = None,
    masks: Sequence[tuple[Day, Day]] = (),
    tests: str | Iterable[str] = "all",
    headline: Sequence[str] | None = None,
    headline_window: tuple[int, int] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    now: dt.datetime | None = None,
    factors: pd.DataFrame | None = None,
    factor_columns: Sequence[str] | None = None,
    risk_free_column: str = "",
    factor_units: FactorUnits | None = None,
    peers: Sequence[str] = (),
    industry_benchmark: pd.Series | None = None,
    global_benchmark: pd.Series | None = None,
    global_calendar: str = "",
    lags: int = 1,
    leads: int = 1,
    fowler_rorke: bool = False,
    estimator: Estimator = "ols",
    cov: Covariance = "classical",
    engine: EngineName = "local",
    scheduler: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> StudyResult:
    """Run an event study on DataFrames.

    Parameters
    ----------
    events : DataFrame
        One row a firm and event: ``event_id``, ``symbol`` and one of ``session``, ``announced_at`` and
        ``announced_on``; optionally ``timezone``, ``date_only``, ``group``, ``label``.
    prices : DataFrame
        Long (``date, symbol, close`` and optionally ``adj_close, volume``), wide (index date, one column of
        closes a symbol), or as yfinance returns them (two levels of columns, time zones).
    benchmark : Series
        Benchmark level by date; NaN is no value that session.
    windows : Windows
        Estimation, event and CAR windows, in sessions.
    model : str
        ``mean``, ``market_adjusted``, ``market``, ``capm``, ``factors``, ``peers``, ``two_index``, ``industry``,
        ``scholes_williams``, ``dimson`` or ``garch``.
        What expected returns come from; some need one of the arguments from `factors` on.
    returns : {"log", "simple"}
    suspensions : {"trade-to-trade", "lumped", "uniform", "drop"}
    calendar : str
        An exchange_calendars name, or ``benchmark``: the sessions are the benchmark's dates.
    volume : DataFrame, optional
        Wide volumes in shares. Without volume, two or more unchanged closes in a row count as suspended,
        a single one is ``unknown`` and counts as traded.
    price_limit : float, optional
        Daily price limit as a fraction; marks closes at the limit.
    masks : sequence of (date, date)
        Inclusive spells of dates left out of the estimation.
    tests : "all" or names
    headline : sequence of two names, optional
        One parametric test and one by resampling or ranks; default by the number of firms.
    headline_window : (int, int), optional
        Default: the first CAR window.
    alpha : float
        One less the confidence level.
    seed : int
        For resampling.
    now : datetime, optional
        The moment that decides whether a window is complete; default the present.
    factors : DataFrame, optional
        Factor returns by session (index, or a column ``date``), for ``capm`` and ``factors``.
    factor_columns : sequence of str, optional
        Columns to regress on; default all but the risk-free one.
    risk_free_column : str
        Column with the risk-free return of a session.
    factor_units : {"percent", "decimal"}, optional
        Default: told from the values where they leave no doubt.
    peers : sequence of str
        Symbols in `prices` that make up the peer portfolio; none of them has an event.
    industry_benchmark, global_benchmark : Series, optional
        Levels by date of the industry index, and of the index of another exchange.
    global_calendar : str
        exchange_calendars name of the sessions of `global_benchmark`.
    lags, leads : int
        Sessions before and after whose benchmark returns ``dimson`` adds.
    fowler_rorke : bool
        Whether ``dimson`` weights its slopes as Fowler and Rorke have it.
    estimator : {"ols", "huber", "lad"}
        Least squares, Huber's estimator or least absolute deviations.
    cov : {"classical", "hac"}
        Covariance of least-squares parameters.
    engine : {"local", "dask"}
        Where the events of a large study are estimated; the numbers are the same.
    scheduler : str
        Address of a dask scheduler such as ``tcp://10.0.0.5:8786``; empty: workers are started on this machine.
    progress : callable, optional
        Is called with how many chunks of events are done, and of how many, in a large study.

    Returns
    -------
    StudyResult

    Raises
    ------
    ConfigError
        If an argument or an events row cannot be used.
    DataError
        If prices are unusable, or every event is excluded.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.fetch_prices(["002415.SZ"], start="2018-09-01", end="2019-11-15", source="snapshot")
    >>> index = es.fetch_prices(["000300.SS"], start="2018-09-01", end="2019-11-15", source="snapshot")
    >>> events = pd.DataFrame({"event_id": ["ban"], "symbol": ["002415.SZ"], "session": ["2019-10-08"]})
    >>> windows = es.Windows(estimation=(-250, -31), event=(-10, 10), car=[(0, 2)])
    >>> result = es.event_study(events, prices, index.set_index("date")["close"], windows=windows)
    >>> print(f"{result.cars['car'].iloc[0]:.3f}")
    -0.065
    """
    check_choice("model", model, MODEL_NAMES)
    check_choice("returns", returns, ("log", "simple"))
    check_choice("estimator", estimator, ESTIMATORS)
    check_choice("cov", cov, COVARIANCES)
    check_choice("suspensions", suspensions, TREATMENTS)
    check_choice("engine", engine, ENGINES)
    if scheduler and engine == "local":
        raise ConfigError(f'scheduler = {scheduler!r} is for engine = "dask", here it is "local": set engine = "dask"')
    _check_values(alpha, price_limit, seed, progress, now)
    if not isinstance(windows, Windows):
        raise ConfigError(f"windows is a {type(windows).__name__}: give es.Windows(estimation=..., event=..., car=[...])")
    if benchmark is None:
        raise DataError("benchmark is missing: give its level by date")
    # later changes to the caller's frames are not ours: a shallow copy of pandas keeps what it was taken from
    prices = prices.copy(deep=False) if isinstance(prices, pd.DataFrame) else prices
    volume = volume.copy(deep=False) if isinstance(volume, pd.DataFrame) else volume
    events = _event_rows(events).copy(deep=False)
    indices = {
        name: index_series(levels, name)
        for name, levels in ((BENCHMARK, benchmark), (INDUSTRY, industry_benchmark), (GLOBAL, global_benchmark))
        if levels is not None
    }
    table = _factors(factors, factor_columns, risk_free_column, factor_units) if factors is not None else None
    options = ModelOptions(
        _columns_of(table, risk_free_column), risk_free_column, tuple(peers), GLOBAL if GLOBAL in indices else "",
        global_calendar, INDUSTRY if INDUSTRY in indices else "", lags, leads, fowler_rorke, estimator, cov,
    )  # fmt: skip
    if lacking := missing_option(model, options, table is not None) or refused_treatment(model, suspensions):
        raise ConfigError(lacking)
    window = as_window(headline_window, "headline_window") if headline_window is not None else windows.car[0]
    names = _test_names(tests)
    if window not in windows.car:
        raise ConfigError(f"headline_window {list(window)} is none of the CAR windows: add it to windows")
    plan = Plan(
        windows, window, model, returns, suspensions, names, alpha, seed, calendar,
        tuple(MaskedSpell(*spell, "mask") for spell in date_pairs(masks, "masks")), headline=_headline(headline, names),
        model_options=options,
    )  # fmt: skip
    asked = _Asked(plan, events, prices, indices, volume, price_limit, now or dt.datetime.now(dt.UTC), table)
    return run_inputs(asked.inputs(), engine=Engine(engine, scheduler, _watched(progress)))


def _watched(progress: Callable[[int, int], None] | None) -> Watch:
    if progress is None:
        return unwatched

    def watch(items: Sequence[str]) -> Iterator[str]:
        for done, item in enumerate(items, 1):
            yield item
            progress(done, len(items))

    return watch


@dataclass(frozen=True, eq=False)
class _Asked:
    """What `event_study` was asked for: frames as they came, beside a checked plan."""

    plan: Plan
    events: pd.DataFrame
    prices: pd.DataFrame
    indices: dict[str, PriceSeries]
    volume: pd.DataFrame | None
    price_limit: float | None
    now: dt.datetime
    factors: FactorTable | None

    def inputs(self) -> StudyInputs:
        """Return what the study is computed from."""
        rows, peers = events_from_table(self.events, "events"), self.plan.model_options.peers
        check_peers(peers, rows)
        symbols = list(dict.fromkeys([*symbols_of(rows), *peers]))
        if taken := [symbol for symbol in symbols if symbol in self.indices]:
            raise ConfigError(f"a share cannot be called {taken[0]!r}, which names an index here: rename it in events and prices")
        wide = plain_series(self.prices, symbols, self.volume) if isinstance(rows, EventTable) else None
        if wide is None:
            series: Mapping[str, PriceSeries] = price_series(self.prices, symbols, self.volume) | self.indices
        else:
            series = replace(wide, others=self.indices)
        settings = FirmSettings(BENCHMARK, price_limit=self.price_limit)
        unknown = {symbol: "no column or rows in prices" for symbol in symbols if symbol not in series}
        firms = dict.fromkeys(symbols, settings)
        return StudyInputs(self.plan, rows, firms, series, unknown, self.now, factors=self.factors)


def _event_rows(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events with a plain index; keys that stand in the index become columns."""
    if not isinstance(events, pd.DataFrame):
        raise ConfigError(f"events is a {type(events).__name__}: give a DataFrame, one row a firm and event")
    keyed = any(name in EVENT_COLUMNS for name in events.index.names)
    return events.reset_index(drop=not keyed)


def _factors(
    table: pd.DataFrame, columns: Sequence[str] | None, risk_free: str, units: FactorUnits | None
) -> FactorTable:
    raw = table if "date" in table.columns else table.reset_index(names="date")
    names = [str(name) for name in raw.columns if name not in ("date", risk_free)] if columns is None else list(columns)
    return factor_table(raw.reset_index(drop=True), "factors", names, risk_free, units)


def _columns_of(table: FactorTable | None, risk_free: str) -> tuple[str, ...]:
    return tuple(str(name) for name in table.frame.columns if name != risk_free) if table else ()


def _check_values(alpha: Any, price_limit: Any, seed: Any, progress: Any, now: Any) -> None:
    if not isinstance(alpha, Real) or not 0 < float(alpha) < 1:
        raise ConfigError(f"alpha = {alpha} is no level: give a number between 0 and 1, such as 0.05")
    if price_limit is not None and (not isinstance(price_limit, Real) or not 0 < float(price_limit) < 1):
        raise ConfigError(f"price_limit = {price_limit!r} is no daily limit: give a fraction such as 0.10")
    if not isinstance(seed, Integral):
        raise ConfigError(f"seed = {seed!r} is no whole number: give one, such as 0")
    if progress is not None and not callable(progress):
        raise ConfigError(f"progress is a {type(progress).__name__}: give a function of how many chunks are done and of how many")
    if now is not None and not isinstance(now, dt.datetime):
        raise ConfigError(f"now is a {type(now).__name__}: give a datetime with a time zone, such as datetime.now(datetime.UTC)")
    if now is not None and now.tzinfo is None:
        raise ConfigError(f"now = {now!r} has no time zone: give one, such as datetime.now(datetime.UTC)")


def _test_names(tests: str | Iterable[str]) -> tuple[str, ...]:
    from eventstudy.inference.registry import TEST_NAMES

    if tests == "all":
        return TEST_NAMES
    if not isinstance(tests, Iterable):
        raise ConfigError(f"tests = {tests!r}: give 'all', names of tests, or () for none")
    names = (tests,) if isinstance(tests, str) else tuple(tests)
    for name in names:
        check_choice("tests", name, TEST_NAMES)
    return names


def _headline(headline: Sequence[str] | None, tests: tuple[str, ...]) -> tuple[str, ...]:
    if headline is None:
        return ()
    if isinstance(headline, str) or not isinstance(headline, Iterable):
        raise ConfigError(f"headline = {headline!r}: give the names of two tests, or leave it out for the rule")
    try:
        return checked_headline(headline, tests)
    except ValueError as problem:
        raise ConfigError(str(problem)) from problem


def fetch_prices(
    symbols: Iterable[str],
    start: str | dt.date,
    end: str | dt.date,
    source: str | Sequence[str] = "yahoo",
    kind: Kind = "share",
    **settings: Any,
) -> pd.DataFrame:
    """Fetch daily prices as a long table.

    Parameters
    ----------
    symbols : iterable of str
    start, end : str or date
        Both inclusive.
    source : str or sequence of str
        Name of a source, such as ``yahoo`` or ``snapshot``; of several, the first that has a symbol serves it.
    kind : {"share", "index"}
    **settings
        The source's own keys, as in ``[data.<source>]``; with several sources, a dict of them by source.

    Returns
    -------
    DataFrame
        date, symbol, close (as traded), adj_close, volume (shares), dividend, split.

    Raises
    ------
    ConfigError
        If the source is unknown.
    DataError
        If a symbol is unknown or its prices are unusable.

    Examples
    --------
    >>> import eventstudy as es
    >>> prices = es.fetch_prices(["002415.SZ"], start="2019-09-30", end="2019-10-10", source="snapshot")
    >>> print(prices[["date", "close", "volume"]].to_string(index=False))  # suspended on 8 and 9 October
          date  close      volume
    2019-09-30   32.3  29607444.0
    2019-10-08   32.3         0.0
    2019-10-09   32.3         0.0
    2019-10-10   30.9 169438557.0
    """
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    chosen = {source: settings} if isinstance(source, str) and settings else settings
    data = data_keys({"source": source, **chosen})
    provider = price_source(data, Path.cwd(), Fetching())
    parts = []
    for symbol in [symbols] if isinstance(symbols, str) else symbols:
        frame = provider.fetch(symbol, first, last, kind).frame.loc[first:last]
        parts.append(frame.reset_index().assign(symbol=symbol))
    columns = ["date", "symbol", "close", "adj_close", "volume", "dividend", "split"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
