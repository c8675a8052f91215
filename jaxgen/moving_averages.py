"""Moving averages of a network's variables, as values: which weights samples are drawn from.

Each offers `update(average, new, step)`, `step` counting the updates behind `new`.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.ramps import CosineRamp


@dataclass(frozen=True)
class NoAverage:
    """Samples are drawn from the network itself."""

    def update(self, average: Any, new: Any, step: jax.Array) -> Any:
        """`new`."""
        return new


@dataclass(frozen=True)
class Constant:
    """`d average + (1 - d) new` with a constant d, from the first step on: as in DDPM's code."""

    decay: float = 0.9999

    def __post_init__(self):
        require(0 < self.decay < 1, "decay", self.decay, "in (0, 1); NoAverage() draws from the network itself")

    def update(self, average: Any, new: Any, step: jax.Array) -> Any:
        """The average after one more update."""
        return interpolate(average, new, jnp.float32(1.0 - self.decay))


@dataclass(frozen=True)
class Exponential:
    """`d average + (1 - d) new` with `d = min(decay, (1 + step) / (10 + step))`.

    The smaller decay of the first steps lets the average leave the random initial weights (as `num_updates` does in
    TensorFlow's ExponentialMovingAverage).
    """

    decay: float = 0.999

    def __post_init__(self):
        require(0 < self.decay < 1, "decay", self.decay, "in (0, 1); NoAverage() draws from the network itself")

    def update(self, average: Any, new: Any, step: jax.Array) -> Any:
        """The average after one more update."""
        count = step.astype(jnp.float32)
        return interpolate(average, new, 1.0 - jnp.minimum(self.decay, (1.0 + count) / (10.0 + count)))


@dataclass(frozen=True)
class HalfLife:
    """Weights `half_life` updates ago count half, or `ramp_up` of all updates so far where that is less.

    `d = 1/2^(1 / min(half_life, ramp_up step))`: Karras et al., 2017 (arXiv 1710.10196) and the authors' later code,
    there in images: divide by the batch size.
    """

    half_life: float = 1_000.0  # updates
    ramp_up: float | None = 0.05  # share of the updates so far that the half-life is at most; None for no ramp

    def __post_init__(self):
        require(self.half_life > 0, "half_life", self.half_life, "above 0")
        require(self.ramp_up is None or self.ramp_up > 0, "ramp_up", self.ramp_up, "above 0, or None")

    def update(self, average: Any, new: Any, step: jax.Array) -> Any:
        """The average after one more update."""
        half_life = jnp.float32(self.half_life)
        if self.ramp_up is not None:
            half_life = jnp.minimum(half_life, self.ramp_up * step.astype(jnp.float32))
        return interpolate(average, new, 1.0 - _decay(half_life))


@dataclass(frozen=True)
class RampedHalfLife:
    """Weights h updates ago count half, h being the ramp's value at the updates before; with h = 0 the average is new.

    Huang et al., 2024 (R3GAN, arXiv 2501.05441); the default is theirs for CIFAR-10, in updates of 512 images.
    """

    half_life: CosineRamp = CosineRamp(0.0, 9_766.0, 39_062)  # updates

    def __post_init__(self):
        lowest = min(self.half_life.first, self.half_life.last)
        require(lowest >= 0, "half_life", self.half_life, "at least 0")

    def update(self, average: Any, new: Any, step: jax.Array) -> Any:
        """The average after one more update."""
        return interpolate(average, new, 1.0 - _decay(self.half_life.at(step - 1)))


MovingAverage: TypeAlias = NoAverage | Constant | Exponential | HalfLife | RampedHalfLife


def _decay(half_life: jax.Array) -> jax.Array:
    """1/2^(1 / half_life); 0 for a half-life of 0."""
    return jnp.where(half_life > 0, 0.5 ** (1.0 / jnp.where(half_life > 0, half_life, 1.0)), 0.0)


def interpolate(average: Any, new: Any, share: jax.Array) -> Any:
    """`share new + (1 - share) average` in float32, leaf by leaf, each in its own type; counts are the new ones."""

    def leaf(old: jax.Array, latest: jax.Array) -> jax.Array:
        if not jnp.issubdtype(old.dtype, jnp.floating):
            return latest
        mean = share * latest.astype(jnp.float32) + (1.0 - share) * old.astype(jnp.float32)
        return mean.astype(old.dtype)

    return jax.tree.map(leaf, average, new)
