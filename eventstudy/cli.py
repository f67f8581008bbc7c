"""The command line: verbs, messages and exit codes; everything else lives in the package."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eventstudy import __version__
from eventstudy.errors import ConfigError, EventsExcludedError, EventStudyError

if TYPE_CHECKING:
    from eventstudy.prices import Fetching
    from eventstudy.result import StudyResult
    from eventstudy.study import Computation

MOST_NAMED = 6
CONFIGS = click.argument("configs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CONFIG...")


class Verbs(click.Group):
    """Ends every verb with the documented exit code and one sentence on stderr."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; turn what it raises into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except EventStudyError as problem:
            _say(str(problem))
            ctx.exit(problem.exit_code)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as problem:
            if ctx.params.get("debug"):
                raise
            _say(f"internal error ({type(problem).__name__}: {problem}): please report it; --debug shows where")
            ctx.exit(EventStudyError.exit_code)


def _say(message: str) -> None:
    for line in message.splitlines():
        click.echo(f"eventstudy: {line}", err=True)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="eventstudy")
@click.option("--debug", is_flag=True, help="Show where an internal error arose.")
def main(debug: bool) -> None:
    """Event studies that stay right when trading is suspended.

    \b
    Examples:
      eventstudy run configs/entity-list-2019.toml
      eventstudy check configs/entity-list-2019.toml
      eventstudy init my-study --firms 002415.SZ --on 2019-10-07 --timezone America/New_York
    """


def _each(configs: tuple[Path, ...], action: Callable[[Path], None]) -> None:
    """Apply a verb to every config; go on past a failing one and end with the worst exit code."""
    worst = 0
    for config in configs:
        try:
            action(config)
        except EventStudyError as problem:
            _say(str(problem) if str(config) in str(problem) else f"{config}: {problem}")
            worst = max(worst, problem.exit_code)
    click.get_current_context().exit(worst)


@main.command()
@CONFIGS
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Reports folder.")
@click.option("--offline", is_flag=True, help="Never ask a source on the network; use what is stored.")
@click.option("--refresh", is_flag=True, help="Fetch again what is stored.")
@click.option("--force", is_flag=True, help="Write a run although nothing changed.")
@click.option("--strict", is_flag=True, help="Exit 4 if an event was excluded.")
def run(configs: tuple[Path, ...], out: Path, offline: bool, refresh: bool, force: bool, strict: bool) -> None:
    """Compute studies and write a run folder each, with the report.

    \b
    Examples:
      eventstudy run configs/entity-list-2019.toml
      eventstudy run configs/*.toml --out reports --strict
    """

    def one(config: Path) -> None:
        from eventstudy.run import run_study
        from eventstudy.runs import unchanged_run, write_run

        result = run_study(config, fetching=_fetching(f"{config}: fetching", offline, refresh))
        _tell_of_prices(config, result.computation)
        written = None if force else unchanged_run(result, out)
        if written is None:
            _compute_tables(result, f"{config}: computing")
            written = write_run(result, out)
        state = "unchanged, " if written.unchanged else ""
        click.echo(f"{written.folder.parent.name}: {state}{_headline(result)}; {written.report}")
        if written.problem:
            _say(f"{config}: {written.problem}")
        for item in result.computation.exclusions:
            _say(f"{config}: event {item.event_id}, {item.symbol} is excluded, {item.reason}: {item.detail}")
        if strict and result.computation.exclusions:
            count = len(result.computation.exclusions)
            told = "1 event was" if count == 1 else f"{count} events were"
            raise EventsExcludedError(f"{config}: {told} excluded, and --strict was given: see exclusions.csv")

    _each(configs, one)


