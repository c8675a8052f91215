"""R3GAN: a relativistic pairing GAN with a zero-centred gradient penalty on real and on fake data.

Huang, Gokaslan, Kuleshov, Tompkin: The GAN is dead; long live the GAN! A Modern Baseline GAN, 2024, arXiv 2501.05441.

With sp(t) = log(1 + e^t), a real example x and the fake G(z) that it is paired with, both of class y, the players
minimise

    L_D = E sp(-(D(x) - D(G(z)))) + gamma / 2 (R_1 + R_2)      (1)
    L_G = E sp(-(D(G(z)) - D(x)))                              (2)
    R_1 = E |grad_x D(x)|^2,    R_2 = E |grad D(G(z))|^2       (3)

A step of D, then one of G, each with real examples and latents of its own. The penalties are those of D's own input: a
discriminator that augments its images is differentiated through the augmentation.

Learning rates, Adam's beta_2, gamma and the half-life of the generator's average follow half a cosine over a burn-in of
so many updates. The paper counts images: divide by the batch size.

The generator's images have no bound in training; samples are clipped to the value range. The authors' augmentation is
not a part of this model.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeAlias

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from jaxgen.batches import Labelled
from jaxgen.checks import NonNegativeInt, PositiveInt, require
from jaxgen.conditions import in_turn, one_hot
from jaxgen.gans.diagnostics import certainty, diversity
from jaxgen.gans.discrimination import FAKE, GENERATOR, REAL, require_no_batch_statistics, score_both
from jaxgen.gans.networks import AdversarialState, create_players, generator_step, scorer
from jaxgen.gans.objectives import Relativistic
from jaxgen.gans.regularization import at_some_updates
from jaxgen.images import ValueRange, clip, scale
from jaxgen.losses.penalties import r1_penalty, r2_penalty
from jaxgen.losses.relativistic import relativistic_discriminator, relativistic_generator
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, RampedHalfLife
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.r3gan import R3GANDiscriminator, R3GANGenerator
from jaxgen.optimizers import Cosine, Optimizer, RampedAdam
from jaxgen.parallel import example_keys, split
from jaxgen.priors import Normal, Prior
from jaxgen.ramps import CosineRamp
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, apply, descend
from jaxgen.typing import AxisName, Key, Labels, Latents, Metrics, PerExample, Points, Scalar, Shape, Variables

Given: TypeAlias = tuple[Float[Array, "batch classes"], ...]
"""What both networks are given: the one-hot classes, or nothing."""

BURN_IN = 39_062
"""Updates of 512 images in the 20 million of the paper's CIFAR-10."""

ADAM = Optimizer(2e-4, RampedAdam(), Cosine(BURN_IN, final=0.25))


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for CIFAR-10 with classes, 512 examples in a minibatch."""

    image_shape: Shape = (32, 32, 3)
    value_range: ValueRange = (-1.0, 1.0)
    num_classes: NonNegativeInt = 10  # of the labels; 0 for a model without classes, whose networks take none
    prior: Prior = Normal(64)  # of z
    generator: nn.Module = InnerCondition(R3GANGenerator())  # z and y to image
    discriminator: nn.Module = InnerCondition(R3GANDiscriminator())  # image and y to score; each example on its own
    gamma: CosineRamp = CosineRamp(0.05, 0.005, BURN_IN)  # weight of the penalties at each update
    penalty_every: PositiveInt = 1  # updates for each with the penalties, which then count as many times as much
    generator_optimizer: Optimizer = ADAM
    discriminator_optimizer: Optimizer = ADAM
    average: MovingAverage = RampedHalfLife()  # of G; samples are drawn from it

    batch_type: ClassVar[Any] = property(lambda self: Labelled if self.num_classes else None)
    minibatches: ClassVar = 2

    def __post_init__(self):
        super().__post_init__()
        require(min(self.gamma.first, self.gamma.last) >= 0, "gamma", self.gamma, "at least 0")


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a discriminator with batch statistics."""
    player = config.discriminator, config.discriminator_optimizer
    conditions = [(config.num_classes,)] if config.num_classes else []
    generator, discriminator = create_players(config, player, key, *conditions)
    require_no_batch_statistics(discriminator)
    return State(generator, discriminator, ema=generator.variables)


