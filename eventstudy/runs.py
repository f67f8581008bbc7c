"""Run folders: written whole or not at all, named by time and identity, listed in an index."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventstudy.changes import Comparison
from eventstudy.configfile import spec_text
from eventstudy.errors import DataError, LockedError, OutputError
from eventstudy.manifest import KeptInputs, file_hash, identity, keep_inputs, manifest_of, read_manifest, study_name
from eventstudy.result import StudyResult
from eventstudy.seal import seal_text
from eventstudy.tablefiles import write_parts

NOTHING_BEFORE = Comparison("", "", ())


@dataclass(frozen=True)
class WrittenRun:
    """A run folder on disk; `unchanged` tells that it was there before, `problem` what else could not be written."""

    folder: Path
    unchanged: bool = False
    problem: str = ""

    @property
    def report(self) -> Path:
        """Path of the page."""
        return self.folder / "report.html"


def latest_run(out: Path, study: str) -> Path | None:
    """Return the newest complete run of a study, None where there is none."""
    link = out / study / "latest"
    return out / study / link.readlink() if (link / "manifest.json").is_file() else None


def unchanged_run(result: StudyResult, out: Path) -> WrittenRun | None:
    """Return the last run if its config, code and inputs were these; nothing of the result need be computed for it."""
    last = latest_run(out, study_name(result))
    if last and read_manifest(last)["identity"] == identity(result):
        listed = (out / "index.html").exists()
        return WrittenRun(last, unchanged=True, problem="" if listed else _index_problem(out, last.parent))
    return None


@contextmanager
def study_lock(out: Path, study: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock of a study under a reports folder; a dead process's lock is free.

    What a killed run left is removed first: it was written under this lock.

    Raises
    ------
    LockedError
        If another run of the study holds it for longer than `wait` seconds.
    OutputError
        If nothing can be written there.
    """
    from filelock import FileLock, Timeout

    folder = out / study
    lock = FileLock(folder / ".lock", timeout=wait)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as problem:
        raise LockedError(f"{folder}: another run is writing there: wait for it to end, or give --wait SECONDS") from problem
    except OSError as refusal:
        raise _unwritable(out, refusal) from refusal
    try:
        for left in folder.glob(".draft-*"):
            shutil.rmtree(left, ignore_errors=True)
        for left in (*folder.glob(".latest-*"), *folder.glob(".index-*")):
            with suppress(OSError):
                left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def write_run(
    result: StudyResult,
    out: Path,
    *,
    now: dt.datetime | None = None,
    comparison: Comparison | None = None,
    wait: float = 0.0,
) -> WrittenRun:
    """Write a run folder ``out/<study>/<run_id>`` and point ``latest`` at it.

    Parameters
    ----------
    now : datetime, optional
        Stands in the folder's name and the manifest; default the present.
    comparison : Comparison, optional
        What changed since the last run.
    wait : float
        Seconds to wait for another run of the study.

    Raises
    ------
    OutputError
        If the folder cannot be written; nothing is left behind then.
    LockedError
        If another run of the same study is writing.
    """
    with study_lock(out, study_name(result), wait):
        return write_locked(result, out, now=now, comparison=comparison)


def write_locked(
    result: StudyResult, out: Path, *, now: dt.datetime | None = None, comparison: Comparison | None = None
) -> WrittenRun:
    """Write a run folder while the lock of the study is held; else like `write_run`."""
    mark, study = identity(result), study_name(result)
    moment = (now or dt.datetime.now(dt.UTC)).replace(microsecond=0)
    kept = keep_inputs(result)
    try:
        while (folder := out / study / f"{moment:%Y%m%dT%H%M%SZ}-{mark[:8]}").exists():
            moment += dt.timedelta(seconds=1)  # a forced rerun within the second
        _write_whole(result, folder, moment, kept, comparison)
        try:
            _point(out / study / "latest", folder.name)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as refusal:
        raise _unwritable(out, refusal) from refusal
    return WrittenRun(folder, problem=_index_problem(out, out / study) or kept.problem)


