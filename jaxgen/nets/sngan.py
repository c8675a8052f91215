"""Convolutional networks of SNGAN for images of 32x32; `Spectral` normalises the discriminator's weights.

Miyato, Kataoka, Koyama, Yoshida: Spectral Normalization for Generative Adversarial Networks, 2018, arXiv 1802.05957,
table 3.

    SNGANGenerator(), Spectral(SNGANDiscriminator())

The residual networks of the paper's table 4 are those of `jaxgen.nets.resnet`, of other widths and with a sum in place
of a mean: `ResNetGenerator((256, 256, 256, 256))`, `Spectral(ResNetCritic(pool="sum", last_bias=False))`. Those
for larger images, and with classes, are in `jaxgen.nets.sngan_resnet`.
"""

import functools
import math

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.image_shapes import dense_outputs, image_shape
from jaxgen.nets.norm import normalize
from jaxgen.typing import Shape

HALVINGS = 3
"""From the image to the smallest map: 32 to 4."""


class SNGANGenerator(nn.Module):
    """A dense layer to an eighth of the size, three transposed convolutions with batch norm and ReLU, a convolution."""

    channels: int = 64  # of the map of full size; twice as many at each halving

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        rows, columns, image_channels = _smallest(output_shape)
        smallest = (rows, columns, self.channels << HALVINGS)
        hidden = nn.Dense(math.prod(smallest))(latents).reshape(-1, *smallest)
        for level in reversed(range(HALVINGS)):
            hidden = ConvTranspose(self.channels << level, 4)(hidden)
            hidden = nn.relu(normalize(hidden, "batch", mode))
        return Conv(image_channels, 3)(hidden)


class SNGANDiscriminator(nn.Module):
    """Pairs of a 3x3 convolution and a 4x4 one of stride 2, three of them, a last 3x3 and a dense layer."""

    channels: int = 64  # of the first pair; twice as many at each further one, and in the last convolution
    negative_slope: float = 0.1  # of the leaky ReLU

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape)."""
        _smallest(images.shape[1:])
        activate = functools.partial(nn.leaky_relu, negative_slope=self.negative_slope)
        hidden = images
        for level in range(HALVINGS):
            hidden = activate(Conv(self.channels << level, 3)(hidden))
            hidden = activate(Conv(self.channels << level, 4, 2)(hidden))
        hidden = activate(Conv(self.channels << HALVINGS, 3)(hidden))
        return dense_outputs(hidden, output_shape, nn.linear.default_kernel_init)


def _smallest(shape: Shape) -> tuple[int, int, int]:
    """Height and width of the smallest map, and the image's channels."""
    height, width, channels = image_shape(shape)
    side = 1 << HALVINGS
    require(height % side == width % side == 0, "image shape", shape, f"of sides that divide by {side}")
    return height // side, width // side, channels
