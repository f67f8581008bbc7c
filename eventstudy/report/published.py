"""The table of a study as it is published: estimates with their intervals, N, the tests by name, and notes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from eventstudy.draws import OF_BLOCKS
from eventstudy.group_tables import result_row
from eventstudy.inference.placebo import placebo_blocks
from eventstudy.inference.registry import CLOSED_FORM, placebo_result, run_test
from eventstudy.panel.result import PanelResult
from eventstudy.plan import Plan
from eventstudy.report.averages import UNLIKE, sd_ratios
from eventstudy.report.numbers import Scale, confidence, decimal, interval, listed, p_value, whole, window
from eventstudy.report.subjects import Reading
from eventstudy.report.tests_in_words import NULLS, asked, words_of_test
from eventstudy.report.wording import EXPECTATION, REASONS, own_words, sentence
from eventstudy.result import StudyResult
from eventstudy.study import ALL, UNCONFOUNDED
from eventstudy.tidy import SPREAD_TEST
from eventstudy.windows import Window

MOST_FIRMS = 20  # more are not listed one by one
MOST_TOLD = 5
OWN_NULLS = {"equal": "alike", "joint": "joint", "difference": "difference"}


@dataclass(frozen=True)
class Line:
    """A line of a panel; its last cell is a note, and where it is `undefined` that says why there are no numbers."""

    cells: tuple[str, ...]
    mean: bool = False
    undefined: bool = False


@dataclass(frozen=True)
class Panel:
    """One part of a table; the first `text` columns and the last one hold text, those before `counted` are always filled."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    text: int
    counted: int


