"""StyleGAN 3: an alias-free generator, whose images move with the coordinates that they are made of.

Karras, Aittala, Laine, Harkonen, Hellsten, Lehtinen, Aila: Alias-Free Generative Adversarial Networks, 2021, arXiv
2106.12423.

The game is StyleGAN 2's without noise, style mixing and path lengths. With sp(t) = log(1 + e^t), T a blur that fades
and an augmentation, w the styles and G(w) their image, the players minimise

    L_D = E sp(-D(T(x))) + E sp(D(T(G(w))))                  (1)
    L_G = E sp(-D(T(G(w))))                                  (2)
    R_1 = gamma / 2 E |grad_x D(T(x))|^2                     (3)

An update is a step of D down equation 1, one more down 16 R_1 at each 16th update, then one of G down equation 2. The
blur is for rotation-equivariant generators.

The synthesis network keeps the mean square of each layer's inputs, and the shelf that of w: training moves both, in
G's own step. The generator's images have no bound in training; samples are clipped to the value range.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeAlias

import flax.linen as nn
import jax

from jaxgen.batches import Labelled
from jaxgen.checks import NonNegativeInt, require
from jaxgen.conditions import one_hot
from jaxgen.gans import augmented_game as game
from jaxgen.gans import styles
from jaxgen.gans.ada import Augmentation, NoAugmentation
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.fading_blur import FadingBlur
from jaxgen.gans.lazy_regularization import lazy
from jaxgen.gans.networks import AdversarialState
from jaxgen.gans.regularization import Slope
from jaxgen.gans.styles import Drawing, Given
from jaxgen.images import ValueRange, clip, scale
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import HalfLife, MovingAverage
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.stylegan2 import StyleGAN2Discriminator
from jaxgen.nets.stylegan3 import StyleGAN3Synthesis, Transforms
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.train_state import LossOutput, descend, training_mode
from jaxgen.typing import AxisName, Key, Labels, Latents, Metrics, Points, Shape, Variables

ADAM = Adam(b1=0.0, b2=0.99)


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's configuration T for FFHQ, 32 examples in a minibatch."""

    image_shape: Shape = (1024, 1024, 3)
    value_range: ValueRange = (-1.0, 1.0)
    num_classes: NonNegativeInt = 0  # of the labels; 0 for a model without, else both networks take them one-hot
    prior: Prior = Normal(512)  # of z
    mapping: nn.Module = Mapping(2, scaled_activation=True)  # z to w
    synthesis: nn.Module = StyleGAN3Synthesis()  # styles to image
    discriminator: nn.Module = StyleGAN2Discriminator()  # image to score
    style_decay: float = 0.998  # of the average of w
    r1: Slope = Slope(32.0, every=16)  # gamma; a quarter of it for each halving of the side
    blur: FadingBlur = FadingBlur()  # for configuration R: FadingBlur(10.0)
    augmentation: Augmentation = NoAugmentation()  # T, behind the blur
    generator_optimizer: Optimizer = Optimizer(0.0025, ADAM)
    discriminator_optimizer: Optimizer = lazy(Optimizer(0.002, ADAM), 16)
    average: MovingAverage = HalfLife(312.5, ramp_up=None)  # of G's params; 10,000 images
    drawing: Drawing = Drawing()  # of samples: truncation; there is no noise

    batch_type: ClassVar[Any] = property(lambda self: Labelled if self.num_classes else None)

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.style_decay < 1, "style_decay", self.style_decay, "in [0, 1)")


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a discriminator with batch statistics."""
    key_generator, key_discriminator = jax.random.split(key)
    conditions = [(config.num_classes,)] if config.num_classes else []
    generator = styles.create_generator(config, key_generator, *conditions)
    discriminator = game.create_discriminator(config, key_discriminator, *conditions)
    return State(generator, discriminator, ema=generator.variables)


def generate(
    config: Config, variables: Variables, latents: Latents, given: Given, mode: Mode
) -> tuple[Points, Variables]:
    """G(w) without bounds, all layers of one w, and the generator's variables after the pass."""
    w, variables = styles.to_styles(config, variables, latents, given, mode)
    ws = styles.broadcast(w, config.synthesis.num_styles(config.image_shape))
    return styles.synthesize(config, variables, ws, mode)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, latents: Latents, given: Given, mode: Mode
) -> LossOutput:
    """Equation 2, mean over the batch; D is constant."""
    fake, variables = generate(config, variables, latents, given, mode)
    loss = game.generator_value(config, opponent, fake, given, mode)
    return loss, ({"generator_loss": loss}, variables)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step of the discriminator, now and then one of its penalty, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range, and labels where there are classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    of_latents, of_fakes, *of_passes = jax.random.split(key, 4)
    images = scale(batch.images if config.num_classes else batch, config.value_range)
    given = (one_hot(batch.labels, config.num_classes),) if config.num_classes else ()
    num = images.shape[0]

    of_d = training_mode(state.discriminator, of_passes[0], num, axis_name)
    latents = config.prior.draw(of_latents, num, axis_name)
    fake, _ = generate(config, state.generator.variables, latents, given, of_d)
    discriminator, metrics = game.discriminator_steps(config, state.discriminator, (images, fake, given), of_d)

    mode = training_mode(state.generator, of_passes[1], num, axis_name)
    inputs = discriminator.variables, config.prior.draw(of_fakes, num, axis_name), given, mode
    generator, found = descend(state.generator, partial(generator_loss, config), inputs, axis_name, "generator")
    metrics |= found | diversity(images, fake, axis_name)
    discriminator = game.follow_scores(config, discriminator, metrics["real_sign"], num, of_d)
    return State(generator, discriminator, styles.averaged(config, state.ema, generator)), metrics


def transformed(
    config: Config, state: State, latents: Latents, transforms: Transforms, condition: Labels | None = None
) -> Points:
    """`from_latents` with the coordinates x of each image replaced by M x: the image moves by the inverse of M.

    An offset of -t in M moves the image by t, in widths.
    """
    ws = styles.to_w_plus(config, state, latents, condition)
    variables = {name: tree["synthesis"] for name, tree in state.ema.items() if "synthesis" in tree}
    images: Any = config.synthesis.apply(variables, ws, config.image_shape, transforms, method="render")
    return clip(images, config.value_range)


discriminator_loss, slope_loss, discriminate = game.discriminator_loss, game.slope_loss, game.discriminate
from_latents, sample = styles.from_latents, styles.sample
to_w, to_w_plus, from_w_plus = styles.to_w, styles.to_w_plus, styles.from_w_plus
