"""Wasserstein GAN with gradient penalty (WGAN-GP).

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs, 2017, arXiv 1704.00028.

The critic D minimises equation 3, on real images x, fakes x~ = G(z) and points x^ = eps x + (1 - eps) x~ between them,

    L = E[D(x~)] - E[D(x)] + lambda E[(||grad D(x^)||_2 - 1)^2],

and the generator minimises -E[D(G(z))]. Beside the paper, a moving average of the generator's weights is kept, from
which `sample` draws.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.gans import watch
from jaxgen.gans.priors import Normal
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.losses.adversarial import wasserstein_critic, wasserstein_generator
from jaxgen.losses.penalties import gradient_penalty, interpolate
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import draw, split
from jaxgen.train_state import TrainState, apply, create, descend, moving_average
from jaxgen.typing import (
    Batch,
    Collections,
    Key,
    Latents,
    Metrics,
    Params,
    PerExample,
    Points,
    Scalar,
    Shape,
)


@dataclass(frozen=True)
class Config:
    """Settings of Algorithm 1, with the paper's defaults."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape for other data
    value_range: ValueRange = (-1.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    latent_dim: int = 128  # size of z ~ N(0, I)
    generator: nn.Module = MLP()  # z to image
    critic: nn.Module = MLP(negative_slope=0.2)  # image to score; each example on its own
    penalty_weight: float = 10.0  # lambda
    one_sided: bool = False  # penalise only slopes above 1
    critic_steps: int = 5  # n_critic, critic updates for each update of the generator
    generator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.0, b2=0.9))
    critic_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.0, b2=0.9))
    ema_decay: float = 0.999  # of the moving average of the generator; 0 samples from the generator itself

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.latent_dim >= 1, "latent_dim", self.latent_dim, "at least 1")
        require(self.penalty_weight >= 0, "penalty_weight", self.penalty_weight, "at least 0")
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


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    critic: TrainState
    ema: Params  # moving average of the generator's variables


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a critic with batch statistics."""
    key_generator, key_critic = jax.random.split(key)
    latents = jnp.zeros((1, config.latent_dim))
    images = jnp.zeros((1, *config.image_shape))
    generator = create(config.generator, config.generator_optimizer, key_generator, latents, config.image_shape)
    critic = create(config.critic, config.critic_optimizer, key_critic, images, ())
    if critic.collections:
        raise ValueError(
            "the gradient penalty needs a critic that scores each example on its own, but this one keeps "
            f"{sorted(critic.collections)}: use layer normalisation or none in place of batch normalisation"
        )
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
    outputs, collections = apply(
        config.generator,
        params,
        collections,
        latents,
        config.image_shape,
        train=train,
        axis_name=axis_name,
    )
    return squash(outputs, config.value_range), collections


def score(config: Config, params: Params, images: Points) -> PerExample:
    """D(x)."""
    return config.critic.apply({"params": params}, images, ())  # pyright: ignore[reportReturnType]


def critic_loss(
    config: Config, params: Params, real: Points, fake: Points, mix: PerExample
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """Equation 3, mean over the batch. `mix` is eps, uniform in [0, 1), one for each example."""
    critic = functools.partial(score, config, params)
    # One pass for both; interleaved, so that devices that share the batch exchange nothing.
    pairs = jnp.stack([real, fake], axis=1).reshape(-1, *real.shape[1:])
    real_scores, fake_scores = critic(pairs).reshape(-1, 2).T
    distance = -wasserstein_critic(real_scores, fake_scores).mean()
    points = interpolate(real, fake, mix)
    penalty = gradient_penalty(critic, points, one_sided=config.one_sided).mean()
    loss = -distance + config.penalty_weight * penalty
    return loss, (
        {"critic_loss": loss, "wasserstein_estimate": distance, "gradient_penalty": penalty},
        {},
    )


def generator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    critic_params: Params,
    latents: Latents,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """-E[D(G(z))], mean over the batch."""
    fake, collections = generate(config, params, collections, latents, train=True, axis_name=axis_name)
    loss = wasserstein_generator(score(config, critic_params, fake)).mean()
    return loss, ({"generator_loss": loss}, collections)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1: n_critic steps of the critic, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: n_critic minibatches, (n_critic * m, ...), uint8 or floats in range; step t takes every n_critic-th
            example from the t-th on, so that the minibatches are the same however many devices share them.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of the critic (means over its steps) and of the generator.
    """
    key_latents, key_mix, key_generator = jax.random.split(key, 3)
    # Noise for all critic steps in one draw each: on a CPU every draw is a loop of many small operations.
    latents = draw_latents(config, key_latents, len(batch), axis_name)
    mix = draw(jax.random.uniform, key_mix, len(batch), axis_name)
    real, latents, mix = [split(array, config.critic_steps) for array in (batch, latents, mix)]
    frozen = state.generator.params, state.generator.collections
    # The generator rests, so all fakes come from one pass, though each minibatch keeps its own batch statistics.
    fake, _ = jax.vmap(lambda latents: generate(config, *frozen, latents, train=True, axis_name=axis_name))(latents)

    def critic_step(critic: TrainState, minibatch):  # lines 2 to 10
        real, fake, mix = minibatch
        real = scale(real, config.value_range)
        return descend(critic, lambda params: critic_loss(config, params, real, fake, mix), axis_name, player="critic")

    critic, critic_metrics = jax.lax.scan(critic_step, state.critic, (real, fake, mix))

    latents = draw_latents(config, key_generator, len(batch) // config.critic_steps, axis_name)  # lines 11 and 12
    generator, generator_metrics = descend(
        state.generator,
        lambda params: generator_loss(config, params, state.generator.collections, critic.params, latents, axis_name),
        axis_name,
        player="generator",
    )
    ema = moving_average(state.ema, generator.variables, config.ema_decay, generator.step)
    metrics = {name: values.mean() for name, values in critic_metrics.items()} | generator_metrics
    return State(generator, critic, ema), metrics | watch.diversity(
        scale(real[0], config.value_range), fake[0], axis_name
    )


def sample(config: Config, state: State, key: Key, num: int) -> Points:
    """`num` images from the moving average of the generator."""
    return from_latents(config, state, draw_latents(config, key, num))


def from_latents(config: Config, state: State, latents: Latents) -> Points:
    """G(z) of the moving average of the generator."""
    collections = dict(state.ema)
    params = collections.pop("params")
    return generate(config, params, collections, latents)[0]


def draw_latents(config: Config, key: Key, num: int, axis_name: str | None = None) -> Latents:
    """z ~ N(0, I) for each example."""
    return Normal(config.latent_dim).draw(key, num, axis_name)


def judge(config: Config, state: State, points: Points) -> PerExample:
    """D(x) of each point."""
    return score(config, state.critic.params, points)
