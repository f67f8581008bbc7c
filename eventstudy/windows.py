"""Integer event time: windows are inclusive pairs of sessions counted from the event session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from eventstudy.errors import ConfigError

Window = tuple[int, int]

SMALLEST_SAMPLE = 30  # fewer observations than this estimate no variance worth quoting


def as_window(value: Any, what: str) -> Window:
    """Return `value` as an inclusive ``(lo, hi)`` pair of whole sessions.

    Raises
    ------
    ConfigError
        If `value` is not two whole numbers in ascending order.
    """
    value = value.tolist() if hasattr(value, "tolist") else value  # an array of numpy's
    pair = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    if len(pair) != 2 or any(isinstance(end, bool) or not isinstance(end, Integral) for end in pair):
        raise ConfigError(f"{what} = {value!r} is not a window: give two whole numbers of sessions such as [0, 3]")
    if pair[0] > pair[1]:
        raise ConfigError(f"{what} = {value!r} runs backwards: write [{pair[1]}, {pair[0]}]")
    return int(pair[0]), int(pair[1])


def parse_window(text: str, what: str) -> Window:
    """Return a window written as ``0,3``, with or without brackets.

    Raises
    ------
    ConfigError
        If `text` is not two whole numbers in ascending order.
    """
    ends = text.strip("[]() ").split(",")
    try:
        return as_window([int(end) for end in ends], what)
    except ValueError:
        raise ConfigError(f"{what} = {text!r} is not a window: give two whole numbers of sessions such as 0,3") from None


@dataclass(frozen=True)
class Windows:
    """The windows of a study, in sessions relative to the event session (tau 0).

    Parameters
    ----------
    estimation, event : (int, int)
        Inclusive; the event window starts after the estimation window ends.
    car : sequence of (int, int)
        Windows to cumulate over, each inside `event`.
    min_observations : int
        Fewest estimation observations an event needs; at least 30.
    """

    estimation: Window
    event: Window
    car: tuple[Window, ...]
    min_observations: int = 100

    def __post_init__(self) -> None:
        estimation = as_window(self.estimation, "estimation")
        event = as_window(self.event, "event")
        car = tuple(as_window(window, "car") for window in self.car)
        if event[0] <= estimation[1]:
            raise ConfigError(
                f"the event window {list(event)} starts before the estimation window {list(estimation)} ends: "
                f"end the estimation at {event[0] - 1} or earlier"
            )
        if not car:
            raise ConfigError("car is empty: give at least one window such as [[0, 3]]")
        for window in car:
            if window[0] < event[0] or window[1] > event[1]:
                raise ConfigError(f"the CAR window {list(window)} lies outside the event window {list(event)}: widen event")
            if car.count(window) > 1:
                raise ConfigError(f"the CAR window {list(window)} is listed twice: keep one of them")
        if self.min_observations < SMALLEST_SAMPLE:
            raise ConfigError(
                f"min_observations = {self.min_observations} is too few to estimate a variance: "
                f"use {SMALLEST_SAMPLE} or more"
            )
        object.__setattr__(self, "estimation", estimation)
        object.__setattr__(self, "event", event)
        object.__setattr__(self, "car", car)


def length(window: Window) -> int:
    """Number of sessions in an inclusive window."""
    return window[1] - window[0] + 1
