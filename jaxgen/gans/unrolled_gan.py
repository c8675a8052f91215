"""Unrolled GAN: the generator foresees the discriminator's next K steps.

Metz, Poole, Pfau, Sohl-Dickstein: Unrolled Generative Adversarial Networks, 2016, arXiv 1611.02163.

With f(theta_G, theta_D) the value that the discriminator ascends, and theta_D^K its parameters after K further steps on
the same minibatch, the generator descends the surrogate of equation 5,

    f_K(theta_G, theta_D) = f(theta_G, theta_D^K(theta_G, theta_D)),

its gradient flowing through the K steps of the optimiser (equation 9), while the discriminator takes one ordinary step.
Both players start from the same parameters. K = 0 is the usual game, which in
the paper goes from mode to mode on a ring of Gaussians.

The game is zero-sum: the generator's loss is minus the discriminator's, whichever objective that is, real examples
included, since theta_D^K depends on the generator in their term too.
"""

from dataclasses import dataclass
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.gans import discrimination, watch
from jaxgen.gans.discrimination import Chance, Discrimination
from jaxgen.gans.objectives import Minimax, Objective
from jaxgen.gans.priors import Normal, Prior
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.nets.initializers import Orthogonal
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer, RAdam
from jaxgen.train_state import TrainState, apply, create, descend, unroll
from jaxgen.typing import Batch, Collections, Key, Latents, Metrics, Params, PerExample, Points, Scalar, Shape

NETWORK = MLP((128, 128), activation="tanh", initializer=Orthogonal(1.4))


@dataclass(frozen=True)
class Config:
    """Settings; the defaults are those of the paper's code for points in the plane."""

    image_shape: Shape = (2,)  # of points; height, width, channels for images
    value_range: ValueRange = None  # of the images: (-1, 1), (0, 1), or None for data without bounds
    prior: Prior = Normal(256)  # p(z)
    objective: Objective = Minimax()  # the discriminator's; the generator's is its negative
    generator: nn.Module = NETWORK  # z to image
    discriminator: nn.Module = NETWORK  # image to score
    unrolled_steps: int = 5  # K
    generator_optimizer: Optimizer = Optimizer(1e-3, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.5, eps_root=1e-8))

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.unrolled_steps >= 0, "unrolled_steps", self.unrolled_steps, "at least 0")
        rule = self.discriminator_optimizer.rule
        if self.unrolled_steps and isinstance(rule, Adam | RAdam):
            name = f"eps_root of the discriminator's {type(rule).__name__}"
            require(rule.eps_root > 0, name, rule.eps_root, "above 0, to unroll its steps")

    @property
    def minibatches(self) -> int:
        """One update takes one minibatch, for both players."""
        return 1

    @property
    def batch_type(self) -> None:
        """Images alone."""
        return None


VIEW, LUCK = Discrimination(), Chance(None, None, None, None, None)


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    latents = jnp.zeros((1, config.prior.dim))
    images = jnp.zeros((1, *config.image_shape))
    generator = create(config.generator, config.generator_optimizer, key_generator, latents, config.image_shape)
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, images, ())
    return State(generator, discriminator)


def generate(
    config: Config,
    params: Params,
    collections: Collections,
    latents: Latents,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Points, Collections]:
    """G(z), and the generator's collections after it."""
    options = {"train": train, "axis_name": axis_name}
    outputs, collections = apply(config.generator, params, collections, latents, config.image_shape, **options)
    return squash(outputs, config.value_range), collections


def discriminator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    real: Points,
    fake: Points,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """-f(theta_G, theta_D), mean over the batch."""
    network = VIEW, config.discriminator, params, collections
    scores, collections = discrimination.score_pairs(*network, real, fake, LUCK, axis_name)
    loss = config.objective.discriminator(*scores, axis_name=axis_name).mean()
    certainty = watch.certainty(config.objective, *scores, axis_name=axis_name)
    return loss, ({"discriminator_loss": loss, **certainty}, collections)


def generator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    discriminator: TrainState,
    real: Points,
    latents: Latents,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """f_K(theta_G, theta_D), mean over the batch."""
    fake, collections = generate(config, params, collections, latents, train=True, axis_name=axis_name)

    def loss(params):
        return discriminator_loss(config, params, discriminator.collections, real, fake, axis_name)

    ahead = unroll(discriminator, loss, config.unrolled_steps, axis_name)
    surrogate = -loss(ahead.params)[0]
    return surrogate, ({"generator_loss": surrogate}, collections)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: str | None = None
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
    real = scale(batch, config.value_range)
    latents = draw_latents(config, key, len(batch), axis_name)
    generator, discriminator = state
    inputs = real, latents, axis_name
    new_generator, generator_metrics = descend(
        generator,
        lambda params: generator_loss(config, params, generator.collections, discriminator, *inputs),
        axis_name,
        player="generator",
    )
    frozen = generator.params, generator.collections
    fake, _ = generate(config, *frozen, latents, train=True, axis_name=axis_name)
    new_discriminator, metrics = descend(
        discriminator,
        lambda params: discriminator_loss(config, params, discriminator.collections, real, fake, axis_name),
        axis_name,
        player="discriminator",
    )
    metrics = metrics | generator_metrics | watch.diversity(real, fake, axis_name)
    return State(new_generator, new_discriminator), metrics


def sample(config: Config, state: State, key: Key, num: int) -> Points:
    """`num` images of the generator."""
    return from_latents(config, state, draw_latents(config, key, num))


def from_latents(config: Config, state: State, latents: Latents) -> Points:
    """G(z)."""
    return generate(config, state.generator.params, state.generator.collections, latents)[0]


def draw_latents(config: Config, key: Key, num: int, axis_name: str | None = None) -> Latents:
    """z ~ p(z) for each example."""
    return config.prior.draw(key, num, axis_name)


def judge(config: Config, state: State, points: Points) -> PerExample:
    """D's score of each point, with running statistics and without dropout."""
    return apply(config.discriminator, state.discriminator.params, state.discriminator.collections, points, ())[0]
