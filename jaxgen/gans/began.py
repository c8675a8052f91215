"""Boundary equilibrium GAN (BEGAN).

Berthelot, Schumm, Metz: BEGAN: Boundary Equilibrium Generative Adversarial Networks, 2017, arXiv 1703.10717.

The discriminator D is an autoencoder of images, and L(v) = mean over the values of |v - D(v)| its error. With latents
of its own for each player,

    L_D = L(x) - k L(G(z_D)),                                          (1)
    L_G = L(G(z_G)),                                                   (2)
    k' = min(max(k + lambda (gamma L(x) - L(G(z_G))), 0), 1),          (3)
    M = L(x) + |gamma L(x) - L(G(z_G))|.                               (4)

k, from 0 on, keeps the equilibrium E L(G(z)) = gamma E L(x): a small gamma asks for sharp images, a large one for
diverse ones. M, the measure of convergence, falls as images improve, unlike the losses of other games.

A step of D, then one of G, then equation 3 on the means over the batch. Both networks end without bounds; samples are
clipped to the value range. The paper halves the rates when M no longer falls: a schedule does it at fixed steps.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.discrimination import FAKE, GENERATOR, score_both
from jaxgen.gans.networks import create_players, generator_step
from jaxgen.images import ValueRange, clip, scale
from jaxgen.losses.reconstruction import mean_absolute_error
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.began import BEGANAutoencoder, BEGANDecoder
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.priors import Prior, Uniform
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, TrainState, apply, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, PerExample, Points, Scalar, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for faces of 64x64, 16 images in a minibatch."""

    image_shape: Shape = (64, 64, 3)
    value_range: ValueRange = (-1.0, 1.0)
    prior: Prior = Uniform(64)  # p(z)
    generator: nn.Module = BEGANDecoder()  # z to image
    discriminator: nn.Module = BEGANAutoencoder()  # image to image
    diversity_ratio: float = 0.5  # gamma
    balance_rate: float = 0.001  # lambda, of k
    generator_optimizer: Optimizer = Optimizer(1e-4, Adam())
    discriminator_optimizer: Optimizer = Optimizer(1e-4, Adam())
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    def __post_init__(self):
        super().__post_init__()
        require(0 < self.diversity_ratio <= 1, "diversity_ratio", self.diversity_ratio, "in (0, 1]")
        require(self.balance_rate > 0, "balance_rate", self.balance_rate, "above 0")


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState
    ema: Variables  # moving average of the generator's
    balance: Scalar  # k, what D takes fakes for, in [0, 1]


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers, k = 0."""
    player = config.discriminator, config.discriminator_optimizer
    generator, discriminator = create_players(config, player, key, outputs=config.image_shape)
    return State(generator, discriminator, ema=generator.variables, balance=jnp.zeros((), jnp.float32))


def generate(
    config: Config, variables: Variables, latents: Latents, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """G(z), without bounds, and the generator's variables after the pass."""
    return apply(config.generator, variables, latents, config.image_shape, mode=mode.stream(GENERATOR))


def errors(
    config: Config, variables: Variables, images: Points, mode: Mode = EVALUATION
) -> tuple[PerExample, Variables]:
    """L(v) of each image, and the discriminator's variables after the pass."""
    outputs, variables = apply(config.discriminator, variables, images, config.image_shape, mode=mode)
    return mean_absolute_error(outputs, images), variables


def discriminator_loss(
    config: Config, variables: Variables, real: Points, fake: Points, balance: Scalar, mode: Mode
) -> LossOutput:
    """L_D of equation 1, mean over the batch."""
    found, after = score_both(partial(errors, config), variables, real, fake, mode)
    real_error, fake_error = (each.mean() for each in found)
    loss = real_error - balance * fake_error
    return loss, ({"discriminator_loss": loss, "real_error": real_error, "fake_error": fake_error}, after)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, latents: Latents, mode: Mode
) -> LossOutput:
    """L_G of equation 2, mean over the batch."""
    fake, after = generate(config, variables, latents, mode)
    loss = errors(config, opponent, fake, mode.stream(FAKE))[0].mean()
    return loss, ({"generator_loss": loss}, after)


def rebalanced(config: Config, balance: Scalar, real_error: Scalar, fake_error: Scalar) -> tuple[Scalar, Scalar]:
    """k' of equation 3 and M of equation 4, of the means L(x) and L(G(z_G)) over the whole batch.

    >>> import jax.numpy as jnp
    >>> k, m = rebalanced(Config(), jnp.float32(0.1), jnp.float32(0.5), jnp.float32(0.3))
    >>> round(float(k), 5), round(float(m), 5)
    (0.09995, 0.55)
    """
    gap = config.diversity_ratio * real_error - fake_error
    return jnp.clip(balance + config.balance_rate * gap, 0.0, 1.0), real_error + jnp.abs(gap)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, one of the generator, one of k.

    Args:
        config: settings.
        state: networks and optimisers, and k.
        batch: (m, ...), uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of both players, `balance` (k after the update) and `convergence` (M).
    """
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    real = scale(batch, config.value_range)
    num = real.shape[0]
    mode = training_mode(state.generator, key_pass, num, axis_name)
    fake, _ = generate(config, state.generator.variables, config.prior.draw(key_latents, num, axis_name), mode)
    loss, inputs = partial(discriminator_loss, config), (real, fake, state.balance, mode)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    latents = config.prior.draw(key_generator, num, axis_name)
    inputs = discriminator.variables, latents, mode.with_keys(example_keys(key_generator_pass, num, axis_name))
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)

    means = metrics_d["real_error"], metrics_g["generator_loss"]
    balance, convergence = rebalanced(config, state.balance, *means)
    metrics = metrics_d | metrics_g | {"balance": balance, "convergence": convergence}
    return State(generator, discriminator, ema, balance), metrics | diversity(real, fake, axis_name)


def discriminate(config: Config, state: State, points: Points, condition: None = None) -> PerExample:
    """The error L of each point, low for what is like the data."""
    return errors(config, state.discriminator.variables, points)[0]


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """G(z) of the moving average, clipped to the value range."""
    images, _ = generate(config, state.ema, latents)
    return clip(images, config.value_range)


sample = sampler(from_latents)
