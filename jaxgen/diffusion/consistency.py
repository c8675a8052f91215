"""Consistency models: from any noise level to the data in one step.

Song, Dhariwal, Chen, Sutskever: Consistency Models, 2023, arXiv 2303.01469. Song, Dhariwal: Improved Techniques for
Training Consistency Models, 2023, arXiv 2310.14189.

With a network F and x at the noise sigma, from e to T, the consistency function is

    f(x, sigma) = c_skip x + c_out F(c_in x; c_noise),    f(x, e) = x                                      (1)

(`predictions.Bounded`). It is to have one value along a path of the probability flow: between two levels s < t of a
grid, with x_t = x_0 + t z,

    L = E w d(f(x_t, t), f(x_s, s)),                                                                       (2)

the second f without a gradient. Training alone takes x_s = x_0 + s z with the same z; distillation takes a Heun step of
a trained denoiser from x_t. Settings choose how many levels there are at a step, which two are drawn, w and d. Dropout
is the same in both passes. w is 1 in the first paper and 1 / (t - s) in the second; 1 / c_out(t) is ours: a distance
moves F by c_out times a vector of length at most 1, so that without it levels of little noise hardly learn. The square
of it is, but for e, the weight of EDM's squared error.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import PositiveFloat
from jaxgen.diffusion import denoising, drawing
from jaxgen.diffusion.curricula import Curriculum, Doubling, Intervals, LogNormalIntervals, levels
from jaxgen.diffusion.denoising import DenoiserDefaults, Told, data_and_classes, denoise
from jaxgen.diffusion.guidance import Guidance, NoGuidance
from jaxgen.diffusion.predictions import Bounded, Preconditioned, along, corrupt, estimate
from jaxgen.diffusion.samplers import Renoise, Sampler
from jaxgen.diffusion.schedules import Sigmas
from jaxgen.diffusion.weights import Distance, PseudoHuber
from jaxgen.mode import Mode
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from jaxgen.optimizers import Optimizer, RAdam
from jaxgen.priors import normal_noise
from jaxgen.train_state import LossOutput
from jaxgen.typing import AxisName, Key, Metrics, PerExample, Points, Variables


@dataclass(frozen=True)
class Alone:
    """Training alone: x_s has the noise of x_t, only less of it."""


@dataclass(frozen=True)
class Distillation:
    """x_s is a Heun step from x_t of the frozen part `teacher`: a trained EDM of the same network and deviation."""


Method: TypeAlias = Alone | Distillation
"""Methods that a setting can name on the command line."""


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """Settings; the defaults are those of arXiv 2310.14189 for CIFAR-10, but for its network's Fourier features."""

    denoiser: nn.Module = DDPMPlusPlus(dropout=0.3)  # F
    schedule: Sigmas = Sigmas()  # from e to T
    data_deviation: PositiveFloat = 0.5  # of the data, in c_skip, c_out and c_in
    method: Method = Alone()
    curriculum: Curriculum = Doubling()  # how many levels there are
    intervals: Intervals = LogNormalIntervals()  # which two neighbours of them are compared
    inverse_width: bool = True  # w has the factor 1 / (t - s)
    inverse_scale: bool = False  # w has the factor 1 / c_out(t): a distance then moves F as far at every level
    distance: Distance = PseudoHuber()  # d
    sampler: Sampler = Renoise(1)
    guidance: Guidance = NoGuidance()
    optimizer: Optimizer = Optimizer(1e-4, RAdam())
    average: MovingAverage = Constant(0.99993)

    prediction = property(lambda self: Bounded(self.data_deviation, self.schedule.least))


class Neighbours(NamedTuple):
    """What a loss is given of a batch: both ends of a step, and what the network is told."""

    data: Points  # x_0
    noise: Points  # z
    more: PerExample  # t
    less: PerExample  # s
    classes: Told


State: TypeAlias = denoising.TaughtState


