"""FactorVAE: a variational autoencoder whose latents become independent of each other, by a game.

Kim, Mnih: Disentangling by Factorising, 2018, arXiv 1802.05983.

With q(z) = E[q(z|x)] the latents of all images together, the model descends (equation 2)

    E[-log p(x|z)] + KL(q(z|x) || N(0, I)) + gamma TC,    TC = KL(q(z) || product over j of q(z_j)).

The total correlation TC is not known. A discriminator D tells latents of images from such whose every dimension has
been permuted over the batch on its own, which have the distribution of the product; where it is the best,
log D / (1 - D) = log q(z) / product of q(z_j), and with d the logit of D

    TC = E[d(z)],    the discriminator descends  1/2 E[-log D(z) - log(1 - D(permuted z))].        (3)

D has one logit, the difference of the paper's two. Latents are permuted within the batch that they are of, as in
disentanglement_lib; in the paper's Algorithm 2 within a second batch. The networks and rates are the paper's for
dSprites.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import bounds, variational
from jaxgen.autoencoders.bounds import ELBO
from jaxgen.autoencoders.discriminators import create_discriminator, score
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood
from jaxgen.autoencoders.networks import KIM_MNIH
from jaxgen.autoencoders.variational import noise, terms_of
from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.images import scale
from jaxgen.losses.adversarial import minimax_discriminator
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import draw, gather, pass_key, share
from jaxgen.priors import Normal
from jaxgen.train_state import LossOutput, TrainState, create_parts, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for dSprites."""

    image_shape: Shape = (64, 64, 1)
    latent_dim: PositiveInt = 10  # size of z ~ N(0, I)
    encoder: nn.Module = KIM_MNIH.encoder  # x to mean and log-variance of each latent
    decoder: nn.Module = KIM_MNIH.decoder  # z to what the likelihood takes
    discriminator: nn.Module = MLP((1000,) * 6, negative_slope=0.2)  # latent to d(z)
    likelihood: Likelihood = Bernoulli()  # p(x|z)
    gamma: NonNegativeFloat = 35.0  # weight of the total correlation
    optimizer: Optimizer = Optimizer(1e-4, Adam())
    discriminator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.5, b2=0.9))

    prior = property(lambda self: Normal(self.latent_dim))


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoder and decoder
    discriminator: TrainState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a discriminator with batch statistics."""
    key_autoencoder, key_discriminator = jax.random.split(key)
    autoencoder = create_parts(variational.coders(config), config.optimizer, key_autoencoder)
    return State(autoencoder, create_discriminator(config, key_discriminator))


encode, decode, terms = variational.encode, variational.decode, variational.terms


def autoencoder_loss(
    config: Config, variables: Variables, discriminator: Variables, targets: Points, noise: jax.Array, mode: Mode
) -> LossOutput:
    """Equation 2 with the estimate E[d(z)] of the total correlation, mean over the batch; noise is (B, 1, latent)."""
    q, variables = encode(config, variables, targets, mode=mode)
    found, variables = terms_of(config, variables, q, targets, noise, mode)
    bound, metrics = bounds.objective_loss(ELBO(), found, mode.step, mode.axis_name)
    scores, _ = score(config, discriminator, bounds.reparametrize(q, noise)[:, 0], mode.stream(2))
    loss = bound + config.gamma * scores.mean()
    return loss, (metrics | {"loss": loss, "total_correlation": scores.mean()}, variables)


def permute_each(latents: Latents, places: Latents, axis_name: AxisName = None) -> Latents:
    """Each dimension of the latents in an order of its own over the batch of all devices: Algorithm 1.

    `places` are numbers in any range, (B, latent), whose order it is.
    """
    whole, order = gather(latents, axis_name), jnp.argsort(gather(places, axis_name), axis=0)
    return share(jnp.take_along_axis(whole, order, axis=0), axis_name)


def discriminator_loss(
    config: Config, variables: Variables, latents: Latents, permuted: Latents, mode: Mode
) -> LossOutput:
    """Equation 3, mean over the batch; log 2 = 0.693 where it cannot tell them apart."""
    scores, variables = score(config, variables, latents, mode.stream(2))
    permuted_scores, variables = score(config, variables, permuted, mode.stream(3))
    loss = minimax_discriminator(scores, permuted_scores).mean() / 2
    right = ((scores > 0).mean() + (permuted_scores < 0).mean()) / 2
    return loss, ({"discriminator_loss": loss, "discriminator_accuracy": right}, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 2: the autoencoder, then the discriminator on fresh latents of the same images.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; the losses, the terms of the bound, the estimate of the total correlation, and how often the
        discriminator is right.
    """
    num, before = len(batch), state.autoencoder
    key_pixels, key_latents, key_fresh, key_order, key_pass = jax.random.split(key, 5)
    images = scale(batch, config.value_range)
    targets = variational.drawn(config, images, key_pixels, axis_name)
    modes = [training_mode(before, pass_key(key_pass, place), num, axis_name) for place in range(2)]

    inputs = state.discriminator.variables, targets, noise(config, key_latents, num, 1, axis_name), modes[0]
    autoencoder, metrics = descend(before, partial(autoencoder_loss, config), inputs, axis_name)

    q, _ = encode(config, autoencoder.variables, targets, mode=modes[1])
    latents = bounds.reparametrize(q, noise(config, key_fresh, num, 1, axis_name))[:, 0]
    places = draw(lambda key: jax.random.uniform(key, (config.latent_dim,)), key_order, num, axis_name)
    inputs = latents, permute_each(latents, places, axis_name), modes[1]
    discriminator, metrics_d = descend(state.discriminator, partial(discriminator_loss, config), inputs, axis_name)
    return State(autoencoder, discriminator), metrics | metrics_d


from_latents, to_latents, sample = variational.from_latents, variational.to_latents, variational.sample
draw_posterior = variational.draw_posterior
evidence, posterior_means = variational.evidence_by(variational.terms), variational.posterior_means
