"""Weights that a run begins with, of another run: `--init-from RUN`, all that have the same name and shape.

Taken are the variables of every player, averages of them, and whatever else a state holds in floating point; not the
moments of optimisers, counts and keys, and not frozen parts (`--pretrained`). What does not match, the layer before the
classes for one, begins at random. The run notes where its weights come from, and needs that run no more after its first
checkpoint.
"""

import pathlib
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.checkpoints import arrays
from experiments.checkpoints.checksums import name_of
from experiments.command_line.errors import UserError
from experiments.runs import restore, run_folder
from experiments.runs.carrying import is_optimizer_state
from experiments.runs.experiment import Experiment
from jaxgen.train_state import Frozen, TrainState

MOST_NAMES = 6
"""Of arrays, in what is said of them."""


class Initial(NamedTuple):
    """What a run begins with."""

    weights: dict[str, np.ndarray]  # by name
    source: dict[str, Any]  # where they come from, as config.json has it
    line: str  # what is said of them


def read(source: str, experiment: Experiment) -> Initial:
    """The weights in the newest good checkpoint of the run in the folder `source` that fit.

    UserError if it is no run, has no checkpoint, or nothing matches.
    """
    folder = pathlib.Path(source)
    _, _, step, state = restore.newest(folder)
    record = run_folder.read_config(folder)
    there, here = weights(jax.device_get(state)), weights(restore.abstract_state(experiment))
    taken = {name: there[name] for name, leaf in here.items() if name in there and _fits(there[name], leaf)}
    if not taken:
        raise UserError(
            f"--init-from {source}: none of its {len(there)} arrays has the name and shape of one of this model, of "
            f"which there are {_named(list(here))}; choose a run of the same model, or leave it out"
        )
    origin = {"source": source, "run": record["run"], "experiment": record["experiment"], "step": step}
    origin |= {"matched": len(taken), "of": len(here), "checksum": _checksum(taken)}
    parts = [f"matched {len(taken)} of {len(here)} arrays with {record['experiment']} in {source} at step {step:,}"]
    parts += [f"{kind}: {_named(names)}" for kind, names in _others(taken, here, there) if names]
    return Initial(taken, origin, "; ".join(parts))


def _others(taken: Any, here: Any, there: Any) -> list[tuple[str, list[str]]]:
    """What begins at random, and what of the other run is not used."""
    return [
        ("new", [name for name in here if name not in taken]),
        ("left", [name for name in there if name not in taken]),
    ]


def _named(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _fits(there: Any, leaf: Any) -> bool:
    floats = all(jnp.issubdtype(one.dtype, jnp.floating) for one in (there, leaf))
    return there.shape == leaf.shape and (floats or there.dtype == leaf.dtype)


def _checksum(taken: dict[str, np.ndarray]) -> int:
    """crc32 of the arrays in the order of their names."""
    crc = 0
    for name in sorted(taken):
        crc = zlib.crc32(np.ascontiguousarray(taken[name]).tobytes(), crc)
    return crc


def weights(state: Any) -> dict[str, Any]:
    """Arrays of a state, or of its shapes, that are weights or averages of them, by name."""
    found: dict[str, Any] = {}
    _map(state, lambda name, leaf: found.setdefault(name, leaf))
    return found


def put(state: Any, taken: dict[str, np.ndarray]) -> Any:
    """The state with these weights in place of its own, where it has them."""

    def placed(name: str, leaf: Any) -> Any:
        return arrays.placed(np.asarray(taken[name], leaf.dtype), leaf) if name in taken else leaf

    return _map(state, placed)


def _map(state: Any, function: Callable[[str, Any], Any]) -> Any:
    """The state with `function` of the name and the array in place of each array that is a weight."""

    def of_leaf(path: Any, leaf: Any) -> Any:
        name = name_of(path)
        if isinstance(leaf, TrainState):

            def of_array(place: Any, value: Any) -> Any:
                return function(f"{name}/{name_of(place)}".lstrip("/"), value)

            own = jax.tree_util.tree_map_with_path(of_array, leaf.variables)
            return leaf.replace(params=own.pop("params"), collections=own)
        if isinstance(leaf, Frozen) or is_optimizer_state(leaf) or not jnp.issubdtype(leaf.dtype, jnp.floating):
            return leaf
        return function(name, leaf)

    return jax.tree_util.tree_map_with_path(of_leaf, state, is_leaf=_is_whole)


def _is_whole(leaf: Any) -> bool:
    return isinstance(leaf, TrainState | Frozen) or is_optimizer_state(leaf)
