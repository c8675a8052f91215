"""Conditional variational autoencoder (CVAE).

Sohn, Lee, Yan: Learning Structured Output Representation using Deep Conditional Generative Models, 2015, NeurIPS.
With classes for labels and a prior that does not depend on them it is the generative model M2 of Kingma, Rezende,
Mohamed, Welling: Semi-supervised Learning with Deep Generative Models, 2014, arXiv 1406.5298.

Encoder, decoder and, where there is one, the prior's network are conditioned on the label y. The loss is

    E[-log p(x|z, y)] + KL(q(z|x, y) || p(z|y)),

p(z|y) a network's N(mean, diag(exp(logvar))), or N(0, I) without one. `from_latents` and `to_latents`
take and give (z - mean) / exp(logvar / 2), mean and logvar those of the prior: N(0, I) for each label. Likelihoods,
bounds and units are those of `jaxgen.autoencoders.vae`.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import bounds, variational
from jaxgen.autoencoders.bounds import ELBO, Diagonal, Objective, Terms
from jaxgen.autoencoders.coders import CoderState
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood
from jaxgen.autoencoders.networks import ATIENZA_CONDITIONAL
from jaxgen.autoencoders.variational import decode, decode_each, encode, nll_of_each, observed
from jaxgen.batches import Labelled
from jaxgen.checks import PositiveInt
from jaxgen.conditions import in_turn, one_hot
from jaxgen.images import scale
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import LabelledDefaults
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.priors import Normal
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend
from jaxgen.typing import AxisName, Evidence, Key, Keys, Labels, Latents, Metrics, Points, Variables


@dataclass(frozen=True)
class Config(LabelledDefaults):
    """Settings; the defaults are those of Atienza: Advanced Deep Learning with Keras, 2018, section 8.2."""

    latent_dim: PositiveInt = 2  # size of z
    encoder: nn.Module = ATIENZA_CONDITIONAL.encoder  # x and y to mean and log-variance of each latent
    decoder: nn.Module = ATIENZA_CONDITIONAL.decoder  # z and y to what the likelihood takes
    prior_network: nn.Module | None = None  # y to mean and log-variance of each latent; N(0, I) for None
    likelihood: Likelihood = Bernoulli()  # p(x|z, y)
    objective: Objective = ELBO()  # the bound that is maximised
    optimizer: Optimizer = Optimizer(1e-3, RMSProp(decay=0.9, eps=1e-7))

    prior = property(lambda self: Normal(self.latent_dim))


State: TypeAlias = CoderState  # encoder, decoder and, where there is one, the prior's network


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    parts = variational.coders(config, (config.num_classes,))
    if config.prior_network is not None:
        parts["prior"] = (config.prior_network, blank((config.num_classes,)), (config.latent_dim, 2))
    return State(create_parts(parts, config.optimizer, key))


def prior_of(
    config: Config, variables: Variables, classes: jax.Array, mode: Mode = EVALUATION
) -> tuple[Diagonal, Variables]:
    """p(z|y), and the variables after the pass."""
    if config.prior_network is None:
        return bounds.standard_normal(jnp.zeros((classes.shape[0], config.latent_dim))), variables
    inputs = classes, (config.latent_dim, 2)
    outputs, variables = apply(config.prior_network, variables, *inputs, mode=mode.stream(2), part="prior")
    return bounds.diagonal(outputs), variables


def terms(
    config: Config, variables: Variables, targets: Points, classes: jax.Array, noise: jax.Array, mode: Mode = EVALUATION
) -> tuple[Terms, Variables]:
    """-log p(x|z, y), log p(z|y) / q(z|x, y) and the divergence, at z = mean + exp(logvar / 2) noise.

    Args:
        config: settings.
        variables: of the networks.
        targets: x, as the likelihood observes the images.
        classes: y, one-hot.
        noise: from N(0, I), (B, K, latent): K latents for each image.
        mode: of the pass.
    """
    q, variables = encode(config, variables, targets, classes, mode=mode)
    prior, variables = prior_of(config, variables, classes, mode)
    latents = bounds.reparametrize(q, noise)
    outputs, variables = decode_each(config, variables, latents, classes, mode=mode)
    nll = nll_of_each(config, outputs, targets)
    return Terms(nll, bounds.log_ratio(q, prior, latents), bounds.kl_of_each_latent(q, prior)), variables


def bound_loss(
    config: Config, variables: Variables, targets: Points, classes: jax.Array, noise: jax.Array, mode: Mode
) -> LossOutput:
    """The negative bound of the objective, mean over the batch; weights may follow the step of `mode`."""
    found, variables = terms(config, variables, targets, classes, noise, mode)
    loss, metrics = bounds.objective_loss(config.objective, found, mode.step, mode.axis_name)
    return loss, (metrics, variables)


def update(
    config: Config, state: State, batch: Labelled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step up the bound of log p(x|y).

    Args:
        config: settings.
        state: networks and optimiser.
        batch: images, uint8 or floats in range, and labels below `num_classes`.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    keys, classes = [*jax.random.split(key, 3)], one_hot(batch.labels, config.num_classes)
    targets, *rest = variational.drawn_inputs(config, state.autoencoder, batch.images, keys, axis_name)
    inputs = targets, classes, *rest
    autoencoder, metrics = descend(state.autoencoder, partial(bound_loss, config), inputs, axis_name)
    return State(autoencoder), metrics


def from_latents(config: Config, state: State, latents: Latents, condition: Labels | None = None) -> Points:
    """E[x|z, y], z = mean + exp(logvar / 2) latent of the prior; without labels, image i is of class i mod K."""
    classes = one_hot(in_turn(condition, latents.shape[0], config.num_classes), config.num_classes)
    prior, variables = prior_of(config, state.autoencoder.variables, classes)
    outputs, _ = decode(config, variables, bounds.reparametrize(prior, latents[:, None])[:, 0], classes)
    return config.likelihood.mean(outputs, config.value_range)


def to_latents(config: Config, state: State, images: Points, condition: Labels | None = None) -> Latents:
    """E[z|x, y] as noise of the prior; pixels that the likelihood draws are drawn from the image's own noise."""
    return _as_noise_of_prior(config, state, images, condition, jnp.zeros((images.shape[0], 1, config.latent_dim)))


