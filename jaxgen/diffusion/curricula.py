"""Grids on which consistency models are trained: how many levels at a step, and which two neighbours are compared.

Song, Dhariwal, Chen, Sutskever: Consistency Models, 2023, arXiv 2303.01469 (`Fixed`, `SquareRoot`, `UniformIntervals`).
Song, Dhariwal: Improved Techniques for Training Consistency Models, 2023, arXiv 2310.14189 (`Doubling`,
`LogNormalIntervals`).

N levels lie between the least sigma, e, and the most, T, as EDM has them:

    sigma_i = (e^(1/rho) + i / (N - 1) (T^(1/rho) - e^(1/rho)))^rho,    i = 0 ... N - 1,    rho = 7.        (1)

N may grow while a run goes on: with few levels a model learns fast, with many its images are sharp. It is a function of
the step that the update computes, so that nothing is compiled anew.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen import parallel
from jaxgen.checks import AtLeast, PositiveFloat, PositiveInt, require, require_bounds
from jaxgen.diffusion.grids import karras_ratio, karras_share
from jaxgen.diffusion.schedules import Sigmas
from jaxgen.typing import AxisName, Key, PerExample

RHO = 7.0
"""Of equation 1."""

AtLeastTwo = Annotated[int, AtLeast(2)]

Number: TypeAlias = Int[Array, ""]
"""N, or a number of steps."""


@dataclass(frozen=True)
class Fixed:
    """The same number of levels from the first step to the last: for distillation."""

    levels: AtLeastTwo = 18  # N

    def __post_init__(self):
        require_bounds(self)

    def number(self, step: Number) -> Number:
        """N after so many steps."""
        return jnp.asarray(self.levels, jnp.int32)


@dataclass(frozen=True)
class SquareRoot:
    """N(k) = ceil(sqrt(k / K ((most + 1)^2 - least^2) + least^2) - 1) + 1."""

    least: PositiveInt = 2  # s_0, also the number of levels at the first step
    most: PositiveInt = 150  # s_1
    end: PositiveInt = 800_000  # K, the steps of the run

    def __post_init__(self):
        require_bounds(self)
        require(2 <= self.least <= self.most, "least", self.least, f"at least 2, and at most most={self.most}")

    def number(self, step: Number) -> Number:
        """N after so many steps."""
        share = jnp.minimum(step.astype(jnp.float32) / self.end, 1.0)
        square = share * ((self.most + 1) ** 2 - self.least**2) + self.least**2
        return jnp.ceil(jnp.sqrt(square) - 1.0).astype(jnp.int32) + 1


@dataclass(frozen=True)
class Doubling:
    """N(k) = min(least 2^floor(k / K'), most) + 1, K' = floor(K / (log2 floor(most / least) + 1))."""

    least: PositiveInt = 10  # s_0, intervals at the first step
    most: PositiveInt = 1280  # s_1, intervals in the end
    end: PositiveInt = 400_000  # K, the steps of the run

    def __post_init__(self):
        require_bounds(self)
        require(self.least <= self.most, "least", self.least, f"at most most={self.most}")
        require(self.every >= 1, "end", self.end, f"at least {self.doublings + 1}, a step for each number of levels")

    doublings = property(lambda self: (self.most // self.least).bit_length() - 1)
    every = property(lambda self: self.end // (self.doublings + 1))

    def number(self, step: Number) -> Number:
        """N after so many steps."""
        doublings = jnp.minimum(step // self.every, self.doublings + 1)
        return jnp.minimum(self.least * 2**doublings, self.most).astype(jnp.int32) + 1


Curriculum: TypeAlias = Fixed | SquareRoot | Doubling
"""Curricula that a setting can name on the command line."""


def levels(schedule: Sigmas, index: Int[Array, "*shape"], number: Number) -> Float[Array, "*shape"]:
    """sigma_i of equation 1."""
    share = index.astype(jnp.float32) / (number - 1).astype(jnp.float32)
    return karras_ratio(share, schedule.least, schedule.most, RHO)


@dataclass(frozen=True)
class UniformIntervals:
    """Each of the N - 1 intervals as likely as the others."""

    def draw(self, schedule: Sigmas, number: Number, key: Key, num: int, axis_name: AxisName) -> Int[Array, "batch"]:
        """(num,) numbers i of the lower ends, 0 ... N - 2."""
        share = parallel.draw(jax.random.uniform, key, num, axis_name)
        return _below(share * (number - 1).astype(jnp.float32), number)


@dataclass(frozen=True)
class LogNormalIntervals:
    """The interval in which a sigma falls with log sigma ~ N(mean, deviation^2), cut at both ends of the grid."""

    mean: float = -1.1  # P_mean
    deviation: PositiveFloat = 2.0  # P_std

    def __post_init__(self):
        require_bounds(self)

    def draw(self, schedule: Sigmas, number: Number, key: Key, num: int, axis_name: AxisName) -> Int[Array, "batch"]:
        """(num,) numbers i of the lower ends, 0 ... N - 2."""
        ends = ((jnp.log(end) - self.mean) / self.deviation for end in (schedule.least, schedule.most))
        lower, upper = ends
        normal = parallel.draw(lambda key: jax.random.truncated_normal(key, lower, upper), key, num, axis_name)
        sigma = jnp.exp(self.mean + self.deviation * normal)
        share = karras_share(sigma, schedule.least, schedule.most, RHO)
        return _below(share * (number - 1).astype(jnp.float32), number)


Intervals: TypeAlias = UniformIntervals | LogNormalIntervals
"""Distributions of intervals that a setting can name on the command line."""


def _below(places: PerExample, number: Number) -> Int[Array, "batch"]:
    """The number of the interval in which a place falls; rounding may put it on either end of the grid."""
    return jnp.clip(jnp.floor(places).astype(jnp.int32), 0, number - 2)
