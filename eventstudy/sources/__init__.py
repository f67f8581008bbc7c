"""Where prices come from; a new source is a module here and a line in `SOURCES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from eventstudy.sources.base import PriceSeries, Source
from eventstudy.sources.files import FileSource
from eventstudy.sources.snapshot import SnapshotSource

SOURCES: dict[str, Callable[[Path, Mapping[str, Any]], Source]] = {
    "snapshot": lambda folder, settings: SnapshotSource(),
    "files": FileSource.from_settings,
}


def open_source(name: str, folder: Path, settings: Mapping[str, Any]) -> Source:
    """Return the source called `name`.

    Parameters
    ----------
    folder : Path
        Where relative paths in the settings start.
    settings : mapping
        The keys of ``[data.<name>]``.
    """
    return SOURCES[name](folder, settings)


__all__ = ["SOURCES", "PriceSeries", "Source", "open_source"]
