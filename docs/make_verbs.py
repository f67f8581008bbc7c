"""Writes docs/verbs.md from the command line's own help: `make docs-pages`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click

from eventstudy import errors
from eventstudy.cli import main
from eventstudy.cli.base import CHANGED

PAGE = Path(__file__).parent / "verbs.md"
HEAD = """# Every verb

`eventstudy VERB --help` prints the same. Results go to stdout, messages to stderr, one sentence each: what, where, and what to
do. `eventstudy --debug VERB ...` shows where an internal error arose. This page is made from the program's help.
"""
ORDER = ["init", "check", "power", "seal", "run", "list", "compare", "explain", "fetch", "schedule", "schema"]


def page() -> str:
    """Return the text of the page."""
    places = {name: place for place, name in enumerate(ORDER)}
    names = sorted(main.commands, key=lambda name: (places.get(name, len(places)), name))
    rows = [f"| [`{name}`](#{name}) | {_cell(main.commands[name].get_short_help_str(200))} |" for name in names]
    parts = [HEAD, "| verb | what it does |\n|---|---|\n" + "\n".join(rows) + "\n"]
    parts += [_section(name, main.commands[name]) for name in names]
    return "\n".join([*parts, _exit_codes()]).rstrip() + "\n"


def _section(name: str, command: click.Command) -> str:
    text, examples = told(command)
    usage = " ".join(["eventstudy", name, *command.collect_usage_pieces(click.Context(command))])
    lines = [f"## {name}", "", text, "", "```text", usage, "```", "", "```console", *examples, "```", ""]
    options = [option for option in command.params if isinstance(option, click.Option)]
    if options:
        lines += ["| option | value | default | what it does |", "|---|---|---|---|", *map(_row, options), ""]
    return "\n".join(lines)


def told(command: click.Command) -> tuple[str, list[str]]:
    """Return what a verb's help says of it, in Markdown, and its examples, a command each."""
    about, _, shown = inspect.cleandoc(command.help or "").replace("Example:", "Examples:").partition("Examples:")
    paragraphs = [" ".join(part.replace("\b", "").split()) for part in about.split("\n\n")]
    return "\n\n".join(part for part in paragraphs if part), [line.strip() for line in shown.splitlines() if line.strip()]


def _row(option: click.Option) -> str:
    metavar = option.make_metavar(click.Context(click.Command("verb"))).strip("[]").replace("%Y-%m-%d", "YYYY-MM-DD")
    value = "" if option.is_flag else metavar
    default = f"`{option.default}`" if option.show_default and not option.is_flag else ""
    names = ", ".join(f"`{name}`" for name in option.opts)
    return f"| {names} | {_cell(value)} | {default} | {_cell(option.help or '')} |"


def _cell(text: str) -> str:
    return re.sub(r"(?<![`\w-])(--?[a-z][\w-]*)", r"`\1`", text.replace("|", ", ").replace("\n", " "))


def _exit_codes() -> str:
    codes: dict[int, list[str]] = {0: ["Done; also when nothing changed."]}
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.EventStudyError) and "exit_code" in vars(kind) and kind is not errors.EventStudyError:
            codes.setdefault(kind.exit_code, []).append(inspect.cleandoc(kind.__doc__ or "").replace("``", "`"))
    codes[errors.UnexpectedError.exit_code] = ["An internal error; please report it with what `--debug` shows."]
    codes[CHANGED] = ["With `--exit-code`: something changed since the last run."]
    rows = [f"| {code} | {' '.join(texts)} |" for code, texts in sorted(codes.items())]
    return "\n".join(["## Exit codes", "", "| code | meaning |", "|---|---|", *rows])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
