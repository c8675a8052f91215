"""Affine maps of images: flips, turns, shifts and scales as matrices, and images moved by them.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks with Limited Data, 2020,
arXiv 2006.06676, appendix B.

A map is a matrix (3, 3) of homogeneous coordinates (x, y, 1) in pixels: x to the right, y down, 0 in the middle of the
image. Images are moved by the inverse map, from a place in the output to the place in the input that is seen there. The
image that results from T_1, then T_2, has the inverse T_1^-1 T_2^-1.

What lies outside of an image is its reflection, without repeating the pixels of the border: at the place i of N it
shows the pixel that it shows at i + 2 (N - 1) too. The authors pad by the largest margin that any image of the batch
needs, at most N - 1, with zeros beyond. Here one period stands for all, and an image does not depend on the others.
"""

import functools
import math
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxgen.checks import require
from jaxgen.typing import Images, Scalar

Map: TypeAlias = Float[Array, "3 3"]
Maps: TypeAlias = Float[Array, "batch 3 3"]

Coordinates: TypeAlias = tuple[Float[Array, "batch height width"], Float[Array, "batch height width"]]
"""The row and the column in the input that each place of the output shows, counted from 0."""

Sampled: TypeAlias = Float[Array, "batch rows columns channels"]
"""Images of other sides than they had."""

SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.491055941926747,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
"""Taps of the low-pass filter of the wavelet sym6: nearly symmetric about tap 5, of sum sqrt(2) and energy 1."""

MIDDLE = 5
"""The tap that a pixel itself is seen through."""


def scaling(x: Scalar, y: Scalar) -> Map:
    """(x, y) times factors.

    >>> (scaling(jnp.float32(2.0), jnp.float32(-1.0)) @ jnp.array([3.0, 1.0, 1.0])).tolist()
    [6.0, -1.0, 1.0]
    """
    return _matrix(((x, 0.0, 0.0), (0.0, y, 0.0)))


def rotation(angle: Scalar) -> Map:
    """A turn by radians, from the axis of x to that of y."""
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return _matrix(((cosine, -sine, 0.0), (sine, cosine, 0.0)))


def quarter_turns(num: Int[Array, ""]) -> Map:
    """`rotation` by right angles, without rounding.

    >>> (quarter_turns(jnp.int32(1)) @ jnp.array([3.0, 1.0, 1.0])).tolist()
    [-1.0, 3.0, 1.0]
    """
    return jnp.round(rotation(num.astype(jnp.float32) * jnp.float32(math.pi / 2)))


def translation(x: Scalar, y: Scalar) -> Map:
    """(x, y) plus pixels."""
    return _matrix(((1.0, 0.0, x), (0.0, 1.0, y)))


def move_pixels(images: Images, inverse: Maps) -> Images:
    """Each image moved by a map from pixels to pixels: whole turns, flips and shifts, without any rounding.

    A place that is mapped between pixels shows the nearest.
    """
    _, height, width, _ = images.shape
    _require_sides(height, width)
    rows, columns = _seen(inverse, (height, width), np.arange(height), np.arange(width))
    flat = _nearest(rows, height) * width + _nearest(columns, width)
    return _gather(images, flat)


def resample(images: Images, inverse: Maps) -> Images:
    """Each image moved by any map: twice the size, sampled between four neighbours, and back to its size.

    Both changes of size filter by sym6. They are inverse to each other, so that the identity changes nothing but
    rounding; an exact flip is better made by `move_pixels`.
    """
    _, height, width, _ = images.shape
    _require_sides(height, width)
    doubled = _along_sides(images.astype(jnp.float32), _doubling(height), _doubling(width))
    places = [np.arange(-MIDDLE, 2 * size + MIDDLE) / 2 for size in (height, width)]
    sampled = _bilinear(doubled, *(2.0 * each for each in _seen(inverse, (height, width), *places)))
    return _along_sides(sampled, _halving(height), _halving(width)).astype(images.dtype)


