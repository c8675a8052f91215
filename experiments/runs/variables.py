"""A network's variables in one `.npz`, as `collection/module/.../name`: no pickle is written or read."""

import pathlib
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np


def save(path: pathlib.Path, variables: Mapping[str, Any]) -> None:
    """Write nested arrays."""
    with path.open("wb") as file:
        np.savez(file, **flat(variables))


def load(path: pathlib.Path) -> dict[str, np.ndarray]:
    """What `save` wrote, flat: name to array. ValueError for a file that is missing, damaged or something else."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, EOFError, ValueError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be read as arrays: {error}") from error


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings to one, their keys joined by `/`."""
    found = {}
    for name, value in tree.items():
        found |= flat(value, f"{prefix}{name}/") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flat`."""
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        *modules, leaf = path.split("/")
        node = tree
        for module in modules:
            node = node.setdefault(module, {})
        node[leaf] = value
    return tree
