"""Equivariance of a generator: whether its image moves as the coordinates do that it is made of.

Karras et al.: Alias-Free Generative Adversarial Networks, 2021, arXiv 2106.12423, and the authors' code.

Images x = g(w) and y = g(w; t), made with coordinates that are moved by t, are compared as

    EQ = 10 log10(I_max^2 / MSE),    MSE = sum m (t[x] - y)^2 / sum m                                      (1)

over all pairs, channels and places that the mask m holds: those of which t[x] is known. Both sums are taken over all
images before the division. In the paper t is a move by whole pixels (EQ-T), by fractions of one (EQ-T_frac), by up to
an eighth of the width, or a turn (EQ-R), of which y takes `limit_as_rotated`, the low-pass filter of t[x].

Offsets (x, y) go right and down. A turn by an angle leads from the x axis to the y axis, so that a positive one is
clockwise as images are shown.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, floats, number, per_example, ranked, same_shape
from jaxgen.typing import Scalar

LANCZOS = 3
"""Zero crossings of the window on each side of a filter."""

REACH = 2 * LANCZOS
"""Pixels from the middle of a rotation's filter to its border."""

UPSAMPLING, EXTENT = 4, 64
"""Places for each pixel that a rotation takes the nearest of, and pixels to each side where its filter is designed."""


class MaskedErrors(NamedTuple):
    """Sums over pairs of images, to be added to those of others."""

    squared: Scalar  # sum of m (t[x] - y)^2 over pairs, places and channels
    num: Scalar  # how many numbers that is


def squared_errors(images: Floats, others: Floats, mask: Floats) -> MaskedErrors:
    """Both sums of equation 1.

    Args:
        images: (B, height, width, channels).
        others: in the same shape.
        mask: (B, height, width), 1 where both are known, else 0.

    Raises:
        ValueError: if shapes do not fit.

    >>> errors = squared_errors(jnp.ones((1, 1, 2, 3)), jnp.zeros((1, 1, 2, 3)), jnp.array([[[1.0, 0.0]]]))
    >>> print(errors.squared, errors.num)
    3.0 3.0
    """
    images, others = ranked("B, height, width, channels", images=images, others=others)
    images, others = same_shape(images=images, others=others)
    (mask,) = ranked("B, height, width", mask=mask)
    require(mask.shape == images.shape[:3], "shape of mask", mask.shape, f"{images.shape[:3]}")
    squared = (images - others) ** 2 * mask[..., None].astype(images.dtype)
    return MaskedErrors(squared.sum(), mask.sum().astype(images.dtype) * images.shape[3])


def equivariance(errors: MaskedErrors, *, data_range: float = 2.0) -> Scalar:
    """EQ of equation 1, in decibels; infinite without any error.

    Args:
        errors: sums over all pairs.
        data_range: I_max, the distance of the smallest and the largest possible value.

    >>> equivariance(MaskedErrors(squared=jnp.array(0.04), num=jnp.array(100.0)), data_range=2.0).round(4)
    Array(40., dtype=float32)
    """
    squared, num = _one_number("squared", errors.squared), _one_number("num", errors.num)
    mean = squared / num.astype(squared.dtype)
    return 20 * jnp.log10(jnp.asarray(data_range, mean.dtype)) - 10 * jnp.log10(mean)


def shift(images: Floats, offsets: Int[Array, "batch 2"]) -> tuple[Floats, Floats]:
    """Each image moved by whole pixels, and the mask of places that are not new.

    Args:
        images: (B, height, width, channels).
        offsets: (B, 2), right and down.

    >>> moved, mask = shift(jnp.array([[1.0, 2.0, 3.0]]).reshape(1, 1, 3, 1), jnp.array([[1, 0]]))
    >>> print(moved.reshape(3), mask.reshape(3))
    [0. 1. 2.] [0. 1. 1.]
    """
    (images,) = ranked("B, height, width, channels", images=images)
    require(offsets.shape == (len(images), 2), "shape of offsets", offsets.shape, f"({len(images)}, 2)")

    def moved(image: Floats, offset: Array) -> tuple[Floats, Floats]:
        known = []
        for axis, distance in ((0, offset[1]), (1, offset[0])):
            places = jnp.arange(image.shape[axis], dtype=distance.dtype) - distance
            known.append(((places >= 0) & (places < image.shape[axis])).astype(image.dtype))
            image = jnp.take(image, places.clip(0, image.shape[axis] - 1), axis=axis)
        mask = known[0][:, None] * known[1][None, :]
        return image * mask[..., None], mask

    return jax.vmap(moved)(images, offsets)


