"""Convolutional encoder to a grid of vectors, and decoder from it: the networks of VQ-VAE.

van den Oord, Vinyals, Kavukcuoglu: Neural Discrete Representation Learning, 2017, arXiv 1711.00937, section 4.1; the
sizes and the layers that the paper leaves open are those of the authors' code (Sonnet's example, for CIFAR-10).

Both get their output shape at the call, and halve or double the sides until it is reached.
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.typing import Shape


def doublings(small: Shape, large: Shape) -> int:
    """How often the sides of `small` double to those of `large`; ValueError if they do not.

    >>> doublings((7, 7, 64), (28, 28, 1))
    2
    """
    num = 0
    while small[0] << num < large[0]:
        num += 1
    if len(small) != 3 or len(large) != 3 or (small[0] << num, small[1] << num) != tuple(large[:2]):
        raise ValueError(f"a grid of {small} does not double to images of {large}: give (height, width, channels)")
    return num


class ResidualStack(nn.Module):
    """Blocks h + conv1x1(relu(conv3x3(relu(h)))), and a ReLU at their end."""

    blocks: int
    channels: int  # inside a block
    dtype: Literal["float32", "bfloat16"] = "float32"

    @nn.compact
    def __call__(self, hidden: jax.Array) -> jax.Array:
        """(batch, height, width, channels) to the same shape."""
        dtype = jnp.dtype(self.dtype)
        for _ in range(self.blocks):
            inner = Conv(self.channels, 3, dtype=dtype)(nn.relu(hidden))
            hidden = hidden + Conv(hidden.shape[-1], 1, dtype=dtype)(nn.relu(inner))
        return nn.relu(hidden)


class GridEncoder(nn.Module):
    """Strided 4x4 convolutions, each to half the size; a 3x3 one, residual blocks, and a 1x1 one to the vectors."""

    channels: int = 128  # at the grid; half as many at twice its size, and so on
    residual_blocks: int = 2
    residual_channels: int = 32
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32, output_shape (rows, columns, d)."""
        num = doublings(output_shape, images.shape[1:])
        _check(self.channels, num)
        dtype = jnp.dtype(self.dtype)
        hidden = images.astype(dtype)
        for level in reversed(range(num)):
            hidden = nn.relu(Conv(self.channels >> level, 4, strides=2, dtype=dtype)(hidden))
        hidden = nn.relu(Conv(self.channels, 3, dtype=dtype)(hidden))
        hidden = ResidualStack(self.residual_blocks, self.residual_channels, self.dtype)(hidden)
        return Conv(output_shape[-1], 1, dtype=dtype)(hidden).astype(jnp.float32)


class GridDecoder(nn.Module):
    """The encoder's mirror: a 3x3 convolution, residual blocks, and transposed 4x4 ones, each to twice the size."""

    channels: int = 128  # at the grid; half as many at twice its size, and so on
    residual_blocks: int = 2
    residual_channels: int = 32
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, grid: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, rows, columns, d) to (batch, *output_shape), float32 and without output activation."""
        num = doublings(grid.shape[1:], output_shape)
        _check(self.channels, num)
        dtype = jnp.dtype(self.dtype)
        hidden = Conv(self.channels, 3, dtype=dtype)(grid.astype(dtype))
        hidden = ResidualStack(self.residual_blocks, self.residual_channels, self.dtype)(hidden)
        for level in range(1, num):
            hidden = nn.relu(ConvTranspose(self.channels >> level, 4, strides=2, dtype=dtype)(hidden))
        if num == 0:
            return Conv(output_shape[-1], 3, dtype=dtype)(hidden).astype(jnp.float32)
        return ConvTranspose(output_shape[-1], 4, strides=2, dtype=dtype)(hidden).astype(jnp.float32)


def _check(channels: int, num: int) -> None:
    smallest = 1 << max(num - 1, 0)
    require(channels % smallest == 0 and channels >= 1, "channels", channels, f"a multiple of {smallest}")
