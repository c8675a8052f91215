"""From data to the noise of which a deterministic sampler makes them: the steps of DDIM, backwards.

Song, Meng, Ermon, 2020, arXiv 2010.02502, section 4.3.
"""

import jax
import jax.numpy as jnp

from jaxgen.diffusion.grids import Grid
from jaxgen.diffusion.samplers.path import Denoise, Point, pairs, path
from jaxgen.diffusion.schedules import Schedule
from jaxgen.typing import Points


def invert(schedule: Schedule, grid: Grid, steps: int, denoise: Denoise, data: Points) -> Points:
    """x at the first time of the grid, from data that are taken as x at its last time.

    Args:
        schedule: of the noise.
        grid: of times, as the sampler has it.
        steps: number of times.
        denoise: the network, without limits.
        data: x_0.
    """
    points = jax.tree.map(
        lambda values: jnp.asarray(values[::-1], data.dtype), path(schedule, grid, steps, True).points
    )

    def step(x: Points, pair: tuple[Point, Point]) -> tuple[Points, None]:
        here, there = pair
        found = denoise(x, here)
        return there.level.alpha * found.data + there.level.sigma * found.noise, None

    return jax.lax.scan(step, points.level.alpha[0] * data, pairs(points))[0]
