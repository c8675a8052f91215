"""Wasserstein autoencoder with an adversarial penalty (WAE-GAN).

Tolstikhin, Bousquet, Gelly, Schoelkopf: Wasserstein Auto-Encoders, 2017, arXiv 1711.01558.

A deterministic encoder Q, a decoder G and a discriminator D of latents play, by Algorithm 1,

    Q and G descend    E[c(x, G(Q(x)))] + lambda E[-log D(Q(x))],    c(x, y) = w ||x - y||^2,
    then D descends    lambda E[-log D(z) - log(1 - D(Q(x)))],       z ~ N(0, I).

The penalty of `jaxgen.autoencoders.wae` is the discrepancy of the same two distributions. An adversarial autoencoder
(`jaxgen.autoencoders.aae`) plays the same game in two phases, with an optimiser of its own for the encoder in each.

Networks, rates, lambda and w = 0.05 (not in the paper's text) are those of the authors' code for MNIST. Left out: its
noise of deviation 0.01 on the encoder's inputs, its 200 steps of pre-training that match the moments of the latents to
the prior's, its steps of the learning rate, and log p(z) added to the logit of D, which it does for CelebA.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax

from jaxgen.autoencoders import coders
from jaxgen.autoencoders.coders import create_coders, decode, encode
from jaxgen.autoencoders.discriminators import create_discriminator, latents_loss, score
from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt
from jaxgen.images import scale
from jaxgen.losses.adversarial import non_saturating_generator
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import pass_key
from jaxgen.priors import Normal
from jaxgen.train_state import LossOutput, TrainState, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings of Algorithm 1, with the defaults of the authors' code for MNIST."""

    latent_dim: PositiveInt = 8  # size of z ~ N(0, I)
    encoder: nn.Module = ConvEncoder((128, 256, 512, 1024), kernel_size=4, norm="batch")  # image to latent
    decoder: nn.Module = ConvDecoder((1024, 512, 256), kernel_size=4, norm="batch")  # latent to image
    discriminator: nn.Module = MLP((512,) * 4)  # latent to the logit of D
    cost_weight: PositiveFloat = 0.05  # w, of the squared distance, a sum over pixels
    penalty_weight: NonNegativeFloat = 10.0  # lambda
    optimizer: Optimizer = Optimizer(1e-3, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(5e-4, Adam(b1=0.5))

    prior = property(lambda self: Normal(self.latent_dim))


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoder and decoder
    discriminator: TrainState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a discriminator with batch statistics."""
    key_autoencoder, key_discriminator = jax.random.split(key)
    autoencoder = create_coders(config, config.optimizer, key_autoencoder)
    return State(autoencoder, create_discriminator(config, key_discriminator))


def autoencoder_loss(
    config: Config, variables: Variables, discriminator: Variables, images: Points, mode: Mode
) -> LossOutput:
    """E[c(x, G(Q(x)))] + lambda E[-log D(Q(x))], mean over the batch."""
    latents, variables = encode(config, variables, images, mode)
    outputs, variables = decode(config, variables, latents, mode)
    error = mean_squared_error(outputs, images).mean()
    scores, _ = score(config, discriminator, latents, mode.stream(2))
    penalty = non_saturating_generator(scores).mean()
    loss = config.cost_weight * images[0].size * error + config.penalty_weight * penalty
    return loss, ({"autoencoder_loss": loss, "reconstruction_error": error, "penalty": penalty}, variables)


def discriminator_loss(
    config: Config, variables: Variables, prior: Latents, latents: Latents, mode: Mode
) -> LossOutput:
    """lambda E[-log D(z) - log(1 - D(Q(x)))], mean over the batch, and the same without lambda as its metric."""
    loss, kept = latents_loss(config, variables, prior, latents, mode)
    return config.penalty_weight * loss, kept


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1, encoder and decoder first.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: uint8 or floats in range.
        key: of this iteration, for the draws of the prior.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; the losses, and the mean probabilities that the discriminator gives to draws and to latents.
    """
    images, before = scale(batch, config.value_range), state.autoencoder
    prior = config.prior.draw(key, len(images), axis_name)
    modes = [training_mode(before, pass_key(key, place), len(images), axis_name) for place in range(2)]

    inputs = state.discriminator.variables, images, modes[0]
    autoencoder, metrics = descend(before, partial(autoencoder_loss, config), inputs, axis_name)

    latents, _ = encode(config, autoencoder.variables, images, modes[1])
    inputs = prior, latents, modes[1]
    discriminator, metrics_d = descend(state.discriminator, partial(discriminator_loss, config), inputs, axis_name)
    return State(autoencoder, discriminator), metrics | metrics_d


from_latents, to_latents, sample = coders.from_latents, coders.to_latents, coders.sample
