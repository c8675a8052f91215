"""SRResNet: an image made larger, by the error of its pixels alone.

Ledig et al.: Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, 2016, arXiv
1609.04802, equation 4.

From an image x of low resolution the generator makes G(x), which is to be the image y of high resolution,

    L = E (y - G(x))^2,        (1)

the mean over examples, pixels and channels. This finds the mean of all images that x may come from: high in PSNR, and
smooth. It is also the first stage of SRGAN and, with |y - G(x)|, of ESRGAN (arXiv 1809.00219).
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import flax.linen as nn

from jaxgen.batches import Paired
from jaxgen.gans.networks import generator_step
from jaxgen.images import ValueRange, scale
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import MovingAverage, NoAverage
from jaxgen.nets.srresnet import SRResNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput, TrainState, blank, create, training_mode
from jaxgen.translation import enlargement
from jaxgen.translation.enlargement import enlarge
from jaxgen.translation.errors import Error, SquaredError
from jaxgen.typing import AxisName, Images, Key, Metrics, Points, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the paper's."""

    input_shape: Shape = (24, 24, 3)  # of x
    image_shape: Shape = (96, 96, 3)  # of y; a power of 2 times as high and wide as x
    value_range: ValueRange = (-1.0, 1.0)  # of both; the paper's x is in [0, 1]
    generator: nn.Module = SRResNet()  # x to G(x)
    error: Error = SquaredError()  # of the pixels
    generator_optimizer: Optimizer = Optimizer(1e-4, Adam())
    average: MovingAverage = NoAverage()  # of the generator, by which images are enlarged

    batch_type: ClassVar = Paired


class State(NamedTuple):
    """What the next update needs."""

    generator: TrainState
    ema: Variables  # moving average of the generator's


def init(config: Config, key: Key) -> State:
    """A fresh network and optimiser."""
    enlargement.factor(config)
    inputs = blank(config.input_shape), config.image_shape
    generator = create(config.generator, config.generator_optimizer, key, *inputs)
    return State(generator, ema=generator.variables)


def generator_loss(config: Config, variables: Variables, inputs: Points, targets: Images, mode: Mode) -> LossOutput:
    """Equation 1, or that of another error."""
    outputs, variables = enlarge(config, variables, inputs, mode)
    loss = config.error(outputs, targets).mean()
    return loss, ({"generator_loss": loss, "mse": mean_squared_error(outputs, targets).mean()}, variables)


def update(
    config: Config, state: State, batch: Paired, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step of the generator.

    Args:
        config: settings.
        state: network and optimiser.
        batch: inputs and targets, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    inputs, targets = (scale(images, config.value_range) for images in (batch.inputs, batch.targets))
    mode = training_mode(state.generator, key, len(inputs), axis_name)
    shown = inputs, targets, mode
    generator, ema, metrics = generator_step(config, state, generator_loss, shown, axis_name)
    return State(generator, ema), metrics


sample = enlargement.sample
