"""Networks of LAPGAN: dense layers for the coarsest image, few convolutions for what each finer level adds.

Denton, Chintala, Szlam, Fergus: Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks, 2015,
arXiv 1506.05751, section 4.1.
"""

import flax.linen as nn
import jax

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv
from jaxgen.nets.dropout import dropout
from jaxgen.nets.image_shapes import image_shape
from jaxgen.nets.maxout import dense_outputs
from jaxgen.typing import Images, Shape


class DropoutMLP(nn.Module):
    """Dense layers with ReLU, and dropout behind each of them: the discriminator of the coarsest image."""

    features: tuple[int, ...] = (600, 600)  # width of each hidden layer
    rate: float = 0.5  # of dropout

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, ...) to (batch, *output_shape), without output activation."""
        require(min(self.features, default=1) >= 1, "features", self.features, "positive widths")
        hidden = images.reshape(images.shape[0], -1)
        for layer, width in enumerate(self.features):
            hidden = dropout(nn.relu(nn.Dense(width)(hidden)), self.rate, mode, layer)
        return dense_outputs(hidden, output_shape, nn.initializers.lecun_normal())


class BandGenerator(nn.Module):
    """Convolutions at the size of the image, of a low-pass image and a plane of noise: to what the image has more."""

    channels: int = 64
    layers: int = 2  # hidden ones
    kernel_size: int = 7

    @nn.compact
    def __call__(self, inputs: Images, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels + 1) to (batch, *output_shape), without output activation."""
        _, _, image_channels = image_shape(output_shape)
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        require(self.layers >= 0, "layers", self.layers, "at least 0")
        hidden = inputs
        for _ in range(self.layers):
            hidden = nn.relu(Conv(self.channels, self.kernel_size)(hidden))
        return Conv(image_channels, self.kernel_size)(hidden)


class BandDiscriminator(nn.Module):
    """Two convolutions, the second of stride 2, dropout, and a dense layer."""

    channels: int = 64
    kernel_size: int = 5
    rate: float = 0.5  # of dropout before the dense layer

    @nn.compact
    def __call__(self, images: Images, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), without output activation."""
        require(self.channels >= 1, "channels", self.channels, "at least 1")
        hidden = nn.relu(Conv(self.channels, self.kernel_size)(images))
        hidden = nn.relu(Conv(self.channels, self.kernel_size, strides=2)(hidden))
        hidden = dropout(hidden.reshape(images.shape[0], -1), self.rate, mode, 0)
        return dense_outputs(hidden, output_shape, nn.initializers.lecun_normal())
