"""The verbs that run studies, and those about the runs there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from eventstudy.cli.base import CHANGED, CONFIGS, OUT, main, say, watch
from eventstudy.errors import EventStudyError, OutputError


@main.command()
@CONFIGS
@OUT
@click.option("--offline", is_flag=True, help="Never ask a source on the network; use what is stored.")
@click.option("--refresh", is_flag=True, help="Fetch again what is stored.")
@click.option("--force", is_flag=True, help="Write a run although nothing changed.")
@click.option("--strict", is_flag=True, help="Exit 4 if an event was excluded.")
@click.option("--as-of", metavar="RUN", default="", help="Repeat a run on the prices, events and moment it saw.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Studies computed at a time.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), help="Seconds one study may take; exit 7 past them.")
@click.option("--wait", type=click.FloatRange(0), default=0.0, help="Seconds to wait for another run of the study; else exit 6.")
@click.option("--quiet", is_flag=True, help="Print only changes and errors.")
@click.option("--exit-code", "tell", is_flag=True, help="Exit 10 if something changed since the last run.")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="Keep a log file of each study under OUT/STUDY/logs.")
def run(
    configs: tuple[Path, ...], jobs: int, timeout: float | None, quiet: bool, tell: bool, log_format: str | None, **keys: Any
) -> None:
    """Compute studies and write a run folder each, with the report.

    \b
    Examples:
      eventstudy run configs/entity-list-2019.toml
      eventstudy run configs/*.toml --out reports --jobs 4
      eventstudy run configs/watchlist/watchlist.toml --quiet --exit-code --wait 600 --timeout 1800
      eventstudy run reports/my-study/RUN/config.toml --as-of RUN
    """
    from eventstudy.errors import EventsExcludedError
    from eventstudy.rerun import Options, folder_name, run_all, told

    strict = keys["strict"]
    debug = bool(click.get_current_context().find_root().params.get("debug"))
    options = Options(watch=watch, log_format=log_format or "", debug=debug, **keys)
    several = len(configs) > 1
    worst, changed = 0, False
    summary: list[str] = []
    details: list[str] = []
    for config, done in run_all(configs, options, jobs, timeout):
        if isinstance(done, EventStudyError):
            say(str(done) if str(config) in str(done) else f"{config}: {done}")
            worst = max(worst, done.exit_code)
            summary += [f"{folder_name(config)}: failed, exit code {done.exit_code}"] if several and not quiet else []
            continue
        for message in done.messages if quiet and done.state == "unchanged" else (*done.messages, *done.standing):
            say(f"{config}: {message}")
        if done.changes and done.changes.changes:
            changed = True
        first, *details = told(done, quiet) or [""]
        summary += [first] if first else []
        for line in [f"{done.study}:", *details] if details and several else []:
            click.echo(line)
        if strict and done.excluded:
            count = "1 event was" if done.excluded == 1 else f"{done.excluded} events were"
            say(f"{config}: {count} excluded, and --strict was given: see exclusions.csv")
            worst = max(worst, EventsExcludedError.exit_code)
    for line in summary if several else [*summary, *details]:
        click.echo(line)
    click.get_current_context().exit(worst or (CHANGED if tell and changed else 0))


@main.command()
@click.argument("run_a")
@click.argument("run_b")
@OUT
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the comparison as a page, too.")
def compare(run_a: str, run_b: str, out: Path, html: Path | None) -> None:
    """Print what differs between two runs and what explains it.

    Every number that moved is told. A run is named by its folder, or by its id under the reports folder. The page is in the
    language of RUN_B.

    \b
    Examples:
      eventstudy compare 20261125T103000Z-1f2e3d4c 20261126T103000Z-5a6b7c8d
      eventstudy compare reports/my-study/20261125T103000Z-1f2e3d4c reports/my-study/latest --html compared.html
    """
    from eventstudy.explained import compare as compared
    from eventstudy.record import find_run
    from eventstudy.rerun import changed_lines

    first, second = find_run(run_a, out), find_run(run_b, out)
    older, newer = first.state(), second.state()
    comparison = compared(older, newer)
    if html is not None:  # before anything is printed, to a reader that may stop reading
        from eventstudy.record import links_of
        from eventstudy.report import render_comparison

        try:
            page = render_comparison(comparison, newer, older, links_of(first, second, html))
            html.write_text(page, encoding="utf-8", newline="\n")
        except OSError as problem:
            raise OutputError(f"{html}: the page cannot be written ({problem.strerror or problem})") from None
    for line in changed_lines(comparison):
        click.echo(line)
    if html is not None:
        click.echo(html)


@main.command(name="list")
@OUT
def list_runs(out: Path) -> None:
    """List the runs in the reports folder, newest first.

    \b
    Example:
      eventstudy list --out reports
    """
    from eventstudy.runs import all_runs

    for manifest in all_runs(out):
        about = f"{manifest['study']}/{manifest['run_id']}  {manifest.get('state', '')}  {manifest.get('told', '')}"
        click.echo(about.rstrip())


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--systemd", "form", flag_value="systemd", default="systemd", help="A service and a timer (default).")
@click.option("--cron", "form", flag_value="cron", help="A line for a crontab.")
@click.option("--github", "form", flag_value="github", help="A GitHub Actions workflow.")
@click.option("--at", "clock", default="18:30", show_default=True, help="Time of day, HH:MM, in --timezone.")
@click.option("--timezone", help="IANA zone; default: that of the study's exchange.")
@OUT
def schedule(config: Path, form: str, clock: str, timezone: str | None, out: Path) -> None:
    """Print what makes the system run a study every trading evening.

    \b
    Examples:
      eventstudy schedule configs/watchlist/watchlist.toml --systemd
      eventstudy schedule configs/watchlist/watchlist.toml --cron --at 17:00 --timezone Asia/Shanghai
    """
    from eventstudy.configfile import load_study
    from eventstudy.scheduling import schedule_text

    click.echo(schedule_text(form, load_study(config), config, clock, timezone, out), nl=False)
