"""Resampling by whole factors with any finite impulse response filter: zeros between, filter, every so many kept.

    y[o] = sum_t f[t] z[down o + t - l],    z[up i] = x[i], zeros elsewhere,

along rows and along columns, with l zeros before the upsampled images and h behind them; negative numbers crop. Taps
count from the first to the last place, as in `convolution.conv`: a filter that is no mirror image of itself is not
turned.

Each axis is a product with a banded matrix for maps of up to 128 rows or columns, and a sum of shifted maps above. The
products are 5 times as fast on a CPU, though they multiply by zeros: forward and backward for (8, 36, 36, 32) they take
10 ms for 12 taps up by 2 and 19 ms for 24 taps up by 4, the sums 70 ms and 69 ms, and depthwise convolutions 0.9 s and
2.0 s (one busy core of an AMD EPYC). For (2, 148, 148, 16) the sums are the faster ones: 135 ms against 173 ms up by 2.

A filter of two axes is a sum of products of rows and columns, from its singular values: six for one of 12 by 12 taps
that is symmetric.
"""

from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jaxgen.checks import require
from jaxgen.nets.convolution_algebra import Outputs
from jaxgen.nets.filters import Taps
from jaxgen.typing import Images

LARGEST_PRODUCT = 128
"""Rows or columns up to which an axis is filtered by a matrix."""


def upfirdn(
    images: Images, taps: npt.ArrayLike, *, up: int = 1, down: int = 1, padding: tuple[int, int] = (0, 0)
) -> Outputs:
    """The images upsampled, padded, filtered and downsampled, along both axes.

    Args:
        images: (batch, height, width, channels).
        taps: (n,), for rows and for columns, or (n, m); known when this is traced.
        up: places for each one of the images.
        down: filtered places for each one that is kept; up or down is 1.
        padding: zeros before and behind the upsampled images; negative ones crop.

    Raises:
        ValueError: for both factors above 1, another rank of the taps, or images smaller than the filter.
    """
    require(
        up >= 1 and down >= 1 and min(up, down) == 1, "(up, down)", (up, down), "one of them 1, the other too or more"
    )
    rows, columns = _separated(np.asarray(taps, np.float64))
    for size, num in zip(images.shape[1:3], (rows.shape[1], columns.shape[1]), strict=True):
        padded = size * up + sum(padding)
        require(padded >= num, "padded size", padded, f"at least {num}, the number of taps")
    if max(images.shape[1:3]) <= LARGEST_PRODUCT:
        return _products(images, rows, columns, (up, down, padding[0], padding[1]))
    terms = [
        _along(_along(images, 1, row, up, down, padding), 2, column, up, down, padding)
        for row, column in zip(rows, columns, strict=True)
    ]
    return reduce(jnp.add, terms)


def _separated(taps: Taps) -> tuple[Taps, Taps]:
    """Filters of rows and of columns, (rank, n) and (rank, m), whose products add up to the taps."""
    if taps.ndim == 1:
        return taps[None], taps[None]
    require(taps.ndim == 2, "shape of taps", taps.shape, "(n,) or (n, m)")
    left, values, right = np.linalg.svd(taps)
    rank = max(1, int((values > 1e-9 * values[0]).sum()))
    return (left[:, :rank] * values[:rank]).T, right[:rank]


def _products(images: Images, rows: Taps, columns: Taps, settings: tuple[int, int, int, int]) -> Outputs:
    """Columns first, for each term of a filter's sum, then rows, summed over the terms as well."""
    batch, height, width, channels = images.shape
    rank = rows.shape[0]
    rows, columns = (
        np.stack([_matrix(each, size, *settings) for each in filters])
        for filters, size in ((rows, height), (columns, width))
    )  # (rank, outputs, inputs)
    out_rows, out_columns = rows.shape[1], columns.shape[1]
    inner = jnp.asarray(columns.reshape(rank * out_columns, width), images.dtype)
    outer = jnp.asarray(rows.transpose(1, 2, 0).reshape(out_rows, height * rank), images.dtype)
    hidden = _each(inner, images.reshape(batch * height, width, channels))
    hidden = _each(outer, hidden.reshape(batch, height * rank, out_columns * channels))
    return hidden.reshape(batch, out_rows, out_columns, channels)


def _each(matrix: jax.Array, batch: jax.Array) -> jax.Array:
    """The matrix times each (inputs, channels) of a batch: much faster on a CPU than one product of two axes."""
    return jnp.broadcast_to(matrix[None], (batch.shape[0], *matrix.shape)) @ batch


def _matrix(taps: Taps, size: int, up: int, down: int, low: int, high: int) -> Taps:
    """The matrix of one axis: f[up i - down o + l] for output o and input i."""
    outputs = np.arange((size * up + low + high - len(taps)) // down + 1)
    places = up * np.arange(size)[None, :] - down * outputs[:, None] + low
    return np.where((places >= 0) & (places < len(taps)), taps[places.clip(0, len(taps) - 1)], 0.0)


def _along(images: Images, axis: int, taps: Taps, up: int, down: int, padding: tuple[int, int]) -> Outputs:
    """One axis as sums of shifted maps: one sum for each of the `up` outputs between two places."""
    size, low = images.shape[axis], padding[0]
    outputs = (size * up + sum(padding) - len(taps)) // down + 1
    num = -(-outputs // up)  # of each phase

    def shifted(phase: int) -> list[tuple[float, int]]:
        found = [(float(tap), *divmod(place + phase - low, up)) for place, tap in enumerate(taps)]
        return [(tap, start) for tap, start, rest in found if rest == 0]

    phases = [shifted(phase) for phase in range(up)]
    starts = [start for each in phases for _, start in each]
    before, last = max(0, -min(starts)), max(starts) + (num - 1) * down
    pads = [(before, max(0, last + 1 - size)) if place == axis else (0, 0) for place in range(images.ndim)]
    padded = jnp.pad(images, pads)

    def taken(start: int) -> jax.Array:
        return jax.lax.slice_in_dim(padded, start + before, start + before + (num - 1) * down + 1, down, axis)

    sums = [reduce(jnp.add, [tap * taken(start) for tap, start in each]) for each in phases]
    shape = (*images.shape[:axis], num * up, *images.shape[axis + 1 :])
    return jax.lax.slice_in_dim(jnp.stack(sums, axis + 1).reshape(shape), 0, outputs, 1, axis)
