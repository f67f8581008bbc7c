"""The page that compares two runs: which inputs differ, which numbers moved, and by what."""

from __future__ import annotations

from eventstudy.changes import Change, Comparison
from eventstudy.report.numbers import decimal, percent, window
from eventstudy.report.templating import environment, language_parts
from eventstudy.report.wording import own_words

QUANTITIES = {"car": "CAR", "se_car": "s.e.", "p_value": "p"}


def render_comparison(comparison: Comparison) -> str:
    """Return the page of a comparison of two runs, to be written as UTF-8."""
    inputs = [
        (change.kind.replace("_", " "), *map(own_words, (change.subject, change.date, change.field, change.old, change.new)))
        for change in comparison.changes
        if change.kind != "result"
    ]
    moved = [_moved(change) for change in comparison.of("result")]
    return environment().get_template("comparison.html.j2").render(
        language_parts(), older=own_words(comparison.older), newer=own_words(comparison.newer),
        problem=own_words(comparison.problem), inputs=inputs, moved=moved,
    )  # fmt: skip


def _moved(change: Change) -> tuple[str, ...]:
    """Return what the number is of, its window, what it is, before, now, and what moved it."""
    table, _colon, key = change.subject.partition(": ")
    parts = key.rsplit(", ", 3)
    lo, hi = parts[2:] if table == "cars" else parts[1:3]
    whose = ", ".join(parts[:2] if table == "cars" else (parts[0], parts[3]))
    values = (_number(change.field, value) for value in (change.old, change.new))
    quantity = QUANTITIES.get(change.field, change.field)
    return own_words(whose), window((int(lo), int(hi))), quantity, *values, own_words(change.explained_by)


def _number(field: str, text: str) -> str:
    if not text:
        return "none"
    return percent(float(text)) if field in ("car", "se_car") else decimal(float(text), 3)
