"""A network's variables in one `.npz`, as `collection/module/.../name`: no pickle is written or read."""

import pathlib
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from flax import traverse_util


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


def flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dicts to one, their keys joined by `/`."""
    return traverse_util.flatten_dict(tree, sep="/")


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flat`."""
    return traverse_util.unflatten_dict(flat, sep="/")
