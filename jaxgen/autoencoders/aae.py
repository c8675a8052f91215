"""Adversarial autoencoder (AAE).

Makhzani, Shlens, Jaitly, Goodfellow, Frey: Adversarial Autoencoders, 2015, arXiv 1511.05644.

Each minibatch is used in two phases (section 2):

    reconstruction     encoder and decoder descend   E[mean over pixels of (x - g(f(x)))^2]
    regularisation     the discriminator descends    E[-log D(z) - log(1 - D(f(x)))],   z ~ N(0, I),
                       then the encoder descends     E[-log D(f(x))],

so that the codes of all images together come to look like draws of the prior. The encoder, here deterministic, thus has
two optimisers: one with the decoder, and one of its own as the generator of the adversarial game.

The paper trains by gradient descent with momentum, at rates for a scale of its reconstruction cost that it does not
give; the defaults here are Adam's, one rate for all: where the reconstruction phase is faster, the encoder loses the
game and its codes spread beyond the prior. The networks have two hidden layers of 1000 ReLUs each.
"""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.checks import require
from jaxgen.images import RANGES, ValueRange, scale, squash
from jaxgen.losses.adversarial import minimax_discriminator, non_saturating_generator
from jaxgen.losses.reconstruction import mean_squared_error
from jaxgen.nets.mlp import MLP
from jaxgen.nets.shared_scale import EncoderDecoder
from jaxgen.optimizers import Adam, Optimizer, to_optax
from jaxgen.parallel import draw
from jaxgen.train_state import TrainState, apply, create, descend
from jaxgen.typing import Batch, Collections, Key, Latents, Metrics, Params, PerExample, Points, Scalar, Shape


@dataclass(frozen=True)
class Config:
    """Settings; the networks are the paper's for MNIST."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape for other data
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    latent_dim: int = 8  # size of z ~ N(0, I)
    encoder: nn.Module = MLP((1000, 1000))  # image to code
    decoder: nn.Module = MLP((1000, 1000))  # code to image
    discriminator: nn.Module = MLP((1000, 1000))  # code to score
    autoencoder_optimizer: Optimizer = Adam(3e-4, b1=0.5)  # of the reconstruction phase
    encoder_optimizer: Optimizer = Adam(3e-4, b1=0.5)  # of the encoder in the regularisation phase
    discriminator_optimizer: Optimizer = Adam(3e-4, b1=0.5)

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.latent_dim >= 1, "latent_dim", self.latent_dim, "at least 1")

    @property
    def minibatches(self) -> int:
        """One update takes one minibatch, for all phases."""
        return 1

    @property
    def batch_type(self) -> None:
        """Images alone."""
        return None


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState
    discriminator: TrainState
    regularization: Any  # state of the encoder's own optimiser


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimisers."""
    key_autoencoder, key_discriminator = jax.random.split(key)
    images, latents = jnp.zeros((1, *config.image_shape)), jnp.zeros((1, config.latent_dim))
    inputs = images, latents.shape[1:], latents, config.image_shape
    autoencoder = create(_network(config), config.autoencoder_optimizer, key_autoencoder, *inputs)
    discriminator = create(config.discriminator, config.discriminator_optimizer, key_discriminator, latents, ())
    if discriminator.collections:
        raise ValueError(
            "the discriminator sees draws of the prior and codes apart, but this one keeps "
            f"{sorted(discriminator.collections)}: use layer normalisation or none in place of batch normalisation"
        )
    return State(autoencoder, discriminator, to_optax(config.encoder_optimizer).init(autoencoder.params["encoder"]))


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
    """The images g(z), and the network's collections after it."""
    options = {"method": "decode", "train": train, "axis_name": axis_name}
    outputs, collections = apply(_network(config), params, collections, latents, config.image_shape, **options)
    return squash(outputs, config.value_range), collections


def score(config: Config, params: Params, latents: Latents) -> PerExample:
    """The logit of D(z)."""
    return config.discriminator.apply({"params": params}, latents, ())  # pyright: ignore[reportReturnType]