def init(config: Config, key: Key) -> State:
    """A fresh network and optimiser; for `Distillation` a teacher at random, to be replaced by a trained one."""
    return denoising.create_taught(config, key, taught=isinstance(config.method, Distillation))


def consistency_function(
    config: Config, variables: Variables, noisy: Points, sigmas: PerExample, classes: Told, mode: Mode
) -> tuple[Points, Variables]:
    """f of equation 1, and the network's variables after the pass."""
    prediction, variables = denoise(config, variables, noisy, sigmas, classes, mode)
    skip, out = config.prediction.scales(config.schedule.level(sigmas))
    return along(skip, noisy) * noisy + along(out, noisy) * prediction.value, variables


def heun_step(config: Config, teacher: Variables, noisy: Points, neighbours: Neighbours) -> Points:
    """x_s, to which the teacher's probability flow leads from x_t: dx/dsigma is the noise that it predicts."""
    more, less, kind = neighbours.more, neighbours.less, Preconditioned(config.data_deviation)
    width = along(less - more, noisy)

    def slope(points: Points, sigmas: PerExample) -> Points:
        found = denoise(config, teacher, points, sigmas, neighbours.classes)[0]  # inputs are scaled for F alike
        return estimate(found.replace(kind=kind), config.schedule.level(sigmas), points).noise

    first = slope(noisy, more)
    return noisy + 0.5 * width * (first + slope(noisy + width * first, less))


def weight(config: Config, more: PerExample, less: PerExample) -> PerExample:
    """w of equation 2, for the levels t and s."""
    width = more - less if config.inverse_width else 1.0
    scale = config.prediction.scales(config.schedule.level(more))[1] if config.inverse_scale else 1.0
    return jnp.ones_like(more) / (width * scale)


def consistency_loss(
    config: Config, variables: Variables, neighbours: Neighbours, teacher: Any, mode: Mode
) -> LossOutput:
    """Equation 2, the mean over the batch."""
    more, less, classes = neighbours.more, neighbours.less, neighbours.classes
    noisy = corrupt(config.schedule.level(more), neighbours.data, neighbours.noise)
    if teacher is None:
        clearer = corrupt(config.schedule.level(less), neighbours.data, neighbours.noise)
    else:
        clearer = heun_step(config, teacher.variables, noisy, neighbours)
    found, after = consistency_function(config, variables, noisy, more, classes, mode)
    wanted, _ = consistency_function(config, variables, clearer, less, classes, mode)
    distances = config.distance.between(found, jax.lax.stop_gradient(wanted))
    return denoising.loss_output(weight(config, more, less) * distances, after)


def draw_neighbours(config: Config, batch: Any, step: jax.Array, key: Key, axis_name: AxisName) -> Neighbours:
    """Two neighbouring levels for each example of a batch, from the grid that is in use after so many steps."""
    key_intervals, key_noise, key_classes = jax.random.split(key, 3)
    data, classes = data_and_classes(config, batch, key_classes, axis_name)
    num, number = data.shape[0], config.curriculum.number(step)
    lower = config.intervals.draw(config.schedule, number, key_intervals, num, axis_name)
    noise = normal_noise(data.shape[1:], key_noise, num, axis_name)
    less, more = (levels(config.schedule, index, number) for index in (lower, lower + 1))
    return Neighbours(data, noise, more, less, classes)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step down equation 2.

    Args:
        config: settings.
        state: network and optimiser.
        batch: images, uint8 or floats in range; `Labelled` for a model of classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; the loss, and the number of `levels` on the grid.
    """
    key_neighbours, key_pass = jax.random.split(key)
    step = state.denoiser.step
    inputs = draw_neighbours(config, batch, step, key_neighbours, axis_name), state.teacher
    after, metrics = denoising.denoiser_step(
        config, state, partial(consistency_loss, config), inputs, key_pass, axis_name
    )
    number = config.curriculum.number(step).astype(jnp.float32)
    return State(after.denoiser, after.ema, state.teacher), metrics | {"levels": number}


sample, from_latents, trajectory = drawing.sample, drawing.from_latents, drawing.trajectory
