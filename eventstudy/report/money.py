"""Effects in money as the page tells them: never a loss without its interval."""

from __future__ import annotations

import pandas as pd

from eventstudy.report.effects import held_back
from eventstudy.report.language import _
from eventstudy.report.numbers import confidence, currency_name, day, decimal, in_words, joined, money, running, whole, window
from eventstudy.report.subjects import FirmName, Reading, Subject
from eventstudy.report.tabular import Block, Column, Row, Table, Undefined, Valued, finished
from eventstudy.report.wording import own_words, sentence, why
from eventstudy.study import ALL

AMOUNTS = 4  # market value, effect, interval, ruled out


def money_sentences(reading: Reading) -> list[str]:
    """Return the effects in money over the headline window: each treated firm with shares, then their total."""
    table = reading.result.money
    lo, hi = reading.plan.headline_window
    here = table[(table["window_start"] == lo) & (table["window_end"] == hi)]
    rows = {(row["event_id"], row["symbol"]): row for _place, row in here[here["symbol"] != ""].iterrows()}
    treated = [subject for subject in reading.treated if subject.firm.key in rows]
    told = [] if reading.many else [_firm_words(reading, subject.name, rows[subject.firm.key]) for subject in treated]
    totals = here[here["scope"] == ALL]
    return told + [words for _place, row in totals.iterrows() for words in _total_words(reading, row)]


def _firm_words(reading: Reading, name: str, row: pd.Series) -> str:
    bounds = reading.plan.headline_window
    if pd.isna(row["effect"]):
        return _(
            "{firm}: the effect in money over {window} is undefined, {reason}.",
            firm=name, window=window(bounds), reason=why(row["reason"]),
        )  # fmt: skip
    worth = _(
        "{firm} was worth {value} at its last close before the window ({close} {currency} on {day}).",
        firm=name, value=money(row["market_value_before"], row["currency"]), close=decimal(row["close_before"]),
        currency=currency_name(row["currency"]), day=day(pd.Timestamp(row["close_session"]).date(), week=False),
    )  # fmt: skip
    told = joined((_effect_words(reading, row), *_firm_remarks(reading, row, bounds)))
    return running((worth, sentence(told)))


def _effect_words(reading: Reading, row: pd.Series) -> str:
    change, bounds = _change(row["effect"], row["currency"]), window(reading.plan.headline_window)
    if pd.isna(row["ci_low"]):
        return _(
            "Its effect over {window} stands for {change}; its interval is undefined: {reason}",
            window=bounds, change=change, reason=why(row["reason"]),
        )  # fmt: skip
    return _(
        "Its effect over {window} stands for {change} ({level} interval {interval})",
        window=bounds, change=change, level=confidence(reading.plan.alpha), interval=_interval_words(row),
    )  # fmt: skip


def _change(value: float, currency: str) -> str:
    amount = money(abs(value), currency)
    return _("a loss of {amount}", amount=amount) if value < 0 else _("a gain of {amount}", amount=amount)


def _interval(row: pd.Series) -> str:
    """Return an interval for the table, both ends with their sign and in one unit."""
    if pd.isna(row["ci_low"]):
        return ""
    ends = (row["ci_low"], row["ci_high"])
    low, high = (money(end, row["currency"], sign=True, beside=max(ends, key=abs)) for end in ends)
    return _("{low} to {high}", low=low, high=high)


def _interval_words(row: pd.Series) -> str:
    """Return an interval for a sentence that says loss or gain: without signs, and with these words where it has both."""
    ends = sorted((row["ci_low"], row["ci_high"]), key=abs)
    near, far = (money(abs(end), row["currency"], beside=ends[1]) for end in ends)
    if row["ci_low"] < 0 < row["ci_high"]:
        loss, gain = (near, far) if ends[0] < 0 else (far, near)
        return _("from a loss of {loss} to a gain of {gain}", loss=loss, gain=gain)
    return _("{low} to {high}", low=near, high=far)


def _total_words(reading: Reading, row: pd.Series) -> list[str]:
    bounds, n, of = window(reading.plan.headline_window), int(row["n"]), int(row["n_with_car"])
    if pd.isna(row["effect"]):
        return [_("There is no total in money over {window}: {reason}.", window=bounds, reason=why(row["reason"]))]
    told = []
    whose = _("these firms together")
    if n < of:
        count = _("{part} of {whole} treated firms with a CAR", part=in_words(n), whole=in_words(of))
    else:
        count = _("{count} treated firms", count=in_words(n))
    if n > 1:
        if pd.isna(row["ci_low"]):
            interval = _("interval undefined: {reason}", reason=why(row["reason"]))
        else:
            interval = _("{level} interval {interval}", level=confidence(reading.plan.alpha), interval=_interval_words(row))
        told.append(
            _(
                "In total over {firms}: {change} ({interval}), of {value}.",
                firms=count, change=_change(row["effect"], row["currency"]), interval=interval,
                value=money(row["market_value_before"], row["currency"]),
            )
        )  # fmt: skip
    else:
        whose = next(subject.name for subject in reading.counted(ALL, reading.plan.headline_window) if _valued(subject))
        if n < of:
            told.append(_("A market value is known of {firms}: a total over all of them cannot be told.", firms=count))
    return [*told, _ruled_out(reading, row, whose)]


