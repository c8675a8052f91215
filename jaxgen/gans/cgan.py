"""Conditional GAN.

Mirza, Osindero: Conditional Generative Adversarial Nets, 2014, arXiv 1411.1784.

Both players are given the class y. Minimised are, for the `NonSaturating` objective and equation 2 of the paper,

    -E[log D(x|y)] - E[log(1 - D(G(z|y)|y))]    by the discriminator,
    -E[log D(G(z|y)|y)]                         by the generator, D with the y that G was given.

Fakes are made for the labels of the batch, so that real and fake examples have the same classes. `ConcatCondition`
and `ChannelCondition` of `jaxgen.nets.conditioning` give any network a condition; the defaults are the paper's
perceptrons.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from jaxgen.batches import Labelled
from jaxgen.conditions import in_turn, one_hot
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.game import discriminator_step_value, generator_value, score_fakes
from jaxgen.gans.networks import AdversarialState, create_adversaries, generate, generator_step, scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.regularization import Regularization
from jaxgen.images import scale
from jaxgen.mode import Mode
from jaxgen.model import LabelledDefaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.priors import Prior, Uniform
from jaxgen.train_state import LossOutput, apply, descend, training_mode
from jaxgen.typing import AxisName, Key, Labels, Latents, Metrics, PerExample, Points, Variables

Classes: TypeAlias = Float[Array, "batch classes"]
"""y, one-hot."""


@dataclass(frozen=True)
class Config(LabelledDefaults):
    """Settings; the defaults are the paper's for MNIST, but for its decay of the learning rate."""

    prior: Prior = Uniform(100)  # of z
    generator: nn.Module = ConditionalMLPGenerator()  # z and y to image
    discriminator: nn.Module = ConditionalMLPDiscriminator()  # image and y to score
    objective: Objective = NonSaturating()  # what the players minimise
    discrimination: Discrimination = Discrimination()  # how D is shown real and fake examples
    regularization: Regularization = Regularization()  # consistency, LeCam, R1, R2, top-k
    generator_optimizer: Optimizer = Optimizer(0.1, SGD(momentum=0.5))
    discriminator_optimizer: Optimizer = Optimizer(0.1, SGD(momentum=0.5))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    return create_adversaries(config, key, (config.num_classes,))


def discriminator_loss(
    config: Config, variables: Variables, real: Points, fake: Points, classes: Classes, mode: Mode
) -> LossOutput:
    """The objective's, mean over the batch: -E[log D(x|y)] - E[log(1 - D(G(z|y)|y))]."""
    inputs = (real, classes), (fake, classes)
    return discriminator_step_value(config, scorer(config.discriminator), variables, *inputs, mode)[1]


def generator_loss(
    config: Config,
    variables: Variables,
    opponent: Variables,
    real: tuple[Points, Classes],
    latents: Latents,
    mode: Mode,
) -> LossOutput:
    """The objective's, mean over the batch: -E[log D(G(z|y)|y)], with the same y for both."""
    classes = real[1]
    fake, variables = generate(config, variables, latents, classes, mode=mode)
    scores = score_fakes(config, scorer(config.discriminator), opponent, real, (fake, classes), mode)
    loss, metrics = generator_value(config, *scores, mode)
    return loss, (metrics, variables)


def update(
    config: Config, state: State, batch: Labelled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range, and labels below `num_classes`.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_fake, key_latents, key_pass, key_generator_pass = jax.random.split(key, 4)
    num = len(batch.labels)
    real, classes = scale(batch.images, config.value_range), one_hot(batch.labels, config.num_classes)

    mode = training_mode(state.generator, key_pass, num, axis_name)
    latents = config.prior.draw(key_fake, num, axis_name)
    fake, _ = generate(config, state.generator.variables, latents, classes, mode=mode)
    inputs = real, fake, classes, mode
    loss = partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    mode = training_mode(state.generator, key_generator_pass, num, axis_name)
    inputs = discriminator.variables, (real, classes), config.prior.draw(key_latents, num, axis_name), mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), metrics_d | metrics_g | diversity(real, fake, axis_name)


def discriminate(config: Config, state: State, points: Points, condition: Labels | None = None) -> PerExample:
    """D(x|y), before any sigmoid, with running statistics and without dropout; image i of class i mod K without y."""
    inputs = points, one_hot(in_turn(condition, points.shape[0], config.num_classes), config.num_classes), ()
    return apply(config.discriminator, state.discriminator.variables, *inputs)[0]


from_latents, sample = networks.from_latents_and_labels, networks.sample_labelled
