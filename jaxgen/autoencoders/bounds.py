"""Lower bounds of log p(x) that variational autoencoders maximise, from the terms they share. In nats for each example.

With latents z_1, ..., z_K from q(z|x) and w_k = p(x|z_k) p(z_k) / q(z_k|x),

    ELBO   E[log p(x|z)] - KL(q(z|x) || p(z))                                      (1)
    IWAE   E[log 1/K sum over k of w_k], which rises with K to log p(x)            (2)

The objectives are settings, to be minimised:

- ELBO: Kingma, Welling, 2013, arXiv 1312.6114; beta: Higgins et al.: beta-VAE, 2017, ICLR; free bits: Kingma et al.,
  2016, arXiv 1606.04934; the warm-up of the divergence: Bowman et al., 2015, arXiv 1511.06349, Sonderby et al., 2016,
  arXiv 1602.02282.
- Capacity: Burgess et al.: Understanding disentangling in beta-VAE, 2018, arXiv 1804.03599.
- ImportanceWeighted: Burda, Grosse, Salakhutdinov, 2015, arXiv 1509.00519.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.losses.likelihoods import capacity_penalty, free_bits, gaussian_kl, gaussian_nll, importance_weighted_bound
from jaxgen.parallel import pmean
from jaxgen.typing import AxisName, Evidence, Key, Latents, Metrics, PerExample, Scalar

LOGVAR_RANGE = (-30.0, 20.0)
"""Log-variances of a posterior are clipped to it: beyond, exp overflows or the divergence loses its digits."""


@dataclass(frozen=True)
class ELBO:
    """-E[log p(x|z)] + weight KL(q(z|x) || p(z)): equation 1 with weight 1."""

    beta: float = 1.0  # weight of the divergence: 1 for equation 1, above 1 for beta-VAE
    free_bits: float = 0.0  # lambda, nats that each latent may carry at no cost, on average over the batch
    warm_up: int = 0  # updates over which the weight rises linearly from 0 to beta; 0 for none
    num_samples: int = 1  # L, latents for each image

    def __post_init__(self):
        require(self.beta >= 0, "beta", self.beta, "at least 0")
        require(self.free_bits >= 0, "free_bits", self.free_bits, "at least 0")
        require(self.warm_up >= 0, "warm_up", self.warm_up, "at least 0")
        require(self.num_samples >= 1, "num_samples", self.num_samples, "at least 1")


@dataclass(frozen=True)
class Capacity:
    """-E[log p(x|z)] + gamma |KL - C|, C raised linearly from 0: equation 8 of Burgess et al."""

    gamma: float = 1_000.0  # weight of the distance from the capacity
    capacity: float = 25.0  # nats, the last C
    steps: int = 100_000  # updates over which C rises
    num_samples: int = 1  # L, latents for each image

    def __post_init__(self):
        require(self.gamma >= 0, "gamma", self.gamma, "at least 0")
        require(self.capacity >= 0, "capacity", self.capacity, "at least 0")
        require(self.steps >= 1, "steps", self.steps, "at least 1")
        require(self.num_samples >= 1, "num_samples", self.num_samples, "at least 1")


@dataclass(frozen=True)
class ImportanceWeighted:
    """-log 1/K sum over k of w_k: equation 2."""

    num_samples: int = 50  # K, latents for each image

    def __post_init__(self):
        require(self.num_samples >= 1, "num_samples", self.num_samples, "at least 1")


Objective: TypeAlias = ELBO | Capacity | ImportanceWeighted


class Diagonal(NamedTuple):
    """N(mean, diag(exp(logvar))) for each example."""

    mean: Latents
    logvar: Latents


class Terms(NamedTuple):
    """The terms of equations 1 and 2, for K latents of each of B images."""

    nll: Float[Array, "batch samples"]  # -log p(x|z_k)
    log_ratio: Float[Array, "batch samples"]  # log p(z_k) - log q(z_k|x)
    kl: Latents  # KL(q(z_j|x) || p(z_j)) of each latent


def estimated(nll: Float[Array, "batch samples"], log_ratio: Float[Array, "batch samples"]) -> Terms:
    """The terms where the divergence has no closed form: its estimate from the latents drawn stands as that of one."""
    return Terms(nll, log_ratio, -log_ratio.mean(axis=1, keepdims=True))


class Sums(NamedTuple):
    """Over latents drawn so far."""

    log_weights: PerExample  # log of the sum of w_k
    nll: PerExample


def diagonal(outputs: Float[Array, "batch latent 2"]) -> Diagonal:
    """A network's last layer as a mean and a log-variance, which is clipped."""
    return Diagonal(outputs[..., 0], jnp.clip(outputs[..., 1], *LOGVAR_RANGE))


