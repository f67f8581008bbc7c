"""One run of one study, attended or not: compute, compare with the last run, write, prune, notify."""

from __future__ import annotations

import datetime as dt
import filecmp
import logging
import os
import signal
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from eventstudy import __version__
from eventstudy.changes import Change, Comparison
from eventstudy.configfile import load_study
from eventstudy.errors import ConfigError, DataError, EventStudyError, TookTooLongError, UnexpectedError
from eventstudy.explained import compare
from eventstudy.manifest import study_name, told_effects
from eventstudy.plan import StudyInputs
from eventstudy.prices import Fetching
from eventstudy.record import RecordedRun, find_run, recorded_run, state_of_result
from eventstudy.result import StudyResult
from eventstudy.run import run_study
from eventstudy.runlog import log, run_log
from eventstudy.runs import WrittenRun, latest_run, prune, study_lock, unchanged_run, write_contents, write_locked, write_run
from eventstudy.sources.stored import TOLD
from eventstudy.sources.wide import WideSeries

HOOK_SECONDS = 60.0
MOST_HEARD = 500  # bytes of what a failing command said
MOST_TOLD = 10
MOST_TOLD_OUT = 50  # events left out, each with a line

Watch = Callable[[str, Sequence[str]], Iterable[str]]


def unwatched(label: str, items: Sequence[str]) -> Iterable[str]:
    """Show no progress."""
    return items


@dataclass(frozen=True)
class Options:
    """What the command line asks of a run.

    Parameters
    ----------
    out : Path
        The reports folder.
    wait : float
        Seconds to wait for another run of the same study.
    as_of : str
        Run whose prices, events and moment are taken instead of today's; empty for a run of today.
    now : datetime, optional
        The present; default the clock's.
    log_format : {"", "text", "json"}
        Form of the log file; empty for none.
    watch : callable
        Wraps what takes long, under a label, for a progress bar.
    debug : bool
        Let an internal error through, so that it shows where it arose.
    """

    out: Path = Path("reports")
    offline: bool = False
    refresh: bool = False
    force: bool = False
    strict: bool = False
    wait: float = 0.0
    as_of: str = ""
    now: dt.datetime | None = None
    log_format: str = ""
    watch: Watch = field(default=unwatched, compare=False)
    debug: bool = False


@dataclass(frozen=True)
class Done:
    """What came of one run.

    Parameters
    ----------
    study, headline : str
    state : {"written", "unchanged", "repeated"}
    report : str
        Path of the page.
    changes : Comparison or None
        Against the last run; None for the first one, and where nothing was written.
    messages : tuple of str
        What happened in this run, for stderr, one sentence each.
    standing : tuple of str
        What is to be known of the study every time: events left out, doubts, another source.
    excluded : int
        Number of events left out.
    """

    study: str
    state: Literal["written", "unchanged", "repeated"]
    headline: str
    report: str
    changes: Comparison | None = None
    messages: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()
    excluded: int = 0


def run_all(
    configs: Sequence[Path], options: Options, jobs: int = 1, timeout: float | None = None
) -> Iterator[tuple[Path, Done | EventStudyError]]:
    """Run studies and yield what came of each, in their order; a failing one stops no other.

    Parameters
    ----------
    jobs : int
        Processes at a time.
    timeout : float, optional
        Seconds one study may take; it is ended then. Needs a process of its own, so there is no progress bar.
    """
    if timeout is None and min(jobs, len(configs)) <= 1:
        for config in configs:
            yield config, attempt(config, options)
        return
    import multiprocessing

    from pebble import ProcessExpired, ProcessPool

    plain = replace(options, watch=unwatched)
    with ProcessPool(max_workers=min(jobs, len(configs)), context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.schedule(attempt, args=(config, plain), timeout=timeout) for config in configs]
        for config, future in zip(configs, futures, strict=True):
            try:
                yield config, future.result()
            except TimeoutError:
                pool.schedule(os.getpid).result()  # its successor would complain if it were stopped while it starts
                yield config, TookTooLongError(f"{config}: took longer than {timeout:g} s and was ended: raise --timeout")
            except ProcessExpired as problem:
                yield config, UnexpectedError(f"{config}: its process died, {problem}")


def attempt(config: Path, options: Options) -> Done | EventStudyError:
    """Return what came of one run, or what went wrong; where a log is asked for, it tells the same."""
    try:
        with run_log(options.out / folder_name(config) / "logs", options.log_format):
            return _logged(config, options)
    except EventStudyError as problem:
        return problem


