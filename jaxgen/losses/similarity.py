"""Structural similarity as a loss: 1 - SSIM and 1 - MS-SSIM.

Images x and y are compared through the local means m, variances v and covariance c under a
Gaussian window, wherever the window lies inside the image, with l = (2 m_x m_y + C_1) /
(m_x^2 + m_y^2 + C_1), cs = (2 c + C_2) / (v_x + v_y + C_2), C_1 = (K_1 L)^2, C_2 = (K_2 L)^2, K_1 =
0.01, K_2 = 0.03 and L the range of the data.

- Wang, Bovik, Sheikh, Simoncelli: Image Quality Assessment: From Error Visibility to Structural
  Similarity, 2004, IEEE Transactions on Image Processing 13.
- Wang, Simoncelli, Bovik: Multiscale Structural Similarity for Image Quality Assessment, 2003,
  Asilomar Conference on Signals, Systems and Computers.
- Zhao et al.: Loss Functions for Image Restoration with Neural Networks, 2015, arXiv 1511.08861.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from jaxgen.losses._arrays import Floats, correlate, ranked
from jaxgen.typing import PerExample

K_1, K_2 = 0.01, 0.03
MULTISCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""The exponents of the scales, finest first: section 3.2 of Wang, Simoncelli, Bovik."""


def ssim_error(
    outputs: Floats,
    targets: Floats,
    *,
    data_range: float,
    window: int = 11,
    stddev: float = 1.5,
) -> PerExample:
    """1 - mean of l cs: equation 13 of Wang et al. 2004, from 0 for equal images to 2.

    Args:
        outputs: y, (B, height, width, channels), each channel on its own.
        targets: x, in the same shape.
        data_range: L, the distance of the smallest and the largest possible value.
        window: side of the window in pixels.
        stddev: of the Gaussian window in pixels.

    Returns:
        One value for each example, (B,), the mean over windows and channels.

    Raises:
        ValueError: if the shapes differ, have not four axes, or the window is larger than they.

    >>> import jax.numpy as jnp
    >>> images = jnp.linspace(0.0, 1.0, 144).reshape(1, 12, 12, 1)
    >>> ssim_error(images, images, data_range=1.0)
    Array([0.], dtype=float32)
    """
    outputs, targets = ranked("B, height, width, channels", outputs=outputs, targets=targets)
    luminance, structure = _similarity(outputs, targets, data_range, window, stddev)
    return (1 - luminance * structure).mean(axis=(1, 2, 3))


def ms_ssim_error(
    outputs: Floats,
    targets: Floats,
    *,
    data_range: float,
    window: int = 11,
    stddev: float = 1.5,
    weights: Sequence[float] = MULTISCALE_WEIGHTS,
) -> PerExample:
    """1 - mean(l cs)_M^(w_M) * product over scales j < M of mean(cs)_j^(w_j): equation 7 of 2003.

    Each scale is the mean of 2 x 2 pixels of the one before. Channels are compared on their own and
    averaged. Negative means are cut off at zero, where the gradient is zero.

    Args:
        outputs: y, (B, height, width, channels).
        targets: x, in the same shape.
        data_range: L, the distance of the smallest and the largest possible value.
        window: side of the window in pixels, at every scale.
        stddev: of the Gaussian window in pixels.
        weights: w, an exponent for each scale, finest first.

    Returns:
        One value for each example, (B,).

    Raises:
        ValueError: if the shapes differ, have not four axes, or the window is larger than the image
            at the coarsest scale: five scales and a window of 11 need 176 pixels.

    >>> import jax.numpy as jnp
    >>> images = jnp.linspace(0.0, 1.0, 484).reshape(1, 22, 22, 1)
    >>> ms_ssim_error(images, images, data_range=1.0, weights=(0.5, 0.5))
    Array([0.], dtype=float32)
    """
    outputs, targets = ranked("B, height, width, channels", outputs=outputs, targets=targets)
    needed = window * 2 ** (len(weights) - 1)
    if min(outputs.shape[1:3]) < needed:
        raise ValueError(
            f"images of shape {outputs.shape} are too small: {len(weights)} scales of a window of "
            f"{window} need {needed} pixels; give fewer weights or a smaller window"
        )
    similarity = jnp.ones((outputs.shape[0], outputs.shape[3]), outputs.dtype)
    for scale, weight in enumerate(weights):
        luminance, structure = _similarity(outputs, targets, data_range, window, stddev)
        last = scale == len(weights) - 1
        mean = (luminance * structure if last else structure).mean(axis=(1, 2))
        similarity = similarity * _power(mean, weight)
        outputs, targets = _halve(outputs), _halve(targets)
    return 1 - similarity.mean(axis=1)


def _similarity(x: Floats, y: Floats, data_range: float, window: int, stddev: float) -> tuple[Floats, Floats]:
    """Luminance l and contrast-structure cs of each window."""
    if min(x.shape[1:3]) < window:
        raise ValueError(f"images of shape {x.shape} are smaller than the window of {window}: give a smaller window")
    blurred = _blur(jnp.stack([x, y, x * x, y * y, x * y]), window, stddev)
    mean_x, mean_y, xx, yy, xy = blurred
    c_1, c_2 = (K_1 * data_range) ** 2, (K_2 * data_range) ** 2
    luminance = (2 * mean_x * mean_y + c_1) / (mean_x**2 + mean_y**2 + c_1)
    variances = xx - mean_x**2 + yy - mean_y**2
    structure = (2 * (xy - mean_x * mean_y) + c_2) / (variances + c_2)
    return luminance, structure


def _blur(stacked: Floats, window: int, stddev: float) -> Floats:
    """Gaussian means of (maps, B, height, width, channels), where the window lies inside."""
    offsets = np.arange(window) - (window - 1) / 2
    kernel = np.exp(-((offsets / stddev) ** 2) / 2)
    kernel = (kernel / kernel.sum()).tolist()
    return correlate(correlate(stacked, kernel, axis=2), kernel, axis=3)


def _halve(images: Floats) -> Floats:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    batch, height, width, channels = images.shape
    even = images[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(batch, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def _power(base: Floats, exponent: float) -> Floats:
    """max(base, 0)^exponent, with gradient zero where base <= 0."""
    cut = base <= 0  # not `base > 0` negated: a NaN must stay NaN
    return jnp.where(cut, 0.0, jnp.where(cut, 1.0, base) ** exponent)
