"""The files that are mutated, and the tests that each of them must keep green."""

import ast
import dataclasses
import functools
import pathlib
import re

from tests.mutations.mutants import Mutant, mutants_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEFT_OUT = {"testing"}  # rooms of jaxgen that hold tests
OF_TEXTS = {"docs", "imports", "mutations", "readme", "architecture"}  # tests that see no result of a formula
DEFAULTS = ROOT / "tests" / "test_default_values.py"  # its rows are values of all files
USERS = 2  # files whose tests are run beside a file's own


@dataclasses.dataclass(frozen=True)
class Suite:
    """Test files, and the name that a test in them must bear or use to be run; every test for None.

    A test that is the row of a table is run, too: `[wgan-2]` for "wgan".
    """

    files: tuple[str, ...]
    only: str | None = None
    row: str | None = None


@functools.cache
def library() -> dict[str, pathlib.Path]:
    """Files by module: `nets.mlp`."""
    files = {path.relative_to(ROOT / "jaxgen"): path for path in sorted((ROOT / "jaxgen").rglob("*.py"))}
    return {
        ".".join(short.with_suffix("").parts): path
        for short, path in files.items()
        if path.stem != "__init__" and short.parts[0].removesuffix(".py") not in LEFT_OUT
    }


def all_mutants(files: list[pathlib.Path] | None = None) -> list[Mutant]:
    """Of some files, or of all."""
    return [
        mutant
        for module, path in library().items()
        if files is None or path in files
        for mutant in mutants_of(module, path.read_text("utf-8"))
    ]


def own_tests(module: str) -> pathlib.Path:
    """The test file that mirrors a module."""
    *rooms, name = module.split(".")
    return ROOT.joinpath("tests", *rooms, f"test_{name.lstrip('_')}.py")


def _all_own_tests(module: str) -> list[pathlib.Path]:
    """The mirror of a module, and what it was split into: `test_X_parts.py`, if there is no module X_parts."""
    own = own_tests(module)
    return [own, *sorted(set(own.parent.glob(f"{own.stem}_*.py")) - _mirrors())]


def suites(mutant: Mutant) -> list[Suite]:
    """Tests of a mutant, those likely to fail first."""
    name, own = mutant.function.split(".")[0], _all_own_tests(mutant.module)
    private = name.startswith("_") or "._" in mutant.module
    # Of laws of all public formulas the rows of this one; of laws of all models those of this module.
    room, stem = mutant.module.split(".")[0], mutant.module.rpartition(".")[2]
    found = [_suite(own), _suite(_shared(room), *(None, None) if private else (name, stem))]
    if f'"{mutant.module}.{name}":' in DEFAULTS.read_text("utf-8"):
        found.append(_suite([DEFAULTS], f"{mutant.module}.{name}"))
    if mutant.change.startswith(("drop the check", "drop the call")):
        found.reverse()
    found.append(_suite(_users(mutant.module, name)))
    return [suite for suite in found if suite.files]


def _suite(paths: list[pathlib.Path], only: str | None = None, row: str | None = None) -> Suite:
    return Suite(tuple(str(path.relative_to(ROOT)) for path in paths if path.exists()), only, row)


@functools.cache
def _mirrors() -> set[pathlib.Path]:
    return {own_tests(module) for module in library()}


@functools.cache
def _shared(room: str) -> list[pathlib.Path]:
    """Test files in a room's folder, or that take tables from it, that mirror no file: laws of all its formulas."""
    own, takes = ROOT / "tests" / room, re.compile(rf"^from tests\.{room} import", re.MULTILINE)
    files = {path for path in (ROOT / "tests").rglob("test_*.py") if takes.search(path.read_text("utf-8"))}
    files = sorted({*own.glob("test_*.py"), *files} - _mirrors())
    return [path for path in files if path.stem.removeprefix("test_") not in OF_TEXTS]


def _users(module: str, name: str) -> list[pathlib.Path]:
    """The shortest test files of modules that import this one and name the function (any, if it is private)."""
    named = re.compile(r"\w" if name.startswith("_") else rf"\b{re.escape(name)}\b")
    users = [user for user, uses in _imports().items() if module in uses and named.search(_text(user))]
    tests = [own_tests(user) for user in users]
    return sorted(filter(pathlib.Path.exists, tests), key=lambda path: path.stat().st_size)[:USERS]


@functools.cache
def _text(module: str) -> str:
    return library()[module].read_text("utf-8")


@functools.cache
def _imports() -> dict[str, set[str]]:
    """Which modules of the library each of them imports, through the names that a package hands on too."""
    return {module: _imported(ast.parse(_text(module))) - {module} for module in library()}


def _imported(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("jaxgen"):
            continue
        package = (node.module or "").removeprefix("jaxgen").lstrip(".")
        for alias in node.names:
            full = f"{package}.{alias.name}".lstrip(".")
            if package in library():
                found.add(package)
            elif full in library():
                found.add(full)
            else:
                found |= _handed_on(package, alias.name)
    return found


def _handed_on(package: str, name: str) -> set[str]:
    """The module from which a package's `__init__` has a name; all of its modules if the name is a package itself."""
    start = ROOT.joinpath("jaxgen", *filter(None, package.split(".")))
    if (start / name / "__init__.py").exists():
        prefix = f"{package}.{name}.".lstrip(".")
        return {module for module in library() if module.startswith(prefix)}
    if not (start / "__init__.py").exists():
        return set()
    tree = ast.parse((start / "__init__.py").read_text("utf-8"))
    sources = [
        (node.module or "").removeprefix("jaxgen.")
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names)
    ]
    return {source for source in sources if source in library()}
