"""Generator and critic of a Wasserstein GAN in Lanham: Hands-On Deep Learning for Games, 2019."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.dropout import dropout
from jaxgen.nets.image_shapes import dense_outputs, image_shape, quarter
from jaxgen.nets.initializers import GlorotUniform, Initializer, to_flax
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Shape


class LanhamGenerator(nn.Module):
    """Dense to a quarter of the size, a ReLU, twice up-sampling and convolution, then a convolution to the image."""

    channels: int = 64  # of the last hidden maps; twice as many before
    kernel_size: int = 4
    norm: Norm = "batch"  # before each ReLU but the first
    initializer: Initializer = GlorotUniform()  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        rows, columns, image_channels = quarter(output_shape)
        kernel_init, widest = to_flax(self.initializer), 2 * self.channels
        hidden = nn.relu(nn.Dense(rows * columns * widest, kernel_init=kernel_init)(latents))
        hidden = hidden.reshape(-1, rows, columns, widest)
        for features in (widest, self.channels):
            hidden = UpsampleConv(features, self.kernel_size, kernel_init=kernel_init)(hidden)
            hidden = nn.relu(normalize(hidden, self.norm, mode))
        return Conv(image_channels, self.kernel_size, kernel_init=kernel_init)(hidden)


class LanhamCritic(nn.Module):
    """Convolutions of strides 2, 2, 2 and 1, each of twice the channels, with dropout; then a dense layer.

    After the second convolution a row and a column of zeros are added below and on the right, as in the book.
    """

    channels: int = 16  # of the first convolution; doubled at each further one
    negative_slope: float = 0.2  # of the leaky ReLU
    norm: Norm = "batch"  # before each activation but the first
    dropout: float = 0.25  # rate after each activation
    initializer: Initializer = GlorotUniform()  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape)."""
        image_shape(images.shape[1:])
        kernel_init, hidden = to_flax(self.initializer), images
        for level, stride in enumerate((2, 2, 2, 1)):
            hidden = Conv(self.channels << level, 3, stride, kernel_init=kernel_init)(hidden)
            if level == 1:
                hidden = jnp.pad(hidden, ((0, 0), (0, 1), (0, 1), (0, 0)))
            hidden = hidden if level == 0 else normalize(hidden, self.norm, mode)
            hidden = dropout(nn.leaky_relu(hidden, self.negative_slope), self.dropout, mode, level)
        return dense_outputs(hidden, output_shape, kernel_init)
