"""Variational autoencoder (VAE), and its importance-weighted and beta variants.

Kingma, Welling: Auto-Encoding Variational Bayes, 2013, arXiv 1312.6114. The variants, with their papers, are settings:
the bound in `jaxgen.autoencoders.bounds`, p(x|z) in `jaxgen.autoencoders.likelihoods`, the networks in
`jaxgen.autoencoders.networks`.

The encoder gives q(z|x) = N(mean, diag(exp(logvar))), the decoder p(x|z), the prior is p(z) = N(0, I). With eps from
N(0, I) and z = mean + exp(logvar / 2) eps, both minimise, in the simplest case,

    L = E[-log p(x|z)] + 1/2 sum over j of (mean_j^2 + exp(logvar_j) - 1 - logvar_j).

All is in nats, summed over pixels and latents, the mean over images. Errors of course slides that are mended here: in
Jodoin's (IFT780) the divergence has mean^2 and the whole with the wrong sign, z = mean + eps sigma^2 stands for eps
sigma, and a cross-entropy takes outputs without a sigmoid; in Lingrand and Precioso's (DSAI) one output is log sigma to
the sampling and log sigma^2 to the divergence. Jodoin's weight lambda of the reconstruction is beta = 1 / lambda;
Lingrand and Precioso's 784 times the mean squared error is `Gaussian(0.5)`, up to a constant.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import bounds
from jaxgen.autoencoders.bounds import ELBO, Diagonal, Objective, Terms
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood, content_keys
from jaxgen.autoencoders.networks import KINGMA_WELLING
from jaxgen.checks import require
from jaxgen.images import RANGES, ValueRange, scale
from jaxgen.nets.shared_scale import EncoderDecoder
from jaxgen.optimizers import Adagrad, Optimizer
from jaxgen.parallel import draw, example_keys
from jaxgen.train_state import TrainState, apply, create, descend
from jaxgen.typing import Batch, Collections, Evidence, Key, Latents, Metrics, Params, Points, Scalar, Shape


@dataclass(frozen=True)
class Config:
    """Settings; the defaults are the paper's for MNIST, without its small decay of the weights."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape for other data
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    latent_dim: int = 20  # size of z ~ N(0, I)
    encoder: nn.Module = KINGMA_WELLING.encoder  # x to mean and log-variance of each latent
    decoder: nn.Module = KINGMA_WELLING.decoder  # z to what the likelihood takes
    likelihood: Likelihood = Bernoulli()  # p(x|z)
    objective: Objective = ELBO()  # the bound that is climbed
    optimizer: Optimizer = Adagrad(0.01)

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.latent_dim >= 1, "latent_dim", self.latent_dim, "at least 1")

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
    images = jnp.zeros((1, *config.image_shape))
    latents = jnp.zeros((1, config.latent_dim))
    inputs = images, (config.latent_dim, 2), latents, config.likelihood.output_shape(config.image_shape)
    return State(create(_network(config), config.optimizer, key, *inputs))


def _network(config: Config) -> EncoderDecoder:
    return EncoderDecoder(config.encoder, config.decoder)


def encode(
    config: Config,
    params: Params,
    collections: Collections,
    targets: Points,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Diagonal, Collections]:
    """q(z|x), and the network's collections after it."""
    shape = (config.latent_dim, 2)
    options = {"method": "encode", "train": train, "axis_name": axis_name}
    outputs, collections = apply(_network(config), params, collections, targets, shape, **options)
    return bounds.diagonal(outputs), collections


def decode(
    config: Config,
    params: Params,
    collections: Collections,
    latents: Latents,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Points, Collections]:
    """What the likelihood takes for p(x|z), and the network's collections after it."""
    shape = config.likelihood.output_shape(config.image_shape)
    options = {"method": "decode", "train": train, "axis_name": axis_name}
    return apply(_network(config), params, collections, latents, shape, **options)


