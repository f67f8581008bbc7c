"""The result of a panel study: the tables of `StudyResult` on whole arrays, in parts where they are long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from eventstudy import group_tables, tables
from eventstudy.config import StudySpec
from eventstudy.errors import ConfigError
from eventstudy.headline import Headline, default_headline
from eventstudy.inference.correlation import MOST_FIRMS_TOGETHER
from eventstudy.inference.result import TestResult, undefined
from eventstudy.panel import tables as panel_tables
from eventstudy.panel.across import Across
from eventstudy.panel.batch import REASONS
from eventstudy.panel.described import described
from eventstudy.panel.differences import Difference, differences_of
from eventstudy.panel.study import PanelStudy
from eventstudy.plan import Plan, StudyInputs
from eventstudy.prepared import Prepared
from eventstudy.result import StudyResult
from eventstudy.seal import Seal
from eventstudy.study import ALL, Computation, Exclusion, compute, run_events
from eventstudy.tidy import MEAN_TEST, SPREAD_TEST, mean_row, tidied
from eventstudy.trading import MISSING, UNKNOWN
from eventstudy.windows import Window

MOST_ONE_BY_ONE = 2_000  # events; tables that are made event by event take some milliseconds for each
WRITTEN = (
    "events", "models", "abnormal_returns", "cars", "aar", "caar", "tests", "exclusions", "data", "placebo", "correlation",
    "bhar", "notes",
)  # fmt: skip


class PanelResult(StudyResult):
    """Tables of a study of many events, the same as of a few; each is computed when first read.

    The tables in ``WRITTEN`` are made from whole arrays. Any other is made event by event, for up to 2,000 events.

    Parameters
    ----------
    study : PanelStudy
    inputs : StudyInputs
        Everything the study is computed from.
    """

    def __init__(
        self,
        study: PanelStudy,
        inputs: StudyInputs,
        spec: StudySpec | None = None,
        seals: tuple[Seal, ...] = (),
    ) -> None:
        self.study = study
        self._inputs = inputs
        self.spec = spec
        self.seals = seals

    @property
    def plan(self) -> Plan:
        """What was asked for."""
        return self.study.plan

    @property
    def inputs(self) -> StudyInputs:
        """Everything the study is computed from."""
        return self._inputs

    def _inputs_of(self, events: np.ndarray) -> StudyInputs:
        """Return the inputs of a study of some of the events, by their numbers."""
        return replace(self.inputs, events=tuple(self.inputs.events[int(number)] for number in events))

    @cached_property
    def computation(self) -> Computation:  # type: ignore[override]
        """The study run event by event, for tables that are made so.

        Raises
        ------
        ConfigError
            If it has too many events for that.
        """
        if len(self.study.events) > MOST_ONE_BY_ONE:
            raise ConfigError(
                f"this table is made event by event, for up to {MOST_ONE_BY_ONE:,} events, and the study has "
                f"{len(self.study.events):,}: ask for it over a part of them"
            )
        return compute(self.inputs)

    @cached_property
    def events(self) -> pd.DataFrame:
        """One row a firm and event."""
        return panel_tables.events_table(self.study)

    @cached_property
    def models(self) -> pd.DataFrame:
        """One row a fitted model."""
        return panel_tables.models_table(self.study)

    @cached_property
    def abnormal_returns(self) -> pd.DataFrame:
        """One row a firm and session of the event window."""
        return panel_tables.abnormal_returns_table(self.study)

    @cached_property
    def cars_in_full(self) -> pd.DataFrame:
        """The table `cars` with which of them are bounds, when they will be complete, and further adjusted p-values."""
        return panel_tables.cars_table(self.study)

    @cached_property
    def cars(self) -> pd.DataFrame:
        """One row a firm and window."""
        return self.cars_in_full[tables.COLUMNS["cars"]]

    @cached_property
    def aar(self) -> pd.DataFrame:
        """Average single-session abnormal returns by group and tau."""
        return panel_tables.aar_table(self.study)

    @cached_property
    def caar(self) -> pd.DataFrame:
        """Mean CAR by group and window."""
        return panel_tables.caar_table(self.study)

    @cached_property
    def bhar(self) -> pd.DataFrame:
        """Buy-and-hold abnormal returns, one row a firm and window."""
        return panel_tables.bhar_table(self.study)

    @cached_property
    def exclusions(self) -> pd.DataFrame:
        """One row an event left out."""
        return panel_tables.exclusions_table(self.study)

    @cached_property
    def headline(self) -> Headline:
        """The tests the study stands on."""
        if self.plan.headline:
            return Headline(self.plan.headline, "named in the config", True)
        dated = pd.DataFrame({"symbol": self.study.events.symbol, "session": self.study.session})
        return default_headline(self.plan, len(dated.drop_duplicates()), dated["session"].nunique() < 2)

    @cached_property
    def across(self) -> Across:
        """Tests of the groups that have too many CARs in a window to be held together."""
        return Across(self.study, MOST_FIRMS_TOGETHER)

    @cached_property
    def _small(self) -> dict[bytes, StudyResult]:
        return {}

    def small(self, group: str, place: int) -> StudyResult:
        """Return the few events of a group with a CAR in a window, or the whole of a small group, run one by one."""
        members = self.study.groups[group]
        if len(members) > MOST_FIRMS_TOGETHER:
            members = self.study.counted(group, place)
        key = members.tobytes()
        if key not in self._small:
            self._small[key] = StudyResult(run_events(self._inputs_of(members), Prepared()))
        return self._small[key]

    def part(self, symbol: str | None, event_id: str | None) -> StudyResult:
        """Return the events of one symbol, or of one name, run one by one; this study itself where neither is given.

        Raises
        ------
        ConfigError
            If there is no such event.
        """
        if symbol is None and event_id is None:
            return self
        asked = [(self.study.events.symbol, symbol), (self.study.events.event_id, event_id)]
        members = np.flatnonzero(np.logical_and.reduce([values == name for values, name in asked if name is not None]))
        named = " of ".join(name for name in (event_id, symbol) if name)
        if not len(members):
            raise ConfigError(f"no event is {named}: look at result.events")
        if len(members) > MOST_ONE_BY_ONE:
            raise ConfigError(f"{named} stands for {len(members):,} events, and at most {MOST_ONE_BY_ONE:,} are run one by one")
        return StudyResult(compute(self._inputs_of(members)))

    @cached_property
    def tests_in_full(self) -> pd.DataFrame:
        """The table `tests` with the role, the one-sided p-values and the smallest one there can be."""
        rows = []
        for group in self.study.groups:
            for window in self.plan.windows.car:
                role = self.headline.role
                for found in self._outcomes[group, window]:
                    headline = role(found.name, window == self.plan.headline_window)
                    rows.append(group_tables.result_row(group, window, found, headline, self._held(group, found.name, window)))
        for one in self.differences:
            held = any(self._held(group, "", one.window) for group in one.groups)
            for outcome in one.results(self.plan.tests):
                rows.append(group_tables.result_row(one.name, one.window, outcome, "secondary", held))
        return tables.whole_numbers(tables.as_table("tests", rows), ["df"])

    def _held(self, group: str, test: str, window: Window) -> bool:
        """Whether a window behind a test ends on a close at the price limit for a firm of the group (rule D4)."""
        places = [self.plan.windows.car.index(one) for one in group_tables.windows_of(test, window, self.plan)]
        return any(self.study.estimates.limit[self.study.counted(group, place), place].any() for place in places)

    @cached_property
    def _outcomes(self) -> dict[tuple[str, Window], list[TestResult]]:
        windows = list(enumerate(self.plan.windows.car))
        return {
            (group, window): list(self._group_results(group, place)) for group in self.study.groups for place, window in windows
        }

    def _group_results(self, group: str, place: int) -> Iterator[TestResult]:
        if (group, place) in self.across.sections:
            yield from self.across.results(group, place)
            return
        small = self.small(group, place)
        # the largest t over all windows is of all their firms
        too_many = any((group, at) in self.across.sections for at, window in enumerate(self.plan.windows.car) if window[0] == 0)
        for found in group_tables.group_results(small.computation, small.draws, ALL, self.plan.windows.car[place]):
            apart = found.name == "placebo_max" and too_many
            yield undefined(found.name, "sharp", found.n, "too_many_firms") if apart else found

    @cached_property
    def differences(self) -> list[Difference]:
        """The differences of two groups."""
        return differences_of(self.study, self._inputs_of)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """One row a group, window and test."""
        return self.tests_in_full[tables.COLUMNS["tests"]]

    @cached_property
    def placebo(self) -> pd.DataFrame:
        """One row a placebo distribution of a group's mean."""
        found: dict[tuple[str, tuple[int, int]], dict[str, Any]] = {}
        for group, place in self._small_places:
            window = self.plan.windows.car[place]
            found[group, window] = dict(self.small(group, place).draws.by_test[ALL, window])
        wanted = [name for name in ("placebo_caar", "placebo_scar") if name in self.plan.tests]
        for group, place in self.across.sections:
            drawn: dict[str, Any] = {name: self.across.draws((group, place), name) for name in wanted}
            if "placebo_scar" in drawn:
                drawn["scar_squares"] = self.across.draws((group, place), "scar_squares")
            found[group, self.plan.windows.car[place]] = drawn
        order = [(group, window) for group in self.study.groups for window in self.plan.windows.car]
        found = {key: found[key] for key in order if key in found}
        for one in self.differences:
            if one.together is not None:
                found[one.name, one.window] = dict(one.together[1].by_test.get((one.name, one.window), {}))
        return group_tables.placebo_rows(found)

    @cached_property
    def correlation(self) -> pd.DataFrame:
        """Mean residual correlations by group and window; of large groups where a test across firms rests on them."""
        rows = []
        for group in self.study.groups:
            for place, window in enumerate(self.plan.windows.car):
                if (group, place) in self.across.sections:
                    if not group_tables.correlation_asked(self.plan, len(self.across.sections[group, place].members)):
                        continue
                    pairs = self.across.pairs[group, place]
                    found, n, members = pairs.mean, len(pairs.section.members), pairs.section.members
                else:
                    cross = self.small(group, place).computation.cross_section(ALL, window)
                    members = self.study.counted(group, place)
                    if (n := len(cross.firms)) < 2:
                        continue
                    found = cross.correlation
                if found.enough:
                    sample = int(self.study.estimates.nobs[members].min())
                    rows.append({"group": group} | tables.bounds(window) | group_tables.correlation_row(n, found.mean, sample))
        return tables.as_table("correlation", rows)

    @property
    def _small_places(self) -> list[tuple[str, int]]:
        places = range(len(self.plan.windows.car))
        return [(group, place) for group in self.study.groups for place in places if (group, place) not in self.across.sections]

    @cached_property
    def _of_series(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Tables `data` and `notes` as far as they tell of series."""
        return described(self.study, self.inputs)

    @property
    def data_in_full(self) -> pd.DataFrame:
        """The table `data` with what is to be doubted."""
        return self._of_series[0]

    @cached_property
    def data(self) -> pd.DataFrame:
        """One row a price series."""
        return self.data_in_full[tables.COLUMNS["data"]]

    @cached_property
    def notes(self) -> pd.DataFrame:
        """What the reader must know of the data; of event sessions without a sure price there is one row a symbol."""
        rows = []
        for code, status in (("event_session_unknown", UNKNOWN), ("event_session_missing", MISSING)):
            for symbol, dates in panel_tables.event_sessions_with(self.study, status).items():
                rows.append({"symbol": symbol, "code": code, "note": f"event sessions that are {status}: {', '.join(dates)}"})
        left_out = [{"symbol": item.symbol, "code": item.reason, "note": item.detail} for item in self.left_out]
        return pd.concat([self._of_series[1], tables.as_table("notes", left_out + rows)], ignore_index=True)

    slow_tables = ("tests",)  # the CARs are written in parts

    @cached_property
    def means(self) -> pd.DataFrame:
        """The rows of `tidy` that are means: the mean CAR of each group and window with its interval."""
        rows = []
        for row in ({str(key): value for key, value in row.items()} for row in self.caar.to_dict("records")):
            window = row["window_start"], row["window_end"]
            tests = {found.name: found for found in self._outcomes[row["group"], window]}
            found = tests.get(MEAN_TEST, TestResult("", "sharp", row["n"]))
            if np.isnan(found.statistic) and found.name:  # too many firms to be held together
                found = tests.get(SPREAD_TEST, found)
            rows.append(mean_row(row, found, abs(row["caar"] / found.statistic), self.plan.alpha))
        return pd.DataFrame(rows)

    @cached_property
    def _tidy(self) -> pd.DataFrame:
        return tidied(self.events, self.cars_in_full, self.means, self.plan)

    @property
    def left_out(self) -> Sequence[Exclusion]:
        """Events that were left out, each with a sentence."""
        return self.study.exclusions

    @property
    def reasons(self) -> frozenset[str]:
        """Codes of why CARs are undefined; the empty code is among them where any is defined."""
        return frozenset(REASONS[code] for code in np.unique(self.study.reason[self.study.firms]))

    @property
    def needing_care(self) -> list[str]:
        """One sentence on event sessions without a sure price, where there are any."""
        counts = {status: panel_tables.event_sessions_with(self.study, status) for status in (UNKNOWN, MISSING)}
        return [
            f"{sum(map(len, found.values()))} event sessions are {status}: the table notes has them"
            for status, found in counts.items()
            if found
        ]

    def headline_cars(self) -> dict[str, float]:
        """Return the CARs over the headline window by the firm's name and event."""
        members, events = self._headline_members, self.study.events
        names = np.where(events.name[members] != "", events.name[members], events.symbol[members])
        labels = [f"{name} ({event})" for name, event in zip(names, events.event_id[members], strict=True)]
        return dict(zip(labels, self.headline_values.tolist(), strict=True))

    @property
    def headline_values(self) -> np.ndarray:
        """CARs over the headline window."""
        place = self.plan.windows.car.index(self.plan.headline_window)
        return np.asarray(self.study.estimates.car[self._headline_members, place])

    @property
    def _headline_members(self) -> np.ndarray:
        return self.study.counted(ALL, self.plan.windows.car.index(self.plan.headline_window))

    @property
    def treated_sessions(self) -> list[pd.Timestamp]:
        """The first and the last event session; empty where none is known."""
        known = pd.DatetimeIndex(self.study.session[self.study.firms]).dropna()
        return [known.min(), known.max()] if len(known) else []

    def summary(self) -> pd.DataFrame:
        """Return the mean CAR of each group over each window."""
        return self.caar

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the written tables by name; `table_parts` yields the long ones without holding them whole."""
        further = {"data": self.data_in_full, "tests": self.tests_in_full, "cars": self.cars_in_full}
        return {name: getattr(self, name) for name in WRITTEN} | further

    def table_parts(self) -> Iterator[tuple[str, Iterable[pd.DataFrame]]]:
        """Yield the written tables by name; those with rows for every event are not kept, the longest are made in parts."""
        whole = {"data": "data_in_full", "tests": "tests_in_full"}
        made = {"events": panel_tables.events_table, "models": panel_tables.models_table, "bhar": panel_tables.bhar_table}
        parts = {"abnormal_returns": panel_tables.abnormal_return_parts, "cars": panel_tables.car_parts}
        for name in WRITTEN:
            if name in parts:
                yield name, parts[name](self.study)
            elif name in made:
                yield name, (made[name](self.study),)
            else:
                yield name, (getattr(self, whole.get(name, name)),)
