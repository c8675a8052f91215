"""Labels of an image, several at a time, by a conditional GAN: the image is the condition, the labels are made.

Tsai, Lee: Adversarial Learning of Label Dependency: A Novel Framework for Multi-class Classification, 2018, arXiv
1811.04689. Its abstract has the idea: the classifier is the generator, and a discriminator tells label vectors of the
data from its own. Weights, networks and what the discriminator sees are not taken from there but chosen here.

The generator gives an image x the logits l(x) of L labels, p = sigmoid(l). Real vectors y are binary, and the generated
ones are made so, or the discriminator would win by seeing which are: with u uniform in [0, 1)

    y~ = [u < p(x)] + (p(x) - stop(p(x)))                                                                 (1)

whose values are 0 and 1 and whose gradient is that of p (straight-through). With the objective of equation 1 of a GAN,

    -E[log D(x, y)] - E[log(1 - D(x, y~))]                                  by the discriminator          (2)
    E[1/L sum_i CE(y_i, p_i(x))] + lambda E[-log D(x, y~)]                  by the generator              (3)

The best D has the logit log p(y|x) / p(y~|x), which is minus infinity for labels that never occur together: a loss of
each label alone knows nothing of that. With lambda = 0 equation 3 is the cross-entropy of independent labels.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import MultiLabelled
from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange, scale
from jaxgen.losses import bernoulli_nll
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.conditioning import TiledCondition
from jaxgen.nets.conv import ConvCritic
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import draw, pass_key
from jaxgen.train_state import LossOutput, TrainState, apply, blank, create, descend, training_mode
from jaxgen.typing import AxisName, Images, Key, Metrics, Points, Scalar, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; none is the paper's."""

    image_shape: Shape = (32, 32, 3)
    value_range: ValueRange = (-1.0, 1.0)
    num_attributes: PositiveInt = 40  # L, of the label vectors
    adversarial_weight: NonNegativeFloat = 0.1  # lambda
    objective: Objective = NonSaturating()  # what the players minimise: equation 2, and the second term of 3
    generator: nn.Module = ConvCritic(16)  # image to logits of labels
    discriminator: nn.Module = TiledCondition(ConvCritic(16))  # image and labels to score
    generator_optimizer: Optimizer = Optimizer(1e-3, Adam())
    discriminator_optimizer: Optimizer = Optimizer(1e-3, Adam())

    batch_type: ClassVar = MultiLabelled


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    image, shape = blank(config.image_shape), (config.num_attributes,)
    generator = create(config.generator, config.generator_optimizer, key_generator, image, shape)
    inputs = image, blank(shape), ()
    return State(generator, create(config.discriminator, config.discriminator_optimizer, key_discriminator, *inputs))


def generate(config: Config, variables: Variables, images: Images, mode: Mode = EVALUATION) -> tuple[Points, Variables]:
    """l(x), the logits of the labels, (batch, L), and the variables after the pass."""
    return apply(config.generator, variables, images, (config.num_attributes,), mode=mode)


def draw_labels(logits: Points, noise: Points) -> Points:
    """Equation 1: labels drawn with the probabilities of the logits, 0 or 1, with the gradient of the probabilities.

    Args:
        logits: (batch, L).
        noise: u, uniform in [0, 1), in the same shape.
    """
    probabilities = jax.nn.sigmoid(logits)
    drawn = (noise < probabilities).astype(probabilities.dtype)
    return drawn + (probabilities - jax.lax.stop_gradient(probabilities))  # of exactly 0


def cross_entropy(config: Config, variables: Variables, images: Images, labels: Points, mode: Mode) -> LossOutput:
    """1/L sum_i CE(y_i, p_i(x)), the mean over the batch: the first term of equation 3."""
    logits, after = generate(config, variables, images, mode)
    loss = independent_error(logits, labels)
    return loss, ({"cross_entropy": loss}, after)


def independent_error(logits: Points, labels: Points) -> Scalar:
    """1/L sum_i CE(y_i, p_i), the mean over the batch, of logits and labels (batch, L)."""
    return bernoulli_nll(logits, labels).mean() / labels.shape[1]


def discriminator_loss(
    config: Config, variables: Variables, images: Images, labels: tuple[Points, Points], mode: Mode
) -> LossOutput:
    """Equation 2, the mean over the batch; `labels` are real and drawn ones of the same images."""
    real, fake = ((images, each) for each in labels)
    scores, after = score_both(scorer(config.discriminator), variables, real, fake, mode)
    loss = config.objective.discriminator(*scores, axis_name=mode.axis_name).mean()
    metrics = {"discriminator_loss": loss, "real_score": scores[0].mean(), "fake_score": scores[1].mean()}
    return loss, (metrics, after)


def generator_loss(
    config: Config,
    variables: Variables,
    opponent: Variables,
    batch: tuple[Images, Points],
    noise: Points,
    mode: Mode,
) -> LossOutput:
    """Equation 3, the mean over the batch of images and labels."""
    images, labels = batch
    logits, after = generate(config, variables, images, mode)
    independent = independent_error(logits, labels)
    real = batch if config.objective.needs_real else None
    fake = images, draw_labels(logits, noise)
    scores, _ = score_both(scorer(config.discriminator), opponent, real, fake, mode.stream(1))
    adversarial = config.objective.generator(*scores, axis_name=mode.axis_name).mean()
    loss = independent + config.adversarial_weight * adversarial
    return loss, ({"cross_entropy": independent, "adversarial_loss": adversarial, "generator_loss": loss}, after)


def update(
    config: Config, state: State, batch: MultiLabelled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, on one minibatch.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range, and their label vectors, (batch, L) of 0 and 1.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_fake, key_fake_pass, key_pass, key_noise, key_generator_pass = jax.random.split(key, 5)
    images, labels = scale(batch.images, config.value_range), batch.attributes.astype(jnp.float32)
    num = len(images)

    def uniform(key: Key) -> Points:
        return draw(lambda one: jax.random.uniform(one, (config.num_attributes,)), key, num, axis_name)

    def mode(player: TrainState, key: Key) -> Mode:
        return training_mode(player, pass_key(key), num, axis_name)

    logits, _ = generate(config, state.generator.variables, images, mode(state.generator, key_fake_pass))
    fake = jax.lax.stop_gradient(draw_labels(logits, uniform(key_fake)))
    inputs = images, (labels, fake), mode(state.discriminator, key_pass)
    loss = partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    inputs = (images, labels), uniform(key_noise), mode(state.generator, key_generator_pass)
    loss = partial(generator_loss, config)
    given = discriminator.variables, *inputs
    generator, metrics_g = descend(state.generator, loss, given, axis_name, "generator")
    return State(generator, discriminator), metrics_d | metrics_g


def label_logits(config: Config, state: State, images: Images) -> Points:
    """l(x) of images in the value range, (batch, L): above 0 where a label is likelier than not."""
    return generate(config, state.generator.variables, images)[0]
