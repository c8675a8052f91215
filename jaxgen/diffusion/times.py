"""Distributions of the times at which a network is trained, as values."""

from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp

from jaxgen import parallel
from jaxgen.checks import PositiveFloat, require_bounds
from jaxgen.diffusion.schedules import Schedule
from jaxgen.typing import AxisName, Key, PerExample


@dataclass(frozen=True)
class UniformTimes:
    """Uniform over the steps of a discrete schedule, else between the schedule's `end` and `start`."""

    def draw(self, schedule: Schedule, key: Key, num: int, axis_name: AxisName = None) -> PerExample:
        """(num,) times, float32."""
        if schedule.discrete:
            num_steps = int(schedule.start) + 1
            steps = parallel.draw(lambda key: jax.random.randint(key, (), 0, num_steps), key, num, axis_name)
            return steps.astype(jnp.float32)
        share = parallel.draw(jax.random.uniform, key, num, axis_name)
        return schedule.end + (schedule.start - schedule.end) * share


@dataclass(frozen=True)
class LogNormal:
    """log(sigma / alpha) ~ N(mean, deviation^2): EDM, arXiv 2206.00364, table 1."""

    mean: float = -1.2  # P_mean
    deviation: PositiveFloat = 1.2  # P_std

    def __post_init__(self):
        require_bounds(self)

    def draw(self, schedule: Schedule, key: Key, num: int, axis_name: AxisName = None) -> PerExample:
        """(num,) times, float32."""
        normal = parallel.draw(jax.random.normal, key, num, axis_name)
        return schedule.time(-2.0 * (self.mean + self.deviation * normal))


@dataclass(frozen=True)
class LogitNormal:
    """log(u / (1 - u)) ~ N(mean, deviation^2), u the time as a share of `start`: arXiv 2403.03206, section 3.1."""

    mean: float = 0.0  # m: above 0 for more noise
    deviation: PositiveFloat = 1.0  # s

    def __post_init__(self):
        require_bounds(self)

    def draw(self, schedule: Schedule, key: Key, num: int, axis_name: AxisName = None) -> PerExample:
        """(num,) times, float32."""
        normal = parallel.draw(jax.random.normal, key, num, axis_name)
        return schedule.start * jax.nn.sigmoid(self.mean + self.deviation * normal)


@dataclass(frozen=True)
class EvenTimes:
    """Uniform as well, but those of one batch evenly spaced, for a loss of less variance: arXiv 2107.00630, I.1."""

    def draw(self, schedule: Schedule, key: Key, num: int, axis_name: AxisName = None) -> PerExample:
        """(num,) times, float32."""
        share = parallel.even_shares(key, num, axis_name)
        if schedule.discrete:
            return jnp.floor(share * (int(schedule.start) + 1))
        return schedule.end + (schedule.start - schedule.end) * share


Times: TypeAlias = UniformTimes | EvenTimes | LogNormal | LogitNormal
"""Distributions that a setting can name on the command line."""
