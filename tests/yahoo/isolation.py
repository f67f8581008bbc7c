"""yfinance keeps state in the process and on disk; each test must begin without any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yfinance
from yfinance import base, cache
from yfinance.data import SingletonMeta, YfData


@contextmanager
def isolated_yfinance(folder: Path, hide_exceptions: bool = False) -> Iterator[None]:
    """Run a block with a yfinance that remembers nothing, and let it forget all afterwards.

    Parameters
    ----------
    folder : Path
        Where it may keep its caches of time zones and cookies: a temporary folder.
    hide_exceptions : bool
        yfinance's setting of that name inside the block; its own default is True.
    """
    debug, network = yfinance.config.debug, yfinance.config.network
    settings = (debug.hide_exceptions, network.retries, network.proxy)
    home = cache._TzDBManager.get_location()
    forget_yfinance()
    cache.set_cache_location(str(folder))
    debug.hide_exceptions = hide_exceptions
    try:
        yield
    finally:
        forget_yfinance()
        cache.set_cache_location(home)
        debug.hide_exceptions, network.retries, network.proxy = settings


def forget_yfinance() -> None:
    """Drop answers, cookie, crumb, session and the open databases, as a new process would."""
    YfData.cache_get.cache_clear()
    SingletonMeta._instances.pop(YfData, None)
    base._tz_info_fetch_ctr = 0
    for manager in (cache._TzDBManager, cache._CookieDBManager, cache._ISINDBManager):
        manager.set_location(manager.get_location())
    cache._TzCacheManager._tz_cache = None
    cache._CookieCacheManager._Cookie_cache = None
    cache._ISINCacheManager._isin_cache = None
