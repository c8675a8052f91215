"""CC-GAN: a classifier that learns from few labels, and from holes that are filled in all images.

Denton, Gross, Fergus: Semi-Supervised Learning with Context-Conditional Generative Adversarial Networks, 2016, arXiv
1611.06430.

G fills a hole (mask m, 0 in the hole) in an image x from the rest of it and from a copy of low resolution,

    x_I = m x + (1 - m) G(m x, x_low),                                                  (1)

and D has two heads: a score that tells x from x_I, and class logits. With labels y of some images

    L_D = -log D(x) - log(1 - D(x_I)) - lambda_c log P(y|x),    L_G = -log D(x_I),      (2)

the class term being the mean over labelled images alone. An image is labelled if a number that follows from its pixels
lies below `labelled_share`: the same images at every step. The number is uniform, so that the share is that of the set
on average, and a mirrored image has a number of its own.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxgen.batches import LabelledInpainting
from jaxgen.checks import NonNegativeFloat, PositiveInt, require
from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import AdversarialState, generator_step, two_headed
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange, scale, squash, to_pixels
from jaxgen.losses.information import cross_entropy
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import LabelledDefaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.convolution import mean_pool, upsample_nearest
from jaxgen.nets.dcgan import DCGANDiscriminator
from jaxgen.nets.pix2pix import UNetTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import psum
from jaxgen.train_state import LossOutput, apply, blank, create, descend, training_mode
from jaxgen.translation.masks import (
    Mask,
    Masked,
    Masks,
    RandomSquare,
    composite,
    draw_masks,
    hide,
    masked,
)
from jaxgen.translation.patches import discriminator_value, generator_value
from jaxgen.typing import AxisName, Images, Key, Keys, Labels, Metrics, Scalar, Shape, Variables

GENERATOR, MASKS = 5, 6
"""Streams of the keys of a pass: others are those of `jaxgen.gans.discrimination`."""


@dataclass(frozen=True)
class Config(LabelledDefaults):
    """Settings."""

    image_shape: Shape = (64, 64, 3)
    value_range: ValueRange = (-1.0, 1.0)
    masks: Masks = RandomSquare(32)  # m
    reduction: PositiveInt = 4  # of the copy of low resolution, along each side
    labelled_share: float = 1.0  # of the images whose labels are used
    generator: nn.Module = UNetTranslator(downs=6)  # image with a hole, low resolution and mask to image
    discriminator: nn.Module = DCGANDiscriminator(64, 4)  # image to score and class logits, the score first
    objective: Objective = NonSaturating()
    adversarial_weight: NonNegativeFloat = 1.0  # of the game; with 0 the classifier learns alone
    class_weight: NonNegativeFloat = 1.0  # lambda_c
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, by which holes are filled

    batch_type: ClassVar = LabelledInpainting

    def __post_init__(self):
        super().__post_init__()
        require(0 < self.labelled_share <= 1, "labelled_share", self.labelled_share, "in (0, 1]")


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    (height, width, channels), image = config.image_shape, blank(config.image_shape)
    inputs = blank((height, width, 2 * channels + 1)), config.image_shape
    generator = create(config.generator, config.generator_optimizer, key_generator, *inputs)
    given = config.discriminator, config.discriminator_optimizer, key_discriminator
    return State(generator, create(*given, image, (1 + config.num_classes,)), ema=generator.variables)


def fill(
    config: Config, variables: Variables, images: Images, mask: Mask, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """x_I of equation 1, and the generator's variables after the pass."""
    low = upsample_nearest(mean_pool(images, config.reduction), config.reduction)
    inputs = jnp.concatenate([hide(images, mask, 0.0), low, mask], axis=3), config.image_shape
    outputs, variables = apply(config.generator, variables, *inputs, mode=mode.stream(GENERATOR))
    return composite(images, squash(outputs, config.value_range), mask), variables


