"""What every denoiser shares: settings, state, what a loss is given of a batch, and one pass of the network."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float

from jaxgen import moving_averages, parallel
from jaxgen.batches import Labelled
from jaxgen.checks import NonNegativeInt, require
from jaxgen.conditions import one_hot
from jaxgen.diffusion.predictions import Prediction, target
from jaxgen.diffusion.schedules import Level
from jaxgen.images import ValueRange, scale
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.text.context import Context
from jaxgen.nets.unet.condition import Condition
from jaxgen.priors import Gaussian, normal_noise
from jaxgen.train_state import Frozen, LossOutput, TrainState, apply, blank, create, descend, training_mode
from jaxgen.typing import AxisName, Key, Metrics, PerExample, Points, Shape, Variables

Classes: TypeAlias = Float[Array, "batch classes"]
"""One-hot rows; zeros for an example without a class."""

Told: TypeAlias = Classes | Condition | Context | None
"""What the network is told of the examples."""


class DenoiserState(struct.PyTreeNode):
    """What the next update needs of a network that denoises."""

    denoiser: TrainState
    ema: Variables  # moving average of the denoiser's variables, from which samples are drawn


class TaughtState(struct.PyTreeNode):
    """What the next update needs of a network that may learn from a trained one."""

    denoiser: TrainState
    ema: Variables  # moving average of the denoiser's variables, from which samples are drawn
    teacher: Any  # Frozen, the trained one; None for a model without


class Examples(NamedTuple):
    """What a loss is given of a batch: the data, and what was drawn for each of them."""

    data: Points  # x_0
    noise: Points  # epsilon
    times: PerExample  # t
    classes: Any  # one-hot rows, or a `Condition` of them and of the augmentation; None for a model without classes


@dataclass(frozen=True)
class DenoiserDefaults(Defaults):
    """What the settings of all denoisers say: colour images in [-1, 1], without classes."""

    image_shape: Shape = (32, 32, 3)
    value_range: ValueRange = (-1.0, 1.0)
    num_classes: NonNegativeInt = 0  # of the labels; 0 for a model without classes
    class_dropout: float = 0.1  # share of examples that are trained without their class, for guidance

    batch_type: ClassVar[Any] = property(lambda self: Labelled if self.num_classes else None)
    prior = property(lambda self: Gaussian(self.image_shape, start_deviation(self)))  # of x at the noisiest time
    part: ClassVar[str | None] = None  # the network's name, where its player has other parts beside it
    outputs: ClassVar[int] = 1  # numbers that the network gives for each number of an image
    augmentation_labels: ClassVar[Any] = 0  # numbers that tell the network how an image was augmented

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.class_dropout <= 1, "class_dropout", self.class_dropout, "in [0, 1]")
        require_kind(self)


def create_denoiser(config: Any, key: Key) -> DenoiserState:
    """A fresh network, its optimiser and average."""
    denoiser = create(config.denoiser, config.optimizer, key, *blank_inputs(config))
    return DenoiserState(denoiser, moving_averages.begin(config.average, denoiser.variables))


def blank_inputs(config: Any) -> tuple[Any, ...]:
    """What the network is called with, for one example of zeros."""
    condition = _condition(config, blank((config.num_classes,)) if config.num_classes else None, 1)
    return blank(config.image_shape), blank(()), condition, _shape(config)


def create_taught(config: Any, key: Key, *, taught: bool) -> TaughtState:
    """As `create_denoiser`, with a teacher at random, to be replaced by a trained one."""
    fresh = create_denoiser(config, key)
    teacher = Frozen(variables=fresh.denoiser.variables, name="teacher") if taught else None
    return TaughtState(fresh.denoiser, fresh.ema, teacher)


def draw_examples(config: Any, batch: Any, key: Key, axis_name: AxisName) -> Examples:
    """The data of a batch in range; noise from N(0, I), times of `config.times`, and classes, some of them dropped."""
    key_times, key_noise, key_classes = jax.random.split(key, 3)
    data, classes = data_and_classes(config, batch, key_classes, axis_name)
    return draw_corruption(config, data, (key_times, key_noise), axis_name)._replace(classes=classes)


def data_and_classes(config: Any, batch: Any, key: Key, axis_name: AxisName) -> tuple[Points, Classes | None]:
    """The data of a batch in range, and one-hot rows of classes, some of them dropped; None without classes."""
    data = scale(batch.images if config.num_classes else batch, config.value_range)
    if not config.num_classes:
        return data, None
    kept = draw_kept(config.class_dropout, key, data.shape[0], axis_name)
    return data, one_hot(batch.labels, config.num_classes) * kept.astype(jnp.float32)[:, None]


def draw_corruption(config: Any, data: Points, keys: tuple[Key, Key], axis_name: AxisName) -> Examples:
    """Times of `config.times`, by the first key, and noise from N(0, I), by the second, for data in range."""
    num = data.shape[0]
    noise = normal_noise(data.shape[1:], keys[1], num, axis_name)
    return Examples(data, noise, config.times.draw(config.schedule, keys[0], num, axis_name), None)


def draw_kept(dropout: float, key: Key, num: int, axis_name: AxisName) -> Bool[Array, "batch"]:
    """Which examples are trained with their condition: each is left without it with probability `dropout`."""
    return parallel.draw(jax.random.uniform, key, num, axis_name) >= dropout


def denoise(
    config: Any,
    variables: Variables,
    noisy: Points,
    times: PerExample,
    classes: Told,
    mode: Mode = EVALUATION,
) -> tuple[Prediction, Variables]:
    """What the network predicts of x_t, and its variables after the pass.

    Args:
        config: settings.
        variables: of the network.
        noisy: x_t.
        times: t of each example.
        classes: one-hot rows, zeros for no class; None for a model without classes. With a `Condition` also how the
            images were augmented, else they were not. A model of captions has their `Context` in their place.
        mode: of the pass.
    """
    inputs = config.prediction.inputs(config.schedule.level(times), noisy)
    labels = config.schedule.label(times)
    told = _condition(config, classes, noisy.shape[0])
    given = inputs, labels, told, _shape(config)
    outputs, variables = apply(config.denoiser, variables, *given, mode=mode, part=config.part)
    if config.outputs == 1:
        return Prediction(outputs, config.prediction), variables
    value, variance = jnp.split(outputs, 2, axis=-1)
    return Prediction(value, config.prediction, 0.5 * (variance + 1.0)), variables


def wanted(config: Any, examples: Examples) -> Points:
    """What the network learns to predict of x_t."""
    return target(config.prediction, config.schedule.level(examples.times), examples.data, examples.noise)


def denoiser_step(
    config: Any, state: Any, loss: Any, inputs: tuple[Any, ...], key: Key, axis_name: AxisName
) -> tuple[DenoiserState, Metrics]:
    """One step down `loss(variables, *inputs, mode)`, and the moving average after it; examples are the first input."""
    mode = training_mode(state.denoiser, key, inputs[0].data.shape[0], axis_name)
    denoiser, metrics = descend(state.denoiser, loss, (*inputs, mode), axis_name)
    ema = config.average.update(state.ema, denoiser.variables, denoiser.step)
    return DenoiserState(denoiser, ema), metrics


def loss_output(values: PerExample, variables: Variables) -> LossOutput:
    """The mean over the batch, as the loss and as its metric."""
    loss = values.mean()
    return loss, ({"loss": loss}, variables)


def require_kind(config: Any) -> None:
    """ValueError for a prediction that does not say what the data are where sampling starts."""
    level = config.schedule.level(np.float64(config.schedule.start))
    with jax.ensure_compile_time_eval():  # settings may be replaced inside of a traced function
        p, q = config.prediction.coefficients(Level(np.float32(level.alpha), np.float32(level.sigma)))
        says = abs(float(level.alpha * q - level.sigma * p)) > 1e-8
    name, schedule = type(config.prediction).__name__, type(config.schedule).__name__
    require(says, "prediction", f"{name}()", f"V(), Velocity() or Data(): {schedule} begins at pure noise")


def _condition(config: Any, classes: Told, num: int) -> Told:
    """What the network is told: the classes, and where it learns of augmentation that there was none."""
    if not config.augmentation_labels or isinstance(classes, Condition | Context):
        return classes
    return Condition(classes, jnp.zeros((num, config.augmentation_labels)))


def _shape(config: Any) -> Shape:
    *places, channels = config.image_shape
    return (*places, config.outputs * channels)


def start_deviation(config: Any) -> float:
    """sigma at the noisiest time, at which alpha x_0 is left out."""
    return float(config.schedule.level(np.float64(config.schedule.start)).sigma)
