"""Resampling by 2 with a finite impulse response (FIR) filter, without aliasing.

Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks, 2018, arXiv 1812.04948;
Zhang: Making Convolutional Networks Shift-Invariant Again, 2019, arXiv 1904.11486.

A filter is a row of taps, an even number, applied to rows and columns in turn and divided by its sum. Outside of the
images are zeros. The two operations are adjoint to each other, up to a factor: <upsample(x), y> = 4 <x, downsample(y)>.

Both are depthwise convolutions of stride 2, written as sums of shifted maps: on a CPU that is many times faster than
the convolution.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.typing import Images

BINOMIAL = (1.0, 3.0, 3.0, 1.0)
"""The filter of StyleGAN 2 (arXiv 1912.04958) and R3GAN (arXiv 2501.05441)."""


def smooth(images: Images, padding: int, taps: Sequence[float] = BINOMIAL) -> Outputs:
    """Filtered at stride 1: y[o] = sum_t f[t] x[o + t - padding], each side 2 padding + 1 - k larger for k taps."""
    taps = _normalized(taps)
    for axis in (1, 2):
        padded, size = _pad(images, axis, padding), images.shape[axis] + 2 * padding + 1 - len(taps)
        images = _sum([tap * _take(padded, axis, start, start + size, 1) for start, tap in enumerate(taps)])
    return images


def downsample(images: Images, taps: Sequence[float] = BINOMIAL) -> Outputs:
    """Filtered, then every second row and column: y[o] = sum_t f[t] x[2 o + t - k / 2 + 1] for k taps.

    ValueError for sides that are odd.
    """
    taps = _normalized(taps)
    _, height, width, _ = images.shape
    require(height % 2 == width % 2 == 0, "size of images", f"{height}x{width}", "a multiple of 2x2")
    return _halve(_halve(images, 1, taps), 2, taps)


def upsample(images: Images, taps: Sequence[float] = BINOMIAL) -> Outputs:
    """Zeros between rows and columns, then filtered, so that constants keep their value away from the border."""
    taps = _normalized(taps)
    return _double(_double(images, 1, taps), 2, taps)


def _halve(images: Images, axis: int, taps: Sequence[float]) -> Outputs:
    size, before = images.shape[axis], len(taps) // 2 - 1
    padded = _pad(images, axis, before)
    ends = [(start, start + size - 1) for start in range(len(taps))]
    return _sum([tap * _take(padded, axis, *each, 2) for tap, each in zip(taps, ends, strict=True)])


def _double(images: Images, axis: int, taps: Sequence[float]) -> Outputs:
    """y[2 i + e] = 2 sum_d f[2 d + e + k / 2 - 1] x[i - d], for e = 0 and 1."""
    size, middle = images.shape[axis], len(taps) // 2 - 1
    reach = len(taps) // 2
    padded = _pad(images, axis, reach)

    def phase(number: int) -> Outputs:
        shifts = [(tap, divmod(place - number - middle, 2)) for place, tap in enumerate(taps)]
        starts = [(2.0 * tap, reach - shift) for tap, (shift, odd) in shifts if not odd]
        return _sum([tap * _take(padded, axis, start, start + size, 1) for tap, start in starts])

    shape = (*images.shape[:axis], 2 * size, *images.shape[axis + 1 :])
    return jnp.stack([phase(0), phase(1)], axis=axis + 1).reshape(shape)


def _pad(images: Images, axis: int, num: int) -> Outputs:
    return jnp.pad(images, [(num, num) if place == axis else (0, 0) for place in range(images.ndim)])


def _take(images: Images, axis: int, start: int, end: int, stride: int) -> Outputs:
    return jax.lax.slice_in_dim(images, start, end, stride, axis)


def _sum(terms: list[jax.Array]) -> jax.Array:
    return functools.reduce(jnp.add, terms)


def _normalized(taps: Sequence[float]) -> tuple[float, ...]:
    require(len(taps) >= 2 and len(taps) % 2 == 0 and sum(taps) != 0, "taps", taps, "an even number, of sum not 0")
    return tuple(tap / sum(taps) for tap in taps)
