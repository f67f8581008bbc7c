"""Yahoo's price service on loopback, so that yfinance itself can be tested without a network.

    with isolated_yfinance(tmp_path), YahooServer(from_snapshot(["002415.SZ"])) as yahoo:
        session = LoopbackSession(yahoo.url)
        yfinance.Ticker("002415.SZ", session=session).history(start="2019-10-01", end="2019-11-01", auto_adjust=False)

Nothing of yfinance is patched: the session changes only where a request goes.
"""

from .answers import Fault
from .instruments import Instrument, from_snapshot
from .isolation import isolated_yfinance
from .proxy import YahooProxy
from .server import Request, YahooServer
from .session import ForeignHostError, LoopbackSession

__all__ = [
    "Fault",
    "ForeignHostError",
    "Instrument",
    "LoopbackSession",
    "Request",
    "YahooProxy",
    "YahooServer",
    "from_snapshot",
    "isolated_yfinance",
]
