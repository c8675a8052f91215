"""Fidelity and diversity apart: balls around the examples of one set, and which examples of the other they hold.

The ball around an example reaches to its k-th nearest other example. As in the authors' code it holds its border for
precision and recall, and does not for density and coverage, where a set then has density 1 in itself (but for rounding
at borders). Numbers can be compared for one k, one extractor and equal numbers of examples.

- Kynkaanniemi et al.: Improved Precision and Recall Metric for Assessing Generative Models, 2019, arXiv 1904.06991.
- Naeem et al.: Reliable Fidelity and Diversity Metrics for Generative Models, 2020, arXiv 2002.09797.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int

from jaxgen.losses._arrays import Floats, arrays, floats
from jaxgen.metrics._samples import BLOCK, in_blocks, samples, unless_nan
from jaxgen.metrics.neighbors import nearest_neighbors, neighbor_distances, squared_distances
from jaxgen.typing import Scalar


class PrecisionRecall(NamedTuple):
    """Both from 0 to 1."""

    precision: Scalar  # share of the fakes that lie in a ball of a real example
    recall: Scalar  # share of the real examples that lie in a ball of a fake


class DensityCoverage(NamedTuple):
    """Density can exceed 1; coverage is from 0 to 1."""

    density: Scalar  # balls of real examples that hold a fake, on average, over k
    coverage: Scalar  # share of the real examples whose ball holds a fake


def precision_recall(
    real_features: Floats, fake_features: Floats, *, k: int = 3, block_size: int = BLOCK
) -> PrecisionRecall:
    """Precision and recall: equations 1 and 2 of arXiv 1904.06991, k = 3 there.

    Args:
        real_features: (M, d), with k + 1 examples at least.
        fake_features: (N, d), with k + 1 examples at least.
        k: the ball around an example reaches to its k-th nearest other example.
        block_size: examples compared at a time; no part of the value.

    Raises:
        ValueError: unless the features are (M, d) and (N, d), with k others for each.

    >>> real, fake = jnp.array([[0.0], [1.0], [2.0]]), jnp.array([[1.5], [9.0], [9.5]])
    >>> [float(value) for value in precision_recall(real, fake, k=1)]  # the ball at 1.5 reaches up to 9
    [0.3333333432674408, 1.0]
    """
    real, fake = samples(k + 1, real_features=real_features, fake_features=fake_features)
    radii_real = neighbor_distances(real, k=k, block_size=block_size)
    radii_fake = neighbor_distances(fake, k=k, block_size=block_size)
    precise = holding_balls(fake, real, radii_real, block_size=block_size) > 0
    recalled = holding_balls(real, fake, radii_fake, block_size=block_size) > 0
    precision, recall = precise.mean(dtype=real.dtype), recalled.mean(dtype=real.dtype)
    return PrecisionRecall(unless_nan(precision, real, fake), unless_nan(recall, real, fake))


def density_coverage(
    real_features: Floats, fake_features: Floats, *, k: int = 5, block_size: int = BLOCK
) -> DensityCoverage:
    """Density and coverage: equations 3 and 4 of arXiv 2002.09797, k = 5 there.

    Args:
        real_features: (M, d), with k + 1 examples at least.
        fake_features: (N, d).
        k: the ball around a real example reaches to its k-th nearest other example.
        block_size: examples compared at a time; no part of the value.

    Raises:
        ValueError: unless the features are (M, d) and (N, d), with k others for each real example.

    >>> real, fake = jnp.array([[0.0], [1.0], [2.0]]), jnp.array([[1.5], [9.0]])
    >>> [float(value) for value in density_coverage(real, fake, k=1)]  # the balls at 1 and 2 hold the first fake
    [1.0, 0.6666666865348816]
    """
    (real,), (fake,) = samples(k + 1, real_features=real_features), samples(fake_features=fake_features)
    real, fake = samples(real_features=real, fake_features=fake)
    radii = neighbor_distances(real, k=k, block_size=block_size)
    holding = holding_balls(fake, real, radii, border=False, block_size=block_size)
    nearest = nearest_neighbors(real, fake, block_size=block_size).distances
    density, coverage = holding.astype(real.dtype).mean() / k, (nearest < radii).mean(dtype=real.dtype)
    return DensityCoverage(unless_nan(density, real, fake), unless_nan(coverage, real, fake))


def holding_balls(
    points: Floats, centers: Floats, radii: Floats, *, border: bool = True, block_size: int = BLOCK
) -> Int[Array, "batch"]:
    """How many balls hold each point, (M,). Separable over the points.

    No ball holds a point with a NaN, and a ball with a NaN holds no point.

    Args:
        points: (M, d).
        centers: (N, d).
        radii: of the ball around each centre, (N,).
        border: whether a ball holds the points at its radius.
        block_size: points compared at a time; no part of the value.

    Raises:
        ValueError: unless points are (M, d), centers (N, d) and radii (N,), and block_size is positive.

    >>> holding_balls(jnp.array([[1.0], [2.5]]), jnp.array([[0.0], [3.0]]), jnp.array([1.0, 2.0]))
    Array([2, 1], dtype=int32)
    """
    points, centers = samples(points=points, centers=centers)
    arrays(radii=radii)
    if radii.shape != (len(centers),):
        raise ValueError(f"radii have shape {radii.shape}, but must be {(len(centers),)}, one for each centre")
    centers, radii = floats(centers=centers, radii=radii)
    origin = centers.mean(axis=0)
    around = centers - origin[None]

    def holding(point: Array) -> Array:
        distances = jnp.sqrt(squared_distances(point - origin, around))
        return (distances <= radii if border else distances < radii).sum(dtype=jnp.int32)

    return in_blocks(holding, points, block_size)
