"""The store by itself: what to do is decided from dates alone, and no accident loses or changes a series."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eventstudy import store as module
from eventstudy.errors import DataError, LockedError, OutputError
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.frames import price_frame
from eventstudy.store import Action, Store, Stored, decide, joined, revisions

SYMBOL = "002415.SZ"
DAYS = pd.bdate_range("2019-01-01", periods=100)


def series_of(closes: list[float], symbol: str = SYMBOL, start: int = 0, **columns: list[float]) -> PriceSeries:
    raw = pd.DataFrame({"date": DAYS[start : start + len(closes)], "close": closes, "volume": 100.0, **columns})
    return PriceSeries(symbol, price_frame(raw, symbol)[0], "vendor", name="Hikvision", notes=("a note",))


def stored_of(series: PriceSeries) -> Stored:
    first, last = series.frame.index[0].date(), series.frame.index[-1].date()
    return Stored(series, first, last, "2019-06-01T00:00:00+00:00")


OLD, NEW = series_of([10.0, 10.5, 11.0]), series_of([10.0, 10.5, 11.0, 12.0])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that holds OLD and, as the current one, NEW."""
    made = Store(tmp_path / "store")
    for clock, series in ((1_000_000_000, OLD), (1_000_000_100, NEW)):
        made.write(stored_of(series))
        os.utime(parquet(made, series), (clock, clock))
    return made


def parquet(store: Store, series: PriceSeries) -> Path:
    return store.place("vendor", series.symbol) / f"{series.content_hash}.parquet"


def pointer(store: Store) -> Path:
    return store.place("vendor", SYMBOL) / "current.json"


def closes(store: Store, symbol: str = SYMBOL) -> list[float] | None:
    found = store.read("vendor", symbol)
    return None if found is None else found.series.frame["close"].tolist()


# --- decide

S = [day.date() for day in DAYS]


@pytest.mark.parametrize(
    ("have", "want", "refresh", "action"),
    [
        (None, (10, 50), False, ("download", 10, 50)),
        (None, (10, 50), True, ("download", 10, 50)),
        ((10, 50), (10, 50), False, ("serve", 10, 50)),
        ((10, 50), (20, 30), False, ("serve", 10, 50)),
        ((10, 50), (20, 50), False, ("serve", 10, 50)),
        ((10, 50), (10, 50), True, ("download", 10, 50)),
        ((10, 50), (20, 30), True, ("download", 10, 50)),
        ((10, 50), (20, 60), True, ("download", 10, 60)),
        ((10, 50), (9, 50), False, ("download", 9, 50)),
        ((10, 50), (5, 8), False, ("download", 5, 50)),
        ((10, 50), (9, 60), False, ("download", 9, 60)),
        ((10, 50), (10, 51), False, ("update", 21, 51)),  # sessions 21 to 50 are thirty
        ((10, 50), (60, 70), False, ("update", 21, 70)),
        ((40, 50), (40, 51), False, ("update", 40, 51)),  # not before the stored start
        ((0, 5), (0, 6), False, ("update", 0, 6)),  # the calendar has fewer than thirty
    ],
)
def test_decide(have: tuple[int, int] | None, want: tuple[int, int], refresh: bool, action: tuple[str, int, int]) -> None:
    dates = None if have is None else (S[have[0]], S[have[1]])
    verb, start, end = action
    assert decide(dates, (S[want[0]], S[want[1]]), DAYS, refresh) == Action(verb, S[start], S[end])  # type: ignore[arg-type]


def test_decide_between_sessions() -> None:
    friday, sunday, monday = dt.date(2019, 3, 1), dt.date(2019, 3, 3), dt.date(2019, 3, 4)
    action = decide((S[0], sunday), (S[0], monday), DAYS, False)
    assert (action.verb, action.end) == ("update", monday)
    assert action.start == S[S.index(friday) - 29]


# --- what is written is read

