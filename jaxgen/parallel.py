"""Devices: the one module that knows there are any.

An update is written once, `update(config, state, batch, key, *, axis_name=None)`. With `axis_name=None` the batch is
the whole batch; with a name it is this device's share, and means over devices run along that axis. `jit`, `pmap` and
`shard_map` turn an update into a step over *global* batches and one state that is never replicated by hand.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxgen.typing import Key

AXIS = "devices"
"""The name of the axis along which a global batch is cut."""

Devices: TypeAlias = Sequence[Any] | None
"""Which of `jax.devices()` to use; all of them for None."""

Step: TypeAlias = Callable[[Any, Any, jax.Array], tuple[Any, Any]]
"""`(state, batch, key) -> (state, metrics)`; the state passed in is donated: use the one that comes back."""


def pmean(tree: Any, axis_name: str | None) -> Any:
    """Mean of each leaf over the devices along `axis_name`; the tree itself if that is None."""
    return tree if axis_name is None else jax.lax.pmean(tree, axis_name)


def psum(tree: Any, axis_name: str | None) -> Any:
    """Sum of each leaf over the devices along `axis_name`; the tree itself if that is None."""
    return tree if axis_name is None else jax.lax.psum(tree, axis_name)


def example_keys(key: Key, num: int, axis_name: str | None = None) -> jax.Array:
    """One key for each of this device's `num` examples, made from the example's index in the *global* batch.

    Noise drawn from these keys is the same whether 1 device holds the batch or 8.
    """
    first = 0 if axis_name is None else num * jax.lax.axis_index(axis_name)
    return jax.vmap(lambda index: jax.random.fold_in(key, index))(first + jnp.arange(num))


def draw(sampler: Callable[[Key], jax.Array], key: Key, num: int, axis_name: str | None = None) -> jax.Array:
    """`sampler(key)` once for each of this device's `num` examples, stacked: (num, ...)."""
    return jax.vmap(sampler)(example_keys(key, num, axis_name))


def split(batch: Any, num: int) -> Any:
    """(num * m, ...) to `num` minibatches (num, m, ...): minibatch t holds every num-th example from the t-th on.

    Interleaved, the minibatches hold the same examples however many devices share the batch. A batch of several arrays
    (`typing.Labelled`) is split alike in each.
    """
    size = len(jax.tree.leaves(batch)[0])
    if size % num:
        raise ValueError(f"batch of {size} does not divide into {num} minibatches; use a multiple of {num}")
    return jax.tree.map(lambda leaf: jnp.moveaxis(leaf.reshape(-1, num, *leaf.shape[1:]), 1, 0), batch)


def jit(
    update: Callable[..., tuple[Any, Any]],
    config: Any,
    *,
    steps: int | None = None,
    devices: Devices = None,
) -> Step:
    """Compile `update` over a batch cut across `devices`; XLA inserts the collectives.

    Args:
        update: `(config, state, batch, key, *, axis_name=None) -> (state, metrics)`, pure.
        config: the model's settings, static.
        steps: None for one update a call. With K, batch and key carry a leading axis of K, the K updates run in one
            dispatch and each metric comes back with K values.
        devices: all of them by default.

    Returns:
        A step whose batches are global. It raises ValueError if the devices do not divide the batch.
    """
    mesh = _mesh(devices)
    compiled = jax.jit(
        _scanned(functools.partial(update, config), steps),
        donate_argnums=0,
        out_shardings=NamedSharding(mesh, PartitionSpec()),
    )
    return _over_global_batches(compiled, mesh, steps)


def shard_map(
    update: Callable[..., tuple[Any, Any]],
    config: Any,
    *,
    steps: int | None = None,
    devices: Devices = None,
) -> Step:
    """Compile `update` as one program a device, with explicit collectives; arguments as in `jit`.

    JAX proves at trace time that the returned state is the same on every device.
    """
    mesh = _mesh(devices)
    mapped = jax.shard_map(
        _scanned(functools.partial(update, config, axis_name=AXIS), steps),
        mesh=mesh,
        in_specs=(PartitionSpec(), _batch_spec(steps), PartitionSpec()),
        out_specs=(PartitionSpec(), PartitionSpec()),
    )
    return _over_global_batches(jax.jit(mapped, donate_argnums=0), mesh, steps)


def pmap(
    update: Callable[..., tuple[Any, Any]],
    config: Any,
    *,
    steps: int | None = None,
    devices: Devices = None,
) -> Step:
    """Compile `update` with `jax.pmap`, state in and out unreplicated; arguments as in `jit`.

    Nothing checks that the returned state is the same on every device: device 0's is returned.
    """
    mesh = _mesh(devices)
    batch_axis = 0 if steps is None else 1
    mapped = jax.pmap(
        _scanned(functools.partial(update, config, axis_name=AXIS), steps),
        axis_name=AXIS,
        in_axes=(None, batch_axis, None),
        out_axes=None,  # pyright: ignore[reportArgumentType]
        donate_argnums=0,
        devices=list(mesh.devices),
    )

    def compiled(state, batch, key):
        return mapped(state, jax.tree.map(split, batch), key)

    def split(leaf):
        cut = (*leaf.shape[:batch_axis], mesh.size, -1, *leaf.shape[batch_axis + 1 :])
        return jax.device_put(leaf.reshape(cut), NamedSharding(mesh, _batch_spec(steps)))

    return _over_global_batches(compiled, mesh, steps)


def _mesh(devices: Devices) -> Mesh:
    import numpy as np

    return Mesh(np.array(jax.devices() if devices is None else devices), (AXIS,))


def _batch_spec(steps: int | None) -> PartitionSpec:
    return PartitionSpec(AXIS) if steps is None else PartitionSpec(None, AXIS)


def _scanned(step: Step, steps: int | None) -> Step:
    if steps is None:
        return step

    def scan(state, batches, keys):
        return jax.lax.scan(lambda state, inputs: step(state, *inputs), state, (batches, keys))

    return scan


def _over_global_batches(compiled: Step, mesh: Mesh, steps: int | None) -> Step:
    """Check and place the arguments: a state that lies elsewhere would be compiled for a second time."""
    replicated = NamedSharding(mesh, PartitionSpec())
    cut = NamedSharding(mesh, _batch_spec(steps))

    def step(state, batch, key):
        _check_batch(batch, mesh.size, steps)
        return compiled(_owned(state, replicated), _placed(batch, cut), _placed(key, replicated))

    return step


def _check_batch(batch: Any, num_devices: int, steps: int | None) -> None:
    for leaf in jax.tree.leaves(batch):
        if steps is not None and leaf.shape[0] != steps:
            raise ValueError(
                f"a batch with leading axis {leaf.shape[0]} does not hold {steps} steps; "
                f"stack {steps} batches along a new first axis"
            )
        size = leaf.shape[0 if steps is None else 1]
        if size % num_devices:
            raise ValueError(
                f"batch of {size} does not divide over {num_devices} devices; use a multiple of {num_devices}"
            )


def _placed(tree: Any, sharding: NamedSharding) -> Any:
    return tree if _lies(tree, sharding) else jax.device_put(tree, sharding)


def _owned(state: Any, sharding: NamedSharding) -> Any:
    """The state in buffers of its own: it is donated, and a buffer that two leaves or the caller share must not be."""
    return state if _lies(state, sharding) else jax.device_put(jax.tree.map(jnp.copy, state), sharding)


def _lies(tree: Any, sharding: NamedSharding) -> bool:
    return all(getattr(leaf, "sharding", None) == sharding for leaf in jax.tree.leaves(tree))
