"""Devices: the one module that knows there are any.

An update is written once, `update(config, state, batch, key, *, axis_name=None)`. With `axis_name=None` the batch is
the whole batch; with a name it is this device's share, and means over devices run along that axis. `jit`, `pmap` and
`shard_map` turn an update into a step over *global* batches and one state that is never replicated by hand.

The devices may belong to several processes (`jax.distributed`), each of which runs the same program: `global_batch`
makes one batch from the share that each process has read, and `whole` brings a state back to one device.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxgen.typing import Key, Shape

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


def gather(batch: jax.Array, axis_name: str | None) -> jax.Array:
    """The whole batch on every device, for a statistic of all its examples; `batch` itself without devices.

    A loss of the gathered batch is the same on every device, and the two means of `train_state.descend` give its
    gradient.
    """
    return batch if axis_name is None else jax.lax.all_gather(batch, axis_name, tiled=True)


def take(batch: jax.Array, indices: jax.Array, axis_name: str | None) -> jax.Array:
    """`batch[indices]`, the indices being those of the *global* batch; the same on every device."""
    if axis_name is None:
        return batch[indices]
    here = indices - len(batch) * jax.lax.axis_index(axis_name)
    ours = ((here >= 0) & (here < len(batch))).reshape(-1, *(1,) * (batch.ndim - 1))
    rows = jnp.where(ours, batch[jnp.clip(here, 0, len(batch) - 1)], jnp.zeros((), batch.dtype))
    return jax.lax.psum(rows, axis_name)


def example_keys(key: Key, num: int, axis_name: str | None = None) -> jax.Array:
    """One key for each of this device's `num` examples, made from the example's index in the *global* batch.

    Noise drawn from these keys is the same whether 1 device holds the batch or 8.
    """
    first = 0 if axis_name is None else num * jax.lax.axis_index(axis_name)
    return jax.vmap(lambda index: jax.random.fold_in(key, index))(first + jnp.arange(num))


def draw(sampler: Callable[[Key], jax.Array], key: Key, num: int, axis_name: str | None = None) -> jax.Array:
    """`sampler(key)` once for each of this device's `num` examples, stacked: (num, ...).

    Under `jit` each device draws for its own examples: XLA would draw, and compute what follows, for all on each.
    """
    drawn = jax.vmap(sampler)(example_keys(key, num, axis_name))
    num_devices = _devices_in_sight()
    if axis_name is not None or num_devices == 1 or num % num_devices:
        return drawn
    return jax.lax.with_sharding_constraint(drawn, PartitionSpec(AXIS))


def whole_weights(params: Any) -> Any:
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
    shard_state: bool = False,
) -> Step:
    """Compile `update` over a batch cut across `devices`; XLA inserts the collectives.

    Args:
        update: `(config, state, batch, key, *, axis_name=None) -> (state, metrics)`, pure.
        config: the model's settings, static.
        steps: None for one update a call. With K, batch and key carry a leading axis of K, the K updates run in one
            dispatch and each metric comes back with K values.
        devices: all of them by default.
        shard_state: keep of each array of the state one piece on each device, where a dimension divides, for networks
            that do not fit on one. The result is the same; weights are gathered when they are used.

    Returns:
        A step whose batches are global. It raises ValueError if the devices do not divide the batch.
    """
    mesh = _mesh(devices)
    made: dict[Any, Step] = {}

    def compiled(state, batch, key):
        structure = jax.tree.structure(state)
        if structure not in made:
            made[structure] = _jitted(update, config, state, steps, mesh, shard_state)
        return made[structure](state, batch, key)

    return _over_global_batches(
        compiled, mesh, steps, functools.partial(placement, devices=devices, shard_state=shard_state)
    )


def program(
    update: Callable[..., tuple[Any, Any]],
    config: Any,
    state: Any,
    batch: Any,
    *,
    devices: Devices = None,
    shard_state: bool = False,
) -> jax.stages.Compiled:
    """The program of one step under `jit`, to be looked at; `state` and `batch` are arrays or their shapes."""
    mesh = _mesh(devices)

    def shapes(tree: Any, places: Any) -> Any:
        return jax.tree.map(
            lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place),
            tree,
            _spread(places, tree),
        )

    key = shapes(jax.eval_shape(lambda: jax.random.key(0)), NamedSharding(mesh, PartitionSpec()))
    state = shapes(state, placement(state, devices=devices, shard_state=shard_state))
    batch = shapes(batch, batch_sharding(devices=devices))
    return _jitted(update, config, state, None, mesh, shard_state).lower(state, batch, key).compile()


def _jitted(
    update: Callable[..., tuple[Any, Any]],
    config: Any,
    state: Any,
    steps: int | None,
    mesh: Mesh,
    shard_state: bool,
) -> Any:
    """`jax.jit` of the update for states like this one."""
    places = functools.partial(placement, devices=list(mesh.devices), shard_state=shard_state)

    def within(state, batch, key):
        with jax.sharding.use_abstract_mesh(mesh.abstract_mesh):
            state, metrics = update(config, state, batch, key)
            if shard_state:
                state = jax.lax.with_sharding_constraint(state, places(state))
            return state, metrics

    out = (places(state), NamedSharding(mesh, PartitionSpec()))
    return jax.jit(_scanned(within, steps), donate_argnums=0, out_shardings=out)


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

    if mesh.is_multi_process:
        return _over_global_batches(_each_over_its_own(mapped, mesh, steps), mesh, steps)
    return _over_global_batches(compiled, mesh, steps)


def _each_over_its_own(mapped: Step, mesh: Mesh, steps: int | None) -> Step:
    """A `jax.pmap` of several processes takes and returns what lies on this process's devices alone."""
    here = Mesh(mesh.local_devices, (AXIS,))
    batch_axis = 0 if steps is None else 1

    def compiled(state, batch, key):
        state, key = (_seen_from(tree, here, PartitionSpec()) for tree in (state, key))
        return _seen_from(mapped(state, jax.tree.map(split, batch), key), mesh, PartitionSpec())

    def split(leaf):
        before, size, after = leaf.shape[:batch_axis], leaf.shape[batch_axis], leaf.shape[batch_axis + 1 :]
        share = (*before, size * here.size // mesh.size, *after)
        leaf = _seen_from(leaf, here, _batch_spec(steps), share)
        return jax.device_put(leaf.reshape(*before, here.size, -1, *after), NamedSharding(here, _batch_spec(steps)))

    return compiled


def initial(
    init: Callable[[Any, Key], Any], config: Any, key: Key, *, devices: Devices = None, shard_state: bool = False
) -> Any:
    """`init(config, key)`, compiled, as a state that lies where a step over `devices` takes it."""
    made = functools.partial(init, config)
    places = placement(jax.eval_shape(made, key), devices=devices, shard_state=shard_state)
    return jax.jit(made, out_shardings=places)(everywhere(key, devices=devices))


def placement(state: Any, *, devices: Devices = None, shard_state: bool = False) -> Any:
    """Where a step over `devices` takes each leaf of a state, or of its shapes.

    Whole on every device; with `shard_state` cut along its longest dimension that the devices divide, if there is one.
    """
    mesh = _mesh(devices)

    def place(leaf: Any) -> NamedSharding:
        shape = np.shape(leaf)
        axes = [axis for axis, size in enumerate(shape) if size and size % mesh.size == 0]
        if not shard_state or not axes:
            return NamedSharding(mesh, PartitionSpec())
        longest = max(axes, key=lambda axis: shape[axis])
        return NamedSharding(mesh, PartitionSpec(*[None] * longest, AXIS))

    return jax.tree.map(place, state)


def differing(tree: Any) -> list[str]:
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


def global_batch(share: Any, *, steps: int | None = None, devices: Devices = None) -> Any:
    """The batch cut over all devices, from the share of it that each process has read.

    Process p holds the p-th piece of the batch: examples are in the order of the processes.
    """
    cut = batch_sharding(stacked=steps is not None, devices=devices)
    if cut.is_fully_addressable:
        return jax.device_put(share, cut)
    return jax.tree.map(lambda leaf: jax.make_array_from_process_local_data(cut, np.asarray(leaf)), share)


def batch_sharding(*, stacked: bool = False, devices: Devices = None) -> NamedSharding:
    """How a batch is cut over the devices; with `stacked`, one with a leading axis of steps."""
    return NamedSharding(_mesh(devices), _batch_spec(1 if stacked else None))


def everywhere(tree: Any, *, devices: Devices = None) -> Any:
    """The arrays, which every process has whole, whole on each of the devices."""
    return _placed(tree, NamedSharding(_mesh(devices), PartitionSpec()))


def whole(tree: Any) -> Any:
    """The tree on one device of this process. All processes must call it together."""
    if not all(leaf.is_fully_replicated for leaf in jax.tree.leaves(tree)):
        tree = jax.jit(lambda tree: tree, out_shardings=NamedSharding(_mesh(None), PartitionSpec()))(tree)
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)


