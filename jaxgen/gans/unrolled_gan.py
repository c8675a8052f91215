"""Unrolled GAN: the generator foresees the discriminator's next K steps.

Metz, Poole, Pfau, Sohl-Dickstein: Unrolled Generative Adversarial Networks, 2016, arXiv 1611.02163.

With f(theta_G, theta_D) the value that the discriminator ascends, and theta_D^K its parameters after K further steps on
the same minibatch, the generator descends the surrogate of equation 5,

    f_K(theta_G, theta_D) = f(theta_G, theta_D^K(theta_G, theta_D)),

its gradient flowing through the K steps of the optimiser (equation 9), while the discriminator takes one ordinary step.
Both players start from the same parameters. K = 0 is the usual game, which in
the paper goes from mode to mode on a ring of Gaussians.

The game is zero-sum: the generator's loss is minus the discriminator's, whichever objective that is, real examples
included, since theta_D^K depends on the generator in their term too. So there is no `regularization` here: a term that
the discriminator pays would be one that the generator is paid.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn

from jaxgen.checks import NonNegativeInt, require
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import certainty, diversity
from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import create_players, generate, scorer
from jaxgen.gans.objectives import Minimax, Objective
from jaxgen.images import ValueRange, scale
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.nets.initializers import Orthogonal
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import pass_key
from jaxgen.priors import Normal, Prior
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, TrainState, descend, training_mode, unroll
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Shape, Variables

NETWORK = MLP((128, 128), activation="tanh", initializer=Orthogonal(1.4))


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of the paper's code for points in the plane."""

    image_shape: Shape = (2,)  # of points; height, width, channels for images
    value_range: ValueRange = None
    prior: Prior = Normal(256)  # p(z)
    objective: Objective = Minimax()  # the discriminator's; the generator's is its negative
    generator: nn.Module = NETWORK  # z to image
    discriminator: nn.Module = NETWORK  # image to score
    unrolled_steps: NonNegativeInt = 5  # K
    generator_optimizer: Optimizer = Optimizer(1e-3, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.5, eps_root=1e-8))

    def __post_init__(self):
        super().__post_init__()
        rule = self.discriminator_optimizer.rule
        if self.unrolled_steps and isinstance(rule, Adam):
            require(rule.eps_root > 0, "eps_root of D's Adam", rule.eps_root, "above 0, to unroll its steps")


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    player = config.discriminator, config.discriminator_optimizer
    return State(*create_players(config, player, key))


def discriminator_loss(config: Config, variables: Variables, real: Points, fake: Points, mode: Mode) -> LossOutput:
    """-f(theta_G, theta_D), mean over the batch."""
    scores, variables = score_both(scorer(config.discriminator), variables, real, fake, mode)
    loss = config.objective.discriminator(*scores, axis_name=mode.axis_name).mean()
    return loss, ({"discriminator_loss": loss} | certainty(config.objective, *scores, mode.axis_name), variables)


def generator_loss(
    config: Config, variables: Variables, opponent: TrainState, real: Points, latents: Latents, mode: Mode
) -> LossOutput:
    """f_K(theta_G, theta_D), mean over the batch."""
    fake, variables = generate(config, variables, latents, mode=mode)
    loss, inputs = partial(discriminator_loss, config), (real, fake, mode)
    unrolled = unroll(opponent, loss, inputs, config.unrolled_steps, mode.axis_name)
    surrogate = -loss({**opponent.variables, "params": unrolled.params}, *inputs)[0]
    return surrogate, ({"generator_loss": surrogate}, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of each player from the parameters before it (equations 7 and 8), on one minibatch.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: (m, ...), uint8 or floats in range.
        key: of this update.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of both players.
    """
    mode = training_mode(state.generator, pass_key(key), len(batch), axis_name)
    real, latents = scale(batch, config.value_range), config.prior.draw(key, len(batch), axis_name)
    inputs = state.discriminator, real, latents, mode
    generator, metrics_g = descend(state.generator, partial(generator_loss, config), inputs, axis_name, "generator")
    fake, _ = generate(config, state.generator.variables, latents, mode=mode)
    loss, inputs = partial(discriminator_loss, config), (real, fake, mode)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")
    return State(generator, discriminator), metrics_d | metrics_g | diversity(real, fake, axis_name)


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """G(z)."""
    return generate(config, state.generator.variables, latents)[0]


discriminate, sample = networks.discriminate, sampler(from_latents)
