"""What explains another tool's numbers, in lines for the terminal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from eventstudy.explain import Attempt, Attribution
from eventstudy.report.numbers import decimal
from eventstudy.report.wording import REASONS, own_words

PLACES = 4
MOST_RIVALS = 2


def explanation_lines(found: Sequence[Attribution]) -> list[str]:
    """Return a table, one line a number of theirs, and what holds for several of them."""
    lo, hi = found[0].theirs.window
    names = [_name(item) for item in found]
    wide = max(len("firm"), *(len(name) for name in names))
    lines = [f"CAR[{lo}, {hi}]", f"{'firm':<{wide}}  {'ours':>9}  {'theirs':>9}  {'differ by':>9}  because"]
    for name, item in zip(names, found, strict=True):
        ours, theirs = item.ours.car, item.theirs.car.value
        numbers = "  ".join(f"{_number(value):>9}" for value in (ours, theirs, theirs - ours))
        lines.append(f"{name:<{wide}}  {numbers}  {_because(item)}")
    return lines + _in_common(found)


def _name(item: Attribution) -> str:
    if not item.theirs.label:
        return "average"
    own = item.firm.settings.name if item.firm else ""
    return own_words(f"{own} ({item.firm.key[1]})" if item.firm and own else item.theirs.label)


def _number(value: float) -> str:
    return decimal(value, PLACES, sign=True) or "-"


def _because(item: Attribution) -> str:
    best = item.best
    if item.verdict == "unknown_firm":
        return "no firm of the study: correct the label"
    if item.verdict == "no_ours" or best is None:
        return item.reason or "nothing else to compute it by"
    undefined = f"(ours is undefined: {REASONS.get(item.ours.reason, item.ours.reason)}) " if item.ours.reason else ""
    if item.verdict == "agrees":
        return undefined + "agrees to the digits given"
    if item.verdict == "unexplained":
        if math.isinf(best.distance):
            return undefined + "unexplained: no convention gives a number to compare"
        return undefined + f"unexplained; closest: {_words(best)} ({_number(best.outcome.car)})"
    also = [_words(rival) for rival in item.rivals if len(rival.conventions) == len(best.conventions)]
    more = "; ".join(also[:MOST_RIVALS]) + (f"; and {len(also) - MOST_RIVALS} more" if len(also) > MOST_RIVALS else "")
    told = f"{_words(best)}" + (f" [or: {more}]" if more else "")
    return undefined + (f"perhaps {told}; at this precision it may be chance" if item.verdict == "perhaps" else told)


def _words(attempt: Attempt) -> str:
    return ", and ".join(convention.words for convention in attempt.conventions)


def _in_common(found: Sequence[Attribution]) -> list[str]:
    """Say which conventions explain several numbers, and how many stay unexplained."""
    explained = [item.best for item in found if item.verdict in ("convention", "pair", "perhaps") and item.best is not None]
    counts = Counter(convention.words for attempt in explained for convention in attempt.conventions)
    lines = [f"{count} of {len(found)}: {words}" for words, count in counts.most_common() if count > 1]
    open_ones = sum(item.verdict == "unexplained" for item in found)
    if open_ones:
        told = "unexplained: look at their prices, adjustments and dates, which no convention here moves"
        lines.append(f"{open_ones} of {len(found)} {told}")
    return lines
