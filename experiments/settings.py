"""Settings to JSON and back: numbers, strings, tuples, frozen dataclasses and linen modules, nothing else.

A dataclass becomes an object with its fields and its type under "type". Reading makes only types of this project.
"""

import dataclasses
import importlib
import pathlib
from typing import Any

PACKAGES = ("jaxgen", "experiments")


def fields(settings: Any) -> list[dataclasses.Field]:
    """The fields a person may set: all, but for a linen module its links to the module tree."""
    import flax.linen as nn

    hidden = {"parent", "name"} if isinstance(settings, nn.Module) else set()
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
    """The settings that `to_json` was given. ValueError for a type from elsewhere or with other fields."""
    if isinstance(data, list):
        return tuple(from_json(value) for value in data)
    if not isinstance(data, dict):
        return data
    module, _, name = str(data.get("type")).partition(":")
    if module.partition(".")[0] not in PACKAGES:
        raise ValueError(f"settings of type {data.get('type')!r} do not belong to {PACKAGES}")
    try:
        kind = getattr(importlib.import_module(module), name)
        return kind(**{key: from_json(value) for key, value in data.items() if key != "type"})
    except (ImportError, AttributeError, TypeError) as error:
        raise ValueError(f"this version has no settings like {module}:{name}: {error}") from error


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """`path: old -> new` for each place where two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(old.keys() | new.keys())
            for line in differences(old.get(key), new.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if old == new else [f"{path}: {old} -> {new}"]
