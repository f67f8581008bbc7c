"""Runs again: nothing new writes nothing, what changed is told and explained, a run can be repeated on what it saw."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Rows = list[dict[str, str]]


@pytest.fixture
def study(study_on_disk, panel) -> Path:
    made = panel(sessions=150)
    return study_on_disk(made, made.events(120))


@pytest.fixture
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep prices where no other test looks for them."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def run(cli, tmp_path: Path, undrawn) -> Callable[..., Any]:
    """Run into one reports folder; a run that is repeated by `cli` as it was written is not to ask for this."""

    def call(config: Path, *options: object) -> Any:
        return cli("run", config, "--out", tmp_path / "reports", *options)

    return call


def latest(tmp_path: Path) -> Path:
    folder = tmp_path / "reports" / "panel"
    return folder / (folder / "latest").readlink()


def changes(folder: Path, read_csv: Callable[[Path], Rows]) -> Rows:
    return read_csv(folder / "tables" / "changes.csv")


def revise(config: Path, symbol: str, place: int, factor: float) -> tuple[str, float, float]:
    """Change one close in the user's file; return date, old and new."""
    path = config.parent / "prices.csv"
    table = pd.read_csv(path)
    row = table.index[table["symbol"] == symbol][place]
    old = table.loc[row, "close"]
    table.loc[row, "close"] = old * factor
    table.to_csv(path, index=False)
    return str(table.loc[row, "date"]), float(old), float(pd.read_csv(path).loc[row, "close"])


def test_nothing_new_writes_nothing(run, ran: Path, tmp_path: Path) -> None:
    before = sorted(path for path in (tmp_path / "reports").rglob("*"))
    done = run(ran, "--exit-code")
    assert (done.exit_code, "unchanged" in done.stdout) == (0, True)
    assert sorted(path for path in (tmp_path / "reports").rglob("*")) == before