def test_round_trip(store: Store) -> None:
    found = store.read("vendor", SYMBOL)
    assert found is not None
    pd.testing.assert_frame_equal(found.series.frame, NEW.frame)
    assert (found.series.symbol, found.series.source, found.series.kind) == (SYMBOL, "vendor", "share")
    assert (found.series.name, found.series.notes) == ("Hikvision", ("a note",))
    assert found.series.vintage == NEW.content_hash
    assert (found.start, found.end) == (S[0], S[3])
    assert store.read("vendor", "nothing") is None
    assert store.read("other", SYMBOL) is None


def test_doubts_are_kept_with_the_series(store: Store) -> None:
    doubted = replace(series_of([20.0, 21.0]), doubts=(("unended_line", "the last figure is doubtful"),))
    store.write(stored_of(doubted))
    assert store.vintage("vendor", SYMBOL, doubted.content_hash).doubts == doubted.doubts


def test_old_vintages_stay_readable(store: Store) -> None:
    for series in (OLD, NEW):
        pd.testing.assert_frame_equal(store.vintage("vendor", SYMBOL, series.content_hash).frame, series.frame)
    with pytest.raises(DataError, match="cannot be read"):
        store.vintage("vendor", SYMBOL, "0" * 64)


def test_nothing_but_vintages_and_pointer(store: Store, left_behind: Callable[[Path], list[str]]) -> None:
    assert left_behind(store.folder / "vendor" / SYMBOL) == sorted(
        [f"{OLD.content_hash}.parquet", f"{NEW.content_hash}.parquet", "current.json"]
    )


@pytest.mark.parametrize("symbol", ["^GSPC", "..", ".", "../../x", "a/b", "BRK-B", "EURUSD=X", ".SZ", "a b", "沪深300", "%2e%2e"])
def test_symbols_stay_inside_the_store(tmp_path: Path, symbol: str) -> None:
    store = Store(tmp_path / "deep" / "store")
    with store.locked("vendor", symbol):
        store.write(stored_of(series_of([1.0, 2.0], symbol)))
    assert closes(store, symbol) == [1.0, 2.0]
    place = store.place("vendor", symbol)
    assert place.resolve().parent == (tmp_path / "deep" / "store" / "vendor").resolve()
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert len([*(tmp_path / "deep" / "store").iterdir()]) == 1


# --- damage

def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def edited(column: str) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        table = pq.read_table(path)
        values = table.column(column).to_pylist()
        values = [(value or 0) + 1 for value in values]
        at = table.schema.get_field_index(column)
        pq.write_table(table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type)), path)

    edit.__name__ = column
    return edit


def without_metadata(path: Path) -> None:
    pq.write_table(pq.read_table(path).replace_schema_metadata({}), path)


def removed(path: Path) -> None:
    path.unlink()


DAMAGES = [torn, emptied, removed, without_metadata, *map(edited, ["close", "volume", "dividend", "adj_close", "high"])]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_current_gives_way_to_an_older_whole_one(store: Store, damage: Callable[[Path], None]) -> None:
    damage(parquet(store, NEW))
    assert closes(store) == closes(store) == [10.0, 10.5, 11.0]
    found = store.read("vendor", SYMBOL)
    assert found is not None
    assert (found.start, found.end) == (S[0], S[2])  # what is there, so that the rest is fetched
    store.write(stored_of(NEW))
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]


def test_one_flipped_bit_is_no_other_number(tmp_path: Path) -> None:
    for place in range(0, 4000, 150):
        store = Store(tmp_path / str(place))
        store.write(stored_of(NEW))
        path = parquet(store, NEW)
        content = bytearray(path.read_bytes())
        content[place % len(content)] ^= 4
        path.write_bytes(bytes(content))
        assert closes(store) in ([10.0, 10.5, 11.0, 12.0], None)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_nothing_whole_is_nothing(store: Store, damage: Callable[[Path], None]) -> None:
    for series in (OLD, NEW):
        damage(parquet(store, series))
    assert closes(store) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "7", '{"content_hash": 7}', '{"content_hash": "x", "start": "2019"}', "\x00" * 40, '"\ud800"']
)
def test_broken_pointer_gives_way_to_the_newest_vintage(store: Store, text: str) -> None:
    pointer(store).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]


def test_pointer_to_a_vintage_that_is_not_there(store: Store) -> None:
    about = json.loads(pointer(store).read_text())
    pointer(store).write_text(json.dumps(about | {"content_hash": "0" * 64}))
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]
    for path in pointer(store).parent.glob("current.json*"):
        path.unlink()
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]