def largest(number: int) -> jax.Array:
    """The largest of the numbers that the processes give; int32, the same in each, which need not wait for it."""
    mesh = _mesh(None)
    cut = NamedSharding(mesh, PartitionSpec(AXIS))
    numbers = np.full(len(mesh.local_devices), number, np.int32)
    return _largest(mesh)(jax.make_array_from_process_local_data(cut, numbers))


@functools.lru_cache(maxsize=1)
def _largest(mesh: Mesh) -> Callable[[jax.Array], jax.Array]:
    return jax.jit(jnp.max, out_shardings=NamedSharding(mesh, PartitionSpec()))


def _mesh(devices: Devices) -> Mesh:
    """The devices in the order of their processes, so that process p holds the p-th piece of a batch."""
    chosen = sorted(jax.devices(), key=lambda device: device.process_index) if devices is None else devices
    return Mesh(np.array(chosen), (AXIS,))


def _batch_spec(steps: int | None) -> PartitionSpec:
    return PartitionSpec(AXIS) if steps is None else PartitionSpec(None, AXIS)


def _scanned(step: Step, steps: int | None) -> Step:
    if steps is None:
        return step

    def scan(state, batches, keys):
        return jax.lax.scan(lambda state, inputs: step(state, *inputs), state, (batches, keys))

    return scan