def test_a_revised_close_is_told_with_date_old_and_new_and_explains_what_moved(run, ran, tmp_path, read_csv) -> None:
    first = latest(tmp_path)
    date, old, new = revise(ran, "BBB", 123, 1.01)  # the close at which the window ends
    done = run(ran, "--exit-code")
    assert done.exit_code == 10
    rows = changes(latest(tmp_path), read_csv)
    told = [row for row in rows if row["kind"] == "revision"]
    assert [(row["subject"], row["date"], row["field"]) for row in told] == [("BBB", date, "close")]
    assert (float(told[0]["old"]), float(told[0]["new"])) == (old, new)
    moved = [row for row in rows if row["kind"] == "result"]
    cars = {row["subject"] for row in moved if row["field"] == "car"}
    assert cars == {"cars: e-BBB, BBB, 0, 3"}
    assert {row["explained_by"] for row in moved} == {"revision of BBB"}
    before, after = (read_csv(folder / "tables" / "cars.csv") for folder in (first, latest(tmp_path)))
    car = next(row for row in moved if row["field"] == "car")
    assert (float(car["old"]), float(car["new"])) == tuple(
        float(next(row for row in table if row["symbol"] == "BBB")["car"]) for table in (before, after)
    )
    assert f"revision BBB {date} close" in done.stdout
    assert "What changed since the last run" in (latest(tmp_path) / "report.html").read_text(encoding="utf-8")
    manifest = json.loads((latest(tmp_path) / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["changes"]["since"], manifest["changes"]["counts"]["revision"]) == (first.name, 1)


def test_each_of_two_revisions_moves_its_own_firm_and_both_move_the_mean(run, ran, tmp_path, read_csv) -> None:
    revise(ran, "AAA", 123, 1.02)
    revise(ran, "CCC", 123, 0.98)
    run(ran)
    why = {(row["subject"], row["field"]): row["explained_by"] for row in changes(latest(tmp_path), read_csv)}
    assert why["cars: e-AAA, AAA, 0, 3", "car"] == "revision of AAA"
    assert why["cars: e-CCC, CCC, 0, 3", "car"] == "revision of CCC"
    assert why["tests: all, 0, 3, portfolio_t", "statistic"] == "together: revision of AAA; revision of CCC"


def test_a_changed_config_is_named_key_by_key(run, ran, tmp_path, read_csv) -> None:
    ran.write_text(ran.read_text(encoding="utf-8").replace('name = "market"', 'name = "mean"'), encoding="utf-8")
    run(ran)
    rows = changes(latest(tmp_path), read_csv)
    told = [(row["subject"], row["old"], row["new"]) for row in rows if row["kind"] == "config"]
    assert told == [("model.name", "market", "mean")]
    assert {row["explained_by"] for row in rows if row["kind"] == "result"} == {"config"}


def test_an_event_more_is_told_and_moves_no_other_firm(run, study, tmp_path, read_csv, panel) -> None:
    made = panel(sessions=150)
    made.events(120, ["AAA", "BBB"]).to_csv(study.parent / "events.csv", index=False)
    run(study)
    made.events(120).to_csv(study.parent / "events.csv", index=False)
    run(study)
    rows = changes(latest(tmp_path), read_csv)
    assert [(row["subject"], row["old"]) for row in rows if row["kind"] == "events"] == [("e-CCC, CCC", "")]
    moved = [row for row in rows if row["subject"].startswith("cars: ") and row["field"] == "car"]
    assert [(row["subject"], row["old"]) for row in moved] == [("cars: e-CCC, CCC, 0, 3", "")]


def test_a_run_is_repeated_bit_for_bit_when_its_prices_and_events_have_changed(cli, ran, tmp_path) -> None:
    folder = latest(tmp_path)
    revise(ran, "BBB", 123, 1.01)
    assert cli("run", ran, "--out", tmp_path / "reports").exit_code == 0  # its page tells of changes: these are repeated, too
    for kept in (folder, latest(tmp_path)):
        for name in ("prices.csv", "benchmark.csv", "events.csv"):
            (ran.parent / name).unlink(missing_ok=True)
        done = cli("run", kept / "config.toml", "--as-of", kept.name, "--out", tmp_path / "again")
        assert (done.exit_code, done.stderr) == (0, "")
        copy = tmp_path / "again" / "panel" / (tmp_path / "again" / "panel" / "latest").readlink()
        names = sorted(path.relative_to(kept) for path in kept.rglob("*") if path.is_file() and path.name != "manifest.json")
        assert names
        assert [name for name in names if (copy / name).read_bytes() != (kept / name).read_bytes()] == []


def test_repeating_into_the_same_reports_folder_writes_nothing(cli, ran, tmp_path) -> None:
    folder = latest(tmp_path)
    done = cli("run", folder / "config.toml", "--as-of", folder.name, "--out", tmp_path / "reports")
    assert (done.exit_code, "repeated" in done.stdout) == (0, True)
    assert len(list((tmp_path / "reports" / "panel").glob("2*"))) == 1


@pytest.mark.usefixtures("own_store")
def test_a_vintage_that_is_gone_is_told_by_its_path(run, cli, study, tmp_path) -> None:
    run(study)
    folder = latest(tmp_path)
    store = Path(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["store"])
    shutil.rmtree(store / "files" / "BBB")
    done = cli("run", folder / "config.toml", "--as-of", folder.name)
    assert done.exit_code == 3
    assert "BBB" in done.stderr
    assert "stored series cannot be read" in done.stderr


def test_a_table_that_was_edited_is_no_repetition(cli, ran, tmp_path) -> None:
    folder = latest(tmp_path)
    path = folder / "tables" / "cars.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.", "1.", 1), encoding="utf-8")
    done = cli("run", folder / "config.toml", "--as-of", folder.name)
    assert (done.exit_code, "tables/cars.csv" in done.stderr) == (3, True)


@pytest.mark.usefixtures("own_store")
def test_results_are_compared_though_old_prices_are_gone(run, study, tmp_path, read_csv) -> None:
    run(study)
    store = Path(json.loads((latest(tmp_path) / "manifest.json").read_text(encoding="utf-8"))["store"])
    shutil.rmtree(store / "files" / "BBB")
    revise(study, "BBB", 123, 1.01)
    done = run(study)
    assert done.exit_code == 0
    moved = [row for row in changes(latest(tmp_path), read_csv) if row["kind"] == "result"]
    assert moved
    assert {row["explained_by"] for row in moved} == {""}
    assert "could not be computed" in (latest(tmp_path) / "report.html").read_text(encoding="utf-8")


