"""Improved GAN: a classifier that learns from few labels as the discriminator of a GAN, and the tricks around it.

Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen: Improved Techniques for Training GANs, 2016, arXiv 1606.03498.
Odena: Semi-Supervised Learning with Generative Adversarial Networks, 2016, arXiv 1606.01583 (SGAN).

D is a classifier of K classes and of fakes as one more, whose logit is 0. With the logits l of the others and
s = log sum_k exp(l_k), the probability of being real is D(x) = Z / (Z + 1) with Z = exp(s): s is a score like that of
any GAN. With labelled images (x, y) and images x' without labels,

    L_D = E[-l_y + s(x)] + w E[-log D(x') - log(1 - D(G(z)))],                    (1)
    L_G = a ||E f(x') - E f(G(z))||^2 + b E[-log D(G(z))],                        (2)

f the features before the logits. The classifier of few labels is a = 1, b = 0; the game of samples, with minibatch
discrimination in D, is a = 0, b = 1; SGAN is that too, with labelled images also among x'. Either player may pay for
the distance of its params from their mean over time, c ||theta - mean||^2 (historical averaging). One-sided label
smoothing is a setting of the objective, virtual batch normalisation one of the generator (`jaxgen.nets.improved_gan`).

A step of D, then one of G. Classes are named by the moving average of D.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import flax.linen as nn
import jax
from jax.nn import logsumexp

from jaxgen.batches import PartlyLabelled
from jaxgen.checks import NonNegativeFloat, PositiveInt, require
from jaxgen.gans import networks
from jaxgen.gans.diagnostics import certainty, diversity
from jaxgen.gans.discrimination import FAKE, REAL, score_both
from jaxgen.gans.networks import create_players, generate, generator_step, scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import scale
from jaxgen.losses.features import feature_matching
from jaxgen.losses.information import cross_entropy
from jaxgen.losses.weights import historical_averaging, running_mean
from jaxgen.metrics.classification import accuracy
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.improved_gan import ImprovedMLPDiscriminator, ImprovedMLPGenerator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys, gather
from jaxgen.priors import Prior, Uniform
from jaxgen.train_state import LossOutput, TrainState, descend, training_mode
from jaxgen.typing import AxisName, Images, Key, Labels, Latents, Metrics, Params, PerExample, Points, Variables

LABELLED = 5
"""Of the keys of D's pass on labelled images: a stream beside those of `discrimination`."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the authors' for MNIST."""

    num_classes: PositiveInt = 10  # K
    prior: Prior = Uniform(100)  # p(z)
    generator: nn.Module = ImprovedMLPGenerator()  # z to image
    discriminator: nn.Module = ImprovedMLPDiscriminator()  # image to "features" and "logits"
    objective: Objective = NonSaturating()  # of the score s
    unlabelled_weight: NonNegativeFloat = 0.5  # w
    feature_weight: NonNegativeFloat = 1.0  # a
    adversarial_weight: NonNegativeFloat = 0.0  # b
    historical_weight: NonNegativeFloat = 0.0  # c, of both players; 0 keeps no means
    generator_optimizer: Optimizer = Optimizer(3e-3, Adam(b1=0.5))
    discriminator_optimizer: Optimizer = Optimizer(3e-3, Adam(b1=0.5))
    average: MovingAverage = NoAverage()  # of the generator, from which samples are drawn
    classifier_average: MovingAverage = NoAverage()  # of the discriminator, by which classes are named

    batch_type: ClassVar = PartlyLabelled

    def __post_init__(self):
        super().__post_init__()
        weights = self.feature_weight, self.adversarial_weight
        require(max(weights) > 0, "feature_weight and adversarial_weight", weights, "above 0 in one of the two")


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState
    ema: Variables  # moving average of the generator's
    classifier: Variables  # moving average of the discriminator's
    history: dict[str, Params]  # means of the params over all updates, by player; {} without historical averaging


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    player = config.discriminator, config.discriminator_optimizer
    generator, discriminator = create_players(config, player, key, outputs=(config.num_classes,))
    history = {}
    if config.historical_weight > 0:
        history = {"generator": generator.params, "discriminator": discriminator.params}
    return State(generator, discriminator, generator.variables, discriminator.variables, history)


def score(logits: Points) -> PerExample:
    """s = log sum_k exp(l_k), the logit of D(x) = Z / (Z + 1).

    >>> import jax.numpy as jnp
    >>> round(float(jax.nn.sigmoid(score(jnp.zeros((1, 10))))[0]), 4)  # 10 / 11
    0.9091
    """
    return logsumexp(logits, axis=1)


def class_loss(config: Config, variables: Variables, images: Points, labels: Labels, mode: Mode) -> LossOutput:
    """E[-l_y + s(x)] of labelled images, mean over the batch: the first term of equation 1."""
    network = scorer(config.discriminator, (config.num_classes,))
    outputs, variables = network(variables, images, mode.stream(LABELLED))
    loss = cross_entropy(outputs["logits"], labels).mean()
    return loss, ({"class_loss": loss, "accuracy": accuracy(outputs["logits"], labels)}, variables)


def discriminator_loss(
    config: Config, variables: Variables, batch: PartlyLabelled, fake: Points, mode: Mode
) -> LossOutput:
    """L_D of equation 1, mean over the batch."""
    network = scorer(config.discriminator, (config.num_classes,))
    classes, (metrics, variables) = class_loss(config, variables, batch.labelled, batch.labels, mode)
    outputs, variables = score_both(network, variables, batch.images, fake, mode)
    real_scores, fake_scores = (score(each["logits"]) for each in outputs)
    game = config.objective.discriminator(real_scores, fake_scores, axis_name=mode.axis_name).mean()
    metrics |= {"discriminator_loss": game} | certainty(config.objective, real_scores, fake_scores, mode.axis_name)
    return classes + config.unlabelled_weight * game, (metrics, variables)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, real: Points, latents: Latents, mode: Mode
) -> LossOutput:
    """L_G of equation 2; the features are those of all devices."""
    fake, after = generate(config, variables, latents, mode=mode)
    network = scorer(config.discriminator, (config.num_classes,))
    of_fake, _ = network(opponent, fake, mode.stream(FAKE))
    of_real, _ = network(opponent, real, mode.stream(REAL))
    features = (gather(each["features"], mode.axis_name) for each in (of_real, of_fake))
    matched = feature_matching(*features)
    scores = (score(each["logits"]) for each in (of_real, of_fake))
    game = config.objective.generator(*scores, axis_name=mode.axis_name).mean()
    loss = config.feature_weight * matched + config.adversarial_weight * game
    return loss, ({"generator_loss": game, "feature_matching": matched}, after)


def remembering(config: Config, loss: Callable[..., LossOutput], history: dict[str, Params], player: str) -> Any:
    """The loss of a player with what it pays for the distance of its params from their mean over time."""
    if not history:
        return loss

    def remembered(config: Config, variables: Variables, *inputs: Any) -> LossOutput:
        value, (metrics, after) = loss(config, variables, *inputs)
        distance = historical_averaging(variables["params"], history[player])
        return value + config.historical_weight * distance, (metrics | {f"distance/{player}": distance}, after)

    return remembered


def update(
    config: Config, state: State, batch: PartlyLabelled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, each with latents of its own.

    Args:
        config: settings.
        state: networks, optimisers and means.
        batch: labelled images, their labels below `num_classes`, and as many images without, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; metrics of both players, `accuracy` on the labelled images of the batch.
    """
    key_latents, key_pass, key_generator, key_generator_pass = jax.random.split(key, 4)
    labelled, real = (scale(images, config.value_range) for images in (batch.labelled, batch.images))
    num = real.shape[0]
    mode = training_mode(state.generator, key_pass, num, axis_name)
    fake, _ = generate(config, state.generator.variables, config.prior.draw(key_latents, num, axis_name), mode=mode)
    loss = partial(remembering(config, discriminator_loss, state.history, "discriminator"), config)
    inputs = PartlyLabelled(labelled, batch.labels, real), fake, mode
    discriminator, metrics_d = descend(state.discriminator, loss, inputs, axis_name, "discriminator")

    latents = config.prior.draw(key_generator, num, axis_name)
    inputs = discriminator.variables, real, latents, mode.with_keys(example_keys(key_generator_pass, num, axis_name))
    loss = remembering(config, generator_loss, state.history, "generator")
    generator, ema, metrics_g = generator_step(config, state, loss, inputs, axis_name)

    classifier = config.classifier_average.update(state.classifier, discriminator.variables, discriminator.step)
    players = {"generator": generator, "discriminator": discriminator}
    history = {
        name: running_mean(mean, players[name].params, players[name].step) for name, mean in state.history.items()
    }
    metrics = metrics_d | metrics_g | diversity(real, fake, axis_name)
    return State(generator, discriminator, ema, classifier, history), metrics


def classify(config: Config, state: State, images: Images) -> Points:
    """Logits of the K classes, (batch, classes), by the moving average of the discriminator."""
    return scorer(config.discriminator, (config.num_classes,))(state.classifier, images, EVALUATION)[0]["logits"]


def discriminate(config: Config, state: State, points: Points, condition: None = None) -> PerExample:
    """The score s of each point, with running statistics and without dropout."""
    network = scorer(config.discriminator, (config.num_classes,))
    return score(network(state.discriminator.variables, points, EVALUATION)[0]["logits"])


from_latents, sample = networks.from_latents, networks.sample
