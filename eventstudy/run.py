"""From a config to a result: the one function behind the command line and research code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventstudy.config import StudySpec
from eventstudy.configfile import load_study, spec_from_dict
from eventstudy.inputs import study_inputs
from eventstudy.panel.build import run_inputs
from eventstudy.panel.engines import Engine, Watch, unwatched
from eventstudy.prices import Fetching
from eventstudy.result import StudyResult
from eventstudy.seal import seals_of


def as_spec(study: str | Path | Mapping[str, Any] | StudySpec) -> StudySpec:
    """Return the spec of a study given by path, as a dict or as a spec."""
    if isinstance(study, StudySpec):
        return study
    return spec_from_dict(study) if isinstance(study, Mapping) else load_study(study)


def run_study(
    study: str | Path | Mapping[str, Any] | StudySpec, *, fetching: Fetching | None = None, watch: Watch = unwatched
) -> StudyResult:
    """Compute a study.

    Parameters
    ----------
    study : path, dict or StudySpec
        A config file, a dict of the same shape, or a spec from `load_study`.
    fetching : Fetching, optional
        How prices are fetched, and what the present is.
    watch : callable
        Wraps the chunks of a study of many events, for a progress bar.

    Returns
    -------
    StudyResult
        The result the command line writes.

    Raises
    ------
    ConfigError
        If the config is not a valid study, or the seal beside it is damaged.
    DataError
        If prices are missing or unusable, or every event is excluded.
    SourceUnreachableError
        If the source does not answer and the store cannot serve.

    Examples
    --------
    >>> import eventstudy as es
    >>> result = es.run_study("configs/entity-list-2019.toml")  # offline, on prices that come with the package
    >>> result.events["status"].value_counts().to_dict()
    {'ok': 8}
    >>> means = result.caar.query("group == 'all' and window_start == 0")  # n: two of the three were suspended on the first day
    >>> print(means[["window_end", "n", "caar"]].round(3).to_string(index=False))
     window_end  n   caar
              0  1 -0.034
              2  3 -0.035
              3  3 -0.058
              5  3 -0.083
             10  3 -0.031
    """
    spec = as_spec(study)
    seals = seals_of(spec)
    return run_inputs(study_inputs(spec, fetching), spec, seals, Engine(spec.compute.engine, spec.compute.scheduler, watch))
