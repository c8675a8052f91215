"""MeanFlow: the average velocity between two times, and with it an image in one step.

Geng, Deng, Bai, Kolter, He: Mean Flows for One-step Generative Modeling, 2025, arXiv 2505.13447.

On the straight path z_t = (1 - t) x + t epsilon the velocity is v = epsilon - x. Its average over a span,

    u(z_t, r, t) = 1 / (t - r) times the integral of v from r to t,                                       (3)

leads from t to r in one step, z_r = z_t - (t - r) u. It satisfies an identity that needs no integral (6),

    u = v - (t - r) du/dt,    du/dt = v d_z u + d_t u,                                                    (8)

one forward-mode derivative of the network in the direction (v, 1). The network learns the right side, without a
gradient, from pairs r <= t; where r = t this is flow matching. The squared error l of an example is divided by
(l + offset)^power, itself without a gradient.

With classes, `mixing` and `scale` train the network on the guided velocity (21)

    v_g = omega v + (1 - omega - kappa) u(z_t, t, t | no class) + kappa u(z_t, t, t | class),

so that guided samples take one pass as well; omega / (1 - kappa) is the scale that others call guidance.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgen import moving_averages, parallel
from jaxgen.checks import NonNegativeFloat, PositiveFloat, PositiveInt, require, require_bounds
from jaxgen.conditions import classes_of
from jaxgen.diffusion import denoising
from jaxgen.diffusion.denoising import Classes, DenoiserDefaults, DenoiserState, data_and_classes, denoise
from jaxgen.diffusion.predictions import Velocity, along, corrupt, target
from jaxgen.diffusion.schedules import Straight
from jaxgen.diffusion.times import LogitNormal, Times
from jaxgen.images import clip
from jaxgen.mode import EVALUATION, Mode
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.dit import BASE
from jaxgen.nets.unet.condition import Condition
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import normal_noise
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, blank, create
from jaxgen.typing import AxisName, Key, Labels, Metrics, PerExample, Points, Variables


@dataclass(frozen=True)
class Jumps:
    """How samples are drawn: equal steps from the noise to the data, one evaluation each."""

    steps: PositiveInt = 1

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """Settings; the defaults are the paper's B/4, but for images where it has latents."""

    denoiser: nn.Module = BASE.clone(patch=4)  # z_t, t and t - r to u; a network that is told a span
    schedule: Straight = Straight(told=1.0)  # 1,000 would make waves of the time as many times steeper in du/dt
    times: Times = LogitNormal(-0.4, 1.0)  # of which two are drawn: t is the larger, r the smaller
    instant: float = 0.75  # share of examples with r = t
    power: NonNegativeFloat = 1.0  # of an example's squared error, that it is divided by; 0: it is not
    offset: PositiveFloat = 0.01  # beside that error
    scale: PositiveFloat = 1.0  # omega; 1 with `mixing` 0: no guidance
    mixing: NonNegativeFloat = 0.0  # kappa
    drawing: Jumps = Jumps()
    optimizer: Optimizer = Optimizer(1e-4, Adam(b2=0.95))
    average: MovingAverage = Constant(0.9999)

    prediction = property(lambda self: Velocity())
    guided = property(lambda self: (self.scale, self.mixing) != (1.0, 0.0))

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.instant <= 1, "instant", self.instant, "in [0, 1]")
        require(self.mixing < 1, "mixing", self.mixing, "below 1")
        require(
            not self.guided or self.num_classes > 0, "scale", self.scale, "1, and mixing 0, for a model without classes"
        )


class Spans(NamedTuple):
    """What a loss is given of a batch: the data, and what was drawn for each of them."""

    data: Points  # x
    noise: Points  # epsilon
    later: PerExample  # t
    earlier: PerExample  # r
    classes: Classes | None


State: TypeAlias = DenoiserState


def init(config: Config, key: Key) -> State:
    """A fresh network and optimiser."""
    condition = Condition(blank((config.num_classes,)) if config.num_classes else None, span=blank(()))
    inputs = blank(config.image_shape), blank(()), condition, config.image_shape
    denoiser = create(config.denoiser, config.optimizer, key, *inputs)
    return State(denoiser, moving_averages.begin(config.average, denoiser.variables))


