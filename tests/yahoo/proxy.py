"""A CONNECT proxy on loopback, so that a whole, unmodified program meets the loopback Yahoo."""

from __future__ import annotations

import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Self

from .server import YahooServer, serve_connection

HOSTS = ("yahoo.com", "*.yahoo.com", "*.finance.yahoo.com")
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
AUTHORITIES = ("ssl_cert_file", "ssl_cert_dir", "requests_ca_bundle", "curl_ca_bundle")


class YahooProxy:
    """Ends the TLS of ``*.yahoo.com`` with a throw-away authority's certificate; refuses other hosts.

    ``with YahooProxy(yahoo, tmp_path) as proxy: subprocess.run([...], env=proxy.environment())``

    Parameters
    ----------
    yahoo : YahooServer
        Who answers. While it refuses, the proxy says 502.
    folder : Path
        Temporary folder for certificates and the program's caches.

    Attributes
    ----------
    refused : list of str
        ``host:port`` of each CONNECT that was turned down.
    """

    def __init__(self, yahoo: YahooServer, folder: Path) -> None:
        self.yahoo = yahoo
        self.folder = folder
        self.refused: list[str] = []
        self.authority = folder / "ca.pem"
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._listener: _Listener | None = None

    def __enter__(self) -> Self:
        certificate, key = make_certificates(self.folder)
        self._tls.load_cert_chain(certificate, key)
        self._tls.set_alpn_protocols(["http/1.1"])
        self._listener = _Listener(("127.0.0.1", 0), _Tunnel)
        self._listener.proxy = self
        threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()

    @property
    def url(self) -> str:
        """What belongs in HTTPS_PROXY."""
        if self._listener is None:
            raise RuntimeError("the proxy is not running: use it in a with statement")
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """This process's environment with the proxy, its authority and an empty cache folder in place."""
        kept = {name: value for name, value in os.environ.items() if name.lower() not in PROXIES + AUTHORITIES}
        extra = {
            "HTTPS_PROXY": self.url,
            "HTTP_PROXY": self.url,
            "CURL_CA_BUNDLE": str(self.authority),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }
        return kept | extra

    def tunnel(self, connection: socket.socket, target: str) -> None:
        """Answer a CONNECT request and what comes through it."""
        host = target.partition(":")[0]
        if host != "yahoo.com" and not host.endswith(".yahoo.com"):
            self.refused.append(target)
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        elif not self.yahoo.listening:
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        else:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._tls.wrap_socket(connection, server_side=True) as secure:
                serve_connection(self.yahoo, secure, ("127.0.0.1", 0))


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    proxy: YahooProxy


class _Tunnel(socketserver.BaseRequestHandler):
    server: _Listener

    def handle(self) -> None:
        """Read the head of one request byte by byte: what follows is TLS and not to be taken."""
        head = b""
        try:
            while not head.endswith(b"\r\n\r\n"):
                byte = self.request.recv(1)
                if not byte:
                    return
                head += byte
            method, target, _ = head.decode("latin-1").split(" ", 2)
            self.server.proxy.tunnel(self.request, target if method == "CONNECT" else f"{target} ({method})")
        except OSError:
            return  # the program went away; what it made of that is for the test to see


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """An authority in ``ca.pem`` and its certificate for Yahoo's hosts: certificate and key, by OpenSSL."""
    if shutil.which("openssl") is None:
        raise RuntimeError("the proxy's certificates are made with the openssl command: install it")
    authority, authority_key = folder / "ca.pem", folder / "ca-key.pem"
    certificate, key = folder / "yahoo.pem", folder / "yahoo-key.pem"
    names = ",".join(f"DNS:{host}" for host in HOSTS)
    _openssl("-keyout", authority_key, "-out", authority, "-subj", "/CN=Loopback authority", "-addext", "keyUsage=keyCertSign")
    signing = ("-CA", authority, "-CAkey", authority_key, "-addext", "basicConstraints=critical,CA:FALSE")
    _openssl("-keyout", key, "-out", certificate, "-subj", "/CN=yahoo.com", *signing, "-addext", f"subjectAltName={names}")
    return certificate, key


def _openssl(*options: str | Path) -> None:
    subprocess.run(["openssl", "req", "-x509", *CURVE, *map(str, options)], check=True, capture_output=True)
