"""Priors of the generator's latents, as values."""

from dataclasses import dataclass
from typing import TypeAlias

import jax

from jaxgen import parallel
from jaxgen.checks import require
from jaxgen.typing import Key, Latents


@dataclass(frozen=True)
class Normal:
    """z ~ N(0, I)."""

    dim: int = 100  # size of z

    def __post_init__(self):
        require(self.dim >= 1, "dim", self.dim, "at least 1")

    def draw(self, key: Key, num: int, axis_name: str | None = None) -> Latents:
        """(num, dim), the latents of this device's examples."""
        return parallel.draw(lambda key: jax.random.normal(key, (self.dim,)), key, num, axis_name)


@dataclass(frozen=True)
class Uniform:
    """z uniform in [-limit, limit)^dim."""

    dim: int = 100  # size of z
    limit: float = 1.0  # sqrt(3) for unit variance

    def __post_init__(self):
        require(self.dim >= 1, "dim", self.dim, "at least 1")
        require(self.limit > 0, "limit", self.limit, "above 0")

    def draw(self, key: Key, num: int, axis_name: str | None = None) -> Latents:
        """(num, dim), the latents of this device's examples."""

        def uniform(key):
            return jax.random.uniform(key, (self.dim,), minval=-self.limit, maxval=self.limit)

        return parallel.draw(uniform, key, num, axis_name)


Prior: TypeAlias = Normal | Uniform
