"""Frechet distance of 50,000 features of length 2048: seconds and peak memory, in batches as an evaluation sees them.

    python -m experiments.benchmarks.metrics

Real and fake features are drawn batch by batch, with variances that fall as 1 / k as those of trained networks do. The
distance of the two Gaussians themselves is printed beside the one that was measured, which is larger: the bias of a
finite number of examples. CPU seconds tell the cost on a machine that others use, too. Needs 0.6 GB.
"""

import dataclasses
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from experiments.command_line import cli, system
from jaxgen.metrics import Moments, frechet_distance, merge, moments, no_moments

SHIFT, SCALE = 0.1, 1.1
"""Of the fake features against the real ones."""


@dataclass(frozen=True)
class Options:
    """How many features, of what length."""

    num: int = 50_000
    length: int = 2048
    batch_size: int = 1_000


def main(argv: Sequence[str]) -> int:
    """Print one line for each part."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.metrics", __doc__ or "")
    print(f"JAX {jax.__version__} on {jax.devices()}; {options.num:,} x {options.length} features", flush=True)
    print(f"memory before: {peak():.2f} GB")
    begun = time.perf_counter(), time.process_time()
    real, fake = both(options)
    print(f"both sets drawn, their moments merged: {taken(*begun)}, peak {peak():.2f} GB", flush=True)
    begun = time.perf_counter(), time.process_time()
    distance = float(jax.jit(frechet_distance)(real, fake))
    print(f"distance {distance:.6f}: {taken(*begun)}, peak {peak():.2f} GB")
    true = float(((SHIFT**2 + (SCALE - 1) ** 2) * deviations(options.length) ** 2).sum())
    print(f"of the Gaussians themselves: {true:.6f}")
    return 0


def measure(options: Options) -> tuple[float, float]:
    """Seconds for the moments of both sets, and for the distance; what is compiled first is not counted."""
    both(dataclasses.replace(options, num=options.batch_size))
    begun = time.perf_counter()
    real, fake = both(options)
    drawn = time.perf_counter()
    distance = jax.jit(frechet_distance).lower(real, fake).compile()
    compiled = time.perf_counter()
    jax.block_until_ready(distance(real, fake))
    return drawn - begun, time.perf_counter() - compiled


def deviations(length: int) -> jax.Array:
    """Of each feature."""
    return (1 + jnp.arange(length, dtype=jnp.float32)) ** -0.5


def both(options: Options) -> tuple[Moments, Moments]:
    """Of real features and of fake ones."""
    return streamed(options, 0), streamed(options, 1)


def streamed(options: Options, seed: int) -> Moments:
    """Moments of real features (seed 0) or fake ones, batch by batch."""
    scales = deviations(options.length)

    @jax.jit
    def added(total: Moments, key: jax.Array) -> Moments:
        features = jax.random.normal(key, (options.batch_size, options.length))
        features = (features * SCALE + SHIFT if seed else features) * scales[None]
        return merge(total, moments(features))

    total = no_moments(options.length)
    for key in jax.random.split(jax.random.key(seed), options.num // options.batch_size):
        total = added(total, key)
    return jax.block_until_ready(total)


def taken(wall: float, cpu: float) -> str:
    """Since these two readings."""
    return f"{time.perf_counter() - wall:.1f} s ({time.process_time() - cpu:.1f} CPU s)"


def peak() -> float:
    """Of this process, in gigabytes; NaN where the system does not say."""
    return (system.peak_bytes() or math.nan) / 1e9


if __name__ == "__main__":
    cli.run(main)
