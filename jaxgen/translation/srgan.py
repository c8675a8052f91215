"""SRGAN and ESRGAN: an image made larger by a game, so that it has details and not their mean.

- Ledig et al.: Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, 2016, arXiv
  1609.04802 (SRGAN).
- Wang et al.: ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks, 2018, arXiv 1809.00219.

From an image x of low resolution the generator makes G(x), which is to be the image y of high resolution. With features
phi of a network that was trained to recognise things, and D the probability of being an image of high resolution, the
players minimise

    L_D = E[-log D(y)] + E[-log(1 - D(G(x)))]                                    (1)
    L_G = eta E d(G(x), y) + lambda E d'(phi(G(x)), phi(y)) + beta E[-log D(G(x))]       (2)

a step of D, then one of G. The means are over examples, pixels and channels. SRGAN has squared errors d' of VGG-19's
features after the activation, divided by 12.75, and eta = 0; without a feature network it is the paper's SRGAN-MSE.
ESRGAN has absolute errors d and d', features before the activation, and the relativistic average objective in place of
both logarithms.

Both begin with a generator that was trained by pixel error alone (`jaxgen.translation.srresnet`), whose state has the
same names: `--init-from` of its run.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.batches import Paired
from jaxgen.checks import NonNegativeFloat
from jaxgen.gans.discrimination import score_both
from jaxgen.gans.networks import generator_step, scorer
from jaxgen.gans.objectives import NonSaturating, Objective
from jaxgen.images import ValueRange, scale
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.srgan import SRGANDiscriminator
from jaxgen.nets.srresnet import SRResNet
from jaxgen.nets.vgg19 import VGG19
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput, TrainState, blank, create, descend, freeze, training_mode
from jaxgen.translation import enlargement
from jaxgen.translation.enlargement import enlarge
from jaxgen.translation.errors import Error, SquaredError
from jaxgen.translation.feature_maps import feature_maps
from jaxgen.translation.patches import discriminator_value, generator_value
from jaxgen.typing import AxisName, Images, Key, Metrics, Scalar, Shape, Variables

FEATURES = "features"
"""Name of the frozen network."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are those of SRGAN-VGG54, which wants `--pretrained features=FILE`."""

    input_shape: Shape = (24, 24, 3)  # of x
    image_shape: Shape = (96, 96, 3)  # of y; a power of 2 times as high and wide as x
    value_range: ValueRange = (-1.0, 1.0)  # of both; the paper's x is in [0, 1]
    generator: nn.Module = SRResNet()  # x to G(x)
    discriminator: nn.Module = SRGANDiscriminator()
    features: nn.Module | None = VGG19()  # phi, of images in [-1, 1]; None: pixels alone
    objective: Objective = NonSaturating()
    error: Error = SquaredError()  # d, of the pixels
    error_weight: NonNegativeFloat = 0.0  # eta
    feature_error: Error = SquaredError()  # d'
    feature_weight: NonNegativeFloat = 1 / 12.75**2  # lambda: features divided by 12.75, squared
    adversarial_weight: NonNegativeFloat = 1e-3  # beta
    generator_optimizer: Optimizer = Optimizer(1e-4, Adam())
    discriminator_optimizer: Optimizer = Optimizer(1e-4, Adam())
    average: MovingAverage = NoAverage()  # of the generator, by which images are enlarged

    batch_type: ClassVar = Paired


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    discriminator: TrainState
    ema: Variables  # moving average of the generator's
    features: Any  # Frozen; None without


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers, and random weights of the feature network."""
    enlargement.factor(config)
    key_generator, key_discriminator, key_features = jax.random.split(key, 3)
    inputs, images = (blank(config.input_shape), config.image_shape), blank(config.image_shape)
    generator = create(config.generator, config.generator_optimizer, key_generator, *inputs)
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, images, ())
    features = None if config.features is None else freeze(config.features, FEATURES, key_features, images, ())
    return State(generator, discriminator, generator.variables, features)


def feature_error(config: Config, state: State, images: Images, targets: Images) -> Scalar:
    """E d'(phi(x), phi(y)), of images in the value range; the sum over maps, where the network gives several."""
    found, wanted = (feature_maps(config, state.features.variables, each) for each in (images, targets))
    return jnp.stack([config.feature_error(*pair).mean() for pair in zip(found, wanted, strict=True)]).sum()


def discriminator_loss(config: Config, variables: Variables, targets: Images, fakes: Images, mode: Mode) -> LossOutput:
    """Equation 1."""
    scores, variables = score_both(scorer(config.discriminator), variables, targets, fakes, mode)
    loss, metrics = discriminator_value(config.objective, *scores, mode)
    return loss, (metrics | {"discriminator_loss": loss}, variables)


def generator_loss(config: Config, variables: Variables, state: State, batch: Paired, mode: Mode) -> LossOutput:
    """Equation 2, of a batch in the value range; `state` holds the discriminator and the features."""
    fakes, variables = enlarge(config, variables, batch.inputs, mode)
    real = batch.targets if config.objective.needs_real else None
    scores, _ = score_both(scorer(config.discriminator), state.discriminator.variables, real, fakes, mode)
    adversarial = generator_value(config.objective, *scores, mode)
    error = config.error(fakes, batch.targets).mean()
    metrics = {"generator_loss": adversarial, "error": error}
    loss = config.error_weight * error + config.adversarial_weight * adversarial
    if config.features is not None:
        metrics["feature_error"] = feature_error(config, state, fakes, batch.targets)
        loss += config.feature_weight * metrics["feature_error"]
    return loss, (metrics, variables)


def update(
    config: Config, state: State, batch: Paired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the discriminator, then one of the generator, both with the G(x) of the generator before it.

    Args:
        config: settings.
        state: networks, optimisers and features.
        batch: inputs and targets, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    batch = Paired(*(scale(images, config.value_range) for images in batch))
    mode = training_mode(state.generator, key, len(batch.inputs), axis_name)
    fakes, _ = enlarge(config, state.generator.variables, batch.inputs, mode)
    shown, loss = (batch.targets, fakes, mode), partial(discriminator_loss, config)
    discriminator, metrics_d = descend(state.discriminator, loss, shown, axis_name, "discriminator")
    state = state._replace(discriminator=discriminator)
    generator, ema, metrics_g = generator_step(config, state, generator_loss, (state, batch, mode), axis_name)
    return state._replace(generator=generator, ema=ema), metrics_d | metrics_g


sample = enlargement.sample
