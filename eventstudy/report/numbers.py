"""The one place where numbers, windows and dates become text."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from eventstudy.report.language import LANGUAGES, N_, _, ngettext, pgettext, spoken
from eventstudy.returns import ReturnKind
from eventstudy.windows import Window

MINUS = "\u2212"
FIXED = "\u00a0"  # a space that no line breaks at
WEEKDAYS = (
    N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
)  # fmt: skip
MONTHS = (
    N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"),
    N_("July"), N_("August"), N_("September"), N_("October"), N_("November"), N_("December"),
)  # fmt: skip
SMALL_NUMBERS = (
    N_("no"), N_("one"), N_("two"), N_("three"), N_("four"), N_("five"), N_("six"), N_("seven"), N_("eight"), N_("nine"),
    N_("ten"),
)  # fmt: skip
# Units of money in sentences, the largest first: Chinese counts in 10,000 and 100,000,000
UNITS = {"en": ((1e9, "bn"), (1e6, "m")), "zh": ((1e8, "亿"), (1e4, "万"))}


@dataclass(frozen=True)
class Scale:
    """How a return of the study is read as a percentage.

    Log returns add up over sessions, so they are what is estimated; ``exp(x) - 1`` turns their sum into
    the change in value that it stands for. Simple returns are that change already.
    """

    kind: ReturnKind

    def effect(self, value: float) -> float:
        """Return the change in value that a (cumulative) return of the study stands for."""
        return math.expm1(value) if self.kind == "log" else value

    @property
    def unit(self) -> str:
        """Name of the raw unit, for column titles."""
        return _("log %") if self.kind == "log" else "%"


def decimal(value: float, digits: int = 2, *, sign: bool = False) -> str:
    """Return a number with a true minus sign and fixed decimals; empty where it is undefined.

    Examples
    --------
    >>> decimal(-1.234), decimal(0.5, 1, sign=True), decimal(-0.001, sign=True), decimal(float("nan"))
    ('−1.23', '+0.5', '0.00', '')
    """
    if math.isnan(value):
        return ""
    text = f"{abs(value):,.{digits}f}"
    if not any(digit in "123456789" for digit in text):  # rounds to zero: a sign would claim a direction
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def percent(value: float, digits: int = 2) -> str:
    """Return a signed percentage such as ``+3.32%``; empty where it is undefined.

    In sentences (one digit) a value too small to show gets a second digit: an interval that ends at
    −0.04% does not end at zero.
    """
    text = decimal(100 * value, _digits(value, digits), sign=True)
    return f"{text}%" if text else ""


def size(value: float, digits: int = 1) -> str:
    """Return a percentage without its sign, for sentences that name the direction in words."""
    return f"{decimal(100 * abs(value), _digits(value, digits))}%"


def _digits(value: float, digits: int) -> int:
    return 2 if digits == 1 and abs(100 * value) < 0.05 else digits


def interval(low: float, high: float, digits: int = 2) -> str:
    """Return an interval of percentages, such as ``−14.94% to −1.05%``; empty where it is undefined."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return _("{low} to {high}", low=percent(low, digits), high=percent(high, digits))


def bounded(text: str, limit: str) -> str:
    """Return the text of an effect with the sign of a bound where a close at the price limit held the price back (rule D4)."""
    return {"down": f"≤ {text}", "up": f"≥ {text}"}.get(limit, text)


