"""What a run folder says of itself, and the inputs the run was made from: a run can be repeated on what it saw."""

from __future__ import annotations

import datetime as dt
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from eventstudy.changes import KEYS, NUMBERS, Change, Comparison, State
from eventstudy.config import StudySpec
from eventstudy.configfile import load_study
from eventstudy.errors import ConfigError, DataError, EventStudyError, UnknownSymbolError
from eventstudy.inputs import study_inputs
from eventstudy.manifest import Manifest, read_manifest, versions
from eventstudy.panel.build import run_inputs
from eventstudy.plan import StudyInputs
from eventstudy.prices import Fetching
from eventstudy.result import StudyResult
from eventstudy.seal import seals_of
from eventstudy.sources.base import Kind, PriceSeries
from eventstudy.sources.wide import WideSeries, wide_series
from eventstudy.store import Store
from eventstudy.tablefiles import table_text


class RecordedSource:
    """Serves the series that a run was made from, out of the store's vintages and nothing else."""

    name = "recorded"
    remote = False

    def __init__(self, manifest: Manifest) -> None:
        self.series: dict[str, dict[str, Any]] = manifest["series"]
        self.unknown: dict[str, str] = manifest["unknown"]
        self.store, self.table = Store(Path(manifest["store"])), str(manifest.get("table", ""))

    @cached_property
    def _shares(self) -> WideSeries | None:
        """The shares that were kept in one table."""
        there = [symbol for symbol, entry in self.series.items() if self.table and entry["vintage"] == self.table]
        source = self.series[there[0]]["source"] if there else ""
        return wide_series(self.store.table(source, self.table), there, source) if there else None

    def wide(self, symbols: Sequence[str]) -> WideSeries | None:
        """Return those of some shares that were kept in one table; None if the run had no table.

        Raises
        ------
        DataError
            If the table is no longer in the store, or no longer what it was.
        """
        there = self._shares
        return replace(there, shares=tuple(symbol for symbol in symbols if symbol in there)) if there else None

    def fetch(self, symbol: str, start: pd.Timestamp, end: pd.Timestamp, kind: Kind) -> PriceSeries:
        """Return the rows of `symbol` that the run used, whatever the dates.

        Raises
        ------
        UnknownSymbolError
            If the run had no prices of it.
        DataError
            If the vintage is no longer in the store, or no longer what it was.
        """
        if symbol not in self.series:
            raise UnknownSymbolError(self.unknown.get(symbol, f"the run had no prices of {symbol}"))
        entry = self.series[symbol]
        if self._shares is not None and symbol in self._shares:
            return self._shares[symbol]
        stored = self.store.vintage(entry["source"], symbol, entry["vintage"])
        series = replace(
            stored,
            frame=stored.frame.loc[entry["first"] : entry["last"]],
            notes=tuple(entry["notes"]),
            doubts=tuple((code, text) for code, text in entry.get("doubts", stored.doubts)),
            name=entry.get("name", stored.name),
            vintage=entry["vintage"],
            fetched_at=entry["fetched_at"],
        )
        if series.content_hash != entry["content_hash"]:
            raise DataError(f"{symbol}: the store's vintage {entry['vintage']} is not what the run used: it cannot be repeated")
        return series


