"""Improved DDPM: the variance of a step is learned too, by the variational bound.

Nichol, Dhariwal: Improved Denoising Diffusion Probabilistic Models, 2021, arXiv 2102.09672.

The network gives, beside the noise, v in [0, 1] for each number of the image, and with p_t^2 and beta_t of
`jaxgen.diffusion.posterior`

    Sigma(x_t, t) = exp(v log beta_t + (1 - v) log p_t^2)                                                (15)
    L_hybrid = L_simple + lambda L_vlb,                                                                  (16)

where L_vlb, the sum of the bound's terms over t, moves v alone: the mean has no gradient in it. `Bound` learns L_vlb
alone, with importance sampling of t. Bits for each number, as in the authors' code: L_vlb is T times the mean over t.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import struct

from jaxgen.checks import NonNegativeFloat, require_bounds
from jaxgen.diffusion import bounds, denoising, drawing, editing, importance
from jaxgen.diffusion.denoising import DenoiserDefaults, Examples, denoise, draw_examples, wanted
from jaxgen.diffusion.guidance import Guidance, NoGuidance
from jaxgen.diffusion.posterior import bound_term, log_variance, step_of
from jaxgen.diffusion.predictions import Kind, Noise, Prediction, corrupt, estimate
from jaxgen.diffusion.samplers import Ancestral, Sampler
from jaxgen.diffusion.schedules import Betas, CosineBetas
from jaxgen.diffusion.times import UniformTimes
from jaxgen.losses import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.unet.ddpm import IMPROVED
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import gather
from jaxgen.train_state import LossOutput, TrainState
from jaxgen.typing import AxisName, Key, Metrics, PerExample, Points, Variables


@dataclass(frozen=True)
class Hybrid:
    """L_simple + weight L_vlb."""

    weight: NonNegativeFloat = 0.001  # lambda

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Bound:
    """L_vlb, with t drawn more often where its terms are large."""


Objective: TypeAlias = Hybrid | Bound


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """Settings; the defaults are the paper's for CIFAR-10."""

    denoiser: nn.Module = IMPROVED  # x_t and t to the prediction and v
    schedule: Betas = CosineBetas(4000)
    prediction: Kind = Noise()  # what the network predicts, beside v
    objective: Objective = Hybrid()
    sampler: Sampler = Ancestral(4000, "learned")
    guidance: Guidance = NoGuidance()
    optimizer: Optimizer = Optimizer(1e-4, Adam())
    average: MovingAverage = Constant(0.9999)

    times: ClassVar = UniformTimes()
    outputs: ClassVar[int] = 2


class State(struct.PyTreeNode):
    """What the next update needs."""

    denoiser: TrainState
    ema: Variables  # moving average of the denoiser's variables, from which samples are drawn
    history: Any  # History, for `Bound` alone: the last losses at each step; else None


def init(config: Config, key: Key) -> State:
    """A fresh network and optimiser."""
    fresh = denoising.create_denoiser(config, key)
    history = importance.start(config.schedule.steps) if isinstance(config.objective, Bound) else None
    return State(fresh.denoiser, fresh.ema, history)


def bound_of(config: Config, examples: Examples, prediction: Prediction, noisy: Points) -> PerExample:
    """L_t of each example, in bits for each number."""
    found = estimate(prediction, config.schedule.level(examples.times), noisy)
    step = step_of(config.schedule, examples.times)
    predicted = found.data, log_variance(step, jnp.asarray(prediction.variance))
    return bound_term(config.schedule, examples.times, examples.data, noisy, predicted, config.value_range)


def hybrid_loss(config: Config, variables: Variables, examples: Examples, weight: float, mode: Mode) -> LossOutput:
    """Equation 16, means over pixels and over the batch."""
    noisy = corrupt(config.schedule.level(examples.times), examples.data, examples.noise)
    prediction, variables = denoise(config, variables, noisy, examples.times, examples.classes, mode)
    simple = mean_squared_error(prediction.value, wanted(config, examples))
    held = prediction.replace(value=jax.lax.stop_gradient(prediction.value))
    bound = config.schedule.steps * bound_of(config, examples, held, noisy)
    loss = (simple + weight * bound).mean()
    return loss, ({"loss": loss, "simple": simple.mean(), "bound": bound.mean()}, variables)


def bound_loss(config: Config, variables: Variables, examples: Examples, weights: PerExample, mode: Mode) -> LossOutput:
    """L_vlb in bits for each number, a mean over t; times and terms of the whole batch, for the history."""
    noisy = corrupt(config.schedule.level(examples.times), examples.data, examples.noise)
    prediction, variables = denoise(config, variables, noisy, examples.times, examples.classes, mode)
    terms = bound_of(config, examples, prediction, noisy)
    loss = (weights * terms).mean()
    times, terms = (gather(each, mode.axis_name) for each in (examples.times, jax.lax.stop_gradient(terms)))
    return loss, ({"loss": loss, "times": times, "terms": terms}, variables)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step down equation 16, or down the bound.

    Args:
        config: settings.
        state: network and optimiser.
        batch: images, uint8 or floats in range; `Labelled` for a model of classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_examples, key_times, key_pass = jax.random.split(key, 3)
    examples = draw_examples(config, batch, key_examples, axis_name)
    if isinstance(config.objective, Hybrid):
        inputs = examples, config.objective.weight
        after, metrics = denoising.denoiser_step(
            config, state, partial(hybrid_loss, config), inputs, key_pass, axis_name
        )
        return State(after.denoiser, after.ema, None), metrics
    times, weights = importance.draw_times(state.history, key_times, examples.data.shape[0], axis_name)
    inputs = examples._replace(times=times), weights
    after, metrics = denoising.denoiser_step(config, state, partial(bound_loss, config), inputs, key_pass, axis_name)
    history = importance.remember(state.history, metrics.pop("times"), metrics.pop("terms"))
    return State(after.denoiser, after.ema, history), metrics


sample, from_latents, to_latents = drawing.sample, drawing.from_latents, drawing.to_latents
edit = editing.edit
trajectory, bound = drawing.trajectory, bounds.bound
