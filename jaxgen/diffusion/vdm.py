"""Variational diffusion model (VDM): the noise schedule is learned, and the loss is a bound on log p(x).

Kingma, Salimans, Poole, Ho: Variational Diffusion Models, 2021, arXiv 2107.00630.

A time is known by gamma = -log SNR, z = alpha x + sigma epsilon with alpha^2 = sigmoid(-gamma) and sigma^2 =
sigmoid(gamma). For x in [-1, 1]^D, its levels v_k at the middles of as many parts, the bound on -log p(x) is the sum of

    reconstruction   -E log p(x|z_0),    p(x = v_k|z_0) in proportion to exp(-(z_0 / alpha_0 - v_k)^2 / (2 e^gamma_0))
    diffusion        E (gamma_1 - gamma_0) ||epsilon - epsilon_theta(z_t, gamma_t)||^2 / 2                     (17)
                     with T steps E T (e^(gamma_t - gamma_s) - 1) ||...||^2 / 2,  s = t - 1 / T                (14)
    prior            KL(q(z_1|x) || N(0, I)),

gamma_t even between its ends, t uniform. Both ends are learned with the network: in continuous time the bound depends
on the schedule through them alone, so that one straight line is as good as any other. Data without bounds have the
density N(z_0 / alpha_0, e^gamma_0) in place of p(x = v_k|z_0). Samples take the steps z_t to z_s of appendix A.4.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen import moving_averages
from jaxgen.checks import AtLeast, NonNegativeInt, PositiveInt, require, require_bounds
from jaxgen.conditions import classes_of
from jaxgen.diffusion.denoising import (
    DenoiserDefaults,
    DenoiserState,
    blank_inputs,
    data_and_classes,
    denoise,
    denoiser_step,
)
from jaxgen.diffusion.predictions import Noise, corrupt
from jaxgen.diffusion.schedules import Level
from jaxgen.diffusion.schedules.levels import preserving
from jaxgen.images import binarized, clip, content_keys, scale
from jaxgen.losses import gaussian_nll, mean_squared_error, standard_normal_kl
from jaxgen.mode import EVALUATION, Mode, fold
from jaxgen.moving_averages import Constant, MovingAverage
from jaxgen.nets.unet.fourier_inputs import VDM
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import even_shares, example_keys, pass_key, split_key
from jaxgen.priors import Gaussian, normal_noise
from jaxgen.train_state import LossOutput, create_parts, from_variables
from jaxgen.typing import AxisName, Bound, Key, Keys, Labels, Metrics, PerExample, Points, States, Variables


@dataclass(frozen=True)
class Gammas:
    """gamma_0 and gamma_1 before the first update; the time is gamma itself."""

    end: float = -13.3  # gamma_0, of the least noise
    start: float = 5.0  # gamma_1, of the most

    discrete: ClassVar[bool] = False

    def __post_init__(self):
        require(self.end < self.start, "end", self.end, f"below start={self.start}")

    def level(self, gamma: Any) -> Level:
        """alpha and sigma."""
        return preserving(-gamma)

    def label(self, gamma: Any) -> Any:
        """What the network is told: 0 at gamma_0 and 1000 at gamma_1, as both are before the first update."""
        return 1000.0 * (gamma - self.end) / (self.start - self.end)


@dataclass(frozen=True)
class GammaSteps:
    """Ancestral sampling in steps that are even in gamma."""

    steps: PositiveInt = 1000

    stochastic: ClassVar[bool] = True
    evaluations = property(lambda self: self.steps)

    def __post_init__(self):
        require_bounds(self)


@dataclass(frozen=True)
class Config(DenoiserDefaults):
    """Settings; the defaults are those of the authors' code for CIFAR-10, in continuous time."""

    denoiser: nn.Module = VDM  # z and gamma to epsilon
    schedule: Gammas = Gammas()
    num_steps: NonNegativeInt = 0  # T of the bound; 0: continuous time
    num_levels: Annotated[int, AtLeast(2)] = 256  # of a number of an image
    binarize: Literal["never", "each_step", "once", "threshold"] = "never"  # grey levels to the first and the last
    sampler: GammaSteps = GammaSteps()
    optimizer: Optimizer = Optimizer(2e-4, Adam(b2=0.99), weight_decay=0.01)
    average: MovingAverage = Constant(0.9999)

    prediction: ClassVar = Noise()
    part: ClassVar[str | None] = "denoiser"
    prior = property(lambda self: Gaussian(self.image_shape))


