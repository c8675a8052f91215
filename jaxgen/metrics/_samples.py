"""What every metric asks of its samples: features (N, d) of one length, enough of them, in one float type."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, arrays, floats

BLOCK = 1024
"""Queries that one step compares with all references: with 50,000 of them, 200 MB of float32 distances."""


def samples(at_least: int = 1, **values: Array) -> list[Array]:
    """The arrays as floats of one type, after a check that they are (N, d) with one d and `at_least` rows each."""
    arrays(**values)
    for name, array in values.items():
        if array.ndim != 2:
            raise ValueError(f"{name} has shape {array.shape}, but must have the axes (N, d)")
        if len(array) < at_least:
            raise ValueError(f"{name} has shape {array.shape}, but must hold at least {at_least} examples")
        if array.shape[1] == 0:
            raise ValueError(f"{name} has shape {array.shape}, but must hold features of length 1 at least")
    if len({array.shape[1] for array in values.values()}) > 1:
        shapes = " and ".join(f"{name} {array.shape}" for name, array in values.items())
        raise ValueError(f"{shapes} differ in their second axis: give features of one length")
    return floats(**values)


def paired(**values: Array) -> list[Array]:
    """`samples`, after a check that all hold equally many examples."""
    arrays(**values)
    if len({array.shape[:1] for array in values.values()}) > 1:
        shapes = " and ".join(f"{name} {array.shape}" for name, array in values.items())
        raise ValueError(f"{shapes} differ in their number of examples, but must be equally many")
    return samples(1, **values)


def in_blocks(function: Callable[..., Any], arrays: Any, block_size: int) -> Any:
    """`function` of each example, `block_size` at a time, so that memory stays bounded; any number of examples."""
    require(block_size >= 1, "block_size", block_size, "at least 1")
    return jax.lax.map(function, arrays, batch_size=block_size)


def unless_nan(value: Floats, *sources: Floats) -> Floats:
    """The value, or NaN if a source holds one: every comparison with NaN is false, so that counts would hide it."""
    spoilt = jnp.stack([jnp.isnan(array).any() for array in sources]).any()
    return jnp.where(spoilt, jnp.nan, value)


def flat(images: Floats) -> Floats:
    """(N, ...) to (N, d)."""
    arrays(images=images)
    if images.ndim < 2:
        raise ValueError(f"images have shape {images.shape}, but must be (N, ...)")
    return images.reshape(len(images), math.prod(images.shape[1:]))
