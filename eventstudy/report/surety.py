"""How sure one can be, in words: what the design can find, the average and its caution, the p-values (rules D12, D13)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from eventstudy.draws import compared_groups, difference_name
from eventstudy.headline import Headline
from eventstudy.inference.registry import kind_of
from eventstudy.inference.sensitivity import FEWEST_BLOCKS
from eventstudy.power import AS_STATED, margin_of_size
from eventstudy.report.averages import (
    UNLIKE,
    Average,
    average_effect,
    few_apart,
    p_equation_or_censored,
    row_of_placebo,
    row_of_test,
    sd_ratios,
    unlike_reactions,
)
from eventstudy.report.language import _, ngettext
from eventstudy.report.numbers import (
    bounded,
    confidence,
    decimal,
    in_words,
    interval,
    joined,
    listed,
    p_equation,
    p_value,
    percent,
    running,
    size,
    whole,
)
from eventstudy.report.subjects import Effect, Reading, Subject
from eventstudy.report.tests_in_words import remarked, short_name, words_of_test
from eventstudy.report.wording import sentence, why
from eventstudy.study import ALL, UNCONFOUNDED
from eventstudy.windows import Window


def average_words(mean: Average, alpha: float) -> str:
    """Return an average with its interval, where it has one."""
    if math.isnan(mean.low):
        return bounded(percent(mean.value, 1), mean.limit)
    return _(
        "{average} ({level} interval {interval})",
        average=bounded(percent(mean.value, 1), mean.limit), level=confidence(alpha), interval=interval(mean.low, mean.high, 1),
    )  # fmt: skip


def average_sentences(reading: Reading, headline: Window) -> tuple[str, ...]:
    """Return what can be said of the average, with the caution that unlike reactions call for."""
    mean = average_effect(reading, ALL, headline)
    if mean is None or mean.n < 2:
        return ()
    unlike = unlike_reactions(reading, headline)
    told = []
    words = average_words(mean, reading.plan.alpha)
    if unlike is not None:
        told.append(
            _(
                "Effects over this window differ between the firms: equal effects are rejected (F = {statistic}, {p}). Their "
                "average, {average}, is an average of unlike reactions and describes none of them.",
                statistic=decimal(unlike["statistic"]), p=p_equation(unlike["p_value"]), average=words,
            )
        )  # fmt: skip
        told += _equality_at_placebo_dates(reading)
        told += _other_news_words(reading, headline)
    elif not reading.many:
        told.append(_("On average over {firms}: {average}.", firms=reading.family_words(mean.n), average=words))
    if unlike is None:
        told += _equality_words(reading, headline)
    clean = average_effect(reading, UNCONFOUNDED, headline) if UNCONFOUNDED in reading.study.groups else None
    if clean is not None and clean.n < mean.n:
        told.append(
            ngettext(
                "Without firms that had other news in the window, the average of the one firm left is {average}.",
                "Without firms that had other news in the window, the average of the {count} firms left is {average}.",
                clean.n, count=in_words(clean.n), average=average_words(clean, reading.plan.alpha),
            )
        )  # fmt: skip
    return tuple(told)


def _equality_at_placebo_dates(reading: Reading) -> list[str]:
    """Tell how often the equality test rejects where there is nothing to find: what its rejection is worth."""
    table = reading.result.power
    found = table[(table["group"] == ALL) & (table["test"] == "equal_effects") & (table["dates"] > 0)]
    return [
        text
        for _place, row in found.iterrows()
        for text in (_(
            "The test of equal effects itself rejects at the {level} level on {size} of {dates} placebo dates, on which nothing "
            "happened that the study is about.",
            level=f"{100 * reading.plan.alpha:g}%", size=f"{decimal(100 * row['size'], 1)}%", dates=whole(row["dates"]),
        ), *(precision_in_brief(row, reading.plan.alpha) if row["verdict"] == AS_STATED else ()))
    ]  # fmt: skip


def precision_in_brief(row: pd.Series, alpha: float) -> tuple[str, ...]:
    """Tell why such a size is not told from the level: few of the dates do not overlap."""
    apart = int(row["dates_apart"])
    high = f"{decimal(100 * (alpha + margin_of_size(alpha, apart)), 1)}%"
    return (
        _(
            "With {apart} dates that do not overlap, up to {high} cannot be told from {level}.",
            apart=whole(apart), high=high, level=f"{100 * alpha:g}%",
        ),
    )  # fmt: skip


def _other_news_words(reading: Reading, headline: Window) -> list[str]:
    """Tell whether other news of some firms may be why effects differ (rule D14)."""
    if UNCONFOUNDED not in reading.study.groups:
        return []
    rest = row_of_test(reading, UNCONFOUNDED, headline, "equal_effects")
    if rest is None or pd.isna(rest["p_value"]):
        return []
    firms = in_words(int(rest["n"]))
    if rest["p_value"] < UNLIKE:
        return [
            _(
                "They differ, too, between the {firms} firms without other news in the window ({p}).",
                firms=firms, p=p_equation(rest["p_value"]),
            )
        ]  # fmt: skip
    return [
        _(
            "Other news of some firms may be the reason: between the {firms} firms without it equal effects are not rejected "
            "({p}), which does not show that they are equal.",
            firms=firms, p=p_equation(rest['p_value']),
        )
    ]


def _equality_words(reading: Reading, headline: Window) -> list[str]:
    row = row_of_test(reading, ALL, headline, "equal_effects")
    if row is None:
        return []
    if pd.isna(row["p_value"]):
        return [_("Whether the firms reacted alike is not tested: {reason}.", reason=why(row["reason"]))]
    return [_("Equal effects are not rejected ({p}), which does not show that they are equal.", p=p_equation(row['p_value']))]


def power(reading: Reading, headline: Window) -> tuple[str, ...]:
    """Tell how small an effect this design can find, before any p-value (rule D12)."""
    table = reading.result.detectable
    here = table[(table["window_start"] == headline[0]) & (table["window_end"] == headline[1])].set_index("scope")["effect"]
    effect = reading.scale.effect
    level = f"{100 * reading.plan.alpha:g}%"
    told = []
    for subject in () if reading.many else reading.treated:
        scope = f"{subject.firm.key[0]}, {subject.firm.key[1]}"
        if scope in here:
            told.append(
                _(
                    "a fall of {fall} or a rise of {rise} for {firm}",
                    fall=size(effect(-here[scope])), rise=size(effect(here[scope])), firm=subject.name,
                )
            )  # fmt: skip
    if ALL in here and (len(reading.treated) > 1):
        ends = {"fall": size(effect(-here[ALL])), "rise": size(effect(here[ALL]))}
        told.append(_("a fall of {fall} or a rise of {rise} for the average", **ends))
    if not told:
        return ()
    return (
        _(
            "What this design can find: judged by the shares’ usual noise alone, a test at the {level} level detects, with "
            "probability 0.8, {effects}. Smaller effects would often go unnoticed.",
            level=level, effects=joined(told),
        ),
    )  # fmt: skip


def chance(reading: Reading, headline: Window) -> tuple[str, ...]:
    """Give the p-values, with what each of them stands on; the t of a single firm comes behind its headline tests."""
    firms = [] if reading.many else _firms_chance(reading, headline)
    tests = _average_chance(reading, headline)
    return tuple(firms + tests if len(reading.treated) > 1 else tests + firms)


def in_brief(reading: Reading, headline: Window) -> str:
    """Return how sure one can be, short enough for the first screen: what chance alone would do."""
    found = [(subject, effect) for subject in reading.treated if (effect := subject.effect(headline)) is not None]
    if len(found) == 1:
        subject, effect = found[0]
        return "" if effect.censored else _one_in_brief(reading, subject, headline)
    firms = [] if reading.many else _firms_in_brief(reading, headline, found)
    leading = leading_tests(reading.headline, reading.plan.tests) if found else ()
    limits = reading.study.cross_section(ALL, headline).limits
    rows = ((test, row_of_test(reading, ALL, headline, test)) for test in leading if not (limits and all(limits)))
    tests = [
        _("{p} by {test}", p=p_value(row["p_value"]), test=short_name(test)) + _few_in_brief(reading, headline, test)
        for test, row in rows
        if row is not None and not pd.isna(row["p_value"])
    ]
    if not firms:
        return sentence(average_in_brief(tests)) if tests else ""
    told = [
        _(
            "How sure: were only chance at work, an effect at least this far from zero would come with probability {firms}",
            firms=listed(firms),
        )
    ]
    if tests:
        told.append(_("for the average it is {tests}", tests=listed(tests)))
    told += _beside_placebo_firms(reading, headline)
    alone = _("Each interval above stands on its own, with no allowance for the others.")
    return running((sentence(joined(told)), alone))


def _few_in_brief(reading: Reading, headline: Window, test: str) -> str:
    drawn = row_of_placebo(reading, ALL, headline, test)
    if drawn is None or drawn["blocks_apart"] >= FEWEST_BLOCKS:
        return ""
    apart = int(drawn["blocks_apart"])
    return ngettext(
        " (of whose blocks only {count} does not overlap others)", " (of whose blocks only {count} do not overlap)",
        apart, count=in_words(apart),
    )  # fmt: skip


def _beside_placebo_firms(reading: Reading, headline: Window) -> list[str]:
    """Give p of the difference between the treated firms and those that the event did not name."""
    told = []
    for first, second in compared_groups(reading.study):
        placebo = all(firm.dated.event.role == "placebo" for firm in reading.study.groups[second])
        row = row_of_test(reading, difference_name(first, second), headline, "difference_t") if placebo else None
        if row is not None and not pd.isna(row["p_value"]):
            told.append(
                _(
                    "for its difference from the average of {count} firms that were not named, {p} by t",
                    count=in_words(len(reading.study.cross_section(second, headline).firms)), p=p_value(row["p_value"]),
                )
            )  # fmt: skip
    return told


def leading_tests(headline: Headline, run: Sequence[str]) -> tuple[str, ...]:
    """Return the headline tests; where the study runs none of them, the first test of the average of each kind that it runs."""
    if headline.tests:
        return headline.tests
    of_average = [test for test in run if not words_of_test(test).null]
    by_formula = [test for test in of_average if kind_of(test) == "parametric"]
    others = [test for test in of_average if kind_of(test) != "parametric"]
    return (*by_formula[:1], *others[:1])


def no_headline_words(tests: str) -> str:
    """Return what the tests say of a study that runs no headline test."""
    return sentence(_("No headline test was run; of the tests that were: {tests}", tests=tests))


def average_in_brief(tests: list[str]) -> str:
    """Return what the tests of an average say, for the first screen."""
    return _(
        "How sure: were only chance at work, an average at least this far from zero would come with probability {tests}",
        tests=listed(tests),
    )


def _firms_in_brief(reading: Reading, headline: Window, found: list[tuple[Subject, Effect]]) -> list[str]:
    """Return each firm's own p-value, and behind it the one that allows for the other firms (rule C18)."""
    rows = _rows_by_firm(reading, headline)
    told: list[str] = []
    family = reading.family_words(len(found))
    for subject, row in sorted(
        ((subject, rows[subject.firm.key]) for subject, effect in found if not effect.censored),
        key=lambda pair: float(pair[1]["p_value"]),
    ):
        about = {"firm": subject.name, "p": p_value(row["p_value"]), "adjusted": p_value(row["p_holm"])}
        if told:
            told.append(_("{p} ({adjusted}) for {firm}", **about))
        else:
            told.append(_("{p} ({adjusted} allowing for {family}) for {firm}", **about, family=family))
    return told


