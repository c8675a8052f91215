"""What a node of a syntax tree is replaced by: the ways in which a line can be wrong."""

import ast
import copy
from collections.abc import Iterator

from tests.mutations.scope import Scope, is_key, kind

FUNCTIONS = {  # calls that are replaced by their first argument
    "relu": "the relu",
    "leaky_relu": "the leaky relu",
    "tanh": "the tanh",
    "sigmoid": "the sigmoid",
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
    "round": "the rounding",
    "normalize": "the normalisation",
    "norm": "the normalisation",
    "squash": "the squashing",
    "dropout": "the dropout",
    "pmean": "the mean over devices",
    "psum": "the sum over devices",
    "gather": "the gathering",
}
REDUCTIONS = {"mean": "sum", "sum": "mean", "max": "min", "std": "var", "var": "std"}
PER_EXAMPLE = {"sum_per_example": "mean_per_example", "mean_per_example": "sum_per_example"}
CHECKS = {"per_example", "same_shape", "batched", "ranked"}  # replaced by `floats`, which checks no shape
EXTREMES = {"minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min"}  # of two arguments or more
SWAPPED = {"where", "clip"}
LEFT_OUT = ("axis_name", "keys")  # arguments that are None where there are no devices, no dropout
RENEWED = {"variables", "collections", "params", "state"}
FIXED = {
    *EXTREMES,
    "require",
    "isinstance",
    "getattr",
    "zip",
    "NamedSharding",
    "param",
    "variable",
}  # nothing is swapped
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
CHAINED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt}  # 0 <= x < 1: the borders
Replacements = Iterator[tuple[ast.AST, str]]
"""New nodes for one, each with a description ('' if the two texts say it)."""


def replacements(node: ast.AST, parent: ast.AST, scope: Scope) -> Replacements:
    match node:
        case ast.Constant():
            yield from _constants(node, parent)
        case ast.Name(ctx=ast.Load()) if node.id in scope.before:
            yield ast.parse(f"state.{node.id}", mode="eval").body, f"{node.id} -> state.{node.id} in {context(parent)}"
        case ast.BinOp():
            yield from _binary(node)
        case ast.UnaryOp(op=ast.USub() | ast.Invert() | ast.Not()):
            yield node.operand, ""
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BoolOp():
            for value in node.values:
                yield value, ""
        case ast.IfExp():
            yield node.body, ""
            yield node.orelse, ""
        case ast.Call():
            yield from _calls(node, scope)
        case ast.Dict():
            for i, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
                rest = changed(node, keys=_without(node.keys, i), values=_without(node.values, i))
                item = ast.unparse(key) if key else f"**{ast.unparse(value)}"
                yield rest, f"drop the item {short(item)}"
        case ast.Attribute(attr="T"):
            yield node.value, ""
        case ast.stmt():
            yield from _statements(node, scope)


def _constants(node: ast.Constant, parent: ast.AST) -> Replacements:
    where = f"{parent.arg}=" if isinstance(parent, ast.keyword) else ""
    if isinstance(node.value, bool):
        new = not node.value
        yield ast.Constant(new), f"{where}{node.value} -> {where}{new} in {context(parent)}"
    elif isinstance(node.value, int | float) and not isinstance(parent, ast.UnaryOp):
        if isinstance(parent, ast.Subscript) and is_key(parent.value):
            return
        axis = isinstance(parent, ast.keyword) and parent.arg == "axis" and node.value > 0
        value = node.value - 1 if axis else node.value + 1
        yield ast.Constant(value), f"{where}{node.value} -> {where}{value} in {context(parent)}"


def _binary(node: ast.BinOp) -> Replacements:
    match node.op:
        case ast.Mult() | ast.BitAnd() | ast.BitOr():
            yield node.left, ""
            yield node.right, ""
        case ast.Div() | ast.Pow() | ast.Mod() | ast.LShift() | ast.RShift():
            yield node.left, ""
        case op if type(op) in OPERATORS:
            yield changed(node, op=OPERATORS[type(op)]()), ""


def _comparisons(node: ast.Compare) -> Replacements:
    table = OPERATORS if len(node.ops) == 1 else CHAINED
    for i, op in enumerate(node.ops):
        if type(op) in table:
            yield changed(node, ops=[*node.ops[:i], table[type(op)](), *node.ops[i + 1 :]]), ""


def _calls(node: ast.Call, scope: Scope) -> Replacements:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if name in FUNCTIONS and node.args:
        yield node.args[0], f"drop {FUNCTIONS[name]} of {short(ast.unparse(node.args[0]))}"
    if name in EXTREMES and len(node.args) >= 2:
        attribute = isinstance(node.func, ast.Attribute)
        new = changed(node.func, attr=EXTREMES[name]) if attribute else ast.Name(EXTREMES[name])
        yield changed(node, func=new), ""
    elif name in REDUCTIONS and isinstance(node.func, ast.Attribute):
        yield changed(node, func=changed(node.func, attr=REDUCTIONS[name])), ""
    if name in PER_EXAMPLE:
        yield changed(node, func=ast.Name(PER_EXAMPLE[name])), ""
    if name in CHECKS:
        yield changed(node, func=ast.Name("floats"), args=[]), f"drop the check of {name}"
    if name in SWAPPED and len(node.args) >= 2:
        yield changed(node, args=[*node.args[:-2], node.args[-1], node.args[-2]]), ""
    if name not in FIXED:
        yield from _swaps(node, scope)
    yield from _arguments(node, name)


