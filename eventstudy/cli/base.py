"""The group of verbs, and what they share: messages, exit codes, progress."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eventstudy import __version__
from eventstudy.errors import EventStudyError, UnexpectedError

if TYPE_CHECKING:
    from eventstudy.prices import Fetching

CHANGED = 10  # with --exit-code
CONFIGS = click.argument("configs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CONFIG...")

OUT = click.option(
    "--out", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Reports folder."
)


class Verbs(click.Group):
    """Ends every verb with the documented exit code and one sentence on stderr."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; turn what it raises into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except EventStudyError as problem:
            say(str(problem))
            ctx.exit(problem.exit_code)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click ends quietly where nobody reads on, as in `eventstudy list | head`
        except Exception as problem:
            if ctx.params.get("debug"):
                raise
            say(str(UnexpectedError(f"{type(problem).__name__}: {problem}")))
            ctx.exit(EventStudyError.exit_code)


def say(message: str) -> None:
    """Write a message to stderr, a line each."""
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
    gc.set_threshold(100_000, 50, 100)  # almost nothing a run makes is garbage before its end: looking for it took a tenth of it


def each(configs: tuple[Path, ...], action: Callable[[Path], None]) -> None:
    """Apply a verb to every config; go on past a failing one and end with the worst exit code."""
    worst = 0
    for config in configs:
        try:
            action(config)
        except EventStudyError as problem:
            say(str(problem) if str(config) in str(problem) else f"{config}: {problem}")
            worst = max(worst, problem.exit_code)
    click.get_current_context().exit(worst)


def watch(label: str, items: Sequence[str]) -> Iterable[str]:
    """Yield items, where a terminal is there with a progress bar."""
    with click.progressbar(items, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        yield from bar


def fetching(label: str, offline: bool, refresh: bool) -> Fetching:
    """How prices are fetched; where a terminal is there, with a progress bar over the symbols."""
    from eventstudy.prices import Fetching

    return Fetching(offline=offline, refresh=refresh, watch=lambda symbols: watch(label, symbols))
