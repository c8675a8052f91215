"""Autoencoder, plain and denoising.

Rumelhart, Hinton, Williams: Learning internal representations by error propagation, 1986; Hinton, Salakhutdinov:
Reducing the Dimensionality of Data with Neural Networks, 2006, Science 313 (no arXiv number). Denoising: see
`jaxgen.autoencoders.corruption`. In a review: Bank, Koenigstein, Giryes: Autoencoders, 2020, arXiv 2003.05991.

An encoder f and a decoder g minimise the squared error to the clean image x from its noisy copy x~,

    L = E[mean over pixels of (g(f(x~)) - x)^2].

The distribution of the codes f(x) is not known. So that it can be sampled all the same, the model keeps a moving mean
and covariance of its codes, and its latent vectors are the codes less that mean, divided by the Cholesky factor of that
covariance: of vectors drawn from N(0, I) the decoder makes codes with the right first two moments.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders.coders import create_coders, decode, encode
from jaxgen.autoencoders.corruption import Clean, Corruption, corrupt
from jaxgen.checks import at_least, require
from jaxgen.images import ValueRange, require_range, scale
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.mode import Mode
from jaxgen.model import Defaults
from jaxgen.moving_averages import Exponential, NoAverage
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import example_keys, pass_key, pmean
from jaxgen.priors import Normal
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, TrainState, descend, training_mode
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Shape, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the defaults are the toy 784-128-64-12-2 of Jodoin's course (IFT780) and its mirror."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape for other data
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    latent_dim: int = 2  # size of the code
    encoder: nn.Module = MLP((128, 64, 12))  # image to code
    decoder: nn.Module = MLP((12, 64, 128))  # code to image
    corruption: Corruption = Clean()  # of the inputs; the target is the clean image
    optimizer: Optimizer = Optimizer(1e-3, Adam())
    moments_decay: float = 0.99  # of the moving mean and covariance of the codes

    prior = property(lambda self: Normal(self.latent_dim))

    def __post_init__(self):
        require_range(self.value_range)
        at_least(1, self, "latent_dim")
        require(0 <= self.moments_decay < 1, "moments_decay", self.moments_decay, "in [0, 1)")


class Moments(NamedTuple):
    """Of the codes."""

    mean: jax.Array  # (latent,)
    covariance: jax.Array  # (latent, latent)


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoder and decoder
    codes: Moments  # moving averages


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    moments = Moments(jnp.zeros(config.latent_dim), jnp.eye(config.latent_dim))
    return State(create_coders(config, config.optimizer, key), moments)


def reconstruction_loss(
    config: Config, variables: Variables, inputs: Points, targets: Points, mode: Mode
) -> LossOutput:
    """E[mean over pixels of (g(f(x~)) - x)^2], mean over the batch."""
    codes, variables = encode(config, variables, inputs, mode)
    outputs, variables = decode(config, variables, codes, mode)
    loss = mean_squared_error(outputs, targets).mean()
    return loss, ({"reconstruction_error": loss}, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step down the reconstruction error of corrupted images, then one of the codes' moments.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images, before = scale(batch, config.value_range), state.autoencoder
    keys = example_keys(key, len(images), axis_name)
    inputs = corrupt(config.corruption, images, keys, config.value_range)
    mode = training_mode(before, pass_key(key), len(images), axis_name)
    inputs = inputs, images, mode
    autoencoder, metrics = descend(before, partial(reconstruction_loss, config), inputs, axis_name)
    codes, _ = encode(config, autoencoder.variables, images)
    average = Exponential(config.moments_decay) if config.moments_decay else NoAverage()
    return State(autoencoder, average.update(state.codes, moments_of(codes, axis_name), autoencoder.step)), metrics


def moments_of(codes: Latents, axis_name: AxisName) -> Moments:
    """Mean and covariance over the batch of all devices."""
    mean = pmean(codes.mean(axis=0), axis_name)
    centred = codes - mean[None]
    return Moments(mean, pmean(centred.T @ centred / len(codes), axis_name))


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """The image of mean + C z, C the Cholesky factor of the codes' covariance."""
    codes = state.codes.mean[None] + latents @ factor(state.codes).T
    return decode(config, state.autoencoder.variables, codes)[0]


def to_latents(config: Config, state: State, images: Points, condition: None = None) -> Latents:
    """C^-1 (f(x) - mean): the inverse of what `from_latents` begins with."""
    codes, _ = encode(config, state.autoencoder.variables, images)
    centred = codes - state.codes.mean[None]
    return jax.scipy.linalg.solve_triangular(factor(state.codes), centred.T, lower=True).T


def factor(codes: Moments) -> jax.Array:
    """The Cholesky factor of the covariance, which a small share of its mean variance keeps from being singular."""
    eye = jnp.eye(len(codes.mean))
    ridge = 1e-4 * jnp.trace(codes.covariance) / len(codes.mean) + 1e-12
    return jnp.linalg.cholesky(codes.covariance + ridge * eye)


sample = sampler(from_latents)
