"""Forms of one convolution beside each other: "algebra" and "plain"; fused and composed resampling.

    python -m experiments.benchmarks.convolution

For layers as DCGAN and WGAN-GP have them, in float32: the forward pass, the gradient, the gradient of a gradient
penalty, and a step of descent inside `lax.scan`. Each round times both variants in turn; printed are the median of
the first one's milliseconds and of the ratios: above 1, the first is faster. Where one takes over a second, both are
timed once. With the defaults under two minutes on two CPU cores, most of it for plain convolutions inside scans.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from experiments.command_line import cli
from jaxgen.nets.convolution import conv, conv_mean_pool, conv_transpose, mean_pool, upsample_conv, upsample_nearest

Layer = Callable[[jax.Array, jax.Array], jax.Array]
"""Images and kernel to images."""


@dataclass(frozen=True)
class Options:
    """How long to measure."""

    batch_size: int = 16
    rounds: int = 7  # alternations of both variants


@dataclass(frozen=True)
class Case:
    """Two variants of one layer."""

    name: str
    size: int  # height and width of the images
    kernel: tuple[int, int, int, int]  # HWIO
    first: Layer
    second: Layer


def forms(name: str, size: int, kernel: tuple[int, int, int, int], layer: Callable[..., jax.Array]) -> Case:
    """The algebra beside the plain form."""
    return Case(name, size, kernel, partial(layer, form="algebra"), partial(layer, form="plain"))


FORMS = (
    forms("conv 5x5 stride 2, 64 to 128, 32x32", 32, (5, 5, 64, 128), partial(conv, strides=2)),
    forms("conv 4x4 stride 2, 3 to 64, 64x64", 64, (4, 4, 3, 64), partial(conv, strides=2)),
    forms("conv 3x3, 64 to 64, 32x32", 32, (3, 3, 64, 64), conv),
    forms("conv 3x3, 64 to 3, 32x32", 32, (3, 3, 64, 3), conv),
    forms("conv 1x1, 64 to 128, 32x32", 32, (1, 1, 64, 128), conv),
    forms("transposed 4x4 stride 2, 256 to 128, 8x8", 8, (4, 4, 256, 128), partial(conv_transpose, strides=2)),
    forms("up-sampled conv 3x3, 128 to 64, 16x16", 16, (3, 3, 128, 64), upsample_conv),
    forms("pooled conv 3x3, 64 to 128, 16x16", 16, (3, 3, 64, 128), conv_mean_pool),
)
FUSIONS = (
    Case(
        "up-sampled conv 3x3, 128 to 64, 16x16",
        16,
        (3, 3, 128, 64),
        upsample_conv,
        lambda x, w: conv(upsample_nearest(x), w),
    ),
    Case(
        "pooled conv 3x3, 64 to 128, 16x16",
        16,
        (3, 3, 64, 128),
        conv_mean_pool,
        lambda x, w: mean_pool(conv(x, w)),
    ),
)


def energy(layer: Layer, x: jax.Array, w: jax.Array) -> jax.Array:
    """A scalar that is not linear in the layer."""
    return jnp.tanh(layer(x, w)).mean()


def gradient(layer: Layer, x: jax.Array, w: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Of images and kernel."""
    return jax.grad(partial(energy, layer), (0, 1))(x, w)


def penalty_gradient(layer: Layer, x: jax.Array, w: jax.Array) -> jax.Array:
    """Of the kernel, through the gradient of the images."""
    return jax.grad(lambda w: (jax.grad(partial(energy, layer))(x, w) ** 2).sum())(w)


def scanned_descent(layer: Layer, x: jax.Array, w: jax.Array) -> jax.Array:
    """A scan of one step of descent of the kernel."""
    return lax.scan(lambda w, x: (w - gradient(layer, x, w)[1], None), w, x[None])[0]


MEASURES: dict[str, Callable[..., Any]] = {
    "forward": lambda layer, x, w: layer(x, w),
    "gradient": gradient,
    "penalty": penalty_gradient,
    "scan": scanned_descent,
}


def seconds(run: Callable[[], object]) -> float:
    """Of one call."""
    begun = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - begun


def compare(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of the first, and median ratio of the second to the first."""
    times = [(seconds(first), seconds(second))]
    if max(times[0]) < 1:
        times = [(seconds(first), seconds(second)) for _ in range(rounds)]
    return statistics.median(a for a, _ in times), statistics.median(b / a for a, b in times)


def measure(case: Case, options: Options) -> dict[str, tuple[float, float]]:
    """Median seconds and ratio of each measure."""
    key_x, key_w = jax.random.split(jax.random.key(0))
    x = jax.random.normal(key_x, (options.batch_size, case.size, case.size, case.kernel[2]))
    w = jax.random.normal(key_w, case.kernel)
    results = {}
    for name, function in MEASURES.items():
        first, second = (
            partial(jax.jit(partial(function, layer)).lower(x, w).compile(), x, w)
            for layer in (case.first, case.second)
        )
        results[name] = compare(first, second, options.rounds)
    return results


def main(argv: Sequence[str]) -> int:
    """Print two tables."""
    options = cli.parse(Options, Options(), argv, "python -m experiments.benchmarks.convolution", __doc__ or "")
    print(f"JAX {jax.__version__} on {jax.devices()}, batch {options.batch_size}: milliseconds and ratio")
    for title, cases in (("algebra beside plain", FORMS), ("fused beside composed", FUSIONS)):
        print(f"\n{title:<42}" + "".join(f"{name:>18}" for name in MEASURES))
        for case in cases:
            row = measure(case, options).values()
            print(f"{case.name:<42}" + "".join(f"{1e3 * ms:>10.2f}{ratio:>7.2f}x" for ms, ratio in row), flush=True)
    return 0


if __name__ == "__main__":
    cli.run(main)
