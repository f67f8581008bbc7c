"""Several sources in order: whichever serves a symbol first is taken, and it is said which one it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from eventstudy.errors import DataError, EventStudyError, SourceUnreachableError, UnknownSymbolError
from eventstudy.sources.base import Kind, PriceSeries, Source

if TYPE_CHECKING:
    from eventstudy.sources.stored import Outcome


class FallbackSource:
    """Asks source after source, symbol by symbol.

    A source that does not know the symbol, does not answer, or holds what cannot be used is passed over; what
    it said becomes a note of the series. Trouble with the config stops the search: the user has to see it.

    Parameters
    ----------
    sources : sequence of Source
        In the order to ask them in.
    """

    name = "fallback"
    remote = False

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)

    @property
    def outcomes(self) -> list[Outcome]:
        """What the sources behind a store did."""
        return [outcome for source in self.sources for outcome in getattr(source, "outcomes", ())]

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the series of the first source that has it; its ``source`` names that one.

        Raises
        ------
        UnknownSymbolError
            If no source knows the symbol.
        SourceUnreachableError, DataError
            If none serves it and one of them might have: the first such one's error, with all reasons.
        """
        failed: list[tuple[str, EventStudyError]] = []
        for source in self.sources:
            try:
                series = source.fetch(symbol, start, end, kind)
            except (DataError, SourceUnreachableError) as problem:
                failed.append((source.name, problem))
                continue
            if not failed:
                return series
            note = f"served by {source.name}; {_reasons(failed)}"
            return replace(series, notes=(note, *series.notes))
        # Not knowing the symbol is the last word only if every source was able to say so.
        telling = next((problem for _, problem in failed if not isinstance(problem, UnknownSymbolError)), failed[0][1])
        error = next(base for base in (SourceUnreachableError, UnknownSymbolError, DataError) if isinstance(telling, base))
        raise error(f"no source serves {symbol}: {_reasons(failed)}") from telling


def _reasons(failed: Sequence[tuple[str, EventStudyError]]) -> str:
    return "; ".join(f"{name}: {problem}" for name, problem in failed)
