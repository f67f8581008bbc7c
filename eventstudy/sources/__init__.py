"""Where prices come from; a new source is a module here and a line in `SOURCES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from eventstudy.errors import ConfigError
from eventstudy.sources.baostock import BaostockSource
from eventstudy.sources.base import PriceSeries, Source
from eventstudy.sources.fallback import FallbackSource
from eventstudy.sources.files import FileSource
from eventstudy.sources.snapshot import SnapshotSource
from eventstudy.sources.sql import SqlSource
from eventstudy.sources.yahoo import YahooSource

SOURCES: dict[str, Callable[[Path, Mapping[str, Any]], Source]] = {
    "snapshot": lambda folder, settings: SnapshotSource(),
    "files": FileSource.from_settings,
    "sql": SqlSource.from_settings,
    "baostock": BaostockSource.from_settings,
    "yahoo": YahooSource.from_settings,
}


def open_source(name: str, folder: Path, settings: Mapping[str, Any]) -> Source:
    """Return the source called `name`.

    Parameters
    ----------
    folder : Path
        Where relative paths in the settings start.
    settings : mapping
        The keys of ``[data.<name>]``.

    Raises
    ------
    ConfigError
        If there is no such source.
    """
    if name not in SOURCES:
        raise ConfigError(f"source = {name!r} is none of {', '.join(SOURCES)}")
    return SOURCES[name](folder, settings)


__all__ = ["SOURCES", "FallbackSource", "PriceSeries", "Source", "open_source"]
