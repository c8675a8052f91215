"""Limits of the estimated data while sampling, as values.

The noise is estimated anew from the limited data, so that both still make up x_t, unless `keep_noise` is set.
"""

from dataclasses import dataclass
from typing import TypeAlias

import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.diffusion.predictions import Estimate, along
from jaxgen.diffusion.schedules import Level
from jaxgen.images import ValueRange
from jaxgen.typing import Points


@dataclass(frozen=True)
class NoLimit:
    """The estimate as it is."""

    def apply(self, found: Estimate, level: Level, noisy: Points, value_range: ValueRange) -> Estimate:
        """The estimate."""
        return found


@dataclass(frozen=True)
class Clip:
    """Data clipped to the value range, as in the sampler of DDPM's code."""

    keep_noise: bool = False  # the estimate of the noise is left as it is

    def apply(self, found: Estimate, level: Level, noisy: Points, value_range: ValueRange) -> Estimate:
        """The estimate, its data within the range; as it is for data without bounds."""
        if value_range is None:
            return found
        return _with(found, jnp.clip(found.data, *value_range), level, noisy, self.keep_noise)


@dataclass(frozen=True)
class DynamicThreshold:
    """Data clipped to [-s, s] and divided by s, s a quantile of |x_0|, at least 1: Imagen, arXiv 2205.11487."""

    quantile: float = 0.995
    most: float | None = None  # s is at most this, where it is a number: 1 gives `Clip`
    keep_noise: bool = False  # the estimate of the noise is left as it is

    def __post_init__(self):
        require(0 < self.quantile <= 1, "quantile", self.quantile, "in (0, 1]")
        require(self.most is None or self.most >= 1, "most", self.most, "at least 1")

    def apply(self, found: Estimate, level: Level, noisy: Points, value_range: ValueRange) -> Estimate:
        """The estimate, its data within the range."""
        require(value_range == (-1.0, 1.0), "limit", "DynamicThreshold", f"Clip() for images in {value_range}")
        sizes = jnp.abs(found.data).reshape(found.data.shape[0], -1)
        bound = jnp.clip(jnp.quantile(sizes, self.quantile, axis=1), 1.0, self.most)
        s = along(bound, found.data)
        return _with(found, jnp.clip(found.data, -s, s) / s, level, noisy, self.keep_noise)


Limit: TypeAlias = NoLimit | Clip | DynamicThreshold
"""Limits that a setting can name on the command line."""


def _with(found: Estimate, data: Points, level: Level, noisy: Points, keep_noise: bool) -> Estimate:
    if keep_noise:
        return found._replace(data=data)
    noise = (noisy - along(level.alpha, noisy) * data) / along(level.sigma, noisy)
    return found._replace(data=data, noise=noise)
