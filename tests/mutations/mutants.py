"""Mutants of a module: one changed node of its syntax tree each."""

import ast
import collections
import dataclasses
from collections.abc import Iterator

from tests.mutations.operators import replacements, short
from tests.mutations.scope import Scope

HELPERS = "from jaxgen.losses._arrays import floats, sum_per_example, mean_per_example"
UNTOUCHED = {"annotation", "returns", "decorator_list", "ctx", "op", "ops", "type_params"}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one function, method, field or constant."""

    module: str  # nets.mlp
    function: str  # a function, Class.method, or the class of a field
    change: str
    source: str  # of the whole module

    @property
    def formula(self) -> str:
        return f"{self.module}.{self.function}"


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    """All mutants of a module's functions, methods and numbers, without duplicates."""
    tree = ast.parse(source)
    _import_helpers(tree)
    texts = [ast.unparse(node) for node in tree.body]
    seen = collections.Counter()
    for position, statement in enumerate(tree.body):
        found = {texts[position]}
        for name, part, scope in _parts(statement, tree):
            for change in _changes(part, statement, scope):
                mutated = ast.unparse(ast.fix_missing_locations(statement))
                if mutated not in found:
                    found.add(mutated)
                    seen[name, change] += 1
                    text = f"{change} ({seen[name, change]})" if seen[name, change] > 1 else change
                    whole = "\n".join([*texts[:position], mutated, *texts[position + 1 :]])
                    yield Mutant(module, name, text, whole + "\n")


def _import_helpers(tree: ast.Module) -> None:
    """The names that replacements of the losses' checks use are imported, whether the module needs them or not."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    if any(node.module == "jaxgen.losses._arrays" for node in imports):
        tree.body.insert(tree.body.index(imports[-1]) + 1, ast.parse(HELPERS).body[0])


def _parts(statement: ast.stmt, tree: ast.Module) -> Iterator[tuple[str, ast.AST, Scope]]:
    """(name, tree, scope) of what is mutated in a top-level statement."""
    match statement:
        case ast.FunctionDef():
            for part in [statement.args, *_without_docstring(statement.body)]:
                yield statement.name, part, Scope.of(statement, tree)
        case ast.ClassDef():
            for member in statement.body:
                if isinstance(member, ast.FunctionDef):
                    for part in [member.args, *_without_docstring(member.body)]:
                        yield f"{statement.name}.{member.name}", part, Scope.of(member, tree)
                elif isinstance(member, ast.AnnAssign | ast.Assign) and member.value is not None:
                    yield statement.name, member, Scope()
        case ast.Assign():
            yield ast.unparse(statement.targets[0]), statement, Scope()
        case ast.AnnAssign(value=ast.expr()) if "TypeAlias" not in ast.unparse(statement.annotation):
            yield ast.unparse(statement.target), statement, Scope()


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if docstring else body


def _changes(part: ast.AST, statement: ast.stmt, scope: Scope) -> Iterator[str]:
    """Make each change in place, say what it is, and take it back."""
    for parent, field, index, child in _places(part, statement):
        for replacement, change in replacements(child, parent, scope):
            before = ast.unparse(child)
            after = "" if isinstance(replacement, ast.Pass) else ast.unparse(ast.fix_missing_locations(replacement))
            _set(parent, field, index, replacement)
            yield change or f"{short(before)} -> {short(after)}"
            _set(parent, field, index, child)


Place = tuple[ast.AST, str, int | None, ast.AST]


def _places(node: ast.AST, statement: ast.stmt) -> Iterator[Place]:
    """(parent, field, index, child) of a node and all below it."""
    if node is not statement:
        for parent in ast.walk(statement):
            for field, value in ast.iter_fields(parent):
                if value is node:
                    yield parent, field, None, node
                elif isinstance(value, list):
                    yield from ((parent, field, i, node) for i, item in enumerate(value) if item is node)
    yield from _below(node)


def _below(node: ast.AST) -> Iterator[Place]:
    """The same of all below a node, but annotations, raises and messages."""
    for field, value in ast.iter_fields(node):
        if field in UNTOUCHED or (isinstance(node, ast.FunctionDef) and field == "args"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.Raise | ast.JoinedStr) or not isinstance(child, ast.AST):
                continue
            yield node, field, index, child
            yield from _below(child)


def _set(parent: ast.AST, field: str, index: int | None, child: ast.AST) -> None:
    if index is None:
        setattr(parent, field, child)
    else:
        getattr(parent, field)[index] = child
