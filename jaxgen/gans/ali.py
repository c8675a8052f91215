"""Adversarially learned inference (ALI) and bidirectional GAN (BiGAN): a GAN of images and their latents.

Dumoulin, Belghazi, Poole, Mastropietro, Lamb, Arjovsky, Courville: Adversarially Learned Inference, 2016, arXiv
1606.00704. Donahue, Krahenbuhl, Darrell: Adversarial Feature Learning, 2016, arXiv 1605.09782 (BiGAN).

An encoder learns beside the generator, and the discriminator scores an image together with a latent. It tells the
pairs of the data, q(x, z) = q(x) q(z|x), from those of the prior, p(x, z) = p(z) p(x|z). With its logits l the game is

    V = E_q[log s(l(x, E(x)))] + E_p[log(1 - s(l(G(z), z)))],          s(t) = 1 / (1 + e^-t),        (1)

which D maximises. At the best D, l = log q(x, z) - log p(x, z) and V = 2 JSD(q, p) - log 4. Generator and encoder
descend together the loss with exchanged labels,

    L = E_p[-log s(l(G(z), z))] + E_q[-log(1 - s(l(x, E(x))))].                                       (2)

Both players step at once, from the same latents (Algorithm 1 of ALI). ALI's encoder gives the mean and the log-variance
of a Gaussian q(z|x), from which E(x) = mu + sigma eps is drawn; BiGAN's gives E(x) itself, `stochastic=False`. In a
discriminator with batch norm a shade that all fakes have in common shows only with `joint`, as `--cat_inputs` of
BiGAN's code has it.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.gans.diagnostics import certainty, diversity
from jaxgen.gans.discrimination import GENERATOR, score_both
from jaxgen.gans.networks import AdversarialState, generator_step, scorer
from jaxgen.gans.objectives import Minimax
from jaxgen.images import scale, squash
from jaxgen.losses.adversarial import minimax_discriminator
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.ali import ALIDiscriminator, ALIEncoder, ALIGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior, normal_noise
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, apply, blank, create, create_parts, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, PerExample, Points, Shape, Variables

ENCODER = 8
"""Of the keys of the encoder: a stream beside those of `discrimination`."""


class Pairs(NamedTuple):
    """Inputs of the discriminator."""

    images: Points
    latents: Latents


class Draws(NamedTuple):
    """What an update draws, a row for each example."""

    latents: Latents  # z, of the prior
    noise: Float[Array, "batch latent"]  # eps of q(z|x), from N(0, I)


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of ALI for CIFAR-10."""

    image_shape: Shape = (32, 32, 3)
    prior: Prior = Normal(64)  # p(z)
    stochastic: bool = True  # the encoder gives mean and log-variance of a Gaussian; else the latent itself
    generator: nn.Module = ALIGenerator()  # z to image
    encoder: nn.Module = ALIEncoder()  # image to q(z|x)
    discriminator: nn.Module = ALIDiscriminator()  # image and latent to score
    joint: bool = False  # pairs of data and of the prior in one batch, for batch statistics of the discriminator
    generator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.5))  # of generator and encoder
    discriminator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of generator and encoder, from which samples and codes are


State: TypeAlias = AdversarialState  # generator and encoder are parts of the generator


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers; generator and encoder are one player."""
    key_generator, key_discriminator = jax.random.split(key)
    images, latents = blank(config.image_shape), blank(config.prior.shape)
    parts = {
        "generator": (config.generator, latents, config.image_shape),
        "encoder": (config.encoder, images, _posterior_shape(config)),
    }
    generator = create_parts(parts, config.generator_optimizer, key_generator)
    player = config.discriminator, config.discriminator_optimizer
    discriminator = create(*player, key_discriminator, images, latents, ())
    return State(generator, discriminator, ema=generator.variables)


def _posterior_shape(config: Config) -> Shape:
    """Of what the encoder gives."""
    (size,) = config.prior.shape
    return (2 * size if config.stochastic else size,)


def generate(
    config: Config, variables: Variables, latents: Latents, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """G(z), in the value range, and the variables after the pass."""
    inputs = latents, config.image_shape
    outputs, variables = apply(config.generator, variables, *inputs, mode=mode.stream(GENERATOR), part="generator")
    return squash(outputs, config.value_range), variables


def encode(
    config: Config,
    variables: Variables,
    images: Points,
    noise: Float[Array, "batch latent"] | None = None,
    mode: Mode = EVALUATION,
) -> tuple[Latents, Variables]:
    """E(x), the mean of q(z|x) without noise, and the variables after the pass."""
    inputs = images, _posterior_shape(config)
    outputs, variables = apply(config.encoder, variables, *inputs, mode=mode.stream(ENCODER), part="encoder")
    if not config.stochastic:
        return outputs, variables
    mean, logvar = jnp.split(outputs, 2, axis=1)
    return mean if noise is None else mean + jnp.exp(0.5 * logvar) * noise, variables


def pairs_of_both(
    config: Config, variables: Variables, real: Points, draws: Draws, mode: Mode
) -> tuple[tuple[Pairs, Pairs], Variables]:
    """Draws of q(x, z) and of p(x, z), and the variables after the passes of encoder and generator."""
    latents, variables = encode(config, variables, real, draws.noise, mode)
    fake, variables = generate(config, variables, draws.latents, mode)
    return (Pairs(real, latents), Pairs(fake, draws.latents)), variables


def discriminator_loss(config: Config, variables: Variables, of_data: Pairs, of_prior: Pairs, mode: Mode) -> LossOutput:
    """-V of equation 1, mean over the batch."""
    network = scorer(config.discriminator)
    scores, after = score_both(network, variables, of_data, of_prior, mode, joint=config.joint)
    loss = minimax_discriminator(*scores).mean()
    return loss, ({"discriminator_loss": loss} | certainty(Minimax(), *scores, mode.axis_name), after)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, real: Points, draws: Draws, mode: Mode
) -> LossOutput:
    """L of equation 2, of generator and encoder, mean over the batch."""
    pairs, after = pairs_of_both(config, variables, real, draws, mode)
    network = scorer(config.discriminator)
    (of_data, of_prior), _ = score_both(network, opponent, *pairs, mode, joint=config.joint)
    loss = minimax_discriminator(of_prior, of_data).mean()
    return loss, ({"generator_loss": loss}, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of each player, both from the state before.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_latents, key_noise, key_pass = jax.random.split(key, 3)
    real = scale(batch, config.value_range)
    num = real.shape[0]
    noise = normal_noise(config.prior.shape, key_noise, num, axis_name)
    draws = Draws(config.prior.draw(key_latents, num, axis_name), noise)
    mode = training_mode(state.generator, key_pass, num, axis_name)

    pairs, _ = pairs_of_both(config, state.generator.variables, real, draws, mode)
    inputs, loss = (*pairs, mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")
    inputs = state.discriminator.variables, real, draws, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = metrics_d | metrics_g | diversity(real, pairs[1].images, axis_name)
    return State(generator, discriminator, ema), metrics


def discriminate(config: Config, state: State, points: Points, condition: None = None) -> PerExample:
    """The logit of each image with its latent E(x), without dropout and noise."""
    latents, _ = encode(config, state.generator.variables, points)
    return apply(config.discriminator, state.discriminator.variables, points, latents, ())[0]


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """G(z) of the moving average."""
    return generate(config, state.ema, latents)[0]


def to_latents(config: Config, state: State, images: Points, condition: None = None) -> Latents:
    """E(x) of the moving average, the mean of q(z|x)."""
    return encode(config, state.ema, images)[0]


sample = sampler(from_latents)
