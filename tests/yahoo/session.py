"""The session handed to yfinance: what goes to Yahoo goes to loopback, and nothing goes elsewhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from curl_cffi import CurlOpt, requests


class ForeignHostError(AssertionError):
    """A request to a host that is not Yahoo's. Not an OSError: yfinance takes those for a bad line."""


class LoopbackSession(requests.Session[requests.Response]):
    """A session that sends every request for ``*.yahoo.com`` to the server at `url`.

    Scheme and port of an address change; its host stays and is resolved to loopback by curl, so that
    cookies keep Yahoo's domain and yfinance stores them as it does in the world.

    Parameters
    ----------
    url : str
        `YahooServer.url`.
    **options
        As for ``curl_cffi.requests.Session``. The environment's proxy is not used: it could not reach
        this machine's loopback.
    """

    def __init__(self, url: str, **options: Any) -> None:
        address = urlsplit(url)
        self.port = address.port
        resolve = {CurlOpt.RESOLVE: [f"*:{address.port}:{address.hostname}"]}
        super().__init__(**{"impersonate": "chrome", "trust_env": False, "curl_options": resolve, **options})

    def request(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
        """Ask the loopback server in place of Yahoo, in the clear."""
        address = urlsplit(url)
        host = address.hostname or ""
        if host != "yahoo.com" and not host.endswith(".yahoo.com"):
            raise ForeignHostError(f"{url} is not Yahoo's: a test must not reach for it")
        here = address._replace(scheme="http", netloc=f"{host}:{self.port}", path=address.path or "/")
        return super().request(method, here.geturl(), *args, **options)
