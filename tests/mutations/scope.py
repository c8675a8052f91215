"""What is known of the names inside a function that is mutated."""

import ast
import dataclasses

NO_NUMBER = ("tuple", "dict", "list", "type", "bool", "str", "None", "Callable", "State", "TrainState")  # returned


@dataclasses.dataclass(frozen=True)
class Scope:
    """What is known of the names inside a function."""

    kinds: dict[str, str] = dataclasses.field(default_factory=dict)  # annotations of arguments, '' for none
    before: frozenset[str] = frozenset()  # names whose value before the update is an attribute of `state`
    number: bool = True  # whether what it returns may have a sign

    @classmethod
    def of(cls, function: ast.FunctionDef, tree: ast.Module) -> "Scope":
        inside = [node for node in ast.walk(function) if isinstance(node, ast.FunctionDef)]
        arguments = [arg for node in inside for arg in (*node.args.args, *node.args.kwonlyargs)]
        kinds = {arg.arg: ast.unparse(arg.annotation) if arg.annotation else "" for arg in arguments}
        returned = ast.unparse(function.returns) if function.returns else ""
        before = _attributes_of_state(tree) if "state" in kinds else set()
        same = {  # name = state.name
            node.targets[0].id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            if ast.unparse(node.value) == f"state.{node.targets[0].id}"
        }
        return cls(kinds, frozenset(before - same - {"step"}), not returned.startswith(NO_NUMBER))


def _attributes_of_state(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name("state")):
                found.add(node.attr)
            case ast.ClassDef(name="State"):
                found |= {s.target.id for s in node.body if isinstance(s, ast.AnnAssign)}
    return found


def kind(node: ast.expr, scope: Scope) -> str | None:
    """What two arguments must share to be exchanged: an annotation, an owner, or being unknown."""
    match node:
        case ast.Name(name):
            return f"name {scope.kinds.get(name, '')}"
        case ast.Attribute(value):
            return f"attribute of {ast.unparse(value)}"
    return None


def is_key(node: ast.expr) -> bool:
    """Which of two keys draws what is no law."""
    return ast.unparse(node).rpartition(".")[2].startswith("key")
