"""Conditional GAN.

Mirza, Osindero: Conditional Generative Adversarial Nets, 2014, arXiv 1411.1784.

Both players are told the class y. Minimised are, for the `NonSaturating` objective and equation 2 of the paper,

    -E[log D(x|y)] - E[log(1 - D(G(z|y)|y))]    by the discriminator,
    -E[log D(G(z|y)|y)]                         by the generator, D being told the y that G was told.

Fakes are made for the labels of the batch, so that real and fake examples have the same classes. `ConcatCondition` and
`ChannelCondition` of `jaxgen.nets.conditioning` tell any network a class; the defaults are the paper's perceptrons.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array
from jaxtyping import Key as KeyArray

from jaxgen.checks import require
from jaxgen.gans import discrimination, watch
from jaxgen.gans.discrimination import Chance, Discrimination
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.priors import Prior, Uniform
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.nets.conditional_mlp import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from jaxgen.nets.dropout import drops
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.train_state import TrainState, apply, create, descend, moving_average
from jaxgen.typing import (
    Collections,
    Key,
    Labelled,
    Labels,
    Latents,
    Metrics,
    Params,
    PerExample,
    Points,
    Scalar,
    Shape,
)

Keys: TypeAlias = KeyArray[Array, "batch"] | None
"""Of dropout, one for each example."""


@dataclass(frozen=True)
class Config:
    """Settings; the defaults are the paper's for MNIST, but for its decay of the learning rate."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape for other data
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    num_classes: int = 10  # of the labels
    prior: Prior = Uniform(100)  # of z
    generator: nn.Module = ConditionalMLPGenerator()  # z and y to image
    discriminator: nn.Module = ConditionalMLPDiscriminator()  # image and y to score
    objective: Objective = NonSaturating()  # what the players minimise
    view: Discrimination = Discrimination()  # batches, noise and flips of the discriminator
    generator_optimizer: Optimizer = SGD(0.1, momentum=0.5)
    discriminator_optimizer: Optimizer = SGD(0.1, momentum=0.5)
    ema_decay: float = 0.0  # of the moving average of the generator; 0 samples from the generator itself

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.num_classes >= 1, "num_classes", self.num_classes, "at least 1")
        require(0 <= self.ema_decay < 1, "ema_decay", self.ema_decay, "in [0, 1)")

    @property
    def minibatches(self) -> int:
        """One update takes one minibatch."""
        return 1

    @property
    def batch_type(self) -> type[Labelled]:
        """Images and their labels."""
        return Labelled


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState
    ema: Params  # moving average of the generator's variables


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    latents, classes = jnp.zeros((1, config.prior.dim)), jnp.zeros((1, config.num_classes))
    images = jnp.zeros((1, *config.image_shape))
    inputs = latents, classes, config.image_shape
    generator = create(config.generator, config.generator_optimizer, key_generator, *inputs)
    inputs = images, classes, ()
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, *inputs)
    return State(generator, discriminator, ema=generator.variables)


def generate(
    config: Config,
    params: Params,
    collections: Collections,
    latents: Latents,
    labels: Labels,
    keys: Keys = None,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Points, Collections]:
    """G(z|y), and the generator's collections after it; `keys` are those of its dropout."""
    inputs = latents, jax.nn.one_hot(labels, config.num_classes), config.image_shape
    options = {"train": train, "axis_name": axis_name} | ({} if keys is None else {"keys": keys})
    outputs, collections = apply(config.generator, params, collections, *inputs, **options)
    return squash(outputs, config.value_range), collections


def score(
    config: Config,
    params: Params,
    collections: Collections,
    images: Points,
    labels: Labels,
    noise: Points | None = None,
    keys: Keys = None,
    axis_name: str | None = None,
) -> tuple[PerExample, Collections]:
    """D(x + noise|y) in training, and its collections after it; `keys` are those of its dropout."""
    classes = jax.nn.one_hot(labels, config.num_classes)
    inputs = config.discriminator, params, collections, images, classes, ()
    return discrimination.look(*inputs, noise=noise, keys=keys, axis_name=axis_name)


