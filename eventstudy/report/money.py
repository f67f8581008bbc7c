"""Effects in money as the page tells them: never a loss without its interval."""

from __future__ import annotations

import pandas as pd

from eventstudy.report.numbers import confidence, day, decimal, in_words, money, whole, window
from eventstudy.report.subjects import FirmName, Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, finished
from eventstudy.report.wording import REASONS, own_words
from eventstudy.study import ALL

AMOUNTS = 4  # market value, effect, interval, ruled out


def money_sentences(reading: Reading) -> list[str]:
    """Return the effects in money over the headline window: each treated firm with shares, then their total."""
    table = reading.result.money
    lo, hi = reading.plan.headline_window
    here = table[(table["window_start"] == lo) & (table["window_end"] == hi)]
    rows = {(row["event_id"], row["symbol"]): row for _, row in here[here["symbol"] != ""].iterrows()}
    treated = [subject for subject in reading.treated if subject.firm.key in rows]
    told = [] if reading.many else [_firm_words(reading, subject.name, rows[subject.firm.key]) for subject in treated]
    totals = here[here["scope"] == ALL]
    return told + [words for _, row in totals.iterrows() for words in _total_words(reading, row)]


def _firm_words(reading: Reading, name: str, row: pd.Series) -> str:
    worth = f"{name} was worth {money(row['market_value_before'], row['currency'])}"
    if pd.isna(row["effect"]):
        return f"{name}: the effect in money over {window(reading.plan.headline_window)} is undefined, {_reason(row)}."
    close = f"{decimal(row['close_before'])} {row['currency']}"
    when = day(pd.Timestamp(row["close_session"]).date(), week=False)
    remarks = "".join(f"; {remark}" for remark in _firm_remarks(reading, row, reading.plan.headline_window))
    return f"{worth} at its last close before the window ({close} on {when}). {_effect_words(reading, row)}{remarks}."


def _effect_words(reading: Reading, row: pd.Series) -> str:
    level = confidence(reading.plan.alpha)
    effect = f"Its effect over {window(reading.plan.headline_window)} stands for {_change(row['effect'], row['currency'])}"
    if pd.isna(row["ci_low"]):
        return f"{effect}; its interval is undefined: {_reason(row)}"
    return f"{effect} ({level} interval {_interval(row)})"


def _change(value: float, currency: str) -> str:
    return f"a {'loss' if value < 0 else 'gain'} of {money(abs(value), currency)}"


def _interval(row: pd.Series) -> str:
    if pd.isna(row["ci_low"]):
        return ""
    return f"{money(row['ci_low'], row['currency'], sign=True)} to {money(row['ci_high'], row['currency'], sign=True)}"


def _total_words(reading: Reading, row: pd.Series) -> list[str]:
    bounds, n, of = window(reading.plan.headline_window), int(row["n"]), int(row["n_with_car"])
    if pd.isna(row["effect"]):
        return [f"There is no total in money over {bounds}: {_reason(row)}."]
    told = []
    whose = "these firms together"
    count = f"{in_words(n)} of {in_words(of)} treated firms with a CAR" if n < of else f"{in_words(n)} treated firms"
    if n > 1:
        level, change = confidence(reading.plan.alpha), _change(row["effect"], row["currency"])
        interval = f"{level} interval {_interval(row)}" if not pd.isna(row["ci_low"]) else f"interval undefined: {_reason(row)}"
        told.append(f"In total over {count}: {change} ({interval}), of {money(row['market_value_before'], row['currency'])}.")
    else:
        whose = next(subject.name for subject in reading.counted(ALL, reading.plan.headline_window) if _valued(subject))
        if n < of:
            told.append(f"A market value is known of {count}: a total over all of them cannot be told.")
    return [*told, _ruled_out(reading, row, whose)]


def _valued(subject: Subject) -> bool:
    return subject.firm.settings.shares is not None


