"""Networks of coupled GANs for images of 28x28 pixels: what two domains share, and what each has of its own.

Liu, Tuzel: Coupled Generative Adversarial Networks, 2016, arXiv 1606.07536, and the authors' code for digits and edges.

The generators share all layers but the last, the discriminators all but the first: a `CoGANGenerator` stands before the
`CoGANImageLayer` of each domain, and the `CoGANStem` of each domain before a `CoGANDiscriminator`.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.image_shapes import image_shape
from jaxgen.nets.norm import normalize
from jaxgen.typing import Shape

PAD = ((1, 1), (1, 1))
MARGIN = 3
"""Pixels by which an image is larger than the maps before it."""

KERNEL, BIAS = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform"), nn.initializers.constant(0.1)
"""How weights begin, in the authors' code."""


class CoGANGenerator(nn.Module):
    """Four transposed convolutions from one pixel to maps of 25x25, each with batch norm and a PReLU.

    The norm has neither scale nor offset.
    """

    channels: int = 1024  # of the first maps, 4x4; an eighth of it at the end

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, 25, 25, channels / 8); the shape of the maps does not follow `output_shape`."""
        fits = self.channels >= 8 and self.channels % 8 == 0
        require(fits, "channels", self.channels, "a multiple of 8, at least 8")

        def activate(hidden):
            return nn.PReLU(negative_slope_init=0.25)(normalize(hidden, "batch", mode, affine=False))

        upsample = partial(ConvTranspose, kernel_init=KERNEL, bias_init=BIAS)
        hidden = latents.reshape(latents.shape[0], 1, 1, -1)
        hidden = activate(upsample(self.channels, 4, 1, "VALID")(hidden))
        for level in range(1, 4):
            hidden = activate(upsample(self.channels >> level, 3, 2, PAD)(hidden))
        return hidden


class CoGANImageLayer(nn.Module):
    """One transposed convolution from maps to an image that is larger by three pixels."""

    @nn.compact
    def __call__(self, maps: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height - 3, width - 3, channels) to (batch, *output_shape), without output activation."""
        height, width, image_channels = image_shape(output_shape)
        sides = maps.shape[1] + MARGIN, maps.shape[2] + MARGIN
        require((height, width) == sides, "image shape", output_shape, f"of {sides[0]}x{sides[1]} pixels")
        return ConvTranspose(image_channels, 6, 1, PAD, kernel_init=KERNEL, bias_init=BIAS)(maps)


class CoGANStem(nn.Module):
    """One convolution, and the largest of each 2x2 pixels."""

    channels: int = 20

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to maps of half the sides less two, whatever `output_shape`."""
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        return _pooled(Conv(self.channels, 5, padding="VALID", kernel_init=KERNEL, bias_init=BIAS)(images))


class CoGANDiscriminator(nn.Module):
    """One more convolution and pooling, a dense layer with a PReLU, and a softmax of two whose logit is the score."""

    channels: int = 50
    features: int = 500  # of the dense layer

    @nn.compact
    def __call__(self, maps: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to one score each, (batch,)."""
        require(min(self.channels, self.features) >= 1, "channels", (self.channels, self.features), "at least 1")
        require(output_shape == (), "output_shape", output_shape, "(), for one score of each example")
        dense = partial(nn.Dense, kernel_init=KERNEL, bias_init=BIAS)
        hidden = _pooled(Conv(self.channels, 5, padding="VALID", kernel_init=KERNEL, bias_init=BIAS)(maps))
        hidden = nn.PReLU(negative_slope_init=0.25)(dense(self.features)(hidden.reshape(maps.shape[0], -1)))
        fake, real = jnp.split(dense(2)(hidden), 2, axis=1)
        return (real - fake)[:, 0]


def _pooled(maps: jax.Array) -> jax.Array:
    return nn.max_pool(maps, (2, 2), (2, 2))
