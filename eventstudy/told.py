"""Sentences that keep their parts: English text everywhere, and a page in another language can say them anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def N_(message: str) -> str:
    """Mark a message that a module holds for the report's catalogue."""
    return message


class Told(str):
    """A sentence with the message it was made from.

    Parameters
    ----------
    message : str
        English, with named places for `values`.

    Examples
    --------
    >>> found = Told("{count} rows are left out", count=3)
    >>> found, found.message
    ('3 rows are left out', '{count} rows are left out')
    """

    __slots__ = ("message", "values")

    message: str
    values: Mapping[str, object]

    def __new__(cls, message: str, **values: object) -> Told:
        """Make the sentence."""
        made = super().__new__(cls, message.format(**values) if values else message)
        made.message, made.values = message, values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        return (self.message,), dict(self.values)


class Several(str):
    """Parts that a sentence lists, with commas between them."""

    __slots__ = ("parts",)

    parts: tuple[str, ...]

    def __new__(cls, parts: Iterable[str]) -> Several:
        """Join the parts."""
        kept = tuple(parts)
        made = super().__new__(cls, ", ".join(kept))
        made.parts = kept
        return made

    def __reduce__(self) -> tuple[type[Several], tuple[tuple[str, ...]]]:
        return Several, (self.parts,)
