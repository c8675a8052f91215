"""Variational autoencoder (VAE), and its importance-weighted, beta and disentangling variants.

Kingma, Welling: Auto-Encoding Variational Bayes, 2013, arXiv 1312.6114. The variants, with their papers, are settings:
the bound in `jaxgen.autoencoders.bounds`, a penalty of all latents together (InfoVAE, beta-TCVAE, DIP-VAE) in
`jaxgen.autoencoders.aggregate`, p(x|z) in `jaxgen.autoencoders.likelihoods`, the networks in
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
from jaxgen.autoencoders.aggregate import Penalty, penalty_loss
from jaxgen.autoencoders.bounds import ELBO, Objective
from jaxgen.autoencoders.coders import CoderState
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood
from jaxgen.autoencoders.networks import KINGMA_WELLING
from jaxgen.autoencoders.variational import terms_of
from jaxgen.checks import PositiveInt
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.optimizers import Adagrad, Optimizer
from jaxgen.priors import Normal
from jaxgen.train_state import LossOutput, create_parts, descend
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for MNIST, without its small decay of the weights."""

    latent_dim: PositiveInt = 20  # size of z ~ N(0, I)
    encoder: nn.Module = KINGMA_WELLING.encoder  # x to mean and log-variance of each latent
    decoder: nn.Module = KINGMA_WELLING.decoder  # z to what the likelihood takes
    likelihood: Likelihood = Bernoulli()  # p(x|z)
    objective: Objective = ELBO()  # the bound that is maximised
    penalty: Penalty | None = None  # of the latents of all images together, added to what is minimised
    optimizer: Optimizer = Optimizer(0.01, Adagrad())

    prior = property(lambda self: Normal(self.latent_dim))


State: TypeAlias = CoderState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    return State(create_parts(variational.coders(config), config.optimizer, key))


encode, decode, terms = variational.encode, variational.decode, variational.terms


def bound_loss(
    config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode, prior: Latents | None = None
) -> LossOutput:
    """The negative bound of the objective, mean over the batch, and the penalty; weights may follow the step of `mode`.

    `prior`, one draw of p(z) for each image, is needed where there is a penalty.
    """
    q, variables = encode(config, variables, targets, mode=mode)
    found, variables = terms_of(config, variables, q, targets, noise, mode)
    loss, metrics = bounds.objective_loss(config.objective, found, mode.step, mode.axis_name)
    if config.penalty is None or prior is None:
        return loss, (metrics, variables)
    latents = bounds.reparametrize(q, noise[:, :1])[:, 0]
    added, value = penalty_loss(config.penalty, q, latents, prior, mode.axis_name)
    return loss + added, (metrics | {"loss": loss + added, "penalty": value}, variables)


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
    *keys, key_prior = jax.random.split(key, 4)
    drawn = variational.drawn_inputs(config, state.autoencoder, batch, keys, axis_name)
    prior = None if config.penalty is None else config.prior.draw(key_prior, len(batch), axis_name)
    autoencoder, metrics = descend(state.autoencoder, partial(bound_loss, config), (*drawn, prior), axis_name)
    return State(autoencoder), metrics


from_latents, to_latents, sample = variational.from_latents, variational.to_latents, variational.sample
draw_posterior = variational.draw_posterior
evidence, posterior_means = variational.evidence_by(variational.terms), variational.posterior_means