def _swaps(node: ast.Call, scope: Scope) -> Replacements:
    """Neighbours of one kind exchanged; of a plain function of two, whatever they are."""
    alone = len(node.args) == 2 and not node.keywords and isinstance(node.func, ast.Name)
    for i, (one, other) in enumerate(zip(node.args, node.args[1:], strict=False)):
        alike = kind(one, scope) == kind(other, scope) is not None
        if alone or (alike and not (is_key(one) or is_key(other))):
            new = changed(node, args=[*node.args[:i], other, one, *node.args[i + 2 :]])
            yield new, "" if alone else f"exchange {ast.unparse(one)} and {ast.unparse(other)} in {context(node)}"


def _arguments(node: ast.Call, name: str) -> Replacements:
    """Arguments left out, or None for those along which devices and dropout go."""
    text = short(ast.unparse(node))
    for i, value in enumerate(node.args):
        if ast.unparse(value).endswith(LEFT_OUT) and isinstance(value, ast.Name | ast.Attribute):
            none = [*node.args[:i], ast.Constant(None), *node.args[i + 1 :]]
            yield changed(node, args=none), f"None for {ast.unparse(value)} in {text}"
    for i, keyword in enumerate(node.keywords):
        kept = _without(node.keywords, i)
        if keyword.arg in LEFT_OUT and not isinstance(keyword.value, ast.Constant):
            yield changed(node, keywords=kept), f"drop {keyword.arg}= of {text}"
        elif keyword.arg in {"axis", "initial"} and not isinstance(node.func, ast.Name):
            yield changed(node, keywords=kept), ""
        elif keyword.arg is not None and name not in FIXED:
            yield changed(node, keywords=kept), f"drop {keyword.arg}= of {text}"


def _statements(node: ast.stmt, scope: Scope) -> Replacements:
    match node:
        case ast.If():
            refuses = any(isinstance(s, ast.Raise) for s in node.body)
            condition = short(ast.unparse(node.test))
            yield ast.Pass(), f"drop the {'check' if refuses else 'step'}: if {condition}"
        case ast.For() if any(isinstance(s, ast.If) for s in node.body):
            yield ast.Pass(), f"drop the loop of checks over {short(ast.unparse(node.iter))}"
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            yield ast.Pass(), f"drop the call of {name}"
        case ast.AugAssign():
            yield ast.Pass(), f"drop the step: {short(ast.unparse(node))}"
        case ast.Assign(targets=[target]):
            if isinstance(target, ast.Tuple) and len(target.elts) >= 2 and not all(map(is_key, target.elts)):
                first, second, *rest = target.elts
                swapped = ast.Tuple([second, first, *rest], ast.Store())
                yield changed(node, targets=[swapped]), f"swap {short(ast.unparse(swapped))}"
            yield from _kept(node)
            loaded = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
            if {n.id for n in ast.walk(target) if isinstance(n, ast.Name)} <= loaded:
                yield ast.Pass(), f"drop the step: {short(ast.unparse(node))}"
        case ast.Return(value=ast.expr() as value) if scope.number and _has_sign(value):
            yield ast.Return(ast.UnaryOp(ast.USub(), value)), "flip the sign of the value"
            yield ast.Return(ast.BinOp(ast.Constant(2), ast.Mult(), value)), "double the value"


def _kept(node: ast.Assign) -> Replacements:
    """Variables that a pass gives anew, batch statistics for one, left as they were."""
    target, old = node.targets[0], {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
    for i, name in enumerate(target.elts if isinstance(target, ast.Tuple) else []):
        text = ast.unparse(name)
        if text in RENEWED & old:
            elts = [*target.elts[:i], ast.Name("_", ast.Store()), *target.elts[i + 1 :]]
            yield (
                changed(node, targets=[ast.Tuple(elts, ast.Store())]),
                f"keep the old {text} in {short(ast.unparse(node))}",
            )


def _has_sign(value: ast.expr) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id[0].isupper():
        return False  # a new object
    return not isinstance(value, ast.Tuple | ast.List | ast.Dict | ast.Lambda | ast.Constant | ast.JoinedStr)


def changed(node, **fields):
    """A copy of a node with some fields replaced."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def context(parent: ast.AST) -> str:
    return "the defaults" if isinstance(parent, ast.arguments) else short(ast.unparse(parent))


def short(text: str, width: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."


def _without(items: list, index: int) -> list:
    return [*items[:index], *items[index + 1 :]]
