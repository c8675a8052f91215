"""Vector quantisation: a codebook of K vectors e_k, and the nearest of them for each encoding z_e.

van den Oord, Vinyals, Kavukcuoglu: Neural Discrete Representation Learning, 2017, arXiv 1711.00937.

    z_q = e_k with k = argmin_j ||z_e - e_j||                                                            (1, 2)
    N_k = gamma N_k + (1 - gamma) n_k,   m_k = gamma m_k + (1 - gamma) sum of its z_e,   e_k = m_k / N_k   (6, 7, 8)

with n_k the number of encodings of the batch whose nearest code is k. Encodings are (..., d), of any leading shape.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxgen.checks import require
from jaxgen.parallel import psum, take
from jaxgen.typing import AxisName, Key, Scalar

Encodings: TypeAlias = Float[Array, "... d"]
Vectors: TypeAlias = Float[Array, "K d"]
CodeIndices: TypeAlias = Int[Array, "..."]
"""Which vector of the codebook, 0 to K - 1, for each encoding."""

Counts: TypeAlias = Float[Array, "K"]


@dataclass(frozen=True)
class ByGradient:
    """The codebook learns by gradient: the second term of equation 3."""


@dataclass(frozen=True)
class ByMovingAverage:
    """The codebook follows the encodings by moving averages: appendix A.1."""

    decay: float = 0.99  # gamma
    epsilon: float = 1e-5  # added to each count by Laplace smoothing, as in the authors' code
    restart_below: float = 0.0  # codes with a smaller N_k are set to random encodings of the batch; 0 restarts none

    def __post_init__(self):
        require(0 <= self.decay < 1, "decay", self.decay, "in [0, 1)")
        require(self.epsilon > 0, "epsilon", self.epsilon, "above 0")
        require(self.restart_below >= 0, "restart_below", self.restart_below, "at least 0")


Learning: TypeAlias = ByMovingAverage | ByGradient


class Averages(NamedTuple):
    """What the moving averages keep."""

    counts: Counts  # N
    sums: Vectors  # m


def start(vectors: Vectors) -> Averages:
    """The averages of these vectors, each with a count of 1."""
    return Averages(jnp.ones(len(vectors)), vectors)


def vectors_of(averages: Averages, epsilon: float) -> Vectors:
    """e_k = m_k / N_k, with N_k smoothed to (N_k + epsilon) / (N + K epsilon) N, N the sum of the counts.

    A code that is no longer chosen keeps its vector until its count nears epsilon; then it shrinks to zero.
    """
    counts, sums = averages
    total = counts.sum()
    smoothed = (counts + epsilon) / (total + len(counts) * epsilon) * total
    return sums / smoothed[:, None]


def nearest(encodings: Encodings, vectors: Vectors) -> CodeIndices:
    """argmin over k of ||z_e - e_k||: equation 1; of equally near codes the first."""
    products = jnp.matmul(encodings, vectors.T, precision="highest")
    half_norms = (vectors**2).sum(axis=1) / 2  # ||z - e||^2 / 2 = ||z||^2 / 2 - z.e + ||e||^2 / 2
    half_norms = half_norms.reshape((1,) * (encodings.ndim - 1) + (-1,))
    return jnp.argmin(half_norms - products, axis=-1).astype(jnp.int32)


def straight_through(encodings: Encodings, quantized: Encodings) -> Encodings:
    """z_q in value; its gradient passes to z_e unchanged, and none to the codebook."""
    return jax.lax.stop_gradient(quantized) + (encodings - jax.lax.stop_gradient(encodings))


def follow(
    averages: Averages,
    settings: ByMovingAverage,
    encodings: Encodings,
    codes: CodeIndices,
    key: Key,
    axis_name: AxisName = None,
) -> Averages:
    """The averages after a batch: equations 6 and 7, with the counts and sums of all devices along `axis_name`.

    The key chooses encodings for the codes that restart; such a code counts as chosen `restart_below` times.
    """
    encodings = encodings.reshape(-1, encodings.shape[-1])
    counts, sums = psum(_sums(encodings, codes.reshape(-1), len(averages.counts)), axis_name)
    decay = settings.decay
    averages = Averages(
        decay * averages.counts + (1 - decay) * counts,
        decay * averages.sums + (1 - decay) * sums,
    )
    if settings.restart_below == 0:
        return averages
    total = psum(jnp.array(len(encodings)), axis_name)
    chosen = take(encodings, jax.random.randint(key, counts.shape, 0, total), axis_name)
    dead = averages.counts < settings.restart_below
    return Averages(
        jnp.where(dead, settings.restart_below, averages.counts),
        jnp.where(dead[:, None], settings.restart_below * chosen, averages.sums),
    )


def _sums(encodings: Encodings, codes: CodeIndices, num_codes: int) -> tuple[Counts, Vectors]:
    """How many encodings have each code, and their sum; a matrix product, whose order of summation is fixed."""
    chosen = jax.nn.one_hot(codes, num_codes)
    return chosen.sum(axis=0), jnp.matmul(chosen.T, encodings, precision="highest")


def perplexity(codes: CodeIndices, num_codes: int, axis_name: AxisName = None) -> Scalar:
    """exp of the entropy of the codes of the batch: 1 if only one code is used, K if all are used equally often."""
    counts = psum(jax.nn.one_hot(codes.reshape(-1), num_codes).sum(axis=0), axis_name)
    return jnp.exp(jax.scipy.special.entr(counts / counts.sum()).sum())
