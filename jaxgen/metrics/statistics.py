"""Mean and covariance of features that arrive in batches, on devices, in processes.

Sums of squares are kept around the mean of what they sum over, so that nothing cancels, and parts are joined by

    mean = sum_p n_p mean_p / n,    scatter = sum_p scatter_p + n_p (mean_p - mean)(mean_p - mean)^T    (1)

- Chan, Golub, LeVeque: Algorithms for Computing the Sample Variance, 1983, The American Statistician 37.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from jaxgen import parallel
from jaxgen.losses._arrays import Floats, floats
from jaxgen.metrics._samples import samples

Square = Float[Array, "d d"]


class Moments(NamedTuple):
    """What a set of features leaves behind: 4 d^2 bytes in float32, however many there were."""

    count: Int[Array, ""]
    mean: Float[Array, "d"]
    scatter: Square  # sum of (x - mean)(x - mean)^T


def no_moments(num_features: int, dtype: Any = jnp.float32) -> Moments:
    """Of no features at all: where a sum over batches starts.

    >>> no_moments(2).scatter.shape
    (2, 2)
    """
    zeros = jnp.zeros(num_features, dtype)
    return Moments(jnp.zeros((), jnp.int32), zeros, zeros[:, None] * zeros[None])


def moments(features: Floats, *, axis_name: str | None = None) -> Moments:
    """Count, mean and scatter of a batch of features, or of the batches of all devices along `axis_name`.

    Over a batch that `jax.jit` finds sharded, XLA inserts the same sums.

    Args:
        features: (N, d), float32 or wider.
        axis_name: None, or an axis of `shard_map` or `pmap` over which the batch is cut.

    Raises:
        ValueError: unless features are (N, d) with an example.

    >>> found = moments(jnp.array([[0.0, 1.0], [2.0, 1.0]]))
    >>> found.count, found.mean
    (Array(2, dtype=int32), Array([1., 1.], dtype=float32))
    """
    (features,) = samples(features=features)
    mean = features.mean(axis=0)
    centred = features - mean[None]
    part = Moments(jnp.asarray(len(features), jnp.int32), mean, jnp.matmul(centred.T, centred, precision="highest"))
    return part if axis_name is None else _together(part, axis_name)


def merge(first: Moments, second: Moments) -> Moments:
    """The moments of both sets together, equation (1): of two batches, two processes, two files.

    Raises:
        ValueError: if the features have different lengths.

    >>> one, two = moments(jnp.array([[0.0]])), moments(jnp.array([[2.0], [4.0]]))
    >>> merge(one, two).mean
    Array([2.], dtype=float32)
    """
    _require_moments(first=first, second=second)
    if first.mean.shape != second.mean.shape:
        raise ValueError(
            f"moments of features of length {first.mean.shape} and {second.mean.shape} cannot be merged: "
            "use one extractor for both"
        )
    count = max(first.count, second.count, key=lambda count: count.dtype.itemsize).dtype
    means, scatters = (floats(first=a, second=b) for a, b in zip(first[1:], second[1:], strict=True))
    counts = [part.count.astype(count) for part in (first, second)]
    stacked = Moments(*(jnp.stack(leaves) for leaves in (counts, means, scatters)))
    return jax.vmap(partial(_together, axis_name="parts"), axis_name="parts", out_axes=None)(stacked)


def covariance(moments: Moments) -> Square:
    """scatter / (N - 1): the unbiased covariance. All NaN of fewer than two examples inside a transformation.

    Raises:
        ValueError: of fewer than two examples, where the count is known: not under `jit`.

    >>> covariance(moments(jnp.array([[0.0], [2.0]])))
    Array([[2.]], dtype=float32)
    """
    _require_two(moments=moments)
    dtype = moments.scatter.dtype
    divisor = jnp.where(moments.count > 1, (moments.count - 1).astype(dtype), jnp.asarray(jnp.nan, dtype))
    return moments.scatter / divisor


def _together(part: Moments, axis_name: str) -> Moments:
    """Equation (1) over the parts along an axis, of devices or of `vmap`."""
    total = partial(parallel.psum, axis_name=axis_name)
    count, weight = total(part.count), part.count.astype(part.mean.dtype)
    mean = total(weight * part.mean) / jnp.maximum(count, 1).astype(part.mean.dtype)
    shift = part.mean - mean
    return Moments(count, mean, total(part.scatter + weight * shift[:, None] * shift[None]))


def _require_two(**values: Moments) -> None:
    """ValueError by name for the moments of fewer than two examples; a count that is being traced is not known."""
    _require_moments(**values)
    for name, value in values.items():
        if not isinstance(value.count, Tracer) and value.count < 2:
            raise ValueError(f"{name} are moments of {value.count} examples, but a covariance needs at least 2")


def _require_moments(**values: Moments) -> None:
    """ValueError by name for features in place of their moments."""
    for name, value in values.items():
        if not isinstance(value, Moments):
            raise ValueError(f"{name} is a {type(value).__name__}, but must be Moments: give moments(features)")