def _logged(config: Path, options: Options) -> Done:
    log("started", config=str(config), version=__version__)
    try:
        done = run_config(config, options)
    except EventStudyError as problem:
        log("failed", logging.ERROR, error=str(problem), exit_code=problem.exit_code)
        raise
    except Exception as problem:
        log("failed", logging.ERROR, error=traceback.format_exc(), exit_code=EventStudyError.exit_code)
        if options.debug:
            raise
        raise UnexpectedError(f"{type(problem).__name__}: {problem}") from problem
    for message in (*done.messages, *done.standing):
        log("message", logging.WARNING, text=message)
    changes = done.changes.summary()["counts"] if done.changes else {}
    log(done.state, report=done.report, headline=done.headline, excluded=done.excluded, changes=changes)
    return done


def folder_name(config: Path) -> str:
    """Name of the study's folder; of a config that cannot be read, the file's."""
    try:
        return load_study(config).study.name
    except EventStudyError:
        return config.stem


def told(done: Done, quiet: bool = False) -> list[str]:
    """Return the lines that tell of a run on a terminal; quietly, only of one that changed something."""
    changes = done.changes.changes if done.changes else ()
    if quiet and not changes and not (done.state == "written" and done.changes is None):
        return []
    state = "" if done.state == "written" else f"{done.state}, "
    lines = [f"{done.study}: {state}{done.headline}; {done.report}"]
    if done.changes is None or not changes:
        return lines
    where = Path(done.report).parent / "tables" / "changes.csv"
    return [*lines, *(f"  {line}" for line in changed_lines(done.changes, MOST_TOLD, f"all of them: {where}"))]


def changed_lines(comparison: Comparison, most: int | None = None, rest: str = "") -> list[str]:
    """Return what differs between two runs, a line a change; past `most` inputs or results, the line `rest`."""
    inputs = [change for change in comparison.changes if change.kind != "result"]
    results = list(comparison.of("result"))
    told = [f"{len(found)} {noun}{'' if len(found) == 1 else 's'}" for found, noun in ((inputs, "input"), (results, "number"))]
    lines = [f"since {comparison.older}: {told[0]} changed, {told[1]} moved"]
    if comparison.problem:
        lines.append(f"  not explained: {comparison.problem}")
    lines += [f"  {_line(change)}" for change in (*inputs[:most], *results[:most])]
    return lines if most is None or max(len(inputs), len(results)) <= most else [*lines, f"  {rest}"]


def _line(change: Change) -> str:
    moved = f", moved by {change.explained_by}" if change.explained_by else ""
    kind = "" if change.kind == "result" else change.kind
    what = " ".join(part for part in (kind, change.subject, change.date, change.field) if part)
    return f"{what}: {change.old or 'none'} -> {change.new or 'none'}{moved}"


def run_config(config: Path, options: Options) -> Done:
    """Run one study; a run whose config, code and prices are those of the last one writes nothing.

    Raises
    ------
    EventStudyError
        With the exit code of what went wrong.
    """
    if options.as_of:
        return _repeat(config, options)
    spec, watch = load_study(config), options.watch
    now = options.now or dt.datetime.now(dt.UTC)
    fetching = Fetching(
        now=now, offline=options.offline, refresh=options.refresh,
        watch=lambda symbols: watch(f"{config}: fetching", symbols),
    )  # fmt: skip
    result = run_study(spec, fetching=fetching, watch=lambda chunks: watch(f"{config}: estimating", chunks))
    for outcome in result.inputs.outcomes:
        log("series", symbol=outcome.symbol, source=outcome.source, deed=outcome.deed, detail=outcome.detail)
    messages = price_messages(result.inputs)
    written = None if options.force else unchanged_run(result, options.out)
    if written is not None:
        return _done(result, written, None, messages)
    _compute_tables(result, watch, f"{config}: computing")
    with study_lock(options.out, spec.study.name, options.wait):
        written = None if options.force else unchanged_run(result, options.out)  # another run may have been first
        if written is not None:
            return _done(result, written, None, messages)
        last = latest_run(options.out, spec.study.name)
        comparison = compare(recorded_run(last).state(), state_of_result(result)) if last else None
        written = write_locked(result, options.out, now=now, comparison=comparison)
        if spec.runs.keep:
            messages += prune(written.folder.parent, spec.runs.keep, spec.runs.pin)
    if spec.runs.on_change and (comparison is None or comparison.changes):
        messages += call_hook(spec.runs.on_change, written, spec.folder)
    return _done(result, written, comparison, messages)


