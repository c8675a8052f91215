"""StyleGAN: a mapping of latents to styles, which scale and shift the maps of every layer of a growing generator.

Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks, 2018, arXiv 1812.04948.

With sp(t) = log(1 + e^t), w = f(z) the styles, ws those of each layer and G(ws) their image, the players minimise

    L_D = E sp(D(G(ws))) + E sp(-D(x)) + gamma / 2 E |grad_x D(x)|^2      (1)
    L_G = E sp(-D(G(ws)))                                                 (2)

A step of D, then one of G. In nine images of ten the styles from a random layer on are those of a second latent. The
size of the images, and how far it has faded in, follow from the step: `growing`. As in the authors' code the slope in
(1) is that in images of full size: at k halvings, 2^-k times that in images of the stage.

The generator's images have no bound in training; samples are clipped to the value range. Samples of the paper's figures
are truncated in the first 8 layers, `Drawing(psi=0.7, cutoff=8)`; its distances are of samples that are not.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax

from jaxgen.checks import NonNegativeFloat, require
from jaxgen.gans import styles
from jaxgen.gans.diagnostics import certainty, diversity
from jaxgen.gans.discrimination import FAKE, GENERATOR, PENALTY, require_no_batch_statistics, score_both
from jaxgen.gans.growing import Growth, Resolution, descend, enlarge, fraction, require_growth, shape_of, shrink
from jaxgen.gans.networks import AdversarialState
from jaxgen.gans.objectives import NonSaturating
from jaxgen.gans.styles import Drawing, Pairs, Styles
from jaxgen.images import ValueRange, clip, scale
from jaxgen.losses.penalties import r1_penalty
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import HalfLife, MovingAverage
from jaxgen.nets.mapping import Mapping
from jaxgen.nets.noise_maps import scaled_strengths
from jaxgen.nets.progan import ProGANDiscriminator
from jaxgen.nets.stylegan import StyleGANSynthesis
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys, pass_key
from jaxgen.priors import Normal, Prior
from jaxgen.stages import Stage
from jaxgen.train_state import LossOutput, apply, blank, create
from jaxgen.typing import AxisName, Batch, Images, Key, Keys, Latents, Metrics, PerExample, Shape, Variables

OBJECTIVE = NonSaturating()

ADAM = Optimizer(1e-3, Adam(b1=0.0, b2=0.99))
GROWTH = Growth(
    first=8,
    stabilise=600_000,
    fade=600_000,
    batch_sizes=(256, 128, 64, 32),
    rates=(1.0, 1.0, 1.0, 1.0, 1.5, 2.0, 3.0),
)
"""The authors', for eight GPUs."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for FFHQ, configuration F."""

    image_shape: Shape = (1024, 1024, 3)
    value_range: ValueRange = (-1.0, 1.0)
    prior: Prior = Normal(512)  # of z
    mapping: nn.Module = Mapping()  # f, z to w
    synthesis: nn.Module = StyleGANSynthesis()  # styles to image, of the size that it is asked for
    discriminator: nn.Module = ProGANDiscriminator(blurred=True)  # image of any of these sizes to score
    growth: Growth = GROWTH  # of the images, within a run
    resolution: Resolution = Resolution()  # of a stage; what a run has here, growth decides
    gamma: NonNegativeFloat = 10.0  # weight of the penalty at real images
    mixing: NonNegativeFloat = 0.9  # probability that an image's styles are of two latents
    style_decay: float = 0.995  # of the average of w
    generator_optimizer: Optimizer = ADAM
    discriminator_optimizer: Optimizer = ADAM
    average: MovingAverage = HalfLife(312.5, ramp_up=None)  # of G's params; 10,000 images in updates of 32
    drawing: Drawing = Drawing()  # of samples: truncation and noise

    num_classes: ClassVar[int] = 0

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.style_decay < 1, "style_decay", self.style_decay, "in [0, 1)")
        require(self.mixing <= 1, "mixing", self.mixing, "in [0, 1]")

    def stage(self, step: int) -> Stage:
        """The size of the update after `step` others, its batch and whether it fades in."""
        return self.growth.stage(self, step)


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks, of all sizes, and optimisers. ValueError for sizes that do not grow to that of the images."""
    require_growth(config)
    key_generator, key_discriminator = jax.random.split(key)
    generator = styles.create_generator(config, key_generator)
    inputs = blank(config.image_shape), ()
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, *inputs)
    require_no_batch_statistics(discriminator)
    return State(generator, discriminator, ema=generator.variables)


def synthesize(config: Config, variables: Variables, ws: Styles, mode: Mode = EVALUATION) -> tuple[Images, Variables]:
    """G(ws) at the stage's size, without bounds, and the generator's variables after the pass."""
    inputs = variables, ws, shape_of(config), fraction(config, mode)
    return apply(config.synthesis, *inputs, mode=mode.stream(GENERATOR), part="synthesis")


def generate(config: Config, variables: Variables, latents: Pairs, mode: Mode) -> tuple[Images, Variables]:
    """G(ws) of a pass in training, and the generator's variables after it."""
    num = config.synthesis.num_styles(shape_of(config))
    ws, variables = styles.mixed_styles(config, variables, latents, num, mode=mode)
    return synthesize(config, variables, ws, mode)


