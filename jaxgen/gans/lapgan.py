"""LAPGAN: a GAN for the coarsest image of a Laplacian pyramid, and a conditional one for what each finer level adds.

Denton, Chintala, Szlam, Fergus: Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks, 2015,
arXiv 1506.05751.

With down and up halving and doubling the sides, the pyramid of an image I_0 is

    I_(k+1) = down(I_k),    l_k = up(I_(k+1)),    h_k = I_k - l_k,    h_K = I_K,           (1)

and I_k = l_k + h_k whatever down and up are: nothing is lost. Images are drawn from the coarsest level on,

    I_K = G_K(z_K),    I_k = up(I_(k+1)) + G_k(z_k, up(I_(k+1))),                          (2)

z_k a plane of noise beside the low-pass image. Each level learns apart from the others, of low-pass images of real
ones: D_k tells l_k + h_k from l_k + G_k(z_k, l_k). In one update every level makes a step of D, then one of G. Filters
are those of `jaxgen.metrics.pyramid`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import PositiveInt, require
from jaxgen.gans.diagnostics import certainty, diversity
from jaxgen.gans.discrimination import GENERATOR, score_both
from jaxgen.gans.networks import AdversarialState, generator_step, scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange, clip, scale, squash
from jaxgen.metrics.pyramid import enlarge, laplacian_pyramid
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.lapgan import BandDiscriminator, BandGenerator, DropoutMLP
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.parallel import draw, example_keys, split_key
from jaxgen.priors import Prior, Uniform
from jaxgen.train_state import LossOutput, apply, blank, create, descend, training_mode
from jaxgen.typing import AxisName, Batch, Images, Key, Keys, Metrics, PerExample, Points, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are in the manner of the paper's for CIFAR-10, with levels of 8x8, 16x16 and 32x32."""

    image_shape: Shape = (32, 32, 3)
    value_range: ValueRange = (-1.0, 1.0)
    levels: PositiveInt = 3  # K + 1, images of the pyramid
    prior: Prior = Uniform(100)  # of z_K
    generator: nn.Module = MLP((1200, 1200))  # G_K: z_K to the coarsest image
    discriminator: nn.Module = DropoutMLP()  # D_K
    band_generator: nn.Module = BandGenerator()  # G_k: low-pass image and plane of noise to h_k
    band_discriminator: nn.Module = BandDiscriminator()  # D_k
    objective: Objective = NonSaturating()  # what the players of each level minimise
    generator_optimizer: Optimizer = Optimizer(0.02, SGD(momentum=0.5))  # of the generator of each level
    discriminator_optimizer: Optimizer = Optimizer(0.02, SGD(momentum=0.5))  # of the discriminator of each level
    average: MovingAverage = NoAverage()  # of the generators, from which samples are drawn


class State(NamedTuple):
    """What the next update needs."""

    levels: tuple[AdversarialState, ...]  # the coarsest first


class Given(NamedTuple):
    """What the generator of a level is given."""

    noise: Points  # z_k: latents of the coarsest level, or planes
    low: Points | None  # l_k; None for the coarsest level


def shape_at(config: Config, level: int) -> Shape:
    """Of the image of a level, 0 being the coarsest.

    >>> [shape_at(Config(), level) for level in range(3)]
    [(8, 8, 3), (16, 16, 3), (32, 32, 3)]
    """
    height, width, channels = config.image_shape
    factor = 2 ** (config.levels - 1 - level)
    return height // factor, width // factor, channels


def networks_at(config: Config, level: int) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of a level."""
    if level == 0:
        return config.generator, config.discriminator
    return config.band_generator, config.band_discriminator


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers of all levels. ValueError for images that do not halve so often."""
    factor = 2 ** (config.levels - 1)
    fits = len(config.image_shape) == 3 and all(
        side % factor == 0 and side >= 2 * factor for side in config.image_shape[:2]
    )
    wanted = f"height, width and channels, of sides that are multiples of {factor} from {2 * factor} on"
    require(fits, f"image_shape of {config.levels} levels", config.image_shape, wanted)
    return State(tuple(_fresh(config, level, jax.random.fold_in(key, level)) for level in range(config.levels)))


def _fresh(config: Config, level: int, key: Key) -> AdversarialState:
    key_generator, key_discriminator = jax.random.split(key)
    shape, (generator, discriminator) = shape_at(config, level), networks_at(config, level)
    given = config.prior.shape if level == 0 else (*shape[:2], shape[2] + 1)
    player = create(generator, config.generator_optimizer, key_generator, blank(given), shape)
    inputs = key_discriminator, blank(shape), ()
    opponent = create(discriminator, config.discriminator_optimizer, *inputs)
    return AdversarialState(player, opponent, ema=player.variables)


def pyramid(config: Config, images: Images) -> list[tuple[Points | None, Points]]:
    """l_k and I_k of equation 1, the coarsest first, whose l is None."""
    coarsest, *bands = laplacian_pyramid(images, config.levels)[::-1]
    found: list[tuple[Points | None, Points]] = [(None, coarsest)]
    for band in bands:
        low = enlarge(found[-1][1])
        found.append((low, low + band))
    return found


