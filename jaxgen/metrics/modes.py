"""Modes of toy distributions: how many a model finds, and how many of its samples lie near one.

- Metz et al.: Unrolled Generative Adversarial Networks, 2016, arXiv 1611.02163 (ring of 8).
- Srivastava et al.: VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning, 2017, arXiv 1705.07761.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats
from jaxgen.metrics._samples import samples as checked
from jaxgen.metrics._samples import unless_nan
from jaxgen.typing import Scalar

Centers = Float[Array, "modes d"]


class ModeCoverage(NamedTuple):
    """Of a set of samples."""

    covered: Int[Array, ""]  # modes with a sample of high quality
    high_quality: Scalar  # share of the samples near their nearest mode
    counts: Int[Array, "modes"]  # samples of high quality at each mode


def ring_modes(num: int = 8, radius: float = 2.0) -> Centers:
    """Centres on a circle, the first on the positive x axis, (num, 2); 8 at radius 2 in 1611.02163, deviation 0.02.

    >>> ring_modes(4, 1.0).round(4) + 0.0
    Array([[ 1.,  0.],
           [ 0.,  1.],
           [-1.,  0.],
           [ 0., -1.]], dtype=float32)
    """
    require(num >= 1, "num", num, "at least 1")
    angles = 2 * jnp.pi * jnp.arange(num, dtype=jnp.float32) / num
    return radius * jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1)


def grid_modes(side: int = 5, spacing: float = 2.0) -> Centers:
    """Centres on a square grid around 0, row by row, (side^2, 2): 25 from -4 to 4 in 1705.07761, deviation 0.05.

    >>> grid_modes(2)
    Array([[-1., -1.],
           [ 1., -1.],
           [-1.,  1.],
           [ 1.,  1.]], dtype=float32)
    """
    require(side >= 1, "side", side, "at least 1")
    places = spacing * (jnp.arange(side, dtype=jnp.float32) - (side - 1) / 2)
    columns, rows = jnp.meshgrid(places, places)
    return jnp.stack([columns.ravel(), rows.ravel()], axis=1)


def mode_coverage(samples: Floats, centers: Floats, stddev: float, *, within: float = 3.0) -> ModeCoverage:
    """Samples within 3 deviations of the nearest mode are of high quality; a mode with one is covered: 1705.07761.

    Of a Gaussian in the plane 98.9 % lie there: 1 - exp(-9/2).

    Args:
        samples: (N, d).
        centers: of the modes, (modes, d), such as `ring_modes()`.
        stddev: of each mode, along each axis.
        within: how many deviations are near.

    Raises:
        ValueError: unless samples are (N, d), centers (modes, d), and stddev and within positive.

    >>> mode_coverage(jnp.array([[2.0, 0.0], [0.0, 0.0]]), ring_modes(8), 0.02)[:2]
    (Array(1, dtype=int32), Array(0.5, dtype=float32))
    """
    points, centers = checked(samples=samples, centers=centers)
    require(stddev > 0, "stddev", stddev, "positive")
    require(within > 0, "within", within, "positive")
    squared = ((points[:, None] - centers[None]) ** 2).sum(axis=2)
    near = squared.min(axis=1) <= (within * stddev) ** 2
    counts = jax.ops.segment_sum(near.astype(jnp.int32), squared.argmin(axis=1), num_segments=len(centers))
    high_quality = unless_nan(near.mean(dtype=points.dtype), squared)
    return ModeCoverage((counts > 0).sum(dtype=jnp.int32), high_quality, counts)
