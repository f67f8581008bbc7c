"""Event studies that stay right when trading is suspended."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eventstudy.config import StudySpec
    from eventstudy.configfile import load_study
    from eventstudy.frames import event_study, fetch_prices
    from eventstudy.result import StudyResult
    from eventstudy.run import run_study
    from eventstudy.windows import Windows

__version__ = "0.1.0"

__all__ = ["StudyResult", "StudySpec", "Windows", "event_study", "fetch_prices", "load_study", "run_study"]

# Heavy libraries are imported only when a name is first used: `import eventstudy` stays fast.
_HOMES = {
    "StudyResult": "eventstudy.result",
    "StudySpec": "eventstudy.config",
    "Windows": "eventstudy.windows",
    "event_study": "eventstudy.frames",
    "fetch_prices": "eventstudy.frames",
    "load_study": "eventstudy.configfile",
    "run_study": "eventstudy.run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'eventstudy' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
