"""Conditional variational autoencoder (CVAE).

Sohn, Lee, Yan: Learning Structured Output Representation using Deep Conditional Generative Models, 2015, NeurIPS.
With classes for labels and a prior that does not know them it is the generative model M2 of Kingma, Rezende, Mohamed,
Welling: Semi-supervised Learning with Deep Generative Models, 2014, arXiv 1406.5298.

Encoder, decoder and, where there is one, prior are told the label y. Minimised is

    E[-log p(x|z, y)] + KL(q(z|x, y) || p(z|y)),

p(z|y) a network's N(mean, diag(exp(logvar))), or N(0, I) without one. `draw_latents`, `from_latents` and `to_latents`
speak of (z - mean) / exp(logvar / 2), mean and logvar those of the prior: N(0, I) for each label. Likelihoods, bounds
and units are those of `jaxgen.autoencoders.vae`.
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
from jaxgen.autoencoders.networks import ATIENZA_CONDITIONAL
from jaxgen.checks import require
from jaxgen.images import RANGES, ValueRange, scale
from jaxgen.nets.shared_scale import ConditionalEncoderDecoder
from jaxgen.optimizers import Optimizer, RMSProp
from jaxgen.parallel import draw, example_keys
from jaxgen.train_state import TrainState, apply, create, descend
from jaxgen.typing import (
    Collections,
    Evidence,
    Key,
    Labelled,
    Labels,
    Latents,
    Metrics,
    Params,
    Points,
    Scalar,
    Shape,
)


@dataclass(frozen=True)
class Config:
    """Settings; the defaults are those of Atienza: Advanced Deep Learning with Keras, 2018, section 8.2."""

    image_shape: Shape = (28, 28, 1)  # height, width, channels; any shape for other data
    value_range: ValueRange = (0.0, 1.0)  # of the images: (-1, 1), (0, 1), or None for data without bounds
    num_classes: int = 10  # of the labels
    latent_dim: int = 2  # size of z
    encoder: nn.Module = ATIENZA_CONDITIONAL.encoder  # x and y to mean and log-variance of each latent
    decoder: nn.Module = ATIENZA_CONDITIONAL.decoder  # z and y to what the likelihood takes
    prior: nn.Module | None = None  # y to mean and log-variance of each latent; N(0, I) for None
    likelihood: Likelihood = Bernoulli()  # p(x|z, y)
    objective: Objective = ELBO()  # the bound that is climbed
    optimizer: Optimizer = RMSProp(1e-3, decay=0.9, eps=1e-7)

    def __post_init__(self):
        require(self.value_range in RANGES, "value_range", self.value_range, "(-1, 1), (0, 1) or None")
        require(self.num_classes >= 1, "num_classes", self.num_classes, "at least 1")
        require(self.latent_dim >= 1, "latent_dim", self.latent_dim, "at least 1")

    @property
    def minibatches(self) -> int:
        """One update takes one minibatch."""
        return 1

    @property
    def batch_type(self) -> type[Labelled]:
        """Images and their labels."""
        return Labelled


class State(NamedTuple):
    """What the next update needs."""

    autoencoder: TrainState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    images = jnp.zeros((1, *config.image_shape))
    latents = jnp.zeros((1, config.latent_dim))
    inputs = images, (config.latent_dim, 2), latents, config.likelihood.output_shape(config.image_shape)
    return State(create(_networks(config), config.optimizer, key, *inputs, jnp.zeros((1, config.num_classes))))


def _networks(config: Config) -> ConditionalEncoderDecoder:
    return ConditionalEncoderDecoder(config.encoder, config.decoder, config.prior)


def encode(
    config: Config,
    params: Params,
    collections: Collections,
    targets: Points,
    labels: Labels,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Diagonal, Collections]:
    """q(z|x, y), and the networks' collections after it."""
    classes, shape = jax.nn.one_hot(labels, config.num_classes), (config.latent_dim, 2)
    options = {"method": "encode", "train": train, "axis_name": axis_name}
    outputs, collections = apply(_networks(config), params, collections, targets, classes, shape, **options)
    return bounds.diagonal(outputs), collections


def expect(
    config: Config,
    params: Params,
    collections: Collections,
    labels: Labels,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Diagonal, Collections]:
    """p(z|y), and the networks' collections after it."""
    if config.prior is None:
        return bounds.standard_normal(jnp.zeros((len(labels), config.latent_dim))), collections
    classes, shape = jax.nn.one_hot(labels, config.num_classes), (config.latent_dim, 2)
    options = {"method": "expect", "train": train, "axis_name": axis_name}
    outputs, collections = apply(_networks(config), params, collections, classes, shape, **options)
    return bounds.diagonal(outputs), collections


def decode(
    config: Config,
    params: Params,
    collections: Collections,
    latents: Latents,
    labels: Labels,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Points, Collections]:
    """What the likelihood takes for p(x|z, y), and the networks' collections after it."""
    classes, shape = jax.nn.one_hot(labels, config.num_classes), config.likelihood.output_shape(config.image_shape)
    options = {"method": "decode", "train": train, "axis_name": axis_name}
    return apply(_networks(config), params, collections, latents, classes, shape, **options)


