"""Frechet distance of two Gaussians fitted to features: FID when the features are those of the FID Inception.

    d^2 = ||m_1 - m_2||^2 + Tr(S_1) + Tr(S_2) - 2 Tr((S_1 S_2)^(1/2))                     (1)

With factors S_i = R_i R_i^T the last trace is the sum of the singular values of R_1^T R_2. Taken so, the error of a
small singular value is the rounding of the largest. The root of an eigenvalue of S_1 S_2, as it is usually taken, has
the root of that error: in float32, 3 x 10^-4 of the largest instead of 10^-7, for each of thousands of directions.

- Dowson, Landau: The Frechet Distance between Multivariate Normal Distributions, 1982, Journal of Multivariate
  Analysis 12.
- Heusel et al.: GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, 2017,
  arXiv 1706.08500.
"""

import jax.numpy as jnp
from jaxtyping import Array

from jaxgen.losses._arrays import Floats, floats
from jaxgen.metrics._samples import samples
from jaxgen.metrics.statistics import Moments, _require_two, covariance
from jaxgen.typing import Scalar


def frechet_distance(real: Moments, fake: Moments) -> Scalar:
    """Equation (1), the squared distance, with unbiased covariances: arXiv 1706.08500, equation 6.

    Biased upwards, the more so the fewer the examples: compare values of equal numbers only, 50,000 in the papers.

    Args:
        real: from `moments`, of at least two examples; under `jit`, which does not know their number, NaN of fewer.
        fake: of features from the same extractor.

    Raises:
        ValueError: if the features have different lengths, or the moments are of fewer than two examples.

    >>> from jaxgen.metrics import moments
    >>> real, fake = jnp.array([[0.0], [2.0]]), jnp.array([[1.0], [7.0]])
    >>> frechet_distance(moments(real), moments(fake)).round(4)  # (1 - 4)^2 + (sqrt 2 - sqrt 18)^2
    Array(17., dtype=float32)
    """
    _require_two(real=real, fake=fake)
    return gaussian_frechet_distance(real.mean, covariance(real), fake.mean, covariance(fake))


def gaussian_frechet_distance(
    real_mean: Floats, real_covariance: Floats, fake_mean: Floats, fake_covariance: Floats
) -> Scalar:
    """Equation (1) of given means and covariances, such as published statistics of a reference set.

    Covariances may be singular. Half the cost is finding a factor of each, half the singular values; all O(d^3).

    Args:
        real_mean: m_1, (d,).
        real_covariance: S_1, (d, d), symmetric.
        fake_mean: m_2, (d,).
        fake_covariance: S_2, (d, d).

    Raises:
        ValueError: unless means are (d,) and covariances (d, d), with one d.

    >>> mean, identity = jnp.zeros(2), jnp.eye(2)
    >>> gaussian_frechet_distance(mean, identity, mean + 3, 4 * identity).round(4)  # 2 x 3^2 + 2 (1 - 2)^2
    Array(20., dtype=float32)
    """
    m_1, s_1, m_2, s_2 = floats(
        real_mean=real_mean, real_covariance=real_covariance, fake_mean=fake_mean, fake_covariance=fake_covariance
    )
    length, shapes = m_1.shape, [array.shape for array in (m_1, s_1, m_2, s_2)]
    if len(length) != 1 or length == (0,) or shapes != [length, length * 2, length, length * 2]:
        raise ValueError(
            f"statistics of shapes {shapes} do not belong together: they must be (d,), (d, d), (d,), (d, d)"
        )
    return ((m_1 - m_2) ** 2).sum() + _bures(s_1.trace(), _factor(s_1), s_2.trace(), _factor(s_2))


def small_sample_frechet_distance(real_features: Floats, fake_features: Floats) -> Scalar:
    """Equation (1) from few examples of long features: the factors are the examples, covariances are never formed.

    Equal to `frechet_distance` and faster while examples are fewer than features: O(M N d).

    Args:
        real_features: (M, d), two examples at least.
        fake_features: (N, d), two examples at least.

    Raises:
        ValueError: unless the features are (M, d) and (N, d) of two examples at least.

    >>> real, fake = jnp.array([[0.0], [2.0]]), jnp.array([[1.0], [7.0]])
    >>> small_sample_frechet_distance(real, fake).round(4)
    Array(17., dtype=float32)
    """
    real, fake = samples(2, real_features=real_features, fake_features=fake_features)
    m_1, m_2 = real.mean(axis=0), fake.mean(axis=0)
    r_1, r_2 = ((sample - mean[None]).T / (len(sample) - 1) ** 0.5 for sample, mean in ((real, m_1), (fake, m_2)))
    return ((m_1 - m_2) ** 2).sum() + _bures((r_1**2).sum(), r_1, (r_2**2).sum(), r_2)


def _bures(trace_1: Array, r_1: Array, trace_2: Array, r_2: Array) -> Scalar:
    """Tr(S_1) + Tr(S_2) - 2 Tr((S_1 S_2)^(1/2)), from factors."""
    singular = jnp.linalg.svd(jnp.matmul(r_1.T, r_2, precision="highest"), compute_uv=False)
    return trace_1 + trace_2 - 2 * singular.sum()


def _factor(covariance: Array) -> Array:
    """R with R R^T = S; eigenvalues below the rounding of the largest are noise, and would count by their root."""
    values, vectors = jnp.linalg.eigh(covariance)
    noise = jnp.finfo(values.dtype).eps * values[-1]
    return vectors * jnp.sqrt(jnp.where(values > noise, values, 0.0))[None]
