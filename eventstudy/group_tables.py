"""The tables across firms: averages, tests, placebo distributions, the market itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from eventstudy.abnormal import cumulate
from eventstudy.draws import Draws, compared_groups, difference_name
from eventstudy.headline import headline_of
from eventstudy.inference.bootstrap import BOOTSTRAP, bootstrap_test
from eventstudy.inference.correlation import MOST_FIRMS_TOGETHER
from eventstudy.inference.cross import CrossSection
from eventstudy.inference.parametric import caar_se
from eventstudy.inference.placebo import PlaceboDraws
from eventstudy.inference.registry import CLOSED_FORM, DIFFERENCE, OF_PAIRS, PLACEBO, difference_result, placebo_result, run_test
from eventstudy.inference.result import TestResult, undefined
from eventstudy.inference.sensitivity import FEWEST_BLOCKS
from eventstudy.models import MODELS
from eventstudy.plan import Plan
from eventstudy.returns import trade_rows
from eventstudy.study import UNCONFOUNDED, Computation, FirmStudy
from eventstudy.tables import Row, as_table, bounds, day, whole_numbers
from eventstudy.trading import benchmark_listing
from eventstudy.windows import Window

CENSORED = "censored"  # reason of p-values over a window that ends on a close at the price limit


def aar_table(study: Computation) -> pd.DataFrame:
    """Average of the single-session abnormal returns by group and tau, with their number (rule A9)."""
    rows = []
    lo, hi = study.inputs.plan.windows.event
    for group, members in _named_groups(study):
        values: dict[int, list[float]] = {tau: [] for tau in range(lo, hi + 1)}
        for firm in members:
            if firm.abnormal is None:
                continue
            single = firm.abnormal.rows.span == 1
            for end, ar in zip(firm.abnormal.rows.end[single], firm.abnormal.ar[single], strict=True):
                values[int(end) - firm.day0].append(float(ar))
        for tau, found in values.items():
            rows.append({"group": group, "tau": tau, "n": len(found), "aar": np.mean(found) if found else np.nan})
    return as_table("aar", rows)


def _named_groups(study: Computation) -> Iterator[tuple[str, tuple[FirmStudy, ...]]]:
    for group, members in study.groups.items():
        if group != UNCONFOUNDED:
            yield group, members


def caar_table(study: Computation) -> pd.DataFrame:
    """Mean of the complete CARs by group and window: not the sum of AARs once a row is missing (rule A9)."""
    rows = []
    for group in study.groups:
        for window in study.inputs.plan.windows.car:
            car = study.cross_section(group, window).car
            rows.append(
                {"group": group}
                | bounds(window)
                | {
                    "n": len(car),
                    "caar": car.mean() if len(car) else np.nan,
                    "median_car": np.median(car) if len(car) else np.nan,
                    "n_negative": int((car < 0).sum()),
                }
            )
    return as_table("caar", rows)


def tests_table(study: Computation, draws: Draws) -> pd.DataFrame:
    """One row a group, window and test; a test that does not apply has the reason. Differences of groups come last."""
    rows = []
    plan = study.inputs.plan
    headline = headline_of(plan, study.inputs.events)
    for group in study.groups:
        for window in plan.windows.car:
            for found in group_results(study, draws, group, window):
                held = any(any(study.cross_section(group, one).limits) for one in windows_of(found.name, window, plan))
                rows.append(result_row(group, window, found, headline.role(found.name, window == plan.headline_window), held))
    for first, second in compared_groups(study):
        for window in plan.windows.car:
            name = difference_name(first, second)
            held = any(any(study.cross_section(group, window).limits) for group in (first, second))
            for found in difference_results(study, draws, (first, second), window):
                rows.append(result_row(name, window, found, "secondary", held))
    return whole_numbers(as_table("tests", rows), ["df"])


def windows_of(test: str, window: Window, plan: Plan) -> list[Window]:
    """Return the windows that a test of one window rests on."""
    return [one for one in plan.windows.car if one[0] == 0] if test == "placebo_max" else [window]


def group_results(study: Computation, draws: Draws, group: str, window: Window) -> Iterator[TestResult]:
    """Yield the tests of a group over a window, in the order of the table."""
    plan, cross = study.inputs.plan, study.cross_section(group, window)
    placebos = draws.by_test[group, window]
    for name in plan.tests:
        if name in CLOSED_FORM:
            yield run_test(name, cross)
    for name in PLACEBO:
        if name in placebos:
            yield placebo_result(name, placebos[name], len(cross.firms), cross.staggered)
    if window == plan.headline_window:  # thousands of fits: for the window the study is judged by
        for name in BOOTSTRAP:
            if name in plan.tests:
                yield bootstrap_test(name, cross, plan.seed)


def difference_results(study: Computation, draws: Draws, pair: tuple[str, str], window: Window) -> Iterator[TestResult]:
    """Yield the tests of the difference between two groups over a window."""
    first, second = (study.cross_section(group, window) for group in pair)
    if len(first.firms) + len(second.firms) > MOST_FIRMS_TOGETHER:
        yield from undefined_differences(study.inputs.plan.tests, len(first.firms) + len(second.firms), "too_many_firms")
        return
    if "difference_t" in study.inputs.plan.tests:
        yield difference_result(first, second)
    if "placebo_difference" in study.inputs.plan.tests:
        drawn = draws.by_test[difference_name(*pair), window]["placebo_difference"]
        both = CrossSection(window, (*first.firms, *second.firms))
        yield placebo_result("placebo_difference", drawn, len(both.firms), both.staggered)


def undefined_differences(tests: Sequence[str], n: int, reason: str) -> Iterator[TestResult]:
    """Yield the tests of a difference of groups with so many firms together, which do not apply."""
    for name in DIFFERENCE:
        if name in tests:
            yield undefined(name, "sharp", n, reason)


def result_row(group: str, window: Window, found: TestResult, role: str, held: bool = False) -> Row:
    """Return a test's outcome as a row of the table of tests.

    With `held` a firm's window ends on a close at the price limit, so that the p-value is not exact (rule D4): the reason
    says so, behind one that the test itself has.
    """
    reasons = [found.reason] if found.reason else []
    if held and np.isfinite(found.p_value):
        reasons.append(CENSORED)
    return (
        {"group": group}
        | bounds(window)
        | {
            "test": found.name,
            "null": found.null,
            "statistic": found.statistic,
            "df": found.df,
            "p_value": found.p_value,
            "n": found.n,
            "reason": "; ".join(reasons),
            "p_left": found.p_left,
            "p_right": found.p_right,
            "floor": found.floor,
            "role": role,
        }
    )


def placebo_table(draws: Draws) -> pd.DataFrame:
    """One row a placebo distribution: number of blocks, smallest attainable p, one-sided and non-overlapping p.

    Beside the tests, the same over dates that resemble the event (rule C15), and squared standardised CARs (rule D10).
    """
    return placebo_rows(draws.by_test)


def placebo_rows(by_test: Mapping[tuple[str, Window], Mapping[str, PlaceboDraws | None]]) -> pd.DataFrame:
    """Return the table of placebo distributions, by group and window and by test."""
    rows: list[Row] = []
    for (group, window), placebos in by_test.items():
        for name, drawn in placebos.items():
            if drawn is None or not len(drawn.draws):
                continue
            apart = drawn.apart()
            rows.append(
                {"group": group}
                | bounds(window)
                | {
                    "test": name,
                    "blocks": len(drawn.draws),
                    "floor": drawn.floor,
                    "p_value": drawn.p_value(),
                    "p_left": drawn.p_value("left"),
                    "p_right": drawn.p_value("right"),
                    "blocks_apart": len(apart.draws),
                    "p_apart": apart.p_value(),
                    "statistic": drawn.observed,
                    "median_draw": float(np.median(drawn.draws)),
                    "reason": "few_blocks" if len(drawn.draws) < FEWEST_BLOCKS else "",
                }
            )
    return as_table("placebo", rows)


def correlation_table(study: Computation) -> pd.DataFrame:
    """Mean residual correlation r-bar of a group's firms, with its approximate standard error (rule C6)."""
    rows = []
    for group in study.groups:
        for window in study.inputs.plan.windows.car:
            cross = study.cross_section(group, window)
            n = len(cross.firms)
            if n < 2 or not correlation_asked(study.inputs.plan, n) or not cross.correlation.enough:
                continue
            sample = min(firm.fit.nobs for firm in cross.firms)
            rows.append({"group": group} | bounds(window) | correlation_row(n, cross.correlation.mean, sample))
    return as_table("correlation", rows)


