"""Perceptual path length: how much the image changes for a small step of the latents.

- Karras, Laine, Aila: A Style-Based Generator Architecture for GANs, 2018, arXiv 1812.04948.
- Karras et al.: Analyzing and Improving the Image Quality of StyleGAN, 2019, arXiv 1912.04958.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats, batched, floats, per_example
from jaxgen.typing import PerExample, Scalar


def perceptual_path_lengths(
    generate: Callable[[Array], Array],
    distance: Callable[[Array, Array], PerExample],
    interpolate: Callable[[Array, Array, PerExample], Array],
    ends: tuple[Floats, Floats],
    times: Floats,
    *,
    epsilon: float = 1e-4,
) -> PerExample:
    """d(g(l(t)), g(l(t + eps))) / eps^2, l the path from one latent to another: section 4.1 of arXiv 1812.04948.

    In Z, l is a great circle (`jaxgen.latents.spherical`). In W, the ends are mapped latents f(z), l is
    `jaxgen.latents.linear` and g the synthesis alone. Times uniform in [0, 1) measure whole paths ("full"), zeros the
    ends ("end"), which are draws themselves and which arXiv 1912.04958 reports. A g with noise must use one noise for
    both images; crops and resizing belong to d. The number reported is `trimmed_mean` over 50,000 or 100,000 pairs.

    Args:
        generate: g, latents (B, ...) to images.
        distance: d between images, one for each example, such as LPIPS: a squared distance, so that eps cancels.
        interpolate: l, `(starts, ends, times)` to latents, row by row.
        ends: where each path starts and where it ends, both (B, ...).
        times: t, (B,).
        epsilon: the step; in float32 images must change by more than rounding over it.

    Raises:
        ValueError: if shapes do not fit or epsilon is not positive.

    >>> squared = lambda a, b: ((a - b) ** 2).sum(axis=1)
    >>> linear = lambda a, b, t: a + t[:, None] * (b - a)
    >>> z = jnp.array([[1.0, 0.0]]), jnp.array([[4.0, 4.0]])
    >>> perceptual_path_lengths(lambda z: 2 * z, squared, linear, z, jnp.zeros(1), epsilon=0.5)  # 2^2 x 5^2
    Array([100.], dtype=float32)
    """
    require(epsilon > 0, "epsilon", epsilon, "positive")
    first, last = ends
    first, last, times = floats(starts=first, ends=last, times=times)
    if first.shape != last.shape or times.shape != first.shape[:1]:
        raise ValueError(
            f"starts {first.shape}, ends {last.shape} and times {times.shape} do not fit: "
            "they must be (B, ...), the same, and (B,)"
        )
    batched(starts=first)
    before, after = (generate(interpolate(first, last, t)) for t in (times, times + epsilon))
    (distances,) = per_example(distance=distance(before, after))
    return distances / epsilon**2


def trimmed_mean(values: Floats, *, lower: float = 1.0, upper: float = 99.0) -> Scalar:
    """The mean of the values from one percentile to another, both included: as in the code of arXiv 1812.04948.

    Args:
        values: (N,).
        lower: percentile, rounded down to one of the values.
        upper: percentile, rounded up.

    Raises:
        ValueError: unless values are (N,) and 0 <= lower < upper <= 100.

    >>> trimmed_mean(jnp.array([1.0, 2.0, 3.0, 100.0]), lower=10.0, upper=60.0)
    Array(2., dtype=float32)
    """
    require(0 <= lower < upper <= 100, "percentiles", (lower, upper), "in order, from 0 to 100")
    (values,) = per_example(values=values)
    low = jnp.percentile(values, lower, method="lower")
    high = jnp.percentile(values, upper, method="higher")
    kept = (low <= values) & (values <= high)
    return jnp.where(kept, values, 0.0).sum() / kept.sum().astype(values.dtype)
