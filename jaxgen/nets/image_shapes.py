"""Between flat vectors and images: shapes checked, the dense layer at the end of a convolutional network."""

import math

import flax.linen as nn
import jax
from flax.typing import Initializer as Function

from jaxgen.checks import require
from jaxgen.typing import Shape


def image_shape(shape: Shape) -> tuple[int, int, int]:
    """Height, width and channels. ValueError unless there are three.

    >>> image_shape((28, 28, 1))
    (28, 28, 1)
    """
    if len(shape) != 3:
        raise ValueError(f"image shape is {shape}, but must be (height, width, channels): use an MLP for other data")
    height, width, channels = shape
    return height, width, channels


def quarter(shape: Shape) -> tuple[int, int, int]:
    """A quarter of height and of width, and the channels. ValueError unless both sides are multiples of 4.

    >>> quarter((28, 28, 1))
    (7, 7, 1)
    """
    height, width, channels = image_shape(shape)
    require(height % 4 == width % 4 == 0, "size of images", f"{height}x{width}", "a multiple of 4x4")
    return height // 4, width // 4, channels


def halved(shape: Shape, num: int) -> tuple[int, int, int]:
    """Height and width of the map that doubles `num` times to the image, and the image's channels.

    ValueError for sides that do not divide.

    >>> halved((32, 64, 3), 3)
    (4, 8, 3)
    """
    height, width, channels = image_shape(shape)
    fits = height % (1 << num) == width % (1 << num) == 0
    require(fits, "image shape", shape, f"of sides that halve {num} times: give another number of channels")
    return height >> num, width >> num, channels


def dense_outputs(hidden: jax.Array, output_shape: Shape, kernel_init: Function) -> jax.Array:
    """One dense layer from all of `hidden` to (batch, *output_shape), to be called inside a compact module."""
    outputs = nn.Dense(math.prod(output_shape), kernel_init=kernel_init)(hidden.reshape(hidden.shape[0], -1))
    return outputs.reshape(hidden.shape[0], *output_shape)