def shift_subpixel(images: Floats, offsets: Floats) -> tuple[Floats, Floats]:
    """Each image moved by fractions of a pixel by a Lanczos filter of 6 taps, and the mask of places with all of them.

    Args:
        images: (B, height, width, channels).
        offsets: (B, 2) in pixels, right and down.

    >>> moved, mask = shift_subpixel(jnp.ones((1, 8, 8, 1)), jnp.array([[0.5, 0.0]]))
    >>> print(mask[0, 3], moved[0, 3, 3].round(4))
    [0. 0. 0. 1. 1. 1. 0. 0.] [1.]
    """
    (images,) = ranked("B, height, width, channels", images=images)
    (offsets,) = floats(offsets=offsets)
    require(offsets.shape == (len(images), 2), "shape of offsets", offsets.shape, f"({len(images)}, 2)")

    def moved(image: Floats, offset: Array) -> tuple[Floats, Floats]:
        rows, known_rows = _lanczos_matrix(image.shape[0], offset[1])
        columns, known_columns = _lanczos_matrix(image.shape[1], offset[0])
        mask = known_rows[:, None] * known_columns[None, :]
        return jnp.einsum("oh,pw,hwc->opc", rows, columns, image) * mask[..., None], mask

    return jax.vmap(moved)(images, offsets.astype(images.dtype))


def rotate(images: Floats, angles: Floats) -> tuple[Floats, Floats]:
    """Each image turned around its middle, and the mask of places whose filter lies inside of the image.

    The filter lets pass what both pixel grids, the turned one and that of the result, can hold: the convolution of two
    sinc functions of two axes in that of two Lanczos windows. It gives 4 x 4 places for each pixel, of which the
    nearest is taken.

    Args:
        images: (B, height, width, channels).
        angles: (B,), in radians, clockwise.

    >>> moved, mask = rotate(jnp.ones((1, 15, 15, 1)), jnp.array([0.3]))
    >>> print(moved[0, 7, 7].round(3), mask[0, 7])
    [1.] [0. 0. 0. 0. 0. 0. 1. 1. 1. 0. 0. 0. 0. 0. 0.]
    """
    (images,), (angles,) = ranked("B, height, width, channels", images=images), per_example(angles=angles)

    def turned(image: Floats, angle: Array) -> tuple[Floats, Floats]:
        height, width, channels = image.shape
        places = jnp.zeros((height, UPSAMPLING, width, UPSAMPLING, channels), image.dtype)
        places = places.at[:, 0, :, 0].set(image).reshape(height * UPSAMPLING, width * UPSAMPLING, channels)
        dense = _filtered(places, _rotation_filter(angle))
        middle = jnp.array([(width - 1) / 2, (height - 1) / 2], image.dtype)
        lines = [jnp.arange(size, dtype=image.dtype) for size in (width, height)]
        x, y = jnp.meshgrid(lines[0] - middle[0], lines[1] - middle[1])
        points = jnp.stack([x, y], axis=2) @ _rotation(angle) + middle[None, None]  # turned back
        inside = jnp.abs(points - middle[None, None]) <= (middle - REACH)[None, None] + 1e-3  # of a pixel, for rounding
        known = inside.all(axis=2).astype(image.dtype)
        column, row = jnp.moveaxis(jnp.round(points * UPSAMPLING).astype(jnp.int32), 2, 0)
        taken = dense[row.clip(0, dense.shape[0] - 1), column.clip(0, dense.shape[1] - 1)]
        return taken * known[..., None], known

    return jax.vmap(turned)(images, angles.astype(images.dtype))