def money(value: float, currency: str, *, sign: bool = False, beside: float = 0.0) -> str:
    """Return an amount in words, such as ``24.9 bn CNY``, to three significant digits; empty where it is undefined.

    Where a larger amount stands `beside` it, both have the unit of that one, unless too little of this one could be seen.

    Examples
    --------
    >>> money(-24_924_610_000.0, "CNY", sign=True).replace(FIXED, " "), money(301.8e9, "CNY").replace(FIXED, " ")
    ('−24.9 bn CNY', '302 bn CNY')
    >>> money(3_175_036.0, "USD").replace(FIXED, " "), money(999_600.0, "USD").replace(FIXED, " ")
    ('3.18 m USD', '999,600 USD')
    >>> money(-174e6, "CNY", sign=True, beside=-37.1e9).replace(FIXED, " ")
    '−0.174 bn CNY'
    """
    if math.isnan(value):
        return ""
    largest = max(abs(value), abs(beside)) if abs(value) > abs(beside) / 1000 else abs(value)
    unit, name = next(((unit, name) for unit, name in UNITS[spoken()] if largest >= unit), (1.0, ""))
    scaled = value / unit
    digits = 0 if not name or abs(scaled) >= 99.95 else 1 if abs(scaled) >= 9.995 else 2 if abs(scaled) >= 0.9995 else 3
    parts = [part for part in (decimal(scaled, digits, sign=sign), name, currency_name(currency)) if part]
    return (FIXED if LANGUAGES[spoken()].space else "").join(parts)


def currency_name(code: str) -> str:
    """Return what sentences call a currency."""
    names = {"CNY": pgettext("currency", "CNY"), "HKD": pgettext("currency", "HKD"), "USD": pgettext("currency", "USD")}
    return names.get(code, code)


def p_value(value: float) -> str:
    """Return a p-value to three decimals, ``<0.001`` below that; empty where it is undefined."""
    if math.isnan(value):
        return ""
    return "<0.001" if value < 0.0005 else f"{value:.3f}"


def p_equation(value: float, symbol: str = "p") -> str:
    """Return ``p = 0.026`` or ``p < 0.001``."""
    text = p_value(value)
    return f"{symbol}{FIXED}<{FIXED}{text[1:]}" if text.startswith("<") else f"{symbol}{FIXED}={FIXED}{text}"


def whole(value: object) -> str:
    """Return a count; empty where it is undefined."""
    return "" if value is None or pd.isna(value) else decimal(float(value), 0)  # type: ignore[call-overload, arg-type]


def in_words(number: int) -> str:
    """Return a small count in words, such as ``three``."""
    return _(SMALL_NUMBERS[number]) if 0 <= number < len(SMALL_NUMBERS) else whole(number)


def ordinal(number: int) -> str:
    """Return a place in an order, such as ``1st``, ``12th``, ``23rd``."""
    other, messages = N_("{number}th"), {1: N_("{number}st"), 2: N_("{number}nd"), 3: N_("{number}rd")}
    message = other if number % 100 in (11, 12, 13) else messages.get(number % 10, other)
    return _(message, number=f"{number:,}")


def tau(value: int) -> str:
    """Return an event-time index such as ``−10`` or ``+2``; the event session is ``0``."""
    return decimal(value, 0, sign=True)


def at_tau(value: int) -> str:
    """Return ``session 2``, counted from the event session, which no line breaks."""
    return _("session {number}", number=decimal(value, 0)).replace(" ", FIXED)


def window(bounds: Window) -> str:
    """Return a window such as ``[−10, −1]``.

    Examples
    --------
    >>> window((-10, 3)).replace(FIXED, " ")
    '[−10, 3]'
    """
    return f"[{decimal(bounds[0], 0)},{FIXED}{decimal(bounds[1], 0)}]"


def window_in_words(bounds: Window) -> str:
    """Return which sessions a window is made of, in words.

    Examples
    --------
    >>> window_in_words((0, 3)), window_in_words((-10, -1))
    ('the event session and the three sessions after it', 'the ten sessions before the event session')
    """
    first, last = bounds
    before, after = in_words(-first), in_words(last)
    if first > 0:
        return _("the sessions from {first} to {last} after the event session", first=whole(first), last=whole(last))
    if last < -1:
        return _("the sessions from {first} to {last} before the event session", first=whole(-last), last=whole(-first))
    if last == -1:
        return ngettext(
            "the session before the event session", "the {count} sessions before the event session", -first, count=before
        )
    if first == last:
        return _("the event session")
    if first == 0:
        return ngettext(
            "the event session and the session after it", "the event session and the {count} sessions after it", last, count=after
        )
    if last == 0:
        return ngettext(
            "the session before the event session and that session itself",
            "the {count} sessions before the event session and that session itself", -first, count=before,
        )  # fmt: skip
    return _("the sessions from {before} before to {after} after the event session", before=whole(-first), after=whole(last))


