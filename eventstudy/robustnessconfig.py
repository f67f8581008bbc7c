"""The [robustness] table of the config: the further choices a study is computed under."""

from __future__ import annotations

import difflib
import re
from itertools import product
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, ValidationError

from eventstudy.dataconfig import Section
from eventstudy.errors import ConfigError
from eventstudy.returns import ReturnKind, Treatment
from eventstudy.windows import Windows


def _each_once(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for value in values:
        if values.count(value) > 1:
            shown = list(value) if isinstance(value, tuple) else value
            raise ValueError(f"{shown!r} is listed twice: keep one of them")
    return values


Once = AfterValidator(_each_once)
Pair = tuple[StrictInt, StrictInt]
Symbol = Annotated[StrictStr, Field(min_length=1, pattern=r"^\S+$")]


class Robustness(Section):
    """Further choices; every combination is computed, with the study's own value of each added in front."""

    models: Annotated[tuple[StrictStr, ...], Once] = Field((), description="names of expected-return models, as in [model] name")
    returns: Annotated[tuple[ReturnKind, ...], Once] = Field((), description="log, simple")
    suspensions: Annotated[tuple[Treatment, ...], Once] = Field((), description="treatments of suspensions")
    benchmarks: Annotated[tuple[Symbol, ...], Once] = Field((), description="benchmarks, each for all firms")
    estimation: Annotated[tuple[Pair, ...], Once] = Field((), description="estimation windows, in sessions")
    masks: Annotated[tuple[StrictBool, ...], Once] = Field((), description="with (true) and without (false) the [[mask]] tables")
    windows: Annotated[tuple[Pair, ...], Once] = Field((), description="CAR windows inside [windows] event")

    def check(self, model: Section, own: Windows) -> None:
        """Check the further choices as the study's own are checked.

        Parameters
        ----------
        model : Section
            The keys of [model], which know what each model needs.
        own : Windows
            The study's windows.

        Raises
        ------
        ValueError
            If a combination is not a valid study.
        """
        asked = model.model_dump(by_alias=True, exclude_unset=True)
        for name, treatment in product(self.models or (None,), self.suspensions or (None,)):
            changed = {"name": name} if name else {}
            changed |= {"suspensions": treatment} if treatment else {}
            try:
                type(model).model_validate(asked | changed)
            except ValidationError as problem:
                what = f"models: {name!r} is no model" if name else f"suspensions: {treatment!r} is no treatment"
                raise ValueError(f"[robustness] {what} of this study: {_told(problem, name or str(treatment))}") from problem
        for key, estimations, windows in (
            ("windows", (own.estimation,), self.windows), ("estimation", self.estimation, own.car),
        ):  # fmt: skip
            for estimation in estimations:
                try:
                    Windows(estimation, own.event, windows or own.car, own.min_observations)
                except ConfigError as problem:
                    raise ValueError(f"[robustness] {key}: {problem}") from problem


def _told(problem: ValidationError, given: str) -> str:
    """Say what is wrong with a choice, in the words of the other messages: pydantic lists what it expected."""
    first = problem.errors()[0]
    if first["type"] != "literal_error":
        return first["msg"].removeprefix("Value error, ")
    known = re.findall(r"'([^']+)'", first["ctx"]["expected"])
    near = difflib.get_close_matches(given, known, n=1)
    return f"give one of {', '.join(map(repr, known))}" + (f": perhaps you meant {near[0]!r}" if near else "")