def discriminator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    real: Points,
    fake: Points,
    labels: Labels,
    luck: Chance,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """The objective's, mean over the batch: -E[log D(x|y)] - E[log(1 - D(G(z|y)|y))]."""

    def judge(inputs, collections):
        return score(config, params, collections, *inputs, axis_name=axis_name)

    inputs = (real, labels, luck.real_noise, luck.real_keys), (fake, labels, luck.fake_noise, luck.fake_keys)
    scores, collections = discrimination.in_batches(judge, collections, *inputs, joint=config.view.joint)
    taken = discrimination.flip(luck.flipped, *scores)
    loss = config.objective.discriminator(*taken, axis_name=axis_name).mean()
    certainty = watch.certainty(config.objective, *scores, axis_name)
    return loss, ({"discriminator_loss": loss} | certainty, collections)


def generator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    discriminator: TrainState,
    latents: Latents,
    labels: Labels,
    real: Points,
    luck: Chance,
    keys: Keys = None,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """The objective's, mean over the batch: -E[log D(G(z|y)|y)], with the same y for both."""
    fake, collections = generate(config, params, collections, latents, labels, keys, train=True, axis_name=axis_name)
    opponent = config, discriminator.params, discriminator.collections
    fake_scores, _ = score(*opponent, fake, labels, luck.fake_noise, luck.fake_keys, axis_name)
    real_scores = None
    if config.objective.needs_real:
        real_scores, _ = score(*opponent, real, labels, luck.real_noise, luck.real_keys, axis_name)
    loss = config.objective.generator(fake_scores, real_scores, axis_name=axis_name).mean()
    return loss, ({"generator_loss": loss} | watch.diversity(real, fake, axis_name), collections)


def update(
    config: Config, state: State, batch: Labelled, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range, and labels below `num_classes`.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    num, step = len(batch.labels), state.generator.step
    key_fake, key_latents, *key_chances, key_drops, key_drop = jax.random.split(key, 6)
    real = scale(batch.images, config.value_range)
    asked = config.view, config.discriminator
    lucks = [discrimination.chance(*asked, k, num, config.image_shape, step, axis_name) for k in key_chances]

    frozen = config, state.generator.params, state.generator.collections
    latents = config.prior.draw(key_fake, num, axis_name)
    keys = _dropout_keys(config.generator, key_drops, num, axis_name)
    fake, _ = generate(*frozen, latents, batch.labels, keys, train=True, axis_name=axis_name)
    inputs = state.discriminator.collections, real, fake, batch.labels, lucks[0], axis_name
    discriminator, discriminator_metrics = descend(
        state.discriminator,
        lambda params: discriminator_loss(config, params, *inputs),
        axis_name,
        player="discriminator",
    )

    latents = config.prior.draw(key_latents, num, axis_name)
    keys = _dropout_keys(config.generator, key_drop, num, axis_name)
    rest = state.generator.collections, discriminator, latents, batch.labels, real, lucks[1], keys, axis_name
    generator, generator_metrics = descend(
        state.generator, lambda params: generator_loss(config, params, *rest), axis_name, player="generator"
    )
    ema = moving_average(state.ema, generator.variables, config.ema_decay, generator.step)
    return State(generator, discriminator, ema), discriminator_metrics | generator_metrics


def _dropout_keys(net: nn.Module, key: Key, num: int, axis_name: str | None) -> Keys:
    return example_keys(key, num, axis_name) if drops(net) else None


def sample(config: Config, state: State, key: Key, num: int, labels: Labels | None = None) -> Points:
    """`num` images from the moving average of the generator; without labels, image i is of class i mod num_classes."""
    return from_latents(config, state, draw_latents(config, key, num), labels)


def from_latents(config: Config, state: State, latents: Latents, labels: Labels | None = None) -> Points:
    """G(z|y) of the moving average of the generator; labels as in `sample`."""
    if labels is None:
        labels = jnp.arange(len(latents), dtype=jnp.int32) % config.num_classes
    collections = dict(state.ema)
    params = collections.pop("params")
    return generate(config, params, collections, latents, labels)[0]


def draw_latents(config: Config, key: Key, num: int) -> Latents:
    """z of the prior for each image."""
    return config.prior.draw(key, num)
