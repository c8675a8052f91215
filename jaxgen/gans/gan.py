"""Generative adversarial network (GAN), with any objective.

Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio: Generative Adversarial Nets, 2014,
arXiv 1406.2661.

The discriminator D and the generator G play the game of equation 1,

    min_G max_D  E[log D(x)] + E[log(1 - D(G(z)))],

D for k steps, then G for one, each on a minibatch of its own. By default G minimises -log D(G(z)) instead, as the paper
advises in section 3. Other objectives, networks and optimisers make of it DCGAN (arXiv 1511.06434), LSGAN (1611.04076),
SNGAN (1802.05957), hinge (1705.02894) and relativistic (1807.00734) GANs; the stabilising tricks of `Discrimination`
and the moving average of the generator are off.

The paper's Algorithm 1 calls the noise prior p_g(z), which is p_z(z) everywhere else. Its code halves D's loss and
raises the momentum from 0.5 to 0.7 in training; here D's loss is the sum, at half the rate, and the momentum stays.
"""

from dataclasses import dataclass
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.gans import discrimination, watch
from jaxgen.gans.discrimination import Chance, Discrimination
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.priors import Prior, Uniform
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.nets import initializers
from jaxgen.nets.maxout import Maxout
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import SGD, InverseTime, Optimizer
from jaxgen.parallel import split
from jaxgen.train_state import TrainState, apply, create, descend, moving_average
from jaxgen.typing import Batch, Collections, Key, Latents, Metrics, Params, PerExample, Points, Scalar, Shape


@dataclass(frozen=True)
class Config:
    """Settings; the defaults are the paper's for MNIST."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape for other data
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    prior: Prior = Uniform(100, limit=3**0.5)  # p_z
    objective: Objective = NonSaturating()
    generator: nn.Module = MLP((1200, 1200), initializer=initializers.Uniform(0.05))  # z to image
    discriminator: nn.Module = Maxout()  # image to score
    discriminator_steps: int = 1  # k, steps of the discriminator for each of the generator
    view: Discrimination = Discrimination()  # how the discriminator sees real and fake examples
    generator_optimizer: Optimizer = Optimizer(0.1, SGD(momentum=0.5), schedule=InverseTime(4e-6))
    discriminator_optimizer: Optimizer = Optimizer(0.05, SGD(momentum=0.5), schedule=InverseTime(4e-6))
    ema_decay: float = 0.0  # of the moving average of the generator; 0 samples from the generator itself

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.discriminator_steps >= 1, "discriminator_steps", self.discriminator_steps, "at least 1")
        require(0 <= self.ema_decay < 1, "ema_decay", self.ema_decay, "in [0, 1)")

    @property
    def minibatches(self) -> int:
        """One update takes a minibatch of size m for each step of the discriminator."""
        return self.discriminator_steps

    @property
    def batch_type(self) -> None:
        """Images alone."""
        return None


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState
    ema: Params  # moving average of the generator's variables


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    latents = jnp.zeros((1, config.prior.dim))
    images = jnp.zeros((1, *config.image_shape))
    generator = create(config.generator, config.generator_optimizer, key_generator, latents, config.image_shape)
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, images, ())
    return State(generator, discriminator, ema=generator.variables)


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
    luck: Chance,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """What D minimises, mean over the batch: minus the value of equation 1 for the paper's objectives."""
    network = config.view, config.discriminator, params, collections
    scores, collections = discrimination.score_pairs(*network, real, fake, luck, axis_name)
    loss = config.objective.discriminator(*scores, axis_name=axis_name).mean()
    certainty = watch.certainty(config.objective, *discrimination.flip(luck.flipped, *scores), axis_name=axis_name)
    return loss, ({"discriminator_loss": loss, **certainty}, collections)


def generator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    discriminator: TrainState,
    real: Points,
    latents: Latents,
    luck: Chance,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """What G minimises, mean over the batch; the real examples count for relativistic objectives alone."""
    fake, collections = generate(config, params, collections, latents, train=True, axis_name=axis_name)
    network = config.view, config.discriminator, discriminator.params, discriminator.collections
    beside = real if config.objective.needs_real else None
    scores = discrimination.score_fakes(*network, fake, luck, beside, axis_name)
    loss = config.objective.generator(*scores, axis_name=axis_name).mean()
    return loss, ({"generator_loss": loss}, collections)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1: k steps of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: k minibatches, (k * m, ...), uint8 or floats in range, interleaved (`parallel.split`).
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of the discriminator (means over its steps) and of the generator.
    """
    key_latents, key_luck, key_generator, key_generator_luck = jax.random.split(key, 4)
    before, num = state.generator, len(batch) // config.discriminator_steps
    view = config.view, config.discriminator
    luck = discrimination.chance(*view, key_luck, len(batch), config.image_shape, before.step, axis_name)
    latents = draw_latents(config, key_latents, len(batch), axis_name)
    real, latents, luck = split((scale(batch, config.value_range), latents, luck), config.discriminator_steps)
    # The generator rests, so all fakes come from one pass, though each minibatch keeps its own batch statistics.
    frozen = before.params, before.collections
    fake, _ = jax.vmap(lambda latents: generate(config, *frozen, latents, train=True, axis_name=axis_name))(latents)

    def discriminator_step(discriminator: TrainState, minibatch):
        real, fake, luck = minibatch

        def loss(params):
            return discriminator_loss(config, params, discriminator.collections, real, fake, luck, axis_name)

        return descend(discriminator, loss, axis_name, player="discriminator")

    discriminator, metrics = jax.lax.scan(discriminator_step, state.discriminator, (real, fake, luck))

    latents = draw_latents(config, key_generator, num, axis_name)
    luck = discrimination.chance(*view, key_generator_luck, num, config.image_shape, before.step, axis_name)
    inputs = discriminator, real[-1], latents, luck, axis_name
    generator, generator_metrics = descend(
        before,
        lambda params: generator_loss(config, params, before.collections, *inputs),
        axis_name,
        player="generator",
    )
    ema = moving_average(state.ema, generator.variables, config.ema_decay, generator.step)
    metrics = {name: values.mean() for name, values in metrics.items()} | generator_metrics
    return State(generator, discriminator, ema), metrics | watch.diversity(real[0], fake[0], axis_name)


def sample(config: Config, state: State, key: Key, num: int) -> Points:
    """`num` images from the moving average of the generator."""
    return from_latents(config, state, draw_latents(config, key, num))


def from_latents(config: Config, state: State, latents: Latents) -> Points:
    """G(z) of the moving average of the generator."""
    collections = dict(state.ema)
    params = collections.pop("params")
    return generate(config, params, collections, latents)[0]


def draw_latents(config: Config, key: Key, num: int, axis_name: str | None = None) -> Latents:
    """z ~ p_z for each example."""
    return config.prior.draw(key, num, axis_name)


def judge(config: Config, state: State, points: Points) -> PerExample:
    """D's score of each point, with running statistics and without dropout."""
    return apply(config.discriminator, state.discriminator.params, state.discriminator.collections, points, ())[0]
