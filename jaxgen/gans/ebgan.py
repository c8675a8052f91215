"""Energy-based GAN (EBGAN), with the pulling-away term.

Zhao, Mathieu, LeCun: Energy-based Generative Adversarial Network, 2016, arXiv 1609.03126.

The discriminator is an autoencoder, and the energy of an image its error of reconstruction,

    D(x) = ||Dec(Enc(x)) - x||_2,                                      (1)

low for real images. With a margin m > 0 the players minimise

    L_D = E[D(x)] + E[max(0, m - D(G(z)))],                            (2)
    L_G = E[D(G(z))] + lambda PT,                                      (3)
    PT = mean over i != j of cos^2(Enc(G(z_i)), Enc(G(z_j))).          (4)

At the equilibrium the fakes are distributed as the data, and L_D = m. A step of D, then one of G, each with latents of
its own. The margin counts for the energy of each image, not for the mean of the batch, and G's gradient flows through
both sides of the error: a port in common use does otherwise, and does not square the cosines.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from jaxgen.checks import NonNegativeFloat, PositiveInt, require
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import certainty, diversity
from jaxgen.gans.discrimination import FAKE, score_both
from jaxgen.gans.networks import AdversarialState, create_generator, generate, generator_step
from jaxgen.gans.objectives import Energy
from jaxgen.images import scale, squash
from jaxgen.losses.adversarial import energy_discriminator, energy_generator
from jaxgen.losses.features import pull_away
from jaxgen.losses.penalties import safe_norm
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys, gather
from jaxgen.priors import Normal, Prior
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, PerExample, Points, Variables

Outputs: TypeAlias = tuple[PerExample, Float[Array, "batch code"]]
"""Energies and codes."""

DECODER = 8
"""Of the keys of the decoder: a stream beside that of the encoder, and those of `discrimination`."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; margin, optimiser and the widths of the MLPs are among those that the paper searches for MNIST."""

    prior: Prior = Normal(100)  # p(z)
    code_dim: PositiveInt = 64  # numbers of a code
    generator: nn.Module = MLP((800, 800))  # z to image
    encoder: nn.Module = MLP((512,))  # image to code, of the discriminator
    decoder: nn.Module = MLP((512,))  # code to image, of the discriminator
    margin: float = 10.0  # m
    pull_away_weight: NonNegativeFloat = 0.1  # lambda; 0 for EBGAN without the term
    generator_optimizer: Optimizer = Optimizer(1e-3, Adam())
    discriminator_optimizer: Optimizer = Optimizer(1e-3, Adam())
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    def __post_init__(self):
        super().__post_init__()
        require(self.margin > 0, "margin", self.margin, "above 0")


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers; encoder and decoder are one player."""
    key_generator, key_discriminator = jax.random.split(key)
    parts = {
        "encoder": (config.encoder, blank(config.image_shape), (config.code_dim,)),
        "decoder": (config.decoder, blank((config.code_dim,)), config.image_shape),
    }
    discriminator = create_parts(parts, config.discriminator_optimizer, key_discriminator)
    generator = create_generator(config, key_generator)
    return State(generator, discriminator, ema=generator.variables)


def energies(
    config: Config, variables: Variables, images: Points, mode: Mode = EVALUATION
) -> tuple[Outputs, Variables]:
    """D(x) of equation 1 and Enc(x) of each image, and the variables after the pass."""
    codes, variables = apply(config.encoder, variables, images, (config.code_dim,), mode=mode, part="encoder")
    inputs = codes, config.image_shape
    outputs, variables = apply(config.decoder, variables, *inputs, mode=mode.stream(DECODER), part="decoder")
    return (safe_norm(squash(outputs, config.value_range) - images), codes), variables


def discriminator_loss(config: Config, variables: Variables, real: Points, fake: Points, mode: Mode) -> LossOutput:
    """L_D of equation 2, mean over the batch."""
    network = partial(energies, config)
    ((real_energies, _), (fake_energies, _)), after = score_both(network, variables, real, fake, mode)
    loss = energy_discriminator(real_energies, fake_energies, margin=config.margin).mean()
    metrics = {"discriminator_loss": loss, "real_energy": real_energies.mean(), "fake_energy": fake_energies.mean()}
    return loss, (metrics | certainty(Energy(config.margin), real_energies, fake_energies, mode.axis_name), after)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, latents: Latents, mode: Mode
) -> LossOutput:
    """L_G of equation 3, mean over the batch; the term sees the codes of all devices."""
    fake, after = generate(config, variables, latents, mode=mode)
    (fake_energies, codes), _ = energies(config, opponent, fake, mode.stream(FAKE))
    loss, metrics = energy_generator(fake_energies).mean(), {}
    if config.pull_away_weight > 0:
        term = pull_away(gather(codes, mode.axis_name))
        loss, metrics = loss + config.pull_away_weight * term, {"pull_away": term}
    return loss, ({"generator_loss": loss} | metrics, after)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: (m, ...), uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of both players.
    """
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    real = scale(batch, config.value_range)
    num = real.shape[0]
    mode = training_mode(state.generator, key_pass, num, axis_name)
    latents = config.prior.draw(key_latents, num, axis_name)
    fake, _ = generate(config, state.generator.variables, latents, mode=mode)
    loss, inputs = partial(discriminator_loss, config), (real, fake, mode)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    latents = config.prior.draw(key_generator, num, axis_name)
    inputs = discriminator.variables, latents, mode.with_keys(example_keys(key_generator_pass, num, axis_name))
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    metrics = metrics_d | metrics_g | diversity(real, fake, axis_name)
    return State(generator, discriminator, ema), metrics


def discriminate(config: Config, state: State, points: Points, condition: None = None) -> PerExample:
    """The energy of each point, low for what is like the data."""
    return energies(config, state.discriminator.variables, points)[0][0]


from_latents, sample = networks.from_latents, networks.sample
