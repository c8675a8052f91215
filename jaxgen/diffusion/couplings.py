"""Which noise belongs to which example, as values: q(x_0, epsilon) of flow matching."""

from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
import optax.assignment

from jaxgen.checks import PositiveInt, require_bounds
from jaxgen.diffusion.grids import Even, Grid
from jaxgen.diffusion.samplers import Euler
from jaxgen.parallel import gather, share, take
from jaxgen.typing import AxisName, Points


@dataclass(frozen=True)
class Independent:
    """Each example has noise of its own: arXiv 2210.02747."""

    def pair(self, data: Points, noise: Points, axis_name: AxisName) -> Points:
        """The noise of each example: as it was drawn."""
        return noise


@dataclass(frozen=True)
class OptimalTransport:
    """The noises of a minibatch are exchanged so that the sum of ||x_0 - epsilon||^2 is least: arXiv 2302.00482.

    The minibatch is that of all devices. The authors' code draws pairs from the optimal plan with replacement; here
    each noise is used once.
    """

    def pair(self, data: Points, noise: Points, axis_name: AxisName) -> Points:
        """The noise of each example."""
        noises = gather(noise, axis_name)
        ours = _squared_distances(data, noises)  # of this device's examples
        # A sum over devices, as `take` is one, is known to shard_map as equal on all of them: optax's loop needs that.
        costs = take(ours, jnp.arange(noises.shape[0]), axis_name)
        return share(noises[_least(costs)], axis_name)


@dataclass(frozen=True)
class Reflow:
    """Each noise belongs to the image that a trained model makes of it: rectified flow, arXiv 2209.03003.

    The model is the frozen part `teacher`, of the same network. It makes the pairs anew for each update, where the
    authors make them once; the images of the data set are not used.
    """

    steps: PositiveInt = 50  # of Euler's method that the teacher takes
    grid: Grid = Even()

    def __post_init__(self):
        require_bounds(self)

    sampler = property(lambda self: Euler(self.steps, grid=self.grid))


Coupling: TypeAlias = Independent | OptimalTransport | Reflow
"""Couplings that a setting can name on the command line."""


def assignment(points: Points, others: Points) -> jax.Array:
    """For each point the index of the other that it is paired with: the pairs' sum of squared distances is least.

    Args:
        points: (B, ...).
        others: (B, ...), in the same shape.
    """
    return _least(_squared_distances(points, others))


def _squared_distances(points: Points, others: jax.Array) -> jax.Array:
    points, others = (each.reshape(each.shape[0], -1) for each in (points, others))
    return (points**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2.0 * points @ others.T


def _least(costs: jax.Array) -> jax.Array:
    """The column of each row."""
    with jax.numpy_dtype_promotion("standard"):  # optax mixes integers and floats
        rows, columns = optax.assignment.hungarian_algorithm(costs)
    return jnp.zeros_like(columns).at[rows].set(columns)
