"""Predictor and corrector: steps of the reverse process, and of Langevin dynamics at each of its times.

Song, Sohl-Dickstein, Kingma, Kumar, Ermon, Poole: Score-Based Generative Modeling through Stochastic Differential
Equations, 2020, arXiv 2011.13456, algorithms 2 to 5. Forwards, a step from n to t has x_t = a x_n + b z with

    a = alpha_t / alpha_n,    b^2 = sigma_t^2 - a^2 sigma_n^2,    z ~ N(0, I).

Backwards, with the score s = -epsilon / sigma_t, the reverse diffusion predictor of appendix E and the corrector are

    x_n = (2 - a) x_t + b^2 s(x_t) + b z,    the last one without its noise                              (1)
    x_t <- x_t + e s(x_t) + sqrt(2 e) z,     e = 2 a^2 (r ||z|| / ||s||)^2.                              (2)

The paper's algorithms have the predictor first, its code the corrector, and so has this module: a sample ends with the
mean of a predictor. For sub-VP the code's corrector fails, since it looks a^2 up in a table that this process has not;
here a^2 follows from the process for all of them. The norms of (2) are those of each example, not means over a batch,
so that a sample does not depend on the others that are drawn with it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.checks import NonNegativeInt, PositiveFloat, PositiveInt, require_bounds
from jaxgen.diffusion.grids import Grid, Linspace
from jaxgen.diffusion.limits import Limit, NoLimit
from jaxgen.diffusion.predictions import along
from jaxgen.diffusion.samplers.ancestral import step_variances
from jaxgen.diffusion.samplers.path import Denoise, Point, path
from jaxgen.diffusion.schedules import Schedule
from jaxgen.typing import Points


class Row(NamedTuple):
    """Numbers of one evaluation; `rows` gives those of all, float64 arrays."""

    point: Point
    corrects: Any  # 1 for equation 2, 0 for equation 1
    a: Any
    b: Any
    noisy: Any  # 1, or 0 for a step that adds no noise


@dataclass(frozen=True)
class PredictorCorrector:
    """At each time `corrections` steps of equation 2, then one of equation 1."""

    steps: PositiveInt = 1000
    corrections: NonNegativeInt = 1  # 0: the reverse process alone
    signal_to_noise: PositiveFloat = 0.16  # r
    grid: Grid = Linspace()
    limit: Limit = NoLimit()
    to_data: bool = True  # the last step leads to sigma = 0; else to the grid's last time

    def __post_init__(self):
        require_bounds(self)

    stochastic = True
    evaluations = property(lambda self: self.steps * (1 + self.corrections))

    def rows(self, schedule: Schedule) -> Row:
        """Numbers of all evaluations, in their order."""
        steps = path(schedule, self.grid, self.steps, self.to_data)
        here, there = steps.points.level, steps.next.level
        predicts = np.arange(self.evaluations) % (1 + self.corrections) == self.corrections
        a, b = here.alpha / there.alpha, np.sqrt(step_variances(here, there)[1])
        last = np.arange(self.evaluations) == self.evaluations - 1
        point, a, b = jax.tree.map(lambda numbers: np.repeat(numbers, 1 + self.corrections), (steps.points, a, b))
        return Row(point, 1.0 - predicts, a, b, 1.0 - last)

    def memory(self, start: Points) -> tuple[()]:
        """Nothing."""
        return ()

    def step(
        self, denoise: Denoise, carry: tuple[Points, tuple[()]], row: Row, noise: Points | None
    ) -> tuple[Points, tuple[()]]:
        """One evaluation."""
        x, z = carry[0], jnp.asarray(noise)
        score = -denoise(x, row.point).noise / row.point.level.sigma
        size = along(2.0 * (row.a * self.signal_to_noise * _length(z) / _length(score)) ** 2, x)
        corrected = x + size * score + jnp.sqrt(2.0 * size) * z
        predicted = (2.0 - row.a) * x + row.b**2 * score + row.noisy * row.b * z
        return jnp.where(row.corrects > 0, corrected, predicted), ()


def _length(points: Points) -> jax.Array:
    """Of each example, of any number of them."""
    return jnp.sqrt((points**2).sum(tuple(range(1, points.ndim))))
