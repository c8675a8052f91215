"""Variational autoencoder with a posterior of planar flows.

Rezende, Mohamed: Variational Inference with Normalizing Flows, 2015, arXiv 1505.05770.

The encoder gives q_0 = N(mean, diag(exp(logvar))) and, for each image, K maps that bend what is drawn from it
(its planar flows), each of known determinant, with psi(z) = (1 - tanh^2(w.z + b)) w:

    z_k = z_{k-1} + u^ tanh(w.z_{k-1} + b),    ln q_K(z_K|x) = ln q_0(z_0|x) - sum over k of ln |1 + u^.psi(z_{k-1})|,

so that the posterior need not be Gaussian. With u^ = u + (m(w.u) - w.u) w / |w|^2 and m(a) = ln(1 + e^a) - 1, the dot
product w.u^ is above -1 and a map has an inverse, as its appendix shows. With u = 0 it shrinks z along w to .69, unless
`from_identity` moves m to ln(1 + (e - 1) e^a) - 1, which is 0 at 0. The prior is N(0, I); the divergence has no closed
form: the bound is E[log p(x|z_K) + log p(z_K) - log q_K(z_K|x)].

The warm-up weights the divergence, as the code of Sylvester flows
(arXiv 1803.05649) has it; the paper anneals the joint density in its place.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.autoencoders import bounds, variational
from jaxgen.autoencoders.bounds import ELBO, Diagonal, Objective, Terms
from jaxgen.autoencoders.coders import CoderState
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood
from jaxgen.autoencoders.variational import decode_each, nll_of_each
from jaxgen.checks import PositiveInt
from jaxgen.images import scale
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.train_state import LossOutput, create_parts, descend
from jaxgen.typing import AxisName, Batch, Key, Keys, Latents, Metrics, Points, Variables

SHORTEST = 1e-6
"""Least |w|^2 that u^ divides by: a shorter w gives a map that is nearly a shift, invertible without the correction."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the warm-up is as long as the paper's for MNIST, sizes and rates are this module's."""

    latent_dim: PositiveInt = 40  # size of z
    num_flows: PositiveInt = 10  # K
    from_identity: bool = False  # a map with u = 0 is the identity; the paper's is not
    encoder: nn.Module = MLP((300, 300))  # x to mean and log-variance of each latent, and to u, w and b of each flow
    decoder: nn.Module = MLP((300, 300))  # z to what the likelihood takes
    likelihood: Likelihood = Bernoulli()  # p(x|z)
    objective: Objective = ELBO(warm_up=10_000)  # the bound that is maximised
    optimizer: Optimizer = Optimizer(5e-4, Adam())

    prior = property(lambda self: Normal(self.latent_dim))
    posterior_dim = property(lambda self: 2 * self.latent_dim + self.num_flows * (2 * self.latent_dim + 1))


State: TypeAlias = CoderState


class Flows(NamedTuple):
    """Planar maps, one after another along the first axis; for each of B images its own."""

    u: Float[Array, "flows batch latent"]
    w: Float[Array, "flows batch latent"]
    b: Float[Array, "flows batch"]


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    parts = variational.coders(config)
    *inputs, _ = parts["encoder"]
    return State(create_parts(parts | {"encoder": (*inputs, (config.posterior_dim,))}, config.optimizer, key))


def encode(
    config: Config, variables: Variables, targets: Points, mode: Mode = EVALUATION
) -> tuple[Diagonal, Flows, Variables]:
    """q_0(z|x), the flows of each image, and the variables after the pass."""
    inputs = targets, (config.posterior_dim,)
    outputs, variables = variational.encoder_outputs(config, variables, *inputs, mode=mode)
    size, num = config.latent_dim, config.num_flows
    of_flows = outputs[:, 2 * size :].reshape(-1, num, 2 * size + 1).swapaxes(0, 1)
    flows = Flows(of_flows[..., :size], of_flows[..., size : 2 * size], of_flows[..., 2 * size])
    return bounds.diagonal(outputs[:, : 2 * size].reshape(-1, size, 2)), flows, variables


