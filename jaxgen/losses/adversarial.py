"""Adversarial losses: what the discriminator (or critic) and the generator minimise.

Scores are logits or unbounded values D(x), never probabilities: shape (B,), one for each example,
real and fake in pairs. Every function returns one value for each example, (B,), in float32
(float64 for float64 scores), to be minimised and averaged over the batch. A discriminator's value
is the sum of its real and its fake term; codes that average over the concatenated batch use half
of it. Scores of another shape raise a ValueError: (B, 1) against (B,) would broadcast to (B, B).

Below l_r are scores of real examples, l_f of fakes, sp(t) = log(1 + e^t), s(t) = 1 / (1 + e^-t).

- Goodfellow et al.: Generative Adversarial Nets, 2014, arXiv 1406.2661.
- Salimans et al.: Improved Techniques for Training GANs, 2016, arXiv 1606.03498.
- Zhao, Mathieu, LeCun: Energy-based Generative Adversarial Network, 2016, arXiv 1609.03126.
- Mao et al.: Least Squares Generative Adversarial Networks, 2016, arXiv 1611.04076.
- Arjovsky, Chintala, Bottou: Wasserstein GAN, 2017, arXiv 1701.07875.
- Lim, Ye: Geometric GAN, 2017, arXiv 1705.02894 (hinge).
- Miyato et al.: Spectral Normalization for GANs, 2018, arXiv 1802.05957 (hinge).
"""

from jax.nn import relu, softplus

from jaxgen.losses._arrays import Scores, per_example
from jaxgen.typing import PerExample


