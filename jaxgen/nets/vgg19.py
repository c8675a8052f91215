"""VGG-19 up to one of its convolutions: features for a perceptual loss.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, arXiv 1409.1556, column E
of table 1. SRGAN (arXiv 1609.04802) calls what follows the j-th convolution before the i-th pooling phi_ij: VGG22 and
VGG54, after the activation. ESRGAN (arXiv 1809.00219) takes phi_54 before the activation.

Published weights are read from a file: `--pretrained features=FILE.pth`, of torchvision. With random ones the maps are
features too, but poorer.
"""

from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.partial_convolution import HE
from jaxgen.nets.vgg16 import normalized
from jaxgen.typing import Images, Shape

DEPTHS = (2, 2, 4, 4, 4)
"""Convolutions before each pooling."""


class VGG19(nn.Module):
    """Feature maps behind a convolution."""

    block: int = 5  # i: the convolution lies before the i-th pooling
    conv: int = 4  # j: the j-th of its block
    activated: bool = True  # behind its ReLU, or before it
    channels: int = 64  # of the first block; doubled at each, up to eight times as many
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """RGB images in [-1, 1], (batch, height, width, 3), to (batch, rows, columns, channels), float32.

        ValueError for another output shape than `()`, for a layer that is none, and for other channels than 3.
        """
        require(output_shape == (), "output_shape", output_shape, "(): the maps follow from the images")
        require(1 <= self.block <= len(DEPTHS), "block", self.block, f"from 1 to {len(DEPTHS)}")
        require(1 <= self.conv <= DEPTHS[self.block - 1], "conv", self.conv, f"from 1 to {DEPTHS[self.block - 1]}")
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        hidden = normalized(images).astype(self.dtype)
        depths = (*DEPTHS[: self.block - 1], self.conv)
        for level, depth in enumerate(depths):
            hidden = hidden if level == 0 else nn.max_pool(hidden, (2, 2), (2, 2))
            for place in range(depth):
                width = self.channels * min(2**level, 8)
                hidden = Conv(width, dtype=jnp.dtype(self.dtype), kernel_init=HE)(hidden)
                last = level == len(depths) - 1 and place == depth - 1
                hidden = hidden if last and not self.activated else nn.relu(hidden)
        return hidden.astype(jnp.float32)
