"""Between stored pixels (uint8, 0 to 255) and the float range in which a model works."""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped, UInt8

from jaxgen.checks import require

ValueRange = tuple[float, float] | None
"""Lowest and highest value of a model's images; None for data without bounds."""


RANGES: tuple[ValueRange, ...] = ((-1.0, 1.0), (0.0, 1.0), None)
"""The ranges that `squash` can give: by tanh, by sigmoid, and none."""


def require_range(value_range: ValueRange) -> None:
    """ValueError unless `squash` can give the range."""
    require(value_range in RANGES, "value_range", value_range, "(-1, 1), (0, 1) or None")


def scale(batch: Shaped[Array, "*shape"], value_range: ValueRange = (-1.0, 1.0)) -> Float[Array, "*shape"]:
    """Pixels 0..255 to `value_range`, float32; floats pass as they are, being in range already.

    >>> scale(jnp.array([0, 255], jnp.uint8), (-1.0, 1.0))
    Array([-1.,  1.], dtype=float32)
    """
    require(batch.shape[:1] != (0,), "batch size", 0, "at least 1")
    if jnp.issubdtype(batch.dtype, jnp.floating):
        return batch
    if batch.dtype != jnp.uint8:
        raise ValueError(f"batch has dtype {batch.dtype}; give uint8 pixels or floats in range")
    if value_range is None:
        raise ValueError("uint8 pixels need a value_range such as (-1.0, 1.0), not None")
    low, high = value_range
    return low + batch.astype(jnp.float32) * ((high - low) / 255.0)


def to_pixels(images: Float[Array, "*shape"], value_range: ValueRange = (-1.0, 1.0)) -> UInt8[Array, "*shape"]:
    """The nearest pixel values of images in `value_range`, clipped to 0..255.

    >>> to_pixels(jnp.array([-1.0, 0.0, 3.0]), (-1.0, 1.0))
    Array([  0, 128, 255], dtype=uint8)
    """
    if value_range is None:
        raise ValueError("data without bounds (value_range None) has no pixels; draw it otherwise")
    low, high = value_range
    unit = (images.astype(jnp.float32) - low) / (high - low)
    return jnp.clip(jnp.round(unit * 255.0), 0.0, 255.0).astype(jnp.uint8)


def centred(images: Float[Array, "*shape"], value_range: ValueRange) -> Float[Array, "*shape"]:
    """Images of a value range in [-1, 1], as networks of features take them; data without bounds as they are.

    >>> centred(jnp.array([0.0, 0.25, 1.0]), (0.0, 1.0))
    Array([-1. , -0.5,  1. ], dtype=float32)
    """
    low, high = (-1.0, 1.0) if value_range is None else value_range
    return (2 * images - high - low) / (high - low)


def squash(outputs: Float[Array, "*shape"], value_range: ValueRange) -> Float[Array, "*shape"]:
    """A network's outputs bounded to `value_range`: tanh for (-1, 1), sigmoid for (0, 1), as they are for None."""
    match value_range:
        case None:
            return outputs
        case (-1.0, 1.0):
            return jnp.tanh(outputs)
        case (0.0, 1.0):
            return jax.nn.sigmoid(outputs)
        case _:
            raise ValueError(f"value_range is {value_range}, but must be (-1, 1), (0, 1) or None")


def clip(images: Float[Array, "*shape"], value_range: ValueRange) -> Float[Array, "*shape"]:
    """Images cut to `value_range`, as they are for None.

    >>> clip(jnp.array([-2.0, 0.5]), (-1.0, 1.0))
    Array([-1. ,  0.5], dtype=float32)
    """
    return images if value_range is None else images.clip(*value_range)


def binarized(
    images: Float[Array, "batch *shape"],
    keys: jax.Array,
    value_range: tuple[float, float],
    how: Literal["each_step", "once", "threshold"],
) -> Float[Array, "batch *shape"]:
    """Pixels of 0 and 1 of grey levels, which are their probabilities, or 1 above half of the range ("threshold").

    Drawn "once", an image has the same pixels each time it comes: its noise is a function of the image.

    Args:
        images: in the value range.
        keys: one for each image, for "each_step".
        value_range: of the images.
        how: see above.
    """
    low, high = value_range
    grey = (images - low) / (high - low)
    if how == "threshold":
        return (grey > 0.5).astype(grey.dtype)
    keys = content_keys(images, value_range) if how == "once" else keys
    return jax.vmap(jax.random.bernoulli)(keys, grey).astype(grey.dtype)


def content_keys(images: Float[Array, "batch *shape"], value_range: ValueRange) -> jax.Array:
    """A key for each image that depends on its pixels alone: the same image has the same noise, in any batch.

    Pixels are taken at 256 levels; the hash is their sum, multiplied by random 32-bit numbers, modulo 2^32.
    """
    low, high = value_range or (0.0, 1.0)
    levels = jnp.round((images - low) * (255.0 / (high - low))).astype(jnp.uint32).reshape(images.shape[0], -1)
    multipliers = jax.random.bits(jax.random.key(1), levels.shape[1:], jnp.uint32)
    hashes = (levels * multipliers[None]).sum(axis=1, dtype=jnp.uint32)
    return jax.vmap(lambda value: jax.random.fold_in(jax.random.key(0), value))(hashes)
