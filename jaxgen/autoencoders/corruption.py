"""Noise on the inputs of a denoising autoencoder.

Vincent, Larochelle, Bengio, Manzagol: Extracting and Composing Robust Features with Denoising Autoencoders, 2008, ICML,
and, with Lajoie, Stacked Denoising Autoencoders, 2010, JMLR 11.
"""

from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.images import ValueRange
from jaxgen.typing import Points


@dataclass(frozen=True)
class Clean:
    """The input is the image itself: no denoising, a plain autoencoder."""


@dataclass(frozen=True)
class GaussianNoise:
    """N(mean, std^2) is added to each pixel, and the sum clipped to the value range."""

    std: float = 0.5  # in units of the pixels
    mean: float = 0.0

    def __post_init__(self):
        require(self.std >= 0, "std", self.std, "at least 0")


@dataclass(frozen=True)
class MaskingNoise:
    """Each pixel is set to the lowest value (0 without a range) with probability nu."""

    share: float = 0.25  # nu, the expected share of the pixels

    def __post_init__(self):
        require(0 <= self.share <= 1, "share", self.share, "in [0, 1]")


@dataclass(frozen=True)
class SaltAndPepper:
    """Each pixel is set to the lowest or the highest value (0 or 1 without a range), with probability nu / 2 each."""

    share: float = 0.25  # nu, the expected share of the pixels

    def __post_init__(self):
        require(0 <= self.share <= 1, "share", self.share, "in [0, 1]")


Corruption: TypeAlias = Clean | GaussianNoise | MaskingNoise | SaltAndPepper


def corrupt(corruption: Corruption, images: Points, keys: jax.Array, value_range: ValueRange) -> Points:
    """Images with noise added, that of image i from key i (`parallel.example_keys`).

    >>> keys = jax.random.split(jax.random.key(0), 1)
    >>> corrupt(MaskingNoise(1.0), jnp.ones((1, 3)), keys, (0.0, 1.0))
    Array([[0., 0., 0.]], dtype=float32)
    """
    low, high = value_range or (0.0, 1.0)
    shape = images.shape[1:]
    match corruption:
        case Clean():
            return images
        case GaussianNoise(std, mean):
            noise = jax.vmap(lambda key: jax.random.normal(key, shape))(keys)
            noisy = images + mean + std * noise
            return noisy if value_range is None else jnp.clip(noisy, low, high)
        case MaskingNoise(share):
            uniform = jax.vmap(lambda key: jax.random.uniform(key, shape))(keys)
            return jnp.where(uniform < share, low, images)
        case SaltAndPepper(share):
            uniform = jax.vmap(lambda key: jax.random.uniform(key, shape))(keys)
            return jnp.where(uniform < share, jnp.where(uniform < share / 2, low, high), images)
