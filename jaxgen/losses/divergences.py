"""Divergences of distributions: in closed form for finite ones, and as games of f-GAN for any.

An f-divergence of data p from a model q is D_f(p, q) = sum of q f(p / q), with a convex f. f-GAN plays for its
variational bound

    D_f(p, q) >= E_p[g(v)] - E_q[f*(g(v))],                            (1)

v the scores of a network, g an output activation that maps them into the domain of the conjugate f*. The bound holds
for all scores and is tight at g(v) = f'(p / q). The discriminator ascends it, the generator descends it. The arguments
are in the order (data, model), so that KL covers all modes of the data.

`DIVERGENCES` has those of the paper's table: KL, reverse KL, Pearson chi^2, squared Hellinger, Jensen-Shannon, GAN. Its
"JS" is twice the usual Jensen-Shannon divergence, and its "GAN" is that minus 2 log 2. Where g or f*(g) grows as an
exponential, it goes on linearly from a score of 60 on, so that values and gradients stay finite.

- Nowozin, Cseke, Tomioka: f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization, 2016,
  arXiv 1606.00709.
- Lin: Divergence measures based on the Shannon entropy, 1991, IEEE Transactions on Information Theory 37.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax.nn import sigmoid, softplus
from jaxtyping import Array

from jaxgen.losses._arrays import Floats, Scores, per_example, same_shape
from jaxgen.typing import PerExample

LOG_2 = math.log(2.0)
LARGEST = 60.0
"""The exponent from which on an exponential goes on linearly."""


class Formulas(NamedTuple):
    """The functions of one f-divergence, each of an array, value by value."""

    function: Callable[[Array], Array]  # f(u), of u = p / q >= 0, f(0) its limit
    conjugate: Callable[[Array], Array]  # f*(t) = sup over u of t u - f(u), of t in its domain
    activation: Callable[[Array], Array]  # g(v), onto that domain
    composed: Callable[[Array], Array]  # f*(g(v)), without overflow or cancellation
    probability: Callable[[Array], Array]  # p / (p + q), if g(v) = f'(p / q)


def _exponential(x: Array) -> Array:
    """e^x, linear from 60 on."""
    return jnp.exp(jnp.minimum(x, LARGEST)) * (1 + jnp.maximum(x - LARGEST, 0.0))


def _product_log(x: Array, y: Array) -> Array:
    """x log y, 0 at x = 0, and without a slope there."""
    zero = x == 0
    return jnp.where(zero, 0.0 * y, x * jnp.log(jnp.where(zero, 1.0, y)))


def _pearson_probability(v: Array) -> Array:
    ratio = jnp.maximum(1 + v / 2, 0.0)
    return ratio / (1 + ratio)


DIVERGENCES = {
    "kl": Formulas(
        function=lambda u: _product_log(u, u),
        conjugate=lambda t: jnp.exp(t - 1),
        activation=lambda v: v,
        composed=lambda v: _exponential(v - 1),
        probability=lambda v: sigmoid(v - 1),
    ),
    "reverse_kl": Formulas(
        function=lambda u: -jnp.log(u),
        conjugate=lambda t: -1 - jnp.log(-t),
        activation=lambda v: -_exponential(-v),
        composed=lambda v: v - 1,
        probability=sigmoid,
    ),
    "pearson": Formulas(
        function=lambda u: (u - 1) ** 2,
        conjugate=lambda t: t**2 / 4 + t,
        activation=lambda v: v,
        composed=lambda v: v**2 / 4 + v,
        probability=_pearson_probability,
    ),
    "hellinger": Formulas(
        function=lambda u: (jnp.sqrt(u) - 1) ** 2,
        conjugate=lambda t: t / (1 - t),
        activation=lambda v: 1 - _exponential(-v),
        composed=lambda v: _exponential(v) - 1,
        probability=lambda v: sigmoid(2 * v),
    ),
    "jensen_shannon": Formulas(
        function=lambda u: _product_log(u, u) - (u + 1) * jnp.log((u + 1) / 2),
        conjugate=lambda t: -jnp.log(2 - jnp.exp(t)),
        activation=lambda v: LOG_2 - softplus(-v),
        composed=lambda v: softplus(v) - LOG_2,
        probability=sigmoid,
    ),
    "gan": Formulas(
        function=lambda u: _product_log(u, u) - (u + 1) * jnp.log(u + 1),
        conjugate=lambda t: -jnp.log(1 - jnp.exp(t)),
        activation=lambda v: -softplus(-v),
        composed=softplus,
        probability=sigmoid,
    ),
}
"""By name; f'(1) is 1 for KL, -1 for reverse KL, -log 2 for GAN and 0 for the others."""


