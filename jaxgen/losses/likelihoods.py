"""Likelihoods and divergences of variational autoencoders, in nats.

Unless said otherwise a value is one for each example, (B,), summed over all other axes, in float32
or wider, to be minimised. Arrays of different shapes raise a ValueError.

- Kingma, Welling: Auto-Encoding Variational Bayes, 2013, arXiv 1312.6114.
- Burda, Grosse, Salakhutdinov: Importance Weighted Autoencoders, 2015, arXiv 1509.00519.
- Kingma et al.: Improving Variational Inference with Inverse Autoregressive Flow, 2016,
  arXiv 1606.04934 (free bits).
- Burgess et al.: Understanding disentangling in beta-VAE, 2018, arXiv 1804.03599.
"""

import math

import jax.numpy as jnp
from jax.nn import logsumexp, softplus

from jaxgen.losses._arrays import AnyArray, Floats, batched, floats, number, per_example, ranked, sum_per_example
from jaxgen.typing import PerExample, Scalar


def bernoulli_nll(logits: Floats, targets: Floats) -> PerExample:
    """-sum x log y + (1 - x) log(1 - y) with y = sigmoid(logits): appendix C.1 of 1312.6114.

    For grey targets in (0, 1) this is a cross-entropy, no likelihood: its minimum, at y = x, is the
    entropy of x.

    Args:
        logits: (B, ...).
        targets: x in [0, 1], in the same shape.

    >>> import jax.numpy as jnp
    >>> bernoulli_nll(jnp.zeros((1, 3)), jnp.array([[0.0, 1.0, 1.0]])).round(4)  # 3 log 2
    Array([2.0794], dtype=float32)
    """
    logits, targets = batched(logits=logits, targets=targets)
    return sum_per_example(targets * softplus(-logits) + (1 - targets) * softplus(logits))


def gaussian_nll(mean: Floats, logvar: Floats | float, targets: Floats) -> PerExample:
    """sum of (log 2 pi + logvar + (x - mean)^2 / exp(logvar)) / 2: appendix C.2 of 1312.6114.

    A learned variance is an array; a fixed one is a number: log 1/2 makes the sum of squared
    errors, up to a constant.

    Args:
        mean: (B, ...).
        logvar: the logarithm of the variance, in the shape of `mean` or one number.
        targets: x, in the shape of `mean`.

    >>> import jax.numpy as jnp
    >>> gaussian_nll(jnp.zeros((1, 2)), 0.0, jnp.array([[1.0, 1.0]])).round(4)  # log 2 pi + 1
    Array([2.8379], dtype=float32)
    """
    mean, targets = batched(mean=mean, targets=targets)
    if isinstance(logvar, AnyArray) and logvar.ndim:
        mean, logvar, targets = batched(mean=mean, logvar=logvar, targets=targets)
    else:
        logvar = number("logvar", logvar, mean.dtype)
    squared = (targets - mean) ** 2 * jnp.exp(-logvar)
    return sum_per_example(math.log(2 * math.pi) + logvar + squared) / 2


def standard_normal_kl(mean: Floats, logvar: Floats) -> PerExample:
    """KL(N(mean, exp(logvar)) || N(0, I)) = sum of (mean^2 + exp(logvar) - 1 - logvar) / 2.

    Appendix B of arXiv 1312.6114, which gives -KL. `jax.vmap(standard_normal_kl, 1, 1)` gives the
    terms of each latent, for `free_bits`.

    Args:
        mean: (B, ...).
        logvar: the logarithm of the variance, in the same shape.

    >>> import jax.numpy as jnp
    >>> standard_normal_kl(jnp.array([[1.0, 2.0]]), jnp.zeros((1, 2)))
    Array([2.5], dtype=float32)
    """
    mean, logvar = batched(mean=mean, logvar=logvar)
    return sum_per_example(mean**2 + jnp.expm1(logvar) - logvar) / 2


