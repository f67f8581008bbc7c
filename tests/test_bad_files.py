"""Bad prices and folders through the command line: one sentence, the right exit code, nothing half-written."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

DAY0 = 130


@pytest.fixture(scope="module")
def made(panel):
    return panel()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def spoilt_prices(made, **changes: object) -> pd.DataFrame:
    table = made.long().astype({"close": object})
    row = table.index[(table["symbol"] == "BBB") & (table["date"] == made.day(50))]
    for name, value in changes.items():
        table[name] = table.get(name, "100")
        table.loc[row, name] = value
    return table


@pytest.mark.parametrize("close", ["0", "-3.5", "inf", "-inf", "1e999"])
def test_price_that_is_none_stops_the_run(made, study_on_disk, refused, close: str) -> None:
    path = study_on_disk(made, made.events(DAY0), spoilt_prices(made, close=close))
    refused(path, 3, "BBB", made.day(50), "not a price", "correct it", where="prices.csv")


@pytest.mark.parametrize("close", ["n/a", "1,234.5", "twelve", "12.3.4", "NaN"])
def test_text_for_a_price_stops_the_run(made, study_on_disk, refused, close: str) -> None:
    path = study_on_disk(made, made.events(DAY0), spoilt_prices(made, close=close))
    refused(path, 3, "BBB", made.day(50), close, "not a number", where="prices.csv")


@pytest.mark.parametrize("volume", ["-5", "many"])
def test_bad_volume_stops_the_run(made, study_on_disk, refused, volume: str) -> None:
    path = study_on_disk(made, made.events(DAY0), spoilt_prices(made, volume=volume))
    refused(path, 3, "BBB", made.day(50), "volume", where="prices.csv")


@pytest.mark.parametrize("date", ["08/10/2018", "yesterday", "2018-02-30", ""])
def test_bad_date_stops_the_run(made, study_on_disk, refused, date: str) -> None:
    path = study_on_disk(made, made.events(DAY0), spoilt_prices(made, date=date))
    refused(path, 3, "BBB", repr(date), "not a date", where="prices.csv")


def test_duplicate_dates_that_disagree_stop_the_run(made, study_on_disk, refused) -> None:
    table = made.long()
    clash = table[(table["symbol"] == "BBB") & (table["date"] == made.day(50))].assign(close=1.0)
    path = study_on_disk(made, made.events(DAY0), pd.concat([table, clash]))
    refused(path, 3, "BBB", made.day(50), "disagree", where="prices.csv")


def run_tables(run_through, path: Path, out: Path) -> dict[str, bytes]:
    assert run_through(path, out) == []
    tables = out / "panel" / "latest" / "tables"
    return {name: (tables / f"{name}.csv").read_bytes() for name in ("cars", "abnormal_returns", "models", "tests", "notes")}


def test_identical_duplicates_are_dropped_with_a_note(run_through, made, study_on_disk, out) -> None:
    table = made.long()
    want = run_tables(run_through, study_on_disk(made, made.events(DAY0)), out / "a")
    got = run_tables(run_through, study_on_disk(made, made.events(DAY0), pd.concat([table, table.iloc[[60]]])), out / "b")
    assert {name for name in want if want[name] != got[name]} == {"notes"}
    assert b"1 identical duplicate rows were dropped" in got["notes"]


def test_unsorted_rows_are_sorted_with_a_note(run_through, made, study_on_disk, out) -> None:
    want = run_tables(run_through, study_on_disk(made, made.events(DAY0)), out / "a")
    got = run_tables(run_through, study_on_disk(made, made.events(DAY0), made.long().sample(frac=1, random_state=3)), out / "b")
    assert {name for name in want if want[name] != got[name]} == {"notes"}
    assert b"sorted" in got["notes"]


def test_dates_as_a_saved_yahoo_frame_has_them(run_through, made, study_on_disk, out) -> None:
    # local midnights with the exchange's offset, which changes with the clock
    table = made.long()
    stamped = table.assign(date=[str(pd.Timestamp(day, tz="America/New_York")) for day in table["date"]])
    want = run_tables(run_through, study_on_disk(made, made.events(DAY0)), out / "a")
    assert run_tables(run_through, study_on_disk(made, made.events(DAY0), stamped), out / "b") == want


def test_benchmark_with_holes(run_through, made, study_on_disk, out, read_csv) -> None:
    path = study_on_disk(made, made.events(DAY0))
    lines = (path.parent / "benchmark.csv").read_text(encoding="utf-8").splitlines()
    lines[1 + 60], lines[1 + DAY0 + 3] = f"{made.day(60)},", f"{made.day(DAY0 + 3)},"
    (path.parent / "benchmark.csv").write_text("\n".join(lines), encoding="utf-8")
    assert run_through(path, out) == []
    tables = out / "panel" / "latest" / "tables"
    assert {(row["nobs"], row["n_sessions"]) for row in read_csv(tables / "models.csv")} == {("89", "90")}
    assert {(row["car"], row["reason"]) for row in read_csv(tables / "cars.csv")} == {("", "benchmark_missing")}


@pytest.mark.parametrize(
    ("name", "content"), [("prices.csv", ""), ("prices.csv", "day,ticker,px\n1,2,3\n"), ("benchmark.csv", "a\n1\n")]
)
def test_file_that_is_no_such_table(base: Path, refused, name: str, content: str) -> None:
    (base.parent / name).write_text(content, encoding="utf-8")
    refused(base, 3, where=name)


@pytest.mark.parametrize("name", ["prices.csv", "benchmark.csv", "events.csv"])
def test_ragged_file(base: Path, refused, name: str) -> None:
    path = base.parent / name
    path.write_text(path.read_text(encoding="utf-8") + "1,2,3,4,5,6,7\n", encoding="utf-8")
    refused(base, 3, where=name)


def test_a_trailing_comma_in_every_row_shifts_no_column(run_through, base: Path, out: Path, read_csv) -> None:
    path = base.parent / "events.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *(row + "," for row in rows)]), encoding="utf-8")
    assert run_through(base, out) == []
    found = read_csv(out / "panel" / "latest" / "tables" / "events.csv")
    assert [row["symbol"] for row in found] == ["AAA", "BBB", "CCC"]


def test_one_benchmark_file_does_not_stand_for_a_second_benchmark(made, study_on_disk, refused) -> None:
    path = study_on_disk(made, made.events(DAY0), firm=[{"symbol": "AAA", "benchmark": "OTHER"}])
    refused(path, 3, "OTHER")


@pytest.mark.parametrize("name", ["prices.csv", "benchmark.csv"])
def test_absent_file(base: Path, refused, name: str) -> None:
    (base.parent / name).unlink()
    refused(base, 3, "cannot be read", "check the path", where=name)


@pytest.mark.parametrize("name", ["prices.csv", "benchmark.csv", "events.csv"])
def test_file_of_bytes(base: Path, refused, name: str) -> None:
    (base.parent / name).write_bytes(b"PK\x03\x04\x00\xff\xfe\x80binary")
    refused(base, 3, where=name)


# --- output -----------------------------------------------------------------------------------------------------------------


def test_file_in_the_place_of_the_reports_folder(cli, base: Path, out: Path) -> None:
    out.write_text("mine", encoding="utf-8")
    done = cli("run", base, "--out", out)
    assert done.exit_code == 2
    assert (len(done.stderr.splitlines()), "--out" in done.stderr, str(out) in done.stderr) == (1, True, True)
    assert out.read_text(encoding="utf-8") == "mine"


def test_reports_folder_that_cannot_be_written(cli, base: Path) -> None:
    done = cli("run", base, "--out", "/proc/self/reports")
    assert done.exit_code == 2
    assert (len(done.stderr.splitlines()), "--out" in done.stderr, "/proc/self/reports" in done.stderr) == (1, True, True)


@pytest.mark.parametrize(("taken", "code"), [("index.html", 0), ("panel/latest", 2)])
def test_folder_in_the_place_of_a_file_we_write(left_behind, cli, base: Path, out: Path, taken: str, code: int) -> None:
    (out / taken).mkdir(parents=True)
    done = cli("run", base, "--out", out)
    assert done.exit_code == code  # without its place in the list a run is whole all the same, and it is said
    assert len(done.stderr.splitlines()) == 1
    assert Path(taken).name in done.stderr or code
    runs = [path.parent for path in out.glob("panel/*/manifest.json")]
    whole = {name for run in runs for name in left_behind(run)}
    assert not runs or {"report.html", "manifest.json", "config.toml"} <= whole
    assert [name for name in left_behind(out) if Path(name).name.startswith(".")] == []


def limited(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [0, 20_000])
def test_full_disk_leaves_nothing_behind(left_behind, base: Path, out: Path, size: int) -> None:
    # a file-size limit stands in for a disk that fills up; SIGXFSZ is ignored by Python, so writes fail with an error
    call = [sys.executable, "-m", "eventstudy", "run", str(base), "--out", str(out)]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(call, preexec_fn=limited(size), capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "free some space" in done.stderr
    assert left_behind(out) == []
    assert [path for path in out.rglob("*") if path.is_dir() and path != out / "panel"] == []


def test_locked_study_folder(left_behind, cli, base: Path, out: Path) -> None:
    (out / "panel").mkdir(parents=True)
    with FileLock(out / "panel" / ".lock"):
        done = cli("run", base, "--out", out)
    assert done.exit_code == 6
    assert len(done.stderr.splitlines()) == 1
    assert left_behind(out) == []


def test_a_damaged_manifest_of_an_older_run_stops_nothing(cli, base: Path, out: Path) -> None:
    (out / "other" / "20200101T000000Z-00000000").mkdir(parents=True)
    (out / "other" / "20200101T000000Z-00000000" / "manifest.json").write_text("{", encoding="utf-8")
    done = cli("run", base, "--out", out)
    assert "internal error" not in done.stderr
    assert done.exit_code == 0


# --- several configs, and check ---------------------------------------------------------------------------------------------


def test_one_failing_config_does_not_stop_the_next_and_the_worst_code_counts(cli, base: Path, out: Path, tmp_path: Path) -> None:
    broken, no_data = tmp_path / "broken.toml", tmp_path / "study" / "nodata.toml"
    broken.write_text("[", encoding="utf-8")
    no_data.write_text(base.read_text(encoding="utf-8").replace("prices.csv", "gone.csv"), encoding="utf-8")
    done = cli("run", broken, no_data, base, "--out", out, "--jobs", "1")  # side by side: in the tests of runs
    assert done.exit_code == 3
    assert [line.count("broken.toml") + 2 * line.count("gone.csv") for line in done.stderr.splitlines()] == [1, 2]
    told = done.stdout.splitlines()
    assert told[:2] == ["broken: failed, exit code 2", "panel: failed, exit code 3"]
    assert told[2].endswith("report.html")
    assert len(told) == 3
    assert (out / "panel" / "latest" / "report.html").is_file()


def test_check_says_valid_and_writes_nothing(cli, base: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("check", base)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "valid" in done.stdout
    assert not (tmp_path / "reports").exists()


def test_check_ends_with_3_where_the_event_session_is_in_doubt(cli, made, study_on_disk) -> None:
    prices = made.prices.copy()
    prices.iloc[DAY0, 1] = prices.iloc[DAY0 - 1, 1]  # no volume: one unchanged close on the event session
    table = type(made)(prices, made.benchmark).long()
    done = cli("check", study_on_disk(made, made.events(DAY0), table))
    assert done.exit_code == 3
    assert len(done.stderr.splitlines()) == 1
    for part in ("study.toml", "e-BBB", "give volumes"):
        assert part in done.stderr


def test_check_of_a_broken_config(cli, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[", encoding="utf-8")
    done = cli("check", tmp_path / "x.toml")
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
