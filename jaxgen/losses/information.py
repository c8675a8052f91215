"""Information about codes and classes: InfoGAN's bound, auxiliary classifiers, projection.

Values are one for each example, (B,), in nats, in float32 or wider, to be minimised. Class
probabilities come from logits, never from a softmax.

The InfoGAN bound is L_I = E[log Q(c | x)] + H(c) <= I(c; G(z, c)) (equations 4 and 5), which the
paper maximises with weight lambda (equation 6); here its negative is minimised. Codes are those
that generated x, and Q sees the generated x.

- Chen et al.: InfoGAN, 2016, arXiv 1606.03657.
- Odena, Olah, Shlens: Conditional Image Synthesis with Auxiliary Classifier GANs, 2016,
  arXiv 1610.09585.
- Miyato, Koyama: cGANs with Projection Discriminator, 2018, arXiv 1802.05637.
"""

import math

import jax.numpy as jnp
from jax.nn import logsumexp

from jaxgen.losses._arrays import Floats, Integers, Scores, arrays, class_numbers, per_example, ranked
from jaxgen.losses.likelihoods import gaussian_nll
from jaxgen.typing import PerExample


def cross_entropy(logits: Floats, labels: Integers) -> PerExample:
    """-log softmax(logits)[label].

    Args:
        logits: (B, K).
        labels: integers from 0 to K - 1, (B,); others give NaN.

    Raises:
        ValueError: unless logits are (B, K) and labels (B,) integers.

    >>> import jax.numpy as jnp
    >>> cross_entropy(jnp.zeros((1, 4)), jnp.array([2])).round(4)  # log 4
    Array([1.3863], dtype=float32)
    """
    (logits,) = ranked("B, K", logits=logits)
    labels = class_numbers(labels, logits)
    # A negative label would count from the last class: it is sent out of range like the others.
    labels = jnp.where(labels < 0, logits.shape[1], labels)
    rows = labels[:, None]
    chosen = jnp.take_along_axis(logits, rows, axis=1, mode="fill", fill_value=jnp.nan)
    return logsumexp(logits, axis=1) - chosen.squeeze(axis=1)


def infogan_categorical(logits: Floats, codes: Integers) -> PerExample:
    """-log Q(c | x) - log K, a uniform categorical code's -L_I: equation 5 of arXiv 1606.03657.

    From 0, where Q knows nothing, to -log K, where it knows the code.

    Args:
        logits: of Q(c | x), (B, K).
        codes: c, integers from 0 to K - 1, (B,).

    Raises:
        ValueError: unless logits are (B, K) and codes (B,) integers.

    >>> import jax.numpy as jnp
    >>> infogan_categorical(jnp.zeros((1, 10)), jnp.array([3]))
    Array([0.], dtype=float32)
    """
    return cross_entropy(logits, codes) - math.log(logits.shape[1])


def infogan_gaussian(mean: Floats, logvar: Floats | float, codes: Floats) -> PerExample:
    """-log Q(c | x) - D log(2 pi e) / 2, -L_I for codes N(0, I): equation 5 of arXiv 1606.03657.

    Args:
        mean: of the Gaussian Q(c | x), (B, D).
        logvar: the logarithm of its variance, (B, D) or one number.
        codes: c, standard normal, (B, D).

    Raises:
        ValueError: unless the shapes are one and (B, D).

    >>> import jax.numpy as jnp
    >>> infogan_gaussian(jnp.zeros((1, 2)), 0.0, jnp.ones((1, 2)))  # Q is the prior, |c| typical
    Array([0.], dtype=float32)
    """
    entropy = _num_codes(mean, codes) * math.log(2 * math.pi * math.e) / 2
    return gaussian_nll(mean, logvar, codes) - entropy


def infogan_uniform(
    mean: Floats,
    logvar: Floats | float,
    codes: Floats,
    *,
    value_range: tuple[float, float] = (-1.0, 1.0),
) -> PerExample:
    """-log Q(c | x) - D log(high - low), -L_I for uniform codes: equation 5 of arXiv 1606.03657.

    The authors' code takes a Gaussian's cross-entropy for H(c) instead, another constant.

    Args:
        mean: of the Gaussian Q(c | x), (B, D).
        logvar: the logarithm of its variance, (B, D) or one number.
        codes: c, uniform in `value_range`, (B, D).
        value_range: low and high.

    Raises:
        ValueError: unless the shapes are one and (B, D).

    >>> import jax.numpy as jnp
    >>> infogan_uniform(jnp.zeros((1, 1)), 0.0, jnp.zeros((1, 1))).round(4)  # log(2 pi) / 2 - log 2
    Array([0.2258], dtype=float32)
    """
    low, high = value_range
    entropy = _num_codes(mean, codes) * math.log(high - low)
    return gaussian_nll(mean, logvar, codes) - entropy


def auxiliary_classifier(
    real_logits: Floats, real_labels: Integers, fake_logits: Floats, fake_labels: Integers
) -> PerExample:
    """-log P(c | x_r) - log P(c | x_f): the negative of L_C, equation 3 of arXiv 1610.09585.

    Both players minimise it, in addition to their adversarial loss; the generator moves its second term.

    Args:
        real_logits: class logits of real examples, (B, K).
        real_labels: their classes, (B,).
        fake_logits: class logits of fakes, (B, K).
        fake_labels: the classes that they were generated for, (B,).

    Raises:
        ValueError: unless logits are (B, K), the same for both, and labels (B,) integers.

    >>> import jax.numpy as jnp
    >>> label = jnp.array([1])
    >>> auxiliary_classifier(jnp.zeros((1, 4)), label, jnp.zeros((1, 4)), label).round(4)  # 2 log 4
    Array([2.7726], dtype=float32)
    """
    real, fake = ranked("B, K", real_logits=real_logits, fake_logits=fake_logits)
    return cross_entropy(real, real_labels) + cross_entropy(fake, fake_labels)


def projection_score(scores: Scores, features: Floats, embeddings: Floats) -> PerExample:
    """psi(phi(x)) + v_y . phi(x): the projection discriminator of arXiv 1802.05637, section 3.

    A score to give to any adversarial loss; a zero embedding leaves the unconditional one.

    Args:
        scores: psi(phi(x)), (B,).
        features: phi(x), (B, d).
        embeddings: v_y, the rows of V for the labels, (B, d).

    Raises:
        ValueError: unless scores are (B,), features and embeddings (B, d).

    >>> import jax.numpy as jnp
    >>> projection_score(jnp.ones(1), jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 4.0]]))
    Array([12.], dtype=float32)
    """
    features, embeddings = ranked("B, d", features=features, embeddings=embeddings)
    products = (features * embeddings).sum(axis=1)
    scores, products = per_example(scores=scores, products=products)
    return scores + products


def _num_codes(mean: Floats, codes: Floats) -> int:
    """D of mean and codes (B, D), which may be 0."""
    for name, array in (("mean", mean), ("codes", codes)):
        arrays(**{name: array})
        if array.ndim != 2:
            raise ValueError(f"{name} has shape {array.shape}, but must have the axes (B, D)")
    return codes.shape[1]
