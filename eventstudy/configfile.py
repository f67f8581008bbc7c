"""Reading a config: TOML to a `StudySpec`, with file, line and remedy where something is wrong."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from eventstudy.config import StudySpec
from eventstudy.dataconfig import Data
from eventstudy.errors import ConfigError, OutputError

Location = tuple[str | int, ...]
SHOWN = 60  # characters of a value in a message
SYMBOL, SYMBOLS = '"002415.SZ"', '["002415.SZ", "002236.SZ"]'

# What to write for a key; the longer name goes first.
EXAMPLES = {
    "windows.estimation": "[-250, -31]",
    "windows.event": "[-10, 10]",
    "windows.car": "[[0, 0], [0, 3]]",
    "inference.headline_window": "[0, 3]",
    "study.name": '"entity-list-2019"',
    "firms": SYMBOLS,
    "symbols": SYMBOLS,
    "suspended": "[{ from = 2019-10-08, to = 2019-10-09 }]",
}
PATTERNS = {r"^[a-z0-9-]+$": "may hold small letters, digits and hyphens only", r"^\S+$": "may hold no blanks"}
# The beginning of pydantic's kind of error, and the field's words for it.
PLAIN_WORDS = {
    "string_type": 'is no text: write one text in quotes, {name} = "..."',
    "string_too_short": "is empty: fill it in, or leave the key out",
    "int": "is no whole number: write it without quotes and without a decimal point",
    "float": "is no number: write it without quotes and per cent signs, such as 0.05",
    "finite_number": "is no number: write one such as 0.05",
    "greater_than_equal": "is too small: give at least {ge:g}",
    "greater_than": "is too small: give more than {gt:g}",
    "less_than": "is too large: give less than {lt:g} (10% is 0.10)",
    "date": "is no date: write it as 2019-10-07",
}


def load_study(path: str | Path) -> StudySpec:
    """Read and check a study config.

    Parameters
    ----------
    path : str or Path
        A TOML file; relative paths in it start from its folder.

    Returns
    -------
    StudySpec
        Frozen; its `replace` gives a changed copy.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not TOML, or is not a valid study; one line a problem.

    Examples
    --------
    >>> import eventstudy as es
    >>> spec = es.load_study("configs/entity-list-2019.toml")
    >>> spec.windows.estimation
    (-250, -31)
    >>> spec.replace(headline_window=(0, 5)).inference.headline_window
    (0, 5)
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as problem:
        raise ConfigError(f"{file}: the config cannot be read ({problem.strerror}): check the path") from problem
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{file}: the config is not UTF-8 text: save it as UTF-8") from problem
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{file}: not valid TOML: {problem}") from problem
    spec = _checked(content, str(file), text)
    spec._folder, spec._text, spec._where = file.resolve().parent, text, str(file)
    return spec


def spec_from_dict(content: Mapping[str, Any], folder: Path | None = None) -> StudySpec:
    """Check a study given as a dict of the same shape as the TOML.

    Raises
    ------
    ConfigError
        If it is not a valid study.
    """
    spec = _checked(content, "config", None)
    spec._folder = folder or Path.cwd()
    return spec


def data_keys(content: Mapping[str, Any]) -> Data:
    """Check a [data] table given as a dict.

    Raises
    ------
    ConfigError
        If it is not one.
    """
    try:
        return Data.model_validate(content)
    except ValidationError as problem:
        messages = dict.fromkeys(_sentence(error, ("data", *error["loc"])) for error in problem.errors())
        raise ConfigError("\n".join(messages)) from problem


def write_new(path: Path, text: str) -> Path:
    """Write a config that was not there before, after checking it.

    Raises
    ------
    ConfigError
        If the file exists, or the text is not a valid study.
    OutputError
        If the folder cannot be written.
    """
    _checked(tomllib.loads(text), str(path), text)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as problem:
        raise ConfigError(f"{path}: the file exists: choose another name, or remove it") from problem
    except OSError as problem:
        raise OutputError(f"{path}: the config cannot be written ({problem.strerror}): choose another folder") from problem
    return path


def spec_text(spec: StudySpec) -> str:
    """Return the config as it was read, or as TOML where it never was a file."""
    if spec._text is not None:
        return spec._text
    import tomli_w

    return tomli_w.dumps(_without_none(spec.model_dump(by_alias=True, exclude_unset=True)))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, (list, tuple)) else value


def _checked(content: Mapping[str, Any], where: str, text: str | None) -> StudySpec:
    try:
        return StudySpec.model_validate(content)
    except ValidationError as problem:
        lines = _line_numbers(text) if text is not None else {}
        errors = problem.errors()
        misspelt = {(*error["loc"][:-1], _nearest(error["loc"])) for error in errors if error["type"] == "extra_forbidden"}
        told = [error for error in errors if not (error["type"] == "missing" and error["loc"] in misspelt)]
        told = [error for error in told if error["type"] != "too_short" or not error["input"]]  # its entries are told of
        messages = list(dict.fromkeys(_message(error, where, lines) for error in told))
        raise ConfigError("\n".join(messages)) from problem


def _message(error: Any, where: str, lines: dict[Location, int]) -> str:
    location: Location = error["loc"]
    known = location
    while known and known not in lines:
        known = known[:-1]
    told = _sentence(error, location)
    known = _key_meant(told, known, lines)
    place = f"{where}:{lines[known]}" if known in lines else where
    return f"{place}: {told}"


def _key_meant(told: str, known: Location, lines: dict[Location, int]) -> Location:
    """Return the key below `known` that a message names first; a complaint about a whole table is about one of its keys."""
    words = re.findall(r"[A-Za-z_]+", told)
    below = [place for place in lines if place[: len(known)] == known and len(place) > len(known) and place[-1] in words]
    return min(below, key=lambda place: words.index(str(place[-1])), default=known)


