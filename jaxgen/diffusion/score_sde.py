"""Score-based model of a stochastic differential equation: VP, sub-VP and VE in continuous time.

Song, Sohl-Dickstein, Kingma, Kumar, Ermon, Poole: Score-Based Generative Modeling through Stochastic Differential
Equations, 2020, arXiv 2011.13456.

Data become noise by dx = f(t) x dt + g(t) dw, so that x_t = alpha_t x_0 + sigma_t epsilon; a network s learns the score

    L = E lambda(t) ||s(x_t, t) - grad log q(x_t|x_0)||^2 = E lambda(t) ||s(x_t, t) + epsilon / sigma_t||^2      (7)

at uniform times, and samples follow the reverse process dx = (f x - g^2 s) dt + g dw (`PredictorCorrector`), or the
ordinary equation of the same marginals, dx = (f x - g^2 s / 2) dt (`Heun`, `DPMSolver`), which also gives log p(x_0):
`log_density`. lambda is sigma_t^2, or with `likelihood_weighting` g(t)^2, of which L bounds -log p(x_0): Song, Durkan,
Murray, Ermon, 2021, arXiv 2101.09258. g^2 = -sigma^2 d log SNR / dt in all of these processes.

L is the mean over pixels, as in the authors' settings for VP and sub-VP; for VE they take half the sum. Their samplers
stop at t = 1e-3 where the process is VP; here the schedule's `end` is the least time of training, samples and density.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeAlias

import flax.linen as nn
import jax

from jaxgen.diffusion import denoising, densities, drawing, editing
from jaxgen.diffusion.denoising import DenoiserDefaults, DenoiserState, Examples, denoise, draw_examples
from jaxgen.diffusion.guidance import Guidance, NoGuidance
from jaxgen.diffusion.predictions import Kind, Noise, Score, along, convert, corrupt
from jaxgen.diffusion.samplers import PredictorCorrector, Sampler
from jaxgen.diffusion.schedules import VE, VP, SubVP, log_snr_rate
from jaxgen.diffusion.times import UniformTimes
from jaxgen.losses import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput
from jaxgen.typing import AxisName, Key, Metrics, Variables

Process: TypeAlias = VP | SubVP | VE
"""Processes that a setting can name on the command line."""


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """Settings; the defaults are those of the authors' code for CIFAR-10, VP with DDPM++."""

    denoiser: nn.Module = DDPMPlusPlus(dropout=0.1)  # x_t and t to the prediction
    schedule: Process = VP(end=1e-5)
    prediction: Kind = Noise()  # what the network predicts: s = -prediction / sigma_t
    likelihood_weighting: bool = False  # lambda is g^2 in place of sigma^2
    sampler: Sampler = PredictorCorrector(1000, corrections=0)
    guidance: Guidance = NoGuidance()
    optimizer: Optimizer = Optimizer(2e-4, Adam(), warm_up=5000, clip_norm=1.0)
    average: MovingAverage = Constant(0.9999)

    times: ClassVar = UniformTimes()


State: TypeAlias = DenoiserState


def init(config: Config, key: Key) -> State:
    """A fresh network and optimiser."""
    return denoising.create_denoiser(config, key)


def score_loss(config: Config, variables: Variables, examples: Examples, mode: Mode) -> LossOutput:
    """Equation 7, the mean over pixels and over the batch."""
    level = config.schedule.level(examples.times)
    noisy = corrupt(level, examples.data, examples.noise)
    prediction, variables = denoise(config, variables, noisy, examples.times, examples.classes, mode)
    score = convert(prediction, Score(), level, noisy).value
    errors = mean_squared_error(along(level.sigma, score) * score, -examples.noise)
    if config.likelihood_weighting:
        errors *= log_snr_rate(config.schedule, examples.times)
    return denoising.loss_output(errors, variables)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step down equation 7.

    Args:
        config: settings.
        state: network and optimiser.
        batch: images, uint8 or floats in range; `Labelled` for a model of classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_examples, key_pass = jax.random.split(key)
    examples = draw_examples(config, batch, key_examples, axis_name)
    return denoising.denoiser_step(config, state, partial(score_loss, config), (examples,), key_pass, axis_name)


sample, from_latents, to_latents = drawing.sample, drawing.from_latents, drawing.to_latents
edit = editing.edit
trajectory, log_density = drawing.trajectory, densities.log_density
