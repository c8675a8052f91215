"""Similarity of pairs of images: SSIM and PSNR to an original, MS-SSIM of samples to each other.

- Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment: From Error Visibility to Structural Similarity, 2004,
  IEEE Transactions on Image Processing 13.
- Wang, Simoncelli, Bovik: Multiscale Structural Similarity for Image Quality Assessment, 2003, Asilomar Conference.
- Odena, Olah, Shlens: Conditional Image Synthesis with Auxiliary Classifier GANs, 2016, arXiv 1610.09585.
- Karras et al.: Progressive Growing of GANs, 2017, arXiv 1710.10196.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, floats, ranked
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.losses.similarity import MULTISCALE_WEIGHTS, _halve, _power, _similarity, ssim_error
from jaxgen.metrics._samples import in_blocks
from jaxgen.typing import Key, PerExample, Scalar


def ssim(images: Floats, originals: Floats, *, data_range: float, window: int = 11, stddev: float = 1.5) -> PerExample:
    """Structural similarity, 1 - `ssim_error`: equation 13 of Wang et al. 2004, 1 for equal images.

    Args:
        images: (B, height, width, channels).
        originals: in the same shape.
        data_range: the distance of the smallest and the largest possible value.
        window: side of the Gaussian window in pixels.
        stddev: of the window in pixels.

    Raises:
        ValueError: if the shapes differ, have not four axes, or the window is larger than they.

    >>> images = jnp.linspace(0.0, 1.0, 144).reshape(1, 12, 12, 1)
    >>> ssim(images, images, data_range=1.0)
    Array([1.], dtype=float32)
    """
    return 1 - ssim_error(images, originals, data_range=data_range, window=window, stddev=stddev)


def psnr(images: Floats, originals: Floats, *, data_range: float) -> PerExample:
    """10 log10(L^2 / MSE): the peak signal-to-noise ratio in decibels, infinite for equal images.

    Args:
        images: (B, ...).
        originals: in the same shape.
        data_range: L, the distance of the smallest and the largest possible value.

    Raises:
        ValueError: if the shapes differ.

    >>> originals = jnp.zeros((1, 2, 2, 1))
    >>> psnr(originals + 0.1, originals, data_range=1.0).round(4)
    Array([20.], dtype=float32)
    """
    return 10 * jnp.log10(data_range**2 / mean_squared_error(images, originals))


def hole_psnr(images: Floats, originals: Floats, mask: Floats, *, data_range: float) -> PerExample:
    """10 log10(L^2 / MSE), the mean over the hole alone: infinite for equal contents and where there is no hole.

    Args:
        images: (B, height, width, channels).
        originals: in the same shape.
        mask: (B, height, width, 1), 1 where pixels are known and 0 in the hole.
        data_range: L, the distance of the smallest and the largest possible value.

    Raises:
        ValueError: if the shapes do not fit.

    >>> mask = jnp.array([[[[1.0], [0.0]]]])
    >>> hole_psnr(jnp.array([[[[5.0], [0.1]]]]), jnp.zeros((1, 1, 2, 1)), mask, data_range=1.0).round(4)
    Array([20.], dtype=float32)
    """
    images, originals = ranked("B, height, width, channels", images=images, originals=originals)
    (mask,) = ranked("B, height, width, 1", mask=mask)
    wanted = (*images.shape[:3], 1)
    require(mask.shape == wanted, "shape of mask", mask.shape, f"{wanted} for images of shape {images.shape}")
    images, originals, mask = floats(images=images, originals=originals, mask=mask)
    hole = 1 - mask
    squares = (hole * (images - originals) ** 2).sum(axis=(1, 2, 3))
    num = images.shape[3] * hole.sum(axis=(1, 2, 3))
    return 10 * jnp.log10(data_range**2 / (squares / jnp.maximum(num, 1.0)))


def ms_ssim(
    images: Floats,
    others: Floats,
    *,
    data_range: float,
    window: int = 11,
    stddev: float = 1.5,
    weights: Sequence[float] = MULTISCALE_WEIGHTS,
) -> PerExample:
    """(l cs)_M^(w_M) * product over scales j < M of cs_j^(w_j), for images of any size: as in the code of 1710.10196.

    Where a scale is smaller than the window, the window shrinks to it and its deviation with it. Terms are means over
    windows and channels, cut off at zero; `losses.ms_ssim_error` multiplies the scales of each channel first.

    Args:
        images: (B, height, width, channels).
        others: in the same shape.
        data_range: the distance of the smallest and the largest possible value.
        window: side of the Gaussian window in pixels.
        stddev: of the window in pixels.
        weights: w, an exponent for each scale, finest first.

    Raises:
        ValueError: if the shapes differ, have not four axes, or the last scale has no pixel.

    >>> images = jnp.linspace(0.0, 1.0, 64).reshape(1, 8, 8, 1)
    >>> ms_ssim(images, images, data_range=1.0, weights=(0.5, 0.5))
    Array([1.], dtype=float32)
    """
    images, others = ranked("B, height, width, channels", images=images, others=others)
    if min(images.shape[1:3]) < 2 ** (len(weights) - 1):
        raise ValueError(
            f"images of shape {images.shape} are too small for {len(weights)} scales: they need "
            f"{2 ** (len(weights) - 1)} pixels along each side; give fewer weights"
        )
    similarity = jnp.ones(len(images), images.dtype)
    for scale, weight in enumerate(weights):
        side = min(window, *images.shape[1:3])
        luminance, structure = _similarity(images, others, data_range, side, stddev * side / window)
        last = scale == len(weights) - 1
        similarity = similarity * _power((luminance * structure if last else structure).mean(axis=(1, 2, 3)), weight)
        images, others = _halve(images), _halve(others)
    return similarity


def ms_ssim_diversity(
    images: Floats, key: Key, *, data_range: float, num_pairs: int = 10_000, block_size: int = 64
) -> Scalar:
    """Mean `ms_ssim` of random pairs of different images: the lower, the more diverse. Section 4.3 of 1610.09585.

    Of samples of one class (1610.09585), or of one kind (1710.10196); compare with the value of real images.

    Args:
        images: (N, height, width, channels), two at least.
        key: of the pairs.
        data_range: the distance of the smallest and the largest possible value.
        num_pairs: 10,000 in arXiv 1710.10196.
        block_size: pairs compared at a time; no part of the value.

    Raises:
        ValueError: unless there are two images of four axes with 16 pixels along each side.

    >>> images = jnp.ones((3, 16, 16, 1))
    >>> ms_ssim_diversity(images, jax.random.key(0), data_range=1.0, num_pairs=4, block_size=4)
    Array(1., dtype=float32)
    """
    (images,) = ranked("N, height, width, channels", images=images)
    require(len(images) >= 2, "number of images", len(images), "at least 2")
    require(num_pairs >= 1, "num_pairs", num_pairs, "at least 1")
    key_first, key_other = jax.random.split(key)
    first = jax.random.randint(key_first, (num_pairs,), 0, len(images))
    other = jax.random.randint(key_other, (num_pairs,), 1, len(images))

    def of_pair(pair: tuple[jax.Array, jax.Array]) -> Scalar:
        a, b = (jnp.take(images, index, axis=0)[None] for index in pair)
        return ms_ssim(a, b, data_range=data_range)[0]

    return in_blocks(of_pair, (first, (first + other) % len(images)), block_size).mean()