def labelled(config: Config, images: Images) -> Bool[Array, "batch"]:
    """Which images have a label: a function of their pixels alone."""
    pixels = to_pixels(images, config.value_range).reshape(images.shape[0], -1).astype(jnp.uint32)
    factors = np.random.default_rng(0).integers(2**32, size=pixels.shape[1], dtype=np.uint32) | 1
    number = (pixels * jnp.asarray(factors)[None]).sum(axis=1, dtype=jnp.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):  # each bit changes half of the others
        number = (number ^ (number >> jnp.uint32(shift))) * jnp.uint32(factor)
    uniform = (number >> jnp.uint32(8)).astype(jnp.float32) * 2.0**-24
    return uniform < config.labelled_share


def discriminator_loss(
    config: Config, variables: Variables, images: Images, labels: Labels, composites: Images, mode: Mode
) -> LossOutput:
    """L_D of equation 2; `accuracy` is that of the images whose labels are not used."""
    network = two_headed(config.discriminator, config.num_classes)
    ((real, logits), (fake, _)), variables = score_both(network, variables, images, composites, mode)
    adversarial, metrics = discriminator_value(config.objective, real, fake, mode)
    known = labelled(config, images).astype(jnp.float32)
    classes = (known * cross_entropy(logits, labels)).mean() / config.labelled_share
    right = (logits.argmax(axis=1) == labels).astype(jnp.float32)
    accuracy = _share(right * (1 - known), 1 - known, mode.axis_name)
    metrics |= {"discriminator_loss": adversarial, "class_loss": classes, "accuracy": accuracy}
    return config.adversarial_weight * adversarial + config.class_weight * classes, (metrics, variables)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, images: Images, mask: Mask, mode: Mode
) -> LossOutput:
    """L_G of equation 2."""
    composites, variables = fill(config, variables, images, mask, mode)
    real = images if config.objective.needs_real else None
    network = two_headed(config.discriminator, config.num_classes)
    ((real, _), (fake, _)), _ = score_both(network, opponent, real, composites, mode)
    loss = generator_value(config.objective, real, fake, mode)
    return config.adversarial_weight * loss, ({"generator_loss": loss}, variables)


def update(
    config: Config, state: State, batch: LabelledInpainting, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, both with the same x_I of the generator before it.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: whole images, uint8 or floats in range, and labels below `num_classes`; `labelled` says which count.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images = scale(batch.images, config.value_range)
    mode = training_mode(state.generator, key, len(images), axis_name)
    mask = draw_masks(config.masks, mode.stream(MASKS).example_keys("masks"), len(images), config.image_shape)
    composites, _ = fill(config, state.generator.variables, images, mask, mode)
    inputs, loss = (images, batch.labels, composites, mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")
    inputs = discriminator.variables, images, mask, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), metrics_d | metrics_g


def classify(config: Config, state: State, images: Images) -> Float[Array, "batch classes"]:
    """Class logits of images in the value range, with running statistics."""
    network = two_headed(config.discriminator, config.num_classes)
    return network(state.discriminator.variables, images, EVALUATION)[0][1]


def holes(config: Config, key: Keys, images: Images) -> Mask:
    """The masks that `sample` with this key draws for images without holes of their own."""
    return draw_masks(config.masks, key, images.shape[0], config.image_shape)


def sample(config: Config, state: State, key: Keys, num: int, condition: Images | Masked | None = None) -> Images:
    """x_I of each of `num` images, `condition`: the hole is the condition's, or drawn from each image's key.

    Of the hole, too, the copy of low resolution is made of the images.
    """
    return fill(config, state.ema, *masked(config.masks, key, num, config.image_shape, condition))[0]


def _share(counted: jax.Array, among: jax.Array, axis_name: AxisName) -> Scalar:
    """sum of the one / sum of the other, over all devices; 0 where there is nothing."""
    part, total = psum((counted.sum(), among.sum()), axis_name)
    return part / jnp.maximum(total, 1.0)
