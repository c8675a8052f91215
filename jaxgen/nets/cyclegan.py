"""Residual generator of CycleGAN.

Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, 2017, arXiv
1703.10593, section 7.1 and the authors' code; its discriminator is pix2pix's with an instance norm.

    ResNetTranslator(blocks=9), ResNetTranslator(blocks=6)    256x256 pixels or more, and 128x128

Instance norms have neither scale nor offset, and the convolutions before them have biases all the same, which they take
away. Borders are reflected.
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
from jaxgen.nets.pix2pix import NORMAL, ONE
from jaxgen.typing import Images, Shape

CENTRED = ((1, 0), (1, 0))
"""Cut off after a doubling, so that pixel i comes to lie at 2 i, where the halving has taken it from."""


class ResNetTranslator(nn.Module):
    """Two halvings, residual blocks, two doublings: a translator that keeps places."""

    channels: int = 64  # of the full size; twice and four times as many below
    blocks: int = 9
    norm: Norm = "instance"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, inputs: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32 and without output activation.

        Raises:
            ValueError: sides that are no multiples of 4 or below 8, or other sides of the outputs than of the inputs.
        """
        height, width = inputs.shape[1:3]
        fits = height % 4 == width % 4 == 0 and min(height, width) >= 8
        require(fits, "size of the inputs", f"{height}x{width}", "a multiple of 4x4, at least 8x8")
        require(
            output_shape[:2] == (height, width), "output_shape", output_shape, f"{height}x{width} as the inputs are"
        )
        require(self.channels >= 1 and self.blocks >= 1, "channels, blocks", (self.channels, self.blocks), "at least 1")
        affine = self.norm != "instance"
        conv = functools.partial(Conv, dtype=jnp.dtype(self.dtype), kernel_init=NORMAL)
        grow = functools.partial(
            ConvTranspose, kernel_size=3, padding=CENTRED, dtype=jnp.dtype(self.dtype), kernel_init=NORMAL
        )

        def activate(hidden: jax.Array) -> jax.Array:
            return nn.relu(normalize(hidden, self.norm, mode, affine=affine))

        hidden = activate(conv(self.channels, 7, padding="VALID")(reflected(inputs.astype(self.dtype), 3)))
        for factor in (2, 4):
            hidden = activate(conv(factor * self.channels, 3, strides=2, padding=ONE)(hidden))
        for _ in range(self.blocks):
            branch = activate(conv(4 * self.channels, 3, padding="VALID")(reflected(hidden, 1)))
            branch = conv(4 * self.channels, 3, padding="VALID")(reflected(branch, 1))
            hidden = hidden + normalize(branch, self.norm, mode, affine=affine)
        for factor in (2, 1):
            hidden = activate(grow(factor * self.channels)(hidden))
        return conv(output_shape[2], 7, padding="VALID")(reflected(hidden, 3)).astype(jnp.float32)


def reflected(images: Images, margin: int) -> jax.Array:
    """The images with so many rows and columns around them, mirrored at the border pixels."""
    sides = (0, 0), (margin, margin), (margin, margin), (0, 0)
    return jnp.pad(images, sides, mode="reflect")
