"""The page of a study of many events: the mean, its spread and its tests; single events stand in the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.configfile import spec_text
from eventstudy.panel.batch import COEFFICIENTS, REASONS
from eventstudy.panel.result import PanelResult
from eventstudy.panel.study import DIAGNOSED
from eventstudy.report.averages import Average
from eventstudy.report.finding import expectation_words
from eventstudy.report.language import _, ngettext, pgettext
from eventstudy.report.material import provenance
from eventstudy.report.numbers import (
    Scale,
    confidence,
    day,
    days,
    decimal,
    interval,
    joined,
    p_equation,
    p_value,
    percent,
    whole,
    window,
    window_in_words,
)
from eventstudy.report.spread import spread_figure
from eventstudy.report.surety import average_in_brief, average_words, leading_tests, no_headline_words
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, records
from eventstudy.report.tests_in_words import NULLS, null_name, remarked, short_name, words_of_test
from eventstudy.report.wording import MODELS, TREATMENTS, own_words, sentence, visible, why
from eventstudy.study import ALL
from eventstudy.windows import Window

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def context(result: PanelResult, versions: Mapping[str, str] | None) -> dict[str, Any]:
    """Return everything the template of a study of many events shows."""
    plan, scale = result.plan, Scale(result.plan.returns)
    return {
        "title": own_words((result.spec.study.title or result.spec.study.name) if result.spec else _("Event study")),
        "note": own_words(result.spec.study.note) if result.spec else "",
        "question": question(result),
        "answer": answer(result, scale),
        "sure": in_brief(result),
        "chance": chance(result),
        "scale": plan.returns,
        "lead_figure": spread_figure(result, scale),
        "tables": {
            "averages": _averages(result, scale),
            "tests": _tests(result),
            "quantiles": _quantiles(result, scale),
            "models": _models(result),
            "left_out": _counts("left-out", _("Events left out, by reason"), result.exclusions["reason"]),
            "undefined": _counts("undefined", _("CARs that are undefined, by reason"), _undefined(result)),
            "sessions": _sessions(result),
        },
        "method": method(result),
        "versions": provenance(versions),
        "config": visible(spec_text(result.spec)) if result.spec else "",
    }


def _row_of(table: pd.DataFrame, group: str, bounds: Window) -> pd.DataFrame:
    return table[(table["group"] == group) & (table["window_start"] == bounds[0]) & (table["window_end"] == bounds[1])]


def mean_of(result: PanelResult, group: str, bounds: Window, scale: Scale) -> Average:
    """Return the mean effect of a group over a window, with the interval that it has in `tidy`."""
    mean, row = _row_of(result.means, group, bounds).iloc[0], _row_of(result.caar, group, bounds).iloc[0]
    value, low, high, median = (
        scale.effect(float(number)) for number in (mean["estimate"], mean["ci_low"], mean["ci_high"], row["median_car"])
    )
    return Average(int(row["n"]), value, low, high, median, int(row["n_negative"]) if row["n"] else 0)


def question(result: PanelResult) -> str:
    """Return the question of the study, with the time from which its events come."""
    events, placed = result.study.events, pd.Series(result.study.session).dropna()
    about = {"number": whole(len(events)), "firms": whole(len(set(events.symbol)))}
    if placed.empty:
        return _("What did {number} events at {firms} firms do to share prices?", **about)
    first, last = placed.min().date(), placed.max().date()
    when = day(first, week=False) if first == last else days(first, last)
    if first == last:
        return _("What did {number} events at {firms} firms, on {day}, do to share prices?", day=when, **about)
    return _("What did {number} events at {firms} firms, from {days}, do to share prices?", days=when, **about)


def answer(result: PanelResult, scale: Scale) -> str:
    """Return the answer in one sentence: the mean effect, its interval, and how many events fell."""
    bounds = result.plan.headline_window
    when = _("Over {sessions} ({window})", sessions=window_in_words(bounds), window=window(bounds))
    mean = mean_of(result, ALL, bounds, scale)
    if not mean.n:
        return _("{when}, no event has an effect that can be estimated: see what was left out.", when=when)
    firms, series = result.inputs.firms.values(), result.inputs.series
    symbols = dict.fromkeys(firm.benchmark for firm in firms)
    names = tuple(own_words(series[symbol].name if symbol in series and series[symbol].name else symbol) for symbol in symbols)
    return _(
        "{when}, {against}, the effect is {average} on average and {median} in the median; the price fell in {falls} of {number} "
        "cases ({share}%).",
        when=when, against=expectation_words(result.plan.model, names), average=average_words(mean, result.plan.alpha),
        median=percent(mean.median, 1), falls=whole(mean.negative), number=whole(mean.n),
        share=decimal(100 * mean.negative / mean.n, 1),
    )  # fmt: skip


def _headline_rows(result: PanelResult) -> list[dict[str, Any]]:
    tests = {row["test"]: row for row in records(_row_of(result.tests, ALL, result.plan.headline_window))}
    return [tests[name] for name in leading_tests(result.headline, result.plan.tests)]


def in_brief(result: PanelResult) -> str:
    """Return how sure one can be, short enough for the first screen: what chance alone would do."""
    told = [
        _("{p} by {test}", p=p_value(row["p_value"]), test=short_name(row["test"]))
        for row in _headline_rows(result)
        if not pd.isna(row["p_value"])
    ]
    return sentence(average_in_brief(told)) if told else ""


def chance(result: PanelResult) -> list[str]:
    """Return what the headline tests say, and by which rule they are these, as sentences."""
    told = []
    for row in _headline_rows(result):
        name = short_name(row["test"])
        if pd.isna(row["p_value"]):
            told.append(_("{test}, undefined ({reason})", test=name, reason=why(row["reason"])))
        else:
            words = _("{test}, {p}", test=name, p=p_equation(row["p_value"]))
            told.append(remarked(words, name, row["reason"]))
    if not told:
        return []
    tests = joined(told)
    if not result.headline.tests:
        return [no_headline_words(tests)]
    stated = ngettext(
        "Headline test of the average: {tests}", "Headline tests of the average: {tests}", len(told), tests=tests
    )
    rule = _("Headline tests by the {rule}, not picked from the results; all others are secondary.", rule=_(result.headline.rule))
    return [sentence(stated), rule]


def method(result: PanelResult) -> list[str]:
    """Tell model, windows, masks, the treatment of suspensions, and what many events change."""
    plan = result.plan
    logs = plan.returns == "log"
    told = [
        _("Expected returns come from the {model}.", model=_(MODELS.get(plan.model, plan.model))),
        _("Returns are log returns, which add up over sessions.") if logs else _("Returns are simple returns."),
        _(
            "Estimation window {estimation}, event window {event}, in exchange sessions relative to the event session; at least "
            "{number} observations.",
            estimation=window(plan.windows.estimation), event=window(plan.windows.event), number=plan.windows.min_observations,
        ),
        _(TREATMENTS[plan.suspensions]),
        _("Events are estimated together in closed form; every number is that of one event at a time."),
        _("Tests that hold all firms together are left out for groups of more than 100, with the reason in their rows."),
    ]  # fmt: skip
    for mask in plan.masks:
        spell = {"first": mask.first.isoformat(), "last": mask.last.isoformat(), "reason": own_words(mask.reason)}
        told.append(_("Left out of the estimation: {first} to {last} ({reason}).", **spell))
    return told


def _averages(result: PanelResult, scale: Scale) -> Table:
    level = confidence(result.plan.alpha)
    columns = (
        Column(_("Window"), False), Column("N", True, _("events with a CAR in the window")), Column(_("Mean effect")),
        Column(_("{confidence} interval", confidence=level)), Column(_("Median")),
        Column(_("Falls"), True, _("share of negative CARs")),
    )  # fmt: skip
    blocks = []
    for group in result.study.groups:
        rows = []
        for bounds in result.plan.windows.car:
            mean = mean_of(result, group, bounds, scale)
            falls = f"{decimal(100 * mean.negative / mean.n, 1)}%" if mean.n else ""
            cells = (whole(mean.n), percent(mean.value), interval(mean.low, mean.high), percent(mean.median), falls)
            rows.append(Row(window(bounds), cells, bounds == result.plan.headline_window))
        blocks.append(Block(tuple(rows), _group_name(group)))
    note = _(
        "Intervals are those of the portfolio t, which counts the correlation of events whose windows share a session, where "
        "it was computed; else of the cross-sectional t."
    )
    return Table("averages", _("Mean effects by group and window"), columns, tuple(blocks), (note,))


def _group_name(group: str) -> str:
    return _("All events") if group == ALL else _("Group: {group}", group=own_words(group))


def _tests(result: PanelResult) -> Table:
    columns = (
        Column(_("Test"), False), Column(_("Null"), False, _("what is tested: see under the table")),
        Column("N", True, _("events with a CAR in the window")), Column(_("Statistic")), Column(_("df")),
        Column("p", True, _("two-sided")), Column(_("Remarks"), False),
    )  # fmt: skip
    blocks, bounds = [], result.plan.headline_window
    for group in result.study.groups:
        rows = []
        for row in records(_row_of(result.tests, group, bounds)):
            words, strong = why(row["reason"]), row["test"] in result.headline.tests
            lead = (null_name(str(row["null"])), whole(row["n"]))
            cells: tuple[str | Undefined, ...] = (
                (*lead, Undefined(words, row["reason"], 4))
                if pd.isna(row["p_value"])
                else (*lead, decimal(row["statistic"], 3), whole(row["df"]), p_value(row["p_value"]), words)
            )
            rows.append(Row(words_of_test(str(row["test"])).name, cells, strong))
        blocks.append(Block(tuple(rows), _group_name(group)))
    nulls = [null for null in dict.fromkeys(result.tests["null"]) if null in NULLS]
    notes = tuple(_("Null “{null}”: {words}.", null=null_name(null), words=_(NULLS[null])) for null in nulls)
    return Table("tests", _("Tests over the headline window {window}", window=window(bounds)), columns, tuple(blocks), notes)


def _quantiles(result: PanelResult, scale: Scale) -> Table:
    counted = Column("N", True, _("events with a CAR in the window"))
    columns = (Column(_("Window"), False), counted, *(Column(f"{decimal(100 * share, 0)}%") for share in QUANTILES))
    rows = []
    for place, bounds in enumerate(result.plan.windows.car):
        car = result.study.estimates.car[result.study.counted(ALL, place), place]
        cells = tuple(percent(scale.effect(float(value))) for value in np.quantile(car, QUANTILES)) if len(car) else ("",) * 7
        rows.append(Row(window(bounds), (whole(len(car)), *cells), bounds == result.plan.headline_window))
    return Table("quantiles", _("Quantiles of the single effects"), columns, (Block(tuple(rows)),))


def _models(result: PanelResult) -> Table:
    names = {
        "nobs": _("Observations"), "sigma": _("Residual standard deviation a session"), "beta": _("Beta"), "r_squared": "R²",
        "suspended_share": _("Share of sessions without a trade"), "max_span": _("Longest return, in sessions"),
    }  # fmt: skip
    counted = Column("N", True, _("events with this figure"))
    columns = (Column(_("Figure"), False), counted, *(Column(title) for title in (_("Least"), _("Median"), _("Most"))))
    found, fitted = result.study.estimates, result.study.fitted
    known = {name: getattr(found, name)[fitted] for name in ("nobs", "sigma", "r_squared", "suspended_share")}
    known |= {name: found.params[fitted, place] for place, name in enumerate(COEFFICIENTS[result.plan.model])}
    known |= {name: found.diagnosed[fitted, place] for place, name in enumerate(DIAGNOSED)}
    rows = []
    for name, title in names.items():
        values = known[name].astype(float) if name in known else np.array([])
        values = values[~np.isnan(values)]
        if len(values):
            cells = (values.min(), float(np.median(values)), values.max())
            digits = 0 if name in ("nobs", "max_span") else 4 if name == "sigma" else 2
            rows.append(Row(title, (whole(len(values)), *(decimal(value, digits) for value in cells))))
    return Table("models", _("The estimated models"), columns, (Block(tuple(rows)),))


def _undefined(result: PanelResult) -> pd.Series:
    codes = result.study.reason[result.study.firms].ravel()
    return pd.Series(np.array(REASONS, dtype=object)[codes[codes != 0]])


def _counts(anchor: str, caption: str, reasons: pd.Series) -> Table:
    counts = reasons.value_counts()
    rows = tuple(Row(why(str(code)), (whole(count), str(code))) for code, count in counts.items())
    columns = (Column(_("Reason"), False), Column(pgettext("how many", "Number")), Column(_("Code"), False))
    return Table(anchor, caption, columns, (Block(rows),), (_("N = {count} in all.", count=whole(len(reasons))),))


def _sessions(result: PanelResult) -> Table:
    columns = (Column(_("Session")), Column("N", True, _("single-session returns")), Column(_("Mean abnormal return")))
    mine = result.aar[result.aar["group"] == ALL]
    told = zip(mine["tau"], mine["n"], mine["aar"], strict=True)
    rows = tuple(Row(decimal(tau, 0), (whole(count), percent(mean, 3))) for tau, count, mean in told)
    return Table("sessions", _("Mean abnormal return by session"), columns, (Block(rows),))
