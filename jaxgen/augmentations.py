"""Differentiable transformations of images, from numbers that are drawn elsewhere.

Zhao, Liu, Lin, Zhu, Han: Differentiable Augmentation for Data-Efficient GAN Training, 2020, arXiv 2006.10738.

Each takes images (batch, height, width, channels) and numbers for each image, and keeps the shape and the type of the
images. What a transformation leaves empty is 0, the middle of the range [-1, 1]. They can be differentiated twice, as a
penalty on the slope of a network behind them needs.
"""

from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxgen.checks import require
from jaxgen.typing import Images, PerExample

Steps: TypeAlias = Int[Array, "batch 2"]
"""Of each image, a number of rows and one of columns."""


def brighten(images: Images, amounts: PerExample) -> Images:
    """x + u: all differences between pixels stay.

    >>> float(brighten(jnp.ones((1, 1, 1, 1)), jnp.array([0.5]))[0, 0, 0, 0])
    1.5
    """
    return images + _of_images(amounts, images)


def saturate(images: Images, factors: PerExample) -> Images:
    """m + u (x - m), m the mean over the channels of each pixel, which stays; grey images stay as they are."""
    return _around(images, images.mean(axis=3, keepdims=True), factors)


def contrast(images: Images, factors: PerExample) -> Images:
    """m + u (x - m), m the mean of each image, which stays."""
    return _around(images, images.mean(axis=(1, 2, 3), keepdims=True), factors)


def mirror(images: Images, chosen: Bool[Array, "batch"]) -> Images:
    """The chosen images with left and right exchanged."""
    return jnp.where(chosen[:, None, None, None], images[:, :, ::-1], images)


def translate(images: Images, steps: Steps, farthest: tuple[int, int]) -> Images:
    """Each image moved down and to the right by its steps; what comes in is 0.

    Args:
        images: (batch, height, width, channels).
        steps: rows and columns, below 0 for up and left, each within `farthest` of 0.
        farthest: rows and columns that an image moves at most, so many zeros on each side.
    """
    down, right = farthest
    padded = jnp.pad(images, ((0, 0), (down, down), (right, right), (0, 0)))
    starts = jnp.array(farthest, jnp.int32)[None] - steps.astype(jnp.int32)

    def window(image: Array, start: Array) -> Array:
        return jax.lax.dynamic_slice(image, (start[0], start[1], jnp.int32(0)), images.shape[1:])

    return jax.vmap(window)(padded, starts)


def cut_out(images: Images, centres: Steps, sides: tuple[int, int]) -> Images:
    """Each image with a rectangle of zeros, of rows and columns `sides`, as far as it lies within the image.

    Its first row is `sides[0] // 2` above the row of its centre, and so for the columns.
    """
    inside = [_covered(images.shape[1 + axis], centres[:, axis].astype(jnp.int32), sides[axis]) for axis in (0, 1)]
    square = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return jnp.where(square, jnp.zeros((), images.dtype), images)


def cut_out_share(images: Images, centres: Float[Array, "batch 2"], share: float) -> Images:
    """Each image with 0 at the places whose distance from its centre is below `share / 2` in both directions.

    Centres, row and column, and distances are in sides of the image: 0 at its border, 1 at the opposite one.
    """
    distances = [_distances(images.shape[1 + axis], centres[:, axis]) for axis in (0, 1)]
    inside = [each < share / 2 for each in distances]
    square = inside[0][:, :, None, None] & inside[1][:, None, :, None]
    return jnp.where(square, jnp.zeros((), images.dtype), images)


def require_images(values: Array, name: str) -> None:
    """ValueError for what is not (batch, height, width, channels)."""
    require(values.ndim == 4, f"shape of the inputs of {name}", values.shape, "(batch, height, width, channels)")


def _covered(size: int, centres: Array, side: int) -> Array:
    """(batch, size): whether each place lies in the stretch of `side` places around the centre."""
    places = jnp.arange(size, dtype=jnp.int32)[None] - (centres - side // 2)[:, None]
    return (places >= 0) & (places < side)


def _distances(size: int, centres: Array) -> Array:
    """(batch, size): how far the middle of each place is from the centre, in sides of the image."""
    places = (jnp.arange(size, dtype=jnp.float32)[None] + 0.5) / size
    return jnp.abs(places - centres.astype(jnp.float32)[:, None])


def _around(images: Array, level: Array, factors: Array) -> Array:
    return (images - level) * _of_images(factors, images) + level


def _of_images(values: Array, images: Array) -> Array:
    return values.astype(images.dtype)[:, None, None, None]
