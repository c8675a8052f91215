"""Wasserstein GAN (WGAN), its critic kept Lipschitz by clipped weights.

Arjovsky, Chintala, Bottou: Wasserstein GAN, 2017, arXiv 1701.07875.

The critic f maximises equation 3, E[f(x)] - E[f(G(z))], over weights in [-c, c], for n_critic steps; then the generator
maximises E[f(G(z))]. Clipping bounds the slope of f by a constant that depends on the network, so that the estimate of
the Wasserstein-1 distance is in units of its own, comparable within one run alone.

Weights are clipped after each step, as in Algorithm 1, and only those that are trained: statistics of batch
normalisation, which some codes clip too, stay as they are. Real examples and fakes are normalised apart. Steps without
momentum (RMSProp) are the paper's advice.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax

from jaxgen.checks import PositiveFloat, PositiveInt
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import diversity, means
from jaxgen.gans.discrimination import FAKE, score_both
from jaxgen.gans.latent_consistency import fixed_neighbours, keep_apart, with_latent_consistency
from jaxgen.gans.networks import CriticState, create_with_critic, fixed_fakes, generate, generator_step, scorer
from jaxgen.gans.regularization import Regularization, regularize
from jaxgen.gans.top_k import mean_of_best
from jaxgen.images import ValueRange, scale
from jaxgen.losses.adversarial import wasserstein_critic, wasserstein_generator
from jaxgen.losses.weights import clip_weights
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.parallel import example_keys, split
from jaxgen.priors import Normal, Prior
from jaxgen.train_state import LossOutput, TrainState, descend
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings of Algorithm 1, with the paper's defaults and networks (DCGAN's, for 64x64 images)."""

    image_shape: Shape = (64, 64, 3)
    value_range: ValueRange = (-1.0, 1.0)
    prior: Prior = Normal(100)  # p(z)
    generator: nn.Module = DCGANGenerator()  # z to image
    critic: nn.Module = DCGANDiscriminator()  # image to score
    clip: PositiveFloat = 0.01  # c
    critic_steps: PositiveInt = 5  # n_critic, critic updates for each update of the generator
    regularization: Regularization = Regularization()  # consistency of images and latents, LeCam, R1, R2, top-k
    generator_optimizer: Optimizer = Optimizer(5e-5, RMSProp())
    critic_optimizer: Optimizer = Optimizer(5e-5, RMSProp())
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    minibatches: ClassVar = property(lambda self: self.critic_steps)


State: TypeAlias = CriticState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    return create_with_critic(config, key)


def critic_loss(config: Config, variables: Variables, real: Points, fake: Points, mode: Mode) -> LossOutput:
    """E[f(G(z))] - E[f(x)], minus equation 3."""
    critic = scorer(config.critic)
    scores, after = score_both(critic, variables, real, fake, mode)
    difference = wasserstein_critic(*scores).mean()
    scored = (real, fake), scores
    terms, (logged, changed) = regularize(config.regularization, critic, variables, scored, mode)
    loss = difference + terms
    return loss, ({"critic_loss": loss, "wasserstein_estimate": -difference} | logged, after | changed)


def generator_loss(config: Config, variables: Variables, critic: Variables, latents: Latents, mode: Mode) -> LossOutput:
    """-E[f(G(z))]."""
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
        batch: n_critic minibatches, (n_critic * m, ...), uint8 or floats in range, interleaved (`parallel.split`).
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of the critic (means over its steps) and of the generator.
    """
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    mode = Mode(step=state.generator.step, train=True, axis_name=axis_name)
    keys = example_keys(key_pass, len(batch), axis_name)
    latents = config.prior.draw(key_latents, len(batch), axis_name)
    real, latents, keys = split((scale(batch, config.value_range), latents, keys), config.critic_steps)
    fake = fixed_fakes(config, state.generator.variables, (latents, keys), mode)
    near = fixed_neighbours(config, state.generator.variables, (latents, keys), mode)
    loss = with_latent_consistency(config, scorer(config.critic), partial(critic_loss, config))

    def critic_step(critic: TrainState, minibatch):  # lines 2 to 8
        real, fake, near, keys = minibatch
        inputs = (fake, near), real, fake, mode.with_keys(keys)
        critic, metrics = descend(critic, loss, inputs, axis_name, "critic")
        return critic.replace(params=clip_weights(critic.params, config.clip)), metrics

    critic, metrics_f = jax.lax.scan(critic_step, state.critic, (real, fake, near, keys))

    num = len(batch) // config.critic_steps  # lines 9 to 11
    latents, keys = config.prior.draw(key_generator, num, axis_name), example_keys(key_generator_pass, num, axis_name)
    inputs = critic.variables, latents, mode.with_keys(keys)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = means(metrics_f) | metrics_g | diversity(real[0], fake[0], axis_name)
    return State(generator, critic, ema), metrics


discriminate, from_latents, sample = networks.criticize, networks.from_latents, networks.sample
