"""Moving averages of a network's variables, as values: which weights samples are drawn from.

Each offers `update(average, new, step)`, `step` counting the updates behind `new`.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

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


WIDEST = 1.0 / math.sqrt(12.0)
"""Width of the plain mean of all updates, whose exponent is 0."""

FURTHER = "averages"
"""Collection of a state's average that holds the averages of further widths."""


@dataclass(frozen=True)
class PowerFunction:
    """The weight of update i of t grows as i^gamma: an average that stretches with the run.

    `d = (1 - 1/t)^(gamma + 1)` at update t: Karras et al., 2023 (EDM2, arXiv 2312.02696), there in images, which is the
    same at a constant batch size. The average at the first update is the new weights. From averages of two widths, kept
    now and then, `post_hoc_averages` makes that of any width after the run; for this keep a `further` one, which
    models need to begin with `begin`: all denoisers do.
    """

    width: float = 0.05  # sigma_rel: deviation of the updates' times, by their weights, as a share of t
    further: tuple[float, ...] = ()  # widths of averages that are kept beside it, from which no samples are drawn

    def __post_init__(self):
        for name, width in (("width", self.width), *(("further", width) for width in self.further)):
            require(0 < width <= WIDEST, name, width, f"in (0, {WIDEST:.4f}], the plain mean of all updates")
        widths = (self.width, *self.further)
        require(len(set(widths)) == len(widths), "further", self.further, f"other widths than {self.width}, each once")

    def begin(self, variables: Any) -> Any:
        """The average before any update: the variables, and as a collection of its own those of further widths."""
        return {**variables, FURTHER: {_named(width): dict(variables) for width in self.further}}

    def update(self, average: Any, new: Any, step: jax.Array) -> Any:
        """The average after one more update.

        ValueError if there are further widths, and the model did not begin with `begin`.
        """
        if not self.further:
            return _power(self.width, average, new, step)
        begun = FURTHER in average
        require(begun, "further", self.further, "() for this model, which keeps one average; denoisers keep several")
        kept = {name: tree for name, tree in average.items() if name != FURTHER}
        others = {_named(width): _power(width, average[FURTHER][_named(width)], new, step) for width in self.further}
        return {**_power(self.width, kept, new, step), FURTHER: others}

    def of_width(self, average: Any, width: float) -> Any:
        """The variables that are the average of that width, one of `width` and `further`."""
        if width in self.further:
            return average[FURTHER][_named(width)]
        return {name: tree for name, tree in average.items() if name != FURTHER}


MovingAverage: TypeAlias = NoAverage | Constant | Exponential | HalfLife | RampedHalfLife | PowerFunction


def begin(kind: MovingAverage, variables: Any) -> Any:
    """What a state holds before any update: the variables, and with `PowerFunction(further=...)` more averages."""
    return kind.begin(variables) if isinstance(kind, PowerFunction) and kind.further else variables


@functools.cache
def exponent(width: float) -> float:
    """gamma of a width: the root above -1 of `g^3 + 7 g^2 + (16 - 1/width^2) g + 12 - 1/width^2`, in float64.

    >>> round(exponent(0.1), 10)
    6.9372039376
    """
    inverse = width**-2.0
    roots = np.roots([1.0, 7.0, 16.0 - inverse, 12.0 - inverse])
    return max(float(roots.real.max()), 0.0)


def _power(width: float, average: Any, new: Any, step: jax.Array) -> Any:
    """1 - d by expm1, as d is almost 1 late in a run; before the first update as at it."""
    count = jnp.maximum(step, 1).astype(jnp.float32)
    return interpolate(average, new, -jnp.expm1((exponent(width) + 1.0) * jnp.log1p(-1.0 / count)))


def _named(width: float) -> str:
    """`width_0_1` of 0.1: names of arrays have no points."""
    return f"width_{width!r}".replace(".", "_")


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
