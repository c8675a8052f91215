"""Affine maps of colours: brightness, contrast, hue and their kin as matrices, and images recoloured by them.

Karras, Aittala, Hellsten, Laine, Lehtinen, Aila: Training Generative Adversarial Networks with Limited Data, 2020,
arXiv 2006.06676, appendix B.

A map is a matrix (4, 4) of homogeneous colours (red, green, blue, 1), for values in [-1, 1]. That of T_1, then T_2, is
T_2 T_1. The luma axis v = (1, 1, 1) / sqrt(3) holds the greys.
"""

import math
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxgen.checks import require
from jaxgen.typing import Images, Scalar

ColorMap: TypeAlias = Float[Array, "4 4"]
ColorMaps: TypeAlias = Float[Array, "batch 4 4"]

LUMA = np.outer([1, 1, 1, 0], [1, 1, 1, 0]).astype(np.float32) / 3
"""v v': the projection on the greys."""

CHROMA = np.diag([1, 1, 1, 0]).astype(np.float32) - LUMA
"""I - v v': the projection on the differences from grey."""


def brightness(amount: Scalar) -> ColorMap:
    """Each of the three values plus an amount.

    >>> brightness(jnp.float32(0.5))[:, 3].tolist()
    [0.5, 0.5, 0.5, 1.0]
    """
    return jnp.eye(4, dtype=jnp.float32).at[:3, 3].set(amount)


def contrast(factor: Scalar) -> ColorMap:
    """Each of the three values times a factor.

    >>> jnp.diag(contrast(jnp.float32(2.0))).tolist()
    [2.0, 2.0, 2.0, 1.0]
    """
    return jnp.diag(jnp.stack([factor, factor, factor, jnp.ones((), factor.dtype)]))


def luma_flip(flipped: Bool[Array, ""]) -> ColorMap:
    """I - 2 v v': dark exchanged with light, hue and saturation the same."""
    return jnp.eye(4, dtype=jnp.float32) - jnp.where(flipped, 2.0, 0.0) * LUMA


def hue(angle: Scalar) -> ColorMap:
    """A turn about the luma axis by radians: at a third of a turn red becomes green, green blue and blue red."""
    cross = np.zeros((4, 4), np.float32)
    cross[:3, :3] = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    versine = 1.0 - jnp.cos(angle)
    return jnp.eye(4, dtype=jnp.float32) - versine * CHROMA + jnp.sin(angle) * cross


def saturation(factor: Scalar) -> ColorMap:
    """v v' + (I - v v') times a factor: the distance from grey is multiplied."""
    return jnp.eye(4, dtype=jnp.float32) + (factor - 1.0) * CHROMA


def recolor(images: Images, maps: ColorMaps) -> Images:
    """Each image with its map applied to each pixel; of grey images the mean of what the three colours would be.

    ValueError for images of neither one nor three channels.
    """
    channels = images.shape[3]
    require(channels in (1, 3), "channels of images", channels, "1 or 3, for a transformation of colours")
    linear, offset = maps[:, :3, :3], maps[:, :3, 3]
    if channels == 1:
        linear, offset = linear.sum(2).mean(1)[:, None, None], offset.mean(1, keepdims=True)
    highest = jax.lax.Precision.HIGHEST
    colors = jnp.einsum("bij,bhwj->bhwi", linear, images.astype(jnp.float32), precision=highest)
    return (colors + offset[:, None, None]).astype(images.dtype)
