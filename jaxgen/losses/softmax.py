"""Losses by a softmax over the scores of a batch: softmax GAN, and the weights of boundary-seeking GAN.

Scores are unbounded values, high for real examples: l = -d for the energies d of softmax GAN, and the logit of the
probability of being real for boundary-seeking GAN. Everything is to be minimised.

- Lin: Softmax GAN, 2017, arXiv 1704.06191.
- Hjelm, Jacob, Che, Trischler, Cho, Bengio: Boundary-Seeking Generative Adversarial Networks, 2017, arXiv 1702.08431.
"""

import jax.numpy as jnp
from jax import lax
from jax.nn import softmax
from jax.scipy.special import logsumexp

from jaxgen.losses._arrays import Floats, Scores, per_example, ranked
from jaxgen.typing import PerExample


def softmax_discriminator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """log Z - l_r, Z the sum of e^l over all 2 B examples: the discriminator of softmax GAN.

    The cross-entropy of the softmax p = e^l / Z over the batch from the target that gives 1 / B to each real example
    and nothing to fakes: at least log B. It needs the batch, and adding a number to all scores changes nothing. The
    gradient in a score is p minus the target, over all examples of the batch. Codes that take log(Z + epsilon) of a sum
    of exponentials overflow.

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> softmax_discriminator(jnp.zeros(2), jnp.zeros(2)).round(4)  # log 4
    Array([1.3863, 1.3863], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return logsumexp(jnp.concatenate([real, fake])) - real


def softmax_generator(real_scores: Scores, fake_scores: Scores) -> PerExample:
    """log Z - (l_r + l_f) / 2: the generator of softmax GAN, whose target gives 1 / (2 B) to each of the 2 B examples.

    At least log(2 B). It depends on the real scores, and it needs the batch. A well-known port adds the gradient of the
    discriminator's loss to this one, as it does not cut the fakes off in the discriminator's step: its fixed point has
    a quarter of the mass on fakes, here it is half.

    Args:
        real_scores: l_r, (B,).
        fake_scores: l_f, (B,).

    >>> import jax.numpy as jnp
    >>> softmax_generator(jnp.array([1.0, 1.0]), jnp.array([1.0, 1.0])).round(4)  # log 4
    Array([1.3863, 1.3863], dtype=float32)
    """
    real, fake = per_example(real_scores=real_scores, fake_scores=fake_scores)
    return logsumexp(jnp.concatenate([real, fake])) - (real + fake) / 2


def boundary_seeking_generator(fake_scores: Scores) -> PerExample:
    """l_f^2 / 2 = (log D(G(z)) - log(1 - D(G(z))))^2 / 2: fakes move to the decision boundary, arXiv 1702.08431.

    The continuous form. Its discriminator is `minimax_discriminator`. The authors' code subtracts a moving average of
    the logarithm of the batch's mean of e^l, which is 0 at the best discriminator. Ports that take the two logarithms
    of probabilities give infinity where D is 0 or 1.

    Args:
        fake_scores: l_f, logits (B,).

    >>> import jax.numpy as jnp
    >>> boundary_seeking_generator(jnp.array([-2.0, 0.0]))
    Array([2., 0.], dtype=float32)
    """
    (fake,) = per_example(fake_scores=fake_scores)
    return fake**2 / 2


def importance_weights(fake_scores: Floats) -> Floats:
    """e^l_m / sum over n of e^l_n: what M samples of one generator's distribution count, arXiv 1702.08431.

    At the best discriminator e^l is the ratio p / q of the densities of data and generator, so that weighted samples
    are samples of the data. The weights of a row are positive and sum to one.

    Args:
        fake_scores: l, logits of M samples for each latent, (B, M).

    Returns:
        Weights in the same shape.

    Raises:
        ValueError: unless fake_scores are (B, M).

    >>> import jax.numpy as jnp
    >>> importance_weights(jnp.array([[0.0, 0.0, 0.0, 0.0]]))
    Array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """
    (scores,) = ranked("B, M", fake_scores=fake_scores)
    return softmax(scores, axis=1)


def boundary_seeking_policy(log_probs: Floats, fake_scores: Floats) -> PerExample:
    """-sum over m of w_m log g(x_m | z), the importance weights w held constant: arXiv 1702.08431, for discrete data.

    A policy gradient: samples of discrete data have no slope. The weights are those of `importance_weights`, normalised
    for each latent, so that no baseline is needed.

    Args:
        log_probs: log g(x_m | z), of M samples for each latent, (B, M).
        fake_scores: the discriminator's logits of those samples, (B, M).

    Raises:
        ValueError: unless both are (B, M).

    >>> import jax.numpy as jnp
    >>> boundary_seeking_policy(jnp.array([[-1.0, -3.0]]), jnp.zeros((1, 2)))
    Array([2.], dtype=float32)
    """
    log_probs, scores = ranked("B, M", log_probs=log_probs, fake_scores=fake_scores)
    return -(lax.stop_gradient(importance_weights(scores)) * log_probs).sum(axis=1)
