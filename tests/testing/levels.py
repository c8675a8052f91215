"""A small model with players in a tuple: each level learns to draw the mean image, arXiv 0000.00000.

Level i minimises the mean of |G_i(z) - x|^2 / 2, and so does a network of its own name, `generator_ab`.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax

from jaxgen.images import ValueRange, scale, squash
from jaxgen.model import Defaults
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.train_state import TrainState, apply, blank, create, descend, training_mode
from jaxgen.typing import Shape


@dataclass(frozen=True)
class Config(Defaults):
    """Settings."""

    image_shape: Shape = (2, 2, 1)
    value_range: ValueRange = (-1.0, 1.0)
    prior: Prior = Normal(2)
    coarse: nn.Module = MLP((2,))
    fine: nn.Module = MLP((3,))
    weight: float = 0.5  # of every loss
    generator_optimizer: Optimizer = Optimizer(0.1, SGD())  # of the first level
    fine_optimizer: Optimizer = Optimizer(0.1, SGD())
    generator_ab_optimizer: Optimizer = Optimizer(0.1, SGD())


class State(NamedTuple):
    """What the next update needs."""

    levels: tuple[TrainState, ...]
    generator_ab: TrainState


def init(config, key):
    """Fresh networks and optimisers."""
    keys, inputs = jax.random.split(key, 3), (blank(config.prior.shape), config.image_shape)
    settings = [
        (config.coarse, config.generator_optimizer),
        (config.fine, config.fine_optimizer),
        (config.fine, config.generator_ab_optimizer),
    ]
    *levels, other = (create(*player, key, *inputs) for player, key in zip(settings, keys, strict=True))
    return State(tuple(levels), other)


def generate(config, net, variables, latents, mode):
    """G(z) in the value range."""
    outputs, variables = apply(net, variables, latents, config.image_shape, mode=mode)
    return squash(outputs, config.value_range), variables


def loss(config, net, variables, images, latents, mode):
    """Mean of |G(z) - x|^2 / 2."""
    fake, variables = generate(config, net, variables, latents, mode)
    value = config.weight * ((fake - images) ** 2).sum(axis=(1, 2, 3)).mean()
    return value, ({"loss": value}, variables)


def update(config, state, batch, key, *, axis_name=None):
    """One step of each player."""
    key_latents, key_pass = jax.random.split(key)
    num, images = len(batch), scale(batch, config.value_range)
    latents = config.prior.draw(key_latents, num, axis_name)
    players = [*zip((config.coarse, config.fine), state.levels, strict=True), (config.fine, state.generator_ab)]
    moved, metrics = [], {}
    for number, (net, player) in enumerate(players):
        inputs = images, latents, training_mode(player, jax.random.fold_in(key_pass, number), num, axis_name)
        after, found = descend(player, partial(loss, config, net), inputs, axis_name)
        moved.append(after)
        metrics |= {f"loss/{number}": found["loss"]}
    *levels, other = moved
    return State(tuple(levels), other), metrics


def from_latents(config, state, latents, condition=None):
    """The finest level's image."""
    return squash(apply(config.fine, state.levels[-1].variables, latents, config.image_shape)[0], config.value_range)


def sample(config, state, key, num, condition=None):
    """`num` images of the finest level."""
    return from_latents(config, state, config.prior.draw(key, num))
