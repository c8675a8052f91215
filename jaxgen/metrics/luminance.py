"""What the literature of super-resolution compares: the luminance of images, without a border.

ITU-R Recommendation BT.601, 1982, in the form of MATLAB's rgb2ycbcr. The images are compared by `psnr` and `ssim`
after a border of as many pixels as the scale of enlargement is cut away: Ledig et al.: Photo-Realistic Single Image
Super-Resolution Using a Generative Adversarial Network, 2016, arXiv 1609.04802, section 3.1.
"""

import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, ranked
from jaxgen.typing import Images

WEIGHTS, OFFSET = (65.481, 128.553, 24.966), 16.0
"""Of red, green and blue in [0, 1], and of black: black is 16 and white 235 of 255."""


def luminance(images: Floats) -> Images:
    """Y = (65.481 R + 128.553 G + 24.966 B + 16) / 255, of images in [0, 1]; grey images are their own.

    Args:
        images: (B, height, width, 1 or 3), in [0, 1].

    Returns:
        (B, height, width, 1), from 16 / 255 to 235 / 255 for colours.

    Raises:
        ValueError: unless images have four axes and one or three channels.

    >>> round(255 * float(luminance(jnp.ones((1, 1, 1, 3)))[0, 0, 0, 0]), 2)
    235.0
    """
    (images,) = ranked("B, height, width, channels", images=images)
    require(images.shape[3] in (1, 3), "channels of the images", images.shape[3], "1 or 3")
    if images.shape[3] == 1:
        return images
    weights = jnp.array(WEIGHTS, images.dtype)[None, None, None]
    return ((images * weights).sum(axis=3, keepdims=True) + OFFSET) / 255.0


def without_border(images: Floats, border: int) -> Images:
    """The images without so many rows and columns at each side.

    Args:
        images: (B, height, width, channels).
        border: rows and columns to cut at each side.

    Raises:
        ValueError: unless images have four axes and are larger than both borders.

    >>> without_border(jnp.zeros((1, 5, 7, 3)), 2).shape
    (1, 1, 3, 3)
    """
    (images,) = ranked("B, height, width, channels", images=images)
    height, width = images.shape[1:3]
    require(0 <= border < (min(height, width) + 1) // 2, "border", border, f"below half of {height}x{width}")
    return images[:, border : height - border, border : width - border]
