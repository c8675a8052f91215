"""Mutants of a module: one changed node of its syntax tree each."""

import ast
import collections
import copy
import dataclasses
from collections.abc import Iterator

FUNCTIONS = {  # calls that are replaced by their first argument
    "relu": "the relu",
    "softplus": "the softplus",
    "log_sigmoid": "the log-sigmoid",
    "stop_gradient": "the stop-gradient",
    "safe_norm": "the norm",
    "abs": "the absolute value",
    "exp": "the exponential",
    "expm1": "the exponential",
    "log": "the logarithm",
    "sqrt": "the root",
    "sort": "the sorting",
    "cumsum": "the cumulation",
}
REDUCTIONS = {"mean": "sum", "sum": "mean", "max": "min", "std": "var", "var": "std"}
PER_EXAMPLE = {"sum_per_example": "mean_per_example", "mean_per_example": "sum_per_example"}
CHECKS = {"per_example", "same_shape", "batched", "ranked"}  # replaced by `floats`, which checks no shape
SWAPPED = {"where", "maximum", "minimum", "clip"}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one function."""

    module: str
    function: str
    change: str
    source: str  # of the whole module

    @property
    def formula(self) -> str:
        return f"{self.module}.{self.function}"


def mutants_of(module: str, source: str) -> list[Mutant]:
    """All mutants of a module's functions and numbers, without duplicates."""
    tree = ast.parse(source)
    _append_helpers(tree)
    original = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    seen = collections.Counter()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            name, parts = node.name, [node.args, *_without_docstring(node.body)]
        elif isinstance(node, ast.Assign):
            name, parts = ast.unparse(node.targets[0]), [node]
        else:
            continue
        for part in parts:
            for parent, field, index, child in _children(part, node):
                for replacement, change in _replacements(child, parent, field):
                    before = ast.unparse(child)
                    _set(parent, field, index, replacement)
                    mutated = ast.unparse(ast.fix_missing_locations(tree))
                    after = "" if isinstance(replacement, ast.Pass) else ast.unparse(replacement)
                    _set(parent, field, index, child)
                    if mutated != original and mutated not in found:
                        text = change or f"{_short(before)} -> {_short(after)}"
                        seen[name, text] += 1
                        text += f" ({seen[name, text]})" if seen[name, text] > 1 else ""
                        found[mutated] = Mutant(module, name, text, mutated)
    return list(found.values())


def _append_helpers(tree: ast.Module) -> None:
    """The names that replacements use are imported, whether the module needs them or not."""
    names = "from jaxgen.losses._arrays import floats, sum_per_example, mean_per_example"
    if any(isinstance(n, ast.FunctionDef) and n.name == "floats" for n in tree.body):
        return
    last = max(i for i, n in enumerate(tree.body) if isinstance(n, ast.Import | ast.ImportFrom))
    tree.body.insert(last + 1, ast.parse(names).body[0])


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if docstring else body


Place = tuple[ast.AST, str, int | None, ast.AST]


def _children(node: ast.AST, parent: ast.AST) -> Iterator[Place]:
    """(parent, field, index, child) of a node and all below it, but annotations, raises and messages."""
    for field, value in ast.iter_fields(parent):
        if value is node:
            yield parent, field, None, node
        elif isinstance(value, list) and any(item is node for item in value):
            yield parent, field, next(i for i, item in enumerate(value) if item is node), node
    yield from _below(node)


def _below(node: ast.AST) -> Iterator[Place]:
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "ctx", "op", "ops"}:
            continue
        if isinstance(node, ast.FunctionDef) and field == "args":
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