def _over_global_batches(
    compiled: Step, mesh: Mesh, steps: int | None, places: Callable[[Any], Any] | None = None
) -> Step:
    """Check and place the arguments: a state that lies elsewhere would be compiled for a second time.

    `places` says where a state belongs: whole on every device if not given.
    """
    replicated = NamedSharding(mesh, PartitionSpec())
    cut = NamedSharding(mesh, _batch_spec(steps))
    known: dict[Any, Any] = {}

    def step(state, batch, key):
        _check_batch(batch, mesh.size, steps)
        structure = jax.tree.structure(state)
        if structure not in known:
            known[structure] = replicated if places is None else places(state)
        return compiled(_owned(state, known[structure]), _placed(batch, cut), _placed(key, replicated))

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


def _placed(tree: Any, places: Any) -> Any:
    """The tree where `places`, one sharding or a tree of them, say."""
    if _lies(tree, places):
        return tree
    if jax.process_count() == 1:
        return jax.device_put(tree, places)
    return jax.tree.map(_placed_by_each, tree, _spread(places, tree))


def _owned(state: Any, places: Any) -> Any:
    """The state in buffers of its own: it is donated, and a buffer that two leaves or the caller share must not be."""
    return state if _lies(state, places) else _placed(jax.tree.map(jnp.copy, state), places)


def _placed_by_each(leaf: Any, sharding: NamedSharding) -> jax.Array:
    """A value that every process has whole, placed by each on its own devices."""
    if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
        return jax.device_put(leaf, sharding)
    places = sharding.addressable_devices_indices_map(leaf.shape)
    pieces = [jax.device_put(leaf if leaf.ndim == 0 else leaf[place], device) for device, place in places.items()]
    return jax.make_array_from_single_device_arrays(leaf.shape, sharding, pieces)


def _seen_from(tree: Any, mesh: Mesh, spec: PartitionSpec, shape: Shape | None = None) -> Any:
    """The same buffers as arrays over the devices of `mesh`, as far as they are this process's."""
    sharding = NamedSharding(mesh, spec)

    def seen(leaf: jax.Array) -> jax.Array:
        pieces = [shard.data for shard in leaf.addressable_shards]
        return jax.make_array_from_single_device_arrays(shape or leaf.shape, sharding, pieces)

    return jax.tree.map(seen, tree)


def _lies(tree: Any, places: Any) -> bool:
    leaves, wanted = jax.tree.leaves(tree), jax.tree.leaves(_spread(places, tree))
    return all(getattr(leaf, "sharding", None) == place for leaf, place in zip(leaves, wanted, strict=True))


def _spread(places: Any, tree: Any) -> Any:
    """`places` for each leaf of the tree, if they are one for all."""
    return jax.tree.map(lambda _: places, tree) if isinstance(places, NamedSharding) else places
