"""Relativistic losses: real examples are to score higher than fakes, not high.

Jolicoeur-Martineau: The relativistic discriminator: a key element missing from standard GAN, 2018,
arXiv 1807.00734.

The paired losses (its Algorithm 1) compare each real score l_r with one fake score l_f. The average
losses (its Algorithm 2) compare with the mean of the other kind,

    a = l_r - mean(l_f),    b = l_f - mean(l_r),

so that each value needs the whole batch: with the batch split over devices each share would be
compared with its own mean. Both players see real and fake scores; in the generator's step let the
gradient flow through every l_f, the mean included.

All scores are (B,), anything else raises a ValueError; all functions return one value for each
pair, (B,), in float32 or wider, to be minimised, with the sum (not the mean) of the real and the
fake term. Below sp(t) = log(1 + e^t). The generator's loss is the discriminator's with real and
fake exchanged.
"""

from jax.nn import relu, softplus

from jaxgen.losses._arrays import Scores, per_example
from jaxgen.typing import PerExample


def relativistic_discriminator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """sp(-(l_r - l_f)) = -log s(l_r - l_f): RSGAN.

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_discriminator(jnp.ones(1), jnp.ones(1)).round(4)  # log 2
    Array([0.6931], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return softplus(fake - real)


def relativistic_generator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """sp(-(l_f - l_r)) = -log s(l_f - l_r): RSGAN.

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_generator(jnp.ones(1), jnp.zeros(1)).round(4)  # log(1 + e)
    Array([1.3133], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return softplus(real - fake)


def relativistic_least_squares_discriminator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """(l_r - l_f - 1)^2: RLSGAN.

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_least_squares_discriminator(jnp.array([3.0]), jnp.array([0.0]))
    Array([4.], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return (real - fake - 1) ** 2


def relativistic_least_squares_generator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """(l_f - l_r - 1)^2: RLSGAN.

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_least_squares_generator(jnp.array([3.0]), jnp.array([0.0]))
    Array([16.], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return (fake - real - 1) ** 2


def relativistic_hinge_discriminator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """max(0, 1 - (l_r - l_f)): RHingeGAN.

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_hinge_discriminator(jnp.array([3.0, 0.5]), jnp.array([0.0, 1.0]))
    Array([0. , 1.5], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return relu(1 - (real - fake))


def relativistic_hinge_generator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """max(0, 1 - (l_f - l_r)): RHingeGAN.

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_hinge_generator(jnp.array([3.0, 0.5]), jnp.array([0.0, 1.0]))
    Array([4. , 0.5], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return relu(1 - (fake - real))


def relativistic_average_discriminator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """sp(-a) + sp(b): RaSGAN, with a = l_r - mean(l_f) and b = l_f - mean(l_r).

    Args:
        real_scores: l_r of the whole batch, (B,).
        fake_scores: l_f of the whole batch, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_average_discriminator(jnp.ones(2), jnp.ones(2)).round(4)  # 2 log 2
    Array([1.3863, 1.3863], dtype=float32)
    """
    a, b = _against_the_mean(real_scores, fake_scores)
    return softplus(-a) + softplus(b)


def relativistic_average_generator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """sp(a) + sp(-b): RaSGAN, with a = l_r - mean(l_f) and b = l_f - mean(l_r).

    Args:
        real_scores: l_r of the whole batch, (B,).
        fake_scores: l_f of the whole batch, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_average_generator(jnp.ones(1), jnp.zeros(1)).round(4)  # 2 log(1 + e)
    Array([2.6265], dtype=float32)
    """
    a, b = _against_the_mean(real_scores, fake_scores)
    return softplus(a) + softplus(-b)


def relativistic_average_least_squares_discriminator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """(a - 1)^2 + (b + 1)^2: RaLSGAN, with a = l_r - mean(l_f) and b = l_f - mean(l_r).

    Args:
        real_scores: l_r of the whole batch, (B,).
        fake_scores: l_f of the whole batch, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_average_least_squares_discriminator(jnp.ones(2), jnp.ones(2))
    Array([2., 2.], dtype=float32)
    """
    a, b = _against_the_mean(real_scores, fake_scores)
    return (a - 1) ** 2 + (b + 1) ** 2


def relativistic_average_least_squares_generator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """(b - 1)^2 + (a + 1)^2: RaLSGAN, with a = l_r - mean(l_f) and b = l_f - mean(l_r).

    Args:
        real_scores: l_r of the whole batch, (B,).
        fake_scores: l_f of the whole batch, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_average_least_squares_generator(jnp.ones(1), jnp.zeros(1))
    Array([8.], dtype=float32)
    """
    a, b = _against_the_mean(real_scores, fake_scores)
    return (b - 1) ** 2 + (a + 1) ** 2


def relativistic_average_hinge_discriminator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """max(0, 1 - a) + max(0, 1 + b): RaHingeGAN, with a = l_r - mean(l_f), b = l_f - mean(l_r).

    Args:
        real_scores: l_r of the whole batch, (B,).
        fake_scores: l_f of the whole batch, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_average_hinge_discriminator(jnp.array([0.5]), jnp.zeros(1))
    Array([1.], dtype=float32)
    """
    a, b = _against_the_mean(real_scores, fake_scores)
    return relu(1 - a) + relu(1 + b)


def relativistic_average_hinge_generator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """max(0, 1 - b) + max(0, 1 + a): RaHingeGAN, with a = l_r - mean(l_f), b = l_f - mean(l_r).

    Args:
        real_scores: l_r of the whole batch, (B,).
        fake_scores: l_f of the whole batch, (B,).

    >>> import jax.numpy as jnp
    >>> relativistic_average_hinge_generator(jnp.array([0.5]), jnp.zeros(1))
    Array([3.], dtype=float32)
    """
    a, b = _against_the_mean(real_scores, fake_scores)
    return relu(1 - b) + relu(1 + a)


def _against_the_mean(real_scores: Scores, fake_scores: Scores) -> tuple[PerExample, PerExample]:
    """a and b: each score minus the mean score of the other kind."""
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return real - fake.mean(), fake - real.mean()
