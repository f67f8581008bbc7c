"""The tests in words: what each asks, its null, and the distribution it is referred to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

NULLS = {
    "mean": "the expected abnormal return is zero; its variance may have changed",
    "sharp": "the event changed nothing at all, neither the mean nor the variance",
    "equal": "all firms reacted alike, and the event changed nothing else",
    "joint": "every firm’s abnormal return is zero, and the event changed nothing else",
    "difference": "both groups’ mean abnormal returns are the same, and the event changed nothing else",
}


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
        "Cross-sectional t",
        "Compares the mean CAR with the spread of CARs across firms. Assumes that firms are independent of each other, which "
        "firms with a common event date are not.",
        "t with N − 1 degrees of freedom",
    ),
    "patell": TestWords(
        "Patell’s Z",
        "Sums standardised CARs. Assumes that firms are independent of each other and that the event left their variance alone.",
        "standard normal",
    ),
    "kp_patell": TestWords(
        "Adjusted Patell (Kolari and Pynnönen)",
        "Patell's Z, allowing for the firms’ average residual correlation. Assumes that the event left the variance alone.",
        "standard normal",
    ),
    "bmp": TestWords(
        "Boehmer, Musumeci and Poulsen’s t",
        "Compares standardised CARs with their own spread across firms, so a change in variance does no harm. Assumes that "
        "firms are independent of each other.",
        "t with N − 1 degrees of freedom",
    ),
    "kp_bmp": TestWords(
        "Adjusted BMP (Kolari and Pynnönen)",
        "The BMP test, allowing for the firms’ average residual correlation. With three firms it can hardly reject anything.",
        "t with N − 1 degrees of freedom",
    ),
    "portfolio_t": TestWords(
        "Portfolio t",
        "Compares the mean CAR with the standard error that the full covariance of the firms’ errors gives. Assumes that the "
        "event left the variance alone.",
        "t with the fewest residual degrees of freedom of any firm",
    ),
    "crude_dependence": TestWords(
        "Crude dependence adjustment (Brown and Warner)",
        "Compares the mean CAR with the spread of the firms’ mean residual over the estimation sessions, so that correlation "
        "across firms is allowed for. Leaves out the error of prediction, and so rejects slightly too often.",
        "t with the number of sessions all firms traded, less one",
    ),
    "hotelling": TestWords(
        "Joint F (Hotelling)",
        "Asks whether every CAR is zero, not whether their average is: opposite reactions do not cancel. Exact for normal "
        "errors; with fat tails it rejects too often.",
        "F with N and the printed degrees of freedom",
        "joint",
    ),
    "kp_bmp_blocks": TestWords(
        "Adjusted BMP, correlation by blocks",
        "The adjusted BMP test with correlation counted within one industry on overlapping dates only, none between other pairs.",
        "t with N − 1 degrees of freedom",
    ),
    "calendar_time": TestWords(
        "Calendar-time portfolio",
        "Holds in every session, in equal parts, the firms that are in their window then, and asks whether this portfolio earned "
        "more or less than its benchmark led one to expect, by regression over these sessions, each weighted by its number of "
        "firms. Correlation across firms and a change in variance do no harm. For events on several dates.",
        "t with the number of these sessions, less two",
    ),
    "wald_joint": TestWords(
        "Joint Wald test",
        "The joint test for firms whose estimation rows differ, with the full covariance of the CARs. Approximate.",
        "chi-squared with N degrees of freedom",
        "joint",
    ),
    "difference_t": TestWords(
        "Difference of two groups, t",
        "Compares the mean CARs of two groups of firms, with the full covariance of all their errors. Against placebo firms it "
        "asks whether the named firms moved more than such firms did on these days.",
        "t with the fewest residual degrees of freedom of any firm",
        "difference",
    ),
    "corrado": TestWords(
        "Corrado’s rank test",
        "Ranks each firm’s daily errors over estimation and event together and asks whether the event days rank unusually. Needs "
        "a return in every session.",
        "standard normal",
    ),
    "corrado_zivney": TestWords(
        "Corrado and Zivney’s rank test",
        "As Corrado’s, allowing for sessions without a return; a return over several sessions is ranked where it ends.",
        "standard normal",
    ),
    "grank": TestWords(
        "Generalised rank t (Kolari and Pynnönen)",
        "Ranks the standardised CAR, divided by its spread across firms, among the daily errors of the estimation window. The "
        "division lets the variance change, but needs some ten firms.",
        "t with the number of ranked sessions, less two",
    ),
    "grank_unscaled": TestWords(
        "Generalised rank t without rescaling",
        "Ranks the standardised CAR as it is among the daily errors of the estimation window; usable with few firms.",
        "t with the number of ranked sessions, less two",
    ),
    "generalized_sign": TestWords(
        "Generalised sign test (Cowan)",
        "Counts the positive CARs and compares them with each firm’s own share of positive residuals; the p-value is exact "
        "below 30 firms. Assumes that firms are independent of each other.",
        "exact distribution of the count; standard normal from 30 firms on",
    ),
    "wilcoxon": TestWords(
        "Wilcoxon’s signed-rank test",
        "The statistic is the sum of the ranks of the positive CARs, ranked by size. Assumes that firms are independent of each "
        "other and errors symmetric. With three firms the smallest p-value there can be is 0.25.",
        "all 2^N signs; normal above 15 firms",
    ),
    "skewness_hall": TestWords(
        "Skewness-adjusted t (Hall)",
        "The cross-sectional t, transformed for skewed CARs. Meant for many firms; means nothing with three.",
        "standard normal",
    ),
    "skewness_johnson": TestWords(
        "Skewness-adjusted t (Johnson)",
        "The cross-sectional t, corrected for skewed CARs by a series. Meant for many firms; means nothing with three.",
        "standard normal",
    ),
    "equal_effects": TestWords(
        "Equality of effects",
        "Asks whether all firms reacted alike, whatever the size of the reaction. "
        "The null here is that they did, not that the effects are zero.",
        "F with N − 1 and the printed degrees of freedom",
        "equal",
    ),
    "placebo_caar": TestWords(
        "Placebo dates, mean CAR",
        "Sets the mean CAR among those of every block of estimation sessions as long as the window, each predicted by a model "
        "fitted without it. Needs no distribution, but assumes that the event days would have been like those days.",
        "rank among the placebo blocks",
    ),
    "placebo_scar": TestWords(
        "Placebo dates, mean standardised CAR",
        "As before, with each firm’s CAR divided by its standard error, so that volatile firms weigh no more than quiet ones.",
        "rank among the placebo blocks",
    ),
    "placebo_hotelling": TestWords(
        "Placebo dates, joint",
        "The joint T² of all CARs among those of the estimation blocks, so that fat tails do no harm. Where the firms’ rows "
        "differ, their correlation is held as it is at the event.",
        "rank among the placebo blocks",
        "joint",
    ),
    "placebo_difference": TestWords(
        "Difference of two groups, placebo dates",
        "Sets the difference of the mean CARs among those of the estimation blocks that both groups traded through.",
        "rank among the placebo blocks",
        "difference",
    ),
    "bootstrap_residual": TestWords(
        "Bootstrap of residuals",
        "Sets the portfolio t among 9,999 made by giving every session the firms’ errors of one estimation session, drawn at "
        "random and taken together, and fitting every firm again. Days are drawn singly, so it takes days for independent.",
        "rank among the draws",
    ),
    "bootstrap_wild": TestWords(
        "Wild bootstrap",
        "As before, but estimation sessions keep their errors and only their signs are drawn. Assumes symmetric errors.",
        "rank among the draws",
    ),
    "bootstrap_hotelling": TestWords(
        "Bootstrap of residuals, joint",
        "Sets the joint T² of all CARs among those of the same 9,999 draws: asks whether every CAR is zero, and needs no normal "
        "errors.",
        "rank among the draws",
        "joint",
    ),
    "placebo_max": TestWords(
        "Placebo dates, all windows at once",
        "Takes the largest absolute portfolio t over all windows that start at the event session: one joint test, which pays "
        "for having looked at several windows.",
        "rank among the placebo blocks",
    ),
}  # fmt: skip


# The study has no details or dates for these: its tables keep the rows, the page leaves them out
NOT_ASKED = {("kp_bmp_blocks", "no_industries"), ("calendar_time", "one_date")}


def asked(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table with columns ``test`` and ``reason`` that the page shows."""
    shown = [pair not in NOT_ASKED for pair in zip(table["test"], table["reason"], strict=True)]
    return table[np.array(shown, dtype=bool)]  # an empty list would select columns


def words_of_test(name: str) -> TestWords:
    """Return what a test is called and asks; a test added later shows its code until it is described here."""
    return TESTS.get(name) or TestWords(name, "", "")


# Tests as sentences name them.
SHORT_NAMES = {
    "portfolio_t": "portfolio t",
    "kp_bmp": "adjusted BMP",
    "placebo_caar": "placebo dates",
    "placebo_scar": "placebo dates on standardised CARs",
    "grank": "generalised rank test",
}


def short_name(test: str) -> str:
    """Return what a sentence calls a test."""
    return SHORT_NAMES.get(test) or words_of_test(test).name
