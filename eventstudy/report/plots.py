"""Plots of a study on matplotlib axes of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from scipy import stats

from eventstudy.errors import ConfigError
from eventstudy.group_tables import portfolio_se
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.report.numbers import confidence, percent, window
from eventstudy.report.subjects import Reading, Subject
from eventstudy.result import StudyResult

# Okabe and Ito's colours, told apart by colour-blind readers and on light and dark paper; line styles tell them apart in grey.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
STYLES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 2)), (0, (6, 2, 2, 2)), (0, (1, 1)), (0, (8, 3)))
GREY = "#808080"
MOST_LINES = len(COLOURS)
BAND, SHADE = 0.18, 0.15


@dataclass(frozen=True)
class Path:
    """A CAR over [start, tau] by tau; arrays of one length, gaps left out."""

    taus: np.ndarray
    car: np.ndarray
    low: np.ndarray
    high: np.ndarray


def plot_car(result: StudyResult, symbol: str | None, event_id: str | None, start: int | None, ax: Axes | None) -> Axes:
    """Draw the CAR from `start` on, of one firm or of the mean over single firms, with its interval."""
    reading = Reading(result)
    lo, hi = reading.plan.windows.event
    first = max(lo, min(0, reading.plan.headline_window[0])) if start is None else start
    if not lo <= first <= hi:
        raise ConfigError(f"start = {first} lies outside the event window {[lo, hi]}")
    subjects = _chosen(reading, symbol, event_id)
    axes = _axes(ax)
    if len(subjects) == 1:
        _band(axes, _firm_path(subjects[0], first, hi), COLOURS[0], subjects[0].name)
    else:
        for place, subject in enumerate(subjects):
            path = _firm_path(subject, first, hi)
            style: dict[str, Any] = {"color": GREY, "linewidth": 0.6, "alpha": 0.4}
            if len(subjects) <= MOST_LINES:
                style = {"color": COLOURS[place], "linestyle": STYLES[place], "linewidth": 1.3, "marker": "o", "markersize": 2.5}
                style["label"] = subject.name
            axes.plot(path.taus, path.car, **style)
        _band(axes, _mean_path(subjects, first, hi, reading.plan.alpha), GREY, f"mean of {len(subjects)}")
    _shade(axes, subjects, first, hi)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.axvline(0, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_xlabel("sessions after the event session (0)")
    axes.set_ylabel(f"CAR from session {first}, {'log returns' if reading.plan.returns == 'log' else 'simple returns'}")
    axes.set_title(f"Cumulative abnormal return, {confidence(reading.plan.alpha)} interval", loc="left")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value, 1) if value else "0"))
    return _finished(axes)


def plot_prices(result: StudyResult, symbol: str | None, event_id: str | None, ax: Axes | None) -> Axes:
    """Draw share and benchmark as total return, both 100 at the last close before the event."""
    reading = Reading(result)
    subjects = _chosen(reading, symbol, event_id)
    many = len(subjects) > MOST_LINES
    firms = len({subject.firm.key[1] for subject in subjects})
    if many and firms > 1:
        events = "" if firms == len(subjects) else f"{len(subjects)} events of "
        raise ConfigError(f"{events}{firms} firms are too many lines: give the symbol of one")
    axes = _axes(ax)
    lo, hi = reading.plan.windows.event
    taus = np.arange(lo - 1, hi + 1)
    shares, markets = np.stack([_levels(subject, taus) for subject in subjects], axis=1)
    if many:  # events of one firm
        for share in shares:
            _bridged(axes, taus, share, color=GREY, linewidth=0.6, alpha=0.4)
        firm = reading.firm_name(subjects[0].firm.key[1]).name
        names = [f"{name}, mean of {len(subjects)}" for name in (firm, subjects[0].benchmark)]
        _bridged(axes, taus, shares.mean(axis=0), color=COLOURS[0], marker="o", markersize=3, linewidth=2, label=names[0])
        axes.plot(taus, markets.mean(axis=0), color=GREY, linewidth=1.2, label=names[1])
    else:
        drawn: set[tuple[str, int]] = set()
        for place, subject in enumerate(subjects):
            style: dict[str, Any] = {"color": COLOURS[place], "linestyle": STYLES[place], "label": subject.name}
            _bridged(axes, taus, shares[place], marker="o", markersize=2.5, linewidth=1.6, **style)
            if (key := (subject.benchmark, subject.firm.day0)) not in drawn:
                axes.plot(taus, markets[place], color=GREY, linewidth=1.2, label=subject.benchmark)
                drawn.add(key)
    _shade(axes, subjects, lo, hi)
    axes.axvline(0, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_xlabel("sessions after the event session (0)")
    axes.set_ylabel("total return, last close before the event = 100")
    axes.set_title(f"Prices around the event, sessions {window((lo, hi))}", loc="left")
    return _finished(axes)


def _levels(subject: Subject, taus: np.ndarray) -> np.ndarray:
    """Return the total return of share and benchmark (2, m), both 100 at the last close before the event; NaN beyond the data."""
    listing, day0 = subject.firm.listing, subject.firm.day0
    both = np.flatnonzero(np.isfinite(listing.level[:day0]) & np.isfinite(listing.benchmark[:day0]))
    if not len(both):
        raise ConfigError(f"{subject.name} has no close before the event, so there is nothing to set it against")
    places = day0 + taus
    there = (places >= 0) & (places <= listing.end)
    levels = np.stack([listing.level, listing.benchmark])
    return np.where(there, 100 * levels[:, places * there] / levels[:, both[-1:]], np.nan)


def _bridged(axes: Axes, taus: np.ndarray, values: np.ndarray, **style: Any) -> None:
    """Draw a line through the sessions that have a value."""
    known = np.isfinite(values)
    axes.plot(taus[known], values[known], **style)


def _chosen(reading: Reading, symbol: str | None, event_id: str | None) -> tuple[Subject, ...]:
    """Return the firms asked for: all treated ones, or those of a symbol or event."""
    asked = symbol is not None or event_id is not None
    found = tuple(
        subject
        for subject in (reading.subjects if asked else reading.treated)
        if symbol in (None, subject.firm.key[1]) and event_id in (None, subject.firm.key[0]) and subject.firm.fit is not None
    )
    if not found:
        told = ", ".join(f"{subject.firm.key[1]} ({subject.firm.key[0]})" for subject in reading.subjects[:6])
        raise ConfigError(f"no firm with an estimate is {symbol or event_id or 'there'}: the study has {told}")
    return found


def _axes(ax: Axes | None) -> Axes:
    """Return the user's axes, or new ones on a figure that pyplot knows nothing of."""
    if ax is not None:
        if not isinstance(ax, Axes):
            raise ConfigError(f"ax is a {type(ax).__name__}: give matplotlib axes, or leave it out for new ones")
        return ax
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def _finished(axes: Axes) -> Axes:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    return axes


