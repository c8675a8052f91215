"""Convolutional generator and critic for images of any size, in the manner of DCGAN.

Both halve (or double) the image while its sides are even and at least 8: 28 -> 14 -> 7, 32 -> 16 -> 8 -> 4. The
generator up-samples and convolves; the critic pools and convolves, whose second derivative (a gradient
penalty) is cheap.
"""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution import mean_pool
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.image_shapes import image_shape
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Shape


def halvings(height: int, width: int) -> int:
    """How often both sides can be halved, from even sides of at least 8.

    >>> halvings(28, 28), halvings(32, 32), halvings(9, 9)
    (2, 3, 0)
    """
    num = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) >= 8:
        height, width, num = height // 2, width // 2, num + 1
    return num


class ConvGenerator(nn.Module):
    """A dense layer to the smallest image, then up-sampling and convolution, twice the size and half the channels."""

    channels: int = 64  # at full size; doubled at each halving
    kernel_size: int = 3
    negative_slope: float = 0.0  # of the leaky ReLU; 0 is the ReLU
    norm: Norm = "none"  # before each activation
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), float32 and without output activation."""
        height, width, image_channels = image_shape(output_shape)
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        num = halvings(height, width)
        dtype = jnp.dtype(self.dtype)

        def activate(hidden):
            hidden = normalize(hidden, self.norm, mode)
            return nn.leaky_relu(hidden, self.negative_slope)

        smallest = (height >> num, width >> num, self.channels << num)
        hidden = nn.Dense(math.prod(smallest), dtype=dtype)(latents.astype(dtype))
        hidden = activate(hidden.reshape(latents.shape[0], *smallest))
        for level in reversed(range(num)):
            hidden = activate(UpsampleConv(self.channels << level, self.kernel_size, dtype=dtype)(hidden))
        return Conv(image_channels, self.kernel_size, dtype=dtype)(hidden).astype(jnp.float32)


class ConvCritic(nn.Module):
    """Convolutions, before each but the first a pooling, half the size and twice the channels; then a dense layer."""

    channels: int = 64  # at full size; doubled at each halving
    kernel_size: int = 3
    negative_slope: float = 0.2  # of the leaky ReLU
    norm: Norm = "none"  # before each activation but the first
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32; one score each with `()`."""
        height, width, _ = image_shape(images.shape[1:])
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        dtype = jnp.dtype(self.dtype)
        hidden = Conv(self.channels, self.kernel_size, dtype=dtype)(images.astype(dtype))
        hidden = nn.leaky_relu(hidden, self.negative_slope)
        for level in range(1, halvings(height, width) + 1):
            hidden = Conv(self.channels << level, self.kernel_size, dtype=dtype)(mean_pool(hidden))
            hidden = normalize(hidden, self.norm, mode)
            hidden = nn.leaky_relu(hidden, self.negative_slope)
        outputs = nn.Dense(math.prod(output_shape), dtype=dtype)(hidden.reshape(images.shape[0], -1))
        return outputs.astype(jnp.float32).reshape(images.shape[0], *output_shape)
