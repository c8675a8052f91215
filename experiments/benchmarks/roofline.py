"""What this machine can do at best, and the least time that an update can take on it.

Matrix products, convolutions and memory are timed alone, each at the best of some sizes. An update's bound is the
longer of two times: of its products and convolutions at those rates, and of reading and writing its state once at the
speed of memory. What comes between (activations, noise, norms) is left out, so that no update reaches the bound.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks import clock, updates
from experiments.benchmarks.arithmetic import counts, flops
from experiments.benchmarks.clock import CLOCKS, Clock, Variant
from experiments.runs.experiment import model_of

SIDES = (1024, 2048)
"""Of square matrices."""
MAPS = ((64, 28, 32), (64, 14, 64), (16, 32, 128))
"""Batch, height and width, and channels on both sides of convolutions of 3x3: of the updates that are timed."""
VALUES = 2**25
"""float32 numbers that are read and written: far more than a cache holds."""


class Peaks(NamedTuple):
    """The best rates of this machine."""

    products: float  # FLOP a second of matrix products
    convolutions: float  # FLOP a second
    memory: float  # bytes a second, read and written


def measure(
    clock_name: Clock = "wall",
    seconds: float = 0.5,
    sides: Iterable[int] = SIDES,
    maps: Iterable[tuple[int, int, int]] = MAPS,
    values: int = VALUES,
) -> Peaks:
    """By this clock, each size timed for at least `seconds`."""

    def rate(work: float, run: Callable[[], None]) -> float:
        run()
        return work / clock.seconds_per_update(Variant(run), seconds, CLOCKS[clock_name])

    def rate_of_flops(function: Callable[..., Any], *args: Any) -> float:
        compiled = jax.jit(function)
        return rate(flops(function, *args), lambda: jax.block_until_ready(compiled(*args)))

    def convolve(images: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    squares = [jnp.ones((side, side)) for side in sides]
    pairs = [(jnp.ones((batch, side, side, width)), jnp.ones((3, 3, width, width))) for batch, side, width in maps]
    many, add = [jnp.ones(values)], jax.jit(lambda numbers: numbers + 1, donate_argnums=0)  # where it lies, as a state

    def overwrite() -> None:
        many[0] = jax.block_until_ready(add(many[0]))

    return Peaks(
        max(rate_of_flops(jnp.matmul, square, square) for square in squares),
        max(rate_of_flops(convolve, *pair) for pair in pairs),
        rate(2 * many[0].nbytes, overwrite),
    )


def bound(case: updates.Case, peaks: Peaks) -> float:
    """The least seconds that our update can take."""
    state, batch, key = updates.shapes(case)
    found = counts(lambda *args: model_of(case.config).update(case.config, *args), state, batch, key)
    arithmetic = found.products / peaks.products + found.convolutions / peaks.convolutions
    sizes = [leaf.size * np.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(state) if _is_numbers(leaf)]
    return max(arithmetic, 2 * sum(sizes) / peaks.memory)


def line(peaks: Peaks) -> str:
    """To print."""
    products, convolutions, memory = (value / 1e9 for value in peaks)
    return f"peaks: matrix products {products:.0f}, convolutions {convolutions:.0f} GFLOP/s, memory {memory:.1f} GB/s"


def _is_numbers(leaf: Any) -> bool:
    return not jnp.issubdtype(leaf.dtype, jax.dtypes.extended)  # keys
