"""The JSON of Yahoo's chart endpoint, whole and damaged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd

from .instruments import Instrument

Json = dict[str, Any]
VALID_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]
PRICES = ("open", "high", "low", "close")


@dataclass
class Fault:
    """One way for chart answers to go wrong; see `YahooServer.fault`."""

    symbol: str | None
    kind: str
    times: int | None = None
    only: str = "any"
    seconds: float = 30.0
    on: str | None = None
    at: str | pd.Timestamp | None = None
    amount: float = 0.05
    timezone: str = "America/New_York"
    reason: str = "Invalid input - start date cannot be after end date."


def failure(code: str, description: str, part: str = "chart") -> Json:
    """Yahoo's shape of an error with a reason."""
    return {part: {"result": None, "error": {"code": code, "description": description}}}


def chart(instrument: Instrument, query: Mapping[str, str]) -> tuple[int, Json]:
    """Status and payload of a good answer to a chart request."""
    if query.get("interval", "1d") != "1d":
        return 422, failure("Unprocessable Entity", f"interval={query['interval']} is not served here")
    bars = instrument.bars()
    stamps = pd.Series([instrument.moment(date, instrument.opens) for date in bars.index], bars.index, dtype="int64")
    if "period1" in query:
        start, end = int(query["period1"]), int(query["period2"])
        if start >= end:
            return 400, failure("Bad Request", Fault.reason)
        if end <= stamps.iloc[0]:
            return 400, failure("Bad Request", f"Data doesn't exist for startDate = {start}, endDate = {end}")
    else:
        start = int(stamps.iloc[-1]) if query.get("range") == "1d" else int(stamps.iloc[0])
        end = int(stamps.iloc[-1]) + 1
    asked = (stamps >= start) & (stamps < end)
    result: Json = {"meta": _meta(instrument, bars, stamps), "indicators": {"quote": [{}], "adjclose": [{}]}}
    if asked.any():
        rows = bars[asked]
        quote = {column: _numbers(rows[column]) for column in PRICES}
        quote["volume"] = [None if math.isnan(value) else int(value) for value in rows["volume"]]
        result["timestamp"] = [int(stamp) for stamp in stamps[asked]]
        result["indicators"] = {"quote": [quote], "adjclose": [{"adjclose": _numbers(rows["adjclose"])}]}
    events = _events(instrument, query.get("events", ""), start, end)
    if events:
        result["events"] = events
    return 200, {"chart": {"result": [result], "error": None}}


def _numbers(column: pd.Series) -> list[float | None]:
    return [None if math.isnan(value) else float(value) for value in column]


def _events(instrument: Instrument, wanted: str, start: int, end: int) -> Json:
    events: Json = {}
    for date, cash in instrument.dividends().items() if "div" in wanted else ():
        stamp = instrument.moment(date, instrument.opens)
        if start <= stamp < end:
            events.setdefault("dividends", {})[str(stamp)] = {"amount": cash, "date": stamp}
    for date, ratio in instrument.splits().items() if "split" in wanted else ():
        stamp = instrument.moment(date, instrument.opens)
        if start <= stamp < end:
            new, old = Fraction(ratio).limit_denominator(1000).as_integer_ratio()
            split = {"date": stamp, "numerator": float(new), "denominator": float(old), "splitRatio": f"{new}:{old}"}
            events.setdefault("splits", {})[str(stamp)] = split
    return events


def _meta(instrument: Instrument, bars: pd.DataFrame, stamps: pd.Series) -> Json:
    last = bars.index[-1]
    offset = pd.Timestamp(f"{last:%Y-%m-%d}", tz=instrument.timezone).utcoffset()
    seconds = int(offset.total_seconds()) if offset is not None else 0
    opened, closed = instrument.moment(last, instrument.opens), instrument.moment(last, instrument.closes)
    periods = {"pre": (opened, opened), "regular": (opened, closed), "post": (closed, closed)}
    short = pd.Timestamp(opened, unit="s", tz="UTC").tz_convert(instrument.timezone).tzname()
    return {
        "currency": instrument.currency,
        "symbol": instrument.symbol,
        "exchangeName": instrument.symbol.rpartition(".")[2],
        "instrumentType": "EQUITY" if instrument.kind == "share" else "INDEX",
        "firstTradeDate": int(stamps.iloc[0]),
        "regularMarketTime": closed,
        "hasPrePostMarketData": False,
        "gmtoffset": seconds,
        "timezone": short,
        "exchangeTimezoneName": instrument.timezone,
        "regularMarketPrice": _numbers(bars["close"])[-1],
        "longName": instrument.name or instrument.symbol,
        "shortName": instrument.name or instrument.symbol,
        "priceHint": 2,
        "currentTradingPeriod": {
            name: {"timezone": short, "start": start, "end": end, "gmtoffset": seconds} for name, (start, end) in periods.items()
        },
        "dataGranularity": "1d",
        "range": "",
        "validRanges": VALID_RANGES,
    }