def flow(
    flows: Flows, latents: Float[Array, "batch samples latent"], *, from_identity: bool = False
) -> tuple[jax.Array, jax.Array]:
    """z_K of z_0, (B, S, latent), and the sum of the ln |det|, (B, S): S latents of each image through its flows."""
    shift = math.log(math.e - 1) if from_identity else 0.0

    def step(latents: jax.Array, one: Flows) -> tuple[jax.Array, jax.Array]:
        u, w, b = one
        product, length = (u * w).sum(axis=1, keepdims=True), (w * w).sum(axis=1, keepdims=True)
        share = length / jnp.maximum(length, SHORTEST)  # 1, but for a w of nearly no length
        change = jax.nn.softplus(-product - shift) + shift - 1  # m(a) - a
        u = u + change * w / jnp.maximum(length, SHORTEST)
        stretch = share * jax.nn.softplus(product + shift) + (1 - share) * (1 + product)  # 1 + w.u^, no cancellation
        height = jnp.tanh(jnp.einsum("bsd,bd->bs", latents, w) + b[:, None])
        squared = height**2
        determinant = jnp.maximum(squared + (1 - squared) * stretch, jnp.finfo(latents.dtype).tiny)  # above 0
        return latents + height[..., None] * u[:, None], jnp.log(determinant)

    latents, log_dets = jax.lax.scan(step, latents, flows)
    return latents, log_dets.sum(axis=0)


def terms(
    config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode = EVALUATION
) -> tuple[Terms, Variables]:
    """-log p(x|z_K), log p(z_K) / q_K(z_K|x), and an estimate of the divergence in the place of that of each latent.

    Args:
        config: settings.
        variables: of the networks.
        targets: x, as the likelihood observes the images.
        noise: from N(0, I), (B, S, latent): S latents for each image.
        mode: of the pass.
    """
    q, flows, variables = encode(config, variables, targets, mode)
    start = bounds.reparametrize(q, noise)
    latents, log_det = flow(flows, start, from_identity=config.from_identity)
    outputs, variables = decode_each(config, variables, latents, mode=mode)
    moved = (start**2 - latents**2).sum(axis=2) / 2  # log p(z_K) - log p(z_0)
    log_ratio = bounds.log_ratio(q, bounds.standard_normal(q.mean), start) + moved + log_det
    return bounds.estimated(nll_of_each(config, outputs, targets), log_ratio), variables


def bound_loss(config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode) -> LossOutput:
    """The negative bound of the objective, mean over the batch; weights may follow the step of `mode`."""
    found, variables = terms(config, variables, targets, noise, mode)
    loss, metrics = bounds.objective_loss(config.objective, found, mode.step, mode.axis_name)
    return loss, (metrics, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    keys = list(jax.random.split(key, 3))
    drawn = variational.drawn_inputs(config, state.autoencoder, batch, keys, axis_name)
    autoencoder, metrics = descend(state.autoencoder, partial(bound_loss, config), drawn, axis_name)
    return State(autoencoder), metrics


def to_latents(config: Config, state: State, images: Points, condition: None = None) -> Latents:
    """Where the flows take the mean of q_0; pixels that the likelihood draws are always the same for an image."""
    return _posterior(config, state, images, jnp.zeros((images.shape[0], 1, config.latent_dim)))


def draw_posterior(config: Config, state: State, key: Keys, images: Points, condition: None = None) -> Latents:
    """One draw of q_K(z|x) for each image; pixels that the likelihood draws are always the same for an image."""
    return _posterior(config, state, images, variational.noise(config, key, images.shape[0], 1))


def _posterior(config: Config, state: State, images: Points, noise: jax.Array) -> Latents:
    """z_K of one z_0 for each image, which is `noise` deviations from its mean."""
    q, flows, _ = encode(config, state.autoencoder.variables, variational.observed(config, images))
    return flow(flows, bounds.reparametrize(q, noise), from_identity=config.from_identity)[0][:, 0]


def posterior_means(config: Config, state: State, batch: Batch) -> Latents:
    """Where the flows take the mean of q_0, which stands for E[z|x]: that has no closed form."""
    return to_latents(config, state, scale(batch, config.value_range))


decode, evidence = variational.decode, variational.evidence_by(terms)
from_latents, sample = variational.from_latents, variational.sample
