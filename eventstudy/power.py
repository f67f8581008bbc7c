"""Size and power of the tests on a study's own estimation data, before anyone looks at the event.

Every placebo date is taken for the event: the block of sessions is deleted, each firm is fitted again without it, and the
block's rows are merged as the firm's trading status has them in the event window, so that a suspension of the event is a
suspension there. Every test is then run, with nothing added (its size) and with an effect in session 0 (its power).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.abnormal import CumulativeReturn
from eventstudy.diagnostics import minimum_detectable_effect, power_of_t
from eventstudy.group_tables import portfolio_se
from eventstudy.headline import headline_of
from eventstudy.inference.bootstrap import BOOTSTRAP
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.deletion import delete_block
from eventstudy.inference.placebo import joint_t_squared, placebo_starts
from eventstudy.inference.registry import CLOSED_FORM, PLACEBO, run_test
from eventstudy.models import Fit
from eventstudy.returns import ReturnKind, Rows, trade_rows
from eventstudy.study import ALL, FIRST, LAST, UNCONFOUNDED, Computation, FirmStudy
from eventstudy.tables import Row, as_table, bounds
from eventstudy.trading import Listing
from eventstudy.windows import Window, length

TOO_OFTEN, AS_STATED, TOO_SELDOM, CANNOT = "rejects too often", "as stated", "rejects too seldom", "cannot reject"
STEPS = np.linspace(0, 2, 9)  # of the power curve, in detectable effects
MOVED = frozenset({"window", "firms", "car", "scar", "scaled_returns"})  # what an effect changes in a cross-section
BY_RANK: dict[str, Callable[[CrossSection], float]] = {
    "placebo_caar": lambda cross: float(cross.car.mean()),
    "placebo_scar": lambda cross: float(cross.scar.mean()),
    "placebo_hotelling": joint_t_squared,
}


@dataclass(frozen=True)
class Shape:
    """A firm and the sessions that its returns end in over the event window, without these returns.

    Parameters
    ----------
    ends : array of int
        Sessions from the start of the window, the last one that of its end.
    """

    listing: Listing
    fit: Fit
    day0: int
    ends: np.ndarray
    masked: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    industry: str = ""


def shape_of(firm: FirmStudy, window: Window, kind: ReturnKind = "log") -> Shape | None:
    """Return the shape of a firm that has, or will have, a CAR in the window; a window that lies ahead has no suspension."""
    if firm.fit is None:
        return None
    reason = firm.cumulative[window].reason
    if reason not in ("", "provisional", "limit_spell"):
        return None
    lo, hi = firm.day0 + window[0], firm.day0 + window[1]
    rows = firm.rows
    if firm.listing.spans_limits:  # which closes stand at the limit is known from prices only
        rows = trade_rows(replace(firm.listing, spans_limits=False), "trade-to-trade", kind)
    ends = np.arange(length(window)) if reason == "provisional" else rows.inside(lo, hi).end - lo
    return Shape(firm.listing, firm.fit, firm.day0, ends, firm.masked, firm.settings.industry)


def merged_rows(rows: Rows, ends: np.ndarray, kind: ReturnKind) -> Rows | None:
    """Merge neighbouring rows into rows that end in the sessions `ends`; None where no row ends in one of them."""
    last = np.searchsorted(rows.end, ends)
    if last[-1] >= len(rows) or not np.array_equal(rows.end[last], ends):
        return None
    first = np.concatenate([[0], last[:-1] + 1])

    def over(values: np.ndarray) -> np.ndarray:
        if kind == "log":
            return np.asarray(np.add.reduceat(values, first))
        return np.asarray(np.multiply.reduceat(1 + values, first) - 1)

    span = np.add.reduceat(rows.span, first)
    factors = {name: over(values) for name, values in rows.factors.items()}
    return Rows(ends, span, ends, over(rows.ret), over(rows.mkt), factors)


def placebo_section(shapes: Sequence[Shape], window: Window, start: int, kind: ReturnKind) -> CrossSection | None:
    """Return the cross-section of a study whose window began `start` sessions from the event session.

    None where a firm's estimation rows do not tile the block, or do not break where its returns end in the event window.
    """
    firms = []
    for shape in shapes:
        lo = shape.day0 + start
        hi = lo + length(window) - 1
        deletion = delete_block(shape.fit, lo, hi)
        rows = merged_rows(deletion.rows, lo + shape.ends, kind) if deletion else None
        if deletion is None or rows is None:
            return None
        fit = deletion.fit
        x = fit.model.regressors(rows)
        total = x.sum(axis=0)
        car = float((fit.model.response(rows) - x @ fit.params).sum())
        factor = float(fit.noise(rows).sum() + total @ fit.unscaled_cov @ total)
        se, nan = float(fit.sigma * np.sqrt(factor)), np.nan
        found = CumulativeReturn(window, car, se, car / se, fit.df_resid, nan, nan, nan, factor, total, rows)
        out = shape.masked.copy() if len(shape.masked) else np.zeros(len(shape.listing.calendar.sessions), dtype=bool)
        out[lo : hi + 1] = True  # no session of the block is one of the estimation
        firms.append(FirmCar(shape.listing, fit, lo - window[0], found, out, shape.industry))
    return CrossSection(window, tuple(firms))


@dataclass(frozen=True)
class MovedFirms(Sequence[FirmCar]):
    """Firms had each earned `effect` more in session 0 (else in the nearest row); made when a test first looks at one."""

    firms: Sequence[FirmCar]
    effect: float

    def __len__(self) -> int:
        """Return the number of firms."""
        return len(self.firms)

    def __getitem__(self, place: Any) -> Any:
        """Return a firm, or some."""
        return self._made[place]

    @cached_property
    def _made(self) -> tuple[FirmCar, ...]:
        return tuple(_moved(firm, self.effect) for firm in self.firms)


def with_effect(cross: CrossSection, effect: float) -> CrossSection:
    """Return the cross-section as it would be had every firm earned `effect` more in session 0."""
    moved = CrossSection(cross.window, MovedFirms(cross.firms, effect))
    car = cross.car + effect
    vars(moved).update(car=car, scar=car / np.array([firm.cumulative.se for firm in cross.firms]))
    return moved


def share_estimates(cross: CrossSection, moved: CrossSection) -> None:
    """Let a moved cross-section have what was made of the residuals: an effect changes none of them."""
    own, its = vars(moved), vars(cross)
    own.update({name: its[name] for name in its.keys() - own.keys() - MOVED})


def _moved(firm: FirmCar, effect: float) -> FirmCar:
    found = firm.cumulative
    car, rows, nan = found.car + effect, found.rows, np.nan
    if rows is not None:
        ret = rows.ret.copy()
        ret[min(int(rows.end.searchsorted(firm.day0)), len(ret) - 1)] += effect
        rows = Rows(rows.end, rows.span, rows.closes, ret, rows.mkt, rows.factors)
    moved = CumulativeReturn(
        found.window, car, found.se, car / found.se, found.df, nan, nan, nan, found.variance_factor, found.regressors, rows
    )
    return FirmCar(firm.listing, firm.fit, firm.day0, moved, firm.masked, firm.industry)


@dataclass(frozen=True)
class Trial:
    """What a test said at every placebo date: p-values, NaN where it does not apply, and the smallest there can be."""

    p_value: np.ndarray
    floor: float = np.nan
    reason: str = ""

    def rejects(self, alpha: float) -> float:
        """Return the share of the dates at which it rejects, among those at which it applies."""
        known = self.p_value[np.isfinite(self.p_value)]
        return float((known < alpha).mean()) if len(known) else np.nan


@dataclass(frozen=True)
class Trials:
    """A group at every placebo date of the headline window.

    Parameters
    ----------
    starts : array (dates,) of int
        First session of each block, relative to the event session.
    sections : tuple of CrossSection
        One a date.
    """

    window: Window
    firms: int
    starts: np.ndarray
    sections: tuple[CrossSection, ...]

    @property
    def apart(self) -> int:
        """Number of dates whose blocks do not overlap, counted back from the last one."""
        count, limit = 0, np.inf
        for start in self.starts[::-1]:
            if start + length(self.window) - 1 < limit:
                count, limit = count + 1, start
        return count

    @cached_property
    def df(self) -> int:
        """Fewest residual degrees of freedom of any firm at any date."""
        return min((int(cross.df.min()) for cross in self.sections), default=0)

    @cached_property
    def standard_error(self) -> float:
        """Mean standard error of the portfolio t over the dates; where it has none, the root mean square of the mean CAR."""
        if not self.sections:
            return np.nan
        if all(cross.least_squares and cross.correlation.enough for cross in self.sections):
            return float(np.mean([portfolio_se(cross) for cross in self.sections]))
        return float(np.sqrt(np.mean([cross.car.mean() ** 2 for cross in self.sections])))

    def detectable(self, alpha: float) -> float:
        """Return the effect that a t test with that standard error would find with probability 0.8."""
        return minimum_detectable_effect(self.standard_error, self.df, alpha) if self.sections else np.nan

    def trial(self, name: str, effect: float = 0.0) -> Trial:
        """Run a test at every date, with an effect added to every firm.

        A placebo test ranks each date among the others, so that without an effect its size is right by construction.
        """
        if (name, effect) not in self._made:
            self._made[name, effect] = self._tried(name, self._with_effect(effect))
        return self._made[name, effect]

    def _tried(self, name: str, moved: tuple[CrossSection, ...]) -> Trial:
        if name in BY_RANK:
            return self._ranked(name, moved)
        found = [run_test(name, cross) for cross in moved]
        p_values = np.array([one.p_value for one in found], dtype=float)
        floors = [one.floor for one in found if np.isfinite(one.floor)]
        reasons = Counter(one.reason for one in found if np.isnan(one.p_value))
        return Trial(p_values, min(floors, default=np.nan), max(reasons, key=lambda code: reasons[code]) if reasons else "")

    def _with_effect(self, effect: float) -> tuple[CrossSection, ...]:
        if not effect:
            return self.sections
        if effect not in self._moved:  # many tests ask for the same effects
            self._moved[effect] = tuple(with_effect(cross, effect) for cross in self.sections)
        for cross, moved in zip(self.sections, self._moved[effect], strict=True):
            share_estimates(cross, moved)
        return self._moved[effect]

    @cached_property
    def _moved(self) -> dict[float, tuple[CrossSection, ...]]:
        return {}

    @cached_property
    def _made(self) -> dict[tuple[str, float], Trial]:
        return {}

    @cached_property
    def _unmoved(self) -> dict[str, np.ndarray]:
        return {}

    def _ranked(self, name: str, moved: tuple[CrossSection, ...]) -> Trial:
        if name not in self._unmoved:  # every effect is ranked among them
            self._unmoved[name] = np.array([BY_RANK[name](cross) for cross in self.sections])
        own = self._unmoved[name]
        values = own if moved is self.sections else np.array([BY_RANK[name](cross) for cross in moved])
        draws = np.abs(own)
        known = np.isfinite(draws)
        count = int(known.sum())
        if count < 2 or not np.isfinite(values).any():
            return Trial(np.full(len(values), np.nan), reason="no_placebo_blocks" if count < 2 else "singular_covariance")
        extreme = (draws[None, known] >= np.abs(values)[:, None]).sum(axis=1) - (known & (draws >= np.abs(values)))
        return Trial(np.where(np.isfinite(values), (1 + extreme) / count, np.nan), 1 / count)

    def power(self, name: str, effect: float, alpha: float) -> float:
        """Return how often a test finds an effect of this size: half a rise, half a fall."""
        return float(np.mean([self.trial(name, side * effect).rejects(alpha) for side in (1, -1)]))


def placebo_trials(study: Computation) -> dict[str, Trials]:
    """Return the treated firms, and each group of treated firms, at every placebo date of the headline window."""
    plan = study.inputs.plan
    found: dict[str, Trials] = {}
    made: dict[tuple[Any, ...], Trials] = {}
    for group, members in study.groups.items():
        if group != ALL and (
            group in (UNCONFOUNDED, FIRST, LAST) or any(firm.dated.event.role != "treated" for firm in members)
        ):
            continue
        keys = tuple(firm.key for firm in members)
        if keys not in made:
            shapes = [shape for firm in members if (shape := shape_of(firm, plan.headline_window, plan.returns)) is not None]
            made[keys] = trials_of(shapes, plan.headline_window, plan.returns)
        found[group] = made[keys]
    return found


def trials_of(shapes: Sequence[Shape], window: Window, kind: ReturnKind = "log") -> Trials:
    """Take every block of estimation sessions that all firms tile for the event window."""
    starts, sections = [], []
    for start in placebo_starts([(shape.fit, shape.day0) for shape in shapes], length(window)) if shapes else ():
        cross = placebo_section(shapes, window, start, kind)
        if cross is not None:
            starts.append(start)
            sections.append(cross)
    return Trials(window, len(shapes), np.array(starts, dtype=int), tuple(sections))


def verdict(size: float, floor: float, apart: int, alpha: float) -> str:
    """Judge a size: off by more than two binomial standard errors of so many dates that do not overlap; empty if unknown."""
    if floor > alpha:
        return CANNOT
    if np.isnan(size):
        return ""
    margin = margin_of_size(alpha, apart)
    return TOO_OFTEN if size > alpha + margin else TOO_SELDOM if size < alpha - margin else AS_STATED


def margin_of_size(alpha: float, apart: int) -> float:
    """Return two binomial standard errors of a share of `alpha` over so many dates that do not overlap."""
    return float(2 * np.sqrt(alpha * (1 - alpha) / apart))


def power_table(study: Computation, trials: Mapping[str, Trials]) -> pd.DataFrame:
    """One row a group and test: how often it rejects at placebo dates, and how often with an effect added."""
    alpha = study.inputs.plan.alpha
    rows = []
    for group, found in trials.items():
        effect = found.detectable(alpha)
        for name in study.inputs.plan.tests:
            if name in CLOSED_FORM or name in PLACEBO or name in BOOTSTRAP:
                rows.append({"group": group} | bounds(found.window) | _judged(found, name, effect, alpha))
    return as_table("power", rows)


def _judged(found: Trials, name: str, effect: float, alpha: float) -> Row:
    row: Row = {"test": name, "dates": 0, "dates_apart": 0, "size": np.nan, "power": np.nan, "effect": effect, "verdict": ""}
    if name in BOOTSTRAP or (name in PLACEBO and name not in BY_RANK):
        return row | {"reason": "thousands_of_fits" if name in BOOTSTRAP else "several_windows", "n": found.firms}
    if not found.sections:
        return row | {"reason": "no_firms" if not found.firms else "no_placebo_blocks", "n": found.firms}
    trial = found.trial(name)
    size, known = trial.rejects(alpha), int(np.isfinite(trial.p_value).sum())
    row |= {"dates": known, "dates_apart": found.apart if known else 0, "size": size, "n": found.firms}
    reason = "by_construction" if name in BY_RANK else ""
    if not known:
        return row | {"reason": trial.reason}
    row |= {"verdict": verdict(size, trial.floor, found.apart, alpha)}
    if name == "equal_effects":
        return row | {"reason": "common_effect"}
    power = 0.0 if row["verdict"] == CANNOT else found.power(name, effect, alpha)  # no effect takes a p-value below its floor
    return row | {"power": power, "reason": reason}


def power_curve_table(study: Computation, trials: Mapping[str, Trials]) -> pd.DataFrame:
    """Power of the headline tests of all treated firms against the size of the effect."""
    return as_table("power_curve", list(_curve(study, trials)))


def _curve(study: Computation, trials: Mapping[str, Trials]) -> Iterator[Row]:
    plan = study.inputs.plan
    found = trials[ALL]
    if not found.sections:
        return
    largest = found.detectable(plan.alpha)
    for name in headline_of(plan, study.inputs.events).tests:
        if name not in CLOSED_FORM and name not in BY_RANK:
            continue
        if not np.isfinite(found.trial(name).p_value).any():
            continue
        for effect in STEPS * largest:
            power = found.power(name, effect, plan.alpha) if effect else found.trial(name).rejects(plan.alpha)
            row = {"group": ALL} | bounds(found.window) | {"test": name, "effect": effect, "power": power}
            formula = power_of_t(effect / found.standard_error, found.df, plan.alpha) if name == "portfolio_t" else np.nan
            yield row | {"formula": formula}
