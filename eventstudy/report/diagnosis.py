"""What speaks against the models as fitted, firm by firm, and what that means for the reader (rules D1 to D10 and C15)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from eventstudy.inference.sensitivity import AFTER_CLOSURE, FAR_MARKET, SQUARES
from eventstudy.report.averages import row_of_placebo
from eventstudy.report.language import N_, _, ngettext
from eventstudy.report.numbers import decimal, in_words, listed, p_equation, p_value, running, size, whole, window
from eventstudy.report.subjects import Reading
from eventstudy.report.tabular import Block, Column, Row, Table, finished, one_firm_a_line, records
from eventstudy.report.wording import why
from eventstudy.study import ALL

MARK = " !"
FIRST_TABLE = 7  # so many columns are tests of the residuals
MOST_NAMED = 10
COLUMNS = (
    (Column(N_("Related days, p"), True, N_("Ljung-Box test over 5 sessions of whether residuals are related from day to day")),
     "ljung_box_5"),
    (Column(N_("over 10, p"), True, N_("the same over 10 sessions")), "ljung_box_10"),
    (Column(N_("Durbin-Watson"), True, N_("2 where neighbouring residuals are unrelated, less where they are alike")),
     "durbin_watson"),
    (Column(N_("Changing variance, p"), True, N_("ARCH test at 5 lags of whether large residuals come in clusters")),
     "arch_lm_5"),
    (Column(N_("Normal, p"), True, N_("Jarque-Bera test of whether residuals are normal")), "jarque_bera"),
    (Column(N_("Excess kurtosis"), True, N_("0 for a normal distribution, more where extreme sessions are frequent")),
     "excess_kurtosis"),
    (Column(N_("Drift, p"), True, N_("CUSUM test of whether residuals drift one way")), "cusum"),
    (Column(N_("Same halves, p"), True, N_("Chow’s F test at the middle of the estimation")), "chow"),
    (Column(N_("β early"), True, N_("beta on the first half of the estimation")), "beta_first_half"),
    (Column(N_("β late"), True, N_("beta on the second half of the estimation")), "beta_second_half"),
    (Column(N_("After closures"), True, N_(
        "mean squared residual on sessions after three or more closed days over that of the others"
    )),
     "closure_variance_ratio"),
    (Column(N_("sd before"), True, N_("standard deviation in the 30 sessions before the event over that of the estimation")),
     "pre_event_sd_ratio"),
    (Column(N_("Estimation share"), True, N_("share of parameter uncertainty in the variance of the headline CAR")),
     "estimation_error_share"),
    (Column(N_("Market distance"), True, N_("largest distance of the benchmark’s headline returns from their mean, in sd")),
     "market_leverage"),
    (Column(N_("Longest gap"), True, N_("suspended sessions in a row during the estimation")), "longest_gap"),
    (Column(N_("Limit closes"), True, N_("closes at the price limit during the estimation")), "limit_closes"),
)  # fmt: skip
SHARES, COUNTS = {"estimation_error_share"}, {"longest_gap", "limit_closes"}

# What a diagnostic points at: a heading, and what the reader should make of it.
FLAGS = {
    "not_normal": (
        N_("Fat tails"),
        N_(
            "extreme days are more frequent than the normal distribution allows, so t and its p-value are less exact than "
            "they look. Give more weight to the placebo dates, which need no distribution. The headline named before stays "
            "the headline"
        ),
    ),
    "serial_correlation": (
        N_("Related days"),
        N_(
            "what the model leaves over on one day goes on the next, so that a standard error over several days is too small "
            "(or, where a move is taken back, too large). Give more weight to the placebo dates: their blocks keep the "
            "relation"
        ),
    ),
    "changing_variance": (
        N_("Calm and stormy spells"),
        N_(
            "large residuals come in clusters. A standard error from the whole estimation window is too small in a stormy "
            "spell and too large in a calm one; look at the variation just before the event (sd before), and at a model with "
            "changing variance"
        ),
    ),
    "unstable_model": (
        N_("A model that moves"),
        N_(
            "the relation to the benchmark differs between the parts of the estimation window, so the effect depends on "
            "which part is used. Compare other estimation windows before relying on it"
        ),
    ),
    "weak_estimation": (
        N_("A weak estimation"),
        N_(
            "more than 5% of the variance of the headline CAR comes from the estimated model, because the window is long for "
            "the number of observations or the benchmark moved far. The printed standard error contains it"
        ),
    ),
    "far_market": (
        N_("A market far from its usual days"),
        N_(
            "the benchmark’s returns at the event lie more than 3 standard deviations from their mean, so the model "
            "extrapolates: an error in β turns into an effect"
        ),
    ),
    "unlike_before": (
        N_("Unlike days before the event"),
        N_(
            "the 30 sessions before the event varied less than half or more than twice as much as the estimation window, "
            "which weakens the placebo tests and every standard error"
        ),
    ),
    "closure_variance": (
        N_("Holidays"),
        N_(
            "the sessions after three or more closed days vary more than twice as much as others. Where the event came after "
            "such a closure, read the placebo p-value over those dates"
        ),
    ),
    "limit_closes": (
        N_("Closes at the price limit"),
        N_(
            "the estimation has three or more of them: prices that were held back. The section on price limits shows the "
            "effects with these closes taken as bounds"
        ),
    ),
    "other_news": (
        N_("Other news"),
        N_("there is other news in the headline window or one session beside it, so the effect is not that of the event alone"),
    ),
    "gaps": (
        N_("Suspensions in the estimation"),
        N_(
            "some returns of the estimation cover several sessions. They are set against as many sessions of the benchmark "
            "and weigh less, which leaves β and σ unbiased"
        ),
    ),
    "short_history": (N_("A short history"), N_("listed, or on record, only inside the estimation window, which starts there")),
}


def residuals(reading: Reading) -> Table:
    """Return the tests of the residuals, one firm a row; a mark stands where a threshold is passed."""
    notes = (
        _(
            "p-values: the null is that the residuals of the estimation are as the model assumes. “!” marks p below 0.01. "
            "More figures: diagnostics.csv."
        ),
    )
    caption = _("The residuals of the estimation, firm by firm")
    return _diagnostics(reading, "diagnostics-residuals", caption, COLUMNS[:FIRST_TABLE], notes)


def windows(reading: Reading) -> Table:
    """Return what was estimated on, beside the event, one firm a row; a mark stands where a threshold is passed."""
    notes = (
        _(
            "p: Chow’s F test. Null: the model is the same on both halves of the estimation, errors normal. “!” marks p below "
            "0.01, an estimation share above 5%, a market distance above 3, a variance after closures above twice that "
            "of other sessions, an sd before the event below half or above twice that of the estimation, and three or more "
            "limit closes."
        ),
    )
    return _diagnostics(reading, "diagnostics-windows", _("Estimation and event, firm by firm"), COLUMNS[FIRST_TABLE:], notes)


def _diagnostics(
    reading: Reading, anchor: str, caption: str, shown: tuple[tuple[Column, str], ...], notes: tuple[str, ...]
) -> Table:
    facts = {(row["event_id"], row["symbol"], row["diagnostic"]): row for row in records(reading.result.diagnostics)}
    rows = []
    for subject in reading.subjects:
        cells = [_cell(facts.get((*subject.firm.key, name))) for _column, name in shown]
        if any(cells):
            rows.append(Row(subject.label, tuple(cells)))
    own = (Column(_(column.title), column.numeric, _(column.hint)) for column, _name in shown)
    titles = (Column(_("Firm"), False), *own)
    return finished(reading, Table(anchor, caption, titles, (Block(tuple(rows)),), (*notes, one_firm_a_line())))


def _cell(fact: dict[str, Any] | None) -> str:
    if fact is None:
        return ""
    name, value, p = fact["diagnostic"], fact["statistic"], fact["p_value"]
    if not pd.isna(p):
        text = p_value(p)
    elif pd.isna(value):
        return ""
    else:
        text = size(value) if name in SHARES else whole(value) if name in COUNTS else decimal(value)
    return text + (MARK if fact["flag"] else "")


def what_it_means(reading: Reading) -> list[tuple[str, str, str]]:
    """Return (finding, firms, meaning) for everything that a diagnostic points at."""
    table, models = reading.result.diagnostics, reading.result.models
    names = {subject.firm.key: subject.name for subject in reading.subjects}
    told = []
    found = {code: table[table["flag"] == code] for code in FLAGS if code not in ("short_history", "gaps")}
    found |= {"short_history": models[models["short_history"].astype(bool)], "gaps": models[models["max_span"] > 1]}
    for code, (heading, meaning) in FLAGS.items():
        keys = dict.fromkeys(zip(found[code]["event_id"], found[code]["symbol"], strict=True))
        if keys:
            firms = [names[key] for key in keys]
            whose = listed(firms) if len(firms) <= MOST_NAMED else _("{count} firms", count=len(firms))
            told.append((_(heading), whose, _(meaning)))
    return told


def summary(reading: Reading) -> str:
    """Return the outcome of all diagnostics in a sentence."""
    fits = sum(subject.firm.fit is not None for subject in reading.subjects)
    share = reading.result.models["estimation_error_share"].max()
    count = in_words(fits)
    if what_it_means(reading):
        told = ngettext(
            "What stands out in the one model fitted, and what to make of it:",
            "What stands out in the {count} models fitted, and what to make of it:", fits, count=count,
        )  # fmt: skip
    else:
        told = ngettext(
            "Nothing stands out in the one model fitted.", "Nothing stands out in the {count} models fitted.", fits, count=count
        )
    if pd.isna(share):
        return told
    closing = _("Parameter uncertainty is at most {share} of the variance of a headline CAR.", share=size(share))
    return running((told, closing))


def placebo_sensitivity(reading: Reading) -> Table:
    """Return the placebo p-value over all dates and over those that resemble the event (rule C15)."""
    headline = reading.plan.headline_window
    columns = (
        Column(_("Placebo dates"), False), Column(_("Blocks"), True, _("blocks of sessions compared with the event")),
        Column(_("Smallest p"), True, _("smallest p-value that so many blocks can give")), Column("p"),
        Column(_("p, fall"), True, _("one-sided: the event among the largest falls")), Column(_("Remarks"), False),
    )  # fmt: skip
    kinds = (
        ("placebo_caar", _("all dates of the estimation window")),
        (AFTER_CLOSURE, _("first sessions after a closure of three days or more")),
        (FAR_MARKET, _("the quarter of the dates on which the benchmark moved most")),
    )
    rows, n = [], len(reading.study.cross_section(ALL, headline).firms)
    for test, words in kinds:
        row = row_of_placebo(reading, ALL, headline, test)
        if row is not None:
            cells = (
                whole(row["blocks"]), p_value(row["floor"]), p_value(row["p_value"]), p_value(row["p_left"]),
                why(row["reason"]),
            )  # fmt: skip
            rows.append(Row(words, cells))
    notes = (
        _(
            "Mean CAR of the treated firms over {window}, N = {n}; p: placebo dates, two-sided. Null: the event changed nothing "
            "(sharp null). If the event came after a closure, or while the whole market moved, the dates that share this are the "
            "fairer comparison, as far as there are enough of them.",
            window=window(headline), n=whole(n),
        ),
    )  # fmt: skip
    caption = _("The placebo p-value over dates that resemble the event")
    shown = rows if len(rows) > 1 else []
    return finished(reading, Table("placebo-sensitivity", caption, columns, (Block(tuple(shown)),), notes))


def squares(reading: Reading) -> str:
    """Tell how large the squared standardised effects are, beside those of placebo dates (rule D10); empty without them."""
    row = row_of_placebo(reading, ALL, reading.plan.headline_window, SQUARES)
    n = len(reading.study.cross_section(ALL, reading.plan.headline_window).firms)
    if row is None or n < 2:
        return ""
    told = _(
        "Did the event move the firms apart from each other? The mean squared standardised CAR over the headline window is "
        "{observed}; it is near 1 where an event changes nothing, its median over the placebo dates is {median}, and {p} is the "
        "share of dates with as large a value. An effect common to all firms raises it as much as a larger variance does.",
        observed=decimal(row["statistic"]), median=decimal(row["median_draw"]), p=p_equation(row["p_right"]),
    )  # fmt: skip
    return running((told, _("With so few firms this only describes; it tests nothing.") if n < MOST_NAMED else ""))
