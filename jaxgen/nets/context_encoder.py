"""Networks of the context encoder: a generator of a hole's content, and a discriminator of contents.

Pathak, Krahenbuhl, Donahue, Darrell, Efros: Context Encoders: Feature Learning by Inpainting, 2016, arXiv 1604.07379,
and the authors' code.

    ContextEncoder()                      128x128 pixels to 64x64, through 4,000 numbers
    ContextEncoder(channel_wise=True)     through a dense layer for each channel: the paper's section 3.1
    ContextDiscriminator()                64x64 pixels

Sides are 4 times a power of 2. All weights begin as N(0, 0.02^2), those of batch norms as 1; biases as 0.
"""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.norm import Norm, normalize
from jaxgen.nets.pix2pix import NORMAL, ONE, SLOPE
from jaxgen.typing import Images, Shape

SMALLEST = 4
"""The shorter side of the smallest maps."""


class ChannelWiseDense(nn.Module):
    """A dense layer from places to places for each channel by itself: m^4 weights a channel for maps of m x m."""

    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, maps: jax.Array) -> jax.Array:
        """(batch, rows, columns, channels) to the same shape."""
        batch, rows, columns, channels = maps.shape
        places = rows * columns
        kernel = self.param("kernel", NORMAL, (channels, places, places), jnp.float32).astype(self.dtype)
        bias = self.param("bias", nn.initializers.zeros, (channels, places), jnp.float32).astype(self.dtype)
        flat = maps.astype(self.dtype).reshape(batch, places, channels)
        outputs = jnp.einsum("bpc,cpq->bqc", flat, kernel) + bias.T[None]
        return outputs.reshape(maps.shape)


class ContextEncoder(nn.Module):
    """Halvings down to 4x4, a bottleneck, doublings up to the size of the hole."""

    channels: int = 64  # of the largest maps; doubled from the third on, up to eight times as many
    bottleneck: int = 4000  # n_B, numbers that know of all places
    channel_wise: bool = False  # a dense layer for each channel and a 1x1 convolution in place of the bottleneck
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: sides of images or outputs that are not 4 times a power of 2, or settings below 1.
        """
        least = min(self.channels, self.bottleneck)
        require(least >= 1, "channels, bottleneck", (self.channels, self.bottleneck), "at least 1")
        dtype = jnp.dtype(self.dtype)
        down = functools.partial(Conv, kernel_size=4, strides=2, padding=ONE, dtype=dtype, kernel_init=NORMAL)
        up = functools.partial(ConvTranspose, kernel_size=4, dtype=dtype, kernel_init=NORMAL)

        def norm(hidden: jax.Array) -> jax.Array:
            return normalize(hidden, self.norm, mode)

        hidden = images.astype(dtype)
        for level in range(halvings(images.shape[1:3], "images")):
            hidden = down(self.channels * min(2 ** max(level - 1, 0), 8))(hidden)
            hidden = nn.leaky_relu(hidden if level == 0 else norm(hidden), SLOPE)
        rows, columns = hidden.shape[1:3]
        doublings = halvings(output_shape[:2], "outputs")
        widths = [self.channels * min(2**level, 8) for level in range(doublings)][::-1]
        smallest = output_shape[0] >> doublings, output_shape[1] >> doublings
        if self.channel_wise:
            require(hidden.shape[1:3] == smallest, "smallest maps", hidden.shape[1:3], f"{smallest}, as of the outputs")
            hidden = nn.leaky_relu(norm(ChannelWiseDense(self.dtype)(hidden)), SLOPE)
            hidden = Conv(widths[0], 1, dtype=dtype, kernel_init=NORMAL)(hidden)
        else:
            dense = Conv(self.bottleneck, (rows, columns), padding="VALID", dtype=dtype, kernel_init=NORMAL)
            hidden = nn.leaky_relu(norm(dense(hidden)), SLOPE)
            dense = ConvTranspose(widths[0], smallest, 1, "VALID", dtype=dtype, kernel_init=NORMAL)
            hidden = dense(hidden)
        for features in widths[1:]:
            hidden = up(features)(nn.relu(norm(hidden)))
        return up(output_shape[2])(nn.relu(norm(hidden))).astype(jnp.float32)


class ContextDiscriminator(nn.Module):
    """Halvings down to 4x4, then one number."""

    channels: int = 64  # of the largest map; doubled at each halving, up to eight times as many
    norm: Norm = "batch"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch,), float32.

        Raises:
            ValueError: another output shape than `()`, or sides that are not 4 times a power of 2.
        """
        require(output_shape == (), "output_shape", output_shape, "(): one score for each image")
        dtype = jnp.dtype(self.dtype)
        hidden = images.astype(dtype)
        for level in range(halvings(images.shape[1:3], "images")):
            convolve = Conv(self.channels * min(2**level, 8), 4, 2, ONE, dtype=dtype, kernel_init=NORMAL)
            hidden = convolve(hidden)
            hidden = nn.leaky_relu(hidden if level == 0 else normalize(hidden, self.norm, mode), SLOPE)
        rows, columns = hidden.shape[1:3]
        score = Conv(1, (rows, columns), padding="VALID", dtype=dtype, kernel_init=NORMAL)
        return score(hidden)[:, 0, 0, 0].astype(jnp.float32)


def halvings(sides: tuple[int, ...], name: str) -> int:
    """How often the sides halve until the shorter one is 4.

    Raises:
        ValueError: never exactly, or not once.

    >>> halvings((128, 128), "images")
    5
    """
    num = max(min(sides).bit_length() - SMALLEST.bit_length(), 0)
    fits = num >= 1 and min(sides) == SMALLEST << num and all(side % 2**num == 0 for side in sides)
    require(fits, f"size of the {name}", "x".join(map(str, sides)), "8, 16, 32, ... at the shorter side, or a multiple")
    return num
