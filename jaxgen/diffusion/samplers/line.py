"""The variable in which the path of an example is a straight line, for solvers of the ordinary equation.

With u = sigma / alpha and y = x / alpha

    y = x_0 + u epsilon,    dy/du = epsilon.                                                              (1)

A schedule that begins at pure noise, alpha = 0, has u = sigma / (alpha + sigma) and y = x / (alpha + sigma) instead,

    y = (1 - u) x_0 + u epsilon,    dy/du = epsilon - x_0,                                                (2)

which is flow matching's own variable.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgen.diffusion.predictions import Estimate
from jaxgen.diffusion.samplers.path import Point
from jaxgen.diffusion.schedules import Level, Schedule
from jaxgen.diffusion.schedules.levels import library
from jaxgen.typing import Points


class Node(NamedTuple):
    """Numbers of the slope at one u, or at each of many."""

    point: Point
    scale: Any  # what x is divided by for y
    data_slope: Any  # of the data in dy/du, beside 1 of the noise: 0 in equation 1, -1 in equation 2


@jax.tree_util.register_static
@dataclass(frozen=True)
class Line:
    """The line of a schedule."""

    schedule: Schedule

    @property
    def from_noise(self) -> bool:
        """Whether alpha is 0 at the schedule's start, so that equation 2 is used."""
        return float(self.schedule.level(np.float64(self.schedule.start)).alpha) < 1e-8

    def position(self, level: Level) -> tuple[Any, Any]:
        """u, and what x is divided by for y."""
        scale = level.alpha + level.sigma if self.from_noise else level.alpha
        return level.sigma / scale, scale

    def node(self, u: Any) -> Node:
        """The node at u, a NumPy array or one of JAX, for a schedule in continuous time."""
        lib, from_noise = library(u), self.from_noise
        with np.errstate(divide="ignore"):  # alpha is 0 where u is 1
            time = self.schedule.time(-2.0 * (lib.log(u) - lib.log1p(-u) if from_noise else lib.log(u)))
        level = Level(*(lib.broadcast_to(lib.asarray(part, u.dtype), u.shape) for part in self.schedule.level(time)))
        return Node(Point(time, level), self.position(level)[1], lib.full_like(u, -1.0 if from_noise else 0.0))


def slope(found: Estimate, data_slope: Any) -> Points:
    """dy/du of what is estimated: equation 1 or 2."""
    return found.noise + data_slope * found.data
