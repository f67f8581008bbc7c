"""The fenced blocks of the Markdown pages: where they stand, what language they are in, whether they are marked as not run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<why>[^\n]+) -->\n\n?)?```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    language: str
    text: str
    why: str  # why it is not run, if it is marked so

    @property
    def id(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """The commands of a console block, each with the lines it is shown to print.

        Where there are prompts, what stands between them is output; else every line is a command. A backslash continues a line.
        """
        lines = self.text.replace("\\\n", " ").splitlines()
        if not any(line.startswith("$ ") for line in lines):
            return [(line.strip(), []) for line in lines if line.strip() and not line.lstrip().startswith("#")]
        found: list[tuple[str, list[str]]] = []
        for line in lines:
            if line.startswith("$ "):
                found.append((line[2:].strip(), []))
            else:
                found[-1][1].append(line)
        return found


def blocks(*languages: str) -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            if found["language"] in languages or not languages:
                line = text.count("\n", 0, found.start("language")) + 1
                yield Block(page, line, found["language"], found["text"], found["why"] or "")