def _unwritable(out: Path, refusal: OSError) -> OutputError:
    return OutputError(
        f"{refusal.filename or out}: the run cannot be written ({refusal.strerror or refusal}): "
        "free some space, or write to another folder (--out, from Python the argument of write)"
    )


def _index_problem(out: Path, drafts: Path) -> str:
    """Write the list of runs; the run itself stands whether or not that works."""
    try:
        write_index(out, drafts)
    except OSError as problem:
        return f"the run is written, but not the list {out / 'index.html'} ({problem.strerror or problem}): free some space"
    return ""


def _write_whole(
    result: StudyResult, folder: Path, moment: dt.datetime, kept: KeptInputs, comparison: Comparison | None
) -> None:
    """Write into a hidden folder beside the final one, then rename: readers never see half a run."""
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        draft.chmod(0o755)
        write_contents(result, comparison, draft)
        if result.spec is not None:
            for name, copy in kept.copies.items():
                (draft / copy).parent.mkdir(exist_ok=True)
                shutil.copyfile(result.spec.path(name), draft / copy)
        manifest = manifest_of(result, folder.name, moment, kept, comparison, _file_hashes(draft))
        (draft / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def write_contents(result: StudyResult, comparison: Comparison | None, folder: Path) -> list[str]:
    """Write what a run folder holds of the result itself, the same bytes for the same result, and return the names."""
    from eventstudy.report import render_report

    kind = result.spec.output.format if result.spec is not None else "csv"
    (folder / "tables").mkdir()
    changes = ("changes", ((comparison or NOTHING_BEFORE).table(),))
    for name, parts in itertools.chain(result.table_parts(), [changes]):
        write_parts(parts, folder / "tables" / f"{name}.{kind}", kind)
    texts = {"report.html": render_report(result, comparison=comparison)}
    if result.spec is not None:
        texts["config.toml"] = spec_text(result.spec)
        if result.seals:
            texts["config.toml.seal"] = seal_text(result.seals)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _file_hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in files}


def _point(link: Path, target: str) -> None:
    """Set a relative symlink in one step."""
    draft = link.with_name(f".{link.name}-{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        draft.symlink_to(target)
        draft.replace(link)
    finally:
        draft.unlink(missing_ok=True)


def all_runs(out: Path) -> list[dict[str, Any]]:
    """Return the manifests of all complete runs under a reports folder, newest first."""
    found = []
    for path in out.glob("*/*/manifest.json"):
        if not path.parent.is_symlink() and not path.parent.name.startswith("."):
            with suppress(DataError):  # a damaged run is no reason not to list the others
                found.append(read_manifest(path.parent) | {"folder": path.parent})
    return sorted(found, key=lambda run: (run["created"], run["study"]), reverse=True)


def write_index(out: Path, drafts: Path) -> None:
    """Write ``index.html``, the list of all runs, by way of a draft in a study's folder."""
    from eventstudy.report import render_index

    runs = [run | {"href": f"{run['study']}/{run['run_id']}/report.html"} for run in all_runs(out)]
    draft = drafts / f".index-{os.getpid()}.html"
    try:
        draft.write_text(render_index(runs), encoding="utf-8", newline="\n")
        draft.replace(out / "index.html")
    finally:
        draft.unlink(missing_ok=True)


def prune(folder: Path, keep: int, pinned: Sequence[str]) -> list[str]:
    """Remove all but the newest `keep` runs of a study, never a pinned one; return what could not be removed.

    A run disappears whole: it is renamed first.
    """
    latest = (folder / "latest").readlink().name if (folder / "latest").is_symlink() else ""
    runs = sorted((path.parent for path in folder.glob("*/manifest.json") if not path.parent.is_symlink()), reverse=True)
    runs = [run for run in runs if not run.name.startswith(".")]
    told = []
    for run in runs[keep:]:
        if run.name == latest or run.name in pinned:
            continue
        try:
            shutil.rmtree(run.rename(folder / f".draft-{run.name}"))
        except OSError as problem:
            told.append(f"{run}: the old run cannot be removed ({problem.strerror or problem})")
    return told
