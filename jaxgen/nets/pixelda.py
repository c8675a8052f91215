"""Networks of PixelDA: a translator that is given noise, a discriminator full of noise, and a classifier.

Bousmalis, Silberman, Dohan, Erhan, Krishnan: Unsupervised Pixel-Level Domain Adaptation with Generative Adversarial
Networks, 2016, arXiv 1612.05424, appendix B and the authors' code.

All convolutions and dense layers of the first two begin as N(0, 0.02^2). Those that a batch norm follows have no bias;
batch norms have an offset and no scale.
"""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.dropout import dropout, gaussian_noise
from jaxgen.nets.norm import offset_batch_norm
from jaxgen.nets.pix2pix import NORMAL, SLOPE
from jaxgen.typing import Images, Labels, Latents, Shape

SMALLEST = 4
"""Side of a map from which on the discriminator halves it no more."""


class NoisyTranslator(nn.Module):
    """Noise becomes one more channel of the image; then residual blocks at full size."""

    channels: int = 64
    blocks: int = 6
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, noise: Latents, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) and (batch, numbers) to (batch, *output_shape), float32, not squashed.

        Raises:
            ValueError: other sides of the outputs than of the inputs.
        """
        batch, height, width, _ = images.shape
        fits = output_shape[:2] == (height, width)
        require(fits, "output_shape", output_shape, f"{height}x{width} as the inputs are")
        require(self.channels >= 1 and self.blocks >= 1, "channels, blocks", (self.channels, self.blocks), "at least 1")
        dtype = jnp.dtype(self.dtype)
        conv = functools.partial(Conv, kernel_init=NORMAL, dtype=dtype)
        dense = nn.Dense(height * width, use_bias=False, dtype=dtype, kernel_init=NORMAL)
        channel = nn.relu(offset_batch_norm(dense(noise.astype(dtype)), mode)).reshape(batch, height, width, 1)
        hidden = nn.relu(conv(self.channels)(jnp.concatenate([images.astype(dtype), channel], axis=3)))
        for _ in range(self.blocks):
            branch = nn.relu(offset_batch_norm(conv(self.channels, use_bias=False)(hidden), mode))
            hidden = hidden + offset_batch_norm(conv(self.channels, use_bias=False)(branch), mode)
        return conv(output_shape[2], 1)(hidden).astype(jnp.float32)


class NoisyDiscriminator(nn.Module):
    """Halvings down to a map of 4x4 or less; in training dropout and Gaussian noise behind each convolution."""

    channels: int = 64  # of the full size; doubled at each halving
    rate: float = 0.1  # of dropout
    deviation: float = 0.2  # of the noise
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch,), float32. ValueError for another output shape than `()`."""
        require(output_shape == (), "output_shape", output_shape, "(): one score for each image")
        dtype = jnp.dtype(self.dtype)
        conv = functools.partial(Conv, kernel_init=NORMAL, dtype=dtype)
        width, layer = self.channels, 0
        hidden = self._disturbed(nn.leaky_relu(conv(width)(images.astype(dtype)), SLOPE), mode, layer)
        while max(hidden.shape[1:3]) > SMALLEST:
            width, layer = 2 * width, layer + 1
            hidden = offset_batch_norm(conv(width, strides=2, use_bias=False)(hidden), mode)
            hidden = self._disturbed(nn.leaky_relu(hidden, SLOPE), mode, layer)
        flat = hidden.reshape(hidden.shape[0], -1)
        return nn.Dense(1, dtype=dtype, kernel_init=NORMAL)(flat)[:, 0].astype(jnp.float32)

    def _disturbed(self, hidden: jax.Array, mode: Mode, layer: int) -> jax.Array:
        return gaussian_noise(dropout(hidden, self.rate, mode, 2 * layer), self.deviation, mode, 2 * layer + 1)


class DomainClassifier(nn.Module):
    """A classifier of the images of two domains, whose first layer may be one for each domain."""

    private: bool = True  # a first layer for each domain; else one for both
    channels: tuple[int, int] = (32, 48)  # of the two convolutions
    width: int = 100  # of the two dense layers before the logits
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, domains: Labels, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) and domains, 0 or 1, to logits, (batch, *output_shape), float32.

        Raises:
            ValueError: another output shape than (classes,).
        """
        require(len(output_shape) == 1, "output_shape", output_shape, "(classes,)")
        dtype = jnp.dtype(self.dtype)
        first, second = (functools.partial(Conv, num, 5, dtype=dtype) for num in self.channels)
        images = images.astype(dtype)
        hidden = first(name="first")(images)
        if self.private:
            own = first(name="first_of_target")(images)
            hidden = jnp.where((domains == 1)[:, None, None, None], own, hidden)
        hidden = _halved(nn.relu(second()(_halved(nn.relu(hidden)))))
        hidden = hidden.reshape(hidden.shape[0], -1)
        for _ in range(2):
            hidden = nn.relu(nn.Dense(self.width, dtype=dtype)(hidden))
        return nn.Dense(output_shape[0], dtype=dtype)(hidden).astype(jnp.float32)


def _halved(hidden: jax.Array) -> jax.Array:
    return nn.max_pool(hidden, (2, 2), strides=(2, 2), padding="SAME")
