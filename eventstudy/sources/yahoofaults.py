"""What Yahoo answered and yfinance made of it, told as this package's errors.

yfinance hides the status of an answer behind what its parser says, or behind "possibly delisted". So the
answers of the chart endpoint are listened to on their way, and they decide what an error means.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eventstudy.errors import (
    EventStudyError,
    MalformedAnswerError,
    NoPricesError,
    RateLimitedError,
    SourceUnreachableError,
    UnknownSymbolError,
)

CHART = "/v8/finance/chart/"
MAINTENANCE = "will be right back"
NO_DATA = ("data doesn't exist for", "no data found", "not found")
LACKING = {"volume": "volumes", "currency": "currency", "close": "closes", "adjclose": "adjusted closes"}


@dataclass
class Heard:
    """The last answer about prices: its status (0 where none came) and its text."""

    status: int = 0
    text: str = ""

    @property
    def reason(self) -> str:
        """What Yahoo itself gives as the reason of an error; empty where it gives none."""
        try:
            return str(json.loads(self.text)["chart"]["error"]["description"])
        except (ValueError, KeyError, TypeError):
            return ""


@contextmanager
def faults_told(symbol: str, session: Any) -> Iterator[None]:
    """Let yfinance raise what it would else swallow or log, as errors of this package.

    Raises
    ------
    UnknownSymbolError
        If Yahoo does not know `symbol`; `NoPricesError` if it has no price in the range.
    RateLimitedError, MalformedAnswerError, SourceUnreachableError
        If it asks for fewer questions, answers what cannot be read, refuses, or is not to be reached.
    """
    import yfinance as yf

    log, hidden = logging.getLogger("yfinance"), yf.config.debug.hide_exceptions
    level = log.level
    yf.config.debug.hide_exceptions = False
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), _listening(session) as heard:
            warnings.simplefilter("ignore")
            try:
                yield
            except EventStudyError:
                raise
            except Exception as problem:
                raise _fault(symbol, problem, heard) from problem
    finally:
        log.setLevel(level)
        yf.config.debug.hide_exceptions = hidden


@contextmanager
def _listening(session: Any) -> Iterator[Heard]:
    heard, ask = Heard(), session.request

    def request(*arguments: Any, **named: Any) -> Any:
        about_prices = CHART in str(named.get("url") or arguments[1])
        if about_prices:
            heard.status, heard.text = 0, ""
        answer = ask(*arguments, **named)
        if about_prices:
            heard.status, heard.text = answer.status_code, answer.text
        return answer

    session.request = request
    try:
        yield heard
    finally:
        del session.request


def _fault(symbol: str, problem: Exception, heard: Heard) -> EventStudyError:
    from yfinance import exceptions as yahoo

    if isinstance(problem, yahoo.YFRateLimitError) or heard.status == 429:
        return RateLimitedError("Yahoo asks for fewer questions (429): try again in some minutes")
    if MAINTENANCE in heard.text.lower():
        return SourceUnreachableError(f"Yahoo is down for maintenance, asked for {symbol}: try again later")
    if any(words in heard.reason.lower() for words in NO_DATA):
        said = heard.reason.rstrip(".")
        if isinstance(problem, yahoo.YFPricesMissingError):
            return NoPricesError(f"Yahoo has no price of {symbol} ({said}): check the symbol and the dates")
        return UnknownSymbolError(f"Yahoo does not know {symbol} ({said}): check its spelling and suffix")
    if heard.status == 404:
        return UnknownSymbolError(f"Yahoo does not know {symbol} (404): check its spelling and suffix")
    if heard.status >= 500:
        return SourceUnreachableError(f"Yahoo has a server error ({heard.status}), asked for {symbol}: try again later")
    if heard.status >= 400:
        said = f"{heard.status}: {heard.reason}" if heard.reason else str(heard.status)
        return SourceUnreachableError(f"Yahoo refuses to answer for {symbol} ({said}): try again later, or upgrade yfinance")
    if not heard.status and type(problem).__name__ != "IncompleteRead":  # of an answer that broke off
        kind = f"{type(problem).__name__}: {str(problem).partition(' See http')[0]}"
        return SourceUnreachableError(f"Yahoo cannot be reached for {symbol} ({kind}): check the network")
    if isinstance(problem, yahoo.YFPricesMissingError):
        return NoPricesError(f"Yahoo has no price of {symbol} in the range asked for: check the symbol and the dates")
    return MalformedAnswerError(f"Yahoo's answer for {symbol} {_what_is_wrong(problem)}: try again later")


def _what_is_wrong(problem: Exception) -> str:
    from yfinance import exceptions as yahoo

    if isinstance(problem, yahoo.YFTzMissingError):
        return "has no time zone"
    if isinstance(problem, KeyError) and problem.args:
        return f"has no {LACKING.get(str(problem.args[0]), problem.args[0])}"
    if isinstance(problem, ValueError) or type(problem).__name__ == "IncompleteRead":  # whatever JSON parser is in use
        return "is cut short or damaged"
    return f"cannot be read ({type(problem).__name__})"
