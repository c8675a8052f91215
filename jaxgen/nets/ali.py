"""Networks of adversarially learned inference for images of 32x32 pixels.

Dumoulin, Belghazi, Poole, Mastropietro, Lamb, Arjovsky, Courville: Adversarially Learned Inference, 2016, arXiv
1606.00704, table 3 (CIFAR-10). No convolution is padded: the sides of the maps are 32, 28, 13, 10, 4 and 1.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.dropout import dropout
from jaxgen.nets.image_shapes import dense_outputs, image_shape
from jaxgen.nets.initializers import Initializer, Normal, to_flax
from jaxgen.nets.maxout import largest_piece
from jaxgen.nets.norm import normalize
from jaxgen.typing import Shape

SIDE = 32
"""Of the images."""

LAYERS = ((5, 1), (4, 2), (4, 1), (4, 2), (4, 1))
"""Kernel size and stride of each convolution, from the image to one pixel."""


class ALIEncoder(nn.Module):
    """Five convolutions to one pixel and a dense layer, each with batch norm and a leaky ReLU, then the outputs."""

    channels: int = 32  # of the first map; up to 16 times as many at the end
    negative_slope: float = 0.1  # of the leaky ReLU
    initializer: Initializer = Normal(0.01)  # of the weights

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, 32, 32, channels) to (batch, *output_shape), without output activation."""
        _check(images.shape[1:], self.channels)
        kernel_init = to_flax(self.initializer)

        def activate(hidden):
            return nn.leaky_relu(normalize(hidden, "batch", mode), self.negative_slope)

        hidden, widths = images, _widths(self.channels)
        for width, (kernel_size, strides) in zip(widths, LAYERS, strict=True):
            layer = Conv(width, kernel_size, strides, "VALID", use_bias=False, kernel_init=kernel_init)
            hidden = activate(layer(hidden))
        hidden = hidden.reshape(images.shape[0], widths[-1])
        hidden = activate(nn.Dense(widths[-1], use_bias=False, kernel_init=kernel_init)(hidden))
        return dense_outputs(hidden, output_shape, kernel_init)


class ALIGenerator(nn.Module):
    """Five transposed convolutions from one pixel to the image's size, then two layers of one pixel each.

    Each pixel and channel of the image has a bias of its own.
    """

    channels: int = 32  # of the last map; up to 8 times as many at the beginning
    negative_slope: float = 0.1  # of the leaky ReLU
    initializer: Initializer = Normal(0.01)  # of the weights

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, 32, 32, channels), without output activation."""
        _check(output_shape, self.channels)
        kernel_init = to_flax(self.initializer)

        def activate(hidden):
            return nn.leaky_relu(normalize(hidden, "batch", mode), self.negative_slope)

        hidden = latents.reshape(latents.shape[0], 1, 1, -1)
        widths = *reversed(_widths(self.channels)[:-1]), self.channels
        for width, (kernel_size, strides) in zip(widths, reversed(LAYERS), strict=True):
            layer = ConvTranspose(width, kernel_size, strides, "VALID", use_bias=False, kernel_init=kernel_init)
            hidden = activate(layer(hidden))
        pixelwise = partial(Conv, kernel_size=1, use_bias=False, kernel_init=kernel_init)
        hidden = activate(pixelwise(self.channels)(hidden))
        bias = self.param("bias", nn.initializers.zeros, output_shape, jnp.float32)
        return pixelwise(output_shape[-1])(hidden) + bias[None]


class ALIDiscriminator(nn.Module):
    """Maxout layers of two pieces: five convolutions of the image, two layers of the latents, two of both.

    Dropout stands before each layer; there is no normalisation.
    """

    channels: int = 32  # of the first map, before its largest pieces are taken; up to 16 times as many at the end
    latent_features: int = 512  # of both layers of the latents, as the channels
    features: int = 1024  # of both layers of all, as the channels
    input_dropout: float = 0.2  # rate on images and latents
    hidden_dropout: float = 0.5  # rate on what lies between two layers
    initializer: Initializer = Normal(0.01)  # of the weights; biases begin at 0

    @nn.compact
    def __call__(
        self, images: jax.Array, latents: jax.Array, output_shape: Shape = (), *, mode: Mode = EVALUATION
    ) -> jax.Array:
        """(batch, 32, 32, channels) and (batch, latent) to (batch, *output_shape); one score each with `()`."""
        _check(images.shape[1:], self.channels)
        even = self.channels % 2 == self.latent_features % 2 == self.features % 2 == 0
        sizes = self.channels, self.latent_features, self.features
        require(even, "channels, latent_features and features", sizes, "even, for pieces of two")
        kernel_init, passed = to_flax(self.initializer), 0

        def dropped(hidden, rate):
            nonlocal passed
            passed += 1
            return dropout(hidden, rate, mode, passed - 1)

        def dense(hidden, width, rate):
            return largest_piece(nn.Dense(width, kernel_init=kernel_init)(dropped(hidden, rate)), 2)

        of_images = images
        for layer, (width, (kernel_size, strides)) in enumerate(zip(_widths(self.channels), LAYERS, strict=True)):
            of_images = dropped(of_images, self.hidden_dropout if layer else self.input_dropout)
            convolution = Conv(width, kernel_size, strides, "VALID", kernel_init=kernel_init)
            of_images = largest_piece(convolution(of_images), 2)
        of_latents = dense(latents, self.latent_features, self.input_dropout)
        of_latents = dense(of_latents, self.latent_features, self.hidden_dropout)
        hidden = jnp.concatenate([of_images.reshape(images.shape[0], -1), of_latents], axis=1)
        for _ in range(2):
            hidden = dense(hidden, self.features, self.hidden_dropout)
        return dense_outputs(dropped(hidden, self.hidden_dropout), output_shape, kernel_init)


def _widths(channels: int) -> list[int]:
    """Channels of the maps of 28, 13, 10, 4 pixels and one."""
    return [channels << level for level in range(len(LAYERS))]


def _check(shape: Shape, channels: int) -> None:
    height, width, _ = image_shape(shape)
    require((height, width) == (SIDE, SIDE), "image shape", shape, "of 32x32 pixels: give --images.size 32")
    require(channels >= 1, "channels", channels, "at least 1")
