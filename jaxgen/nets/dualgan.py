"""Networks of DualGAN.

Yi, Zhang, Tan, Gong: DualGAN: Unsupervised Dual Learning for Image-to-Image Translation, 2017, arXiv 1704.02510, and
the authors' code.

    DualGANTranslator(downs=8)          256x256 pixels or more
    DualGANCritic()                     one score for an image, of all of its places
    DualGANCritic(patches=True)         a map of scores

The first and the last kernels are 5x5, the others 3x3. Norms are of each image, with scale and offset. The innermost
map has one too: where it is a single pixel, it becomes the offset, and nothing of the image passes through it. Weights
begin as N(0, 0.02^2).
"""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.discogan import require_halvings, widths_of
from jaxgen.nets.dropout import dropout
from jaxgen.nets.norm import Norm, normalize
from jaxgen.nets.pix2pix import NORMAL, SLOPE
from jaxgen.typing import Images, Shape

NOISY = 3
"""Doublings with dropout, from the innermost one on."""


class DualGANTranslator(nn.Module):
    """A U-Net: halvings, then doublings, each joined by the map of its size on the way down. Dropout is its noise."""

    channels: int = 64  # of the largest map inside; doubled at each halving, up to eight times as many
    downs: int = 8  # halvings
    rate: float = 0.5  # of dropout
    norm: Norm = "instance"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: sides that are no multiples of 2^downs, or other sides of the outputs than of the inputs.
        """
        require_halvings(inputs, self.channels, self.downs)
        sides = inputs.shape[1:3]
        require(output_shape[:2] == sides, "output_shape", output_shape, f"{sides[0]}x{sides[1]} as the inputs are")
        dtype = jnp.dtype(self.dtype)
        down = functools.partial(Conv, strides=2, dtype=dtype, kernel_init=NORMAL)
        up = functools.partial(ConvTranspose, strides=2, dtype=dtype, kernel_init=NORMAL)
        widths = widths_of(self.channels, self.downs)
        maps = [down(widths[0], 5)(inputs.astype(dtype))]
        for width in widths[1:]:
            maps.append(normalize(down(width, 3)(nn.leaky_relu(maps[-1], SLOPE)), self.norm, mode))
        hidden = maps.pop()
        for number, width in enumerate(reversed(widths[:-1]), 1):
            hidden = normalize(up(width, 3)(nn.relu(hidden)), self.norm, mode)
            hidden = dropout(hidden, self.rate, mode, number - 1) if number <= NOISY else hidden
            hidden = jnp.concatenate([hidden, maps.pop()], axis=3)
        return up(output_shape[2], 5)(nn.relu(hidden)).astype(jnp.float32)


class DualGANCritic(nn.Module):
    """A score of each image, or of its patches, unbounded."""

    channels: int = 64  # of the first map; doubled at each halving, up to eight times as many
    layers: int = 5  # halvings
    patches: bool = False  # whether the last layer is a convolution of stride 2, or a dense layer
    norm: Norm = "instance"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch,), or with `patches` to (batch, rows, columns), float32.

        Raises:
            ValueError: another output shape than `()`, or sides that are no multiples of 2^layers.
        """
        require(output_shape == (), "output_shape", output_shape, "(): a score, or a map that follows from the images")
        require_halvings(images, self.channels, self.layers)
        dtype = jnp.dtype(self.dtype)
        conv = functools.partial(Conv, strides=2, dtype=dtype, kernel_init=NORMAL)
        widths = widths_of(self.channels, self.layers)
        hidden = nn.leaky_relu(conv(widths[0], 5)(images.astype(dtype)), SLOPE)
        for width in widths[1:]:
            hidden = nn.leaky_relu(normalize(conv(width, 3)(hidden), self.norm, mode), SLOPE)
        if self.patches:
            return conv(1, 3)(hidden)[..., 0].astype(jnp.float32)
        flat = hidden.reshape(hidden.shape[0], -1)
        return nn.Dense(1, dtype=dtype, kernel_init=NORMAL)(flat)[:, 0].astype(jnp.float32)
