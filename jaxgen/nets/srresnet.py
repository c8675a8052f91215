"""SRResNet, the generator of SRGAN: residual blocks at the size of the input, then sub-pixel convolutions.

Ledig et al.: Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, 2016, arXiv
1609.04802, figure 4. Its batch norms follow convolutions with biases. Each PReLU has one slope, which begins as 1/4.
The network is convolutional: it takes images of any size.
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
from jaxgen.nets.sub_pixel import doublings, pixel_shuffle
from jaxgen.typing import Images, Shape


class SRResNet(nn.Module):
    """An image so many times as large as the output shape says: 2, 4, 8, ..."""

    channels: int = 64
    blocks: int = 16
    norm: Norm = "batch"  # behind each convolution but the first, the last and the sub-pixel ones
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32 and without output activation.

        ValueError unless the outputs are 1, 2, 4, ... times as high and wide.
        """
        num = doublings(images, output_shape)
        require(self.channels >= 1 and self.blocks >= 0, "channels, blocks", (self.channels, self.blocks), "positive")
        conv = functools.partial(Conv, dtype=jnp.dtype(self.dtype))

        def activate(hidden: jax.Array) -> jax.Array:
            return nn.PReLU(negative_slope_init=0.25)(hidden)

        def body(hidden: jax.Array) -> jax.Array:
            return normalize(conv(self.channels)(hidden), self.norm, mode)

        hidden = first = activate(conv(self.channels, 9)(images.astype(self.dtype)))
        for _ in range(self.blocks):
            hidden = hidden + body(activate(body(hidden)))
        hidden = first + body(hidden)
        for _ in range(num):
            hidden = activate(pixel_shuffle(conv(4 * self.channels)(hidden), 2))
        return conv(output_shape[2], 9)(hidden).astype(jnp.float32)