def _one_in_brief(reading: Reading, subject: Subject, headline: Window) -> str:
    """Lead with placebo dates: the t of a single firm has the wrong size where errors are not normal (rule C1)."""
    for test in reading.headline.tests:
        drawn = row_of_placebo(reading, ALL, headline, test)
        if drawn is not None and not pd.isna(drawn["p_value"]):
            words = _(
                "How sure: were only chance at work, an effect at least this far from zero would come with probability {p} by "
                "{test}; the smallest that {blocks} blocks can give is {floor}",
                p=p_value(drawn["p_value"]), test=short_name(test), blocks=drawn["blocks"], floor=decimal(drawn["floor"], 3),
            )  # fmt: skip
            return sentence(words + few_apart(drawn))
    return _(
        "How sure: were only chance at work, an effect at least this far from zero would come with probability {p} by the firm’s "
        "t, if errors are normal.",
        p=p_value(_rows_by_firm(reading, headline)[subject.firm.key]["p_value"]),
    )


def _rows_by_firm(reading: Reading, headline: Window) -> dict[tuple[str, str], pd.Series]:
    return {(row["event_id"], row["symbol"]): row for _place, row in reading.result.car(headline).iterrows()}


def _firms_chance(reading: Reading, headline: Window) -> list[str]:
    rows = _rows_by_firm(reading, headline)
    parts, family = [], 0
    for subject in reading.treated:
        effect, row = subject.effect(headline), rows[subject.firm.key]
        family += effect is not None
        if effect is not None and not effect.censored:
            parts.append(row["p_value"])
    if not parts:
        return []
    if family == 1 and "portfolio_t" in reading.headline.tests:
        return [
            _(
                "By the firm’s t, which is the portfolio t of one firm and the other headline test, {p}, if the event days were "
                "like the estimation days but for the effect, and errors are normal.",
                p=p_equation(parts[0]),
            )
        ]
    if family == 1:
        return [
            _(
                "By the firm’s t, {p}, if the event days were like the estimation days but for the effect, and errors are "
                "normal.",
                p=p_equation(parts[0]),
            )
        ]
    return [
        _(
            "The probabilities told above for each firm are its own p-value by t and, in brackets, that after Holm’s adjustment "
            "for {family}. They hold if the event days were like the estimation days but for the effect, and errors are normal.",
            family=reading.family_words(family),
        )
    ]


