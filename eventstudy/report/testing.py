"""The tests across firms as tables, with their nulls in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from eventstudy.draws import compared_groups, difference_name
from eventstudy.inference.bootstrap import BOOTSTRAP, DRAWS
from eventstudy.inference.registry import DIFFERENCE, PARAMETRIC, PLACEBO, RANKS
from eventstudy.report.averages import p_equation_or_censored, p_or_censored, row_of_placebo, sd_ratios
from eventstudy.report.language import N_, _
from eventstudy.report.numbers import decimal, joined, listed, running, whole, window
from eventstudy.report.subjects import Reading
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished, records
from eventstudy.report.tests_in_words import NULLS, asked, null_name, short_name, words_of_test
from eventstudy.report.wording import own_words, why
from eventstudy.windows import Window

# Most useful first, in blocks by what a p-value rests on
KINDS: dict[str, tuple[str, ...]] = {
    N_("by formula"): tuple(PARAMETRIC),
    N_("by ranks and signs"): tuple(RANKS),
    N_("by resampling"): (*PLACEBO, *BOOTSTRAP),
    N_("difference of the means"): DIFFERENCE,
}
RULES = (  # of the headline tests; listed for the catalogue alone: headline.py names them in English
    N_("default from ten firms on"), N_("default for fewer than ten firms on one common date"),
    N_("default for fewer than ten firms on differing dates"),
)  # fmt: skip
NUMBERS = 5  # statistic, df, p, blocks and floor


def tests(reading: Reading, groups: Sequence[str], windows: Sequence[Window], anchor: str, caption: str) -> Table:
    """Return the tests of some groups and windows, one block a group and window."""
    columns = (
        Column(_("Test"), False),
        Column(_("Null"), False, _("what is tested: see under the table")),
        Column("N", True, _("firms with a CAR in the window")),
        Column(_("Statistic")),
        Column(_("df"), True, _("degrees of freedom; of an F those below, above it has N, and N − 1 where it tests equality")),
        Column("p", True, _("two-sided")),
        Column(_("Blocks"), True, _("placebo blocks or bootstrap draws, B")),
        Column(_("Floor"), True, _("smallest p-value that so many firms, blocks or draws can give")),
        Column(_("sd ratio"), True, _(
            "standard deviation in the 30 sessions before the event over that of the estimation window"
        )),
        Column(_("Remarks"), False),
    )
    table = records(asked(reading.result.tests_in_full))
    differences = _differences(reading)
    blocks = []
    for group in groups:
        for bounds in windows:
            here = (group, *bounds)
            found = {row["test"]: row for row in table if (row["group"], row["window_start"], row["window_end"]) == here}
            name_of_group = differences.get(group) or reading.group_name(group)
            limits = _limits(reading, group, bounds)
            lead = reading.headline.tests if bounds == reading.plan.headline_window else ()
            kinds = {N_("headline"): lead} | {kind: [name for name in names if name not in lead] for kind, names in KINDS.items()}
            for kind, names in kinds.items():
                rows = tuple(_test_row(reading, found[name], bounds, limits) for name in names if name in found)
                if rows:
                    heading = _("{group}, {window}: {kind}", group=name_of_group, window=window(bounds), kind=_(kind))
                    blocks.append(Block(rows, heading))
    nulls = dict.fromkeys(_null(row) for row in table if row["group"] in groups)
    told = (_("Null “{null}”: {words}.", null=null_name(null), words=_(NULLS[null])) for null in nulls if null in NULLS)
    notes = [*_roles(reading, windows), *told]
    notes += _correlations(reading, groups, windows)
    ran = {row["test"] for row in table}
    if "placebo_max" in ran:
        notes.append(
            _("The test over all windows at once covers every window that starts at 0; it stands with the headline window.")
        )
    if any(name.startswith("placebo_") for name in ran):
        notes.append(
            _(
                "The statistic of a placebo test is the mean CAR as estimated, the mean standardised CAR, the joint T², the "
                "largest |t|, or the difference of mean CARs itself. Its p-value stands on the event days being like the "
                "estimation days: the sd ratio says how alike the 30 sessions before the event were."
            )
        )
    return finished(reading, Table(anchor, caption, columns, tuple(blocks), tuple(notes)))


def _differences(reading: Reading) -> dict[str, str]:
    """Return the differences of groups by their name in the tables, in words."""
    return {
        difference_name(first, second): _(
            "{first} less {second}",
            first=reading.group_name(first), second=_second_name(reading, second),
        )
        for first, second in compared_groups(reading.study)
    }


def _second_name(reading: Reading, group: str) -> str:
    if {firm.dated.event.role for firm in reading.study.groups[group]} == {"placebo"}:
        return _("the placebo firms “{group}”", group=own_words(group))
    return reading.group_name(group)


def with_differences(reading: Reading, groups: Sequence[str]) -> list[str]:
    """Return the groups, then every difference whose second group is one of them."""
    return [*groups, *(difference_name(*pair) for pair in compared_groups(reading.study) if pair[1] in groups)]


def _roles(reading: Reading, windows: Sequence[Window]) -> list[str]:
    """Tell why the headline tests are these."""
    headline = reading.headline
    if reading.plan.headline_window not in windows or not headline.tests:
        return []
    names = listed(short_name(test) for test in headline.tests)
    if headline.named:
        told = _("Headline: {tests}, named in the config of the study, not picked from this table.", tests=names)
    else:
        told = _("Headline: {tests}, by the {rule}, not picked from this table.", tests=names, rule=_(headline.rule))
    rest = _("All other tests are secondary: among so many, some will look extreme by chance.")
    return [running((told, rest))]


def _correlations(reading: Reading, groups: Sequence[str], windows: Sequence[Window]) -> list[str]:
    """Tell the mean residual correlation that the adjusted tests rest on (rule C19), where one window is shown."""
    told = []
    for _place, row in reading.result.correlation.iterrows():
        if len(windows) == 1 and row["group"] in groups and (row["window_start"], row["window_end"]) == tuple(windows[0]):
            told.append(
                _(
                    "{group}: mean residual correlation {correlation} (s.e. {se}, {n} firms).",
                    group=reading.group_name(row["group"]), correlation=decimal(row["mean_correlation"]),
                    se=decimal(row["se"]), n=row["n"],
                )
            )  # fmt: skip
    return told


def _test_row(reading: Reading, row: Mapping[str, Any], bounds: Window, limits: Sequence[str]) -> Row:
    name, head = str(row["test"]), words_of_test(str(row["test"])).name
    strong = reading.headline.role(name, bounds == reading.plan.headline_window) == "headline"
    words = why(row["reason"])
    if pd.isna(row["p_value"]):
        gap = Undefined(words, row["reason"], NUMBERS + 1)
        return Row(head, (null_name(_null(row)), whole(row["n"]), gap, ""), strong)
    numbers = (decimal(row["statistic"], 3), whole(row["df"]), p_or_censored(row["p_value"], limits))
    if not name.startswith("placebo_"):
        count = whole(DRAWS) if name in BOOTSTRAP else ""
        floor = "" if pd.isna(row["floor"]) else decimal(row["floor"], 4 if name in BOOTSTRAP else 3)
        return Row(head, (null_name(_null(row)), whole(row["n"]), *numbers, count, floor, "", words), strong)
    drawn = row_of_placebo(reading, row["group"], bounds, name)
    blocks, floor, apart = "", "", ""
    if drawn is not None:
        blocks, floor = whole(drawn["blocks"]), decimal(drawn["floor"], 3)
        apart = _(
            "{count} blocks that do not overlap: {p}",
            count=drawn["blocks_apart"], p=p_equation_or_censored(drawn["p_apart"], limits),
        )
    remark = joined(part for part in (apart, words) if part)
    ratio = _ratio(reading, row["group"], bounds) if row["group"] in reading.study.groups else ""
    return Row(head, (null_name(_null(row)), whole(row["n"]), *numbers, blocks, floor, ratio, remark), strong)


def _limits(reading: Reading, group: str, bounds: Window) -> tuple[str, ...]:
    """Return each firm's limit close at the end of a window; those of both groups behind a difference."""
    pairs = {difference_name(*pair): pair for pair in compared_groups(reading.study)}
    return tuple(limit for name in pairs.get(group, (group,)) for limit in reading.study.cross_section(name, bounds).limits)


def _null(row: Mapping[str, Any]) -> str:
    return words_of_test(str(row["test"])).null or str(row["null"])


def _ratio(reading: Reading, group: str, bounds: Window) -> str:
    ratios = sd_ratios(reading.counted(group, bounds), reading.result.models)
    if ratios is None:
        return ""
    low, high = (decimal(ratio) for ratio in ratios)
    return low if low == high else _("{low} to {high}", low=low, high=high)


def tests_in_words(reading: Reading) -> list[tuple[str, str, str, str]]:
    """Return name, code, description and reference distribution of each test the study ran."""
    ran = set(asked(reading.result.tests)["test"])
    found = [(name, words_of_test(name)) for names in KINDS.values() for name in names if name in ran]
    return [(words.name, name, words.about, words.reference) for name, words in found]
