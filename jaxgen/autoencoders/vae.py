"""Variational autoencoder (VAE), and its importance-weighted and beta variants.

Kingma, Welling: Auto-Encoding Variational Bayes, 2013, arXiv 1312.6114. The variants, with their papers, are settings:
the bound in `jaxgen.autoencoders.bounds`, p(x|z) in `jaxgen.autoencoders.likelihoods`, the networks in
`jaxgen.autoencoders.networks`.

The encoder gives q(z|x) = N(mean, diag(exp(logvar))), the decoder p(x|z), the prior is p(z) = N(0, I). With eps from
N(0, I) and z = mean + exp(logvar / 2) eps, both minimise, in the simplest case,

    L = E[-log p(x|z)] + 1/2 sum over j of (mean_j^2 + exp(logvar_j) - 1 - logvar_j).

All is in nats, summed over pixels and latents, the mean over images.

What courses teach of it, with corrections: docs/courses.md.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax

from jaxgen.autoencoders import bounds, variational
from jaxgen.autoencoders.bounds import ELBO, Objective, Terms
from jaxgen.autoencoders.coders import CoderState
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood
from jaxgen.autoencoders.networks import KINGMA_WELLING
from jaxgen.autoencoders.variational import decode, decode_each, encode, nll_of_each, noise, observed
from jaxgen.checks import PositiveInt
from jaxgen.images import scale
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.optimizers import Adagrad, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.priors import Normal
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, create_parts, descend, training_mode
from jaxgen.typing import AxisName, Batch, Evidence, Key, Latents, Metrics, Points, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for MNIST, without its small decay of the weights."""

    latent_dim: PositiveInt = 20  # size of z ~ N(0, I)
    encoder: nn.Module = KINGMA_WELLING.encoder  # x to mean and log-variance of each latent
    decoder: nn.Module = KINGMA_WELLING.decoder  # z to what the likelihood takes
    likelihood: Likelihood = Bernoulli()  # p(x|z)
    objective: Objective = ELBO()  # the bound that is maximised
    optimizer: Optimizer = Optimizer(0.01, Adagrad())

    prior = property(lambda self: Normal(self.latent_dim))


State: TypeAlias = CoderState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    return State(create_parts(variational.coders(config), config.optimizer, key))


def terms(
    config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode = EVALUATION
) -> tuple[Terms, Variables]:
    """-log p(x|z), log p(z) / q(z|x) and the divergence, at z = mean + exp(logvar / 2) noise.

    Args:
        config: settings.
        variables: of the networks.
        targets: x, as the likelihood observes the images.
        noise: from N(0, I), (B, K, latent): K latents for each image.
        mode: of the pass.
    """
    q, variables = encode(config, variables, targets, mode=mode)
    prior = bounds.standard_normal(q.mean)
    latents = bounds.reparametrize(q, noise)
    outputs, variables = decode_each(config, variables, latents, mode=mode)
    nll = nll_of_each(config, outputs, targets)
    return Terms(nll, bounds.log_ratio(q, prior, latents), bounds.kl_of_each_latent(q, prior)), variables


def bound_loss(config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode) -> LossOutput:
    """The negative bound of the objective, mean over the batch; weights may follow the step of `mode`."""
    found, variables = terms(config, variables, targets, noise, mode)
    loss, metrics = bounds.objective_loss(config.objective, found, mode.step, mode.axis_name)
    return loss, (metrics, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1, its minibatch of size M the batch.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_pixels, key_latents, key_pass = jax.random.split(key, 3)
    images, before = scale(batch, config.value_range), state.autoencoder
    targets = config.likelihood.observe(images, example_keys(key_pixels, len(batch), axis_name), config.value_range)
    latent_noise = noise(config, key_latents, len(batch), config.objective.num_samples, axis_name)
    mode = training_mode(before, key_pass, len(batch), axis_name)
    inputs = targets, latent_noise, mode
    autoencoder, metrics = descend(before, partial(bound_loss, config), inputs, axis_name)
    return State(autoencoder), metrics


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """E[x|z]."""
    outputs, _ = decode(config, state.autoencoder.variables, latents)
    return config.likelihood.mean(outputs, config.value_range)


def to_latents(config: Config, state: State, images: Points, condition: None = None) -> Latents:
    """E[z|x]; pixels that the likelihood draws are drawn from the image's own noise, the same each time."""
    return encode(config, state.autoencoder.variables, observed(config, images))[0].mean


def evidence(config: Config, state: State, batch: Batch, key: Key, samples: tuple[int, int]) -> Evidence:
    """The ELBO and the importance-weighted bound of each image; binary pixels are drawn from the image's own noise.

    `samples` are the number of latents of an image, and how many of them are in memory at a time.
    """
    targets, variables = observed(config, scale(batch, config.value_range)), state.autoencoder.variables
    return variational.evidence(lambda eps: terms(config, variables, targets, eps)[0], config, targets, key, samples)


def posterior_means(config: Config, state: State, batch: Batch) -> Latents:
    """E[z|x]."""
    return to_latents(config, state, scale(batch, config.value_range))


sample = sampler(from_latents)
