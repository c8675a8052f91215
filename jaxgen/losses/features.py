"""Statistics of batches of features: diversity within a batch, distance between two batches.

All need the batch: with the batch split over devices, each share has its own value. Values are in
float32 or wider.

- Gretton et al.: A Kernel Two-Sample Test, 2012, Journal of Machine Learning Research 13 (MMD).
- Li, Swersky, Zemel: Generative Moment Matching Networks, 2015, arXiv 1502.02761.
- Salimans et al.: Improved Techniques for Training GANs, 2016, arXiv 1606.03498.
- Zhao, Mathieu, LeCun: Energy-based Generative Adversarial Network, 2016, arXiv 1609.03126.
- Karras et al.: Progressive Growing of GANs, 2017, arXiv 1710.10196.
- Tolstikhin et al.: Wasserstein Auto-Encoders, 2017, arXiv 1711.01558.
- Binkowski et al.: Demystifying MMD GANs, 2018, arXiv 1801.01401.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import jax.numpy as jnp
from jaxtyping import Array

from jaxgen.losses._arrays import Floats, batched, floats, mean_per_example, ranked
from jaxgen.losses.penalties import unit_length
from jaxgen.typing import PerExample, Scalar

Kernel: TypeAlias = Callable[[Array, Array], Array]
"""Features (M, d) and (N, d) to the values k(x_i, y_j), (M, N)."""


def pull_away(features: Floats) -> Scalar:
    """mean over i != j of (S_i . S_j / (||S_i|| ||S_j||))^2: section 2.4 of arXiv 1609.03126.

    The squared cosine of pairs, from 0 (orthogonal) to 1 (collinear). Added to the generator's loss
    with weight 0.1; a zero feature is orthogonal to all.

    Args:
        features: S, codes of generated examples, (B, d).

    Raises:
        ValueError: unless features are (B, d) with at least two examples.

    >>> import jax.numpy as jnp
    >>> pull_away(jnp.array([[1.0, 0.0], [0.0, 2.0]]))
    Array(0., dtype=float32)
    """
    (features,) = ranked("B, d", features=features)
    _at_least_two(features=features)
    directions = unit_length(features)
    cosines = jnp.matmul(directions, directions.T, precision="highest")
    return _mean_off_diagonal(cosines**2)


def feature_matching(real_features: Floats, fake_features: Floats) -> Scalar:
    """||mean f(x) - mean f(G(z))||_2^2: section 3.1 of arXiv 1606.03498.

    Args:
        real_features: f(x), (B, ...), held constant in the generator's step by the caller.
        fake_features: f(G(z)), in the same shape.

    Raises:
        ValueError: if the shapes differ.

    >>> import jax.numpy as jnp
    >>> feature_matching(jnp.array([[0.0, 1.0], [2.0, 3.0]]), jnp.zeros((2, 2)))  # 1^2 + 2^2
    Array(5., dtype=float32)
    """
    real, fake = batched(real_features=real_features, fake_features=fake_features)
    return ((real.mean(axis=0) - fake.mean(axis=0)) ** 2).sum()


def minibatch_discrimination(matrices: Floats) -> Floats:
    """o(x_i)_b = sum over j != i of exp(-||M_ib - M_jb||_1): section 3.2 of arXiv 1606.03498.

    The closeness of each example to the rest of its batch, which the discriminator takes as further
    features. The paper's sum includes j = i, a constant 1; its code leaves it out, as here. Real
    and fake batches are taken apart.

    Args:
        matrices: M = f(x) T, (B, kernels, dims).

    Returns:
        o, (B, kernels).

    Raises:
        ValueError: unless matrices are (B, kernels, dims).

    >>> import jax.numpy as jnp
    >>> minibatch_discrimination(jnp.zeros((3, 1, 5)))
    Array([[2.],
           [2.],
           [2.]], dtype=float32)
    """
    (matrices,) = ranked("B, kernels, dims", matrices=matrices)
    distances = jnp.abs(matrices[:, None] - matrices[None]).sum(axis=3)
    others = ~jnp.eye(len(matrices), dtype=bool)[:, :, None]
    return jnp.where(others, jnp.exp(-distances), 0.0).sum(axis=1)


def minibatch_stddev(features: Floats, *, group_size: int = 4) -> PerExample:
    """mean over features of sqrt(Var_group + 1e-8): section 3 of arXiv 1710.10196.

    The discriminator takes it as one further, constant feature map. Example i is in the group of
    i + B / group_size, i + 2 B / group_size, ..., as in the authors' code.

    Args:
        features: (B, ...).
        group_size: examples in a group; a smaller batch is one group.

    Returns:
        The statistic of each example's group, (B,).

    Raises:
        ValueError: if the batch does not divide into groups.

    >>> import jax.numpy as jnp
    >>> minibatch_stddev(jnp.array([[1.0], [0.0], [3.0], [0.0]]), group_size=2).round(3)
    Array([1., 0., 1., 0.], dtype=float32)
    """
    (features,) = batched(features=features)
    group_size = min(group_size, len(features))
    if group_size < 1 or len(features) % group_size:
        raise ValueError(
            f"batch of {len(features)} does not divide into groups of {group_size}: "
            "give a group_size that divides the batch"
        )
    groups = features.reshape(group_size, len(features) // group_size, -1)
    stddev = jnp.sqrt(groups.var(axis=0) + 1e-8)
    return jnp.tile(mean_per_example(stddev), group_size)


def maximum_mean_discrepancy(
    real_features: Floats, fake_features: Floats, kernel: Kernel, *, unbiased: bool = True
) -> Scalar:
    """MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y): Lemma 6 of Gretton et al.

    Unbiased, x and x' are different examples (equation 3), and the value can be negative. Biased,
    all pairs count (equation 5), and the value is the squared distance of the mean embeddings.

    Args:
        real_features: x, (M, d).
        fake_features: y, (N, d).
        kernel: (M, d), (N, d) to (M, N), such as `gaussian_kernel` with its bandwidths bound.
        unbiased: leave out the pairs of an example with itself.

    Raises:
        ValueError: unless the features are (M, d) and (N, d), and at least two each if unbiased.

    >>> import jax.numpy as jnp
    >>> x, y = jnp.array([[0.0], [2.0]]), jnp.array([[1.0], [3.0]])
    >>> maximum_mean_discrepancy(x, y, lambda x, y: x @ y.T, unbiased=False)  # (1 - 2)^2
    Array(1., dtype=float32)
    """
    real, fake = _samples(real_features=real_features, fake_features=fake_features)
    if unbiased:
        _at_least_two(real_features=real, fake_features=fake)
    within = _mean_off_diagonal if unbiased else jnp.mean
    return within(kernel(real, real)) + within(kernel(fake, fake)) - 2 * kernel(real, fake).mean()


def gaussian_kernel(x: Floats, y: Floats, *, bandwidths: Sequence[float] = (1.0,)) -> Floats:
    """sum over sigma of exp(-||x_i - y_j||^2 / (2 sigma^2)): section 3.1 of arXiv 1502.02761.

    Args:
        x: (M, d).
        y: (N, d).
        bandwidths: sigma, in units of the features.

    Returns:
        The values, (M, N).

    Raises:
        ValueError: unless x is (M, d) and y (N, d).

    >>> import jax.numpy as jnp
    >>> gaussian_kernel(jnp.zeros((1, 2)), jnp.zeros((3, 2)), bandwidths=(1.0, 2.0))
    Array([[2., 2., 2.]], dtype=float32)
    """
    x, y = _samples(x=x, y=y)
    squared = ((x[:, None] - y[None]) ** 2).sum(axis=2)
    values = [jnp.exp(-squared / (2 * bandwidth**2)) for bandwidth in bandwidths]
    return jnp.stack(values).sum(axis=0)


def inverse_multiquadratic_kernel(
    x: Floats,
    y: Floats,
    *,
    variance: float = 1.0,
    scales: Sequence[float] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
) -> Floats:
    """sum over s of C / (C + ||x_i - y_j||^2), C = 2 d sigma^2 s: section 4 of arXiv 1711.01558.

    With s = 1, C is the expected squared distance of two draws from N(0, sigma^2 I) in d
    dimensions. The paper has one s; the scales are those of the authors' code.

    Args:
        x: (M, d).
        y: (N, d).
        variance: sigma^2 of the prior.
        scales: s.

    Returns:
        The values, (M, N).

    Raises:
        ValueError: unless x is (M, d) and y (N, d).

    >>> import jax.numpy as jnp
    >>> inverse_multiquadratic_kernel(jnp.zeros((1, 2)), jnp.ones((1, 2)), scales=(0.5, 1.5))
    Array([[1.25]], dtype=float32)
    """
    x, y = _samples(x=x, y=y)
    squared = ((x[:, None] - y[None]) ** 2).sum(axis=2)
    widths = [2 * x.shape[1] * variance * scale for scale in scales]
    return jnp.stack([width / (width + squared) for width in widths]).sum(axis=0)


def polynomial_kernel(x: Floats, y: Floats, *, degree: int = 3) -> Floats:
    """(x_i . y_j / d + 1)^degree: section 4 of arXiv 1801.01401, the kernel of KID.

    Args:
        x: (M, d).
        y: (N, d).
        degree: 3 in the paper.

    Returns:
        The values, (M, N).

    Raises:
        ValueError: unless x is (M, d) and y (N, d).

    >>> import jax.numpy as jnp
    >>> polynomial_kernel(jnp.ones((1, 2)), jnp.ones((1, 2)))
    Array([[8.]], dtype=float32)
    """
    x, y = _samples(x=x, y=y)
    return (jnp.matmul(x, y.T, precision="highest") / x.shape[1] + 1) ** degree


def _samples(**arrays: Array) -> list[Array]:
    """`floats`, after a check that the arrays are samples (N, d) of vectors of one length."""
    for name, array in arrays.items():
        ranked("N, d", **{name: array})
    if len({array.shape[1] for array in arrays.values()}) > 1:
        shapes = " and ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"{shapes} differ in their second axis: give features of one length")
    return floats(**arrays)


def _mean_off_diagonal(values: Floats) -> Scalar:
    """Mean over the entries i != j of a square matrix."""
    number = len(values)
    others = ~jnp.eye(number, dtype=bool)
    return jnp.where(others, values, 0.0).sum() / (number * (number - 1))


def _at_least_two(**arrays: Array) -> None:
    for name, array in arrays.items():
        if len(array) < 2:
            raise ValueError(f"{name} has shape {array.shape}, but pairs need two examples or more")