def _ruled_out(reading: Reading, row: pd.Series, whose: str) -> str:
    """Tell the loss that placebo dates reject (rule C15, inverted)."""
    level = f"{100 * reading.plan.alpha:g}%"
    blocks = f"{whole(row['blocks'])} blocks of estimation sessions"
    if pd.isna(row["placebo_low"]):
        return f"Placebo dates reject no loss at {level}: there are too few blocks ({whole(row['blocks'])})."
    if row["placebo_low"] > 0:
        return f"By placebo dates every loss of {whose} is rejected at {level} ({blocks}, two-sided)."
    beyond = money(row["loss_rejected_beyond"], row["currency"])
    return f"By placebo dates a loss of {whose} beyond {beyond} is rejected at {level} ({blocks}, two-sided)."


def _reason(row: pd.Series) -> str:
    return REASONS.get(row["reason"], str(row["reason"]))


def money_amounts(reading: Reading) -> Table:
    """Return the effects in money, one block a firm and group and one row a window."""
    table = reading.result.money
    level = confidence(reading.plan.alpha)
    columns = (
        Column("Window", False),
        Column("N", True, "firms in the sum"),
        Column("Value before", True, "shares times the last close as traded before the window"),
        Column("Effect", True, "value before times the change in value that the CAR stands for"),
        Column(f"{level} interval"),
        Column("Loss ruled out", True, "a loss beyond it is rejected by placebo dates, two-sided"),
        Column("Remarks", False),
    )
    blocks = []
    for subject in reading.subjects:
        own = table[(table["event_id"] == subject.firm.key[0]) & (table["symbol"] == subject.firm.key[1])]
        blocks.append(Block(tuple(_row(reading, row) for _, row in own.iterrows()), subject.label))
    for group in reading.study.groups:
        own = table[(table["symbol"] == "") & (table["scope"] == group)]
        if group != ALL and not (own["n"] > 1).any():  # one firm: its own rows say it
            continue
        partial = ", those with a market value" if (own["n"] < own["n_with_car"]).any() else ""
        heading = FirmName(f"Total: {reading.group_name(group)}{partial}")
        blocks.append(Block(tuple(_row(reading, row) for _, row in own.iterrows()), heading))
    notes = (
        "Intervals: t with the full covariance of the CARs, if the event left the variance alone; of a total by the delta "
        "method. A loss is ruled out where the observed total without it would be more extreme than all but "
        f"{100 * reading.plan.alpha:g}% of the same sums at placebo dates (null: the event moved the total by that amount and "
        "changed nothing else); it assumes no distribution, but that the event days were otherwise like those days.",
        "A market value is what all shares would cost at the last close; an effect in money is no cash that anybody lost.",
    )
    shown = tuple(block for block in blocks if block.rows)
    return finished(reading, Table("money-amounts", "Effects in money by window", columns, shown, notes))


def _row(reading: Reading, row: pd.Series) -> Row:
    bounds = (int(row["window_start"]), int(row["window_end"]))
    strong = bounds == reading.plan.headline_window
    n, of, currency = int(row["n"]), int(row["n_with_car"]), str(row["currency"])
    if pd.isna(row["effect"]):
        return Row(window(bounds), (whole(n), Undefined(_reason(row), row["reason"], AMOUNTS), ""), strong)
    remarks = [f"{n} of {of} firms with a CAR"] if n < of else []
    if pd.isna(row["ci_low"]):
        remarks.append(_reason(row))
    remarks += _firm_remarks(reading, row, bounds)
    rejected = row["loss_rejected_beyond"]
    cells = (
        whole(n), money(row["market_value_before"], currency), money(row["effect"], currency, sign=True), _interval(row),
        "" if pd.isna(rejected) else f"beyond {money(rejected, currency)}", "; ".join(remarks),
    )  # fmt: skip
    return Row(window(bounds), cells, strong)


def _firm_remarks(reading: Reading, row: pd.Series, bounds: tuple[int, int]) -> list[str]:
    found = [subject for subject in reading.subjects if subject.firm.key == (row["event_id"], row["symbol"])]
    told = []
    for subject in found:
        effect, news = subject.effect(bounds), subject.firm.confounded_by(bounds)
        if effect is not None and effect.censored:
            told.append(f"limit-{effect.censored} close at the end: a bound")
        if news:
            told.append(f"other news: {own_words(news)}")
    return told
