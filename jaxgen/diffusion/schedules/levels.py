"""How much of the data and how much noise is in an example: equation 1 of `jaxgen.diffusion.schedules`."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Level(NamedTuple):
    """alpha and sigma of equation 1, of one time for all examples or one for each."""

    alpha: Any  # of the data
    sigma: Any  # of the noise


CLEAN = Level(1.0, 0.0)
"""The level of data without noise."""


def snr(level: Level) -> Any:
    """(alpha / sigma)^2, the signal-to-noise ratio."""
    return (level.alpha / level.sigma) ** 2


def ratio(level: Level) -> Any:
    """sigma / alpha, the deviation of the noise in x_t / alpha_t: sigma of the EDM paper."""
    return level.sigma / level.alpha


def library(t: Any) -> Any:
    """jax.numpy for a JAX array, else numpy."""
    return jnp if isinstance(t, jax.Array) else np


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), float64 for NumPy."""
    return jax.nn.sigmoid(x) if isinstance(x, jax.Array) else 1.0 / (1.0 + np.exp(-np.asarray(x, np.float64)))


def preserving(log_snr: Any) -> Level:
    """The level with alpha^2 + sigma^2 = 1."""
    lib = library(log_snr)
    return Level(lib.sqrt(sigmoid(log_snr)), lib.sqrt(sigmoid(-log_snr)))


def log_snr_rate(schedule: Any, times: Any) -> Any:
    """-d log SNR / dt at times of a schedule in continuous time, above 0: g^2 / sigma^2 of dx = f x dt + g dw."""
    return -jax.jvp(schedule.log_snr, (times,), (jnp.ones_like(times),))[1]