def generate(
    config: Config, variables: Variables, latents: Latents, *given: Array, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """G(z), or G(z|y), without bounds, and the generator's variables after the pass."""
    return apply(config.generator, variables, latents, *given, config.image_shape, mode=mode.stream(GENERATOR))


def discriminator_loss(
    config: Config, variables: Variables, real: Points, fake: Points, given: Given, mode: Mode
) -> LossOutput:
    """Equation 1, mean over the batch."""
    network = scorer(config.discriminator)
    scores, after = score_both(network, variables, (real, *given), (fake, *given), mode)
    r1, r2 = penalties(config, variables, (real, fake), given, mode)
    gamma = config.gamma.at(mode.current_step("the weight of the penalties"))
    loss = relativistic_discriminator(*scores).mean() + gamma / 2 * (r1 + r2)
    metrics = {"discriminator_loss": loss, "r1": r1, "r2": r2}
    return loss, (metrics | certainty(Relativistic(average=False), *scores, mode.axis_name), after)


def penalties(
    config: Config, variables: Variables, pair: tuple[Points, Points], given: Given, mode: Mode
) -> tuple[Scalar, Scalar]:
    """R_1 and R_2 of equation 3 in a pass with the keys of the scores, `penalty_every` times as large in every
    `penalty_every`-th update and 0 in the others."""
    network, (real, fake) = scorer(config.discriminator), pair

    def critic(stream: int, points: Points) -> PerExample:
        return network(variables, (points, *given), mode.stream(stream))[0]

    def measured() -> tuple[Scalar, Scalar]:
        halves = r1_penalty(partial(critic, REAL), real), r2_penalty(partial(critic, FAKE), fake)
        return 2 * halves[0].mean(), 2 * halves[1].mean()

    return at_some_updates(config.penalty_every, mode, measured, real)


def generator_loss(
    config: Config,
    variables: Variables,
    opponent: Variables,
    examples: tuple[Points, Given],
    latents: Latents,
    mode: Mode,
) -> LossOutput:
    """Equation 2, mean over the batch; D, and its scores of the real examples, are constants."""
    real, given = examples
    fake, variables = generate(config, variables, latents, *given, mode=mode)
    pair = (real, *given), (fake, *given)
    scores, _ = score_both(scorer(config.discriminator), opponent, *pair, mode)
    loss = relativistic_generator(*scores).mean()
    return loss, ({"generator_loss": loss}, variables)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: two minibatches, interleaved (`parallel.split`), one for each player: images, uint8 or floats in range,
            and labels where there are classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_latents, key_pass = jax.random.split(key)
    images = scale(batch.images if config.num_classes else batch, config.value_range)
    given = (one_hot(batch.labels, config.num_classes),) if config.num_classes else ()
    num, mode = images.shape[0], Mode(step=state.generator.step, train=True, axis_name=axis_name)
    latents, keys = config.prior.draw(key_latents, num, axis_name), example_keys(key_pass, num, axis_name)
    minibatches = split((images, given, latents, keys), config.minibatches)

    real, given, latents, keys = jax.tree.map(lambda leaf: leaf[0], minibatches)
    fake, _ = generate(config, state.generator.variables, latents, *given, mode=mode.with_keys(keys))
    inputs = real, fake, given, mode.with_keys(keys)
    loss = partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")
    metrics = metrics_d | diversity(real, fake, axis_name)

    real, given, latents, keys = jax.tree.map(lambda leaf: leaf[1], minibatches)
    inputs = discriminator.variables, (real, given), latents, mode.with_keys(keys)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), metrics | metrics_g


def discriminate(config: Config, state: State, points: Points, condition: Labels | None = None) -> PerExample:
    """D(x), or D(x|y), before any sigmoid; without y image i is of class i mod `num_classes`."""
    inputs = points, *_classes(config, condition, points.shape[0]), ()
    return apply(config.discriminator, state.discriminator.variables, *inputs)[0]


def from_latents(config: Config, state: State, latents: Latents, condition: Labels | None = None) -> Points:
    """G(z), or G(z|y), of the moving average, clipped to the value range; without y image i is of class i mod K."""
    images, _ = generate(config, state.ema, latents, *_classes(config, condition, latents.shape[0]))
    return clip(images, config.value_range)


sample = sampler(from_latents)


def _classes(config: Config, labels: Labels | None, num: int) -> Given:
    if not config.num_classes:
        return ()
    return (one_hot(in_turn(labels, num, config.num_classes), config.num_classes),)
