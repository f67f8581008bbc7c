"""Writes docs/reasons.md from the codes and words of the program: `make docs-pages`."""

from __future__ import annotations

from pathlib import Path

from eventstudy.report.wording import REASONS

PAGE = Path(__file__).parent / "reasons.md"
HEAD = """# Every reason code

A number that is not defined is empty in the tables, and the column `reason` says why; some reasons stand beside a number and
say what to mind about it; several are joined by `; `. This page is made from the program's own words.

| code | what it says |
|---|---|
"""


def page() -> str:
    """Return the text of the page."""
    return HEAD + "".join(f"| `{code}` | {text} |\n" for code, text in sorted(REASONS.items()))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
