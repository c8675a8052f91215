"""Where arrays lie: a state whole on every device or cut over all, a batch cut along its examples.

The devices may belong to several processes (`jax.distributed`), each of which runs the same program: `global_batch`
makes one batch from the share that each process has read, and `unsharded` brings a state back to one device.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxgen.typing import Shape

AXIS = "devices"
"""The name of the axis along which a global batch is cut."""

Devices: TypeAlias = Sequence[Any] | None
"""Which of `jax.devices()` to use; all of them for None."""


def placement(state: Any, *, devices: Devices = None, shard_state: bool = False) -> Any:
    """Where a step over `devices` takes each leaf of a state, or of its shapes.

    Whole on every device; with `shard_state` cut along its longest dimension that the devices divide, if there is one.
    """
    mesh = mesh_of(devices)

    def place(leaf: Any) -> NamedSharding:
        shape = np.shape(leaf)
        axes = [axis for axis, size in enumerate(shape) if size and size % mesh.size == 0]
        if not shard_state or not axes:
            return NamedSharding(mesh, PartitionSpec())
        longest = max(axes, key=lambda axis: shape[axis])
        return NamedSharding(mesh, PartitionSpec(*[None] * longest, AXIS))

    return jax.tree.map(place, state)


def batch_sharding(*, stacked: bool = False, devices: Devices = None) -> NamedSharding:
    """How a batch is cut over the devices; with `stacked`, one with a leading axis of steps."""
    return NamedSharding(mesh_of(devices), batch_spec(1 if stacked else None))


def global_batch(share: Any, *, steps: int | None = None, devices: Devices = None) -> Any:
    """The batch cut over all devices, from the share of it that each process has read.

    Process p holds the p-th piece of the batch: examples are in the order of the processes.
    """
    cut = batch_sharding(stacked=steps is not None, devices=devices)
    if cut.is_fully_addressable:
        return jax.device_put(share, cut)
    return jax.tree.map(lambda leaf: jax.make_array_from_process_local_data(cut, np.asarray(leaf)), share)


def replicate(tree: Any, *, devices: Devices = None) -> Any:
    """The arrays, which every process has whole, whole on each of the devices."""
    return placed(tree, NamedSharding(mesh_of(devices), PartitionSpec()))


def unsharded(tree: Any) -> Any:
    """The tree on one device of this process. All processes must call it together."""
    if not all(leaf.is_fully_replicated for leaf in jax.tree.leaves(tree)):
        tree = jax.jit(lambda tree: tree, out_shardings=NamedSharding(mesh_of(None), PartitionSpec()))(tree)
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)


def max_over_processes(number: int) -> jax.Array:
    """The largest of the numbers that the processes give; int32, the same in each, which need not wait for it."""
    mesh = mesh_of(None)
    cut = NamedSharding(mesh, PartitionSpec(AXIS))
    numbers = np.full(len(mesh.local_devices), number, np.int32)
    return _max_over_processes(mesh)(jax.make_array_from_process_local_data(cut, numbers))


@functools.lru_cache(maxsize=1)
def _max_over_processes(mesh: Mesh) -> Callable[[jax.Array], jax.Array]:
    return jax.jit(jnp.max, out_shardings=NamedSharding(mesh, PartitionSpec()))


def differing_replicas(tree: Any) -> list[str]:
    """Paths of the leaves of which this process's devices hold copies that are not the same, bit for bit.

    A state out of `pmap` should have none: JAX takes device 0's copy for all. Waits for the values.
    """
    return [
        jax.tree_util.keystr(path, simple=True, separator="/")
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        if not _copies_agree(leaf)
    ]


def _copies_agree(leaf: jax.Array) -> bool:
    if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    copies: dict[str, bytes] = {}
    shards = [(str(shard.index), np.asarray(shard.data).tobytes()) for shard in leaf.addressable_shards]
    return all(copies.setdefault(place, value) == value for place, value in shards)


def mesh_of(devices: Devices) -> Mesh:
    """The devices in the order of their processes, so that process p holds the p-th piece of a batch."""
    chosen = sorted(jax.devices(), key=lambda device: device.process_index) if devices is None else devices
    return Mesh(np.array(chosen), (AXIS,))


def batch_spec(steps: int | None) -> PartitionSpec:
    """Which axis of a batch is cut: the examples', behind the one of `steps`."""
    return PartitionSpec(AXIS) if steps is None else PartitionSpec(None, AXIS)


def placed(tree: Any, places: Any) -> Any:
    """The tree where `places`, one sharding or a tree of them, say."""
    if _lies(tree, places):
        return tree
    if jax.process_count() == 1:
        return jax.device_put(tree, places)
    return jax.tree.map(_placed_by_each, tree, broadcast_placements(places, tree))


def in_own_buffers(state: Any, places: Any) -> Any:
    """The state in buffers of its own: it is donated, and a buffer that two leaves or the caller share must not be."""
    return state if _lies(state, places) else placed(jax.tree.map(jnp.copy, state), places)


def _placed_by_each(leaf: Any, sharding: NamedSharding) -> jax.Array:
    """A value that every process has whole, placed by each on its own devices."""
    if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
        return jax.device_put(leaf, sharding)
    places = sharding.addressable_devices_indices_map(leaf.shape)
    pieces = [jax.device_put(leaf[place], device) for device, place in places.items()]
    return jax.make_array_from_single_device_arrays(leaf.shape, sharding, pieces)


def reinterpreted(tree: Any, mesh: Mesh, spec: PartitionSpec, shape: Shape | None = None) -> Any:
    """The same buffers as arrays over the devices of `mesh`, as far as they are this process's."""
    sharding = NamedSharding(mesh, spec)

    def seen(leaf: jax.Array) -> jax.Array:
        pieces = [shard.data for shard in leaf.addressable_shards]
        return jax.make_array_from_single_device_arrays(shape or leaf.shape, sharding, pieces)

    return jax.tree.map(seen, tree)


def _lies(tree: Any, places: Any) -> bool:
    leaves, wanted = jax.tree.leaves(tree), jax.tree.leaves(broadcast_placements(places, tree))
    return all(getattr(leaf, "sharding", None) == place for leaf, place in zip(leaves, wanted, strict=True))


def broadcast_placements(places: Any, tree: Any) -> Any:
    """`places` for each leaf of the tree, if they are one for all."""
    return jax.tree.map(lambda _: places, tree) if isinstance(places, NamedSharding) else places
