"""What a run is made of: its identity, where its inputs are kept, and the manifest that tells it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import repeat
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from eventstudy import __version__
from eventstudy.changes import Comparison
from eventstudy.errors import DataError, OutputError
from eventstudy.headline import headline_of
from eventstudy.panel.result import PanelResult
from eventstudy.prices import store_folder
from eventstudy.result import StudyResult
from eventstudy.sources.base import PriceSeries
from eventstudy.sources.wide import WideSeries, content_hashes
from eventstudy.store import Store
from eventstudy.study import ALL
from eventstudy.tables import day

LIBRARIES = ("arrow", "exchange-calendars", "numpy", "pandas", "scipy", "statsmodels", "yfinance")
MOST_NAMED = 6
NO_PART = {"runs", "compute"}  # keys that move no number
TIME_WILL_TELL = {"provisional", "calendar_end"}

Manifest = Mapping[str, Any]

_identities: WeakKeyDictionary[StudyResult, str] = WeakKeyDictionary()  # a result never changes, and is asked several times


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


def versions() -> dict[str, str]:
    """Return the versions a result depends on."""
    return {"eventstudy": __version__, "python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def identity(result: StudyResult) -> str:
    """Return the SHA-256 (hex) over the resolved study, the package's version and each series' content."""
    if result not in _identities:
        _identities[result] = _identity(result)
    return _identities[result]


def _identity(result: StudyResult) -> str:
    inputs = result.inputs
    in_file = result.spec is not None and bool(result.spec.study.events)  # whose hash tells of them all
    content = {
        "study": result.spec.model_dump(mode="json", by_alias=True, exclude=NO_PART) if result.spec else repr(inputs.plan),
        "events": [] if in_file else [repr(event) for event in inputs.events],
        "regression": repr(inputs.plan.regression),
        "seals": [(seal.sealed_at.isoformat(), seal.sha256) for seal in result.seals],
        "version": __version__,
        "series": content_hashes(inputs.series),
        "files": _input_hashes(result),
        "unfinished": sorted(result.reasons),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _input_hashes(result: StudyResult) -> dict[str, str]:
    spec = result.spec
    return {name: file_hash(spec.path(name)) for name in spec.input_files} if spec else {}


def file_hash(path: Path) -> str:
    """Return the SHA-256 (hex) of a file, which may be larger than the memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def study_name(result: StudyResult) -> str:
    """Name of the folder under the reports folder."""
    return result.spec.study.name if result.spec else "event-study"


@dataclass(frozen=True)
class KeptInputs:
    """Where the inputs of a run are kept, for it to be repeated on; `problem` says why they are not.

    Parameters
    ----------
    store : Path or None
        The store's folder; None for a result without a config.
    vintages : mapping of str to str
        Name of the vintage by symbol.
    copies : mapping of str to str
        Path in the run folder by the name the config gives a file.
    table : str
        Name of the vintage that holds all shares of a wide table; empty where there is none.
    """

    store: Path | None = None
    vintages: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    table: str = ""


def keep_inputs(result: StudyResult) -> KeptInputs:
    """Keep every series a run was made from as a vintage of the store; a remote source's are there already."""
    spec = result.spec
    if spec is None:
        return KeptInputs()
    store = Store(store_folder(spec.data, spec.folder))
    copies = {name: f"inputs/{place}-{Path(name).name}" for place, name in enumerate(spec.input_files)}
    vintages: dict[str, str] = {}
    series, table = result.inputs.series, ""
    try:
        if isinstance(series, WideSeries):
            table, series = store.keep_table(series.source, series.closes), series.others
            vintages = dict.fromkeys(result.inputs.series, table)
        for symbol, one in series.items():
            vintages[symbol] = one.vintage or store.keep(one)
    except OutputError as problem:
        return KeptInputs(store.folder, vintages, copies, f"the run is written, but cannot be repeated later: {problem}", table)
    return KeptInputs(store.folder, vintages, copies, table=table)


def told_effects(result: StudyResult) -> str:
    """One clause: each firm's effect over the headline window in per cent; of many firms their mean and range."""
    plan = result.inputs.plan
    window, values = list(plan.headline_window), result.headline_values
    if not len(values):
        return f"no firm has a CAR over {window}{' yet' if result.reasons & TIME_WILL_TELL else ''}"
    effects = np.expm1(values) if plan.returns == "log" else values
    if len(values) > MOST_NAMED:
        mean = np.expm1(values.mean()) if plan.returns == "log" else values.mean()
        return f"{len(values)} CARs over {window}, {effects.min():+.1%} to {effects.max():+.1%}, on average {mean:+.1%}"
    named = zip(result.headline_cars(), effects, strict=True)
    return ", ".join(f"{name} {effect:+.1%}" for name, effect in named) + f" over {window}"


