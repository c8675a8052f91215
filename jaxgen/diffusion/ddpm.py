"""Denoising diffusion probabilistic model (DDPM), with any schedule, prediction, weight and sampler.

Ho, Jain, Abbeel: Denoising Diffusion Probabilistic Models, 2020, arXiv 2006.11239.

Noise is added to the data in T steps of variance beta_t; with alpha_t^2 = prod of (1 - beta) up to t,

    x_t = alpha_t x_0 + sqrt(1 - alpha_t^2) epsilon,   epsilon ~ N(0, I)                                    (4)
    L_simple = E ||epsilon - epsilon_theta(x_t, t)||^2,   t uniform,                                       (14)

and the sampler goes the steps back (algorithm 2: `Ancestral`). The paper counts t from 1 to T, its code and this module
from 0 to T - 1. Other settings make of it v-prediction (arXiv 2202.00512), min-SNR weighting (2303.09556), a model in
continuous time (`VP` of 2011.13456, on noise), or one of classes with guidance (2207.12598).
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import flax.linen as nn
import jax

from jaxgen.diffusion import bounds, denoising, densities, drawing, editing
from jaxgen.diffusion.denoising import DenoiserDefaults, DenoiserState, Examples, denoise, draw_examples, wanted
from jaxgen.diffusion.guidance import Guidance, NoGuidance
from jaxgen.diffusion.predictions import Kind, Noise, corrupt
from jaxgen.diffusion.samplers import Ancestral, Sampler
from jaxgen.diffusion.schedules import LinearBetas, Schedule
from jaxgen.diffusion.times import Times, UniformTimes
from jaxgen.diffusion.weights import Distance, Squared, Unweighted, Weight
from jaxgen.mode import Mode
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput
from jaxgen.typing import AxisName, Key, Metrics, Variables


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """Settings; the defaults are the paper's for CIFAR-10."""

    denoiser: nn.Module = UNet()  # x_t and t to the prediction
    schedule: Schedule = LinearBetas()
    prediction: Kind = Noise()  # what the network predicts
    times: Times = UniformTimes()  # at which it is trained
    weight: Weight = Unweighted()  # of a level in the loss
    distance: Distance = Squared()  # between the prediction and its target
    sampler: Sampler = Ancestral()
    guidance: Guidance = NoGuidance()
    optimizer: Optimizer = Optimizer(2e-4, Adam(), warm_up=5000, clip_norm=1.0)
    average: MovingAverage = Constant(0.9999)


State: TypeAlias = DenoiserState


def init(config: Config, key: Key) -> State:
    """A fresh network and optimiser."""
    return denoising.create_denoiser(config, key)


def denoising_loss(config: Config, variables: Variables, examples: Examples, mode: Mode) -> LossOutput:
    """Equation 14, the mean over pixels and over the batch."""
    level = config.schedule.level(examples.times)
    noisy = corrupt(level, examples.data, examples.noise)
    prediction, variables = denoise(config, variables, noisy, examples.times, examples.classes, mode)
    errors = config.distance.between(prediction.value, wanted(config, examples))
    return denoising.loss_output(config.weight.factor(config.prediction, level) * errors, variables)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """Algorithm 1.

    Args:
        config: settings.
        state: network and optimiser.
        batch: images, uint8 or floats in range; `Labelled` for a model of classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_examples, key_pass = jax.random.split(key)
    examples = draw_examples(config, batch, key_examples, axis_name)
    return denoising.denoiser_step(config, state, partial(denoising_loss, config), (examples,), key_pass, axis_name)


sample, from_latents, to_latents = drawing.sample, drawing.from_latents, drawing.to_latents
edit = editing.edit
trajectory, bound, log_density = drawing.trajectory, bounds.bound, densities.log_density
