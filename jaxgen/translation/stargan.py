"""StarGAN: one generator that translates images between many domains, learned without pairs.

Choi, Choi, Kim, Ha, Kim, Choo: StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image
Translation, 2017, arXiv 1711.09020; weights and steps of the authors' code.

G makes of an image x of domain c the image G(x, c') of domain c'. The discriminator D scores patches and classifies the
domain. With x^ between x and G(x, c'), the players minimise

    L_D = E[D(G(x, c'))] - E[D(x)] + gamma E[(||grad D(x^)||_2 - 1)^2] + lambda_cls E[-log D_cls(c|x)]             (1)
    L_G = -E[D(G(x, c'))] + lambda_cls E[-log D_cls(c'|G(x, c'))] + lambda_rec E|x - G(G(x, c'), c)|               (2)

several steps of D, then one of G on the last minibatch. The domains c' are those of the minibatch in another order. D
in (1) is the mean over the patches, but the gradient of the penalty is that of their sum, as in the authors' code.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Domains
from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.conditions import one_hot
from jaxgen.gans.diagnostics import means
from jaxgen.gans.discrimination import FAKE, PENALTY, Network, require_no_batch_statistics, score_both
from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.images import ValueRange, scale, squash
from jaxgen.losses.adversarial import wasserstein_critic, wasserstein_generator
from jaxgen.losses.information import cross_entropy
from jaxgen.losses.penalties import gradient_penalty, interpolate
from jaxgen.losses.reconstruction import mean_absolute_error
from jaxgen.metrics.classification import accuracy
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.conditioning import TiledCondition
from jaxgen.nets.stargan import StarGANDiscriminator, StarGANTranslator
from jaxgen.optimizers import Adam, LinearDecay, Optimizer
from jaxgen.parallel import draw, example_keys, replicate_batch, share, split
from jaxgen.train_state import LossOutput, TrainState, apply, blank, create, descend
from jaxgen.typing import AxisName, Images, Key, Keys, Labels, Metrics, PerExample, Shape, Variables

THERE, BACK = 5, 6
"""Streams of the generator's keys, besides those of the discriminator's passes: to the other domain, and back."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's for 128x128 pixels, 40,000 updates of 5 minibatches of 16."""

    image_shape: Shape = (128, 128, 3)
    value_range: ValueRange = (-1.0, 1.0)
    num_classes: PositiveInt = 5  # domains
    generator: nn.Module = TiledCondition(StarGANTranslator())  # image and domain to image
    discriminator: nn.Module = StarGANDiscriminator()  # image to scores of patches and logits of the domain
    penalty_weight: NonNegativeFloat = 10.0  # gamma
    class_weight: NonNegativeFloat = 1.0  # lambda_cls, of both players
    reconstruction_weight: NonNegativeFloat = 10.0  # lambda_rec
    discriminator_steps: PositiveInt = 5  # for each step of the generator
    generator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.5), LinearDecay(40_000, begin=20_000))
    discriminator_optimizer: Optimizer = Optimizer(1e-4, Adam(b1=0.5), LinearDecay(200_000, begin=100_000))
    average: MovingAverage = NoAverage()  # of the generator, by which images are translated

    batch_type: ClassVar = Domains
    minibatches: ClassVar = property(lambda self: self.discriminator_steps)


State: TypeAlias = AdversarialState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers. ValueError for a discriminator with batch statistics."""
    key_generator, key_discriminator = jax.random.split(key)
    images, domains = blank(config.image_shape), blank((config.num_classes,))
    inputs = key_generator, images, domains, config.image_shape
    generator = create(config.generator, config.generator_optimizer, *inputs)
    inputs = key_discriminator, images, (config.num_classes,)
    discriminator = create(config.discriminator, config.discriminator_optimizer, *inputs)
    require_no_batch_statistics(discriminator)
    return State(generator, discriminator, ema=generator.variables)


def translate(
    config: Config, variables: Variables, images: Images, labels: Labels, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """G(x, c) in the value range, and the generator's variables after the pass."""
    inputs = images, one_hot(labels, config.num_classes), config.image_shape
    outputs, variables = apply(config.generator, variables, *inputs, mode=mode)
    return squash(outputs, config.value_range), variables


def patches_and_domain(config: Config) -> Network:
    """D as a function of images: its outputs are "scores" of patches and "logits" of the domains."""
    return lambda variables, images, mode: apply(
        config.discriminator, variables, images, (config.num_classes,), mode=mode
    )


