"""Penalties on slopes: the gradient of a critic in its input, by nested `jax.grad`.

A critic is any callable from a batch (B, ...) to scores (B,), such as a closure over the parameters
of a net of any library. It must score each example on its own, since the slope of example i is read
from the gradient of the sum of all scores; batch normalisation breaks that. Every penalty is one
value for each example, (B,), without its weight, in float32 or wider, and can be differentiated in
the critic's parameters, also where the slope is zero. Scores of shape (B, 1) raise a ValueError.

- Gulrajani et al.: Improved Training of Wasserstein GANs, 2017, arXiv 1704.00028.
- Kodali et al.: On Convergence and Stability of GANs, 2017, arXiv 1705.07215 (DRAGAN).
- Wu, Huang, Thoma, Acharya, Van Gool: Wasserstein Divergence for GANs, 2017, arXiv 1712.01026
  (WGAN-div).
- Mescheder, Geiger, Nowozin: Which Training Methods for GANs do actually Converge?, 2018,
  arXiv 1801.04406 (R1, R2).
- Thanh-Tung, Tran, Venkatesh: Improving Generalization and Stability of Generative Adversarial
  Networks, 2019, arXiv 1902.03984 (0-GP).
"""

import math

import jax
import jax.numpy as jnp
from jax.nn import relu
from jaxtyping import Array

from jaxgen.losses._arrays import (
    Critic,
    Floats,
    arrays,
    batched,
    column,
    floats,
    sum_per_example,
)
from jaxgen.typing import PerExample, Points


def interpolate(real: Floats, fake: Floats, mix: Floats) -> Points:
    """eps x + (1 - eps) x~: x^ of Algorithm 1 of arXiv 1704.00028, line 6, one eps an example.

    Args:
        real: x, (B, ...).
        fake: x~, in the shape of `real`.
        mix: eps, (B,), uniform in [0, 1); 1 gives `real`.

    Returns:
        Points between real and fake, in the dtype of `real`.

    Raises:
        ValueError: if the shapes of real and fake differ or mix is not (B,).

    >>> import jax.numpy as jnp
    >>> interpolate(jnp.ones((2, 3)), jnp.zeros((2, 3)), jnp.array([0.25, 1.0]))
    Array([[0.25, 0.25, 0.25],
           [1.  , 1.  , 1.  ]], dtype=float32)
    """
    x, y = batched(real=real, fake=fake)
    weight = column(mix, x, "mix")
    return (weight * x + (1 - weight) * y).astype(real.dtype)


def perturb(real: Floats, noise: Floats, mix: Floats, *, scale: float = 0.5) -> Points:
    """x + eps * scale * std(x) * u: points around the data, for `gradient_penalty`: DRAGAN.

    The noise model of the authors' code of arXiv 1705.07215. The standard deviation is one number,
    over all pixels of the whole batch, so that this needs the batch. A port in common use draws eps
    for each pixel, which makes other points.

    Args:
        real: x, (B, ...).
        noise: u, in the shape of `real`, uniform in [0, 1).
        mix: eps, (B,), uniform in [0, 1).
        scale: of the noise, in standard deviations.

    Returns:
        Points in the dtype of `real`.

    Raises:
        ValueError: if the shapes of real and noise differ or mix is not (B,).

    >>> import jax.numpy as jnp
    >>> perturb(jnp.array([[1.0], [3.0]]), jnp.ones((2, 1)), jnp.array([0.0, 1.0]))
    Array([[1. ],
           [3.5]], dtype=float32)
    """
    x, u = batched(real=real, noise=noise)
    stddev = scale * jax.lax.stop_gradient(x.std())
    return (x + column(mix, x, "mix") * stddev * u).astype(real.dtype)


def safe_norm(vectors: Floats) -> PerExample:
    """||g||_2 over all axes but the first, with gradient zero at g = 0.

    Args:
        vectors: g, (B, ...).

    >>> import jax.numpy as jnp
    >>> safe_norm(jnp.array([[3.0, 4.0], [0.0, 0.0]]))
    Array([5., 0.], dtype=float32)
    """
    (vectors,) = batched(vectors=vectors)
    vectors = vectors.reshape(len(vectors), math.prod(vectors.shape[1:]))
    # Scaled by the largest entry, so that no square overflows or vanishes.
    largest = jax.lax.stop_gradient(jnp.abs(vectors).max(axis=1, initial=0.0))
    zero = largest == 0  # not `largest > 0` negated: a NaN must stay NaN
    scale = jnp.where(zero, 1.0, largest)
    squared = sum_per_example((vectors / scale[:, None]) ** 2)
    # The inner where keeps the infinite slope of sqrt at 0 from becoming NaN in the outer one.
    return jnp.where(zero, 0.0, scale * jnp.sqrt(jnp.where(zero, 1.0, squared)))


