"""Schedules in continuous time."""

import math
from dataclasses import dataclass
from typing import Any

from jaxgen.checks import NonNegativeFloat, PositiveFloat, require, require_bounds
from jaxgen.diffusion.schedules.levels import Level, library, sigmoid


class _Continuous:
    """Schedules in continuous time, t = 0 for the data."""

    data = 0.0
    discrete = False


@dataclass(frozen=True)
class VP(_Continuous):
    """log alpha_t = -t^2 (beta_1 - beta_0) / 4 - t beta_0 / 2, sigma_t^2 = 1 - alpha_t^2, t in [0, 1].

    The variance-preserving process of Song et al., 2020, arXiv 2011.13456.
    """

    first: NonNegativeFloat = 0.1  # beta_0
    last: PositiveFloat = 20.0  # beta_1
    end: PositiveFloat = 1e-3  # the least noisy time

    start = 1.0

    def __post_init__(self):
        require_bounds(self)
        require(self.first < self.last, "first", self.first, f"below last={self.last}")
        require(self.end < 1, "end", self.end, "below 1")

    def level(self, t: Any) -> Level:
        """alpha_t and sigma_t."""
        lib, log_alpha = library(t), self._log_alpha(t)
        return Level(lib.exp(log_alpha), lib.sqrt(-lib.expm1(2.0 * log_alpha)))

    def log_snr(self, t: Any) -> Any:
        """2 log(alpha_t / sigma_t)."""
        lib, log_alpha = library(t), self._log_alpha(t)
        return 2.0 * log_alpha - lib.log(-lib.expm1(2.0 * log_alpha))

    def time(self, log_snr: Any) -> Any:
        """The time of a log SNR."""
        return self._time(0.5 * library(log_snr).logaddexp(-log_snr, library(log_snr).zeros_like(log_snr)))

    def label(self, t: Any) -> Any:
        """What the network is told of the time: 999 t, as in the authors' code."""
        return 999.0 * t

    def _log_alpha(self, t: Any) -> Any:
        return -0.25 * t**2 * (self.last - self.first) - 0.5 * t * self.first

    def _time(self, minus_log_alpha: Any) -> Any:
        four = 4.0 * minus_log_alpha
        return four / (self.first + library(four).sqrt(self.first**2 + (self.last - self.first) * four))


@dataclass(frozen=True)
class SubVP(VP):
    """alpha_t of the variance-preserving process, sigma_t = 1 - alpha_t^2, which is never larger than its sigma_t.

    The sub-VP process of Song et al., 2020, arXiv 2011.13456, appendix B.
    """

    def level(self, t: Any) -> Level:
        """alpha_t and sigma_t."""
        lib, log_alpha = library(t), self._log_alpha(t)
        return Level(lib.exp(log_alpha), -lib.expm1(2.0 * log_alpha))

    def log_snr(self, t: Any) -> Any:
        """2 log(alpha_t / sigma_t)."""
        lib, log_alpha = library(t), self._log_alpha(t)
        return 2.0 * log_alpha - 2.0 * lib.log(-lib.expm1(2.0 * log_alpha))

    def time(self, log_snr: Any) -> Any:
        """The time of a log SNR: sigma / alpha = 2 sinh(-log alpha)."""
        lib = library(log_snr)
        return self._time(lib.arcsinh(0.5 * lib.exp(-0.5 * log_snr)))


@dataclass(frozen=True)
class Cosine(_Continuous):
    """alpha_t = cos(pi t / 2), sigma_t = sin(pi t / 2), t in [0, 1]: Salimans, Ho, 2022, arXiv 2202.00512."""

    end: PositiveFloat = 1e-3  # the least noisy time

    start = 1.0

    def __post_init__(self):
        require_bounds(self)
        require(self.end < 1, "end", self.end, "below 1")

    def level(self, t: Any) -> Level:
        """alpha_t and sigma_t; alpha_1 is 0."""
        lib, angle = library(t), math.pi / 2 * t
        return Level(lib.sin(math.pi / 2 - angle), lib.sin(angle))

    def log_snr(self, t: Any) -> Any:
        """2 log(alpha_t / sigma_t)."""
        lib, (alpha, sigma) = library(t), self.level(t)
        return 2.0 * (lib.log(alpha) - lib.log(sigma))  # tan is negative at float32's pi / 2

    def time(self, log_snr: Any) -> Any:
        """The time of a log SNR."""
        lib = library(log_snr)
        return 2.0 / math.pi * lib.arctan(lib.exp(-0.5 * log_snr))

    def label(self, t: Any) -> Any:
        """What the network is told of the time: 1000 t."""
        return 1000.0 * t


