"""Progressive GAN (ProGAN): networks whose images grow while they learn.

Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and Variation, 2017, arXiv
1710.10196.

With x^ = u x + (1 - u) G(z), u uniform in [0, 1) for each example, the players minimise

    L_D = E[D(G(z))] - E[D(x)] + lambda / gamma^2 E[(||grad D(x^)||_2 - gamma)^2] + epsilon E[D(x)^2]      (1)
    L_G = -E[D(G(z))]                                                                                      (2)

A step of D, then one of G. The size of the images, and how far it has faded in, follow from the step: `growing`. As in
the authors' code the slope in (1) is that in images of full size, each pixel of the stage being a block of them: at k
halvings, 2^-k times that in images of the stage. A size that fades in then begins with the slope of the one before.

The generator's images have no bound in training; samples are clipped to the value range. D sees how much a minibatch
varies, so that its score of an image depends on the others.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax

from jaxgen.checks import NonNegativeFloat, PositiveFloat
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.discrimination import FAKE, GENERATOR, PENALTY, require_no_batch_statistics, score_both
from jaxgen.gans.growing import Growth, Resolution, descend, enlarge, fraction, require_growth, shape_of, shrink
from jaxgen.gans.networks import AdversarialState, create_players
from jaxgen.images import ValueRange, clip, scale
from jaxgen.losses.adversarial import wasserstein_critic, wasserstein_generator
from jaxgen.losses.penalties import gradient_penalty, interpolate
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.progan import ProGANDiscriminator, ProGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import draw, example_keys
from jaxgen.priors import Normal, Prior
from jaxgen.sampling import sampler
from jaxgen.stages import Stage
from jaxgen.train_state import LossOutput, apply
from jaxgen.typing import AxisName, Batch, Images, Key, Latents, Metrics, PerExample, Shape, Variables

ADAM = Optimizer(1e-3, Adam(b1=0.0, b2=0.99))


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's, for 1024x1024."""

    image_shape: Shape = (1024, 1024, 3)
    value_range: ValueRange = (-1.0, 1.0)
    prior: Prior = Normal(512)  # of z, of which the generator takes the direction alone
    generator: nn.Module = ProGANGenerator()  # z to image, of the size that it is asked for
    discriminator: nn.Module = ProGANDiscriminator()  # image of any of these sizes to score
    growth: Growth = Growth()  # of the images, within a run
    resolution: Resolution = Resolution()  # of a stage; what a run has here, growth decides
    penalty_weight: NonNegativeFloat = 10.0  # lambda
    slope: PositiveFloat = 1.0  # gamma, which costs nothing
    drift: NonNegativeFloat = 0.001  # epsilon, weight of the squared scores of real images
    generator_optimizer: Optimizer = ADAM
    discriminator_optimizer: Optimizer = ADAM
    average: MovingAverage = Constant(0.999)  # of G; samples are drawn from it

    def stage(self, step: int) -> Stage:
        """The size of the update after `step` others, its batch and whether it fades in."""
        return self.growth.stage(self, step)


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks, of all sizes, and optimisers. ValueError for sizes that do not grow to that of the images."""
    require_growth(config)
    player = config.discriminator, config.discriminator_optimizer
    generator, discriminator = create_players(config, player, key)
    require_no_batch_statistics(discriminator)
    return State(generator, discriminator, ema=generator.variables)


def generate(
    config: Config, variables: Variables, latents: Latents, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """G(z) at the stage's size, without bounds, and the generator's variables after the pass."""
    inputs = latents, shape_of(config), fraction(config, mode)
    return apply(config.generator, variables, *inputs, mode=mode.stream(GENERATOR))


def score(config: Config, variables: Variables, images: Images, mode: Mode) -> tuple[PerExample, Variables]:
    """D(x) for images of the stage's size, and the discriminator's variables after the pass."""
    return apply(config.discriminator, variables, images, (), fraction(config, mode), mode=mode)


def discriminator_loss(
    config: Config, variables: Variables, real: Images, fake: Images, mix: PerExample, mode: Mode
) -> LossOutput:
    """Equation 1, mean over the batch; `mix` is u."""
    pixels = 1 << config.resolution.halvings  # sides of a block

    def slope_of(points: Images) -> PerExample:
        return score(config, variables, points, mode.stream(PENALTY))[0] / pixels

    scores, after = score_both(partial(score, config), variables, real, fake, mode)
    penalty = gradient_penalty(slope_of, interpolate(real, fake, mix), config.slope).mean() / config.slope**2
    difference, drift = wasserstein_critic(*scores).mean(), (scores[0] ** 2).mean()
    loss = difference + config.penalty_weight * penalty + config.drift * drift
    metrics = {"discriminator_loss": loss, "wasserstein_estimate": -difference, "gradient_penalty": penalty}
    return loss, (metrics | {"drift": drift}, after)


def generator_loss(
    config: Config, variables: Variables, discriminator: Variables, latents: Latents, mode: Mode
) -> LossOutput:
    """Equation 2, mean over the batch."""
    fake, variables = generate(config, variables, latents, mode)
    scores, _ = score(config, discriminator, fake, mode.stream(FAKE))
    loss = wasserstein_generator(scores).mean()
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
    key_latents, key_mix, key_generator, key_pass, key_generator_pass = jax.random.split(key, 5)
    num, mode = len(batch), Mode(step=state.generator.step, train=True, axis_name=axis_name)
    real = shrink(config, scale(batch, config.value_range), fraction(config, mode))
    mix = draw(jax.random.uniform, key_mix, num, axis_name)

    mode = mode.with_keys(example_keys(key_pass, num, axis_name))
    latents = config.prior.draw(key_latents, num, axis_name)
    fake, _ = generate(config, state.generator.variables, latents, mode)
    inputs, loss = (real, fake, mix, mode), partial(discriminator_loss, config)
    discriminator, metrics = descend(config, state.discriminator, loss, inputs, axis_name, "discriminator")
    metrics |= diversity(real, fake, axis_name)

    mode = mode.with_keys(example_keys(key_generator_pass, num, axis_name))
    latents = config.prior.draw(key_generator, num, axis_name)
    inputs, loss = (discriminator.variables, latents, mode), partial(generator_loss, config)
    generator, metrics_g = descend(config, state.generator, loss, inputs, axis_name, "generator")
    ema = config.average.update(state.ema, generator.variables, generator.step)
    return State(generator, discriminator, ema), metrics | metrics_g


def discriminate(config: Config, state: State, points: Images, condition: None = None) -> PerExample:
    """D(x) at the state's stage for images of full size, each beside the others: a minibatch of fakes or real ones."""
    mode = Mode(step=state.discriminator.step)
    return score(config, state.discriminator.variables, shrink(config, points, fraction(config, mode)), mode)[0]


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Images:
    """G(z) of the moving average at the state's stage, enlarged to full size and clipped to the value range."""
    images, _ = generate(config, state.ema, latents, Mode(step=state.generator.step))
    images = enlarge(config, images)
    return clip(images, config.value_range)


sample = sampler(from_latents)