@dataclass(frozen=True)
class Published:
    """A table to be rendered.

    Parameters
    ----------
    caption : str
    panels : tuple of Panel
    notes : tuple of str
        Sentences printed under it.
    """

    caption: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What the table says of a study beside its estimates; of many firms `treated` names none."""

    title: str
    plan: Plan
    benchmark: str
    treated: Mapping[tuple[str, str], str]
    counted: str
    group_name: Callable[[str], str]
    observations: tuple[int, ...]
    headline: tuple[str, ...]
    reading: Reading | None = None


def published(result: StudyResult, windows: Sequence[Window] | Literal["headline"] | None, every_test: bool) -> Published:
    """Return the table of a study.

    Parameters
    ----------
    windows : sequence of (int, int), "headline" or None
        Of the estimates; None for all of the study.
    every_test : bool
        Whether all tests of the headline window are shown, or the two the study stands on.
    """
    facts = _of_many(result) if isinstance(result, PanelResult) else _of_few(result)
    plan = facts.plan
    shown = [plan.headline_window] if windows == "headline" else list(plan.windows.car) if windows is None else list(windows)
    table = result.tidy()
    table = table[[pair in shown for pair in zip(table["window_start"], table["window_end"], strict=True)]]
    tests = asked(_tests(result, facts, every_test))
    panels = _estimates(facts, table), _test_panel(plan.headline_window, tests)
    return Published(facts.title, panels, _notes(result, facts, table, tests))


def _of_few(result: StudyResult) -> Facts:
    reading = Reading(result)
    fits = [subject.firm.fit for subject in reading.treated]
    return Facts(
        reading.title, reading.plan, listed(reading.benchmarks),
        {subject.firm.key: subject.label.name for subject in reading.treated} if len(reading.treated) <= MOST_FIRMS else {},
        reading.counted_words(len(reading.treated)), reading.group_name,
        tuple(sorted({fit.nobs for fit in fits if fit is not None})), reading.headline.tests, reading,
    )  # fmt: skip


def _of_many(result: PanelResult) -> Facts:
    spec, counts = result.spec, result.models["nobs"]
    names = {ALL: "All treated firms", UNCONFOUNDED: "Treated firms without other news in the window"}
    return Facts(
        own_words(spec.study.title or spec.study.name) if spec else "Event study", result.plan, "", {},
        f"{whole(len(result.events))} events", lambda group: names.get(group, f"Group: {own_words(group)}"),
        (int(counts.min()), int(counts.max())) if len(counts) else (), result.headline.tests,
    )  # fmt: skip


def _estimates(facts: Facts, table: pd.DataFrame) -> Panel:
    lines = []
    if not facts.treated:
        table = table[table["scope"] == "group"]
    for row in table.to_dict("records"):
        if row["scope"] == "group":
            lines.append(_estimate(f"Mean: {_lower(facts.group_name(row['group']))}", row))
        elif name := facts.treated.get((row["event_id"], row["symbol"])):
            lines.append(_estimate(name, row))
    unit, level = Scale(facts.plan.returns).unit, confidence(facts.plan.alpha)
    columns = ("Firm", "Window", "N", f"CAR, {unit}", f"{level} interval", "s.e.", "t", "df", "p", "Holm p", "Note")
    title = "Cumulative abnormal returns"
    if len({line.cells[1] for line in lines}) > 1:
        return Panel(title, columns, tuple(lines), text=2, counted=3)
    kept = tuple(replace(line, cells=line.cells[:1] + line.cells[2:]) for line in lines)
    return Panel(f"{title}, window {lines[0].cells[1]}" if lines else title, columns[:1] + columns[2:], kept, text=1, counted=2)


def _estimate(name: str, row: Mapping[Hashable, Any]) -> Line:
    bounds = window((row["window_start"], row["window_end"]))
    mean = row["scope"] == "group"
    reason = REASONS.get(str(row["reason"]), str(row["reason"]))
    if row["status"] != "ok":
        return Line((name, bounds, whole(row["n"]), "", "", "", "", "", "", "", reason), mean, undefined=True)
    held = f"ends on a close at the price limit: a bound ({row['censored']})" if row["censored"] else ""
    news = f"other news: {own_words(str(row['confounded_by']))}" if row["confounded_by"] else ""
    p = ["", ""] if held else [p_value(row["p_value"]), p_value(row["p_holm"])]
    cells = (
        name, bounds, whole(row["n"]), decimal(100 * row["estimate"], sign=True),
        interval(row["ci_low"], row["ci_high"]).replace("%", ""), decimal(100 * row["std_error"]),
        decimal(row["statistic"]), whole(row["df"]), *p, "; ".join(part for part in (held, news, reason) if part),
    )  # fmt: skip
    return Line(cells, mean)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _tests(result: StudyResult, facts: Facts, every_test: bool) -> pd.DataFrame:
    """Return the tests across all treated firms in the headline window, of a few without computing the others."""
    bounds, names, reading = facts.plan.headline_window, facts.headline, facts.reading
    if every_test or reading is None or not set(names) <= set(CLOSED_FORM) | set(OF_BLOCKS):
        table = result.tests_in_full
        table = table[(table["group"] == ALL) & (table["window_start"] == bounds[0]) & (table["window_end"] == bounds[1])]
        return table if every_test else table[table["test"].isin(names)]
    cross = reading.study.cross_section(ALL, bounds)
    n, rows = len(cross.firms), []
    for name in names:
        if name in CLOSED_FORM:
            found = run_test(name, cross)
        else:
            found = placebo_result(name, OF_BLOCKS[name](placebo_blocks(cross)) if n else None, n, bool(n) and cross.staggered)
        rows.append(result_row(ALL, bounds, found, "headline", any(cross.limits)))
    return pd.DataFrame(rows, columns=list(result_row(ALL, bounds, run_test("patell", cross), "")))


def _test_panel(bounds: Window, tests: pd.DataFrame) -> Panel:
    lines = []
    for row in tests.to_dict("records"):
        note = "; ".join(REASONS.get(code, code) for code in row["reason"].split("; "))
        undefined = pd.isna(row["statistic"])
        null = OWN_NULLS.get(words_of_test(row["test"]).null, row["null"])
        numbers = ("", "", "") if undefined else (decimal(row["statistic"], 3), _df(row["df"]), p_value(row["p_value"]))
        cells = (words_of_test(row["test"]).name, null, whole(row["n"]), *numbers, note)
        lines.append(Line(cells, undefined=bool(undefined)))
    title = f"Tests across all treated firms, window {window(bounds)}"
    return Panel(title, ("Test", "Null", "N", "Statistic", "df", "p", "Note"), tuple(lines), text=2, counted=3)


def _df(value: Any) -> str:
    return "" if pd.isna(value) else whole(float(value))


def _notes(result: StudyResult, facts: Facts, table: pd.DataFrame, tests: pd.DataFrame) -> tuple[str, ...]:
    plan = facts.plan
    kind = "log returns: exp(x) − 1 is the change in value" if plan.returns == "log" else "simple returns"
    expected = EXPECTATION.get(plan.model, "relative to the model").format(benchmark=facts.benchmark or "the benchmark")
    span = " to ".join(whole(count) for count in dict.fromkeys(facts.observations[:1] + facts.observations[-1:]))
    of_means = {SPREAD_TEST: "the spread across firms (cross-sectional t)"}
    run = [name for name in dict.fromkeys(table["test"]) if name not in ("t", "")]
    rests = [of_means.get(name, "the covariance across firms (portfolio t)") for name in run]
    notes = [
        f"Returns {expected}, added up over the window; {kind}. Windows are in sessions relative to the event session, "
        f"both ends included. Estimation window {window(plan.windows.estimation)}"
        + (f", {span} observations a firm" if span else "")
        + f"; model {plan.model}; suspensions {plan.suspensions}.",
        "A firm's t, p and interval rest on its own estimation window (null: the CAR is zero and the event changed nothing), "
        + (f"those of a mean on {listed(rests)}. " if rests else "the means have none. ")
        + "p is two-sided; Holm p is adjusted over the firms with a CAR in the same window. Empty: undefined, with the reason.",
    ]
    nulls = {}
    for name, null in zip(tests["test"], tests["null"], strict=True):
        own = words_of_test(name).null
        nulls[OWN_NULLS.get(own, null)] = NULLS[own or null]
    if nulls:
        notes.append("Nulls: " + "; ".join(f"{short}: {told}" for short, told in nulls.items()) + ".")
    notes += _chance(facts, tests)
    if not facts.treated:
        notes.append(f"The CARs of the {facts.counted} are in the table cars.")
    return tuple(sentence(note) for note in [*notes, *_left_out(result.exclusions)])


def _left_out(excluded: pd.DataFrame) -> list[str]:
    """Tell which events were left out, or how many for each reason."""
    if excluded.empty:
        return []
    if len(excluded) <= MOST_TOLD:
        pairs = zip(excluded["symbol"], excluded["reason"], strict=True)
        return [f"Left out: {listed(f'{own_words(symbol)} ({REASONS.get(code, code)})' for symbol, code in pairs)}."]
    counts = excluded["reason"].value_counts()
    return ["Left out: " + "; ".join(f"{whole(count)} ({REASONS.get(str(code), code)})" for code, count in counts.items()) + "."]


def _chance(facts: Facts, tests: pd.DataFrame) -> list[str]:
    """Return what the reader of the tests must know: correlation, floor and stationarity of placebo dates, unlike reactions."""
    notes, ratios, reading = [], None, facts.reading
    if reading is not None:
        cross = reading.study.cross_section(ALL, facts.plan.headline_window)
        if len(cross.firms) > 1 and cross.correlation.enough:
            notes.append(f"Mean residual correlation of the firms: {decimal(cross.correlation.mean)}.")
    placebo = tests[tests["test"].str.startswith("placebo") & tests["statistic"].notna()]
    if len(placebo):
        ratios = sd_ratios(reading.treated, reading.result.models) if reading is not None else None
        spread = " to ".join(dict.fromkeys(decimal(ratio) for ratio in ratios)) if ratios else ""
        calm = f"; in the 30 sessions before the event residuals spread {spread} times as wide as in the estimation window"
        floor = decimal(float(placebo["floor"].max()), 4)
        notes.append(f"Smallest p-value that the placebo dates can give: {floor}{calm if spread else ''}.")
    unlike = tests.loc[tests["test"] == "equal_effects", "p_value"]
    if (unlike < UNLIKE).any():
        notes.append("The firms did not react alike (equality of effects): their mean is one of unlike reactions.")
    return notes