def draw_noise(config: Config, level: int, key: Keys, num: int, axis_name: AxisName = None) -> Points:
    """z_k of this device's examples: latents of the coarsest level, planes from U[-1, 1) of the others."""
    if level == 0:
        return config.prior.draw(key, num, axis_name)
    shape = (*shape_at(config, level)[:2], 1)
    return draw(partial(jax.random.uniform, shape=shape, minval=-1.0), key, num, axis_name)


def generate(
    config: Config, level: int, variables: Variables, given: Given, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """I_k of equation 2, and the generator's variables after the pass; I_K is in the value range."""
    net, shape, mode = networks_at(config, level)[0], shape_at(config, level), mode.stream(GENERATOR)
    if given.low is None:
        outputs, variables = apply(net, variables, given.noise, shape, mode=mode)
        return squash(outputs, config.value_range), variables
    band, variables = apply(net, variables, jnp.concatenate([given.low, given.noise], axis=3), shape, mode=mode)
    return given.low + band, variables


def discriminator_loss(
    config: Config, level: int, variables: Variables, real: Images, fake: Images, mode: Mode
) -> LossOutput:
    """The objective's of D_k, mean over the batch."""
    network = scorer(networks_at(config, level)[1])
    scores, after = score_both(network, variables, real, fake, mode)
    loss = config.objective.discriminator(*scores, axis_name=mode.axis_name).mean()
    return loss, ({"discriminator_loss": loss} | certainty(config.objective, *scores, mode.axis_name), after)


def generator_loss(
    config: Config, level: int, variables: Variables, opponent: Variables, data: tuple[Images, Given], mode: Mode
) -> LossOutput:
    """The objective's of G_k, mean over the batch."""
    real, given = data
    fake, after = generate(config, level, variables, given, mode)
    network = scorer(networks_at(config, level)[1])
    real_or_none = real if config.objective.needs_real else None
    scores, _ = score_both(network, opponent, real_or_none, fake, mode)
    loss = config.objective.generator(*scores, axis_name=mode.axis_name).mean()
    return loss, ({"generator_loss": loss}, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator of each level, then one of its generator, each with noise of its own.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: (m, height, width, channels), uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of each level, their names ending with its width: `generator_loss/16`.
    """
    levels, metrics = [], {}
    for level, pair in enumerate(pyramid(config, scale(batch, config.value_range))):
        inputs = state.levels[level], pair, jax.random.fold_in(key, level)
        after, found = level_step(config, level, *inputs, axis_name)
        levels.append(after)
        metrics |= {f"{name}/{shape_at(config, level)[1]}": value for name, value in found.items()}
    return State(tuple(levels)), metrics


def level_step(
    config: Config,
    level: int,
    state: AdversarialState,
    pair: tuple[Points | None, Points],
    key: Key,
    axis_name: AxisName,
) -> tuple[AdversarialState, Metrics]:
    """One step of D_k, then one of G_k, given l_k and I_k."""
    key_noise, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    low, real = pair
    num = real.shape[0]
    mode = training_mode(state.generator, key_pass, num, axis_name)
    given = Given(draw_noise(config, level, key_noise, num, axis_name), low)
    fake, _ = generate(config, level, state.generator.variables, given, mode)
    loss = partial(discriminator_loss, config, level)
    discriminator, metrics_d = descend(state.discriminator, loss, (real, fake, mode), axis_name, "discriminator")

    given = Given(draw_noise(config, level, key_generator, num, axis_name), low)
    mode = mode.with_keys(example_keys(key_generator_pass, num, axis_name))

    def of_level(config: Config, variables: Variables, *inputs: Any) -> LossOutput:
        return generator_loss(config, level, variables, *inputs)

    inputs = discriminator.variables, (real, given), mode
    generator, ema, metrics_g = generator_step(config, state, of_level, inputs, axis_name)
    return AdversarialState(generator, discriminator, ema), metrics_d | metrics_g | diversity(real, fake, axis_name)


def from_noise(config: Config, state: State, noise: Sequence[Points]) -> list[Points]:
    """I_K to I_0 of equation 2 by the moving averages of the generators, of z_K to z_0."""
    images: list[Points] = []
    for level, (adversaries, plane) in enumerate(zip(state.levels, noise, strict=True)):
        low = enlarge(images[-1]) if images else None
        images.append(generate(config, level, adversaries.ema, Given(plane, low))[0])
    return images


def discriminate(config: Config, state: State, points: Images, condition: None = None) -> PerExample:
    """The score of each image by the discriminator of the finest level, which is given no noise."""
    last = config.levels - 1
    return apply(networks_at(config, last)[1], state.levels[last].discriminator.variables, points, ())[0]


def sample(
    config: Config, state: State, key: Keys, num: int, condition: None = None
) -> Float[Array, "num height width channels"]:
    """`num` images from the coarsest level to the finest, clipped to the value range."""
    keys = split_key(key, config.levels)
    noise = [draw_noise(config, level, keys[level], num) for level in range(config.levels)]
    images = from_noise(config, state, noise)[-1]
    return clip(images, config.value_range)
