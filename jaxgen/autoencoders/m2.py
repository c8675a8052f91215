"""Semi-supervised variational autoencoder (M2): classes are latents that are known of a few images.

Kingma, Rezende, Mohamed, Welling: Semi-Supervised Learning with Deep Generative Models, 2014, arXiv 1406.5298.

An image x is made of its class y, uniform over K, and of z ~ N(0, I): p(x|y, z). A network q(y|x) names the class, the
encoder gives q(z|x, y). With a label, and without one, -log p is at most

    L(x, y) = E[-log p(x|y, z)] + KL(q(z|x, y) || N(0, I)) + log K                       (6)
    U(x)    = sum over y of q(y|x) L(x, y) - H(q(y|x)),                                   (7)

the sum exact. U alone never shows q(y|x) a label, so that its cross-entropy is added (equation 9):

    J = s E[L(x, y)] + (1 - s) E[U(x')] + alpha E[-log q(y|x)],

s the share of labelled images in the set: over N images, the paper's sums divided by N. Each minibatch has as many
images with labels as without, drawn independently.

The networks are the paper's for 100 labels, which it feeds latents of another autoencoder (M1+M2); the penalty of the
weights is left out.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgen.autoencoders import bounds, variational
from jaxgen.autoencoders.coders import CoderState
from jaxgen.autoencoders.likelihoods import Bernoulli, Likelihood
from jaxgen.autoencoders.variational import decode, decode_each, encode, keys_of_each, nll_of_each, noise, observed
from jaxgen.batches import PartlyLabelled
from jaxgen.checks import NonNegativeFloat, PositiveInt, require
from jaxgen.conditions import in_turn, one_hot
from jaxgen.images import scale
from jaxgen.losses.information import cross_entropy
from jaxgen.metrics.classification import accuracy
from jaxgen.mode import EVALUATION, Mode
from jaxgen.model import Defaults
from jaxgen.nets.conditioning import ConcatCondition
from jaxgen.nets.mlp import MLP
from jaxgen.optimizers import Adam, Optimizer
from jaxgen.priors import Normal
from jaxgen.sampling import sampler
from jaxgen.train_state import LossOutput, apply, blank, create_parts, descend, training_mode
from jaxgen.typing import AxisName, Images, Key, Latents, Metrics, PerExample, Points, Variables

CLASSIFIER, UNLABELLED, EACH_CLASS = 2, 3, 4
"""Streams of keys: of the classifier, of all passes on images without labels, of those with each class in turn."""


@dataclass(frozen=True)
class Config(Defaults):
    """Settings; the numbers are the paper's for MNIST with 100 labels."""

    num_classes: PositiveInt = 10  # K
    latent_dim: PositiveInt = 50  # size of z ~ N(0, I)
    encoder: nn.Module = ConcatCondition(MLP((300,)))  # x and y to mean and log-variance of each latent
    decoder: nn.Module = ConcatCondition(MLP((300,)))  # z and y to what the likelihood takes
    classifier: nn.Module = MLP((300,))  # x to the logits of q(y|x)
    likelihood: Likelihood = Bernoulli()  # p(x|y, z)
    labelled_share: float = 0.002  # s, 100 of 50,000
    classifier_weight: NonNegativeFloat = 0.1  # alpha
    optimizer: Optimizer = Optimizer(3e-4, Adam())

    batch_type: ClassVar = PartlyLabelled
    prior = property(lambda self: Normal(self.latent_dim))

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.labelled_share <= 1, "labelled_share", self.labelled_share, "in [0, 1]")


State: TypeAlias = CoderState


def init(config: Config, key: Key) -> State:
    """Fresh networks and optimiser."""
    parts = variational.coders(config, (config.num_classes,))
    classifier = config.classifier, blank(config.image_shape), (config.num_classes,)
    return State(create_parts(parts | {"classifier": classifier}, config.optimizer, key))


def name(config: Config, variables: Variables, targets: Points, mode: Mode = EVALUATION) -> tuple[Points, Variables]:
    """The logits of q(y|x), and the variables after the pass."""
    inputs = targets, (config.num_classes,)
    return apply(config.classifier, variables, *inputs, mode=mode.stream(CLASSIFIER), part="classifier")