def terms(
    config: Config,
    params: Params,
    collections: Collections,
    targets: Points,
    labels: Labels,
    noise: jax.Array,
    *,
    train: bool = False,
    axis_name: str | None = None,
) -> tuple[Terms, Collections]:
    """-log p(x|z, y), log p(z|y) / q(z|x, y) and the divergence, at z = mean + exp(logvar / 2) noise.

    Args:
        config: settings.
        params: of the networks.
        collections: of the networks.
        targets: x, as the likelihood observes the images.
        labels: y.
        noise: from N(0, I), (B, K, latent): K latents for each image.
        train: whether batch statistics are taken from this batch.
        axis_name: of the devices that share the batch, or None.
    """
    options = {"train": train, "axis_name": axis_name}
    q, collections = encode(config, params, collections, targets, labels, **options)
    prior, collections = expect(config, params, collections, labels, **options)
    latents = bounds.reparametrize(q, noise)
    size, num, dim = latents.shape
    repeated_targets, repeated_labels = (jnp.repeat(each, num, axis=0) for each in (targets, labels))
    flat = latents.reshape(size * num, dim)
    outputs, collections = decode(config, params, collections, flat, repeated_labels, **options)
    nll = config.likelihood.nll(outputs, repeated_targets, config.value_range)
    ratio = bounds.log_ratio(q, prior, latents)
    return Terms(nll.reshape(size, num), ratio, bounds.kl_of_each_latent(q, prior)), collections


def bound_loss(
    config: Config,
    params: Params,
    collections: Collections,
    targets: Points,
    labels: Labels,
    noise: jax.Array,
    step: jax.Array,
    axis_name: str | None = None,
) -> tuple[Scalar, tuple[Metrics, Collections]]:
    """The negative bound of the objective, mean over the batch; `step` counts the updates before this one."""
    found, collections = terms(config, params, collections, targets, labels, noise, train=True, axis_name=axis_name)
    loss, metrics = bounds.objective_loss(config.objective, found, step, axis_name)
    return loss, (metrics, collections)


def update(
    config: Config, state: State, batch: Labelled, key: Key, *, axis_name: str | None = None
) -> tuple[State, Metrics]:
    """One step up the bound of log p(x|y).

    Args:
        config: settings.
        state: networks and optimiser.
        batch: images, uint8 or floats in range, and labels below `num_classes`.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.
    """
    key_pixels, key_latents = jax.random.split(key)
    images = scale(batch.images, config.value_range)
    keys = example_keys(key_pixels, len(images), axis_name)
    targets = config.likelihood.observe(images, keys, config.value_range)
    noise = _noise(config, key_latents, len(images), config.objective.num_samples, axis_name)
    before = state.autoencoder
    inputs = targets, batch.labels, noise, before.step
    autoencoder, metrics = descend(
        before, lambda params: bound_loss(config, params, before.collections, *inputs, axis_name), axis_name
    )
    return State(autoencoder), metrics


def _noise(config: Config, key: Key, num: int, samples: int, axis_name: str | None = None) -> jax.Array:
    """eps ~ N(0, I), (num, samples, latent)."""
    return draw(functools.partial(jax.random.normal, shape=(samples, config.latent_dim)), key, num, axis_name)


def sample(config: Config, state: State, key: Key, num: int, labels: Labels | None = None) -> Points:
    """E[x|z, y] for `num` latents from the prior; without labels, image i is of class i mod num_classes."""
    return from_latents(config, state, draw_latents(config, key, num), labels)


def from_latents(config: Config, state: State, latents: Latents, labels: Labels | None = None) -> Points:
    """E[x|z, y], z = mean + exp(logvar / 2) latent of the prior; labels as in `sample`."""
    if labels is None:
        labels = jnp.arange(len(latents), dtype=jnp.int32) % config.num_classes
    params, collections = state.autoencoder.params, state.autoencoder.collections
    prior, _ = expect(config, params, collections, labels)
    outputs, _ = decode(config, params, collections, bounds.reparametrize(prior, latents[:, None])[:, 0], labels)
    return config.likelihood.mean(outputs, config.value_range)


def to_latents(config: Config, state: State, images: Points, labels: Labels) -> Latents:
    """E[z|x, y] as noise of the prior; pixels that the likelihood draws are drawn from the image's own noise."""
    params, collections = state.autoencoder.params, state.autoencoder.collections
    q, _ = encode(config, params, collections, _observed(config, images), labels)
    prior, _ = expect(config, params, collections, labels)
    return (q.mean - prior.mean) * jnp.exp(-prior.logvar / 2)


def draw_latents(config: Config, key: Key, num: int) -> Latents:
    """N(0, I) for each image."""
    return draw(functools.partial(jax.random.normal, shape=(config.latent_dim,)), key, num)


def evidence(config: Config, state: State, batch: Labelled, key: Key, num_samples: int, chunk: int) -> Evidence:
    """The bounds of log p(x|y) of each image; binary pixels are drawn from the image's own noise."""
    targets = _observed(config, scale(batch.images, config.value_range))
    params, collections = state.autoencoder.params, state.autoencoder.collections

    def terms_of(key: Key, num: int) -> Terms:
        noise = _noise(config, key, len(targets), num)
        return terms(config, params, collections, targets, batch.labels, noise)[0]

    return bounds.evidence(terms_of, key, num_samples, chunk)


def posterior_means(config: Config, state: State, batch: Labelled) -> Latents:
    """E[z|x, y], as noise of the prior."""
    return to_latents(config, state, scale(batch.images, config.value_range), batch.labels)


def _observed(config: Config, images: Points) -> Points:
    return config.likelihood.observe(images, content_keys(images, config.value_range), config.value_range)
