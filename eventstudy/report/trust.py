"""Which tests may be trusted here: size and power at placebo dates, and what so many firms could find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from eventstudy.detectable import BY_COVARIANCE, BY_SPREAD
from eventstudy.power import AS_STATED, CANNOT, TOO_OFTEN, TOO_SELDOM, margin_of_size
from eventstudy.report.language import N_, _, ngettext, pgettext
from eventstudy.report.numbers import FIXED, decimal, in_words, joined, listed, percent, running, size, whole, window
from eventstudy.report.power_curve import Line, power_figure
from eventstudy.report.subjects import Reading
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished
from eventstudy.report.tests_in_words import asked, short_name, words_of_test
from eventstudy.report.wording import capital, why
from eventstudy.result import StudyResult
from eventstudy.study import ALL
from eventstudy.windows import Window, length

CELLS = 4  # of a row: size, power, verdict, remarks
KINDS = {
    BY_COVARIANCE: N_("noise from the estimation window: portfolio t"),
    BY_SPREAD: N_("noise from the firms’ own spread: adjusted BMP"),
}
VERDICTS = {
    TOO_OFTEN: N_("rejects too often"), AS_STATED: N_("not told from {level}"), TOO_SELDOM: N_("rejects too seldom"),
    CANNOT: N_("cannot reject"),
}  # fmt: skip


def numbers_of_firms(table: pd.DataFrame) -> list[int]:
    """Return the numbers of firms that detectable effects are given for."""
    return sorted({int(n) for n in _like_these(table)["n"]})


def _like_these(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["scope"].str.endswith(" like these")] if len(table) else table


def _by_number(reading: Reading, test: str, bounds: Window) -> list[str]:
    """Return the smallest fall by number of firms, `none` where no such test exists."""
    table, numbers = _like_these(reading.result.detectable), numbers_of_firms(reading.result.detectable)
    if not numbers:  # nothing is estimated yet
        return []
    chosen = (table["test"] == test) & (table["window_start"] == bounds[0]) & (table["window_end"] == bounds[1])
    effects = table[chosen].set_index("n")["effect"]
    return [
        pgettext("no such test", "none") if pd.isna(effects[n]) else percent(reading.scale.effect(-effects[n]), 1)
        for n in numbers
    ]


def power_lines(result: StudyResult) -> Iterator[str]:
    """Yield what the command line says of a design: plain text, one table by number of firms, one by test."""
    reading = Reading(result)
    plan = reading.plan
    level = f"{100 * plan.alpha:g}%"
    yield f"{reading.title}: what this design can find, before the event is looked at"
    numbers = numbers_of_firms(result.detectable)
    if numbers:
        yield ""
        yield f"Smallest fall found with probability 0.8, two-sided at {level}, by number of firms like the treated ones"
        heads = ["window", *(f"N={n}" for n in numbers)]
        for test, words in KINDS.items():
            yield f"  {words}"
            rows = [[window(bounds), *_by_number(reading, test, bounds)] for bounds in plan.windows.car]
            yield from _columns([heads, *rows])
    for group in result.trials:
        yield ""
        yield f"{reading.group_name(group)}, {window(plan.headline_window)}: {_scene(reading, group)}"
        yield from _columns([["test", "size", "power", "verdict"], *_test_lines(reading, group)], words=(0, 3))
        yield from (f"  {note}" for note in precision(reading, group))


def _scene(reading: Reading, group: str) -> str:
    table = reading.result.power
    found = table[table["group"] == group]
    if found.empty or not found["dates"].max():
        return "no placebo date at which the tests could be tried"
    dates, n = int(found["dates"].max()), int(found["n"].max())
    effect = size(reading.scale.effect(-float(found["effect"].iloc[0])))
    return f"how often the tests reject at {dates} placebo dates ({n} firms), and when a change of {effect} is added"


def _test_lines(reading: Reading, group: str) -> Iterator[list[str]]:
    table = reading.result.power
    for _place, row in asked(table[table["group"] == group]).iterrows():
        said = joined(part for part in (row["verdict"], why(row["reason"])) if part)
        yield [row["test"], *(_share(row[name]) for name in ("size", "power")), said]


def _share(value: float) -> str:
    return "" if np.isnan(value) else f"{decimal(100 * value, 1)}%"


def precision(reading: Reading, group: str) -> list[str]:
    """Tell how well the dates of a group can tell a wrong size from a right one."""
    table, alpha = reading.result.power, reading.plan.alpha
    found = table[(table["group"] == group) & (table["dates"] > 0)]
    if found.empty:
        return []
    apart = int(found["dates_apart"].max())
    margin = margin_of_size(alpha, apart)
    about = {
        "dates": int(found["dates"].max()), "apart": apart, "margin": _share(margin), "high": _share(alpha + margin),
        "level": f"{100 * alpha:g}%",
    }  # fmt: skip
    if alpha > margin:
        told = _(
            "Of the {dates} dates {apart} do not overlap. Two binomial standard errors of so many are {margin}: a size between "
            "{low} and {high} cannot be told from {level}.",
            **about, low=_share(alpha - margin),
        )  # fmt: skip
    else:
        told = _(
            "Of the {dates} dates {apart} do not overlap. Two binomial standard errors of so many are {margin}: a size of up to "
            "{high} cannot be told from {level}.",
            **about,
        )
    return [told]


def _columns(rows: Sequence[Sequence[str]], words: tuple[int, ...] = (0,)) -> Iterator[str]:
    """Yield rows as aligned columns, `words` to the left and numbers to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(widths[place]) if place in words else cell.rjust(widths[place]) for place, cell in enumerate(row)
        ]
        yield ("    " + "  ".join(cells)).replace(FIXED, " ").rstrip()


