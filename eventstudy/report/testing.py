"""The tests across firms as tables, with their nulls in words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from eventstudy.report.averages import row_of_placebo, sd_ratios
from eventstudy.report.numbers import decimal, listed, p_equation, p_value, whole, window
from eventstudy.report.subjects import Reading
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished
from eventstudy.report.wording import NULLS, REASONS, short_name, words_of_test
from eventstudy.windows import Window

SHOWN = (
    "cross_sectional_t", "patell", "kp_patell", "bmp", "kp_bmp", "portfolio_t", "equal_effects", "placebo_caar",
    "placebo_scar", "placebo_max",
)  # fmt: skip
NUMBERS = 5  # statistic, df, p, blocks and floor


def tests(reading: Reading, groups: Sequence[str], windows: Sequence[Window], anchor: str, caption: str) -> Table:
    """Return the tests of some groups and windows, one block a group and window."""
    columns = (
        Column("Test", False),
        Column("Role", False, "headline: named in the config or by a fixed rule; secondary: all others"),
        Column("Null", False, "what is tested: see under the table"),
        Column("N", True, "firms with a CAR in the window"),
        Column("Statistic"),
        Column("df"),
        Column("p", True, "two-sided"),
        Column("Blocks", True, "placebo blocks, B"),
        Column("Floor", True, "smallest p-value that so many blocks can give"),
        Column("sd ratio", True, "standard deviation in the 30 sessions before the event over that of the estimation window"),
        Column("Remarks", False),
    )
    table = reading.result.tests[reading.result.tests["test"].isin(SHOWN)].sort_values("test", key=_place, kind="stable")
    blocks = []
    for group in groups:
        for bounds in windows:
            chosen = (table["group"] == group) & (table["window_start"] == bounds[0]) & (table["window_end"] == bounds[1])
            found = {str(row["test"]): row for _, row in table[chosen].iterrows()}
            rows = tuple(_test_row(reading, found[name], bounds) for name in SHOWN if name in found)
            if rows:
                rows = tuple(sorted(rows, key=lambda row: not row.strong))  # the headline tests first
                blocks.append(Block(rows, f"{reading.group_name(group)}, {window(bounds)}"))
    nulls = dict.fromkeys(_null(row) for _, row in table.iterrows())
    notes = [*_roles(reading, windows), *(f"{null}: {NULLS[null]}." for null in nulls if null in NULLS)]
    notes += _correlations(reading, groups, windows)
    if "placebo_max" in set(table["test"]):
        notes.append(
            "The test over all windows at once covers every window that starts at 0; it stands with the headline window."
        )
    if any(str(name).startswith("placebo_") for name in table["test"]):
        notes.append(
            "The statistic of a placebo test is the mean CAR as estimated, the mean standardised CAR, or the largest |t| itself. "
            "Its p-value stands on the event days being like the estimation days: the sd ratio says how alike the 30 sessions "
            "before the event were."
        )
    return finished(reading, Table(anchor, caption, columns, tuple(blocks), tuple(notes)))


def _place(names: pd.Series) -> pd.Series:
    return names.map(SHOWN.index)


def _roles(reading: Reading, windows: Sequence[Window]) -> list[str]:
    """Tell why the headline tests are these."""
    headline = reading.headline
    if reading.plan.headline_window not in windows or not headline.tests:
        return []
    names = listed(short_name(test) for test in headline.tests)
    if headline.named:
        why = f"Headline: {names}, named in the config of the study, not picked from this table"
    else:
        why = f"Headline: {names}, by the {headline.rule}, not picked from this table"
    return [f"{why}. All other tests are secondary: among so many, some will look extreme by chance."]


def _correlations(reading: Reading, groups: Sequence[str], windows: Sequence[Window]) -> list[str]:
    """Tell the mean residual correlation that the adjusted tests rest on (rule C19), where one window is shown."""
    told = []
    for _, row in reading.result.correlation.iterrows():
        if len(windows) == 1 and row["group"] in groups and (row["window_start"], row["window_end"]) == tuple(windows[0]):
            figures = f"{decimal(row['mean_correlation'])} (s.e. {decimal(row['se'])}, {row['n']} firms)"
            told.append(f"{reading.group_name(row['group'])}: mean residual correlation {figures}.")
    return told


def _test_row(reading: Reading, row: pd.Series, bounds: Window) -> Row:
    name, head = str(row["test"]), words_of_test(str(row["test"])).name
    role = reading.headline.role(name, bounds == reading.plan.headline_window)
    strong = role == "headline"
    words = REASONS.get(row["reason"], row["reason"])
    if pd.isna(row["p_value"]):
        gap = Undefined(words, row["reason"], NUMBERS + 1)
        return Row(head, (role, _null(row), whole(row["n"]), gap, ""), strong)
    numbers = (decimal(row["statistic"], 3), whole(row["df"]), p_value(row["p_value"]))
    if not name.startswith("placebo_"):
        return Row(head, (role, _null(row), whole(row["n"]), *numbers, "", "", "", words), strong)
    drawn = row_of_placebo(reading, row["group"], bounds, name)
    blocks, floor, apart = "", "", ""
    if drawn is not None:
        blocks, floor = whole(drawn["blocks"]), decimal(drawn["floor"], 3)
        apart = f"{drawn['blocks_apart']} blocks that do not overlap: {p_equation(drawn['p_apart'])}"
    remark = "; ".join(part for part in (apart, words) if part)
    ratio = _ratio(reading, row["group"], bounds)
    return Row(head, (role, _null(row), whole(row["n"]), *numbers, blocks, floor, ratio, remark), strong)


def _null(row: pd.Series) -> str:
    return words_of_test(str(row["test"])).null or str(row["null"])


def _ratio(reading: Reading, group: str, bounds: Window) -> str:
    ratios = sd_ratios(reading.counted(group, bounds), reading.result.models)
    if ratios is None:
        return ""
    low, high = (decimal(ratio) for ratio in ratios)
    return low if low == high else f"{low} to {high}"


def tests_in_words(reading: Reading) -> list[tuple[str, str, str, str]]:
    """Return name, code, description and reference distribution of each test the study ran."""
    ran = set(reading.result.tests["test"])
    found = [(name, words_of_test(name)) for name in SHOWN if name in ran]
    return [(words.name, name, words.about, words.reference) for name, words in found]
