"""From images to features: a feature extractor is any callable from a batch of images to (N, d).

For numbers that others can compare it is `jaxgen.nets.inception.InceptionV3` with its published weights after
`inception_inputs`; raw pixels and principal components need no weights. Name the features together
with the number.

- Parmar, Zhang, Zhu: On Aliased Resizing and Surprising Subtleties in GAN Evaluation, 2021, arXiv 2104.11222.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxgen.checks import require
from jaxgen.images import ValueRange, to_pixels
from jaxgen.losses._arrays import Floats, arrays, floats, ranked
from jaxgen.metrics._samples import flat, samples
from jaxgen.metrics.statistics import Moments, _require_moments
from jaxgen.typing import Batch

INCEPTION_SIZE = 299
"""Pixels along a side of the FID Inception's inputs."""


def raw_pixels(images: Floats) -> Floats:
    """Images (N, ...) as they are, as features (N, d).

    Raises:
        ValueError: for integers, or without an axis after the batch.

    >>> raw_pixels(jnp.zeros((2, 4, 4, 3))).shape
    (2, 48)
    """
    return samples(images=flat(images))[0]


def pca_extractor(moments: Moments, num: int) -> Callable[[Floats], Floats]:
    """The extractor that gives features (N, d) as coordinates (N, num) along the directions of most variance.

    Fit it to real training data alone, `pca_extractor(moments(raw_pixels(images)), 64)`: it then is the same for
    every model. Each direction points where its largest component is positive.

    Args:
        moments: of the features that it is fitted to.
        num: of directions, most variance first.

    Raises:
        ValueError: unless num is from 1 to d; later, unless features are (N, d).

    >>> from jaxgen.metrics import moments
    >>> points = jnp.array([[0.0, 1.0], [4.0, 1.0]])
    >>> pca_extractor(moments(points), 1)(points)
    Array([[-2.],
           [ 2.]], dtype=float32)
    """
    _require_moments(moments=moments)
    require(1 <= num <= len(moments.mean), "num", num, f"from 1 to the {len(moments.mean)} features")
    (scatter,) = floats(scatter=moments.scatter)
    _, vectors = jnp.linalg.eigh(scatter)
    axes = vectors[:, ::-1][:, :num]
    largest = jnp.take_along_axis(axes, jnp.abs(axes).argmax(axis=0)[None], axis=0)
    axes = axes * jnp.sign(largest)

    def extract(features: Floats) -> Floats:
        features, mean = samples(features=features, mean=moments.mean[None])
        centred, directions = floats(features=features - mean, axes=axes)
        return jnp.matmul(centred, directions, precision="highest")

    return extract


def inception_inputs(images: Batch, value_range: ValueRange = (-1.0, 1.0)) -> Floats:
    """(resized pixels - 128) / 128: what the FID Inception was given in TensorFlow 1, (N, 299, 299, 3).

    Floats are rounded to pixels first, as files would be. Grey becomes three channels.

    Args:
        images: uint8, or floats in `value_range`, (N, height, width, 1 or 3).
        value_range: of floats.

    Raises:
        ValueError: unless images have four axes and one or three channels.

    >>> inception_inputs(jnp.full((1, 8, 8, 1), 128, jnp.uint8))[0, 0, 0]
    Array([0., 0., 0.], dtype=float32)
    """
    arrays(images=images)
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise ValueError(f"images have shape {images.shape}, but must be (N, height, width, 1 or 3)")
    if images.size == 0:
        raise ValueError(f"images have shape {images.shape}, but must hold an image: the batch is empty")
    pixels = to_pixels(images, value_range) if jnp.issubdtype(images.dtype, jnp.floating) else images
    if pixels.dtype != jnp.uint8:
        raise ValueError(f"images are {images.dtype}, but must be uint8 pixels or floats in {value_range}")
    pixels = pixels.astype(jnp.float32)
    if jnp.issubdtype(images.dtype, jnp.floating):
        pixels = jnp.where(jnp.isnan(images), jnp.nan, pixels)  # uint8 has none
    pixels = jnp.broadcast_to(pixels, (*pixels.shape[:3], 3))
    return (resize_bilinear(pixels, INCEPTION_SIZE, INCEPTION_SIZE) - 128) / 128


def resize_bilinear(images: Floats, height: int, width: int) -> Floats:
    """Bilinear interpolation at i x (in / out), without half-pixel centres or antialiasing: TensorFlow 1's default.

    Published FIDs depend on it: other resizing moves the features (arXiv 2104.11222), for better or worse. Pixels
    beyond the last are the last.

    Args:
        images: (N, rows, columns, channels).
        height: rows of the result.
        width: columns of the result.

    Raises:
        ValueError: unless images have four axes and the sizes are positive.

    >>> resize_bilinear(jnp.array([[0.0, 1.0]])[:, None, :, None], 1, 4)[0, 0, :, 0]
    Array([0. , 0.5, 1. , 1. ], dtype=float32)
    """
    (images,) = ranked("N, height, width, channels", images=images)
    require(min(height, width) >= 1, "size", (height, width), "positive")
    return _resize_axis(_resize_axis(images, 1, height), 2, width)


def _resize_axis(images: Array, axis: int, size: int) -> Array:
    """In float32 throughout, as TensorFlow does: where a place falls on a pixel decides by its rounding."""
    places = np.arange(size, dtype=np.float32) * (np.float32(images.shape[axis]) / np.float32(size))
    low = np.floor(places).astype(np.int32)
    high = np.minimum(low + 1, images.shape[axis] - 1)
    share = jnp.asarray(places - low.astype(np.float32), images.dtype)
    share = share.reshape(*(-1 if i == axis else 1 for i in range(images.ndim)))
    below, above = jnp.take(images, low, axis=axis), jnp.take(images, high, axis=axis)
    return below + (above - below) * share
