"""What a page brings along, its style sheet and script, and the policy that lets a browser use nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from markupsafe import Markup


@cache
def style_sheet(language: str = "en") -> Markup:
    """Return the style sheet of the pages in a language."""
    own = resources.files("eventstudy.report") / "templates" / f"report.{language}.css"
    return _template("report.css") + (_template(own.name) if own.is_file() else "")


@cache
def script() -> Markup:
    """Return the script of the pages: they are complete without it."""
    return _template("report.js")


@cache
def policy(language: str = "en") -> Markup:
    """Return the Content-Security-Policy of the pages: their own style sheet and script, by hash, and nothing from anywhere."""
    own = f"style-src '{_hash(style_sheet(language))}'; script-src '{_hash(script())}'"
    return Markup(f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'")


def _template(name: str) -> Markup:
    return Markup((resources.files("eventstudy.report") / "templates" / name).read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
