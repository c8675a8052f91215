"""Channels to pixels and back: the sub-pixel shuffle.

Shi et al.: Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network,
2016, arXiv 1609.05158, equation 4, in the order of channels of PyTorch: channel c r^2 + i r + j of a place holds
channel c of row i and column j of its r x r pixels.
"""

import jax

from jaxgen.checks import require
from jaxgen.typing import Images


def pixel_shuffle(images: Images, factor: int) -> jax.Array:
    """(batch, height, width, channels r^2) to (batch, r height, r width, channels), r the factor.

    ValueError for channels that are no multiple of r^2.
    """
    batch, height, width, channels = images.shape
    fits = factor >= 1 and channels % factor**2 == 0
    require(fits, "channels", channels, f"a multiple of {factor}^2, of a factor of at least 1")
    parts = images.reshape(batch, height, width, channels // factor**2, factor, factor)
    return parts.transpose(0, 1, 4, 2, 5, 3).reshape(batch, factor * height, factor * width, channels // factor**2)


def pixel_unshuffle(images: Images, factor: int) -> jax.Array:
    """The inverse: (batch, r height, r width, channels) to (batch, height, width, channels r^2).

    ValueError for sides that are no multiples of r.
    """
    batch, height, width, channels = images.shape
    fits = factor >= 1 and height % factor == width % factor == 0
    require(fits, "size of the images", f"{height}x{width}", f"a multiple of {factor}x{factor}")
    parts = images.reshape(batch, height // factor, factor, width // factor, factor, channels)
    shape = batch, height // factor, width // factor, channels * factor**2
    return parts.transpose(0, 1, 3, 5, 2, 4).reshape(shape)


def doublings(inputs: Images, output_shape: tuple[int, ...]) -> int:
    """How often images double on the way to an output shape.

    ValueError unless both sides are so many times as large, and that is a power of 2.
    """
    height, width = inputs.shape[1:3]
    factor = output_shape[0] // height
    fits = output_shape[:2] == (factor * height, factor * width) and factor >= 1 and factor.bit_count() == 1
    require(fits, "output_shape", output_shape, f"1, 2, 4, ... times as high and wide as {height}x{width}")
    return factor.bit_length() - 1
