"""baostock: Chinese shares with an explicit flag of suspension, and indices such as the CSI 300 (optional extra).

Closes are as traded (``adjustflag="3"``), volumes in shares; ``tradestatus`` says which sessions were suspended.
Dividends and bonus shares come from ``query_dividend_data``, asked for only the years in which the reference
price (``preclose``) departs from the close before. The client (0.9.4 was read) keeps one connection a process,
prints, waits for ever, and spins on a connection that the server closed; here it has a time limit, a quiet
output, and a lock. Its server could not be reached from where this was written: what it answers today, and
whether its figures are right, is not established.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from eventstudy.errors import ConfigError, DataError, SourceUnreachableError, UnknownSymbolError
from eventstudy.sources.base import Kind, PriceSeries
from eventstudy.sources.formats import FORMATS, TICK, days_of, vendor_rows
from eventstudy.sources.frames import price_frame
from eventstudy.sources.symbols import spelt

FIRST_DATE = pd.Timestamp("1990-12-19")
SHARE_FIELDS = "date,code,open,high,low,close,preclose,volume,adjustflag,tradestatus"
INDEX_FIELDS = "date,code,open,high,low,close,preclose,volume"
SECONDS = 30.0
ENDED = "the connection was closed"
BAD_CODE = ("10004011", "10004015")
BUSY = ("10001005", "10001011")  # too many logins, blocked: no fault of the config
NETWORK = "10002"
MALFORMED = (IndexError, KeyError, TypeError, ValueError)
PAGE = 2000
ROUNDED = 0.02  # prices and cash are rounded to cents, and shares that the firm holds itself get no dividend


class BaostockSource:
    """Prices from baostock's server, through its own client.

    Parameters
    ----------
    timeout : float
        Longest wait for the server's next words, in seconds.
    """

    name = "baostock"
    remote = True
    _one_at_a_time = threading.Lock()

    def __init__(self, timeout: float = SECONDS) -> None:
        self.timeout = timeout

    @classmethod
    def from_settings(cls, folder: Path, settings: Mapping[str, Any]) -> BaostockSource:
        """Return the source that a [data.baostock] table describes."""
        return cls(**{name: value for name, value in settings.items() if value is not None})

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the series of `symbol` between `start` and `end`, both inclusive.

        Raises
        ------
        UnknownSymbolError
            If it is no share or index of Shanghai or Shenzhen, or has no rows.
        SourceUnreachableError
            If the server does not answer, breaks off, or turns the login away.
        DataError
            If the answer cannot be used.
        """
        code = spelt(symbol, "baostock")
        if not re.fullmatch(r"(sh|sz|bj)\.[0-9]{6}", code):
            raise UnknownSymbolError(f"baostock has Chinese symbols only, not {symbol}: write it as 600000.SS or 002415.SZ")
        first = max(start, FIRST_DATE)
        last = max(first, min(end, pd.Timestamp(dt.datetime.now(dt.UTC).date())))
        fields = SHARE_FIELDS if kind == "share" else INDEX_FIELDS
        with self._session() as client:
            raw = _rows(
                client.query_history_k_data_plus, code, fields,
                start_date=f"{first:%Y-%m-%d}", end_date=f"{last:%Y-%m-%d}", frequency="d", adjustflag="3",
            )  # fmt: skip
            if raw.empty:
                raise UnknownSymbolError(f"baostock has no rows of {symbol} ({code}) from {first:%Y-%m-%d} to {last:%Y-%m-%d}")
            where = f"baostock, {symbol}"
            form = FORMATS["baostock"]
            raw, notes = vendor_rows(raw.rename(columns={names[0]: ours for ours, names in form.columns.items()}), form, where)
            frame, found = price_frame(raw, where, ("pre_close",))
            if kind == "share":
                frame, steps = _with_actions(
                    frame, lambda year: _rows(client.query_dividend_data, code, year=year, yearType="operate")
                )
                found += steps
        return PriceSeries(symbol, frame.drop(columns="pre_close"), self.name, kind, "missing", notes=(*notes, *found))

    @contextlib.contextmanager
    def _session(self) -> Iterator[Any]:
        """Log in, and out again: the client has a single connection, so one user at a time."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                client: Any = import_module("baostock")
                context: Any = import_module("baostock.common.context")
                socketutil: Any = import_module("baostock.util.socketutil")
        except ImportError as problem:
            raise ConfigError("source = \"baostock\" needs its client: pip install 'eventstudy-toolkit[baostock]'") from problem
        with self._one_at_a_time, contextlib.redirect_stdout(io.StringIO()):
            before = socketutil.SocketUtil.instance, getattr(context, "default_socket", None)
            connector = _connector(socketutil.SocketUtil, context, self.timeout)
            socketutil.SocketUtil.instance = connector
            try:
                _answer(client.login)
                yield client
                with contextlib.suppress(*MALFORMED):
                    client.logout()
            except OSError as problem:
                reason = problem.strerror or str(problem) or type(problem).__name__
                raise SourceUnreachableError(f"baostock's server does not answer ({reason}): try again later") from problem
            finally:
                socketutil.SocketUtil.instance, context.default_socket = before
                connector.close()


def _connector(base: type, context: Any, seconds: float) -> Any:
    """Return a connection maker in the place of the client's own, which neither fails nor ends."""
    constants: Any = import_module("baostock.common.contants")

    class Connector(base):  # type: ignore[misc]
        made: socket.socket | None = None

        def connect(self, api_key: str) -> None:
            server = constants.BAOSTOCK_VIP_SERVER_IP if api_key.startswith("bs-") else constants.BAOSTOCK_SERVER_IP
            plain = socket.create_connection((server, constants.BAOSTOCK_SERVER_PORT), timeout=seconds)
            self.made = _EndingSocket(plain.family, plain.type, plain.proto, plain.detach())
            self.made.settimeout(seconds)
            context.default_socket = self.made

        def close(self) -> None:
            if self.made is not None:
                self.made.close()

    return object.__new__(Connector)


