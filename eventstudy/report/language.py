"""The language of a page: each sentence is one message, English in the code, looked up here in the catalogue.

The language belongs to the page that is being written, not to the process: two threads may write two languages.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import resources

from eventstudy.told import N_

__all__ = ["LANGUAGES", "N_", "_", "catalogue", "ngettext", "pgettext", "spoken", "written_in"]

DOMAIN = "report"


@dataclass(frozen=True)
class Language:
    """A language a page can be written in: what HTML calls it, and what stands between two sentences."""

    html: str
    space: str


LANGUAGES = {"en": Language("en", " "), "zh": Language("zh-CN", "")}

_spoken: ContextVar[str] = ContextVar("language", default="en")


@contextmanager
def written_in(language: str) -> Iterator[None]:
    """Write everything inside the block in one of LANGUAGES."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> str:
    """Return the language being written, as the config names it."""
    return _spoken.get()


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the messages of a language, from its ``.po`` file: there is no compiled copy that could fall behind."""
    if language == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    file = resources.files("eventstudy.report") / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(file.read_bytes()), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _(message: str, **values: object) -> str:
    """Return a message in the language of the page, with `values` in its named places."""
    found = catalogue(_spoken.get()).gettext(message) if message else ""  # the empty message is the catalogue's own header
    return found.format(**values) if values else found


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """Return the message that goes with a number, with `values` in its named places."""
    found = catalogue(_spoken.get()).ngettext(one, many, number)
    return found.format(**values) if values else found


def pgettext(context: str, message: str, **values: object) -> str:
    """Return a message whose translation depends on where it stands, with `values` in its named places."""
    found = catalogue(_spoken.get()).pgettext(context, message)
    return found.format(**values) if values else found