def _fetching(label: str, offline: bool, refresh: bool) -> Fetching:
    """How prices are fetched; where a terminal is there, with a progress bar over the symbols."""
    from eventstudy.prices import Fetching

    def watch(symbols: Sequence[str]) -> Iterable[str]:
        with click.progressbar(symbols, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            yield from bar

    return Fetching(offline=offline, refresh=refresh, watch=watch)


def _tell_of_prices(config: Path, study: Computation) -> None:
    """Say what the reader of numbers must know at once: stale or revised prices, another source, a missing event session."""
    from eventstudy.doubt import event_doubts
    from eventstudy.sources.stored import TOLD

    for outcome in study.inputs.outcomes:
        if outcome.deed in TOLD:
            _say(f"{config}: {outcome.symbol} is {outcome.deed}, {outcome.detail}")
    for series in study.inputs.series.values():
        for note in series.notes:
            if note.startswith("served by "):
                _say(f"{config}: {series.symbol} is {note}")
    for firm in study.firms:
        for doubt in event_doubts(firm):
            if doubt.severity == "error":
                _say(f"{config}: {doubt.subject}: {doubt.text}")


def _compute_tables(result: StudyResult, label: str) -> None:
    """Compute what takes long; where a terminal is there, with a progress bar."""
    tables = ("cars", "draws", "tests", "detectable")
    with click.progressbar(tables, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for name in bar:
            getattr(result, name)


def _headline(result: StudyResult) -> str:
    """One clause: each firm's effect over the headline window in per cent; of many firms their mean and range."""
    import numpy as np

    study = result.computation
    plan = study.inputs.plan
    window = list(plan.headline_window)
    members = [firm for firm in study.groups["all"] if not firm.cumulative[plan.headline_window].reason]
    if not members:
        return f"no firm has a CAR over {window} yet"
    cars = np.array([firm.cumulative[plan.headline_window].car for firm in members])
    effects = np.expm1(cars) if plan.returns == "log" else cars
    if len(members) > MOST_NAMED:
        mean = np.expm1(cars.mean()) if plan.returns == "log" else cars.mean()
        return f"{len(members)} CARs over {window}, {effects.min():+.1%} to {effects.max():+.1%}, on average {mean:+.1%}"
    named = [firm.settings.name or firm.dated.event.symbol for firm in members]
    return ", ".join(f"{name} {effect:+.1%}" for name, effect in zip(named, effects, strict=True)) + f" over {window}"


@main.command()
@CONFIGS
@click.option("--offline", is_flag=True, help="Never ask a source on the network; use what is stored.")
@click.option("--refresh", is_flag=True, help="Fetch again what is stored.")
def fetch(configs: tuple[Path, ...], offline: bool, refresh: bool) -> None:
    """Bring the store up to date and print what changed.

    \b
    Example:
      eventstudy fetch configs/entity-list-2019-yahoo.toml
    """

    def one(config: Path) -> None:
        from eventstudy.configfile import load_study
        from eventstudy.errors import UnknownSymbolError
        from eventstudy.inputs import fetch_study

        fetched = fetch_study(load_study(config), _fetching(f"{config}: fetching", offline, refresh))
        for outcome in fetched.outcomes:
            click.echo(f"{outcome.symbol} ({outcome.source}): {outcome.deed}, {outcome.detail}")
        for symbol, series in fetched.series.items():
            if not series.vintage:
                click.echo(f"{symbol} ({series.source}): local, {len(series.frame)} rows")
        unknown = "; ".join(f"{symbol}: {told}" for symbol, told in fetched.unknown.items())
        if unknown and fetched.failed:
            _say(f"{config}: {unknown}")
        fetched.complete()
        if unknown:
            raise UnknownSymbolError(unknown)

    _each(configs, one)


@main.command()
@CONFIGS
@click.option("--against", metavar="SOURCE", help="Compare the closes with those of another source.")
@click.option("--offline", is_flag=True, help="Never ask a source on the network; use what is stored.")
def check(configs: tuple[Path, ...], against: str | None, offline: bool) -> None:
    """Look at configs, events and prices without computing effects.

    \b
    Exit code 3 if the data cannot carry the study, such as an event session without a price.
    Examples:
      eventstudy check configs/entity-list-2019.toml
      eventstudy check configs/entity-list-2019-yahoo.toml --against snapshot
    """

    def one(config: Path) -> None:
        from eventstudy.check import check_against, check_seals, check_study
        from eventstudy.configfile import load_study
        from eventstudy.errors import DataError
        from eventstudy.inputs import study_inputs
        from eventstudy.seal import seals_of, standings
        from eventstudy.study import compute

        spec, fetching = load_study(config), _fetching(f"{config}: fetching", offline, False)
        seals = seals_of(spec)
        study = compute(study_inputs(spec, fetching))
        findings = check_seals(standings(spec, seals, study.firms)) + check_study(study)
        if against:
            findings += check_against(study, spec, against, fetching)
        click.echo(f"{config}: valid")
        for item in findings:
            click.echo(f"  {item.severity:<8}{item.subject}: {item.text}")
        errors = [item for item in findings if item.severity == "error"]
        if errors:
            raise DataError(f"{config}: {errors[0].subject}: {errors[0].text}")

    _each(configs, one)


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--theirs", required=True, type=click.Path(path_type=Path), help="Table of the other tool: CSV or Parquet.")
@click.option("--firm-column", help="Its column of firms; default: a known name.")
@click.option("--car-column", help="Its column of CARs; default: a known name.")
@click.option("--firm", "only", default="", help="Whose numbers they are, where the table has no column of firms.")
@click.option("--window", help="Window of their CARs, such as 0,3; default: the headline window.")
@click.option("--csv", "csv", type=click.Path(path_type=Path), help="Write everything that was tried to this file.")
@click.option("--offline", is_flag=True, help="Never ask a source on the network; use what is stored.")
def explain(
    config: Path, theirs: Path, firm_column: str | None, car_column: str | None, only: str, window: str | None, csv: Path | None,
    offline: bool,
) -> None:
    """Say why another tool's CARs differ: which of its conventions gives its numbers.

    \b
    Examples:
      eventstudy explain configs/entity-list-2019.toml --theirs docs/examples/their-cars.csv
      eventstudy explain study.toml --theirs results.csv --firm-column firm --car-column CAR --window 0,3 --csv tried.csv
    """
    from eventstudy.configfile import load_study
    from eventstudy.explain import explain as attribute
    from eventstudy.explain import matrix
    from eventstudy.inputs import study_inputs
    from eventstudy.report.explanation import explanation_lines
    from eventstudy.runs import write_table
    from eventstudy.study import compute
    from eventstudy.theirs import read_theirs
    from eventstudy.windows import parse_window

    spec = load_study(config)
    bounds = parse_window(window, "--window") if window else spec.headline_window
    numbers = read_theirs(theirs, bounds, firm_column, car_column, only)
    found = attribute(compute(study_inputs(spec, _fetching(f"{config}: fetching", offline, False))), numbers)
    for line in explanation_lines(found):
        click.echo(line)
    if csv is not None:
        write_table(matrix(found), csv)


@main.command()
@CONFIGS
@click.option("--force", is_flag=True, help="Seal anew; the old seal is kept in the history.")
def seal(configs: tuple[Path, ...], force: bool) -> None:
    """Seal the design of studies before prices are read: firms, dates, windows, tests, model.

    \b
    Writes CONFIG.seal beside the config; `run` and `check` list every change since.
    Example:
      eventstudy seal configs/entity-list-2019.toml
    """

    def one(config: Path) -> None:
        from eventstudy.configfile import load_study
        from eventstudy.inputs import study_events
        from eventstudy.seal import TIMINGS, timing, write_seal

        spec = load_study(config)
        path, made = write_seal(spec, dt.datetime.now(dt.UTC), force=force)
        click.echo(f"{path.name}: design sealed on {made.sealed_at.isoformat()} (SHA-256 {made.sha256})")
        when = timing(made.sealed_at, study_events(spec))
        if when != "before":
            _say(f"{config}: {TIMINGS[when]}")

    _each(configs, one)


@main.command()
def schema() -> None:
    """Print the config's JSON Schema, for editors.

    \b
    Example:
      eventstudy schema > eventstudy.schema.json
    """
    from eventstudy.config import StudySpec

    click.echo(json.dumps(StudySpec.model_json_schema(by_alias=True), indent=2, ensure_ascii=False))


@main.command()
@click.argument("name")
@click.option("--firms", help="Symbols, separated by commas.")
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="Date of the announcement, in --timezone.")
@click.option("--at", "at", help="Instant of the announcement, ISO 8601.")
@click.option("--timezone", help="IANA zone, such as America/New_York.")
@click.option("--source", type=click.Choice(["snapshot", "yahoo", "baostock"]), default="snapshot", help="Of the prices.")
@click.option("--benchmark", help="Symbol of the index; default: proposed from the suffixes.")
def init(
    name: str, firms: str | None, on: dt.datetime | None, at: str | None, timezone: str | None, source: str, benchmark: str | None
) -> None:
    """Write a commented config NAME.toml in the current folder.

    Without options it holds an example that runs offline.

    \b
    Example:
      eventstudy init my-study --firms 002415.SZ,002236.SZ --on 2019-10-07 --timezone America/New_York
    """
    from eventstudy.configfile import write_new
    from eventstudy.proposal import EXAMPLE_DATE, EXAMPLE_FIRMS, Proposal, config_text

    if on is not None and at is not None:
        raise ConfigError("--on and --at exclude each other: give the date or the instant")
    if (firms is None) != (on is None and at is None):
        raise ConfigError("--firms goes with --on DATE or --at INSTANT: give both, or neither for an example")
    stem = name.removesuffix(".toml")
    if firms is None:
        proposal = Proposal(stem, EXAMPLE_FIRMS, EXAMPLE_DATE, None, "America/New_York", source, benchmark)
    else:
        symbols = [symbol.strip() for symbol in firms.split(",") if symbol.strip()]
        proposal = Proposal(stem, symbols, on.date() if on else None, at, timezone, source, benchmark)
    path = write_new(Path(f"{stem}.toml"), config_text(proposal))
    click.echo(f"{path}: written; next: eventstudy check {path}")