def standard_normal(like: Latents) -> Diagonal:
    """N(0, I) for each example."""
    return Diagonal(jnp.zeros_like(like), jnp.zeros_like(like))


def reparametrize(q: Diagonal, noise: Float[Array, "batch samples latent"]) -> Float[Array, "batch samples latent"]:
    """z = mean + exp(logvar / 2) noise, the noise from N(0, I): the paper's section 2.4."""
    return q.mean[:, None] + jnp.exp(q.logvar / 2)[:, None] * noise


def log_ratio(
    q: Diagonal, prior: Diagonal, latents: Float[Array, "batch samples latent"]
) -> Float[Array, "batch samples"]:
    """log p(z) - log q(z|x)."""

    def nll(distribution):
        of_samples = jax.vmap(gaussian_nll, in_axes=(None, None, 1), out_axes=1)
        return of_samples(distribution.mean, distribution.logvar, latents)

    return nll(q) - nll(prior)


def kl_of_each_latent(q: Diagonal, prior: Diagonal) -> Latents:
    """KL(q(z_j|x) || p(z_j)) in closed form, (B, latent)."""
    return jax.vmap(gaussian_kl, in_axes=1, out_axes=1)(*q, *prior)


def objective_loss(
    objective: Objective, terms: Terms, step: jax.Array | None, axis_name: AxisName = None
) -> tuple[Scalar, Metrics]:
    """What is minimised, mean over the batch, and the terms of equation 1.

    Args:
        objective: which bound, with which weights.
        terms: of this batch.
        step: updates so far, for warm-up and capacity; 0 if not given.
        axis_name: of the devices that share the batch: free bits compare means over all of it.
    """
    nll, kl = terms.nll.mean(axis=1), terms.kl.sum(axis=1)
    metrics = {"reconstruction": nll.mean(), "kl": kl.mean(), "elbo": -(nll + kl).mean()}
    count = jnp.float32(0) if step is None else step.astype(jnp.float32)
    match objective:
        case ELBO():
            weight = objective.beta * (jnp.minimum(1.0, count / objective.warm_up) if objective.warm_up else 1.0)
            loss = nll.mean() + weight * _kl_term(terms.kl, objective.free_bits, axis_name)
        case Capacity():
            capacity = objective.capacity * jnp.minimum(1.0, count / objective.steps)
            loss = (nll + objective.gamma * capacity_penalty(kl, capacity)).mean()
        case ImportanceWeighted():
            loss = importance_weighted_bound(terms.log_ratio - terms.nll).mean()
    return loss, {"loss": loss, **metrics}


def _kl_term(kl: Latents, minimum: float, axis_name: AxisName) -> Scalar:
    """The divergence, with free bits where there are any: a maximum of means over the batch of all devices."""
    if not minimum:
        return kl.sum(axis=1).mean()
    return free_bits(pmean(kl.mean(axis=0), axis_name)[None], minimum)


def evidence(terms_of: Callable[[Key, int], Terms], key: Key, num_samples: int, chunk: int) -> Evidence:
    """Equations 1 and 2 from `num_samples` latents of each image, `chunk` of them in memory at a time.

    Args:
        terms_of: `(key, num)` to the terms of `num` fresh latents for each image.
        key: of the latents.
        num_samples: K, a multiple of `chunk`.
        chunk: latents of an image at a time.
    """
    require(num_samples % chunk == 0, "num_samples", num_samples, f"a multiple of the chunk, {chunk}")

    def add(total, key):
        terms = terms_of(key, chunk)
        log_sum = jax.nn.logsumexp(terms.log_ratio - terms.nll, axis=1)
        return Sums(jnp.logaddexp(total.log_weights, log_sum), total.nll + terms.nll.sum(axis=1)), terms.kl.sum(axis=1)

    batch = jax.eval_shape(lambda key: terms_of(key, chunk), key).nll.shape[0]
    start = Sums(jnp.full(batch, -jnp.inf), jnp.zeros(batch))
    total, kl = jax.lax.scan(add, start, jax.random.split(key, num_samples // chunk))
    return Evidence(total.nll / num_samples, kl[0], total.log_weights - math.log(num_samples))
