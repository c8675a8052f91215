"""WGAN-GP with an auxiliary classifier: the conditional model of Gulrajani et al. for CIFAR-10.

Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville: Improved Training of Wasserstein GANs, 2017, arXiv 1704.00028, section
5.4 and appendix F; weights and batches of the authors' code. The generator is given the class y, by conditional batch
norm, and the critic has a second output, P(y|x). Minimised are, with x^ between x and x~ = G(z, y),

    E[D(x~)] - E[D(x)] + lambda E[(||grad D(x^)||_2 - 1)^2] - a E[log P(y|x)]    by the critic, on real images alone,
    -E[D(G(z, y))] - b E[log P(y|G(z, y))]                                       by the generator.

In addition to the paper, a moving average of the generator's weights may be kept. Left out is the noise of one grey
level that the authors add to the images.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax

from jaxgen.batches import Labelled
from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.conditions import draw_labels, one_hot
from jaxgen.gans import networks
from jaxgen.gans.critic_game import Game, critic_steps, critic_value
from jaxgen.gans.discrimination import FAKE, require_no_batch_statistics
from jaxgen.gans.latent_consistency import keep_apart
from jaxgen.gans.networks import CriticState, create_with_critic, generate, generator_step, two_headed
from jaxgen.gans.regularization import Regularization
from jaxgen.gans.top_k import mean_of_best
from jaxgen.images import ValueRange
from jaxgen.losses.adversarial import wasserstein_generator
from jaxgen.losses.information import cross_entropy
from jaxgen.metrics.classification import accuracy
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import LabelledDefaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.conditioning import InnerCondition
from jaxgen.nets.resnet import ResNetCritic, ResNetGenerator
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.priors import Normal, Prior
from jaxgen.train_state import LossOutput, training_mode
from jaxgen.typing import AxisName, Key, Labels, Latents, Metrics, PerExample, Points, Shape, Variables


@dataclass(frozen=True)
class Config(LabelledDefaults):
    """Settings; the defaults are those of the authors' code for CIFAR-10, 100,000 updates of 5 minibatches of 64."""

    image_shape: Shape = (32, 32, 3)
    value_range: ValueRange = (-1.0, 1.0)
    prior: Prior = Normal(128)  # of z
    generator: nn.Module = InnerCondition(ResNetGenerator())  # z and y to image
    critic: nn.Module = ResNetCritic()  # image to score and class logits, the score first; each example on its own
    penalty_weight: NonNegativeFloat = 10.0  # lambda
    one_sided: bool = False  # penalise only slopes above 1
    class_weight: NonNegativeFloat = 1.0  # a, of the critic
    generator_class_weight: NonNegativeFloat = 0.1  # b
    critic_steps: PositiveInt = 5  # n_critic, critic updates for each update of the generator
    regularization: Regularization = Regularization()  # consistency of images and latents, LeCam, R1, R2, top-k
    generator_batches: PositiveInt = 2  # minibatches of fakes in the generator's step
    generator_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.0, b2=0.9), schedule=LinearDecay(100_000))
    critic_optimizer: Optimizer = Optimizer(2e-4, Adam(b1=0.0, b2=0.9), schedule=LinearDecay(500_000))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn

    minibatches: ClassVar = property(lambda self: self.critic_steps)


State: TypeAlias = CriticState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a critic with batch statistics."""
    state = create_with_critic(config, key, (config.num_classes,), outputs=(1 + config.num_classes,))
    require_no_batch_statistics(state.critic)
    return state


def critic_loss(
    config: Config, variables: Variables, real: tuple[Points, Labels], fake: Points, mix: PerExample, mode: Mode
) -> LossOutput:
    """The critic's, mean over the batch; `mix` is eps, uniform in [0, 1)."""
    (images, labels), critic = real, two_headed(config.critic, config.num_classes)
    outputs, (value, (metrics, after)) = critic_value(config, critic, variables, (images, fake, mix), mode)
    (_, logits), _ = outputs
    classes = cross_entropy(logits, labels).mean()
    loss = value + config.class_weight * classes
    metrics |= {"critic_loss": loss, "class_loss": classes, "accuracy": accuracy(logits, labels)}
    return loss, (metrics, after)


def generator_loss(
    config: Config, variables: Variables, critic: Variables, labels: Labels, latents: Latents, mode: Mode
) -> LossOutput:
    """The generator's, mean over the batch."""
    given = latents, one_hot(labels, config.num_classes)
    fake, after = generate(config, variables, *given, mode=mode)
    apart, logged = keep_apart(config, variables, given, fake, mode)
    (scores, logits), _ = two_headed(config.critic, config.num_classes)(critic, fake, mode.stream(FAKE))
    source = mean_of_best(config.regularization.top_k, wasserstein_generator(scores), scores, mode)
    loss = source + config.generator_class_weight * cross_entropy(logits, labels).mean()
    metrics = {"generator_loss": loss, "fake_accuracy": accuracy(logits, labels)}
    return loss + apart, (metrics | logged, after)


def update(
    config: Config, state: State, batch: Labelled, key: Key, *, axis_name: AxisName = None
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
    key_latents, key_mix, key_generator, key_labels, key_pass, key_generator_pass = jax.random.split(key, 6)
    game = Game(two_headed(config.critic, config.num_classes), critic_loss)
    keys = key_latents, key_mix, key_pass
    critic, metrics_d = critic_steps(config, state, batch, keys, game, axis_name)

    size = config.generator_batches * len(batch.labels) // config.critic_steps
    labels = draw_labels(key_labels, size, config.num_classes, axis_name)
    mode = training_mode(state.generator, key_generator_pass, size, axis_name)
    inputs = critic.variables, labels, config.prior.draw(key_generator, size, axis_name), mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, critic, ema), metrics_d | metrics_g


def discriminate(config: Config, state: State, points: Points, condition: Labels | None = None) -> PerExample:
    """D(x) of each image, whatever its class, without dropout."""
    return two_headed(config.critic, config.num_classes)(state.critic.variables, points, EVALUATION)[0][0]


from_latents, sample = networks.from_latents_and_labels, networks.sample_labelled
