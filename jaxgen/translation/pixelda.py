"""PixelDA: images of a labelled domain are made to look like another one, to teach a classifier for it.

Bousmalis, Silberman, Dohan, Erhan, Krishnan: Unsupervised Pixel-Level Domain Adaptation with Generative Adversarial
Networks, 2016, arXiv 1612.05424.

G makes of a source image x with label y and of noise z an image G(x, z) like those of the target domain, whose labels
are unknown. D tells them from target images t, and the classifier T learns from x and from G(x, z). Minimised are

    L_D = E[-log D(t)] + E[-log(1 - D(G(x, z)))],    L_T = E[-log T(y|x)] + E[-log T(y|G(x, z))]         (1)
    L_G = alpha E[-log D(G(x, z))] + beta E[-log T(y|G(x, z))]                                           (2)

a step down alpha L_D + beta L_T of D and T together, then one of G. T may have a first layer for each domain: fakes and
target images share that of the target. What T says of target images is what the model is for: `classify`.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import LabelledUnpaired
from jaxgen.checks import NonNegativeFloat, PositiveInt
from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import AdversarialState, generator_step
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange, scale, squash
from jaxgen.losses.information import cross_entropy
from jaxgen.metrics.classification import accuracy
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.pixelda import DomainClassifier, NoisyDiscriminator, NoisyTranslator
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Prior, Uniform
from jaxgen.train_state import LossOutput, apply, blank, create, create_parts, descend, training_mode
from jaxgen.translation.patches import discriminator_value, generator_value, patch_scorer
from jaxgen.typing import AxisName, Images, Key, Keys, Latents, Metrics, Points, Shape, Variables

DISCRIMINATOR, CLASSIFIER = "discriminator", "classifier"
"""Names of the two networks that learn together."""

SOURCE, TARGET = 0, 1
"""Numbers of the domains, for the classifier."""

TASK_SOURCE, TASK_FAKE, GENERATOR = 5, 6, 7
"""Streams of the keys of an update, besides those of the discriminator's passes."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the authors' for digits of 32x32 pixels, without the decay of the learning rate."""

    image_shape: Shape = (32, 32, 3)  # of both domains
    value_range: ValueRange = (-1.0, 1.0)
    num_classes: PositiveInt = 10
    prior: Prior = Uniform(10)  # of z
    generator: nn.Module = NoisyTranslator()  # x and z to image
    discriminator: nn.Module = NoisyDiscriminator()
    classifier: nn.Module = DomainClassifier()  # T: image and number of its domain to logits
    objective: Objective = NonSaturating()
    adversarial_weight: NonNegativeFloat = 1.0  # alpha, of both players
    task_weight: NonNegativeFloat = 1.0  # beta, of both players
    generator_optimizer: Optimizer = Optimizer(1e-3, Adam(b1=0.5), clip_norm=5.0)
    discriminator_optimizer: Optimizer = Optimizer(1e-3, Adam(b1=0.5), clip_norm=5.0)  # of D and T
    average: MovingAverage = NoAverage()  # of the generator, by which images are translated

    batch_type: ClassVar = LabelledUnpaired


State: TypeAlias = AdversarialState
"""What the next update needs; the player `discriminator` has the parts `discriminator` and `classifier`."""


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_generator, key_discriminator = jax.random.split(key)
    images = blank(config.image_shape)
    inputs = key_generator, images, blank(config.prior.shape), config.image_shape
    generator = create(config.generator, config.generator_optimizer, *inputs)
    parts = {
        DISCRIMINATOR: (config.discriminator, images, ()),
        CLASSIFIER: (config.classifier, images, jnp.zeros(1, jnp.int32), (config.num_classes,)),
    }
    discriminator = create_parts(parts, config.discriminator_optimizer, key_discriminator)
    return State(generator, discriminator, ema=generator.variables)


def generate(
    config: Config, variables: Variables, images: Images, noise: Latents, mode: Mode = EVALUATION
) -> tuple[Images, Variables]:
    """G(x, z) in the value range, and the generator's variables after the pass."""
    inputs = images, noise, config.image_shape
    outputs, variables = apply(config.generator, variables, *inputs, mode=mode.stream(GENERATOR))
    return squash(outputs, config.value_range), variables


