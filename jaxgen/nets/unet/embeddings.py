"""The time as a vector: fixed features of one number for each example, and the dense layers behind them.

Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, 2020, arXiv 2006.11239, take the sinusoids of Vaswani et
al.: Attention Is All You Need, 2017, arXiv 1706.03762; the Fourier features are those of Tancik et al., 2020, arXiv
2006.10739.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxgen.checks import PositiveFloat, require
from jaxgen.nets.initializers import GlorotUniform, Initializer, LeCunNormal, to_flax
from jaxgen.typing import PerExample

Vectors: TypeAlias = Float[Array, "batch embedding"]


@dataclass(frozen=True)
class Sinusoid:
    """sin(t f_i) and cos(t f_i) of frequencies f_i from 1 down to 1 / 10,000, each the same multiple of the next."""

    endpoint: bool = True  # whether the last is 1 / 10,000 itself (DDPM, EDM), or would be the next one
    cosines_first: bool = False  # as in improved DDPM; the sines first in DDPM

    def __call__(self, times: PerExample, features: int) -> Vectors:
        """The features, half of them sines; ValueError unless they are even and at least 4."""
        half = _half(features)
        exponents = np.arange(half) / (half - 1 if self.endpoint else half)
        return _waves(times, 10_000.0**-exponents, self.cosines_first)


@dataclass(frozen=True)
class Fourier:
    """sin(2 pi t f_i) and cos(2 pi t f_i); for times of about -1 to 1, such as ln(sigma) / 4.

    Frequencies are equally likely quantiles of |N(0, scale^2)| in place of random draws, so that the features are the
    same in every run and no parameters.
    """

    scale: PositiveFloat = 1.0  # standard deviation of the frequencies; 16 in the code of Song et al., arXiv 2011.13456

    def __call__(self, times: PerExample, features: int) -> Vectors:
        """The features, half of them sines; ValueError unless they are even and at least 4."""
        half = _half(features)
        normal = NormalDist(sigma=self.scale)
        frequencies = np.array([normal.inv_cdf((1 + (i + 0.5) / half) / 2) for i in range(half)])
        return _waves(times, 2 * np.pi * frequencies, cosines_first=False)


@dataclass(frozen=True)
class PhasedFourier:
    """sqrt(2) cos(2 pi (t f_i + p_i)), of mean square 1: EDM2, arXiv 2312.02696, equation 75.

    Frequencies are equally likely quantiles of N(0, bandwidth^2), phases the places i 0.618... mod 1, which fill [0, 1)
    evenly at any number, in place of random draws.
    """

    bandwidth: PositiveFloat = 1.0  # standard deviation of the frequencies

    def __call__(self, times: PerExample, features: int) -> Vectors:
        """The features."""
        normal = NormalDist(sigma=self.bandwidth)
        frequencies = np.array([normal.inv_cdf((i + 0.5) / features) for i in range(features)])
        phases = np.arange(features) * (math.sqrt(5) - 1) / 2 % 1.0
        angles = times.astype(jnp.float32)[:, None] * jnp.asarray(2 * np.pi * frequencies, jnp.float32)[None]
        return math.sqrt(2) * jnp.cos(angles + jnp.asarray(2 * np.pi * phases, jnp.float32)[None])


Features: TypeAlias = Sinusoid | Fourier


def _half(features: int) -> int:
    require(features % 2 == 0 and features >= 4, "number of time features", features, "even and at least 4")
    return features // 2


def _waves(times: jax.Array, frequencies: np.ndarray, cosines_first: bool) -> jax.Array:
    angles = times.astype(jnp.float32)[:, None] * jnp.asarray(frequencies, jnp.float32)[None]
    sines, cosines = jnp.sin(angles), jnp.cos(angles)
    return jnp.concatenate([cosines, sines] if cosines_first else [sines, cosines], axis=1)


class TimeEmbedding(nn.Module):
    """Features of the time, dense, swish, dense; plus the same of a span, and a vector of the class; swish.

    The last swish stands here once, where DDPM's code has it in front of the dense layer of each block.
    """

    features: Features
    num: int  # of the features
    width: int  # of the result
    dtype: str = "float32"
    initializer: Initializer | None = None  # of all weights; None: Glorot's of the time, LeCun's of the classes

    @nn.compact
    def __call__(
        self,
        times: PerExample,
        classes: Float[Array, "batch classes"] | None = None,
        span: PerExample | None = None,
    ) -> Vectors:
        """(batch,), (batch, classes) and (batch,) to (batch, width); a span has dense layers of its own."""
        dtype = jnp.dtype(self.dtype)
        of_time, of_classes = (to_flax(self.initializer or one) for one in (GlorotUniform(), LeCunNormal()))

        def embedded(numbers: PerExample, names: tuple[str | None, str | None]) -> Vectors:
            hidden = self.features(numbers, self.num).astype(dtype)
            for layer, name in enumerate(names):
                hidden = nn.swish(hidden) if layer else hidden
                hidden = nn.Dense(self.width, dtype=dtype, kernel_init=of_time, name=name)(hidden)
            return hidden

        hidden = embedded(times, (None, None))
        if span is not None:
            hidden = hidden + embedded(span, ("span_0", "span_1"))
        if classes is not None:
            embed = nn.Dense(self.width, use_bias=False, dtype=dtype, kernel_init=of_classes, name="classes")
            hidden = hidden + embed(classes.astype(dtype))
        return nn.swish(hidden)