def test_vintage_of_another_symbol_is_not_taken(store: Store) -> None:
    other = series_of([99.0, 98.0, 97.0, 96.0], "000063.SZ")
    store.write(stored_of(other))
    parquet(store, NEW).write_bytes(parquet(store, other).read_bytes())
    assert closes(store) == [10.0, 10.5, 11.0]


def test_damaged_vintage_is_written_again(store: Store) -> None:
    """The source takes its revision back: the old content is current again, whatever became of its file."""
    edited("close")(parquet(store, OLD))
    store.write(stored_of(OLD))
    assert closes(store) == [10.0, 10.5, 11.0]


def test_leftovers_of_a_killed_process(store: Store, left_behind: Callable[[Path], list[str]]) -> None:
    place = store.place("vendor", SYMBOL)
    for name in (".draft-1", ".draft-99999"):
        (place / name).write_bytes(b"PAR1 half of a file")
    (place / ".lock").touch()
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]
    with store.locked("vendor", SYMBOL, wait=0):
        store.write(stored_of(series_of([1.0])))
    assert closes(store) == [1.0]
    assert [name for name in left_behind(place) if "draft" in name] == []


# --- disks that refuse

class Failing:
    """Calls through until the n-th call, which finds the disk full."""

    def __init__(self, real: Callable[..., object], at: int) -> None:
        self.real, self.left = real, at

    def __call__(self, *arguments: object, **options: object) -> object:
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.real(*arguments, **options)


STEPS = [("os.fsync", 1), ("os.fsync", 2), ("os.replace", 1), ("os.replace", 2), ("pq.write_table", 1), ("_write_text", 1)]


@pytest.mark.parametrize(("step", "at"), STEPS, ids=lambda value: str(value))
def test_full_disk_at_each_step(store: Store, monkeypatch: pytest.MonkeyPatch, step: str, at: int) -> None:
    further = series_of([10.0, 10.5, 11.0, 12.0, 13.0])
    with monkeypatch.context() as patch:
        if step == "os.replace":
            real = Path.replace
            failing = Failing(real, at)
            patch.setattr(Path, "replace", lambda path, target: failing(path, target))
        else:
            owner, name = {"os.fsync": (os, "fsync"), "pq.write_table": (pq, "write_table")}.get(step, (module, step))
            patch.setattr(owner, name, Failing(getattr(owner, name), at))
        with pytest.raises(OutputError, match=r"No space left on device.*free some space"), store.locked("vendor", SYMBOL):
            store.write(stored_of(further))
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]
    with store.locked("vendor", SYMBOL, wait=0):
        store.write(stored_of(further))
    assert closes(store) == [10.0, 10.5, 11.0, 12.0, 13.0]


def test_file_system_that_refuses_everything(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one mounted read-only does, which refuses to remove what is not there, too."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        for name in ("unlink", "replace", "open", "mkdir", "write_bytes", "write_text"):
            patch.setattr(Path, name, refuse)
        with pytest.raises(OutputError, match=r"cannot be written \(Read-only file system\): free some space") as caught:
            store.write(stored_of(series_of([1.0])))
    assert caught.value.exit_code == 2
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]


def test_kinds_and_origins_have_a_current_series_each(store: Store) -> None:
    index = replace(series_of([3000.0, 3010.0]), kind="index")
    store.write(stored_of(index))
    store.write(stored_of(series_of([7.0])), "a query")
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]
    found = {origin: store.read("vendor", SYMBOL, kind, origin) for origin, kind in (("", "index"), ("a query", "share"))}  # type: ignore[arg-type]
    assert [item and item.series.frame["close"].tolist() for item in found.values()] == [[3000.0, 3010.0], [7.0]]
    assert store.read("vendor", SYMBOL, "share", "another query") is None


def test_file_that_does_not_read_back_is_not_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def lossy(table: pa.Table, file: object) -> None:
        real(table.set_column(1, "close", pa.array([1.0] * len(table))), file)

    real = pq.write_table
    monkeypatch.setattr(pq, "write_table", lossy)
    with pytest.raises((OutputError, ValueError)):
        store.write(stored_of(series_of([5.0, 6.0])))
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]