def score(config: Config, variables: Variables, images: Images, mode: Mode) -> tuple[PerExample, Variables]:
    """D(x) for images of the stage's size, and the discriminator's variables after the pass."""
    return apply(config.discriminator, variables, images, (), fraction(config, mode), mode=mode)


def discriminator_loss(config: Config, variables: Variables, real: Images, fake: Images, mode: Mode) -> LossOutput:
    """Equation 1, mean over the batch; `r1` is E |grad_x D(x)|^2."""
    pixels = 1 << config.resolution.halvings  # sides of the block that a pixel of the stage is at full size

    def slope_of(points: Images) -> PerExample:
        return score(config, variables, points, mode.stream(PENALTY))[0] / pixels

    scores, after = score_both(partial(score, config), variables, real, fake, mode)
    penalty = r1_penalty(slope_of, real).mean()
    loss = OBJECTIVE.discriminator(*scores).mean() + config.gamma * penalty
    metrics = {"discriminator_loss": loss, "r1": 2 * penalty}
    return loss, (metrics | certainty(OBJECTIVE, *scores, mode.axis_name), after)


def generator_loss(
    config: Config, variables: Variables, discriminator: Variables, latents: Pairs, mode: Mode
) -> LossOutput:
    """Equation 2, mean over the batch."""
    fake, variables = generate(config, variables, latents, mode)
    scores, _ = score(config, discriminator, fake, mode.stream(FAKE))
    loss = OBJECTIVE.generator(None, scores).mean()
    return loss, ({"generator_loss": loss}, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, at the size of the config's stage.

    Args:
        config: settings of the stage.
        state: networks and optimisers.
        batch: images of full size, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    *of_latents, of_pass, of_generator_pass = jax.random.split(key, 6)
    num, mode = len(batch), Mode(step=state.generator.step, train=True, axis_name=axis_name)
    real = shrink(config, scale(batch, config.value_range), fraction(config, mode))
    latents = [config.prior.draw(each, num, axis_name) for each in of_latents]

    mode = mode.with_keys(example_keys(of_pass, num, axis_name))
    fake, _ = generate(config, state.generator.variables, (latents[0], latents[1]), mode)
    inputs, loss = (real, fake, mode), partial(discriminator_loss, config)
    discriminator, metrics = descend(config, state.discriminator, loss, inputs, axis_name, "discriminator")
    metrics |= diversity(real, fake, axis_name)

    mode = mode.with_keys(example_keys(of_generator_pass, num, axis_name))
    inputs = discriminator.variables, (latents[2], latents[3]), mode
    loss = partial(generator_loss, config)
    generator, metrics_g = descend(config, state.generator, loss, inputs, axis_name, "generator")
    return State(generator, discriminator, styles.averaged(config, state.ema, generator)), metrics | metrics_g


def discriminate(config: Config, state: State, points: Images, condition: None = None) -> PerExample:
    """D(x) at the state's stage for images of full size, each beside the others: a minibatch of fakes or real ones."""
    mode = Mode(step=state.discriminator.step)
    return score(config, state.discriminator.variables, shrink(config, points, fraction(config, mode)), mode)[0]


def from_w_plus(config: Config, state: State, ws: Styles, mode: Mode = EVALUATION) -> Images:
    """The image of each layer's styles at the state's stage, of the moving average, at full size and clipped.

    Its noise is fixed, or drawn for each image in a mode with keys.
    """
    strengths = scaled_strengths(state.ema["params"], config.drawing.noise)
    mode = mode.replace(step=state.generator.step)
    images = enlarge(config, synthesize(config, {**state.ema, "params": strengths}, ws, mode)[0])
    return clip(images, config.value_range)


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Images:
    """The image of each latent with fixed noise, as `config.drawing` says."""
    return from_w_plus(config, state, to_w_plus(config, state, latents))


def sample(config: Config, state: State, key: Keys, num: int, condition: None = None) -> Images:
    """`num` images of the moving average, as `config.drawing` says."""
    mode = Mode(example_keys(pass_key(key), num)) if config.drawing.random_noise else EVALUATION
    return from_w_plus(config, state, to_w_plus(config, state, config.prior.draw(key, num)), mode)


to_w, to_w_plus = styles.to_w, styles.to_w_plus
