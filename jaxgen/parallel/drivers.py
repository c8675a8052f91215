"""The drivers: an update, `update(config, state, batch, key, *, axis_name=None)`, becomes a compiled step.

`jit`, `pmap` and `shard_map` take *global* batches and one state that is never replicated by hand, and give the result
of a single device.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxgen.parallel.layout import (
    AXIS,
    Devices,
    batch_sharding,
    batch_spec,
    broadcast_placements,
    in_own_buffers,
    mesh_of,
    placed,
    placement,
    reinterpreted,
    replicate,
)
from jaxgen.typing import Key

Step: TypeAlias = Callable[[Any, Any, jax.Array], tuple[Any, Any]]
"""`(state, batch, key) -> (state, metrics)`; the state passed in is donated: use the one that comes back."""


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
    mesh = mesh_of(devices)
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
    mesh = mesh_of(devices)

    def shapes(tree: Any, places: Any) -> Any:
        return jax.tree.map(
            lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place),
            tree,
            broadcast_placements(places, tree),
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
    return jax.jit(
        scanned(within, steps),
        donate_argnums=0,
        out_shardings=out,
        compiler_options=compiler_options(list(mesh.devices)),
    )


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
    mesh = mesh_of(devices)
    mapped = jax.shard_map(
        scanned(functools.partial(update, config, axis_name=AXIS), steps),
        mesh=mesh,
        in_specs=(PartitionSpec(), batch_spec(steps), PartitionSpec()),
        out_specs=(PartitionSpec(), PartitionSpec()),
    )
    compiled = jax.jit(mapped, donate_argnums=0, compiler_options=compiler_options(devices))
    return _over_global_batches(compiled, mesh, steps)


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
    mesh = mesh_of(devices)
    batch_axis = 0 if steps is None else 1
    mapped = jax.pmap(
        scanned(functools.partial(update, config, axis_name=AXIS), steps),
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
        return jax.device_put(leaf.reshape(cut), NamedSharding(mesh, batch_spec(steps)))

    if mesh.is_multi_process:
        return _over_global_batches(_each_over_its_own(mapped, mesh, steps), mesh, steps)
    return _over_global_batches(compiled, mesh, steps)


def _each_over_its_own(mapped: Step, mesh: Mesh, steps: int | None) -> Step:
    """A `jax.pmap` of several processes takes and returns what lies on this process's devices alone."""
    here = Mesh(mesh.local_devices, (AXIS,))
    batch_axis = 0 if steps is None else 1

    def compiled(state, batch, key):
        state, key = (reinterpreted(tree, here, PartitionSpec()) for tree in (state, key))
        return reinterpreted(mapped(state, jax.tree.map(split, batch), key), mesh, PartitionSpec())

    def split(leaf):
        before, size, after = leaf.shape[:batch_axis], leaf.shape[batch_axis], leaf.shape[batch_axis + 1 :]
        share = (*before, size * here.size // mesh.size, *after)
        leaf = reinterpreted(leaf, here, batch_spec(steps), share)
        return jax.device_put(leaf.reshape(*before, here.size, -1, *after), NamedSharding(here, batch_spec(steps)))

    return compiled


def initial(
    init: Callable[[Any, Key], Any], config: Any, key: Key, *, devices: Devices = None, shard_state: bool = False
) -> Any:
    """`init(config, key)`, compiled, as a state that lies where a step over `devices` takes it."""
    made = functools.partial(init, config)
    places = placement(jax.eval_shape(made, key), devices=devices, shard_state=shard_state)
    return jax.jit(made, out_shardings=places)(replicate(key, devices=devices))


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jax.jit` of what is no update, such as the drawing of samples, with the options of these devices."""
    return jax.jit(function, compiler_options=compiler_options())


def compiler_options(devices: Devices = None) -> dict[str, Any] | None:
    """What the programs of these devices, by default of all, are compiled with: for `jax.jit`; None for accelerators.

    On CPU XLA looks more closely at which weights may be overwritten, for it copies most of an MLP's otherwise, and
    leaves matrix products and sums to its library, but convolutions not: those of the library use one core each.
    """
    if mesh_of(devices).devices.flat[0].platform != "cpu":
        return None
    return {
        "xla_cpu_copy_insertion_use_region_analysis": True,
        "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE",
    }


def scanned(step: Step, steps: int | None) -> Step:
    """The step over so many batches and keys, one after the other; itself for None."""
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
    cut = NamedSharding(mesh, batch_spec(steps))
    known: dict[Any, Any] = {}

    def step(state, batch, key):
        _check_batch(batch, mesh.size, steps)
        structure = jax.tree.structure(state)
        if structure not in known:
            known[structure] = replicated if places is None else places(state)
        return compiled(in_own_buffers(state, known[structure]), placed(batch, cut), placed(key, replicated))

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
