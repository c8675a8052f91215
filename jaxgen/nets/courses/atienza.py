"""Generator and discriminator for MNIST in Atienza: Advanced Deep Learning with Keras, 2018, chapter 4."""

import flax.linen as nn
import jax

from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.image_shapes import dense_outputs, image_shape, quarter
from jaxgen.nets.initializers import GlorotUniform, Initializer, to_flax
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Shape


class AtienzaGenerator(nn.Module):
    """Dense to a quarter of the size, then transposed convolutions of strides 2, 2, 1 and 1, a ReLU before each."""

    channels: int = 32  # of the last hidden maps; four times as many at the quarter of the size
    kernel_size: int = 5
    norm: Norm = "batch"  # before each ReLU
    initializer: Initializer = GlorotUniform()  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        rows, columns, image_channels = quarter(output_shape)
        kernel_init, c = to_flax(self.initializer), self.channels
        hidden = nn.Dense(rows * columns * 4 * c, kernel_init=kernel_init)(latents)
        hidden = hidden.reshape(-1, rows, columns, 4 * c)
        for features, stride in ((4 * c, 2), (2 * c, 2), (c, 1), (image_channels, 1)):
            hidden = nn.relu(normalize(hidden, self.norm, mode))
            hidden = ConvTranspose(features, self.kernel_size, stride, kernel_init=kernel_init)(hidden)
        return hidden


class AtienzaDiscriminator(nn.Module):
    """Convolutions of strides 2, 2, 2 and 1, a leaky ReLU before each, the images' own included; then a dense layer."""

    channels: int = 32  # of the first convolution; doubled at each further one
    kernel_size: int = 5
    last_stride: int = 1  # of the last convolution
    negative_slope: float = 0.2  # of the leaky ReLU
    norm: Norm = "none"  # before each activation but the first
    initializer: Initializer = GlorotUniform()  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape)."""
        image_shape(images.shape[1:])
        kernel_init, hidden = to_flax(self.initializer), images
        for level, stride in enumerate((2, 2, 2, self.last_stride)):
            hidden = hidden if level == 0 else normalize(hidden, self.norm, mode)
            hidden = nn.leaky_relu(hidden, self.negative_slope)
            hidden = Conv(self.channels << level, self.kernel_size, stride, kernel_init=kernel_init)(hidden)
        return dense_outputs(hidden, output_shape, kernel_init)