def f_gan_discriminator(real_scores: Scores, fake_scores: Scores, divergence: Formulas) -> PerExample:
    """f*(g(v_f)) - g(v_r): the negative of equation 1, which the discriminator of arXiv 1606.00709 maximises.

    Args:
        real_scores: v_r, (B,), unbounded.
        fake_scores: v_f, (B,), unbounded.
        divergence: one of `DIVERGENCES`, or one of yours.

    >>> import jax.numpy as jnp
    >>> f_gan_discriminator(jnp.array([1.0]), jnp.array([2.0]), DIVERGENCES["pearson"])
    Array([2.], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return divergence.composed(fake) - divergence.activation(real)


def f_gan_generator(fake_scores: Scores, divergence: Formulas, *, saturating: bool = False) -> PerExample:
    """-g(v_f), the advice of section 3.2 of arXiv 1606.00709; saturating -f*(g(v_f)), the game of equation 1.

    With Pearson's divergence the first has no lower bound.

    Args:
        fake_scores: v_f, (B,), unbounded.
        divergence: that of the discriminator.
        saturating: the zero-sum game.

    >>> import jax.numpy as jnp
    >>> f_gan_generator(jnp.array([2.0]), DIVERGENCES["pearson"])
    Array([-2.], dtype=float32)
    >>> f_gan_generator(jnp.array([2.0]), DIVERGENCES["pearson"], saturating=True)
    Array([-3.], dtype=float32)
    """
    (fake,) = per_example(fake_scores=fake_scores)
    return -(divergence.composed if saturating else divergence.activation)(fake)


def f_divergence(p: Floats, q: Floats, divergence: Formulas) -> Floats:
    """sum of q f(p / q), of finite distributions: section 2.1 of arXiv 1606.00709.

    Args:
        p: probabilities, (..., K), which sum to one; this is not checked.
        q: probabilities, in the same shape, above 0 wherever p is.
        divergence: one of `DIVERGENCES`, or one of yours.

    Returns:
        One value for each pair of distributions, (...).

    Raises:
        ValueError: if the shapes differ or have no axis of probabilities.

    >>> import jax.numpy as jnp
    >>> f_divergence(jnp.array([0.5, 0.5]), jnp.array([0.25, 0.75]), DIVERGENCES["pearson"]).round(4)
    Array(0.3333, dtype=float32)
    """
    p, q = _distributions(p, q)
    empty = (p == 0) & (q == 0)
    ratio = jnp.where(empty, 1.0, p) / jnp.where(empty, 1.0, q)
    return jnp.where(empty, 0.0, q * divergence.function(ratio)).sum(axis=-1)


def total_variation_distance(p: Floats, q: Floats) -> Floats:
    """sum of |p - q| / 2: the largest difference of the probabilities of one event, in [0, 1].

    Args:
        p: probabilities, (..., K), which sum to one; this is not checked.
        q: probabilities, in the same shape.

    Returns:
        One value for each pair of distributions, (...).

    Raises:
        ValueError: if the shapes differ or have no axis of probabilities.

    >>> import jax.numpy as jnp
    >>> total_variation_distance(jnp.array([0.5, 0.5]), jnp.array([0.25, 0.75]))
    Array(0.25, dtype=float32)
    """
    p, q = _distributions(p, q)
    return jnp.abs(p - q).sum(axis=-1) / 2


def kl_divergence(p: Floats, q: Floats) -> Floats:
    """sum of p log(p / q), in nats: 0 where p is 0, infinite where q is 0 and p is not.

    Args:
        p: probabilities, (..., K), which sum to one; this is not checked.
        q: probabilities, in the same shape.

    Returns:
        One value for each pair of distributions, (...), without an upper bound.

    Raises:
        ValueError: if the shapes differ or have no axis of probabilities.

    >>> import jax.numpy as jnp
    >>> kl_divergence(jnp.array([1.0, 0.0]), jnp.array([0.5, 0.5])).round(4)  # log 2
    Array(0.6931, dtype=float32)
    """
    p, q = _distributions(p, q)
    return (_product_log(p, p) - _product_log(p, q)).sum(axis=-1)


def jensen_shannon_divergence(p: Floats, q: Floats) -> Floats:
    """(KL(p, m) + KL(q, m)) / 2, m = (p + q) / 2, in nats: symmetric, in [0, log 2], log 2 for what shares nothing.

    Lin, 1991. Far from each other it does not say how far: `earth_movers_distance` does.

    Args:
        p: probabilities, (..., K), which sum to one; this is not checked.
        q: probabilities, in the same shape.

    Returns:
        One value for each pair of distributions, (...).

    Raises:
        ValueError: if the shapes differ or have no axis of probabilities.

    >>> import jax.numpy as jnp
    >>> jensen_shannon_divergence(jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])).round(4)  # log 2
    Array(0.6931, dtype=float32)
    """
    p, q = _distributions(p, q)
    middle = (p + q) / 2
    return (kl_divergence(p, middle) + kl_divergence(q, middle)) / 2


def _distributions(p: Floats, q: Floats) -> list[Array]:
    p, q = same_shape(p=p, q=q)
    if p.ndim < 1 or p.size == 0:
        raise ValueError(f"p and q have shape {p.shape}, but must be probabilities (..., K), one at least")
    return [p, q]
