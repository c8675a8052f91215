"""How weights begin, as values: they compare, hash, print and go to JSON; `to_flax` gives the function."""

from dataclasses import dataclass
from typing import TypeAlias

import flax.linen as nn
from flax.typing import Initializer as Function

from jaxgen.checks import require


@dataclass(frozen=True)
class LeCunNormal:
    """N(0, 1 / inputs), cut at two deviations: Flax's default."""


@dataclass(frozen=True)
class HeNormal:
    """N(0, 2 / inputs), not cut: for layers that a ReLU follows."""


@dataclass(frozen=True)
class GlorotUniform:
    """Uniform, of variance 2 / (inputs + outputs): the default of Keras."""


@dataclass(frozen=True)
class Normal:
    """N(0, std^2)."""

    std: float = 0.02  # DCGAN's (arXiv 1511.06434)

    def __post_init__(self):
        require(self.std > 0, "std", self.std, "above 0")


@dataclass(frozen=True)
class TruncatedNormal:
    """N(0, std^2), drawn again beyond two deviations: TensorFlow's, of deviation 0.88 std."""

    std: float = 0.02  # before the truncation

    def __post_init__(self):
        require(self.std > 0, "std", self.std, "above 0")


@dataclass(frozen=True)
class Uniform:
    """Uniform in [-limit, limit)."""

    limit: float = 0.05  # of Goodfellow's generator for MNIST

    def __post_init__(self):
        require(self.limit > 0, "limit", self.limit, "above 0")


@dataclass(frozen=True)
class Orthogonal:
    """Orthogonal rows or columns, of length `gain`."""

    gain: float = 1.0

    def __post_init__(self):
        require(self.gain > 0, "gain", self.gain, "above 0")


Initializer: TypeAlias = LeCunNormal | HeNormal | GlorotUniform | Normal | TruncatedNormal | Uniform | Orthogonal


def to_flax(initializer: Initializer) -> Function:
    """The function (key, shape, dtype) of `initializer`."""
    match initializer:
        case LeCunNormal():
            return nn.initializers.lecun_normal()
        case HeNormal():
            return nn.initializers.variance_scaling(2.0, "fan_in", "normal")
        case GlorotUniform():
            return nn.initializers.glorot_uniform()
        case Normal(std):
            return nn.initializers.normal(std)
        case TruncatedNormal(std):
            return nn.initializers.truncated_normal(std)
        case Uniform(limit):
            symmetric = nn.initializers.uniform(2 * limit)
            return lambda key, shape, *rest, **options: symmetric(key, shape, *rest, **options) - limit
        case Orthogonal(gain):
            return nn.initializers.orthogonal(gain)