def reconstruction_loss(
    config: Config, params: Params, collections: Collections, images: Points, axis_name: str | None = None
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """E[mean over pixels of (x - g(f(x)))^2], mean over the batch."""
    options = {"train": True, "axis_name": axis_name}
    codes, collections = encode(config, params, collections, images, **options)
    outputs, collections = decode(config, params, collections, codes, **options)
    loss = mean_squared_error(outputs, images).mean()
    return loss, ({"reconstruction_error": loss}, collections)


def discriminator_loss(
    config: Config, params: Params, prior: Latents, codes: Latents
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """E[-log D(z) - log(1 - D(f(x)))], mean over the batch; 2 log 2 = 1.386 where it cannot tell them apart."""
    prior_scores, code_scores = score(config, params, prior), score(config, params, codes)
    loss = minimax_discriminator(prior_scores, code_scores).mean()
    metrics = {
        "discriminator_loss": loss,
        "prior_probability": nn.sigmoid(prior_scores).mean(),  # D(z)
        "code_probability": nn.sigmoid(code_scores).mean(),  # D(f(x))
    }
    return loss, (metrics, {})


def encoder_loss(
    config: Config,
    params: Params,
    collections: Collections,
    discriminator_params: Params,
    images: Points,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """E[-log D(f(x))], mean over the batch; `params` are the encoder's."""
    codes, collections = encode(config, {"encoder": params}, collections, images, train=True, axis_name=axis_name)
    loss = non_saturating_generator(score(config, discriminator_params, codes)).mean()
    return loss, ({"encoder_loss": loss}, collections)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """The two phases on one minibatch.

    Args:
        config: settings.
        state: networks and optimisers.
        batch: uint8 or floats in range.
        key: of this update, for the draws of the prior.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; the losses, and the mean probabilities that the discriminator gives to draws and to codes.
    """
    images = scale(batch, config.value_range)
    prior = draw_latents(config, key, len(images), axis_name)

    before = state.autoencoder  # reconstruction
    autoencoder, metrics = descend(
        before,
        lambda params: reconstruction_loss(config, params, before.collections, images, axis_name),
        axis_name,
    )

    inputs = autoencoder.params, autoencoder.collections, images  # regularisation
    codes, _ = encode(config, *inputs, train=True, axis_name=axis_name)
    discriminator, discriminator_metrics = descend(
        state.discriminator, lambda params: discriminator_loss(config, params, prior, codes), axis_name
    )
    generator = _as_generator(config, autoencoder, state.regularization)
    generator, encoder_metrics = descend(
        generator,
        lambda params: encoder_loss(config, params, generator.collections, discriminator.params, images, axis_name),
        axis_name,
    )
    params = {**autoencoder.params, "encoder": generator.params}
    autoencoder = autoencoder.replace(params=params, collections=generator.collections)
    metrics = metrics | discriminator_metrics | encoder_metrics
    return State(autoencoder, discriminator, generator.opt_state), metrics


def _as_generator(config: Config, autoencoder: TrainState, opt_state: Any) -> TrainState:
    """The encoder alone, with its own optimiser."""
    tx = to_optax(config.encoder_optimizer)
    return autoencoder.replace(params=autoencoder.params["encoder"], tx=tx, opt_state=opt_state)


def sample(config: Config, state: State, key: Key, num: int) -> Points:
    """`num` images of latents from the prior."""
    return from_latents(config, state, draw_latents(config, key, num))


def from_latents(config: Config, state: State, latents: Latents) -> Points:
    """g(z)."""
    return decode(config, state.autoencoder.params, state.autoencoder.collections, latents)[0]


def to_latents(config: Config, state: State, images: Points) -> Latents:
    """f(x)."""
    return encode(config, state.autoencoder.params, state.autoencoder.collections, images)[0]


def draw_latents(config: Config, key: Key, num: int, axis_name: str | None = None) -> Latents:
    """z ~ N(0, I) for each example."""
    normal = functools.partial(jax.random.normal, shape=(config.latent_dim,))
    return draw(normal, key, num, axis_name)
