"""Where prices come from; a new source is a module here and a line in `open_source`."""

from __future__ import annotations

from eventstudy.config import StudySpec
from eventstudy.sources.base import PriceSeries, Source
from eventstudy.sources.files import FileSource
from eventstudy.sources.snapshot import SnapshotSource


def open_source(spec: StudySpec) -> Source:
    """Return the source that a study names."""
    files = spec.data.files
    if spec.data.source == "files" and files is not None:
        benchmark = spec.folder / files.benchmark if files.benchmark else None
        return FileSource(spec.folder / files.prices, benchmark, files.absent)
    return SnapshotSource()


__all__ = ["PriceSeries", "Source", "open_source"]
