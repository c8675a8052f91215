"""StyleGAN 2: modulated convolutions, and lazy penalties on the discriminator's slope and on path lengths.

Karras, Laittala, Hellsten, Lehtinen, Aila: Analyzing and Improving the Image Quality of StyleGAN, 2019, arXiv
1912.04958; with classes and an augmentation of the discriminator's images: Karras et al.: Training Generative
Adversarial Networks with Limited Data, 2020, arXiv 2006.06676.

With sp(t) = log(1 + e^t), T the augmentation, ws the styles of the layers and G(ws) their image, the players minimise

    L_D = E sp(-D(T(x))) + E sp(D(T(G(ws))))                                        (1)
    L_G = E sp(-D(T(G(ws))))                                                        (2)
    R_1 = gamma / 2 E |grad_x D(T(x))|^2                                            (3)
    R_P = lambda E (|J^T y| - a)^2,    y ~ N(0, I) / sqrt(height width)             (4)
    a <- a + decay (E |J^T y| - a)                                                  (5)

J the Jacobian of G in ws, |J^T y| the root of the mean square over the layers. An update is a step of D down equation
1, then one of G down equation 2. The penalties are lazy: one more step of D down 16 R_1 at each 16th update, one of G
down 4 R_P at each fourth, on half of a batch. Nothing grows.

The generator's images have no bound in training; samples are clipped to the value range.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Labelled
from jaxgen.checks import NonNegativeFloat, NonNegativeInt, PositiveInt, require, require_bounds
from jaxgen.conditions import one_hot
from jaxgen.gans import augmented_game as game
from jaxgen.gans import styles
from jaxgen.gans.ada import Augmentation, NoAugmentation
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.fading_blur import FadingBlur
from jaxgen.gans.lazy_regularization import lazy, regularize_now_and_then
from jaxgen.gans.networks import AdversarialState
from jaxgen.gans.regularization import Slope
from jaxgen.gans.styles import AVERAGES, Drawing, Given, Pairs
from jaxgen.images import ValueRange, scale
from jaxgen.losses.path_length import path_length_penalty, path_lengths
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import HalfLife, MovingAverage
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator, StyleGAN2Synthesis
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import pmean, split
from jaxgen.priors import Normal, Prior
from jaxgen.train_state import LossOutput, TrainState, descend, training_mode
from jaxgen.typing import AxisName, Key, Metrics, Points, Shape, Variables

PATH, DIRECTIONS = 11, 12
"""Of the keys of a pass: streams besides those of `styles`."""

ADAM = Optimizer(0.002, Adam(b1=0.0, b2=0.99))
"""Before the corrections of lazy regularisation."""


@dataclass(frozen=True)
class PathLength:
    """Equations 4 and 5."""

    weight: NonNegativeFloat = 2.0  # lambda
    every: PositiveInt = 4  # updates from one with the penalty, then multiplied by this number, to the next
    decay: float = 0.01  # share of the newest lengths in a
    shrink: PositiveInt = 2  # the lengths are those of one example in so many

    def __post_init__(self):
        require_bounds(self)
        require(0 < self.decay <= 1, "decay", self.decay, "in (0, 1]")


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's configuration F for FFHQ, 32 examples in a minibatch."""

    image_shape: Shape = (1024, 1024, 3)
    value_range: ValueRange = (-1.0, 1.0)
    num_classes: NonNegativeInt = 0  # of the labels; 0 for a model without, else both networks take them one-hot
    prior: Prior = Normal(512)  # of z
    mapping: nn.Module = Mapping(scaled_activation=True)  # z to w
    synthesis: nn.Module = StyleGAN2Synthesis()  # styles to image
    discriminator: nn.Module = StyleGAN2Discriminator()  # image to score
    style_decay: float = 0.995  # of the average of w
    mixing: NonNegativeFloat = 0.9  # probability that an image's styles are of two latents
    r1: Slope = Slope(10.0, every=16)  # gamma; 100 for configuration E
    path_length: PathLength = PathLength()
    blur: FadingBlur = FadingBlur()  # of all images that D meets, in the first updates; off
    augmentation: Augmentation = NoAugmentation()  # T, behind the blur
    generator_optimizer: Optimizer = lazy(ADAM, 4)
    discriminator_optimizer: Optimizer = lazy(ADAM, 16)
    average: MovingAverage = HalfLife(312.5, ramp_up=None)  # of G's params; 10,000 images
    drawing: Drawing = Drawing()  # of samples: truncation and noise

    batch_type: ClassVar[Any] = property(lambda self: Labelled if self.num_classes else None)

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.style_decay < 1, "style_decay", self.style_decay, "in [0, 1)")
        require(self.mixing <= 1, "mixing", self.mixing, "in [0, 1]")


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a discriminator with batch statistics."""
    key_generator, key_discriminator = jax.random.split(key)
    conditions = [(config.num_classes,)] if config.num_classes else []
    generator = styles.create_generator(config, key_generator, *conditions)
    averages = {**generator.collections[AVERAGES], "path_length": jnp.zeros(())}
    generator = generator.replace(collections={**generator.collections, AVERAGES: averages})
    discriminator = game.create_discriminator(config, key_discriminator, *conditions)
    return State(generator, discriminator, ema=generator.variables)


def generate(
    config: Config, variables: Variables, latents: Pairs, given: Given, mode: Mode
) -> tuple[Points, Variables]:
    """G(ws) of a pass in training, without bounds, and the generator's variables after it."""
    num = config.synthesis.num_styles(config.image_shape)
    ws, variables = styles.mixed_styles(config, variables, latents, num, given, mode=mode)
    return styles.synthesize(config, variables, ws, mode)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, latents: Pairs, given: Given, mode: Mode
) -> LossOutput:
    """Equation 2, mean over the batch; D is constant."""
    fake, variables = generate(config, variables, latents, given, mode)
    loss = game.generator_value(config, opponent, fake, given, mode)
    return loss, ({"generator_loss": loss}, variables)


