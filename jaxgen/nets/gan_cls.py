"""Generator and discriminator that are given the embedding of a text: GAN-CLS, and StackGAN's first discriminator.

Reed, Akata, Yan, Logeswaran, Schiele, Lee: Generative Adversarial Text to Image Synthesis, 2016, arXiv 1605.05396, with
the authors' code: convolutions have no bias, and the discriminator's last but one halving no activation. For images of
64x64 the defaults are theirs; each halving fewer leaves out the widest maps.
"""

import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.image_shapes import image_shape
from jaxgen.nets.initializers import Initializer, Normal, to_flax
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Embeddings, Images, Latents, Shape

SMALLEST = 4
"""Side of the smallest maps."""

SLOPE = 0.2
"""Of the leaky ReLU."""


def doublings(shape: Shape) -> tuple[int, int, int]:
    """Height and width of the smallest maps, the longer of them 4, and how often they are doubled to images of a shape.

    ValueError unless it is twice or more, and both sides divide.

    >>> doublings((64, 48, 3))
    (4, 3, 4)
    """
    height, width, _ = image_shape(shape)
    num = (max(height, width) // SMALLEST).bit_length() - 1
    longest = max(height, width) == SMALLEST << num
    fits = num >= 2 and longest and height % (1 << num) == width % (1 << num) == 0
    require(
        fits, "image shape", shape, "16, 32, 64, ... pixels on its longer side, the other one 1 to 4 quarters of that"
    )
    return height >> num, width >> num, num


class Bottleneck(nn.Module):
    """x + conv1 of a quarter of the channels, conv3 of as many, conv3 of all, each normalised, ReLU between them."""

    norm: Norm = "batch"
    initializer: Initializer = Normal(0.02)

    @nn.compact
    def __call__(self, maps: jax.Array, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to the same, without activation. ValueError for fewer than 4 channels."""
        channels = maps.shape[-1]
        require(channels >= 4, "channels of maps", channels, "at least 4 for a bottleneck")
        hidden = maps
        for number, (features, side) in enumerate(((channels // 4, 1), (channels // 4, 3), (channels, 3))):
            hidden = nn.relu(hidden) if number else hidden
            hidden = Conv(features, side, use_bias=False, kernel_init=to_flax(self.initializer))(hidden)
            hidden = normalize(hidden, self.norm, mode)
        return maps + hidden


class TextGenerator(nn.Module):
    """Latents and a text's code to 4x4, then transposed convolutions of stride 2, with a bottleneck at 4x4 and 8x8."""

    channels: int = 128  # of the largest hidden maps; doubled at each halving
    text: int = 256  # numbers of a text's code, a dense layer of its embedding; 128 in the paper
    norm: Norm = "batch"
    initializer: Initializer = Normal(0.02)  # of the weights

    @nn.compact
    def __call__(
        self, latents: Latents, embeddings: Embeddings, output_shape: Shape, *, mode: Mode = EVALUATION
    ) -> Images:
        """Latents (batch, latent) and embeddings (batch, features) to (batch, *output_shape), no output activation."""
        (rows, columns, num), kernel_init = doublings(output_shape), to_flax(self.initializer)
        convolve = functools.partial(ConvTranspose, kernel_size=4, use_bias=False, kernel_init=kernel_init)
        code = nn.leaky_relu(nn.Dense(self.text, kernel_init=kernel_init, name="text")(embeddings), SLOPE)
        given = jnp.concatenate([latents, code], axis=1)
        shape = (rows, columns, self.channels << (num - 1))
        hidden = nn.Dense(math.prod(shape), use_bias=False, kernel_init=kernel_init, name="first")(given)
        hidden = normalize(hidden.reshape(-1, *shape), self.norm, mode)
        for level in range(num):
            if level < 2:
                hidden = Bottleneck(self.norm, self.initializer, name=f"bottleneck_{level}")(hidden, mode)
            hidden = nn.relu(hidden)
            if level == num - 1:
                return convolve(output_shape[-1])(hidden)
            hidden = normalize(convolve(self.channels << (num - 2 - level))(hidden), self.norm, mode)
        raise AssertionError("the last level has returned")


class TextDiscriminator(nn.Module):
    """Convolutions of stride 2 to 4x4, a bottleneck, the text's code at each place, and a score of all of it."""

    channels: int = 64  # of the first convolution; doubled at each further one
    text: int = 256  # numbers of a text's code, a dense layer of its embedding; 128 in the paper
    norm: Norm = "batch"
    initializer: Initializer = Normal(0.02)  # of the weights

    @nn.compact
    def __call__(
        self, images: Images, embeddings: Embeddings, output_shape: Shape = (), *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """Images (batch, height, width, channels) and embeddings (batch, features) to (batch, *output_shape)."""
        (_, _, num), kernel_init = doublings(images.shape[1:]), to_flax(self.initializer)
        hidden = images
        for level in range(num):
            hidden = Conv(self.channels << level, 4, 2, use_bias=False, kernel_init=kernel_init)(hidden)
            hidden = normalize(hidden, self.norm, mode) if level else hidden
            hidden = hidden if level >= num - 2 and level else nn.leaky_relu(hidden, SLOPE)
        return TextScore(self.text, self.norm, self.initializer)(hidden, embeddings, output_shape, mode)


class TextScore(nn.Module):
    """From the smallest maps and a text to a score: a bottleneck, the text's code at each place, a dense layer."""

    text: int = 256  # numbers of a text's code
    norm: Norm = "batch"
    initializer: Initializer = Normal(0.02)  # of the weights

    @nn.compact
    def __call__(
        self, maps: jax.Array, embeddings: Embeddings, output_shape: Shape, mode: Mode = EVALUATION
    ) -> jax.Array:
        """Maps (batch, rows, columns, channels) without activation and embeddings to (batch, *output_shape)."""
        kernel_init = to_flax(self.initializer)
        hidden = nn.leaky_relu(Bottleneck(self.norm, self.initializer)(maps, mode), SLOPE)
        code = nn.leaky_relu(nn.Dense(self.text, kernel_init=kernel_init, name="text")(embeddings), SLOPE)
        hidden = beside(hidden, code)
        hidden = Conv(maps.shape[-1], 1, use_bias=False, kernel_init=kernel_init)(hidden)
        hidden = nn.leaky_relu(normalize(hidden, self.norm, mode), SLOPE)
        last = nn.Dense(math.prod(output_shape), use_bias=False, kernel_init=kernel_init, name="last")
        return last(hidden.reshape(hidden.shape[0], -1)).reshape(-1, *output_shape)


def beside(maps: jax.Array, code: jax.Array) -> jax.Array:
    """The channels of (batch, height, width, channels), and at each place the vector of the example's code."""
    return jnp.concatenate([maps, jnp.broadcast_to(code[:, None, None], (*maps.shape[:3], code.shape[1]))], axis=-1)
