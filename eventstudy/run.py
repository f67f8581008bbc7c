"""From a config to a result: the one function behind the command line and research code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventstudy.config import StudySpec
from eventstudy.configfile import load_study, spec_from_dict
from eventstudy.inputs import study_inputs
from eventstudy.result import StudyResult
from eventstudy.study import compute


def as_spec(study: str | Path | Mapping[str, Any] | StudySpec) -> StudySpec:
    """Return the spec of a study given by path, as a dict or as a spec."""
    if isinstance(study, StudySpec):
        return study
    return spec_from_dict(study) if isinstance(study, Mapping) else load_study(study)


def run_study(study: str | Path | Mapping[str, Any] | StudySpec, *, now: dt.datetime | None = None) -> StudyResult:
    """Compute a study.

    Parameters
    ----------
    study : path, dict or StudySpec
        A config file, a dict of the same shape, or a spec from `load_study`.
    now : datetime, optional
        The moment that decides whether a window is complete; default the present.

    Returns
    -------
    StudyResult
        The result the command line writes.

    Raises
    ------
    ConfigError
        If the config is not a valid study.
    DataError
        If prices are missing or unusable, or every event is excluded.
    """
    spec = as_spec(study)
    return StudyResult(compute(study_inputs(spec, now=now)), spec)