def _firm_path(subject: Subject, start: int, stop: int) -> Path:
    taus, values = [start - 1], [(0.0, 0.0, 0.0)]
    for tau in range(start, stop + 1):
        found = subject.sum_over((start, tau))
        if found is not None and not found.reason:
            taus.append(tau)
            values.append((found.car, found.ci_low, found.ci_high))
    return Path(np.array(taus), *np.array(values).T)


def _mean_path(subjects: Sequence[Subject], start: int, stop: int, alpha: float) -> Path:
    """Return the mean over a fixed set of firms, where every one of them has a value (rule A9)."""
    taus, values = [start - 1], [(0.0, 0.0, 0.0)]
    for tau in range(start, stop + 1):
        parts = []
        for subject in subjects:
            found, fit = subject.sum_over((start, tau)), subject.firm.fit
            if found is not None and fit is not None and not found.reason:
                parts.append(FirmCar(subject.firm.listing, fit, subject.firm.day0, found))
        if len(parts) < len(subjects):
            continue
        cross = CrossSection((start, tau), tuple(parts))
        reach = np.nan
        if cross.correlation.enough:
            reach = float(stats.t.isf(alpha / 2, int(cross.df.min()))) * portfolio_se(cross)
        mean = float(cross.car.mean())
        taus.append(tau)
        values.append((mean, mean - reach, mean + reach))
    return Path(np.array(taus), *np.array(values).T)


def _band(axes: Axes, path: Path, colour: str, label: str) -> None:
    """Draw a path with its band; sessions without a value are bridged by a thin dashed line without a band."""
    breaks = np.flatnonzero(np.diff(path.taus) > 1) + 1
    for number, run in enumerate(np.split(np.arange(len(path.taus)), breaks)):
        axes.fill_between(path.taus[run], path.low[run], path.high[run], color=colour, alpha=BAND, linewidth=0)
        shown = label if number == 0 else None
        axes.plot(path.taus[run], path.car[run], color=colour, linewidth=2, marker="o", markersize=3, label=shown)
        if len(run) == 1 and run[0] > 0:  # a lone value between gaps: its interval as a bar
            axes.vlines(path.taus[run], path.low[run], path.high[run], color=colour, linewidth=5, alpha=BAND)
    for place in breaks:
        ends = slice(place - 1, place + 1)
        axes.plot(path.taus[ends], path.car[ends], color=colour, linewidth=1, linestyle=(0, (4, 3)))


def _shade(axes: Axes, subjects: Sequence[Subject], first: int, last: int) -> None:
    """Shade the sessions on which a firm was suspended."""
    taus = sorted({tau for subject in subjects for tau in subject.suspended_taus(first, last)})
    away = sum(bool(subject.suspended_taus(first, last)) for subject in subjects)
    label = "suspended" if len(subjects) == 1 else f"suspended: {away} of {len(subjects)}"
    for spell in np.split(np.array(taus, dtype=int), np.flatnonzero(np.diff(taus) > 1) + 1) if taus else []:
        axes.axvspan(spell[0] - 0.5, spell[-1] + 0.5, color=GREY, alpha=SHADE, linewidth=0, zorder=0, label=label)
        label = "_nolegend_"
