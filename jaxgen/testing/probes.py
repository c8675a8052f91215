"""What the laws of the contract look with: a network that asks for keys, a program's operations, a signature."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jax.interpreters import partial_eval

from jaxgen.batches import Labelled, condition, random_batches
from jaxgen.images import scale
from jaxgen.mode import EVALUATION, Mode
from jaxgen.train_state import TrainState, players


def conditions(config: Any, num: int) -> Any:
    """What a model that samples for examples is given for `num` of them; None for others."""
    if config.batch_type is None or config.batch_type is Labelled:
        return None
    arrays = jax.tree.map(jnp.asarray, condition(random_batches(config, 1, num)[0]))
    return jax.tree.map(lambda each: scale(each, config.value_range) if each.ndim == 4 else each, arrays)


def refuses(computation: Callable[[Any], Iterable[Any]], config: Any) -> bool:
    """Whether a computation with these settings is a ValueError."""
    try:
        list(computation(config))
    except ValueError:
        return True
    return False


def operations(closed: Any) -> tuple[str, list[bytes]]:
    """The operations on which the outputs depend, and the constants."""
    jaxpr, _ = partial_eval.dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), True)
    return str(jaxpr), [np.asarray(const).tobytes() for const in closed.consts]


class AsksForKeys(nn.Module):
    """A network that refuses to be trained without keys, as dropout inside would, or a step, as a schedule would.

    It counts its passes in training, as batch statistics follow them, and keeps the first key of the last one.
    """

    net: nn.Module

    @nn.compact
    def __call__(self, *inputs: Any, mode: Mode = EVALUATION) -> Any:
        """What the network gives; ValueError in training without keys or a step."""
        passes = self.variable("passes", "in_training", jnp.zeros, (), jnp.int32)
        first = self.variable("passes", "key", lambda: jnp.zeros_like(jax.random.key_data(jax.random.key(0))))
        if mode.train:
            keys = mode.example_keys("a network")
            if mode.step is None:
                raise ValueError("a network has no step in training: give mode=Mode(step=state.step, ...)")
            if not self.is_initializing():
                passes.value, first.value = passes.value + 1, jax.random.key_data(keys[0])
        return self.net(*inputs, mode=mode)

    @nn.nowrap
    def num_styles(self, output_shape: Any) -> int:
        """Of a synthesis network: `jaxgen.gans.styles`."""
        net: Any = self.net
        return net.num_styles(output_shape)


def kept_passes(program: Any, outputs: Any) -> dict[str, dict[str, Any]]:
    """What each network of a player has kept of its passes in training, in a state that began with zeros."""
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(outputs)]
    wanted = [".collections['passes']" in path for path in paths]
    alone, _ = partial_eval.dce_jaxpr(program.jaxpr, wanted)
    shapes: list[Any] = [each.aval for each in alone.invars]
    inputs = [
        jax.random.key(0) if jnp.issubdtype(each.dtype, jax.dtypes.prng_key) else jnp.zeros(each.shape, each.dtype)
        for each in shapes
    ]
    values = core.jaxpr_as_fun(core.ClosedJaxpr(alone, program.consts))(*inputs)
    kept = {}
    for path, value in zip([path for path, counts in zip(paths, wanted, strict=True) if counts], values, strict=True):
        network, _, name = path.rpartition("[")
        kept.setdefault(network, {})[name.strip("']")] = np.asarray(value).tolist()
    return kept


def embeddings(model: Any, config: Any, state: Any, batch: Any) -> tuple[jax.Array, jax.Array]:
    """What a model that matches images and captions makes of those of a batch."""
    images = scale(jnp.asarray(batch.images), config.value_range)
    return model.embed_images(config, state, images), model.embed_captions(config, state, batch.captions)


def arguments(function: Any) -> list[tuple[str, Any, bool]]:
    """Name, kind and whether there is a default, of each argument."""
    parameters = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default is not each.empty) for each in parameters]


def with_other_moments(state: Any, name: str) -> Any:
    """A state whose player of that name has 10 more in every number of its optimiser's state."""
    player = players(state)[name]
    others = jax.tree.map(
        lambda leaf: leaf + jnp.asarray(10, leaf.dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf,
        player.opt_state,
    )
    return jax.tree.map(
        lambda one: one.replace(opt_state=others) if one is player else one,
        state,
        is_leaf=lambda one: isinstance(one, TrainState),
    )