def terms(
    config: Config,
    params: Params,
    collections: Collections,
    targets: Points,
    noise: jax.Array,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Terms, Collections]:
    """-log p(x|z), log p(z) / q(z|x) and the divergence, at z = mean + exp(logvar / 2) noise.

    Args:
        config: settings.
        params: of the networks.
        collections: of the networks.
        targets: x, as the likelihood observes the images.
        noise: from N(0, I), (B, K, latent): K latents for each image.
        train: whether batch statistics are taken from this batch.
        axis_name: of the devices that share the batch, or None.
    """
    options = {"train": train, "axis_name": axis_name}
    q, collections = encode(config, params, collections, targets, **options)
    prior = bounds.standard_normal(q.mean)
    latents = bounds.reparametrize(q, noise)
    size, num, dim = latents.shape
    outputs, collections = decode(config, params, collections, latents.reshape(size * num, dim), **options)
    nll = config.likelihood.nll(outputs, jnp.repeat(targets, num, axis=0), config.value_range)
    ratio = bounds.log_ratio(q, prior, latents)
    return Terms(nll.reshape(size, num), ratio, bounds.kl_of_each_latent(q, prior)), collections


def bound_loss(
    config: Config,
    params: Params,
    collections: Collections,
    targets: Points,
    noise: jax.Array,
    step: jax.Array,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """The negative bound of the objective, mean over the batch; `step` counts the updates before this one."""
    found, collections = terms(config, params, collections, targets, noise, train=True, axis_name=axis_name)
    loss, metrics = bounds.objective_loss(config.objective, found, step, axis_name)
    return loss, (metrics, collections)


def update(
    config: Config, state: State, batch: Batch, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One iteration of Algorithm 1, its minibatch of size M the batch.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_pixels, key_latents = jax.random.split(key)
    images = scale(batch, config.value_range)
    keys = example_keys(key_pixels, len(images), axis_name)
    targets = config.likelihood.observe(images, keys, config.value_range)
    noise = _noise(config, key_latents, len(images), config.objective.num_samples, axis_name)
    before = state.autoencoder
    autoencoder, metrics = descend(
        before,
        lambda params: bound_loss(config, params, before.collections, targets, noise, before.step, axis_name),
        axis_name,
    )
    return State(autoencoder), metrics


def _noise(config: Config, key: Key, num: int, samples: int, axis_name: str | None = None) -> jax.Array:
    """eps ~ N(0, I), (num, samples, latent)."""
    return draw(functools.partial(jax.random.normal, shape=(samples, config.latent_dim)), key, num, axis_name)


def sample(config: Config, state: State, key: Key, num: int) -> Points:
    """E[x|z] for `num` latents from the prior."""
    return from_latents(config, state, draw_latents(config, key, num))


def from_latents(config: Config, state: State, latents: Latents) -> Points:
    """E[x|z]."""
    outputs, _ = decode(config, state.autoencoder.params, state.autoencoder.collections, latents)
    return config.likelihood.mean(outputs, config.value_range)


def to_latents(config: Config, state: State, images: Points) -> Latents:
    """E[z|x]; pixels that the likelihood draws are drawn from the image's own noise, the same each time."""
    q, _ = encode(config, state.autoencoder.params, state.autoencoder.collections, _observed(config, images))
    return q.mean


def draw_latents(config: Config, key: Key, num: int) -> Latents:
    """z ~ N(0, I) for each image."""
    return draw(functools.partial(jax.random.normal, shape=(config.latent_dim,)), key, num)


def evidence(config: Config, state: State, batch: Batch, key: Key, num_samples: int, chunk: int) -> Evidence:
    """The ELBO and the importance-weighted bound of each image; binary pixels are drawn from the image's own noise."""
    targets = _observed(config, scale(batch, config.value_range))
    params, collections = state.autoencoder.params, state.autoencoder.collections

    def terms_of(key: Key, num: int) -> Terms:
        return terms(config, params, collections, targets, _noise(config, key, len(targets), num))[0]

    return bounds.evidence(terms_of, key, num_samples, chunk)


def posterior_means(config: Config, state: State, batch: Batch) -> Latents:
    """E[z|x]."""
    return to_latents(config, state, scale(batch, config.value_range))


def _observed(config: Config, images: Points) -> Points:
    return config.likelihood.observe(images, content_keys(images, config.value_range), config.value_range)