def gaussian_kl(mean: Floats, logvar: Floats, prior_mean: Floats, prior_logvar: Floats) -> PerExample:
    """KL(N(mean, exp(logvar)) || N(prior_mean, exp(prior_logvar))) of diagonal Gaussians.

    The sum of (log s_2^2 - log s_1^2 + (s_1^2 + (m_1 - m_2)^2) / s_2^2 - 1) / 2.

    Args:
        mean: m_1 of the posterior, (B, ...).
        logvar: log s_1^2, in the same shape.
        prior_mean: m_2, in the same shape.
        prior_logvar: log s_2^2, in the same shape.

    >>> import jax.numpy as jnp
    >>> one, zero = jnp.ones((1, 1)), jnp.zeros((1, 1))
    >>> gaussian_kl(one, zero, -one, zero)  # 2^2 / 2
    Array([2.], dtype=float32)
    """
    mean, logvar, prior_mean, prior_logvar = batched(
        mean=mean, logvar=logvar, prior_mean=prior_mean, prior_logvar=prior_logvar
    )
    ratio = logvar - prior_logvar
    squared = (mean - prior_mean) ** 2 * jnp.exp(-prior_logvar)
    return sum_per_example(jnp.expm1(ratio) - ratio + squared) / 2


def free_bits(kl: Floats, minimum: float) -> Scalar:
    """sum over j of max(lambda, mean over the batch of KL_j): the objective of arXiv 1606.04934.

    Groups of latents that carry fewer than lambda nats on average are left alone. It needs the
    batch: the mean is inside the maximum.

    Args:
        kl: the divergence of each group of latents, (B, groups).
        minimum: lambda, nats for each group.

    Raises:
        ValueError: unless kl is (B, groups).

    >>> import jax.numpy as jnp
    >>> free_bits(jnp.array([[0.0, 1.0], [0.2, 5.0]]), 0.5)  # max(0.5, 0.1) + max(0.5, 3)
    Array(3.5, dtype=float32)
    """
    (kl,) = ranked("B, groups", kl=kl)
    return jnp.maximum(kl.mean(axis=0), minimum).sum()


def capacity_penalty(kl: Floats, capacity: Scalar | float) -> PerExample:
    """|KL - C|: equation 8 of arXiv 1804.03599; its weight is gamma = 1000.

    Args:
        kl: nats, (B,).
        capacity: C, nats, raised during training.

    >>> import jax.numpy as jnp
    >>> capacity_penalty(jnp.array([3.0, 7.0]), 5.0)
    Array([2., 2.], dtype=float32)
    """
    (kl,) = per_example(kl=kl)
    return jnp.abs(kl - number("capacity", capacity, kl.dtype))


def importance_weighted_bound(log_weights: Floats) -> PerExample:
    """-log(1/K sum over k of w_k), w_k = p(x, z_k) / q(z_k | x): equation 8 of arXiv 1509.00519.

    An upper bound of -log p(x), which falls with K; K = 1 gives minus the ELBO. The paper maximises
    its negative, L_K.

    Args:
        log_weights: log p(x, z_k) - log q(z_k | x), (B, K).

    Raises:
        ValueError: unless log_weights are (B, K).

    >>> import jax.numpy as jnp
    >>> importance_weighted_bound(jnp.log(jnp.array([[1.0, 3.0]]))).round(4)  # -log 2
    Array([-0.6931], dtype=float32)
    """
    (log_weights,) = ranked("B, K", log_weights=log_weights)
    return math.log(log_weights.shape[1]) - logsumexp(log_weights, axis=1)


def bits_per_dim(nll: Floats, num_dims: int) -> Floats:
    """nll / (D log 2): nats for an example to bits for each of its D dimensions.

    Args:
        nll: nats, of any shape.
        num_dims: D, such as height * width * channels.

    Raises:
        ValueError: if nll is empty or num_dims below 1.

    >>> import jax.numpy as jnp
    >>> bits_per_dim(jnp.array([2.0794415]), 3).round(4)  # 3 log 2 nats
    Array([1.], dtype=float32)
    """
    (nll,) = floats(nll=nll)
    if nll.size == 0:
        raise ValueError(f"nll has shape {nll.shape}, but must hold an example: the batch is empty")
    if num_dims < 1:
        raise ValueError(f"num_dims is {num_dims}, but must be at least 1")
    return nll / (num_dims * math.log(2))
