"""What a network may predict of a noisy example, and every conversion between these quantities.

With x_t = alpha x_0 + sigma epsilon, every quantity that is in use is a combination

    y = p x_0 + q epsilon                                                                                (1)

whose coefficients depend on the level alone. Given x_t and y, the data and the noise are

    x_0 = (q x_t - sigma y) / (alpha q - sigma p),    epsilon = (alpha y - p x_t) / (alpha q - sigma p).   (2)

A `Prediction` carries its kind, so that losses, weights and samplers take any kind.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from flax import struct

from jaxgen.checks import PositiveFloat, require_bounds
from jaxgen.diffusion.schedules import Level, ratio
from jaxgen.typing import PerExample, Points


@dataclass(frozen=True)
class Noise:
    """y = epsilon: Ho et al., 2020, arXiv 2006.11239, equation 14."""

    def coefficients(self, level: Level) -> tuple[Any, Any]:
        """p and q of equation 1."""
        return jnp.zeros_like(level.sigma), jnp.ones_like(level.sigma)

    def inputs(self, level: Level, noisy: Points) -> Points:
        """What the network is given: x_t."""
        return noisy


@dataclass(frozen=True)
class Data:
    """y = x_0."""

    def coefficients(self, level: Level) -> tuple[Any, Any]:
        """p and q of equation 1."""
        return jnp.ones_like(level.sigma), jnp.zeros_like(level.sigma)

    def inputs(self, level: Level, noisy: Points) -> Points:
        """What the network is given: x_t."""
        return noisy


@dataclass(frozen=True)
class V:
    """y = (alpha epsilon - sigma x_0) / sqrt(alpha^2 + sigma^2): Salimans, Ho, 2022, arXiv 2202.00512, appendix D.

    The source has schedules with alpha^2 + sigma^2 = 1 alone; for others x_t is thought of as scaled to that.
    """

    def coefficients(self, level: Level) -> tuple[Any, Any]:
        """p and q of equation 1."""
        length = jnp.sqrt(level.alpha**2 + level.sigma**2)
        return -level.sigma / length, level.alpha / length

    def inputs(self, level: Level, noisy: Points) -> Points:
        """What the network is given: x_t."""
        return noisy


@dataclass(frozen=True)
class Score:
    """y = -epsilon / sigma, the gradient of log q(x_t|x_0): Song et al., 2020, arXiv 2011.13456."""

    def coefficients(self, level: Level) -> tuple[Any, Any]:
        """p and q of equation 1."""
        return jnp.zeros_like(level.sigma), -1.0 / level.sigma

    def inputs(self, level: Level, noisy: Points) -> Points:
        """What the network is given: x_t."""
        return noisy


@dataclass(frozen=True)
class Velocity:
    """y = epsilon - x_0, the velocity of the straight path from data to noise: arXiv 2210.02747, 2209.03003.

    The sources count time from noise to data, so that theirs is x_0 - epsilon.
    """

    def coefficients(self, level: Level) -> tuple[Any, Any]:
        """p and q of equation 1."""
        return -jnp.ones_like(level.sigma), jnp.ones_like(level.sigma)

    def inputs(self, level: Level, noisy: Points) -> Points:
        """What the network is given: x_t."""
        return noisy


@dataclass(frozen=True)
class Preconditioned:
    """F of EDM, arXiv 2206.00364, equation 7 and table 1: inputs and targets have unit variance at every level.

    With s = sigma / alpha and d the deviation of the data, the denoised x_0 is c_skip x_t / alpha + c_out F, where
    c_skip = d^2 / (s^2 + d^2) and c_out = s d / sqrt(s^2 + d^2). Hence F = (s x_0 / d - d epsilon) / sqrt(s^2 + d^2),
    which is x_0 / d where only noise is left.
    """

    data_deviation: PositiveFloat = 0.5  # sigma_data

    def __post_init__(self):
        require_bounds(self)

    def coefficients(self, level: Level) -> tuple[Any, Any]:
        """p and q of equation 1."""
        d = self.data_deviation
        length = jnp.sqrt(level.sigma**2 + (d * level.alpha) ** 2)
        return level.sigma / (d * length), -d * level.alpha / length

    def inputs(self, level: Level, noisy: Points) -> Points:
        """What the network is given: c_in x_t / alpha, c_in = 1 / sqrt(s^2 + d^2)."""
        deviation = jnp.sqrt(level.sigma**2 + (self.data_deviation * level.alpha) ** 2)
        return noisy / along(deviation, noisy)


@dataclass(frozen=True)
class Bounded:
    """F of consistency models, arXiv 2303.01469, appendix C: f = c_skip x_t / alpha + c_out F is x at the least noise.

    With s = sigma / alpha, e the least of it and d the deviation of the data, c_skip = d^2 / ((s - e)^2 + d^2) and
    c_out = (s - e) d / sqrt(s^2 + d^2), so that f = x_t / alpha where s = e, whatever F is. There a prediction says
    nothing, and has no coefficients.
    """

    data_deviation: PositiveFloat = 0.5  # d
    least: PositiveFloat = 0.002  # e

    def __post_init__(self):
        require_bounds(self)

    def scales(self, level: Level) -> tuple[Any, Any]:
        """c_skip and c_out."""
        s, d = ratio(level), self.data_deviation
        return d**2 / ((s - self.least) ** 2 + d**2), (s - self.least) * d / jnp.sqrt(s**2 + d**2)

    def coefficients(self, level: Level) -> tuple[Any, Any]:
        """p and q of equation 1, above the least noise."""
        skip, out = self.scales(level)
        return (1.0 - skip) / out, -skip * ratio(level) / out

    def inputs(self, level: Level, noisy: Points) -> Points:
        """What the network is given: c_in x_t / alpha, c_in = 1 / sqrt(s^2 + d^2)."""
        return Preconditioned(self.data_deviation).inputs(level, noisy)


Kind: TypeAlias = Noise | Data | V | Score | Velocity | Preconditioned | Bounded
"""Kinds that a setting can name on the command line."""


class Prediction(struct.PyTreeNode):
    """What a network predicts, with its kind."""

    value: Points
    kind: Kind = struct.field(pytree_node=False)
    variance: Points | None = None
    """v of arXiv 2102.09672, equation 15, in [0, 1], of a network that also predicts the variance of a step."""


class Estimate(NamedTuple):
    """The data and the noise that a prediction stands for."""

    data: Points  # x_0
    noise: Points  # epsilon
    variance: Points | None = None  # of the prediction


def along(per_example: Any, points: Points) -> jax.Array:
    """One number, or one for each example, in a shape that multiplies points (batch, ...)."""
    values = jnp.asarray(per_example, points.dtype)
    return values.reshape(values.shape + (1,) * (points.ndim - 1)) if values.ndim else values


def corrupt(level: Level, data: Points, noise: Points) -> Points:
    """x_t = alpha x_0 + sigma epsilon."""
    return along(level.alpha, data) * data + along(level.sigma, noise) * noise


def target(kind: Kind, level: Level, data: Points, noise: Points) -> Points:
    """y of equation 1: what a network that predicts this kind learns.

    Args:
        kind: of the prediction.
        level: of x_t, one for each example or for all.
        data: x_0.
        noise: epsilon.
    """
    p, q = kind.coefficients(_arrays(level))
    return along(p, data) * data + along(q, noise) * noise


def estimate(prediction: Prediction, level: Level, noisy: Points) -> Estimate:
    """Equation 2, at a level with noise: sigma above 0."""
    level = _arrays(level)
    p, q = prediction.kind.coefficients(level)
    scale = 1.0 / (level.alpha * q - level.sigma * p)
    data = along(q * scale, noisy) * noisy - along(level.sigma * scale, noisy) * prediction.value
    noise = along(level.alpha * scale, noisy) * prediction.value - along(p * scale, noisy) * noisy
    return Estimate(data, noise, prediction.variance)


def convert(prediction: Prediction, kind: Kind, level: Level, noisy: Points) -> Prediction:
    """The same prediction as one of another kind."""
    if kind == prediction.kind:
        return prediction
    found = estimate(prediction, level, noisy)
    return Prediction(target(kind, level, found.data, found.noise), kind, prediction.variance)


def data_error(kind: Kind, level: Level) -> PerExample:
    """||x_0 - estimate||^2 for each unit of ||y - prediction||^2: (sigma / (alpha q - sigma p))^2, by equation 2."""
    level = _arrays(level)
    p, q = kind.coefficients(level)
    return (level.sigma / (level.alpha * q - level.sigma * p)) ** 2


def _arrays(level: Level) -> Level:
    return Level(*(jnp.asarray(part) for part in level))