def _replacements(node: ast.AST, parent: ast.AST, field: str) -> Iterator[tuple[ast.AST, str]]:
    """New nodes for one, each with a description ('' if the two texts say it)."""
    match node:
        case ast.Constant():
            yield from _constants(node, parent)
        case ast.BinOp():
            yield from _binary(node)
        case ast.UnaryOp(op=ast.USub() | ast.Invert() | ast.Not()):
            yield node.operand, ""
        case ast.Compare(ops=[op]) if type(op) in OPERATORS:
            yield _changed(node, ops=[OPERATORS[type(op)]()]), ""
        case ast.BoolOp():
            for value in node.values:
                yield value, ""
        case ast.IfExp():
            yield node.body, ""
            yield node.orelse, ""
        case ast.Call():
            yield from _calls(node)
        case ast.Attribute(attr="T"):
            yield node.value, ""
        case ast.If():
            refuses = any(isinstance(s, ast.Raise) for s in node.body)
            condition = ast.unparse(node.test)
            yield ast.Pass(), f"drop the {'check' if refuses else 'step'}: if {_short(condition)}"
        case ast.For() if any(isinstance(s, ast.If) for s in node.body):
            yield ast.Pass(), f"drop the loop of checks over {_short(ast.unparse(node.iter))}"
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            yield ast.Pass(), f"drop the call of {name}"
        case ast.Assign(targets=[ast.Tuple(elts=[first, second, *rest])]):
            swapped = ast.Tuple([second, first, *rest], ast.Store())
            yield _changed(node, targets=[swapped]), f"swap {_short(ast.unparse(swapped))}"
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Tuple | ast.List):
            yield ast.Return(ast.UnaryOp(ast.USub(), value)), "flip the sign of the value"
            yield ast.Return(ast.BinOp(ast.Constant(2), ast.Mult(), value)), "double the value"


def _constants(node: ast.Constant, parent: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value), ""
    elif isinstance(node.value, int | float) and not isinstance(parent, ast.UnaryOp | ast.Subscript):
        axis = isinstance(parent, ast.keyword) and parent.arg == "axis" and node.value > 0
        value = node.value - 1 if axis else node.value + 1
        where = f"{parent.arg}=" if isinstance(parent, ast.keyword) else ""
        yield ast.Constant(value), f"{where}{node.value} -> {where}{value} in {_context(parent)}"


def _context(parent: ast.AST) -> str:
    if isinstance(parent, ast.arguments):
        return "the defaults"
    return _short(ast.unparse(parent))


def _binary(node: ast.BinOp) -> Iterator[tuple[ast.AST, str]]:
    match node.op:
        case ast.Mult() | ast.BitAnd() | ast.BitOr():
            yield node.left, ""
            yield node.right, ""
        case ast.Div() | ast.Pow() | ast.Mod():
            yield node.left, ""
        case op if type(op) in OPERATORS:
            yield _changed(node, op=OPERATORS[type(op)]()), ""


def _calls(node: ast.Call) -> Iterator[tuple[ast.AST, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if name in FUNCTIONS and node.args:
        yield node.args[0], f"drop {FUNCTIONS[name]} of {_short(ast.unparse(node.args[0]))}"
    if name in REDUCTIONS and isinstance(node.func, ast.Attribute):
        yield _changed(node, func=_changed(node.func, attr=REDUCTIONS[name])), ""
    if name in PER_EXAMPLE:
        yield _changed(node, func=ast.Name(PER_EXAMPLE[name])), ""
    if name in CHECKS:
        yield _changed(node, func=ast.Name("floats"), args=[]), f"drop the check of {name}"
    if name in SWAPPED and len(node.args) >= 2:
        yield _changed(node, args=[*node.args[:-2], node.args[-1], node.args[-2]]), ""
    if len(node.args) == 2 and not node.keywords and isinstance(node.func, ast.Name):
        yield _changed(node, args=node.args[::-1]), ""
    for i, keyword in enumerate(node.keywords):
        if keyword.arg in {"axis", "initial"} and not isinstance(node.func, ast.Name):
            kept = node.keywords[:i] + node.keywords[i + 1 :]
            yield _changed(node, keywords=kept), ""


def _changed(node, **fields):
    """A copy of a node with some fields replaced."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _short(text: str, width: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."