def reflect(places: Any, size: int) -> Any:
    """The pixel 0, ..., size - 1 that each place shows, of whole numbers in an array of NumPy or of JAX.

    >>> reflect(np.arange(-2, 6), 4).tolist()
    [2, 1, 0, 1, 2, 3, 2, 1]
    """
    return (size - 1) - abs(places % (2 * (size - 1)) - (size - 1))


def _matrix(rows: tuple[tuple[Scalar | float, ...], ...]) -> Map:
    full = (*rows, (0.0, 0.0, 1.0))
    return jnp.stack([jnp.stack([jnp.asarray(value, jnp.float32) for value in row]) for row in full])


def _seen(inverse: Maps, size: tuple[int, int], rows: np.ndarray, columns: np.ndarray) -> Coordinates:
    """Where in the input each of these rows and columns of the output comes from."""
    middle = [(each - 1) / 2 for each in size]
    y = jnp.asarray(rows - middle[0], jnp.float32)[None, :, None]
    x = jnp.asarray(columns - middle[1], jnp.float32)[None, None, :]
    entry = inverse.astype(jnp.float32)[:, :, :, None, None]
    seen_y = entry[:, 1, 0] * x + entry[:, 1, 1] * y + entry[:, 1, 2]
    seen_x = entry[:, 0, 0] * x + entry[:, 0, 1] * y + entry[:, 0, 2]
    return seen_y + middle[0], seen_x + middle[1]


def _nearest(places: Array, size: int) -> Array:
    return reflect(jnp.floor(places + 0.5).astype(jnp.int32), size)


def _bilinear(images: Images, rows: Array, columns: Array) -> Sampled:
    """Periodic images between pixels, linear in rows and in columns."""
    height, width = images.shape[1:3]
    top, left = jnp.floor(rows), jnp.floor(columns)
    below, right = (rows - top)[..., None], (columns - left)[..., None]
    row, column = top.astype(jnp.int32), left.astype(jnp.int32)

    def corner(down: int, aside: int) -> Array:
        return _gather(images, (row + down) % height * width + (column + aside) % width)

    def between(down: int) -> Array:
        return (1.0 - right) * corner(down, 0) + right * corner(down, 1)

    return (1.0 - below) * between(0) + below * between(1)


def _gather(images: Images, flat: Array) -> Sampled:
    """The pixels of each image at places that are counted row by row."""

    def one(image: Array, places: Array) -> Array:
        return image.reshape(-1, image.shape[-1]).at[places].get(mode="promise_in_bounds")

    return jax.vmap(one)(images, flat)


def _along_sides(images: Images, rows: np.ndarray, columns: np.ndarray) -> Sampled:
    """A matrix along the rows of images, and one along their columns."""
    highest = jax.lax.Precision.HIGHEST
    tall = jnp.einsum("oh,bhwc->bowc", jnp.asarray(rows, jnp.float32), images, precision=highest)
    return jnp.einsum("ow,bhwc->bhoc", jnp.asarray(columns, jnp.float32), tall, precision=highest)


@functools.cache
def _doubling(size: int) -> np.ndarray:
    """(4 (size - 1), size): one period of the reflected pixels at twice the resolution, pixel i at 2 i.

    y[m] = sqrt(2) sum_i f[m + 5 - 2 i] x[i].
    """
    matrix = np.zeros((4 * (size - 1), size))
    for place in range(len(matrix)):
        for tap, value in enumerate(SYM6):
            pixel, odd = divmod(place + MIDDLE - tap, 2)
            if not odd:
                matrix[place, reflect(pixel, size)] += math.sqrt(2) * value
    return matrix


@functools.cache
def _halving(size: int) -> np.ndarray:
    """(size, 2 size + 10): y[o] = sum_k f[k] x[2 o + k - 5] / sqrt(2), x known from -5 to 2 size + 4."""
    matrix = np.zeros((size, 2 * size + 2 * MIDDLE))
    for place in range(size):
        matrix[place, 2 * place : 2 * place + len(SYM6)] = np.array(SYM6) / math.sqrt(2)
    return matrix


def _require_sides(height: int, width: int) -> None:
    require(min(height, width) >= 2, "size of images", f"{height}x{width}", "at least 2x2")
