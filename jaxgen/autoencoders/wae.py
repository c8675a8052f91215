"""Wasserstein autoencoder with a maximum mean discrepancy penalty (WAE-MMD).

Tolstikhin, Bousquet, Gelly, Schoelkopf: Wasserstein Auto-Encoders, 2017, arXiv 1711.01558.

A deterministic encoder Q and a decoder G minimise, by Algorithm 2,

    E[c(x, G(Q(x)))] + lambda MMD^2(P_Z, Q_Z),    c(x, y) = w ||x - y||^2,

where Q_Z is the law of the codes of all images, P_Z = N(0, I), and MMD^2 the unbiased estimate between a batch of
codes and as many draws of the prior, with inverse multiquadratic kernels. The code of an image may keep away from those
of others; only all together are to be like the prior.

Networks, rates, lambda, kernel scales and w = 0.05 (not in the paper's text) are those of the authors' code for MNIST.
Left out: its noise of deviation 0.01 on the encoder's inputs, its 200 steps of pre-training that match the moments of
the codes, and its steps of the learning rate. WAE-GAN, the same objective with a discriminator in place of the MMD, is
`jaxgen.autoencoders.aae`, as the paper says, but for its phases.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.losses.features import inverse_multiquadratic_kernel, maximum_mean_discrepancy
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.nets.conv_autoencoder import ConvDecoder, ConvEncoder
from jaxgen.nets.shared_scale import EncoderDecoder
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.parallel import draw, gather
from jaxgen.train_state import TrainState, apply, create, descend
from jaxgen.typing import Batch, Collections, Key, Latents, Metrics, Params, Points, Scalar, Shape


@dataclass(frozen=True)
class Config:
    """Settings of Algorithm 2, with the defaults of the authors' code for MNIST."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape that the networks take
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    latent_dim: int = 8  # size of z ~ N(0, I)
    encoder: nn.Module = ConvEncoder((128, 256, 512, 1024), kernel_size=4, norm="batch")  # image to code
    decoder: nn.Module = ConvDecoder((1024, 512, 256), kernel_size=4, norm="batch")  # code to image
    cost_weight: float = 0.05  # w, of the squared distance, a sum over pixels
    penalty_weight: float = 10.0  # lambda
    kernel_scales: tuple[float, ...] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # of the kernels, around 2 latent_dim
    optimizer: Optimizer = Adam(1e-3, b1=0.5)

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.latent_dim >= 1, "latent_dim", self.latent_dim, "at least 1")
        require(self.cost_weight > 0, "cost_weight", self.cost_weight, "above 0")
        require(self.penalty_weight >= 0, "penalty_weight", self.penalty_weight, "at least 0")
        require(min(self.kernel_scales, default=0) > 0, "kernel_scales", self.kernel_scales, "one or more above 0")

    @property
    def minibatches(self) -> int:
        """One update takes one minibatch."""
        return 1

    @property
    def batch_type(self) -> None:
        """Images alone."""
        return None


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    images, latents = jnp.zeros((1, *config.image_shape)), jnp.zeros((1, config.latent_dim))
    inputs = images, latents.shape[1:], latents, config.image_shape
    return State(create(_network(config), config.optimizer, key, *inputs))


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
    """Q(x), and the network's collections after it."""
    options = {"method": "encode", "train": train, "axis_name": axis_name}
    return apply(_network(config), params, collections, images, (config.latent_dim,), **options)


def decode(
    config: Config,
    params: Params,
    collections: Collections,
    latents: Latents,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Points, Collections]:
    """G(z), and the network's collections after it."""
    options = {"method": "decode", "train": train, "axis_name": axis_name}
    outputs, collections = apply(_network(config), params, collections, latents, config.image_shape, **options)
    return squash(outputs, config.value_range), collections


def discrepancy(config: Config, prior: Latents, codes: Latents) -> Scalar:
    """MMD^2(P_Z, Q_Z), unbiased: it can be negative."""
    kernel = functools.partial(inverse_multiquadratic_kernel, scales=config.kernel_scales)
    return maximum_mean_discrepancy(prior, codes, kernel)


def autoencoder_loss(
    config: Config,
    params: Params,
    collections: Collections,
    images: Points,
    prior: Latents,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """E[c(x, G(Q(x)))] + lambda MMD^2, the latter over the batch of all devices."""
    options = {"train": True, "axis_name": axis_name}
    codes, collections = encode(config, params, collections, images, **options)
    outputs, collections = decode(config, params, collections, codes, **options)
    error = mean_squared_error(outputs, images).mean()
    mmd = discrepancy(config, gather(prior, axis_name), gather(codes, axis_name))
    loss = config.cost_weight * images[0].size * error + config.penalty_weight * mmd
    return loss, ({"autoencoder_loss": loss, "reconstruction_error": error, "mmd": mmd}, collections)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 2.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: two images or more, uint8 or floats in range.
        key: of this iteration, for the draws of the prior.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; the loss, the mean squared error of a pixel, and MMD^2.
    """
    images = scale(batch, config.value_range)
    prior = draw_latents(config, key, len(images), axis_name)
    before = state.autoencoder
    autoencoder, metrics = descend(
        before,
        lambda params: autoencoder_loss(config, params, before.collections, images, prior, axis_name),
        axis_name,
    )
    return State(autoencoder), metrics


def sample(config: Config, state: State, key: Key, num: int) -> Points:
    """`num` images of latents from the prior."""
    return from_latents(config, state, draw_latents(config, key, num))


def from_latents(config: Config, state: State, latents: Latents) -> Points:
    """G(z)."""
    return decode(config, state.autoencoder.params, state.autoencoder.collections, latents)[0]


def to_latents(config: Config, state: State, images: Points) -> Latents:
    """Q(x)."""
    return encode(config, state.autoencoder.params, state.autoencoder.collections, images)[0]


def draw_latents(config: Config, key: Key, num: int, axis_name: str | None = None) -> Latents:
    """z ~ N(0, I) for each example."""
    normal = functools.partial(jax.random.normal, shape=(config.latent_dim,))
    return draw(normal, key, num, axis_name)
