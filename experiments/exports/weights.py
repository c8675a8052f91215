"""A state as named arrays, and back: what weights.safetensors holds, and how it is held against a model.

The name of an array is its path in the model's state: `generator/params/Dense_0/kernel`. All of the state is there but
what optimisers remember.
"""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.checkpoints import arrays
from experiments.checkpoints.checksums import name_of
from experiments.runs.experiment import model_of
from experiments.weights import tensors
from jaxgen.train_state import TrainState

FILE = "weights.safetensors"

FORMAT = 1
"""Of an exported folder, in the metadata of its weights."""


def flat(state: Any) -> dict[str, Any]:
    """The arrays of a state, or their shapes, by name, random keys as the integers behind them."""
    leaves = jax.tree_util.tree_leaves_with_path(arrays.without_keys(_without_optimizers(state)))
    return {name_of(path): leaf for path, leaf in leaves}


def save(path: pathlib.Path, state: Any, about: Mapping[str, str]) -> None:
    """Write the weights, with what `about` says as the file's metadata."""
    tensors.save(path, flat(jax.device_get(arrays.without_keys(state))), {"format": str(FORMAT), **about})


def load(path: pathlib.Path) -> dict[str, np.ndarray]:
    """What `save` wrote, flat: name to array. ValueError for a file that is missing, damaged or of a newer version."""
    found, about = tensors.load(path)
    try:
        written = json.loads(about.get("format", "0"))
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as safetensors: {error}") from error
    if not isinstance(written, int) or not 1 <= written <= FORMAT:
        raise ValueError(
            f"{path} has format {written}, but this version of jaxgen reads {FORMAT}: "
            "export the run again, or update jaxgen"
        )
    return found


def restored(config: Any, found: Mapping[str, np.ndarray], source: str) -> Any:
    """The model's state with these arrays, and its optimisers as they begin.

    ValueError, with `source`, if an array is missing, is not the model's, or has another shape or type.
    """
    like = jax.eval_shape(lambda: model_of(config).init(config, jax.random.key(0)))
    bare = arrays.without_keys(_without_optimizers(like))
    wrong = tensors.difference(found, bare)
    if wrong:
        raise ValueError(f"{source} does not fit {type(config).__module__} with these settings: {wrong}")
    paths, tree = jax.tree_util.tree_flatten_with_path(bare)
    state = jax.tree.unflatten(tree, [jnp.asarray(found[name_of(path)]) for path, _ in paths])
    return _with_optimizers(arrays.placed(state, _without_optimizers(like)))


def _without_optimizers(state: Any) -> Any:
    return _players(lambda player: player.replace(opt_state=()), state)


def _with_optimizers(state: Any) -> Any:
    return _players(lambda player: player.replace(opt_state=player.tx.init(player.params)), state)


def _players(function: Any, state: Any) -> Any:
    """The state with `function` of each player."""
    return jax.tree.map(lambda leaf: function(leaf) if _is_player(leaf) else leaf, state, is_leaf=_is_player)


def _is_player(leaf: Any) -> bool:
    return isinstance(leaf, TrainState)
