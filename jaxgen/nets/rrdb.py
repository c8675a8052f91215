"""Residual-in-residual dense blocks, the generator of ESRGAN.

Wang et al.: ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks, 2018, arXiv 1809.00219, figure 4 and the
authors' code. There are no norms. The convolutions of dense blocks begin as He's, times 0.1. The network is
convolutional: it takes images of any size.
"""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.sub_pixel import doublings
from jaxgen.typing import Images, Shape

SLOPE = 0.2
"""Of each leaky ReLU."""

SMALL = nn.initializers.variance_scaling(2.0 * 0.1**2, "fan_in", "normal")
"""He's, times 0.1."""


class ResidualDenseBlock(nn.Module):
    """x + beta x_5: five convolutions, each of the channels of x and of all before it."""

    growth: int = 32  # channels of each convolution but the last
    residual_scale: float = 0.2  # beta
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, hidden: jax.Array) -> jax.Array:
        """(batch, height, width, channels) to the same shape."""
        conv = functools.partial(Conv, dtype=jnp.dtype(self.dtype), kernel_init=SMALL)
        maps = [hidden]
        for _ in range(4):
            maps.append(nn.leaky_relu(conv(self.growth)(jnp.concatenate(maps, axis=3)), SLOPE))
        branch = conv(hidden.shape[3])(jnp.concatenate(maps, axis=3))
        return hidden + self.residual_scale * branch


class RRDB(nn.Module):
    """x + beta (three dense blocks of x)."""

    growth: int = 32  # of each dense block
    residual_scale: float = 0.2  # beta
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, hidden: jax.Array) -> jax.Array:
        """(batch, height, width, channels) to the same shape."""
        branch = hidden
        for _ in range(3):
            branch = ResidualDenseBlock(self.growth, self.residual_scale, self.dtype)(branch)
        return hidden + self.residual_scale * branch


class RRDBNet(nn.Module):
    """An image so many times as large as the output shape says: 2, 4, 8, ..."""

    channels: int = 64
    growth: int = 32  # of each dense block
    blocks: int = 23  # RRDB
    residual_scale: float = 0.2  # beta, of dense blocks and of RRDB
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32 and without output activation.

        ValueError unless the outputs are 1, 2, 4, ... times as high and wide.
        """
        num = doublings(images, output_shape)
        least = min(self.channels, self.growth)
        require(least >= 1 and self.blocks >= 0, "channels, growth", (self.channels, self.growth), "at least 1")
        conv = functools.partial(Conv, dtype=jnp.dtype(self.dtype))
        hidden = first = conv(self.channels)(images.astype(self.dtype))
        for _ in range(self.blocks):
            hidden = RRDB(self.growth, self.residual_scale, self.dtype)(hidden)
        hidden = first + conv(self.channels)(hidden)
        for _ in range(num):
            hidden = nn.leaky_relu(UpsampleConv(self.channels, dtype=jnp.dtype(self.dtype))(hidden), SLOPE)
        hidden = nn.leaky_relu(conv(self.channels)(hidden), SLOPE)
        return conv(output_shape[2])(hidden).astype(jnp.float32)
