"""Numbers that change in the course of training, as values: they compare, hash, print and go to JSON.

Steps are updates. A source that counts images is converted by dividing by the batch size.
"""

import math
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen.checks import require


@dataclass(frozen=True)
class CosineRamp:
    """From `first` to `last` on half a cosine, over `end` steps; `last` from there on.

    Huang et al., 2024 (R3GAN, arXiv 2501.05441), for the penalty's weight, Adam's beta_2 and the average's half-life.
    """

    first: float
    last: float
    end: int  # step at which the last value is reached

    def __post_init__(self):
        for name in ("first", "last"):
            require(math.isfinite(getattr(self, name)), name, getattr(self, name), "finite")
        require(self.end >= 1, "end", self.end, "at least 1")

    def at(self, step: Int[Array, ""]) -> Float[Array, ""]:
        """`first + (last - first) (1 - cos(pi t / end)) / 2` at step t."""
        share = jnp.clip(step.astype(jnp.float32) / self.end, 0.0, 1.0)
        return self.first + (self.last - self.first) * (0.5 - 0.5 * jnp.cos(jnp.pi * share))


@dataclass(frozen=True)
class Jump:
    """`first` before step `end`, `last` from there on."""

    first: float
    last: float
    end: int  # step of the last value

    def __post_init__(self):
        for name in ("first", "last"):
            require(math.isfinite(getattr(self, name)), name, getattr(self, name), "finite")
        require(self.end >= 0, "end", self.end, "at least 0")

    def at(self, step: Int[Array, ""]) -> Float[Array, ""]:
        """The value at step t."""
        return jnp.where(step < self.end, jnp.float32(self.first), jnp.float32(self.last))