class _EndingSocket(socket.socket):
    """A socket that fails where the other end closed, instead of giving nothing for ever."""

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        found = super().recv(size, flags)
        if not found:
            raise ConnectionError(ENDED)
        return found


def _answer(query: Callable[..., Any], *arguments: object, **named: object) -> Any:
    """Ask the server; its client indexes into whatever came."""
    try:
        answer = query(*arguments, **named)
    except MALFORMED as problem:
        raise _malformed(query, problem) from problem
    if answer is None or answer.error_code != "0":
        raise _error(answer, query.__name__)
    return answer


def _rows(query: Callable[..., Any], *arguments: object, **named: object) -> pd.DataFrame:
    """Run a query and read all its pages; the client's own reading stops at a broken page without a word."""
    answer = _answer(query, *arguments, **named)
    rows: list[list[str]] = []
    page: list[list[str]] = []
    try:
        while answer.next():
            page = answer.data
            rows.append(answer.get_row_data())
    except MALFORMED as problem:
        raise _malformed(query, problem) from problem
    if answer.error_code != "0":
        raise _error(answer, query.__name__)
    if answer.data is page and len(page) == PAGE:  # a full page is followed by another, if an empty one
        raise SourceUnreachableError(f"baostock broke off after {len(rows)} rows of {query.__name__}: try again later")
    if any(len(row) != len(answer.fields) for row in rows):
        raise DataError(f"baostock: rows of {query.__name__} do not have its {len(answer.fields)} fields: try again later")
    return pd.DataFrame(rows, columns=answer.fields, dtype="object")


def _malformed(query: Callable[..., Any], problem: Exception) -> DataError:
    return DataError(f"baostock: the answer to {query.__name__} is malformed ({type(problem).__name__}): try again later")


def _error(answer: Any, what: str) -> DataError | SourceUnreachableError:
    code = str(getattr(answer, "error_code", "") or "no code")
    reason = " ".join(str(getattr(answer, "error_msg", "") or "no reason given").split())
    if code.startswith(NETWORK) or code in BUSY:
        return SourceUnreachableError(f"baostock does not serve {what} ({code}: {reason}): try again later")
    if code in BAD_CODE:
        return UnknownSymbolError(f"baostock does not know the symbol ({code}: {reason}): check the spelling")
    return DataError(f"baostock refuses {what} ({code}: {reason}): its client may be too old for its server")


def _with_actions(frame: pd.DataFrame, dividends_of: Callable[[str], pd.DataFrame]) -> tuple[pd.DataFrame, list[str]]:
    """Put dividends and bonus shares on their ex-dates; note the reference prices that they do not explain."""
    close = frame["close"].dropna()
    last, reference = close.shift(1), frame["pre_close"].reindex(close.index)
    steps = pd.DatetimeIndex(close.index[(reference - last).abs() > TICK])
    cash: dict[pd.Timestamp, float] = {}
    shares: dict[pd.Timestamp, float] = {}
    for year in sorted(set(steps.year)):
        for action in dividends_of(str(year)).drop_duplicates().to_dict("records"):
            day = pd.to_datetime(str(action.get("dividOperateDate") or ""), errors="coerce", format="%Y-%m-%d")
            if pd.isna(day) or not frame.index[0] <= day <= frame.index[-1]:
                continue
            cash[day] = cash.get(day, 0.0) + _amount(action, "dividCashPsBeforeTax")
            shares[day] = shares.get(day, 1.0) + _amount(action, "dividStocksPs") + _amount(action, "dividReserveToStockPs")
    # An action of a session without a row stays on its date, on a row without a price.
    frame = frame.reindex(pd.DatetimeIndex(frame.index.union(pd.DatetimeIndex(list(cash))), name="date").as_unit("s"))
    frame["dividend"] = [cash.get(day, 0.0) for day in frame.index]
    frame["split"] = [shares.get(day, 1.0) for day in frame.index]
    expected = ((last - frame["dividend"]) / frame["split"]).reindex(steps)
    unlike = steps[(expected - reference.reindex(steps)).abs() > ROUNDED]
    note = "the exchange's reference price is not the one that dividends and bonus shares on record lead to: "
    return frame, [note + days_of(unlike)] if len(unlike) else []


def _amount(action: Mapping[Any, Any], name: str) -> float:
    text = str(action.get(name) or "").strip()
    try:
        return float(text) if text else 0.0
    except ValueError as problem:
        raise DataError(f"baostock: {name} {text!r} of a dividend is not a number: try another source") from problem
