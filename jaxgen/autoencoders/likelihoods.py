"""p(x|z), the distribution of an image given the decoder's outputs, as settings. In nats for each example.

A likelihood says which shape the decoder's outputs have, turns images into what it models (`observe`: grey levels, or
binary pixels drawn from them), and the decoder's outputs into -log p(x|z) and into the mean image. Only here do outputs
pass a sigmoid or a tanh.

- Kingma, Welling: Auto-Encoding Variational Bayes, 2013, arXiv 1312.6114, appendix C.
- Salakhutdinov, Murray: On the quantitative analysis of deep belief networks, 2008 (binary pixels, drawn once).
- Burda, Grosse, Salakhutdinov: Importance Weighted Autoencoders, 2015, arXiv 1509.00519 (drawn at each step).
- Salimans et al.: PixelCNN++, 2017, arXiv 1701.05517 (discretised logistic).
"""

import math
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.images import ValueRange, binarized, squash
from jaxgen.losses.discretized import discretized_logistic_nll
from jaxgen.losses.likelihoods import bernoulli_nll, gaussian_nll
from jaxgen.typing import PerExample, Points, Shape

BROADEST = 7.0
"""The largest log-scale, in units of the range: from about twice that, float32 loses exp(-log_scale) times a level."""


@runtime_checkable
class Likelihood(Protocol):
    """Give a frozen dataclass of your own these four methods to add one."""

    def output_shape(self, image_shape: Shape) -> Shape:
        """The shape of the decoder's outputs for an image."""
        ...

    def observe(self, images: Points, keys: jax.Array, value_range: ValueRange) -> Points:
        """x, what is modelled of images in `value_range`; key i is for image i."""
        ...

    def nll(self, outputs: Points, targets: Points, value_range: ValueRange) -> PerExample:
        """-log p(x|z), summed over pixels, of the decoder's outputs."""
        ...

    def mean(self, outputs: Points, value_range: ValueRange) -> Points:
        """E[x|z] as images in `value_range`."""
        ...


@dataclass(frozen=True)
class Bernoulli:
    """Binary pixels, their probability a sigmoid. Grey levels are the probabilities from which pixels are drawn.

    Binarised "once", an image has the same pixels each time it comes: its noise is a function of the image. With
    "never" the grey levels themselves are the targets: the sum is a cross-entropy then, which bounds no likelihood.
    """

    binarize: Literal["each_step", "once", "threshold", "never"] = "each_step"  # threshold: above half of the range

    def output_shape(self, image_shape: Shape) -> Shape:
        """A logit a pixel."""
        return image_shape

    def observe(self, images: Points, keys: jax.Array, value_range: ValueRange) -> Points:
        """Pixels of 0 and 1, or grey levels in [0, 1]."""
        low, high = bounds = _bounds(value_range, "binary pixels")
        if self.binarize == "never":
            return (images - low) / (high - low)
        return binarized(images, keys, bounds, self.binarize)

    def nll(self, outputs: Points, targets: Points, value_range: ValueRange) -> PerExample:
        """The outputs are logits."""
        return bernoulli_nll(outputs, targets)

    def mean(self, outputs: Points, value_range: ValueRange) -> Points:
        """Probabilities, stretched to the range."""
        low, high = _bounds(value_range, "binary pixels")
        return low + (high - low) * jax.nn.sigmoid(outputs)


@dataclass(frozen=True)
class Gaussian:
    """Grey levels with one fixed variance; 1/2 makes -log p the sum of squared errors, up to a constant."""

    variance: float = 1.0  # sigma^2, in squared units of the value range

    def __post_init__(self):
        require(self.variance > 0, "variance", self.variance, "above 0")

    def output_shape(self, image_shape: Shape) -> Shape:
        """A mean a pixel."""
        return image_shape

    def observe(self, images: Points, keys: jax.Array, value_range: ValueRange) -> Points:
        """The images."""
        return images

    def nll(self, outputs: Points, targets: Points, value_range: ValueRange) -> PerExample:
        """A density: it may be negative."""
        return gaussian_nll(squash(outputs, value_range), math.log(self.variance), targets)

    def mean(self, outputs: Points, value_range: ValueRange) -> Points:
        """Outputs, bounded to the range."""
        return squash(outputs, value_range)


@dataclass(frozen=True)
class LearnedGaussian:
    """Grey levels with a learned variance: a mean and a log-variance for each pixel and channel.

    `nets.shared_scale.SharedScale` around the decoder makes it one variance for all pixels (sigma-VAE).
    """

    min_std: float = 4e-3  # in units of the range; a grey level: with less, the density rewards the rounding of pixels

    def __post_init__(self):
        require(self.min_std > 0, "min_std", self.min_std, "above 0")

    def output_shape(self, image_shape: Shape) -> Shape:
        """Means, then log-variances, along the last axis."""
        return _doubled(image_shape)

    def observe(self, images: Points, keys: jax.Array, value_range: ValueRange) -> Points:
        """The images."""
        return images

    def nll(self, outputs: Points, targets: Points, value_range: ValueRange) -> PerExample:
        """A density: it may be negative."""
        mean, logvar = jnp.split(outputs, 2, axis=-1)
        return gaussian_nll(squash(mean, value_range), _above(2 * math.log(self.min_std), logvar), targets)

    def mean(self, outputs: Points, value_range: ValueRange) -> Points:
        """Means, bounded to the range."""
        return squash(jnp.split(outputs, 2, axis=-1)[0], value_range)


@dataclass(frozen=True)
class DiscretizedLogistic:
    """The levels of a pixel as intervals of a logistic distribution, of a learned mean and scale for each channel.

    A probability of the stored pixels themselves: bits per dimension compare with those of any other such model.
    """

    num_levels: int = 256  # of a pixel, equally spaced in the value range
    min_log_scale: float = -7.0  # in units of the value range

    def __post_init__(self):
        require(self.num_levels >= 2, "num_levels", self.num_levels, "at least 2")

    def output_shape(self, image_shape: Shape) -> Shape:
        """Means, then log-scales, along the last axis."""
        return _doubled(image_shape)

    def observe(self, images: Points, keys: jax.Array, value_range: ValueRange) -> Points:
        """The images at the nearest level."""
        low, high = _bounds(value_range, "levels")
        step = (high - low) / (self.num_levels - 1)
        return low + step * jnp.round((images - low) / step)

    def nll(self, outputs: Points, targets: Points, value_range: ValueRange) -> PerExample:
        """Of the levels: never negative."""
        mean, log_scale = jnp.split(outputs, 2, axis=-1)
        bounds = _bounds(value_range, "levels")
        log_scale = jnp.minimum(_above(self.min_log_scale, log_scale), BROADEST)
        return discretized_logistic_nll(mean, log_scale, targets, num_levels=self.num_levels, value_range=bounds)

    def mean(self, outputs: Points, value_range: ValueRange) -> Points:
        """Means, clipped to the range: where nothing is clipped the mean of the distribution, up to half a level."""
        return jnp.clip(jnp.split(outputs, 2, axis=-1)[0], *_bounds(value_range, "levels"))


def _bounds(value_range: ValueRange, what: str) -> tuple[float, float]:
    if value_range is None:
        raise ValueError(f"{what} need a value_range such as (0.0, 1.0), not None")
    return value_range


def _doubled(image_shape: Shape) -> Shape:
    return (*image_shape[:-1], 2 * image_shape[-1])


def _above(lowest: float, values: jax.Array) -> jax.Array:
    """`values`, softly bounded below by `lowest`: the gradient does not vanish there, as with a hard bound."""
    return lowest + jax.nn.softplus(values - lowest)