def average_velocity(
    config: Config,
    variables: Variables,
    points: Points,
    ends: tuple[PerExample, PerExample],
    classes: Classes | None,
    mode: Mode = EVALUATION,
) -> tuple[Points, Variables]:
    """u(z_t, r, t), and the network's variables after the pass; `ends` are r and t."""
    earlier, later = ends
    told = Condition(classes, span=config.schedule.label(later - earlier))
    prediction, variables = denoise(config, variables, points, later, told, mode)
    return prediction.value, variables


def guided_velocity(config: Config, variables: Variables, spans: Spans, points: Points, mode: Mode) -> Points:
    """v, or v_g of examples that have a class."""
    velocity = target(config.prediction, config.schedule.level(spans.later), spans.data, spans.noise)
    if not config.guided:
        return velocity
    classes, now = jnp.asarray(spans.classes), (spans.later, spans.later)
    unguided, _ = average_velocity(config, variables, points, now, jnp.zeros_like(classes), mode)
    told, _ = average_velocity(config, variables, points, now, classes, mode)
    guided = config.scale * velocity + (1.0 - config.scale - config.mixing) * unguided + config.mixing * told
    return jnp.where(along(classes.sum(1), points) > 0, guided, velocity)


def mean_flow_loss(config: Config, variables: Variables, spans: Spans, mode: Mode) -> LossOutput:
    """The weighted squared error of the identity (8), the mean over the batch; the error itself is `error`."""
    level = config.schedule.level(spans.later)
    points = corrupt(level, spans.data, spans.noise)
    velocity = jax.lax.stop_gradient(guided_velocity(config, variables, spans, points, mode))

    def velocity_at(points: Points, later: PerExample) -> tuple[Points, Variables]:
        return average_velocity(config, variables, points, (spans.earlier, later), spans.classes, mode)

    inputs, direction = (points, spans.later), (velocity, jnp.ones_like(spans.later))
    average, change, after = jax.jvp(velocity_at, inputs, direction, has_aux=True)
    wanted = jax.lax.stop_gradient(velocity - along(spans.later - spans.earlier, points) * change)
    errors = ((average - wanted) ** 2).reshape(points.shape[0], -1).sum(1)
    weights = jax.lax.stop_gradient((errors + config.offset) ** -config.power)
    loss = (weights * errors).mean()
    return loss, ({"loss": loss, "error": errors.mean()}, after)


def draw_spans(config: Config, batch: Any, key: Key, axis_name: AxisName) -> Spans:
    """The data of a batch in range, noise, two times of each example, and classes, some of them dropped."""
    *keys, key_instant, key_noise, key_classes = jax.random.split(key, 5)
    data, classes = data_and_classes(config, batch, key_classes, axis_name)
    num = data.shape[0]
    first, second = (config.times.draw(config.schedule, each, num, axis_name) for each in keys)
    later, earlier = jnp.maximum(first, second), jnp.minimum(first, second)
    instant = parallel.draw(jax.random.uniform, key_instant, num, axis_name) < config.instant
    noise = normal_noise(data.shape[1:], key_noise, num, axis_name)
    return Spans(data, noise, later, jnp.where(instant, later, earlier), classes)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step down the error of (8).

    Args:
        config: settings.
        state: network and optimiser.
        batch: images, uint8 or floats in range; `Labelled` for a model of classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_spans, key_pass = jax.random.split(key)
    spans = draw_spans(config, batch, key_spans, axis_name)
    return denoising.denoiser_step(config, state, partial(mean_flow_loss, config), (spans,), key_pass, axis_name)


def from_latents(config: Config, state: State, latents: Points, condition: Labels | None = None) -> Points:
    """The image of each noise, by the steps of `drawing`, within the value range."""
    classes = classes_of(config, condition, latents.shape[0])
    times = jnp.asarray(np.linspace(1.0, 0.0, config.drawing.steps + 1), latents.dtype)

    def step(points: Points, ends: tuple[jax.Array, jax.Array]) -> tuple[Points, None]:
        earlier, later = (jnp.broadcast_to(end, points.shape[:1]) for end in ends)
        velocity, _ = average_velocity(config, state.ema, points, (earlier, later), classes)
        return points - (ends[1] - ends[0]) * velocity, None

    points, _ = jax.lax.scan(step, latents, (times[1:], times[:-1]))
    return clip(points, config.value_range)


sample = sampler(from_latents)
