"""Schedules of T discrete steps, by the variance that each step adds."""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt, require, require_bounds
from jaxgen.diffusion.schedules.levels import Level, preserving


class _Betas:
    """T discrete steps with q(x_t|x_(t-1)) = N(sqrt(1 - beta_t) x_(t-1), beta_t I), t = 0, ..., T - 1: `betas`.

    alpha_t^2 is the product of 1 - beta up to t. Between the steps the log SNR is interpolated, beyond them constant.
    """

    steps: int
    data = -1.0
    discrete = True

    def betas(self) -> np.ndarray:
        """beta_0, ..., beta_(T-1), float64."""
        raise NotImplementedError

    @property
    def start(self) -> float:
        """The noisiest time."""
        return self.steps - 1.0

    @property
    def end(self) -> float:
        """The first step from the data."""
        return 0.0

    def log_snr(self, t: Any) -> Any:
        """2 log(alpha_t / sigma_t)."""
        table = _log_snrs(self)
        if isinstance(t, jax.Array):
            return jnp.interp(t.astype(jnp.float32), jnp.arange(len(table), dtype=jnp.float32), jnp.float32(table))
        return np.interp(t, np.arange(len(table)), table)

    def level(self, t: Any) -> Level:
        """alpha_t and sigma_t."""
        return preserving(self.log_snr(t))

    def time(self, log_snr: Any) -> Any:
        """The time of a log SNR."""
        table = _log_snrs(self)
        if isinstance(log_snr, jax.Array):
            places = jnp.arange(len(table), dtype=jnp.float32)
            return jnp.interp(-log_snr, -jnp.float32(table), places)
        return np.interp(-log_snr, -table, np.arange(len(table), dtype=np.float64))

    def label(self, t: Any) -> Any:
        """What the network is told of the time: t."""
        return t


@functools.cache
def _log_snrs(schedule: _Betas) -> np.ndarray:
    log_alpha_bar = np.cumsum(np.log1p(-schedule.betas()))
    return log_alpha_bar - np.log(-np.expm1(log_alpha_bar))


@dataclass(frozen=True)
class LinearBetas(_Betas):
    """beta on a line: Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, 2020, arXiv 2006.11239."""

    steps: PositiveInt = 1000  # T
    first: PositiveFloat = 1e-4  # beta_0
    last: PositiveFloat = 0.02  # beta_(T-1)

    def __post_init__(self):
        require_bounds(self)
        require(self.last < 1, "last", self.last, "below 1")

    def betas(self) -> np.ndarray:
        """beta_0, ..., beta_(T-1), float64."""
        return np.linspace(self.first, self.last, self.steps)


@dataclass(frozen=True)
class ScaledLinearBetas(_Betas):
    """sqrt(beta) on a line, as in latent diffusion: arXiv 2112.10752, whose code calls it linear."""

    steps: PositiveInt = 1000  # T
    first: PositiveFloat = 0.00085  # beta_0
    last: PositiveFloat = 0.012  # beta_(T-1)

    def __post_init__(self):
        require_bounds(self)
        require(self.last < 1, "last", self.last, "below 1")

    def betas(self) -> np.ndarray:
        """beta_0, ..., beta_(T-1), float64."""
        return np.linspace(self.first**0.5, self.last**0.5, self.steps) ** 2


@dataclass(frozen=True)
class CosineBetas(_Betas):
    """alpha_t^2 as cos^2(((t + 1) / T + s) / (1 + s) pi / 2): Nichol, Dhariwal, 2021, arXiv 2102.09672."""

    steps: PositiveInt = 1000  # T
    offset: NonNegativeFloat = 0.008  # s
    least: NonNegativeFloat = 0.0  # beta is at least this: 1e-4 in FIDLE's notebook
    most: PositiveFloat = 0.999  # and at most this

    def __post_init__(self):
        require_bounds(self)
        require(self.least < self.most < 1, "most", self.most, f"above least={self.least} and below 1")

    def betas(self) -> np.ndarray:
        """beta_0, ..., beta_(T-1), float64."""
        angles = (np.arange(self.steps + 1) / self.steps + self.offset) / (1.0 + self.offset) * np.pi / 2
        alpha_bar = np.cos(angles) ** 2
        return np.clip(1.0 - alpha_bar[1:] / alpha_bar[:-1], max(self.least, 1e-12), self.most)
