"""Penalties of the aggregate posterior q(z) = E[q(z|x)], the latents of all images together, as settings of a VAE.

A bound says what each image's q(z|x) must cost; a penalty, added to the bound that is minimised, says how the latents
of all images must be distributed:

    MeanDiscrepancy     weight MMD^2(q(z), p(z))                                            (1)
    TotalCorrelation    weight KL(q(z) || product over j of q(z_j))                         (2)
    Covariance          a sum over i != j of C_ij^2 + b sum over i of (C_ii - 1)^2          (3)

- InfoVAE, MMD-VAE: Zhao, Song, Ermon, 2017, arXiv 1706.02262. Its equation 6 is the ELBO with beta = 1 - alpha and (1)
  with weight alpha + lambda - 1.
- beta-TCVAE: Chen, Li, Grosse, Duvenaud, 2018, arXiv 1802.04942. Its equation 4, with alpha = gamma = 1, is the ELBO
  and (2) with weight beta - 1; q(z) is estimated from the batch, appendix C. In the authors' code weights of stratified
  sampling stand in wrong places of their matrix; here they are as in the appendix.
- DIP-VAE: Kumar, Sattigeri, Balakrishnan, 2017, arXiv 1711.00848. C is the covariance of the means of q(z|x) (type I),
  or of the latents, which is E[diag(sigma^2)] more (type II).

All devices see the latents of the whole batch.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.autoencoders.bounds import Diagonal
from jaxgen.checks import NonNegativeFloat, PositiveInt, require, require_bounds
from jaxgen.losses.features import gaussian_kernel, maximum_mean_discrepancy
from jaxgen.losses.likelihoods import gaussian_nll
from jaxgen.parallel import gather
from jaxgen.typing import AxisName, Latents, PerExample, Scalar


@dataclass(frozen=True)
class MeanDiscrepancy:
    """Equation 1, biased as in the authors' code: 0 or above. One Gaussian kernel, exp(-||z - z'||^2 / d^2)."""

    weight: NonNegativeFloat = 1.0  # alpha + lambda - 1

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class TotalCorrelation:
    """Equation 2, from one latent of each image of the batch."""

    weight: NonNegativeFloat = 5.0  # beta - 1
    num_examples: PositiveInt = 60_000  # N, images of the training set
    stratified: bool = False  # minibatch stratified sampling, without bias for q(z), in place of weighted sampling

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Covariance:
    """Equation 3, of the covariance over the batch, divided by its size; each pair i, j counts twice."""

    off_diagonal: NonNegativeFloat = 10.0  # a
    diagonal: NonNegativeFloat = 100.0  # b; 10 a for type I, a for type II in arXiv 1811.12359
    of_latents: bool = False  # DIP-VAE II; else of the means, DIP-VAE I

    def __post_init__(self):
        require_bounds(self)


Penalty: TypeAlias = MeanDiscrepancy | TotalCorrelation | Covariance


def penalty_loss(
    penalty: Penalty, q: Diagonal, latents: Latents, prior: Latents, axis_name: AxisName = None
) -> tuple[Scalar, Scalar]:
    """The penalty with its weights, and the value that it is a multiple of: the same without them for equation 3.

    Args:
        penalty: which one.
        q: q(z|x) of each image.
        latents: one of each image, from q(z|x).
        prior: as many draws of p(z).
        axis_name: of the devices that share the batch.
    """
    q, latents, prior = jax.tree.map(partial(gather, axis_name=axis_name), (q, latents, prior))
    match penalty:
        case MeanDiscrepancy():
            value = mean_discrepancy(prior, latents)
        case TotalCorrelation():
            value = total_correlation(penalty, q, latents)
        case Covariance():
            covariance = covariance_of(q, of_latents=penalty.of_latents)
            distance = covariance_penalty(covariance, off_diagonal=1.0, diagonal=1.0)
            weights = {"off_diagonal": penalty.off_diagonal, "diagonal": penalty.diagonal}
            return covariance_penalty(covariance, **weights), distance
    return penalty.weight * value, value


def mean_discrepancy(prior: Latents, latents: Latents) -> Scalar:
    """MMD^2 of equation 1: the mean over all pairs, those of an example with itself as well."""
    kernel = partial(gaussian_kernel, bandwidths=(latents.shape[1] / math.sqrt(2),))
    return maximum_mean_discrepancy(prior, latents, kernel, unbiased=False)


def total_correlation(settings: TotalCorrelation, q: Diagonal, latents: Latents) -> Scalar:
    """The estimate of equation 2: mean over the batch of log q(z) - sum over j of log q(z_j)."""
    weights = log_weights(settings, len(latents))
    densities = log_densities(q, latents)
    joint = mixture(densities.sum(axis=2), weights)
    each = jax.vmap(mixture, in_axes=(2, None), out_axes=1)(densities, weights)
    return (joint - each.sum(axis=1)).mean()


def log_densities(q: Diagonal, latents: Latents) -> Float[Array, "batch images latent"]:
    """log q(z_j|x) of each latent z of the batch (rows) under the posterior of each image (columns), by dimension."""
    of_images = jax.vmap(gaussian_nll, in_axes=(0, 0, None))
    return -jax.vmap(of_images, in_axes=(None, None, 0))(q.mean, q.logvar, latents)


def log_weights(settings: TotalCorrelation, num: int) -> Float[Array, "batch images"]:
    """Of the image in each column in the estimate of q(z) for the latent in each row: appendix C.

    Weighted, all are 1 / (N B): of the whole set the estimate is off by a constant, log N. Stratified, the latent's own
    image has 1 / N, one other (N - B + 1) / (N (B - 1)), the rest 1 / (B - 1): they sum to 1. ValueError for a batch of
    one, or of more than N.
    """
    total = settings.num_examples
    require(2 <= num <= total, "batch", num, f"of 2 to the {total} images of num_examples")
    if not settings.stratified:
        return jnp.full((num, num), -math.log(total * num))
    own, next_one = jnp.eye(num, dtype=bool), jnp.roll(jnp.eye(num, dtype=bool), 1, axis=1)
    rest = jnp.where(next_one, (total - num + 1) / (total * (num - 1)), 1 / (num - 1))
    return jnp.log(jnp.where(own, 1 / total, rest))


def mixture(densities: Float[Array, "batch images"], weights: Float[Array, "batch images"]) -> PerExample:
    """log of the sum over images of weight times density, both given as logarithms."""
    return jax.nn.logsumexp(densities + weights, axis=1)


def covariance_of(q: Diagonal, *, of_latents: bool) -> Float[Array, "latent latent"]:
    """Cov(mean) over the batch, or with E[diag(sigma^2)] the covariance of the latents."""
    centred = q.mean - q.mean.mean(axis=0, keepdims=True)
    covariance = centred.T @ centred / len(centred)
    return covariance + jnp.diag(jnp.exp(q.logvar).mean(axis=0)) if of_latents else covariance


def covariance_penalty(covariance: Float[Array, "latent latent"], *, off_diagonal: float, diagonal: float) -> Scalar:
    """Equation 3: 0 for the identity alone."""
    variances = jnp.diag(covariance)
    others = (covariance - jnp.diag(variances)) ** 2
    return off_diagonal * others.sum() + diagonal * ((variances - 1) ** 2).sum()
