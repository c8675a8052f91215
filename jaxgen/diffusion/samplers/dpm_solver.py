"""DPM-Solver++, the multistep solver that uses the estimates of the steps before.

Lu, Zhou, Bao, Chen, Li, Zhu: DPM-Solver++, 2022, arXiv 2211.01095; the third order as in the authors' code. With
l = log(alpha / sigma), h = l_n - l_t the length of this step, h_1 and h_2 those of the two before it, and x_0, x_1, x_2
the data estimated at this point and at the two before it,

    D_0 = (x_0 - x_1) h / h_1,    D_1 = (x_1 - x_2) h / h_2
    x_n = (sigma_n / sigma_t) x - alpha_n (e^-h - 1) x_0                                     order 1: DDIM
          - alpha_n (e^-h - 1) D_0 / 2                                                       order 2, midpoint
          + alpha_n ((e^-h - 1) / h + 1) D_0                                                 order 2, heun

and for order 3, with r_0 = h_1 / h, r_1 = h_2 / h, E = D_0 + r_0 / (r_0 + r_1) (D_0 - D_1) and
F = (D_0 - D_1) / (r_0 + r_1),

    ... + alpha_n ((e^-h - 1) / h + 1) E - alpha_n ((e^-h - 1 + h) / h^2 - 1/2) F.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from jaxgen.checks import NonNegativeInt, PositiveInt, require, require_bounds
from jaxgen.diffusion.grids import Grid, Usual
from jaxgen.diffusion.limits import Limit, NoLimit
from jaxgen.diffusion.samplers.path import Denoise, Path, Point, path
from jaxgen.diffusion.schedules import Level, Schedule
from jaxgen.typing import Points

Memory: TypeAlias = tuple[Points, Points]
"""The data estimated at the two points before."""


class Row(NamedTuple):
    """Numbers of one step, or of all: x_n is their sum, each times x or an estimate of the data."""

    point: Point
    x: Any
    now: Any
    before: Any
    earlier: Any


@dataclass(frozen=True)
class DPMSolver:
    """Order 1 is DDIM, 2 is called 2M, 3 is called 3M; the first steps have the order that the steps before allow."""

    steps: PositiveInt = 20
    order: Literal[1, 2, 3] = 2
    variant: Literal["midpoint", "heun"] = "midpoint"  # of order 2
    grid: Grid = Usual()
    limit: Limit = NoLimit()
    lower_below: NonNegativeInt = 15  # with fewer steps than this the last ones have lower order
    to_data: bool = True  # the last step leads to sigma = 0, in order 1; else to the grid's last time

    stochastic = False
    evaluations = property(lambda self: self.steps)

    def __post_init__(self):
        require_bounds(self)
        require(self.order in (1, 2, 3), "order", self.order, "1, 2 or 3")

    def rows(self, schedule: Schedule) -> Row:
        """Numbers of all steps."""
        steps = path(schedule, self.grid, self.steps, self.to_data)
        numbers = [_coefficients(steps, i, self._order(i), self.variant) for i in range(self.steps)]
        return Row(steps.points, *np.array(numbers).T)

    def memory(self, start: Points) -> Memory:
        """Estimates that no step uses."""
        return start, start

    def step(self, denoise: Denoise, carry: tuple[Points, Memory], row: Row, noise: None) -> tuple[Points, Memory]:
        """One step."""
        x, (before, earlier) = carry
        data = denoise(x, row.point).data
        return row.x * x + row.now * data + row.before * before + row.earlier * earlier, (data, before)

    def _order(self, i: int) -> int:
        """Of step i: no more than the steps before it and those after it allow."""
        left = self.steps - i
        if self.to_data and left == 1:
            return 1
        allowed = left if self.steps < self.lower_below else self.order
        return min(self.order, i + 1, allowed)


def _coefficients(steps: Path, i: int, order: int, variant: str) -> tuple[float, float, float, float]:
    """What x and the estimates at points i, i - 1 and i - 2 are multiplied by."""
    level, following = (Level(point.level.alpha[i], point.level.sigma[i]) for point in (steps.points, steps.next))
    if order == 1:  # a first step may begin at pure noise, the last may end at the data: e^-h without logarithms
        shrunk = following.sigma / level.sigma
        return shrunk, following.alpha - shrunk * level.alpha, 0.0, 0.0
    snrs = _log_ratios(steps.points.level)[max(i - 2, 0) : i + 1]
    lengths = np.diff(np.append(snrs, _log_ratios(following)))[::-1]  # h, h_1, h_2
    h, phi_1 = lengths[0], np.expm1(-lengths[0])
    r_0 = lengths[1] / h
    x, now, slope = following.sigma / level.sigma, -following.alpha * phi_1, following.alpha * (phi_1 / h + 1.0)
    if order == 2:
        half = 0.5 * now if variant == "midpoint" else slope
        return x, now + half / r_0, -half / r_0, 0.0
    r_1 = lengths[2] / h
    share, curve = r_0 / (r_0 + r_1), following.alpha * ((phi_1 + h) / h**2 - 0.5) / (r_0 + r_1)
    d_0, d_1 = slope * (1.0 + share) - curve, curve - slope * share
    return x, now + d_0 / r_0, d_1 / r_1 - d_0 / r_0, -d_1 / r_1


def _log_ratios(level: Level) -> Any:
    """log(alpha / sigma); minus infinity for pure noise."""
    with np.errstate(divide="ignore"):
        return np.log(level.alpha) - np.log(level.sigma)