@dataclass(frozen=True)
class Trust:
    """Which tests may be trusted here, for the page; `figure` is None where there is no date to try tests at."""

    sentences: tuple[str, ...]
    table: Table
    figure: Markup | None
    caption: tuple[str, ...]


def trust(reading: Reading) -> Trust | None:
    """Return the part of the page that stands before the table of tests; None where no test could be tried."""
    table = reading.result.power
    if table.empty or not table["dates"].max():
        return None
    groups = [group for group in reading.result.trials if (table[table["group"] == group]["dates"] > 0).any()]
    return Trust(
        tuple(_sentences(reading)), _trust_table(reading, groups), _figure(reading), tuple(_figure_caption(reading))
    )


def _sentences(reading: Reading) -> Iterator[str]:
    table = reading.result.power
    found = table[(table["group"] == ALL) & (table["dates"] > 0)]
    if found.empty:
        return
    bounds = reading.plan.headline_window
    dates, sessions = int(found["dates"].max()), length(bounds)
    yield _(
        "{dates} blocks of {sessions} of the estimation window were each taken for the event, with the suspensions that the "
        "event had: the block was cut out, every firm fitted again without it, and every test run. Nothing happened then that "
        "the study is about, so a test should reject on about {level} of these dates.",
        dates=dates, level=f"{100 * reading.plan.alpha:g}%",
        sessions=ngettext("{count} session", "{count} sessions", sessions, count=in_words(sessions)),
    )  # fmt: skip
    for verdict, opening in (
        (TOO_OFTEN, N_("More often than that, by more than chance explains, reject: {tests}.")),
        (TOO_SELDOM, N_("Less often, by more than chance explains, reject: {tests}.")),
        (CANNOT, N_("So few firms cannot make these reject at all: {tests}.")),
    ):
        names = [capital(short_name(str(name))) for name in found[found["verdict"] == verdict]["test"]]
        if names:
            yield _(opening, tests=joined(names))
    for name in reading.headline.tests:
        for _place, row in found[found["test"] == name].iterrows():
            about = {
                "test": capital(words_of_test(name).name), "size": _share(row["size"]), "power": _share(row["power"]),
                "effect": size(reading.scale.effect(-row["effect"])),
            }  # fmt: skip
            if row["reason"] == "by_construction":
                yield _(
                    "{test}, a headline test, rejects on {size} of the dates (as a rank among them it must), and on {power} "
                    "where a change of {effect} is added.",
                    **about,
                )
            else:
                yield _(
                    "{test}, a headline test, rejects on {size} of the dates, and on {power} where a change of {effect} is "
                    "added.",
                    **about,
                )