class Drawn(NamedTuple):
    """What a bound is given of a batch, and what was drawn for it."""

    data: Points  # x
    classes: Any  # one-hot rows; None for a model without classes
    noise: Points  # epsilon of z_t
    first_noise: Points  # epsilon of z_0
    shares: PerExample  # t


State: TypeAlias = DenoiserState


def init(config: Config, key: Key) -> State:
    """A fresh network, gamma's ends and the optimiser of all."""
    parts = {"denoiser": (config.denoiser, *blank_inputs(config))}
    variables, ends = create_parts(parts, config.optimizer, key).variables, config.schedule
    gamma = {"first": jnp.float32(ends.end), "span": jnp.float32(ends.start - ends.end)}
    denoiser = from_variables({**variables, "params": variables["params"] | {"gamma": gamma}}, config.optimizer)
    return State(denoiser, moving_averages.begin(config.average, denoiser.variables))


def gamma_at(variables: Variables, share: Any) -> Any:
    """gamma_t at a share t of the way from the least noise to the most."""
    gamma = variables["params"]["gamma"]
    return gamma["first"] + jnp.abs(gamma["span"]) * share


def parts_of_bound(config: Config, variables: Variables, drawn: Drawn, mode: Mode) -> tuple[Bound, Variables]:
    """One draw of the bound's parts for each image, in nats, and the variables after the pass."""
    x, first, last = drawn.data, gamma_at(variables, 0.0), gamma_at(variables, 1.0)
    clean = x + jnp.exp(0.5 * first) * drawn.first_noise
    alpha, sigma = config.schedule.level(last)
    prior = standard_normal_kl(alpha * x, jnp.full_like(x, 2.0) * jnp.log(sigma))

    t, steps = drawn.shares, config.num_steps
    gamma = gamma_at(variables, (jnp.floor(steps * t) + 1.0) / steps if steps else t)
    noisy = corrupt(config.schedule.level(gamma), x, drawn.noise)
    prediction, variables = denoise(config, variables, noisy, gamma, drawn.classes, mode)
    error = x[0].size * mean_squared_error(prediction.value, drawn.noise)
    rate = steps * jnp.expm1((last - first) / steps) if steps else last - first
    return Bound(reconstruction_nll(config, clean, x, first), 0.5 * rate * error, prior), variables


def reconstruction_nll(config: Config, clean: Points, x: Points, first: jax.Array) -> PerExample:
    """-log p(x|z_0) of each image; `clean` is z_0 / alpha_0."""
    if config.value_range is None:
        return gaussian_nll(clean, jnp.full_like(clean, first), x)
    values = middles(config).reshape((1,) * x.ndim + (-1,))
    logits = -0.5 * (clean[..., None] - values) ** 2 * jnp.exp(-first)
    right = jnp.take_along_axis(logits, level_of(config, x)[..., None], axis=-1)[..., 0]
    return (jax.nn.logsumexp(logits, axis=-1) - right).sum(tuple(range(1, x.ndim)))


def middles(config: Config) -> jax.Array:
    """v_k, the middles of as many parts of [-1, 1] as there are levels."""
    return (2.0 * jnp.arange(config.num_levels, dtype=jnp.float32) + 1.0) / config.num_levels - 1.0


def level_of(config: Config, x: Points) -> Any:
    """The number k of the nearest v_k."""
    nearest = jnp.round(((x + 1.0) * config.num_levels - 1.0) / 2.0).astype(jnp.int32)
    return jnp.clip(nearest, 0, config.num_levels - 1)


def to_middles(config: Config, images: Points, keys: Keys) -> Points:
    """x of images in the value range, with a key for each; data without bounds as they are."""
    if config.value_range is None:
        return images
    low, high = config.value_range
    if config.binarize == "never":
        shares = (images - low) / (high - low)
    else:
        shares = binarized(images, keys, config.value_range, config.binarize)
    return middles(config)[jnp.round(shares * (config.num_levels - 1)).astype(jnp.int32)]


