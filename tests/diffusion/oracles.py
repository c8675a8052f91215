"""The exact denoisers of data whose density is known, as predictions of any kind."""

import jax.numpy as jnp
import numpy as np

from jaxgen.diffusion.predictions import Estimate, Prediction, along, estimate, target


def posterior_mean(level, noisy, mean, deviation):
    """E[x_0|x_t] of data from N(mean, deviation^2), in the arithmetic of its arguments."""
    variance = level.alpha**2 * deviation**2 + level.sigma**2
    return mean + level.alpha * deviation**2 / variance * (noisy - level.alpha * mean)


def gaussian(mean, deviation, kind):
    """The denoiser of data from N(mean, deviation^2), whose network predicts `kind`."""

    def denoise(noisy, point):
        level = point.level
        data = posterior_mean(level, noisy, mean, deviation)
        noise = (noisy - along(level.alpha, noisy) * data) / along(level.sigma, noisy)
        return estimate(Prediction(target(kind, level, data, noise), kind), level, noisy)

    return denoise


def mixture(means, deviation):
    """The denoiser of data from a mixture of N(mean, deviation^2 I) with equal shares; means (modes, dimensions)."""

    def denoise(noisy, point):
        (alpha, sigma), centres = point.level, jnp.asarray(means, noisy.dtype)
        variance = alpha**2 * deviation**2 + sigma**2
        distances = ((noisy[:, None, :] - alpha * centres[None]) ** 2).sum(-1)
        shares = jnp.exp(-0.5 * (distances - distances.min(1, keepdims=True)) / variance)
        shares = shares / shares.sum(1, keepdims=True)
        each = centres[None] + alpha * deviation**2 / variance * (noisy[:, None, :] - alpha * centres[None])
        data = (shares[:, :, None] * each).sum(1)
        return Estimate(data, (noisy - alpha * data) / sigma)

    return denoise


def marginal(level, mean, deviation):
    """Mean and deviation of x_t."""
    return level.alpha * mean, np.sqrt(level.alpha**2 * deviation**2 + level.sigma**2)
