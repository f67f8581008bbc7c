"""The committed sample report is the page that the study makes today."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

VERSIONS = re.compile(r'<dl class="versions">.*?</dl>')


def test_sample_report_is_todays_page(entity_runs, root: Path) -> None:
    sample = (root / "reports" / "sample" / "report.html").read_text(encoding="utf-8")
    page = (entity_runs[0] / "entity-list-2019" / "latest" / "report.html").read_text(encoding="utf-8")
    assert VERSIONS.search(sample)
    before, after = (VERSIONS.sub("", text).splitlines() for text in (sample, page))
    changed = list(difflib.unified_diff(before, after, "sample", "today", lineterm="", n=0))[:20]
    assert not changed, "the page changed: look at it, then `make sample`\n" + "\n".join(line[:200] for line in changed)
