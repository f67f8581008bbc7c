"""The verbs that make and seal a design."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import click

from eventstudy.cli.base import CONFIGS, each, main, say
from eventstudy.errors import ConfigError


@main.command()
@click.argument("name")
@click.option("--firms", help="Symbols, separated by commas.")
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="Date of the announcement, in --timezone.")
@click.option("--at", "at", help="Instant of the announcement, ISO 8601.")
@click.option("--timezone", help="IANA zone, such as America/New_York.")
@click.option("--source", type=click.Choice(["snapshot", "yahoo", "baostock"]), default="snapshot", help="Source of the prices.")
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
@CONFIGS
@click.option("--force", is_flag=True, help="Seal anew; the old seal is kept in the history.")
def seal(configs: tuple[Path, ...], force: bool) -> None:
    """Seal the design of studies before prices are read.

    Writes CONFIG.seal beside the config, with firms, dates, windows, tests and model; `run` and `check` list every change since.

    \b
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
            say(f"{config}: {TIMINGS[when]}")

    each(configs, one)