def minimax_discriminator(
    real_scores: Scores,
    fake_scores: Scores,
    *,
    real_label: float = 1.0,
    fake_label: float = 0.0,
) -> PerExample:
    """sp(l_r) - alpha l_r + sp(l_f) - beta l_f, which is -log s(l_r) - log(1 - s(l_f)) unsmoothed.

    The negative of equation 1 of arXiv 1406.2661, which the discriminator maximises there; for the
    minimax and the non-saturating generator. Other labels than 1 and 0 smooth it (arXiv 1606.03498,
    section 3.4). Smooth the real label only: beta > 0 draws the generator to where no data are.

    Args:
        real_scores: l_r, logits (B,).
        fake_scores: l_f, logits (B,).
        real_label: alpha, the wanted probability of real examples; 0.9 is one-sided smoothing.
        fake_label: beta, the wanted probability of fakes.

    >>> import jax.numpy as jnp
    >>> minimax_discriminator(jnp.zeros(1), jnp.zeros(1)).round(4)  # 2 log 2
    Array([1.3863], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    # sp(-l) + (1 - alpha) l = sp(l) - alpha l, without cancellation at large l.
    real_term = softplus(-real) + (1 - real_label) * real
    return real_term + softplus(fake) - fake_label * fake


def minimax_generator(fake_scores: Scores) -> PerExample:
    """-sp(l_f) = log(1 - s(l_f)): equation 1 of arXiv 1406.2661, saturating where D wins.

    Its discriminator is `minimax_discriminator`.

    Args:
        fake_scores: l_f, logits (B,).

    >>> import jax.numpy as jnp
    >>> minimax_generator(jnp.zeros(1)).round(4)  # -log 2
    Array([-0.6931], dtype=float32)
    """
    (fake,) = per_example(fake_scores=fake_scores)
    return -softplus(fake)


def non_saturating_generator(fake_scores: Scores) -> PerExample:
    """sp(-l_f) = -log s(l_f): section 3 of arXiv 1406.2661, where log D(G(z)) is maximised.

    Its discriminator is `minimax_discriminator`.

    Args:
        fake_scores: l_f, logits (B,).

    >>> import jax.numpy as jnp
    >>> non_saturating_generator(jnp.zeros(1)).round(4)  # log 2
    Array([0.6931], dtype=float32)
    """
    (fake,) = per_example(fake_scores=fake_scores)
    return softplus(-fake)


def least_squares_discriminator(
    real_scores: Scores,
    fake_scores: Scores,
    *,
    real_code: float = 1.0,
    fake_code: float = 0.0,
) -> PerExample:
    """(l_r - b)^2 / 2 + (l_f - a)^2 / 2: equation 2 of arXiv 1611.04076.

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).
        real_code: b, the score wanted of real examples.
        fake_code: a, the score wanted of fakes.

    >>> import jax.numpy as jnp
    >>> least_squares_discriminator(jnp.array([3.0]), jnp.array([1.0]))
    Array([2.5], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return (real - real_code) ** 2 / 2 + (fake - fake_code) ** 2 / 2


def least_squares_generator(fake_scores: Scores, *, code: float = 1.0) -> PerExample:
    """(l_f - c)^2 / 2: equation 2 of arXiv 1611.04076.

    With codes b - c = 1 and b - a = 2 it is half a Pearson chi-squared divergence at the optimum.

    Args:
        fake_scores: l_f, (B,).
        code: c, the score that the generator wants of its fakes.

    >>> import jax.numpy as jnp
    >>> least_squares_generator(jnp.array([3.0]))
    Array([2.], dtype=float32)
    """
    (fake,) = per_example(fake_scores=fake_scores)
    return (fake - code) ** 2 / 2


def wasserstein_critic(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """l_f - l_r: the negative of equation 3 of arXiv 1701.07875, which the critic maximises there.

    Minus its mean estimates the Wasserstein-1 distance, if the critic is 1-Lipschitz: add
    `gradient_penalty`, or `clip_weights` after each step.

    Args:
        real_scores: l_r = f(x), (B,).
        fake_scores: l_f = f(G(z)), (B,).

    >>> import jax.numpy as jnp
    >>> wasserstein_critic(jnp.array([2.0, -1.0]), jnp.array([0.0, 1.0]))
    Array([-2.,  2.], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return fake - real


def wasserstein_generator(fake_scores: Scores) -> PerExample:
    """-l_f: Algorithm 1 of arXiv 1701.07875, line 10.

    Args:
        fake_scores: l_f = f(G(z)), (B,).

    >>> import jax.numpy as jnp
    >>> wasserstein_generator(jnp.array([2.0, -1.0]))
    Array([-2.,  1.], dtype=float32)
    """
    (fake,) = per_example(fake_scores=fake_scores)
    return -fake


def hinge_discriminator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """max(0, 1 - l_r) + max(0, 1 + l_f): the negative of equation 16 of arXiv 1802.05957.

    The paper maximises min(0, l_r - 1) + min(0, -1 - l_f).

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> hinge_discriminator(jnp.array([0.5, 2.0]), jnp.array([0.5, -2.0]))
    Array([2., 0.], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return relu(1 - real) + relu(1 + fake)


def hinge_generator(fake_scores: Scores) -> PerExample:
    """-l_f: equation 17 of arXiv 1802.05957.

    Args:
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> hinge_generator(jnp.array([0.5, -2.0]))
    Array([-0.5,  2. ], dtype=float32)
    """
    (fake,) = per_example(fake_scores=fake_scores)
    return -fake


def energy_discriminator(real_energies: Scores, fake_energies: Scores, *, margin: float) -> PerExample:
    """e_r + max(0, m - e_f): equation 1 of arXiv 1609.03126.

    Args:
        real_energies: e_r = D(x) >= 0, (B,), such as the error of an autoencoder.
        fake_energies: e_f = D(G(z)) >= 0, (B,).
        margin: m > 0, the energy from which on a fake no longer counts.

    >>> import jax.numpy as jnp
    >>> energy_discriminator(jnp.array([1.0, 2.0]), jnp.array([4.0, 12.0]), margin=10.0)
    Array([7., 2.], dtype=float32)
    """
    real, fake = per_example(real_energies=real_energies, fake_energies=fake_energies)
    return real + relu(margin - fake)


def energy_generator(fake_energies: Scores) -> PerExample:
    """e_f: equation 2 of arXiv 1609.03126, to which the paper adds 0.1 times `pull_away`.

    Args:
        fake_energies: e_f = D(G(z)) >= 0, (B,).

    >>> import jax.numpy as jnp
    >>> energy_generator(jnp.array([4.0, 12.0]))
    Array([ 4., 12.], dtype=float32)
    """
    (fake,) = per_example(fake_energies=fake_energies)
    return fake
