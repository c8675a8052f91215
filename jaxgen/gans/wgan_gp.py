"""Wasserstein GAN with gradient penalty (WGAN-GP).

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs, 2017, arXiv 1704.00028.

The critic D minimises equation 3, on real images x, fakes x~ = G(z) and points x^ = eps x + (1 - eps) x~ between them,

    L = E[D(x~)] - E[D(x)] + lambda E[(||grad D(x^)||_2 - 1)^2],

and the generator minimises -E[D(G(z))]. In addition to the paper, a moving average of the generator's weights is kept,
from which `sample` draws.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax

from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import diversity, means
from jaxgen.gans.discrimination import FAKE, PENALTY, require_no_batch_statistics, score_both
from jaxgen.gans.latent_consistency import fixed_neighbours, keep_apart, with_latent_consistency
from jaxgen.gans.networks import CriticState, create_with_critic, fixed_fakes, generate, generator_step, scorer
from jaxgen.gans.regularization import Regularization, regularize
from jaxgen.gans.top_k import mean_of_best
from jaxgen.images import ValueRange, scale
from jaxgen.losses.adversarial import wasserstein_critic, wasserstein_generator
from jaxgen.losses.penalties import gradient_penalty, interpolate
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import Exponential, MovingAverage
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import draw, example_keys, split
from jaxgen.priors import Normal
from jaxgen.train_state import LossOutput, TrainState, descend
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
    critic = scorer(config.critic)
    slope_of = lambda points: critic(variables, points, mode.stream(PENALTY))[0]  # noqa: E731
    penalty = gradient_penalty(slope_of, interpolate(real, fake, mix), one_sided=config.one_sided).mean()
    scores, after = score_both(critic, variables, real, fake, mode, joint=True)  # one pass for both
    difference = wasserstein_critic(*scores).mean()  # E[D(x~)] - E[D(x)]
    scored = (real, fake), scores
    terms, (logged, changed) = regularize(config.regularization, critic, variables, scored, mode)
    loss = difference + config.penalty_weight * penalty + terms
    metrics = {"critic_loss": loss, "wasserstein_estimate": -difference, "gradient_penalty": penalty}
    return loss, (metrics | logged, after | changed)


def generator_loss(config: Config, variables: Variables, critic: Variables, latents: Latents, mode: Mode) -> LossOutput:
    """-E[D(G(z))], mean over the batch."""
    fake, after = generate(config, variables, latents, mode=mode)
    apart, logged = keep_apart(config, variables, (latents,), fake, mode)
    scores, _ = scorer(config.critic)(critic, fake, mode.stream(FAKE))
    loss = mean_of_best(config.regularization.top_k, wasserstein_generator(scores), scores, mode)
    return loss + apart, ({"generator_loss": loss} | logged, after)


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
    mode = Mode(step=state.generator.step, train=True, axis_name=axis_name)
    # Noise for all critic steps in one draw each: on a CPU every draw is a loop of many small operations.
    keys = example_keys(key_pass, len(batch), axis_name)
    latents = config.prior.draw(key_latents, len(batch), axis_name)
    mix = draw(jax.random.uniform, key_mix, len(batch), axis_name)
    real, latents, mix, keys = split((batch, latents, mix, keys), config.critic_steps)
    fake = fixed_fakes(config, state.generator.variables, (latents, keys), mode)
    near = fixed_neighbours(config, state.generator.variables, (latents, keys), mode)
    loss = with_latent_consistency(config, scorer(config.critic), partial(critic_loss, config))

    def critic_step(critic: TrainState, minibatch):  # lines 2 to 10
        real, fake, near, mix, keys = minibatch
        inputs = (fake, near), scale(real, config.value_range), fake, mix, mode.with_keys(keys)
        return descend(critic, loss, inputs, axis_name, "critic")

    critic, metrics_d = jax.lax.scan(critic_step, state.critic, (real, fake, near, mix, keys))

    num = len(batch) // config.critic_steps  # lines 11 and 12
    latents, keys = config.prior.draw(key_generator, num, axis_name), example_keys(key_generator_pass, num, axis_name)
    inputs = critic.variables, latents, mode.with_keys(keys)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = means(metrics_d) | metrics_g
    return State(generator, critic, ema), metrics | diversity(scale(real[0], config.value_range), fake[0], axis_name)


discriminate, from_latents, sample = networks.criticize, networks.from_latents, networks.sample
