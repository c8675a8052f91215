"""Pretrained parts of a state that no optimiser moves: read once, kept beside the checkpoints, checked at each start.

A run keeps its own copy in `frozen/NAME.npz`, with its checksum in config.json, and no checkpoint repeats it. Where the
parts come from: `experiments.runs.pretrained`.
"""

import pathlib
import zlib
from typing import Any

import jax
import jax.numpy as jnp

from experiments.command_line.errors import UserError
from experiments.runs import files
from experiments.runs import variables as stored
from jaxgen.train_state import Frozen


def parts(state: Any) -> dict[str, Frozen]:
    """The frozen parts of a state, or of its shapes, by name. ValueError for two of one name."""
    found = [leaf for leaf in jax.tree.leaves(state, is_leaf=_is_frozen) if _is_frozen(leaf)]
    named = {part.name: part for part in found}
    if len(named) < len(found):
        raise ValueError(f"frozen parts need names of their own, but they are {sorted(part.name for part in found)}")
    return named


def without(state: Any) -> Any:
    """The state as checkpoints hold it: frozen parts without their variables."""
    return _replaced(state, {name: {} for name in parts(state)})


def with_variables(state: Any, variables: dict[str, Any]) -> Any:
    """The state with these variables in its frozen parts."""
    return _replaced(state, variables)


def _replaced(state: Any, variables: dict[str, Any]) -> Any:
    return jax.tree.map(
        lambda leaf: leaf.replace(variables=variables[leaf.name]) if _is_frozen(leaf) else leaf,
        state,
        is_leaf=_is_frozen,
    )


def _is_frozen(leaf: Any) -> bool:
    return isinstance(leaf, Frozen)


def fitted(flat: dict[str, Any], source: str, part: Frozen) -> dict[str, Any]:
    """The variables of a part from arrays by name. UserError if one is missing or of another shape."""
    wanted = stored.flat(part.variables)
    for name, leaf in wanted.items():
        if name not in flat:
            raise UserError(f"{source} has no array {name!r}, which the frozen part {part.name!r} needs")
        if flat[name].shape != leaf.shape:
            there = f"{source} has {name!r} of shape {flat[name].shape}"
            raise UserError(f"{there}, but the frozen part {part.name!r} needs {leaf.shape}")
    return stored.nested({name: jnp.asarray(flat[name], leaf.dtype) for name, leaf in wanted.items()})


def of_file(path: pathlib.Path, part: Frozen) -> dict[str, Any]:
    """The variables of a part from an `.npz`. UserError if it cannot be read or does not fit."""
    try:
        return fitted(stored.load(path), str(path), part)
    except ValueError as error:
        raise UserError(str(error)) from error


def keep(folder: pathlib.Path, variables: dict[str, Any]) -> dict[str, int]:
    """Write each part's variables to the run's folder; the checksums by name, for config.json."""
    place = folder / "frozen"
    place.mkdir(exist_ok=True)
    for name, tree in variables.items():
        with files.replacing(place / f"{name}.npz") as unfinished:
            stored.save(unfinished, jax.device_get(tree))
    files.sync(place)
    return {name: _checksum(folder, name) for name in variables}


def kept(folder: pathlib.Path, checksums: dict[str, int], like: dict[str, Frozen]) -> dict[str, Any]:
    """What `keep` wrote. UserError if a file is missing, changed or of other shapes."""
    for name, wanted in checksums.items():
        if _checksum(folder, name) != wanted:
            raise UserError(
                f"{folder / 'frozen' / name}.npz is not the file that the run began with; put it back, or --no-resume"
            )
    return {name: of_file(folder / "frozen" / f"{name}.npz", part) for name, part in like.items()}


def _checksum(folder: pathlib.Path, name: str) -> int:
    path = folder / "frozen" / f"{name}.npz"
    try:
        return zlib.crc32(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; put it back, or --no-resume") from error
