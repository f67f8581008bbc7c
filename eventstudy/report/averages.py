"""The average across firms as the page shows it: CAAR with its interval, the equality test and the placebo p-value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.group_tables import portfolio_se
from eventstudy.inference.cross import CrossSection, FirmCar
from eventstudy.inference.sensitivity import FEWEST_BLOCKS
from eventstudy.report.language import _, ngettext
from eventstudy.report.numbers import in_words, p_equation, p_value
from eventstudy.report.subjects import CarPath, Effect, Reading, Subject
from eventstudy.student import critical_value
from eventstudy.windows import Window

UNLIKE = 0.10  # equality rejected below this p-value: the average does not lead (rule D13)


@dataclass(frozen=True)
class Average:
    """Mean CAR of a group in one window as a change in value; interval NaN where it is not to be had.

    `limit` is ``down`` or ``up`` where closes at the price limit make CARs, and so their mean, a bound (rule D4).
    """

    n: int
    value: float
    low: float
    high: float
    median: float
    negative: int
    limit: str = ""


def average_effect(reading: Reading, group: str, window: Window) -> Average | None:
    """Return the average of the firms with a CAR; None where there is none."""
    cross = reading.study.cross_section(group, window)
    if not cross.firms:
        return None
    low, high = _interval(cross, reading.plan.alpha)
    effect = reading.scale.effect
    return Average(
        len(cross.firms), effect(float(cross.car.mean())), effect(low), effect(high),
        effect(float(np.median(cross.car))), int((cross.car < 0).sum()),
        bound_of(cross.limits),
    )  # fmt: skip


def bound_of(limits: Sequence[str]) -> str:
    """Return the side on which a mean is a bound, by each firm's limit close; empty without any, and where they differ."""
    sides = {limit for limit in limits if limit}
    return sides.pop() if len(sides) == 1 else ""


def p_or_censored(value: float, limits: Sequence[str]) -> str:
    """Return p, or a word in its place where every CAR behind it is a bound (rule D4); where some are, a remark says so."""
    return _("censored") if limits and all(limits) else p_value(value)


def p_equation_or_censored(value: float, limits: Sequence[str]) -> str:
    """Return p as a sentence has it, or that it is censored (rule D4)."""
    return _("p censored") if limits and all(limits) else p_equation(value)


def _interval(cross: CrossSection, alpha: float) -> tuple[float, float]:
    """Return the interval that belongs to the portfolio t (rule C7)."""
    if not cross.correlation.enough:
        return np.nan, np.nan
    reach = float(critical_value(alpha, int(cross.df.min()))) * portfolio_se(cross)
    return float(cross.car.mean() - reach), float(cross.car.mean() + reach)


def average_path(reading: Reading, subjects: tuple[Subject, ...], start: int, stop: int) -> CarPath:
    """Return the path of the mean CAR over a fixed set of firms, where every one of them has a value (rule A9)."""
    taus, effects = [start - 1], [Effect(0.0, 0.0, 0.0)]
    for tau in range(start, stop + 1):
        found = [subject.sum_over((start, tau)) for subject in subjects]
        parts = [
            FirmCar(subject.firm.listing, subject.firm.fit, subject.firm.day0, car)
            for subject, car in zip(subjects, found, strict=True)
            if car is not None and not car.reason and subject.firm.fit is not None
        ]
        if not parts or len(parts) < len(subjects):
            continue
        cross = CrossSection((start, tau), tuple(parts))
        low, high = _interval(cross, reading.plan.alpha)
        effect = reading.scale.effect
        taus.append(tau)
        effects.append(Effect(effect(float(cross.car.mean())), effect(low), effect(high)))
    return CarPath(start, tuple(taus), tuple(effects)) if len(taus) > 1 else CarPath(start, (), ())


def row_of_test(reading: Reading, group: str, window: Window, test: str) -> dict[Any, Any] | None:
    """Return the row of the table `tests`; None where the study does not run this test."""
    return reading.tests.get((group, (window[0], window[1]), test))


def row_of_placebo(reading: Reading, group: str, window: Window, test: str) -> dict[Any, Any] | None:
    """Return the row of the table `placebo`; None where there is no such distribution."""
    return reading.placebo.get((group, (window[0], window[1]), test))


def unlike_reactions(reading: Reading, window: Window) -> dict[Any, Any] | None:
    """Return the equality test of the treated firms where it rejects, else None."""
    row = row_of_test(reading, "all", window, "equal_effects")
    return row if row is not None and row["p_value"] < UNLIKE else None


def sd_ratios(subjects: tuple[Subject, ...], table: pd.DataFrame) -> tuple[float, float] | None:
    """Return the smallest and largest ratio of pre-event to estimation standard deviation (rule D15)."""
    keys = {subject.firm.key for subject in subjects}
    found = [
        ratio
        for event_id, symbol, ratio in zip(table["event_id"], table["symbol"], table["pre_event_sd_ratio"], strict=True)
        if (event_id, symbol) in keys and not pd.isna(ratio)
    ] if "pre_event_sd_ratio" in table else []  # fmt: skip
    return (min(found), max(found)) if found else None


def few_apart(drawn: dict[Any, Any]) -> str:
    """Tell that placebo blocks overlap where too few of them do not to give a p-value of 5%; else nothing."""
    apart = int(drawn["blocks_apart"])
    if apart >= FEWEST_BLOCKS:
        return ""
    return ngettext(
        ", but only {count} of these blocks does not overlap others, which leaves {p}",
        ", but only {count} of these blocks do not overlap, which leaves {p}",
        apart, count=in_words(apart), p=p_equation(drawn["p_apart"]),
    )  # fmt: skip
