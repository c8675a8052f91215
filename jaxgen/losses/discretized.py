"""Likelihoods of pixels that take one of a few levels, in nats: densities integrated over the width of a level.

A value is one for each example, (B,), summed over all other axes, in float32 or wider, to be
minimised. Arrays of different shapes raise a ValueError.

- Salimans et al.: PixelCNN++, 2017, arXiv 1701.05517 (discretised logistic).
- Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, 2020, arXiv 2006.11239 (Gaussian).
"""

import jax.numpy as jnp
from jax.nn import log_sigmoid
from jax.scipy.special import log_ndtr

from jaxgen.losses._arrays import Floats, batched, sum_per_example
from jaxgen.typing import PerExample


def discretized_logistic_nll(
    mean: Floats,
    log_scale: Floats,
    targets: Floats,
    *,
    num_levels: int = 256,
    value_range: tuple[float, float] = (-1.0, 1.0),
) -> PerExample:
    """-sum log(F(x + h) - F(x - h)), F(t) = sigmoid((t - mean) / scale): equation 2 of 1701.05517.

    Half a level is h; the lowest level reaches down to minus infinity, the highest to infinity, so
    that the probabilities of the levels sum to one.

    Args:
        mean: of the logistic distribution, (B, ...), in the units of the targets.
        log_scale: the logarithm of its scale, in the same shape; the authors keep it above -7.
        targets: x, one of `num_levels` equally spaced levels in `value_range`, in the same shape.
        num_levels: of a pixel.
        value_range: of the lowest and the highest level.

    Raises:
        ValueError: if shapes differ or there are fewer than two levels.

    >>> import jax.numpy as jnp
    >>> zero = jnp.zeros((1, 1))
    >>> discretized_logistic_nll(zero, zero, jnp.ones((1, 1)), num_levels=2).round(4)  # log 2
    Array([0.6931], dtype=float32)
    """
    if num_levels < 2:
        raise ValueError(f"num_levels is {num_levels}, but must be at least 2")
    mean, log_scale, targets = batched(mean=mean, log_scale=log_scale, targets=targets)
    low, high = value_range
    half = (high - low) / (num_levels - 1) / 2
    inverse_scale = jnp.exp(-log_scale)
    above = (targets - mean + half) * inverse_scale
    below = (targets - mean - half) * inverse_scale
    # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), where nothing cancels.
    width = jnp.log(-jnp.expm1(-2 * half * inverse_scale))
    inside = log_sigmoid(above) + log_sigmoid(-below) + width
    log_probability = jnp.where(
        targets < low + half,
        log_sigmoid(above),
        jnp.where(targets > high - half, log_sigmoid(-below), inside),
    )
    return -sum_per_example(log_probability)


def discretized_gaussian_nll(
    mean: Floats,
    logvar: Floats,
    targets: Floats,
    *,
    num_levels: int = 256,
    value_range: tuple[float, float] = (-1.0, 1.0),
) -> PerExample:
    """-sum log(F(x + h) - F(x - h)), F the distribution of N(mean, exp(logvar)): equation 13 of 2006.11239.

    Half a level is h; the lowest level reaches down to minus infinity, the highest to infinity, so
    that the probabilities of the levels sum to one.

    Args:
        mean: (B, ...), in the units of the targets.
        logvar: the logarithm of the variance, in the same shape.
        targets: x, one of `num_levels` equally spaced levels in `value_range`, in the same shape.
        num_levels: of a pixel.
        value_range: of the lowest and the highest level.

    Raises:
        ValueError: if shapes differ or there are fewer than two levels.

    >>> import jax.numpy as jnp
    >>> zero = jnp.zeros((1, 1))
    >>> discretized_gaussian_nll(zero, zero, jnp.ones((1, 1)), num_levels=2).round(4)  # log 2
    Array([0.6931], dtype=float32)
    """
    if num_levels < 2:
        raise ValueError(f"num_levels is {num_levels}, but must be at least 2")
    mean, logvar, targets = batched(mean=mean, logvar=logvar, targets=targets)
    low, high = value_range
    half = (high - low) / (num_levels - 1) / 2
    precision = jnp.exp(-0.5 * logvar)
    above, below = (targets - mean + half) * precision, (targets - mean - half) * precision
    # F(a) - F(b) = F(-b) - F(-a): the side on which both are small, where nothing cancels.
    flip = above + below > 0
    upper, lower = jnp.where(flip, -below, above), jnp.where(flip, -above, below)
    log_upper = log_ndtr(upper)
    inside = log_upper + jnp.log(-jnp.expm1(log_ndtr(lower) - log_upper))
    log_probability = jnp.where(
        targets < low + half,
        log_ndtr(above),
        jnp.where(targets > high - half, log_ndtr(-below), inside),
    )
    return -sum_per_example(log_probability)
