"""Flow matching and rectified flow: a velocity on straight paths between noise and data.

Lipman, Chen, Ben-Hamu, Nickel, Le: Flow Matching for Generative Modeling, 2022, arXiv 2210.02747 (with sigma_min = 0).
Liu, Gong, Liu: Flow Straight and Fast, 2022, arXiv 2209.03003: the same path, and reflow.

With t = 0 at the data and 1 at the noise (the papers count the other way),

    x_t = (1 - t) x_0 + t epsilon                                                                        (1)
    L = E ||v_theta(x_t, t) - (epsilon - x_0)||^2                                                        (2)

and images are made by integrating dx/dt = v from the noise at t = 1 to t = 0. Settings choose the times (uniform, or
logit-normal: arXiv 2403.03206), and which noise is paired with which example: independently, by optimal transport in
the minibatch (arXiv 2302.00482), or as a trained model pairs them (`Reflow`), which straightens the paths.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import flax.linen as nn
import jax

from jaxgen.diffusion import denoising, densities, drawing, editing
from jaxgen.diffusion.couplings import Coupling, Independent, Reflow
from jaxgen.diffusion.denoising import DenoiserDefaults, Examples, denoise, draw_examples, wanted
from jaxgen.diffusion.guidance import Guidance, NoGuidance
from jaxgen.diffusion.predictions import Kind, Velocity, corrupt
from jaxgen.diffusion.samplers import Euler, Sampler
from jaxgen.diffusion.schedules import Schedule, Straight
from jaxgen.diffusion.times import Times, UniformTimes
from jaxgen.diffusion.weights import Distance, Squared, Unweighted, Weight
from jaxgen.mode import Mode
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.unet.ddpm import UNet
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.train_state import LossOutput
from jaxgen.typing import AxisName, Key, Metrics, Points, Variables


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """Settings; the defaults are those of arXiv 2302.00482 for CIFAR-10 without its coupling."""

    denoiser: nn.Module = UNet()  # x_t and t to the velocity
    schedule: Schedule = Straight()
    prediction: Kind = Velocity()  # what the network predicts
    coupling: Coupling = Independent()  # q(x_0, epsilon)
    times: Times = UniformTimes()  # at which it is trained
    weight: Weight = Unweighted()  # of a level in the loss
    distance: Distance = Squared()  # between the prediction and its target
    sampler: Sampler = Euler(100)
    guidance: Guidance = NoGuidance()
    optimizer: Optimizer = Optimizer(2e-4, Adam(), warm_up=5000, clip_norm=1.0)
    average: MovingAverage = Constant(0.9999)


State: TypeAlias = denoising.TaughtState


def init(config: Config, key: Key) -> State:
    """A fresh network and optimiser; for `Reflow` a teacher at random, to be replaced by a trained one."""
    return denoising.create_taught(config, key, taught=isinstance(config.coupling, Reflow))


def pairs(config: Config, state: State, examples: Examples, axis_name: AxisName) -> Examples:
    """The examples with the noises, or the images, that the coupling pairs them with."""
    coupling = config.coupling
    if not isinstance(coupling, Reflow):
        return examples._replace(noise=coupling.pair(examples.data, examples.noise, axis_name))
    teaching: Any = dataclasses.replace(config, sampler=coupling.sampler, guidance=NoGuidance())
    at = drawing.networks(teaching, state.teacher.variables)
    data: Points = drawing.integrate(teaching, at, examples.noise, None, examples.classes)
    return examples._replace(data=jax.lax.stop_gradient(data))


def flow_loss(config: Config, variables: Variables, examples: Examples, mode: Mode) -> LossOutput:
    """Equation 2, the mean over pixels and over the batch."""
    level = config.schedule.level(examples.times)
    noisy = corrupt(level, examples.data, examples.noise)
    prediction, variables = denoise(config, variables, noisy, examples.times, examples.classes, mode)
    errors = config.distance.between(prediction.value, wanted(config, examples))
    return denoising.loss_output(config.weight.factor(config.prediction, level) * errors, variables)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step down equation 2.

    Args:
        config: settings.
        state: network and optimiser.
        batch: images, uint8 or floats in range; `Labelled` for a model of classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_examples, key_pass = jax.random.split(key)
    examples = pairs(config, state, draw_examples(config, batch, key_examples, axis_name), axis_name)
    after, metrics = denoising.denoiser_step(
        config, state, partial(flow_loss, config), (examples,), key_pass, axis_name
    )
    return State(after.denoiser, after.ema, state.teacher), metrics


sample, from_latents, to_latents = drawing.sample, drawing.from_latents, drawing.to_latents
edit = editing.edit
trajectory, log_density = drawing.trajectory, densities.log_density
