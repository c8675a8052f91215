"""A driver of several runs at once: one program makes the update of each, as if each were alone."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec

from jaxgen.parallel.drivers import compiler_options, scanned
from jaxgen.parallel.layout import AXIS, Devices, in_own_buffers, mesh_of, placed

Steps: TypeAlias = Callable[[Sequence[Any], Sequence[Any], Sequence[jax.Array]], tuple[list[Any], list[Any]]]
"""`(states, batches, keys) -> (states, metrics)`, one of each for each run; the states passed in are donated."""


def runs(
    update: Callable[..., tuple[Any, Any]], config: Any, *, steps: int | None = None, devices: Devices = None
) -> Steps:
    """Compile the `update` of several independent runs with one config as one program.

    Each run is whole on one device, whose memory must hold it, and nothing passes between them. As many devices work as
    divide the number of runs: three runs on four devices use three, five on two use one. Runs that share a CPU are one
    after the other, since each fills it; on other devices their arrays are stacked, so that each kernel serves all of
    them. Each run is what it is alone, within rounding, and on a single CPU device bit for bit.

    Args:
        update: `(config, state, batch, key, *, axis_name=None) -> (state, metrics)`, pure.
        config: the model's settings, static.
        steps: None for one update a call. With K, each batch and key carries a leading axis of K.
        devices: all of them by default.

    Returns:
        A step over a state, a batch and a key for each run. It raises ValueError for none, or for unequally many.
    """
    given = list(mesh_of(devices).devices.flat)
    one = scanned(functools.partial(update, config), steps)

    @functools.cache
    def program(num: int) -> Callable[..., Any]:
        mesh = mesh_of(_working(num, given))
        each, whole = PartitionSpec(AXIS), NamedSharding(mesh, PartitionSpec())
        mapped = jax.shard_map(
            functools.partial(_one_by_one if given[0].platform == "cpu" else _stacked, one),
            mesh=mesh,
            in_specs=each,
            out_specs=each,
            check_vma=False,  # nothing in an update says on which device it is
        )

        def together(*inputs):
            found = mapped(*(jax.tree.map(lambda *leaves: jnp.stack(leaves), *of_runs) for of_runs in inputs))
            states, metrics = ([jax.tree.map(lambda leaf, i=i: leaf[i], tree) for i in range(num)] for tree in found)
            return states, metrics

        options = compiler_options(list(mesh.devices))
        return jax.jit(together, donate_argnums=0, out_shardings=whole, compiler_options=options)

    def step(states: Sequence[Any], batches: Sequence[Any], keys: Sequence[jax.Array]) -> tuple[list[Any], list[Any]]:
        num = len(states)
        if not num or not num == len(batches) == len(keys):
            raise ValueError(
                f"{num} states, {len(batches)} batches and {len(keys)} keys are given, but each of one or more runs "
                "needs one of each"
            )
        whole = NamedSharding(mesh_of(_working(num, given)), PartitionSpec())
        own = [in_own_buffers(state, whole) for state in states]
        return program(num)(own, *(placed(list(inputs), whole) for inputs in (batches, keys)))

    return step


def _working(num_runs: int, devices: list[Any]) -> list[Any]:
    """The devices that work for so many runs: as many as divide them."""
    return devices[: max(num for num in range(1, len(devices) + 1) if num_runs % num == 0)]


def _one_by_one(step: Callable[..., Any], *inputs: Any) -> Any:
    """Of the runs of a device, along the first axis of each input; without a loop for a single one."""
    if jax.tree.leaves(inputs)[0].shape[0] > 1:
        return jax.lax.map(lambda run: step(*run), inputs)
    found = step(*jax.tree.map(lambda leaf: leaf[0], inputs))
    return jax.tree.map(lambda leaf: leaf[None], found)


def _stacked(step: Callable[..., Any], *inputs: Any) -> Any:
    return jax.vmap(step)(*inputs)
