"""What every formula asks of its arrays: floats wide enough to sum, shapes that fit."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

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


@runtime_checkable
class AnyArray(Protocol):
    """An array of JAX or NumPy, a traced one, or what another library wraps around one, such as `nnx.Param`."""

    shape: Any
    dtype: Any
    ndim: Any


def arrays(**values: Any) -> None:
    """ValueError by name for lists, tuples, numbers and pytrees."""
    for name, value in values.items():
        if not isinstance(value, AnyArray):
            raise ValueError(
                f"{name} is a {type(value).__name__}, but must be an array: convert numbers and lists of numbers "
                "with jnp.asarray, give the arrays of a pytree one by one"
            )


def floats(**values: Array) -> list[Array]:
    """The arrays in one dtype to compute in: float64 if any has it, else float32.

    Halves are widened. ValueError for integers, which are not scaled to a model's range yet.
    """
    arrays(**values)
    for name, array in values.items():
        if not jnp.issubdtype(array.dtype, jnp.floating):
            raise ValueError(f"{name} is {array.dtype}, but must be floating: scale and convert it")
    # Without 64 bits JAX takes float64 of NumPy for float32.
    wide = any(jax.dtypes.canonicalize_dtype(array.dtype) == jnp.float64 for array in values.values())
    dtype = jnp.float64 if wide else jnp.float32
    return [jnp.asarray(array, dtype) for array in values.values()]


def number(name: str, value: Array | float, dtype: Any) -> Array:
    """One number, given as such or as an array (), in a dtype."""
    if not isinstance(value, int | float):
        arrays(**{name: value})
        if value.shape:
            raise ValueError(f"{name} has shape {value.shape}, but must be one number: nothing broadcasts")
    return jnp.asarray(value, dtype)


def same_shape(**values: Array) -> list[Array]:
    """`floats`, after a check that no array would broadcast against another."""
    arrays(**values)
    if len({array.shape for array in values.values()}) > 1:
        raise ValueError(f"{_listed(values)} differ: give arrays of one shape, nothing broadcasts")
    return floats(**values)


def batched(**values: Array) -> list[Array]:
    """`same_shape`, after a check that there is a batch axis, and an example."""
    arrays(**values)
    for name, array in values.items():
        if array.ndim == 0:
            raise ValueError(f"{name} has shape (), but must have a batch axis: give (B, ...)")
        if array.shape[0] == 0:
            raise ValueError(f"{name} has shape {array.shape}, but must hold an example: the batch is empty")
    return same_shape(**values)


def per_example(**values: Array) -> list[Array]:
    """`batched`, after a check that each array holds one number for each example, (B,)."""
    arrays(**values)
    if any(array.ndim != 1 for array in values.values()):
        raise ValueError(
            f"{_listed(values)}: expected (B,), one number an example; drop an axis of size one with squeeze(-1), "
            "map a loss over patches, jax.vmap(loss, 1, 1) of scores.reshape(len(scores), -1), or take a critic's mean "
            "over them, scores.reshape(len(scores), -1).mean(axis=1), where a slope is wanted"
        )
    return batched(**values)


def ranked(axes: str, **values: Array) -> list[Array]:
    """`same_shape`, after a check that the arrays have the named axes, such as "B, K", none of them of size 0."""
    arrays(**values)
    for name, array in values.items():
        if array.ndim != len(axes.split(",")):
            raise ValueError(f"{name} has shape {array.shape}, but must have the axes ({axes})")
        if 0 in array.shape:
            raise ValueError(f"{name} has shape {array.shape}, but must have axes ({axes}) that are not empty")
    return same_shape(**values)


def column(values: Array, like: Array, name: str) -> Array:
    """One number for each example of `like`, (B,) to (B, 1, ..., 1), in the dtype of `like`."""
    arrays(**{name: values})
    if jnp.issubdtype(values.dtype, jax.dtypes.prng_key):
        raise ValueError(f"{name} is a random key: give jax.random.uniform(key, {like.shape[:1]})")
    if values.shape != like.shape[:1]:
        raise ValueError(
            f"{name} has shape {values.shape}, but must be {like.shape[:1]} for data of shape "
            f"{like.shape}: give one number for each example"
        )
    (values,) = floats(**{name: values})
    return values.reshape(-1, *(1,) * (like.ndim - 1)).astype(like.dtype)


def class_numbers(labels: Array, logits: Array) -> Array:
    """Labels in int32, after a check that there is an integer for each row of logits (B, K)."""
    arrays(labels=labels)
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
    """Mean over all axes but the first, none of them of size 0."""
    if 0 in values.shape[1:]:
        raise ValueError(f"examples have shape {values.shape[1:]}, but must hold a value to take the mean of")
    return values.mean(axis=tuple(range(1, values.ndim)))


def correlate(values: Array, kernel: Sequence[float], axis: int) -> Array:
    """sum over k of kernel[k] x[i + k] along an axis, for the i at which the kernel lies inside."""
    size = values.shape[axis] - len(kernel) + 1
    terms = [weight * jax.lax.slice_in_dim(values, k, k + size, axis=axis) for k, weight in enumerate(kernel)]
    return functools.reduce(jnp.add, terms)


def _listed(values: dict[str, Array]) -> str:
    return "shapes " + ", ".join(f"{name} {array.shape}" for name, array in values.items())
