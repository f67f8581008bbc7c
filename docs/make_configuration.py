"""Writes docs/configuration.md from the config's JSON Schema: `make docs-pages`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eventstudy.config import StudySpec

PAGE = Path(__file__).parent / "configuration.md"
HEAD = """# Every key of a config

A config is a TOML file. Relative paths in it start from its folder. An unknown key is an error that names the nearest known one.
`eventstudy init NAME` writes a commented config that runs; `eventstudy schema` prints the JSON Schema for editors. Windows are
inclusive pairs of sessions relative to the event session. This page is made from the schema.
"""
ORDER = {"announced_on": 10, "announced_at": 11, "session": 12, "timezone": 13}


def page() -> str:
    """Return the text of the page."""
    schema = StudySpec.model_json_schema(by_alias=True)
    parts = [HEAD]
    for name, about in schema["properties"].items():
        parts += _sections(schema, name, about, repeated=about.get("type") == "array")
    return "\n".join(parts).rstrip() + "\n"


def _sections(schema: dict[str, Any], name: str, about: dict[str, Any], repeated: bool) -> list[str]:
    section = _referred(schema, about)
    if section is None:
        return []
    heading = f"[[{name}]]" if repeated else f"[{name}]"
    rows = [f"## `{heading}`", "", section.get("description", ""), ""]
    rows += ["| key | value | default | what it says |", "|---|---|---|---|"]
    required, below = set(section.get("required", ())), []
    for key, field in sorted(section["properties"].items(), key=lambda item: ORDER.get(item[0], 0)):
        if _referred(schema, field):
            below += _sections(schema, f"{name}.{key}", field, repeated=field.get("type") == "array")
            continue
        default = "required" if key in required else _shown(field.get("default"))
        rows.append(f"| `{key}` | {_kind(field)} | {default} | {_cell(field.get('description', ''))} |")
    return [*rows, "", *below]


def _referred(schema: dict[str, Any], about: dict[str, Any]) -> dict[str, Any] | None:
    for part in [about, *about.get("anyOf", ()), about.get("items", {})]:
        if "$ref" in part:
            found: dict[str, Any] = schema["$defs"][part["$ref"].rpartition("/")[2]]
            return found
    return None


def _kind(field: dict[str, Any]) -> str:
    kinds = [_kind(part) for part in field.get("anyOf", ()) if part.get("type") != "null"]
    if kinds:
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        if "prefixItems" in field:
            return "pair of whole numbers"
        return "list: " + _kind(field.get("items", {}))
    formats = {"date": "date", "date-time": "instant"}
    kind = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return formats.get(field.get("format", ""), kind.get(field.get("type", ""), "value"))


def _shown(value: Any) -> str:
    return "" if value in (None, "", [], ()) else f"`{json.dumps(value)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
