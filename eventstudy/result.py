"""The result of a study: its tables as DataFrames, with full precision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from eventstudy import (
    anticipation_tables,
    detectable,
    diagnostic_tables,
    group_tables,
    limit_tables,
    money,
    power,
    robustness,
    tables,
)
from eventstudy.config import StudySpec
from eventstudy.cross_section import cross_section_table
from eventstudy.doubt import event_doubts
from eventstudy.draws import Draws, draw_placebos
from eventstudy.errors import ConfigError
from eventstudy.plan import Plan, StudyInputs
from eventstudy.presentation import Presentation
from eventstudy.seal import Seal, Standing, standings
from eventstudy.study import ALL, Computation, Exclusion
from eventstudy.windows import as_window

TABLE_NAMES = tuple(tables.COLUMNS)


class StudyResult(Presentation):
    """Tables of a computed study; each is computed when first read.

    It shows as a table in a notebook; `tidy`, `to_markdown`, `to_latex`, `to_excel`, `plot_car` and `plot_prices` present it.

    Attributes
    ----------
    cross_section : DataFrame
        Regressions of the CARs on firm characteristics.
    events, models, abnormal_returns, cars, aar, caar, tests, exclusions, data : DataFrame
        The tables of a run folder, same columns; NaN or empty where undefined.
    placebo, detectable, correlation, market, money, bhar, variants, robustness, notes : DataFrame
        Placebo distributions, minimum detectable effects, mean residual correlations, the benchmark's own
        reaction, effects in money, buy-and-hold abnormal returns, CARs computed otherwise, the study under other
        choices, data notes.
    power, power_curve : DataFrame
        Size and power of the tests at placebo dates, and power against the size of the effect.
    diagnostics, unlock, limit_days, anticipation, anticipation_tests : DataFrame
        What the estimation residuals say against the models, price limits, what was known before.
    """

    slow_tables: tuple[str, ...] = ("cars", "draws", "tests", "detectable", "power")  # what takes long, for a progress bar

    def __init__(self, computation: Computation, spec: StudySpec | None = None, seals: tuple[Seal, ...] = ()) -> None:
        self.computation = computation
        self.spec = spec
        self.seals = seals

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """How the study stands to the seals of its design, the one in force first; empty where it was not sealed."""
        return standings(self.spec, self.seals, self.computation.firms) if self.spec and self.seals else ()

    @cached_property
    def events(self) -> pd.DataFrame:
        """One row a firm and event."""
        return tables.events_table(self.computation)

    @cached_property
    def models(self) -> pd.DataFrame:
        """One row a fitted model."""
        return tables.models_table(self.computation)

    @cached_property
    def abnormal_returns(self) -> pd.DataFrame:
        """One row a firm and session of the event window."""
        return tables.abnormal_returns_table(self.computation)

    @cached_property
    def cars(self) -> pd.DataFrame:
        """One row a firm and window."""
        return tables.cars_table(self.computation)[tables.COLUMNS["cars"]]

    @cached_property
    def aar(self) -> pd.DataFrame:
        """Average single-session abnormal returns by group and tau."""
        return group_tables.aar_table(self.computation)

    @cached_property
    def caar(self) -> pd.DataFrame:
        """Mean CAR by group and window."""
        return group_tables.caar_table(self.computation)

    @cached_property
    def draws(self) -> Draws:
        """Placebo draws by group and window."""
        return draw_placebos(self.computation)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """One row a group, window and test."""
        return self.tests_in_full[tables.COLUMNS["tests"]]

    @cached_property
    def tests_in_full(self) -> pd.DataFrame:
        """The table `tests` with the role, the one-sided p-values and the smallest one there can be."""
        return group_tables.tests_table(self.computation, self.draws)

    @cached_property
    def exclusions(self) -> pd.DataFrame:
        """One row an event firm left out."""
        return tables.exclusions_table(self.computation)

    @cached_property
    def data(self) -> pd.DataFrame:
        """One row a price series."""
        return self.data_in_full[tables.COLUMNS["data"]]

    @cached_property
    def data_in_full(self) -> pd.DataFrame:
        """The same with what is to be doubted of each series."""
        return tables.data_table(self.computation)

    @cached_property
    def placebo(self) -> pd.DataFrame:
        """One row a placebo distribution."""
        return group_tables.placebo_table(self.draws)

    @cached_property
    def detectable(self) -> pd.DataFrame:
        """Minimum detectable effects by firm and group, and by number of firms."""
        return detectable.detectable_table(self.computation)

    @cached_property
    def trials(self) -> dict[str, power.Trials]:
        """The study's groups at placebo dates, with the suspensions of the event."""
        return power.placebo_trials(self.computation)

    @cached_property
    def power(self) -> pd.DataFrame:
        """One row a group and test: how often it rejects at placebo dates, without and with an effect."""
        return power.power_table(self.computation, self.trials)

    @cached_property
    def power_curve(self) -> pd.DataFrame:
        """Power of the headline tests against the size of the effect."""
        return power.power_curve_table(self.computation, self.trials)

    @cached_property
    def correlation(self) -> pd.DataFrame:
        """Mean residual correlations by group and window."""
        return group_tables.correlation_table(self.computation)

    @cached_property
    def market(self) -> pd.DataFrame:
        """The benchmark's own abnormal return."""
        return group_tables.market_table(self.computation)

    @cached_property
    def cross_section(self) -> pd.DataFrame:
        """Regression of the CARs on firm characteristics, one row a group, window and term."""
        return cross_section_table(self.computation)

    @cached_property
    def money(self) -> pd.DataFrame:
        """Effects in money of the firms with shares, and their totals by group."""
        return money.money_table(self.computation)

    @cached_property
    def bhar(self) -> pd.DataFrame:
        """Buy-and-hold abnormal returns, one row a firm and window."""
        return tables.bhar_table(self.computation)

    @cached_property
    def variants(self) -> pd.DataFrame:
        """CARs beside the study's own: another error scale, or a global index that had not heard of the event."""
        return tables.variants_table(self.computation)

    @cached_property
    def robustness(self) -> pd.DataFrame:
        """One row a specification and scope; empty where the config has no [robustness]."""
        return robustness.robustness_table(self.computation)

    @cached_property
    def notes(self) -> pd.DataFrame:
        """What the reader must know of the data."""
        return tables.notes_table(self.computation)

    @cached_property
    def known_before(self) -> anticipation_tables.Anticipation:
        """The study on earlier windows, on its leaks, and without its masks."""
        return anticipation_tables.Anticipation(self.computation)

    @cached_property
    def anticipation(self) -> pd.DataFrame:
        """CARs before the event and of leaks, their total with the announcement, and the study without its masks."""
        return anticipation_tables.anticipation_table(self.known_before)

    @cached_property
    def anticipation_tests(self) -> pd.DataFrame:
        """Tests across firms over the windows before the event and over leaks."""
        return anticipation_tables.anticipation_tests(self.known_before)

    @cached_property
    def unlock(self) -> pd.DataFrame:
        """One row a firm with a price limit: its first close off the limit after the event."""
        return limit_tables.unlock_table(self.computation)

    @cached_property
    def limit_days(self) -> pd.DataFrame:
        """CARs under other treatments of closes at the price limit."""
        return limit_tables.limit_days_table(self.computation)

    @cached_property
    def diagnostics(self) -> pd.DataFrame:
        """One row a fit and diagnostic."""
        return diagnostic_tables.diagnostics_table(self.computation)

    @property
    def plan(self) -> Plan:
        """What was asked for."""
        return self.inputs.plan

    @property
    def inputs(self) -> StudyInputs:
        """Everything the study was computed from."""
        return self.computation.inputs

    @property
    def left_out(self) -> Sequence[Exclusion]:
        """Event firms that were left out, each with a sentence."""
        return self.computation.exclusions

    @property
    def reasons(self) -> frozenset[str]:
        """Codes of why CARs are undefined; the empty code is among them where any is defined."""
        return frozenset(found.reason for firm in self.computation.firms for found in firm.cumulative.values())

    @property
    def needing_care(self) -> list[str]:
        """Sentences on event sessions without a sure price."""
        doubts = [doubt for firm in self.computation.firms for doubt in event_doubts(firm)]
        return [f"{doubt.subject}: {doubt.text}" for doubt in doubts if doubt.severity == "error"]

    def headline_cars(self) -> dict[str, float]:
        """Return the treated firms' CARs over the headline window by the firm's name, with its event where there are several."""
        window = self.inputs.plan.headline_window
        members = [firm for firm in self.computation.groups[ALL] if not firm.cumulative[window].reason]
        several = len({firm.key[0] for firm in members}) > 1
        names = [firm.settings.name or firm.dated.event.symbol for firm in members]
        labels = [f"{name} ({firm.key[0]})" if several else name for name, firm in zip(names, members, strict=True)]
        return {label: firm.cumulative[window].car for label, firm in zip(labels, members, strict=True)}

    @property
    def headline_values(self) -> np.ndarray:
        """The numbers of `headline_cars`."""
        return np.array(list(self.headline_cars().values()), dtype=float)

    @property
    def treated_sessions(self) -> list[pd.Timestamp]:
        """The first and the last event session of the treated firms; empty where none is known."""
        found = [firm.session for firm in self.computation.firms if firm.dated.event.role == "treated"]
        known = [session for session in found if session is not None]
        return [min(known), max(known)] if known else []

    def car(self, window: tuple[int, int]) -> pd.DataFrame:
        """Return the rows of `cars` for one window.

        Parameters
        ----------
        window : (int, int)
            First and last session, both inclusive; one of the study's.

        Returns
        -------
        DataFrame
            One row a firm.

        Raises
        ------
        ConfigError
            If the study has no such window.

        Examples
        --------
        >>> import eventstudy as es
        >>> result = es.run_study("configs/entity-list-2019.toml")
        >>> result.car((0, 2)).set_index("symbol")["car"].round(3).head(3).to_dict()
        {'002230.SZ': 0.047, '002415.SZ': -0.066, '002236.SZ': -0.085}
        """
        lo, hi = as_window(window, "window")
        found = self.cars[(self.cars["window_start"] == lo) & (self.cars["window_end"] == hi)]
        if found.empty:
            there = [list(pair) for pair in self.plan.windows.car]
            raise ConfigError(f"no CAR window {[lo, hi]}: the study has {there}")
        return found.reset_index(drop=True)

    def part(self, symbol: str | None, event_id: str | None) -> StudyResult:
        """Return a result that has one symbol, or the firms of one event, computed event by event."""
        return self

    def summary(self) -> pd.DataFrame:
        """Return the headline window: each firm's CAR with its interval, then the mean of the treated firms.

        Returns
        -------
        DataFrame
            ``event_id, symbol, car, ci_low, ci_high, p_value, p_holm, status, reason``. In the last row `event_id` is ``CAAR``,
            and `reason` holds the number of firms.

        Examples
        --------
        >>> import eventstudy as es
        >>> result = es.run_study("configs/entity-list-2019.toml")
        >>> print(result.summary()[["event_id", "symbol", "car"]].iloc[[0, 1, 2, -1]].round(3).to_string(index=False))
                event_id    symbol    car
        entity-list-2019 002230.SZ  0.033
        entity-list-2019 002415.SZ -0.086
        entity-list-2019 002236.SZ -0.121
                    CAAR       all -0.058
        """
        plan = self.plan
        columns = ["event_id", "symbol", "car", "ci_low", "ci_high", "p_value", "p_holm", "status", "reason"]
        firms = self.car(plan.headline_window)[columns]
        cross = self.computation.cross_section(ALL, plan.headline_window)
        mean = {"event_id": "CAAR", "symbol": ALL, "car": float("nan"), "status": "undefined", "reason": "no_firms"}
        if cross.firms:
            mean |= {"car": float(cross.car.mean()), "status": "ok", "reason": f"n={len(cross.firms)}"}
        return pd.concat([firms, pd.DataFrame([mean])], ignore_index=True)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all tables by name as they are written.

        Three have further columns: ``data``, what is to be doubted; ``tests``, the role (headline or secondary), one-sided
        p-values and the smallest one there can be; ``cars``, which of them are only bounds, and p-values adjusted by Benjamini
        and Hochberg and by Romano and Wolf.
        """
        further = {
            "data": self.data_in_full,
            "tests": self.tests_in_full,
            "cars": tables.cars_table(self.computation, self.draws),
        }
        return {name: getattr(self, name) for name in TABLE_NAMES} | further

    def table_parts(self) -> Iterator[tuple[str, Iterable[pd.DataFrame]]]:
        """Yield the tables as they are written, by name, long ones in parts."""
        for name, table in self.tables().items():
            yield name, (table,)

    def write(self, folder: str | Path) -> Path:
        """Write a run folder, as the command line does.

        Parameters
        ----------
        folder : str or Path
            Reports folder; made if it is not there.

        Returns
        -------
        Path
            The run's own folder in it, ``<study>/<run id>``: the report, the tables, the manifest and the config.

        Raises
        ------
        OutputError
            If the folder cannot be written.
        LockedError
            If another run is writing there.

        Examples
        --------
        >>> import tempfile
        >>> import eventstudy as es
        >>> study = es.load_study("configs/entity-list-2019.toml")
        >>> result = es.run_study(study.replace(tests=["portfolio_t"]))
        >>> with tempfile.TemporaryDirectory() as reports:
        ...     folder = result.write(reports)
        ...     print((folder / "report.html").is_file())
        True
        """
        from eventstudy.runs import write_run

        return write_run(self, Path(folder)).folder
