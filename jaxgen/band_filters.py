"""Images whose octaves of frequency are made stronger or weaker.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks with Limited Data, 2020,
arXiv 2006.06676, appendix B.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgen.affine_augmentations import reflect
from jaxgen.checks import require
from jaxgen.typing import Images

SYM2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)
"""Taps of the low-pass filter of the wavelet sym2, of sum sqrt(2) and energy 1."""

NUM_BANDS = 4

POWER = np.array([10.0, 1.0, 1.0, 1.0], np.float32) / 13
"""Of each band in natural images, whose spectrum falls as 1/f: the share that the authors expect."""


@functools.cache
def filter_bank() -> np.ndarray:
    """(4, 43): symmetric filters of one octave each, the lowest first; together they are the identity.

    With the low-pass L(z) = H(z) H(1/z) / 2 and the high-pass L(-z), which sum to 1, all bands start as those of half
    the resolution, B(z^2) L(z), and a new highest one is L(-z).
    """
    taps = np.array(SYM2)
    low = np.convolve(taps, taps[::-1]) / 2
    high = low * (-1.0) ** (np.arange(len(low)) - len(low) // 2)
    bands = [np.ones(1)]
    while len(bands) < NUM_BANDS:
        bands = [np.convolve(_spaced(band), low) for band in bands]
        margin = (len(bands[0]) - len(high)) // 2
        bands.append(np.pad(high, margin))
    return np.stack(bands)


def amplify(images: Images, gains: Float[Array, "batch bands"]) -> Images:
    """Each band of each image times its gain, along rows and along columns, the image reflected at its border."""
    _, height, width, _ = images.shape
    require(min(height, width) >= 2, "size of images", f"{height}x{width}", "at least 2x2")
    require(gains.shape[1] == NUM_BANDS, "number of bands", gains.shape[1], str(NUM_BANDS))
    highest = jax.lax.Precision.HIGHEST

    def matrices(size: int) -> Array:
        return jnp.einsum("bk,koi->boi", gains, jnp.asarray(_matrices(size), jnp.float32), precision=highest)

    tall = jnp.einsum("boh,bhwc->bowc", matrices(height), images.astype(jnp.float32), precision=highest)
    return jnp.einsum("bow,bhwc->bhoc", matrices(width), tall, precision=highest).astype(images.dtype)


def _spaced(taps: np.ndarray) -> np.ndarray:
    """B(z^2): zeros between the taps."""
    spaced = np.zeros(2 * len(taps) - 1)
    spaced[::2] = taps
    return spaced


@functools.cache
def _matrices(size: int) -> np.ndarray:
    """(4, size, size): each filter of the bank on reflected pixels."""
    bank = filter_bank()
    reach = bank.shape[1] // 2
    matrices = np.zeros((NUM_BANDS, size, size))
    for place in range(size):
        for tap, pixel in enumerate(reflect(np.arange(place - reach, place + reach + 1), size)):
            matrices[:, place, pixel] += bank[:, tap]
    return matrices
