"""Networks of BEGAN: an encoder and a decoder of convolutions with ELUs, without normalisation.

Berthelot, Schumm, Metz: BEGAN: Boundary Equilibrium Generative Adversarial Networks, 2017, arXiv 1703.10717.

The side of the smallest map is 8, or what an even side above 8 is halved to: 64 -> 32 -> 16 -> 8, 28 -> 14 -> 7. Skip
connections, which the paper lets fade, are not here.
"""

import math

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.image_shapes import image_shape
from jaxgen.typing import Shape


def halvings(height: int, width: int) -> int:
    """How often both sides are halved: while they are even and above 8.

    >>> halvings(64, 64), halvings(28, 28), halvings(9, 9)
    (3, 2, 0)
    """
    num = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > 8:
        height, width, num = height // 2, width // 2, num + 1
    return num


class BEGANDecoder(nn.Module):
    """A dense layer to the smallest map, then two convolutions at each size, and one to the image."""

    channels: int = 128  # n, of all maps

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        height, width, image_channels = image_shape(output_shape)
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        num = halvings(height, width)
        smallest = height >> num, width >> num, self.channels
        hidden = nn.Dense(math.prod(smallest))(latents).reshape(latents.shape[0], *smallest)
        for level in range(num + 1):
            first = Conv(self.channels) if level == 0 else UpsampleConv(self.channels)
            hidden = nn.elu(Conv(self.channels)(nn.elu(first(hidden))))
        return Conv(image_channels)(hidden)


class BEGANAutoencoder(nn.Module):
    """Two convolutions at each size, of n channels more at each smaller one, to a code; then a `BEGANDecoder`."""

    channels: int = 128  # n, of the largest map and of all maps of the decoder
    code_dim: int = 64  # N_h, numbers of a code

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), without output activation."""
        height, width, _ = image_shape(images.shape[1:])
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        require(self.code_dim >= 1, "code_dim", self.code_dim, "at least 1")
        num = halvings(height, width)
        hidden = nn.elu(Conv(self.channels)(images))
        for level in range(1, num + 2):
            features = self.channels * level
            hidden = nn.elu(Conv(features)(nn.elu(Conv(features)(hidden))))
            if level <= num:
                hidden = nn.elu(Conv(features, strides=2)(hidden))
        codes = nn.Dense(self.code_dim)(hidden.reshape(images.shape[0], -1))
        return BEGANDecoder(self.channels, name="decoder")(codes, output_shape, mode=mode)