def keys(config: Path, **runs: Any) -> None:
    import tomli_w

    config.write_text(config.read_text(encoding="utf-8") + tomli_w.dumps({"runs": runs}), encoding="utf-8")


def test_old_runs_go_but_never_a_pinned_one(run, ran, tmp_path) -> None:
    pinned = latest(tmp_path).name
    keys(ran, keep=2, pin=[pinned])
    for number in range(4):
        revise(ran, "AAA", 123, 1.001 + number / 1000)
        run(ran)
    left = sorted(path.name for path in (tmp_path / "reports" / "panel").glob("2*"))
    assert len(left) == 3
    assert left[0] == pinned
    assert left[-1] == latest(tmp_path).name


def test_a_hook_hears_of_changes_only_and_its_failure_is_none_of_the_run(run, study, tmp_path) -> None:
    heard = tmp_path / "heard"
    script = tmp_path / "hook.py"
    script.write_text(
        "import os, pathlib, sys\n"
        f"with pathlib.Path({str(heard)!r}).open('a') as file:\n"
        "    there = pathlib.Path(os.environ['EVENTSTUDY_CHANGES']).is_file()\n"
        "    print(sys.argv[1], there, os.environ['EVENTSTUDY_STUDY'], file=file)\n"
        "sys.exit('cannot send')\n"
    )
    keys(study, on_change=[sys.executable, str(script), "$HOME; echo"])
    first, second = run(study), run(study)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "cannot send" in first.stderr
    assert heard.read_text() == "$HOME; echo True panel\n"
    revise(study, "AAA", 123, 1.01)
    assert run(study).exit_code == 0
    assert len(heard.read_text().splitlines()) == 2


def test_a_hook_that_is_not_there_is_told(run, study) -> None:
    keys(study, on_change=["no-such-program"])
    done = run(study)
    assert (done.exit_code, "no-such-program could not be called" in done.stderr) == (0, True)


def test_quiet_prints_changes_and_errors_only(run, ran, tmp_path) -> None:
    assert run(ran, "--quiet").stdout == ""
    revise(ran, "AAA", 123, 1.01)
    assert "revision AAA" in run(ran, "--quiet").stdout


def test_a_log_file_a_run_whether_it_wrote_or_failed(run, study, tmp_path) -> None:
    run(study, "--log-format", "json")
    (study.parent / "prices.csv").unlink()
    assert run(study, "--log-format", "json").exit_code == 3
    logs = sorted((tmp_path / "reports" / "panel" / "logs").glob("*.jsonl"))
    told = [[json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] for path in logs]
    assert [lines[-1]["event"] for lines in told] == ["written", "failed"]
    assert told[0][-1]["report"].endswith("report.html")
    assert told[1][-1]["exit_code"] == 3
    assert all(set(line) >= {"time", "level", "event"} for lines in told for line in lines)


def test_a_second_run_of_the_study_waits_or_ends_with_6(run, study, tmp_path) -> None:
    from filelock import FileLock

    folder = tmp_path / "reports" / "panel"
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"):
        done = run(study)
        assert (done.exit_code, "--wait" in done.stderr) == (6, True)
        assert run(study, "--wait", "0.2").exit_code == 6
    assert run(study).exit_code == 0


def test_a_study_that_takes_too_long_is_ended_and_the_others_go_on(run, study, tmp_path) -> None:
    done = run(study, "--timeout", "0.05")
    assert done.exit_code == 7
    assert "--timeout" in done.stderr
    assert not (tmp_path / "reports" / "panel" / "latest").exists()


def test_studies_side_by_side_go_on_past_a_failing_one(run, study, tmp_path) -> None:
    other = study.with_name("other.toml")
    other.write_text(study.read_text(encoding="utf-8").replace('name = "panel"', 'name = "other"', 1), encoding="utf-8")
    broken = study.with_name("broken.toml")
    broken.write_text("[study]\n", encoding="utf-8")
    done = run(study, broken, other, "--jobs", "2")
    assert done.exit_code == 2
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["panel", "broken", "other"]
    assert lines[1] == "broken: failed, exit code 2"
    assert [line.endswith("report.html") for line in lines] == [True, False, True]
    index = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert "panel/" in index
    assert "other/" in index