def _trust_table(reading: Reading, groups: Sequence[str]) -> Table:
    table, bounds = reading.result.power, reading.plan.headline_window
    columns = (
        Column(_("Test"), False),
        Column("N", True, _("firms with a CAR in the window")),
        Column(_("Dates"), True, _("placebo dates at which the test applies")),
        Column(_("Size"), True, _("share of the dates on which it rejects with nothing added")),
        Column(_("Power"), True, _("share on which it rejects with an effect added, half rises and half falls")),
        Column(_("Verdict"), False),
        Column(_("Remarks"), False),
    )
    blocks, notes = [], []
    for group in groups:
        rows = [_trust_row(reading, row) for _place, row in asked(table[table["group"] == group]).iterrows()]
        rows.sort(key=lambda row: not row.strong)
        effect = size(reading.scale.effect(-float(table[table["group"] == group]["effect"].iloc[0])))
        heading = _(
            "{group}, {window}; effect added: {effect}", group=reading.group_name(group), window=window(bounds), effect=effect
        )
        blocks.append(Block(tuple(rows), heading))
        notes += precision(reading, group)
    notes += [
        _(
            "The effect added is the one that the portfolio t finds with probability 0.8 by its formula. The power of a test "
            "that rejects too often is bought by that, and no merit."
        ),
        _(
            "“Not told from {level}” means that the dates do not speak against that size, within that error; the size may well "
            "be another. Whether the event days would have been like the estimation days the table cannot know: a mere rise in "
            "variance at the event makes most tests reject.",
            level=f"{100 * reading.plan.alpha:g}%",
        ),
        _("Null of every test at these dates: nothing happened that the study is about. No return of the event window enters."),
    ]
    caption = _(
        "Which tests may be trusted here: rejections at the {level} level at placebo dates",
        level=f"{100 * reading.plan.alpha:g}%",
    )
    return finished(reading, Table("trust", caption, columns, tuple(blocks), tuple(dict.fromkeys(notes))))


def _trust_row(reading: Reading, row: pd.Series) -> Row:
    name = str(row["test"])
    head, strong = words_of_test(name).name, name in reading.headline.tests
    words = why(row["reason"])
    if not row["dates"]:
        return Row(head, (whole(row["n"]), "", Undefined(words, row["reason"], CELLS)), strong)
    numbers = (whole(row["n"]), whole(row["dates"]), _share(row["size"]), _share(row["power"]))
    verdict = VERDICTS[row["verdict"]]
    return Row(head, (*numbers, _(verdict, level=f"{100 * reading.plan.alpha:g}%"), words), strong)


def by_number(reading: Reading) -> Table:
    """Return the smallest fall by number of firms like the treated ones, by two kinds of test (rule D12)."""
    numbers = numbers_of_firms(reading.result.detectable)
    columns = (Column(_("Window"), False), *(Column(ngettext("{n} firm", "{n} firms", n, n=n)) for n in numbers))
    blocks = tuple(
        Block(
            tuple(
                Row(window(bounds), tuple(_by_number(reading, test, bounds)), bounds == reading.plan.headline_window)
                for bounds in reading.plan.windows.car
            ),
            capital(_(words)),
        )
        for test, words in KINDS.items()
        if numbers
    )
    notes = (
        _(
            "Firms like the treated ones: their mean residual standard deviation and correlation. A test by the firms’ own "
            "spread has N − 1 degrees of freedom: with few firms it must see a much larger effect, with one it does not exist. "
            "More firms help little where they move together."
        ),
    )
    level = f"{100 * reading.plan.alpha:g}%"
    caption = _("Smallest fall found with probability 0.8 at the {level} level, by number of firms (two-sided)", level=level)
    return Table("detectable-by-number", caption, columns, blocks if numbers else (), notes)


def _lines(reading: Reading) -> list[Line]:
    curve = reading.result.power_curve
    return [
        Line(words_of_test(str(name)).name, tuple(rows["power"])) for name, rows in curve.groupby("test", sort=False)
    ]


def _figure(reading: Reading) -> Markup | None:
    curve, effect = reading.result.power_curve, reading.scale.effect
    if curve.empty:
        return None
    first = curve[curve["test"] == curve["test"].iloc[0]]
    effects = tuple(first["effect"])
    ticks = ["0", *(size(effect(-value)) for value in effects[1:])]
    formula = tuple(curve[curve["formula"].notna()]["formula"])
    lines = _lines(reading)
    told = []
    for line in lines:
        shares = listed(
            _("{share} at {effect}", share=_share(share), effect=tick) for share, tick in zip(line.shares, ticks, strict=True)
        )
        told.append(_("{test} rejects on {shares} of effect.", test=line.name, shares=shares))
    first_words = _("Share of placebo dates on which the headline tests reject, by the size of the effect added.")
    label = running((first_words, *told))
    return power_figure(effects, ticks, lines, formula, reading.plan.alpha, label)


def _figure_caption(reading: Reading) -> Iterator[str]:
    level = f"{100 * reading.plan.alpha:g}%"
    yield _(
        "How often the headline tests reject at the placebo dates, by the size of an effect added in session 0 of every firm, "
        "half rises and half falls. Dotted: the {level} level.",
        level=level,
    )
    if reading.result.power_curve.get("formula", pd.Series(dtype=float)).notna().any():
        yield _("Thin line: the power that the formula of the portfolio t promises.")
