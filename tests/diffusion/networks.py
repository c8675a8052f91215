"""A small denoiser for tests: all weights matter from the first step on, with batch statistics and dropout."""

from dataclasses import dataclass

import flax.linen as nn
import jax.numpy as jnp

from jaxgen.diffusion.denoising import DenoiserDefaults
from jaxgen.diffusion.guidance import Guidance, NoGuidance
from jaxgen.diffusion.predictions import Kind, Noise, along
from jaxgen.diffusion.samplers import DDIM, Sampler
from jaxgen.diffusion.schedules import Level, LinearBetas, Schedule
from jaxgen.diffusion.times import Times, UniformTimes
from jaxgen.mode import EVALUATION, Mode
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.dropout import dropout
from jaxgen.nets.mlp import MLP
from jaxgen.nets.norm import Norm
from jaxgen.nets.unet.condition import as_condition
from jaxgen.optimizers import SGD, Optimizer
from jaxgen.typing import Shape
from tests.diffusion.oracles import posterior_mean

BEFORE_BATCH_NORM = ("['denoiser']['MLP_0']['Dense_0']['bias']",)
"""A bias that batch normalisation takes away again has no gradient."""


class Tiny(nn.Module):
    """A perceptron of the image, the time and the condition."""

    width: int = 6
    rate: float = 0.25
    norm: Norm = "batch"

    @nn.compact
    def __call__(self, inputs, times, condition, output_shape, *, mode: Mode = EVALUATION):
        flat = inputs.reshape(inputs.shape[0], -1)
        told = as_condition(condition)
        parts = [
            flat,
            0.1 * times[:, None],
            *(each for each in (told.classes, told.augmentation, _column(told.span)) if each is not None),
        ]
        hidden = jnp.concatenate(parts, axis=1)
        if mode.train:
            hidden = dropout(hidden, self.rate, mode, 0)
        return MLP((self.width,), norm=self.norm)(hidden, output_shape, mode=mode)


def _column(span):
    return None if span is None else 0.01 * span[:, None]


class TinyClassifier(nn.Module):
    """A perceptron of the image and the time."""

    width: int = 6
    norm: Norm = "batch"

    @nn.compact
    def __call__(self, inputs, times, output_shape, *, mode: Mode = EVALUATION):
        hidden = jnp.concatenate([inputs.reshape(inputs.shape[0], -1), 0.1 * times[:, None]], axis=1)
        return MLP((self.width,), norm=self.norm)(hidden, output_shape, mode=mode)


class Exact(nn.Module):
    """Predicts the noise of data from N(mean, deviation^2) on the schedule of a `Config`, times one weight of 1."""

    mean: float = 0.3
    deviation: float = 0.2
    schedule: Schedule = LinearBetas()
    told: float = 1.0  # what the schedule multiplies a time by where the network is told it

    @nn.compact
    def __call__(self, inputs, times, condition, output_shape, *, mode: Mode = EVALUATION):
        level = Level(*(along(part, inputs) for part in self.schedule.level(times / self.told)))
        noise = (inputs - level.alpha * posterior_mean(level, inputs, self.mean, self.deviation)) / level.sigma
        return noise * self.param("weight", nn.initializers.ones, ())


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """What a model's settings hold, with tiny values."""

    image_shape: Shape = (2, 2, 1)
    denoiser: nn.Module = Tiny()
    schedule: Schedule = LinearBetas(10)
    prediction: Kind = Noise()
    times: Times = UniformTimes()
    sampler: Sampler = DDIM(4)
    guidance: Guidance = NoGuidance()
    optimizer: Optimizer = Optimizer(0.1, SGD())
    average: MovingAverage = Constant(0.5)
