"""A small real model with all that a growing one with a pretrained part needs: stages, a fade, a frozen network.

An autoencoder (no paper: a double for tests; the fade is that of Karras et al., 2017, arXiv 1710.10196) whose images
double their sides at a step, faded in over some updates, and whose error is measured in the features of a network that
no optimiser moves.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import coders
from jaxgen.autoencoders.coders import create_coders, decode, encode
from jaxgen.autoencoders.corruption import GaussianNoise, corrupt
from jaxgen.images import ValueRange, scale
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.model import Defaults
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.stages import Stage
from jaxgen.train_state import Frozen, TrainState, apply, blank, descend, freeze, training_mode


@dataclass(frozen=True)
class Config(Defaults):
    """Settings."""

    image_shape: tuple[int, ...] = (8, 8, 1)
    value_range: ValueRange = (0.0, 1.0)
    latent_dim: int = 3
    encoder: nn.Module = MLP((6,))
    decoder: nn.Module = MLP((6,))
    features: nn.Module = MLP((4,))  # frozen
    grow_at: int = 3  # first update at full size, on half the examples
    fade: int = 4  # updates over which the full size fades in
    grown: bool = False  # the stage's own
    optimizer: Optimizer = Optimizer(1e-2, Adam())
    prior = property(lambda self: Normal(self.latent_dim))

    def stage(self, step: int) -> Stage:
        """Half the sides up to `grow_at`."""
        if step < self.grow_at:
            return Stage(dataclasses.replace(self, grown=False), 0, self.grow_at)
        return Stage(dataclasses.replace(self, grown=True), self.grow_at, batch_size=4)


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState
    features: Frozen


def init(config, key):
    """Fresh networks, the frozen one at random."""
    key_coders, key_features = jax.random.split(key)
    features = freeze(config.features, "features", key_features, blank(config.image_shape), (2,))
    return State(create_coders(config, config.optimizer, key_coders), features)


def reconstruction_loss(config, variables, images, features, mode):
    """Squared error of the images at the stage's size, and of their features."""
    small = upsample_nearest(mean_pool(images))
    if config.grown:
        alpha = jnp.minimum(1.0, (mode.step - config.grow_at + 1) / config.fade)
        targets = alpha * images + (1 - alpha) * small
    else:
        targets = small
    noisy = corrupt(GaussianNoise(0.1), targets, mode.example_keys("noise"), config.value_range)
    codes, variables = encode(config, variables, noisy, mode)
    outputs, variables = decode(config, variables, codes, mode)
    seen = [apply(config.features, features.variables, each, (2,))[0] for each in (outputs, targets)]
    loss = mean_squared_error(outputs, targets).mean() + mean_squared_error(*seen).mean()
    return loss, ({"loss": loss}, variables)


def update(config, state, batch, key, *, axis_name=None):
    """One step of the stage."""
    images = scale(batch, config.value_range)
    inputs = images, state.features, training_mode(state.autoencoder, key, len(images), axis_name)
    autoencoder, metrics = descend(state.autoencoder, partial(reconstruction_loss, config), inputs, axis_name)
    return State(autoencoder, state.features), metrics


from_latents, to_latents, sample = coders.from_latents, coders.to_latents, coders.sample
