"""Networks of ClusterGAN for images whose sides divide by 4.

Mukherjee, Asnani, Lin, Kannan: ClusterGAN: Latent Space Clustering in Generative Adversarial Networks, 2018, arXiv
1809.03627, and the authors' code for MNIST.
"""

import math
from functools import partial

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.image_shapes import dense_outputs, quarter
from jaxgen.nets.initializers import Initializer, Normal, to_flax
from jaxgen.nets.norm import offset_batch_norm
from jaxgen.typing import Shape


class ClusterGANGenerator(nn.Module):
    """Two dense layers and two transposed convolutions; batch norm without a scale and ReLU behind all but the last."""

    features: int = 1024  # of the first dense layer
    channels: int = 64  # of the map of half the size; twice as many at a quarter
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        height, width, image_channels = quarter(output_shape)
        _check(self.features, self.channels)
        init, smallest = to_flax(self.initializer), (height, width, 2 * self.channels)
        dense = partial(nn.Dense, kernel_init=init)
        upsample = partial(ConvTranspose, kernel_size=4, strides=2, kernel_init=init)

        def activate(hidden):
            return nn.relu(offset_batch_norm(hidden, mode))

        hidden = activate(dense(self.features)(latents))
        hidden = activate(dense(math.prod(smallest))(hidden).reshape(latents.shape[0], *smallest))
        return upsample(image_channels)(activate(upsample(self.channels)(hidden)))


class ClusterGANEncoder(nn.Module):
    """Two strided convolutions and a dense layer with leaky ReLUs, then the outputs: encoder and critic alike."""

    channels: int = 64  # of the map of half the size; twice as many at a quarter
    features: int = 1024  # of the dense layer
    negative_slope: float = 0.2  # of the leaky ReLU
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape); one score each with `()`."""
        quarter(images.shape[1:])
        _check(self.features, self.channels)
        init, hidden = to_flax(self.initializer), images
        for channels in (self.channels, 2 * self.channels):
            hidden = Conv(channels, 4, 2, kernel_init=init)(hidden)
            hidden = nn.leaky_relu(hidden, self.negative_slope)
        hidden = nn.Dense(self.features, kernel_init=init)(hidden.reshape(images.shape[0], -1))
        return dense_outputs(nn.leaky_relu(hidden, self.negative_slope), output_shape, init)


def _check(features: int, channels: int) -> None:
    require(features >= 1, "features", features, "at least 1")
    require(channels >= 1, "channels", channels, "at least 1")