def _done(result: StudyResult, written: WrittenRun, comparison: Comparison | None, messages: list[str]) -> Done:
    excluded = result.left_out
    standing = standing_messages(result)
    shown = excluded[:MOST_TOLD_OUT]
    standing += [f"event {item.event_id}, {item.symbol} is excluded, {item.reason}: {item.detail}" for item in shown]
    if len(excluded) > MOST_TOLD_OUT:
        standing.append(f"{len(excluded) - MOST_TOLD_OUT} more events are excluded: the table exclusions has them all")
    state: Literal["written", "unchanged"] = "unchanged" if written.unchanged else "written"
    messages = [*messages, *([written.problem] if written.problem else [])]
    return Done(
        study_name(result), state, told_effects(result), str(written.report), comparison, tuple(messages), tuple(standing),
        len(excluded),
    )  # fmt: skip


def _repeat(config: Path, options: Options) -> Done:
    """Run a recorded study again on what it saw; any byte that differs is an error."""
    recorded = _meant(config, options)
    folder = recorded.folder
    result = recorded.result()
    _compute_tables(result, options.watch, f"{config}: computing")
    with tempfile.TemporaryDirectory() as fresh:
        names = write_contents(result, recorded.comparison(), Path(fresh))
        differing = [name for name in names if not _same(folder / name, Path(fresh) / name)]
    if differing:
        made_by = recorded.manifest["versions"]["eventstudy"]
        raise DataError(
            f"{folder}: {', '.join(differing)} came out otherwise than recorded: the run was made by eventstudy {made_by}, "
            f"this is {__version__}"
        )
    if options.out.resolve() != folder.resolve().parent.parent:
        folder = write_run(result, options.out, now=options.now, comparison=recorded.comparison(), wait=options.wait).folder
    return Done(study_name(result), "repeated", told_effects(result), str(folder / "report.html"))


def _meant(config: Path, options: Options) -> RecordedRun:
    """Return the run that `as_of` names: the one the config stands in, be it moved or renamed, or one of its study."""
    folder, study = config.resolve().parent, load_study(config).study.name
    if (folder / "manifest.json").is_file():
        beside = recorded_run(folder)
        if options.as_of in (beside.name, folder.name, config.parent.name):
            return beside
    own = options.out / study / options.as_of
    found = recorded_run(own) if (own / "manifest.json").is_file() else find_run(options.as_of, options.out)
    if found.manifest["study"] != study:
        theirs = found.manifest["study"]
        raise ConfigError(f"{options.as_of} is a run of {theirs}, not of {study}: give the config it was made from")
    return found


def _same(path: Path, fresh: Path) -> bool:
    try:
        return filecmp.cmp(path, fresh, shallow=False)
    except OSError:
        return False


def price_messages(inputs: StudyInputs) -> list[str]:
    """Say what fetching the prices came to, where the reader of numbers must know: stale or revised prices."""
    return [
        f"{outcome.symbol} is {outcome.deed}, {outcome.detail}"
        for outcome in inputs.outcomes
        if outcome.deed in TOLD
    ]


def standing_messages(result: StudyResult) -> list[str]:
    """Say what is to be known of the prices every time: another source, a missing event session."""
    told, known = [], result.inputs.series
    for series in (known.others if isinstance(known, WideSeries) else known).values():  # of plain closes there are no notes
        told += [f"{series.symbol} is {note}" for note in series.notes if note.startswith("served by ")]
    return told + result.needing_care


def _compute_tables(result: StudyResult, watch: Watch, label: str) -> None:
    for name in watch(label, result.slow_tables):
        getattr(result, name)


def call_hook(command: Sequence[str], written: WrittenRun, folder: Path) -> list[str]:
    """Call the user's command, without a shell, with the paths of the run in its environment; say how it failed, if it did."""
    paths = {
        "EVENTSTUDY_STUDY": written.folder.parent.name,
        "EVENTSTUDY_RUN": str(written.folder.resolve()),
        "EVENTSTUDY_REPORT": str(written.report.resolve()),
        "EVENTSTUDY_CHANGES": str((written.folder / "tables" / "changes.csv").resolve()),
    }
    with tempfile.TemporaryFile() as said:  # no pipe: a process that the command leaves behind would keep it open
        try:
            process = subprocess.Popen(
                list(command), env=os.environ | paths, cwd=folder, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
            )  # fmt: skip
        except (OSError, ValueError) as problem:
            return [f"on_change: {command[0]} could not be called ({problem}); the run stands"]
        try:
            code = process.wait(HOOK_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return [f"on_change: {command[0]} took longer than {HOOK_SECONDS:g} s and was ended; the run stands"]
        if code == 0:
            return []
        said.seek(max(said.seek(0, os.SEEK_END) - MOST_HEARD, 0))
        lines = said.read().decode(errors="replace").strip().splitlines()
    return [f"on_change: {command[0]} ended with {code}{f' ({lines[-1]})' if lines else ''}; the run stands"]