def path_loss(config: Config, variables: Variables, latents: Pairs, given: Given, mode: Mode) -> LossOutput:
    """`path_length.every` times equation 4, mean over the examples at hand, after equation 5."""
    settings, mode = config.path_length, mode.stream(PATH)
    num = config.synthesis.num_styles(config.image_shape)
    ws, variables = styles.mixed_styles(config, variables, latents, num, given, mode=mode)
    keys = mode.stream(DIRECTIONS).example_keys("the noise of path lengths")
    noise = jax.vmap(lambda key: jax.random.normal(key, config.image_shape))(keys)
    lengths = path_lengths(lambda ws: styles.synthesize(config, variables, ws, mode)[0], ws, noise)
    average = variables[AVERAGES]["path_length"]
    average = average + settings.decay * (pmean(jax.lax.stop_gradient(lengths.mean()), mode.axis_name) - average)
    penalty = settings.every * path_length_penalty(lengths, average).mean()
    variables = {**variables, AVERAGES: {**variables[AVERAGES], "path_length": average}}
    return settings.weight * penalty, ({"path_length_penalty": penalty}, variables)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, each followed by one of its penalty now and then.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range, and labels where there are classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    of_latents, of_others, of_fakes, of_mixed, *of_passes = jax.random.split(key, 6)
    images = scale(batch.images if config.num_classes else batch, config.value_range)
    given = (one_hot(batch.labels, config.num_classes),) if config.num_classes else ()
    num = images.shape[0]

    of_d = training_mode(state.discriminator, of_passes[0], num, axis_name)
    latents = config.prior.draw(of_latents, num, axis_name), config.prior.draw(of_others, num, axis_name)
    fake, _ = generate(config, state.generator.variables, latents, given, of_d)
    discriminator, metrics = game.discriminator_steps(config, state.discriminator, (images, fake, given), of_d)

    mode = training_mode(state.generator, of_passes[1], num, axis_name)
    latents = config.prior.draw(of_fakes, num, axis_name), config.prior.draw(of_mixed, num, axis_name)
    generator, found = generator_steps(config, state, discriminator.variables, (latents, given), mode)
    metrics |= found | diversity(images, fake, axis_name)
    discriminator = game.follow_scores(config, discriminator, metrics["real_sign"], num, of_d)
    return State(generator, discriminator, styles.averaged(config, state.ema, generator)), metrics


def generator_steps(
    config: Config, state: State, opponent: Variables, inputs: tuple[Pairs, Given], mode: Mode
) -> tuple[TrainState, Metrics]:
    """One step down equation 2, at some updates one down equation 4 on a part of the batch."""
    loss, settings = partial(generator_loss, config), config.path_length
    player, metrics = descend(state.generator, loss, (opponent, *inputs, mode), mode.axis_name, "generator")
    if settings.weight == 0:
        return player, metrics
    (latents, given, keys) = jax.tree.map(lambda leaf: leaf[0], split((*inputs, mode.keys), settings.shrink))
    part, loss = (latents, given, mode.with_keys(keys)), partial(path_loss, config)
    player, found = regularize_now_and_then(settings.every, player, loss, part, mode.axis_name)
    return player, metrics | found | {"path_length": player.collections[AVERAGES]["path_length"]}


discriminator_loss, slope_loss, discriminate = game.discriminator_loss, game.slope_loss, game.discriminate
from_latents, sample = styles.from_latents, styles.sample
to_w, to_w_plus, from_w_plus = styles.to_w, styles.to_w_plus, styles.from_w_plus
