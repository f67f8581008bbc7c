"""The embedded snapshot: daily figures around two trading bans, in the package's own data files."""

from __future__ import annotations

import tomllib
from functools import cached_property
from importlib import resources
from typing import Any

import pandas as pd

from eventstudy.errors import UnknownSymbolError
from eventstudy.sources.base import Kind, PriceSeries
from eventstudy.sources.frames import price_frame


class SnapshotSource:
    """Prices recorded with the package; no network, no account."""

    name = "snapshot"
    remote = False

    @cached_property
    def contents(self) -> dict[str, dict[str, Any]]:
        """What the snapshot holds, by symbol: name, kind, provenance and corporate actions."""
        text = (resources.files("eventstudy") / "snapshot" / "contents.toml").read_text(encoding="utf-8")
        return tomllib.loads(text)["instrument"]  # type: ignore[no-any-return]

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the whole recorded series of `symbol`, whatever the dates asked for."""
        if symbol not in self.contents:
            raise UnknownSymbolError(
                f"the snapshot has no {symbol}: it holds {', '.join(self.contents)}; use another source for others"
            )
        about = self.contents[symbol]
        path = resources.files("eventstudy") / "snapshot" / f"{symbol}.csv"
        with path.open(encoding="utf-8") as file:
            raw = pd.read_csv(file, dtype=str)
        raw["dividend"] = raw["date"].map({action["ex"]: action.get("cash", 0.0) for action in about.get("action", [])})
        raw["split"] = raw["date"].map({action["ex"]: action.get("split", 1.0) for action in about.get("action", [])})
        frame, notes = price_frame(raw, f"snapshot, {symbol}")
        notes += [about["note"]] if "note" in about else []
        return PriceSeries(symbol, frame, self.name, about["kind"], "missing", about["name"], tuple(notes),
            name_zh=about["name_zh"],
        )  # fmt: skip
