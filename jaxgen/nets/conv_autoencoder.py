"""Encoder and decoder of strided convolutions for images, each the other's mirror.

Both take the image's size from the call. The encoder halves it with each convolution, the decoder doubles it with each
transposed one. With dense layers between map and code these are the networks of most convolutional autoencoders; with
`bottleneck="map"` they are fully convolutional: the code is the smallest map itself, flattened.
"""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.mode import EVALUATION, Mode
from jaxgen.nets.convolution_layers import Conv, ConvTranspose
from jaxgen.nets.norm import Norm, normalize
from jaxgen.typing import Shape


class ConvEncoder(nn.Module):
    """Convolutions of stride 2, dense layers, and the code."""

    channels: tuple[int, ...] = (32, 64)  # of each map, the largest first
    kernel_size: int = 3
    features: tuple[int, ...] = ()  # width of each dense layer between the smallest map and the code
    bottleneck: Literal["dense", "map"] = "dense"  # map: no dense layer, the code is a map
    negative_slope: float = 0.0  # of the leaky ReLU; 0 is the ReLU
    norm: Norm = "none"  # before each activation of a map
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, images: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, height, width, channels) to (batch, *output_shape), float32 and without output activation."""
        _check(self.channels, self.features, self.bottleneck)
        require(images.ndim == 4, "shape of images", images.shape, "(batch, height, width, channels): else use an MLP")
        dtype, size = jnp.dtype(self.dtype), images.shape[0]
        hidden = images.astype(dtype)
        for width in self.channels:
            hidden = Conv(width, self.kernel_size, strides=2, dtype=dtype)(hidden)
            hidden = normalize(hidden, self.norm, mode)
            hidden = nn.leaky_relu(hidden, self.negative_slope)
        if self.bottleneck == "map":
            depth = _depth(math.prod(output_shape), hidden.shape[1:3])
            outputs = Conv(depth, self.kernel_size, dtype=dtype)(hidden)
        else:
            outputs = _dense(hidden.reshape(size, -1), self.features, self.negative_slope, dtype)
            outputs = nn.Dense(math.prod(output_shape), dtype=dtype)(outputs)
        return outputs.astype(jnp.float32).reshape(size, *output_shape)


class ConvDecoder(nn.Module):
    """Dense layers to the smallest map, then transposed convolutions of stride 2 to the image.

    An activation follows every layer but the last, and with `linear_map` but the one that gives the smallest map.
    """

    channels: tuple[int, ...] = (64, 64, 32)  # of each map, the smallest first
    kernel_size: int = 3
    features: tuple[int, ...] = ()  # width of each dense layer between the code and the smallest map
    output_strides: Literal[1, 2] = 1  # of the layer to the image; 1 if the last map has its size already
    linear_map: bool = False  # no activation after the layer that gives the smallest map
    bottleneck: Literal["dense", "map"] = "dense"  # map: no dense layer, the code is a map
    negative_slope: float = 0.0  # of the leaky ReLU; 0 is the ReLU
    norm: Norm = "none"  # before each activation of a map
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; params are float32

    @nn.compact
    def __call__(self, latents: jax.Array, output_shape: Shape, *, mode: Mode = EVALUATION) -> jax.Array:
        """(batch, latent) to (batch, *output_shape), float32 and without output activation."""
        _check(self.channels, self.features, self.bottleneck)
        sides, image_channels = self._smallest(output_shape), output_shape[-1]
        dtype, size = jnp.dtype(self.dtype), latents.shape[0]
        hidden = latents.astype(dtype).reshape(size, -1)

        def activate(hidden):
            hidden = normalize(hidden, self.norm, mode)
            return nn.leaky_relu(hidden, self.negative_slope)

        first, *others = self.channels
        if self.bottleneck == "map":
            hidden = hidden.reshape(size, *sides, _depth(hidden.shape[1], sides))
            hidden = Conv(first, self.kernel_size, dtype=dtype)(hidden)
        else:
            hidden = _dense(hidden, self.features, self.negative_slope, dtype)
            hidden = nn.Dense(math.prod(sides) * first, dtype=dtype)(hidden).reshape(size, *sides, first)
        hidden = hidden if self.linear_map else activate(hidden)
        for width in others:
            hidden = activate(ConvTranspose(width, self.kernel_size, strides=2, dtype=dtype)(hidden))
        outputs = ConvTranspose(image_channels, self.kernel_size, strides=self.output_strides, dtype=dtype)(hidden)
        return outputs.astype(jnp.float32)

    def _smallest(self, shape: Shape) -> tuple[int, int]:
        """Height and width of the smallest map."""
        require(len(shape) == 3, "image shape", shape, "(height, width, channels): use an MLP for other data")
        factor = 2 ** (len(self.channels) - 1) * self.output_strides
        height, width, _ = shape
        fits = height % factor == width % factor == 0
        require(fits, "image shape", shape, f"of sides that {factor} divides, for {len(self.channels)} maps")
        return height // factor, width // factor


def _dense(inputs: jax.Array, features: tuple[int, ...], negative_slope: float, dtype: jnp.dtype) -> jax.Array:
    """Dense layers with activations, to be called inside a compact module."""
    for width in features:
        inputs = nn.leaky_relu(nn.Dense(width, dtype=dtype)(inputs), negative_slope)
    return inputs


def _depth(size: int, sides: tuple[int, ...]) -> int:
    """Channels of a map of `sides` that holds `size` numbers."""
    pixels = math.prod(sides)
    require(size % pixels == 0, "size of the code", size, f"a multiple of the {pixels} pixels of the smallest map")
    return size // pixels


def _check(channels: tuple[int, ...], features: tuple[int, ...], bottleneck: str) -> None:
    require(len(channels) >= 1, "channels", channels, "one width or more")
    require(min((*channels, *features)) >= 1, "channels and features", (*channels, *features), "positive widths")
    require(bottleneck == "dense" or not features, "features", features, "() where the bottleneck is a map")
