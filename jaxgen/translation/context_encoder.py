"""Context encoder: the middle of an image, made from what lies around it.

Pathak, Krahenbuhl, Donahue, Darrell, Efros: Context Encoders: Feature Learning by Inpainting, 2016, arXiv 1604.07379.

A square y in the middle of an image x is replaced by one colour. G predicts it from what is left, x'; D scores squares
alone, real and predicted, and never sees what lies around them:

    L_rec = mean of W (y - G(x'))^2                                                     (1)
    L_adv = -log D(G(x')),    L_D = -log D(y) - log(1 - D(G(x')))                       (2)
    L_G = lambda_rec L_rec + lambda_adv L_adv                                           (3)

The hole is a little smaller than the square: in the band that G both sees and predicts W = 10, in the hole W = 1. The
weights and rates are those of the authors' code, whose generator learns ten times as fast as its discriminator.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.batches import Inpainting
from jaxgen.checks import NonNegativeFloat, NonNegativeInt, PositiveInt, require
from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import AdversarialState, generator_step, scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange, scale, squash
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.context_encoder import ContextDiscriminator, ContextEncoder
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput, apply, blank, create, descend, training_mode
from jaxgen.translation.masks import Mask, center_square, composite, hide, require_images
from jaxgen.translation.patches import discriminator_value, generator_value
from jaxgen.typing import AxisName, Images, Key, Keys, Metrics, Scalar, Shape, Variables

Squares: TypeAlias = Float[Array, "batch side side channels"]
"""The middles of images, or what is predicted for them."""

GENERATOR = 5
"""Stream of the keys of a pass: others are those of `jaxgen.gans.discrimination`."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code."""

    image_shape: Shape = (128, 128, 3)
    value_range: ValueRange = (-1.0, 1.0)
    side: PositiveInt = 64  # of the square, pixels
    overlap: NonNegativeInt = 4  # width of the band inside the square that G sees, pixels
    band_weight: NonNegativeFloat = 10.0  # W in the band
    fill: tuple[float, ...] = (117.0, 104.0, 123.0)  # in the hole: a pixel value of each channel, here ImageNet's mean
    generator: nn.Module = ContextEncoder()  # x' to the square
    discriminator: nn.Module = ContextDiscriminator()  # square to score
    objective: Objective = NonSaturating()
    reconstruction_weight: NonNegativeFloat = 0.999  # lambda_rec
    adversarial_weight: NonNegativeFloat = 0.001  # lambda_adv
    generator_optimizer: Optimizer = Optimizer(2e-3, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, by which holes are filled

    batch_type: ClassVar = Inpainting

    def __post_init__(self):
        super().__post_init__()
        require(2 * self.overlap < self.side, "overlap", self.overlap, f"below half of the side, {self.side}")

    @property
    def square_shape(self) -> Shape:
        """Of what G predicts."""
        return (self.side, self.side, self.image_shape[2])


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    inputs, square = blank(config.image_shape), config.square_shape
    generator = create(config.generator, config.generator_optimizer, key_generator, inputs, square)
    given = config.discriminator, config.discriminator_optimizer, key_discriminator
    return State(generator, create(*given, blank(square), ()), ema=generator.variables)


def predict(config: Config, variables: Variables, images: Images, mode: Mode = EVALUATION) -> tuple[Squares, Variables]:
    """G(x'), the square in the value range, and the generator's variables after the pass; x' is made here."""
    inputs = conceal(config, images), config.square_shape
    outputs, variables = apply(config.generator, variables, *inputs, mode=mode.stream(GENERATOR))
    return squash(outputs, config.value_range), variables


def conceal(config: Config, images: Images) -> Images:
    """x': the images with one colour in the hole. ValueError for a colour of other channels."""
    channels = config.image_shape[2]
    require(len(config.fill) == channels, "fill", config.fill, f"a pixel value of each of {channels} channels")
    low, high = config.value_range or (0.0, 255.0)
    color = low + (high - low) / 255.0 * jnp.array(config.fill, jnp.float32)
    return hide(images, _mask(config, images.shape[0]), color[None, None, None])


def crop(config: Config, images: Images) -> Squares:
    """y, the square in the middle."""
    top, left = ((size - config.side) // 2 for size in config.image_shape[:2])
    return images[:, top : top + config.side, left : left + config.side]


def reconstruction(config: Config, targets: Squares, predictions: Squares) -> Scalar:
    """L_rec, equation 1."""
    weights = jnp.sqrt(
        hide(jnp.full_like(targets, config.band_weight), crop(config, _mask(config, targets.shape[0])), 1.0)
    )
    return mean_squared_error(weights * predictions, weights * targets).mean()


def discriminator_loss(
    config: Config, variables: Variables, targets: Squares, predictions: Squares, mode: Mode
) -> LossOutput:
    """L_D of equation 2."""
    scores, variables = score_both(scorer(config.discriminator), variables, targets, predictions, mode)
    loss, metrics = discriminator_value(config.objective, *scores, mode)
    return loss, (metrics | {"discriminator_loss": loss}, variables)


def generator_loss(config: Config, variables: Variables, opponent: Variables, images: Images, mode: Mode) -> LossOutput:
    """Equation 3."""
    predictions, variables = predict(config, variables, images, mode)
    targets = crop(config, images)
    real = targets if config.objective.needs_real else None
    scores, _ = score_both(scorer(config.discriminator), opponent, real, predictions, mode)
    adversarial = generator_value(config.objective, *scores, mode)
    error = reconstruction(config, targets, predictions)
    metrics = {"generator_loss": adversarial, "reconstruction": error}
    return config.reconstruction_weight * error + config.adversarial_weight * adversarial, (metrics, variables)


def update(
    config: Config, state: State, batch: Inpainting, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, both with the same G(x') of the generator before it.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: whole images, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images = scale(batch.images, config.value_range)
    mode = training_mode(state.generator, key, len(images), axis_name)
    predictions, _ = predict(config, state.generator.variables, images, mode)
    inputs, loss = (crop(config, images), predictions, mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")
    inputs = discriminator.variables, images, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), metrics_d | metrics_g


def holes(config: Config, key: Keys, images: Images) -> Mask:
    """The mask of each image, the same whatever the key: 0 in the hole, which lies inside the square."""
    return _mask(config, images.shape[0])


def sample(config: Config, state: State, key: Keys, num: int, condition: Images | None = None) -> Images:
    """Each of `num` images, `condition`, with its hole filled, in the value range; the key plays no part."""
    images = require_images(condition)
    squares, _ = predict(config, state.ema, images)
    margins = [(size - config.side) // 2 for size in config.image_shape[:2]]
    rest = [size - config.side - margin for size, margin in zip(config.image_shape[:2], margins, strict=True)]
    padded = jnp.pad(squares, ((0, 0), *zip(margins, rest, strict=True), (0, 0)))
    return composite(images, padded, _mask(config, images.shape[0]))


def _mask(config: Config, num: int) -> Mask:
    """Of the hole, which lies inside the square, for each image."""
    mask = center_square(config.side - 2 * config.overlap, config.image_shape)
    return jnp.broadcast_to(mask[None], (num, *mask.shape))
