"""EDM: a preconditioned denoiser, trained at noise levels of a log-normal distribution.

Karras, Aittala, Aila, Laine: Elucidating the Design Space of Diffusion-Based Generative Models, 2022, arXiv 2206.00364.

With y the data, n ~ N(0, sigma^2 I) and d the deviation of the data, the denoiser and its loss are

    D(x; sigma) = c_skip x + c_out F(c_in x; c_noise)                                                     (7)
    L = E lambda(sigma) ||D(y + n; sigma) - y||^2,    log sigma ~ N(P_mean, P_std^2).                     (8)

lambda c_out^2 = 1, so that L is the unweighted error of F: c_skip, c_out and c_in stand in
`predictions.Preconditioned`, lambda in `weights.EDMWeight`, c_noise in `schedules.Sigmas`. The authors' code sums over
pixels; here L is the mean over them, and the learning rate of Adam the same.

With `uncertainty` the loss is that of EDM2, Karras et al., 2023, arXiv 2312.02696, section 2.2: u is learned too, and

    L = E [lambda(sigma) / exp(u(sigma)) ||D(y + n; sigma) - y||^2 + u(sigma)],

least where exp(u) is the weighted error at sigma, so that all levels count alike. Samples do not depend on u.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen import moving_averages
from jaxgen.checks import NonNegativeInt, require_bounds
from jaxgen.diffusion import denoising, densities, drawing, editing
from jaxgen.diffusion.augmentation import NUM_LABELS, Augmentation, augment
from jaxgen.diffusion.denoising import DenoiserDefaults, DenoiserState, Examples, denoise, draw_examples
from jaxgen.diffusion.guidance import Guidance, NoGuidance
from jaxgen.diffusion.predictions import Data, Kind, Preconditioned, convert, corrupt
from jaxgen.diffusion.samplers import Heun, Sampler
from jaxgen.diffusion.schedules import Schedule, Sigmas, ratio
from jaxgen.diffusion.times import LogNormal, Times
from jaxgen.diffusion.weights import EDMWeight, Weight
from jaxgen.losses import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.moving_averages import HalfLife, MovingAverage
from jaxgen.nets.uncertainty import LevelUncertainty
from jaxgen.nets.unet.condition import Condition
from jaxgen.nets.unet.ddpm_plus_plus import DDPMPlusPlus
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys
from jaxgen.train_state import LossOutput, apply, blank, create_parts
from jaxgen.typing import AxisName, Key, Metrics, PerExample, Variables


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """Settings; the defaults are the paper's for CIFAR-10 at a batch of 512, without augmentation."""

    denoiser: nn.Module = DDPMPlusPlus()  # F
    schedule: Schedule = Sigmas()
    prediction: Kind = Preconditioned(0.5)  # what the network predicts
    times: Times = LogNormal(-1.2, 1.2)  # at which it is trained
    weight: Weight = EDMWeight(0.5)  # lambda
    sampler: Sampler = Heun(18)
    guidance: Guidance = NoGuidance()
    uncertainty: NonNegativeInt = 0  # features of sigma of which u is made, 128 in EDM2; 0: the loss has no u
    augmentation: Augmentation = Augmentation()  # of the images, of which the network is told
    optimizer: Optimizer = Optimizer(1e-3, Adam(), warm_up=19_531)  # 10 million images
    average: MovingAverage = HalfLife(977.0, 0.05)  # half a million images

    augmentation_labels: ClassVar[Any] = property(lambda self: NUM_LABELS if self.augmentation.rate else 0)
    part: ClassVar[Any] = property(lambda self: "denoiser" if self.uncertainty else None)

    def __post_init__(self):
        super().__post_init__()
        require_bounds(self)


State: TypeAlias = DenoiserState


def init(config: Config, key: Key) -> State:
    """A fresh network and optimiser; with `uncertainty` params and collections are dicts of two parts."""
    if not config.uncertainty:
        return denoising.create_denoiser(config, key)
    parts = {
        "denoiser": (config.denoiser, *denoising.blank_inputs(config)),
        "uncertainty": (LevelUncertainty(config.uncertainty), blank(())),
    }
    denoiser = create_parts(parts, config.optimizer, key)
    return State(denoiser, moving_averages.begin(config.average, denoiser.variables))


def uncertainty(config: Config, variables: Variables, times: PerExample) -> PerExample:
    """u of the noise at each time, for settings with `uncertainty`."""
    inputs = jnp.log(ratio(config.schedule.level(times))) / 4.0
    return apply(LevelUncertainty(config.uncertainty), variables, inputs, part="uncertainty")[0]


def denoiser_loss(config: Config, variables: Variables, examples: Examples, mode: Mode) -> LossOutput:
    """Equation 8, the mean over pixels and over the batch; with `uncertainty` EDM2's, and equation 8 as a metric."""
    level = config.schedule.level(examples.times)
    noisy = corrupt(level, examples.data, examples.noise)
    prediction, variables = denoise(config, variables, noisy, examples.times, examples.classes, mode)
    denoised = convert(prediction, Data(), level, noisy).value
    errors = config.weight.factor(Data(), level) * mean_squared_error(denoised, examples.data)
    if not config.uncertainty:
        return denoising.loss_output(errors, variables)
    u = uncertainty(config, variables, examples.times)
    loss, (metrics, variables) = denoising.loss_output(errors * jnp.exp(-u) + u, variables)
    return loss, (metrics | {"weighted_error": errors.mean()}, variables)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step down equation 8.

    Args:
        config: settings.
        state: network and optimiser.
        batch: images, uint8 or floats in range; `Labelled` for a model of classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_examples, key_augment, key_pass = jax.random.split(key, 3)
    examples = draw_examples(config, batch, key_examples, axis_name)
    if config.augmentation.rate:
        keys = example_keys(key_augment, examples.data.shape[0], axis_name)
        images, labels = augment(config.augmentation.rate, examples.data, keys)
        examples = examples._replace(data=images, classes=Condition(examples.classes, labels))
    return denoising.denoiser_step(config, state, partial(denoiser_loss, config), (examples,), key_pass, axis_name)


sample, from_latents, to_latents = drawing.sample, drawing.from_latents, drawing.to_latents
edit = editing.edit
trajectory, log_density = drawing.trajectory, densities.log_density
