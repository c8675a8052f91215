"""What every formula asks of its arrays: floats wide enough to sum, shapes that fit."""

import functools
from collections.abc import Callable, Sequence
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Integer

Floats: TypeAlias = Float[Array, "..."]
"""Floats whose shape the function checks itself, with a ValueError."""

Scores: TypeAlias = Float[Array, "..."]
"""One logit, score or energy for each example, (B,). Other shapes are refused with a ValueError."""

Integers: TypeAlias = Integer[Array, "..."]
"""Integers whose shape the function checks itself, with a ValueError."""

Critic: TypeAlias = Callable[[Array], Array]
"""A batch of data (B, ...) to scores (B,), each example on its own."""


def floats(**arrays: Array) -> list[Array]:
    """The arrays in one dtype to compute in: float64 if any has it, else float32.

    Halves are widened. ValueError for integers, which nobody has scaled to a model's range yet.
    """
    for name, array in arrays.items():
        if not jnp.issubdtype(array.dtype, jnp.floating):
            raise ValueError(f"{name} is {array.dtype}, but must be floating: scale and convert it")
    wide = any(array.dtype == jnp.float64 for array in arrays.values())
    dtype = jnp.float64 if wide else jnp.float32
    return [jnp.asarray(array, dtype) for array in arrays.values()]


def same_shape(**arrays: Array) -> list[Array]:
    """`floats`, after a check that no array would broadcast against another."""
    if len({array.shape for array in arrays.values()}) > 1:
        raise ValueError(f"{_listed(arrays)} differ: give arrays of one shape, nothing broadcasts")
    return floats(**arrays)


def batched(**arrays: Array) -> list[Array]:
    """`same_shape`, after a check that there is a batch axis."""
    for name, array in arrays.items():
        if array.ndim == 0:
            raise ValueError(f"{name} has shape (), but must have a batch axis: give (B, ...)")
    return same_shape(**arrays)


def per_example(**arrays: Array) -> list[Array]:
    """`same_shape`, after a check that each array holds one number for each example, (B,)."""
    if any(array.ndim != 1 for array in arrays.values()):
        raise ValueError(
            f"{_listed(arrays)}: expected (B,), one number for each example; drop an axis of size "
            "one with squeeze(-1), flatten the scores of patches with reshape(-1)"
        )
    return same_shape(**arrays)


def ranked(axes: str, **arrays: Array) -> list[Array]:
    """`same_shape`, after a check that the arrays have the named axes, such as "B, K"."""
    for name, array in arrays.items():
        if array.ndim != len(axes.split(",")):
            raise ValueError(f"{name} has shape {array.shape}, but must have the axes ({axes})")
    return same_shape(**arrays)


def column(values: Array, like: Array, name: str) -> Array:
    """One number for each example of `like`, (B,) to (B, 1, ..., 1), in the dtype of `like`."""
    if values.shape != like.shape[:1]:
        raise ValueError(
            f"{name} has shape {values.shape}, but must be {like.shape[:1]} for data of shape "
            f"{like.shape}: give one number for each example"
        )
    (values,) = floats(**{name: values})
    return values.reshape(-1, *(1,) * (like.ndim - 1)).astype(like.dtype)


def class_numbers(labels: Array, logits: Array) -> Array:
    """Labels in int32, after a check that there is an integer for each row of logits (B, K)."""
    if labels.shape != logits.shape[:1] or not jnp.issubdtype(labels.dtype, jnp.integer):
        raise ValueError(
            f"labels are {labels.dtype} {labels.shape}, but must be integers {logits.shape[:1]} "
            f"for logits {logits.shape}: give class numbers, not one-hot rows"
        )
    return labels.astype(jnp.int32)


def sum_per_example(values: Array) -> Array:
    """Sum over all axes but the first."""
    return values.sum(axis=tuple(range(1, values.ndim)))


def mean_per_example(values: Array) -> Array:
    """Mean over all axes but the first."""
    return values.mean(axis=tuple(range(1, values.ndim)))


def correlate(values: Array, kernel: Sequence[float], axis: int) -> Array:
    """sum over k of kernel[k] x[i + k] along an axis, for the i at which the kernel lies inside."""
    size = values.shape[axis] - len(kernel) + 1
    terms = [weight * jax.lax.slice_in_dim(values, k, k + size, axis=axis) for k, weight in enumerate(kernel)]
    return functools.reduce(jnp.add, terms)


def _listed(arrays: dict[str, Array]) -> str:
    return "shapes " + ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