def _valued(subject: Subject) -> bool:
    return subject.firm.settings.shares is not None


def _ruled_out(reading: Reading, row: pd.Series, whose: str) -> str:
    """Tell the loss that placebo dates reject (rule C15, inverted)."""
    level = f"{100 * reading.plan.alpha:g}%"
    about = {"level": level, "count": whole(row["blocks"])}
    if pd.isna(row["placebo_low"]):
        return _("Placebo dates reject no loss at {level}: there are too few blocks ({count}).", **about)
    if row["placebo_low"] > 0:
        return _(
            "By placebo dates every loss of {firms} is rejected at {level} ({count} blocks of estimation sessions, two-sided).",
            firms=whose, **about,
        )  # fmt: skip
    return _(
        "By placebo dates a loss of {firms} beyond {amount} is rejected at {level} ({count} blocks of estimation sessions, "
        "two-sided).",
        firms=whose, amount=money(row["loss_rejected_beyond"], row["currency"]), **about,
    )  # fmt: skip


def money_amounts(reading: Reading) -> Table:
    """Return the effects in money, one block a firm and group and one row a window."""
    table = reading.result.money
    level = confidence(reading.plan.alpha)
    columns = (
        Column(_("Window"), False),
        Column("N", True, _("firms in the sum")),
        Column(_("Value before"), True, _("shares times the last close as traded before the window")),
        Column(_("Effect"), True, _("value before times the change in value that the CAR stands for")),
        Column(_("{level} interval", level=level)),
        Column(_("Loss ruled out"), True, _("a loss beyond it is rejected by placebo dates, two-sided")),
        Column(_("Remarks"), False),
    )
    blocks = []
    for subject in reading.subjects:
        own = table[(table["event_id"] == subject.firm.key[0]) & (table["symbol"] == subject.firm.key[1])]
        blocks.append(Block(tuple(_row(reading, row) for _place, row in own.iterrows()), subject.label))
    for group in reading.study.groups:
        own = table[(table["symbol"] == "") & (table["scope"] == group)]
        if not (own["n"] > 1).any():  # one firm: its own rows say it
            continue
        heading = _("Total: {group}", group=reading.group_name(group))
        if (own["n"] < own["n_with_car"]).any():
            heading = _("Total: {group}, those with a market value", group=reading.group_name(group))
        blocks.append(Block(tuple(_row(reading, row) for _place, row in own.iterrows()), FirmName(heading)))
    notes = (
        _(
            "Intervals: t with the full covariance of the CARs, if the event left the variance alone; of a total by the "
            "delta method. A loss is ruled out where the observed total without it would be more extreme than all but "
            "{level} of the same sums at placebo dates (null: the event moved the total by that amount and changed nothing "
            "else); it assumes no distribution, but that the event days were otherwise like those days.",
            level=f"{100 * reading.plan.alpha:g}%",
        ),
        _("A market value is what all shares would cost at the last close; an effect in money is no cash that anybody lost."),
    )
    shown = tuple(block for block in blocks if block.rows)
    return finished(reading, Table("money-amounts", _("Effects in money by window"), columns, shown, notes))


def _row(reading: Reading, row: pd.Series) -> Row:
    bounds = (int(row["window_start"]), int(row["window_end"]))
    strong = bounds == reading.plan.headline_window
    n, of, currency = int(row["n"]), int(row["n_with_car"]), str(row["currency"])
    if pd.isna(row["effect"]):
        return Row(window(bounds), (whole(n), Undefined(why(row["reason"]), row["reason"], AMOUNTS), ""), strong)
    remarks = [_("{part} of {whole} firms with a CAR", part=n, whole=of)] if n < of else []
    if pd.isna(row["ci_low"]):
        remarks.append(why(row["reason"]))
    remarks += _firm_remarks(reading, row, bounds)
    rejected = row["loss_rejected_beyond"]
    cells = (
        whole(n), Valued(money(row["market_value_before"], currency), row["market_value_before"]),
        Valued(money(row["effect"], currency, sign=True), row["effect"]),
        "" if pd.isna(row["ci_low"]) else Valued(_interval(row), row["ci_low"]),
        "" if pd.isna(rejected) else Valued(_("beyond {amount}", amount=money(rejected, currency)), rejected), joined(remarks),
    )  # fmt: skip
    return Row(window(bounds), cells, strong)


def _firm_remarks(reading: Reading, row: pd.Series, bounds: tuple[int, int]) -> list[str]:
    found = [subject for subject in reading.subjects if subject.firm.key == (row["event_id"], row["symbol"])]
    told = []
    for subject in found:
        effect, news = subject.effect(bounds), subject.firm.confounded_by(bounds)
        if effect is not None and effect.censored:
            told.append(_("{close}: a bound", close=held_back(effect)))
        if news:
            told.append(_("other news: {news}", news=own_words(news)))
    return told
