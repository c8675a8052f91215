"""Weights of the error at a level, as values: which levels the loss attends to; and how the error is measured.

A weight is defined for the error of the data, w ||x_0 - estimate||^2, so that it means the same whatever the network
predicts; `factor` turns it into the weight of the error of the prediction itself.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import jax.numpy as jnp

from jaxgen.checks import PositiveFloat, require_bounds
from jaxgen.diffusion.predictions import Kind, data_error
from jaxgen.diffusion.schedules import Level, snr
from jaxgen.losses import mean_squared_error, smooth_l1_error
from jaxgen.typing import PerExample, Points


@dataclass(frozen=True)
class Unweighted:
    """The squared error of what the network predicts, as it is: L_simple of DDPM where that is the noise."""

    def factor(self, kind: Kind, level: Level) -> PerExample:
        """1."""
        return jnp.ones_like(level.sigma)


@dataclass(frozen=True)
class NoiseError:
    """w = SNR: the squared error of the noise, whatever the network predicts."""

    def factor(self, kind: Kind, level: Level) -> PerExample:
        """Of the squared error of a prediction of this kind."""
        return snr(level) * data_error(kind, level)


@dataclass(frozen=True)
class DataError:
    """w = 1: the squared error of the data, whatever the network predicts."""

    def factor(self, kind: Kind, level: Level) -> PerExample:
        """Of the squared error of a prediction of this kind."""
        return data_error(kind, level)


@dataclass(frozen=True)
class MinSNR:
    """w = min(SNR, gamma): Hang et al., 2023, arXiv 2303.09556.

    In terms of predictions min(SNR, gamma) / SNR for the noise and min(SNR, gamma) / (SNR + 1) for v.
    """

    gamma: PositiveFloat = 5.0

    def __post_init__(self):
        require_bounds(self)

    def factor(self, kind: Kind, level: Level) -> PerExample:
        """Of the squared error of a prediction of this kind."""
        return jnp.minimum(snr(level), self.gamma) * data_error(kind, level)


@dataclass(frozen=True)
class EDMWeight:
    """w = (s^2 + d^2) / (s d)^2 = 1 / d^2 + SNR, s = sigma / alpha: lambda of arXiv 2206.00364, table 1.

    The factor of a prediction of F is 1.
    """

    data_deviation: PositiveFloat = 0.5  # d, sigma_data

    def __post_init__(self):
        require_bounds(self)

    def factor(self, kind: Kind, level: Level) -> PerExample:
        """Of the squared error of a prediction of this kind."""
        return (self.data_deviation**-2 + snr(level)) * data_error(kind, level)


Weight: TypeAlias = Unweighted | NoiseError | DataError | MinSNR | EDMWeight
"""Weights that a setting can name on the command line."""


@dataclass(frozen=True)
class Squared:
    """The squared error."""

    def between(self, prediction: Points, target: Points) -> PerExample:
        """The mean over all numbers of an example."""
        return mean_squared_error(prediction, target)


@dataclass(frozen=True)
class SmoothL1:
    """Half the squared error up to 1, then the absolute error less 1/2: FIDLE's notebook."""

    def between(self, prediction: Points, target: Points) -> PerExample:
        """The mean over all numbers of an example."""
        return smooth_l1_error(prediction, target)


@dataclass(frozen=True)
class PseudoHuber:
    """sqrt(||y - x||^2 + c^2) - c of all D numbers of an example together: arXiv 2310.14189, section 3.3.

    Near 0 it is ||y - x||^2 / (2 c), far away ||y - x|| - c; the length of its gradient is below 1.
    """

    share: PositiveFloat = 0.00054  # c / sqrt(D)

    def __post_init__(self):
        require_bounds(self)

    def between(self, prediction: Points, target: Points) -> PerExample:
        """One number for each example."""
        numbers = math.prod(prediction.shape[1:])
        c = self.share * math.sqrt(numbers)
        return jnp.sqrt(numbers * mean_squared_error(prediction, target) + c**2) - c


Distance: TypeAlias = Squared | SmoothL1 | PseudoHuber
"""Distances that a setting can name on the command line; weights are meant for the squared one."""
