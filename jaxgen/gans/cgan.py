"""Conditional GAN, with any objective: also SNGAN with a projection discriminator, SAGAN and BigGAN.

Mirza, Osindero: Conditional Generative Adversarial Nets, 2014, arXiv 1411.1784.

Both players are given the class y. Minimised are, for the `NonSaturating` objective and equation 2 of the paper,

    -E[log D(x|y)] - E[log(1 - D(G(z|y)|y))]    by the discriminator,
    -E[log D(G(z|y)|y)]                         by the generator, D with the y that G was given.

D for k steps, then G for one. Fakes are made for the labels of the batch, so that real and fake examples have the same
classes. `ConcatCondition` and `ChannelCondition` of `jaxgen.nets.conditioning` give any network a condition; the
defaults are the paper's perceptrons.

With the `Hinge` objective, networks and optimisers of their own it is the game of SNGAN with projection
(arXiv 1802.05637, `jaxgen.nets.sngan_resnet`), SAGAN (1805.08318, `jaxgen.nets.sagan`) and BigGAN (1809.11096,
`jaxgen.nets.biggan`, `jaxgen.nets.biggan_deep`); these draw the classes of their fakes uniformly.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from jaxgen.batches import Labelled
from jaxgen.checks import PositiveInt
from jaxgen.conditions import in_turn, one_hot
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import diversity, means
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.drawing import Drawing
from jaxgen.gans.game import discriminator_step_value, generator_value, score_fakes
from jaxgen.gans.latent_consistency import fixed_neighbours, keep_apart, with_latent_consistency
from jaxgen.gans.networks import AdversarialState, create_adversaries, fixed_fakes, generate, generator_step, scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.regularization import Regularization
from jaxgen.images import scale
from jaxgen.mode import Mode
from jaxgen.model import LabelledDefaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.parallel import example_keys, split
from jaxgen.priors import Prior, Uniform
from jaxgen.train_state import LossOutput, TrainState, apply, descend
from jaxgen.typing import AxisName, Key, Keys, Labels, Latents, Metrics, PerExample, Points, Variables

Classes: TypeAlias = Float[Array, "batch classes"]
"""y, one-hot."""


@dataclass(frozen=True)
class Config(LabelledDefaults):
    """Settings; the defaults are the paper's for MNIST, but for its decay of the learning rate."""

    prior: Prior = Uniform(100)  # of z
    generator: nn.Module = ConditionalMLPGenerator()  # z and y to image
    discriminator: nn.Module = ConditionalMLPDiscriminator()  # image and y to score
    objective: Objective = NonSaturating()  # what the players minimise
    discriminator_steps: PositiveInt = 1  # k, steps of the discriminator for each of the generator
    generator_batches: PositiveInt = 1  # minibatches of fakes in the generator's step
    discrimination: Discrimination = Discrimination()  # how D is shown real and fake examples
    regularization: Regularization = Regularization()  # consistency of images and latents, LeCam, R1, R2, top-k
    drawing: Drawing = Drawing()  # how samples are drawn: truncated, with which batch statistics
    generator_optimizer: Optimizer = Optimizer(0.1, SGD(momentum=0.5))
    discriminator_optimizer: Optimizer = Optimizer(0.1, SGD(momentum=0.5))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    minibatches: ClassVar = property(lambda self: self.discriminator_steps)


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
    fake, after = generate(config, variables, latents, classes, mode=mode)
    apart, logged = keep_apart(config, variables, (latents, classes), fake, mode)
    scores = score_fakes(config, scorer(config.discriminator), opponent, real, (fake, classes), mode)
    loss, metrics = generator_value(config, *scores, mode)
    return loss + apart, (metrics | logged, after)


def update(
    config: Config, state: State, batch: Labelled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """k steps of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: k minibatches of images, uint8 or floats in range, and labels below `num_classes`, interleaved
            (`parallel.split`).
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of the discriminator (means over its steps) and of the generator.
    """
    key_fake, key_latents, key_pass, key_generator_pass = jax.random.split(key, 4)
    mode, num = Mode(step=state.generator.step, train=True, axis_name=axis_name), len(batch.labels)
    data = scale(batch.images, config.value_range), one_hot(batch.labels, config.num_classes)
    noise = config.prior.draw(key_fake, num, axis_name), example_keys(key_pass, num, axis_name)
    real, classes, latents, keys = split((*data, *noise), config.discriminator_steps)
    fake = fixed_fakes(config, state.generator.variables, (latents, classes, keys), mode)
    near = fixed_neighbours(config, state.generator.variables, (latents, classes, keys), mode)
    loss = with_latent_consistency(config, scorer(config.discriminator), partial(discriminator_loss, config))

    def discriminator_step(discriminator: TrainState, minibatch):
        real, fake, near, classes, keys = minibatch
        inputs = (fake, near, classes), real, fake, classes, mode.with_keys(keys)
        return descend(discriminator, loss, inputs, axis_name, "discriminator")

    minibatches = real, fake, near, classes, keys
    discriminator, metrics_d = jax.lax.scan(discriminator_step, state.discriminator, minibatches)

    again = jax.tree.map(lambda values: values[-1].repeat(config.generator_batches, axis=0), (real, classes))
    num = len(again[1])
    latents, keys = config.prior.draw(key_latents, num, axis_name), example_keys(key_generator_pass, num, axis_name)
    inputs = discriminator.variables, again, latents, mode.with_keys(keys)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = means(metrics_d) | metrics_g | diversity(real[0], fake[0], axis_name)
    return State(generator, discriminator, ema), metrics


def discriminate(config: Config, state: State, points: Points, condition: Labels | None = None) -> PerExample:
    """D(x|y), before any sigmoid, with running statistics and without dropout; image i of class i mod K without y."""
    inputs = points, one_hot(in_turn(condition, points.shape[0], config.num_classes), config.num_classes), ()
    return apply(config.discriminator, state.discriminator.variables, *inputs)[0]


def from_latents(config: Config, state: State, latents: Latents, condition: Labels | None = None) -> Points:
    """G(z|y) of the moving average of the generator; without labels y, image i is of class i mod `num_classes`."""
    variables = config.drawing.statistics(config, state.ema)
    return networks.from_latents_and_labels(config, state._replace(ema=variables), latents, condition)


def sample(config: Config, state: State, key: Keys, num: int, condition: Labels | None = None) -> Points:
    """`num` images of latents from the prior, truncated as `drawing` says; `condition` as `from_latents` takes it."""
    return from_latents(config, state, config.drawing.latents(config.prior, key, num), condition)
