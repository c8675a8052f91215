"""Adversarial autoencoder (AAE).

Makhzani, Shlens, Jaitly, Goodfellow, Frey: Adversarial Autoencoders, 2015, arXiv 1511.05644.

Each minibatch is used in two phases (section 2):

    reconstruction     encoder and decoder descend   E[mean over pixels of (x - g(f(x)))^2]
    regularisation     the discriminator descends    E[-log D(z) - log(1 - D(f(x)))],   z ~ N(0, I),
                       then the encoder descends     E[-log D(f(x))],

so that the latents f(x) of all images together become distributed as the prior. The encoder, here deterministic, thus
has two optimisers: one with the decoder, and one of its own as the generator of the adversarial game.

The paper trains by gradient descent with momentum, at rates for a scale of its reconstruction cost that it does not
give; the defaults here are Adam's, one rate for all: where the reconstruction phase is faster, the encoder loses the
game and the latents have a larger variance than the prior. The networks have two hidden layers of 1000 ReLUs each.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax

from jaxgen.autoencoders import coders
from jaxgen.autoencoders.coders import create_coders, decode, encode
from jaxgen.autoencoders.discriminators import create_discriminator, latents_loss, score
from jaxgen.checks import PositiveInt
from jaxgen.images import scale
from jaxgen.losses.adversarial import non_saturating_generator
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import pass_key
from jaxgen.priors import Normal
from jaxgen.train_state import (
    LossOutput,
    TrainState,
    as_part,
    descend,
    merge,
    only,
    training_mode,
)
from jaxgen.typing import AxisName, Batch, Key, Metrics, Points, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the networks are the paper's for MNIST."""

    latent_dim: PositiveInt = 8  # size of z ~ N(0, I)
    encoder: nn.Module = MLP((1000, 1000))  # image to latent
    decoder: nn.Module = MLP((1000, 1000))  # latent to image
    discriminator: nn.Module = MLP((1000, 1000))  # latent to score
    autoencoder_optimizer: Optimizer = Optimizer(3e-4, Adam(b1=0.5))  # of the reconstruction phase
    encoder_optimizer: Optimizer = Optimizer(3e-4, Adam(b1=0.5))  # of the encoder in the regularisation phase
    discriminator_optimizer: Optimizer = Optimizer(3e-4, Adam(b1=0.5))

    prior = property(lambda self: Normal(self.latent_dim))


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoder and decoder
    discriminator: TrainState
    regularization: Any  # state of the encoder's own optimiser


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a discriminator with batch statistics."""
    key_autoencoder, key_discriminator = jax.random.split(key)
    autoencoder = create_coders(config, config.autoencoder_optimizer, key_autoencoder)
    discriminator = create_discriminator(config, key_discriminator)
    return State(autoencoder, discriminator, only(autoencoder, "encoder", config.encoder_optimizer).opt_state)


def reconstruction_loss(config: Config, variables: Variables, images: Points, mode: Mode) -> LossOutput:
    """E[mean over pixels of (x - g(f(x)))^2], mean over the batch."""
    latents, variables = encode(config, variables, images, mode)
    outputs, variables = decode(config, variables, latents, mode)
    loss = mean_squared_error(outputs, images).mean()
    return loss, ({"reconstruction_error": loss}, variables)


discriminator_loss = latents_loss


def encoder_loss(
    config: Config, variables: Variables, discriminator: Variables, images: Points, mode: Mode
) -> LossOutput:
    """E[-log D(f(x))], mean over the batch; `variables` are those of the encoder alone (`only`)."""
    latents, variables = encode(config, as_part(variables, "encoder"), images, mode)
    scores, _ = score(config, discriminator, latents, mode.stream(3))
    loss = non_saturating_generator(scores).mean()
    return loss, ({"encoder_loss": loss}, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """The two phases on one minibatch.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: uint8 or floats in range.
        key: of this update, for the draws of the prior.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; the losses, and the mean probabilities that the discriminator gives to draws and to latents.
    """
    images, before = scale(batch, config.value_range), state.autoencoder
    prior = config.prior.draw(key, len(images), axis_name)
    modes = [training_mode(before, pass_key(key, phase), len(images), axis_name) for phase in range(3)]

    inputs = images, modes[0]  # reconstruction
    autoencoder, metrics = descend(before, partial(reconstruction_loss, config), inputs, axis_name)

    latents, _ = encode(config, autoencoder.variables, images, modes[1])  # regularisation
    inputs = prior, latents, modes[1]
    discriminator, metrics_d = descend(state.discriminator, partial(discriminator_loss, config), inputs, axis_name)
    encoder = only(autoencoder, "encoder", config.encoder_optimizer, state.regularization)
    inputs = discriminator.variables, images, modes[2]
    encoder, metrics_f = descend(encoder, partial(encoder_loss, config), inputs, axis_name)
    return State(
        merge(autoencoder, "encoder", encoder), discriminator, encoder.opt_state
    ), metrics | metrics_d | metrics_f


from_latents, to_latents, sample = coders.from_latents, coders.to_latents, coders.sample
