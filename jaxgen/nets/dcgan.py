"""Deep convolutional generator and discriminator for images of any size.

Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks,
2015, arXiv 1511.06434. Without normalisation they are also the networks of WGAN-GP's code for MNIST and CIFAR-10
(arXiv 1704.00028).

The paper asks for batch normalisation in both networks except the generator's output and the discriminator's input, for
ReLU in the generator and leaky ReLU in the discriminator, and for no hidden dense layer: the projection of the latents
and the last logit are dense.
"""

import functools
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

SMALLEST = 4
"""Side of the smallest feature maps."""


def pyramid(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of the feature maps, halved and rounded up while the longer side is above 4.

    >>> pyramid(28, 28)
    [(28, 28), (14, 14), (7, 7), (4, 4)]
    """
    sizes = [(height, width)]
    while max(sizes[-1]) > SMALLEST:
        rows, columns = sizes[-1]
        sizes.append((math.ceil(rows / 2), math.ceil(columns / 2)))
    return sizes


class DCGANGenerator(nn.Module):
    """Dense to the smallest maps, then transposed convolutions of stride 2, each of half the channels.

    Where a side is odd the last row or column is cut off: 4 -> 8 -> 7 -> 14 -> 28.
    """

    channels: int = 128  # of the largest hidden maps; doubled at each halving
    kernel_size: int = 5
    norm: Norm = "batch"  # before each ReLU
    norm_units: bool = False  # normalise each unit of the dense layer, not each channel of its maps
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), without output activation."""
        height, width, image_channels = image_shape(output_shape)
        sizes = pyramid(height, width)[::-1]
        require(len(sizes) > 1, "size of images", f"{height}x{width}", f"larger than {SMALLEST}x{SMALLEST}")
        kernel_init = to_flax(self.initializer)
        norm = functools.partial(normalize, norm=self.norm, mode=mode)
        widest = self.channels << (len(sizes) - 2)
        smallest = (*sizes[0], widest)
        hidden = nn.Dense(math.prod(smallest), kernel_init=kernel_init)(latents)
        if self.norm_units:
            hidden = norm(hidden).reshape(-1, *smallest)
        else:
            hidden = norm(hidden.reshape(-1, *smallest))
        for level, (rows, columns) in enumerate(sizes[1:], 1):
            last = level == len(sizes) - 1
            features = image_channels if last else widest >> level
            hidden = ConvTranspose(features, self.kernel_size, kernel_init=kernel_init)(nn.relu(hidden))
            hidden = hidden[:, :rows, :columns]
            hidden = hidden if last else norm(hidden)
        return hidden


class DCGANDiscriminator(nn.Module):
    """Convolutions of stride 2, each of twice the channels, then a dense layer."""

    channels: int = 128  # of the first convolution; doubled at each further one
    kernel_size: int = 5
    negative_slope: float = 0.2  # of the leaky ReLU
    norm: Norm = "batch"  # before each activation but the first
    initializer: Initializer = Normal(0.02)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape)."""
        height, width, _ = image_shape(images.shape[1:])
        kernel_init, hidden = to_flax(self.initializer), images
        for level in range(len(pyramid(height, width)) - 1):
            hidden = Conv(self.channels << level, self.kernel_size, 2, kernel_init=kernel_init)(hidden)
            hidden = hidden if level == 0 else normalize(hidden, self.norm, mode)
            hidden = nn.leaky_relu(hidden, self.negative_slope)
        return dense_outputs(hidden, output_shape, kernel_init)
