"""The page on the config is today's schema, and says something of every key."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def maker(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_configuration", root / "docs" / "make_configuration.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_made_from_todays_schema(maker: ModuleType, root: Path) -> None:
    text = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert text == maker.page(), "the config changed: `make docs-pages`"


def test_every_key_of_the_schema_stands_on_the_page(cli, root: Path) -> None:
    schema: dict[str, Any] = json.loads(cli("schema").stdout)
    text = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    found = set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
    found |= set(re.findall(r"^## `\[+[\w.]*?(\w+)\]+`", text, flags=re.MULTILINE))
    keys = {key for section in [schema, *schema["$defs"].values()] for key in section.get("properties", {})}
    assert len(keys) > 80
    assert keys - found == set()


def test_every_key_but_the_users_columns_is_explained(cli) -> None:
    schema: dict[str, Any] = json.loads(cli("schema").stdout)
    bare = [
        f"{name}.{key}"
        for name, section in schema["$defs"].items()
        for key, field in section.get("properties", {}).items()
        if name != "FileColumns" and "$ref" not in json.dumps(field) and not field.get("description")
    ]
    assert bare == []
