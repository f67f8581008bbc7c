"""The difference between the two groups of a panel: those of few events are computed together, event by event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from eventstudy import group_tables
from eventstudy.draws import Draws, difference_name, draw_placebos
from eventstudy.inference.correlation import MOST_FIRMS_TOGETHER
from eventstudy.inference.registry import DIFFERENCE
from eventstudy.inference.result import TestResult
from eventstudy.panel.study import PanelStudy
from eventstudy.plan import StudyInputs
from eventstudy.prepared import Prepared
from eventstudy.study import ALL, Computation, run_events
from eventstudy.windows import Window


@dataclass(frozen=True, eq=False)
class Difference:
    """Two groups over one window.

    Parameters
    ----------
    count : int
        Events with a CAR.
    together : (Computation, Draws), optional
        What was computed of them; absent where they are too many, or one group has none.
    reason : str
        Why it is absent.
    """

    groups: tuple[str, str]
    window: Window
    count: int
    together: tuple[Computation, Draws] | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """Name of the difference in the tables."""
        return difference_name(*self.groups)

    def results(self, tests: tuple[str, ...]) -> list[TestResult]:
        """Return the outcomes of its tests."""
        if self.together is None:
            return list(group_tables.undefined_differences(tests, self.count, self.reason))
        return list(group_tables.difference_results(*self.together, self.groups, self.window))


def differences_of(study: PanelStudy, inputs_of: Callable[[np.ndarray], StudyInputs]) -> list[Difference]:
    """Return the differences of a study that has two groups which share no event, one a window, if a test asks for them.

    Parameters
    ----------
    inputs_of : callable
        Returns the inputs of some events, by their numbers.
    """
    groups = [group for group in study.groups if group != ALL]
    if len(groups) != 2 or not set(DIFFERENCE) & set(study.plan.tests):
        return []
    first, second = (study.groups[group] for group in groups)
    sessions = [set(zip(study.events.symbol[part], study.session[part], strict=True)) for part in (first, second)]
    if sessions[0] & sessions[1]:
        return []
    found = []
    for place, window in enumerate(study.plan.windows.car):
        parts = [study.counted(group, place) for group in groups]
        one = Difference((groups[0], groups[1]), window, sum(map(len, parts)))
        if one.count > MOST_FIRMS_TOGETHER or not all(map(len, parts)):
            found.append(replace(one, reason="too_many_firms" if one.count > MOST_FIRMS_TOGETHER else "no_firms"))
            continue
        small = run_events(inputs_of(np.concatenate(parts)), Prepared())
        found.append(replace(one, together=(small, draw_placebos(small))))
    return found
