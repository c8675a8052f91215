"""Latent encoder: the latents of images under a generator that was trained before, and is frozen.

- Antipov, Baccouche, Dugelay: Face Aging with Conditional Generative Adversarial Networks, 2017, arXiv 1702.01983,
  section 2.2 (Age-cGAN): of fakes, whose latents are known.
- Zhu, Krähenbühl, Shechtman, Efros: Generative Visual Manipulation on the Natural Image Manifold, 2016, arXiv
  1609.03552, section 3.2 (iGAN): of real images, which are to come out again.

With a generator G, images x of the data, their classes y if G is told them, and weights a and b, an encoder E
minimises

    L = a E ||z - E(G(z, y))||^2 + b E |x - G(E(x), y)|^2,   z ~ p(z),                                    (1)

a sum over latents, a mean over pixels. What E finds is where a search for better latents begins:
`jaxgen.latents.projection`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from jaxgen.batches import Labelled
from jaxgen.checks import NonNegativeFloat, NonNegativeInt, require
from jaxgen.conditions import classes_of
from jaxgen.gans.diagnostics import latent_error
from jaxgen.gans.networks import generate
from jaxgen.images import ValueRange, scale
from jaxgen.losses import mean_squared_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.conv import ConvCritic, ConvGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.sampling import sampler
from jaxgen.train_state import Frozen, LossOutput, TrainState, apply, blank, create, descend, freeze, training_mode
from jaxgen.typing import AxisName, Batch, Images, Key, Labels, Latents, Metrics, Shape, Variables

GENERATOR = "generator"
"""Name of the frozen generator."""

REAL = 5
"""Stream of the keys of a pass: of real images."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; prior, classes and generator are those of the run that is inverted. The weights are Age-cGAN's."""

    image_shape: Shape = (64, 64, 3)
    value_range: ValueRange = (-1.0, 1.0)
    num_classes: NonNegativeInt = 0  # that G is told; 0 for a generator without classes
    prior: Prior = Normal(100)  # of z
    generator: nn.Module = ConvGenerator()  # G, frozen: `--pretrained generator=RUN:ema`
    encoder: nn.Module = ConvCritic(64, norm="batch")  # E: image to z
    latent_weight: NonNegativeFloat = 1.0  # a
    image_weight: NonNegativeFloat = 0.0  # b
    optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))

    batch_type: ClassVar[Any] = property(lambda self: Labelled if self.num_classes else None)

    def __post_init__(self):
        super().__post_init__()
        weights = self.latent_weight, self.image_weight
        require(sum(weights) > 0, "latent_weight and image_weight", weights, "above 0, at least one of them")


class State(NamedTuple):
    """What the next update needs."""

    encoder: TrainState
    generator: Frozen


class Shown(NamedTuple):
    """What a loss is given of a batch."""

    images: Images  # x
    fakes: Images  # G(z, y)
    latents: Latents  # z
    classes: Float[Array, "batch classes"] | None  # y, one-hot


def init(config: Config, key: Key) -> State:
    """A fresh encoder, and random weights of the generator."""
    key_encoder, key_generator = jax.random.split(key)
    encoder = create(config.encoder, config.optimizer, key_encoder, blank(config.image_shape), config.prior.shape)
    told = () if (classes := classes_of(config, None, 1)) is None else (classes,)
    inputs = blank(config.prior.shape), *told, config.image_shape
    return State(encoder, freeze(config.generator, GENERATOR, key_generator, *inputs))


def encode(config: Config, variables: Variables, images: Images, mode: Mode = EVALUATION) -> tuple[Latents, Variables]:
    """E(x), and the variables after the pass."""
    return apply(config.encoder, variables, images, config.prior.shape, mode=mode)


def decode(
    config: Config, generator: Variables, latents: Latents, classes: Float[Array, "batch classes"] | None
) -> Images:
    """G(z, y), or G(z) without classes."""
    return generate(config, generator, latents, *(() if classes is None else (classes,)))[0]


def encoder_loss(config: Config, variables: Variables, generator: Variables, shown: Shown, mode: Mode) -> LossOutput:
    """Equation 1; a term without weight is not computed."""
    losses, metrics = [], {}
    if config.latent_weight:
        found, variables = encode(config, variables, shown.fakes, mode)
        loss, recovered = latent_error(found, shown.latents, mode.axis_name)
        losses.append(config.latent_weight * loss)
        metrics |= {"latent_error": loss, "recovered": recovered}
    if config.image_weight:
        found, variables = encode(config, variables, shown.images, mode.stream(REAL))
        loss = mean_squared_error(decode(config, generator, found, shown.classes), shown.images).mean()
        losses.append(config.image_weight * loss)
        metrics |= {"image_error": loss}
    return sum(losses[1:], losses[0]), (metrics, variables)


def update(
    config: Config, state: State, batch: Batch | Labelled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the encoder.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: images, uint8 or floats in range, with labels below `num_classes` if the generator is told classes. A
            fake of each one's class is drawn beside it.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Raises:
        ValueError: a batch without images.
    """
    images, labels = batch if isinstance(batch, Labelled) else (batch, None)
    require(len(images) > 0, "batch size", 0, "at least 1")
    key_latents, key_pass = jax.random.split(key)
    latents = config.prior.draw(key_latents, len(images), axis_name)
    classes = classes_of(config, labels, len(images))
    fakes = decode(config, state.generator.variables, latents, classes)
    shown = Shown(scale(images, config.value_range), fakes, latents, classes)
    mode = training_mode(state.encoder, key_pass, len(images), axis_name)
    inputs = state.generator.variables, shown, mode
    encoder, metrics = descend(state.encoder, partial(encoder_loss, config), inputs, axis_name, "encoder")
    return state._replace(encoder=encoder), metrics


def from_latents(config: Config, state: State, latents: Latents, condition: Labels | None = None) -> Images:
    """G(z, y); without labels y, image i is of class i mod `num_classes`."""
    return decode(config, state.generator.variables, latents, classes_of(config, condition, latents.shape[0]))


def to_latents(config: Config, state: State, images: Images, condition: Labels | None = None) -> Latents:
    """E(x) of images in the value range; the labels are not used."""
    return encode(config, state.encoder.variables, images)[0]


sample = sampler(from_latents)
