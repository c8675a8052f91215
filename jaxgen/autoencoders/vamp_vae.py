"""Variational autoencoder with a VampPrior: a mixture of the posteriors of pseudo-inputs.

Tomczak, Welling: VAE with a VampPrior, 2017, arXiv 1705.07120.

The prior that maximises the bound is the aggregate posterior, of which the VampPrior is an approximation (equation 9):

    p(z) = 1/K sum over k of q(z|u_k),    q(z|x) = N(mean(x), diag(exp(logvar(x)))).

The pseudo-inputs u_1, ..., u_K are learned with encoder and decoder; they are what a network without hidden layers
makes of one-hot numbers of components, squashed to the range of images. The divergence has no closed form: with z from
q(z|x), the bound is E[log p(x|z) + log p(z) - log q(z|x)] (equation 3).

Latents that are drawn, interpolated and shown are the noise of this prior, N(0, I) of one number more than z has: the
last one, of normal distribution, says which component, the others where in it.

Differences from the authors' code: plain layers, not gated ones; a sigmoid around pseudo-inputs, which a clip to [0, 1]
leaves without a gradient outside; they begin as noise, not near black. The encoder's pass of pseudo-inputs is without
dropout and moves no batch statistics.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import bounds, categorical, variational
from jaxgen.autoencoders.aggregate import log_densities
from jaxgen.autoencoders.bounds import ELBO, Diagonal, Objective, Terms
from jaxgen.autoencoders.coders import CoderState
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood
from jaxgen.autoencoders.variational import decode_each, nll_of_each
from jaxgen.checks import PositiveInt
from jaxgen.images import squash
from jaxgen.losses.likelihoods import gaussian_nll
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.initializers import Normal as NormalWeights
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend
from jaxgen.typing import AxisName, Batch, Key, Keys, Latents, Metrics, PerExample, Points, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the numbers are the paper's for MNIST."""

    latent_dim: PositiveInt = 40  # size of z
    num_components: PositiveInt = 500  # K
    encoder: nn.Module = MLP((300, 300))  # x to mean and log-variance of each latent
    decoder: nn.Module = MLP((300, 300))  # z to what the likelihood takes
    pseudo_inputs: nn.Module = MLP((), initializer=NormalWeights(1.0))  # one-hot component to u, before the squash
    likelihood: Likelihood = Bernoulli()  # p(x|z)
    objective: Objective = ELBO(warm_up=50_000)  # the bound that is maximised; 100 passes of 50,000 images
    optimizer: Optimizer = Optimizer(5e-4, Adam())

    prior = property(lambda self: Normal(self.latent_dim + 1))


State: TypeAlias = CoderState

encode, decode = variational.encode, variational.decode


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    pseudo_inputs = config.pseudo_inputs, blank((config.num_components,)), config.image_shape
    parts = variational.coders(config) | {"pseudo_inputs": pseudo_inputs}
    return State(create_parts(parts, config.optimizer, key))


def components(
    config: Config, variables: Variables, mode: Mode = EVALUATION, keys: jax.Array | None = None
) -> tuple[Diagonal, Variables]:
    """q(z|u_k) of each pseudo-input, (K, latent), and the variables after the pass of the pseudo-inputs' network.

    `keys`, one a component and the same on every device, are for what is random in that network in training.
    """
    inputs = jnp.eye(config.num_components), config.image_shape
    outputs, variables = apply(
        config.pseudo_inputs, variables, *inputs, mode=mode.with_keys(keys), part="pseudo_inputs"
    )
    return encode(config, variables, squash(outputs, config.value_range))[0], variables


def log_prior(prior: Diagonal, latents: Latents) -> PerExample:
    """log p(z) of each latent, (B,): equation 9 with its components."""
    densities = log_densities(prior, latents).sum(axis=2)
    return jax.nn.logsumexp(densities, axis=1) - math.log(len(prior.mean))


def terms(
    config: Config,
    variables: Variables,
    targets: Points,
    noise: jax.Array,
    mode: Mode = EVALUATION,
    keys: jax.Array | None = None,
) -> tuple[Terms, Variables]:
    """-log p(x|z), log p(z) / q(z|x), and an estimate of the divergence in the place of that of each latent.

    Args:
        config: settings.
        variables: of the networks.
        targets: x, as the likelihood observes the images.
        noise: from N(0, I), (B, S, latent): S latents for each image.
        mode: of the pass.
        keys: of the components, as `components` takes them.
    """
    prior, variables = components(config, variables, mode, keys)
    q, variables = encode(config, variables, targets, mode=mode)
    latents = bounds.reparametrize(q, noise)
    outputs, variables = decode_each(config, variables, latents, mode=mode)
    of_posterior = jax.vmap(gaussian_nll, in_axes=(None, None, 1), out_axes=1)(*q, latents)  # -log q(z|x)
    flat = latents.reshape(-1, config.latent_dim)
    log_ratio = of_posterior + log_prior(prior, flat).reshape(noise.shape[:2])
    return bounds.estimated(nll_of_each(config, outputs, targets), log_ratio), variables


def bound_loss(
    config: Config,
    variables: Variables,
    targets: Points,
    noise: jax.Array,
    mode: Mode,
    keys: jax.Array | None = None,
) -> LossOutput:
    """The negative bound of the objective, mean over the batch; weights may follow the step of `mode`."""
    found, variables = terms(config, variables, targets, noise, mode, keys)
    loss, metrics = bounds.objective_loss(config.objective, found, mode.step, mode.axis_name)
    return loss, (metrics, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step up the bound.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    *keys, key_components = jax.random.split(key, 4)
    drawn = variational.drawn_inputs(config, state.autoencoder, batch, keys, axis_name)
    inputs = *drawn, jax.random.split(key_components, config.num_components)
    autoencoder, metrics = descend(state.autoencoder, partial(bound_loss, config), inputs, axis_name)
    return State(autoencoder), metrics


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """E[x|z], z the place in the component that the noise of the prior says."""
    variables = state.autoencoder.variables
    prior, _ = components(config, variables)
    chosen = categorical.chosen(latents[:, -1], config.num_components)
    z = prior.mean[chosen] + jnp.exp(prior.logvar[chosen] / 2) * latents[:, :-1]
    return config.likelihood.mean(decode(config, variables, z)[0], config.value_range)


def to_latents(config: Config, state: State, images: Points, condition: None = None) -> Latents:
    """E[z|x] as noise of the prior, in the component that is the most probable there."""
    return _as_noise(config, state, variational.to_latents(config, state, images))


def draw_posterior(config: Config, state: State, key: Keys, images: Points, condition: None = None) -> Latents:
    """One draw of q(z|x) for each image, as `to_latents` has it."""
    return _as_noise(config, state, variational.draw_posterior(config, state, key, images))


def _as_noise(config: Config, state: State, z: jax.Array) -> Latents:
    prior, _ = components(config, state.autoencoder.variables)
    chosen = log_densities(prior, z).sum(axis=2).argmax(axis=1)
    inside = (z - prior.mean[chosen]) * jnp.exp(-prior.logvar[chosen] / 2)
    return jnp.concatenate([inside, categorical.choosing(chosen, config.num_components)[:, None]], axis=1)


evidence = variational.evidence_by(terms)
posterior_means = variational.posterior_means
sample = sampler(from_latents)