def limit_as_rotated(images: Floats, angles: Floats) -> tuple[Floats, Floats]:
    """Each image through the filter of `rotate`, seen from the turned grid, and the mask of places that it fills.

    Args:
        images: (B, height, width, channels), turned by the angles already.
        angles: (B,), in radians, clockwise.

    >>> limited, mask = limit_as_rotated(jnp.ones((1, 15, 15, 1)), jnp.array([0.3]))
    >>> print(limited[0, 7, 7].round(3), mask[0, 7])
    [1.] [0. 0. 0. 0. 0. 0. 1. 1. 1. 0. 0. 0. 0. 0. 0.]
    """
    (images,), (angles,) = ranked("B, height, width, channels", images=images), per_example(angles=angles)

    def limited(image: Floats, angle: Array) -> tuple[Floats, Floats]:
        rows, columns = (
            ((jnp.arange(size) >= REACH) & (jnp.arange(size) < size - REACH)).astype(image.dtype)
            for size in image.shape[:2]
        )
        mask = rows[:, None] * columns[None, :]
        taps = _rotation_filter(-angle)[UPSAMPLING - 1 :: UPSAMPLING, UPSAMPLING - 1 :: UPSAMPLING]  # of whole pixels
        return _filtered(image, taps) * mask[..., None], mask

    return jax.vmap(limited)(images, angles.astype(images.dtype))


def _one_number(name: str, value: Array | float) -> Scalar:
    if isinstance(value, int | float):
        return jnp.float32(value)
    (wide,) = floats(**{name: value})
    return number(name, wide, wide.dtype)


def _lanczos_matrix(size: int, distance: Array) -> tuple[Floats, Floats]:
    """The matrix of a move along one axis, and which of its rows hold all taps; (size, size) and (size,)."""
    whole = jnp.floor(distance)
    taps = jnp.arange(1 - LANCZOS, LANCZOS + 1, dtype=distance.dtype) - (distance - whole)
    total = (jnp.sinc(taps) * _window(taps)).sum()
    places = jnp.arange(size, dtype=distance.dtype)
    gaps = places[:, None] - places[None, :] - distance
    first, last = places - whole - LANCZOS, places - whole + LANCZOS - 1
    return jnp.sinc(gaps) * _window(gaps) / total, ((first >= 0) & (last < size)).astype(distance.dtype)


def _window(x: Floats) -> Floats:
    """Lanczos: the middle lobe of sinc(x / 3)."""
    return jnp.where(jnp.abs(x) < LANCZOS, jnp.sinc(x / LANCZOS), jnp.zeros((), x.dtype))


def _rotation(angle: Array) -> Floats:
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.array([[cos, -sin], [sin, cos]])


def _rotation_filter(angle: Array) -> Floats:
    """Taps for 4 places a pixel, 8 REACH - 1 on both axes; those of each place add up to 1."""
    up, num = UPSAMPLING, 2 * EXTENT * UPSAMPLING
    line = jnp.arange(num, dtype=angle.dtype)
    line = jnp.where(line < num // 2, line, line - num) / up  # 0 first, as the Fourier transform has it
    y, x = jnp.meshgrid(line, line, indexing="ij")
    there = jnp.stack([x, y], axis=2) @ _rotation(angle).T

    def convolved(function: Callable[[Floats], Floats]) -> Floats:
        here, turned = (function(a) * function(b) for a, b in ((x, y), (there[..., 0], there[..., 1])))
        return jnp.fft.irfft2(jnp.fft.rfft2(here) * jnp.fft.rfft2(turned), s=here.shape)

    taps = jnp.fft.fftshift(convolved(jnp.sinc) * convolved(_window))
    first, reach = num // 2 - REACH * up, 2 * REACH
    taps = taps[first : first + reach * up, first : first + reach * up].reshape(reach, up, reach, up)
    taps = taps.at[0, 0].set(0.0).at[:, :, 0, 0].set(0.0)  # beyond the reach on one side
    taps = taps / taps.sum(axis=(0, 2), keepdims=True)
    return taps.reshape(reach * up, reach * up)[1:, 1:]


def _filtered(image: Floats, taps: Floats) -> Floats:
    """The convolution of each channel, of the image's size."""
    shape = [size + num - 1 for size, num in zip(image.shape[:2], taps.shape, strict=True)]
    spectrum = jnp.fft.rfft2(image, s=shape, axes=(0, 1)) * jnp.fft.rfft2(taps, s=shape)[..., None]
    whole, start = jnp.fft.irfft2(spectrum, s=shape, axes=(0, 1)), [num // 2 for num in taps.shape]
    return whole[start[0] : start[0] + image.shape[0], start[1] : start[1] + image.shape[1]]
