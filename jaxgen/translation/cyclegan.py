"""CycleGAN: images of two domains translated into each other, learned without pairs.

Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, 2017, arXiv
1703.10593.

G makes images of domain b from images a, F the reverse; D_a and D_b score patches of both domains. The players minimise

    L_G = E(D_b(G(a)) - 1)^2 + E(D_a(F(b)) - 1)^2 + lambda L_cycle + iota lambda L_same                  (1)
    L_cycle = E|F(G(a)) - a| + E|G(F(b)) - b|,    L_same = E|F(a) - a| + E|G(b) - b|                     (2)
    L_D = (E(D_b(b) - 1)^2 + E D_b(G(a))^2) / 2 + (E(D_a(a) - 1)^2 + E D_a(F(b))^2) / 2                  (3)

a step of G and F together, then one of both discriminators, which are shown fakes of a history in place of the latest.
The means are over examples, patches and pixels. L_same is the identity loss of the authors' code, of the paper for
paintings alone. The objective is a setting; that of least squares has a half in the generators' value, which
`adversarial_weight` takes away.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

import flax.linen as nn
import jax

from jaxgen.batches import Unpaired
from jaxgen.checks import NonNegativeFloat, NonNegativeInt
from jaxgen.gans.networks import generator_step
from jaxgen.gans.objectives import LeastSquares, Objective
from jaxgen.images import ValueRange
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.cyclegan import ResNetTranslator
from jaxgen.nets.pix2pix import PatchDiscriminator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput, TrainState, descend, training_mode
from jaxgen.translation import cycles as translators
from jaxgen.translation import history
from jaxgen.translation.cycles import (
    HISTORY_A,
    HISTORY_B,
    SAME_A,
    SAME_B,
    TO_A,
    TO_B,
    Both,
    create_judges,
    create_translators,
    cycles,
    discriminators_value,
    distance,
    forth,
    generators_value,
    scaled,
    translate,
)
from jaxgen.typing import AxisName, Key, Metrics, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for 256x256 pixels, without the decay of the learning rate."""

    image_shape: Shape = (256, 256, 3)  # of both domains
    value_range: ValueRange = (-1.0, 1.0)
    generator: nn.Module = ResNetTranslator()  # of both directions
    discriminator: nn.Module = PatchDiscriminator(norm="instance")  # of both domains
    objective: Objective = LeastSquares()
    adversarial_weight: NonNegativeFloat = 2.0  # of the objective in the generators' loss
    cycle_weight: NonNegativeFloat = 10.0  # lambda
    identity_weight: NonNegativeFloat = 0.5  # iota, as a share of lambda
    capacity: NonNegativeInt = 50  # images in the history of each domain
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generators, by which images are translated

    batch_type: ClassVar = Unpaired


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState  # parts to_a and to_b
    discriminator: TrainState  # parts a and b
    ema: Variables  # moving average of the generators'
    histories: Both  # of the fakes of each domain


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers, and histories without images."""
    key_generator, key_discriminator = jax.random.split(key)
    generator = create_translators(config, key_generator)
    histories = Both(*(history.empty(config.capacity, config.image_shape) for _ in range(2)))
    return State(generator, create_judges(config, key_discriminator), generator.variables, histories)


def generator_loss(config: Config, variables: Variables, opponent: Variables, images: Both, mode: Mode) -> LossOutput:
    """Equations 1 and 2."""
    found, variables = cycles(config, variables, images, mode)
    adversarial = generators_value(config, opponent, images, found.fakes, mode)
    cycle = distance(found.reconstructions, images)
    metrics = {"generator_loss": adversarial, "cycle": cycle}
    loss = config.adversarial_weight * adversarial + config.cycle_weight * cycle
    if config.identity_weight > 0:
        same_a, variables = translate(config, variables, TO_A, images.a, mode.stream(SAME_A))
        same_b, variables = translate(config, variables, TO_B, images.b, mode.stream(SAME_B))
        metrics["identity"] = distance(Both(same_a, same_b), images)
        loss += config.identity_weight * config.cycle_weight * metrics["identity"]
    return loss, (metrics, variables)


def discriminator_loss(config: Config, variables: Variables, images: Both, fakes: Both, mode: Mode) -> LossOutput:
    """Equation 3, for objectives whose value for the discriminator has the half."""
    loss, (logged, variables) = discriminators_value(config, variables, images, fakes, mode)
    return loss, (logged | {"discriminator_loss": loss}, variables)


def update(
    config: Config, state: State, batch: Unpaired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of both generators, then one of both discriminators, with fakes of the generators before their step.

    Args:
        config: settings.
        state: networks, optimisers and histories.
        batch: as many images of each domain, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images = scaled(config, batch)
    mode = training_mode(state.generator, key, len(images.a), axis_name)
    latest, _ = forth(config, state.generator.variables, images, mode)
    inputs = state.discriminator.variables, images, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)

    exchanged = [
        history.exchange(kept, fake, mode.stream(stream).example_keys("a history"), axis_name)
        for stream, kept, fake in zip((HISTORY_A, HISTORY_B), state.histories, latest, strict=True)
    ]
    fakes, histories = (Both(*each) for each in zip(*exchanged, strict=True))
    inputs, loss = (images, fakes, mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")
    return State(generator, discriminator, ema, histories), metrics_g | metrics_d


to_a, to_b, sample = translators.to_a, translators.to_b, translators.sample
