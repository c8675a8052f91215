"""Codes of a generator, and what a network predicts of them: what InfoGAN adds to a GAN.

Chen et al.: InfoGAN, 2016, arXiv 1606.03657. Codes are categorical, uniform over their classes, and continuous, uniform
in [-1, 1), with a Gaussian Q. A latent vector holds the continuous codes first, then the categorical ones as unit
vectors, then the noise. The authors report a continuous code's information with the entropy of a Gaussian; here H(c) is
that of the codes, log 2 for each.
"""

import functools
import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen.checks import require
from jaxgen.conditions import in_turn
from jaxgen.gans.networks import from_latents
from jaxgen.losses.information import infogan_categorical, infogan_uniform
from jaxgen.parallel import draw, split_key
from jaxgen.priors import PriorLike
from jaxgen.typing import AxisName, Keys, Labels, Latents, PerExample, Points, Shape


class Codes(NamedTuple):
    """c, one row an image."""

    categorical: Int[Array, "batch categorical"]
    continuous: Float[Array, "batch continuous"]


class Predicted(NamedTuple):
    """Q(c|x)."""

    logits: tuple[Float[Array, "batch _"], ...]  # of each categorical code
    mean: Float[Array, "batch continuous"]  # of the continuous codes
    logvar: Float[Array, "batch continuous"]


@dataclass(frozen=True)
class CodeSettings:
    """Which codes there are; the defaults are the paper's for MNIST."""

    categorical: tuple[int, ...] = (10,)  # classes of each categorical code
    continuous: int = 2  # number of continuous codes
    fixed_std: bool = True  # Q's deviation of a continuous code is 1, as in the authors' code for MNIST, or learned

    def __post_init__(self):
        require(min(self.categorical, default=2) >= 2, "categorical", self.categorical, "numbers of at least 2 classes")
        require(self.continuous >= 0, "continuous", self.continuous, "at least 0")
        require(self.size >= 1, "continuous", self.continuous, "at least 1 where no code is categorical")

    @property
    def size(self) -> int:
        """Numbers of a latent vector that are codes."""
        return self.continuous + sum(self.categorical)

    @property
    def outputs(self) -> int:
        """Numbers that Q gives: class logits, and a mean and a log-variance for each continuous code."""
        return sum(self.categorical) + 2 * self.continuous

    def draw(self, key: Keys, num: int, axis_name: AxisName = None) -> Codes:
        """c for each of this device's examples."""
        key_categorical, key_continuous = split_key(key)
        classes = jnp.array(self.categorical, jnp.int32)
        integers = functools.partial(jax.random.randint, shape=classes.shape, minval=0, maxval=classes)
        uniform = functools.partial(jax.random.uniform, shape=(self.continuous,), minval=-1.0, maxval=1.0)
        return Codes(draw(integers, key_categorical, num, axis_name), draw(uniform, key_continuous, num, axis_name))

    def latents(self, codes: Codes, noise: Float[Array, "batch noise"]) -> Latents:
        """Latent vectors: continuous codes, unit vectors of the categorical ones, noise."""
        units = [jax.nn.one_hot(codes.categorical[:, i], size) for i, size in enumerate(self.categorical)]
        return jnp.concatenate([codes.continuous, *units, noise], axis=1)

    def codes_of(self, latents: Latents) -> Codes:
        """c of latent vectors: the inverse of `latents`."""
        ends = list(itertools.accumulate((self.continuous, *self.categorical)))
        continuous, *units, _ = jnp.split(latents, ends, axis=1)
        classes = [unit.argmax(axis=1).astype(jnp.int32) for unit in units]
        return Codes(jnp.stack(classes, axis=1) if classes else jnp.zeros((latents.shape[0], 0), jnp.int32), continuous)

    def with_first_code(self, latents: Latents, classes: Labels) -> Latents:
        """The latent vectors with these classes as the first categorical code."""
        start = self.continuous
        return latents.at[:, start : start + self.categorical[0]].set(jax.nn.one_hot(classes, self.categorical[0]))

    def predicted(self, outputs: Float[Array, "batch outputs"]) -> Predicted:
        """Q(c|x) from the network's outputs."""
        ends = list(itertools.accumulate((*self.categorical, self.continuous)))
        *logits, mean, logvar = jnp.split(outputs, ends, axis=1)
        return Predicted(tuple(logits), mean, jnp.zeros_like(logvar) if self.fixed_std else logvar)


@dataclass(frozen=True)
class CodePrior:
    """Latent vectors of codes and noise."""

    codes: CodeSettings
    noise: PriorLike  # of vectors

    @property
    def shape(self) -> Shape:
        """Of one latent vector."""
        return (self.codes.size + self.noise.shape[0],)

    def draw(self, key: Keys, num: int, axis_name: AxisName = None) -> Latents:
        """(num, codes + noise), the latents of this device's examples."""
        key_codes, key_noise = split_key(key)
        codes = self.codes.draw(key_codes, num, axis_name)
        return self.codes.latents(codes, self.noise.draw(key_noise, num, axis_name))


def sample_codes(config: Any, state: Any, key: Keys, num: int, condition: Labels | None = None) -> Points:
    """`num` images of the moving average; `condition` is the first categorical code, in turn without one."""
    latents = config.prior.draw(key, num)
    if config.codes.categorical:
        latents = config.codes.with_first_code(latents, in_turn(condition, num, config.codes.categorical[0]))
    return from_latents(config, state, latents)


def categorical_loss(predicted: Predicted, codes: Codes) -> PerExample:
    """-L_I of all categorical codes: from 0, where Q knows nothing, to minus the sum of the log K."""
    losses = [infogan_categorical(logits, codes.categorical[:, i]) for i, logits in enumerate(predicted.logits)]
    return functools.reduce(jnp.add, losses, jnp.zeros(len(predicted.mean), jnp.float32))


def continuous_loss(predicted: Predicted, codes: Codes) -> PerExample:
    """-L_I of all continuous codes."""
    return infogan_uniform(predicted.mean, predicted.logvar, codes.continuous)
