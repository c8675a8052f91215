"""Kernel distance: the squared maximum mean discrepancy of features; KID with the FID Inception's.

- Gretton et al.: A Kernel Two-Sample Test, 2012, Journal of Machine Learning Research 13.
- Binkowski et al.: Demystifying MMD GANs, 2018, arXiv 1801.01401.
"""

import jax
from jaxtyping import Array

from jaxgen.checks import require
from jaxgen.losses._arrays import Floats
from jaxgen.losses.features import Kernel, maximum_mean_discrepancy, polynomial_kernel
from jaxgen.metrics._samples import BLOCK, in_blocks, samples
from jaxgen.typing import Key, Scalar


def kernel_distance(
    real_features: Floats, fake_features: Floats, *, kernel: Kernel = polynomial_kernel, block_size: int = BLOCK
) -> Scalar:
    """E k(x, x') + E k(y, y') - 2 E k(x, y) over all pairs, unbiased: `maximum_mean_discrepancy` in blocks.

    The value does not depend on the number of examples, unlike the Frechet distance, and can be negative. It is a small
    difference of large means: float32 leaves it with an error of about 10^-6 of the kernel's mean.

    Args:
        real_features: x, (M, d), two examples at least.
        fake_features: y, (N, d), two examples at least.
        kernel: (M, d), (N, d) to (M, N).
        block_size: rows of the kernel matrix that are in memory at a time; no part of the value.

    Raises:
        ValueError: unless the features are (M, d) and (N, d) of two examples at least, and block_size is positive.

    >>> import jax.numpy as jnp
    >>> x, y = jnp.array([[0.0], [2.0]]), jnp.array([[1.0], [3.0]])
    >>> kernel_distance(x, y, kernel=lambda x, y: x @ y.T)  # 0 + 3 - 2 x 2
    Array(-1., dtype=float32)
    """
    real, fake = samples(2, real_features=real_features, fake_features=fake_features)

    def mean_within(sample: Array) -> Scalar:
        def row(example: Array) -> Scalar:
            return kernel(example[None], sample)[0].mean() * len(sample) - kernel(example[None], example[None])[0, 0]

        return in_blocks(row, sample, block_size).mean() / (len(sample) - 1)

    def mean_between(example: Array) -> Scalar:
        return kernel(example[None], fake)[0].mean()

    return mean_within(real) + mean_within(fake) - 2 * in_blocks(mean_between, real, block_size).mean()


def kernel_distances(
    real_features: Floats,
    fake_features: Floats,
    key: Key,
    *,
    kernel: Kernel = polynomial_kernel,
    num_subsets: int = 100,
    subset_size: int = 1000,
) -> Floats:
    """The distance of `num_subsets` random subsets, (num_subsets,): KID is reported as their mean and deviation.

    Args:
        real_features: x, (M, d).
        fake_features: y, (N, d).
        key: of the subsets, each without repetition.
        kernel: (M, d), (N, d) to (M, N).
        num_subsets: 100 in arXiv 1801.01401.
        subset_size: 1000 there; at most M and N.

    Raises:
        ValueError: unless the features are (M, d) and (N, d) and hold a subset.

    >>> import jax.numpy as jnp
    >>> points = jnp.array([[0.0], [2.0]])
    >>> kernel_distances(points, points, jax.random.key(0), num_subsets=2, subset_size=2)
    Array([-62., -62.], dtype=float32)
    """
    real, fake = samples(subset_size, real_features=real_features, fake_features=fake_features)
    require(subset_size >= 2, "subset_size", subset_size, "at least 2")
    require(num_subsets >= 1, "num_subsets", num_subsets, "at least 1")

    def distance(key: Key) -> Scalar:
        key_real, key_fake = jax.random.split(key)
        x = jax.random.choice(key_real, real, (subset_size,), replace=False)
        y = jax.random.choice(key_fake, fake, (subset_size,), replace=False)
        return maximum_mean_discrepancy(x, y, kernel)

    return jax.lax.map(distance, jax.random.split(key, num_subsets))
