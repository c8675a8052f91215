"""Priors p(z) of latents, as values, for all families: the one place where a prior is drawn.

A prior offers `shape`, of one latent, and `draw`. A frozen dataclass of your own with these two is one: `PriorLike`.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import jax
from jaxtyping import Array, Float

from jaxgen import parallel
from jaxgen.checks import require
from jaxgen.typing import AxisName, Keys, Shape

Drawn: TypeAlias = Float[Array, "batch ..."]
"""One latent for each example, of the prior's shape."""


@runtime_checkable
class PriorLike(Protocol):
    """What a model asks of its prior."""

    @property
    def shape(self) -> Shape:
        """Of one latent."""
        ...

    def draw(self, key: Keys, num: int, axis_name: AxisName = None) -> Drawn:
        """(num, *shape), the latents of this device's examples."""
        ...


@dataclass(frozen=True)
class Normal:
    """z ~ N(0, I)."""

    dim: int = 100  # size of z

    def __post_init__(self):
        require(self.dim >= 1, "dim", self.dim, "at least 1")

    @property
    def shape(self) -> Shape:
        """Of one latent vector."""
        return (self.dim,)

    def draw(self, key: Keys, num: int, axis_name: AxisName = None) -> Drawn:
        """(num, dim), the latents of this device's examples."""
        return normal_noise(self.shape, key, num, axis_name)


@dataclass(frozen=True)
class Uniform:
    """z uniform in [-limit, limit)^dim."""

    dim: int = 100  # size of z
    limit: float = 1.0  # sqrt(3) for unit variance

    def __post_init__(self):
        require(self.dim >= 1, "dim", self.dim, "at least 1")
        require(self.limit > 0, "limit", self.limit, "above 0")

    @property
    def shape(self) -> Shape:
        """Of one latent vector."""
        return (self.dim,)

    def draw(self, key: Keys, num: int, axis_name: AxisName = None) -> Drawn:
        """(num, dim), the latents of this device's examples."""

        def uniform(key):
            return jax.random.uniform(key, self.shape, minval=-self.limit, maxval=self.limit)

        return parallel.draw(uniform, key, num, axis_name)


@dataclass(frozen=True)
class Gaussian:
    """z ~ N(0, deviation^2 I), of any shape: the noise from which a diffusion model starts."""

    shape: Shape
    deviation: float = 1.0

    def __post_init__(self):
        require(self.deviation > 0, "deviation", self.deviation, "above 0")

    def draw(self, key: Keys, num: int, axis_name: AxisName = None) -> Drawn:
        """(num, *shape), the latents of this device's examples."""
        return self.deviation * normal_noise(self.shape, key, num, axis_name)


Prior: TypeAlias = Normal | Uniform
"""Priors that a setting can name on the command line."""


def normal_noise(shape: Shape, key: Keys, num: int, axis_name: AxisName = None) -> Drawn:
    """(num, *shape) from N(0, 1), the same for an example however many devices share the batch."""
    return parallel.draw(lambda key: jax.random.normal(key, shape), key, num, axis_name)