@dataclass(frozen=True)
class RecordedRun:
    """A run folder as it stands on disk."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """The run's id."""
        return str(self.manifest["run_id"])

    @cached_property
    def spec(self) -> StudySpec:
        """The config as the run read it; the files it names are the run's own copies."""
        spec = load_study(self.folder / "config.toml")
        copies = self.manifest.get("inputs", {})
        return spec.with_copies({name: self.folder / copy for name, copy in copies.items()})

    def table(self, name: str) -> pd.DataFrame:
        """Return a table as the run wrote it, every cell as text.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        path = self.folder / "tables" / f"{name}.csv"
        try:
            if not path.exists() and path.with_suffix(".parquet").exists():
                path = path.with_suffix(".parquet")
                return pd.read_csv(io.StringIO(table_text(pd.read_parquet(path))), dtype=str, keep_default_na=False)
            return pd.read_csv(path, dtype=str, keep_default_na=False)
        except (OSError, ValueError) as problem:
            raise DataError(f"{path}: the table cannot be read: remove the run folder") from problem

    def _cars(self) -> pd.DataFrame:
        """Return the columns of the table of CARs that are compared, of Parquet as numbers: they may be many."""
        path, columns = self.folder / "tables" / "cars.parquet", [*KEYS["cars"], *NUMBERS["cars"]]
        try:
            return pd.read_parquet(path, columns=columns) if path.exists() else self.table("cars")[columns]
        except (OSError, ValueError) as problem:
            raise DataError(f"{path}: the table cannot be read: remove the run folder") from problem

    def inputs(self) -> StudyInputs:
        """Return what the run was computed from.

        Raises
        ------
        DataError
            If its prices are no longer in the store.
        """
        if not self.manifest.get("store"):
            raise DataError(f"{self.folder}: this run does not say where its prices are kept: it cannot be repeated")
        fetching = Fetching(now=dt.datetime.fromisoformat(self.manifest["settled"]), offline=True)
        return replace(study_inputs(self.spec, fetching, RecordedSource(self.manifest)), now=fetching.now)

    def result(self) -> StudyResult:
        """Compute the run again from what it saw, its seals among it.

        Raises
        ------
        DataError
            If its prices are no longer in the store.
        """
        return run_inputs(self.inputs(), self.spec, seals_of(self.spec))

    def comparison(self) -> Comparison | None:
        """Return what the run said of changes since the run before it; None where it was the first."""
        about = self.manifest["changes"]
        if about is None:
            return None
        rows = self.table("changes").to_dict("records")
        changes = tuple(Change(**{str(name): str(value) for name, value in row.items()}) for row in rows)
        return Comparison(about["since"], self.name, changes, about["problem"])

    def state(self) -> State:
        """Return the run as one side of a comparison; without config and inputs where they are not to be had."""
        cars, tests, made_by = self._cars(), self.table("tests"), dict(self.manifest["versions"])
        spec = None
        try:
            spec = self.spec
            return State(self.name, spec, made_by, cars, tests, self.inputs())
        except EventStudyError as problem:
            return State(self.name, spec, made_by, cars, tests, None, str(problem))


def recorded_run(folder: Path) -> RecordedRun:
    """Return the run in a folder.

    Raises
    ------
    DataError
        If it is no run folder.
    """
    return RecordedRun(folder, read_manifest(folder))


def find_run(text: str, out: Path) -> RecordedRun:
    """Return the run that a user names: its folder, or its id (or ``STUDY/latest``) under the reports folder.

    Raises
    ------
    ConfigError
        If there is none.
    """
    for place in (Path(text), out / text):
        if (place / "manifest.json").is_file():
            return recorded_run(place.resolve())
    places = [] if Path(text).is_absolute() else sorted(out.glob(f"*/{text}"))
    found = [place for place in places if (place / "manifest.json").is_file()]
    if len(found) > 1:
        raise ConfigError(f"{text} is a run of {len(found)} studies: write STUDY/{text}, such as {found[0].relative_to(out)}")
    if found:
        return recorded_run(found[0].resolve())
    raise ConfigError(f"{text} is no run: name its folder, or its id under {out} (`eventstudy list` shows them)")


def links_of(older: RecordedRun, newer: RecordedRun, page: Path) -> dict[str, str]:
    """Return how a page that compares two runs links to their reports, and to the table where the newer one lists the changes."""
    changes = newer.folder / "tables" / "changes.csv"
    since = (newer.manifest.get("changes") or {}).get("since")
    same_study = older.folder.parent == newer.folder.parent
    files = {"older": older.folder / "report.html", "newer": newer.folder / "report.html"}
    files |= {"changes": changes} if since == older.name and same_study else {}
    return {name: _address(file, page) for name, file in files.items() if file.is_file()}


def _address(file: Path, page: Path) -> str:
    """Return the address of a file relative to the folder of a page, so that both can be moved together."""
    try:
        return quote(Path(os.path.relpath(file.resolve(), page.parent.resolve())).as_posix())
    except ValueError:  # on another drive of Windows
        return file.resolve().as_uri()


def state_of_result(result: StudyResult) -> State:
    """Return a fresh result as one side of a comparison."""
    if result.spec is None:
        raise DataError("a result without a config cannot be compared: run the study from a config")
    return State("this run", result.spec, versions(), result.cars, result.tests, result.inputs)
