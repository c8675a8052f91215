"""Auxiliary classifier GAN (AC-GAN).

Odena, Olah, Shlens: Conditional Image Synthesis with Auxiliary Classifier GANs, 2016, arXiv 1610.09585.

The generator is told the class y; the discriminator names it. With the log-likelihoods of the right source (equation 2)
and of the right class (equation 3),

    L_S = E[log D(x)] + E[log(1 - D(G(z, y)))],    L_C = E[log P(y|x)] + E[log P(y|G(z, y))],

the discriminator maximises L_S + L_C and the generator L_C - L_S, here in the non-saturating form of `NonSaturating`.
Fakes are made for the labels of the batch, so that real and fake examples have the same classes.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from jaxtyping import Key as KeyArray

from jaxgen.checks import require
from jaxgen.gans import discrimination, watch
from jaxgen.gans.discrimination import Chance, Discrimination
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.priors import Normal, Prior
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.losses.information import auxiliary_classifier, cross_entropy
from jaxgen.metrics.classification import accuracy
from jaxgen.nets.acgan import ACGANDiscriminator, ACGANGenerator
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.optimizers import Adam, Optimizer
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

Logits: TypeAlias = Float[Array, "batch classes"]


@dataclass(frozen=True)
class Config:
    """Settings; the defaults are the paper's for CIFAR-10."""

    image_shape: Shape = (32, 32, 3)  # height, width, channels; any shape for other data
    value_range: ValueRange = (-1.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    num_classes: int = 10  # of the labels
    prior: Prior = Normal(100)  # of z
    generator: nn.Module = ConcatCondition(ACGANGenerator())  # z and y to image
    discriminator: nn.Module = ACGANDiscriminator()  # image to score and class logits, the score first
    objective: Objective = NonSaturating()  # L_S, as the players minimise it
    class_weight: float = 1.0  # of L_C beside L_S
    view: Discrimination = Discrimination()  # batches, noise and flips of the discriminator
    generator_optimizer: Optimizer = Adam(2e-4, b1=0.5)
    discriminator_optimizer: Optimizer = Adam(2e-4, b1=0.5)
    ema_decay: float = 0.0  # of the moving average of the generator; 0 samples from the generator itself

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.num_classes >= 1, "num_classes", self.num_classes, "at least 1")
        require(self.class_weight >= 0, "class_weight", self.class_weight, "at least 0")
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
    inputs = latents, classes, config.image_shape
    generator = create(config.generator, config.generator_optimizer, key_generator, *inputs)
    inputs = jnp.zeros((1, *config.image_shape)), (1 + config.num_classes,)
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, *inputs)
    return State(generator, discriminator, ema=generator.variables)


def generate(
    config: Config,
    params: Params,
    collections: Collections,
    latents: Latents,
    labels: Labels,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Points, Collections]:
    """G(z, y), and the generator's collections after it."""
    inputs = latents, jax.nn.one_hot(labels, config.num_classes), config.image_shape
    outputs, collections = apply(config.generator, params, collections, *inputs, train=train, axis_name=axis_name)
    return squash(outputs, config.value_range), collections


def judge(
    config: Config,
    params: Params,
    collections: Collections,
    images: Points,
    noise: Points | None = None,
    keys: KeyArray[Array, "batch"] | None = None,
    axis_name: str | None = None,
) -> tuple[tuple[PerExample, Logits], Collections]:
    """D's score of the source and the class logits of x + noise in training, and its collections after it."""
    inputs = config.discriminator, params, collections, images, (1 + config.num_classes,)
    outputs, collections = discrimination.look(*inputs, noise=noise, keys=keys, axis_name=axis_name)
    return (outputs[:, 0], outputs[:, 1:]), collections


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
    """-(L_S + L_C), mean over the batch."""

    def look(inputs, collections):
        return judge(config, params, collections, *inputs, axis_name=axis_name)

    inputs = (real, luck.real_noise, luck.real_keys), (fake, luck.fake_noise, luck.fake_keys)
    seen, collections = discrimination.in_batches(look, collections, *inputs, joint=config.view.joint)
    (real_scores, real_logits), (fake_scores, fake_logits) = seen
    scores = discrimination.flip(luck.flipped, real_scores, fake_scores)
    source = config.objective.discriminator(*scores, axis_name=axis_name).mean()
    classes = auxiliary_classifier(real_logits, labels, fake_logits, labels).mean()
    metrics = {"discriminator_loss": source, "class_loss": classes, "accuracy": accuracy(real_logits, labels)}
    certainty = watch.certainty(config.objective, real_scores, fake_scores, axis_name)
    return source + config.class_weight * classes, (metrics | certainty, collections)


def generator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    discriminator: TrainState,
    latents: Latents,
    labels: Labels,
    real: Points,
    luck: Chance,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """-(L_C - L_S), L_S in the objective's form, mean over the batch."""
    fake, collections = generate(config, params, collections, latents, labels, train=True, axis_name=axis_name)
    opponent = config, discriminator.params, discriminator.collections
    (fake_scores, logits), _ = judge(*opponent, fake, luck.fake_noise, luck.fake_keys, axis_name)
    real_scores = None
    if config.objective.needs_real:
        (real_scores, _), _ = judge(*opponent, real, luck.real_noise, luck.real_keys, axis_name)
    source = config.objective.generator(fake_scores, real_scores, axis_name=axis_name).mean()
    classes = cross_entropy(logits, labels).mean()
    metrics = {"generator_loss": source, "fake_accuracy": accuracy(logits, labels)}
    return source + config.class_weight * classes, (metrics | watch.diversity(real, fake, axis_name), collections)


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
    key_fake, key_latents, *key_chances = jax.random.split(key, 4)
    real = scale(batch.images, config.value_range)
    asked = config.view, config.discriminator
    lucks = [discrimination.chance(*asked, k, num, config.image_shape, step, axis_name) for k in key_chances]

    frozen = config, state.generator.params, state.generator.collections
    latents = config.prior.draw(key_fake, num, axis_name)
    fake, _ = generate(*frozen, latents, batch.labels, train=True, axis_name=axis_name)
    inputs = state.discriminator.collections, real, fake, batch.labels, lucks[0], axis_name
    discriminator, discriminator_metrics = descend(
        state.discriminator,
        lambda params: discriminator_loss(config, params, *inputs),
        axis_name,
        player="discriminator",
    )

    latents = config.prior.draw(key_latents, num, axis_name)
    rest = state.generator.collections, discriminator, latents, batch.labels, real, lucks[1], axis_name
    generator, generator_metrics = descend(
        state.generator, lambda params: generator_loss(config, params, *rest), axis_name, player="generator"
    )
    ema = moving_average(state.ema, generator.variables, config.ema_decay, generator.step)
    return State(generator, discriminator, ema), discriminator_metrics | generator_metrics


def sample(config: Config, state: State, key: Key, num: int, labels: Labels | None = None) -> Points:
    """`num` images from the moving average of the generator; without labels, image i is of class i mod num_classes."""
    return from_latents(config, state, draw_latents(config, key, num), labels)


def from_latents(config: Config, state: State, latents: Latents, labels: Labels | None = None) -> Points:
    """G(z, y) of the moving average of the generator; labels as in `sample`."""
    if labels is None:
        labels = jnp.arange(len(latents), dtype=jnp.int32) % config.num_classes
    collections = dict(state.ema)
    params = collections.pop("params")
    return generate(config, params, collections, latents, labels)[0]


def draw_latents(config: Config, key: Key, num: int) -> Latents:
    """z of the prior for each image."""
    return config.prior.draw(key, num)