def _row(result: Json, instrument: Instrument, fault: Fault) -> int:
    """Position of the row that the fault means; the last one where it names none."""
    if fault.on is None:
        return len(result["timestamp"]) - 1
    stamp = instrument.moment(pd.Timestamp(fault.on), instrument.opens)
    return result["timestamp"].index(stamp) if stamp in result["timestamp"] else -1


def _columns(result: Json) -> list[list[Any]]:
    quote = result["indicators"]["quote"][0]
    return [*quote.values(), result["indicators"]["adjclose"][0]["adjclose"]]


def _all_null(result: Json, instrument: Instrument, fault: Fault) -> None:
    for column in _columns(result):
        column[:] = [None] * len(column)


def _null_row(result: Json, instrument: Instrument, fault: Fault) -> None:
    row = _row(result, instrument, fault)
    if row >= 0:
        for column in _columns(result):
            column[row] = None


def _null_volume(result: Json, instrument: Instrument, fault: Fault) -> None:
    row = _row(result, instrument, fault)
    if row >= 0:
        result["indicators"]["quote"][0]["volume"][row] = None


def _no_volume(result: Json, instrument: Instrument, fault: Fault) -> None:
    del result["indicators"]["quote"][0]["volume"]


def _no_adjclose(result: Json, instrument: Instrument, fault: Fault) -> None:
    del result["indicators"]["adjclose"]


def _no_currency(result: Json, instrument: Instrument, fault: Fault) -> None:
    del result["meta"]["currency"]


def _wrong_timezone(result: Json, instrument: Instrument, fault: Fault) -> None:
    there = pd.Timestamp(result["meta"]["regularMarketTime"], unit="s", tz=fault.timezone)
    offset = there.utcoffset()
    seconds = int(offset.total_seconds()) if offset is not None else 0
    result["meta"].update(exchangeTimezoneName=fault.timezone, timezone=there.tzname(), gmtoffset=seconds)


def _phantom_rows(result: Json, instrument: Instrument, fault: Fault) -> None:
    last = pd.Timestamp(result["timestamp"][-1], unit="s", tz="UTC").tz_convert(instrument.timezone)
    date = pd.Timestamp(fault.on) if fault.on else (last + pd.Timedelta(days=1)).tz_localize(None)
    stamp = instrument.moment(date, instrument.opens)
    dividends = result.setdefault("events", {}).setdefault("dividends", {})
    dividends[str(stamp)] = {"amount": fault.amount, "date": stamp}


def _half_bar_today(result: Json, instrument: Instrument, fault: Fault) -> None:
    """An open session: the last row is stamped with the last trade, its volume is what traded so far."""
    at = pd.Timestamp(fault.at) if fault.at is not None else pd.Timestamp.now(tz="UTC")
    at = at.tz_convert(instrument.timezone) if at.tzinfo else at.tz_localize(instrument.timezone)
    stamp, opened = int(at.timestamp()), instrument.moment(at, instrument.opens)
    whole = sum(earlier < opened for earlier in result["timestamp"])
    del result["timestamp"][whole:]
    for column in _columns(result):
        column[whole:] = [column[max(whole - 1, 0)]]
    quote = result["indicators"]["quote"][0]
    quote["close"][-1] = result["indicators"]["adjclose"][0]["adjclose"][-1] = round(quote["open"][-1] * 1.01, 2)
    quote["high"][-1] = round(quote["open"][-1] * 1.02, 2)
    quote["volume"][-1] = (quote["volume"][-1] or 0) // 3
    result["timestamp"].append(stamp)
    result["meta"]["regularMarketTime"] = stamp
    for name, clock in (("start", instrument.opens), ("end", instrument.closes)):
        result["meta"]["currentTradingPeriod"]["regular"][name] = instrument.moment(at, clock)


DAMAGE: dict[str, Callable[[Json, Instrument, Fault], None]] = {
    "all_null": _all_null,
    "half_bar_today": _half_bar_today,
    "no_adjclose": _no_adjclose,
    "no_currency": _no_currency,
    "no_volume": _no_volume,
    "null_row": _null_row,
    "null_volume": _null_volume,
    "phantom_rows": _phantom_rows,
    "wrong_timezone": _wrong_timezone,
}


def damage(payload: Json, instrument: Instrument, fault: Fault) -> None:
    """Apply a fault of content to a good chart payload that has rows (the time zone's to any)."""
    result = (payload["chart"]["result"] or [{}])[0]
    if "timestamp" in result or (result and fault.kind in ("wrong_timezone", "no_currency")):
        DAMAGE[fault.kind](result, instrument, fault)
