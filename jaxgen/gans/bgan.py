"""Boundary-seeking GAN of discrete data: a generator of probabilities, whose draws have no slope.

Hjelm, Jacob, Che, Trischler, Cho, Bengio: Boundary-Seeking Generative Adversarial Networks, 2017, arXiv 1702.08431.
That of continuous data is the objective `BoundarySeeking` of `jaxgen.gans.gan`.

Pixels are black or white. The generator gives the logit of each being white, g(x|z) is the product over pixels, and
M images x_1 ... x_M are drawn for each latent z. With the discriminator's logits l the players minimise

    L_D = E[sp(-l(x))] + E[sp(l(x_1))],                                (1)
    L_G = -E_z sum_m w_m log g(x_m|z),                                 (2)
    w_m = e^l(x_m) / sum_n e^l(x_n),                                   (3)

sp(t) = log(1 + e^t), and w held constant. At the best discriminator e^l is the ratio of the data's probabilities to the
generator's, so that the draws, weighted by it, are draws of the data, and G becomes more likely to make them. The
weights of a latent sum to one: no baseline is needed. A step of D, then one of G, each with latents of its own.

Grey levels of data are probabilities, from which pixels are drawn anew each time.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import PositiveInt, require
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import certainty, diversity
from jaxgen.gans.discrimination import FAKE, GENERATOR, score_both
from jaxgen.gans.networks import AdversarialState, create_players, generator_step, scorer
from jaxgen.gans.objectives import Minimax
from jaxgen.images import binarized, scale
from jaxgen.losses.adversarial import minimax_discriminator
from jaxgen.losses.likelihoods import bernoulli_nll
from jaxgen.losses.softmax import boundary_seeking_policy, importance_weights
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.bgan import BGANDiscriminator, BGANGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, apply, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Variables

DRAWS, PIXELS = 8, 9
"""Of the keys of the images that are drawn for a latent, and of the pixels of data: streams beside those of
`discrimination`."""

Draws: TypeAlias = Float[Array, "batch draws *shape"]
"""Images of each latent."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the authors' code for binary MNIST."""

    prior: Prior = Normal(64)  # p(z)
    draws: PositiveInt = 20  # M
    generator: nn.Module = BGANGenerator()  # z to logits of pixels
    discriminator: nn.Module = BGANDiscriminator()  # image to logit
    generator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    def __post_init__(self):
        super().__post_init__()
        require(self.value_range is not None, "value_range", None, "two numbers, those of black and of white pixels")


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    player = config.discriminator, config.discriminator_optimizer
    generator, discriminator = create_players(config, player, key)
    return State(generator, discriminator, ema=generator.variables)


def pixel_logits(
    config: Config, variables: Variables, latents: Latents, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """Of g(x|z), the logit of each pixel being white, and the generator's variables after the pass."""
    return apply(config.generator, variables, latents, config.image_shape, mode=mode.stream(GENERATOR))


def drawn(logits: Points, num: int, mode: Mode) -> Draws:
    """`num` images x_m of zeros and ones for each latent, of the keys of the pass."""
    keys = mode.stream(DRAWS).example_keys("draws of pixels")
    white = jax.nn.sigmoid(logits)
    pixels = jax.vmap(lambda key, chances: jax.random.bernoulli(key, chances[None], (num, *chances.shape)))(keys, white)
    return pixels.astype(logits.dtype)


def binary(config: Config, images: Points, mode: Mode) -> Points:
    """Zeros and ones, drawn with the grey levels of images as probabilities and the keys of the pass."""
    return binarized(images, mode.stream(PIXELS).example_keys("pixels of data"), _bounds(config), "each_step")


def black_and_white(config: Config, pixels: Points) -> Points:
    """Images in the value range, of zeros and ones."""
    low, high = _bounds(config)
    return low + (high - low) * pixels


def _bounds(config: Config) -> tuple[float, float]:
    return config.value_range  # pyright: ignore[reportReturnType]


def discriminator_loss(config: Config, variables: Variables, real: Points, fake: Points, mode: Mode) -> LossOutput:
    """Equation 1, mean over the batch, of images that are black and white."""
    scores, after = score_both(scorer(config.discriminator), variables, real, fake, mode)
    loss = minimax_discriminator(*scores).mean()
    return loss, ({"discriminator_loss": loss} | certainty(Minimax(), *scores, mode.axis_name), after)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, latents: Latents, mode: Mode
) -> LossOutput:
    """Equation 2, mean over the batch. `draws_that_count` is 1 / sum w^2, from 1 to M."""
    logits, after = pixel_logits(config, variables, latents, mode)
    pixels = drawn(logits, config.draws, mode)
    log_probs = jax.vmap(lambda x: -bernoulli_nll(logits, x), in_axes=1, out_axes=1)(pixels)
    network, of_fakes = scorer(config.discriminator), mode.stream(FAKE)
    score = lambda x: network(opponent, black_and_white(config, x), of_fakes)[0]  # noqa: E731
    scores = jax.vmap(score, in_axes=1, out_axes=1)(pixels)
    loss = boundary_seeking_policy(log_probs, scores).mean()
    counted = (1.0 / (importance_weights(scores) ** 2).sum(axis=1)).mean()
    return loss, ({"generator_loss": loss, "draws_that_count": counted}, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: (m, ...), uint8 or floats in range, grey levels being probabilities of white.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of both players.
    """
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    grey = scale(batch, config.value_range)
    num = grey.shape[0]
    mode = training_mode(state.generator, key_pass, num, axis_name)
    real = black_and_white(config, binary(config, grey, mode))
    latents = config.prior.draw(key_latents, num, axis_name)
    logits, _ = pixel_logits(config, state.generator.variables, latents, mode)
    fake = black_and_white(config, drawn(logits, 1, mode)[:, 0])
    inputs, loss = (real, fake, mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    latents = config.prior.draw(key_generator, num, axis_name)
    inputs = discriminator.variables, latents, training_mode(state.generator, key_generator_pass, num, axis_name)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = metrics_d | metrics_g | diversity(real, fake, axis_name)
    return State(generator, discriminator, ema), metrics


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """The most probable image of g(x|z), of the moving average of the generator."""
    logits, _ = pixel_logits(config, state.ema, latents)
    return black_and_white(config, (logits > 0).astype(jnp.float32))


discriminate, sample = networks.discriminate, sampler(from_latents)