def told(folder: Path, read_csv: Callable[[Path], Rows], *left_out: str) -> list[tuple[str, str, str, str, str]]:
    """(kind, subject, field, old, new) of the inputs that changed."""
    rows = [row for row in changes(folder, read_csv) if row["kind"] not in ("result", *left_out)]
    return [(row["kind"], row["subject"], row["field"], row["old"], row["new"]) for row in rows]


def test_a_seal_stands_in_a_run_and_is_repeated_when_it_is_gone(run, cli, study, tmp_path, root) -> None:
    assert cli("seal", study).exit_code == 0
    run(study)
    folder = latest(tmp_path)
    sealed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["seals"]
    assert [seal["sha256"] for seal in sealed] == [json.loads((study.parent / "study.toml.seal").read_text())["sha256"]]
    assert "Sealed after the event" in (folder / "report.html").read_text(encoding="utf-8")
    (study.parent / "study.toml.seal").unlink()
    done = cli("run", folder / "config.toml", "--as-of", folder.name, "--out", tmp_path / "reports")
    assert (done.exit_code, "repeated" in done.stdout) == (0, True)


def test_a_run_folder_that_was_renamed_is_repeated_from_where_it_stands(cli, ran, tmp_path, monkeypatch) -> None:
    name = latest(tmp_path).name
    moved = tmp_path / "published"
    shutil.move(latest(tmp_path), moved)
    assert cli("run", moved / "config.toml", "--as-of", name, "--out", tmp_path / "again").exit_code == 0
    monkeypatch.chdir(moved)
    assert cli("run", "config.toml", "--as-of", name, "--out", tmp_path / "again").exit_code == 0


def test_a_run_that_is_not_there_is_told_so(run, cli, ran, tmp_path) -> None:
    done = run(ran, "--as-of", "20200101T000000Z-00000000")
    assert (done.exit_code, "is no run" in done.stderr) == (2, True)


def test_a_file_that_is_gone_is_no_repetition(cli, ran, tmp_path) -> None:
    (latest(tmp_path) / "tables" / "aar.csv").unlink()
    done = cli("run", latest(tmp_path) / "config.toml", "--as-of", latest(tmp_path).name)
    assert (done.exit_code, "tables/aar.csv" in done.stderr) == (3, True)


def test_a_group_that_changed_is_told_of_its_event(run, ran, tmp_path, read_csv, panel) -> None:
    panel(sessions=150).events(120).assign(group=["", "x", "x"]).to_csv(ran.parent / "events.csv", index=False)
    run(ran)
    assert told(latest(tmp_path), read_csv) == [
        ("events", "e-BBB, BBB", "group", "", "x"), ("events", "e-CCC, CCC", "group", "", "x"),
    ]  # fmt: skip


def test_an_event_and_a_key_that_change_at_once_each_move_their_own_numbers(run, study, tmp_path, read_csv, panel) -> None:
    made = panel(sessions=150)
    made.events(120, ["AAA", "BBB"]).to_csv(study.parent / "events.csv", index=False)
    run(study)
    made.events(120).to_csv(study.parent / "events.csv", index=False)
    study.write_text(study.read_text(encoding="utf-8").replace('name = "market"', 'name = "mean"'), encoding="utf-8")
    run(study)
    rows = changes(latest(tmp_path), read_csv)
    why = {(row["subject"], row["field"]): row["explained_by"] for row in rows if row["kind"] == "result"}
    assert why["cars: e-AAA, AAA, 0, 3", "car"] == "config"
    assert why["cars: e-CCC, CCC, 0, 3", "car"] == "events, together with what else changed"
    assert why["tests: all, 0, 3, portfolio_t", "statistic"] == "together: config; events"


