"""Generative adversarial network (GAN), with any objective.

Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio: Generative Adversarial Nets, 2014,
arXiv 1406.2661.

The discriminator D and the generator G play the game of equation 1,

    min_G max_D  E[log D(x)] + E[log(1 - D(G(z)))],

D for k steps, then G for one, each on a minibatch of its own. By default G minimises -log D(G(z)) instead, as the paper
advises in section 3. Other objectives, networks and optimisers make of it DCGAN (arXiv 1511.06434), LSGAN (1611.04076),
SNGAN (1802.05957), hinge (1705.02894) and relativistic (1807.00734) GANs; the stabilising tricks of `Discrimination`
and the moving average of the generator are off.

The paper's Algorithm 1 calls the noise prior p_g(z), which is p_z(z) everywhere else. Its code halves D's loss and
raises the momentum from 0.5 to 0.7 in training; here D's loss is the sum, at half the rate, and the momentum stays.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax

from jaxgen.checks import PositiveInt
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import diversity, means
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.game import discriminator_step_value, generator_value, score_fakes
from jaxgen.gans.latent_consistency import fixed_neighbours, keep_apart, with_latent_consistency
from jaxgen.gans.networks import AdversarialState, create_adversaries, fixed_fakes, generate, generator_step, scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.regularization import Regularization
from jaxgen.images import scale
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets import initializers
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, InverseTime, Optimizer
from jaxgen.parallel import example_keys, split
from jaxgen.priors import Prior, Uniform
from jaxgen.train_state import LossOutput, TrainState, descend
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for MNIST."""

    prior: Prior = Uniform(100, limit=3**0.5)  # p_z
    objective: Objective = NonSaturating()
    generator: nn.Module = MLP((1200, 1200), initializer=initializers.Uniform(0.05))  # z to image
    discriminator: nn.Module = Maxout()  # image to score
    discriminator_steps: PositiveInt = 1  # k, steps of the discriminator for each of the generator
    discrimination: Discrimination = Discrimination()  # how D is shown real and fake examples
    regularization: Regularization = Regularization()  # consistency of images and latents, LeCam, R1, R2, top-k
    generator_optimizer: Optimizer = Optimizer(0.1, SGD(momentum=0.5), schedule=InverseTime(4e-6))
    discriminator_optimizer: Optimizer = Optimizer(0.05, SGD(momentum=0.5), schedule=InverseTime(4e-6))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    minibatches: ClassVar = property(lambda self: self.discriminator_steps)


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    return create_adversaries(config, key)


def discriminator_loss(config: Config, variables: Variables, real: Points, fake: Points, mode: Mode) -> LossOutput:
    """What D minimises, mean over the batch: minus the value of equation 1 for the paper's objectives."""
    return discriminator_step_value(config, scorer(config.discriminator), variables, real, fake, mode)[1]


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, real: Points, latents: Latents, mode: Mode
) -> LossOutput:
    """What G minimises, mean over the batch; the real examples count for relativistic objectives alone."""
    fake, after = generate(config, variables, latents, mode=mode)
    apart, logged = keep_apart(config, variables, (latents,), fake, mode)
    scores = score_fakes(config, scorer(config.discriminator), opponent, real, fake, mode)
    loss, metrics = generator_value(config, *scores, mode)
    return loss + apart, (metrics | logged, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1: k steps of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: k minibatches, (k * m, ...), uint8 or floats in range, interleaved (`parallel.split`).
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of the discriminator (means over its steps) and of the generator.
    """
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    mode = Mode(step=state.generator.step, train=True, axis_name=axis_name)
    keys = example_keys(key_pass, len(batch), axis_name)
    latents = config.prior.draw(key_latents, len(batch), axis_name)
    real, latents, keys = split((scale(batch, config.value_range), latents, keys), config.discriminator_steps)
    fake = fixed_fakes(config, state.generator.variables, (latents, keys), mode)
    near = fixed_neighbours(config, state.generator.variables, (latents, keys), mode)
    loss = with_latent_consistency(config, scorer(config.discriminator), partial(discriminator_loss, config))

    def discriminator_step(discriminator: TrainState, minibatch):
        real, fake, near, keys = minibatch
        inputs = (fake, near), real, fake, mode.with_keys(keys)
        return descend(discriminator, loss, inputs, axis_name, "discriminator")

    discriminator, metrics_d = jax.lax.scan(discriminator_step, state.discriminator, (real, fake, near, keys))

    num = len(batch) // config.discriminator_steps
    latents, keys = config.prior.draw(key_generator, num, axis_name), example_keys(key_generator_pass, num, axis_name)
    inputs = discriminator.variables, real[-1], latents, mode.with_keys(keys)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = means(metrics_d) | metrics_g | diversity(real[0], fake[0], axis_name)
    return State(generator, discriminator, ema), metrics


discriminate, from_latents, sample = networks.discriminate, networks.from_latents, networks.sample
