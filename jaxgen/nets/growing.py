"""What networks that grow share: sizes, widths, and the fade from one size to the next.

Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and Variation, 2017, arXiv
1710.10196. A network has maps s = 0, 1, ..., each with twice the sides of the one before.
"""

import jax
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.nets.image_shapes import halved, image_shape
from jaxgen.typing import Shape


def doublings(shape: Shape, smallest: int) -> int:
    """From a map of height `smallest` to an image of that shape. ValueError unless there is a whole number of them."""
    require(smallest >= 1, "smallest", smallest, "at least 1")
    height, _, _ = image_shape(shape)
    num = max(0, (height // smallest).bit_length() - 1)
    require(
        smallest << num == height, "height of images", height, f"{smallest}, the smallest map's, doubled some times"
    )
    halved(shape, num)
    return num


def channels_at(level: int, base: int, maximum: int) -> int:
    """min(base / 2^(s + 1), maximum), rounded down, for map s."""
    channels = min(base >> (level + 1), maximum)
    require(channels >= 1, "base and maximum", (base, maximum), f"enough for a channel after {level} doublings")
    return channels


def fade(new: jax.Array, old: jax.Array, alpha: Float[Array, ""]) -> jax.Array:
    """alpha new + (1 - alpha) old, in their type."""
    share = alpha.astype(new.dtype)
    return share * new + (1 - share) * old


def require_smaller(alpha: Float[Array, ""] | None, level: int) -> None:
    """ValueError for an alpha where there is no smaller size."""
    require(alpha is None or level > 0, "alpha", alpha, "None at the smallest size")
