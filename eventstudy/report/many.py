"""The page of a study of many events: the mean, its spread and its tests; single events stand in the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from eventstudy.configfile import spec_text
from eventstudy.panel.result import PanelResult
from eventstudy.report.figures import TEXT, WIDE, effect_ticks, plain_axes, round_steps
from eventstudy.report.language import _, pgettext
from eventstudy.report.material import provenance
from eventstudy.report.numbers import Scale, confidence, decimal, interval, p_equation, p_value, percent, whole, window
from eventstudy.report.svg import INKS, Words, blank_figure, inline_svg
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, records
from eventstudy.report.tests_in_words import NULLS, null_name, short_name, words_of_test
from eventstudy.report.wording import MODELS, TREATMENTS, own_words, visible, why
from eventstudy.student import critical_value
from eventstudy.study import ALL
from eventstudy.windows import Window

BARS = 60
SHOWN = 0.99  # share of the CARs between the ends of the drawn axis
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def context(result: PanelResult, versions: Mapping[str, str] | None) -> dict[str, Any]:
    """Return everything the template of a study of many events shows."""
    plan, scale = result.plan, Scale(result.plan.returns)
    headline = plan.headline_window
    return {
        "title": own_words((result.spec.study.title or result.spec.study.name) if result.spec else _("Event study")),
        "note": own_words(result.spec.study.note) if result.spec else "",
        "question": _(
            "What did {number} events do to share prices over {window}?",
            number=whole(len(result.study.events)), window=window(headline),
        ),
        "answer": answer(result, scale),
        "chance": chance(result),
        "scale": plan.returns,
        "figures": [_spread_figure(result, scale), _sessions_figure(result, scale)],
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


def mean_interval(result: PanelResult, group: str, bounds: Window) -> tuple[float, float, float]:
    """Return the mean CAR and its interval, that of the portfolio t where it was computed, else of the cross-sectional t.

    Both are read off the test: an interval of a mean m with the statistic t reaches from m by m / t critical values.
    """
    mean = float(_row_of(result.caar, group, bounds)["caar"].iloc[0])
    tests = {row["test"]: row for row in records(_row_of(result.tests, group, bounds))}
    for name in ("portfolio_t", "cross_sectional_t"):
        if name in tests and abs(tests[name]["statistic"]) > 0:
            reach = float(critical_value(result.plan.alpha, int(tests[name]["df"]))) * abs(mean / tests[name]["statistic"])
            return mean, mean - reach, mean + reach
    return mean, np.nan, np.nan


def answer(result: PanelResult, scale: Scale) -> str:
    """Return the answer in one sentence: the mean effect, its interval, and how many events fell."""
    bounds = result.plan.headline_window
    row = _row_of(result.caar, ALL, bounds).iloc[0]
    count = int(row["n"])
    if not count:
        return _("No event has a CAR over {window}.", window=window(bounds))
    mean, low, high = (scale.effect(value) for value in mean_interval(result, ALL, bounds))
    told = percent(mean)
    if not np.isnan(low):
        between = {"confidence": confidence(result.plan.alpha), "interval": interval(low, high)}
        told = _("{effect} on average ({confidence} interval {interval})", effect=told, **between)
    return _(
        "Over {window} the {number} events with a CAR moved the share price by {effect}; the median effect is {median}, and "
        "{falls} of them, {share}%, are falls.",
        window=window(bounds), number=whole(count), effect=told, median=percent(scale.effect(float(row["median_car"]))),
        falls=whole(row["n_negative"]), share=decimal(100 * int(row["n_negative"]) / count, 1),
    )  # fmt: skip


def chance(result: PanelResult) -> list[str]:
    """Return what the headline tests say, as sentences."""
    bounds, told = result.plan.headline_window, []
    tests = {row["test"]: row for row in records(_row_of(result.tests, ALL, bounds))}
    for name in result.headline.tests:
        found = tests[name]
        outcome = why(found["reason"]) if pd.isna(found["p_value"]) else p_equation(found["p_value"])
        told.append(_("By the headline test {test}: {outcome}.", test=short_name(name), outcome=outcome))
    if told:
        rule = _(result.headline.rule)
        told.append(_("Headline tests by the {rule}, not picked from the results; all others are secondary.", rule=rule))
    return told


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
            row = _row_of(result.caar, group, bounds).iloc[0]
            mean, low, high = (scale.effect(value) for value in mean_interval(result, group, bounds))
            falls = f"{decimal(100 * row['n_negative'] / row['n'], 1)}%" if row["n"] else ""
            cells = (
                whole(row["n"]), percent(mean), interval(low, high), percent(scale.effect(float(row["median_car"]))), falls,
            )  # fmt: skip
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
                (*lead, Undefined(words, row["reason"], 3), "")
                if pd.isna(row["p_value"])
                else (*lead, decimal(row["statistic"], 3), whole(row["df"]), p_value(row["p_value"]), words)
            )
            rows.append(Row(words_of_test(str(row["test"])).name, cells, strong))
        blocks.append(Block(tuple(rows), _group_name(group)))
    nulls = [null for null in dict.fromkeys(result.tests["null"]) if null in NULLS]
    notes = tuple(_("{null}: {words}.", null=null_name(null), words=_(NULLS[null])) for null in nulls)
    return Table("tests", _("Tests over the headline window {window}", window=window(bounds)), columns, tuple(blocks), notes)


def _quantiles(result: PanelResult, scale: Scale) -> Table:
    columns = (Column(_("Window"), False), *(Column(f"{decimal(100 * share, 0)}%") for share in QUANTILES))
    rows = []
    for place, bounds in enumerate(result.plan.windows.car):
        car = result.study.estimates.car[result.study.counted(ALL, place), place]
        cells = tuple(percent(scale.effect(float(value))) for value in np.quantile(car, QUANTILES)) if len(car) else ("",) * 7
        rows.append(Row(window(bounds), cells, bounds == result.plan.headline_window))
    return Table("quantiles", _("Quantiles of the single effects"), columns, (Block(tuple(rows)),))


def _models(result: PanelResult) -> Table:
    names = {
        "nobs": _("Observations"), "sigma": _("Residual standard deviation a session"), "beta": _("Beta"), "r_squared": "R²",
        "suspended_share": _("Share of sessions without a trade"), "max_span": _("Longest return, in sessions"),
    }  # fmt: skip
    columns = (Column(_("Figure"), False), *(Column(title) for title in (_("Least"), _("Median"), _("Most"))))
    rows = []
    for name, title in names.items():
        values = result.models[name].dropna().to_numpy(dtype=float)
        if len(values):
            cells = (values.min(), float(np.median(values)), values.max())
            digits = 0 if name in ("nobs", "max_span") else 4 if name == "sigma" else 2
            rows.append(Row(title, tuple(decimal(value, digits) for value in cells)))
    return Table("models", _("The estimated models"), columns, (Block(tuple(rows)),))


def _undefined(result: PanelResult) -> pd.Series:
    return result.cars.loc[result.cars["reason"] != "", "reason"]


def _counts(anchor: str, caption: str, reasons: pd.Series) -> Table:
    counts = reasons.value_counts()
    rows = tuple(Row(why(str(code)), (whole(count), str(code))) for code, count in counts.items())
    columns = (Column(_("Reason"), False), Column(pgettext("how many", "Number")), Column(_("Code"), False))
    return Table(anchor, caption, columns, (Block(rows),))


def _sessions(result: PanelResult) -> Table:
    columns = (Column(_("Session")), Column("N", True, _("single-session returns")), Column(_("Mean abnormal return")))
    mine = result.aar[result.aar["group"] == ALL]
    told = zip(mine["tau"], mine["n"], mine["aar"], strict=True)
    rows = tuple(Row(decimal(tau, 0), (whole(count), percent(mean, 3))) for tau, count, mean in told)
    return Table("sessions", _("Mean abnormal return by session"), columns, (Block(rows),))


def _spread_figure(result: PanelResult, scale: Scale) -> tuple[str, Markup, Sequence[str]]:
    """Draw how the single effects over the headline window spread around zero."""
    bounds = result.plan.headline_window
    place = result.plan.windows.car.index(bounds)
    car = result.study.estimates.car[result.study.counted(ALL, place), place]
    values = np.expm1(car) if scale.kind == "log" else car
    figure, words = blank_figure(*WIDE), Words()
    axes = plain_axes(figure)
    low, high = np.quantile(values, [(1 - SHOWN) / 2, (1 + SHOWN) / 2]) if len(values) else (-0.1, 0.1)
    axes.hist(np.clip(values, low, high), bins=BARS, range=(low, high) if high > low else None, color=INKS["muted"], alpha=0.5)
    ticks = round_steps(low, high, 8, (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5))
    axes.set_xticks(ticks, [words.place(percent(tick, 0) if tick else "0") for tick in ticks])
    counts = round_steps(0, axes.get_ylim()[1], 6, (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000))
    axes.set_yticks(counts, [words.place(whole(count)) for count in counts])
    axes.axvline(0, color=INKS["muted"], linewidth=0.9)
    mean = float(values.mean()) if len(values) else 0.0
    axes.axvline(mean, color=INKS["firm"], linewidth=1.8)
    place_of = {"number": whole(len(values)), "window": window(bounds), "mean": percent(mean)}
    label = _("Effects of {number} events over {window}: mean {mean}.", **place_of)
    caption = (
        _("Effects of the single events over {window}; the line marks their mean.", window=window(bounds)),
        _("The bars at the ends hold the events beyond them, one in two hundred on either side."),
    )
    return "spread", inline_svg(figure, "spread", words, label), caption


def _sessions_figure(result: PanelResult, scale: Scale) -> tuple[str, Markup, Sequence[str]]:
    """Draw the mean abnormal return of each session of the event window."""
    mine = result.aar[result.aar["group"] == ALL]
    figure, words = blank_figure(*WIDE), Words()
    axes = plain_axes(figure)
    taus, means = mine["tau"].to_numpy(), mine["aar"].to_numpy()
    axes.bar(taus, np.nan_to_num(means), width=0.7, color=INKS["firm"])
    axes.axhline(0, color=INKS["muted"], linewidth=0.9)
    most = max(float(np.nanmax(np.abs(means), initial=0.0)) * 1.1, 0.0005)
    axes.set_ylim(-most, most)
    effect_ticks(axes, words)
    ticks = round_steps(float(taus[0]), float(taus[-1]), 12, (1, 2, 5, 10, 20, 50))
    axes.set_xticks(ticks, [words.place(decimal(tick, 0)) for tick in ticks])
    axes.annotate(
        words.place(_("sessions after the event session (0)")), (0.5, 0), (0, -29), "axes fraction", "offset points",
        ha="center", fontsize=TEXT, color=INKS["muted"],
    )  # fmt: skip
    largest = int(taus[int(np.nanargmax(np.abs(means)))]) if np.isfinite(means).any() else 0
    label = _("Mean abnormal return by session, largest in size on session {session}.", session=decimal(largest, 0))
    caption = (
        _("Mean abnormal return of each session over the events with a return over that session alone."),
        _("Returns over several sessions count in the CARs, not here: the bars do not add up to the mean CAR."),
    )
    return "by-session", inline_svg(figure, "by-session", words, label), caption