def _average_chance(reading: Reading, headline: Window) -> list[str]:
    """Give the headline tests; of a single firm its t stands in a sentence of its own."""
    several = len(reading.treated) > 1
    leading = leading_tests(reading.headline, reading.plan.tests)
    tests = [test for test in leading if several or kind_of(test) != "parametric"]
    parts = [_test_words(reading, headline, test) for test in tests]
    if not parts or not reading.study.cross_section(ALL, headline).firms:
        return []
    if not reading.headline.tests:
        return [no_headline_words(joined(parts))]
    if several:
        told = ngettext(
            "Headline test of the average: {tests}", "Headline tests of the average: {tests}", len(parts), tests=joined(parts)
        )
    else:
        told = ngettext(
            "Headline test of this firm: {tests}", "Headline tests of this firm: {tests}", len(parts), tests=joined(parts)
        )
    return [sentence(told)]


def _test_words(reading: Reading, headline: Window, test: str) -> str:
    row, name = row_of_test(reading, ALL, headline, test), short_name(test)
    assert row is not None  # it is one that the study runs
    if pd.isna(row["p_value"]):
        return _("{test}, undefined ({reason})", test=name, reason=why(row["reason"]))
    limits = reading.study.cross_section(ALL, headline).limits
    told = _("{test}, {p}", test=name, p=p_equation_or_censored(row["p_value"], limits))
    drawn = row_of_placebo(reading, ALL, headline, test)
    if drawn is not None:
        told = _(
            "{told} among {blocks} blocks, smallest attainable {floor}",
            told=told, blocks=drawn["blocks"], floor=decimal(drawn["floor"], 3),
        )  # fmt: skip
        told += few_apart(drawn) + sd_words(reading, reading.treated)
    return remarked(told, name, row["reason"])


def sd_words(reading: Reading, subjects: tuple[Subject, ...]) -> str:
    """Tell how the sessions just before the event compare with the estimation window (rule D15)."""
    ratios = sd_ratios(subjects, reading.result.models)
    if ratios is None:
        return ""
    low, high = (decimal(ratio) for ratio in ratios)
    span = low if low == high else _("{low} to {high}", low=low, high=high)
    return _(" (the 30 sessions before the event varied {span} times as much as the estimation window)", span=span)
