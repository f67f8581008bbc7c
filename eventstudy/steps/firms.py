"""Several shares together: the covariance of their CARs, the tests across them, and placebo dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from eventstudy.calendar import SessionCalendar
from eventstudy.draws import OF_BLOCKS
from eventstudy.errors import ConfigError, DataError
from eventstudy.inference.bootstrap import BOOTSTRAP, bootstrap_test
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.placebo import PlaceboBlocks, placebo_blocks
from eventstudy.inference.registry import CLOSED_FORM, placebo_result, run_test
from eventstudy.inference.result import TestResult
from eventstudy.steps.effects import CumulativeAbnormalReturn
from eventstudy.trading import Listing

Cars = Mapping[str, CumulativeAbnormalReturn] | Sequence[CumulativeAbnormalReturn]

RUNNABLE = (*CLOSED_FORM, *OF_BLOCKS, *BOOTSTRAP)
FIELDS = ("name", "null", "statistic", "df", "p_value", "n", "reason", "p_left", "p_right", "floor")


def car_covariance(cars: Cars) -> pd.DataFrame:
    """Return the covariance of several shares' CARs over one window, cross-correlation included (rule C7).

    Pairs are weighted by the sessions that they share, in the window and through their estimated parameters; residuals are
    paired by session, and those of shares whose windows share no session count as uncorrelated (rule C6).

    Parameters
    ----------
    cars : mapping of str to CumulativeAbnormalReturn, or sequence of them
        Of one window, made from rows that count the same sessions: with the same `sessions` or benchmark. Undefined ones are
        left out.

    Returns
    -------
    DataFrame, N by N
        In squared decimals, by the keys of the mapping, else by place. The standard error of the mean CAR is the square root
        of its mean element. The diagonal holds the squared standard errors.

    Raises
    ------
    ConfigError
        If the windows differ.
    DataError
        If no CAR is defined, two shares have fewer than 30 estimation sessions in common, a fit is no least squares, or the
        rows count sessions differently.

    Examples
    --------
    >>> import eventstudy as es
    >>> rng = np.random.default_rng(1)
    >>> rows = pd.DataFrame({"tau": range(-60, 1), "mkt": rng.normal(0, 0.01, 61)})
    >>> cars = {}
    >>> for name in ("A", "B"):
    ...     own = rows.assign(ret=rows["mkt"] + rng.normal(0, 0.02, 61))
    ...     cars[name] = es.cumulative_abnormal_return(es.MarketModel().fit(es.rows_inside(own, (-60, -1))), own, (0, 0))
    >>> covariance = es.car_covariance(cars)
    >>> bool(np.isclose(covariance.loc["A", "A"], cars["A"].se_car ** 2))
    True
    """
    names, found = _defined(cars)
    if not found:
        raise DataError("no CAR is defined, so there is no covariance: see the reasons")
    cross = cross_section(found)
    if not cross.least_squares:
        raise DataError("a fit is no least squares, and the covariance is made of its linear form: see the placebo tests")
    if not cross.correlation.enough:
        raise DataError("two shares have fewer than 30 estimation sessions in common: their correlation is not known")
    return pd.DataFrame(cross.covariance, index=names, columns=names)


def run_tests(cars: Cars, tests: str | Iterable[str] = "all", *, seed: int = 0) -> pd.DataFrame:
    """Run tests across shares on their CARs over one window, as a study does.

    Parameters
    ----------
    cars : mapping of str to CumulativeAbnormalReturn, or sequence of them
        As for `car_covariance`; a share at two events counts as two.
    tests : "all" or names
        Of a study's tests; not ``placebo_max`` (several windows) and differences of groups.
    seed : int
        Of the bootstraps.

    Returns
    -------
    DataFrame, one row a test
        ``name``, ``null`` (``mean``: the expected abnormal return is 0, its variance may have changed; ``sharp``: the event
        changed nothing), ``statistic``, ``df``, ``p_value`` (two-sided), ``n``, ``reason`` (why it does not apply, or what it
        assumes), ``p_left``, ``p_right``, ``floor`` (smallest p-value that so many shares or draws can give).

    Raises
    ------
    ConfigError
        If a test is unknown or the windows differ.
    DataError
        If the rows count sessions differently.

    Examples
    --------
    >>> import eventstudy as es
    >>> rng = np.random.default_rng(1)
    >>> rows = pd.DataFrame({"tau": range(-60, 1), "mkt": rng.normal(0, 0.01, 61)})
    >>> cars = []
    >>> for effect in (-0.03, -0.05, -0.04):
    ...     own = rows.assign(ret=rows["mkt"] + rng.normal(0, 0.01, 61) + effect * (rows["tau"] == 0))
    ...     cars.append(es.cumulative_abnormal_return(es.MarketModel().fit(es.rows_inside(own, (-60, -1))), own, (0, 0)))
    >>> table = es.run_tests(cars, ["portfolio_t", "placebo_caar"]).set_index("name")
    >>> int(table.loc["portfolio_t", "n"]), bool(table.loc["placebo_caar", "p_value"] < 0.05)
    (3, True)
    """
    names = RUNNABLE if isinstance(tests, str) and tests == "all" else (tests,) if isinstance(tests, str) else tuple(tests)
    for name in names:
        if name not in RUNNABLE:
            raise ConfigError(f"tests = {name!r} is none of {', '.join(RUNNABLE)}")
    found = _defined(cars)[1]
    cross = cross_section(found) if found else CrossSection((0, 0), ())
    blocks = placebo_blocks(cross) if found and set(names) & set(OF_BLOCKS) else None
    results = [_result(name, cross, blocks, seed) for name in names]
    return pd.DataFrame([[getattr(result, field) for field in FIELDS] for result in results], columns=list(FIELDS))


def _result(name: str, cross: CrossSection, blocks: PlaceboBlocks | None, seed: int) -> TestResult:
    if name in OF_BLOCKS:
        draws = OF_BLOCKS[name](blocks) if blocks is not None else None
        return placebo_result(name, draws, len(cross.firms), bool(cross.firms) and cross.staggered)
    return bootstrap_test(name, cross, seed) if name in BOOTSTRAP else run_test(name, cross)


def placebo_cars(cars: Cars) -> pd.DataFrame:
    """Return the CARs of several shares at every placebo date: what a window of these shares looks like without the event.

    Every block of estimation sessions as long as the window that all shares tile is deleted, each share is fitted again without
    it, and the block is predicted (rule C15). A statistic of the rows, compared with the same statistic of `cars` by
    `es.inference.placebo_p_value`, is a test that keeps cross-correlation and fat tails.

    Parameters
    ----------
    cars : mapping of str to CumulativeAbnormalReturn, or sequence of them
        As for `car_covariance`.

    Returns
    -------
    DataFrame, blocks by shares
        CARs as decimals, by the first session of each block relative to the event session (``start``).

    Raises
    ------
    ConfigError, DataError
        As `run_tests`; also if no CAR is defined.

    Examples
    --------
    >>> import eventstudy as es
    >>> rng = np.random.default_rng(1)
    >>> rows = pd.DataFrame({"tau": range(-60, 1), "ret": rng.normal(0, 0.01, 61)})
    >>> fit = es.ConstantMean().fit(es.rows_inside(rows, (-60, -1)))
    >>> draws = es.placebo_cars({"A": es.cumulative_abnormal_return(fit, rows, (0, 0))})
    >>> past = rows["ret"].iloc[:60]
    >>> bool(np.isclose(draws["A"].iloc[0], past[0] - past[1:].mean()))  # fitted without the day itself
    True
    """
    names, found = _defined(cars)
    if not found:
        raise DataError("no CAR is defined, so there are no placebo dates: see the reasons")
    blocks = placebo_blocks(cross_section(found))
    return pd.DataFrame(blocks.car, index=pd.Index(blocks.starts, name="start"), columns=names)


def _defined(cars: Cars) -> tuple[list[str | int], list[CumulativeAbnormalReturn]]:
    if not isinstance(cars, Iterable):
        raise ConfigError(f"cars is a {type(cars).__name__}: give a list of what cumulative_abnormal_return makes")
    named = list(cars.items()) if isinstance(cars, Mapping) else list(enumerate(cars))
    if any(not isinstance(car, CumulativeAbnormalReturn) for _, car in named):
        raise ConfigError("cars holds something else than cumulative_abnormal_return makes: for numbers see es.inference")
    windows = {car.window for _, car in named}
    if len(windows) > 1:
        raise ConfigError(f"the CARs are of {len(windows)} windows, {sorted(windows)}: test one at a time")
    kept = [(name, car) for name, car in named if not car.reason]
    return [name for name, _ in kept], [car for _, car in kept]


def cross_section(cars: Sequence[CumulativeAbnormalReturn]) -> CrossSection:
    """Put defined CARs on one grid of sessions, as the tests across firms need them."""
    _check_sessions(cars)
    lowest = min(_first(car) for car in cars)
    shift = max(1 - lowest, 0)
    last = max(max(int(car.fit.inner.rows.end.max()), int(car.found.rows.end.max())) for car in cars) + shift
    calendar = SessionCalendar("sessions", pd.date_range("1900-01-01", periods=last + 1))
    return CrossSection(cars[0].window, tuple(_firm(car, shift, calendar) for car in cars))


def _first(car: CumulativeAbnormalReturn) -> int:
    rows = car.fit.inner.rows
    return min(int((rows.end - rows.span).min()), car.found.event_day() + car.window[0])


def _firm(car: CumulativeAbnormalReturn, shift: int, calendar: SessionCalendar) -> FirmCar:
    fit, cumulative, count = car.fit.inner, car.inner, len(calendar.sessions)
    if shift:
        rows = fit.rows
        fit = replace(fit, rows=replace(rows, end=rows.end + shift, closes=rows.closes + shift))
        if (within := cumulative.rows) is not None:
            cumulative = replace(cumulative, rows=replace(within, end=within.end + shift, closes=within.closes + shift))
    masked = np.zeros(count, dtype=bool)
    for end, span in zip(*(values[car.found.masked] for values in (car.found.rows.end, car.found.rows.span)), strict=True):
        masked[end + shift - span + 1 : end + shift + 1] = True
    empty, words = np.full(count, np.nan), np.full(count, "", dtype=object)
    listing = Listing("", calendar, words, empty, empty, words, count - 1)
    return FirmCar(listing, fit, car.found.event_day() + shift, cumulative, masked if masked.any() else np.zeros(0, dtype=bool))


def _check_sessions(cars: Sequence[CumulativeAbnormalReturn]) -> None:
    """Refuse rows whose numbers of sessions stand for different dates."""
    pairs = [
        pd.Series(car.found.rows.end, index=car.found.labels) for car in cars if isinstance(car.found.labels, pd.DatetimeIndex)
    ]
    if len(pairs) < 2:
        return
    table = pd.concat(pairs).rename_axis("date").rename("end").reset_index().drop_duplicates()
    if table["date"].duplicated().any() or table["end"].duplicated().any():
        raise DataError(
            "the shares' rows count their sessions from different days: make them with the same sessions, so that their column "
            "end means the same session everywhere"
        )