def shuffled(labels: Labels, num: int, key: Key, axis_name: AxisName = None) -> Labels:
    """The labels of each of the `num` minibatches in another order, over all devices."""
    rows = split(replicate_batch(labels, axis_name), num)
    rows = jax.vmap(jax.random.permutation)(jax.random.split(key, num), rows)
    return share(jnp.moveaxis(rows, 0, 1).reshape(-1), axis_name)


def discriminator_loss(
    config: Config, variables: Variables, batch: Domains, fakes: Images, mix: PerExample, mode: Mode
) -> LossOutput:
    """Equation 1. `mix` is uniform in [0, 1), one for each example."""
    network = patches_and_domain(config)

    def total(images: Images) -> PerExample:
        return network(variables, images, mode.stream(PENALTY))[0]["scores"].sum((1, 2))

    penalty = gradient_penalty(total, interpolate(batch.images, fakes, mix)).mean()
    (real, fake), variables = score_both(network, variables, batch.images, fakes, mode, joint=True)
    difference = wasserstein_critic(real["scores"].reshape(-1), fake["scores"].reshape(-1)).mean()
    domain = cross_entropy(real["logits"], batch.labels).mean()
    loss = difference + config.penalty_weight * penalty + config.class_weight * domain
    metrics = {"discriminator_loss": loss, "wasserstein_estimate": -difference, "gradient_penalty": penalty}
    metrics |= {"class_loss": domain, "accuracy": accuracy(real["logits"], batch.labels)}
    return loss, (metrics, variables)


def generator_loss(
    config: Config, variables: Variables, opponent: Variables, batch: Domains, targets: Labels, mode: Mode
) -> LossOutput:
    """Equation 2; `targets` are c'."""
    fakes, variables = translate(config, variables, batch.images, targets, mode.stream(THERE))
    again, variables = translate(config, variables, fakes, batch.labels, mode.stream(BACK))
    found, _ = patches_and_domain(config)(opponent, fakes, mode.stream(FAKE))
    adversarial = wasserstein_generator(found["scores"].reshape(-1)).mean()
    domain = cross_entropy(found["logits"], targets).mean()
    reconstruction = mean_absolute_error(again, batch.images).mean()
    loss = adversarial + config.class_weight * domain + config.reconstruction_weight * reconstruction
    metrics = {"generator_loss": loss, "reconstruction": reconstruction}
    return loss, (metrics | {"fake_accuracy": accuracy(found["logits"], targets)}, variables)


def update(
    config: Config, state: State, batch: Domains, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """Steps of the discriminator, a minibatch each, then one of the generator on the last minibatch.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: as many minibatches as the discriminator has steps: images, uint8 or floats in range, and their domains.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_order, key_mix, key_pass = jax.random.split(key, 3)
    num, steps = len(batch.labels), config.discriminator_steps
    mode = Mode(step=state.generator.step, train=True, axis_name=axis_name)
    targets = shuffled(batch.labels, steps, key_order, axis_name)
    drawn = draw(jax.random.uniform, key_mix, num, axis_name), example_keys(key_pass, num, axis_name)
    batch, targets, mix, keys = split((batch, targets, *drawn), steps)

    def discriminator_step(discriminator: TrainState, minibatch):
        (images, labels), targets, mix, keys = minibatch
        inner, images = mode.with_keys(keys), scale(images, config.value_range)
        fakes, _ = translate(config, state.generator.variables, images, targets, inner.stream(THERE))
        inputs = Domains(images, labels), fakes, mix, inner
        return descend(discriminator, partial(discriminator_loss, config), inputs, axis_name, "discriminator")

    minibatches = batch, targets, mix, keys
    discriminator, metrics_d = jax.lax.scan(discriminator_step, state.discriminator, minibatches)
    (images, labels), targets, _, keys = jax.tree.map(lambda leaf: leaf[-1], minibatches)
    last = Domains(scale(images, config.value_range), labels)
    inputs = discriminator.variables, last, targets, mode.with_keys(keys)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), means(metrics_d) | metrics_g


def sample(config: Config, state: State, key: Keys, num: int, condition: Domains | None = None) -> Images:
    """G(x, c) of each of `num` images and domains, `condition`, in the value range; the key plays no part."""
    if condition is None:
        raise ValueError("condition is None, but must be images, in the value range, and the domains to translate to")
    return translate(config, state.ema, condition.images, condition.labels)[0]
