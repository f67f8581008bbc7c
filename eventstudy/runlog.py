"""A log file of one run, for those who were not there: one line an event, as text or JSON."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eventstudy.errors import OutputError

LOGGER = logging.getLogger("eventstudy")
LOGGER.addHandler(logging.NullHandler())  # where no log is kept, nothing is printed either


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object: time, level, event and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps(_head(record) | _fields(record), ensure_ascii=False)


class TextLines(logging.Formatter):
    """Writes a record as time, level, event and ``key=value`` fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = " ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in _fields(record).items())
        return f"{' '.join(_head(record).values())} {fields}".rstrip()


def _head(record: logging.LogRecord) -> dict[str, str]:
    moment = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
    return {"time": moment, "level": record.levelname.lower(), "event": record.getMessage()}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return dict(getattr(record, "fields", {}))


def log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    """Note an event with its fields; nothing is written where no log is kept."""
    LOGGER.log(level, event, extra={"fields": fields})


@contextmanager
def run_log(folder: Path, form: str) -> Iterator[None]:
    """Keep a log file under `folder` while a run lasts; `form` is ``json``, ``text``, or empty for none."""
    if not form:
        yield
        return
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / f"{stamp}.{'jsonl' if form == 'json' else 'log'}", encoding="utf-8")
    except OSError as problem:
        raise OutputError(f"{folder}: the log cannot be written ({problem.strerror}): choose another --out") from problem
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    level = LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)
        handler.close()
