"""Wasserstein GAN with gradient penalty (WGAN-GP).

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs, 2017, arXiv 1704.00028.

The critic D minimises equation 3, on real images x, fakes x~ = G(z) and points x^ = eps x + (1 - eps) x~ between them,

    L = E[D(x~)] - E[D(x)] + lambda E[(||grad D(x^)||_2 - 1)^2],

and the generator minimises -E[D(G(z))]. In addition to the paper, a moving average of the generator's weights is kept,
from which `sample` draws.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax

from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.gans import networks
from jaxgen.gans.critic_game import Game, critic_steps, critic_value, generator_value
from jaxgen.gans.discrimination import require_no_batch_statistics
from jaxgen.gans.networks import CriticState, create_with_critic, generate, generator_step, scorer
from jaxgen.gans.regularization import Regularization
from jaxgen.images import ValueRange
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import Exponential, MovingAverage
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.train_state import LossOutput, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, PerExample, Points, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings of Algorithm 1, with the paper's defaults."""

    value_range: ValueRange = (-1.0, 1.0)
    latent_dim: PositiveInt = 128  # size of z ~ N(0, I)
    generator: nn.Module = MLP()  # z to image
    critic: nn.Module = MLP(negative_slope=0.2)  # image to score; each example on its own
    penalty_weight: NonNegativeFloat = 10.0  # lambda
    one_sided: bool = False  # penalise only slopes above 1
    critic_steps: PositiveInt = 5  # n_critic, critic updates for each update of the generator
    regularization: Regularization = Regularization()  # consistency of images and latents, LeCam, R1, R2, top-k
    generator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.0, b2=0.9))
    critic_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.0, b2=0.9))
    average: MovingAverage = Exponential(0.999)  # of the generator, from which samples are drawn

    prior = property(lambda self: Normal(self.latent_dim))

    minibatches: ClassVar = property(lambda self: self.critic_steps)


State: TypeAlias = CriticState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a critic with batch statistics."""
    state = create_with_critic(config, key)
    require_no_batch_statistics(state.critic)
    return state


def critic_loss(
    config: Config, variables: Variables, real: Points, fake: Points, mix: PerExample, mode: Mode
) -> LossOutput:
    """Equation 3, mean over the batch. `mix` is eps, uniform in [0, 1), one for each example."""
    return critic_value(config, scorer(config.critic), variables, (real, fake, mix), mode)[1]


def generator_loss(config: Config, variables: Variables, critic: Variables, latents: Latents, mode: Mode) -> LossOutput:
    """-E[D(G(z))], mean over the batch."""
    fake, after = generate(config, variables, latents, mode=mode)
    loss, metrics = generator_value(config, variables, critic, latents, fake, mode)
    return loss, (metrics, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1: n_critic steps of the critic, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: n_critic minibatches, (n_critic * m, ...), uint8 or floats in range; step t takes every n_critic-th
            example from the t-th on, so that the minibatches are the same however many devices share them.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of the critic (means over its steps) and of the generator.
    """
    key_latents, key_mix, key_generator, key_pass, key_generator_pass = jax.random.split(key, 5)
    keys = key_latents, key_mix, key_pass
    critic, metrics_d = critic_steps(config, state, batch, keys, Game(scorer(config.critic), critic_loss), axis_name)

    num = len(batch) // config.critic_steps  # lines 11 and 12
    latents = config.prior.draw(key_generator, num, axis_name)
    inputs = critic.variables, latents, training_mode(state.generator, key_generator_pass, num, axis_name)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, critic, ema), metrics_d | metrics_g


discriminate, from_latents, sample = networks.criticize, networks.from_latents, networks.sample
