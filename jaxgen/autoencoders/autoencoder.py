"""Autoencoder, plain and denoising.

Rumelhart, Hinton, Williams: Learning internal representations by error propagation, 1986; Hinton, Salakhutdinov:
Reducing the Dimensionality of Data with Neural Networks, 2006, Science 313 (no arXiv number). Denoising: see
`jaxgen.autoencoders.corruption`. In a review: Bank, Koenigstein, Giryes: Autoencoders, 2020, arXiv 2003.05991.

An encoder f and a decoder g minimise the squared error to the clean image x from its noisy copy x~,

    L = E[mean over pixels of (g(f(x~)) - x)^2].

The codes f(x) follow no known law. So that it can be sampled all the same, the model keeps a moving mean and covariance
of its codes, and its latent vectors are the codes less that mean, divided by the Cholesky factor of that covariance:
among vectors drawn from N(0, I) the decoder finds codes with the right first two moments. `encode` and `decode` are the
networks themselves.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders.corruption import Clean, Corruption, corrupt
from jaxgen.checks import require
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.nets.mlp import MLP
from jaxgen.nets.shared_scale import EncoderDecoder
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import draw, example_keys, pmean
from jaxgen.train_state import TrainState, apply, create, descend, moving_average
from jaxgen.typing import Batch, Collections, Key, Latents, Metrics, Params, Points, Scalar, Shape


@dataclass(frozen=True)
class Config:
    """Settings; the defaults are the toy 784-128-64-12-2 of Jodoin's course (IFT780) and its mirror."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape for other data
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    latent_dim: int = 2  # size of the code
    encoder: nn.Module = MLP((128, 64, 12))  # image to code
    decoder: nn.Module = MLP((12, 64, 128))  # code to image
    corruption: Corruption = Clean()  # of the inputs; the target is the clean image
    optimizer: Optimizer = Adam(1e-3)
    moments_decay: float = 0.99  # of the moving mean and covariance of the codes

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.latent_dim >= 1, "latent_dim", self.latent_dim, "at least 1")
        require(0 <= self.moments_decay < 1, "moments_decay", self.moments_decay, "in [0, 1)")

    @property
    def minibatches(self) -> int:
        """One update takes one minibatch."""
        return 1

    @property
    def batch_type(self) -> None:
        """Images alone."""
        return None


class Moments(NamedTuple):
    """Of the codes."""

    mean: jax.Array  # (latent,)
    covariance: jax.Array  # (latent, latent)


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState
    codes: Moments  # moving averages


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    images = jnp.zeros((1, *config.image_shape))
    codes = jnp.zeros((1, config.latent_dim))
    inputs = images, codes.shape[1:], codes, config.image_shape
    autoencoder = create(_network(config), config.optimizer, key, *inputs)
    return State(autoencoder, Moments(jnp.zeros(config.latent_dim), jnp.eye(config.latent_dim)))


def _network(config: Config) -> EncoderDecoder:
    return EncoderDecoder(config.encoder, config.decoder)


def encode(
    config: Config,
    params: Params,
    collections: Collections,
    images: Points,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Latents, Collections]:
    """The codes f(x), and the network's collections after it."""
    shape = (config.latent_dim,)
    options = {"method": "encode", "train": train, "axis_name": axis_name}
    return apply(_network(config), params, collections, images, shape, **options)


def decode(
    config: Config,
    params: Params,
    collections: Collections,
    codes: Latents,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Points, Collections]:
    """The images g(c), and the network's collections after it."""
    options = {"method": "decode", "train": train, "axis_name": axis_name}
    outputs, collections = apply(_network(config), params, collections, codes, config.image_shape, **options)
    return squash(outputs, config.value_range), collections


def reconstruction_loss(
    config: Config, params: Params, collections: Collections, inputs: Points, targets: Points, axis_name: str | None
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """E[mean over pixels of (g(f(x~)) - x)^2], mean over the batch."""
    codes, collections = encode(config, params, collections, inputs, train=True, axis_name=axis_name)
    outputs, collections = decode(config, params, collections, codes, train=True, axis_name=axis_name)
    loss = mean_squared_error(outputs, targets).mean()
    return loss, ({"reconstruction_error": loss}, collections)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One step down the reconstruction error of corrupted images; then the moments of the codes follow.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    images = scale(batch, config.value_range)
    keys = example_keys(key, len(images), axis_name)
    inputs = corrupt(config.corruption, images, keys, config.value_range)
    before = state.autoencoder
    autoencoder, metrics = descend(
        before,
        lambda params: reconstruction_loss(config, params, before.collections, inputs, images, axis_name),
        axis_name,
    )
    codes, _ = encode(config, autoencoder.params, autoencoder.collections, images)
    moments = moving_average(state.codes, _moments(codes, axis_name), config.moments_decay, autoencoder.step)
    return State(autoencoder, Moments(*moments)), metrics


def _moments(codes: Latents, axis_name: str | None) -> Moments:
    """Mean and covariance over the batch of all devices."""
    mean = pmean(codes.mean(axis=0), axis_name)
    centred = codes - mean[None]
    return Moments(mean, pmean(centred.T @ centred / len(codes), axis_name))


def sample(config: Config, state: State, key: Key, num: int) -> Points:
    """`num` images from codes of the right mean and covariance."""
    return from_latents(config, state, draw_latents(config, key, num))


def from_latents(config: Config, state: State, latents: Latents) -> Points:
    """The image of mean + C z, C the Cholesky factor of the codes' covariance."""
    codes = state.codes.mean[None] + latents @ _factor(state.codes).T
    return decode(config, state.autoencoder.params, state.autoencoder.collections, codes)[0]


def to_latents(config: Config, state: State, images: Points) -> Latents:
    """C^-1 (f(x) - mean): the inverse of what `from_latents` begins with."""
    codes, _ = encode(config, state.autoencoder.params, state.autoencoder.collections, images)
    centred = codes - state.codes.mean[None]
    return jax.scipy.linalg.solve_triangular(_factor(state.codes), centred.T, lower=True).T


def draw_latents(config: Config, key: Key, num: int) -> Latents:
    """z ~ N(0, I) for each image."""
    return draw(functools.partial(jax.random.normal, shape=(config.latent_dim,)), key, num)


def _factor(codes: Moments) -> jax.Array:
    """The Cholesky factor of the covariance, which a small share of its mean variance keeps from being singular."""
    eye = jnp.eye(len(codes.mean))
    ridge = 1e-4 * jnp.trace(codes.covariance) / len(codes.mean) + 1e-12
    return jnp.linalg.cholesky(codes.covariance + ridge * eye)
