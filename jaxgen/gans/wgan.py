"""Wasserstein GAN (WGAN), its critic kept Lipschitz by clipped weights.

Arjovsky, Chintala, Bottou: Wasserstein GAN, 2017, arXiv 1701.07875.

The critic f maximises equation 3, E[f(x)] - E[f(G(z))], over weights in [-c, c], for n_critic steps; then the generator
maximises E[f(G(z))]. Clipping bounds the slope of f by a constant that depends on the network, so that the estimate of
the Wasserstein-1 distance is in units of its own, comparable within one run alone.

Weights are clipped after each step, as in Algorithm 1, and only those that are trained: statistics of batch
normalisation, which some codes clip too, stay as they are. Real examples and fakes are normalised apart. Steps without
momentum (RMSProp) are the paper's advice.
"""

from dataclasses import dataclass
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.gans import discrimination, watch
from jaxgen.gans.discrimination import Chance, Discrimination
from jaxgen.gans.objectives import Wasserstein
from jaxgen.gans.priors import Normal, Prior
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.losses.weights import clip_weights
from jaxgen.nets.dcgan import DCGANDiscriminator, DCGANGenerator
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.parallel import split
from jaxgen.train_state import TrainState, apply, create, descend, moving_average
from jaxgen.typing import Batch, Collections, Key, Latents, Metrics, Params, PerExample, Points, Scalar, Shape


@dataclass(frozen=True)
class Config:
    """Settings of Algorithm 1, with the paper's defaults and networks (DCGAN's, for 64x64 images)."""

    image_shape: Shape = (64, 64, 3)  # height, width, channels; any shape for other data
    value_range: ValueRange = (-1.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    prior: Prior = Normal(100)  # p(z)
    generator: nn.Module = DCGANGenerator()  # z to image
    critic: nn.Module = DCGANDiscriminator()  # image to score
    clip: float = 0.01  # c
    critic_steps: int = 5  # n_critic, critic updates for each update of the generator
    generator_optimizer: Optimizer = Optimizer(5e-5, RMSProp())
    critic_optimizer: Optimizer = Optimizer(5e-5, RMSProp())
    ema_decay: float = 0.0  # of the moving average of the generator; 0 samples from the generator itself

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.clip > 0, "clip", self.clip, "above 0")
        require(self.critic_steps >= 1, "critic_steps", self.critic_steps, "at least 1")
        require(0 <= self.ema_decay < 1, "ema_decay", self.ema_decay, "in [0, 1)")

    @property
    def minibatches(self) -> int:
        """One update takes a minibatch of size m for each critic step."""
        return self.critic_steps

    @property
    def batch_type(self) -> None:
        """Images alone."""
        return None


VIEW, GAME = Discrimination(), Wasserstein()


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    critic: TrainState
    ema: Params  # moving average of the generator's variables


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_critic = jax.random.split(key)
    latents = jnp.zeros((1, config.prior.dim))
    images = jnp.zeros((1, *config.image_shape))
    generator = create(config.generator, config.generator_optimizer, key_generator, latents, config.image_shape)
    critic = create(config.critic, config.critic_optimizer, key_critic, images, ())
    return State(generator, critic, ema=generator.variables)


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


def critic_loss(
    config: Config,
    params: Params,
    collections: Collections,
    real: Points,
    fake: Points,
    luck: Chance,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """Minus equation 3, mean over the batch."""
    network = VIEW, config.critic, params, collections
    scores, collections = discrimination.score_pairs(*network, real, fake, luck, axis_name)
    loss = GAME.discriminator(*scores).mean()
    return loss, ({"critic_loss": loss, "wasserstein_estimate": -loss}, collections)


def generator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    critic: TrainState,
    latents: Latents,
    luck: Chance,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """-E[f(G(z))], mean over the batch."""
    fake, collections = generate(config, params, collections, latents, train=True, axis_name=axis_name)
    network = VIEW, config.critic, critic.params, critic.collections
    fake_scores, _ = discrimination.score_fakes(*network, fake, luck, axis_name=axis_name)
    loss = GAME.generator(fake_scores).mean()
    return loss, ({"generator_loss": loss}, collections)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1: n_critic steps of the critic, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: n_critic minibatches, (n_critic * m, ...), uint8 or floats in range, interleaved (`parallel.split`).
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of the critic (means over its steps) and of the generator.
    """
    key_latents, key_luck, key_generator, key_generator_luck = jax.random.split(key, 4)
    before, num = state.generator, len(batch) // config.critic_steps
    view = VIEW, config.critic
    luck = discrimination.chance(*view, key_luck, len(batch), config.image_shape, before.step, axis_name)
    latents = draw_latents(config, key_latents, len(batch), axis_name)
    real, latents, luck = split((scale(batch, config.value_range), latents, luck), config.critic_steps)
    # The generator rests, so all fakes come from one pass, though each minibatch keeps its own batch statistics.
    frozen = before.params, before.collections
    fake, _ = jax.vmap(lambda latents: generate(config, *frozen, latents, train=True, axis_name=axis_name))(latents)

    def critic_step(critic: TrainState, minibatch):  # lines 2 to 8
        real, fake, luck = minibatch

        def loss(params):
            return critic_loss(config, params, critic.collections, real, fake, luck, axis_name)

        critic, metrics = descend(critic, loss, axis_name, player="critic")
        return critic.replace(params=clip_weights(critic.params, config.clip)), metrics

    critic, metrics = jax.lax.scan(critic_step, state.critic, (real, fake, luck))

    latents = draw_latents(config, key_generator, num, axis_name)  # lines 9 to 11
    luck = discrimination.chance(*view, key_generator_luck, num, config.image_shape, before.step, axis_name)
    inputs = critic, latents, luck, axis_name
    generator, generator_metrics = descend(
        before,
        lambda params: generator_loss(config, params, before.collections, *inputs),
        axis_name,
        player="generator",
    )
    ema = moving_average(state.ema, generator.variables, config.ema_decay, generator.step)
    metrics = {name: values.mean() for name, values in metrics.items()} | generator_metrics
    return State(generator, critic, ema), metrics | watch.diversity(real[0], fake[0], axis_name)


def sample(config: Config, state: State, key: Key, num: int) -> Points:
    """`num` images from the moving average of the generator."""
    return from_latents(config, state, draw_latents(config, key, num))


def from_latents(config: Config, state: State, latents: Latents) -> Points:
    """G(z) of the moving average of the generator."""
    collections = dict(state.ema)
    params = collections.pop("params")
    return generate(config, params, collections, latents)[0]


def draw_latents(config: Config, key: Key, num: int, axis_name: str | None = None) -> Latents:
    """z ~ p(z) for each example."""
    return config.prior.draw(key, num, axis_name)


def judge(config: Config, state: State, points: Points) -> PerExample:
    """f(x) of each point, with running statistics and without dropout."""
    return apply(config.critic, state.critic.params, state.critic.collections, points, ())[0]