def test_a_firm_that_was_unknown_is_told_with_its_prices(run, study, tmp_path, read_csv, panel) -> None:
    made = panel(sessions=150)
    rows = made.long()
    rows[rows["symbol"] != "CCC"].to_csv(study.parent / "prices.csv", index=False)
    run(study)
    rows.to_csv(study.parent / "prices.csv", index=False)
    revise(study, "AAA", 123, 1.02)
    run(study)
    assert told(latest(tmp_path), read_csv, "revision") == [("series", "CCC", "source", "", "files")]
    why = {(row["subject"], row["field"]): row["explained_by"] for row in changes(latest(tmp_path), read_csv)}
    assert why["cars: e-CCC, CCC, 0, 3", "car"] == "prices of CCC"
    assert why["cars: e-AAA, AAA, 0, 3", "car"] == "revision of AAA"


def test_a_revised_factor_is_told_and_explains_what_moved(run, study, tmp_path, read_csv, panel) -> None:
    made = panel(sessions=150)
    market = made.benchmark.pct_change().fillna(0.0)
    rate = pd.DataFrame({"date": market.index.strftime("%Y-%m-%d"), "mkt": market.to_numpy()})
    rate["size"] = [0.001 * (place % 7 - 3) for place in range(len(rate))]
    rate.to_csv(study.parent / "factors.csv", index=False)
    text = study.read_text(encoding="utf-8").replace(
        'name = "market"', 'name = "factors"\nfactors = "factors.csv"\nfactor_columns = ["mkt", "size"]\nfactor_units = "decimal"'
    )
    study.write_text(text, encoding="utf-8")
    first = run(study)
    assert (first.exit_code, first.stderr) == (0, "")
    rate.loc[60, "size"] = 0.05
    rate.to_csv(study.parent / "factors.csv", index=False)
    run(study)
    (only,) = told(latest(tmp_path), read_csv)
    assert (only[:3], float(only[4])) == (("factors", "factors.csv", "size"), 0.05)
    assert {row["explained_by"] for row in changes(latest(tmp_path), read_csv) if row["kind"] == "result"} == {"factors"}
    assert "factors.csv: size of " in (latest(tmp_path) / "report.html").read_text(encoding="utf-8")


def test_what_an_event_no_longer_asks_for_is_no_revision(study_on_disk, panel, tmp_path, read_csv) -> None:
    """A source that cuts a series to what is asked for, as the stored ones do."""
    from dataclasses import replace

    from eventstudy.changes import pairs
    from eventstudy.configfile import load_study
    from eventstudy.inputs import asked_spans, study_inputs

    made = panel(sessions=150)
    events = pd.concat([made.events(110, ["AAA"], "early"), made.events(135, ["AAA"], "late")])
    inputs = study_inputs(load_study(study_on_disk(made, events)))

    def cut(asked):
        spans = asked_spans(asked)
        series = {
            symbol: replace(one, frame=one.frame.loc[spans[symbol][0] : spans[symbol][1]])
            for symbol, one in inputs.series.items()
            if symbol in spans
        }
        return replace(asked, series=series)

    both, one = cut(inputs), cut(replace(inputs, events=inputs.events[:1]))
    assert len(both.series["AAA"].frame) > len(one.series["AAA"].frame)
    for older, newer in ((both, one), (one, both)):
        assert [(list(pair.revisions()), len(pair.earlier), len(pair.later)) for pair in pairs(older, newer)] == [([], 0, 0)] * 2


def test_an_older_run_of_another_program_does_not_stop_the_next(run, ran, tmp_path, read_csv) -> None:
    path = latest(tmp_path) / "config.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n[gone]\nkey = 1\n", encoding="utf-8")
    revise(ran, "AAA", 123, 1.01)
    done = run(ran)
    assert (done.exit_code, "not explained" in done.stdout) == (0, True)


def test_an_internal_error_of_one_study_stops_no_other(run, study, tmp_path, monkeypatch) -> None:
    from eventstudy import rerun

    real = rerun.run_config

    def fails(config: Path, options: Any) -> Any:
        if config.name == "odd.toml":
            raise ZeroDivisionError("by hand")
        return real(config, options)

    monkeypatch.setattr(rerun, "run_config", fails)
    odd = study.parent / "odd.toml"
    odd.write_text(study.read_text(encoding="utf-8"), encoding="utf-8")
    done = run(odd, study, "--jobs", "1")
    assert done.exit_code == 1
    assert "internal error (ZeroDivisionError: by hand)" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "panel: failed, exit code 1"
    assert lines[1].endswith("report.html")


