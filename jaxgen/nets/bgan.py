"""Networks of boundary-seeking GAN for MNIST: dense layers next to the latents and the score, 5x5 convolutions beyond.

Hjelm, Jacob, Che, Trischler, Cho, Bengio: Boundary-Seeking Generative Adversarial Networks, 2017, arXiv 1702.08431,
with the authors' code. Layers before a batch norm have no bias.
"""

import functools
import math

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.image_shapes import image_shape
from jaxgen.nets.initializers import Initializer, Normal, to_flax
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Images, Latents, Shape

SLOPE = 0.2
"""Of the leaky ReLU."""


class BGANGenerator(nn.Module):
    """Two dense layers and two transposed convolutions of stride 2, batch norm and ReLU behind all but the last."""

    features: int = 1024  # of the first dense layer
    channels: int = 64  # of the maps of half the size; twice as many at a quarter
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, latents: Latents, output_shape: Shape, *, mode: Mode = EVALUATION) -> Images:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        rows, columns, image_channels = _quartered(output_shape)
        init, smallest = to_flax(self.initializer), (rows, columns, 2 * self.channels)

        def activate(hidden: jax.Array) -> jax.Array:
            return nn.relu(normalize(hidden, "batch", mode))

        dense = functools.partial(nn.Dense, use_bias=False, kernel_init=init)
        double = functools.partial(ConvTranspose, kernel_size=5, strides=2, kernel_init=init)
        hidden = activate(dense(self.features)(latents))
        hidden = activate(dense(math.prod(smallest))(hidden)).reshape(-1, *smallest)
        hidden = activate(double(self.channels, use_bias=False)(hidden))
        return double(image_channels)(hidden)


class BGANDiscriminator(nn.Module):
    """Two convolutions of stride 2 and a dense layer, leaky ReLU behind each, and a score."""

    channels: int = 64  # of the maps of half the size; twice as many at a quarter
    features: int = 1024  # of the dense layer
    norm: Norm = "none"  # before all activations but the first; "batch" in the paper for continuous images
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """Images (batch, height, width, channels) to (batch, *output_shape)."""
        _quartered(images.shape[1:])
        init, bias = to_flax(self.initializer), self.norm == "none"
        halve = functools.partial(Conv, kernel_size=5, strides=2, kernel_init=init)

        def activate(hidden: jax.Array) -> jax.Array:
            return nn.leaky_relu(normalize(hidden, self.norm, mode), SLOPE)

        hidden = nn.leaky_relu(halve(self.channels)(images), SLOPE)
        hidden = activate(halve(2 * self.channels, use_bias=bias)(hidden))
        hidden = hidden.reshape(hidden.shape[0], -1)
        hidden = activate(nn.Dense(self.features, use_bias=bias, kernel_init=init)(hidden))
        scores = nn.Dense(math.prod(output_shape), kernel_init=init)(hidden)
        return scores.reshape(-1, *output_shape)


def _quartered(shape: Shape) -> Shape:
    """A quarter of the sides, and the channels. ValueError unless both divide by 4."""
    height, width, channels = image_shape(shape)
    require(height % 4 == width % 4 == 0, "image shape", shape, "of sides that divide by 4")
    return height // 4, width // 4, channels
