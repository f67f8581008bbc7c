"""One of two runs that are compared, with the names, the unit and the headline that its own report has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from eventstudy.changes import State, by_key
from eventstudy.report.numbers import Scale
from eventstudy.report.subjects import FirmName, names_of, words_of_group
from eventstudy.report.wording import own_words
from eventstudy.study import FIRST, LAST, group_name
from eventstudy.windows import Window

FirmKey = tuple[str, str]


@dataclass(frozen=True)
class Side:
    """One of the two runs; `state` is None where nothing but its numbers is known."""

    state: State | None

    @property
    def title(self) -> str:
        """Title of the study, else its name; empty where the config is not to be had."""
        study = self.state.spec.study if self.state and self.state.spec else None
        return own_words(study.title or study.name) if study else ""

    @property
    def scale(self) -> Scale | None:
        """How its CARs are read as changes in value; None where the config is not to be had."""
        return Scale(self.state.spec.model.returns) if self.state and self.state.spec else None

    @property
    def window(self) -> Window | None:
        """The headline window; None where the config is not to be had."""
        return self.state.spec.headline_window if self.state and self.state.spec else None

    def knows(self, symbol: str) -> bool:
        """Whether it has names for a symbol."""
        inputs = self.state.inputs if self.state else None
        return inputs is not None and (symbol in inputs.firms or symbol in inputs.series)

    def firm_name(self, symbol: str) -> FirmName:
        """Return the names of a firm."""
        inputs = self.state.inputs if self.state else None
        return names_of(inputs, symbol) if inputs else FirmName(own_words(symbol), "", own_words(symbol))

    @cached_property
    def roles(self) -> dict[FirmKey, str]:
        """Role of each firm at each event, a date read both ways under the ids of its two readings, too."""
        events = self.state.inputs.events if self.state and self.state.inputs else ()
        tags = (f"-{FIRST}", f"-{LAST}", "")
        return {(event.event_id + tag, event.symbol): event.role for tag in tags for event in events}

    @cached_property
    def labels(self) -> dict[str, str]:
        """What happened, by the id of the event, and by those of its two readings; events without a label are left out."""
        events = self.state.inputs.events if self.state and self.state.inputs else ()
        tags = (f"-{FIRST}", f"-{LAST}", "")
        return {event.event_id + tag: own_words(event.label) for tag in tags for event in events if event.label}

    def treated(self, key: FirmKey) -> bool:
        """Whether the event named the firm, as far as is known."""
        return self.roles.get(key, "treated") == "treated"

    def words_of_group(self, group: str) -> str:
        """Return a group in words."""
        inputs = self.state.inputs if self.state else None
        events = inputs.events if inputs else ()
        roles = {event.role for event in events if inputs and group_name(event, inputs.firms[event.symbol]) == group}
        return words_of_group(group, roles)

    @cached_property
    def headline(self) -> dict[FirmKey, str]:
        """The CAR of each treated firm over the headline window as text; empty where it is undefined."""
        if self.state is None or self.window is None:
            return {}
        found = {}
        for text, numbers in by_key("cars", self.state.cars).items():
            event, symbol, first, last = text.rsplit(", ", 3)
            if (int(first), int(last)) == self.window and self.treated((event, symbol)):
                found[event, symbol] = numbers["car"]
        return found

    @cached_property
    def counts(self) -> dict[tuple[str, ...], str]:
        """N of each test, by group, window and test."""
        if self.state is None or "n" not in self.state.tests:
            return {}
        columns = ("group", "window_start", "window_end", "test", "n")
        rows = zip(*(self.state.tests[column] for column in columns), strict=True)
        return {tuple(map(str, row[:-1])): str(row[-1]) for row in rows}