def predict(
    config: Config, variables: Variables, images: Images, domain: int, mode: Mode = EVALUATION
) -> tuple[Points, Variables]:
    """T's logits, (batch, classes), for images of a domain, and the variables of D and T after the pass."""
    inputs = images, jnp.full(images.shape[:1], domain, jnp.int32), (config.num_classes,)
    return apply(config.classifier, variables, *inputs, mode=mode, part=CLASSIFIER)


def discriminator_loss(
    config: Config, variables: Variables, batch: LabelledUnpaired, fakes: Images, mode: Mode
) -> LossOutput:
    """Equation 1, weighted."""
    scores, variables = score_both(patch_scorer(config.discriminator, DISCRIMINATOR), variables, batch.b, fakes, mode)
    value, metrics = discriminator_value(config.objective, *scores, mode)
    source, variables = predict(config, variables, batch.a, SOURCE, mode.stream(TASK_SOURCE))
    fake, variables = predict(config, variables, fakes, TARGET, mode.stream(TASK_FAKE))
    task = cross_entropy(source, batch.labels).mean() + cross_entropy(fake, batch.labels).mean()
    metrics |= {"discriminator_loss": value, "task_loss": task, "accuracy": accuracy(source, batch.labels)}
    return config.adversarial_weight * value + config.task_weight * task, (metrics, variables)


def generator_loss(
    config: Config,
    variables: Variables,
    opponent: Variables,
    batch: LabelledUnpaired,
    noise: Latents,
    mode: Mode,
) -> LossOutput:
    """Equation 2."""
    fakes, variables = generate(config, variables, batch.a, noise, mode)
    real = batch.b if config.objective.needs_real else None
    scores, _ = score_both(patch_scorer(config.discriminator, DISCRIMINATOR), opponent, real, fakes, mode)
    value = generator_value(config.objective, *scores, mode)
    logits, _ = predict(config, opponent, fakes, TARGET, mode.stream(TASK_FAKE))
    task = cross_entropy(logits, batch.labels).mean()
    metrics = {"generator_loss": value, "fake_accuracy": accuracy(logits, batch.labels)}
    return config.adversarial_weight * value + config.task_weight * task, (metrics, variables)


def update(
    config: Config, state: State, batch: LabelledUnpaired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator and the classifier, then one of the generator, with the same noise.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: source images, their labels, and as many target images, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_noise, key_pass = jax.random.split(key)
    num = len(batch.labels)
    a, b = (scale(images, config.value_range) for images in (batch.a, batch.b))
    batch = LabelledUnpaired(a, batch.labels, b)
    noise = config.prior.draw(key_noise, num, axis_name)
    mode = training_mode(state.generator, key_pass, num, axis_name)
    fakes, _ = generate(config, state.generator.variables, batch.a, noise, mode)
    loss = partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, (batch, fakes, mode), axis_name, "discriminator")
    inputs = discriminator.variables, batch, noise, mode
    generator, ema, metrics_g = generator_step(config, state, generator_loss, inputs, axis_name)
    return State(generator, discriminator, ema), metrics_d | metrics_g


def classify(config: Config, state: State, images: Images) -> Points:
    """T's logits for images of the target domain, (batch, classes)."""
    return predict(config, state.discriminator.variables, images, TARGET)[0]


def sample(config: Config, state: State, key: Keys, num: int, condition: Images | None = None) -> Images:
    """G(x, z) of each of `num` source images, `condition`, in the value range; z of the image's own key."""
    if condition is None:
        raise ValueError("condition is None, but must be images of the source domain, in the value range")
    return generate(config, state.ema, condition, config.prior.draw(key, num))[0]