def line_prefix(spec: StudySpec, location: Location) -> str:
    """Return ``file:line: `` of a table of a config, as far as it is known."""
    line = _line_numbers(spec._text).get(location) if spec._text is not None else None
    return f"{spec._where}:{line}: " if line else f"{spec._where}: "


def _sentence(error: Any, location: Location) -> str:
    keys = [part for part in location if isinstance(part, str)]
    name = keys[-1] if keys else ""
    table = ".".join(keys[:-1])
    if error["type"] == "extra_forbidden":
        near = _nearest(location)
        homes = [] if near else list(_tables_with(name))[:3]
        hint = f"perhaps you meant {near!r}" if near else "remove it, or see `eventstudy schema` for the keys there are"
        hint = f"it belongs in {' or '.join(homes)}" if homes else hint
        return f"unknown key {name!r}{f' in [{table}]' if table else ''}: {hint}"
    if error["type"] == "missing" and isinstance(location[-1], str):
        return f"{name!r} is missing{f' in [{table}]' if table else ''}: add it (`eventstudy schema` describes it)"
    if error["type"] in ("value_error", "assertion_error"):
        told = str(error["ctx"]["error"])
        about_one_key = bool(location) and isinstance(location[-1], str)
        return f"{name}: {told}" if about_one_key and name not in told else told
    return f"{table + '.' if table else ''}{name} = {_as_written(error['input'])} {_wrong(error, table, name)}"


def _as_written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float, list, tuple)):
        text = repr(list(value)) if isinstance(value, tuple) else repr(value)
        return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return "a table" if isinstance(value, Mapping) else str(value)


def _wrong(error: Any, table: str, name: str) -> str:
    """Return what is wrong with a value and what to write, for the kinds of errors that pydantic finds by itself."""
    kind, context = error["type"], error.get("ctx", {})
    example = EXAMPLES.get(f"{table}.{name}") or EXAMPLES.get(name)
    entry = isinstance(error["loc"][-1], int)
    if kind in ("tuple_type", "list_type"):
        if not table and name in StudySpec.model_fields:
            return f"is no list of tables: write each as [[{name}]], with its keys below"
        return f"is no list: write {name} = {example or '[...]'}"
    if kind in ("missing", "too_long", "too_short"):
        return f"has too {'many' if kind == 'too_long' else 'few'} entries: write {name} = {example or '[...]'}"
    if kind in ("model_type", "dict_type"):
        header = f"[{'.'.join(filter(None, (table, name)))}]"
        return f"is no table: write {f'[{header}]' if entry else header}, with its keys below"
    if kind == "literal_error":
        choices = context["expected"]
        near = difflib.get_close_matches(str(error["input"]).lower(), re.findall(r"'([^']+)'", choices), n=1)
        return f"is none of {choices.replace(' or ', ', ')}: {f'perhaps you meant {near[0]!r}' if near else 'choose one'}"
    if kind == "string_pattern_mismatch":
        return f"{PATTERNS.get(context['pattern'], 'is not written as it must be')}: write {name} = {example or SYMBOL}"
    if kind.startswith("string") and entry:
        return f"is no entry of {name}: write {name} = {example or '[...]'}"
    plain = PLAIN_WORDS.get(kind) or next((words for start, words in PLAIN_WORDS.items() if kind.startswith(start)), None)
    if plain is None:
        return f"cannot be read: {error['msg'][0].lower()}{error['msg'][1:]}"
    return plain.format(**context, name=name)


def _nearest(location: Location) -> str:
    near = difflib.get_close_matches(str(location[-1]), _known_keys(location[:-1]), n=1)
    return near[0] if near else ""


def _known_keys(location: Location) -> list[str]:
    """Return the keys of the table at `location`, as written in TOML."""
    model: type[BaseModel] = StudySpec
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        found = _sections_in(field.annotation) if field else []
        if not found:
            return []
        model = found[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def _tables_with(key: str, model: type[BaseModel] = StudySpec, table: str = "") -> Iterator[str]:
    """Yield the headers of the tables below a model that have a key of that name."""
    for name, field in model.model_fields.items():
        for section in _sections_in(field.annotation):
            inner = f"{table}{name}"
            if key in (there.alias or own for own, there in section.model_fields.items()):
                yield f"[[{inner}]]" if get_origin(field.annotation) is tuple else f"[{inner}]"
            yield from _tables_with(key, section, f"{inner}.")


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections_in(part)]


def _line_numbers(text: str) -> dict[Location, int]:
    """Map every table and key of a TOML text to the line it stands on."""
    import tree_sitter
    import tree_sitter_toml

    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language())).parse(text.encode())
    lines: dict[Location, int] = {}
    counts: dict[tuple[str, ...], int] = {}
    for node in tree.root_node.children:
        table: Location = ()
        if node.type in ("table", "table_array_element"):
            names = _key_parts(node.named_children[0])
            if node.type == "table_array_element":
                counts[names] = counts.get(names, -1) + 1
            table = _indexed(names, counts)
            lines.setdefault(table, node.start_point[0] + 1)
        for pair in [node] if node.type == "pair" else node.named_children:
            if pair.type == "pair":
                lines[(*table, *_key_parts(pair.named_children[0]))] = pair.start_point[0] + 1
    return lines


def _key_parts(node: Any) -> tuple[str, ...]:
    if node.type == "dotted_key":
        return tuple(part for child in node.named_children for part in _key_parts(child))
    return (node.text.decode().strip("\"'"),)


def _indexed(names: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> Location:
    found: list[str | int] = []
    for depth, name in enumerate(names, 1):
        found.append(name)
        if names[:depth] in counts:
            found.append(counts[names[:depth]])
    return tuple(found)
