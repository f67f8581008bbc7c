"""The proxy, met by whole programs: nothing in them knows of a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yfinance
from curl_cffi import requests
from curl_cffi.requests.exceptions import ConnectionError as CurlConnectionError
from curl_cffi.requests.exceptions import IncompleteRead, ProxyError
from yfinance.data import YfData

from . import YahooProxy, YahooServer, from_snapshot, isolated_yfinance

pytestmark = pytest.mark.filterwarnings(
    r"ignore:The inplace keyword in DataFrame\.\w+ is deprecated:pandas.errors.Pandas4Warning:yfinance"
)

HIKVISION = "002415.SZ"


@pytest.fixture
def yahoo(tmp_path: Path) -> Iterator[YahooServer]:
    with isolated_yfinance(tmp_path), YahooServer(from_snapshot([HIKVISION])) as server:
        yield server


PROGRAM = f"""
import yfinance
yfinance.config.debug.hide_exceptions = False
frame = yfinance.Ticker("{HIKVISION}").history(start="2019-10-01", end="2019-11-01", auto_adjust=False)
print(len(frame), round(frame["Close"].iloc[-1], 2))
"""


def test_unmodified_program_reaches_the_server_through_the_proxy(yahoo: YahooServer, tmp_path: Path) -> None:
    with YahooProxy(yahoo, tmp_path) as proxy:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM], env=proxy.environment(), capture_output=True, text=True, timeout=60
        )
    planted = yahoo.instruments[HIKVISION].frame["close"].loc["2019-10-01":"2019-10-31"]
    assert done.stdout.split() == [str(len(planted)), str(planted.iloc[-1])], done.stderr
    assert yahoo.requests[0].host == "fc.yahoo.com"
    assert proxy.refused == []
    assert (tmp_path / "cache" / "py-yfinance" / "tkr-tz.db").exists()


def test_proxy_in_this_process(yahoo: YahooServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask() -> pd.DataFrame:
        YfData.cache_get.cache_clear()
        frame = yfinance.Ticker(HIKVISION).history(start="2019-04-01", end="2019-11-01")
        assert isinstance(frame, pd.DataFrame)
        return frame

    with YahooProxy(yahoo, tmp_path) as proxy:
        environment = proxy.environment()
        for name in os.environ.keys() - environment.keys():
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert len(ask()) > 100
        yahoo.fault(None, "reset", times=1, only="prices")
        with pytest.raises(CurlConnectionError):
            ask()
        yahoo.fault(None, "truncate", times=1, only="prices")
        with pytest.raises((CurlConnectionError, IncompleteRead)):
            ask()
        with pytest.raises((CurlConnectionError, ProxyError)):
            requests.Session().get("https://example.com/")
        assert proxy.refused == ["example.com:443"]
        yahoo.refuse()
        with pytest.raises((CurlConnectionError, ProxyError)):
            ask()
