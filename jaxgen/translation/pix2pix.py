"""pix2pix: an image of another, learned from pairs, by a conditional GAN.

Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, 2016, arXiv 1611.07004.

From an input x the generator makes G(x), which is to be the target y; the discriminator scores patches of a pair. The
players minimise

    L_D = (E[-log D(x, y)] + E[-log(1 - D(x, G(x)))]) / 2        (1)
    L_G = E[-log D(x, G(x))] + lambda E|y - G(x)|                (2)

a step of D, then one of G. The half slows D down, as section 3.3 says. The mean is over examples, patches and pixels.

There are no latents: dropout is the generator's only noise, when it is applied as in training. Each image is then a
batch of its own, whose statistics normalise it: the paper's batches of 1.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Paired
from jaxgen.checks import NonNegativeFloat
from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange, scale, squash
from jaxgen.losses.reconstruction import mean_absolute_error
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.pix2pix import PatchDiscriminator, UNetTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput, apply, blank, create, descend, training_mode
from jaxgen.translation.patches import discriminator_value, generator_value, patch_scorer
from jaxgen.translation.single_images import one_at_a_time
from jaxgen.typing import AxisName, Images, Key, Keys, Metrics, Points, Shape, Variables

GENERATOR = 5
"""Of the generator's keys: a stream besides those of the discriminator's passes."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for 256x256 pixels."""

    input_shape: Shape = (256, 256, 3)  # of x; its sides are those of y
    image_shape: Shape = (256, 256, 3)  # of y
    value_range: ValueRange = (-1.0, 1.0)
    generator: nn.Module = UNetTranslator()  # x to G(x)
    discriminator: nn.Module = PatchDiscriminator()  # x and y, one behind the other in the channels, to scores
    objective: Objective = NonSaturating()
    l1_weight: NonNegativeFloat = 100.0  # lambda
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, from which images are made

    batch_type: ClassVar = Paired


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    inputs, targets = blank(config.input_shape), blank(config.image_shape)
    generator = create(config.generator, config.generator_optimizer, key_generator, inputs, config.image_shape)
    pair = jnp.concatenate([inputs, targets], axis=3)
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, pair, ())
    return State(generator, discriminator, ema=generator.variables)


def generate(config: Config, variables: Variables, inputs: Points, mode: Mode) -> tuple[Images, Variables]:
    """G(x) in the value range, and the generator's variables after the pass, which needs keys for its dropout."""
    outputs, variables = apply(config.generator, variables, inputs, config.image_shape, mode=mode.stream(GENERATOR))
    return squash(outputs, config.value_range), variables


def discriminator_loss(
    config: Config, variables: Variables, inputs: Points, targets: Images, fakes: Images, mode: Mode
) -> LossOutput:
    """Equation 1."""
    real, fake = (jnp.concatenate([inputs, images], axis=3) for images in (targets, fakes))
    scores, variables = score_both(patch_scorer(config.discriminator), variables, real, fake, mode)
    value, metrics = discriminator_value(config.objective, *scores, mode)
    return value / 2, (metrics | {"discriminator_loss": value / 2}, variables)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, inputs: Points, targets: Images, mode: Mode
) -> LossOutput:
    """Equation 2."""
    fakes, variables = generate(config, variables, inputs, mode)
    real, fake = (jnp.concatenate([inputs, images], axis=3) for images in (targets, fakes))
    real = real if config.objective.needs_real else None
    scores, _ = score_both(patch_scorer(config.discriminator), opponent, real, fake, mode)
    adversarial = generator_value(config.objective, *scores, mode)
    l1 = mean_absolute_error(fakes, targets).mean()
    metrics = {"generator_loss": adversarial, "l1": l1}
    return adversarial + config.l1_weight * l1, (metrics, variables)


def update(
    config: Config, state: State, batch: Paired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, both with the same G(x) of the generator before it.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: inputs and targets, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    inputs, targets = (scale(images, config.value_range) for images in (batch.inputs, batch.targets))
    mode = training_mode(state.generator, key, len(inputs), axis_name)
    fakes, _ = generate(config, state.generator.variables, inputs, mode)
    shown = inputs, targets, fakes, mode
    loss = partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, shown, axis_name, "discriminator")
    shown = discriminator.variables, inputs, targets, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, shown, axis_name)
    return State(generator, discriminator, ema), metrics_d | metrics_g


def sample(config: Config, state: State, key: Keys, num: int, condition: Points | None = None) -> Images:
    """G(x) of each of `num` inputs, `condition`, in the value range: a batch of its own, with dropout."""
    if condition is None:
        raise ValueError("condition is None, but must be the inputs, in the value range")

    def network(inputs: Points, mode: Mode) -> jax.Array:
        return generate(config, state.ema, inputs, mode)[0]

    return one_at_a_time(network, state.generator.step, key, condition)