def correlation_asked(plan: Plan, n: int) -> bool:
    """Tell whether the correlations of `n` firms are computed: of many, where a test rests on them; pairs grow with n squared."""
    return n <= MOST_FIRMS_TOGETHER or bool(OF_PAIRS & set(plan.tests))


def correlation_row(n: int, mean: float, sample: int) -> Row:
    """Return the mean correlation of `n` firms with its standard error; `sample` is the fewest estimation rows of any."""
    se = (1 - mean) * (1 + (n - 1) * mean) / np.sqrt(n * (n - 1) * sample / 2)
    return {"n": n, "mean_correlation": mean, "se": se}


def portfolio_se(cross: CrossSection) -> float:
    """Standard error of the group's CAAR with the full covariance (rule C7)."""
    return caar_se(cross.sigma, cross.correlation.nearest[0], cross.shared)


def market_table(study: Computation) -> pd.DataFrame:
    """The benchmark's own constant-mean abnormal return on the same windows (rule D17)."""
    rows = []
    seen = set()
    for firm in study.firms:
        key = (firm.settings.benchmark, firm.session)
        if firm.fit is None or key in seen:
            continue
        seen.add(key)
        listing = benchmark_listing(firm.listing, firm.settings.benchmark)
        own = trade_rows(listing, "trade-to-trade", study.inputs.plan.returns)
        first, last = (firm.day0 + end for end in study.inputs.plan.windows.estimation)
        fit = MODELS["mean"].fit(own.inside(first, last).without(firm.masked))
        for window in study.inputs.plan.windows.car:
            found = cumulate(fit, listing, own, firm.day0, window, study.inputs.plan.alpha)
            rows.append(
                {"benchmark": key[0], "event_session": day(firm.session)}
                | bounds(window)
                | {
                    "car": found.car,
                    "se_car": found.se,
                    "t": found.t,
                    "df": found.df,
                    "p_value": found.p_value,
                    "reason": found.reason,
                }
            )
    return as_table("market", rows)