def unit_length(vectors: Floats) -> Floats:
    """g / ||g||_2, each example at length 1 over all its axes, with zeros left as they are.

    Args:
        vectors: g, (B, ...).

    >>> import jax.numpy as jnp
    >>> unit_length(jnp.array([[3.0, 4.0], [0.0, 0.0]]))
    Array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    (vectors,) = batched(vectors=vectors)
    lengths = safe_norm(vectors)
    return vectors / column(jnp.where(lengths == 0, 1.0, lengths), vectors, "lengths")


def slopes(critic: Critic, points: Points) -> Points:
    """grad D(x), the gradient of each score in its own example, in the shape of `points`.

    Args:
        critic: D, (B, ...) to (B,), each example on its own.
        points: x, (B, ...).

    Raises:
        ValueError: unless points are floats with an example and the critic gives scores (B,).

    >>> import jax.numpy as jnp
    >>> slopes(lambda x: (x**2).sum(axis=1), jnp.array([[3.0, 4.0]]))
    Array([[6., 8.]], dtype=float32)
    """

    def total(points: Array) -> Array:
        scores = critic(points)
        arrays(scores=scores)
        if scores.shape != points.shape[:1]:
            raise ValueError(
                f"the critic gives scores of shape {scores.shape} for points {points.shape}, but "
                f"must give {points.shape[:1]}: {_advice(scores.shape, len(points))}"
            )
        return scores.sum()

    batched(points=points)
    return jax.grad(total)(points)


def gradient_penalty(critic: Critic, points: Points, target: float = 1.0, *, one_sided: bool = False) -> PerExample:
    """(||grad D(x^)||_2 - k)^2, one-sided max(0, ||grad D(x^)||_2 - k)^2: WGAN-GP and DRAGAN.

    Equation 3 of arXiv 1704.00028, whose weight lambda is 10; section 4 there on the one-sided
    form, which leaves slopes below k alone. DRAGAN is the same at `perturb`ed real data: the slope is
    that of the logit over all pixels. A port in common use takes the slope of the probability, its
    norm over channels alone, and descends the penalty without the loss.

    Args:
        critic: D, (B, ...) to (B,), each example on its own.
        points: x^, (B, ...), from `interpolate` or `perturb`.
        target: k, the slope that costs nothing.
        one_sided: penalise slopes above the target only.

    Raises:
        ValueError: unless the critic gives scores (B,) and the target is one number.

    >>> import jax.numpy as jnp
    >>> gradient_penalty(lambda x: (x**2).sum(axis=1) / 2, jnp.array([[1.5, 2.0]]))  # (2.5 - 1)^2
    Array([2.25], dtype=float32)
    """
    if jnp.ndim(target):
        raise ValueError(
            f"target is an array of shape {jnp.shape(target)}, but must be a number, the slope that costs nothing: "
            "points between real and fake data are interpolate(real, fake, mix)"
        )
    excess = safe_norm(slopes(critic, points)) - target
    return relu(excess) ** 2 if one_sided else excess**2


def zero_centered_penalty(critic: Critic, points: Points) -> PerExample:
    """||grad D(x^)||_2^2: 0-GP of arXiv 1902.03984, at points between real and fake.

    Args:
        critic: D, (B, ...) to (B,), each example on its own.
        points: x^, (B, ...), from `interpolate`.

    Raises:
        ValueError: unless the critic gives scores (B,).

    >>> import jax.numpy as jnp
    >>> zero_centered_penalty(lambda x: (x**2).sum(axis=1) / 2, jnp.array([[3.0, 4.0]]))
    Array([25.], dtype=float32)
    """
    (gradients,) = floats(slopes=slopes(critic, points))
    return sum_per_example(gradients**2)


def divergence_penalty(critic: Critic, points: Points, *, power: float = 6.0) -> PerExample:
    """||grad D(x^)||_2^p: WGAN-div of arXiv 1712.01026, whose weight is k = 2 and whose power is p = 6.

    No slope is aimed at: with a linear critic of slope s and a distance d between the means of data and
    fakes, -d s + k s^p is least at s = (d / (k p))^(1 / (p - 1)). The points are those of WGAN-GP,
    from `interpolate`; a port in common use takes half of it at real data and half at fakes, which is
    a divergence too, but not the paper's.

    Args:
        critic: D, (B, ...) to (B,), each example on its own.
        points: x^, (B, ...), from `interpolate`.
        power: p > 1.

    Raises:
        ValueError: unless the critic gives scores (B,) and the power is above 1.

    >>> import jax.numpy as jnp
    >>> divergence_penalty(lambda x: (x**2).sum(axis=1) / 2, jnp.array([[0.0, 2.0]]))
    Array([64.], dtype=float32)
    """
    if power <= 1:
        raise ValueError(f"power is {power}, but must be above 1, so that a slope of 0 is the least")
    return safe_norm(slopes(critic, points)) ** power


def r1_penalty(critic: Critic, real: Points) -> PerExample:
    """||grad D(x)||_2^2 / 2 at real data: equation 9 of arXiv 1801.04406; its weight is gamma = 10.

    The authors' code leaves out the half: its 10 is a gamma of 20.

    Args:
        critic: D, (B, ...) to (B,), each example on its own.
        real: x, (B, ...).

    Raises:
        ValueError: unless the critic gives scores (B,).

    >>> import jax.numpy as jnp
    >>> r1_penalty(lambda x: (x**2).sum(axis=1) / 2, jnp.array([[3.0, 4.0]]))
    Array([12.5], dtype=float32)
    """
    return zero_centered_penalty(critic, real) / 2


def r2_penalty(critic: Critic, fake: Points) -> PerExample:
    """||grad D(x~)||_2^2 / 2 at fakes: equation 10 of arXiv 1801.04406; its weight is gamma = 10.

    Args:
        critic: D, (B, ...) to (B,), each example on its own.
        fake: x~ = G(z), (B, ...), held constant.

    Raises:
        ValueError: unless the critic gives scores (B,).

    >>> import jax.numpy as jnp
    >>> r2_penalty(lambda x: (x**2).sum(axis=1) / 2, jnp.array([[3.0, 4.0]]))
    Array([12.5], dtype=float32)
    """
    return zero_centered_penalty(critic, jax.lax.stop_gradient(fake)) / 2


def _advice(shape: tuple[int, ...], batch: int) -> str:
    """How to make one score for each example out of scores of another shape."""
    if shape == (batch, 1):
        return "drop the axis of size one with squeeze(-1)"
    if shape[:1] == (batch,):
        return f"take the mean over patches, scores.mean(axis={tuple(range(1, len(shape)))})"
    return (
        "score each example on its own, without a mean over the batch; of a critic of one example give jax.vmap(critic)"
    )
