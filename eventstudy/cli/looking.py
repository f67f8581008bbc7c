"""The verbs that look: at prices, at a study before its effects, at what another tool says."""

from __future__ import annotations

from pathlib import Path

import click

from eventstudy.cli.base import CONFIGS, each, fetching, main, say


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

        fetched = fetch_study(load_study(config), fetching(f"{config}: fetching", offline, refresh))
        for outcome in fetched.outcomes:
            click.echo(f"{outcome.symbol} ({outcome.source}): {outcome.deed}, {outcome.detail}")
        for symbol, series in fetched.series.items():
            if not series.vintage:
                click.echo(f"{symbol} ({series.source}): local, {len(series.frame)} rows")
        unknown = "; ".join(f"{symbol}: {told}" for symbol, told in fetched.unknown.items())
        if unknown and fetched.failed:
            say(f"{config}: {unknown}")
        fetched.complete()
        if unknown:
            raise UnknownSymbolError(unknown)

    each(configs, one)


@main.command()
@CONFIGS
@click.option("--against", metavar="SOURCE", help="Compare the closes with those of another source.")
@click.option("--offline", is_flag=True, help="Never ask a source on the network; use what is stored.")
def check(configs: tuple[Path, ...], against: str | None, offline: bool) -> None:
    """Look at configs, events and prices without computing effects.

    Exit code 3 if the data cannot carry the study, such as an event session without a price.

    \b
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

        spec, how = load_study(config), fetching(f"{config}: fetching", offline, False)
        seals = seals_of(spec)
        study = compute(study_inputs(spec, how))
        findings = check_seals(standings(spec, seals, study.firms)) + check_study(study)
        if against:
            findings += check_against(study, spec, against, how)
        click.echo(f"{config}: valid")
        for item in findings:
            click.echo(f"  {item.severity:<8}{item.subject}: {item.text}")
        errors = [item for item in findings if item.severity == "error"]
        if errors:
            raise DataError(f"{config}: {errors[0].subject}: {errors[0].text}")

    each(configs, one)


@main.command()
@CONFIGS
@click.option("--offline", is_flag=True, help="Never ask a source on the network; use what is stored.")
def power(configs: tuple[Path, ...], offline: bool) -> None:
    """Print what a design can find, before the event is looked at.

    The smallest effect found with probability 0.8 by window and number of firms; then which tests may be trusted: how often
    each rejects at placebo dates, with the suspensions of the event, without an effect and with one. No effect of the event
    is shown.

    \b
    Example:
      eventstudy power configs/entity-list-2019.toml
    """

    def one(config: Path) -> None:
        from eventstudy.configfile import load_study
        from eventstudy.inputs import study_inputs
        from eventstudy.report.trust import power_lines
        from eventstudy.result import StudyResult
        from eventstudy.study import compute

        spec = load_study(config)
        study = compute(study_inputs(spec, fetching(f"{config}: fetching", offline, False)))
        for line in power_lines(StudyResult(study, spec)):
            click.echo(line)
        for item in study.exclusions:
            say(f"{config}: {item.event_id}, {item.symbol} is excluded, {item.reason}: {item.detail}")

    each(configs, one)


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
    """Say which conventions make another tool's CARs differ.

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
    from eventstudy.study import compute
    from eventstudy.tablefiles import write_table
    from eventstudy.theirs import read_theirs
    from eventstudy.windows import parse_window

    spec = load_study(config)
    bounds = parse_window(window, "--window") if window else spec.headline_window
    numbers = read_theirs(theirs, bounds, firm_column, car_column, only)
    found = attribute(compute(study_inputs(spec, fetching(f"{config}: fetching", offline, False))), numbers)
    for line in explanation_lines(found):
        click.echo(line)
    if csv is not None:
        write_table(matrix(found), csv)