@dataclass(frozen=True)
class VE(_Continuous):
    """alpha_t = 1, sigma_t = least (most / least)^t, t in [0, 1].

    The variance-exploding process of Song et al., 2020, arXiv 2011.13456.
    """

    least: PositiveFloat = 0.01  # sigma_min
    most: PositiveFloat = 50.0  # sigma_max

    start, end = 1.0, 0.0

    def __post_init__(self):
        require_bounds(self)
        require(self.least < self.most, "least", self.least, f"below most={self.most}")

    def level(self, t: Any) -> Level:
        """alpha_t and sigma_t; at time 0 some noise is left."""
        lib = library(t)
        return Level(lib.ones_like(t), self.least * lib.exp(math.log(self.most / self.least) * t))

    def log_snr(self, t: Any) -> Any:
        """2 log(alpha_t / sigma_t)."""
        return -2.0 * (math.log(self.least) + math.log(self.most / self.least) * t)

    def time(self, log_snr: Any) -> Any:
        """The time of a log SNR."""
        return (-0.5 * log_snr - math.log(self.least)) / math.log(self.most / self.least)

    def label(self, t: Any) -> Any:
        """What the network is told of the time: log(sigma / 2), as in table 1 of arXiv 2206.00364."""
        return math.log(self.least / 2.0) + math.log(self.most / self.least) * t


@dataclass(frozen=True)
class Sigmas(_Continuous):
    """alpha_t = 1 and sigma_t = t: Karras, Aittala, Aila, Laine (EDM), 2022, arXiv 2206.00364."""

    least: PositiveFloat = 0.002  # sigma_min
    most: PositiveFloat = 80.0  # sigma_max

    end = property(lambda self: self.least)
    start = property(lambda self: self.most)

    def __post_init__(self):
        require_bounds(self)
        require(self.least < self.most, "least", self.least, f"below most={self.most}")

    def level(self, t: Any) -> Level:
        """alpha_t and sigma_t."""
        return Level(library(t).ones_like(t), t)

    def log_snr(self, t: Any) -> Any:
        """2 log(alpha_t / sigma_t)."""
        return -2.0 * library(t).log(t)

    def time(self, log_snr: Any) -> Any:
        """The time of a log SNR."""
        return library(log_snr).exp(-0.5 * log_snr)

    def label(self, t: Any) -> Any:
        """What the network is told of the time: log(sigma) / 4."""
        return 0.25 * library(t).log(t)


@dataclass(frozen=True)
class Straight(_Continuous):
    """alpha_t = 1 - t, sigma_t = t, t in [0, 1]: the path of optimal transport between one image and one noise.

    Lipman et al., 2022, arXiv 2210.02747, with sigma_min = 0; Liu, Gong, Liu, 2022, arXiv 2209.03003. Both count time
    the other way, from the noise to the data.
    """

    end: PositiveFloat = 1e-3  # the least noisy time
    told: PositiveFloat = 1000.0  # what a time is multiplied by where the network is told it

    start = 1.0

    def __post_init__(self):
        require_bounds(self)
        require(self.end < 1, "end", self.end, "below 1")

    def level(self, t: Any) -> Level:
        """alpha_t and sigma_t; alpha_1 is 0."""
        return Level(1.0 - t, t)

    def log_snr(self, t: Any) -> Any:
        """2 log(alpha_t / sigma_t)."""
        lib = library(t)
        return 2.0 * (lib.log1p(-t) - lib.log(t))

    def time(self, log_snr: Any) -> Any:
        """The time of a log SNR."""
        return sigmoid(-0.5 * log_snr)

    def label(self, t: Any) -> Any:
        """What the network is told of the time: `told` times t."""
        return self.told * t
