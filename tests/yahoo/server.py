"""A threaded HTTP server on 127.0.0.1 that answers as Yahoo's price service does."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import pandas as pd

from .answers import DAMAGE, Fault, Json, chart, damage, failure
from .instruments import Instrument

CHART = "/v8/finance/chart/"
WIRE = frozenset(("404", "429", "500", "broken_json", "will_be_right_back", "hang", "reset", "truncate", "bad_request"))
COOKIE = "A3=d=loopback; Expires=Wed, 31 Dec 2036 23:59:59 GMT; Domain=.yahoo.com; Path=/; SameSite=None; HttpOnly"
CONSENT = (
    '<html><body><form><input name="csrfToken" value="loopback"><input name="sessionId" value="loopback"></form></body></html>'
)
BACK_SOON = "<!DOCTYPE html><html><head><title>Yahoo</title></head><body><h1>Will be right back...</h1></body></html>"


class Request(NamedTuple):
    """A request as it was received; `host` is the one that yfinance asked, such as fc.yahoo.com."""

    path: str
    query: dict[str, str]
    host: str


class YahooServer:
    """Yahoo on loopback: ``with YahooServer(from_snapshot(["002415.SZ"])) as yahoo``.

    Parameters
    ----------
    instruments : mapping or iterable of Instrument
        What it knows; kept as the mutable dict `instruments`. Any other symbol is answered with 404.

    Attributes
    ----------
    requests : list of Request
        All that was asked, in order. ``clear()`` it at will.
    crumb_limited : bool
        Whether the crumb endpoint answers 429.
    mistakes : list of exceptions
        The server's own failures, raised at the end of the with statement.
    """

    def __init__(self, instruments: Mapping[str, Instrument] | Iterable[Instrument] = ()) -> None:
        known = instruments.values() if isinstance(instruments, Mapping) else instruments
        self.instruments: dict[str, Instrument] = {instrument.symbol: instrument for instrument in known}
        self.requests: list[Request] = []
        self.crumb_limited = False
        self.mistakes: list[BaseException] = []
        self.closing = threading.Event()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._port = 0
        self._http: _Listener | None = None
        self._reserved: socket.socket | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        if self.mistakes:
            raise RuntimeError("the loopback Yahoo itself failed while it answered") from self.mistakes[0]

    @property
    def url(self) -> str:
        """Where the server listens, or did before `refuse`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def listening(self) -> bool:
        """Whether a connection is accepted."""
        return self._http is not None

    def start(self) -> None:
        """Listen; after `refuse`, on the same port as before."""
        self._release()
        self.closing.clear()
        self._http = _Listener(("127.0.0.1", self._port), _Handler)
        self._http.yahoo = self
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Close for good; hanging answers end at once."""
        self.closing.set()
        self._release()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def refuse(self) -> None:
        """Stop listening but keep the port, so that a connection is refused until `start`."""
        self.stop()
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", self._port))

    def _release(self) -> None:
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def fault(
        self,
        symbol: str | None,
        kind: str,
        times: int | None = None,
        *,
        only: str = "any",
        seconds: float = 30.0,
        on: str | None = None,
        at: str | pd.Timestamp | None = None,
        amount: float = 0.05,
        timezone: str = "America/New_York",
        reason: str = Fault.reason,
    ) -> None:
        """Let chart answers go wrong; the oldest fault that fits is the one applied.

        Parameters
        ----------
        symbol : str or None
            Whose answers; None for all.
        kind : str
            On the wire: ``404``, ``429``, ``500``, ``broken_json``, ``will_be_right_back``, ``hang``,
            ``reset``, ``truncate``, ``bad_request``. In the content: ``all_null``, ``no_volume``,
            ``no_adjclose``, ``no_currency``, ``wrong_timezone``, ``phantom_rows``, ``null_volume``,
            ``null_row``, ``half_bar_today``.
        times : int, optional
            How many answers; all of them by default. yfinance asks again at once, with another cookie,
            after any status from 400 up: one failed call takes two answers.
        only : {"any", "probe", "prices"}
            The probe is yfinance's question for the time zone (``range=1d``).
        seconds : float
            How long ``hang`` waits before it answers.
        on : str
            Date of the row for ``null_volume`` and ``null_row`` (default the last), and of the dividend
            for ``phantom_rows`` (default the day after the last row).
        at : str or Timestamp
            Instant of ``half_bar_today``, in exchange time if naive; default now.
        amount : float
            Dividend of ``phantom_rows``.
        timezone : str
            What ``wrong_timezone`` says.
        reason : str
            What ``bad_request`` says.
        """
        if kind not in WIRE and kind not in DAMAGE:
            raise ValueError(f"no fault {kind!r}: one of {', '.join(sorted([*WIRE, *DAMAGE]))}")
        if only not in ("any", "probe", "prices"):
            raise ValueError(f"only={only!r}: any, probe or prices")
        with self._lock:
            self._faults.append(Fault(symbol, kind, times, only, seconds, on, at, amount, timezone, reason))

    def clear_faults(self) -> None:
        """Answer well from now on."""
        with self._lock:
            self._faults.clear()

    def charts(self, symbol: str | None = None, only: str = "prices") -> list[dict[str, str]]:
        """Queries of the chart requests received, for one symbol or all: what was asked, how often."""
        with self._lock:
            received = [asked for asked in self.requests if asked.path.startswith(CHART)]
        named = [asked for asked in received if symbol in (None, unquote(asked.path.removeprefix(CHART)))]
        return [asked.query for asked in named if only in ("any", _part(asked.query))]

    def record(self, request: Request) -> None:
        """Note a request (the handler's business)."""
        with self._lock:
            self.requests.append(request)

    def knows(self, symbol: str) -> bool:
        """Whether the endpoints beside the chart know a symbol: not while a ``404`` fault is in force."""
        with self._lock:
            lost = any(fault.kind == "404" and fault.symbol in (None, symbol) for fault in self._faults)
        return symbol in self.instruments and not lost

    def due(self, symbol: str, query: dict[str, str]) -> Fault | None:
        """Take the fault that applies to a chart answer, if any (the handler's business)."""
        with self._lock:
            for fault in self._faults:
                if fault.symbol in (None, symbol) and fault.only in ("any", _part(query)):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._faults.remove(fault)
                    return fault
        return None


def _part(query: dict[str, str]) -> str:
    return "prices" if "period1" in query else "probe"


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    yahoo: YahooServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep what went wrong here for the test to see; a client that went away is none of it."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.yahoo.mistakes.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        """Answer one request and close the connection: a later refusal must be seen at once."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.close_connection = True
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        host = (self.headers.get("Host") or "").partition(":")[0]
        self.server.yahoo.record(Request(address.path, query, host))
        if address.path.startswith(CHART):
            self._chart(unquote(address.path.removeprefix(CHART)), query)
        else:
            self._aside(address.path, host)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""

    def _chart(self, symbol: str, query: dict[str, str]) -> None:
        fault = self.server.yahoo.due(symbol, query)
        if fault is not None and fault.kind in WIRE:
            self._fail(fault, symbol, query)
        else:
            self._json(*self._good(symbol, query, fault))

    def _good(self, symbol: str, query: dict[str, str], fault: Fault | None = None) -> tuple[int, Json]:
        instrument = self.server.yahoo.instruments.get(symbol)
        if instrument is None:
            return 404, failure("Not Found", "No data found, symbol may be delisted")
        status, payload = chart(instrument, query)
        if fault is not None:
            damage(payload, instrument, fault)
        return status, payload

    def _fail(self, fault: Fault, symbol: str, query: dict[str, str]) -> None:
        """Answer with a fault of the wire."""
        if fault.kind == "404":
            self._json(404, failure("Not Found", "No data found, symbol may be delisted"))
        elif fault.kind == "429":
            self._send(429, "Too Many Requests\r\n")
        elif fault.kind == "500":
            self._send(500, "Internal Server Error\r\n")
        elif fault.kind == "will_be_right_back":
            self._send(200, BACK_SOON, "text/html")
        elif fault.kind == "bad_request":
            self._json(400, failure("Bad Request", fault.reason))
        elif fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            if fault.kind == "hang":
                self.server.yahoo.closing.wait(fault.seconds)
            status, payload = self._good(symbol, query)
            body = json.dumps(payload)
            if fault.kind == "broken_json":
                body = body[: len(body) // 2]
            self._send(status, body, "application/json", keep=0.5 if fault.kind == "truncate" else 1.0)

    def _aside(self, path: str, host: str) -> None:
        """Cookies, crumb, consent, and what yfinance asks about a symbol without a time zone."""
        symbol = path.rpartition("/")[2]
        if path == "/v1/test/getcrumb":
            limited = self.server.yahoo.crumb_limited
            self._send(429 if limited else 200, "Too Many Requests\r\n" if limited else "loopback")
        elif host.startswith(("guce.", "consent.")):
            self._send(200, CONSENT, "text/html")
        elif path == "/v7/finance/quote":
            self._json(200, {"quoteResponse": {"result": [], "error": None}})
        elif path.startswith("/v10/finance/quoteSummary/"):
            if self.server.yahoo.knows(symbol):
                self._json(200, {"quoteSummary": {"result": [{"symbol": symbol}], "error": None}})
            else:
                self._json(404, failure("Not Found", f"Quote not found for symbol: {symbol}", "quoteSummary"))
        elif path.startswith("/ws/fundamentals-timeseries"):
            self._json(200, {"timeseries": {"result": [], "error": None}})
        else:
            self._send(404, "", "text/html")

    def _json(self, status: int, payload: Json) -> None:
        self._send(status, json.dumps(payload), "application/json")

    def _send(self, status: int, text: str, kind: str = "text/plain", keep: float = 1.0) -> None:
        """Send an answer; with `keep` below 1 only the first part of what its length promises."""
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", COOKIE)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body[: int(len(body) * keep)])


def serve_connection(yahoo: YahooServer, connection: socket.socket, address: tuple[str, int]) -> None:
    """Answer one request on a connection that someone else accepted, such as a proxy that ended its TLS."""
    listener = yahoo._http
    if listener is not None:
        _Handler(connection, address, listener)
