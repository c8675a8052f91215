"""Autoencoder, plain and denoising.

Rumelhart, Hinton, Williams: Learning internal representations by error propagation, 1986; Hinton, Salakhutdinov:
Reducing the Dimensionality of Data with Neural Networks, 2006, Science 313 (no arXiv number). Denoising: see
`jaxgen.autoencoders.corruption`. In a review: Bank, Koenigstein, Giryes: Autoencoders, 2020, arXiv 2003.05991.

An encoder f and a decoder g minimise the squared error to the clean image x from its noisy copy x~,

    L = E[mean over pixels of (g(f(x~)) - x)^2].

The distribution of the encodings f(x) is not known. To draw samples, the model keeps a moving mean and covariance of
its encodings. A latent is C^-1 (f(x) - mean), C the Cholesky factor of the covariance: latents from N(0, I) are
encodings with the right mean and covariance.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders.coders import create_coders, decode, encode
from jaxgen.autoencoders.corruption import Clean, Corruption, corrupt
from jaxgen.checks import PositiveInt, require
from jaxgen.images import scale
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
from jaxgen.typing import AxisName, Batch, Key, Latents, Metrics, Points, Variables


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the default networks are 784-128-64-12-2 and its mirror (docs/courses.md)."""

    latent_dim: PositiveInt = 2  # size of an encoding
    encoder: nn.Module = MLP((128, 64, 12))  # image to encoding
    decoder: nn.Module = MLP((12, 64, 128))  # encoding to image
    corruption: Corruption = Clean()  # of the inputs; the target is the clean image
    optimizer: Optimizer = Optimizer(1e-3, Adam())
    moments_decay: float = 0.99  # of the moving mean and covariance of the encodings

    prior = property(lambda self: Normal(self.latent_dim))

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.moments_decay < 1, "moments_decay", self.moments_decay, "in [0, 1)")


class MeanCovariance(NamedTuple):
    """Of encodings."""

    mean: jax.Array  # (latent,)
    covariance: jax.Array  # (latent, latent)


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState  # encoder and decoder
    codes: MeanCovariance  # moving averages, of the encodings


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    standard = MeanCovariance(jnp.zeros(config.latent_dim), jnp.eye(config.latent_dim))
    return State(create_coders(config, config.optimizer, key), standard)


def reconstruction_loss(
    config: Config, variables: Variables, inputs: Points, targets: Points, mode: Mode
) -> LossOutput:
    """E[mean over pixels of (g(f(x~)) - x)^2], mean over the batch."""
    encodings, variables = encode(config, variables, inputs, mode)
    outputs, variables = decode(config, variables, encodings, mode)
    loss = mean_squared_error(outputs, targets).mean()
    return loss, ({"reconstruction_error": loss}, variables)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step down the reconstruction error of corrupted images, then one of the mean and covariance of the encodings.

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
    encodings, _ = encode(config, autoencoder.variables, images)
    average = Exponential(config.moments_decay) if config.moments_decay else NoAverage()
    return State(
        autoencoder, average.update(state.codes, mean_covariance(encodings, axis_name), autoencoder.step)
    ), metrics


def mean_covariance(encodings: Latents, axis_name: AxisName) -> MeanCovariance:
    """Mean and covariance over the batch of all devices."""
    mean = pmean(encodings.mean(axis=0), axis_name)
    centred = encodings - mean[None]
    return MeanCovariance(mean, pmean(centred.T @ centred / len(encodings), axis_name))


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """The image of mean + C z, C the Cholesky factor of the covariance."""
    encodings = state.codes.mean[None] + latents @ factor(state.codes).T
    return decode(config, state.autoencoder.variables, encodings)[0]


def to_latents(config: Config, state: State, images: Points, condition: None = None) -> Latents:
    """C^-1 (f(x) - mean): the latent whose encoding is f(x)."""
    encodings, _ = encode(config, state.autoencoder.variables, images)
    centred = encodings - state.codes.mean[None]
    return jax.scipy.linalg.solve_triangular(factor(state.codes), centred.T, lower=True).T


def factor(statistics: MeanCovariance) -> jax.Array:
    """The Cholesky factor of the covariance, with 1e-4 of the mean variance added to its diagonal."""
    eye = jnp.eye(len(statistics.mean))
    ridge = 1e-4 * jnp.trace(statistics.covariance) / len(statistics.mean) + 1e-12
    return jnp.linalg.cholesky(statistics.covariance + ridge * eye)


sample = sampler(from_latents)