def to_images(config: Config, x: Points) -> Points:
    """Images in the value range from x, each number at its nearest level."""
    if config.value_range is None:
        return x
    low, high = config.value_range
    return clip(low + (high - low) / (config.num_levels - 1) * level_of(config, x).astype(x.dtype), config.value_range)


def bound_loss(config: Config, variables: Variables, drawn: Drawn, mode: Mode) -> LossOutput:
    """The bound in bits for each number of an image, the mean over the batch."""
    found, after = parts_of_bound(config, variables, drawn, mode)
    means = {name: part.mean() / (drawn.data[0].size * math.log(2.0)) for name, part in found._asdict().items()}
    loss = jnp.stack(list(means.values())).sum()
    ends = {"gamma_0": gamma_at(variables, 0.0), "gamma_1": gamma_at(variables, 1.0)}
    return loss, (means | ends | {"bits_per_dim": loss}, after)


def draws(config: Config, images: Points, classes: Any, shares: PerExample, keys: tuple[Keys, ...]) -> Drawn:
    """What the bound is given: pixels, and noise for z_t and z_0, of keys one for each example."""
    pixels, noise, first_noise = keys
    epsilon, first = (normal_noise(images.shape[1:], each, len(images)) for each in (noise, first_noise))
    return Drawn(to_middles(config, images, pixels), classes, epsilon, first, shares)


def update(config: Config, state: State, batch: Any, key: Key, *, axis_name: AxisName = None) -> tuple[State, Metrics]:
    """One step down the bound.

    Args:
        config: settings.
        state: network and optimiser.
        batch: images, uint8 or floats in range; `Labelled` for a model of classes.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_data, key_draws, key_times, key_pass = jax.random.split(key, 4)
    images, classes = data_and_classes(config, batch, key_data, axis_name)
    keys = split_key(example_keys(key_draws, len(images), axis_name), 3)
    drawn = draws(config, images, classes, even_shares(key_times, len(images), axis_name), tuple(keys))
    return denoiser_step(config, state, partial(bound_loss, config), (drawn,), key_pass, axis_name)


def bound(config: Config, state: State, batch: Any, key: Keys, shares: PerExample) -> Bound:
    """One draw of the bound for each image by the moving average, its t being `shares` in [0, 1)."""
    labels = batch.labels if config.num_classes else None
    images = scale(batch.images if config.num_classes else batch, config.value_range)
    keys = split_key(example_keys(key, len(images)), 3)
    if config.binarize == "each_step":
        keys = keys.at[0].set(content_keys(images, config.value_range))
    drawn = draws(config, images, classes_of(config, labels, len(images)), shares, tuple(keys))
    return parts_of_bound(config, state.ema, drawn, EVALUATION)[0]


def trajectory(config: Config, state: State, key: Keys, num: int, condition: Labels | None = None) -> States:
    """z from the noise on, and the images that `sample` draws with the same key: (steps + 1, num, ...)."""
    keys, classes = pass_key(example_keys(key, num)), classes_of(config, condition, num)
    start, steps = config.prior.draw(key, num), config.sampler.steps

    def step(z: Points, number: jax.Array) -> tuple[Points, Points]:
        here, there = (gamma_at(state.ema, 1.0 - place / steps) for place in (number, number + 1.0))
        found, _ = denoise(config, state.ema, z, jnp.broadcast_to(here, (num,)), classes)
        noise = normal_noise(z.shape[1:], fold(keys, number.astype(jnp.int32)), num)
        (alpha, sigma), (alpha_s, sigma_s) = (config.schedule.level(gamma) for gamma in (here, there))
        c = -jnp.expm1(there - here)
        z = alpha_s / alpha * (z - sigma * c * found.value) + sigma_s * jnp.sqrt(c) * noise
        return z, z

    last, states = jax.lax.scan(step, start, jnp.arange(steps, dtype=jnp.float32))
    images = to_images(config, last / config.schedule.level(gamma_at(state.ema, 0.0)).alpha)
    return jnp.concatenate([start[None], states[:-1], images[None]])


def sample(config: Config, state: State, key: Keys, num: int, condition: Labels | None = None) -> Points:
    """`num` images from the moving average; the label of each, -1 for none, or in turn: as `drawing.sample`."""
    return trajectory(config, state, key, num, condition)[-1]
