"""Categorical latents of variational autoencoders: draws, their relaxation by Gumbel noise, and divergences.

- Jang, Gu, Poole: Categorical Reparameterization with Gumbel-Softmax, 2016, arXiv 1611.01144.
- Maddison, Mnih, Teh: The Concrete Distribution, 2016, arXiv 1611.00712.

With independent numbers g of the Gumbel distribution, argmax(log pi + g) is a draw of Cat(pi), and has no gradient. Its
relaxation, whose largest entry is at that same place, has one:

    y = softmax((log pi + g) / tau)                                                                       (1)

One-hot for tau to 0, uniform for tau to infinity. Logits are log pi up to a constant.

A category can also be chosen by one number of normal distribution: its distribution function, uniform in (0, 1), is cut
into as many equal intervals as there are categories.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax.scipy.special import log_ndtr, ndtr, ndtri
from jaxtyping import Array, Float, Int

from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt, require_bounds
from jaxgen.conditions import one_hot
from jaxgen.typing import Labels, Latents, PerExample

Logits: TypeAlias = Float[Array, "batch categories"]
Choices: TypeAlias = Float[Array, "batch samples categories"]
"""One-hot rows, or relaxed ones: K of them for each image."""


@dataclass(frozen=True)
class ConstantTemperature:
    """tau does not change; the default is that of Dupont's code for MNIST (arXiv 1804.00104)."""

    value: PositiveFloat = 0.67  # tau

    def __post_init__(self):
        require_bounds(self)

    def at(self, step: Int[Array, ""]) -> Float[Array, ""]:
        """tau after so many updates."""
        return jnp.full((), self.value, jnp.float32)


@dataclass(frozen=True)
class AnnealedTemperature:
    """tau = max(least, exp(-rate t)), t the updates so far, refreshed each `every` updates: Jang et al., section 4.

    The defaults are those of the first author's code for MNIST.
    """

    rate: NonNegativeFloat = 3e-5  # r, an update
    every: PositiveInt = 1_000  # updates from one change to the next
    least: PositiveFloat = 0.5  # the last tau

    def __post_init__(self):
        require_bounds(self)

    def at(self, step: Int[Array, ""]) -> Float[Array, ""]:
        """tau after so many updates."""
        refreshed = (step // self.every * self.every).astype(jnp.float32)
        return jnp.maximum(self.least, jnp.exp(-self.rate * refreshed))


Temperature: TypeAlias = ConstantTemperature | AnnealedTemperature


def gumbel(noise: Float[Array, "..."]) -> Float[Array, "..."]:
    """-log(-log u), u the distribution function of noise from N(0, 1): numbers of the Gumbel distribution."""
    return -jnp.log(-log_ndtr(noise))


def relaxed(logits: Logits, noise: Choices, temperature: Float[Array, ""] | float) -> Choices:
    """y, equation 1.

    Args:
        logits: of each category.
        noise: g, of the Gumbel distribution: K rows for each image.
        temperature: tau, above 0.
    """
    return jax.nn.softmax((logits[:, None] + noise) / temperature)


def hard(values: Choices) -> Choices:
    """The unit vector of the largest value of each row; of the first one, where several are equal."""
    return one_hot(values.argmax(axis=2), values.shape[2])


def straight_through(rows: Choices) -> Choices:
    """`hard`, with the gradient of the relaxed rows themselves: section 2.2 of Jang et al."""
    return hard(rows) + (rows - jax.lax.stop_gradient(rows))


def exact(logits: Logits, noise: Choices) -> Choices:
    """One-hot draws of Cat(softmax(logits)): the largest of logits and Gumbel noise."""
    return hard(logits[:, None] + noise)


def log_probability(logits: Logits, choices: Choices) -> Float[Array, "batch samples"]:
    """log q of the largest entry of each row."""
    return (hard(choices) * jax.nn.log_softmax(logits)[:, None]).sum(axis=2)


def uniform_kl(logits: Logits) -> PerExample:
    """KL(Cat(softmax(logits)) || uniform) = sum of q (log q + log K): from 0 to log K, in nats."""
    log_q = jax.nn.log_softmax(logits)
    return (jnp.exp(log_q) * (log_q + math.log(logits.shape[1]))).sum(axis=1)


def chosen(noise: PerExample, num: int) -> Labels:
    """The category, of `num`, that a number from N(0, 1) chooses: all have the same probability."""
    return jnp.clip((ndtr(noise) * num).astype(jnp.int32), 0, num - 1)


def choosing(categories: Int[Array, "batch"], num: int) -> PerExample:
    """A number that chooses each category: `chosen` backwards, in the middle of its interval."""
    return ndtri((categories.astype(jnp.float32) + 0.5) / num)


@dataclass(frozen=True)
class Codes:
    """How a latent of the commands holds categories: behind `continuous` numbers, one that chooses each."""

    continuous: int
    categorical: tuple[int, ...]  # numbers of categories

    def one_hot(self, latents: Latents) -> list[Float[Array, "batch _"]]:
        """What the numbers choose, one-hot."""
        numbers = latents[:, self.continuous :].T
        pairs = zip(numbers, self.categorical, strict=True)
        return [one_hot(chosen(column, num), num) for column, num in pairs]

    def with_first_code(self, latents: Latents, classes: Labels) -> Latents:
        """The latents with these categories of the first variable."""
        return latents.at[:, self.continuous].set(choosing(classes, self.categorical[0]))
