"""The tests in words: what each asks, its null, and the distribution it is referred to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from eventstudy.report.language import N_, _
from eventstudy.report.wording import why

NULLS = {
    "mean": N_("the expected abnormal return is zero; its variance may have changed"),
    "sharp": N_("the event changed nothing at all, neither the mean nor the variance"),
    "equal": N_("all firms reacted alike, and the event changed nothing else"),
    "joint": N_("every firm’s abnormal return is zero, and the event changed nothing else"),
    "difference": N_("both groups’ mean abnormal returns are the same, and the event changed nothing else"),
}

# what tables call them, by the code that tests.csv has
NULL_NAMES = {
    "mean": N_("mean"), "sharp": N_("sharp"), "equal": N_("equal"), "joint": N_("joint"), "difference": N_("difference"),
}  # fmt: skip


@dataclass(frozen=True)
class TestWords:
    """A test in words: its name, what it asks, the distribution it is referred to, and its null where it has one of its own."""

    __test__ = False  # pytest would take the class for a test case

    name: str
    about: str
    reference: str
    null: str = ""


TESTS = {
    "cross_sectional_t": TestWords(
        N_("Cross-sectional t"),
        N_(
            "Compares the mean CAR with the spread of CARs across firms. Assumes that firms are independent of each other, "
            "which firms with a common event date are not."
        ),
        N_("t with N − 1 degrees of freedom"),
    ),
    "patell": TestWords(
        N_("Patell’s Z"),
        N_(
            "Sums standardised CARs. Assumes that firms are independent of each other and that the event left their "
            "variance alone."
        ),
        N_("standard normal"),
    ),
    "kp_patell": TestWords(
        N_("Adjusted Patell (Kolari and Pynnönen)"),
        N_("Patell’s Z, allowing for the firms’ average residual correlation. Assumes that the event left the variance alone."),
        N_("standard normal"),
    ),
    "bmp": TestWords(
        N_("Boehmer, Musumeci and Poulsen’s t"),
        N_(
            "Compares standardised CARs with their own spread across firms, so a change in variance does no harm. Assumes "
            "that firms are independent of each other."
        ),
        N_("t with N − 1 degrees of freedom"),
    ),
    "kp_bmp": TestWords(
        N_("Adjusted BMP (Kolari and Pynnönen)"),
        N_("The BMP test, allowing for the firms’ average residual correlation. With three firms it can hardly reject anything."),
        N_("t with N − 1 degrees of freedom"),
    ),
    "portfolio_t": TestWords(
        N_("Portfolio t"),
        N_(
            "Compares the mean CAR with the standard error that the full covariance of the firms’ errors gives. Assumes that "
            "the event left the variance alone."
        ),
        N_("t with the fewest residual degrees of freedom of any firm"),
    ),
    "crude_dependence": TestWords(
        N_("Crude dependence adjustment (Brown and Warner)"),
        N_(
            "Compares the mean CAR with the spread of the firms’ mean residual over the estimation sessions, so that "
            "correlation across firms is allowed for. Leaves out the error of prediction, and so rejects slightly too often."
        ),
        N_("t with the number of sessions all firms traded, less one"),
    ),
    "hotelling": TestWords(
        N_("Joint F (Hotelling)"),
        N_(
            "Asks whether every CAR is zero, not whether their average is: opposite reactions do not cancel. Exact for "
            "normal errors; with fat tails it rejects too often."
        ),
        N_("F with N and the printed degrees of freedom"),
        "joint",
    ),
    "kp_bmp_blocks": TestWords(
        N_("Adjusted BMP, correlation by blocks"),
        N_(
            "The adjusted BMP test with correlation counted within one industry on overlapping dates only, none between "
            "other pairs."
        ),
        N_("t with N − 1 degrees of freedom"),
    ),
    "calendar_time": TestWords(
        N_("Calendar-time portfolio"),
        N_(
            "Holds in every session, in equal parts, the firms that are in their window then, and asks whether this "
            "portfolio earned more or less than its benchmark led one to expect, by regression over these sessions, each "
            "weighted by its number of firms. Correlation across firms and a change in variance do no harm. For events on "
            "several dates."
        ),
        N_("t with the number of these sessions, less two"),
    ),
    "wald_joint": TestWords(
        N_("Joint Wald test"),
        N_("The joint test for firms whose estimation rows differ, with the full covariance of the CARs. Approximate."),
        N_("chi-squared with N degrees of freedom"),
        "joint",
    ),
    "difference_t": TestWords(
        N_("Difference of two groups, t"),
        N_(
            "Compares the mean CARs of two groups of firms, with the full covariance of all their errors. Against placebo "
            "firms it asks whether the named firms moved more than such firms did on these days."
        ),
        N_("t with the fewest residual degrees of freedom of any firm"),
        "difference",
    ),
    "corrado": TestWords(
        N_("Corrado’s rank test"),
        N_(
            "Ranks each firm’s daily errors over estimation and event together and asks whether the event days rank "
            "unusually. Needs a return in every session."
        ),
        N_("standard normal"),
    ),
    "corrado_zivney": TestWords(
        N_("Corrado and Zivney’s rank test"),
        N_("As Corrado’s, allowing for sessions without a return; a return over several sessions is ranked where it ends."),
        N_("standard normal"),
    ),
    "grank": TestWords(
        N_("Generalised rank t (Kolari and Pynnönen)"),
        N_(
            "Ranks the standardised CAR, divided by its spread across firms, among the daily errors of the estimation "
            "window. The division lets the variance change, but needs some ten firms."
        ),
        N_("t with the number of ranked sessions, less two"),
    ),
    "grank_unscaled": TestWords(
        N_("Generalised rank t without rescaling"),
        N_("Ranks the standardised CAR as it is among the daily errors of the estimation window; usable with few firms."),
        N_("t with the number of ranked sessions, less two"),
    ),
    "generalized_sign": TestWords(
        N_("Generalised sign test (Cowan)"),
        N_(
            "Counts the positive CARs and compares them with each firm’s own share of positive residuals; the p-value is "
            "exact below 30 firms. Assumes that firms are independent of each other."
        ),
        N_("exact distribution of the count; standard normal from 30 firms on"),
    ),
    "wilcoxon": TestWords(
        N_("Wilcoxon’s signed-rank test"),
        N_(
            "The statistic is the sum of the ranks of the positive CARs, ranked by size. Assumes that firms are independent "
            "of each other and errors symmetric. With three firms the smallest p-value there can be is 0.25."
        ),
        N_("all 2^N signs; normal above 15 firms"),
    ),
    "skewness_hall": TestWords(
        N_("Skewness-adjusted t (Hall)"),
        N_("The cross-sectional t, transformed for skewed CARs. Meant for many firms; means nothing with three."),
        N_("standard normal"),
    ),
    "skewness_johnson": TestWords(
        N_("Skewness-adjusted t (Johnson)"),
        N_("The cross-sectional t, corrected for skewed CARs by a series. Meant for many firms; means nothing with three."),
        N_("standard normal"),
    ),
    "equal_effects": TestWords(
        N_("Equality of effects"),
        N_(
            "Asks whether all firms reacted alike, whatever the size of the reaction. The null here is that they did, not "
            "that the effects are zero."
        ),
        N_("F with N − 1 and the printed degrees of freedom"),
        "equal",
    ),
    "placebo_caar": TestWords(
        N_("Placebo dates, mean CAR"),
        N_(
            "Sets the mean CAR among those of every block of estimation sessions as long as the window, each predicted by a "
            "model fitted without it. Needs no distribution, but assumes that the event days would have been like those days."
        ),
        N_("rank among the placebo blocks"),
    ),
    "placebo_scar": TestWords(
        N_("Placebo dates, mean standardised CAR"),
        N_(
            "As before, with each firm’s CAR divided by its standard error, so that volatile firms weigh no more than "
            "quiet ones."
        ),
        N_("rank among the placebo blocks"),
    ),
    "placebo_hotelling": TestWords(
        N_("Placebo dates, joint"),
        N_(
            "The joint T² of all CARs among those of the estimation blocks, so that fat tails do no harm. Where the firms’ "
            "rows differ, their correlation is held as it is at the event."
        ),
        N_("rank among the placebo blocks"),
        "joint",
    ),
    "placebo_difference": TestWords(
        N_("Difference of two groups, placebo dates"),
        N_("Sets the difference of the mean CARs among those of the estimation blocks that both groups traded through."),
        N_("rank among the placebo blocks"),
        "difference",
    ),
    "bootstrap_residual": TestWords(
        N_("Bootstrap of residuals"),
        N_(
            "Sets the portfolio t among 9,999 made by giving every session the firms’ errors of one estimation session, "
            "drawn at random and taken together, and fitting every firm again. Days are drawn singly, so it takes days for "
            "independent."
        ),
        N_("rank among the draws"),
    ),
    "bootstrap_wild": TestWords(
        N_("Wild bootstrap"),
        N_("As before, but estimation sessions keep their errors and only their signs are drawn. Assumes symmetric errors."),
        N_("rank among the draws"),
    ),
    "bootstrap_hotelling": TestWords(
        N_("Bootstrap of residuals, joint"),
        N_(
            "Sets the joint T² of all CARs among those of the same 9,999 draws: asks whether every CAR is zero, and needs no "
            "normal errors."
        ),
        N_("rank among the draws"),
        "joint",
    ),
    "placebo_max": TestWords(
        N_("Placebo dates, all windows at once"),
        N_(
            "Takes the largest absolute portfolio t over all windows that start at the event session: one joint test, which "
            "pays for having looked at several windows."
        ),
        N_("rank among the placebo blocks"),
    ),
}  # fmt: skip


# The study has no details or dates for these: its tables keep the rows, the page leaves them out
NOT_ASKED = {("kp_bmp_blocks", "no_industries"), ("calendar_time", "one_date")}


def asked(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table with columns ``test`` and ``reason`` that the page shows."""
    shown = [pair not in NOT_ASKED for pair in zip(table["test"], table["reason"], strict=True)]
    return table[np.array(shown, dtype=bool)]  # an empty list would select columns


def null_name(code: str) -> str:
    """Return what tables call a null."""
    return _(NULL_NAMES[code]) if code in NULL_NAMES else code


def words_of_test(name: str) -> TestWords:
    """Return what a test is called and asks; a test added later shows its code until it is described here."""
    words = TESTS.get(name)
    return TestWords(_(words.name), _(words.about), _(words.reference), words.null) if words else TestWords(name, "", "")


# Tests as sentences name them.
SHORT_NAMES = {
    "portfolio_t": N_("portfolio t"),
    "kp_bmp": N_("adjusted BMP"),
    "placebo_caar": N_("placebo dates"),
    "placebo_scar": N_("placebo dates on standardised CARs"),
    "grank": N_("generalised rank test"),
}


def short_name(test: str) -> str:
    """Return what a sentence calls a test."""
    return _(SHORT_NAMES[test]) if test in SHORT_NAMES else words_of_test(test).name


def remarked(told: str, test: str, reason: str) -> str:
    """Return what a test says with a remark on it, which names the test where others stand beside it."""
    return _("{told}; note on {test}: {remark}", told=told, test=test, remark=why(reason)) if reason else told