def labelled_bound(
    config: Config, variables: Variables, targets: Points, classes: jax.Array, noise: jax.Array, mode: Mode
) -> tuple[PerExample, Variables]:
    """L(x, y) of each image, equation 6, and the variables after the passes.

    Args:
        config: settings.
        variables: of the networks.
        targets: x, as the likelihood observes the images.
        classes: y, one-hot.
        noise: from N(0, I), (B, 1, latent).
        mode: of the passes.
    """
    q, variables = encode(config, variables, targets, classes, mode=mode)
    outputs, variables = decode_each(config, variables, bounds.reparametrize(q, noise), classes, mode=mode)
    nll = nll_of_each(config, outputs, targets).mean(axis=1)
    kl = bounds.kl_of_each_latent(q, bounds.standard_normal(q.mean)).sum(axis=1)
    return nll + kl + math.log(config.num_classes), variables


def unlabelled_bound(
    config: Config, variables: Variables, targets: Points, noise: jax.Array, mode: Mode
) -> tuple[PerExample, Variables]:
    """U(x) of each image, equation 7, and the variables after the passes; all classes of an image share its noise."""
    num, mode = config.num_classes, mode.stream(UNLABELLED)
    logits, variables = name(config, variables, targets, mode)
    every = jnp.tile(jnp.eye(num), (len(targets), 1))
    repeated, noise = (jnp.repeat(values, num, axis=0) for values in (targets, noise))
    passes = mode if mode.keys is None else mode.with_keys(keys_of_each(mode.stream(EACH_CLASS), num))
    each, variables = labelled_bound(config, variables, repeated, every, noise, passes)
    log_q = jax.nn.log_softmax(logits)
    return (jnp.exp(log_q) * (each.reshape(-1, num) + log_q)).sum(axis=1), variables


def bound_loss(
    config: Config,
    variables: Variables,
    labelled: tuple[Points, jax.Array],
    targets: Points,
    noises: tuple[jax.Array, jax.Array],
    mode: Mode,
) -> LossOutput:
    """J, mean over the batch.

    Args:
        config: settings.
        variables: of the networks.
        labelled: x, as the likelihood observes images with labels, and these, (B,).
        targets: x' of images without.
        noises: from N(0, I), (B, 1, latent), of both.
        mode: of the passes.
    """
    known, labels = labelled
    logits, variables = name(config, variables, known, mode)
    of_labelled, variables = labelled_bound(
        config, variables, known, one_hot(labels, config.num_classes), noises[0], mode
    )
    of_others, variables = unlabelled_bound(config, variables, targets, noises[1], mode)
    error = cross_entropy(logits, labels).mean()
    share = config.labelled_share
    loss = share * of_labelled.mean() + (1 - share) * of_others.mean() + config.classifier_weight * error
    metrics = {
        "loss": loss,
        "labelled_bound": of_labelled.mean(),
        "unlabelled_bound": of_others.mean(),
        "cross_entropy": error,
        "accuracy": accuracy(logits, labels),
    }
    return loss, (metrics, variables)


def update(
    config: Config, state: State, batch: PartlyLabelled, key: Key, *, axis_name: AxisName = None
) -> tuple[State, Metrics]:
    """One step down J.

    Args:
        config: settings.
        state: networks and optimiser.
        batch: labelled images, their labels below `num_classes`, and as many images without, uint8 or floats in range.
        key: of this iteration.
        axis_name: of the devices that share the batch, or None.

    Returns:
        The new state; the terms of J, and the accuracy of q(y|x) on the labelled images of the batch.
    """
    num, before = len(batch.labels), state.autoencoder
    *keys, key_pass = jax.random.split(key, 5)
    known, targets = (
        variational.drawn(config, scale(images, config.value_range), key_pixels, axis_name)
        for images, key_pixels in zip((batch.labelled, batch.images), keys[:2], strict=True)
    )
    noises = tuple(noise(config, key_latents, num, 1, axis_name) for key_latents in keys[2:])
    inputs = (known, batch.labels), targets, noises, training_mode(before, key_pass, num, axis_name)
    autoencoder, metrics = descend(before, partial(bound_loss, config), inputs, axis_name)
    return State(autoencoder), metrics


def classify(config: Config, state: State, images: Images) -> Points:
    """The logits of q(y|x), (batch, classes)."""
    return name(config, state.autoencoder.variables, observed(config, images))[0]


def from_latents(config: Config, state: State, latents: Latents, condition: None = None) -> Points:
    """E[x|z, y], image i of class i mod K."""
    classes = one_hot(in_turn(None, latents.shape[0], config.num_classes), config.num_classes)
    outputs, _ = decode(config, state.autoencoder.variables, latents, classes)
    return config.likelihood.mean(outputs, config.value_range)


sample = sampler(from_latents)
