"""Arrays of a state on their way to a checkpoint and back: random keys as integers, copies on the host, placement."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.checkpoints.checksums import described


def without_keys(state: Any) -> Any:
    """The state, or its shapes, with random keys as the integers behind them."""
    return jax.tree.map(_key_data, state)


def _key_data(leaf: Any) -> Any:
    if not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return leaf
    if isinstance(leaf, jax.Array):
        return jax.random.key_data(leaf)
    data = jax.eval_shape(jax.random.key_data, leaf)
    return jax.ShapeDtypeStruct(data.shape, data.dtype, sharding=leaf.sharding)


def placed(arrays: Any, like: Any) -> Any:
    """Arrays in memory as `like` has them: where it has them, and as random keys where it has keys."""
    return _with_keys(jax.tree.map(_placed, arrays, without_keys(like)), like)


def _placed(leaf: np.ndarray, like: Any) -> jax.Array:
    """A leaf that is in memory where `like` has it."""
    sharding = getattr(like, "sharding", None)
    if sharding is None or sharding.is_fully_addressable:
        return jax.device_put(leaf, sharding)
    return jax.make_array_from_callback(leaf.shape, sharding, leaf.__getitem__)


def _with_keys(state: Any, like: Any) -> Any:
    """The state with keys where `like` has them."""

    def typed(leaf: Any, wanted: Any) -> Any:
        if not jnp.issubdtype(wanted.dtype, jax.dtypes.prng_key):
            return leaf
        impl: list[Any] = []
        jax.eval_shape(lambda key: impl.append(jax.random.key_impl(key)), wanted)
        return jax.random.wrap_key_data(leaf, impl=impl[0])

    return jax.tree.map(typed, state, like)


def copied(state: Any, buffers: Any) -> Any:
    """The arrays in buffers of their own on the host: the state may be donated as soon as this returns.

    `buffers` of an earlier call are used again where they fit: new memory costs several times the copy.
    """
    for leaf in jax.tree.leaves(state):
        if isinstance(leaf, jax.Array):
            leaf.copy_to_host_async()
    if buffers is None or described(buffers) != described(state):
        buffers = jax.tree.map(lambda leaf: np.empty(leaf.shape, leaf.dtype), state)
    jax.tree.map(np.copyto, buffers, state)
    return buffers


def all_finite(arrays: Any) -> bool:
    """Of all leaves, or of what of them lies in this process."""
    floats = (leaf for leaf in jax.tree.leaves(arrays) if jnp.issubdtype(leaf.dtype, jnp.floating))
    return all(bool(np.isfinite(piece).all()) for leaf in floats for piece in _pieces(leaf))


def _pieces(leaf: Any) -> list[Any]:
    if not isinstance(leaf, jax.Array) or leaf.is_fully_addressable or leaf.is_fully_replicated:
        return [leaf]
    return [shard.data for shard in leaf.addressable_shards]
