"""Run folders: written whole or not at all, named by time and identity, listed in an index."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from eventstudy import __version__
from eventstudy.configfile import spec_text
from eventstudy.errors import DataError, LockedError, OutputError
from eventstudy.headline import headline_of
from eventstudy.result import StudyResult

LIBRARIES = ("arrow", "exchange-calendars", "numpy", "pandas", "scipy", "statsmodels", "yfinance")


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


def versions() -> dict[str, str]:
    """Return the versions a result depends on."""
    return {"eventstudy": __version__, "python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def identity(result: StudyResult) -> str:
    """Return the SHA-256 (hex) over the resolved study, the package's version and each series' content."""
    inputs = result.computation.inputs
    content = {
        "study": result.spec.model_dump(mode="json", by_alias=True) if result.spec else repr(inputs.plan),
        "events": [repr(event) for event in inputs.events],
        "regression": repr(inputs.plan.regression),
        "seals": [(seal.sealed_at.isoformat(), seal.sha256) for seal in result.seals],
        "version": __version__,
        "series": {symbol: series.content_hash for symbol, series in sorted(inputs.series.items())},
        "factors": inputs.factors.content_hash if inputs.factors else None,
        "unfinished": sorted({found.reason for firm in result.computation.firms for found in firm.cumulative.values()}),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def study_name(result: StudyResult) -> str:
    """Name of the folder under the reports folder."""
    return result.spec.study.name if result.spec else "event-study"


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


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run folder.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as problem:
        raise DataError(f"{folder / 'manifest.json'}: the manifest cannot be read: remove the run folder") from problem


def write_run(result: StudyResult, out: Path, *, now: dt.datetime | None = None) -> WrittenRun:
    """Write a run folder ``out/<study>/<run_id>`` and point ``latest`` at it.

    Parameters
    ----------
    now : datetime, optional
        Stands in the folder's name and the manifest; default the present.

    Raises
    ------
    OutputError
        If the folder cannot be written; nothing is left behind then.
    LockedError
        If another run of the same study is writing.
    """
    mark, study = identity(result), study_name(result)
    moment = (now or dt.datetime.now(dt.UTC)).replace(microsecond=0)
    try:
        with _study_lock(out / study):
            while (folder := out / study / f"{moment:%Y%m%dT%H%M%SZ}-{mark[:8]}").exists():
                moment += dt.timedelta(seconds=1)  # a forced rerun within the second
            _write_whole(result, folder, mark, moment)
            try:
                _point(out / study / "latest", folder.name)
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            problem = _index_problem(out, out / study)
    except OSError as refusal:
        raise OutputError(
            f"{refusal.filename or out}: the run cannot be written ({refusal.strerror or refusal}): "
            "free some space, or name a folder you may write to with --out"
        ) from refusal
    return WrittenRun(folder, problem=problem)


def _index_problem(out: Path, drafts: Path) -> str:
    """Write the list of runs; the run itself stands whether or not that works."""
    try:
        write_index(out, drafts)
    except OSError as problem:
        return f"the run is written, but not the list {out / 'index.html'} ({problem.strerror or problem}): free some space"
    return ""


@contextmanager
def _study_lock(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            for left in folder.glob(".draft-*"):  # of a killed run: the lock is ours
                shutil.rmtree(left, ignore_errors=True)
            for left in (*folder.glob(".latest-*"), *folder.glob(".index-*")):
                left.unlink(missing_ok=True)
            yield
    except Timeout as problem:
        raise LockedError(f"{folder}: another run is writing there: wait for it to end") from problem


def _write_whole(result: StudyResult, folder: Path, mark: str, moment: dt.datetime) -> None:
    """Write into a hidden folder beside the final one, then rename: readers never see half a run."""
    from eventstudy.report import render_report

    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        draft.chmod(0o755)
        (draft / "tables").mkdir()
        for name, table in result.tables().items():
            write_table(table, draft / "tables" / f"{name}.csv")
        (draft / "report.html").write_text(render_report(result), encoding="utf-8", newline="\n")
        if result.spec is not None:
            (draft / "config.toml").write_text(spec_text(result.spec), encoding="utf-8", newline="\n")
        manifest = manifest_of(result, folder.name, mark, moment, _file_hashes(draft))
        (draft / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV: doubles by their shortest exact text, undefined as empty."""
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _file_hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def manifest_of(result: StudyResult, run_id: str, mark: str, moment: dt.datetime, files: dict[str, str]) -> dict[str, Any]:
    """Return what a run was made of: identity, versions, series with the time they were fetched and their vintage, files."""
    inputs = result.computation.inputs
    headline = headline_of(inputs.plan, inputs.events)
    return {
        "study": study_name(result),
        "title": result.spec.study.title if result.spec else "",
        "run_id": run_id,
        "created": moment.isoformat(),
        "identity": mark,
        "versions": versions(),
        "headline": {"tests": list(headline.tests), "rule": headline.rule, "window": list(inputs.plan.headline_window)},
        "seals": [
            {
                "sealed_at": standing.seal.sealed_at.isoformat(),
                "sha256": standing.seal.sha256,
                "timing": standing.timing,
                "replaced": standing.replaced,
                "changes": [str(change) for change in standing.changes],
            }
            for standing in result.standings
        ],
        "events": len(inputs.events),
        "excluded": len(result.computation.exclusions),
        "series": {
            symbol: {
                "source": series.source,
                "content_hash": series.content_hash,
                "fetched_at": series.fetched_at,
                "vintage": series.vintage,
            }
            for symbol, series in inputs.series.items()
        },
        "factors": {Path(table.where).name: table.content_hash for table in [inputs.factors] if table},
        "files": files,
    }


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