def test_a_reports_folder_that_cannot_be_written_is_told(cli, study, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    for options in ([], ["--log-format", "json"]):
        done = cli("run", study, "--out", tmp_path / "file", *options)
        assert (done.exit_code, "internal" in done.stderr, "--out" in done.stderr) == (2, False, True)


def test_a_hook_that_hangs_is_ended_with_all_it_started(run, study, monkeypatch) -> None:
    import time

    monkeypatch.setattr("eventstudy.rerun.HOOK_SECONDS", 0.5)
    keys(study, on_change=["sh", "-c", "sleep 30; true"])
    start = time.monotonic()
    done = run(study)
    assert (done.exit_code, "took longer" in done.stderr) == (0, True)
    assert time.monotonic() - start < 20


def test_quiet_says_nothing_of_what_was_known_before(run, study, tmp_path) -> None:
    with (study.parent / "events.csv").open("a") as file:
        file.write("e-none,NONE,2018-06-18\n")
    assert "NONE" in run(study, "--quiet").stderr
    assert run(study, "--quiet").stderr == ""
    assert "NONE" in run(study).stderr


def test_an_event_that_lies_ahead_is_reported_with_a_fit_and_nothing_to_draw(study_on_disk, panel, tmp_path, read_csv) -> None:
    import datetime as dt

    from eventstudy.calendar import exchange_sessions
    from eventstudy.rerun import Done, Options, attempt

    made = panel(("002415.SZ", "002230.SZ"), sessions=150)
    sessions = exchange_sessions("XSHG", dt.date(2019, 1, 2)).sessions
    made.prices.index = made.benchmark.index = sessions[:150]
    events = pd.DataFrame([{"event_id": "ahead", "symbol": "002415.SZ", "session": f"{sessions[190]:%Y-%m-%d}"}])
    config = study_on_disk(
        made, events, market={"calendar": "XSHG"}, windows={"estimation": [-150, -45], "event": [0, 10], "car": [[0, 3]]}
    )
    done = attempt(config, Options(out=tmp_path / "reports", now=dt.datetime.combine(sessions[149], dt.time(12), dt.UTC)))
    assert isinstance(done, Done), done
    (row,) = read_csv(Path(done.report).parent / "tables" / "cars.csv")
    assert (row["reason"], row["complete_on"]) == ("provisional", f"{sessions[193]:%Y-%m-%d}")


def test_a_failing_study_is_named_in_the_summary(run, study) -> None:
    other = study.with_name("file.toml")
    text = study.read_text(encoding="utf-8").replace('name = "panel"', 'name = "other"', 1)
    other.write_text(text.replace("prices.csv", "none.csv"), encoding="utf-8")
    assert run(study, other, "--jobs", "1").stdout.splitlines()[1:] == ["other: failed, exit code 3"]


def test_of_several_studies_what_changed_comes_before_the_summary(run, study) -> None:
    other = study.with_name("other.toml")
    other.write_text(study.read_text(encoding="utf-8").replace('name = "panel"', 'name = "other"', 1), encoding="utf-8")
    run(study, other, "--jobs", "1")
    revise(study, "AAA", 123, 1.01)  # the last session of [0, 3]; both studies read the file
    lines = run(study, other, "--jobs", "1").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[-2:]] == ["panel", "other"]
    assert [lines.index("panel:"), "since" in lines[1]] == [0, True]
    assert "other:" in lines


def test_a_close_inside_a_window_leaves_its_car_and_what_rounding_moves_is_not_told(run, ran, tmp_path, read_csv) -> None:
    revise(ran, "BBB", 121, 1.01)  # the CAR over [0, 3] runs from the close of 119 to that of 123
    run(ran)
    rows = changes(latest(tmp_path), read_csv)
    assert [row["kind"] for row in rows] == ["revision"]
