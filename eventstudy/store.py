"""The local store: Parquet vintages named by their content, and one pointer a symbol to the current one.

A vintage is written beside its place, read back, and renamed; only then does the pointer move. A kill at
any instant leaves the series that was there before.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from eventstudy.closestable import hash_in, read_closes, table_hash, write_closes
from eventstudy.errors import DataError, LockedError, OutputError
from eventstudy.sources.base import COLUMNS, Kind, PriceSeries

# Relative; vendors round what they divided by a split, so that undoing it does not give every digit back.
TOLERANCES = {"close": 1e-6, "volume": 1e-3, "dividend": 1e-4, "split": 1e-6}
RECOVERED = "recovered"  # stands for the time of fetching, which the lost pointer held
OVERLAP = 30  # sessions fetched again with every update, to see a revision
LOCK_WAIT = 600.0
TABLES = ".tables"  # stands beside symbols, and none is called so


@dataclass(frozen=True)
class Stored:
    """A series in the store, with the dates it was asked for and when."""

    series: PriceSeries
    start: dt.date
    end: dt.date
    fetched_at: str


@dataclass(frozen=True)
class Action:
    """What to do about a series: ``serve`` what is stored, ``update`` its end, or ``download`` it whole."""

    verb: Literal["serve", "update", "download"]
    start: dt.date
    end: dt.date


Dates = tuple[dt.date, dt.date]


def decide(have: Dates | None, want: Dates, sessions: pd.DatetimeIndex, refresh: bool) -> Action:
    """Choose the action from dates alone.

    Parameters
    ----------
    have : (date, date) or None
        Dates the stored series was asked for.
    want : (date, date)
        Dates needed, the last one settled.
    sessions : DatetimeIndex
        The exchange's sessions, for the overlap of an update.
    refresh : bool
        Fetch again what is stored.
    """
    if have is None:
        return Action("download", *want)
    whole = min(have[0], want[0]), max(have[1], want[1])
    if refresh or want[0] < have[0]:
        return Action("download", *whole)
    if want[1] <= have[1]:
        return Action("serve", *have)
    known = sessions[sessions <= pd.Timestamp(have[1])]
    since = known[-OVERLAP].date() if len(known) >= OVERLAP else have[0]
    return Action("update", max(since, have[0]), want[1])


@dataclass(frozen=True)
class Revision:
    """One figure that the source changed after it had been stored."""

    symbol: str
    date: dt.date
    column: str
    old: float
    new: float

    def __str__(self) -> str:
        return f"{self.symbol} {self.date} {self.column}: {self.old:g} to {self.new:g}"


def revisions(old: PriceSeries, new: PriceSeries) -> list[Revision]:
    """Return what differs between two series on the dates of both or, between their common ends, of one."""
    first = max(old.frame.index[0], new.frame.index[0])
    last = min(old.frame.index[-1], new.frame.index[-1])
    dates = old.frame.loc[first:last].index.union(new.frame.loc[first:last].index)
    found = []
    for column, tolerance in TOLERANCES.items():
        before, after = old.frame[column].reindex(dates), new.frame[column].reindex(dates)
        same = (before.isna() & after.isna()) | ((before - after).abs() <= tolerance * before.abs())
        found += [Revision(old.symbol, day.date(), column, before[day], after[day]) for day in dates[~same]]
    return found


def joined(old: PriceSeries, new: PriceSeries) -> PriceSeries:
    """Return the old rows before the new ones begin, then the new ones."""
    before = old.frame[old.frame.index < new.frame.index[0]]
    frame = pd.concat([before, new.frame])
    notes, doubts = tuple(dict.fromkeys(old.notes + new.notes)), tuple(dict.fromkeys(old.doubts + new.doubts))
    return PriceSeries(new.symbol, frame, new.source, new.kind, new.absent, new.name or old.name, notes, doubts)


class Store:
    """Series of all remote sources under one folder.

    ``<folder>/<source>/<symbol>/<content hash>.parquet`` are the vintages, ``current.json`` beside them
    names the newest; of an index, or of rows that more than source and symbol decide on (`origin`, such as
    a database's query), ``current-<...>.json`` does. Wide tables of local sources are kept whole, beside the symbols under
    ``<folder>/<source>/%2Etables/``. No vintage is ever changed or removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, source: str, symbol: str) -> Path:
        """Return the folder of one series."""
        return self.folder / source / quote(symbol, safe="").replace(".", "%2E", 1 if symbol.startswith(".") else 0)

    @contextmanager
    def locked(self, source: str, symbol: str, wait: float = LOCK_WAIT) -> Iterator[None]:
        """Hold the lock of one series; a dead process's lock is free."""
        from filelock import FileLock, Timeout

        place = self.place(source, symbol)
        lock = FileLock(place / ".lock", timeout=wait)
        try:
            place.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as problem:
            raise LockedError(f"{place}: another run is fetching {symbol}: wait for it to end") from problem
        except OSError as problem:
            if not place.is_dir():
                raise _unwritable(place, problem) from problem
        try:  # without the lock in a store that cannot be written: it can be read
            yield
        finally:
            lock.release()

    def read(self, source: str, symbol: str, kind: Kind = "share", origin: str = "") -> Stored | None:
        """Return the current series, None where there is none.

        A damaged file is set aside; the newest vintage that is whole then takes its place, but for an
        `origin`: which of the vintages came from there, only the lost pointer said.
        """
        pointer = self._pointer(source, symbol, kind, origin)
        try:
            about = json.loads(pointer.read_text(encoding="utf-8"))
            start, end = dt.date.fromisoformat(about["start"]), dt.date.fromisoformat(about["end"])
            return Stored(self.vintage(source, symbol, about["content_hash"]), start, end, about["fetched_at"])
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError, DataError):
            _set_aside(pointer)
        return None if origin else self._recovered(source, symbol, kind)

    def _pointer(self, source: str, symbol: str, kind: Kind, origin: str) -> Path:
        """Return the path of the file that names the current vintage."""
        digest = hashlib.sha256(origin.encode()).hexdigest()[:16] if origin else ""
        parts = ["current", *(["index"] if kind == "index" else []), *([digest] if digest else [])]
        return self.place(source, symbol) / f"{'-'.join(parts)}.json"

    def _recovered(self, source: str, symbol: str, kind: Kind) -> Stored | None:
        vintages = sorted(self.place(source, symbol).glob("*.parquet"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in vintages:
            try:
                series = self.vintage(source, symbol, path.stem)
            except DataError:
                _set_aside(path)
                continue
            if series.kind != kind:
                continue
            return Stored(series, series.frame.index[0].date(), series.frame.index[-1].date(), RECOVERED)
        return None

    def vintage(self, source: str, symbol: str, content_hash: str) -> PriceSeries:
        """Return the series with a given content.

        Raises
        ------
        DataError
            If there is no such vintage, or the file is not what its name says.
        """
        path = self.place(source, symbol) / f"{content_hash}.parquet"
        try:
            series = _read(path)
        except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as problem:
            raise DataError(f"{path}: the stored series cannot be read: fetch it again with --refresh") from problem
        if content_hash not in (series.content_hash, _fingerprint(series)):
            raise DataError(f"{path}: the stored series was changed after it was written: fetch it again with --refresh")
        return replace(series, vintage=content_hash)

    def _whole(self, source: str, symbol: str, content_hash: str) -> bool:
        try:
            return self.vintage(source, symbol, content_hash) is not None
        except DataError:
            return False

    def write(self, stored: Stored, origin: str = "") -> None:
        """Add a vintage and make it the current one of its kind and origin; the lock of the series must be held.

        Raises
        ------
        OutputError
            If the disk refuses; what was stored before stays current.
        """
        series = stored.series
        place = self.place(series.source, series.symbol)
        draft = place / f".draft-{os.getpid()}"
        about = {
            "content_hash": series.content_hash,
            "start": stored.start.isoformat(),
            "end": stored.end.isoformat(),
            "fetched_at": stored.fetched_at,
        }
        try:
            self._add(series, series.content_hash, draft)
            _write_text(draft, json.dumps(about))
            draft.replace(self._pointer(series.source, series.symbol, series.kind, origin))
        except OSError as problem:
            with suppress(OSError):  # the disk may refuse that, too
                draft.unlink(missing_ok=True)
            raise _unwritable(place, problem) from problem

    def keep(self, series: PriceSeries) -> str:
        """Keep a series of a local source, so that a run can be repeated on it; return the name of its vintage.

        Raises
        ------
        OutputError
            If the disk refuses.
        """
        name, place = _fingerprint(series), self.place(series.source, series.symbol)
        draft = place / f".draft-{os.getpid()}"
        try:
            with self.locked(series.source, series.symbol):
                self._add(series, name, draft)
        except OSError as problem:
            draft.unlink(missing_ok=True)
            raise _unwritable(place, problem) from problem
        return name

    def keep_table(self, source: str, closes: pd.DataFrame) -> str:
        """Keep a wide table of closes of a local source in one file; return the name of its vintage, which is its content's hash.

        Raises
        ------
        OutputError
            If the disk refuses.
        """
        name, place = table_hash(closes), self.place(source, TABLES)
        path, draft = place / f"{name}.parquet", place / f".draft-{os.getpid()}"
        try:
            with self.locked(source, TABLES):
                _clear(place)
                if hash_in(path) != name:
                    _put(path, draft, lambda at: write_closes(closes, at), lambda at: hash_in(at) == name)
        except OSError as problem:
            draft.unlink(missing_ok=True)
            raise _unwritable(place, problem) from problem
        return name

    def table(self, source: str, name: str) -> pd.DataFrame:
        """Return a wide table of closes by date and symbol.

        Raises
        ------
        DataError
            If there is no such vintage, or the file is not what its name says.
        """
        path = self.place(source, TABLES) / f"{name}.parquet"
        try:
            found = read_closes(path)
        except (OSError, pa.ArrowException, ValueError, KeyError) as problem:
            raise DataError(f"{path}: the stored prices cannot be read: the run cannot be repeated") from problem
        if table_hash(found) != name:
            raise DataError(f"{path}: the stored prices were changed after they were written: the run cannot be repeated")
        return found

    def _add(self, series: PriceSeries, name: str, draft: Path) -> None:
        """Write a vintage that is not there yet: beside its place, read back, renamed."""
        place = self.place(series.source, series.symbol)
        place.mkdir(parents=True, exist_ok=True)
        _clear(place)
        if not self._whole(series.source, series.symbol, name):
            own = _fingerprint(series)
            _put(place / f"{name}.parquet", draft, lambda at: _write(series, at), lambda at: _fingerprint(_read(at)) == own)


def _clear(place: Path) -> None:
    """Remove what a killed process left; the lock is ours."""
    for left in place.glob(".draft-*"):
        left.unlink()


def _put(path: Path, draft: Path, write: Callable[[Path], None], same: Callable[[Path], bool]) -> None:
    """Write a file beside its place, read it back, and rename it."""
    write(draft)
    if not same(draft):
        raise OutputError(f"{path}: the file read back is not what was written: check the disk")
    draft.replace(path)


def _fingerprint(series: PriceSeries) -> str:
    """Hash everything that a computation reads: names a kept series, whose adjusted closes count."""
    return hashlib.sha256(f"{_digest(series.frame)},{series.kind},{series.absent}".encode()).hexdigest()


def _unwritable(place: Path, problem: OSError) -> OutputError:
    return OutputError(
        f"{place}: the store cannot be written ({problem.strerror or problem}): free some space, or name another "
        "folder as [data] store"
    )


def _set_aside(path: Path) -> None:
    """Rename a damaged file; in a store that cannot be written it is only passed over."""
    with suppress(OSError):
        path.replace(path.with_name(path.name + ".damaged"))


def _read(path: Path) -> PriceSeries:
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"eventstudy"])
    frame = table.to_pandas().set_index("date")[COLUMNS]
    frame.index = pd.DatetimeIndex(frame.index, name="date").as_unit("s")
    if about["rows"] != _digest(frame):
        raise ValueError("the rows are not those written")
    notes, doubts = tuple(about["notes"]), tuple((code, text) for code, text in about.get("doubts", []))
    return PriceSeries(about["symbol"], frame, about["source"], about["kind"], about["absent"], about["name"], notes, doubts)


def _digest(frame: pd.DataFrame) -> str:
    """Hash every cell: the content hash leaves out what may be rescaled."""
    numbers = frame[[name for name in COLUMNS if name != "status"]].to_numpy(dtype="<f8")
    days = frame.index.to_numpy().astype("datetime64[D]").astype("<i8")
    status = ",".join(frame["status"].fillna("").tolist())
    plain = np.where(np.isnan(numbers), np.nan, numbers)  # one kind of NaN
    return hashlib.sha256(status.encode() + days.tobytes() + plain.astype("<f8").tobytes()).hexdigest()


def _write(series: PriceSeries, path: Path) -> None:
    about: dict[str, Any] = {
        "symbol": series.symbol,
        "source": series.source,
        "kind": series.kind,
        "absent": series.absent,
        "name": series.name,
        "notes": list(series.notes),
        "doubts": list(series.doubts),
        "rows": _digest(series.frame),
    }
    table = pa.Table.from_pandas(series.frame.rename_axis("date").reset_index(), preserve_index=False)
    table = table.replace_schema_metadata({b"eventstudy": json.dumps(about).encode()})
    with path.open("wb") as file:
        pq.write_table(table, file)
        file.flush()
        os.fsync(file.fileno())


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
