"""Discriminator of SRGAN and ESRGAN: convolutions in pairs, one of which halves, then two dense layers.

    SRGANDiscriminator()                                                        SRGAN's
    SRGANDiscriminator(downs=5, width=100, halving_kernel=4, use_bias=False)    ESRGAN's, for 128x128 pixels

Ledig et al., 2016, arXiv 1609.04802, figure 4; Wang et al., 2018, arXiv 1809.00219, in the authors' code. The dense
layers take images of the size that it was made for alone.
"""

import functools
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Images, Shape

SLOPE = 0.2
"""Of each leaky ReLU."""

ONE = ((1, 1), (1, 1))
"""Padding by one row and column on each side."""


class SRGANDiscriminator(nn.Module):
    """A score for each image."""

    channels: int = 64  # of the first pair; doubled at each halving, up to eight times as many
    downs: int = 4  # pairs, each of which halves
    width: int = 1024  # of the dense layer before the score
    halving_kernel: Literal[3, 4] = 3  # side of the kernels that halve
    use_bias: bool = True  # of the convolutions that a norm follows
    norm: Norm = "batch"  # behind each convolution but the first
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch,), float32. ValueError for another output shape."""
        require(output_shape == (), "output_shape", output_shape, "(): one score for each image")
        least = min(self.channels, self.downs, self.width)
        require(least >= 1, "channels, downs, width", (self.channels, self.downs, self.width), "at least 1")
        conv = functools.partial(Conv, padding=ONE, dtype=jnp.dtype(self.dtype))
        hidden = images.astype(self.dtype)
        for level in range(self.downs):
            width = self.channels * min(2**level, 8)
            for kernel, strides in ((3, 1), (self.halving_kernel, 2)):
                first = level == 0 and strides == 1
                hidden = conv(width, kernel, strides, use_bias=first or self.use_bias)(hidden)
                hidden = nn.leaky_relu(hidden if first else normalize(hidden, self.norm, mode), SLOPE)
        hidden = nn.Dense(self.width, dtype=jnp.dtype(self.dtype))(hidden.reshape(hidden.shape[0], -1))
        score = nn.Dense(1, dtype=jnp.dtype(self.dtype))(nn.leaky_relu(hidden, SLOPE))
        return score[:, 0].astype(jnp.float32)