def draw_posterior(config: Config, state: State, key: Keys, images: Points, condition: Labels | None = None) -> Latents:
    """One draw of q(z|x, y) for each image, as `to_latents` has it."""
    noise = variational.noise(config, key, images.shape[0], 1)
    return _as_noise_of_prior(config, state, images, condition, noise)


def _as_noise_of_prior(
    config: Config, state: State, images: Points, condition: Labels | None, noise: jax.Array
) -> Latents:
    classes = one_hot(in_turn(condition, images.shape[0], config.num_classes), config.num_classes)
    q, variables = encode(config, state.autoencoder.variables, observed(config, images), classes)
    prior, _ = prior_of(config, variables, classes)
    return (bounds.reparametrize(q, noise)[:, 0] - prior.mean) * jnp.exp(-prior.logvar / 2)


def evidence(config: Config, state: State, batch: Labelled, key: Key, samples: tuple[int, int]) -> Evidence:
    """The bounds of log p(x|y) of each image; binary pixels are drawn from the image's own noise.

    `samples` are the number of latents of an image, and how many of them are in memory at a time.
    """
    targets, variables = observed(config, scale(batch.images, config.value_range)), state.autoencoder.variables
    inputs = variables, targets, one_hot(batch.labels, config.num_classes)
    return variational.evidence(lambda eps: terms(config, *inputs, eps)[0], config, targets, key, samples)


def posterior_means(config: Config, state: State, batch: Labelled) -> Latents:
    """E[z|x, y], as noise of the prior."""
    return to_latents(config, state, scale(batch.images, config.value_range), batch.labels)


sample = sampler(from_latents)
