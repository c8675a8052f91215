"""Auxiliary classifier GAN (AC-GAN).

Odena, Olah, Shlens: Conditional Image Synthesis with Auxiliary Classifier GANs, 2016, arXiv 1610.09585.

The generator is given the class y; the discriminator predicts it. With the log-likelihoods of the right source
(equation 2) and of the right class (equation 3),

    L_S = E[log D(x)] + E[log(1 - D(G(z, y)))],    L_C = E[log P(y|x)] + E[log P(y|G(z, y))],

the discriminator maximises L_S + L_C and the generator L_C - L_S, here in the non-saturating form of `NonSaturating`.
Fakes are made for the labels of the batch, so that real and fake examples have the same classes.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax

from jaxgen.batches import Labelled
from jaxgen.checks import NonNegativeFloat
from jaxgen.conditions import one_hot
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import diversity
from jaxgen.gans.discrimination import Discrimination
from jaxgen.gans.game import discriminator_step_value, generator_value, score_fakes
from jaxgen.gans.latent_consistency import keep_apart, neighbours, with_latent_consistency
from jaxgen.gans.networks import AdversarialState, create_adversaries, generate, generator_step, two_headed
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.gans.regularization import Regularization
from jaxgen.images import ValueRange, scale
from jaxgen.losses.information import auxiliary_classifier, cross_entropy
from jaxgen.metrics.classification import accuracy
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import LabelledDefaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.acgan import ACGANDiscriminator, ACGANGenerator
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.train_state import LossOutput, descend, training_mode
from jaxgen.typing import AxisName, Key, Labels, Latents, Metrics, PerExample, Points, Shape, Variables


@dataclass(frozen=True)
class Config(LabelledDefaults):
    """Settings; the defaults are the paper's for CIFAR-10."""

    image_shape: Shape = (32, 32, 3)
    value_range: ValueRange = (-1.0, 1.0)
    prior: Prior = Normal(100)  # of z
    generator: nn.Module = ConcatCondition(ACGANGenerator())  # z and y to image
    discriminator: nn.Module = ACGANDiscriminator()  # image to score and class logits, the score first
    objective: Objective = NonSaturating()  # L_S, as the players minimise it
    class_weight: NonNegativeFloat = 1.0  # of L_C, relative to L_S
    discrimination: Discrimination = Discrimination()  # how D is shown real and fake examples
    regularization: Regularization = Regularization()  # consistency of images and latents, LeCam, R1, R2, top-k
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    return create_adversaries(config, key, (config.num_classes,), outputs=(1 + config.num_classes,))


def discriminator_loss(
    config: Config, variables: Variables, real: Points, fake: Points, labels: Labels, mode: Mode
) -> LossOutput:
    """-(L_S + L_C), mean over the batch."""
    network = two_headed(config.discriminator, config.num_classes)
    outputs, (source, (metrics, variables)) = discriminator_step_value(config, network, variables, real, fake, mode)
    (_, real_logits), (_, fake_logits) = outputs
    classes = auxiliary_classifier(real_logits, labels, fake_logits, labels).mean()
    metrics |= {"class_loss": classes, "accuracy": accuracy(real_logits, labels)}
    return source + config.class_weight * classes, (metrics, variables)


def generator_loss(
    config: Config,
    variables: Variables,
    opponent: Variables,
    real: tuple[Points, Labels],
    latents: Latents,
    mode: Mode,
) -> LossOutput:
    """-(L_C - L_S), L_S in the objective's form, mean over the batch; the fakes are of the real images' classes."""
    images, labels = real
    given = latents, one_hot(labels, config.num_classes)
    fake, after = generate(config, variables, *given, mode=mode)
    apart, logged = keep_apart(config, variables, given, fake, mode)
    network = two_headed(config.discriminator, config.num_classes)
    scores, (_, logits) = zip(*score_fakes(config, network, opponent, images, fake, mode), strict=True)
    source, metrics = generator_value(config, *scores, mode)
    classes = cross_entropy(logits, labels).mean()
    metrics |= {"fake_accuracy": accuracy(logits, labels)} | logged
    return source + config.class_weight * classes + apart, (metrics, after)


def update(
    config: Config, state: State, batch: Labelled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: images, uint8 or floats in range, and labels below `num_classes`.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_fake, key_latents, key_pass, key_generator_pass = jax.random.split(key, 4)
    num = len(batch.labels)
    real, classes = scale(batch.images, config.value_range), one_hot(batch.labels, config.num_classes)

    mode = training_mode(state.generator, key_pass, num, axis_name)
    latents = config.prior.draw(key_fake, num, axis_name)
    fake, _ = generate(config, state.generator.variables, latents, classes, mode=mode)
    near = neighbours(config, state.generator.variables, (latents, classes), mode)
    inputs = (fake, near), real, fake, batch.labels, mode
    network = two_headed(config.discriminator, config.num_classes)
    loss = with_latent_consistency(config, network, partial(discriminator_loss, config))
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    mode = training_mode(state.generator, key_generator_pass, num, axis_name)
    inputs = discriminator.variables, (real, batch.labels), config.prior.draw(key_latents, num, axis_name), mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), metrics_d | metrics_g | diversity(real, fake, axis_name)


def discriminate(config: Config, state: State, points: Points, condition: Labels | None = None) -> PerExample:
    """D's score of each image, whatever its class, with running statistics and without dropout."""
    network = two_headed(config.discriminator, config.num_classes)
    return network(state.discriminator.variables, points, EVALUATION)[0][0]


from_latents, sample = networks.from_latents_and_labels, networks.sample_labelled
