"""Bicubic interpolation as the literature of super-resolution has it: that of MATLAB's imresize, to the pixel.

Keys: Cubic Convolution Interpolation for Digital Image Processing, 1981, IEEE Transactions on Acoustics, Speech, and
Signal Processing 29, with a = -1/2. To make an image smaller the kernel is stretched by the factor, so that nothing
aliases. Outside of an image its border pixels are repeated, and between rows and columns the values are rounded, both
as in the versions of MATLAB that made the low resolution of Set5 and Set14: this gives their files bit for bit. Pillow
and today's MATLAB treat borders in other ways.
"""

import functools

import numpy as np


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """An image (rows, columns, channels) uint8 in another size, as uint8: rows first, then columns."""
    found = _rounded(np.tensordot(_weights(image.shape[0], height), image.astype(np.float64), 1))
    return _rounded(np.swapaxes(np.tensordot(_weights(image.shape[1], width), found, (1, 1)), 0, 1)).astype(np.uint8)


def reduce(image: np.ndarray, factor: int) -> np.ndarray:
    """An image (rows, columns, channels) uint8 so many times smaller, after a cut of its ends to a multiple of that."""
    height, width = (side // factor for side in image.shape[:2])
    return resize(image[: factor * height, : factor * width], height, width)


def _rounded(values: np.ndarray) -> np.ndarray:
    """To the nearest of 0 to 255, halves upwards."""
    return np.clip(np.floor(values + 0.5), 0, 255)


@functools.lru_cache(maxsize=64)
def _weights(size: int, wanted: int) -> np.ndarray:
    """(wanted, size): what each pixel counts in each of the new ones."""
    scale = wanted / size
    shrink = min(scale, 1.0)
    centres = (np.arange(wanted) + 0.5) / scale - 0.5
    reach = 2 / shrink
    places = np.floor(centres - reach).astype(np.int64)[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
    weights = _kernel(shrink * (centres[:, None] - places))
    weights /= weights.sum(axis=1, keepdims=True)
    found = np.zeros((wanted, size))
    np.add.at(found, (np.arange(wanted)[:, None], places.clip(0, size - 1)), weights)
    return found


def _kernel(distances: np.ndarray) -> np.ndarray:
    """Equation 15 of Keys."""
    x = np.abs(distances)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
