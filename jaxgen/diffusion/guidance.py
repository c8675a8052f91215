"""Guidance towards a condition, as values: how the predictions of a network with and without it are put together.

Ho, Salimans: Classifier-Free Diffusion Guidance, 2022, arXiv 2207.12598. With the predictions y(x, c) for the class or
the caption c and y(x) without one,

    y = y(x) + scale (y(x, c) - y(x)),                                                                     (1)

scale 1 being the network as it is: the convention of latent diffusion; the paper writes 1 + w. All kinds of predictions
are affine in the noise at a given x_t, so that equation 1 holds in any of them alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from jaxgen.checks import NonNegativeFloat, require, require_bounds
from jaxgen.diffusion.predictions import Noise, Prediction, convert, estimate
from jaxgen.diffusion.samplers import Point
from jaxgen.typing import Points

Predict: TypeAlias = Callable[[Points, Any], Prediction]
"""x_t and the condition, a pytree with rows for each example, to a prediction.

Classes are (batch, classes), one-hot rows or zeros for no class; None for a model without a condition.
"""


class Networks(NamedTuple):
    """A model's networks at one time."""

    predict: Predict
    classify: Callable[[Points], jax.Array] | None = None
    """x_t to logits of its class (batch, classes), where the model has a classifier of noisy images."""

    nothing: Any = None
    """What stands for no condition, a pytree with one row, where that is not the condition with zeros in its place."""


@dataclass(frozen=True)
class NoGuidance:
    """The network as it is."""

    def apply(self, networks: Networks, noisy: Points, point: Point, classes: Any) -> Prediction:
        """y(x, c)."""
        return networks.predict(noisy, classes)


@dataclass(frozen=True)
class ClassifierFree:
    """Equation 1, where sigma / alpha is in an interval: Kynkäänniemi et al., 2024, arXiv 2404.07724."""

    scale: NonNegativeFloat = 2.0  # 1: no guidance; 0: without a class
    least: NonNegativeFloat = 0.0  # of sigma / alpha; outside of the interval the network is used as it is
    most: float | None = None  # None: no bound

    def __post_init__(self):
        require_bounds(self)
        require(self.most is None or self.least < self.most, "least", self.least, f"below most={self.most}")

    def apply(self, networks: Networks, noisy: Points, point: Point, classes: Any) -> Prediction:
        """Equation 1: one call of the network for both predictions, and the plain one outside of the interval."""
        classes, predict = _required(classes), networks.predict
        if self.scale == 1.0:
            return predict(noisy, classes)
        if self.least <= 0.0 and self.most is None:
            return self._guided(networks, noisy, classes)
        level = point.level
        inside = self.least * level.alpha <= level.sigma
        if self.most is not None:
            inside &= level.sigma <= self.most * level.alpha
        return jax.lax.cond(inside, lambda: self._guided(networks, noisy, classes), lambda: predict(noisy, classes))

    def _guided(self, networks: Networks, noisy: Points, classes: Any) -> Prediction:
        without = _nothing(networks, classes)
        if self.scale == 0.0:
            return networks.predict(noisy, without)
        twice = jax.tree.map(lambda *pair: jnp.concatenate(pair), (noisy, classes), (noisy, without))
        both = networks.predict(*twice)
        return jax.tree.map(lambda leaf: _along(self.scale, *jnp.split(leaf, 2)), both)


@dataclass(frozen=True)
class ByClassifier:
    """epsilon - scale sigma grad log p(c|x_t), of a classifier of noisy images.

    Dhariwal, Nichol: Diffusion Models Beat GANs on Image Synthesis, 2021, arXiv 2105.05233.

    This is the paper's algorithm 2, for DDIM. Algorithm 1 adds scale b^2 grad to the mean of an ancestral step, which
    differs from this by the factor alpha_(t-1) / alpha_t.
    """

    scale: NonNegativeFloat = 1.0  # s; 0: no guidance
    conditional: bool = True  # the denoiser is told the class too

    def __post_init__(self):
        require_bounds(self)

    def apply(self, networks: Networks, noisy: Points, point: Point, classes: Any) -> Prediction:
        """The prediction that stands for the guided noise, of the network's kind."""
        given, classify = _required(classes), networks.classify
        if classify is None:
            raise ValueError("guidance ByClassifier needs a model with a classifier, such as guided_ddpm")

        def log_prob(noisy: Points) -> jax.Array:
            return (given * jax.nn.log_softmax(classify(noisy))).sum()

        prediction = networks.predict(noisy, given if self.conditional else jnp.zeros_like(given))
        found = estimate(prediction, point.level, noisy)
        noise = found.noise - self.scale * point.level.sigma * jax.grad(log_prob)(noisy)
        guided = Prediction(noise, Noise(), prediction.variance)
        return convert(guided, prediction.kind, point.level, noisy)


def _required(classes: Any) -> Any:
    if classes is None:
        raise ValueError("guidance needs a model of classes: set num_classes, or guidance to NoGuidance()")
    return classes


def _nothing(networks: Networks, classes: Any) -> Any:
    """No condition, for as many examples as `classes` is of."""
    if networks.nothing is None:
        return jax.tree.map(jnp.zeros_like, classes)
    return jax.tree.map(lambda row, like: jnp.broadcast_to(row, like.shape), networks.nothing, classes)


def _along(scale: float, conditional: Points, unconditional: Points) -> Points:
    return unconditional + scale * (conditional - unconditional)


Guidance: TypeAlias = NoGuidance | ClassifierFree | ByClassifier
"""Guidance that a setting can name on the command line."""
