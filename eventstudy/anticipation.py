"""What was known before: leaks with windows of their own, sessions before the event, and masks (rules D11 and 0.4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eventstudy.abnormal import session_weights
from eventstudy.errors import DataError
from eventstudy.events import EventFirm
from eventstudy.inference.correlation import nearest_correlation
from eventstudy.plan import Leak, MaskedSpell, Plan
from eventstudy.student import both_tails
from eventstudy.study import ALL, Computation, Exclusion, FirmStudy, compute
from eventstudy.windows import Window, Windows

PRE_EVENT: tuple[Window, ...] = ((-30, -11), (-10, -1))
PROBABILITIES = (0.0, 0.25, 0.5)


@dataclass(frozen=True)
class Leaked:
    """A firm at its event, and the same firm at the leak that came before."""

    firm: FirmStudy
    leak: FirmStudy

    @property
    def leak_window(self) -> Window:
        """Window of the leak."""
        return next(iter(self.leak.cumulative))


@dataclass(frozen=True)
class Total:
    """Leak and announcement together; NaN with a reason where one of them is undefined."""

    car: float
    se: float
    t: float
    df: int
    p_value: float
    n: int = 1
    reason: str = ""


@dataclass(frozen=True)
class LeakStudies:
    """The leaks of a study as studies of their own, one for each set of windows; `failed` says of the others why not."""

    studies: tuple[Computation, ...]
    failed: tuple[Exclusion, ...]


def leak_studies(study: Computation) -> LeakStudies:
    """Run the leaks of a study.

    A mask that hides a leak from the estimation of the announcement ends, here, the day before the leak.
    """
    found: list[Computation] = []
    failed: list[Exclusion] = []
    for windows in dict.fromkeys(leak.windows for leak in study.inputs.plan.leaks):
        leaks = [leak for leak in study.inputs.plan.leaks if leak.windows == windows]
        plan = replace(
            study.inputs.plan,
            windows=windows,
            headline_window=windows.car[0],
            masks=_before(study.inputs.plan.masks, min(_date(leak) for leak in leaks)),
            tests=tuple(name for name in study.inputs.plan.tests if name != "placebo_max"),
            leaks=(),
        )
        try:
            events = tuple(_as_in_the_study(study, leak) for leak in leaks)
            computed = compute(replace(study.inputs, plan=plan, events=events), study.prepared)
        except DataError as problem:
            failed += [Exclusion(leak.event.event_id, leak.event.symbol, "leak", "no_leak", str(problem)) for leak in leaks]
            continue
        found.append(computed)
        failed += computed.exclusions
    return LeakStudies(tuple(found), tuple(failed))


def _as_in_the_study(study: Computation, leak: Leak) -> EventFirm:
    """Return a leak with the role and group that its firm has in the study."""
    own = next((event for event in study.inputs.events if event.symbol == leak.event.symbol), leak.event)
    return replace(leak.event, role=own.role, group=own.group)


def _date(leak: Leak) -> dt.date:
    when = leak.event.announcement
    return when.session or when.on or when.bounds()[0].date()


def _before(masks: tuple[MaskedSpell, ...], date: dt.date) -> tuple[MaskedSpell, ...]:
    last = date - dt.timedelta(days=1)
    return tuple(replace(mask, last=min(mask.last, last)) for mask in masks if mask.first < date)


def leaked_firms(study: Computation, leaks: LeakStudies) -> list[Leaked]:
    """Pair every leak with the first event of its firm after it."""
    pairs = []
    for computed in leaks.studies:
        for leak in computed.firms:
            if leak.dated.place is None:
                continue
            after = [
                firm
                for firm in study.firms
                if firm.key[1] == leak.key[1] and firm.dated.place is not None and firm.day0 > leak.day0
            ]
            nearest = min((firm.day0 for firm in after), default=None)
            pairs += [Leaked(firm, leak) for firm in after if firm.day0 == nearest]
    return pairs


def study_before(study: Computation) -> Computation | None:
    """Run the study again on the windows before the event that its event window reaches, and through the headline window.

    None where it reaches none of them.
    """
    plan = study.inputs.plan
    pre = [window for window in PRE_EVENT if window[0] >= plan.windows.event[0] and window[1] <= plan.windows.event[1]]
    if not pre:
        return None
    windows = tuple(dict.fromkeys([*pre, (pre[-1][0], plan.headline_window[1])]))
    tests = tuple(name for name in plan.tests if name != "placebo_max")
    return compute(replace(study.inputs, plan=replace(_with_windows(plan, windows), tests=tests, leaks=())), study.prepared)


def _with_windows(plan: Plan, car: tuple[Window, ...]) -> Plan:
    windows = plan.windows
    made = Windows(windows.estimation, windows.event, car, windows.min_observations)
    return replace(plan, windows=made, headline_window=car[0])


def study_unmasked(study: Computation) -> Computation | None:
    """Run the study again without its masks (rule 0.4); None where it has none."""
    if not study.inputs.plan.masks:
        return None
    return compute(replace(study.inputs, plan=replace(study.inputs.plan, masks=(), leaks=())), study.prepared)


def weighted_sessions(pair: Leaked, window: Window) -> np.ndarray:
    """Return, a session, the standard deviation that its error adds to leak plus announcement.

    Both CARs are sums of session errors (rule A8), so their covariance, over shared estimation sessions too, is
    in the squares of this sum: Var = sum of (s_leak w_leak + s_event w_event)^2.
    """
    parts = []
    for firm, own in ((pair.leak, pair.leak_window), (pair.firm, window)):
        assert firm.fit is not None  # a defined CAR has one
        parts.append(firm.fit.sigma * session_weights(firm.fit, firm.cumulative[own], firm.day0, len(firm.listing.status)))
    added: np.ndarray = parts[0] + parts[1]
    return added


def total_effect(pair: Leaked, window: Window) -> Total:
    """Return leak plus announcement over `window`, with the covariance of the two."""
    reason = _why_no_total(pair, window)
    leak, event = pair.leak.cumulative[pair.leak_window], pair.firm.cumulative[window]
    df = min(leak.df, event.df)
    if reason:
        nan = np.nan
        return Total(nan, nan, nan, df, nan, 1, reason)
    return _total(leak.car + event.car, float(np.sum(weighted_sessions(pair, window) ** 2)), df, 1)


def _total(car: float, variance: float, df: int, n: int) -> Total:
    se = float(np.sqrt(variance))
    return Total(car, se, car / se, df, float(both_tails(car / se, df)), n)


def _why_no_total(pair: Leaked, window: Window) -> str:
    if reason := pair.leak.cumulative[pair.leak_window].reason or pair.firm.cumulative[window].reason:
        return reason
    fits = (pair.leak.fit, pair.firm.fit)
    if any(fit is None or not fit.linear or fit.session_variance is not None for fit in fits):
        return "not_least_squares"
    return "windows_overlap" if pair.leak.day0 + pair.leak_window[1] >= pair.firm.day0 + window[0] else ""


def mean_total(study: Computation, pairs: Sequence[Leaked], window: Window) -> Total | None:
    """Return the mean of leak plus announcement over the treated firms that have both; None below two of them.

    The covariance across firms pairs their errors by session, with the residual correlations of the announcement.
    """
    treated = {firm.key for firm in study.groups[ALL]}
    chosen = {pair.firm.key: pair for pair in pairs if pair.firm.key in treated and not _why_no_total(pair, window)}
    cross = study.cross_section(ALL, window)
    places = [(place, key) for place, key in enumerate(_keys(study, window)) if key in chosen]
    calendars = {id(chosen[key].firm.listing.calendar) for _, key in places}
    if len(places) < 2 or not cross.correlation.enough or len(calendars) > 1:
        return None
    rows = [place for place, _ in places]
    correlation = nearest_correlation(cross.correlation.matrix[np.ix_(rows, rows)])[0]
    weights = np.column_stack([weighted_sessions(chosen[key], window) for _, key in places])
    variance = float(np.sum(correlation * (weights.T @ weights))) / len(rows) ** 2
    totals = [total_effect(chosen[key], window) for _, key in places]
    return _total(float(np.mean([item.car for item in totals])), variance, min(item.df for item in totals), len(rows))


def _keys(study: Computation, window: Window) -> list[tuple[str, str]]:
    """Keys of the firms of the cross-section ``all``, in its order."""
    return [firm.key for firm in study.groups[ALL] if firm.car(window) is not None]
