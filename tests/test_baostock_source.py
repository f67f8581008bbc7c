"""baostock's own client against a server on loopback that speaks its protocol; only the address is set."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eventstudy.calendar import exchange_sessions
from eventstudy.configfile import data_keys
from eventstudy.errors import ConfigError, DataError, EventStudyError, SourceUnreachableError, UnknownSymbolError
from eventstudy.sources import open_source
from eventstudy.sources.baostock import BaostockSource
from eventstudy.sources.base import PriceSeries
from eventstudy.trading import list_shares, trading_status

pytestmark = [
    pytest.mark.filterwarnings("ignore:Series.values returning:pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore:DatetimeIndex.weekday:pandas.errors.Pandas4Warning"),
]

START, END = pd.Timestamp("2019-05-06"), pd.Timestamp("2019-11-15")
SUSPENDED = ["2019-10-08", "2019-10-09"]
SPLIT, END_OF_MESSAGE = "\1", b"<![CDATA[]]>\n"
DIVIDEND_FIELDS = ["code", "dividOperateDate", "dividCashPsBeforeTax", "dividStocksPs", "dividReserveToStockPs"]
DIVIDEND = ["sz.002415", "2019-05-24", "0.6", "0.000000", ""]

Table = tuple[list[str], list[list[str]]]


@dataclass
class Service:
    """What the server answers; a test spoils it as it needs."""

    prices: Table
    dividends: Table = (DIVIDEND_FIELDS, [])
    error: dict[str, tuple[str, str]] = field(default_factory=dict)
    spoil: dict[str, Callable[[bytes], bytes | None]] = field(default_factory=dict)
    requests: list[list[str]] = field(default_factory=list)
    port: int = 0

    def answer(self, body: list[str]) -> bytes | None:
        """Answer one request; None ends the connection."""
        self.requests.append(body)
        name = body[0]
        number = sum(request[0] == name for request in self.requests)
        kind = {"login": "01", "logout": "03", "query_history_k_data_plus": "96", "query_dividend_data": "14"}[name]
        if name in self.error:
            reply = [*self.error[name], name, "anonymous"]
        elif name in ("login", "logout"):
            reply = ["0", "success", name, "anonymous", "20261124"]
        else:
            reply = self._page(name, body)
        message = packed(kind, SPLIT.join(reply))
        spoil = self.spoil.get(name) or self.spoil.get(f"{name} {number}")
        return spoil(message) if spoil else message

    def _page(self, name: str, body: list[str]) -> list[str]:
        page, size = int(body[2]), int(body[3])
        if name == "query_history_k_data_plus":
            wanted, (fields, rows) = body[5].split(","), self.prices
            rows = [row for row in rows if row[1] == body[4] and body[6] <= row[0] <= body[7]]
            rows = [[dict(zip(fields, row, strict=True))[column] for column in wanted] for row in rows]
            rest = [body[4], ",".join(wanted), body[6], body[7], body[8], body[9]]
        else:
            fields, rows = self.dividends
            rows = [row for row in rows if row[0] == body[4] and row[1][:4] == body[5]]
            rest = [body[4], body[5], body[6], ",".join(fields)]
        some = rows[(page - 1) * size : page * size]
        return ["0", "success", name, "anonymous", str(page), str(size), json.dumps({"record": some}), *rest]


def packed(kind: str, body: str) -> bytes:
    """Write a message as the client reads it: header of 21 characters, body (compressed for prices), end mark."""
    if kind == "96":
        content = zlib.compress((body + "\n").encode())
        return f"00.9.40{SPLIT}{kind}{SPLIT}{len(content):010d}".encode() + content + END_OF_MESSAGE
    return f"00.9.40{SPLIT}{kind}{SPLIT}{len(body):010d}{body}{SPLIT}".encode() + END_OF_MESSAGE


@contextlib.contextmanager
def serving(service: Service) -> Iterator[None]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                text = line.decode().rstrip("\n")
                *body, check = text[21:].split(SPLIT)
                assert int(check) == zlib.crc32(text[: text.rindex(SPLIT)].encode())
                reply = service.answer(body)
                if reply is None:
                    return
                self.wfile.write(reply)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        service.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    """Hikvision in 2019: ex-dividend (0.60 CNY) on 24 May, suspended on 8 and 9 October."""
    return open_source("snapshot", Path(), {}).fetch("002415.SZ", START, END, "share").frame.loc[START:END]


@pytest.fixture
def service(truth: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    index = open_source("snapshot", Path(), {}).fetch("000300.SS", START, END, "index").frame.loc[START:END]
    before = (truth["close"].shift(1).fillna(truth["close"]) - truth["dividend"]).round(2)
    days = truth.index.strftime("%Y-%m-%d")
    traded = np.where(days.isin(SUSPENDED), "0", "1")
    fields = ["date", "code", "open", "high", "low", "close", "preclose", "volume", "adjustflag", "tradestatus"]
    rows = [
        [day, "sz.002415", *[f"{close:.4f}"] * 4, f"{last:.4f}", str(int(volume)), "3", status]
        for day, close, last, volume, status in zip(days, truth["close"], before, truth["volume"], traded, strict=True)
    ]
    levels = zip(index.index.strftime("%Y-%m-%d"), index["close"], strict=True)
    rows += [[day, "sh.000300", *[f"{close:.4f}"] * 4, "", "0", "3", "1"] for day, close in levels]
    made = Service((fields, rows), (DIVIDEND_FIELDS, [DIVIDEND]))
    constants: Any = pytest.importorskip("baostock.common.contants")
    with serving(made):
        monkeypatch.setattr(constants, "BAOSTOCK_SERVER_IP", "127.0.0.1")
        monkeypatch.setattr(constants, "BAOSTOCK_SERVER_PORT", made.port)
        yield made


def fetched(symbol: str = "002415.SZ", kind: Any = "share", timeout: float = 5.0) -> PriceSeries:
    data = data_keys({"source": "baostock", "baostock": {"timeout": timeout}})
    return open_source("baostock", Path(), data.settings["baostock"]).fetch(symbol, START, END, kind)


def test_share_as_traded_with_flags_and_dividend(
    service: Service, truth: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    series = fetched()
    assert series.frame["close"].tolist() == truth["close"].tolist()
    assert series.frame["volume"].tolist() == truth["volume"].tolist()
    assert series.frame["dividend"].tolist() == truth["dividend"].tolist()
    assert series.frame.index[series.frame["status"] == "suspended"].strftime("%Y-%m-%d").tolist() == SUSPENDED
    assert (series.source, series.absent, series.notes) == ("baostock", "missing", ())
    asked = {request[0]: request for request in service.requests}
    assert asked["query_history_k_data_plus"][9] == "3"
    assert [request[5:] for request in service.requests if request[0] == "query_dividend_data"] == [["2019", "operate"]]
    assert service.requests[-1][0] == "logout"
    assert capsys.readouterr().out == ""  # the client prints; results only go to stdout


def test_returns_and_status_equal_the_snapshot(service: Service, truth: pd.DataFrame) -> None:
    calendar = exchange_sessions("XSHG", START.date())
    market = pd.Series(1.0, index=truth.index)
    own = list_shares(PriceSeries("002415.SZ", truth, "snapshot"), market, calendar)
    found = list_shares(fetched(), market, calendar)
    assert found.level == pytest.approx(own.level, rel=1e-12, nan_ok=True)
    inside = slice(0, len(truth))
    assert list(found.status[inside]) == list(own.status[inside])


def test_index_without_dividends_or_flags(service: Service) -> None:
    snapshot = open_source("snapshot", Path(), {}).fetch("000300.SS", START, END, "index").frame.loc[START:END]
    series = fetched("000300.SS", "index")
    assert series.frame["close"].tolist() == snapshot["close"].tolist()
    assert series.flags.empty
    assert not [request for request in service.requests if request[0] == "query_dividend_data"]
    status, _ = trading_status(series, exchange_sessions("XSHG", START.date()))
    assert set(status[: len(snapshot)]) == {"traded"}  # volume 0 says nothing of an index


def test_several_pages(service: Service) -> None:
    days = pd.bdate_range("2010-01-01", periods=4000).strftime("%Y-%m-%d")
    service.prices = (service.prices[0], [[day, "sz.002415", *["1"] * 5, "100", "3", "1"] for day in days])
    source = BaostockSource(timeout=5)
    ever = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")
    assert source.fetch("002415.SZ", *ever, "share").frame.index.strftime("%Y-%m-%d").tolist() == list(days)
    asked = [request for request in service.requests if request[0] == "query_history_k_data_plus"]
    assert [request[2] for request in asked] == ["1", "2", "3"]  # the last one is empty
    assert asked[0][6] == "1990-12-19"
    service.spoil["query_history_k_data_plus 5"] = lambda message: None  # the second page of the next fetch
    with pytest.raises(SourceUnreachableError, match="broke off after 2000 rows"):
        source.fetch("002415.SZ", *ever, "share")


def test_dividend_of_a_session_without_a_row_stays_on_its_date(service: Service, truth: pd.DataFrame) -> None:
    fields, rows = service.prices
    service.prices = (fields, [row for row in rows if row[0] != "2019-05-24"])
    frame = fetched().frame
    assert frame.loc["2019-05-24", ["dividend", "close"]].tolist() == [0.6, pytest.approx(np.nan, nan_ok=True)]
    assert frame["dividend"].sum() == 0.6


def test_bonus_shares_and_a_step_nothing_explains(service: Service) -> None:
    service.dividends = (DIVIDEND_FIELDS, [["sz.002415", "2019-05-24", "", "0.1", "0.2"]] * 2)  # listed twice: one action
    series = fetched()
    assert series.frame.at["2019-05-24", "split"] == pytest.approx(1.3)
    assert any("2019-05-24" in note for note in series.notes)


ERRORS = [
    ("login", "10001005", SourceUnreachableError, "try again later"),
    ("login", "10001004", DataError, "client may be too old"),
    ("query_history_k_data_plus", "10002007", SourceUnreachableError, "try again later"),
    ("query_history_k_data_plus", "10004011", UnknownSymbolError, "does not know the symbol"),
    ("query_history_k_data_plus", "10005001", DataError, "refuses query_history_k_data_plus"),
    ("query_dividend_data", "10004006", DataError, "refuses query_dividend_data"),
]


@pytest.mark.parametrize(("name", "code", "error", "sentence"), ERRORS)
def test_error_codes(name: str, code: str, error: type[EventStudyError], sentence: str, service: Service) -> None:
    service.error[name] = (code, "由于某种\n原因")
    with pytest.raises(error, match=sentence) as caught:
        fetched()
    assert type(caught.value) is error
    assert f"({code}: 由于某种 原因)" in str(caught.value)


SPOILT: list[tuple[str, Callable[[bytes], bytes | None], type[EventStudyError]]] = [
    ("closed", lambda message: None, SourceUnreachableError),
    ("cut", lambda message: message[:40], SourceUnreachableError),
    ("half", lambda message: message[: len(message) // 2] + END_OF_MESSAGE, SourceUnreachableError),
    ("not json", lambda message: packed("96", SPLIT.join(["0", "ok", "q", "a", "1", "2000", "{"] + [""] * 6)), DataError),
    ("short", lambda message: packed("96", SPLIT.join(["0", "ok", "q"])), DataError),
    ("fields", lambda message: packed(
        "96", SPLIT.join(["0", "ok", "q", "a", "1", "2000", '{"record": [["1", "2"]]}', "c", "date", "", "", "d", "3"])
    ), DataError),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "error"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_spoilt_answers(spoil: Callable[[bytes], bytes | None], error: type[EventStudyError], service: Service) -> None:
    service.spoil["query_history_k_data_plus"] = spoil
    with pytest.raises(error) as caught:
        fetched(timeout=0.5)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    service.spoil.clear()
    assert len(fetched().frame) > 100  # nothing of it stays behind in the client


@pytest.mark.parametrize(
    "spoil", [lambda message: None, lambda message: END_OF_MESSAGE, lambda message: b"x" * 30 + END_OF_MESSAGE]
)
def test_spoilt_login(spoil: Callable[[bytes], bytes | None], service: Service) -> None:
    service.spoil["login"] = spoil
    with pytest.raises((SourceUnreachableError, DataError)):
        fetched(timeout=0.5)


def test_failed_logout_does_not_spoil_the_rows(service: Service) -> None:
    service.spoil["logout"] = lambda message: b"x" * 30 + END_OF_MESSAGE
    assert len(fetched().frame) > 100


def test_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    constants: Any = pytest.importorskip("baostock.common.contants")
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        monkeypatch.setattr(constants, "BAOSTOCK_SERVER_IP", "127.0.0.1")
        monkeypatch.setattr(constants, "BAOSTOCK_SERVER_PORT", silent.getsockname()[1])
        with pytest.raises(SourceUnreachableError, match="try again later"):
            fetched(timeout=0.3)


def test_refused_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    constants: Any = pytest.importorskip("baostock.common.contants")
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closing:
        port = closing.getsockname()[1]
    monkeypatch.setattr(constants, "BAOSTOCK_SERVER_IP", "127.0.0.1")
    monkeypatch.setattr(constants, "BAOSTOCK_SERVER_PORT", port)
    with pytest.raises(SourceUnreachableError, match="Connection refused"):
        fetched()


def test_symbols_it_cannot_have(service: Service) -> None:
    with pytest.raises(UnknownSymbolError, match="Chinese symbols only, not AAPL"):
        fetched("AAPL")
    assert not service.requests
    with pytest.raises(UnknownSymbolError, match=r"no rows of 600000\.SS \(sh\.600000\)"):
        fetched("600000.SS")


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "baostock", None)
    with pytest.raises(ConfigError, match=r"pip install 'eventstudy-toolkit\[baostock\]'"):
        fetched()
