"""WGAN-GP with an auxiliary classifier: the conditional model of Gulrajani et al. for CIFAR-10.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs, 2017, arXiv 1704.00028, section
5.4 and appendix F; weights and batches of the authors' code. The generator is told the class y, by conditional batch
norm, and the critic has a second output, P(y|x). Minimised are, with x^ between x and x~ = G(z, y),

    E[D(x~)] - E[D(x)] + lambda E[(||grad D(x^)||_2 - 1)^2] - a E[log P(y|x)]    by the critic, on real images alone,
    -E[D(G(z, y))] - b E[log P(y|G(z, y))]                                       by the generator.

Beside the paper, a moving average of the generator's weights may be kept. Left out is the noise of one grey level that
the authors add to the images.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxgen.checks import require
from jaxgen.gans import watch
from jaxgen.gans.priors import Normal, Prior
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.losses.adversarial import wasserstein_critic, wasserstein_generator
from jaxgen.losses.information import cross_entropy
from jaxgen.losses.penalties import gradient_penalty, interpolate
from jaxgen.metrics.classification import accuracy
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.parallel import draw, split
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
    """Settings; the defaults are those of the authors' code for CIFAR-10, 100,000 updates of 5 minibatches of 64."""

    image_shape: Shape = (32, 32, 3)  # height, width, channels; any shape for other data
    value_range: ValueRange = (-1.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    num_classes: int = 10  # of the labels
    prior: Prior = Normal(128)  # of z
    generator: nn.Module = InnerCondition(ResNetGenerator())  # z and y to image
    critic: nn.Module = ResNetCritic()  # image to score and class logits, the score first; each example on its own
    penalty_weight: float = 10.0  # lambda
    one_sided: bool = False  # penalise only slopes above 1
    class_weight: float = 1.0  # a, of the critic
    generator_class_weight: float = 0.1  # b
    critic_steps: int = 5  # n_critic, critic updates for each update of the generator
    generator_batches: int = 2  # minibatches of fakes in the generator's step
    generator_optimizer: Optimizer = Adam(2e-4, b1=0.0, b2=0.9, schedule=LinearDecay(100_000))
    critic_optimizer: Optimizer = Adam(2e-4, b1=0.0, b2=0.9, schedule=LinearDecay(500_000))
    ema_decay: float = 0.0  # of the moving average of the generator; 0 samples from the generator itself

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.num_classes >= 1, "num_classes", self.num_classes, "at least 1")
        for name in ("penalty_weight", "class_weight", "generator_class_weight"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        for name in ("critic_steps", "generator_batches"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        require(0 <= self.ema_decay < 1, "ema_decay", self.ema_decay, "in [0, 1)")

    @property
    def minibatches(self) -> int:
        """One update takes a minibatch of size m for each critic step."""
        return self.critic_steps

    @property
    def batch_type(self) -> type[Labelled]:
        """Images and their labels."""
        return Labelled


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    critic: TrainState
    ema: Params  # moving average of the generator's variables


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a critic with batch statistics."""
    key_generator, key_critic = jax.random.split(key)
    latents, classes = jnp.zeros((1, config.prior.dim)), jnp.zeros((1, config.num_classes))
    inputs = latents, classes, config.image_shape
    generator = create(config.generator, config.generator_optimizer, key_generator, *inputs)
    inputs = jnp.zeros((1, *config.image_shape)), (1 + config.num_classes,)
    critic = create(config.critic, config.critic_optimizer, key_critic, *inputs)
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
    labels: Labels,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Points, Collections]:
    """G(z, y), and the generator's collections after it."""
    inputs = latents, jax.nn.one_hot(labels, config.num_classes), config.image_shape
    outputs, collections = apply(config.generator, params, collections, *inputs, train=train, axis_name=axis_name)
    return squash(outputs, config.value_range), collections


def judge(config: Config, params: Params, images: Points) -> tuple[PerExample, Logits]:
    """D(x), and the logits of P(y|x)."""
    outputs = config.critic.apply({"params": params}, images, (1 + config.num_classes,))
    return outputs[:, 0], outputs[:, 1:]  # pyright: ignore[reportCallIssue, reportArgumentType]


def critic_loss(
    config: Config,
    params: Params,
    real: Points,
    fake: Points,
    labels: Labels,
    mix: PerExample,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """The critic's, mean over the batch; `labels` of the real images, `mix` is eps, uniform in [0, 1)."""
    # One pass for both; interleaved, so that devices that share the batch exchange nothing.
    pairs = jnp.stack([real, fake], axis=1).reshape(-1, *real.shape[1:])
    scores, logits = judge(config, params, pairs)
    distance = -wasserstein_critic(scores[0::2], scores[1::2]).mean()
    points = interpolate(real, fake, mix)
    slope = lambda images: judge(config, params, images)[0]  # noqa: E731
    penalty = gradient_penalty(slope, points, one_sided=config.one_sided).mean()
    classes = cross_entropy(logits[0::2], labels).mean()
    loss = -distance + config.penalty_weight * penalty + config.class_weight * classes
    metrics = {"critic_loss": loss, "wasserstein_estimate": distance, "gradient_penalty": penalty}
    metrics |= {"class_loss": classes, "accuracy": accuracy(logits[0::2], labels)}
    return loss, (metrics | watch.diversity(real, fake, axis_name), {})


def generator_loss(
    config: Config,
    params: Params,
    collections: Collections,
    critic_params: Params,
    latents: Latents,
    labels: Labels,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """The generator's, mean over the batch."""
    fake, collections = generate(config, params, collections, latents, labels, train=True, axis_name=axis_name)
    scores, logits = judge(config, critic_params, fake)
    classes = cross_entropy(logits, labels).mean()
    loss = wasserstein_generator(scores).mean() + config.generator_class_weight * classes
    return loss, ({"generator_loss": loss, "fake_accuracy": accuracy(logits, labels)}, collections)


def update(
    config: Config, state: State, batch: Labelled, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1: n_critic steps of the critic, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: n_critic minibatches of images, uint8 or floats in range, and their labels; step t takes every
            n_critic-th example from the t-th on, so that the minibatches are the same on any number of devices.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of the critic (means over its steps) and of the generator.
    """
    key_latents, key_mix, key_generator, key_labels = jax.random.split(key, 4)
    num = len(batch.labels)
    latents = config.prior.draw(key_latents, num, axis_name)
    mix = draw(jax.random.uniform, key_mix, num, axis_name)
    images, labels, latents, mix = split((*batch, latents, mix), config.critic_steps)
    frozen = config, state.generator.params, state.generator.collections
    # The generator rests, so all fakes come from one pass, though each minibatch keeps its own batch statistics.
    fake, _ = jax.vmap(lambda *inputs: generate(*frozen, *inputs, train=True, axis_name=axis_name))(latents, labels)

    def critic_step(critic: TrainState, minibatch):
        real, fake, labels, mix = minibatch
        inputs = scale(real, config.value_range), fake, labels, mix, axis_name
        return descend(critic, lambda params: critic_loss(config, params, *inputs), axis_name, player="critic")

    critic, critic_metrics = jax.lax.scan(critic_step, state.critic, (images, fake, labels, mix))

    size = config.generator_batches * num // config.critic_steps
    latents = config.prior.draw(key_generator, size, axis_name)
    uniform = functools.partial(jax.random.randint, shape=(), minval=0, maxval=config.num_classes)
    labels = draw(uniform, key_labels, size, axis_name)
    inputs = state.generator.collections, critic.params, latents, labels, axis_name
    generator, generator_metrics = descend(
        state.generator, lambda params: generator_loss(config, params, *inputs), axis_name, player="generator"
    )
    ema = moving_average(state.ema, generator.variables, config.ema_decay, generator.step)
    metrics = {name: values.mean() for name, values in critic_metrics.items()} | generator_metrics
    return State(generator, critic, ema), metrics


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