LIMITED = """
import resource, sys
sys.path.insert(0, {tests!r})
from test_store import *
store = Store(Path(sys.argv[1]))
further = series_of([float(n) for n in range(1, 90)])
for limit in (0, 1, 100, 1000, 3000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with store.locked("vendor", SYMBOL):
            store.write(stored_of(further))
        told = "written"
    except OutputError as problem:
        told = "refused"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(limit, told, closes(store) == [10.0, 10.5, 11.0, 12.0])
"""


def test_file_size_limit_of_the_system(store: Store, root: Path) -> None:
    program = LIMITED.format(tests=str(root / "tests"))
    command = [sys.executable, "-c", program, str(store.folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=root)
    told = [line.split() for line in done.stdout.splitlines()]
    assert told == [[str(limit), "refused", "True"] for limit in (0, 1, 100, 1000, 3000)], done.stderr
    assert closes(store) == [10.0, 10.5, 11.0, 12.0]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Store]:
    """A store whose folders the process may not write, even where the tests run as root."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        store.write(stored_of(NEW))
        for path in [Path(folder), *Path(folder).rglob("*")]:
            path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH | (0o111 if path.is_dir() else 0))
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield store
        finally:
            os.seteuid(user)
            for path in [Path(folder), *Path(folder).rglob("*")]:
                path.chmod(0o700)


def test_read_only_store_serves(read_only: Store) -> None:
    with read_only.locked("vendor", SYMBOL):
        assert closes(read_only) == [10.0, 10.5, 11.0, 12.0]


def test_read_only_store_says_that_it_cannot_keep(read_only: Store) -> None:
    sentence = r"the store cannot be written \(Permission denied\): free some space, or name another folder as \[data\] store"
    with pytest.raises(OutputError, match=sentence), read_only.locked("vendor", SYMBOL):
        read_only.write(stored_of(series_of([1.0])))
    with pytest.raises(OutputError, match=sentence), read_only.locked("vendor", "000063.SZ"):
        pass
    assert closes(read_only) == [10.0, 10.5, 11.0, 12.0]


def test_lock_is_held_and_freed(store: Store) -> None:
    with store.locked("vendor", SYMBOL):
        with pytest.raises(LockedError, match=r"another run is fetching 002415\.SZ"), Store(store.folder).locked(
            "vendor", SYMBOL, wait=0.05
        ):
            pass
        with store.locked("vendor", "000063.SZ", wait=0):  # of another series
            pass
    with store.locked("vendor", SYMBOL, wait=0):
        pass
    assert LockedError.exit_code == 6


# --- comparing

def test_revisions_are_told_with_date_old_and_new() -> None:
    changed = series_of([10.0, 10.7, 11.0, 12.0])
    found = revisions(NEW, changed)
    assert [str(item) for item in found] == ["002415.SZ 2019-01-02 close: 10.5 to 10.7"]
    assert (found[0].date, found[0].old, found[0].new) == (S[1], 10.5, 10.7)


def test_rows_that_come_or_go_are_revisions() -> None:
    gap = series_of([10.0, np.nan, 11.0, 12.0])
    shorter = PriceSeries(SYMBOL, NEW.frame.drop(NEW.frame.index[1]), "vendor")
    for other in (gap, shorter):
        found = revisions(NEW, other)
        assert {(item.date, item.column) for item in found} >= {(S[1], "close")}
        assert np.isnan(found[0].new)
    assert revisions(gap, gap) == []


def test_only_common_dates_are_compared() -> None:
    later = series_of([11.0, 12.0, 13.0], start=2)
    assert revisions(NEW, later) == []
    assert revisions(NEW, series_of([1.0], start=50)) == []


def test_joined_takes_the_new_rows() -> None:
    whole = joined(NEW, series_of([11.5, 12.5, 13.0], start=2))
    assert whole.frame["close"].tolist() == [10.0, 10.5, 11.5, 12.5, 13.0]
    assert (whole.name, whole.notes) == ("Hikvision", ("a note",))