def headline_mean(result: StudyResult) -> dict[str, Any] | None:
    """Return the mean effect over the headline window of a study of many firms with its interval, as a change in value."""
    plan, means = result.inputs.plan, result.means
    bounds = plan.headline_window
    here = (means["window_start"] == bounds[0]) & (means["window_end"] == bounds[1])
    rows = means[here & (means["group"] == ALL)].to_dict("records")
    if not rows or rows[0]["n"] <= MOST_NAMED:
        return None
    found = {"effect": rows[0]["estimate"], "ci_low": rows[0]["ci_low"], "ci_high": rows[0]["ci_high"]}
    told = {name: math.expm1(value) if plan.returns == "log" else value for name, value in found.items()}
    return {"n": int(rows[0]["n"])} | {name: value if math.isfinite(value) else None for name, value in told.items()}


def event_sessions(result: StudyResult) -> list[str]:
    """Return the first and the last event session of the treated firms, as ISO dates; empty where none is known."""
    return [day(session) for session in result.treated_sessions]


def headline_effects(result: StudyResult) -> list[dict[str, Any]]:
    """Return each firm's effect over the headline window with its interval, as changes in value; empty for many firms."""
    plan = result.inputs.plan
    if len(result.headline_values) > MOST_NAMED or isinstance(result, PanelResult):
        return []
    cars = result.headline_cars()
    members = result.computation.groups[ALL]
    found = [firm.cumulative[plan.headline_window] for firm in members if not firm.cumulative[plan.headline_window].reason]

    def change(value: float) -> float:
        return math.expm1(value) if plan.returns == "log" else value

    keys = [firm.key for firm in members if not firm.cumulative[plan.headline_window].reason]
    return [
        {
            "firm": name, "firm_zh": _chinese_name(result, key, name),
            "effect": change(one.car), "ci_low": change(one.ci_low), "ci_high": change(one.ci_high),
        }
        for name, key, one in zip(cars, keys, found, strict=True)
    ]  # fmt: skip


def _chinese_name(result: StudyResult, key: tuple[str, str], name: str) -> str:
    """Return what a Chinese page calls a firm, with its event where `name` has it; empty where it has no such name."""
    event_id, symbol = key
    chinese = result.inputs.firms[symbol].name_zh or result.inputs.series[symbol].name_zh
    return f"{chinese} ({event_id})" if chinese and name.endswith(f" ({event_id})") else chinese


def _provisional(result: StudyResult) -> bool:
    return bool(result.reasons & TIME_WILL_TELL)


def manifest_of(
    result: StudyResult,
    run_id: str,
    moment: dt.datetime,
    kept: KeptInputs,
    comparison: Comparison | None,
    files: dict[str, str],
) -> dict[str, Any]:
    """Return what a run was made of and what came out: identity, versions, series with their vintages, changes, files."""
    inputs = result.inputs
    named = result.headline if isinstance(result, PanelResult) else headline_of(inputs.plan, inputs.events)
    hashes = content_hashes(inputs.series)
    return {
        "study": study_name(result),
        "title": result.spec.study.title if result.spec else "",
        "run_id": run_id,
        "created": moment.isoformat(),
        "settled": inputs.now.isoformat(),
        "identity": identity(result),
        "versions": versions(),
        "events": len(inputs.events),
        "excluded": len(result.left_out),
        "state": "provisional" if _provisional(result) else "complete",
        "told": told_effects(result),
        "effects": headline_effects(result),
        "mean": headline_mean(result),
        "sessions": event_sessions(result),
        "language": result.spec.report.language if result.spec else "en",
        "headline": {"tests": list(named.tests), "rule": named.rule, "window": list(inputs.plan.headline_window)},
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
        "changes": comparison.summary() if comparison else None,
        "store": str(kept.store) if kept.store else None,
        "table": kept.table,
        "series": {
            symbol: _series_entry(one, hashes[symbol], kept.vintages.get(symbol, ""))
            for symbol, one in _stand_ins(inputs.series)
        },
        "unknown": dict(inputs.unknown),
        "inputs": dict(kept.copies),
        "files": files,
    }


def _stand_ins(series: Mapping[str, PriceSeries]) -> Iterator[tuple[str, PriceSeries]]:
    """Yield every series; of a wide table one stands for all, since nothing but their closes differs."""
    others = series
    if isinstance(series, WideSeries):
        yield from zip(series.shares, repeat(series[series.shares[0]]))
        others = series.others
    yield from others.items()


def _series_entry(series: PriceSeries, content_hash: str, vintage: str) -> dict[str, Any]:
    return {
        "source": series.source,
        "content_hash": content_hash,
        "fetched_at": series.fetched_at,
        "vintage": vintage,
        "first": f"{series.frame.index[0]:%Y-%m-%d}" if len(series.frame) else "",
        "last": f"{series.frame.index[-1]:%Y-%m-%d}" if len(series.frame) else "",
        "name": series.name,
        "notes": list(series.notes),
        "doubts": [list(doubt) for doubt in series.doubts],
    }
