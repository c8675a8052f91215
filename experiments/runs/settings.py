"""Settings to JSON and back: numbers, strings, tuples, frozen dataclasses and linen modules, nothing else.

A dataclass becomes an object with its fields and its type under "type". Reading makes only types of this project.
"""

import dataclasses
import importlib
import math
import pathlib
import re
import types
import typing
from typing import Any

PACKAGES = ("jaxgen", "experiments")


def fields(settings: Any) -> list[dataclasses.Field]:
    """The fields of a dataclass, or of its type, that a person may set: all but a linen module's links to its tree."""
    import flax.linen as nn

    kind = settings if isinstance(settings, type) else type(settings)
    hidden = {"parent", "name"} if issubclass(kind, nn.Module) else set()
    return [field for field in dataclasses.fields(settings) if field.name not in hidden]


def to_json(settings: Any) -> Any:
    """What `json.dumps` takes."""
    if dataclasses.is_dataclass(settings):
        kind = f"{type(settings).__module__}:{type(settings).__qualname__}"
        values = {field.name: to_json(getattr(settings, field.name)) for field in fields(settings)}
        return {"type": kind, **values}
    if isinstance(settings, tuple | list):
        return [to_json(value) for value in settings]
    if isinstance(settings, pathlib.Path):
        return str(settings)
    if settings is None or isinstance(settings, bool | int | float | str):
        return settings
    raise TypeError(f"{settings!r} is no setting: use numbers, strings, tuples and dataclasses")


def from_json(data: Any) -> Any:
    """The settings that `to_json` was given. ValueError for a type from elsewhere, or fields that are not its own.

    Only dataclasses of this project are made, and only from values of the types that their fields have.
    """
    if isinstance(data, list):
        return tuple(from_json(value) for value in data)
    if not isinstance(data, dict):
        return data
    kind = _kind(str(data.get("type")))
    own = {field.name for field in fields(kind)}
    foreign = [key for key in data if key not in own and key != "type"]
    if foreign:
        raise ValueError(f"this version has no setting {foreign[0]!r} in {data['type']}")
    values = {key: from_json(value) for key, value in data.items() if key != "type"}
    hints = typing.get_type_hints(kind)
    values = {key: _as_path(value, hints[key]) for key, value in values.items()}
    for key, value in values.items():
        if not _fits(value, hints[key]):
            raise ValueError(f"{key} is {value!r} in {data['type']}, but must be {_hint_name(hints[key])}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"this version has no settings like {data['type']}: {error}") from error


def _kind(name: str) -> type:
    """The dataclass `package.module:Name`. ValueError unless it is one of this project."""
    if not re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)*:\w+", name):
        raise ValueError(f"settings of type {name!r} do not belong to {PACKAGES}")
    module, _, qualname = name.partition(":")
    try:
        kind = getattr(importlib.import_module(module), qualname, None)
    except ImportError:
        kind = None
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == module):
        raise ValueError(f"this version has no settings like {name}")
    return kind


def _as_path(value: Any, hint: Any) -> Any:
    return pathlib.Path(value) if isinstance(value, str) and pathlib.Path in typing.get_args(hint) else value


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value may stand in a field of that type; a whole number may stand for a float."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, typing.TypeVar) or hint is Any:
        return dataclasses.is_dataclass(value)
    if origin is typing.Literal:
        return value in inner
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if inner[1:] == (...,):
            return all(_fits(one, inner[0]) for one in value)
        return len(value) == len(inner) and all(map(_fits, value, inner))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) else True


def _hint_name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def not_finite(settings: Any, path: str = "") -> list[tuple[str, float]]:
    """Path and value of each number that is NaN or infinite."""
    if dataclasses.is_dataclass(settings):
        inner = ((field.name, getattr(settings, field.name)) for field in fields(settings))
        return [found for name, value in inner for found in not_finite(value, f"{path}.{name}".lstrip("."))]
    if isinstance(settings, tuple | list):
        return [found for value in settings for found in not_finite(value, path)]
    return [(path, settings)] if isinstance(settings, float) and not math.isfinite(settings) else []


def of_type(settings: Any, kind: type, path: str = "") -> list[tuple[str, Any]]:
    """Path and value of each setting of that type, those inside others included."""
    found = [(path, settings)] if isinstance(settings, kind) else []
    if dataclasses.is_dataclass(settings):
        inner = [(f"{path}.{field.name}".lstrip("."), getattr(settings, field.name)) for field in fields(settings)]
    else:
        inner = [(path, value) for value in settings] if isinstance(settings, tuple | list) else []
    return found + [one for name, value in inner for one in of_type(value, kind, name)]


def option(path: str) -> str:
    """The option of the command line that sets what lies at a path."""
    return f"--{path.replace('_', '-')}"


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """`path: old -> new` for each place where two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(old.keys() | new.keys())
            for line in differences(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if old == new else [f"{path}: {old} -> {new}"]