def confidence(alpha: float) -> str:
    """Return the confidence level that goes with `alpha`, such as ``95%``."""
    return f"{100 * (1 - alpha):g}%"


def listed(words: Iterable[str], *, whole_clauses: bool = False) -> str:
    """Join words, or clauses, as a sentence lists them: ``a``, ``a and b``, ``a, b and c``."""
    found = list(words)
    if len(found) < 2:
        return found[0] if found else ""
    if whole_clauses:
        most = pgettext("in a list of clauses", ", ").join(found[:-1])
        return pgettext("in a list of clauses", "{first} and {last}", first=most, last=found[-1])
    return _("{first} and {last}", first=pgettext("in a list", ", ").join(found[:-1]), last=found[-1])


def joined(parts: Iterable[str]) -> str:
    """Join parts of a sentence that hold commas of their own."""
    return pgettext("between clauses", "; ").join(parts)


def running(sentences: Iterable[str]) -> str:
    """Join whole sentences."""
    return LANGUAGES[spoken()].space.join(part for part in sentences if part)


def weekday(date: dt.date) -> str:
    """Return the day of the week; never by the locale, which would make the page differ between machines."""
    return _(WEEKDAYS[date.weekday()])


def _month(date: dt.date) -> str:
    return _(MONTHS[date.month - 1])


def day(date: dt.date, *, week: bool = True) -> str:
    """Return a date in words, such as ``Tuesday 8 October 2019``."""
    if week:
        return _("{weekday} {day} {month} {year}", weekday=weekday(date), day=date.day, month=_month(date), year=date.year)
    return _("{day} {month} {year}", day=date.day, month=_month(date), year=date.year)


def short_day(date: dt.date) -> str:
    """Return a date short enough for an axis, such as ``8 Oct``."""
    months = (
        pgettext("short", "Jan"), pgettext("short", "Feb"), pgettext("short", "Mar"), pgettext("short", "Apr"),
        pgettext("short", "May"), pgettext("short", "Jun"), pgettext("short", "Jul"), pgettext("short", "Aug"),
        pgettext("short", "Sep"), pgettext("short", "Oct"), pgettext("short", "Nov"), pgettext("short", "Dec"),
    )  # fmt: skip
    return _("{day} {month}", day=date.day, month=months[date.month - 1])


def days(first: dt.date, last: dt.date, *, week: bool = False) -> str:
    """Return a range of dates in words, naming month and year once where they agree.

    Examples
    --------
    >>> days(dt.date(2019, 10, 1), dt.date(2019, 10, 7)), days(dt.date(2019, 9, 30), dt.date(2019, 10, 1))
    ('1 to 7 October 2019', '30 September to 1 October 2019')
    """
    if first == last:
        return day(first, week=week)
    if first.year != last.year:
        return _("{first} to {last}", first=day(first, week=week), last=day(last, week=week))
    parts = {"first": first.day, "last": last.day, "month": _month(last), "year": last.year}
    if week:
        return _(
            "{first_weekday} {first} {first_month} to {last_weekday} {last} {month} {year}",
            **parts, first_weekday=weekday(first), first_month=_month(first), last_weekday=weekday(last),
        )  # fmt: skip
    if first.month != last.month:
        return _("{first} {first_month} to {last} {month} {year}", **parts, first_month=_month(first))
    return _("{first} to {last} {month} {year}", **parts)


def several_days(dates: Sequence[dt.date]) -> str:
    """Return a list of dates in words: all of a few, the ends of many."""
    if len(dates) > 3:
        return days(dates[0], dates[-1])
    if len({(date.year, date.month) for date in dates}) == 1 and len(dates) > 1:
        own = [pgettext("in a list of days", "{day}", day=date.day) for date in dates]
        return _("{days} {month} {year}", days=listed(own), month=_month(dates[0]), year=dates[0].year)
    return listed(day(date, week=False) for date in dates)


def clock(instant: dt.datetime) -> str:
    """Return the time of day, with seconds only where they are given."""
    return f"{instant:%H:%M:%S}" if instant.second else f"{instant:%H:%M}"
