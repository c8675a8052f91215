"""DiscoGAN: relations between two domains, learned without pairs.

Kim, Cha, Kim, Lee, Kim: Learning to Discover Cross-Domain Relations with Generative Adversarial Networks, 2017, arXiv
1703.05192, with the feature matching and the rate of the authors' code.

G makes images of domain b from images a, F the reverse; D_a and D_b score images of both domains. The players minimise

    L_G = (1 - r) (alpha L_gan + beta L_fm) + r L_cycle                                                      (1)
    L_gan = -E log D_b(G(a)) - E log D_a(F(b))                                                              (2)
    L_cycle = E|F(G(a)) - a|^2 + E|G(F(b)) - b|^2                                                           (3)
    L_fm = sum over domains and layers l of |E h_l(real) - E h_l(fake)|^2 / n_l                             (4)
    L_D = sum over domains of (-E log D(real) - E log(1 - D(fake))) / 2                                     (5)

with the maps h_l inside of D, of n_l numbers each. The means of equation 4 are over the batch: it is 0 where those of
real images and of fakes agree, whichever images these are. The others are means over examples and pixels. The rate r is
small at first. Of every three minibatches the discriminators take the first, and the generators the two others.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Unpaired
from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.gans.diagnostics import means
from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange
from jaxgen.losses.features import feature_matching
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.discogan import DiscoGANDiscriminator, DiscoGANTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import gather, split
from jaxgen.ramps import Jump
from jaxgen.train_state import LossOutput, descend, training_mode
from jaxgen.translation import cycles as translators
from jaxgen.translation.cycles import (
    Both,
    create_judges,
    create_translators,
    cycles,
    distance,
    forth,
    judge,
    scaled,
    value_for_discriminators,
    value_for_generators,
)
from jaxgen.translation.patches import outputs_of
from jaxgen.typing import AxisName, Key, Metrics, Scalar, Shape, Variables

ADAM = Optimizer(2e-4, Adam(b1=0.5), weight_decay=1e-5)


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code, for minibatches of 64."""

    image_shape: Shape = (64, 64, 3)  # of both domains
    value_range: ValueRange = (0.0, 1.0)
    generator: nn.Module = DiscoGANTranslator()  # of both directions
    discriminator: nn.Module = DiscoGANDiscriminator()  # of both domains: scores, and maps to compare
    objective: Objective = NonSaturating()
    adversarial_weight: NonNegativeFloat = 0.1  # alpha
    matching_weight: NonNegativeFloat = 0.9  # beta
    rate: Jump = Jump(0.01, 0.5, 3_333)  # r, which changes after 10,000 minibatches
    generator_steps: PositiveInt = 2  # of the generators, for one of the discriminators
    generator_optimizer: Optimizer = ADAM
    discriminator_optimizer: Optimizer = ADAM
    average: MovingAverage = NoAverage()  # of the generators, by which images are translated

    batch_type: ClassVar = Unpaired
    minibatches: ClassVar = property(lambda self: 1 + self.generator_steps)


State: TypeAlias = AdversarialState  # parts to_a and to_b of the generator, a and b of the discriminator


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    generator = create_translators(config, key_generator)
    return State(generator, create_judges(config, key_discriminator), generator.variables)


def matching(real: Any, fake: Any, axis_name: AxisName = None) -> Scalar:
    """Equation 4 of one domain: maps of real images and of fakes, of all devices."""

    def distance_of_means(real: jax.Array, fake: jax.Array) -> jax.Array:
        average = [gather(maps.mean(axis=0, keepdims=True), axis_name) for maps in (real, fake)]
        return feature_matching(*average) / average[0][0].size

    return jnp.stack(jax.tree.leaves(jax.tree.map(distance_of_means, real, fake))).sum()


def scores_of(outputs: Both) -> Both:
    """Of each domain the scores of real images and of fakes, (patches,), without the maps behind them."""
    return Both(*((real[0].reshape(-1), fake[0].reshape(-1)) for real, fake in outputs))


def generator_loss(config: Config, variables: Variables, opponent: Variables, images: Both, mode: Mode) -> LossOutput:
    """Equation 1."""
    found, variables = cycles(config, variables, images, mode)
    outputs, _ = judge(config, opponent, images, found.fakes, mode, outputs_of)
    adversarial = value_for_generators(config.objective, scores_of(outputs), mode)
    matched = jnp.stack([matching(real[1], fake[1], mode.axis_name) for real, fake in outputs]).sum()
    cycle, rate = distance(found.reconstructions, images, mean_squared_error), config.rate.at(mode.current_step("r"))
    metrics = {"generator_loss": adversarial, "feature_matching": matched, "cycle": cycle, "rate": rate}
    translated = config.adversarial_weight * adversarial + config.matching_weight * matched
    return (1.0 - rate) * translated + rate * cycle, (metrics, variables)


def discriminator_loss(config: Config, variables: Variables, images: Both, fakes: Both, mode: Mode) -> LossOutput:
    """Equation 5."""
    outputs, variables = judge(config, variables, images, fakes, mode, outputs_of)
    value, logged = value_for_discriminators(config.objective, scores_of(outputs), mode)
    return value / 2, (logged | {"discriminator_loss": value / 2}, variables)


def update(
    config: Config, state: State, batch: Unpaired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminators, then `generator_steps` of the generators, each on a minibatch of its own.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: 1 + `generator_steps` minibatches of each domain, uint8 or floats in range, interleaved.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images = scaled(config, batch)
    mode = training_mode(state.discriminator, key, len(images.a), axis_name)
    minibatches = split((images, mode.example_keys("an update")), config.minibatches)
    (shown, keys), others = (
        jax.tree.map(lambda leaf, part=part: leaf[part], minibatches) for part in (0, slice(1, None))
    )
    fakes, _ = forth(config, state.generator.variables, shown, mode.with_keys(keys))
    inputs, loss = (shown, fakes, mode.with_keys(keys)), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    def step(state: State, minibatch: tuple[Both, jax.Array]) -> tuple[State, Metrics]:
        images, keys = minibatch
        inputs = state.discriminator.variables, images, mode.with_keys(keys)
        generator, ema, metrics = generator_step(config, state, generator_loss, inputs, axis_name)
        return State(generator, state.discriminator, ema), metrics

    state, metrics_g = jax.lax.scan(step, State(state.generator, discriminator, state.ema), others)
    return state, metrics_d | means(metrics_g)


to_a, to_b, sample = translators.to_a, translators.to_b, translators.sample
