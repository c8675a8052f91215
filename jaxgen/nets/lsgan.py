"""Convolutional networks of LSGAN.

Mao, Li, Xie, Lau, Wang, Smolley: Least Squares Generative Adversarial Networks, 2016, arXiv 1611.04076.
"""

import math

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.image_shapes import dense_outputs, image_shape
from jaxgen.nets.initializers import Initializer, Normal, to_flax
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Shape


class LSGANGenerator(nn.Module):
    """Dense, then transposed 3x3 convolutions of strides 2 and 1, normalised, then a convolution to the image.

    The default is the paper's network for images of 112x112.
    """

    features: tuple[int, ...] = (256, 256, 256, 256, 256, 128, 64)  # of the dense layer's maps, then of each layer
    strides: tuple[int, ...] = (2, 1, 2, 1, 2, 2)  # of each layer
    norm: Norm = "batch"  # before each ReLU
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        height, width, image_channels = image_shape(output_shape)
        require(len(self.features) == len(self.strides) + 1, "features", self.features, "one more than strides")
        factor = math.prod(self.strides)
        require(height % factor == width % factor == 0, "image size", (height, width), f"a multiple of {factor}")
        kernel_init = to_flax(self.initializer)

        def activate(hidden):
            return nn.relu(normalize(hidden, self.norm, mode))

        smallest = (height // factor, width // factor, self.features[0])
        hidden = nn.Dense(math.prod(smallest), kernel_init=kernel_init)(latents)
        hidden = activate(hidden.reshape(-1, *smallest))
        for features, stride in zip(self.features[1:], self.strides, strict=True):
            hidden = activate(ConvTranspose(features, 3, stride, kernel_init=kernel_init)(hidden))
        return ConvTranspose(image_channels, 3, 1, kernel_init=kernel_init)(hidden)


class LSGANDiscriminator(nn.Module):
    """5x5 convolutions of stride 2, each of twice the channels, then a dense layer."""

    channels: int = 64  # of the first convolution; doubled at each further one
    layers: int = 4
    negative_slope: float = 0.2  # of the leaky ReLU
    norm: Norm = "batch"  # before each activation but the first
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape)."""
        image_shape(images.shape[1:])
        kernel_init, hidden = to_flax(self.initializer), images
        for level in range(self.layers):
            hidden = Conv(self.channels << level, 5, 2, kernel_init=kernel_init)(hidden)
            hidden = hidden if level == 0 else normalize(hidden, self.norm, mode)
            hidden = nn.leaky_relu(hidden, self.negative_slope)
        return dense_outputs(hidden, output_shape, kernel_init)
