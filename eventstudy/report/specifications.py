"""The specifications of a study as the page reads them: distinct results in order, and what each choice moves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from eventstudy.report.language import N_, _
from eventstudy.report.numbers import in_words, window
from eventstudy.report.subjects import Reading
from eventstudy.report.wording import MODEL_NAMES, own_words
from eventstudy.robustness import OTHER_FIRMS
from eventstudy.student import critical_value
from eventstudy.study import ALL
from eventstudy.windows import Window

SUSPENSIONS = {
    "trade-to-trade": N_("trade-to-trade"), "lumped": N_("lumped"), "uniform": N_("uniform"), "drop": N_("drop"),
}  # fmt: skip
RETURNS = {"log": N_("log"), "simple": N_("simple")}


@dataclass(frozen=True)
class Dimension:
    """One kind of choice: its name, alone and inside a sentence, and its values in words, the study's own first.

    `several` says how many values there are of what, in words.
    """

    name: str
    inside: str
    several: str
    values: tuple[str, ...]
    labels: tuple[str, ...]  # one a specification


@dataclass(frozen=True)
class Outcome:
    """A distinct result as a change in value, the specifications that give it, and whether the study itself is one of them."""

    value: float
    low: float
    high: float
    specifications: tuple[int, ...]
    headline: bool

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Spread:
    """Comparable specifications with one value of a choice: how many, and their effects as changes in value."""

    count: int
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """The specifications of one scope: a row each, and the distinct results among the comparable ones, lowest first."""

    rows: pd.DataFrame  # one a specification, in order; with the columns of the table, and value, low, high as changes in value
    outcomes: tuple[Outcome, ...]

    @cached_property
    def comparable(self) -> np.ndarray:
        """Whether each specification has an effect of the firms that the headline counts."""
        return (self.rows["effect"].notna() & (self.rows["reason"] != OTHER_FIRMS)).to_numpy()

    @property
    def apart(self) -> int:
        """Number of specifications whose mean is over other firms."""
        return int((self.rows["effect"].notna() & (self.rows["reason"] == OTHER_FIRMS)).sum())

    @property
    def undefined(self) -> int:
        """Number of specifications without an effect."""
        return int(self.rows["effect"].isna().sum())

    @property
    def values(self) -> np.ndarray:
        """Effects of the distinct results, lowest first."""
        return np.array([outcome.value for outcome in self.outcomes])

    @property
    def falls(self) -> int:
        """Number of distinct results below zero."""
        return int((self.values < 0).sum())

    @property
    def excluding_zero(self) -> int:
        """Number of distinct results whose interval lies on one side of zero."""
        return sum(outcome.excludes_zero for outcome in self.outcomes)

    @property
    def rank(self) -> int | None:
        """Place of the headline among the distinct results, 1 for the lowest; None where it has no effect."""
        return next((place for place, outcome in enumerate(self.outcomes, 1) if outcome.headline), None)

    def spread(self, chosen: np.ndarray | None = None) -> Spread | None:
        """Return the effects of the comparable specifications that `chosen` marks; None without any."""
        marked = self.comparable if chosen is None else self.comparable & chosen
        values = self.rows.loc[marked, "value"].to_numpy(dtype=float)
        if not len(values):
            return None
        return Spread(len(values), float(np.median(values)), float(values.min()), float(values.max()))


def curve(reading: Reading, scope: str = ALL, event_id: str = "") -> Curve:
    """Return the specifications of the mean of the treated firms, or of one of them."""
    table = reading.result.robustness
    rows = table[(table["scope"] == scope) & (table["event_id"] == event_id)].reset_index(drop=True)
    changes = _as_changes(rows, reading.plan.alpha)
    return Curve(changes, _outcomes(changes))


def _as_changes(rows: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Add effect and interval as changes in value, each by the kind of returns it was computed from."""
    effect, se, df = (rows[name].astype(float).to_numpy() for name in ("effect", "se", "df"))
    reach = critical_value(alpha, df) * se
    log = (rows["returns"] == "log").to_numpy()
    ends = {"value": effect, "low": effect - reach, "high": effect + reach}
    return rows.assign(**{name: np.where(log, np.expm1(end), end) for name, end in ends.items()})


def _outcomes(rows: pd.DataFrame) -> tuple[Outcome, ...]:
    shown = rows[rows["effect"].notna() & (rows["reason"] != OTHER_FIRMS)]
    alike: dict[int, list[dict[Hashable, Any]]] = {}
    for first, row in zip(shown["same_as"].fillna(shown["specification"]).astype(int), shown.to_dict("records"), strict=True):
        alike.setdefault(first, []).append(row)
    found = [
        Outcome(
            float(same[0]["value"]),
            float(same[0]["low"]),
            float(same[0]["high"]),
            tuple(int(row["specification"]) for row in same),
            any(row["headline"] for row in same),
        )
        for same in alike.values()
    ]
    return tuple(sorted(found, key=lambda outcome: (outcome.value, outcome.specifications)))


def dimensions(reading: Reading, rows: pd.DataFrame) -> tuple[Dimension, ...]:
    """Return the choices that have more than one value among `rows`, in words."""
    named = _benchmark_names(reading)
    words: dict[tuple[str, str, str], Callable[[Mapping[Hashable, Any]], str]] = {
        (_("CAR window"), _("CAR window"), _("{count} CAR windows")): lambda row: window(_pair(row, "window")),
        (_("Expected return"), _("expected return"), _("{count} models of the expected return")): lambda row: model_name(
            str(row["model"])
        ),
        (_("Benchmark"), _("benchmark"), _("{count} benchmarks")): lambda row: " / ".join(
            named[symbol] for symbol in str(row["benchmark"]).split("; ")
        ),
        (_("Suspensions"), _("suspensions"), _("{count} treatments of suspensions")): lambda row: _told(
            SUSPENSIONS, row["suspensions"]
        ),
        (_("Estimation window"), _("estimation window"), _("{count} estimation windows")): lambda row: window(
            _pair(row, "estimation")
        ),
        (_("Masked sessions"), _("masked sessions"), _("{count} uses of the masked sessions")): lambda row: (
            _("left out") if row["mask"] else _("kept in")
        ),
        (_("Returns"), _("returns"), _("{count} kinds of returns")): lambda row: _told(RETURNS, row["returns"]),
    }
    records = rows.to_dict("records")
    found = []
    for (name, inside, several), word in words.items():
        labels = tuple(word(row) for row in records)
        values = tuple(dict.fromkeys(labels))
        if len(values) > 1:
            found.append(Dimension(name, inside, several.format(count=in_words(len(values))), values, labels))
    return tuple(found)


def _told(words: Mapping[str, str], value: str) -> str:
    return _(words[value])


def _benchmark_names(reading: Reading) -> dict[str, str]:
    """Return the name of every benchmark asked for; the symbol where it has none of its own."""
    asked = set(reading.result.robustness["benchmark"])
    names = [reading.benchmark_name(symbol) for symbol in asked]
    single = dict.fromkeys(symbol for symbols in asked for symbol in symbols.split("; "))
    return {
        symbol: symbol if names.count(reading.benchmark_name(symbol)) > 1 else reading.benchmark_name(symbol) for symbol in single
    }


def _pair(row: Mapping[Hashable, Any], name: str) -> Window:
    return int(row[f"{name}_start"]), int(row[f"{name}_end"])


def model_name(name: str) -> str:
    """Return the short name of an expected-return model."""
    return _(MODEL_NAMES[name]) if name in MODEL_NAMES else own_words(name.replace("_", " "))
