"""The posterior of one step of a discrete schedule, and the terms of the bound on log p(x_0).

Ho, Jain, Abbeel, 2020, arXiv 2006.11239, equations 5 to 7. With alpha_t^2 the product of 1 - beta up to t,

    q(x_(t-1)|x_t, x_0) = N(mean, p_t^2 I)
    mean = alpha_(t-1) beta_t / (1 - alpha_t^2) x_0 + sqrt(1 - beta_t) (1 - alpha_(t-1)^2) / (1 - alpha_t^2) x_t   (1)
    p_t^2 = beta_t (1 - alpha_(t-1)^2) / (1 - alpha_t^2).

At t = 0 p is 0; its logarithm there is that of t = 1, as in the authors' code.
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.diffusion.predictions import along
from jaxgen.diffusion.schedules import Betas
from jaxgen.images import ValueRange
from jaxgen.losses import discretized_gaussian_nll, gaussian_kl
from jaxgen.typing import PerExample, Points


class Step(NamedTuple):
    """The posterior's numbers at the step of each example."""

    data: jax.Array  # of x_0 in the mean
    noisy: jax.Array  # of x_t in the mean
    log_small: jax.Array  # log p_t^2
    log_large: jax.Array  # log beta_t


def step_of(schedule: Betas, times: PerExample) -> Step:
    """The numbers of the posterior at these times, whole steps from 0 on."""
    index = times.astype(jnp.int32)
    return Step(*(jnp.asarray(table, jnp.float32)[index] for table in _tables(schedule)))


def posterior_mean(step: Step, data: Points, noisy: Points) -> Points:
    """The mean of equation 1."""
    return along(step.data, data) * data + along(step.noisy, noisy) * noisy


def log_variance(step: Step, share: Points) -> Points:
    """share log beta + (1 - share) log p^2: equation 15 of arXiv 2102.09672."""
    small, large = along(step.log_small, share), along(step.log_large, share)
    return share * large + (1.0 - share) * small


def bound_term(
    schedule: Betas,
    times: PerExample,
    data: Points,
    noisy: Points,
    predicted: tuple[Points, Points],
    value_range: ValueRange,
) -> PerExample:
    """L_t in bits for each number: the divergence from the posterior, or for t = 0 -log p(x_0|x_1).

    Args:
        schedule: of the noise.
        times: t of each example.
        data: x_0.
        noisy: x_t.
        predicted: x_0 as the network has it, and the logarithm of the variance of its step.
        value_range: of the images, which have 256 levels in it.
    """
    step = step_of(schedule, times)
    mean, logvar = posterior_mean(step, predicted[0], noisy), predicted[1]
    true_mean = posterior_mean(step, data, noisy)
    true_logvar = jnp.broadcast_to(along(step.log_small, data), data.shape)
    divergence = gaussian_kl(true_mean, true_logvar, mean, logvar)
    if value_range is None:
        raise ValueError("value_range is None, but the bound is one of images with levels: give (-1, 1)")
    nll = discretized_gaussian_nll(mean, logvar, data, value_range=value_range)
    num = data[0].size
    return jnp.where(times == 0, nll, divergence) / (num * math.log(2.0))


@functools.cache
def _tables(schedule: Betas) -> tuple[np.ndarray, ...]:
    betas = schedule.betas()
    alpha_bar = np.cumprod(1.0 - betas)
    before = np.append(1.0, alpha_bar[:-1])
    small = betas * (1.0 - before) / (1.0 - alpha_bar)
    log_small = np.log(np.append(small[1] if len(small) > 1 else betas[0], small[1:]))
    data = np.sqrt(before) * betas / (1.0 - alpha_bar)
    noisy = np.sqrt(1.0 - betas) * (1.0 - before) / (1.0 - alpha_bar)
    return data, noisy, log_small, np.log(betas)
