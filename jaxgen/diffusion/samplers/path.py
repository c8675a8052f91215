"""The steps of a sampler: which times it visits, and the loop over them.

All numbers of a step depend on the schedule and on the sampler's settings alone. They are computed in float64 before
anything is compiled, a row for each step; one `jax.lax.scan` runs over the rows, so that neither memory nor compile
time grows with the number of steps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.checks import require
from jaxgen.diffusion.grids import Grid
from jaxgen.diffusion.predictions import Estimate
from jaxgen.diffusion.schedules import CLEAN, Level, Schedule
from jaxgen.mode import ExampleKeys, fold
from jaxgen.typing import Points, States


class Point(NamedTuple):
    """A time at which the network is asked, the same for all examples, and the level there."""

    time: Any
    level: Level


class Path(NamedTuple):
    """The points of N steps, each array (N,), and those to which the steps lead."""

    points: Point
    next: Point


Denoise: TypeAlias = Callable[[Points, Point], Estimate]
"""x_t and its point to the estimated data and noise; the network, guidance and limits in one."""


@runtime_checkable
class SamplerLike(Protocol):
    """What `run` asks of a sampler: settings that it holds as a value, and its step."""

    stochastic: bool
    """Whether a step draws noise."""

    evaluations: int | None
    """Of the denoiser, for a sample; None if they depend on it. Guidance may take two passes of the network for one."""

    def rows(self, schedule: Schedule) -> Any:
        """A pytree of float64 arrays, a row for each step."""
        ...

    def memory(self, start: Points) -> Any:
        """What the first step is given of the steps before it."""
        ...

    def step(self, denoise: Denoise, carry: tuple[Points, Any], row: Any, noise: Points | None) -> tuple[Points, Any]:
        """x and the memory after one step; `noise` is N(0, I), None for a sampler that draws none."""
        ...


def path(schedule: Schedule, grid: Grid, steps: int, to_data: bool) -> Path:
    """N steps from `start`: to the data, or with `to_data=False` to the last time of a grid of N + 1."""
    times = np.asarray(grid.times(schedule, steps if to_data else steps + 1), np.float64)
    require(bool((np.diff(times) < 0).all()), "steps", steps, "fewer: times of the grid fall together")
    levels = Level(*(np.broadcast_to(np.asarray(part, np.float64), times.shape) for part in schedule.level(times)))
    if to_data:
        levels = Level(*(np.append(part, clean) for part, clean in zip(levels, CLEAN, strict=True)))
        times = np.append(times, schedule.data)
    points = Point(times, levels)
    return Path(*pairs(points))


def pairs(points: Any) -> tuple[Any, Any]:
    """Each row of a pytree but the last, and the row after it."""
    return jax.tree.map(lambda values: values[:-1], points), jax.tree.map(lambda values: values[1:], points)


def run(
    sampler: SamplerLike,
    schedule: Schedule,
    denoise: Denoise,
    start: Points,
    keys: ExampleKeys | None,
    *,
    keep: bool = False,
) -> Points | States:
    """x after all steps from `start`, or with `keep` the states (steps + 1, batch, ...) from the first to the last.

    Args:
        sampler: the sampler.
        schedule: of the noise.
        denoise: the network, guided and limited.
        start: x at the schedule's `start`.
        keys: one for each example, for the noise of the steps; None for a sampler that draws none.
        keep: return all states.
    """
    rows = jax.tree.map(lambda values: jnp.asarray(values, start.dtype), sampler.rows(schedule))
    num = len(jax.tree.leaves(rows)[0])

    def step(carry: tuple[Points, Any], inputs: tuple[Any, jax.Array]) -> tuple[tuple[Points, Any], Points | None]:
        row, number = inputs
        noise = None
        if sampler.stochastic:
            if keys is None:
                raise ValueError(
                    f"{type(sampler).__name__} draws noise, but this pass has no keys: give one an example"
                )
            noise = jax.vmap(lambda key: jax.random.normal(key, start.shape[1:], start.dtype))(fold(keys, number))
        carry = sampler.step(denoise, carry, row, noise)
        return carry, carry[0] if keep else None

    (last, _), states = jax.lax.scan(step, (start, sampler.memory(start)), (rows, jnp.arange(num)))
    return jnp.concatenate([start[None], jnp.asarray(states)]) if keep else last
