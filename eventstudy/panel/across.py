"""The tests across the events of a panel, by the formulas of `inference` on sums in place of matrices (rules C3 to C15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from eventstudy.inference import calendar_time, parametric, ranks, signs, skewness
from eventstudy.inference.bootstrap import BOOTSTRAP
from eventstudy.inference.placebo import PlaceboDraws
from eventstudy.inference.registry import CLOSED_FORM, OF_PAIRS, PLACEBO, by_tau, placebo_result
from eventstudy.inference.result import TestResult, student, undefined
from eventstudy.panel.pairs import Pairs, pairs_of
from eventstudy.panel.study import PanelStudy
from eventstudy.panel.sums import Blocks, Section, Sums, blocks_of, sums_of
from eventstudy.windows import length

BY_SUMS = {"crude_dependence", "corrado", "corrado_zivney", "grank", "grank_unscaled"}
OF_BLOCKS = ("placebo_caar", "placebo_scar")
Key = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Across:
    """All sections of a study with more firms than are held together in memory.

    Parameters
    ----------
    most : int
        Sections of so many events and fewer are left to the tests that hold them together.
    """

    study: PanelStudy
    most: int

    @cached_property
    def sections(self) -> dict[Key, Section]:
        """Sections by group and place of the window."""
        found = {}
        for group in self.study.groups:
            for place in range(len(self.study.plan.windows.car)):
                members = self.study.counted(group, place)
                if len(members) > self.most:
                    found[group, place] = Section(self.study, place, members)
        return found

    @cached_property
    def sums(self) -> dict[Key, Sums]:
        """Sums by session and rank."""
        return dict(zip(self.sections, sums_of(self.study, list(self.sections.values())), strict=True)) if self.sections else {}

    @cached_property
    def pairs(self) -> dict[Key, Pairs]:
        """Sums over pairs."""
        asked = [(section, np.full(len(section.members), 1 / len(section.members))) for section in self.sections.values()]
        with_variance = "portfolio_t" in self.study.plan.tests
        return dict(zip(self.sections, pairs_of(self.study, asked, with_variance), strict=True)) if asked else {}

    @cached_property
    def blocks(self) -> dict[Key, Blocks]:
        """Sums over placebo blocks."""
        return {key: blocks_of(self.study, sums) for key, sums in self.sums.items()}

    def draws(self, key: Key, name: str) -> PlaceboDraws:
        """Return a placebo distribution of means: ``placebo_caar``, ``placebo_scar`` or ``scar_squares``."""
        section, blocks = self.sections[key], self.blocks[key]
        observed, summed = {
            "placebo_caar": (section.car, blocks.car),
            "placebo_scar": (section.scar, blocks.scar),
            "scar_squares": (section.scar**2, blocks.squares),
        }[name]
        return PlaceboDraws(float(observed.mean()), summed / len(observed), blocks.starts, length(section.window))

    def results(self, group: str, place: int) -> Iterator[TestResult]:
        """Yield the tests of a group over a window, in the order of the table of tests."""
        tests, key = self.study.plan.tests, (group, place)
        section = self.sections[key]
        count = len(section.members)
        for name in tests:
            if name in CLOSED_FORM:
                yield self._closed_form(name, key)
        for name in PLACEBO:
            if name in OF_BLOCKS and name in tests:
                yield placebo_result(name, self.draws(key, name), count, section.staggered)
            elif name in tests and (name != "placebo_max" or self._is_headline(place)):
                yield undefined(name, "sharp", count, "too_many_firms")
        for name in BOOTSTRAP:
            if name in tests and self._is_headline(place):
                yield undefined(name, "sharp", count, "too_many_firms")

    def _is_headline(self, place: int) -> bool:
        return self.study.plan.windows.car[place] == self.study.plan.headline_window

    def _closed_form(self, name: str, key: Key) -> TestResult:
        section = self.sections[key]
        if name in OF_PAIRS:
            return _by_pairs(name, section, self.pairs[key])
        if name in BY_SUMS:
            return by_tau(_by_sums(name, section, self.sums[key]), section.staggered)
        made: dict[str, Callable[[], TestResult]] = {
            "cross_sectional_t": lambda: parametric.cross_sectional_t(section.car),
            "bmp": lambda: parametric.bmp(section.scar),
            "patell": lambda: parametric.patell(section.scar, section.df),
            "skewness_hall": lambda: skewness.skewness_hall(section.car),
            "skewness_johnson": lambda: skewness.skewness_johnson(section.car),
            "generalized_sign": lambda: signs.generalized_sign(section.car, section.positive_share),
            "wilcoxon": lambda: signs.wilcoxon(section.car),
            "calendar_time": lambda: _calendar_time(section),
            "kp_bmp_blocks": lambda: undefined(name, "mean", len(section.members), "no_industries"),
        }
        return made[name]() if name in made else undefined(name, CLOSED_FORM[name][0], len(section.members), "too_many_firms")


def _by_pairs(name: str, section: Section, pairs: Pairs) -> TestResult:
    if name == "kp_bmp":
        return parametric.kp_bmp(section.scar, pairs.mean)
    if name == "kp_patell":
        return parametric.kp_patell(section.scar, section.df, pairs.mean)
    if not pairs.enough:
        return undefined(name, "sharp", len(section.members), "too_few_common_sessions")
    if not pairs.variance > 0:
        return undefined(name, "sharp", len(section.members), "negative_variance")
    statistic = float(section.car.mean() / np.sqrt(pairs.variance))
    return student(name, "sharp", len(section.members), statistic, int(section.df.min()), "correlation_as_estimated")


def _by_sums(name: str, section: Section, sums: Sums) -> TestResult:
    n, size = len(section.members), length(section.window)
    if name == "crude_dependence":
        return parametric.crude_dependence(section.car, sums.errors[sums.single == n] / n, size)
    if name in ("corrado", "corrado_zivney"):
        known = np.flatnonzero(sums.every)
        kept = np.zeros(len(sums.there), dtype=bool)
        kept[known[0] : known[-1] + 1] = sums.open[known[0] : known[-1] + 1] > 0
        kept[-size:] = True
        there, uniform = sums.there[kept], sums.uniform[kept]
        if name == "corrado_zivney":
            counted = there > 0
            deviations = uniform[counted] / np.sqrt(there[counted])
            return ranks.rank_z(name, n, deviations, int(counted[-size:].sum()))
        if (there < n).any():
            return undefined(name, "sharp", n, "incomplete_rows")
        return ranks.rank_z(name, n, uniform * (len(there) + 1) / n, size)
    scaled = name == "grank"
    if scaled and not sums.spread > 0:
        return undefined(name, "mean", n, "no_spread")
    counted = np.append(sums.single > 0, True)
    firms = np.append(sums.single, n)[counted]
    few = "few_firms_rescaled" if scaled and n < ranks.FEWEST_FIRMS_RESCALED else ""
    means = sums.generalised[int(scaled)][counted] / firms
    return ranks.grank_of_means(name, "mean" if scaled else "sharp", n, firms, means, few)


def _calendar_time(section: Section) -> TestResult:
    n = len(section.members)
    if section.dates < 2:
        return undefined("calendar_time", "mean", n, "one_date")
    totals: list[pd.DataFrame] = []
    left_out, window = False, section.window
    for _, batch in section.study.batches(section.members):
        rows, inside = batch.rows_inside(window)
        single = inside & (rows.span == 1)
        left_out |= bool((inside & ~single).any())
        count, place = batch.market.sessions, rows.end[single]
        sums = {name: np.bincount(place, values[single], count) for name, values in (("ret", rows.ret), ("mkt", rows.mkt))}
        held = pd.DataFrame(sums | {"firms": np.bincount(place, minlength=count)}, index=batch.market.calendar.sessions)
        totals.append(held[held["firms"] > 0])
    summed = pd.concat(totals).groupby(level=0).sum()
    portfolio = summed.assign(ret=summed["ret"] / summed["firms"], mkt=summed["mkt"] / summed["firms"])
    return calendar_time.of_portfolio(n, portfolio, left_out)
