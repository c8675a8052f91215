"""In-painting with partial convolutions: holes of any form, without an opponent.

Liu, Reda, Shih, Wang, Tao, Catanzaro: Image Inpainting for Irregular Holes Using Partial Convolutions, 2018, arXiv
1804.07723.

A network of partial convolutions (`jaxgen.nets.partial_convolution`) makes an image y of an image x and its mask M, 1
where x is known; z = M x + (1 - M) y. With maps f_l of a frozen network and their Gram matrices G_l

    L_valid = |M (y - x)|,    L_hole = |(1 - M) (y - x)|                                              (1)
    L_perceptual = sum_l |f_l(y) - f_l(x)| + |f_l(z) - f_l(x)|                                        (2)
    L_style = sum_l |G_l(y) - G_l(x)| + |G_l(z) - G_l(x)|                                             (3)
    L_tv = total variation of z                                                                       (4)
    L = L_valid + 6 L_hole + 0.05 L_perceptual + 120 L_style + 0.1 L_tv                               (5)

Norms are means over all elements of the image, the maps or the matrices. The total variation is that of the whole
composite, the paper's that of the hole and its border.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Inpainting
from jaxgen.checks import NonNegativeFloat
from jaxgen.gans.networks import generator_step
from jaxgen.images import ValueRange, scale, squash
from jaxgen.losses.reconstruction import mean_absolute_error, total_variation
from jaxgen.losses.style import style_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.partial_convolution import PartialUNet
from jaxgen.nets.vgg16 import VGG16Maps
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import Frozen, LossOutput, TrainState, apply, blank, create, freeze, training_mode
from jaxgen.translation.feature_maps import feature_maps
from jaxgen.translation.masks import Mask, Masked, Masks, Strokes, composite, draw_masks, hide, masked
from jaxgen.typing import AxisName, Images, Key, Keys, Metrics, Scalar, Shape, Variables

GENERATOR, MASKS = range(2)
"""Streams of the keys of a pass."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for 512x512 pixels."""

    image_shape: Shape = (512, 512, 3)
    value_range: ValueRange = (-1.0, 1.0)
    masks: Masks = Strokes(width=48.0, length=80.0)  # M of training and of samples
    generator: nn.Module = PartialUNet()  # x and M to y
    features: nn.Module = VGG16Maps()  # images in [-1, 1] to maps f_l; frozen
    valid_weight: NonNegativeFloat = 1.0
    hole_weight: NonNegativeFloat = 6.0
    perceptual_weight: NonNegativeFloat = 0.05
    style_weight: NonNegativeFloat = 120.0
    variation_weight: NonNegativeFloat = 0.1
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam())
    average: MovingAverage = NoAverage()  # of the generator, by which holes are filled

    batch_type: ClassVar = Inpainting


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    features: Frozen
    ema: Variables  # moving average of the generator's


def init(config: Config, key: Key) -> State:
    """A fresh network and optimiser, and random features."""
    key_generator, key_features = jax.random.split(key)
    image, mask = blank(config.image_shape), jnp.ones((1, *config.image_shape[:2], 1))
    inputs = image, mask, config.image_shape
    generator = create(config.generator, config.generator_optimizer, key_generator, *inputs)
    features = freeze(config.features, "features", key_features, image, ())
    return State(generator, features, ema=generator.variables)


def generate(
    config: Config, variables: Variables, images: Images, mask: Mask, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """y in the value range, and the generator's variables after the pass."""
    inputs = images, mask, config.image_shape
    outputs, variables = apply(config.generator, variables, *inputs, mode=mode.stream(GENERATOR))
    return squash(outputs, config.value_range), variables


def compared(config: Config, features: Variables, images: Images, outputs: tuple[Images, Images]) -> Metrics:
    """Equations 2 and 3 for the outputs y and z."""
    wanted = feature_maps(config, features, images)
    pairs = [pair for each in outputs for pair in zip(feature_maps(config, features, each), wanted, strict=True)]
    perceptual = jnp.stack([mean_absolute_error(*pair).mean() for pair in pairs]).sum()
    style = jnp.stack([style_error(*pair).mean() for pair in pairs]).sum()
    return {"perceptual": perceptual, "style": style}


def generator_loss(
    config: Config, variables: Variables, features: Variables, images: Images, mask: Mask, mode: Mode
) -> LossOutput:
    """Equation 5."""
    outputs, variables = generate(config, variables, images, mask, mode)
    filled = composite(images, outputs, mask)
    metrics = {
        "valid": mean_absolute_error(hide(outputs, mask, 0.0), hide(images, mask, 0.0)).mean(),
        "hole": mean_absolute_error(filled, images).mean(),
        **compared(config, features, images, (outputs, filled)),
        "total_variation": _mean_variation(filled),
    }
    weights = config.valid_weight, config.hole_weight, config.perceptual_weight, config.style_weight
    terms = zip((*weights, config.variation_weight), metrics.values(), strict=True)
    loss = jnp.stack([weight * value for weight, value in terms]).sum()
    return loss, (metrics | {"loss": loss}, variables)


def update(
    config: Config, state: State, batch: Inpainting, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step down equation 5, with a hole in each image.

    Args:
        config: settings.
        state: network, optimiser and frozen features.
        batch: whole images, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images = scale(batch.images, config.value_range)
    mode = training_mode(state.generator, key, len(images), axis_name)
    mask = draw_masks(config.masks, mode.stream(MASKS).example_keys("masks"), len(images), config.image_shape)
    inputs = state.features.variables, images, mask, mode
    generator, ema, metrics = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, state.features, ema), metrics


def holes(config: Config, key: Keys, images: Images) -> Mask:
    """The masks that `sample` with this key draws for images without holes of their own."""
    return draw_masks(config.masks, key, images.shape[0], config.image_shape)


def sample(config: Config, state: State, key: Keys, num: int, condition: Images | Masked | None = None) -> Images:
    """z of each of `num` images, `condition`: the hole is the condition's, or drawn from each image's key."""
    images, mask = masked(config.masks, key, num, config.image_shape, condition)
    return composite(images, generate(config, state.ema, images, mask)[0], mask)


def _mean_variation(images: Images) -> Scalar:
    """Equation 4, for each pixel and channel."""
    return total_variation(images).mean() / images[0].size
