"""The ordinary equation of a denoiser by as many steps as a bound of their error asks for.

Song et al., 2020, arXiv 2011.13456, section 4.3, draw samples so ("black-box ODE solver"). What is solved is the
path of `line`; `solving` chooses the steps.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.checks import PositiveFloat, PositiveInt, require, require_bounds
from jaxgen.diffusion.grids import Grid, Linspace
from jaxgen.diffusion.limits import Limit, NoLimit
from jaxgen.diffusion.samplers.line import Line, Node, slope
from jaxgen.diffusion.samplers.path import Denoise, Point, path
from jaxgen.diffusion.samplers.solving import along, require_solver
from jaxgen.diffusion.schedules import Schedule
from jaxgen.typing import Points


class Row(NamedTuple):
    """Numbers of one stretch, or of all; `line` is that of the schedule."""

    line: Line
    start: Any  # u
    end: Any
    next: Point  # the point at the end
    last: Any  # whether the data are estimated there


@dataclass(frozen=True)
class Adaptive:
    """Tsitouras' method of order 5, its steps as long as `tolerance` allows: needs `pip install 'jaxgen[adaptive]'`."""

    steps: PositiveInt = 1  # stretches between times of the grid, each solved by steps of its own
    tolerance: PositiveFloat = 1e-5  # of an error, absolute and relative
    grid: Grid = Linspace()
    limit: Limit = NoLimit()
    to_data: bool = True  # at the grid's last time the data are estimated; else its x is the result

    stochastic = False
    evaluations = None

    def __post_init__(self):
        require_bounds(self)
        require_solver()

    def rows(self, schedule: Schedule) -> Row:
        """Numbers of all stretches."""
        require(not schedule.discrete, "schedule", schedule, "in continuous time, such as VP(), for adaptive steps")
        line, stretches = Line(schedule), path(schedule, self.grid, self.steps + 1, to_data=True)
        u = line.position(stretches.points.level)[0]
        ends = jax.tree.map(lambda values: values[1:], stretches.points)
        return Row(line, u[:-1], u[1:], ends, np.arange(self.steps) + self.to_data == self.steps)

    def memory(self, start: Points) -> tuple[()]:
        """Nothing."""
        return ()

    def step(
        self, denoise: Denoise, carry: tuple[Points, tuple[()]], row: Row, noise: None
    ) -> tuple[Points, tuple[()]]:
        """One stretch."""
        x = _along(row.line, denoise, carry[0], (row.start, row.end), self.tolerance)
        return jax.lax.cond(row.last > 0.0, lambda: denoise(x, row.next).data, lambda: x), ()

    def invert(self, schedule: Schedule, denoise: Denoise, data: Points) -> Points:
        """x at the schedule's start of which this makes `data`, without a limit; they are x at the grid's last time."""
        rows = self.rows(schedule)
        last = jax.tree.map(lambda values: values[-1], rows.next)
        start = data if not self.to_data else jnp.asarray(last.level.alpha, data.dtype) * data
        ends = jnp.asarray(rows.end[-1], data.dtype), jnp.asarray(rows.start[0], data.dtype)
        return _along(rows.line, denoise, start, ends, self.tolerance)


def _along(line: Line, denoise: Denoise, x: Points, ends: tuple[Any, Any], tolerance: float) -> Points:
    """x at the second u, from x at the first."""

    def change(y: Points, node: Node) -> Points:
        return slope(denoise(node.scale * y, node.point), node.data_slope)

    first, last = (line.node(u).scale for u in ends)
    return last * along(line, change, x / first, ends, tolerance)
