"""The shape of the code: layers, lengths, names, docstrings, what is imported when, what is shipped."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import resources
from operator import attrgetter
from pathlib import Path

import click
import pytest

import eventstudy
from eventstudy.cli import main

PACKAGE = Path(eventstudy.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "__pycache__" not in path.parts
}

# A module may import from its own line and from those above. What is not listed is an error: find its place.
LAYERS = [
    {"errors", "runlog", "told"},
    {"student", "windows", "tablefiles"},
    {"calendar"},
    {"events"},
    {"eventtable"},
    {"dataconfig", "sources.base", "closestable"},
    {"store"},
    {
        "sources.frames", "sources.symbols", "sources.reading", "sources.formats", "sources.files", "sources.snapshot",
        "sources.factortable", "sources.sql", "sources.baostock", "sources.yahoo", "sources.yahoofaults", "sources.stored",
        "sources.fallback", "sources.wide",
        "sources",
    },
    {"shapes"},
    {"factors"},
    {"trading"},
    {"returns"},
    {"models.base"},
    {"models.linear", "models.benchmarks", "models.robust", "models.thin"},
    {"models.garch"},
    {"models.options"},
    {"models"},
    {"abnormal"},
    {
        "inference", "inference.result", "inference.correlation", "inference.parametric", "inference.joint", "inference.ranks",
        "inference.signs", "inference.skewness", "inference.multiple", "inference.cross", "inference.deletion", "inference.moved",
        "inference.placebo",
        "inference.bootstrap", "inference.regression", "inference.calendar_time",
    },
    {"inference.sensitivity", "inference.checked"},
    {"inference.array_joint", "inference.array_means", "inference.array_ranks"},
    {"inference.registry", "diagnostics"},
    {"fit_checks", "censoring"},
    {"simulate"},
    {"plan"},
    {"headline"},
    {"further"},
    {"prepared"},
    {"study"},
    {"anticipation"},
    {"prices", "doubt", "draws"},
    {"steps"},
    {"characteristics"},
    {"tables"},
    {"group_tables", "diagnostic_tables", "limit_tables", "detectable", "power"},
    {"money", "tidy"},
    {"anticipation_tables"},
    {"robustness", "robustnessconfig", "eventconfig"},
    {"config"},
    {"cross_section"},
    {"configfile"},
    {"inputs"},
    {"seal", "presentation"},
    {"result"},
    {"panel", "panel.market"},
    {"panel.rows"},
    {"panel.batch"},
    {"panel.study"},
    {"panel.engines", "panel.sums", "panel.tables", "panel.described", "panel.differences", "panel.frames"},
    {"panel.pairs"},
    {"panel.across"},
    {"panel.result"},
    {"panel.build"},
    {"run", "frames", "check", "proposal", "setting", "theirs", "scheduling"},
    {"conventions"},
    {"explain"},
    {"changes"},
    {"explained"},
    {"report"},
    {"manifest"},
    {"record"},
    {"runs"},
    {"rerun"},
    {"cli"},
    {"__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# Imported inside functions or for names only: the lazy doors of the package and of its tests on arrays.
DOORS = {"__init__", "inference"}


def tree_of(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def place_of(module: str) -> int:
    """Rank of a module; packages listed as a whole (`report`) stand for what is in them."""
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in RANK:
            return RANK[".".join(parts[:end])]
    raise AssertionError(f"{module} has no layer: add it to LAYERS where it belongs")


def imported_by(name: str) -> Iterator[tuple[str, int, bool]]:
    """(module, line, whether at the top level) of every import of ours."""
    tree = tree_of(name)
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "eventstudy":
            base = node.module.partition(".")[2]
            for alias in node.names:
                full = f"{base}.{alias.name}".strip(".")
                yield (full if full in MODULES else base), node.lineno, id(node) in top
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "eventstudy":
                    yield alias.name.partition(".")[2], node.lineno, id(node) in top


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name in MODULES:
        for node in ast.walk(tree_of(name)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"{name}:{node.lineno} {node.name}", node


def test_every_module_has_a_layer() -> None:
    for name in MODULES:
        if name not in DOORS:
            assert place_of(name) >= 0


def test_imports_point_only_down_the_layers() -> None:
    upward = [
        f"{name}:{line} imports {target}"
        for name in MODULES
        if name not in DOORS
        for target, line, _ in imported_by(name)
        if target and place_of(target) > place_of(name)
    ]
    # `StudySpec.replace` and what `StudyResult` writes, shows and draws are conveniences: each imports its door when it is called
    allowed = {("config", "configfile"), ("result", "runs"), ("presentation", "report"), ("presentation", "result")}
    assert [text for text in upward if (text.split(":")[0], text.split()[-1].split(".")[0]) not in allowed] == []


def test_no_two_modules_import_each_other() -> None:
    top = {name: {target for target, _, first in imported_by(name) if first and target} for name in MODULES}
    assert [f"{a} and {b}" for a in top for b in top[a] if a < b and a in top.get(b, set())] == []


def test_estimators_know_nothing_of_suspensions_or_sources() -> None:
    arrays = ("parametric", "joint", "ranks", "signs", "skewness", "multiple", "correlation", "result")
    estimators = {name for name in MODULES if name.startswith("models.")}
    for name in sorted(estimators | {f"inference.{part}" for part in arrays}):
        assert {target for target, _, _ in imported_by(name)} & {"trading", "sources", "calendar", "study"} == set()


def test_no_module_above_400_lines() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return sum(isinstance(node, ast.stmt) for part in body for node in ast.walk(part))


def test_no_function_above_40_statements() -> None:
    assert {name: statements(node) for name, node in functions() if statements(node) > 40} == {}


def test_nothing_prints_but_the_command_line() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name in MODULES
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "print")
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "echo" and name.split(".")[0] != "cli")
        )
    ]
    assert found == []


def test_no_module_is_a_drawer_for_anything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "misc", "common"}
    assert [name for name in MODULES if name.split(".")[-1].strip("_") in drawers] == []


def test_no_name_starts_with_get() -> None:
    assert [name for name, node in functions() if node.name.lstrip("_").startswith("get_")] == []


@pytest.mark.parametrize("name", eventstudy.__all__)
def test_public_names_can_be_imported_and_are_documented(name: str) -> None:
    assert getattr(eventstudy, name).__doc__
    assert name in dir(eventstudy)


METHODS = ("car", "plot_car", "plot_prices", "summary", "tidy", "to_excel", "to_latex", "to_markdown", "write")


@pytest.mark.parametrize("name", [*eventstudy.__all__, *(f"StudyResult.{method}" for method in METHODS)])
def test_public_functions_tell_what_they_take_and_give_with_an_example(name: str) -> None:
    found = attrgetter(name)(eventstudy)
    if inspect.isfunction(found):
        told = inspect.getdoc(found) or ""
        takes = set(inspect.signature(found).parameters) - {"self"}
        sections = [*(["Parameters"] if takes else []), "Returns", "Examples"]
        assert [section for section in sections if f"\n{section}\n{'-' * len(section)}\n" not in told] == []
        assert "\n>>> " in told


def test_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = eventstudy.nothing


def test_all_is_what_the_contract_names() -> None:
    promised = {"run_study", "load_study", "fetch_prices", "event_study", "Windows"}
    assert promised <= set(eventstudy.__all__)


def public_without_docstring(name: str) -> Iterator[str]:
    tree = tree_of(name)
    if not ast.get_docstring(tree):
        yield name
    pending: list[tuple[str, ast.AST]] = [(name, tree)]
    while pending:
        where, parent = pending.pop()
        for node in ast.iter_child_nodes(parent):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or node.name.startswith("_"):
                continue
            overload = any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list)
            if not ast.get_docstring(node) and not overload:
                yield f"{where}.{node.name}"
            if isinstance(node, ast.ClassDef):
                pending.append((f"{where}.{node.name}", node))


def test_every_public_function_and_class_has_a_docstring() -> None:
    assert [missing for name in MODULES if name != "report.testing" for missing in public_without_docstring(name)] == []


@pytest.mark.parametrize("verb", sorted(main.commands))
def test_every_verb_shows_examples_of_itself(cli, verb: str) -> None:
    text = cli(verb, "--help").stdout
    _, heading, shown = text.replace("Example:", "Examples:").partition("Examples:")
    assert heading
    assert f"eventstudy {verb}" in " ".join(shown.split())


@pytest.mark.parametrize("verb", ["run", "check", "schema", "init"])
def test_verbs_of_this_step_are_there(verb: str) -> None:
    assert isinstance(main.commands[verb], click.Command)


@pytest.mark.parametrize("verb", sorted(main.commands))
def test_every_verb_is_in_the_readme(root: Path, verb: str) -> None:
    assert f"eventstudy {verb}" in (root / "README.md").read_text(encoding="utf-8")


def test_every_option_has_a_help_text() -> None:
    bare = [
        f"{verb} {option.name}"
        for verb, command in main.commands.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert bare == []


HEAVY = ("pandas", "numpy", "scipy", "statsmodels", "matplotlib", "exchange_calendars", "yfinance", "pyarrow", "pydantic")


def imported(code: str, names: tuple[str, ...]) -> str:
    """Which of some modules a new process has imported after `code`."""
    told = f"import sys; print(*sorted(set(sys.modules) & set({names!r})), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{told}"], capture_output=True, text=True, check=True)
    return done.stderr.strip()


@pytest.mark.parametrize("statement", ["import eventstudy", "import eventstudy.cli", "import eventstudy.errors"])
def test_importing_is_light(statement: str) -> None:
    assert imported(statement, HEAVY) == ""


def test_no_help_text_needs_what_computes() -> None:
    asked = [["--help"], ["--version"], *([verb, "--help"] for verb in main.commands)]
    calls = [f"main({arguments!r}, standalone_mode=False)" for arguments in asked]
    assert imported("\n".join(["from eventstudy.cli import main", *calls]), HEAVY) == ""


def test_reading_a_config_needs_neither_models_nor_figures_nor_sources(root: Path) -> None:
    code = f"from eventstudy.configfile import load_study; load_study({str(root / 'configs' / 'entity-list-2019.toml')!r})"
    heavy = ("matplotlib", "statsmodels", "scipy.stats", "scipy.optimize", "yfinance", "curl_cffi", "jinja2")
    assert imported(code, heavy) == ""
    assert imported("import eventstudy.report", heavy) != ""  # what is looked for is found where it is


def test_python_m_is_the_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "eventstudy", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"eventstudy, version {eventstudy.__version__}"


def test_the_snapshot_is_package_data() -> None:
    folder = resources.files("eventstudy") / "snapshot"
    names = {item.name for item in folder.iterdir()}
    shenzhen = ["002230", "002415", "002236", "300188", "000063", "000977", "002410", "000725", "399001"]
    files = {f"{code}.SZ.csv" for code in shenzhen} | {"600570.SS.csv", "000300.SS.csv", "contents.toml"}
    assert files <= names


def test_every_data_file_matches_a_pattern_of_the_wheel(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["eventstudy"]
    files = [
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    ]
    assert len(files) > 12
    assert [str(file) for file in files if not any(file.match(pattern) for pattern in patterns)] == []


def test_nothing_reads_outside_the_checkout(root: Path) -> None:
    hint = "/" + "work/shared"
    sources = [path for folder in ("eventstudy", "tests", "configs") for path in (root / folder).rglob("*") if path.is_file()]
    texts = [path for path in sources if path.suffix in (".py", ".toml", ".j2", ".html", ".css", ".md")]
    assert [str(path) for path in texts if hint in path.read_text(encoding="utf-8")] == []
