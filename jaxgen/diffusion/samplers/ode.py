"""Euler's and Heun's method, with the churn of EDM.

Karras, Aittala, Aila, Laine: Elucidating the Design Space of Diffusion-Based Generative Models, 2022, arXiv 2206.00364,
algorithm 2. The steps go along the line of `line`, on which Euler's method is DDIM's deterministic sampler: a law of
the tests.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt, require, require_bounds
from jaxgen.diffusion.grids import Grid, Karras, Usual
from jaxgen.diffusion.limits import Limit, NoLimit
from jaxgen.diffusion.predictions import Estimate
from jaxgen.diffusion.samplers.line import Line, slope
from jaxgen.diffusion.samplers.path import Denoise, Point, path
from jaxgen.diffusion.schedules import Level, Schedule
from jaxgen.typing import Points


@dataclass(frozen=True)
class Churn:
    """Noise that is added before a step: sigma grows by gamma = min(amount / N, sqrt(2) - 1) of itself."""

    amount: NonNegativeFloat = 0.0  # S_churn; 0 adds none
    least: NonNegativeFloat = 0.0  # S_min, of sigma / alpha: below it none is added
    most: float | None = None  # S_max: nor above it; None: no bound
    deviation: PositiveFloat = 1.0  # S_noise, of the noise that is added

    def __post_init__(self):
        require_bounds(self)
        require(self.most is None or self.least < self.most, "least", self.least, f"below most={self.most}")


class Row(NamedTuple):
    """Numbers of one step; `rows` gives those of all steps, float64 arrays."""

    point: Point  # after the churn
    rescaled: Any  # x before the churn is multiplied by this,
    added: Any  # and this times noise is added
    position: Any  # u after the churn
    next: Point
    next_position: Any
    next_scale: Any
    data_slope: Any  # of the data in dy/du: 0 in equation 1 of `line`, -1 in equation 2


@dataclass(frozen=True)
class Euler:
    """The method of first order: one evaluation a step."""

    steps: PositiveInt = 50
    grid: Grid = Usual()
    limit: Limit = NoLimit()
    churn: Churn = Churn()
    to_data: bool = True  # the last step leads to sigma = 0; else to the grid's last time

    def __post_init__(self):
        require_bounds(self)

    stochastic = property(lambda self: self.churn.amount > 0)
    evaluations = property(lambda self: self.steps)

    def rows(self, schedule: Schedule) -> Row:
        """Numbers of all steps."""
        return _rows(self, schedule)

    def memory(self, start: Points) -> tuple[()]:
        """Nothing."""
        return ()

    def step(
        self, denoise: Denoise, carry: tuple[Points, tuple[()]], row: Row, noise: Points | None
    ) -> tuple[Points, tuple[()]]:
        """One step."""
        return _moved(denoise(_churned(carry[0], row, noise), row.point), row), ()


@dataclass(frozen=True)
class Heun:
    """The method of second order, algorithm 2 of EDM: two evaluations a step, one in a last step to the data."""

    steps: PositiveInt = 18
    grid: Grid = Karras()
    limit: Limit = NoLimit()
    churn: Churn = Churn()
    to_data: bool = True  # the last step leads to sigma = 0; else to the grid's last time

    def __post_init__(self):
        require_bounds(self)

    stochastic = property(lambda self: self.churn.amount > 0)
    evaluations = property(lambda self: 2 * self.steps - self.to_data)

    def rows(self, schedule: Schedule) -> Row:
        """Numbers of all steps."""
        return _rows(self, schedule)

    def memory(self, start: Points) -> tuple[()]:
        """Nothing."""
        return ()

    def step(
        self, denoise: Denoise, carry: tuple[Points, tuple[()]], row: Row, noise: Points | None
    ) -> tuple[Points, tuple[()]]:
        """One step."""
        found = denoise(_churned(carry[0], row, noise), row.point)
        euler = _moved(found, row)

        def corrected() -> Points:
            change = slope(denoise(euler, row.next), row.data_slope) - slope(found, row.data_slope)
            return euler + 0.5 * row.next_scale * (row.next_position - row.position) * change

        return jax.lax.cond(row.next.level.sigma > 0.0, corrected, lambda: euler), ()


def _churned(x: Points, row: Row, noise: Points | None) -> Points:
    return x if noise is None else row.rescaled * x + row.added * noise


def _moved(found: Estimate, row: Row) -> Points:
    """x after a step along the line through this estimate; in y + (u_n - u) dy/du large numbers would cancel."""
    data, noise = 1.0 + row.data_slope * row.next_position, row.next_position
    return row.next_scale * (data * found.data + noise * found.noise)


def _rows(sampler: Euler | Heun, schedule: Schedule) -> Row:
    steps = path(schedule, sampler.grid, sampler.steps, sampler.to_data)
    line = Line(schedule)
    point, rescaled, added = steps.points, np.ones(sampler.steps), np.zeros(sampler.steps)
    if sampler.churn.amount > 0:
        require(not line.from_noise, "churn", sampler.churn.amount, "0 for a schedule that begins at pure noise")
        point, rescaled, added = _churn(sampler, schedule, point)
    position, _ = line.position(point.level)
    next_position, next_scale = line.position(steps.next.level)
    data_slope = np.full(sampler.steps, -1.0 if line.from_noise else 0.0)
    return Row(point, rescaled, added, position, steps.next, next_position, next_scale, data_slope)


def _churn(sampler: Euler | Heun, schedule: Schedule, point: Point) -> tuple[Point, np.ndarray, np.ndarray]:
    """The points after the churn, and what x and the noise are multiplied by to get there."""
    churn, u = sampler.churn, point.level.sigma / point.level.alpha
    inside = (churn.least <= u) & (u <= (np.inf if churn.most is None else churn.most))
    gamma = np.where(inside, min(churn.amount / sampler.steps, 2**0.5 - 1), 0.0)
    time = np.where(gamma > 0, schedule.time(-2.0 * np.log((1.0 + gamma) * u)), point.time)
    level = Level(*(np.broadcast_to(np.asarray(part, np.float64), time.shape) for part in schedule.level(time)))
    after = level.sigma / level.alpha
    added = level.alpha * np.sqrt(np.maximum(after**2 - u**2, 0.0)) * churn.deviation
    return Point(time, level), level.alpha / point.level.alpha, added
