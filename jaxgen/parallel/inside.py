"""What an update uses inside: means, sums and rows of the whole batch, noise for each example, minibatches.

An update is written once. With `axis_name=None` its batch is the whole batch; with a name it is this device's share,
and what stands here runs along that axis.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, PartitionSpec

from jaxgen.checks import require
from jaxgen.parallel.layout import AXIS
from jaxgen.typing import Key, Keys


def pmean(tree: Any, axis_name: str | None) -> Any:
    """Mean of each leaf over the devices along `axis_name`; the tree itself if that is None."""
    return tree if axis_name is None else jax.lax.pmean(tree, axis_name)


def psum(tree: Any, axis_name: str | None) -> Any:
    """Sum of each leaf over the devices along `axis_name`; the tree itself if that is None."""
    return tree if axis_name is None else jax.lax.psum(tree, axis_name)


def gather(batch: jax.Array, axis_name: str | None) -> jax.Array:
    """The whole batch on every device, for a statistic of all its examples; `batch` itself without devices.

    A loss of the gathered batch is the same on every device, and the two means of `train_state.descend` give its
    gradient.
    """
    return batch if axis_name is None else jax.lax.all_gather(batch, axis_name, tiled=True)


def share(whole: jax.Array, axis_name: str | None) -> jax.Array:
    """This device's rows of a batch that every device has whole, from `gather`; `whole` itself without devices."""
    if axis_name is None:
        return whole
    num = len(whole) // jax.lax.axis_size(axis_name)
    return jax.lax.dynamic_slice_in_dim(whole, num * jax.lax.axis_index(axis_name), num)


def take(batch: jax.Array, indices: jax.Array, axis_name: str | None) -> jax.Array:
    """`batch[indices]`, the indices being those of the *global* batch; the same on every device."""
    if axis_name is None:
        return batch[indices]
    here = indices - len(batch) * jax.lax.axis_index(axis_name)
    ours = ((here >= 0) & (here < len(batch))).reshape(-1, *(1,) * (batch.ndim - 1))
    rows = jnp.where(ours, batch[jnp.clip(here, 0, len(batch) - 1)], jnp.zeros((), batch.dtype))
    return jax.lax.psum(rows, axis_name)


def replicate_batch(batch: jax.Array, axis_name: str | None) -> jax.Array:
    """The whole batch as the same array on every device, as what a state keeps must be; `batch` without devices.

    `gather` gives its values for less, but JAX does not know of them that all devices have the same.
    """
    if axis_name is None:
        return batch
    return take(batch, jnp.arange(len(batch) * jax.lax.axis_size(axis_name)), axis_name)


def example_keys(key: Keys, num: int, axis_name: str | None = None) -> jax.Array:
    """One key for each of this device's `num` examples, made from the example's index in the *global* batch.

    Noise drawn from these keys is the same whether 1 device holds the batch or 8. Keys that are given one for each
    example are returned as they are: what draws many samples in batches of any size gives each its own.
    """
    if key.ndim:
        require(key.shape == (num,), "shape of the keys", key.shape, f"() or ({num},), one for each example")
        return key
    first = 0 if axis_name is None else num * jax.lax.axis_index(axis_name)
    return jax.vmap(lambda index: jax.random.fold_in(key, index))(first + jnp.arange(num))


def pass_key(key: Keys, number: int = 0) -> Keys:
    """A key for what is random inside the networks, independent of the `example_keys` of the same key.

    It is folded from a number that no example reaches as its index.
    """
    return jnp.vectorize(lambda one: jax.random.fold_in(one, 2**32 - 1 - number))(key)


def split_key(key: Keys, num: int = 2) -> jax.Array:
    """`jax.random.split` of one key, or of the key of each example: (num, *examples)."""
    if key.ndim == 0:
        return jax.random.split(key, num)
    return jax.vmap(lambda one: jax.random.split(one, num), out_axes=1)(key)


def draw(sampler: Callable[[Key], jax.Array], key: Keys, num: int, axis_name: str | None = None) -> jax.Array:
    """`sampler(key)` once for each of this device's `num` examples, stacked: (num, ...).

    Under `jit` each device draws for its own examples: XLA would draw, and compute what follows, for all on each.
    """
    drawn = jax.vmap(sampler)(example_keys(key, num, axis_name))
    num_devices = _devices_in_sight()
    if axis_name is not None or num_devices == 1 or num % num_devices:
        return drawn
    return jax.lax.with_sharding_constraint(drawn, PartitionSpec(AXIS))


def even_shares(key: Key, num: int, axis_name: str | None = None) -> jax.Array:
    """(u + i / B) mod 1 for example i of the global batch of B, u uniform in [0, 1): (num,), float32."""
    first, total = 0, num
    if axis_name is not None:
        first, total = num * jax.lax.axis_index(axis_name), num * jax.lax.axis_size(axis_name)
    return (jax.random.uniform(key) + (first + jnp.arange(num)).astype(jnp.float32) / total) % 1.0


def replicated_weights(params: Any) -> Any:
    """The weights whole on every device, for the passes of a step whose state is cut (`jit` with `shard_state`).

    Without this XLA may move the activations in their place. The same values; nothing elsewhere.
    """
    if _devices_in_sight() == 1:
        return params
    return jax.tree.map(lambda leaf: jax.lax.with_sharding_constraint(leaf, PartitionSpec()), params)


def _devices_in_sight() -> int:
    """How many devices the step that is being traced by `jit` runs on; 1 in a trace that is a device's own."""
    mesh = jax.sharding.get_abstract_mesh()
    if AXIS not in mesh.axis_names or mesh.axis_types != (AxisType.Auto,):
        return 1
    return mesh.size


def split(batch: Any, num: int) -> Any:
    """(num * m, ...) to `num` minibatches (num, m, ...): minibatch t holds every num-th example from the t-th on.

    Interleaved, the minibatches hold the same examples however many devices share the batch. A batch of several arrays
    (`batches.Labelled`) is split alike in each.
    """
    size = len(jax.tree.leaves(batch)[0])
    require(size >= 1, "batch size", size, "at least 1")
    if size % num:
        raise ValueError(f"batch of {size} does not divide into {num} minibatches; use a multiple of {num}")
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf.reshape(-1, num, *leaf.shape[1:]), 1, 0), batch)
