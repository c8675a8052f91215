"""Generator and discriminator for drawings of FIDLE (Formation Introduction au Deep Learning, CNRS and UGA)."""

import flax.linen as nn
import jax

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, UpsampleConv
from jaxgen.nets.dropout import dropout
from jaxgen.nets.image_shapes import dense_outputs, image_shape, quarter
from jaxgen.nets.initializers import GlorotUniform, Initializer, to_flax
from jaxgen.typing import Shape


class FidleGenerator(nn.Module):
    """Dense to a quarter of the size, twice up-sampling and convolution, then a convolution to the image."""

    channels: int = 64  # of the smallest maps; doubled at each up-sampling
    initializer: Initializer = GlorotUniform()  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        rows, columns, image_channels = quarter(output_shape)
        kernel_init = to_flax(self.initializer)
        hidden = nn.Dense(rows * columns * self.channels, kernel_init=kernel_init)(latents)
        hidden = hidden.reshape(-1, rows, columns, self.channels)
        for features in (2 * self.channels, 4 * self.channels):
            hidden = nn.relu(UpsampleConv(features, 3, kernel_init=kernel_init)(hidden))
        return Conv(image_channels, 5, kernel_init=kernel_init)(hidden)


class FidleDiscriminator(nn.Module):
    """Three convolutions of stride 2, dropout, a dense layer."""

    channels: int = 64  # of the first convolution; twice as many in the others
    negative_slope: float = 0.2  # of the leaky ReLU
    dropout: float = 0.2  # rate before the dense layer
    initializer: Initializer = GlorotUniform()  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape)."""
        image_shape(images.shape[1:])
        kernel_init, hidden = to_flax(self.initializer), images
        for features in (self.channels, 2 * self.channels, 2 * self.channels):
            hidden = nn.leaky_relu(Conv(features, 4, 2, kernel_init=kernel_init)(hidden), self.negative_slope)
        hidden = dropout(hidden, self.dropout, mode, 0)
        return dense_outputs(hidden, output_shape, kernel_init)
